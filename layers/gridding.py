"""What gridding a density layer takes, from whatever file: blocks of 1 km, and values that a cell can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.crs import to_storage
from geo.errors import GeometryError, SchemaError, listed
from geo.grid import Grid
from layers.report import Finding, Kind, Report

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Unit: TypeAlias = Literal["ha", "share"]

FINEST_KM = 1.0
# A grid of 1,000 m is drawn in a projection, and on the ground its cells are up to 1 % smaller.
DISTORTION = 0.01
# Hectares beyond the area of a cell by more than its projection's error are no hectares of one cell.
MOST_OF_CELL = 1.02
# Shares are often stored in single precision.
MOST_SHARE = 1.0 + 1e-6
# By how much one side of a cell may be longer than the other: blocks of the same number along both are oblong, too.
MOST_OBLONG = 2.0
STATE_YEARS = "state the years (--years of scripts/density.py, --density-years of scripts/zone.py)"


@dataclass(frozen=True)
class Gridded:
    """A file as cells, before its totals are compared.

    Attributes
    ----------
    grid : Grid
        The cells'.
    row, col : ndarray of int64, shape (n,)
        In row-major order, each once.
    hectares : DataFrame
        A row a cell, a column a year.
    report : Report
        What was done; its totals are those of the file.
    unmeasured : ndarray of bool, shape (height, width), optional
        Of rasters: cells that no year measured.
    largest : float
        The largest value of the file, as it stands there; missing where it has none.
    modelled : bool
        Whether the file says that its figures are modelled.
    """

    grid: Grid
    row: Integers
    col: Integers
    hectares: pd.DataFrame
    report: Report
    unmeasured: Booleans | None = None
    largest: float = math.nan
    modelled: bool = False


def blocks_per_side(grid: Grid, *, finer: bool) -> int:
    """How many cells along each side make a block of 1 km or more.

    Parameters
    ----------
    grid : Grid
        The file's.
    finer : bool
        Whether the file's own cells are wanted.

    Returns
    -------
    int
        1 for cells of 0.99 km or more.

    Raises
    ------
    GeometryError
        If one side of the cells is more than twice the other.
    """
    short, long = sorted(grid.sides_km)
    if long > MOST_OBLONG * short:
        raise GeometryError(
            f"cells must be about as long as wide; these are {short:.3g} by {long:.3g} km: warp the layer to square "
            "cells (gdalwarp -tr)"
        )
    return 1 if finer else max(math.ceil(FINEST_KM / grid.side_km - DISTORTION), 1)


def summed(
    grid: Grid, row: Integers, col: Integers, hectares: pd.DataFrame, factor: int
) -> tuple[Grid, Integers, Integers, pd.DataFrame]:
    """Sum cells into blocks, several entries for one cell too, and put them in row-major order.

    Parameters
    ----------
    grid : Grid
        Of the cells.
    row, col : ndarray of int64, shape (n,)
        The cells, in any order.
    hectares : DataFrame
        A row a cell, a column a year.
    factor : int
        Cells along each side of a block.

    Returns
    -------
    grid : Grid
        Of the blocks.
    row, col : ndarray of int64
        The blocks, each once.
    hectares : DataFrame
        Missing where nothing in the block was measured; else what was.
    """
    coarse = grid.coarsened(factor)
    key, place = np.unique(row // factor * coarse.width + col // factor, return_inverse=True)
    if len(key) == len(row):
        order = np.argsort(place)
        return coarse, key // coarse.width, key % coarse.width, hectares.iloc[order].reset_index(drop=True)
    sums = hectares.groupby(place, sort=True).sum(min_count=1).reset_index(drop=True)
    return coarse, key // coarse.width, key % coarse.width, sums


def refuse_impossible(wrong: Sequence[str], count: int, what: str, unit: Unit) -> None:
    """Refuse values that no cell can hold.

    Parameters
    ----------
    wrong : sequence of str
        Some of them and where they are.
    count : int
        How many there are.
    what : str
        Where they come from.
    unit : {"ha", "share"}
        What they are said to be.

    Raises
    ------
    SchemaError
        If there are any.
    """
    if count:
        percent = "; percent must be divided by 100" if unit == "share" else ""
        said = "hectares, from 0 to the cell's area" if unit == "ha" else "shares of the cell, from 0 to 1"
        raise SchemaError(
            f"{what} must hold {said}; {count:,} values are not: {listed(wrong)}{percent}; state the unit "
            "(--unit ha or --unit share), declare the value for missing, or mend them"
        )


def blanks(hectares: pd.DataFrame) -> tuple[Finding, ...]:
    """What of the listed cells was not measured.

    Parameters
    ----------
    hectares : DataFrame
        A row a cell, a column a year.

    Returns
    -------
    tuple of Finding
        One, or none.
    """
    missing = hectares.isna().sum()
    by_year = tuple(f"{count:,} in {year}" for year, count in missing[missing > 0].items())
    what = "blank figures of cells taken as not measured (none is written as 0)"
    return (Finding(Kind.NOTED, what, int(missing.sum()), by_year),) if by_year else ()


def whereabouts(grid: Grid) -> str:
    """Where a grid lies, in words.

    Parameters
    ----------
    grid : Grid
        Any.

    Returns
    -------
    str
        ``"longitude -78.10 to -76.20, latitude 0.50 to 2.25"``, of its corners.
    """
    rows, cols = [0, 0, grid.height - 1, grid.height - 1], [0, grid.width - 1, 0, grid.width - 1]
    west, south, east, north = to_storage(grid.cells(rows, cols)).total_bounds
    return f"longitude {west:.2f} to {east:.2f}, latitude {south:.2f} to {north:.2f}"
