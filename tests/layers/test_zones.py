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
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import Rook

from geo import coverage
from geo.errors import ConfigError
from geo.regions import contiguous_groups
from layers import coca, panel, zones
from layers.boundaries import Boundaries
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.tables import Layer
from layers.zones import Limits, priority_members
from tests.layers.small import grid, layer, no_facts, posts

Built = tuple[pd.Series, Any]


@pytest.fixture(scope="module")
def built(joined: Panel, scored: Priorities, zoning: Zoning) -> Built:
    return zones.build(joined, scored, share=zoning.candidates.priority_share)


def zone_of(members: pd.Index, neighbours: pd.DataFrame, score: pd.Series) -> pd.Series:
    """The zones of members that only their borders divide."""
    return zones.zone_of(contiguous_groups(members, neighbours), score)


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
        held = panel.join(replace(bounds, frame=frame), tuple(bundled.values()), posts=where, **no_facts())
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


def test_a_zone_whose_figures_are_missing_in_part_has_none(scored: Priorities):
    """Half a sum is no sum: population is unknown for one of two members."""
    codes = ["05001", "05002"]
    held = panel.join(
        grid(codes, columns=2),
        [layer(coca.SPEC, {(code, 2015): 10.0 for code in codes})],
        posts=posts((-75.0, 2.0)),
        **no_facts(),
    )
    table = pd.DataFrame(
        {"score": [0.5, 0.4], "coca_ha": 10.0, "population": [100.0, np.nan], "eradicated_ha": [1.0, 2.0]}, index=codes
    )
    _, frame = zones.build(held, replace(scored, table=table), share=1.0)
    row = frame.iloc[0]
    assert pd.isna(row["population"])
    assert row["eradicated_ha"] == 3
    assert row["area_km2"] == 200
    assert row["score"] == pytest.approx(0.45)


def test_a_zone_without_coca_keeps_its_members_score(scored: Priorities):
    """With minimum_coca_ha = 0 a zone may hold none; its score is then no weighted mean, and not 0 either."""
    codes = ["05001", "05002"]
    held = panel.join(
        grid(codes, columns=2),
        [layer(coca.SPEC, {(code, 2015): 0.0 for code in codes})],
        posts=posts((-75.0, 2.0)),
        **no_facts(),
    )
    table = pd.DataFrame({"score": [0.5, 0.4], "coca_ha": 0.0, "population": 100.0, "eradicated_ha": 0.0}, index=codes)
    _, frame = zones.build(held, replace(scored, table=table), share=1.0)
    score = float(frame["score"].iloc[0])
    assert math.isnan(score) or 0.4 <= score <= 0.5


# Locked in and out


def small(points: dict[str, float], *, columns: int, population: float | dict[str, float] = 100.0) -> tuple[Panel, Any]:
    """Squares of 100 km2 in a grid with 10 ha each, and the table of their scores."""
    codes = list(points)
    held = panel.join(
        grid(codes, columns=columns),
        [layer(coca.SPEC, {(code, 2015): 10.0 for code in codes})],
        posts=posts((-75.0, 2.0)),
        **no_facts(),
    )
    facts = {"score": points, "coca_ha": 10.0, "population": population, "eradicated_ha": 1.0}
    return held, pd.DataFrame({name: pd.Series(value, index=codes) for name, value in facts.items()})


ROW = {f"0500{n}": 0.9 - n / 10 for n in range(1, 7)}  # the first has the highest score


def test_the_place_of_one_locked_out_goes_to_the_next():
    score = pd.Series(ROW)
    assert priority_members(score, share=0.5).tolist() == ["05001", "05002", "05003"]
    assert priority_members(score, share=0.5, locked_out=["05002"]).tolist() == ["05001", "05003", "05004"]
    assert priority_members(score, share=0.5, locked_out=["05006"]).tolist() == ["05001", "05002", "05003"]
    assert priority_members(score, share=1.0, locked_out=["05002", "05003"]).tolist() == [
        "05001", "05004", "05005", "05006",
    ]  # fmt: skip


def test_one_locked_in_comes_on_top_and_counts_once():
    score = pd.Series({**ROW, "05007": np.nan})
    assert priority_members(score, share=0.5, locked_in=["05007"]).tolist() == ["05001", "05002", "05003", "05007"]
    assert priority_members(score, share=0.5, locked_in=["05001"]).tolist() == ["05001", "05002", "05003"]


def test_one_locked_in_without_a_score_leaves_that_of_its_zone_and_never_leads(scored: Priorities):
    """A row of four: 2 is no candidate, and joins 1 and 3, which would be two zones."""
    held, table = small({"05001": 0.4, "05002": np.nan, "05003": 0.8, "05004": np.nan}, columns=4)
    zone, frame = zones.build(held, replace(scored, table=table), share=1.0, locked_in={"05002": "A base is built."})
    row = frame.iloc[0]
    assert len(frame) == 1
    assert (row["zone"], row["members"], row["locked_in"]) == ("Z05003", ["05003", "05001", "05002"], ["05002"])
    assert row["score"] == pytest.approx(0.6)
    assert row["coca_ha"] == 30
    assert zone.isna().tolist() == [False, False, False, True]


def test_a_zone_of_one_locked_in_without_a_score_has_none_and_comes_last(scored: Priorities):
    held, table = small({"05001": 0.4, "05002": 0.2, "05003": np.nan}, columns=3)
    _, frame = zones.build(held, replace(scored, table=table), share=0.5, locked_in=["05003"])
    assert frame["zone"].tolist() == ["Z05001", "Z05003"]
    assert frame["score"].isna().tolist() == [False, True]
    assert frame["locked_in"].tolist() == [[], ["05003"]]


def test_one_locked_out_divides_what_it_stood_between(scored: Priorities):
    held, table = small({"05001": 0.4, "05002": 0.5, "05003": 0.6}, columns=3)
    zone, frame = zones.build(held, replace(scored, table=table), share=1.0, locked_out=["05002"])
    assert frame["members"].tolist() == [["05003"], ["05001"]]
    assert pd.isna(zone["05002"])


@pytest.mark.parametrize(
    ("locked_in", "locked_out", "told"),
    [
        (["99999"], [], "found 99999: correct"),
        ([], ["99999", "88888"], "found 88888, 99999: correct"),
        (["05001"], ["05001"], "in or out, not both; found 05001 in both"),
        ([], ["05001", "05002"], "all candidates are locked out"),
    ],
)
def test_locks_that_cannot_be_kept_are_refused(
    scored: Priorities, locked_in: list[str], locked_out: list[str], told: str
):
    held, table = small({"05001": 0.4, "05002": 0.5}, columns=2)
    with pytest.raises(ConfigError, match=told):
        zones.build(held, replace(scored, table=table), share=1.0, locked_in=locked_in, locked_out=locked_out)


# Limits


def test_a_row_of_six_is_divided_by_members_area_or_people(scored: Priorities):
    held, table = small(ROW, columns=6)
    halves = [["05001", "05002", "05003"], ["05004", "05005", "05006"]]
    for limits in (Limits(3, 0, 0), Limits(0, 300, 0), Limits(0, 0, 300)):
        zone, frame = zones.build(held, replace(scored, table=table), share=1.0, limits=limits)
        assert frame["members"].tolist() == halves
        assert frame["zone"].tolist() == ["Z05001", "Z05004"]
        assert frame["over_limit"].tolist() == ["", ""]
        assert zone.tolist() == ["Z05001"] * 3 + ["Z05004"] * 3


def test_a_limit_of_zero_is_none(scored: Priorities):
    held, table = small(ROW, columns=6)
    (zone, frame), (same_zone, same) = (
        zones.build(held, replace(scored, table=table), share=1.0, limits=limits) for limits in (None, Limits(0, 0, 0))
    )
    pd.testing.assert_series_equal(zone, same_zone)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(same))
    assert len(frame) == 1


def test_a_municipality_beyond_a_limit_is_a_zone_that_says_so(scored: Priorities):
    held, table = small({f"0500{n}": 0.5 for n in range(1, 5)}, columns=4)
    table.loc["05002", "population"] = 900.0
    _, frame = zones.build(held, replace(scored, table=table), share=1.0, limits=Limits(0, 250, 500))
    told = frame.set_index("zone")["over_limit"].to_dict()
    assert told == {"Z05001": "", "Z05002": "max_population", "Z05003": ""}
    _, frame = zones.build(held, replace(scored, table=table), share=1.0, limits=Limits(1, 50, 500))
    told = frame.set_index("zone")["over_limit"].to_dict()
    assert told["Z05002"] == "max_area_km2, max_population"
    assert told["Z05001"] == told["Z05003"] == told["Z05004"] == "max_area_km2"


def test_zones_that_would_have_one_name_are_told_apart(scored: Priorities):
    held, table = small({"05001": 0.5, "05002": 0.4, "05003": 0.3}, columns=3)
    places = held.places.assign(name=["San José", "El Peñol", "San José"])
    _, frame = zones.build(
        replace(held, places=places), replace(scored, table=table), share=1.0, limits=Limits(1, 0, 0)
    )
    assert frame["name"].tolist() == [
        "Department 05: San José (05001)", "Department 05: El Peñol", "Department 05: San José (05003)",
    ]  # fmt: skip


def test_the_columns_stand_in_order_and_a_square_fills_a_quarter_pi_of_its_circle(scored: Priorities):
    held, table = small({"05001": 0.5}, columns=1)
    _, frame = zones.build(held, replace(scored, table=table), share=1.0)
    assert " ".join(frame.columns) == (
        "zone name members coca_ha area_km2 population eradicated_ha score compactness locked_in over_limit geometry"
    )
    assert frame["compactness"].iloc[0] == pytest.approx(math.pi / 4, rel=1e-3)


GRID = [f"{n:05d}" for n in range(12)]


@settings(max_examples=40, deadline=None)  # the first example loads spopt
@given(
    st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), min_size=12, max_size=12),
    st.lists(st.sampled_from(["free", "free", "free", "in", "out"]), min_size=12, max_size=12),
    st.floats(0.1, 1.0),
    st.builds(Limits, st.integers(0, 5), st.sampled_from([0.0, 50.0, 250.0, 400.0]), st.sampled_from([0.0, 200.0])),
    st.permutations(GRID),
)
def test_zones_partition_the_priority_set_whatever_is_locked(
    scored: Priorities, points: list[float], locks: list[str], share: float, limits: Limits, order: list[str]
):
    """Contiguous, within their limits unless of one, with those locked in and without those locked out."""
    score = pd.Series(points, index=GRID)
    locked = {what: [code for code, lock in zip(GRID, locks, strict=True) if lock == what] for what in ("in", "out")}
    chosen = priority_members(score, share=share, locked_in=locked["in"], locked_out=locked["out"])
    if chosen.empty:
        return
    held, table = SQUARES
    told: dict[str, Any] = {"share": share, "limits": limits, "locked_in": locked["in"], "locked_out": locked["out"]}
    result: Built = zones.build(held, replace(scored, table=table.assign(score=score)), **told)
    zone, frame = result
    every = [code for members in frame["members"] for code in members]
    assert sorted(every) == sorted(chosen) == sorted(zone.dropna().index)
    assert set(locked["in"]) <= set(every)
    assert not set(locked["out"]) & set(every)
    assert sorted(code for codes in frame["locked_in"] for code in codes) == sorted(locked["in"])
    assert frame["name"].is_unique
    assert frame["compactness"].between(0, 1).all()
    for row in frame.itertuples():
        assert set(row.members) == set(zone.index[zone == row.zone])
        assert components(held.places.loc[row.members]).nunique() == 1
        own = table.loc[row.members]
        assert row.population == own["population"].sum()
        assert row.area_km2 == 100 * len(own)
        sizes = {"max_members": len(own), "max_area_km2": row.area_km2, "max_population": row.population}
        beyond = [name for name, size in sizes.items() if 0 < getattr(limits, name) < size]
        assert row.over_limit == ", ".join(beyond)
        assert not beyond or len(own) == 1
    mixed = replace(held, places=held.places.loc[order])
    other_zone, other = zones.build(mixed, replace(scored, table=table.assign(score=score).loc[order]), **told)
    assert other_zone.dropna().to_dict() == zone.dropna().to_dict()
    assert other["members"].tolist() == frame["members"].tolist()


SQUARES = small(dict.fromkeys(GRID, 0.5), columns=4, population={code: 10.0 * n for n, code in enumerate(GRID)})


# The real zones within limits

SUGGESTED = Limits(8, 30_000, 400_000)


@pytest.fixture(scope="module", params=[2020, 2023])
def within(request, joined: Panel, scored: Priorities, zoning: Zoning) -> tuple[Priorities, Built, Built]:
    year = request.param
    priorities = scored if year == 2020 else prioritise(joined, zoning, year=year, draws=0, seed=1)
    whole, limited = (zones.build(joined, priorities, share=0.25, limits=limits) for limits in (None, SUGGESTED))
    return priorities, whole, limited


def test_real_zones_keep_the_suggested_limits(within: tuple[Priorities, Built, Built], joined: Panel):
    _, (whole, _), (zone, frame) = within
    assert zone.dropna().index.equals(whole.dropna().index)
    sizes = pd.DataFrame({"members": frame["members"].str.len(), **frame[["area_km2", "population"]]})
    assert (sizes <= [8, 30_000, 400_000]).all(axis=None)
    assert (frame["over_limit"] == "").all()
    assert frame["name"].is_unique
    for members in frame["members"]:
        assert components(joined.places.loc[members]).nunique() == 1
        assert whole.loc[members].nunique() == 1  # a zone is divided, never put together with another
    for column in ("coca_ha", "area_km2", "population", "eradicated_ha"):
        assert frame[column].sum() == pytest.approx(within[1][1][column].sum())


def test_real_zones_that_keep_the_limits_are_left_alone(within: tuple[Priorities, Built, Built]):
    _, (_, whole), (_, limited) = within
    small_enough = (whole["members"].str.len() <= 8) & (whole["area_km2"] <= 30_000) & (whole["population"] <= 400_000)
    kept = {tuple(members) for members in whole["members"][small_enough]}
    assert kept <= {tuple(members) for members in limited["members"]}
    assert 0 < len(kept) < len(whole)
