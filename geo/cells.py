"""Which cells of a grid lie in which polygon, those on a border by their exact share.

The share of a cell under a polygon follows from Green's theorem, as in the renderers of fonts: each edge, cut at the
lines of the grid, adds what lies to its right to its own cell and to all cells further right in the row. That is exact
but for rounding, in double precision, and takes time only for cells that an edge passes; those inside are runs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import GeometryError, listed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# A share below it is rounding, not land.
LEAST = 1e-12


@dataclass(frozen=True)
class Edges:
    """The edges of polygons in columns and rows, each from its smaller row to its larger.

    Attributes
    ----------
    start, stop : ndarray of float, shape (n, 2)
        Column and row; ``start`` has the smaller row.
    sign : ndarray of float, shape (n,)
        1 where the polygon lies to the right of the edge (at larger columns), -1 where it lies to the left.
    polygon : ndarray of int, shape (n,)
        Whose edge it is.
    """

    start: Floats
    stop: Floats
    sign: Floats
    polygon: Ints

    def within(self, first: int, last: int) -> Edges:
        """Those that reach into a span of rows.

        Parameters
        ----------
        first, last : int
            The rows, the last not included.

        Returns
        -------
        Edges
            Whole edges, not cut.
        """
        return _chosen(self, (self.stop[:, 1] > first) & (self.start[:, 1] < last))


@dataclass(frozen=True)
class Cover:
    """Cells of a span of rows by polygon: runs of whole cells, and cells of which a part is covered.

    Attributes
    ----------
    run_polygon, run_row, run_start, run_stop : ndarray of int, shape (k,)
        Polygon, row, first column, and the column after the last.
    polygon, row, col : ndarray of int, shape (n,)
        Of cells that a border passes.
    share : ndarray of float, shape (n,)
        How much of the cell the polygon covers, above 0 and at most 1.
    """

    run_polygon: Ints
    run_row: Ints
    run_start: Ints
    run_stop: Ints
    polygon: Ints
    row: Ints
    col: Ints
    share: Floats

    def columns(self, first: int, last: int) -> Cover:
        """What lies in a span of columns.

        Parameters
        ----------
        first, last : int
            The columns, the last not included.

        Returns
        -------
        Cover
            Runs cut to the span.
        """
        start, stop = np.maximum(self.run_start, first), np.minimum(self.run_stop, last)
        runs = start < stop
        cells = (self.col >= first) & (self.col < last)
        return Cover(
            self.run_polygon[runs], self.run_row[runs], start[runs], stop[runs],
            self.polygon[cells], self.row[cells], self.col[cells], self.share[cells],
        )  # fmt: skip

    def expanded(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Every cell by itself, those of runs too.

        Returns
        -------
        tuple of ndarray, each of shape (n,)
            Polygon, row, column and share; sorted by polygon, row and column.
        """
        length = self.run_stop - self.run_start
        step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        polygon = np.concatenate([np.repeat(self.run_polygon, length), self.polygon])
        row = np.concatenate([np.repeat(self.run_row, length), self.row])
        col = np.concatenate([np.repeat(self.run_start, length) + step, self.col])
        share = np.concatenate([np.ones(len(step)), self.share])
        order = np.lexsort((col, row, polygon))
        return polygon[order], row[order], col[order], share[order]

    def with_outside(self, label: int, rest: Cover) -> Cover:
        """Add what no polygon covers as one more.

        Parameters
        ----------
        label : int
            The number of what is outside.
        rest : Cover
            As :func:`outside` gives it.

        Returns
        -------
        Cover
            Both.
        """
        runs, parts = np.full_like(rest.run_polygon, label), np.full_like(rest.polygon, label)
        both = (self, replace(rest, run_polygon=runs, polygon=parts))
        return Cover(*(np.concatenate([getattr(part, each.name) for part in both]) for each in fields(Cover)))


def edges(shapes: npt.NDArray[np.object_]) -> Edges:
    """Take polygons apart into their edges.

    Parameters
    ----------
    shapes : ndarray of object
        Valid polygons in columns and rows, as :meth:`geo.grid.Grid.place` gives them; missing and empty ones have no
        edges.

    Returns
    -------
    Edges
        All of them.

    Raises
    ------
    GeometryError
        If a shape is no valid polygon, or lies where the grid's CRS is not defined.
    """
    _refuse_others(shapes)
    parts, owner = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    linked = ring[1:] == ring[:-1]
    a, b = points[:-1][linked], points[1:][linked]
    polygon = owner[part][ring[:-1][linked]].astype(np.int64)
    falls = (a[:, 1] > b[:, 1])[:, None]
    # Level edges add nothing, yet they tell which cells they pass.
    return Edges(np.where(falls, b, a), np.where(falls, a, b), np.where(falls[:, 0], 1.0, -1.0), polygon)


def cover(found: Edges, *, rows: tuple[int, int], width: int) -> Cover:
    """Cover the cells of a span of rows by polygons.

    Parameters
    ----------
    found : Edges
        Of the polygons.
    rows : tuple of int
        The first row, and the one after the last.
    width : int
        Columns of the grid.

    Returns
    -------
    Cover
        By polygon, row and column.
    """
    first, last = rows
    pieces = _cut(_cut(found.within(first, last), 1, first, last), 0, 0, width)
    middle = (pieces.start + pieces.stop) / 2
    row = np.floor(middle[:, 1]).astype(np.int64)
    x = np.clip(middle[:, 0], 0, width)
    col = np.minimum(np.floor(x), width).astype(np.int64)
    rise = pieces.sign * (pieces.stop[:, 1] - pieces.start[:, 1])
    inside = (row >= first) & (row < last)
    line = pieces.polygon * (last - first) + row - first
    key = (line * (width + 1) + col)[inside]
    return _gathered(key, rise[inside], (rise * (col + 1 - x))[inside], first, last - first, width)


def outside(found: Cover, *, rows: tuple[int, int], width: int) -> Cover:
    """Find what polygons that do not overlap leave uncovered.

    Parameters
    ----------
    found : Cover
        Of these polygons.
    rows : tuple of int
        The first row, and the one after the last.
    width : int
        Columns of the grid.

    Returns
    -------
    Cover
        All under polygon 0.
    """
    first, last = rows
    cell, place = np.unique(found.row * width + found.col, return_inverse=True)
    rest = 1.0 - np.bincount(place, weights=found.share, minlength=len(cell))
    # An empty span at each row's beginning keeps gaps from running over into the next row.
    ends = np.arange(first, last + 1) * width
    start = np.concatenate([found.run_row * width + found.run_start, cell, ends])
    stop = np.concatenate([found.run_row * width + found.run_stop, cell + 1, ends])
    order = np.lexsort((stop, start))
    begin, end = stop[order][:-1], start[order][1:]
    gap = begin < end
    part = rest > LEAST
    return Cover(
        np.zeros(gap.sum(), dtype=np.int64), begin[gap] // width, begin[gap] % width, (end[gap] - 1) % width + 1,
        np.zeros(part.sum(), dtype=np.int64), cell[part] // width, cell[part] % width, rest[part].astype(np.float64),
    )  # fmt: skip


def _refuse_others(shapes: npt.NDArray[np.object_]) -> None:
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6))
    wrong = np.flatnonzero(there & ~(polygonal & shapely.is_valid(shapes) & np.isfinite(shapely.bounds(shapes)).all(1)))
    if len(wrong):
        raise GeometryError(
            "shapes must be valid polygons where the raster's CRS is defined; those in the places "
            f"{listed(wrong)} (from 0) are not: repair them (shapely.make_valid) or leave them out"
        )


def _chosen(found: Edges, mask: npt.NDArray[np.bool_]) -> Edges:
    return Edges(found.start[mask], found.stop[mask], found.sign[mask], found.polygon[mask])


def _cut(found: Edges, axis: int, low: int, high: int) -> Edges:
    """Cut edges where they cross a whole number from ``low`` to ``high`` on an axis, each into consecutive pieces."""
    a, b = found.start, found.stop
    least, most = np.minimum(a[:, axis], b[:, axis]), np.maximum(a[:, axis], b[:, axis])
    nearest = np.clip(np.floor(least) + 1, low, high + 1).astype(np.int64)
    farthest = np.clip(np.ceil(most) - 1, low - 1, high).astype(np.int64)
    cuts = np.maximum(farthest - nearest + 1, 0)
    of = np.repeat(np.arange(len(cuts)), cuts + 1)
    piece = np.arange(len(of)) - np.repeat(np.cumsum(cuts + 1) - cuts - 1, cuts + 1)
    begins = np.where((piece == 0)[:, None], a[of], _crossing(a, b, of, axis, nearest, farthest, piece - 1))
    ends = np.where((piece == cuts[of])[:, None], b[of], _crossing(a, b, of, axis, nearest, farthest, piece))
    return Edges(begins, ends, found.sign[of], found.polygon[of])


def _crossing(a: Floats, b: Floats, of: Ints, axis: int, nearest: Ints, farthest: Ints, number: Ints) -> Floats:
    """The point where an edge crosses its n-th line; of edges that cross none, anything."""
    start, stop = a[of], b[of]
    ascends = start[:, axis] <= stop[:, axis]
    line = np.where(ascends, nearest[of] + number, farthest[of] - number).astype(float)
    span = stop[:, axis] - start[:, axis]
    along = (line - start[:, axis]) / np.where(span == 0, 1.0, span)
    other = start[:, 1 - axis] + along * (stop[:, 1 - axis] - start[:, 1 - axis])
    return np.column_stack([line, other] if axis == 0 else [other, line])


def _gathered(key: Ints, rise: Floats, area: Floats, first: int, rows: int, width: int) -> Cover:
    """Sum what edges add to each cell, and find the runs between the cells that they pass."""
    order = np.argsort(key, kind="stable")
    key = key[order]
    fresh = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(fresh):
        return _empty()
    cell, rise, area = key[fresh], np.add.reduceat(rise[order], fresh), np.add.reduceat(area[order], fresh)
    line, col = np.divmod(cell, width + 1)
    after = np.cumsum(rise)
    begin = np.flatnonzero(np.diff(line, prepend=-1))
    after -= np.repeat((after - rise)[begin], np.diff([*begin, len(line)]))
    share = np.minimum(after - rise + area, 1.0)
    polygon, row = np.divmod(line, rows)
    partial = (share > LEAST) & (col < width)
    following = np.append(col[1:], 0)
    run = (following > col + 1) & (np.rint(after) == 1) & np.append(line[1:] == line[:-1], False)
    return Cover(
        polygon[run], row[run] + first, col[run] + 1, following[run],
        polygon[partial], row[partial] + first, col[partial], share[partial],
    )  # fmt: skip


def _empty() -> Cover:
    none = np.zeros(0, dtype=np.int64)
    return Cover(none, none, none, none, none, none, none, np.zeros(0))
