"""DIVIPOLA through time: which codes were in force when, and how figures of one vintage are carried to another.

The table ``divipola_changes.csv`` lists creations and absorptions of municipalities since 2001 that are known with
certainty, with the act where it could be verified, and renamings. Older and doubtful changes are not in it: a vintage
before 2001 is not known here.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.errors import CodeError, ConfigError, ConservationError, listed
from geo.regions import contiguous_groups
from layers.divipola import municipalities

TABLE = Path(__file__).parent / "divipola_changes.csv"
BASE_YEAR = 2018
FIRST_YEAR = 2001
CREATION, ABSORPTION = "creation", "absorption"


@cache
def changes() -> pd.DataFrame:
    """The reviewed table of changes.

    Returns
    -------
    DataFrame
        A row a change, by year: ``year`` (missing for renamings whose year could not be verified), ``kind``
        (``creation``: a new code was cut out of an old one; ``absorption``: the old code went into the new one;
        ``renaming``), ``code_before``, ``name_before``, ``code_after``, ``name_after``, ``act`` (blank where it could
        not be verified) and ``note``.
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    return table.assign(year=pd.to_numeric(table["year"]).astype("Int64")).sort_values("year", ignore_index=True)


def codes(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """All codes with their first and last year.

    Parameters
    ----------
    table : DataFrame, optional
        Changes, as :func:`changes` gives them.

    Returns
    -------
    DataFrame
        Index ``code``: ``name``, ``first_year`` (missing where it was in force before 2001) and ``last_year`` (missing
        while it is in force).
    """
    territorial = _territorial(table)
    created = territorial[territorial["kind"] == CREATION].set_index("code_after")
    absorbed = territorial[territorial["kind"] == ABSORPTION].set_index("code_before")
    names = municipalities()["name"].to_dict()
    for code, name in created["name_after"].items():
        names.setdefault(str(code), str(name))
    frame = pd.DataFrame({"name": names}).rename_axis("code").sort_index()
    return frame.assign(
        first_year=created["year"].reindex(frame.index), last_year=(absorbed["year"] - 1).reindex(frame.index)
    )


def vintage(year: int, table: pd.DataFrame | None = None) -> pd.Index:
    """The codes in force at the end of a year.

    Parameters
    ----------
    year : int
        From 2001.
    table : DataFrame, optional
        Changes, as :func:`changes` gives them.

    Returns
    -------
    Index
        Codes, sorted.

    Raises
    ------
    ConfigError
        If the year is before 2001.
    """
    if year < FIRST_YEAR:
        raise ConfigError(
            f"a vintage must be {FIRST_YEAR} or later; found {year}: older changes are not on record here"
        )
    every = codes(table)
    begun = every["first_year"].fillna(FIRST_YEAR) <= year
    return every.index[begun & (every["last_year"].fillna(year) >= year)]


def harmonise(
    figures: pd.DataFrame,
    year: int,
    *,
    since: int,
    weights: pd.Series | None = None,
    table: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Carry figures of one vintage to another, every total conserved.

    Where units were joined on the way their figures are added up. Where one was divided its figures are divided by
    weights, such as the people or the area of the units of the other vintage.

    Parameters
    ----------
    figures : DataFrame of float
        Index ``code``, of the vintage ``since``; any columns.
    year, since : int
        The vintage that is wanted, and that of the figures.
    weights : Series of float, optional
        By code of the wanted vintage, not negative.
    table : DataFrame, optional
        Changes, as :func:`changes` gives them.

    Returns
    -------
    DataFrame of float
        The same columns by code of the wanted vintage, sorted; only units that the figures tell something of.

    Raises
    ------
    CodeError
        If a code was not in force then, or is repeated.
    ConservationError
        If a unit was divided and there are no weights to divide its figures by.
    """
    _refuse_unknown(figures.index, since, table)
    steps = _steps(_territorial(table), since, year)
    shares = _shares(steps, weights)
    moved = {str(code): row.astype(float) for code, row in figures.iterrows()}
    for whole, part, joined in steps:
        if joined:
            _join(moved, part, whole)
        elif whole in moved:
            _divide(moved, whole, part, shares[whole, part])
    frame = pd.DataFrame.from_dict(moved, orient="index", columns=figures.columns)
    return frame.rename_axis("code").sort_index()


def comparable_areas(first: int, last: int, table: pd.DataFrame | None = None) -> pd.Series:
    """The finest units that did not change between two years: municipalities that exchanged land are one.

    Parameters
    ----------
    first, last : int
        Two vintages.
    table : DataFrame, optional
        Changes, as :func:`changes` gives them.

    Returns
    -------
    Series of str
        Area by ``code`` of either vintage, named ``area``: the smallest code of those that it is made of.
    """
    every = vintage(first, table).union(vintage(last, table))
    between = _within(_territorial(table), first, last)
    pairs = between[["code_before", "code_after"]].set_axis(["left", "right"], axis=1)
    groups = contiguous_groups(every, pairs)
    smallest = pd.Series(groups.index, groups.index).groupby(groups).transform("min")
    return smallest.rename("area").rename_axis("code")


def to_areas(figures: pd.DataFrame, areas: pd.Series) -> pd.DataFrame:
    """Add figures up to comparable areas.

    Parameters
    ----------
    figures : DataFrame of float
        Index ``code``; any columns.
    areas : Series of str
        From :func:`comparable_areas`.

    Returns
    -------
    DataFrame of float
        By ``area``; missing where a part's figure is.

    Raises
    ------
    CodeError
        If a code is in no area.
    """
    unknown = figures.index.difference(areas.index)
    if len(unknown):
        raise CodeError(f"each code must be in an area; these are in none: {listed(unknown)}: give their vintage")
    area = areas.reindex(figures.index).rename("area")
    return figures.groupby(area).sum().where(figures.notna().groupby(area).all())


def dissolve(boundaries: gpd.GeoDataFrame, areas: pd.Series) -> gpd.GeoDataFrame:
    """Shapes of comparable areas.

    Parameters
    ----------
    boundaries : GeoDataFrame
        A valid coverage with index ``code``.
    areas : Series of str
        From :func:`comparable_areas`.

    Returns
    -------
    GeoDataFrame
        Index ``area``; the unions, in the CRS of the boundaries.
    """
    groups = boundaries.groupby(areas.reindex(boundaries.index))
    unions = {area: shapely.coverage_union_all(rows.geometry.to_numpy()) for area, rows in groups}
    return gpd.GeoDataFrame(geometry=list(unions.values()), index=pd.Index(unions, name="area"), crs=boundaries.crs)


def _territorial(table: pd.DataFrame | None) -> pd.DataFrame:
    every = changes() if table is None else table
    return every[every["kind"].isin([CREATION, ABSORPTION])].sort_values("year", kind="stable")


def _within(territorial: pd.DataFrame, since: int, until: int) -> pd.DataFrame:
    early, late = min(since, until), max(since, until)
    return territorial[(territorial["year"] > early) & (territorial["year"] <= late)]


def _steps(territorial: pd.DataFrame, since: int, until: int) -> list[tuple[str, str, bool]]:
    """Changes in the order in which they are met: the whole, the part, and whether the part is joined to it."""
    onwards = until >= since
    rows = _within(territorial, since, until)
    steps = []
    for row in (rows if onwards else rows[::-1]).itertuples():
        created = row.kind == CREATION
        whole, part = (row.code_before, row.code_after) if created else (row.code_after, row.code_before)
        steps.append((str(whole), str(part), bool(created != onwards)))
    return steps


def _shares(steps: list[tuple[str, str, bool]], weights: pd.Series | None) -> dict[tuple[str, str], float]:
    """The share that each part takes of its whole; a unit that is cut again later weighs what both do."""
    weight = {} if weights is None else {str(code): float(value) for code, value in weights.items()}
    shares = {}
    for whole, part, joined in reversed(steps):
        if not joined:
            both = weight.get(whole, math.nan) + weight.get(part, math.nan)
            shares[whole, part] = weight.get(part, math.nan) / both if both > 0 else math.nan
            weight[whole] = both
    return shares


def _join(moved: dict[str, pd.Series], part: str, whole: str) -> None:
    if part in moved:
        moved[whole] = moved.pop(part) + moved[whole] if whole in moved else moved.pop(part)


def _divide(moved: dict[str, pd.Series], whole: str, part: str, share: float) -> None:
    """Give the part its share of the whole; nothing at all can be shared out without weights."""
    if math.isnan(share) and (moved[whole] != 0).any():
        raise ConservationError(
            f"{whole} was divided and {part} cut out of it: their figures can only be divided by weights; "
            "give the people or the area of both, or use comparable areas"
        )
    moved[part] = moved[whole] * (0.0 if math.isnan(share) else share)
    moved[whole] = moved[whole] - moved[part]


def _refuse_unknown(index: pd.Index, since: int, table: pd.DataFrame | None) -> None:
    wrong = index[index.duplicated() | ~index.isin(vintage(since, table))]
    if len(wrong):
        raise CodeError(
            f"figures of {since} must stand under codes of that year, each once; found {listed(wrong)}: "
            "correct them or give the vintage that they are of"
        )
