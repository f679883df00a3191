"""Police posts: stations, substations and immediate attention commands (CAI) of the Policía Nacional (MNVCC).

The source lists quadrants, the beats of patrols, each named after its post; a post is placed at the mean of the
centroids of its quadrants. In Boyacá, Córdoba and Cundinamarca the department's command is all but missing: there a
gap is missing data, not absent police.
"""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.crs import STORAGE
from geo.errors import SchemaError, SourceError, listed
from layers.rawtable import read_table
from layers.tables import ATLAS

SOURCE = "police"
TABLE = ATLAS / "police_posts.csv"
DECIMALS = 4
DEPARTMENTS_WITHOUT_DATA = ("15", "23", "25")
KINDS = {"ESTACION": "station", "SUBESTACION": "substation", "CAI": "cai"}
PATROL_DIGITS = 6


def load(path: Path | None = None) -> gpd.GeoDataFrame:
    """Read police posts.

    Parameters
    ----------
    path : Path, optional
        The quadrants as the open-data portal exports them (JSON), or a table with kind, name, lon and lat; the bundled
        table if not given.

    Returns
    -------
    GeoDataFrame
        Columns ``kind`` (``station``, ``substation`` or ``cai``), ``name``, ``lon``, ``lat`` and points in EPSG:4326,
        sorted by kind and name.

    Raises
    ------
    SourceError
        If the file is missing or unreadable.
    SchemaError
        If a field is missing.
    """
    file = path or TABLE
    table = _posts(file) if file.suffix == ".json" else read_table(file)
    missing = {"kind", "name", "lon", "lat"} - set(table.columns)
    if missing:
        raise SchemaError(f"{file.name} must have columns kind, name, lon and lat; it lacks {listed(sorted(missing))}")
    lon, lat = table["lon"].astype(float), table["lat"].astype(float)
    return gpd.GeoDataFrame(
        {"kind": table["kind"], "name": table["name"], "lon": lon, "lat": lat},
        geometry=gpd.points_from_xy(lon, lat),
        crs=STORAGE,
    )


def _posts(file: Path) -> pd.DataFrame:
    """One row a post, from one row a quadrant."""
    try:
        quadrants = pd.DataFrame(json.loads(file.read_text(encoding="utf-8")))
        located = quadrants.dropna(subset=["lat", "lng"])
        name = located["nombre_cai"].str.replace(r"\s*CUAD\..*$", "", regex=True).str.strip()
    except (OSError, ValueError, KeyError) as cause:
        raise SourceError(
            f"{file} must be the portal's JSON with nombre_cai, lat and lng: {cause}; export it again"
        ) from cause
    beat = located["cuadrante"].str.strip()
    kind = name.str.split().str[0].map(KINDS)
    posts = located.assign(post=beat.str[:-PATROL_DIGITS], name=name, kind=kind).dropna(subset=["kind"])
    places = posts.groupby(["kind", "name", "post"], as_index=False)[["lng", "lat"]].mean().round(DECIMALS)
    return places.rename(columns={"lng": "lon"})[["kind", "name", "lon", "lat"]]
