"""Columns of a page's data as short text: whole numbers as base-64 digits, everything else as it is.

Unsigned whole numbers are written in groups of five bits, the lowest first, a character a group; a sixth bit says that
another group follows, as in source maps. ``maps/assets/codec.js`` reads what this module writes. A compressed block
would be shorter still, but its bytes depend on the compressor's version, and the same run must give the same page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

DIGITS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8)
GROUP = 5  # bits
MOST_DECIMALS = 6
EXACT = 2.0**51  # steps between whole numbers up to here, doubled, are still told apart by the page

Floats: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]
Packed: TypeAlias = dict[str, Any]


def varints(values: Whole) -> str:
    """Write unsigned whole numbers as text.

    Parameters
    ----------
    values : ndarray of int64, shape (n,)
        Not negative.

    Returns
    -------
    str
        A character for each five bits of each number, at least one.
    """
    left = values.astype(np.uint64)
    groups: list[npt.NDArray[np.uint64]] = []
    while not groups or left.any():
        groups.append(left & np.uint64(31))
        left = left >> np.uint64(GROUP)
    table = np.stack(groups, axis=-1)
    last = np.where(table > 0, np.arange(table.shape[-1]), 0).max(axis=-1, initial=0)
    written = np.arange(table.shape[-1]) <= last[:, None]
    follows = np.arange(table.shape[-1]) < last[:, None]
    letters: bytes = DIGITS[(table + follows * np.uint64(32))[written]].tobytes()
    return letters.decode("ascii")


def places(positions: npt.ArrayLike) -> str:
    """Write ascending positions as the steps between them.

    Parameters
    ----------
    positions : array_like of int
        Ascending, not negative.

    Returns
    -------
    str
        See :func:`varints`.
    """
    known = np.asarray(positions, dtype=np.int64)
    return varints(known - np.concatenate([[0], known[:-1]]) if len(known) else known)


def signed(values: Whole) -> str:
    """Write whole numbers of either sign as text.

    Parameters
    ----------
    values : ndarray of int64, shape (n,)
        Any.

    Returns
    -------
    str
        See :func:`varints`; n is written as 2 n, or as -2 n - 1 if it is negative.
    """
    return varints(_zigzag(values))


def numbers(values: npt.ArrayLike) -> Packed:
    """Write numbers so that the page reads each of them exactly.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN where missing.

    Returns
    -------
    dict
        ``whole`` and ``per``: steps between whole numbers, to be divided by ``per``, for decimals that end within six
        places; else ``floats``, base64 of little-endian doubles.
    """
    column = np.asarray(values, dtype=float)
    return _whole(column[None, :]) or _floats(column)


def texts(values: pd.Series) -> Packed:
    """Write texts, each once.

    Parameters
    ----------
    values : Series
        Missing where there is none.

    Returns
    -------
    dict
        ``texts``, and ``places``: 0 for none, else one more than the place among them.
    """
    found, known = pd.factorize(values)
    return {"texts": [str(text) for text in known], "places": varints(found.astype(np.int64) + 1)}


def series(frame: pd.DataFrame) -> Packed:
    """Write figures by municipality and year.

    Parameters
    ----------
    frame : DataFrame
        A row a municipality, a column a year; NaN where missing. Years without any figure are left out.

    Returns
    -------
    dict
        ``years``; ``rows``, the places of those with a figure other than 0 in some year, and their figures row by row
        as :func:`numbers` writes them; ``missing``, the places of those without a figure in any year. All others are 0.
    """
    known = frame.dropna(axis="columns", how="all")
    table = known.to_numpy(dtype=float)
    missing = np.isnan(table).all(axis=1)
    told = ~missing & ~(table == 0).all(axis=1)
    rows = table[told]
    return {
        "years": [int(year) for year in known.columns],
        "rows": places(np.flatnonzero(told)),
        "missing": places(np.flatnonzero(missing)),
        **(_whole(rows) or _floats(rows.ravel())),
    }


def topology(boundaries: Mapping[str, Any]) -> Packed:
    """Write the municipalities of a topology: the same shared arcs, in about a third of TopoJSON's text.

    Parameters
    ----------
    boundaries : mapping
        A topology as :func:`geo.topology.encode` gives it.

    Returns
    -------
    dict
        ``transform`` as it is; ``ids``; ``lengths``, the number of points of each arc; ``steps``, the arcs' differences
        in longitude and latitude by turns; ``rings``, for each geometry the number of its polygons, for each of these
        that of its rings, and for each of these that of its arcs and then the arcs.
    """
    arcs = [np.asarray(arc, dtype=np.int64).reshape(-1, 2) for arc in boundaries["arcs"]]
    geometries = boundaries["objects"]["municipalities"]["geometries"]
    return {
        "transform": boundaries["transform"],
        "ids": [geometry["id"] for geometry in geometries],
        "lengths": varints(np.array([len(arc) for arc in arcs], dtype=np.int64)),
        "steps": signed(np.concatenate([*arcs, np.empty((0, 2), dtype=np.int64)]).ravel()),
        "rings": varints(np.array([count for geometry in geometries for count in _rings(geometry)], dtype=np.int64)),
    }


def _rings(geometry: Mapping[str, Any]) -> Iterator[int]:
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
    yield len(polygons)
    for rings in polygons:
        yield len(rings)
        for arcs in rings:
            yield len(arcs)
            yield from _zigzag(np.array(arcs, dtype=np.int64)).tolist()


def _zigzag(values: Whole) -> Whole:
    return np.where(values >= 0, 2 * values, -2 * values - 1)


def _whole(table: Floats) -> Packed | None:
    """Steps within each row between known values, one more each so that 0 is a gap; None if decimals do not end."""
    known = ~np.isnan(table)
    flat = table[known]
    for decimals in range(MOST_DECIMALS + 1):
        per = 10**decimals
        counts = np.rint(flat * per)
        if np.abs(counts).max(initial=0.0) < EXACT and (counts / per == flat).all():
            steps = np.zeros(table.shape, dtype=np.int64)
            steps[known] = 1 + _zigzag(_steps(counts.astype(np.int64), known))
            return {"whole": varints(steps.ravel()), "per": per}
    return None


def _steps(counts: Whole, known: npt.NDArray[np.bool_]) -> Whole:
    """Differences from the known value before in the same row; the first of a row from 0."""
    row = np.nonzero(known)[0]
    before = np.concatenate([[0], counts[:-1]]) if len(counts) else counts
    first = np.diff(row, prepend=-1) != 0
    return counts - np.where(first, 0, before)


def _floats(values: Floats) -> Packed:
    return {"floats": base64.b64encode(values.astype("<f8").tobytes()).decode("ascii")}
