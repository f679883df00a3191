"""Zones: contiguous groups of priority municipalities, named as planners name them."""

from __future__ import annotations

import math
from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import coverage, regions
from geo.crs import to_metric
from geo.errors import ConfigError, listed
from layers.criteria import Sizes
from layers.panel import Panel
from layers.priority import Priorities

Limits = Sizes  # section ``zones`` of the settings; 0 is no limit

PLACES = 9  # 0.07 times 100 is 7.000000000000001, and takes seven
SUMMED = ("coca_ha", "area_km2", "population", "eradicated_ha")
LIMITED = ("members", "area_km2", "population")
COLUMNS = ("zone", "name", "members", *SUMMED, "score", "compactness", "locked_in", "over_limit", "geometry")


def priority_members(
    score: pd.Series, *, share: float, locked_in: Collection[str] = (), locked_out: Collection[str] = ()
) -> pd.Index:
    """The candidates with the highest scores, and those that planners lock in.

    Parameters
    ----------
    score : Series
        Scores by ``code``; missing for those that are no candidates.
    share : float
        Share of the candidates that is taken, rounded up.
    locked_in : collection of str
        Codes that are taken on top of the share, candidates or not; one that its score takes has no second place.
    locked_out : collection of str
        Codes that are never taken. They count as candidates, and their places go to the next by score: that police
        cannot be stationed in one municipality does not mean that fewer are to have it.

    Returns
    -------
    Index
        Codes, sorted. Among equals the first by code is taken.
    """
    ordered = score.dropna().sort_index().sort_values(ascending=False, kind="stable").index
    count = math.ceil(round(share * len(ordered), PLACES))
    best = ordered[~ordered.isin(list(locked_out))][:count]
    return best.union(pd.Index(list(locked_in), dtype=best.dtype, name=best.name), sort=True)


def zone_of(groups: pd.Series, score: pd.Series) -> pd.Series:
    """Name each group of municipalities after its leading member.

    Parameters
    ----------
    groups : Series
        Group number by code, as :func:`geo.regions.contiguous_groups` and :func:`geo.regions.split` give them.
    score : Series
        Scores by code; the member with the highest leads its zone, the first by code among equals. Those without a
        score come last.

    Returns
    -------
    Series of str
        Zone id by code, named ``zone``: ``Z`` and the code of the leading member, so that it does not depend on the
        order of rows.
    """
    ordered = score.loc[groups.index.sort_values()].sort_values(ascending=False, kind="stable").index
    leader = pd.Series(ordered, index=ordered).groupby(groups.loc[ordered]).first()
    return ("Z" + groups.map(leader).astype(object)).rename("zone")


def build(
    panel: Panel,
    priorities: Priorities,
    *,
    share: float,
    limits: Limits | None = None,
    locked_in: Collection[str] = (),
    locked_out: Collection[str] = (),
    neighbours: pd.DataFrame | None = None,
) -> tuple[pd.Series, gpd.GeoDataFrame]:
    """Group priority municipalities into zones.

    Parameters
    ----------
    panel : Panel
        Municipalities and their shapes.
    priorities : Priorities
        Their scores and figures.
    share : float
        Share of the candidates that has priority.
    limits : Limits, optional
        What a zone may have at most; one beyond is divided. A municipality beyond by itself is a zone of its own.
    locked_in, locked_out : collection of str
        Codes that are in a zone whatever their score, and in none; see :func:`priority_members`.
    neighbours : DataFrame, optional
        As :func:`geo.coverage.neighbours` gives them, where they are at hand.

    Returns
    -------
    zone : Series of str
        Zone id by ``code``; missing for municipalities in no zone.
    zones : GeoDataFrame
        A row a zone, the highest score first: ``zone``, ``name`` (department and leading municipality, unique),
        ``members`` (list of codes, the highest score first, those without one last), ``coca_ha``, ``area_km2``,
        ``population``, ``eradicated_ha`` (sums; missing where a member's figure is), ``score`` (mean of the members'
        that have one weighted by coca, plain where they have none), ``compactness``
        (:func:`geo.regions.compactness`), ``locked_in`` (list of the members that are), ``over_limit`` (the limits
        that a zone of one member exceeds, by their names in the settings; else blank) and the union's shape.

    Raises
    ------
    ConfigError
        If a locked code is no municipality of the panel or is locked both ways, or no municipality is left.
    """
    table = priorities.table
    _check_locks(table.index, locked_in, locked_out)
    members = priority_members(table["score"], share=share, locked_in=locked_in, locked_out=locked_out)
    if members.empty:
        raise ConfigError("a zone needs a municipality and all candidates are locked out; take some off the list")
    facts = table.join(panel.places[["area_km2", "name", "department", "geometry"]]).loc[members]
    pairs = coverage.neighbours(panel.places) if neighbours is None else neighbours
    zone = zone_of(_groups(panel.places, facts, pairs, limits), table["score"])
    rows = [_zone(label, facts.loc[zone.index[zone == label]], locked_in) for label in sorted(set(zone))]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=panel.places.crs)
    frame["name"] = _unique(frame["name"], frame["zone"])
    frame["compactness"] = regions.compactness(frame.geometry)
    frame["over_limit"] = _exceeded(frame, limits)
    frame = frame.sort_values(["score", "zone"], ascending=[False, True], ignore_index=True)
    return zone.reindex(table.index), frame[list(COLUMNS)]


def _check_locks(codes: pd.Index, locked_in: Collection[str], locked_out: Collection[str]) -> None:
    unknown = sorted({*locked_in, *locked_out} - set(codes))
    if unknown:
        raise ConfigError(
            f"a locked code must be a municipality of the boundaries; found {listed(unknown)}: "
            "correct [locked_in] and [locked_out]"
        )
    both = sorted(set(locked_in) & set(locked_out))
    if both:
        raise ConfigError(f"a code is locked in or out, not both; found {listed(both)} in both: keep one of the two")


def _most(limits: Limits) -> dict[str, float]:
    """The limits by the column that they hold for."""
    return {column: float(getattr(limits, f"max_{column}")) or math.inf for column in LIMITED}


def _groups(
    places: gpd.GeoDataFrame, facts: pd.DataFrame, neighbours: pd.DataFrame, limits: Limits | None
) -> pd.Series:
    """Municipalities that hang together over shared borders, within the limits if there are any."""
    if limits is None:
        return regions.contiguous_groups(facts.index, neighbours)
    centres = to_metric(places.loc[facts.index]).geometry.centroid
    units = facts[["area_km2", "population"]].assign(x=centres.x, y=centres.y, members=1.0)
    return regions.split(units, neighbours, limits=_most(limits))


def _zone(label: str, members: pd.DataFrame, locked_in: Collection[str]) -> dict[str, object]:
    ordered = members.sort_values("score", ascending=False, kind="stable")
    lead = ordered.iloc[0]
    return {
        "zone": label,
        "name": f"{lead['department']}: {lead['name']}",
        "members": list(ordered.index),
        **{column: ordered[column].sum(skipna=False) for column in SUMMED},
        "score": _mean(ordered["score"], ordered["coca_ha"]),
        "locked_in": [code for code in ordered.index if code in locked_in],
        "geometry": shapely.coverage_union_all(ordered["geometry"].to_numpy()),
    }


def _mean(score: pd.Series, coca_ha: pd.Series) -> float:
    """Mean of the scores there are weighted by coca, plain where there is none."""
    scored = score.dropna()
    if scored.empty:
        return math.nan
    coca = coca_ha.loc[scored.index]
    weight = coca if coca.sum() > 0 else coca + 1.0
    return float(np.average(scored, weights=weight))


def _unique(name: pd.Series, zone: pd.Series) -> pd.Series:
    """Add the leading code to names that several zones have."""
    return name.where(~name.duplicated(keep=False), name + " (" + zone.str[1:] + ")")


def _exceeded(frame: gpd.GeoDataFrame, limits: Limits | None) -> pd.Series:
    """The names of the limits that each zone exceeds."""
    if limits is None:
        return pd.Series("", index=frame.index, dtype=object)
    totals = pd.DataFrame(frame[list(SUMMED)]).assign(members=frame["members"].str.len())
    beyond = regions.over(totals, _most(limits))
    named = [[f"max_{column}" for column in LIMITED if row[column]] for row in beyond.to_dict("records")]
    return pd.Series([", ".join(names) for names in named], index=frame.index, dtype=object)
