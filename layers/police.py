"""Police posts: stations, substations and immediate attention commands (CAI) of the Policía Nacional (MNVCC).

The source lists quadrants, the beats of patrols, each named after its post; a post is placed at the mean of the
centroids of its quadrants. Some departments' commands are all but missing from it: there a gap is missing data, not
absent police.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo import overlay
from geo.crs import STORAGE
from layers import boundaries
from layers.numbers import parse_numbers
from layers.rawtable import need_column, read_table
from layers.report import Kind, Loaded, Report, found
from layers.tables import ATLAS
from layers.text import fold

SOURCE = "police"
TABLE = ATLAS / "police_posts.csv"
DECIMALS = 4
KINDS = {"estacion": "station", "subestacion": "substation", "cai": "cai"}
PATROL_DIGITS = 6
# Every municipality has a station. Where most departments have posts in nine of ten municipalities or more, some have
# them in fewer than one in four: these commands did not report.
REPORTING_SHARE = 0.25
SILENT = "departments whose police data are missing, since posts lie in so few of their municipalities"


def load(path: Path | None = None) -> Loaded[gpd.GeoDataFrame]:
    """Read police posts.

    Parameters
    ----------
    path : Path, optional
        The quadrants as the open-data portal publishes them (JSON or CSV), or a table with kind, name, lon and lat;
        the bundled table if not given.

    Returns
    -------
    Loaded of GeoDataFrame
        Columns ``kind`` (``station``, ``substation`` or ``cai``), ``name``, ``lon``, ``lat`` and points in EPSG:4326,
        sorted by kind and name.

    Raises
    ------
    SourceError
        If the file is missing or unreadable.
    SchemaError
        If a field is missing or holds what it must not.
    """
    file = path or TABLE
    raw = read_table(file)
    lon = _degrees(raw, ("lng", "lon", "longitud", "longitude"), 180.0, file)
    lat = _degrees(raw, ("lat", "latitud", "latitude"), 90.0, file)
    located = lon.notna() & lat.notna()
    if "kind" in raw:
        posts, others = raw.assign(lon=lon, lat=lat)[located], pd.Series(dtype=object)
    else:
        posts, others = _posts(raw.assign(lon=lon, lat=lat)[located], file)
    frame = gpd.GeoDataFrame(
        posts[["kind", "name", "lon", "lat"]].reset_index(drop=True),
        geometry=gpd.points_from_xy(posts["lon"], posts["lat"]),
        crs=STORAGE,
    )
    silent = not_reporting(frame, boundaries.load().frame)
    findings = (
        *found(Kind.LEFT_OUT, "rows without coordinates", raw.loc[~located].iloc[:, 1]),
        *found(Kind.LEFT_OUT, "quadrants of no station, substation or CAI", others),
        *found(Kind.NOTED, SILENT, silent.apply("{department} ({with_post} of {municipalities})".format_map, axis=1)),
    )
    return Loaded(frame, file, Report(len(raw), int(located.sum()) - len(others), findings))


def not_reporting(posts: gpd.GeoDataFrame, municipalities: gpd.GeoDataFrame) -> pd.DataFrame:
    """Departments whose police data are missing: those with posts in fewer than a quarter of their municipalities.

    Parameters
    ----------
    posts : GeoDataFrame
        Police posts.
    municipalities : GeoDataFrame
        A coverage with index ``code`` and the columns ``department_code`` and ``department``.

    Returns
    -------
    DataFrame
        Index ``department_code``; columns ``department``, ``municipalities`` (how many it has) and ``with_post`` (in
        how many of them a post lies).
    """
    holding = set(overlay.locate(posts.geometry, municipalities).dropna())
    table = municipalities.assign(with_post=municipalities.index.isin(holding)).groupby("department_code")
    counts = table.agg(
        department=("department", "first"), municipalities=("with_post", "size"), with_post=("with_post", "sum")
    )
    return counts[counts["with_post"] < REPORTING_SHARE * counts["municipalities"]]


def _degrees(raw: pd.DataFrame, headings: tuple[str, ...], most: float, file: Path) -> pd.Series:
    """Coordinates; what lies off the globe is as good as none."""
    column = need_column(raw, headings, "the coordinates", file)
    values = parse_numbers(raw[column], f"column {column!r} of {file.name}")
    return values.where(values.abs() <= most)


def _posts(quadrants: pd.DataFrame, file: Path) -> tuple[pd.DataFrame, pd.Series]:
    """One row a post, from one row a quadrant, and the names of quadrants of no post."""
    names = quadrants[need_column(quadrants, ("nombre cai", "nombre del cai"), "the name of the post", file)]
    beats = quadrants[need_column(quadrants, ("cuadrante", "nro cuadrante"), "the quadrant", file)]
    name = names.astype(str).str.replace(r"\s*CUAD\..*$", "", regex=True, flags=0).str.strip()
    kind = name.str.split().str[0].map(_kind)
    beat = beats.astype(str).str.strip().str[:-PATROL_DIGITS]
    posts = quadrants[["lon", "lat"]].assign(kind=kind, name=name, post=beat)
    grouped = posts.dropna(subset=["kind"]).groupby(["kind", "name", "post"], as_index=False)
    return grouped[["lon", "lat"]].mean().round(DECIMALS), names[kind.isna()]


def _kind(word: object) -> str | None:
    return KINDS.get(fold(str(word)))
