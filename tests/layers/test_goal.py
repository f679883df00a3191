"""The goal of 2018: half of the coca of 2017 by the end of 2023, as published and by municipality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layers.goal import Aim, by_series, made_and_undid, progress
from layers.panel import Panel

AIM = Aim(baseline=2017, target=2023, share=0.5)


def hectares(joined: Panel) -> pd.DataFrame:
    return joined.wide("coca_ha").dropna(axis="columns", how="all")


def test_progress_by_hand():
    coca = pd.DataFrame({2017: [100.0, 100, 100, 0, np.nan], 2020: [75.0, 150, 40, 9, 5]})
    found = progress(coca, AIM, year=2020)
    assert found["goal_ha"].tolist()[:4] == [50, 50, 50, 0]
    assert found["path_ha"].tolist()[:4] == [75, 75, 75, 0]  # half-way there in half the time
    np.testing.assert_array_equal(found["progress"], [0.5, -1, 1.2, np.nan, np.nan])
    assert found["on_path"].tolist()[:4] == [True, False, True, False]
    assert pd.isna(found["on_path"].iloc[4])
    assert found["change_ha"].tolist()[:4] == [-25, 50, -60, 9]


@pytest.mark.parametrize(("year", "path"), [(2016, 100), (2017, 100), (2018, 100 - 50 / 6), (2023, 50), (2024, 50)])
def test_the_way_is_straight_and_ends_at_the_goal(year: int, path: float):
    coca = pd.DataFrame({each: [100.0] for each in range(2016, 2025)})
    assert progress(coca, AIM, year=year)["path_ha"].tolist() == [pytest.approx(path)]


def test_a_year_without_data_is_missing():
    coca = pd.DataFrame({2017: [100.0]})
    assert progress(coca, AIM, year=2023)[["coca_ha", "change_ha", "progress", "on_path"]].isna().all(axis=None)


def test_the_nation_as_published(joined: Panel):
    """171,495 ha in 2017; half of it is 85,748; 2023 stood at 252,572, nearly as far off on the other side."""
    table = by_series(hectares(joined), joined.places["department_code"], AIM, year=2023)
    nation = pd.DataFrame(table.xs("CO", level="place")).to_dict("index")
    printed, summed = nation["printed total"], nation["municipal table"]
    assert (printed["baseline_ha"], printed["coca_ha"]) == (171_495, 252_572)
    assert printed["goal_ha"] == 85_747.5
    assert printed["progress"] == pytest.approx(-81_077 / 85_747.5)
    assert not printed["on_path"]
    assert summed["baseline_ha"] == pytest.approx(171_495, abs=2)
    assert summed["coca_ha"] == pytest.approx(252_572, abs=2)


def test_departments_sum_to_the_nation_and_caqueta_nearly_halved(joined: Panel):
    table = by_series(hectares(joined), joined.places["department_code"], AIM, year=2023).xs("municipal table")
    parts = table.drop(index="CO")
    for column in ("baseline_ha", "goal_ha", "coca_ha", "change_ha"):
        assert parts[column].sum() == pytest.approx(table.at["CO", column])
    assert table["progress"].astype(float)["18"] == pytest.approx(0.9, abs=0.05)
    assert table["progress"].astype(float)["52"] < -0.5
    assert len(parts) == joined.places["department_code"].nunique()


def test_who_made_and_who_undid_it(joined: Panel):
    table = made_and_undid(hectares(joined), AIM, year=2023)
    assert table["share_of_change"].sum() == pytest.approx(1)
    assert table["change_ha"].is_monotonic_increasing
    assert table.index[0] == "18592"  # Puerto Rico, Caquetá
    assert table.index[-1] == "54810"  # Tibú
    assert table["change_ha"].sum() == pytest.approx(252_572 - 171_495, abs=4)


@given(arrays(np.float64, (6, 2), elements=st.integers(0, 5000).map(float)))
def test_parts_of_the_change_sum_to_1_whatever_the_figures(figures):
    coca = pd.DataFrame(figures, columns=[2017, 2020], index=[f"0500{n}" for n in range(6)])
    table = made_and_undid(coca, AIM, year=2020)
    if figures[:, 0].sum() == figures[:, 1].sum():
        assert table["share_of_change"].isna().all()
    else:
        assert table["share_of_change"].sum() == pytest.approx(1)
    assert set(table.index) == set(coca.index)


def test_a_gap_in_one_municipality_is_one_in_its_department_and_the_nation():
    coca = pd.DataFrame({2017: [100.0, np.nan, 50.0], 2023: [50.0, 80.0, 25.0]}, index=["05001", "05002", "08001"])
    departments = pd.Series(["05", "05", "08"], index=coca.index)
    found = by_series(coca, departments, AIM, year=2023).loc["municipal table"]
    assert list(found.index) == ["08"]
    assert made_and_undid(coca, AIM, year=2023)["share_of_change"].isna().all()


def test_a_goal_of_the_baseline_year_itself_is_due_from_then_on():
    coca = pd.DataFrame({2017: [100.0], 2018: [60.0]})
    assert progress(coca, Aim(baseline=2017, target=2017, share=0.5), year=2018)["path_ha"].tolist() == [50]
