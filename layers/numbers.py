"""Numbers as official tables write them: which sign is decimal is proved, by column, and never guessed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from geo.errors import SchemaError, listed
from layers.report import Finding, Kind, found

ZERO_MARKS = frozenset({"-", "- 0", "-0"})
BLANK = frozenset({"", "nan", "none", "null", "na", "n/a"})
SIGNS = (".", ",")
SPACES = r"\s+"
# A sign, digits in one piece or in groups of three set apart by one sign or a space, a decimal part, an exponent.
NUMBER = (
    r"-? ?(?=[\d{decimal}]*\d)(?:\d{{1,3}}(?:([{grouping} ])\d{{3}}(?:\1\d{{3}})*)|\d*)"
    r"(?:{decimal}\d*)?(?:[eE][+-]?\d+)?"
)
NEIGHBOURS = 2
# Two readings of 1,088 differ a thousandfold: one within a factor of ten of its neighbours leaves the other far off.
NEAR, FAR = 1.0, 2.0


def parse_numbers(cells: pd.Series, what: str) -> pd.Series:
    """Read one column of numbers, and prove from its own digits which sign is the decimal one.

    ``1,088.9`` and ``1.088,9`` both occur in official tables, even in neighbouring columns of one file. A sign is the
    decimal sign where it is the last of two kinds (``1.088,9``), stands before other than three digits (``155,7``)
    or follows a lone zero (``0,125``); it groups thousands where it is repeated (``1.088.900``) or is the first of two
    kinds. The column is read by what its own values prove. ``-``, ``- 0`` and ``0`` are a measured zero, a blank is
    missing.

    Parameters
    ----------
    cells : Series of str
        One column as the file writes it; cells that are numbers already are kept.
    what : str
        What the column is, for the message.

    Returns
    -------
    Series of float
        On the same index.

    Raises
    ------
    SchemaError
        If a value is no number, if values of the column contradict each other, or if nothing in the column proves
        how a value such as ``1,088`` is to be read.

    Examples
    --------
    >>> parse_numbers(pd.Series(["1.088,9", "155,7", "- 0"]), "2020").tolist()
    [1088.9, 155.7, 0.0]
    """
    decimal = decimal_sign(cells, what)
    if decimal is None:
        raise _unproven(cells, what)
    return _read(cells, decimal or ".", what)


def parse_columns(table: pd.DataFrame, file: str) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read the columns of a wide table, each in its own style.

    A column that proves nothing is read as its neighbours bear out: by the reading that lies near the same rows'
    figures in the columns beside it while the other is a hundredfold off. Where neither is, it is refused.

    Parameters
    ----------
    table : DataFrame of str
        Columns in the order in which they are neighbours.
    file : str
        Where it came from, for messages.

    Returns
    -------
    values : DataFrame of float
        The same shape and labels.
    findings : tuple of Finding
        Which columns have a decimal comma, which were read by their neighbours, and how many cells were zero marks.

    Raises
    ------
    SchemaError
        As :func:`parse_numbers` does.
    """
    columns = [str(column) for column in table]
    named = {column: f"column {column!r} of {file}" for column in columns}
    signs = {column: decimal_sign(table[column], what) for column, what in named.items()}
    proved = {c: _read(table[c], sign or ".", named[c]) for c, sign in signs.items() if sign is not None}
    lent = {c: _sign_by_neighbours(table, c, proved, named[c]) for c, sign in signs.items() if sign is None}
    values = proved | {column: _read(table[column], sign, named[column]) for column, sign in lent.items()}
    findings = _style_findings(table, {c: sign or "" for c, sign in signs.items()}, lent)
    return pd.DataFrame({column: values[column] for column in columns}, index=table.index), findings


def decimal_sign(cells: pd.Series, what: str) -> str | None:
    """Find the decimal sign that a column's own values prove.

    Parameters
    ----------
    cells : Series of str
        One column as the file writes it.
    what : str
        What the column is, for the message.

    Returns
    -------
    str or None
        ``"."`` or ``","``; empty where no value has either; None where the values can be read both ways.

    Raises
    ------
    SchemaError
        If values of the column contradict each other.
    """
    texts = _signed(cells)
    proofs = {proof: text for text in reversed(texts) if (proof := _proof(text))}
    if len(proofs) > 1:
        raise SchemaError(
            f"{what} must use one decimal sign; {proofs['.']!r} has a point and {proofs[',']!r} a comma: "
            "correct the column"
        )
    return next(iter(proofs), None if texts else "")


def _style_findings(table: pd.DataFrame, signs: dict[str, str], lent: dict[str, str]) -> tuple[Finding, ...]:
    """What the columns' styles were, and how many cells were marks for zero."""
    findings: list[Finding] = []
    for column, sign in (signs | lent).items():
        texts = table[column].astype("string").str.strip()
        commas = texts[texts.str.contains(",", regex=False, na=False)]
        if sign == ",":
            findings += found(Kind.REPAIRED, f"cells of column {column!r} read with a decimal comma", map(repr, commas))
        if column in lent:
            what = f"cells of column {column!r} that prove no decimal sign, read with {sign!r} as their neighbours are"
            findings += found(Kind.NOTED, what, map(repr, _signed(table[column])))
    marks = table.stack().astype("string").str.strip()
    findings += found(Kind.NOTED, "cells that mark a measured zero", marks[marks.isin(ZERO_MARKS)])
    return tuple(findings)


def _sign_by_neighbours(table: pd.DataFrame, column: str, proved: dict[str, pd.Series], what: str) -> str:
    """The reading that lies near the neighbouring columns' figures, where the other lies far from them."""
    order = list(table.columns)
    place = order.index(column)
    beside = [c for c in order[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS + 1] if c in proved]
    if not beside:
        raise _unproven(table[column], what)
    near = pd.DataFrame({c: proved[c] for c in beside}).where(lambda figures: figures > 0).median(axis=1)
    grouped = table[column].astype("string").str.contains(r"[.,]", regex=True, na=False)
    off = {sign: _distance(_read(table[column], sign, what)[grouped], near[grouped]) for sign in SIGNS}
    sign = min(off, key=lambda each: off[each])
    if not (off[sign] <= NEAR and max(off.values()) >= FAR):
        raise _unproven(table[column], what)
    return sign


def _distance(figures: pd.Series, near: pd.Series) -> float:
    """Median number of decimal places between figures and their neighbours; infinite where none can be compared."""
    ratio = (figures / near)[(figures > 0) & (near > 0)]
    return float(np.median(np.abs(np.log10(ratio)))) if len(ratio) else float("inf")


def _unproven(cells: pd.Series, what: str) -> SchemaError:
    return SchemaError(
        f"{what} must show which sign is decimal; {_signed(cells)[0]!r} can be read both ways and no other value "
        "tells: write the numbers without thousands separators"
    )


def _signed(cells: pd.Series) -> list[str]:
    """The different texts of a column that hold a point or a comma, in the order of the rows."""
    texts = _texts(cells)
    return list(texts[texts.str.contains(r"[.,]", regex=True)].unique())


def _texts(cells: pd.Series) -> pd.Series:
    """Cells as bare text; those that are numbers, and blanks, are empty."""
    texts = cells.mask(_exact(cells), "").astype("string").fillna("").str.replace(SPACES, " ", regex=True).str.strip()
    return texts.mask(texts.str.lower().isin(BLANK), "")


def _exact(cells: pd.Series) -> pd.Series:
    return cells.map(lambda cell: isinstance(cell, (int, float)) and not isinstance(cell, bool)).astype(bool)


def _read(cells: pd.Series, decimal: str, what: str) -> pd.Series:
    """The column under one reading."""
    bare = _texts(cells)
    numeric = bare.mask(bare.isin(ZERO_MARKS), "0")
    grouping = "," if decimal == "." else "."
    written = re.compile(NUMBER.format(decimal=re.escape(decimal), grouping=re.escape(grouping)))
    plain = numeric.str.replace(rf"[{grouping} ]", "", regex=True).str.replace(decimal, ".", regex=False)
    good = numeric.str.fullmatch(written) & np.isfinite(pd.to_numeric(plain, errors="coerce").astype(float))
    unread = (numeric != "") & ~good
    if unread.any():
        raise SchemaError(f"{what} must hold numbers; found {listed(map(repr, bare[unread]))}: correct these cells")
    exact = _exact(cells)
    return pd.to_numeric(plain.mask(plain == "")).astype(float).where(~exact, pd.to_numeric(cells.where(exact)))


def _proof(text: str) -> str:
    """The sign that this value proves to be decimal, or nothing where it can be read both ways."""
    point, comma = text.count("."), text.count(",")
    if point and comma:
        return max(SIGNS, key=text.rfind)
    sign, other = (".", ",") if point else (",", ".")
    if point + comma > 1:
        return other
    before, after = text.split(sign)
    digits = before.replace(" ", "").lstrip("-")
    return "" if len(after) == 3 and digits not in {"", "0"} and len(digits) <= 3 else sign
