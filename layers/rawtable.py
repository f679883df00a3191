"""A published table as it stands in its file, and its columns found by what they are called and hold."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from geo.errors import SchemaError, SourceError, listed
from layers.text import are_codes, clean_codes, fold

CODE_HEADINGS = (
    "code", "codigo", "codmpio", "cod mpio", "cod muni", "municipio code", "divipola", "cod dane", "codigo dane",
    "codigo municipio", "mpio ccnct", "mpio cdpmp", "cod municipio", "codigo divipola",
)  # fmt: skip
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = ",;\t"


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with its cells as they are written.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv`` or ``.txt`` (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252), also gzipped, or
        ``.xlsx``, of which the first sheet is read.

    Returns
    -------
    DataFrame of str
        Headings as in the file; blank cells are empty text. Cells that a workbook holds as numbers stay numbers. The
        index counts the file's rows below the headings from 0, so that a row keeps its place when others are left out.

    Raises
    ------
    SourceError
        If the file is missing or cannot be read as a table.
    SchemaError
        If two columns have one heading.
    """
    if not path.is_file():
        raise SourceError(
            f"{path} must be a file and is {'a folder' if path.is_dir() else 'not there'}; check the path"
        )
    try:
        raw = path.read_bytes()
        if raw.startswith(OLD_WORKBOOK):
            raise ValueError("it is a workbook of Excel 97-2003")
        rows = _sheet(raw) if path.suffix.lower() == ".xlsx" else _lines(_decoded(raw, path))
        headings, cells = _header(rows)
    except (
        OSError, ValueError, EOFError, KeyError, csv.Error, zlib.error, zipfile.BadZipFile, InvalidFileException,
    ) as cause:  # fmt: skip
        raise SourceError(f"{path} must be a readable CSV or XLSX table: {cause}; export it again") from cause
    _refuse_repeated(headings, path)
    return pd.DataFrame(cells.values(), index=list(cells), columns=headings, dtype=object)


def find_column(table: pd.DataFrame, headings: tuple[str, ...]) -> str | None:
    """Find the column whose folded heading is one of those given, the first of them preferred.

    Parameters
    ----------
    table : DataFrame
        Any table.
    headings : tuple of str
        Folded headings, best first.

    Returns
    -------
    str or None
        The heading as the table writes it.
    """
    return next(iter(_columns(table, headings)), None)


def need_column(table: pd.DataFrame, headings: tuple[str, ...], what: str, file: Path) -> str:
    """Find a column as :func:`find_column` does, or say that it is missing.

    Parameters
    ----------
    table : DataFrame
        Any table.
    headings : tuple of str
        Folded headings, best first.
    what : str
        What the column holds, for the message.
    file : Path
        Where the table came from, for the message.

    Returns
    -------
    str
        The heading as the table writes it.

    Raises
    ------
    SchemaError
        If there is no such column.
    """
    column = find_column(table, headings)
    if column is None:
        raise SchemaError(
            f"{file.name} must have a column with {what} (such as {listed(headings, most=3)}); "
            f"its columns are {listed(table.columns, most=12)}: rename the one that holds it"
        )
    return column


def read_codes(table: pd.DataFrame, file: Path) -> pd.Series:
    """Find and clean the column of municipality codes.

    Several columns may be called a code, some of them holding the last three digits only: the first is taken of those
    that hold codes, or the first of all, whose cells the error then shows.

    Parameters
    ----------
    table : DataFrame
        Any table.
    file : Path
        Where the table came from, for the message.

    Returns
    -------
    Series of str
        Five-digit codes on the table's index.

    Raises
    ------
    SchemaError
        If there is no column of codes.
    CodeError
        If a code is malformed.
    """
    first = need_column(table, CODE_HEADINGS, "the municipality's DIVIPOLA code", file)
    column = next((name for name in _columns(table, CODE_HEADINGS) if are_codes(table[name]).all()), first)
    return clean_codes(table[column], f"column {column!r} of {file.name}")


def _columns(table: pd.DataFrame, headings: tuple[str, ...]) -> list[str]:
    """The columns of these headings, best first."""
    folded: dict[str, str] = {}
    for column in table.columns:
        folded.setdefault(fold(str(column)), str(column))
    return [folded[heading] for heading in headings if heading in folded]


def _decoded(raw: bytes, path: Path) -> str:
    if path.suffix.lower() == ".gz":
        raw = gzip.decompress(raw)
    if raw.startswith(UTF_16):
        return raw.decode("utf-16")
    if b"\0" in raw:
        raise ValueError("it is no text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _lines(text: str) -> dict[int, list[object]]:
    """Cells by the line on which their row ends."""
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    numbered = ((reader.line_num, row) for row in reader)
    return {line: list(row) for line, row in numbered if row}


def _sheet(raw: bytes) -> dict[int, list[object]]:
    """Cells of a workbook's first sheet by the number of their row."""
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    rows = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
    return {number: [_cell(value) for value in row] for number, row in rows if any(cell is not None for cell in row)}


def _cell(value: object) -> object:
    """A workbook's cell: a number, or text."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _header(rows: dict[int, list[object]]) -> tuple[list[str], dict[int, list[object]]]:
    """Headings, and below them cells by place; columns that have neither heading nor cells are left out."""
    if not rows:
        raise ValueError("it is empty")
    first, *rest = rows
    width = len(rows[first])
    long = [f"row {number} has {len(rows[number])}" for number in rest if len(rows[number]) > width]
    if long:
        raise ValueError(f"its headings are {width} and {listed(long, most=3)}")
    padded = {number - first - 1: rows[number] + [""] * (width - len(rows[number])) for number in rest}
    used = [n for n, heading in enumerate(rows[first]) if heading != "" or any(row[n] != "" for row in padded.values())]
    headings = [str(rows[first][n]).strip() for n in used]
    return headings, {place: [row[n] for n in used] for place, row in padded.items()}


def _refuse_repeated(headings: list[str], path: Path) -> None:
    repeated = sorted({heading for heading in headings if headings.count(heading) > 1})
    if repeated:
        raise SchemaError(
            f"{path.name} must have each heading once; repeated: {listed(map(repr, repeated))}: rename or remove one"
        )
