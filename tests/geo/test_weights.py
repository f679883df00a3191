"""Weights from judgements and from the data: published examples to the digits printed there, pymcdm, and by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo import weights
from geo.errors import ConfigError
from geo.weights import Ahp

Floats = npt.NDArray[np.float64]

POSITIVE = st.floats(0.01, 100).map(lambda x: round(x, 3))
SIZES = st.tuples(st.integers(3, 15), st.integers(1, 6))
WHOLE = arrays(np.float64, SIZES, elements=POSITIVE)
GAPPY = arrays(np.float64, SIZES, elements=st.one_of(POSITIVE, st.just(0.0), st.just(np.nan)))
SAATY = st.sampled_from([Fraction(1, n) for n in range(9, 1, -1)] + [Fraction(n) for n in range(1, 10)])


def matrix(rows: str) -> Floats:
    return np.array([[float(Fraction(cell)) for cell in row.split()] for row in rows.strip().splitlines()])


def reciprocal(upper: Sequence[Fraction | float], m: int) -> Floats:
    judged = np.eye(m)
    for (i, j), times in zip(itertools.combinations(range(m), 2), upper, strict=True):
        judged[i, j], judged[j, i] = float(times), 1 / float(times)
    return judged


def min_max(values: Floats) -> Floats:
    return np.asarray((values - values.min(axis=0)) / np.ptp(values, axis=0))


# Judgements in pairs. Saaty prints priorities to three digits, and the consistency ratio to two or three.

# Saaty (1990), How to make a decision, European Journal of Operational Research 48, 9-26: buying a house. Size,
# transportation, neighbourhood, age, yard, modern facilities, general condition, financing.
HOUSE = """
1   5   3   7 6   6   1/3 1/4
1/5 1   1/3 5 3   3   1/5 1/7
1/3 3   1   6 3   4   6   1/5
1/7 1/5 1/6 1 1/3 1/4 1/7 1/8
1/6 1/3 1/3 3 1   1/2 1/5 1/6
1/6 1/3 1/4 4 2   1   1/5 1/6
3   5   1/6 7 5   5   1   1/2
4   7   5   8 6   6   2   1
"""
# Saaty (1977), A scaling method for priorities in hierarchical structures, Journal of Mathematical Psychology 15,
# 234-281: wealth of the USA, USSR, China, France, UK, Japan and West Germany.
WEALTH = """
1   4   9 6   6   5   5
1/4 1   7 5   5   3   4
1/9 1/7 1 1/5 1/5 1/7 1/5
1/6 1/5 5 1   1   1/3 1/3
1/6 1/5 5 1   1   1/3 1/3
1/5 1/3 7 3   3   1   2
1/5 1/4 5 3   3   1/2 1
"""
# Saaty (2008), Decision making with the analytic hierarchy process, International Journal of Services Sciences 1,
# 83-98: how much is drunk in the USA of coffee, wine, tea, beer, sodas, milk and water.
DRINKS = """
1   9 5   2   1   1   1/2
1/9 1 1/3 1/9 1/9 1/9 1/9
1/5 3 1   1/3 1/4 1/3 1/9
1/2 9 3   1   1/2 1   1/3
1   9 4   2   1   2   1/2
1   9 3   1   1/2 1   1/3
2   9 9   3   2   3   1
"""


@pytest.mark.parametrize(
    ("judged", "priorities", "eigenvalue", "ratio"),
    [
        (HOUSE, [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333], "9.669", "0.169"),
        (WEALTH, [0.427, 0.230, 0.021, 0.052, 0.052, 0.123, 0.094], "7.61", "0.08"),
        (DRINKS, [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], None, "0.022"),
    ],
    ids=["house", "wealth", "drinks"],
)
def test_saatys_examples_to_the_digits_printed(judged, priorities, eigenvalue, ratio):
    found = weights.ahp(matrix(judged), force=True)
    # Coffee is 0.1775, which Saaty prints as .177: half a unit of the last digit, and what it takes to say so.
    np.testing.assert_allclose(found.weights, priorities, rtol=0, atol=0.00051)
    assert f"{found.ratio:.{len(ratio) - 2}f}" == ratio
    if eigenvalue is not None:
        assert f"{found.eigenvalue:.{len(eigenvalue) - 2}f}" == eigenvalue


def test_saatys_house_is_refused_with_the_judgement_that_fits_least():
    """Neighbourhood is said to count 6 times as much as condition, to which all else gives nearly the same weight."""
    names = ["size", "transport", "neighbourhood", "age", "yard", "modern", "condition", "financing"]
    with pytest.raises(
        ConfigError, match=r"at most 0.1, found 0.169; least fits neighbourhood over condition: 6 times"
    ):
        weights.ahp(matrix(HOUSE), names=names)
    with pytest.raises(ConfigError, match=r"least fits row 3, column 7: 6 times.*1.13: judge it again, or force"):
        weights.ahp(matrix(HOUSE))


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_judgements_that_never_contradict_each_other_give_the_weights_they_came_from(own: list[float]):
    shares = np.array(own) / sum(own)
    found = weights.ahp(shares[:, None] / shares)
    np.testing.assert_allclose(found.weights, shares, rtol=1e-6)
    assert found.ratio == pytest.approx(0, abs=1e-9)
    assert found.eigenvalue == pytest.approx(len(own))


@given(st.integers(2, 7), st.data())
def test_ahp_is_pymcdms_but_for_the_random_index(m: int, data: st.DataObject):
    from pymcdm.weights.subjective import AHP

    size = m * (m - 1) // 2
    judged = reciprocal(data.draw(st.lists(SAATY, min_size=size, max_size=size)), m)
    found, other = weights.ahp(judged, force=True), AHP(matrix=judged)
    np.testing.assert_allclose(found.weights, other(), rtol=0, atol=1e-9)
    scale = weights.RANDOM_INDEX[m - 1] / AHP.RI_M[m - 1] if m > 2 else 1.0
    assert found.ratio * scale == pytest.approx(other.get_cr(), abs=1e-9)


@given(st.integers(3, 6), st.data())
def test_the_weights_are_an_eigenvector_whatever_is_judged_and_in_whatever_order(m: int, data: st.DataObject):
    size = m * (m - 1) // 2
    judged = reciprocal(data.draw(st.lists(st.floats(1 / 9, 9), min_size=size, max_size=size)), m)
    found = weights.ahp(judged, force=True)
    np.testing.assert_allclose(judged @ found.weights, found.eigenvalue * found.weights, rtol=1e-9)
    assert found.weights.sum() == pytest.approx(1)
    assert found.ratio >= 0
    order = np.array(data.draw(st.permutations(range(m))))
    np.testing.assert_allclose(
        weights.ahp(judged[np.ix_(order, order)], force=True).weights, found.weights[order], rtol=1e-8
    )


def test_two_things_cannot_contradict_each_other_and_one_has_all_the_weight():
    assert weights.ahp(np.array([[1, 4], [0.25, 1]])).weights.tolist() == pytest.approx([0.8, 0.2])
    assert weights.ahp(np.array([[1, 9], [1 / 9, 1]])).ratio == 0
    only = weights.ahp(np.array([[1.0]]))
    assert (only.weights.tolist(), only.ratio) == ([1.0], 0.0)


def test_a_ratio_of_a_tenth_is_the_last_that_is_taken():
    """One judgement t between three things that are else alike: the eigenvalue is 1 + t^(1/3) + t^(-1/3)."""
    times = float(np.exp(3 * np.arccosh((2 + 0.116) / 2)))  # (eigenvalue - 3) / 2 / 0.58 = 0.1
    assert weights.ahp(reciprocal([times * 0.999, 1, 1], 3)).ratio == pytest.approx(0.1, abs=1e-3)
    with pytest.raises(ConfigError, match=r"found 0\.100"):
        weights.ahp(reciprocal([times * 1.001, 1, 1], 3))
    forced = weights.ahp(reciprocal([times * 1.001, 1, 1], 3), force=True)
    assert isinstance(forced, Ahp)
    assert forced.ratio > 0.1


@pytest.mark.parametrize(
    ("judged", "message"),
    [
        (np.ones((2, 3)), r"square matrix, found 2 x 3"),
        (np.ones(3), r"square matrix, found 3;"),
        (np.empty((0, 0)), r"square matrix, found 0 x 0"),
        (np.ones((16, 16)), r"15 things at most, found 16"),
        ([[1, 0], [np.inf, 1]], r"positive numbers; found row 1, column 2: 0, row 2, column 1: inf;"),
        ([[1, np.nan], [2, 1]], r"positive numbers; found row 1, column 2: nan;"),
        ([[1, -2], [-0.5, 1]], r"positive numbers; found row 1, column 2: -2, row 2, column 1: -0.5;"),
        ([[1, 3], [0.5, 1]], r"turned round must be 1 over it; found row 1, column 2: 3, turned round 0.5;"),
        ([[2, 1], [1, 1]], r"found row 1, column 1: 2, turned round 2;"),
    ],
)
def test_a_matrix_of_no_judgements_is_refused_with_the_pair(judged, message: str):
    with pytest.raises(ConfigError, match=message):
        weights.ahp(np.asarray(judged, dtype=float))


def test_the_pair_is_named_where_names_are_known():
    with pytest.raises(ConfigError, match=r"found coca over void: 3, turned round 0.5;"):
        weights.ahp(np.array([[1, 3], [0.5, 1]]), names=["coca", "void"])


# Judgements as they are written


def test_judgements_are_arranged_whichever_way_round_they_are_said():
    expected = matrix("1 3 5\n 1/3 1 2\n 1/5 1/2 1")
    for pairs in (
        [("a", "b", 3), ("a", "c", 5), ("b", "c", 2)],
        [("c", "b", 0.5), ("b", "a", 1 / 3), ("a", "c", 5)],
    ):
        np.testing.assert_allclose(weights.build_judgements(["a", "b", "c"], pairs), expected)


@given(st.integers(1, 8), st.data())
def test_arranged_judgements_are_a_matrix_that_ahp_takes(m: int, data: st.DataObject):
    names = [f"measure {place}" for place in range(m)]
    pairs = []
    for first, second in itertools.combinations(names, 2):
        more, less = data.draw(st.permutations([first, second]))
        pairs.append((more, less, data.draw(st.floats(1, 9))))
    built = weights.build_judgements(names, data.draw(st.permutations(pairs)))
    for more, less, times in pairs:
        assert built[names.index(more), names.index(less)] == pytest.approx(times)
    assert weights.ahp(built, force=True).weights.shape == (m,)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("a", "b", 3)], r"found none of a and c, b and c; say how many times"),
        ([("a", "b", 3), ("a", "c", 1), ("c", "d", 1)], r"must be about a, b, c; found d"),
        ([("a", "a", 1)], r"two different things, found a and a"),
        ([("a", "b", 3), ("b", "a", 0.2)], r"every pair once, found b and a twice"),
        ([("a", "b", 0)], r"a over b must be a positive number of times .* found 0"),
        ([("a", "b", float("nan"))], r"found nan"),
        ([("a", "b", float("inf"))], r"found inf"),
    ],
)
def test_judgements_that_are_incomplete_or_wrong_are_refused_by_name(pairs, message: str):
    with pytest.raises(ConfigError, match=message):
        weights.build_judgements(["a", "b", "c"], pairs)


def test_a_thing_named_twice_is_refused():
    with pytest.raises(ConfigError, match=r"named once, found again a;"):
        weights.build_judgements(["a", "b", "a"], [])


# Entropy


@pytest.mark.parametrize(
    ("values", "expected", "digits"),
    [
        # Xu (2004), A note on the subjective and objective integrated approach to determine attribute weights, European
        # Journal of Operational Research 156, 530-532; as crispyn's tests quote it.
        (
            [[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]],
            [0.4630, 0.3992, 0.1378, 0.0000],
            4,
        ),
        # Zavadskas and Podvezko (2016), Integrated determination of objective criteria weights in MCDM, International
        # Journal of Information Technology & Decision Making 15, 267-283; as crispyn's tests quote it.
        (
            [[3, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]],
            [0.1146, 0.1981, 0.4185, 0.2689],
            4,
        ),
        # Lee and Chang (2018), Comparative analysis of MCDM methods for ranking renewable energy sources in Taiwan,
        # Renewable and Sustainable Energy Reviews 92, 883-896; as crispyn's tests quote it.
        (
            [
                [4550, 30, 6.74, 20, 15, 5, 85, 150, 0.87, 4.76],
                [3005, 60.86, 2.4, 35, 27, 4, 26, 200, 0.17, 4.51],
                [2040, 14.85, 1.7, 90, 25, 5, 26, 500, 0.27, 4.19],
                [3370, 99.4, 3.25, 25.3, 54, 3, 45, 222, 0.21, 3.78],
                [3920, 112.6, 4.93, 11.4, 71.7, 2, 50, 100, 0.25, 4.11],
            ],
            [0.026, 0.154, 0.089, 0.199, 0.115, 0.040, 0.080, 0.123, 0.172, 0.002],
            3,
        ),
    ],
    ids=["Xu 2004", "Zavadskas and Podvezko 2016", "Lee and Chang 2018"],
)
def test_published_entropy_weights_to_the_digits_printed(values, expected, digits: int):
    found = weights.entropy(np.array(values, dtype=float))
    np.testing.assert_array_equal(np.round(found, digits), expected)


def test_entropy_worked_by_hand_and_a_zero_adds_nothing():
    """All at one of four: E = 0. Halves at two: E = ln 2 / ln 4 = 1/2. Alike at all: E = 1."""
    values = np.array([[1.0, 3, 7], [0, 3, 7], [0, 0, 7], [0, 0, 7]])
    np.testing.assert_allclose(weights.entropy(values), [2 / 3, 1 / 3, 0], atol=1e-12)


def test_a_zero_is_where_small_values_go():
    """As a value goes to 0, so does p ln p: the weights must not jump where it arrives. pymcdm takes no zeros."""
    from pymcdm.weights import entropy_weights

    values = np.array([[1.0, 1], [1, 2], [1, 3], [1, 4], [1e-9, 5]])
    arrived = values.copy()
    arrived[-1, 0] = 0
    np.testing.assert_allclose(weights.entropy(arrived), weights.entropy(values), atol=1e-6)
    np.testing.assert_allclose(weights.entropy(values), entropy_weights(values), atol=1e-9)
    with pytest.raises(ValueError, match="positive"):
        entropy_weights(arrived)


@given(WHOLE)
def test_entropy_is_pymcdms_where_nothing_is_missing_or_0(values: Floats):
    from pymcdm.weights import entropy_weights

    assume((np.ptp(values, axis=0) > 0.05 * values.max(axis=0)).any())
    np.testing.assert_allclose(weights.entropy(values), entropy_weights(values), rtol=0, atol=1e-9)


@given(GAPPY, st.lists(st.sampled_from([1e-4, 0.5, 100.0, 1e6]), min_size=6, max_size=6))
def test_the_unit_of_a_measure_does_not_matter_to_entropy(values: Floats, factors: list[float]):
    after = weights.entropy(values * np.array(factors[: values.shape[1]]))
    np.testing.assert_allclose(after, weights.entropy(values), atol=1e-9)


# CRITIC


def test_the_authors_own_example_of_critic():
    """As scikit-criteria's tests quote it. The paper's min-max comes first."""
    # Diakoulaki, Mavrotas and Papayannakis (1995), Computers & Operations Research 22, 763-770.
    eight = np.array(
        [
            [61, 1.08, 4.33],
            [20.7, 0.26, 4.34],
            [16.3, 1.98, 2.53],
            [9.0, 3.29, 1.65],
            [5.4, 2.77, 2.33],
            [4.0, 4.12, 1.21],
            [-6.1, 3.52, 2.10],
            [-34.6, 3.31, 0.98],
        ]
    )
    found = weights.critic(min_max(eight))
    np.testing.assert_allclose(found, [0.20222554, 0.48090173, 0.31687273], rtol=0, atol=5e-9)


def test_critic_of_software_to_the_digits_printed():
    """Tus and Aytac Adali (2019), Opsearch 56, 528-538; as pymcdm's and crispyn's tests quote it. Min-max first."""
    software = np.array(
        [[5000, 3, 3, 4, 3, 2], [680, 5, 3, 2, 2, 1], [2000, 3, 2, 3, 4, 3], [600, 4, 3, 1, 2, 2], [800, 2, 4, 3, 3, 4]]
    )
    expected = [0.157, 0.249, 0.168, 0.121, 0.154, 0.151]
    np.testing.assert_array_equal(np.round(weights.critic(min_max(software)), 3), expected)


@given(WHOLE)
def test_critic_is_pymcdms_where_every_measure_differs(values: Floats):
    from pymcdm.weights import critic_weights

    assume(values.shape[1] > 1)
    assume((np.ptp(values, axis=0) > 0).all())
    unit = min_max(values)
    assume(np.abs(np.corrcoef(unit.T) - 1)[~np.eye(unit.shape[1], dtype=bool)].max() > 1e-6)
    np.testing.assert_allclose(weights.critic(unit), critic_weights(values), rtol=0, atol=1e-9)


def test_critic_worked_by_hand_with_a_gap():
    """The first two are one and the same where both are known, r = 1; the third turns both round, r = -1.

    Conflicts: 0 + 2, 0 + 2, 2 + 2. Standard deviations over what is known: of 0, 1/2, 1 it is 1/2.
    """
    unit = np.array([[0, 0, 1], [0.5, 0.5, 0.5], [1, 1, 0], [np.nan, 0.5, 0.5]])
    with_gap = np.sqrt(0.5 / 3)
    parts = np.array([0.5 * 2, with_gap * 2, with_gap * 4])
    np.testing.assert_allclose(weights.critic(unit), parts / parts.sum())


def test_two_units_or_none_in_common_have_no_correlation():
    """Any two points lie on a line. With r = 0 all that differs is the spread."""
    apart = np.array([[0, np.nan], [1, np.nan], [0.5, np.nan], [np.nan, 0], [np.nan, 1], [np.nan, 0.5]])
    np.testing.assert_allclose(weights.critic(apart), [0.5, 0.5])
    np.testing.assert_allclose(weights.critic(np.array([[0.0, 0.5], [1.0, 0.75]])), [0.8, 0.2])


@given(GAPPY, st.floats(0.01, 100))
def test_critic_of_measures_that_all_grow_alike_does_not_change(values: Floats, factor: float):
    np.testing.assert_allclose(weights.critic(values * factor), weights.critic(values), atol=1e-6)


# Both


@pytest.mark.parametrize("way", [weights.entropy, weights.critic])
@given(values=GAPPY)
def test_weights_sum_to_1_and_are_never_negative_or_missing(way, values: Floats):
    found = way(values)
    assert found.shape == (values.shape[1],)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()


@pytest.mark.parametrize("way", [weights.entropy, weights.critic])
@given(values=GAPPY, data=st.data())
def test_the_order_of_units_and_measures_does_not_matter(way, values: Floats, data: st.DataObject):
    rows = data.draw(st.permutations(range(values.shape[0])))
    columns = data.draw(st.permutations(range(values.shape[1])))
    np.testing.assert_allclose(way(values[rows][:, columns]), way(values)[columns], atol=1e-9)


@pytest.mark.parametrize("way", [weights.entropy, weights.critic])
@given(values=WHOLE, level=st.sampled_from([0.0, 3.0, np.nan]))
def test_a_measure_that_does_not_differ_has_no_weight_and_leaves_the_others_theirs(way, values: Floats, level: float):
    assume((np.ptp(values, axis=0) > 1e-3).any())
    before, after = way(values), way(np.column_stack([values, np.full(len(values), level)]))
    if before.min() < before.max() or len(before) == 1:
        np.testing.assert_allclose(after[:-1], before, atol=1e-9)
        assert after[-1] == 0


@pytest.mark.parametrize("way", [weights.entropy, weights.critic])
@pytest.mark.parametrize(
    "values",
    [
        np.full((5, 3), 2.0),
        np.full((5, 3), np.nan),
        np.zeros((5, 3)),
        np.array([[1.0, 2, 3]]),
        np.empty((0, 3)),
        np.array([[1.0, np.nan, np.nan], [np.nan, 2, np.nan], [np.nan, np.nan, 3]]),
    ],
    ids=["alike", "missing", "nothing", "one unit", "no unit", "one value each"],
)
def test_where_nothing_differs_all_weights_are_equal(way, values: Floats):
    np.testing.assert_allclose(way(values), [1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize("way", [weights.entropy, weights.critic])
def test_a_single_measure_has_all_the_weight(way):
    assert way(np.array([[1.0], [2.0], [4.0]])).tolist() == [1.0]


def test_measures_that_are_one_and_the_same_share_the_weight():
    column = np.array([0.1, 0.7, 0.3, 1.0])
    np.testing.assert_allclose(weights.critic(np.column_stack([column] * 3)), [1 / 3] * 3)
    np.testing.assert_allclose(weights.entropy(np.column_stack([column] * 3)), [1 / 3] * 3)


def test_values_without_a_share_are_refused():
    with pytest.raises(ConfigError, match=r"0 or more, found row 2, column 1: -1;"):
        weights.entropy(np.array([[1.0, 2], [-1, 3]]))
    with pytest.raises(ConfigError, match=r"CRITIC weights need finite values, found row 1, column 2: inf"):
        weights.critic(np.array([[1.0, np.inf], [-1, 3]]))
    for way in (weights.entropy, weights.critic):
        with pytest.raises(ConfigError, match=r"units by measures, found 4 x 0"):
            way(np.empty((4, 0)))
        with pytest.raises(ConfigError, match=r"units by measures, found 4;"):
            way(np.ones(4))


def test_equal_weights():
    assert weights.equal(4).tolist() == [0.25] * 4
    assert weights.equal(1).tolist() == [1.0]
    with pytest.raises(ConfigError, match=r"1 measure or more, found 0"):
        weights.equal(0)
