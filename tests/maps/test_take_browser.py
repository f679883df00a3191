"""What a planner takes away from the page, read with the programs that read such files."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from PIL import Image
from selenium.webdriver.common.keys import Keys

from geo import coverage
from layers import dynamics, zones
from maps import export, standalone, webmap
from tests import browser
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser
NAMES = {
    "01001": '=HYPERLINK("http://evil";"Alfa")',
    "01002": example.HOSTILE,
    "01003": "+1+cmd|' /C calc'!A1",
    "01006": "-2+3",
    "01007": "@SUM(1;2)",
    "01008": "\tTabulado",
    "01009": "\rVuelto",
    "02001": 'Con "comillas", comas; y\r\nrenglones',
    "02002": "\u202eotreiba \u2066\u200f",
    "02004": "W" * 10_000,
    "02005": "${alert(1)} {{7*7}} {% raw %}",
    "02006": "\uff1d1\uff0b1",
}
SUFFIXES = {".geojson", ".csv", ".png", ".html"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b")
WORDS = {
    "es": {"done": "Listo", "copied": "Enlace copiado", "first": "Los primeros por puntaje", "sources": "Fuentes:",
           "missing": "Sin dato no es cero", "one": "1 municipio", "coca": "Coca en 2020: 7.740 ha"},
    "en": {"done": "Done", "copied": "Link copied", "first": "The first by score", "sources": "Sources:",
           "missing": "Missing is not zero", "one": "1 municipality", "coca": "Coca in 2020: 7,740 ha"},
}  # fmt: skip


def content():
    """The example with names that would harm in one format or another."""
    told = example.content()
    places = told.panel.places.copy()
    places["name"] = pd.Series(NAMES).reindex(places.index).fillna(places["name"])
    return replace(told, panel=replace(told.panel, places=places), zones=told.zones.assign(name=example.HOSTILE))


@pytest.fixture(scope="module")
def told():
    return content()


@pytest.fixture(scope="module")
def page(told, tmp_path_factory):
    path = tmp_path_factory.mktemp("take") / "page.html"
    path.write_text(standalone.page(webmap.build(told)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(told, tmp_path_factory):
    """The properties that a run writes for the same panel, by code."""
    joined, scored, settings = told.panel, told.priorities, told.zoning
    pairs = coverage.neighbours(joined.places)
    zone, _ = zones.build(
        joined, scored, share=settings.candidates.priority_share, limits=settings.zones, neighbours=pairs
    )
    happening = dynamics.describe(joined, settings, pairs, year=scored.year)
    columns = joined.places.drop(columns="station_km").join(scored.table).join(happening).assign(zone=zone)
    table = export.attributes(columns, scored.contributions)
    path = tmp_path_factory.mktemp("run") / "municipalities.geojson"
    export.write_geojson(gpd.GeoDataFrame(table, geometry=joined.places.geometry, crs=joined.places.crs), path)
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {feature["properties"]["code"]: feature["properties"] for feature in features}


class Taker(Reader):
    """A person who takes files away."""

    folder: Path

    def choose(self, choice: str) -> None:
        self.one(f"#pr-take-{choice}").click()

    def take(self, button: str, choice: str = "") -> Path:
        """Press a button and wait for its file."""
        if choice:
            self.choose(choice)
        self.one(f"#pr-take-{button}").click()
        self.wait(self.arrived, f"the file of {button}")
        kept = self.folder / str(len(list(self.folder.iterdir())))
        kept.mkdir()
        (path,) = self.arrived()
        return path.rename(kept / path.name)

    def arrived(self) -> list[Path]:
        """Files that are whole: chromium keeps a name with an empty file while it writes beside it."""
        files = [each for each in self.folder.iterdir() if each.is_file()]
        whole = all(each.suffix in SUFFIXES and each.stat().st_size for each in files)
        return files if whole else []


def _taker(driver, page, folder, fragment) -> Taker:
    where = {"behavior": "allow", "downloadPath": str(folder)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    opened(driver, page, fragment)
    taker = Taker(driver)
    taker.folder = folder
    return taker


@pytest.fixture(scope="module")
def desktop():
    with browser.chromium(browser.DESKTOP) as driver:
        yield driver


@pytest.fixture(params=["es", "en"])
def lang(request):
    return request.param


@pytest.fixture
def wide(desktop, page, lang, tmp_path):
    yield _taker(desktop, page, tmp_path, f"tab=take&lang={lang}")
    clean(desktop)


@pytest.fixture
def spanish(desktop, page, tmp_path):
    yield _taker(desktop, page, tmp_path, "tab=take&lang=es")
    clean(desktop)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _rows(path: Path, delimiter: str = ",") -> list[list[str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _image(path: Path) -> Image.Image:
    with Image.open(path) as opened_image:
        return opened_image.convert("RGB")


# Which municipalities and zones


def test_each_choice_says_how_many_and_what_holds_nothing_cannot_be_chosen(wide, lang):
    assert not wide.one("#pr-take-chosen").is_enabled()
    assert not wide.one("#pr-take-department").is_enabled()
    wide.set(chosen="01001", department="88", top=5)
    counts = {
        row.find_element("tag name", "input").get_attribute("value"): row.text
        for row in wide.all("#pr-tab-take label:has([type=radio])")
    }
    assert WORDS[lang]["one"] in counts["chosen"]
    assert "=HYPERLINK" in counts["chosen"]
    assert "Archipiélago" in counts["department"]
    assert counts["all"].split()[-2] == "22"
    assert counts["top"].split()[-2] == "5"
    wide.choose("chosen")
    wide.set(chosen=None)
    assert wide.one("#pr-take-top").is_selected()


CHOICES = [
    ("top", "top", 17),
    ("vacated", "vacated", None),
    ("chosen", "01003", 1),
    ("department", "02", 10),
    ("zones", "zones", None),
    ("all", "all", 22),
]


@pytest.mark.parametrize(("choice", "name", "count"), CHOICES)
def test_a_file_holds_what_was_chosen_and_is_called_after_it(spanish, choice, name, count, expected):
    spanish.set(chosen="01003", department="02")
    found = spanish.take("geojson", choice)
    assert found.name == f"presencia-2020-{name}.geojson"
    features = _read(found)["features"]
    wanted = {
        "vacated": [code for code, row in expected.items() if row["vacated"] and row["high_cultivation"]],
        "zones": {row["zone"] for row in expected.values()} - {None},
    }
    assert len(features) == (count or len(wanted[choice]))
    assert WORDS["es"]["done"] in spanish.text(".pr-take-said")


def test_a_chosen_zone_is_taken_as_one_outline(spanish, expected):
    spanish.set(chosen="Z01001")
    (feature,) = _read(spanish.take("geojson", "chosen"))["features"]
    assert feature["properties"]["members"] == [code for code, row in expected.items() if row["zone"] == "Z01001"]
    assert feature["properties"]["name"] == example.HOSTILE


# GeoJSON


def test_figures_are_those_of_the_run(wide, expected):
    collection = _read(wide.take("geojson", "all"))
    assert collection["presencia"]["settings"]["as_run"] is True
    taken = {feature["properties"]["code"]: feature["properties"] for feature in collection["features"]}
    assert list(taken) == list(expected)
    left_out = {
        "net_eradicated_low_ha",
        "net_eradicated_high_ha",
        "neighbours_change_ha",
        "displacement_ha",
        "diffusion_ha",
    }
    for code, row in expected.items():
        assert set(row) - set(taken[code]) == left_out
        for key in set(row) - left_out:
            if isinstance(row[key], float):
                assert taken[code][key] == pytest.approx(row[key], abs=1e-9 if "score" in key else 1.1e-6), (code, key)
            else:
                assert taken[code][key] == row[key], (code, key)
        assert taken[code]["year"] == 2020


def test_other_years_and_weights_are_named_and_leave_out_what_only_the_run_knows(spanish):
    spanish.set(year=2018, weights=[1, 1, 0], method="geometric-mean", minimum=10, lockedIn=["01001"])
    collection = _read(spanish.take("geojson", "all"))
    told = collection["presencia"]
    assert told["year"] == 2018
    assert told["settings"]["as_run"] is False
    assert told["settings"]["weights"] == {"coca_ha": 0.5, "resurgence": 0.5, "station_km": 0}
    assert (told["settings"]["method"], told["settings"]["minimum_coca_ha"]) == ("geometric-mean", 10)
    assert told["settings"]["locked_in"] == ["01001"]
    assert told["sources"][0]["title"] == example.HOSTILE
    assert WORDS["es"]["missing"] in told["caveat"]
    rows = [feature["properties"] for feature in collection["features"]]
    assert {row["year"] for row in rows} == {2018}
    assert all(row[key] is None for row in rows for key in ("rank_low", "rank_high", "top_share"))
    assert any(row["score"] is not None for row in rows)


def test_geometry_keeps_to_rfc_7946(spanish, told):
    path = spanish.take("geojson", "all")
    collection = _read(path)
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in collection["features"]]
    for shape in shapes:
        assert shape.is_valid
        for polygon in getattr(shape, "geoms", [shape]):
            assert polygon.exterior.is_ccw
            assert not any(hole.is_ccw for hole in polygon.interiors)
    assert collection["bbox"] == pytest.approx(list(shapely.total_bounds(shapes)))
    assert "crs" not in collection
    frame = gpd.read_file(path)
    assert frame.crs == "EPSG:4326"
    drawn = told.panel.places.geometry
    assert shapely.area(shapely.symmetric_difference(frame.geometry.to_numpy(), drawn.to_numpy())).max() < 1e-2
    corners = shapely.get_coordinates(shapes)
    assert (corners.round(6) == corners).all()


ALL = [f"0{d}{n:03d}" for d in (1, 2) for n in range(1, 11)]


@pytest.mark.parametrize(
    "holes",
    [
        ["01007"],
        ["01007", "02003"],
        ["01006", "02002"],
        ["01007", "01008", "02002"],
        ["01002", "01006", "02009", "01009"],
    ],
    ids=["hole", "holes that touch", "notch that touches a hole", "bent hole", "corners cut off"],
)
def test_zones_are_the_outline_of_their_members(spanish, holes):
    spanish.set(weights=[1, 1, 2], lockedIn=[code for code in ALL if code not in holes], lockedOut=holes)
    shapes = gpd.read_file(spanish.take("geojson", "all")).set_index("code").geometry
    found = _read(spanish.take("geojson", "zones"))["features"]
    assert found
    for feature in found:
        outline = shapely.geometry.shape(feature["geometry"])
        union = shapes[feature["properties"]["members"]].union_all()
        assert outline.is_valid
        assert outline.equals(union)
        parts = list(getattr(outline, "geoms", [outline]))
        assert len(parts) == len(getattr(union, "geoms", [union]))
        assert all(part.exterior.is_ccw and not any(hole.is_ccw for hole in part.interiors) for part in parts)


# CSV


def test_csv_is_the_same_as_geojson_and_opens_in_a_spreadsheet(wide):
    rows = [feature["properties"] for feature in _read(wide.take("geojson", "all"))["features"]]
    path = wide.take("csv")
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\r\n")
    head, *cells = _rows(path)
    assert head == list(rows[0])
    assert len(cells) == 22
    for row, line in zip(rows, cells, strict=True):
        for value, text in zip(row.values(), line, strict=True):
            if value is None:
                assert text == ""
            elif isinstance(value, bool):
                assert text == str(value).lower()
            elif isinstance(value, str):
                assert text == ("'" + value if value.startswith(FORMULA) else value)
            else:
                assert float(text) == value
    table = pd.read_csv(path, dtype={"code": str})
    assert table["code"].tolist() == [row["code"] for row in rows]


def test_no_text_cell_begins_as_a_formula(spanish):
    _, *rows = _rows(spanish.take("csv", "all"))
    assert [row[1][0] for row in rows if row[1].lstrip("'").startswith(FORMULA)] == ["'"] * 7
    assert all(not row[1].startswith(FORMULA) for row in rows)
    assert {row[1].removeprefix("'") for row in rows} >= set(NAMES.values())


def test_csv_for_excel_in_spanish_has_semicolons_and_decimal_commas(spanish):
    plain = _rows(spanish.take("csv", "top"))
    spanish.one("#pr-take-excel").click()
    other = _rows(spanish.take("csv"), ";")
    assert len(other) == len(plain)
    area = plain[0].index("area_km2")
    assert [row[area] for row in other[1:]] == [row[area].replace(".", ",") for row in plain[1:]] == ["12300,5"] * 17
    assert [row[1] for row in other] == [row[1] for row in plain]


def test_csv_of_zones_lists_members_in_one_cell(spanish, expected):
    head, *rows = _rows(spanish.take("csv", "zones"))
    assert head[:4] == ["zone", "name", "year", "members"]
    for row in rows:
        assert row[3].split() == [
            code
            for code, known in sorted(expected.items(), key=lambda each: each[1]["rank"] or 99)
            if known["zone"] == row[0]
        ]


# Image


def test_image_shows_map_and_legend_at_twice_the_size(wide):
    path = wide.take("png")
    assert path.name == "presencia-2020-score.png"
    image = _image(path)
    width, height = wide.run(
        "const b = presencia.map.getContainer().getBoundingClientRect(); return [b.width, b.height]"
    )
    assert image.width == round(2 * width)
    assert image.height > 2 * height + 200
    below = image.crop((0, image.height - round(image.height - 2 * height) + 100, image.width, image.height))
    colours = {tuple(int(part) for part in re.findall(r"\d+", colour)[:3]) for colour in wide.run(
        "return [...document.querySelectorAll('#pr-legend .pr-swatch')].map((s) => getComputedStyle(s).backgroundColor)"
        ".filter((c) => !/, 0\\)/.test(c))"
    )}  # fmt: skip
    drawn = {colour for _, colour in below.getcolors(1 << 24) or ()}
    assert colours
    assert colours <= drawn
    inked = [
        count
        for count, colour in image.crop((0, 0, image.width, 100)).getcolors(1 << 24) or ()
        if colour == (22, 36, 44)
    ]
    assert inked[0] > 500


def test_image_of_another_measure_is_another(spanish):
    first = spanish.take("png")
    spanish.set(measure="coca_ha", year=2015)
    second = spanish.take("png")
    assert second.name == "presencia-2015-coca_ha.png"
    assert first.read_bytes() != second.read_bytes()


# Paper

FACTS = """
const done = arguments[0];
window.dispatchEvent(new Event("beforeprint"));
const sheet = document.getElementById("pr-print"), frame = sheet.getBoundingClientRect();
const outside = [...sheet.querySelectorAll("*")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.bottom > frame.bottom + 1 || box.right > frame.right + 1 || box.left < frame.left - 1;
});
const image = sheet.querySelector("img");
image.decode().then(() => {
  const pen = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data;
  const told = {
    text: sheet.textContent,
    rows: [...sheet.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
    outside: outside.map((each) => each.outerHTML.slice(0, 80)), colours: new Set(new Uint32Array(pixels.buffer)).size,
    title: sheet.querySelector("h1").textContent, drawn: image.getBoundingClientRect().width,
  };
  window.dispatchEvent(new Event("afterprint"));
  done(told);
});
"""


def _pdf(taker) -> bytes:
    printed = taker.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    return base64.b64decode(printed["data"])


def test_paper_is_one_sheet_with_all_that_it_needs(wide, lang, expected):
    told = wide.driver.execute_async_script(FACTS)
    for word in ("first", "sources", "missing", "coca"):
        assert WORDS[lang][word] in told["text"]
    assert told["title"] in told["text"]
    assert told["outside"] == []
    assert told["colours"] > 5
    assert told["drawn"] > 400
    assert 10 <= len(told["rows"]) <= 15
    ranked = sorted((row for row in expected.values() if row["rank"]), key=lambda row: row["rank"])
    for row, known in zip(told["rows"], ranked, strict=False):
        assert row[0] == str(known["rank"])
        assert row[5] == f"{known['rank_low']}–{known['rank_high']}"
        assert float(row[3].replace(",", ".")) == pytest.approx(known["score"], abs=0.0051)
    pdf = _pdf(wide)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
    [box] = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf))
    width, height = map(float, box)
    assert (width, height) == pytest.approx((842, 595), abs=2)
    assert b"/Subtype /Image" in pdf
    assert not wide.all("#pr-print")


def test_paper_has_the_legend_of_the_map_even_where_it_was_folded(spanish):
    spanish.one("#pr-legend summary").click()
    spanish.set(measure="coca_ha", year=2015)
    told = spanish.driver.execute_async_script(FACTS)
    assert "Coca en 2015 (ha)≥ 1.000" in told["text"]
    assert spanish.one("#pr-legend details").get_attribute("open") is None


def test_print_button_opens_the_print_dialogue(spanish):
    spanish.run("window.print = () => { window.asked = true; }")
    spanish.one("#pr-take-print").click()
    spanish.wait(lambda: spanish.run("return window.asked"), "the dialogue")
    assert spanish.run("return document.querySelector('#pr-print img').complete") is True


def test_paper_says_so_where_scores_are_not_the_runs(spanish):
    spanish.set(weights=[1, 0, 0], minimum=0, only="pdet", lockedIn=["01001"])
    told = spanish.driver.execute_async_script(FACTS)
    for word in ("ajustes hechos en la página", "100,0\u00a0%", "Solo municipios PDET", "fijados a mano: 1"):
        assert word in told["text"]
    assert told["outside"] == []
    assert {len(row) for row in told["rows"]} == {5}
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", _pdf(spanish))) == 1


def test_paper_of_another_year_keeps_the_runs_weights_and_of_a_department_lists_its_own(spanish):
    spanish.set(year=2017, department="02")
    told = spanish.driver.execute_async_script(FACTS)
    assert "con los pesos y el método de la corrida" in told["text"]
    assert "Primeros del departamento, 2017" in told["text"]
    assert {row[2] for row in told["rows"]} == {"Sur <i>"}


# The page and its address


def test_a_saved_page_opens_as_it_was(wide, lang, desktop):
    wide.set(year=2017, measure="coca_ha", weights=[3, 1, 2], chosen="01001", top=7, lockedOut=["01002"])
    before = wide.state()
    saved = wide.take("save")
    assert saved.name == "presencia-2017.html"
    assert saved.read_bytes().startswith(b"\xef\xbb\xbf<!DOCTYPE html>")
    again = opened(desktop, saved)
    assert {key: value for key, value in again.state().items() if key != "view"} == {
        key: value for key, value in before.items() if key != "view"
    }
    assert again.one("html").get_attribute("lang") == lang
    again.set(year=2019)
    twice = wide.take("save")
    head = twice.read_text(encoding="utf-8-sig").split("<script", 1)[0]
    assert head.count("presencia-state") == 1
    assert opened(desktop, twice).state()["year"] == 2019


def test_a_link_is_copied_with_the_state(wide, lang, desktop):
    desktop.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    wide.set(year2=2016)
    wide.one("#pr-take-copy").click()
    wide.wait(lambda: WORDS[lang]["copied"] in wide.text(".pr-take-said"), "the link to be copied")
    address = desktop.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert address.startswith("file:")
    assert "year2=2016" in address.split("#")[1]
    assert WORDS[lang]["copied"] in wide.one("#pr-live").get_attribute("textContent")


def test_a_link_can_be_copied_by_hand_where_the_browser_refuses(spanish):
    spanish.run("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    spanish.one("#pr-take-copy").click()
    spanish.wait(lambda: spanish.seen("#pr-take-link"), "the field with the link")
    field = spanish.focused()
    assert field.get_attribute("id") == "pr-take-link"
    value = field.get_attribute("value")
    assert value.startswith("file:")
    assert (
        spanish.run("const f = document.activeElement; return f.value.slice(f.selectionStart, f.selectionEnd)") == value
    )


# By keyboard, by finger


def test_all_of_it_by_keyboard(wide):
    wide.run("document.getElementById('pr-take-top').focus()")
    wide.press(Keys.ARROW_DOWN)
    assert wide.one("#pr-take-vacated").is_selected()
    wide.press(Keys.TAB)
    assert wide.focused().get_attribute("id") == "pr-take-geojson"
    wide.press(Keys.ENTER)
    wide.wait(wide.arrived, "the file")
    assert wide.arrived()[0].name == "presencia-2020-vacated.geojson"
    wide.press(Keys.TAB, Keys.TAB, Keys.SPACE)
    assert wide.one("#pr-take-excel").is_selected()


@pytest.fixture(scope="module")
def phone():
    with browser.chromium(browser.PHONE, touch=True) as driver:
        yield driver


def test_on_a_phone_it_fits_and_fingers_hit(phone, page, lang, tmp_path):
    taker = _taker(phone, page, tmp_path, f"tab=take&lang={lang}")
    taker.one("#pr-open").click()
    for target in taker.all("#pr-tab-take button, #pr-tab-take label"):
        assert target.size["height"] >= 44
        assert target.rect["x"] + target.rect["width"] <= 390
    assert taker.run("const p = document.getElementById('pr-panel'); return p.scrollWidth <= p.clientWidth")
    assert len(_read(taker.take("geojson", "all"))["features"]) == 22
    assert _image(taker.take("png")).width == 780
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", _pdf(taker))) == 1
    clean(phone)
