"""KML for the field: one document that phones and Google Earth open, coloured by class, with a table in each balloon.

After OGC 07-147r2 (KML 2.2). Every field of every row stands in the typed extended data; the balloon, which all
programs show, holds the same as a person reads it, without the parts that add up to a score.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import shapely

from geo.errors import OutputError
from maps import palette
from maps.formats import qgis, style
from maps.formats.dataset import Dataset, Field, Lang
from maps.formats.style import Class, Style

NAMESPACE = "http://www.opengis.net/kml/2.2"
MOST_INT = 2**31 - 1  # KML's own whole numbers have 32 bits; a double holds larger ones exactly
OPACITY, LINE_OPACITY = 0.7, 0.9
BORDER, BORDER_PX, OUTLINE_PX = "#ffffff", 1.0, 3.0
PLAIN = palette.SCORE.colours[2]
PARTS = ("contribution_", "cause_")  # dozens of columns, of which a phone's balloon would be full
DECIMALS = 3
WORDS: Mapping[str, tuple[str, str]] = {
    "as_of": (
        "Año de referencia: {year}; las existencias son al 31 de diciembre.",
        "Reference year: {year}; stocks are as of 31 December.",
    ),
    "shown": ("El color muestra: {name}.", "The colour shows: {name}."),
    "outlined": (
        "Borde naranja: alto cultivo que dejaron las FARC.",
        "Orange border: high cultivation that the FARC left.",
    ),
    "missing": (
        "Lo que falta se lee «sin dato o no aplica» en la ficha y no va en los datos extendidos; un cero sí se midió.",
        "What is missing reads “no data, or none” in the balloon and is not in the extended data; a zero was measured.",
    ),
    "caveats": ("Para tener en cuenta", "Keep in mind"),
    "sources": ("Fuentes", "Sources"),
    "none": ("sin dato o no aplica", "no data, or none"),  # a score of what is no candidate, a limit that none exceeds
    "true": ("sí", "yes"),
    "false": ("no", "no"),
}
HOLDERS = "csv, xlsx, parquet or gpkg"


def write(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    """Write a dataset as one KML document.

    Parameters
    ----------
    data : Dataset
        Has shapes. A row without a shape of its own becomes a placemark without one.
    path : Path
        The file.
    lang : {"es", "en"}, default "es"
        Language of names, balloons and the description.

    Raises
    ------
    OutputError
        If the dataset has no shapes.

    Notes
    -----
    A folder holds each class of the default style; rows keep their order within it. A missing value is left out of the
    extended data.
    """
    shapes = data.shapes
    if shapes is None:
        raise OutputError(f"KML holds places; {data.name} has no shapes: write it as {HOLDERS}")
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("kml"))
    document = _add(root, "Document", id=data.name)
    styles = style.of(data)
    shown = styles[0] if styles else None
    _add(document, "name", data.about.title(lang))
    _add(document, "description", _document(data, shown, lang))
    _styles(document, shown)
    _schema(document, data, lang)
    for title, rows in _folders(data, shapes, shown, lang):
        folder = _add(document, "Folder")
        _add(folder, "name", title)
        for look, shape, record in rows:
            _placemark(folder, data, record, shape, f"#{look}", lang)
    ET.indent(root, space="")
    path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def kml_colour(colour: str, opacity: float = 1.0) -> str:
    """A colour as KML has it: opacity, blue, green, red.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.
    opacity : float, default 1
        0 to 1.

    Returns
    -------
    str
        ``aabbggrr``.

    Examples
    --------
    >>> kml_colour("#d1480a", 0.5)
    '800a48d1'
    """
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    return f"{round(opacity * 255):02x}{blue}{green}{red}".lower()


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: ET.Element, name: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, _tag(name), attributes)
    child.text = text
    return child


def _say(name: str, lang: Lang, /, **values: object) -> str:
    return WORDS[name][lang == "en"].format(**values)


def _folders(
    data: Dataset, shapes: gpd.GeoDataFrame, shown: Style | None, lang: Lang
) -> list[tuple[str, list[tuple[str, Any, dict[str, Any]]]]]:
    """Title of each class that rows fall into, from high to low, and the style, shape and record of each row."""
    zeros = pd.Series(0, index=shapes.index)
    classes, outlines = (shown.classed(shapes), shown.outlines(shapes)) if shown else (zeros, zeros.astype(bool))
    inside: dict[int, list[tuple[str, Any, dict[str, Any]]]] = {}
    for place, outlined, shape, record in zip(classes, outlines, shapes.geometry, _records(data), strict=True):
        inside.setdefault(place, []).append((_style_id(place, outlined=bool(outlined)), shape, record))
    titles = list(_titles(shown, lang)) if shown else [(0, data.about.title(lang))]
    # An empty document would have no layer at all for some readers.
    return [(title, inside[place]) for place, title in titles if place in inside] or [(titles[0][1], [])]


def _titles(shown: Style, lang: Lang) -> Iterator[tuple[int, str]]:
    for each in shown.read():
        ranged = not each.null and each.value is None
        title = f"{shown.name(lang)}: {each.label(lang)}" if ranged else each.label(lang)
        yield shown.classes.index(each), title


def _style_id(place: int, *, outlined: bool) -> str:
    return f"class-{place}{'-outlined' if outlined else ''}"


def _styles(document: ET.Element, shown: Style | None) -> None:
    classes = shown.classes if shown else (Class(PLAIN, "", ""),)
    for place, each in enumerate(classes):
        for outlined in (False, True) if shown and shown.outlined else (False,):
            _style(document, _style_id(place, outlined=outlined), each, outlined=outlined)


def _style(document: ET.Element, name: str, each: Class, *, outlined: bool) -> None:
    """The symbol of a point has no address of an image, as there may be no network: the program takes its own."""
    found = _add(document, "Style", id=name)
    icon = _add(found, "IconStyle")
    _add(icon, "color", kml_colour(each.colour))
    _add(icon, "scale", "0.8")
    _add(_add(found, "LabelStyle"), "scale", "0.8")
    line = _add(found, "LineStyle")
    _add(line, "color", kml_colour(palette.LINES["vacated"] if outlined else BORDER, LINE_OPACITY))
    _add(line, "width", f"{OUTLINE_PX if outlined else BORDER_PX}")
    _add(_add(found, "PolyStyle"), "color", kml_colour(each.colour, OPACITY))
    _add(_add(found, "BalloonStyle"), "text", "$[description]")


def _schema(document: ET.Element, data: Dataset, lang: Lang) -> None:
    schema = _add(document, "Schema", name=data.name, id=_schema_id(data))
    for field in data.fields:
        simple = _add(schema, "SimpleField", type=_type(data, field), name=field.name)
        _add(simple, "displayName", field.alias(lang))


def _schema_id(data: Dataset) -> str:
    return f"schema-{data.name}"


def _type(data: Dataset, field: Field) -> str:
    if field.kind == "whole":
        return "int" if bool((data.frame[field.name].abs().dropna() <= MOST_INT).all()) else "double"
    return {"text": "string", "number": "double", "flag": "bool"}[field.kind]


def _records(data: Dataset) -> Iterator[dict[str, Any]]:
    """Rows as plain values, missing ones as None."""
    columns = []
    for field in data.fields:
        column = data.frame[field.name]
        columns.append([None if gone else value for value, gone in zip(column.tolist(), column.isna(), strict=True)])
    names = [field.name for field in data.fields]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(data.frame))
    return (dict(zip(names, row, strict=True)) for row in rows)


def _placemark(folder: ET.Element, data: Dataset, record: Mapping[str, Any], shape: Any, look: str, lang: Lang) -> None:
    placemark = _add(folder, "Placemark")
    title = _title(data, record)
    if title is not None:
        _add(placemark, "name", title)
    _add(placemark, "description", _balloon(data, record, lang))
    _add(placemark, "styleUrl", look)
    extended = _add(_add(placemark, "ExtendedData"), "SchemaData", schemaUrl=f"#{_schema_id(data)}")
    for name, value in record.items():
        if value is not None:
            _add(extended, "SimpleData", _plain(value), name=name)
    if shape is not None and not shape.is_empty:
        _geometry(placemark, shape)


def _title(data: Dataset, record: Mapping[str, Any]) -> str | None:
    """The row's own name, or its key where the dataset has no names; readers take it for the field ``name``."""
    if "name" in record:
        return None if record["name"] is None else str(record["name"])
    return " ".join(str(record[key]) for key in data.key if record.get(key) is not None)


def _plain(value: Any) -> str:
    """Floats by their shortest form that reads back to the same number; flags as XML Schema has them."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return repr(value) if isinstance(value, float) else str(value)


def _balloon(data: Dataset, record: Mapping[str, Any], lang: Lang) -> str:
    rows = [
        f"<tr><td>{html.escape(field.alias(lang))}</td><td>{html.escape(_told(record[field.name], lang))}</td></tr>"
        for field in data.fields
        if not field.name.startswith(PARTS)
    ]
    return f"<table>{''.join(rows)}</table><p>{html.escape(_say('as_of', lang, year=data.about.year))}</p>"


def _told(value: Any, lang: Lang) -> str:
    """A value as a person reads it."""
    if value is None:
        return _say("none", lang)
    if isinstance(value, bool):
        return _say("true" if value else "false", lang)
    if not isinstance(value, int | float):
        return str(value)
    whole = isinstance(value, int) or not value
    digits = 0 if whole else min(12, max(DECIMALS - 1 - math.floor(math.log10(abs(value))), 0, 2))
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.translate(str.maketrans(",.", ".,")) if lang == "es" else text


def _document(data: Dataset, shown: Style | None, lang: Lang) -> str:
    about = data.about
    first = [_say("as_of", lang, year=about.year)]
    first += [_say("shown", lang, name=shown.name(lang))] if shown else []
    first += [_say("outlined", lang)] if shown and shown.outlined else []
    lines = [*first, _say("missing", lang)]
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    caveats = _list(_say("caveats", lang), about.caveats(lang))
    return paragraphs + caveats + _list(_say("sources", lang), (qgis.credit(source) for source in about.sources))


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h4>{html.escape(title)}</h4><ul>{items}</ul>" if items else ""


def _geometry(parent: ET.Element, shape: Any) -> None:
    """Without altitude: on the ground."""
    kind = shape.geom_type
    if kind == "Polygon":
        polygon = _add(parent, "Polygon")
        rings = [("outerBoundaryIs", shape.exterior), *(("innerBoundaryIs", ring) for ring in shape.interiors)]
        for name, ring in rings:
            _line(_add(polygon, name), "LinearRing", ring)
    elif hasattr(shape, "geoms"):
        several = _add(parent, "MultiGeometry")
        for part in shape.geoms:
            _geometry(several, part)
    else:
        _line(parent, kind, shape)


def _line(parent: ET.Element, name: str, shape: Any) -> None:
    points = shapely.get_coordinates(shape).tolist()
    _add(_add(parent, name), "coordinates", " ".join(f"{_degrees(x)},{_degrees(y)}" for x, y in points))


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
