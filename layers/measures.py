"""The measures: one function each, wide frames (a row a unit, a column a year) in, a Series on their index out.

Rows may be municipalities, or municipalities in many draws: a measure looks only along its row. A figure that any year
of a window lacks is missing, not zero.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo import series

PER_10_000 = 10_000.0
PER_100_000 = 100_000.0


def coca_ha(coca: pd.DataFrame, *, year: int) -> pd.Series:
    """Coca standing at the end of the year.

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    year : int
        Reference year.

    Returns
    -------
    Series
        Hectares (source: SIMCI/UNODC).
    """
    return coca[year].rename("coca_ha")


def coca_ha_per_km2(coca: pd.DataFrame, area_km2: pd.Series, *, year: int) -> pd.Series:
    """Density of coca: hectares over the municipality's area in EPSG:9377.

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    area_km2 : Series
        Square kilometres.
    year : int
        Reference year.

    Returns
    -------
    Series
        Hectares per square kilometre.
    """
    return (coca[year] / area_km2).rename("coca_ha_per_km2")


def coca_trend_ha_per_year(coca: pd.DataFrame, *, year: int, years: int) -> pd.Series:
    """Trend of coca: Theil-Sen slope over the last years, the reference year included.

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    year, years : int
        Reference year and length of the window.

    Returns
    -------
    Series
        Hectares per year; see :func:`geo.series.theil_sen`.
    """
    return _series(series.theil_sen(_window(coca, year, years)), coca, "coca_trend_ha_per_year")


def permanence(coca: pd.DataFrame, *, year: int, years: int) -> pd.Series:
    """Share of the last years, the reference year included, in which there was any coca.

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    year, years : int
        Reference year and length of the window.

    Returns
    -------
    Series
        0 to 1.
    """
    return _series(series.share_positive(_window(coca, year, years)), coca, "permanence")


def eradicated_ha(eradicated: pd.DataFrame, *, year: int, years: int) -> pd.Series:
    """Coca eradicated by hand in the last years, the reference year included.

    Parameters
    ----------
    eradicated : DataFrame
        Hectares a year.
    year, years : int
        Reference year and length of the window.

    Returns
    -------
    Series
        Hectares (source: Ministerio de Defensa).
    """
    return _series(_window(eradicated, year, years).sum(axis=-1), eradicated, "eradicated_ha")


def regrown_ha(coca: pd.DataFrame, eradicated: pd.DataFrame, *, year: int, years: int, minimum_ha: float) -> pd.Series:
    """Eradicated hectares that are back: ``clip(C_t - C_(t-years) + E, 0, E)``, E being :func:`eradicated_ha`.

    Parameters
    ----------
    coca, eradicated : DataFrame
        Hectares standing and hectares eradicated a year.
    year, years : int
        Reference year and length of the window.
    minimum_ha : float
        E below which the measure is missing.

    Returns
    -------
    Series
        Hectares; see :func:`geo.series.regrown`.
    """
    removed = eradicated_ha(eradicated, year=year, years=years).to_numpy()
    before = _window(coca, year - years, 1)[..., 0]
    back = series.regrown(coca[year].to_numpy(), before, removed)
    return _series(np.where(removed >= minimum_ha, back, np.nan), coca, "regrown_ha")


def resurgence(coca: pd.DataFrame, eradicated: pd.DataFrame, *, year: int, years: int, minimum_ha: float) -> pd.Series:
    """Share of what was eradicated that is back: ``clip((C_t - C_(t-years) + E) / E, 0, 1)``.

    Parameters
    ----------
    coca, eradicated : DataFrame
        Hectares standing and hectares eradicated a year.
    year, years : int
        Reference year and length of the window.
    minimum_ha : float
        E below which the measure is missing.

    Returns
    -------
    Series
        0 to 1: 0 where all that was pulled out stayed out, 1 where all of it came back.
    """
    back = regrown_ha(coca, eradicated, year=year, years=years, minimum_ha=minimum_ha)
    return (back / eradicated_ha(eradicated, year=year, years=years)).rename("resurgence")


def farc_events(events: pd.DataFrame, *, first: int, last: int) -> pd.Series:
    """Events attributed to the FARC in a span of years.

    Parameters
    ----------
    events : DataFrame
        Events a year.
    first, last : int
        The span, both years included.

    Returns
    -------
    Series
        Number of events (source: CNMH).
    """
    return _series(_window(events, last, last - first + 1).sum(axis=-1), events, "farc_events")


def farc_events_per_10k(events: pd.DataFrame, population: pd.DataFrame, *, first: int, last: int) -> pd.Series:
    """Events attributed to the FARC per year and 10,000 people: the hold that was left behind.

    Parameters
    ----------
    events : DataFrame
        Events a year.
    population : DataFrame
        People; the mean over the years of the span that are known, since DANE's series begins in 2012.
    first, last : int
        The span, both years included.

    Returns
    -------
    Series
        Events per year and 10,000 people.
    """
    people = population.reindex(columns=range(first, last + 1)).mean(axis=1)
    yearly = farc_events(events, first=first, last=last) / (last - first + 1)
    return (yearly / people * PER_10_000).rename("farc_events_per_10k")


def homicide_rate(homicides: pd.DataFrame, population: pd.DataFrame, *, year: int, years: int) -> pd.Series:
    """Homicides per 100,000 people and year: the mean of the yearly rates of the last years.

    Parameters
    ----------
    homicides, population : DataFrame
        Counts a year.
    year, years : int
        Reference year and length of the window.

    Returns
    -------
    Series
        Per 100,000 people and year (source: Policía Nacional, DANE).
    """
    rates = _window(homicides, year, years) / _window(population, year, years) * PER_100_000
    return _series(rates.mean(axis=-1), homicides, "homicide_rate")


def people_beyond(population: pd.DataFrame, station_km: pd.Series, *, year: int, radius_km: float) -> pd.Series:
    """People of a municipality whose seat lies farther than a radius from every police post.

    Parameters
    ----------
    population : DataFrame
        People a year.
    station_km : Series
        Km from the seat to the nearest post, missing where police data are.
    year : int
        Reference year.
    radius_km : float
        The radius.

    Returns
    -------
    Series
        All people of the municipality, or 0; missing where the distance is.
    """
    people = population[year].where(station_km > radius_km, 0.0)
    return people.mask(station_km.isna()).rename("people_beyond")


def _window(frame: pd.DataFrame, year: int, years: int) -> series.Floats:
    """The last years as an array, a row a unit; years that the frame lacks are missing."""
    return frame.reindex(columns=range(year - years + 1, year + 1)).to_numpy(dtype=float)


def _series(values: series.Floats, like: pd.DataFrame, name: str) -> pd.Series:
    return pd.Series(values, index=like.index, name=name)
