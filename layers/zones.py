"""Zones: contiguous groups of priority municipalities, named as planners name them."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import coverage, regions
from layers.panel import Panel
from layers.priority import Priorities

PLACES = 9  # 0.07 times 100 is 7.000000000000001, and takes seven
SUMMED = ("coca_ha", "area_km2", "population", "eradicated_ha")


def priority_members(score: pd.Series, *, share: float) -> pd.Index:
    """The candidates with the highest scores.

    Parameters
    ----------
    score : Series
        Scores by ``code``; missing for those that are no candidates.
    share : float
        Share of the candidates that is taken, rounded up.

    Returns
    -------
    Index
        Codes, sorted. Among equals the first by code is taken.
    """
    ordered = score.dropna().sort_index().sort_values(ascending=False, kind="stable")
    count = math.ceil(round(share * len(ordered), PLACES))
    return ordered.index[:count].sort_values()


def zone_of(members: pd.Index, neighbours: pd.DataFrame, score: pd.Series) -> pd.Series:
    """Put each member into the zone of all members it hangs together with over shared borders.

    Parameters
    ----------
    members : Index
        Codes of priority municipalities.
    neighbours : DataFrame
        Columns ``left`` and ``right``, as :func:`geo.coverage.neighbours` gives them.
    score : Series
        Scores by code; the member with the highest leads its zone.

    Returns
    -------
    Series of str
        Zone id by code, named ``zone``: ``Z`` and the code of the leading member, so that it does not depend on the
        order of rows.
    """
    groups = regions.contiguous_groups(members.sort_values(), neighbours)
    ordered = score.loc[groups.index].sort_values(ascending=False, kind="stable").index
    leader = pd.Series(ordered, index=ordered).groupby(groups.loc[ordered]).first()
    return ("Z" + groups.map(leader).astype(object)).rename("zone")


def build(panel: Panel, priorities: Priorities, *, share: float) -> tuple[pd.Series, gpd.GeoDataFrame]:
    """Group priority municipalities into zones.

    Parameters
    ----------
    panel : Panel
        Municipalities and their shapes.
    priorities : Priorities
        Their scores and figures.
    share : float
        Share of the candidates that has priority.

    Returns
    -------
    zone : Series of str
        Zone id by ``code``; missing for municipalities in no zone.
    zones : GeoDataFrame
        A row a zone, the highest score first: ``zone``, ``name`` (department and leading municipality), ``members``
        (list of codes, the highest score first), ``coca_ha``, ``area_km2``, ``population``, ``eradicated_ha`` (sums;
        missing where a member's figure is), ``score`` (mean of the members' weighted by coca, plain where a zone has
        none) and the union's shape.
    """
    table = priorities.table
    members = priority_members(table["score"], share=share)
    zone = zone_of(members, coverage.neighbours(panel.places), table["score"])
    facts = table.join(panel.places[["area_km2", "name", "department", "geometry"]]).loc[members]
    rows = [_zone(label, facts.loc[zone.index[zone == label]]) for label in sorted(set(zone))]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=panel.places.crs)
    frame = frame.sort_values(["score", "zone"], ascending=[False, True], ignore_index=True)
    return zone.reindex(table.index), frame


def _zone(label: str, members: pd.DataFrame) -> dict[str, object]:
    ordered = members.sort_values("score", ascending=False, kind="stable")
    lead = ordered.iloc[0]
    return {
        "zone": label,
        "name": f"{lead['department']}: {lead['name']}",
        "members": list(ordered.index),
        **{column: ordered[column].sum(skipna=False) for column in SUMMED},
        "score": _mean(ordered["score"], ordered["coca_ha"]),
        "geometry": shapely.coverage_union_all(ordered["geometry"].to_numpy()),
    }


def _mean(score: pd.Series, coca_ha: pd.Series) -> float:
    """Mean weighted by coca, plain where there is none."""
    weight = coca_ha if coca_ha.sum() > 0 else coca_ha + 1.0
    return float(np.average(score, weights=weight))
