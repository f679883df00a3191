"""Maps of a report, read back from their SVG: on a grid of squares every colour, place and word is known beforehand."""

from __future__ import annotations

import itertools
import re
import warnings
from typing import Any

import geopandas as gpd
import matplotlib
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from maps import legend, palette
from maps.report import classes, drawings, localmap, pens, placing, svg
from maps.report.placing import Sign
from tests.maps import svgread

COLUMNS, ROWS = 6, 4
HOSTILE = '</g><script>alert("$x_1$ --> &amp;")</script>'
CODES = [f"0{1 + column // 3}{row * COLUMNS + column + 1:03d}" for row in range(ROWS) for column in range(COLUMNS)]
SCALE = legend.Scale(
    "score", "classes", "score", "score", (0.2, 0.4, 0.6, 0.8), palette.SCORE.colours, 2, absent="#f4f3f0"
)
# One of each class, a score that is a class's lower limit, and a score of zero, which is no missing one.
KNOWN = {CODES[0]: 0.9, CODES[1]: 0.8, CODES[2]: 0.79, CODES[7]: 0.5, CODES[8]: 0.3, CODES[9]: 0.19, CODES[10]: 0.0}
FILLS = {code: palette.SCORE.colours[at] for code, at in zip(KNOWN, (4, 4, 3, 2, 1, 0, 0), strict=True)}
UNMEASURED, UNHEARD = CODES[13], CODES[14]


def squares() -> gpd.GeoDataFrame:
    """Squares from west to east and north to south, the west half one department, and two islands far off."""
    boxes = [
        shapely.box(-76 + column, 3 - row, -75 + column, 4 - row)
        for row, column in itertools.product(range(ROWS), range(COLUMNS))
    ]
    islands = [shapely.box(-81.8, 12.4, -81.6, 12.6), shapely.box(-81.4, 13.2, -81.2, 13.4)]
    codes = [*CODES, "88001", "88564"]
    frame = gpd.GeoDataFrame({"name": [f"Pueblo {code}" for code in codes]}, geometry=[*boxes, *islands], crs=4326)
    frame.index = pd.Index(codes, name="code")
    frame["department_code"] = frame.index.str[:2]
    frame["department"] = frame["department_code"].map({"01": "Oeste", "02": "Este", "88": "Islas"})
    frame["station_km"] = np.where(frame["department_code"] == "02", np.nan, 3.0)
    return frame


PLACES = squares()
SCORE = pd.Series(KNOWN).reindex(PLACES.index).drop(UNHEARD)
ZONES = gpd.GeoDataFrame(
    {"members": [[CODES[0], CODES[1]], [CODES[8], CODES[9]], ["88001"]]},
    geometry=[shapely.Point()] * 3,
    index=["Z1", "Z2", "Z3"],
)
SHOWN: dict[str, Any] = {"outlined": [CODES[0], CODES[7]], "zones": ZONES, "lang": "es", "unmeasured": [UNMEASURED]}


@pytest.fixture(scope="module")
def ground() -> drawings.Ground:
    return drawings.ground(PLACES)


@pytest.fixture(scope="module")
def country(ground) -> str:
    return drawings.country(ground, SCORE, SCALE, **SHOWN)


@pytest.fixture(scope="module")
def zone(ground) -> str:
    return drawings.zone(
        ground, SCORE, SCALE, members=[CODES[0], CODES[1], UNMEASURED], posts=POSTS, lang="es", unmeasured=[UNMEASURED]
    )


POSTS = gpd.GeoDataFrame(
    {"kind": ["station", "station", "cai", "station"]},
    geometry=gpd.points_from_xy([-75.5, -74.5, -74.2, -30.0], [3.5, 3.4, 3.2, 40.0]),
    crs=4326,
)


def fill(outlines: list[svgread.Outline], code: str) -> str:
    (outline,) = svgread.by_id(outlines, code)
    return outline.fill


def test_every_municipality_has_the_colour_of_its_class(country):
    _, outlines = svgread.read(country)
    assert {code: fill(outlines, code) for code in FILLS} == FILLS


def test_what_was_never_measured_is_hatched_and_no_candidate_is_plain(country):
    _, outlines = svgread.read(country)
    assert fill(outlines, UNMEASURED).startswith("url(#")
    assert fill(outlines, UNHEARD).startswith("url(#")
    assert fill(outlines, CODES[20]) == SCALE.absent
    assert fill(outlines, "88564") == SCALE.absent


def test_squares_lie_where_they_should_and_share_their_borders(country):
    _, outlines = svgread.read(country)
    boxes = {code: svgread.by_id(outlines, code)[0].box for code in CODES}
    for row, column in itertools.product(range(ROWS), range(COLUMNS)):
        west, top, east, bottom = boxes[CODES[row * COLUMNS + column]]
        assert west < east
        assert top < bottom
        if column + 1 < COLUMNS:
            assert boxes[CODES[row * COLUMNS + column + 1]][0] == pytest.approx(east, abs=1.0)
    corners = [{tuple(np.round(point, 2)) for point in svgread.by_id(outlines, code)[0].points} for code in CODES]
    for at, beside in ((0, 1), (0, COLUMNS), (7, 8)):
        assert len(corners[at] & corners[beside]) == 2


def test_what_the_farc_left_and_zones_have_outlines_and_numbers(country):
    _, outlines = svgread.read(country)
    strokes = " ".join(each.style for each in outlines)
    assert palette.LINES["vacated"] in strokes
    assert palette.LINES["zone_band"] in strokes
    assert [text for text in svgread.texts(country) if text.isdigit() and text != "0"][:3] == ["1", "2", "3"]
    first = svgread.by_id(outlines, "zone-1")
    assert len(first) == 1


def test_without_zones_and_candidates_there_is_a_map_and_a_shorter_legend(ground):
    drawn = drawings.country(ground, SCORE * np.nan, SCALE, outlined=[], zones=ZONES.iloc[:0], lang="en")
    _, outlines = svgread.read(drawn)
    assert {fill(outlines, code) for code in CODES if code != UNHEARD} == {SCALE.absent}
    strokes = " ".join(each.style for each in outlines)
    assert palette.LINES["vacated"] not in strokes
    assert "Priority zone and its" not in " ".join(svgread.texts(drawn))


@pytest.mark.parametrize(("lang", "limits"), [("es", "0,20 – 0,40"), ("en", "0.20 – 0.40")])
def test_limits_are_written_as_the_language_does(ground, lang, limits):
    drawn = drawings.country(ground, SCORE, SCALE, outlined=[], zones=ZONES, lang=lang)
    assert limits in svgread.texts(drawn)
    assert svgread.outside(drawn) == []
    assert limits in svgread.texts(drawings.zone(ground, SCORE, SCALE, members=[CODES[0]], lang=lang))


def test_documents_are_the_same_each_time_and_need_nothing_from_elsewhere(ground, country, zone):
    assert drawings.country(drawings.ground(PLACES), SCORE, SCALE, **SHOWN) == country
    for drawn in (country, zone):
        addresses = set(re.findall(r'"([a-z]+://[^"]*)"', drawn))
        assert addresses == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
        assert not re.search(r"<script|<image|<text|DOCTYPE|font-family|url\((?!#)", drawn)
        assert svgread.outside(drawn) == []


def test_sizes_are_millimetres(country, zone):
    assert 'width="85mm" height="110mm"' in country
    assert 'width="120mm" height="90mm"' in zone


def test_a_zone_shows_members_by_class_neighbours_pale_and_all_names(zone):
    _, outlines = svgread.read(zone)
    assert fill(outlines, CODES[0]) == FILLS[CODES[0]]
    assert fill(outlines, UNMEASURED).startswith("url(#")
    assert fill(outlines, f"beside-{CODES[7]}") == localmap.NEIGHBOUR
    assert not svgread.by_id(outlines, f"beside-{CODES[0]}")
    shown = " ".join(svgread.texts(zone))
    for code in (CODES[0], CODES[1], UNMEASURED):
        assert code in shown
        assert svgread.by_id(outlines, f"name-{code}")


def test_posts_are_marked_where_they_are_seen_and_their_gaps_are_told(ground, zone):
    _, outlines = svgread.read(zone)
    # A mark on the map and one in the key; the post on the other side of the ocean is on neither.
    assert len(svgread.by_id(outlines, "posts-station")) == 2 + 1
    assert len(svgread.by_id(outlines, "posts-cai")) == 1 + 1
    shown = " ".join(svgread.texts(zone))
    assert "Estación de policía" in shown
    assert "Subestación" not in shown
    without = drawings.zone(ground, SCORE, SCALE, members=[CODES[2]], lang="es")
    assert "polic" not in " ".join(svgread.texts(without))
    beside_the_silent = drawings.zone(ground, SCORE, SCALE, members=[CODES[2]], posts=POSTS, lang="es")
    assert "Faltan datos" in " ".join(svgread.texts(beside_the_silent))
    assert "Este." in " ".join(svgread.texts(beside_the_silent))


def test_too_many_posts_are_cut_down_to_those_of_the_zone(ground):
    points = gpd.points_from_xy(np.linspace(-75.1, -73.9, 400), np.full(400, 2.5))
    crowd = gpd.GeoDataFrame({"kind": ["cai"] * 400}, geometry=points, crs=4326)
    drawn = drawings.zone(ground, SCORE, SCALE, members=[CODES[7]], posts=crowd, lang="en")
    _, outlines = svgread.read(drawn)
    # A degree of the 1.2 that they are spread over is the zone's, and one more mark is the key's.
    assert len(svgread.by_id(outlines, "posts-cai")) == pytest.approx(400 / 1.2 + 1, abs=2)
    assert "Only the posts" in " ".join(svgread.texts(drawn))


def test_names_without_room_are_numbered_and_the_numbers_explained():
    cells = itertools.product(range(5), range(5))
    grid = [shapely.box(-75 + x / 25, 3 + y / 25, -75 + (x + 1) / 25, 3 + (y + 1) / 25) for x, y in cells]
    frame = gpd.GeoDataFrame({"name": [f"Pueblo Viejo {n}" for n in range(25)]}, geometry=grid, crs=4326)
    frame.index = pd.Index([f"05{n:03d}" for n in range(25)])
    far = gpd.GeoDataFrame({"name": ["Lejos"]}, geometry=[shapely.box(-70, -3, -69.9, -2.9)], crs=4326, index=["05099"])
    small = drawings.ground(pd.concat([frame, far]))
    drawn = drawings.zone(small, pd.Series(dtype=float), SCALE, members=[*frame.index, "05099"], lang="es")
    shown = svgread.texts(drawn)
    key = " ".join(shown).replace("\u00a0", " ")
    for number, name in enumerate(frame["name"], start=1):
        assert f"{number} {name}" in key or name in " ".join(shown)
    assert "1 Pueblo Viejo 0" in key
    assert "1" in shown
    assert svgread.outside(drawn) == []


def test_an_island_by_itself_is_drawn_and_located(ground):
    drawn = drawings.zone(ground, SCORE, SCALE, members=["88001"], posts=POSTS, lang="en")
    _, outlines = svgread.read(drawn)
    assert svgread.by_id(outlines, "88001")
    assert svgread.outside(drawn) == []


def test_hostile_names_are_letters_and_nothing_else():
    frame = squares()
    frame["name"] = [HOSTILE, "W" * 300, "\u202eotreiba\u0007\x00", "😀 $\\frac{$", *frame["name"][4:]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawings.zone(drawings.ground(frame), SCORE, SCALE, members=CODES[:4], lang="es")
    root, _ = svgread.read(drawn)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "defs", "style", "g", "path", "use", "pattern", "rect", "clipPath",
    }  # fmt: skip
    assert svgread.outside(drawn) == []


def test_settings_of_matplotlib_are_left_alone_and_do_not_matter(ground):
    with matplotlib.rc_context({"font.family": ["serif"], "axes.facecolor": "red", "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        other = drawings.zone(ground, SCORE, SCALE, members=[CODES[0]], lang="es")
        assert dict(matplotlib.rcParams) == before
    assert other == drawings.zone(ground, SCORE, SCALE, members=[CODES[0]], lang="es")


def test_a_halo_is_as_wide_as_it_should_be_whatever_the_scale_of_letters(zone):
    found = re.search(r'stroke-width="(\d+)"/>\s*<g id="name-[^>]*>.*?scale\(([\d.]+) ', zone, re.DOTALL)
    assert found
    glyph = re.search(r'<path id="[rb][^>]*transform="scale\(([\d.]+)\)"', zone)
    assert glyph
    assert float(found[1]) * float(found[2]) * float(glyph[1]) == pytest.approx(svg.HALO_POINTS, rel=0.01)


def test_classes_of_changes_and_amounts_are_sorted_and_told():
    coca = legend.Scale("coca_ha", "classes", "cultivation", "ha", (10.0, 1000.0), ("#1", "#2", "#3"), zero="#0")
    codes = pd.Index(["a", "b", "c", "d", "e"])
    kinds = classes.sorted_into(coca, pd.Series([0.0, 9.9, 10.0, np.nan], index=codes[:4]), codes)
    assert kinds.tolist() == [classes.ZERO, 0, 1, classes.MISSING, classes.MISSING]
    told = dict(classes.entries(coca, {classes.ZERO, classes.MISSING}, classes.texts("es")))
    assert told == {2: "≥ 1.000", 1: "10 – 1.000", 0: "< 10", classes.ZERO: "0", classes.MISSING: "Sin dato"}


def test_long_words_stay_whole_where_there_is_room_and_lines_break_between_words():
    assert svg.wrapped("Barrancabermeja", 15, word_mm=30) == ["Barrancabermeja"]
    assert svg.wrapped("San José del Guaviare", 15, word_mm=30) == ["San José del", "Guaviare"]
    (cut,) = svg.wrapped("W" * 300, 15, word_mm=30)
    assert cut.endswith("W…")
    assert 25 < svg.width_mm(cut) <= 30
    assert svg.wrapped("", 15) == [""]


@given(st.floats(1, 1e5), st.floats(5, 40))
def test_scale_bars_are_round_and_fill_at_least_two_fifths_of_their_room(metres, most):
    length = pens.bar_km(metres, most)
    assert 0.399 <= length * 1000 / metres / most <= 1.0 + 1e-9
    assert f"{length:.0e}"[0] in "125"


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(1, 60), st.floats(1, 40), st.floats(2, 20), st.floats(2, 6)), max_size=25))
def test_signs_never_lie_on_one_another_nor_outside_the_room(wanted):
    room = (0.0, 0.0, 70.0, 50.0)
    signs = [Sign(shapely.box(x, y, x + 5, y + 5), wide, tall, reach=8) for x, y, wide, tall in wanted]
    spots = [spot for spot in placing.place(signs, room, taken=[(0, 0, 10, 10)]) if spot]
    boxes = [shapely.box(0, 0, 10, 10), *(shapely.box(*spot.box) for spot in spots)]
    assert all(shapely.box(*room).contains(box) for box in boxes)
    assert all(one.intersection(other).area < 1e-9 for one, other in itertools.combinations(boxes, 2))
