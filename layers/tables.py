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
from layers.codes import clean_codes, code_findings, padded_findings, read_codes
from layers.divipola import refile
from layers.numbers import parse_columns
from layers.rawtable import code_column, find_column, need_column, read_table
from layers.report import Finding, Kind, Report, found
from layers.text import fold

ATLAS = Path(__file__).parent / "atlas"
NAME_HEADINGS = ("municipio", "nom mpio", "name")
DEPARTMENT_HEADINGS = ("departamento", "nom dpto", "department")
YEAR_HEADINGS = ("year", "ano", "anio", "vigencia")
DATE_HEADINGS = ("fecha hecho", "fecha", "date")
YEAR = r"(?<!\d)((?:19|20)\d\d)(?!\d)"
COMPACT_DATE = r"^((?:19|20)\d\d)(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$"
STRAY = "rows whose code is no municipality's"
NAMESAKE = "rows filed by name, since their code is a namesake's in another department (a duplicate key there)"
NO_FIGURE = "events without a figure"
BLANK_CELL = "blank cells taken as not measured"


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
    strays : bool
        Whether rows whose code is no municipality's are left out and reported, rather than refused.
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
    strays: bool = False
    counted: bool = False
    kept: tuple[tuple[str, ...], str] | None = None
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
    report : Report
        What was repaired or left out, and totals a year.
    """

    spec: Spec
    frame: pd.DataFrame
    years: tuple[int, ...]
    path: Path
    report: Report = field(default_factory=Report)

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
        Any table that :func:`layers.rawtable.read_table` reads; the bundled one if not given.

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
    return _bundled(spec) if path is None else _read(spec, path)


def _bundled(spec: Spec) -> Layer:
    """The atlas's own table, which was checked when it was built, without a second search for what may be wrong."""
    file = ATLAS / f"{spec.name}.csv"
    frame = pd.read_csv(file, dtype={"code": object, spec.value: float})
    report = Report(len(frame), len(frame), totals=_totals(frame, spec))
    return Layer(spec, frame, _covered(frame["year"], gapless=spec.register), file, report)


def _totals(table: pd.DataFrame, spec: Spec) -> dict[int, float]:
    totals = table.groupby("year")[spec.value].sum()
    return dict(zip(totals.index.astype(int).tolist(), totals.astype(float).tolist(), strict=True))


def _read(spec: Spec, file: Path) -> Layer:
    raw = read_table(file)
    kept, findings = _belonging(raw, spec)
    codes, coded = _codes(kept, spec, file)
    long, register, read = _long(kept.loc[codes.index], codes, spec, file)
    _refuse_negative(long, spec, file)
    known = long[long[spec.value].notna()]
    if known.empty:
        raise SchemaError(f"{file.name} must hold at least one figure and holds none; give another file")
    blank = [f"{code} in {year}" for code, year in long.loc[long[spec.value].isna(), ["code", "year"]].to_numpy()]
    without = found(*((Kind.LEFT_OUT, NO_FIGURE) if register else (Kind.NOTED, BLANK_CELL)), blank)
    frame = _added_up(known, spec) if register else _each_once(long, file)
    kept_rows = len(known) if register else len(codes)
    report = Report(len(raw), kept_rows, (*findings, *coded, *read, *without), _totals(known, spec))
    return Layer(spec, frame, _covered(known["year"], gapless=register), file, report)


def _belonging(raw: pd.DataFrame, spec: Spec) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The rows that belong to the layer: of the eradication register, those of coca."""
    if spec.kept is None or (column := find_column(raw, spec.kept[0])) is None:
        return raw, ()
    belongs = raw[column].map(str).map(fold) == spec.kept[1]
    return raw[belongs], found(Kind.LEFT_OUT, f"rows of another {column}", raw.loc[~belongs, column])


def _codes(raw: pd.DataFrame, spec: Spec, file: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    """The codes, those of namesakes corrected; strays are left out where a layer may have any."""
    cells = raw[column := code_column(raw, file)]
    codes = read_codes(cells) if spec.strays else clean_codes(cells, f"column {column!r} of {file.name}")
    stray = codes.isna()
    right, refiled = _refiled(raw[~stray], codes[~stray], file)
    padded = padded_findings(cells) if file.suffix.lower() == ".xlsx" else ()
    return right, (*code_findings(cells), *padded, *found(Kind.LEFT_OUT, STRAY, map(repr, cells[stray])), *refiled)


def _refiled(raw: pd.DataFrame, codes: pd.Series, file: Path) -> tuple[pd.Series, tuple[Finding, ...]]:
    name, department = find_column(raw, NAME_HEADINGS), find_column(raw, DEPARTMENT_HEADINGS)
    if file.parent == ATLAS or name is None or department is None:
        return codes, ()
    right = refile(codes, raw[name], raw[department])
    moved = [
        f"{place} ({of}) from {code} to {new}"
        for place, of, code, new in zip(raw[name], raw[department], codes, right, strict=True)
        if code != new
    ]
    return right, found(Kind.REPAIRED, NAMESAKE, moved)


def _long(
    raw: pd.DataFrame, codes: pd.Series, spec: Spec, file: Path
) -> tuple[pd.DataFrame, bool, tuple[Finding, ...]]:
    """The file as code, year and figure, a row for each row or cell of it, and whether it is a register."""
    own = spec.value.replace("_", " ")
    figure = find_column(raw, (own, *spec.headings))
    if figure is not None:
        figures, findings = parse_columns(raw[[figure]], file.name)
        long = pd.DataFrame({"code": codes, "year": _years(raw, file), spec.value: figures[figure]})
        return long, spec.register and fold(figure) != own, findings
    if spec.counted:
        return pd.DataFrame({"code": codes, "year": _years(raw, file), spec.value: 1.0}), True, ()
    wide = _year_columns(raw, file)
    if not wide:
        need_column(raw, (own, *spec.headings), "the figure, or one column for each year", file)
    figures, findings = parse_columns(raw[[wide[year] for year in sorted(wide)]], file.name)
    columns = [pd.DataFrame({"code": codes, "year": year, spec.value: figures[wide[year]]}) for year in sorted(wide)]
    return pd.concat(columns, ignore_index=True), False, findings


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


def _years(raw: pd.DataFrame, file: Path) -> pd.Series:
    """The one year that a cell names: ``2018-03-04``, ``04/03/2018``, ``20180304``, ``4 de mayo de 2018``."""
    column = find_column(raw, YEAR_HEADINGS) or need_column(raw, DATE_HEADINGS, "the year or the date", file)
    cells = raw[column].astype("string").str.strip().str.replace(COMPACT_DATE, r"\1", regex=True)
    named = cells.str.findall(YEAR)
    wrong = raw.loc[named.map(lambda years: len(set(years)) != 1), column]
    if len(wrong):
        raise SchemaError(
            f"column {column!r} of {file.name} must hold years or dates; found {listed(map(repr, wrong))}: "
            "correct these cells"
        )
    return named.str[0].astype(int)


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
