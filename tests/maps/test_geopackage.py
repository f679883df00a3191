"""A GeoPackage read back by another GDAL and by SQLite: figures, styles, names, metadata, and the same bytes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely.geometry import LineString

from geo.errors import OutputError
from maps.formats import geopackage
from maps.formats.dataset import Field, dataset
from tests.maps import hostile


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("gpkg") / "all.gpkg"
    geopackage.write([hostile.municipalities(), hostile.sites(), hostile.panel()], path, lang="es")
    return path


@pytest.fixture
def database(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as opened:
        opened.row_factory = sqlite3.Row
        yield opened


def rows(database: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in database.execute(query)]


def features(file: Path, layer: str) -> list[dict[str, Any]]:
    read = hostile.ogr("ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=6", "/vsistdout/", file, layer)
    found: list[dict[str, Any]] = json.loads(read)["features"]
    return found


@pytest.mark.parametrize("made", [hostile.municipalities, hostile.sites, hostile.panel])
def test_another_gdal_reads_the_same_figures(file, made):
    data = made()
    assert [each["properties"] for each in features(file, data.name)] == hostile.expected(data)


def test_another_gdal_reads_the_same_shapes(file):
    data = hostile.municipalities()
    read = gpd.GeoDataFrame.from_features(features(file, data.name), crs="EPSG:4326").geometry
    wanted = data.frame.geometry
    assert read.isna().tolist() == wanted.isna().tolist()
    assert shapely.equals(read, wanted)[wanted.notna()].all()


def test_types_are_the_fields_own(file):
    told = hostile.ogr("ogrinfo", "-so", "-nomd", file, "municipalities")
    for line in ("code: String", "population: Integer64", "coca_ha: Real", "vacated: Integer(Boolean)",
                 "Geometry: Multi Polygon"):  # fmt: skip
        assert line in told


def test_layers_are_listed_with_their_types(file):
    told = hostile.ogr("ogrinfo", file)
    assert "municipalities (Multi Polygon)" in told
    assert "sites (Point)" in told
    assert "panel (None)" in told


def test_the_default_style_stands_where_qgis_looks_for_it(database):
    found = rows(database, "SELECT * FROM layer_styles ORDER BY id")
    assert list(found[0]) == [
        "id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML",
        "styleSLD", "useAsDefault", "description", "owner", "ui", "update_time",
    ]  # fmt: skip
    assert [(row["f_table_name"], row["styleName"], row["useAsDefault"]) for row in found] == [
        ("municipalities", "Puntaje (0–1)", 1),
        ("municipalities", "Coca (ha)", 0),
        ("sites", "Clase", 1),
        ("panel", "Nombres de los campos", 1),
    ]
    assert [row["f_geometry_column"] for row in found] == ["geom", "geom", "geom", ""]
    assert {ET.fromstring(row["styleQML"]).tag for row in found} == {"qgis"}
    listed = rows(database, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'")
    assert listed == [{"data_type": "attributes"}]


def test_fields_have_names_and_meanings(database):
    found = rows(database, "SELECT * FROM gpkg_data_columns WHERE table_name = 'municipalities'")
    told = {row["column_name"]: (row["title"], row["description"]) for row in found}
    assert told["coca_ha"] == ("Coca (ha)", "hectares of coca; unit: ha")
    assert told["note"] == ('Nota "larga" & más', "missing: nobody wrote one")
    assert len(told) == len(hostile.FIELDS)


def test_layers_say_what_they_are(database):
    row = rows(database, "SELECT * FROM gpkg_contents WHERE table_name = 'municipalities'")[0]
    assert row["identifier"] == hostile.ABOUT.title_es
    assert row["description"] == hostile.ABOUT.caveats_es[0]
    assert row["last_change"] == "2020-12-31T00:00:00.000Z"


def test_metadata_name_the_sources_with_their_licences(database):
    found = rows(
        database,
        "SELECT mime_type, metadata FROM gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id"
        " WHERE table_name = 'sites' ORDER BY id",
    )
    told = json.loads(found[0]["metadata"])
    assert (told["year"], told["run"]) == (2020, hostile.ABOUT.run)
    assert told["sources"] == [dict(source) for source in hostile.ABOUT.sources]
    assert told["caveats"] == list(hostile.ABOUT.caveats_es)
    assert ET.fromstring(found[1]["metadata"]).findtext("license") == "CC BY 4.0"


def test_the_extensions_in_use_are_registered_and_the_file_is_sound(database):
    found = {row["table_name"]: row["extension_name"] for row in rows(database, "SELECT * FROM gpkg_extensions")}
    assert found["gpkg_data_columns"] == "gpkg_schema"
    assert found["gpkg_metadata"] == "gpkg_metadata"
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert rows(database, "PRAGMA foreign_key_check") == []


def test_the_same_inputs_give_the_same_bytes(file, tmp_path):
    time.sleep(1.1 - (time.time() - file.stat().st_mtime) if time.time() - file.stat().st_mtime < 1.1 else 0)
    again = tmp_path / "again.gpkg"
    again.write_bytes(b"what an earlier export left")
    geopackage.write([hostile.municipalities(), hostile.sites(), hostile.panel()], again, lang="es")
    assert again.read_bytes() == file.read_bytes()


def test_empty_datasets_keep_their_fields_and_styles(tmp_path):
    file = tmp_path / "empty.gpkg"
    geopackage.write([hostile.municipalities(())], file, lang="en")
    told = hostile.ogr("ogrinfo", "-so", "-nomd", file, "municipalities")
    assert "Feature Count: 0" in told
    assert "vacated: Integer(Boolean)" in told
    assert "population: Integer64" in told
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM layer_styles").fetchone() == (2,)


def test_styles_can_be_left_out(tmp_path):
    file = tmp_path / "plain.gpkg"
    geopackage.write([hostile.sites()], file, styles=False)
    assert "layer_styles" not in hostile.ogr("ogrinfo", file)


def test_columns_may_be_called_as_the_formats_own(tmp_path):
    table = pd.DataFrame({"fid": ["a"], "geom": [1.5]})
    fields = [Field("fid", "text", label_es="Uno"), Field("geom", "number", label_es="Uno")]
    line = gpd.GeoDataFrame(table, geometry=[LineString([(0, 0), (1, 1)])], crs="EPSG:4326")
    geopackage.write([dataset("lines", line, fields, key=["fid"], about=hostile.ABOUT)], tmp_path / "a.gpkg")
    assert features(tmp_path / "a.gpkg", "lines")[0]["properties"] == {"fid": "a", "geom": 1.5}


@pytest.mark.parametrize("wrong", ["none", "twice", "capitals"])
def test_what_cannot_be_written_is_refused(tmp_path, wrong):
    frame = pd.DataFrame({"a": ["x"], "A": ["y"]})
    alike = dataset("t", frame, [Field("a", "text"), Field("A", "text")], key=[], about=hostile.ABOUT)
    made = {"none": [], "twice": [hostile.panel(), hostile.panel()], "capitals": [alike]}[wrong]
    with pytest.raises(OutputError, match=r"name one|name each once|rename one"):
        geopackage.write(made, tmp_path / "a.gpkg")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OutputError, match="choose another folder"):
        geopackage.write([hostile.panel()], tmp_path / "none" / "a.gpkg")
