"""The cells under polygons, strip by strip: worked out once for all bands and years, and kept on disk where asked."""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import shapely

from geo import cells
from geo.cells import Cover, Edges
from geo.errors import OutputError
from geo.grid import Grid

STRIPS_KEPT = 4
FORM = "1"  # of the files in the cache


@dataclass(frozen=True)
class Covers:
    """The cells of a grid under polygons.

    Attributes
    ----------
    grid : Grid
        The grid.
    count : int
        How many polygons; number ``count`` is what lies outside of them.
    edges : Edges
        Of the polygons.
    union : Edges or None
        Of their union, where they may overlap.
    key : str
        A digest of grid and polygons.
    cache : Path or None
        Folder in which strips are kept for later runs.
    """

    grid: Grid
    count: int
    edges: Edges
    union: Edges | None
    key: str
    cache: Path | None = None
    _kept: OrderedDict[tuple[int, int], Future[Cover]] = field(default_factory=OrderedDict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @classmethod
    def of(cls, shapes: npt.NDArray[np.object_], grid: Grid, *, cache: Path | None = None) -> Covers:
        """Prepare the cover of a grid; nothing is worked out yet.

        Parameters
        ----------
        shapes : ndarray of object
            Valid polygons in columns and rows, as :meth:`geo.grid.Grid.place` gives them.
        grid : Grid
            The grid.
        cache : Path, optional
            Folder in which strips are kept for later runs.

        Returns
        -------
        Covers
            By strip.

        Raises
        ------
        GeometryError
            If a shape is no valid polygon.
        """
        found = cells.edges(shapes)
        union = cells.edges(np.array([shapely.union_all(shapes)])) if _may_overlap(shapes) else None
        return cls(grid, len(shapes), found, union, _key(shapes, grid), cache)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without what is only kept."""
        return Covers, (self.grid, self.count, self.edges, self.union, self.key, self.cache)

    def strip(self, rows: tuple[int, int]) -> Cover:
        """Cells of a span of rows.

        Parameters
        ----------
        rows : tuple of int
            The first row, and the one after the last.

        Returns
        -------
        Cover
            By polygon, and of what is outside as number ``count``.
        """
        with self._lock:
            mine = rows not in self._kept
            strip = self._kept.setdefault(rows, Future())
            while len(self._kept) > STRIPS_KEPT:
                self._kept.popitem(last=False)
        if mine:
            self._fulfil(strip, rows)
        return strip.result()

    def _fulfil(self, strip: Future[Cover], rows: tuple[int, int]) -> None:
        """Work a strip out while other threads that want it wait, and those that want others do not."""
        try:
            strip.set_result(self._find(rows) if self.cache is None else self._cached(self.cache, rows))
        except BaseException as cause:
            strip.set_exception(cause)
            raise

    def _find(self, rows: tuple[int, int]) -> Cover:
        width = self.grid.width
        found = cells.cover(self.edges, rows=rows, width=width)
        whole = found if self.union is None else cells.cover(self.union, rows=rows, width=width)
        return found.with_outside(self.count, cells.outside(whole, rows=rows, width=width))

    def _cached(self, cache: Path, rows: tuple[int, int]) -> Cover:
        file = cache / self.key / f"{rows[0]}-{rows[1]}.npz"
        try:
            return _read(file)
        except (OSError, ValueError, LookupError, EOFError, BadZipFile, zlib.error):  # not there, or damaged
            found = self._find(rows)
            _write(found, file)
            return found


def _may_overlap(shapes: npt.NDArray[np.object_]) -> bool:
    """Whether polygons are no coverage, in which all points of common borders are shared."""
    return len(shapes) > 1 and not shapely.coverage_is_valid(shapes)


def _key(shapes: npt.NDArray[np.object_], grid: Grid) -> str:
    digest = sha256(f"{FORM} {grid.height} {grid.width}".encode())
    for shape in shapely.to_wkb(shapes):
        # With its length before it, no shape can be taken for the end of another, nor a missing one go unseen.
        digest.update(f"{-1 if shape is None else len(shape)} ".encode() + (shape or b""))
    return digest.hexdigest()[:32]


def _read(file: Path) -> Cover:
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
        columns = [kept[each.name] for each in fields(Cover)]
    return Cover(*(column if column.dtype.kind == "f" else column.astype(np.int64) for column in columns))


def _write(found: Cover, file: Path) -> None:
    partial = file.with_name(f".{file.stem}-{os.getpid()}.npz")
    named = {each.name: getattr(found, each.name) for each in fields(Cover)}
    short = {name: column if column.dtype.kind == "f" else column.astype(np.int32) for name, column in named.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(partial, **short)
        partial.replace(file)
    except OSError as cause:
        raise OutputError(
            f"the cache must be writable; {file.parent} is not ({cause.strerror}): name another folder"
        ) from cause
