"""Boundaries of any origin: formats, archives, codes wherever they stand, and what is repaired, told and refused."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.errors import CodeError, GeometryError, PresenciaError, SchemaError, SourceError
from layers import boundaries
from tests.layers.small import square

CODES = ["05001", "05002", "05004"]
ROW = [square(0, 0), square(1, 0), square(2, 0)]


def frame(shapes: Sequence[Any] = ROW, crs: str = "EPSG:4326", **columns: Any) -> gpd.GeoDataFrame:
    made = gpd.GeoDataFrame(columns or {"MPIO_CDPMP": CODES}, geometry=list(shapes), crs="EPSG:4326")
    return made.to_crs(crs)


def refusal(kind: type[PresenciaError], load: Callable[[], object]) -> str:
    with pytest.raises(kind) as refused:
        load()
    message = str(refused.value)
    assert "\n" not in message
    return message


# Formats


@pytest.mark.parametrize("name", ["own.gpkg", "own.geojson", "own.fgb", "own.parquet", "own.shp"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3116", "EPSG:9377", "EPSG:4686", "EPSG:3857", "EPSG:32618"])
def test_every_format_in_every_crs_is_the_same_place(tmp_path: Path, name: str, crs: str):
    path = tmp_path / name
    shapes = frame(crs=crs)
    shapes.to_parquet(path) if name.endswith("parquet") else shapes.to_file(path)
    given = boundaries.load(path)
    assert list(given.frame.index) == CODES
    assert given.frame["name"].tolist() == ["Medellín", "Abejorral", "Abriaquí"]
    centres = shapely.get_coordinates(shapely.centroid(given.frame.geometry.to_numpy()))
    np.testing.assert_allclose(centres, [[-74.95, 2.05], [-74.85, 2.05], [-74.75, 2.05]], atol=1e-3)
    assert (given.report.read, given.report.kept) == (3, 3)


@pytest.mark.parametrize("inside", ["own.shp", "deep/er/own.shp", "own.gpkg", "own.geojson"])
def test_a_zipped_file_is_read_in_place(tmp_path: Path, inside: str):
    source = tmp_path / "source" / Path(inside).name
    source.parent.mkdir()
    frame().to_file(source)
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in source.parent.iterdir():
            archive.write(part, str(Path(inside).parent / part.name))
    assert list(boundaries.load(path).frame.index) == CODES
    assert sorted(p.name for p in tmp_path.iterdir()) == ["own.zip", "source"]


def test_topojson_states_no_crs_and_needs_none(shared_data: Path):
    given = boundaries.load(shared_data / "boundaries" / "mgn_2018.topojson")
    assert len(given.frame) == 1122
    assert given.report.findings == ()


def test_mgn_simplified_shape_by_shape_is_made_a_coverage_and_that_is_told(shared_data: Path):
    given = boundaries.load(shared_data / "boundaries" / "mgn_2018_municipalities_simplified.geojson")
    assert len(given.frame) == 1122
    assert shapely.coverage_is_valid(given.frame.geometry.to_numpy())
    assert any("overlapped others or left gaps" in line and "km² changed hands" in line for line in given.report.short)


def test_departments_are_no_municipalities(shared_data: Path):
    file = shared_data / "boundaries" / "mgn_2018_departments_simplified.geojson"
    assert file.name in refusal(PresenciaError, lambda: boundaries.load(file))


def test_a_third_dimension_is_dropped(tmp_path: Path):
    frame([shapely.force_3d(shape, 7.0) for shape in ROW]).to_file(tmp_path / "own.gpkg")
    assert not boundaries.load(tmp_path / "own.gpkg").frame.has_z.any()


def test_the_old_crs_member_of_geojson_is_honoured(tmp_path: Path):
    path = tmp_path / "own.geojson"
    text = json.loads(frame(crs="EPSG:3116").to_json(drop_id=True))
    text["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3116"}}
    path.write_text(json.dumps(text), encoding="utf-8")
    np.testing.assert_allclose(boundaries.load(path).frame.total_bounds, [-75.0, 2.0, -74.7, 2.1], atol=1e-6)


# Codes


@pytest.mark.parametrize(
    "columns",
    [
        {"id": CODES, "n": [1, 2, 3]},
        {"cualquiera": ["5-001", "5-002", "5-004"]},
        {"x": [5001, 5002, 5004]},
        {"x": [5001.0, 5002.0, 5004.0]},
        {"DPTO_CCDGO": ["05"] * 3, "MPIO_CCDGO": ["001", "002", "004"]},
        {"COD_DPTO": [5, 5, 5], "COD_MPIO": [1, 2, 4]},
        {"NOMBRE": ["MEDELLÍN", "Abejorral", "ABRIAQUI"], "DEPTO": ["Antioquia"] * 3},
        {"MPIO_CCNCT": CODES, "AREA": [34117, 34118, 34119]},
    ],
)
def test_codes_are_found_wherever_they_stand(tmp_path: Path, columns: dict[str, Any]):
    frame(**columns).to_file(tmp_path / "own.gpkg")
    assert list(boundaries.load(tmp_path / "own.gpkg").frame.index) == CODES


def test_numbers_that_are_no_known_codes_are_not_taken_for_codes(tmp_path: Path):
    frame(AREA=[13117, 25118, 52119]).to_file(tmp_path / "own.gpkg")
    assert "AREA" in refusal(SchemaError, lambda: boundaries.load(tmp_path / "own.gpkg"))


def test_a_name_that_is_no_municipality_is_listed(tmp_path: Path):
    frame(name=["Medellín", "Atlantis", "Abriaquí"], department=["Antioquia"] * 3).to_file(tmp_path / "own.gpkg")
    message = refusal(CodeError, lambda: boundaries.load(tmp_path / "own.gpkg"))
    assert "Atlantis, Antioquia" in message
    assert "Medellín" not in message


# Repairs


def test_parts_with_one_name_are_dissolved_and_that_is_told(tmp_path: Path):
    frame(code=["05001", "05001", "05004"], name=["Medellín", "MEDELLIN", "Abriaquí"]).to_file(tmp_path / "own.gpkg")
    given = boundaries.load(tmp_path / "own.gpkg")
    assert list(given.frame.index) == ["05001", "05004"]
    assert given.frame["area_km2"].sum() == pytest.approx(3 * 122.9, rel=0.01)
    assert any("dissolved: 05001" in line for line in given.report.short)


def test_two_names_under_one_code_are_refused(tmp_path: Path):
    frame(code=["05001", "05001", "05004"], name=["Medellín", "Abejorral", "Abriaquí"]).to_file(tmp_path / "own.gpkg")
    assert "05001" in refusal(CodeError, lambda: boundaries.load(tmp_path / "own.gpkg"))


def test_parts_without_names_are_dissolved_where_the_municipality_lies(shared_data: Path, tmp_path: Path):
    whole = gpd.read_file(shared_data / "boundaries" / "mgn_2018_municipalities_simplified.geojson")
    column = next(name for name in whole if whole[name].astype(str).str.fullmatch(r"\d{5}").all())
    some = whole[whole[column].isin(["27006", "27077", "52835"])][[column, "geometry"]].explode(index_parts=False)
    halves = shapely.intersection(
        some.geometry.iloc[0], [shapely.box(-90, -5, -77.3, 20), shapely.box(-77.3, -5, 0, 20)]
    )
    parts = [part for part in halves if not shapely.is_empty(part)]
    split = gpd.GeoDataFrame({"code": some[column].iloc[0]}, index=range(len(parts)), geometry=parts, crs=whole.crs)
    assert len(split) == 2
    split.to_file(tmp_path / "own.gpkg")
    assert len(boundaries.load(tmp_path / "own.gpkg").frame) == 1


def test_rings_that_touch_themselves_are_repaired_and_that_is_told(tmp_path: Path):
    spike = shapely.Polygon(
        [(-75, 2), (-74.9, 2), (-74.9, 2.1), (-74.95, 2.1), (-74.95, 2.3), (-74.95, 2.1), (-75, 2.1)]
    )
    assert not spike.is_valid
    frame([spike, *ROW[1:]]).to_file(tmp_path / "own.gpkg")
    given = boundaries.load(tmp_path / "own.gpkg")
    assert shapely.equals(given.frame.geometry.to_numpy()[0], ROW[0])
    assert any("crossed or touched themselves: 05001" in line for line in given.report.short)


def test_a_ring_whose_repair_would_move_land_is_refused(tmp_path: Path):
    tie = shapely.Polygon([(-75, 2), (-74.9, 2.1), (-74.9, 2), (-75, 2.1)])
    frame([tie, *ROW[1:]]).to_file(tmp_path / "own.gpkg")
    assert "05001" in refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.gpkg"))


def test_polygons_that_cover_much_of_others_are_refused(tmp_path: Path):
    frame([shapely.box(-75, 2, -74.84, 2.1), *ROW[1:]]).to_file(tmp_path / "own.gpkg")
    assert "05002" in refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.gpkg"))


# Traps


@pytest.mark.parametrize(
    "name", ["../climbed.gpkg", "/etc/climbed.gpkg", "a/../../climbed.gpkg", "C:/climbed.gpkg", "..\\x.gpkg"]
)
def test_a_member_that_climbs_out_of_its_archive_is_refused(tmp_path: Path, name: str):
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    assert "climb" in refusal(SourceError, lambda: boundaries.load(path))
    assert [p.name for p in tmp_path.rglob("*")] == ["own.zip"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("own.gpkg", "w") as member:
        for _ in range(200):
            member.write(bytes(1024**2))
    assert "would unpack" in refusal(SourceError, lambda: boundaries.load(path))


@pytest.mark.parametrize("members", [[], ["a.txt"], ["a.gpkg", "b.gpkg"]])
def test_an_archive_of_none_or_several_is_refused(tmp_path: Path, members: list[str]):
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    assert "one vector file" in refusal(SourceError, lambda: boundaries.load(path))


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".geojson", ".parquet", ".vrt", ".kml", ""])
def test_a_virtual_file_in_disguise_asks_nobody(tmp_path: Path, suffix: str):
    path = tmp_path / f"own{suffix}"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:9/x.geojson</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
        encoding="utf-8",
    )
    message = refusal(SourceError, lambda: boundaries.load(path))
    assert "must be one of" in message or "does not begin" in message


@pytest.mark.parametrize("name", ["own.gpkg", "own.fgb", "own.parquet", "own.shp", "own.geojson"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, name: str, share: float):
    path = tmp_path / name
    shapes = frame()
    shapes.to_parquet(path) if name.endswith("parquet") else shapes.to_file(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with contextlib.suppress(PresenciaError):  # a GeoPackage's last pages may be empty
        assert list(boundaries.load(path).frame.index) == CODES


def test_a_geopackage_without_its_tables_is_refused(tmp_path: Path):
    path = tmp_path / "own.gpkg"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE x (y)")
    assert "own.gpkg" in refusal(SourceError, lambda: boundaries.load(path))
