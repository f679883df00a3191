"""The planner's map: every layer and year, live weights, in two languages, on one page.

:func:`build` turns a :class:`maps.payload.MapContent` into a folium map. The boundaries go into the page once; all that
is drawn (municipalities, zones, departments, outlines) is put together from their shared arcs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import folium

from geo import topology
from maps import pack
from maps.payload import Language, MapContent, payload, texts
from maps.standalone import DataLayer, OfflineMap, Tiles, template

# Each script uses only what stands before it; dom.js first and app.js last.
SCRIPTS = (
    "dom.js",
    "codec.js",
    "topology.js",
    "model.js",
    "measures.js",
    "score.js",
    "zones.js",
    "engine.js",
    "store.js",
    "scales.js",
    "points.js",
    "canvas.js",
    "scene.js",
    "picture.js",
    "chart.js",
    "why.js",
    "card.js",
    "time.js",
    "find.js",
    "table.js",
    "weights.js",
    "take.js",
    "panel.js",
    "app.js",
)
STYLES = (
    "page.css",
    "planner.css",
    "scales.css",
    "card.css",
    "time.css",
    "find.css",
    "table.css",
    "take.css",
    "print.css",
)


# What a page with coca by cell has beside them; canvas.js and scales.js stand before, app.js after.
CELLS_SCRIPT, CELLS_STYLE = "density.js", "density.css"


class PlannerLayer(DataLayer):
    """The planner's layers, panel, legend, table and card, as one element of a folium map."""

    _template = template("planner.html.j2")
    kind = "Planner"
    styles: ClassVar[tuple[str, ...]] = STYLES
    scripts: ClassVar[tuple[str, ...]] = SCRIPTS


class CellsPlannerLayer(PlannerLayer):
    """The same with coca by cell."""

    styles = (*STYLES, CELLS_STYLE)
    scripts = (*SCRIPTS[:-1], CELLS_SCRIPT, SCRIPTS[-1])


def build(content: MapContent, *, lang: Language = "es", online: Tiles | None = None) -> folium.Map:
    """Build the planner's map.

    Parameters
    ----------
    content : MapContent
        What to show.
    lang : {"es", "en"}, default "es"
        The language in which the page opens; a reader can change it there.
    online : Tiles, optional
        A background from elsewhere; without one the page needs no network.

    Returns
    -------
    folium.Map
        A map to which further layers can be added; :func:`maps.standalone.page` makes one HTML file of it.

    Raises
    ------
    ConfigError
        If there are no texts in that language, or cells are finer than a page may show.
    """
    told = payload(content, lang=lang)
    title = f"{texts()[lang]['title']} · {content.priorities.year}"
    map_ = OfflineMap(title=title, lang=lang, online=online, prefer_canvas=True, zoom_control=False, track_resize=False)
    layer = PlannerLayer if content.density is None else CellsPlannerLayer
    map_.add_child(layer(told, pack.topology(_boundaries(content))))
    return map_


def _boundaries(content: MapContent) -> Mapping[str, Any]:
    return content.topology or topology.encode(content.panel.places)
