"""The panel: no hectare is lost without a word, and what was not measured is not zero."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConservationError
from layers import coca, divipola, eradication, panel, people
from layers.boundaries import Boundaries
from layers.panel import Panel
from layers.tables import Layer
from tests.layers.small import grid, layer, no_facts, posts, site, special

KNOWN = ["05001", "05002", "15001", "52835"]
UNKNOWN = ["00001", "27493", "99999"]


def join(bounds: Boundaries, *layers: Layer, drop_unmatched: bool = False) -> Panel:
    return panel.join(bounds, layers, posts=posts((-75.0, 2.0)), **no_facts(), drop_unmatched=drop_unmatched)


# Conservation


FIGURES = st.dictionaries(
    st.tuples(st.sampled_from(KNOWN + UNKNOWN), st.integers(1999, 2012)),
    st.floats(min_value=0, max_value=1e5, allow_subnormal=False),
    min_size=1,
    max_size=25,
)


@given(FIGURES, st.permutations(KNOWN), st.integers(1, 4))
def test_hectares_are_conserved_or_refused(figures: dict[tuple[str, int], float], codes: list[str], size: int):
    bounds = grid(codes[:size], columns=2)
    table = layer(coca.SPEC, figures)
    outside = {code for code, _ in figures} - set(codes[:size])
    lost = sum(ha for (code, _), ha in figures.items() if code in outside)
    if lost > 0:
        with pytest.raises(ConservationError) as refused:
            join(bounds, table)
        message = str(refused.value)
        assert all(code in message for code in outside)
        (said,) = re.findall(r"([\d,.]+) ha of coca_ha", message)
        assert float(said.replace(",", "")) == pytest.approx(lost, abs=0.05 + 1e-9 * lost)  # added up in another order
        assert "\n" not in message
    joined = join(bounds, table, drop_unmatched=True)
    assert joined.years["coca_ha"].sum() == pytest.approx(sum(figures.values()) - lost)
    assert len(joined.notes) == (1 if outside else 0)
    if outside:
        assert all(code in joined.notes[0] for code in outside)
        assert joined.notes[0].endswith("left out")
    for (code, year), ha in figures.items():
        if code not in outside:
            assert joined.years.at[(code, year), "coca_ha"] == ha


def test_the_refusal_says_which_codes_and_how_many_hectares():
    table = layer(coca.SPEC, {("05001", 2019): 1.0, ("27493", 2019): 12.5, ("27493", 2020): 7.5, ("99999", 2020): 3.0})
    with pytest.raises(ConservationError) as refused:
        join(grid(["05001"], columns=1), table)
    assert "coca.csv: 2 codes that no boundary has: 27493 (20.0), 99999 (3.0); their 23.0 ha of coca_ha" in str(
        refused.value
    )
    assert "--drop-unmatched" in str(refused.value)


def test_codes_without_hectares_are_noted_and_not_refused():
    joined = join(grid(["05001"], columns=1), layer(coca.SPEC, {("05001", 2019): 1.0, ("27493", 2019): 0.0}))
    assert joined.notes == ("coca.csv: 1 codes that no boundary has: 27493 (0.0); left out",)


def test_what_is_not_conserved_is_noted_only():
    table = layer(people.HOMICIDES, {("05001", 2019): 1.0, ("27493", 2019): 4.0})
    assert join(grid(["05001"], columns=1), table).notes == (
        "homicides.csv: 1 codes that no boundary has: 27493 (4.0); left out",
    )


def test_the_bundled_panel_loses_nothing(joined: Panel, bundled: Mapping[str, Layer]):
    assert joined.notes == ()
    for name in ("coca", "eradication", "spraying", "population", "homicides"):
        held = bundled[name]
        sums = joined.years[held.spec.value].groupby(level="year").sum()
        for year in held.years:
            assert sums[year] == pytest.approx(held.total(year), rel=1e-12)


# Shape and years


def test_every_municipality_stands_in_every_year(joined: Panel):
    assert len(joined.years) == 1122 * 24
    assert joined.years.index.names == ["code", "year"]
    assert joined.years.index.is_unique
    assert sorted({int(year) for year in joined.years.index.get_level_values("year")}) == list(range(2001, 2025))
    assert joined.wide("coca_ha").shape == (1122, 24)
    assert joined.wide("coca_ha").index.equals(joined.places.index)
    assert all(isinstance(year, int | np.integer) for year in joined.wide("coca_ha").columns)


@pytest.mark.parametrize(("first", "expected"), [(1999, 1999), (2001, 2001), (2007, 2001)])
def test_the_panel_begins_in_2001_or_with_conserved_figures(first: int, expected: int):
    bounds = grid(["05001", "05002"], columns=2)
    joined = join(bounds, layer(coca.SPEC, {("05001", first): 1.0, ("05001", 2010): 1.0}))
    years = joined.years.index.get_level_values("year")
    assert (years.min(), years.max()) == (expected, 2010)


def test_early_years_of_other_layers_do_not_stretch_it():
    bounds = grid(["05001"], columns=1)
    joined = join(
        bounds,
        layer(coca.SPEC, {("05001", 2010): 1.0}),
        layer(people.HOMICIDES, {("05001", 1965): 1.0, ("05001", 2012): 2.0}),
    )
    years = joined.years.index.get_level_values("year")
    assert (years.min(), years.max()) == (2001, 2012)


def test_wide_and_long_hold_the_same(joined: Panel):
    wide, long = joined.wide("eradicated_ha"), joined.years["eradicated_ha"]
    for code, year in (("52835", 2019), ("54810", 2020), ("05001", 2009)):
        assert float(wide[year][code]) == float(long[code, year])


# Missing is not zero


def test_what_an_absent_row_means():
    bounds = grid(["05001", "05002"], columns=2)
    joined = join(
        bounds,
        layer(coca.SPEC, {("05001", 2019): 5.0, ("05001", 2021): 6.0}),
        layer(people.HOMICIDES, {("05001", 2019): 1.0, ("05001", 2021): 2.0}),
        layer(people.POPULATION, {("05001", 2019): 1000.0, ("05001", 2021): 1100.0, ("05002", 2021): 50.0}),
    )
    rows: Any = joined.years
    assert rows.at[("05002", 2019), "coca_ha"] == 0  # a census: not listed means none
    assert rows.loc[("05001", 2020)].isna().all()  # no source covers 2020
    assert rows.loc[("05002", 2020)].isna().all()
    assert pd.isna(rows.at[("05002", 2019), "homicides"])  # never in the source: not measured
    assert pd.isna(rows.at[("05002", 2019), "population"])
    assert rows.at[("05002", 2021), "population"] == 50


def test_a_listed_municipality_without_a_row_had_no_homicide_in_a_covered_year():
    bounds = grid(["05001", "05002"], columns=2)
    figures = {("05001", 2019): 1.0, ("05002", 2020): 2.0}
    rows = join(bounds, layer(people.HOMICIDES, figures)).years["homicides"]
    assert (rows["05001", 2020], rows["05002", 2019]) == (0.0, 0.0)
    assert rows.loc[("05001", slice(2001, 2018))].isna().all()


def test_a_blank_cell_is_not_a_zero(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text("code,2019,2020\n05001,7,\n05002,1,2\n", encoding="utf-8")
    rows = join(grid(["05001", "05002"], columns=2), coca.load(path)).years["coca_ha"]
    assert rows["05001", 2019] == 7
    assert pd.isna(rows["05001", 2020])


def test_missing_stays_missing_in_the_bundled_panel(joined: Panel, bundled: Mapping[str, Layer]):
    rows: Any = joined.years
    assert rows["population"].xs(2005, level="year").isna().all()  # DANE's series begins in 2012
    assert rows["population"].xs(2012, level="year").notna().all()
    assert rows["homicides"].xs(2002, level="year").isna().all()
    assert rows["sprayed_ha"].xs(2016, level="year").isna().all()  # after the programme
    assert rows["eradicated_ha"].xs(2006, level="year").isna().all()
    assert rows["farc_events"].xs(2018, level="year").isna().all()
    never = sorted(set(joined.places.index) - set(bundled["homicides"].frame["code"]))
    assert len(never) == 23  # 24 in the source, where Briceño in Boyacá stands under another's code
    assert rows.loc[never, "homicides"].isna().all()
    rest = rows["homicides"].drop(index=never, level="code")
    assert rest[rest.index.get_level_values("year") >= 2003].notna().all()


def test_coca_is_known_everywhere_and_zero_where_not_listed(joined: Panel, bundled: Mapping[str, Layer]):
    wide = joined.wide("coca_ha")
    assert wide.notna().all(axis=None)
    never = wide.index.difference(pd.Index(bundled["coca"].frame["code"].unique()))
    assert len(never) > 700
    assert (wide.loc[never] == 0).all(axis=None)
    assert wide.at["05001", 2020] == 0


# Places


def test_station_km_is_missing_where_police_data_are_and_nowhere_else(joined: Panel):
    """Boyacá, Córdoba, Cundinamarca, Chocó, La Guajira and Guainía."""
    unknown = joined.places["department_code"].isin(["15", "23", "25", "27", "44", "94"])
    assert joined.places.loc[unknown, "station_km"].isna().all()
    assert joined.places.loc[~unknown, "station_km"].notna().all()
    assert joined.places["station_km"].min() >= 0


def test_station_km_is_the_distance_to_the_nearest_post():
    bounds = grid(["05001", "05002"], columns=2)  # points at 74.95 and 74.85 degrees west, 2.05 north
    places = panel.join(
        bounds, [layer(coca.SPEC, {("05001", 2010): 1.0})], posts=posts((-74.95, 2.05), (-74.95, 3.0)), **no_facts()
    ).places
    assert places.at["05001", "station_km"] == pytest.approx(0, abs=1e-6)
    assert places.at["05002", "station_km"] == pytest.approx(11.13, abs=0.03)  # 0.1 degrees at 2 degrees north


def test_pdet_regions(joined: Panel):
    assert joined.places["pdet"].sum() == 170
    assert joined.places["pdet_region"].nunique() == 16
    assert bool(joined.places.at["52835", "pdet"])
    assert not joined.places.at["05001", "pdet"]
    assert joined.places["pdet_region"].isna()["05001"]


def test_an_etcr_counts_where_it_lies_and_other_sites_do_not():
    bounds = grid(["05001", "05002"], columns=2)
    figures = [layer(coca.SPEC, {("05001", 2010): 1.0})]
    lie = [("ETCR", -74.95, 2.05), ("PTN", -74.85, 2.05), ("ETCR", -74.5, 2.05)]
    sites = pd.concat([site(*each) for each in lie], ignore_index=True)
    places = panel.join(bounds, figures, posts=posts((-75.0, 2.0)), **(no_facts() | {"sites": sites})).places
    assert places["etcr"].to_dict() == {"05001": True, "05002": False}
    assert places["etcr"].dtype == bool


def test_each_bundled_etcr_lies_in_the_municipality_that_it_names(joined: Panel):
    assert joined.places["etcr"].sum() == 26  # 27 sites, two of them in San José del Guaviare
    assert joined.places.loc[["52835", "54810", "95001", "19137", "73352"], "etcr"].all()


def test_a_municipality_that_the_table_of_special_areas_lacks_is_missing_and_not_zero():
    bounds = grid(["05001", "27493"], columns=2)
    figures = [layer(coca.SPEC, {("05001", 2010): 1.0})]
    table = special({"05001": (0.0, 0.25, 1.0), "99999": (1.0, 1.0, 1.0)})
    places = panel.join(bounds, figures, posts=posts((-75.0, 2.0)), **(no_facts() | {"special": table})).places
    shares = pd.DataFrame(places[["reserve_share", "council_share", "park_share"]])
    np.testing.assert_array_equal(shares, [[0.0, 0.25, 1.0], [np.nan] * 3])
    assert list(places.index) == ["05001", "27493"]


def test_places_keep_the_boundaries(joined: Panel, bounds: Boundaries):
    assert joined.places.crs == "EPSG:4326"
    assert joined.places.index.equals(bounds.frame.index)
    assert set(bounds.frame.columns) <= set(joined.places.columns)
    assert joined.places.index.equals(divipola.municipalities().index)


def test_the_order_of_boundaries_does_not_matter():
    codes = ["52835", "05001", "15001"]
    figures = {(code, 2010): float(place) for place, code in enumerate(codes)}
    events = layer(eradication.SPEC, figures)
    left = join(grid(codes, columns=3), events).wide("eradicated_ha")
    right = join(grid(sorted(codes), columns=3), events).wide("eradicated_ha")
    pd.testing.assert_frame_equal(left, right)
