"""Classes of a measure: their limits, their colours and what a page is told of them.

The page sorts values into classes and writes the labels in its own scripts: ``test_scales_browser.py``.
"""

from __future__ import annotations

import itertools
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps import legend, palette, payload, standalone
from tests.maps import example

HUNDREDTHS = st.integers(0, 100).map(lambda i: i / 100)
SHARES = st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda i: i / 20), HUNDREDTHS)
STEPS = (0.05, 0.1, 0.2)
AMOUNTS = st.one_of(
    st.floats(), st.integers(-5, 500).map(float), st.floats(-6, 6).map(lambda power: 10**power), st.just(math.nan)
)
LIMITS = (1.0, 2.0, 2.5, 5.0)
ORDER = [
    "score", "coca_ha", "coca_ha_per_km2", "coca_trend_ha_per_year", "change_ha", "permanence_class", "hot_spot",
    "eradicated_ha", "sprayed_ha", "resurgence", "farc_events", "farc_events_per_10k", "homicide_rate", "station_km",
    "people_beyond",
]  # fmt: skip


@given(st.lists(st.one_of(SHARES, st.just(math.nan)), max_size=40))
def test_a_score_has_up_to_five_classes_with_a_colour_each(values: list[float]):
    scale = legend.score(values)
    assert len(scale.colours) == len(scale.breaks) + 1 <= 5
    assert len(set(scale.colours)) == len(scale.colours)
    assert set(scale.colours) <= set(palette.SCORE.colours)
    assert scale.colours[-1] == palette.SCORE.colours[-1]
    assert list(scale.breaks) == sorted(set(scale.breaks))


@given(st.lists(SHARES, min_size=1, max_size=40))
def test_limits_of_scores_are_multiples_of_one_round_step(values: list[float]):
    limits = legend.round_breaks(values)
    assert all(limit == float(f"{limit:.2f}") for limit in limits)
    steps = {round(b - a, 2) for a, b in itertools.pairwise(limits)}
    assert len(steps) <= 1
    assert steps <= set(STEPS)


@pytest.mark.parametrize("low", [0.15, 0.3, 0.6])
def test_a_round_lowest_score_is_no_limit(low: float):
    assert low not in legend.round_breaks([low, low + 0.04])


def test_limits_of_scores_lie_strictly_inside_the_range_so_that_no_end_class_is_empty():
    hundredths = [i / 100 for i in range(101)]
    pairs = itertools.combinations_with_replacement(hundredths, 2)
    found = {(low, high): legend.round_breaks([low, high]) for low, high in pairs}
    outside = {pair: limits for pair, limits in found.items() if not all(pair[0] < x < pair[1] for x in limits)}
    assert outside == {}


@given(st.lists(SHARES, max_size=20))
def test_limits_of_scores_depend_neither_on_order_nor_on_gaps(values: list[float]):
    limits = legend.round_breaks(values)
    assert legend.round_breaks(values[::-1]) == limits
    assert legend.round_breaks([math.nan, *values, math.nan]) == limits
    assert legend.round_breaks(np.array(values)) == limits


@pytest.mark.parametrize("values", [[], [math.nan, math.nan], [0.4], [0.4, 0.4, math.nan], [0.0, 0.0], [1.0, 1.0]])
def test_no_score_or_one_alone_makes_one_class_in_the_darkest_colour(values: list[float]):
    scale = legend.score(values)
    assert scale.breaks == ()
    assert scale.colours == (palette.SCORE.colours[-1],)


@settings(max_examples=150, deadline=None)
@given(st.lists(AMOUNTS, max_size=80), st.integers(2, 5))
def test_every_class_of_an_amount_holds_a_value(values: list[float], classes: int):
    limits = legend.limits(np.array(values), classes=classes)
    known = [value for value in values if math.isfinite(value) and value > 0]
    assert len(limits) < classes
    assert list(limits) == sorted(limits)
    counts = np.bincount(np.searchsorted(limits, known, side="right"), minlength=len(limits) + 1)
    assert not known or counts.min() > 0
    assert bool(limits) == (len(set(known)) > 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(AMOUNTS, max_size=60), st.randoms(use_true_random=False))
def test_limits_of_an_amount_depend_on_its_values_alone(values: list[float], chance):
    limits = legend.limits(np.array(values))
    shuffled = values[:]
    chance.shuffle(shuffled)
    assert legend.limits(np.array([math.nan, *shuffled, math.inf, -math.inf, 0.0, -7.0])) == limits


def test_an_even_amount_is_classed_as_it_is():
    assert legend.limits(np.linspace(1, 100, 1000)) == (20.0, 40.0, 60.0, 80.0)


def test_a_skewed_amount_is_classed_in_its_logarithm():
    values = 10 ** np.linspace(0, 5, 5000)
    assert legend.skewness(values) > legend.SKEWED > abs(legend.skewness(np.log(values)))
    assert legend.limits(values) == (10.0, 100.0, 1000.0, 10000.0)


def test_an_amount_with_a_few_values_far_beyond_all_others_is_classed_by_heads_and_tails():
    values = np.concatenate([np.linspace(0.1, 0.3, 900), np.linspace(4, 6, 80), np.linspace(90, 110, 12)])
    assert legend.skewness(np.log(values)) > legend.SKEWED
    low, high = legend.limits(values)
    assert (low, high) == (2.0, 20.0)


def test_a_head_that_is_no_minority_is_not_divided():
    values = np.concatenate([np.full(900, 0.1), [50.0, 51.0, 52.0, 53.0, 54.0, 55.0]])
    assert len(legend.limits(values)) == 1


def test_few_values_have_a_class_each():
    assert legend.limits(np.array([1.0, 1.0, 2.0, 30.0])) == (2.0, 25.0)
    assert legend.limits(np.array([7.0, 8.0])) == (8.0,)
    assert legend.limits(np.array([1.0012, 1.0013])) == (1.0013,)


@pytest.mark.parametrize("seed", range(8))
def test_limits_are_numbers_that_a_reader_keeps_in_mind(seed: int):
    rng = np.random.default_rng(seed)
    limits = legend.limits(rng.lognormal(rng.uniform(-3, 6), rng.uniform(1, 3), 4000))
    assert len(limits) == 4
    assert {float(f"{limit:e}".split("e")[0]) for limit in limits} <= set(LIMITS)


def test_skewness_is_the_third_standardised_moment():
    assert legend.skewness(np.array([1.0, 1.0, 1.0, 5.0])) == pytest.approx(2 / math.sqrt(3))
    assert legend.skewness(np.array([-1.0, 0.0, 1.0])) == pytest.approx(0, abs=1e-12)
    assert legend.skewness(np.array([1e300, 1e300, 1e308])) == pytest.approx(1 / math.sqrt(2), rel=1e-6)
    assert legend.skewness(np.array([])) == legend.skewness(np.array([3.0, 3.0])) == 0


def amounts(rows: int = 60, years: int = 5, seed: int = 4) -> dict[str, pd.DataFrame]:
    """Frames of every measure, half of them zeros; changes have both signs."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in legend.FITTED:
        values = rng.lognormal(3, 2, (rows, years)) * rng.integers(0, 2, (rows, years))
        signs = rng.choice([-1, 1], (rows, years)) if name in {"change_ha", "coca_trend_ha_per_year"} else 1
        found[name] = pd.DataFrame(signs * values, columns=range(2001, 2001 + years))
    return found


def test_every_measure_of_the_map_has_its_classes_in_order_and_group():
    scales = legend.scales(amounts(), [0.1, 0.9])
    assert [scale.field for scale in scales] == ORDER
    groups = [group for group, _ in itertools.groupby(scales, key=lambda scale: scale.group)]
    assert groups == ["score", "cultivation", "eradication", "violence", "presence"]
    kinds = {scale.field: scale.kind for scale in scales if scale.kind != "classes"}
    assert kinds == {
        "coca_trend_ha_per_year": "diverging", "change_ha": "diverging",
        "permanence_class": "categories", "hot_spot": "categories",
    }  # fmt: skip
    for scale in scales:
        assert len(scale.colours) == (len(scale.categories) or len(scale.breaks) + 1)
        assert len(set(scale.colours)) == len(scale.colours)


def test_limits_are_fitted_on_all_years_and_so_the_same_in_each():
    series = amounts()
    turned = {name: frame.iloc[::-1, ::-1] for name, frame in series.items()}
    assert legend.scales(turned, [0.5]) == legend.scales(series, [0.5])
    later = {name: frame.assign(**{"2099": frame[2001] * 50}) for name, frame in series.items()}
    assert legend.scales(later, [0.5]) != legend.scales(series, [0.5])


def test_zero_stands_apart_in_every_amount_and_what_is_none_in_the_score_alone():
    for scale in legend.scales(amounts(), [0.1, 0.9]):
        if scale.kind != "categories":
            assert (scale.zero is None) == (scale.field == "score") != (scale.absent is None)
        assert scale.missing not in {*scale.colours, scale.zero, scale.absent}
        assert scale.zero is None or scale.zero not in scale.colours


def test_a_change_has_the_same_limits_on_either_side_of_zero():
    scale = next(scale for scale in legend.scales(amounts(), []) if scale.field == "change_ha")
    assert len(scale.breaks) == 5
    assert scale.breaks == tuple(-limit for limit in reversed(scale.breaks))
    assert scale.breaks[2] == 0
    assert set(scale.colours[:3]) == set(palette.FALL.colours)
    assert scale.colours[3:] == palette.RISE.colours
    assert scale.colours[0] == palette.FALL.colours[-1]


NOTHING = [
    np.full((4, 3), np.nan),
    np.zeros((4, 3)),
    np.full((4, 3), -2.0),
    np.full((4, 3), 7.5),
    np.full((4, 3), np.inf),
    np.empty((0, 0)),
]


@pytest.mark.parametrize("values", NOTHING, ids=["missing", "zero", "negative", "alike", "infinite", "none"])
def test_an_amount_without_differences_has_one_class(values):
    frame = pd.DataFrame(values)
    for scale in legend.scales(dict.fromkeys(legend.FITTED, frame), []):
        if scale.kind == "classes":
            assert scale.breaks == ()
            assert len(scale.colours) == 1
        if scale.kind == "diverging":
            assert scale.breaks == (0.0,)
            assert scale.colours == (palette.FALL.colours[-1], palette.RISE.colours[-1])


def test_a_measure_without_a_frame_is_still_offered_and_others_are_ignored():
    scales = legend.scales({"coca_ha": amounts()["coca_ha"], "permanence": pd.DataFrame([[1.0]])}, [])
    assert [scale.field for scale in scales] == ORDER
    assert [scale.field for scale in scales if scale.kind == "classes" and scale.breaks] == ["coca_ha"]


@pytest.mark.parametrize(("name", "categories"), [("hot_spot", legend.SPOTS), ("permanence_class", legend.PERMANENCE)])
def test_the_page_numbers_categories_as_their_scale_does(name, categories):
    [listed] = re.findall(rf"{name}: (\[[^\]]*\])", standalone.asset("measures.js"))
    assert json.loads(listed) == list(categories)


@pytest.mark.parametrize("scale", legend.scales(amounts(), [0.1, 0.9]), ids=lambda scale: scale.field)
def test_the_page_reads_a_scale_as_it_is(scale: legend.Scale):
    read = json.loads(standalone.script_json(scale.to_dict()))
    assert read == {
        "field": scale.field,
        "kind": scale.kind,
        "group": scale.group,
        "unit": scale.unit,
        "breaks": list(scale.breaks),
        "colours": list(scale.colours),
        "decimals": scale.decimals,
        "zero": scale.zero,
        "absent": scale.absent,
        "missing": scale.missing,
        "categories": list(scale.categories),
    }
    assert all(round(limit, scale.decimals) == limit for limit in scale.breaks), "a label would round the limit away"


@pytest.mark.parametrize("lang", payload.LANGUAGES)
def test_every_measure_unit_and_class_has_its_words(lang):
    words = json.loads(standalone.asset("texts/scales.json"))[lang]
    for scale in legend.scales({}, []):
        wanted = [f"scales_measure_{scale.field}", f"scales_title_{scale.field}", f"scales_unit_{scale.unit}"]
        wanted += [f"scales_{part}_{name}" for part in ("class", "about") for name in scale.categories]
        assert [key for key in wanted if key not in words] == []


def test_the_texts_of_both_languages_are_alike():
    words = json.loads(standalone.asset("texts/scales.json"))
    assert list(words["es"]) == list(words["en"])
    for key, text in words["es"].items():
        assert key.startswith("scales_")
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", words["en"][key]))


def test_the_page_gets_the_scales_of_its_own_values():
    content = example.content()
    scales = payload.payload(content)["scales"]
    assert [scale["field"] for scale in scales] == ORDER
    assert scales[0] == legend.score(content.priorities.table["score"]).to_dict()
    assert scales[1]["breaks"] == legend.limits(content.panel.wide("coca_ha").to_numpy().ravel())
