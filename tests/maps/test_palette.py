"""Colours measured as CIEDE2000 under simulated colour blindness, and texts as WCAG 2.2 measures contrast.

All colours that can lie side by side on a map are compared, for every number of classes, and the marks of the legend
are held against the palette.
"""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import numpy.typing as npt
import pytest

from layers import criteria
from maps import legend, palette, standalone, webmap

Floats = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), table 1, severity 1.0; they act on linear RGB.
EYES: dict[str, Floats] = {
    "normal": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = "#ffffff"
SEQUENTIAL = (palette.SCORE, palette.COCA, palette.ERADICATION, palette.VIOLENCE, palette.PRESENCE)
SIDES = (palette.RISE, palette.FALL)
NAMED = (palette.PERMANENCE, palette.SPOTS)
FILLED = (*SEQUENTIAL, *SIDES, *NAMED)
# 2.3 is the least difference that an eye notices side by side (Mahy et al. 1994); across a map it takes more.
FILLS_APART = 6.0
LINES_APART = 15.0
CATEGORIES_APART = 10.0


def linear(colour: str) -> Floats:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.asarray(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def lab(colour: str, eye: str = "normal") -> tuple[float, float, float]:
    xyz = SRGB_TO_XYZ @ np.clip(EYES[eye] @ linear(colour), 0, 1) / SRGB_TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116).tolist()
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _hues(a1: float, b1: float, a2: float, b2: float) -> tuple[float, float]:
    """Difference and mean of two hue angles, degrees."""
    if math.hypot(a1, b1) * math.hypot(a2, b2) == 0:
        return 0.0, math.degrees(math.atan2(b1, a1)) % 360 + math.degrees(math.atan2(b2, a2)) % 360
    one, other = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    difference = (other - one + 180) % 360 - 180
    return difference, (one + difference / 2) % 360


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Colour difference after Sharma, Wu and Dalal (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    chroma7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * math.sqrt(chroma7 / (chroma7 + 25**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    turn, hue = _hues(a1, b1, a2, b2)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    t = 1 + sum(k * math.cos(math.radians(n * hue + shift)) for k, n, shift in waves)
    d_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / math.sqrt(20 + (lightness - 50) ** 2))
    d_c = (c2 - c1) / (1 + 0.045 * chroma)
    d_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    rotation = 2 * math.sqrt(chroma**7 / (chroma**7 + 25**7))
    rotation *= -math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    return math.sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h)


def apart(one: str, other: str, eye: str) -> float:
    return ciede2000(lab(one, eye), lab(other, eye))


def closest(colours: list[str], eye: str) -> tuple[float, str, str]:
    return min((apart(one, other, eye), one, other) for one, other in itertools.combinations(colours, 2))


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def blended(line: str, ground: str, share: float) -> str:
    parts = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (line, ground)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in zip(*parts, strict=True))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_of_difference_gives_the_published_values(one, other, expected):
    assert ciede2000(one, other) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(other, one) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("eye", EYES)
def test_the_simulation_leaves_greys_as_they_are(eye):
    for grey in ("#000000", "#808080", WHITE):
        assert apart(grey, grey, eye) == 0
        assert lab(grey, eye) == pytest.approx(lab(grey), abs=0.5)


@pytest.mark.parametrize(
    ("eye", "one", "other"),
    [
        ("protanopia", "#d94801", "#7a8a00"),
        ("deuteranopia", "#d95f02", "#a6a000"),
        ("tritanopia", "#2c7fb8", "#1b9e8f"),
    ],
)
def test_the_simulation_condemns_pairs_that_such_readers_confuse(eye, one, other):
    assert apart(one, other, eye) < 0.6 * apart(one, other, "normal")


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("classes", range(1, 6))
@pytest.mark.parametrize("colours", SEQUENTIAL, ids=lambda colours: colours.name)
def test_any_two_fills_that_can_meet_on_a_map_differ_for_every_eye(colours, classes, eye):
    fills = [palette.GROUND["zero"], *colours.spread(classes)]
    assert closest(fills, eye)[0] >= FILLS_APART


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("classes", range(1, 4))
def test_changes_of_any_size_and_either_side_differ_for_every_eye(classes, eye):
    fills = [*palette.FALL.spread(classes), palette.GROUND["zero"], *palette.RISE.spread(classes)]
    assert closest(fills, eye)[0] >= CATEGORIES_APART


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("colours", NAMED, ids=lambda colours: colours.name)
def test_categories_differ_in_pairs_for_every_eye(colours, eye):
    assert closest(list(colours.colours), eye)[0] >= CATEGORIES_APART


def test_no_coca_and_no_cluster_look_like_zero():
    assert {palette.PERMANENCE.colours[-1], palette.SPOTS.colours[-1]} == {palette.GROUND["zero"]}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("colours", FILLED, ids=lambda colours: colours.name)
def test_missing_is_taken_for_no_class_and_not_for_zero(colours, eye):
    fills = [palette.GROUND["zero"], palette.GROUND["absent"], *colours.colours]
    line = palette.GROUND["missing"]
    # Near by, its lines are seen on white; from afar, line and white run together.
    assert apart(line, WHITE, eye) >= LINES_APART
    assert min(apart(line, fill, eye) for fill in fills) >= FILLS_APART
    assert min(apart(blended(line, WHITE, 0.35), fill, eye) for fill in fills) >= FILLS_APART


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("colours", [*SEQUENTIAL, *SIDES], ids=lambda colours: colours.name)
def test_more_is_darker_for_every_eye_and_in_a_photocopy(colours, eye):
    lightness = [lab(fill, eye)[0] for fill in (palette.GROUND["zero"], *colours.colours)]
    assert min(one - other for one, other in itertools.pairwise(lightness)) >= 4


@pytest.mark.parametrize("colours", SEQUENTIAL, ids=lambda colours: colours.name)
@pytest.mark.parametrize("classes", range(1, 6))
def test_a_spread_gives_as_many_colours_as_classes_in_order(colours, classes):
    spread = colours.spread(classes)
    assert len(spread) == len(set(spread)) == classes
    assert list(spread) == sorted(spread, key=colours.colours.index)
    assert spread[-1] == colours.colours[-1]
    assert classes == 1 or spread[0] == colours.colours[0]


def test_zero_and_what_does_not_apply_never_stand_on_one_map():
    scales = [scale for scale in legend.scales({}, [0.1, 0.9]) if scale.kind != "categories"]
    assert palette.GROUND["zero"] == palette.GROUND["absent"]
    assert {(scale.zero is None) != (scale.absent is None) for scale in scales} == {True}


@pytest.mark.parametrize("eye", EYES)
def test_dimensions_can_be_told_apart_by_every_eye(eye):
    assert closest(list(palette.DIMENSIONS.colours), eye)[0] >= CATEGORIES_APART


def test_every_dimension_of_the_settings_has_a_colour_of_its_own():
    assert len(criteria.load().dimensions) <= len(set(palette.DIMENSIONS.colours))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("line", ["vacated", "zone_band"])
def test_outlines_differ_from_every_fill_for_every_eye(line, eye):
    fills = [WHITE, palette.GROUND["zero"], *itertools.chain.from_iterable(each.colours for each in FILLED)]
    assert min((apart(palette.LINES[line], fill, eye), fill) for fill in fills)[0] >= LINES_APART


@pytest.mark.parametrize("eye", EYES)
def test_outlines_differ_from_each_other_for_every_eye(eye):
    assert closest(list(palette.LINES.values()), eye)[0] >= LINES_APART


@pytest.mark.parametrize("eye", EYES)
def test_points_of_two_kinds_differ_for_every_eye(eye):
    police, etcr = palette.POINTS["station"], palette.POINTS["etcr"]
    assert apart(police, etcr, eye) >= LINES_APART


@pytest.mark.parametrize(
    ("line", "casing"),
    [("vacated", WHITE), ("zones", palette.LINES["zone_band"]), ("departments", WHITE)],
)
def test_lines_have_the_contrast_that_wcag_asks_of_graphics(line, casing):
    assert contrast(palette.LINES[line], casing) >= 3


def test_missing_lines_have_the_contrast_that_wcag_asks_of_graphics():
    assert contrast(palette.GROUND["missing"], WHITE) >= 3


def test_the_measure_of_contrast_gives_the_published_values():
    assert contrast("#000000", WHITE) == pytest.approx(21)
    assert contrast("#767676", WHITE) == pytest.approx(4.54, abs=0.005)


RULES = "\n".join(standalone.asset(name) for name in webmap.STYLES if name != "print.css")
# What cannot be used need not be read (WCAG 2.2, 1.4.3).
STYLE = re.sub(r"^.*aria-disabled.*$", "", RULES, flags=re.M)
VARIABLES = dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{3,6})\b", STYLE))


def declared(properties: str) -> set[str]:
    """Plain colours that the style sheet gives to some properties, variables and short forms written out."""
    values = re.findall(rf"[{{;\s](?:{properties}):\s*(#[0-9a-f]{{3,6}}\b|var\(--[\w-]+\))", STYLE)
    hexes = (VARIABLES[value[4:-1]] if value.startswith("var") else value for value in values)
    return {"#" + "".join(2 * digit for digit in value[1:]) if len(value) == 4 else value for value in hexes}


INKS = sorted(ink for ink in declared("color") if luminance(ink) < 0.6)
SURFACES = sorted(surface for surface in declared("background|background-color") if luminance(surface) > 0.6)


def test_the_style_sheet_is_read_as_it_is_written():
    assert {"#16242c", "#4a5a64", "#94300a"} <= set(INKS)
    assert {WHITE, "#fbf3ef", "#dcebf2"} <= set(SURFACES)


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("surface", SURFACES)
def test_texts_are_legible_on_every_surface(ink, surface):
    assert contrast(ink, surface) >= 4.5


def test_white_texts_stand_on_dark_grounds():
    rules = [rule for rule in re.findall(r"{([^}]*)}", STYLE) if re.search(r"[;\s]color: #fff\b", rule)]
    for rule in rules:
        [ground] = re.findall(r"background(?:-color)?: (#[0-9a-f]{6}|var\(--[\w-]+\))", rule)
        assert contrast(VARIABLES.get(ground[4:-1], ground), WHITE) >= 4.5
    assert rules


def test_texts_of_the_chart_are_legible():
    [ink] = re.findall(r"\.pr-chart text {[^}]*fill: var\((--[\w-]+)\)", STYLE)
    assert contrast(VARIABLES[ink], WHITE) >= 4.5


@pytest.mark.parametrize(
    ("mark", "colours"),
    [
        ("pr-mark-vacated", {palette.LINES["vacated"]}),
        ("pr-mark-zones", {palette.LINES["zones"], palette.LINES["zone_band"]}),
        ("pr-mark-departments", {palette.LINES["departments"]}),
        ("pr-mark-posts", {palette.POINTS["station"]}),
        ("pr-mark-etcr", {palette.POINTS["etcr"], palette.LINES["zones"]}),
        ("pr-swatch-missing", {palette.GROUND["missing"], "#fff"}),
    ],
)
def test_marks_of_the_legend_have_the_colours_of_the_map(mark, colours):
    [rule] = re.findall(rf"\.{mark}(?:::before)? {{([^}}]*)}}", STYLE)
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", rule)) == colours


def test_every_palette_says_whom_it_is_from_and_is_written_as_a_page_reads_it():
    for given in (*FILLED, palette.DIMENSIONS):
        assert given.name
        assert given.source
        assert len(set(given.colours)) == len(given.colours)
    every = [*(given.colours for given in FILLED), palette.DIMENSIONS.colours, palette.LINES.values()]
    for colours in [*every, palette.POINTS.values(), palette.GROUND.values()]:
        assert [colour for colour in colours if not re.fullmatch("#[0-9a-f]{6}", colour)] == []
