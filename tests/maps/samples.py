"""Small datasets of every kind, with whatever a format might get wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from maps.formats.dataset import About, Dataset, Field, dataset

ABOUT = About(
    title_es="Municipios de prueba, 2020",
    title_en="Municipalities of a test, 2020",
    year=2020,
    run="ab" * 32,
    sources=(
        {
            "id": "coca",
            "title": "Cultivos de coca",
            "publisher": "UNODC & SIMCI",
            "url": "https://example.org/coca?a=1&b=2",
            "licence": "CC BY 4.0",
            "vintage": "2021-07",
        },
    ),
    caveats_es=("Un puntaje no es una orden.", "Vacío es sin dato."),
    caveats_en=("A score is no order.", "Blank is no data."),
)
FIELDS = (
    Field("code", "text", "", "Código DIVIPOLA", "DIVIPOLA code", "five digits", "never missing"),
    Field("name", "text", "", "Nombre", "Name", "100 % of <names> & 'signs'"),
    Field("people", "whole", "people", "Población", "Population", unit_es="personas"),
    Field("coca_ha", "number", "ha", "Coca", "Coca", "coca standing", "not measured", ("coca",)),
    Field("vacated", "flag", "", "Abandonado", "Vacated"),
)
AWKWARD = (
    '=HYPERLINK("http://x","y")',
    "=cmd()",
    "'=cmd()",
    "''=cmd()",
    "'",
    "'tis",
    "+57 300",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\n=1",
    "\uff1d1",
    'say "no"',
    "comma, semicolon; tab\t.",
    "line\nbreak",
    "a\n\\.\nb",
    "\\N",
    "\\x41 \\u0041",
    "_x0041_",
    "Ñandú, Peñón de Güicán",
    "🌱 family 👨‍👩‍👧",
    "</SimpleData><![CDATA[x]]>&amp;",
    "\u2028\u202e\u0085\ufeff",
    "  spaces around  ",
    " ",
    "NULL",
    "NA",
    "nan",
    "true",
    "05001",
    "1e5",
    "2020-12-31",
    "007",
    "inf",
)
NUMBERS = (
    0.0,
    -0.0,
    0.1,
    0.1 + 0.2,
    1 / 3,
    5.0,
    1e22,
    5e-324,
    1.7976931348623157e308,
    -2.2250738585072014e-308,
    123456.123456,
)
WHOLES = (0, 1, -1, 2**31, 2**53, -(2**53))
HOLED = shapely.Polygon(shapely.box(-75, 3, -71, 7).exterior, [shapely.box(-74, 4, -73, 5).exterior])
PARTS = shapely.MultiPolygon([HOLED, shapely.box(-81.8, 12.4, -81.6, 12.6)])
POLYGONS = (HOLED, PARTS, shapely.box(-70.123456, -4.2, -69.9, 0.1))
POINTS = (shapely.Point(-74.1, 4.6), shapely.Point(-81.7, 12.5), shapely.Point(-70, 0))


def made(columns: Mapping[str, Sequence[Any]], shapes: Sequence[Any] | None = None, name: str = "samples") -> Dataset:
    """A dataset of the columns of :data:`FIELDS` beside ``code``, which counts the rows."""
    count = len(next(iter(columns.values())))
    every = {"code": [f"{number:05d}" for number in range(count)], **columns}
    table = pd.DataFrame({key: pd.Series(list(values), dtype=object) for key, values in every.items()})
    if shapes is None:
        return dataset(name, table, FIELDS, key=["code"], about=ABOUT)
    drawn = np.array([*shapes, None], dtype=object)[:-1]
    return dataset(name, gpd.GeoDataFrame(table, geometry=drawn, crs=4326), FIELDS, key=["code"], about=ABOUT)


def cycled(values: Sequence[Any], count: int) -> list[Any]:
    """So many values, over and over."""
    return [values[number % len(values)] for number in range(count)]


def awkward(shapes: Sequence[Any] | None = POLYGONS) -> Dataset:
    """Every awkward text, number and flag, and what is missing."""
    count = len(AWKWARD) + 1
    return made(
        {
            "name": [*AWKWARD, None],
            "people": cycled((*WHOLES, None), count),
            "coca_ha": cycled((*NUMBERS, None, float("inf")), count),
            "vacated": cycled((True, False, None), count),
        },
        None if shapes is None else cycled((*shapes, None), count),
    )


def empty(shapes: bool = True) -> Dataset:
    """No rows."""
    return made({"name": [], "people": [], "coca_ha": [], "vacated": []}, [] if shapes else None)


def unknown() -> Dataset:
    """One row of which nothing is known but its code."""
    return made({field.name: [None] for field in FIELDS[1:]}, [None])
