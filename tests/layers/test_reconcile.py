"""A layer made from the table must give the table back; what is changed in it, and only that, must show."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import METRIC
from geo.errors import ConfigError, ConservationError
from geo.grid import Grid
from layers import published, reconcile
from layers.boundaries import Boundaries
from layers.density import Density
from layers.panel import Panel
from layers.reconcile import Reconciliation as Result
from layers.reconcile import Sums
from layers.report import Report
from tests.layers.modelled import MOST_HA, modelled

GRID = Grid(METRIC, Affine(1000.0, 0.0, 4_800_000.0, 0.0, -1000.0, 2_000_000.0), 10, 10)


def layer(cells: dict[tuple[int, int], list[float]], years: list[int], unmeasured: np.ndarray | None = None) -> Density:
    keys = sorted(cells)
    row, col = (np.array([key[axis] for key in keys], dtype=np.int64) for axis in (0, 1))
    frame = pd.DataFrame([cells[key] for key in keys], columns=years, dtype=float)
    return Density(GRID, row, col, frame, Path("made.tif"), Report(), modelled=True, unmeasured=unmeasured)


def towns(**boxes: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """Towns as boxes in columns and rows (left, top, right, bottom) of the grid."""
    drawn = [
        shapely.box(4.8e6 + 1000 * left, 2e6 - 1000 * bottom, 4.8e6 + 1000 * right, 2e6 - 1000 * top)
        for left, top, right, bottom in boxes.values()
    ]
    index = pd.Index([name.removeprefix("c") for name in boxes], name="code", dtype=object)
    return gpd.GeoDataFrame(geometry=drawn, index=index, crs=METRIC)


HALVES = towns(c05001=(0, 0, 4.25, 10), c05002=(4.25, 0, 9, 10))


@pytest.fixture(scope="module")
def made(joined: Panel, bounds: Boundaries) -> Density:
    return modelled(bounds.frame, joined.wide("coca_ha"))


@pytest.fixture(scope="module")
def summed(made: Density, bounds: Boundaries) -> tuple[pd.DataFrame, pd.Series]:
    return reconcile.hectares_by_municipality(made, bounds.frame)


@pytest.fixture(scope="module")
def result(made: Density, summed: tuple[pd.DataFrame, pd.Series], joined: Panel) -> Result:
    return reconcile.reconcile(Sums(*summed, made.totals()), joined.wide("coca_ha"))


class TestModelledCountry:
    def test_every_municipality_and_year_has_the_tables_figure(self, result: Result, joined: Panel):
        rows = result.table.dropna(subset="table_ha")
        assert len(rows) == int((joined.wide("coca_ha") > 0).sum().sum())
        assert rows["ratio"].to_numpy() == pytest.approx(np.ones(len(rows)), abs=1e-9)
        assert result.flagged.empty
        assert (result.totals["outside_ha"] == 0).all()

    def test_published_figures_come_back(
        self, summed: tuple[pd.DataFrame, pd.Series], result: Result, bounds: Boundaries
    ):
        printed = published.published()["coca_ha"]
        named = printed[printed.index.get_level_values("place") != published.NATION]
        inside = summed[0]
        sums = pd.concat([inside, inside.groupby(bounds.frame["department_code"]).sum()])
        checked = {(place, year): sums.at[place, year] for place, year in named.index}
        assert {place for place, _ in checked} >= {"86", "54810"}  # Putumayo, Tibú
        assert list(checked.values()) == pytest.approx(list(named), abs=1.0)
        assert result.totals.at[2020, "layer_ha"] == pytest.approx(result.totals.at[2020, "published_ha"], abs=5)

    def test_no_cell_holds_more_than_it_can_and_none_is_empty(self, made: Density):
        assert made.modelled
        assert made.hectares.max().max() <= MOST_HA + 1e-9
        assert (made.hectares > 0).any(axis=1).all()

    def test_it_is_the_same_every_time(self, made: Density, joined: Panel, bounds: Boundaries):
        table = joined.wide("coca_ha").loc[["54810", "52835"]]
        one, two = (modelled(bounds.frame, table) for _ in range(2))
        pd.testing.assert_frame_equal(one.hectares, two.hectares, check_exact=True)
        assert len(one.row) < len(made.row)

    def test_what_is_changed_is_flagged_and_nothing_else(
        self, summed: tuple[pd.DataFrame, pd.Series], made: Density, joined: Panel
    ):
        table = joined.wide("coca_ha").copy()
        for code, year, factor in [("54810", 2020, 0.9), ("52835", 2019, 1.2), ("86568", 2018, 1.04)]:
            table.loc[[code], [year]] *= factor
        found = reconcile.reconcile(Sums(*summed, made.totals()), table)
        assert found.flagged[["code", "year"]].to_numpy().tolist() == [["52835", 2019], ["54810", 2020]]
        assert found.flagged["difference_ha"].abs().is_monotonic_decreasing
        assert "2 of" in found.sentences[1]
        assert "54810 in 2020" in found.sentences[1]


class TestByHand:
    def test_a_cell_on_a_border_is_shared_by_area(self):
        inside, outside = reconcile.hectares_by_municipality(
            layer({(0, 0): [10.0], (3, 4): [8.0], (9, 8): [2.0], (9, 9): [5.0]}, [2020]), HALVES
        )
        assert inside[2020].to_dict() == pytest.approx({"05001": 12.0, "05002": 8.0})
        assert outside.to_dict() == pytest.approx({2020: 5.0})

    def test_missing_stays_missing(self):
        nan = float("nan")
        made = layer({(0, 0): [nan, 1.0], (1, 0): [nan, nan], (0, 6): [nan, 3.0], (0, 7): [2.0, nan]}, [2019, 2020])
        inside, outside = reconcile.hectares_by_municipality(made, HALVES)
        assert np.array_equal(inside, [[nan, 1.0], [2.0, 3.0]], equal_nan=True)
        assert outside.tolist() == [0.0, 0.0]

    def test_what_a_raster_never_looked_at_is_missing_and_elsewhere_it_is_none(self):
        unmeasured = np.zeros((10, 10), dtype=bool)
        unmeasured[:, :5] = True
        made = layer({(0, 6): [3.0]}, [2020], unmeasured)
        places = towns(c05001=(0, 0, 4.25, 10), c05002=(4.25, 0, 9, 10), c05003=(12, 0, 14, 2), c05004=(9, 0, 11, 10))
        inside, _ = reconcile.hectares_by_municipality(made, places)
        assert np.array_equal(inside[2020], [np.nan, 3.0, np.nan, 0.0], equal_nan=True)
        share = reconcile.measured_share(made, places)
        assert share[2020].tolist() == pytest.approx([0.0, 4 / 4.75, 0.0, 0.5])

    def test_what_was_measured_is_told_year_by_year(self):
        nan = float("nan")
        unmeasured = np.zeros((10, 10), dtype=bool)
        unmeasured[:2] = True
        cells = {(row, 0): [nan, 1.0] for row in range(2, 7)}  # a part of the first town, in one of the years
        cells |= {(row, col): [1.0, nan] for row in range(2, 10) for col in range(5, 9)}
        share = reconcile.measured_share(layer(cells, [2019, 2020], unmeasured), HALVES)
        assert list(map(int, share.columns)) == [2019, 2020]
        expected = [[(34 - 5) / 42.5, 34 / 42.5], [38 / 47.5, 6 / 47.5]]
        assert share.to_numpy() == pytest.approx(np.array(expected))

    def test_of_listed_cells_the_share_that_is_not_blank_was_measured(self):
        nan = float("nan")
        made = layer({(0, 0): [nan, 1.0], (1, 0): [2.0, nan], (0, 6): [nan, 3.0]}, [2019, 2020])
        places = towns(c05001=(0, 0, 4.25, 10), c05002=(4.25, 0, 9, 10), c05003=(9, 0, 10, 10))
        share = reconcile.measured_share(made, places)
        assert share.to_numpy().tolist() == [[0.5, 0.5], [0.0, 1.0], [1.0, 1.0]]
        assert (share == 0).equals(reconcile.hectares_by_municipality(made, places)[0].isna())

    def test_a_year_that_measured_nothing_is_missing_throughout(self):
        made = layer({(0, 0): [float("nan"), 1.0], (0, 6): [float("nan"), 3.0]}, [2019, 2020])
        inside, outside = reconcile.hectares_by_municipality(made, HALVES)
        assert inside[2019].isna().all()
        assert (np.isnan(outside[2019]), outside[2020]) == (True, 0.0)
        table = pd.DataFrame({2019: [50.0, 20.0], 2020: [1.0, 3.0]}, index=HALVES.index)
        found = reconcile.reconcile(Sums(inside, outside, made.totals()), table, year=2019)
        assert found.totals.loc[2019, ["inside_ha", "outside_ha", "layer_ha"]].isna().all()
        assert found.sentences[0].startswith("Coca by cell in 2019: not measured. The municipal table has 70 ha")
        assert found.sentences[1] == "2 municipalities were not measured in 2019; the table has 70 ha there."
        assert found.table[found.table["year"] == 2019]["flagged"].isna().all()

    def test_hectares_in_a_year_without_a_total_are_refused(self):
        inside = pd.DataFrame({2020: [10.0]}, index=["05001"])
        nothing = pd.Series({2020: float("nan")})
        with pytest.raises(ConservationError, match=r"2020: 10\.000000 of nan"):
            reconcile.reconcile(Sums(inside, nothing, nothing), inside)

    def test_municipalities_that_overlap_are_refused(self):
        with pytest.raises(ConservationError, match="overlap"):
            reconcile.hectares_by_municipality(
                layer({(0, 4): [8.0]}, [2020]), towns(c05001=(0, 0, 6, 10), c05002=(4, 0, 9, 10))
            )

    def compared(self, *, tolerance: float = 0.05, minimum_ha: float = 10.0, **facts: Any) -> Result:
        codes = pd.Index(["05001", "05002", "05003", "05004", "05005"], name="code")
        inside = pd.DataFrame({2020: [100.0, 0.0, 30.0, np.nan, 15.0]}, index=codes)
        table = pd.DataFrame({2020: [94.0, 0.0, np.nan, 7.0, 0.0]}, index=codes)
        outside, total = pd.Series({2020: 5.0}), pd.Series({2020: 150.0})
        return reconcile.reconcile(
            Sums(inside, outside, total, **facts), table, tolerance=tolerance, minimum_ha=minimum_ha
        )

    def flags(self, **facts: Any) -> list[bool | None]:
        found = self.compared(**facts).table["flagged"]
        assert found.dtype == "boolean"
        return [None if flag is pd.NA else bool(flag) for flag in found]

    def test_the_table_of_differences(self):
        found = self.compared(minimum_ha=5.0).table.set_index("code")
        assert list(found.index) == ["05001", "05003", "05004", "05005"]
        assert found["difference_ha"].fillna(-1).tolist() == [6.0, -1, -1, 15.0]
        assert found["ratio"].fillna(-1).tolist() == pytest.approx([100 / 94, -1, -1, -1])
        assert self.flags(minimum_ha=5.0) == [True, None, None, True]
        assert list(found.columns)[-1] == "measured_share"
        assert (found["measured_share"] == 1).all()

    def test_both_the_share_and_the_hectares_must_be_exceeded(self):
        assert self.flags() == [False, None, None, True]
        assert self.compared(minimum_ha=5.0, tolerance=0.07).flagged["code"].tolist() == ["05005"]

    def test_the_sentences_say_what_only_one_of_the_two_has(self):
        told = self.compared().sentences
        assert told[0].startswith("Coca by cell in 2020: 150 ha, of which 145 lie in a municipality and 5 in none.")
        assert told[1] == "1 municipality was not measured in 2020; the table has 7 ha there."
        assert any("30 ha of all years lie in 1 municipality for which" in sentence for sentence in told)

    def test_what_was_measured_in_part_is_told_and_not_flagged(self):
        codes = ["05001", "05002", "05003", "05004", "05005"]
        measured = pd.DataFrame({2020: [0.995, 1.0, 1.0, 0.0, 0.5]}, index=codes)
        assert self.flags(minimum_ha=5.0, measured=measured) == [True, None, None, False]
        found = self.compared(minimum_ha=5.0, measured=measured)
        assert found.table["measured_share"].tolist() == [0.995, 1.0, 0.0, 0.5]
        assert found.sentences[2] == (
            "1 municipality was measured in part in 2020 and not held against the table: 15 ha by cell, 0 by the table."
        )
        assert found.sentences[3].startswith("1 of 1 figures")

    def test_departments_of_which_a_file_lists_no_cell_are_named(self):
        departments = pd.Series(["Nariño", "Nariño", "Cauca", "Meta", "Vichada"], index=self.compared_codes())
        inside = pd.DataFrame({2020: [0.4, 0.0, 30.0, 0.0, 0.0]}, index=departments.index)  # 0.4 on the border
        table = pd.DataFrame({2020: [100.0, 20.0, 30.0, np.nan, 5.0]}, index=departments.index)
        outside, total = pd.Series({2020: 0.0}), pd.Series({2020: 30.4})

        def told(*, listed: bool) -> list[str]:
            found = reconcile.reconcile(Sums(inside, outside, total, listed=listed), table, departments=departments)
            return [sentence for sentence in found.sentences if "no cell" in sentence]

        assert told(listed=False) == []
        assert told(listed=True) == [
            "2 departments with 125 ha by the table in 2020 have no cell in this file (Nariño, Vichada): if it covers "
            "a part of the country only, they were not measured, and 0 is not known there."
        ]

    def compared_codes(self) -> pd.Index:
        return pd.Index(["52001", "52835", "19001", "50001", "99001"], name="code")

    def test_shares_that_were_taken_for_hectares_are_asked_about(self):
        def told(ha: float, *, suspicious: bool = True) -> bool:
            inside, table = (pd.DataFrame({2020: [value]}, index=["05001"]) for value in (ha, 100.0))
            outside, total = pd.Series({2020: 0.0}), pd.Series({2020: ha})
            found = reconcile.reconcile(Sums(inside, outside, total, suspicious=suspicious), table)
            return any("--unit share" in sentence for sentence in found.sentences)

        assert told(4.9)
        assert not told(5.1)
        assert not told(4.9, suspicious=False)

    def test_a_layer_that_lies_elsewhere_is_refused(self):
        made = layer({(0, 0): [10.0], (3, 4): [8.0]}, [2020])
        table = pd.DataFrame({2020: [5.0]}, index=["05009"])
        summed = reconcile.hectares_by_municipality(made, towns(c05009=(20, 20, 25, 25)))
        with pytest.raises(ConfigError, match=r"18 ha of all years 0 lie in one\. It lies at longitude -74\.80 to -74"):
            reconcile.reconcile(Sums(*summed, made.totals(), grid=made.grid), table)
        looked = layer({}, [2020], np.zeros((10, 10), dtype=bool))  # without any coca, and elsewhere
        summed = reconcile.hectares_by_municipality(looked, towns(c05009=(20, 20, 25, 25)))
        with pytest.raises(ConfigError, match="0 lie in one"):
            reconcile.reconcile(Sums(*summed, looked.totals()), table)

    def test_totals_that_do_not_add_up_are_refused(self):
        held = pd.DataFrame({2020: [10.0]}, index=["05001"])
        with pytest.raises(ConservationError, match=r"2020: 11\.000000 of 12\.000000"):
            reconcile.reconcile(Sums(held, pd.Series({2020: 1.0}), pd.Series({2020: 12.0})), held)

    def test_settings_that_mean_nothing_are_refused(self):
        with pytest.raises(ConfigError, match="negative"):
            self.compared(tolerance=-0.1)
        one, none = pd.DataFrame({2020: [0.0]}, index=["05001"]), pd.Series({2020: 0.0})
        with pytest.raises(ConfigError, match="a year in common"):
            reconcile.reconcile(Sums(one, none, none), one.set_axis([1999], axis=1))


@given(
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.floats(0, 100), max_size=30),
    st.lists(st.floats(-1, 11), min_size=2, max_size=5, unique=True),
)
def test_inside_and_outside_are_all_there_is(cells: dict[tuple[int, int], float], lines: list[float]):
    cuts = sorted(lines)
    boxes = {f"c0500{n}": (left, -0.5, right, 7.0) for n, (left, right) in enumerate(itertools.pairwise(cuts))}
    boxes = {name: box for name, box in boxes.items() if box[2] - box[0] > 1e-6}
    if not boxes:
        return
    made = layer({key: [ha] for key, ha in cells.items()}, [2020])
    inside, outside = reconcile.hectares_by_municipality(made, towns(**boxes))
    assert inside[2020].sum() + outside[2020] == pytest.approx(made.total_ha(2020), rel=1e-9, abs=1e-9)
