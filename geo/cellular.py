"""Cells of a grid, one by one: found from polygons, grouped where they touch, and shared out among polygons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from affine import Affine
from scipy.sparse import coo_array, csr_array

from geo import cells
from geo.crs import require_crs, to_storage
from geo.errors import GeometryError, listed
from geo.grid import Grid, applied

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# How far a corner may lie from its place, in sides of a cell: coordinates with four decimals of a degree are off by
# 0.8 % of a kilometre, and a grid taken for another projection's by a third of a cell somewhere.
TOLERANCE = 0.02
# By how much, in sides, corners may move so that a grid gets a round side and origin.
ROUNDING = 1e-4
SAMPLE = 2000
ROUNDS = 4
CORNERS = 4
# Steps to half of a cell's neighbours; the other half finds the cell itself.
SIDES = ((0, 1), (1, 0))
DIAGONALS = ((1, 1), (1, -1))


@dataclass(frozen=True)
class Lattice:
    """Polygons as cells of a grid.

    Attributes
    ----------
    grid : Grid
        The smallest that holds all of them.
    row, col : ndarray of int64, shape (n,)
        The cell of each polygon.
    whole : ndarray of bool, shape (n,)
        Whether the polygon is the whole cell, not a piece of it.
    covered : ndarray of float, shape (n,)
        The share of the cell that the polygon covers.
    """

    grid: Grid
    row: Ints
    col: Ints
    whole: Bools
    covered: Floats


def lattice(polygons: gpd.GeoSeries, systems: Sequence[str], what: str = "the polygons") -> Lattice:
    """Find the grid of which polygons are cells, or pieces of cells.

    Squares of a projected grid are slightly turned quadrilaterals once they are in longitude and latitude. In the
    right one of several coordinate reference systems they are equal rectangles along the axes again; where they are so
    in none, a turned grid is looked for.

    Parameters
    ----------
    polygons : GeoSeries
        n polygons in any stated CRS, in any order.
    systems : sequence of str
        CRSs in which the grid may have been drawn, the likeliest first; the polygons' own comes before them.
    what : str
        What the polygons are, for the message.

    Returns
    -------
    Lattice
        The grid and each polygon's cell. Its corners lie within 2 % of a side of their places.

    Raises
    ------
    GeometryError
        If there are no polygons with four corners, if they are cells of no grid, or if some are not.
    """
    shapes = require_crs(polygons, what)
    quads = _quadrilaterals(shapes.geometry.to_numpy())
    if not len(quads):
        raise GeometryError(f"{what} must be cells of a grid and none has four corners; give the grid's own polygons")
    sample = quads[:: -(-len(quads) // SAMPLE)]
    own = pyproj.CRS(shapes.crs)
    tried = [_fitted(sample, own, pyproj.CRS(system)) for system in (own, *systems)]
    fits = [fit for found in tried for fit in found]
    aligned = [fit for fit in fits if fit.aligned and fit.off <= TOLERANCE]
    best = min(aligned or fits, key=lambda fit: fit.off, default=None)
    if best is None or best.off > TOLERANCE:
        raise GeometryError(
            f"{what} must be equal cells of one grid; in the best of {len(tried)} coordinate reference systems corners "
            f"are {best.off if best else np.inf:.0%} of a side off their places: give the grid's own polygons"
        )
    return _placed(shapes, best, what)


def touching(row: Ints, col: Ints, *, corners: bool = True) -> Ints:
    """Group cells that hang together.

    Parameters
    ----------
    row, col : ndarray of int64, shape (n,)
        Different cells, in any order.
    corners : bool, default True
        Whether cells that share only a corner touch.

    Returns
    -------
    ndarray of int64, shape (n,)
        The number of each cell's group, from 0 in the order in which groups appear.
    """
    from scipy.sparse.csgraph import connected_components

    if not len(row):
        return np.zeros(0, dtype=np.int64)
    stride = int(col.max() - col.min()) + 3
    key = (row - row.min()) * stride + (col - col.min()) + 1
    order = np.argsort(key)
    pairs = [_met(key, order, down * stride + right) for down, right in SIDES + (DIAGONALS if corners else ())]
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(row), len(row)))
    _, labels = connected_components(links, directed=False)
    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)


def shares(grid: Grid, row: Ints, col: Ints, polygons: gpd.GeoDataFrame) -> csr_array:
    """Share cells out among polygons by area.

    Parameters
    ----------
    grid : Grid
        Of the cells.
    row, col : ndarray of int64, shape (n,)
        The cells in row-major order, each once.
    polygons : GeoDataFrame
        m valid polygons in any stated CRS.

    Returns
    -------
    csr_array, shape (n, m)
        The share of each cell, 0..1, that lies under each polygon.
    """
    found = _cover(grid, polygons)
    key = row * grid.width + col
    first = np.searchsorted(key, found.run_row * grid.width + found.run_start)
    count = np.searchsorted(key, found.run_row * grid.width + found.run_stop) - first
    inside = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    place = np.searchsorted(key, cut := found.row * grid.width + found.col)
    there = place < len(key)
    there[there] = key[place[there]] == cut[there]
    values = np.concatenate([np.ones(len(inside)), found.share[there]])
    cell = np.concatenate([inside, place[there]])
    polygon = np.concatenate([np.repeat(found.run_polygon, count), found.polygon[there]])
    return coo_array((values, (cell, polygon)), shape=(len(key), len(polygons))).tocsr()


def cells_under(grid: Grid, mask: Bools, polygons: gpd.GeoDataFrame) -> Floats:
    """Count the cells of a mask under each polygon, those on its border by their share.

    Parameters
    ----------
    grid : Grid
        Of the mask.
    mask : ndarray of bool, shape (height, width)
        Which cells count.
    polygons : GeoDataFrame
        m valid polygons in any stated CRS.

    Returns
    -------
    ndarray of float, shape (m,)
        Cells.
    """
    found = _cover(grid, polygons)
    upto = np.zeros((grid.height, grid.width + 1))
    np.cumsum(mask, axis=1, out=upto[:, 1:])
    runs = upto[found.run_row, found.run_stop] - upto[found.run_row, found.run_start]
    parts = found.share * mask[found.row, found.col]
    return np.asarray(
        np.bincount(found.run_polygon, weights=runs, minlength=len(polygons))
        + np.bincount(found.polygon, weights=parts, minlength=len(polygons))
    )


def _cover(grid: Grid, polygons: gpd.GeoDataFrame) -> cells.Cover:
    return cells.cover(cells.edges(grid.place(polygons)), rows=(0, grid.height), width=grid.width)


def _met(key: Ints, order: Ints, step: int) -> tuple[Ints, Ints]:
    """Places of cells, and of those a step away that are there."""
    ordered = key[order]
    at = np.minimum(np.searchsorted(ordered, key + step), len(key) - 1)
    there = np.flatnonzero(ordered[at] == key + step)
    return there, order[at[there]]


@dataclass(frozen=True)
class _Fit:
    """A grid fitted to quadrilaterals: one of its cells' corners, and how far corners lie off, in sides."""

    crs: pyproj.CRS
    transform: Affine
    off: float
    aligned: bool


def _quadrilaterals(shapes: npt.NDArray[np.object_]) -> Floats:
    """Corners, shape (q, 4, 2), of the polygons that have four; points along straight sides do not count."""
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    one = shapes[polygonal & (shapely.get_num_geometries(shapes) == 1)]
    rings = shapely.get_exterior_ring(shapely.get_geometry(one, 0))
    many = shapely.get_num_coordinates(rings) > CORNERS + 1
    sides = np.sqrt(np.abs(shapely.area(one)))
    rings[many] = shapely.simplify(rings[many], ROUNDING * sides[many])
    rings = rings[shapely.get_num_coordinates(rings) == CORNERS + 1]
    return np.asarray(shapely.get_coordinates(rings).reshape(-1, CORNERS + 1, 2)[:, :CORNERS])


def _fitted(quads: Floats, own: pyproj.CRS, crs: pyproj.CRS) -> list[_Fit]:
    """The grid along the axes of a CRS, and the turned one, that fit quadrilaterals best; none outside the CRS."""
    across = pyproj.Transformer.from_crs(own, crs, always_xy=True)
    x, y = across.transform(quads[..., 0], quads[..., 1])
    corners = np.stack([x, y], axis=-1)
    if not np.isfinite(corners).all():
        return []
    start = _first_guess(corners)
    if start.is_degenerate or not math.isfinite(sum(start)):
        return []
    try:
        return [_refined(corners, crs, start, aligned=aligned) for aligned in (True, False)]
    except np.linalg.LinAlgError:  # corners so far apart that nothing fits
        return []


def _first_guess(corners: Floats) -> Affine:
    """From the middle sides of the cells: columns run to the right, rows run down, as far as the grid is turned."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    level = (np.abs(first[:, 0]) >= np.abs(first[:, 1]))[:, None]
    across, down = np.where(level, first, second), np.where(level, second, first)
    u, v = _usual(across * np.sign(across[:, :1])), _usual(down * -np.sign(down[:, 1:]))
    middle = corners.mean(axis=1)
    centre = middle[np.argmin(((middle - np.median(middle, axis=0)) ** 2).sum(axis=1))]
    return Affine(u[0], v[0], centre[0] - (u[0] + v[0]) / 2, u[1], v[1], centre[1] - (u[1] + v[1]) / 2)


def _usual(sides: Floats) -> Floats:
    """The mean of the sides that are near the middle one: where coordinates are coarse, the middle one is so too."""
    middle = np.median(sides, axis=0)
    near = np.abs(sides - middle).max(axis=1) <= 2 * TOLERANCE * np.abs(middle).max()
    return np.asarray(sides[near].mean(axis=0))


def _refined(corners: Floats, crs: pyproj.CRS, start: Affine, *, aligned: bool) -> _Fit:
    """Numbers cells by a grid, and fits the grid to the numbers, until both agree."""
    points, grid = corners.reshape(-1, 2), start
    for _ in range(ROUNDS):
        with np.errstate(over="ignore", invalid="ignore"):
            number = _corner_numbers(corners, grid)
            near = _near_places(points, number, grid) & np.isfinite(number).all(axis=1)
        if not near.any():
            return _Fit(crs, start, np.inf, aligned)
        grid = _least_squares(points[near], number[near], aligned=aligned)
        if grid.is_degenerate:
            return _Fit(crs, start, np.inf, aligned)
    off = _off(points, _corner_numbers(corners, grid), grid)
    if aligned and crs.is_projected:
        rounded = _rounded(points[near], number[near], grid)
        moved = _off(points, number, rounded)
        if moved <= off + ROUNDING:
            return _Fit(crs, rounded, moved, aligned)
    return _Fit(crs, grid, off, aligned)


def _near_places(points: Floats, number: Floats, grid: Affine) -> Bools:
    """Leave out corners far more off than most: their polygons are no cells, and must not move the grid."""
    off = np.abs(applied(grid, number) - points).max(axis=1)
    return np.asarray(off <= max(3 * float(np.median(off)), ROUNDING * np.sqrt(abs(grid.determinant))))


def _corner_numbers(corners: Floats, grid: Affine) -> Floats:
    """Column and row of each corner, whole numbers, shape (4 q, 2): its cell's, and one more on the far sides."""
    placed = applied(~grid, corners)
    middle = placed.mean(axis=1, keepdims=True)
    return np.asarray((np.floor(middle) + (placed > middle)).reshape(-1, 2))


def _least_squares(points: Floats, number: Floats, *, aligned: bool) -> Affine:
    if aligned:
        across, down = (np.polyfit(number[:, axis], points[:, axis], 1) for axis in (0, 1))
        return Affine(across[0], 0.0, across[1], 0.0, down[0], down[1])
    turned = np.linalg.lstsq(np.column_stack([number, np.ones(len(points))]), points, rcond=None)[0]
    return Affine(*turned.T.ravel())


def _rounded(points: Floats, number: Floats, grid: Affine) -> Affine:
    """The grid with one side of whole metres (or feet), and with an origin of such where that is as near."""
    side = round((grid.a - grid.e) / 2)
    steps = number * (side, -side)
    origin: Floats = np.asarray(np.mean(points - steps, axis=0))
    near = np.rint(origin)
    left, top = np.where(np.abs(near - origin).max() <= ROUNDING * side, near, np.round(origin, 3)).tolist()
    return Affine(side, 0.0, left, 0.0, -side, top)


def _off(points: Floats, number: Floats, grid: Affine) -> float:
    """How far nine in ten corners at the most lie from their places, in sides: a few may be no cells."""
    side = np.sqrt(abs(grid.determinant))
    if not side:
        return float("inf")
    return float(np.quantile(np.abs(applied(grid, number) - points).max(axis=1), 0.9) / side)


def _placed(shapes: gpd.GeoSeries, fit: _Fit, what: str) -> Lattice:
    """The cell of every polygon; those that lie in no one cell are refused."""
    wide = Grid(fit.crs.to_wkt(), fit.transform, 1, 1)
    placed = wide.place(shapes, what)
    left, top, right, bottom = shapely.bounds(placed).T
    col, row = np.floor((left + right) / 2), np.floor((top + bottom) / 2)
    over = np.max([col - left, row - top, right - col - 1, bottom - row - 1], axis=0)
    covered = shapely.area(placed)
    # A missing shape has no bounds, and compares false.
    wrong = ~((over <= TOLERANCE) & (covered > 0))
    if wrong.any():
        where = [
            f"{label} ({place})" for label, place in zip(shapes.index[wrong], _whereabouts(shapes[wrong]), strict=True)
        ]
        raise GeometryError(
            f"{what} must be cells of one grid or pieces of such; {wrong.sum():,} are not (row of the file, longitude "
            f"and latitude): {listed(where)}; remove them, or give the grid's own polygons"
        )
    least_col, least_row = int(col.min()), int(row.min())
    t, (c, f) = fit.transform, applied(fit.transform, np.array([least_col, least_row], dtype=float))
    grid = Grid(
        _named(fit.crs),
        Affine(t.a, t.b, c, t.d, t.e, f),
        int(row.max()) - least_row + 1,
        int(col.max()) - least_col + 1,
    )
    whole = covered >= (1 - TOLERANCE) ** 2
    return Lattice(
        grid, row.astype(np.int64) - least_row, col.astype(np.int64) - least_col, whole, np.minimum(covered, 1.0)
    )


def _whereabouts(shapes: gpd.GeoSeries) -> list[str]:
    points = to_storage(gpd.GeoSeries(shapely.centroid(shapes.to_numpy()), crs=shapes.crs)).to_numpy()
    return [f"{x:.4f} {y:.4f}" for x, y in zip(shapely.get_x(points), shapely.get_y(points), strict=True)]


def _named(crs: pyproj.CRS) -> str:
    code = crs.to_epsg()
    known = code is not None and pyproj.CRS.from_epsg(code).equals(crs, ignore_axis_order=True)
    return f"EPSG:{code}" if known else str(crs.to_wkt())
