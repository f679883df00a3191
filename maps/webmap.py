"""The planner's map: scored municipalities, zones and layers on one page.

:func:`build` turns a :class:`MapContent` into a folium map. The boundaries go into the page once, as TopoJSON;
all that is drawn (municipalities, zones, departments, outlines) is put together from its arcs in the page.
Values go in as arrays, with null for what was never measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import folium
import geopandas as gpd
import numpy as np
import pandas as pd

from geo import topology
from geo.errors import ConfigError, SchemaError, listed
from layers import criteria
from layers.criteria import Zoning
from maps import legend, palette
from maps.standalone import DataLayer, OfflineMap, asset, template

Language = Literal["es", "en"]

ARCHIPELAGO = "88"
POINT_STEP_DEG = 1e-4
SCRIPTS = (
    "dom.js",
    "topology.js",
    "model.js",
    "scales.js",
    "layers.js",
    "chart.js",
    "card.js",
    "panel.js",
    "app.js",
)
FIGURES = {
    "population": 0,
    "area_km2": 1,
    "coca_ha": 2,
    "coca_ha_per_km2": 4,
    "coca_trend_ha_per_year": 1,
    "permanence": 2,
    "eradicated_ha": 1,
    "resurgence": 3,
    "farc_events": 1,
    "homicide_rate": 1,
    "station_km": 1,
    "score": 4,
    "coverage": 3,
    "rank": 0,
    "rank_low": 0,
    "rank_high": 0,
    "top_share": 3,
}
FLAGS = ("high_cultivation", "vacated", "pdet")
TEXTS = ("name", "department_code", "department", "zone")
POST_KINDS = ("station", "substation", "cai")


class Measure(Protocol):
    """One measure of the score, as :mod:`layers.criteria` describes it."""

    @property
    def name(self) -> str:
        """Column of the contributions."""

    @property
    def dimension(self) -> str:
        """Dimension that it belongs to."""

    @property
    def label_en(self) -> str:
        """English label."""

    @property
    def label_es(self) -> str:
        """Spanish label."""

    @property
    def unit_en(self) -> str:
        """English unit."""

    @property
    def unit_es(self) -> str:
        """Spanish unit."""

    @property
    def weight(self) -> float:
        """Effective share of the score; all sum to 1."""


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
    municipalities : GeoDataFrame
        EPSG:4326, indexed by code, a valid coverage, with the columns of ``scores.csv``. Missing values are
        NaN, NA or None; score and rank are missing where the municipality is no candidate.
    zones : GeoDataFrame
        ``zone name members coca_ha area_km2 population eradicated_ha score``; drawn from their members.
    contributions : DataFrame
        Codes by measures; a row sums to the score.
    coca_ha, eradicated_ha : DataFrame
        Codes by years, hectares.
    posts : GeoDataFrame
        Police posts as points in EPSG:4326, with ``kind`` (station, substation or cai) and ``name``.
    etcr : GeoDataFrame
        Reincorporation sites as points in EPSG:4326, with ``name`` and ``municipality``.
    measures : tuple of Measure
        The measures of the score, in the order in which they are shown.
    dimensions : mapping of str to (str, str)
        Dimension to its English and Spanish label, in the order in which they are shown.
    year : int
        Reference year.
    sources : tuple of Source
        Every source of what is shown.
    attribution : str
        Credit for the boundaries, always on the map.
    terms : mapping of str to float, optional
        Numbers of the settings that the texts quote, as :func:`terms_of` gives them; those of ``zoning.toml``
        if not given.
    topology : mapping, optional
        The municipalities as :func:`geo.topology.encode` writes them, where that is at hand; encoded here if
        not.
    """

    municipalities: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    contributions: pd.DataFrame
    coca_ha: pd.DataFrame
    eradicated_ha: pd.DataFrame
    posts: gpd.GeoDataFrame
    etcr: gpd.GeoDataFrame
    measures: tuple[Measure, ...]
    dimensions: Mapping[str, tuple[str, str]]
    year: int
    sources: tuple[Source, ...]
    attribution: str = "© geoBoundaries CC BY 4.0"
    terms: Mapping[str, float] | None = None
    topology: Mapping[str, Any] | None = None


class PlannerLayer(DataLayer):
    """The planner's layers, panel, legend and card, as one element of a folium map."""

    _template = template("planner.html.j2")
    kind, styles, scripts = "Planner", ("page.css",), SCRIPTS


def terms_of(zoning: Zoning) -> dict[str, float]:
    """Pick the numbers that the map's texts quote: shares, thresholds and spans of years.

    Parameters
    ----------
    zoning : Zoning
        The settings of the run.

    Returns
    -------
    dict of str to float
        By the names that the settings have.
    """
    return {**asdict(zoning.candidates), **asdict(zoning.windows), "top": zoning.uncertainty.top}


def build(content: MapContent, *, lang: Language = "es") -> folium.Map:
    """Build the planner's map.

    Parameters
    ----------
    content : MapContent
        What to show.
    lang : {"es", "en"}, default "es"
        Language of the page.

    Returns
    -------
    folium.Map
        A map to which further layers can be added; :func:`maps.standalone.page` makes one HTML file of it.

    Raises
    ------
    ConfigError
        If there are no texts in that language.
    SchemaError
        If a frame of the content lacks a column.
    """
    _check(content)
    texts = _texts(lang)
    boundaries = municipal(content.topology or topology.encode(content.municipalities))
    map_ = OfflineMap(title=f"{texts['title']} · {content.year}", lang=lang, prefer_canvas=True, zoom_control=False)
    map_.add_child(PlannerLayer(payload(content, lang=lang), boundaries))
    return map_


def payload(content: MapContent, *, lang: Language = "es") -> dict[str, Any]:
    """Give everything but the boundaries as the page reads it.

    Parameters
    ----------
    content : MapContent
        What to show.
    lang : {"es", "en"}, default "es"
        Language of the texts.

    Returns
    -------
    dict
        JSON-ready; places in arrays are those of ``codes``.
    """
    towns = content.municipalities
    spoken = 1 if lang == "es" else 0
    return {
        "lang": lang,
        "texts": _texts(lang),
        "year": content.year,
        "terms": dict(content.terms or terms_of(criteria.load())),
        "codes": list(towns.index),
        "columns": _columns(towns),
        "flags": {flag: _places(towns[flag].fillna(False).astype(bool)) for flag in FLAGS},
        "zones": [_zone(row) for row in content.zones.drop(columns="geometry").to_dict("records")],
        "measures": [_measure(measure, spoken) for measure in content.measures],
        "dimensions": [
            {"id": name, "label": labels[spoken], "colour": colour}
            for (name, labels), colour in zip(content.dimensions.items(), palette.DIMENSIONS.colours, strict=False)
        ],
        "contributions": _rows(content.contributions[_names(content)], towns.index, 5, math.isnan),
        "history": {
            "coca_ha": _history(content.coca_ha, towns.index),
            "eradicated_ha": _history(content.eradicated_ha, towns.index),
        },
        "posts": _points(content.posts, POST_KINDS),
        "etcr": _points(content.etcr),
        "scales": [legend.score(towns["score"]).to_dict(), legend.coca().to_dict()],
        "colours": {"lines": palette.LINES, "points": palette.POINTS, "ground": palette.GROUND},
        "views": views(towns),
        "sources": [
            {key: str(getattr(source, key)) for key in ("title", "publisher", "licence", "vintage")}
            for source in content.sources
        ],
        "attribution": content.attribution,
    }


def municipal(boundaries: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the municipalities of a topology alone in it: a page unites them itself.

    Parameters
    ----------
    boundaries : mapping
        A topology as :func:`geo.topology.encode` gives it.

    Returns
    -------
    dict
        The same arcs with one object.
    """
    return {**boundaries, "objects": {"municipalities": boundaries["objects"]["municipalities"]}}


def _texts(lang: str) -> dict[str, str]:
    every: dict[str, dict[str, str]] = json.loads(asset("strings.json"))
    if lang not in every:
        raise ConfigError(f"the map speaks {listed(every)}; found {lang!r}: choose one of them with --lang")
    return every[lang]


def _check(content: MapContent) -> None:
    needed = {
        "municipalities": (*TEXTS, *FIGURES, *FLAGS),
        "zones": ("zone", "name", "members", "coca_ha", "area_km2", "population", "eradicated_ha", "score"),
        "contributions": _names(content),
        "posts": ("kind", "name"),
        "etcr": ("name", "municipality"),
    }
    for frame, columns in needed.items():
        absent = [column for column in columns if column not in getattr(content, frame).columns]
        if absent:
            raise SchemaError(f"the map's {frame} must have {listed(columns, most=30)}; missing: {listed(absent)}")


def _names(content: MapContent) -> list[str]:
    return [measure.name for measure in content.measures]


def _measure(measure: Measure, spoken: int) -> dict[str, Any]:
    return {
        "name": measure.name,
        "dimension": measure.dimension,
        "label": (measure.label_en, measure.label_es)[spoken],
        "unit": (measure.unit_en, measure.unit_es)[spoken],
        "weight": round(float(measure.weight), 6),
    }


def _numbers(values: Iterable[Any], decimals: int) -> list[float | int | None]:
    """Round for the page: null for missing, whole numbers without a decimal point."""
    floats = pd.Series(values).astype("Float64").to_numpy(dtype=float, na_value=math.nan)
    rounded = np.round(floats, decimals).tolist()
    return [None if math.isnan(x) else int(x) if x == int(x) else x for x in rounded]


def _columns(towns: gpd.GeoDataFrame) -> dict[str, Any]:
    figures = {name: _packed(_numbers(towns[name], decimals)) for name, decimals in FIGURES.items()}
    return figures | {name: _coded(towns[name]) for name in TEXTS}


def _packed(values: list[float | int | None]) -> list[float | int | None] | dict[str, list[Any]]:
    """Keep the array, or only what is known and where, if most is missing."""
    known = [place for place, value in enumerate(values) if value is not None]
    if 2 * len(known) > len(values):
        return values
    return {"at": known, "values": [values[place] for place in known]}


def _coded(texts: pd.Series) -> dict[str, list[Any]]:
    """Write each text once, and for each row its place among them; null where there is none."""
    places, values = pd.factorize(texts)
    return {"texts": [str(v) for v in values], "places": [None if p < 0 else p for p in places.tolist()]}


def _places(mask: pd.Series) -> list[int]:
    places: list[int] = np.flatnonzero(mask.to_numpy()).tolist()
    return places


def _rows(frame: pd.DataFrame, index: pd.Index, decimals: int, dull: Any) -> dict[int, list[float | int | None]]:
    """Give the rows that say something, by their place; those with dull values only are left out."""
    values = frame.reindex(index).to_numpy(dtype=float)
    return {place: _numbers(row, decimals) for place, row in enumerate(values) if not all(dull(value) for value in row)}


def _history(frame: pd.DataFrame, index: pd.Index) -> dict[str, Any]:
    """Hectares by year; a municipality that is left out had none in any year."""
    return {
        "years": [int(year) for year in frame.columns],
        "rows": _rows(frame, index, 1, lambda hectares: hectares == 0),
    }


def _zone(row: Mapping[Any, Any]) -> dict[str, Any]:
    figures = {"coca_ha": 1, "area_km2": 0, "population": 0, "eradicated_ha": 1, "score": 4}
    return {
        "id": str(row["zone"]),
        "name": str(row["name"]),
        "members": [str(code) for code in row["members"]],
        **{name: _numbers([row[name]], decimals)[0] for name, decimals in figures.items()},
    }


def _points(frame: gpd.GeoDataFrame, kinds: Sequence[str] = ()) -> dict[str, Any]:
    """Points on a grid of whole steps, each as the difference from the one before, from west to east."""
    points = frame.geometry.get_coordinates().to_numpy()
    order = np.lexsort((points[:, 1], points[:, 0]))
    steps = np.rint(points[order] / POINT_STEP_DEG).astype(int)
    ordered = frame.iloc[order]
    named = {name: _coded(ordered[name]) for name in ("name", "municipality") if name in frame.columns}
    kind = {"kinds": list(kinds), "kind": [kinds.index(k) for k in ordered["kind"]]} if kinds else {}
    return {"step": POINT_STEP_DEG, "deltas": np.diff(steps, axis=0, prepend=[[0, 0]]).ravel().tolist()} | named | kind


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


def _bounds(towns: gpd.GeoDataFrame) -> list[list[float]]:
    west, south, east, north = (round(float(edge), 4) for edge in towns.total_bounds)
    return [[south, west], [north, east]]
