"""The page's sentence why says, word for word, what layers/explanations.py says of the same run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geo import score
from geo.score import Method
from layers import criteria, explanations
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from maps.inputs import Settings, read
from maps.standalone import asset
from tests import browser

pytestmark = pytest.mark.browser

LANGUAGES = ("es", "en")
# The engine's place taken by Python's own figures, so that a difference is the sentence's and not the score's.
STAND_IN = """
const { data, model, columns, run, state, only } = arguments[0];
const numbers = (row) => Float64Array.from(row, (value) => value ?? NaN);
const scored = {
  year: data.year, asRun: run.asRun, rank: run.rank, coverage: numbers(run.coverage), weights: numbers(run.weights),
  places: Int32Array.from(run.places), ranked: run.ranked,
  contributions: (place) => numbers(run.contributions[place]), raw: (place) => numbers(run.raw[place]),
};
const say = { lang: "es", text: (key, { name }) => key + " " + name };
const engine = { values: (measure, year) => numbers(columns[measure]) };
const app = { data, engine, model, say, scored: () => scored, store: { get: () => state } };
const why = presencia.why(app);
return Object.fromEntries(["es", "en"].map((lang) => {
  say.lang = lang;
  return [lang, (only || model.towns.map((_, place) => place)).map((place) => why.sentence(place))];
}));
"""


@pytest.fixture(scope="module")
def page():
    with browser.chromium() as driver:
        driver.get("about:blank")
        driver.execute_script(f"{asset('dom.js')}\n{asset('why.js')}")
        yield driver
        assert browser.complaints(driver) == []


@pytest.fixture(scope="module")
def joined() -> Panel:
    return read(Settings()).join()


@pytest.fixture(scope="module")
def zoning() -> Zoning:
    return criteria.load()


@pytest.fixture(scope="module")
def run2020(joined: Panel, zoning: Zoning) -> Priorities:
    return prioritise(joined, zoning, year=2020, draws=60, seed=1)


def plain(values: Any) -> list[Any]:
    """Numbers for JSON: null for missing."""
    return [None if pd.isna(value) else float(value) for value in values]


def rows(frame: pd.DataFrame, places: dict[Any, int]) -> dict[int, list[Any]]:
    return {places[code]: plain(row) for code, row in zip(frame.index, frame.to_numpy(), strict=True)}


def material(run: Priorities, zoning: Zoning, names: pd.Series, *, as_run: bool = True) -> dict[str, Any]:
    """What the page would know of a run."""
    table = run.table
    places = {code: place for place, code in enumerate(table.index)}
    order = table["rank"].dropna().sort_values().index
    return {
        "data": {
            "year": run.year,
            "terms": vars(zoning.windows),
            "sentences": {lang: dict(explanations.words(lang).templates) for lang in LANGUAGES},
            "scoring": {
                "criteria": [
                    {
                        "name": c.name,
                        "label": {"es": c.label_es, "en": c.label_en},
                        "unit": {"es": c.unit_es, "en": c.unit_en},
                    }
                    for c in zoning.criteria
                ]
            },
        },
        "model": {
            "towns": [
                {"name": names[code], "vacated": bool(table.at[code, "vacated"]), "rank_low": low, "rank_high": high}
                for code, low, high in zip(
                    table.index, plain(table["rank_low"]), plain(table["rank_high"]), strict=True
                )
            ]
        },
        "columns": {"farc_events_window": plain(table["farc_events"]), **{c: plain(table[c]) for c in run.raw}}
        | {"coca_ha": plain(table["coca_ha"])},
        "run": {
            "asRun": as_run,
            "rank": [0 if pd.isna(rank) else int(rank) for rank in table["rank"]],
            "coverage": plain(table["coverage"]),
            "weights": plain(run.weighting.weights),
            "places": [places[code] for code in run.raw.index],
            "ranked": [places[code] for code in order],
            "contributions": rows(run.contributions, places),
            "raw": rows(run.raw, places),
        },
        "state": {"minimum": zoning.candidates.minimum_coca_ha, "only": ""},
    }


def spoken(page, run: Priorities, zoning: Zoning, names: pd.Series, **settings: Any) -> dict[str, pd.Series]:
    """What the page says of every municipality, by language and code."""
    said = page.execute_script(STAND_IN, material(run, zoning, names, **settings))
    return {lang: pd.Series(said[lang], index=run.table.index) for lang in LANGUAGES}


def expected(run: Priorities, zoning: Zoning, names: pd.Series, lang: str) -> pd.Series:
    """What Python says of every candidate."""
    everybody = replace(zoning, uncertainty=replace(zoning.uncertainty, top=len(run.raw)))
    return explanations.sentences(run, everybody, names, lang=lang)


def weighed(run: Priorities, weights: np.ndarray, method: Method) -> Priorities:
    """The same run with other weights; the spread of ranks was of the old ones."""
    unit = run.unit.to_numpy()
    points = score.aggregate(unit, weights, method)
    parts = score.contributions(unit, weights, method)
    ranks = pd.Series(score.ranks(points), index=run.unit.index, dtype=float).where(~np.isnan(points))
    coverage = pd.Series(score.weighted_mean(unit, weights)[1], index=run.unit.index)
    gone = dict.fromkeys(("rank_low", "rank_high"), np.nan)
    return replace(
        run,
        table=run.table.assign(rank=ranks, coverage=coverage, **gone),
        contributions=pd.DataFrame(parts, index=run.unit.index, columns=run.unit.columns),
        weighting=replace(run.weighting, weights=weights),
    )


def same(page, run: Priorities, zoning: Zoning, names: pd.Series, **settings: Any) -> None:
    said = spoken(page, run, zoning, names, **settings)
    for lang in LANGUAGES:
        wanted = expected(run, zoning, names, lang)
        assert said[lang][wanted.index].to_dict() == wanted.to_dict()


def test_every_candidate_of_2020_is_explained_in_pythons_words(page, joined, zoning, run2020):
    names = joined.places["name"]
    same(page, run2020, zoning, names)
    first = spoken(page, run2020, zoning, names)["es"][run2020.table["rank"] == 1].item()
    assert first.startswith("Argelia ocupa el puesto 1 entre 172 municipios (")


@pytest.mark.parametrize("year", [2009, 2017, 2024])
def test_so_it_is_with_other_years_and_windows_and_without_draws(page, joined, zoning, year):
    windows = replace(
        zoning.windows, permanence_years=6, station_radius_km=12.5, farc_first=2008, farc_last=2012, vacated_events=5
    )
    other = replace(zoning, windows=windows, uncertainty=replace(zoning.uncertainty, top=7))
    same(page, prioritise(joined, other, year=year, draws=0, seed=1), other, joined.places["name"])


def test_so_it_is_with_any_weights_of_now(page, joined, zoning, run2020):
    names = joined.places["name"]
    draw = np.random.default_rng(5)
    for number in range(8):
        weights = draw.dirichlet(np.full(len(zoning.criteria), 0.7))
        weights[draw.random(len(weights)) < 0.2 * (number % 2)] = 0.0
        weights /= weights.sum()
        method = Method.PROMETHEE if number == 7 else Method.WEIGHTED_MEAN
        # What weighs nothing is no criterion in Python, and is not missed.
        kept = replace(zoning, criteria=tuple(c for c, w in zip(zoning.criteria, weights, strict=True) if w > 0))
        live = weighed(run2020, weights, method)
        said = spoken(page, live, zoning, names, as_run=False)
        for lang in LANGUAGES:
            wanted = expected(live, kept, names, lang)
            assert said[lang][wanted.index].to_dict() == wanted.to_dict()


def test_of_an_unchanged_run_alone_the_spread_is_told(page, joined, zoning, run2020):
    names = joined.places["name"]
    assert "simulaciones" in spoken(page, run2020, zoning, names)["es"]["19050"]
    assert "simulaciones" not in spoken(page, run2020, zoning, names, as_run=False)["es"]["19050"]


def test_who_is_no_candidate_is_told_why_not(page, joined, zoning, run2020):
    names = joined.places["name"]
    low = replace(zoning, candidates=replace(zoning.candidates, minimum_coca_ha=2.5))
    run = prioritise(joined, low, year=2020, draws=0, seed=1)
    out = run.table.index[run.table["rank"].isna()]
    run.table.loc[out[0], "coca_ha"] = np.nan
    said = spoken(page, run, low, names)
    for lang in LANGUAGES:
        for code in out:
            assert said[lang][code] == explanations.why_not(run, low, names, code, lang=lang)
    assert said["es"].iloc[0] == "Medellín no se califica en 2020: no hay medición de su coca."
    assert run.table.loc[out, "coca_ha"].gt(0).any()


def test_who_is_left_out_by_choice_is_told_so(page, joined, zoning, run2020):
    known = material(run2020, zoning, joined.places["name"])
    place = known["run"]["ranked"][0]
    known["run"]["rank"][place] = 0
    known["run"]["places"].remove(place)
    known["state"]["only"] = "pdet"
    assert page.execute_script(STAND_IN, known | {"only": [place]})["es"] == ["why_only_pdet Argelia"]
    known["run"]["places"].append(place)
    assert page.execute_script(STAND_IN, known | {"only": [place]})["es"] == ["why_unmeasured Argelia"]


def test_figures_are_rounded_as_python_rounds_them(page):
    draw = np.random.default_rng(3)
    halves = np.arange(-2000, 2000) / 16
    values = [
        *halves,
        *draw.normal(0, 1, 2000),
        *10 ** draw.uniform(-6, 7, 2000),
        99.95,
        9.995,
        0.285,
        1.005,
        -0.001,
        1.0,
    ]
    read_all = (
        "const why = presencia.why({ data: arguments[1], say: { lang: arguments[2] } });"
        "const { number, percent } = why.words();"
        "return arguments[0].map((value) => [number(value), number(value, 1), percent(value)]);"
    )
    data = {
        "scoring": {"criteria": []},
        "sentences": {lang: dict(explanations.words(lang).templates) for lang in LANGUAGES},
    }
    for lang in LANGUAGES:
        words = explanations.words(lang)
        wanted = [[words.number(v), words.number(v, 1), words.percent(v)] for v in map(float, values)]
        assert page.execute_script(read_all, [float(v) for v in values], data, lang) == wanted


def test_words_are_joined_as_they_sound(page):
    join = (
        "const why = presencia.why({ data: arguments[0], say: { lang: arguments[1] } });"
        "return arguments[2].map(([items, word]) => why.words().series(items, word));"
    )
    data = {
        "scoring": {"criteria": []},
        "sentences": {lang: dict(explanations.words(lang).templates) for lang in LANGUAGES},
    }
    lists = [
        ["coca"],
        ["a", "b", "c"],
        ["coca", "incautaciones"],
        ["madera", "hierro"],
        ["padres", "Hijos"],
        ["x", "Ítem"],
    ]
    pairs = [(items, "and") for items in lists] + [
        (["7 ha", last], "or") for last in ("8.000 ha", "11,4 ha", "110 ha", "ocho")
    ]
    for lang in LANGUAGES:
        wanted = [explanations.words(lang).series(items, word) for items, word in pairs]
        assert page.execute_script(join, data, lang, pairs) == wanted
