"""The page reckons as Python does: measures of every year, scores, ranks, contributions, ties and zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geo import score
from geo.score import Floats, Method, Rescale
from layers import dynamics, measures, zones
from layers.criteria import MEASURES, Criterion, Evidence, Zoning
from layers.priority import high_cultivation, prioritise
from maps import pack
from tests.maps import engine
from tests.maps.engine import Country, Page, Scores, State

pytestmark = pytest.mark.browser

TOLERANCE = 1e-9
ROUNDING = 1e-12
YEARS = range(2001, 2025)
SPOTS = ["hot", "cold", "neither"]
CLASSES = ["permanent", "intermittent", "expansion", "abandoned", "past", "never"]
METHODS = list(Method)
KINDS = list(Rescale)


@pytest.fixture(scope="module")
def country() -> Country:
    return engine.country()


@pytest.fixture(scope="module")
def page(country: Country):
    with engine.opened() as found:
        found.keep("bundled", country.data, country.pairs)
        yield found


def agree(found: Floats, expected: Floats) -> float:
    """The largest difference, relative beyond 1; the same must be missing, and the same infinite."""
    assert found.shape == expected.shape
    assert (np.isnan(found) == np.isnan(expected)).all()
    known = np.isfinite(expected)
    assert (found[~known & ~np.isnan(found)] == expected[~known & ~np.isnan(expected)]).all()
    apart = np.abs(found[known] - expected[known]) / np.maximum(np.abs(expected[known]), 1.0)
    largest = float(apart.max(initial=0.0))
    assert largest <= TOLERANCE
    return largest


# --- what is written and read again


def test_numbers_come_back_to_the_last_bit(page: Page):
    columns = [
        [],
        [0.0, 1.0, 31.0, 32.0, 1023.0, 1024.0, 2.0**40],
        [np.nan, -1.0, np.nan, -16.0, 7.0, np.nan],
        [0.1, 0.25, -12.75, 1e-6, 123456.789012],
        [1 / 3, np.pi, -1e300, np.nan, np.inf],
        [np.nan] * 4,
    ]
    for column in columns:
        packed = pack.numbers(column)
        found = page.floats("[presencia.codec.numbers(arguments[0], arguments[1])]", packed, len(column))
        np.testing.assert_array_equal(found, np.array(column, dtype=float))
    plain = page.floats("[presencia.codec.numbers([1, null, 2.5], 3)]")
    np.testing.assert_array_equal(plain, [1.0, np.nan, 2.5])


def test_whole_numbers_and_places_come_back(page: Page):
    rng = np.random.default_rng(5)
    whole = rng.integers(0, 2**40, 500) >> rng.integers(0, 40, 500)
    either = whole * rng.choice([-1, 1], 500)
    rising = np.flatnonzero(rng.random(1122) < 0.3)
    for name, text, expected in [
        ("varints", pack.varints(whole), whole),
        ("signed", pack.signed(either), either),
        ("places", pack.places(rising), rising),
        ("places", pack.places([]), np.empty(0)),
    ]:
        np.testing.assert_array_equal(page.floats(f"[presencia.codec.{name}(arguments[0])]", text), expected)


def test_texts_come_back(page: Page):
    column = ["Nariño", None, "</script>", "Nariño", "\u202e", None]
    packed = pack.texts(pd.Series(column, dtype=object))
    assert page.run("return presencia.codec.texts(arguments[0])", packed) == column


@pytest.mark.parametrize("share", [1.0, 1 / 3])
def test_yearly_figures_come_back(page: Page, share: float):
    frame = pd.DataFrame(
        [[0, 0, np.nan, 0], [5.5, -2, np.nan, np.nan], [np.nan] * 4, [0, 7, np.nan, 0.25], [0, np.nan, np.nan, 0]],
        columns=[2001, 2002, 2003, 2005],
        dtype=float,
    )
    packed = pack.series(frame * share)
    read = "presencia.codec.series(arguments[0], 5)"
    assert page.run(f"return {read}.years", packed) == [2001, 2002, 2005]
    found = page.floats(f"[2001, 2002, 2005].map((year) => {read}.columns.get(year))", packed)
    np.testing.assert_array_equal(found.reshape(3, 5), (frame * share)[[2001, 2002, 2005]].T)


# --- measures


def _codes(count: int) -> pd.Index:
    return pd.Index([f"{1000 + place:05d}" for place in range(count)], name="code")


def _numbered(classes: pd.Series, names: list[str]) -> pd.Series:
    return classes.map({name: place for place, name in enumerate(names)}).astype(float)


def _compute(known: Evidence, zoning: Zoning, name: str) -> Callable[[int], pd.Series]:
    return lambda year: MEASURES[name].compute(known, zoning.windows, year)


def _classes(known: Evidence, zoning: Zoning) -> Callable[[int], pd.Series]:
    surveyed, windows = known.coca.dropna(axis="columns", how="all"), zoning.windows
    spans = {"window_years": windows.permanence_years, "recent_years": windows.recent_years}
    return lambda year: _numbered(dynamics.permanence_class(surveyed, year=year, **spans), CLASSES)


def _expected(country: Country) -> dict[str, Callable[[int], pd.Series]]:
    """Every measure of the page as Python has it."""
    known, windows, panel = country.known, country.zoning.windows, country.panel
    baseline = country.zoning.years.baseline
    none = pd.Series(np.nan, index=country.codes)
    spots = country.spots
    return {
        **{name: _compute(known, country.zoning, name) for name in MEASURES},
        "permanence_class": _classes(known, country.zoning),
        "hot_spot": lambda year: _numbered(spots[year], SPOTS) if year in spots else none,
        "eradicated_ha": lambda year: known.eradicated[year],
        "eradicated_window_ha": lambda year: measures.eradicated_ha(
            known.eradicated, year=year, years=windows.eradication_years
        ),
        "sprayed_ha": lambda year: panel.wide("sprayed_ha")[year],
        "farc_events": lambda year: known.farc_events[year],
        "farc_events_window": lambda year: measures.farc_events(
            known.farc_events, first=windows.farc_first, last=windows.farc_last
        ),
        "population": lambda year: known.population[year],
        "change_ha": lambda year: known.coca[year] - known.coca[baseline],
    }


def test_every_measure_of_every_year_is_pythons(page: Page, country: Country):
    expected = _expected(country)
    found = page.floats(
        "arguments[0].flatMap((measure) => arguments[1].map((year) => bundled.values(measure, year)))",
        list(expected),
        list(YEARS),
    ).reshape(len(expected), len(YEARS), len(country.codes))
    largest = {
        name: max(agree(found[i, j], of(year).to_numpy(dtype=float)) for j, year in enumerate(YEARS))
        for i, (name, of) in enumerate(expected.items())
    }
    print(f"measures: {found.size} values, largest difference {max(largest.values()):.2g} ({largest})")
    assert page.run("return bundled.years") == list(YEARS)
    assert page.run("return bundled.count") == len(country.codes)


def test_categories_stand_in_the_stated_order(page: Page):
    assert page.run("return presencia.measures.CATEGORIES") == {"hot_spot": SPOTS, "permanence_class": CLASSES}


def test_totals_leave_out_what_was_not_measured(page: Page, country: Country):
    for name, frame in {"coca_ha": country.known.coca, "population": country.known.population}.items():
        found = page.floats("[arguments[1].map((year) => bundled.total(arguments[0], year))]", name, list(YEARS))
        agree(found, frame[list(YEARS)].sum(min_count=1).to_numpy())


def test_high_cultivation_of_every_year_is_pythons(page: Page, country: Country):
    state = State(2020, Method.WEIGHTED_MEAN).told()
    found = page.floats(
        "arguments[1].map((year) => bundled.scored({ ...arguments[0], year }).high)", state, list(YEARS)
    ).reshape(len(YEARS), -1)
    share = country.zoning.candidates.high_share
    for row, year in zip(found, YEARS, strict=True):
        np.testing.assert_array_equal(row == 1, high_cultivation(country.known.coca[year], share=share))


def _gappy(rng: np.random.Generator, codes: pd.Index, years: range, steps: list[float]) -> pd.DataFrame:
    """Years in columns; few values, so that limits are met exactly, and every kind of gap."""
    frame = pd.DataFrame(rng.choice(steps, (len(codes), len(years))), index=codes, columns=list(years))
    frame[rng.random(len(codes)) < 0.3] = 0.0
    frame[rng.random(frame.shape) < 0.02] = np.nan
    frame[rng.random(len(codes)) < 0.1] = np.nan
    frame[years[2]] = np.nan
    return frame


def test_measures_at_their_limits_and_across_gaps_are_pythons(page: Page, country: Country):
    zoning, rng, codes = country.zoning, np.random.default_rng(7), _codes(400)
    facts = pd.DataFrame(
        {
            "area_km2": rng.choice([0.5, 3.0], 400),
            "station_km": rng.choice([0.0, 9.9, 10.0, 10.1, np.nan], 400),
            "seat_station_km": rng.choice([0.0, 9.9, 10.0, 10.1, np.nan], 400),
        },
        index=codes,
    )
    series = {
        "coca_ha": _gappy(rng, codes, YEARS, [0.0, 0.0, 0.1, 0.3, 25.0]),
        "eradicated_ha": _gappy(rng, codes, range(2007, 2025), [0.0, 12.5, 25.0, 50.0]),
        "farc_events": _gappy(rng, codes, range(2001, 2019), [0.0, 0.0, 1.0]),
        "homicides": _gappy(rng, codes, range(2003, 2025), [0.0, 3.0]),
        "population": _gappy(rng, codes, range(2012, 2025), [1.0, 999.0]).replace(0.0, 2.0),
    }
    page.keep("gappy", engine.invented(zoning, facts, series), [])
    wide = {name: frame.reindex(columns=YEARS) for name, frame in series.items()}
    known = Evidence(
        wide["coca_ha"], wide["eradicated_ha"], wide["farc_events"], wide["homicides"], wide["population"],
        facts["area_km2"], facts["station_km"], facts["seat_station_km"],
    )  # fmt: skip
    years = [year for year in YEARS if wide["coca_ha"][year].notna().any()]
    assert (
        page.run(
            "return gappy.years",
        )
        == years
    )
    wanted = {name: _compute(known, zoning, name) for name in MEASURES} | {"permanence_class": _classes(known, zoning)}
    for name, of in wanted.items():
        for year in years:
            found = page.floats("[gappy.values(arguments[0], arguments[1])]", name, year)
            agree(found, of(year).to_numpy(dtype=float))
    state = State(engine.YEAR, Method.WEIGHTED_MEAN).told()
    for year in years:
        found = page.floats("[gappy.scored({ ...arguments[0], year: arguments[1] }).high]", state, year)
        expected = high_cultivation(wide["coca_ha"][year], share=zoning.candidates.high_share)
        np.testing.assert_array_equal(found == 1, expected)


@pytest.mark.parametrize("hectares", [0.1, 0.3, 0.7, 12.4])
def test_equal_hectares_are_shared_out_as_in_python(page: Page, hectares: float):
    for count in (1, 5, 10, 100, 1000):
        for share in (0.2, 0.5, 0.8, 1.0):
            coca = pd.Series(hectares, index=_codes(count))
            highest = "presencia.measures.highest(Float64Array.from(arguments[0]), arguments[1])"
            high = page.run(f"return [...{highest}]", coca.tolist(), share)
            assert high == high_cultivation(coca, share=share).astype(int).tolist()


# --- scores


def _rows(page: Page, name: str, state: State, what: str) -> Floats:
    """A table of the candidates, row by row."""
    now = "window[arguments[0]].scored(arguments[1])"
    return page.floats(f"Array.from({now}.places, (place) => {now}[arguments[2]](place))", name, state.told(), what)


def _columns(page: Page, asked: list[tuple[str, State]], count: int) -> Floats:
    """Scores, coverage and ranks of several states, each by place."""
    found = page.floats(
        """arguments[0].flatMap(([name, state]) => {
          const { score, coverage, rank } = window[name].scored(state);
          return [score, coverage, rank];
        })""",
        [[name, state.told()] for name, state in asked],
    )
    return found.reshape(len(asked), 3, count)


def _check(found: Floats, expected: Scores, codes: pd.Index, *, method: Method | None = None) -> float:
    """Score and coverage within the tolerance, ranks the same, and nothing for who is no candidate."""
    at = codes.get_indexer(expected.chosen)
    others = np.setdiff1d(np.arange(len(codes)), at)
    assert np.isnan(found[:2, others]).all()
    assert (found[2, others] == 0).all()
    if method is Method.GEOMETRIC_MEAN:
        _check_order(found[2, at], expected)
    else:
        np.testing.assert_array_equal(found[2, at], expected.rank)
    return max(agree(found[0, at], expected.score), agree(found[1, at], expected.coverage))


def _check_order(rank: Floats, expected: Scores) -> None:
    """Alike rows in the order of their places, others by score.

    The last bit of a logarithm is the processor's own, so scores that it alone sets apart may stand either way round.
    """
    order = np.argsort(rank)
    assert not (np.diff(np.nan_to_num(expected.score[order], nan=-1.0)) > ROUNDING).any()
    _, kind = np.unique(np.nan_to_num(expected.unit, nan=-1.0), axis=0, return_inverse=True)
    for alike in range(kind.max() + 1):
        assert (np.diff(rank[kind == alike]) > 0).all()


def test_the_runs_own_scores_are_pythons(page: Page, country: Country):
    run, zoning = country.priorities, country.zoning
    state = State(engine.YEAR, zoning.method, minimum=zoning.candidates.minimum_coca_ha)
    expected = engine.scores(run.raw, zoning, run.weighting.weights, zoning.method)
    _check(_columns(page, [("bundled", state)], len(country.codes))[0], expected, country.codes)
    np.testing.assert_array_equal(run.table.loc[expected.chosen, "rank"], expected.rank)
    for what, table in {"contributions": run.contributions, "raw": run.raw, "unit": run.unit}.items():
        agree(_rows(page, "bundled", state, what), table.to_numpy().ravel())


def _variants(zoning: Zoning, rng: np.random.Generator, count: int) -> list[Zoning]:
    """The settings themselves, and others: fewer measures, rescaled in any way, winsorised by any share."""

    def changed(criterion: Criterion) -> Criterion:
        return replace(
            criterion,
            rescale=KINDS[rng.integers(len(KINDS))],
            log=bool(rng.random() < 0.5) and criterion.name != "coca_trend_ha_per_year",
            descending=bool(rng.random() < 0.2),
            weight=float(rng.exponential()),
        )

    def other() -> Zoning:
        most = len(zoning.criteria)
        kept = np.sort(rng.choice(most, rng.choice([1, 3, 7, most, most]), replace=False))
        listed = [changed(zoning.criteria[place]) for place in kept]
        return engine.weighed(zoning, listed, float(rng.choice([0.0, 0.02, 0.1, 0.3, 0.49])))

    return [zoning, *(other() for _ in range(count - 1))]


def _state(zoning: Zoning, rng: np.random.Generator) -> State:
    m = len(zoning.criteria)
    weights = rng.exponential(size=m) * 10.0 ** rng.integers(-2, 3)
    weights[rng.random(m) < 0.25] = 0.0
    weights[rng.integers(m)] += 0.5
    return State(
        year=int(rng.choice(YEARS)),
        method=METHODS[rng.integers(len(METHODS))],
        weights=weights if rng.random() < 0.9 else None,
        minimum=float(rng.choice([0.0, 0.1, 1.0, 1.0, 5.0, 50.0, 250.5])),
        only=str(rng.choice(["", "", "vacated", "pdet"])),
    )


def _scored(country: Country, tables: dict[int, pd.DataFrame], zoning: Zoning, state: State) -> Scores | None:
    """What Python makes of a state; None without candidates, where a run is refused."""
    if state.year not in tables:
        tables[state.year] = pd.DataFrame(
            {name: m.compute(country.known, zoning.windows, state.year) for name, m in MEASURES.items()}
        )
    table = tables[state.year]
    flags = {"vacated": country.priorities.table["vacated"], "pdet": country.panel.places["pdet"]}
    chosen = table["coca_ha"] >= state.minimum
    if state.only:
        chosen &= flags[state.only]
    raw = pd.DataFrame(table[chosen][[c.name for c in zoning.criteria]])
    weights = zoning.weights if state.weights is None else engine.normalised(state.weights)
    return None if raw.empty else engine.scores(raw, zoning, weights, state.method)


def test_two_hundred_random_weightings_are_pythons(page: Page, country: Country):
    rng = np.random.default_rng(2016)
    variants = _variants(country.zoning, rng, 20)
    for place, zoning in enumerate(variants):
        page.keep(f"other{place}", engine.restated(country.data, zoning), country.pairs)
    chosen = [int(rng.integers(len(variants))) if order % 2 else 0 for order in range(200)]
    asked = [(f"other{place}", _state(variants[place], rng)) for place in chosen]
    found = np.concatenate([_columns(page, asked[at : at + 50], len(country.codes)) for at in range(0, 200, 50)])
    tables: dict[int, pd.DataFrame] = {}
    scored = [_scored(country, tables, variants[int(name[5:])], state) for name, state in asked]
    apart, parts = [0.0], [0.0]
    for order, (expected, (name, state)) in enumerate(zip(scored, asked, strict=True)):
        if expected is None:
            assert np.isnan(found[order, 0]).all()
            continue
        apart.append(_check(found[order], expected, country.codes))
        if len(expected.chosen) <= 300 and order % 3 == 0:
            added = score.contributions(expected.unit, expected.weights, state.method)
            parts.append(agree(_rows(page, name, state, "contributions"), added.ravel()))
            agree(_rows(page, name, state, "unit"), expected.unit.ravel())
    print(f"{len(apart) - 1} scorings {max(apart):.2g}, {len(parts) - 1} with contributions {max(parts):.2g}")
    assert len(apart) > 190
    assert len(parts) > 40


def test_a_weighting_like_the_runs_is_the_runs(page: Page, country: Country):
    own = 0.7 * country.zoning.weights
    assert (engine.normalised(own) != country.zoning.weights).any()
    asked = "const now = bundled.scored(arguments[0]); return [now.asRun, now === bundled.scored(arguments[1])]"
    state = State(engine.YEAR, country.zoning.method)
    assert page.run(asked, state.told(), replace(state, weights=own).told()) == [True, True]
    changes: list[dict[str, Any]] = [
        {"year": 2019}, {"method": Method.TOPSIS}, {"weights": own + np.eye(len(own))[0]}, {"minimum": 2.0},
        {"only": "pdet"}, {"locked_in": ("52835",)}, {"locked_out": ("52835",)},
    ]  # fmt: skip
    for change in changes:
        assert page.run(asked, replace(state, **change).told(), state.told()) == [False, False], change


def test_without_weight_nothing_is_scored(page: Page, country: Country):
    state = State(engine.YEAR, Method.TOPSIS, weights=np.zeros(len(country.zoning.criteria)))
    found = _columns(page, [("bundled", state)], len(country.codes))[0]
    assert np.isnan(found[:2]).all()
    assert found[2].max() == len(country.priorities.raw)


# --- ties and small tables

TIED = ("coca_ha", "eradicated_ha", "sprayed_ha", "station_km")


def _criteria(zoning: Zoning, rng: np.random.Generator, names: tuple[str, ...]) -> Zoning:
    listed = [
        replace(
            zoning.criteria[0], name=name, log=False, descending=bool(rng.random() < 0.3),
            rescale=KINDS[rng.integers(len(KINDS))], goalposts=(0.0, 2.0), weight=float(rng.integers(1, 4)),
        )
        for name in names
    ]  # fmt: skip
    return engine.weighed(zoning, listed, float(rng.choice([0.0, 0.1, 0.4])))


def _compare(page: Page, zoning: Zoning, table: pd.DataFrame, method: Method) -> float:
    """Score a table of measures in both, the columns being criteria."""
    page.keep("small", engine.of_one_year(zoning, table), [])
    state = State(engine.YEAR, method, minimum=0.0)
    found = _columns(page, [("small", state)], len(table))[0]
    expected = engine.scores(table, zoning, zoning.weights, method)
    added = score.contributions(expected.unit, expected.weights, method)
    agree(_rows(page, "small", state, "contributions"), added.ravel())
    return _check(found, expected, table.index, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_ties_are_broken_as_in_python(page: Page, country: Country, method: Method):
    rng = np.random.default_rng(METHODS.index(method))
    for _ in range(40):
        n, m = int(rng.integers(1, 14)), int(rng.integers(1, 5))
        steps = rng.choice([0.0, 0.0, 0.5, 1.0, 2.0, np.nan], (n, m))
        steps[:, 0] = np.nan_to_num(steps[:, 0])
        table = pd.DataFrame(steps, index=_codes(n), columns=list(TIED[:m]))
        _compare(page, _criteria(country.zoning, rng, TIED[:m]), table, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "rows",
    [
        [[3.0, 1.0, 2.0]] * 5,
        [[3.0, 1.0, 2.0]] * 2 + [[5.0, 0.0, 1.0]] + [[3.0, 1.0, 2.0]] * 2,
        [[1.0, np.nan, np.nan], [2.0, np.nan, np.nan], [2.0, np.nan, np.nan]],
        [[4.0, 4.0, np.nan]],
        [[0.0, 0.0, 0.0], [0.0, 7.0, 0.0], [0.0, 7.0, np.nan]],
    ],
    ids=["all alike", "two alike twice", "one measure only", "one candidate", "nothing but zero and one"],
)
def test_small_tables(page: Page, country: Country, rows: list[list[float]], method: Method):
    rng = np.random.default_rng(len(rows))
    table = pd.DataFrame(rows, index=_codes(len(rows)), columns=list(TIED[:3]))
    _compare(page, _criteria(country.zoning, rng, TIED[:3]), table, method)


@pytest.mark.parametrize("method", METHODS)
def test_who_lacks_every_weighed_measure_is_last_and_has_no_score(page: Page, country: Country, method: Method):
    rng = np.random.default_rng(1)
    zoning = _criteria(country.zoning, rng, ("eradicated_ha", "station_km"))
    table = pd.DataFrame(
        {"coca_ha": 1.0, "eradicated_ha": [1.0, np.nan, 3.0, np.nan], "station_km": [2.0, np.nan, np.nan, np.nan]},
        index=_codes(4),
    )
    page.keep("small", engine.of_one_year(zoning, table), [])
    expected = engine.scores(table[["eradicated_ha", "station_km"]], zoning, zoning.weights, method)
    _check(_columns(page, [("small", State(engine.YEAR, method))], 4)[0], expected, table.index)
    assert expected.rank[[1, 3]].tolist() == [3, 4]


def test_no_candidates_have_no_scores_and_no_zones(page: Page):
    for method in METHODS:
        now = page.run(
            "const { places, ranked, zones, rank } = bundled.scored(arguments[0]);"
            "return [places.length, ranked.length, zones.length, Math.max(...rank)]",
            State(2010, method, minimum=1e9).told(),
        )
        assert now == [0, 0, 0, 0]


# --- zones


def _locks(country: Country, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    drawn = rng.choice(country.codes.to_numpy(), int(rng.integers(0, 40)), replace=False).tolist()
    candidates = rng.choice(country.priorities.raw.index.to_numpy(), 12, replace=False).tolist()
    locked_in = drawn + candidates[:4]
    return list(dict.fromkeys(locked_in)), [code for code in candidates[4:] if code not in locked_in]


@pytest.mark.parametrize("seed", range(8))
def test_zones_are_pythons_but_for_their_size(page: Page, country: Country, seed: int):
    rng = np.random.default_rng(seed)
    year = int(rng.choice([year for year in YEARS if year != engine.YEAR]))
    zoning = replace(
        country.zoning,
        scoring=replace(country.zoning.scoring, method=METHODS[seed % len(METHODS)].value),
        candidates=replace(
            country.zoning.candidates,
            minimum_coca_ha=0.0 if seed == 5 else 1.0,
            priority_share=float(rng.choice([0.07, 0.25])),
        ),
    )
    locked_in, locked_out = _locks(country, rng) if seed else ([], [])
    run = prioritise(country.panel, zoning, year=year, draws=0, seed=1)
    share = zoning.candidates.priority_share
    zone, expected = zones.build(
        country.panel, run, share=share, locked_in=locked_in, locked_out=locked_out, neighbours=country.neighbours
    )
    page.keep("zoned", engine.restated(country.data, zoning), country.pairs)
    least = zoning.candidates.minimum_coca_ha
    state = State(year, zoning.method, minimum=least, locked_in=tuple(locked_in), locked_out=tuple(locked_out))
    asked = "const now = zoned.scored(arguments[0]); return [now.zones, now.zone, now.asRun]"
    found, of, as_run = page.run(asked, state.told())
    assert not as_run
    assert of == [None if pd.isna(label) else label for label in zone]
    assert [each["id"] for each in found] == expected["zone"].tolist()
    assert [each["name"] for each in found] == expected["name"].tolist()
    members = [[country.codes[place] for place in each["members"]] for each in found]
    assert members == expected["members"].tolist()
    for figure in ("coca_ha", "area_km2", "population", "eradicated_ha", "score"):
        agree(np.array([each[figure] for each in found], dtype=float), expected[figure].to_numpy(dtype=float))


def test_the_runs_own_zones_are_divided_as_they_were(page: Page, country: Country):
    state = State(engine.YEAR, country.zoning.method)
    found = page.run("return bundled.scored(arguments[0]).zones", state.told())
    members = [[country.codes[place] for place in each["members"]] for each in found]
    assert members == country.zones["members"].tolist()
    assert [each["id"] for each in found] == country.zones["zone"].tolist()


def test_zones_of_one_name_bear_their_codes(page: Page, country: Country):
    table = pd.DataFrame({"coca_ha": [1.0, 2.0, 3.0, 4.0]}, index=_codes(4))
    zoning = engine.weighed(country.zoning, [country.zoning.criteria[1]], 0.0)
    page.keep("small", engine.of_one_year(zoning, table), [[0, 1]])
    state = replace(State(engine.YEAR, Method.WEIGHTED_MEAN), locked_in=tuple(table.index))
    found = page.run("return small.scored(arguments[0]).zones", state.told())
    assert [(each["name"], each["members"]) for each in found] == [
        ("A: A (01003)", [3]), ("A: A (01002)", [2]), ("A: A (01001)", [1, 0])
    ]  # fmt: skip


def test_a_share_of_the_candidates_is_rounded_up_and_no_further(page: Page, country: Country):
    table = pd.DataFrame({"coca_ha": np.arange(1.0, 101.0)}, index=_codes(100))
    zoning = engine.weighed(country.zoning, [country.zoning.criteria[1]], 0.0)
    for share, count in [(0.07, 7), (0.071, 8), (1.0, 100)]:
        settings = replace(zoning, candidates=replace(zoning.candidates, priority_share=share))
        page.keep("small", engine.of_one_year(settings, table), [])
        state = State(engine.YEAR, Method.WEIGHTED_MEAN, locked_out=("99999",))
        assert page.run("return small.scored(arguments[0]).zones.length", state.told()) == count
