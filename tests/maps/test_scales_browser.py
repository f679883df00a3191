"""What the page makes of classes: which a value falls into, how each is named, and the legend that a person reads."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from maps import legend, palette
from tests import browser, reader
from tests.maps import example
from tests.maps.test_legend import ORDER, amounts

pytestmark = pytest.mark.browser

TOWNS = len(example.municipalities())
SCALES = {scale.field: scale for scale in legend.scales(amounts(), [0.31, 0.55])}
FITTED = [scale for scale in SCALES.values() if scale.kind != "categories"]
# Values travel as text, since JSON has no NaN.
SORT = """
const [scale, values, places, coca] = arguments;
const known = (texts) => Float64Array.from(texts, Number);
return [...presencia.scales.classes(scale, known(values), { places }, coca && known(coca))];
"""
LABELS = """
const [scale] = arguments, { say } = presencia.app;
return scale.colours.map((_, at) => presencia.scales.label(scale, at, say));
"""
WRITE = "return presencia.scales.write(arguments[0], Number(arguments[1]), presencia.app.say)"
ROWS = """
return [...document.querySelectorAll("#pr-legend .pr-classes li")].map((row) => {
  const swatch = row.querySelector(".pr-swatch"), label = row.querySelector(".pr-label").firstChild.textContent;
  return [label, getComputedStyle(swatch).backgroundColor, Number(row.querySelector(".pr-count span:nth-child(2)").textContent)];
});
"""  # noqa: E501


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return example.write(tmp_path_factory.mktemp("scales"))


@pytest.fixture(scope="module")
def drivers():
    with browser.chromium() as wide, browser.chromium(browser.PHONE, touch=True) as narrow:
        yield wide, narrow


@pytest.fixture(scope="module")
def desk(drivers, page):
    with reader.reading(drivers[0], page) as person:
        yield person


@pytest.fixture
def wide(desk):
    desk.set(**desk.run("return presencia.app.store.usual"))
    return desk


@pytest.fixture(params=["es", "en"])
def lang(request):
    return request.param


def sort(person, scale, values, places=(), coca=None):
    texts = [str(value) for value in values]
    return person.run(SORT, scale.to_dict(), texts, list(places), coca and [str(value) for value in coca])


def rows(person):
    return [tuple(row) for row in person.run(ROWS)]


def css(colour):
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


@pytest.mark.parametrize("scale", FITTED, ids=lambda scale: scale.field)
def test_a_value_falls_into_the_class_of_the_highest_break_that_it_reaches(wide, scale):
    edges = [limit + shift for limit in scale.breaks for shift in (-1e-4, 0.0, 1e-4)]
    values = [value for value in [*edges, -3e4, 1e-5, 0.5, 3e5] if value]
    assert sort(wide, scale, values) == np.searchsorted(scale.breaks, values, side="right").tolist()


def test_zero_and_missing_are_none_of_the_classes(wide):
    for scale in FITTED:
        top = len(scale.colours)
        zero = 0 if scale.field == "score" else top
        assert sort(wide, scale, [0.0, math.nan], places=[1]) == [zero, top + 2]
        fills = wide.run("return presencia.scales.fills(arguments[0])", scale.to_dict())
        assert fills[:top] == list(scale.colours)
        assert fills[top:] == [palette.GROUND["zero"], palette.GROUND["absent"], palette.GROUND["missing"]]
        assert wide.run("return presencia.scales.missing(arguments[0])", scale.to_dict()) == top + 2


def test_a_score_that_is_not_there_is_missing_only_of_a_candidate_or_where_nobody_measured(wide):
    scale = SCALES["score"]
    absent, missing = len(scale.colours) + 1, len(scale.colours) + 2
    values, coca = [math.nan] * 3, [5.0, 0.2, math.nan]
    assert sort(wide, scale, values, places=[0], coca=coca) == [missing, absent, missing]
    classify = "return presencia.scales.classify(arguments[0], NaN, arguments[1])"
    assert [wide.run(classify, scale.to_dict(), candidate) for candidate in (True, False)] == ["missing", "absent"]


def limits(label, decimal):
    """Lower and upper limit that a label states, the lower one inside and the upper one outside."""
    thousands = "." if decimal == "," else ","
    plain = label.replace("−", "-").replace(thousands, "").replace(decimal, ".")
    share = 100 if "%" in label else 1
    found = [float(text) / share for text in re.findall(r"-?\d[\d.]*", plain)]
    if label.startswith("<"):
        return -math.inf, found[0]
    return (found[0], math.inf) if label[0] in "≥>" else (found[0], found[1])


@pytest.mark.parametrize("scale", FITTED, ids=lambda scale: scale.field)
def test_each_class_is_named_by_its_limits(wide, lang, scale):
    wide.set(lang=lang)
    labels = wide.run(LABELS, scale.to_dict())
    found = [limits(label, "," if lang == "es" else ".") for label in labels]
    edges = [-math.inf, *scale.breaks, math.inf]
    assert np.array(found) == pytest.approx(np.array(list(itertools.pairwise(edges))), rel=1e-12)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("coca_ha", 1088.9, {"es": "1.088,9 ha", "en": "1,088.9 ha"}),
        ("coca_ha", 0.0, {"es": "0 ha", "en": "0 ha"}),
        ("coca_ha_per_km2", 0.0123, {"es": "0,012 ha/km²", "en": "0.012 ha/km²"}),
        ("change_ha", 120.5, {"es": "+120,5 ha", "en": "+120.5 ha"}),
        ("change_ha", -3.0, {"es": "−3 ha", "en": "−3 ha"}),
        ("resurgence", 0.8, {"es": "80\u00a0%", "en": "80%"}),
        ("farc_events", 3.0, {"es": "3", "en": "3"}),
        ("homicide_rate", 41.26, {"es": "41,3 por 100.000 hab.", "en": "41.3 per 100,000 people"}),
        ("score", 0.625, {"es": "0,63", "en": "0.63"}),
        ("score", math.nan, {"es": "sin puntaje", "en": "no score"}),
        ("station_km", math.nan, {"es": "sin dato", "en": "no data"}),
        ("permanence_class", 0, {"es": "permanente", "en": "permanent"}),
        ("hot_spot", 1, {"es": "baja", "en": "low"}),
    ],
)
def test_a_value_is_written_with_its_unit(wide, lang, field, value, words):
    wide.set(lang=lang)
    written = wide.run(WRITE, SCALES[field].to_dict(), str(value))
    assert written.replace("\u00a0", "") == words[lang].replace("\u00a0", "")


def test_every_measure_has_a_name_and_a_legend_that_counts_every_municipality(wide, lang):
    wide.set(lang=lang)
    for field in ORDER:
        wide.set(measure=field)
        counts = [count for *_, count in rows(wide)]
        assert sum(counts) == TOWNS
        title = wide.text("#pr-legend summary")
        assert title.startswith(wide.run("return presencia.scales.name(arguments[0], presencia.app.say, 2020)", field))
        assert "_" not in wide.text("#pr-legend")
        assert "{" not in wide.text("#pr-legend")


def test_the_legend_goes_from_high_to_low_then_zero_and_missing(wide, lang):
    wide.set(lang=lang, measure="coca_ha")
    scale = wide.run("return presencia.app.scale('coca_ha')")
    found = rows(wide)
    assert [colour for _, colour, _ in found[:-2]] == [css(colour) for colour in reversed(scale["colours"])]
    assert found[0][0].startswith("≥")
    assert found[-2] == ("0", css(palette.GROUND["zero"]), 3)
    assert found[-1][0] == {"es": "Sin dato", "en": "No data"}[lang]
    assert found[-1][2] == 1
    assert {"es": "Coca en 2020 (ha)", "en": "Coca in 2020 (ha)"}[lang] == wide.text("#pr-legend summary")


def test_what_is_missing_is_hatched_and_listed_only_where_it_is(wide):
    wide.set(measure="coca_ha")
    style = "return getComputedStyle(document.querySelector('.pr-swatch-missing')).backgroundImage"
    assert "gradient" in wide.run(style)
    wide.set(measure="farc_events", year=2014)
    assert wide.all("#pr-legend .pr-swatch-missing") == []
    wide.set(year=2020, measure="sprayed_ha")
    assert rows(wide)[-1][2] == TOWNS


def test_a_change_has_no_change_in_its_midst(wide, lang):
    wide.set(lang=lang, measure="change_ha", year=2023)
    labels = [label for label, *_ in rows(wide)]
    scale = wide.run("return presencia.app.scale('change_ha')")
    assert labels[len(scale["colours"]) // 2] == {"es": "Sin cambio", "en": "No change"}[lang]
    assert re.search("2017.*2023", wide.text("#pr-legend summary"))


def test_who_is_no_candidate_is_told_so_for_the_settings_as_they_are(wide, lang):
    wide.set(lang=lang, minimum=25)
    assert {"es": "Menos de 25 ha de coca", "en": "Under 25 ha of coca"}[lang] in wide.text("#pr-legend")
    wide.set(only="pdet")
    assert {"es": "No candidato", "en": "Not a candidate"}[lang] in wide.text("#pr-legend")
    wide.set(only="", minimum=0)
    assert {"es": "Menos de", "en": "Under"}[lang] not in wide.text("#pr-legend")


def test_the_legend_follows_year_and_weights(wide):
    wide.set(measure="coca_ha", year=2024)
    later = rows(wide)
    wide.set(year=2001)
    assert [row[:2] for row in rows(wide)] == [row[:2] for row in later]
    assert rows(wide) != later
    wide.set(measure="score", year=2020)
    before = rows(wide)
    wide.set(weights=[1, 0, 0])
    assert [row[:2] for row in rows(wide)] == [row[:2] for row in before]
    assert rows(wide) != before


def test_two_views_have_two_legends(wide):
    wide.set(measure="coca_ha", compare="swipe", measure2="permanence_class", year2=2012)
    assert "2012" in wide.text("#pr-legend h2")
    assert len(wide.all("#pr-legend .pr-classes")) == 2
    wide.set(year2=2014)
    assert "2014" in wide.text("#pr-legend h2")
    wide.set(compare="off")
    assert len(wide.all("#pr-legend .pr-classes")) == 1
    assert wide.all("#pr-legend h2") == []


def test_outlines_and_points_are_explained_below(wide, lang):
    wide.set(lang=lang, overlays=["posts", "vacated"])
    lines = [line.text for line in wide.all("#pr-legend .pr-legend-line")]
    words = {"es": ["Alto cultivo que dejaron las FARC", "Puestos de policía"],
             "en": ["High cultivation the FARC left", "Police posts"]}  # fmt: skip
    assert lines == words[lang]
    wide.set(overlays=[])
    assert not wide.seen("#pr-legend .pr-lines")


def test_the_legend_folds_by_keyboard_and_is_right_when_it_unfolds(wide):
    wide.set(measure="coca_ha")
    wide.run("document.querySelector('#pr-legend summary').focus()")
    wide.press(Keys.ENTER)
    assert not wide.seen("#pr-legend .pr-classes")
    wide.set(measure="permanence_class")
    assert "2020" in wide.text("#pr-legend summary")
    wide.press(Keys.ENTER)
    wide.wait(lambda: len(rows(wide)) >= 6, "the classes")
    assert sum(count for *_, count in rows(wide)) == TOWNS


def test_on_a_phone_the_legend_is_two_lines_and_its_title_a_target(drivers, page):
    with reader.reading(drivers[1], page, "measure=coca_ha") as person:
        assert person.one("#pr-legend summary").rect["height"] >= 44
        assert person.one("#pr-legend .pr-classes").rect["height"] <= 40
        assert person.one("#pr-legend").rect["height"] <= 120
        assert person.run("return document.documentElement.scrollWidth") == 390
