"""What the page's policy forbids, tried in a browser beside a server that it could reach, and tiles from one host."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome

from maps import standalone, webmap
from maps.standalone import Tiles
from tests import browser
from tests.maps import example
from tests.reader import Reader, opened

pytestmark = pytest.mark.browser

HERE = "127.0.0.1"
RED = (200, 16, 16)
# A frame has a document of its own, to which its violations are told; here it is enough that it has loaded.
FRAMED = (
    "add('iframe', { srcdoc: '<script>parent.hacked = 1<\\/script>', onload: () => done(['script-src', 'enforce']) })"
)
# What is tried, by the directive that forbids it; OUT is a server that would answer.
FORBIDDEN = {
    "fetch": ("connect-src", "fetch(OUT).catch(() => {})"),
    "post": ("connect-src", "fetch(OUT, { method: 'POST', mode: 'no-cors', body: 'all' }).catch(() => {})"),
    "request": ("connect-src", "const r = new XMLHttpRequest(); r.open('GET', OUT); r.send()"),
    "socket": ("connect-src", "try { new WebSocket(OUT.replace('http', 'ws')) } catch {}"),
    "beacon": ("connect-src", "navigator.sendBeacon(OUT, 'all')"),
    "events": ("connect-src", "new EventSource(OUT)"),
    "script": ("script-src", "add('script', { text: 'window.hacked = 1' })"),
    "script of a site": ("script-src", "add('script', { src: OUT })"),
    "script of data": ("script-src", "add('script', { src: 'data:text/javascript,window.hacked=1' })"),
    "module": ("script-src", "import(OUT).catch(() => {})"),
    "eval": ("script-src", "try { eval('window.hacked = 1') } catch {}"),
    "function": ("script-src", "try { new Function('window.hacked = 1')() } catch {}"),
    "text as code": ("script-src", "try { setTimeout('window.hacked = 1') } catch {}"),
    "handler": ("script-src", "add('b', { innerHTML: '<i onclick=\"window.hacked=1\"></i>' }).firstChild.click()"),
    "address that is code": ("script-src", "add('a', { href: 'javascript:window.hacked=1' }).click()"),
    "image that fails": ("img-src", "add('b', { innerHTML: `<img src=${OUT}x onerror=window.hacked=1>` })"),
    "worker": ("worker-src", "try { new Worker(URL.createObjectURL(new Blob(['']))) } catch {}"),
    "image": ("img-src", "new Image().src = OUT"),
    "image of a style": ("img-src", "add('b', { textContent: 'b' }).style.background = `url(${OUT})`"),
    "style of a site": ("style-src", "add('link', { rel: 'stylesheet', href: OUT })"),
    "style that imports": ("style-src", "add('style', { textContent: `@import '${OUT}'` })"),
    "font": ("font-src", "new FontFace('f', `url(${OUT})`).load().catch(() => {})"),
    "film": ("media-src", "add('video', { src: OUT })"),
    "object": ("object-src", "add('object', { data: OUT })"),
    "frame": ("frame-src", "add('iframe', { src: OUT })"),
    "frame with a script": ("script-src", FRAMED),
    "form": ("form-action", "add('form', { action: OUT, method: 'post' }).submit()"),
    "base": ("base-uri", "add('base', { href: OUT })"),
    "ping": ("connect-src", "add('a', { href: '#', ping: OUT }).click()"),
}
TRIED = """
const [OUT, done] = arguments;
const add = (name, properties) => {
  const made = Object.assign(document.createElement(name), properties);
  document.body.append(made);
  return made;
};
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, disposition }) => {
  setTimeout(() => done([effectiveDirective, disposition]), 20);
});
setTimeout(() => { %s; }, 0);
setTimeout(() => done(["nothing", ""]), 3000);
"""


@dataclass
class Site:
    """A server on this machine, and what it was asked for."""

    address: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def served() -> Iterator[Site]:
    """Answer everything with a red tile."""
    body = io.BytesIO()
    Image.new("RGB", (256, 256), RED).save(body, "PNG")
    site = Site()

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            site.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(body.getvalue())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        setattr(Answer, f"do_{method}", Answer.answer)
    with ThreadingHTTPServer((HERE, 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.address = f"http://{HERE}:{server.server_port}"
        yield site
        server.shutdown()


@pytest.fixture(scope="module")
def near() -> Iterator[Chrome]:
    """A browser that can reach this machine's own servers."""
    with browser.chromium(browser.DESKTOP, reach=HERE) as driver:
        yield driver


@pytest.fixture(scope="module")
def outside() -> Iterator[Site]:
    with served() as site:
        yield site


def test_what_is_forbidden_could_be_had_without_the_policy(near, outside, tmp_path):
    page = tmp_path / "open.html"
    page.write_text("<!DOCTYPE html><title>x</title><body></body>", encoding="utf-8")
    browser.open_file(near, page)
    for attempt in ("image", "post", "frame with a script"):
        script = TRIED.replace("3000", "300") % FORBIDDEN[attempt][1]
        near.execute_async_script(script, f"{outside.address}/{attempt[0]}")
    assert {"/i", "/p"} <= set(outside.asked)
    assert near.execute_script("return window.hacked") == 1
    outside.asked.clear()


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_the_policy_forbids(near, outside, example_page, attempt):
    directive, script = FORBIDDEN[attempt]
    browser.open_file(near, example_page)
    found, disposition = near.execute_async_script(TRIED % script, outside.address + "/")
    assert found.removesuffix("-elem").removesuffix("-attr") == directive
    assert disposition == "enforce"
    assert near.execute_script("return [window.hacked ?? null, document.baseURI === location.href]") == [None, True]
    assert near.current_url.split("#")[0] == example_page.as_uri()
    assert outside.asked == []
    browser.complaints(near), browser.requests(near)


# Tiles


@pytest.fixture(scope="module")
def tiles() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture(scope="module")
def tiled(tiles, tmp_path_factory) -> Path:
    credit = "© Prueba <img src=x onerror=window.hacked=1> & Cía"
    map_ = webmap.build(example.content(), online=Tiles(tiles.address + "/{z}/{x}/{y}.png", credit))
    path: Path = tmp_path_factory.mktemp("tiles") / "map.html"
    path.write_text(standalone.page(map_), encoding="utf-8")
    return path


DRAWN = """const tiles = [...document.querySelectorAll(".leaflet-tile")];
return tiles.length > 0 && tiles.every((each) => each.complete && each.naturalWidth > 0);"""


def _drawn(reader: Reader) -> bool:
    return bool(reader.run(DRAWN))


def test_tiles_come_from_their_host_and_nothing_from_elsewhere(near, tiles, tiled, outside):
    reader = opened(near, tiled)
    reader.wait(lambda: _drawn(reader), "the tiles")
    assert tiles.asked
    assert [path for path in tiles.asked if not re.fullmatch(r"/\d+/\d+/\d+\.png", path)] == []
    asked = browser.requests(near)
    assert asked
    assert all(address.startswith(tiles.address + "/") for address in asked)
    assert browser.complaints(near) == []
    for attempt, to in (("image", outside), ("fetch", tiles), ("frame", tiles), ("script of a site", tiles)):
        directive, script = FORBIDDEN[attempt]
        found, _ = near.execute_async_script(TRIED % script, f"{to.address}/{attempt[0]}")
        assert found.removesuffix("-elem") == directive
    assert outside.asked == []
    assert not {"/f", "/s"} & set(tiles.asked)
    browser.complaints(near), browser.requests(near)


def test_tiles_show_through_and_their_publisher_is_named_as_text(near, tiled):
    reader = opened(near, tiled)
    reader.wait(lambda: _drawn(reader), "the tiles")
    credits = str(reader.one(".leaflet-control-attribution").get_property("textContent"))
    assert "© Prueba <img src=x onerror=window.hacked=1> & Cía" in credits
    assert "geoBoundaries" in credits
    assert reader.run("return document.body.hasAttribute('data-tiles')")
    fills = reader.run("""return [...document.querySelectorAll(".leaflet-pr-one-pane canvas")]
      .map((each) => Number(getComputedStyle(each).opacity))""")
    assert fills
    assert all(0.5 < opacity < 1 for opacity in fills)
    assert reader.run("return window.hacked ?? null") is None
    assert browser.complaints(near) == []


def test_a_saved_page_keeps_its_tiles_and_its_policy(near, tiles, tiled, tmp_path):
    near.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    reader = opened(near, tiled, "tab=take")
    reader.one("#pr-take-save").click()
    whole = lambda: [path for path in tmp_path.glob("*.html") if path.stat().st_size]  # noqa: E731
    reader.wait(whole, "the page")
    [saved] = whole()
    assert f"img-src data: blob: {tiles.address};" in saved.read_text(encoding="utf-8-sig")
    tiles.asked.clear()
    again = opened(near, saved)
    again.wait(lambda: _drawn(again), "the tiles")
    assert tiles.asked
    assert browser.complaints(near) == []
    browser.requests(near)


def test_the_view_can_be_saved_as_an_image_over_tiles(near, tiled, tmp_path):
    near.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    reader = opened(near, tiled, "tab=take")
    reader.wait(lambda: _drawn(reader), "the tiles")
    reader.one("#pr-take-png").click()
    reader.wait(lambda: [path for path in tmp_path.glob("*.png") if path.stat().st_size], "the image")
    browser.requests(near)
