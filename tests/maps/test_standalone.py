"""One file that needs nothing else: what a page may carry, what it refuses, and that texts stay data."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.metadata
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import folium
import folium.raster_layers
import pytest
from branca.element import Element
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConfigError, OutputError
from maps import payload, standalone, webmap
from maps.standalone import OfflineMap
from tests.maps import example

ASSETS = Path(standalone.__file__).parent / "assets"
HOSTILE = (
    "</script><script>window.hacked=1</script>",
    "</SCRIPT ><svg onload=window.hacked=1>",
    "<img src=x onerror=window.hacked=1>",
    "<!--<script>",
    "]]> {{7*7}} {% raw %} ${8*8} `",
    "\u2028\u2029\\'\"",
)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(HTMLParser):
    """Tags, scripts and the balance of a document, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attrs, text = self.scripts.pop()
            self.scripts.append((attrs, text + data))


def bare(title: str = "Prueba") -> OfflineMap:
    return OfflineMap(title=title, lang="es")


def with_markup(markup: str) -> OfflineMap:
    map_ = bare()
    map_.get_root().html.add_child(Element(markup))  # type: ignore[attr-defined]
    return map_


@pytest.fixture(scope="module")
def plain() -> str:
    """The example's page."""
    return standalone.page(webmap.build(example.content()))


def policy(text: str) -> dict[str, list[str]]:
    [said] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    return {name: sources for name, *sources in (part.split() for part in said.split(";"))}


def test_the_bare_page_is_a_whole_document_with_every_part_inside():
    read = Reader(standalone.page(bare()))
    assert read.open == []
    assert [tag for tag, _ in read.tags][:3] == ["html", "head", "meta"]
    fetched = [attrs[name] for _, attrs in read.tags for name in ("src", "href", "srcset", "data") if attrs.get(name)]
    assert fetched == ["data:,"]
    assert all(not attrs for attrs, _ in read.scripts)
    assert standalone.leaflet()[0] in [text for _, text in read.scripts]


def test_no_image_of_leaflet_is_left_outside():
    script, style = standalone.leaflet()
    assert re.findall(r"url\((?!data:image/png;base64,|#)[^)]*\)", style) == []
    assert "sourceMappingURL" not in script
    for name, address in standalone.leaflet_icons().items():
        kind, body = address.split(",")
        assert kind == "data:image/png;base64", name
        assert base64.b64decode(body, validate=True).startswith(b"\x89PNG\r\n")


def test_a_lacking_leaflet_is_named_with_the_command_that_installs_it(monkeypatch):
    def absent(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", absent)
    standalone.leaflet.cache_clear()
    with pytest.raises(OutputError, match="pip install django-js-lib-leaflet"):
        standalone.leaflet()


def test_the_policy_lets_nothing_in_and_nothing_out():
    allowed = policy(standalone.page(bare()))
    assert allowed["default-src"] == ["'none'"]
    assert allowed["base-uri"] == allowed["form-action"] == ["'none'"]
    assert allowed["style-src"] == ["'unsafe-inline'"]
    assert set(allowed["img-src"]) <= {"data:", "blob:"}
    assert set(allowed) <= {"default-src", "script-src", "style-src", "img-src", "font-src", "base-uri", "form-action"}
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", source) for source in allowed["script-src"])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: folium.CircleMarker([1, -75], tooltip="Uno"),
        lambda: folium.Marker([1, -75]),
        lambda: folium.PolyLine([[1, -75], [2, -74]]),
        lambda: folium.GeoJson({"type": "Point", "coordinates": [-75, 1]}),
        folium.LayerControl,
    ],
    ids=["circle", "marker", "line", "geojson", "control"],
)
def test_layers_that_need_only_leaflet_are_taken_and_their_scripts_allowed(layer: Callable[[], Element]):
    map_ = bare()
    layer().add_to(map_)
    text = standalone.page(map_)
    run = [script for attrs, script in Reader(text).scripts if attrs.get("type") != "application/json"]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in run]
    assert [f"'sha256-{digest}'" for digest in digests] == policy(text)["script-src"]


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="https://x.example/a.js"></script>',
        '<SCRIPT SRC="HTTPS://x.example/a.js"></SCRIPT>',
        "<script src=//x.example/a.js></script>",
        '<link rel="stylesheet" href=" http://x.example/a.css">',
        '<link rel="preconnect" href="https://x.example">',
        '<img src="https&#58;//x.example/a.png">',
        '<img srcset="https://x.example/a.png 2x">',
        '<iframe src="https://x.example"></iframe>',
        '<object data="https://x.example"></object>',
        '<video poster="https://x.example/a.png"></video>',
        '<form action="https://x.example"></form>',
        '<svg><image href="https://x.example/a.png"></image></svg>',
        '<base href="https://x.example">',
    ],
)
def test_a_tag_that_would_fetch_is_refused_and_its_address_named(markup: str):
    with pytest.raises(OutputError, match=r"nothing from elsewhere; found .*//x\.example"):
        standalone.page(with_markup(markup))


@pytest.mark.parametrize(
    "markup",
    [
        '<img srcset="data:, 1x, https://x.example/a.png 2x">',
        '<svg><image xlink:href="https://x.example/a.png"></image></svg>',
        '<p style="background: url(https://x.example/a.png)"></p>',
        "<style>p { background: url('//x.example/a.png') }</style>",
        '<style>@import "https://x.example/a.css";</style>',
    ],
    ids=["second of a set", "old svg", "style of a tag", "style sheet", "import"],
)
def test_what_would_fetch_in_less_plain_ways_is_refused_too(markup: str):
    with pytest.raises(OutputError, match="nothing from elsewhere"):
        standalone.page(with_markup(markup))


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="more.js"></script>',
        '<link rel="stylesheet" href="more.css">',
        '<img src="../logo.png">',
        '<img src="file:///srv/logo.png">',
    ],
)
def test_a_second_file_beside_the_page_is_refused(markup: str):
    with pytest.raises(OutputError):
        standalone.page(with_markup(markup))


@pytest.mark.parametrize(
    "layer",
    [
        lambda: folium.WmsTileLayer("https://x.example/wms", layers="a"),
        lambda: folium.TileLayer("//x.example/{z}/{x}/{y}.png", attr="x"),
        lambda: folium.raster_layers.VideoOverlay("https://x.example/a.mp4", [[0, 0], [1, 1]]),
        lambda: folium.Marker([1, -75], icon=folium.CustomIcon("https://x.example/a.png")),
        lambda: folium.TileLayer("tiles/{z}/{x}/{y}.png", attr="x"),
    ],
    ids=["wms", "tiles", "video", "icon", "tiles beside the page"],
)
def test_a_layer_whose_script_would_fetch_is_refused(layer: Callable[[], Element]):
    map_ = bare()
    layer().add_to(map_)
    with pytest.raises(OutputError):
        standalone.page(map_)


def test_geojson_that_is_left_beside_the_page_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("beside.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    map_ = bare()
    folium.GeoJson("beside.geojson", embed=False).add_to(map_)
    with pytest.raises(OutputError):
        standalone.page(map_)


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (lambda: folium.Marker([1, -75], icon=folium.Icon()), "Awesome Markers"),
        (lambda: folium.Marker([1, -75], popup="x"), "jQuery"),
    ],
    ids=["icon", "popup"],
)
def test_a_layer_whose_script_is_not_in_the_page_is_refused(layer: Callable[[], Element], what: str):
    map_ = bare()
    layer().add_to(map_)
    with pytest.raises(OutputError, match=what):
        standalone.page(map_)


def test_a_link_that_a_reader_may_follow_is_no_fetching():
    assert 'href="https://x.example/"' in standalone.page(with_markup('<a href="https://x.example/">Fuente</a>'))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_is_text(text: str):
    made = standalone.page(bare(text))
    assert len(Reader(made).scripts) == len(Reader(standalone.page(bare())).scripts)
    assert "svg" not in [tag for tag, _ in Reader(made).tags]
    assert "img" not in [tag for tag, _ in Reader(made).tags]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(HOSTILE), st.lists))
def test_data_between_script_tags_come_back_whole_and_end_nothing(value: object):
    text = standalone.script_json(value)
    assert json.loads(text) == value
    assert "<" not in text
    assert not {"\u2028", "\u2029"} & set(text)
    [(_, inside)] = Reader(f'<script type="application/json">{text}</script>').scripts
    assert inside == text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_json_is_refused_rather_than_written(number: float):
    with pytest.raises(ValueError, match="JSON"):
        standalone.script_json({"a": number})


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_reaches_the_page_only_as_data(text: str, plain: str):
    content = example.content()
    content.panel.places.loc[example.FIRST, ["name", "department"]] = text
    content.zones["name"] = text
    content.posts["name"] = text
    content.etcr["municipality"] = text
    read = Reader(standalone.page(webmap.build(content)))
    usual = Reader(plain)
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in usual.tags]
    [data] = [script for attrs, script in read.scripts if attrs.get("id") == "presencia-data"]
    assert text in json.loads(data)["facts"]["name"]["texts"]
    run = [script for attrs, script in read.scripts if attrs.get("type") != "application/json"]
    assert run == [script for attrs, script in usual.scripts if attrs.get("type") != "application/json"]


@pytest.mark.parametrize("text", HOSTILE[:2])
def test_a_tooltip_cannot_end_the_pages_script_and_start_one_of_its_own(text: str):
    map_ = bare()
    folium.CircleMarker([1, -75], tooltip=text).add_to(map_)
    try:
        read = Reader(standalone.page(map_))
    except OutputError:
        return
    assert "svg" not in [tag for tag, _ in read.tags]
    assert len(read.scripts) == len(Reader(standalone.page(bare())).scripts)


def test_the_same_map_built_twice_gives_the_same_bytes():
    def made() -> str:
        map_ = bare()
        for lat in (1, 2):
            folium.CircleMarker([lat, -75], tooltip="Uno").add_to(map_)
        return standalone.page(map_)

    assert made() == made()


def test_thirty_two_digits_in_a_name_are_no_random_part():
    content = example.content()
    name = "a_" + "0123456789abcdef" * 2
    content.panel.places.loc[example.FIRST, "name"] = name
    assert name in standalone.page(webmap.build(content))


def _literals() -> set[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in ASSETS.parent.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_asset_is_used():
    names = {path.name for path in ASSETS.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert names
    assert names - _literals() == set()


def test_every_asset_that_is_asked_for_exists():
    asked = {text for text in _literals() if re.fullmatch(r"[\w-]+(?:\.html\.j2|\.js|\.css|\.json)", text)}
    asked -= {"leaflet.js", "leaflet.css", "run.json", "explanations.json", "density.json", "datapackage.json"}
    assert {name for name in asked if not (ASSETS / name).is_file()} == set()


@pytest.mark.parametrize("name", [*webmap.SCRIPTS, *webmap.STYLES])
def test_scripts_and_styles_stand_in_the_page_as_they_are(name: str, plain: str):
    assert standalone.asset(name).strip() in plain


CODE = "\n".join(path.read_text(encoding="utf-8") for path in ASSETS.iterdir() if path.suffix in {".js", ".j2"})
SPELLED = set(re.findall(r'["`]([\w-]+)["`]', CODE))
# Texts and classes whose names the page puts together: what stands before the part that varies.
COMPOSED = re.compile(r'["`]([\w-]+[_-])(?:" \+|\$\{)')


def test_no_text_is_left_over_that_the_page_never_shows():
    composed, ends = tuple(COMPOSED.findall(CODE)), tuple(re.findall(r'\+ "(_\w+)"', CODE))
    by_python = {"title"}
    unused = {
        key
        for key in payload.texts()["es"]
        if key not in SPELLED | by_python
        and not key.startswith(composed)
        and not key.endswith(ends)
        and f"texts.{key}" not in CODE
    }
    assert unused == set()


def test_no_style_is_left_over_for_a_class_that_the_page_never_has():
    composed = tuple(name for name in COMPOSED.findall(CODE.replace(" pr-", '"pr-')) if name.startswith("pr-"))
    styles = "\n".join(standalone.asset(name) for name in ("compare.css", *webmap.STYLES))
    styled = set(re.findall(r"\.(pr-[\w-]+)", styles))
    assert {name for name in styled if name not in CODE and not name.startswith(composed)} == set()


OSM = "https://tile.openstreetmap.org"


def test_tiles_widen_the_policy_by_their_host_alone():
    usual, wider = policy(standalone.page(bare())), policy(standalone.page(with_tiles("osm")))
    assert set(wider.pop("img-src")) - set(usual.pop("img-src")) == {OSM}
    assert usual.pop("script-src") != wider.pop("script-src")
    assert wider == usual


def with_tiles(given: str, credit: str = "") -> OfflineMap:
    return OfflineMap(title="Prueba", lang="es", online=standalone.tiles_of(given, credit))


def test_only_the_tiles_that_were_asked_for_may_stand_on_the_page():
    map_ = with_tiles("osm")
    folium.TileLayer("https://other.example/{z}/{x}/{y}.png", attr="x").add_to(map_)
    with pytest.raises(OutputError, match=r"other\.example"):
        standalone.page(map_)


@pytest.mark.parametrize(
    "given",
    [
        "mapnik",
        "http://tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}.png",
        "https://tiles.example/{z}/{x}/{y}/{style}.png",
        "https://{s}.tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}/{y}/{",
        "https://tiles.example; script-src */{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}",
        'https://tiles.example/{z}/{x}/{y}"><script>',
        "https://a b/{z}/{x}/{y}",
        "//tiles.example/{z}/{x}/{y}.png",
        "",
    ],
)
def test_what_is_no_plain_address_of_tiles_is_refused(given: str):
    with pytest.raises(ConfigError, match="correct --tiles"):
        standalone.tiles_of(given)


@pytest.mark.parametrize("credit", HOSTILE)
def test_the_credit_of_tiles_is_text(credit: str):
    text = standalone.page(with_tiles("https://tiles.example:8443/{z}/{x}/{y}.png?key=a%20b", credit))
    assert "https://tiles.example:8443" in policy(text)["img-src"]
    assert [tag for tag, _ in Reader(text).tags] == [tag for tag, _ in Reader(standalone.page(with_tiles("osm"))).tags]
