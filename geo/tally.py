"""Sums, counts and extremes of one tile of a raster, by polygon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.cells import Cover
from geo.rasters import Band, Tile

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Shares below it are rounding of coordinates, where a border lies on a line of the grid: sums do not feel them, and
# extremes must not.
FAINT = 1e-9
# What is added up by polygon; every statistic follows from these and the extremes.
ADDED = ("sum", "count", "integral", "area_ha", "area_above_ha")


@dataclass(frozen=True)
class Wanted:
    """What is asked of every tile.

    Attributes
    ----------
    low, high, area : bool
        Whether least and greatest values, and what depends on the ground's area, are wanted.
    above : float or None
        The threshold of ``area_above_ha``, in the raster's unit, where that is wanted.
    """

    low: bool
    high: bool
    area: bool
    above: float | None


@dataclass(frozen=True)
class Part:
    """What one tile holds, band by band.

    Attributes
    ----------
    polygon : ndarray of int, shape (p,)
        The polygons that reach into it, ascending.
    added : ndarray, shape (bands, len(ADDED), p)
        Sums by polygon.
    low, high : ndarray, shape (bands, p)
        Extremes; infinite where nothing was measured.
    total : ndarray, shape (bands, 2)
        Sum of all values, and how many there are.
    """

    polygon: Ints
    added: Floats
    low: Floats
    high: Floats
    total: Floats


@dataclass(frozen=True)
class Holes:
    """Where a band of a tile has no values.

    Attributes
    ----------
    missing : ndarray of bool, shape (height, width), or None
        As it was read; None where nothing is missing.
    known : ndarray of bool, shape (size + 1,), or None
        The opposite, flattened, and one more that is not known.
    count : int
        How many cells have a value.
    held : ndarray of float
        How many of them runs, and then border cells, hold.
    """

    missing: Mask | None
    known: Mask | None
    count: int
    held: Floats


@dataclass(frozen=True)
class Layout:
    """A tile's runs and border cells in the order in which they are summed, the same for every band.

    Attributes
    ----------
    size : int
        Cells of the tile.
    polygon : ndarray of int, shape (p,)
        The polygons that reach into the tile, ascending.
    ends : ndarray of int
        Places in the flattened tile where runs begin and end, in turn.
    cell : ndarray of int
        Places of border cells.
    cells : ndarray of float
        Of runs and then border cells, how many cells they are.
    share : ndarray of float
        Of border cells, how much of each counts.
    area_ha : ndarray of float
        Of runs and then border cells, hectares of one cell; missing where areas are not wanted.
    order, begin : ndarray of int
        Which run or border cell comes when they are gathered by polygon, and where each polygon begins.
    """

    size: int
    polygon: Ints
    ends: Ints
    cell: Ints
    cells: Floats
    share: Floats
    area_ha: Floats
    order: Ints
    begin: Ints

    @classmethod
    def of(cls, cover: Cover, tile: Tile, area_ha: Floats) -> Layout:
        """Lay a tile out.

        Parameters
        ----------
        cover : Cover
            Of the tile's rows and columns.
        tile : Tile
            The tile.
        area_ha : ndarray, shape (height,)
            Hectares of a cell in each row.

        Returns
        -------
        Layout
            For every band.
        """
        first = (cover.run_row - tile.row) * tile.width - tile.col
        ascending = np.argsort(first + cover.run_start)
        start, stop = (first + cover.run_start)[ascending], (first + cover.run_stop)[ascending]
        polygon = np.concatenate([cover.run_polygon[ascending], cover.polygon])
        row = np.concatenate([cover.run_row[ascending], cover.row]) - tile.row
        order = np.argsort(polygon, kind="stable")
        begin = np.flatnonzero(np.diff(polygon[order], prepend=-1))
        return cls(
            size=tile.height * tile.width,
            polygon=polygon[order][begin],
            ends=np.column_stack([start, stop]).ravel(),
            cell=(cover.row - tile.row) * tile.width + cover.col - tile.col,
            cells=np.concatenate([(stop - start).astype(float), cover.share]),
            share=cover.share,
            area_ha=area_ha[row],
            order=order,
            begin=begin,
        )

    def part(self, bands: Iterable[Band], wanted: Wanted) -> Part:
        """Sum a tile up by polygon.

        Parameters
        ----------
        bands : iterable of Band
            The tile's values, read as they are asked for.
        wanted : Wanted
            What is asked for.

        Returns
        -------
        Part
            What the tile holds.
        """
        # The last is 0, and stands where runs end that reach the end.
        room = np.zeros(self.size + 1)
        found, holes = [], self._holes(None, None)
        for band in bands:
            holes = self._holes(band.missing, holes)
            found.append(self._band(band, holes, wanted, room))
        added, low, high, total = (np.array(column) for column in zip(*found, strict=True))
        return Part(self.polygon, added, low, high, total)

    def _holes(self, missing: Mask | None, last: Holes | None) -> Holes:
        """Where values are missing; most often where they were in the band before."""
        if last is not None and _alike(missing, last.missing):
            return last
        if missing is None:
            return Holes(None, None, self.size, self.cells)
        known = np.append(~missing.ravel(), False)
        return Holes(missing, known, int(np.count_nonzero(known)), self._held(known))

    def _band(self, band: Band, holes: Holes, wanted: Wanted, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """What ``Part`` keeps of a band."""
        none = np.full(len(self.polygon), np.inf)
        if not holes.count:
            return np.zeros((len(ADDED), len(none))), none, -none, np.zeros(2)
        band.unpack(values[:-1])
        low = self._extreme(np.minimum, np.inf, values, holes.known) if wanted.low else none
        high = self._extreme(np.maximum, -np.inf, values, holes.known) if wanted.high else -none
        if holes.missing is not None:
            np.putmask(values[:-1], holes.missing.ravel(), 0.0)
        return self._added(values, holes, wanted), low, high, np.array([values.sum(), holes.count])

    def _added(self, values: Floats, holes: Holes, wanted: Wanted) -> Floats:
        added = np.zeros((len(ADDED), len(self.polygon)))
        held = self._held(values)
        added[0], added[1] = self._gathered(np.add, held), self._gathered(np.add, holes.held)
        if wanted.area:
            added[2] = self._gathered(np.add, held * self.area_ha)
            added[3] = self._gathered(np.add, holes.held * self.area_ha)
        if wanted.above is not None:
            hot = values > wanted.above
            added[4] = self._gathered(
                np.add, self._held(hot if holes.known is None else hot & holes.known) * self.area_ha
            )
        return added

    def _held(self, values: Floats | Mask) -> Floats:
        """What runs, and then border cells, hold."""
        return np.concatenate([self._runs(np.add, values), values[self.cell] * self.share])

    def _extreme(self, ufunc: np.ufunc, none: float, values: Floats, known: Mask | None) -> Floats:
        if known is not None:
            values = np.where(known, values, none)
        touched = np.where(self.share > FAINT, values[self.cell], none)
        return self._gathered(ufunc, np.concatenate([self._runs(ufunc, values), touched]))

    def _runs(self, ufunc: np.ufunc, values: Floats | Mask) -> Floats:
        """Reduce each run; in between stands what lies between runs, which is left."""
        if values.dtype == bool:
            return np.asarray(ufunc.reduceat(values.view(np.uint8), self.ends, dtype=np.int64)[::2], dtype=float)
        return np.asarray(ufunc.reduceat(values, self.ends)[::2])

    def _gathered(self, ufunc: np.ufunc, values: Floats) -> Floats:
        return np.asarray(ufunc.reduceat(values[self.order], self.begin))


def _alike(one: Mask | None, other: Mask | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)
