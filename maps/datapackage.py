"""A folder of files described after the Frictionless Data Package, version 1: what each is, its columns, its digest.

Source: https://specs.frictionlessdata.io (Data Package, Tabular Data Resource, Table Schema, CSV Dialect). Files that
are no CSV are resources without a schema; ``type = "file"`` keeps the ``frictionless`` tool from reading a workbook or
a Parquet file as a table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from geo.files import sha256
from geo.hotspots import COLD, HOT, NEITHER
from layers import dynamics
from layers.comparison import STATUSES
from layers.panel import COCA, SEAT
from maps.formats.dataset import About, Dataset, Field, Kind, Lang
from maps.formats.style import KINDS

TYPES: Mapping[Kind, str] = {"text": "string", "whole": "integer", "number": "number", "flag": "boolean"}
FLAGS = {"trueValues": ["true"], "falseValues": ["false"]}
CODES = {"code": r"^\d{5}$", "department_code": r"^\d{2}$"}
CLOSED: Mapping[str, tuple[str, ...]] = {
    "permanence_class": (
        dynamics.PERMANENT,
        dynamics.INTERMITTENT,
        dynamics.EXPANSION,
        dynamics.ABANDONED,
        dynamics.PAST,
        dynamics.NEVER,
    ),
    "hot_spot": (HOT, COLD, NEITHER),
    "station_km_from": (COCA, SEAT),
    "kind": tuple(KINDS),
    "status": STATUSES,
}
NEVER = "never missing"
TEXTS = frozenset({"code", "department_code", "place", "zone"})  # text even where all of it are digits
# Columns that name rows of another dataset, where that is at hand and has them all.
REFERENCES = (("code", "municipalities", "code"), ("zone", "zones", "zone"))
DIALECT = {
    "delimiter": ",",
    "lineTerminator": "\n",
    "quoteChar": '"',
    "doubleQuote": True,
    "skipInitialSpace": False,
    "header": True,
}
MEDIA = {
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".qml": "application/xml",
    ".qmd": "application/xml",
    ".html": "text/html",
    ".json": "application/json",
    ".csv": "text/csv",
    ".csvt": "text/csv",
    ".md": "text/markdown",
    "": "text/plain",
}
KEPT = {"path": "ATTRIBUTION.md", "title": "Figures and boundaries keep their publishers' licences, by source"}
NAMED = {"CC BY 4.0": ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/")}
KEYWORDS = ("colombia", "coca", "eradication", "police presence", "municipalities", "divipola")
WEB = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Member:
    """A file of the package.

    Attributes
    ----------
    path : str
        Within the package, with ``/``.
    file : Path
        Where it lies now.
    titles : tuple of str
        What it is, in Spanish and in English.
    data : Dataset, optional
        Of a CSV of ours, the dataset that it holds.
    fields : tuple of Field
        Of another CSV, the columns that are known, by whose names it is described; others by what they hold.
    """

    path: str
    file: Path
    titles: tuple[str, str]
    data: Dataset | None = None
    fields: tuple[Field, ...] = ()


def descriptor(members: Sequence[Member], about: About, *, bbox: Sequence[float] = (), lang: Lang) -> dict[str, Any]:
    """What ``datapackage.json`` holds.

    Parameters
    ----------
    members : sequence of Member
        Every file but ``datapackage.json`` itself and the list of checksums, which is made after it.
    about : About
        Title, year, run and sources of the package.
    bbox : sequence of float, optional
        West, south, east and north of what is mapped, in degrees.
    lang : {"es", "en"}
        Language of titles; ``titles`` has both.

    Returns
    -------
    dict
        JSON-ready. There is no ``created``: the same run gives the same bytes. Instead ``version`` ends in the first
        twelve digits of the SHA-256 of ``run.json``.
    """
    held = [member.data for member in members if member.data is not None]
    return {
        "profile": "data-package",
        "name": f"presencia-{about.year}",
        "id": about.run,
        "title": about.title(lang),
        "titles": {"es": about.title_es, "en": about.title_en},
        "description": "\n".join(about.caveats(lang)),
        "version": f"{about.year}.0.0+{about.run[:12]}",
        "licenses": [KEPT, *_licences(about)],
        "sources": [_source(source) for source in about.sources],
        "contributors": [{"title": "Presencia", "role": "author"}],
        "keywords": list(KEYWORDS),
        "spatial": {"place": "Colombia", "crs": "EPSG:4326", "bbox": [round(float(edge), 6) for edge in bbox]},
        "temporal": {"reference_year": about.year, "as_of": f"{about.year}-12-31"},
        "resources": [_resource(member, held, lang) for member in members],
    }


def schema(fields: Iterable[Field], *, key: Sequence[str], table: pd.DataFrame, lang: Lang) -> dict[str, Any]:
    """A Table Schema.

    Parameters
    ----------
    fields : iterable of Field
        The columns.
    key : sequence of str
        Columns that tell rows apart; may be empty.
    table : DataFrame
        What the columns hold, so that no constraint is stated that does not hold.
    lang : {"es", "en"}
        Language of titles.

    Returns
    -------
    dict
        JSON-ready.
    """
    described = [_field(field, key, table[field.name], lang) for field in fields]
    return {"fields": described, "missingValues": [""], **({"primaryKey": list(key)} if key else {})}


def _resource(member: Member, held: Sequence[Dataset], lang: Lang) -> dict[str, Any]:
    told = {
        "name": member.data.name if member.data else re.sub(r"[^a-z0-9._-]", "-", member.path.lower()),
        "path": member.path,
        "title": member.titles[0] if lang == "es" else member.titles[1],
        "titles": {"es": member.titles[0], "en": member.titles[1]},
        "mediatype": MEDIA.get(member.file.suffix, "application/octet-stream"),
        "bytes": member.file.stat().st_size,
        "hash": f"sha256:{sha256(member.file)}",
    }
    if member.file.suffix != ".csv":
        return {"profile": "data-resource", "type": "file", **told}
    tabular = {"profile": "tabular-data-resource", "type": "table", **told, "format": "csv", "encoding": "utf-8"}
    return tabular | {"dialect": DIALECT, "schema": _schema(member, held, lang)}


def _schema(member: Member, held: Sequence[Dataset], lang: Lang) -> dict[str, Any]:
    data = member.data
    if data is None:
        table = _read(member.file)
        known = {field.name: field for field in member.fields}
        fields = [known.get(str(name)) or Field(str(name), _kind(table[name])) for name in table]
        return schema(fields, key=(), table=table, lang=lang)
    table = data.table
    keys = [key for column, of, name in REFERENCES if (key := _reference(data, table, held, column, of, name))]
    plain = schema(data.fields, key=data.key, table=table, lang=lang)
    return plain | ({"foreignKeys": keys} if keys else {})


def _reference(
    data: Dataset, table: pd.DataFrame, held: Sequence[Dataset], column: str, of: str, name: str
) -> dict[str, Any] | None:
    target = next((each for each in held if each.name == of and each.name != data.name), None)
    if target is None or column not in table or not set(table[column].dropna()) <= set(target.table[name]):
        return None
    return {"fields": [column], "reference": {"resource": of, "fields": [name]}}


def _field(field: Field, key: Sequence[str], column: pd.Series, lang: Lang) -> dict[str, Any]:
    unit = field.unit_es if lang == "es" and field.unit_es else field.unit
    told = {
        "title": field.alias(lang),
        "titles": {"es": field.alias("es"), "en": field.alias("en")},
        "description": field.meaning,
        "unit": unit,
        "missing": field.missing,
        "sources": list(field.sources),
    }
    limits = _limits(field, key, column)
    return {
        "name": field.name,
        "type": TYPES[field.kind],
        **(FLAGS if field.kind == "flag" else {}),
        **({"bareNumber": True, "decimalChar": "."} if field.kind == "number" else {}),
        **{name: value for name, value in told.items() if value},
        **({"constraints": limits} if limits else {}),
    }


def _limits(field: Field, key: Sequence[str], column: pd.Series) -> dict[str, Any]:
    """Constraints that are meant, and that hold."""
    values = {str(value) for value in column.dropna()}
    closed = CLOSED.get(field.name, ())
    pattern = CODES.get(field.name, "")
    return {
        **({"required": True} if (field.name in key or field.missing == NEVER) and column.notna().all() else {}),
        **({"unique": True} if list(key) == [field.name] else {}),
        **({"pattern": pattern} if pattern and all(re.search(pattern, value) for value in values) else {}),
        **({"enum": list(closed)} if closed and values <= set(closed) else {}),
    }


def _read(file: Path) -> pd.DataFrame:
    """A CSV as :func:`maps.export.write_csv` writes it; text stays text."""
    text = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    return pd.DataFrame({str(name): text[name] if name in TEXTS else _numbers(text[name]) for name in text})


def _numbers(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column)
    except ValueError:
        return column


def _kind(column: pd.Series) -> Kind:
    if pd.api.types.is_numeric_dtype(column):
        return "whole" if pd.api.types.is_integer_dtype(column) else "number"
    return "flag" if set(column.dropna()) and set(column.dropna()) <= {"true", "false"} else "text"


def _licences(about: About) -> list[dict[str, str]]:
    """Licences that have a name of their own, and what is under them."""
    held = {
        words: [source["title"] for source in about.sources if source.get("licence", "").startswith(words)]
        for words in NAMED
    }
    return [
        {"name": NAMED[words][0], "path": NAMED[words][1], "title": f"{words}: {'; '.join(titles)}"}
        for words, titles in held.items()
        if titles
    ]


def _source(source: Mapping[str, str]) -> dict[str, str]:
    path = source.get("url", "")
    rest = {name: value for name, value in source.items() if value and name not in ("title", "url")}
    return {"title": source["title"], **({"path": path} if WEB.fullmatch(path) else {}), **rest}
