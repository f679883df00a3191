"""SVG read back as a viewer places it: every outline in the document's own coordinates, and the texts that it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
CALL = re.compile(r"(\w+)\(([^)]*)\)")
TAKES = {"M": 2, "L": 2, "Q": 4, "C": 6, "H": 1}


@dataclass(frozen=True)
class Outline:
    """A path as placed: its group's id, style and points (control points of curves too)."""

    group: str
    style: str
    points: Floats
    width: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        west, south = self.points.min(axis=0).tolist()
        east, north = self.points.max(axis=0).tolist()
        return west, south, east, north

    @property
    def fill(self) -> str:
        found = re.search(r"fill: ([^;]+)", self.style)
        return found[1] if found else ""


def read(text: str) -> tuple[ET.Element, list[Outline]]:
    """Parse a document; every path of it that is drawn."""
    root = ET.fromstring(text)
    named = {element.get("id", ""): element for element in root.iter() if element.get("id")}
    return root, list(_outlines(root, np.eye(3), "", named))


def viewbox(root: ET.Element) -> tuple[float, float]:
    return tuple(float(side) for side in root.get("viewBox", "").split()[2:])  # type: ignore[return-value]


def by_id(outlines: list[Outline], group: str) -> list[Outline]:
    return [each for each in outlines if each.group == group]


def texts(document: str) -> list[str]:
    """What the outlines of letters spell, which matplotlib notes beside them."""
    return [found.strip() for found in re.findall(r"<!--(.*?)-->", document, re.DOTALL)]


def outside(document: str) -> list[Outline]:
    """Outlines that the edges of the document would cut; what a clip path holds in is left out."""
    root, outlines = read(document)
    wide, tall = viewbox(root)
    return [
        each
        for each in outlines
        if not ((each.points >= -0.1).all() and (each.points <= [wide + 0.1, tall + 0.1]).all())
    ]


def _outlines(element: ET.Element, matrix: Floats, group: str, named: dict[str, ET.Element]):
    matrix = matrix @ _matrix(element.get("transform", ""))
    if element.tag == f"{SVG}use":
        shift = np.array([[1, 0, float(element.get("x", 0))], [0, 1, float(element.get("y", 0))], [0, 0, 1]])
        target = named[element.get(f"{XLINK}href", "")[1:]]
        yield from _outlines(target, matrix @ shift, group, {**named})
    elif element.tag == f"{SVG}path" and not element.get("clip-path"):
        points = _points(element.get("d", ""))
        placed = (np.column_stack([points, np.ones(len(points))]) @ matrix.T)[:, :2]
        width = re.search(r"stroke-width: ([\d.]+)", element.get("style", ""))
        if len(placed):  # a blank has no outline
            yield Outline(group, element.get("style", ""), placed, float(width[1]) if width else 0.0)
    elif element.tag != f"{SVG}defs":
        for child in element:
            yield from _outlines(child, matrix, child.get("id") or group, named)


def _matrix(text: str) -> Floats:
    made = np.eye(3)
    for name, numbers in CALL.findall(text):
        x, *rest = (float(each) for each in re.split(r"[\s,]+", numbers.strip()))
        y = rest[0] if rest else (x if name == "scale" else 0.0)
        step = {"translate": [[1, 0, x], [0, 1, y], [0, 0, 1]], "scale": [[x, 0, 0], [0, y, 0], [0, 0, 1]]}[name]
        made = made @ np.array(step)
    return made


def _points(d: str) -> Floats:
    points: list[tuple[float, float]] = []
    begin = now = (0.0, 0.0)
    command = ""
    numbers: list[float] = []
    for token in TOKEN.findall(d):
        if token.isalpha():
            command, numbers = token, []
            now = begin if token == "z" else now
            continue
        numbers.append(float(token))
        if len(numbers) < TAKES[command.upper()]:
            continue
        if command == "h":
            numbers = [numbers[0], 0.0]
        base = now if command.islower() else (0.0, 0.0)
        found = [(base[0] + x, base[1] + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        points += found
        now, numbers = found[-1], []
        begin = now if command == "M" else begin
    return np.array(points, dtype=float).reshape(-1, 2)
