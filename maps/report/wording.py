"""The report's sentences in one language, with figures and names as parts of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, ClassVar, TypeAlias

from layers import explanations
from maps.report.numbers import Figure
from maps.standalone import asset


@dataclass(frozen=True)
class Name:
    """What something is called: a place, a source, a file.

    Attributes
    ----------
    text : str
        The name.
    """

    text: str
    kind: ClassVar[str] = "name"


Part: TypeAlias = "str | Figure | Name"
Said: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes
    ----------
    said : tuple
        Its parts.
    number : bool
        Whether figures stand below it.
    """

    said: Said
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table, the first cell of each row being the row's head.

    Attributes
    ----------
    name : str
        How the style sheet calls it.
    caption : tuple
        What it shows.
    heads : tuple of Head
        The columns.
    rows : tuple of tuple
        Cells, each of parts.
    """

    name: str
    caption: Said
    heads: tuple[Head, ...]
    rows: tuple[tuple[Said, ...], ...]


class Texts:
    """The texts of ``report.json`` in one language.

    Parameters
    ----------
    lang : str
        ``es`` or ``en``.
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.known: dict[str, Any] = _languages()[lang]
        self.words = explanations.words(lang)

    def __getitem__(self, key: str) -> str:
        """A text without figures."""
        return str(self.known[key])

    def of(self, table: str, key: str) -> str:
        """What a word is called in this language.

        Parameters
        ----------
        table : str
            A table of words.
        key : str
            The word.

        Returns
        -------
        str
            The word itself where the table lacks it.
        """
        return str(self.known[table].get(key, key))

    def say(self, key: str, **values: Part | Said) -> Said:
        """Fill in a sentence.

        Parameters
        ----------
        key : str
            Its name.
        **values : str, Figure, Name or parts
            What it speaks of.

        Returns
        -------
        tuple
            Its parts in order.
        """
        parts: list[Part] = []
        for literal, field, _, _ in Formatter().parse(self[key]):
            parts += [literal] if literal else []
            if field is not None:
                value = values[field]
                parts += value if isinstance(value, tuple) else [value]
        return tuple(parts)

    def counted(self, key: str, count: Figure, **values: Part | Said) -> Said:
        """Fill in a sentence that has a form for one and a form for more.

        Parameters
        ----------
        key : str
            Its name, without ``_one`` or ``_many``.
        count : Figure
            What is counted, ``{count}`` in the sentence.
        **values : str, Figure, Name or parts
            What else it speaks of.

        Returns
        -------
        tuple
            Its parts in order.
        """
        return self.say(f"{key}_{'one' if count.value == 1 else 'many'}", count=count, **values)

    def named(self, names: Sequence[str]) -> Said:
        """Names as a sentence joins them.

        Parameters
        ----------
        names : sequence of str
            At least one.

        Returns
        -------
        tuple
            One part.
        """
        return (Name(self.words.series(list(names))),)

    def plain(self, parts: Iterable[Part]) -> str:
        """A sentence as text alone, for those who do not see the picture beside it.

        Parameters
        ----------
        parts : iterable
            Its parts.

        Returns
        -------
        str
            The text.
        """
        return "".join(part if isinstance(part, str) else part.text or self["no_data"] for part in parts)


@cache
def _languages() -> dict[str, dict[str, Any]]:
    languages: dict[str, dict[str, Any]] = json.loads(asset("report.json"))
    return languages
