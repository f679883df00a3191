"""Styles and metadata of layers as QGIS 3 reads them: beside a file, or within a GeoPackage.

The forms are those that QGIS 3.22 writes itself: QML (``QgsMapLayer::exportNamedStyle``) and QMD
(``QgsMapLayer::exportNamedMetadata``). Every value enters as data of an XML tree; none is pasted into markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from maps import palette
from maps.formats import style
from maps.formats.dataset import Dataset, Lang
from maps.formats.style import Class, Style

VERSION = "3.22.0"
CATEGORIES = "LayerConfiguration|Symbology|Labeling|Fields"
GEOMETRIES: Mapping[style.Drawn, str] = {"point": "0", "polygon": "2", "other": "2"}
# Names are shown from these scales on (1:n); of other layers never.
NAMED_FROM = {"municipalities": 1_500_000, "zones": 6_000_000, "enclaves": 400_000, "sites": 150_000}
BORDER, BORDER_MM, OUTLINE_MM = "#ffffff", 0.1, 0.6
PALE, PALE_BORDER = frozenset({palette.GROUND["absent"], palette.GROUND["zero"]}), "#d9d6cf"  # white would not show
BORDERS = {"zones": (palette.LINES["zones"], 0.4)}
POINT_MM, POINT_BORDER_MM = 2.2, 0.2
LABEL, HALO, LABEL_POINTS, HALO_MM = "#1b1b1b", "#ffffff", 8, 0.8
OUTLINED = {
    "es": "Alto cultivo que dejaron las FARC",  # as on the web map; "zona" is what is made of municipalities
    "en": "High cultivation the FARC left",
}
CREDITS = {"es": ("Fuentes", "Para tener en cuenta"), "en": ("Sources", "Keep in mind")}


@dataclass(frozen=True)
class _Rule:
    """A line of the legend: which rows, and how they are drawn; ``above`` the others or among them."""

    where: str
    label: str
    kind: str
    properties: Mapping[str, str]
    above: bool = False


def qml(data: Dataset, shown: Style, *, lang: Lang) -> str:
    """A style with a rule for each class, aliases with units on the fields, and names on the map where it is near.

    Parameters
    ----------
    data : Dataset
        What is drawn.
    shown : Style
        One of :func:`maps.formats.style.of`.
    lang : {"es", "en"}
        Language of the legend and the aliases.

    Returns
    -------
    str
        QML. A row is drawn by one and only one rule of a class, whatever order the rules are brought into.
    """
    named = data.name in NAMED_FROM and any(field.name == "name" for field in data.fields)
    root = ET.Element("qgis", version=VERSION, styleCategories=CATEGORIES, labelsEnabled=str(int(named)))
    _renderer(root, [*_rules(data, shown, lang)])
    if named:
        _labels(root, NAMED_FROM[data.name])
    for name, text in (("blendMode", "0"), ("featureBlendMode", "0"), ("layerOpacity", "1")):
        ET.SubElement(root, name).text = text
    _aliases(root, data, lang)
    if named:
        ET.SubElement(root, "previewExpression").text = column("name")
    ET.SubElement(root, "layerGeometryType").text = GEOMETRIES[style.drawn(data)]
    return _text(root)


def fields_qml(data: Dataset, *, lang: Lang) -> str:
    """A style that only names the fields, for a table without shapes.

    Parameters
    ----------
    data : Dataset
        Any.
    lang : {"es", "en"}
        Language of the aliases.

    Returns
    -------
    str
        QML.
    """
    root = ET.Element("qgis", version=VERSION, styleCategories="Fields")
    _aliases(root, data, lang)
    return _text(root)


def qmd(data: Dataset, *, lang: Lang) -> str:
    """What a layer is, whence and under which licences, and what to keep in mind.

    Parameters
    ----------
    data : Dataset
        Any.
    lang : {"es", "en"}
        Language of the title and the caveats.

    Returns
    -------
    str
        QMD.
    """
    about, (sources, caveats) = data.about, CREDITS[lang]
    root = ET.Element("qgis", version=VERSION)
    said = {"identifier": data.name, "language": lang, "type": "dataset", "title": about.title(lang)}
    credits_ = [credit(source) for source in about.sources]
    parts = ((caveats, about.caveats(lang)), (sources, credits_))
    abstract = "\n\n".join("\n".join([f"{title}:", *lines]) for title, lines in parts if lines)
    for name, text in {**said, "abstract": abstract}.items():
        ET.SubElement(root, name).text = text
    for licence in dict.fromkeys(source["licence"] for source in about.sources if source.get("licence")):
        ET.SubElement(root, "license").text = licence
    for publisher in dict.fromkeys(source["publisher"] for source in about.sources if source.get("publisher")):
        ET.SubElement(root, "rights").text = publisher
    return _text(root)


def credit(source: Mapping[str, str]) -> str:
    """A source in one line.

    Parameters
    ----------
    source : mapping of str to str
        As :class:`maps.formats.dataset.About` has it.

    Returns
    -------
    str
        Title, publisher, vintage, licence and address, as far as they are known.
    """
    told = (source.get(name, "") for name in ("title", "publisher", "vintage", "licence", "url"))
    return ". ".join(text.strip().rstrip(".") for text in told if text.strip())


def write_qml(data: Dataset, path: Path, *, lang: Lang) -> Path | None:
    """Write the default style beside a file, where QGIS finds it when the file is opened.

    Parameters
    ----------
    data : Dataset
        What the file holds.
    path : Path
        The file.
    lang : {"es", "en"}
        Language of the legend and the aliases.

    Returns
    -------
    Path or None
        The file of the same name that ends in ``.qml``; None where the dataset has no style.
    """
    styles = style.of(data)
    if not styles:
        return None
    target = path.with_suffix(".qml")
    target.write_text(qml(data, styles[0], lang=lang), encoding="utf-8", newline="\n")
    return target


def write_qmd(data: Dataset, path: Path, *, lang: Lang) -> Path:
    """Write the metadata beside a file, where QGIS finds them when the file is opened.

    Parameters
    ----------
    data : Dataset
        What the file holds.
    path : Path
        The file.
    lang : {"es", "en"}
        Language of the title and the caveats.

    Returns
    -------
    Path
        The file of the same name that ends in ``.qmd``.
    """
    target = path.with_suffix(".qmd")
    target.write_text(qmd(data, lang=lang), encoding="utf-8", newline="\n")
    return target


def column(name: str) -> str:
    """A column's name as QGIS's expressions and SQL quote it.

    Parameters
    ----------
    name : str
        Any.

    Returns
    -------
    str
        In double quotes.
    """
    return '"' + name.replace('"', '""') + '"'


def condition(shown: Style, each: Class) -> str:
    """Which rows fall into a class, as an expression of QGIS.

    Parameters
    ----------
    shown : Style
        The style.
    each : Class
        One of its classes.

    Returns
    -------
    str
        True for these rows and no others.
    """
    name = column(shown.field)
    if each.null:
        return f"{name} IS NULL"
    if each.value is not None:
        return f"{name} = {_quoted(each.value)}"
    if each.low is not None and each.exact:
        return f"{name} = {each.low!r}"
    apart = [other.low for other in shown.classes if other.exact and other.low is not None and _within(other.low, each)]
    tests = [f"{name} IS NOT NULL"] if each.low is None and each.high is None else []
    tests += [] if each.low is None else [f"{name} >= {each.low!r}"]
    tests += [] if each.high is None else [f"{name} < {each.high!r}"]
    return " AND ".join([*tests, *(f"{name} <> {value!r}" for value in apart)])


def _within(value: float, each: Class) -> bool:
    return (each.low is None or each.low <= value) and (each.high is None or value < each.high)


def _quoted(text: str) -> str:
    """As ``QgsExpression::quotedString`` does it."""
    pairs = (("'", "''"), ("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"))
    for found, put in pairs:
        text = text.replace(found, put)
    return f"'{text}'"


def _rules(data: Dataset, shown: Style, lang: Lang) -> Iterator[_Rule]:
    points = style.drawn(data) == "point"
    for each in shown.read():
        properties = _marker(each) if points else _fill(each) | _border(data, each)
        yield _Rule(condition(shown, each), each.label(lang), "marker" if points else "fill", properties)
    if shown.outlined and not points:
        where = " AND ".join(column(flag) for flag in shown.outlined)
        yield _Rule(where, OUTLINED[lang], "fill", _outline(), above=True)


def _fill(each: Class) -> dict[str, str]:
    return {
        "color": _rgba(each.colour),
        "style": "b_diagonal" if each.hatched else "solid",
        "outline_style": "solid",
        "outline_width_unit": "MM",
        "joinstyle": "bevel",
    }


def _border(data: Dataset, each: Class) -> dict[str, str]:
    own = each.colour if each.hatched else PALE_BORDER if each.colour in PALE else BORDER
    colour, width_mm = BORDERS.get(data.name, (own, BORDER_MM))
    return {"outline_color": _rgba(colour), "outline_width": f"{width_mm}"}


def _outline() -> dict[str, str]:
    return {
        "color": _rgba(BORDER),
        "style": "no",
        "outline_color": _rgba(palette.LINES["vacated"]),
        "outline_style": "solid",
        "outline_width": f"{OUTLINE_MM}",
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }


def _marker(each: Class) -> dict[str, str]:
    return {
        "name": each.marker,
        "color": _rgba(each.colour),
        "size": f"{POINT_MM}",
        "size_unit": "MM",
        "outline_color": _rgba(BORDER),
        "outline_style": "solid",
        "outline_width": f"{POINT_BORDER_MM}",
        "outline_width_unit": "MM",
    }


def _rgba(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"{red},{green},{blue},255"


def _renderer(root: ET.Element, rules: Iterable[_Rule]) -> None:
    """Symbol levels: an outline lies above the fills of all neighbours, not only of those drawn before it."""
    attributes = {"forceraster": "0", "enableorderby": "0", "symbollevels": "1", "type": "RuleRenderer"}
    renderer = ET.SubElement(root, "renderer-v2", attributes)
    listed, symbols = ET.SubElement(renderer, "rules", key="root"), ET.SubElement(renderer, "symbols")
    for place, rule in enumerate(rules):
        name = str(place)
        ET.SubElement(listed, "rule", key=f"rule{name}", symbol=name, label=rule.label, filter=rule.where)
        _symbol(symbols, name, rule)


def _symbol(symbols: ET.Element, name: str, rule: _Rule) -> None:
    symbol = ET.SubElement(symbols, "symbol", name=name, type=rule.kind, alpha="1", clip_to_extent="1")
    kind = {"fill": "SimpleFill", "marker": "SimpleMarker"}[rule.kind]
    attributes = {"class": kind, "enabled": "1", "locked": "0", "pass": str(int(rule.above))}
    layer = ET.SubElement(symbol, "layer", attributes)
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in rule.properties.items():
        ET.SubElement(options, "Option", name=key, type="QString", value=value)
    for key, value in rule.properties.items():  # what QGIS before 3.20 reads instead
        ET.SubElement(layer, "prop", k=key, v=value)


def _aliases(root: ET.Element, data: Dataset, lang: Lang) -> None:
    aliases = ET.SubElement(root, "aliases")
    for place, field in enumerate(data.fields):
        ET.SubElement(aliases, "alias", field=field.name, index=str(place), name=field.alias(lang))


def _labels(root: ET.Element, near: int) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings")
    style_of_text = {
        "fieldName": "name",
        "isExpression": "0",
        "fontSize": str(LABEL_POINTS),
        "fontSizeUnit": "Point",
        "textColor": _rgba(LABEL),
        "textOpacity": "1",
    }
    text = ET.SubElement(settings, "text-style", style_of_text)
    halo = {"bufferDraw": "1", "bufferSize": f"{HALO_MM}", "bufferSizeUnits": "MM", "bufferColor": _rgba(HALO)}
    ET.SubElement(text, "text-buffer", {**halo, "bufferOpacity": "1", "bufferNoFill": "1"})
    shown = {"drawLabels": "1", "scaleVisibility": "1", "scaleMin": "0", "scaleMax": str(near), "obstacle": "1"}
    ET.SubElement(settings, "rendering", shown)


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return "<!DOCTYPE qgis>\n" + ET.tostring(root, encoding="unicode") + "\n"
