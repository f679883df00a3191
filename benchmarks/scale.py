"""Statistics of municipalities over large rasters: in one thread, in two, and on one and two processes of Dask.

    python benchmarks/scale.py [--cell-m 10 30 250] [--runs 3] [--markdown]

Each raster is made in a temporary folder, up to 205 million cells over the Andes of Colombia: hundredths of a cell, a
byte each, deflated; at 250 m the whole country in 24 bands of single precision. The polygons are the bundled
municipalities. Seconds are the best of the runs, from the first tile handed out to the last part added up, without
reading the polygons and without starting processes (which is told apart). All must give the same bits, or it ends with
1. Bytes are those of the loopback interface (Linux), so nothing else should talk there meanwhile.
"""

from __future__ import annotations

import argparse
import os
import pickle
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from rasterio.windows import Window

from geo import cluster
from geo.crs import METRIC
from geo.rasters import Tile
from geo.tally import Part
from geo.zonal import Spread, Task, threads, zonal
from layers import boundaries

STATISTICS = ("sum", "mean", "count")
SIDE, BLOCK = 14_336, 512
CENTRE = (4_750_000.0, 2_150_000.0)  # EPSG:9377; between Medellín and Bucaramanga
STATUS = Path("/proc/self/status")
LOOPBACK = Path("/sys/class/net/lo/statistics/tx_bytes")


@dataclass
class Timed:
    """What the best run of a spread costs, apart from what leads to it."""

    seconds: float = np.inf
    adding: float = 0.0  # seconds, of those
    held: int = 0  # bytes of all parts
    sent: float = np.nan  # bytes
    tiles: Sequence[Tile] = ()
    task: Task | None = None
    peaks: list[float] = field(default_factory=list)

    def over(self, spread: Spread) -> Spread:
        def timed(task: Task, tiles: Sequence[Tile]) -> Iterator[Part]:
            self.task, self.tiles = task, tiles
            begun, sent, adding, held = time.perf_counter(), _sent(), 0.0, 0
            for part in spread(task, tiles):
                held += sum(getattr(part, each.name).nbytes for each in fields(Part))
                given = time.perf_counter()
                yield part
                adding += time.perf_counter() - given
            seconds = time.perf_counter() - begun
            if seconds < self.seconds:
                self.seconds, self.adding, self.held, self.sent = seconds, adding, held, _sent() - sent

        return timed


@dataclass(frozen=True)
class Way:
    name: str
    context: Callable[[], AbstractContextManager[Spread]]
    workers: int = 0


WAYS = (
    Way("one thread", lambda: nullcontext(threads(1))),
    Way("two threads", lambda: nullcontext(threads(2))),
    Way("Dask, one process", partial(cluster.dask, workers=1), 1),
    Way("Dask, two processes", partial(cluster.dask, workers=2), 2),
)


def make(path: Path, cell_m: int) -> Path:
    """A smooth field, zero over most of the land, with noise as classified scenes have it."""
    if cell_m == 250:
        return _written(path, (7857, 6553), Affine(250, 0, 4_332_000, 0, -250, 2_990_000), 24, "float32")
    half = SIDE * cell_m / 2
    place = Affine(cell_m, 0, CENTRE[0] - half, 0, -cell_m, CENTRE[1] + half)
    return _written(path, (SIDE, SIDE), place, 1, "uint8")


def _written(path: Path, shape: tuple[int, int], place: Affine, bands: int, dtype: str) -> Path:
    most = 100 if dtype == "uint8" else 6.25
    rng = np.random.default_rng(1)
    height, width = shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=bands, dtype=dtype, nodata=255, crs=METRIC,
        transform=place, tiled=True, blockxsize=BLOCK, blockysize=BLOCK, compress="deflate", zlevel=1, bigtiff="yes",
        num_threads=2,
    ) as data:  # fmt: skip
        for band in range(1, bands + 1):
            for row in range(0, height, BLOCK):
                rows = np.arange(row, min(row + BLOCK, height))[:, None]
                wave = np.sin(rows / 700 + band) + np.cos(np.arange(width) / 900) - 1.4
                values = np.maximum(wave, 0) * rng.random((len(rows), width), dtype=np.float32) * most
                data.write(values.round(2).astype(dtype), band, window=Window(0, row, width, len(rows)))
    return path


def measure(way: Way, towns: gpd.GeoDataFrame, path: Path, runs: int) -> tuple[Timed, float, pd.DataFrame]:
    """What a way costs, how long its processes take to start, and what it gives."""
    _forget()
    timed, begun = Timed(), time.perf_counter()
    with way.context() as spread:
        start = time.perf_counter() - begun
        for _ in range(runs):
            found = zonal(towns, path, statistics=STATISTICS, spread=timed.over(spread))
        timed.peaks = _peaks(way)
    return timed, start, found["sum"]


def _peaks(way: Way) -> list[float]:
    """Most memory that the processes have held, in megabytes."""
    if not way.workers:
        return [_peak()]
    from distributed import get_client

    return list(get_client().run(_peak).values())


def _peak() -> float:
    """In this process since :func:`_forget`; what getrusage tells is handed down to processes that are started."""
    if not STATUS.exists():
        return np.nan
    return float(re.findall(r"VmHWM:\s+(\d+)", STATUS.read_text())[0]) / 1024


def _forget() -> None:
    """Begin anew with the most memory held: making a raster takes more than reading it."""
    if STATUS.exists():
        STATUS.with_name("clear_refs").write_text("5")


def _sent() -> float:
    return float(LOOPBACK.read_text()) if LOOPBACK.exists() else np.nan


def report(cell_m: int, path: Path, towns: gpd.GeoDataFrame, runs: int, *, markdown: bool) -> bool:
    """Measure and print; whether all ways gave the same bits."""
    with rasterio.open(path) as data:
        cells, bands = data.width * data.height, data.count
    size = path.stat().st_size
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"\n{cell_m} m: {cells / 1e6:,.0f} million cells × {bands} bands, {size / 1e6:,.0f} MB on disk{load}")
    _line(("", "seconds", "speed-up", "million values/s", "tasks", "ms more/task", "kB sent/tile",
           "MB a process", "s to start"), markdown)  # fmt: skip
    first: tuple[float, pd.DataFrame] | None = None
    same = True
    for way in WAYS:
        timed, start, found = measure(way, towns, path, runs)
        first = first or (timed.seconds, found)
        same &= found.equals(first[1])
        _line(_figures(way, timed, start, first[0], cells * bands, bands), markdown)
    assert timed.task is not None
    tiles, strips = len(timed.tiles), len({tile.strip for tile in timed.tiles})
    print(f"{tiles} tiles in {strips} strips; a part is {timed.held / tiles / 1e3:.1f} kB and added up in "
          f"{timed.adding / tiles * 1e3:.3f} ms; polygons and headers, once to a worker: "
          f"{len(pickle.dumps(timed.task, 5)) / 1e6:.1f} MB; {'the same bits' if same else 'DIFFERENT FIGURES'}",
          flush=True)  # fmt: skip
    return same


def _figures(way: Way, timed: Timed, start: float, alone: float, values: int, bands: int) -> tuple[str, ...]:
    shown = (f"{timed.seconds:.2f}", f"{alone / timed.seconds:.2f}", f"{values / timed.seconds / 1e6:,.0f}")
    peak = f"{max(timed.peaks):,.0f}"
    if not way.workers:
        return (way.name, *shown, "–", "–", "–", peak, "–")
    tasks = len(cluster.groups(timed.tiles, bands=bands, threads=way.workers))
    more = (timed.seconds * way.workers - alone) / tasks * 1e3
    return (
        way.name,
        *shown,
        f"{tasks}",
        f"{more:.0f}",
        f"{timed.sent / len(timed.tiles) / 1e3:.1f}",
        peak,
        f"{start:.1f}",
    )


def _line(texts: Sequence[str], markdown: bool) -> None:
    if markdown:
        print("| " + " | ".join(texts) + " |")
        if not texts[0]:
            print("| --- " + "| ---: " * (len(texts) - 1) + "|")
    else:
        print(f"{texts[0]:<20}" + "".join(f"{text:>17}" for text in texts[1:]), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell-m", type=int, nargs="+", default=[10, 30, 250], choices=(10, 30, 250))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    towns = boundaries.load().frame
    same = True
    with tempfile.TemporaryDirectory(prefix="presencia-") as folder:
        for cell_m in asked.cell_m:
            path = make(Path(folder) / f"{cell_m}.tif", cell_m)
            same &= report(cell_m, path, towns, asked.runs, markdown=asked.markdown)
            path.unlink()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
