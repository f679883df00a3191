"""The settings: the defaults, what a planner may change, and every way to get it wrong, each told in one line."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConfigError, PresenciaError, SourceError
from geo.score import Rescale
from layers import criteria
from layers.criteria import DEFAULTS, MEASURES, Criterion, Dimension, Zoning
from layers.panel import Panel
from layers.priority import evidence

Settings = Callable[[str], Zoning]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    def load(text: str) -> Zoning:
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return criteria.load(path)

    return load


def refusal(kind: type[PresenciaError], load: Callable[[], object]) -> str:
    with pytest.raises(kind) as refused:
        load()
    message = str(refused.value)
    assert "\n" not in message
    assert message.isprintable()
    assert 20 < len(message) < 400
    return message


def assert_names(message: str, *parts: str) -> None:
    """The message says in which file, section and setting the fault is, in this order."""
    places = [message.find(part) for part in ("my.toml", *parts)]
    assert -1 not in places, message
    assert places == sorted(places), message


# Defaults


def test_the_defaults(zoning: Zoning):
    weights = {dimension.name: dimension.weight for dimension in zoning.dimensions}
    assert list(weights) == ["cultivation", "resurgence", "void", "presence"]
    assert sum(weights.values()) == pytest.approx(1)
    assert zoning.weights.sum() == pytest.approx(1, abs=1e-12)
    assert {criterion.name for criterion in zoning.criteria} == set(MEASURES)
    for name, weight in weights.items():
        assert sum(c.weight for c in zoning.criteria if c.dimension == name) == pytest.approx(weight)
    assert zoning.candidates.minimum_coca_ha == 1
    assert zoning.candidates.high_share == 0.8
    assert zoning.candidates.priority_share == 0.25
    windows = zoning.windows
    assert (windows.trend_years, windows.permanence_years, windows.eradication_years) == (5, 10, 3)
    assert windows.minimum_eradicated_ha == 50
    assert (windows.farc_first, windows.farc_last, windows.vacated_events, windows.homicide_years) == (2011, 2014, 3, 3)


def test_every_weight_has_its_reason_and_every_measure_its_source(zoning: Zoning):
    parts: list[Dimension | Criterion] = [*zoning.dimensions, *zoning.criteria]
    for part in parts:
        assert len(part.reason) > 20
        assert part.label_en
        assert part.label_es
    for criterion in zoning.criteria:
        assert criterion.source
        assert criterion.unit_en
        assert criterion.unit_es


def test_settings_cannot_be_changed_by_accident(zoning: Zoning):
    with pytest.raises(dataclasses.FrozenInstanceError):
        zoning.candidates.high_share = 1.0  # type: ignore[misc]


def test_a_copy_of_the_defaults_gives_the_defaults(settings: Settings, zoning: Zoning):
    assert settings(DEFAULTS.read_text(encoding="utf-8")) == zoning
    assert settings("") == zoning


# What a planner may change


def test_a_part_is_laid_over_the_defaults(settings: Settings, zoning: Zoning):
    changed = settings("[windows]\ntrend_years = 7\n[measures.coca_ha]\nrescale = 'rank'\ndirection = 'less'\n")
    assert changed.windows == dataclasses.replace(zoning.windows, trend_years=7)
    assert changed.candidates == zoning.candidates
    coca = next(c for c in changed.criteria if c.name == "coca_ha")
    assert (coca.rescale, coca.descending) == (Rescale.RANK, True)
    np.testing.assert_array_equal(changed.weights, zoning.weights)


def test_weights_count_in_proportion(settings: Settings, zoning: Zoning):
    text = "".join(f"[dimensions.{d.name}]\nweight = {d.weight * 40}\n" for d in zoning.dimensions)
    np.testing.assert_allclose(settings(text).weights, zoning.weights)
    whole = "".join(f"[dimensions.{d.name}]\nweight = {round(d.weight * 100)}\n" for d in zoning.dimensions)
    np.testing.assert_allclose(settings(whole).weights, zoning.weights)


def test_a_dimension_without_weight_leaves_the_others_in_proportion(settings: Settings, zoning: Zoning):
    changed = settings("[dimensions.presence]\nweight = 0\n")
    assert {c.dimension for c in changed.criteria} == {"cultivation", "resurgence", "void"}
    before = {c.name: c.weight for c in zoning.criteria}
    for criterion in changed.criteria:
        assert criterion.weight == pytest.approx(before[criterion.name] / 0.85)


def test_a_measure_without_weight_leaves_its_dimension_to_the_rest(settings: Settings):
    changed = settings("[measures.homicide_rate]\nweight = 0\n")
    void = [c for c in changed.criteria if c.dimension == "void"]
    assert [c.name for c in void] == ["farc_events_per_10k"]
    assert void[0].weight == pytest.approx(0.25)


def test_a_dimension_whose_measures_have_no_weight_leaves_the_score(settings: Settings):
    changed = settings("[measures.homicide_rate]\nweight = 0\n[measures.farc_events_per_10k]\nweight = 0.0\n")
    assert "void" not in {c.dimension for c in changed.criteria}
    assert changed.weights.sum() == pytest.approx(1)


def test_a_measure_may_move_to_another_dimension(settings: Settings):
    changed = settings("[measures.homicide_rate]\ndimension = 'presence'\n")
    assert sum(c.weight for c in changed.criteria if c.dimension == "void") == pytest.approx(0.25)
    assert sum(c.weight for c in changed.criteria if c.dimension == "presence") == pytest.approx(0.15)


WEIGHT = st.one_of(st.integers(0, 1000), st.floats(min_value=0, max_value=1e6, allow_subnormal=False))


@given(st.lists(WEIGHT, min_size=len(MEASURES), max_size=len(MEASURES)), st.lists(WEIGHT, min_size=4, max_size=4))
def test_weights_sum_to_one_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, own: list[float], shared: list[float]
):
    dimensions = ["cultivation", "resurgence", "void", "presence"]
    path = tmp_path_factory.mktemp("config") / "my.toml"
    lines = [f"[measures.{name}]\nweight = {weight}\n" for name, weight in zip(MEASURES, own, strict=True)]
    lines += [f"[dimensions.{name}]\nweight = {weight}\n" for name, weight in zip(dimensions, shared, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    try:
        weights = criteria.load(path).weights
    except ConfigError as refused:
        assert "above 0" in str(refused)  # noqa: PT017
        table = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))["measures"]
        held = dict(zip(dimensions, shared, strict=True))
        assert not any(w > 0 and held[table[name]["dimension"]] > 0 for name, w in zip(MEASURES, own, strict=True))
    else:
        assert weights.sum() == pytest.approx(1)
        assert (weights > 0).all()


# What is refused


def test_a_missing_file(tmp_path: Path):
    assert "nowhere.toml" in refusal(SourceError, lambda: criteria.load(tmp_path / "nowhere.toml"))


def test_a_folder(tmp_path: Path):
    assert tmp_path.name in refusal(SourceError, lambda: criteria.load(tmp_path))


@pytest.mark.parametrize("text", ["[windows", "weight 3", "[a]\n[a]\n", "x = 1 2", "[measures.coca_ha]\nweight = ,5\n"])
def test_what_is_no_toml(settings: Settings, text: str):
    assert "must be TOML" in refusal(ConfigError, lambda: settings(text))


def test_bytes_that_are_no_text(tmp_path: Path):
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe\x00")
    assert "must be TOML" in refusal(ConfigError, lambda: criteria.load(tmp_path / "my.toml"))


@pytest.mark.parametrize(
    ("text", "wrong", "suggested"),
    [
        ("[measures.coca_hectares]\nweight = 1\n", "coca_hectares", "coca_ha"),
        ("[measures.resurgance]\nweight = 1\n", "resurgance", "resurgence"),
        ("[dimensions.cultivaton]\nweight = 1\n", "cultivaton", "cultivation"),
        ("[windows]\ntrend_year = 5\n", "trend_year", "trend_years"),
        ("[window]\ntrend_years = 5\n", "window", "windows"),
        ("[measures.coca_ha]\nwieght = 1\n", "wieght", "weight"),
        ("[measures.coca_ha]\ndimension = 'cultvation'\n", "cultvation", "cultivation"),
        ("[measures.coca_ha]\nrescale = 'ranks'\n", "ranks", "rank"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(settings: Settings, text: str, wrong: str, suggested: str):
    message = refusal(ConfigError, lambda: settings(text))
    assert repr(wrong) in message
    assert f"did you mean {suggested!r}?" in message
    assert "my.toml" in message


def test_an_unknown_name_like_no_other_is_answered_with_all(settings: Settings):
    message = refusal(ConfigError, lambda: settings("[measures.zzz]\nweight = 1\n"))
    assert "'zzz'" in message
    assert all(name in message for name in MEASURES)


def test_a_direction_is_more_or_less(settings: Settings):
    message = refusal(ConfigError, lambda: settings("[measures.coca_ha]\ndirection = 'up'\n"))
    assert "it knows less, more" in message
    assert "'up'" in message


@pytest.mark.parametrize("group", ["dimensions", "measures"])
def test_weights_that_are_all_zero(settings: Settings, zoning: Zoning, group: str):
    names = [d.name for d in zoning.dimensions] if group == "dimensions" else list(MEASURES)
    text = "".join(f"[{group}.{name}]\nweight = 0\n" for name in names)
    assert "all weights are 0" in refusal(ConfigError, lambda: settings(text))


@pytest.mark.parametrize("value", ["-0.1", "-1", "'0.3'", "true", "nan", "inf", "-inf", "[1]", "1979-05-27"])
@pytest.mark.parametrize("where", ["measures.coca_ha", "dimensions.void"])
def test_a_weight_that_is_no_number_of_0_or_more(settings: Settings, where: str, value: str):
    message = refusal(ConfigError, lambda: settings(f"[{where}]\nweight = {value}\n"))
    assert_names(message, *where.split("."), "weight must be a number")


@pytest.mark.parametrize("name", ["minimum_coca_ha", "high_share", "priority_share"])
@pytest.mark.parametrize("value", ["-1", "'1'", "false", "nan", "inf"])
def test_a_threshold_that_is_no_number_of_0_or_more(settings: Settings, name: str, value: str):
    message = refusal(ConfigError, lambda: settings(f"[candidates]\n{name} = {value}\n"))
    assert_names(message, "candidates", f"{name} must be a number")


@pytest.mark.parametrize("value", ["5.0", "4.5", "'5'", "true", "-5"])
def test_years_are_whole_numbers(settings: Settings, value: str):
    message = refusal(ConfigError, lambda: settings(f"[windows]\ntrend_years = {value}\n"))
    assert_names(message, "windows", "trend_years must be a", "number", "found ")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[candidates]\nhigh_share = 0\n", ["high_share", "above 0 and at most 1"]),
        ("[candidates]\nhigh_share = 80\n", ["high_share", "above 0 and at most 1", "80"]),
        ("[candidates]\npriority_share = 1.01\n", ["priority_share", "1.01"]),
        ("[windows]\nfarc_first = 2015\n", ["farc_first", "2015", "2014"]),
        ("[windows]\ntrend_years = 1\n", ["trend_years", "at least 2"]),
        ("[windows]\npermanence_years = 0\n", ["permanence_years", "at least 1"]),
        ("[windows]\neradication_years = 0\n", ["eradication_years", "at least 1"]),
        ("[windows]\nhomicide_years = 0\n", ["homicide_years", "at least 1"]),
        ("[scoring]\nwinsor = 0.5\n", ["winsor", "below 0.5"]),
        ("[uncertainty]\ntop = 0\n", ["top", "at least 1"]),
        ("[uncertainty]\nweight_concentration = 0\n", ["weight_concentration", "above 0"]),
    ],
)
def test_values_out_of_range(settings: Settings, text: str, names: list[str]):
    message = refusal(ConfigError, lambda: settings(text))
    assert all(name in message for name in ["my.toml", *names])


@pytest.mark.parametrize(
    "text", ["measures = 3\n", "windows = []\n", "[measures]\ncoca_ha = 0.5\n", "[candidates.high_share]\nx = 1\n"]
)
def test_a_value_where_a_table_belongs_and_the_reverse(settings: Settings, text: str):
    assert "my.toml" in refusal(ConfigError, lambda: settings(text))


@pytest.mark.parametrize("name", ["reason", "label_en", "label_es"])
@pytest.mark.parametrize("value", ["3", "true", "['a']", "1.5"])
def test_texts_of_a_dimension_must_be_text(settings: Settings, name: str, value: str):
    message = refusal(ConfigError, lambda: settings(f"[dimensions.void]\n{name} = {value}\n"))
    assert_names(message, "dimensions", "void", f"{name} must be a text")


@pytest.mark.parametrize("name", ["reason", "source"])
@pytest.mark.parametrize("value", ["3", "true", "['a']", "1.5"])
def test_texts_of_a_measure_must_be_text(settings: Settings, name: str, value: str):
    message = refusal(ConfigError, lambda: settings(f"[measures.coca_ha]\n{name} = {value}\n"))
    assert_names(message, "measures", "coca_ha", f"{name} must be a text")


@pytest.mark.parametrize("name", ["dimension", "rescale", "direction"])
@pytest.mark.parametrize("value", ["3", "['log']", "true"])
def test_choices_that_are_no_text(settings: Settings, name: str, value: str):
    message = refusal(ConfigError, lambda: settings(f"[measures.coca_ha]\n{name} = {value}\n"))
    assert_names(message, "measures", "coca_ha", name)


@pytest.mark.parametrize("value", ["1" + "0" * 400, "1000000", "3000"])
def test_a_window_longer_than_any_series(settings: Settings, value: str):
    message = refusal(ConfigError, lambda: settings(f"[windows]\ntrend_years = {value}\n"))
    assert_names(message, "windows", "trend_years")


def test_weights_too_large_to_add(settings: Settings):
    text = "[dimensions.void]\nweight = 1e308\n[dimensions.cultivation]\nweight = 1e308\n"
    try:
        weights = settings(text).weights
    except ConfigError:
        return
    assert weights.sum() == pytest.approx(1)


# Lines, choices, locks and judgements


def test_a_message_quotes_the_line(settings: Settings):
    text = "# mine\n\n[measures.coca_ha]   # hectares\nreason = 'x = 1'\nweigth = 0.3 # less\n"
    message = refusal(ConfigError, lambda: settings(text))
    assert message.startswith("my.toml line 5 [measures.coca_ha] ('weigth = 0.3'): there is no 'weigth'")


@pytest.mark.parametrize(
    "text",
    [
        "measures.coca_ha.weight = -1",
        '["measures"."coca_ha"]\n"weight" = -1',
        "[measures]\ncoca_ha.weight = -1",
        "measures = { coca_ha = { weight = -1 } }",
    ],
)
def test_a_setting_is_found_however_toml_writes_it(settings: Settings, text: str):
    message = refusal(ConfigError, lambda: settings(text))
    line = "" if "{" in text else f" line {len(text.splitlines())}"
    assert message.startswith(f"my.toml{line} [measures.coca_ha]")
    assert "weight must be a number" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scoring]\nmethod = 'topsys'", "did you mean 'topsis'?"),
        ("[scoring]\nweighting = 'entropie'", "did you mean 'entropy'?"),
        ("[scoring]\nrescale = 'z-score'", "did you mean 'zscore'?"),
        ("[scoring]\nforce_judgements = 1", "true or false"),
        ("[uncertainty]\nmethods = []", "at least one"),
        ("[uncertainty]\nmethods = ['vikor', 3]", "methods has no 3"),
        ("[uncertainty]\nrescalings = ['rank', 'ranke']", "did you mean 'rank'?"),
        ("[uncertainty]\nmethods = 'vikor'", "must be a list"),
        ("[years]\nreference = 'newest'", "did you mean 'latest'?"),
        ("[years]\nreference = 2020.5", "whole number"),
        ("[years]\nbaseline = 2030", "baseline must not be above target_year"),
        ("[windows]\nrecent_years = 11", "recent_years must not be above permanence_years"),
        ("[goal]\nshare = 0", "above 0 and at most 1"),
        ("[hotspots]\nfalse_discovery = 1.5", "above 0 and at most 1"),
        ("[replanting]\nlow = 0.9", "low must not be above high"),
        ("[replanting]\nhigh = 1.2", "high must not be above 1"),
        ("[zones]\nmax_members = 2.5", "whole number"),
        ("[locked_in]\n528 = 'x'", "no code of five digits"),
        ("[locked_in]\n52835 = ''", "give the reason"),
        ("[locked_out]\n52835 = 3", "give the reason"),
        ("[locked_in]\n52835 = 'a'\n[locked_out]\n52835 = 'b'", "locked in as well"),
        ("[judgements.void]\ncultivatoin = 2", "did you mean 'cultivation'?"),
        ("[judgements.viod]\ncultivation = 2", "did you mean 'void'?"),
        ("[judgements.void]\npresence = 0", "above 0"),
        ("[judgements]\nvoid = 3", "must be a table"),
        ("[measures.coca_ha]\ngoalposts = [5, 1]", "LOW below HIGH"),
        ("[measures.coca_ha]\ngoalposts = [5, 'a']", "two numbers"),
        ("[measures.coca_ha]\ngoalposts = [0, 1, 2]", "two numbers"),
        ("[measures.coca_ha]\nlog = 'yes'", "true or false"),
    ],
)
def test_further_settings_that_make_no_sense(settings: Settings, text: str, words: str):
    message = refusal(ConfigError, lambda: settings(text))
    assert words in message
    assert message.startswith("my.toml line ")


def test_locks_and_judgements_are_read(settings: Settings):
    text = "[locked_in]\n05001 = 'why'\n[locked_out]\n'52835' = 'why not'\n[judgements.void]\npresence = 5\n"
    zoning = settings(text)
    assert zoning.locked_in == {"05001": "why"}
    assert zoning.locked_out == {"52835": "why not"}
    assert zoning.judgements["void"] == {"presence": 5.0}
    assert zoning.judgements["cultivation"]["void"] == 2.0


def test_the_year_of_reference(settings: Settings, zoning: Zoning):
    assert zoning.years.reference is None
    assert settings("[years]\nreference = 2019").years.reference == 2019


# Computing


def test_compute_gives_a_column_a_criterion(joined: Panel, zoning: Zoning):
    facts = evidence(joined)
    table = criteria.compute(facts, zoning, 2020)
    assert list(table.columns) == [c.name for c in zoning.criteria]
    assert table.index.equals(facts.coca.index)
    assert table.at["54810", "coca_ha"] == pytest.approx(19_334, abs=1)
    surveyed = criteria.compute(facts, zoning, 2020, surveyed_only=True)
    assert list(surveyed.columns) == [name for name in table.columns if MEASURES[name].surveyed]
    for name in surveyed:
        np.testing.assert_array_equal(surveyed[name], table[name])


def test_only_measures_of_the_coca_survey_are_redrawn(joined: Panel, zoning: Zoning):
    """A measure that moves when the survey does must be marked so, or the rank spread would leave it out."""
    facts = evidence(joined)
    moved = dataclasses.replace(facts, coca=facts.coca * np.linspace(0.5, 1.5, facts.coca.shape[1]))
    before, after = (criteria.compute(known, zoning, 2020) for known in (facts, moved))
    changed = {name for name in before if not np.array_equal(before[name], after[name], equal_nan=True)}
    assert changed == {name for name, measure in MEASURES.items() if measure.surveyed}


def test_weights_are_finite_and_positive(zoning: Zoning):
    assert all(math.isfinite(weight) and weight > 0 for weight in zoning.weights)
