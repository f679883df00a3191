"""A folium map as one HTML file that needs nothing else: no network, no server, no second file.

:class:`OfflineMap` is folium's map with Leaflet inside the page. :func:`page` renders it, refuses whatever
would be fetched from elsewhere, and closes the page with a content security policy that allows its own scripts by
their hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.metadata
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from geo.errors import ConfigError, OutputError, listed

LEAFLET = "django-js-lib-leaflet"
# What stands in the page itself; every other address is another file, here or elsewhere.
WITHIN = re.compile(r"\s*(?:data:|blob:|about:|#|$)", re.I)
STYLE_ADDRESS = re.compile(r"""url\(\s*["']?([^"')]*)|@import\s+["']?([^"';]*)""", re.I)
SCRIPT_END = re.compile(r"</\s*script", re.I)
# A host and a path of plain characters: nothing that could end the policy or add to it, and no part that Leaflet does
# not know, which would stop the page.
TILE_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?/([A-Za-z0-9._~/@?=&%-]|\{[zxyr]\})+")
SET_END = re.compile(r",\s+")
SETTINGS = ("url", "tiles", "video_url", "embed_link")
RUN = re.compile(r"<script(?![^>]*application/json)[^>]*>(.*?)</script>", re.S)
FETCHING = {"src", "data", "poster", "action", "background", "xlink:href"}
# What would end a script, end a line of it, or (half a letter, as broken files hold them) cannot be written as UTF-8.
UNSAFE_IN_JSON = re.compile("[<\\u2028\\u2029\\ud800-\\udfff]")


@dataclass(frozen=True)
class Tiles:
    """A background that is fetched while the page is open.

    Attributes
    ----------
    address : str
        ``https`` address with ``{z}``, ``{x}`` and ``{y}``.
    credit : str
        Credit that its publisher asks for, as text.
    """

    address: str
    credit: str

    @property
    def host(self) -> str:
        """What the page's policy allows beside the page itself."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"


KNOWN_TILES = {"osm": Tiles("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "© OpenStreetMap contributors (ODbL)")}


def tiles_of(given: str, credit: str = "") -> Tiles:
    """Find the tiles that a planner names.

    Parameters
    ----------
    given : str
        A known name, or an ``https`` address with ``{z}``, ``{x}`` and ``{y}``.
    credit : str
        Credit that goes with an address.

    Returns
    -------
    Tiles
        The tiles.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if given in KNOWN_TILES:
        return KNOWN_TILES[given]
    if not TILE_ADDRESS.fullmatch(given) or not all(part in given for part in ("{z}", "{x}", "{y}")):
        raise ConfigError(
            f"tiles are one of {listed(KNOWN_TILES)}, or an https address with {{z}}, {{x}} and {{y}}; found "
            f"{given!r}: correct --tiles"
        )
    return Tiles(given, credit)


def asset(name: str) -> str:
    """Read a file of ``maps/assets``.

    Parameters
    ----------
    name : str
        Its name, such as ``page.css``.

    Returns
    -------
    str
        Its text.
    """
    return files("maps").joinpath("assets", name).read_text(encoding="utf-8")


def template(name: str) -> Template:
    """Read a template of ``maps/assets``.

    Parameters
    ----------
    name : str
        Its name, such as ``map.html.j2``.

    Returns
    -------
    folium.template.Template
        The compiled template.
    """
    compiled: Template = Template(asset(name))
    return compiled


def script_json(value: object) -> str:
    """Write data so that it can stand between ``<script>`` tags, whatever its texts say.

    Parameters
    ----------
    value : object
        JSON-ready data; NaN is refused, since it is no JSON.

    Returns
    -------
    str
        Compact JSON without ``<``, line separators and lone surrogates.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@cache
def leaflet() -> tuple[str, str]:
    """Read Leaflet's script and its style sheet from the installed package.

    The package is looked up by its metadata: importing it is not needed, and its Django part cannot be.

    Returns
    -------
    tuple of str
        The script, and the style sheet with its images inside.

    Raises
    ------
    OutputError
        If the package is not installed.
    """
    try:
        listing = importlib.metadata.files(LEAFLET) or []
    except importlib.metadata.PackageNotFoundError as cause:
        raise OutputError(f"the map needs the package {LEAFLET}: pip install {LEAFLET}") from cause
    paths = {Path(entry).name: Path(str(entry.locate())) for entry in listing if "static" in entry.parts}
    script = re.sub(r"\n//# sourceMappingURL=.*", "", paths["leaflet.js"].read_text(encoding="utf-8"))
    style = paths["leaflet.css"].read_text(encoding="utf-8")
    return script, re.sub(r"url\(images/([\w.-]+)\)", lambda found: f"url({_inline(paths[found[1]])})", style)


def leaflet_icons() -> dict[str, str]:
    """Give Leaflet's own marker images, so that folium's plain markers work in the page.

    Returns
    -------
    dict of str to str
        Leaflet's icon option to a ``data:`` address.
    """
    listing = importlib.metadata.files(LEAFLET) or []
    names = {
        "iconUrl": "marker-icon.png",
        "iconRetinaUrl": "marker-icon-2x.png",
        "shadowUrl": "marker-shadow.png",
    }
    paths = {Path(entry).name: Path(str(entry.locate())) for entry in listing}
    return {option: _inline(paths[name]) for option, name in names.items()}


def _inline(image: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode("ascii")


class Verbatim(Element):
    """Text that goes into the page as it is.

    Branca takes whatever a macro returns for a template and renders it once more, so that a municipality
    named ``{{7*7}}`` would read 49. This element ends that.

    Parameters
    ----------
    text : str
        The markup.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **kwargs: Any) -> str:
        """Give the text.

        Parameters
        ----------
        **kwargs
            Ignored; branca passes them.

        Returns
        -------
        str
            The text, unchanged.
        """
        return self.text


def place_macros(element: Element, kwargs: dict[str, Any]) -> str:
    """Render an element's macros ``header``, ``html`` and ``script`` into its figure, and then its children.

    Parameters
    ----------
    element : branca.element.Element
        An element in a figure.
    kwargs : dict
        What branca passes on.

    Returns
    -------
    str
        Nothing: the parts are in the figure.
    """
    figure = element.get_root()
    for part in ("header", "html", "script"):
        macro = getattr(element._template.module, part, None)
        if macro is not None:
            getattr(figure, part).add_child(Verbatim(macro(element, kwargs)), name=element.get_name())
    for child in element._children.values():
        child.render(**kwargs)
    return ""


class DataLayer(MacroElement):
    """A page's own layer: its style, its code, and the data and boundaries that the code draws.

    A subclass names its template, its styles and its scripts.

    Parameters
    ----------
    data, boundaries : object
        JSON-ready content, and TopoJSON as :func:`geo.topology.encode` gives it.
    """

    kind: ClassVar[str]
    styles: ClassVar[tuple[str, ...]]
    scripts: ClassVar[tuple[str, ...]]

    def __init__(self, data: Mapping[str, Any], boundaries: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = self.kind
        self.style = "\n".join(asset(name) for name in self.styles)
        self.code = "\n".join(asset(name) for name in self.scripts)
        self.data = script_json(data)
        self.boundaries = script_json(boundaries)

    def render(self, **kwargs: Any) -> str:
        """Render the element into its figure.

        Parameters
        ----------
        **kwargs
            Passed on by branca.

        Returns
        -------
        str
            Nothing: the parts are in the figure.
        """
        return place_macros(self, kwargs)


class Page(Figure):
    """A figure that says its language.

    Parameters
    ----------
    title : str
        Title of the document.
    lang : str
        Language tag of its texts.
    """

    _template = template("figure.html.j2")

    def __init__(self, *, title: str, lang: str) -> None:
        super().__init__(title=title)
        self.lang = lang


class OfflineMap(folium.Map):
    """folium's map with Leaflet inside the page, and nothing from elsewhere.

    It takes folium's vector layers and tooltips. Popups, Bootstrap icons and plugins need scripts that folium
    fetches from elsewhere; :func:`page` refuses them.

    Parameters
    ----------
    title : str
        Title of the document.
    lang : str
        Language tag of its texts.
    online : Tiles, optional
        A background from elsewhere, which the page is then allowed to fetch.
    **options
        As for :class:`folium.Map`.
    """

    _template = template("map.html.j2")
    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium declares it so
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, *, title: str, lang: str, online: Tiles | None = None, **options: Any) -> None:
        super().__init__(tiles=None, **options)
        self.online = online
        self.leaflet_js, self.leaflet_css = leaflet()
        self.leaflet_icons = leaflet_icons()
        Page(title=title, lang=lang).add_child(self)

    def render(self, **kwargs: Any) -> str:
        """Render the map and its children into the figure.

        Parameters
        ----------
        **kwargs
            Passed on by branca.

        Returns
        -------
        str
            Nothing: the parts are in the figure.
        """
        return place_macros(self, kwargs)


def page(map_: folium.Map) -> str:
    """Render a map as one self-contained HTML file.

    Parameters
    ----------
    map_ : folium.Map
        An :class:`OfflineMap`, with any layers that need nothing from elsewhere.

    Returns
    -------
    str
        All of its text. The same content gives the same bytes.

    Raises
    ------
    OutputError
        If an element would fetch something when the page is opened, or needs a script that is not in it.
    """
    figure = cast("Figure", map_.get_root())
    text = figure.render()
    _refuse_ended_script(figure)
    found = _Reading(text)
    remote = sorted({*_remote_settings(figure), *found.remote})
    if remote:
        raise OutputError(
            f"the page must need nothing from elsewhere; found {listed(remote)}: "
            "leave out the layer or plugin that asks for it"
        )
    _refuse_jquery(figure)
    return _with_policy(_steady(text, figure), getattr(map_, "online", None))


class _Reading(HTMLParser):
    """What a document runs, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.remote: list[str] = []
        self._styled = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fetching = FETCHING | ({"href"} if tag != "a" else set())
        for name, value in attrs:
            if name in fetching:
                self._note(html.unescape(value or ""))
            elif name == "srcset":
                self._note(*(each.split()[0] for each in SET_END.split(value or "") if each.split()))
            elif name == "style":
                self._note_style(value or "")
        self._styled = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._styled:
            self._note_style(data)

    def handle_endtag(self, tag: str) -> None:
        self._styled = False

    def _note(self, *addresses: str) -> None:
        self.remote += [address for address in addresses if not WITHIN.match(address)]

    def _note_style(self, style: str) -> None:
        self._note(*(one or other for one, other in STYLE_ADDRESS.findall(style)))


def _elements(root: Element) -> Iterator[Element]:
    """Every element below a figure, those held as attributes included, each once and in a fixed order."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        element = waiting.pop(0)
        if id(element) in seen:
            continue
        seen.add(id(element))
        yield element
        waiting += [
            *element._children.values(),
            *(v for v in vars(element).values() if isinstance(v, Element)),
        ]


def _remote_settings(figure: Figure) -> list[str]:
    """Addresses that elements keep in their settings, and write into scripts where no tag shows them."""
    elements = list(_elements(figure))
    own = [getattr(element, name, None) for element in elements for name in SETTINGS]
    options = [getattr(element, "options", None) for element in elements]
    icons = [value for chosen in options if isinstance(chosen, dict) for key, value in chosen.items() if _is_url(key)]
    return [address for address in (*own, *icons) if isinstance(address, str) and not WITHIN.match(address)]


def _is_url(option: str) -> bool:
    return option.lower().endswith(("url", "src"))


def _refuse_ended_script(figure: Figure) -> None:
    """Refuse a text that would end the page's script and go on as markup."""
    if SCRIPT_END.search(figure.script.render()):
        raise OutputError("a text of a layer holds '</script', which would end the page's script: leave it out")


def _refuse_jquery(figure: Figure) -> None:
    script = figure.script.render()
    needs = [name for name, sign in (("jQuery", "$("), ("Awesome Markers", "L.AwesomeMarkers")) if sign in script]
    if needs:
        raise OutputError(
            f"the page carries Leaflet only; a popup or icon in it needs {listed(needs)}: "
            "use tooltips and plain markers"
        )


def _with_policy(text: str, online: Tiles | None) -> str:
    """Add the content security policy: the page's own scripts by their hash, and nothing fetched but known tiles."""
    scripts = RUN.findall(text)
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    meta = template("policy.html.j2").render(hashes=hashes, host=online.host if online else "")
    return text.replace("<head>", "<head>\n" + meta.strip(), 1)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _steady(text: str, figure: Figure) -> str:
    """Replace the random part of branca's names by the order in which they appear."""
    known = {element._id for element in _elements(figure)}
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], str(len(numbers) + 1)) if found[0] in known else found[0]

    return re.sub(r"(?<=_)[0-9a-f]{32}(?![0-9a-f])", number, text)
