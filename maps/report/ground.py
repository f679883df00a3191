"""The municipalities made ready for many drawings, and the windows through which drawings see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo import coverage
from geo.crs import to_metric
from maps import payload
from maps.report.placing import Box, box_of

Shapes = npt.NDArray[np.object_]

COUNTRY_VERTICES, ZONE_VERTICES, LOCATOR_VERTICES = 16_000, 2_500, 700
FINEST_MM = 0.18  # corners that stand out less are not drawn
DEPARTMENT = 2  # digits


@dataclass(frozen=True)
class Ground:
    """Municipalities in EPSG:9377 as drawings of different scales need them.

    Attributes
    ----------
    names : Series of str
        By code.
    fine, coarse : GeoSeries
        Their shapes by code, as they are and for the map of the country; both are coverages.
    locator : GeoSeries
        The departments by their two digits, for a locator.
    silent : Series of str
        Names of departments, by their digits, in which no distance to a police post is known, since the posts are not.
    """

    names: pd.Series
    fine: gpd.GeoSeries
    coarse: gpd.GeoSeries
    locator: gpd.GeoSeries
    silent: pd.Series

    @cached_property
    def mainland(self) -> gpd.GeoSeries:
        """The departments for a locator, without an archipelago far off where there is anything else."""
        ashore = self.locator.index != payload.ARCHIPELAGO
        return gpd.GeoSeries(self.locator[ashore] if ashore.any() else self.locator)

    @cached_property
    def offshore(self) -> npt.NDArray[np.bool_]:
        """Which municipalities are that archipelago."""
        found: npt.NDArray[np.bool_] = ~self.fine.index.str[:DEPARTMENT].isin(self.mainland.index)
        return found


def ground(places: gpd.GeoDataFrame) -> Ground:
    """Project and simplify the municipalities, once for all drawings of a report.

    Parameters
    ----------
    places : GeoDataFrame
        Index ``code``, with ``name``; a coverage in EPSG:4326. With ``department_code``, ``department`` and
        ``station_km`` departments without police data are named where posts are drawn.

    Returns
    -------
    Ground
        What drawings are made of.

    Raises
    ------
    GeometryError
        If the CRS is missing.
    """
    metric = to_metric(places[["name", "geometry"]], "the municipalities to draw")
    coarse = coverage.simplify_to(metric, vertices=COUNTRY_VERTICES).geometry
    departments = gpd.GeoDataFrame(geometry=dissolved(coarse))
    locator = coverage.simplify_to(departments, vertices=LOCATOR_VERTICES).geometry
    return Ground(metric["name"], metric.geometry, coarse, locator, _silent(places))


def _silent(places: gpd.GeoDataFrame) -> pd.Series:
    if "station_km" not in places:
        return pd.Series(dtype=object)
    known = places["station_km"].notna().groupby(places["department_code"]).transform("any")
    names = places.loc[~known, ["department_code", "department"]].drop_duplicates("department_code")
    return names.set_index("department_code")["department"]


def array(shapes: gpd.GeoSeries | pd.Series) -> Shapes:
    """Take the geometries out of a series.

    Parameters
    ----------
    shapes : GeoSeries
        Any.

    Returns
    -------
    array of geometry
        In the same order.
    """
    return np.asarray(shapes.array, dtype=object)


def some(shapes: gpd.GeoSeries, codes: Collection[str]) -> gpd.GeoSeries:
    """Pick shapes by code, and pass over codes that have none.

    Parameters
    ----------
    shapes : GeoSeries
        By code.
    codes : collection of str
        Which.

    Returns
    -------
    GeoSeries
        In the order of the codes.
    """
    return gpd.GeoSeries(shapes.loc[[code for code in codes if code in shapes.index]])


def bounds(shapes: gpd.GeoSeries) -> Box:
    """Give the edges of what is around all shapes.

    Parameters
    ----------
    shapes : GeoSeries
        At least one.

    Returns
    -------
    tuple of float
        West, south, east and north.
    """
    return box_of(shapely.total_bounds(array(shapes)))


def dissolved(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Join municipalities to departments.

    Parameters
    ----------
    shapes : GeoSeries
        A coverage by code.

    Returns
    -------
    GeoSeries
        By the first two digits, again a coverage.
    """
    groups = shapes.groupby(shapes.index.str[:DEPARTMENT])
    return gpd.GeoSeries({digits: joined(array(group)) for digits, group in groups}, crs=shapes.crs)


def borders(shapes: gpd.GeoSeries) -> BaseGeometry:
    """Take the borders of a coverage, each once.

    Parameters
    ----------
    shapes : GeoSeries
        A coverage.

    Returns
    -------
    geometry
        Lines.
    """
    lines: BaseGeometry = shapely.line_merge(shapely.union_all(shapely.boundary(array(shapes))))
    return lines


def joined(shapes: Shapes | Sequence[BaseGeometry]) -> BaseGeometry:
    """Join polygons of a coverage, or what a window leaves of them.

    Parameters
    ----------
    shapes : array of geometry
        Polygons that do not overlap.

    Returns
    -------
    geometry
        Their union.
    """
    union: BaseGeometry = shapely.coverage_union_all(np.asarray(shapes, dtype=object))
    return union


@dataclass(frozen=True)
class Window:
    """What part of the ground is drawn, and where on the sheet.

    Attributes
    ----------
    box : tuple of float
        West, south, east and north edge on the sheet, millimetres.
    west_m, south_m : float
        What lies at its lower left corner, metres in EPSG:9377.
    metres_per_mm : float
        The scale.
    """

    box: Box
    west_m: float
    south_m: float
    metres_per_mm: float

    @property
    def seen(self) -> BaseGeometry:
        """What is seen of the ground, in metres."""
        west, south, east, north = self.box
        right = self.west_m + (east - west) * self.metres_per_mm
        return shapely.box(self.west_m, self.south_m, right, self.south_m + (north - south) * self.metres_per_mm)

    def onto(self, shapes: Shapes) -> Shapes:
        """Move shapes from the ground onto the sheet.

        Parameters
        ----------
        shapes : array of geometry
            In metres.

        Returns
        -------
        array of geometry
            In millimetres; what lies outside the window stays outside.
        """
        corner, origin = np.array(self.box[:2]), np.array([self.west_m, self.south_m])
        moved: Shapes = shapely.transform(shapes, lambda points: (points - origin) / self.metres_per_mm + corner)
        return moved

    def near(self, shapes: gpd.GeoSeries) -> gpd.GeoSeries:
        """Take those of a coverage that are seen, without corners that are too small to be.

        Parameters
        ----------
        shapes : GeoSeries
            In metres.

        Returns
        -------
        GeoSeries
            In metres, whole, still a coverage.
        """
        inside = gpd.GeoSeries(shapes.iloc[np.sort(shapes.sindex.query(self.seen, predicate="intersects"))])
        simple = coverage.simplify(gpd.GeoDataFrame(geometry=inside), tolerance_m=FINEST_MM * self.metres_per_mm)
        return coverage.simplify_to(simple, vertices=ZONE_VERTICES).geometry

    def cut(self, shapes: gpd.GeoSeries) -> gpd.GeoSeries:
        """Take what is seen of some shapes onto the sheet.

        Parameters
        ----------
        shapes : GeoSeries
            In metres.

        Returns
        -------
        GeoSeries
            In millimetres, without those that are not seen.
        """
        pieces = shapely.intersection(array(shapes), self.seen)
        kept = shapely.area(pieces) > 0
        return gpd.GeoSeries(self.onto(pieces[kept]), index=shapes.index[kept])


def window(bounds: Box, box: Box) -> Window:
    """Fit a part of the ground into a box, in its middle.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east and north edge in metres; all of it is seen, and more where the box has another form.
    box : tuple of float
        The edges on the sheet, millimetres.

    Returns
    -------
    Window
        The window.
    """
    west, south, east, north = bounds
    wide, tall = box[2] - box[0], box[3] - box[1]
    scale = max((east - west) / wide, (north - south) / tall, 1.0)
    return Window(box, (west + east - wide * scale) / 2, (south + north - tall * scale) / 2, scale)
