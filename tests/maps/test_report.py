"""The report: each figure looked up again in the run's files by code of its own, and no other digit in the prose."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib
import json
import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from geo.errors import OutputError, SourceError
from layers.sources import sources
from maps.opened import Opened, open_run
from maps.report import checks, facts, page, zonepage
from maps.report.numbers import Form, Language, Ledger
from maps.report.wording import Said, Texts
from tests.conftest import ROOT
from tests.maps import reported

TEXTS = json.loads((ROOT / "maps" / "assets" / "report.json").read_text(encoding="utf-8"))
LAYERS = {"coca_ha": "coca.csv", "eradicated_ha": "eradication.csv"}
VOID = {"meta", "img", "br", "link"}
# Digits that are no figure of a run: the day on which a year's coca is counted, and two names.
PLAIN = ("31 de diciembre", "31 December", "EPSG:9377", "SHA-256")
WRITTEN = {
    "es": re.compile(r"[+−]?\d{1,3}(\.\d{3})*(,\d+)?( %)?|[12]\d{3}"),
    "en": re.compile(r"[+−]?\d{1,3}(,\d{3})*(\.\d+)?%?|[12]\d{3}"),
}


@dataclass
class Read:
    """What a reader finds in a page."""

    figures: list[dict[str, str]] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    rows: list[list[dict[str, str]]] = field(default_factory=list)


class Reader(HTMLParser):
    """Parts a page into figures, names and the prose between them."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.read.tags.append((tag, known))
        if tag == "tr":
            self.read.rows.append([])
        if tag == "data":
            self.read.figures.append({name: value or "" for name, value in attrs} | {"text": ""})
            if any(each == "tr" for each, _ in self.open):
                self.read.rows[-1].append(self.read.figures[-1])
        if tag not in VOID:
            self.open.append((tag, known))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self.open]
        if "data" in tags:
            self.read.figures[-1]["text"] += data
        elif any(known.get("class") == "name" for _, known in self.open):
            self.read.names.append(data)
        elif "style" not in tags:
            self.read.prose.append(data)


def read(text: str) -> Read:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.read


@cache
def page_of(lang: Language) -> Read:
    return read(reported.report(lang))


# ---- Where a figure comes from, looked up by code that shares nothing with the report's ----


class Source:
    """A run's files as any program reads them."""

    def __init__(self, folder: Path) -> None:
        self.summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.scores = self._csv(folder / "scores.csv")
        self.goal = self._csv(folder / "goal.csv")
        features = json.loads((folder / "zones.geojson").read_text(encoding="utf-8"))["features"]
        self.zones = [feature["properties"] for feature in features]
        self.by_code = {row["code"]: row for row in self.scores}

    def _csv(self, path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def find(self, of: str) -> tuple[float | None, str]:
        """The value, and the text that it may be told in where it stands in a sentence."""
        how, _, rest = of.partition(":")
        if how == "share":
            part, whole = (self.value(each) for each in rest.split(" ÷ "))
            return (None if part is None or not whole else part / whole), ""
        if how in ("min", "max", "count"):
            values = list(flat(self.pointer(rest.split("#")[1])))
            return float(len(values) if how == "count" else min(values) if how == "min" else max(values)), ""
        if how == "year":
            return float(rest.rsplit("/", 1)[1]), ""
        file, _, place = of.partition("#")
        found = getattr(self, "of_" + file.split(".")[0])(place)
        return (None, found) if isinstance(found, str) else (number(found), "")

    def value(self, of: str) -> float | None:
        return self.find(of)[0]

    def pointer(self, place: str) -> Any:
        found = self.summary
        for step in place.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else (found or {}).get(step)
        return found

    def of_run(self, place: str) -> Any:
        return self.pointer(place)

    def of_scores(self, place: str) -> float | None:
        asked, _, conditions = place.partition("?")
        if not conditions:
            code, columns = place.split("/")
            known = [number(self.by_code[code][column]) for column in columns.split("+")]
            told = [each for each in known if each is not None]
            return sum(told) if told else None
        rows = [row for row in self.scores if all(met(row, each) for each in conditions.split("&"))]
        if asked == "count":
            return float(len(rows))
        how, _, column = asked.partition("/")
        values = [number(row[column]) for row in rows]
        if how == "min":
            return min(value for value in values if value is not None)
        return None if None in values else sum(value for value in values if value is not None)

    def of_zones(self, place: str) -> float | None:
        zone, column = place.split("/")
        if zone == "sum":
            return float(sum(len(row["members"]) if column == "members#" else row[column] for row in self.zones))
        [row] = [row for row in self.zones if row["zone"] == zone]
        if column == "#":
            return float(1 + sum(other["score"] > row["score"] for other in self.zones))
        return float(len(row["members"])) if column == "members#" else number(row[column])

    def of_goal(self, place: str) -> float | None:
        series, where, column = place.split("/")
        [row] = [row for row in self.goal if (row["series"], row["place"]) == (series, where)]
        return number(row[column])

    def of_panel(self, place: str) -> float | None:
        codes, column, year = place.split("/")
        rows = layer(LAYERS[column])
        if year not in {key[1] for key in rows}:
            return None
        return sum(rows.get((code, year), 0.0) for code in codes.split("+"))

    def of_code(self, place: str) -> float:
        module, _, name = place.rpartition(".")
        return float(getattr(importlib.import_module(module), name))


@cache
def layer(name: str) -> dict[tuple[str, str], float]:
    with (ROOT / "layers" / "atlas" / name).open(encoding="utf-8", newline="") as file:
        return {(row["code"], row["year"]): float(list(row.values())[2]) for row in csv.DictReader(file)}


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from flat(each)
    else:
        yield value


def number(cell: Any) -> float | None:
    return None if cell in (None, "") else float(cell)


def met(row: dict[str, str], condition: str) -> bool:
    if condition.startswith("!"):
        return row[condition[1:]] == ""
    if "<" in condition:
        column, most = condition.split("<")
        return row[column] != "" and float(row[column]) < float(most)
    column, _, wanted = condition.partition("=")
    return row[column] == wanted if wanted else row[column] != ""


def written(text: str, lang: str) -> tuple[float, float]:
    """The number that a text says, and half of its last place."""
    assert WRITTEN[lang].fullmatch(text), text
    plain = text.replace("−", "-").rstrip("% ")
    plain = plain.replace(".", "").replace(",", ".") if lang == "es" else plain.replace(",", "")
    decimals = len(plain.partition(".")[2])
    scale = 100 if "%" in text else 1
    return float(plain) / scale, 0.5 * 10**-decimals / scale


def wrong(figure: dict[str, str], source: Source, lang: Language) -> str:
    """What is wrong with a figure, empty where nothing is."""
    value, sentence = source.find(figure["data-of"])
    if sentence:
        told = [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", sentence)]
        value = next((each for each in told if each == float(figure["value"])), None)
    if value is None or figure["value"] == "":
        fine = value is None and figure["value"] == "" and figure["text"] == f"–{TEXTS[lang]['no_data']}"
        return "" if fine else f"{figure}: {value}"
    said, half = written(figure["text"], lang)
    same = math.isclose(float(figure["value"]), value, rel_tol=1e-12, abs_tol=1e-12)
    return "" if same and abs(said - value) <= half * (1 + 1e-6) else f"{figure}: {value}"


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(reported.opened().folder.folder)


@pytest.mark.parametrize("lang", ["es", "en"])
def test_every_figure_is_the_runs_and_is_told_as_its_language_writes_it(lang: Language, source: Source):
    figures = [figure for figure in page_of(lang).figures if figure["data-of"]]
    assert len(figures) > 500
    kinds = {figure["data-of"].split("#")[0] for figure in figures}
    assert kinds >= {"run.json", "scores.csv", "zones.geojson", "goal.csv", "panel", "share:zones.geojson"}
    assert [said for figure in figures if (said := wrong(figure, source, lang))] == []


def test_a_wrong_figure_would_be_found(source: Source):
    right = next(f for f in page_of("es").figures if f["data-of"] == "run.json#/totals/coca_ha")
    assert wrong(right, source, "es") == ""
    assert wrong(right | {"text": "142.786"}, source, "es")
    assert wrong(right | {"value": "142784.8"}, source, "es")
    assert wrong(right | {"data-of": "run.json#/totals/candidates"}, source, "es")
    assert wrong(right | {"value": "", "text": "–sin dato"}, source, "es")


@pytest.mark.parametrize("lang", ["es", "en"])
def test_no_digit_in_the_prose_is_typed(lang: Language):
    prose = " ".join(page_of(lang).prose)
    assert len(prose) > 5000
    for plain in PLAIN:
        prose = prose.replace(plain, "")
    assert re.findall(r".{0,40}\d.{0,40}", prose) == []


@pytest.mark.parametrize("lang", ["es", "en"])
def test_contributions_sum_to_the_score(lang: Language):
    rows = [row for row in page_of(lang).rows if row and "contribution_" in row[0]["data-of"]]
    members = reported.opened().folder.zones["members"].map(len).sum()
    assert len(rows) == members
    for *parts, score in rows:
        assert sum(float(part["value"] or 0) for part in parts) == pytest.approx(float(score["value"]), abs=1e-9)
        assert score["data-of"].endswith("/score")


def test_both_languages_tell_the_same_figures():
    told = [[(f["data-of"], f["value"]) for f in page_of(lang).figures] for lang in ("es", "en")]
    assert sorted(told[0]) == sorted(told[1])


def test_what_was_not_measured_is_a_dash_and_words_never_zero(source: Source):
    [cell] = {f["text"] for f in page_of("es").figures if f["data-of"] == "scores.csv#19050/resurgence"}
    assert source.by_code["19050"]["resurgence"] == ""
    assert cell == "–sin dato"
    zeros = [f for f in page_of("es").figures if f["data-of"] == "scores.csv#19050/people_beyond"]
    assert {f["text"] for f in zeros} == {"0"}


@pytest.mark.parametrize("lang", ["es", "en"])
def test_every_zone_has_its_page_in_the_order_of_scores(lang: Language, source: Source):
    sections = [known["id"] for tag, known in page_of(lang).tags if tag == "section"]
    zones = [row["zone"] for row in sorted(source.zones, key=lambda row: -row["score"])]
    assert sections == ["cover", *zones, "goal", "methods", "sources", "missing", "caveats"]
    assert [known["lang"] for tag, known in page_of(lang).tags if tag == "html"] == [lang]


# ---- One file that fetches nothing ----


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_policy_lets_in_the_pages_own_style_and_images_alone(lang: Language):
    text, tags = reported.report(lang), page_of(lang).tags
    [style] = re.findall(r"<style>(.*?)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    [policy] = [known["content"] for tag, known in tags if known.get("http-equiv") == "Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "iframe", "object", "form"})
    assert not any(name.startswith("on") or name == "style" for _, known in tags for name in known)
    addresses = [known[name] or "" for _, known in tags for name in ("src", "href") if name in known]
    assert all(address.startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    assert "url(" not in style
    assert all(known["alt"] for tag, known in tags if tag == "img")


def test_headings_go_down_one_level_at_a_time_and_table_heads_say_what_for():
    tags = page_of("es").tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {known.get("scope") for tag, known in tags if tag == "th"} == {"col", "row"}


# ---- Texts ----


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}/{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from leaves(each, f"{path}/{place}")
    else:
        yield path, value


def test_every_text_is_there_in_both_languages_with_the_same_figures():
    def fields(lang: str) -> dict[str, set[str]]:
        plain = {key: text for key, text in TEXTS[lang].items() if key != "credits"}
        return {path: {name for _, name, _, _ in Formatter().parse(text) if name} for path, text in leaves(plain)}

    assert fields("es") == fields("en")
    assert all(text.strip() for lang in ("es", "en") for _, text in leaves(TEXTS[lang]))


def test_the_credits_of_every_bundled_source_have_a_spanish_form():
    entries = json.loads((reported.opened().folder.folder / "run.json").read_text(encoding="utf-8"))["inputs"]
    english = re.compile(r"\b(as|stated|by|about|the|through|open|stock)\b")
    told = {
        str(entry[key]) for entry in entries.values() for key in ("publisher", "vintage", "licence") if key in entry
    }
    assert [text for text in told if english.search(TEXTS["es"]["credits"].get(text, text))] == []
    assert set(TEXTS["es"]["credits"]) <= {
        str(getattr(each, key)) for each in sources().values() for key in ("publisher", "vintage", "licence")
    }


# ---- Runs that are not as usual ----


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Opened]:
    """A copy of the run with some of its files otherwise; its drawings and inputs are not needed."""

    def copy(change: Callable[[dict[str, Any]], None] = lambda _: None, **columns: str) -> Opened:
        folder = tmp_path / "run"
        shutil.copytree(reported.opened().folder.folder, folder)
        summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        change(summary)
        (folder / "run.json").write_text(json.dumps(summary), encoding="utf-8")
        with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (folder / "scores.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row | columns for row in rows)
        return open_run(folder)

    return copy


def told(run: Opened, lang: Language = "es") -> facts.Facts:
    return facts.Facts(Ledger(run, lang), Texts(lang))


def plain(texts: Texts, said: Iterable[Said]) -> str:
    return " ".join(texts.plain(each) for each in said)


def test_without_draws_no_range_is_told(edited):
    def drop(summary: dict[str, Any]) -> None:
        summary["draws"], summary["robustness"]["median_rank_width"] = 0, {}

    run = edited(drop, rank_low="", rank_high="", top_share="")
    found = told(run)
    said = plain(found.texts, found.cover().sure)
    assert "no hizo simulaciones" in said
    assert {found.texts.plain(row[3]) for row in found.cover().table.rows} == {"sin dato"}
    code = run.folder.zones["members"].iloc[0][0]
    [row] = zonepage.Teller(found.ledger, found.texts)._members([code]).rows
    assert found.texts.plain(row[1]) == f"{run.folder.table['rank'][code]:.0f}"


def test_a_run_from_before_the_goal_tells_no_progress():
    run = reported.opened()
    found = told(Opened(replace(run.folder, summary={**run.folder.summary, "year": 2005})))
    goal = found.goal()
    assert goal["table"] is None
    assert "no hay avance que medir" in plain(found.texts, goal["said"])


def test_a_warning_without_a_translation_is_quoted_in_english(edited):
    def warn(summary: dict[str, Any]) -> None:
        summary["warnings"] += ["coca_ha of 2001 sums to 136,919 in coca.csv; published: 144,807", "<b>Oddly</b> 7."]

    found = told(edited(warn))
    missing = found.missing()
    assert "La coca de 2001 suma 136.919\u00a0ha" in plain(found.texts, missing["said"])
    assert [[part.text for part in said] for said in missing["quoted"]] == [["<b>Oddly</b> 7."]]
    assert "scores.csv" in plain(found.texts, missing["said"])  # it was edited


def test_of_a_planners_own_file_only_the_name_is_told(edited):
    for path in ("/home/ana/secreto/coca 2020.csv", r"C:\ana\secreto\coca 2020.csv"):
        entry = {"file": path, "bundled": False, "sha256": "ab" * 32}
        run = reported.opened()
        changed = {**run.folder.summary, "inputs": {"coca": entry}}
        found = told(Opened(replace(run.folder, summary=changed)))
        [row] = found.sources().rows
        assert (
            plain(found.texts, row)
            == "Coca por municipio sin dato sin dato sin dato coca 2020.csv, propio abababababab"
        )


def test_names_that_look_like_markup_are_text(edited):
    hostile = "</span><script>alert(1)</script>{{7*7}}\" onload=x '"
    run = edited(name=hostile)
    zones = run.folder.zones.assign(name=hostile)
    with reported.undrawn():
        text = page.build(Opened(replace(run.folder, zones=zones)), lang="es")
    found = read(text)
    assert "<script" not in text
    assert found.names.count(hostile) >= 3 * len(zones)
    alts = [known["alt"] or "" for tag, known in found.tags if tag == "img"]
    assert sum(hostile in alt for alt in alts) >= 2 * len(zones)
    assert {name for _, known in found.tags for name in known if name.startswith("on")} == set()


def test_what_the_planner_or_a_limit_decided_is_among_what_to_verify():
    run = reported.opened()
    zone = f"Z{reported.EIGHT[0]}"
    folder = replace(run.folder, zones=run.folder.zones.assign(over_limit="max_members, max_area_km2"))
    found = told(Opened(folder))
    said = plain(found.texts, checks.Checks(found.ledger, found.texts).settled(zone))
    assert said.startswith("En la zona por decisión del planificador («plan 7 del mando»): todos los de la zona.")
    assert "8 municipios" in said
    assert "30.000\u00a0km²" in said


def test_the_table_of_access_says_what_is_not_known_of_the_police():
    run = reported.opened()
    found = told(run)
    teller = zonepage.Teller(found.ledger, found.texts)
    member = reported.UNKNOWN[0]
    assert teller._access_said("", [member]) == ()
    said = plain(found.texts, checks.Checks(found.ledger, found.texts)._unreported("", [member]))
    assert str(run.folder.table["department"][member]) in said
    assert "eso no quiere decir que no haya" in said


@pytest.mark.parametrize(("value", "form", "es", "en"), [
    (142784.7, Form(), "142.785", "142,785"),
    (0.8196, Form(2), "0,82", "0.82"),
    (-0.4, Form(), "0", "0"),
    (-0.4, Form(signed=True), "0", "0"),
    (0.4, Form(signed=True), "0", "0"),
    (12.5, Form(1, signed=True), "+12,5", "+12.5"),
    (-12.5, Form(1), "−12,5", "−12.5"),
    (0.125, Form(1, percent=True), "12,5 %", "12.5%"),
    (2020.0, Form(plain=True), "2020", "2020"),
    (1.0, Form(None), "1", "1"),
    (2.5, Form(None), "2,50", "2.50"),
])  # fmt: skip
def test_figures_are_written_by_language(value: float, form: Form, es: str, en: str):
    run = reported.opened()
    assert [Ledger(run, lang).figure(value, "x", form).text for lang in ("es", "en")] == [es, en]


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_number_is_missing(value: float | None):
    figure = Ledger(reported.opened(), "es").figure(value, "x")
    assert (figure.value, figure.text, figure.exact) == (None, "", "")


# ---- Writing it ----


def test_the_public_variant_shows_no_post_and_says_so():
    run = reported.opened()
    with reported.undrawn() as asked:
        text = page.build(run, lang="es", public=True)
    found = read(text)
    assert any(name.startswith("Versión pública") for name in found.names)
    of = re.compile(r"scores\.csv#\d{5}/station_km")
    km = [float(figure["value"]) for figure in found.figures if of.fullmatch(figure["data-of"]) and figure["value"]]
    assert km
    assert all(each % 5 == 0 and each > 0 for each in km)
    exact = run.folder.table["station_km"].dropna().map(repr)
    assert len(exact) > 700
    assert not [each for each in exact if f'value="{each}"' in text and "." in each.removesuffix(".0")]
    assert asked
    assert all(zone["posts"] is None for zone in asked)
    assert "a lo sumo" in " ".join(found.prose)
    told = [said for said in page_of("es").names if said.startswith("Versión pública")]
    assert told == []


def test_a_report_is_written_whole_and_never_over_the_runs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = reported.opened()
    monkeypatch.setattr(page, "build", lambda run, *, lang, public: f"{lang} {public}")
    assert page.write(run, out=tmp_path / "a.html").read_text(encoding="utf-8") == "es False"
    assert page.write(run, lang="en", public=True, out=tmp_path / "b.html").read_text(encoding="utf-8") == "en True"
    for name in ("map.html", "run.json"):
        with pytest.raises(OutputError, match="a file of the run itself"):
            page.write(run, out=run.folder.folder / name)


def test_a_run_without_its_goal_says_what_to_do(edited):
    run = edited()
    (run.folder.folder / "goal.csv").unlink()
    with pytest.raises(SourceError, match=r"goal\.csv.*run scripts/zone\.py again"):
        told(run).goal()
