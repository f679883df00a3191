"""Draws that do what their formula says, the spread of a rank, and how far rankings agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau

from geo import score, uncertainty

Floats = npt.NDArray[np.float64]


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


# Draws of the weights


@given(st.lists(st.floats(0.02, 1), min_size=1, max_size=6), st.floats(1, 500), st.integers(0, 1_000))
def test_drawn_weights_sum_to_one_and_a_weight_of_0_stays_0(weights: list[float], concentration: float, seed: int):
    base = np.array([0.0, *weights]) / sum(weights)
    drawn = uncertainty.draw_weights(base, concentration=concentration, draws=20, rng=generator(seed))
    assert drawn.shape == (20, len(base))
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-12)
    assert (drawn >= 0).all()
    assert (drawn[:, 0] == 0).all()


def test_drawn_weights_have_the_mean_and_the_spread_of_their_formula():
    base, draws = np.array([0.5, 0.3, 0.2, 0.0]), 40_000
    for concentration in (5.0, 50.0):
        drawn = uncertainty.draw_weights(base, concentration=concentration, draws=draws, rng=generator())
        variance = base * (1 - base) / (concentration + 1)
        np.testing.assert_allclose(drawn.mean(axis=0), base, atol=5 * np.sqrt(variance.max() / draws))
        np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.05)


# Draws of the error


def test_drawn_errors_are_lognormal_with_mean_one():
    factors = uncertainty.draw_errors((200, 300), sigma=0.3, rng=generator())
    assert factors.shape == (200, 300)
    assert (factors > 0).all()
    assert factors.mean() == pytest.approx(1, abs=5 * 0.31 / np.sqrt(60_000))
    logs = np.log(factors)
    assert logs.std() == pytest.approx(0.3, rel=0.02)
    assert np.median(logs) == pytest.approx(-0.045, abs=0.01)
    assert np.mean(np.abs(logs + 0.045) < 0.3) == pytest.approx(0.6827, abs=0.01)  # one standard deviation


def test_errors_of_0_leave_what_was_measured():
    assert (uncertainty.draw_errors((3, 4), sigma=0.0, rng=generator()) == 1).all()


def test_errors_of_different_units_and_draws_have_nothing_to_do_with_each_other():
    factors = uncertainty.draw_errors((400, 2), sigma=0.2, rng=generator())
    assert len(np.unique(factors)) == 800
    assert abs(kendalltau(factors[:, 0], factors[:, 1]).statistic) < 0.15


def test_the_same_seed_draws_the_same_and_another_does_not():
    base = np.array([0.6, 0.4])
    for draw in (
        lambda seed: uncertainty.draw_weights(base, concentration=50, draws=9, rng=generator(seed)),
        lambda seed: uncertainty.draw_errors((9, 2), sigma=0.1, rng=generator(seed)),
    ):
        np.testing.assert_array_equal(draw(7), draw(7))
        assert (draw(7) != draw(8)).any()


# The spread of a rank


def test_the_spread_of_a_rank_worked_by_hand():
    """Twenty draws of three units: the first leads in eighteen, the second in two, the third is always last."""
    drawn = np.array([[1, 2, 3]] * 18 + [[2, 1, 3]] * 2)
    low, high, share = uncertainty.rank_spread(drawn, top=1)
    assert low.tolist() == [1, 1, 3]
    assert high.tolist() == [2, 2, 3]
    assert share.tolist() == pytest.approx([0.9, 0.1, 0.0])
    low, high, share = uncertainty.rank_spread(drawn, top=2, level=0.5)
    assert (low.tolist(), high.tolist(), share.tolist()) == ([1, 2, 3], [1, 2, 3], [1, 1, 0])


def test_ninety_of_a_hundred_ranks_lie_between_low_and_high():
    low, high, share = uncertainty.rank_spread(np.arange(1, 101)[:, None], top=10)
    assert (low.item(), high.item(), share.item()) == (5, 95, 0.1)


@given(arrays(np.float64, (15, 6), elements=st.floats(0, 1)), st.integers(1, 6), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_low_and_high_are_ranks_that_occur_and_hold_the_central_share(scores: Floats, top: int, level: float):
    drawn = score.ranks(scores)
    low, high, share = uncertainty.rank_spread(drawn, top=top, level=level)
    for unit in range(6):
        column = drawn[:, unit]
        assert {low[unit], high[unit]} <= set(column.tolist())
        assert np.mean((column >= low[unit]) & (column <= high[unit])) >= level - 1e-9
        assert low[unit] <= np.median(column) <= high[unit]
        assert share[unit] == pytest.approx(sum(rank <= top for rank in column) / 15)
    assert share.sum() == pytest.approx(top)


def test_a_rank_that_never_moves_has_no_spread():
    low, high, share = uncertainty.rank_spread(np.tile([3, 1, 2], (50, 1)), top=2)
    assert low.tolist() == high.tolist() == [3, 1, 2]
    assert share.tolist() == [0, 1, 1]


# Agreement and reversals

RANKINGS = st.integers(2, 9).flatmap(lambda n: st.lists(st.permutations(range(1, n + 1)), min_size=2, max_size=4))


def test_agreement_worked_by_hand():
    """Of the six pairs of four units, the second ranking turns one over and the third all."""
    found = uncertainty.agreement(np.array([[1, 2, 3, 4], [2, 1, 3, 4], [4, 3, 2, 1]]))
    np.testing.assert_allclose(found, [[1, 4 / 6, -1], [4 / 6, 1, -4 / 6], [-1, -4 / 6, 1]])


@given(RANKINGS)
def test_agreement_is_kendalls_tau_as_scipy_has_it(rankings: list[list[int]]):
    found = uncertainty.agreement(np.array(rankings))
    expected = [[kendalltau(one, other).statistic for other in rankings] for one in rankings]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_one_unit_agrees_with_itself():
    assert uncertainty.agreement(np.array([[1], [1]])).tolist() == [[1, 1], [1, 1]]


def test_an_order_that_rests_on_nobody_else_is_never_reversed():
    scores = np.array([0.3, 0.9, 0.1, 0.5])
    assert uncertainty.reversals(lambda places: score.ranks(scores[places]), 4).tolist() == [0, 0, 0, 0]
    assert uncertainty.reversals(lambda places: score.ranks(scores[places]), 1).tolist() == [0]


def test_reversals_are_counted_in_pairs():
    """Without unit 0 the others stand the other way round: three pairs."""

    def ranked(places: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        return score.ranks(places.astype(float) if 0 not in places else -places.astype(float))

    assert uncertainty.reversals(ranked, 4).tolist() == [3, 0, 0, 0]


def test_infinite_concentration_draws_the_weights_themselves():
    drawn = uncertainty.draw_weights(np.array([0.7, 0.3]), concentration=np.inf, draws=3, rng=generator())
    assert drawn.tolist() == [[0.7, 0.3]] * 3
