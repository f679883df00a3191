"""Polygon coverages: cleaned, simplified with their shared borders, checked, and their neighbours.

A coverage is a set of polygons that do not overlap and whose shared borders have identical vertices.
The work is done by GEOS (shapely >= 2.2); this module adds frames, CRS and messages.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import METRIC, require_crs, to_metric
from geo.errors import GeometryError, listed

GAP_M = 1_000.0
POLYGON_TYPES = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def clean(frame: gpd.GeoDataFrame, *, gap_m: float = GAP_M, snap_m: float | None = None) -> gpd.GeoDataFrame:
    """Turn polygons that nearly fit into a valid coverage: no overlaps, no narrow gaps.

    Parameters
    ----------
    frame : GeoDataFrame
        n polygons in any CRS.
    gap_m : float, default 1000
        Gaps narrower than this, in metres, are given to the neighbour with the longest shared border, if they are
        closed: a gap that opens to the outside is none.
    snap_m : float, optional
        Vertices and borders nearer to each other than this, in metres, become one, which closes open gaps too; by
        default only what rounding parted.

    Returns
    -------
    GeoDataFrame
        The same rows, in EPSG:9377.

    Raises
    ------
    GeometryError
        If the CRS is missing or a shape cannot be part of a coverage.
    """
    metric = to_metric(frame, "the polygons to clean")
    repaired = shapely.make_valid(metric.geometry.to_numpy(), method="structure")
    _refuse_no_polygons(repaired, frame.index)
    cleaned = shapely.coverage_clean(  # type: ignore[attr-defined]  # stubs of shapely 2.1
        repaired, gap_width=gap_m, snapping_distance=-1 if snap_m is None else snap_m
    )
    vanished = frame.index[shapely.is_empty(cleaned)]
    if len(vanished):
        raise GeometryError(
            f"each polygon must keep some area after cleaning; {listed(vanished)} kept none: "
            "another polygon covers them, so drop the duplicate"
        )
    return metric.set_geometry(gpd.GeoSeries(cleaned, index=frame.index, crs=METRIC))


def _refuse_no_polygons(shapes: npt.NDArray[np.object_], index: pd.Index) -> None:
    areal = np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) & ~shapely.is_empty(shapes)
    if not areal.all():
        raise GeometryError(
            f"each shape to clean must be a polygon; these are none: {listed(index[~areal])}: correct or remove them"
        )


def simplify(frame: gpd.GeoDataFrame, *, tolerance_m: float) -> gpd.GeoDataFrame:
    """Simplify a coverage so that shared borders stay shared (Visvalingam-Whyatt).

    Parameters
    ----------
    frame : GeoDataFrame
        A valid coverage in any CRS.
    tolerance_m : float
        Square root of the area, in metres, below which a corner is dropped.

    Returns
    -------
    GeoDataFrame
        The same rows, in EPSG:9377.

    Raises
    ------
    GeometryError
        If the CRS is missing.
    """
    metric = to_metric(frame, "the polygons to simplify")
    simple = shapely.coverage_simplify(metric.geometry.to_numpy(), tolerance_m)
    return metric.set_geometry(gpd.GeoSeries(simple, index=frame.index, crs=METRIC))


def simplify_to(frame: gpd.GeoDataFrame, *, vertices: int) -> gpd.GeoDataFrame:
    """Simplify a coverage until it has no more than so many vertices, each polygon counted whole.

    Parameters
    ----------
    frame : GeoDataFrame
        A valid coverage in any CRS.
    vertices : int
        The most vertices wanted; shared borders count once for each side.

    Returns
    -------
    GeoDataFrame
        The frame itself where it is small enough, else a coarser coverage in EPSG:9377.
    """
    tolerance_m = 50.0
    coarse = require_crs(frame, "the polygons to simplify")
    while count_vertices(coarse) > vertices and tolerance_m < 100_000:
        coarse = simplify(frame, tolerance_m=tolerance_m)
        tolerance_m *= 1.5
    return coarse


def count_vertices(frame: gpd.GeoDataFrame) -> int:
    """Count the vertices of all polygons; shared borders count once for each side.

    Parameters
    ----------
    frame : GeoDataFrame
        Any shapes.

    Returns
    -------
    int
        The number of vertices.
    """
    return int(shapely.get_num_coordinates(frame.geometry.to_numpy()).sum())


def check_areal(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """Return the frame if every shape is a polygon with coordinates that are numbers, valid or not; else refuse it.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons, indexed by what names them in a message.
    what : str
        What the frame is, for the message.

    Returns
    -------
    GeoDataFrame
        The same object.

    Raises
    ------
    GeometryError
        If a shape is missing, empty, no polygon, or infinite; the message names the rows.
    """
    shapes = frame.geometry.to_numpy()
    polygonal = np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) & ~shapely.is_empty(shapes)
    if not polygonal.all():
        raise GeometryError(
            f"{what} must hold polygons; {listed(frame.index[~polygonal])} hold none: remove or replace these rows"
        )
    points, row = shapely.get_coordinates(shapes, return_index=True)
    endless = np.unique(row[~np.isfinite(points).all(axis=1)])
    if len(endless):
        raise GeometryError(
            f"{what} must hold polygons whose coordinates are numbers; those of {listed(frame.index[endless])} are "
            "infinite or none: remove or replace these rows"
        )
    return frame


def check_polygons(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """Return the frame if every shape is a valid polygon with some area, else refuse it.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons, indexed by what names them in a message.
    what : str
        What the frame is, for the message.

    Returns
    -------
    GeoDataFrame
        The same object.

    Raises
    ------
    GeometryError
        If a shape is missing, empty, no polygon or invalid; the message names the rows and GEOS's reason.
    """
    shapes = check_areal(frame, what).geometry.to_numpy()
    invalid = ~shapely.is_valid(shapes)
    if invalid.any():
        reason = shapely.is_valid_reason(shapes[invalid][0])
        raise GeometryError(
            f"{what} must hold valid polygons; invalid: {listed(frame.index[invalid])} ({reason}): "
            "repair them (QGIS: Fix geometries) and load the file again"
        )
    return frame


def is_coverage(frame: gpd.GeoDataFrame) -> bool:
    """Say whether the polygons neither overlap nor mismatch along their shared borders.

    Parameters
    ----------
    frame : GeoDataFrame
        Valid polygons.

    Returns
    -------
    bool
        What GEOS's coverage validity predicate answers.
    """
    return bool(shapely.coverage_is_valid(frame.geometry.to_numpy()))


def is_seamless(frame: gpd.GeoDataFrame, *, gap_m: float) -> bool:
    """Say whether polygons are a coverage without slivers between them, and any of several touches another.

    Parameters
    ----------
    frame : GeoDataFrame
        Valid polygons in any CRS.
    gap_m : float
        Gaps narrower than this, in metres, are slivers.

    Returns
    -------
    bool
        False also for several polygons of which none borders another, as when each was shrunk.
    """
    shapes = to_metric(frame, "the polygons to check").geometry.to_numpy()
    return bool(shapely.coverage_is_valid(shapes, gap_width=gap_m)) and (len(frame) < 2 or _touch(shapes))


def _touch(shapes: npt.NDArray[np.object_]) -> bool:
    """Whether a coverage has fewer separate parts than its polygons have."""
    union = shapely.coverage_union_all(shapes)
    return len(shapely.get_parts(union)) < len(shapely.get_parts(shapes))


def count_holes(frame: gpd.GeoDataFrame) -> int:
    """Count the holes in the union of a coverage: places inside it that belong to no polygon.

    Parameters
    ----------
    frame : GeoDataFrame
        A valid coverage.

    Returns
    -------
    int
        The number of interior rings of the union.
    """
    union = shapely.coverage_union_all(frame.geometry.to_numpy())
    return int(shapely.get_num_interior_rings(shapely.get_parts(union)).sum())


def neighbours(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Pairs of polygons of a coverage that share a border, not just a corner (rook contiguity).

    In a valid coverage both sides of a shared border have the same vertices, so two polygons are neighbours
    exactly when they share a segment; no tolerance is involved.

    Parameters
    ----------
    frame : GeoDataFrame
        A valid coverage with a unique index.

    Returns
    -------
    DataFrame
        Columns ``left`` and ``right``, index labels of the frame, each pair once, left before right in row order.
    """
    ends, owner = _segments(frame.geometry.to_numpy())
    proper = (ends[:, :2] != ends[:, 2:]).any(axis=1)
    ends, owner = ends[proper], owner[proper]
    _, key = np.unique(ends, axis=0, return_inverse=True)
    order = np.argsort(key, kind="stable")
    key, owner = key[order], owner[order]
    shared = (key[1:] == key[:-1]) & (owner[1:] != owner[:-1])
    pairs = np.sort(np.column_stack([owner[:-1][shared], owner[1:][shared]]), axis=1)
    pairs = np.unique(pairs, axis=0)
    return pd.DataFrame({"left": frame.index[pairs[:, 0]], "right": frame.index[pairs[:, 1]]})


def _segments(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Every border segment as (x0, y0, x1, y1) with its lower end first, and the row of its polygon."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[1:] == ring[:-1]
    start, end = points[:-1][within], points[1:][within]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    ends = np.where(swap[:, None], np.hstack([end, start]), np.hstack([start, end]))
    return ends, row[part[ring[:-1][within]]]
