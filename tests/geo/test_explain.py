"""Explanations of ranks: by hand, against every choice that could be made, and against a fine grid of weights."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from geo import score
from geo.explain import LEAD, needed, weight_change

Floats = npt.NDArray[np.float64]

TENTHS = st.integers(0, 10)
GAPS = st.one_of(st.floats(0, 1), st.just(np.nan))
CLOSE = 2e-5  # leads of LEAD cost more weight where measures differ by a tenth or less


@st.composite
def contests(draw: st.DrawFn, figures: st.SearchStrategy[float] | None = None, most: int = 6):
    """Units, weights, a unit and how many are the first; in tenths and sixtieths, if no other figures are given."""
    n, m = draw(st.integers(2, most)), draw(st.integers(2, 3))
    cells = figures if figures is not None else TENTHS.map(lambda x: x / 10)
    unit = np.array(draw(st.lists(cells, min_size=n * m, max_size=n * m))).reshape(n, m)
    parts = np.array(draw(st.lists(st.integers(0, 10), min_size=m, max_size=m)), dtype=float)
    assume(parts.sum() > 0)
    return unit, parts / parts.sum(), draw(st.integers(0, n - 1)), draw(st.integers(1, n))


def is_inside(unit: Floats, weights: Floats, place: int, top: int) -> bool:
    return bool(score.ranks(score.weighted_mean(unit, weights)[0])[place] <= top)


def leads_of(unit: Floats, weights: Floats, place: int, top: int, *, strict: bool) -> tuple[Floats, Floats, int]:
    """Leads over the others, what each must be, and how many of them are needed."""
    inside = is_inside(unit, weights, place, top)
    others = np.delete(np.arange(len(unit)), place)
    ahead = unit[place] - unit[others]
    helped = (others < place) if inside else (others > place)
    least = np.where(helped & (not strict), 0.0, LEAD)
    return (-ahead if inside else ahead), least, top if inside else len(unit) - top


def nearest_by_every_choice(unit: Floats, weights: Floats, place: int, top: int, *, strict: bool) -> float:
    """The smallest distance over all sets of others that could be passed, each a linear programme; else infinity."""
    leads, least, count = leads_of(unit, weights, place, top, strict=strict)
    m = len(weights)
    found = [np.inf]
    for chosen in map(list, itertools.combinations(range(len(leads)), count)):
        # New weights w and absolute changes t: t >= w - old, t >= old - w.
        rows = np.vstack(
            [
                np.hstack([-leads[chosen], np.zeros((count, m))]),
                np.hstack([np.eye(m), -np.eye(m)]),
                np.hstack([-np.eye(m), -np.eye(m)]),
            ]
        )
        done = linprog(
            np.concatenate([np.zeros(m), np.full(m, 0.5)]),
            A_ub=rows,
            b_ub=np.concatenate([-least[chosen], weights, -weights]),
            A_eq=np.concatenate([np.ones(m), np.zeros(m)])[None],
            b_eq=[1.0],
        )
        if done.status == 0:
            found.append(float(done.fun or 0.0))
    return min(found)


def nearest_on_a_grid(unit: Floats, weights: Floats, place: int, top: int, *, steps: int = 60) -> float:
    """The smallest distance to weights in sixtieths under which the unit has changed sides, in whole numbers."""
    tenths = np.rint(unit * 10).astype(int)
    m = unit.shape[1]
    grid = np.array([w for w in itertools.product(range(steps + 1), repeat=m) if sum(w) == steps])
    points = grid @ tenths.T
    own = points[:, [place]]
    first = np.arange(len(unit)) < place
    rank = 1 + ((points > own) | ((points == own) & first)).sum(axis=1)
    moved = (rank <= top) != is_inside(unit, weights, place, top)
    return float(np.min(np.abs(grid / steps - weights).sum(axis=1)[moved] / 2, initial=np.inf))


# By hand


def test_a_tenth_of_the_weight_brings_the_second_of_two_to_the_front():
    change = weight_change(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.6, 0.4]), 1, top=1)
    assert change is not None
    assert change.way == "in"
    assert change.distance == pytest.approx(0.1 + LEAD / 2, abs=1e-9)  # the first row wins at equal scores
    np.testing.assert_allclose(change.weights, [0.5, 0.5], atol=LEAD)


def test_at_equal_scores_the_first_row_comes_in_already():
    change = weight_change(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.6, 0.4]), 0, top=1)
    assert change is not None
    assert change.distance == pytest.approx(0.1, abs=LEAD)


def test_the_cheaper_of_two_others_is_passed():
    """From 0.3 past 0.8 w1 (0.40) by 0.1 / 1.8 of the weight; past w1 (0.50) it would be 0.1."""
    unit = np.array([[1.0, 0, 0], [0.8, 0, 0], [0, 1.0, 0]])
    change = weight_change(unit, np.array([0.5, 0.3, 0.2]), 2, top=2)
    assert change is not None
    assert change.distance == pytest.approx(0.1 / 1.8, abs=LEAD)
    assert change.weights[2] == pytest.approx(0.2)


def test_a_unit_inside_is_sent_out_by_the_same_amount():
    unit = np.array([[1.0, 0, 0], [0.8, 0, 0], [0, 1.0, 0]])
    change = weight_change(unit, np.array([0.5, 0.3, 0.2]), 1, top=2)
    assert change is not None
    assert change.way == "out"
    assert change.distance == pytest.approx(0.1 / 1.8, abs=LEAD)


def test_who_is_behind_in_every_measure_cannot_come_in():
    unit = np.array([[0.5, 0.5], [0.4, 0.5]])
    assert weight_change(unit, np.array([0.5, 0.5]), 1, top=1) is None
    assert weight_change(unit, np.array([0.5, 0.5]), 0, top=1) is None


def test_a_twin_is_told_apart_by_its_row_whatever_the_weights():
    unit = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert weight_change(unit, np.array([0.5, 0.5]), 1, top=1) is None
    assert weight_change(unit, np.array([0.5, 0.5]), 0, top=1) is None


def test_nobody_leaves_the_first_where_all_are_among_them():
    unit = np.array([[0.5, 0.1], [0.2, 0.9]])
    assert weight_change(unit, np.array([0.5, 0.5]), 0, top=2) is None
    assert weight_change(unit, np.array([0.5, 0.5]), 0, top=5) is None


def test_a_score_that_rests_on_one_measure_does_not_move_with_the_weights():
    """The other has 0.5 whatever the weights: 0.2 w1 + 0.8 w2 reaches that at one half."""
    unit = np.array([[0.5, np.nan], [0.2, 0.8]])
    change = weight_change(unit, np.array([0.6, 0.4]), 1, top=1)
    assert change is not None
    assert change.distance == pytest.approx(0.1, abs=1e-5)


def test_without_any_measure_nothing_helps():
    unit = np.array([[0.5, 0.5], [np.nan, np.nan]])
    assert weight_change(unit, np.array([0.5, 0.5]), 1, top=1) is None


def test_what_each_measure_would_have_to_be():
    unit = np.array([[0.2, 0.6]])
    np.testing.assert_allclose(needed(unit, np.array([0.5, 0.5]), 0, threshold=0.6), [0.6, 1.0])
    np.testing.assert_allclose(needed(unit, np.array([0.5, 0.5]), 0, threshold=0.7), [0.8, np.nan])
    np.testing.assert_allclose(needed(unit, np.array([1.0, 0.0]), 0, threshold=0.7), [0.7, np.nan])


def test_what_a_missing_measure_would_have_to_be_once_measured():
    unit = np.array([[0.4, np.nan]])
    np.testing.assert_allclose(needed(unit, np.array([0.5, 0.5]), 0, threshold=0.5), [0.5, 0.6])


def test_how_far_each_measure_could_fall():
    unit = np.array([[0.9, 0.5]])
    np.testing.assert_allclose(needed(unit, np.array([0.5, 0.5]), 0, threshold=0.5), [0.5, 0.1])
    np.testing.assert_allclose(needed(unit, np.array([0.5, 0.5]), 0, threshold=0.3), [0.1, np.nan])


# By force


@given(contests())
@settings(max_examples=150)
def test_no_choice_of_whom_to_pass_is_cheaper(contest: tuple[Floats, Floats, int, int]):
    """Between what would do if ties were always won where rows allow, and what would do if they never were."""
    unit, weights, place, top = contest
    change = weight_change(unit, weights, place, top=top)
    distance = np.inf if change is None else change.distance
    assert distance >= nearest_by_every_choice(unit, weights, place, top, strict=False) - 1e-6
    assert distance <= nearest_by_every_choice(unit, weights, place, top, strict=True) + 1e-6


@given(contests())
@settings(max_examples=150)
def test_no_weights_on_a_fine_grid_are_closer(contest: tuple[Floats, Floats, int, int]):
    unit, weights, place, top = contest
    change = weight_change(unit, weights, place, top=top)
    distance = np.inf if change is None else change.distance
    assert nearest_on_a_grid(unit, weights, place, top) >= distance - CLOSE


@pytest.mark.parametrize("seed", range(8))
def test_a_mixed_integer_programme_finds_no_closer_weights(seed: int):
    """30 units, 5 measures: too many choices to try each."""
    rng = np.random.default_rng(seed)
    unit, weights = rng.random((30, 5)), rng.dirichlet(np.full(5, 4.0))
    place, top = int(rng.integers(30)), 8
    leads, least, count = leads_of(unit, weights, place, top, strict=False)
    largest = least - leads.min(axis=1)
    rows = np.hstack([leads, -leads, -np.diag(largest)])
    whole = np.concatenate([np.zeros(10), np.ones(29)])
    balance = np.concatenate([np.ones(5), -np.ones(5), np.zeros(29)])
    done = milp(
        np.concatenate([np.ones(5), np.zeros(34)]),
        integrality=whole,
        bounds=Bounds(np.zeros(39), np.concatenate([1 - weights, weights, np.ones(29)])),
        constraints=[
            LinearConstraint(rows, least - largest - leads @ weights, np.inf),
            LinearConstraint(np.vstack([balance, whole]), [0, count], [0, np.inf]),
        ],
        options={"mip_rel_gap": 0.0},
    )
    change = weight_change(unit, weights, place, top=top)
    assert (change is None) == (done.x is None)
    if change is not None:
        assert change.distance == pytest.approx(done.fun, abs=1e-5)


# What must hold for any figures


@given(contests(GAPS, most=10))
@settings(max_examples=100)
def test_the_new_weights_do_what_they_claim(contest: tuple[Floats, Floats, int, int]):
    unit, weights, place, top = contest
    change = weight_change(unit, weights, place, top=top)
    if change is None:
        return
    before = is_inside(unit, weights, place, top)
    assert change.way == ("out" if before else "in")
    assert is_inside(unit, change.weights, place, top) is not before
    assert change.weights.sum() == pytest.approx(1)
    assert (change.weights >= 0).all()
    assert 0 < change.distance <= 1 + 1e-9
    assert change.distance == pytest.approx(np.abs(change.weights - weights).sum() / 2)


@given(contests(GAPS), st.floats(0.0, 1.0))
@settings(max_examples=200)
def test_what_is_needed_gives_the_threshold(contest: tuple[Floats, Floats, int, int], threshold: float):
    unit, weights, place, _ = contest
    values = needed(unit, weights, place, threshold=threshold)
    assert values.shape == weights.shape
    for j in np.flatnonzero(~np.isnan(values)):
        changed = unit.copy()
        changed[place, j] = values[j]
        assert score.weighted_mean(changed, weights)[0][place] == pytest.approx(threshold, abs=1e-6)


@given(contests(GAPS), st.floats(0.0, 1.0))
@settings(max_examples=200)
def test_nothing_is_needed_that_no_value_gives(contest: tuple[Floats, Floats, int, int], threshold: float):
    unit, weights, place, _ = contest
    values = needed(unit, weights, place, threshold=threshold)
    for j in np.flatnonzero(np.isnan(values) & (weights > 0)):
        changed = np.repeat(unit[[place]], 2, axis=0)
        changed[:, j] = [0.0, 1.0]
        low, high = score.weighted_mean(changed, weights)[0]
        assert not low <= threshold <= high
