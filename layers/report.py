"""What a loader did to a file: rows read and kept, what it repaired, what it set aside and why, totals a year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

from geo.errors import listed

EXAMPLES = 8

Frame_co = TypeVar("Frame_co", covariant=True)


class Kind(Enum):
    """What was done to the rows of a finding."""

    REPAIRED = "repaired"
    LEFT_OUT = "left out"
    NOTED = "noted"


@dataclass(frozen=True)
class Finding:
    """One thing that a loader found in a file.

    Attributes
    ----------
    kind : Kind
        Whether rows were repaired, left out, or are as they were and a reader must know.
    what : str
        How they were repaired, or why they were left out, in words that follow the number of rows.
    count : int
        How many rows, cells or shapes.
    examples : tuple of str
        The first few, as the file writes them.
    """

    kind: Kind
    what: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The finding in one line."""
        shown = f": {listed(self.examples)}" if self.examples else ""
        more = " ..." if len(self.examples) == EXAMPLES and self.count > EXAMPLES else ""
        return f"{self.count:,} {self.what}{shown}{more}"


@dataclass(frozen=True)
class Report:
    """What a loader did to a file.

    Attributes
    ----------
    read, kept : int
        Rows (or shapes) of the file, and those whose figures are in the frame.
    findings : tuple of Finding
        In the order in which the loader met them.
    totals : mapping of int to float
        Sum of the figure by year, in its unit; empty where a layer has no years.
    """

    read: int = 0
    kept: int = 0
    findings: tuple[Finding, ...] = ()
    totals: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Report:
        """The report that :meth:`as_dict` wrote.

        Parameters
        ----------
        plain : mapping
            As ``run.json`` keeps it.

        Returns
        -------
        Report
            The same.
        """
        findings = (Finding(Kind(f["kind"]), f["what"], f["count"], tuple(f["examples"])) for f in plain["findings"])
        totals = {int(year): total for year, total in plain["totals"].items()}
        return cls(plain["rows_read"], plain["rows_kept"], tuple(findings), totals)

    @property
    def short(self) -> tuple[str, ...]:
        """What was found, a line each."""
        return tuple(map(str, self.findings))

    def as_dict(self) -> dict[str, Any]:
        """The whole report in what JSON can hold.

        Returns
        -------
        dict
            ``rows_read``, ``rows_kept``, ``findings`` (``kind``, ``what``, ``count``, ``examples``) and ``totals``
            by year.
        """
        findings = [
            {"kind": f.kind.value, "what": f.what, "count": f.count, "examples": list(f.examples)}
            for f in self.findings
        ]
        totals = {str(year): round(total, 4) for year, total in self.totals.items()}
        return {"rows_read": self.read, "rows_kept": self.kept, "findings": findings, "totals": totals}


@dataclass(frozen=True)
class Loaded(Generic[Frame_co]):
    """A layer without years as it was read.

    Attributes
    ----------
    frame : GeoDataFrame, DataFrame or Series
        The checked table.
    path : Path
        The file that was read.
    report : Report
        What was done to it.
    """

    frame: Frame_co
    path: Path
    report: Report


def found(kind: Kind, what: str, examples: Iterable[object]) -> tuple[Finding, ...]:
    """Sum up equal or unequal examples as one finding, or as none where there are none.

    Parameters
    ----------
    kind : Kind
        What was done to them.
    what : str
        In words that follow their number.
    examples : iterable
        One for each row, as the file writes it.

    Returns
    -------
    tuple of Finding
        Empty, or one finding with the first few different examples.
    """
    texts = [str(example) for example in examples]
    return (Finding(kind, what, len(texts), tuple(dict.fromkeys(texts))[:EXAMPLES]),) if texts else ()
