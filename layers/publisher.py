"""What a publisher's interface has to offer to be downloaded from, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from layers.web import Client

Row = dict[str, Any]
Query = tuple[str, Mapping[str, str | int]]


@dataclass(frozen=True)
class Remote:
    """What a publisher says of a data set before it is downloaded.

    Attributes
    ----------
    version : str
        Changes whenever the data do.
    rows : int
        How many it announces.
    step : int
        Rows a page.
    """

    version: str
    rows: int
    step: int


class Publisher(Protocol):
    """A data set behind a paged interface."""

    @property
    def url(self) -> str:
        """Its address, as the lock records it."""

    @property
    def suffix(self) -> str:
        """Ending of its file's name."""

    @property
    def opening(self) -> str:
        """What stands in its file before the rows."""

    @property
    def closing(self) -> str:
        """What stands in its file after the rows."""

    def remote(self, client: Client) -> Remote:
        """Ask for version, number of rows and size of a page."""

    def query(self, offset: int, rows: int) -> Query:
        """Address and parameters of a page."""

    def rows(self, answer: Any) -> list[Row]:
        """The rows of a page; raises Passing where it is not one."""

    def identity(self, row: Row) -> str | int:
        """The publisher's own key of a row."""

    def published(self, row: Row) -> Row:
        """A row without what only the interface needs."""

    def attributes(self, row: Row) -> Row:
        """The columns of a published row, without its shape."""
