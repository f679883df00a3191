"""The two coordinate reference systems, and the guards that keep them apart.

Data are stored and exchanged in EPSG:4326, longitude first. Lengths, areas and distances are computed in
EPSG:9377 (MAGNA-SIRGAS 2018 / Origen-Nacional), the one projected system of IGAC's resolution 471 of 2020
that covers the country. It is transverse Mercator about 73° W: on the mainland lengths err by at most 0.5 %
and areas by at most 1 % (``pyproj.Proj.get_factors`` at 79° W and 67° W).
"""

from __future__ import annotations

from typing import TypeVar

import geopandas as gpd

from geo.errors import GeometryError

STORAGE = "EPSG:4326"
METRIC = "EPSG:9377"

Spatial = TypeVar("Spatial", gpd.GeoDataFrame, gpd.GeoSeries)


def require_crs(shapes: Spatial, what: str) -> Spatial:
    """Return the shapes untouched, or refuse those that do not say where they are.

    Parameters
    ----------
    shapes : GeoDataFrame or GeoSeries
        Anything with a ``crs``.
    what : str
        What the shapes are, for the message.

    Returns
    -------
    GeoDataFrame or GeoSeries
        The same object.

    Raises
    ------
    GeometryError
        If ``shapes.crs`` is missing, or is the "undefined" one of a GeoPackage.
    """
    if shapes.crs is None or shapes.crs.name.lower().startswith("undefined"):
        raise GeometryError(
            f"{what} must state a coordinate reference system and states none; "
            "assign it in the file (EPSG:4326 for longitude and latitude) and load it again"
        )
    return shapes


def to_metric(shapes: Spatial, what: str = "shapes") -> Spatial:
    """Project to EPSG:9377, in which lengths are metres and areas square metres.

    Parameters
    ----------
    shapes : GeoDataFrame or GeoSeries
        In any stated CRS.
    what : str
        What the shapes are, for the message.

    Returns
    -------
    GeoDataFrame or GeoSeries
        The shapes in EPSG:9377.

    Raises
    ------
    GeometryError
        If the CRS is missing.
    """
    return require_crs(shapes, what).to_crs(METRIC)


def to_storage(shapes: Spatial, what: str = "shapes") -> Spatial:
    """Transform to EPSG:4326, longitude first.

    Parameters
    ----------
    shapes : GeoDataFrame or GeoSeries
        In any stated CRS.
    what : str
        What the shapes are, for the message.

    Returns
    -------
    GeoDataFrame or GeoSeries
        The shapes in EPSG:4326.

    Raises
    ------
    GeometryError
        If the CRS is missing.
    """
    return require_crs(shapes, what).to_crs(STORAGE)
