"""Every error that Presencia raises on purpose.

The tree::

    PresenciaError
    ├── SourceError        a file is missing, unreadable or not of its declared form
    ├── SchemaError        a column is missing, or holds what it must not
    ├── CodeError          codes that are malformed, repeated or unknown
    ├── GeometryError      a CRS is missing, or shapes are invalid or no coverage
    ├── ConservationError  a join would lose or invent hectares
    ├── ConfigError        settings that contradict themselves or name the unknown
    └── OutputError        results that cannot be written

A message says what was expected, what was found (which codes or rows) and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


class PresenciaError(Exception):
    """Base of all errors of the toolkit; scripts print it in one line and exit with 2."""


class SourceError(PresenciaError):
    """A source file is missing, unreadable or not of its declared form."""


class SchemaError(PresenciaError):
    """A table lacks a column, or a column holds what it must not."""


class CodeError(PresenciaError):
    """Codes are malformed, repeated or unknown."""


class GeometryError(PresenciaError):
    """A CRS is missing, or shapes are invalid or do not form a coverage."""


class ConservationError(PresenciaError):
    """A join or an aggregation would lose or invent a quantity that is conserved."""


class ConfigError(PresenciaError):
    """Settings contradict themselves or name something unknown."""


class OutputError(PresenciaError):
    """Results cannot be written."""


def listed(items: Iterable[object], *, most: int = 8) -> str:
    """Join the first few items for a message, and count the rest.

    Parameters
    ----------
    items : iterable
        What to list, in the order given.
    most : int, default 8
        How many to spell out.

    Returns
    -------
    str
        ``"05001, 05002 and 3 more"``.

    Examples
    --------
    >>> listed(["05001", "05002", "05004"], most=2)
    '05001, 05002 and 1 more'
    """
    texts = [str(item) for item in items]
    shown = ", ".join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"
