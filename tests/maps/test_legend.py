"""Classes of a measure, and what the page's legend says of them.

The page sorts values into classes and writes the labels in its own scripts; they are asked in a browser.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maps import legend, palette, standalone, webmap
from tests import browser
from tests.maps import example

HUNDREDTHS = st.integers(0, 100).map(lambda i: i / 100)
SHARES = st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda i: i / 20), HUNDREDTHS)
STEPS = (0.05, 0.1, 0.2)


@given(st.lists(st.one_of(SHARES, st.just(math.nan)), max_size=40))
def test_a_score_has_up_to_five_classes_with_a_colour_each(values: list[float]):
    scale = legend.score(values)
    assert len(scale.colours) == len(scale.breaks) + 1 <= 5
    assert len(set(scale.colours)) == len(scale.colours)
    assert set(scale.colours) <= set(palette.SCORE.colours)
    assert scale.colours[-1] == palette.SCORE.colours[-1]
    assert list(scale.breaks) == sorted(set(scale.breaks))


@given(st.lists(SHARES, min_size=1, max_size=40))
def test_limits_are_multiples_of_one_round_step(values: list[float]):
    limits = legend.round_breaks(values)
    assert all(limit == float(f"{limit:.2f}") for limit in limits)
    steps = {round(b - a, 2) for a, b in itertools.pairwise(limits)}
    assert len(steps) <= 1
    assert steps <= set(STEPS)


@pytest.mark.parametrize("low", [0.15, 0.3, 0.6])
def test_a_round_lowest_value_is_no_limit(low: float):
    assert low not in legend.round_breaks([low, low + 0.04])


def test_limits_lie_strictly_inside_the_range_so_that_no_end_class_is_empty():
    hundredths = [i / 100 for i in range(101)]
    pairs = itertools.combinations_with_replacement(hundredths, 2)
    found = {(low, high): legend.round_breaks([low, high]) for low, high in pairs}
    outside = {pair: limits for pair, limits in found.items() if not all(pair[0] < x < pair[1] for x in limits)}
    assert outside == {}


@given(st.lists(SHARES, max_size=20))
def test_limits_depend_neither_on_order_nor_on_gaps(values: list[float]):
    limits = legend.round_breaks(values)
    assert legend.round_breaks(values[::-1]) == limits
    assert legend.round_breaks([math.nan, *values, math.nan]) == limits
    assert legend.round_breaks(np.array(values)) == limits


@pytest.mark.parametrize("values", [[], [math.nan, math.nan], [0.4], [0.4, 0.4, math.nan], [0.0, 0.0], [1.0, 1.0]])
def test_no_value_or_one_alone_makes_one_class_in_the_darkest_colour(values: list[float]):
    scale = legend.score(values)
    assert scale.breaks == ()
    assert scale.colours == (palette.SCORE.colours[-1],)


def test_the_classes_of_coca_are_the_same_in_every_year_and_zero_stands_apart():
    scale = legend.coca()
    assert scale.breaks == legend.COCA_BREAKS_HA
    assert len(scale.colours) == len(scale.breaks) + 1
    assert scale.zero is not None
    assert scale.zero not in scale.colours
    assert min(scale.breaks) > 0


@pytest.mark.parametrize("scale", [legend.coca(), legend.score([0.1, 0.9])], ids=lambda scale: scale.field)
def test_the_page_reads_a_scale_as_it_is(scale: legend.Scale):
    read = json.loads(standalone.script_json(scale.to_dict()))
    assert read == {
        "field": scale.field,
        "breaks": list(scale.breaks),
        "colours": list(scale.colours),
        "decimals": scale.decimals,
        "zero": scale.zero,
        "absent": scale.absent,
    }
    assert all(round(limit, scale.decimals) == limit for limit in scale.breaks), "a label would round the limit away"


def test_the_page_gets_the_scales_of_its_own_values():
    content = example.content()
    scales = webmap.payload(content)["scales"]
    assert [scale["field"] for scale in scales] == ["score", "coca_ha"]
    assert scales[0] == legend.score(content.municipalities["score"]).to_dict()
    assert scales[1] == legend.coca().to_dict()


ASK = """
const [scale, towns, terms] = arguments;
const data = JSON.parse(document.getElementById("presencia-data").textContent);
const say = presencia.speech(data.texts);
say.fix(terms);
const box = document.createElement("section");
presencia.scales.legend(box, scale, [], { say, model: { towns } });
const rows = [...box.querySelectorAll(".pr-classes li")].map((row) => ({
  label: row.textContent,
  colour: row.querySelector(".pr-swatch").style.backgroundColor,
  kind: (row.querySelector(".pr-swatch").className.match(/pr-swatch-(\\w+)/) || [null, null])[1],
}));
return { found: towns.map((town) => presencia.scales.classify(scale, town)), rows, title: box.querySelector("summary").textContent };
"""  # noqa: E501
SAY = """
const [kind, value, decimals] = arguments;
const say = presencia.speech(JSON.parse(document.getElementById("presencia-data").textContent).texts);
return say[kind](value, decimals ?? undefined);
"""
TERMS = {"year": 2020, "minimum_coca_ha": "1"}


@pytest.fixture(scope="module")
def speakers(tmp_path_factory):
    """A browser at the example's page in each language."""
    folder = tmp_path_factory.mktemp("legend")
    with browser.chromium() as driver:
        open_pages = {}
        for lang in ("es", "en"):
            page = folder / f"{lang}.html"
            page.write_text(standalone.page(webmap.build(example.content(), lang=lang)), encoding="utf-8")
            driver.switch_to.new_window("tab")
            browser.open_file(driver, page)
            open_pages[lang] = driver.current_window_handle
        yield driver, open_pages


@pytest.fixture(params=["es", "en"])
def lang(request):
    return request.param


@pytest.fixture
def page(speakers, lang):
    driver, open_pages = speakers
    driver.switch_to.window(open_pages[lang])
    return driver


def town(scale: legend.Scale, value: float | None, **facts: Any) -> dict[str, Any]:
    return {"coca_ha": 5.0, "coverage": 1.0, "score": 0.5} | facts | {scale.field: value}


def ask(page, scale: legend.Scale, towns: list[dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = page.execute_script(ASK, scale.to_dict(), towns, TERMS)
    return answer


def labels(page, scale: legend.Scale, towns: list[dict[str, Any]]) -> list[str]:
    return [row["label"] for row in ask(page, scale, towns)["rows"]]


def _values(scale: legend.Scale, top: float) -> list[float]:
    rng = np.random.default_rng(3)
    edges = [limit + shift for limit in scale.breaks for shift in (-1e-4, 0.0, 1e-4)]
    return [*rng.uniform(1e-4, top, 200).round(4).tolist(), *edges, top]


def interval(label: str, decimal: str) -> tuple[float, float]:
    """Lower and upper limit that a label states, the lower one inside and the upper one outside."""
    thousands = "." if decimal == "," else ","
    limits = [float(text.replace(thousands, "").replace(decimal, ".")) for text in re.findall(r"\d[\d.,]*", label)]
    if label.startswith("<"):
        return -math.inf, limits[0]
    return (limits[0], math.inf) if label.startswith("≥") else (limits[0], limits[1])


SCALES = [
    (legend.coca(), 40_000.0),
    (legend.score([0.03, 0.97]), 1.0),
    (legend.score([0.31, 0.42]), 0.6),
    (legend.score([0.5, 0.58]), 0.6),
]


@pytest.mark.browser
@pytest.mark.parametrize(("scale", "top"), SCALES, ids=lambda given: getattr(given, "field", None))
def test_every_value_is_in_one_class_and_under_the_label_that_holds_it(page, lang, scale, top):
    values = _values(scale, top)
    answer = ask(page, scale, [town(scale, value) for value in values])
    assert answer["found"] == np.searchsorted(scale.breaks, values, side="right").tolist()
    classes = [row for row in answer["rows"] if row["kind"] is None]
    assert len(classes) == len(scale.colours)
    intervals = [interval(row["label"], "," if lang == "es" else ".") for row in reversed(classes)]
    for value, place in zip(values, answer["found"], strict=True):
        assert [low <= value < high for low, high in intervals].index(True) == place
        assert sum(low <= value < high for low, high in intervals) == 1


@pytest.mark.browser
@pytest.mark.parametrize(("scale", "top"), SCALES, ids=lambda given: getattr(given, "field", None))
def test_each_label_stands_beside_the_colour_of_its_class(page, scale, top):
    rows = [row for row in ask(page, scale, [town(scale, top)])["rows"] if row["kind"] is None]
    painted = [tuple(map(int, re.findall(r"\d+", row["colour"]))) for row in rows]
    assert painted == [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in reversed(scale.colours)]


@pytest.mark.browser
def test_the_legend_of_coca_reads_as_printed_numbers_do_in_its_language(page, lang):
    scale = legend.coca()
    expected = {
        "es": ["≥ 2.500", "500 – 2.500", "100 – 500", "10 – 100", "< 10", "0"],
        "en": ["≥ 2,500", "500 – 2,500", "100 – 500", "10 – 100", "< 10", "0"],
    }
    assert labels(page, scale, [town(scale, 3.0)]) == expected[lang]
    title = {"es": "Coca en 2020, hectáreas", "en": "Coca in 2020, hectares"}
    assert ask(page, scale, [])["title"] == title[lang]


@pytest.mark.browser
def test_the_legend_of_scores_reads_as_printed_numbers_do_in_its_language(page, lang):
    scale = legend.score([0.17, 0.85])
    expected = {
        "es": ["≥ 0,80", "0,60 – 0,80", "0,40 – 0,60", "0,20 – 0,40", "< 0,20", "Menos de 1 ha de coca"],
        "en": ["≥ 0.80", "0.60 – 0.80", "0.40 – 0.60", "0.20 – 0.40", "< 0.20", "Under 1 ha of coca"],
    }
    assert labels(page, scale, [town(scale, 0.5)]) == expected[lang]


@pytest.mark.browser
def test_missing_stands_apart_from_zero_and_from_every_class(page, lang):
    scale = legend.coca()
    answer = ask(page, scale, [town(scale, value) for value in (None, 0, 0.01, 10, 9.99)])
    assert answer["found"] == ["missing", "zero", 0, 1, 0]
    kinds = {row["kind"]: row["label"] for row in answer["rows"]}
    assert kinds["missing"] == {"es": "Sin dato", "en": "No data"}[lang]
    assert kinds["zero"] == "0"


@pytest.mark.browser
def test_a_score_that_does_not_apply_stands_apart_from_one_that_is_missing(page):
    scale = legend.score([0.1, 0.9])
    towns = [
        town(scale, None, coca_ha=0.0),
        town(scale, None, coca_ha=0.4),
        town(scale, None, coca_ha=None),
        town(scale, None, coca_ha=5.0, coverage=0),
        town(scale, 0.0),
    ]
    assert ask(page, scale, towns)["found"] == ["absent", "absent", "missing", "missing", 0]


@pytest.mark.browser
def test_a_legend_without_gaps_does_not_speak_of_them(page):
    scale = legend.coca()
    assert [row["kind"] for row in ask(page, scale, [town(scale, 3.0)])["rows"]] == [None] * 5 + ["zero"]


@pytest.mark.browser
@pytest.mark.parametrize("values", [[0.4], [0.4, 0.4], [0.4, None], [0.0]])
def test_where_all_scores_are_alike_the_one_class_is_named_without_limits(page, lang, values):
    scale = legend.score([math.nan if value is None else value for value in values])
    answer = ask(page, scale, [town(scale, value) for value in values])
    classes = [row["label"] for row in answer["rows"] if row["kind"] is None]
    assert classes == [{"es": "Con puntaje", "en": "Scored"}[lang]]
    assert answer["found"] == ["absent" if value is None else 0 for value in values]


@pytest.mark.browser
def test_where_every_value_is_missing_the_legend_says_so(page, lang):
    scale = legend.score([math.nan, math.nan])
    answer = ask(page, scale, [town(scale, None, coca_ha=None)] * 2)
    assert answer["found"] == ["missing", "missing"]
    assert answer["rows"][-1]["label"] == {"es": "Sin dato", "en": "No data"}[lang]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("kind", "value", "decimals", "spanish", "english"),
    [
        ("number", 1234, 0, "1.234", "1,234"),
        ("number", 12345.678, 1, "12.345,7", "12,345.7"),
        ("number", 1_234_567.5, 2, "1.234.567,50", "1,234,567.50"),
        ("number", 0, 0, "0", "0"),
        ("number", 0.25, 2, "0,25", "0.25"),
        ("number", -12.5, 1, "-12,5", "-12.5"),
        ("number", None, 0, "sin dato", "no data"),
        ("amount", 0, None, "0", "0"),
        ("amount", 0.4, None, "0,4", "0.4"),
        ("amount", 99.5, None, "99,5", "99.5"),
        ("amount", 19334.2, None, "19.334", "19,334"),
        ("amount", None, None, "sin dato", "no data"),
        ("share", 0.8, None, "80%", "80%"),
        ("share", 0, None, "0%", "0%"),
        ("share", None, None, "sin dato", "no data"),
        ("score", 0.7449, None, "0,74", "0.74"),
        ("score", None, None, "sin dato", "no data"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(page, lang, kind, value, decimals, spanish, english):
    said = page.execute_script(SAY, kind, value, decimals).replace("\u2212", "-")
    said = re.sub(r"\s%", "%", said)  # with or without a space: it depends on the browser's edition of CLDR
    assert said == {"es": spanish, "en": english}[lang]
