"""DIVIPOLA through time: which codes were in force when, and how figures of one vintage are carried to another.

The table ``divipola_changes.csv`` lists the creations and absorptions of municipalities since 2001 that are known with
certainty, with the act where it could be verified, three creations of 1998-2000, and renamings. Doubtful changes and
most older ones are not in it: a vintage before 2001 is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api.types import is_numeric_dtype

from geo.errors import CodeError, ConfigError, ConservationError, SchemaError, listed
from geo.regions import contiguous_groups
from layers.divipola import municipalities

TABLE = Path(__file__).parent / "divipola_changes.csv"
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
        Index ``code``: ``name``, ``first_year`` (missing where the table does not have its creation: it was in force
        in 2001) and ``last_year`` (missing while it is in force).
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
        By code of the wanted vintage, each once; finite and not negative.
    table : DataFrame, optional
        Changes, as :func:`changes` gives them.

    Returns
    -------
    DataFrame of float
        The same columns by code of the wanted vintage, sorted; only units that the figures tell something of. A
        figure is missing where that of a unit it is made of, or was part of, is.

    Raises
    ------
    CodeError
        If a code was not in force then, or is repeated.
    SchemaError
        If figures are no finite numbers, or weights are no numbers, negative, infinite or repeated.
    ConservationError
        If a unit was divided and there are no weights to divide its figures by.
    """
    _refuse_unknown(figures.index, since, table)
    _refuse_figures(figures)
    steps = _steps(_territorial(table), since, year)
    shares = _shares(steps, {} if weights is None else _checked(weights))
    moved = {str(code): row for code, row in figures.astype(float).iterrows()}
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
    either = vintage(first, table).union(vintage(last, table))
    between = _within(_territorial(table), first, last)
    pairs = between[["code_before", "code_after"]].set_axis(["left", "right"], axis=1)
    # Land may have passed through a code that neither vintage has.
    every = either.union(pd.Index(pairs.to_numpy().ravel()).unique())
    groups = contiguous_groups(every, pairs)[either]
    smallest = pd.Series(either, either).groupby(groups).transform("min")
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
    area = _area_of(figures.index, areas)
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

    Raises
    ------
    CodeError
        If a code is in no area.
    """
    groups = boundaries.groupby(_area_of(boundaries.index, areas))
    unions = {area: shapely.coverage_union_all(rows.geometry.to_numpy()) for area, rows in groups}
    return gpd.GeoDataFrame(geometry=list(unions.values()), index=pd.Index(unions, name="area"), crs=boundaries.crs)


def _area_of(index: pd.Index, areas: pd.Series) -> pd.Series:
    unknown = index.difference(areas.index)
    if len(unknown):
        raise CodeError(f"each code must be in an area; these are in none: {listed(unknown)}: give their vintage")
    return areas.reindex(index).rename("area")


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


def _shares(steps: list[tuple[str, str, bool]], weights: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """The share that each part takes of its whole; a unit that is cut again later weighs what both do."""
    weight = dict(weights)
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
    """Give the part its share of the whole; what is nothing, or missing, is so of both without weights."""
    if math.isnan(share) and moved[whole].fillna(0.0).any():
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


def _refuse_figures(figures: pd.DataFrame) -> None:
    text = [name for name, kind in figures.dtypes.items() if not is_numeric_dtype(kind)]
    wrong = text or [name for name in figures if np.isinf(figures[name].to_numpy(dtype=float, na_value=np.nan)).any()]
    if wrong:
        found = "text" if text else "infinite ones"
        raise SchemaError(
            f"figures must be finite numbers; found {found} in {listed(wrong)}: correct or leave them out"
        )


def _checked(weights: pd.Series) -> dict[str, float]:
    """Weights by code; a missing one stays missing, since not every unit was divided."""
    if not is_numeric_dtype(weights.dtype):
        raise SchemaError(f"weights must be numbers; found values of type {weights.dtype}: convert them")
    wrong = {
        "repeated": weights.index.duplicated(),
        "negative": (weights < 0).to_numpy(dtype=bool, na_value=False),
        "infinite": np.isinf(weights.to_numpy(dtype=float, na_value=np.nan)),
    }
    for what, rows in wrong.items():
        if rows.any():
            codes_ = listed(weights.index[rows].unique())
            raise SchemaError(
                f"weights must be finite and not negative, each code once; {what}: {codes_}: correct them"
            )
    return {str(code): value for code, value in weights.astype(float).items()}
