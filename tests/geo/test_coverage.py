"""Coverages: neighbours known by construction and by libpysal, gaps and overlaps of known size, borders that stay."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from libpysal.weights import Queen, Rook
from libpysal.weights.contiguity import W

from geo import coverage
from geo.errors import GeometryError
from tests.geo.made import (
    SEEDS,
    Labels,
    Pairs,
    as_pairs,
    box,
    coded,
    grid,
    label_arrays,
    mosaic,
    mosaic_pairs,
    shuffled,
    unsaid,
    voronoi,
)

KM2 = 1e6
LAKE = box(1, 1, 2, 2)
AROUND = coded([box(0, 0, 3, 3).difference(LAKE)])
BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def libpysal_pairs(weights: W, index: pd.Index) -> Pairs:
    return {
        (index[left], index[right]) for left, others in weights.neighbors.items() for right in others if left < right
    }


def jagged(seed: int) -> gpd.GeoDataFrame:
    """Four counties of 40 by 40 pixels whose borders wander by a pixel or two."""
    rows, columns = np.indices((40, 40))
    wander = np.random.default_rng(seed).integers(-2, 3, size=(2, 40))
    labels = 2 * (rows + wander[0][columns] > 20) + (columns + wander[1][rows] > 20)
    return mosaic(labels)


# Neighbours


def test_squares_of_a_grid_are_neighbours_by_their_sides_and_not_by_their_corners():
    """2 over 3: the lower row holds 0, 1 and 2, the upper one 3, 4 and 5."""
    pairs = coverage.neighbours(grid(3, 2))
    assert list(pairs.columns) == ["left", "right"]
    assert list(zip(pairs["left"].str[-1], pairs["right"].str[-1], strict=True)) == [
        *(("0", "1"), ("0", "3"), ("1", "2"), ("1", "4")),
        *(("2", "5"), ("3", "4"), ("4", "5")),
    ]


def test_libpysal_counts_corners_among_queens_and_leaves_them_out_among_rooks():
    frame = grid(4, 3)
    ours = as_pairs(coverage.neighbours(frame))
    queens = libpysal_pairs(Queen.from_dataframe(frame, use_index=False), frame.index)
    assert ours == libpysal_pairs(Rook.from_dataframe(frame, use_index=False), frame.index)
    assert len(ours) == 3 * 3 + 4 * 2
    assert len(queens - ours) == 2 * 3 * 2  # two diagonals at each of the six inner corners


@given(SEEDS)
def test_voronoi_cells_are_neighbours_where_their_ridges_say_so(seed: int):
    frame, links = voronoi(seed)
    assert as_pairs(coverage.neighbours(frame)) == links


@pytest.mark.parametrize("seed", range(4))
def test_voronoi_cells_are_neighbours_where_libpysal_says_so(seed: int):
    frame, _ = voronoi(seed, 60)
    rooks = Rook.from_dataframe(frame, use_index=False)
    assert as_pairs(coverage.neighbours(frame)) == libpysal_pairs(rooks, frame.index)


@given(label_arrays())
def test_shapes_with_holes_and_parts_are_neighbours_where_their_pixels_stand_side_by_side(labels: Labels):
    assert as_pairs(coverage.neighbours(mosaic(labels))) == mosaic_pairs(labels)


@given(label_arrays(), SEEDS)
def test_neighbours_are_the_same_in_any_order_of_rows(labels: Labels, seed: int):
    frame = mosaic(labels)
    other = coverage.neighbours(shuffled(frame, seed))
    assert {tuple(sorted(pair)) for pair in as_pairs(other)} == as_pairs(coverage.neighbours(frame))


@given(label_arrays(), SEEDS)
def test_each_pair_stands_once_with_the_earlier_row_on_the_left(labels: Labels, seed: int):
    frame = shuffled(mosaic(labels), seed)
    pairs = coverage.neighbours(frame)
    assert not pairs.duplicated().any()
    left, right = (frame.index.get_indexer(pd.Index(pairs[side])) for side in ("left", "right"))
    assert (left < right).all()


def test_a_corner_that_both_sides_give_twice_is_still_no_border():
    """GEOS calls this a valid coverage: a vertex that stands twice in a ring is a segment without length."""
    lower = shapely.Polygon([(0, 0), (1, 0), (1, 1), (1, 1), (0, 1)])
    upper = shapely.Polygon([(1, 1), (1, 1), (2, 1), (2, 2), (1, 2)])
    frame = coded([lower, upper])
    assert coverage.is_coverage(frame)
    assert coverage.neighbours(frame).empty


def test_an_enclave_is_a_neighbour_of_what_surrounds_it():
    assert as_pairs(coverage.neighbours(coded([*AROUND.geometry, LAKE]))) == {("00000", "00001")}


@pytest.mark.parametrize("count", [0, 1])
def test_one_polygon_or_none_has_no_neighbours(count: int):
    assert coverage.neighbours(grid(count, 1)).shape == (0, 2)


# Validity


def test_a_grid_is_a_coverage():
    assert coverage.is_coverage(grid(3, 3))


@pytest.mark.parametrize(
    "second",
    [box(0.9, 0, 2, 1), box(1, -0.5, 2, 0.5), box(0, 0, 1, 1)],
    ids=["overlap", "vertices of one side only", "duplicate"],
)
def test_overlaps_and_mismatched_borders_are_no_coverage(second: shapely.Polygon):
    assert not coverage.is_coverage(coded([box(0, 0, 1, 1), second]))


@given(label_arrays())
def test_a_mosaic_is_a_coverage_until_one_of_its_shapes_is_moved_into_another(labels: Labels):
    frame = mosaic(labels)
    assert coverage.is_coverage(frame)
    moved = [shapely.transform(frame.geometry.iloc[0], lambda points: points + 250.0), *frame.geometry.iloc[1:]]
    if len(moved) > 1 and shapely.intersection(moved[0], shapely.union_all(moved[1:])).area > 0:
        assert not coverage.is_coverage(coded(moved))


# Holes and vertices


def test_holes_are_places_that_belong_to_no_polygon():
    assert coverage.count_holes(grid(3, 3)) == 0
    assert coverage.count_holes(AROUND) == 1
    assert coverage.count_holes(coded([*AROUND.geometry, LAKE])) == 0  # an enclave is no hole
    assert coverage.count_holes(grid(5, 5).drop(["00006", "00008", "00016"])) == 3
    assert coverage.count_holes(grid(3, 3).drop(["00001", "00004"])) == 0  # a bay opens to the outside


def test_holes_of_separate_islands_are_all_counted():
    far = shapely.transform(AROUND.geometry.iloc[0], lambda points: points + 10_000.0)
    assert coverage.count_holes(coded([*AROUND.geometry, far])) == 2


def test_vertices_of_shared_borders_count_once_for_each_side():
    assert coverage.count_vertices(grid(2, 1)) == 10  # a ring closes with its first corner
    assert coverage.count_vertices(AROUND) == 10


# Check


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (None, "must hold polygons"),
        (shapely.Polygon(), "must hold polygons"),
        (shapely.MultiPolygon(), "must hold polygons"),
        (shapely.Point(0, 0), "must hold polygons"),
        (shapely.LineString([(0, 0), (1, 1)]), "must hold polygons"),
        (shapely.GeometryCollection([box(0, 0, 1, 1)]), "must hold polygons"),
        (BOW_TIE, "Self-intersection"),
        (shapely.MultiPolygon([box(0, 0, 2, 2), box(1, 1, 3, 3)]), "Self-intersection"),
        (shapely.Polygon([(0, 0), (1, 1), (2, 2)]), "Too few points|Self-intersection"),
    ],
    ids=["none", "empty", "empty multi", "point", "line", "collection", "bow-tie", "overlapping parts", "flat"],
)
def test_a_shape_that_is_no_polygon_with_some_area_is_refused_by_its_code(shape, reason: str):
    frame = coded([box(0, 0, 1, 1), shape, box(1, 0, 2, 1)])
    with pytest.raises(GeometryError, match=reason) as refused:
        coverage.check_polygons(frame, "the boundaries of my.gpkg")
    message = str(refused.value)
    assert message.startswith("the boundaries of my.gpkg must hold")
    assert "00001" in message
    assert "00000" not in message
    assert "00002" not in message
    assert "\n" not in message


def test_every_refused_row_is_named_up_to_eight():
    with pytest.raises(GeometryError, match=r"00000, 00001, .*00007 and 3 more hold none"):
        coverage.check_polygons(coded([None] * 11), "the file")


def test_polygons_of_several_parts_and_with_holes_pass_untouched():
    frame = coded([shapely.MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]), *AROUND.geometry])
    assert coverage.check_polygons(frame, "the file") is frame


# Clean


def slivered() -> gpd.GeoDataFrame:
    """Four squares of 4 km about a gap of 100 m by 4 km, closed at both ends, and a fifth overlapping by 50 m."""
    ends = [box(0, -1, 4.1, 0), box(0, 4, 4.1, 5)]
    return coded([box(0, 0, 2, 4), box(2.1, 0, 4.1, 4), *ends, box(4.05, -1, 6, 5)])


def test_a_known_gap_and_a_known_overlap_are_closed_and_no_area_is_lost():
    before = slivered()
    assert not coverage.is_coverage(before)
    after = coverage.clean(before)
    assert coverage.is_coverage(after)
    assert after.crs == "EPSG:9377"
    assert after.index.equals(before.index)
    assert before.area.sum() / KM2 == pytest.approx(35.9)  # 36, less the gap of 0.4, and 0.3 held twice
    assert after.area.sum() / KM2 == pytest.approx(36)
    assert coverage.count_holes(after) == 0


def test_cleaning_gives_each_polygon_what_it_alone_held_and_no_place_that_another_did():
    before, gap = slivered(), box(2, 0, 2.1, 4)
    after = coverage.clean(before)
    for place, (own, shape) in enumerate(zip(before.geometry, after.geometry, strict=True)):
        others = shapely.union_all(np.delete(before.geometry.to_numpy(), place))
        assert own.difference(others).difference(shape).area == pytest.approx(0, abs=1)
        assert shape.difference(own.union(gap)).area == pytest.approx(0, abs=1)
    assert max(gap.intersection(shape).area for shape in after.geometry) / KM2 == pytest.approx(0.4)


def test_a_gap_wider_than_asked_stays_open():
    lake = coded([box(0, 0, 3, 3).difference(box(1, 1, 2.2, 2.2))])
    assert coverage.count_holes(coverage.clean(lake)) == 1
    assert coverage.count_holes(coverage.clean(lake, gap_m=1_300)) == 0
    narrow = coverage.clean(slivered(), gap_m=50)
    assert coverage.is_coverage(narrow)
    assert coverage.count_holes(narrow) == 1
    assert narrow.area.sum() / KM2 == pytest.approx(35.6)


def test_cleaning_keeps_columns_and_what_is_a_coverage_already():
    frame = grid(3, 2).assign(name=list("abcdef"))
    after = coverage.clean(frame)
    assert after["name"].tolist() == list("abcdef")
    assert shapely.equals(after.geometry.to_numpy(), frame.geometry.to_numpy()).all()


def test_a_bow_tie_is_repaired_before_it_is_fitted():
    tie = shapely.transform(BOW_TIE, lambda points: points * 1_000 + (4.8e6, 2e6))
    after = coverage.clean(coded([tie, box(5, 5, 6, 6)]))
    assert after.is_valid.all()
    assert after.area.iloc[0] / KM2 == pytest.approx(0.5)


def test_a_ribbon_that_crosses_itself_keeps_its_crossing():
    """1 km wide: strips of 4, 3, 2 and 3 km2, which cross in a place that is counted once, about a hole of 2 km2."""
    turns = [(0, 0), (4, 0), (4, 4), (1, 4), (1, -1), (2, -1), (2, 3), (3, 3), (3, 1), (0, 1)]
    ribbon = shapely.Polygon([(4.8e6 + x * 1_000, 2e6 + y * 1_000) for x, y in turns])
    frame = coded([ribbon, box(9, 9, 10, 10)])
    assert coverage.clean(frame, gap_m=0).area.iloc[0] / KM2 == pytest.approx(12)
    assert coverage.clean(frame, gap_m=1_100).area.iloc[0] / KM2 == pytest.approx(14)


def test_a_duplicate_that_would_vanish_is_refused_by_its_code():
    with pytest.raises(GeometryError, match=r"00001 kept none.*drop the duplicate"):
        coverage.clean(coded([box(0, 0, 1, 1), box(0, 0, 1, 1)]))


@pytest.mark.parametrize("shape", [None, shapely.Polygon(), shapely.Point(4.8e6, 2e6)], ids=["none", "empty", "point"])
def test_cleaning_refuses_what_cannot_be_part_of_a_coverage(shape):
    with pytest.raises(GeometryError, match="00001"):
        coverage.clean(coded([box(0, 0, 1, 1), shape]))


@given(label_arrays(3, size=4), st.lists(st.integers(-40, 40), min_size=6, max_size=6))
@limits(max_examples=40)
def test_whatever_overlaps_or_gapes_a_little_is_a_coverage_of_the_same_area_once_clean(labels: Labels, by: list[int]):
    frame = mosaic(labels)
    moves = np.array(by).reshape(3, 2)
    shapes = [shapely.affinity.translate(s, *m) for s, m in zip(frame.geometry, moves.tolist(), strict=False)]
    after = coverage.clean(coded(shapes), gap_m=0)
    assert coverage.is_coverage(after)
    assert after.area.sum() == pytest.approx(shapely.union_all(shapes).area)


# Simplify


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tolerance_m", [500.0, 2_000.0, 10_000.0, 1e6])
def test_simplified_polygons_still_share_their_borders_and_none_is_lost(seed: int, tolerance_m: float):
    frame = jagged(seed).assign(name=list("abcd"))
    assert coverage.is_coverage(frame)
    coarse = coverage.simplify(frame, tolerance_m=tolerance_m)
    assert coverage.is_coverage(coarse)
    assert coarse.crs == "EPSG:9377"
    assert coarse.index.equals(frame.index)
    assert coarse["name"].tolist() == list("abcd")
    assert (coarse.area > 0).all()
    assert coverage.count_holes(coarse) == 0
    assert as_pairs(coverage.neighbours(coarse)) >= {("00000", "00001"), ("00000", "00002"), ("00001", "00003")}


def test_a_corner_goes_where_its_triangle_is_smaller_than_the_square_of_the_tolerance():
    """The notch of 100 m by 100 m in the shared border has triangles of 5,000 m2: the root is 71 m."""
    notch = [(1.0, 0.5), (1.1, 0.5), (1.1, 0.6), (1.0, 0.6)]
    at = [(4.8e6 + x * 1e3, 2e6 + y * 1e3) for x, y in [(1.0, 0.0), *notch, (1.0, 1.0)]]
    west = shapely.Polygon([*at, (4.8e6, 2.001e6), (4.8e6, 2e6)])
    east = shapely.Polygon([*at, (4.802e6, 2.001e6), (4.802e6, 2e6)])
    frame = coded([west, east])
    assert coverage.count_vertices(coverage.simplify(frame, tolerance_m=65)) == 18
    straight = coverage.simplify(frame, tolerance_m=300)
    assert coverage.count_vertices(straight) == 10
    assert (straight.area / KM2).tolist() == pytest.approx([1.0, 1.0])


def test_coarser_never_has_more_vertices():
    counts = [coverage.count_vertices(coverage.simplify(jagged(0), tolerance_m=t)) for t in (1, 500, 1_500, 4_000, 9e4)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


@given(label_arrays(), st.floats(1, 5_000))
def test_any_mosaic_stays_a_coverage_with_every_unit(labels: Labels, tolerance_m: float):
    frame = mosaic(labels)
    coarse = coverage.simplify(frame, tolerance_m=tolerance_m)
    assert coarse.index.equals(frame.index)
    assert not coarse.is_empty.any()
    assert coverage.is_coverage(coarse)
    outline = [shapely.coverage_union_all(each.geometry.to_numpy()) for each in (frame, coarse)]
    assert outline[1].within(outline[0].convex_hull.buffer(1e-6))


# A target


@pytest.mark.parametrize("vertices", [500, 200, 100, 60])
def test_the_target_is_reached_with_shared_borders(vertices: int):
    frame = jagged(1)
    assert coverage.count_vertices(frame) > vertices
    coarse = coverage.simplify_to(frame, vertices=vertices)
    assert coverage.count_vertices(coarse) <= vertices
    assert coverage.is_coverage(coarse)
    assert coarse.index.equals(frame.index)


def test_no_more_is_taken_than_the_target_asks_for():
    """One step finer would not have done."""
    frame, steps = jagged(1), 50.0 * 1.5 ** np.arange(19)
    counts = [coverage.count_vertices(coverage.simplify(frame, tolerance_m=float(step))) for step in steps]
    for target in (400, 100):
        expected = next(count for count in counts if count <= target)
        assert coverage.count_vertices(coverage.simplify_to(frame, vertices=target)) == expected


def test_what_is_small_enough_is_left_as_it_is():
    frame = grid(2, 2)
    assert coverage.simplify_to(frame, vertices=20) is frame


def test_an_impossible_target_ends_all_the_same():
    assert coverage.count_vertices(coverage.simplify_to(grid(2, 1), vertices=1)) >= 8


@pytest.mark.parametrize(
    "work",
    [
        coverage.clean,
        lambda frame: coverage.simplify(frame, tolerance_m=1),
        lambda frame: coverage.simplify_to(frame, vertices=1),
    ],
    ids=["clean", "simplify", "simplify_to"],
)
def test_polygons_that_do_not_say_where_they_are_are_refused(work):
    frame = unsaid(grid(2, 1))
    with pytest.raises(GeometryError, match=r"^the polygons to \w+ must state a coordinate reference system"):
        work(frame)
