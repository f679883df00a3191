"""Points and polygons: areas known by hand, and distances and places against plain loops and the ellipsoid."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point

from geo import overlay
from geo.errors import GeometryError
from tests.geo.made import EAST, NORTH, SEEDS, Labels, box, coded, grid, label_arrays, mosaic, pixel, unsaid, voronoi

ELLIPSOID = Geod(ellps="GRS80")
STORAGE, METRIC = "EPSG:4326", "EPSG:9377"
PLACES = st.tuples(st.floats(-79, -67), st.floats(-4, 12.5))


def points(places: list[tuple[float, float]], *, first: int = 0) -> gpd.GeoSeries:
    index = pd.Index([f"p{number}" for number in range(first, first + len(places))])
    return gpd.GeoSeries([Point(place) for place in places], index=index, crs=STORAGE)


def series(places: Iterable[Point | None], *, crs: str) -> gpd.GeoSeries:
    return gpd.GeoSeries(np.array(list(places), dtype=object), crs=crs)


def at(east_km: float, north_km: float) -> Point:
    return Point(EAST + east_km * 1_000, NORTH + north_km * 1_000)


def arrows(seed: int, count: int) -> npt.NDArray[np.float64]:
    """Random places in and around the square degree of the Voronoi cells."""
    return np.random.default_rng(seed).uniform((-75.2, 1.8), (-73.8, 3.2), size=(count, 2))


# Areas


def test_a_square_of_ten_kilometres_has_a_hundred_square_kilometres():
    frame = coded([box(0, 0, 10, 10), box(10, 0, 10.5, 1), box(0, 0, 3, 3).difference(box(1, 1, 2, 2))])
    area = overlay.area_km2(frame)
    assert area.name == "area_km2"
    assert area.index.equals(frame.index)
    assert area.tolist() == pytest.approx([100, 0.5, 8])
    assert overlay.area_km2(frame.to_crs(STORAGE)).tolist() == pytest.approx([100, 0.5, 8], rel=1e-9)


@given(PLACES)
def test_areas_on_the_mainland_are_those_of_the_ellipsoid_within_one_percent(place: tuple[float, float]):
    cell = shapely.box(*place, place[0] + 0.05, place[1] + 0.05)
    expected = abs(ELLIPSOID.geometry_area_perimeter(cell)[0]) / 1e6
    assert overlay.area_km2(coded([cell], crs=STORAGE)).iloc[0] == pytest.approx(expected, rel=0.0105)


@given(SEEDS)
@limits(max_examples=20)
def test_the_areas_of_a_coverage_add_up_to_that_of_its_union(seed: int):
    frame, _ = voronoi(seed)
    whole = frame.dissolve()
    assert overlay.area_km2(frame).sum() == pytest.approx(overlay.area_km2(whole).iloc[0], rel=1e-9)


# Polygons under others


def test_a_half_covered_square_is_half_covered_and_what_only_touches_covers_nothing():
    frame = coded([box(0, 0, 2, 2), box(2, 0, 4, 2), box(0, 2, 2, 4), box(2, 2, 4, 4)])
    share = overlay.covered_share(frame, coded([box(0, 0, 1, 2), box(2.5, 0.5, 3.5, 1.5), box(2, 2, 9, 9)]))
    assert share.name == "covered_share"
    assert share.index.equals(frame.index)
    assert share.tolist() == pytest.approx([0.5, 0.25, 0, 1], abs=1e-12)
    assert share["00002"] == 0
    assert share.max() <= 1


def test_areas_that_lie_over_each_other_count_once():
    twice = [box(0, 0, 3, 10), box(0, 0, 3, 10), box(2, 0, 4, 10), box(1, 1, 2, 2)]
    assert overlay.covered_share(coded([box(0, 0, 10, 10)]), coded(twice)).iloc[0] == pytest.approx(0.4, rel=1e-12)


def test_a_hole_in_an_area_covers_nothing_and_parts_add_up():
    ring = box(1, 1, 9, 9).difference(box(3, 3, 7, 7))
    parts = shapely.union_all([box(4, 4, 5, 5), box(6, 6, 7, 7)])
    share = overlay.covered_share(coded([box(0, 0, 10, 10)]), coded([ring, parts]))
    assert share.iloc[0] == pytest.approx(0.5, rel=1e-12)


def test_slivers_along_a_border_are_counted_for_what_they_are():
    """An area drawn 10 m over the border of the square beside it."""
    frame = coded([box(0, 0, 10, 10), box(10, 0, 20, 10)])
    share = overlay.covered_share(frame, coded([box(5, 0, 10.01, 10)]))
    assert share.tolist() == pytest.approx([0.5, 0.001], rel=1e-9)


def test_areas_may_be_in_another_system_and_none_at_all_cover_nothing():
    frame = grid(2, 2)
    share = overlay.covered_share(frame.to_crs(STORAGE), coded([box(0, 0, 0.5, 1)]).to_crs(4686))
    assert share.tolist() == pytest.approx([0.5, 0, 0, 0], abs=1e-6)
    assert overlay.covered_share(frame, coded([])).tolist() == [0.0] * 4
    assert len(overlay.covered_share(coded([]), frame)) == 0
    with pytest.raises(GeometryError, match="coordinate reference system"):
        overlay.covered_share(frame, unsaid(frame))


@given(label_arrays(4), st.lists(label_arrays(2), max_size=3))
def test_shares_are_those_that_pixels_count(labels: Labels, covers: list[Labels]):
    """Truth by construction: no polygon is asked; areas may lie over each other and over the edge."""
    under = np.zeros((labels.shape[0] + 6, labels.shape[1] + 6), dtype=bool)
    for cover in covers:
        under[: cover.shape[0], : cover.shape[1]] |= cover == 1
    under = under[: labels.shape[0], : labels.shape[1]]
    areas = [shapely.union_all([pixel(x, y) for y, x in np.argwhere(cover == 1)]) for cover in covers if cover.any()]
    share = overlay.covered_share(mosaic(labels), coded(areas))
    expected = [under[labels == label].mean() for label in np.unique(labels)]
    np.testing.assert_allclose(share, expected, atol=1e-9)


@given(SEEDS)
@limits(max_examples=20)
def test_what_lies_under_an_area_adds_up_to_the_area(seed: int):
    frame, _ = voronoi(seed)
    whole = overlay.area_km2(frame)
    hull = coded([shapely.Point(-74.5, 2.5).buffer(0.3), shapely.box(-74.9, 2.1, -74.4, 2.6)], crs=STORAGE)
    union = hull.to_crs(METRIC).geometry.union_all().area / 1e6
    share = overlay.covered_share(frame, hull)
    assert (share * whole).sum() == pytest.approx(union, rel=1e-4)  # straight in degrees is not straight in metres
    assert share.between(0, 1).all()


# Points in polygons


@given(SEEDS)
@limits(max_examples=30)
def test_each_point_is_found_where_a_loop_over_all_polygons_finds_it(seed: int):
    frame, _ = voronoi(seed)
    where = points([(x, y) for x, y in arrows(seed, 25)])
    found = overlay.locate(where, frame)
    assert found.index.equals(where.index)
    for answer, point in zip(found, where, strict=True):
        holders = [code for code, cell in frame.geometry.items() if cell.intersects(point)]
        assert pd.isna(answer) if not holders else answer == holders[0]


@given(SEEDS)
@limits(max_examples=20)
def test_a_point_is_in_the_voronoi_cell_of_its_nearest_site(seed: int):
    """Truth by construction: no polygon is asked."""
    frame, _ = voronoi(seed)
    sites = np.random.default_rng(seed).uniform(0.02, 0.98, size=(20, 2)) + np.array([-75, 2])
    inside = np.random.default_rng(seed + 1).uniform((-74.99, 2.01), (-74.01, 2.99), size=(25, 2))
    far = np.linalg.norm(inside[:, None] - sites, axis=2)
    clear = np.diff(np.sort(far, axis=1)[:, :2], axis=1)[:, 0] > 1e-6
    found = overlay.locate(points([(x, y) for x, y in inside]), frame)
    assert found[clear].tolist() == frame.index[far.argmin(axis=1)[clear]].tolist()


def test_a_point_on_a_shared_border_goes_to_the_polygon_that_comes_first():
    """Degrees, so that no projection moves the border."""
    frame = coded([shapely.box(x, 0, x + 1, 1) for x in (-75, -74, -73)], crs=STORAGE)
    where = points([(-74, 0.5), (-73, 0.5), (-74, 1), (-72, 0)])
    assert overlay.locate(where, frame).tolist() == ["00000", "00001", "00000", "00002"]
    assert overlay.locate(where, frame.iloc[::-1]).tolist() == ["00001", "00002", "00001", "00002"]


def test_a_point_in_no_polygon_is_missing_and_so_is_a_missing_point():
    frame = coded([shapely.box(-75, 2, -74, 3).difference(shapely.box(-74.6, 2.4, -74.4, 2.6))], crs=STORAGE)
    where = series([Point(-74.5, 2.5), Point(-80, 2), None, Point(), Point(-74.9, 2.1)], crs=STORAGE)
    found = overlay.locate(where, frame)
    assert found.isna().tolist() == [True, True, True, True, False]
    assert found.iloc[4] == "00000"


def test_points_and_polygons_may_be_in_different_systems():
    frame = grid(3, 1)
    where = gpd.GeoSeries([at(0.5, 0.5), at(2.5, 0.5)], crs=METRIC).to_crs(STORAGE)
    assert overlay.locate(where, frame).tolist() == ["00000", "00002"]
    assert overlay.locate(where.to_crs(METRIC), frame.to_crs(4686)).tolist() == ["00000", "00002"]


def test_points_that_share_a_label_are_found_one_by_one():
    where = gpd.GeoSeries([at(0.5, 0.5), at(1.5, 0.5), at(9, 9)], index=["x", "x", "y"], crs=METRIC)
    found = overlay.locate(where, grid(2, 1))
    assert found.index.tolist() == ["x", "x", "y"]
    assert found.iloc[:2].tolist() == ["00000", "00001"]
    assert pd.isna(found.iloc[2])


@pytest.mark.parametrize(("some", "cells"), [(0, 2), (2, 0), (0, 0)])
def test_no_points_or_no_polygons_find_nothing(some: int, cells: int):
    found = overlay.locate(points([(-74.0, 2.0)] * some), grid(cells, 1))
    assert len(found) == some
    assert found.isna().all()


# A point inside


def test_the_point_inside_a_square_is_its_centre_in_storage():
    inner = overlay.inner_points(coded([box(0, 0, 10, 10)]))
    assert inner.crs == STORAGE
    assert list(inner.index) == ["00000"]
    assert inner.to_crs(METRIC).iloc[0].distance(at(5, 5)) < 150  # the circle is found to 100 m


HORSESHOE = box(0, 0, 10, 10).difference(box(1, 1, 10, 9))
RING = at(0, 0).buffer(9_000).difference(at(0, 0).buffer(8_000))
DUMBBELL = shapely.union_all([box(0, 0, 6, 6), box(6, 2.9, 30, 3.1), box(30, 1, 34, 5)])


@pytest.mark.parametrize("shape", [HORSESHOE, RING], ids=["horseshoe", "ring"])
def test_the_point_is_inside_where_the_centroid_is_not(shape: shapely.Polygon):
    frame = coded([shape])
    assert not shape.contains(shape.centroid)
    assert shape.contains(overlay.inner_points(frame).to_crs(METRIC).iloc[0])


def test_the_point_is_in_the_widest_place_and_in_the_largest_part():
    islands = shapely.MultiPolygon([box(50, 50, 51, 51), box(0, 0, 4, 4), box(20, 0, 23, 5), box(30, 0, 31, 12)])
    inner = overlay.inner_points(coded([DUMBBELL, islands])).to_crs(METRIC)
    assert inner.iloc[0].distance(at(3, 3)) < 150
    assert inner.iloc[1].distance(at(2, 2)) < 150


@given(label_arrays())
def test_the_point_is_inside_any_shape_and_as_far_from_its_border_as_can_be(labels: Labels):
    """Shrunk by the distance of the point plus the tolerance of 100 m, nothing is left of its part."""
    frame = mosaic(labels)
    inner = overlay.inner_points(frame).to_crs(METRIC)
    for shape, point in zip(frame.geometry, inner, strict=True):
        part = next(part for part in shapely.get_parts(shape) if part.contains(point))
        assert part.area == max(shapely.area(shapely.get_parts(shape)))
        assert part.buffer(-(part.boundary.distance(point) + 101)).is_empty
        assert part.boundary.distance(point) > 390  # every pixel has room for a circle of 500 m


def test_narrow_shapes_far_below_the_tolerance_still_hold_their_point():
    thin = shapely.LineString([at(3, 0), at(0, 0), at(0, 3), at(3, 3)]).buffer(5, cap_style="flat")
    assert thin.contains(overlay.inner_points(coded([thin])).to_crs(METRIC).iloc[0])


# The nearest


def test_distances_known_by_hand():
    where = gpd.GeoSeries([at(0, 0), at(3, 4), at(100, 0)], index=["a", "b", "c"], crs=METRIC)
    km = overlay.nearest_km(where, gpd.GeoSeries([at(0, 0), at(103, 4)], crs=METRIC))
    assert km.name == "nearest_km"
    assert km.index.equals(where.index)
    assert km.tolist() == pytest.approx([0, 5, 5])


@given(st.lists(PLACES, min_size=1, max_size=8), st.lists(PLACES, min_size=1, max_size=8))
@limits(max_examples=60)
def test_the_nearest_is_the_nearest_on_the_ellipsoid_within_the_error_of_the_projection(here, there):
    km = overlay.nearest_km(points(here), points(there, first=50))
    for place, found in zip(here, km, strict=True):
        metres = [ELLIPSOID.inv(*place, *target)[2] for target in there]
        assert found == pytest.approx(min(metres) / 1_000, rel=0.006, abs=1e-5)


@given(SEEDS)
@limits(max_examples=30)
def test_the_nearest_is_that_of_a_loop_over_all_targets(seed: int):
    where, targets = (points([(x, y) for x, y in arrows(seed + step, 12)]) for step in (0, 1))
    flat, aims = (shapely.get_coordinates(each.to_crs(METRIC).to_numpy()) for each in (where, targets))
    expected = np.linalg.norm(flat[:, None] - aims, axis=2).min(axis=1) / 1_000
    np.testing.assert_allclose(overlay.nearest_km(where, targets), expected, rtol=1e-9)


@given(st.lists(PLACES, min_size=1, max_size=6), st.lists(PLACES, min_size=1, max_size=6), PLACES)
@limits(max_examples=40)
def test_another_station_never_makes_the_way_longer(here, there, more):
    before = overlay.nearest_km(points(here), points(there))
    after = overlay.nearest_km(points(here), points([*there, more]))
    assert (after <= before + 1e-9).all()
    assert overlay.nearest_km(points([more]), points([*there, more])).iloc[0] == pytest.approx(0, abs=1e-9)


def test_several_targets_at_the_same_distance_give_one_figure():
    where = gpd.GeoSeries([at(0, 0)], index=["a"], crs=METRIC)
    assert overlay.nearest_km(where, gpd.GeoSeries([at(3, 4), at(-3, -4), at(3, 4)], crs=METRIC)).to_dict() == {"a": 5}


def test_a_missing_point_has_a_missing_distance_and_leaves_the_others():
    where = series([None, at(3, 4)], crs=METRIC)
    km = overlay.nearest_km(where, series([at(0, 0), None], crs=METRIC))
    np.testing.assert_array_equal(km, [np.nan, 5.0])


def test_an_empty_point_has_a_missing_distance_without_a_warning():
    where = gpd.GeoSeries([Point(), at(3, 4)], index=["a", "b"], crs=METRIC)
    np.testing.assert_array_equal(overlay.nearest_km(where, gpd.GeoSeries([at(0, 0)], crs=METRIC)), [np.nan, 5.0])


@pytest.mark.parametrize("targets", [[], [None], [Point()]], ids=["none", "missing", "empty"])
def test_without_a_target_every_distance_is_missing_and_not_zero(targets: list[Point | None]):
    km = overlay.nearest_km(points([(-74, 4), (-75, 5)]), series(targets, crs=STORAGE))
    assert len(km) == 2
    assert km.isna().all()


def test_no_points_have_no_distances():
    assert overlay.nearest_km(points([]), points([(-74, 4)])).empty


def test_points_that_share_a_label_have_their_own_distances():
    where = gpd.GeoSeries([at(0, 0), at(3, 0)], index=["a", "a"], crs=METRIC)
    assert overlay.nearest_km(where, gpd.GeoSeries([at(1, 0)], crs=METRIC)).tolist() == pytest.approx([1, 2])


# No system


@pytest.mark.parametrize(
    "measure",
    [
        lambda frame, where: overlay.area_km2(frame),
        lambda frame, where: overlay.inner_points(frame),
        lambda frame, where: overlay.locate(where, frame),
        lambda frame, where: overlay.locate(frame.geometry, where.to_frame("geometry")),
        lambda frame, where: overlay.nearest_km(frame.geometry, where),
        lambda frame, where: overlay.nearest_km(where, frame.geometry),
    ],
)
def test_shapes_that_do_not_say_where_they_are_are_refused(measure):
    with pytest.raises(GeometryError, match="must state a coordinate reference system"):
        measure(unsaid(grid(2, 1)), points([(-74, 4)]))
