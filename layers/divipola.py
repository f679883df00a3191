"""DIVIPOLA: the codes and names of municipalities and departments, as of the Marco Geoestadístico Nacional 2018."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from layers.text import fold

TABLE = Path(__file__).parent / "atlas" / "municipalities.csv"
SOURCE = "divipola"


@cache
def municipalities() -> pd.DataFrame:
    """The 1,122 municipalities of 2018.

    Returns
    -------
    DataFrame
        Index ``code``; columns ``name``, ``department_code``, ``department``, ``area_km2`` (of the bundled boundary,
        in EPSG:9377), ``lon``, ``lat`` (degrees) and ``point``: ``town`` where that is the seat's populated place,
        ``inside`` where it is only a point inside the boundary.
    """
    return pd.read_csv(TABLE, dtype={"code": str, "department_code": str}, index_col="code", keep_default_na=False)


@cache
def departments() -> dict[str, str]:
    """The 33 departments, Bogotá counted as one.

    Returns
    -------
    dict of str to str
        Two-digit code to name.
    """
    table = municipalities()
    return dict(zip(table["department_code"], table["department"], strict=True))


@cache
def codes_by_name() -> dict[tuple[str, str], str]:
    """Codes by what municipalities and departments are called, exactly but for accents, case and punctuation.

    Returns
    -------
    dict of (str, str) to str
        Folded department and folded name to code.
    """
    table = municipalities()
    keys = zip(table["department"].map(fold), table["name"].map(fold), strict=True)
    return dict(zip(keys, table.index, strict=True))


def refile(codes: pd.Series, names: pd.Series, departments_: pd.Series) -> pd.Series:
    """Correct codes that stand for a namesake in another department.

    A row is misfiled where its department's name disagrees with its code and a municipality of its name exists in the
    department that it names.

    Parameters
    ----------
    codes : Series of str
        Five-digit codes.
    names, departments_ : Series of str
        The municipality's and the department's name in the same rows.

    Returns
    -------
    Series of str
        The codes, corrected where the names prove them wrong.
    """
    known = codes_by_name()
    keys = zip(departments_.map(fold), names.map(fold), strict=True)
    named = pd.Series([known.get(key) for key in keys], index=codes.index, dtype=object)
    wrong = named.notna() & (named.str[:2] != codes.str[:2])
    return codes.mask(wrong, named)
