"""Scores and ranks: the run of 2020, and the rules they must keep on any figures."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo import score
from geo.errors import ConfigError
from geo.score import Rescale
from layers import armed, coca, criteria, eradication, panel, people
from layers.boundaries import Boundaries
from layers.criteria import MEASURES, Zoning
from layers.draws import fit
from layers.panel import Panel
from layers.priority import Priorities, evidence, high_cultivation, prioritise
from layers.tables import Layer
from tests.layers.small import grid, layer, no_facts, posts

# The run of 2020


def test_35_municipalities_held_80_percent_and_the_farc_had_left_34(scored: Priorities):
    table = scored.table
    assert len(table) == 1122
    assert table["high_cultivation"].sum() == 35
    assert (table["high_cultivation"] & table["vacated"]).sum() == 34
    high = table.loc[table["high_cultivation"], "coca_ha"]
    assert high.sum() >= 0.8 * table["coca_ha"].sum()
    assert high.sum() - high.min() < 0.8 * table["coca_ha"].sum()


def test_172_candidates_and_nobody_else_has_a_score(scored: Priorities):
    table = scored.table
    candidates = table["coca_ha"] >= 1
    assert candidates.sum() == 172
    for column in ("score", "coverage", "rank", "rank_low", "rank_high", "top_share"):
        assert table.loc[candidates, column].notna().all()
        assert table.loc[~candidates, column].isna().all()
    assert list(scored.contributions.index) == sorted(table.index[candidates])


def test_tumaco_and_tibu(scored: Priorities):
    tumaco, tibu = scored.table.loc["52835"], scored.table.loc["54810"]
    assert tumaco["resurgence"] == pytest.approx(0.80, abs=0.005)
    assert tumaco["eradicated_ha"] == pytest.approx(53_562, abs=1)
    assert tumaco["regrown_ha"] == pytest.approx(0.80 * 53_562, rel=0.005)
    assert tumaco["coca_ha"] == pytest.approx(8_833, abs=1)
    assert tibu["coca_ha"] == pytest.approx(19_334, abs=1)
    assert bool(tumaco["vacated"])
    assert tibu["rank"] <= 5


def test_228_municipalities_were_vacated(scored: Priorities):
    assert scored.table["vacated"].sum() == 228
    assert scored.table["farc_events"].sum() == 5_977


def test_contributions_sum_to_the_score(scored: Priorities, zoning: Zoning):
    points = scored.table.loc[scored.contributions.index, "score"]
    assert (scored.contributions.sum(axis=1) - points).abs().max() < 1e-9
    assert points.between(0, 1).all()
    assert (scored.contributions.min() >= 0).all()
    assert (scored.contributions.max() <= 1).all()
    assert list(scored.contributions.columns) == [c.name for c in zoning.criteria]


def test_coverage_is_the_weight_of_the_measures_that_are_known(scored: Priorities, zoning: Zoning):
    known = scored.contributions.notna().to_numpy()
    covered = scored.table.loc[scored.contributions.index, "coverage"]
    np.testing.assert_allclose(covered, known @ zoning.weights, atol=1e-12)
    assert (covered < 1).any()
    blank = scored.table.loc[scored.contributions.index, list(scored.contributions.columns)].isna()
    np.testing.assert_array_equal(blank.to_numpy(), ~known)


def test_no_police_data_lowers_the_coverage_and_is_not_a_far_post(scored: Priorities):
    inside = scored.table.index.str[:2].isin(["15", "23", "25"]) & scored.table["score"].notna()
    assert inside.sum() >= 3
    assert scored.table.loc[inside, ["station_km", "people_beyond"]].isna().all(axis=None)
    assert (scored.table.loc[inside, "coverage"] <= 0.85 + 1e-12).all()


def test_ranks_are_those_of_the_scores(scored: Priorities):
    table = scored.table.dropna(subset=["score"]).sort_values("rank")
    assert table["rank"].tolist() == list(range(1, 173))
    assert table["score"].is_monotonic_decreasing


def test_the_spread_of_ranks(scored: Priorities):
    table = scored.table.dropna(subset=["score"])
    assert (table["rank_low"] <= table["rank_high"]).all()
    assert table["rank_low"].min() == 1
    assert table["rank_high"].max() <= 172
    assert table["top_share"].between(0, 1).all()
    assert table["top_share"].sum() == pytest.approx(20)  # in each draw twenty are among the first twenty
    assert (table["rank_low"] < table["rank_high"]).mean() > 0.9
    within = table["rank"].between(table["rank_low"], table["rank_high"])
    assert within.mean() > 0.9
    assert table.loc[table["rank"] <= 3, "top_share"].min() > 0.9


def test_one_seed_one_result_another_seed_another(joined: Panel, zoning: Zoning, scored: Priorities):
    again = prioritise(joined, zoning, year=2020, draws=200, seed=1)
    pd.testing.assert_frame_equal(again.table, scored.table, check_exact=True)
    other = prioritise(joined, zoning, year=2020, draws=200, seed=2)
    spread = ["rank_low", "rank_high", "top_share"]
    assert not other.table[spread].equals(scored.table[spread])
    pd.testing.assert_frame_equal(other.table.drop(columns=spread), scored.table.drop(columns=spread), check_exact=True)


def test_without_draws_the_spread_is_missing(joined: Panel, zoning: Zoning, scored: Priorities):
    single = prioritise(joined, zoning, year=2020, draws=0, seed=1)
    spread = ["rank_low", "rank_high", "top_share"]
    assert single.table[spread].isna().all(axis=None)
    pd.testing.assert_frame_equal(single.table.drop(columns=spread), scored.table.drop(columns=spread))
    assert (single.draws, single.seed, single.year) == (0, 1, 2020)


def test_certain_weights_and_a_certain_survey_leave_no_spread(joined: Panel, zoning: Zoning):
    table = prioritise(joined, certain(zoning), year=2020, draws=20, seed=3).table.dropna(subset=["score"])
    assert table["rank_low"].tolist() == table["rank_high"].tolist() == table["rank"].tolist()
    assert ((table["rank"] <= 20) == (table["top_share"] == 1)).all()
    assert set(table["top_share"]) == {0, 1}


@pytest.mark.parametrize("draws", [1, 249, 250, 251])
def test_every_draw_counts_whatever_the_batches(joined: Panel, zoning: Zoning, draws: int):
    table = prioritise(joined, zoning, year=2020, draws=draws, seed=1).table
    assert table["top_share"].sum() == pytest.approx(20)
    shares = table["top_share"].dropna() * draws
    np.testing.assert_allclose(shares, shares.round(), atol=1e-9)


def test_the_order_of_rows_does_not_matter(
    bundled: dict[str, Layer], bounds: Boundaries, joined: Panel, zoning: Zoning, scored: Priorities
):
    shuffled = replace(bounds, frame=bounds.frame.sample(frac=1, random_state=4))
    places = joined.places
    where = posts(*zip(places["lon"].iloc[::40], places["lat"].iloc[::40], strict=True))
    left, right = (
        prioritise(
            panel.join(each, tuple(bundled.values()), posts=where, **no_facts()), zoning, year=2020, draws=50, seed=1
        )
        for each in (bounds, shuffled)
    )
    pd.testing.assert_frame_equal(left.table, right.table.reindex(left.table.index), check_exact=True)
    pd.testing.assert_frame_equal(left.contributions, right.contributions, check_exact=True)


@pytest.mark.parametrize("year", [2000, 2025, 1990])
def test_a_year_without_coca_data_is_refused_with_those_there_are(joined: Panel, zoning: Zoning, year: int):
    with pytest.raises(ConfigError) as refused:
        prioritise(joined, zoning, year=year, draws=0, seed=1)
    assert str(year) in str(refused.value)
    assert "2001-2024" in str(refused.value)


@pytest.mark.parametrize("year", [2001, 2010, 2024])
def test_every_year_with_coca_can_be_scored(joined: Panel, zoning: Zoning, year: int):
    table = prioritise(joined, zoning, year=year, draws=5, seed=1).table
    candidates = table["coca_ha"] >= 1
    assert table.loc[candidates, "score"].between(0, 1).all()
    assert table.loc[candidates, "coverage"].between(0, 1).all()
    if year < 2005:  # no trend, no permanence, no resurgence, no population yet
        assert table["coverage"].max() < 0.7


def certain(zoning: Zoning, method: str = "weighted-mean") -> Zoning:
    """Nothing that could be otherwise: one way to score, the weights as given, a survey without error."""
    chance = replace(
        zoning.uncertainty, weight_concentration=math.inf, coca_error=0.0, methods=(method,), rescalings=("stated",)
    )
    return replace(zoning, uncertainty=chance, scoring=replace(zoning.scoring, method=method))


# Ways to score


@pytest.mark.parametrize("method", list(score.Method))
def test_every_method_ranks_and_its_contributions_sum_to_the_score(
    joined: Panel, zoning: Zoning, scored: Priorities, method: score.Method
):
    done = prioritise(joined, certain(zoning, method.value), year=2020, draws=3, seed=1)
    table = done.table.dropna(subset=["score"])
    np.testing.assert_allclose(done.contributions.sum(axis=1), table.loc[done.contributions.index, "score"], atol=1e-9)
    np.testing.assert_array_equal(done.contributions.isna(), scored.contributions.isna())
    assert table["score"].between(0, 1).all()
    assert table["rank_low"].tolist() == table["rank_high"].tolist() == table["rank"].tolist()
    assert done.robustness.ranks.columns[0] == f"{method.value}, stated"
    assert done.robustness.ranks.iloc[:, 0].to_dict() == table["rank"].to_dict()


def test_ways_to_score_agree_in_part(scored: Priorities):
    found = scored.robustness
    assert found.ranks.shape == (172, 15)
    assert (found.agreement.to_numpy().diagonal() == 1).all()
    assert found.agreement.to_numpy().min() > 0.6
    assert 0 < found.shared_top <= 20
    assert set(found.widths) == {"weights", "survey", "method", "all"}
    assert found.widths["all"] > max(found.widths["weights"], found.widths["survey"]) > 0


def test_a_source_of_doubt_that_is_switched_off_moves_nothing(joined: Panel, zoning: Zoning):
    sure = certain(zoning)
    weights_only = replace(sure, uncertainty=replace(sure.uncertainty, weight_concentration=60.0))
    widths = prioritise(joined, weights_only, year=2020, draws=40, seed=1).robustness.widths
    assert (widths["survey"], widths["method"]) == (0, 0)
    assert widths["weights"] == widths["all"] > 0


@pytest.mark.parametrize(("rescale", "same"), [("goalposts", True), ("stated", False)])
def test_goalposts_let_scores_of_different_candidates_compare(joined: Panel, zoning: Zoning, rescale: str, same: bool):
    """Between goalposts the same figures score the same, whoever else is a candidate."""
    every = replace(zoning, scoring=replace(zoning.scoring, rescale=rescale))
    few = replace(every, candidates=replace(every.candidates, minimum_coca_ha=1000.0))
    many, fewer = (
        prioritise(joined, each, year=2020, draws=0, seed=1).table["score"].dropna() for each in (every, few)
    )
    assert len(fewer) < len(many)
    assert np.allclose(many[fewer.index], fewer, atol=1e-12) is same


def test_dropping_a_candidate_may_reverse_others_under_min_max_and_not_between_goalposts(joined: Panel, zoning: Zoning):
    fixed = replace(zoning, scoring=replace(zoning.scoring, rescale="goalposts"))
    assert prioritise(joined, zoning, year=2020, draws=0, seed=1).robustness.reversals.sum() > 0
    assert prioritise(joined, fixed, year=2020, draws=0, seed=1).robustness.reversals.sum() == 0


# Rules on small figures


def small_panel(coca_figures: dict[tuple[str, int], float]) -> Panel:
    codes = [f"0500{n}" for n in range(1, 7)]
    years = range(2008, 2016)
    every = [(code, year) for code in codes for year in years]
    layers = (
        layer(coca.SPEC, coca_figures, years=years),
        layer(eradication.SPEC, dict.fromkeys(every, 30.0)),
        layer(armed.SPEC, {(code, year): float(n) for n, code in enumerate(codes) for year in years}),
        layer(people.POPULATION, dict.fromkeys(every, 10_000.0)),
        layer(people.HOMICIDES, dict.fromkeys(every, 2.0)),
    )
    return panel.join(grid(codes, columns=3), layers, posts=posts((-74.9, 2.0)), **no_facts())


def test_a_country_without_coca_is_told_so(zoning: Zoning):
    with pytest.raises(ConfigError, match="at least 1 ha of coca in 2015") as refused:
        prioritise(small_panel({("05001", 2015): 0.99}), zoning, year=2015, draws=0, seed=1)
    assert "minimum_coca_ha" in str(refused.value)


def test_the_threshold_of_candidates_is_inclusive(zoning: Zoning):
    figures = {("05001", 2015): 1.0, ("05002", 2015): 0.99, ("05003", 2015): 5.0}
    table = prioritise(small_panel(figures), zoning, year=2015, draws=0, seed=1).table
    assert list(table.index[table["score"].notna()]) == ["05001", "05003"]
    assert table["vacated"].tolist() == [False, True, True, True, True, True]


def test_a_measure_that_log_cannot_take_is_named(joined: Panel, tmp_path: Path):
    path = tmp_path / "my.toml"
    path.write_text("[measures.coca_trend_ha_per_year]\nlog = true\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="coca_trend_ha_per_year"):
        prioritise(joined, criteria.load(path), year=2020, draws=0, seed=1)


@pytest.mark.parametrize(("first", "last"), [(1996, 1999), (2016, 2018), (2011, 1_000_000_000)])
def test_a_span_without_events_data_is_refused(zoning: Zoning, joined: Panel, first: int, last: int):
    """Outside the years on record nobody can be said not to have been vacated."""
    outside = replace(zoning, windows=replace(zoning.windows, farc_first=first, farc_last=last))
    with pytest.raises(ConfigError, match=f"found {first}-{last}, the data have 2001-2017"):
        prioritise(joined, outside, year=2020, draws=0, seed=1)


HECTARES = st.lists(st.integers(min_value=0, max_value=1000), min_size=1, max_size=9)


@given(HECTARES, st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0]))
def test_high_cultivation_is_the_fewest_that_hold_the_share(hectares: list[int], share: float):
    coca_ha = pd.Series(hectares, index=[f"{n:05d}" for n in range(len(hectares))], dtype=float)
    taken = high_cultivation(coca_ha, share=share)
    total, slack = sum(hectares), 1e-9 * (1 + sum(hectares))
    assert coca_ha[taken].sum() >= share * total - slack
    assert (coca_ha[taken] > 0).all()
    for fewer in itertools.combinations(hectares, max(int(taken.sum()) - 1, 0)):
        assert sum(fewer) < share * total + slack or total == 0
    assert coca_ha[taken].min() >= coca_ha[~taken].max() or not taken.any() or taken.all()


@given(HECTARES, st.integers(0, 10_000))
def test_high_cultivation_does_not_depend_on_the_order_of_rows(hectares: list[int], seed: int):
    coca_ha = pd.Series(hectares, index=[f"{n:05d}" for n in range(len(hectares))], dtype=float)
    shuffled = coca_ha.sample(frac=1, random_state=seed)
    left, right = high_cultivation(coca_ha, share=0.8), high_cultivation(shuffled, share=0.8)
    assert right.index.equals(shuffled.index)
    assert right.reindex(left.index).tolist() == left.tolist()
    assert left.name == "high_cultivation"


@pytest.mark.parametrize(
    ("hectares", "share", "expected"),
    [
        ([80, 20], 0.8, [True, False]),
        ([79, 21], 0.8, [True, True]),
        ([50, 50], 0.5, [True, False]),
        ([0, 0], 0.8, [False, False]),
        ([float("nan"), 5], 1.0, [False, True]),
        ([1, 0, 1], 1.0, [True, False, True]),
        ([0.1] * 10, 0.8, [True] * 8 + [False] * 2),
        ([0.7, 0.1, 0.2], 0.8, [True, False, True]),
        ([0.1, 0.1, 0.1], 1.0, [True, True, True]),
    ],
)
def test_high_cultivation_by_hand(hectares: list[float], share: float, expected: list[bool]):
    coca_ha = pd.Series(hectares, index=[f"{n:05d}" for n in range(len(hectares))])
    assert high_cultivation(coca_ha, share=share).tolist() == expected


@pytest.mark.parametrize("kind", list(Rescale))
@given(data=st.data())
@settings(max_examples=60)
def test_scores_are_monotone_in_every_measure(scored: Priorities, zoning: Zoning, kind: Rescale, data: st.DataObject):
    """With the scales fitted once, as the draws do, more never lowers the score, or raises it where less counts."""
    names = list(scored.contributions.columns)
    column = data.draw(st.integers(0, len(names) - 1))
    log = data.draw(st.booleans()) and names[column] != "coca_trend_ha_per_year"
    descending = data.draw(st.booleans())
    chosen = replace(zoning.criteria[column], rescale=kind, log=log, descending=descending)
    changed = replace(zoning, criteria=(*zoning.criteria[:column], chosen, *zoning.criteria[column + 1 :]))
    raw = scored.table.loc[scored.contributions.index, names]
    scales = fit(raw, changed)
    row = data.draw(st.integers(0, len(raw) - 1))
    known = raw.to_numpy(dtype=float)
    assume(not np.isnan(known[row, column]))
    top = float(np.nanmax(known[:, column]))
    more = known.copy()
    more[row, column] += data.draw(st.floats(min_value=0, max_value=2 * abs(top) + 1))
    points = [
        score.weighted_mean(np.stack([s(v[:, i]) for i, s in enumerate(scales)], axis=-1), changed.weights)[0]
        for v in (known, more)
    ]
    change = points[1] - points[0]
    assert (change[np.arange(len(raw)) != row] == 0).all()
    assert (-change[row] if descending else change[row]) >= -1e-12


def test_the_score_by_hand(zoning: Zoning):
    """Two measures, three municipalities: min-max without winsorising, weights 3 to 1."""
    names = {"coca_ha": 3.0, "permanence": 1.0}
    chosen = tuple(
        replace(c, weight=names[c.name] / 4, rescale=Rescale.LINEAR, log=False)
        for c in zoning.criteria
        if c.name in names
    )
    plain = replace(zoning, criteria=chosen, scoring=replace(zoning.scoring, winsor=0.0))
    plain = replace(plain, windows=replace(plain.windows, permanence_years=4))
    figures = {
        **{("05001", year): 100.0 for year in range(2012, 2016)},
        **{("05002", year): 50.0 for year in (2014, 2015)},
        ("05003", 2015): 20.0,
    }
    done = prioritise(small_panel(figures), plain, year=2015, draws=0, seed=1)
    # coca_ha: 1, 30/80, 0; permanence: 1, 1/2 and 1/4, hence 1, 1/3 and 0
    assert done.table["score"].dropna().to_dict() == pytest.approx(
        {"05001": 1.0, "05002": 0.75 * 30 / 80 + 0.25 / 3, "05003": 0.0}
    )
    assert done.table["rank"].dropna().tolist() == [1, 2, 3]
    assert done.contributions.loc["05002"].to_dict() == pytest.approx(
        {"coca_ha": 0.75 * 30 / 80, "permanence": 0.25 / 3}
    )


def test_equal_scores_rank_in_the_order_of_codes(zoning: Zoning):
    figures = {(code, year): 10.0 for code in ("05003", "05002") for year in range(2008, 2016)}
    alike = replace(zoning, criteria=tuple(c for c in zoning.criteria if c.name in {"coca_ha", "permanence"}))
    table = prioritise(small_panel(figures), alike, year=2015, draws=0, seed=1).table
    assert table["rank"].dropna().to_dict() == {"05002": 1, "05003": 2}


def test_evidence_is_the_panel(joined: Panel):
    facts = evidence(joined)
    assert facts.coca.index.equals(joined.places.index)
    assert float(facts.coca[2020]["54810"]) == float(joined.years["coca_ha"]["54810", 2020])
    assert float(facts.eradicated[2019]["52835"]) == float(joined.years["eradicated_ha"]["52835", 2019])
    assert facts.area_km2.equals(joined.places["area_km2"])
    assert set(MEASURES) >= {"coca_ha", "resurgence", "station_km"}
