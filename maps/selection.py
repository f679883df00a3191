"""Which municipalities go into an export: conditions as a planner writes them, ``department=Nariño``, ``rank<=20``."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.errors import ConfigError, listed
from layers.text import fold

TERM = re.compile(r"\s*(?P<no>!|not\s+)?(?P<name>\w+)\s*(?:(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.+?))?\s*", re.I)
ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ANY = "any"
FLAGS = {"true": True, "yes": True, "1": True, "si": True, "false": False, "no": False, "0": False}
HINT = "write department=Nariño, zone=Z52835, rank<=20, vacated, or !pdet"


@dataclass(frozen=True)
class Term:
    """One condition on municipalities.

    Attributes
    ----------
    text : str
        As it was written.
    name : str
        The column.
    sign : str
        ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``; empty for a flag.
    values : tuple of str
        What it is held against; any of them may be met.
    """

    text: str
    name: str
    sign: str
    values: tuple[str, ...]

    def met(self, table: pd.DataFrame) -> pd.Series:
        """Which municipalities meet it.

        Parameters
        ----------
        table : DataFrame
            Index ``code``; the columns of ``scores.csv``.

        Returns
        -------
        Series of bool
            By code; a missing value meets nothing, not even ``!=``.

        Raises
        ------
        ConfigError
            If there is no such column, or it does not hold such values.
        """
        column = _column(self, table)
        if pd.api.types.is_bool_dtype(column):
            return self._flag(column)
        if not self.sign:
            raise self._wrong(f"{self.name} is no flag", f"add =, < or > and a value: {HINT}")
        if pd.api.types.is_numeric_dtype(column):
            return self._number(column)
        return self._text(column, table)

    def _flag(self, column: pd.Series) -> pd.Series:
        wanted = {FLAGS.get(fold(value)) for value in self.values}
        if self.sign in ORDER or None in wanted:
            raise self._wrong(f"{self.name} is a flag", f"write {self.name}, or {self.name}=false")
        found = column.isin([value for value in wanted if value is not None])
        return ~found if self.sign == "!=" else found

    def _number(self, column: pd.Series) -> pd.Series:
        try:
            numbers = [float(value) for value in self.values]
        except ValueError as cause:
            raise self._wrong(f"{self.name} holds numbers", "write them with a decimal point") from cause
        if self.sign in ORDER:
            if len(numbers) > 1:
                raise self._wrong(f"{self.sign} takes one number", "write it with a decimal point, as in score>=0.5")
            return pd.Series(column.notna() & ORDER[self.sign](column, numbers[0]))
        return column.notna() & (column.isin(numbers) == (self.sign == "="))

    def _text(self, column: pd.Series, table: pd.DataFrame) -> pd.Series:
        if self.sign in ORDER:
            raise self._wrong(f"{self.name} holds text", f"write {self.name}= and the text")
        if ANY in map(fold, self.values):
            return column.notna() == (self.sign == "=")
        folded = column.map(fold, na_action="ignore")
        known = set(folded.dropna())
        also = table["department_code"] if self.name == "department" else folded
        known |= set(also.dropna())
        named = _whole(self.values, known)
        strange = [value for value in named if fold(value) not in known]
        if strange:
            raise self._wrong(f"no municipality has {self.name} {listed(strange)}", _close(strange[0], column))
        wanted = {fold(value) for value in named}
        found = folded.isin(wanted) | also.isin(wanted)
        return column.notna() & (found == (self.sign == "="))

    def _wrong(self, found: str, hint: str) -> ConfigError:
        return ConfigError(f"--select {self.text!r} must be a condition on municipalities; {found}: {hint}")


def parse(text: str) -> Term:
    """Read a condition.

    Parameters
    ----------
    text : str
        ``NAME=VALUE``, several values parted by commas, any of which may be met; ``!=``, ``<``, ``<=``, ``>`` or ``>=``
        likewise; or ``NAME`` or ``!NAME`` of a flag. A department goes by name or code; ``zone=any`` is any zone.

    Returns
    -------
    Term
        The condition.

    Raises
    ------
    ConfigError
        If it is none.
    """
    found = TERM.fullmatch(text)
    if found is None or (found["no"] and found["sign"]):
        raise ConfigError(f"--select must be a condition on municipalities; found {text!r}: {HINT}")
    if found["sign"] is None:
        return Term(text, found["name"], "", ("false" if found["no"] else "true",))
    return Term(text, found["name"], found["sign"], tuple(value.strip() for value in found["value"].split(",")))


def chosen(table: pd.DataFrame, terms: Sequence[Term]) -> pd.Index:
    """The municipalities that meet every condition.

    Parameters
    ----------
    table : DataFrame
        Index ``code``; the columns of ``scores.csv``.
    terms : sequence of Term
        Conditions; with none, all municipalities.

    Returns
    -------
    Index
        Codes, in the order of the table.

    Raises
    ------
    ConfigError
        If a condition does not fit the table, or none of its rows meets all of them.
    """
    kept = pd.Series(True, index=table.index)
    for term in terms:
        kept &= term.met(table)
    if terms and not kept.any():
        raise ConfigError(
            f"--select must leave some municipality; none meets {listed([term.text for term in terms])} together: "
            "loosen a condition"
        )
    return table.index[kept]


def _column(term: Term, table: pd.DataFrame) -> pd.Series:
    if term.name == "code":
        return table.index.to_series()
    if term.name in table:
        return table[term.name]
    close = difflib.get_close_matches(term.name, ["code", *map(str, table.columns)], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else HINT
    raise ConfigError(f"--select {term.text!r} must name a column of scores.csv; it has no {term.name!r}: {hint}")


def _whole(values: Sequence[str], known: Collection[str]) -> list[str]:
    """Values put together again where a comma is part of a name, as in Bogotá, D.C."""
    whole, at = [], 0
    while at < len(values):
        runs = (", ".join(values[at:end]) for end in range(len(values), at, -1))
        found = next((run for run in runs if fold(run) in known), values[at])
        whole.append(found)
        at += found.count(",") + 1
    return whole


def _close(value: str, column: pd.Series) -> str:
    """What was meant: a name that has it in it, as San Andrés de Tumaco has Tumaco, or else one written much alike."""
    names = sorted({fold(each) for each in column.dropna()})
    within = [name for name in names if fold(value) and fold(value) in name]
    close = within or difflib.get_close_matches(fold(value), names, n=1)
    named = [each for each in column.dropna() if close and fold(each) == close[0]]
    return f"did you mean {named[0]}?" if named else "see scores.csv"
