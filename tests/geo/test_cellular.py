"""The grid is known before its cells are given away as polygons, in another CRS, rounded, mixed up or in pieces."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from geo import cellular
from geo.errors import GeometryError
from geo.grid import Grid

SYSTEMS = ("EPSG:9377", "EPSG:3116", "EPSG:32618", "EPSG:4686")
ORIGINS = {
    "EPSG:9377": (4_400_000.0, 2_500_000.0),
    "EPSG:3116": (450_321.0, 1_800_000.0),
    "EPSG:32618": (99_000.5, 1.3e6),
}


def country(crs: str, *, side: float = 1000.0) -> Grid:
    return Grid(crs, Affine(side, 0.0, ORIGINS[crs][0], 0.0, -side, ORIGINS[crs][1]), 1300, 1200)


def given_away(grid: Grid, row: np.ndarray, col: np.ndarray, decimals: int | None = None) -> gpd.GeoSeries:
    shapes = grid.cells(row, col).to_crs("EPSG:4326").to_numpy()
    if decimals is not None:
        shapes = shapely.transform(shapes, lambda xy: np.round(xy, decimals))
    return gpd.GeoSeries(shapes, crs="EPSG:4326")


@pytest.mark.parametrize("decimals", [None, 6, 4])
@pytest.mark.parametrize("crs", ORIGINS)
def test_the_grid_comes_back_from_turned_and_rounded_squares(crs: str, decimals: int | None):
    grid = country(crs)
    key = np.random.default_rng(1).permutation(grid.height * grid.width)[:5000]
    row, col = key // grid.width, key % grid.width
    found = cellular.lattice(given_away(grid, row, col, decimals), SYSTEMS)
    assert found.grid.crs == crs
    assert np.array_equal([found.row, found.col], [row - row.min(), col - col.min()])
    expected = grid.transform @ Affine.translation(col.min(), row.min())
    assert tuple(found.grid.transform) == pytest.approx(tuple(expected), abs=0.05)
    assert [found.grid.height, found.grid.width] == [int(np.ptp(row)) + 1, int(np.ptp(col)) + 1]
    assert found.whole.all()


@pytest.mark.parametrize("crs", ORIGINS)
def test_one_cell_is_enough(crs: str):
    found = cellular.lattice(given_away(country(crs), np.array([600]), np.array([500])), SYSTEMS)
    assert (found.grid.crs, found.grid.height, found.grid.width, found.grid.transform.a) == (crs, 1, 1, 1000.0)


def test_a_grid_of_degrees_and_one_that_is_turned_come_back():
    degrees = Grid("EPSG:4326", Affine(0.01, 0.0, -77.0, 0.0, -0.01, 3.0), 50, 50)
    row, col = np.divmod(np.arange(0, 2500, 7), 50)
    shapes = gpd.GeoSeries(degrees.cells(row, col).to_numpy(), crs="EPSG:4326")
    assert cellular.lattice(shapes, SYSTEMS).grid.is_geographic
    turned = Grid("EPSG:9377", Affine.translation(4.8e6, 2e6) @ Affine.rotation(20) @ Affine.scale(1000, -1000), 50, 50)
    found = cellular.lattice(given_away(turned, row, col), SYSTEMS)
    back = found.grid.cells(found.row, found.col).to_crs("EPSG:9377")
    assert shapely.hausdorff_distance(back.to_numpy(), turned.cells(row, col).to_numpy()).max() < 1.0


def test_points_along_the_sides_do_not_hide_the_corners():
    row, col = np.divmod(np.arange(100), 10)
    dense = shapely.segmentize(country("EPSG:9377").cells(row, col).to_numpy(), 300.0)
    shapes = gpd.GeoSeries(dense, crs="EPSG:9377").to_crs("EPSG:4326")
    assert cellular.lattice(shapes, SYSTEMS).grid.crs == "EPSG:9377"


def test_pieces_belong_to_their_cell():
    grid = country("EPSG:9377")
    row, col = np.divmod(np.arange(100), 10)
    shapes = grid.cells(row, col).to_numpy()
    shapes[13] = shapely.intersection(shapes[13], shapely.buffer(shapely.centroid(shapes[13]), 400.0))
    found = cellular.lattice(gpd.GeoSeries(shapes, crs="EPSG:9377").to_crs("EPSG:4326"), SYSTEMS)
    assert (found.row[13], found.col[13]) == (1, 3)
    assert list(np.flatnonzero(~found.whole)) == [13]
    assert found.covered[13] == pytest.approx(shapely.area(shapes[13]) / 1e6, rel=1e-6)


def test_polygons_that_are_no_cells_are_named():
    row, col = np.divmod(np.arange(100), 10)
    shapes = country("EPSG:9377").cells(row, col)
    shapes[41] = affinity.translate(shapes[41], 0.0, 300.0)
    with pytest.raises(GeometryError, match=r"1 are not .*: 41 \(-7\d\.\d+ \d+\.\d+\)"):
        cellular.lattice(shapes, SYSTEMS)


def test_polygons_of_no_grid_are_refused():
    chance = np.random.default_rng(3)
    x, y = chance.uniform([[4.8e6], [2e6]], [[4.9e6], [2.1e6]], (2, 50))
    wild = gpd.GeoSeries(shapely.box(x, y, x + 1000, y + 1000), crs="EPSG:9377")
    with pytest.raises(GeometryError, match="equal cells of one grid"):
        cellular.lattice(wild, SYSTEMS)
    with pytest.raises(GeometryError, match="none has four corners"):
        cellular.lattice(gpd.GeoSeries(shapely.points(x, y).tolist(), crs="EPSG:9377"), SYSTEMS)


def union_find(cells: list[tuple[int, int]], *, corners: bool) -> list[int]:
    """The lowest place in each cell's group, by joining every pair that touches."""
    root = list(range(len(cells)))
    for a, (r, c) in enumerate(cells):
        for b, (s, d) in enumerate(cells):
            apart = abs(r - s), abs(c - d)
            if (max(apart) if corners else sum(apart)) == 1:
                low, high = sorted((root[a], root[b]))
                root = [low if each == high else each for each in root]
    return root


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), unique=True, max_size=40), st.booleans())
def test_groups_are_those_of_joining_every_pair(cells: list[tuple[int, int]], corners: bool):
    row, col = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    group = cellular.touching(row, col, corners=corners)
    expected = union_find(cells, corners=corners)
    order = {root: number for number, root in enumerate(dict.fromkeys(expected))}
    assert group.tolist() == [order[root] for root in expected]


@given(st.lists(st.integers(0, 99), unique=True), st.lists(st.tuples(*[st.floats(-2, 12)] * 4), min_size=1, max_size=3))
def test_shares_are_the_areas_that_shapely_cuts(keys: list[int], boxes: list[tuple[float, float, float, float]]):
    grid = Grid("EPSG:9377", Affine(1000.0, 0.0, 4.8e6, 0.0, -1000.0, 2e6), 10, 10)
    row, col = np.divmod(np.array(sorted(keys), dtype=np.int64), 10)
    drawn = [shapely.box(min(a, c), min(b, d), max(a, c) + 0.1, max(b, d) + 0.1) for a, b, c, d in boxes]
    placed = shapely.transform(np.array(drawn), lambda xy: xy * (1000, -1000) + (4.8e6, 2e6))
    polygons = gpd.GeoDataFrame(geometry=shapely.normalize(placed), crs="EPSG:9377")
    shares = cellular.shares(grid, row, col, polygons).toarray()
    cut = (
        shapely.area(shapely.intersection(grid.cells(row, col).to_numpy()[:, None], polygons.geometry.to_numpy())) / 1e6
    )
    assert shares == pytest.approx(cut.reshape(shares.shape), abs=1e-9)
    mask = np.zeros((10, 10), dtype=bool)
    mask[row, col] = True
    assert cellular.cells_under(grid, mask, polygons) == pytest.approx(cut.sum(axis=0), abs=1e-8)
