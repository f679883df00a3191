"""Coca by cell: a density layer from rasters or from the portal's grid polygons, gridded without loss.

Nothing finer than 1 km is kept unless it is asked for: cells that are smaller are summed into blocks, so that no single
field can be told from the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import ConfigError, ConservationError, SourceError, listed
from geo.grid import Grid
from layers import dynamics, gridpolygons
from layers.gridding import Booleans, Floats, Gridded, Integers, Unit, blocks_per_side
from layers.report import Report
from layers.vectorfile import ARCHIVE, BEGINNINGS, DATABASE

SOURCE = "coca_grid"
HA_PER_KM2 = 100.0
RASTERS = frozenset({".tif", ".tiff", ".img", ".asc"})
POLYGONS = frozenset({*BEGINNINGS, ARCHIVE, DATABASE, ".csv"})
ROUNDING = 1e-9


@dataclass(frozen=True)
class Density:
    """Hectares of coca in the cells of a grid, by year.

    Attributes
    ----------
    grid : Grid
        Its cells are of about 1 km or more, unless finer ones were asked for.
    row, col : ndarray of int64, shape (n,)
        The cells that are listed, in row-major order, each once.
    hectares : DataFrame
        n rows on a RangeIndex; columns the years, as int. NaN = not measured; a cell that is not listed has none.
    path : Path
        The file that was read, the first of several.
    report : Report
        What was done to it.
    modelled : bool
        Whether the figures were made from others instead of surveyed.
    unmeasured : ndarray of bool, shape (height, width), optional
        Of rasters: cells that no year measured. They are not listed and yet not without coca, nor is what lies beyond
        the grid. None where the file lists cells, and all others have none.
    finer : bool
        Whether its cells are of less than 1 km, because that was asked for.
    maybe_shares : bool
        Whether values were read as hectares and none is above 1, so that they may be shares.
    """

    grid: Grid
    row: Integers
    col: Integers
    hectares: pd.DataFrame
    path: Path
    report: Report
    modelled: bool = False
    unmeasured: Booleans | None = None
    finer: bool = False
    maybe_shares: bool = False

    @property
    def years(self) -> list[int]:
        """The years, earliest first."""
        return [int(year) for year in self.hectares.columns]

    def total_ha(self, year: int) -> float:
        """Hectares of all cells in a year; of cells of which some were not measured, those of the others.

        Parameters
        ----------
        year : int
            One of the years.

        Returns
        -------
        float
            Hectares; missing where nothing at all was measured in that year.
        """
        known = self.hectares[year].dropna()
        return math.fsum(known) if len(known) or self._has_zeros else math.nan

    def totals(self) -> pd.Series:
        """Hectares of all cells by year, see :meth:`total_ha`; the index is named ``year``."""
        totals = {year: self.total_ha(year) for year in self.years}
        return pd.Series(totals, dtype=float, name="total_ha").rename_axis("year")

    @property
    def _has_zeros(self) -> bool:
        """Whether cells that are not listed were measured; a file that lists none at all says that there is none."""
        if self.unmeasured is None:
            return self.hectares.empty
        return self.unmeasured.size > int(self.unmeasured.sum()) + len(self.row)

    def require_measured(self, year: int) -> None:
        """Refuse a year that the layer lacks, or in which it measured nothing.

        Parameters
        ----------
        year : int
            Any.

        Raises
        ------
        ConfigError
            If it is such a year.
        """
        if year not in self.years:
            raise ConfigError(
                f"the layer must have the year {year}; it has {listed(self.years)}: run scripts/zone.py --year "
                f"{self.years[-1]} first, or give a layer with {year}"
            )
        if math.isnan(self.total_ha(year)):
            others = [each for each in self.years if not math.isnan(self.total_ha(each))]
            raise ConfigError(
                f"the layer measured nothing in {year}: all of its figures of that year are blank; it measured "
                f"{listed(others) or 'nothing in other years either'}: give a layer that measured {year}"
            )

    def cell_ha(self) -> Floats:
        """Area of each listed cell, in hectares, shape (n,)."""
        rows, place = np.unique(self.row, return_inverse=True)
        return self.grid.area_ha(rows.tolist())[place]

    def density(self) -> Floats:
        """Hectares of coca per square kilometre, shape (n, years)."""
        return np.asarray(self.hectares.to_numpy() * HA_PER_KM2 / self.cell_ha()[:, None])

    def centres(self) -> gpd.GeoSeries:
        """Centres of the listed cells: n points in the grid's CRS."""
        return self.grid.centres(self.row, self.col)


def load(
    path: Path | Sequence[Path],
    *,
    year: int | None = None,
    unit: Unit = "ha",
    years: Sequence[int] | None = None,
    finer: bool = False,
) -> Density:
    """Read a density layer.

    Parameters
    ----------
    path : Path or sequence of Path
        A raster (GeoTIFF, COG, Erdas Imagine, ASCII grid), several on one grid, or the portal's grid polygons
        (data set v3rx-q7t3) as JSON, GeoJSON, shapefile, GeoPackage, CSV with a column of WKT, or another vector file.
    year : int, optional
        The year of a raster of one band, or of polygons with one field of hectares that names no year.
    unit : {"ha", "share"}, default "ha"
        Whether values are hectares in a cell, or the share of the cell that is coca, 0..1, of the cell's true area.
    years : sequence of int, optional
        The years of all bands of all rasters, in their order. If neither is given, a band's description or the name
        of a file of one band must tell its year. Of polygons those that their fields name, or none.
    finer : bool, default False
        Whether cells of less than 1 km are kept. It shows single fields, and so the families who live by them.

    Returns
    -------
    Density
        The layer. Its total of each year is the file's.

    Raises
    ------
    SourceError
        If a file is missing, unreadable or of another format.
    SchemaError
        If a year cannot be told or comes twice, or values are no numbers, negative, or more than a cell can hold.
    GeometryError
        If a file does not say where it lies, or polygons are no cells of one grid.
    ConservationError
        If hectares would be lost or doubled.
    ConfigError
        If the settings do not fit the file, or tell other years than it does.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if not paths:
        raise ConfigError("a density layer needs at least one file and is given none; name one")
    if unit not in ("ha", "share"):
        raise ConfigError(f"--unit must be ha (hectares in a cell) or share (of the cell, 0 to 1), not {unit!r}")
    read = _read(paths, year=year, unit=unit, years=years, finer=finer)
    return _checked(
        Density(
            grid=read.grid,
            row=read.row,
            col=read.col,
            hectares=read.hectares,
            path=paths[0],
            report=read.report,
            modelled=read.modelled,
            unmeasured=read.unmeasured,
            finer=finer and blocks_per_side(read.grid, finer=False) > 1,
            maybe_shares=unit == "ha" and 0 < read.largest <= 1,
        )
    )


def permanence(density: Density, *, year: int, window_years: int, recent_years: int) -> pd.Series:
    """Permanence class of each listed cell, by the rules for municipalities: :func:`layers.dynamics.permanence_class`.

    Parameters
    ----------
    density : Density
        The layer.
    year, window_years, recent_years : int
        Reference year, and the length of the window and of its recent end.

    Returns
    -------
    Series of str
        On the RangeIndex of ``density.hectares``, named ``permanence_class``.
    """
    return dynamics.permanence_class(density.hectares, year=year, window_years=window_years, recent_years=recent_years)


def _read(paths: list[Path], *, year: int | None, unit: Unit, years: Sequence[int] | None, finer: bool) -> Gridded:
    if _are_rasters(paths):
        from layers import densityraster

        return densityraster.read(paths, year=year, unit=unit, years=years, finer=finer)
    given = list(years) if years is not None else [] if year is None else [year]
    return gridpolygons.read(paths[0], years=given, unit=unit, finer=finer)


def _are_rasters(paths: list[Path]) -> bool:
    """Whether all files are rasters, or the one is of polygons; others, and both together, are refused."""
    forms = f"rasters ({', '.join(sorted(RASTERS))}), or one file of polygons ({', '.join(sorted(POLYGONS))})"
    unknown = [each.name for each in paths if each.suffix.lower() not in RASTERS | POLYGONS]
    if unknown:
        raise SourceError(f"a density layer must be of {forms}; found {listed(unknown)}: export it as one of these")
    drawn = [each.name for each in paths if each.suffix.lower() in POLYGONS]
    if len(drawn) < len(paths) and drawn:
        raise ConfigError(
            f"a density layer must be of {forms}, and not a mix of both; {listed(drawn)} are polygons and the others "
            "rasters: give the ones or the other"
        )
    if len(drawn) > 1:
        raise ConfigError(f"a density layer must be of {forms}; found {listed(drawn)}: put them into one file")
    return not drawn


def _checked(density: Density) -> Density:
    """The layer, whose totals must be the file's."""
    own, totals = density.totals(), density.report.totals
    # A year that measured nothing has no total on either side.
    kept = own.fillna(0.0)
    wrong = [year for year in density.years if not math.isclose(kept[year], totals.get(year, 0.0), rel_tol=ROUNDING)]
    if wrong:
        pairs = (f"{year}: {totals.get(year, 0.0):,.4f} became {own[year]:,.4f}" for year in wrong)
        raise ConservationError(
            f"gridding {density.path.name} must keep every hectare and does not ({listed(pairs)}); report this file"
        )
    return density
