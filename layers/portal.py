"""Data sets of datos.gov.co, a Socrata portal, through its paged interface (SODA 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geo.errors import SourceError
from layers.publisher import Query, Remote, Row
from layers.web import Client, Passing

ADDRESS = "https://www.datos.gov.co"
MOST = 50_000  # rows a page, says the documentation of SODA 2.0


@dataclass(frozen=True)
class Portal:
    """A data set of the portal.

    Attributes
    ----------
    dataset : str
        Its id, such as ``acs4-3wgp``.
    address : str
        Scheme and host of the portal or of a mirror.
    """

    dataset: str
    address: str = ADDRESS
    suffix: str = ".json"
    opening: str = "["
    closing: str = "]"

    @property
    def url(self) -> str:
        """Address of its rows."""
        return f"{self.address}/resource/{self.dataset}.json"

    def remote(self, client: Client) -> Remote:
        """Ask when the rows last changed, and how many there are.

        Parameters
        ----------
        client : Client
            The connection.

        Returns
        -------
        Remote
            The version is the time of the last change (Unix seconds) and the number of rows.

        Raises
        ------
        SourceError
            If the portal does not say so.
        """
        updated = client.ask(f"{self.address}/api/views/{self.dataset}.json", {}, self._updated)
        count = client.ask(self.url, {"$select": "count(*)"}, self._count)
        return Remote(f"{updated}, {count} rows", count, min(MOST, client.limits.page_rows))

    def query(self, offset: int, rows: int) -> Query:
        """Ask for a page in the portal's own order.

        Parameters
        ----------
        offset, rows : int
            Where the page begins and how long it may be.

        Returns
        -------
        tuple of str and dict
            Address and parameters. ``:*`` brings each row's ``:id``; the portal refuses ``:id,*``.
        """
        return self.url, {"$select": ":*,*", "$order": ":id", "$limit": rows, "$offset": offset}

    def rows(self, answer: Any) -> list[Row]:
        """Take the rows of a page.

        Parameters
        ----------
        answer : object
            Parsed JSON.

        Returns
        -------
        list of dict
            A blank cell has no key.

        Raises
        ------
        Passing
            If it is not a list of rows with ``:id``.
        """
        if not isinstance(answer, list):
            raise Passing(f"no list of rows but {_shown(answer)}")
        for row in answer:
            if not isinstance(row, dict) or not isinstance(row.get(":id"), str):
                raise Passing(f"a row without :id ({_shown(row)})")
        return answer

    def identity(self, row: Row) -> str:
        """Give the portal's key of a row.

        Parameters
        ----------
        row : dict
            As the portal sends it.

        Returns
        -------
        str
            ``:id``.
        """
        return str(row[":id"])

    def published(self, row: Row) -> Row:
        """Drop the portal's system columns, whose names begin with a colon.

        Parameters
        ----------
        row : dict
            As the portal sends it.

        Returns
        -------
        dict
            As the publisher entered it.
        """
        return {key: cell for key, cell in row.items() if not key.startswith(":")}

    def attributes(self, row: Row) -> Row:
        """Give the columns of a row.

        Parameters
        ----------
        row : dict
            A published row.

        Returns
        -------
        dict
            The same.
        """
        return row

    def _updated(self, answer: Any) -> int:
        stamp = answer.get("rowsUpdatedAt") if isinstance(answer, dict) else None
        if not isinstance(stamp, int):
            raise SourceError(
                f"{self.address}/api/views/{self.dataset}.json must say when the rows last changed (rowsUpdatedAt) and "
                f"answers {_shown(answer)}; look whether the data set was withdrawn"
            )
        return stamp

    @staticmethod
    def _count(answer: Any) -> int:
        try:
            ((count,),) = (row.values() for row in answer)
            return int(count)
        except (TypeError, ValueError, AttributeError) as cause:
            raise Passing(f"no count of rows but {_shown(answer)}") from cause


def _shown(answer: Any) -> str:
    return " ".join(repr(answer).split())[:120]
