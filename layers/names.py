"""From the name of a municipality and its department to its code, forgiving what official files get wrong.

Accents, case, punctuation, articles, spaces, remarks and one wrong letter are forgiven; known other names stand in two
reviewed tables. Between two candidates nothing is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from geo.errors import CodeError, listed
from layers.divipola import departments, municipalities
from layers.text import fold

ALIASES = Path(__file__).parent / "name_aliases.csv"
BOUNDARY_ALIASES = Path(__file__).parent / "boundary_aliases.csv"
ARTICLES = frozenset({"el", "la", "los", "las", "de", "del", "y", "e"})
REMARK = re.compile(r" (?:cor departamental|corregimiento departamental|area no municipalizada|anm|c ?d|c ?t)$")
DEPARTMENT_NAMES = {
    "valle": "76", "norte santander": "54", "n de santander": "54", "norte de s der": "54", "guajira": "44",
    "san andres y providencia": "88", "san andres": "88", "san andres islas": "88", "san andres providencia": "88",
    "archipielago de san andres providencia y santa catalina": "88", "bogota": "11", "santafe de bogota": "11",
    "santa fe de bogota": "11", "santafe de bogota d c": "11", "santa fe de bogota d c": "11", "distrito capital": "11",
}  # fmt: skip
EXACT, ALIAS, LOOSE, LETTER = "exact", "known other name", "articles or spaces", "one letter"
CONFIDENCE = {EXACT: 1.0, ALIAS: 0.95, LOOSE: 0.9, LETTER: 0.7}


@dataclass(frozen=True)
class Match:
    """What a name was taken for.

    Attributes
    ----------
    code : str
        The municipality's code; empty where nothing was chosen.
    confidence : float
        1 for the name as DIVIPOLA has it, 0.95 for another name of the reviewed tables, 0.9 where articles or spaces
        differ, 0.7 where one letter does; 0 where nothing was chosen.
    how : str
        Which of these it was.
    candidates : tuple of str
        Codes between which nothing was chosen.
    """

    code: str
    confidence: float
    how: str
    candidates: tuple[str, ...] = ()


def match(name: str, department: str) -> Match:
    """Find the municipality of a name.

    Parameters
    ----------
    name, department : str
        As a file writes them.

    Returns
    -------
    Match
        The code, how sure it is and why.

    Raises
    ------
    CodeError
        If the department is unknown, no municipality of it bears such a name, or several might.
    """
    best = _resolve(name, department)
    if best.code:
        return best
    known = municipalities()["name"]
    between = listed(f"{code} {known[code]}" for code in best.candidates)
    what = f"{best.how}: {between}" if between else best.how
    raise CodeError(f"{name!r} in {department!r} must name one municipality; {what}: correct it or give its code")


def match_all(names: pd.Series, departments_: pd.Series) -> pd.DataFrame:
    """Find the municipalities of many names.

    Parameters
    ----------
    names, departments_ : Series of str
        On one index.

    Returns
    -------
    DataFrame
        On that index: ``code`` (missing where nothing was chosen), ``confidence``, ``how`` and ``candidates`` (tuple of
        codes).
    """
    found = [_resolve(str(name), str(department)) for name, department in zip(names, departments_, strict=True)]
    columns = {
        "code": pd.Series([each.code or None for each in found], index=names.index, dtype=object),
        "confidence": [each.confidence for each in found],
        "how": [each.how for each in found],
        "candidates": [each.candidates for each in found],
    }
    return pd.DataFrame(columns, index=names.index)


@cache
def _resolve(name: str, department: str) -> Match:
    place = _department(department)
    key = _key(name)
    if place is None:
        return Match("", 0.0, "the department is unknown")
    if code := _names(EXACT, place).get(key):
        return Match(code, CONFIDENCE[EXACT], EXACT)
    if code := _names(ALIAS, place).get(key):
        return Match(code, CONFIDENCE[ALIAS], ALIAS)
    near = _near(_compact(key), place)
    loose = _loose(place).get(_bare(key), frozenset())
    return _only(loose | (near if loose else frozenset()), LOOSE) if loose else _only(near, LETTER)


def _only(codes: frozenset[str], how: str) -> Match:
    """The one code, or none where there are none or several."""
    if len(codes) == 1:
        return Match(next(iter(codes)), CONFIDENCE[how], how)
    return Match("", 0.0, "several may be meant" if codes else "none is called so", tuple(sorted(codes)))


def _key(name: str) -> str:
    return REMARK.sub("", fold(name))


def _compact(key: str) -> str:
    return key.replace(" ", "")


def _bare(key: str) -> str:
    """The key without articles and spaces."""
    return "".join(word for word in key.split() if word not in ARTICLES)


def _department(text: str) -> str | None:
    """The two digits of a department, whose name may have one wrong letter."""
    key = fold(text)
    known = {fold(name): code for code, name in departments().items()} | DEPARTMENT_NAMES
    if key in known:
        return known[key]
    near = {code for name, code in known.items() if _one_edit(_compact(key), _compact(name))}
    return near.pop() if len(near) == 1 else None


@cache
def _names(kind: str, department: str) -> dict[str, str]:
    """Names of a department's municipalities, or what else rows of that department are known to be called."""
    if kind == EXACT:
        table = municipalities()
        own = table[table["department_code"] == department]
        return dict(zip(own["name"].map(_key), own.index, strict=True))
    rows = _aliases()
    own = rows[rows["department"].map(_department_exactly) == department]
    return dict(zip(own["name"].map(_key), own["code"], strict=True))


@cache
def _aliases() -> pd.DataFrame:
    """Both reviewed tables: former and common names, and what geoBoundaries calls its rows."""
    tables = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in (ALIASES, BOUNDARY_ALIASES)]
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["code"] != ""]


def _department_exactly(text: str) -> str | None:
    known = {fold(name): code for code, name in departments().items()}
    return known.get(fold(text))


@cache
def _loose(department: str) -> dict[str, frozenset[str]]:
    """Codes by names without articles and spaces."""
    return _gathered((_bare(name), code) for name, code in _every(department))


@cache
def _neighbourhood(department: str) -> dict[str, frozenset[str]]:
    """Names by themselves and by each text that lacks one of their letters.

    Two texts that differ by one letter, or by two that changed places, share one of these.
    """
    names = {_compact(name) for name, _ in _every(department)}
    return _gathered((lacking, name) for name in names for lacking in _lacking(name))


def _near(text: str, department: str) -> frozenset[str]:
    """Codes of the names that differ from a text by one letter."""
    shared = _neighbourhood(department)
    names = {name for lacking in _lacking(text) for name in shared.get(lacking, ())}
    codes = _gathered((_compact(name), code) for name, code in _every(department))
    return frozenset(code for name in names if _one_edit(text, name) for code in codes[name])


def _every(department: str) -> list[tuple[str, str]]:
    return [*_names(EXACT, department).items(), *_names(ALIAS, department).items()]


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    sets: dict[str, set[str]] = {}
    for key, value in pairs:
        sets.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in sets.items()}


def _lacking(text: str) -> set[str]:
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def _one_edit(left: str, right: str) -> bool:
    """Whether texts differ by no more than one letter too many, missing or wrong, or two that changed places."""
    start = next((n for n, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return abs(len(left) - len(right)) <= 1
    a, b = left[start:], right[start:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped
