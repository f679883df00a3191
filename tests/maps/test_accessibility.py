"""The map for everyone: looked at by axe-core, and used by keyboard alone, by finger alone and without motion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.conftest import ROOT
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

AXE = ROOT / "build" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}
FINGER = 44  # CSS pixels
ZONE = "Z01001"
AUDIT = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations.map(
  ({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))));
"""
# Text whose contrast axe cannot tell, because it lies on a picture or partly under another element: on its own ground.
CONTRAST = """
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parts = (colour) => [...colour.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
const over = (top, below) => top.slice(0, 3).map((value, at) => value * top[3] + below[at] * (1 - top[3]));
const ground = (element) => {
  const stack = [];
  for (let each = element; each; each = each.parentElement) stack.push(parts(getComputedStyle(each).backgroundColor));
  return stack.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const low = [];
for (const element of document.querySelectorAll("body *:not(script, style, noscript, option, .pr-nameplate)")) {
  const own = [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const idle = element.closest("svg, :disabled, [aria-disabled=true], .pr-choice:has(:disabled)");
  if (!own || idle || !element.checkVisibility({ visibilityProperty: true })) continue;
  const style = getComputedStyle(element), base = ground(element);
  const [one, other] = [light(over(parts(style.color), base)), light(base)].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) low.push([element.outerHTML.slice(0, 150), Math.round(ratio * 100) / 100]);
}
return low;
"""
# What has the focus: how it is called, and whether it is marked and to be seen.
STOP = """
const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
const [left, top] = [Math.max(box.x, 0), Math.max(box.y, 0)];
const [right, bottom] = [Math.min(box.right, innerWidth), Math.min(box.bottom, innerHeight)];
const from = (low, high, share) => low + (high - low) * share;
const at = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]].map(([x, y]) =>
  document.elementFromPoint(from(left, right, x), from(top, bottom, y)));
const own = (found) => found && (element.contains(found) || found.contains(element));
return {
  body: element === document.body, key: element.id || element.className || element.textContent,
  marked: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
  free: right > left && bottom > top && at.some(own),
  part: element.closest("#pr-panel, #pr-table, #pr-card, #pr-time, .folium-map")?.id,
};
"""
TARGETS = """
const small = [];
for (const control of document.querySelectorAll("button, select, input, summary, a[role=button]")) {
  if (!control.checkVisibility({ visibilityProperty: true })) continue;
  const target = control.matches("[type=checkbox], [type=radio]") ? control.closest("label") : control;
  const { width, height } = target.getBoundingClientRect();
  if (height < arguments[0] - 0.5 || width < 36) small.push([control.outerHTML.slice(0, 120), width, height]);
}
return small;
"""


def reveal(reader: Reader) -> None:
    """Open the panel where it is a sheet."""
    if not reader.seen("#pr-panel"):
        reader.one("#pr-open").click()


def tab(name: str) -> Callable[[Reader], None]:
    def turn(reader: Reader) -> None:
        reveal(reader)
        reader.one(f"#pr-to-{name}").click()

    return turn


def card(code: str) -> Callable[[Reader], None]:
    return lambda reader: reader.run("presencia.app.choose(arguments[0], {})", code)


def rows(which: str) -> Callable[[Reader], None]:
    return lambda reader: reader.set(table=True, rows=which)


def comparing(mode: str) -> Callable[[Reader], None]:
    return lambda reader: reader.set(compare=mode, measure="coca_ha", measure2="homicide_rate", year2=2017)


def figures(reader: Reader) -> None:
    reader.one("#pr-time-readout").click()


def search(reader: Reader) -> None:
    reveal(reader)
    reader.one("#pr-find-input").send_keys("pueblo")


def lock(reader: Reader) -> None:
    card(example.FIRST)(reader)
    reader.one("#pr-card .pr-lock").click()
    tab("weights")(reader)


PARTS: dict[str, Callable[[Reader], None]] = {
    "opened": lambda reader: None,
    **{name: tab(name) for name in ("layers", "weights", "take", "notes")},
    "municipality": card(example.FIRST),
    "missing": card(example.MISSING),
    "zone": card(ZONE),
    "table": rows("all"),
    "zones": rows("zones"),
    "side": comparing("side"),
    "swipe": comparing("swipe"),
    "figures": figures,
    "search": search,
    "locked": lock,
}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("needs axe-core: make axe")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(params=["desktop", "phone"])
def driver(request: pytest.FixtureRequest) -> Chrome:
    """Both screens."""
    found: Chrome = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def reader(driver: Chrome, example_page: Path) -> Iterator[Reader]:
    """The page on both screens."""
    yield opened(driver, example_page)
    clean(driver)


def audit(reader: Reader, axe: str) -> list[str]:
    if not reader.run("return !!window.axe"):
        reader.run(axe)
    found: list[dict[str, Any]] = reader.driver.execute_async_script(AUDIT)
    return [json.dumps(each) for each in found if each["impact"] in GRAVE]


def overflow(reader: Reader) -> int:
    wide: int = reader.run("return document.documentElement.scrollWidth - innerWidth")
    return wide


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_the_page_breaks_a_rule_gravely(reader, axe, part):
    PARTS[part](reader)
    for language in ("es", "en"):
        reader.set(lang=language)
        assert audit(reader, axe) == []
        assert reader.run(CONTRAST) == []
        assert overflow(reader) <= 0
        assert reader.run("return innerWidth > 760") or reader.run(TARGETS, FINGER) == []


# ---- By keyboard alone ----


@pytest.fixture
def untouched(wide: Reader) -> Reader:
    """A page that no mouse has touched."""
    wide.run("document.activeElement.blur()")
    return wide


def walk(reader: Reader, until: Callable[[dict[str, Any]], bool], most: int = 90) -> dict[str, Any]:
    """Press the Tab key until something has the focus; every stop on the way must be marked and in sight."""
    for _ in range(most):
        reader.press(Keys.TAB)
        stop: dict[str, Any] = reader.run(STOP)
        if until(stop):
            return stop
        assert stop["body"] or (stop["marked"] and stop["free"]), stop
    pytest.fail("the Tab key does not lead there")


def back(reader: Reader) -> WebElement:
    """Go one stop back with Shift and Tab."""
    ActionChains(reader.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    return reader.focused()


def to(reader: Reader, id_: str) -> dict[str, Any]:
    return walk(reader, lambda stop: stop["key"] == id_)


def round_trip(reader: Reader) -> list[dict[str, Any]]:
    """All stops of the Tab key from where it is, and once around until the map is reached again."""
    stops: list[dict[str, Any]] = []

    def around(stop: dict[str, Any]) -> bool:
        if not stop["body"]:
            stops.append(stop)
        return [each["key"] for each in stops].count("map_1") == 2

    walk(reader, around, most=250)
    return stops


@pytest.mark.parametrize("part", ["opened", "municipality", "table", "swipe", "side"])
def test_every_stop_is_marked_and_in_sight_and_the_last_leads_on(reader, part):
    PARTS[part](reader)
    reader.settled()
    reader.run("document.activeElement.blur(); delete document.body.dataset.pointer")
    stops = round_trip(reader)
    once = stops[[stop["key"] for stop in stops].index("map_1") : -1]
    assert len(once) > 12
    parts = [stop["part"] for stop in once if stop["part"]]
    assert "pr-time" in parts
    assert len([now for now, then in pairwise([*parts, None]) if now != then]) == len(set(parts))


def test_on_a_narrow_screen_focus_under_a_sheet_brings_it_down(narrow):
    reveal(narrow)
    narrow.press(Keys.TAB)
    narrow.run("delete document.body.dataset.pointer")
    walk(narrow, lambda stop: stop["part"] == "pr-time")
    assert not narrow.seen("#pr-panel")


def test_language_search_card_and_lock_by_keys(untouched, lang):
    other = {"es": "en", "en": "es"}[lang]
    walk(untouched, lambda stop: untouched.focused().get_attribute("data-lang") == other)
    untouched.press(Keys.SPACE)
    assert untouched.one("html").get_attribute("lang") == other
    assert untouched.focused().get_attribute("data-lang") == other
    to(untouched, "pr-find-input")
    untouched.press("ÑANDÚ")
    untouched.press(Keys.ARROW_DOWN, Keys.ENTER)
    untouched.wait(lambda: untouched.seen("#pr-card"), "the card")
    assert untouched.focused().get_attribute("id") == "pr-card"
    assert "Ñandú" in untouched.text("#pr-card h2")
    walk(untouched, lambda stop: stop["key"].startswith("pr-lock"))
    untouched.press(Keys.SPACE)
    assert untouched.state()["lockedIn"] == ["01004"]
    assert untouched.run("return document.activeElement.getAttribute('aria-pressed')") == "true"
    untouched.press(Keys.ESCAPE)
    assert not untouched.seen("#pr-card")
    assert untouched.focused().get_attribute("id") == "pr-find-input"


def test_the_table_by_keys(untouched):
    to(untouched, "pr-table-open")
    untouched.press(Keys.ENTER)
    assert untouched.focused().get_attribute("id") == "pr-table"
    sort = walk(untouched, lambda stop: untouched.run("return !!document.activeElement.closest('.pr-col-coca_ha')"))
    assert sort["part"] == "pr-table"
    untouched.press(Keys.ENTER)
    assert untouched.state()["sort"]["by"] == "coca_ha"
    walk(untouched, lambda stop: stop["key"] == "pr-table-name")
    name = untouched.focused().text
    untouched.press(Keys.ENTER)
    untouched.wait(lambda: untouched.seen("#pr-card"), "the card")
    assert untouched.text("#pr-card h2") == name
    untouched.press(Keys.ESCAPE)
    assert untouched.focused().text == name
    untouched.press(Keys.ESCAPE)
    assert not untouched.seen("#pr-table")
    assert untouched.focused().get_attribute("id") == "pr-table-open"


def test_measure_year_and_play_by_keys(untouched):
    to(untouched, "pr-measure")
    untouched.press(Keys.ARROW_DOWN)
    assert untouched.state()["measure"] == "coca_ha"
    to(untouched, "pr-time-play")
    untouched.press(",")
    assert untouched.state()["year"] == example.YEAR - 1
    untouched.press(".", ".")
    assert untouched.state()["year"] == example.YEAR + 1
    untouched.press(Keys.ENTER)
    untouched.wait(lambda: untouched.state()["year"] > example.YEAR + 1, "a year to pass")
    untouched.press(Keys.ENTER)
    year = untouched.state()["year"]
    to(untouched, "pr-time-year")
    untouched.press(Keys.ARROW_LEFT)
    assert untouched.state()["year"] == year - 1


def test_weights_and_downloads_by_keys(untouched):
    to(untouched, "pr-to-layers")
    untouched.press(Keys.ARROW_RIGHT)
    to(untouched, "pr-weight-coca_ha")
    untouched.press(Keys.ARROW_LEFT)
    assert untouched.state()["weights"] is not None
    untouched.wait(lambda: back(untouched).get_attribute("id") == "pr-reset", "the way back")
    untouched.press(Keys.SPACE)
    assert untouched.state()["weights"] is None
    untouched.wait(lambda: back(untouched).get_attribute("role") == "tab", "the tabs")
    untouched.press(Keys.ARROW_RIGHT)
    to(untouched, "pr-take-csv")


def test_the_curtain_and_the_map_by_keys(untouched):
    to(untouched, "pr-compare-off")
    untouched.press(Keys.ARROW_LEFT)
    assert untouched.state()["compare"] == "swipe"
    to(untouched, "pr-swipe")
    before = untouched.state()["swipe"]
    untouched.press(Keys.ARROW_LEFT)
    assert untouched.state()["swipe"] < before
    walk(untouched, lambda stop: stop["body"])
    walk(untouched, lambda stop: stop["part"] is not None)
    where = untouched.run("return [presencia.map.getZoom(), presencia.map.getCenter().lng]")
    untouched.press("+")
    untouched.settled()
    untouched.press(Keys.ARROW_RIGHT)
    untouched.settled()
    zoom, east = untouched.run("return [presencia.map.getZoom(), presencia.map.getCenter().lng]")
    assert zoom > where[0]
    assert east > where[1]
    walk(untouched, lambda stop: "zoom-out" in stop["key"])
    untouched.press(Keys.SPACE)
    untouched.settled()
    assert untouched.run("return presencia.map.getZoom()") < zoom


# ---- By finger alone ----


def touch(reader: Reader, kind: str, *points: tuple[float, float]) -> None:
    at = [{"x": round(x), "y": round(y), "id": number} for number, (x, y) in enumerate(points)]
    reader.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def tap(reader: Reader, selector: str, along: float = 0.5) -> Reader:
    element = reader.one(selector)
    reader.run("arguments[0].scrollIntoView({ block: 'center' })", element)
    box = reader.run("const b = arguments[0].getBoundingClientRect(); return [b.x, b.y, b.width, b.height]", element)
    touch(reader, "touchStart", (box[0] + along * box[2], box[1] + box[3] / 2))
    touch(reader, "touchEnd")
    return reader


def drag(reader: Reader, start: tuple[float, float], by: tuple[float, float]) -> None:
    touch(reader, "touchStart", start)
    for step in range(1, 6):
        touch(reader, "touchMove", (start[0] + by[0] * step / 5, start[1] + by[1] * step / 5))
    touch(reader, "touchEnd")
    reader.settled()


def test_a_finger_moves_the_map_and_opens_the_card(narrow):
    before = narrow.run("return presencia.map.getCenter().lng")
    drag(narrow, narrow.place(2.5, -73.5), (-60, 0))
    assert narrow.run("return presencia.map.getCenter().lng") > before
    narrow.tap_at(3.5, -75.5)
    narrow.wait(lambda: narrow.seen("#pr-card"), "the card")
    tap(narrow, "#pr-card .pr-close")
    narrow.wait(lambda: not narrow.seen("#pr-card"), "the card to close")


def test_two_fingers_zoom(narrow):
    zoom = narrow.run("return presencia.map.getZoom()")
    x, y = narrow.place(2, -73.5)
    touch(narrow, "touchStart", (x - 30, y), (x + 30, y))
    for reach in (50, 80, 110):
        touch(narrow, "touchMove", (x - reach, y), (x + reach, y))
    touch(narrow, "touchEnd")
    narrow.settled()
    assert narrow.run("return presencia.map.getZoom()") > zoom


def test_a_finger_slides_the_year_and_a_weight(narrow):
    tap(narrow, "#pr-time-year", 0.1)
    narrow.wait(lambda: narrow.state()["year"] < 2006, "an early year")
    tap(narrow, "#pr-open")
    narrow.wait(lambda: narrow.seen("#pr-panel"), "the sheet")
    tap(narrow, "#pr-to-weights")
    narrow.wait(lambda: narrow.seen("#pr-weight-coca_ha"), "the weights")
    tap(narrow, "#pr-weight-coca_ha", 0.9)
    narrow.wait(lambda: narrow.state()["weights"] is not None, "a new weight")
    tap(narrow, "#pr-reset")
    narrow.wait(lambda: narrow.state()["weights"] is None, "the run's weights")
    tap(narrow, "#pr-hide")
    narrow.wait(lambda: not narrow.seen("#pr-panel"), "the sheet to close")


def test_a_finger_scrolls_the_table_and_chooses(narrow):
    tap(narrow, "#pr-table-open")
    narrow.wait(lambda: narrow.seen("#pr-table-grid"), "the table")
    box = narrow.one(".pr-table-scroll").rect
    drag(narrow, (box["x"] + 330, box["y"] + 200), (-200, 0))
    narrow.wait(lambda: narrow.run("return document.querySelector('.pr-table-scroll').scrollLeft") > 20, "columns")
    narrow.wait(lambda: tap(narrow, ".pr-table-name", 0.2).seen("#pr-card"), "the card")
    tap(narrow, "#pr-card .pr-close")
    narrow.wait(lambda: not narrow.seen("#pr-card"), "the card to close")
    tap(narrow, "#pr-table .pr-close")
    narrow.wait(lambda: not narrow.seen("#pr-table"), "the table to close")


# ---- Other eyes ----


@pytest.fixture
def seen_as(desktop: Chrome, example_page, lang) -> Iterator[Callable[[str, str], Reader]]:
    """The page as a system shows it whose user asked for something."""

    def as_(feature: str, value: str) -> Reader:
        desktop.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": feature, "value": value}]})
        return opened(desktop, example_page, f"lang={lang}")

    yield as_
    desktop.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    clean(desktop)


def test_without_motion_the_map_jumps(seen_as):
    reader = seen_as("prefers-reduced-motion", "reduce")
    moved = "const { map } = presencia; map.{}; return [map.getCenter().lng, map.getZoom(), !!map._animatingZoom]"
    lng, zoom, _ = reader.run(moved.replace("{}", "getZoom()"))
    east, same, _ = reader.run(moved.replace("{}", "panBy([80, 0])"))
    assert (east > lng, same) == (True, zoom)
    assert reader.run(moved.replace("{}", "zoomIn(1)"))[1:] == [zoom + 1, False]
    assert reader.run(moved.replace("{}", "panBy([1, 0])"))[0] - east < (east - lng) / 40
    running = "return document.getAnimations().length"
    reader.one("#pr-time-play").click()
    reader.wait(lambda: reader.state()["year"] != example.YEAR, "a year to pass")
    assert reader.run(running) == 0
    reader.one("#pr-time-play").click()
    reader.click_at(*reader.run("const { lat, lng } = presencia.map.getCenter(); return [lat, lng]"))
    assert reader.run(running) == 0


def test_colours_that_tell_stay_where_the_system_has_its_own(seen_as):
    reader = seen_as("forced-colors", "active")
    reader.wait(lambda: reader.all("#pr-legend .pr-swatch"), "the legend")
    swatches = reader.all("#pr-legend .pr-classes .pr-swatch")
    assert len({swatch.value_of_css_property("background-color") for swatch in swatches}) > 3
    chosen, other = (
        [reader.one(name).value_of_css_property(each) for each in ("color", "background-color")]
        for name in ("#pr-to-layers", "#pr-to-notes")
    )
    assert chosen != other
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize("size", [(320, 640), (720, 450)])
def test_nothing_overflows_when_enlarged(phone, example_page, lang, size):
    metrics = {"height": size[1], "width": size[0], "deviceScaleFactor": 1, "mobile": True}
    phone.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for part in ("opened", "weights", "municipality", "table", "side", "figures"):
            reader = opened(phone, example_page, f"lang={lang}")
            PARTS[part](reader)
            reader.settled()
            assert overflow(reader) <= 0, part
        clean(phone)
    finally:
        phone.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics | {"width": 390, "height": 844})
