"""Styles: every row in one and only one class, in the web map's colours, and as QGIS's own expressions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from maps import legend, palette
from maps.formats import qgis, style
from maps.formats.dataset import LARGEST, Dataset, Field, dataset
from maps.formats.style import Class, Style
from tests.maps import hostile


def lists(low: float, high: float) -> st.SearchStrategy[list[float | None]]:
    return st.lists(st.none() | st.floats(low, high) | st.sampled_from([0.0, 1e-9, 0.2]), max_size=12)


LAYERS = (
    st.tuples(st.just(("enclaves", "coca_ha")), lists(-LARGEST, LARGEST))
    | st.tuples(st.just(("changes", "score_change")), lists(-1, 1))
    | st.tuples(st.just(("zones", "score")), lists(-LARGEST, LARGEST))
)


def coloured(name: str, field: str, values: list[float | None]) -> Dataset:
    shapes = [box(-75, place, -74, place + 1) for place in range(len(values))]
    frame = gpd.GeoDataFrame({field: pd.Series(values, dtype=float)}, geometry=shapes, crs="EPSG:4326")
    return dataset(name, frame, [Field(field, "number", "ha", "Coca", "Coca")], key=[], about=hostile.ABOUT)


def true(expression: str, value: float | None) -> bool:
    """A condition as SQL's three-valued logic has it, read by a parser of its own."""
    truths = []
    for test in expression.split(" AND "):
        found = re.fullmatch(r'"[^"]+" (IS NULL|IS NOT NULL|>=|<>|<|=)(?: (\S+))?', test)
        assert found is not None, test
        sign, number = found.groups()
        known = value if value is not None else float("nan")
        limit = float(number or 0)
        truths.append(
            {"IS NULL": value is None, "IS NOT NULL": value is not None, ">=": known >= limit, "<": known < limit,
             "=": known == limit, "<>": value is not None and known != limit}[sign]
        )  # fmt: skip
    return all(truths)


def test_municipalities_are_coloured_by_score_and_then_by_coca():
    shown, coca = style.of(hostile.municipalities())
    assert (shown.field, shown.name_es, shown.name_en) == ("score", "Puntaje (0–1)", "Score (0–1)")
    assert (coca.field, coca.outlined) == ("coca_ha", ("high_cultivation", "vacated"))
    assert [each.colour for each in shown.classes] == [*palette.SCORE.colours, palette.GROUND["absent"]]
    assert [each.label_es for each in shown.classes[:2]] == ["< 0,20", "0,20 – 0,40"]
    assert [each.label_en for each in shown.classes[:2]] == ["< 0.20", "0.20 – 0.40"]


def test_the_classes_of_the_score_are_the_web_maps():
    data = hostile.municipalities()
    scale = legend.score(data.frame["score"])
    shown = style.of(data)[0]
    assert [each.low for each in shown.classes if not each.null][1:] == list(scale.breaks)
    assert [each.colour for each in shown.classes if not each.null] == list(scale.colours)


def test_a_zero_is_a_class_of_its_own_and_no_missing_value():
    data = hostile.municipalities()
    coca = style.of(data)[1]
    found = [coca.classes[place] for place in coca.classed(data.frame)]
    assert found[0].exact
    assert found[0].label_es == "0"
    assert found[2].null
    assert found[2].hatched
    assert not found[0].hatched


def test_thousands_are_grouped_as_each_language_does():
    coca = style.of(coloured("enclaves", "coca_ha", [1.0, 900.0, 1100.0, 4000.0, 9000.0]))[0]
    assert any(re.search(r"\d\.\d{3}\b", each.label_es) for each in coca.classes)
    assert any(re.search(r"\d,\d{3}\b", each.label_en) for each in coca.classes)


def test_only_where_all_flags_are_true_is_an_outline():
    data = hostile.municipalities()
    assert style.of(data)[0].outlines(data.frame).tolist() == [False, True, False, False]


def test_changes_have_colours_on_both_sides_of_no_change():
    shown = style.of(coloured("changes", "score_change", [-0.3, -0.01, 0.0, 0.01, 0.3, None]))[0]
    zero = next(place for place, each in enumerate(shown.classes) if each.exact)
    assert shown.classes[zero].label_en == "No change"
    assert all(each.high is not None and each.high <= 0 for each in shown.classes[:zero])
    assert all(each.low is not None and each.low >= 0 for each in shown.classes[zero + 1 : -1])
    assert shown.classes[zero + 1].label_es.startswith("0 a +0,")


@settings(max_examples=40, deadline=None)
@given(LAYERS)
def test_every_value_is_in_one_class_and_qgis_draws_it_by_that_rule_alone(layer):
    (name, field), values = layer
    data = coloured(name, field, values)
    shown = style.of(data)[0]
    classes = shown.classed(data.frame)
    assert (classes >= 0).all()
    for value, place in zip(data.frame[shown.field], classes, strict=True):
        known = None if pd.isna(value) else float(value)
        drawn = [at for at, each in enumerate(shown.classes) if true(qgis.condition(shown, each), known)]
        assert drawn == [place]


def test_kinds_of_sites_are_told_apart_by_colour_and_marker():
    data = hostile.sites()
    shown = style.of(data)[0]
    known = [each for each in shown.classes if not each.null]
    assert len({(each.colour, each.marker) for each in known}) == len(known)
    assert [shown.classes[place].label_es for place in shown.classed(data.frame)] == [
        "Estación de policía", "Espacio de reincorporación (ETCR)", "torre 'x'\\", "Sin dato",
    ]  # fmt: skip


def test_a_text_with_quotes_is_quoted_as_qgis_reads_it():
    each = Class("#000000", "", "", value="it's\\n\n")
    shown = Style("", "", 'a"b', (each,))
    assert qgis.condition(shown, each) == "\"a\"\"b\" = 'it''s\\\\n\\n'"


@pytest.mark.parametrize(("name", "field"), [("panel", "coca_ha"), ("municipalities", "other")])
def test_what_has_no_figure_to_colour_has_no_style(name, field):
    assert style.of(coloured(name, field, [1.0])) == ()


def test_what_has_no_shapes_has_no_style():
    data = hostile.municipalities()
    assert style.of(replace(data, frame=data.table)) == ()


def test_an_empty_dataset_has_a_style_still():
    shown = style.of(hostile.municipalities(()))
    assert [each.field for each in shown] == ["score", "coca_ha"]
    assert shown[0].classes[0].label_es == "Con dato"


@pytest.mark.parametrize(
    ("name", "shapes", "drawn"),
    [("sites", [], "point"), ("zones", [], "polygon"), ("zones", [Point(0, 0)], "point"),
     ("zones", [None, box(0, 0, 1, 1)], "polygon"), ("zones", [Point(0, 0), box(0, 0, 1, 1)], "other")],
)  # fmt: skip
def test_what_is_drawn(name, shapes, drawn):
    frame = gpd.GeoDataFrame({"a": [1.0] * len(shapes)}, geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"))
    assert style.drawn(dataset(name, frame, [Field("a", "number")], key=[], about=hostile.ABOUT)) == drawn


def test_a_style_for_qgis_has_a_symbol_for_every_rule_and_outlines_above_all(lang):
    data = hostile.municipalities()
    shown = style.of(data)[0]
    root = ET.fromstring(qgis.qml(data, shown, lang=lang))
    rules = root.findall("renderer-v2[@type='RuleRenderer'][@symbollevels='1']/rules/rule")
    layers = {each.attrib["name"]: each[0].attrib for each in root.findall("renderer-v2/symbols/symbol")}
    assert [rule.get("label") for rule in rules[:-1]] == [each.label(lang) for each in shown.read()]
    assert rules[-1].get("filter") == '"high_cultivation" AND "vacated"'
    levels = [layers[rule.attrib["symbol"]]["pass"] for rule in rules]
    assert levels == ["0"] * (len(rules) - 1) + ["1"]
    assert [alias.get("name") for alias in root.findall("aliases/alias")] == [each.alias(lang) for each in data.fields]


def test_points_have_markers():
    data = hostile.sites()
    root = ET.fromstring(qgis.qml(data, style.of(data)[0], lang="es"))
    assert {each.get("type") for each in root.iter("symbol")} == {"marker"}
    assert root.findtext("layerGeometryType") == "0"


def test_style_and_metadata_lie_beside_a_file(tmp_path: Path):
    data = hostile.municipalities()
    file = tmp_path / "municipalities.geojson"
    assert qgis.write_qml(data, file, lang="es") == tmp_path / "municipalities.qml"
    assert qgis.write_qmd(data, file, lang="es") == tmp_path / "municipalities.qmd"
    assert qgis.write_qml(hostile.panel(), file, lang="es") is None
    assert ET.parse(tmp_path / "municipalities.qml").getroot().find("renderer-v2") is not None
    told = ET.parse(tmp_path / "municipalities.qmd").getroot()
    assert told.findtext("title") == hostile.ABOUT.title_es
    assert hostile.ABOUT.caveats_es[0] in told.findtext("abstract", "")
    assert "Coca & más. UNODC" in told.findtext("abstract", "")
    assert told.findtext("license") == "CC BY 4.0"
