"""How a measure becomes colours: class limits that a reader can keep in mind, the same in every year."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.hotspots import COLD, HOT, NEITHER
from layers import dynamics
from maps import palette
from maps.palette import Palette

Floats = npt.NDArray[np.float64]
Kind = Literal["classes", "diverging", "categories"]

PLACES = 9  # 0.15 / 0.05 is 2.9999999999999996, and three steps
SCORE_STEPS = (0.05, 0.1, 0.2)
CLASSES = 5
SIDE_CLASSES = 3
MANTISSAS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_DIGITS = 17  # with so many, a float is itself
MOST_DECIMALS = 20
# Bulmer (Principles of Statistics, 1979) calls a distribution highly skewed beyond 1; every amount here is far beyond.
SKEWED = 1.0
# A head of more than two fifths is no head any more (Jiang, The Professional Geographer, 2013).
HEAD = 0.4
# Optimal classes cost the square of what they are found in; so many quantiles give the limits of all to a few per cent.
SAMPLE = 64

PERMANENCE = (
    dynamics.PERMANENT,
    dynamics.INTERMITTENT,
    dynamics.EXPANSION,
    dynamics.ABANDONED,
    dynamics.PAST,
    dynamics.NEVER,
)
SPOTS = (HOT, COLD, NEITHER)


@dataclass(frozen=True)
class Scale:
    """Classes of one measure.

    A value falls into the class of the highest break that it reaches. Missing values, values that do not
    apply and, where ``zero`` names a colour, zeros stand apart from all classes.

    Parameters
    ----------
    field : str
        Measure that it colours; the page's texts are found under the same name.
    kind : {"classes", "diverging", "categories"}
        Amounts, changes with a class of no change in their midst, or names.
    group : str
        Where a list of measures puts it.
    unit : str
        The page's texts have the unit's name under this one.
    breaks : tuple of float
        Inner limits, ascending; one fewer than the colours. Categories have none.
    colours : tuple of str
        Fill of each class, from low to high, or of each category.
    decimals : int
        Decimals of the limits as shown.
    zero : str, optional
        Fill of a measured zero, where zero is a class of its own.
    absent : str, optional
        Fill where the measure does not apply, such as the score of a municipality that is no candidate.
    missing : str
        Lines of the hatching where nothing was measured.
    categories : tuple of str
        What the whole numbers from 0 stand for, where values are categories.
    """

    field: str
    kind: Kind
    group: str
    unit: str
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    decimals: int = 0
    zero: str | None = None
    absent: str | None = None
    missing: str = palette.GROUND["missing"]
    categories: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the classes as the page reads them.

        Returns
        -------
        dict
            JSON-ready fields.
        """
        return asdict(self)


@dataclass(frozen=True)
class Amount:
    """A measure whose classes are fitted: those of ``fall`` and ``colours`` lie on either side of zero."""

    field: str
    group: str
    unit: str
    colours: Palette
    fall: Palette | None = None


MEASURES: tuple[Amount | Scale, ...] = (
    Amount("coca_ha", "cultivation", "ha", palette.COCA),
    Amount("coca_ha_per_km2", "cultivation", "ha_per_km2", palette.COCA),
    Amount("coca_trend_ha_per_year", "cultivation", "ha_per_year", palette.RISE, palette.FALL),
    Amount("change_ha", "cultivation", "ha", palette.RISE, palette.FALL),
    Scale(
        "permanence_class", "categories", "cultivation", "none", (), palette.PERMANENCE.colours, categories=PERMANENCE
    ),
    Scale("hot_spot", "categories", "cultivation", "none", (), palette.SPOTS.colours, categories=SPOTS),
    Amount("eradicated_ha", "eradication", "ha", palette.ERADICATION),
    Amount("sprayed_ha", "eradication", "ha", palette.ERADICATION),
    Amount("resurgence", "eradication", "share", palette.ERADICATION),
    Amount("farc_events", "violence", "none", palette.VIOLENCE),
    Amount("farc_events_per_10k", "violence", "per_10k", palette.VIOLENCE),
    Amount("homicide_rate", "violence", "per_100k", palette.VIOLENCE),
    Amount("station_km", "presence", "km", palette.PRESENCE),
    Amount("people_beyond", "presence", "none", palette.PRESENCE),
)
FITTED = tuple(measure.field for measure in MEASURES if isinstance(measure, Amount))


def scales(series: Mapping[str, pd.DataFrame], scores: Iterable[float]) -> list[Scale]:
    """Classes of every measure that the map can show, in the order in which it offers them.

    Parameters
    ----------
    series : mapping of str to DataFrame
        Of each measure in :data:`FITTED` a row a municipality and a column a year, NaN where it is missing; a measure
        without a frame has one class. Other measures are ignored.
    scores : iterable of float
        Priority scores of the run, 0 to 1, NaN where there is none.

    Returns
    -------
    list of Scale
        The score, then those of cultivation, eradication, armed groups and violence, and state presence. Their limits
        are fitted on all years together and so are the same in every year.
    """
    none = pd.DataFrame()
    return [score(scores)] + [
        measure if isinstance(measure, Scale) else fitted(measure, series.get(measure.field, none))
        for measure in MEASURES
    ]


def fitted(amount: Amount, frame: pd.DataFrame) -> Scale:
    """Fit the classes of a measure to its values of all years.

    Parameters
    ----------
    amount : Amount
        The measure.
    frame : DataFrame
        Its values, NaN where they are missing.

    Returns
    -------
    Scale
        Up to five classes above a zero of its own (what is below zero is in the lowest); of a change up to three on
        either side, at the same limits.
    """
    values = frame.to_numpy(dtype=float).ravel()
    if amount.fall is not None:
        return _diverging(amount, amount.fall, limits(np.abs(values), classes=SIDE_CLASSES))
    breaks = limits(values)
    colours = amount.colours.spread(len(breaks) + 1)
    return Scale(
        amount.field, "classes", amount.group, amount.unit, breaks, colours, _decimals(breaks), palette.GROUND["zero"]
    )


def _diverging(amount: Amount, fall: Palette, above: tuple[float, ...]) -> Scale:
    breaks = (*(-limit for limit in reversed(above)), 0.0, *above)
    sides = fall.spread(len(above) + 1), amount.colours.spread(len(above) + 1)
    colours = (*reversed(sides[0]), *sides[1])
    zero = palette.GROUND["zero"]
    return Scale(amount.field, "diverging", amount.group, amount.unit, breaks, colours, _decimals(above), zero)


def limits(values: Floats, *, classes: int = CLASSES) -> tuple[float, ...]:
    """Find round limits between classes of an amount, with regard to its skew.

    An amount is classed by Fisher and Jenks as it is; a skewed one in its logarithm; and one whose logarithm is still
    skewed, with a few values far beyond all others, by head/tail breaks. All three come from mapclassify. Limits are
    then rounded to 1, 2, 2.5 or 5 times a power of ten, or to as few digits as leave a value in every class.

    Parameters
    ----------
    values : array
        What is to be classed; only what is finite and above zero counts.
    classes : int, default 5
        The most classes to make.

    Returns
    -------
    tuple of float
        Ascending limits above zero with values on either side; empty where all values are alike or there are none.
        They depend neither on the order of the values nor on chance.
    """
    known = np.sort(values[np.isfinite(values) & (values > 0)])
    raw = _separate(_raw(known, classes), known)
    for digits in range(MOST_DIGITS):
        rounded = _separate(np.array([_round(limit, digits) for limit in raw.tolist()]), known)
        if len(rounded) == len(raw):
            return tuple(rounded.tolist())
    return tuple(raw.tolist())


def skewness(values: Floats) -> float:
    """Third standardised moment.

    Parameters
    ----------
    values : array
        Finite values.

    Returns
    -------
    float
        0 where all values are alike.
    """
    scale = np.abs(values).max(initial=0.0)
    spread = values / scale - (values / scale).mean() if scale else values
    deviation = math.sqrt(float((spread**2).mean())) if len(values) else 0.0
    return float(((spread / deviation) ** 3).mean()) if deviation > 0 else 0.0


def _raw(known: Floats, classes: int) -> Floats:
    distinct = np.unique(known)
    if len(distinct) <= classes:
        return distinct[1:]
    if skewness(known) <= SKEWED:
        found = _optimal(known, known, classes)
    else:
        logs = np.log(known)
        found = _heads(known, classes) if skewness(logs) > SKEWED else _optimal(known, logs, classes)
    return found if len(found) else distinct[1:2]


def _optimal(known: Floats, moved: Floats, classes: int) -> Floats:
    """The lowest value of each class but the first, optimal in the moved values, among evenly spaced quantiles."""
    from mapclassify import FisherJenks

    places = np.unique(((np.arange(SAMPLE) + 0.5) / SAMPLE * len(known)).astype(int))
    sample = moved[places] - moved[places[0]]
    sample = sample / (sample[-1] or 1.0)  # it adds up squares in single precision
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it is slower without numba; for a sample that does not matter
        bins = FisherJenks(sample, k=min(classes, len(np.unique(sample)))).bins
    first = np.searchsorted(sample, np.asarray(bins, dtype=float)[:-1], side="right")
    lowest: Floats = known[places[first[first < len(places)]]]
    return lowest


def _heads(known: Floats, classes: int) -> Floats:
    from mapclassify import HeadTailBreaks

    most = known[-1]
    means = np.asarray(HeadTailBreaks(known / most).bins, dtype=float) * most
    sizes = [len(known), *(int((known > mean).sum()) for mean in means)]
    small = [after <= HEAD * before for before, after in itertools.pairwise(sizes)]
    heads: Floats = means[: small.index(False) if False in small else None]
    return heads[: classes - 1]


def _separate(found: Floats, known: Floats) -> Floats:
    """Those limits that have values of their own on either side."""
    firsts = np.searchsorted(known, found)
    kept = np.diff(firsts, prepend=0) > 0
    return found[kept & (firsts < len(known))]


def _round(limit: float, digits: int) -> float:
    """To so many significant digits; with none, to the nearest round number."""
    if digits:
        return float(f"{limit:.{digits - 1}e}")
    power = math.floor(math.log10(limit))
    steps = (float(f"{mantissa}e{power}") for mantissa in MANTISSAS)
    return min((step for step in steps if step > 0), key=lambda step: abs(math.log(step / limit)))


def _decimals(breaks: Iterable[float]) -> int:
    exponents = [Decimal(repr(limit)).normalize().as_tuple().exponent for limit in breaks]
    return min(MOST_DECIMALS, max([0, *(-int(exponent) for exponent in exponents)]))


def round_breaks(values: Iterable[float], *, classes: int = CLASSES) -> tuple[float, ...]:
    """Find inner limits of shares (0 to 1) at equal and round steps.

    Parameters
    ----------
    values : iterable of float
        What is to be classed; NaN is left out.
    classes : int, default 5
        The most classes to make.

    Returns
    -------
    tuple of float
        Ascending limits strictly inside the range of the values; empty where all are alike.
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return ()
    low, high = min(known), max(known)
    for step in SCORE_STEPS:
        first, last = math.floor(round(low / step, PLACES)) + 1, math.ceil(round(high / step, PLACES))
        if last - first + 1 <= classes or step == SCORE_STEPS[-1]:
            return tuple(round(i * step, 2) for i in range(first, last))
    return ()


def score(values: Iterable[float]) -> Scale:
    """Classes of the priority score, at round steps of its own range; other weights and years keep them.

    Parameters
    ----------
    values : iterable of float
        Scores of the run, 0 to 1, NaN where there is none.

    Returns
    -------
    Scale
        Up to five classes; a municipality that is no candidate stands apart.
    """
    breaks = round_breaks(values)
    colours = palette.SCORE.spread(len(breaks) + 1)
    return Scale("score", "classes", "score", "score", breaks, colours, decimals=2, absent=palette.GROUND["absent"])
