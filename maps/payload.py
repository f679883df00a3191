"""What the planner's page is told: facts, yearly series, the way to score, and texts in both languages.

The page works measures, scores, ranks and zones out by itself, for any year and any weights, so it is given what they
are made of rather than what comes out. ``tests/maps/test_engine.py`` holds the two to one another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import ConfigError, listed
from geo.hotspots import COLD, HOT
from layers import criteria, explanations, priority
from layers.criteria import Criterion, Evidence, Zoning
from layers.panel import Panel
from layers.priority import Priorities
from layers.published import NATION, published
from maps import density, legend, pack, palette
from maps.density import DensityContent
from maps.standalone import asset

Language = Literal["es", "en"]

LANGUAGES: tuple[Language, ...] = ("es", "en")
ARCHIPELAGO = "88"
POINT_STEP_DEG = 1e-4
POST_KINDS = ("station", "substation", "cai")
TEXT_FACTS = ("name", "department_code", "department", "pdet_region")
NUMBER_FACTS = ("area_km2", "station_km", "reserve_share", "council_share", "park_share")
SEAT_FACT = "seat_station_km"  # only where station_km is measured from coca by cell
SERIES = ("coca_ha", "eradicated_ha", "sprayed_ha", "farc_events", "homicides", "population")
YEARLY = ("eradicated_ha", "sprayed_ha", "farc_events")  # shown for the year alone
ZONE_FIGURES = ("coca_ha", "area_km2", "population", "eradicated_ha", "score")
CREDIT = ("title", "publisher", "licence", "vintage")
CELLS_MODULE = "density"
SPREAD = {"rank_low": 0, "rank_high": 0, "top_share": 3}  # decimals


class Source(Protocol):
    """A source to be credited, as :mod:`layers` declares it."""

    @property
    def title(self) -> str:
        """Title of the data set."""

    @property
    def publisher(self) -> str:
        """Who publishes it."""

    @property
    def licence(self) -> str:
        """Its licence."""

    @property
    def vintage(self) -> str:
        """The years it covers or its edition."""


@dataclass(frozen=True)
class MapContent:
    """All that the map shows.

    Parameters
    ----------
    panel : Panel
        The joined panel: municipalities, a valid coverage in EPSG:4326, and their figures by year.
    priorities : Priorities
        The scores of the run.
    zoning : Zoning
        Its settings.
    zones : GeoDataFrame
        Its zones, as :func:`layers.zones.build` gives them.
    hot_spots : DataFrame
        Codes by years, as :func:`layers.dynamics.hot_spots` gives them.
    posts : GeoDataFrame
        Police posts as points in EPSG:4326, with ``kind`` (station, substation or cai) and ``name``.
    etcr : GeoDataFrame
        Reincorporation sites as points in EPSG:4326, with ``name`` and ``municipality``.
    sources : tuple of Source
        Every source of what is shown.
    attribution : str
        Credit for the boundaries, always on the map.
    topology : mapping, optional
        The municipalities as :func:`geo.topology.encode` writes them, where that is at hand.
    density : DensityContent, optional
        Coca by cell, and its enclaves.
    """

    panel: Panel
    priorities: Priorities
    zoning: Zoning
    zones: gpd.GeoDataFrame
    hot_spots: pd.DataFrame
    posts: gpd.GeoDataFrame
    etcr: gpd.GeoDataFrame
    sources: tuple[Source, ...]
    attribution: str = "© geoBoundaries CC BY 4.0"
    topology: Mapping[str, Any] | None = None
    density: DensityContent | None = None


def payload(content: MapContent, *, lang: Language = "es") -> dict[str, Any]:
    """Give everything but the boundaries as the page reads it.

    Parameters
    ----------
    content : MapContent
        What to show.
    lang : {"es", "en"}, default "es"
        The language in which the page opens.

    Returns
    -------
    dict
        JSON-ready; places in arrays are those of ``codes``.

    Raises
    ------
    ConfigError
        If there are no texts in that language, or cells are finer than a page may show.
    """
    if lang not in LANGUAGES:
        raise ConfigError(f"the map speaks {listed(LANGUAGES)}; found {lang!r}: choose one of them with --lang")
    places, priorities, zoning = content.panel.places, content.priorities, content.zoning
    return {
        "lang": lang,
        "texts": texts(cells=content.density is not None),
        "year": priorities.year,
        "terms": terms(zoning),
        "codes": list(places.index),
        "facts": _facts(places),
        "series": {name: pack.series(content.panel.wide(name)) for name in SERIES},
        "spots": {str(year): _spots(column) for year, column in content.hot_spots.items()},
        "scoring": _scoring(priorities, zoning),
        "run": _run(priorities, content.zones),
        "published": _published(),
        "sentences": {each: dict(explanations.words(each).templates) for each in LANGUAGES},
        "scales": [scale.to_dict() for scale in scales(content.panel, zoning, priorities.table["score"])],
        "posts": _points(content.posts, POST_KINDS),
        "etcr": _points(content.etcr),
        "colours": {"lines": palette.LINES, "points": palette.POINTS, "ground": palette.GROUND},
        "views": views(places),
        "sources": [{key: str(getattr(source, key)) for key in CREDIT} for source in content.sources],
        "attribution": content.attribution,
        **({"density": density.layer(content.density, within=_hull(places))} if content.density else {}),
    }


def terms(zoning: Zoning) -> dict[str, float]:
    """Pick the numbers that the page computes with and its texts quote: shares, thresholds and spans of years.

    Parameters
    ----------
    zoning : Zoning
        The settings of the run.

    Returns
    -------
    dict of str to float
        By the names that the settings have; those of the goal begin with ``goal_``.
    """
    return {
        **asdict(zoning.candidates),
        **asdict(zoning.windows),
        "top": zoning.uncertainty.top,
        "goal_baseline": zoning.years.baseline,
        "goal_year": zoning.goal.target_year,
        "goal_share": zoning.goal.share,
    }


def scales(panel: Panel, zoning: Zoning, scores: pd.Series) -> list[legend.Scale]:
    """Classes of every measure that the map shows, the same in all years; a report draws with them, too.

    Parameters
    ----------
    panel : Panel
        The joined panel.
    zoning : Zoning
        The settings of the run.
    scores : Series of float
        Its priority scores, missing where there is none.

    Returns
    -------
    list of Scale
        See :func:`maps.legend.scales`.
    """
    known, baseline = priority.evidence(panel), zoning.years.baseline
    coca = known.coca.dropna(axis="columns", how="all")
    years = [int(year) for year in coca.columns]
    computed = {name: _yearly(name, known, zoning, years) for name in criteria.MEASURES}
    stated = {name: panel.wide(name) for name in YEARLY}
    change = {"change_ha": coca.sub(coca[baseline], axis="index")} if baseline in coca else {}
    return legend.scales({**computed, **stated, **change}, scores)


@cache
def texts(*, cells: bool = False) -> dict[str, dict[str, str]]:
    """Read the page's texts: those in ``strings.json``, and of each module those in ``texts/``.

    Parameters
    ----------
    cells : bool, default False
        Whether the page shows coca by cell, and needs its texts.

    Returns
    -------
    dict of str to dict of str to str
        Language to key to text.
    """
    every: dict[str, dict[str, str]] = json.loads(asset("strings.json"))
    modules = sorted(path.name for path in files("maps").joinpath("assets", "texts").iterdir())
    for module in (name for name in modules if cells or name != f"{CELLS_MODULE}.json"):
        for lang, known in json.loads(asset(f"texts/{module}")).items():
            every[lang] |= known
    return every


def views(towns: gpd.GeoDataFrame) -> dict[str, list[list[float]] | None]:
    """Give what a map can be fitted to: the mainland, at which it opens, and the archipelago far off.

    Parameters
    ----------
    towns : GeoDataFrame
        EPSG:4326, indexed by code.

    Returns
    -------
    dict
        South-west and north-east corners, latitude first; None where there is no archipelago.
    """
    offshore = towns.index.str.startswith(ARCHIPELAGO)
    mainland = towns[~offshore] if not offshore.all() else towns
    return {
        "mainland": _bounds(mainland),
        "archipelago": _bounds(towns[offshore]) if offshore.any() else None,
    }


def _facts(places: gpd.GeoDataFrame) -> dict[str, Any]:
    named = {name: pack.texts(places[name]) for name in TEXT_FACTS}
    measured = {name: pack.numbers(places[name]) for name in (*NUMBER_FACTS, SEAT_FACT) if name in places}
    return {**named, **measured, "etcr": _where(places["etcr"])}


def _spots(column: pd.Series) -> dict[str, str]:
    return {kind: _where(column == kind) for kind in (HOT, COLD)} | {"missing": _where(column.isna())}


def _where(mask: pd.Series) -> str:
    return pack.places(np.flatnonzero(mask.fillna(False).to_numpy(dtype=bool)))


def _scoring(priorities: Priorities, zoning: Zoning) -> dict[str, Any]:
    """How the run scores; a page that is told so can score in another way."""
    colours = palette.DIMENSIONS.colours
    return {
        "method": zoning.scoring.method,
        "winsor": zoning.scoring.winsor,
        "criteria": [
            _criterion(criterion, float(weight), zoning)
            for criterion, weight in zip(zoning.criteria, priorities.weighting.weights, strict=True)
        ],
        "dimensions": [
            {"id": each.name, "label": {"es": each.label_es, "en": each.label_en}, "colour": colours[i % len(colours)]}
            for i, each in enumerate(zoning.dimensions)
        ],
        "locked_in": dict(zoning.locked_in),
        "locked_out": dict(zoning.locked_out),
    }


def _criterion(criterion: Criterion, weight: float, zoning: Zoning) -> dict[str, Any]:
    stated = zoning.scoring.rescale == criteria.STATED
    return {
        "name": criterion.name,
        "dimension": criterion.dimension,
        "weight": weight,
        "kind": criterion.rescale.value if stated else zoning.scoring.rescale,
        "log": criterion.log,
        "goalposts": list(criterion.goalposts),
        "descending": criterion.descending,
        "label": {"es": criterion.label_es, "en": criterion.label_en},
        "unit": {"es": criterion.unit_es, "en": criterion.unit_en},
    }


def _run(priorities: Priorities, zones: gpd.GeoDataFrame) -> dict[str, Any]:
    """What only the run knows: the spread of ranks over its draws, and zones divided by size."""
    spread = {name: pack.numbers(priorities.table[name].round(decimals)) for name, decimals in SPREAD.items()}
    return spread | {"zones": [_zone(row) for row in zones.drop(columns="geometry").to_dict("records")]}


def _zone(row: Mapping[Any, Any]) -> dict[str, Any]:
    figures = {name: None if pd.isna(row[name]) else float(row[name]) for name in ZONE_FIGURES}
    members = [str(code) for code in row["members"]]
    return {"id": str(row["zone"]), "name": str(row["name"]), "members": members, **figures}


def _published() -> dict[str, float]:
    printed = published().sort_index().loc["coca_ha", NATION]
    return {str(year): float(hectares) for year, hectares in printed.items()}


def _yearly(name: str, known: Evidence, zoning: Zoning, years: Sequence[int]) -> pd.DataFrame:
    compute = criteria.MEASURES[name].compute
    return pd.DataFrame({year: compute(known, zoning.windows, year) for year in years})


def _points(frame: gpd.GeoDataFrame, kinds: Sequence[str] = ()) -> dict[str, Any]:
    """Points on a grid of whole steps, each as the difference from the one before, from west to east."""
    points = frame.geometry.get_coordinates().to_numpy()
    order = np.lexsort((points[:, 1], points[:, 0]))
    steps = np.rint(points[order] / POINT_STEP_DEG).astype(np.int64)
    ordered = frame.iloc[order]
    named = {name: pack.texts(ordered[name]) for name in ("name", "municipality") if name in frame.columns}
    sorts = np.array([kinds.index(kind) for kind in ordered["kind"]] if kinds else [], dtype=np.int64)
    kind = {"kinds": list(kinds), "kind": pack.varints(sorts)} if kinds else {}
    deltas = pack.signed(np.diff(steps, axis=0, prepend=[[0, 0]]).ravel())
    return {"step": POINT_STEP_DEG, "count": len(ordered), "deltas": deltas} | named | kind


def _hull(towns: gpd.GeoDataFrame) -> BaseGeometry:
    return shapely.GeometryCollection(list(towns.geometry)).convex_hull


def _bounds(towns: gpd.GeoDataFrame) -> list[list[float]]:
    west, south, east, north = (round(float(edge), 4) for edge in towns.total_bounds)
    return [[south, west], [north, east]]
