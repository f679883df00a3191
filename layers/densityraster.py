"""Coca density from rasters: bands are years, and cells of less than 1 km are summed into blocks as they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import rasters
from geo.errors import ConfigError, GeometryError, SchemaError, listed
from geo.grid import Grid
from geo.rasters import Band, Raster, Reader, Tile
from layers.gridding import (
    MOST_OF_CELL,
    MOST_SHARE,
    STATE_YEARS,
    Booleans,
    Floats,
    Gridded,
    Integers,
    Unit,
    blanks,
    blocks_per_side,
    refuse_impossible,
)
from layers.report import EXAMPLES, Finding, Kind, Report

YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
# A tag by which a GeoTIFF says that nobody measured its figures.
MODELLED = "PRESENCIA_MODELLED"
DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d)")


def read(paths: Sequence[Path], *, year: int | None, unit: Unit, years: Sequence[int] | None, finer: bool) -> Gridded:
    """Read rasters; see :func:`layers.density.load`.

    Parameters
    ----------
    paths : sequence of Path
        Rasters on one grid.
    year : int or None
        The year of the only band.
    unit : {"ha", "share"}
        What values are.
    years : sequence of int or None
        The years of all bands.
    finer : bool
        Whether cells of less than 1 km are kept.

    Returns
    -------
    Gridded
        Cells of 1 km or more, or the file's own.
    """
    files = [rasters.describe(path) for path in paths]
    _refuse_other_grids(files)
    told = band_years(files, year=year, years=years)
    grid = files[0].grid
    blocks = _Blocks(grid, blocks_per_side(grid, finer=finer), unit, told)
    reader = Reader(files)
    with rasters.small_cache():
        for tile in reader.tiles():
            blocks.add(tile, reader)
    blocks.close()
    refuse_impossible(blocks.wrong, blocks.impossible, listed(path.name for path in paths), unit)
    return _gridded(blocks, modelled=any(file.tags.get(MODELLED, "").upper() == "YES" for file in files))


def band_years(files: Sequence[Raster], *, year: int | None, years: Sequence[int] | None) -> list[int]:
    """The year of every band of every raster, in their order.

    Parameters
    ----------
    files : sequence of Raster
        Their headers.
    year : int or None
        The year of the only band.
    years : sequence of int or None
        The years of all bands.

    Returns
    -------
    list of int
        As they were given; else the one year that a band's description tells, or the name of a file of one band.

    Raises
    ------
    ConfigError
        If the years given are not as many as the bands, or others than the bands or files tell.
    SchemaError
        If a year cannot be told, or comes twice.
    """
    bands = sum(len(file.names) for file in files)
    stated = list(years) if years is not None else [year] if year is not None else None
    if stated is not None and len(stated) != bands:
        raise ConfigError(
            f"years must be given for each of the {bands} bands; {len(stated)} are given: state all of them "
            "(--years of scripts/density.py, --density-years of scripts/zone.py)"
        )
    told = [year for file in files for year in _told(file)]
    if stated is not None:
        _refuse_contradicted(files, stated, told)
        told = list(stated)
    known = [int(year) for year in told if year is not None]
    if len(known) < bands:
        names = [f"{name!r} of {file.path.name}" for file in files for name in file.names]
        unknown = [name for name, each in zip(names, told, strict=True) if each is None]
        raise SchemaError(
            "each band must tell its year by its description, or a file of one band by its name; "
            f"{listed(unknown)} do not: {STATE_YEARS}"
        )
    again = sorted({each for each in known if known.count(each) > 1})
    if again:
        raise SchemaError(
            f"each year must have one band; {listed(again)} have several: {STATE_YEARS}, or leave some out"
        )
    return known


def _told(file: Raster) -> list[int | None]:
    """Years by description; of a single band also by the file's name."""
    by_band = [_one_year(name) for name in file.names]
    return [_one_year(file.path.stem)] if by_band == [None] else by_band


def _refuse_contradicted(files: Sequence[Raster], stated: Sequence[int], told: Sequence[int | None]) -> None:
    """Refuse years that are given for bands, or files, that tell others."""
    names = [_saying(file, name) for file in files for name in file.names]
    wrong = [
        f"{year} was given for {name}, which says {own}"
        for year, own, name in zip(stated, told, names, strict=True)
        if own not in (None, year)
    ]
    if wrong:
        raise ConfigError(
            f"the years given must be those that bands and files tell; {listed(wrong)}: give the years in the order of "
            "the bands, or mend the description or the name"
        )


def _saying(file: Raster, name: str) -> str:
    return f"band {name!r} of {file.path.name}" if len(file.names) > 1 or _one_year(name) else file.path.name


def _one_year(text: str) -> int | None:
    found = {*YEAR.findall(text), *DATE.findall(text)}
    return int(found.pop()) if len(found) == 1 else None


def _refuse_other_grids(files: Sequence[Raster]) -> None:
    other = [file.path.name for file in files[1:] if file.grid != files[0].grid]
    if other:
        raise GeometryError(
            f"rasters of one layer must lie on one grid; {listed(other)} do not lie on that of {files[0].path.name}: "
            "warp them to it"
        )


@dataclass
class _Blocks:
    """Sums of blocks of cells, built from the top down; only the rows that tiles still reach into are held whole."""

    grid: Grid
    factor: int
    unit: Unit
    years: list[int]
    impossible: int = 0
    wrong: list[str] = field(default_factory=list)
    partly: int = 0
    largest: float = float("nan")
    _first: int = 0
    _open: list[tuple[Floats, Integers]] = field(default_factory=list)
    _done: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    _unmeasured: list[Booleans] = field(default_factory=list)
    _totals: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen = np.zeros(len(self.years), dtype=bool)
        self.coarse = self.grid.coarsened(self.factor)

    def add(self, tile: Tile, reader: Reader) -> None:
        """Add a tile; tiles come from the top down."""
        self._release(tile.row // self.factor)
        while self._first + len(self._open) < -(-(tile.row + tile.height) // self.factor):
            shape = (len(self.years), self.coarse.width)
            self._open.append((np.zeros(shape), np.zeros(shape, dtype=np.int64)))
        area = self.grid.area_ha(range(tile.row, tile.row + tile.height))[:, None]
        totals = np.zeros(len(self.years))
        for band, read in enumerate(reader.bands(tile)):
            hectares, known = self._hectares(tile, band, _true(read), read.missing, area)
            totals[band] = hectares.sum()
            self._seen[band] |= known.any()
            self._spread(tile, band, hectares, known)
        self._totals.append(totals)

    def close(self) -> None:
        """Take all rows as complete."""
        self._release(self.coarse.height)

    def totals(self) -> dict[int, float]:
        """Hectares of all cells that were read, by year; without the years that measured none."""
        by_band = zip(self.years, np.sum(self._totals, axis=0).tolist(), self._seen, strict=True)
        return {year: total for year, total, seen in sorted(by_band) if seen}

    def listed(self) -> tuple[Integers, Integers, pd.DataFrame]:
        """Blocks with coca, or without a figure in some year: rows, columns, hectares by year; to be asked for once."""
        rows, cols = (np.concatenate([part[axis] for part in self._done]) for axis in (0, 1))
        order = np.argsort(self.years)
        values = np.empty((len(rows), len(order)))
        end = len(rows)
        while self._done:  # each part goes as soon as it is copied, so that all are not held twice
            part = self._done.pop()[2]
            values[end - len(part) : end] = part[:, order]
            end -= len(part)
        return rows, cols, pd.DataFrame(values, columns=sorted(self.years), copy=False)

    def unmeasured(self) -> Booleans:
        """Blocks without a figure in any year."""
        return np.vstack(self._unmeasured)

    def _hectares(
        self, tile: Tile, band: int, values: Floats, missing: Booleans | None, area: Floats
    ) -> tuple[Floats, Booleans]:
        known = np.ones(values.shape, dtype=bool) if missing is None else ~missing
        if known.any():
            self.largest = float(np.fmax(self.largest, values[known].max()))
        values = np.where(known, values, 0.0)
        bad = (values < 0) | (values > (MOST_SHARE if self.unit == "share" else area * MOST_OF_CELL))
        if bad.any():
            self._note(tile, band, values, bad)
        return (values * area if self.unit == "share" else values), known

    def _note(self, tile: Tile, band: int, values: Floats, bad: Booleans) -> None:
        places = np.argwhere(bad)
        self.impossible += len(places)
        for row, col in places[: EXAMPLES - len(self.wrong)]:
            where = f"row {tile.row + row}, column {tile.col + col}"
            self.wrong.append(f"{values[row, col]:g} in {self.years[band]} ({where})")

    def _spread(self, tile: Tile, band: int, hectares: Floats, known: Booleans) -> None:
        """Add a tile's sums to the blocks it reaches into."""
        row, rows = _edges(tile.row, tile.height, self.factor)
        col, cols = _edges(tile.col, tile.width, self.factor)
        sums, counts = _reduced(hectares, rows, cols), _reduced(known.astype(np.int64), rows, cols)
        for number, (line, seen) in enumerate(zip(sums, counts, strict=True)):
            held, held_known = self._open[row + number - self._first]
            held[band, col : col + len(cols)] += line
            held_known[band, col : col + len(cols)] += seen

    def _release(self, before: int) -> None:
        """Put away the rows of blocks above one."""
        while self._open and self._first < before:
            sums, known = self._open.pop(0)
            self._put(self._first, sums, known)
            self._first += 1

    def _put(self, row: int, sums: Floats, known: Integers) -> None:
        full = self._cells_in(row)
        self.partly += int(((known > 0) & (known < full)).sum())
        never = (known == 0).all(axis=0)
        col = np.flatnonzero(((sums != 0) | (known == 0)).any(axis=0) & ~never)
        self._unmeasured.append(never[None])
        self._done.append((np.full(len(col), row), col, np.where(known > 0, sums, np.nan)[:, col].T.copy()))

    def _cells_in(self, row: int) -> Integers:
        """How many cells each block of a row holds: fewer at the right and at the bottom."""
        height = min(self.factor, self.grid.height - row * self.factor)
        cols = np.arange(self.coarse.width) * self.factor
        return np.asarray(height * np.minimum(self.factor, self.grid.width - cols))


def _true(band: Band) -> Floats:
    values = np.empty(band.stored.size)
    band.unpack(values)
    return values.reshape(band.stored.shape)


def _edges(first: int, size: int, factor: int) -> tuple[int, Integers]:
    """The first block that a span of cells reaches into, and where in the span each block begins."""
    block = first // factor
    last = (first + size - 1) // factor
    return block, np.maximum(np.arange(block, last + 1) * factor - first, 0)


def _reduced(values: npt.NDArray[Any], rows: Integers, cols: Integers) -> npt.NDArray[Any]:
    return np.asarray(np.add.reduceat(np.add.reduceat(values, rows, axis=0), cols, axis=1))


def _gridded(blocks: _Blocks, *, modelled: bool) -> Gridded:
    row, col, hectares = blocks.listed()
    unmeasured = blocks.unmeasured()
    findings = tuple(_findings(blocks, hectares, unmeasured))
    report = Report(blocks.grid.height * blocks.grid.width, len(row), findings, blocks.totals())
    return Gridded(blocks.coarse, row, col, hectares, report, unmeasured, blocks.largest, modelled)


def _findings(blocks: _Blocks, hectares: pd.DataFrame, unmeasured: Booleans) -> Iterator[Finding]:
    if blocks.factor > 1:
        what = f"cells summed in blocks of {blocks.factor} x {blocks.factor}, since nothing finer than 1 km is kept"
        yield Finding(Kind.NOTED, what, blocks.grid.height * blocks.grid.width)
    if blocks.partly:
        what = "blocks and years of which a part was not measured, counted by what was"
        yield Finding(Kind.NOTED, what, blocks.partly)
    if unmeasured.any():
        yield Finding(Kind.NOTED, "cells that no year measured, which are not listed", int(unmeasured.sum()))
    yield from blanks(hectares)
