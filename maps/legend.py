"""How a measure becomes colours: class breaks that a reader can keep in mind."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from maps import palette

COCA_BREAKS_HA = (10.0, 100.0, 500.0, 2500.0)
PLACES = 9  # 0.15 / 0.05 is 2.9999999999999996, and three steps
SCORE_STEPS = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Scale:
    """Classes of one measure.

    A value falls into the class of the highest break that it reaches. Missing values, values that do not
    apply and, where ``zero`` names a colour, zeros stand apart from all classes.

    Parameters
    ----------
    field : str
        Column that it colours; the page's texts are found under the same name.
    breaks : tuple of float
        Inner limits, ascending; one fewer than the colours.
    colours : tuple of str
        Fill of each class, from low to high.
    decimals : int
        Decimals of the limits as shown.
    zero : str, optional
        Fill of a measured zero, where zero is a class of its own.
    absent : str, optional
        Fill where the measure does not apply, such as the score of a municipality that is no candidate.
    """

    field: str
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    decimals: int
    zero: str | None = None
    absent: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the classes as the page reads them.

        Returns
        -------
        dict
            JSON-ready fields.
        """
        return asdict(self)


def round_breaks(values: Iterable[float], *, classes: int = 5) -> tuple[float, ...]:
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
    """Classes of the priority score, at round steps of its own range.

    Parameters
    ----------
    values : iterable of float
        Scores, 0 to 1, NaN where there is none.

    Returns
    -------
    Scale
        Up to five classes; a municipality that is no candidate stands apart.
    """
    breaks = round_breaks(values)
    colours = palette.SCORE.spread(len(breaks) + 1)
    return Scale("score", breaks, colours, decimals=2, absent=palette.GROUND["absent"])


def coca() -> Scale:
    """Classes of hectares of coca, the same in every year.

    Returns
    -------
    Scale
        Five classes above a zero of its own.
    """
    colours = palette.COCA.spread(len(COCA_BREAKS_HA) + 1)
    return Scale("coca_ha", COCA_BREAKS_HA, colours, decimals=0, zero=palette.GROUND["zero"])
