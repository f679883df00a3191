"""A page whose every text means harm, used from end to end: all of it stays text, and nothing runs, breaks or leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from selenium.webdriver.common.keys import Keys

from geo import coverage
from layers import dynamics, zones
from layers.priority import prioritise
from maps import standalone, webmap
from maps.payload import MapContent
from tests import browser
from tests.maps import example
from tests.reader import Reader, clean, opened

pytestmark = pytest.mark.browser

MARKUP = (
    '</script><img src=x onerror="window.hacked=1">',
    "<svg onload=window.hacked=2><script>window.hacked=3</script>",
    "${alert(1)} {{7*7}} {% raw %} {name} {year} $& $1 #{1} <%= 1 %>",
    "javascript:window.hacked=4",
    "\"'&<> &lt;b&gt; &#x3c;i> <!--<script> ]]> --> \\u003c `",
    "<style>*{display:none}</style><base href=//evil.example>",
)
MARKS = (
    "\u202eotreuM\u202b\u202a",
    "\u2067Puerto\u2069\u2069\u202e",
    "\u200f\u0645\u062f\u064a\u0646\u0629\u200e\u061c",
    "Pu\u200be\u200dr\u2060t\ufeffo\u00ad",
)
ODD = (
    "a\u2028b\u2029c\r\nd\te",
    "lone\ud800\udfff\udc00end\ud83d",
    "nul\0\x01\x08\x1b[31m\x7f\x9f",
    "\U0001f9d1\u200d\U0001f33e\U0001f1e8\U0001f1f4" + "e" + "\u0301" * 40,
    "constructor",
    "__proto__",
)
LONG = ("W" * 10_000, "i." * 5_000)
KINDS = {"markup": MARKUP, "marks": MARKS, "odd": ODD, "long": LONG}
# What a page that is attacked would do, told apart from what a page does anyhow.
WATCH = """
window.seen = [];
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { window.hacked = name; };
for (const event of ["error", "unhandledrejection", "securitypolicyviolation"]) {
  window.addEventListener(event, ({ message, reason, violatedDirective: directive, blockedURI: to }) => {
    if (/^ResizeObserver loop/.test(message)) return; // a frame later than asked, and no fault
    window.seen.push([event, message || String(reason || ""), directive || "", to || ""].join(" "));
  }, true);
}
"""
# Boxes that hold more than they are wide, and controls that stand outside of the window.
BROKEN = """
const boxes = ["panel", "card", "legend", "time", "find", "tab-layers", "tab-weights", "tab-take", "tab-notes"];
const wide = boxes.map((id) => document.getElementById("pr-" + id)).filter((box) => box.offsetParent || box.offsetWidth);
const root = document.documentElement;
return [
  ...wide.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => `${box.id}: ${box.scrollWidth} in ${box.clientWidth}`),
  ...(root.scrollWidth > innerWidth || root.scrollHeight > innerHeight ? [`window: ${root.scrollWidth} x ${root.scrollHeight}`] : []),
  ...[...document.querySelectorAll("img[src=x], svg[onload], base, style:not(head style), script:not([type]) ~ .pr-panel script")].map((each) => each.outerHTML.slice(0, 90)),
];
"""


def hostile(kind: str) -> str:
    """All texts of a kind in one."""
    return " ".join(KINDS[kind]) if kind != "long" else LONG[0]


def tabled(text: str) -> str:
    """A text as a table can hold it: Arrow refuses half a letter."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _points(towns: gpd.GeoDataFrame, texts: tuple[str, ...], one: str) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    inside = towns.geometry.representative_point().iloc[: len(texts)]
    kinds = [("station", "substation", "cai")[i % 3] for i in range(len(texts))]
    posts = gpd.GeoDataFrame({"kind": kinds, "name": list(texts)}, geometry=inside.to_numpy(), crs="EPSG:4326")
    sites = {"name": [one], "municipality": [one]}
    return posts, gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy([-73.5], [0.5]), crs="EPSG:4326")


def content(kind: str) -> MapContent:
    """The example with every text of every layer, source and setting replaced."""
    texts, one = tuple(map(tabled, KINDS[kind])), hostile(kind)
    joined, told = example.panel(), example.zoning()
    places = joined.places.copy()
    places["name"] = [texts[i % len(texts)] for i in range(len(places))]
    places["department"] = places["department_code"].map({"01": tabled(one), "02": texts[0], "88": texts[-1]})
    places["pdet_region"] = pd.Series(tabled(one), index=places.index).where(places["pdet"])
    joined = replace(joined, places=places)
    named = {"label_es": one, "label_en": one}
    settings = replace(
        told,
        criteria=tuple(replace(each, **named, unit_es=one, unit_en=one) for each in told.criteria),
        dimensions=tuple(replace(each, **named) for each in told.dimensions),
        locked_in={"01001": one},
        locked_out={"02002": one},
    )
    scored = prioritise(joined, settings, year=example.YEAR, draws=0, seed=1)
    pairs = coverage.neighbours(joined.places)
    _, grouped = zones.build(joined, scored, share=0.25, limits=settings.zones, neighbours=pairs)
    posts, sites = _points(places, texts, tabled(one))
    source = SimpleNamespace(title=one, publisher=one, licence=one, vintage=one)
    return MapContent(
        panel=joined,
        priorities=scored,
        zoning=settings,
        zones=grouped,
        hot_spots=dynamics.hot_spots(joined, settings, pairs),
        posts=posts,
        etcr=sites,
        sources=(source,) * 3,
        attribution=one,
    )


def _spelled(text: str) -> str:
    """A text as a document holds it: lone surrogates that stand together are a letter there."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def page(kind, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / f"{kind}.html"
    path.write_text(standalone.page(webmap.build(content(kind))), encoding="utf-8", newline="\n")
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "page.html"
    path.write_text(standalone.page(webmap.build(example.content())), encoding="utf-8", newline="\n")
    return path


def _watched(size: tuple[int, int], *, touch: bool = False) -> Iterator[Any]:
    with browser.chromium(size, touch=touch) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield driver


@pytest.fixture(scope="module")
def desktop() -> Iterator[Any]:
    yield from _watched(browser.DESKTOP)


@pytest.fixture(scope="module")
def phone() -> Iterator[Any]:
    yield from _watched(browser.PHONE, touch=True)


def unharmed(reader: Reader, where: str) -> None:
    """Nothing ran, was refused or thrown, and nothing sticks out."""
    found = reader.run("return [window.hacked ?? null, window.seen]")
    assert found == [None, []], where
    assert reader.run(BROKEN) == [], where


def shown(reader: Reader, selector: str) -> str:
    return _spelled("".join(element.get_property("textContent") for element in reader.all(selector)))
