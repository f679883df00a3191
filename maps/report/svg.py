"""Figures of matplotlib as small SVG documents that need no font, no network and no clock."""

from __future__ import annotations

import bisect
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
INK, QUIET, FAINT, PAPER = "#1b1b1b", "#4a5459", "#c5ccd0", "#ffffff"
SMALL, BODY = 6.5, 7.0  # points; smaller print is not read
LINE_MM = 2.9  # from one line of small print to the next
NAME = "name-"  # a text whose id begins so has white surroundings, which keep what lies beneath off its letters
HALO_POINTS = 1.6
STEADY: dict[Any, Any] = {
    "svg.hashsalt": "presencia",
    "svg.fonttype": "path",
    "text.parse_math": False,  # a name with $ is a name
    "text.usetex": False,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so every machine draws the same letters
    "font.size": BODY,
    "hatch.linewidth": 0.45,
    "path.simplify": False,
    "path.sketch": None,
    "axes.unicode_minus": True,
}
# What the document has no use for: a link to its grammar, and a description of the program that wrote it.
PROLOGUE = re.compile(r"<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*", re.DOTALL)
SIZE = re.compile(r'width="[\d.]+pt" height="[\d.]+pt"')
PATH = re.compile(r'(?<=\sd=")[^"]*')
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
AROUND = re.compile(r"\s*([MLQCz])\s*")
STRAIGHT = re.compile(r"[-MLz\d.\s]*\.[-MLz\d.\s]*")
STEPS_PER_POINT = 100  # coordinates are written to a hundredth of a point
NAMED = re.compile(rf'<g id="({NAME}[^"]*)">(?=.*?scale\(([\d.]+) )', re.DOTALL)
GLYPH = re.compile(r'(?<=id=")DejaVuSans-(?:Bold)?|(?<=href="#)DejaVuSans-(?:Bold)?')
ADVANCE = re.compile(r"(?<=translate\()([\d.]+) ([\d.]+)(?=\))")
UNKNOWN_LETTER = "Glyph .* missing from font"
GLYPH_SCALE = 1 / 64  # of the letters' own outlines, as matplotlib writes them


@contextmanager
def steady() -> Iterator[None]:
    """Draw with settings of our own, whatever those of the machine are, and leave those as they were."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to fail, and the page has the name as text.
        warnings.filterwarnings("ignore", message=UNKNOWN_LETTER, category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STEADY)
        yield


def sheet(width_mm: float, height_mm: float) -> tuple[Figure, Axes]:
    """Open a white sheet whose coordinates are millimetres from its lower left corner.

    Parameters
    ----------
    width_mm, height_mm : float
        Size in print.

    Returns
    -------
    tuple of Figure and Axes
        The figure, and axes without frame that cover it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm))
    return figure, axes


def document(figure: Figure) -> str:
    """Write a figure as SVG.

    Parameters
    ----------
    figure : Figure
        What is drawn; an artist's ``gid`` becomes the ``id`` of its group. Call it within :func:`steady`.

    Returns
    -------
    str
        A document with its size in millimetres, letters as outlines, and coordinates to a hundredth of a point; the
        same figure gives the same text.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    width, height = (float(side) * MM_PER_INCH for side in figure.get_size_inches())
    text = PROLOGUE.sub("", buffer.getvalue())
    text = SIZE.sub(f'width="{width:.6g}mm" height="{height:.6g}mm"', text, count=1)
    text = ADVANCE.sub(lambda found: _rounded(found[0]), text)
    text = GLYPH.sub(lambda found: "b" if "Bold" in found[0] else "r", NAMED.sub(_surround, text))
    return re.sub(r">\n\s*", ">\n", PATH.sub(_shorten, text))


def _shorten(found: re.Match[str]) -> str:
    """Write straight lines as steps from corner to corner; letters and circles keep their corners, rounded."""
    if STRAIGHT.fullmatch(found[0]):
        return "".join(_steps(part) for part in found[0].split("M") if part.strip())
    return AROUND.sub(r"\1", _rounded(found[0]))


def _rounded(text: str) -> str:
    return NUMBER.sub(lambda number: _short(round(float(number[0]) * STEPS_PER_POINT)), text)


def _steps(part: str) -> str:
    """One line or ring. Corners are rounded before they are subtracted, so that borders drawn from both sides agree."""
    numbers = np.array(NUMBER.findall(part), dtype=float).reshape(-1, 2)
    corners = np.rint(numbers * STEPS_PER_POINT).astype(int)
    steps = np.diff(corners, axis=0)
    moved = [f"{_short(dx)} {_short(dy)}" for dx, dy in steps[steps.any(axis=1)].tolist()]
    begin = " ".join(_short(side) for side in corners[0].tolist())
    line = f"M{begin}l{' '.join(moved)}" if moved else f"M{begin}h0"
    return line.replace(" -", "-") + ("z" if "z" in part else "")


def _short(hundredths: int) -> str:
    text = f"{hundredths / STEPS_PER_POINT:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _surround(found: re.Match[str]) -> str:
    """Draw the letters twice: first with a white stroke, which their own scale would make invisible."""
    width = HALO_POINTS / (float(found[2]) * GLYPH_SCALE)
    return f'<use xlink:href="#{found[1]}" stroke="{PAPER}" stroke-width="{width:.0f}"/>\n{found[0]}'


def width_mm(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """Width of a line of text in print.

    Parameters
    ----------
    text : str
        One line.
    size : float, default SMALL
        Points.
    bold : bool, default False
        Whether it is set bold.

    Returns
    -------
    float
        Millimetres.
    """
    return _width(text, bold) * size / 100


@cache
def _width(text: str, bold: bool) -> float:
    """Of a line whose letters are 100 points high."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], weight="bold" if bold else "normal", size=100)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=UNKNOWN_LETTER, category=UserWarning)
        points: float = text_to_path.get_text_width_height_descent(text, font, False)[0]
    return points / POINTS_PER_MM


def wrapped(
    text: str, most_mm: float, size: float = SMALL, *, bold: bool = False, word_mm: float | None = None
) -> list[str]:
    """Break a text into lines between its words.

    Parameters
    ----------
    text : str
        What to break.
    most_mm : float
        Width of a line in millimetres; one word that is wider has a line of its own.
    size : float, default SMALL
        Points.
    bold : bool, default False
        Whether it is set bold.
    word_mm : float, optional
        What a single word may take before it is cut short; as much as a line if not given.

    Returns
    -------
    list of str
        At least one line.
    """
    lines: list[str] = []
    for word in (
        _cut(word, word_mm or most_mm, size, bold) for word in _printable(text).replace("\n", " ").split(" ") if word
    ):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(longer, size, bold=bold) <= most_mm:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def _cut(word: str, most_mm: float, size: float, bold: bool) -> str:
    if width_mm(word, size, bold=bold) <= most_mm:
        return word
    longer = range(1, len(word))
    keep = bisect.bisect_right(longer, most_mm, key=lambda count: width_mm(word[:count] + "…", size, bold=bold))
    return word[: max(keep, 1)] + "…"


def _printable(text: str) -> str:
    """Without what turns the direction of a line, breaks it, or has no place in XML."""
    return "".join(letter if letter.isprintable() or letter in "\u00a0\n" else " " for letter in text)


def write(axes: Axes, x: float, y: float, lines: str | Sequence[str], **style: Any) -> None:
    """Write lines of small print.

    Parameters
    ----------
    axes : Axes
        Those of a sheet.
    x, y : float
        Where, in millimetres.
    lines : str or sequence of str
        One line, or several.
    **style
        What ``Axes.text`` takes beside; by default dark small print, its middle at ``y``. A ``gid`` that begins with
        :data:`NAME` brings white surroundings.
    """
    text = _printable(lines if isinstance(lines, str) else "\n".join(lines))
    full = {"size": SMALL, "color": INK, "va": "center", "linespacing": 1.1, "clip_on": False, **style}
    axes.text(x, y, text, **full)
