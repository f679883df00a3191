"""Zones: every priority municipality in exactly one, contiguous by another library's opinion, totals that add up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from libpysal.weights import Rook

from geo import coverage
from layers import coca, panel, zones
from layers.boundaries import Boundaries
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.tables import Layer
from layers.zones import priority_members, zone_of
from tests.layers.small import grid, layer, no_pdet, posts

Built = tuple[pd.Series, Any]


@pytest.fixture(scope="module")
def built(joined: Panel, scored: Priorities, zoning: Zoning) -> Built:
    return zones.build(joined, scored, share=zoning.candidates.priority_share)


def components(shapes: gpd.GeoDataFrame) -> pd.Series:
    """Which shapes hang together, by libpysal's rook contiguity."""
    weights = Rook.from_dataframe(shapes, use_index=False, silence_warnings=True)
    return pd.Series(weights.component_labels, index=shapes.index)


# The run of 2020


def test_every_priority_municipality_is_in_exactly_one_zone(built: Built, scored: Priorities):
    zone, frame = built
    ranked = scored.table.dropna(subset=["rank"]).sort_values("rank")
    priority = ranked.index[: math.ceil(0.25 * 172)]
    assert len(priority) == 43
    every = [code for members in frame["members"] for code in members]
    assert len(every) == len(set(every)) == 43
    assert set(every) == set(priority) == set(zone.dropna().index)
    assert len(zone) == 1122
    for row in frame.itertuples():
        assert set(row.members) == set(zone.index[zone == row.zone])


def test_zones_are_contiguous_by_libpysal(built: Built, joined: Panel):
    _, frame = built
    for members in frame["members"]:
        assert components(joined.places.loc[members]).nunique() == 1


def test_zones_are_as_large_as_they_can_be(built: Built, joined: Panel):
    """Two zones never share a border: libpysal finds as many components among all members as there are zones."""
    zone, frame = built
    parts = components(joined.places.loc[zone.dropna().index])
    assert parts.nunique() == len(frame)
    assert pd.crosstab(parts, zone.loc[parts.index]).gt(0).sum().eq(1).all()


def test_the_shape_of_a_zone_is_that_of_its_members(built: Built, joined: Panel):
    _, frame = built
    assert frame.crs == joined.places.crs
    for row in frame.itertuples():
        own = shapely.union_all(np.array([joined.places.geometry[code] for code in row.members]))
        assert row.geometry.is_valid
        assert shapely.symmetric_difference(row.geometry, own).area < 1e-12
    mainland = frame[~frame["members"].map(lambda codes: bool({"88001", "52835", "76109"} & set(codes)))]
    assert len(mainland) >= 8
    assert (mainland.geometry.geom_type == "Polygon").all()  # one piece: joined by borders, not by corners


def test_totals_add_up(built: Built, joined: Panel, scored: Priorities):
    zone, frame = built
    facts = scored.table.assign(area_km2=joined.places["area_km2"])
    for row in frame.itertuples():
        own = facts.loc[row.members]
        for column in ("coca_ha", "area_km2", "population", "eradicated_ha"):
            assert getattr(row, column) == pytest.approx(own[column].sum())
        assert row.score == pytest.approx(np.average(own["score"], weights=own["coca_ha"]))
        assert own["score"].min() - 1e-12 <= row.score <= own["score"].max() + 1e-12
    members = zone.dropna().index
    for column in ("coca_ha", "area_km2", "population", "eradicated_ha"):
        assert frame[column].sum() == pytest.approx(facts.loc[members, column].sum())
    metric = gpd.GeoSeries(frame.geometry, crs="EPSG:4326").to_crs("EPSG:9377").area / 1e6
    np.testing.assert_allclose(metric, frame["area_km2"], rtol=1e-3)


def test_zones_are_named_after_the_leading_municipality(built: Built, joined: Panel, scored: Priorities):
    _, frame = built
    assert frame["score"].is_monotonic_decreasing
    assert frame["zone"].is_unique
    for row in frame.itertuples():
        points = scored.table.loc[row.members, "score"]
        assert points.is_monotonic_decreasing
        lead = joined.places.loc[row.members[0]]
        assert row.zone == f"Z{row.members[0]}"
        assert row.name == f"{lead['department']}: {lead['name']}"


def test_ids_do_not_depend_on_the_order_of_rows(
    bundled: dict[str, Layer], bounds: Boundaries, zoning: Zoning, joined: Panel
):
    places = joined.places
    where = posts(*zip(places["lon"].iloc[::25], places["lat"].iloc[::25], strict=True))
    results = []
    for frame in (bounds.frame, bounds.frame.sample(frac=1, random_state=9), bounds.frame.iloc[::-1]):
        held = panel.join(replace(bounds, frame=frame), tuple(bundled.values()), posts=where, pdet=no_pdet())
        scored = prioritise(held, zoning, year=2020, draws=0, seed=1)
        results.append(zones.build(held, scored, share=0.25))
    (zone, frame), *others = results
    for other_zone, other_frame in others:
        pd.testing.assert_series_equal(other_zone.reindex(zone.index), zone)
        pd.testing.assert_frame_equal(
            pd.DataFrame(other_frame.drop(columns="geometry")), pd.DataFrame(frame.drop(columns="geometry"))
        )
        assert other_frame.geometry.geom_equals(frame.geometry).all()


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 1.0])
def test_any_share_of_the_candidates(joined: Panel, scored: Priorities, share: float):
    zone, frame = zones.build(joined, scored, share=share)
    expected = math.ceil(round(share * 172, 9))
    assert zone.notna().sum() == sum(map(len, frame["members"])) == expected
    assert components(joined.places.loc[zone.dropna().index]).nunique() == len(frame)


# On a grid whose neighbours are known


def test_a_corner_is_no_border():
    bounds = grid([f"0500{n}" for n in range(1, 10)], columns=3)
    members = pd.Index(["05001", "05002", "05006", "05008"])  # 1 beside 2; 2 and 6, and 6 and 8, touch in a corner
    score = pd.Series([0.1, 0.2, 0.3, 0.4], index=members)
    assert zone_of(members, coverage.neighbours(bounds.frame), score).to_dict() == {
        "05001": "Z05002",
        "05002": "Z05002",
        "05006": "Z05006",
        "05008": "Z05008",
    }


def test_members_hang_together_over_members_alone():
    bounds = grid(["05001", "05002", "05003"], columns=3)
    members = pd.Index(["05001", "05003"])
    score = pd.Series([0.1, 0.9, 0.2], index=["05001", "05002", "05003"])
    assert zone_of(members, coverage.neighbours(bounds.frame), score).nunique() == 2


def test_equal_scores_are_led_by_the_first_code():
    bounds = grid(["05003", "05001", "05002"], columns=3)
    score = pd.Series(0.5, index=bounds.frame.index)
    zone = zone_of(bounds.frame.index, coverage.neighbours(bounds.frame), score)
    assert set(zone) == {"Z05001"}
    assert priority_members(score, share=0.5).tolist() == ["05001", "05002"]


@pytest.mark.parametrize(
    ("count", "share", "taken"), [(172, 0.25, 43), (173, 0.25, 44), (4, 1.0, 4), (3, 0.01, 1), (10, 0.3, 3)]
)
def test_the_share_is_rounded_up(count: int, share: float, taken: int):
    score = pd.Series(np.linspace(0, 1, count), index=[f"{n:05d}" for n in range(count)])
    members = priority_members(score, share=share)
    assert len(members) == taken
    assert members.is_monotonic_increasing
    assert set(members) == set(score.nlargest(taken).index)


def test_a_share_that_is_whole_takes_no_one_more():
    """0.07 times 100 is 7.000000000000001 in floating point."""
    score = pd.Series(np.linspace(0, 1, 100), index=[f"{n:05d}" for n in range(100)])
    assert len(priority_members(score, share=0.07)) == 7


def test_those_without_a_score_have_no_priority():
    score = pd.Series([0.5, np.nan, 0.4], index=["05001", "05002", "05003"])
    assert priority_members(score, share=1.0).tolist() == ["05001", "05003"]


CODES = [f"{n:05d}" for n in range(30)]


@given(
    st.sets(st.sampled_from(CODES), min_size=1),
    st.lists(st.floats(0, 1), min_size=30, max_size=30),
    st.permutations(CODES),
)
def test_zones_partition_their_members_into_connected_groups(members: set[str], points: list[float], order: list[str]):
    bounds = grid(CODES, columns=6)
    score = pd.Series(points, index=CODES)
    chosen = [code for code in order if code in members]
    zone = zone_of(pd.Index(chosen), coverage.neighbours(bounds.frame.loc[order]), score)
    assert set(zone.index) == members
    assert zone.index.is_unique
    for label, codes in zone.groupby(zone).groups.items():
        union = shapely.union_all(np.array([bounds.frame.geometry[code] for code in codes]))
        cut = union.buffer(-1e-4)  # a corner comes apart, a border does not
        assert isinstance(cut, shapely.Polygon)
        lead = str(label)[1:]
        assert score[lead] == score.loc[list(codes)].max()
        assert lead in set(codes)
    straight = zone_of(pd.Index(sorted(members)), coverage.neighbours(bounds.frame), score)
    assert straight.to_dict() == zone.to_dict()
    assert zone.nunique() == components(bounds.frame.loc[sorted(members)]).nunique()


def test_a_zone_whose_figures_are_missing_in_part_has_none(zoning: Zoning):
    """Half a sum is no sum: population is unknown for one of two members."""
    codes = ["05001", "05002"]
    held = panel.join(
        grid(codes, columns=2),
        [layer(coca.SPEC, {(code, 2015): 10.0 for code in codes})],
        posts=posts((-75.0, 2.0)),
        pdet=no_pdet(),
    )
    table = pd.DataFrame(
        {"score": [0.5, 0.4], "coca_ha": 10.0, "population": [100.0, np.nan], "eradicated_ha": [1.0, 2.0]}, index=codes
    )
    _, frame = zones.build(held, Priorities(table, pd.DataFrame(), 2015, 0, 1), share=1.0)
    row = frame.iloc[0]
    assert pd.isna(row["population"])
    assert row["eradicated_ha"] == 3
    assert row["area_km2"] == 200
    assert row["score"] == pytest.approx(0.45)


def test_a_zone_without_coca_keeps_its_members_score():
    """With minimum_coca_ha = 0 a zone may hold none; its score is then no weighted mean, and not 0 either."""
    codes = ["05001", "05002"]
    held = panel.join(
        grid(codes, columns=2),
        [layer(coca.SPEC, {(code, 2015): 0.0 for code in codes})],
        posts=posts((-75.0, 2.0)),
        pdet=no_pdet(),
    )
    table = pd.DataFrame({"score": [0.5, 0.4], "coca_ha": 0.0, "population": 100.0, "eradicated_ha": 0.0}, index=codes)
    _, frame = zones.build(held, Priorities(table, pd.DataFrame(), 2015, 0, 1), share=1.0)
    score = float(frame["score"].iloc[0])
    assert math.isnan(score) or 0.4 <= score <= 0.5
