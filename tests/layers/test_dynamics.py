"""What the coca is doing: classes and changes by hand, their rules on any figures, and the figures of the country."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import coverage
from layers import dynamics
from layers.criteria import Zoning
from layers.dynamics import by_nearness, hot_spot, net_of_replanting, permanence_class, spillover
from layers.panel import Panel
from layers.priority import Priorities

YEARS = list(range(2001, 2016))
ROW = pd.DataFrame({"left": ["00000", "00001"], "right": ["00001", "00002"]})


def history(*rows: str) -> pd.DataFrame:
    """A row of 15 years from 2001: ``o`` coca, ``.`` none, ``?`` not measured."""
    marks = {"o": 5.0, ".": 0.0, "?": np.nan}
    index = pd.Index([f"{place:05d}" for place in range(len(rows))], name="code")
    return pd.DataFrame([[marks[mark] for mark in row] for row in rows], index=index, columns=YEARS)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("...............", "never"),
        ("ooooooooooooooo", "permanent"),
        (".....oooooooooo", "permanent"),  # the last ten years
        ("......ooooooooo", "intermittent"),
        ("..o...o.....o..", "intermittent"),
        (".............o.", "expansion"),  # first seen within the last three years
        ("............ooo", "expansion"),
        ("...........o..o", "intermittent"),  # seen four years ago for the first time
        ("o............oo", "intermittent"),  # seen long ago as well
        ("...........o...", "abandoned"),
        ("oooooooooooo...", "abandoned"),
        (".....o.........", "abandoned"),  # the first year of the window
        ("....o..........", "past"),  # the last year before it
        ("ooooo..........", "past"),
    ],
)
def test_each_class_by_hand(row: str, expected: str):
    found = permanence_class(history(row), year=2015, window_years=10, recent_years=3)
    assert (found.name, found.tolist()) == ("permanence_class", [expected])


@pytest.mark.parametrize("row", ["oooooooooooooo?", ".....?.........", ".......?......."])
def test_a_year_of_the_window_that_is_not_measured_makes_the_class_missing(row: str):
    assert permanence_class(history(row), year=2015, window_years=10, recent_years=3).isna().all()


def test_years_before_the_record_make_the_class_missing_and_later_years_do_not_count():
    rows = history("ooooooooooooooo", "..............o")
    assert permanence_class(rows, year=2009, window_years=10, recent_years=3).isna().all()
    assert permanence_class(rows, year=2014, window_years=10, recent_years=3).tolist() == ["permanent", "never"]


def test_thresholds_can_be_changed():
    row = history("..........o..oo")
    assert permanence_class(row, year=2015, window_years=10, recent_years=3).tolist() == ["intermittent"]
    assert permanence_class(row, year=2015, window_years=10, recent_years=4).tolist() == ["intermittent"]
    assert permanence_class(row, year=2015, window_years=10, recent_years=5).tolist() == ["expansion"]
    assert permanence_class(row, year=2015, window_years=2, recent_years=1).tolist() == ["permanent"]


@given(st.text("o.", min_size=15, max_size=15))
def test_a_class_says_what_it_says(row: str):
    found = permanence_class(history(row), year=2015, window_years=10, recent_years=3).iloc[0]
    window, recent, before = row[-10:], row[-3:], row[:-3]
    assert (found == "never") == ("o" not in row)
    assert (found == "permanent") == ("." not in window)
    assert (found == "expansion") == ("o" in recent and "o" not in before)
    assert (found == "abandoned") == ("o" in window and "o" not in recent)
    assert (found == "past") == ("o" in row and "o" not in window)


def test_classes_of_the_country(joined: Panel):
    coca = joined.wide("coca_ha").loc[:, 2001:2024]
    for year, permanent in ((2017, 129), (2020, 128), (2023, 147)):
        found = permanence_class(coca, year=year, window_years=10, recent_years=3)
        assert found.notna().all()
        assert (found == "permanent").sum() == permanent
        assert set(found[coca[year] > 0]) <= {"permanent", "intermittent", "expansion"}
    ever = (coca.loc[:, :2023] > 0).any(axis=1)
    assert (found == "never").sum() == (~ever).sum() == 803


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("?oooooooooooooo", "permanent"),  # whatever was there in 2001
        ("?...........o..", None),  # first seen within the last three years, or not
        ("?..............", None),
        ("?.o............", None),
        ("?.........o....", "abandoned"),
        ("?....o.......o.", "intermittent"),
        ("oooooooooooooo?", None),
    ],
)
def test_a_gap_before_the_window_hides_only_classes_that_deny_coca_in_it(row: str, expected: str | None):
    found = permanence_class(history(row, "ooooooooooooooo"), year=2015, window_years=10, recent_years=3).iloc[0]
    assert (None if pd.isna(found) else found) == expected


def test_years_in_which_nothing_was_measured_are_not_on_record():
    """A planner's own file of coca from 2006 on, in a panel that begins in 2001."""
    rows = history("?????oooooooooo", "?????..........", "?????.......o..")
    found = permanence_class(rows, year=2015, window_years=10, recent_years=3)
    assert found.tolist() == ["permanent", "never", "expansion"]


# Hot spots


def test_hot_spots_of_2020_are_where_the_coca_is(joined: Panel, scored: Priorities, zoning: Zoning):
    pairs = coverage.neighbours(joined.places)
    density = scored.table["coca_ha_per_km2"]
    found = hot_spot(density, pairs, false_discovery=zoning.hotspots.false_discovery)
    assert found.name == "hot_spot"
    assert set(found) == {"hot", "neither"}
    assert (found == "hot").sum() == 58
    assert (density[found == "hot"] > 0).all()
    assert (found[["54810", "52835", "19050"]] == "hot").all()  # Tibú, Tumaco, Argelia
    assert found["11001"] == "neither"
    assert scored.table.loc[found == "hot", "coca_ha"].sum() > 0.75 * scored.table["coca_ha"].sum()
    fewer = hot_spot(density, pairs, false_discovery=0.001)
    assert set(fewer.index[fewer == "hot"]) < set(found.index[found == "hot"])


def test_without_coca_there_is_no_hot_spot():
    none = pd.Series(0.0, index=["00000", "00001", "00002"])
    assert hot_spot(none, ROW, false_discovery=0.05).tolist() == ["neither"] * 3


# Net of replanting


@given(st.floats(0, 1e5), st.floats(0, 1), st.floats(0, 1))
def test_the_band_lies_between_nothing_and_all(hectares: float, one: float, other: float):
    low, high = sorted((one, other))
    band = net_of_replanting(pd.Series([hectares, np.nan]), low=low, high=high)
    least, most = band.iloc[0]
    assert 0 <= least <= most <= hectares
    assert (least, most) == pytest.approx((hectares * (1 - high), hectares * (1 - low)))
    assert band.iloc[1].isna().all()


# What happens next door


def change(before: list[float], now: list[float]) -> pd.DataFrame:
    return pd.DataFrame({2012: before, 2015: now}, index=["00000", "00001", "00002"])


def eradicated(*hectares: float) -> pd.DataFrame:
    table = pd.DataFrame(0.0, index=["00000", "00001", "00002"], columns=[2013, 2014, 2015])
    return table.add(pd.Series(hectares, index=table.index) / 3, axis=0)


@pytest.mark.parametrize(
    ("before", "now", "displacement", "diffusion"),
    [
        ([10, 100, 10], [20, 60, 15], 15, 0),  # it lost 40, its neighbours gained 15
        ([10, 100, 10], [60, 60, 15], 40, 0),  # they gained more than it lost
        ([10, 100, 10], [5, 60, 8], 0, 7),  # they lost as well
        ([10, 100, 10], [10, 60, 10], 0, 0),
        ([10, 100, 10], [5, 130, 8], np.nan, np.nan),  # its own did not fall
    ],
)
def test_displacement_and_diffusion_by_hand(before, now, displacement, diffusion):
    found = spillover(change(before, now), eradicated(0, 60, 0), ROW, year=2015, years=3, minimum_ha=50)
    assert list(found.table.index) == ["00001"]
    row = found.table.loc["00001"]
    assert row["eradicated_ha"] == pytest.approx(60)
    np.testing.assert_array_equal(row[["displacement_ha", "diffusion_ha"]].astype(float), [displacement, diffusion])
    assert found.national_growth == pytest.approx(sum(now) / sum(before) - 1)


def test_who_lost_little_is_not_looked_at_and_a_gap_next_door_is_no_zero():
    stock = change([10, 100, np.nan], [20, 60, 15])
    found = spillover(stock, eradicated(49, 60, 10), ROW, year=2015, years=3, minimum_ha=50)
    assert list(found.table.index) == ["00001"]
    assert found.table[["neighbours_change_ha", "displacement_ha", "diffusion_ha"]].isna().all(axis=None)


def test_the_country_of_2020_shows_both(joined: Panel):
    """83 of 136 municipalities lost coca; next to some of them it rose, next to others it fell."""
    coca, removed = joined.wide("coca_ha"), joined.wide("eradicated_ha")
    pairs = coverage.neighbours(joined.places)
    found = spillover(coca, removed, pairs, year=2020, years=3, minimum_ha=50)
    table = found.table
    assert len(table) == 136
    assert (table["own_change_ha"] < 0).sum() == 83
    assert (table["displacement_ha"] > 0).any()
    assert (table["diffusion_ha"] > 0).any()
    assert not ((table["displacement_ha"] > 0) & (table["diffusion_ha"] > 0)).any()
    assert found.national_growth == pytest.approx(142_784.7 / 171_496.0 - 1, abs=1e-4)
    tumaco = coca.loc["52835"]
    assert table.at["52835", "own_change_ha"] == pytest.approx(tumaco[2020] - tumaco[2017])
    assert dynamics.PAST == "past"


# Where it was eradicated, next door, and elsewhere


def test_each_municipality_counts_once_by_hand():
    """Four in a row: the second was eradicated, the fourth is nobody's neighbour that was."""
    index = pd.Index([f"{place:05d}" for place in range(4)])
    stock = pd.DataFrame({2012: [10.0, 100, 20, 0], 2015: [30.0, 40, 10, 7]}, index=index)
    removed = pd.DataFrame({2013: [0.0, 60, 0, 9], 2014: 0.0, 2015: 0.0}, index=index)
    beside = pd.DataFrame({"left": index[:3], "right": index[1:]})
    found = by_nearness(stock, removed, beside, year=2015, years=3, minimum_ha=50)
    assert found["municipalities"].tolist() == [1, 2, 1]
    assert found["before_ha"].tolist() == [100, 30, 0]
    assert found["change_ha"].tolist() == [-60, 10, 7]
    np.testing.assert_allclose(found["growth"], [-0.6, 1 / 3, np.nan])


def test_without_eradication_all_is_elsewhere_and_a_gap_is_no_zero():
    removed = eradicated(0, 0, 0)
    found = by_nearness(change([1, 2, 3], [2, 3, np.nan]), removed, ROW, year=2015, years=3, minimum_ha=50)
    assert found["municipalities"].tolist() == [0, 0, 3]
    assert found["before_ha"].tolist() == [0, 0, 6]
    assert found["now_ha"].tolist()[:2] == [0, 0]
    assert found.loc["elsewhere", ["now_ha", "change_ha", "growth"]].isna().all()


@pytest.mark.parametrize(("year", "counts"), [(2017, [151, 236, 735]), (2020, [136, 198, 788]), (2023, [97, 167, 858])])
def test_groups_of_the_country_sum_to_it(joined: Panel, year: int, counts: list[int]):
    coca, removed = joined.wide("coca_ha"), joined.wide("eradicated_ha")
    found = by_nearness(coca, removed, coverage.neighbours(joined.places), year=year, years=3, minimum_ha=50)
    assert found["municipalities"].tolist() == counts
    assert found["now_ha"].sum() == pytest.approx(coca[year].sum())
    assert found["before_ha"].sum() == pytest.approx(coca[year - 3].sum())
