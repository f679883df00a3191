"""Settings in TOML: what a planner's file changes over the defaults, and errors that quote its lines."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from geo.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LARGEST = 1e9
LONGEST = 60  # characters of a value or a line that a message quotes
# Tables whose names the planner chooses.
OPEN = frozenset({"locked_in", "locked_out", "judgements"})
# A year, or "latest".
FREE = frozenset({("years", "reference")})

Section = TypeVar("Section", bound="DataclassInstance")
Keys = tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A file of settings as it was written, for errors that quote it.

    Attributes
    ----------
    name : str
        Name of the file.
    lines : tuple of str
        Its lines.
    """

    name: str
    lines: tuple[str, ...] = ()

    def at(self, *keys: str) -> str:
        """Where a setting stands.

        Parameters
        ----------
        *keys : str
            Names of the tables that it is in, and its own.

        Returns
        -------
        str
            ``my.toml line 3 [measures.coca_ha] ('weight = -1')``; no line where the file does not write it out.
        """
        tables = f" [{'.'.join(keys[:-1])}]" if keys[1:] else ""
        for number, (path, line) in enumerate(zip(_paths(self.lines), self.lines, strict=True), start=1):
            if path == keys:
                return f"{self.name} line {number}{tables} ({_short(line.split('#')[0].strip())})"
        return f"{self.name}{tables} {keys[-1]}"


def read(path: Path) -> tuple[dict[str, Any], Text]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    table : dict
        What it says.
    text : Text
        How it says it.

    Raises
    ------
    SourceError
        If it is missing or cannot be read.
    ConfigError
        If it is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), Text(path.name, tuple(text.splitlines()))
    except OSError as cause:
        raise SourceError(
            f"{path} must be a file of settings and cannot be read ({cause.strerror}); check --config"
        ) from cause
    except ValueError as cause:
        raise ConfigError(f"{path} must be TOML: {cause}; correct that line") from cause


def overlay(base: Mapping[str, Any], change: Mapping[str, Any], text: Text, keys: Keys = ()) -> dict[str, Any]:
    """The base with the values that a change gives; names that the base lacks are refused.

    Parameters
    ----------
    base : mapping
        The defaults.
    change : mapping
        What a planner's file says.
    text : Text
        That file.
    keys : tuple of str
        The table that both are.

    Returns
    -------
    dict
        Every setting.

    Raises
    ------
    ConfigError
        If a name is unknown, or a value of another form than the default.
    """
    merged = dict(base)
    for name, value in change.items():
        here = (*keys, name)
        if keys and keys[0] in OPEN and name not in base:
            merged[name] = value
            continue
        if name not in base:
            raise ConfigError(f"{text.at(*here)}: there is no {name!r}{nearest(name, base)}")
        if here not in FREE and _form(base[name]) != _form(value):
            raise ConfigError(f"{text.at(*here)}: {name} must be {_form(base[name])}; found {_short(value)}")
        merged[name] = overlay(base[name], value, text, here) if isinstance(value, dict) else value
    return merged


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that a wrong one is nearest to, or list those there are.

    Parameters
    ----------
    name : str
        The wrong name.
    known : iterable of str
        Those that exist.

    Returns
    -------
    str
        The end of an error message.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; it knows {', '.join(names)}"


def section(kind: type[Section], entry: Mapping[str, Any], text: Text, *keys: str) -> Section:
    """A table as its dataclass, each value of the declared kind.

    Parameters
    ----------
    kind : type
        A dataclass with fields of type ``int``, ``float``, ``bool``, ``str`` or ``tuple[str, ...]``.
    entry : mapping
        The table.
    text : Text
        The planner's file.
    *keys : str
        Names of the tables that it is in, and its own.

    Returns
    -------
    dataclass
        The values.

    Raises
    ------
    ConfigError
        If one is of another kind, negative, or beyond a billion.
    """
    values = {
        field.name: _value(entry[field.name], str(field.type), text, (*keys, field.name)) for field in fields(kind)
    }
    return kind(**values)


def number(value: Any, text: Text, *keys: str, whole: bool = False) -> float | int:
    """A number from 0 to a billion.

    Parameters
    ----------
    value : object
        What was given.
    text : Text
        The planner's file.
    *keys : str
        Where it stands.
    whole : bool, default False
        Whether it must be whole.

    Returns
    -------
    float or int
        The number; int where it must be whole.

    Raises
    ------
    ConfigError
        If it is none.
    """
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST
    if not right:
        raise ConfigError(
            f"{text.at(*keys)}: {keys[-1]} must be a {'whole ' if whole else ''}number from 0 to {LARGEST:g}; "
            f"found {_short(value)}"
        )
    return value if whole else float(value)


def choice(value: Any, known: Sequence[str], text: Text, *keys: str) -> str:
    """One of several names.

    Parameters
    ----------
    value : object
        What was given.
    known : sequence of str
        The names.
    text : Text
        The planner's file.
    *keys : str
        Where it stands.

    Returns
    -------
    str
        The name.

    Raises
    ------
    ConfigError
        If it is none of them; the message suggests the nearest.
    """
    if value not in known:
        raise ConfigError(f"{text.at(*keys)}: {keys[-1]} has no {_short(value)}{nearest(str(value), known)}")
    return str(value)


def _value(value: Any, kind: str, text: Text, keys: Keys) -> Any:
    if kind in {"int", "float"}:
        return number(value, text, *keys, whole=kind == "int")
    if kind == "tuple[str, ...]":
        wrong = [item for item in value if not isinstance(item, str)]
        if wrong:
            raise ConfigError(f"{text.at(*keys)}: {keys[-1]} must be a list of texts; found {_short(wrong[0])}")
        return tuple(value)
    return value


def _form(value: Any) -> str:
    forms = {dict: "a table", str: "a text", bool: "true or false", list: "a list"}
    return forms.get(type(value), "a number")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _paths(lines: Sequence[str]) -> list[Keys]:
    """For each line of a TOML file the table or setting that it begins, as names; empty for others."""
    table: Keys = ()
    paths: list[Keys] = []
    for line in lines:
        written = line.strip()
        if written.startswith("["):
            table = _names(written.split("]")[0].lstrip("["))
            paths.append(table)
        elif "=" in written and not written.startswith("#"):
            paths.append((*table, *_names(written.split("=")[0])))
        else:
            paths.append(())
    return paths


def _names(dotted: str) -> Keys:
    """The names of a dotted key, quotes taken away; empty where it is none."""
    try:
        table: Any = tomllib.loads(f"{dotted.strip()} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    names: list[str] = []
    while isinstance(table, dict):
        name, table = next(iter(table.items()))
        names.append(name)
    return tuple(names)
