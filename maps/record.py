"""What ``run.json`` holds: all that is needed to trace a figure, and to run the same again."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geo.files import sha256
from geo.score import Rescale, Scale
from layers import boundaries, criteria, density, divipola, dynamics, fetch, goal, police, published, territories
from layers.criteria import Zoning
from layers.panel import COCA, SEAT, Panel
from layers.priority import Priorities
from layers.report import Report
from layers.robustness import Robustness
from layers.sources import Source, downloads, sources
from layers.tables import ATLAS, Layer
from maps.inputs import Inputs, Settings

LIBRARIES = ("presencia", "folium", "geopandas", "numpy", "pandas", "pyproj", "scipy", "shapely", "topojson")
DECIMALS = 6


def summary(
    settings: Settings,
    inputs: Inputs,
    joined: Panel,
    priorities: Priorities,
    grouped: gpd.GeoDataFrame,
    pairs: pd.DataFrame,
    zoning: Zoning,
) -> dict[str, Any]:
    """Gather what ``run.json`` holds; nothing in it depends on when or where the run took place.

    Parameters
    ----------
    settings : Settings
        What was asked for.
    inputs : Inputs
        What was read.
    joined : Panel
        The panel.
    priorities : Priorities
        Scores and ranks.
    grouped : GeoDataFrame
        The zones.
    pairs : DataFrame
        Neighbours, as :func:`geo.coverage.neighbours` gives them.
    zoning : Zoning
        The settings as applied.

    Returns
    -------
    dict
        JSON-ready.
    """
    return {
        "year": priorities.year,
        "seed": priorities.seed,
        "draws": priorities.draws,
        "lang": settings.lang,
        "drop_unmatched": settings.drop_unmatched,
        "data": settings.data,
        "weight_changes": settings.weight_changes,
        "config": _config(zoning),
        "scoring": _scoring(priorities, zoning),
        "robustness": _robustness(priorities.robustness, zoning.uncertainty.top),
        "inputs": _described(inputs, settings),
        "totals": _totals(joined, priorities, grouped),
        "neighbours": _neighbours(joined, pairs, zoning, priorities.year),
        "goal": _goal(joined, zoning, priorities.year),
        "warnings": _warnings(inputs, joined, priorities, inputs.layers[:2]),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of what computes here.

    Returns
    -------
    dict of str to str
        By name.
    """
    return {"python": platform.python_version(), "geos": shapely.geos_version_string} | {
        name: version(name) for name in LIBRARIES
    }


def _totals(joined: Panel, priorities: Priorities, grouped: gpd.GeoDataFrame) -> dict[str, Any]:
    year, table = priorities.year, priorities.table
    totals = {
        "coca_ha": table["coca_ha"].sum(),
        "coca_ha_published": published.national("coca_ha", year),
        "eradicated_ha_in_year": joined.wide("eradicated_ha")[year].sum(min_count=1),
        "eradicated_ha_in_year_published": published.national("eradicated_ha", year),
        "municipalities": len(table),
        "candidates": int(table["score"].notna().sum()),
        "high_cultivation": int(table["high_cultivation"].sum()),
        "vacated": int(table["vacated"].sum()),
        "high_cultivation_vacated": int((table["high_cultivation"] & table["vacated"]).sum()),
        "zones": len(grouped),
    }
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in totals.items()}


def _neighbours(joined: Panel, pairs: pd.DataFrame, zoning: Zoning, year: int) -> dict[str, Any]:
    """Change of coca where it was eradicated, next door and elsewhere, each municipality once; no proof of a cause."""
    windows = zoning.windows
    table = dynamics.by_nearness(
        joined.wide("coca_ha"),
        joined.wide("eradicated_ha"),
        pairs,
        year=year,
        years=windows.eradication_years,
        minimum_ha=windows.minimum_eradicated_ha,
    )
    return {str(name): row for name, row in table.round(DECIMALS).to_dict("index").items()}


def _goal(joined: Panel, zoning: Zoning, year: int) -> dict[str, Any]:
    """The nation's way to the goal, under each series that has the baseline."""
    aim = goal.aim_of(zoning)
    table = goal.by_series(joined.wide("coca_ha"), joined.places["department_code"], aim, year=year)
    nation = pd.DataFrame(table.xs(published.NATION, level="place")).round(DECIMALS)
    return {**asdict(aim), "series": nation.to_dict("index")}


def _scoring(priorities: Priorities, zoning: Zoning) -> dict[str, Any]:
    """Weights as they came out, and how each measure was rescaled: from them and the measures every score follows."""
    weighting = priorities.weighting
    names = list(priorities.raw.columns)
    return {
        "method": zoning.scoring.method,
        "weighting": zoning.scoring.weighting,
        "consistency_ratio": weighting.ratio,
        "weights": dict(zip(names, weighting.weights.tolist(), strict=True)),
        "scales": {name: _scale(scale) for name, scale in zip(names, priorities.scales, strict=True)},
    }


def _scale(scale: Scale) -> dict[str, Any]:
    plain = {name: getattr(scale, name) for name in ("log", "unit", "low", "high", "descending")}
    reference = scale.reference.tolist() if scale.kind is Rescale.RANK else []
    return {"kind": scale.kind.value, **plain, "reference": reference}


def _robustness(found: Robustness, top: int) -> dict[str, Any]:
    agreement = found.agreement.round(DECIMALS)
    return {
        "top": top,
        "shared_top": found.shared_top,
        "median_rank_width": dict(found.widths),
        "ways": list(agreement.columns),
        "kendall": agreement.to_numpy().tolist(),
        "reversed_pairs": int(found.reversals.sum()),
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
        **dict.fromkeys(territories.SHARES, (inputs.special.path, inputs.special.report)),
    }
    described = {
        name: _input(path, sources()[name]) | {"report": report.as_dict()} for name, (path, report) in read.items()
    }
    names, config = _input(divipola.TABLE, sources()[divipola.SOURCE]), settings.config or criteria.DEFAULTS
    chosen = {
        "file": config.name if settings.config is None else str(config),
        "bundled": settings.config is None,
        "sha256": sha256(config),
    }
    return described | {divipola.SOURCE: names, "config": chosen} | _cells(inputs, settings)


def _cells(inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """The density layer, where there is one, and how it is to be read."""
    if settings.density is None or inputs.density is None:
        return {}
    asked, source = settings.density, sources()[density.SOURCE]
    how = {"unit": asked.unit, "years": list(asked.years), "finer": asked.finer}
    report = inputs.density.report.as_dict()
    more = {f"density_{number}": _input(path, source) for number, path in enumerate(asked.paths[1:], 2)}
    return {"density": _input(asked.paths[0], source) | how | {"report": report}, **more}


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


def _distances(places: pd.DataFrame) -> list[str]:
    """Whether distances to posts are of two kinds, which are not alike."""
    if "station_km_from" not in places:
        return []
    kinds = places["station_km_from"]
    coca, seat = int((kinds == COCA).sum()), int((kinds == SEAT).sum())
    told = f"station_km of {coca} candidates is measured from their coca by cell"
    if not seat:
        return [told]
    return [
        f"{told}, and of {seat} from the seat, since the density layer has no coca there or did not look: the two are "
        "not alike, and ranks mix them; see station_km_from"
    ]


def _warnings(inputs: Inputs, joined: Panel, priorities: Priorities, checked: Sequence[Layer]) -> list[str]:
    """What a reader must know before using the result."""
    table = priorities.table
    scored = table["score"].notna()
    unknown = int((scored & table["station_km"].isna()).sum())
    partial = int((table["coverage"] < 1).sum())
    outside = int((scored & (joined.places["point"] == "inside")).sum())
    return [
        *(sentence for layer in checked if (sentence := published.difference(layer, priorities.year))),
        *joined.notes,
        *_distances(joined.places[scored]),
        *([f"{partial} candidates are scored on part of the measures; see coverage"] if partial else []),
        *(
            [f"{unknown} candidates lie in departments whose police data are missing; station_km is blank there"]
            if unknown
            else []
        ),
        *([f"{outside} candidates have no known town; station_km is measured from a point inside"] if outside else []),
    ]
