"""Priority: every municipality's measures, the candidates' scores, and how sure their ranks are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo import score
from geo.errors import ConfigError
from geo.score import Scale
from layers import criteria, measures, robustness, weighting
from layers.criteria import Evidence, Windows, Zoning
from layers.draws import Candidates, fit, rescaled
from layers.panel import Panel
from layers.robustness import Robustness
from layers.weighting import Weighting

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
    contributions, raw, unit : DataFrame
        Candidates by criteria: what each adds to the score (a row's known contributions sum to it), the measure in its
        own unit, and rescaled to 0..1.
    scales : tuple of Scale
        How each measure was rescaled.
    weighting : Weighting
        The weights, and where they came from.
    robustness : Robustness
        How far the order rests on choices.
    year, draws, seed : int
        Of the run.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame
    raw: pd.DataFrame
    unit: pd.DataFrame
    scales: tuple[Scale, ...]
    weighting: Weighting
    robustness: Robustness
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
        seat_station_km=places.get("seat_station_km", places["station_km"]),
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
        Draws for the rank spread; with 0 the spread is missing.
    seed : int
        Seed of the draws.

    Returns
    -------
    Priorities
        Measures, scores, ranks and flags.

    Raises
    ------
    ConfigError
        If the year has no coca data or no candidate, the FARC's span years without events data, a measure cannot be
        rescaled as asked, or judgements contradict each other.
    """
    facts = evidence(panel)
    _check_years(facts, zoning.windows, year)
    table = _describe(panel, facts, zoning, year)
    chosen = _candidates(table["coca_ha"], zoning.candidates.minimum_coca_ha, year)
    known = Evidence(**{name: value.loc[chosen] for name, value in vars(facts).items()})
    raw = criteria.compute(known, zoning, year)
    scales = fit(raw, zoning, zoning.scoring.rescale)
    unit = rescaled(raw, scales)
    weights = weighting.weigh(zoning, unit)
    points = score.aggregate(unit, weights.weights, zoning.method)
    _, coverage = score.weighted_mean(unit, weights.weights)
    found = robustness.assess(Candidates(known, raw, weights.weights, year), zoning, draws=draws, seed=seed)
    scored = pd.DataFrame({"score": points, "coverage": coverage}, index=chosen)
    scored["rank"] = score.ranks(points).astype(float)
    parts = score.contributions(unit, weights.weights, zoning.method)
    return Priorities(
        table=table.join(scored).join(found.spread),
        contributions=pd.DataFrame(parts, index=chosen, columns=raw.columns),
        raw=raw,
        unit=pd.DataFrame(unit, index=chosen, columns=raw.columns),
        scales=scales,
        weighting=weights,
        robustness=found,
        year=year,
        draws=draws,
        seed=seed,
    )


def _candidates(coca_ha: pd.Series, minimum_ha: float, year: int) -> pd.Index:
    chosen = coca_ha.index[coca_ha >= minimum_ha].sort_values()
    if chosen.empty:
        raise ConfigError(
            f"a municipality must have at least {minimum_ha:g} ha of coca in {year}; none has: "
            "lower minimum_coca_ha or choose another year"
        )
    return chosen


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


def _spans(years: list[int]) -> str:
    """Years as spans: ``2001-2019, 2021``."""
    starts = [year for year in years if year - 1 not in years]
    ends = [year for year in years if year + 1 not in years]
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in zip(starts, ends, strict=True))
