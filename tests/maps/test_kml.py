"""KML read back by an XML parser and by GDAL's LIBKML: every figure of every row, and what KML 2.2 asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pytest
from shapely.geometry import MultiPolygon, Polygon, shape

from geo.errors import OutputError
from maps import palette
from maps.formats import kml, style
from maps.formats.dataset import Dataset
from tests.maps import hostile

K = f"{{{kml.NAMESPACE}}}"
# KML 2.2, of each element its children in the order of the schema; others may not occur.
ORDER = {
    "kml": ["Document"],
    "Document": ["name", "description", "Style", "Schema", "Folder"],
    "Folder": ["name", "Placemark"],
    "Placemark": ["name", "description", "styleUrl", "ExtendedData", "Point", "Polygon", "MultiGeometry"],
    "Style": ["IconStyle", "LabelStyle", "LineStyle", "PolyStyle", "BalloonStyle"],
    "Polygon": ["outerBoundaryIs", "innerBoundaryIs"],
    "IconStyle": ["color", "scale"],
    "LineStyle": ["color", "width"],
    "SimpleField": ["displayName"],
}


def written(data: Dataset, folder: Path, lang: Any = "es") -> Path:
    file = folder / f"{data.name}.kml"
    kml.write(data, file, lang=lang)
    return file


def placemarks(root: ET.Element) -> dict[str, ET.Element]:
    """By code."""
    found = root.iter(f"{K}Placemark")
    return {each.findtext(f".//{K}SimpleData[@name='code']", ""): each for each in found}


def read(root: ET.Element) -> dict[str, dict[str, Any]]:
    """Typed as the schema says."""
    fields = root.findall(f"{K}Document/{K}Schema/{K}SimpleField")
    types = {field.attrib["name"]: field.attrib["type"] for field in fields}
    turn: dict[str, Callable[[str], Any]] = {
        "string": str,
        "int": int,
        "double": float,
        "bool": {"1": True, "0": False}.__getitem__,
    }
    return {
        code: {
            item.attrib["name"]: turn[types[item.attrib["name"]]](item.text or "")
            for item in placemark.iter(f"{K}SimpleData")
        }
        for code, placemark in placemarks(root).items()
    }


def polygons(placemark: ET.Element) -> MultiPolygon:
    def ring(element: ET.Element) -> list[tuple[float, ...]]:
        text = element.findtext(f"{K}LinearRing/{K}coordinates", "")
        return [tuple(map(float, pair.split(","))) for pair in text.split()]

    return MultiPolygon(
        [
            Polygon(ring(each[0]), [ring(hole) for hole in each.findall(f"{K}innerBoundaryIs")])
            for each in placemark.iter(f"{K}Polygon")
        ]
    )


def test_every_figure_of_every_row_reads_back_and_missing_is_missing(tmp_path, lang):
    data = hostile.municipalities()
    found = read(ET.parse(written(data, tmp_path, lang)).getroot())
    for row in hostile.expected(data):
        assert found[row["code"]] == {name: value for name, value in row.items() if value is not None}


def test_gdal_reads_the_same_figures_and_shapes(tmp_path):
    data = hostile.municipalities()
    file = written(data, tmp_path)
    found: dict[str, dict[str, Any]] = {}
    for layer in re.findall(r"^\d+: (.*)$", hostile.ogr("ogrinfo", file), re.MULTILINE):
        text = hostile.ogr("ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=6", "/vsistdout/", file, layer)
        found |= {feature["properties"]["code"]: feature for feature in json.loads(text)["features"]}
    shapes = dict(zip(data.frame["code"], data.frame.geometry, strict=True))
    for row in hostile.expected(data):
        feature = found[row["code"]]
        told = feature["properties"] | {"name": feature["properties"].get("Name")}
        # LIBKML strips blanks at the ends of a text.
        wanted = {name: value.strip() if isinstance(value, str) else value for name, value in row.items()}
        assert {name: told.get(name) for name in row} == wanted
        expected = shapes[row["code"]]
        assert feature["geometry"] is None if expected is None else shape(feature["geometry"]).equals(expected)


def test_shapes_have_holes_and_parts_and_no_altitude(tmp_path):
    data = hostile.municipalities()
    root = ET.parse(written(data, tmp_path)).getroot()
    for code, expected in zip(data.frame["code"], data.frame.geometry, strict=True):
        found = polygons(placemarks(root)[code])
        assert found.is_empty if expected is None else found.equals(expected)
    assert not list(root.iter(f"{K}altitudeMode"))
    rings = [(each.text or "").split() for each in root.iter(f"{K}coordinates")]
    assert {len(pair.split(",")) for ring in rings for pair in ring} == {2}
    exterior = root.findtext(f".//{K}outerBoundaryIs/{K}LinearRing/{K}coordinates", "")
    points = [tuple(map(float, pair.split(","))) for pair in exterior.split()]
    assert points[0] == points[-1]
    assert Polygon(points).exterior.is_ccw


@pytest.mark.parametrize("made", [hostile.municipalities, hostile.sites, lambda: hostile.municipalities(())])
def test_elements_stand_in_the_order_of_the_standard(tmp_path, made):
    root = ET.parse(written(made(), tmp_path)).getroot()
    assert root.tag == f"{K}kml"
    for element in root.iter():
        name = element.tag.removeprefix(K)
        children = [child.tag.removeprefix(K) for child in element]
        if name in ORDER:
            places = [ORDER[name].index(child) for child in children]
            assert places == sorted(places)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    used = {(element.text or "").removeprefix("#") for element in root.iter(f"{K}styleUrl")}
    used |= {element.attrib["schemaUrl"].removeprefix("#") for element in root.iter(f"{K}SchemaData")}
    assert used <= set(ids)


def test_a_point_is_a_point(tmp_path):
    root = ET.parse(written(hostile.sites(), tmp_path)).getroot()
    assert root.findtext(f".//{K}Point/{K}coordinates") == "-75.5,4"
    assert [each.text for each in root.findall(f".//{K}Folder/{K}name")] == [
        "Estación de policía", "Espacio de reincorporación (ETCR)", "torre 'x'\\", "Sin dato",
    ]  # fmt: skip


def test_folders_and_colours_are_those_of_the_classes(tmp_path):
    data = hostile.municipalities()
    root = ET.parse(written(data, tmp_path)).getroot()
    assert [each.findtext(f"{K}name") for each in root.iter(f"{K}Folder")] == [
        "Puntaje (0–1): ≥ 0,80", "Puntaje (0–1): 0,40 – 0,60", "Puntaje (0–1): < 0,20",
        "Sin puntaje: no es candidato, o sin dato",
    ]  # fmt: skip
    look = placemarks(root)["05002"].findtext(f"{K}styleUrl", "").removeprefix("#")
    drawn = f"{K}Document/{K}Style[@id='{look}']/{K}"
    place = style.of(data)[0].classed(data.frame)[1]
    fill, outline = palette.SCORE.colours[place], palette.LINES["vacated"]
    assert root.findtext(f"{drawn}PolyStyle/{K}color", "")[2:] == kml.kml_colour(fill)[2:]
    assert root.findtext(f"{drawn}LineStyle/{K}color", "")[2:] == kml.kml_colour(outline)[2:]


def test_colours_are_opacity_blue_green_red():
    assert kml.kml_colour("#d1480a") == "ff0a48d1"
    assert kml.kml_colour("#d1480a", 0.5) == "800a48d1"


def test_the_balloon_says_what_is_missing_and_holds_no_markup_of_the_data(tmp_path):
    root = ET.parse(written(hostile.municipalities(), tmp_path)).getroot()
    balloon = ET.fromstring(f"<p>{placemarks(root)['88001'].findtext(f'{K}description')}</p>")
    told = {row[0].text: row[1].text for row in balloon.iter("tr")}
    assert told["Nombre"] == "Ñu 🚓 ]]> &amp; <b>"
    assert told["Coca (ha)"] == "sin dato o no aplica"
    assert told["Puntaje (0–1)"] == "0,95"
    assert told["La dejaron"] == "sí"


def test_the_document_says_whence_as_of_when_and_what_to_keep_in_mind(tmp_path, lang):
    root = ET.parse(written(hostile.municipalities(), tmp_path, lang)).getroot()
    assert root.findtext(f"{K}Document/{K}name") == hostile.ABOUT.title(lang)
    text = "".join(ET.fromstring(f"<p>{root.findtext(f'{K}Document/{K}description')}</p>").itertext())
    assert "2020" in text
    assert hostile.ABOUT.caveats(lang)[0] in text
    assert "Coca & más. UNODC. 2001-2024. CC BY 4.0" in text
    assert {"es": "lo que falta", "en": "what is missing"}[lang] in text.lower()


def test_an_empty_dataset_is_a_document_with_its_fields(tmp_path):
    file = written(hostile.municipalities(()), tmp_path)
    root = ET.parse(file).getroot()
    assert len(root.findall(f"{K}Document/{K}Schema/{K}SimpleField")) == len(hostile.FIELDS)
    assert not list(root.iter(f"{K}Placemark"))
    assert "1: " in hostile.ogr("ogrinfo", file)


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    first = written(hostile.municipalities(), tmp_path).read_bytes()
    assert written(hostile.municipalities(), tmp_path).read_bytes() == first


def test_a_table_is_refused_and_told_where_it_can_go(tmp_path):
    with pytest.raises(OutputError, match="panel has no shapes: write it as csv, xlsx, parquet or gpkg"):
        kml.write(hostile.panel(), tmp_path / "panel.kml")
    assert not (tmp_path / "panel.kml").exists()


def test_what_has_no_style_is_one_folder(tmp_path):
    frame = gpd.GeoDataFrame(hostile.municipalities().frame)
    data = Dataset("elsewhere", frame, hostile.FIELDS, ("code",), hostile.ABOUT)
    root = ET.parse(written(data, tmp_path)).getroot()
    assert [each.findtext(f"{K}name") for each in root.iter(f"{K}Folder")] == [hostile.ABOUT.title_es]
    assert len(list(root.iter(f"{K}Placemark"))) == 4
