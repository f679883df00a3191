"""The planner's page as a file: its bytes, its policy, its texts and its data."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from itertools import pairwise
from typing import Any

import folium
import folium.plugins
import numpy as np
import pytest

from geo.errors import ConfigError, OutputError
from maps import payload, standalone, webmap
from tests.maps import example
from tests.maps.test_pack import read_numbers, read_series, read_varints, unzigzag


@pytest.fixture(scope="module")
def content():
    return example.content()


@pytest.fixture(scope="module")
def data(content):
    return json.loads(standalone.script_json(payload.payload(content)))


@pytest.fixture(scope="module")
def text(content):
    return standalone.page(webmap.build(content))


def _block(text: str, name: str):
    return json.loads(text.split(f'<script type="application/json" id="{name}">', 1)[1].split("</script>", 1)[0])


def _places(packed: str) -> list[int]:
    return [int(place) for place in np.cumsum(read_varints(packed), dtype=int)]


def _texts(column: dict[str, Any]) -> list[str | None]:
    return [None if place == 0 else column["texts"][place - 1] for place in read_varints(column["places"])]


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


def test_no_script_makes_code_or_markup_of_text():
    code = "\n".join(standalone.asset(name) for name in webmap.SCRIPTS)
    for way in (
        r"\beval\(", r"new Function", r"\.(?:inner|outer)HTML\s*[+=]", r"insertAdjacentHTML", r"document\.write",
        r"setTimeout\(\s*[\"'`]", r"fetch\(", r"XMLHttpRequest", r"WebSocket", r"\bimport\(",
    ):  # fmt: skip
        assert not re.search(way, code), way


def test_hostile_names_stay_data(text):
    assert "<img" not in text
    assert "\u2028" not in text
    known = _block(text, "presencia-data")["facts"]["name"]["texts"]
    assert example.HOSTILE in known
    assert "{{7*7}} ${8*8} {% raw %}" in known


def test_facts_arrive_as_they_are(content, data):
    places = content.panel.places
    for name in payload.TEXT_FACTS:
        assert _texts(data["facts"][name]) == places[name].astype(object).where(places[name].notna(), None).tolist()
    for name in payload.NUMBER_FACTS:
        np.testing.assert_array_equal(read_numbers(data["facts"][name], len(places)), places[name].astype(float))
    assert _places(data["facts"]["etcr"]) == np.flatnonzero(places["etcr"]).tolist()


def test_every_figure_of_every_year_arrives_and_missing_is_not_zero(content, data):
    for name in payload.SERIES:
        wide = content.panel.wide(name).dropna(axis="columns", how="all")
        assert data["series"][name]["years"] == list(wide.columns)
        np.testing.assert_array_equal(read_series(data["series"][name], len(wide)), wide.to_numpy())
    at = data["codes"].index
    coca = read_series(data["series"]["coca_ha"], len(data["codes"]))
    assert np.isnan(coca[at(example.MISSING)]).all()
    assert (coca[at(example.ZERO)] == 0).all()


def test_weights_arrive_whole(content, data):
    sent = [criterion["weight"] for criterion in data["scoring"]["criteria"]]
    assert sent == content.priorities.weighting.weights.tolist()
    assert sum(sent) == pytest.approx(1, abs=1e-15)


def test_the_spread_of_the_run_and_its_zones_arrive(content, data):
    table = content.priorities.table
    for name in ("rank_low", "rank_high"):
        np.testing.assert_array_equal(read_numbers(data["run"][name], len(table)), table[name])
    assert [zone["id"] for zone in data["run"]["zones"]] == content.zones["zone"].tolist()
    assert [zone["members"] for zone in data["run"]["zones"]] == content.zones["members"].tolist()


def test_spots_arrive_by_year(content, data):
    for year, column in content.hot_spots.items():
        spots = data["spots"][str(year)]
        assert _places(spots["hot"]) == np.flatnonzero(column == "hot").tolist()
        assert _places(spots["missing"]) == np.flatnonzero(column.isna()).tolist()


def test_points_survive_their_encoding(content, data):
    encoded = data["posts"]
    steps = np.reshape([unzigzag(n) for n in read_varints(encoded["deltas"])], (-1, 2))
    found = np.cumsum(steps, axis=0) * encoded["step"]
    np.testing.assert_allclose(found, content.posts.geometry.get_coordinates(), atol=1e-9)
    assert [encoded["kinds"][kind] for kind in read_varints(encoded["kind"])] == ["station", "cai"]


def test_the_boundaries_stand_in_the_page_once(content, text):
    boundaries = _block(text, "presencia-boundaries")
    assert boundaries["ids"] == list(content.panel.places.index)
    assert text.count(boundaries["steps"]) == 1


def test_the_view_is_the_mainland_and_the_archipelago_is_at_hand(data):
    expected = {"mainland": [[0.0, -76.0], [4.0, -71.0]], "archipelago": [[12.4, -81.8], [13.4, -81.2]]}
    assert data["views"] == expected


def test_classes_are_ascending_and_have_a_colour_each(data):
    for scale in data["scales"]:
        assert all(low < high for low, high in pairwise(scale["breaks"])), scale["field"]
        expected = len(scale["categories"]) or len(scale["breaks"]) + 1
        assert len(scale["colours"]) == expected


def test_both_languages_say_the_same_things():
    every = payload.texts()
    assert set(every) == {"es", "en"}
    assert set(every["es"]) == set(every["en"])
    for key, spanish in every["es"].items():
        slots = [sorted(set(re.findall(r"\{(\w+)\}", words))) for words in (spanish, every["en"][key])]
        assert slots[0] == slots[1], key


def test_every_text_the_page_asks_for_exists():
    known = set(payload.texts()["es"])
    code = "\n".join(standalone.asset(name) for name in webmap.SCRIPTS)
    asked = set(re.findall(r'\btext\("(\w+)"[,)]', code))
    asked |= set(re.findall(r'data-(?:text|label)="(\w+)"', standalone.asset("planner.html.j2")))
    assert asked - known == set()
    assert len(asked) > 100


@pytest.mark.parametrize(("lang", "title"), [("es", "Presencia: dónde"), ("en", "Presencia: where")])
def test_the_document_says_its_language(content, lang, title):
    text = standalone.page(webmap.build(content, lang=lang))
    assert f'<html lang="{lang}">' in text
    assert f"<title>{title}" in text


def test_an_unknown_language_is_named(content):
    with pytest.raises(ConfigError, match="'fr'"):
        webmap.build(content, lang="fr")  # type: ignore[arg-type]


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


def test_it_also_maps_content_without_zones_points_or_islands(content):
    mainland = content.panel.places.index[:-2]
    panel = dataclasses.replace(
        content.panel, places=content.panel.places.loc[mainland], years=content.panel.years.loc[list(mainland)]
    )
    bare = dataclasses.replace(
        content, panel=panel, zones=content.zones[:0], posts=content.posts[:0], etcr=content.etcr[:0],
        priorities=dataclasses.replace(content.priorities, table=content.priorities.table.loc[mainland]),
        hot_spots=content.hot_spots.loc[mainland],
    )  # fmt: skip
    assert payload.payload(bare)["views"]["archipelago"] is None
    assert standalone.page(webmap.build(bare))
