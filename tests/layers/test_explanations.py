"""Sentences about ranks, in Spanish and English: figures as each language writes them, and what they claim holds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo import score
from geo.errors import CodeError, ConfigError
from layers.criteria import MEASURES, Zoning
from layers.explanations import limits, sentences, weight_changes, weight_sentences, why_not, words
from layers.panel import Panel
from layers.priority import Priorities, prioritise

LANGUAGES = pytest.mark.parametrize("lang", ["es", "en"])


@pytest.fixture(scope="module")
def names(joined: Panel) -> pd.Series:
    return joined.places["name"]


def code_at(scored: Priorities, rank: int) -> str:
    return str(scored.table.index[scored.table["rank"] == rank][0])


# Figures and series of words


@pytest.mark.parametrize(
    ("value", "spanish", "english"),
    [
        (19333.7, "19.334", "19,334"),
        (1234.5, "1.234", "1,234"),
        (47.13, "47,1", "47.1"),
        (9.444, "9,44", "9.44"),
        (0.16, "0,16", "0.16"),
        (-12.34, "−12,3", "−12.3"),
        (10.0, "10", "10"),
        (0.0, "0", "0"),
        (1.0, "1,00", "1.00"),  # "1,00 eventos", not "1 eventos"
        (-0.001, "0,00", "0.00"),
        (9.997, "10,0", "10.0"),
        (99.97, "100", "100"),
    ],
)
def test_figures_are_written_as_the_language_writes_them(value: float, spanish: str, english: str):
    assert words("es").number(value) == spanish
    assert words("en").number(value) == english


def test_decimals_and_percent_as_the_language_writes_them():
    assert words("es").number(1234.5, 1) == "1.234,5"
    assert words("en").number(1234.5, 1) == "1,234.5"
    assert words("es").percent(0.042, 1) == "4,2 %"
    assert words("en").percent(0.042, 1) == "4.2%"


@pytest.mark.parametrize(
    ("items", "word", "expected"),
    [
        (["coca"], "and", "coca"),
        (["coca", "resiembra"], "and", "coca y resiembra"),
        (["a", "b", "c"], "and", "a, b y c"),
        (["coca", "incautaciones"], "and", "coca e incautaciones"),
        (["madera", "hierro"], "and", "madera y hierro"),
        (["padres", "hijos"], "and", "padres e hijos"),
        (["siete", "ocho"], "or", "siete u ocho"),
        (["7 ha", "8.000 ha"], "or", "7 ha u 8.000 ha"),
        (["7 ha", "11,4 ha"], "or", "7 ha u 11,4 ha"),
        (["7 ha", "110 ha"], "or", "7 ha o 110 ha"),
    ],
)
def test_spanish_joins_by_sound(items: list[str], word: str, expected: str):
    assert words("es").series(items, word) == expected


def test_english_joins_without_a_comma_before_and():
    assert words("en").series(["a", "b", "8"], "or") == "a, b or 8"


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match=r"must be one of es, en; found 'fr'"):
        words("fr")


def test_both_languages_say_the_same_things():
    spanish, english = words("es").templates, words("en").templates
    assert set(spanish) == set(english)
    assert set(spanish["measures"]) == set(english["measures"]) == set(MEASURES)
    fields = re.compile(r"{(\w+)}")
    for name in set(spanish) - {"measures"}:
        assert set(fields.findall(spanish[name])) == set(fields.findall(english[name])), name
    for name in MEASURES:
        assert set(fields.findall(spanish["measures"][name])) == set(fields.findall(english["measures"][name])), name


# The run of 2020


def test_the_first_of_2020_in_spanish(scored: Priorities, zoning: Zoning, names: pd.Series):
    said = sentences(scored, zoning, names, lang="es")
    assert len(said) == 20
    assert said.index[0] == code_at(scored, 1)
    low, high = scored.table.loc["19050", ["rank_low", "rank_high"]].astype(int)
    assert said["19050"] == (
        f"Argelia ocupa el puesto 1 entre 172 municipios (del {low} al {high} en el 90 % de las simulaciones), "
        "sobre todo por 14,1 eventos de las FARC al año por cada 10.000 habitantes (lo típico: 1,00), una densidad "
        "de coca de 3,32 ha/km² (lo típico: 0,16) y 2.550 ha de coca (lo típico: 177). Es uno de los municipios que "
        "dejaron las FARC (140 eventos en 2011–2014). Sin medición: resiembra y coca resembrada; el puntaje descansa "
        "en el 75 % del peso."
    )


def test_the_fourth_of_2020_in_english(scored: Priorities, zoning: Zoning, names: pd.Series):
    low, high = scored.table.loc["54810", ["rank_low", "rank_high"]].astype(int)
    assert sentences(scored, zoning, names, lang="en")["54810"] == (
        f"Tibú ranks 4 of 172 municipalities ({low} to {high} in 90% of the draws), above all for 19,334 ha of coca "
        "(typical: 177), a coca density of 7.20 ha/km² (typical: 0.16) and 4.87 FARC events a year per 10,000 people "
        "(typical: 1.00). It is one of the municipalities the FARC left (95 events in 2011–2014)."
    )


@LANGUAGES
def test_nothing_is_left_unfilled_or_doubled(scored: Priorities, zoning: Zoning, names: pd.Series, lang: str):
    every = [
        *sentences(scored, zoning, names, lang=lang),
        *(why_not(scored, zoning, names, code_at(scored, rank), lang=lang) for rank in (1, 19, 20, 21, 25, 100, 172)),
    ]
    for text in every:
        assert not re.search(r"[{}]|nan|inf\b|  |\.\.|,,| \.| ,", text), text
        assert text.endswith(".")


def test_the_measures_named_are_those_that_add_most_beyond_the_typical(scored: Priorities, zoning: Zoning):
    """Argelia: FARC events, density and hectares."""
    beyond = (scored.contributions - scored.contributions.median()).T["19050"].sort_values(ascending=False)
    assert list(beyond.index[:3]) == ["farc_events_per_10k", "coca_ha_per_km2", "coca_ha"]


def test_a_municipality_the_farc_did_not_leave_is_not_said_to_be(scored: Priorities, zoning: Zoning, names: pd.Series):
    everybody = replace(zoning, uncertainty=replace(zoning.uncertainty, top=172))
    for lang, phrase in (("es", "No es de los municipios que dejaron"), ("en", "It is not one of the municipalities")):
        said = sentences(scored, everybody, names, lang=lang)
        denied = said.str.contains(phrase, regex=False)
        vacated = scored.table.loc[said.index, "vacated"]
        assert denied.equals(~vacated.rename("sentence").astype(denied.dtype))
        one = scored.table.loc[said.index, "farc_events"] == 1
        assert said[one].str.contains("1 evento en" if lang == "es" else "1 event in", regex=False).all()
        assert one.any()


def test_a_run_without_draws_says_no_spread(joined: Panel, zoning: Zoning, names: pd.Series):
    run = prioritise(joined, zoning, year=2020, draws=0, seed=1)
    first = sentences(run, zoning, names, lang="en").iloc[0]
    assert first.startswith("Argelia ranks 1 of 172 municipalities, above all for ")


def test_a_measure_without_a_phrase_is_called_by_its_label(scored: Priorities, zoning: Zoning, names: pd.Series):
    renamed = {"farc_events_per_10k": "hold"}
    run = replace(
        scored,
        raw=scored.raw.rename(columns=renamed),
        contributions=scored.contributions.rename(columns=renamed),
    )
    chosen = tuple(replace(c, name=renamed.get(c.name, c.name)) for c in zoning.criteria)
    other = replace(zoning, criteria=chosen)
    assert "FARC events of 14.1 per 10,000 people and year (typical" in sentences(run, other, names, lang="en").iloc[0]
    assert "eventos de las FARC de 14,1 por 10.000 hab. y año (" in sentences(run, other, names, lang="es").iloc[0]


# What it would need


def test_what_the_21st_needs_brings_it_to_the_score_of_the_20th(scored: Priorities, zoning: Zoning, names: pd.Series):
    code = code_at(scored, 21)
    text = why_not(scored, zoning, names, code, lang="en")
    head = "Ituango ranks 21 of 172 municipalities with a score of 0.610; to be among the first 20 it needs 0.614. "
    assert text.startswith(head + "Any one of these would be enough by itself: ")
    found = re.search(r"([\d,]+) ha of coca \(it has ([\d,]+)\)", text)
    assert found is not None
    wanted, has = (float(group.replace(",", "")) for group in found.groups())
    assert has == pytest.approx(scored.raw.loc[code, "coca_ha"], abs=0.5)
    unit, place = scored.unit.to_numpy(copy=True), list(scored.unit.index).index(code)
    column = list(scored.raw.columns).index("coca_ha")
    unit[place, column] = scored.scales[column](np.array([wanted]))[0]
    reached = score.weighted_mean(unit, scored.weighting.weights)[0][place]
    assert reached == pytest.approx(scored.table.loc[code_at(scored, 20), "score"], abs=1e-4)


def test_who_is_far_away_is_told_that_no_measure_is_enough(scored: Priorities, zoning: Zoning, names: pd.Series):
    code = code_at(scored, 172)
    assert why_not(scored, zoning, names, code, lang="es").endswith("Ninguna medida bastaría por sí sola.")
    assert why_not(scored, zoning, names, code_at(scored, 1), lang="es").endswith(
        "Ninguna medida lo sacaría por sí sola."
    )


def test_who_is_inside_is_told_what_ends_it(scored: Priorities, zoning: Zoning, names: pd.Series):
    text = why_not(scored, zoning, names, code_at(scored, 20), lang="es")
    assert "sale de los primeros 20 por debajo de" in text
    assert "Cualquiera de estas cifras lo sacaría por sí sola: " in text


def test_who_is_not_scored_is_told_why(scored: Priorities, zoning: Zoning, names: pd.Series):
    assert why_not(scored, zoning, names, "05001", lang="es") == (
        "Medellín no se califica en 2020: tuvo 0 ha de coca, menos de 1 ha."
    )
    blank = replace(scored, table=scored.table.assign(coca_ha=scored.table["coca_ha"].where(lambda s: s > 0)))
    assert why_not(blank, zoning, names, "05001", lang="en") == (
        "Medellín is not scored in 2020: its coca was not measured."
    )


def test_few_candidates_are_all_among_the_first(scored: Priorities, zoning: Zoning, names: pd.Series):
    all_in = replace(zoning, uncertainty=replace(zoning.uncertainty, top=200))
    assert why_not(scored, all_in, names, "19050", lang="en") == (
        "Argelia is among the first 200, since there are 172 candidates."
    )


def test_an_unknown_code_is_refused(scored: Priorities, zoning: Zoning, names: pd.Series):
    with pytest.raises(CodeError, match=r"municipalities of the run; found 99999: check them"):
        why_not(scored, zoning, names, "99999", lang="es")
    with pytest.raises(CodeError, match=r"candidates only; found 05001, not scored in 2020"):
        weight_changes(scored, zoning, ["19050", "05001"])


def test_other_methods_are_refused(scored: Priorities, zoning: Zoning, names: pd.Series):
    other = replace(zoning, scoring=replace(zoning.scoring, method="topsis"))
    with pytest.raises(ConfigError, match=r"known of weighted means; found method = 'topsis': run with"):
        why_not(scored, other, names, "19050", lang="es")


# Weights


@pytest.fixture(scope="module")
def around(scored: Priorities) -> list[str]:
    return [code_at(scored, rank) for rank in (18, 19, 20, 21, 22)]


def test_the_weights_that_are_said_to_do_it_do_it(scored: Priorities, zoning: Zoning, around: list[str]):
    changes = weight_changes(scored, zoning, around)
    assert list(changes) == around
    assert [change.way for change in changes.values() if change] == ["out", "out", "out", "in", "in"]
    for code, change in changes.items():
        assert change is not None
        rank = score.ranks(score.weighted_mean(scored.unit.to_numpy(), change.weights)[0])
        place = list(scored.unit.index).index(code)
        assert (rank[place] <= 20) == (change.way == "in")


def test_the_sentence_of_a_change_of_weights(scored: Priorities, zoning: Zoning, names: pd.Series):
    code = code_at(scored, 24)
    changes = weight_changes(scored, zoning, [code])
    assert weight_sentences(scored, zoning, names, changes, lang="es")[code] == (
        "San Pablo entra en los primeros 20 si el 4,3 % del peso pasa de «Eventos de las FARC» a «Tendencia de la "
        "coca»."
    )
    assert weight_sentences(scored, zoning, names, changes, lang="en")[code] == (
        "San Pablo enters the first 20 if 4.3% of the weight moves from “FARC events” to “Coca trend”."
    )


def test_parts_of_a_change_are_stated_where_there_are_several(scored: Priorities, zoning: Zoning, names: pd.Series):
    code = code_at(scored, 15)
    said = weight_sentences(scored, zoning, names, weight_changes(scored, zoning, [code]), lang="en")[code]
    assert said == (
        "Sardinata leaves the first 20 if 3.9% of the weight moves from “Coca density” (2.6%) and “Regrown coca” (1.3%)"
        " to “Distance to a police post”."
    )


def test_it_is_said_where_no_weights_do_it(scored: Priorities, zoning: Zoning, names: pd.Series):
    changes = {code_at(scored, 1): None, code_at(scored, 172): None}
    said = weight_sentences(scored, zoning, names, changes, lang="es")
    assert said.iloc[0] == "Ningún reparto de los pesos saca a Argelia de los primeros 20."
    assert said.iloc[1].startswith("Ningún reparto de los pesos lleva a ")


def test_a_name_is_plain_text(scored: Priorities, zoning: Zoning, names: pd.Series):
    odd = names.replace({"Argelia": "{Argelia} <b>"})
    assert sentences(scored, zoning, odd, lang="en").iloc[0].startswith("{Argelia} <b> ranks 1 of")


def test_several_limits_are_those_of_each(scored: Priorities, zoning: Zoning, names: pd.Series):
    codes = [str(code) for code in scored.table["rank"].dropna().sort_values().index[18:22]]
    said = limits(scored, zoning, names, codes, lang="en")
    assert said.to_dict() == {c: why_not(scored, zoning, names, c, lang="en") for c in codes}
