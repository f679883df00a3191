"""The bar of years: slider, chart, playing, comparison; by mouse, keyboard and finger, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from layers.published import national
from maps import standalone, webmap
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

YEARS = list(example.YEARS)
FIRST, LAST = YEARS[0], YEARS[-1]
PUBLISHED = [year for year in YEARS if national("coca_ha", year) is not None]
SLIDER, SECOND = "#pr-time-year", "#pr-time-year2"
VALUE = {"es": "{year}: {ha} ha de coca en el país.", "en": "{year}: {ha} ha of coca in Colombia."}
HIDE = """
Object.defineProperty(document, "hidden", { value: arguments[0], configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""
FIELD = """
const made = document.createElement("input");
made.id = "typed";
document.body.append(made);
made.focus();
"""
STEPS = """
const parts = [".pr-time-chart", "#pr-time-figures table"].map((name) => document.querySelector(name));
for (let year = arguments[0]; year <= arguments[1]; year++) presencia.app.store.set({ year });
const bars = document.querySelectorAll("rect.pr-time-coca");
return parts.every((part) => part.isConnected) && bars[bars.length - 1].classList.contains("pr-time-now");
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("time")
    for lang in ("es", "en"):
        page = standalone.page(webmap.build(example.content(), lang=lang))
        (folder / f"{lang}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture
def reader(desktop: Chrome, pages: Path) -> Iterator[Reader]:
    yield opened(desktop, pages / "es.html")
    clean(desktop)


def hectares(year: int, lang: str = "es", department: str = "") -> str:
    """Write the sum of the example's municipalities as the page does."""
    column = example.panel().wide("coca_ha")[year]
    text = f"{column[column.index.str.startswith(department)].sum():,.0f}"
    return text.replace(",", ".") if lang == "es" else text


def column(reader: Reader, year: int, share: float = 0.5) -> tuple[int, int]:
    """Where a year's column stands on the screen; share 0 is its left edge and 1 its right one."""
    x, y, width, height = reader.run(
        f"const b = document.querySelector('{SLIDER}').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]"
    )
    return round(x + (year - FIRST + share) * width / len(YEARS)), round(y + height / 3)


def move_to(reader: Reader, x: int, y: int) -> None:
    actions = ActionChains(reader.driver, duration=0)
    actions.w3c_actions.pointer_action.move_to_location(x, y)
    actions.perform()


def click(reader: Reader, year: int, share: float = 0.5) -> None:
    move_to(reader, *column(reader, year, share))
    ActionChains(reader.driver).click().perform()


def tap(reader: Reader, x: int, y: int) -> None:
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        reader.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def chosen(reader: Reader, year: int) -> bool:
    return bool(reader.state()["year"] == year)


def value_text(reader: Reader, slider: str = SLIDER) -> str | None:
    return reader.one(slider).get_attribute("aria-valuetext")


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_slider_is_told_and_written_in_the_language_of_the_page(desktop: Chrome, pages: Path, lang: str) -> None:
    reader = opened(desktop, pages / f"{lang}.html")
    assert reader.text("#pr-time-now") == "2020"
    assert value_text(reader) == VALUE[lang].format(year=2020, ha=hectares(2020, lang))
    other = "en" if lang == "es" else "es"
    reader.set(lang=other)
    assert value_text(reader) == VALUE[other].format(year=2020, ha=hectares(2020, other))
    assert {"en": "Goal: 85,748 ha by 2023", "es": "Meta: 85.748 ha a 2023"}[other] in reader.text(".pr-time-chart")
    clean(desktop)


def test_the_slider_is_driven_by_its_native_keys(reader: Reader) -> None:
    reader.run(f"document.querySelector('{SLIDER}').focus()")
    for key, year in ((Keys.ARROW_LEFT, 2019), (Keys.ARROW_RIGHT, 2020), (Keys.END, LAST), (Keys.HOME, FIRST)):
        reader.press(key)
        assert reader.state()["year"] == year
        assert reader.text("#pr-time-now") == str(year)
        assert value_text(reader) == VALUE["es"].format(year=year, ha=hectares(year))
    reader.press(Keys.PAGE_UP)
    assert reader.state()["year"] > FIRST + 1


@pytest.mark.parametrize("share", [0.08, 0.5, 0.92])
def test_a_click_anywhere_on_a_column_chooses_its_year(reader: Reader, share: float) -> None:
    for year in (2008, FIRST, 2017, LAST):
        click(reader, year, share)
        assert reader.state()["year"] == year


def test_the_thumb_frames_the_column_of_the_year(reader: Reader) -> None:
    pitch = reader.run("return parseFloat(document.getElementById('pr-time').style.getPropertyValue('--pr-pitch'))")
    width, bars = reader.run(
        f"return [document.querySelector('{SLIDER}').clientWidth,"
        " [...document.querySelectorAll('rect.pr-time-coca')].map((bar) => bar.getBoundingClientRect().x)]"
    )
    assert pitch * len(YEARS) == pytest.approx(width, abs=0.5)
    assert bars[-1] - bars[0] == pytest.approx(pitch * (len(YEARS) - 1), abs=0.5)


def test_hovering_reads_a_year_without_choosing_it(reader: Reader) -> None:
    move_to(reader, *column(reader, 2009))
    reader.wait(lambda: reader.text("#pr-time-readout").startswith("2009"), "the figures of 2009")
    read = reader.text("#pr-time-readout")
    assert hectares(2009) + " ha" in read
    assert "73.139 ha" in read  # as published
    assert "Erradicada" in read
    assert "Asperjada" in read
    assert reader.state()["year"] == 2020
    move_to(reader, 800, 300)
    reader.wait(lambda: reader.text("#pr-time-readout").startswith("2020"), "the figures of the chosen year")
    assert "Asperjada sin dato" in reader.text("#pr-time-readout")


def test_comma_and_full_stop_step_from_anywhere_but_where_one_types(reader: Reader) -> None:
    reader.run("document.querySelector('.folium-map').focus()")
    reader.press(".", ".")
    assert reader.state()["year"] == 2022
    reader.press(",")
    assert reader.state()["year"] == 2021
    reader.run(FIELD)
    reader.press(".", ",")
    assert reader.state()["year"] == 2021
    assert reader.run("return document.getElementById('typed').value") == ".,"
    reader.one("#pr-time-readout").click()
    reader.one("#pr-time-keys").click()
    reader.press(".")
    assert reader.state()["year"] == 2021
    reader.press(Keys.ESCAPE)
    assert not reader.seen("#pr-time-keys")
    assert reader.focused().get_attribute("id") == "pr-time-readout"


def test_the_buttons_step_and_stop_at_the_ends(reader: Reader) -> None:
    before, after = reader.one("#pr-time-before"), reader.one("#pr-time-after")
    assert before.get_attribute("aria-label") == "Año anterior"
    before.click()
    assert reader.state()["year"] == 2019
    reader.set(year=LAST)
    assert after.get_attribute("aria-disabled") == "true"
    after.click()
    assert reader.state()["year"] == LAST
    reader.wait(lambda: reader.run("return document.getElementById('pr-live').textContent") ==
                VALUE["es"].format(year=LAST, ha=hectares(LAST)), "the year to be announced")  # fmt: skip


def test_playing_goes_on_to_the_end_and_begins_anew(reader: Reader) -> None:
    play = reader.one("#pr-time-play")
    assert play.get_attribute("aria-label") == "Reproducir los años"
    reader.set(year=LAST - 1)
    play.click()
    assert play.get_attribute("aria-label") == "Detener"
    reader.wait(lambda: reader.state()["year"] == LAST, "the last year")
    reader.wait(lambda: play.get_attribute("aria-label") == "Reproducir los años", "playing to stop")
    play.click()
    assert reader.state()["year"] == FIRST
    reader.wait(lambda: reader.state()["year"] == FIRST + 1, "the next year")
    play.click()
    assert play.get_attribute("aria-label") == "Reproducir los años"


@pytest.mark.parametrize("act", ["touch", "key", "step", "hide", "elsewhere"])
def test_playing_stops_when_someone_takes_the_year_in_hand(reader: Reader, act: str) -> None:
    play = reader.one("#pr-time-play")
    reader.set(year=2010)
    play.click()
    if act == "touch":
        click(reader, 2012)
    elif act == "key":
        reader.run(f"document.querySelector('{SLIDER}').focus()")
        reader.press(Keys.ARROW_RIGHT)
    elif act == "step":
        reader.press(",")
    elif act == "hide":
        reader.run(HIDE, True)
        reader.run(HIDE, False)
    else:
        reader.set(year=2005)
    assert play.get_attribute("aria-label") == "Reproducir los años"


def test_the_chart_shows_every_series_and_its_gaps(reader: Reader) -> None:
    counts = {name: len(reader.all(f"rect.pr-time-{name}")) for name in ("coca", "eradicated", "sprayed", "gap")}
    assert counts == {"coca": len(YEARS), "eradicated": LAST - 2006, "sprayed": 13, "gap": 0}
    assert len(reader.all("line.pr-time-published")) == len(PUBLISHED)
    assert len(reader.all("rect.pr-time-now")) == 1
    picture = reader.one(".pr-time-chart")
    assert picture.get_attribute("role") == "img"
    label = picture.get_attribute("aria-label") or ""
    assert f"{hectares(FIRST)} ha en {FIRST}" in label
    assert "85.748 ha a finales de 2023" in label


def test_the_same_figures_stand_in_a_table(reader: Reader) -> None:
    assert not reader.seen("#pr-time-figures table")
    reader.run("document.getElementById('pr-time-readout').focus()")
    reader.press(Keys.ENTER)
    assert [cell.text for cell in reader.all("#pr-time-figures thead th")] == [
        "Año", "Coca, suma de municipios", "Coca, total publicado", "Erradicada", "Asperjada",
    ]  # fmt: skip
    rows = {row.text.split()[0]: row.text.split() for row in reader.all("#pr-time-figures tbody tr")}
    assert list(rows) == [str(year) for year in YEARS]
    assert rows["2002"] == ["2002", hectares(2002), "–", "–", "–"]
    assert rows["2009"][:3] == ["2009", hectares(2009), "73.139"]
    assert reader.text("#pr-time-figures tr[aria-current]").startswith("2020")


def test_a_department_has_its_own_chart_without_published_totals(reader: Reader) -> None:
    reader.set(department="01")
    assert reader.text("#pr-time-whose") == "Hectáreas de coca en Norte"
    assert value_text(reader) == f"2020: {hectares(2020, department='01')} ha de coca en Norte."
    assert not reader.all("line.pr-time-published")
    assert not reader.all(".pr-time-goal")
    reader.set(department="")
    assert len(reader.all("line.pr-time-published")) == len(PUBLISHED)


def test_comparing_brings_a_second_slider_and_marks_both_years(reader: Reader) -> None:
    assert not reader.seen(SECOND)
    assert not reader.seen(".pr-time-then")
    reader.set(compare="side", year2=2017)
    assert reader.seen(SECOND)
    assert reader.seen(".pr-time-then")
    assert reader.text(".pr-time-label") == "Segunda vista 2017"
    reader.run(f"document.querySelector('{SECOND}').focus()")
    reader.press(Keys.ARROW_LEFT)
    assert (reader.state()["year"], reader.state()["year2"]) == (2020, 2016)
    assert value_text(reader, SECOND) == VALUE["es"].format(year=2016, ha=hectares(2016))
    then, bar = reader.run(
        "return [document.querySelector('.pr-time-then'), document.querySelectorAll('rect.pr-time-coca')[arguments[0]]]"
        ".map((part) => part.getBoundingClientRect()).map(({ x, width }) => [x, x + width])",
        2016 - FIRST,
    )
    assert then[0] <= bar[0]
    assert bar[1] <= then[1]
    reader.set(compare="off")
    assert not reader.seen(SECOND)


def test_a_measure_without_data_in_a_year_is_said_to_have_none(reader: Reader) -> None:
    reader.set(measure="sprayed_ha", year=2015)
    assert reader.text("#pr-time-note") == ""
    reader.set(year=2016)
    assert reader.text("#pr-time-note") == "Sin datos de esta medida en 2016; los hay de 2003 a 2015."
    reader.set(lang="en")
    assert reader.text("#pr-time-note") == "No data on this measure in 2016; there are from 2003 to 2015."
    reader.set(compare="swipe", measure2="sprayed_ha", year2=2001)
    assert reader.text("#pr-time-note") == "No data in 2016, nor in the second view in 2001."


def test_a_year_step_leaves_the_chart_in_place(reader: Reader) -> None:
    assert reader.run(STEPS, FIRST, LAST)


def test_the_bar_folds_and_keeps_its_buttons(reader: Reader) -> None:
    high = reader.one("#pr-time").size["height"]
    assert high <= 120
    reader.one("#pr-time-fold").click()
    assert reader.one("#pr-time-fold").get_attribute("aria-expanded") == "false"
    assert not reader.seen(SLIDER)
    assert reader.seen("#pr-time-play")
    assert reader.one("#pr-time").size["height"] < high / 1.5
    reader.one("#pr-time-after").click()
    assert reader.state()["year"] == 2021
    reader.one("#pr-time-fold").click()
    assert reader.seen(SLIDER)


@pytest.mark.parametrize("lang", ["es", "en"])
def test_on_a_phone_a_finger_does_it_all(phone: Chrome, pages: Path, lang: str) -> None:
    reader = opened(phone, pages / f"{lang}.html")
    box = reader.one("#pr-time").rect
    assert box["height"] <= 110
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    for target in ("#pr-time-before", "#pr-time-play", "#pr-time-after", "#pr-time-fold", "#pr-time-readout", SLIDER):
        assert reader.one(target).rect["height"] >= 44, target
    for year in (2011, FIRST, LAST):
        tap(reader, *column(reader, year))
        reader.wait(partial(chosen, reader, year), f"the year {year}")
    play = reader.one("#pr-time-before").rect
    tap(reader, round(play["x"] + play["width"] / 2), round(play["y"] + play["height"] / 2))
    reader.wait(lambda: reader.state()["year"] == LAST - 1, "the year before")
    reader.set(compare="side", year2=2017)
    assert reader.one(SECOND).rect["height"] >= 44
    assert reader.run("return document.documentElement.scrollWidth") <= 390
    figures = reader.one("#pr-time-readout").rect
    tap(reader, round(figures["x"] + 20), round(figures["y"] + figures["height"] / 2))
    reader.wait(lambda: reader.seen("#pr-time-figures table"), "the table of figures")
    sheet = reader.one(".pr-time-sheet").rect
    assert sheet["x"] >= 0
    assert sheet["x"] + sheet["width"] <= 390
    assert sheet["y"] >= 0
    clean(phone)
