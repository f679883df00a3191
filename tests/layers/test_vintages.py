"""DIVIPOLA through time: codes by year, figures carried from one vintage to another, and areas that never changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import coverage
from geo.errors import CodeError, ConfigError, ConservationError, SchemaError
from layers import boundaries, coca, people, vintages
from layers.divipola import municipalities
from layers.vintages import comparable_areas, dissolve, harmonise, to_areas, vintage


def table(*rows: tuple[int, str, str, str]) -> pd.DataFrame:
    columns = ["year", "kind", "code_before", "code_after"]
    return pd.DataFrame(rows, columns=columns).assign(name_before="", name_after="new", act="", note="")


def by_code(**figures: float) -> pd.DataFrame:
    return pd.DataFrame({"ha": {name.lstrip("c"): value for name, value in figures.items()}})


# Codes by year


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [("19300", 2006, None), ("13490", 2007, None), ("23682", 2007, None), ("23815", 2007, None), ("94663", None, 2018),
     ("27493", 2022, None), ("05001", None, None)],
)  # fmt: skip
def test_codes_have_their_first_and_last_year(code: str, first: int | None, last: int | None):
    row: Any = vintages.codes().loc[code]
    assert [None if pd.isna(row[name]) else row[name] for name in ("first_year", "last_year")] == [first, last]


def test_the_vintage_of_2018_is_that_of_the_atlas():
    assert list(vintage(2018)) == list(municipalities().index)


@pytest.mark.parametrize(("year", "codes"), [(2005, 1118), (2006, 1119), (2007, 1122), (2019, 1121), (2022, 1122)])
def test_how_many_codes_were_in_force(year: int, codes: int):
    assert len(vintage(year)) == codes


def test_older_vintages_are_not_known():
    with pytest.raises(ConfigError, match="2001 or later; found 1985"):
        vintage(1985)


def test_the_table_begins_with_three_creations_before_2001():
    """They are why the docstring does not say that it begins in 2001."""
    rows = vintages.changes()
    early = rows[rows["year"] < vintages.FIRST_YEAR]
    assert list(early["code_after"]) == ["19845", "44035", "27150"]
    assert set(early["kind"]) == {"creation"}
    assert set(early["code_after"]) <= set(vintage(2001))


def test_acts_are_stated_or_said_not_to_be_verified():
    rows = vintages.changes()
    assert ((rows["act"] != "") | rows["note"].str.contains("not verified")).all()
    assert set(rows["kind"]) == {"creation", "absorption", "renaming"}
    assert rows.loc[rows["kind"] != "renaming", "year"].notna().all()


# Figures


def test_a_part_goes_back_into_what_it_was_cut_out_of():
    carried = harmonise(by_code(c19142=30.0, c19300=12.0, c05001=5.0), 2005, since=2010)
    assert carried["ha"].to_dict() == {"05001": 5.0, "19142": 42.0}


def test_a_unit_that_was_divided_is_divided_by_weights():
    people_of = pd.Series({"19142": 30.0, "19300": 10.0})
    carried = harmonise(by_code(c19142=40.0), 2010, since=2005, weights=people_of)
    assert carried["ha"].to_dict() == {"19142": 30.0, "19300": 10.0}


def test_without_weights_nothing_is_divided():
    with pytest.raises(ConservationError, match="19142 was divided and 19300 cut out of it"):
        harmonise(by_code(c19142=40.0), 2010, since=2005)
    assert harmonise(by_code(c19142=0.0), 2010, since=2005)["ha"].sum() == 0


def test_what_was_absorbed_is_added():
    assert harmonise(by_code(c94343=2.3, c94663=3.5), 2020, since=2016)["ha"].to_dict() == pytest.approx({"94343": 5.8})
    assert harmonise(by_code(c94663=3.5), 2020, since=2016)["ha"].to_dict() == {"94343": 3.5}


def test_a_missing_figure_stays_missing():
    assert harmonise(by_code(c94343=np.nan, c94663=3.5), 2020, since=2016)["ha"].isna().all()


@pytest.mark.parametrize("weights", [None, {"19142": 30.0, "19300": 10.0}, {"19142": 30.0}, {"19142": 0, "19300": 0}])
def test_what_is_missing_of_a_whole_is_missing_of_both_parts(weights: dict[str, float] | None):
    """A missing figure needs no weights, and becomes no zero; a zero beside it stays one."""
    figures = pd.DataFrame({"ha": [np.nan], "people": [0.0]}, index=["19142"])
    of = None if weights is None else pd.Series(weights)
    carried = harmonise(figures, 2010, since=2005, weights=of)
    assert list(carried.index) == ["19142", "19300"]
    assert carried["ha"].isna().all()
    assert (carried["people"] == 0.0).all()


def test_a_figure_beside_a_missing_one_still_needs_weights():
    figures = pd.DataFrame({"ha": [np.nan], "people": [40.0]}, index=["19142"])
    with pytest.raises(ConservationError, match="19142 was divided"):
        harmonise(figures, 2010, since=2005)


def test_whole_numbers_with_missing_ones_are_figures():
    figures = pd.DataFrame({"n": pd.array([30, None], dtype="Int64"), "ha": [1.5, 2.5]}, index=["19142", "05001"])
    carried = harmonise(figures, 2005, since=2010)
    assert carried.loc["19142"].to_dict() == {"n": 30.0, "ha": 1.5}
    assert carried["n"].isna().to_dict() == {"05001": True, "19142": False}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (pd.Series({"19142": 30.0, "19300": -1.0}), "negative: 19300:"),
        (pd.Series({"19142": np.inf, "19300": 1.0}), "infinite: 19142:"),
        (pd.Series([1.0, 2.0, 3.0], index=["19142", "19300", "19300"]), "repeated: 19300:"),
        (pd.Series({"19142": "30", "19300": "10"}), "weights must be numbers"),
    ],
    ids=["negative", "infinite", "repeated", "text"],
)
def test_weights_that_are_none_are_refused(weights: pd.Series, message: str):
    with pytest.raises(SchemaError, match=message):
        harmonise(by_code(c19142=40.0), 2010, since=2005, weights=weights)


@pytest.mark.parametrize(("values", "found"), [(["40", "2,5"], "text"), ([40.0, np.inf], "infinite ones")])
def test_figures_that_are_no_finite_numbers_are_refused_by_column(values: list[object], found: str):
    figures = pd.DataFrame({"people": [1.0, 2.0], "ha": values}, index=["19142", "05001"])
    with pytest.raises(SchemaError, match=f"found {found} in ha:"):
        harmonise(figures, 2005, since=2005)


def test_a_unit_that_is_cut_twice_is_shared_out_by_all_its_parts():
    twice = table((2002, "creation", "05001", "05998"), (2004, "creation", "05001", "05999"))
    weights = pd.Series({"05001": 1.0, "05998": 2.0, "05999": 3.0})
    carried = harmonise(by_code(c05001=60.0), 2005, since=2001, weights=weights, table=twice)
    assert carried["ha"].to_dict() == pytest.approx({"05001": 10.0, "05998": 20.0, "05999": 30.0})


def test_codes_of_another_vintage_are_refused():
    with pytest.raises(CodeError, match="19300"):
        harmonise(by_code(c19300=1.0), 2010, since=2005)


@given(st.dictionaries(st.sampled_from(list(vintage(2005))), st.floats(0, 1e6), min_size=1, max_size=40),
       st.integers(2001, 2026), st.integers(0, 2**32 - 1))  # fmt: skip
def test_every_total_is_conserved_there_and_back(figures: dict[str, float], year: int, seed: int):
    given_ = pd.DataFrame({"ha": figures}, dtype=float)
    every = vintages.codes().index
    weights = pd.Series(np.random.default_rng(seed).uniform(1, 9, len(every)), index=every)
    there = harmonise(given_, year, since=2005, weights=weights)
    assert set(there.index) <= set(vintage(year))
    assert there["ha"].sum() == pytest.approx(given_["ha"].sum(), rel=1e-9, abs=1e-9)
    back = harmonise(there, 2005, since=year, weights=weights)
    assert back["ha"].sum() == pytest.approx(given_["ha"].sum(), rel=1e-9, abs=1e-9)


# Real figures


def yearly(layer, year: int, column: str) -> pd.DataFrame:
    rows = layer.frame[layer.frame["year"] == year]
    return pd.DataFrame({column: rows[column].to_numpy(dtype=float)}, index=rows["code"])


def test_population_of_caloto_and_guachene():
    """Together they are what Caloto would be, had it not been divided."""
    carried = harmonise(yearly(people.load_population(), 2018, "population"), 2005, since=2018)
    now = yearly(people.load_population(), 2018, "population")["population"]
    assert carried["population"]["19142"] == now[["19142", "19300"]].sum()
    assert "19300" not in carried.index
    assert carried["population"].sum() == now.sum()


def test_population_of_barrancominas_after_the_merger():
    before = yearly(people.load_population(), 2018, "population")
    after = harmonise(before, 2019, since=2018)
    assert after["population"]["94343"] == before["population"][["94343", "94663"]].sum()


def test_coca_of_2016_in_the_vintage_of_2020():
    before = yearly(coca.load(), 2016, "coca_ha")
    after = harmonise(before, 2020, since=2016)
    assert after.at["94343", "coca_ha"] == pytest.approx(2.3 + 3.5)
    assert after["coca_ha"].sum() == pytest.approx(146_141.6)


# Areas that never changed


def test_areas_join_what_exchanged_land_and_nothing_else():
    areas = comparable_areas(2005, 2020)
    joined = areas[areas.duplicated(keep=False)].groupby(areas).groups
    assert {area: sorted(codes) for area, codes in joined.items()} == {
        "13490": ["13490", "13600"], "19142": ["19142", "19300"], "23466": ["23466", "23682"],
        "23670": ["23670", "23815"], "94343": ["94343", "94663"],
    }  # fmt: skip


@given(st.integers(2001, 2026), st.integers(2001, 2026))
def test_areas_are_the_same_in_either_direction_and_hold_both_vintages(first: int, last: int):
    areas = comparable_areas(first, last)
    pd.testing.assert_series_equal(areas, comparable_areas(last, first))
    assert set(areas.index) == set(vintage(first)) | set(vintage(last))
    assert areas.nunique() == len(set(areas)) <= min(len(vintage(first)), len(vintage(last)))


def test_a_year_compared_with_itself_has_its_own_units():
    areas = comparable_areas(2018, 2018)
    assert (areas == areas.index).all()


def test_land_that_passed_through_a_code_between_the_years_joins_them():
    """05998 is cut out of 05001 in 2003 and goes into 05002 in 2006: neither 2001 nor 2010 knows it."""
    through = table((2003, "creation", "05001", "05998"), (2006, "absorption", "05998", "05002"))
    areas = comparable_areas(2001, 2010, through)
    assert "05998" not in areas.index
    assert areas[areas == "05001"].index.to_list() == ["05001", "05002"]
    assert areas["05004"] == "05004"
    before = comparable_areas(2001, 2004, through)
    assert before[before == "05001"].index.to_list() == ["05001", "05998"]


def test_an_area_is_called_after_a_code_of_either_vintage():
    """05000 would be the smallest code, had either year known it."""
    through = table((2003, "creation", "05001", "05000"), (2006, "absorption", "05000", "05002"))
    assert comparable_areas(2001, 2010, through)["05002"] == "05001"


def test_totals_of_areas_are_those_of_their_parts():
    areas = comparable_areas(2005, 2020)
    figures = yearly(coca.load(), 2018, "coca_ha")
    summed = to_areas(figures, areas)
    assert summed["coca_ha"].sum() == pytest.approx(figures["coca_ha"].sum())
    assert summed.at["23466", "coca_ha"] == pytest.approx(974.0 + 441.7)
    with pytest.raises(CodeError, match="27493"):
        to_areas(by_code(c27493=1.0), areas)


def test_areas_have_shapes_in_one_piece():
    bounds = boundaries.load().frame
    areas = comparable_areas(2005, 2018)
    shapes = dissolve(bounds, areas)
    assert shapes.to_crs("EPSG:9377").area.sum() == pytest.approx(bounds.to_crs("EPSG:9377").area.sum())
    pairs = {frozenset(pair) for pair in coverage.neighbours(bounds).to_numpy()}
    joined = areas[areas.index.isin(bounds.index) & (areas != areas.index)]
    assert len(joined) == 4
    assert all(frozenset((code, area)) in pairs for code, area in joined.items())


def test_land_in_no_area_is_not_dropped():
    bounds = boundaries.load().frame.iloc[:20]
    areas = comparable_areas(2005, 2018).drop(bounds.index[3:5])
    with pytest.raises(CodeError, match=", ".join(bounds.index[3:5])):
        dissolve(bounds, areas)
