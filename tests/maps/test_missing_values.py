"""What the dictionary says of missing values holds in real runs: a value is missing for a stated reason, and no other.

Why each is missing is found anew, from the layers as they were read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

import pandas as pd
import pytest

import maps.run
from geo import coverage
from layers import criteria, police, zones
from layers.criteria import Windows
from layers.panel import Panel
from layers.priority import prioritise
from layers.tables import Absent, Layer
from maps import dictionary
from maps.export import CONTRIBUTION
from maps.inputs import Inputs, Settings, read
from maps.run import Run, run

REASONS = tomllib.loads(dictionary.TABLE.read_text(encoding="utf-8"))["reasons"]
YEARS = (2003, 2005, 2012, 2020, 2024)


@dataclass(frozen=True)
class Case:
    """A run, and what it was made from."""

    inputs: Inputs
    run: Run
    year: int
    draws: int

    @property
    def windows(self) -> Windows:
        return criteria.load().windows

    @cached_property
    def panel(self) -> Panel:
        return self.inputs.join()

    @cached_property
    def codes(self) -> pd.Index:
        return self.inputs.boundaries.frame.index

    def window(self, years: int) -> range:
        return range(self.year - years + 1, self.year + 1)

    def every(self, value: bool) -> pd.Series:
        return pd.Series(value, self.codes)

    def figure(self, name: str, year: int) -> pd.Series:
        """A layer's figure by code, as its rows and what their absence means give it."""
        layer = next(layer for layer in self.inputs.layers if layer.spec.value == name)
        rows = layer.frame[layer.frame["year"] == year].set_index("code")[name].astype(float)
        if year not in layer.years or layer.spec.absent is Absent.MISSING:
            return rows.reindex(self.codes)
        zero = self.codes.difference(rows.index)
        if layer.spec.absent is Absent.ZERO_IF_LISTED:
            zero = zero.intersection(pd.Index(layer.frame["code"]))
        return pd.concat([rows, pd.Series(0.0, zero)]).reindex(self.codes)

    def unknown(self, name: str, years: Iterable[int]) -> pd.Series:
        """Whether the figure is missing in any of the years."""
        return pd.concat([self.figure(name, year).isna() for year in years], axis=1).any(axis=1)


def not_reporting(case: Case) -> pd.Series:
    bounds = case.inputs.boundaries.frame
    return bounds["department_code"].isin(police.not_reporting(case.inputs.posts.frame, bounds).index)


def little_eradicated(case: Case) -> pd.Series:
    """Of what is known: where a year is missing it is another reason's."""
    figures = [case.figure("eradicated_ha", year) for year in case.window(case.windows.eradication_years)]
    return pd.concat(figures, axis=1).sum(axis=1, skipna=False) < case.windows.minimum_eradicated_ha


def unknown_beyond(case: Case) -> pd.Series:
    beyond = case.panel.places["station_km"] > case.windows.station_radius_km
    return beyond & case.unknown("population", [case.year])


def no_population_in_span(case: Case) -> pd.Series:
    span = range(case.windows.farc_first, case.windows.farc_last + 1)
    return pd.concat([case.figure("population", year).isna() for year in span], axis=1).all(axis=1)


def no_candidate(case: Case) -> pd.Series:
    return ~(case.figure("coca_ha", case.year) >= criteria.load().candidates.minimum_coca_ha)


def in_no_zone(case: Case) -> pd.Series:
    return case.every(True).mask(case.codes.isin(case.run.zones["members"].explode()), False)


def either_end(case: Case) -> list[int]:
    return [case.year, case.year - case.windows.eradication_years]


def neighbour_unknown(case: Case) -> pd.Series:
    """Every shape that touches one whose coca is not known, along a line."""
    frame = case.inputs.boundaries.frame
    places = frame.to_crs("EPSG:9377").geometry
    unknown = places[case.unknown("coca_ha", either_end(case))]
    if len(unknown) == len(places):  # an island has no neighbour to be unknown
        return case.every(True).where(case.codes.isin(coverage.neighbours(frame)[["left", "right"]].stack()), False)
    beside = [places.boundary.intersection(shape.boundary).length > 0 for shape in unknown]
    own = [places.index == code for code in unknown.index]
    touched = [each & ~itself for each, itself in zip(beside, own, strict=True)]
    return pd.concat(touched, axis=1).any(axis=1) if touched else case.every(False)


def own_did_not_fall(case: Case) -> pd.Series:
    now, before = (case.figure("coca_ha", year) for year in either_end(case))
    return now >= before


OF_MUNICIPALITIES: dict[str, Callable[[Case], pd.Series]] = {
    "no_candidate": no_candidate,
    "no_draws": lambda c: c.every(c.draws == 0),
    "in_no_zone": in_no_zone,
    "in_no_region": lambda c: c.every(True).mask(c.codes.isin(c.inputs.pdet.frame.index), False),
    "not_in_special_areas": lambda c: c.every(True).mask(c.codes.isin(c.inputs.special.frame.index), False),
    "not_reporting": not_reporting,
    "coca_not_measured": lambda c: c.unknown("coca_ha", [c.year]),
    "coca_gap_in_trend": lambda c: c.unknown("coca_ha", c.window(c.windows.trend_years)),
    "coca_gap_in_permanence": lambda c: c.unknown("coca_ha", c.window(c.windows.permanence_years)),
    "coca_unknown_at_either_end": lambda c: c.unknown("coca_ha", [c.year, c.year - c.windows.eradication_years]),
    "neighbour_unknown": neighbour_unknown,
    "own_did_not_fall": own_did_not_fall,
    "eradication_gap": lambda c: c.unknown("eradicated_ha", c.window(c.windows.eradication_years)),
    "little_eradicated": little_eradicated,
    "no_population": lambda c: c.unknown("population", [c.year]),
    "no_population_beyond": unknown_beyond,
    "no_population_in_span": no_population_in_span,
    "no_population_in_window": lambda c: c.unknown("population", c.window(c.windows.homicide_years)),
    "homicide_gap": lambda c: c.unknown("homicides", c.window(c.windows.homicide_years)),
}


def reasons_of_municipalities(case: Case, column: dictionary.Column) -> pd.DataFrame:
    """Whether each reason holds, by code."""
    return pd.DataFrame({reason: OF_MUNICIPALITIES[reason](case) for reason in column.reasons}, index=case.codes)


def reasons_of_zones(case: Case, column: dictionary.Column) -> pd.DataFrame:
    members = case.run.zones["members"].explode()
    own = {"no_member_figure": column.name, "no_member_scored": "score"}
    held = {}
    for reason in column.reasons:
        missing = case.run.municipalities[own[reason]].isna().reindex(members).set_axis(members.index)
        by_zone = missing.groupby(level=0)
        held[reason] = by_zone.all() if reason == "no_member_scored" else by_zone.any()
    return pd.DataFrame(held, index=case.run.zones.index)


def reasons_of_years(layer: Layer, index: pd.Index, column: dictionary.Column) -> pd.DataFrame:
    rows = layer.frame.set_index(["code", "year"])[column.name]
    blank = rows.index[rows.isna()]
    codes, years = index.get_level_values("code"), index.get_level_values("year")
    every = {
        "year_not_covered": ~years.isin(layer.years),
        "no_figure": index.isin(blank),
        "no_row": ~index.isin(rows.index),
        "never_listed": ~codes.isin(layer.frame["code"]),
    }
    return pd.DataFrame({reason: every[reason] for reason in column.reasons}, index=index)


def check(column: dictionary.Column, values: pd.Series, held: pd.DataFrame) -> set[str]:
    """Refuse a value that is missing without a reason, or there in spite of one; return the reasons that were met."""
    expected = held.any(axis=1).to_numpy(dtype=bool)
    wrong = values.index[values.isna().to_numpy() != expected]
    assert wrong.empty, f"{column.name} ({column.missing}): {len(wrong)} values, such as {list(wrong[:5])}"
    return set(held.columns[held.any()])


def columns_of_municipalities(case: Case) -> Iterator[tuple[dictionary.Column, pd.Series, pd.DataFrame]]:
    table = case.run.municipalities.reset_index().set_index("code", drop=False)
    *plain, contribution = dictionary.municipalities()
    told = {column.name: column for column in plain}
    for column in plain:
        yield column, table[column.name], reasons_of_municipalities(case, column)
    for name in table.columns[table.columns.str.startswith(CONTRIBUTION)]:
        measure = table[told[name.removeprefix(CONTRIBUTION)].name]
        own = replace(contribution, name=name, reasons=("no_candidate",))
        held = reasons_of_municipalities(case, own).assign(no_measure=measure.isna())
        assert set(held.columns) == set(contribution.reasons)
        yield own, table[name], held


def met(case: Case) -> set[str]:
    """Check every column of a run; return the reasons that were met."""
    found = {reason for each in columns_of_municipalities(case) for reason in check(*each)}
    places = case.panel.places.reset_index().set_index("code", drop=False)
    for column in dictionary.places():
        found |= check(column, places[column.name], reasons_of_municipalities(case, column))
    return found | met_in_zones(case) | met_in_years(case)


def met_in_zones(case: Case) -> set[str]:
    checked = (check(c, case.run.zones[c.name], reasons_of_zones(case, c)) for c in dictionary.zones())
    return {reason for found in checked for reason in found}


def met_in_years(case: Case) -> set[str]:
    years = case.panel.years
    told = {column.name: column for column in dictionary.years()}
    found = set()
    for layer in case.inputs.layers:
        column = told[layer.spec.value]
        held = reasons_of_years(layer, years.index, column)
        found |= check(column, years[column.name], held)
    return found


# By code: figures of 2020 and before that are taken away, of municipalities with much coca.
GAPS: dict[str, dict[str, tuple[int, ...]]] = {
    "coca_ha": {"19050": (2020,), "86757": (2017,), "54810": (2013,), "81736": (2020,)},
    "eradicated_ha": {"05790": (2019,)},
    "population": {"05040": (2020,), "54800": (2012, 2013, 2014), "86865": (2019,)},
    "homicides": {"54250": (2018,)},
}
UNMEASURED = ["19050", "88001"]  # taken out of the table of special areas
LOCKED_IN = "88001"  # San Andrés: no candidate, and an island


def with_gaps(layer: Layer) -> Layer:
    """Take figures away: the row where its absence says that they are missing, else what the row says."""
    value = layer.spec.value
    gaps = [(code, year) for code, years in GAPS.get(value, {}).items() for year in years]
    if not gaps:
        return layer
    figures = layer.frame.set_index(["code", "year"])[value].astype(float).drop(index=gaps, errors="ignore")
    if layer.spec.absent is not Absent.MISSING:
        blank = pd.Series(float("nan"), pd.MultiIndex.from_tuples(gaps, names=figures.index.names), name=value)
        figures = pd.concat([figures, blank]).sort_index()
    return replace(layer, frame=figures.reset_index())


@pytest.fixture(scope="module")
def bundled() -> Inputs:
    return read(Settings())


@pytest.fixture(scope="module")
def cases(bundled: Inputs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    special = replace(bundled.special, frame=bundled.special.frame.drop(UNMEASURED))
    gappy = replace(bundled, layers=tuple(map(with_gaps, bundled.layers)), special=special)
    out = tmp_path_factory.mktemp("runs")
    years = {str(year): (bundled, Settings(year=year, draws=0, out=out / str(year))) for year in YEARS}
    gaps = {"gaps": (gappy, Settings(year=2020, draws=5, out=out / "gaps"))}
    return {name: run_of(*each) for name, each in (years | gaps).items()}


def run_of(inputs: Inputs, settings: Settings) -> Case:
    """A run of what has been read already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps.run, "read", lambda _: inputs)
        return Case(inputs, run(settings), settings.year or 0, settings.draws)


@pytest.fixture(scope="module")
def reasons_met(cases: dict[str, Case]) -> Callable[[str], set[str]]:
    """What :func:`met` says of each run, found once."""
    return cache(lambda name: met(cases[name]))


@pytest.fixture(scope="module")
def locked_in(cases: dict[str, Case]) -> Case:
    """The zones of a run in which one of them is made of a municipality that is no candidate."""
    case = cases["2020"]
    zoning = criteria.load()
    scored = prioritise(case.panel, zoning, year=case.year, draws=0, seed=1)
    _, grouped = zones.build(case.panel, scored, share=zoning.candidates.priority_share, locked_in=[LOCKED_IN])
    return replace(case, run=replace(case.run, zones=grouped))


@pytest.mark.parametrize("name", [*map(str, YEARS), "gaps"])
def test_values_are_missing_for_the_stated_reasons_and_no_other(reasons_met: Callable[[str], set[str]], name: str):
    assert reasons_met(name)


def test_a_zone_has_no_score_where_no_member_has(locked_in: Case):
    assert met_in_zones(locked_in) == {"no_member_scored"}
    assert locked_in.run.zones.set_index("zone")["score"].isna().sum() == 1


def test_every_reason_is_met_in_some_run(
    cases: dict[str, Case], reasons_met: Callable[[str], set[str]], locked_in: Case
):
    """No statement holds only because what it speaks of never happens."""
    everywhere = {reason for name in cases for reason in reasons_met(name)} | met_in_zones(locked_in)
    # Those of files that a density layer brings are held to them in tests/maps/test_densityrun.py, those of sites and
    # of changes in tests/maps/test_exportable.py.
    brought = [column for name in ("added", "density", "enclaves", "cells") for column in dictionary.by_cell(name)]
    elsewhere = [*brought, *dictionary.sites(), *dictionary.changes()]
    assert everywhere | {reason for column in elsewhere for reason in column.reasons} == set(REASONS)


def test_a_statement_that_does_not_hold_is_found(cases: dict[str, Case]):
    """As of 2005, when people_beyond was said to be missing for want of police data alone."""
    case = cases["2005"]
    column = next(c for c in dictionary.municipalities() if c.name == "people_beyond")
    alone = replace(column, reasons=("not_reporting",))
    with pytest.raises(AssertionError, match=r"people_beyond .*: 28 values"):
        check(alone, case.run.municipalities["people_beyond"], reasons_of_municipalities(case, alone))
