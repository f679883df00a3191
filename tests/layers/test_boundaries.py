"""A planner's own boundary file: the forms it may have, and what is refused with the codes at fault."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.errors import CodeError, GeometryError, PresenciaError, SchemaError, SourceError
from layers import boundaries
from layers.boundaries import Boundaries
from layers.report import Kind
from tests.layers.small import square

Write = Callable[..., Path]

ROW = [square(0, 0), square(1, 0), square(2, 0)]
CODES = ["05001", "05002", "05004"]
BOWTIE = shapely.Polygon([(-74, 2), (-73, 3), (-73, 2), (-74, 3)])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(
        shapes: Sequence[Any] = ROW,
        codes: Sequence[object] = CODES,
        *,
        heading: str = "MPIO_CDPMP",
        crs: str | None = "EPSG:4326",
        name: str = "own.gpkg",
        **columns: Sequence[object],
    ) -> Path:
        frame = gpd.GeoDataFrame({heading: list(codes), **columns}, geometry=list(shapes), crs="EPSG:4326")
        frame = frame.to_crs(crs) if crs else gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=list(shapes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # writing without a CRS is what is to be shown
            frame.to_file(tmp_path / name)
        return tmp_path / name

    return to_file


def refusal(kind: type[PresenciaError], load: Callable[[], object]) -> str:
    with pytest.raises(kind) as refused:
        load()
    message = str(refused.value)
    assert "\n" not in message
    return message


def check(given: Boundaries) -> None:
    frame = given.frame
    assert list(frame.index) == CODES
    assert frame.index.name == "code"
    assert frame.crs == "EPSG:4326"
    assert frame["name"].tolist() == ["Medellín", "Abejorral", "Abriaquí"]
    assert set(frame["department"]) == {"Antioquia"}
    np.testing.assert_allclose(frame["area_km2"], 122.9, rtol=0.01)
    np.testing.assert_allclose(shapely.get_coordinates(frame.geometry.centroid.to_numpy())[:, 1], 2.05, atol=1e-3)


@pytest.mark.parametrize("name", ["own.gpkg", "own.geojson", "own.shp", "own.fgb"])
@pytest.mark.filterwarnings("ignore:.*centroid.*:UserWarning")
def test_formats(write: Write, name: str):
    given = boundaries.load(write(name=name))
    check(given)
    assert {finding.kind for finding in given.report.findings} == {Kind.NOTED}  # these squares lie nowhere near
    assert given.notes == given.report.short
    assert given.path.name == name


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:9377", "EPSG:4686", "EPSG:3857"])
@pytest.mark.filterwarnings("ignore:.*centroid.*:UserWarning")
def test_any_stated_crs(write: Write, crs: str):
    check(boundaries.load(write(crs=crs)))


@pytest.mark.parametrize("codes", [[5001, 5002, 5004], ["5001", "5002", "5004"], [5001.0, 5002.0, 5004.0]])
@pytest.mark.parametrize("heading", ["code", "MPIO_CCNCT", "Código DANE", "DIVIPOLA"])
@pytest.mark.filterwarnings("ignore:.*centroid.*:UserWarning")
def test_codes_as_text_or_number_under_any_known_heading(write: Write, codes: list[object], heading: str):
    check(boundaries.load(write(codes=codes, heading=heading)))


@pytest.mark.filterwarnings("ignore:.*centroid.*:UserWarning")
def test_rows_are_sorted_by_code(write: Write):
    check(boundaries.load(write(shapes=ROW[::-1], codes=CODES[::-1])))


def test_a_municipality_newer_than_the_bundled_table_brings_its_name(write: Write):
    given = boundaries.load(
        write(codes=["27493", "05002", "05004"], MPIO_CNMBR=["NUEVO BELÉN DE BAJIRÁ", "X", "Y"])
    ).frame
    assert given["name"].tolist() == ["Abejorral", "Abriaquí", "Nuevo Belén de Bajirá"]
    assert given.at["27493", "department"] == "Chocó"
    assert given.at["27493", "point"] == "inside"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_name_that_is_blank_is_replaced_by_the_code(write: Write, blank: str | None):
    given = boundaries.load(write(codes=["27493", "05002", "05004"], MPIO_CNMBR=[blank, "X", "Y"])).frame
    assert given.at["27493", "name"] == "27493"


def test_points_lie_inside(write: Write):
    frame = boundaries.load(write()).frame
    points = gpd.GeoSeries(gpd.points_from_xy(frame["lon"], frame["lat"]), index=frame.index, crs="EPSG:4326")
    assert points.within(frame.geometry).all()
    assert set(frame["point"]) == {"inside"}  # the towns lie elsewhere than these squares


def test_polygons_that_overlap_are_made_a_coverage_and_that_is_said(write: Write):
    wide = shapely.box(-75.0, 2.0, -74.895, 2.1)  # 560 m into its neighbour
    given = boundaries.load(write(shapes=[wide, *ROW[1:]]))
    assert shapely.coverage_is_valid(given.frame.geometry.to_numpy())
    assert any("overlapped others" in line for line in given.report.short)
    assert list(given.frame.index) == CODES


def test_the_layer_with_codes_is_found(write: Write, tmp_path: Path):
    path = write()
    other = gpd.GeoDataFrame({"river": ["Cauca"]}, geometry=[shapely.Point(-75, 2)], crs="EPSG:4326")
    target = tmp_path / "two.gpkg"
    other.to_file(target, layer="a_rivers")
    gpd.read_file(path).to_file(target, layer="b_towns")
    assert list(boundaries.load(target).frame.index) == CODES


def test_a_missing_file(tmp_path: Path):
    assert "nowhere.gpkg" in refusal(SourceError, lambda: boundaries.load(tmp_path / "nowhere.gpkg"))


@pytest.mark.parametrize("text", ["{}", "", "neither one nor the other"])
def test_a_file_that_is_no_shapes(tmp_path: Path, text: str):
    (tmp_path / "own.geojson").write_text(text, encoding="utf-8")
    assert "own.geojson" in refusal(SourceError, lambda: boundaries.load(tmp_path / "own.geojson"))


def test_a_plain_table(tmp_path: Path):
    (tmp_path / "own.csv").write_text("code,name\n05001,a\n", encoding="utf-8")
    assert "is a file .csv" in refusal(SourceError, lambda: boundaries.load(tmp_path / "own.csv"))


def test_no_crs(write: Write):
    message = refusal(GeometryError, lambda: boundaries.load(write(crs=None)))
    assert "own.gpkg" in message
    assert "coordinate reference system" in message


@pytest.mark.parametrize("reference", [-1, 0])
def test_the_undefined_crs_of_a_geopackage_is_none(write: Write, reference: int):
    path = write()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_contents SET srs_id = ?", (reference,))
        database.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (reference,))
    message = refusal(GeometryError, lambda: boundaries.load(path))
    assert "coordinate reference system" in message


def test_degrees_under_a_metric_crs(tmp_path: Path):
    frame = gpd.GeoDataFrame({"code": CODES}, geometry=ROW, crs="EPSG:9377")
    frame.to_file(tmp_path / "wrong.gpkg")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "wrong.gpkg"))
    assert "look like degrees" in message
    assert "05001" in message


def test_a_shape_elsewhere_is_named(write: Write):
    message = refusal(GeometryError, lambda: boundaries.load(write(shapes=[shapely.box(10, 40, 11, 41), *ROW[1:]])))
    assert "05001" in message
    assert "05002" not in message


def test_no_codes(write: Write):
    message = refusal(SchemaError, lambda: boundaries.load(write(codes=["a", "b", "c"], heading="river")))
    assert "DIVIPOLA" in message
    assert "river" in message


def test_codes_that_repeat(write: Write):
    message = refusal(CodeError, lambda: boundaries.load(write(codes=["05001", "5001", "05004"])))
    assert "05001" in message
    assert "05004" not in message


def test_codes_that_are_malformed(write: Write):
    assert "'x'" in refusal(CodeError, lambda: boundaries.load(write(codes=["05001", "x", "05004"])))


def test_invalid_polygons(write: Write):
    message = refusal(GeometryError, lambda: boundaries.load(write(shapes=[ROW[0], BOWTIE, ROW[2]])))
    assert "05002" in message
    assert "Self-intersection" in message
    assert "05001" not in message


@pytest.mark.parametrize("shape", [None, shapely.Point(-75, 2), shapely.LineString([(-75, 2), (-74, 2)])])
def test_shapes_that_are_no_polygons(write: Write, shape: shapely.Geometry | None):
    message = refusal(GeometryError, lambda: boundaries.load(write(shapes=[ROW[0], shape, ROW[2]])))
    assert "05002" in message


def test_a_polygon_inside_another(write: Write):
    message = refusal(GeometryError, lambda: boundaries.load(write(shapes=[ROW[0], ROW[0].buffer(-0.01), ROW[2]])))
    assert "05002" in message


def test_a_column_of_codes_is_preferred_to_one_that_only_sounds_so(write: Write):
    """MGN files carry three-digit codes beside the five-digit ones."""
    given = boundaries.load(write(codes=["001", "002", "004"], heading="CODIGO", MPIO_CDPMP=CODES))
    assert list(given.frame.index) == CODES


def test_metres_under_a_geographic_crs(tmp_path: Path):
    metres = gpd.GeoSeries(ROW, crs="EPSG:4326").to_crs("EPSG:9377")
    frame = gpd.GeoDataFrame({"code": CODES}, geometry=list(metres), crs="EPSG:4326")
    frame.to_file(tmp_path / "wrong.gpkg")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "wrong.gpkg"))
    assert "wrong.gpkg" in message
    assert "look like metres" in message


def test_latitude_first(tmp_path: Path):
    swapped = [shapely.transform(shape, lambda points: points[:, ::-1]) for shape in ROW]
    frame = gpd.GeoDataFrame({"code": CODES}, geometry=swapped, crs="EPSG:4326")
    frame.to_file(tmp_path / "swapped.gpkg")
    message = refusal(GeometryError, lambda: boundaries.load(tmp_path / "swapped.gpkg"))
    assert "swapped.gpkg" in message
    assert "swap the axes" in message
