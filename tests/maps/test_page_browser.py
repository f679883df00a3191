"""The planner's page, used as a person would: by mouse, keyboard and finger, in both languages, without a network."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from maps import standalone, webmap
from tests.maps import example
from tests.reader import clean, opened

pytestmark = pytest.mark.browser
VERMILION = (0xD1, 0x48, 0x0A)
NOTHING = (0xF4, 0xF3, 0xF0)

# What can be used or is a part of the page, and can be seen.
CONTROLS = """
const every = document.querySelectorAll("button, input, select, a, section, aside, svg, [role=region], [role=img]");
return [...every].filter((each) => each.checkVisibility({ visibilityProperty: true }) && each.ariaHidden !== "true");
"""


@pytest.fixture(scope="module")
def content():
    return example.content()


def choose(reader, selector, value):
    Select(reader.one(selector)).select_by_value(value)
    reader.settled()


def slide(reader, name, *keys):
    """Move a slider of the weights by its keys."""
    reader.one("#pr-to-weights").click()
    reader.one(f"#pr-weight-{name}").send_keys(*keys)


def live(reader):
    return reader.one("#pr-live").get_attribute("textContent")


def fragment(reader):
    return parse_qs(urlsplit(reader.driver.current_url).fragment)


def first(reader):
    return [element.text for element in reader.all("#pr-top .pr-name")]


def test_it_opens_on_the_mainland_in_its_language(wide, lang):
    assert wide.one("html").get_attribute("lang") == lang
    west, south, east, north = wide.run(
        "const b = presencia.map.getBounds(); return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]"
    )
    assert west < -76
    assert south < 0
    assert east > -71
    assert north > 4
    expected = {"es": "4 de los 4 municipios que concentran el 80", "en": "4 of the 4 municipalities that hold 80"}
    assert expected[lang] in wide.text("#pr-finding")


def test_nothing_of_the_country_lies_under_the_bars(wide):
    for lat, lng in [(3.9, -75.9), (3.9, -71.1), (0.1, -75.9), (0.1, -71.1)]:
        x, y = wide.place(lat, lng)
        over = wide.run("return document.elementFromPoint(...arguments).closest('#pr-panel, #pr-time')", x, y)
        assert over is None, (lat, lng)


def test_the_high_cultivation_areas_the_farc_left_are_outlined_as_one(wide):
    assert VERMILION in wide.colours(4.0, -75.3, 2)
    assert VERMILION not in wide.colours(3.7, -75.0, 2)
    wide.one("#pr-overlay-vacated").click()
    wide.settled()
    assert VERMILION not in wide.colours(4.0, -75.3, 2)


def test_missing_zero_and_low_look_different(wide):
    choose(wide, "#pr-measure", "coca_ha")
    missing, zero = wide.colours(3.6, -72.6, 8), wide.colours(3.6, -71.6, 8)
    assert len(missing) > 3
    assert zero == {NOTHING}
    assert wide.colours(1.6, -75.6, 8).isdisjoint(zero | missing)


def test_the_map_and_the_live_region_follow_the_measure(wide):
    before = wide.colours(3.6, -75.6, 4)
    choose(wide, "#pr-measure", "homicide_rate")
    assert wide.colours(3.6, -75.6, 4) != before
    name = Select(wide.one("#pr-measure")).first_selected_option.text
    assert name.split(",")[0] in live(wide)


def test_hovering_names_the_municipality_and_its_value(wide, lang, content):
    wide.point_at(3.5, -75.5)
    wide.wait(lambda: wide.seen(".pr-hint"), "the tooltip")
    said = wide.text(".pr-hint")
    score = f"{content.priorities.table['score'][example.FIRST]:.2f}"
    assert "Alfa" in said
    assert "Norte" in said
    assert score.replace(".", {"es": ",", "en": "."}[lang]) in said
    choose(wide, "#pr-measure", "coca_ha")
    wide.point_at(3.5, -72.5)
    gap = {"es": "sin dato", "en": "no data"}[lang]
    wide.wait(lambda: gap in wide.text(".pr-hint").lower(), "the gap to be named")


def test_a_click_opens_the_card_and_marks_the_place(wide):
    before = wide.colours(3.5, -76.0, 3)
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    wide.settled()
    assert wide.text("#pr-card h2") == "Alfa"
    assert wide.colours(3.5, -76.0, 3) != before
    assert "Alfa" in live(wide)
    wide.press(Keys.ESCAPE)
    assert not wide.seen("#pr-card")


def test_both_languages_change_at_once_and_numbers_with_them(wide, lang):
    other = {"es": "en", "en": "es"}[lang]
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    wide.one("#pr-table-open").click()
    before = {part: wide.text(part) for part in ("#pr-panel", "#pr-legend", "#pr-card", "#pr-time", "#pr-table")}
    title = wide.driver.title
    wide.one(f"[data-lang={other}]").click()
    wide.settled()
    for part, text in before.items():
        assert wide.text(part) != text, part
    assert wide.one("html").get_attribute("lang") == other
    assert wide.driver.title != title
    decimal = {"es": r"\d,\d\d\b", "en": r"\d\.\d\d\b"}
    assert re.search(decimal[other], wide.text("#pr-top"))
    assert not re.search(decimal[lang], wide.text("#pr-top"))
    wide.one(f"[data-lang={lang}]").click()
    assert {part: wide.text(part) for part in before} == before


def test_tabs_are_one_stop_of_the_tab_key_and_arrows_walk_between_them(wide):
    wide.one("#pr-to-layers").send_keys(Keys.ARROW_RIGHT)
    assert wide.focused().get_attribute("id") == "pr-to-weights"
    assert wide.seen("#pr-tab-weights")
    assert not wide.seen("#pr-tab-layers")
    wide.press(Keys.END)
    assert wide.seen("#pr-tab-notes")
    wide.press(Keys.ARROW_RIGHT)
    assert wide.seen("#pr-tab-layers")
    assert [tab.get_attribute("tabindex") for tab in wide.all("[role=tab]")] == ["0", "-1", "-1", "-1"]


def test_a_weight_changes_scores_ranks_list_and_map_and_reset_undoes_it(wide):
    before, painted = first(wide), wide.colours(1.6, -74.6, 4)
    slide(wide, "station_km", Keys.END)
    slide(wide, "coca_ha", Keys.HOME)
    slide(wide, "resurgence", Keys.HOME)
    wide.settled()
    state = wide.state()
    assert state["weights"][0] == 0
    assert wide.text("#pr-weight-station_km-share").startswith("100")
    wide.one("#pr-to-layers").click()
    assert first(wide) != before
    assert wide.colours(1.6, -74.6, 4) != painted
    wide.one("#pr-to-weights").click()
    wide.one("#pr-reset").click()
    assert wide.state()["weights"] is None
    wide.one("#pr-to-layers").click()
    assert first(wide) == before


def test_the_last_weight_cannot_be_taken_away(wide):
    for name in ("coca_ha", "resurgence", "station_km"):
        slide(wide, name, Keys.HOME)
    assert sum(wide.state()["weights"]) > 0
    assert wide.one("#pr-weight-station_km").get_attribute("value") != "0"


def test_the_outcome_names_who_comes_and_who_goes(wide, lang):
    wide.one("#pr-to-weights").click()
    assert {"es": "son los mismos", "en": "are the same"}[lang] in wide.text("#pr-outcome")
    wide.run("presencia.app.store.set({ top: 2 })")
    slide(wide, "station_km", Keys.END)
    slide(wide, "coca_ha", Keys.HOME)
    slide(wide, "resurgence", Keys.HOME)
    assert {"es": "entran", "en": "in come"}[lang] in wide.text("#pr-outcome")


def test_candidates_method_and_the_number_of_the_first_are_switches(wide, content):
    wide.one("#pr-to-weights").click()
    choose(wide, "#pr-only", "pdet")
    pdet = content.panel.places["pdet"] & content.priorities.table["score"].notna()
    assert len(wide.run("return Array.from(presencia.app.scored().places)")) == pdet.sum()
    choose(wide, "#pr-only", "")
    choose(wide, "#pr-method", "geometric-mean")
    assert not wide.run("return presencia.app.scored().asRun")
    choose(wide, "#pr-minimum", "500")
    coca = "const { engine, scored } = presencia.app; const ha = engine.values('coca_ha', 2020);"
    assert min(wide.run(f"{coca} return Array.from(scored().places, (at) => ha[at])")) >= 500
    count = wide.one("#pr-top-count")
    count.send_keys(Keys.CONTROL, "a")
    count.send_keys("3", Keys.TAB)
    assert wide.state()["top"] == 3
    count.send_keys(Keys.CONTROL, "a")
    count.send_keys("0", Keys.TAB)
    assert wide.state()["top"] == 3


def test_zones_follow_weights_and_locks(wide):
    wide.one("#pr-overlay-zones").click()
    wide.settled()
    before = wide.run("return presencia.app.scored().zones.map((zone) => zone.members.length)")
    wide.run("presencia.app.store.set({ lockedIn: ['02010'], lockedOut: ['01001'] })")
    wide.settled()
    zones = wide.run("return presencia.app.scored().zones.map((zone) => [zone.id, ...zone.members])")
    places = [place for zone in zones for place in zone[1:]]
    codes = wide.run("return presencia.app.data.codes")
    assert codes.index("02010") in places
    assert codes.index("01001") not in places
    assert [len(zone) - 1 for zone in zones] != before
    wide.one("#pr-to-weights").click()
    chips = wide.all("#pr-locks button")
    assert len(chips) == 2
    chips[0].click()
    assert wide.state()["lockedIn"] == []


def test_the_address_holds_the_state_and_gives_it_back(wide, desktop, example_page, lang):
    slide(wide, "station_km", Keys.END)
    wide.one("#pr-to-layers").click()
    choose(wide, "#pr-measure", "coca_ha")
    wide.one("#pr-overlay-etcr").click()
    wide.click_at(3.5, -75.5)
    wide.set(year=2015)
    wide.wait(lambda: fragment(wide).get("year") == ["2015"], "the address")
    wide.wait(lambda: "chosen" in fragment(wide), "the address")
    state, address = wide.state(), urlsplit(wide.driver.current_url).fragment
    again = opened(desktop, example_page, address)
    assert {**again.state(), "view": None} == {**state, "view": None}
    assert again.state()["view"] == pytest.approx(state["view"], abs=0.01)
    assert again.text("#pr-card h2") == "Alfa"
    assert again.one("#pr-overlay-etcr").is_selected()
    assert Select(again.one("#pr-measure")).first_selected_option.get_attribute("value") == "coca_ha"


@pytest.mark.parametrize(
    "address",
    [
        "year=1800&measure=x&compare=up&weights=1,2&top=0&chosen=%3Cimg%3E&view=a,b,c&lang=fr&overlays=no,zones",
        "weights=0,0,0&minimum=-1&year=&swipe=7&department=99&method=magic&lockedIn=00000,01001&__proto__=1&tab=x",
        "%E0%A4%A&constructor=2&filter=" + "x" * 5000 + "&sort=-nothing",
    ],
)
def test_an_address_that_makes_no_sense_is_passed_over(desktop, example_page, address):
    reader = opened(desktop, example_page, address)
    state = reader.state()
    assert state["year"] == example.YEAR
    assert state["measure"] == "score"
    assert state["weights"] is None
    assert state["lang"] == "es"
    assert set(state["lockedIn"]) <= {"01001"}
    assert len(state["filter"]) <= 100
    assert first(reader)
    clean(desktop)


def test_two_years_stand_side_by_side_and_move_together(wide):
    choose(wide, "#pr-measure", "coca_ha")
    wide.one("#pr-compare-side").click()
    choose(wide, "#pr-measure2", "coca_ha")
    wide.set(year2=2005)
    assert wide.seen("#pr-second canvas")
    assert "2005" in wide.text("#pr-badge-2")
    assert "2020" in wide.text("#pr-badge-1")
    wide.run("presencia.map.setView([2, -74], 8, { animate: false })")
    wide.settled()
    boxes = [wide.one(part).rect for part in ("body > .folium-map", "#pr-second")]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=6)
    assert len({round(box["height"]) for box in boxes}) == 1
    wide.one("#pr-compare-off").click()
    wide.settled()
    assert not wide.seen("#pr-second")


def test_a_curtain_parts_two_measures_on_one_map(wide):
    choose(wide, "#pr-measure", "coca_ha")
    wide.one("#pr-overlay-vacated").click()
    wide.one("#pr-overlay-departments").click()
    wide.settled()
    coca = wide.colours(3.6, -75.6, 1)
    wide.one("#pr-compare-swipe").click()
    choose(wide, "#pr-measure2", "hot_spot")
    cut = "return ['pr-one', 'pr-two'].map((name) => getComputedStyle(presencia.map.getPane(name)).clipPath)"
    before = wide.run(cut)
    assert all("polygon" in each for each in before)
    wide.one("#pr-swipe").send_keys(Keys.HOME)
    wide.settled()
    assert wide.run(cut) != before
    assert wide.state()["swipe"] == 0
    wide.point_at(3.5, -75.5)
    wide.wait(lambda: wide.seen(".pr-hint"), "the tooltip")
    assert wide.text("#pr-badge-2").split(",")[0] in wide.text(".pr-hint")
    wide.one("#pr-compare-off").click()
    wide.settled()
    assert wide.colours(3.6, -75.6, 1) == coca


def test_the_list_holds_the_first_ten_and_leads_to_the_card(wide):
    entries = wide.all("#pr-top button")
    assert len(entries) == 10
    wide.run("arguments[0].scrollIntoView()", entries[6])
    entries[6].click()
    wide.settled()
    code = entries[6].get_attribute("data-code")
    centre = example.municipalities().geometry[code].centroid
    x, y = wide.place(centre.y, centre.x)
    card, bar = wide.one("#pr-card").rect, wide.one("#pr-time").rect
    assert 360 < x < card["x"]
    assert 0 < y < bar["y"]
    assert wide.focused().get_attribute("id") == "pr-card"
    assert entries[6].get_attribute("aria-pressed") == "true"


def test_posts_and_sites_are_shown_named_and_hidden(wide, lang):
    before = wide.colours(2.5, -74.5, 3)
    for overlay in ("posts", "etcr"):
        wide.one(f"#pr-overlay-{overlay}").click()
    wide.settled()
    assert wide.colours(2.5, -74.5, 3) != before
    assert (0xF0, 0xB4, 0x00) in wide.colours(0.5, -73.5, 3)
    wide.point_at(2.5, -74.5)
    wide.wait(lambda: any("ESTACIÓN <b>UNO" in tip.text for tip in wide.all(".pr-hint")), "the post's name")
    kind = {"es": "Estación de policía", "en": "Police station"}[lang]
    assert any(kind in tip.text for tip in wide.all(".pr-hint"))
    wide.one("#pr-overlay-posts").click()
    wide.point_at(3.5, -71.5)
    wide.settled()
    assert wide.colours(2.5, -74.5, 3) == before


def test_hostile_names_are_shown_as_text_wherever_they_stand(wide):
    for overlay in ("posts", "etcr", "zones"):
        wide.one(f"#pr-overlay-{overlay}").click()
    names = first(wide)
    assert any("{{7*7}} ${8*8} {% raw %}" in name for name in names)
    for tab in ("weights", "take", "notes"):
        wide.one(f"#pr-to-{tab}").click()
    wide.one("#pr-table-open").click()
    assert example.HOSTILE in wide.text("#pr-table")
    wide.press(Keys.ESCAPE)
    for lat, lng in ((3.5, -74.5), (3.5, -73.5), (3.5, -72.5), (1.5, -72.5), (0.5, -73.5)):
        wide.click_at(lat, lng)
        wide.settled()
        wide.press(Keys.ESCAPE)
        wide.one("[data-view=mainland]").click()
        wide.settled()
    wide.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert example.HOSTILE in wide.text("#pr-sources")
    assert wide.all("img[src='x']") == []
    assert wide.run("return document.documentElement.scrollWidth") <= 1440


def test_the_archipelago_and_the_way_back(wide):
    wide.one("[data-view=archipelago]").click()
    wide.settled()
    wide.wait(lambda: wide.run("return presencia.map.getBounds().contains([12.5, -81.7])"), "the islands")
    wide.one("[data-view=mainland]").click()
    wide.settled()
    wide.wait(lambda: wide.run("return presencia.map.getBounds().contains([2, -73])"), "the mainland")


def test_another_folium_layer_stands_on_the_same_map(wide):
    wide.point_at(0.2, -71.2)
    wide.wait(lambda: any(tip.text == "Otra capa" for tip in wide.all(".leaflet-tooltip")), "the other layer's tooltip")


def test_notes_name_the_departments_without_police_data(wide):
    wide.one("#pr-to-notes").click()
    notes = wide.text("#pr-notes")
    assert "Sur <i>" in notes
    assert "Norte" not in notes
    assert "geoBoundaries" in wide.text(".leaflet-control-attribution")


def test_every_control_has_a_name(wide):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    wide.one("#pr-compare-swipe").click()
    wide.one("#pr-table-open").click()
    named = set()  # the table alone has hundreds, which are the same on every tab
    for tab in ("weights", "take", "notes", "layers"):
        wide.one(f"#pr-to-{tab}").click()
        for control in wide.run(CONTROLS):
            assert control.id in named or control.accessible_name, control.get_attribute("outerHTML")
            named.add(control.id)
    assert len(named) > 100


def test_nothing_but_the_map_and_one_namespace_is_global(wide):
    frame = (
        "const frame = document.body.appendChild(document.createElement('iframe'));"
        "const names = Object.keys(frame.contentWindow); frame.remove(); return names;"
    )
    own = set(wide.run("return Object.keys(window)")) - set(wide.run(frame))
    folium_and_driver = ("map_", "circle_marker_", "ret_nodes", "cdc_")
    left = {name for name in own if not name.startswith(folium_and_driver)}
    assert left <= {"presencia", "L", "leaflet", "_leaflet_events"}


def test_by_keyboard_alone_a_municipality_is_found_read_and_left(wide):
    wide.run("document.activeElement.blur()")
    for _ in range(60):
        wide.press(Keys.TAB)
        if wide.focused().get_attribute("data-code") == example.FIRST:
            break
    assert wide.focused().get_attribute("data-code") == example.FIRST
    assert wide.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    wide.press(Keys.ENTER)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    assert wide.focused().get_attribute("id") == "pr-card"
    wide.press(Keys.ESCAPE)
    assert not wide.seen("#pr-card")
    assert wide.focused().get_attribute("data-code") == example.FIRST


def test_on_a_phone_a_finger_opens_the_card_over_the_lower_half(narrow):
    narrow.tap_at(3.5, -75.5)
    narrow.wait(lambda: narrow.seen("#pr-card"), "the card")
    narrow.settled()
    card = narrow.one("#pr-card").rect
    assert narrow.text("#pr-card h2") == "Alfa"
    assert card["width"] == 390
    assert card["y"] + card["height"] == pytest.approx(844, abs=1)
    assert card["height"] <= 0.6 * 844
    assert not narrow.seen(".pr-hint")
    narrow.one("#pr-card .pr-close").click()
    assert not narrow.seen("#pr-card")


def test_on_a_phone_controls_open_as_a_sheet_and_close(narrow):
    assert not narrow.seen("#pr-panel")
    assert narrow.seen("#pr-legend")
    narrow.one("#pr-open").click()
    assert narrow.seen("#pr-panel")
    assert narrow.one("#pr-open").get_attribute("aria-expanded") == "true"
    choose(narrow, "#pr-measure", "coca_ha")
    narrow.one("#pr-hide").click()
    assert not narrow.seen("#pr-panel")
    assert narrow.state()["measure"] == "coca_ha"


def test_on_a_phone_the_list_leads_to_the_card_and_nothing_overflows(narrow):
    narrow.one("#pr-open").click()
    entry = narrow.one("#pr-top button")
    narrow.run("arguments[0].scrollIntoView()", entry)
    entry.click()
    narrow.settled()
    assert narrow.text("#pr-card h2") == "Alfa"
    assert not narrow.seen("#pr-panel")
    x, y = narrow.place(3.5, -75.5)
    assert 0 < x < 390
    assert 0 < y < narrow.one("#pr-card").rect["y"]
    assert narrow.run("return document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("mode", ["side", "swipe"])
def test_on_a_phone_two_views_fit_too(narrow, mode):
    narrow.set(compare=mode, measure="coca_ha", measure2="homicide_rate")
    narrow.settled()
    assert narrow.seen("#pr-badge-2")
    assert narrow.run("return document.documentElement.scrollWidth") == 390


def test_a_page_in_a_notebook_is_the_same_page(desktop, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><body>{webmap.build(example.content())._repr_html_()}", encoding="utf-8")
    desktop.get(path.as_uri())
    frame = desktop.find_element("css selector", "iframe")
    desktop.switch_to.frame(frame)
    try:
        for _ in range(100):
            if desktop.execute_script("return !!window.presencia?.map"):
                break
        assert "80" in desktop.find_element("id", "pr-finding").text
        desktop.execute_script("presencia.app.store.set({ year: 2015 })")
        assert desktop.execute_script("return presencia.app.scored().year") == 2015
    finally:
        desktop.switch_to.default_content()


def test_what_is_rendered_twice_is_the_same(content):
    assert standalone.page(webmap.build(content)) == standalone.page(webmap.build(content))


def zoom(reader):
    return reader.run("return presencia.map.getZoom()")


def test_another_address_moves_the_map_and_an_empty_one_brings_it_home(wide):
    home = zoom(wide)
    wide.run("location.hash = 'view=2,-75,9'")
    wide.wait(lambda: zoom(wide) == 9, "the view of the address")
    wide.run("location.hash = 'year=2015'")
    wide.wait(lambda: zoom(wide) == home, "the whole country")


def test_a_view_that_nobody_moved_is_fitted_to_every_room_and_no_part_of_the_address(wide):
    home = zoom(wide)
    wide.set(compare="side")
    assert zoom(wide) < home
    assert wide.state()["view"] is None
    wide.set(compare="off")
    assert zoom(wide) == home
    wide.set(compare="side", chosen="01001")
    boxes = [wide.one(part).rect for part in ("#pr-second", "#pr-card")]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]


def test_a_department_fills_the_map_and_what_lies_outside_pales(wide):
    home, outside = zoom(wide), wide.colours(3.6, -75.6)
    wide.set(department="88")
    assert zoom(wide) > home
    counts = "return [...document.querySelectorAll('.pr-count span:nth-child(2)')].map((each) => +each.textContent)"
    assert sum(wide.run(counts)) == 2
    wide.set(department="02")
    assert wide.colours(3.6, -75.6) != outside
    assert sum(wide.run(counts)) == 10
    wide.set(department="")
    assert zoom(wide) == home
    assert wide.colours(3.6, -75.6) == outside


def test_a_department_without_candidates_says_so_of_itself_alone(wide, lang):
    wide.set(department="88")
    assert {"es": "del departamento", "en": "of the department"}[lang] in wide.text("#pr-top")


def test_the_notes_follow_year_and_minimum(wide):
    wide.one("#pr-to-notes").click()
    wide.set(year=2011, minimum=25)
    note = wide.text("#pr-notes li:first-child")
    assert "2011" in note
    assert "25 ha" in note


def test_a_page_without_posts_and_sites_offers_none(desktop, content, tmp_path):
    """Such is a public map."""
    bare = replace(content, posts=content.posts.head(0), etcr=content.etcr.head(0))
    reader = opened(desktop, example.write(tmp_path, bare))
    offered = [each.text for each in reader.all(".pr-choice") if each.is_displayed()]
    assert "Departamentos" in offered
    assert not {"Puestos de policía", "Espacios de reincorporación (ETCR)"} & set(offered)
    clean(desktop)
