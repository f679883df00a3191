"""A page whose every text means harm, used from end to end: all stays text, and nothing runs, breaks or leaves."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import pandas as pd
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from geo import coverage
from layers import dynamics, zones
from layers.priority import prioritise
from maps import standalone, webmap
from maps.payload import MapContent, texts
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

MARKUP = (
    '</script><img src=x onerror="window.hacked=1">',
    "<svg onload=window.hacked=2><script>window.hacked=3</script>",
    "${alert(1)} {{7*7}} {% raw %} {name} {year} $& $1 #{1} <%= 1 %>",
    "javascript:window.hacked=4",
    "\"'&<> &lt;b&gt; &#x3c;i> <!--<script> ]]> --> \\u003c `",
    "<style>*{display:none}</style><base href=//evil.example>",
)
MARKS = (
    "\u202eotreuM\u202b\u202a",
    "\u2067Puerto\u2069\u2069\u202e",
    "\u200f\u0645\u062f\u064a\u0646\u0629\u200e\u061c",
    "Pu\u200be\u200dr\u2060t\ufeffo\u00ad",
)
ODD = (
    "a\u2028b\u2029c\r\nd\te",
    "lone\ud800\udfff\udc00end\ud83d",
    "nul\0\x01\x08\x1b[31m\x7f\x9f",
    "\U0001f9d1\u200d\U0001f33e\U0001f1e8\U0001f1f4" + "e" + "\u0301" * 40,
    "constructor",
    "__proto__",
)
LONG = ("W" * 10_000, "i." * 5_000)
KINDS = {"markup": MARKUP, "marks": MARKS, "odd": ODD, "long": LONG}
# What a page that is attacked would do, told apart from what a page does anyhow.
WATCH = """
window.seen = [];
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { window.hacked = name; };
for (const event of ["error", "unhandledrejection", "securitypolicyviolation"]) {
  window.addEventListener(event, ({ message, reason, violatedDirective: directive, blockedURI: to }) => {
    if (/^ResizeObserver loop/.test(message)) return; // a frame later than asked, and no fault
    window.seen.push([event, message || String(reason || ""), directive || "", to || ""].join(" "));
  }, true);
}
"""
# Boxes that hold more than they are wide, a window that scrolls, and what markup in a text would have made.
BROKEN = """
const byId = (id) => document.getElementById("pr-" + id);
const tabs = ["tab-layers", "tab-weights", "tab-take", "tab-notes"];
const boxes = ["panel", "card", "legend", "time", "find", ...tabs];
const { scrollWidth: wide, scrollHeight: high } = document.documentElement;
const made = document.querySelectorAll("[src=x], [onload], [onerror], base, body style, :is(aside, section) script");
return [
  ...boxes.map(byId).filter((box) => box.scrollWidth > box.clientWidth + 1).map(({ id }) => id + " is too narrow"),
  ...(wide > innerWidth || high > innerHeight ? [`window: ${wide} x ${high}`] : []),
  ...[...made].map((each) => each.outerHTML),
];
"""
# Texts that turn what stands after them: a mark that is still open where more follows in the same line of text.
TURNED = """
const { app } = presencia, texts = arguments[0];
const whole = new Set([...texts, ...[...app.scored().zones, ...app.data.run.zones].map(({ name }) => name)]);
const walls = (each) => {
  const { display, unicodeBidi } = getComputedStyle(each);
  return display !== "inline" || /isolate|plaintext/.test(unicodeBidi);
};
const open = (text) => {
  let [depth, apart] = [0, 0];
  for (const letter of text) {
    if ("\\u2066\\u2067\\u2068".includes(letter)) apart += 1;
    else if (letter === "\\u2069") apart = Math.max(0, apart - 1);
    else if (!apart && "\\u202a\\u202b\\u202d\\u202e".includes(letter)) depth += 1;
    else if (!apart && letter === "\\u202c") depth = Math.max(0, depth - 1);
  }
  return depth + apart > 0;
};
const found = [];
const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (nodes.nextNode()) {
  const { currentNode: node } = nodes, wall = node.parentElement;
  if (wall.closest("script, noscript, option") || !wall.checkVisibility() || !open(node.data)) continue;
  let [last, box] = [node, wall];
  while (!walls(box)) [last, box] = [box, box.parentElement];
  const after = document.createRange();
  after.setStartAfter(node);
  after.setEnd(box, box.childNodes.length);
  const inline = [...after.cloneContents().childNodes].map((each) => each.textContent).join("").trim();
  const blocks = [...box.children].every((child) => walls(child) || child.contains(node));
  if (!whole.has(node.data) || (inline && !blocks)) found.push(box.outerHTML.slice(0, 160));
}
return found;
"""
TOLD = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent.toWellFormed())"


def hostile(kind: str) -> str:
    """All texts of a kind in one."""
    return " ".join(KINDS[kind]) if kind != "long" else LONG[0]


def tabled(text: str) -> str:
    """A text as a table can hold it: Arrow refuses half a letter."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _points(towns: gpd.GeoDataFrame, texts: tuple[str, ...], one: str) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    inside = towns.geometry.representative_point().iloc[: len(texts)]
    kinds = [("station", "substation", "cai")[i % 3] for i in range(len(texts))]
    posts = gpd.GeoDataFrame({"kind": kinds, "name": list(texts)}, geometry=list(inside), crs="EPSG:4326")
    sites = {"name": [one], "municipality": [one]}
    return posts, gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy([-73.5], [0.5]), crs="EPSG:4326")


def content(kind: str) -> MapContent:
    """The example with every text of every layer, source and setting replaced."""
    texts, one = tuple(map(tabled, KINDS[kind])), hostile(kind)
    joined, told = example.panel(), example.zoning()
    places = joined.places.copy()
    places["name"] = [texts[i % len(texts)] for i in range(len(places))]
    places["department"] = places["department_code"].map({"01": tabled(one), "02": texts[0], "88": texts[-1]})
    places["pdet_region"] = pd.Series(tabled(one), index=places.index).where(places["pdet"])
    joined = replace(joined, places=places)
    settings = replace(
        told,
        criteria=tuple(replace(each, label_es=one, label_en=one, unit_es=one, unit_en=one) for each in told.criteria),
        dimensions=tuple(replace(each, label_es=one, label_en=one) for each in told.dimensions),
        locked_in={"01001": one},
        locked_out={"02002": one},
    )
    scored = prioritise(joined, settings, year=example.YEAR, draws=0, seed=1)
    pairs = coverage.neighbours(joined.places)
    _, grouped = zones.build(joined, scored, share=0.25, limits=settings.zones, neighbours=pairs)
    posts, sites = _points(places, texts, tabled(one))
    source = SimpleNamespace(title=one, publisher=one, licence=one, vintage=one)
    return MapContent(
        panel=joined,
        priorities=scored,
        zoning=settings,
        zones=grouped,
        hot_spots=dynamics.hot_spots(joined, settings, pairs),
        posts=posts,
        etcr=sites,
        sources=(source,) * 3,
        attribution=one,
    )


def read_as(text: str) -> str:
    """A text as a document holds it, without the marks that keep it apart from what stands beside it."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub("[\u2066-\u2069]", "", whole)


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(kind, tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("hostile") / f"{kind}.html"
    path.write_text(standalone.page(webmap.build(content(kind))), encoding="utf-8", newline="\n")
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("plain") / "page.html"
    path.write_text(standalone.page(webmap.build(example.content())), encoding="utf-8", newline="\n")
    return path


def _watched(driver: Chrome) -> Iterator[Chrome]:
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    yield driver
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.fixture(scope="module")
def desktop(desktop: Chrome) -> Iterator[Chrome]:
    yield from _watched(desktop)


@pytest.fixture(scope="module")
def phone(phone: Chrome) -> Iterator[Chrome]:
    yield from _watched(phone)


def unharmed(reader: Reader, where: str) -> None:
    """Nothing ran, was refused or thrown, and nothing sticks out."""
    found = reader.run("return [window.hacked ?? null, window.seen]")
    assert found == [None, []], where
    assert reader.run(BROKEN) == [], where


def told(reader: Reader, selector: str) -> str:
    """All text of some elements, as the document holds it and as :func:`read_as` writes it."""
    found = reader.run(TOLD, selector)
    return re.sub("[\u2066-\u2069]", "", "\n".join(found))


def typed(reader: Reader, selector: str, text: str) -> None:
    """Paste a text into a field: a keyboard has no keys for it."""
    reader.one(selector).click()
    reader.one(selector).clear()
    reader.driver.execute_cdp_cmd("Input.insertText", {"text": text})


def taken(reader: Reader, folder: Path, button: str) -> Path:
    """Press a button and wait for its file."""
    before = set(folder.iterdir())
    reader.one(f"#pr-take-{button}").click()
    whole = lambda: {path for path in folder.iterdir() if path.suffix != ".crdownload" and path.stat().st_size} - before  # noqa: E731
    reader.wait(whole, f"the file of {button}")
    [path] = whole()
    return path


# The parts of the page, each used as a person would


def _maps(reader: Reader, names: list[str], one: str) -> None:
    for each in reader.all("#pr-tab-layers input[type=checkbox]:not(:checked)"):
        each.click()
    reader.point_at(3.8, -75.8)  # away from the post
    reader.wait(lambda: reader.seen(".pr-hint"), "the hint")
    assert told(reader, ".pr-hint strong") == names[0]
    assert told(reader, ".pr-hint strong + span") == one
    unharmed(reader, "hint")
    reader.click_at(0.5, -73.5)  # the site, with a municipality under it
    reader.wait(lambda: reader.seen(".pr-popup"), "what stands there")
    assert told(reader, ".pr-popup strong") == one
    assert told(reader, ".pr-popup strong + span") == one
    unharmed(reader, "popup")
    for measure in reader.run("return presencia.app.data.scales.map(({ field }) => field)"):
        reader.set(measure=measure)
    unharmed(reader, "measures and legend")
    for mode in ("side", "swipe", "off"):
        reader.one(f"#pr-compare-{mode}").click()
        reader.settled()
        unharmed(reader, mode)


def _search(reader: Reader, names: list[str], one: str) -> None:
    for query in (names[0], one, "01001"):
        typed(reader, "#pr-find-input", query[:2000])
        unharmed(reader, f"search for {query[:20]!r}")
    assert names[0] in told(reader, "#pr-find-list")
    assert one in told(reader, "#pr-find-list")
    reader.press(Keys.ENTER)
    reader.wait(lambda: reader.state()["chosen"] == "01001", "the first found")
    assert one in told(reader, "#pr-department")


def _card(reader: Reader, names: list[str], held: str, one: str) -> None:
    reader.set(chosen="01001", year=example.YEAR)
    assert told(reader, "#pr-card-title") == names[0]
    for text in (names[0], held, one):
        assert text in told(reader, "#pr-card")
    assert told(reader, ".pr-chip-locked").endswith(one)
    assert reader.one("#pr-card .pr-card-sources").get_property("open") is False
    reader.one("#pr-card .pr-card-sources summary").click()
    assert told(reader, ".pr-card-sources").count(one) >= 6
    reader.one('#pr-card [data-lock="out"]').click()
    unharmed(reader, "card")
    reader.one('#pr-card [data-lock="in"]').click()
    reader.one(".pr-chip-zone").click()
    assert told(reader, "#pr-card-title").startswith(f"{held}: ")
    assert names[0] in told(reader, "#pr-card .pr-top")
    unharmed(reader, "card of a zone")


def _table(reader: Reader, names: list[str], one: str) -> None:
    reader.one("#pr-table-open").click()
    for text in (names[0], names[-1], one):
        assert text in told(reader, "#pr-table")
    for header in reader.all("#pr-table thead button"):
        reader.run("arguments[0].click()", header)
    unharmed(reader, "sorted table")
    typed(reader, "#pr-table-filter", names[0][:100])
    unharmed(reader, "filtered table")
    reader.set(filter="", department="01")
    assert one in told(reader, "#pr-table-title")
    unharmed(reader, "table of a department")
    reader.one('#pr-table [data-view="zones"]').click()
    assert f"{one}: " in told(reader, "#pr-table tbody")
    unharmed(reader, "table of zones")
    reader.set(table=False)


def _time(reader: Reader, one: str) -> None:
    assert one in told(reader, "#pr-time")
    reader.one("#pr-time-after").click()
    reader.one("#pr-time-figures summary").click()
    unharmed(reader, "years")
    reader.one("#pr-time-figures summary").click()
    reader.one("#pr-time-before").click()
    assert reader.state()["year"] == example.YEAR


def _weights(reader: Reader, names: list[str], one: str) -> None:
    reader.one("#pr-to-weights").click()
    assert told(reader, "#pr-tab-weights").count(one) >= 5
    for method in ("geometric-mean", "topsis", "vikor", "promethee"):
        reader.set(method=method, weights=[1, 2, 3], top=3, minimum=100, lockedIn=["01001", "01002"])
        unharmed(reader, method)
    assert names[1] in told(reader, "#pr-locks")
    assert any(name in told(reader, "#pr-outcome") for name in names)
    reader.one("#pr-reset").click()
    unharmed(reader, "weights")


def _take(reader: Reader, folder: Path, names: list[str], one: str) -> Path:
    reader.one("#pr-to-take").click()
    reader.set(chosen="01001", department="01")
    unharmed(reader, "what to take")
    reader.one("#pr-take-all").click()
    collection = json.loads(taken(reader, folder, "geojson").read_text(encoding="utf-8"))
    found = [feature["properties"] for feature in collection["features"]]
    assert [read_as(row["name"]) for row in found] == [names[i % len(names)] for i in range(len(found))]
    assert {read_as(value) for value in collection["presencia"]["sources"][0].values()} == {read_as(one)}
    rows = pd.read_csv(taken(reader, folder, "csv"), sep=None, engine="python", dtype=str, keep_default_na=False)
    assert len(rows) == len(found)
    assert taken(reader, folder, "png").read_bytes().startswith(b"\x89PNG")
    reader.one("#pr-take-copy").click()
    unharmed(reader, "taken")
    return taken(reader, folder, "save")


def _paper(reader: Reader, names: list[str]) -> None:
    reader.run("window.dispatchEvent(new Event('beforeprint'))")
    sheet = told(reader, "#pr-print")
    assert len(sheet) < 20_000
    assert all(name[:20] in sheet for name in names[:1])
    unharmed(reader, "paper")
    reader.run("window.dispatchEvent(new Event('afterprint'))")


def _notes(reader: Reader, one: str) -> None:
    reader.one("#pr-to-notes").click()
    assert told(reader, "#pr-sources").count(one) == 12
    credit = told(reader, ".leaflet-control-attribution")  # Leaflet's own, where a parser drops what is no letter
    assert re.sub("[\\r\0]", "", one) in credit
    unharmed(reader, "notes")
    reader.one("#pr-to-layers").click()


def _other(reader: Reader, lang: str, one: str) -> None:
    reader.one(f'[data-lang="{lang}"]').click()
    assert reader.driver.title == f"{texts()[lang]['title']} · {example.YEAR}"
    for tab in ("weights", "take", "notes", "layers"):
        reader.one(f"#pr-to-{tab}").click()
        assert tab != "weights" or told(reader, "#pr-tab-weights").count(one) >= 5
        unharmed(reader, f"{tab}, {lang}")


LANGS = {"markup": ("es", "en"), "marks": ("en", "es"), "odd": ("en", "es"), "long": ("es", "en")}


def test_every_part_of_the_page_shows_hostile_texts_as_texts(desktop, page, kind, tmp_path):
    lang, other = LANGS[kind]
    names, one = [read_as(tabled(text)) for text in KINDS[kind]], read_as(hostile(kind))
    held = read_as(tabled(hostile(kind)))
    desktop.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    desktop.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    reader = opened(desktop, page)
    unharmed(reader, "opened")
    reader.one(f'[data-lang="{lang}"]').click()
    assert desktop.title == f"{texts()[lang]['title']} · {example.YEAR}"
    assert names[0] in told(reader, "#pr-top")
    _maps(reader, names, held)
    _search(reader, names, held)
    _card(reader, names, held, one)
    _table(reader, names, held)
    _time(reader, held)
    _weights(reader, names, one)
    _paper(reader, names if kind == "markup" else [])
    saved = _take(reader, tmp_path, names, hostile(kind))
    _notes(reader, one)
    again = opened(desktop, saved)
    assert (again.state()["chosen"], again.state()["lang"]) == ("01001", lang)
    assert told(again, "#pr-card-title") == names[0]
    assert desktop.title == f"{texts()[lang]['title']} · {example.YEAR}"
    unharmed(again, "saved and opened again")
    _other(again, other, one)
    clean(desktop)


@pytest.mark.parametrize(
    "fragment",
    [
        "", "table=true&chosen=01001&lang=en&department=01", "tab=weights&chosen=Z01001&lockedIn=01001,01002",
        "tab=take&chosen=02002&department=02", "tab=notes&compare=side&overlays=zones,posts,etcr&table=true&rows=zones",
    ],
)  # fmt: skip
def test_hostile_texts_fit_a_phone(phone, page, fragment):
    reader = opened(phone, page, fragment)
    unharmed(reader, fragment)
    reader.one("#pr-open").click()
    unharmed(reader, fragment + ", panel")
    clean(phone)


def test_texts_that_run_from_right_to_left_do_not_turn_what_stands_beside_them(desktop, tmp_path):
    path = tmp_path / "marks.html"
    path.write_text(standalone.page(webmap.build(content("marks"))), encoding="utf-8", newline="\n")
    wholes = [*MARKS, hostile("marks")]
    for fragment in (
        "table=true&chosen=01001",
        "tab=weights&chosen=02002&department=01",
        "tab=take&chosen=Z01001",
        "tab=notes",
    ):
        reader = opened(desktop, path, fragment)
        assert reader.run(TURNED, wholes) == [], fragment


# What an address or a saved page may say

KEYS = (
    "lang", "year", "measure", "compare", "measure2", "year2", "swipe", "overlays", "department", "weights", "method",
    "minimum", "only", "top", "lockedIn", "lockedOut", "chosen", "tab", "table", "sort", "rows", "filter", "view",
    "__proto__", "constructor", "toString", "__proto__.polluted", "constructor[prototype][polluted]", "",
)  # fmt: skip
NOTHING = (
    *(text for kind in (MARKUP, MARKS, ODD) for text in map(tabled, kind)), "", "NaN", "null", "undefined",
    "[object Object]", "%", "%E0%A4%A", "\0", "W" * 100_000, ",,,,", "-1", "-1,-1,-1", "NaN,NaN,NaN", "1e999",
    "Infinity,1,1", "1,2,1e308", "0,1e9,5", "91,-1,5", "-91,0,5", "4,-73,99", "ZZZZZZ", "Z", "1,2", "{}",
    '{"__proto__":{"polluted":1}}',
)  # fmt: skip
ALLOWED = (
    "true", "2020.5", "0x10", "1e-320", "999999", "01001", "01001,01001,99999", "Z99999", "2020", "0", "1e-320,0,0",
    "1,1,1",
)  # fmt: skip
USED = """
const [hashes, done] = [arguments[0], arguments[arguments.length - 1]], found = [];
const next = (at) => {
  if (at === hashes.length) return done(found);
  window.addEventListener("hashchange", () => setTimeout(() => {
    found.push([presencia.app.store.get(), {}.polluted === undefined && Object.keys(Object.prototype).length === 0]);
    next(at + 1);
  }), { once: true });
  location.hash = hashes[at];
};
next(0);
"""


def _address(value: str) -> str:
    return "&".join(f"{quote(key)}={quote(value)}" for key in KEYS)


def _is_sound(state: dict[str, Any]) -> bool:
    """Whether every part of a state is what the page can show."""
    codes = set(example.municipalities().index)
    weights, view = state["weights"], state["view"]
    return all([
        set(state) == {key for key in KEYS if key.isalnum() and key not in {"constructor", "toString"}},
        state["lang"] in {"es", "en"} and state["tab"] in {"layers", "weights", "take", "notes"},
        2001 <= state["year"] <= 2024 and 2001 <= state["year2"] <= 2024 and 0 <= state["swipe"] <= 1,
        weights is None or (len(weights) == 3 and 0 < sum(weights) < 1e7),
        0 <= state["minimum"] <= 1e6 and 1 <= state["top"] <= len(codes) and len(state["filter"]) <= 100,
        all(len(set(state[key])) == len(state[key]) and set(state[key]) <= codes for key in ("lockedIn", "lockedOut")),
        state["chosen"] is None or state["chosen"] in codes or re.fullmatch(r"Z\d{5}", state["chosen"]),
        re.fullmatch(r"\w{1,40}", state["sort"]["by"]) and isinstance(state["table"], bool),
        view is None or (abs(view[0]) <= 90 and abs(view[1]) <= 180 and 0 <= view[2] <= 18),
    ])  # fmt: skip


def test_an_address_that_says_nothing_sound_changes_nothing(desktop, plain):
    reader = opened(desktop, plain)
    usual = reader.state()
    found = reader.driver.execute_async_script(USED, [_address(value) for value in NOTHING])
    assert all(untouched for _, untouched in found)
    for value, (state, _) in zip(NOTHING, found, strict=True):
        told_of = {"filter", "sort", "view", "lockedIn", "lockedOut", "overlays"}
        same = {key: usual[key] for key in usual if key not in told_of}
        assert {key: state[key] for key in same} == same, value[:80]
        assert _is_sound(state), (value[:80], state)
    unharmed(reader, "addresses")
    clean(desktop)


def test_an_address_that_says_what_is_hardly_sound_is_shown(desktop, plain):
    reader = opened(desktop, plain)
    found = reader.driver.execute_async_script(USED, [_address(value) for value in ALLOWED])
    for value, (state, untouched) in zip(ALLOWED, found, strict=True):
        assert untouched
        assert _is_sound(state), (value, state)
    unharmed(reader, "addresses")
    clean(desktop)


@pytest.mark.parametrize(
    "value", [MARKUP[0], "__proto__", "W" * 50_000, "1e-320", "999999", "Z99999", "0,0,0", "1,1,1", "true"]
)
def test_a_page_opens_whatever_its_address_or_its_saved_state_says(desktop, plain, tmp_path, value):
    saved = tmp_path / "saved.html"
    meta = f'<meta name="presencia-state" content="{html.escape(_address(value))}">'
    saved.write_text(plain.read_text(encoding="utf-8").replace("<head>", "<head>" + meta, 1), encoding="utf-8")
    for reader in (opened(desktop, plain, _address(value)), opened(desktop, saved)):
        assert _is_sound(reader.state()), reader.state()
        assert reader.run("return {}.polluted") is None
        unharmed(reader, value[:40])
    assert reader.text("#pr-top-title") or reader.state()["tab"] != "layers"
    clean(desktop)
