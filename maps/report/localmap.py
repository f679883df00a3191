"""The map of one zone: its members by class and name among their neighbours, and where in the country it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import to_metric
from maps import palette
from maps.comparison_words import Texts
from maps.legend import Scale
from maps.payload import POST_KINDS, Language
from maps.report import classes, pens, placing, svg
from maps.report.ground import DEPARTMENT, Ground, Window, array, borders, bounds, dissolved, joined, some, window
from maps.report.pens import Entry
from maps.report.placing import Box, Sign, Spot
from maps.report.svg import INK, LINE_MM, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ZONE_MM = (120.0, 90.0)
EDGE_MM = 0.4
COLUMN_MM = 31.0
WORDS_MM = 24.0
BAR_MM = 16.0
BAR_TALL_MM = 7.0
LOCATOR_MM = 36.0  # high at most
RING_MM = 1.6
REACH_MM = 14.0
AROUND = 0.16  # of a zone's own size is shown around it
SMALLEST_M = 45_000.0  # a zone of one small municipality is shown among its neighbours
NAME, NAME_LINE_MM, NAME_WRAP_MM = 7.0, 2.85, 15.0
WIDEST_MM = 30.0  # of a line of a name
EVEN = 0.56  # of a long name's width is the most that a line of it takes, so that two lines are about as long
NUMBER_MM = 3.2
CROWDED = 30  # members
KEY_SHARE = 0.3  # of the sheet's height is the most that a key of numbers takes
MOST_POSTS = 250  # more than so many hide the map; then only the zone's own are shown
NEIGHBOUR, LOCATOR = "#e8ebec", "#d5dadd"


@dataclass(frozen=True)
class Scene:
    """What is drawn of a zone, in millimetres.

    Attributes
    ----------
    view : Window
        The window.
    shapes : GeoSeries
        All municipalities seen, by code.
    members : tuple of str
        Codes of the zone, in its order.
    departments : geometry
        Lines between departments.
    posts : GeoDataFrame
        Police posts seen, with ``kind``.
    whose : str
        Which posts are shown: ``all``, those of the ``zone`` where all would hide the map, or ``none``.
    size : tuple of float
        Width and height of the sheet.
    """

    view: Window
    shapes: gpd.GeoSeries
    members: tuple[str, ...]
    departments: BaseGeometry
    posts: gpd.GeoDataFrame
    whose: Literal["all", "zone", "none"]
    size: tuple[float, float]

    @property
    def own(self) -> gpd.GeoSeries:
        """The members' shapes."""
        return some(self.shapes, self.members)

    @property
    def others(self) -> gpd.GeoSeries:
        """The neighbours' shapes, the largest first."""
        beside = self.shapes[~self.shapes.index.isin(self.members)]
        return gpd.GeoSeries(beside.iloc[np.argsort(-shapely.area(array(beside)), kind="stable")])


def zone(
    ground: Ground,
    score: pd.Series,
    scale: Scale,
    *,
    members: Sequence[str],
    lang: Language,
    posts: gpd.GeoDataFrame | None = None,
    size_mm: tuple[float, float] = ZONE_MM,
    unmeasured: Collection[str] = (),
) -> str:
    """Draw a zone: its members by class and with their names, its neighbours, police posts, and a locator.

    Parameters
    ----------
    ground : Ground
        The municipalities, from :func:`maps.report.ground.ground`.
    score : Series of float
        By code, missing where there is none.
    scale : Scale
        Its classes.
    members : sequence of str
        Codes of the zone; where names have no room, they are numbered in this order.
    lang : {"es", "en"}
        The language.
    posts : GeoDataFrame, optional
        Police posts, with ``kind``.
    size_mm : tuple of float, default ZONE_MM
        Width and height; 31 mm at the right are the key's.
    unmeasured : collection of str, optional
        Codes without score since nobody measured their coca.

    Returns
    -------
    str
        An SVG document. The group of a member has its code as id, that of its name ``name-`` and the code, those of
        neighbours ``beside-`` and the code.
    """
    texts = classes.texts(lang)
    kinds = classes.sorted_into(scale, score, pd.Index(list(members)), unmeasured=unmeasured)
    with svg.steady():
        figure, axes = svg.sheet(*size_mm)
        scene, labels = _settled(ground, tuple(members), posts, size_mm)
        _areas(axes, scene, kinds, scale)
        for kind, some in scene.posts.groupby("kind", sort=False):
            pens.posts(axes, list(some.geometry.get_coordinates().itertuples(index=False)), str(kind))
        _write(axes, labels)
        pens.stroke(axes, shapely.box(*scene.view.box), QUIET, 0.8, joinstyle="miter")
        numbered = [code for code in members if any(label.code == code and label.numbered for label in labels)]
        _below(axes, scene, _key(numbered, members, ground.names, size_mm))
        _column(axes, scene, ground, list(_entries(scene, ground, scale, kinds, texts)), texts)
        return svg.document(figure)


@dataclass(frozen=True)
class Label:
    """A name on the map, or the number that stands for it.

    Attributes
    ----------
    code : str
        Whose.
    lines : tuple of str
        As written.
    name : str
        The whole name.
    member : bool
        Whether it belongs to the zone.
    numbered : bool
        Whether a number stands for the name.
    crowded : bool
        Whether there are so many members that lines to names outside them would hide the map.
    spot : Spot, optional
        Where it goes.
    """

    code: str
    lines: tuple[str, ...]
    name: str
    member: bool
    numbered: bool = False
    crowded: bool = False
    spot: Spot | None = None

    @property
    def reach(self) -> float:
        """How far from home it may go, millimetres."""
        return REACH_MM if self.member and not self.crowded else 0.0

    def sign(self, home: BaseGeometry) -> Sign:
        """Its size, and how far it may go: a neighbour's name stays at home."""
        wide = max(svg.width_mm(line, self.points, bold=self.member) for line in self.lines)
        tall = len(self.lines) * NAME_LINE_MM
        if self.numbered:
            return Sign(home, NUMBER_MM, NUMBER_MM, reach=REACH_MM, outside=0.5)
        outside = 0.55 if self.member else 0.2
        return Sign(home, wide + 0.8, tall + 0.4, reach=self.reach, outside=outside)

    @property
    def points(self) -> float:
        """Size of its type."""
        return NAME if self.member else svg.SMALL


def _settled(
    ground: Ground, members: tuple[str, ...], posts: gpd.GeoDataFrame | None, size: tuple[float, float]
) -> tuple[Scene, list[Label]]:
    """Place the names; those without room become numbers, whose key takes room from the map.

    Where a second try leaves some without room again, all are numbered. Where the key would take too much of the sheet,
    there is none, and only those names are written that have room.
    """
    numbered: tuple[str, ...] = ()
    while True:
        scene = _scene(ground, members, posts, size, len(_key(numbered, members, ground.names, size)))
        labels = _placed(scene, ground.names, numbered)
        homeless = {label.code for label in labels if label.member and label.spot is None}
        more = members if numbered else tuple(code for code in members if code in homeless)
        room = KEY_SHARE * size[1] >= len(_key(more, members, ground.names, size)) * LINE_MM
        if not homeless or not room or numbered == members:
            return scene, labels
        numbered = more


def _scene(
    ground: Ground, members: tuple[str, ...], posts: gpd.GeoDataFrame | None, size: tuple[float, float], key: int
) -> Scene:
    wide, tall = size
    floor = EDGE_MM + (key * LINE_MM + 1 if key else 0)
    box = (EDGE_MM, floor, wide - COLUMN_MM - 1, tall - EDGE_MM)
    view = window(_around(bounds(some(ground.fine, members))), box)
    near = view.near(ground.fine)
    lines = shapely.intersection(borders(dissolved(near)), view.seen)
    departments = view.onto(np.array([lines]))[0]
    shapes = view.cut(near)
    seen = _seen(posts, view)
    whose: Literal["all", "zone", "none"] = "none" if posts is None or posts.empty else "all"
    if len(seen) > MOST_POSTS:
        seen = seen[shapely.intersects(array(seen.geometry), joined(array(some(shapes, members))))]
        whose = "zone"
    return Scene(view, shapes, members, departments, seen, whose, size)


def _around(zone: Box) -> Box:
    west, south, east, north = zone
    more = max(AROUND * max(east - west, north - south), (SMALLEST_M - max(east - west, north - south)) / 2)
    return west - more, south - more, east + more, north + more


def _seen(posts: gpd.GeoDataFrame | None, view: Window) -> gpd.GeoDataFrame:
    """The posts within the window, in millimetres, the smallest kind first so that none hides a station."""
    if posts is None or posts.empty:
        return gpd.GeoDataFrame({"kind": []}, geometry=[])
    metric = to_metric(posts[["kind", "geometry"]], "the police posts to draw")
    inside = metric[shapely.within(array(metric.geometry), view.seen)]
    moved = gpd.GeoDataFrame({"kind": inside["kind"].to_numpy()}, geometry=view.onto(array(inside.geometry)))
    order = {kind: place for place, kind in enumerate(reversed(POST_KINDS))}
    return moved.sort_values("kind", key=lambda kinds: kinds.map(order).fillna(-1), kind="stable", ignore_index=True)


def _placed(scene: Scene, names: pd.Series, numbered: Collection[str]) -> list[Label]:
    """Members first, and the smallest of them before all: it has the fewest places for its name."""
    order = {code: str(place) for place, code in enumerate(scene.members, start=1)}
    own = scene.own.iloc[np.argsort(shapely.area(array(scene.own)), kind="stable")]
    homes = {str(code): shape for part in (own, scene.others) for code, shape in part.items()}
    labels = [_label(code, str(names[code]), order, code in numbered) for code in homes]
    signs = [label.sign(homes[label.code]) for label in labels]
    marks = array(scene.posts.geometry)
    spots = placing.place(signs, _inner(scene.view.box), spared=joined(array(scene.own)), marks=marks)
    return [replace(label, spot=spot) for label, spot in zip(labels, spots, strict=True)]


def _label(code: str, name: str, order: Mapping[str, str], numbered: bool) -> Label:
    member = code in order
    most = min(max(NAME_WRAP_MM, EVEN * svg.width_mm(name, NAME, bold=member)), WIDEST_MM)
    lines = (order[code],) if numbered else tuple(svg.wrapped(name, most, NAME, bold=member, word_mm=WIDEST_MM))
    return Label(code, lines, name, member, numbered, len(order) > CROWDED)


def _inner(box: Box) -> Box:
    return box[0] + 0.6, box[1] + 0.6, box[2] - 0.6, box[3] - 0.6


def _areas(axes: Axes, scene: Scene, kinds: pd.Series, scale: Scale) -> None:
    for code, shape in scene.others.sort_index().items():
        pens.fill(axes, shape, NEIGHBOUR, gid=f"beside-{code}")
    for code, shape in scene.own.items():
        kind = int(kinds[str(code)])
        pens.fill(axes, shape, classes.colour(scale, kind), gid=str(code), hatched=kind == classes.MISSING)
    pens.stroke(axes, borders(scene.shapes), PAPER, 0.5)
    pens.stroke(axes, scene.departments, palette.LINES["departments"], 0.8)
    pens.edges(axes, [joined(array(scene.own))], scale=1.3)


def _write(axes: Axes, labels: Sequence[Label]) -> None:
    placed = [(label, label.spot) for label in labels if label.spot]
    for _, spot in placed:
        if spot.leader is not None:
            pens.stroke(axes, spot.leader, PAPER, 1.6)
            pens.stroke(axes, spot.leader, INK, 0.5)
    for label, spot in placed:
        bold: dict[str, Any] = {"weight": "bold"} if label.member else {"color": QUIET}
        style = {"size": label.points, "ha": "center", "gid": svg.NAME + label.code, **bold}
        svg.write(axes, spot.x, spot.y, label.lines, **style)


def _key(numbered: Sequence[str], members: Sequence[str], names: pd.Series, size: tuple[float, float]) -> list[str]:
    """Lines of the key to the numbers."""
    if not numbered:
        return []
    order = {code: place for place, code in enumerate(members, start=1)}
    words = [f"{order[code]}\u00a0{names[code]}".replace(" ", "\u00a0") for code in numbered]
    return svg.wrapped(" · ".join(words), size[0] - COLUMN_MM - 1.5)


def _below(axes: Axes, scene: Scene, key: Sequence[str]) -> None:
    y = EDGE_MM + (len(key) - 0.5) * LINE_MM
    for line in key:
        svg.write(axes, EDGE_MM, y, line, va="center_baseline")
        y -= LINE_MM


def _entries(scene: Scene, ground: Ground, scale: Scale, kinds: pd.Series, texts: Texts) -> Iterator[Entry]:
    yield from pens.class_entries(scale, set(kinds), texts)
    if len(scene.others):
        yield Entry("fill", texts.say("drawing_neighbour"), NEIGHBOUR)
    yield Entry("zone", texts.say("drawing_zone_edge"))
    if scene.shapes.index.str[:DEPARTMENT].nunique() > 1:
        yield Entry("department", texts.say("drawing_department"))
    for kind in (kind for kind in POST_KINDS if kind in set(scene.posts["kind"])):
        yield Entry("post", texts.say(f"post_{kind}"), kind=kind)
    seen = scene.shapes.index.str[:DEPARTMENT]
    silent = [name for digits, name in ground.silent.items() if digits in seen]
    if scene.whose == "zone":
        yield Entry("note", texts.say("drawing_own_posts"))
    if silent and scene.whose != "none":
        yield Entry("note", texts.say("drawing_silent", departments=", ".join(silent)))


def _column(axes: Axes, scene: Scene, ground: Ground, entries: Sequence[Entry], texts: Texts) -> None:
    """The locator above, the legend in the middle, the scale below."""
    wide, tall = scene.size
    west = wide - COLUMN_MM + 0.5
    height = pens.legend_size(entries, WORDS_MM)[1]
    pens.scale_bar(axes, west, EDGE_MM, scene.view.metres_per_mm, BAR_MM, texts)
    pens.legend(axes, west, BAR_TALL_MM + 2 + height, entries, WORDS_MM)
    room = tall - EDGE_MM - (BAR_TALL_MM + 2 + height + 2)
    if room >= RING_MM * 4:
        top = tall - EDGE_MM
        _locator(axes, (west, top - min(room, LOCATOR_MM), wide - EDGE_MM, top), ground, scene.members)


def _locator(axes: Axes, box: Box, ground: Ground, members: Sequence[str]) -> None:
    """The country, with a ring around the zone where that is hard to see."""
    from matplotlib.patches import Circle

    zone = joined(array(some(ground.coarse, members)))
    away = not set(ground.mainland.index) & {code[:DEPARTMENT] for code in members}
    country = ground.locator if away else ground.mainland
    view = window(bounds(country), (box[0] + RING_MM, box[1] + RING_MM, box[2] - RING_MM, box[3] - RING_MM))
    land, place = view.onto(array(country)), view.onto(np.array([zone]))[0]
    for shape in land:
        pens.fill(axes, shape, LOCATOR)
    pens.stroke(axes, borders(gpd.GeoSeries(land)), PAPER, 0.4)
    pens.fill(axes, place, INK)
    if place.area < (2 * RING_MM) ** 2:
        x, y = placing.heart(place)
        axes.add_artist(Circle((x, y), RING_MM, fc="none", ec=palette.LINES["vacated"], lw=0.9, clip_on=False))
