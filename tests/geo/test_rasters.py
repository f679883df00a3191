"""Rasters on disk: what headers say, tiles that miss no cell, and files that mean harm or are broken."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from geo import rasters
from geo.errors import GeometryError, PresenciaError, SourceError
from geo.grid import Grid
from geo.rasters import Band, Reader, Tile, describe
from geo.zonal import STATISTICS, Zonal, threads, zonal
from tests.geo.made import SEEDS
from tests.geo.rasterfiles import METRIC, NORTH_UP, STORAGE, frame, ramp, write

HEIGHT, WIDTH = 60, 80
HALF = frame([shapely.box(3.5, 2, 41, 60)])
SIZES = st.integers(1, 5000)
FLIPS = 300

Make = Callable[[Path], Path]


def values(seed: int = 1) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).integers(1, 100, (HEIGHT, WIDTH)).astype("float32")


def every(path: Path, polygons: Any = HALF) -> Zonal:
    return zonal(polygons, path, statistics=STATISTICS, above=50.0, spread=threads(1))


def sums(path: Path) -> tuple[float, ...]:
    """All that is inside, and the total; NaN where nothing is."""
    found = every(path)
    return tuple(np.concatenate([[found[name].to_numpy()[0, 0] for name in STATISTICS], found.total.to_numpy()[0]]))


# Headers


def test_a_header_says_what_was_written(tmp_path: Path):
    path = write(
        tmp_path / "coca.tif", np.zeros((2, HEIGHT, WIDTH), dtype="int16"), nodata=-1, names=["2001", ""],
        scales=[0.5, 2.0], offsets=[0.0, 1.0], tiled=True, blockxsize=32, blockysize=16,
    )  # fmt: skip
    found = describe(path)
    assert (found.path, found.dtype, found.names) == (path, "int16", ("2001", "2"))
    assert (found.nodata, found.scales, found.offsets) == ((-1, -1), (0.5, 2.0), (0.0, 1.0))
    assert (found.block, found.masked) == ((16, 32), False)
    assert (found.grid.height, found.grid.width, found.grid.transform) == (HEIGHT, WIDTH, NORTH_UP)
    assert "9377" in found.grid.crs


def test_a_mask_is_seen_and_a_value_for_missing_is_none(tmp_path: Path):
    assert describe(write(tmp_path / "a.tif", values(), mask=np.ones((HEIGHT, WIDTH)))).masked
    assert not describe(write(tmp_path / "b.tif", values(), nodata=-1)).masked


def test_the_identity_of_a_file_changes_with_it(tmp_path: Path):
    before = describe(write(tmp_path / "a.tif", values())).identity
    assert describe(tmp_path / "a.tif").identity == before
    assert describe(write(tmp_path / "a.tif", np.zeros((2, HEIGHT, WIDTH)))).identity != before


@pytest.mark.parametrize(
    "name", ["coca ñandú 2020.tif", "a!b#c?.tif", "upper.TIF", "no-ending", "-dash.tif", "%20.tif"]
)
def test_files_may_be_called_anything(tmp_path: Path, name: str):
    assert describe(write(tmp_path / "plain.tif", values()).rename(tmp_path / name)).block[1] == WIDTH
    assert sums(tmp_path / name)[2] == 37.5 * 58


# Tiles


@given(SIZES, SIZES, st.integers(1, 6000), st.integers(1, 6000))
def test_tiles_hold_every_cell_once_in_order(height: int, width: int, high: int, wide: int):
    grid = Grid(METRIC, NORTH_UP, height, width)
    found = rasters.tiles(grid, (high, wide))
    assert sum(tile.height * tile.width for tile in found) == height * width
    assert found == sorted(found, key=lambda tile: (tile.row, tile.col))
    ends = {(tile.row + tile.height, tile.col + tile.width) for tile in found}
    assert (height, width) == max(ends)
    assert max(tile.height * tile.width for tile in found) <= 5 * rasters.TILE_CELLS
    strips = {tile.strip for tile in found}
    assert all(one[1] == other[0] for one, other in zip(sorted(strips), sorted(strips)[1:], strict=False))


@pytest.mark.parametrize(
    ("block", "size", "tile"),
    [
        ((512, 512), (7857, 6553), (1024, 512)),
        ((256, 256), (20_000, 20_000), (1024, 512)),
        ((1, 6553), (7857, 6553), (80, 6553)),
        ((1, 40_000), (30_000, 40_000), (13, 40_000)),
        ((60, 80), (60, 80), (60, 80)),
    ],
)
def test_tiles_are_whole_blocks(block: tuple[int, int], size: tuple[int, int], tile: tuple[int, int]):
    first = rasters.tiles(Grid(METRIC, NORTH_UP, *size), block)[0]
    assert (first.height, first.width) == tile
    assert first.height % block[0] == 0
    assert first.width % block[1] == 0 or first.width == size[1]


def test_a_tile_is_read_as_it_stands_and_unpacked_as_it_is_meant(tmp_path: Path):
    stored = np.arange(HEIGHT * WIDTH, dtype="int32").reshape(HEIGHT, WIDTH)
    stored[5, 6] = -1
    double = np.abs(stored) * 2
    path = write(tmp_path / "a.tif", np.stack([stored, double]), nodata=-1, scales=[0.5, 1.0], offsets=[3.0, 0.0])
    reader: Reader = pickle.loads(pickle.dumps(Reader([describe(path)])))
    first, second = reader.bands(Tile(4, 5, 10, 20))
    assert np.array_equal(first.stored, stored[4:14, 5:25])
    assert first.missing is not None
    assert np.argwhere(first.missing).tolist() == [[1, 1]]
    assert second.missing is None
    room = np.empty(200)
    first.unpack(room)
    assert room[0] == (4 * WIDTH + 5) * 0.5 + 3
    Band(second.stored, None, 1.0, 0.0).unpack(room)
    assert np.array_equal(room, double[4:14, 5:25].ravel())


# Broken files, and such as mean harm


def raw(content: bytes) -> Make:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


def made(array: npt.ArrayLike, **profile: Any) -> Make:
    return lambda path: write(path, array, **profile)


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def as_png(path: Path) -> Path:
    write(path.with_suffix(".png"), values().astype("uint8"), driver="PNG").rename(path)
    path.with_suffix(".png.aux.xml").rename(path.with_name(path.name + ".aux.xml"))
    return path


def as_vrt(path: Path) -> Path:
    secret = write(path.with_name("secret.tif"), values())
    with rasterio.open(secret) as file, rasterio.vrt.WarpedVRT(file):
        pass
    path.write_text(
        f"<VRTDataset rasterXSize='{WIDTH}' rasterYSize='{HEIGHT}'><SRS>EPSG:9377</SRS>"
        "<GeoTransform>4800000, 250, 0, 2000000, 0, -250</GeoTransform><VRTRasterBand dataType='Float32' band='1'>"
        f"<SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return path


def sparse(height: int, width: int, **profile: Any) -> Make:
    """A file of which only the header exists."""

    def make(path: Path) -> Path:
        given = {"driver": "GTiff", "dtype": "uint8", "count": 1, "crs": METRIC, "transform": NORTH_UP} | profile
        with rasterio.open(path, "w", height=height, width=width, sparse_ok=True, bigtiff="YES", **given):
            pass
        return path

    return make


def one_value(value: float, **profile: Any) -> Make:
    array = values()
    array[HEIGHT - 1, WIDTH - 1] = value
    return made(array, **profile)


def cut(share: float, **profile: Any) -> Make:
    def make(path: Path) -> Path:
        content = write(path, np.stack([values(), values(2)]), **profile).read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return make


NAN_AND_INFINITE = values()
NAN_AND_INFINITE[0, 0], NAN_AND_INFINITE[1, 1] = np.nan, np.inf
LOCAL = 'LOCAL_CS["a mine\'s own axes",UNIT["metre",1]]'
TILED: dict[str, Any] = {"tiled": True, "blockxsize": 16, "blockysize": 16}
LARGE: dict[str, Any] = {"tiled": True, "blockxsize": 16_384, "blockysize": 16_384}

REFUSED: dict[str, tuple[Make, type[PresenciaError], str]] = {
    "absent": (lambda path: path, SourceError, "is not there; check the path"),
    "a folder": (folder, SourceError, "is not there"),
    "empty": (raw(b""), SourceError, "does not begin as one does"),
    "text": (raw(b"municipio,hectareas\n05001,12\n"), SourceError, "does not begin as one does"),
    "zeros": (raw(bytes(4096)), SourceError, "does not begin as one does"),
    "only the first bytes": (raw(b"II*\0"), SourceError, "must be a whole raster"),
    "a header of noise": (raw(b"II*\0" + bytes(range(256)) * 8), SourceError, "must be a whole raster"),
    "directories in a ring": (
        raw(b"II*\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"), SourceError, "must be a whole raster",
    ),
    "PNG": (as_png, SourceError, "does not begin as one does"),
    "virtual": (as_vrt, SourceError, "does not begin as one does"),
    "virtual with a comma": (raw(b"<VRTDataset/>"), SourceError, "does not begin as one does"),
    "NetCDF": (raw(b"CDF\x01" + bytes(100)), SourceError, "does not begin as one does"),
    "no CRS": (made(values(), crs=None), GeometryError, "states none; assign it"),
    "a CRS of its own": (made(values(), crs=LOCAL), GeometryError, "is neither: warp it|states none; assign it"),
    "a CRS of heights": (made(values(), crs="EPSG:5773"), GeometryError, "is neither: warp it|states none"),
    "no transform": (made(values(), transform=None), GeometryError, "no geotransform"),
    "flat cells": (made(values(), transform=Affine(250, 0, 1, 0, 0, 2)), GeometryError, "no geotransform"),
    "cells of NaN": (made(values(), transform=Affine(np.nan, 0, 1, 0, -250, 2)), GeometryError, "no geotransform"),
    "infinitely far": (made(values(), transform=Affine(250, 0, np.inf, 0, -250, 2)), GeometryError, "no geotransform"),
    "complex": (made(values().astype("complex64")), SourceError, "must hold real numbers; its bands are complex64"),
    "complex integers": (made(values().astype("complex64"), dtype="complex_int16"), SourceError, "complex_int16"),
    "infinite": (one_value(np.inf), SourceError, "finite values; a tile has 1 infinite ones: mend them"),
    "minus infinite": (one_value(-np.inf, nodata=np.inf), SourceError, "finite values; a tile has 1"),
    "infinite beside missing": (made(NAN_AND_INFINITE), SourceError, "finite values; a tile has 1"),
    "infinite beside a value for missing": (made(NAN_AND_INFINITE, nodata=np.nan), SourceError, "finite values"),
    "a million by a million": (sparse(10**6, 10**6, **LARGE), SourceError, "tells of 1,000,000 x 1,000,000 in 1 bands"),
    "a billion cells that are not there": (sparse(30_000, 30_000, **LARGE), SourceError, "must hold all of its blocks"),
    "long and thin": (sparse(2_000_000_000, 1), SourceError, "must hold all of its blocks|must be a whole raster"),
    "only a header": (sparse(HEIGHT, WIDTH), SourceError, "band 1 lacks that of row 0 and column 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_read_rightly_is_refused(tmp_path: Path, name: str):
    make, kind, message = REFUSED[name]
    path = make(tmp_path / "harm.tif")
    with pytest.raises(kind, match=message) as caught:
        zonal(HALF, path, spread=threads(1))
    assert str(path) in str(caught.value)


def test_infinity_may_stand_for_missing(tmp_path: Path):
    path = one_value(np.inf, nodata=np.inf)(tmp_path / "a.tif")
    found = every(path)
    assert found.total.iloc[0].tolist() == [values().sum() - values()[-1, -1], HEIGHT * WIDTH - 1]


def test_a_size_of_zero_is_refused(tmp_path: Path):
    path = write(tmp_path / "a.tif", values())
    content = bytearray(path.read_bytes())
    for tag in (b"\x00\x01\x03\x00\x01\x00\x00\x00", b"\x01\x01\x03\x00\x01\x00\x00\x00"):
        at = content.find(tag)
        assert at > 0
        none = content.copy()
        none[at + 8 : at + 10] = b"\0\0"
        path.write_bytes(none)
        with pytest.raises(SourceError, match=r"must be a whole raster|from 1 to"):
            every(path)


def test_absent_blocks_are_missing_where_a_value_says_so_and_refused_where_none_does(tmp_path: Path):
    path = sparse(64, 64, **TILED, nodata=255)(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as file:
        file.write(np.full((16, 16), 3, dtype="uint8"), 1, window=((16, 32), (16, 32)))
    found = every(path, frame([shapely.box(0, 0, 64, 64)]))
    assert (found["count"].iloc[0, 0], found["sum"].iloc[0, 0]) == (256, 768)
    path = sparse(64, 64, **TILED)(tmp_path / "b.tif")
    with rasterio.open(path, "r+") as file:
        file.write(np.full((64, 48), 3, dtype="uint8"), 1, window=((0, 64), (0, 48)))
    with pytest.raises(
        SourceError, match="band 1 lacks that of row 0 and column 48, and no value is declared as missing"
    ):
        every(path)


def test_a_raster_of_nothing_but_missing_values_gives_an_empty_result(tmp_path: Path):
    found = every(write(tmp_path / "a.tif", np.full((HEIGHT, WIDTH), -1.0), nodata=-1))
    assert found["count"].iloc[0, 0] == 0
    assert found["sum"].isna().all(axis=None)
    assert (found.total == 0).all(axis=None)


LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"compress": "none"},
    "tiles": TILED | {"compress": "none"},
    "deflate": TILED | {"compress": "deflate"},
    "LZW with a value for missing": {"compress": "lzw", "nodata": -1},
    "COG": {"driver": "COG", "nodata": 0},
    "pixels": TILED | {"interleave": "pixel", "compress": "zstd"},
    "bands": TILED | {"interleave": "band"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_cut_short_is_refused_or_holds_what_the_whole_does(tmp_path: Path, layout: str):
    whole = sums(cut(1.0, **LAYOUTS[layout])(tmp_path / "whole.tif"))
    refused = 0
    for share in (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999):
        path = cut(share, **LAYOUTS[layout])(tmp_path / "cut.tif")
        try:
            assert sums(path) == whole
        except (SourceError, GeometryError):
            refused += 1
    assert refused >= 9


@pytest.mark.parametrize("layout", ["deflate", "strips", "COG"])
def test_any_bytes_changed_give_an_error_of_ours_or_a_result_that_holds(tmp_path: Path, layout: str):
    content = cut(1.0, **LAYOUTS[layout])(tmp_path / "whole.tif").read_bytes()
    rng = np.random.default_rng(6)
    path = tmp_path / "changed.tif"
    results = 0
    for turn in range(FLIPS // 3):
        changed = bytearray(content)
        reach = len(content) if turn % 3 == 0 else min(900, len(content))
        for at in rng.integers(4, reach, rng.integers(1, 4)):
            changed[at] = rng.integers(256) if turn % 2 else changed[at] ^ (1 << int(rng.integers(8)))
        path.write_bytes(changed)
        try:
            found = every(path)
        except PresenciaError:
            continue
        results += 1
        held = found["sum"].sum().fillna(0) + found.outside["sum"].fillna(0)
        scale = found.total["sum"].abs().max() + 1
        assert np.isfinite(held).all()
        assert held.to_numpy() == pytest.approx(found.total["sum"].to_numpy(), rel=1e-6, abs=1e-6 * scale), turn
    assert 0 < results < FLIPS // 3


@given(
    st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"EHFA_HEADER_TAG", b"ncols 4\nnrows 3\n"])
)
def test_any_bytes_that_begin_as_a_raster_are_refused(tmp_path_factory, content: bytes, start: bytes):
    path = tmp_path_factory.getbasetemp() / "noise.tif"
    path.write_bytes(start + content)
    with pytest.raises(PresenciaError):
        describe(path)


# Other forms


def test_an_ascii_grid_is_read_with_its_crs_beside_it(tmp_path: Path):
    path = tmp_path / "a.asc"
    head = "ncols 3\nnrows 2\nxllcorner 4800000\nyllcorner 1999500\ncellsize 250\nNODATA_value -9999\n"
    path.write_text(head + "1 2 3\n4 -9999 6\n")
    with pytest.raises(GeometryError, match="states none"):
        describe(path)
    path.with_suffix(".prj").write_text(rasterio.crs.CRS.from_epsg(9377).to_wkt())
    found = zonal(frame([shapely.box(0, 0, 3, 2)]), path)
    assert (found["sum"].iloc[0, 0], found["count"].iloc[0, 0]) == (16, 5)


@given(SEEDS)
def test_a_ramp_is_a_ramp_whatever_its_blocks(seed: int):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 400, 2)
    grid = Grid(STORAGE, NORTH_UP, int(height), int(width))
    whole = ramp(int(height), int(width))
    found = rasters.tiles(grid, (int(rng.integers(1, 500)), int(rng.integers(1, 500))))
    parts = [whole[t.row : t.row + t.height, t.col : t.col + t.width].sum() for t in found]
    assert sum(parts) == whole.sum()


@pytest.mark.parametrize(("kept", "at_once"), [("pixel", 12), ("band", 1)])
def test_bands_of_one_block_are_read_together_and_in_smaller_tiles(tmp_path: Path, kept: str, at_once: int):
    values = np.arange(12 * 32 * 32, dtype="float32").reshape(12, 32, 32)
    path = write(tmp_path / "a.tif", values, tiled=True, blockxsize=16, blockysize=16, interleave=kept)
    raster = rasters.describe(path)
    reader = rasters.Reader([raster])
    assert reader.together == at_once
    [tile] = reader.tiles()
    stored = [band.stored for band in reader.bands(tile)]
    np.testing.assert_array_equal(stored, values)
    large = Grid(METRIC, NORTH_UP, 4096, 4096)
    cells = [tile.height * tile.width for tile in rasters.tiles(large, (16, 16), together=at_once)]
    assert max(cells) <= rasters.TILE_CELLS * rasters.TOGETHER // max(at_once, rasters.TOGETHER)
