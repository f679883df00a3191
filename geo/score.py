"""Scores from several measures: rescaling, the weighted mean, contributions, and how sure a rank is.

Bare arrays: n units by m measures, optionally with draws in front. NaN is a measure that is missing: it leaves the
average, and lowers the coverage of that unit's score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from geo.errors import ConfigError

Floats = npt.NDArray[np.float64]


class Rescale(Enum):
    """How a measure is brought to 0..1."""

    LINEAR = "linear"
    LOG = "log"
    RANK = "rank"


@dataclass(frozen=True)
class Scale:
    """A fitted way to bring one measure to 0..1.

    Attributes
    ----------
    kind : Rescale
        ``linear``: winsorised min-max. ``log``: the same after ``log1p(x / unit)``. ``rank``: mid-ranks.
    unit : float
        Median of the positive values, by which ``log`` divides so that the measure's unit does not matter.
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
        if self._flat:
            return np.where(np.isnan(values), np.nan, 0.0)
        rising = self._mid_rank(values) if self.kind is Rescale.RANK else self._stretch(values)
        return np.asarray(1.0 - rising if self.descending else rising)

    @property
    def _flat(self) -> bool:
        """Whether the fitted values did not differ, or only at the ends that were drawn in."""
        if self.kind is Rescale.RANK:
            return not len(self.reference) or bool(self.reference[0] == self.reference[-1])
        return not self.high > self.low

    def _stretch(self, values: Floats) -> Floats:
        moved = np.log1p(values / self.unit) if self.kind is Rescale.LOG else values
        return np.clip((moved - self.low) / (self.high - self.low), 0.0, 1.0)

    def _mid_rank(self, values: Floats) -> Floats:
        below = np.searchsorted(self.reference, values, side="left")
        upto = np.searchsorted(self.reference, values, side="right")
        middle = (below + np.maximum(upto - 1, below)) / 2
        share = np.clip(middle / max(len(self.reference) - 1, 1), 0.0, 1.0)
        return np.where(np.isnan(values), np.nan, share)


def fit_scale(values: Floats, *, kind: Rescale, winsor: float = 0.0, descending: bool = False) -> Scale:
    """Fit the rescaling of one measure on the units to be compared.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The measure; NaN where missing.
    kind : Rescale
        How to rescale.
    winsor : float, default 0
        Share of the values at either end that is drawn in to the quantile there.
    descending : bool, default False
        Whether low values are the ones that count.

    Returns
    -------
    Scale
        The fitted rescaling.

    Raises
    ------
    ConfigError
        If ``log`` is asked for a measure with negative values.
    """
    known = np.sort(values[~np.isnan(values)])
    if kind is Rescale.LOG and known.size and known[0] < 0:
        raise ConfigError(f"rescale = 'log' needs values of 0 or more, found {known[0]:g}; use 'linear' or 'rank'")
    positive = known[known > 0]
    unit = float(np.median(positive)) if positive.size else 1.0
    moved = np.log1p(known / unit) if kind is Rescale.LOG else known
    low, high = np.quantile(moved, [winsor, 1 - winsor]) if known.size else (0.0, 0.0)
    return Scale(kind, unit, float(low), float(high), descending, known)


def weighted_mean(unit: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of the measures that are known.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m)
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
    parts = contributions(unit, weights)
    known = np.where(np.isnan(unit), 0.0, weights[..., None, :]).sum(axis=-1)
    score = np.where(known > 0, np.nansum(parts, axis=-1), np.nan)
    return score, known / weights.sum(axis=-1)[..., None]


def contributions(unit: Floats, weights: Floats) -> Floats:
    """What each measure adds to the score; known contributions sum to it.

    Parameters
    ----------
    unit : ndarray, shape (..., n, m)
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,) or (..., m)
        Not negative, with a positive sum.

    Returns
    -------
    ndarray, shape (..., n, m)
        ``w x / sum of the weights known for the unit``; NaN where the measure is missing.
    """
    spread = weights[..., None, :]
    known = np.where(np.isnan(unit), 0.0, spread).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(spread * unit / known)


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
    order = np.argsort(-score, axis=-1, kind="stable")
    places = np.broadcast_to(np.arange(1, score.shape[-1] + 1), score.shape)
    rank = np.empty(score.shape, dtype=np.int64)
    np.put_along_axis(rank, order, places, axis=-1)
    return rank


def draw_weights(weights: Floats, *, concentration: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draw weights from a Dirichlet distribution whose mean is the given ones.

    Parameters
    ----------
    weights : ndarray, shape (m,)
        Not negative, summing to 1; a weight of 0 stays 0.
    concentration : float
        The higher, the closer to the given weights: the variance is ``w (1 - w) / (concentration + 1)``.
    draws : int
        How many.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws, m)
        Each row sums to 1.
    """
    used = weights > 0
    drawn = np.zeros((draws, len(weights)))
    drawn[:, used] = rng.dirichlet(concentration * weights[used], size=draws)
    return drawn


def draw_errors(shape: tuple[int, ...], *, sigma: float, rng: np.random.Generator) -> Floats:
    """Draw multiplicative measurement errors: lognormal with mean 1.

    Parameters
    ----------
    shape : tuple of int
        Shape of the draws.
    sigma : float
        Standard deviation of the logarithm; 0.10 is about 10 %.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray
        Factors.
    """
    return np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2)


def rank_spread(drawn: npt.NDArray[np.int64], *, top: int, level: float = 0.9) -> tuple[Floats, Floats, Floats]:
    """How far a rank may move, and how often it is among the first.

    Parameters
    ----------
    drawn : ndarray of int, shape (draws, n)
        Ranks in each draw.
    top : int
        Up to which rank counts as among the first.
    level : float, default 0.9
        Share of the draws between the low and the high rank.

    Returns
    -------
    low, high : ndarray, shape (n,)
        Ranks that occur, at the two ends of the central share of draws.
    share : ndarray, shape (n,)
        Share of the draws with a rank of at most ``top``.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return low, high, (drawn <= top).mean(axis=0)
