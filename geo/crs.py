"""The two coordinate reference systems, and the guards that keep them apart.

Data are stored and exchanged in EPSG:4326, longitude first. Lengths, areas and distances are computed in
EPSG:9377 (MAGNA-SIRGAS 2018 / Origen-Nacional), the one projected system of IGAC's resolution 471 of 2020
that covers the country. It is transverse Mercator about 73° W: on the mainland lengths err by at most 0.5 %
and areas by at most 1 % (``pyproj.Proj.get_factors`` at 79° W and 67° W).
"""

from __future__ import annotations

from typing import TypeVar

import geopandas as gpd
from pyproj import CRS
from pyproj.exceptions import ProjError

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
        If ``shapes.crs`` is missing, is the "undefined" one of a GeoPackage, or is no place on a map: an engineer's
        own axes, a height, or coordinates from the centre of the Earth.
    """
    if shapes.crs is None or shapes.crs.name.lower().startswith("undefined"):
        raise GeometryError(
            f"{what} must state a coordinate reference system and states none; "
            "assign it in the file (EPSG:4326 for longitude and latitude) and load it again"
        )
    crs = CRS(shapes.crs)
    if not (crs.is_geographic or crs.is_projected):
        raise GeometryError(
            f"{what} must state a geographic or projected coordinate reference system and states {crs.name!r} "
            f"({crs.type_name}), which says nothing of where on a map it is; assign the one that it is in"
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
        If the CRS is missing, or nothing leads from it to the other.
    """
    return transformed(shapes, METRIC, what)


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
        If the CRS is missing, or nothing leads from it to the other.
    """
    return transformed(shapes, STORAGE, what)


def transformed(shapes: Spatial, crs: str, what: str) -> Spatial:
    """Transform to any coordinate reference system.

    Parameters
    ----------
    shapes : GeoDataFrame or GeoSeries
        In any stated CRS.
    crs : str
        The system: a code or well-known text.
    what : str
        What the shapes are, for the message.

    Returns
    -------
    GeoDataFrame or GeoSeries
        The shapes in that system.

    Raises
    ------
    GeometryError
        If the CRS is missing, or nothing leads from it to the other.
    """
    stated = require_crs(shapes, what)
    try:
        return stated.to_crs(crs)
    except ProjError as cause:
        raise GeometryError(
            f"{what} must be in a coordinate reference system that leads to {CRS(crs).name!r}; from "
            f"{CRS(stated.crs).name!r} PROJ knows no way; assign the one that it is in"
        ) from cause
