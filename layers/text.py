"""Names, codes and numbers as official tables write them."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from geo.errors import CodeError, SchemaError, listed

PARTICLES = frozenset({"de", "del", "la", "las", "los", "el", "y", "e"})
NOTHING = frozenset({"-", "- 0", "-0"})
BLANK = frozenset({"", "nan", "none", "null", "na", "n/a"})
SPACES = r"\s+"
# A sign, digits in one piece or in groups of three set apart by one sign or a space, a decimal part, an exponent.
NUMBER = (
    r"-? ?(?=[\d{decimal}]*\d)(?:\d{{1,3}}(?:([{grouping} ])\d{{3}}(?:\1\d{{3}})*)|\d*)"
    r"(?:{decimal}\d*)?(?:[eE][+-]?\d+)?"
)


def fold(text: str) -> str:
    """Reduce a name to what survives accents, case, punctuation and remarks in parentheses.

    Parameters
    ----------
    text : str
        A name or a column heading.

    Returns
    -------
    str
        Lower-case ASCII words with single spaces.

    Examples
    --------
    >>> fold("Bojayá (Bellavista)")
    'bojaya'
    """
    bare = re.sub(r"\([^)]*\)?", " ", text)
    ascii_only = unicodedata.normalize("NFD", bare).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", ascii_only.lower()))


def title_es(text: str) -> str:
    """Write a capitalised official name as Spanish prints it.

    Parameters
    ----------
    text : str
        Such as ``SAN ANDRÉS DE TUMACO``.

    Returns
    -------
    str
        Such as ``San Andrés de Tumaco``; the first word keeps its capital.

    Examples
    --------
    >>> title_es("BOGOTÁ, D.C.")
    'Bogotá, D.C.'
    """
    capitalised = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), " ".join(text.split()))
    words = capitalised.split(" ")
    return " ".join([words[0], *(w.lower() if w.lower() in PARTICLES else w for w in words[1:])])


def clean_codes(texts: pd.Series, what: str, *, digits: int = 5) -> pd.Series:
    """Bring DIVIPOLA codes to text of fixed length: ``5001``, ``"5,001"`` and ``5001.0`` are ``05001``.

    Parameters
    ----------
    texts : Series of str
        Codes as a file writes them.
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
        If a code is not made of at most that many digits.
    """
    bare, good = _bare_codes(texts, digits)
    if not good.all():
        wrong = [f"{str(texts[row])!r} in row {row + 2}" for row in texts.index[~good]]
        raise CodeError(
            f"{what} must hold DIVIPOLA codes of {digits} digits; found {listed(wrong)}: correct or remove these rows"
        )
    return bare.str.zfill(digits).astype(object)


def are_codes(texts: pd.Series, *, digits: int = 5) -> pd.Series:
    """Which texts :func:`clean_codes` reads.

    Parameters
    ----------
    texts : Series of str
        Texts as a file writes them.
    digits : int, default 5
        Five for municipalities, two for departments.

    Returns
    -------
    Series of bool
        On the same index.
    """
    return _bare_codes(texts, digits)[1]


def _bare_codes(texts: pd.Series, digits: int) -> tuple[pd.Series, pd.Series]:
    """The digits of codes, and whether they are as many as a code has, a leading zero lost or not."""
    bare = texts.astype("string").fillna("").str.strip().str.strip("\"'").str.replace(r"\.0+$", "", regex=True)
    bare = bare.str.replace(r"^(\d{1,2}),(\d{3})$", r"\1\2", regex=True)
    return bare, bare.str.fullmatch(rf"\d{{{digits - 1},{digits}}}").astype(bool)


def parse_numbers(texts: pd.Series, what: str) -> pd.Series:
    """Read one column of numbers, and prove from its own digits which sign is the decimal one.

    ``1,088.9`` and ``1.088,9`` both occur in official tables, even in neighbouring columns of one file. A sign is the
    decimal sign where it is the last of two kinds (``1.088,9``), stands before other than three digits (``155,7``)
    or follows a lone zero (``0,125``); it groups thousands where it is repeated (``1.088.900``) or is the first of two
    kinds. The column is read by what its own values prove. ``-``, ``- 0`` and ``0`` are a measured zero, a blank is
    missing.

    Parameters
    ----------
    texts : Series of str
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
    exact = texts.map(lambda cell: isinstance(cell, (int, float)) and not isinstance(cell, bool)).astype(bool)
    bare = texts.mask(exact, "").astype("string").fillna("").str.replace(SPACES, " ", regex=True).str.strip()
    bare = bare.mask(bare.str.lower().isin(BLANK), "")
    numeric = bare.mask(bare.isin(NOTHING), "0")
    decimal = _decimal_sign(numeric[numeric.str.contains(r"[.,]", regex=True)], what)
    grouping = "," if decimal == "." else "."
    written = re.compile(NUMBER.format(decimal=re.escape(decimal), grouping=re.escape(grouping)))
    unread = (numeric != "") & ~numeric.str.fullmatch(written)
    if unread.any():
        raise SchemaError(f"{what} must hold numbers; found {listed(map(repr, bare[unread]))}: correct these cells")
    plain = numeric.str.replace(rf"[{grouping} ]", "", regex=True).str.replace(decimal, ".", regex=False)
    return pd.to_numeric(plain.mask(plain == "")).astype(float).where(~exact, pd.to_numeric(texts.where(exact)))


def _decimal_sign(texts: pd.Series, what: str) -> str:
    """The column's decimal sign: what its values prove, the point where no value has a sign at all."""
    decimal: dict[str, str] = {}
    unproven = ""
    for text in texts.unique():
        proof = _proof(text)
        decimal.setdefault(proof, text) if proof else None
        unproven = unproven or ("" if proof else text)
    if len(decimal) > 1:
        raise SchemaError(
            f"{what} must use one decimal sign; {decimal['.']!r} has a point and {decimal[',']!r} a comma: "
            "correct the column"
        )
    if unproven and not decimal:
        raise SchemaError(
            f"{what} must show which sign is decimal; {unproven!r} can be read both ways and no other value tells: "
            "write the numbers without thousands separators"
        )
    return next(iter(decimal), ".")


def _proof(text: str) -> str:
    """The sign that this value proves to be decimal, or nothing where it can be read both ways."""
    point, comma = text.count("."), text.count(",")
    if point and comma:
        return max(".,", key=text.rfind)
    sign, other = (".", ",") if point else (",", ".")
    if point + comma > 1:
        return other
    before, after = text.split(sign)
    return "" if len(after) == 3 and before.lstrip("-") not in {"", "0"} and len(before.lstrip("-")) <= 3 else sign
