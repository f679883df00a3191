"""Each measure against figures worked out by hand, what a missing year does to it, and draws stacked as tall frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers import measures

NAN = float("nan")


def wide(rows: dict[str, list[float]], *, first: int) -> pd.DataFrame:
    years = range(first, first + len(next(iter(rows.values()))))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(years), dtype=float)


def same(measured: pd.Series, name: str, expected: dict[str, float]) -> None:
    pd.testing.assert_series_equal(measured, pd.Series(expected, name=name, dtype=float))


COCA = wide({"a": [10, 20, 0, 40], "b": [0, 0, 0, 0], "c": [5, NAN, 5, 8]}, first=2017)


def test_coca_ha():
    same(measures.coca_ha(COCA, year=2020), "coca_ha", {"a": 40, "b": 0, "c": 8})
    same(measures.coca_ha(COCA, year=2018), "coca_ha", {"a": 20, "b": 0, "c": NAN})


def test_density_is_found_by_label_and_not_by_place():
    area = pd.Series({"c": 16.0, "b": 3.0, "a": 80.0})
    same(measures.coca_ha_per_km2(COCA, area, year=2020), "coca_ha_per_km2", {"a": 0.5, "b": 0, "c": 0.5})


def test_trend_is_the_median_of_all_slopes():
    # a, 2018-2020: (0-20)/1, (40-20)/2, (40-0)/1 = -20, 10, 40
    measured = measures.coca_trend_ha_per_year(COCA, year=2020, years=3)
    same(measured, "coca_trend_ha_per_year", {"a": 10, "b": 0, "c": NAN})
    # a, 2017-2020: 10, -5, 10, -20, 10, 40, sorted -20 -5 10 10 10 40
    measured = measures.coca_trend_ha_per_year(COCA, year=2020, years=4)
    same(measured, "coca_trend_ha_per_year", {"a": 10, "b": 0, "c": NAN})


def test_one_odd_year_does_not_bend_the_trend():
    coca = wide({"a": [10, 20, 9000, 40, 50]}, first=2016)
    assert measures.coca_trend_ha_per_year(coca, year=2020, years=5)["a"] == pytest.approx(10)


def test_permanence_is_the_share_of_years_with_any():
    same(measures.permanence(COCA, year=2020, years=4), "permanence", {"a": 0.75, "b": 0, "c": NAN})
    same(measures.permanence(COCA, year=2020, years=2), "permanence", {"a": 0.5, "b": 0, "c": 1})
    same(measures.permanence(COCA, year=2018, years=2), "permanence", {"a": 1, "b": 0, "c": NAN})


@pytest.mark.parametrize("measure", [measures.coca_trend_ha_per_year, measures.permanence, measures.eradicated_ha])
def test_a_window_that_begins_before_the_data_is_missing(measure: Callable[..., pd.Series]):
    assert measure(COCA, year=2020, years=5).isna().all()
    assert measure(COCA, year=2020, years=4).notna().tolist() == [True, True, False]
    assert measure(COCA, year=2021, years=2).isna().all()


def test_eradicated_ha():
    pulled = wide({"a": [100, 1, 2, 3], "b": [0, 0, 0, 0], "c": [1, 1, NAN, 1]}, first=2017)
    same(measures.eradicated_ha(pulled, year=2020, years=3), "eradicated_ha", {"a": 6, "b": 0, "c": NAN})
    same(measures.eradicated_ha(pulled, year=2020, years=1), "eradicated_ha", {"a": 3, "b": 0, "c": 1})


REGROWTH_COCA = wide(
    {
        "tumaco": [19_517, 0, 0, 8_833],
        "stayed out": [200, 0, 0, 100],
        "fell further": [200, 0, 0, 50],
        "grew besides": [100, 0, 0, 300],
        "too little": [100, 0, 0, 100],
        "just enough": [100, 0, 0, 75],
        "never pulled": [100, 0, 0, 100],
        "before unknown": [NAN, 0, 0, 100],
        "now unknown": [100, 0, 0, NAN],
        "pulled unknown": [100, 0, 0, 100],
    },
    first=2017,
)
PULLED = wide(
    {
        "tumaco": [0, 10_000, 20_000, 23_562],
        "stayed out": [0, 50, 25, 25],
        "fell further": [0, 50, 25, 25],
        "grew besides": [0, 50, 25, 25],
        "too little": [900, 20, 20, 9.99],
        "just enough": [900, 20, 20, 10],
        "never pulled": [0, 0, 0, 0],
        "before unknown": [0, 50, 25, 25],
        "now unknown": [0, 50, 25, 25],
        "pulled unknown": [0, 50, NAN, 25],
    },
    first=2017,
)
BACK = {
    "tumaco": 8_833 - 19_517 + 53_562,
    "stayed out": 0,
    "fell further": 0,
    "grew besides": 100,
    "too little": NAN,
    "just enough": 25,
    "never pulled": NAN,
    "before unknown": NAN,
    "now unknown": NAN,
    "pulled unknown": NAN,
}
REMOVED = {"tumaco": 53_562, "just enough": 50}


def test_regrown_ha():
    measured = measures.regrown_ha(REGROWTH_COCA, PULLED, year=2020, years=3, minimum_ha=50)
    same(measured, "regrown_ha", BACK)


def test_resurgence():
    expected = {name: back / REMOVED.get(name, 100) for name, back in BACK.items()}
    measured = measures.resurgence(REGROWTH_COCA, PULLED, year=2020, years=3, minimum_ha=50)
    same(measured, "resurgence", expected)
    assert measured["tumaco"] == pytest.approx(0.80, abs=0.005)


def test_resurgence_is_missing_where_the_year_before_lies_outside_the_data():
    assert measures.resurgence(REGROWTH_COCA, PULLED, year=2020, years=4, minimum_ha=0).isna().all()
    assert measures.resurgence(REGROWTH_COCA, PULLED, year=2019, years=3, minimum_ha=0).isna().all()


def test_resurgence_of_nothing_is_missing_and_not_zero():
    measured = measures.resurgence(REGROWTH_COCA, PULLED, year=2020, years=3, minimum_ha=0)
    assert pd.isna(measured["never pulled"])
    assert measured["too little"] == pytest.approx(1.0)


HECTARES = st.floats(min_value=0, max_value=1e5)


@given(HECTARES, HECTARES, st.floats(min_value=50, max_value=1e5))
def test_resurgence_lies_between_nothing_and_all(before: float, now: float, removed: float):
    coca, pulled = wide({"a": [before, now]}, first=2019), wide({"a": [0, removed]}, first=2019)
    share = measures.resurgence(coca, pulled, year=2020, years=1, minimum_ha=50)["a"]
    assert 0 <= share <= 1
    more = wide({"a": [before, now + 1]}, first=2019)
    assert measures.resurgence(more, pulled, year=2020, years=1, minimum_ha=50)["a"] >= share


EVENTS = wide({"a": [9, 1, 2, 3, 2, 9], "b": [0, 0, 0, 0, 0, 0], "c": [1, 1, NAN, 1, 1, 1]}, first=2010)
PEOPLE = wide({"a": [10_000, 12_000, 14_000], "b": [5_000, 5_000, 5_000], "c": [1, 1, 1]}, first=2012)


def test_farc_events_of_a_span():
    same(measures.farc_events(EVENTS, first=2011, last=2014), "farc_events", {"a": 8, "b": 0, "c": NAN})
    same(measures.farc_events(EVENTS, first=2010, last=2010), "farc_events", {"a": 9, "b": 0, "c": 1})
    assert measures.farc_events(EVENTS, first=2009, last=2014).isna().all()


def test_farc_events_per_10k_take_the_years_of_population_that_are_known():
    # 8 events in 4 years, over a mean of 12,000 people in 2012-2014
    measured = measures.farc_events_per_10k(EVENTS, PEOPLE, first=2011, last=2014)
    same(measured, "farc_events_per_10k", {"a": 2 / 1.2, "b": 0, "c": NAN})
    assert measures.farc_events_per_10k(EVENTS, PEOPLE, first=2010, last=2011).isna().all()


def test_homicide_rate_is_the_mean_of_the_yearly_rates():
    killed = wide({"a": [1, 3, 7], "b": [0, 0, 0], "c": [0, NAN, 0]}, first=2012)
    # a: 10, 25 and 50 per 100,000
    measured = measures.homicide_rate(killed, PEOPLE, year=2014, years=3)
    same(measured, "homicide_rate", {"a": (10 + 25 + 50) / 3, "b": 0, "c": NAN})
    assert measures.homicide_rate(killed, PEOPLE, year=2014, years=4).isna().all()
    assert measures.homicide_rate(killed, PEOPLE, year=2015, years=1).isna().all()


def test_people_beyond_a_radius():
    km = pd.Series({"a": 10.0, "b": 10.01, "c": NAN})
    measured = measures.people_beyond(PEOPLE, km, year=2014, radius_km=10)
    same(measured, "people_beyond", {"a": 0, "b": 5_000, "c": NAN})
    unknown = wide({"a": [NAN], "b": [NAN], "c": [NAN]}, first=2014)
    measured = measures.people_beyond(unknown, km, year=2014, radius_km=10)
    same(measured, "people_beyond", {"a": 0, "b": NAN, "c": NAN})


def test_measures_keep_their_input_as_it_is():
    coca, pulled = REGROWTH_COCA.copy(), PULLED.copy()
    measures.resurgence(coca, pulled, year=2020, years=3, minimum_ha=50)
    measures.coca_trend_ha_per_year(coca, year=2020, years=3)
    measures.permanence(coca, year=2020, years=3)
    pd.testing.assert_frame_equal(coca, REGROWTH_COCA)
    pd.testing.assert_frame_equal(pulled, PULLED)


SURVEYED: dict[str, Callable[[pd.DataFrame, pd.DataFrame, pd.Series], pd.Series]] = {
    "coca_ha": lambda coca, pulled, area: measures.coca_ha(coca, year=2020),
    "density": lambda coca, pulled, area: measures.coca_ha_per_km2(coca, area, year=2020),
    "trend": lambda coca, pulled, area: measures.coca_trend_ha_per_year(coca, year=2020, years=4),
    "permanence": lambda coca, pulled, area: measures.permanence(coca, year=2020, years=4),
    "resurgence": lambda coca, pulled, area: measures.resurgence(coca, pulled, year=2020, years=3, minimum_ha=50),
    "regrown": lambda coca, pulled, area: measures.regrown_ha(coca, pulled, year=2020, years=3, minimum_ha=50),
}


@pytest.mark.parametrize("name", SURVEYED)
def test_draws_stacked_as_rows_give_what_a_loop_gives(name: str):
    rng = np.random.default_rng(5)
    draws = [REGROWTH_COCA * rng.lognormal(sigma=0.3, size=REGROWTH_COCA.shape) for _ in range(4)]
    area = pd.Series(np.linspace(10, 900, len(PULLED)), index=PULLED.index)
    looped = pd.concat([SURVEYED[name](draw, PULLED, area) for draw in draws], ignore_index=True)
    tall = SURVEYED[name](
        pd.concat(draws, ignore_index=True),
        pd.concat([PULLED] * 4, ignore_index=True),
        pd.concat([area] * 4, ignore_index=True),
    )
    pd.testing.assert_series_equal(tall, looped)
    assert looped.notna().any()
