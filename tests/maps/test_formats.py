"""What each format says beside its figures: who may read it, what it is, and what it refuses."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import subprocess
import time
from typing import Any

import jsonschema
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConfigError, OutputError
from maps.formats import columnar, geojson, tables
from maps.formats.dataset import Field, Lang, dataset
from maps.formats.registry import FORMATS
from tests.maps import readback, samples

POSITION = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}
RING = {"type": "array", "minItems": 4, "items": POSITION}
POLYGON = {"type": "array", "minItems": 1, "items": RING}
MULTIPOLYGON = {"type": "array", "minItems": 1, "items": POLYGON}


def geometry(kind: str, coordinates: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "coordinates"],
        "additionalProperties": False,
        "properties": {"type": {"const": kind}, "coordinates": coordinates},
    }


FEATURE = {
    "type": "object",
    "required": ["type", "properties", "geometry"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "Feature"},
        "properties": {"type": "object"},
        "geometry": {
            "oneOf": [
                {"type": "null"},
                geometry("Point", POSITION),
                geometry("Polygon", POLYGON),
                geometry("MultiPolygon", MULTIPOLYGON),
            ]
        },
    },
}
# RFC 7946, sections 3 to 7, of what is written here: no crs (4), and none of GeoJSON's members in about (7.1).
COLLECTION = {
    "type": "object",
    "required": ["type", "features", "about"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "FeatureCollection"},
        "bbox": {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}},
        "features": {"type": "array", "items": FEATURE},
        "about": {
            "type": "object",
            "not": {"anyOf": [{"required": [name]} for name in ("type", "coordinates", "geometry", "features")]},
        },
    },
}


def area2(ring: list[list[float]]) -> float:
    """Twice the area, positive where it runs counter-clockwise (the shoelace formula)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))


def polygons(found: dict[str, Any]) -> list[list[list[list[float]]]]:
    return found["coordinates"] if found["type"] == "MultiPolygon" else [found["coordinates"]]


@pytest.mark.parametrize("data", [samples.awkward(), samples.awkward(samples.POINTS), samples.awkward(None),
                                  samples.empty()])  # fmt: skip
def test_geojson_is_valid_after_rfc_7946(data, tmp_path):
    geojson.write(data, tmp_path / "a.geojson")
    text = (tmp_path / "a.geojson").read_text(encoding="utf-8")
    read = json.loads(text)
    jsonschema.Draft202012Validator(COLLECTION).validate(read)
    assert ("bbox" in read) is (data.shapes is not None and len(data.frame) > 0)
    assert [line.startswith('{"type":"Feature",') for line in text.split("\n")].count(True) == len(data.frame)


def test_geojson_schema_refuses_what_the_standard_refuses():
    wrong = {"type": "FeatureCollection", "features": [], "about": {}, "crs": {"type": "name"}}
    assert not jsonschema.Draft202012Validator(COLLECTION).is_valid(wrong)


def test_geojson_rings_wind_as_the_standard_says(tmp_path):
    clockwise = [shapely.geometry.polygon.orient(samples.HOLED, -1.0), samples.PARTS]
    data = samples.made({"name": ["a", "b"], "people": [1, 2], "coca_ha": [1, 2], "vacated": [True, False]}, clockwise)
    geojson.write(data, tmp_path / "a.geojson")
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    rings = [rings for each in features for rings in polygons(each["geometry"])]
    assert [[area2(ring) > 0 for ring in each] for each in rings] == [[True, False], [True, False], [True]]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_geojson_says_what_it_is(lang: Lang, tmp_path):
    geojson.write(samples.awkward(), tmp_path / "a.geojson", lang=lang)
    about = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["about"]
    assert about["title"] == {"es": samples.ABOUT.title_es, "en": samples.ABOUT.title_en}[lang]
    assert (about["year"], about["as_of"], about["run"]) == (2020, "2020-12-31", "ab" * 32)
    assert about["sources"] == [dict(source) for source in samples.ABOUT.sources]
    assert tuple(about["caveats"]) == samples.ABOUT.caveats(lang)
    assert [each["name"] for each in about["fields"]] == [field.name for field in samples.FIELDS]
    assert about["fields"][2] == {
        "name": "people", "alias": {"es": "Población (personas)", "en": "Population (people)"}[lang],
        "unit": {"es": "personas", "en": "people"}[lang], "kind": "whole", "meaning": "", "missing": "", "sources": [],
    }  # fmt: skip


def test_geojson_is_read_by_another_gdal(tmp_path):
    program = readback.find_ogr("ogrinfo")
    for name in ("geojson", "geojsonl"):
        path = tmp_path / f"a.{name}"
        FORMATS[name].write([samples.awkward()], path)
        told = subprocess.run([program, "-so", "-al", str(path)], check=True, capture_output=True, text=True)
        assert not told.stderr
        assert f"Feature Count: {len(samples.AWKWARD) + 1}" in told.stdout
        assert "code: String" in told.stdout
        assert "vacated: Integer(Boolean)" in told.stdout


def test_geojsonl_of_nothing_is_empty(tmp_path):
    geojson.write_sequence(samples.empty(), tmp_path / "a.geojsonl")
    assert (tmp_path / "a.geojsonl").read_bytes() == b""


@given(st.from_regex("'{0,3}[=+@\t\n\uff1d\uff0b\uff0d\uff20a-]?.{0,3}", fullmatch=True))
def test_guarding_text_can_be_undone(text: str):
    guarded = tables.guarded(text)
    assert tables.unguarded(guarded) == text
    assert guarded[:1] not in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def test_csv_opens_right_in_a_spreadsheet(tmp_path):
    tables.write_csv(samples.awkward(), tmp_path / "a.csv")
    read = (tmp_path / "a.csv").read_bytes()
    assert read.startswith(b"\xef\xbb\xbfcode,name,people,coca_ha,vacated\n")
    assert b"\r" not in read
    rows = list(csv.reader(read.decode("utf-8-sig").splitlines(keepends=True), strict=True))
    assert [row[1] for row in rows[2:5]] == ["'=cmd()", "''=cmd()", "'''=cmd()"]
    assert rows[1][2:] == ["0", "0.0", "true"]
    assert rows[3][4] == ""


def test_csvt_keeps_codes_as_text_in_another_gdal(tmp_path):
    tables.write_csv(samples.awkward(), tmp_path / "a.csv")
    assert (tmp_path / "a.csvt").read_text() == '"String","String","Integer64","Real","Integer(Boolean)"\n'
    command = [readback.find_ogr("ogr2ogr"), "-f", "GeoJSON", "/vsistdout/", str(tmp_path / "a.csv")]
    read = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    rows = [each["properties"] for each in read["features"]]
    assert rows[0]["code"] == "00000"
    assert [row.get("vacated") for row in rows[:3]] == [True, False, None]
    assert [row.get("people") for row in rows[4:7]] == [2**53, -(2**53), None]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_xlsx_explains_itself(lang: Lang, tmp_path):
    second = samples.made({"name": ["x"], "people": [None], "coca_ha": [None], "vacated": [None]}, name="other")
    tables.write_xlsx([samples.awkward(), second], tmp_path / "a.xlsx", lang=lang)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    spanish = lang == "es"
    assert book.sheetnames == ["samples", "other", *(("campos", "acerca") if spanish else ("fields", "about"))]
    sheet, fields, about = book["samples"], book.worksheets[2], book.worksheets[3]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:E{len(samples.AWKWARD) + 2}"
    assert "Población (personas)" in sheet["C1"].comment.text if spanish else "Population" in sheet["C1"].comment.text
    assert [cell.number_format for cell in sheet[2]] == ["@", "@", "#,##0", "General", "General"]
    assert [cell.quotePrefix for cell in sheet["B"][:4]] == [False, True, True, True]
    assert [row[1].value for row in fields.iter_rows(min_row=2)] == [field.name for field in samples.FIELDS] * 2
    told = {str(cell.value) for row in about.iter_rows() for cell in row if cell.value is not None}
    assert {"2020-12-31", "ab" * 32, "CC BY 4.0", "https://example.org/coca?a=1&b=2"} <= told
    assert {samples.ABOUT.title(lang), *samples.ABOUT.caveats(lang)} <= told
    assert book.properties.created.year == samples.ABOUT.year


def test_xlsx_shows_years_without_a_sign_between_thousands(tmp_path):
    field = Field("year", "whole")
    data = dataset("panel", pd.DataFrame({"year": [2020]}), [field], key=["year"], about=samples.ABOUT)
    tables.write_xlsx([data], tmp_path / "a.xlsx")
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["panel"]["A2"].number_format == "0"


@pytest.mark.parametrize(("text", "held"), [("x" * 32_767, True), ("x" * 32_768, False), ("🌱" * 16_384, False)])
def test_xlsx_refuses_text_that_a_cell_cannot_hold(text: str, held: bool, tmp_path):
    data = samples.made({"name": [text], "people": [1], "coca_ha": [1], "vacated": [True]})
    if held:
        assert not readback.trip(data, "xlsx", tmp_path)
    else:
        with pytest.raises(OutputError, match="at most 32,767 characters; samples has more in row 1 of name"):
            tables.write_xlsx([data], tmp_path / "a.xlsx")


def test_xlsx_refuses_rows_that_a_sheet_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    with pytest.raises(OutputError, match=r"at most 2 rows; samples has 35: choose rows with --select"):
        tables.write_xlsx([samples.awkward()], tmp_path / "a.xlsx")
    assert not (tmp_path / "a.xlsx").exists()


def test_xlsx_says_where_it_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        tables.write_xlsx([samples.awkward()], tmp_path / "none" / "a.xlsx")


def test_parquet_is_geoparquet(tmp_path):
    columnar.write_parquet(samples.awkward(), tmp_path / "a.parquet", lang="en")
    file = pq.ParquetFile(tmp_path / "a.parquet")
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert (column["encoding"], column["orientation"], column["edges"]) == ("WKB", "counterclockwise", "planar")
    assert column["geometry_types"] == ["MultiPolygon", "Polygon"]
    assert column["bbox"] == list(shapely.total_bounds(samples.POLYGONS))
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    assert column["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
    parts = file.metadata.row_group(0)
    assert {parts.column(number).compression for number in range(parts.num_columns)} == {"ZSTD"}
    assert json.loads(file.schema_arrow.metadata[b"presencia"]) == geojson.about(samples.awkward(), "en")
    assert file.schema_arrow.field("coca_ha").metadata[b"GDAL:OGR:alternative_name"] == b"Coca (ha)"


def test_parquet_without_shapes_is_plain(tmp_path):
    columnar.write_parquet(samples.awkward(None), tmp_path / "a.parquet")
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert b"geo" not in schema.metadata
    assert schema.names == [field.name for field in samples.FIELDS]


@pytest.mark.parametrize("data", [samples.empty(), samples.unknown()], ids=["no rows", "nothing known"])
def test_types_stand_where_nothing_is_known(data, tmp_path):
    columnar.write_parquet(data, tmp_path / "a.parquet")
    types = [str(pq.read_schema(tmp_path / "a.parquet").field(field.name).type) for field in samples.FIELDS]
    assert types == ["string", "string", "int64", "double", "bool"]
    columnar.write_flatgeobuf(data, tmp_path / "a.fgb")
    told = pyogrio.read_info(tmp_path / "a.fgb")
    assert list(told["ogr_types"]) == ["OFTString", "OFTString", "OFTInteger64", "OFTReal", "OFTInteger"]
    assert told["ogr_subtypes"][-1] == "OFSTBoolean"


def test_flatgeobuf_says_what_it_is_and_has_an_index(tmp_path):
    data = samples.made({"name": ["a", "b"], "people": [1, 2], "coca_ha": [1, 2], "vacated": [True, False]},
                        samples.POLYGONS[:2])  # fmt: skip
    columnar.write_flatgeobuf(data, tmp_path / "a.fgb", lang="en")
    told = pyogrio.read_info(tmp_path / "a.fgb")
    assert told["capabilities"]["fast_spatial_filter"]
    assert told["geometry_type"] == "MultiPolygon"
    assert told["layer_metadata"]["TITLE"] == samples.ABOUT.title_en
    assert told["layer_metadata"]["DESCRIPTION"] == " ".join(samples.ABOUT.caveats_en)
    assert (told["layer_metadata"]["as_of"], told["layer_metadata"]["run"]) == ("2020-12-31", "ab" * 32)
    command = [readback.find_ogr("ogrinfo"), "-so", "-al", str(tmp_path / "a.fgb")]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert 'coca_ha: Real (0.0), alternative name="Coca (ha)"' in shown


@pytest.mark.parametrize("name", ["fgb", "kml"])
def test_a_format_of_shapes_refuses_rows_without(name: str, tmp_path):
    with pytest.raises(OutputError, match=r"samples has none: write it as geojson, geojsonl, gpkg, parquet, csv, xlsx"):
        FORMATS[name].write([samples.awkward(None)], tmp_path / "a")
    with pytest.raises(OutputError, match="write it as"):
        columnar.write_flatgeobuf(samples.awkward(None), tmp_path / "a.fgb")


def test_a_file_of_one_dataset_refuses_two(tmp_path):
    with pytest.raises(ConfigError, match="a file of csv holds one dataset; found samples, samples"):
        FORMATS["csv"].write([samples.awkward(), samples.awkward()], tmp_path / "a.csv")


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_same_dataset_gives_the_same_bytes(name: str, tmp_path, monkeypatch):
    written = []
    for zone in ("America/Bogota", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        FORMATS[name].write([samples.awkward()], tmp_path / f"a{FORMATS[name].suffix}")
        written.append({file.name: file.read_bytes() for file in tmp_path.iterdir()})
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        monkeypatch.undo()
    time.tzset()
    assert written[0] == written[1]
