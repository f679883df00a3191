"""Two runs side by side: changes and causes by hand, and that causes always add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import score
from geo.score import Method, Rescale, Scale, fit_scale
from layers.comparison import Comparison, Side, became, compare, events, scale_of

NAMES = ["a", "b", "c"]


def side(
    raw: list[list[float]], weights: dict[str, float], *, scales: dict[str, Scale] | None = None,
    kind: Rescale = Rescale.LINEAR, method: Method = Method.WEIGHTED_MEAN, decimals: int = 20,
) -> Side:  # fmt: skip
    """A run of these measures, its figures rounded as files have them: a row without any measure is no candidate."""
    values = np.array(raw, dtype=float)
    fitted = scales or {name: fit_scale(values[:, j], kind=kind) for j, name in enumerate(weights)}
    unit = np.stack([fitted[name](values[:, j]) for j, name in enumerate(weights)], axis=-1)
    given_ = np.array(list(weights.values()))
    points = score.aggregate(unit, given_, method)
    index = pd.Index([f"0500{n}" for n in range(len(raw))], name="code")
    table = pd.DataFrame(values, index=index, columns=list(weights)).round(decimals).assign(score=points.round(12))
    table["rank"] = pd.Series(score.ranks(points), index).where(~np.isnan(points))
    parts = pd.DataFrame(score.contributions(unit, given_, method), index=index, columns=list(weights)).round(12)
    return Side(table, parts, weights, fitted, method)


def fixed(*names: str) -> dict[str, Scale]:
    """From 0 to 10, whatever the values are."""
    return dict.fromkeys(names, Scale(Rescale.LINEAR, 1.0, 0.0, 10.0))


def told(found: Comparison, code: str = "05000") -> dict[Any, float]:
    """The causes of one municipality's change that are not nothing."""
    parts = zip(found.causes.columns, found.causes.loc[[code]].to_numpy()[0].tolist(), strict=True)
    return {key: part for key, part in parts if abs(part) > 1e-11}


# By hand


def test_a_measure_that_rose_is_the_cause():
    scales, weights = fixed("a", "b"), {"a": 0.5, "b": 0.5}
    before, after = (side([[a, 4], [4, 4]], weights, scales=scales) for a in (2, 8))
    found = compare(before, after, top=1)
    assert [found.table[name]["05000"] for name in ("rank_before", "rank_after", "rank_change")] == [2, 1, 1]
    assert found.table["status"].to_dict() == {"05000": "entered", "05001": "left"}
    assert told(found) == pytest.approx({("a", "value"): 0.3})
    assert told(found, "05001") == {}


def test_a_weight_that_grew_is_the_cause():
    """From half and half to three quarters and one: a at 0.8 gains a fifth, b at 0.4 loses a tenth."""
    before, after = (side([[8, 4]], {"a": a, "b": 1 - a}, scales=fixed("a", "b")) for a in (0.5, 0.75))
    assert told(compare(before, after, top=1)) == pytest.approx({("a", "weight"): 0.2, ("b", "weight"): -0.1})


def test_other_candidates_that_changed_are_the_cause():
    """5 of 0 to 10 is a half; once another has 20 it is a quarter. What doubled and stayed the most: both, in turn."""
    before, after = side([[5], [0], [10]], {"a": 1.0}), side([[5], [0], [20]], {"a": 1.0})
    found = compare(before, after, top=1)
    assert told(found) == pytest.approx({("a", "scale"): -0.25})
    # 20 on the scale of 10 is cut off at 1, and 10 on that of 20 is a half: value is half of 0 and a half.
    assert told(found, "05002") == pytest.approx({("a", "value"): 0.25, ("a", "scale"): -0.25})


def test_value_and_weight_at_once_are_shared_out_at_their_middle():
    """a from 0.2 at a half to 0.8 at three quarters: 0.625 times 0.6, and 0.5 times 0.25."""
    before = side([[2, 4]], {"a": 0.5, "b": 0.5}, scales=fixed("a", "b"))
    after = side([[8, 4]], {"a": 0.75, "b": 0.25}, scales=fixed("a", "b"))
    expected = {("a", "value"): 0.375, ("a", "weight"): 0.125, ("b", "weight"): -0.1}
    assert told(compare(before, after, top=1)) == pytest.approx(expected)


def test_a_measure_that_became_known_is_the_cause_and_the_others_weigh_less():
    """Before: a alone, at 0.4. After: half of 0.4 and half of 0.8."""
    scales, weights = fixed("a", "b"), {"a": 0.5, "b": 0.5}
    before, after = (side([[4, b]], weights, scales=scales) for b in (np.nan, 8))
    expected = {("a", "known"): -0.2, ("b", "known"): 0.4}
    assert told(compare(before, after, top=1)) == pytest.approx(expected)
    assert told(compare(after, before, top=1)) == pytest.approx({key: -part for key, part in expected.items()})
    known, unknown = became(before, after, before.table.index)
    assert known.loc["05000"].to_dict() == {"a": False, "b": True}
    assert not unknown.any(axis=None)


def test_settings_and_knowledge_at_once_are_told_apart():
    """b became known as its weight went from a half to three quarters: without it, the weight would change nothing."""
    scales = fixed("a", "b")
    before = side([[4, np.nan]], {"a": 0.5, "b": 0.5}, scales=scales)
    after = side([[4, 8]], {"a": 0.25, "b": 0.75}, scales=scales)
    # Shares of a: 1 while b is unknown, then 1/2 and 1/4. Weight: half of 0 and -1/4. Knowledge: half of -1/2, -3/4.
    expected = {("a", "weight"): -0.05, ("b", "weight"): 0.1, ("a", "known"): -0.25, ("b", "known"): 0.5}
    assert told(compare(before, after, top=1)) == pytest.approx(expected)


def test_a_measure_of_one_run_only_has_no_weight_in_the_other():
    before = side([[5]], {"a": 1.0}, scales=fixed("a"))
    after = side([[5, 8]], {"a": 0.5, "b": 0.5}, scales=fixed("a", "b"))
    found = compare(before, after, top=1)
    assert told(found) == pytest.approx({("a", "weight"): -0.25, ("b", "weight"): 0.4})
    assert not became(before, after, found.causes.index)[0].any(axis=None)


def test_who_is_a_candidate_in_one_run_only():
    nan, scales = np.nan, fixed("a")
    before = side([[1], [2], [nan], [3], [nan], [0], [0.5]], {"a": 1.0}, scales=scales)
    after = side([[1], [nan], [9], [3], [nan], [0.7], [0.5]], {"a": 1.0}, scales=scales)
    found = compare(before, after, top=1)
    assert found.table["status"].to_dict() == {
        "05002": "entered", "05003": "left", "05005": "moved", "05000": "same rank", "05006": "moved",
        "05001": "no longer candidate", "05004": "outside",
    }  # fmt: skip
    assert compare(before, after, top=9).table["status"][["05000", "05002"]].tolist() == ["stayed", "entered"]
    assert sorted(found.causes.index) == ["05000", "05003", "05005", "05006"]


def test_a_new_candidate_further_down_and_a_municipality_of_one_run_only():
    before = side([[5], [9]], {"a": 1.0}, scales=fixed("a"))
    after = side([[5], [9], [1], [np.nan]], {"a": 1.0}, scales=fixed("a"))
    assert compare(before, after, top=1).table["status"][["05002", "05003"]].tolist() == ["new candidate", "outside"]


def test_figures_that_files_have_rounded_leave_ranks_alone():
    """0.3333333 among the ranks is no longer met once it is written as 0.333333."""
    raw = [[1 / 3], [1 / 7], [2 / 3]]
    before, after = (side([*raw, [last]], {"a": 1.0}, kind=Rescale.RANK, decimals=6) for last in (0.9, 0.1))
    found = compare(before, after, top=1)
    assert told(found) == pytest.approx({("a", "scale"): 1 / 3})


@pytest.mark.parametrize("method", [each for each in Method if each is not Method.WEIGHTED_MEAN])
def test_another_method_is_the_cause_where_nothing_else_changed(method: Method):
    raw, weights = [[2.0, 4.0], [4.0, 1.0], [9.0, 5.0]], {"a": 0.5, "b": 0.5}
    found = compare(side(raw, weights), side(raw, weights, method=method), top=1)
    change = found.table.loc[found.causes.index, "score_change"]
    assert found.causes.xs("change", axis=1, level="cause").abs().to_numpy().max() < 1e-9
    np.testing.assert_allclose(found.causes.sum(axis=1), change, atol=1e-9)


def test_under_one_other_method_the_change_is_told_by_measure():
    weights = {"a": 0.5, "b": 0.5}
    before, after = (side([[2.0, 4.0], [4.0, b], [9.0, 5.0]], weights, method=Method.TOPSIS) for b in (1.0, 3.0))
    found = compare(before, after, top=1)
    assert found.causes.xs("method", axis=1, level="cause").abs().to_numpy().max() == 0
    assert set(events(found.causes)["cause"]) == {"change"}


def test_events_tell_weights_and_knowledge_once_each_and_the_largest_first():
    before = side([[2, 4]], {"a": 0.5, "b": 0.5}, scales=fixed("a", "b"))
    after = side([[8, 4]], {"a": 0.75, "b": 0.25}, scales=fixed("a", "b"))
    rows = events(compare(before, after, top=1).causes)
    assert rows[["code", "cause", "measure"]].to_numpy().tolist() == [["05000", "value", "a"], ["05000", "weight", ""]]
    assert rows["amount"].tolist() == pytest.approx([0.375, 0.025])


def test_nobody_in_both_runs_is_no_error():
    before, after = (side(raw, {"a": 1.0}, scales=fixed("a")) for raw in ([[1.0], [np.nan]], [[np.nan], [1.0]]))
    found = compare(before, after, top=1)
    assert found.causes.empty
    assert events(found.causes).empty


# Whatever the figures

MEASURED = st.one_of(st.just(float("nan")), st.floats(0, 100), st.integers(0, 5).map(float))
WEIGHTS = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda drawn: dict(zip(NAMES, (np.array(drawn) / sum(drawn)).tolist(), strict=True))
)
RUNS = st.lists(st.lists(MEASURED, min_size=3, max_size=3), min_size=6, max_size=6)
KINDS = st.sampled_from([Rescale.LINEAR, Rescale.RANK, Rescale.ZSCORE])


@given(RUNS, RUNS, WEIGHTS, WEIGHTS, KINDS, KINDS)
def test_causes_add_up_to_the_change_and_turn_round(
    one: Any, other: Any, given_: Any, taken: Any, kind: Rescale, another: Rescale
):
    before, after = side(one, given_, kind=kind, decimals=6), side(other, taken, kind=another, decimals=6)
    found, back = compare(before, after, top=2), compare(after, before, top=2)
    codes = found.causes.index
    np.testing.assert_allclose(found.causes.sum(axis=1), found.table.loc[codes, "score_change"], atol=1e-9)
    by_measure = found.causes.T.groupby(level="measure").sum().T
    parts = after.contributions.loc[codes].fillna(0) - before.contributions.loc[codes].fillna(0)
    np.testing.assert_allclose(by_measure[NAMES], parts[NAMES], atol=1e-9)
    np.testing.assert_allclose(found.causes, -back.causes.loc[codes, found.causes.columns], atol=1e-9)
    amounts = events(found.causes).groupby("code")["amount"].sum().reindex(codes, fill_value=0.0)
    np.testing.assert_allclose(amounts, found.table.loc[codes, "score_change"], atol=1e-7)


@given(RUNS, RUNS, WEIGHTS, st.sampled_from(list(Method)), st.sampled_from(list(Method)))
def test_under_any_two_methods_causes_add_up(one: Any, other: Any, given_: Any, method: Method, another: Method):
    before, after = side(one, given_, method=method), side(other, given_, method=another)
    found, back = compare(before, after, top=2), compare(after, before, top=2)
    codes = found.causes.index
    np.testing.assert_allclose(found.causes.sum(axis=1), found.table.loc[codes, "score_change"], atol=1e-9)
    np.testing.assert_allclose(found.causes, -back.causes.loc[codes, found.causes.columns], atol=1e-9)


@given(RUNS, WEIGHTS, KINDS)
def test_a_run_against_itself_has_no_causes(one: Any, given_: Any, kind: Rescale):
    same = side(one, given_, kind=kind, decimals=6)
    found = compare(same, same, top=2)
    assert found.causes.abs().to_numpy().sum() == 0
    assert set(found.table["status"]) <= {"stayed", "same rank", "outside"}


@given(RUNS, RUNS, WEIGHTS)
def test_every_part_has_its_own_reason(one: Any, other: Any, given_: Any):
    """With the same weights none is the weights'; a measure whose figure stayed has no part of value."""
    before, after = side(one, given_), side(other, given_)
    found = compare(before, after, top=2).causes
    assert (found.xs("weight", axis=1, level="cause").abs().to_numpy() < 1e-12).all()
    for name in NAMES:
        same = before.table[name].eq(after.table[name]).reindex(found.index)
        assert (found.loc[same, (name, "value")] == 0).all()


@pytest.mark.parametrize("kind", [Rescale.LINEAR, Rescale.RANK, Rescale.ZSCORE])
def test_a_scale_comes_back_from_what_is_written(kind: Rescale):
    values = np.array([1.0, 2.0, 2.0, 9.0])
    scale = fit_scale(values, kind=kind, winsor=0.1)
    plain = {name: getattr(scale, name) for name in ("log", "unit", "low", "high", "descending")}
    again = scale_of(plain | {"kind": kind.value, "reference": scale.reference.tolist()})
    np.testing.assert_array_equal(again(values), scale(values))
