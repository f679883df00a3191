from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import math
import re

import folium
import folium.plugins
import numpy as np
import pytest

from geo.errors import ConfigError, OutputError, SchemaError
from maps import legend, palette, standalone, webmap
from tests.maps import example

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


@pytest.fixture(scope="module")
def content():
    return example.content()


@pytest.fixture(scope="module")
def text(content):
    return standalone.page(webmap.build(content))


def _lab(colour: str, deficiency: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(DEFICIENCIES[deficiency] @ linear, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _distance(one: str, other: str, deficiency: str) -> float:
    return float(np.linalg.norm(_lab(one, deficiency) - _lab(other, deficiency)))


def _block(text: str, name: str):
    return json.loads(text.split(f'<script type="application/json" id="{name}">', 1)[1].split("</script>", 1)[0])


def _unpacked(column, count):
    if isinstance(column, list):
        return column
    if "at" in column:
        return [dict(zip(column["at"], column["values"], strict=True)).get(place) for place in range(count)]
    return [None if place is None else column["texts"][place] for place in column["places"]]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize(
    "scale", [legend.coca(), legend.score(np.linspace(0.1, 0.9, 50))], ids=lambda scale: scale.field
)
def test_classes_and_ground_differ_for_every_eye(scale, deficiency):
    fills = [scale.zero or scale.absent, *scale.colours]
    assert min(_distance(a, b, deficiency) for a, b in itertools.pairwise(fills)) > 8
    lightness = [_lab(fill, deficiency)[0] for fill in fills]
    assert lightness == sorted(lightness, reverse=True)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_outlines_stand_out_from_every_fill_or_from_their_white_casing(deficiency):
    line = palette.LINES["vacated"]
    assert _distance(line, "#ffffff", deficiency) > 45
    fills = [*palette.SCORE.colours, *palette.COCA.colours, palette.GROUND["zero"]]
    assert min(_distance(line, fill, deficiency) for fill in fills) > 18


def test_dimensions_differ_for_every_eye():
    pairs = itertools.combinations(palette.DIMENSIONS.colours[:4], 2)
    assert min(_distance(a, b, eye) for a, b in pairs for eye in DEFICIENCIES) > 10


@pytest.mark.parametrize(
    ("values", "breaks"),
    [
        ([0.17, 0.85], (0.2, 0.4, 0.6, 0.8)),
        ([0.31, 0.42, math.nan], (0.35, 0.4)),
        ([0.5, 0.5], ()),
        ([math.nan], ()),
        ([0.0, 1.0], (0.2, 0.4, 0.6, 0.8)),
    ],
)
def test_breaks_are_round_and_inside_the_range(values, breaks):
    assert legend.round_breaks(values) == breaks


def test_a_palette_spreads_to_its_darkest():
    assert palette.COCA.spread(1) == (palette.COCA.colours[-1],)
    assert palette.COCA.spread(5) == palette.COCA.colours
    assert palette.COCA.spread(3)[::2] == (palette.COCA.colours[0], palette.COCA.colours[-1])


def test_the_same_content_gives_the_same_bytes(content, text):
    map_ = webmap.build(content)
    assert standalone.page(map_) == text
    assert standalone.page(map_) == text


def test_the_policy_allows_the_pages_own_scripts_and_no_fetching(text):
    policy = text.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert allowed == {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert text.index("Content-Security-Policy") < text.index("<script")


def test_nothing_in_the_page_points_elsewhere(text):
    assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", text.split("<body>")[0].split("<script>")[0])
    assert not re.search(r"url\((?!data:|#)", text)
    assert "sourceMappingURL" not in text


def test_hostile_names_stay_data(content, text):
    assert "<img" not in text
    assert "\u2028" not in text
    assert example.HOSTILE in _unpacked(_block(text, "presencia-data")["columns"]["name"], len(content.municipalities))
    assert "{{7*7}} ${8*8} {% raw %}" in _block(text, "presencia-data")["columns"]["name"]["texts"]


def test_missing_is_null_and_zero_is_zero(content):
    data = webmap.payload(content)
    codes = data["codes"]
    columns = {name: _unpacked(column, len(codes)) for name, column in data["columns"].items()}
    at = codes.index
    assert columns["coca_ha"][at(example.MISSING)] is None
    assert columns["coca_ha"][at(example.ZERO)] == 0
    assert columns["score"][at(example.SMALL)] is None
    assert columns["station_km"][at("02001")] is None
    assert data["history"]["coca_ha"]["rows"][at(example.MISSING)] == [None] * 24
    assert at(example.ZERO) not in data["history"]["coca_ha"]["rows"]


def test_every_figure_arrives_within_its_rounding(content):
    data = webmap.payload(content)
    for name, decimals in webmap.FIGURES.items():
        sent = [math.nan if v is None else v for v in _unpacked(data["columns"][name], len(data["codes"]))]
        np.testing.assert_allclose(sent, content.municipalities[name], atol=0.51 * 10**-decimals)


def test_contributions_still_sum_to_the_score(content):
    data = webmap.payload(content)
    scores = _unpacked(data["columns"]["score"], len(data["codes"]))
    for place, row in data["contributions"].items():
        assert sum(part or 0 for part in row) == pytest.approx(scores[place], abs=2e-4)


def test_points_survive_their_encoding(content):
    encoded = webmap.payload(content)["posts"]
    places = np.cumsum(np.reshape(encoded["deltas"], (-1, 2)), axis=0) * encoded["step"]
    np.testing.assert_allclose(places, content.posts.geometry.get_coordinates(), atol=1e-9)
    assert [encoded["kinds"][kind] for kind in encoded["kind"]] == ["station", "cai"]


def test_the_boundaries_stand_in_the_page_once(content, text):
    boundaries = _block(text, "presencia-boundaries")
    assert list(boundaries["objects"]) == ["municipalities"]
    ids = [geometry["id"] for geometry in boundaries["objects"]["municipalities"]["geometries"]]
    assert ids == list(content.municipalities.index)


def test_the_view_is_the_mainland_and_the_archipelago_is_at_hand(content):
    views = webmap.payload(content)["views"]
    assert views == {"mainland": [[0.0, -76.0], [4.0, -71.0]], "archipelago": [[12.4, -81.8], [13.4, -81.2]]}


def test_both_languages_say_the_same_things():
    every = json.loads(standalone.asset("strings.json"))
    assert set(every) == {"es", "en"}
    assert list(every["es"]) == list(every["en"])
    for key, spanish in every["es"].items():
        slots = [sorted(re.findall(r"\{(\w+)\}", words)) for words in (spanish, every["en"][key])]
        assert slots[0] == slots[1], key


def test_every_text_the_page_asks_for_exists():
    known = set(json.loads(standalone.asset("strings.json"))["es"])
    code = "\n".join(standalone.asset(name) for name in webmap.SCRIPTS)
    asked = set(re.findall(r'\btext\("(\w+)"[,)]', code))
    asked |= set(re.findall(r'data-(?:text|label)="(\w+)"', standalone.asset("planner.html.j2")))
    assert asked - known == set()
    assert len(asked) > 40


@pytest.mark.parametrize(("lang", "title"), [("es", "Presencia: dónde"), ("en", "Presencia: where")])
def test_the_document_says_its_language(content, lang, title):
    text = standalone.page(webmap.build(content, lang=lang))
    assert f'<html lang="{lang}">' in text
    assert f"<title>{title}" in text


def test_an_unknown_language_is_named(content):
    with pytest.raises(ConfigError, match="'fr'"):
        webmap.build(content, lang="fr")  # type: ignore[arg-type]


def test_a_lacking_column_is_named(content):
    lacking = dataclasses.replace(content, municipalities=content.municipalities.drop(columns="coverage"))
    with pytest.raises(SchemaError, match="coverage"):
        webmap.build(lacking)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: folium.TileLayer("https://tiles.example/{z}/{x}/{y}.png", attr="x"),
        folium.plugins.Fullscreen,
        lambda: folium.raster_layers.ImageOverlay("https://images.example/a.png", [[0, 0], [1, 1]]),
    ],
    ids=["tiles", "plugin", "image"],
)
def test_a_layer_that_fetches_is_refused(content, layer):
    map_ = webmap.build(content)
    layer().add_to(map_)
    with pytest.raises(OutputError, match=r"nothing from elsewhere.*//"):
        standalone.page(map_)


def test_a_popup_that_needs_jquery_is_refused(content):
    map_ = webmap.build(content)
    folium.CircleMarker([1, -75], popup="x").add_to(map_)
    with pytest.raises(OutputError, match="jQuery"):
        standalone.page(map_)


def test_it_also_maps_content_without_candidates_points_or_islands(content):
    towns = content.municipalities.drop(index=["88001", "88564"]).assign(score=np.nan, rank=np.nan)
    bare = dataclasses.replace(
        content, municipalities=towns, zones=content.zones[:0], contributions=content.contributions[:0],
        posts=content.posts[:0], etcr=content.etcr[:0],
    )  # fmt: skip
    data = webmap.payload(bare)
    assert data["views"]["archipelago"] is None
    assert data["contributions"] == {}
    assert standalone.page(webmap.build(bare))
