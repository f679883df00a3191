"""Zonal statistics: rasters whose sums are known, brute force, and the rule that nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.enums import Resampling

from geo import cells
from geo.errors import ConfigError, ConservationError, GeometryError, SourceError
from geo.grid import Grid
from geo.zonal import STATISTICS, Zonal, threads, zonal
from tests.geo import cutting
from tests.geo.cutting import Asked
from tests.geo.rasterfiles import (
    CELL_HA,
    METRIC,
    NORTH_UP,
    PLACED,
    STORAGE,
    checkerboard,
    frame,
    hot_cell,
    ramp,
    write,
)

HEIGHT, WIDTH = 6, 8
ALL = shapely.box(0, 0, WIDTH, HEIGHT)
LEFT, RIGHT = shapely.box(0, 0, 4, HEIGHT), shapely.box(4, 0, WIDTH, HEIGHT)
NUMBERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
ADDITIVE = ("sum", "count", "integral", "area_ha", "area_above_ha")


@pytest.fixture
def tif(tmp_path: Path):
    """Write values to a file and return its path."""
    return lambda values, **profile: write(tmp_path / f"{len(list(tmp_path.iterdir()))}.tif", values, **profile)


def one(shape: shapely.Geometry, path: Path | Sequence[Path], transform: Affine = NORTH_UP, **given: Any) -> pd.Series:
    """All statistics of one shape and the first band."""
    found = every(frame([shape], transform), path, **given)
    return pd.Series({name: found[name].iloc[0, 0] for name in STATISTICS})


def every(polygons: gpd.GeoDataFrame, path: Path | Sequence[Path], *, above: float = 10.5, **given: Any) -> Zonal:
    return zonal(polygons, path, statistics=STATISTICS, above=above, **given)


def table(found: Zonal, band: int = 0) -> pd.DataFrame:
    """All statistics of a band, a row a polygon."""
    return pd.DataFrame({name: found[name].iloc[:, band] for name in STATISTICS})


def conserved(found: Zonal, *, rel: float = 1e-12) -> None:
    """Inside and outside together are all; for polygons that do not overlap."""
    for name in ("sum", "count"):
        both = found[name].sum() + found.outside[name]
        assert both.to_numpy() == pytest.approx(found.total[name].to_numpy(), rel=rel, abs=1e-9)


# Truth by construction


def test_a_constant_sums_to_itself_times_the_cells(tif):
    found = one(shapely.box(1.5, 1.25, 4, 3), tif(np.full((HEIGHT, WIDTH), 20.0)))
    cells_inside = 2.5 * 1.75
    assert found["sum"] == pytest.approx(20 * cells_inside)
    assert found["count"] == pytest.approx(cells_inside)
    assert found[["mean", "min", "max"]].tolist() == [20, 20, 20]
    assert found["integral"] == pytest.approx(20 * cells_inside * CELL_HA)
    assert found["area_ha"] == found["area_above_ha"] == pytest.approx(cells_inside * CELL_HA)


def test_a_ramp_sums_as_gauss_did(tif):
    path = tif(ramp(HEIGHT, WIDTH))
    found = one(ALL, path)
    assert found["sum"] == 47 * 48 / 2
    assert found[["mean", "min", "max"]].tolist() == [23.5, 0, 47]
    assert found["area_above_ha"] == 37 * CELL_HA
    assert one(shapely.box(1, 2, 3, 3), path)[["sum", "min", "max"]].tolist() == [17 + 18, 17, 18]
    assert one(shapely.box(1.5, 2, 2.5, 3), path)[["sum", "min", "max"]].tolist() == [17.5, 17, 18]


def test_a_checkerboard_is_half_full(tif):
    path = tif(checkerboard(HEIGHT, WIDTH))
    found = every(frame([ALL, shapely.box(0.5, 0.5, 6.5, 4.5)]), path, above=0.5)
    assert found["mean"].iloc[:, 0].tolist() == pytest.approx([0.5, 0.5])
    assert found["area_above_ha"].iloc[:, 0].tolist() == pytest.approx([24 * CELL_HA, 12 * CELL_HA])


@pytest.mark.parametrize("at", [(0, 0), (2, 3), (5, 7)])
def test_one_hot_cell_is_shared_out_between_those_who_hold_it(tif, at: tuple[int, int]):
    west = shapely.box(-1, -1, at[1] + 0.25, HEIGHT + 1)
    found = every(frame([west, ALL.difference(west)]), tif(hot_cell(HEIGHT, WIDTH, at)))
    assert found["sum"].iloc[:, 0].tolist() == pytest.approx([25, 75])
    assert found["max"].iloc[:, 0].tolist() == [100, 100]
    assert found["area_above_ha"].iloc[:, 0].tolist() == pytest.approx([CELL_HA / 4, CELL_HA * 3 / 4])


def test_a_threshold_is_exceeded_only_above_it(tif):
    path = tif(np.array([[10, 11], [12, 13]], dtype="float32"))
    areas = [every(frame([ALL]), path, above=at)["area_above_ha"].iloc[0, 0] for at in (9, 10, 10.5, 12, 13)]
    assert areas == [4 * CELL_HA, 3 * CELL_HA, 3 * CELL_HA, CELL_HA, 0]


# Missing values


@pytest.mark.parametrize("nodata", [-9999.0, np.nan, 3.0, -3.4028234663852886e38])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_holes_are_left_out_of_everything(tif, nodata: float, dtype: str):
    values = ramp(HEIGHT, WIDTH).astype(dtype) + 100
    values[2, 3] = values[0, 0] = nodata
    path = tif(values, nodata=nodata)
    found = one(shapely.box(2.5, 2, 5, 3), path)
    assert found["sum"] == pytest.approx(0.5 * 118 + 120)
    assert found["count"] == 1.5
    assert found[["min", "max"]].tolist() == [118, 120]
    assert found["area_ha"] == 1.5 * CELL_HA
    assert every(frame([ALL]), path).total.to_numpy().tolist() == [[47 * 48 / 2 + 4800 - 219, 46]]


def test_what_is_not_a_number_is_missing_whatever_else_is_declared(tif):
    values = np.array([[1, np.nan, -1, 4]])
    for nodata, count, total in ((None, 3, 4), (-1, 2, 5), (np.nan, 3, 4)):
        found = one(ALL, tif(values, nodata=nodata))
        assert found[["count", "sum"]].tolist() == [count, total]


@pytest.mark.parametrize("nodata", [None, 5])
def test_a_mask_hides_cells_beside_the_value_for_missing(tif, nodata: float | None):
    mask = np.ones((HEIGHT, WIDTH), dtype=bool)
    mask[0, 0] = mask[1, 1] = False
    found = every(frame([ALL]), tif(ramp(HEIGHT, WIDTH), mask=mask, nodata=nodata))
    hidden = [0, 9] if nodata is None else [0, 9, 5]
    assert found["count"].iloc[0, 0] == 48 - len(hidden)
    assert found["sum"].iloc[0, 0] == 47 * 48 / 2 - sum(hidden)
    assert found["min"].iloc[0, 0] == 1


def test_bytes_that_declare_a_value_they_cannot_hold_miss_none(tif):
    path = tif(np.full((HEIGHT, WIDTH), 7, dtype="uint8"), nodata=7)
    with rasterio.open(path, "r+") as file:
        file.nodata = None
    path.with_name(path.name + ".aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>-9999</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    assert one(ALL, path)["count"] == 48


def test_where_all_is_missing_there_is_no_number(tif):
    found = every(frame([ALL, shapely.box(0.5, 0.5, 1, 1)]), tif(np.full((HEIGHT, WIDTH), -1.0), nodata=-1))
    for name in STATISTICS:
        column = found[name].iloc[:, 0]
        assert (column == 0).all() if name in {"count", "area_ha", "area_above_ha"} else column.isna().all()
    assert (found.measured == 0).all(axis=None)
    assert found.total.to_numpy().tolist() == [[0, 0]]


def test_missing_is_not_zero(tif):
    found = table(every(frame([LEFT, RIGHT]), tif(np.array([[0.0] * 4 + [-1.0] * 4] * HEIGHT), nodata=-1)))
    assert found["sum"].tolist() == pytest.approx([0, np.nan], nan_ok=True)
    assert found["mean"].tolist() == pytest.approx([0, np.nan], nan_ok=True)


# Forms of files


@pytest.mark.parametrize("dtype", NUMBERS)
def test_every_kind_of_number_is_read(tif, dtype: str):
    values = (ramp(HEIGHT, WIDTH) + 1).astype(dtype)
    values[0, 0] = 99
    found = one(ALL, tif(values, nodata=99))
    assert found[["sum", "count", "min", "max"]].tolist() == [48 * 49 / 2 - 1, 47, 2, 48]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_extremes_of_every_kind_of_number_do_not_overflow(tif, dtype: str):
    kind = np.finfo(dtype) if dtype.startswith("float") else np.iinfo(dtype)
    top = kind.max / 1000 if dtype == "float64" else kind.max
    values = np.full((HEIGHT, WIDTH), top, dtype=dtype)
    found = one(LEFT, tif(values))
    assert found["sum"] == pytest.approx(24 * float(top))
    assert found["max"] == float(values[0, 0])


def test_packed_values_are_unpacked_and_missing_is_what_is_stored(tif):
    values = np.array([[1, 2, 3, 100]], dtype="int16")
    found = one(ALL, tif(values, nodata=100, scales=[0.5], offsets=[50.0]), above=51.0)
    assert found[["sum", "min", "max", "count"]].tolist() == [50.5 + 51 + 51.5, 50.5, 51.5, 3]
    assert found["area_above_ha"] == CELL_HA
    found = one(ALL, tif(values, nodata=100, scales=[-1.0], offsets=[0.0]))
    assert found[["min", "max"]].tolist() == [-3, -1]


LAYOUTS: dict[str, dict[str, Any]] = {
    "strips of one row": {"blockysize": 1},
    "odd strips": {"blockysize": 7},
    "one strip": {"blockysize": 100},
    "tiles": {"tiled": True, "blockxsize": 16, "blockysize": 32},
    "deflate": {"tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "deflate", "predictor": 3},
    "LZW": {"compress": "lzw", "predictor": 2},
    "pixels interleaved": {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "pixel"},
    "bands interleaved": {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "band"},
    "BigTIFF": {"bigtiff": "YES"},
    "big endian": {"endianness": "BIG"},
    "COG": {"driver": "COG", "blocksize": 128, "overviews": "AUTO"},
    "Imagine": {"driver": "HFA"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_does_not_matter_how_values_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str):
    monkeypatch.setattr("geo.rasters.TILE_CELLS", 700)
    rng = np.random.default_rng(3)
    values = rng.integers(0, 1000, (3, 100, 90)).astype("float32")
    shapes = [shapely.box(3.25, 4.5, 60.75, 80), shapely.Point(77, 40).buffer(15)]
    path = write(tmp_path / "values.tif", values, nodata=77, **LAYOUTS[layout])
    found = every(frame(shapes), path, above=500)
    area = np.full(100, CELL_HA)
    share = cutting.shares(shapes, 100, 90)
    for band in range(3):
        known = np.where(values[band] == 77, np.nan, values[band].astype(float))
        expected = cutting.statistics(share, Asked(known, area, 500))
        assert table(found, band).to_numpy() == pytest.approx(expected[list(STATISTICS)].to_numpy(), rel=1e-9)
    conserved(found)


def test_overviews_are_not_read(tif):
    rng = np.random.default_rng(4)
    values = rng.integers(0, 9, (256, 256)).astype("float32")
    path = tif(values, tiled=True, blockxsize=64, blockysize=64)
    before = one(shapely.box(3.5, 3, 250, 240.25), path)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4, 8], Resampling.average)
    assert one(shapely.box(3.5, 3, 250, 240.25), path).equals(before)
    assert before["sum"] == pytest.approx(
        (values[3:240, 3:250].sum() - values[3:240, 3].sum() / 2) + values[240, 3:250].sum() / 4 - values[240, 3] / 8
    )


# Where rasters lie


@pytest.mark.parametrize("name", PLACED)
def test_turned_sheared_and_mirrored_grids_hold_the_same(tif, name: str):
    transform = PLACED[name]
    path = tif(ramp(HEIGHT, WIDTH), transform=transform)
    shapes = [shapely.box(1.5, 1, 4, 3.25), shapely.Polygon([(2, 2), (7.5, 3), (5, 5.5)])]
    found = table(every(frame(shapes, transform), path))
    area = np.full(HEIGHT, abs(transform.determinant) / 10_000)
    expected = cutting.statistics(cutting.shares(shapes, HEIGHT, WIDTH), Asked(ramp(HEIGHT, WIDTH), area, 10.5))
    assert found.to_numpy() == pytest.approx(expected[list(STATISTICS)].to_numpy(), rel=1e-9)


def test_cells_in_degrees_count_as_large_as_they_are(tif):
    height = 300
    values = np.zeros((height, 2))
    values[0], values[-1] = 2.0, 1.0
    transform = Affine(0.1, 0, -74, 0, -0.1, 15)
    path = tif(values, transform=transform, crs=STORAGE)
    found = table(
        every(
            frame(
                [shapely.box(0, 0, 2, 1), shapely.box(0, 299, 2, 300), shapely.box(0, 0, 2, height)], transform, STORAGE
            ),
            path,
            above=1.5,
        )
    )
    geod = pyproj.Geod(ellps="WGS84")
    lon = np.concatenate([np.linspace(-74, -73.9, 5000), np.linspace(-73.9, -74, 5000)])
    top, bottom = (
        abs(geod.polygon_area_perimeter(lon, np.repeat([south, south + 0.1], 5000))[0]) / 10_000
        for south in (14.9, -15.0)
    )
    assert found["area_ha"].tolist()[:2] == pytest.approx([2 * top, 2 * bottom], rel=1e-9)
    assert found["integral"].tolist() == pytest.approx([4 * top, 2 * bottom, 4 * top + 2 * bottom], rel=1e-9)
    assert found["mean"].iloc[2] == pytest.approx((4 * top + 2 * bottom) / found["area_ha"].iloc[2], rel=1e-9)
    assert found["sum"].tolist() == [4, 2, 6]
    assert found["area_above_ha"].tolist() == pytest.approx([2 * top, 0, 2 * top], rel=1e-9)


def test_a_mean_over_degrees_leans_to_where_cells_are_large(tif):
    transform = Affine(1, 0, -75, 0, -30, 60)
    path = tif(np.array([[0.0], [1.0]]), transform=transform, crs=STORAGE)
    mean = zonal(frame([shapely.box(0, 0, 1, 2)], transform, STORAGE), path)["mean"].to_numpy()[0, 0]
    areas = Grid(STORAGE, transform, 2, 1).area_ha()
    assert mean == pytest.approx(areas[1] / areas.sum(), rel=1e-12)
    assert mean > 0.55


@pytest.mark.parametrize("crs", ["EPSG:3116", "EPSG:32618", "EPSG:4326", "EPSG:4686"])
def test_polygons_of_another_crs_are_put_on_the_raster(tif, crs: str):
    places = frame([shapely.Polygon([(1.2, 0.7), (6.4, 2.2), (3.1, 5.3)])]).to_crs(crs)
    path = tif(ramp(HEIGHT, WIDTH))
    expected = cutting.statistics(
        cutting.shares_on_the_map(list(places.to_crs(METRIC).geometry), NORTH_UP, HEIGHT, WIDTH),
        Asked(ramp(HEIGHT, WIDTH), np.full(HEIGHT, CELL_HA), 10.5),
    )
    assert table(every(places, path)).to_numpy() == pytest.approx(expected[list(STATISTICS)].to_numpy(), rel=1e-9)


@pytest.mark.parametrize("crs", ["EPSG:3116", "EPSG:32618"])
def test_rasters_of_another_crs_are_read_where_they_lie(tif, crs: str):
    east, north = gpd.GeoSeries([shapely.Point(-73.5, 4.5)], crs=STORAGE).to_crs(crs).total_bounds[:2]
    transform = Affine(1000, 0, east, 0, -1000, north)
    path = tif(ramp(HEIGHT, WIDTH), transform=transform, crs=crs)
    places = frame([shapely.Point(4, 3).buffer(2.3)], transform, crs).to_crs(STORAGE)
    expected = cutting.statistics(
        cutting.shares_on_the_map(list(places.to_crs(crs).geometry), transform, HEIGHT, WIDTH),
        Asked(ramp(HEIGHT, WIDTH), np.full(HEIGHT, 100.0), 10.5),
    )
    assert table(every(places, path)).to_numpy() == pytest.approx(expected[list(STATISTICS)].to_numpy(), rel=1e-9)


def test_areas_in_web_mercator_are_refused_and_sums_are_not(tif):
    transform = Affine(1000, 0, -8_000_000, 0, -1000, 1_400_000)
    path = tif(ramp(HEIGHT, WIDTH), transform=transform, crs="EPSG:3857")
    shapes = frame([ALL], transform, "EPSG:3857")
    assert zonal(shapes, path)["sum"].iloc[0, 0] == 47 * 48 / 2
    with pytest.raises(GeometryError, match="warp the raster to EPSG:9377"):
        zonal(shapes, path, statistics=["area_ha"])


# Where polygons lie


def test_polygons_smaller_than_a_cell_have_their_share_of_it(tif):
    small = shapely.Point(3.4, 2.6).buffer(0.1)
    found = one(small, tif(ramp(HEIGHT, WIDTH)))
    assert found["sum"] == pytest.approx(19 * small.area, rel=1e-9)
    assert found[["mean", "min", "max"]].tolist() == pytest.approx([19, 19, 19])


def test_holes_and_parts_of_polygons_count(tif):
    ring = shapely.box(0, 0, 5, 5).difference(shapely.box(1.5, 1.5, 3.5, 3.5))
    shape = shapely.union_all([ring, shapely.box(6, 0, 6.5, 6)])
    found = one(shape, tif(np.ones((HEIGHT, WIDTH))))
    assert found["count"] == pytest.approx(25 - 4 + 3)


def test_polygons_on_lines_of_the_grid_hold_whole_cells_and_no_neighbours(tif):
    found = every(frame([shapely.box(2, 2, 4, 4), shapely.box(4, 4, 6, 6)]), tif(ramp(HEIGHT, WIDTH)))
    assert found["count"].iloc[:, 0].tolist() == [4, 4]
    assert found["min"].iloc[:, 0].tolist() == [18, 36]
    assert found["max"].iloc[:, 0].tolist() == [27, 45]
    conserved(found)


@pytest.mark.parametrize("place", PLACED)
def test_coordinates_that_are_rounded_do_not_bring_neighbours_in(tif, place: str):
    shapes = [shapely.box(col, row, col + 2, row + 3) for row in (1, 3) for col in range(1, 6)]
    path = tif(ramp(HEIGHT, WIDTH), transform=PLACED[place])
    for crs in (METRIC, STORAGE):
        found = every(frame(shapes, PLACED[place]).to_crs(crs), path)
        assert found["min"].iloc[:, 0].tolist() == [row * WIDTH + col for row in (1, 3) for col in range(1, 6)]
        assert found["max"].iloc[:, 0].tolist() == [
            (row + 2) * WIDTH + col + 1 for row in (1, 3) for col in range(1, 6)
        ]


@pytest.mark.parametrize(("side", "extremes"), [(1e-3, [19, 19]), (1e-5, [np.nan, np.nan])])
def test_a_speck_counts_for_little_and_one_below_rounding_has_no_extremes(tif, side: float, extremes: list[float]):
    found = one(shapely.box(3.5, 2.5, 3.5 + side, 2.5 + side), tif(ramp(HEIGHT, WIDTH)))
    assert found[["min", "max"]].tolist() == pytest.approx(extremes, nan_ok=True)
    assert found["mean"] == pytest.approx(19)
    assert found["count"] == pytest.approx(side**2, rel=1e-3)


def test_where_nothing_is_outside_the_sum_of_it_is_zero(tif):
    found = every(frame([ALL]), tif(np.ones((HEIGHT, WIDTH))))
    assert [found.outside[name].iloc[0] for name in ADDITIVE] == [0] * len(ADDITIVE)
    assert [np.isnan(found.outside[name].iloc[0]) for name in ("mean", "min", "max")] == [True] * 3


def test_what_lies_beyond_the_raster_was_not_measured(tif):
    shapes = [
        ALL,
        shapely.box(-4, 0, 4, 6),
        shapely.box(-9, -9, -1, -1),
        shapely.box(WIDTH, 0, 19, 6),
        None,
        shapely.Polygon(),
    ]
    found = every(frame(shapes), tif(ramp(HEIGHT, WIDTH)))
    assert found["count"].iloc[:, 0].tolist() == [48, 24, 0, 0, 0, 0]
    assert found["sum"].iloc[2:, 0].isna().all()
    measured = found.measured.iloc[:, 0]
    assert measured.tolist() == pytest.approx([1, 0.5, 0, 0, np.nan, np.nan], nan_ok=True)


def test_polygons_on_the_other_side_of_the_world_hold_nothing(tif):
    away = gpd.GeoDataFrame(geometry=[shapely.box(100, 20, 110, 30)], crs=STORAGE)
    found = every(away, tif(ramp(HEIGHT, WIDTH)))
    assert found["count"].iloc[0, 0] == 0
    assert found.outside["sum"].tolist() == [47 * 48 / 2]


def test_cells_of_next_to_no_width_hold_next_to_nothing_of_a_polygon(tif):
    thin = Affine(1e-123, 0, NORTH_UP.c, 0, NORTH_UP.e, NORTH_UP.f)
    found = zonal(frame([shapely.box(0, 1, WIDTH, 3)]), tif(ramp(HEIGHT, WIDTH), transform=thin))
    assert found["count"].iloc[0, 0] + found.outside["count"].iloc[0] == HEIGHT * WIDTH
    assert found["sum"].iloc[0, 0] == ramp(HEIGHT, WIDTH)[1:3].sum()


def test_without_polygons_everything_is_outside(tif):
    found = every(frame([]), tif(ramp(HEIGHT, WIDTH)))
    assert found["sum"].shape == (0, 1)
    assert found.outside["sum"].tolist() == [47 * 48 / 2]
    assert found.outside["max"].tolist() == [47]


def test_what_overlaps_counts_for_each_and_once_for_what_is_outside(tif):
    shapes = [shapely.box(0, 0, 4, 4), shapely.box(2.5, 2.5, 6, 6), shapely.box(0, 0, 4, 4)]
    found = every(frame(shapes), tif(np.ones((HEIGHT, WIDTH))))
    assert found["count"].iloc[:, 0].tolist() == pytest.approx([16, 12.25, 16])
    assert found.outside["count"].tolist() == pytest.approx([48 - 16 - 12.25 + 2.25])


def test_those_that_overlap_everywhere_are_no_trouble(tif):
    found = every(frame([shapely.box(-1, -1, 99, 99), ALL, shapely.box(1, 1, WIDTH, HEIGHT)]), tif(ramp(HEIGHT, WIDTH)))
    assert found["sum"].iloc[:, 0].tolist() == [1128, 1128, ramp(HEIGHT, WIDTH)[1:, 1:].sum()]
    assert found.outside["count"].tolist() == [0]


def test_rows_keep_their_order_and_index_even_one_that_repeats(tif):
    shapes = frame([RIGHT, LEFT, RIGHT]).set_axis(pd.Index(["b", "a", "b"], name="code"))
    found = every(shapes, tif(checkerboard(HEIGHT, WIDTH) + np.repeat([0, 1], 4)))
    assert found["sum"].index.tolist() == ["b", "a", "b"]
    assert found["sum"].index.name == "code"
    assert found["sum"].iloc[:, 0].tolist() == [36, 12, 36]


# Bands and files


def test_bands_are_named_by_their_description_or_number(tif):
    values = np.stack([ramp(HEIGHT, WIDTH), ramp(HEIGHT, WIDTH) * 2, ramp(HEIGHT, WIDTH) * 3])
    found = every(frame([ALL]), tif(values, names=["2001", "", "2003"]))
    assert found["sum"].columns.tolist() == ["2001", "2", "2003"]
    assert found["sum"].iloc[0].tolist() == [1128, 2256, 3384]
    assert found.total.index.tolist() == found.outside["sum"].index.tolist() == ["2001", "2", "2003"]


def test_several_files_are_read_as_one_in_the_order_given(tif):
    values = ramp(HEIGHT, WIDTH)
    first = tif(values, names=["2001"])
    coarse = tif(values[:3, :4], names=["2002"], transform=Affine(500, 0, NORTH_UP.c, 0, -500, NORTH_UP.f))
    last = tif(np.stack([values * 3, values * 4]), names=["2003", "2004"], dtype="int32")
    found = every(frame([LEFT, RIGHT]), [first, coarse, last])
    assert found["sum"].columns.tolist() == ["2001", "2002", "2003", "2004"]
    expected = [[values[:, :4].sum() * k for k in (1, 3, 4)], [values[:, 4:].sum() * k for k in (1, 3, 4)]]
    assert found["sum"][["2001", "2003", "2004"]].to_numpy().tolist() == expected
    assert found["sum"]["2002"].tolist() == [values[:3, :2].sum(), values[:3, 2:4].sum()]
    conserved(found)


def test_every_column_has_a_name_of_its_own(tmp_path: Path):
    values = ramp(HEIGHT, WIDTH)
    other = Affine(500, 0, NORTH_UP.c, 0, -500, NORTH_UP.f)
    paths = [write(tmp_path / "x" / "a.tif", values), write(tmp_path / "y" / "a.tif", values * 2)]
    paths.append(write(tmp_path / "z" / "a.tif", values * 3, transform=other))
    found = every(frame([ALL]), paths)
    assert found["sum"].shape == (1, 3)
    assert found["sum"].columns.is_unique
    assert found.total["sum"].tolist() == [1128, 2256, 3384]


def test_a_file_whose_bands_share_a_name_has_them_numbered(tif):
    path = tif(np.ones((2, HEIGHT, WIDTH)), names=["coca", "coca"])
    assert every(frame([ALL]), path)["sum"].columns.tolist() == [f"{path.stem}:1", f"{path.stem}:2"]


def test_each_band_has_its_own_holes_and_scale(tif):
    values = np.stack([np.full((HEIGHT, WIDTH), 2.0), np.full((HEIGHT, WIDTH), 3.0)])
    values[1, 0] = -1
    found = every(frame([ALL]), tif(values, nodata=-1, scales=[1.0, 10.0], offsets=[0.0, 1.0]))
    assert found["sum"].iloc[0].tolist() == [96, 40 * 31]
    assert found["count"].iloc[0].tolist() == [48, 40]


# What is asked for


def test_only_what_is_asked_for_is_given(tif):
    path = tif(ramp(HEIGHT, WIDTH))
    assert list(zonal(frame([ALL]), path).tables) == ["sum", "mean", "count"]
    found = zonal(frame([LEFT, RIGHT]), path, statistics=["max", "max"])
    assert list(found.tables) == list(found.outside) == ["max"]
    assert found["max"].iloc[:, 0].tolist() == [43, 47]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"statistics": ["median"]}, "statistics must be of sum, .*; found median"),
        ({"statistics": []}, "found none"),
        ({"statistics": ["area_above_ha"]}, "needs a threshold; found None"),
        ({"statistics": ["area_above_ha"], "above": np.nan}, "needs a threshold; found nan"),
    ],
)
def test_what_cannot_be_asked_is_refused(tif, asked: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        zonal(frame([ALL]), tif(ramp(HEIGHT, WIDTH)), **asked)


def test_files_must_be_named_and_once(tif):
    path = tif(ramp(HEIGHT, WIDTH))
    with pytest.raises(ConfigError, match="one or more, each once; found none"):
        zonal(frame([ALL]), [])
    with pytest.raises(ConfigError, match="each once"):
        zonal(frame([ALL]), [path, path])


@pytest.mark.parametrize("number", [0, -1])
def test_threads_must_be_one_or_more(tif, number: int):
    with pytest.raises(ConfigError, match="threads must be 1 or more"):
        zonal(frame([ALL]), tif(ramp(HEIGHT, WIDTH)), spread=threads(number))


def test_shapes_that_are_no_polygons_or_lie_nowhere_are_refused(tif):
    path = tif(ramp(HEIGHT, WIDTH))
    with pytest.raises(GeometryError, match=r"places 1 \(from 0\)"):
        zonal(frame([ALL, shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])]), path)
    with pytest.raises(GeometryError, match="polygons must state a coordinate reference system"):
        zonal(gpd.GeoDataFrame(geometry=[ALL]), path)
    with pytest.raises(GeometryError, match="where the raster's CRS is defined"):
        zonal(gpd.GeoDataFrame(geometry=[shapely.box(-180, -90, 180, 90)], crs=STORAGE), path)


def test_a_cell_that_is_lost_is_told(tif, monkeypatch: pytest.MonkeyPatch):
    lost = cells.outside
    monkeypatch.setattr(cells, "outside", lambda found, **rows: lost(found, **rows).columns(1, WIDTH))
    with pytest.raises(ConservationError, match=r"every cell must lie inside or outside; found 1: 42\.0+ of 48"):
        zonal(frame([shapely.box(3, 0, 8, 6)]), tif(ramp(HEIGHT, WIDTH)))


# Who does the work


def test_results_have_the_same_bits_for_any_number_of_threads(tif, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("geo.rasters.TILE_CELLS", 4096)
    rng = np.random.default_rng(5)
    values = rng.lognormal(0, 3, (4, 300, 400)).astype("float32")
    shapes = frame(cutting.mosaics(6, 60, size=290.0))
    path = tif(values, tiled=True, blockxsize=64, blockysize=32)
    single, *others = (every(shapes, path, spread=threads(number)) for number in (1, 2, 4, None))
    for other in others:
        for name in STATISTICS:
            assert np.array_equal(single[name], other[name], equal_nan=True)
            assert single.outside[name].equals(other.outside[name])
        assert single.total.equals(other.total)
        assert single.measured.equals(other.measured)
    conserved(single)


def test_a_failure_in_a_thread_arrives(tif, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("geo.rasters.TILE_CELLS", 8)
    values = ramp(HEIGHT, WIDTH)
    values[-1, -1] = np.inf
    with pytest.raises(SourceError, match="a tile has 1 infinite ones"):
        zonal(frame([ALL]), tif(values, blockysize=1), spread=threads(2))
