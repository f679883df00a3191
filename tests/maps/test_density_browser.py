"""Coca by cell on the page: where each cell is drawn, its years, its legend, and enclaves by mouse, keys and finger."""

from __future__ import annotations

import dataclasses
import io
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from PIL import Image
from selenium.webdriver.common.keys import Keys

from geo.grid import Grid
from layers.enclaves import EnclaveTerms
from maps import density, legend, standalone, webmap
from tests.maps import example, test_accessibility
from tests.maps.test_accessibility import audit, axe  # noqa: F401 - a fixture
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

ON = "overlays=density"
# Under these nothing lies over the middle of the map but the map.
BARE = """
for (const part of document.querySelectorAll("main > :not(.folium-map)")) part.style.visibility = "hidden";
for (const part of document.querySelectorAll(".leaflet-control-container")) part.style.visibility = "hidden";
"""
ZOOMS = (9, 11, 13)


def content(crs: str = "EPSG:9377"):
    return dataclasses.replace(example.content(), density=example.density(example.cells(crs)))


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    return example.write(tmp_path_factory.mktemp("density"), content())


@pytest.fixture(scope="module")
def degrees_page(tmp_path_factory) -> Path:
    return example.write(tmp_path_factory.mktemp("degrees"), content("EPSG:4326"))


@pytest.fixture
def desk(desktop, page, lang):
    yield opened(desktop, page, f"{ON}&lang={lang}")
    clean(desktop)


@pytest.fixture
def hand(phone, page, lang):
    yield opened(phone, page, f"{ON}&lang={lang}")
    clean(phone)


def scale(crs: str = "EPSG:9377") -> legend.Scale:
    return legend.fitted(density.AMOUNT, pd.DataFrame(example.cells(crs).density()))


def colour(ha_per_km2: float, crs: str = "EPSG:9377") -> tuple[int, int, int]:
    found = scale(crs)
    r, g, b = bytes.fromhex(found.colours[sum(ha_per_km2 >= limit for limit in found.breaks)][1:])
    return r, g, b


def place(row: float, col: float, crs: str = "EPSG:9377") -> tuple[float, float]:
    """Latitude and longitude of a point of the grid; the middle of cell (r, c) is at (r, c) itself."""
    point = example.grid(crs).centres([row], [col]).to_crs("EPSG:4326")
    return float(point.y.iloc[0]), float(point.x.iloc[0])


def density_at(cell: tuple[int, int], year: int = 2020, crs: str = "EPSG:9377") -> float:
    known = example.cells(crs)
    at = np.flatnonzero((known.row == cell[0]) & (known.col == cell[1]))[0]
    return float(known.density()[at, known.years.index(year)])


def seen(reader: Reader, lat: float, lng: float) -> tuple[int, ...]:
    """The pixel of a screenshot at a place."""
    x, y = reader.place(lat, lng)
    shot = Image.open(io.BytesIO(reader.driver.get_screenshot_as_png())).convert("RGB")
    return tuple(int(part) for part in np.asarray(shot)[math.floor(y), math.floor(x)])


def look(reader: Reader, lat: float, lng: float, zoom: int) -> None:
    reader.run("presencia.map.setView([arguments[0], arguments[1]], arguments[2], { animate: false })", lat, lng, zoom)
    reader.settled()


def shows(reader: Reader, cell: tuple[int, int], expected: tuple[int, ...], crs: str = "EPSG:9377") -> None:
    """Wait until a cell, whose picture may still be decoded, has a colour in a screenshot."""
    reader.wait(lambda: seen(reader, *place(*cell, crs)) == expected, f"{expected} in cell {cell}")


# ---- Where cells are ----


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("crs", ["EPSG:9377", "EPSG:4326"])
def test_a_pixel_at_a_known_point_has_the_colour_of_its_cell(desktop, page, degrees_page, crs, zoom):
    """And so have points a quarter of a cell from its middle, and none a whole cell from it."""
    reader = opened(desktop, page if crs == "EPSG:9377" else degrees_page, ON)
    reader.run(BARE)
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    for cell in example.ALONE:
        expected = colour(density_at(cell, crs=crs), crs)
        look(reader, *place(*cell, crs), zoom)
        shows(reader, cell, expected, crs)
        # A turned cell at zoom 9 is three pixels wide: there its middle has to do.
        for reach, same in ((0.25 if zoom > 9 else 0.0, True), (1.0, False)):
            found = {seen(reader, *place(cell[0] + reach * y, cell[1] + reach * x, crs)) for y, x in steps}
            assert (found == {expected}) if same else (expected not in found)
    clean(desktop)


def test_cells_and_borders_of_municipalities_lie_where_each_other_says(desktop, page):
    """The corner of four municipalities is at 3 degrees north, 75 west; the cell that holds it is drawn around it."""
    grid = example.grid("EPSG:4326")
    row, col = round((3.8 - 3.0) / 0.01), round((-75.0 + 75.5) / 0.01)
    one = dataclasses.replace(
        example.cells(), grid=grid, row=np.array([row - 1, row]), col=np.array([col - 1, col]),
        hectares=pd.DataFrame({2020: [5.0, 50.0]}),
    )  # fmt: skip
    nothing: gpd.GeoDataFrame = example.density().enclaves.iloc[:0]
    shown = dataclasses.replace(example.density(one), enclaves=nothing)
    path = page.parent / "corner.html"
    path.write_text(
        standalone.page(webmap.build(dataclasses.replace(example.content(), density=shown))), encoding="utf-8"
    )
    reader = opened(desktop, path, ON)
    reader.run(BARE)
    for zoom in (10, 12):
        look(reader, 3.0, -75.0, zoom)
        shows(reader, (row, col), colour_in(shown, 50.0), "EPSG:4326")
        x, y = reader.place(3.0, -75.0)
        shot = np.asarray(Image.open(io.BytesIO(desktop.get_screenshot_as_png())).convert("RGB"), dtype=int)
        x, y = round(x), round(y)
        assert tuple(shot[y + 4, x + 4]) == colour_in(shown, 50.0)
        assert tuple(shot[y - 4, x - 4]) == colour_in(shown, 5.0)
        # North-east and south-west of the corner there is no coca, only the municipality beneath.
        assert {tuple(shot[y - 4, x + 4]), tuple(shot[y + 4, x - 4])}.isdisjoint(
            {colour_in(shown, 5.0), colour_in(shown, 50.0)}
        )
        # White borders of the municipalities run from the corner along both edges of the cell.
        assert shot[y - 1 : y + 2, x + 4].max(axis=0).min() > shot[y + 4, x + 4].max()
    clean(desktop)


def colour_in(shown: density.DensityContent, ha: float) -> tuple[int, int, int]:
    known = legend.fitted(density.AMOUNT, pd.DataFrame(shown.density.density()))
    value = ha * 100 / shown.density.cell_ha()[0]
    r, g, b = bytes.fromhex(known.colours[sum(value >= limit for limit in known.breaks)][1:])
    return r, g, b


def test_from_afar_a_single_cell_is_still_seen(desktop, page):
    reader = opened(desktop, page, ON)
    for zoom in (4, 5, 6, 7):
        look(reader, 2.0, -74.0, zoom)
        expected = [(cell, colour(density_at(cell))) for cell in example.ALONE]
        reader.wait(
            lambda: all(own in reader.colours(*place(*cell), 2) for cell, own in expected),  # noqa: B023
            f"every cell at zoom {zoom}",
        )
    clean(desktop)


def test_the_middle_of_each_cell_is_right_when_the_map_is_moved_by_hand(desktop, page):
    reader = opened(desktop, page, ON)
    reader.run(BARE)
    cell = (20, 30)
    look(reader, *place(*cell), 10)
    reader.run("presencia.map.panBy([137, -61], { animate: false })")
    reader.settled()
    shows(reader, cell, colour(density_at(cell)))
    clean(desktop)


# ---- Years, toggle, opacity ----


def test_a_year_step_changes_the_cells(desktop, page):
    reader = opened(desktop, page, f"{ON}&year=2020")
    reader.run(BARE)
    cell = (20, 30)
    look(reader, *place(*cell), 11)
    shows(reader, cell, colour(40.0))
    reader.set(year=2018)
    half = colour(density_at(cell, 2018))
    assert half != colour(40.0)
    shows(reader, cell, half)
    reader.set(year=2021)
    reader.wait(lambda: seen(reader, *place(*cell)) not in {half, colour(40.0)}, "no cells where there is no coca")
    clean(desktop)


def test_a_year_without_data_by_cell_has_none_and_the_legend_says_so(desk, lang):
    assert desk.text("#pr-cells h2").startswith(
        {"es": "Coca por celda de 1 km, 2020", "en": "Coca by 1 km cell, 2020"}[lang]
    )
    rows = len(desk.all("#pr-cells li"))
    assert rows == len(scale().colours) + 2
    desk.set(year=2019)
    assert {"es": "Sin dato por celda en 2019; hay de 2018 a 2021.", "en": "No data by cell for 2019"}[
        lang
    ] in desk.text("#pr-cells")
    assert desk.all("#pr-cells li") == []
    look(desk, *place(20, 30), 11)
    assert colour(40.0) not in desk.colours(*place(20, 30), 3)
    desk.set(year=2018)
    assert len(desk.all("#pr-cells li")) == rows


def test_the_legend_has_the_colours_and_limits_of_the_classes(desk):
    shown = [
        desk.run("return getComputedStyle(arguments[0]).backgroundColor", swatch)
        for swatch in desk.all("#pr-cells .pr-swatch:not(.pr-swatch-none)")
    ]
    assert shown == ["rgb({}, {}, {})".format(*bytes.fromhex(c[1:])) for c in reversed(scale().colours)]


def test_the_layer_is_on_at_first_and_a_key_turns_it_off_and_on(desktop, page, lang):
    reader = opened(desktop, page, f"lang={lang}")
    look(reader, *place(20, 30), 11)
    reader.wait(lambda: colour(40.0) in reader.colours(*place(20, 30)), "the cells")
    assert reader.seen("#pr-density")
    assert reader.seen("#pr-cells")
    assert {"es": "Densidad de coca (celdas de 1 km)", "en": "Density of coca (1 km cells)"}[lang] in reader.text(
        "#pr-tab-layers"
    )
    reader.run("document.getElementById('pr-overlay-density').focus()")
    reader.press(Keys.SPACE)
    reader.wait(lambda: colour(40.0) not in reader.colours(*place(20, 30)), "the cells to go")
    assert not reader.seen("#pr-density")
    assert not reader.all("#pr-cells")
    reader.wait(lambda: "overlays" in reader.run("return location.hash"), "the address")
    reader.press(Keys.SPACE)
    reader.wait(lambda: colour(40.0) in reader.colours(*place(20, 30)), "the cells again")
    assert reader.seen("#pr-density")
    clean(desktop)


def test_the_slider_lets_municipalities_through(desk):
    look(desk, *place(20, 30), 11)
    desk.wait(lambda: colour(40.0) in desk.colours(*place(20, 30)), "the cell")
    beside = desk.colours(*place(20, 34))
    desk.run("document.getElementById('pr-density-opacity').focus()")
    desk.press(Keys.HOME)
    desk.wait(lambda: colour(40.0) not in desk.colours(*place(20, 30)), "a paler cell")
    assert desk.colours(*place(20, 34)) != beside
    assert desk.run("return document.activeElement.getAttribute('aria-valuetext')").startswith("20")


def test_municipalities_pale_as_their_swatches_do(desk):
    """What lies under the cells is mixed with white; so are the swatches of its legend."""
    paled = float(desk.run("return getComputedStyle(document.querySelector('#pr-legend .pr-swatch')).opacity"))
    assert paled == pytest.approx(0.4)
    (after,) = desk.colours(3.3, -75.7)
    desk.set(overlays=[])
    (before,) = desk.colours(3.3, -75.7)
    assert after == pytest.approx([255 - paled * (255 - value) for value in before], abs=2)


def test_both_parts_of_a_cut_map_show_the_cells_of_their_year(desktop, page):
    reader = opened(desktop, page, f"{ON}&compare=swipe&year=2020&year2=2018")
    cell = (20, 30)
    look(reader, *place(*cell), 11)
    reader.set(swipe=0.9)
    reader.wait(lambda: colour(40.0) == one_colour(reader, "pr-one", place(*cell)), "the year on the left")
    reader.wait(
        lambda: colour(density_at(cell, 2018)) == one_colour(reader, "pr-two", place(*cell)), "the year on the right"
    )
    assert "2020 | 2018" in reader.text("#pr-cells h2")
    clean(desktop)


def one_colour(reader: Reader, pane: str, spot: tuple[float, float]) -> tuple[int, ...]:
    pixel = reader.run(
        """
        const [pane, lat, lng] = arguments, map = presencia.map;
        const sheet = map.getPane(pane).querySelector("canvas");
        const at = map.latLngToContainerPoint([lat, lng]), box = sheet.getBoundingClientRect();
        const frame = map.getContainer().getBoundingClientRect();
        const [x, y] = [at.x + frame.x - box.x, at.y + frame.y - box.y].map(Math.round);
        return [...sheet.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
        """,
        pane, *spot,
    )  # fmt: skip
    return tuple(pixel)


# ---- Enclaves ----


def test_the_list_leads_to_the_card_by_keys_and_back(desk, lang):
    assert {"es": "Enclaves de coca, 2020: 2", "en": "Coca enclaves, 2020: 2"}[lang] == desk.text("#pr-enclaves-title")
    button = desk.one("[data-enclave='E01']")
    assert example.HOSTILE in button.text
    desk.run("arguments[0].focus()", button)
    desk.press(Keys.ENTER)
    desk.wait(lambda: desk.seen("#pr-card"), "the card")
    desk.settled()
    assert desk.focused().get_attribute("id") == "pr-card"
    middle = desk.run(
        "const c = presencia.map.getBounds(); return [c.getSouth(), c.getNorth(), c.getWest(), c.getEast()]"
    )
    lat, lng = place(103, 104)
    assert middle[0] < lat < middle[1]
    assert middle[2] < lng < middle[3]
    assert button.get_attribute("aria-pressed") == "true"
    assert "E01" in desk.run("return presencia.app.store.fragment()")
    desk.press(Keys.ESCAPE)
    assert not desk.seen("#pr-card")
    assert desk.focused().get_attribute("data-enclave") == "E01"


CARD = {
    "es": [
        "Enclave de coca", "1.440 ha", "95,3 %", "48 km²", "48 celdas",
        "se tocan por un lado o una esquina, que en 2020 tenían al menos 8 ha de coca por km² y tuvieron coca en al "
        "menos 2 de los 2 años medidos (2018-2020), y que juntas suman al menos 3 km²",
        "Años con coca, de los 2 años medidos (media de sus celdas)\n1,5", "17,3 km",
        "En resguardo indígena\n25 %", "En consejo comunitario\n0 %",
        "En parque nacional\nno medido", "Aquí rigen derechos especiales",
    ],
    "en": [
        "Coca enclave", "1,440 ha", "95.3%", "48 km²", "48 cells",
        "share a side or a corner, that in 2020 had at least 8 ha of coca per km² and had coca in at least 2 of the "
        "2 years measured (2018-2020), and that together make up at least 3 km²",
        "Years with coca, of the 2 years measured (mean of its cells)\n1.5", "17.3 km",
        "In an indigenous reserve\n25%", "In a community council\n0%",
        "In a national park\nnot measured", "Special rights apply here",
    ],
}  # fmt: skip


def test_the_card_tells_the_figures_the_terms_and_what_was_not_measured(desk, lang):
    desk.run("presencia.app.choose('E01', {})")
    told = desk.text("#pr-card")
    for words in CARD[lang]:
        assert words in told, words
    assert f"Encuesta {example.HOSTILE}" in told
    assert [row.text.split(" ")[0] for row in desk.all("#pr-card [data-choose]")] == ["Pueblo", "Pueblo"]
    desk.run("presencia.app.choose('E02', {})")
    assert {"es": "más cercano\nno medido", "en": "police post\nnot measured"}[lang] in desk.text("#pr-card")
    desk.set(lang={"es": "en", "en": "es"}[lang])
    assert CARD[{"es": "en", "en": "es"}[lang]][0] in desk.text("#pr-card")


def test_the_chart_of_the_card_has_the_enclaves_own_years(desk):
    desk.run("presencia.app.choose('E01', {})")
    desk.one("#pr-card .pr-years summary").click()
    rows = [row.text.split() for row in desk.all("#pr-card .pr-years tbody tr")]
    assert [row[0] for row in rows] == ["2018", "2019", "2020", "2021"]
    assert [row[1].replace(".", "").replace(",", "") for row in rows] == ["720", "–", "1440", "0"]


def test_a_click_on_an_outline_opens_its_card_and_beside_it_the_municipalitys(desk):
    look(desk, *place(103, 104), 10)
    desk.click_at(*place(103, 104))
    desk.wait(lambda: desk.state()["chosen"] == "E01", "the enclave")
    look(desk, *place(130, 104), 10)
    desk.click_at(*place(130, 104))
    desk.wait(lambda: str(desk.state()["chosen"]).isdigit(), "the municipality")
    desk.set(overlays=[])
    look(desk, *place(103, 104), 10)
    desk.click_at(*place(103, 104))
    desk.wait(lambda: str(desk.state()["chosen"]).isdigit(), "the municipality, where no cells are shown")


def test_hovering_names_the_enclave(desk):
    look(desk, *place(103, 104), 10)
    desk.point_at(*place(103, 104))
    desk.wait(lambda: desk.seen(".pr-hint"), "the hint")
    assert "E01" in desk.text(".pr-hint")
    desk.point_at(*place(130, 104))
    desk.wait(lambda: "E01" not in desk.text(".pr-hint"), "the hint of the municipality alone")


def test_a_card_leads_on_to_its_municipality(desk):
    desk.run("presencia.app.choose('E01', {})")
    desk.one("#pr-card [data-choose='01007']").click()
    desk.wait(lambda: desk.state()["chosen"] == "01007", "the municipality")


def test_an_address_opens_the_card_of_an_enclave_and_an_unknown_one_nothing(desktop, page):
    reader = opened(desktop, page, f"{ON}&chosen=E02")
    assert "Alfa" in reader.text("#pr-card h2")
    reader = opened(desktop, page, f"{ON}&chosen=E77")
    assert not reader.seen("#pr-card")
    clean(desktop)


def test_the_table_and_the_picture_stand_beside_a_chosen_enclave(desk):
    desk.run("presencia.app.choose('E01', {})")
    desk.set(table=True)
    assert desk.seen("#pr-table")
    desk.set(table=False, tab="take")
    look(desk, *place(20, 30), 11)
    desk.wait(lambda: colour(40.0) in desk.colours(*place(20, 30)), "the cell")
    found = desk.run(
        """
        const { canvas, width } = presencia.app.picture(), ratio = canvas.width / width;
        const point = presencia.map.latLngToContainerPoint(arguments[0]);
        return [...canvas.getContext("2d").getImageData(point.x * ratio, point.y * ratio, 1, 1).data].slice(0, 3);
        """,
        list(place(20, 30)),
    )
    assert tuple(found) == colour(40.0)


def test_by_finger_on_a_phone(hand, lang):
    look(hand, *place(103, 104), 9)
    hand.tap_at(*place(103, 104))
    hand.wait(lambda: hand.seen("#pr-card"), "the card")
    assert {"es": "Enclave de coca", "en": "Coca enclave"}[lang] in hand.text("#pr-card")
    hand.one("#pr-card .pr-close").click()
    hand.one("#pr-open").click()
    hand.run("arguments[0].scrollIntoView({ block: 'center' })", hand.one("[data-enclave='E02']"))
    hand.one("[data-enclave='E02']").click()
    hand.wait(lambda: hand.state()["chosen"] == "E02", "the card from the list")
    assert not hand.seen("#pr-panel")
    hand.settled()
    assert hand.run("return document.documentElement.scrollWidth <= innerWidth")


# ---- What was not measured, finer cells, few years, no national total ----


@pytest.fixture(scope="module")
def raster_page(tmp_path_factory) -> Path:
    shown = example.density(example.raster("EPSG:4326"))
    return example.write(tmp_path_factory.mktemp("raster"), dataclasses.replace(example.content(), density=shown))


@pytest.fixture(scope="module")
def lone_page(tmp_path_factory) -> Path:
    """Cells of 500 m of one year without a national total."""
    known = example.grid()
    half = Grid(known.crs, known.transform @ Affine.scale(0.5), known.height, known.width)
    cells = example.cells()
    one = dataclasses.replace(cells, grid=half, hectares=cells.hectares[[2020]] / 4, finer=True)
    shown = example.density(one)
    enclaves = shown.enclaves.assign(national_share=np.nan, years_with_coca=1.0, years_known=1)
    return with_density(tmp_path_factory.mktemp("lone"), dataclasses.replace(shown, enclaves=enclaves))


@pytest.fixture(scope="module")
def decade_page(tmp_path_factory) -> Path:
    cells = example.cells()
    decade = dataclasses.replace(cells, hectares=pd.DataFrame(dict.fromkeys(range(2011, 2021), cells.hectares[2020])))
    return with_density(
        tmp_path_factory.mktemp("decade"), dataclasses.replace(example.density(decade), terms=EnclaveTerms())
    )


def with_density(folder: Path, shown: density.DensityContent) -> Path:
    return example.write(folder, dataclasses.replace(example.content(), density=shown))


def tinted(under: tuple[int, ...]) -> list[float]:
    """What is seen of a colour under what was not measured."""
    share = density.FAINT / 255
    grey = bytes.fromhex(density.TINT[1:])
    return [share * over + (1 - share) * below for over, below in zip(grey, under, strict=True)]


CLOUDY = (26.5, 38.5)  # amid what no year measured
FAR = (3.9, -75.3)  # in a municipality, beyond the raster
HOT, CLEAR = (20, 30), (20, 34)


@pytest.mark.parametrize("zoom", [7, 10, 12])
def test_hot_clear_blank_and_never_measured_cells_are_told_apart(desktop, raster_page, zoom):
    reader = opened(desktop, raster_page, f"{ON}&year=2020")
    reader.run(BARE)
    at = {name: place(*cell, "EPSG:4326") for name, cell in [("hot", HOT), ("clear", CLEAR), ("never", CLOUDY)]}
    look(reader, *at["never"], zoom)
    if zoom > 7:
        shows(reader, HOT, colour(density_at(HOT, crs="EPSG:4326"), "EPSG:4326"), "EPSG:4326")
    clear = seen(reader, *at["clear"])
    reader.wait(lambda: seen(reader, *at["never"]) == pytest.approx(tinted(clear), abs=2), "grey where never measured")
    assert seen(reader, *place(22, 37, "EPSG:4326")) == clear
    look(reader, *FAR, zoom)
    assert seen(reader, *FAR) == pytest.approx(tinted(clear), abs=2), "beyond the raster"
    look(reader, *at["hot"], zoom)
    reader.set(year=2021)
    # From afar a cell is smaller than a pixel, and its dot is beside its middle.
    expected, reach = pytest.approx(tinted(clear), abs=2), 0.5 * (zoom < 8)
    spots = [place(HOT[0] + reach * y, HOT[1] + reach * x, "EPSG:4326") for y in (-1, 0, 1) for x in (-1, 0, 1)]
    reader.wait(lambda: any(seen(reader, *spot) == expected for spot in spots), "grey where blank")
    assert seen(reader, *at["clear"]) == pytest.approx(clear, abs=2)
    reader.set(year=2019)
    assert seen(reader, *at["never"]) == pytest.approx(seen(reader, *at["clear"]), abs=2), "no year, and so no grey"
    clean(desktop)


def test_both_parts_of_a_cut_map_show_what_was_not_measured(desktop, raster_page):
    reader = opened(desktop, raster_page, f"{ON}&compare=swipe&year=2020&year2=2021")
    reader.run(BARE)
    spot, beside = place(*CLOUDY, "EPSG:4326"), place(22, 37, "EPSG:4326")
    look(reader, *spot, 11)
    for swipe in (0.9, 0.1):
        reader.set(swipe=swipe)
        expected = pytest.approx(tinted(seen(reader, *beside)), abs=2)
        reader.wait(lambda: seen(reader, *spot) == expected, f"grey with the cut at {swipe}")  # noqa: B023
    clean(desktop)


def test_the_edge_of_a_raster_is_a_dashed_line(desktop, raster_page, degrees_page):
    edge = (3.8, -75.03)
    for path, dashed in ((raster_page, True), (degrees_page, False)):
        reader = opened(desktop, path, ON)
        reader.run(BARE)
        look(reader, *edge, 12)
        x, y = (round(value) for value in reader.place(*edge))
        shot = np.asarray(Image.open(io.BytesIO(desktop.get_screenshot_as_png())).convert("RGB"), dtype=int)
        along = shot[y - 1 : y + 2, x - 30 : x].min(axis=2)
        assert ((along.min(axis=0) < 130).any() and (along.max(axis=0) > 240).any()) == dashed
        assert np.ptp(shot[y - 20 : y - 8, x - 30 : x].reshape(-1, 3), axis=0).max() <= 2
        clean(desktop)


GAP = {"es": "Sin medir", "en": "Not measured"}
EDGE = {"es": "Borde de la capa", "en": "Edge of the layer"}


def test_the_legend_tells_what_was_not_measured_where_there_is_such(desktop, page, raster_page, lang):
    reader = opened(desktop, raster_page, f"{ON}&lang={lang}")
    told = reader.text("#pr-cells")
    assert {"es": "0 (sin coca)", "en": "0 (no coca)"}[lang] in told
    assert GAP[lang] in told
    assert EDGE[lang] in told
    grey = reader.run("return getComputedStyle(document.querySelector('.pr-swatch-unmeasured')).backgroundColor")
    assert grey.startswith("rgba(92, 92, 92, 0.37")
    reader.set(year=2019)
    assert GAP[lang] not in reader.text("#pr-cells")
    clean(desktop)
    reader = opened(desktop, page, f"{ON}&lang={lang}&year=2020")
    assert not {GAP[lang], EDGE[lang]} & set(reader.text("#pr-cells").splitlines())
    reader.set(year=2021)
    assert GAP[lang] in reader.text("#pr-cells")
    assert EDGE[lang] not in reader.text("#pr-cells")
    clean(desktop)


FINER = {
    "es": "Celdas de menos de 1 km: muestran lotes de familias. No lo difunda.",
    "en": "Cells of less than 1 km: they show families’ fields. Do not pass on.",
}


def test_finer_cells_say_so_in_panel_and_legend(desktop, lone_page, page, lang):
    reader = opened(desktop, lone_page, f"{ON}&lang={lang}")
    assert reader.text("#pr-density").startswith(FINER[lang])
    assert FINER[lang] in reader.text("#pr-cells")
    reader.set(year=2019)
    assert FINER[lang] in reader.text("#pr-cells")
    clean(desktop)
    reader = opened(desktop, page, f"{ON}&lang={lang}")
    assert reader.all(".pr-finer") == []
    clean(desktop)


ONE_YEAR = {
    "es": "en 2020, el único año medido: no se sabe si perdura.",
    "en": "in 2020, the only year measured: whether it lasts is not known.",
}
NO_SHARE = {"es": "sin total nacional publicado", "en": "no published national total"}


def test_of_one_year_it_is_not_said_that_coca_lasts(desktop, lone_page, lang):
    reader = opened(desktop, lone_page, f"{ON}&lang={lang}")
    assert ONE_YEAR[lang] in reader.text("#pr-density")
    reader.run("presencia.app.choose('E01', {})")
    card = reader.text("#pr-card")
    assert ONE_YEAR[lang] in card
    assert {"es": "Años con coca, de 1 año medido\n1", "en": "Years with coca, of 1 year measured\n1"}[lang] in card
    assert "10" not in reader.text("#pr-card .pr-why")
    clean(desktop)


def test_without_a_national_total_the_card_says_so(desktop, lone_page, lang):
    reader = opened(desktop, lone_page, f"{ON}&lang={lang}")
    reader.run("presencia.app.choose('E01', {})")
    assert reader.text("#pr-card").count(NO_SHARE[lang]) == 2
    assert "%" not in reader.text("#pr-card .pr-tiles")
    reader.wait(lambda: told_aloud(reader, NO_SHARE[lang]), "the words")
    clean(desktop)


def told_aloud(reader: Reader, words: str) -> bool:
    return any(words in (part.get_attribute("textContent") or "") for part in reader.all("[aria-live]"))


def test_with_all_years_of_the_window_the_terms_are_those_asked_for(desktop, decade_page, lang):
    reader = opened(desktop, decade_page, f"{ON}&lang={lang}")
    words = {"es": "en al menos 5 de los últimos 10 años", "en": "in at least 5 of the last 10 years"}[lang]
    assert words in reader.text("#pr-density")
    reader.run("presencia.app.choose('E01', {})")
    assert words in reader.text("#pr-card")
    assert {"es": "de los últimos 10", "en": "of the last 10"}[lang] in reader.text("#pr-card .pr-figures")
    clean(desktop)


# ---- For everyone ----


@pytest.fixture(params=["desktop", "phone"])
def reader(request, page):
    driver = request.getfixturevalue(request.param)
    yield opened(driver, page, ON)
    clean(driver)


def reveal(reader: Reader) -> None:
    test_accessibility.reveal(reader)
    reader.run("document.getElementById('pr-density').scrollIntoView()")


@pytest.mark.parametrize(
    "part", [reveal, lambda reader: reader.run("presencia.app.choose('E01', {})")], ids=["list", "card"]
)
def test_neither_the_list_nor_the_card_breaks_a_rule_gravely(reader, axe, part):  # noqa: F811
    part(reader)
    for language in ("es", "en"):
        reader.set(lang=language)
        assert audit(reader, axe) == []
        assert reader.run(test_accessibility.CONTRAST) == []
        assert test_accessibility.overflow(reader) <= 0
        assert (
            reader.run("return innerWidth > 760")
            or reader.run(test_accessibility.TARGETS, test_accessibility.FINGER) == []
        )


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("shown", ["raster_page", "lone_page"])
def test_neither_notice_nor_gaps_break_a_rule_gravely(request, axe, screen, shown):  # noqa: F811
    driver = request.getfixturevalue(screen)
    reader = opened(driver, request.getfixturevalue(shown), ON)
    test_neither_the_list_nor_the_card_breaks_a_rule_gravely(reader, axe, reveal)
    clean(driver)
