"""Priority: every municipality's measures, the candidates' scores, and how sure their ranks are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import score
from geo.errors import ConfigError
from layers import criteria, measures
from layers.criteria import Criterion, Evidence, Windows, Zoning
from layers.panel import Panel

BATCH = 250
ROUNDING = 1e-12  # of a sum of hectares; below it a difference is the arithmetic's, not the land's


@dataclass(frozen=True)
class Priorities:
    """Municipalities scored and ranked for one year.

    Attributes
    ----------
    table : DataFrame
        Index ``code``, all municipalities. Measures: ``coca_ha``, ``coca_ha_per_km2``, ``coca_trend_ha_per_year``,
        ``permanence``, ``eradicated_ha`` (over the eradication window), ``resurgence``, ``regrown_ha``,
        ``farc_events``, ``farc_events_per_10k``, ``homicide_rate``, ``station_km``, ``people_beyond``,
        ``population``. Of candidates, else missing: ``score``, ``coverage``, ``rank``, ``rank_low``, ``rank_high``,
        ``top_share``. Flags: ``high_cultivation``, ``vacated``.
    contributions : DataFrame
        Candidates by criteria; each row's known contributions sum to its score.
    year, draws, seed : int
        Of the run.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame
    year: int
    draws: int
    seed: int


def evidence(panel: Panel) -> Evidence:
    """What the panel knows, in the form that measures take.

    Parameters
    ----------
    panel : Panel
        The joined panel.

    Returns
    -------
    Evidence
        Wide frames, a row a municipality.
    """
    places = panel.places
    return Evidence(
        coca=panel.wide("coca_ha"),
        eradicated=panel.wide("eradicated_ha"),
        farc_events=panel.wide("farc_events"),
        homicides=panel.wide("homicides"),
        population=panel.wide("population"),
        area_km2=places["area_km2"],
        station_km=places["station_km"],
    )


def high_cultivation(coca_ha: pd.Series, *, share: float) -> pd.Series:
    """The fewest municipalities that together hold a share of the hectares.

    Parameters
    ----------
    coca_ha : Series
        Hectares; missing counts as none.
    share : float
        0 to 1.

    Returns
    -------
    Series of bool
        On the same index, named ``high_cultivation``. Among equals the first by index is taken.
    """
    ordered = coca_ha.fillna(0.0).sort_index().sort_values(ascending=False, kind="stable")
    wanted = share * ordered.sum()
    before = ordered.cumsum() - ordered
    taken = (wanted - before > ROUNDING * wanted) & (ordered > 0)
    return taken.reindex(coca_ha.index).rename("high_cultivation")


def prioritise(panel: Panel, zoning: Zoning, *, year: int, draws: int, seed: int) -> Priorities:
    """Score and rank the candidates of a year.

    Parameters
    ----------
    panel : Panel
        The joined panel.
    zoning : Zoning
        The settings.
    year : int
        Reference year.
    draws : int
        Draws of weights and survey errors for the rank spread; with 0 the spread is missing.
    seed : int
        Seed of the draws.

    Returns
    -------
    Priorities
        Measures, scores, ranks and flags.

    Raises
    ------
    ConfigError
        If the year has no coca data or no candidate, the FARC's span years without events data, or a measure cannot be
        rescaled as asked.
    """
    facts = evidence(panel)
    _check_years(facts, zoning.windows, year)
    table = _describe(panel, facts, zoning, year)
    chosen = table.index[table["coca_ha"] >= zoning.candidates.minimum_coca_ha].sort_values()
    if chosen.empty:
        raise ConfigError(
            f"a municipality must have at least {zoning.candidates.minimum_coca_ha:g} ha of coca in {year}; none has: "
            "lower minimum_coca_ha or choose another year"
        )
    raw = criteria.compute(_rows(facts, chosen), zoning, year)
    scales = fit(raw, zoning)
    unit = _unit(raw.to_numpy(), scales)
    parts = score.contributions(unit, zoning.weights)
    points, coverage = score.weighted_mean(unit, zoning.weights)
    scored = pd.DataFrame(
        {"score": points, "coverage": coverage, "rank": score.ranks(points)}, index=chosen, dtype=float
    )
    scored[["rank_low", "rank_high", "top_share"]] = _spread(facts, raw, scales, zoning, year, draws, seed)
    contributions = pd.DataFrame(parts, index=chosen, columns=raw.columns)
    return Priorities(table.join(scored), contributions, year, draws, seed)


def fit(raw: pd.DataFrame, zoning: Zoning) -> tuple[score.Scale, ...]:
    """Fit every criterion's rescaling on the candidates.

    Parameters
    ----------
    raw : DataFrame
        Candidates by criteria, in the measures' units.
    zoning : Zoning
        The settings.

    Returns
    -------
    tuple of Scale
        In the order of the criteria.

    Raises
    ------
    ConfigError
        If a measure cannot be rescaled as its criterion asks; the message names it.
    """
    return tuple(_fitted(raw[criterion.name], criterion, zoning.uncertainty.winsor) for criterion in zoning.criteria)


def _fitted(values: pd.Series, criterion: Criterion, winsor: float) -> score.Scale:
    known = values.to_numpy(dtype=float)
    try:
        return score.fit_scale(known, kind=criterion.rescale, winsor=winsor, descending=criterion.descending)
    except ConfigError as cause:
        raise ConfigError(f"[measures.{criterion.name}] {cause}") from cause


def _check_years(facts: Evidence, windows: Windows, year: int) -> None:
    """Refuse a reference year without coca data, and a span of the FARC's that the events do not cover."""
    surveyed, recorded = _measured(facts.coca), _measured(facts.farc_events)
    if year not in surveyed:
        raise ConfigError(
            f"the year must be one with coca data; found {year}, the data have {_spans(surveyed)}: choose one of them"
        )
    first, last = windows.farc_first, windows.farc_last
    if any(past not in recorded for past in range(first, last + 1)):
        raise ConfigError(
            f"[windows] farc_first to farc_last must be years with FARC events; found {first}-{last}, "
            f"the data have {_spans(recorded)}: choose a span of these"
        )


def _measured(figures: pd.DataFrame) -> list[int]:
    """Years in which any unit has a figure."""
    return [int(year) for year in figures.dropna(axis="columns", how="all").columns]


def _describe(panel: Panel, facts: Evidence, zoning: Zoning, year: int) -> pd.DataFrame:
    """Every municipality's measures and flags, whether or not a criterion uses them."""
    windows = zoning.windows
    columns = {name: measure.compute(facts, windows, year) for name, measure in criteria.MEASURES.items()}
    columns["eradicated_ha"] = measures.eradicated_ha(facts.eradicated, year=year, years=windows.eradication_years)
    columns["farc_events"] = measures.farc_events(facts.farc_events, first=windows.farc_first, last=windows.farc_last)
    columns["population"] = facts.population[year]
    columns["high_cultivation"] = high_cultivation(columns["coca_ha"], share=zoning.candidates.high_share)
    columns["vacated"] = columns["farc_events"] >= windows.vacated_events
    return pd.DataFrame(columns, index=panel.places.index)


def _rows(facts: Evidence, chosen: pd.Index) -> Evidence:
    return Evidence(**{name: value.loc[chosen] for name, value in vars(facts).items()})


def _unit(raw: score.Floats, scales: tuple[score.Scale, ...]) -> score.Floats:
    return np.stack([scale(raw[..., column]) for column, scale in enumerate(scales)], axis=-1)


def _spread(
    facts: Evidence,
    raw: pd.DataFrame,
    scales: tuple[score.Scale, ...],
    zoning: Zoning,
    year: int,
    draws: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Low rank, high rank and share among the first, over draws of the weights and of the survey's error."""
    if draws == 0:
        return np.full((len(raw), 3), np.nan)
    rng = np.random.default_rng(seed)
    known = _rows(facts, raw.index)
    drawn = np.concatenate([_ranks(known, raw, scales, zoning, year, size, rng) for size in _batches(draws)])
    return np.column_stack(score.rank_spread(drawn, top=zoning.uncertainty.top))


def _ranks(
    known: Evidence,
    raw: pd.DataFrame,
    scales: tuple[score.Scale, ...],
    zoning: Zoning,
    year: int,
    draws: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Ranks in each of some draws, shape (draws, n)."""
    uncertainty = zoning.uncertainty
    weights = score.draw_weights(zoning.weights, concentration=uncertainty.weight_concentration, draws=draws, rng=rng)
    errors = score.draw_errors((draws, *known.coca.shape), sigma=uncertainty.coca_error, rng=rng)
    redrawn = _remeasured(known, errors, zoning, year)
    values = np.broadcast_to(raw.to_numpy(dtype=float), (draws, *raw.shape)).copy()
    for name in redrawn:
        values[..., raw.columns.get_loc(name)] = redrawn[name].to_numpy().reshape(draws, len(raw))
    points, _ = score.weighted_mean(_unit(values, scales), weights)
    return score.ranks(points)


def _remeasured(known: Evidence, errors: score.Floats, zoning: Zoning, year: int) -> pd.DataFrame:
    """The surveyed measures under drawn errors: every draw's municipalities stacked as rows of one tall frame."""
    draws, n, years = errors.shape
    coca = pd.DataFrame((known.coca.to_numpy() * errors).reshape(draws * n, years), columns=known.coca.columns)
    rows = np.tile(np.arange(n), draws)
    eradicated = known.eradicated.iloc[rows].reset_index(drop=True)
    area = known.area_km2.iloc[rows].reset_index(drop=True)
    stacked = replace(known, coca=coca, eradicated=eradicated, area_km2=area)
    return criteria.compute(stacked, zoning, year, surveyed_only=True)


def _batches(draws: int) -> Iterator[int]:
    """Sizes of batches, so that memory does not grow with the draws."""
    while draws > 0:
        yield min(draws, BATCH)
        draws -= BATCH


def _spans(years: list[int]) -> str:
    """Years as spans: ``2001-2019, 2021``."""
    starts = [year for year in years if year - 1 not in years]
    ends = [year for year in years if year + 1 not in years]
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in zip(starts, ends, strict=True))
