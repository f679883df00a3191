"""A small country for the tests of the map: a grid of squares with hostile names, gaps, zeros and islands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from maps.webmap import MapContent

YEAR = 2020
COLUMNS, ROWS = 5, 4
HOSTILE = '</script><img src=x onerror="window.hacked=1">'
NAMES = [
    "Alfa",
    HOSTILE,
    "{{7*7}} ${8*8} {% raw %}",
    "Ñandú & <b>Peñón</b>",
    "\u202eotreiba\u2028\u2029",
    "W" * 300,
]
MISSING, ZERO, SMALL, FIRST = "01004", "01005", "02003", "01001"


def _squares() -> dict[str, shapely.Polygon]:
    """Squares from west to east and north to south, two rows a department, and two islands far off."""
    cells = {
        f"0{row // 2 + 1}{row % 2 * COLUMNS + column + 1:03d}": shapely.box(
            -76 + column, 3 - row, -75 + column, 4 - row
        )
        for row in range(ROWS)
        for column in range(COLUMNS)
    }
    return cells | {
        "88001": shapely.box(-81.8, 12.4, -81.6, 12.6),
        "88564": shapely.box(-81.4, 13.2, -81.2, 13.4),
    }


def _municipalities() -> gpd.GeoDataFrame:
    squares = _squares()
    codes = list(squares)
    frame = gpd.GeoDataFrame(geometry=list(squares.values()), index=pd.Index(codes, name="code"), crs="EPSG:4326")
    n = len(frame)
    places = np.arange(n)
    frame["name"] = [NAMES[i] if i < len(NAMES) else f"Pueblo {i}" for i in places]
    frame["department_code"] = frame.index.str[:2]
    frame["department"] = frame["department_code"].map({"01": "Norte", "02": "Sur <i>", "88": "Archipiélago"})
    frame["population"] = 1000.0 * (places + 1)
    frame["area_km2"] = 12_300.5
    frame["coca_ha"] = np.where(frame.index.str[:2] == "88", 0.0, 4000.0 / (places + 1) ** 1.5)
    frame.loc[[MISSING, ZERO, SMALL], "coca_ha"] = [np.nan, 0.0, 0.4]
    frame["coca_ha_per_km2"] = frame["coca_ha"] / frame["area_km2"]
    frame["coca_trend_ha_per_year"] = 12.5 - places
    frame["permanence"] = 0.7
    frame["eradicated_ha"] = 100.0 * places
    frame["resurgence"] = np.where(places % 2, 0.5, np.nan)
    frame["farc_events"] = 10.0 - places.clip(max=10)
    frame["homicide_rate"] = 41.26
    frame["station_km"] = np.where(frame["department_code"] == "02", np.nan, 7.25)
    _rank(frame)
    frame["permanence_class"] = np.where(frame["coca_ha"] > 0, "permanent", "never")
    frame["hot_spot"] = "neither"
    for column in ("net_eradicated_low_ha", "net_eradicated_high_ha", "neighbours_change_ha"):
        frame[column] = 33.5
    frame["displacement_ha"] = frame["diffusion_ha"] = np.where(places % 2, 5.25, np.nan)
    frame["high_cultivation"] = frame.index.isin(["01001", "01002", "02005"])
    frame["vacated"] = frame["farc_events"] >= 3
    frame["pdet"] = places % 3 == 0
    frame["etcr"] = places % 7 == 2
    frame["reserve_share"] = np.where(places % 4 == 1, np.nan, 0.25)
    frame["council_share"], frame["park_share"] = 0.125 * (places % 3), 0.0
    frame["zone"] = pd.Series("Z01001", index=pd.Index(["01001", "01002", "01003"])).reindex(frame.index)
    return frame


def _rank(frame: gpd.GeoDataFrame) -> None:
    candidate = frame["coca_ha"] >= 1
    order = candidate.cumsum()
    frame["score"] = (0.9 - 0.03 * order).where(candidate)
    frame["coverage"] = pd.Series(np.where(frame["station_km"].isna(), 0.8, 1.0), index=frame.index).where(candidate)
    frame["rank"] = order.where(candidate).astype(float)
    frame["rank_low"] = (frame["rank"] - 1).clip(lower=1)
    frame["rank_high"] = frame["rank"] + 2
    frame["top_share"] = (1.05 - order / 20).clip(upper=1).where(candidate)


def _measures() -> tuple[Any, ...]:
    rows = [("coca_ha", "cultivation", "Coca", "ha", 0.5), ("resurgence", "return", "Return", "0–1", 0.3),
            ("station_km", "state", HOSTILE, "km", 0.2)]  # fmt: skip
    return tuple(
        SimpleNamespace(name=n, dimension=d, label_en=t, label_es=t + " ñ", unit_en=u, unit_es=u, weight=w)
        for n, d, t, u, w in rows
    )


def content() -> MapContent:
    """Build the example.

    Returns
    -------
    MapContent
        22 municipalities: one without data, one without coca, one below the threshold, two on islands.
    """
    towns = _municipalities()
    shares = pd.DataFrame({"coca_ha": 0.5, "resurgence": 0.3, "station_km": 0.2}, index=towns.index)
    shares["station_km"] = shares["station_km"].where(towns["station_km"].notna())
    contributions = shares.mul(towns["score"] / shares.sum(axis=1), axis=0)[towns["score"].notna()]
    coca = pd.DataFrame({year: towns["coca_ha"] * (year - 1999) / 21 for year in range(2001, 2025)})
    eradicated = pd.DataFrame(dict.fromkeys(range(2007, 2025), towns["eradicated_ha"] / 3))
    members = ["01001", "01002", "01003"]
    zone = {"zone": "Z01001", "name": HOSTILE, "members": members, "coca_ha": 6183.9, "area_km2": 36901.5,
            "population": 6000.0, "eradicated_ha": 300.0, "score": 0.84}  # fmt: skip
    return MapContent(
        municipalities=towns,
        zones=gpd.GeoDataFrame([zone], geometry=[towns.loc[members].union_all()], crs=towns.crs),
        contributions=contributions,
        coca_ha=coca,
        eradicated_ha=eradicated,
        posts=gpd.GeoDataFrame(
            {"kind": ["station", "cai"], "name": ["ESTACIÓN <b>UNO", HOSTILE]},
            geometry=gpd.points_from_xy([-74.5, -72.5], [2.5, 1.5]), crs="EPSG:4326",
        ),
        etcr=gpd.GeoDataFrame(
            {"name": [HOSTILE], "municipality": ["Alfa, Norte"]},
            geometry=gpd.points_from_xy([-73.5], [0.5]), crs="EPSG:4326",
        ),
        measures=_measures(),
        dimensions={"cultivation": ("Cultivation", "Cultivo"), "return": ("Return", "Regreso"),
                    "state": ("State", "Estado")},
        year=YEAR,
        sources=(SimpleNamespace(title=HOSTILE, publisher="SIMCI", licence="CC BY", vintage="2001-2024"),),
    )  # fmt: skip
