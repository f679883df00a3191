"""Municipal boundaries: the bundled ones, or any polygon file of Colombia's municipalities."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from geo import coverage, overlay, topology
from geo.crs import STORAGE, require_crs, to_metric, to_storage
from geo.errors import CodeError, GeometryError, SchemaError, listed
from layers.codes import DEPARTMENTS, clean_codes, code_findings, read_codes
from layers.divipola import departments, municipalities
from layers.names import match_all
from layers.rawtable import CODE_HEADINGS, CODE_MEANING, columns_of_codes, find_column, need_column
from layers.report import Finding, Kind, Report, found
from layers.tables import ATLAS
from layers.text import fold, title_es
from layers.vectorfile import read_shapes

SOURCE = "boundaries"
TABLE = ATLAS / "boundaries.topojson"
COLOMBIA = (-82.5, -5.0, -66.0, 17.0)
HALF_TURN = 180.0
NAME_HEADINGS = ("name", "mpio cnmbr", "nombre", "municipio", "nom mpio", "nombre mpio")
DEPARTMENT_HEADINGS = ("department", "dpto cnmbr", "departamento", "depto", "nom dpto", "nombre dpto", "dpto")
DEPARTMENT_CODE_HEADINGS = ("dpto ccdgo", "cod dpto", "coddpto", "cod depto", "dpto", "department code")
MUNICIPALITY_PART_HEADINGS = ("mpio ccdgo", "cod mpio", "mpio", "municipality code")
REPAIR_SHARE = 0.01  # of a polygon's area that repairing its rings may change
MOVED_SHARE = 0.25  # of a polygon's area that cleaning the coverage may take
STRAY_SHARE = 0.5  # of a part's area that must lie in the bundled municipality of its code
TINY_KM2 = 1e-6
REPAIRED = "polygons whose rings crossed or touched themselves"
DISSOLVED = "rows that were parts or doubles of a municipality, dissolved"
BY_NAME = "rows without a code, found by name and department"
UNLIKE = "names that are not as DIVIPOLA writes them"
JOINED = "codes joined from a department's and a municipality's column"


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
    report : Report
        What was repaired.
    """

    frame: gpd.GeoDataFrame
    path: Path
    report: Report = field(default_factory=Report)


def load(path: Path | None = None) -> Boundaries:
    """Read municipal boundaries.

    Parameters
    ----------
    path : Path, optional
        Any file that :func:`layers.vectorfile.read_shapes` reads, with DIVIPOLA codes in a column, in two (department
        and municipality), or else names and departments; the bundled boundaries if not given.

    Returns
    -------
    Boundaries
        A valid coverage with names, areas and points.

    Raises
    ------
    SourceError
        If the file is missing or unreadable.
    SchemaError
        If there are neither codes nor names.
    CodeError
        If codes are malformed, names unknown, or one code stands for two municipalities.
    GeometryError
        If the CRS is missing, a shape is no polygon or cannot be repaired without moving it, polygons cover each
        other, or the coordinates are not what the CRS says.
    """
    if path is None:
        frame = _bundled()
        return Boundaries(frame, TABLE, Report(len(frame), len(frame)))
    raw = require_crs(read_shapes(path, wanted=_is_municipal), path.name).reset_index(drop=True)
    codes, coded = _codes(raw, path)
    shapes = raw.set_index(pd.Index(codes, name="code"))
    shapes, repaired = _repaired(shapes, path)
    _refuse_misplaced(shapes, path)
    units, dissolved = _dissolved(shapes, path)
    placed, cleaned = _as_coverage(to_storage(units), path)
    report = Report(len(raw), len(placed), (*coded, *repaired, *dissolved, *cleaned))
    return Boundaries(_with_facts(placed), path, report)


def _bundled() -> gpd.GeoDataFrame:
    facts = municipalities()
    return gpd.GeoDataFrame(facts, geometry=topology.read(TABLE).geometry.reindex(facts.index), crs=STORAGE)


def _is_municipal(table: pd.DataFrame) -> bool:
    """Whether a layer's attributes name municipalities, not departments or villages."""
    return bool(columns_of_codes(table)) or _two_columns(table) is not None


def _codes(raw: gpd.GeoDataFrame, path: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    """The code of each row: from a column of codes, from two that make them up, or by name and department."""
    table = pd.DataFrame(raw.drop(columns=raw.geometry.name))
    columns = columns_of_codes(table)
    if columns:
        return read_codes(table[columns[0]]), code_findings(table[columns[0]])
    if (joined := _two_columns(table)) is not None:
        return joined, found(Kind.REPAIRED, JOINED, joined)
    if column := find_column(table, CODE_HEADINGS):
        return clean_codes(table[column], f"column {column!r} of {path.name}"), ()
    return _by_name(table, path)


def _two_columns(table: pd.DataFrame) -> pd.Series | None:
    """Codes whose department and municipality stand in two columns."""
    left, right = find_column(table, DEPARTMENT_CODE_HEADINGS), find_column(table, MUNICIPALITY_PART_HEADINGS)
    if left is None or right is None or not len(table):
        return None
    parts = [
        table[column].astype("string").fillna("").str.replace(r"\.0+$", "", regex=True) for column in (left, right)
    ]
    department, rest = parts[0].str.zfill(2), parts[1].str.zfill(3)
    whole = department.isin(DEPARTMENTS) & rest.str.fullmatch(r"\d{3}")
    return (department + rest).astype(object) if whole.all() else None


def _by_name(table: pd.DataFrame, path: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    name, department = find_column(table, NAME_HEADINGS), find_column(table, DEPARTMENT_HEADINGS)
    if name is None or department is None:
        need_column(table, CODE_HEADINGS, CODE_MEANING, path)
        raise SchemaError(f"{path.name} must have codes, or names and departments; name its columns so")
    matched = match_all(table[name], table[department])
    codes = matched["code"]
    if codes.isna().any():
        lost = table.loc[codes.isna(), [name, department]].astype(str).agg(", ".join, axis=1)
        raise CodeError(
            f"{path.name} has no codes, and these names are not one municipality's: {listed(lost)}: "
            "correct them or add a column of codes"
        )
    unlike = table.loc[matched["confidence"] < 1, name].astype(str) + " -> " + codes[matched["confidence"] < 1]
    return codes, (*found(Kind.REPAIRED, BY_NAME, codes), *found(Kind.REPAIRED, UNLIKE, unlike))


def _repaired(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Rings repaired where that changes a polygon's area by next to nothing; what else is wrong is refused."""
    before = shapes.geometry.to_numpy()
    invalid = ~shapely.is_valid(before)
    if not invalid.any():
        coverage.check_polygons(shapes, path.name)
        return shapes, ()
    after = shapely.make_valid(before[invalid], method="structure", keep_collapsed=False)
    size = shapely.area(after)
    slight = np.abs(size - shapely.area(before[invalid])) <= REPAIR_SHARE * size
    mended = before.copy()
    mended[np.flatnonzero(invalid)[slight]] = after[slight]
    repaired = shapes.set_geometry(gpd.GeoSeries(mended, index=shapes.index, crs=shapes.crs))
    coverage.check_polygons(repaired, path.name)
    return repaired, found(Kind.REPAIRED, REPAIRED, shapes.index[invalid])


def _dissolved(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """One row a code: parts of one municipality are joined, two municipalities under one code refused."""
    repeated = shapes.index.duplicated(keep=False)
    if not repeated.any():
        return shapes.sort_index(), ()
    strange = sorted(code for code, rows in shapes[repeated].groupby(level=0) if not _one_unit(str(code), rows))
    if strange:
        raise CodeError(
            f"{path.name} must hold each code once; these stand for more than one municipality: {listed(strange)}: "
            "correct or remove these rows"
        )
    units = shapes.dissolve(by=shapes.index, aggfunc="first").rename_axis("code").sort_index()
    return units, found(Kind.REPAIRED, DISSOLVED, shapes.index[repeated])


def _one_unit(code: str, rows: pd.DataFrame) -> bool:
    """Whether rows are one municipality: they bear one name, or lie where the bundled one of their code does."""
    column = find_column(rows, NAME_HEADINGS)
    names = set(rows[column].dropna().astype(str).map(fold)) if column else set()
    if names:
        return len(names) == 1
    bundled = _bundled()
    if code not in bundled.index:
        return False
    place = to_metric(bundled.loc[[code]]).geometry.iloc[0]
    parts = to_metric(gpd.GeoDataFrame(rows)).geometry.to_numpy()
    return bool((shapely.area(shapely.intersection(parts, place)) >= STRAY_SHARE * shapely.area(parts)).all())


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


def _as_coverage(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The shapes as a coverage: untouched if they are one, else cleaned as long as no polygon loses much."""
    if coverage.is_coverage(shapes):
        return shapes, ()
    cleaned = coverage.clean(shapes)
    before, after = overlay.area_km2(shapes), overlay.area_km2(cleaned)
    lost = shapes.index[after < (1 - MOVED_SHARE) * before]
    if len(lost):
        raise GeometryError(
            f"{path.name} must not have polygons that cover each other; others cover much of {listed(lost)}: "
            "correct these shapes"
        )
    moved = (after - before).abs()
    what = (
        f"polygons that overlapped others or left gaps, gaps up to {coverage.GAP_M:,.0f} m closed; "
        f"{moved.sum() / 2:,.1f} km² changed hands, most at"
    )
    return to_storage(cleaned), found(Kind.REPAIRED, what, moved[moved > TINY_KM2].sort_values(ascending=False).index)


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
