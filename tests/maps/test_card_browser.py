"""The card of a municipality and of a zone: read, followed and locked by mouse, keyboard and finger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from layers import explanations
from maps.payload import MapContent
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

LONG = "02001"


@pytest.fixture(scope="module")
def content() -> MapContent:
    """The example, with a name of 10,000 letters and a reason for a lock."""
    made = example.content()
    places = made.panel.places.copy()
    places.loc[LONG, "name"] = "Q" * 10_000
    locked = replace(made.zoning, locked_in={"02002": example.HOSTILE})
    return replace(made, panel=replace(made.panel, places=places), zoning=locked)


@pytest.fixture(scope="module")
def page(content: MapContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("card"), content)


@pytest.fixture
def wide(desktop, page, lang):
    yield opened(desktop, page, f"lang={lang}")
    clean(desktop)


@pytest.fixture
def spanish(desktop, page):
    yield opened(desktop, page, "lang=es")
    clean(desktop)


@pytest.fixture
def narrow(phone, page):
    yield opened(phone, page, "lang=es")
    clean(phone)


def choose(reader: Reader, chosen: str, *, focus: bool = False) -> None:
    reader.run("presencia.app.choose(arguments[0], { focus: arguments[1] })", chosen, focus)


def figures(reader: Reader) -> dict[str, str]:
    pairs = zip(reader.all(".pr-figures dt"), reader.all(".pr-figures dd"), strict=True)
    return {label.text: value.text for label, value in pairs}


def chips(reader: Reader) -> list[str]:
    return [chip.text for chip in reader.all(".pr-card .pr-chip")]


def said_of(reader: Reader) -> str:
    return str(reader.one(".pr-why").get_attribute("textContent"))


def told(reader: Reader) -> str:
    return str(reader.one("#pr-live").get_attribute("textContent"))


def press(reader: Reader, selector: str, key: str = Keys.ENTER) -> None:
    reader.run("document.querySelector(arguments[0]).focus()", selector)
    reader.press(key)


def inside(reader: Reader, selector: str) -> bool:
    found: bool = reader.run("return document.activeElement.matches(arguments[0])", selector)
    return found


# A municipality


def test_a_click_opens_the_card_with_rank_score_and_reasons(wide, lang, content):
    wide.click_at(3.5, -75.5)
    wide.wait(lambda: wide.seen("#pr-card"), "the card")
    run, names = content.priorities, content.panel.places["name"]
    said = explanations.sentences(run, content.zoning, names, lang=lang)
    table = run.table.loc[example.FIRST]
    assert wide.text("#pr-card h2") == "Alfa"
    assert example.FIRST in wide.text(".pr-place")
    assert wide.text(".pr-why") == said[example.FIRST]
    score = f"{table['score']:.2f}".replace(".", "," if lang == "es" else ".")
    spread = f"{table['rank_low']:.0f}–{table['rank_high']:.0f}"
    tiles = wide.text(".pr-tiles")
    assert score in tiles
    assert {"es": f"rango {spread}", "en": f"range {spread}"}[lang] in tiles
    assert "Alfa" in told(wide)
    assert score in told(wide)
    assert wide.one("#pr-card").accessible_name == "Alfa"


def test_bars_add_up_to_the_score_and_show_the_measure_itself(wide, lang, content):
    choose(wide, example.FIRST)
    values = [row.text.splitlines()[-1] for row in wide.all(".pr-whole")]
    known = [float(value.replace(",", ".")) for value in values if value[0].isdigit()]
    assert sum(known) == pytest.approx(content.priorities.table.at[example.FIRST, "score"], abs=0.002)
    members = [row.text for row in wide.all(".pr-member")]
    assert any({"es": "4.000 ha", "en": "4,000 ha"}[lang] in member for member in members)
    wide.set(method="topsis")
    values = [row.text.splitlines()[-1] for row in wide.all(".pr-whole")]
    assert sum(float(value.replace(",", ".")) for value in values if value[0].isdigit()) == pytest.approx(
        wide.run("return presencia.app.scored().score[0]"), abs=0.002
    )


def test_who_is_no_candidate_or_was_not_measured_is_told_so(wide, lang, content):
    names = content.panel.places["name"]
    for code in (example.ZERO, example.SMALL, example.MISSING):
        choose(wide, code)
        said = explanations.why_not(content.priorities, content.zoning, names, code, lang=lang)
        assert said_of(wide) == said
        assert not wide.seen(".pr-tiles")
        assert wide.all(".pr-part") == []
    gap = {"es": "sin dato", "en": "no data"}[lang]
    assert figures(wide)[{"es": "Coca, 2020", "en": "Coca, 2020"}[lang]] == gap
    assert f"coca {gap}" in wide.text(".pr-readout")


def test_flags_name_accord_special_rights_and_gaps(wide, lang):
    choose(wide, example.FIRST)
    seen = chips(wide)
    assert any("PDET: Región <b>" in chip for chip in seen)
    assert any({"es": "Resguardo indígena: 25", "en": "Indigenous reserve: 25"}[lang] in chip for chip in seen)
    assert {"es": "consulta previa", "en": "Prior consultation"}[lang] in wide.text(".pr-rights")
    choose(wide, "01002")
    assert {"es": "No hay dato completo", "en": "are incomplete here"}[lang] in wide.text(".pr-rights")
    choose(wide, "02005")
    assert any(chip.startswith({"es": "Sin dato: ", "en": "No data: "}[lang]) for chip in chips(wide))
    assert wide.all(".pr-track-missing")


def test_a_language_is_changed_with_the_card_open(wide, lang, content):
    choose(wide, example.FIRST)
    other = {"es": "en", "en": "es"}[lang]
    wide.set(lang=other)
    names = content.panel.places["name"]
    said = explanations.sentences(content.priorities, content.zoning, names, lang=other)
    assert wide.text(".pr-why") == said[example.FIRST]
    assert wide.text(".pr-lock") == {"es": "Fijar en las zonas", "en": "Lock into the zones"}[other]
    assert {"es": "máximo", "en": "most"}[other] in wide.one(".pr-chart").get_attribute("aria-label")


# In step with the weights and the year


def test_a_change_of_weights_is_followed_in_place(spanish):
    choose(spanish, "01002")
    before = spanish.text(".pr-why")
    spanish.run("document.querySelector('.pr-card details').open = true")
    spanish.run(
        "document.querySelector('.pr-card-body').scrollTop = 60; document.querySelector('.pr-card .pr-close').focus()"
    )
    spanish.set(weights=[0, 1, 0])
    assert spanish.text(".pr-why") != before
    assert "simulaciones" in before
    assert "simulaciones" not in spanish.text(".pr-why")
    assert "ajustes originales (2020)" in spanish.text(".pr-card-body")
    assert spanish.run("return document.querySelector('.pr-card-body').scrollTop") == 60
    assert spanish.run("return document.querySelector('.pr-card details').open")
    assert inside(spanish, ".pr-card .pr-close")
    spanish.set(weights=None)
    assert spanish.text(".pr-why") == before


def test_reasons_that_take_long_come_after_a_pause(spanish):
    choose(spanish, example.FIRST)
    spanish.set(method="geometric-mean", weights=[3, 1, 1])
    assert spanish.text(".pr-why").startswith("Alfa ocupa el puesto ")
    spanish.wait(lambda: "sobre todo por" in spanish.text(".pr-why"), "the reasons")


def test_another_year_moves_the_needle_and_the_figures(wide, lang):
    choose(wide, example.FIRST)
    needle = wide.one(".pr-needle").get_attribute("x1")
    wide.set(year=2010)
    assert wide.one(".pr-needle").get_attribute("x1") != needle
    assert wide.text(".pr-readout").startswith("2010: coca 2")
    said = figures(wide)
    assert said[{"es": "Coca, 2010", "en": "Coca, 2010"}[lang]] == {"es": "2.800 ha", "en": "2,800 ha"}[lang]
    assert said[{"es": "Cambio desde 2017", "en": "Change since 2017"}[lang]].startswith("−")
    assert {"es": "Asperjada en 2010", "en": "Sprayed in 2010"}[lang] in said


def test_the_chart_is_read_with_the_pointer_and_as_a_table(spanish):
    choose(spanish, "01002")
    chart = spanish.one(".pr-chart")
    ActionChains(spanish.driver).move_to_element_with_offset(chart, -60, 0).perform()
    spanish.wait(lambda: not spanish.text(".pr-readout").startswith("2020"), "another year's figures")
    assert "aspersión 15,5 ha" in spanish.text(".pr-readout")
    ActionChains(spanish.driver).move_to_element(spanish.one("h2")).perform()
    spanish.wait(lambda: spanish.text(".pr-readout").startswith("2020"), "the chosen year")
    press(spanish, ".pr-years summary")
    rows = [row.text for row in spanish.all(".pr-years tbody tr")]
    assert len(rows) == 24
    assert rows[9].endswith("80,0 15,5")
    assert rows[0].endswith("– –")


# Locks


def test_a_municipality_is_locked_in_and_out_by_keyboard(wide, lang):
    choose(wide, "02003")
    press(wide, "[data-lock=in]")
    assert inside(wide, "[data-lock=in][aria-pressed=true]")
    assert wide.state()["lockedIn"][-1] == "02003"
    assert {"es": "Fijado en las zonas", "en": "Locked into the zones"}[lang] in chips(wide)
    assert {"es": "Fijado en las zonas", "en": "Locked into the zones"}[lang] in told(wide)
    assert wide.run("return presencia.app.scored().zone[presencia.app.model.place.get('02003')]")
    press(wide, "[data-lock=out]", Keys.SPACE)
    assert wide.state()["lockedOut"] == ["02003"]
    assert "02003" not in wide.state()["lockedIn"]
    press(wide, "[data-lock=out]")
    assert wide.state()["lockedOut"] == []
    assert wide.one("[data-lock=out]").get_attribute("aria-pressed") == "false"


def test_a_lock_of_the_run_says_its_reason_as_text(spanish):
    choose(spanish, "02002")
    assert f"Fijado en las zonas: {example.HOSTILE}" in chips(spanish)


# A zone


def test_a_zone_is_reached_from_its_member_and_leads_back(wide, lang, content):
    choose(wide, example.FIRST, focus=True)
    press(wide, ".pr-chip-zone")
    zone = content.zones.iloc[0]
    assert inside(wide, "#pr-card")
    assert wide.text("#pr-card h2") == zone["name"]
    members = wide.all(".pr-card .pr-entry")
    assert len(members) == len(zone["members"])
    share = content.priorities.table.loc[zone["members"], "coca_ha"].sum() / content.priorities.raw["coca_ha"].sum()
    assert f"{100 * share:.0f}" in wide.text(".pr-why")
    assert zone["name"] in told(wide)
    members[0].click()
    wide.settled()
    assert wide.text(".pr-place").endswith(zone["members"][0])
    assert inside(wide, "#pr-card")


def test_a_zones_card_sums_up_its_members(spanish, content):
    zone = content.zones.iloc[0]
    choose(spanish, zone["zone"])
    assert "Zona con los ajustes originales." in spanish.text(".pr-card-body")
    said = figures(spanish)
    assert float(said["Superficie"].removesuffix(" km²").replace(".", "")) == pytest.approx(zone["area_km2"], abs=1)
    coca = content.panel.wide("coca_ha").loc[zone["members"], 2020].sum()
    assert said["Coca, 2020"] == f"{coca:,.0f} ha".replace(",", ".")
    assert f"coca {coca:,.0f} ha".replace(",", ".") in spanish.text(".pr-readout")
    spanish.set(weights=[1, 0, 0])
    assert "no se divide por tamaño" in spanish.text(".pr-card-body")


def test_a_zone_that_no_longer_forms_is_still_told_of(spanish, content):
    choose(spanish, content.zones.iloc[0]["zone"])
    spanish.set(lockedOut=list(content.zones.iloc[0]["members"]))
    assert "esta zona no se forma" in spanish.text(".pr-card-body")
    assert spanish.all(".pr-card .pr-entry")


def test_what_nobody_knows_opens_no_card(desktop, page):
    reader = opened(desktop, page, "chosen=Z99999")
    assert not reader.seen("#pr-card")
    clean(desktop)


# Focus


@pytest.mark.parametrize("way", ["escape", "cross"])
def test_closing_returns_the_focus_to_where_it_came_from(wide, lang, way):
    wide.run("document.querySelector('#pr-table-open').focus()")
    choose(wide, example.FIRST, focus=True)
    assert inside(wide, "#pr-card")
    if way == "escape":
        wide.press(Keys.ESCAPE)
    else:
        press(wide, ".pr-card .pr-close")
    assert not wide.seen("#pr-card")
    assert inside(wide, "#pr-table-open")
    assert wide.state()["chosen"] is None
    assert told(wide) == {"es": "Ficha cerrada.", "en": "Card closed."}[lang]


def test_an_address_opens_the_card_and_takes_no_focus(desktop, page):
    reader = opened(desktop, page, f"chosen={example.FIRST}")
    assert reader.text("#pr-card h2") == "Alfa"
    assert inside(reader, "body")
    clean(desktop)


# Hostile names and small screens


def test_hostile_names_stay_text_and_keep_within_the_card(spanish):
    for code in (LONG, "01002", "01003", "01005", "02002"):
        choose(spanish, code)
        box = spanish.one("#pr-card").rect
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900
        assert spanish.one(".pr-card-body").rect["height"] > 300
        assert spanish.run("return document.querySelector('.pr-card-body').scrollWidth") <= 384
    choose(spanish, "01002")
    assert spanish.text("#pr-card h2") == example.HOSTILE
    assert spanish.all("img[src='x']") == []
    spanish.run("document.querySelectorAll('.pr-card details').forEach((each) => { each.open = true; })")
    assert example.HOSTILE in spanish.text(".pr-card-sources")


def test_a_sentence_is_shown_whole_unless_a_name_of_thousands_of_letters_stands_in_it(spanish):
    longest = "return presencia.app.model.towns.find((town) => town.name.startsWith('WWW')).code"
    choose(spanish, spanish.run(longest))
    assert len(spanish.text(".pr-why")) > 400
    cut = "const why = document.querySelector('.pr-why'); return why.scrollHeight > why.clientHeight"
    assert not spanish.run(cut)
    choose(spanish, LONG)
    assert spanish.run(cut)


def test_on_a_phone_the_card_is_a_sheet_with_targets_for_fingers(narrow):
    narrow.tap_at(3.5, -75.5)
    narrow.wait(lambda: narrow.seen("#pr-card"), "the card")
    narrow.settled()
    box = narrow.one("#pr-card").rect
    assert box["width"] == 390
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    assert box["height"] <= 0.6 * 844
    controls: list[Any] = narrow.all(".pr-card button, .pr-card summary")
    assert all(control.rect["height"] >= 43.5 for control in controls if control.is_displayed())
    assert narrow.run("return document.documentElement.scrollWidth") == 390
    narrow.one(".pr-card .pr-close").click()
    assert not narrow.seen("#pr-card")
