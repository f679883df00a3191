"""Cells under polygons: shares that one can count on paper, and any polygon's against cells cut by shapely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import cells
from geo.cells import LEAST, Cover
from geo.errors import GeometryError
from tests.geo import cutting
from tests.geo.made import SEEDS

HEIGHT, WIDTH = 9, 11
Floats = npt.NDArray[np.float64]


def objects(*shapes: shapely.Geometry | None) -> npt.NDArray[np.object_]:
    column = np.empty(len(shapes), dtype=object)
    column[:] = shapes
    return column


def covered(*shapes: shapely.Geometry | None, rows: tuple[int, int] = (0, HEIGHT), width: int = WIDTH) -> Cover:
    return cells.cover(cells.edges(objects(*shapes)), rows=rows, width=width)


def dense(found: Cover, count: int, height: int = HEIGHT, width: int = WIDTH) -> Floats:
    """Shares as an array of polygons, rows and columns; every cell must come once."""
    polygon, row, col, share = found.expanded()
    assert len(np.unique(np.column_stack([polygon, row, col]), axis=0)) == len(share)
    every = np.zeros((count, height, width))
    every[polygon, row, col] = share
    return every


def box_share(west: float, north: float, east: float, south: float) -> Floats:
    """Shares under a rectangle, which are products."""
    col, row = np.arange(WIDTH), np.arange(HEIGHT)
    wide = np.clip(np.minimum(east, col + 1) - np.maximum(west, col), 0, None)
    high = np.clip(np.minimum(south, row + 1) - np.maximum(north, row), 0, None)
    return np.outer(high, wide)


# On paper


@pytest.mark.parametrize(
    "bounds",
    [
        (2, 3, 5, 7), (2.25, 3.5, 5.75, 6.125), (2.2, 3.2, 2.7, 3.3), (2, 3.2, 3, 3.3), (2.5, 3, 2.5001, 8),
        (-4, -4, 20, 20), (-4, 2.5, 0.5, 20), (10.5, -9, 99, 0.25), (0, 0, WIDTH, HEIGHT), (-1e9, -1e9, 1e9, 1e9),
        (1.5, -1e6, 1.75, 1e6),
    ],
)  # fmt: skip
def test_shares_under_a_rectangle_are_its_width_times_its_height(bounds: tuple[float, float, float, float]):
    west, north, east, south = bounds
    found = dense(covered(shapely.box(west, north, east, south)), 1)[0]
    assert found == pytest.approx(box_share(west, north, east, south), abs=1e-15)


def test_whole_cells_are_runs_and_only_those_on_a_border_stand_alone():
    found = covered(shapely.box(1.5, 1.5, 8.5, 4.5))
    assert found.run_row.tolist() == [2, 3]
    assert (found.run_start.tolist(), found.run_stop.tolist()) == ([2, 2], [8, 8])
    assert len(found.share) == 2 * 8 + 2 * 2
    assert set(found.share) == {0.25, 0.5}


def test_a_triangle_halves_the_cells_on_its_long_side():
    found = dense(covered(shapely.Polygon([(0, 0), (0, 5), (5, 5)])), 1)[0]
    row, col = np.indices((HEIGHT, WIDTH))
    expected = np.where(row < 5, np.where(col < row, 1.0, np.where(col == row, 0.5, 0.0)), 0.0)
    assert found == pytest.approx(expected, abs=1e-15)


def test_a_hole_is_left_out_and_parts_are_added():
    ring = shapely.box(1, 1, 6, 6).difference(shapely.box(2.5, 2.5, 4.5, 4.5))
    both = shapely.union_all([ring, shapely.box(3, 3, 4, 4), shapely.box(7.25, 0, 7.5, 1)])
    found = dense(covered(both), 1)[0]
    expected = box_share(1, 1, 6, 6) - box_share(2.5, 2.5, 4.5, 4.5) + box_share(3, 3, 4, 4)
    assert found == pytest.approx(expected + box_share(7.25, 0, 7.5, 1), abs=1e-15)


def test_the_way_in_which_rings_run_does_not_matter():
    shape = shapely.box(1.3, 1.3, 6.2, 6.1).difference(shapely.box(2, 2, 3.5, 3.5))
    one, other = (dense(covered(shapely.orient_polygons(shape, exterior_cw=way)), 1) for way in (True, False))
    assert np.array_equal(one, other)


def test_shapes_that_touch_in_a_point_or_along_lines_of_the_grid_do_not_share_cells():
    bowl = shapely.MultiPolygon([shapely.box(2, 2, 4, 4), shapely.box(4, 4, 6, 6)])
    found = dense(covered(bowl, shapely.box(4, 2, 6, 4), shapely.box(2, 4, 4, 6)), 3)
    assert set(found.ravel()) == {0.0, 1.0}
    assert np.array_equal(found.sum(axis=0), box_share(2, 2, 6, 6))


def test_missing_and_empty_shapes_and_those_elsewhere_cover_nothing():
    away = [shapely.box(*at) for at in ((-9, 2, -1, 4), (WIDTH, 2, 19, 4), (2, -9, 4, 0), (2, HEIGHT, 4, 19))]
    found = covered(None, shapely.Polygon(), *away, shapely.MultiPolygon())
    assert len(found.expanded()[0]) == 0
    assert len(covered().expanded()[0]) == 0


def test_a_sliver_thinner_than_rounding_is_no_land():
    assert len(covered(shapely.box(2, 2, 2 + 1e-13, 3)).share) == 0
    assert covered(shapely.box(2, 2, 2 + 1e-9, 3)).share == pytest.approx([1e-9], rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]),
        shapely.LineString([(0, 0), (2, 2)]),
        shapely.Point(1, 1),
        shapely.GeometryCollection([shapely.box(0, 0, 1, 1)]),
        shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)]),
    ],
)
def test_what_is_no_valid_polygon_is_refused_by_its_place(wrong: shapely.Geometry):
    with pytest.raises(GeometryError, match=r"valid polygons .* places 1, 3 \(from 0\) are not: repair them"):
        cells.edges(objects(shapely.box(0, 0, 1, 1), wrong, None, wrong))


# Against cells cut one by one


@given(st.lists(cutting.stars(), min_size=1, max_size=4))
def test_shares_are_those_of_cells_cut_by_shapely(shapes: list[shapely.Geometry]):
    found = dense(covered(*shapes), len(shapes))
    assert found == pytest.approx(cutting.shares(shapes, HEIGHT, WIDTH), abs=1e-12)
    assert ((found == 0) | (found > LEAST)).all()
    assert (found <= 1).all()


@given(st.lists(cutting.stars(), min_size=1, max_size=3), st.integers(1, HEIGHT - 1), st.integers(1, WIDTH - 1))
def test_parts_of_the_grid_are_as_in_the_whole(shapes: Sequence[shapely.Geometry], row: int, col: int):
    whole = dense(covered(*shapes), len(shapes))
    strips = [covered(*shapes, rows=rows) for rows in ((0, row), (row, HEIGHT))]
    parts = [strip.columns(*cols) for strip in strips for cols in ((0, col), (col, WIDTH))]
    for part, rows in zip(parts, (slice(row), slice(row), slice(row, None), slice(row, None)), strict=True):
        assert set(part.row) | set(part.run_row) <= set(range(HEIGHT)[rows])
    assert sum(dense(part, len(shapes)) for part in parts) == pytest.approx(whole, abs=1e-13)


@given(SEEDS, st.integers(1, 25))
def test_neighbours_and_what_is_outside_share_every_cell_out(seed: int, count: int):
    shapes = cutting.mosaics(seed, count, size=6.0)
    found = covered(*shapes)
    rest = cells.outside(found, rows=(0, HEIGHT), width=WIDTH)
    every = dense(found.with_outside(len(shapes), rest), len(shapes) + 1)
    assert every.sum(axis=0) == pytest.approx(np.ones((HEIGHT, WIDTH)), abs=1e-12)
    assert every[-1] == pytest.approx(1 - cutting.shares(shapes, HEIGHT, WIDTH).sum(axis=0), abs=2e-12)


@given(cutting.stars(), st.integers(0, HEIGHT - 1))
def test_what_one_shape_leaves_is_outside(shape: shapely.Geometry, first: int):
    found = covered(shape, rows=(first, HEIGHT))
    rest = cells.outside(found, rows=(first, HEIGHT), width=WIDTH)
    whole = dense(found, 1)[0] + dense(rest, 1)[0]
    assert whole[first:] == pytest.approx(np.ones((HEIGHT - first, WIDTH)), abs=2e-12)
    assert not whole[:first].any()


def test_without_shapes_everything_is_outside_in_one_run_a_row():
    rest = cells.outside(covered(rows=(2, 5)), rows=(2, 5), width=WIDTH)
    assert (rest.run_row.tolist(), rest.run_start.tolist(), rest.run_stop.tolist()) == ([2, 3, 4], [0] * 3, [WIDTH] * 3)
    assert len(rest.share) == 0


def test_expanded_cells_come_by_polygon_row_and_column():
    polygon, row, col, share = covered(shapely.box(1.5, 1, 4, 3), shapely.box(0, 0, 2, 2)).expanded()
    order = np.lexsort((col, row, polygon))
    assert np.array_equal(order, np.arange(len(order)))
    assert share.tolist() == [0.5, 1, 1, 0.5, 1, 1, 1, 1, 1, 1]


def test_edges_of_other_rows_are_left_aside():
    found = cells.edges(objects(shapely.box(0, 0, 2, 2), shapely.box(0, 5, 2, 7)))
    assert set(found.within(0, 4).polygon) == {0}
    assert set(found.within(1, 6).polygon) == {0, 1}
    assert (found.start[:, 1] <= found.stop[:, 1]).all()
