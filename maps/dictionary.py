"""The data dictionary: every column of panel, municipalities and zones, from the code that makes it."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from layers import armed, coca, criteria, eradication, measures, people
from layers.sources import sources
from layers.tables import Absent, Spec
from layers.zones import COLUMNS as ZONES
from maps.export import COLUMNS, CONTRIBUTION

TABLE = Path(__file__).parent / "columns.toml"
SPECS = (coca.SPEC, eradication.SPEC, eradication.SPRAYING, armed.SPEC, people.POPULATION, people.HOMICIDES)
UNITS = {"_ha": "ha", "population": "people", "homicides": "homicides", "farc_events": "events"}
PLACES = (
    "code", "name", "department_code", "department", "area_km2", "lon", "lat", "point", "pdet_region", "pdet",
    "etcr", "reserve_share", "council_share", "park_share", "station_km", "geometry",
)  # fmt: skip
BY_CODE = ("code", "name", "department")
ABSENT = {Absent.ZERO: (), Absent.ZERO_IF_LISTED: ("never_listed",), Absent.MISSING: ("no_row",)}
INTRO = """# Data dictionary

Written by `scripts/data_dictionary.py` from the code that makes each column: change it there. A blank, a null and a NaN
all mean *not measured*; a zero was measured. A value is missing for one of the reasons that are stated, and for no
other. Defaults are those of `layers/zoning.toml`, as a settings file may write them. Sources stand below with vintage
and licence.
"""


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    name, meaning, unit : str
        In words.
    sources : tuple of str
        Ids of the sources it rests on; empty where it is computed from other columns.
    reasons : tuple of str
        Why a value is missing, by the names of ``columns.toml``: it is where any of them holds, and nowhere else.
    """

    name: str
    meaning: str
    unit: str
    sources: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def missing(self) -> str:
        """The reasons in words."""
        told = _facts()["reasons"]
        return "; or ".join(_meaning(told[reason]) for reason in self.reasons) or "never missing"


def years() -> list[Column]:
    """Columns of ``Panel.years``.

    Returns
    -------
    list of Column
        Index levels first.
    """
    return [_told("code"), _told("year"), *map(_yearly, SPECS)]


def places() -> list[Column]:
    """Columns of ``Panel.places``.

    Returns
    -------
    list of Column
        The index first.
    """
    return [_told(name) for name in PLACES]


def municipalities() -> list[Column]:
    """Columns of ``municipalities.geojson`` and ``scores.csv``, with one for all contributions.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    contributions = replace(_told("contribution"), name=f"{CONTRIBUTION}NAME")
    return [_told("code"), *map(_described, COLUMNS), contributions]


def zones() -> list[Column]:
    """Columns of ``zones.geojson``.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    own = _facts()["zones"]
    return [_column(name, own[name]) if name in own else _told(name) for name in ZONES]


def sites() -> list[Column]:
    """Columns of the sites that ``scripts/export.py`` writes.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    return [_column(name, fact) for name, fact in _facts()["sites"].items()]


def exported() -> list[Column]:
    """Columns that ``scripts/export.py`` adds to zones.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    return [_column(name, fact) for name, fact in _facts()["exported"].items()]


def changes() -> list[Column]:
    """Columns of ``changes.csv`` and ``changes.geojson``, with one of each kind of cause for all measures.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    first = [_told(column) for column in ("code", "name", "department_code", "department")]
    return [*first, *(_column(name, fact) for name, fact in _facts()["changes"].items())]


def by_cell(name: str) -> list[Column]:
    """Columns that a density layer brings.

    Parameters
    ----------
    name : {"added", "density", "enclaves", "cells"}
        What ``zone.py --density`` adds to ``municipalities.geojson``, or the files ``density.csv``,
        ``enclaves.geojson`` or ``cells.geojson`` of ``scripts/density.py``.

    Returns
    -------
    list of Column
        In the order of the file.
    """
    first = [_told(column) for column in BY_CODE] if name == "density" else []
    return [*first, *(_column(column, fact) for column, fact in _facts()[name].items())]


def markdown() -> str:
    """The dictionary as Markdown.

    Returns
    -------
    str
        Tables of columns, and of the sources that they name.
    """
    tables = {
        "`municipalities.geojson` and `scores.csv`: a row a municipality": municipalities(),
        "`zones.geojson`: a row a zone": zones(),
        "`municipalities.geojson` and `scores.csv` of a run with `--density` have these, too": by_cell("added"),
        "`density.csv`: a row a municipality, where a density layer was given": by_cell("density"),
        "`enclaves.geojson`: a row an enclave": by_cell("enclaves"),
        "`cells.geojson`: a row a cell": by_cell("cells"),
        "`zones`, as `scripts/export.py` writes them, have this, too": exported(),
        "`sites`, as `scripts/export.py` writes them: a row a site": sites(),
        "`changes.csv` and `changes.geojson`: a row a municipality": changes(),
        "`Panel.places`: a row a municipality": places(),
        "`Panel.years`: a row a municipality and year": years(),
    }
    parts = [f"## {title}\n\n{_rows(columns)}" for title, columns in tables.items()]
    named = {source for columns in tables.values() for column in columns for source in column.sources}
    return "\n".join([INTRO, *parts, _sources(named)])


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def _zoning() -> dict[str, Any]:
    return tomllib.loads(criteria.DEFAULTS.read_text(encoding="utf-8"))


def _described(name: str) -> Column:
    return _measured(name) if name in _facts()["measures"] else _told(name)


def _told(name: str) -> Column:
    return _column(name, _facts()["columns"][name])


def _measured(name: str) -> Column:
    """A measure: meaning from its docstring, unit from the registry."""
    told = (inspect.getdoc(getattr(measures, name)) or "").partition("\n")[0].rstrip(".")
    meaning = re.sub(r"(?::func:)?`+([^`]*)`+", r"`\1`", told)
    fact = _facts()["measures"][name]
    return _column(name, {"meaning": meaning, "unit": criteria.MEASURES[name].unit_en, **fact})


def _yearly(spec: Spec) -> Column:
    """A figure of a layer."""
    unit = next(unit for ending, unit in UNITS.items() if spec.value.endswith(ending))
    zeros = "" if spec.absent is Absent.MISSING else "; 0 where a year that is covered has no row"
    reasons = ("year_not_covered", "no_figure", *ABSENT[spec.absent])
    return Column(spec.value, spec.meaning + zeros, unit, (spec.source,), reasons)


def _column(name: str, fact: Mapping[str, Any]) -> Column:
    return Column(name, _meaning(fact), fact["unit"], tuple(fact["sources"]), tuple(fact["missing"]))


def _meaning(fact: Mapping[str, Any]) -> str:
    """What a table says, and the defaults of the settings that it rests on."""
    defaults = ", ".join(f"`{name} = {json.dumps(_default(name))}`" for name in fact.get("settings", ()))
    return f"{fact['meaning']} (by default {defaults})" if defaults else str(fact["meaning"])


def _default(setting: str) -> Any:
    section, _, name = setting.partition(".")
    return _zoning()[section][name]


def _rows(columns: Iterable[Column]) -> str:
    lines = [
        f"| `{c.name}` | {c.meaning} | {c.unit} | {', '.join(c.sources) or 'computed'} | {c.missing} |" for c in columns
    ]
    return "\n".join(["| column | meaning | unit | source | missing means |", "|---|---|---|---|---|", *lines, ""])


def _sources(named: set[str]) -> str:
    known = {name: source for name, source in sources().items() if name in named}
    lines = [f"| {name} | {s.title} | {s.publisher} | {s.vintage} | {s.licence} |" for name, s in known.items()]
    return "\n".join(
        ["## Sources\n", "| source | title | publisher | vintage | licence |", "|---|---|---|---|---|", *lines, ""]
    )
