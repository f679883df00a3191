r"""Tables for spreadsheets: CSV, and a workbook of all datasets with their columns explained.

A spreadsheet can run text as a formula. A workbook says of each cell that it is text; CSV cannot, so there such text
begins with an apostrophe, which :func:`unguarded` takes away again.
"""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.errors import OutputError, listed
from maps.formats.dataset import Dataset, Field, Kind, Lang
from maps.formats.geojson import as_of

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

APOSTROPHE = "'"
# What spreadsheets take for the start of a formula (OWASP, CSV injection); Excel reads the fullwidth forms alike.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
GDAL_TYPES: Mapping[Kind, str] = {
    "text": "String",
    "whole": "Integer64",
    "number": "Real",
    "flag": "Integer(Boolean)",
}
MOST_ROWS = 1_048_575  # Excel's 2^20, one of which holds the names
MOST_TEXT = 32_767  # UTF-16 units in a cell of Excel
YEAR = "year"  # 2020, not 2,020
NARROWEST, WIDEST, LOOKED_AT = 8, 40, 200  # characters, and rows whose text gives the width
NOTE = {"x_scale": 2.5, "y_scale": 1.5}
FIELD_SHEET = {"es": "campos", "en": "fields"}
ABOUT_SHEET = {"es": "acerca", "en": "about"}
FIELD_HEADS = {
    "es": (
        "tabla",
        "columna",
        "alias",
        "unidad",
        "tipo",
        "significado (en inglés)",
        "falta cuando (en inglés)",
        "fuentes",
    ),
    "en": ("table", "column", "alias", "unit", "kind", "meaning", "missing where", "sources"),
}
FIELD_WIDTHS = (16, 30, 44, 14, 14, 70, 50, 30)
KINDS: Mapping[Lang, Mapping[Kind, str]] = {
    "es": {"text": "texto", "whole": "número entero", "number": "número", "flag": "sí o no"},
    "en": {"text": "text", "whole": "whole number", "number": "number", "flag": "true or false"},
}
TABLE_HEADS = {
    "es": ("tabla", "título", "a fecha de", "filas", "SHA-256 de run.json"),
    "en": ("table", "title", "as of", "rows", "SHA-256 of run.json"),
}
CAVEAT_HEADS = {"es": ("n.º", "para tener en cuenta"), "en": ("no.", "to keep in mind")}
SOURCE_HEADS = {
    "es": ("fuente", "título", "editor", "licencia", "vigencia", "dirección"),
    "en": ("source", "title", "publisher", "licence", "vintage", "address"),
}
CREDIT = ("id", "title", "publisher", "licence", "vintage", "url")
ABOUT_WIDTHS = (24, 70, 36, 30, 66, 60)


def guarded(text: str) -> str:
    """Text that no spreadsheet runs: one apostrophe before what begins like a formula, apostrophes put aside.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        The same, or with one apostrophe more.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1+1"), guarded("'tis")
    ("'=1+1", "''=1+1", "'tis")
    """
    return f"{APOSTROPHE}{text}" if FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that :func:`guarded` was given.

    Parameters
    ----------
    text : str
        A cell of a CSV that :func:`write_csv` wrote.

    Returns
    -------
    str
        The same, or with one apostrophe fewer.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("'tis")
    ('=1+1', "'=1+1", "'tis")
    """
    return text[1:] if text.startswith(APOSTROPHE) and FORMULA.match(text) else text


def write_csv(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    r"""Write a table as CSV, and beside it a ``.csvt`` that tells GDAL and QGIS its types, so that codes stay text.

    UTF-8 with a byte order mark, by which Excel knows it; commas, ``\n``, quotes only where needed; flags are ``true``
    and ``false``, and blank is missing. Excel set to decimal commas takes it through *Data, From text*; a workbook
    opens anywhere.

    Parameters
    ----------
    data : Dataset
        Its shapes are left out.
    path : Path
        The file to write.
    lang : {"es", "en"}, default "es"
        Without effect: a CSV has names alone.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in data.fields)
        writer.writerows(_rows(data))
    types = ",".join(f'"{GDAL_TYPES[field.kind]}"' for field in data.fields)
    path.with_suffix(".csvt").write_text(types + "\n", encoding="utf-8", newline="\n")


def write_xlsx(datasets: Sequence[Dataset], path: Path, *, lang: Lang = "es") -> None:
    """Write a workbook: a sheet a dataset, one of all their columns, and one of what they are.

    Names of columns are those of every format; a note on each has its alias. Text is text, whatever it begins with;
    flags are booleans; an empty cell is missing.

    Parameters
    ----------
    datasets : sequence of Dataset
        Their shapes are left out.
    path : Path
        The file to write.
    lang : {"es", "en"}, default "es"
        Language of notes and of the sheets that explain.

    Raises
    ------
    OutputError
        If a dataset has more rows, or a cell more text, than Excel holds; or the file cannot be written.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import XlsxWriterException

    for data in datasets:
        _check(data)
    book = Workbook(path)
    if datasets:
        book.set_properties(_properties(datasets, lang))
    styles = _styles(book)
    for data in datasets:
        _fill(book.add_worksheet(data.name), styles, data, lang)
    _explain(book.add_worksheet(FIELD_SHEET[lang]), styles, datasets, lang)
    _tell(book.add_worksheet(ABOUT_SHEET[lang]), styles, datasets, lang)
    try:
        book.close()
    except XlsxWriterException as cause:
        raise OutputError(f"{path} could not be written ({cause}): choose another folder with --out") from cause


def values(column: pd.Series) -> list[Any]:
    """The values of a column as plain Python.

    Parameters
    ----------
    column : Series
        Of a dataset.

    Returns
    -------
    list
        Of str, int, float or bool; None where it is missing.
    """
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _styles(book: Workbook) -> dict[str, Format]:
    """Formats of cells; text stays text when it is typed over, and a formula's likeness when the cell is left again."""
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "num_format": "@"}),
        "text": book.add_format({"num_format": "@"}),
        "formula": book.add_format({"num_format": "@", "quote_prefix": True}),
        "words": book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0"}),
        "year": book.add_format({"num_format": "0"}),
        "number": book.add_format(),
        "flag": book.add_format(),
    }


def _fill(sheet: Worksheet, styles: Mapping[str, Format], data: Dataset, lang: Lang) -> None:
    for place, field in enumerate(data.fields):
        column = values(data.table[field.name])
        style = styles["year" if YEAR in (field.name, field.unit) else field.kind]
        sheet.set_column(place, place, _width(field, column), style)
        sheet.write_string(0, place, field.name, styles["head"])
        sheet.write_comment(0, place, _note(field, lang), NOTE)
        for row, value in enumerate(column, start=1):
            if value is not None:
                _write(sheet, (row, place), value, styles["formula"] if _runs(value) else style)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(data.table), len(data.fields) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(data.table) + 1}"})


def _write(sheet: Worksheet, cell: tuple[int, int], value: Any, style: Format) -> None:
    if isinstance(value, str):
        sheet.write_string(*cell, value, style)
    elif isinstance(value, bool):
        sheet.write_boolean(*cell, value, style)
    else:
        sheet.write_number(*cell, value, style)


def _explain(sheet: Worksheet, styles: Mapping[str, Format], datasets: Sequence[Dataset], lang: Lang) -> None:
    """The columns of all sheets."""
    rows = [
        (data.name, field.name, field.alias(lang), field.unit_in(lang), KINDS[lang][field.kind], field.meaning,
         field.missing, ", ".join(field.sources))
        for data in datasets
        for field in data.fields
    ]  # fmt: skip
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(rows), len(FIELD_WIDTHS) - 1)
    _blocks(sheet, styles, [[FIELD_HEADS[lang], *rows]], FIELD_WIDTHS)


def _tell(sheet: Worksheet, styles: Mapping[str, Format], datasets: Sequence[Dataset], lang: Lang) -> None:
    """What the datasets are, what to keep in mind, and whence they come; what several share, once."""
    caveats = dict.fromkeys(text for data in datasets for text in data.about.caveats(lang))
    sources = {source["id"]: source for data in datasets for source in data.about.sources}
    tables = [
        (data.name, data.about.title(lang), as_of(data), str(len(data.table)), data.about.run) for data in datasets
    ]
    blocks: list[Sequence[Sequence[str]]] = [
        [TABLE_HEADS[lang], *tables],
        [CAVEAT_HEADS[lang], *((str(number), text) for number, text in enumerate(caveats, start=1))],
        [SOURCE_HEADS[lang], *(tuple(source.get(key, "") for key in CREDIT) for source in sources.values())],
    ]
    _blocks(sheet, styles, blocks, ABOUT_WIDTHS)


def _blocks(
    sheet: Worksheet, styles: Mapping[str, Format], blocks: Iterable[Sequence[Sequence[str]]], widths: Sequence[int]
) -> None:
    """Tables of words one below the other, a blank row between; the first row of each names its columns."""
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    row = 0
    for block in blocks:
        for number, texts in enumerate(block):
            for place, text in enumerate(texts):
                sheet.write_string(row, place, text, styles["words" if number else "head"])
            row += 1
        row += 1


def _check(data: Dataset) -> None:
    table = data.table
    if len(table) > MOST_ROWS:
        raise OutputError(
            f"a sheet holds at most {MOST_ROWS:,} rows; {data.name} has {len(table):,}: choose rows with --select, "
            "or another format"
        )
    long = [
        f"row {row} of {field.name}"
        for field in data.fields
        if field.kind == "text"
        for row, value in enumerate(values(table[field.name]), start=1)
        if value is not None and len(value) > MOST_TEXT // 2 and len(value.encode("utf-16-le")) // 2 > MOST_TEXT
    ]
    if long:
        raise OutputError(
            f"a cell holds at most {MOST_TEXT:,} characters; {data.name} has more in {listed(long)}: "
            "write it to another format"
        )


def _properties(datasets: Sequence[Dataset], lang: Lang) -> dict[str, Any]:
    """What a workbook says of itself; its date is that of the figures, so that the same run gives the same bytes."""
    about = datasets[0].about
    caveats = dict.fromkeys(text for data in datasets for text in data.about.caveats(lang))
    return {
        "title": "; ".join(data.about.title(lang) for data in datasets),
        "author": "Presencia",
        "comments": "\n".join(caveats),
        "created": datetime.datetime(about.year, 12, 31),
    }


def _rows(data: Dataset) -> Iterator[tuple[str | int | float | None, ...]]:
    return zip(*([_cell(value) for value in values(data.table[field.name])] for field in data.fields), strict=True)


def _cell(value: str | bool | int | float | None) -> str | int | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(value) if isinstance(value, str) else value


def _runs(value: object) -> bool:
    return isinstance(value, str) and FORMULA.match(value) is not None


def _width(field: Field, column: Sequence[object]) -> int:
    shown = [len(str(value)) for value in column[:LOOKED_AT] if value is not None]
    return min(max([NARROWEST, len(field.name) + 3, *shown]), WIDEST)


def _note(field: Field, lang: Lang) -> str:
    return "\n".join(part for part in (field.alias(lang), field.meaning) if part)
