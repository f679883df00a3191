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
from maps import export, record, standalone, webmap
from maps import reasons as explained
from maps.inputs import Inputs, Settings, read

DRAWN_SOURCES = (
    "boundaries",
    "towns",
    "divipola",
    "coca",
    "eradication",
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
    year = settings.year or zoning.years.reference or inputs.layers[0].years[-1]
    out = settings.out or Path("out") / str(year)
    with replacing(out) as folder:
        step("joining")
        joined = inputs.join(drop_unmatched=settings.drop_unmatched)
        step("scoring")
        priorities = prioritise(joined, zoning, year=year, draws=settings.draws, seed=settings.seed)
        pairs = coverage.neighbours(joined.places)
        happening = dynamics.describe(joined, zoning, pairs, year=year)
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
        towns = _municipalities(joined, priorities, happening, zone)
        step("drawing the map")
        content = _content(inputs, joined, priorities, towns, grouped, zoning)
        page = standalone.page(webmap.build(content, lang=settings.lang))
        step("writing")
        reasons = explained.gather(priorities, zoning, joined.places["name"], changes=settings.weight_changes)
        tables = _tables(joined, priorities, zoning)
        summary = record.summary(settings, inputs, joined, priorities, grouped, pairs, zoning)
        _write(folder, towns, grouped, page, tables, reasons, summary)
    return Run(out, towns, grouped, summary)


def _municipalities(
    joined: Panel, priorities: Priorities, happening: pd.DataFrame, zone: pd.Series
) -> gpd.GeoDataFrame:
    columns = joined.places.drop(columns=["station_km"]).join(priorities.table).join(happening).assign(zone=zone)
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
        topology=_topology(inputs, towns),
    )


def _topology(inputs: Inputs, towns: gpd.GeoDataFrame) -> dict[str, Any]:
    """The boundaries as the page reads them; the bundled ones stand in the atlas so."""
    if inputs.boundaries.path == boundaries.TABLE:
        return topology.read_raw(boundaries.TABLE)
    return topology.encode(coverage.simplify_to(towns, vertices=MAP_VERTICES))


def _tables(joined: Panel, priorities: Priorities, zoning: Zoning) -> dict[str, pd.DataFrame]:
    """Ranks under every way to score, and the goal by place; what both are not for is the first look."""
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
