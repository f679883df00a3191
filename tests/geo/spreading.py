"""Rasters of many tiles, and tasks that can be watched wherever they run."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine

from geo import rasters
from geo.rasters import Tile
from geo.tally import Part
from geo.zonal import STATISTICS, Spread, Task, Zonal, zonal
from tests.geo import made

ABOVE = 0.5
PATIENCE_S = 60.0


def raster(path: Path, *, side: int, bands: int = 1, block: int = 16, seed: int = 1) -> Path:
    """Cells of 100 m, some missing, whose values span so many magnitudes that sums show their order."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 6, size=(bands, side, side)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = -1
    place = Affine(100, 0, made.EAST, 0, -100, made.NORTH)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=bands, dtype="float32", nodata=-1, crs=made.METRIC,
        transform=place, tiled=True, blockxsize=block, blockysize=block,
    ) as data:  # fmt: skip
        data.write(values)
    return path


def polygons(side: int) -> gpd.GeoDataFrame:
    """Voronoi-like triangles over a raster and beyond, with gaps between; none follows the cells."""
    rng = np.random.default_rng(3)
    points = rng.uniform(-0.1, 1.1, size=(40, 2)) * side * 100
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points)))
    placed = shapely.transform(triangles[::2], lambda xy: xy * (1, -1) + (made.EAST, made.NORTH))
    return made.coded(placed)


def summed(shapes: gpd.GeoDataFrame, paths: Path | Sequence[Path], spread: Spread) -> Zonal:
    return zonal(shapes, paths, statistics=STATISTICS, above=ABOVE, spread=spread)


def assert_same_bits(found: Zonal, expected: Zonal) -> None:
    assert found.tables.keys() == expected.tables.keys() == set(STATISTICS)
    for name in STATISTICS:
        pd.testing.assert_frame_equal(found[name], expected[name], check_exact=True)
        pd.testing.assert_series_equal(found.outside[name], expected.outside[name], check_exact=True)
    pd.testing.assert_frame_equal(found.total, expected.total, check_exact=True)
    pd.testing.assert_frame_equal(found.measured, expected.measured, check_exact=True)


def until(reached: Callable[[], object], what: str) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end, f"did not come: {what}"
        time.sleep(0.01)


def environment() -> dict[str, str]:
    """For a process of its own that shall find these tests."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@dataclass(frozen=True)
class Watched(Task):
    """A task that writes down each tile that it begins, and waits at some until a gate opens."""

    folder: Path = Path()
    gated: frozenset[tuple[int, int]] = frozenset()

    def __call__(self, tile: Tile) -> Part:
        place = (tile.row, tile.col)
        (self.folder / f"{tile.row}-{tile.col}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if place in self.gated:
            until((self.folder / "gate").exists, "the gate's opening")
        return super().__call__(tile)


@dataclass(frozen=True)
class Deadly(Task):
    """A task that no process outlives."""

    def __call__(self, tile: Tile) -> Part:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(tile)


@dataclass(frozen=True)
class Frugal(Task):
    """A task that refuses to run where GDAL may take a twentieth of the machine's memory."""

    def __call__(self, tile: Tile) -> Part:
        assert rasterio.env.getenv()["GDAL_CACHEMAX"] == rasters.CACHE_BYTES
        return super().__call__(tile)


@dataclass(frozen=True)
class Watch:
    """A folder in which watched tasks write."""

    folder: Path

    def over(self, spread: Spread, *, gated: Callable[[Sequence[Tile]], Sequence[Tile]] = lambda tiles: ()) -> Spread:
        """The same spread, watched; ``gated`` tells which tiles wait for the gate."""

        def watched(task: Task, tiles: Sequence[Tile]) -> Iterator[Part]:
            places = frozenset((tile.row, tile.col) for tile in gated(tiles))
            return spread(Watched(task.reader, task.covers, task.wanted, self.folder, places), tiles)

        return watched

    def begun(self) -> list[tuple[int, int, int]]:
        """Row and column of each tile that was begun, and by which process; in order of time."""
        names = [path.name.split("-") for path in self.folder.glob("*-*")]
        return [(int(row), int(col), int(pid)) for row, col, pid, _ in sorted(names, key=lambda name: int(name[3]))]

    def open(self) -> None:
        (self.folder / "gate").touch()
