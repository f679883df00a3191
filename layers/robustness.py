"""How far the order of the candidates rests on choices: of weights, method and rescaling, and on the survey's error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import score, uncertainty
from geo.uncertainty import Ranks
from layers import draws as drawing
from layers.criteria import Zoning
from layers.draws import Candidates

SPREAD = ["rank_low", "rank_high", "top_share"]


@dataclass(frozen=True)
class Robustness:
    """What a change of choices does to the order.

    Attributes
    ----------
    spread : DataFrame
        Index the candidates: ``rank_low``, ``rank_high``, ``top_share`` over all draws; missing without draws.
    ranks : DataFrame of int
        Candidates by way to score (``topsis, rank``), the one that is used first.
    agreement : DataFrame
        Ways by ways: Kendall's tau-b of the orders that they give.
    shared_top : int
        How many candidates are among the first under every way.
    widths : mapping of str to float
        Median of ``rank_high - rank_low`` of the first candidates, where only one thing is open: ``weights``,
        ``survey``, ``method``; and ``all`` of them. Empty without draws.
    reversals : Series of int
        By candidate: pairs of others whose order does not hold when it is dropped and all measures are rescaled anew.
    """

    spread: pd.DataFrame
    ranks: pd.DataFrame
    agreement: pd.DataFrame
    shared_top: int
    widths: Mapping[str, float]
    reversals: pd.Series


def assess(candidates: Candidates, zoning: Zoning, *, draws: int, seed: int) -> Robustness:
    """Try the choices that others might make.

    Parameters
    ----------
    candidates : Candidates
        Who is scored.
    zoning : Zoning
        The settings.
    draws, seed : int
        Draws for the spread, and where they begin; with 0 draws the spread is missing.

    Returns
    -------
    Robustness
        What came out.
    """
    ways = drawing.choices(zoning)
    ranks = drawing.ranked(candidates, zoning, ways)
    agreement = uncertainty.agreement(ranks.to_numpy().T)
    drawn = _drawn(candidates, zoning, ranks, draws, seed) if draws else {}
    top = zoning.uncertainty.top
    first = ranks.iloc[:, 0].to_numpy() <= top
    return Robustness(
        _spread(drawn.get("all"), candidates.raw.index, top),
        ranks,
        pd.DataFrame(agreement, index=ranks.columns, columns=ranks.columns),
        int((ranks <= top).all(axis=1).sum()),
        {name: _width(each, first, top) for name, each in drawn.items()},
        _reversals(candidates, zoning),
    )


def _drawn(candidates: Candidates, zoning: Zoning, ranks: pd.DataFrame, draws: int, seed: int) -> dict[str, Ranks]:
    """Ranks where each source of doubt is open by itself, the others standing still, and where all are."""
    chance, ways = zoning.uncertainty, drawing.choices(zoning)
    listed = [way for way in ways if way.method.value in chance.methods and way.rescale in chance.rescalings]
    only_weights = replace(zoning, uncertainty=replace(chance, coca_error=0.0))
    only_survey = replace(zoning, uncertainty=replace(chance, weight_concentration=np.inf))
    return {
        "weights": drawing.draw(candidates, only_weights, ways[:1], draws=draws, seed=seed),
        "survey": drawing.draw(candidates, only_survey, ways[:1], draws=draws, seed=seed),
        "method": ranks[[way.name for way in listed]].to_numpy().T,
        "all": drawing.draw(candidates, zoning, listed, draws=draws, seed=seed),
    }


def _spread(drawn: Ranks | None, index: pd.Index, top: int) -> pd.DataFrame:
    if drawn is None:
        return pd.DataFrame(np.nan, index=index, columns=SPREAD)
    spread = uncertainty.rank_spread(drawn, top=top)
    return pd.DataFrame(dict(zip(SPREAD, spread, strict=True)), index=index)


def _width(drawn: Ranks, first: npt.NDArray[np.bool_], top: int) -> float:
    low, high, _ = uncertainty.rank_spread(drawn, top=top)
    return float(np.median((high - low)[first]))


def _reversals(candidates: Candidates, zoning: Zoning) -> pd.Series:
    """Drop each candidate in turn, and ask whether the others, rescaled among themselves, keep their order."""

    def ranked(places: npt.NDArray[np.intp]) -> Ranks:
        rest = candidates.raw.iloc[places]
        unit = drawing.rescaled(rest, drawing.fit(rest, zoning, zoning.scoring.rescale))
        return score.ranks(score.aggregate(unit, candidates.weights, zoning.method))

    counts = uncertainty.reversals(ranked, len(candidates.raw))
    return pd.Series(counts, index=candidates.raw.index, name="reversals")
