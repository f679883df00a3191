"""Where names and numbers go on a drawing, so that none lies on another. All lengths are in one unit, millimetres."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # west, south, east, north

DIRECTIONS = 16
AWAY = 0.12  # what a millimetre of distance costs, against a name that lies wholly outside its own area
COARSE = 0.3  # what is covered need not be known more exactly
HIDDEN = 0.25  # what it costs to hide a point
CROSSED = 0.6  # what it costs a leader line to cross another


@dataclass(frozen=True)
class Sign:
    """A name or a number that wants a place.

    Attributes
    ----------
    home : geometry
        The area that it names.
    width, height : float
        Its size.
    reach : float
        How far from home it may go; 0 keeps it inside.
    outside : float
        The most of it that may lie outside its area without a line that leads there, as a share.
    hidden : float
        The most of its area that it may hide, as a share.
    """

    home: BaseGeometry
    width: float
    height: float
    reach: float = 0.0
    outside: float = 1.0
    hidden: float = 1.0


@dataclass(frozen=True)
class Spot:
    """Where a sign goes.

    Attributes
    ----------
    x, y : float
        Its middle.
    box : tuple of float
        What it covers.
    leader : LineString, optional
        A line from its edge to its area, where it does not lie on it.
    """

    x: float
    y: float
    box: Box
    leader: BaseGeometry | None = None


def place(
    signs: Sequence[Sign],
    room: Box,
    *,
    taken: Sequence[Box] = (),
    spared: BaseGeometry | None = None,
    marks: Iterable[BaseGeometry] = (),
) -> list[Spot | None]:
    """Give each sign the best place that those before it have left.

    Parameters
    ----------
    signs : sequence of Sign
        The most important first.
    room : tuple of float
        All must lie within.
    taken : sequence of tuple of float
        Boxes that none may touch.
    spared : geometry, optional
        What signs should rather not hide where it is not their own.
    marks : iterable of Point, optional
        Points that signs should rather not hide.

    Returns
    -------
    list of Spot or None
        In the same order; None where no place is left.
    """
    boxes = list(taken)
    spots: list[Spot | None] = []
    beneath = Beneath(shapely.simplify(spared or shapely.Polygon(), COARSE), shapely.STRtree(list(marks)))
    for sign in signs:
        others = [spot.leader for spot in spots if spot and spot.leader is not None]
        spot = _best(sign, room, np.array(boxes, dtype=float).reshape(-1, 4), others, beneath)
        spots.append(spot)
        if spot:
            boxes.append(spot.box)
    return spots


@dataclass(frozen=True)
class Beneath:
    """What signs should rather not hide: areas that are not their own, and points."""

    areas: BaseGeometry
    points: shapely.STRtree


def box_of(edges: Iterable[float]) -> Box:
    """Make a box of its edges.

    Parameters
    ----------
    edges : iterable of float
        West, south, east and north.

    Returns
    -------
    tuple of float
        The same.
    """
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north


def heart(shape: BaseGeometry) -> tuple[float, float]:
    """Give the point of an area that lies farthest from its edge.

    Parameters
    ----------
    shape : geometry
        Polygons.

    Returns
    -------
    tuple of float
        x and y.
    """
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    largest = max(parts, key=lambda part: float(part.area), default=None)
    if largest is None:
        return float(shape.centroid.x), float(shape.centroid.y)
    radius = shapely.maximum_inscribed_circle(largest, tolerance=max(math.sqrt(largest.area) / 50, 1e-6))
    x, y = radius.coords[0]
    return float(x), float(y)


def _best(sign: Sign, room: Box, taken: Floats, leaders: Sequence[BaseGeometry], beneath: Beneath) -> Spot | None:
    x, y = heart(sign.home)
    middles = _candidates(x, y, sign)
    boxes = np.column_stack([middles, middles]) + np.array([-1, -1, 1, 1]) * np.tile([sign.width, sign.height], 2) / 2
    free = _within(boxes, room) & ~_meets(boxes, taken)
    middles, boxes = middles[free], boxes[free]
    if not len(boxes):
        return None
    drawn = shapely.box(*boxes.T)
    lines = shapely.linestrings([[(x, y), tuple(middle)] for middle in middles.tolist()])
    covered = shapely.area(shapely.intersection(drawn, shapely.simplify(sign.home, COARSE)))
    led = covered < (1 - sign.outside) * sign.width * sign.height
    cost = _cost(sign, drawn, covered, beneath) + AWAY * shapely.length(lines)
    cost += np.where(led, _crossings(lines, drawn, leaders, taken), 0.0)
    cost[led & (sign.reach <= 0)] = np.inf
    best = int(np.argmin(cost))
    if not np.isfinite(cost[best]):
        return None
    leader = shapely.difference(lines[best], drawn[best]) if led[best] else None
    return Spot(float(middles[best, 0]), float(middles[best, 1]), box_of(boxes[best]), leader)


def _cost(sign: Sign, drawn: npt.NDArray[np.object_], covered: Floats, beneath: Beneath) -> Floats:
    """What it costs to lie outside one's own area, to hide it, and to hide what should be seen."""
    size = sign.width * sign.height
    others = np.maximum(shapely.area(shapely.intersection(drawn, beneath.areas)) - covered, 0.0)
    hidden = np.bincount(beneath.points.query(drawn, predicate="intersects")[0], minlength=len(drawn))
    cost: Floats = 1 - covered / size + (covered > sign.hidden * sign.home.area) + others / size + HIDDEN * hidden
    return cost


def _crossings(
    lines: npt.NDArray[np.object_], drawn: npt.NDArray[np.object_], leaders: Sequence[BaseGeometry], taken: Floats
) -> Floats:
    """What it costs that leaders cross other leaders, and that they and their signs cross what is there."""
    signs = [shapely.box(*box) for box in taken.tolist()]
    others = shapely.union_all([*leaders, *signs]) if signs else shapely.GeometryCollection()
    crossing: Floats = CROSSED * (shapely.intersects(lines, others).astype(float))
    led = shapely.union_all(list(leaders)) if leaders else shapely.GeometryCollection()
    return crossing + CROSSED * shapely.intersects(drawn, led)


def _candidates(x: float, y: float, sign: Sign) -> Floats:
    """Middles to try: home itself, places beside it, and rings around it as far as it may go."""
    beside, above = np.linspace(-0.6, 0.6, 7), np.linspace(-2, 2, 9)
    near = [(x + dx * sign.width, y + dy * sign.height) for dy in above for dx in beside]
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    rings = np.arange(1.0, sign.reach + 0.5, 1.0)
    # A wide sign stands farther off to the side than above, so that its edge is what keeps the distance.
    far = [
        (x + math.cos(angle) * (radius + sign.width / 2), y + math.sin(angle) * (radius + sign.height / 2))
        for radius in rings
        for angle in angles
    ]
    return np.array([(x, y), *near, *far])


def _within(boxes: Floats, room: Box) -> npt.NDArray[np.bool_]:
    west, south, east, north = boxes.T
    found: npt.NDArray[np.bool_] = (west >= room[0]) & (south >= room[1]) & (east <= room[2]) & (north <= room[3])
    return found


def _meets(boxes: Floats, taken: Floats) -> npt.NDArray[np.bool_]:
    """Whether each box touches any of those taken."""
    west, south, east, north = (edge[:, None] for edge in boxes.T)
    left, below, right, above = taken.T
    apart = (east < left) | (right < west) | (north < below) | (above < south)
    found: npt.NDArray[np.bool_] = np.logical_not(apart).any(axis=1)
    return found
