"""What a person does with a page and sees on it; for the tests that drive a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests import browser

PATIENCE = 5.0  # seconds
AT_PLACE = """
const [lat, lng] = arguments;
const point = presencia.map.latLngToContainerPoint([lat, lng]);
const box = presencia.map.getContainer().getBoundingClientRect();
return [point.x + box.x, point.y + box.y];
"""
# The colours of the pixels about a place, as all canvases of the map show them together.
COLOURS = """
const [lat, lng, reach] = arguments;
const map = presencia.map, frame = map.getContainer().getBoundingClientRect();
const point = map.latLngToContainerPoint([lat, lng]);
const side = 2 * reach + 1;
const copy = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
const level = (sheet) => Number(getComputedStyle(sheet.closest(".leaflet-pane")).zIndex) || 0;
const sheets = [...map.getPane("mapPane").querySelectorAll("canvas")].sort((a, b) => level(a) - level(b));
for (const sheet of sheets) {
  const box = sheet.getBoundingClientRect(), scale = sheet.width / box.width;
  const from = [point.x + frame.x - box.x - reach, point.y + frame.y - box.y - reach];
  const [x, y] = from.map((at) => Math.round(at * scale));
  copy.drawImage(sheet, x, y, side * scale, side * scale, 0, 0, side, side);
}
const pixels = copy.getImageData(0, 0, side, side).data;
return Array.from({ length: pixels.length / 4 }, (_, at) => Array.from(pixels.slice(4 * at, 4 * at + 3)));
"""
RESTED = """
const done = arguments[0], map = presencia.map;
const rest = () => (map._animatingZoom || map._panAnim?._inProgress)
  ? requestAnimationFrame(rest) : requestAnimationFrame(() => requestAnimationFrame(() => done()));
requestAnimationFrame(() => requestAnimationFrame(rest));
"""


class Reader:
    """A person before a page."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def seen(self, selector: str) -> bool:
        return any(element.is_displayed() for element in self.all(selector))

    def colours(self, lat: float, lng: float, reach: int = 0) -> set[tuple[int, ...]]:
        return {tuple(pixel) for pixel in self.run(COLOURS, lat, lng, reach)}

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run("return presencia.app.store.get()")
        return found

    def set(self, **patch: Any) -> None:
        self.run("presencia.app.store.set(arguments[0])", patch)
        self.settled()

    def place(self, lat: float, lng: float) -> tuple[float, float]:
        x, y = self.run(AT_PLACE, lat, lng)
        return x, y

    def point_at(self, lat: float, lng: float) -> None:
        x, y = self.place(lat, lng)
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.perform()

    def click_at(self, lat: float, lng: float) -> None:
        self.point_at(lat, lng)
        ActionChains(self.driver).click().perform()

    def tap_at(self, lat: float, lng: float) -> None:
        """Touch a place of the map with a finger, and wait until the page knows of it."""
        x, y = self.place(lat, lng)
        point = {"x": round(x), "y": round(y)}
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, f"waited in vain for {what}"
            time.sleep(0.02)

    def settled(self) -> None:
        """Wait until the map has come to rest and has drawn."""
        self.driver.execute_async_script(RESTED)


def opened(driver: Chrome, page: Path, fragment: str = "") -> Reader:
    """Open a page anew and wait until it has started.

    Parameters
    ----------
    driver : Chrome
        From :func:`tests.browser.chromium`.
    page : Path
        The file.
    fragment : str
        What stands after ``#`` in the address.

    Returns
    -------
    Reader
        A person before it.
    """
    browser.complaints(driver), browser.requests(driver)
    driver.get("about:blank")  # an address that differs in its fragment alone would not be loaded anew
    driver.get(page.resolve().as_uri() + (f"#{fragment}" if fragment else ""))
    reader = Reader(driver)
    reader.wait(lambda: driver.execute_script("return !!window.presencia?.map"), "the page to start")
    reader.settled()
    return reader


def clean(driver: Chrome) -> None:
    """Fail if the console complained, a request left the machine, or a hostile text ran.

    Parameters
    ----------
    driver : Chrome
        From :func:`tests.browser.chromium`.
    """
    assert browser.complaints(driver) == []
    assert browser.requests(driver) == []
    assert driver.execute_script("return window.hacked") is None


@contextmanager
def reading(driver: Chrome, page: Path, fragment: str = "") -> Iterator[Reader]:
    """Open a page, and look for complaints and requests when done.

    Parameters
    ----------
    driver : Chrome
        From :func:`tests.browser.chromium`.
    page : Path
        The file.
    fragment : str
        What stands after ``#`` in the address.

    Yields
    ------
    Reader
        A person before it.
    """
    yield opened(driver, page, fragment)
    clean(driver)
