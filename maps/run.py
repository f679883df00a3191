"""One run: layers, panel, scores, zones, map and files, from the settings of ``scripts/zone.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo import coverage, topology
from geo.files import replacing, sha256
from layers import boundaries, criteria, dynamics, goal, zones
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.sources import sources
from layers.tables import ATLAS
from maps import bycell, export, record, standalone, webmap
from maps import reasons as explained
from maps.density import DensityContent
from maps.inputs import Inputs, Settings, read
from maps.payload import MapContent

DRAWN_SOURCES = (
    "boundaries",
    "towns",
    "divipola",
    "coca",
    "eradication",
    "spraying",
    "published",
    "farc_events",
    "pdet",
    "etcr",
    "reserves",
    "councils",
    "parks",
    "police",
    "homicides",
    "population",
)
# The map of the bundled boundaries, 56,526 vertices with shared borders counted twice, stays below 1 MB.
MAP_VERTICES = 60_000
STEPS = ("reading layers", "joining", "scoring", "grouping zones", "drawing the map", "writing")


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


@dataclass(frozen=True)
class Work:
    """What a run has found, before it is drawn and written.

    Attributes
    ----------
    inputs : Inputs
        The layers.
    zoning : Zoning
        The settings' file.
    panel : Panel
        The joined panel.
    priorities : Priorities
        Scores and ranks.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    zone : Series of str
        Zone by code.
    zones : GeoDataFrame
        The zones.
    """

    inputs: Inputs
    zoning: Zoning
    panel: Panel
    priorities: Priorities
    pairs: pd.DataFrame
    zone: pd.Series
    zones: gpd.GeoDataFrame


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
        What was found; the run folder holds ``municipalities.geojson``, ``zones.geojson``, ``scores.csv``,
        ``methods.csv``, ``goal.csv``, ``explanations.json``, ``map.html`` and ``run.json``.

    Raises
    ------
    PresenciaError
        If an input is bad or the folder cannot be written; what an earlier run left there is untouched then.
    """
    step("reading layers")
    zoning = criteria.load(settings.config)
    inputs = read(settings)
    out = settings.out or Path("out") / str(year_of(settings, zoning, inputs))
    with replacing(out) as folder:
        work = find(settings, zoning, inputs, step=step)
        towns, summary = write(work, settings, folder, step=step)
    return Run(out, towns, work.zones, summary)


def write(
    work: Work,
    settings: Settings,
    folder: Path,
    *,
    shown: MapContent | None = None,
    tell: Callable[[dict[str, Any]], dict[str, Any]] = lambda summary: summary,
    step: Callable[[str], None] = lambda _: None,
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Draw what was found, and write the files of a run folder.

    Parameters
    ----------
    work : Work
        What was found.
    settings : Settings
        What was asked for.
    folder : Path
        An empty folder.
    shown : MapContent, optional
        What the map shows; all that was found if not given.
    tell : callable, optional
        What becomes of the summary before it is written.
    step : callable, optional
        Told each of ``STEPS`` that is done here as it begins, for a progress bar.

    Returns
    -------
    tuple of GeoDataFrame and dict
        What ``municipalities.geojson`` and ``run.json`` hold.
    """
    happening = dynamics.describe(work.panel, work.zoning, work.pairs, year=work.priorities.year)
    towns = _municipalities(work, happening)
    step("drawing the map")
    page = standalone.page(webmap.build(shown or content_of(work), lang=settings.lang))
    step("writing")
    names = work.panel.places["name"]
    reasons = explained.gather(work.priorities, work.zoning, names, changes=settings.weight_changes)
    summary = tell(
        record.summary(settings, work.inputs, work.panel, work.priorities, work.zones, work.pairs, work.zoning)
    )
    _write(folder, towns, work.zones, page, _tables(work), reasons, summary)
    return towns, summary


def year_of(settings: Settings, zoning: Zoning, inputs: Inputs) -> int:
    """The reference year: that of the option, else of the settings' file, else the last with coca data.

    Parameters
    ----------
    settings : Settings
        What is asked for.
    zoning : Zoning
        The settings' file.
    inputs : Inputs
        The layers.

    Returns
    -------
    int
        A year.
    """
    return settings.year or zoning.years.reference or inputs.layers[0].years[-1]


def find(settings: Settings, zoning: Zoning, inputs: Inputs, *, step: Callable[[str], None] = lambda _: None) -> Work:
    """Join, score and group.

    Parameters
    ----------
    settings : Settings
        What is asked for.
    zoning : Zoning
        The settings' file.
    inputs : Inputs
        The layers.
    step : callable, optional
        Told each of ``STEPS`` as it begins, for a progress bar.

    Returns
    -------
    Work
        What was found.
    """
    step("joining")
    year = year_of(settings, zoning, inputs)
    joined = inputs.join(year=year, drop_unmatched=settings.drop_unmatched)
    step("scoring")
    priorities = prioritise(joined, zoning, year=year, draws=settings.draws, seed=settings.seed)
    pairs = coverage.neighbours(joined.places)
    step("grouping zones")
    zone, grouped = zones.build(
        joined,
        priorities,
        share=zoning.candidates.priority_share,
        limits=zoning.zones,
        locked_in=zoning.locked_in,
        locked_out=zoning.locked_out,
        neighbours=pairs,
    )
    return Work(inputs, zoning, joined, priorities, pairs, zone, grouped)


def content_of(work: Work, *, cells: DensityContent | None = None) -> MapContent:
    """All that the map of a run shows.

    Parameters
    ----------
    work : Work
        What was found.
    cells : DensityContent, optional
        Coca by cell; that of the run's own layer, if it has one, if not given.

    Returns
    -------
    MapContent
        For :func:`maps.webmap.build`.
    """
    inputs, joined, zoning = work.inputs, work.panel, work.zoning
    own_boundaries = inputs.boundaries.path.parent != ATLAS
    return MapContent(
        panel=joined,
        priorities=work.priorities,
        zoning=zoning,
        zones=work.zones,
        hot_spots=dynamics.hot_spots(joined, zoning, work.pairs),
        posts=inputs.posts.frame,
        etcr=inputs.sites.frame[inputs.sites.frame["kind"] == "ETCR"],
        sources=tuple(sources()[name] for name in DRAWN_SOURCES),
        attribution=inputs.boundaries.path.name if own_boundaries else "© geoBoundaries (CC BY 4.0)",
        topology=_topology(inputs, joined.places),
        density=cells or bycell.content_of(inputs, joined, year=work.priorities.year),
    )


def _municipalities(work: Work, happening: pd.DataFrame) -> gpd.GeoDataFrame:
    places, priorities = work.panel.places, work.priorities
    columns = places.drop(columns=["station_km"]).join(priorities.table).join(happening).assign(zone=work.zone)
    table = export.attributes(columns, priorities.contributions)
    return gpd.GeoDataFrame(table, geometry=places.geometry, crs=places.crs)


def _topology(inputs: Inputs, places: gpd.GeoDataFrame) -> dict[str, Any]:
    """The boundaries as the page reads them; the bundled ones stand in the atlas so."""
    if inputs.boundaries.path == boundaries.TABLE:
        return topology.read_raw(boundaries.TABLE)
    return topology.encode(coverage.simplify_to(places, vertices=MAP_VERTICES))


def _tables(work: Work) -> dict[str, pd.DataFrame]:
    """Ranks under every way to score, and the goal by place; what both are not for is the first look."""
    joined, priorities, zoning = work.panel, work.priorities, work.zoning
    names = joined.places[["name", "department"]]
    ranks = priorities.robustness.ranks
    methods = ranks.join(names)[["name", "department", *ranks]].join(priorities.robustness.reversals)
    aims = goal.table(joined, goal.aim_of(zoning), year=priorities.year).set_index("series")
    return {"methods.csv": methods.sort_values(ranks.columns[0]), "goal.csv": export.rounded(aims)}


def _write(
    folder: Path,
    towns: gpd.GeoDataFrame,
    grouped: gpd.GeoDataFrame,
    page: str,
    tables: dict[str, pd.DataFrame],
    reasons: list[dict[str, Any]],
    summary: dict[str, Any],
) -> None:
    export.write_geojson(towns, folder / "municipalities.geojson")
    export.write_geojson(export.rounded(grouped), folder / "zones.geojson")
    export.write_csv(pd.DataFrame(towns.drop(columns="geometry")).sort_values(["rank", "code"]), folder / "scores.csv")
    for name, table in tables.items():
        export.write_csv(table, folder / name)
    (folder / "map.html").write_text(page, encoding="utf-8", newline="\n")
    export.write_json(reasons, folder / "explanations.json")
    # With the digests, files of two runs that a crash left side by side can be told apart.
    outputs = {file.name: sha256(file) for file in sorted(folder.iterdir())}
    export.write_json(summary | {"outputs": outputs}, folder / "run.json")
