"""The report in a real browser: read on two screens, printed to A4, and looked at by axe-core."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from selenium.webdriver import Chrome

from maps.report import page as build
from tests import browser
from tests.conftest import ROOT
from tests.maps import reported

pytestmark = pytest.mark.browser

AXE = ROOT / "build" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
AUDIT = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations.map(
  ({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))));
"""
AFTER_ZONES = 3  # the goal, and two pages of methods, sources, what is missing and caveats
A4 = (595, 842)  # points
# The width between the margins of a page, in CSS pixels, and what sticks out of it.
PAGE = round((210 - 2 * 13) / 25.4 * 96)
BEYOND = """
const wide = [], right = document.documentElement.clientWidth;
for (const each of document.querySelectorAll("body *")) {
  if (!each.checkVisibility() || each.closest(".aside, caption")) continue;
  const { left, right: edge } = each.getBoundingClientRect();
  if (left < -0.5 || edge > right + 0.5) wide.push(each.outerHTML.slice(0, 120));
}
return wide;
"""
TABLES = """
return [...document.querySelectorAll("table")].filter((table) => !table.closest("details")).map((table) =>
  [...table.querySelectorAll("th, td")].map((cell) => [...cell.childNodes].map((node) =>
    node.matches?.(".missing") ? "–" : node.textContent).join("")));
"""
CUT = """
return [...document.querySelectorAll("h2, h3, th, td, dt, dd, li, p")].filter((each) =>
  each.checkVisibility() && !each.closest(".aside") && each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
  .map((each) => each.outerHTML.slice(0, 120));
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(build.build(reported.opened(), lang="es"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def page(path: Path) -> Iterator[Chrome]:
    with browser.chromium() as driver:
        browser.open_file(driver, path)
        yield driver


@pytest.fixture(scope="module")
def printed(page: Chrome) -> pypdf.PdfReader:
    """On paper, with room for the drawings in place of them: their lines would take long to read."""
    page.execute_script("for (const each of document.images) each.style.visibility = 'hidden'")
    settings = {"preferCSSPageSize": True, "printBackground": True}
    data = page.execute_cdp_cmd("Page.printToPDF", settings)["data"]
    return pypdf.PdfReader(io.BytesIO(base64.b64decode(data)))


@pytest.fixture(scope="module")
def texts(printed: pypdf.PdfReader) -> list[str]:
    return [squeezed(each.extract_text()) for each in printed.pages]


def test_its_drawings_are_drawn(path: Path):
    drawn = re.findall(r'svg\+xml;base64,([^"]+)', path.read_text(encoding="utf-8"))
    texts = [base64.b64decode(each).decode() for each in drawn]
    assert len(texts) == 2 + 3 * len(zones())
    assert sum('id="posts-' in each for each in texts) == len(zones())


def squeezed(text: str) -> str:
    """Without blanks, which a line break may stand for or not."""
    return re.sub(r"\s+", "", text)


def zones() -> list[str]:
    return [str(name) for name in reported.opened().folder.zones["name"]]


@pytest.fixture
def screen(page: Chrome, request: pytest.FixtureRequest) -> Iterator[Chrome]:
    width, height = request.param
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    metrics |= {"screenWidth": width, "screenHeight": height}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield page
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("screen", [browser.DESKTOP, browser.PHONE, (320, 640)], indirect=True)
def test_it_is_read_without_sliding_sideways_and_fetches_nothing(screen: Chrome):
    # A phone zooms out from what is too wide, and then its view is wider than its screen.
    wide, view = screen.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= view == screen.execute_script("return screen.width")
    assert browser.complaints(screen) == []
    assert browser.requests(screen) == []
    loaded = screen.execute_script("return [...document.images].map((each) => each.complete && each.naturalWidth > 0)")
    assert len(loaded) == 2 + 3 * len(zones())
    assert all(loaded)


@pytest.mark.parametrize("screen", [(PAGE, 1000)], indirect=True)
def test_nothing_on_paper_is_wider_than_its_page_or_cut(screen: Chrome):
    screen.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert screen.execute_script("return innerWidth") == PAGE
    assert screen.execute_script(BEYOND) == []
    assert screen.execute_script(CUT) == []


def test_the_pdf_has_a_page_a_zone_and_the_others(printed: pypdf.PdfReader, texts: list[str]):
    names = zones()
    assert len(printed.pages) == 1 + len(names) + AFTER_ZONES
    for sheet in printed.pages:
        assert [round(float(side)) for side in sheet.mediabox[2:]] == pytest.approx(A4, abs=1)
    for number, name in enumerate(names, start=1):
        assert begins(texts[number], f"{number}.{squeezed(name)}"), texts[number][:80]
    assert begins(texts[len(names) + 1], squeezed("La meta de reducir la coca"))
    assert begins(texts[len(names) + 2], squeezed("Cómo se calcula"))
    assert min(len(text) for text in texts) > 700  # no page all but empty
    assert all(f"{number}/{len(texts)}" in text for number, text in enumerate(texts, start=1))


def begins(text: str, words: str) -> bool:
    """Whether a page begins with these words, be it after its margins' or before."""
    return text.removeprefix("Presencia").lstrip("0123456789/").removeprefix("Presencia").startswith(words)


def test_every_cell_of_every_table_is_on_paper(page: Chrome, texts: list[str]):
    whole = "".join(texts)
    tables: list[list[str]] = page.execute_script(TABLES)
    assert len(tables) == 1 + 2 * len(zones()) + 4
    assert [cell for table in tables for cell in table if squeezed(cell) not in whole] == []


def test_no_heading_is_the_last_line_of_a_page(page: Chrome, texts: list[str]):
    headings = page.execute_script("return [...document.querySelectorAll('h2, h3')].map((each) => each.textContent)")
    ends = [re.sub(r"(Presencia)?\d*/?\d*$", "", text) for text in texts]
    assert not [heading for heading in headings for end in ends if end.endswith(squeezed(heading))]


@pytest.mark.parametrize("screen", [browser.PHONE], indirect=True)
def test_it_breaks_no_rule_of_accessibility(screen: Chrome):
    if not AXE.is_file():
        pytest.skip("needs axe-core: make axe")
    # The page lets in no script, so axe is run as the browser's own tools are.
    screen.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    screen.execute_script(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = screen.execute_async_script(AUDIT)
    assert [json.dumps(each) for each in found] == []
