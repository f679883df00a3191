"""Municipal boundaries: the bundled ones, or any polygon file of Colombia's municipalities."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError

from geo import coverage, overlay, topology
from geo.crs import METRIC, STORAGE, require_crs, to_metric, to_storage
from geo.errors import CodeError, GeometryError, SchemaError, listed
from layers.codes import DEPARTMENTS, clean_codes, code_findings, read_codes
from layers.divipola import codes_by_name, departments, municipalities
from layers.names import match_all
from layers.rawtable import CODE_HEADINGS, CODE_MEANING, KNOWN_SHARE, columns_of_codes, find_column, need_column
from layers.report import Finding, Kind, Report, found
from layers.tables import ATLAS
from layers.text import fold, title_es
from layers.vectorfile import POLYGON, read_shapes

SOURCE = "boundaries"
TABLE = ATLAS / "boundaries.topojson"
COLOMBIA = (-82.5, -5.0, -66.0, 17.0)
HALF_TURN = 180.0
# What Colombian files are in when they state another: degrees, IGAC's old and new zones, UTM, and the web's.
USUAL_CRS = (
    STORAGE, METRIC, "EPSG:3116", "EPSG:3857", "EPSG:32618", "EPSG:32617", "EPSG:32619",
    "EPSG:3114", "EPSG:3115", "EPSG:3117", "EPSG:3118",
)  # fmt: skip
NAME_HEADINGS = (
    "name", "mpio cnmbr", "nombre", "municipio", "nom mpio", "nombre mpio", "nomb mpio", "adm2 es", "adm2 name",
    "name 2",
)  # fmt: skip
DEPARTMENT_HEADINGS = (
    "department", "dpto cnmbr", "departamento", "depto", "nom dpto", "nombre dpto", "dpto", "nom dep", "adm1 es",
    "adm1 name", "name 1",
)  # fmt: skip
DEPARTMENT_CODE_HEADINGS = ("dpto ccdgo", "cod dpto", "coddpto", "cod depto", "dpto", "department code")
MUNICIPALITY_PART_HEADINGS = ("mpio ccdgo", "cod mpio", "mpio", "municipality code")
REPAIR_SHARE = 0.01  # of a polygon's area that repairing its rings may change
MOVED_SHARE = 0.25  # of a polygon's area that cleaning the coverage may take
STRAY_SHARE = 0.5  # of a part's area that must lie in the bundled municipality of its code
OVERLAP_SHARE = 0.05  # of their common area that parts of one municipality may share
NAMED_SHARE = 0.5  # of the rows, to be found by two columns that are taken for names and departments
HOME_SHARE = 0.9  # of the municipalities that lie where they should under the right CRS
MANY = 10  # municipalities that cannot all be elsewhere by chance; a few shapes may be a made-up example
SLIVER_M = 5.0  # a gap so narrow is an error of drawing, not land
CORNER_SHARE = 0.01  # of the borders, that a snap makes where polygons met in a point
SNAPS_M = (1.0, 10.0, 100.0)  # how far borders may be joined, the least that serves
TINY_KM2 = 1e-6
PREFIXED = r"CO\d{5}"
REPAIRED = "polygons whose rings crossed or touched themselves, repaired ({:,.4f} km² changed)"
BARED = "shapes rid of the lines and points beside their polygons"
DISSOLVED = "rows that were parts or doubles of a municipality, dissolved"
BY_NAME = "rows without a code, found by name and department"
UNLIKE = "names that are not as DIVIPOLA writes them"
JOINED = "codes joined from a department's and a municipality's column"
SWAPPED = "latitude or northing stands first: swap the axes"
UNPREFIXED = "codes rid of the country's letters"
ASTRAY = "municipalities that lie elsewhere than those of their codes; check the codes"
APART = "polygons of which none borders another, so that no zones can be drawn of several"


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

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired, a line each."""
        return self.report.short


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
    with _refused_in_words(path):
        return _load(path)


def _load(path: Path) -> Boundaries:
    raw = require_crs(_flat(read_shapes(path, wanted=_is_municipal, kind=POLYGON)), path.name)
    if raw.empty:
        raise SchemaError(f"{path.name} must hold municipalities and holds no rows; export it again")
    codes, coded = _codes(raw, path)
    shapes, bared = _bared(raw.set_index(pd.Index(codes, name="code")))
    shapes, changed = _repaired(coverage.check_areal(shapes, path.name), path)
    _refuse_misplaced(shapes, path)
    repaired = _repair_findings(shapes, changed)
    units, dissolved = _dissolved(shapes, path)
    astray = _astray(units, path)
    placed, cleaned = _as_coverage(to_storage(units), path)
    report = Report(len(raw), len(placed), (*coded, *bared, *repaired, *dissolved, *astray, *cleaned))
    return Boundaries(_with_facts(placed), path, report)


@contextmanager
def _refused_in_words(path: Path) -> Iterator[None]:
    """What GEOS and PROJ refuse, for shapes that no check foresaw, as an error of the toolkit."""
    try:
        yield
    except (shapely.errors.ShapelyError, ProjError) as cause:
        said = " ".join(str(cause).split())[:200]
        raise GeometryError(
            f"{path.name} must hold shapes that can be worked with: {said}; repair them (QGIS: Fix geometries)"
        ) from cause


def _flat(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows counted from 0; what a GeoParquet file kept as its index becomes columns."""
    if isinstance(frame.index, pd.RangeIndex):
        return frame.reset_index(drop=True)
    names = [f"index {place}" if name is None else str(name) for place, name in enumerate(frame.index.names)]
    return frame.reset_index(names=names, drop=any(name in frame.columns for name in names))


def _bundled() -> gpd.GeoDataFrame:
    facts = municipalities()
    return gpd.GeoDataFrame(facts, geometry=topology.read(TABLE).geometry.reindex(facts.index), crs=STORAGE)


def _is_municipal(table: pd.DataFrame) -> bool:
    """Whether a layer's attributes tell municipalities, not departments or rivers."""
    table, _ = _without_prefix(table)
    return bool(columns_of_codes(table)) or _two_columns(table) is not None or _name_columns(table) is not None


def _codes(raw: gpd.GeoDataFrame, path: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    """The code of each row: from a column of codes, from two that make them up, or by name and department."""
    table, prefixed = _without_prefix(pd.DataFrame(raw.drop(columns=raw.geometry.name)))
    columns = columns_of_codes(table)
    if columns:
        cells = table[columns[0]]
        return read_codes(cells), (
            *found(Kind.REPAIRED, UNPREFIXED, prefixed.get(columns[0], ())),
            *code_findings(cells),
        )
    if (joined := _two_columns(table)) is not None:
        return joined, found(Kind.REPAIRED, JOINED, joined)
    _refuse_departments(table, path)
    if column := find_column(table, CODE_HEADINGS):
        return clean_codes(table[column], f"column {column!r} of {path.name}"), ()
    return _by_name(table, path)


def _without_prefix(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """The table with the United Nations' place codes (``CO05001``) as DIVIPOLA's, and such columns as they were."""
    written = {str(column): table[column] for column in table if _all_match(table[column], PREFIXED)}
    return table.assign(**{column: cells.astype(str).str[2:] for column, cells in written.items()}), written


def _all_match(cells: pd.Series, form: str) -> bool:
    return len(cells) > 0 and bool(cells.astype("string").str.fullmatch(form).fillna(False).all())


def _two_columns(table: pd.DataFrame) -> pd.Series | None:
    """Codes whose department and municipality stand in two columns, called so or beside each other."""
    called = find_column(table, DEPARTMENT_CODE_HEADINGS), find_column(table, MUNICIPALITY_PART_HEADINGS)
    pairs = [called, *pairwise(table.columns), *pairwise(reversed(table.columns))]
    joined = (_joined(table[left], table[right]) for left, right in pairs if left is not None and right is not None)
    return next((codes for codes in joined if codes is not None), None)


def _joined(departments_: pd.Series, municipalities_: pd.Series) -> pd.Series | None:
    """Codes of two parts, if each row's parts make up one and DIVIPOLA has most of them."""
    department, rest = _digits(departments_).str.zfill(2), _digits(municipalities_).str.zfill(3)
    whole = department.isin(DEPARTMENTS) & rest.str.fullmatch(r"\d{3}")
    if not len(whole) or not whole.all():
        return None
    codes = (department + rest).astype(object)
    return codes if codes.isin(municipalities().index).mean() >= KNOWN_SHARE else None


def _digits(cells: pd.Series) -> pd.Series:
    return cells.astype("string").fillna("").str.strip().str.replace(r"\.0+$", "", regex=True)


def _refuse_departments(table: pd.DataFrame, path: Path) -> None:
    """Say it if each row is a department."""
    for column in table:
        codes = read_codes(table[column], digits=2)
        if codes.is_unique and len(codes) > 1 and codes.isin(DEPARTMENTS).all():
            raise SchemaError(
                f"{path.name} must hold municipalities and holds departments (column {column!r}); "
                "give the file with the municipalities"
            )


def _by_name(table: pd.DataFrame, path: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    columns = _name_columns(table)
    if columns is None:
        need_column(table, CODE_HEADINGS, CODE_MEANING, path)
        raise SchemaError(f"{path.name} must have codes, or names and departments; name its columns so")
    names, departments_ = (table[column].astype("string").fillna("") for column in columns)
    matched = match_all(names, departments_)
    codes = matched["code"]
    if codes.isna().any():
        lost = (names + ", " + departments_)[codes.isna()]
        raise CodeError(
            f"{path.name} has no codes, and these names are not one municipality's: {listed(lost)}: "
            "correct them or add a column of codes"
        )
    unlike = (names + " -> " + codes)[matched["confidence"] < 1]
    return codes, (*found(Kind.REPAIRED, BY_NAME, codes), *found(Kind.REPAIRED, UNLIKE, unlike))


def _name_columns(table: pd.DataFrame) -> tuple[str, str] | None:
    """The columns of names and departments: those by which most rows are found, of equals those that are called so."""
    called = find_column(table, NAME_HEADINGS), find_column(table, DEPARTMENT_HEADINGS)
    texts = [str(column) for column in table if any(isinstance(cell, str) for cell in table[column])]
    folded = {column: table[column].astype("string").fillna("").map(fold) for column in texts}
    places = {fold(name) for name in departments().values()}
    second = [column for column in texts if folded[column].isin(places).mean() >= NAMED_SHARE]
    pairs = sorted(((a, b) for b in second for a in texts if a != b), key=lambda pair: pair != called)
    shares = {pair: _share_found(folded[pair[0]], folded[pair[1]]) for pair in pairs}
    best = max(shares, key=lambda pair: shares[pair], default=None)
    if best is not None and shares[best] >= NAMED_SHARE:
        return best
    return (called[0], called[1]) if called[0] is not None and called[1] is not None else None


def _share_found(names: pd.Series, departments_: pd.Series) -> float:
    known = codes_by_name()
    return sum(pair in known for pair in zip(departments_, names, strict=True)) / len(names)


def _bared(shapes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Collections of polygons, lines and points as their polygons alone, which other tools' repairs leave behind."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes.geometry.to_numpy()) == shapely.GeometryType.GEOMETRYCOLLECTION)
    if not len(mixed):
        return shapes, ()
    bare = shapes.geometry.to_numpy().copy()
    bare[mixed] = [_polygons(shape) for shape in bare[mixed]]
    return shapes.set_geometry(_like(bare, shapes)), found(Kind.REPAIRED, BARED, shapes.index[mixed])


def _polygons(collection: shapely.GeometryCollection) -> shapely.Geometry:
    parts = shapely.get_parts(collection)
    if (shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION).any():
        return collection
    polygons = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(list(polygons))


def _like(geometry: npt.NDArray[np.object_], shapes: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return gpd.GeoSeries(geometry, index=shapes.index, crs=shapes.crs)


def _repaired(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.float64]]:
    """Rings repaired where that changes a polygon's area by next to nothing, and the share of it that changed.

    What else is wrong is refused. The share is missing where a polygon was valid.
    """
    before = shapes.geometry.to_numpy()
    changed = np.full(len(shapes), np.nan)
    invalid = np.flatnonzero(~shapely.is_valid(before))
    if not len(invalid):
        return shapes, changed
    after = shapely.make_valid(before[invalid], method="structure", keep_collapsed=False)
    size = shapely.area(after)
    difference = np.abs(size - shapely.area(before[invalid]))
    slight = difference <= REPAIR_SHARE * size
    mended = before.copy()
    mended[invalid[slight]] = after[slight]
    repaired = coverage.check_polygons(shapes.set_geometry(_like(mended, shapes)), path.name)
    changed[invalid] = difference / size
    return repaired, changed


def _repair_findings(shapes: gpd.GeoDataFrame, changed: npt.NDArray[np.float64]) -> tuple[Finding, ...]:
    invalid = ~np.isnan(changed)
    if not invalid.any():
        return ()
    km2 = (overlay.area_km2(shapes[invalid]).to_numpy() * changed[invalid]).sum()
    return found(Kind.REPAIRED, REPAIRED.format(km2), shapes.index[invalid])


def _dissolved(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """One row a code: parts and doubles of one municipality are joined, what may be two is refused."""
    repeated = shapes.index.duplicated(keep=False)
    if not repeated.any():
        return shapes.sort_index(), ()
    groups = [(str(code), shapes.loc[[code]]) for code in sorted(set(shapes.index[repeated]))]
    strange = [code for code, rows in groups if not _one_unit(code, rows)]
    if strange:
        raise CodeError(
            f"{path.name} must hold each code once; these stand for more than one municipality: {listed(strange)}: "
            "correct or remove these rows"
        )
    drawn_twice = [code for code, rows in groups if _drawn_twice(rows.geometry.to_numpy())]
    if drawn_twice:
        raise GeometryError(
            f"{path.name} must hold each municipality once; the rows of these overlap and differ, as two years' do: "
            f"{listed(drawn_twice)}: keep the rows of one"
        )
    units = shapes.dissolve(by=shapes.index, aggfunc="first").rename_axis("code").sort_index()
    return units, found(Kind.REPAIRED, DISSOLVED, shapes.index[repeated])


def _one_unit(code: str, rows: gpd.GeoDataFrame) -> bool:
    """Whether rows are one municipality: by their name, by where the bundled one lies, or else since they touch."""
    column = find_column(rows, NAME_HEADINGS)
    names = set(rows[column].dropna().astype(str).map(fold)) - {""} if column else set()
    if names:
        return len(names) == 1
    bundled = _bundled()
    if code not in bundled.index:
        return bool(shapely.get_num_geometries(shapely.union_all(rows.geometry.to_numpy())) == 1)
    place = to_metric(bundled.loc[[code]]).geometry.iloc[0]
    parts = to_metric(rows).geometry.to_numpy()
    return bool((shapely.area(shapely.intersection(parts, place)) >= STRAY_SHARE * shapely.area(parts)).all())


def _drawn_twice(shapes: npt.NDArray[np.object_]) -> bool:
    """Whether rows share ground without being the same: neither parts side by side nor one shape repeated."""
    if _common_share(shapes) <= OVERLAP_SHARE:
        return False
    different: list[shapely.Geometry] = []
    for shape in shapes:
        if not any(_same(shape, other) for other in different):
            different.append(shape)
    return _common_share(np.array(different, dtype=object)) > OVERLAP_SHARE


def _common_share(shapes: npt.NDArray[np.object_]) -> float:
    """How much of what shapes cover they cover more than once."""
    covered = float(shapely.area(shapely.union_all(shapes)))
    return (float(shapely.area(shapes).sum()) - covered) / covered


def _same(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    most = REPAIR_SHARE * shapely.area(one)
    if abs(shapely.area(one) - shapely.area(other)) > most:
        return False
    return bool(shapely.area(shapely.symmetric_difference(one, other)) <= most)


def _refuse_misplaced(shapes: gpd.GeoDataFrame, path: Path) -> None:
    """Refuse shapes that lie outside Colombia, or whose municipalities lie right under another CRS only."""
    crs, bounds = CRS(shapes.crs), shapes.bounds
    x, y = (bounds["minx"] + bounds["maxx"]) / 2, (bounds["miny"] + bounds["maxy"]) / 2
    inside = _inside(x, y, crs)
    likelier = _likelier(bounds, crs)
    if inside.all() and not likelier:
        return
    if inside.all():
        raise GeometryError(
            f"{path.name} must lie where its codes say; under its CRS ({crs.name}) its municipalities lie elsewhere: "
            f"{likelier}"
        )
    cause = "; ".join(filter(None, dict.fromkeys((_cause(x, y, crs), likelier))))
    raise GeometryError(
        f"{path.name} must lie in Colombia; under its CRS ({crs.name}) these do not: "
        f"{listed(shapes.index[~inside])}, the first around x = {x[~inside].iloc[0]:,.6g}, "
        f"y = {y[~inside].iloc[0]:,.6g}; {cause or 'check that this is the CRS they are in'}"
    )


def _cause(x: pd.Series, y: pd.Series, crs: CRS) -> str:
    """What the coordinates themselves tell of why they lie elsewhere than in Colombia, if they tell anything."""
    degrees = max(x.abs().max(), y.abs().max()) <= HALF_TURN
    if _inside(y, x, crs).all():
        return SWAPPED
    if _inside(-x, y, crs).all() or _inside(-y, x, crs).all():
        return "western longitudes must be negative: change their sign"
    if crs.is_geographic and not degrees:
        return "these look like metres: assign the projected CRS that they are in"
    if crs.is_projected and degrees:
        return "these look like degrees: assign a geographic CRS such as EPSG:4326"
    return ""


def _likelier(bounds: pd.DataFrame, crs: CRS) -> str:
    """What would put municipalities where those of their codes lie, if the CRS stated does not."""
    known = bounds[bounds.index.isin(municipalities().index)]
    if known.empty or _at_home(known, crs).mean() >= 1 - HOME_SHARE:
        return ""
    swapped = known.rename(columns={"minx": "miny", "miny": "minx", "maxx": "maxy", "maxy": "maxx"})
    if _at_home(swapped, crs).mean() >= HOME_SHARE:
        return SWAPPED
    right = (usual for usual in USUAL_CRS if _at_home(known, CRS(usual)).mean() >= HOME_SHARE)
    usual = next(right, None)
    return f"they lie where their codes say under {usual} ({CRS(usual).name}): assign that" if usual else ""


def _at_home(bounds: pd.DataFrame, crs: CRS, *, margin: float = 0.0) -> pd.Series:
    """Whether the extent of each municipality holds the bundled point of its code; a margin is a share of it."""
    extents = bounds.groupby(level=0).agg({"minx": "min", "miny": "min", "maxx": "max", "maxy": "max"})
    facts = municipalities().loc[extents.index]
    points = gpd.GeoSeries(gpd.points_from_xy(facts["lon"], facts["lat"]), index=facts.index, crs=STORAGE).to_crs(crs)
    wide, high = (extents["maxx"] - extents["minx"]) * margin, (extents["maxy"] - extents["miny"]) * margin
    across = points.x.between(extents["minx"] - wide, extents["maxx"] + wide)
    return across & points.y.between(extents["miny"] - high, extents["maxy"] + high)


def _astray(units: gpd.GeoDataFrame, path: Path) -> tuple[Finding, ...]:
    """Name municipalities that lie elsewhere than those of their codes; refuse a file of which most do."""
    known = units[units.index.isin(municipalities().index)]
    if known.empty:
        return ()
    home = _at_home(known.bounds, CRS(known.crs), margin=1.0)
    astray = home.index[~home]
    if len(home) >= MANY and len(astray) > len(home) / 2:
        raise CodeError(
            f"{path.name} must hold the shape of each code; {len(astray):,} of {len(home):,} lie elsewhere: "
            f"{listed(astray)}: the codes and the shapes stand in different order, or the codes are not DIVIPOLA's"
        )
    return found(Kind.NOTED, ASTRAY, astray)


def _inside(x: pd.Series, y: pd.Series, crs: CRS) -> npt.NDArray[np.bool_]:
    """Which points lie in the extent of Colombia with its islands."""
    points = to_storage(gpd.GeoSeries(gpd.points_from_xy(x, y), index=x.index, crs=crs))
    west, south, east, north = COLOMBIA
    return ((points.x > west) & (points.x < east) & (points.y > south) & (points.y < north)).to_numpy()


def _as_coverage(shapes: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The shapes as a coverage: untouched if they are one, else cleaned as long as no polygon loses much."""
    if coverage.is_seamless(shapes, gap_m=SLIVER_M):
        return shapes, ()
    cleaned, snap_m = _cleaned(shapes)
    before, after = overlay.area_km2(shapes), overlay.area_km2(cleaned)
    lost = shapes.index[after < (1 - MOVED_SHARE) * before]
    if len(lost):
        raise GeometryError(
            f"{path.name} must not have polygons that cover each other; others cover much of {listed(lost)}: "
            "correct these shapes"
        )
    apart = found(Kind.NOTED, APART, shapes.index if _borders(cleaned) == 0 < len(shapes) - 1 else ())
    if coverage.is_coverage(shapes) and _borders(cleaned) <= (1 + CORNER_SHARE) * _borders(shapes):
        return shapes, apart  # its narrow gaps part no neighbours
    moved = (after - before).abs()
    what = (
        f"polygons that overlapped others or left gaps, gaps up to {coverage.GAP_M:,.0f} m closed"
        f"{f' and borders up to {snap_m:,.0f} m apart joined' if snap_m else ''}; "
        f"{moved.sum() / 2:,.1f} km² changed hands, most at"
    )
    changed = moved[moved > TINY_KM2].sort_values(ascending=False).index
    return to_storage(cleaned), (*found(Kind.REPAIRED, what, changed), *apart)


def _cleaned(shapes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, float | None]:
    """A coverage without slivers, by the shortest snap that makes it one; without a snap if none does."""
    first = coverage.clean(shapes)
    if coverage.is_seamless(first, gap_m=SLIVER_M):
        return first, None
    for snap_m in SNAPS_M:
        snapped = coverage.clean(shapes, snap_m=snap_m)
        if coverage.is_seamless(snapped, gap_m=SLIVER_M):
            return snapped, snap_m
    return first, None


def _borders(shapes: gpd.GeoDataFrame) -> int:
    """How many pairs of polygons border each other."""
    return len(coverage.neighbours(shapes))


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
