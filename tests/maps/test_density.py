"""The image layer of coca by cell: which cell each pixel shows, its class, its size, and what it refuses to show."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import math
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geo.errors import ConfigError, GeometryError
from geo.grid import Grid
from maps import density, legend, payload, standalone, webmap
from tests.maps import example

GRIDS = {
    "metric": Grid("EPSG:9377", Affine(1000, 0, 4_300_000, 0, -1000, 2_000_000), 400, 900),
    "turned": example.grid(),
    "degrees": example.grid("EPSG:4326"),
    "from south to north": Grid("EPSG:9377", Affine(1000, 0, 4_700_000, 0, 1000, 1_700_000), 300, 300),
    "coarse degrees": Grid("EPSG:4326", Affine(0.05, 0, -76, 0, -0.05, 4), 300, 300),
}
FIVE_CELLS = ((3, 4), (3, 5), (40, 90), (120, 17), (299, 299))


def read(image: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(image)))
    picture.load()
    return picture


def classes_of(image: str) -> np.ndarray:
    return np.asarray(read(image))


def with_values(values: dict[int, list[float]], grid: Grid = GRIDS["metric"]):
    """Cells side by side with hectares by year."""
    table = pd.DataFrame(values)
    n = len(table)
    known = dataclasses.replace(
        example.cells(), grid=grid, row=np.zeros(n, np.int64), col=np.arange(n, dtype=np.int64), hectares=table
    )
    nothing = example.density().enclaves.iloc[:0]
    return dataclasses.replace(example.density(), density=known, enclaves=nothing, year=None)


def by_hand(warped: density.Warp, grid: Grid, cells) -> np.ndarray:
    """The cell whose polygon, in the map's projection, holds each pixel's centre."""
    row, col = np.indices((warped.height, warped.width))
    x, y = warped.west + (col.ravel() + 0.5) * warped.step, warped.north - (row.ravel() + 0.5) * warped.step
    centres = np.asarray(shapely.points(x, y))
    shapes = grid.cells(*np.array(cells).T).to_crs("EPSG:3857").to_numpy()
    found = np.full(len(centres), -1)
    for number, shape in enumerate(shapes):
        found[shapely.contains(shape, centres)] = number
    return found


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("cells", [((7, 11),), ((0, 0), (0, 1), (1, 1), (2, 5), (9, 9))], ids=["one", "five"])
def test_each_pixel_shows_the_cell_that_holds_its_centre(grid, cells):
    warped = density.warp(grid, *np.array(cells).T)
    found = np.full(warped.height * warped.width, -1)
    found[warped.pixel] = warped.cell
    expected = by_hand(warped, grid, cells)
    np.testing.assert_array_equal(found, expected)
    assert set(found) == {-1, *range(len(cells))}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_cell_is_two_pixels_or_more_and_one_cell_is_left_around(grid):
    warped = density.warp(grid, *np.array(FIVE_CELLS).T)
    counts = np.bincount(warped.cell, minlength=5)
    assert counts.min() >= 4 - 1
    row, col = np.divmod(warped.pixel, warped.width)
    assert min(row.min(), col.min(), warped.height - 1 - row.max(), warped.width - 1 - col.max()) >= 1
    sides = np.diff(shapely.get_coordinates(grid.cells(*np.array(FIVE_CELLS).T).to_crs(3857)).reshape(5, 5, 2), axis=1)
    assert np.hypot(*sides.T).min() >= 2 * warped.step
    assert np.hypot(*sides.T).min() < 2 * warped.step + 0.1


def test_the_order_of_the_cells_does_not_matter():
    cells = np.array(FIVE_CELLS)
    one, other = density.warp(GRIDS["turned"], *cells.T), density.warp(GRIDS["turned"], *cells[::-1].T)
    np.testing.assert_array_equal(one.pixel, other.pixel)
    np.testing.assert_array_equal(one.cell, 4 - other.cell)


def test_without_coca_and_gaps_there_is_no_picture_and_the_years_are_told():
    found = density.layer(with_values({2019: [0.0, 0.0], 2020: [0.0, math.nan], 2021: [math.nan, math.nan]}))
    assert list(found["images"]) == ["2020"]
    assert set(np.ravel(classes_of(found["images"]["2020"]["full"]))) == {0, density.UNMEASURED}
    assert (found["years"], found["blank"]) == ([2019, 2020], [2020])
    json.dumps(found, allow_nan=False)


def test_zero_is_transparent_what_was_not_measured_grey_and_all_else_has_the_colour_of_its_class():
    hectares = [0.0, math.nan, 0.01, 1.0, 5.0, 20.0, 60.0]
    content = with_values({2020: hectares, 2021: [1.0] + [0.0] * 6})
    found = density.layer(content)
    scale = legend.fitted(density.AMOUNT, pd.DataFrame(content.density.density()))
    assert found["scale"] == scale.to_dict()
    picture = read(found["images"]["2020"]["full"])
    rgba = np.asarray(picture.convert("RGBA"))
    grey = (*bytes.fromhex(density.TINT[1:]), density.FAINT)
    warped = density.warp(content.density.grid, content.density.row, content.density.col, pixels_a_cell=density.SHARP)
    assert rgba.shape[:2] == (warped.height, warped.width)
    flat = rgba.reshape(-1, 4)
    for place, value in enumerate(hectares):
        pixels = {tuple(pixel) for pixel in flat[warped.pixel[warped.cell == place]]}
        if value == 0:
            assert {pixel[3] for pixel in pixels} == {0}
        elif math.isnan(value):
            assert pixels == {grey}
        else:
            above = sum(value >= limit for limit in scale.breaks)
            assert pixels == {(*bytes.fromhex(scale.colours[above][1:]), 255)}
    other = np.delete(flat, warped.pixel, axis=0)
    assert set(other[:, 3]) == {0}


def test_a_value_on_a_limit_belongs_above_it():
    assert density._classes(np.array([0.0, np.nan, 0.5, 1.0, 1.5, 2.0]), (1.0, 2.0)).tolist() == [0, 1, 2, 3, 3, 4]


def test_classes_are_the_same_in_all_years():
    one = density.layer(with_values({2020: [1.0, 2.0, 50.0], 2021: [80.0, 10.0, 3.0]}))
    other = density.layer(with_values({2020: [80.0, 10.0, 3.0], 2021: [1.0, 2.0, 50.0]}))
    assert one["scale"] == other["scale"]
    assert one["images"]["2020"] == other["images"]["2021"]


def test_the_same_content_gives_the_same_bytes():
    assert json.dumps(density.layer(example.density())) == json.dumps(density.layer(example.density()))


@settings(max_examples=40)
@given(
    st.sets(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=30),
    st.lists(st.integers(1, 5), min_size=30, max_size=30),
    st.integers(0, 7),
    st.sampled_from(["metric", "turned", "degrees"]),
)
def test_halving_keeps_the_highest_class_and_loses_no_cell(cells, kinds, halvings, name):
    warped = density.warp(GRIDS[name], *np.array(sorted(cells)).T)
    classes = np.array(kinds[: len(cells)], dtype=np.uint8)
    full, small = warped.picture(classes), warped.picture(classes, halvings)
    side = 2**halvings
    assert small.shape == (math.ceil(full.shape[0] / side), math.ceil(full.shape[1] / side))
    grown = np.zeros((small.shape[0] * side, small.shape[1] * side), np.uint8)
    grown[: full.shape[0], : full.shape[1]] = full
    blocks = grown.reshape(small.shape[0], side, small.shape[1], side)
    np.testing.assert_array_equal(small, blocks.max(axis=(1, 3)))
    assert full.max() == classes.max()


def test_pictures_are_halved_until_they_are_small_enough(monkeypatch):
    usual = density.layer(example.density())
    height, width = classes_of(usual["images"]["2020"]["full"]).shape
    assert usual["pixels_a_cell"] == 4
    monkeypatch.setattr(density, "MOST_PIXELS", height * width - 2 * (height + width))
    plain = density.layer(example.density())
    assert plain["pixels_a_cell"] == 2
    assert plain["step"] == pytest.approx(2 * usual["step"], abs=0.02)
    monkeypatch.setattr(density, "MOST_PIXELS", height * width // 20)
    less = density.layer(example.density())
    assert less["pixels_a_cell"] == 0.5
    assert less["step"] == 4 * plain["step"]
    small = classes_of(less["images"]["2020"]["full"])
    assert small.size <= height * width // 20
    np.testing.assert_array_equal(small, classes_of(plain["images"]["2020"]["overview"]))


def test_all_pictures_together_are_small_enough(monkeypatch):
    def size(found):
        return sum(len(base64.b64decode(image)) for pair in found["images"].values() for image in pair.values())

    usual = density.layer(example.density())
    assert size(usual) <= density.MOST_BYTES
    monkeypatch.setattr(density, "MOST_BYTES", size(usual) - 1)
    assert size(density.layer(example.density())) < size(usual)
    monkeypatch.setattr(density, "MOST_BYTES", 1)
    least = density.layer(example.density())
    assert classes_of(least["images"]["2020"]["full"]).shape == (1, 1)


def test_a_picture_can_be_read_by_others():
    drawn = np.array([[0, 1, 2], [2, 0, 1]], dtype=np.uint8)
    picture = Image.open(io.BytesIO(density.png(drawn, ("#102030", "#ffcc00"))))
    picture.verify()
    picture = Image.open(io.BytesIO(density.png(drawn, ("#102030", "#ffcc00"))))
    assert picture.mode == "P"
    rgba = np.asarray(picture.convert("RGBA"))
    assert rgba[0, 1].tolist() == [0x10, 0x20, 0x30, 255]
    assert rgba[0, 2].tolist() == [0xFF, 0xCC, 0, 255]
    assert rgba[0, 0, 3] == rgba[1, 1, 3] == 0


# ---- What was not measured ----


def test_halving_hides_no_coca_behind_what_was_not_measured():
    warped = density.warp(GRIDS["metric"], [0, 0, 1, 1], [0, 1, 0, 1])
    for halvings in range(1, 5):
        drawn = warped.picture(np.array([1, 1, 2, 1], np.uint8), halvings)
        assert drawn.max() == 2


def never_at(found, lng: float, lat: float) -> bool:
    """Whether a place is grey in the picture of what no year measured."""
    never = found["never"]
    x, y = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(lng, lat)
    drawn = classes_of(never["image"])
    row, col = int((never["north"] - y) // never["step"]), int((x - never["west"]) // never["step"])
    inside = 0 <= row < drawn.shape[0] and 0 <= col < drawn.shape[1]
    return bool(inside and drawn[row, col])


@pytest.mark.parametrize("crs", ["EPSG:9377", "EPSG:4326"])
def test_cells_of_a_raster_that_no_year_measured_have_a_picture_of_their_own(crs):
    content = example.density(example.raster(crs))
    found = density.layer(content)
    row, col = (np.arange(3600) // 60, np.arange(3600) % 60)
    centres = content.density.grid.centres(row, col).to_crs("EPSG:4326")
    grey = [never_at(found, x, y) for x, y in zip(centres.x, centres.y, strict=True)]
    expected = np.zeros((60, 60), bool)
    expected[tuple(np.array(example.CLOUD).T)] = True
    np.testing.assert_array_equal(np.reshape(grey, (60, 60)), expected)
    alpha = read(found["never"]["image"]).convert("RGBA").getchannel("A")
    assert alpha.getextrema() == (0, density.FAINT)
    assert found["images"] == density.layer(example.density(example.cells(crs)))["images"]


def test_cells_that_a_file_lists_leave_nothing_unmeasured_beyond_them():
    found = density.layer(example.density())
    assert (found["never"], found["edge"], found["blank"]) == (None, None, [2021])


@pytest.mark.parametrize("crs", ["EPSG:9377", "EPSG:4326"])
def test_the_edge_of_a_raster_is_the_outline_of_its_cells(crs):
    known = example.raster(crs)
    grid = known.grid
    corners = grid.cells([0, 0, grid.height - 1, grid.height - 1], [0, grid.width - 1, 0, grid.width - 1])
    expected = corners.union_all().convex_hull.segmentize(0.05 if crs == "EPSG:4326" else 5000)
    (expected,) = gpd.GeoSeries([expected], crs=grid.crs).to_crs("EPSG:4326")
    ring = shapely.Polygon(density.layer(example.density(known))["edge"])
    assert shapely.hausdorff_distance(ring, expected) < 0.001
    whole = dataclasses.replace(known, unmeasured=np.zeros_like(known.unmeasured))
    found = density.layer(example.density(whole))
    assert found["edge"]
    assert found["never"] is None


def test_what_no_year_measured_is_shown_within_bounds_and_small_enough(monkeypatch):
    known = example.raster("EPSG:4326")
    assert known.unmeasured is not None
    known.unmeasured[:, 150:] = True
    content = example.density(known)
    whole = density.layer(content)["never"]
    cloud = density.layer(content, within=shapely.box(-76.0, 3.4, -75.0, 3.9))
    assert max(read(cloud["never"]["image"]).size) < 150
    assert never_at(cloud, -75.5 + 0.01 * 38.5, 3.8 - 0.01 * 26.5)
    assert not never_at(cloud, -75.5 + 0.01 * 34.5, 3.8 - 0.01 * 26.5)
    assert density.layer(content, within=shapely.box(10.0, 10.0, 11.0, 11.0))["never"] is None
    monkeypatch.setattr(density, "MOST_MASK_BYTES", 400)
    small = density.layer(content)["never"]
    assert len(base64.b64decode(small["image"])) <= 400
    assert small["step"] > whole["step"]
    monkeypatch.setattr(density, "MOST_MASK_PIXELS", 100)
    assert np.prod(read(density.layer(content)["never"]["image"]).size) <= 100


@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 8)), min_size=1))
def test_no_cell_of_a_mask_lies_beyond_its_rim(cells):
    mask = np.zeros((12, 9), bool)
    mask[tuple(np.array(sorted(cells)).T)] = True
    row, col = density._rim(mask)
    assert mask[row, col].all()
    inner, outer = shapely.MultiPoint(np.argwhere(mask)), shapely.MultiPoint(np.column_stack([row, col]))
    assert inner.convex_hull.equals(outer.convex_hull)


def test_a_raster_that_reaches_the_poles_shows_what_it_can():
    world = Grid("EPSG:4326", Affine(1.0, 0, -180, 0, -1.0, 90), 180, 360)
    content = with_values({2020: [1.0]}, world)
    unmeasured = np.ones((180, 360), bool)
    row, col = np.array([88]), np.array([105])
    unmeasured[row, col] = False
    known = dataclasses.replace(content.density, row=row, col=col, unmeasured=unmeasured)
    found = density.layer(dataclasses.replace(content, density=known), within=shapely.box(-79.0, -4.0, -67.0, 12.0))
    assert never_at(found, -70.5, 1.5)
    assert not never_at(found, -74.5, 1.5)


# ---- What it refuses ----

FINE = Grid("EPSG:9377", Affine(500, 0, 4_300_000, 0, -500, 2_000_000), 400, 400)


def test_cells_below_a_kilometre_are_refused_and_it_is_said_why():
    content = with_values({2020: [1.0, 2.0]}, FINE)
    with pytest.raises(ConfigError, match=r"0\.49\d km.*single fields.*persons"):
        density.layer(content)
    with pytest.raises(ConfigError, match="1 km"):
        payload.payload(dataclasses.replace(example.content(), density=content))


def finer(content: density.DensityContent) -> density.DensityContent:
    return dataclasses.replace(content, density=dataclasses.replace(content.density, finer=True))


def test_cells_of_a_kilometre_are_not_called_finer_whoever_asked():
    assert not density.layer(example.density())["finer"]
    assert not density.layer(finer(example.density()))["finer"]


def test_whoever_asks_for_finer_cells_gets_them():
    found = density.layer(finer(with_values({2020: [1.0, 2.0]}, FINE)))
    assert found["finer"]
    assert found["side_km"] == pytest.approx(0.5, rel=0.01)
    assert found["images"]


def test_cells_beyond_the_maps_projection_are_refused():
    polar = Grid("EPSG:4326", Affine(0.5, 0, 0, 0, -0.5, 91), 10, 10)
    with pytest.raises(GeometryError, match="poles"):
        density.warp(polar, [0], [0])


def test_a_kilometre_by_the_projection_is_a_kilometre():
    assert density.layer(with_values({2020: [1.0, 2.0]}))["side_km"] == pytest.approx(1, abs=0.01)


# ---- Enclaves ----


def test_enclaves_arrive_with_their_figures_and_gaps_are_none():
    block, pair = density.layer(example.density())["enclaves"]
    assert (block["id"], block["name"], block["department"]) == ("E01", example.HOSTILE, "Norte")
    assert block["municipalities"] == ["01007", "01008"]
    assert (block["coca_ha"], block["cells"], block["station_km"]) == (1440, 48, 17.25)
    assert pair["station_km"] is None
    assert block["park_share"] is None
    assert block["council_share"] == 0


def test_hectares_of_an_enclave_by_year_are_those_of_its_cells():
    block, pair = density.layer(example.density())["enclaves"]
    assert block["by_year"] == {"2018": 720, "2020": 1440, "2021": 0}
    assert pair["by_year"] == {"2018": 12, "2020": 24, "2021": 0}
    gap = example.cells()
    gap.hectares.loc[gap.hectares[2020] == 12, 2018] = np.nan
    assert density.layer(example.density(gap))["enclaves"][1]["by_year"]["2018"] is None


def test_outlines_are_those_of_the_cells_to_a_metre():
    block, _ = density.layer(example.density())["enclaves"]
    drawn = shapely.union_all([shapely.Polygon(rings[0], rings[1:]) for rings in block["rings"]])
    known = example.density().enclaves.geometry["E01"]
    assert shapely.hausdorff_distance(drawn, known) < 2e-5
    assert len(block["rings"][0][0]) == 5
    assert all(round(value, 5) == value for value in np.ravel(block["rings"][0][0]))


def test_without_a_national_total_an_enclave_has_no_share_of_it():
    content = example.density()
    alone = dataclasses.replace(content, enclaves=content.enclaves.assign(national_share=np.nan))
    assert [each["national_share"] for each in density.layer(alone)["enclaves"]] == [None, None]


def test_an_enclave_may_lie_in_no_municipality_and_there_may_be_none():
    content = example.density()
    nowhere = content.enclaves.assign(name=None, department=None)
    nowhere["municipalities"] = [[], []]
    found = density.layer(dataclasses.replace(content, enclaves=nowhere))["enclaves"]
    assert (found[0]["name"], found[0]["municipalities"]) == (None, [])
    assert density.layer(dataclasses.replace(content, enclaves=content.enclaves.iloc[:0]))["enclaves"] == []


def test_terms_and_year_are_told():
    found = density.layer(example.density())
    assert found["terms"]["minimum_ha_per_km2"] == 8
    assert found["known"] == [2018, 2020]
    assert found["year"] == example.YEAR
    assert density.layer(dataclasses.replace(example.density(), year=None))["year"] == 2021


# ---- The page ----


def test_a_page_without_coca_by_cell_has_nothing_of_it():
    data = payload.payload(example.content())
    text = standalone.page(webmap.build(example.content()))
    assert "density" not in data
    assert not [key for lang in data["texts"].values() for key in lang if key.startswith("density_")]
    assert standalone.asset("density.js") not in text
    assert standalone.asset("density.css") not in text


def test_a_page_with_it_is_the_same_each_time_and_keeps_hostile_texts_as_data():
    content = dataclasses.replace(example.content(), density=example.density())
    text = standalone.page(webmap.build(content))
    assert text == standalone.page(webmap.build(content))
    assert standalone.asset("density.js") in text
    assert "<img" not in text


def test_its_script_makes_no_code_or_markup_of_text():
    code = standalone.asset("density.js")
    for way in (r"\beval\(", r"new Function", r"HTML\s*[+=]", r"insertAdjacentHTML", r"fetch\(", r"\bimport\("):
        assert not re.search(way, code), way


def test_its_texts_are_complete_in_both_languages_and_all_of_them_are_used():
    texts = json.loads(standalone.asset("texts/density.json"))
    code = standalone.asset("density.js")
    assert list(texts["es"]) == list(texts["en"])
    for key, words in texts["es"].items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", texts["en"][key])), key
        assert key == "overlay_density" or f'"{key.removeprefix("density_")}"' in code, key


def test_the_edge_is_told_only_where_something_shown_lies_beyond_it():
    content = dataclasses.replace(example.density(), density=example.raster())
    edge = density.layer(content)["edge"]
    within = shapely.Polygon(edge)
    assert density.layer(content, within=within.buffer(-0.05))["edge"] is None
    assert density.layer(content, within=within.buffer(0.05))["edge"] == edge
