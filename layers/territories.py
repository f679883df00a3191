"""Territories of the 2016 accord: PDET municipalities, zones where the FARC laid down arms, reincorporation sites."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.crs import STORAGE
from geo.errors import CodeError, SchemaError, SourceError, listed
from layers.rawtable import find_column, need_column, read_codes, read_table
from layers.tables import ATLAS
from layers.text import title_es

PDET_SOURCE, ZONES_SOURCE, ETCR_SOURCE = "pdet", "zvtn", "etcr"
PDET_TABLE, SITES_TABLE = ATLAS / "pdet.csv", ATLAS / "accord_sites.csv"
DECIMALS = 4
SITE_COLUMNS = ("kind", "name", "municipality", "lon", "lat")


def load_pdet(path: Path | None = None) -> pd.Series:
    """Read the municipalities of the development programmes with a territorial focus (PDET, Decreto 893 of 2017).

    Parameters
    ----------
    path : Path, optional
        A table with a code and a region; the bundled table if not given.

    Returns
    -------
    Series of str
        Region by ``code``, named ``pdet_region``.

    Raises
    ------
    PresenciaError
        If the file cannot be read, lacks a column, or repeats or garbles a code.
    """
    file = path or PDET_TABLE
    table = read_table(file)
    codes = read_codes(table, file)
    region = table[need_column(table, ("pdet region", "region pdet", "region"), "the PDET region", file)]
    if codes.duplicated().any():
        raise CodeError(f"{file.name} must list each code once; repeated: {listed(codes[codes.duplicated()])}")
    return pd.Series(region.to_numpy(), index=pd.Index(codes, name="code"), name="pdet_region").sort_index()


def load_sites(path: Path | None = None) -> gpd.GeoDataFrame:
    """Read the zones and points where the FARC laid down arms (ZVTN, PTN) and the reincorporation sites (ETCR).

    Parameters
    ----------
    path : Path, optional
        GeoJSON of the zones as UNODC publishes it, the ARN's table of sites, or a table with kind, name, municipality,
        lon and lat; the bundled table if not given.

    Returns
    -------
    GeoDataFrame
        Columns ``kind`` (``ZVTN``, ``PTN`` or ``ETCR``), ``name``, ``municipality``, ``lon``, ``lat`` and points in
        EPSG:4326. Head counts of the source are left out: we hold no data on persons.

    Raises
    ------
    PresenciaError
        If the file cannot be read or lacks a column.
    """
    file = path or SITES_TABLE
    table = _zones(file) if file.suffix == ".geojson" else read_table(file)
    if find_column(table, ("coordenadas",)):
        table = _reincorporation(table, file)
    missing = set(SITE_COLUMNS) - set(table.columns)
    if missing:
        raise SchemaError(f"{file.name} must have columns {listed(SITE_COLUMNS)}; it lacks {listed(sorted(missing))}")
    lon, lat = table["lon"].astype(float).round(DECIMALS), table["lat"].astype(float).round(DECIMALS)
    columns = {column: table[column] for column in SITE_COLUMNS[:3]}
    return gpd.GeoDataFrame({**columns, "lon": lon, "lat": lat}, geometry=gpd.points_from_xy(lon, lat), crs=STORAGE)


def _zones(file: Path) -> pd.DataFrame:
    """Zones by their geometry: the attribute Latitud of the source repeats the longitude."""
    try:
        zones = gpd.read_file(file).to_crs(STORAGE)
    except (OSError, ValueError, RuntimeError) as cause:
        raise SourceError(f"{file} must be readable GeoJSON: {cause}; export it again") from cause
    place = zones["MUNICIPIO"].map(title_es) + ", " + zones["DEPARTAMEN"].map(title_es)
    return pd.DataFrame(
        {"kind": zones["TIPO"], "name": zones["VEREDA"].map(title_es), "municipality": place,
         "lon": zones.geometry.x, "lat": zones.geometry.y}
    )  # fmt: skip


def _reincorporation(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Sites from their ``"lat, lon"`` text."""
    place = table["coordenadas"].str.split(",", expand=True).astype(float)
    name = table[need_column(table, ("vereda",), "the site's name", file)].str.replace(r"\s*/\s*", " / ", regex=True)
    location = table[need_column(table, ("ubicacion",), "the municipality", file)]
    return pd.DataFrame(
        {"kind": "ETCR", "name": name, "municipality": location.str.strip(), "lon": place[1], "lat": place[0]}
    )
