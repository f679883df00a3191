"""Arithmetic over years, against scipy and figures worked by hand."""

from __future__ import annotations

import doctest

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import theilslopes

from geo import series
from geo.series import regrown, share_positive, theil_sen

Floats = npt.NDArray[np.float64]

HECTARES = st.floats(0, 1e5, allow_subnormal=False)
CHANGES = st.floats(-1e5, 1e5, allow_subnormal=False)


def tables(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Floats]:
    """A few rows of two to twelve years."""
    shapes = st.tuples(st.integers(1, 4), st.integers(2, 12))
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=elements))


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(series, extraglobs={"np": np}).failed == 0


# Theil-Sen


@pytest.mark.parametrize(
    ("values", "slope"),
    [
        ([3.0, 5.0], 2.0),  # one pair
        ([10.0, 8.0, 6.0, 4.0, 2.0], -2.0),  # a straight line
        ([7.0, 7.0, 7.0], 0.0),
        ([0.0, 1.0, 4.0], 2.0),  # slopes 1, 2 and 3
        ([0.0, 1.0, 2.0, 30.0], 5.5),  # slopes 1, 1, 1, 10, 14.5 and 28: between 1 and 10
        ([0.0, 1.0, 2.0, 3.0, 400.0], 1.0),  # six of the ten slopes are 1, whatever the last year says
    ],
)
def test_the_trend_of_figures_worked_by_hand(values: list[float], slope: float):
    assert float(theil_sen(np.array(values))) == pytest.approx(slope)


@given(tables(CHANGES))
def test_the_trend_is_that_of_scipy(values: Floats):
    expected = [theilslopes(row).slope for row in values]
    np.testing.assert_allclose(theil_sen(values), expected, rtol=1e-9, atol=1e-9)


@given(tables(HECTARES), st.integers(0, 50), st.integers(-1000, 1000))
def test_a_trend_follows_the_unit_and_not_the_level(values: Floats, factor: int, level: int):
    moved = theil_sen(values * factor + level)
    np.testing.assert_allclose(moved, theil_sen(values) * factor, rtol=1e-9, atol=1e-6)


@given(tables(CHANGES))
def test_the_trend_of_the_years_reversed_is_the_opposite(values: Floats):
    np.testing.assert_allclose(theil_sen(values[:, ::-1]), -theil_sen(values), rtol=1e-9, atol=1e-9)


@given(tables(HECTARES), st.data())
def test_one_missing_year_makes_the_trend_and_the_share_of_that_row_missing(values: Floats, data: st.DataObject):
    row = data.draw(st.integers(0, len(values) - 1))
    gap = values.copy()
    gap[row, data.draw(st.integers(0, values.shape[1] - 1))] = np.nan
    for measure in (theil_sen, share_positive):
        assert np.isnan(measure(gap)).tolist() == [place == row for place in range(len(values))]
        others = np.delete(np.arange(len(values)), row)
        np.testing.assert_array_equal(measure(gap)[others], measure(values)[others])


def test_time_is_the_last_axis_however_many_stand_before_it():
    values = np.arange(24.0).reshape(2, 3, 4) ** 2
    for measure in (theil_sen, share_positive):
        assert measure(values).shape == (2, 3)
        assert measure(values)[1, 2] == measure(values[1, 2])
        assert measure(values[0, 0]).shape == ()


# Share of the years


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([0.0, 0.0], 0.0),
        ([0.0, 0.01], 0.5),  # a hundredth of a hectare is some
        ([5.0, 1.0, 2.0], 1.0),
        ([0.0, 3.0, 0.0, 0.0, 9.0, 9.0, 9.0, 0.0, 9.0, 9.0], 0.6),
        ([np.nan, 3.0], np.nan),
        ([np.nan, np.nan], np.nan),
    ],
)
def test_the_share_of_years_with_any(values: list[float], share: float):
    np.testing.assert_equal(float(share_positive(np.array(values))), share)


@given(tables(HECTARES))
def test_the_share_counts_years_and_not_hectares(values: Floats):
    expected = [sum(figure > 0 for figure in row) / len(row) for row in values]
    np.testing.assert_allclose(share_positive(values), expected)


# What has grown back


@pytest.mark.parametrize(
    ("now", "before", "removed", "back"),
    [
        (20_000.0, 23_000.0, 50_000.0, 47_000.0),  # like Tumaco: all but 3,000 ha of what was pulled out stands again
        (400.0, 1_000.0, 600.0, 0.0),  # what was left is what stands
        (300.0, 1_000.0, 600.0, 0.0),  # it fell further than what was pulled out: nothing came back
        (1_000.0, 1_000.0, 600.0, 600.0),  # all came back
        (9_000.0, 1_000.0, 600.0, 600.0),  # what grew beyond that is new, not back
        (700.0, 1_000.0, 600.0, 300.0),  # half
        (5.0, 0.0, 0.0, 0.0),  # nothing pulled out
    ],
)
def test_what_is_back_worked_by_hand(now: float, before: float, removed: float, back: float):
    assert regrown(np.array([now]), np.array([before]), np.array([removed])) == [back]


@given(HECTARES, HECTARES, HECTARES, HECTARES)
def test_what_is_back_lies_within_what_was_removed_and_grows_with_what_stands(
    now: float, before: float, removed: float, more: float
):
    back, later = regrown(np.array([now, now + more]), np.array(before), np.array(removed))
    assert 0 <= back <= later <= removed


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_what_is_back_is_missing_where_any_of_the_three_is(gap: int):
    given_values = [np.array([20.0, 20.0]), np.array([30.0, 30.0]), np.array([40.0, 40.0])]
    given_values[gap] = np.array([np.nan, given_values[gap][1]])
    np.testing.assert_array_equal(regrown(*given_values), [np.nan, 30.0])
