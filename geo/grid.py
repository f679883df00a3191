"""Grids of cells: where each cell lies, and how large it truly is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from affine import Affine

from geo.crs import Spatial, transformed
from geo.errors import GeometryError

Floats = npt.NDArray[np.float64]

M2_PER_HA = 10_000.0
# By how much the areas of a projection may be wrong, before areas in it are refused: EPSG:9377 errs by at most 1 % on
# the mainland and 2.1 % at San Andrés, Web Mercator by more than 4 % in La Guajira.
MOST_DISTORTED = 0.03
SAMPLES = 9


@dataclass(frozen=True)
class Grid:
    """Rows and columns of equal cells in some CRS; it may be turned, and run in any direction.

    Attributes
    ----------
    crs : str
        Well-known text, or a code such as ``EPSG:9377``.
    transform : Affine
        From column and row to the CRS's x and y; whole numbers are the corners of cells.
    height, width : int
        Rows and columns.
    """

    crs: str
    transform: Affine
    height: int
    width: int

    @cached_property
    def is_geographic(self) -> bool:
        """Whether the cells are measured in degrees."""
        return bool(pyproj.CRS(self.crs).is_geographic)

    def coarsened(self, factor: int) -> Grid:
        """The grid of blocks of cells, of which those at the right and at the bottom may reach beyond the last cell.

        Parameters
        ----------
        factor : int
            Cells along each side of a block.

        Returns
        -------
        Grid
            Its cell (r, c) holds the cells from (r * factor, c * factor) on.
        """
        height, width = -(-self.height // factor), -(-self.width // factor)
        t = self.transform
        blocks = Affine(t.a * factor, t.b * factor, t.c, t.d * factor, t.e * factor, t.f)
        return Grid(self.crs, blocks, height, width)

    def place(self, shapes: Spatial, what: str = "shapes") -> npt.NDArray[np.object_]:
        """Shapes in columns and rows of this grid, so that every cell is a square of side 1.

        Parameters
        ----------
        shapes : GeoDataFrame or GeoSeries
            In any stated CRS. Their corners are transformed; what is straight between them stays straight.
        what : str
            What the shapes are, for the message.

        Returns
        -------
        ndarray of object
            Geometries; x is the column and y the row.

        Raises
        ------
        GeometryError
            If a CRS is missing, the grid's cells have no extent, or a corner has no place in its CRS.
        """
        if self.transform.is_degenerate:
            raise GeometryError(f"a raster's cells must have a width and a height; found {tuple(self.transform)[:6]}")
        geometry = transformed(shapes, self.crs, what).geometry.to_numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            points = applied(~self.transform, shapely.get_coordinates(geometry))
        if not np.isfinite(points).all():
            name = pyproj.CRS(self.crs).name
            raise GeometryError(
                f"{what} must lie where the raster's CRS {name!r} is defined, and its cells must have a size; "
                "some corners have no place on it: check both"
            )
        return np.asarray(shapely.set_coordinates(geometry.copy(), points), dtype=object)

    def cells(self, row: npt.ArrayLike, col: npt.ArrayLike) -> gpd.GeoSeries:
        """Polygons of some cells.

        Parameters
        ----------
        row, col : array_like of int, shape (n,)
            Which cells.

        Returns
        -------
        GeoSeries
            n quadrilaterals in the grid's CRS.
        """
        r, c = np.asarray(row, dtype=float), np.asarray(col, dtype=float)
        squares = shapely.box(c, r, c + 1, r + 1)
        return gpd.GeoSeries(shapely.transform(squares, self.located), crs=self.crs)

    def centres(self, row: npt.ArrayLike, col: npt.ArrayLike) -> gpd.GeoSeries:
        """Centres of some cells.

        Parameters
        ----------
        row, col : array_like of int, shape (n,)
            Which cells.

        Returns
        -------
        GeoSeries
            n points in the grid's CRS.
        """
        at = np.column_stack([np.asarray(col, dtype=float), np.asarray(row, dtype=float)]) + 0.5
        return gpd.GeoSeries(gpd.points_from_xy(*self.located(at).T), crs=self.crs)

    def located(self, points: Floats) -> Floats:
        """Columns and rows in the grid's CRS.

        Parameters
        ----------
        points : ndarray of float, shape (n, 2)
            Column and row; whole numbers are corners of cells.

        Returns
        -------
        ndarray of float, shape (n, 2)
            x and y.
        """
        return applied(self.transform, points)

    def area_ha(self, rows: Sequence[int] | range | None = None) -> Floats:
        """Area of one cell in each row, on the ground.

        Parameters
        ----------
        rows : sequence of int, optional
            Which rows; all if not given.

        Returns
        -------
        ndarray, shape (rows,)
            Hectares. Cells in degrees by the area of the ellipsoid between their parallels (Snyder 1987, eq. 3-12);
            others as their projection has them.

        Raises
        ------
        GeometryError
            If the areas of the projection are off by more than 3 % somewhere on the grid, or the grid is in degrees
            and turned.
        """
        number = np.arange(self.height) if rows is None else np.asarray(rows)
        if self.is_geographic:
            return self._geographic_ha(number)
        return np.full(len(number), self._projected_ha)

    @cached_property
    def side_km(self) -> float:
        """How thin a cell is: the shorter side, or of a sheared cell its area by its longest side; km on the ground."""
        return min(self.sides_km) * self._sheared[1]

    @cached_property
    def sides_km(self) -> tuple[float, float]:
        """Sides of a cell along its row and along its column, in km on the ground at the middle of the grid."""
        return self._sheared[0]

    @cached_property
    def _sheared(self) -> tuple[tuple[float, float], float]:
        """Sides in km, and the sine of the angle between them."""
        middle = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]]) + np.array([self.width // 2, self.height // 2])
        x, y = self.located(middle).T
        crs = pyproj.CRS(self.crs)
        lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
        geod = crs.get_geod()
        if geod is None or not np.isfinite([lon, lat]).all():
            raise GeometryError(f"a raster must lie where its CRS {crs.name!r} is defined; its middle does not")
        towards, _, metres = geod.inv([lon[0]] * 2, [lat[0]] * 2, lon[1:], lat[1:])
        sine = float(abs(np.sin(np.radians(towards[1] - towards[0]))))
        if not min(metres) * sine > 0:
            raise GeometryError(f"a raster's cells must have a size; found {tuple(self.transform)[:6]}: check the file")
        return (float(metres[0]) / 1000.0, float(metres[1]) / 1000.0), sine

    def _geographic_ha(self, number: npt.NDArray[np.int_]) -> Floats:
        t = self.transform
        if t.b or t.d:
            raise GeometryError("areas of cells in degrees need rows along parallels; this raster is turned: warp it")
        crs = pyproj.CRS(self.crs)
        degree = crs.axis_info[0].unit_conversion_factor
        south, north = np.sort([t.f + t.e * number, t.f + t.e * (number + 1)], axis=0) * degree
        if np.any(np.abs([south, north]) > np.pi / 2 + 1e-9):
            raise GeometryError("a raster in degrees must lie between the poles; this one reaches beyond 90 degrees")
        return np.asarray(abs(t.a) * degree * (_zone(crs, north) - _zone(crs, south)) / M2_PER_HA)

    @cached_property
    def _projected_ha(self) -> float:
        """Area of a cell in the projection, after a look at its areal scale on a lattice over the grid."""
        crs = pyproj.CRS(self.crs)
        col, row = np.meshgrid(np.linspace(0, self.width, SAMPLES), np.linspace(0, self.height, SAMPLES))
        x, y = self.located(np.column_stack([col.ravel(), row.ravel()])).T
        lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
        there = np.isfinite(lon) & np.isfinite(lat)
        off = np.inf
        if there.any():
            factors = pyproj.Proj(crs).get_factors(lon[there], lat[there])
            off = float(np.abs(np.asarray(factors.areal_scale) - 1).max())
        if not off <= MOST_DISTORTED:
            raise GeometryError(
                f"areas of cells must be true within {MOST_DISTORTED:.0%}; in {crs.name!r} they are off by up to "
                f"{off:.1%} here: warp the raster to EPSG:9377"
            )
        return float(abs(self.transform.determinant) * crs.axis_info[0].unit_conversion_factor ** 2 / M2_PER_HA)


def applied(transform: Affine, points: Floats) -> Floats:
    """Transform points.

    Parameters
    ----------
    transform : Affine
        From column and row to x and y, or the other way.
    points : ndarray of float, shape (..., 2)
        Any number of them.

    Returns
    -------
    ndarray of float, shape (..., 2)
        The same number.
    """
    turn = np.array([[transform.a, transform.b], [transform.d, transform.e]])
    return np.asarray(points @ turn.T + (transform.c, transform.f))


def _zone(crs: pyproj.CRS, latitude: Floats) -> Floats:
    """Area of the ellipsoid from the equator to a parallel, per radian of longitude, in square metres."""
    geod = crs.get_geod()
    if geod is None:
        raise GeometryError(f"areas need an ellipsoid, and {crs.name!r} names none")
    eccentricity, sine = np.sqrt(geod.es), np.sin(latitude)
    if eccentricity == 0:
        return np.asarray(geod.a**2 * sine)
    inner = eccentricity * sine
    return np.asarray(geod.b**2 / 2 * (sine / (1 - inner**2) + np.arctanh(inner) / eccentricity))
