"""Charts of a report, read back from their SVG: heights, widths, gaps and words are known beforehand."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import SchemaError
from layers.goal import Aim
from maps import palette
from maps.report import charts, svg
from tests.maps import svgread, test_palette

AIM = Aim(2017, 2023, 0.5)
YEARS = range(2010, 2025)
COCA = pd.Series(1000.0 * np.arange(1, 16), index=YEARS)
PRINTED = pd.Series({2017: 8010.0, 2024: 15000.5})
DIMENSIONS = {
    "cultivation": "Cultivo",
    "resurgence": "Erradicación que no duró",
    "void": "Vacío",
    "presence": "Presencia",
}
NAMES = {"52835": "San Andrés de Tumaco", "19050": "Argelia", "88001": "San Andrés"}
PARTS = pd.DataFrame(
    [[0.4, 0.2, 0.1, 0.1], [0.2, np.nan, 0.1, 0.0], [np.nan] * 4], index=list(NAMES), columns=list(DIMENSIONS)
)


def goal(coca: pd.Series = COCA, printed: pd.Series = PRINTED, **options) -> str:
    return charts.goal(coca, printed, AIM, **{"lang": "es", **options})


def history(coca: pd.Series, eradicated: pd.Series, **options) -> str:
    return charts.history(coca, eradicated, **{"lang": "es", **options})


def heights(outlines: list[svgread.Outline], name: str) -> dict[int, float]:
    """Of each bar whose id is the name and a year; clipped ones, too."""
    found = {each.group: each.box for each in outlines if re.fullmatch(rf"{name}-\d{{4}}", each.group)}
    return {int(group[-4:]): box[3] - box[1] for group, box in found.items()}


def unclipped(document: str) -> list[svgread.Outline]:
    return svgread.read(document.replace(" clip-path=", " data-clip="))[1]


def test_bars_are_as_high_as_the_hectares_are_many():
    bars = heights(unclipped(goal()), "coca")
    assert sorted(bars) == list(YEARS)
    for year in YEARS:
        assert bars[year] / bars[2024] == pytest.approx(COCA[year] / COCA[2024], abs=0.001)


def test_the_way_leads_straight_from_the_baseline_to_the_goal_and_on():
    outlines = unclipped(goal())
    bars, floor = heights(outlines, "coca"), svgread.by_id(outlines, "coca-2024")[0].box[3]
    per_ha = bars[2024] / COCA[2024]
    (way,), (line,) = svgread.by_id(outlines, "way"), svgread.by_id(outlines, "goal")
    assert [(floor - y) / per_ha for y in way.points[:, 1]] == pytest.approx([8000, 4000], abs=15)
    assert [(floor - y) / per_ha for y in line.points[:, 1]] == pytest.approx([4000, 4000], abs=15)
    middles = [np.mean(svgread.by_id(outlines, f"coca-{year}")[0].box[::2]) for year in (2017, 2023)]
    assert way.points[:, 0].tolist() == pytest.approx(middles, abs=0.05)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("es", ["Línea base 2017: 8.000 ha", "Meta 2023: 4.000 ha", "2024: 15.000 ha", "10.000"]),
        ("en", ["Baseline 2017: 8,000 ha", "Goal 2023: 4,000 ha", "2024: 15,000 ha", "10,000"]),
    ],
)
def test_numbers_are_written_as_the_language_does(lang, words):
    assert set(words) <= set(svgread.texts(goal(lang=lang)))


def test_years_without_data_are_hatched_gaps_and_never_bars_of_zero():
    gaps = COCA.copy()
    gaps[[2012, 2015]] = np.nan
    document = goal(gaps.drop(2013))
    outlines = unclipped(document)
    assert sorted(heights(outlines, "gap")) == [2012, 2013, 2015]
    assert all(each.fill.startswith("url(#") for each in outlines if re.fullmatch(r"gap-\d+", each.group))
    assert not {2012, 2013, 2015} & set(heights(outlines, "coca"))
    assert "Sin dato" in svgread.texts(document)
    assert "Sin dato" not in svgread.texts(goal())


def test_without_a_baseline_there_is_no_way_and_no_goal():
    outlines = unclipped(goal(COCA.loc[2018:], PRINTED.loc[2018:]))
    assert not svgread.by_id(outlines, "way") + svgread.by_id(outlines, "goal")


def test_years_to_come_until_the_goal_are_empty_and_not_missing():
    document = goal(COCA.loc[:2019], PRINTED.loc[:2017])
    outlines = unclipped(document)
    assert not heights(outlines, "gap")
    assert "2023" in svgread.texts(document)
    (way,), last = svgread.by_id(outlines, "way"), svgread.by_id(outlines, "coca-2019")[0]
    assert way.points[:, 0].max() > last.box[2] + 3 * (last.box[2] - last.box[0])


def test_a_chart_of_no_year_is_refused():
    with pytest.raises(SchemaError, match="at least one year"):
        history(COCA.iloc[:0], COCA.iloc[:0])


def test_labels_aside_do_not_touch_where_the_last_value_is_the_goal():
    met = pd.Series({2017: 8000.0, 2023: 4050.0, 2024: 4010.0})
    _, outlines = svgread.read(goal(met, PRINTED.loc[:2017]))
    lower, upper = ([each.box for each in outlines if each.group == f"aside-{place}"] for place in (0, 1))
    assert min(box[1] for box in lower) > max(box[3] for box in upper)


def test_coca_that_was_not_measured_breaks_the_line_and_zero_does_not():
    coca = pd.Series([5.0, 0.0, 7.0, np.nan, 9.0, np.nan, 3.0, 4.0], index=range(2010, 2018))
    eradicated = pd.Series([np.nan, np.nan, 2.0, 0.0, 4.0, 1.0, 0.0, 8.0], index=range(2010, 2018))
    document = history(coca, eradicated)
    outlines = unclipped(document)
    assert sorted(heights(outlines, "gap")) == [2013, 2015]
    assert sorted(heights(outlines, "unknown")) == [2010, 2011]
    bars = heights(outlines, "eradicated")
    assert sorted(bars) == [2012, 2014, 2015, 2017]
    assert bars[2017] / bars[2012] == pytest.approx(4, rel=0.01)
    lines = {each.group: each for each in outlines if each.group.startswith("coca-")}
    assert sorted(lines) == ["coca-2010", "coca-2014", "coca-2016"]
    assert len(lines["coca-2010"].points) == 3
    assert {"Coca sin dato", "Erradicación sin dato"} <= set(svgread.texts(document))


@pytest.mark.parametrize("value", [0.0, np.nan, 0.3, 123456.7])
def test_a_place_without_coca_or_without_any_data_has_a_chart_too(value):
    years = pd.Series(value, index=YEARS)
    document = history(years, years)
    assert svgread.outside(document) == []
    assert len(heights(unclipped(document), "gap")) == (len(YEARS) if math.isnan(value) else 0)


def test_contributions_are_as_wide_as_they_are_large_and_end_in_the_score():
    document = charts.contributions(PARTS, NAMES, DIMENSIONS, lang="es")
    _, outlines = svgread.read(document)

    def part(code: str, dimension: str) -> svgread.Outline:
        return svgread.by_id(outlines, f"part-{code}-{dimension}")[0]

    width = {name: part("52835", name).box[2] - part("52835", name).box[0] for name in DIMENSIONS}
    assert width["cultivation"] / width["resurgence"] == pytest.approx(2, rel=0.01)
    assert width["resurgence"] / width["void"] == pytest.approx(2, rel=0.01)
    fills = [part("52835", name).fill for name in DIMENSIONS]
    assert fills == list(palette.DIMENSIONS.colours[:4])
    assert not svgread.by_id(outlines, "part-19050-resurgence")
    assert part("19050", "void").box[0] == pytest.approx(part("19050", "cultivation").box[2], abs=0.02)
    assert {"0,800", "0,300", "sin puntaje", "0,40", *DIMENSIONS.values()} <= set(svgread.texts(document))


def test_no_members_make_an_empty_chart_that_says_so():
    document = charts.contributions(PARTS.iloc[:0], {}, DIMENSIONS, lang="en")
    assert "No municipalities." in svgread.texts(document)
    assert svgread.outside(document) == []


def test_charts_are_small_and_the_same_each_time():
    gaps = COCA.where(COCA > 3000)
    for draw in (
        lambda: goal(gaps),
        lambda: history(COCA, gaps),
        lambda: charts.contributions(PARTS, NAMES, DIMENSIONS, lang="es"),
    ):
        document = draw()
        assert document == draw()
        assert len(document) < 40_000
        assert svgread.outside(document) == []
        assert not re.search(r"<script|<image|<text|DOCTYPE|font-family", document)


@settings(max_examples=60)
@given(st.floats(1e-4, 1e9))
def test_axes_end_above_all_values_in_few_round_steps(most):
    marks = charts._marks(most)
    assert marks[0] == 0
    assert marks[-2] < most <= marks[-1] * (1 + 1e-8)
    assert 2 <= len(marks) <= charts.TICKS + 2


@pytest.mark.parametrize("colour", palette.DIMENSIONS.colours)
def test_letters_on_bars_are_legible(colour):
    light = float(test_palette.linear(colour) @ [0.2126, 0.7152, 0.0722])
    ratio = 1.05 / (light + 0.05) if charts._legible(colour) == svg.PAPER else (light + 0.05) / 0.05
    assert ratio >= 4.5
