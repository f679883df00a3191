"""Cells under polygons by strips: worked out once, kept, found again, and never taken for another grid's."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine

from geo import cells, covers
from geo.cells import Cover
from geo.covers import STRIPS_KEPT, Covers
from geo.errors import OutputError
from geo.grid import Grid
from geo.zonal import STATISTICS, Zonal, zonal
from tests.geo import cutting
from tests.geo.rasterfiles import METRIC, NORTH_UP, STORAGE, frame, ramp, write

GRID = Grid(METRIC, NORTH_UP, 40, 50)
SHAPES = cutting.mosaics(1, 9, size=38.0)


def of(shapes: Sequence[shapely.Geometry | None] = SHAPES, grid: Grid = GRID, cache: Path | None = None) -> Covers:
    return Covers.of(np.array([*shapes, None], dtype=object)[:-1], grid, cache=cache)


def same(one: Cover, other: Cover) -> bool:
    return all(np.array_equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(Cover))


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch):
    """Call it, and from then on no cell can be worked out."""

    def fail(*_: object, **__: object):
        raise AssertionError("cells were worked out again")

    return lambda: monkeypatch.setattr(cells, "cover", fail)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The strips that are worked out, as they come."""
    found: list[tuple[int, int]] = []
    work = cells.cover

    def count(edges: cells.Edges, *, rows: tuple[int, int], width: int) -> Cover:
        found.append(rows)
        return work(edges, rows=rows, width=width)

    monkeypatch.setattr(cells, "cover", count)
    return found


# Strips


def test_a_strip_holds_the_cells_of_polygons_and_those_outside_under_the_next_number():
    covers_ = of([shapely.box(1, 1, 4, 3.5), None, shapely.box(4, 1, 6, 3)])
    polygon, row, col, share = covers_.strip((0, 40)).expanded()
    assert covers_.count == 3
    assert np.bincount(polygon, weights=share).tolist() == [7.5, 0, 4, 2000 - 11.5]
    assert row.max() == 39
    assert col.max() == 49


def test_polygons_that_overlap_leave_outside_what_none_of_them_covers():
    shapes = [shapely.box(1, 1, 4, 4), shapely.box(3, 3, 6, 6), shapely.box(1, 1, 4, 4)]
    polygon, _, _, share = of(shapes).strip((0, 40)).expanded()
    assert np.bincount(polygon, weights=share) == pytest.approx([9, 9, 9, 2000 - 17])
    assert of(shapes).union is not None


@pytest.mark.parametrize(
    ("shapes", "disjoint"),
    [
        (SHAPES, True),
        ([shapely.box(0, 0, 2, 2), None, shapely.box(2, 0, 4, 2), shapely.Polygon()], True),
        ([shapely.box(0, 0, 2, 2), shapely.box(5, 5, 6, 6)], True),
        ([shapely.box(0, 0, 2, 2), shapely.box(2, 0.5, 4, 2)], False),  # a corner on a border that the other has not
        ([shapely.box(0, 0, 2, 2), shapely.box(0.5, 0.5, 1, 1)], False),
        ([], True),
    ],
)
def test_the_union_is_taken_only_where_polygons_are_no_coverage(shapes: list[shapely.Geometry], disjoint: bool):
    assert (of(shapes).union is None) == disjoint


def test_a_strip_is_worked_out_once_however_many_ask_for_it(counted: list[tuple[int, int]]):
    covers_ = of()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: covers_.strip((10, 20)), range(32)))
    assert counted == [(10, 20)]
    assert all(each is found[0] for each in found)


def test_only_the_last_strips_are_kept(counted: list[tuple[int, int]]):
    covers_ = of()
    strips = [(row, row + 5) for row in range(0, 40, 5)]
    for rows in strips:
        covers_.strip(rows)
    for rows in strips[::-1]:
        covers_.strip(rows)
    assert len(counted) == 2 * len(strips) - STRIPS_KEPT


def test_a_failure_reaches_all_who_wait(forbidden):
    covers_ = of()
    forbidden()
    for _ in range(2):
        with pytest.raises(AssertionError, match="worked out again"):
            covers_.strip((0, 10))


def test_it_travels_to_another_process_without_what_it_keeps():
    covers_ = of()
    here = covers_.strip((0, 40))
    there: Covers = pickle.loads(pickle.dumps(covers_))
    assert there.key == covers_.key
    assert len(pickle.dumps(covers_)) == len(pickle.dumps(of()))
    assert same(there.strip((0, 40)), here)


# The cache


def test_what_is_kept_is_found_again_bit_for_bit(tmp_path: Path, forbidden):
    first = [of(cache=tmp_path).strip(rows) for rows in ((0, 25), (25, 40))]
    forbidden()
    again = of(cache=tmp_path)
    for found, rows in zip(first, ((0, 25), (25, 40)), strict=True):
        second = again.strip(rows)
        assert same(found, second)
        assert {getattr(second, each.name).dtype.name for each in fields(Cover)} == {"int64", "float64"}
    with pytest.raises(AssertionError, match="worked out again"):
        again.strip((0, 40))


def test_another_grid_or_other_polygons_have_another_key():
    moved = [shapely.transform(shape, lambda xy: xy + 1e-9) for shape in SHAPES]
    keys = [
        of().key,
        of(grid=replace(GRID, height=41)).key,
        of(grid=replace(GRID, width=51)).key,
        of(moved).key,
        of(SHAPES[::-1]).key,
        of(SHAPES[:-1]).key,
        of([*SHAPES, None]).key,
        of([None, *SHAPES]).key,
        of([*SHAPES, shapely.Polygon()]).key,
        of([*SHAPES[:3], None, *SHAPES[3:]]).key,
    ]
    assert len(set(keys)) == len(keys)
    assert of().key == keys[0]


def test_the_same_polygons_on_a_grid_that_lies_elsewhere_have_another_key():
    places = frame(SHAPES)
    east = Affine(250, 0, NORTH_UP.c + 125, 0, -250, NORTH_UP.f)
    grids = [GRID, replace(GRID, transform=east), replace(GRID, crs="EPSG:3116")]
    assert len({Covers.of(grid.place(places), grid).key for grid in grids}) == 3


@pytest.mark.parametrize("missing", [None, shapely.Polygon()])
def test_where_a_polygon_is_missing_is_part_of_the_key(tmp_path: Path, missing: shapely.Geometry | None):
    path = write(tmp_path / "a.tif", ramp(6, 8))
    box = shapely.box(0, 0, 2, 2)
    for shapes, sums in (([missing, box], [np.nan, 18]), ([box, missing], [18, np.nan])):
        found = zonal(frame(shapes), path, cache=tmp_path / "cache")["sum"].iloc[:, 0]
        assert found.tolist() == pytest.approx(sums, nan_ok=True)


DAMAGE = {
    "empty": lambda kept: b"",
    "half": lambda kept: kept[: len(kept) // 2],
    "without its end": lambda kept: kept[:-30],
    "a byte changed": lambda kept: (
        kept[: len(kept) // 3] + bytes([kept[len(kept) // 3] ^ 255]) + kept[len(kept) // 3 + 1 :]
    ),
    "text": lambda kept: b"no arrays",
    "zeros": lambda kept: bytes(len(kept)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_damaged_is_made_anew(tmp_path: Path, damage: str):
    whole = of(cache=tmp_path).strip((0, 40))
    (file,) = tmp_path.rglob("*.npz")
    kept = file.read_bytes()
    file.write_bytes(DAMAGE[damage](kept))
    assert same(of(cache=tmp_path).strip((0, 40)), whole)
    assert len(file.read_bytes()) == len(kept)
    assert same(covers._read(file), whole)


def test_a_file_that_lacks_a_column_is_made_anew(tmp_path: Path):
    whole = of(cache=tmp_path).strip((0, 40))
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, share=whole.share)
    assert same(of(cache=tmp_path).strip((0, 40)), whole)


def test_a_write_that_fails_leaves_nothing_that_looks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fill(*_: object, **__: object):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(OutputError, match="No space left on device"):
        of(cache=tmp_path).strip((0, 40))
    assert not [file for file in tmp_path.rglob("*.npz") if not file.name.startswith(".")]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path):
    file = tmp_path / "taken"
    file.write_text("a file, no folder")
    with pytest.raises(OutputError, match=rf"the cache must be writable; {file}.* is not .*: name another folder"):
        of(cache=file).strip((0, 40))


def test_nothing_but_finished_strips_lies_in_the_cache(tmp_path: Path):
    covers_ = of(cache=tmp_path)
    for rows in ((0, 10), (10, 20)):
        covers_.strip(rows)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz")) == [
        f"{covers_.key}/0-10.npz", f"{covers_.key}/10-20.npz"
    ]  # fmt: skip


# Whole runs


def every(path: Path, cache: Path | None, polygons: gpd.GeoDataFrame | None = None) -> Zonal:
    shapes = frame(SHAPES) if polygons is None else polygons
    return zonal(shapes, path, statistics=STATISTICS, above=3.0, cache=cache)


def equal(one: Zonal, other: Zonal) -> bool:
    tables = all(one[name].equals(other[name]) and one.outside[name].equals(other.outside[name]) for name in STATISTICS)
    return tables and one.total.equals(other.total) and one.measured.equals(other.measured)


@pytest.mark.parametrize("place", [(METRIC, NORTH_UP), (STORAGE, Affine(0.01, 0, -74, 0, -0.01, 3))])
def test_a_second_run_reads_the_cache_and_equals_the_first(tmp_path: Path, forbidden, place: tuple[str, Affine]):
    crs, transform = place
    rng = np.random.default_rng(2)
    path = write(tmp_path / "a.tif", rng.random((3, 40, 50)), crs=crs, transform=transform)
    shapes = frame([*SHAPES, shapely.box(3, 3, 9, 9)], transform, crs)
    without = every(path, None, shapes)
    first = every(path, tmp_path / "cache", shapes)
    forbidden()
    assert equal(first, without)
    assert equal(every(path, tmp_path / "cache", shapes), first)


def test_other_rasters_on_the_grid_use_the_same_strips(tmp_path: Path, forbidden):
    rng = np.random.default_rng(3)
    paths = [write(tmp_path / f"{year}.tif", rng.random((40, 50))) for year in (2001, 2002)]
    every(paths[0], tmp_path / "cache")
    forbidden()
    found = every(paths[1], tmp_path / "cache")
    inside = found["sum"].sum() + found.outside["sum"].fillna(0)
    assert inside.tolist() == pytest.approx(found.total["sum"].tolist())
