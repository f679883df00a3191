"""Sentences in both languages: their numbers, their grammar, and that what they state of 2020 holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import explain, score
from geo.errors import CodeError, ConfigError
from layers import explanations
from layers.criteria import Zoning
from layers.explanations import words
from layers.panel import Panel
from layers.priority import Priorities


@pytest.fixture(scope="module")
def names(joined: Panel) -> pd.Series:
    return joined.places["name"]


def code_at(scored: Priorities, rank: int) -> str:
    return str(scored.table.index[scored.table["rank"] == rank][0])


@pytest.mark.parametrize(
    ("value", "es", "en"),
    [
        (1234.5, "1.234", "1,234"),
        (12.34, "12,3", "12.3"),
        (0.5, "0,50", "0.50"),
        (-3.0, "−3", "−3"),
        (0, "0", "0"),
    ],
)
def test_numbers_are_written_as_the_language_does(value: float, es: str, en: str):
    assert words("es").number(value) == es
    assert words("en").number(value) == en


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_a_written_number_can_be_read_again(value: float, decimals: int):
    text = words("es").number(value, decimals)
    assert float(text.replace(".", "").replace(",", ".").replace("−", "-")) == pytest.approx(round(value, decimals))


@pytest.mark.parametrize(
    ("items", "word", "said"),
    [
        (["a"], "and", "a"),
        (["a", "b", "c"], "and", "a, b y c"),
        (["aguja", "hilo"], "and", "aguja e hilo"),
        (["madera", "hierro"], "and", "madera y hierro"),
        (["agua", "hielo"], "and", "agua y hielo"),
        (["siete", "ocho"], "or", "siete u ocho"),
        (["uno", "dos"], "or", "uno o dos"),
    ],
)
def test_the_last_word_is_joined_as_spanish_sounds(items: list[str], word: str, said: str):
    assert words("es").series(items, word) == said


@pytest.mark.parametrize("lang", ["es", "en"])
def test_each_of_the_first_is_explained(scored: Priorities, zoning: Zoning, names: pd.Series, lang: str):
    said = explanations.sentences(scored, zoning, names, lang=lang)
    assert list(said.index) == list(scored.table["rank"].dropna().sort_values().index[:20])
    for code, text in said.items():
        assert text.startswith(str(names[str(code)]))
        assert text.endswith(".")
        assert "{" not in text
        assert "nan" not in text
        assert "  " not in text


def test_what_is_said_of_argelia_is_what_was_measured(scored: Priorities, zoning: Zoning, names: pd.Series):
    text = explanations.sentences(scored, zoning, names, lang="es")["19050"]
    row = scored.table.loc["19050"]
    assert "ocupa el puesto 1 entre 172 municipios" in text
    assert f"{row['farc_events']:.0f} eventos en 2011–2014" in text
    assert f"{row['farc_events_per_10k']:.1f}".replace(".", ",") in text
    assert "Sin medición: resiembra y coca resembrada" in text
    assert f"{row['coverage']:.0%}".replace("%", " %") in text


def test_the_measures_named_are_those_that_set_it_apart(scored: Priorities, zoning: Zoning, names: pd.Series):
    beyond = scored.contributions - scored.contributions.median()
    code = code_at(scored, 4)
    first = str(beyond.loc[code].idxmax())
    label = {c.name: c for c in zoning.criteria}[first]
    text = explanations.sentences(scored, zoning, names, lang="en")[code]
    value = words("en").number(float(scored.raw[first].to_dict()[code]))
    assert value in text.split("(typical")[0] or label.unit_en == "0–1"


def test_one_of_the_values_that_are_named_is_enough(scored: Priorities, zoning: Zoning, names: pd.Series):
    """Scored anew with that value alone changed, it reaches the score of the last of the first."""
    code = code_at(scored, 22)
    assert "needs" in explanations.why_not(scored, zoning, names, code, lang="en")
    unit, weights = scored.unit.to_numpy(), scored.weighting.weights
    place = list(scored.unit.index).index(code)
    threshold = float(scored.table["score"][code_at(scored, 20)])
    wanted = explain.needed(unit, weights, place, threshold=threshold)
    assert (~np.isnan(wanted)).any()
    for measure in np.flatnonzero(~np.isnan(wanted)):
        changed = unit.copy()
        changed[place, measure] = wanted[measure]
        assert score.weighted_mean(changed, weights)[0][place] == pytest.approx(threshold)


def test_who_is_no_candidate_is_told_why(scored: Priorities, zoning: Zoning, names: pd.Series):
    text = explanations.why_not(scored, zoning, names, "11001", lang="es")
    assert text == "Bogotá, D.C. no se califica en 2020: tuvo 0 ha de coca, menos de 1 ha."


def test_several_limits_are_those_of_each(scored: Priorities, zoning: Zoning, names: pd.Series):
    codes = [code_at(scored, rank) for rank in (19, 21)]
    said = explanations.limits(scored, zoning, names, codes, lang="en")
    assert said.to_dict() == {c: explanations.why_not(scored, zoning, names, c, lang="en") for c in codes}


def test_a_change_of_weights_is_told_by_what_moves(scored: Priorities, zoning: Zoning, names: pd.Series):
    code = code_at(scored, 21)
    changes = explanations.weight_changes(scored, zoning, [code])
    change = changes[code]
    assert change is not None
    assert change.way == "in"
    text = explanations.weight_sentences(scored, zoning, names, changes, lang="en")[code]
    assert text.startswith(f"{names[code]} enters the first 20 if {change.distance:.1%} of the weight moves from ")
    lost = zoning.criteria[int(np.argmin(change.weights - scored.weighting.weights))]
    assert lost.label_en in text


def test_what_cannot_be_explained_is_refused(scored: Priorities, zoning: Zoning, names: pd.Series):
    with pytest.raises(ConfigError, match="language"):
        explanations.sentences(scored, zoning, names, lang="fr")
    with pytest.raises(CodeError, match="99999"):
        explanations.why_not(scored, zoning, names, "99999", lang="es")
    with pytest.raises(CodeError, match="11001"):
        explanations.weight_changes(scored, zoning, ["11001"])
    other = replace(zoning, scoring=replace(zoning.scoring, method="topsis"))
    with pytest.raises(ConfigError, match="weighted mean"):
        explanations.why_not(scored, other, names, code_at(scored, 30), lang="es")
