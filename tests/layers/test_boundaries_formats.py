"""Boundaries of any origin: formats, archives, codes wherever they stand, and what is repaired, told and refused."""

from __future__ import annotations

import contextlib
import http.server
import json
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from geo import coverage
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
    message = refusal(SchemaError, lambda: boundaries.load(file))
    assert file.name in message
    assert "holds departments (column 'DPTO_CCDGO')" in message


def test_a_third_dimension_is_dropped(tmp_path: Path):
    frame([shapely.force_3d(shape, 7.0) for shape in ROW]).to_file(tmp_path / "own.gpkg")
    assert not boundaries.load(tmp_path / "own.gpkg").frame.has_z.any()


def test_the_old_crs_member_of_geojson_is_honoured(tmp_path: Path):
    path = tmp_path / "own.geojson"
    text = json.loads(frame(crs="EPSG:3116").to_json(drop_id=True))
    text["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3116"}}
    path.write_text(json.dumps(text), encoding="utf-8")
    np.testing.assert_allclose(boundaries.load(path).frame.total_bounds, [-75.0, 2.0, -74.7, 2.1], atol=1e-6)


# Coordinates that are not what the CRS says


@pytest.fixture(scope="module")
def mgn(shared_data: Path) -> gpd.GeoDataFrame:
    whole = gpd.read_file(shared_data / "boundaries" / "mgn_2018_municipalities_simplified.geojson")
    return whole[["MPIO_CCNCT", "geometry"]]


@pytest.fixture(scope="module")
def on_ellipsoid_km2(mgn: gpd.GeoDataFrame) -> pd.Series:
    geod = Geod(ellps="GRS80")
    areas = [abs(geod.geometry_area_perimeter(shape)[0]) / 1e6 for shape in mgn.geometry]
    return pd.Series(areas, index=mgn["MPIO_CCNCT"])


@pytest.mark.parametrize("crs", ["EPSG:3116", "EPSG:9377", "EPSG:4686", "EPSG:3857", "EPSG:32618", "EPSG:21897"])
def test_mgn_is_the_same_country_in_every_crs(
    mgn: gpd.GeoDataFrame, on_ellipsoid_km2: pd.Series, tmp_path: Path, crs: str
):
    mgn.to_crs(crs).to_parquet(tmp_path / "own.parquet")
    given = boundaries.load(tmp_path / "own.parquet").frame
    assert len(given) == 1122
    mainland = given.drop(["88001", "88564"])  # so far west of its meridian EPSG:9377 errs by 2 %
    np.testing.assert_allclose(mainland["area_km2"], on_ellipsoid_km2.loc[mainland.index], rtol=0.01)
    np.testing.assert_allclose(given.total_bounds, mgn.total_bounds, atol=1e-3)
    assert (given["point"] == "town").sum() > 1000


@pytest.mark.parametrize(
    ("true", "stated"),
    [
        ("EPSG:3116", "EPSG:9377"), ("EPSG:9377", "EPSG:3116"), ("EPSG:3116", "EPSG:32618"),
        ("EPSG:32618", "EPSG:3116"), ("EPSG:3857", "EPSG:3116"), ("EPSG:3117", "EPSG:3116"),
        ("EPSG:4326", "EPSG:9377"), ("EPSG:9377", "EPSG:4326"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("department", ["", "52", "54"])
def test_the_crs_that_the_coordinates_are_in_is_named(
    mgn: gpd.GeoDataFrame, tmp_path: Path, true: str, stated: str, department: str
):
    """Also where the wrong CRS puts them elsewhere in Colombia, as one of Bogotá's zone does under UTM."""
    some = mgn[mgn["MPIO_CCNCT"].str.startswith(department)]
    some.to_crs(true).set_crs(stated, allow_override=True).to_parquet(tmp_path / "own.parquet")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.parquet"))
    assert f"under {true} " in message


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3116", "EPSG:9377", "EPSG:3857"])
@pytest.mark.parametrize("department", ["", "25"])
def test_axes_that_are_swapped_are_named(mgn: gpd.GeoDataFrame, tmp_path: Path, crs: str, department: str):
    some = mgn[mgn["MPIO_CCNCT"].str.startswith(department)].to_crs(crs)
    turned = shapely.transform(some.geometry.to_numpy(), lambda points: points[:, ::-1])
    some.set_geometry(gpd.GeoSeries(turned, index=some.index, crs=crs)).to_parquet(tmp_path / "own.parquet")
    assert "swap the axes" in refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.parquet"))


def test_longitudes_without_their_sign_are_named(tmp_path: Path):
    shapes = [shapely.transform(shape, lambda points: points * [-1, 1]) for shape in ROW]
    frame(shapes).to_file(tmp_path / "own.gpkg")
    assert "must be negative" in refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.gpkg"))


@pytest.mark.parametrize("crs", ['LOCAL_CS["site",UNIT["m",1]]', "EPSG:4978", "EPSG:5773"])
def test_a_crs_that_is_no_place_on_a_map_is_refused(tmp_path: Path, crs: str):
    frame().set_crs(crs, allow_override=True).to_parquet(tmp_path / "own.parquet")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.parquet"))
    assert "geographic or projected" in message


def test_codes_that_slipped_by_a_row_are_refused(mgn: gpd.GeoDataFrame, tmp_path: Path):
    slipped = mgn.assign(MPIO_CCNCT=np.roll(mgn["MPIO_CCNCT"].to_numpy(), 1))
    slipped.to_parquet(tmp_path / "own.parquet")
    assert "lie elsewhere" in refusal(CodeError, lambda: boundaries.load(tmp_path / "own.parquet"))


def test_two_codes_that_changed_places_are_told(mgn: gpd.GeoDataFrame, tmp_path: Path):
    turned = {"52835": "54810", "54810": "52835"}
    mgn.assign(MPIO_CCNCT=mgn["MPIO_CCNCT"].replace(turned)).to_parquet(tmp_path / "own.parquet")
    told = boundaries.load(tmp_path / "own.parquet").report.findings
    assert [finding.examples for finding in told if finding.what == boundaries.ASTRAY] == [("52835", "54810")]


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
        {"ADM2_PCODE": ["CO05001", "CO05002", "CO05004"], "ADM1_PCODE": ["CO05"] * 3},
        {"DEP": [5, 5, 5], "MUN": [1, 2, 4]},
        {"MUN": [1.0, 2.0, 4.0], "DEP": ["5", "05", " 5"]},
        {"NAME_1": ["Antioquia"] * 3, "NAME_2": ["Medellín", "Abejorral", "Abriaqui"]},
        {"a": ["Antioquia"] * 3, "b": ["MEDELLIN", "Abejorral", "Abriaquí"], "c": ["x", "y", "z"]},
    ],
)
def test_codes_are_found_wherever_they_stand(tmp_path: Path, columns: dict[str, Any]):
    frame(**columns).to_file(tmp_path / "own.gpkg")
    assert list(boundaries.load(tmp_path / "own.gpkg").frame.index) == CODES


def test_numbers_that_are_no_known_codes_are_not_taken_for_codes(tmp_path: Path):
    frame(AREA=[13117, 25118, 52119]).to_file(tmp_path / "own.gpkg")
    assert "AREA" in refusal(SchemaError, lambda: boundaries.load(tmp_path / "own.gpkg"))


def test_codes_that_a_geoparquet_file_keeps_as_its_index(tmp_path: Path):
    frame().set_index("MPIO_CDPMP").to_parquet(tmp_path / "own.parquet")
    assert list(boundaries.load(tmp_path / "own.parquet").frame.index) == CODES
    frame().drop(columns="MPIO_CDPMP").set_index(pd.Index(CODES)).to_parquet(tmp_path / "own.parquet")
    assert list(boundaries.load(tmp_path / "own.parquet").frame.index) == CODES


def test_the_layer_of_municipalities_is_found_by_names_too(tmp_path: Path):
    path = tmp_path / "own.gpkg"
    frame(DPTO_CCDGO=["05", "08", "11"], DPTO_CNMBR=["Antioquia", "Atlántico", "Bogotá"]).to_file(path, layer="a")
    frame(nombre=["Medellín", "Abejorral", "Abriaquí"], depto=["Antioquia"] * 3).to_file(path, layer="b")
    assert list(boundaries.load(path).frame.index) == CODES


def test_a_file_without_rows_is_refused(tmp_path: Path):
    frame().iloc[:0].to_parquet(tmp_path / "own.parquet")
    assert "no rows" in refusal(SchemaError, lambda: boundaries.load(tmp_path / "own.parquet"))


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
    assert any("touched themselves, repaired (0.0000 km² changed): 05001" in line for line in given.report.short)


def test_the_area_that_a_repair_changed_is_told(tmp_path: Path):
    """A strip that the polygon's second part repeats is counted once: 0.001 by 0.0001 degrees, or 0.00123 km²."""
    strip = shapely.MultiPolygon([ROW[0], shapely.box(-74.99, 2.0999, -74.989, 2.11)])
    assert not strip.is_valid
    frame([strip, *ROW[1:]]).to_file(tmp_path / "own.gpkg")
    given = boundaries.load(tmp_path / "own.gpkg")
    assert any("repaired (0.0012 km² changed): 05001" in line for line in given.report.short)


def test_lines_beside_polygons_are_dropped_and_that_is_told(tmp_path: Path):
    mixed = shapely.GeometryCollection([ROW[0], shapely.LineString([(-75, 2), (-74, 3)])])
    frame([mixed, *ROW[1:]]).to_parquet(tmp_path / "own.parquet")
    given = boundaries.load(tmp_path / "own.parquet")
    assert shapely.equals(given.frame.geometry.to_numpy()[0], ROW[0])
    assert any("lines and points beside their polygons: 05001" in line for line in given.report.short)


@pytest.mark.parametrize(
    "inner", [[], [shapely.Point(-75, 2)], [shapely.GeometryCollection([ROW[0]]), shapely.LineString([(0, 0), (1, 1)])]]
)
def test_a_collection_without_polygons_of_its_own_is_refused(tmp_path: Path, inner: list[Any]):
    frame([shapely.GeometryCollection(inner), *ROW[1:]]).to_parquet(tmp_path / "own.parquet")
    assert "05001" in refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.parquet"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_coordinate_that_is_no_number_is_refused(tmp_path: Path, value: float):
    points = shapely.get_coordinates(ROW[1])
    points[1, 0] = value
    with np.errstate(invalid="ignore"):
        frame([ROW[0], shapely.Polygon(points), ROW[2]]).to_parquet(tmp_path / "own.parquet")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.parquet"))
    assert "05002" in message
    assert "coordinates" in message


def test_a_row_that_is_there_twice_is_taken_once(tmp_path: Path):
    frame([*ROW, ROW[0]], code=[*CODES, "05001"], name=["a", "b", "c", "A"]).to_file(tmp_path / "own.gpkg")
    given = boundaries.load(tmp_path / "own.gpkg")
    assert (given.report.read, given.report.kept) == (4, 3)
    assert given.frame.at["05001", "area_km2"] == pytest.approx(122.9, rel=0.01)


def test_two_drawings_of_one_municipality_are_refused(tmp_path: Path):
    other = shapely.box(-75, 2, -74.95, 2.15)
    frame([*ROW, other], code=[*CODES, "05001"], name=["a", "b", "c", "a"]).to_file(tmp_path / "own.gpkg")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "own.gpkg"))
    assert "overlap and differ" in message
    assert "05001" in message
    assert "05002" not in message


def test_parts_of_a_municipality_newer_than_the_table_are_joined_where_they_touch(tmp_path: Path):
    frame(code=["27493", "27493", "05004"]).to_file(tmp_path / "own.gpkg")
    assert list(boundaries.load(tmp_path / "own.gpkg").frame.index) == ["05004", "27493"]
    frame(code=["27493", "05002", "27493"]).to_file(tmp_path / "own.gpkg")
    assert "27493" in refusal(CodeError, lambda: boundaries.load(tmp_path / "own.gpkg"))


@pytest.mark.parametrize("gap_m", [0.4, 5.0, 30.0])
def test_polygons_drawn_apart_are_joined_and_that_is_told(tmp_path: Path, gap_m: float):
    """Each of four squares shrunk: none borders another until slivers that open to the outside are closed."""
    shapes = frame([*ROW[:2], square(0, 1), square(1, 1)], "EPSG:9377", code=[*CODES, "05021"])
    shapes.geometry = shapes.geometry.buffer(-gap_m / 2, join_style="mitre")
    assert coverage.neighbours(shapes.set_index("code")).empty
    shapes.to_parquet(tmp_path / "own.parquet")
    given = boundaries.load(tmp_path / "own.parquet")
    pairs = set(coverage.neighbours(given.frame).itertuples(index=False, name=None))
    assert pairs >= {("05001", "05002"), ("05001", "05004"), ("05002", "05021"), ("05004", "05021")}
    assert shapely.coverage_is_valid(given.frame.geometry.to_numpy())
    assert any("apart joined" in line for line in given.report.short)


def test_islands_stay_as_they_are_and_that_they_are_apart_is_told(tmp_path: Path):
    islands = [square(0, 0), square(3, 0), square(6, 0)]
    frame(islands).to_file(tmp_path / "own.gpkg")
    given = boundaries.load(tmp_path / "own.gpkg")
    assert all(shapely.equals(given.frame.geometry.to_numpy(), islands))
    assert any("none borders another" in line for line in given.report.short)


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_the_bundled_boundaries_come_back_as_they_went_out(tmp_path: Path, suffix: str):
    path = tmp_path / f"own.{suffix}"
    ours = boundaries.load().frame
    ours.to_parquet(path) if suffix == "parquet" else ours.to_file(path)
    given = boundaries.load(path)
    assert given.report.findings == ()
    assert all(shapely.equals(given.frame.geometry.to_numpy(), ours.geometry.to_numpy()))
    assert shapely.get_num_coordinates(given.frame.geometry.to_numpy()).sum() == coverage.count_vertices(ours)
    assert given.frame.iloc[:, :3].to_dict("list") == ours.iloc[:, :3].to_dict("list")


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


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_whose_members_are_damaged_is_refused(tmp_path: Path, method: int, share: float):
    """The list of members at its end is whole; what it points to is not."""
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("own.geojson", frame().to_json() * 20)
    raw = bytearray(path.read_bytes())
    at = int(share * raw.index(b"PK\x01\x02"))
    raw[at : at + 20] = bytes(20)
    path.write_bytes(raw)
    assert "own.zip" in refusal(SourceError, lambda: boundaries.load(path))


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


class Listener(http.server.BaseHTTPRequestHandler):
    """Writes down who asks."""

    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_error(404)

    do_HEAD = do_GET  # noqa: N815  # http.server's own name

    def log_message(self, format: str, *args: object):
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """An address on this machine; the test fails if anyone asks it."""
    Listener.asked.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/x.geojson"
        server.shutdown()
    assert Listener.asked == []


def in_json(member: str) -> str:
    whole = json.loads(frame().to_json(drop_id=True))
    whole.pop("crs", None)
    return json.dumps(whole)[:-1] + f", {member}}}"


@pytest.mark.parametrize(
    "member",
    [
        '"crs": {"type": "link", "properties": {"href": "ADDRESS", "type": "ogcwkt"}}',
        '"CRS" : {"properties": {"url": "ADDRESS"}, "type": "URL"}',
        '"\\u0063r\\u0073": {"type": "lin\\u006b", "properties": {"href": "ADDRESS"}}',
        '"crs": {"type": "link", "type": "name", "properties": {"href": "ADDRESS", "name": "EPSG:4326"}}',
        '"crs": {"type": "link", "properties": {"href": "ADDRESS"}',
    ],
)
@pytest.mark.parametrize("name", ["own.geojson", "own.json", "own.topojson"])
def test_a_crs_that_is_an_address_is_not_asked_for(tmp_path: Path, address: str, member: str, name: str):
    (tmp_path / name).write_text(in_json(member.replace("ADDRESS", address)), encoding="utf-8")
    assert name in refusal(SourceError, lambda: boundaries.load(tmp_path / name))


def test_a_link_within_a_shape_is_not_asked_for(tmp_path: Path, address: str):
    whole = json.loads(frame().to_json(drop_id=True))
    whole["features"][1]["geometry"]["crs"] = {"type": "link", "properties": {"href": address}}
    (tmp_path / "own.geojson").write_text(json.dumps(whole), encoding="utf-8")
    assert "address" in refusal(SourceError, lambda: boundaries.load(tmp_path / "own.geojson"))


@pytest.mark.parametrize("name", ["own.geojson", "own.json", "own.topojson"])
@pytest.mark.parametrize("local", [True, False])
def test_commands_in_json_are_not_run(tmp_path: Path, address: str, name: str, local: bool):
    """GDAL's streamed algorithms are JSON files that may read any file or address."""
    frame().to_file(tmp_path / "secret.gpkg")
    source = tmp_path / "secret.gpkg" if local else f"/vsicurl/{address}"
    command = f"gdal vector pipeline ! read {source} ! write --output-format=stream streamed_dataset"
    text = json.dumps({"type": "gdal_streamed_alg", "command_line": command})
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert name in refusal(SourceError, lambda: boundaries.load(tmp_path / name))


@pytest.mark.parametrize(
    "extra", [{"__MACOSX/._own.shp": b"\0\5\26\7"}, {"metadata.json": b"{}"}, {"deep/.own.gpkg": b""}]
)
def test_what_lies_beside_the_file_of_an_archive_is_passed_over(tmp_path: Path, extra: dict[str, bytes]):
    (tmp_path / "source").mkdir()
    frame().to_file(tmp_path / "source" / "own.shp")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for part in (tmp_path / "source").iterdir():
            archive.write(part, part.name)
        for name, content in extra.items():
            archive.writestr(name, content)
    assert list(boundaries.load(tmp_path / "own.zip").frame.index) == CODES


def test_of_several_files_in_an_archive_the_one_with_municipalities_is_read(tmp_path: Path):
    (tmp_path / "source").mkdir()
    frame().to_file(tmp_path / "source" / "MGN_MPIO.shp")
    frame(DPTO_CCDGO=["05", "08", "11"]).to_file(tmp_path / "source" / "MGN_DPTO.shp")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for part in (tmp_path / "source").iterdir():
            archive.write(part, part.name)
    assert list(boundaries.load(tmp_path / "own.zip").frame.index) == CODES


def test_a_layer_of_seats_is_passed_over_for_the_polygons(tmp_path: Path):
    frame([shape.centroid for shape in ROW]).to_file(tmp_path / "own.gpkg", layer="a_seats")
    frame().to_file(tmp_path / "own.gpkg", layer="b_land")
    assert list(boundaries.load(tmp_path / "own.gpkg").frame.index) == CODES


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
