"""Municipal boundaries: the bundled ones, or any polygon file with DIVIPOLA codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
from pyproj import CRS

from geo import coverage, overlay, topology
from geo.crs import STORAGE, require_crs, to_storage
from geo.errors import CodeError, GeometryError, SourceError, listed
from layers.divipola import departments, municipalities
from layers.rawtable import CODE_HEADINGS, find_column, read_codes
from layers.tables import ATLAS
from layers.text import title_es

SOURCE = "boundaries"
COLOMBIA = (-82.5, -5.0, -66.0, 17.0)
HALF_TURN = 180.0
TABLE = ATLAS / "boundaries.topojson"
NAME_HEADINGS = ("name", "mpio cnmbr", "nombre", "municipio", "nom mpio", "nombre mpio")


@dataclass(frozen=True)
class Boundaries:
    """Municipalities as a checked coverage.

    Attributes
    ----------
    frame : GeoDataFrame
        EPSG:4326, index ``code``; columns ``name``, ``department_code``, ``department``, ``area_km2``, ``lon``,
        ``lat``, ``point`` (``town`` or ``inside``, see :func:`layers.divipola.municipalities`) and ``geometry``.
    path : Path
        The file that was read.
    notes : tuple of str
        What was repaired, in words.
    """

    frame: gpd.GeoDataFrame
    path: Path
    notes: tuple[str, ...] = ()


def load(path: Path | None = None) -> Boundaries:
    """Read municipal boundaries.

    Parameters
    ----------
    path : Path, optional
        Any vector file that GDAL reads, with a column of DIVIPOLA codes and a stated CRS (TopoJSON, which can state
        none, is taken as EPSG:4326); the bundled boundaries if not given.

    Returns
    -------
    Boundaries
        A valid coverage with names, areas and points.

    Raises
    ------
    SourceError
        If the file is missing or unreadable.
    SchemaError
        If there is no column of codes.
    CodeError
        If codes are malformed or repeated.
    GeometryError
        If the CRS is missing, a shape is no valid polygon, or the coordinates are not what the CRS says.
    """
    if path is None:
        facts = municipalities()
        shapes = topology.read(TABLE)
        frame = gpd.GeoDataFrame(facts, geometry=shapes.geometry.reindex(facts.index), crs=STORAGE)
        return Boundaries(frame, TABLE)
    raw = require_crs(_read(path), path.name)
    codes = read_codes(raw, path)
    if codes.duplicated().any():
        repeated = sorted(set(codes[codes.duplicated()]))
        raise CodeError(
            f"{path.name} must hold each code once; repeated: {listed(repeated)}: dissolve or remove these rows"
        )
    shapes = raw.set_index(pd.Index(codes, name="code")).sort_index()
    coverage.check_polygons(shapes, path.name)
    _refuse_misplaced(shapes, path)
    shapes, notes = _as_coverage(to_storage(shapes))
    return Boundaries(_with_facts(shapes), path, notes)


def _read(path: Path) -> gpd.GeoDataFrame:
    if not path.exists():
        raise SourceError(f"{path} must be a vector file and is not there; check the path")
    try:
        frame = gpd.read_file(path, layer=_layer(path))
    except (OSError, ValueError, RuntimeError) as cause:
        raise SourceError(f"{path} must be a vector file that GDAL reads: {cause}; export it again") from cause
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(f"{path} must hold shapes and holds a plain table; give the file with the polygons")
    if path.suffix.lower() == ".topojson" and frame.crs is None:
        return frame.set_crs(STORAGE)
    return frame


def _layer(path: Path) -> str:
    """The first layer of the file with a column of codes; the first of all where none has one."""
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    with_codes = (
        name for name in names
        if find_column(pd.DataFrame(columns=pyogrio.read_info(path, layer=name)["fields"]), CODE_HEADINGS)
    )  # fmt: skip
    return next(with_codes, names[0])


def _refuse_misplaced(shapes: gpd.GeoDataFrame, path: Path) -> None:
    """Refuse shapes that lie outside Colombia, with the likely cause."""
    crs, bounds = CRS(shapes.crs), shapes.bounds
    x, y = (bounds["minx"] + bounds["maxx"]) / 2, (bounds["miny"] + bounds["maxy"]) / 2
    inside = _inside(x, y, crs)
    if inside.all():
        return
    degrees = max(x.abs().max(), y.abs().max()) <= HALF_TURN
    if _inside(y, x, crs).all():
        cause = "latitude or northing stands first: swap the axes"
    elif crs.is_geographic and not degrees:
        cause = "these look like metres: assign the projected CRS that they are in"
    elif crs.is_projected and degrees:
        cause = "these look like degrees: assign a geographic CRS such as EPSG:4326"
    else:
        cause = "check that this is the CRS they are in"
    raise GeometryError(
        f"{path.name} must lie in Colombia; under its CRS ({crs.name}) these do not: "
        f"{listed(shapes.index[~inside])}, the first around x = {x[~inside].iloc[0]:,.6g}, "
        f"y = {y[~inside].iloc[0]:,.6g}; {cause}"
    )


def _inside(x: pd.Series, y: pd.Series, crs: CRS) -> npt.NDArray[np.bool_]:
    """Which points lie in the extent of Colombia with its islands."""
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), index=x.index, crs=crs).to_crs(STORAGE)
    west, south, east, north = COLOMBIA
    return ((points.x > west) & (points.x < east) & (points.y > south) & (points.y < north)).to_numpy()


def _as_coverage(shapes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """The shapes as a coverage: untouched if they are one, else cleaned, which is noted."""
    if coverage.is_coverage(shapes):
        return shapes, ()
    note = f"boundaries overlapped or left gaps; gaps up to {coverage.GAP_M:,.0f} m closed with coverage_clean"
    return to_storage(coverage.clean(shapes)), (note,)


def _with_facts(shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Names from DIVIPOLA, else from the file; areas and points from the shapes."""
    known = municipalities().reindex(shapes.index)
    column = find_column(shapes, NAME_HEADINGS)
    own = shapes[column].map(str, na_action="ignore").str.strip() if column else known["name"]
    codes = pd.Series(shapes.index, shapes.index)
    department_code = codes.str[:2]
    inner = overlay.inner_points(shapes)
    towns = gpd.GeoSeries(gpd.points_from_xy(known["lon"], known["lat"]), index=shapes.index, crs=STORAGE)
    is_town = (known["point"] == "town") & towns.within(shapes.geometry)
    points = inner.where(~is_town, towns)
    facts = {
        "name": known["name"].fillna(own.where(own != "").map(title_es, na_action="ignore")).fillna(codes),
        "department_code": department_code,
        "department": department_code.map(departments()).fillna(department_code),
        "area_km2": overlay.area_km2(shapes),
        "lon": points.x,
        "lat": points.y,
        "point": is_town.map({True: "town", False: "inside"}),
    }
    return gpd.GeoDataFrame(facts, geometry=shapes.geometry, crs=STORAGE)
