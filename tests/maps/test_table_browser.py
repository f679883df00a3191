"""The table, the map's accessible equal: read, sorted, filtered and followed by mouse, keyboard and finger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from maps.payload import MapContent
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

TOWNS = 122
PAGE = 50
ROWS = """
const cell = (element) => ({ text: element.innerText.trim(), missing: element.classList.contains("pr-missing") });
const column = (element) => element.className.match(/pr-col-(\\w+)/)[1];
return [...document.querySelectorAll("#pr-table tbody tr:not([hidden])")].map((row) => {
  const found = Object.fromEntries([...row.cells].map((each) => [column(each), cell(each)]));
  return { ...found, name: row.querySelector("button").innerText, code: row.querySelector("small").innerText,
           current: row.getAttribute("aria-current"), index: row.ariaRowIndex };
});
"""
WATCH = """
window.changes = 0;
const everything = { subtree: true, childList: true, characterData: true, attributes: true };
new MutationObserver((found) => { window.changes += found.length; })
  .observe(document.getElementById("pr-table"), everything);
"""
SMALL = """
const controls = [...document.querySelectorAll("#pr-table :is(button, select, input)")];
return controls.filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 44)
  .map((each) => each.outerHTML);
"""
WORDS = {"es": ("sin dato", "no candidato", "de 122"), "en": ("no data", "not a candidate", "of 122")}


@pytest.fixture(scope="module")
def content() -> MapContent:
    """The example with more municipalities than a page of the table holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "COLUMNS", 30)
        return example.content()


@pytest.fixture(scope="module")
def page(content: MapContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("table"), content)


@pytest.fixture
def wide(desktop, page, lang):
    """The page in each of its languages, for what is read in it."""
    yield opened(desktop, page, f"lang={lang}&table=true")
    clean(desktop)


@pytest.fixture
def spanish(desktop, page):
    """The page in one language, for what is the same in both."""
    yield opened(desktop, page, "lang=es&table=true")
    clean(desktop)


@pytest.fixture
def narrow(phone, page, lang):
    yield opened(phone, page, f"lang={lang}&table=true")
    clean(phone)


def rows(reader: Reader) -> list[dict[str, Any]]:
    reader.settled()
    found: list[dict[str, Any]] = reader.run(ROWS)
    return found


def codes(reader: Reader) -> list[str]:
    return [row["code"] for row in rows(reader)]


def sort_by(reader: Reader, column: str) -> None:
    button = reader.one(f"#pr-table [data-sort={column}]")
    reader.run("arguments[0].scrollIntoView({ inline: 'nearest' })", button)
    button.click()


def sorting(reader: Reader, column: str) -> str | None:
    return reader.one(f"#pr-table thead .pr-col-{column}").get_attribute("aria-sort")


def choose(reader: Reader, selector: str, value: str) -> None:
    Select(reader.one(selector)).select_by_value(value)


def live(reader: Reader) -> str:
    return str(reader.run("return document.getElementById('pr-live').textContent"))


def test_the_button_opens_it_and_escape_gives_the_focus_back(desktop, page, lang):
    reader = opened(desktop, page, f"lang={lang}")
    assert not reader.seen("#pr-table")
    assert not reader.all("#pr-table tr")
    button = reader.one("#pr-table-open")
    button.send_keys(Keys.ENTER)
    assert reader.seen("#pr-table")
    assert button.get_attribute("aria-expanded") == "true"
    assert reader.focused().get_attribute("id") == "pr-table"
    reader.press(Keys.TAB)
    assert reader.run("return document.getElementById('pr-table').contains(document.activeElement)")
    reader.press(Keys.ESCAPE)
    assert not reader.seen("#pr-table")
    assert button.get_attribute("aria-expanded") == "false"
    assert reader.focused().get_attribute("id") == "pr-table-open"
    clean(desktop)


def test_it_is_a_table_with_caption_headers_and_names(wide, lang):
    table = wide.one("#pr-table table")
    title = {"es": "Municipios, 2020", "en": "Municipalities, 2020"}[lang]
    assert wide.text("#pr-table h2") == title
    assert table.accessible_name == title
    assert all(cell.get_attribute("scope") == "col" for cell in wide.all("#pr-table thead th"))
    assert len(wide.all("#pr-table tbody th[scope=row]")) == PAGE
    assert table.get_attribute("aria-rowcount") == str(TOWNS + 1)
    assert sorting(wide, "rank") == "ascending"
    assert sorting(wide, "coca_ha") == "none"
    for control in wide.all("#pr-table :is(button, select, input, [role=group], [tabindex='0'])"):
        assert control.accessible_name, control.get_attribute("outerHTML")


def test_it_tells_what_the_engine_knows_and_what_nobody_does(wide, content, lang):
    no_data, no_candidate, _ = WORDS[lang]
    first = rows(wide)[0]
    place = wide.run("return presencia.app.scored().ranked[0]")
    assert first["code"] == content.panel.places.index[place]
    assert first["rank"]["text"] == "1"
    assert first["score"]["text"] == wide.run(
        "return presencia.app.say.score(presencia.app.scored().score[arguments[0]])", place
    )
    wide.one("#pr-table-filter").send_keys(example.MISSING)
    (missing,) = rows(wide)
    assert missing["coca_ha"] == {"text": no_data, "missing": True}
    assert missing["score"] == {"text": no_data, "missing": True}
    wide.run("arguments[0].value = ''", wide.one("#pr-table-filter"))
    wide.set(filter=example.SMALL)
    (small,) = rows(wide)
    assert small["score"] == {"text": no_candidate, "missing": False}
    assert small["coca_ha"]["text"] == {"es": "0,4", "en": "0.4"}[lang]
    wide.set(filter="01001")
    (biggest,) = rows(wide)
    assert biggest["coca_ha"]["text"] == {"es": "4.000", "en": "4,000"}[lang]


def test_pages_of_rows_by_mouse_and_keyboard(wide, lang):
    assert len(codes(wide)) == PAGE
    assert WORDS[lang][2] in wide.text(".pr-pager")
    back, on = wide.one("#pr-table-previous"), wide.one("#pr-table-next")
    back.click()
    first = codes(wide)
    on.click()
    second = codes(wide)
    assert not set(first) & set(second)
    assert {"es": "Filas 51–100 de 122", "en": "Rows 51–100 of 122"}[lang] in live(wide)
    on.send_keys(Keys.ENTER)
    third = rows(wide)
    assert len(third) == TOWNS - 2 * PAGE
    assert third[-1]["index"] == str(TOWNS + 1)
    assert on.get_attribute("aria-disabled") == "true"
    on.send_keys(Keys.ENTER)
    assert wide.focused() == on
    choose(wide, "#pr-table-page", "0")
    assert codes(wide) == first


def test_sorting_puts_missing_last_both_ways_and_tells_so(wide, content, lang):
    coca = content.panel.wide("coca_ha")[example.YEAR]
    sort_by(wide, "coca_ha")
    assert sorting(wide, "coca_ha") == "descending"
    assert sorting(wide, "rank") == "none"
    assert codes(wide) == list(coca.sort_values(ascending=False, kind="stable").index[:PAGE])
    assert {"es": "de mayor a menor", "en": "highest first"}[lang] in live(wide)
    choose(wide, "#pr-table-page", "2")
    assert codes(wide)[-1] == example.MISSING
    sort_by(wide, "coca_ha")
    assert sorting(wide, "coca_ha") == "ascending"
    assert coca[codes(wide)].is_monotonic_increasing
    choose(wide, "#pr-table-page", "2")
    assert codes(wide)[-1] == example.MISSING
    assert wide.state()["sort"] == {"by": "coca_ha", "down": False}


def test_equal_rows_stand_by_rank_whichever_way(spanish):
    for _ in range(2):
        sort_by(spanish, "department")
        found = rows(spanish)
        for department in {row["department"]["text"] for row in found}:
            ranks = [row["rank"]["text"] for row in found if row["department"]["text"] == department]
            known = [int(rank) for rank in ranks if rank != "–"]
            assert known == sorted(known)
            assert ranks[: len(known)] == [str(rank) for rank in known]


def test_names_are_sorted_in_the_language_of_the_page(spanish):
    sort_by(spanish, "name")
    names = [row["name"] for row in rows(spanish)]
    ordered = spanish.run(
        "const c = new Intl.Collator(presencia.app.say.text('locale')); return arguments[0].toSorted(c.compare)", names
    )
    assert names == ordered


def test_the_filter_finds_names_codes_and_departments_without_accents(wide, lang):
    box = wide.one("#pr-table-filter")
    for typed, expected in [("NANDU PENON", {"01004"}), ("88564", {"88564"}), ("archipielago", {"88001", "88564"})]:
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(typed)
        assert set(codes(wide)) == expected
        assert wide.state()["filter"] == typed
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("xyzzy")
    assert codes(wide) == []
    assert {"es": "Ninguna fila", "en": "No rows"}[lang] == live(wide) == wide.text(".pr-table-total")
    wide.press(Keys.ESCAPE)
    assert not wide.seen("#pr-table")


def test_it_shows_a_part_of_the_municipalities(spanish, content):
    scores = content.priorities.table
    for subset, expected in [
        ("candidates", scores["score"].notna()),
        ("left", scores["high_cultivation"] & scores["vacated"]),
        ("top", scores["rank"] <= spanish.state()["top"]),
    ]:
        choose(spanish, "#pr-table-show", subset)
        assert set(codes(spanish)) <= set(scores.index[expected])
        assert spanish.one("#pr-table table").get_attribute("aria-rowcount") == str(int(expected.sum()) + 1)
    spanish.set(rows="all", department="88")
    assert set(codes(spanish)) == {"88001", "88564"}
    assert "Archipiélago" in spanish.text("#pr-table h2")


def test_flags_are_short_words(wide, lang):
    found = {row["code"]: row["flags"]["text"] for row in rows(wide)}
    words = {
        "es": ["alto cultivo", "lo dejaron las FARC", "PDET", "resguardo"],
        "en": ["high cultivation", "the FARC left it", "PDET", "reserve"],
    }
    assert all(word in found["01001"] for word in words[lang])
    assert {"es": "faltan datos", "en": "data missing"}[lang] in found["02001"]


def test_a_name_chooses_and_a_choice_is_marked_and_brought_to_view(spanish):
    spanish.one("#pr-table tbody button").click()
    spanish.settled()
    first = spanish.state()["chosen"]
    assert [row["code"] for row in rows(spanish) if row["current"]] == [first]
    assert spanish.seen("#pr-card")
    last = spanish.run(
        "const all = presencia.app.scored().ranked; return presencia.app.data.codes[all[all.length - 5]]"
    )
    spanish.set(chosen=last)
    (marked,) = [row for row in rows(spanish) if row["current"]]
    assert marked["code"] == last
    assert int(marked["index"]) > 2 * PAGE
    row, box = spanish.one("#pr-table tr[aria-current]").rect, spanish.one(".pr-table-scroll").rect
    assert box["y"] + 50 <= row["y"] <= box["y"] + box["height"] - 20


def test_pointing_at_a_row_or_focusing_it_marks_its_place(spanish, content):
    spanish.run("window.marked = []; presencia.app.hover = (place) => window.marked.push(place)")
    row = spanish.one("#pr-table tbody tr:nth-child(3)")
    place = list(content.panel.places.index).index(rows(spanish)[2]["code"])
    ActionChains(spanish.driver).move_to_element(row).perform()
    assert spanish.run("return window.marked.at(-1)") == place
    ActionChains(spanish.driver).move_to_element(spanish.one("#pr-table h2")).perform()
    assert spanish.run("return window.marked.at(-1)") is None
    spanish.run("arguments[0].querySelector('button').focus()", row)
    assert spanish.run("return window.marked.at(-1)") == place


def test_zones_are_a_table_too(wide, lang):
    wide.one("#pr-table [data-view=zones]").click()
    found = rows(wide)
    zones = wide.run("return presencia.app.scored().zones")
    assert len(found) == len(zones)
    best = max(zones, key=lambda zone: zone["score"])
    assert found[0]["code"] == best["id"]
    assert found[0]["members"]["text"] == str(len(best["members"]))
    assert not wide.seen("#pr-table-show")
    assert {"es": "Zonas prioritarias, 2020", "en": "Priority zones, 2020"}[lang] == wide.text("#pr-table h2")
    wide.one("#pr-table tbody button").click()
    wide.settled()
    assert wide.state()["chosen"] == best["id"]
    assert rows(wide)[0]["current"] == "true"
    wide.one("#pr-table [data-view=towns]").click()
    assert len(rows(wide)) == PAGE


def test_weights_and_years_change_the_text_of_the_same_rows(spanish):
    before = rows(spanish)
    assert spanish.seen("#pr-table th.pr-col-range")
    spanish.run("window.kept = [...document.querySelectorAll('#pr-table tbody tr')]")
    spanish.set(weights=[0, 0, 1])
    ranked = spanish.run(
        "return [...presencia.app.scored().ranked].slice(0, 50).map((place) => presencia.app.data.codes[place])"
    )
    assert [row["code"] for row in rows(spanish)[:5]] == ranked[:5]
    spanish.wait(lambda: [row["code"] for row in rows(spanish)] == ranked, "the rows out of view")
    assert [row["code"] for row in before] != ranked
    assert not spanish.seen("#pr-table th.pr-col-range")
    spanish.set(year=2015)
    assert "2015" in spanish.text("#pr-table h2")
    assert "2015" in spanish.text("#pr-table thead .pr-col-coca_ha")
    assert spanish.run(
        "return [...document.querySelectorAll('#pr-table tbody tr')].every((row, at) => row === window.kept[at])"
    )


def test_it_rests_while_it_is_hidden(spanish):
    spanish.set(table=False)
    spanish.run(WATCH)
    spanish.set(weights=[0, 0, 1], year=2010, chosen="01002")
    assert spanish.run("return window.changes") == 0


def test_the_address_brings_the_same_rows_back(desktop, page, lang):
    reader = opened(desktop, page, f"lang={lang}&table=true&sort=-station_km&filter=norte")
    found = rows(reader)
    assert sorting(reader, "station_km") == "descending"
    assert {row["department"]["text"] for row in found} == {"Norte"}
    assert reader.one("#pr-table-filter").get_attribute("value") == "norte"
    reader.run("location.hash = 'lang=' + arguments[0] + '&table=true&sort=nonsense'", lang)
    reader.wait(lambda: sorting(reader, "rank") == "ascending", "the usual order")
    clean(desktop)


def test_hostile_names_are_text_of_one_line(spanish):
    spanish.set(filter="0100")
    names = [row["name"] for row in rows(spanish)]
    assert example.HOSTILE in names
    heights = spanish.run(
        "return [...document.querySelectorAll('#pr-table tbody tr:not([hidden])')].map((row) => row.offsetHeight)"
    )
    assert max(heights) < 40


def test_the_keyboard_alone_reaches_a_card(spanish):
    spanish.run("document.getElementById('pr-table-filter').focus()")
    spanish.press("88564")
    for _ in range(60):
        spanish.press(Keys.TAB)
        if "pr-table-name" in (spanish.focused().get_attribute("class") or ""):
            break
    spanish.press(Keys.ENTER)
    spanish.settled()
    assert spanish.state()["chosen"] == "88564"
    assert "pr-card" in str(spanish.run("return document.activeElement.closest('section').id"))


def test_on_a_phone_it_is_a_sheet_as_wide_as_the_screen(narrow):
    box = narrow.one("#pr-table").rect
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    assert narrow.run("return document.documentElement.scrollWidth") == 390
    assert narrow.run(SMALL) == []
    scroller = narrow.one(".pr-table-scroll")
    assert scroller.get_attribute("tabindex") == "0"
    narrow.run("arguments[0].scrollLeft = 600", scroller)
    assert narrow.run("return arguments[0].scrollLeft", scroller) == 600
    assert narrow.one("#pr-table tbody button").rect["x"] < 30
    narrow.one("#pr-table .pr-close").click()
    assert not narrow.seen("#pr-table")


def test_on_a_phone_a_finger_chooses_a_row(narrow):
    button = narrow.one("#pr-table tbody tr:nth-child(2) button")
    code = rows(narrow)[1]["code"]
    rect = button.rect
    point = {"x": round(rect["x"] + 20), "y": round(rect["y"] + 10)}
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        narrow.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    narrow.wait(lambda: narrow.state()["chosen"] == code, "the choice")
    assert narrow.seen("#pr-card")
