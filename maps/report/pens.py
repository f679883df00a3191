"""What drawings are made of: filled areas, lines, swatches with words, a scale bar. All lengths are millimetres."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maps import palette
from maps.comparison_words import Texts
from maps.legend import Scale
from maps.report import classes, svg
from maps.report.svg import INK, LINE_MM, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

HATCH = "/////"
SWATCH_MM = (4.2, 2.1)
WITHIN_MM = 0.28
GAP_MM = 1.3  # from a swatch to its words
POST_MM = {"station": 1.3, "substation": 1.05, "cai": 0.8}  # diameters
STEPS = (1.0, 2.0, 5.0, 10.0)
Mark = Literal["fill", "hatch", "vacated", "zone", "department", "post", "note", "none"]


@dataclass(frozen=True)
class Entry:
    """A line of a legend.

    Attributes
    ----------
    mark : str
        What stands before the words; ``none`` for a title, ``note`` for a sentence.
    words : str
        What it means.
    colour : str
        Of a fill.
    kind : str
        Of a post.
    """

    mark: Mark
    words: str
    colour: str = PAPER
    kind: str = ""


def path(shape: BaseGeometry) -> Path:
    """Turn polygons or lines into a path, holes against the sense of what is around them.

    Parameters
    ----------
    shape : geometry
        Polygons or lines.

    Returns
    -------
    matplotlib.path.Path
        One path.
    """
    from matplotlib.path import Path

    areal = shapely.get_dimensions(shape) == 2
    parts = shapely.get_parts(shapely.orient_polygons(shape) if areal else shape)
    rings = shapely.get_rings(parts) if areal else parts
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    first = np.diff(ring, prepend=-1) > 0
    codes[first] = Path.MOVETO
    if areal:
        codes[np.roll(first, -1)] = Path.CLOSEPOLY
    return Path(points, codes)


def fill(axes: Axes, shape: BaseGeometry, colour: str, *, gid: str | None = None, hatched: bool = False) -> None:
    """Fill an area, or hatch it where nothing was measured.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    shape : geometry
        Polygons on the sheet.
    colour : str
        Of the fill, or of the lines of the hatching.
    gid : str, optional
        Id of the area in the document.
    hatched : bool, default False
        Whether nothing was measured.
    """
    from matplotlib.patches import PathPatch

    look: dict[str, Any] = {"hatch": HATCH, "ec": colour} if hatched else {"ec": "none"}
    axes.add_artist(PathPatch(path(shape), fc=PAPER if hatched else colour, lw=0, gid=gid, clip_on=False, **look))


def stroke(axes: Axes, shape: BaseGeometry, colour: str, points: float, **style: Any) -> None:
    """Draw lines, or the edges of areas.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    shape : geometry
        Lines or polygons on the sheet.
    colour : str
        Of the line.
    points : float
        Its width.
    **style
        What ``PathPatch`` takes beside.
    """
    from matplotlib.patches import PathPatch

    if shape.is_empty:
        return
    look: dict[str, Any] = {"joinstyle": "round", "capstyle": "round", **style}
    axes.add_artist(PathPatch(path(shape), fc="none", ec=colour, lw=points, clip_on=False, **look))


def edges(
    axes: Axes, zones: Sequence[BaseGeometry], vacated: Sequence[BaseGeometry] = (), *, scale: float = 1.0
) -> None:
    """Draw the edges of zones and of what the FARC left, in the web map's colours.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    zones, vacated : sequence of geometry
        The areas; the edge of a vacated one lies within it, so that a zone's edge can be seen beside it.
    scale : float, default 1
        How much wider than on the map of the country.
    """
    for zone in zones:
        stroke(axes, zone, palette.LINES["zone_band"], 2.2 * scale)
    for area in vacated:
        inner = area.buffer(-WITHIN_MM * scale, join_style="mitre")
        stroke(axes, inner, PAPER, 1.5 * scale)
        stroke(axes, inner, palette.LINES["vacated"], 0.8 * scale)
    for zone in zones:
        stroke(axes, zone, palette.LINES["zones"], 0.55 * scale)


def posts(axes: Axes, points: Sequence[tuple[float, float]], kind: str) -> None:
    """Mark police posts.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    points : sequence of tuple of float
        Where.
    kind : str
        ``station``, ``substation`` or ``cai``; the smaller the mark.
    """
    from matplotlib.lines import Line2D

    across = POST_MM.get(kind, POST_MM["cai"]) * svg.POINTS_PER_MM
    look: dict[str, Any] = {
        "marker": "o",
        "ls": "",
        "ms": across,
        "mfc": palette.POINTS.get(kind, INK),
        "mec": PAPER,
        "mew": 0.4,
    }
    axes.add_artist(Line2D(*np.transpose(points), clip_on=False, gid=f"posts-{kind}", **look))


def class_entries(scale: Scale, present: Collection[int], texts: Texts) -> Iterator[Entry]:
    """Begin a legend with the title of a measure and its classes.

    Parameters
    ----------
    scale : Scale
        The measure's.
    present : collection of int
        Classes that the drawing shows.
    texts : Texts
        The words.

    Yields
    ------
    Entry
        A line of the legend.
    """
    yield Entry("none", texts.say(f"scales_measure_{scale.field}"))
    for kind, words in classes.entries(scale, present, texts):
        yield Entry("hatch" if kind == classes.MISSING else "fill", words, classes.colour(scale, kind))


def legend_size(entries: Sequence[Entry], most_mm: float) -> tuple[float, float]:
    """Size of a legend.

    Parameters
    ----------
    entries : sequence of Entry
        Its lines.
    most_mm : float
        Width of its words at most.

    Returns
    -------
    tuple of float
        Width and height.
    """
    lines = [(entry, line) for entry in entries for line in _lines(entry, most_mm)]
    widths = [svg.width_mm(line, bold=entry.mark == "none") + _indent(entry) for entry, line in lines]
    return max(widths, default=0.0), len(lines) * LINE_MM


def legend(axes: Axes, x: float, top: float, entries: Sequence[Entry], most_mm: float) -> None:
    """Write a legend.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    x, top : float
        Its upper left corner.
    entries : sequence of Entry
        Its lines.
    most_mm : float
        Width of its words at most.
    """
    y = top - LINE_MM / 2
    for entry in entries:
        _mark(axes, x, y, entry)
        for line in _lines(entry, most_mm):
            weight = "bold" if entry.mark == "none" else "normal"
            svg.write(axes, x + _indent(entry), y, line, weight=weight, va="center_baseline")
            y -= LINE_MM


def _indent(entry: Entry) -> float:
    return 0.0 if entry.mark in {"none", "note"} else SWATCH_MM[0] + GAP_MM


def _lines(entry: Entry, most_mm: float) -> list[str]:
    return svg.wrapped(entry.words, most_mm + SWATCH_MM[0] + GAP_MM - _indent(entry), bold=entry.mark == "none")


def _mark(axes: Axes, x: float, y: float, entry: Entry) -> None:
    wide, tall = SWATCH_MM
    box = shapely.box(x, y - tall / 2, x + wide, y + tall / 2)
    if entry.mark == "post":
        posts(axes, [(x + wide / 2, y)], entry.kind)
    elif entry.mark in {"fill", "hatch"}:
        fill(axes, box, entry.colour, hatched=entry.mark == "hatch")
        stroke(axes, box, svg.FAINT, 0.3, joinstyle="miter")
    elif entry.mark == "zone":
        edges(axes, [box.buffer(-0.3)])
    elif entry.mark == "vacated":
        edges(axes, [], [box])
    elif entry.mark == "department":
        stroke(axes, shapely.LineString([(x, y), (x + wide, y)]), palette.LINES["departments"], 0.7)


def bar_km(metres_per_mm: float, most_mm: float) -> float:
    """Find a round length for a scale bar.

    Parameters
    ----------
    metres_per_mm : float
        The scale.
    most_mm : float
        How long it may be on the sheet.

    Returns
    -------
    float
        1, 2 or 5 times a power of ten, kilometres.
    """
    most = metres_per_mm * most_mm / 1000
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in STEPS if step * power <= most)


def scale_bar(axes: Axes, x: float, y: float, metres_per_mm: float, most_mm: float, texts: Texts) -> None:
    """Draw a scale bar and an arrow to the north beside it.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    x, y : float
        Its lower left corner; it is 6 mm high.
    metres_per_mm : float
        The scale.
    most_mm : float
        How long the bar may be; words and arrow take 12 mm more.
    texts : Texts
        The words.
    """
    length = bar_km(metres_per_mm, most_mm)
    wide, decimals = length * 1000 / metres_per_mm, max(0, -math.floor(math.log10(length)))
    for side, colour in enumerate((INK, PAPER)):
        half = shapely.box(x + side * wide / 2, y + 0.4, x + (side + 1) * wide / 2, y + 1.3)
        fill(axes, half, colour)
        stroke(axes, half, INK, 0.4, joinstyle="miter")
    svg.write(axes, x, y + 3.2, "0", ha="left")
    words = f"{texts.number(length, decimals)} {texts.say('drawing_km')}"
    svg.write(axes, x + wide, y + 3.2, words, ha="left" if wide < 6 else "center")
    _north(axes, x + wide + 8.5, y, texts)


def _north(axes: Axes, x: float, y: float, texts: Texts) -> None:
    fill(axes, shapely.Polygon([(x, y + 3.4), (x - 1.1, y), (x, y + 0.8), (x + 1.1, y)]), INK)
    svg.write(axes, x, y + 4.8, texts.say("drawing_north"), ha="center", weight="bold")
