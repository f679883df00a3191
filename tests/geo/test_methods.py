"""Ways to aggregate: published examples to the digits printed there, pymcdm, and what must hold for any measures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo import score
from geo.score import Method, Rescale

Floats = npt.NDArray[np.float64]

MEASURES = 4
SHARE = st.floats(0, 1).map(lambda x: round(x, 3))
POSITIVE = st.floats(0.001, 1).map(lambda x: round(x, 3))
WHOLE = arrays(np.float64, st.tuples(st.integers(2, 10), st.just(MEASURES)), elements=SHARE)
GAPPY = arrays(
    np.float64, st.tuples(st.integers(1, 10), st.just(MEASURES)), elements=st.one_of(SHARE, SHARE, st.just(np.nan))
)
ROWS = st.lists(POSITIVE, min_size=MEASURES, max_size=MEASURES).map(np.array)
WEIGHTS = ROWS.map(lambda row: row / row.sum())
UNSCALED = st.lists(st.one_of(POSITIVE, st.just(0.0)), min_size=MEASURES, max_size=MEASURES).map(np.array)
FEWER = settings(max_examples=40)  # for each of the methods
EVERY = pytest.mark.parametrize("method", list(Method), ids=[method.value for method in Method])


def vector(values: Floats) -> Floats:
    """Vector normalisation: each column by its Euclidean length, as the examples of TOPSIS have it."""
    return np.asarray(values / np.sqrt((values**2).sum(axis=0)))


def as_it_is(column: Floats, cost: bool = False) -> Floats:
    return column


# Published examples

# Chakraborty, Zavadskas and Antucheviciene (2015), Applications of WASPAS method as a multi-criteria decision-making
# tool, Economic Computation and Economic Cybernetics Studies and Research 49, 5-22, example 2: ten machining cells.
# WASPAS goes from the weighted product (lambda = 0) to the weighted sum (lambda = 1); as scikit-criteria's tests quote
# it. The paper normalises by the best of a column: x / max, and min / x for the first three, which are costs.
CELLS = np.array(
    [
        [581818, 54.49, 3, 5500],
        [595454, 49.73, 3, 4500],
        [586060, 51.24, 3, 5000],
        [522727, 45.71, 3, 5800],
        [561818, 52.66, 3, 5200],
        [543030, 74.46, 4, 5600],
        [522727, 75.42, 4, 5800],
        [486970, 62.62, 4, 5600],
        [509394, 65.87, 4, 6400],
        [513333, 70.67, 4, 6000],
    ]
)
CELL_WEIGHTS = np.array([0.467, 0.160, 0.095, 0.278])


def cells() -> Floats:
    unit: Floats = CELLS.min(axis=0) / CELLS
    unit[:, 3] = CELLS[:, 3] / CELLS[:, 3].max()
    return unit


def test_the_weighted_mean_of_machining_cells_to_the_digits_printed():
    printed = [0.8590, 0.8194, 0.8430, 0.9420, 0.8645, 0.8315, 0.8552, 0.8983, 0.9067, 0.8784]
    found, coverage = score.weighted_mean(cells(), CELL_WEIGHTS)
    # The second is 0.81946: the paper went on from rounded figures.
    np.testing.assert_allclose(found, printed, rtol=0, atol=6e-5)
    assert (coverage == 1).all()


def test_the_geometric_mean_of_machining_cells_to_the_digits_printed():
    printed = [0.8578, 0.8144, 0.8408, 0.9413, 0.8632, 0.8241, 0.8454, 0.8915, 0.8987, 0.8697]
    np.testing.assert_array_equal(np.round(score.geometric_mean(cells(), CELL_WEIGHTS), 4), printed)


def test_the_fighter_aircraft_of_the_authors_of_topsis_to_the_digits_printed():
    """Hwang and Yoon (1981), pages 133-134: speed, range, payload, cost (less is better), reliability and handling."""
    aircraft = np.array(
        [
            [2.0, 1500, 20000, 5.5, 5, 9],
            [2.5, 2700, 18000, 6.5, 3, 5],
            [1.8, 2000, 21000, 4.5, 7, 7],
            [2.2, 1800, 20000, 5.0, 5, 5],
        ]
    )
    found = score.topsis(vector(aircraft) * [1, 1, 1, -1, 1, 1], np.array([0.2, 0.1, 0.1, 0.1, 0.2, 0.3]))
    # The third is 0.61354: the book went on from distances of four digits, 0.0920 / (0.0920 + 0.0580).
    np.testing.assert_allclose(found, [0.643, 0.268, 0.613, 0.312], rtol=0, atol=6e-4)


def test_topsis_of_a_textbook_to_the_digits_printed():
    """Tzeng and Huang (2011), Multiple Attribute Decision Making; as scikit-criteria's tests quote it."""
    values = np.array([[5.0, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]])
    found = score.topsis(vector(values), np.array([0.3, 0.4, 0.3]))
    np.testing.assert_array_equal(np.round(found, 4), [0.5037, 0.6581, 0.7482, 0.3340])


def test_the_mountain_of_the_authors_of_vikor():
    """Opricovic and Tzeng (2004), section 4: the risk (the less the better) and altitude of three climbs."""
    climbs = np.array([[1.0, 3000], [2, 3750], [5, 4500]]) * [-1, 1]
    np.testing.assert_allclose(1 - score.vikor(climbs, np.array([0.5, 0.5])), [1, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("times", "printed"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1], [0.991, 1.000, 0.473, 0.670, 0.000, 0.578]),
        ([2, 2, 2, 2, 1, 1, 1, 1], [1.000, 0.533, 0.552, 0.563, 0.000, 0.686]),
        ([1, 1, 1, 1, 2, 2, 2, 2], [0.684, 1.000, 0.147, 0.554, 0.041, 0.191]),
        ([1, 1, 1, 1, 3.2, 3.2, 3.2, 3.2], [0.668, 1.000, 0.051, 0.588, 0.058, 0.078]),
    ],
)
def test_the_reservoirs_of_the_authors_of_vikor_to_the_digits_printed(times, printed):
    """Opricovic and Tzeng (2007), Extended VIKOR method in comparison with outranking methods, European Journal of
    Operational Research 178, 514-529: six schemes on the Drina; as scikit-criteria's tests quote it.
    """
    schemes = np.array(
        [
            [4184.3, 2914.0, 407.2, 251.0, 195, 244, 15, 2.41],
            [5211.9, 3630.0, 501.7, 308.3, 282, 346, 21, 1.41],
            [5021.3, 3920.5, 504.0, 278.6, 12, 56, 3, 4.42],
            [5566.1, 3957.9, 559.5, 335.3, 167, 268, 16, 3.36],
            [5060.5, 3293.5, 514.1, 284.2, 69, 90, 7, 4.04],
            [4317.9, 2925.9, 432.8, 239.3, 12, 55, 3, 4.36],
        ]
    )
    found = 1 - score.vikor(schemes * [1, -1, 1, 1, -1, -1, -1, 1], np.array(times, dtype=float))
    np.testing.assert_array_equal(np.round(found, 3) + 0.0, printed)


def net_flow(values: Floats, weights: Floats, p: float) -> Floats:
    return 2 * score.promethee(values, weights, p=p) - 1


def test_a_textbook_of_promethee_to_the_digits_printed():
    """Papathanasiou and Ploskas (2018), Multiple Criteria Decision Aid, chapter 3; as pyrepo-mcda's tests quote it.

    Its linear criterion is 0 up to q = 1 and full from p = 2: ``(p V_p - q V_q) / (p - q)`` of two V-shapes. Between
    whole numbers the V-shape of 1 is the usual criterion.
    """
    sites = np.array([[8.0, 7, 2, 1], [5, 3, 7, 5], [7, 5, 6, 4], [9, 9, 7, 3], [11, 10, 3, 7], [6, 9, 5, 4]])
    weights = np.array([0.4, 0.3, 0.1, 0.2])
    for inner in (1, 0):
        linear = 2 * net_flow(sites, weights, 2) - net_flow(sites, weights, inner)
        np.testing.assert_array_equal(np.round(linear, 2), [-0.26, -0.52, -0.22, 0.36, 0.70, -0.06])


def test_promethee_with_the_usual_criterion_to_the_digits_printed():
    """Zhao, Peng and Li (2013), Procedia Computer Science 17, 181-188; as pymcdm's tests quote it."""
    values = np.array([[4.0, 3, 2], [3, 2, 4], [5, 1, 3]])
    np.testing.assert_allclose(net_flow(values, np.array([0.5, 0.3, 0.2]), 0), [0.1, -0.3, 0.2], atol=1e-12)


# pymcdm, which does one matrix at a time, without gaps


@given(WHOLE, WEIGHTS)
def test_the_weighted_mean_is_pymcdms(unit: Floats, weights: Floats):
    from pymcdm.methods import WSM

    other = WSM(as_it_is)(unit, weights, np.ones(MEASURES), validation=False)
    np.testing.assert_allclose(score.weighted_mean(unit, weights)[0], other, rtol=0, atol=1e-9)


@given(WHOLE, WEIGHTS)
def test_the_geometric_mean_is_pymcdms(unit: Floats, weights: Floats):
    from pymcdm.methods import WPM

    other = WPM(as_it_is)(unit, weights, np.ones(MEASURES), validation=False)
    np.testing.assert_allclose(score.geometric_mean(unit, weights), other, rtol=0, atol=1e-9)


@given(WHOLE, WEIGHTS)
def test_topsis_is_pymcdms(unit: Floats, weights: Floats):
    from pymcdm.methods import TOPSIS

    assume((np.ptp(unit, axis=0) > 0).any())
    other = TOPSIS(as_it_is)(unit, weights, np.ones(MEASURES), validation=False)
    np.testing.assert_allclose(score.topsis(unit, weights), other, rtol=0, atol=1e-9)


@given(WHOLE, WEIGHTS, st.floats(0, 1))
def test_vikor_is_pymcdms(unit: Floats, weights: Floats, v: float):
    from pymcdm.methods import VIKOR

    assume((np.ptp(unit, axis=0) > 0).all())
    regrets = weights * (unit.max(axis=0) - unit) / np.ptp(unit, axis=0)
    assume(np.ptp(regrets.sum(axis=1)) > 1e-6)
    assume(np.ptp(regrets.max(axis=1)) > 1e-6)
    other = VIKOR(v=v)(unit, weights, np.ones(MEASURES), validation=False)
    np.testing.assert_allclose(1 - score.vikor(unit, weights, v=v), other, rtol=0, atol=1e-9)


@given(WHOLE, WEIGHTS, st.floats(0.01, 2))
def test_promethee_is_pymcdms(unit: Floats, weights: Floats, p: float):
    from pymcdm.methods import PROMETHEE_II

    types = np.ones(MEASURES)
    usual = PROMETHEE_II("usual")(unit, weights, types, validation=False)
    np.testing.assert_allclose(net_flow(unit, weights, 0), usual, rtol=0, atol=1e-9)
    shaped = PROMETHEE_II("vshape", p=[p] * MEASURES)(unit, weights, types, validation=False)
    np.testing.assert_allclose(net_flow(unit, weights, p), shaped, rtol=0, atol=1e-9)


# Any method


@EVERY
@FEWER
@given(unit=GAPPY, weights=UNSCALED)
def test_scores_lie_from_0_to_1_and_are_missing_only_where_nothing_with_weight_is_known(method, unit, weights):
    assume(weights.sum() > 0)
    found = score.aggregate(unit, weights, method)
    np.testing.assert_array_equal(np.isnan(found), ~((~np.isnan(unit)) & (weights > 0)).any(axis=1))
    known = found[~np.isnan(found)]
    assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all()


@EVERY
@FEWER
@given(unit=GAPPY, weights=UNSCALED)
def test_contributions_of_every_method_sum_to_the_score(method, unit, weights):
    assume(weights.sum() > 0)
    found, parts = score.aggregate(unit, weights, method), score.contributions(unit, weights, method)
    assert parts.shape == unit.shape
    known = ~np.isnan(found)
    np.testing.assert_allclose(np.nansum(parts, axis=1)[known], found[known], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(np.isnan(parts[known]), np.isnan(unit[known]))


@EVERY
@FEWER
@given(unit=WHOLE, weights=WEIGHTS, place=st.integers(0, 9), measure=st.integers(0, MEASURES - 1), more=SHARE)
def test_a_higher_measure_never_lowers_a_score_nor_worsens_its_rank(method, unit, weights, place, measure, more):
    """Between a worst and a best unit that stand still; without them the ideal would move with the raised one."""
    unit = np.vstack([unit, np.zeros(MEASURES), np.ones(MEASURES)])
    place %= len(unit) - 2
    raised = unit.copy()
    raised[place, measure] += more * (1 - raised[place, measure])
    before, after = score.aggregate(unit, weights, method), score.aggregate(raised, weights, method)
    assert after[place] >= before[place] - 1e-9
    others = np.delete(np.arange(len(unit)), place)
    assert (after[others] <= before[others] + 1e-9).all()


@EVERY
@FEWER
@given(unit=WHOLE, weights=WEIGHTS)
def test_who_has_at_least_as_much_of_everything_scores_at_least_as_much(method, unit, weights):
    found = score.aggregate(unit, weights, method)
    ahead = (unit[:, None, :] >= unit[None, :, :]).all(axis=2)
    assert (found[:, None] >= found[None, :] - 1e-9)[ahead].all()


@EVERY
@FEWER
@given(unit=GAPPY, weights=WEIGHTS, measure=st.integers(0, MEASURES - 1))
def test_a_measure_that_all_lack_is_as_if_it_were_not_there(method, unit, weights, measure):
    lacking = unit.copy()
    lacking[:, measure] = np.nan
    rest = np.delete(np.arange(MEASURES), measure)
    expected = score.aggregate(unit[:, rest], weights[rest] / weights[rest].sum(), method)
    np.testing.assert_allclose(score.aggregate(lacking, weights, method), expected, atol=1e-9)


@EVERY
@FEWER
@given(unit=GAPPY, weights=WEIGHTS, measure=st.integers(0, MEASURES - 1))
def test_a_measure_without_weight_is_as_if_it_were_not_there(method, unit, weights, measure):
    without = weights.copy()
    without[measure] = 0
    rest = np.delete(np.arange(MEASURES), measure)
    expected = score.aggregate(unit[:, rest], without[rest], method)
    np.testing.assert_allclose(score.aggregate(unit, without, method), expected, atol=1e-9)


@EVERY
@FEWER
@given(unit=GAPPY, weights=WEIGHTS)
def test_a_unit_of_which_nothing_is_known_changes_nothing_for_others(method, unit, weights):
    joined = np.vstack([unit, np.full(MEASURES, np.nan)])
    found = score.aggregate(joined, weights, method)
    assert np.isnan(found[-1])
    np.testing.assert_allclose(found[:-1], score.aggregate(unit, weights, method), atol=1e-12)


@pytest.mark.parametrize("method", [Method.WEIGHTED_MEAN, Method.GEOMETRIC_MEAN, Method.TOPSIS, Method.PROMETHEE])
@FEWER
@given(unit=WHOLE, weights=WEIGHTS, measure=st.integers(0, MEASURES - 1))
def test_what_one_unit_lacks_leaves_its_score_to_its_other_measures(method, unit, weights, measure):
    """Of VIKOR too, but for the range of regrets that all units span together, which moves with the gap."""
    lacking = unit.copy()
    lacking[0, measure] = np.nan
    rest = np.delete(np.arange(MEASURES), measure)
    expected = score.aggregate(unit[:, rest], weights[rest], method)[0]
    assert score.aggregate(lacking, weights, method)[0] == pytest.approx(expected, abs=1e-9)


@EVERY
@FEWER
@given(unit=GAPPY, weights=WEIGHTS, factor=st.floats(0.01, 100))
def test_weights_count_in_proportion(method, unit, weights, factor):
    before, after = score.aggregate(unit, weights, method), score.aggregate(unit, weights * factor, method)
    np.testing.assert_allclose(after, before, atol=1e-9)


@EVERY
@FEWER
@given(unit=GAPPY, weights=WEIGHTS, data=st.data())
def test_the_order_of_units_and_of_measures_does_not_matter(method, unit, weights, data):
    rows = np.array(data.draw(st.permutations(range(len(unit)))))
    columns = np.array(data.draw(st.permutations(range(MEASURES))))
    found = score.aggregate(unit[rows][:, columns], weights[columns], method)
    np.testing.assert_allclose(found, score.aggregate(unit, weights, method)[rows], atol=1e-9)


# Draws


@EVERY
@FEWER
@given(unit=GAPPY, rows=st.lists(WEIGHTS, min_size=1, max_size=4), data=st.data())
def test_draws_together_are_draws_one_by_one(method, unit, rows, data):
    weights = np.stack(rows)
    drawn = np.stack([unit * data.draw(SHARE) for _ in rows])
    loop = [score.aggregate(unit, row, method) for row in rows]
    np.testing.assert_allclose(score.aggregate(unit, weights, method), loop, atol=1e-12)
    loop = [score.aggregate(each, row, method) for each, row in zip(drawn, rows, strict=True)]
    np.testing.assert_allclose(score.aggregate(drawn, weights, method), loop, atol=1e-12)
    loop = [score.aggregate(each, rows[0], method) for each in drawn]
    np.testing.assert_allclose(score.aggregate(drawn, rows[0], method), loop, atol=1e-12)


@EVERY
@FEWER
@given(unit=GAPPY, rows=st.lists(WEIGHTS, min_size=1, max_size=4), data=st.data())
def test_columns_of_which_one_is_drawn_are_the_stack_that_they_make(method, unit, rows, data):
    weights = np.stack(rows)
    drawn = np.stack([unit[:, 0] * data.draw(SHARE) for _ in rows])
    stack = np.stack([np.column_stack([column, unit[:, 1:]]) for column in drawn])
    columns = [drawn, *unit[:, 1:].T]
    expected = score.aggregate(stack, weights, method)
    np.testing.assert_allclose(score.aggregate(columns, weights, method), expected, atol=1e-12)


# From raw measures


@EVERY
@pytest.mark.parametrize(
    ("kind", "log"), [(Rescale.LINEAR, False), (Rescale.LINEAR, True), (Rescale.RANK, False), (Rescale.ZSCORE, True)]
)
@FEWER
@given(
    raw=arrays(np.float64, st.tuples(st.integers(2, 8), st.just(MEASURES)), elements=st.integers(0, 200).map(float)),
    weights=WEIGHTS,
    factors=st.lists(st.sampled_from([0.25, 1.0, 64.0, 1024.0]), min_size=MEASURES, max_size=MEASURES),
)
def test_the_unit_of_a_measure_does_not_matter(method, kind, log, raw, weights, factors):
    """Hectares or square kilometres, by powers of two, which floats keep exactly: the same scores."""

    def scored(values: Floats) -> Floats:
        columns = [score.fit_scale(column, kind=kind, log=log, winsor=0.02)(column) for column in values.T]
        return score.aggregate(np.column_stack(columns), weights, method)

    np.testing.assert_allclose(scored(raw * np.array(factors)), scored(raw), atol=1e-9)


# By hand


def test_a_zero_makes_a_geometric_mean_0_unless_it_is_floored_missing_or_without_weight():
    unit = np.array([[0.0, 1.0], [0.04, 1.0], [np.nan, 0.5], [0.0, 0.0]])
    even = np.array([1.0, 1.0])
    np.testing.assert_allclose(score.geometric_mean(unit, even), [0, 0.2, 0.5, 0])
    np.testing.assert_allclose(score.geometric_mean(unit, even, floor=0.01), [0.1, 0.2, 0.5, 0.01])
    np.testing.assert_allclose(score.geometric_mean(unit, np.array([0.0, 1.0])), [1, 1, 0.5, 0])
    np.testing.assert_allclose(score.aggregate(unit, even, Method.GEOMETRIC_MEAN), [0.1, 0.2, 0.5, 0.01])


@given(GAPPY, WEIGHTS)
def test_the_geometric_mean_is_never_above_the_weighted_mean(unit: Floats, weights: Floats):
    above, below = score.weighted_mean(unit, weights)[0], score.geometric_mean(unit, weights)
    known = ~np.isnan(above)
    assert (below[known] <= above[known] + 1e-12).all()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Method.WEIGHTED_MEAN, [0.5, 0.5]),
        (Method.GEOMETRIC_MEAN, [0.5, 0.5]),
        (Method.TOPSIS, [0, 0]),  # as near to the best as to the worst, which are one
        (Method.VIKOR, [1, 1]),  # no regrets
        (Method.PROMETHEE, [0.5, 0.5]),  # nobody is ahead
    ],
)
def test_units_that_do_not_differ(method: Method, expected: list[float]):
    np.testing.assert_allclose(score.aggregate(np.full((2, 3), 0.5), np.ones(3), method), expected)


def test_promethee_with_a_gap_worked_by_hand():
    """Of the first measure three are known: ahead of two, of one, of none, hence 1, 1/2, 0. Of the second the two last
    are alike and behind two: 1, 2/3, 1/6, 1/6. The third unit has only the second measure.
    """
    unit = np.array([[0.9, 0.8], [0.5, 0.4], [np.nan, 0.1], [0.1, 0.1]])
    found = score.promethee(unit, np.array([3.0, 1.0]))
    np.testing.assert_allclose(found, [1, (3 / 2 + 2 / 3) / 4, 1 / 6, 1 / 24])
