"""Where the weights of a run come from: given, equal, judged in pairs, or read from the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo import weights as ways
from geo.score import Floats
from layers.criteria import Zoning


@dataclass(frozen=True)
class Weighting:
    """The weights of a run.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        In the order of the criteria, summing to 1.
    ratio : float, optional
        Consistency ratio of the judgements, where the weights come from judgements.
    """

    weights: Floats
    ratio: float | None = None


def weigh(zoning: Zoning, unit: Floats) -> Weighting:
    """Find the weights as the settings ask.

    ``given``: those of the file. ``equal``: each dimension alike, and in it each measure alike. ``ahp``: dimensions by
    the judgements, measures within them as given. ``entropy``, ``critic``: from the candidates' rescaled measures.

    Parameters
    ----------
    zoning : Zoning
        The settings.
    unit : ndarray, shape (n, m)
        The candidates' measures in 0..1; NaN where missing.

    Returns
    -------
    Weighting
        The weights.

    Raises
    ------
    ConfigError
        If a pair of dimensions is not judged, or the judgements contradict each other.
    """
    way = zoning.scoring.weighting
    if way == "given":
        return Weighting(zoning.weights)
    if way == "entropy":
        return Weighting(ways.entropy(unit))
    if way == "critic":
        return Weighting(ways.critic(unit))
    names = list(dict.fromkeys(criterion.dimension for criterion in zoning.criteria))
    if way == "equal":
        return Weighting(_within(zoning, dict.fromkeys(names, 1 / len(names)), alike=True))
    matrix = ways.build_judgements(names, _pairs(zoning, names))
    judged = ways.ahp(matrix, names=names, force=zoning.scoring.force_judgements)
    return Weighting(_within(zoning, dict(zip(names, judged.weights.tolist(), strict=True)), alike=False), judged.ratio)


def _pairs(zoning: Zoning, names: list[str]) -> list[tuple[str, str, float]]:
    """Judgements between dimensions that have weight at all."""
    return [
        (more, less, times)
        for more, entry in zoning.judgements.items()
        for less, times in entry.items()
        if more in names and less in names
    ]


def _within(zoning: Zoning, dimensions: dict[str, float], *, alike: bool) -> Floats:
    """Divide each dimension's weight among its measures, alike or in proportion to theirs."""
    own = np.array([1.0 if alike else criterion.weight for criterion in zoning.criteria])
    of = np.array([criterion.dimension for criterion in zoning.criteria])
    return np.array([dimensions[d] * w / own[of == d].sum() for d, w in zip(of, own, strict=True)])
