"""Polygon layers of an ArcGIS FeatureServer, as DANE publishes the MGN, as GeoJSON in EPSG:4326, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geo.errors import SourceError
from layers.publisher import Query, Remote, Row
from layers.web import Client, Passing

MOST = 50  # shapes a page: about 11 MB of MGN 2025
RINGS = {"Polygon", "MultiPolygon"}
EVERYTHING = {"where": "1=1"}


@dataclass(frozen=True)
class FeatureLayer:
    """A layer of polygons.

    Attributes
    ----------
    url : str
        Address of the layer, which ends with its number.
    """

    url: str
    suffix: str = ".geojson"
    opening: str = '{"type":"FeatureCollection","features":['
    closing: str = "]}"

    def remote(self, client: Client) -> Remote:
        """Ask when the layer was last edited, how many shapes it has and how long a page may be.

        Parameters
        ----------
        client : Client
            The connection.

        Returns
        -------
        Remote
            The version is the time of the last edit (Unix milliseconds), or ``undated``, and the number of shapes.

        Raises
        ------
        SourceError
            If the layer cannot be asked.
        """
        facts = client.ask(self.url, {"f": "json"}, self._facts)
        counting = {**EVERYTHING, "returnCountOnly": "true", "f": "json"}
        count = client.ask(f"{self.url}/query", counting, self._count)
        editing = facts.get("editingInfo") or {}
        edited = editing.get("dataLastEditDate") or editing.get("lastEditDate") or "undated"
        allowed = facts.get("maxRecordCount")
        most = allowed if isinstance(allowed, int) and allowed > 0 else MOST
        step = min(MOST, most, client.limits.page_rows)
        return Remote(f"{edited}, {count} rows", count, step)

    def query(self, offset: int, rows: int) -> Query:
        """Ask for a page by OBJECTID.

        Parameters
        ----------
        offset, rows : int
            Where the page begins and how long it may be.

        Returns
        -------
        tuple of str and dict
            Address and parameters.
        """
        return f"{self.url}/query", {
            **EVERYTHING,
            "outFields": "*",
            "outSR": 4326,
            "orderByFields": "OBJECTID",
            "resultOffset": offset,
            "resultRecordCount": rows,
            "f": "geojson",
        }

    def rows(self, answer: Any) -> list[Row]:
        """Take the features of a page.

        Parameters
        ----------
        answer : object
            Parsed JSON.

        Returns
        -------
        list of dict
            GeoJSON features.

        Raises
        ------
        Passing
            If it is no collection of polygons with an id.
        SourceError
            If the server names an error of the request.
        """
        features = self._unerring(answer).get("features")
        if not isinstance(features, list):
            raise Passing("no collection of features")
        for feature in features:
            _check_feature(feature)
        return features

    def identity(self, row: Row) -> str | int:
        """Give the server's key of a feature.

        Parameters
        ----------
        row : dict
            A feature.

        Returns
        -------
        int or str
            Its OBJECTID.
        """
        key: str | int = _object_id(row)
        return key

    def published(self, row: Row) -> Row:
        """Give a feature as it is.

        Parameters
        ----------
        row : dict
            A feature.

        Returns
        -------
        dict
            The same.
        """
        return row

    def attributes(self, row: Row) -> Row:
        """Give the columns of a feature.

        Parameters
        ----------
        row : dict
            A feature.

        Returns
        -------
        dict
            Its properties.
        """
        properties: Row = row["properties"]
        return properties

    def _unerring(self, answer: Any) -> Row:
        """An answer that is no error: the server sends its errors with status 200."""
        if not isinstance(answer, dict):
            raise Passing("no JSON object")
        error = answer.get("error")
        if not error:
            return answer
        code = error.get("code") if isinstance(error, dict) else None
        said = f"error {code}: {str(error.get('message'))[:120]}" if isinstance(error, dict) else str(error)[:120]
        if isinstance(code, int) and (code >= 500 or code == 429):
            raise Passing(said)
        raise SourceError(f"{self.url} must answer and refuses with {said}; the publisher may have moved it")

    def _facts(self, answer: Any) -> Row:
        facts = self._unerring(answer)
        editing = facts.get("editingInfo")
        if editing is not None and not isinstance(editing, dict):
            raise Passing(f"editingInfo {editing!r:.80}")
        return facts

    def _count(self, answer: Any) -> int:
        count = self._unerring(answer).get("count")
        if not isinstance(count, int):
            raise Passing(f"no count of shapes but {count!r:.80}")
        return count


def _check_feature(feature: Any) -> None:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise Passing("a feature without properties")
    shape = feature.get("geometry")
    if not isinstance(shape, dict) or shape.get("type") not in RINGS or not shape.get("coordinates"):
        raise Passing(f"a feature without a polygon (OBJECTID {_object_id(feature)})")
    if not isinstance(_object_id(feature), int | str):
        raise Passing("a feature without OBJECTID")


def _object_id(feature: Row) -> Any:
    """The id of the feature, or the property that ends in OBJECTID, in whichever case the server writes it."""
    own = feature.get("id")
    if own is not None:
        return own
    return next((cell for key, cell in feature["properties"].items() if key.upper() == "OBJECTID"), None)
