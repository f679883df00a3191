"""Gi* against its formula written out, planted clusters, chance alone, and sums over neighbours."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm

from geo import coverage, hotspots
from geo.hotspots import getis_ord, neighbours_sum
from tests.geo.made import grid

SIDE = 12


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return coverage.neighbours(grid(SIDE, SIDE))


def codes(n: int) -> pd.Index:
    return pd.Index([f"{place:05d}" for place in range(n)], name="code", dtype=object)


def gi_star(values: npt.NDArray[np.float64], links: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ord and Getis (1995), equation 14b, with the unit itself among its neighbours."""
    weights, n = links + np.eye(len(values)), len(values)
    mean, spread = values.mean(), np.sqrt((values**2).mean() - values.mean() ** 2)
    sums, squares = weights.sum(axis=1), (weights**2).sum(axis=1)
    return np.asarray((weights @ values - mean * sums) / (spread * np.sqrt((n * squares - sums**2) / (n - 1))))


@given(st.integers(4, 15), st.floats(0.1, 0.6), st.integers(0, 10_000))
def test_z_is_that_of_the_formula(n: int, density: float, seed: int):
    rng = np.random.default_rng(seed)
    links = np.triu(rng.uniform(size=(n, n)) < density, k=1).astype(float)
    values = rng.uniform(0, 9, n)
    beside = pd.DataFrame([(codes(n)[i], codes(n)[j]) for i, j in np.argwhere(links)], columns=["left", "right"])
    found = getis_ord(pd.Series(values, index=codes(n)), beside)
    both = links + links.T
    some = both.sum(axis=1) < n - 1  # for one that borders on all others nothing can be said
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = gi_star(values, both)
    np.testing.assert_allclose(found["z"].to_numpy()[some], expected[some], atol=1e-9)
    np.testing.assert_allclose(found["q"], false_discovery_control(found["p"]), atol=1e-12)


@given(st.lists(st.integers(0, 4), min_size=4, max_size=5), st.integers(0, 1023))
def test_p_counts_the_draws_that_are_as_extreme(drawn: list[int], links: int):
    """Every way to draw as many values with replacement, written out."""
    n = len(drawn)
    corners = [pair for place, pair in enumerate(combinations(range(n), 2)) if links >> place & 1]
    beside = pd.DataFrame([(codes(n)[i], codes(n)[j]) for i, j in corners], columns=["left", "right"], dtype=object)
    found = getis_ord(pd.Series(drawn, index=codes(n), dtype=float), beside)
    for place in range(n):
        group = {place, *(i + j - place for i, j in corners if place in (i, j))}
        own = sum(drawn[member] for member in group)
        sums = np.array([sum(draw) for draw in product(drawn, repeat=len(group))])
        expected = min(2 * min((sums >= own).mean(), (sums <= own).mean()), 1.0) if len(set(drawn)) > 1 else 1.0
        assert found["p"].iloc[place] == pytest.approx(expected, abs=1e-9)


def test_p_of_many_even_values_is_near_that_of_the_normal_distribution(pairs: pd.DataFrame):
    """With little skew and many units the published approximation holds, and the two agree."""
    values = pd.Series(np.random.default_rng(8).normal(50, 9, SIDE**2), index=codes(SIDE**2))
    found = getis_ord(values, pairs)
    assert (found["p"] - 2 * norm.sf(found["z"].abs())).abs().max() < 0.05


def test_a_planted_cluster_is_hot_and_a_hole_is_cold(pairs: pd.DataFrame):
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    values = np.full(SIDE**2, 5.0) + np.random.default_rng(3).uniform(-0.5, 0.5, SIDE**2)
    values[(rows < 3) & (columns < 3)] = 9.0
    values[(rows > 8) & (columns > 8)] = 1.0
    spot = getis_ord(pd.Series(values, index=codes(SIDE**2)), pairs)["spot"].to_numpy()
    assert (spot[(rows < 3) & (columns < 3)] == hotspots.HOT).all()
    assert (spot[(rows > 8) & (columns > 8)] == hotspots.COLD).all()
    assert (spot[(rows == 5) | (columns == 6)] == hotspots.NEITHER).all()


def test_chance_alone_makes_few_spots(pairs: pd.DataFrame):
    """With nothing to find, any spot in one of ten maps or so is what was allowed."""
    rng = np.random.default_rng(11)
    maps = [getis_ord(pd.Series(rng.uniform(size=SIDE**2), index=codes(SIDE**2)), pairs) for _ in range(60)]
    assert np.mean([(found["spot"] != hotspots.NEITHER).any() for found in maps]) <= 0.15
    assert np.mean([(found["p"] < 0.05).any() for found in maps]) > 0.9  # without the control nearly every map had one


def test_chance_alone_makes_few_spots_of_skewed_values_too(pairs: pd.DataFrame):
    """As coca is: nothing in five of six units. The normal distribution makes spots on nearly half of these maps."""
    rng = np.random.default_rng(12)
    some, normal = [], []
    for _ in range(60):
        values = np.where(rng.uniform(size=SIDE**2) < 0.17, rng.lognormal(0, 1, SIDE**2), 0.0)
        found = getis_ord(pd.Series(np.log1p(values), index=codes(SIDE**2)), pairs)
        some.append((found["spot"] != hotspots.NEITHER).any())
        normal.append((false_discovery_control(2 * norm.sf(found["z"].abs())) <= 0.05).any())
    assert np.mean(some) <= 0.1
    assert np.mean(normal) > 0.3


def test_where_nothing_differs_nothing_is_a_spot(pairs: pd.DataFrame):
    found = getis_ord(pd.Series(2.0, index=codes(SIDE**2)), pairs)
    assert (found["z"] == 0).all()
    assert (found["spot"] == hotspots.NEITHER).all()


def test_a_missing_value_is_left_out_and_stays_missing(pairs: pd.DataFrame):
    values = pd.Series(np.random.default_rng(5).uniform(size=SIDE**2), index=codes(SIDE**2))
    gone = values.copy()
    gone.iloc[[0, 40]] = np.nan
    found, without = getis_ord(gone, pairs), getis_ord(values.drop(values.index[[0, 40]]), pairs)
    assert found.iloc[[0, 40]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found.drop(values.index[[0, 40]]), without)


def test_the_order_of_rows_does_not_matter_and_all_missing_is_no_error(pairs: pd.DataFrame):
    values = pd.Series(np.random.default_rng(5).uniform(size=SIDE**2), index=codes(SIDE**2))
    shuffled = values.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(getis_ord(shuffled, pairs).loc[values.index], getis_ord(values, pairs))
    assert getis_ord(values * np.nan, pairs).isna().all(axis=None)


def test_an_island_has_only_itself():
    values = pd.Series([9.0, 1.0, 1.0, 1.0], index=codes(4))
    none = pd.DataFrame({"left": [], "right": []}, dtype=object)
    expected = gi_star(np.array([9.0, 1.0, 1.0, 1.0]), np.zeros((4, 4)))
    np.testing.assert_allclose(getis_ord(values, none)["z"].to_numpy(dtype=float), expected)


def test_sums_over_neighbours_by_hand():
    """Three in a row and an island."""
    beside = pd.DataFrame({"left": ["00000", "00001"], "right": ["00001", "00002"]})
    values = pd.DataFrame({"ha": [1.0, 10.0, 100.0, 1000.0], "gap": [1.0, 2.0, np.nan, 4.0]}, index=codes(4))
    found = neighbours_sum(values, beside)
    assert found["ha"].tolist() == [10, 101, 10, 0]
    np.testing.assert_array_equal(found["gap"], [2, np.nan, 2, 0])
