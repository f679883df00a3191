"""Rescaling, the weighted mean and ranks: figures worked by hand, and what must hold for any measures."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, zscore

from geo import score
from geo.errors import ConfigError
from geo.score import Rescale, Scale, fit_scale

Floats = npt.NDArray[np.float64]

AMOUNTS = st.one_of(st.just(0.0), st.floats(1e-3, 1e5).map(lambda x: round(x, 3)), st.integers(0, 20).map(float))
MEASURES = arrays(np.float64, st.integers(2, 20), elements=AMOUNTS)
GAPPY = arrays(np.float64, st.integers(2, 20), elements=st.one_of(AMOUNTS, st.just(np.nan)))
# How, and whether of the logarithm. Goalposts stand still while values move, and have tests of their own.
Kind = tuple[Rescale, bool]
LINEAR, LOG, RANK = (Rescale.LINEAR, False), (Rescale.LINEAR, True), (Rescale.RANK, False)
ZSCORE, LOG_ZSCORE = (Rescale.ZSCORE, False), (Rescale.ZSCORE, True)
FITTED = (LINEAR, LOG, RANK, ZSCORE, LOG_ZSCORE)
KINDS = st.sampled_from(FITTED)
WINSOR = st.sampled_from([0.0, 0.02, 0.1, 0.25])
WEIGHTS = st.lists(st.floats(0.01, 10), min_size=3, max_size=3).map(np.array)
UNITS = st.one_of(st.floats(0, 1), st.just(np.nan))
TABLES = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=UNITS)
WHOLE = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(0, 1))


def rescaled(values: list[float] | Floats, kind: Kind, *, winsor: float = 0.0, descending: bool = False) -> Floats:
    array = np.asarray(values, dtype=float)
    return fit(array, kind, winsor=winsor, descending=descending)(array)


def fit(values: Floats, kind: Kind, *, winsor: float = 0.0, descending: bool = False) -> Scale:
    return fit_scale(values, kind=kind[0], log=kind[1], winsor=winsor, descending=descending, goalposts=(0, 50))


# Rescaling, by hand


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (LINEAR, [2, 4, 6], [0, 0.5, 1]),
        (LINEAR, [-1, 0, 3], [0, 0.25, 1]),
        (LINEAR, [0, np.nan, 10], [0, np.nan, 1]),
        (LOG, [0, 0, 7, 7], [0, 0, 1, 1]),
        (LOG, [0, 1, 3], [0, np.log1p(1 / 2) / np.log1p(3 / 2), 1]),  # the median of 1 and 3 is 2
        (LOG, [1, 3, 7], [0, np.log(6 / 4) / np.log(10 / 4), 1]),  # 1 + x / 3 is 4/3, 6/3 and 10/3
        (RANK, [10, 30, 20], [0, 1, 0.5]),
        (RANK, [0, 0, 5, 9], [1 / 6, 1 / 6, 2 / 3, 1]),  # the two at 0 share ranks 0 and 1 of 0..3
        (RANK, [1, np.nan, 2, 2], [0, np.nan, 0.75, 0.75]),
    ],
)
def test_a_measure_is_rescaled_as_worked_by_hand(kind: Kind, values: list[float], expected: list[float]):
    np.testing.assert_allclose(rescaled(values, kind), expected, atol=1e-12)
    turned = rescaled(values, kind, descending=True)
    np.testing.assert_allclose(turned, 1 - np.array(expected), atol=1e-12)


def test_the_ends_are_drawn_in_to_their_quantiles():
    """Of 0 to 100, a tenth at either end: 10 becomes 0 and 90 becomes 1."""
    scale = fit(np.arange(101.0), LINEAR, winsor=0.1)
    assert (scale.low, scale.high) == pytest.approx((10, 90))
    np.testing.assert_allclose(scale(np.array([0.0, 10, 30, 50, 90, 100, 1e9])), [0, 0, 0.25, 0.5, 1, 1, 1])


def test_the_ends_are_drawn_in_after_the_logarithm():
    values = np.arange(101.0)
    scale = fit(values, LOG, winsor=0.1)
    assert scale.unit == pytest.approx(50.5)
    low, high = np.log1p(10 / 50.5), np.log1p(90 / 50.5)
    np.testing.assert_allclose(scale(values), np.clip((np.log1p(values / 50.5) - low) / (high - low), 0, 1))


def test_a_fitted_scale_takes_values_it_has_not_seen():
    seen = np.array([10.0, 20, 30])
    unseen = np.array([-5.0, 10, 15, 25, 30, 99])
    np.testing.assert_allclose(fit(seen, LINEAR)(unseen), [0, 0, 0.25, 0.75, 1, 1])
    ranked = fit(seen, RANK)(unseen)
    assert (ranked[0], ranked[1], ranked[-2], ranked[-1]) == (0, 0, 1, 1)
    assert (np.diff(ranked) >= 0).all()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", FITTED)
def test_a_measure_that_does_not_differ_is_all_0_as_its_docstring_says(kind: Kind, descending: bool):
    np.testing.assert_array_equal(rescaled([3, 3, np.nan, 3], kind, descending=descending), [0, 0, np.nan, 0])


@pytest.mark.parametrize("kind", FITTED)
def test_a_measure_that_is_missing_everywhere_stays_missing(kind: Kind):
    assert np.isnan(rescaled([np.nan, np.nan], kind)).all()
    assert rescaled([], kind).shape == (0,)


def test_a_logarithm_of_negative_values_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match=r"log = true needs values of 0 or more, found -2.5; take the log"):
        fit(np.array([np.nan, 4.0, -2.5]), LOG)
    assert rescaled([-2.5, 4], LINEAR).tolist() == rescaled([-2.5, 4], RANK).tolist() == [0, 1]


def test_a_range_next_to_nothing_overflows_into_1():
    scale = fit(np.array([0.0, 2e-311]), LINEAR)
    np.testing.assert_array_equal(scale(np.array([0.0, 2e-311, 1.0])), [0, 1, 1])


def test_a_scale_is_a_value():
    scale = fit(np.array([1.0, 2.0]), LINEAR)
    with pytest.raises(dataclasses.FrozenInstanceError):
        scale.low = 5.0  # type: ignore[misc]
    assert scale == Scale(Rescale.LINEAR, 1.5, 1.0, 2.0)
    assert [kind.value for kind in Rescale] == ["linear", "rank", "zscore", "goalposts"]


# Z-scores and goalposts


def test_z_scores_worked_by_hand():
    """2, 4, 4, 4, 5, 5, 7, 9 have the mean 5 and the standard deviation 2: 11 is three of them above."""
    scale = fit(np.array([2.0, 4, 4, 4, 5, 5, 7, 9]), ZSCORE)
    np.testing.assert_allclose(scale(np.array([-1.0, 5, 7, 11, 99])), [0, 0.5, 4 / 6, 1, 1])
    turned = fit(np.array([2.0, 4, 4, 4, 5, 5, 7, 9]), ZSCORE, descending=True)
    np.testing.assert_allclose(turned(np.array([7.0])), [2 / 6])


@given(MEASURES)
def test_z_scores_are_scipys(values: Floats):
    assume(np.ptp(values) > 1e-6 * values.max())
    np.testing.assert_allclose(rescaled(values, ZSCORE), np.clip(0.5 + zscore(values) / 6, 0, 1), atol=1e-9)


def test_goalposts_stand_still_whatever_the_values():
    few, many = np.array([1.0, 2.0]), np.array([30.0, 500.0])
    for log, middle in ((False, 0.5), (True, np.log1p(25 / 0.5) / np.log1p(100))):
        for fitted in (few, many):
            scale = fit(fitted, (Rescale.GOALPOSTS, log))
            np.testing.assert_allclose(scale(np.array([-9.0, 0, 25, 50, 80, np.nan])), [0, 0, middle, 1, 1, np.nan])


@given(AMOUNTS, st.sampled_from([1e-4, 0.01, 100.0]), st.booleans())
def test_goalposts_in_another_unit_give_the_same(value: float, factor: float, log: bool):
    one, other = (
        fit_scale(np.empty(0), kind=Rescale.GOALPOSTS, log=log, goalposts=(2 * unit, 700 * unit))(
            np.array(value * unit)
        )
        for unit in (1.0, factor)
    )
    assert float(one) == pytest.approx(float(other), abs=1e-9)


@pytest.mark.parametrize("goalposts", [None, (1.0, 1.0), (2.0, 1.0)])
def test_goalposts_must_be_there_and_in_order(goalposts: tuple[float, float] | None):
    with pytest.raises(ConfigError, match=r"LOW below HIGH; found"):
        fit_scale(np.array([1.0]), kind=Rescale.GOALPOSTS, goalposts=goalposts)


def test_goalposts_below_0_have_no_logarithm():
    with pytest.raises(ConfigError, match="goalposts of 0 or more, found -1"):
        fit_scale(np.array([1.0]), kind=Rescale.GOALPOSTS, log=True, goalposts=(-1, 1))


# There and back


@given(MEASURES, st.sampled_from([LINEAR, LOG, ZSCORE, LOG_ZSCORE, (Rescale.GOALPOSTS, True)]), st.booleans())
def test_the_inverse_finds_the_value_again(values: Floats, kind: Kind, descending: bool):
    scale = fit(values, kind, descending=descending)
    assume(not scale.flat)
    inside = values[(scale(values) > 1e-9) & (scale(values) < 1 - 1e-9)]
    np.testing.assert_allclose(scale.inverse(scale(inside)), inside, rtol=1e-6, atol=1e-6 * values.max())


def test_the_inverse_of_a_rank_is_a_value_of_that_rank():
    scale = fit(np.array([10.0, 20, 40]), RANK)
    np.testing.assert_allclose(scale.inverse(np.array([0.0, 0.5, 0.75, 1.0, np.nan])), [10, 20, 30, 40, np.nan])


def test_nothing_can_be_inverted_where_nothing_differed():
    assert np.isnan(fit(np.array([3.0, 3.0]), LINEAR).inverse(np.array([0.0, 1.0]))).all()


# Rescaling, any measure


@given(GAPPY, KINDS, WINSOR, st.booleans())
def test_rescaled_values_lie_from_0_to_1_and_missing_ones_stay_missing(values, kind, winsor, descending):
    unit = rescaled(values, kind, winsor=winsor, descending=descending)
    np.testing.assert_array_equal(np.isnan(unit), np.isnan(values))
    known = unit[~np.isnan(unit)]
    assert ((known >= 0) & (known <= 1)).all()


@given(MEASURES, MEASURES, KINDS, WINSOR, st.booleans())
def test_more_never_counts_less_under_a_fixed_scale(fitted, values, kind, winsor, descending):
    scale = fit(fitted, kind, winsor=winsor, descending=descending)
    unit = scale(np.sort(values))
    assert (np.diff(-unit if descending else unit) >= 0).all()


@given(MEASURES, KINDS)
def test_the_least_is_0_and_the_most_1_without_winsorising(values: Floats, kind: Kind):
    assume(np.ptp(values) > 0)
    assume(kind[0] is not Rescale.ZSCORE)
    unit = rescaled(values, kind)
    if kind is not RANK or (np.unique(values, return_counts=True)[1][[0, -1]] == 1).all():
        assert unit[values.argmin()] == 0
        assert unit[values.argmax()] == 1


@given(GAPPY, KINDS, WINSOR, st.booleans(), st.sampled_from([1e-4, 0.01, 2.0, 100.0, 1e4]))
def test_the_unit_of_a_measure_does_not_matter(values, kind, winsor, descending, factor):
    """Hectares or square kilometres: the same scores."""
    before = rescaled(values, kind, winsor=winsor, descending=descending)
    after = rescaled(values * factor, kind, winsor=winsor, descending=descending)
    np.testing.assert_allclose(after, before, atol=1e-7)


@given(arrays(np.float64, st.integers(2, 12), elements=st.integers(0, 50).map(float)), st.integers(-100, 100))
def test_where_zero_stands_does_not_matter_without_a_logarithm(values: Floats, level: int):
    for kind in (LINEAR, RANK, ZSCORE):
        np.testing.assert_allclose(rescaled(values + level, kind), rescaled(values, kind), atol=1e-12)


@given(arrays(np.float64, st.integers(2, 12), elements=st.integers(0, 50).map(float)))
def test_only_the_order_matters_to_rank_and_ties_share_their_place(values: Floats):
    """scipy's mean ranks, from 0 to 1."""
    assume(np.ptp(values) > 0)
    ranked = rescaled(values, RANK)
    np.testing.assert_allclose(ranked, (rankdata(values, method="average") - 1) / (len(values) - 1))
    np.testing.assert_array_equal(ranked, rescaled(np.exp(values / 10), RANK))


@given(GAPPY, KINDS, st.randoms(use_true_random=False))
def test_the_order_of_units_does_not_matter(values: Floats, kind: Kind, random):
    order = np.array(random.sample(range(len(values)), len(values)))
    np.testing.assert_array_equal(rescaled(values[order], kind), rescaled(values, kind)[order])


@given(GAPPY, KINDS)
def test_draws_in_front_are_rescaled_one_by_one(values: Floats, kind: Kind):
    scale = fit(values, kind)
    draws = np.stack([values, values * 2, values / 3])
    np.testing.assert_array_equal(scale(draws), np.stack([scale(draw) for draw in draws]))


# The weighted mean


def test_the_weighted_mean_worked_by_hand():
    unit = np.array([[1.0, 0.0], [0.5, np.nan], [np.nan, np.nan], [0.2, 0.8]])
    found, coverage = score.weighted_mean(unit, np.array([3.0, 1.0]))
    np.testing.assert_allclose(found, [0.75, 0.5, np.nan, 0.35])
    np.testing.assert_allclose(coverage, [1, 0.75, 0, 1])
    parts = score.contributions(unit, np.array([3.0, 1.0]))
    np.testing.assert_allclose(parts, [[0.75, 0], [0.5, np.nan], [np.nan, np.nan], [0.15, 0.2]])


def test_a_unit_known_only_by_measures_without_weight_has_no_score():
    found, coverage = score.weighted_mean(np.array([[np.nan, 0.9], [0.4, 0.9]]), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(found, [np.nan, 0.4])
    np.testing.assert_array_equal(coverage, [0, 1])


@given(TABLES, WEIGHTS)
def test_contributions_sum_to_the_score_and_none_is_missing_that_is_known(unit: Floats, weights: Floats):
    parts = score.contributions(unit, weights)
    found, _ = score.weighted_mean(unit, weights)
    np.testing.assert_array_equal(np.isnan(parts), np.isnan(unit))
    known = ~np.isnan(found)
    np.testing.assert_allclose(np.nansum(parts, axis=1)[known], found[known], rtol=0, atol=1e-9)


@given(TABLES, WEIGHTS)
def test_the_score_is_numpys_average_of_what_is_known_and_lies_between_least_and_most(unit: Floats, weights: Floats):
    found, _ = score.weighted_mean(unit, weights)
    for row, value in zip(unit, found, strict=True):
        known = ~np.isnan(row)
        if not known.any():
            assert np.isnan(value)
            continue
        assert value == pytest.approx(np.average(row[known], weights=weights[known]), abs=1e-12)
        assert row[known].min() - 1e-12 <= value <= row[known].max() + 1e-12


@given(TABLES, WEIGHTS)
def test_the_coverage_is_the_share_of_the_weight_that_is_known(unit: Floats, weights: Floats):
    _, coverage = score.weighted_mean(unit, weights)
    expected = [weights[~np.isnan(row)].sum() / weights.sum() for row in unit]
    np.testing.assert_allclose(coverage, expected, atol=1e-12)


@given(WHOLE, WEIGHTS, st.integers(0, 2), st.floats(0, 1))
def test_a_higher_measure_never_lowers_a_score(unit: Floats, weights: Floats, measure: int, more: float):
    raised = unit.copy()
    raised[:, measure] += more * (1 - raised[:, measure])
    assert (score.weighted_mean(raised, weights)[0] >= score.weighted_mean(unit, weights)[0] - 1e-12).all()


@given(WHOLE, WEIGHTS, st.integers(0, 2))
def test_a_missing_measure_leaves_the_mean_to_the_others_and_lowers_the_coverage(unit, weights, measure):
    gap = unit.copy()
    gap[0, measure] = np.nan
    found, coverage = score.weighted_mean(gap, weights)
    rest = np.delete(np.arange(3), measure)
    assert found[0] == pytest.approx(score.weighted_mean(unit[:1, rest], weights[rest])[0][0])
    assert coverage[0] == pytest.approx(1 - weights[measure] / weights.sum())
    np.testing.assert_array_equal(found[1:], score.weighted_mean(unit, weights)[0][1:])
    np.testing.assert_allclose(coverage[1:], 1)


@given(WHOLE, WEIGHTS)
def test_a_measure_equal_to_the_score_changes_nothing_when_it_goes_missing(unit: Floats, weights: Floats):
    """Missing is not zero: a gap pulls a score neither down nor up."""
    unit[:, 2] = score.weighted_mean(unit[:, :2], weights[:2])[0]
    before = score.weighted_mean(unit, weights)[0]
    unit[:, 2] = np.nan
    np.testing.assert_allclose(score.weighted_mean(unit, weights)[0], before, atol=1e-12)


@given(TABLES, WEIGHTS, st.floats(0.1, 1_000))
def test_weights_count_in_proportion(unit: Floats, weights: Floats, factor: float):
    for before, after in zip(
        score.weighted_mean(unit, weights), score.weighted_mean(unit, weights * factor), strict=True
    ):
        np.testing.assert_allclose(after, before, atol=1e-12)


@given(TABLES, st.lists(WEIGHTS, min_size=1, max_size=4).map(np.array))
def test_each_draw_of_weights_is_scored_as_if_alone(unit: Floats, weights: Floats):
    found, coverage = score.weighted_mean(unit, weights)
    drawn = np.stack([unit * share for share in np.linspace(0.5, 1, len(weights))])
    both, _ = score.weighted_mean(drawn, weights)
    for draw, row in enumerate(weights):
        alone = score.weighted_mean(unit, row)
        np.testing.assert_allclose((found[draw], coverage[draw]), alone, atol=1e-12)
        np.testing.assert_allclose(both[draw], score.weighted_mean(drawn[draw], row)[0], atol=1e-12)


# Ranks


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.2, 0.9, 0.5], [3, 1, 2]),
        ([0.5, 0.5, 0.9, 0.5], [2, 3, 1, 4]),  # equal scores in the order of their rows
        ([np.nan, 0.1, np.nan, 0.2], [3, 2, 4, 1]),  # missing ones last
        ([np.nan, np.nan], [1, 2]),
        ([0.0, -1.0, 1.0], [2, 3, 1]),
        ([], []),
    ],
)
def test_ranks_worked_by_hand(scores: list[float], expected: list[int]):
    found = score.ranks(np.array(scores, dtype=float))
    assert found.tolist() == expected
    assert found.dtype == np.int64


@given(arrays(np.float64, st.integers(1, 20), elements=st.one_of(st.sampled_from([0.0, 0.5]), UNITS)))
def test_ranks_are_1_to_n_and_a_higher_score_has_a_lower_rank(scores: Floats):
    found = score.ranks(scores)
    assert sorted(found) == list(range(1, len(scores) + 1))
    ordered = scores[np.argsort(found)]
    known = ordered[~np.isnan(ordered)]
    assert (np.diff(known) <= 0).all()
    assert not np.isnan(ordered[: len(known)]).any()


def test_many_equal_scores_keep_the_order_of_their_rows():
    """Enough of them that an unstable sort would mix them."""
    assert score.ranks(np.tile([0.5, 0.25], 500)).tolist() == [
        rank for pair in zip(range(1, 501), range(501, 1001), strict=True) for rank in pair
    ]


@given(arrays(np.float64, (3, 5), elements=UNITS))
def test_each_draw_is_ranked_as_if_alone(drawn: Floats):
    np.testing.assert_array_equal(score.ranks(drawn), [score.ranks(row) for row in drawn])
