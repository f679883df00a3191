"""A headless chromium for tests that use a page as a person would, with the network cut.

Without chromium the tests are skipped and say so, except under CI, where they fail.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DESKTOP = (1440, 900)
PHONE = (390, 844)
LOCAL = ("file:", "data:", "blob:", "about:", "chrome:", "devtools:")


def find_chromium() -> tuple[str, str]:
    """Find chromium and its driver, or skip the test (fail it under CI).

    Returns
    -------
    tuple of str
        Paths of the browser and of the driver.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    reason = "needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium(size: tuple[int, int] = DESKTOP, *, touch: bool = False, reach: str = "") -> Iterator[webdriver.Chrome]:
    """Start a headless chromium that can reach nothing but this machine's files.

    Parameters
    ----------
    size : tuple of int, default DESKTOP
        Width and height of the view in CSS pixels.
    touch : bool, default False
        Whether the pointer is a finger, which cannot hover.
    reach : str, optional
        A host that it can reach after all.

    Yields
    ------
    selenium.webdriver.Chrome
        The driver; it records the console and every request.
    """
    browser, driver_path = find_chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND" + (f", EXCLUDE {reach}" if reach else ""),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        _resize(driver, size, touch)
        yield driver
    finally:
        driver.quit()


def _resize(driver: webdriver.Chrome, size: tuple[int, int], touch: bool) -> None:
    """Set the view itself; a headless window has a smallest width above that of a phone."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": touch}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if touch:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})


def complaints(driver: webdriver.Chrome) -> list[str]:
    """Read what the console complained of since it was last read.

    Parameters
    ----------
    driver : selenium.webdriver.Chrome
        From :func:`chromium`.

    Returns
    -------
    list of str
        Warnings and errors, violations of the content security policy among them.
    """
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in {"WARNING", "SEVERE"}]


def requests(driver: webdriver.Chrome) -> list[str]:
    """Read the requests that left this machine's files since they were last read.

    Parameters
    ----------
    driver : selenium.webdriver.Chrome
        From :func:`chromium`.

    Returns
    -------
    list of str
        Addresses, tried or fetched.
    """
    messages: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in driver.get_log("performance")
    ]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [address for address in sent if not address.startswith(LOCAL)]


def open_file(driver: webdriver.Chrome, path: Path) -> None:
    """Open a page from the disk.

    Parameters
    ----------
    driver : selenium.webdriver.Chrome
        From :func:`chromium`.
    path : Path
        The file.
    """
    driver.get(path.resolve().as_uri())
