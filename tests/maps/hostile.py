"""Small datasets with what tends to break formats, whose figures are known by construction."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from maps.formats.dataset import About, Dataset, Field, dataset

ABOUT = About(
    title_es='Municipios «A & B» <2020>, "prueba"',
    title_en="Municipalities 'A & B' <2020>",
    year=2020,
    run="ab" * 32,
    sources=({"id": "coca", "title": "Coca & más", "publisher": "UNODC", "url": "https://x.test/?a=1&b=2",
              "licence": "CC BY 4.0", "vintage": "2001-2024"},),
    caveats_es=("Vacío no es cero; a < b & «c».",),
    caveats_en=("Blank is not zero; a < b & “c”.",),
)  # fmt: skip
FIELDS = (
    Field("code", "text", label_es="Código", label_en="Code", meaning="DIVIPOLA code"),
    Field("name", "text", label_es="Nombre", label_en="Name"),
    Field("note", "text", label_es='Nota "larga" & más', label_en="Note", missing="nobody wrote one"),
    Field("population", "whole", "people", "Población", "Population", unit_es="personas"),
    Field("coca_ha", "number", "ha", "Coca", "Coca", meaning="hectares of coca"),
    Field("score", "number", "0–1", "Puntaje", "Score"),
    Field("high_cultivation", "flag", label_es="Alto cultivo", label_en="High cultivation"),
    Field("vacated", "flag", label_es="La dejaron", label_en="Vacated"),
    Field('odd "name"', "number"),
)
HOLED = Polygon([(-75, 4), (-74, 4), (-74, 5), (-75, 5)], [[(-74.6, 4.4), (-74.4, 4.4), (-74.4, 4.6), (-74.6, 4.6)]])
ROWS: tuple[Mapping[str, Any], ...] = (
    {"code": "05001", "name": "Medellín", "note": 'He said "no", then\nleft\ttwice', "population": 2**40,
     "coca_ha": 0.0, "score": None, "high_cultivation": False, "vacated": None, 'odd "name"': 0.1 + 0.2,
     "geometry": box(-76, 6, -75, 7)},
    {"code": "05002", "name": "=cmd()|' /C calc'!A0", "note": "", "population": 0, "coca_ha": 12.5, "score": 0.1,
     "high_cultivation": True, "vacated": True, 'odd "name"': -1e-9, "geometry": HOLED},
    {"code": "88001", "name": "Ñu 🚓 ]]> &amp; <b>", "note": None, "population": None, "coca_ha": None, "score": 0.95,
     "high_cultivation": None, "vacated": True, 'odd "name"': None,
     "geometry": MultiPolygon([box(-81.8, 12.4, -81.6, 12.6), HOLED])},
    {"code": "99773", "name": None, "note": "  spaces, commas;  ", "population": 7, "coca_ha": 2500.125, "score": 0.5,
     "high_cultivation": True, "vacated": False, 'odd "name"': 1e300, "geometry": None},
)  # fmt: skip


def municipalities(rows: tuple[Mapping[str, Any], ...] = ROWS) -> Dataset:
    """Municipalities with quotes, commas, line breaks, formulas, emoji, markup, gaps, a hole, parts and no shape."""
    table = pd.DataFrame(list(rows), columns=[*(field.name for field in FIELDS), "geometry"])
    frame = gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")
    return dataset("municipalities", frame, FIELDS, key=["code"], about=ABOUT)


def sites() -> Dataset:
    """Points of four kinds, one of which nobody knows, and one of none."""
    kinds = ["station", "ETCR", "torre 'x'\\", None]
    fields = [Field("site", "text"), Field("kind", "text", label_es="Clase", label_en="Kind")]
    table = pd.DataFrame({"site": list("abcd"), "kind": kinds})
    points = [Point(-75.5 + step, 4) for step in range(4)]
    frame = gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")
    return dataset("sites", frame, fields, key=["site"], about=ABOUT)


def panel() -> Dataset:
    """A table without shapes."""
    fields = [Field("code", "text"), Field("year", "whole"), Field("coca_ha", "number", "ha", "Coca", "Coca")]
    table = pd.DataFrame({"code": ["05001", "05001"], "year": [2019, 2020], "coca_ha": [None, 3.5]})
    return dataset("panel", table, fields, key=["code", "year"], about=ABOUT)


def expected(data: Dataset) -> list[dict[str, Any]]:
    """Rows as plain values, missing ones as None."""
    columns = {
        str(name): [
            None if gone else value
            for value, gone in zip(data.frame[name].tolist(), data.frame[name].isna(), strict=True)
        ]
        for name in data.table
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def ogr(*arguments: str | Path) -> str:
    """What GDAL's own programs say of a file: another GDAL than the one that wrote it; they may not complain.

    Without them the test is skipped and says so, except under CI, where it fails.
    """
    program = shutil.which(str(arguments[0]))
    if program is None:
        reason = f"needs {arguments[0]} (Debian: apt-get install gdal-bin)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    command = [program, *(str(argument) for argument in arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert not done.stderr, done.stderr
    return done.stdout
