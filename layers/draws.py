"""Ranks over draws of what could be otherwise: weights, the coca survey's error, the method and the rescaling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import score, uncertainty
from geo.errors import ConfigError
from geo.score import Floats, Method, Scale
from geo.uncertainty import Ranks
from layers import criteria
from layers.criteria import STATED, Criterion, Evidence, Zoning

BATCH = 250


@dataclass(frozen=True)
class Candidates:
    """The candidates of a run, as draws need them.

    Attributes
    ----------
    known : Evidence
        What is known of the n candidates.
    raw : DataFrame
        Candidates by criteria, in the measures' units.
    weights : ndarray, shape (m,)
        Around which weights are drawn.
    year : int
        Reference year.
    """

    known: Evidence
    raw: pd.DataFrame
    weights: Floats
    year: int


@dataclass(frozen=True)
class Choice:
    """One way to score: a method and a rescaling, ``stated`` being each measure's own."""

    method: Method
    rescale: str = STATED

    @property
    def name(self) -> str:
        """Such as ``topsis, rank``."""
        return f"{self.method.value}, {self.rescale}"


def fit(raw: pd.DataFrame, zoning: Zoning, rescale: str = STATED) -> tuple[Scale, ...]:
    """Fit every criterion's rescaling on the candidates.

    Parameters
    ----------
    raw : DataFrame
        Candidates by criteria, in the measures' units.
    zoning : Zoning
        The settings.
    rescale : str, default "stated"
        How, for all of them; ``stated`` is as each states.

    Returns
    -------
    tuple of Scale
        In the order of the criteria.

    Raises
    ------
    ConfigError
        If a measure cannot be rescaled as asked; the message names it.
    """
    return tuple(_fitted(raw[c.name], c, rescale, zoning.scoring.winsor) for c in zoning.criteria)


def rescaled(raw: pd.DataFrame, scales: Sequence[Scale]) -> Floats:
    """The candidates' measures in 0..1.

    Parameters
    ----------
    raw : DataFrame
        Candidates by criteria.
    scales : sequence of Scale
        In the order of the columns.

    Returns
    -------
    ndarray, shape (n, m)
        NaN where missing.
    """
    values = raw.to_numpy(dtype=float)
    return np.stack([scale(values[:, j]) for j, scale in enumerate(scales)], axis=-1)


def choices(zoning: Zoning) -> tuple[Choice, ...]:
    """Every way to score that the settings draw from, the one that is used first.

    Parameters
    ----------
    zoning : Zoning
        The settings.

    Returns
    -------
    tuple of Choice
        Each once.
    """
    own = Choice(zoning.method, zoning.scoring.rescale)
    chance = zoning.uncertainty
    drawn = [Choice(Method(method), rescale) for rescale in chance.rescalings for method in chance.methods]
    return tuple(dict.fromkeys([own, *drawn]))


def ranked(candidates: Candidates, zoning: Zoning, ways: Sequence[Choice]) -> pd.DataFrame:
    """Ranks of the candidates under each way to score, nothing else being drawn.

    Parameters
    ----------
    candidates : Candidates
        Who is scored.
    zoning : Zoning
        The settings.
    ways : sequence of Choice
        The ways.

    Returns
    -------
    DataFrame of int
        Candidates by :attr:`Choice.name`.
    """
    raw, weights = candidates.raw, candidates.weights
    units = {rescale: rescaled(raw, fit(raw, zoning, rescale)) for rescale in {way.rescale for way in ways}}
    columns = {way.name: score.ranks(score.aggregate(units[way.rescale], weights, way.method)) for way in ways}
    return pd.DataFrame(columns, index=raw.index)


def draw(
    candidates: Candidates,
    zoning: Zoning,
    ways: Sequence[Choice],
    *,
    draws: int,
    seed: int,
) -> Ranks:
    """Ranks in each of many draws, shared out evenly over the ways to score.

    Weights and errors come from random streams of their own: those of a draw do not change when another source of
    doubt is switched off. Rescalings stay as the candidates' own figures fitted them.

    Parameters
    ----------
    candidates : Candidates
        Who is scored.
    zoning : Zoning
        The settings; their ``uncertainty`` says how far weights and figures may be off.
    ways : sequence of Choice
        The ways to score.
    draws, seed : int
        How many, and where they begin.

    Returns
    -------
    ndarray of int, shape (draws, n)
        Ranks.
    """
    streams = np.random.default_rng(seed).spawn(2)
    shares = [len(part) for part in np.array_split(np.arange(draws), len(ways))]
    scales = {rescale: fit(candidates.raw, zoning, rescale) for rescale in {way.rescale for way in ways}}
    parts = [
        _ranks(candidates, zoning, way, scales[way.rescale], size, streams)
        for way, share in zip(ways, shares, strict=True)
        for size in _batches(share)
    ]
    return np.concatenate(parts)


def _fitted(values: pd.Series, criterion: Criterion, rescale: str, winsor: float) -> Scale:
    try:
        return score.fit_scale(
            values.to_numpy(dtype=float),
            kind=criterion.rescale if rescale == STATED else score.Rescale(rescale),
            log=criterion.log,
            winsor=winsor,
            descending=criterion.descending,
            goalposts=criterion.goalposts,
        )
    except ConfigError as cause:
        raise ConfigError(f"[measures.{criterion.name}] {cause}") from cause


def _ranks(
    candidates: Candidates,
    zoning: Zoning,
    way: Choice,
    scales: Sequence[Scale],
    draws: int,
    streams: Sequence[np.random.Generator],
) -> Ranks:
    """Ranks in each of some draws, scored one way."""
    chance = zoning.uncertainty
    weights = uncertainty.draw_weights(
        candidates.weights, concentration=chance.weight_concentration, draws=draws, rng=streams[0]
    )
    again = _remeasured(candidates, zoning, draws, streams[1]) if chance.coca_error > 0 else {}
    columns = [
        scale(again.get(name, candidates.raw[name].to_numpy(dtype=float)))
        for name, scale in zip(candidates.raw.columns, scales, strict=True)
    ]
    return score.ranks(score.aggregate(columns, weights, way.method))


def _remeasured(
    candidates: Candidates, zoning: Zoning, draws: int, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float64]]:
    """The surveyed measures under drawn errors, each of shape (draws, n)."""
    known, n = candidates.known, len(candidates.raw)
    years = _surveyed_years(known, zoning, candidates.year)
    errors = uncertainty.draw_errors((len(years), draws, n), sigma=zoning.uncertainty.coca_error, rng=rng)
    errors *= known.coca[years].to_numpy().T[:, None, :]
    # A row a draw and municipality; columns lie one after the other in memory, as the measures read them.
    coca = pd.DataFrame(errors.reshape(len(years), draws * n).T, columns=years, copy=False)
    rows = np.tile(np.arange(n), draws)
    recent = known.eradicated[[each for each in map(int, known.eradicated.columns) if each in years]]
    eradicated = pd.DataFrame(recent.to_numpy().T[:, rows].T, columns=recent.columns, copy=False)
    area = pd.Series(known.area_km2.to_numpy()[rows])
    stacked = replace(known, coca=coca, eradicated=eradicated, area_km2=area)
    again = criteria.compute(stacked, zoning, candidates.year, surveyed_only=True)
    return {str(name): again[name].to_numpy().reshape(draws, n) for name in again}


def _surveyed_years(known: Evidence, zoning: Zoning, year: int) -> list[int]:
    """The years of coca that the surveyed measures look at."""
    windows = zoning.windows
    first = year - max(windows.trend_years - 1, windows.eradication_years)
    return [each for each in map(int, known.coca.columns) if first <= each <= year]


def _batches(draws: int) -> Iterator[int]:
    """Sizes of batches, so that memory does not grow with the draws."""
    while draws > 0:
        yield min(draws, BATCH)
        draws -= BATCH
