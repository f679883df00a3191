"""Browsers that all tests of pages share, and the example's page in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import folium
import pytest
from selenium.webdriver import Chrome

from maps import standalone, webmap
from tests import browser
from tests.maps import example
from tests.reader import Reader, clean, opened


@pytest.fixture(scope="session")
def desktop() -> Iterator[Chrome]:
    """A wide screen with a mouse."""
    with browser.chromium(browser.DESKTOP) as driver:
        yield driver


@pytest.fixture(scope="session")
def phone() -> Iterator[Chrome]:
    """A narrow screen for fingers."""
    with browser.chromium(browser.PHONE, touch=True) as driver:
        yield driver


@pytest.fixture(scope="session")
def example_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's page, which opens in Spanish, with a layer of folium's own on the same map."""
    map_ = webmap.build(example.content())
    folium.CircleMarker([0.2, -71.2], radius=12, tooltip="Otra capa").add_to(map_)
    path: Path = tmp_path_factory.mktemp("example") / "map.html"
    path.write_text(standalone.page(map_), encoding="utf-8")
    return path


@pytest.fixture(params=["es", "en"])
def lang(request: pytest.FixtureRequest) -> str:
    language: str = request.param
    return language


@pytest.fixture
def wide(desktop: Chrome, example_page: Path, lang: str) -> Iterator[Reader]:
    """The example's page on a wide screen; afterwards there must be no complaint and no request."""
    yield opened(desktop, example_page, "" if lang == "es" else "lang=en")
    clean(desktop)


@pytest.fixture
def narrow(phone: Chrome, example_page: Path, lang: str) -> Iterator[Reader]:
    """The example's page on a phone; afterwards there must be no complaint and no request."""
    yield opened(phone, example_page, "" if lang == "es" else "lang=en")
    clean(phone)
