"""Territories of the 2016 accord, and those of special rights.

Indigenous reserves, Afro-Colombian community councils and national parks have rights and rules of their own, which a
plan must mark before anything is built there.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.crs import STORAGE, require_crs, to_storage
from geo.errors import CodeError, GeometryError, SchemaError, listed
from layers.codes import clean_codes, code_findings
from layers.numbers import parse_numbers
from layers.rawtable import code_column, find_column, need_column, read_table
from layers.report import Finding, Kind, Loaded, Report, found
from layers.tables import ATLAS
from layers.text import title_es
from layers.vectorfile import read_shapes

PDET_SOURCE, ZONES_SOURCE, ETCR_SOURCE = "pdet", "zvtn", "etcr"
RESERVES_SOURCE, COUNCILS_SOURCE, PARKS_SOURCE = "reserves", "councils", "parks"
PDET_TABLE, SITES_TABLE = ATLAS / "pdet.csv", ATLAS / "accord_sites.csv"
SPECIAL_TABLE = ATLAS / "special_areas.csv"
SHARES = {RESERVES_SOURCE: "reserve_share", COUNCILS_SOURCE: "council_share", PARKS_SOURCE: "park_share"}
DECIMALS = 4
SITE_COLUMNS = ("kind", "name", "municipality", "lon", "lat")
LAT_LON = r"^\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$"
POLYGONS = ("Polygon", "MultiPolygon")


def load_pdet(path: Path | None = None) -> Loaded[pd.Series]:
    """Read the municipalities of the development programmes with a territorial focus (PDET, Decreto 893 of 2017).

    Parameters
    ----------
    path : Path, optional
        A table with a code and a region; the bundled table if not given.

    Returns
    -------
    Loaded of Series of str
        Region by ``code``, named ``pdet_region``.

    Raises
    ------
    PresenciaError
        If the file cannot be read, lacks a column, or repeats or garbles a code.
    """
    file = path or PDET_TABLE
    table = read_table(file)
    cells = table[column := code_column(table, file)]
    codes = _each_once(clean_codes(cells, f"column {column!r} of {file.name}"), file)
    region = table[need_column(table, ("pdet region", "region pdet", "region"), "the PDET region", file)]
    regions = pd.Series(region.to_numpy(), index=pd.Index(codes, name="code"), name="pdet_region").sort_index()
    return Loaded(regions, file, Report(len(table), len(regions), code_findings(cells)))


def load_sites(path: Path | None = None) -> Loaded[gpd.GeoDataFrame]:
    """Read the zones and points where the FARC laid down arms (ZVTN, PTN) and the reincorporation sites (ETCR).

    Parameters
    ----------
    path : Path, optional
        GeoJSON of the zones as UNODC publishes it, the ARN's table of sites, or a table with kind, name, municipality,
        lon and lat; the bundled table if not given.

    Returns
    -------
    Loaded of GeoDataFrame
        Columns ``kind`` (``ZVTN``, ``PTN`` or ``ETCR``), ``name``, ``municipality``, ``lon``, ``lat`` and points in
        EPSG:4326. Head counts of the source are left out: we hold no data on persons.

    Raises
    ------
    PresenciaError
        If the file cannot be read or lacks a column.
    """
    file = path or SITES_TABLE
    table = _zones(file) if file.suffix.lower() == ".geojson" else read_table(file)
    if find_column(table, ("coordenadas",)):
        table = _reincorporation(table, file)
    missing = set(SITE_COLUMNS) - set(table.columns)
    if missing:
        raise SchemaError(
            f"{file.name} must have columns {listed(SITE_COLUMNS)}; it lacks {listed(sorted(missing))}: add them"
        )
    lon, lat = (parse_numbers(table[c], f"column {c!r} of {file.name}").round(DECIMALS) for c in ("lon", "lat"))
    columns = {column: table[column] for column in SITE_COLUMNS[:3]}
    frame = gpd.GeoDataFrame(
        {**columns, "lon": lon, "lat": lat}, geometry=gpd.points_from_xy(lon, lat), crs=STORAGE
    ).reset_index(drop=True)
    return Loaded(frame, file, Report(len(table), len(frame)))


def load_reserves(path: Path) -> Loaded[gpd.GeoDataFrame]:
    """Read indigenous reserves (resguardos).

    Parameters
    ----------
    path : Path
        Polygons with a column of names (``NOM_RI``). None is bundled.

    Returns
    -------
    Loaded of GeoDataFrame
        Columns ``kind`` (``reserve``), ``name`` and polygons in EPSG:4326.

    Raises
    ------
    PresenciaError
        If the file cannot be read, states no CRS, or holds no polygons with names.
    """
    return _load_polygons(path, "reserve", ("l resguard", "nom ri", "nombre", "name"))


def load_councils(path: Path) -> Loaded[gpd.GeoDataFrame]:
    """Read the lands of Afro-Colombian community councils (consejos comunitarios).

    Parameters
    ----------
    path : Path
        Polygons with a column of names (``NOM_TC``). None is bundled.

    Returns
    -------
    Loaded of GeoDataFrame
        Columns ``kind`` (``council``), ``name`` and polygons in EPSG:4326.

    Raises
    ------
    PresenciaError
        If the file cannot be read, states no CRS, or holds no polygons with names.
    """
    return _load_polygons(path, "council", ("l tc", "nom tc", "nombre", "name"))


def load_parks(path: Path) -> Loaded[gpd.GeoDataFrame]:
    """Read national parks.

    Parameters
    ----------
    path : Path
        Polygons with a column of names (``NOM_PNN``). None is bundled.

    Returns
    -------
    Loaded of GeoDataFrame
        Columns ``kind`` (``park``), ``name`` and polygons in EPSG:4326.

    Raises
    ------
    PresenciaError
        If the file cannot be read, states no CRS, or holds no polygons with names.
    """
    return _load_polygons(path, "park", ("l parque", "nom pnn", "nombre", "name"))


def load_special_areas(path: Path | None = None) -> Loaded[pd.DataFrame]:
    """Read how much of each municipality lies in indigenous reserves, community councils and national parks.

    Parameters
    ----------
    path : Path, optional
        A table with a code and the columns below; the bundled table, measured on the bundled boundaries, if not given.

    Returns
    -------
    Loaded of DataFrame
        Index ``code``; columns ``reserve_share``, ``council_share`` and ``park_share``, 0..1 of the municipality's
        area. The bundled ones are the least there is: 0 says that the publishers' maps of about 2016 show none, and
        they lack most reserves of colonial origin. A municipality without a row, or with a blank, was not measured.

    Raises
    ------
    PresenciaError
        If the file cannot be read, lacks a column, repeats or garbles a code, or holds what is no share.
    """
    if path is None:  # checked when it was built
        frame = pd.read_csv(SPECIAL_TABLE, dtype={"code": object} | dict.fromkeys(SHARES.values(), float))
        return Loaded(frame.set_index("code"), SPECIAL_TABLE, Report(len(frame), len(frame)))
    table = read_table(path)
    cells = table[column := code_column(table, path)]
    codes = _each_once(clean_codes(cells, f"column {column!r} of {path.name}"), path)
    shares = {name: _share(table, name, path).to_numpy() for name in SHARES.values()}
    frame = pd.DataFrame(shares, index=pd.Index(codes, name="code")).sort_index()
    return Loaded(frame, path, Report(len(table), len(frame), code_findings(cells)))


def _share(table: pd.DataFrame, name: str, file: Path) -> pd.Series:
    heading = need_column(table, (name.replace("_", " "),), f"the {name}", file)
    share = parse_numbers(table[heading], f"column {heading!r} of {file.name}")
    outside = share[(share < 0) | (share > 1)]
    if len(outside):
        raise SchemaError(
            f"column {heading!r} of {file.name} must hold shares from 0 to 1; found {listed(map(str, outside))}: "
            "correct these cells"
        )
    return share


def _each_once(codes: pd.Series, file: Path) -> pd.Series:
    if codes.duplicated().any():
        raise CodeError(
            f"{file.name} must list each code once; repeated: {listed(codes[codes.duplicated()])}: remove these rows"
        )
    return codes


def _load_polygons(file: Path, kind: str, headings: tuple[str, ...]) -> Loaded[gpd.GeoDataFrame]:
    """Named polygons, rings that cross themselves repaired; shapes that are none are left out."""
    raw = to_storage(require_crs(read_shapes(file), file.name))
    name = raw[need_column(raw, headings, "the name", file)].astype("string").str.strip().fillna("")
    valid = shapely.make_valid(raw.geometry.to_numpy(), method="structure", keep_collapsed=False)
    shapes = gpd.GeoSeries(valid, index=raw.index, crs=STORAGE)
    polygons = shapes.geom_type.isin(POLYGONS) & ~shapes.is_empty
    if not polygons.any():
        raise GeometryError(f"{file.name} must hold polygons and holds none; give another file")
    findings: tuple[Finding, ...] = (
        *found(Kind.REPAIRED, "polygons whose rings crossed themselves", name[polygons & ~raw.is_valid]),
        *found(Kind.LEFT_OUT, "rows without a polygon", name[~polygons]),
        *found(Kind.NOTED, "polygons without a name", raw.index[polygons & (name == "")] + 1),
    )
    frame = gpd.GeoDataFrame(
        {"kind": kind, "name": name[polygons].astype(object)}, geometry=shapes[polygons], crs=STORAGE
    ).reset_index(drop=True)
    return Loaded(frame, file, Report(len(raw), len(frame), findings))


def _zones(file: Path) -> pd.DataFrame:
    """Zones by their geometry: the attribute Latitud of the source repeats the longitude."""
    zones = to_storage(require_crs(read_shapes(file), file.name))
    column = {
        what: zones[need_column(zones, headings, what, file)].astype("string").fillna("")
        for what, headings in {
            "the municipality": ("municipio",), "the department": ("departamen", "departamento"),
            "the village": ("vereda",), "the kind of zone": ("tipo",),
        }.items()
    }  # fmt: skip
    place = column["the municipality"].map(title_es) + ", " + column["the department"].map(title_es)
    points = zones.geometry.representative_point()
    return pd.DataFrame(
        {"kind": column["the kind of zone"], "name": column["the village"].map(title_es), "municipality": place,
         "lon": points.x, "lat": points.y}
    )  # fmt: skip


def _reincorporation(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Sites from their ``"lat, lon"`` text."""
    text = table[need_column(table, ("coordenadas",), "the coordinates", file)].astype(str)
    place = text.str.extract(LAT_LON)
    if place.isna().any(axis=None):
        wrong = text[place.isna().any(axis=1)]
        raise SchemaError(
            f"column 'coordenadas' of {file.name} must hold 'latitude, longitude'; found {listed(map(repr, wrong))}: "
            "correct these cells"
        )
    name = table[need_column(table, ("vereda",), "the site's name", file)].str.replace(r"\s*/\s*", " / ", regex=True)
    location = table[need_column(table, ("ubicacion",), "the municipality", file)]
    return pd.DataFrame(
        {"kind": "ETCR", "name": name, "municipality": location.str.strip(), "lon": place[1], "lat": place[0]}
    )
