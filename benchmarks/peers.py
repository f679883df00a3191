"""The maps that one would make of the 24 coca years with folium and geopandas, each as one page that opens offline.

All are made from the same frame, as their documentation shows it, with two favours: the geometry has four decimals, as
the bundled boundaries have, and layers that repeat their legend keep one. What their pages would fetch is taken from
npm's archives of the same versions. Of style sheets only Leaflet's own images come along: nothing else is shown here.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import pandas as pd
from branca.colormap import ColorMap, StepColormap
from folium.plugins import TimeSliderChoropleth

from layers import boundaries, coca

ARCHIVES = Path("build/npm")
COLOURS = ("#f4f3f0", "#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494")
BREAKS = (1e-9, 10.0, 100.0, 500.0, 2500.0)  # ha; a measured zero is a class of its own, as it is on our page
# Where npm keeps what folium names by other addresses; addresses that name npm's own folders need no entry.
KEPT = {
    "jquery-3.7.1.min.js": ("jquery@3.7.1", "dist/jquery.min.js"),
    "awesome-markers/2.0.2/leaflet.awesome-markers.js": (
        "drmonty-leaflet-awesome-markers@2.0.2",
        "js/leaflet.awesome-markers.js",
    ),
    "awesome-markers/2.0.2/leaflet.awesome-markers.css": (
        "drmonty-leaflet-awesome-markers@2.0.2",
        "css/leaflet.awesome-markers.css",
    ),
    "d3/3.5.5/d3.min.js": ("d3@3.5.5", "d3.min.js"),
    "d3.v4.min.js": ("d3@4.13.0", "build/d3.min.js"),
    "moment.js/2.18.1/moment.min.js": ("moment@2.18.1", "min/moment.min.js"),
}
OF_NPM = re.compile(r"/npm/(@?[^@]+@[\d.]+)/(.+)$")
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)"\s*/?>')
IMAGE = re.compile(r"""url\(\s*["']?([^"')]*)["']?\s*\)""")


# How the years are stepped through; `step` counts up.
CONTROL = ".leaflet-control-layers-base input:checked"
CLICK = """const years = document.querySelectorAll(".leaflet-control-layers-base input");
years[step % years.length].click();"""
SLIDER = "[id^=slider_] input"
SLIDE = """const slider = document.querySelector("[id^=slider_] input");
slider.value = step % (Number(slider.max) + 1);
slider.dispatchEvent(new Event("input", { bubbles: true }));"""


@dataclass(frozen=True)
class Coca:
    """Municipalities, and hectares with a row each and a column a year."""

    towns: gpd.GeoDataFrame
    hectares: pd.DataFrame

    @property
    def years(self) -> list[int]:
        return [int(year) for year in self.hectares.columns]

    @property
    def last(self) -> int:
        return self.years[-1]

    @property
    def edges(self) -> list[float]:
        return [0.0, *BREAKS, float(self.hectares.to_numpy().max())]

    def of(self, year: int) -> gpd.GeoDataFrame:
        return self.towns.assign(coca_ha=self.hectares[year])


@dataclass(frozen=True)
class Peer:
    """A way to make the map, a script's step to another year, and the input that takes a person's arrow keys."""

    name: str
    make: Callable[[Coca], folium.Map]
    step: str = ""
    keys: str = ""


@dataclass
class Inliner:
    """Puts into a page what it would fetch, and keeps account of what is not to be had."""

    folder: Path = ARCHIVES
    absent: set[str] = field(default_factory=set)

    def page(self, text: str) -> str:
        text = SCRIPT.sub(lambda found: f"<script>{self.script(found[1])}</script>", text)
        return STYLE.sub(lambda found: f"<style>{self.style(found[1])}</style>", text)

    def script(self, address: str) -> str:
        text = self.fetch(address).decode("utf-8")
        return re.sub(r"\n//[#@] sourceMappingURL=.*", "", text).replace("</script", r"<\/script")

    def style(self, address: str) -> str:
        return IMAGE.sub(lambda found: f"url({self.image(address, found[1])})", self.fetch(address).decode("utf-8"))

    def image(self, sheet: str, name: str) -> str:
        if name.startswith("data:") or "leaflet.css" not in sheet or not name.endswith(".png"):
            return name if name.startswith("data:") else "data:,"
        content = self.fetch(sheet.rsplit("/", 1)[0] + "/" + name)
        return "data:image/png;base64," + base64.b64encode(content).decode("ascii")

    def fetch(self, address: str) -> bytes:
        """A file by the address that folium gives; nothing, and a note, where no archive has it."""
        spec, path = kept(address) or ("", "")
        if not spec:
            self.absent.add(address.rsplit("/", 1)[-1])
            return b""
        with tarfile.open(self.archive(spec)) as archive:
            content = archive.extractfile(f"package/{path}")
            return content.read() if content else b""

    def archive(self, spec: str) -> Path:
        """An archive of npm's, fetched once; npm checks its sum and knows where from."""
        path = self.folder / (spec.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz")
        if not path.exists():
            npm = shutil.which("npm")
            if npm is None:
                raise SystemExit("the peers' scripts come from npm's archives: install npm, or measure --ours alone")
            self.folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                [npm, "pack", spec, "--silent", "--pack-destination", self.folder],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return path


def kept(address: str) -> tuple[str, str] | None:
    """The npm package, with its version, and the file in it that an address stands for."""
    if named := OF_NPM.search(address):
        return named[1], named[2]
    return next((KEPT[end] for end in KEPT if address.endswith(end)), None)


def read() -> Coca:
    towns = boundaries.load().frame[["name", "department", "geometry"]]
    layer = coca.load()
    wide = layer.frame.pivot(index="code", columns="year", values=layer.spec.value)
    return Coca(towns, wide.reindex(towns.index).fillna(0.0))  # what the survey does not list has none


def explore(data: Coca) -> folium.Map:
    """One year: its classes, colours and thin borders are ours, so that the same is drawn."""
    return _explored(data, data.last, None)


def explore_years(data: Coca) -> folium.Map:
    """A layer a year in one map, the last one shown, to be switched in the control of layers."""
    drawn = None
    for year in data.years:
        drawn = _explored(data, year, drawn, overlay=False, show=year == data.last, name=str(year))
    return _with_control(drawn)


def _explored(data: Coca, year: int, on: folium.Map | None, **layer: Any) -> folium.Map:
    made: folium.Map = data.of(year).explore(
        "coca_ha",
        cmap=_scale(data),
        tiles=None,
        m=on,
        legend=on is None,
        style_kwds={"weight": 0.6, "color": "#ffffff", "fillOpacity": 1},
        **layer,
    )
    return made


def choropleth(data: Coca, *, canvas: bool = False) -> folium.Map:
    """A Choropleth a year, to be switched in the control of layers."""
    drawn = _map(data, canvas=canvas)
    for year in data.years:
        _choropleth(data, year).add_to(drawn)
    return _with_control(drawn)


def choropleth_canvas(data: Coca) -> folium.Map:
    return choropleth(data, canvas=True)


def _choropleth(data: Coca, year: int) -> folium.Choropleth:
    frame = data.of(year).reset_index()
    layer = folium.Choropleth(
        frame[["code", "name", "geometry"]].to_json(),
        data=frame,
        columns=["code", "coca_ha"],
        key_on="feature.properties.code",
        bins=data.edges,
        fill_color="YlOrRd",
        fill_opacity=1,
        line_weight=0.6,
        line_color="#ffffff",
        name=str(year),
        overlay=False,
        show=year == data.last,
    )
    repeated = [key for key, part in layer._children.items() if isinstance(part, ColorMap)]
    for key in repeated if year != data.last else []:
        del layer._children[key]
    return layer


def time_slider(data: Coca) -> folium.Map:
    """A year is a time of the plugin, 31 December; styles are written out for each municipality and year."""
    drawn = _map(data)
    times = [str(int(pd.Timestamp(year, 12, 31).timestamp())) for year in data.years]
    styles = {
        code: {time: {"color": _colour(value), "opacity": 1} for time, value in zip(times, row, strict=True)}
        for code, row in zip(data.hectares.index, data.hectares.to_numpy(), strict=True)
    }
    TimeSliderChoropleth(data.towns[["name", "geometry"]].to_json(), styles, init_timestamp=-1).add_to(drawn)
    drawn.add_child(_scale(data))
    return drawn


PEERS = (
    Peer("geopandas.explore, one year", explore),
    Peer("geopandas.explore × 24", explore_years, CLICK, CONTROL),
    Peer("folium.Choropleth × 24", choropleth, CLICK, CONTROL),
    Peer("folium.Choropleth × 24, canvas", choropleth_canvas, CLICK, CONTROL),
    Peer("TimeSliderChoropleth", time_slider, SLIDE, SLIDER),
)


def _map(data: Coca, *, canvas: bool = False) -> folium.Map:
    west, south, east, north = data.towns.total_bounds
    drawn = folium.Map(tiles=None, prefer_canvas=canvas)
    drawn.fit_bounds([[south, west], [north, east]])
    return drawn


def _with_control(drawn: folium.Map | None) -> folium.Map:
    if drawn is None:
        raise ValueError("no year to draw")
    folium.LayerControl(collapsed=False).add_to(drawn)
    return drawn


def _scale(data: Coca) -> StepColormap:
    edges = data.edges
    return StepColormap(COLOURS, index=edges, vmin=edges[0], vmax=edges[-1], caption="coca, ha")


def _colour(hectares: float) -> str:
    return COLOURS[sum(hectares >= limit for limit in BREAKS)]
