"""Static maps of a report: the country by class and zone, and each zone by itself, as the web map colours them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from maps import palette
from maps.comparison_words import Texts
from maps.legend import Scale
from maps.payload import Language
from maps.report import classes, pens, placing, svg
from maps.report.ground import Ground, Shapes, Window, array, borders, bounds, dissolved, ground, joined, some, window
from maps.report.localmap import ZONE_MM, zone
from maps.report.pens import Entry
from maps.report.placing import Box, Floats, Sign, box_of
from maps.report.svg import INK, LINE_MM, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COUNTRY_MM", "ZONE_MM", "Ground", "country", "ground", "zone"]

COUNTRY_MM = (85.0, 110.0)
MARGIN_MM = 1.0
LEGEND_MM = 27.0  # of its words
BAR_MM, BAR_BESIDE_MM, BAR_TALL_MM = 14.0, 12.0, 6.5
INSET_MM = (17.0, 19.5)
CIRCLE_MM = 3.9
CIRCLE_REACH_MM = 16.0
SCAN_MM = 1.0
# Where each part that is no map would rather be: a corner, as shares of the sheet's width and height.
CORNERS = {"classes": (1.0, 1.0), "inset": (0.0, 1.0), "lines": (0.0, 0.0), "bar": (0.0, 0.0)}


@dataclass(frozen=True)
class Layout:
    """Where the parts of the sheet lie.

    Attributes
    ----------
    view : Window
        The mainland.
    boxes : mapping of str to tuple of float
        The legends, the scale bar, and the archipelago where there is one.
    """

    view: Window
    boxes: Mapping[str, Box]

    @property
    def inset(self) -> Box | None:
        """Where the archipelago lies."""
        return self.boxes.get("inset")


def country(
    ground: Ground,
    score: pd.Series,
    scale: Scale,
    *,
    outlined: Collection[str],
    zones: gpd.GeoDataFrame,
    lang: Language,
    unmeasured: Collection[str] = (),
) -> str:
    """Draw the country: municipalities by class, what the FARC left, and the zones with their numbers.

    Parameters
    ----------
    ground : Ground
        The municipalities, from :func:`maps.report.ground.ground`.
    score : Series of float
        By code, missing where there is none.
    scale : Scale
        Its classes.
    outlined : collection of str
        Codes of high cultivation that the FARC left.
    zones : GeoDataFrame
        With ``members``; numbered from 1 in their order.
    lang : {"es", "en"}
        The language.
    unmeasured : collection of str, optional
        Codes without score since nobody measured their coca; they are hatched, as are those that are not in ``score``.

    Returns
    -------
    str
        An SVG document of 85 x 110 mm. The group of a municipality has its code as id, that of a number ``zone-1``.
    """
    texts = classes.texts(lang)
    kinds = classes.sorted_into(scale, score, ground.coarse.index, unmeasured=unmeasured)
    legends = {
        "classes": list(pens.class_entries(scale, set(kinds), texts)),
        "lines": list(_line_entries(len(outlined) > 0, len(zones) > 0, texts)),
    }
    with svg.steady():
        figure, axes = svg.sheet(*COUNTRY_MM)
        layout = _layout(ground, legends)
        drawn = _on_sheet(ground, layout)
        areas = [joined(array(some(drawn, members))) for members in zones["members"]]
        _municipalities(axes, drawn, kinds, scale)
        vacated = joined(array(some(drawn, outlined)))
        pens.edges(axes, areas, [vacated])
        _furniture(axes, layout, legends, texts)
        _numbers(axes, areas, layout)
        return svg.document(figure)


def _line_entries(outlined: bool, zoned: bool, texts: Texts) -> Iterator[Entry]:
    if outlined:
        yield Entry("vacated", texts.say("drawing_vacated"))
    if zoned:
        yield Entry("zone", texts.say("drawing_zone"))


def _layout(ground: Ground, legends: Mapping[str, Sequence[Entry]]) -> Layout:
    """Put the parts where there is no land, and where there is no such place beneath the land."""
    sizes = {name: pens.legend_size(entries, LEGEND_MM) for name, entries in legends.items()}
    sizes["bar"] = (BAR_MM + BAR_BESIDE_MM, BAR_TALL_MM)
    if ground.offshore.any():
        sizes["inset"] = INSET_MM
    beneath = max(height for _, height in sizes.values()) + 2 * SCAN_MM
    wide, tall = COUNTRY_MM
    for strip in (0.0, beneath):
        box = (MARGIN_MM, MARGIN_MM + strip, wide - MARGIN_MM, tall - MARGIN_MM)
        view = window(bounds(ground.mainland), box)
        boxes = _free(view.onto(array(ground.mainland)), sizes)
        if len(boxes) == len(sizes):
            break
    return Layout(view, boxes)


def _free(land: Shapes, sizes: Mapping[str, tuple[float, float]]) -> dict[str, Box]:
    """Find for each part the place without land that is nearest to its corner."""
    found: dict[str, Box] = {}
    for name in (name for name in CORNERS if name in sizes):
        boxes = _places(sizes[name], CORNERS[name])
        occupied = shapely.STRtree([*land, *(shapely.box(*box) for box in found.values())])
        west, south, east, north = (boxes + np.array([-1, -1, 1, 1]) * SCAN_MM).T
        around = shapely.box(west, south, east, north)
        taken = np.unique(occupied.query(around, predicate="intersects")[0])
        free = np.delete(boxes, taken, axis=0)
        if len(free):
            found[name] = box_of(free[0])
    return found


def _places(size: tuple[float, float], corner: tuple[float, float]) -> Floats:
    """All places on the sheet, the nearest to the corner first."""
    room = np.array(COUNTRY_MM) - 2 * MARGIN_MM - np.array(size)
    steps = [np.abs(side * edge - np.arange(0, side, SCAN_MM)) for side, edge in zip(room, corner, strict=True)]
    grid = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
    away = np.abs(grid - room * np.array(corner)).sum(axis=1)
    south_west = grid[np.argsort(away, kind="stable")] + MARGIN_MM
    return np.hstack([south_west, south_west + np.array(size)])


def _on_sheet(ground: Ground, layout: Layout) -> gpd.GeoSeries:
    """All municipalities in millimetres, the archipelago enlarged in its box."""
    shapes, away = array(ground.coarse), ground.offshore
    drawn = layout.view.onto(shapes)
    if layout.inset:
        far = window(bounds(gpd.GeoSeries(shapes[away])), _sea(layout.inset))
        drawn[away] = far.onto(shapes[away])
    return gpd.GeoSeries(drawn, index=ground.coarse.index)


def _sea(inset: Box) -> Box:
    """The inset without its frame and the words at its top."""
    west, south, east, north = inset
    return west + 1.5, south + 1.5, east - 1.5, north - 2 * LINE_MM - 1.5


def _municipalities(axes: Axes, drawn: gpd.GeoSeries, kinds: pd.Series, scale: Scale) -> None:
    for code, shape in drawn.items():
        kind = int(kinds[str(code)])
        hatched = kind == classes.MISSING
        pens.fill(axes, shape, classes.colour(scale, kind), gid=str(code), hatched=hatched)
    pens.stroke(axes, borders(drawn), PAPER, 0.22)
    pens.stroke(axes, borders(dissolved(drawn)), palette.LINES["departments"], 0.35)


def _furniture(axes: Axes, layout: Layout, legends: Mapping[str, Sequence[Entry]], texts: Texts) -> None:
    west, south, _, _ = layout.boxes["bar"]
    pens.scale_bar(axes, west, south, layout.view.metres_per_mm, BAR_MM, texts)
    for name, entries in legends.items():
        west, _, _, north = layout.boxes[name]
        pens.legend(axes, west, north, entries, LEGEND_MM)
    if layout.inset:
        west, _, _, north = layout.inset
        pens.stroke(axes, shapely.box(*layout.inset), svg.QUIET, 0.4, joinstyle="miter")
        lines = svg.wrapped(texts.say("drawing_enlarged"), INSET_MM[0] - 1.5)
        svg.write(axes, west + 1, north - 1, lines, va="top", color=svg.QUIET)


def _numbers(axes: Axes, areas: Sequence[BaseGeometry], layout: Layout) -> None:
    """A circle for each zone, beside it with a line where it would hide what it names."""
    from matplotlib.patches import Circle

    signs = [Sign(area, CIRCLE_MM, CIRCLE_MM, reach=CIRCLE_REACH_MM, outside=0.1, hidden=0.2) for area in areas]
    room = (MARGIN_MM, MARGIN_MM, COUNTRY_MM[0] - MARGIN_MM, COUNTRY_MM[1] - MARGIN_MM)
    every = shapely.union_all(areas)
    for number, spot in enumerate(placing.place(signs, room, taken=[*layout.boxes.values()], spared=every), start=1):
        if spot is None:
            continue
        if spot.leader is not None:
            pens.stroke(axes, spot.leader, PAPER, 1.6)
            pens.stroke(axes, spot.leader, INK, 0.6)
        axes.add_artist(Circle((spot.x, spot.y), CIRCLE_MM / 2 - 0.15, fc=PAPER, ec=INK, lw=0.6, clip_on=False))
        style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "weight": "bold", "gid": f"zone-{number}"}
        svg.write(axes, spot.x, spot.y, str(number), **style)
