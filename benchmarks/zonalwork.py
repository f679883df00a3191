"""What benchmarks/zonal.py measures, one contestant in a process of its own, and the rasters that it measures on.

A process reads the polygons, imports what its contestant needs, notes its memory, and only then looks at the clock.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio import features
from rasterio.windows import Window
from scipy import ndimage

METRIC = "EPSG:9377"
MARGIN_M = 200.0
NODATA = -9999.0
BLOCK = 512
STATISTICS = ("sum", "mean", "count")
MB = 1e6

Floats = npt.NDArray[np.float64]
Work = Callable[[], Floats]


@dataclass(frozen=True)
class Job:
    """Whose turn it is, on what, and what it may use."""

    contestant: str
    raster: str
    polygons: str
    sums: str
    threads: int = 1
    cache: str = ""
    bands: int = 0


# Contestants: each imports what it needs and returns what is timed; that returns sums, polygons by bands.


def ours(job: Job, polygons: gpd.GeoDataFrame) -> Work:
    from geo.zonal import threads, zonal

    cache = Path(job.cache) if job.cache else None
    spread = threads(job.threads)

    def work() -> Floats:
        found = zonal(polygons, Path(job.raster), statistics=STATISTICS, cache=cache, spread=spread)
        return found["sum"].to_numpy()

    return work


def reading(job: Job, _: gpd.GeoDataFrame) -> Work:
    """Every block of every band, by the tiles that we read, and nothing done with it."""
    from geo import rasters

    raster = rasters.describe(Path(job.raster))
    own = threading.local()

    def read(tile: rasters.Tile) -> None:
        if not hasattr(own, "file"):
            own.file = rasterio.open(raster.path)
        for band in range(len(raster.names)):
            own.file.read(band + 1, window=Window(tile.col, tile.row, tile.width, tile.height))

    def work() -> Floats:
        with rasters.small_cache(), ThreadPoolExecutor(job.threads) as pool:
            list(pool.map(read, rasters.Reader([raster]).tiles()))
        return np.zeros((0, 0))

    return work


def exactextract(job: Job, polygons: gpd.GeoDataFrame, strategy: str = "feature-sequential") -> Work:
    from exactextract import exact_extract

    def work() -> Floats:
        found = exact_extract(job.raster, polygons, list(STATISTICS), output="pandas", strategy=strategy)
        return np.asarray(found.filter(regex="sum$").to_numpy(), dtype=float)

    return work


def exactextract_in_one_pass(job: Job, polygons: gpd.GeoDataFrame) -> Work:
    return exactextract(job, polygons, "raster-sequential")


def rasterstats(job: Job, polygons: gpd.GeoDataFrame) -> Work:
    """Cells whose centre lies inside count whole; it knows no shares."""
    from rasterstats import zonal_stats

    def band(number: int) -> list[float]:
        found = zonal_stats(polygons.geometry, job.raster, band=number, stats=list(STATISTICS))
        return [each["sum"] or 0.0 for each in found]

    return lambda: np.array([band(number) for number in range(1, (job.bands or 1) + 1)], dtype=float).T


CONTESTANTS: dict[str, Callable[[Job, gpd.GeoDataFrame], Work]] = {
    made.__name__: made for made in (ours, reading, exactextract, exactextract_in_one_pass, rasterstats)
}


def peak_mb() -> float:
    """The most memory that this process has held; not getrusage's, which begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


def do(job: Job) -> dict[str, float]:
    polygons = gpd.read_parquet(job.polygons)
    work = CONTESTANTS[job.contestant](job, polygons)
    before = peak_mb()
    start, busy = time.perf_counter(), time.process_time()
    sums = work()
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    np.save(job.sums, sums)
    return {"seconds": seconds, "processor": processor, "before_mb": before, "peak_mb": peak_mb()}


# Rasters


def grid_of(polygons: gpd.GeoDataFrame, side: float) -> tuple[Affine, int, int]:
    """North-up cells around polygons: transform, height and width."""
    west, south, east, north = polygons.total_bounds
    height, width = (int((most - least + 2 * MARGIN_M) / side) + 1 for least, most in ((south, north), (west, east)))
    return Affine(side, 0, west - MARGIN_M, 0, -side, north + MARGIN_M), height, width


def profile(transform: Affine, height: int, width: int, **given: Any) -> dict[str, Any]:
    return {
        "driver": "GTiff", "height": height, "width": width, "crs": METRIC, "transform": transform, "tiled": True,
        "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "bigtiff": "YES", "num_threads": 2,
    } | given  # fmt: skip


def clusters(height: int, width: int, rng: np.random.Generator, grain: int = 8) -> npt.NDArray[np.float32]:
    """A smooth random field around 0, of deviation 1."""
    rough = rng.standard_normal((height // grain + 2, width // grain + 2), dtype="float32")
    field = ndimage.zoom(ndimage.gaussian_filter(rough, 6), grain, order=1)[:height, :width]
    return np.asarray(field / field.std(), dtype="float32")


def make_country(path: Path, polygons: gpd.GeoDataFrame, *, side: float, bands: int, seed: int) -> None:
    """Hectares of coca a cell by year, two decimals: clusters that grow, with noise; nothing beyond the country."""
    transform, height, width = grid_of(polygons, side)
    beyond = features.rasterize(polygons.geometry, out_shape=(height, width), transform=transform) == 0
    rng = np.random.default_rng(seed)
    field = clusters(height, width, rng)
    given = profile(transform, height, width, count=bands, dtype="float32", nodata=NODATA, interleave="band")
    with rasterio.open(path, "w", **given) as file:
        for band in range(bands):
            values = np.maximum(field - 0.8 + 0.02 * band, 0) * 2.1
            values *= 0.5 + rng.random((height, width), dtype="float32")
            values = np.round(values, 2)
            values[beyond] = NODATA
            file.write(values, band + 1)


def make_department(path: Path, polygons: gpd.GeoDataFrame, *, side: float, rows: float, seed: int) -> tuple[int, int]:
    """How sure a classifier is of coca, in per cent, a byte a cell; clouds are missing. ``rows``: the upper share."""
    transform, height, width = grid_of(polygons, side)
    height = int(height * rows)
    rng = np.random.default_rng(seed)
    given = profile(transform, height, width, count=1, dtype="uint8", nodata=255)
    with rasterio.open(path, "w", **given) as file:
        for row in range(0, height, BLOCK):
            high = min(BLOCK, height - row)
            noise = rng.standard_normal((high, width), dtype="float32")
            scene = np.clip(20 + 25 * clusters(high, width, rng) + 5 * noise, 0, 100).astype("uint8")
            scene[clusters(high, width, rng) > 1.5] = 255
            file.write(scene, 1, window=Window(0, row, width, high))
    return height, width


if __name__ == "__main__":
    print(json.dumps(do(Job(**json.loads(sys.argv[1])))))
