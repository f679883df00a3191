"""Two small runs on disk: what changed, in words, in files and on a page that a person uses."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from shapely.geometry import box

from geo import score
from geo.errors import ConfigError, PresenciaError, SchemaError, SourceError
from geo.score import Method, Rescale, Scale
from maps import comparison, comparison_page, comparison_words, export, runfolder
from maps.comparison_words import Texts
from tests import browser
from tests.maps.test_palette import EYES, FILLS_APART, ciede2000, lab

HOSTILE = '<img src=x onerror="window.hacked=1">{{7*7}}</script>'
NAMES = {"05001": "Alfa", "05002": "Beta", "05003": HOSTILE, "05004": "Delta", "05005": "Épsilon", "05006": "Zeta"}
SCALE = Scale(Rescale.LINEAR, 1.0, 0.0, 10.0)
WEIGHTS = {"coca_ha": 0.5, "resurgence": 0.5}
NAN = float("nan")
Figures: TypeAlias = Mapping[str, tuple[float, float]]
# Coca in ha and resurgence, both from 0 to 10 for this.
BEFORE: Figures = {
    "05001": (8, 8), "05002": (6, 6), "05003": (4, NAN), "05004": (2, 2), "05005": (1, 1), "05006": (0, NAN),
}  # fmt: skip
AFTER: Figures = {
    "05001": (8, 8), "05002": (1, 6), "05003": (4, 9), "05004": (2, 2), "05005": (0, NAN), "05006": (3, 1),
}  # fmt: skip


def write_run(
    folder: Path,
    figures: Figures,
    *,
    year: int = 2019,
    weights: dict[str, float] = WEIGHTS,
    method: Method = Method.WEIGHTED_MEAN,
    **summary: Any,
) -> Path:
    """A run folder of six squares, as zone.py would leave it."""
    folder.mkdir(parents=True)
    index = pd.Index(list(figures), name="code")
    raw = pd.DataFrame(list(figures.values()), index=index, columns=list(WEIGHTS), dtype=float)
    scored = raw[raw["coca_ha"] >= 1][list(weights)]
    unit = np.stack([SCALE(scored[name].to_numpy()) for name in weights], axis=-1)
    given = np.array(list(weights.values()))
    points = score.aggregate(unit, given, method)
    ranked = pd.Series(score.ranks(points).astype(float), scored.index)
    parts = pd.DataFrame(score.contributions(unit, given, method), scored.index, [f"contribution_{n}" for n in weights])
    table = raw.assign(name=pd.Series(NAMES), department_code="05", department="Antioquia", zone=None)
    table = table.assign(score=pd.Series(points, scored.index), rank=ranked).join(parts)
    squares = [box(-75 + i % 3, 6 - i // 3, -74 + i % 3, 7 - i // 3) for i in range(len(index))]
    places = gpd.GeoDataFrame(table, geometry=squares, crs=4326)
    export.write_csv(table, folder / "scores.csv")
    export.write_geojson(places, folder / "municipalities.geojson")
    zones = gpd.GeoDataFrame({"zone": ["Z1"], "name": ["Uno"]}, geometry=squares[:1], crs=4326)
    export.write_geojson(zones, folder / "zones.geojson")
    export.write_json(recorded(table, year, weights, method) | summary, folder / "run.json")
    return folder


def recorded(table: pd.DataFrame, year: int, weights: dict[str, float], method: Method) -> dict[str, Any]:
    plain = {name: getattr(SCALE, name) for name in ("log", "unit", "low", "high", "descending")}
    labels = {"coca_ha": ("Coca", "ha"), "resurgence": ("Resurgence", "0–1")}
    criteria = [
        {"name": name, "weight": weight, "log": False}
        | {f"label_{lang}": labels[name][0] for lang in ("en", "es")}
        | {f"unit_{lang}": labels[name][1] for lang in ("en", "es")}
        for name, weight in weights.items()
    ]
    return {
        "year": year, "seed": 1, "draws": 0, "lang": "es", "drop_unmatched": False, "data": "bundled",
        "config": {"candidates": {"minimum_coca_ha": 1.0}, "criteria": criteria},
        "scoring": {
            "method": method.value, "weighting": "given", "weights": weights,
            "scales": {name: plain | {"kind": "linear", "reference": []} for name in weights},
        },
        "robustness": {"top": 2},
        "inputs": {"boundaries": {"file": "mine.gpkg", "bundled": False, "sha256": "a" * 64}},
        "totals": {"candidates": int(table["score"].notna().sum()), "coca_ha": float(table["coca_ha"].sum())},
        "versions": {"numpy": "2.4.6"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("runs")
    return write_run(root / "2019", BEFORE), write_run(root / "2020", AFTER, year=2020)


@pytest.fixture(scope="module")
def english(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> comparison.Compared:
    return comparison.compare(*folders, out=tmp_path_factory.mktemp("en") / "out", lang="en")


@pytest.fixture(scope="module")
def spanish(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> comparison.Compared:
    return comparison.compare(*folders, out=tmp_path_factory.mktemp("es") / "out", lang="es")


# What changed


def test_who_entered_left_came_and_went(english: comparison.Compared):
    """Before: Alfa 0.8, Beta 0.6, the third 0.4, Delta, Épsilon. After: Alfa 0.8, the third 0.65, Beta 0.35, ..."""
    assert dict(english.changes["status"]) == {
        "05001": "stayed", "05003": "entered", "05002": "left", "05004": "same rank", "05006": "new candidate",
        "05005": "no longer candidate",
    }  # fmt: skip
    assert [english.changes[f"rank_{each}"]["05003"] for each in ("before", "after", "change")] == [3, 2, 1]
    assert comparison_page.finding(english) == "Entered the first 2: 1. Left: 1."


def test_the_main_cause_is_said_in_words(english: comparison.Compared, spanish: comparison.Compared):
    said = english.changes["main_cause"]
    assert said["05002"] == "Coca fell from 6 to 1 ha: −0.250"
    assert said["05003"] == "Became known: Resurgence (9): +0.250"
    assert said["05006"] == "Became a candidate: coca was 0 ha and is 3 ha (at least 1 ha)"
    assert said["05005"] == "No longer a candidate: coca was 1 ha and is 0 ha (at least 1 ha)"
    assert pd.isna(said["05001"])
    assert spanish.changes["main_cause"]["05002"] == "Coca bajó de 6 a 1 ha: −0,250"
    assert spanish.changes["main_cause"]["05003"] == "Ahora se conoce Resurgence (9): +0,250"


def test_files_hold_the_same_and_add_up(english: comparison.Compared):
    assert {file.name for file in english.folder.iterdir()} == {"changes.csv", "changes.geojson", "changes.html"}
    table = pd.read_csv(english.folder / "changes.csv", dtype={"code": str}).set_index("code")
    parts = table[[name for name in table if str(name).startswith("cause_")]]
    assert {"cause_coca_ha_value", "cause_coca_ha_scale", "cause_coca_ha_weight", "cause_coca_ha_known"} < set(parts)
    both = table["score_change"].notna()
    np.testing.assert_allclose(parts[both].sum(axis=1), table.loc[both, "score_change"], atol=1e-9)
    assert parts[~both].isna().all(axis=None)
    assert [table[f"cause_{name}_known"]["05003"] for name in WEIGHTS] == [-0.2, 0.45]
    collection = json.loads((english.folder / "changes.geojson").read_text(encoding="utf-8"))
    assert "crs" not in collection
    properties = {each["properties"]["code"]: each["properties"] for each in collection["features"]}
    assert properties["05005"]["score_after"] is None
    assert list(properties["05001"]) == ["code", *table.columns]


def test_turned_round_every_cause_has_the_other_sign(
    folders: tuple[Path, Path], english: comparison.Compared, tmp_path: Path
):
    back = comparison.compare(*folders[::-1], out=tmp_path / "back", lang="en")
    pd.testing.assert_frame_equal(back.found.causes.sort_index(), -english.found.causes.sort_index())
    assert back.changes["status"]["05003"] == "left"


def test_two_weightings_name_the_weight(folders: tuple[Path, Path], tmp_path: Path):
    """Beta has 0.1 in coca and 0.6 in resurgence: three quarters on the latter lift it from 0.35 to 0.475."""
    other = write_run(tmp_path / "w", AFTER, year=2020, weights={"coca_ha": 0.25, "resurgence": 0.75})
    done = comparison.compare(folders[1], other, out=tmp_path / "out", lang="en")
    expected = "The weights changed, above all that of Resurgence (50% → 75%): +0.125"
    assert done.changes["main_cause"]["05002"] == expected
    said = comparison_words.differences(done.before, done.after, done.texts)
    assert said == ["Weight of Coca: 50% → 25%", "Weight of Resurgence: 50% → 75%"]
    assert comparison_page.share_lines(done)[1:] == ["the weights: 100%"]


def test_a_measure_that_one_run_leaves_out_is_a_matter_of_weight(folders: tuple[Path, Path], tmp_path: Path):
    other = write_run(tmp_path / "w", AFTER, year=2020, weights={"coca_ha": 1.0})
    done = comparison.compare(folders[1], other, out=tmp_path / "out", lang="en")
    assert "Resurgence (50% → 0%)" in done.changes["main_cause"]["05002"]
    assert "Weight of Resurgence: 50% → none" in comparison_words.differences(done.before, done.after, done.texts)


def test_a_rescaling_that_the_settings_changed_is_not_blamed_on_the_others(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """By a logarithm 6 of 10 is ln 7 / ln 11 = 0.811 and no longer 0.6, and 1 is 0.289; each counts by half."""
    monkeypatch.setattr(sys.modules[__name__], "SCALE", Scale(Rescale.LINEAR, 1.0, 0.0, math.log(11), log=True))
    other = write_run(tmp_path / "log", AFTER, year=2020)
    done = comparison.compare(folders[1], other, out=tmp_path / "out", lang="en")
    assert list(done.events.loc[done.events["code"] == "05002", "words"]) == [
        "Resurgence: it is rescaled otherwise, and 6 now counts for more: +0.106",
        "Coca: it is rescaled otherwise, and 1 ha now counts for more: +0.095",
    ]


def test_other_candidates_that_changed_are_named(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The upper end moved from 10 to 8: Alfa's 8 counts for 1 and no longer 0.8, in both measures."""
    monkeypatch.setattr(sys.modules[__name__], "SCALE", Scale(Rescale.LINEAR, 1.0, 0.0, 8.0))
    other = write_run(tmp_path / "eight", AFTER, year=2020)
    done = comparison.compare(folders[1], other, out=tmp_path / "out", lang="en")
    assert done.changes["main_cause"]["05001"] == "Coca: other candidates changed, and 8 ha now counts for more: +0.100"


def test_another_method_is_named(folders: tuple[Path, Path], tmp_path: Path):
    other = write_run(tmp_path / "t", AFTER, year=2020, method=Method.TOPSIS)
    done = comparison.compare(folders[1], other, out=tmp_path / "out", lang="en")
    assert "Another method (weighted-mean → topsis): " in done.changes["main_cause"]["05001"]
    parts = done.changes[[name for name in done.changes if str(name).startswith("cause_")]]
    np.testing.assert_allclose(parts.sum(axis=1)[:4], done.changes["score_change"][:4], atol=1e-9)
    assert comparison_words.differences(done.before, done.after, done.texts) == ["Method: weighted-mean → topsis"]


def test_who_moves_against_its_own_score_is_told_so(tmp_path: Path):
    """Beta gains a little, and the third overtakes it."""
    one = write_run(tmp_path / "a", {**BEFORE, "05003": (4, 4)})
    other = write_run(tmp_path / "b", {**BEFORE, "05002": (6.5, 6), "05003": (9, 8)})
    said = comparison.compare(one, other, out=tmp_path / "out", lang="en").changes["main_cause"]
    assert said["05002"] == "Others gained more. Of its own: Coca rose from 6.0 to 6.5 ha: +0.025"
    still = write_run(tmp_path / "c", {**BEFORE, "05003": (9, 8)})
    assert (
        comparison.compare(one, still, out=tmp_path / "out", lang="en").changes["main_cause"]["05002"]
        == "Others gained"
    )


def test_what_differs_is_said_in_words(folders: tuple[Path, Path], tmp_path: Path):
    config = {"candidates": {"minimum_coca_ha": 3.0}, "criteria": []}
    inputs: dict[str, Any] = {"coca": {"file": "c.csv", "bundled": True, "sha256": "b" * 64, "vintage": "2024"}}
    inputs["boundaries"] = {"file": "mine.gpkg", "bundled": False, "sha256": "a" * 64}
    other = write_run(tmp_path / "o", AFTER, year=2021, inputs=inputs, versions={"numpy": "3"}, config=config, seed=7)
    before = runfolder.read(folders[1])
    said = comparison_words.differences(before, runfolder.read(other), Texts.of("en"))
    for line in (
        "Reference year: 2020 → 2021", "Setting candidates.minimum_coca_ha: 1.0 → 3.0", "seed: 1 → 7",
        'Data "coca": other contents (none → bbbbbbbb)', 'Vintage of "coca": none → 2024',
        "Version of numpy: 2.4.6 → 3",
    ):  # fmt: skip
        assert line in said
    assert comparison_words.differences(before, before, Texts.of("en")) == []


def test_a_file_that_was_edited_is_told(folders: tuple[Path, Path], tmp_path: Path):
    digests = {"scores.csv": "0" * 64}
    other = write_run(tmp_path / "o", AFTER, year=2020, outputs=digests)
    said = comparison_words.differences(runfolder.read(folders[1]), runfolder.read(other), Texts.of("en"))
    assert said == [f"{other / 'scores.csv'} is no longer as the run left it"]


def test_a_threshold_that_moved_makes_candidates(folders: tuple[Path, Path], tmp_path: Path):
    lower = {"candidates": {"minimum_coca_ha": 0.0}}
    runs = [write_run(tmp_path / name, AFTER, year=2020) for name in ("a", "b")]
    for run, config in zip(runs, ({}, lower), strict=True):
        plain = json.loads((run / "run.json").read_text(encoding="utf-8"))
        plain["config"] |= config
        (run / "run.json").write_text(json.dumps(plain), encoding="utf-8")
    table = pd.read_csv(runs[1] / "scores.csv", dtype={"code": str}).set_index("code")
    table.loc["05005", ["score", "rank", "contribution_coca_ha"]] = [0.0, 6, 0.0]
    export.write_csv(table, runs[1] / "scores.csv")
    said = comparison.compare(*runs, out=tmp_path / "out", lang="en").changes["main_cause"]["05005"]
    assert said == "The coca that makes a candidate changed: 1 → 0 ha"


def test_the_same_run_has_no_changes(folders: tuple[Path, Path], tmp_path: Path):
    done = comparison.compare(folders[0], folders[0], out=tmp_path / "out", lang="en")
    assert comparison_page.finding(done) == "The first 2 are the same."
    assert comparison_page.share_lines(done) == []
    assert done.changes["main_cause"].isna().all()


# Numbers in words


def test_numbers_are_written_as_the_language_does():
    es, en = Texts.of("es"), Texts.of("en")
    assert (es.number(1234.5, 1), en.number(1234.5, 1)) == ("1.234,5", "1,234.5")
    assert (es.signed(0.0214), en.signed(-0.0214), en.signed(-0.0001)) == ("+0,021", "−0.021", "0.000")
    assert en.pair(1.2, 2.3) == ("1.2", "2.3")
    assert en.pair(1.2345, 1.2341) == ("1.2345", "1.2341")
    assert en.pair(100, 2000) == ("100", "2,000")
    assert en.pair(float("nan"), 3.0) == ("no data", "3")
    assert es.percent(0.1225) == "12,25\u00a0%"


def test_both_languages_have_the_same_texts():
    es, en = Texts.of("es").known, Texts.of("en").known
    assert set(es) == set(en)
    for key in es:
        assert sorted(part.split("}")[0] for part in es[key].split("{")[1:]) == sorted(
            part.split("}")[0] for part in en[key].split("{")[1:]
        ), key


def test_another_language_is_refused():
    with pytest.raises(ConfigError, match="es, en"):
        Texts.of("fr")


# What is no run folder


def spoil(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder


SPOILT: dict[str, tuple[str, str, type[PresenciaError], str]] = {
    "no JSON": ("run.json", "{", SourceError, "run.json"),
    "another JSON": ("run.json", '{"year": 1}', SourceError, "it lacks seed, draws"),
    "a list": ("run.json", "[]", SourceError, "as zone.py writes it"),
    "no table": ("scores.csv", "", SourceError, "scores.csv"),
    "another table": ("scores.csv", "code,name\n05001,Alfa\n", SchemaError, "it lacks department_code"),
    "no GeoJSON": ("municipalities.geojson", "{", SourceError, "municipalities.geojson"),
    "zones of something else": ("zones.geojson", '{"type":"FeatureCollection","features":[]}', SourceError, "zone"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_no_run_folder_is_refused_in_one_line(case: str, folders: tuple[Path, Path], tmp_path: Path):
    name, content, kind, word = SPOILT[case]
    folder = spoil(Path(shutil.copytree(folders[0], tmp_path / "run")), name, content)
    with pytest.raises(kind, match=word):
        runfolder.read(folder)


def test_missing_files_and_folders_are_named(folders: tuple[Path, Path], tmp_path: Path):
    with pytest.raises(SourceError, match="no such folder"):
        runfolder.read(tmp_path / "nowhere")
    folder = Path(shutil.copytree(folders[0], tmp_path / "run"))
    (folder / "zones.geojson").unlink()
    with pytest.raises(SourceError, match=r"lacks zones\.geojson"):
        runfolder.read(folder)


def test_scores_that_do_not_add_up_are_refused(folders: tuple[Path, Path], tmp_path: Path):
    folder = Path(shutil.copytree(folders[0], tmp_path / "run"))
    table = pd.read_csv(folder / "scores.csv", dtype={"code": str}).set_index("code")
    table.loc["05001", "score"] = 0.5
    export.write_csv(table, folder / "scores.csv")
    with pytest.raises(SchemaError, match="05001"):
        runfolder.read(folder)


def test_codes_of_one_file_only_are_named(folders: tuple[Path, Path], tmp_path: Path):
    folder = Path(shutil.copytree(folders[0], tmp_path / "run"))
    text = (folder / "scores.csv").read_text(encoding="utf-8")
    spoil(folder, "scores.csv", "\n".join(line for line in text.split("\n") if not line.startswith("05006")))
    with pytest.raises(SchemaError, match="05006"):
        runfolder.read(folder)


# The page


def test_classes_can_be_told_apart_by_every_eye():
    fills = [*comparison_page.RANKS.colours, str(comparison_page.COLOURS["same"])]
    for eye in EYES:
        pairs = [(one, other) for place, one in enumerate(fills) for other in fills[place + 1 :]]
        for one, other in pairs:
            assert ciede2000(lab(one, eye), lab(other, eye)) > FILLS_APART, (eye, one, other)


def test_places_fall_into_the_classes_of_the_legend():
    def of(before: Any, after: Any) -> str:
        ranks = pd.array([before, after], dtype="Int64")
        change = ranks[0] - ranks[1]
        return comparison_page._class(
            pd.Series({"rank_before": ranks[0], "rank_after": ranks[1], "rank_change": change}, dtype=object)
        )

    assert [of(10, after) for after in (10, 9, 5, 4, 11, 29, 30)] == [
        "same", "up0", "up0", "up1", "down0", "down1", "down2",
    ]  # fmt: skip
    assert (of(None, 3), of(3, None)) == ("new", "gone")


@pytest.fixture(scope="module")
def desktop():
    with browser.chromium(browser.DESKTOP) as driver:
        yield driver


@pytest.fixture(scope="module")
def phone():
    with browser.chromium(browser.PHONE, touch=True) as driver:
        yield driver


def opened(driver, done: comparison.Compared):
    browser.complaints(driver), browser.requests(driver)
    browser.open_file(driver, done.folder / "changes.html")
    wait(driver, lambda: driver.execute_script("return !!window.presencia?.map"))
    return driver


def wait(driver, condition) -> None:
    ends = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends, driver.page_source[:500]
        time.sleep(0.05)


def clean(driver) -> None:
    assert browser.complaints(driver) == []
    assert browser.requests(driver) == []
    assert driver.execute_script("return window.hacked") is None
    assert driver.find_elements(By.CSS_SELECTOR, "img[src='x']") == []


def text(driver, selector: str) -> str:
    return str(driver.find_element(By.CSS_SELECTOR, selector).text)


def point(driver, x: float, y: float, *kinds: str) -> None:
    for kind in kinds:
        button = "none" if kind == "mouseMoved" else "left"
        event = {"type": kind, "x": x, "y": y, "button": button, "clickCount": 1}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


@pytest.mark.browser
def test_the_page_says_who_entered_and_left_and_why(desktop, english, spanish):
    for done, words in (
        (english, ["Entered the first 2", "Became known", "No longer candidates"]),
        (spanish, ["Entraron en los 2 primeros", "Ahora se conoce", "Dejaron de ser candidatos"]),
    ):
        driver = opened(desktop, done)
        assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == done.texts.lang
        entered = text(driver, "#pr-entered")
        assert HOSTILE in entered
        assert "3 → 2" in entered
        assert words[0] in entered
        assert words[1] in entered
        assert "Beta" in text(driver, "#pr-left")
        assert words[2] in text(driver, "#pr-gone")
        assert "2019 → 2020" in text(driver, ".pr-lede")
        clean(driver)


@pytest.mark.browser
def test_a_click_in_the_list_opens_the_card_with_the_causes(desktop, english):
    driver = opened(desktop, english)
    driver.find_element(By.CSS_SELECTOR, "#pr-left .pr-pick").click()
    wait(driver, lambda: driver.find_element(By.ID, "pr-card").is_displayed())
    card = text(driver, "#pr-card")
    for part in ("Beta", "2 → 3", "0.600 → 0.350", "Coca fell from 6 to 1 ha: −0.250", "Left the first 2"):
        assert part in card
    assert driver.switch_to.active_element.get_attribute("id") == "pr-card"
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not driver.find_element(By.ID, "pr-card").is_displayed()
    clean(driver)


@pytest.mark.browser
def test_the_map_answers_the_pointer(desktop, english):
    driver = opened(desktop, english)
    x, y = driver.execute_script(
        "const p = presencia.map.latLngToContainerPoint([6.5, -72.5]);"
        "const b = presencia.map.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y];"
    )
    point(driver, x, y, "mouseMoved")
    wait(driver, lambda: HOSTILE in "".join(each.text for each in driver.find_elements(By.CSS_SELECTOR, ".pr-hint")))
    for part in ("Rank: 3 → 2", "Score: 0.400 → 0.650", "Became known: Resurgence (9): +0.250"):
        assert part in text(driver, ".pr-hint")
    point(driver, x, y, "mousePressed", "mouseReleased")
    wait(driver, lambda: driver.find_element(By.ID, "pr-card").is_displayed())
    assert HOSTILE in text(driver, "#pr-card h2")
    clean(driver)


@pytest.mark.browser
def test_the_legend_explains_every_fill_and_outline(desktop, english):
    driver = opened(desktop, english)
    lines = [item.text for item in driver.find_elements(By.CSS_SELECTOR, "#pr-legend li")]
    assert lines == [
        "up 20 or more", "up 6 – 19", "up 1 – 5", "same rank", "down 1 – 5", "down 6 – 19", "down 20 or more",
        "new candidate", "no longer a candidate", "no candidate", "entered the first 2", "left the first 2",
    ]  # fmt: skip
    clean(driver)


@pytest.mark.browser
def test_on_a_phone_the_lists_are_a_sheet_and_nothing_overflows(phone, spanish):
    driver = opened(phone, spanish)
    assert not driver.find_element(By.ID, "pr-panel").is_displayed()
    driver.find_element(By.ID, "pr-open").click()
    assert driver.find_element(By.ID, "pr-panel").is_displayed()
    driver.find_element(By.CSS_SELECTOR, "#pr-left .pr-pick").click()
    wait(driver, lambda: driver.find_element(By.ID, "pr-card").is_displayed())
    assert not driver.find_element(By.ID, "pr-panel").is_displayed()
    assert driver.execute_script("return document.documentElement.scrollWidth") == 390
    clean(driver)
