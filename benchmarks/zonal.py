"""Zonal statistics beside exactextract, rasterstats and reading alone: seconds and memory, each in its own process.

    python benchmarks/zonal.py [--side 250] [--bands 24] [--repeats 3] [--folder build/zonal] [--markdown]

Country: the 1,122 municipalities of MGN 2018 at full detail, and a made-up raster of 24 years in cells of 250 m
(EPSG:9377, float32, -9999 beyond the country, 512 by 512, deflate, clusters and noise of a fixed seed). Asked of all:
sum, mean and count. Seconds are those of the call, after imports and polygons; the least of the repeats, in each of
which every contestant has a turn. Beside them stands what all processors together were busy.

- reading: every block of every band, by our tiles, and nothing done with it.
- cached: the cells under the polygons lie on the disk from an earlier run.
- exactextract goes from polygon to polygon by default, or through the raster in one pass (raster-sequential).
- rasterstats is timed once and on one band; what all bands would take is that times their number, marked with a tilde.
  It counts whole cells, so its sums are others.

Memory is the most that a process has held (VmHWM). The least of it is Python with its libraries and the polygons, in
the column before.

Department: how sure a classifier is of coca, in cells of 30 m, at least 200 million (a byte a cell) over one
department, and the upper quarter and half of it, to show that memory does not grow with the raster.

Nothing is asserted on seconds and memory; ends with 1 if sums differ from exactextract's by more than 1e-6.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from benchmarks import zonalwork
from benchmarks.webmap import table
from benchmarks.zonalwork import Job

ROOT = Path(__file__).resolve().parents[1]
MGN = ROOT.parent / "shared" / "data" / "boundaries" / "mgn_2018.topojson"
DEPARTMENT, DEPARTMENT_NAME, SIDE_30 = "18", "Caquetá", 30.0
SHARES = (0.25, 0.5, 1.0)
CLOSE = 1e-6
NAN = math.nan
OURS = "Presencia, 2 threads"
PEERS = {"exactextract": "exactextract", "exactextract, in one pass": "exactextract_in_one_pass"}


@dataclass(frozen=True)
class Seen:
    """What was measured of a contestant: seconds, those of processors, MB before and at most, its sums, if scaled."""

    seconds: float
    processor: float
    before_mb: float
    peak_mb: float
    sums: npt.NDArray[np.float64]
    scaled: bool = False


def measure(jobs: dict[str, Job], repeats: int = 1) -> dict[str, Seen]:
    """The least of some rounds, in each of which every contestant has a turn."""
    turns = [{name: once(job) for name, job in jobs.items()} for _ in range(repeats)]
    return {name: min((turn[name] for turn in turns), key=lambda each: each.seconds) for name in jobs}


def once(job: Job) -> Seen:
    command = [sys.executable, "-m", "benchmarks.zonalwork", json.dumps(asdict(job))]
    path = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | path, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"{job.contestant} on {job.raster} ended with {done.returncode}")
    return Seen(**json.loads(done.stdout.splitlines()[-1]), sums=np.load(job.sums))


def country(job: Job, bands: int, repeats: int, *, alone: bool) -> dict[str, Seen]:
    """All contestants on one raster; ``alone``: without those that take long."""
    cached = replace(job, cache=str(Path(job.sums).with_name("cache")))
    jobs = {f"reading, {_threads(n)}": replace(job, contestant="reading", threads=n) for n in (1, 2)}
    jobs |= {f"Presencia, {_threads(n)}": replace(job, threads=n) for n in (1, 2)}
    jobs |= {f"Presencia, {_threads(n)}, cached": replace(cached, threads=n) for n in (1, 2)}
    if not alone:
        jobs |= {name: replace(job, contestant=contestant) for name, contestant in PEERS.items()}
    once(cached)  # fills the cache, and the system's of the file
    seen = measure(jobs, repeats)
    if not alone:
        one = once(replace(job, contestant="rasterstats", bands=1))
        seen["rasterstats"] = replace(
            one, seconds=one.seconds * bands, processor=one.processor * bands, scaled=bands > 1
        )
    return seen


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def furthest(sums: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float:
    """The largest difference between two tables of sums, relative to the sum; sums below 1 ha as if they were 1 ha."""
    some = sums[:, : others.shape[1]]
    return float((np.abs(np.nan_to_num(some) - np.nan_to_num(others)) / np.maximum(np.nan_to_num(others), 1.0)).max())


def rows(seen: dict[str, Seen], reference: str) -> Iterator[list[str]]:
    """Each contestant's figures, and how many times those of ``reference`` they are."""
    own = seen[reference]
    for name, each in seen.items():
        tilde = "~" if each.scaled else ""
        differs = furthest(own.sums, each.sums) if each.sums.size else NAN
        yield [
            name,
            f"{tilde}{each.seconds:.2f} s",
            f"{tilde}{each.seconds / own.seconds:.2f}×",
            f"{tilde}{each.processor:.2f} s",
            f"{each.before_mb:.0f} MB",
            f"{each.peak_mb:.0f} MB",
            f"{each.peak_mb / own.peak_mb:.1f}×",
            "–" if math.isnan(differs) else f"{differs:.1e}",
        ]


def limits(seen: dict[str, Seen]) -> list[list[str]]:
    """What was asked of us, and what came of it."""
    two, cached, reading = seen[OURS], seen[f"{OURS}, cached"], seen["reading, 2 threads"]
    peer = min(seen[name].seconds for name in PEERS)
    return [
        ["time, of exactextract's quicker way", f"{two.seconds / peer:.2f}", "0.50"],
        ["the same, cells cached", f"{cached.seconds / peer:.2f}", "0.40"],
        ["time, of reading alone on two threads", f"{two.seconds / reading.seconds:.2f}", "1.60"],
        ["the same, cells cached", f"{cached.seconds / reading.seconds:.2f}", "1.60"],
        ["memory", f"{two.peak_mb:.0f} MB", "500 MB"],
        ["sums off exactextract's", f"{furthest(two.sums, seen['exactextract'].sums):.1e}", f"{CLOSE:.0e}"],
    ]


def department(folder: Path, municipalities: gpd.GeoDataFrame, seed: int) -> Iterator[list[str]]:
    """Time and memory on a quarter, a half and the whole of a raster."""
    own = municipalities[municipalities.index.str.startswith(DEPARTMENT)]
    polygons = folder / "department.parquet"
    own.to_parquet(polygons)
    for share in SHARES:
        path = folder / f"department-{share:g}.tif"
        height, width = zonalwork.make_department(path, own, side=SIDE_30, rows=share, seed=seed)
        job = Job("ours", str(path), str(polygons), str(folder / "sums.npy"), threads=2)
        alone, seen = once(replace(job, contestant="reading")), once(job)
        yield [
            f"{share:.0%}", f"{height:,} × {width:,}", f"{height * width / 1e6:.0f} million",
            f"{seen.seconds:.2f} s", f"{alone.seconds:.2f} s", f"{seen.before_mb:.0f} MB", f"{seen.peak_mb:.0f} MB",
        ]  # fmt: skip


def read_municipalities(path: Path) -> gpd.GeoDataFrame:
    if not path.exists():
        raise SystemExit(f"the boundaries of MGN 2018 must lie at {path} and do not; name them with --boundaries")
    raw = gpd.read_file(path, layer="MGN_MPIO_POLITICO").set_crs(4326, allow_override=True)
    return raw.set_index("MPIO_CCNCT")[["geometry"]].to_crs(zonalwork.METRIC)


def machine() -> str:
    listing = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", listing.read_text()) if listing.exists() else None
    processor = named[1] if named else platform.machine()
    busy = f", of which {os.getloadavg()[0]:.1f} busy" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores{busy} ({processor}), {platform.system()}"


@contextmanager
def workplace(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with TemporaryDirectory(prefix="zonal-") as made:
        yield Path(made)


def options(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boundaries", type=Path, default=MGN, help="MGN 2018 as TopoJSON (default: the raw data's)")
    parser.add_argument("--side", type=float, default=250.0, help="metres along a cell of the country (default: 250)")
    parser.add_argument("--bands", type=int, default=24, help="years of the country (default: 24)")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the least counts (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="where the made-up values begin (default: 1)")
    parser.add_argument("--folder", type=Path, help="where rasters are made and kept; a temporary one if not given")
    parser.add_argument("--ours", action="store_true", help="without exactextract and rasterstats")
    parser.add_argument("--country", action="store_true", help="without the department")
    parser.add_argument("--markdown", action="store_true", help="tables as Markdown")
    return parser.parse_args(given)


def on_country(folder: Path, municipalities: gpd.GeoDataFrame, args: argparse.Namespace) -> int:
    polygons, raster = folder / "municipalities.parquet", folder / f"country-{args.side:g}-{args.bands}-{args.seed}.tif"
    municipalities.to_parquet(polygons)
    if not raster.exists():
        partial = raster.with_suffix(".partial")
        zonalwork.make_country(partial, municipalities, side=args.side, bands=args.bands, seed=args.seed)
        partial.replace(raster)
    job = Job("ours", str(raster), str(polygons), str(folder / "sums.npy"))
    seen = country(job, args.bands, args.repeats, alone=args.ours)
    size = f"{args.bands} bands of {args.side:g} m, {raster.stat().st_size / 1e6:.0f} MB"
    print(f"{len(municipalities):,} municipalities, {size}\n")
    head = ["", "time", "", "processor", "memory before", "at most", "", "sums differ by"]
    print(table(head, list(rows(seen, OURS)), markdown=args.markdown))
    if args.ours:
        return 0
    print("\n" + table([OURS, "measured", "at most"], limits(seen), markdown=args.markdown))
    return int(furthest(seen[OURS].sums, seen["exactextract"].sums) > CLOSE)


def main(given: Sequence[str] | None = None) -> int:
    args = options(given)
    municipalities = read_municipalities(args.boundaries)
    print(machine(), end="\n\n")
    with workplace(args.folder) as folder:
        ended = on_country(folder, municipalities, args)
        if not args.country:
            print(f"\n{DEPARTMENT_NAME}, cells of {SIDE_30:g} m, two threads\n")
            head = ["rows", "size", "cells", "time", "reading", "memory before", "at most"]
            print(table(head, list(department(folder, municipalities, args.seed)), markdown=args.markdown))
    return ended


if __name__ == "__main__":
    sys.exit(main())
