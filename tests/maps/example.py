"""A small country for the tests of the map: a grid of squares with hostile names, gaps, zeros and islands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine

from geo import coverage
from geo.grid import Grid
from layers import criteria, dynamics, zones
from layers.criteria import Criterion, Zoning
from layers.density import Density
from layers.enclaves import EnclaveTerms
from layers.panel import Panel
from layers.priority import prioritise
from layers.report import Report
from maps import standalone, webmap
from maps.density import DensityContent
from maps.payload import MapContent

YEAR = 2020
YEARS = range(2001, 2025)
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


def municipalities() -> gpd.GeoDataFrame:
    """Build the example's municipalities with the columns of ``municipalities.geojson``.

    Returns
    -------
    GeoDataFrame
        22 municipalities: one without data, one without coca, one below the threshold, two on islands.
    """
    return _municipalities()


def contributions() -> pd.DataFrame:
    """Build contributions to the scores of :func:`municipalities`.

    Returns
    -------
    DataFrame
        Candidates by three measures; a row sums to the score.
    """
    towns = _municipalities()
    shares = pd.DataFrame({"coca_ha": 0.5, "resurgence": 0.3, "station_km": 0.2}, index=towns.index)
    shares["station_km"] = shares["station_km"].where(towns["station_km"].notna())
    return shares.mul(towns["score"] / shares.sum(axis=1), axis=0)[towns["score"].notna()]


def zones_frame() -> gpd.GeoDataFrame:
    """Build one zone of three municipalities with a hostile name.

    Returns
    -------
    GeoDataFrame
        One row.
    """
    towns = _municipalities()
    members = ["01001", "01002", "01003"]
    zone = {"zone": "Z01001", "name": HOSTILE, "members": members, "coca_ha": 6183.9, "area_km2": 36901.5,
            "population": 6000.0, "eradicated_ha": 300.0, "score": 0.84}  # fmt: skip
    return gpd.GeoDataFrame([zone], geometry=[towns.loc[members].union_all()], crs=towns.crs)


def panel() -> Panel:
    """Build the example's panel: what is known of its municipalities, and their figures from 2001 to 2024.

    Returns
    -------
    Panel
        Coca falls in every second municipality and rises in the others.
    """
    towns = _municipalities()
    facts = ["name", "department_code", "department", "area_km2", "pdet", "etcr", "reserve_share", "council_share",
             "park_share", "station_km"]  # fmt: skip
    places = gpd.GeoDataFrame(towns[facts], geometry=towns.geometry, crs=towns.crs)
    places["pdet_region"] = pd.Series("Región <b>", index=towns.index).where(towns["pdet"])
    order = np.arange(len(towns))
    swing = np.where(order % 2, -0.02, 0.03)
    columns = {
        "coca_ha": {year: (towns["coca_ha"] * (1 + swing * (year - YEAR))).round(2) for year in YEARS},
        "eradicated_ha": {year: 40.0 * (order + 1) if year >= 2007 else np.nan for year in YEARS},
        "sprayed_ha": {year: 15.5 * (order % 5) if 2003 <= year <= 2015 else np.nan for year in YEARS},
        "farc_events": {year: towns["farc_events"] / 4 if year <= 2017 else np.nan for year in YEARS},
        "homicides": {year: 1.0 * (order % 4) if year >= 2003 else np.nan for year in YEARS},
        "population": {year: towns["population"] + year - YEAR if year >= 2011 else np.nan for year in YEARS},
    }
    wide = {name: pd.DataFrame(years, index=towns.index) for name, years in columns.items()}
    long = {name: table.rename_axis(columns="year").stack(future_stack=True) for name, table in wide.items()}
    frame = pd.DataFrame(long)
    return Panel(places, frame.rename_axis(["code", "year"]), ())


def _hostile(criterion: Criterion) -> Criterion:
    return replace(criterion, label_en=HOSTILE, label_es=HOSTILE + " ñ")


def zoning() -> Zoning:
    """Build settings with three measures, one of which has a hostile name.

    Returns
    -------
    Zoning
        Half the weight on coca, three tenths on resurgence, a fifth on the distance to a police post.
    """
    usual = criteria.load()
    shares = {"coca_ha": 0.5, "resurgence": 0.3, "station_km": 0.2}
    chosen = [replace(each, weight=shares[each.name]) for each in usual.criteria if each.name in shares]
    named = [_hostile(each) if each.name == "station_km" else each for each in chosen]
    kept = tuple(each for each in usual.dimensions if each.name in {criterion.dimension for criterion in named})
    return replace(usual, criteria=tuple(named), dimensions=kept)


def content() -> MapContent:
    """Build the example.

    Returns
    -------
    MapContent
        The panel, scored and grouped as a run would.
    """
    joined, settings = panel(), zoning()
    scored = prioritise(joined, settings, year=YEAR, draws=40, seed=1)
    pairs = coverage.neighbours(joined.places)
    _, grouped = zones.build(joined, scored, share=0.25, limits=settings.zones, neighbours=pairs)
    return MapContent(
        panel=joined,
        priorities=scored,
        zoning=settings,
        zones=grouped,
        hot_spots=dynamics.hot_spots(joined, settings, pairs),
        posts=gpd.GeoDataFrame(
            {"kind": ["station", "cai"], "name": ["ESTACIÓN <b>UNO", HOSTILE]},
            geometry=gpd.points_from_xy([-74.5, -72.5], [2.5, 1.5]), crs="EPSG:4326",
        ),
        etcr=gpd.GeoDataFrame(
            {"name": [HOSTILE], "municipality": ["Alfa, Norte"]},
            geometry=gpd.points_from_xy([-73.5], [0.5]), crs="EPSG:4326",
        ),
        sources=(SimpleNamespace(title=HOSTILE, publisher="SIMCI", licence="CC BY", vintage="2001-2024"),),
    )  # fmt: skip


# Coca by cell: years that were measured, a block of dense cells, a pair apart from it, and three cells alone.
CELL_YEARS = (2018, 2020, 2021)
BLOCK = tuple((row, col) for row in range(100, 106) for col in range(100, 108))
PAIR = ((140, 60), (140, 61))
ALONE = {(20, 30): 40.0, (250, 200): 6.0, (150, 280): 0.75}
TURN_DEG = 20.0
CLOUD = tuple((row, col) for row in range(24, 30) for col in range(36, 42))  # cells that no year measured


def grid(crs: str = "EPSG:9377") -> Grid:
    """Build a grid of 300 by 300 cells of about 1 km over the example's municipalities.

    Parameters
    ----------
    crs : str
        EPSG:9377, in which it is turned by 20 degrees, or EPSG:4326.

    Returns
    -------
    Grid
        It begins in the north-west.
    """
    if crs == "EPSG:4326":
        return Grid(crs, Affine(0.01, 0, -75.5, 0, -0.01, 3.8), 300, 300)
    cos, sin = 1000 * np.cos(np.radians(TURN_DEG)), 1000 * np.sin(np.radians(TURN_DEG))
    return Grid(crs, Affine(cos, sin, 4_750_000, sin, -cos, 1_980_000), 300, 300)


def cells(crs: str = "EPSG:9377") -> Density:
    """Build coca by cell: 30 ha in each cell of the block, 12 in each of the pair, and three cells alone.

    Parameters
    ----------
    crs : str
        As for :func:`grid`.

    Returns
    -------
    Density
        Half of it in 2018; in 2020 all; in 2021 one cell was not measured and all others had none.
    """
    ha = {**dict.fromkeys(BLOCK, 30.0), **dict.fromkeys(PAIR, 12.0), **ALONE}
    row, col = np.array(sorted(ha)).T
    full = np.array([ha[place] for place in sorted(ha)])
    none = np.zeros(len(full))
    none[0] = np.nan
    table = pd.DataFrame(dict(zip(CELL_YEARS, (full / 2, full, none), strict=True)))
    return Density(grid(crs), row.astype(np.int64), col.astype(np.int64), table, Path("celdas.tif"), Report())


def raster(crs: str = "EPSG:9377") -> Density:
    """Build :func:`cells` as a raster would give them: it also has cells that no year measured.

    Parameters
    ----------
    crs : str
        As for :func:`grid`.

    Returns
    -------
    Density
        None of ``CLOUD`` was measured.
    """
    known = cells(crs)
    unmeasured = np.zeros((known.grid.height, known.grid.width), dtype=bool)
    unmeasured[tuple(np.array(CLOUD).T)] = True
    return replace(known, unmeasured=unmeasured)


def density(shown: Density | None = None) -> DensityContent:
    """Build what the map shows of :func:`cells`: two enclaves, one with a hostile name and gaps in its figures.

    Parameters
    ----------
    shown : Density, optional
        Other cells.

    Returns
    -------
    DensityContent
        Coca lasts that is there in both years of the window. For a page as
        ``dataclasses.replace(content(), density=density())``.
    """
    known = shown or cells()
    rows = [
        _enclave(known.grid, BLOCK, HOSTILE, "Norte", ["01007", "01008"], 1440.0, 17.25),
        _enclave(known.grid, PAIR, "Alfa", "Sur <i>", ["02001"], 24.0, np.nan),
    ]
    frame = gpd.GeoDataFrame(rows, index=pd.Index(["E01", "E02"], name="enclave"), crs=known.grid.crs).to_crs(
        "EPSG:4326"
    )
    return DensityContent(known, frame, EnclaveTerms(lasting_years=2), f"Encuesta {HOSTILE}", year=YEAR)


def _enclave(
    where: Grid, members: Sequence[tuple[int, int]], name: str, department: str, codes: list[str], ha: float, km: float
) -> dict[str, object]:
    shape = where.cells(*np.array(members).T).union_all()
    areas = {"reserve_share": 0.25, "council_share": 0.0, "park_share": np.nan}
    return {"name": name, "department": department, "municipalities": codes, "coca_ha": ha,
            "national_share": ha / 1510.75, "area_km2": float(len(members)), "cells": len(members),
            "years_with_coca": 1.5, "years_known": 2, "station_km": km, **areas, "geometry": shape}  # fmt: skip


def write(folder: Path, shown: MapContent | None = None) -> Path:
    """Write the page of some content.

    Parameters
    ----------
    folder : Path
        Where.
    shown : MapContent, optional
        The example's if not given.

    Returns
    -------
    Path
        The page, which opens in Spanish.
    """
    page = folder / "map.html"
    page.write_text(standalone.page(webmap.build(shown or content())), encoding="utf-8")
    return page
