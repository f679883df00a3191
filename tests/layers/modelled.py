"""A MODELLED density layer: the real municipal table spread over 1 km cells by chance, keeping every hectare.

Nobody surveyed these cells. Only their sums by municipality and year are real; where in a municipality coca lies is
drawn, in clusters that stay in place over the years, and never across a border.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from affine import Affine

from geo import cells
from geo.crs import METRIC, to_metric
from geo.grid import Grid
from layers.density import Density
from layers.report import Report

SIDE_M = 1000.0
HA_A_CELL = 12.0  # on average, where coca is
MOST_HA = 95.0
CLUSTERS, SPREAD_KM = 4, 5.0

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def country_grid(municipalities: gpd.GeoDataFrame) -> Grid:
    """1 km cells of EPSG:9377 over all municipalities."""
    west, south, east, north = to_metric(municipalities).total_bounds
    left, top = math.floor(west / SIDE_M) * SIDE_M, math.ceil(north / SIDE_M) * SIDE_M
    size = (math.ceil((top - south) / SIDE_M), math.ceil((east - left) / SIDE_M))
    return Grid(METRIC, Affine(SIDE_M, 0.0, left, 0.0, -SIDE_M, top), *size)


def modelled(municipalities: gpd.GeoDataFrame, table: pd.DataFrame, *, seed: int = 1) -> Density:
    """Spread hectares by code and year over the cells that lie wholly in each municipality."""
    held = table[table.gt(0).any(axis=1)].fillna(0.0)
    grid = country_grid(municipalities)
    parts = [
        _spread(row, col, held.T[code], np.random.default_rng([seed, int(code)]))
        for code, row, col in _inner_cells(grid, municipalities.loc[held.index])
    ]
    frame = pd.concat(parts).sort_values(["row", "col"], ignore_index=True)
    hectares = frame[list(table.columns)].set_axis([int(year) for year in table.columns], axis=1)
    totals = {int(year): math.fsum(hectares[year]) for year in table.columns}
    report = Report(len(frame), len(frame), totals=totals)
    row, col = (frame[name].to_numpy(dtype=np.int64) for name in ("row", "col"))
    return Density(grid, row, col, hectares, Path("modelled.tif"), report, modelled=True)


def _inner_cells(grid: Grid, municipalities: gpd.GeoDataFrame) -> Iterator[tuple[str, Integers, Integers]]:
    """Rows and columns of the cells that lie wholly in each municipality."""
    found = cells.cover(cells.edges(grid.place(municipalities)), rows=(0, grid.height), width=grid.width)
    count = found.run_stop - found.run_start
    polygon, row = np.repeat(found.run_polygon, count), np.repeat(found.run_row, count)
    col = np.repeat(found.run_start - np.cumsum(count) + count, count) + np.arange(count.sum())
    for place, code in enumerate(municipalities.index):
        inside = polygon == place
        assert inside.any(), f"{code} holds no whole cell"
        yield code, row[inside], col[inside]


def _spread(row: Integers, col: Integers, hectares: pd.Series, chance: np.random.Generator) -> pd.DataFrame:
    centres = chance.integers(len(row), size=CLUSTERS)
    squared = (row[:, None] - row[centres]) ** 2 + (col[:, None] - col[centres]) ** 2
    weight = np.exp(-squared / (2 * SPREAD_KM**2)).sum(axis=1) * chance.uniform(0.5, 1.5, len(row)) + 1e-6
    order = np.argsort(-weight, kind="stable")
    by_year = {year: _filled(weight[order], float(total)) for year, total in hectares.items()}
    frame = pd.DataFrame({"row": row[order], "col": col[order], **by_year})
    return frame[frame[list(by_year)].gt(0).any(axis=1)]


def _filled(weight: Floats, total: float) -> Floats:
    """Hectares in the heaviest cells, none above what a cell holds; they sum to the total but for rounding."""
    count = min(len(weight), max(1, math.ceil(total / HA_A_CELL)))
    filled = np.zeros(len(weight))
    filled[:count] = total * weight[:count] / weight[:count].sum()
    assert total <= MOST_HA * count, "more hectares than the cells hold"
    while (over := filled > MOST_HA).any():
        excess = (filled[over] - MOST_HA).sum()
        filled[over] = MOST_HA
        room = (filled < MOST_HA) & (np.arange(len(weight)) < count)
        filled[room] += excess * weight[room] / weight[room].sum()
    largest = int(np.argmax(filled))
    filled[largest] += total - math.fsum(filled)
    return filled
