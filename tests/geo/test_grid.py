"""Grids: cells lie where their corners say, and are as large as the ellipsoid says."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.errors import GeometryError
from geo.grid import Grid
from tests.geo.rasterfiles import CELL_HA, DEGREES, EAST, METRIC, NORTH, NORTH_UP, PLACED, SIDE, STORAGE, frame

SPHERE = "+proj=longlat +R=6371000 +no_defs"
SIDES = st.floats(-900, 900).filter(lambda side: abs(side) > 1)


def affines() -> st.SearchStrategy[Affine]:
    """Any that is not nearly flat."""
    made = st.builds(Affine, SIDES, SIDES, st.floats(4e6, 5e6), SIDES, SIDES, st.floats(1e6, 3e6))
    return made.filter(lambda t: abs(t.determinant) > 0.2 * np.hypot(t.a, t.d) * np.hypot(t.b, t.e))


def ring(west: float, south: float, east: float, north: float, steps: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """A cell's outline, its parallels with so many points that geodesics between them follow them."""
    along = np.linspace(west, east, steps)
    lon = np.concatenate([along, along[::-1]])
    return lon, np.concatenate([np.full(steps, south), np.full(steps, north)])


@pytest.mark.parametrize("name", PLACED)
def test_cells_on_the_map_and_squares_in_columns_and_rows_are_each_others(name: str):
    grid = Grid(METRIC, PLACED[name], 5, 7)
    row, col = [0, 2, 4], [0, 3, 6]
    back = grid.place(grid.cells(row, col))
    assert shapely.equals_exact(
        shapely.normalize(back), shapely.normalize(shapely.box(col, row, *_next(col, row))), 1e-9
    ).all()
    centres = shapely.get_coordinates(grid.place(grid.centres(row, col)))
    assert centres == pytest.approx(np.column_stack([col, row]) + 0.5, abs=1e-9)


def _next(col: list[int], row: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(col) + 1, np.array(row) + 1


@given(affines(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_grid_finds_its_cells_again(transform: Affine, row: int, col: int):
    grid = Grid(METRIC, transform, 10_001, 10_001)
    cell = grid.cells([row], [col])
    assert cell.area.item() == pytest.approx(abs(transform.determinant), rel=1e-6)
    bounds = shapely.bounds(grid.place(cell))[0]
    assert bounds == pytest.approx([col, row, col + 1, row + 1], abs=1e-6)
    assert cell.covers(grid.centres([row], [col])).all()


def test_the_first_cell_lies_where_the_transform_begins():
    cell = Grid(METRIC, NORTH_UP, 5, 7).cells([0, 1], [0, 2])
    assert cell.crs == pyproj.CRS(METRIC)
    assert cell.total_bounds.tolist() == [EAST, NORTH - 2 * SIDE, EAST + 3 * SIDE, NORTH]
    assert cell.iloc[1].equals(shapely.box(EAST + 2 * SIDE, NORTH - 2 * SIDE, EAST + 3 * SIDE, NORTH - SIDE))


def test_shapes_of_another_crs_are_transformed_and_missing_ones_stay_missing():
    grid = Grid(METRIC, NORTH_UP, 5, 7)
    shapes = frame([shapely.box(1, 2, 3, 4), None, shapely.Polygon()])
    placed = grid.place(shapes.to_crs(STORAGE))
    assert shapely.bounds(placed[0]) == pytest.approx([1, 2, 3, 4], abs=1e-6)
    assert placed[1] is None
    assert placed[2].is_empty


def test_shapes_of_no_crs_and_cells_of_no_extent_are_refused():
    shapes = frame([shapely.box(1, 2, 3, 4)])
    with pytest.raises(GeometryError, match="zones must state a coordinate reference system"):
        Grid(METRIC, NORTH_UP, 5, 7).place(gpd.GeoDataFrame(geometry=shapes.geometry.to_numpy()), "zones")
    with pytest.raises(GeometryError, match="a width and a height"):
        Grid(METRIC, Affine(0, 0, 1, 0, 1, 1), 5, 7).place(shapes)


@pytest.mark.parametrize("name", PLACED)
def test_blocks_of_cells_hold_them(name: str):
    grid = Grid(METRIC, PLACED[name], 5, 7)
    coarse = grid.coarsened(3)
    assert (coarse.height, coarse.width) == (2, 3)
    whole = grid.cells(*np.divmod(np.arange(9), 3)).union_all()
    assert coarse.cells([0], [0]).iloc[0].symmetric_difference(whole).area == pytest.approx(0, abs=1e-3)
    assert coarse.cells([1], [2]).covers(grid.centres([4], [6])).all()


# Areas


@pytest.mark.parametrize("crs", [METRIC, "EPSG:3116", "EPSG:32618"])
@pytest.mark.parametrize("name", PLACED)
def test_areas_of_a_projection_that_keeps_them_are_those_of_its_cells(crs: str, name: str):
    t = PLACED[name]
    east, north = gpd.GeoSeries([Point(EAST, NORTH)], crs=METRIC).to_crs(crs).get_coordinates().iloc[0]
    grid = Grid(crs, Affine(t.a, t.b, east, t.d, t.e, north), 5, 7)
    assert grid.area_ha() == pytest.approx(np.full(5, abs(t.determinant) / 10_000))
    assert len(grid.area_ha(range(1, 3))) == 2
    assert not grid.is_geographic


def test_areas_in_feet_are_hectares_all_the_same():
    grid = Grid("EPSG:2264", Affine(1000, 0, 2_000_000, 0, -1000, 600_000), 2, 2)
    assert grid.area_ha() == pytest.approx(np.full(2, 1000**2 * (1200 / 3937) ** 2 / 10_000))


def test_san_andres_is_within_what_is_allowed_and_the_web_is_not():
    east, north = gpd.GeoSeries([Point(-81.7, 12.6)], crs=STORAGE).to_crs(METRIC).get_coordinates().iloc[0]
    assert Grid(METRIC, Affine(250, 0, east, 0, -250, north), 40, 40).area_ha()[0] == CELL_HA
    guajira = gpd.GeoSeries([Point(-72, 12)], crs=STORAGE).to_crs(3857).get_coordinates().iloc[0]
    with pytest.raises(
        GeometryError, match=r"within 3%; in 'WGS 84 / Pseudo-Mercator' they are off by up to .*EPSG:9377"
    ):
        Grid("EPSG:3857", Affine(250, 0, guajira.x, 0, -250, guajira.y), 40, 40).area_ha()


@pytest.mark.parametrize("crs", [STORAGE, "EPSG:4686", "EPSG:4218"])
@pytest.mark.parametrize("t", [DEGREES, Affine(-0.01, 0, -74.0, 0, 0.0125, -3.0)])
def test_cells_in_degrees_have_the_area_of_the_ellipsoid(crs: str, t: Affine):
    geod = pyproj.CRS(crs).get_geod()
    assert geod is not None
    areas = Grid(crs, t, 400, 3).area_ha()
    for row in (0, 239, 240, 399):
        outline = ring(t.c, t.f + t.e * row, t.c + t.a, t.f + t.e * (row + 1), 300)
        assert areas[row] == pytest.approx(abs(geod.polygon_area_perimeter(*outline)[0]) / 10_000, rel=1e-9)


def test_cells_on_a_sphere_follow_from_sines():
    grid = Grid(SPHERE, Affine(1, 0, -80, 0, -1, 90), 180, 360)
    south, north = np.radians(90 - np.arange(1, 181)), np.radians(90 - np.arange(180))
    expected = np.radians(1) * 6_371_000.0**2 * (np.sin(north) - np.sin(south)) / 10_000
    assert grid.area_ha() == pytest.approx(expected, rel=1e-12)
    assert grid.area_ha().sum() * 360 == pytest.approx(4 * np.pi * 6_371_000.0**2 / 10_000)


def test_all_cells_of_the_world_sum_to_the_ellipsoid():
    geod = pyproj.Geod(ellps="WGS84")
    whole, _ = geod.polygon_area_perimeter(*ring(0, 0, 180, 90, 200_000))
    world = Grid(STORAGE, Affine(0.5, 0, -180, 0, -0.5, 90), 360, 720)
    assert world.area_ha().sum() * 720 == pytest.approx(4 * whole / 10_000, rel=1e-8)
    assert world.area_ha() == pytest.approx(world.area_ha()[::-1], rel=1e-12)


def test_cells_beyond_the_poles_and_turned_ones_in_degrees_have_no_area():
    with pytest.raises(GeometryError, match="between the poles"):
        Grid(STORAGE, Affine(1, 0, 0, 0, -1, 91), 10, 10).area_ha()
    with pytest.raises(GeometryError, match="this raster is turned"):
        Grid(STORAGE, Affine(0.01, 0.001, -74, 0.001, -0.01, 3), 10, 10).area_ha()


def test_areas_where_no_projection_reaches_are_refused():
    with pytest.raises(GeometryError, match="areas of cells must be true"):
        Grid(METRIC, Affine(250, 0, 2e16, 0, -250, NORTH), 40, 40).area_ha()


def test_sides_are_kilometres_on_the_ground():
    geod = pyproj.Geod(ellps="WGS84")
    assert Grid(METRIC, NORTH_UP, 41, 41).side_km == pytest.approx(0.25, rel=0.005)
    assert Grid(STORAGE, DEGREES, 1, 1).side_km == pytest.approx(
        geod.line_length([-74, -73.99], [2.99375] * 2) / 1000, rel=1e-5
    )
    oblong = Grid(METRIC, Affine(1000, 0, EAST, 0, -250, NORTH), 41, 41)
    assert oblong.sides_km == pytest.approx((1.0, 0.25), rel=0.005)
    with pytest.raises(GeometryError, match="its middle does not"):
        Grid("EPSG:32618", Affine(1e9, 0, 1e12, 0, -1e9, 1e12), 3, 3).side_km  # noqa: B018


@pytest.mark.parametrize("lean", [0.0, 1.0, 5.0, -40.0])
def test_a_sheared_cell_is_as_thin_as_its_area_by_its_longest_side(lean: float):
    grid = Grid(METRIC, Affine(250, 250 * lean, EAST, 0, -250, NORTH), 41, 41)
    longest = 0.25 * np.hypot(1, lean)
    assert max(grid.sides_km) == pytest.approx(longest, rel=0.005)
    assert grid.side_km == pytest.approx(0.25**2 / longest, rel=0.005)
