"""A published table as it stands in its file, and its columns found by what they are called and hold."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from geo.errors import SchemaError, SourceError, listed
from layers.codes import read_codes
from layers.divipola import municipalities
from layers.text import fold

CODE_HEADINGS = (
    "code", "codigo", "codmpio", "cod mpio", "cod muni", "municipio code", "divipola", "cod dane", "codigo dane",
    "codigo municipio", "mpio ccnct", "mpio cdpmp", "cod municipio", "codigo divipola",
)  # fmt: skip
KNOWN_SHARE = 0.9  # of the codes of a column, to be taken for one whatever it is called
CODE_MEANING = "the municipality's DIVIPOLA code"
# Limits that the largest official table (144,016 events, 10 MB) stays far below and a decompression bomb does not.
LARGEST = 64 * 1024**2  # bytes, packed or unpacked
LONGEST_LINE = 1_000_000  # characters
MOST_CELLS = 8_000_000
BOMB_RATIO, BOMB_BYTES = 60, 8 * 1024**2  # of a workbook: unpacked over packed, where it unpacks to so much
SEPARATORS = ",;\t"
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What the readers of the standard library and openpyxl raise for bytes that are not what they should be.
MALFORMED = (
    OSError, ValueError, TypeError, AttributeError, LookupError, EOFError, RecursionError, OverflowError, MemoryError,
    NotImplementedError, SyntaxError, csv.Error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, InvalidFileException,
)  # fmt: skip


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with its cells as they are written.

    Parameters
    ----------
    path : Path
        Separated text (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) or the open-data portal's JSON, also
        gzipped, or ``.xlsx``, of which the first sheet is read.

    Returns
    -------
    DataFrame of str
        Headings as in the file; blank cells are empty text; cells that a workbook or JSON holds as numbers stay so.
        The index counts the file's rows below the headings from 0, so that a row keeps its place when others go.

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
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes")
        headings, cells = _header(_rows(path.read_bytes(), path))
    except MALFORMED as cause:
        said = " ".join(str(cause).split())[:200] or type(cause).__name__
        raise SourceError(f"{path} must be a readable CSV, JSON or XLSX table: {said}; export it again") from cause
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


def code_column(table: pd.DataFrame, file: Path) -> str:
    """Find the column of municipality codes by what columns are called and by what they hold.

    Of columns that are called a code, some may hold the last three digits only: the first is taken of those whose
    cells are codes. Where none is called so, the only column is taken that holds codes of municipalities. Where
    neither serves, it is the first that is called a code, so that an error can show what it holds.

    Parameters
    ----------
    table : DataFrame
        Any table.
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
    called = _columns(table, CODE_HEADINGS)
    holding = [column for column in called if read_codes(table[column]).notna().all()]
    if called:
        return (holding or called)[0]
    by_value = columns_of_codes(table)
    return by_value[0] if len(by_value) == 1 else need_column(table, CODE_HEADINGS, CODE_MEANING, file)


def columns_of_codes(table: pd.DataFrame) -> list[str]:
    """Find the columns that hold codes, whatever they are called.

    Parameters
    ----------
    table : DataFrame
        Any table.

    Returns
    -------
    list of str
        Columns all of whose cells are codes, nine in ten of them DIVIPOLA's; those that are called codes come first.
    """
    holding = [str(column) for column in table if _hold_codes(table[column])]
    return sorted(holding, key=lambda column: fold(column) not in CODE_HEADINGS)


def _hold_codes(cells: pd.Series) -> bool:
    """Whether cells are codes of municipalities, not just numbers of four or five digits."""
    codes = read_codes(cells)
    known = codes.isin(municipalities().index)
    return len(codes) > 0 and bool(codes.notna().all()) and bool(known.mean() >= KNOWN_SHARE)


def _columns(table: pd.DataFrame, headings: tuple[str, ...]) -> list[str]:
    """The columns of these headings, best first."""
    folded: dict[str, str] = {}
    for column in table.columns:
        folded.setdefault(fold(str(column)), str(column))
    return [folded[heading] for heading in headings if heading in folded]


def _rows(raw: bytes, path: Path) -> dict[int, list[object]]:
    """Cells by the number of their row, the headings first."""
    if raw.startswith(OLD_WORKBOOK):
        raise ValueError("it is a workbook of Excel 97-2003")
    if raw.startswith(ZIP) or path.suffix.lower() == ".xlsx":
        return _sheet(raw)
    text = _decoded(_unpacked(raw) if path.suffix.lower() == ".gz" or raw.startswith(GZIP) else raw)
    return _records(text) if text.lstrip()[:1] in {"[", "{"} else _lines(text)


def _unpacked(raw: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
        whole = packed.read(LARGEST + 1)
    if len(whole) > LARGEST:
        raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
    return whole


def _decoded(raw: bytes) -> str:
    if raw.startswith(UTF_16):
        return raw.decode("utf-16")
    if b"\0" in raw:
        raise ValueError("it is no text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _lines(text: str) -> dict[int, list[object]]:
    """Cells of separated text by the line on which their row ends."""
    separator = max(SEPARATORS, key=text.lstrip().partition("\n")[0].count)
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        raise ValueError(f"a line has more than {LONGEST_LINE:,} characters")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    numbered = ((reader.line_num, row) for row in reader)
    return _limited((line, list[object](row)) for line, row in numbered if row)


def _limited(rows: Iterable[tuple[int, list[object]]]) -> dict[int, list[object]]:
    """The rows, as long as they have no more cells than a table has."""
    kept: dict[int, list[object]] = {}
    cells = 0
    for number, row in rows:
        kept[number] = row
        cells += len(row)
        if cells > MOST_CELLS:
            raise ValueError(f"it has more than {MOST_CELLS:,} cells")
    return kept


def _records(text: str) -> dict[int, list[object]]:
    """Cells of the portal's JSON: a list of records, or the bulk form with its columns described under ``meta``."""
    if sum(map(text.count, "[{,")) > MOST_CELLS:
        raise ValueError(f"it has more than {MOST_CELLS:,} cells")
    data = json.loads(text)
    if isinstance(data, dict):
        headings = [str(column["fieldName"]) for column in data["meta"]["view"]["columns"]]
        rows = [list(map(_value, row)) for row in data["data"]]
        return dict(enumerate([list[object](headings), *rows], start=1))
    if not all(isinstance(record, dict) for record in data):
        raise ValueError("its records must be objects with named fields")
    fields = list(dict.fromkeys(field for record in data for field in record))
    rows = [[_value(record.get(field)) for field in fields] for record in data]
    return dict(enumerate([list[object](fields), *rows], start=1))


def _sheet(raw: bytes) -> dict[int, list[object]]:
    """Cells of a workbook's first sheet by the number of their row."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > LARGEST or size > max(BOMB_BYTES, BOMB_RATIO * len(raw)):
        raise ValueError(f"it would unpack from {len(raw):,} to {size:,} bytes")
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    if not book.worksheets:
        raise ValueError("it has no sheet of cells")
    rows = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
    return _limited((number, list(map(_value, row))) for number, row in rows if any(cell is not None for cell in row))


def _value(cell: object) -> object:
    """A cell that its file gives a type: a number, or text."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, (dict, list)):
        return json.dumps(cell, ensure_ascii=False)
    return cell if isinstance(cell, (int, float)) and not isinstance(cell, bool) else str(cell)


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
