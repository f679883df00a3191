"""DIVIPOLA codes as official files write them."""

from __future__ import annotations

import re

import pandas as pd

from geo.errors import CodeError, listed
from layers.report import Finding, Kind, found

# fmt: off
DEPARTMENTS = frozenset({
    "05", "08", "11", "13", "15", "17", "18", "19", "20", "23", "25", "27", "41", "44", "47", "50", "52", "54", "63",
    "66", "68", "70", "73", "76", "81", "85", "86", "88", "91", "94", "95", "97", "99",
})
# fmt: on
QUOTES = "\"'"
# Each form, the digits that it means, and what is said of a cell that was written so.
FORMS = (
    (r"(\d+)\.0+", r"\1", "codes written as decimals"),
    (r"(\d{1,2}),(\d{3})", r"\1\2", "codes written with a thousands separator"),
    (r"(\d{1,2})-(\d{3})", r"\1\2", "codes written with a hyphen"),
)
PLACE = r"(?:{})\d{{6}}".format("|".join(sorted(DEPARTMENTS)))
PADDED = "codes that had lost their leading zero"
KEPT = "codes with a leading zero, which the workbook keeps as text; where it is lost, it is put back"
CUT = "codes of populated places cut to the municipality's"


def clean_codes(cells: pd.Series, what: str, *, digits: int = 5) -> pd.Series:
    """Bring DIVIPOLA codes to text of fixed length.

    ``5001``, ``"5,001"``, ``5001.0``, ``5-001`` and the populated place ``05001000`` are all ``05001``.

    Parameters
    ----------
    cells : Series of str
        Codes as a file writes them; the index counts its rows from 0.
    what : str
        What the codes are, for the message.
    digits : int, default 5
        Five for municipalities, two for departments.

    Returns
    -------
    Series of str
        On the same index.

    Raises
    ------
    CodeError
        If a cell holds no code; the message shows it with its row in the file.
    """
    codes = read_codes(cells, digits=digits)
    missing = codes.isna()
    if missing.any():
        wrong = [f"{str(cells[row])!r} in row {row + 2}" for row in cells.index[missing]]
        raise CodeError(
            f"{what} must hold DIVIPOLA codes of {digits} digits; found {listed(wrong)}: correct or remove these rows"
        )
    return codes


def read_codes(cells: pd.Series, *, digits: int = 5) -> pd.Series:
    """Bring to text of fixed length what is a code, as :func:`clean_codes` does, and leave the rest missing.

    Parameters
    ----------
    cells : Series of str
        Codes as a file writes them.
    digits : int, default 5
        Five for municipalities, two for departments.

    Returns
    -------
    Series of str
        On the same index; missing where a cell holds no code.
    """
    bare = _bare(cells)
    read = {text: _code(text, digits) for text in bare.unique()}
    return pd.Series([read[text] for text in bare], index=cells.index, name=cells.name, dtype=object)


def code_findings(cells: pd.Series) -> tuple[Finding, ...]:
    """Say which forms of codes a column held beside the plain one.

    Parameters
    ----------
    cells : Series of str
        Codes as a file writes them; cells that hold none are passed over.

    Returns
    -------
    tuple of Finding
        One for each form, with examples.
    """
    codes = read_codes(cells)
    known = codes.notna()
    bare = _bare(cells[known])
    written = [(bare.str.fullmatch(form), what) for form, _, what in FORMS]
    digits = bare.str.replace(r"\.0+$|\D", "", regex=True)
    written += [(digits.str.len() == 4, PADDED), (digits.str.len() > 5, CUT)]
    pairs = cells[known].astype(str) + " -> " + codes[known]
    return tuple(finding for mask, what in written for finding in found(Kind.REPAIRED, what, pairs[mask.astype(bool)]))


def padded_findings(cells: pd.Series) -> tuple[Finding, ...]:
    """Say that a workbook keeps codes with a leading zero as text, which other tools take for numbers.

    Parameters
    ----------
    cells : Series of str
        Codes as a workbook holds them.

    Returns
    -------
    tuple of Finding
        One, or none where no code begins with a zero.
    """
    bare = _bare(cells)
    return found(Kind.NOTED, KEPT, bare[bare.str.fullmatch(r"0\d{4}")])


def _code(text: str, digits: int) -> str | None:
    for form, meant, _ in FORMS:
        text = re.sub(f"^{form}$", meant, text)
    place = text.zfill(8) if len(text) == 7 else text
    if digits == 5 and re.fullmatch(PLACE, place):
        return place[:digits]
    return text.zfill(digits) if re.fullmatch(rf"[0-9]{{{digits - 1},{digits}}}", text) else None


def _bare(cells: pd.Series) -> pd.Series:
    return cells.astype("string").fillna("").str.strip().str.strip(QUOTES).str.strip()
