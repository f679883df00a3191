"""Points against polygons, points against points, and polygons under others."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import METRIC, STORAGE, to_metric, to_storage

M_PER_KM = 1_000.0


def area_km2(polygons: gpd.GeoDataFrame) -> pd.Series:
    """Area of each polygon, computed in EPSG:9377.

    Parameters
    ----------
    polygons : GeoDataFrame
        In any stated CRS.

    Returns
    -------
    Series
        Square kilometres, named ``area_km2``, on the frame's index.
    """
    return (to_metric(polygons).area / M_PER_KM**2).rename("area_km2")


def covered_share(polygons: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.Series:
    """Share of each polygon's area that lies under other polygons, computed in EPSG:9377.

    Parameters
    ----------
    polygons : GeoDataFrame
        n valid polygons in any stated CRS.
    areas : GeoDataFrame
        m valid polygons in any stated CRS; where several lie over each other they count once.

    Returns
    -------
    Series
        0..1, named ``covered_share``, on the polygons' index; 0 where nothing lies over the polygon.
    """
    shapes, covers = (to_metric(frame).geometry.to_numpy() for frame in (polygons, areas))
    row, hit = shapely.STRtree(covers).query(shapes, predicate="intersects")
    common = np.zeros(len(shapes))
    for place in np.unique(row):
        common[place] = shapely.area(shapely.intersection(shapes[place], shapely.union_all(covers[hit[row == place]])))
    share = np.minimum(common / shapely.area(shapes), 1.0)
    return pd.Series(share, index=polygons.index, name="covered_share")


def locate(points: gpd.GeoSeries, polygons: gpd.GeoDataFrame) -> pd.Series:
    """Find the polygon that holds each point.

    Parameters
    ----------
    points : GeoSeries
        Points in any stated CRS.
    polygons : GeoDataFrame
        A coverage with a unique index.

    Returns
    -------
    Series
        The polygon's index label for each point, missing where no polygon holds it. A point on a shared border
        goes to the polygon that comes first.
    """
    tree = shapely.STRtree(to_storage(polygons).geometry.to_numpy())
    row, hit = tree.query(to_storage(points).to_numpy(), predicate="intersects")
    first = pd.Series(hit, index=row).groupby(level=0).min()
    labels = pd.Series(pd.NA, index=range(len(points)), dtype="object")
    labels.loc[first.index] = polygons.index.to_numpy()[first.to_numpy()]
    return pd.Series(labels.to_numpy(), index=points.index, name="polygon")


def inner_points(polygons: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """A point inside each polygon: the centre of its largest inscribed circle, far from every border.

    Parameters
    ----------
    polygons : GeoDataFrame
        In any stated CRS.

    Returns
    -------
    GeoSeries
        Points in EPSG:4326 on the frame's index.
    """
    metric = to_metric(polygons).geometry.to_numpy()
    largest = np.array([max(shapely.get_parts(shape), key=shapely.area) for shape in metric])
    radii = shapely.maximum_inscribed_circle(largest, tolerance=100.0)
    centres = shapely.get_point(radii, 0)
    return gpd.GeoSeries(centres, index=polygons.index, crs=METRIC).to_crs(STORAGE)


def nearest_km(points: gpd.GeoSeries, targets: gpd.GeoSeries) -> pd.Series:
    """Straight-line distance from each point to the nearest target, computed in EPSG:9377.

    Parameters
    ----------
    points : GeoSeries
        n points in any stated CRS; missing points are allowed.
    targets : GeoSeries
        m points in any stated CRS.

    Returns
    -------
    Series
        Kilometres, named ``nearest_km``, on the points' index; missing where the point is missing or there is
        no target.
    """
    km = np.full(len(points), np.nan)
    shapes = to_metric(points).to_numpy()
    known = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if len(targets) and len(known):
        tree = shapely.STRtree(to_metric(targets).to_numpy())
        (row, _), metres = tree.query_nearest(shapes[known], return_distance=True, all_matches=False)
        km[known[row]] = metres / M_PER_KM
    return pd.Series(km, index=points.index, name="nearest_km")
