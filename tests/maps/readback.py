"""Each format read back by a tool that is neither ours nor the library that wrote it.

Every reader gives the rows as plain Python in the file's own types: a code that came back as a number, or a flag as 1,
differs from what was written.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import openpyxl
import pytest
import shapely
from shapely.geometry import shape

from maps.formats.dataset import Dataset
from maps.formats.registry import FORMATS
from maps.formats.tables import unguarded
from tests.postgres import Server

Row = dict[str, Any]
KML = "{http://www.opengis.net/kml/2.2}"
SQL_KINDS = {"TEXT": "text", "MEDIUMINT": "whole", "INTEGER": "whole", "REAL": "number", "BOOLEAN": "flag"}
CSVT_KINDS = {"String": "text", "Integer64": "whole", "Real": "number", "Integer(Boolean)": "flag"}
DUCK_KINDS = {"VARCHAR": "text", "BIGINT": "whole", "DOUBLE": "number", "BOOLEAN": "flag"}
OGR_KINDS = {"String": "text", "Integer64": "whole", "Real": "number", "Integer(Boolean)": "flag"}
POSTGRES_KINDS = {"text": "text", "bigint": "whole", "double precision": "number", "boolean": "flag"}
KML_KINDS = {"string": "text", "int": "whole", "double": "number", "bool": "flag"}
PLAIN: dict[str, Callable[[str], Any]] = {"text": str, "whole": int, "number": float}
TYPES = {"text": str, "whole": int, "number": float, "flag": bool}


@dataclass(frozen=True)
class Found:
    """What a file holds.

    Attributes
    ----------
    rows : list of dict
        A value a column, None where it is missing.
    shapes : list of Geometry, optional
        Of the rows; None where the format holds none.
    kinds : dict of str to str, optional
        Kind of each column, where the format states it.
    """

    rows: list[Row]
    shapes: list[Any] | None = None
    kinds: dict[str, str] | None = None


def expected(data: Dataset) -> list[Row]:
    """Rows of a dataset as plain Python."""
    columns = {}
    for field in data.fields:
        column = data.frame[field.name]
        columns[field.name] = [
            None if gone else TYPES[field.kind](value) for value, gone in zip(column, column.isna(), strict=True)
        ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def find_ogr(program: str) -> str:
    """Find GDAL's program, or skip the test (fail it under CI)."""
    found = shutil.which(program)
    if found:
        return found
    reason = f"needs {program} (Debian: apt-get install gdal-bin)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def geojson(path: Path, _: Dataset) -> Found:
    return _features(json.loads(path.read_text(encoding="utf-8"))["features"])


def geojsonl(path: Path, _: Dataset) -> Found:
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    return _features(json.loads(line) for line in lines)


def _features(features: Iterable[Any]) -> Found:
    read = list(features)
    shapes = [shape(each["geometry"]) if each["geometry"] else None for each in read]
    return Found([each["properties"] for each in read], shapes)


def csv_(path: Path, _: Dataset) -> Found:
    """By the types of the ``.csvt``; nothing tells an empty text from a missing one, and none is empty."""
    with path.with_suffix(".csvt").open(encoding="utf-8", newline="") as file:
        kinds = [CSVT_KINDS[kind] for kind in next(csv.reader(file))]
    with path.open(encoding="utf-8-sig", newline="") as file:
        names, *rows = csv.reader(file, strict=True)
    found = [{name: _cell(text, kind) for name, text, kind in zip(names, row, kinds, strict=True)} for row in rows]
    return Found(found, kinds=dict(zip(names, kinds, strict=True)))


def _cell(text: str, kind: str) -> Any:
    if not text:
        return None
    if kind == "flag":
        return {"true": True, "false": False}[text]
    return unguarded(text) if kind == "text" else PLAIN[kind](text)


def xlsx(path: Path, data: Dataset) -> Found:
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:  # other sheets are left unread
        names, *rows = book[data.name].iter_rows()
        assert not any(cell.data_type == "f" for row in rows for cell in row), "a spreadsheet would run a cell"
        columns = [str(cell.value) for cell in names]
        found = [[cell.value for cell in row] for row in rows]
    return Found([dict(zip_longest(columns, row)) for row in found])


def parquet(path: Path, data: Dataset) -> Found:
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        kinds = {column[0]: DUCK_KINDS.get(str(column[1])) for column in found.description or ()}
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    own = [field.name for field in data.fields]
    shapes = None if data.shapes is None else [_from_wkb(row["geometry"]) for row in rows]
    for row, drawn in zip(rows, shapes or [], strict=False):
        assert row["bbox"] is None if drawn is None else [*row["bbox"].values()] == [*drawn.bounds]
    return Found([{name: row[name] for name in own} for row in rows], shapes, {name: str(kinds[name]) for name in own})


def gpkg(path: Path, data: Dataset) -> Found:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        told = database.execute(f'PRAGMA table_info("{data.name}")').fetchall()
        rows = [dict(row) for row in database.execute(f'SELECT * FROM "{data.name}" ORDER BY fid')]
    kinds = {row["name"]: SQL_KINDS.get(row["type"], "") for row in told}
    own = [field.name for field in data.fields]
    flags = {name for name in own if kinds[name] == "flag"}
    read = [
        {name: None if row[name] is None else bool(row[name]) if name in flags else row[name] for name in own}
        for row in rows
    ]
    shapes = None if data.shapes is None else [_from_geopackage(row["geom"]) for row in rows]
    return Found(read, shapes, {name: kinds[name] for name in own})


def _from_wkb(found: bytes | None) -> Any:
    return None if found is None else shapely.from_wkb(found)


def _from_geopackage(blob: bytes | None) -> Any:
    """A geometry of a GeoPackage: WKB after a header whose flags give the length of the envelope."""
    if blob is None:
        return None
    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[blob[3] >> 1 & 7]
    return shapely.from_wkb(blob[8 + envelope :])


def fgb(path: Path, data: Dataset) -> Found:
    """By GDAL of another version and build than the writer's; in GeoJSON it leaves out what is missing."""
    options = ["-f", "GeoJSONSeq", "/vsistdout/", "-lco", "SIGNIFICANT_FIGURES=17", "-lco", "RS=NO"]
    done = subprocess.run([find_ogr("ogr2ogr"), *options, str(path)], check=True, capture_output=True)
    assert not done.stderr, done.stderr
    found = _features(json.loads(line) for line in done.stdout.split(b"\n") if line.strip())
    told = subprocess.run([find_ogr("ogrinfo"), "-so", "-al", str(path)], check=True, capture_output=True)
    own = [field.name for field in data.fields]
    kinds = {
        name: kind
        for line in told.stdout.decode().splitlines()
        for name, _, rest in [line.partition(": ")]
        if name in own and (kind := OGR_KINDS.get(rest.partition(" (")[0]))
    }
    return Found([dict.fromkeys(own) | row for row in found.rows], found.shapes, kinds)


def kml(path: Path, data: Dataset) -> Found:
    document = ET.parse(path).getroot().find(f"{KML}Document")
    assert document is not None
    kinds = {each.attrib["name"]: KML_KINDS[each.attrib["type"]] for each in document.iter(f"{KML}SimpleField")}
    whole = {field.name for field in data.fields if field.kind == "whole"}
    kinds |= {name: "whole" for name in whole if kinds[name] == "number"}  # KML's own have but 32 bits
    marks = list(document.iter(f"{KML}Placemark"))
    rows = []
    for mark in marks:
        found = {each.attrib["name"]: each.text or "" for each in mark.iter(f"{KML}SimpleData")}
        rows.append({name: _simple(found[name], kind) if name in found else None for name, kind in kinds.items()})
    return Found(rows, [_from_kml(mark) for mark in marks], kinds)


def _simple(text: str, kind: str) -> Any:
    return {"1": True, "0": False}[text] if kind == "flag" else PLAIN[kind](text)


def _from_kml(element: ET.Element) -> Any:
    several = element.find(f"{KML}MultiGeometry")
    if several is not None:
        return shapely.MultiPolygon([_polygon(part) for part in several])
    single, point = element.find(f"{KML}Polygon"), element.find(f"{KML}Point")
    if single is not None:
        return _polygon(single)
    return None if point is None else shapely.Point(_coordinates(point)[0])


def _polygon(element: ET.Element) -> shapely.Polygon:
    outer, *inner = (_coordinates(ring) for ring in element)
    return shapely.Polygon(outer, inner)


def _coordinates(element: ET.Element) -> list[tuple[float, float]]:
    text = next(element.iter(f"{KML}coordinates")).text or ""
    pairs = [pair.split(",") for pair in text.split()]
    return [(float(x), float(y)) for x, y in pairs]


def postgis(server: Server, data: Dataset, schema: str = "public") -> Found:
    """Rows as psql gives them in JSON, their shapes as WKB, and the types that the catalogue states."""
    table, own = f'"{schema}"."{data.name}"', [field.name for field in data.fields]
    wkb = "NULL" if data.shapes is None else "encode(ST_AsBinary(geometry), 'hex')"
    text = server.psql(f"SELECT json_build_array(row_to_json(t), {wkb}) FROM {table} t")
    pairs = [json.loads(line) for line in text.split("\n") if line]
    shapes = [None if wkb is None else shapely.from_wkb(wkb) for _, wkb in pairs]
    told = server.psql(
        f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{schema}' "
        f"AND table_name = '{data.name}' AND data_type <> 'USER-DEFINED' ORDER BY ordinal_position"
    )
    kinds = {name: POSTGRES_KINDS[kind] for name, kind in (line.split("|") for line in told.splitlines())}
    rows = [{name: row[name] for name in own} for row, _ in pairs]
    return Found(rows, None if data.shapes is None else shapes, kinds)


READERS: dict[str, Callable[[Path, Dataset], Found]] = {
    "geojson": geojson, "geojsonl": geojsonl, "gpkg": gpkg, "parquet": parquet, "fgb": fgb, "csv": csv_,
    "xlsx": xlsx, "kml": kml,
}  # fmt: skip


def differences(data: Dataset, found: Found) -> list[str]:
    """What of a dataset did not come back as it was; rows may stand in another order.

    Parameters
    ----------
    data : Dataset
        What was written.
    found : Found
        What was read.

    Returns
    -------
    list of str
        Empty where all is equal: values, types, what is missing and, where the format holds them, shapes.
    """
    kinds = {field.name: field.kind for field in data.fields}
    wrong = [f"kinds {found.kinds}"] if found.kinds not in (None, kinds) else []
    written, read = _by_key(data, expected(data)), _by_key(data, found.rows)
    if written.keys() != read.keys():
        return [*wrong, f"rows {[*read]} for {[*written]}"]
    for key, row in written.items():
        other = read[key]
        wrong += [
            f"{key} {name}: {other.get(name, 'absent')!r} for {value!r}"
            for name, value in row.items()
            if not _same(value, other.get(name))
        ]
    return wrong + (_undrawn(data, found) if found.shapes is not None else [])


def _by_key(data: Dataset, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    by_key = {tuple(row[name] for name in data.key): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


def _same(value: Any, other: Any) -> bool:
    """Equal, and a flag is no number, nor text; 5.0 may come back as 5, as JSON and spreadsheets have one kind."""
    if isinstance(value, bool | str) or value is None:
        return type(value) is type(other) and bool(value == other)
    return type(other) in (int, float) and bool(value == other)


def _undrawn(data: Dataset, found: Found) -> list[str]:
    shapes = [None] * len(data.frame) if data.shapes is None else list(data.shapes.geometry)
    keys = [tuple(row[name] for name in data.key) for row in expected(data)]
    drawn = dict(zip([tuple(row[name] for name in data.key) for row in found.rows], found.shapes or (), strict=True))
    pairs = zip(keys, shapes, strict=True)
    return [f"{key}: {drawn[key]} for {one}" for key, one in pairs if not _alike(one, drawn[key])]


def _alike(one: Any, other: Any) -> bool:
    """The same points in the same rings, whichever point begins; a polygon is a multipolygon of one part."""
    if one is None or other is None:
        return one is other
    return bool(shapely.equals_exact(_parts(one), _parts(other), tolerance=0.0))


def _parts(shape: Any) -> Any:
    return shapely.normalize(shapely.multipolygons(shapely.get_parts(shape))) if "Poly" in shape.geom_type else shape


def trip(data: Dataset, name: str, folder: Path) -> list[str]:
    """Write a dataset in a format, read it back, and tell the differences."""
    path = folder / f"{data.name}{FORMATS[name].suffix}"
    FORMATS[name].write([data], path)
    return differences(data, READERS[name](path, data))
