"""The country: every municipality of MGN 2018 at full detail on cells of 250 m, beside exactextract.

exactextract's shares of cells are in single precision, which leaves sums alike to about 1e-9 (and areas above a
threshold, of fewer cells, to 4e-8). Of cells that a border all but misses, exactextract and ours could see one and not
the other, and so differ in the least or the greatest value; with these boundaries, grid and values it does not occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import rasterio
from affine import Affine
from exactextract import exact_extract
from rasterio import features
from rasterio.windows import Window

from geo.grid import Grid
from geo.zonal import STATISTICS, Zonal, threads, zonal
from tests.geo.rasterfiles import CELL_HA, METRIC, SIDE

MARGIN = 200.0
ABOVE = 1.0
NODATA = -9999.0
HOLES = 0.02
CLOSE = 1e-6


@dataclass(frozen=True)
class Country:
    """Municipalities, the grid and file of a raster over them, and our and exactextract's figures of it."""

    municipalities: gpd.GeoDataFrame
    grid: Grid
    values: Path
    ours: Zonal
    theirs: pd.DataFrame


@pytest.fixture(scope="module")
def country(shared_data: Path) -> Iterator[Country]:
    raw = gpd.read_file(shared_data / "boundaries" / "mgn_2018.topojson", layer="MGN_MPIO_POLITICO")
    municipalities = raw.set_crs(4326).to_crs(METRIC).set_index("MPIO_CCNCT")[["geometry"]]
    west, south, east, north = municipalities.total_bounds
    transform = Affine(SIDE, 0, west - MARGIN, 0, -SIDE, north + MARGIN)
    grid = Grid(METRIC, transform, int((north - south) / SIDE) + 3, int((east - west) / SIDE) + 3)
    with TemporaryDirectory() as folder:
        values, hot = Path(folder) / "values.tif", Path(folder) / "hot.tif"
        make(municipalities, grid, values, hot)
        ours = zonal(municipalities, values, statistics=STATISTICS, above=ABOVE)
        yield Country(municipalities, grid, values, ours, asked_of_exactextract(municipalities, values, hot))


def make(municipalities: gpd.GeoDataFrame, grid: Grid, values: Path, hot: Path) -> None:
    """Hectares a cell, none missing zero and many above ABOVE, with holes, and nothing beyond the country."""
    shape = (grid.height, grid.width)
    inside = features.rasterize(municipalities.geometry, out_shape=shape, transform=grid.transform).astype(bool)
    profile = {
        "driver": "GTiff", "dtype": "float32", "width": grid.width, "height": grid.height, "count": 1, "crs": METRIC,
        "transform": grid.transform, "tiled": True, "blockxsize": 512, "blockysize": 512, "nodata": NODATA,
        "compress": "zstd", "zstd_level": 1, "num_threads": 2,
    }  # fmt: skip
    rng = np.random.default_rng(1)
    with rasterio.open(values, "w", **profile) as one, rasterio.open(hot, "w", **profile) as other:
        for row in range(0, grid.height, 512):
            rows = slice(row, min(row + 512, grid.height))
            there = inside[rows] & (rng.random(inside[rows].shape, dtype="float32") > HOLES)
            east = np.sin(np.arange(grid.width) / 400) + 1.2
            drawn = (rng.random(there.shape, dtype="float32") * east * 2 + 0.01).astype("float32")
            window = Window(0, row, grid.width, there.shape[0])
            one.write(np.where(there, drawn, np.float32(NODATA)), 1, window=window)
            other.write(np.where(there, (drawn > ABOVE).astype("float32"), np.float32(NODATA)), 1, window=window)


def asked_of_exactextract(municipalities: gpd.GeoDataFrame, values: Path, hot: Path) -> pd.DataFrame:
    """What exactextract has of our statistics, in our names."""
    given = {"output": "pandas", "strategy": "raster-sequential", "max_cells_in_memory": 30_000_000}
    found = exact_extract(str(values), municipalities, ["sum", "mean", "count", "min", "max"], **given)
    above = exact_extract(str(hot), municipalities, ["sum"], **given)
    found["integral"], found["area_ha"] = found["sum"] * CELL_HA, found["count"] * CELL_HA
    found["area_above_ha"] = above["sum"] * CELL_HA
    return pd.DataFrame(found).set_axis(municipalities.index)


def column(found: Zonal, statistic: str) -> npt.NDArray[np.float64]:
    return found[statistic].iloc[:, 0].to_numpy()


@pytest.mark.parametrize("statistic", STATISTICS)
def test_every_statistic_is_exactextracts_for_every_municipality(country: Country, statistic: str):
    assert len(country.theirs) == 1122
    assert column(country.ours, statistic) == pytest.approx(country.theirs[statistic].to_numpy(), rel=CLOSE)


def test_the_country_and_what_is_outside_sum_to_the_raster(country: Country):
    with rasterio.open(country.values) as file:
        values = file.read(1)
    known = values != NODATA
    assert country.ours.total.iloc[0].tolist() == [pytest.approx(values[known].sum(dtype=float)), known.sum()]
    for name in ("sum", "count"):
        both = column(country.ours, name).sum() + country.ours.outside[name].iloc[0]
        assert both == pytest.approx(country.ours.total[name].iloc[0], rel=1e-12)


def test_shares_of_the_country_sum_to_its_area(country: Country):
    assert column(country.ours, "area_ha").sum() == pytest.approx(
        country.municipalities.area.sum() / 1e4 * (1 - HOLES), rel=1e-3
    )
    assert (column(country.ours, "area_ha") <= country.municipalities.area / 1e4 * (1 + 1e-9)).all()


def test_one_thread_and_a_cache_give_the_same_bits(country: Country, tmp_path: Path):
    for _ in range(2):
        again = zonal(
            country.municipalities,
            country.values,
            statistics=STATISTICS,
            above=ABOVE,
            cache=tmp_path,
            spread=threads(1),
        )
        assert all(again[name].equals(country.ours[name]) for name in STATISTICS)
        assert all(again.outside[name].equals(country.ours.outside[name]) for name in STATISTICS)
