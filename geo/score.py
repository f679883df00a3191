"""Scores from several measures: rescaling, five ways to aggregate, contributions and ranks.

Bare arrays: n units by m measures, optionally with draws in front. NaN is a measure that is missing: it leaves the
average (the weights of what a unit has are brought to a sum of 1), and lowers the coverage of that unit's score.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.errors import ConfigError

Floats: TypeAlias = npt.NDArray[np.float64]
# An array of shape (..., n, m), or its m columns: each (..., n), so that those that no draw changes stand once.
Unit: TypeAlias = Floats | Sequence[Floats]

DEVIATIONS = 3.0  # a z-score of -3 becomes 0, one of 3 becomes 1
LOG_SHARE = 0.01  # of the upper goalpost: by it a logarithm between goalposts divides
FLOOR = 0.01  # what a measured 0 counts as in a geometric mean, which it would otherwise make 0
COMPROMISE = 0.5  # VIKOR's v: between the sum of regrets (1) and the largest (0)


class Rescale(Enum):
    """How a measure is brought to 0..1."""

    LINEAR = "linear"
    RANK = "rank"
    ZSCORE = "zscore"
    GOALPOSTS = "goalposts"


class Method(Enum):
    """How rescaled measures become one score."""

    WEIGHTED_MEAN = "weighted-mean"
    GEOMETRIC_MEAN = "geometric-mean"
    TOPSIS = "topsis"
    VIKOR = "vikor"
    PROMETHEE = "promethee"


@dataclass(frozen=True)
class Scale:
    """A fitted way to bring one measure to 0..1.

    Attributes
    ----------
    kind : Rescale
        ``linear``: winsorised min-max. ``zscore``: three standard deviations to either side of the mean.
        ``goalposts``: between two given values. ``rank``: mid-ranks.
    log : bool
        Whether ``log1p(x / unit)`` comes first.
    unit : float
        By what a logarithm divides, so that the measure's unit does not matter: the median of the positive values, or
        a hundredth of the upper goalpost.
    low, high : float
        What becomes 0 and 1, after the logarithm where there is one.
    descending : bool
        Whether low values are the ones that count.
    reference : ndarray
        The sorted values on which it was fitted; used by ``rank``.
    """

    kind: Rescale
    unit: float
    low: float
    high: float
    descending: bool = False
    log: bool = False
    reference: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    def __call__(self, values: Floats) -> Floats:
        """Rescale values.

        Parameters
        ----------
        values : ndarray, any shape
            In the measure's unit.

        Returns
        -------
        ndarray, the same shape
            0 to 1, clipped; NaN stays NaN. All 0 where the fitted values did not differ.
        """
        if self.flat:
            return np.where(np.isnan(values), np.nan, 0.0)
        rising = self._mid_rank(values) if self.kind is Rescale.RANK else self._stretch(values)
        return np.asarray(1.0 - rising if self.descending else rising)

    def inverse(self, rescaled: Floats) -> Floats:
        """The value that becomes a given one when it is rescaled.

        Parameters
        ----------
        rescaled : ndarray, any shape
            0 to 1; NaN stays NaN.

        Returns
        -------
        ndarray, the same shape
            In the measure's unit; NaN where the fitted values did not differ.
        """
        if self.flat:
            return np.full(np.shape(rescaled), np.nan)
        rising = 1.0 - rescaled if self.descending else rescaled
        if self.kind is Rescale.RANK:
            return np.interp(rising * (len(self.reference) - 1), np.arange(len(self.reference)), self.reference)
        moved = self.low + rising * (self.high - self.low)
        return np.asarray(np.expm1(moved) * self.unit if self.log else moved)

    @property
    def flat(self) -> bool:
        """Whether the fitted values did not differ, or only at the ends that were drawn in."""
        if self.kind is Rescale.RANK:
            return not len(self.reference) or bool(self.reference[0] == self.reference[-1])
        return not self.high > self.low

    def _stretch(self, values: Floats) -> Floats:
        # A value below 0 is beyond every fitted one: it is clipped to 0 either way, and has no logarithm.
        # One far beyond a range next to nothing would be infinite, and is clipped to 1.
        with np.errstate(over="ignore"):
            moved = np.log1p(np.maximum(values, 0.0) / self.unit) if self.log else values
            return np.clip((moved - self.low) / (self.high - self.low), 0.0, 1.0)

    def _mid_rank(self, values: Floats) -> Floats:
        distinct, first, count = self._places
        place = np.searchsorted(distinct, values)
        # A value among the fitted ones has the middle of their places, another that of the next higher one.
        met = distinct[np.minimum(place, len(distinct) - 1)] == values
        middle = first[place] + np.where(met, (count[place] - 1) / 2, 0.0)
        share = np.clip(middle / max(len(self.reference) - 1, 1), 0.0, 1.0)
        return np.where(np.isnan(values), np.nan, share)

    @functools.cached_property
    def _places(self) -> tuple[Floats, Floats, Floats]:
        """The distinct fitted values, where each begins among all, and how often it occurs; one place more."""
        distinct, first, count = np.unique(self.reference, return_index=True, return_counts=True)
        return distinct, np.append(first, len(self.reference)).astype(float), np.append(count, 1).astype(float)


def fit_scale(
    values: Floats,
    *,
    kind: Rescale,
    log: bool = False,
    winsor: float = 0.0,
    descending: bool = False,
    goalposts: tuple[float, float] | None = None,
) -> Scale:
    """Fit the rescaling of one measure on the units to be compared.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The measure; NaN where missing.
    kind : Rescale
        How to rescale.
    log : bool, default False
        Whether a skewed measure is brought to ``log1p(x / unit)`` first; without effect on ranks.
    winsor : float, default 0
        Share of the values at either end that is drawn in to the quantile there; without effect on goalposts.
    descending : bool, default False
        Whether low values are the ones that count.
    goalposts : (float, float), optional
        What becomes 0 and 1 whatever the values are, so that scores of different years compare.

    Returns
    -------
    Scale
        The fitted rescaling.

    Raises
    ------
    ConfigError
        If a logarithm is asked for negative values, or goalposts are missing or not in order.
    """
    known = np.sort(values[~np.isnan(values)])
    if kind is Rescale.GOALPOSTS:
        return _between(goalposts, log=log, descending=descending)
    if kind is Rescale.RANK:
        return Scale(kind, 1.0, 0.0, 1.0, descending, False, known)
    if log and known.size and known[0] < 0:
        raise ConfigError(f"log = true needs values of 0 or more, found {known[0]:g}; take the logarithm away")
    unit = _quantile(known[known > 0], 0.5) or 1.0
    moved = np.log1p(known / unit) if log else known
    low, high = _quantile(moved, winsor), _quantile(moved, 1 - winsor)
    if kind is Rescale.ZSCORE and high > low:
        drawn_in = np.clip(moved, low, high)
        reach = DEVIATIONS * drawn_in.std()
        low, high = drawn_in.mean() - reach, drawn_in.mean() + reach
    return Scale(kind, unit, float(low), float(high), descending, log, known)


def _quantile(ordered: Floats, share: float) -> float:
    """A quantile of sorted values, as numpy has it; numpy would look for checks longer than for the value."""
    return float(np.interp(share * (len(ordered) - 1), np.arange(len(ordered)), ordered)) if len(ordered) else 0.0


def _between(goalposts: tuple[float, float] | None, *, log: bool, descending: bool) -> Scale:
    if goalposts is None or not goalposts[0] < goalposts[1]:
        raise ConfigError(f"rescale = 'goalposts' needs goalposts = [LOW, HIGH] with LOW below HIGH; found {goalposts}")
    low, high = goalposts
    if not log:
        return Scale(Rescale.GOALPOSTS, 1.0, low, high, descending)
    if low < 0:
        raise ConfigError(f"log = true needs goalposts of 0 or more, found {low:g}; take the logarithm away")
    unit = LOG_SHARE * high
    return Scale(Rescale.GOALPOSTS, unit, math.log1p(low / unit), math.log1p(high / unit), descending, True)


def aggregate(unit: Unit, weights: Floats, method: Method = Method.WEIGHTED_MEAN) -> Floats:
    """Score units by a method, as it is used here: see the function of its name.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.
    method : Method, default WEIGHTED_MEAN
        How.

    Returns
    -------
    ndarray, shape (..., n)
        The higher, the more; 0 to 1. NaN where no measure with weight is known.
    """
    return METHODS[method](unit, weights)


def weighted_mean(unit: Unit, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of the measures that are known.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.

    Returns
    -------
    score : ndarray, shape (..., n)
        0 to 1; NaN where no measure with weight is known.
    coverage : ndarray, shape (..., n)
        Share of the weight whose measures are known, 0 to 1.
    """
    columns = _columns(unit)
    known = _known_weight(columns, weights)
    total = _sum(_each(weights, j) * _or(column, 0.0) for j, column in enumerate(columns))
    return _over(total, known), known / weights.sum(axis=-1)[..., None]


def geometric_mean(unit: Unit, weights: Floats, *, floor: float = 0.0) -> Floats:
    """Weighted geometric mean: much of one measure makes up less for little of another.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.
    floor : float, default 0
        What lower values count as; with 0 a single zero makes the score 0.

    Returns
    -------
    ndarray, shape (..., n)
        ``exp(sum of w ln x / sum of w)``, 0 to 1; NaN where no measure with weight is known.

    References
    ----------
    OECD and JRC (2008). Handbook on Constructing Composite Indicators. Paris: OECD, section 6.2.
    """
    columns = _columns(unit)
    known = _known_weight(columns, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.where(np.isnan(column), 0.0, np.log(np.maximum(column, floor))) for column in columns]
        total = _sum(_times(_each(weights, j), log) for j, log in enumerate(logs))
        return np.asarray(np.exp(_over(total, known)))


def topsis(unit: Unit, weights: Floats) -> Floats:
    """TOPSIS: how close a unit is to the best of every measure, and how far from the worst.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1, or normalised in another way; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.

    Returns
    -------
    ndarray, shape (..., n)
        ``D- / (D- + D+)``, D being Euclidean distances from the worst and the best; 0 where nothing differs, NaN where
        no measure with weight is known.

    References
    ----------
    Hwang, C. L. and Yoon, K. (1981). Multiple Attribute Decision Making. Berlin: Springer.
    """
    columns = _columns(unit)
    return _closeness(columns, weights, [_extremes(column) for column in columns])


def vikor(unit: Unit, weights: Floats, *, v: float = COMPROMISE) -> Floats:
    """VIKOR: a compromise between the sum of a unit's regrets and its largest one.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1, or normalised in another way; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.
    v : float, default 0.5
        Weight of the sum.

    Returns
    -------
    ndarray, shape (..., n)
        ``1 - Q``, Q being Opricovic's index, so that the best has most; NaN where no measure with weight is known.

    References
    ----------
    Opricovic, S. and Tzeng, G.-H. (2004). Compromise solution by MCDM methods. European Journal of Operational Research
    156, 445-455.
    """
    columns = _columns(unit)
    regrets = _regrets(columns, weights, [_extremes(column) for column in columns])
    return _compromise(regrets, [_extremes(regret) for regret in regrets], v)


def promethee(unit: Unit, weights: Floats, *, p: float = 0.0) -> Floats:
    """PROMETHEE II: by how much of the weight a unit outranks the others rather than they it.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m), or its m columns
        Measures in 0..1, or in any unit; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.
    p : float, default 0
        Difference from which preference is full, growing linearly up to it (V-shape); 0 is the usual criterion, for
        which any difference is enough.

    Returns
    -------
    ndarray, shape (..., n)
        ``(net flow + 1) / 2``, 0 to 1; NaN where no measure with weight is known.

    References
    ----------
    Brans, J. P. and Vincke, P. (1985). A preference ranking organisation method. Management Science 31, 647-656.
    """
    return weighted_mean(_flows(_columns(unit), p), weights)[0]


METHODS: dict[Method, Callable[[Unit, Floats], Floats]] = {
    Method.WEIGHTED_MEAN: lambda unit, weights: weighted_mean(unit, weights)[0],
    Method.GEOMETRIC_MEAN: lambda unit, weights: geometric_mean(unit, weights, floor=FLOOR),
    Method.TOPSIS: topsis,
    Method.VIKOR: vikor,
    Method.PROMETHEE: promethee,
}


def contributions(unit: Floats, weights: Floats, method: Method = Method.WEIGHTED_MEAN) -> Floats:
    """What each measure adds to the score; known contributions sum to it.

    Of a weighted mean and of PROMETHEE II the score is a sum already. Of the other methods they are Shapley values:
    what a measure adds on average over all orders in which the measures may rise from 0 to what they are, the best and
    the worst of all units standing still. What would be left at 0 everywhere is shared out by weight.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m); (n, m) for methods other than the weighted mean
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.
    method : Method, default WEIGHTED_MEAN
        As for :func:`aggregate`.

    Returns
    -------
    ndarray, shape (..., n, m)
        NaN where the measure is missing. Of a weighted mean, ``w x / sum of the weights known for the unit``.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games 2, 307-317.
    """
    if method is Method.WEIGHTED_MEAN:
        return _shares(unit, weights) * unit
    if method is Method.PROMETHEE:
        return _shares(unit, weights) * np.stack(_flows(_columns(unit), 0.0), axis=-1)
    return _shapley(unit, weights, _frozen(_columns(unit), weights, method))


def ranks(score: Floats) -> npt.NDArray[np.int64]:
    """Ranks from the highest score, 1, downwards; equal scores in the order of their rows, missing ones last.

    Parameters
    ----------
    score : ndarray, shape (..., n)
        Scores.

    Returns
    -------
    ndarray of int, shape (..., n)
        1 to n.
    """
    n = score.shape[-1]
    rows = -score.reshape(math.prod(score.shape[:-1]), n)
    begins = np.arange(len(rows))[:, None] * n
    order = np.argsort(rows, axis=-1) + begins
    ordered = rows.ravel()[order]
    # A stable sort takes twice as long, and only equal or missing scores need it.
    tied = ~(ordered[:, 1:] > ordered[:, :-1]).all(axis=-1)
    if tied.any():
        order[tied] = np.argsort(rows[tied], axis=-1, kind="stable") + begins[tied]
    rank = np.empty(rows.size, dtype=np.int64)
    rank[order] = np.arange(1, n + 1)
    return rank.reshape(score.shape)


def _columns(unit: Unit) -> list[Floats]:
    return [unit[..., j] for j in range(unit.shape[-1])] if isinstance(unit, np.ndarray) else list(unit)


def _each(weights: Floats, j: int) -> Floats:
    """A measure's weight, to be multiplied with its column."""
    return weights[..., j, None]


def _or(column: Floats, value: float) -> Floats:
    missing = np.isnan(column)
    return np.where(missing, value, column) if missing.any() else column


def _times(weight: Floats, logs: Floats) -> Floats:
    """Weight times logarithm, where no weight times minus infinity is nothing."""
    return np.where(weight > 0, weight * logs, 0.0)


def _over(total: Floats, known: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known > 0, total / known, np.nan)


def _known_weight(columns: Sequence[Floats], weights: Floats) -> Floats:
    """The weight of what each unit has, shape (..., n)."""
    return _sum(_each(weights, j) * ~np.isnan(column) for j, column in enumerate(columns))


def _sum(parts: Iterable[Floats]) -> Floats:
    return functools.reduce(np.add, parts)


def _shares(unit: Floats, weights: Floats) -> Floats:
    """Weights brought to a sum of 1 over what each unit has; NaN where the measure is missing."""
    spread = np.where(np.isnan(unit), np.nan, weights[..., None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(spread / np.nansum(spread, axis=-1, keepdims=True))


def _extremes(column: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest known value among the units, each of shape (..., 1); 0 where none is known."""
    low = np.min(_or(column, np.inf), axis=-1, keepdims=True)
    high = np.max(_or(column, -np.inf), axis=-1, keepdims=True)
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)


def _closeness(columns: Sequence[Floats], weights: Floats, extremes: Sequence[tuple[Floats, Floats]]) -> Floats:
    """TOPSIS against given worst and best values."""
    known = _known_weight(columns, weights)
    worst, best = np.zeros(known.shape), np.zeros(known.shape)
    for j, (column, (low, high)) in enumerate(zip(columns, extremes, strict=True)):
        squared = _each(weights, j) ** 2
        worst = worst + squared * _or((column - low) ** 2, 0.0)
        best = best + squared * _or((column - high) ** 2, 0.0)
    near, far = np.sqrt(best), np.sqrt(worst)
    with np.errstate(invalid="ignore"):
        closeness = np.where(near + far > 0, far / (near + far), 0.0)
    return np.where(known > 0, closeness, np.nan)


def _regrets(
    columns: Sequence[Floats], weights: Floats, extremes: Sequence[tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """VIKOR's sum of weighted regrets and the largest of them, against given worst and best values."""
    known = _known_weight(columns, weights)
    total, largest = np.zeros(known.shape), np.zeros(known.shape)
    for j, (column, (low, high)) in enumerate(zip(columns, extremes, strict=True)):
        span = np.where(high > low, high - low, np.inf)
        regret = _each(weights, j) * _or((high - column) / span, 0.0)
        total, largest = total + regret, np.maximum(largest, regret)
    return _over(total, known), _over(largest, known)


def _compromise(regrets: tuple[Floats, Floats], extremes: Sequence[tuple[Floats, Floats]], v: float) -> Floats:
    """VIKOR's ``1 - Q`` from regrets and the range of each."""
    parts = [
        (regret - low) / np.where(high > low, high - low, np.inf)
        for regret, (low, high) in zip(regrets, extremes, strict=True)
    ]
    return np.asarray(1.0 - (v * parts[0] + (1.0 - v) * parts[1]))


def _flows(columns: Sequence[Floats], p: float) -> list[Floats]:
    """PROMETHEE's net flow of each measure, from -1..1 to 0..1; NaN where the measure is missing."""
    outranked = [_beaten(column) if p == 0 else _preferred(column, p) for column in columns]
    others = [np.maximum((~np.isnan(column)).sum(axis=-1, keepdims=True) - 1, 1) for column in columns]
    return [0.5 + flow / (2 * count) for flow, count in zip(outranked, others, strict=True)]


def _beaten(column: Floats) -> Floats:
    """How many units each one beats, less how many beat it; NaN where missing."""
    n = column.shape[-1]
    order = np.argsort(column, axis=-1)
    ordered = np.take_along_axis(column, order, axis=-1)
    known = (~np.isnan(column)).sum(axis=-1, keepdims=True)
    begins = np.ones(column.shape, dtype=bool)
    begins[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    below = np.maximum.accumulate(np.where(begins, np.arange(n), 0), axis=-1)
    ends = np.ones(column.shape, dtype=bool)
    ends[..., :-1] = begins[..., 1:]
    last = np.minimum.accumulate(np.where(ends, np.arange(n), n - 1)[..., ::-1], axis=-1)[..., ::-1]
    net = np.empty(column.shape)
    np.put_along_axis(net, order, below - (known - 1.0 - last), axis=-1)
    return np.where(np.isnan(column), np.nan, net)


def _preferred(column: Floats, p: float) -> Floats:
    """The sum of V-shaped preferences over all others, less theirs; NaN where missing."""
    gaps = np.clip((column[..., :, None] - column[..., None, :]) / p, -1.0, 1.0)
    return np.where(np.isnan(column), np.nan, np.nansum(gaps, axis=-1))


def _frozen(columns: Sequence[Floats], weights: Floats, method: Method) -> Callable[[Sequence[Floats]], Floats]:
    """A method with the extremes of these columns, to score other values of the same units."""
    extremes = [_extremes(column) for column in columns]
    if method is Method.TOPSIS:
        return lambda other: _closeness(other, weights, extremes)
    if method is Method.VIKOR:
        spans = [_extremes(regret) for regret in _regrets(columns, weights, extremes)]
        return lambda other: _compromise(_regrets(other, weights, extremes), spans, COMPROMISE)
    return lambda other: METHODS[method](other, weights)


def _shapley(unit: Floats, weights: Floats, value: Callable[[Sequence[Floats]], Floats]) -> Floats:
    """Shapley values over all sets of measures, shape (n, m)."""
    m = unit.shape[-1]
    sets = np.arange(2**m)
    held = (sets[:, None] >> np.arange(m)) & 1
    worth = value([np.where(held[:, j, None] == 1, unit[:, j], _or(unit[:, j] * 0.0, np.nan)) for j in range(m)])
    sizes = held.sum(axis=1)
    chance = np.array([math.factorial(s) * math.factorial(max(m - s - 1, 0)) / math.factorial(m) for s in range(m + 1)])
    added = np.empty(unit.shape)
    for j in range(m):
        without = sets[held[:, j] == 0]
        added[:, j] = chance[sizes[without]] @ (worth[without | (1 << j)] - worth[without])
    base: Floats = _shares(unit, weights) * worth[0][:, None]
    return added + base
