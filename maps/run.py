"""One run: layers, panel, scores, zones, map and files, from the settings of ``scripts/zone.py``."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pandas as pd
import shapely

from geo import coverage, topology
from geo.files import replacing, sha256
from layers import (
    armed,
    boundaries,
    coca,
    criteria,
    divipola,
    eradication,
    fetch,
    panel,
    people,
    police,
    published,
    territories,
    zones,
)
from layers.boundaries import Boundaries
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.report import Loaded, Report
from layers.sources import Source, downloads, sources
from layers.tables import ATLAS, Layer
from maps import export, standalone, webmap

LIBRARIES = ("presencia", "folium", "geopandas", "numpy", "pandas", "pyproj", "scipy", "shapely", "topojson")
DRAWN_SOURCES = (
    "boundaries",
    "towns",
    "divipola",
    "coca",
    "eradication",
    "farc_events",
    "pdet",
    "etcr",
    "police",
    "homicides",
    "population",
)
# The map of the bundled boundaries, 56,526 vertices with shared borders counted twice, stays below 1 MB.
MAP_VERTICES = 60_000
STEPS = ("reading layers", "joining", "scoring", "grouping zones", "drawing the map", "writing")


@dataclass(frozen=True)
class Settings:
    """What a planner asks for.

    Attributes
    ----------
    year : int, optional
        Reference year; the last one with coca data if not given.
    config, boundaries, coca, eradication : Path, optional
        Files that take the place of what is bundled.
    out : Path, optional
        The run folder; ``out/YEAR`` if not given.
    draws, seed : int
        Of the rank spread.
    lang : {"es", "en"}
        Language of the map.
    drop_unmatched : bool
        Whether to go on without hectares whose code no boundary has.
    data : {"bundled", "official"}
        Where what no file is named for comes from: the atlas, or what ``scripts/fetch.py`` has fetched of boundaries,
        coca, eradication and police posts.
    """

    year: int | None = None
    config: Path | None = None
    boundaries: Path | None = None
    coca: Path | None = None
    eradication: Path | None = None
    out: Path | None = None
    draws: int = 1000
    seed: int = 1
    lang: Literal["es", "en"] = "es"
    drop_unmatched: bool = False
    data: Literal["bundled", "official"] = "bundled"

    def file(self, name: str) -> Path | None:
        """The file of a layer.

        Parameters
        ----------
        name : str
            ``boundaries``, ``coca``, ``eradication`` or ``police``.

        Returns
        -------
        Path or None
            The file that was named, or else fetched; None for the bundled table.

        Raises
        ------
        SourceError
            If it should be fetched and was not.
        """
        named: Path | None = getattr(self, name, None)
        return fetch.fetched(name) if named is None and self.data == "official" else named


@dataclass(frozen=True)
class Inputs:
    """What a run has read.

    Attributes
    ----------
    boundaries : Boundaries
        The municipalities.
    layers : tuple of Layer
        The yearly layers, coca first and eradication second.
    posts, sites : Loaded of GeoDataFrame
        Police posts; sites of the accord.
    pdet : Loaded of Series of str
        PDET region by code.
    """

    boundaries: Boundaries
    layers: tuple[Layer, ...]
    posts: Loaded[gpd.GeoDataFrame]
    sites: Loaded[gpd.GeoDataFrame]
    pdet: Loaded[pd.Series]

    def join(self, *, drop_unmatched: bool = False) -> Panel:
        """Join everything that was read.

        Parameters
        ----------
        drop_unmatched : bool, default False
            Whether to go on without hectares whose code no boundary has.

        Returns
        -------
        Panel
            See :func:`layers.panel.join`.
        """
        posts = self.posts.frame
        return panel.join(
            self.boundaries,
            self.layers,
            posts=posts,
            pdet=self.pdet.frame,
            unreported=police.not_reporting(posts, self.boundaries.frame).index,
            drop_unmatched=drop_unmatched,
        )


@dataclass(frozen=True)
class Run:
    """What a run has found and written.

    Attributes
    ----------
    folder : Path
        The run folder.
    municipalities : GeoDataFrame
        All municipalities with the columns of ``municipalities.geojson``.
    zones : GeoDataFrame
        The zones.
    summary : dict
        What ``run.json`` holds.
    """

    folder: Path
    municipalities: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    summary: dict[str, Any]


def run(settings: Settings, *, step: Callable[[str], None] = lambda _: None) -> Run:
    """Read, join, score, group, draw and write.

    Parameters
    ----------
    settings : Settings
        What is asked for.
    step : callable, optional
        Told each of ``STEPS`` as it begins, for a progress bar.

    Returns
    -------
    Run
        What was found; the run folder holds ``municipalities.geojson``, ``zones.geojson``, ``scores.csv``, ``map.html``
        and ``run.json``.

    Raises
    ------
    PresenciaError
        If an input is bad or the folder cannot be written; what an earlier run left there is untouched then.
    """
    step("reading layers")
    zoning = criteria.load(settings.config)
    inputs = read(settings)
    year = inputs.layers[0].years[-1] if settings.year is None else settings.year
    out = settings.out or Path("out") / str(year)
    with replacing(out) as folder:
        step("joining")
        joined = inputs.join(drop_unmatched=settings.drop_unmatched)
        step("scoring")
        priorities = prioritise(joined, zoning, year=year, draws=settings.draws, seed=settings.seed)
        step("grouping zones")
        zone, grouped = zones.build(joined, priorities, share=zoning.candidates.priority_share)
        towns = _municipalities(joined, priorities, zone)
        step("drawing the map")
        content = _content(inputs, joined, priorities, towns, grouped, zoning)
        page = standalone.page(webmap.build(content, lang=settings.lang))
        step("writing")
        summary = _summary(settings, inputs, joined, priorities, grouped, zoning)
        _write(folder, towns, grouped, page, summary)
    return Run(out, towns, grouped, summary)


def read(settings: Settings) -> Inputs:
    """Read every layer, bundled where the settings name no file.

    Parameters
    ----------
    settings : Settings
        What is asked for.

    Returns
    -------
    Inputs
        The checked layers.

    Raises
    ------
    PresenciaError
        If a file is bad.
    """
    layers = (
        coca.load(settings.file("coca")),
        eradication.load(settings.file("eradication")),
        eradication.load_spraying(),
        armed.load(),
        people.load_population(),
        people.load_homicides(),
    )
    bounds = boundaries.load(settings.file("boundaries"))
    posts = police.load(settings.file("police"))
    return Inputs(bounds, layers, posts, territories.load_sites(), territories.load_pdet())


def _municipalities(joined: Panel, priorities: Priorities, zone: pd.Series) -> gpd.GeoDataFrame:
    columns = joined.places.drop(columns=["station_km"]).join(priorities.table).assign(zone=zone)
    table = export.attributes(columns, priorities.contributions)
    return gpd.GeoDataFrame(table, geometry=joined.places.geometry, crs=joined.places.crs)


def _content(
    inputs: Inputs,
    joined: Panel,
    priorities: Priorities,
    towns: gpd.GeoDataFrame,
    grouped: gpd.GeoDataFrame,
    zoning: Zoning,
) -> webmap.MapContent:
    own_boundaries = inputs.boundaries.path.parent != ATLAS
    return webmap.MapContent(
        municipalities=towns,
        zones=grouped,
        contributions=priorities.contributions,
        coca_ha=joined.wide("coca_ha").dropna(axis="columns", how="all"),
        eradicated_ha=joined.wide("eradicated_ha").dropna(axis="columns", how="all"),
        posts=inputs.posts.frame,
        etcr=inputs.sites.frame[inputs.sites.frame["kind"] == "ETCR"],
        measures=zoning.criteria,
        dimensions={d.name: (d.label_en, d.label_es) for d in zoning.dimensions},
        year=priorities.year,
        terms=webmap.terms_of(zoning),
        sources=tuple(sources()[name] for name in DRAWN_SOURCES),
        attribution=inputs.boundaries.path.name if own_boundaries else "© geoBoundaries (CC BY 4.0)",
        topology=topology.encode(coverage.simplify_to(towns, vertices=MAP_VERTICES)),
    )


def _write(
    folder: Path,
    towns: gpd.GeoDataFrame,
    grouped: gpd.GeoDataFrame,
    page: str,
    summary: dict[str, Any],
) -> None:
    export.write_geojson(towns, folder / "municipalities.geojson")
    export.write_geojson(grouped, folder / "zones.geojson")
    export.write_csv(pd.DataFrame(towns.drop(columns="geometry")).sort_values(["rank", "code"]), folder / "scores.csv")
    (folder / "map.html").write_text(page, encoding="utf-8", newline="\n")
    export.write_json(summary, folder / "run.json")


def _summary(
    settings: Settings,
    inputs: Inputs,
    joined: Panel,
    priorities: Priorities,
    grouped: gpd.GeoDataFrame,
    zoning: Zoning,
) -> dict[str, Any]:
    """What ``run.json`` holds; nothing in it depends on when or where the run took place."""
    year, table = priorities.year, priorities.table
    coca_layer, eradication_layer = inputs.layers[:2]
    left = table["high_cultivation"] & table["vacated"]
    totals = {
        "coca_ha": table["coca_ha"].sum(),
        "coca_ha_published": published.national("coca_ha", year),
        "eradicated_ha_in_year": joined.wide("eradicated_ha")[year].sum(min_count=1),
        "eradicated_ha_in_year_published": published.national("eradicated_ha", year),
        "municipalities": len(table),
        "candidates": int(table["score"].notna().sum()),
        "high_cultivation": int(table["high_cultivation"].sum()),
        "vacated": int(table["vacated"].sum()),
        "high_cultivation_vacated": int(left.sum()),
        "zones": len(grouped),
    }
    return {
        "year": year,
        "seed": priorities.seed,
        "draws": priorities.draws,
        "lang": settings.lang,
        "drop_unmatched": settings.drop_unmatched,
        "data": settings.data,
        "config": _config(zoning),
        "inputs": _described(inputs, settings),
        "totals": {name: round(value, 4) if isinstance(value, float) else value for name, value in totals.items()},
        "warnings": _warnings(inputs, joined, priorities, (coca_layer, eradication_layer)),
        "versions": {"python": platform.python_version(), "geos": shapely.geos_version_string}
        | {name: version(name) for name in LIBRARIES},
    }


def _config(zoning: Zoning) -> dict[str, Any]:
    """The settings as applied, weights effective."""
    plain = asdict(zoning)
    for entry in plain["criteria"]:
        entry["rescale"] = entry["rescale"].value
    return plain


def _described(inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """Each input's file and digest, what its loader reports, and of bundled ones the source."""
    read: dict[str, tuple[Path, Report]] = {layer.spec.source: (layer.path, layer.report) for layer in inputs.layers}
    read |= {
        boundaries.SOURCE: (inputs.boundaries.path, inputs.boundaries.report),
        police.SOURCE: (inputs.posts.path, inputs.posts.report),
        territories.PDET_SOURCE: (inputs.pdet.path, inputs.pdet.report),
        territories.ETCR_SOURCE: (inputs.sites.path, inputs.sites.report),
    }
    described = {
        name: _input(path, sources()[name]) | {"report": report.as_dict()} for name, (path, report) in read.items()
    }
    names, config = _input(divipola.TABLE, sources()[divipola.SOURCE]), settings.config or criteria.DEFAULTS
    chosen = {"file": config.name, "bundled": settings.config is None, "sha256": sha256(config)}
    return described | {divipola.SOURCE: names, "config": chosen}


def _input(path: Path, source: Source) -> dict[str, Any]:
    if path.parent != ATLAS:
        return {"file": str(path), "bundled": False, "sha256": sha256(path)} | _fetched(path)
    credit = {key: getattr(source, key) for key in ("title", "publisher", "url", "licence", "vintage")}
    return {"file": path.name, "bundled": True, "sha256": sha256(path)} | credit


def _fetched(path: Path) -> dict[str, Any]:
    """Of a fetched file, where and when it came from and the publisher's credit, as the lock beside it records."""
    locked = [(name, entry) for name, entry in fetch.read_lock(path.parent).items() if entry.file == path.name]
    if not locked:
        return {}
    name, entry = locked[0]
    source = sources()[downloads()[name].source]
    credit = {key: getattr(source, key) for key in ("title", "publisher", "licence", "vintage")}
    return credit | {"url": entry.url, "fetched": entry.fetched, "version": entry.version}


def _warnings(inputs: Inputs, joined: Panel, priorities: Priorities, checked: tuple[Layer, ...]) -> list[str]:
    """What a reader must know before using the result."""
    table = priorities.table
    scored = table["score"].notna()
    unknown = int((scored & table["station_km"].isna()).sum())
    partial = int((table["coverage"] < 1).sum())
    outside = int((scored & (joined.places["point"] == "inside")).sum())
    return [
        *(sentence for layer in checked if (sentence := published.difference(layer, priorities.year))),
        *joined.notes,
        *([f"{partial} candidates are scored on part of the measures; see coverage"] if partial else []),
        *(
            [f"{unknown} candidates lie in departments whose police data are missing; station_km is blank there"]
            if unknown
            else []
        ),
        *([f"{outside} candidates have no known town; station_km is measured from a point inside"] if outside else []),
    ]
