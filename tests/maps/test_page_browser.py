"""The planner's page, used as a person would: by mouse, keyboard and finger, in both languages, without a network."""

from __future__ import annotations

import time

import folium
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from maps import standalone, webmap
from tests import browser
from tests.maps import example

pytestmark = pytest.mark.browser
VERMILION = (0xD1, 0x48, 0x0A)
AT_PLACE = """
const [lat, lng] = arguments;
const point = presencia.map.latLngToContainerPoint([lat, lng]);
const box = presencia.map.getContainer().getBoundingClientRect();
return [point.x + box.x, point.y + box.y];
"""
COLOUR = """
const [lat, lng, reach] = arguments;
const point = presencia.map.latLngToContainerPoint([lat, lng]);
const canvas = document.querySelector(".leaflet-overlay-pane canvas");
const map = presencia.map.getContainer().getBoundingClientRect(), box = canvas.getBoundingClientRect();
const scale = canvas.width / box.width;
const [x, y] = [point.x + map.x - box.x - reach, point.y + map.y - box.y - reach].map((at) => Math.round(at * scale));
const side = Math.round((2 * reach + 1) * scale);
const copy = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
copy.drawImage(canvas, x, y, side, side, 0, 0, side, side);
const pixels = copy.getImageData(0, 0, side, side).data;
return Array.from({ length: pixels.length / 4 }, (_, at) => Array.from(pixels.slice(4 * at, 4 * at + 3)));
"""


class Reader:
    """What a person does with the page and sees on it."""

    def __init__(self, driver) -> None:
        self.driver = driver

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def seen(self, selector):
        return any(element.is_displayed() for element in self.all(selector))

    def colours(self, lat, lng, reach=0):
        return {tuple(pixel) for pixel in self.driver.execute_script(COLOUR, lat, lng, reach)}

    def point_at(self, lat, lng):
        x, y = self.driver.execute_script(AT_PLACE, lat, lng)
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.perform()

    def click_at(self, lat, lng):
        self.point_at(lat, lng)
        ActionChains(self.driver).click().perform()

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def wait(self, condition, what):
        ends = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < ends, f"waited in vain for {what}"
            time.sleep(0.05)

    def settled(self):
        """Wait until the map has come to rest and has drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0], map = presencia.map;"
            "const rest = () => (map._animatingZoom || map._panAnim?._inProgress)"
            " ? requestAnimationFrame(rest) : requestAnimationFrame(() => requestAnimationFrame(() => done()));"
            "requestAnimationFrame(() => requestAnimationFrame(rest));"
        )


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write the example's page in both languages."""
    folder = tmp_path_factory.mktemp("pages")
    for lang in ("es", "en"):
        map_ = webmap.build(example.content(), lang=lang)
        folium.CircleMarker([0.2, -71.2], radius=12, tooltip="Otra capa").add_to(map_)
        (folder / f"{lang}.html").write_text(standalone.page(map_), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def desktop():
    with browser.chromium(browser.DESKTOP) as driver:
        yield driver


@pytest.fixture(scope="module")
def phone():
    with browser.chromium(browser.PHONE, touch=True) as driver:
        yield driver


@pytest.fixture(params=["es", "en"])
def lang(request):
    return request.param


def _opened(driver, page):
    browser.complaints(driver), browser.requests(driver)
    browser.open_file(driver, page)
    reader = Reader(driver)
    reader.wait(lambda: driver.execute_script("return !!window.presencia?.map"), "the page to start")
    reader.settled()
    return reader


def _clean(driver):
    assert browser.complaints(driver) == []
    assert browser.requests(driver) == []
    assert driver.execute_script("return window.hacked") is None


@pytest.fixture
def wide(desktop, pages, lang):
    """Open the page on a wide screen, and look afterwards for complaints and requests."""
    yield _opened(desktop, pages / f"{lang}.html")
    _clean(desktop)


@pytest.fixture
def narrow(phone, pages, lang):
    """Open the page on a phone, and look afterwards for complaints and requests."""
    yield _opened(phone, pages / f"{lang}.html")
    _clean(phone)


def test_it_opens_on_the_mainland_in_its_language(wide, lang):
    assert wide.one("html").get_attribute("lang") == lang
    bounds = wide.driver.execute_script(
        "const b = presencia.map.getBounds(); return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]"
    )
    assert bounds[0] < -76 and bounds[1] < 0 and bounds[2] > -71 and bounds[3] > 4  # noqa: PT018
    assert wide.driver.execute_script("return presencia.map.getZoom()") > 6
    expected = {"es": "2 de los 3 municipios que concentran el 80", "en": "2 of the 3 municipalities that hold 80"}
    assert expected[lang] in wide.text("#pr-finding")


def test_the_high_cultivation_areas_the_farc_left_are_outlined_as_one(wide):
    assert VERMILION in wide.colours(4.0, -75.3, 2)
    assert VERMILION not in wide.colours(3.7, -75.0, 2)
    wide.one("#pr-overlay-vacated").click()
    wide.settled()
    assert VERMILION not in wide.colours(4.0, -75.3, 2)


def test_missing_zero_and_low_look_different_and_stand_in_the_legend(wide, lang):
    wide.one("#pr-measure-coca_ha").click()
    wide.settled()
    missing, zero = wide.colours(3.6, -72.6, 8), wide.colours(3.6, -71.6, 8)
    assert len(missing) > 3
    assert zero == {(0xF4, 0xF3, 0xF0)}
    assert wide.colours(1.6, -75.6, 8).isdisjoint(zero | missing)
    words = {
        "es": ["Coca en 2020, hectáreas", "≥ 2.500", "Sin dato"],
        "en": ["Coca in 2020, hectares", "≥ 2,500", "No data"],
    }
    for word in words[lang]:
        assert word in wide.text("#pr-legend")
    labels = [item.text for item in wide.all(".pr-classes li")]
    assert len(labels) == 7
    assert "0" in labels


def test_the_legend_follows_the_measure(wide, lang):
    title = {"es": "Puntaje de prioridad", "en": "Priority score"}[lang]
    assert title in wide.text("#pr-legend summary")
    wide.one("#pr-measure-coca_ha").click()
    assert title not in wide.text("#pr-legend summary")
    assert "coca" in wide.text("#pr-legend summary").lower()
    assert "Coca" in wide.one("#pr-live").get_attribute("textContent")


def test_hovering_names_the_municipality_and_its_value(wide, lang):
    wide.point_at(3.5, -75.5)
    wide.wait(lambda: wide.seen(".pr-hint"), "the tooltip")
    assert "Alfa" in wide.text(".pr-hint")
    assert "Norte" in wide.text(".pr-hint")
    assert {"es": "0,87", "en": "0.87"}[lang] in wide.text(".pr-hint")
    wide.point_at(3.5, -72.5)
    wide.wait(lambda: {"es": "Sin dato", "en": "No data"}[lang] in wide.text(".pr-hint"), "the gap to be named")


def test_a_click_opens_the_card(wide, lang):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    card = wide.text("#pr-card")
    assert wide.text("#pr-card h2") == "Alfa"
    for part in {
        "es": ["0,87", "de 17; rango 1–3", "100%", "2001"],
        "en": ["0.87", "of 17; range 1–3", "100%", "2001"],
    }[lang]:
        assert part in card
    assert len(wide.all("#pr-card .pr-whole")) == 3
    assert len(wide.all("#pr-card .pr-member")) == 3
    assert len(wide.all("#pr-card .pr-chart .pr-line")) == 1
    assert "4" in wide.one("#pr-card .pr-chart").get_attribute("aria-label")
    assert "Alfa, Norte" in wide.one("#pr-live").get_attribute("textContent")
    wide.press(Keys.ESCAPE)
    assert not wide.seen("#pr-card")


def test_bars_show_what_each_part_adds(wide):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    rows = wide.all("#pr-card .pr-whole")
    values = [
        float(row.find_element(By.CSS_SELECTOR, ".pr-part-value").text.replace(",", "."))
        for row in rows
        if "435" in row.text
    ]
    assert values == [0.435]
    fill, track = (rows[0].find_element(By.CSS_SELECTOR, part).size["width"] for part in (".pr-fill", ".pr-track"))
    assert fill / track == pytest.approx(0.87, abs=0.02)


def test_a_gap_is_said_on_the_card_and_not_drawn_as_zero(wide, lang):
    wide.click_at(1.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card .pr-track-missing"), "the missing measure")
    gap = {"es": "sin dato", "en": "no data"}[lang]
    pairs = zip(wide.all(".pr-figures dt"), wide.all(".pr-figures dd"), strict=True)
    figures = {label.text: value.text for label, value in pairs}
    assert figures[{"es": "Al puesto de policía más cercano", "en": "To the nearest police post"}[lang]] == gap
    assert "80%" in wide.text(".pr-tiles")


def test_a_place_without_data_says_so_in_every_part_of_its_card(wide, lang):
    wide.click_at(3.5, -72.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    gap = {"es": "sin dato", "en": "no data"}[lang]
    assert {"es": "faltan los datos", "en": "are missing"}[lang] in wide.text("#pr-card")
    assert f"coca {gap}" in wide.text(".pr-readout")
    assert wide.all(".pr-chart .pr-line") == []
    assert gap in wide.one(".pr-chart").get_attribute("aria-label").lower()


def test_below_the_threshold_the_card_says_so(wide, lang):
    wide.click_at(1.5, -73.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    assert {"es": "No es candidato", "en": "Not a candidate"}[lang] in wide.text("#pr-card")
    assert not wide.seen("#pr-card .pr-tiles")


def test_figures_by_year_are_there_to_read(wide, lang):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    summary = wide.one(".pr-years summary")
    summary.send_keys(Keys.ENTER)
    rows = [row.text for row in wide.all(".pr-years tbody tr")]
    assert len(rows) == 24
    assert rows[19] == {"es": "2020 4.000 0", "en": "2020 4,000 0"}[lang]
    assert rows[0].endswith("–")


def test_by_keyboard_alone_the_first_municipality_is_read_and_left(wide):
    for _ in range(40):
        wide.press(Keys.TAB)
        if wide.focused().get_attribute("data-code") == example.FIRST:
            break
    assert wide.focused().get_attribute("data-code") == example.FIRST
    assert wide.driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    wide.press(Keys.ENTER)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    assert wide.focused().get_attribute("id") == "pr-card"
    assert wide.one("#pr-top button").get_attribute("aria-pressed") == "true"
    wide.press(Keys.ESCAPE)
    assert not wide.seen("#pr-card")
    assert wide.focused().get_attribute("data-code") == example.FIRST


def test_the_list_holds_the_first_ten_and_pans_to_the_chosen(wide):
    entries = wide.all("#pr-top button")
    assert len(entries) == 10
    wide.driver.execute_script("arguments[0].scrollIntoView()", entries[6])
    entries[6].click()
    wide.settled()
    code = entries[6].get_attribute("data-code")
    centre = example.content().municipalities.geometry[code].centroid
    x, y = wide.driver.execute_script(AT_PLACE, centre.y, centre.x)
    card = wide.one("#pr-card").rect
    assert 336 < x < card["x"]
    assert 0 < y < 900


def test_a_zone_is_reached_from_its_member_and_leads_back(wide):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen(".pr-chip-zone"), "the zone's name")
    wide.one(".pr-chip-zone").click()
    assert wide.text("#pr-card h2") == example.HOSTILE
    members = wide.all("#pr-card .pr-entry")
    assert len(members) == 3
    members[0].click()
    assert wide.text("#pr-card h2") == "Alfa"


def test_layers_can_be_shown_and_hidden(wide):
    before = wide.colours(2.5, -74.5, 3)
    for overlay in ("zones", "posts", "etcr"):
        wide.one(f"#pr-overlay-{overlay}").click()
    wide.settled()
    assert wide.colours(2.5, -74.5, 3) != before
    assert (0xF0, 0xB4, 0x00) in wide.colours(0.5, -73.5, 3)
    assert len(wide.all("#pr-legend .pr-legend-line")) == 4
    wide.point_at(2.5, -74.5)
    wide.wait(lambda: "ESTACIÓN <b>UNO" in wide.text(".pr-hint"), "the post's name")
    wide.one("#pr-overlay-posts").click()
    wide.settled()
    assert wide.colours(2.5, -74.5, 3) == before


def test_hostile_names_are_shown_as_text(wide):
    for overlay in ("posts", "etcr", "zones"):
        wide.one(f"#pr-overlay-{overlay}").click()
    names = [entry.text for entry in wide.all("#pr-top .pr-name")]
    assert any(example.HOSTILE in name for name in names)
    assert any("{{7*7}} ${8*8} {% raw %}" in name for name in names)
    for lat, lng in ((3.5, -74.5), (3.5, -73.5), (3.5, -72.5), (1.5, -72.5), (0.5, -73.5)):
        wide.click_at(lat, lng)
        wide.settled()
        wide.press(Keys.ESCAPE)
        wide.one("[data-view=mainland]").click()
        wide.settled()
    wide.driver.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert example.HOSTILE in wide.text("#pr-sources")
    assert wide.all("img[src='x']") == []
    assert wide.driver.execute_script("return document.documentElement.scrollWidth") <= 1440


def test_the_archipelago_and_the_way_back(wide):
    wide.one("[data-view=archipelago]").click()
    wide.settled()
    wide.wait(
        lambda: wide.driver.execute_script("return presencia.map.getBounds().contains([12.5, -81.7])"), "the islands"
    )
    wide.one("[data-view=mainland]").click()
    wide.settled()
    wide.wait(lambda: wide.driver.execute_script("return presencia.map.getBounds().contains([2, -73])"), "the mainland")


def test_another_folium_layer_stands_on_the_same_map(wide):
    wide.point_at(0.2, -71.2)
    wide.wait(lambda: any(tip.text == "Otra capa" for tip in wide.all(".leaflet-tooltip")), "the other layer's tooltip")


def test_notes_name_the_departments_without_police_data(wide, lang):
    wide.one("#pr-notes-box summary").click()
    notes = wide.text("#pr-notes")
    assert "Sur <i>" in notes
    assert "Norte" not in notes
    assert "geoBoundaries" in wide.text(".leaflet-control-attribution")


def test_every_control_has_a_name(wide):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    for control in wide.all("button, input, a, section, aside, svg, [role=region], [role=img]"):
        if control.is_displayed() and control.get_attribute("aria-hidden") != "true":
            assert control.accessible_name, control.get_attribute("outerHTML")


def test_nothing_but_the_map_and_one_namespace_is_global(wide):
    frame = (
        "const frame = document.body.appendChild(document.createElement('iframe'));"
        "const names = Object.keys(frame.contentWindow); frame.remove(); return names;"
    )
    own = set(wide.driver.execute_script("return Object.keys(window)")) - set(wide.driver.execute_script(frame))
    folium_and_driver = ("map_", "circle_marker_", "ret_nodes", "cdc_")
    assert {name for name in own if not name.startswith(folium_and_driver)} <= {
        "presencia",
        "L",
        "leaflet",
        "_leaflet_events",
    }


def test_on_a_phone_the_card_rises_over_half_the_map(narrow):
    narrow.click_at(3.5, -75.5)
    narrow.wait(lambda: narrow.seen("#pr-card"), "the card")
    narrow.settled()
    card = narrow.one("#pr-card").rect
    assert card["width"] == 390
    assert card["y"] + card["height"] == pytest.approx(844, abs=1)
    assert card["height"] <= 0.6 * 844
    narrow.one("#pr-card .pr-close").click()
    assert not narrow.seen("#pr-card")


def test_on_a_phone_controls_open_as_a_sheet_and_close(narrow):
    assert not narrow.seen("#pr-panel")
    assert narrow.seen("#pr-legend")
    narrow.one("#pr-open").click()
    assert narrow.seen("#pr-panel")
    assert narrow.one("#pr-open").get_attribute("aria-expanded") == "true"
    narrow.one("#pr-measure-coca_ha").click()
    narrow.one("#pr-hide").click()
    assert not narrow.seen("#pr-panel")
    assert "2020" in narrow.text("#pr-legend summary")


def test_on_a_phone_the_list_leads_to_the_card_and_nothing_overflows(narrow):
    narrow.one("#pr-open").click()
    first = narrow.one("#pr-top button")
    narrow.driver.execute_script("arguments[0].scrollIntoView()", first)
    first.click()
    narrow.settled()
    assert narrow.text("#pr-card h2") == "Alfa"
    assert not narrow.seen("#pr-panel")
    x, y = narrow.driver.execute_script(AT_PLACE, 3.5, -75.5)
    assert 0 < x < 390
    assert 0 < y < narrow.one("#pr-card").rect["y"]
    assert narrow.driver.execute_script("return document.documentElement.scrollWidth") == 390
