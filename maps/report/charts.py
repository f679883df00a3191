"""Charts of a report: coca against the goal, coca and eradication by year, and what a score is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.errors import SchemaError
from layers.goal import Aim
from maps import palette
from maps.comparison_words import Texts
from maps.payload import Language
from maps.report import classes, svg
from maps.report.pens import HATCH
from maps.report.placing import Floats
from maps.report.svg import INK, LINE_MM, PAPER, QUIET, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GOAL_MM = (178.0, 66.0)
HISTORY_MM = (86.0, 46.0)
PARTS_MM = 86.0
COCA, ERADICATED, AIM = "#084f8c", "#c97a06", palette.LINES["vacated"]  # the first two are the web chart's
BAR = palette.COCA.colours[2]
GRID = "#dfe5e8"
BOTTOM_MM = 5.0
ASIDE_MM = 37.0  # for words at the right of the chart of the goal
ROW_MM, ROW_BAR_MM = 5.0, 3.6
NAMES_MM, SCORE_MM = 24.0, 10.0
MARK_MM = 4.0
STRIP_MM = 1.6  # high, where eradication is not known
DIAMOND: dict[str, Any] = {"marker": "D", "ms": 3.2, "mfc": PAPER, "mec": INK, "mew": 0.9, "ls": ""}
WAY: dict[str, Any] = {"color": AIM, "lw": 1.4, "dashes": (3, 1.5)}
HATCHED: dict[str, Any] = {"fc": PAPER, "ec": palette.GROUND["missing"], "lw": 0, "hatch": HATCH}
UNKNOWN: dict[str, Any] = {**HATCHED, "ec": ERADICATED}
APART_MM = 3.4  # between the middles of two labels
TICKS = 4
BLACK = "#000000"


@dataclass(frozen=True)
class Key:
    """A mark and what it means.

    Attributes
    ----------
    words : str
        The meaning.
    look : mapping
        What draws it: arguments of a rectangle or, with ``line``, of a line.
    line : bool
        Whether it is a line or a point.
    """

    words: str
    look: Mapping[str, Any]
    line: bool = False


@dataclass(frozen=True)
class Plot:
    """A chart by year on a sheet.

    Attributes
    ----------
    figure : Figure
        The sheet.
    sheet, axes : Axes
        The whole of it in millimetres, and the part with the data.
    top : float
        Where the axis ends, hectares.
    texts : Texts
        Words and numbers.
    """

    figure: Figure
    sheet: Axes
    axes: Axes
    top: float
    texts: Texts

    def height_mm(self, value: float) -> float:
        """Where a value lies on the sheet."""
        low, high = self.axes.get_position().intervaly * self.figure.get_size_inches()[1] * svg.MM_PER_INCH
        return float(low + (high - low) * value / self.top)


def goal(
    coca: pd.Series, printed: pd.Series, aim: Aim, *, lang: Language, size_mm: tuple[float, float] = GOAL_MM
) -> str:
    """Draw the nation's coca by year against the straight way to the goal.

    Parameters
    ----------
    coca : Series of float
        Hectares by year, of all municipalities together; a year that is missing is hatched.
    printed : Series of float
        Totals as published, by year.
    aim : Aim
        The goal.
    lang : {"es", "en"}
        The language.
    size_mm : tuple of float, default GOAL_MM
        Width and height.

    Returns
    -------
    str
        An SVG document. The groups of bars are ``coca-`` and the year, of gaps ``gap-`` and the year.

    Raises
    ------
    SchemaError
        If there is no year at all.
    """
    texts = classes.texts(lang)
    years = _years(coca, printed)
    known, printed = coca.reindex(years).astype(float), printed.reindex(years).astype(float)
    ahead = range(years[0], max(years[-1], aim.target) + 1)  # years still to come are empty, not missing
    keys = [
        Key(texts.say("drawing_coca_table"), {"fc": BAR}),
        Key(texts.say("drawing_coca_printed"), DIAMOND, line=True),
        Key(texts.say("drawing_path"), WAY, line=True),
    ]
    keys += [Key(texts.say("drawing_gap"), HATCHED)] if known.isna().any() else []
    with svg.steady():
        plot = _plot(ahead, [known, printed], size_mm, texts, keys, right=ASIDE_MM)
        _gaps(plot, known)
        _bars(plot, known, "coca", 0.72, BAR)
        notes = _way(plot, known, aim)
        shown = printed.dropna()
        plot.axes.plot(shown.index, shown, clip_on=False, zorder=5, gid="printed", **DIAMOND)
        _aside(plot, [*notes, *_latest(known, texts)])
        return svg.document(plot.figure)


def _way(plot: Plot, coca: pd.Series, aim: Aim) -> list[tuple[float, str, str]]:
    """The straight way to the goal, and the goal from then on; the label of the goal."""
    base = float(coca.get(aim.baseline, math.nan))
    if math.isnan(base):
        return []
    left, last = base * (1 - aim.share), max(int(coca.index[-1]), aim.target) + 0.5
    white: dict[str, Any] = {"color": PAPER, "lw": 3.0}
    way = ([aim.baseline, max(aim.target, aim.baseline)], [base, left])
    plot.axes.plot(*way, **white)
    plot.axes.plot([aim.target, last], [left, left], **white)
    plot.axes.plot(*way, gid="way", **WAY)
    plot.axes.plot([aim.target, last], [left, left], gid="goal", color=AIM, lw=1.4, solid_capstyle="butt")
    say, number = plot.texts.say, plot.texts.number
    _above(plot, coca, aim.baseline, say("drawing_baseline", year=aim.baseline, value=number(base, 0)))
    return [(left, say("drawing_goal", year=aim.target, value=number(left, 0)), AIM)]


def _above(plot: Plot, coca: pd.Series, year: int, words: str) -> None:
    """A label that ends above the bar of a year, higher than all bars that it passes."""
    box = plot.axes.get_position().intervalx * plot.figure.get_size_inches()[0] * svg.MM_PER_INCH
    low, high = plot.axes.get_xlim()
    reach = svg.width_mm(words, bold=True) / (box[1] - box[0]) * (high - low)
    passed = coca[(coca.index >= year - reach) & (coca.index <= year)].max()
    x = box[0] + (box[1] - box[0]) * (year + 0.36 - low) / (high - low)
    y = plot.height_mm(float(passed)) + LINE_MM * 0.8
    svg.write(
        plot.sheet,
        max(x, box[0] + svg.width_mm(words, bold=True)),
        y,
        words,
        ha="right",
        weight="bold",
        gid=f"{svg.NAME}baseline",
    )


def _latest(coca: pd.Series, texts: Texts) -> list[tuple[float, str, str]]:
    known = coca.dropna()
    if known.empty:
        return []
    value = float(known.iloc[-1])
    return [(value, texts.say("drawing_last", year=known.index[-1], value=texts.number(value, 0)), INK)]


def _aside(plot: Plot, notes: Sequence[tuple[float, str, str]]) -> None:
    """Labels at the right of the plot, each at the height of its value, moved apart where they would touch."""
    right = plot.axes.get_position().x1 * plot.figure.get_size_inches()[0] * svg.MM_PER_INCH
    least = -math.inf
    for place, (value, words, colour) in enumerate(sorted(notes)):
        least = max(plot.height_mm(value), least + APART_MM)
        svg.write(plot.sheet, right + 1.5, least, words, color=colour, weight="bold", gid=f"aside-{place}")


def history(
    coca: pd.Series, eradicated: pd.Series, *, lang: Language, size_mm: tuple[float, float] = HISTORY_MM
) -> str:
    """Draw coca as an area and eradication as bars, by year.

    Parameters
    ----------
    coca : Series of float
        Hectares on 31 December by year, NaN where it was not measured.
    eradicated : Series of float
        Hectares eradicated by year, NaN where that is not known.
    lang : {"es", "en"}
        The language.
    size_mm : tuple of float, default HISTORY_MM
        Width and height.

    Returns
    -------
    str
        An SVG document. The groups of bars are ``eradicated-`` and the year, ``gap-`` and the year where coca was not
        measured, and ``unknown-`` and the year where eradication is not known.

    Raises
    ------
    SchemaError
        If there is no year at all.
    """
    texts = classes.texts(lang)
    years = _years(coca, eradicated)
    known, gone = coca.reindex(years).astype(float), eradicated.reindex(years).astype(float)
    keys = [
        Key(texts.say("drawing_coca"), {"fc": COCA, "alpha": 0.85}),
        Key(texts.say("drawing_eradicated"), {"fc": ERADICATED}),
    ]
    keys += [Key(texts.say("drawing_gap_coca"), HATCHED)] if known.isna().any() else []
    keys += [Key(texts.say("drawing_gap_eradicated"), UNKNOWN)] if gone.isna().any() else []
    with svg.steady():
        plot = _plot(years, [known, gone], size_mm, texts, keys)
        _gaps(plot, known)
        _unknown(plot, gone)
        _bars(plot, gone, "eradicated", 0.62, ERADICATED)
        _stock(plot, known)
        return svg.document(plot.figure)


def _bars(plot: Plot, values: pd.Series, name: str, wide: float, colour: str) -> None:
    known = values[values > 0]
    bars = plot.axes.bar(known.index.to_numpy(), known.to_numpy(), width=wide, color=colour)
    for year, bar in zip(known.index, bars, strict=True):
        bar.set_gid(f"{name}-{year}")


def _gaps(plot: Plot, values: pd.Series) -> None:
    """Hatch the years in which nothing was measured, so that no gap is taken for a zero."""
    from matplotlib.patches import Rectangle

    for year in values.index[values.isna()]:
        plot.axes.add_artist(Rectangle((year - 0.5, 0), 1, plot.top, zorder=0.5, gid=f"gap-{year}", **HATCHED))


def _unknown(plot: Plot, values: pd.Series) -> None:
    from matplotlib.patches import Rectangle

    tall = plot.top * STRIP_MM / (plot.height_mm(plot.top) - plot.height_mm(0))
    for year in values.index[values.isna()]:
        plot.axes.add_artist(Rectangle((year - 0.5, 0), 1, tall, zorder=3, gid=f"unknown-{year}", **UNKNOWN))


def _stock(plot: Plot, coca: pd.Series) -> None:
    """An area for each run of years that were measured; a year alone between gaps is a point."""
    runs = coca.isna().cumsum()[coca.notna()]
    for _, run in coca.dropna().groupby(runs):
        plot.axes.fill_between(run.index, run, color=COCA, alpha=0.16, lw=0, zorder=1.5)
        marks: dict[str, Any] = {"marker": "o", "ms": 3.0} if len(run) == 1 else {}
        plot.axes.plot(run.index, run, color=COCA, lw=1.6, zorder=4, clip_on=False, gid=f"coca-{run.index[0]}", **marks)


def _years(*series: pd.Series) -> range:
    """All years from the first to the last: one that is in no series was not measured either."""
    every = [int(year) for each in series for year in each.index]
    if not every:
        raise SchemaError("a chart by year needs at least one year; found none: give a series that is indexed by year")
    return range(min(every), max(every) + 1)


def _plot(
    years: range,
    series: Sequence[pd.Series],
    size: tuple[float, float],
    texts: Texts,
    keys: Sequence[Key],
    *,
    right: float = 2.0,
) -> Plot:
    """Open a sheet with the keys above a plot whose axes fit the data."""
    most = max((float(each.max()) for each in series if each.notna().any()), default=0.0)
    marks = _marks(most)
    words = [texts.number(mark, _decimals(marks[1])) for mark in marks]
    left = max(svg.width_mm(word) for word in [*words, texts.say("drawing_ha")]) + 1.5
    figure, sheet = svg.sheet(*size)
    sheet.set_zorder(1)  # words lie on top of what is drawn
    head = _keys(sheet, keys, size) + 1.7 * LINE_MM
    wide, tall = size
    box = (left / wide, BOTTOM_MM / tall, (wide - left - right) / wide, (tall - BOTTOM_MM - head) / tall)
    axes = figure.add_axes(box)
    axes.set(xlim=(years[0] - 0.6, years[-1] + 0.6), ylim=(0, marks[-1]), facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=QUIET, lw=0.6)
    axes.set_yticks(marks, words)
    axes.set_xticks(_labelled(years, box[2] * wide))
    axes.tick_params(length=0, pad=1.5, labelsize=SMALL, labelcolor=QUIET)
    axes.grid(axis="y", color=GRID, lw=0.5)
    axes.set_axisbelow(True)
    svg.write(sheet, left - 0.5, tall - head + LINE_MM, texts.say("drawing_ha"), ha="right", color=QUIET)
    return Plot(figure, sheet, axes, marks[-1], texts)


def _marks(most: float) -> list[float]:
    """Round values from zero to one that no value exceeds."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 2.5, 5.0, 10.0) if size * power >= rough * (1 - 1e-9))
    return [float(step * place) for place in range(math.ceil(most / step - 1e-9) + 1)]


def _decimals(step: float) -> int:
    return next((places for places in range(4) if math.isclose(round(step, places), step)), 4)


def _labelled(years: range, wide: float) -> list[int]:
    """All years where there is room, else the first, the last and every fifth between that touches neither."""
    if wide / len(years) >= svg.width_mm("2000 "):
        return list(years)
    first, last = years[0], years[-1]
    return [year for year in years if year in {first, last} or (year % 5 == 0 and min(last - year, year - first) > 2)]


def _keys(sheet: Axes, keys: Sequence[Key], size: tuple[float, float]) -> float:
    """Write the keys from the left, in as many rows as they need; their height."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    x, row = 0.5, 0
    for key in keys:
        takes = MARK_MM + 1.2 + svg.width_mm(key.words) + 3.5
        if x > 0.5 and x + takes - 3.5 > size[0]:
            x, row = 0.5, row + 1
        y = size[1] - (row + 0.5) * (LINE_MM + 0.4) - 0.2
        if key.line:
            xs = [x + MARK_MM / 2] if key.look.get("ls") == "" else [x, x + MARK_MM]
            sheet.add_artist(Line2D(xs, [y] * len(xs), clip_on=False, **key.look))
        else:
            sheet.add_artist(Rectangle((x, y - 1), MARK_MM, 2, clip_on=False, **{"lw": 0, **key.look}))
        svg.write(sheet, x + MARK_MM + 1.2, y, key.words, va="center_baseline")
        x += takes
    return (row + 1) * (LINE_MM + 0.4) + 0.4


def contributions(
    parts: pd.DataFrame,
    names: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    lang: Language,
    width_mm: float = PARTS_MM,
) -> str:
    """Draw what each dimension adds to the score of each municipality.

    Parameters
    ----------
    parts : DataFrame
        A row a municipality, a column a dimension in the order of the settings; rows sum to the score. A missing part
        adds nothing.
    names : mapping of str to str
        Name by index of ``parts``.
    labels : mapping of str to str
        Label by column of ``parts``.
    lang : {"es", "en"}
        The language.
    width_mm : float, default PARTS_MM
        The height follows from the number of municipalities.

    Returns
    -------
    str
        An SVG document. The groups of bars are ``part-``, the code, a hyphen and the dimension.
    """
    texts = classes.texts(lang)
    colours = [palette.DIMENSIONS.colours[i % len(palette.DIMENSIONS.colours)] for i in range(parts.shape[1])]
    keys = [Key(labels[str(column)], {"fc": colour}) for column, colour in zip(parts, colours, strict=True)]
    rows = [svg.wrapped(names[str(code)], NAMES_MM) for code in parts.index]
    with svg.steady():
        probe = _keys(svg.sheet(width_mm, 100)[1], keys, (width_mm, 100))
        heights = [max(ROW_MM, len(lines) * LINE_MM + 1) for lines in rows]
        size = (width_mm, probe + 1 + max(sum(heights), ROW_MM) + 0.5)
        figure, sheet = svg.sheet(*size)
        _keys(sheet, keys, size)
        _rows(sheet, parts, rows, np.array(heights), size[1] - probe - 1, colours, texts)
        return svg.document(figure)


def _rows(
    sheet: Axes,
    parts: pd.DataFrame,
    names: Sequence[Sequence[str]],
    heights: Floats,
    top: float,
    colours: Sequence[str],
    texts: Texts,
) -> None:
    scores = parts.sum(axis=1, min_count=1)
    left = max((svg.width_mm(line) for lines in names for line in lines), default=0.0) + 2
    room = sheet.get_xlim()[1] - left - SCORE_MM
    per_unit = room / max(float(scores.max()), 1e-9) if scores.notna().any() else 0.0
    middles = top - np.cumsum(heights) + heights / 2
    if parts.empty:
        svg.write(sheet, 0.5, top - ROW_MM / 2, texts.say("drawing_no_members"), color=QUIET)
    for place, (code, lines, y) in enumerate(zip(parts.index, names, middles.tolist(), strict=True)):
        svg.write(sheet, left - 1.5, y, lines, ha="right")
        end = left
        for dimension, colour in zip(parts, colours, strict=True):
            part = float(parts[dimension].iloc[place])
            gid = f"part-{code}-{dimension}"
            end = _part(sheet, end, y, part * per_unit, colour, texts.number(part, 2), gid) if part > 0 else end
        score = float(scores.iloc[place])
        words = texts.say("drawing_no_score") if math.isnan(score) else texts.number(score, 3)
        svg.write(sheet, end + 1, y, words, ha="left", weight="bold", gid=f"score-{code}")


def _part(sheet: Axes, x: float, y: float, wide: float, colour: str, words: str, gid: str) -> float:
    """One segment, with its value where that fits; where it ends."""
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"fc": colour, "ec": PAPER, "lw": 0.5, "gid": gid, "clip_on": False}
    sheet.add_artist(Rectangle((x, y - ROW_BAR_MM / 2), wide, ROW_BAR_MM, **look))
    if svg.width_mm(words) + 0.8 <= wide:
        svg.write(sheet, x + wide / 2, y, words, ha="center", va="center_baseline", color=_legible(colour))
    return x + wide


def _legible(colour: str) -> str:
    """Black or white, whichever contrasts more with the colour (WCAG 2.2, relative luminance)."""
    srgb = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return PAPER if float(linear @ [0.2126, 0.7152, 0.0722]) < 0.18 else BLACK
