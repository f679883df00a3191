"""Yearly municipal tables: what a layer declares of itself, and the one reader for all of them.

A file may be wide (a column a year), long (a row a municipality and year) or a register (a row an event). A table lists
what was measured, so that a year it does not name was not, and a blank cell is missing; a register lists what happened,
so that nothing happened in the years between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pandas as pd

from geo.errors import SchemaError, listed
from layers.divipola import refile
from layers.rawtable import find_column, need_column, read_codes, read_table
from layers.text import fold, parse_numbers

ATLAS = Path(__file__).parent / "atlas"
NAME_HEADINGS = ("municipio", "nom mpio", "name")
DEPARTMENT_HEADINGS = ("departamento", "nom dpto", "department")
YEAR_HEADINGS = ("year", "ano", "anio", "vigencia")
DATE_HEADINGS = ("fecha hecho", "fecha", "date")
YEAR = r"(?<!\d)((?:19|20)\d\d)(?!\d)"


class Absent(Enum):
    """What it means that a covered year has no row for a municipality."""

    ZERO = "none: the source covers the whole country and lists only where there was some"
    ZERO_IF_LISTED = "none where the municipality occurs in the source in any year, else not measured"
    MISSING = "not measured"


@dataclass(frozen=True)
class Spec:
    """What a yearly layer holds and how to find it in a file.

    Attributes
    ----------
    name : str
        Name of the layer and of its table in the atlas.
    value : str
        Name of the figure's column, with its unit.
    meaning : str
        One line that says what the figure is.
    source : str
        Id of its source in ``sources.toml``.
    absent : Absent
        What a missing row means.
    headings : tuple of str
        Folded headings under which the figure may stand.
    conserved : bool
        Whether no join may lose any of it.
    register : bool
        Whether the source lists events, to be added up by municipality and year. A file that is wide, or names the
        figure as ``value`` does, has been added up already and is read as a table.
    counted : bool
        Whether events have no figure of their own and are counted.
    kept : tuple of (str, str), optional
        Folded heading and folded value: rows with another value under that heading, if present, do not belong.
    integer : bool
        Whether figures are whole numbers.
    decimals : int
        Decimals with which the bundled table writes the figure.
    """

    name: str
    value: str
    meaning: str
    source: str
    absent: Absent
    headings: tuple[str, ...] = ()
    conserved: bool = False
    register: bool = False
    counted: bool = False
    kept: tuple[str, str] | None = None
    integer: bool = False
    decimals: int = 4


@dataclass(frozen=True)
class Layer:
    """A checked yearly table.

    Attributes
    ----------
    spec : Spec
        What it holds.
    frame : DataFrame
        Columns ``code`` (five digits), ``year`` (int) and the figure; sorted, each pair of code and year once. A row
        of a table that gives no figure is NaN.
    years : tuple of int
        The years that the source covers.
    path : Path
        The file that was read.
    notes : tuple of str
        What was repaired or left out, in words.
    """

    spec: Spec
    frame: pd.DataFrame
    years: tuple[int, ...]
    path: Path
    notes: tuple[str, ...] = field(default=())

    def total(self, year: int) -> float:
        """Sum of the figure over all municipalities in a year.

        Parameters
        ----------
        year : int
            A year.

        Returns
        -------
        float
            In the figure's unit; NaN where the source does not cover the year.
        """
        rows = self.frame.loc[self.frame["year"] == year, self.spec.value]
        return float(rows.sum()) if year in self.years else float("nan")


def load_yearly(spec: Spec, path: Path | None = None) -> Layer:
    """Read a layer from a file of any of the three forms, or from the bundled atlas.

    Parameters
    ----------
    spec : Spec
        The layer.
    path : Path, optional
        CSV (also gzipped; comma, semicolon or tab; UTF-8 or Latin-1) or XLSX. The bundled table if not given.

    Returns
    -------
    Layer
        The checked table.

    Raises
    ------
    SourceError
        If the file is missing or unreadable.
    SchemaError
        If a column is missing, a figure is no number or negative, or a municipality and year stand twice.
    CodeError
        If a code is malformed.
    """
    file = path or ATLAS / f"{spec.name}.csv"
    kept, left_out = _belonging(read_table(file), spec)
    codes, refiled = _codes(kept, file)
    long, register = _long(kept, codes, spec, file)
    _refuse_negative(long, spec, file)
    known = long[long[spec.value].notna()]
    if known.empty:
        raise SchemaError(f"{file.name} must hold at least one figure and holds none; give another file")
    blank = len(long) - len(known)
    without = f"{blank} {'events without a figure left out' if register else 'blank figures taken as not measured'}"
    frame = _added_up(known, spec) if register else _each_once(long, file)
    notes = (*left_out, *refiled, *((without,) if blank else ()))
    gapless = register or (spec.register and path is None)
    return Layer(spec, frame, _covered(known["year"], gapless=gapless), file, notes)


def _belonging(raw: pd.DataFrame, spec: Spec) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows that belong to the layer: of the eradication register, those of coca."""
    if spec.kept is None or (column := find_column(raw, (spec.kept[0],))) is None:
        return raw, ()
    belongs = raw[column].map(str).map(fold) == spec.kept[1]
    others = sorted(set(raw.loc[~belongs, column].map(str)))
    note = f"{(~belongs).sum()} rows of another {column} left out: {listed(others)}"
    return raw[belongs], (note,) if others else ()


def _codes(raw: pd.DataFrame, file: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """The codes, those of a namesake in another department corrected."""
    codes = read_codes(raw, file)
    name, department = find_column(raw, NAME_HEADINGS), find_column(raw, DEPARTMENT_HEADINGS)
    if file.parent == ATLAS or name is None or department is None:
        return codes, ()
    right = refile(codes, raw[name], raw[department])
    moved = [
        f"{place} ({of}) from {code} to {new}"
        for place, of, code, new in zip(raw[name], raw[department], codes, right, strict=True)
        if code != new
    ]
    return right, (f"{len(moved)} rows filed by name, not code: {listed(sorted(set(moved)))}",) if moved else ()


def _long(raw: pd.DataFrame, codes: pd.Series, spec: Spec, file: Path) -> tuple[pd.DataFrame, bool]:
    """The file as code, year and figure, a row for each row or cell of it, and whether it is a register."""
    own = spec.value.replace("_", " ")
    figure = find_column(raw, (own, *spec.headings))
    if figure is not None or spec.counted:
        values = pd.Series(1.0, index=raw.index) if figure is None else parse_numbers(raw[figure], _named(figure, file))
        long = pd.DataFrame({"code": codes, "year": _years(raw, file), spec.value: values})
        return long, spec.register and (figure is None or fold(figure) != own)
    wide = _year_columns(raw, file)
    if not wide:
        need_column(raw, (own, *spec.headings), "the figure, or one column for each year", file)
    columns = [
        pd.DataFrame({"code": codes, "year": year, spec.value: parse_numbers(raw[column], _named(column, file))})
        for year, column in sorted(wide.items())
    ]
    return pd.concat(columns, ignore_index=True), False


def _year_columns(raw: pd.DataFrame, file: Path) -> dict[int, str]:
    """Columns by the one year that their heading names: ``2020``, ``_2020``, ``2020 (ha)``, ``2020p``."""
    named = [(int(years[0]), str(column)) for column in raw if len(years := re.findall(YEAR, str(column))) == 1]
    columns: dict[int, str] = {}
    for year, column in named:
        if columns.setdefault(year, column) != column:
            raise SchemaError(
                f"{file.name} must have one column for {year}; found {columns[year]!r} and {column!r}: remove one"
            )
    return columns


def _named(column: str, file: Path) -> str:
    return f"column {column!r} of {file.name}"


def _years(raw: pd.DataFrame, file: Path) -> pd.Series:
    column = find_column(raw, YEAR_HEADINGS) or need_column(raw, DATE_HEADINGS, "the year or the date", file)
    years = raw[column].astype("string").str.extract(YEAR, expand=False)
    if years.isna().any():
        wrong = raw.loc[years.isna(), column]
        raise SchemaError(
            f"column {column!r} of {file.name} must hold years or dates; found {listed(map(repr, wrong))}"
        )
    return years.astype(int)


def _covered(years: pd.Series, *, gapless: bool) -> tuple[int, ...]:
    """The years that a file covers: of a register, also a bundled one, those between in which nothing happened too."""
    present = sorted({int(year) for year in years})
    return tuple(range(present[0], present[-1] + 1)) if gapless else tuple(present)


def _added_up(events: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    return events.groupby(["code", "year"], sort=True)[spec.value].sum().reset_index()


def _each_once(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The table sorted; it must not repeat itself."""
    keys = ["code", "year"]
    repeated = table.loc[table.duplicated(keys), keys].drop_duplicates()
    if len(repeated):
        pairs = [f"{code} in {year}" for code, year in repeated.to_numpy()]
        raise SchemaError(
            f"{file.name} must hold each municipality and year once; repeated: {listed(pairs)}: "
            "remove or add up these rows"
        )
    return table.sort_values(keys, ignore_index=True)


def _refuse_negative(long: pd.DataFrame, spec: Spec, file: Path) -> None:
    negative = long[long[spec.value] < 0]
    if len(negative):
        rows = [f"{code} in {year}: {value:g}" for code, year, value in negative.to_numpy()]
        raise SchemaError(f"{spec.value} in {file.name} must not be negative; found {listed(rows)}: correct these rows")
