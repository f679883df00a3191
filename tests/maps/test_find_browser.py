"""The search box and the choice of a department: used by mouse, keyboard and finger, in both languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from maps.payload import MapContent
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

NAMES = {"02006": "Betalfa", "02007": "Villa Alfa", "02008": "Alfaro", "02009": "Q" * 10_000}


@pytest.fixture(scope="module")
def content() -> MapContent:
    """The example, with names that hold one another and one of 10,000 letters."""
    made = example.content()
    places = made.panel.places.copy()
    for code, name in NAMES.items():
        places.loc[code, "name"] = name
    return replace(made, panel=replace(made.panel, places=places))


@pytest.fixture(scope="module")
def page(content: MapContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("find"), content)


@pytest.fixture
def wide(desktop, page, lang):
    """The page in each of its languages, for what is read in it."""
    yield opened(desktop, page, f"lang={lang}")
    clean(desktop)


@pytest.fixture
def spanish(desktop, page):
    """The page in one language, for what is the same in both."""
    yield opened(desktop, page, "lang=es")
    clean(desktop)


def search(reader: Reader, text: str) -> list[str]:
    """Type into the box anew, and read what is offered."""
    box = reader.one("#pr-find-input")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text)
    return [str(option.get_attribute("data-id")) for option in reader.all("#pr-find-list [role=option]")]


def active(reader: Reader) -> str | None:
    """The option that a screen reader is told of, which is also the one that is marked."""
    told = reader.one("#pr-find-input").get_attribute("aria-activedescendant")
    marked = [option.get_attribute("id") for option in reader.all("#pr-find-list [aria-selected=true]")]
    assert marked == ([told] if told else [])
    return reader.one(f"#{told}").get_attribute("data-id") if told else None


def expanded(reader: Reader) -> str | None:
    return reader.one("#pr-find-input").get_attribute("aria-expanded")


def live(reader: Reader) -> str:
    return str(reader.run("return document.getElementById('pr-live').textContent"))


def test_it_is_a_combobox_with_a_name(wide, lang):
    box = wide.one("#pr-find-input")
    assert box.aria_role == "combobox"
    assert box.accessible_name == {"es": "Buscar municipio o zona", "en": "Find a municipality or zone"}[lang]
    assert expanded(wide) == "false"
    search(wide, "pueblo")
    assert expanded(wide) == "true"
    assert box.get_attribute("aria-controls") == wide.one("[role=listbox]").get_attribute("id")
    assert wide.one("[role=listbox]").accessible_name


def test_names_that_begin_so_come_before_words_and_these_before_parts(spanish):
    towns = [found for found in search(spanish, "ALFÁ") if not found.startswith("Z")]
    assert towns == ["01001", "02008", "02007", "02006"]


def test_accents_case_and_signs_do_not_matter(spanish):
    assert search(spanish, "nandu penon") == search(spanish, "ÑANDÚ & <B>PEÑÓN") != []
    assert search(spanish, "b nandu") == ["01004"]


def test_codes_departments_and_zones_are_found(wide, content, lang):
    assert search(wide, "88564") == ["88564"]
    assert set(search(wide, "archipielago")) == {"88001", "88564"}
    zone = content.zones.iloc[0]
    assert search(wide, zone["zone"]) == [zone["zone"]]
    found = wide.text("#pr-find-list [role=option]")
    assert {"es": "Zona de", "en": "Zone of"}[lang] in found
    assert zone["name"] in found
    assert search(wide, "alfaro sur") == ["02008"]


def test_an_option_tells_name_department_code_and_rank(wide, content, lang):
    search(wide, "01001")
    rank = int(content.priorities.table.loc["01001", "rank"])
    assert wide.text("#pr-find-0").split("\n") == [
        "Alfa",
        {"es": f"Puesto {rank}", "en": f"Rank {rank}"}[lang],
        "Norte · 01001",
    ]
    search(wide, example.MISSING)
    assert len(wide.text("#pr-find-0").split("\n")) == 2


def test_at_most_eight_are_listed_and_the_others_counted(wide, lang):
    assert len(search(wide, "pueblo")) == 8
    count = wide.run(
        "const { model, scored } = presencia.app;"
        "return [...model.towns, ...scored().zones].filter(({ name }) => name.includes('Pueblo')).length"
    )
    assert {"es": f"y {count - 8} más", "en": f"and {count - 8} more"}[lang] in wide.text(".pr-find-note")
    assert live(wide).startswith({"es": f"{count} resultados", "en": f"{count} results"}[lang])
    search(wide, "88564")
    assert live(wide) == {"es": "1 resultado.", "en": "1 result."}[lang]
    assert search(wide, "xyzzy") == []
    assert expanded(wide) == "false"
    assert (
        wide.text(".pr-find-note") == live(wide) == {"es": "Nada se llama así.", "en": "Nothing has that name."}[lang]
    )


def test_the_keyboard_walks_the_list_and_chooses(spanish):
    listed = search(spanish, "pueblo")
    assert active(spanish) is None
    for key, expected in [
        (Keys.ARROW_DOWN, listed[0]),
        (Keys.ARROW_DOWN, listed[1]),
        (Keys.END, listed[-1]),
        (Keys.ARROW_DOWN, listed[0]),
        (Keys.ARROW_UP, listed[-1]),
        (Keys.HOME, listed[0]),
    ]:
        spanish.press(key)
        assert active(spanish) == expected
    spanish.press(Keys.ENTER)
    spanish.settled()
    assert spanish.state()["chosen"] == listed[0]
    assert expanded(spanish) == "false"
    assert spanish.one("#pr-find-input").get_attribute("value") == ""
    assert spanish.seen("#pr-card")
    assert spanish.run("return document.getElementById('pr-card').contains(document.activeElement)")
    assert spanish.run("return presencia.map.getZoom()") > 6


def test_enter_takes_the_first_where_none_is_marked(spanish):
    search(spanish, "alfaro")
    spanish.press(Keys.ENTER)
    assert spanish.state()["chosen"] == "02008"


def test_escape_closes_the_list_then_empties_the_box_then_lets_go(spanish):
    spanish.set(table=True)
    search(spanish, "alfa")
    spanish.press(Keys.ESCAPE)
    assert expanded(spanish) == "false"
    assert spanish.one("#pr-find-input").get_attribute("value") == "alfa"
    spanish.press(Keys.ARROW_DOWN)
    assert expanded(spanish) == "true"
    spanish.press(Keys.ESCAPE, Keys.ESCAPE)
    assert spanish.one("#pr-find-input").get_attribute("value") == ""
    assert spanish.seen("#pr-table")
    spanish.press(Keys.ESCAPE)
    assert not spanish.seen("#pr-table")


def test_a_click_chooses_and_leaving_closes(spanish):
    search(spanish, "alfa")
    spanish.one("#pr-find-1").click()
    assert spanish.state()["chosen"] == "02008"
    search(spanish, "alfa")
    spanish.press(Keys.TAB)
    assert expanded(spanish) == "false"
    assert not spanish.seen(".pr-find-drop")


def test_a_name_of_ten_thousand_letters_and_a_hostile_one_stay_in_their_line(spanish):
    assert search(spanish, "qqqq") == ["02009"]
    assert spanish.one("#pr-find-0").rect["height"] < 60
    assert spanish.one("#pr-find-0").rect["width"] < 340
    assert "01002" in search(spanish, "img src x")
    assert example.HOSTILE in spanish.text("#pr-find-0")


def test_a_department_is_chosen_from_a_sorted_list(wide, lang):
    select = Select(wide.one("#pr-department"))
    first = {"es": "Todos", "en": "All"}[lang]
    assert [option.text for option in select.options] == [first, "Archipiélago", "Norte", "Sur <i>"]
    assert wide.one("#pr-department").accessible_name
    select.select_by_value("02")
    wide.settled()
    assert wide.state()["department"] == "02"
    wide.set(department="", lang="en" if lang == "es" else "es")
    assert Select(wide.one("#pr-department")).first_selected_option.text != first
    assert wide.one("#pr-department").get_attribute("value") == ""


def test_on_a_phone_a_finger_chooses_and_the_sheet_gives_way(phone, page, lang):
    reader = opened(phone, page, f"lang={lang}")
    reader.one("#pr-open").click()
    search(reader, "alfaro")
    option = reader.one("#pr-find-0")
    assert option.rect["height"] >= 44
    point = {"x": round(option.rect["x"] + 40), "y": round(option.rect["y"] + 20)}
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        phone.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    reader.wait(lambda: reader.state()["chosen"] == "02008", "the choice")
    reader.settled()
    assert not reader.seen("#pr-panel")
    assert reader.run("return document.documentElement.scrollWidth") == 390
    clean(phone)
