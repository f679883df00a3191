"""Finished parts kept on disk, so that a run that was cut short goes on where it stood."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from geo.errors import OutputError
from geo.rasters import Tile
from geo.tally import Part
from geo.versions import made_with
from geo.zonal import Spread, Task

FORM = "1"
# Tiles to a file: some seconds of work, which is what a run that is cut short loses; and some megabytes.
TILES, TILE_BANDS = 64, 512
COLUMNS = ("polygon", "added", "low", "high")  # by polygon along their last axis
RUN = re.compile(r"[0-9a-f]{32}")
FILE = re.compile(r"\.?[0-9a-f]{16}-\d+(-\d+)?\.npz")


def resuming(spread: Spread, folder: Path) -> Spread:
    """Keep finished parts in a folder, and take from there what an earlier run with the same inputs has finished.

    Parameters
    ----------
    spread : Spread
        Who does the rest.
    folder : Path
        Where parts are kept, by a digest of all that they depend on: files and their times, polygons, statistics,
        and what they are made with. They stay when the run is complete; :func:`clear` removes them.

    Returns
    -------
    Spread
        Yields the same parts in the same order. Files that are damaged or cut short count as not there.

    Raises
    ------
    OutputError
        While it runs, if the folder cannot be written.
    """

    def spread_the_rest(task: Task, tiles: Sequence[Tile]) -> Iterator[Part]:
        chunks = _chunks(task, tiles, folder)
        kept = [_read(chunk) is not None for chunk in chunks]
        rest = [tile for chunk, there in zip(chunks, kept, strict=True) if not there for tile in chunk.tiles]
        fresh = spread(task, rest) if rest else iter(())
        try:
            for chunk, there in zip(chunks, kept, strict=True):
                yield from _kept(chunk, task, spread) if there else _made(chunk, fresh)
        finally:
            if isinstance(fresh, Generator):
                fresh.close()

    return spread_the_rest


def clear(folder: Path) -> None:
    """Remove what :func:`resuming` has kept, when results are safe; other files in the folder stay.

    Parameters
    ----------
    folder : Path
        As given to :func:`resuming`; it may be gone already.

    Raises
    ------
    OutputError
        If something cannot be removed.
    """
    try:
        runs = [path for path in folder.glob("*") if RUN.fullmatch(path.name) and path.is_dir()]
        for path in [file for run in runs for file in run.iterdir() if FILE.fullmatch(file.name)]:
            path.unlink()
        for emptied in [*runs, folder]:
            if emptied.is_dir() and not any(emptied.iterdir()):
                emptied.rmdir()
    except OSError as cause:
        raise OutputError(f"{folder} must be writable; it is not ({cause.strerror}): remove it yourself") from cause


@dataclass(frozen=True)
class _Chunk:
    """Tiles whose parts are kept in one file."""

    file: Path
    tiles: Sequence[Tile]


def _chunks(task: Task, tiles: Sequence[Tile], folder: Path) -> list[_Chunk]:
    bands = sum(len(raster.names) for raster in task.reader.rasters)
    size = min(max(TILE_BANDS // bands, 1), TILES)
    # The key tells what is summed; how it is cut into tiles, and by what, is told here.
    digest = sha256(repr((FORM, size, tuple(tiles), sorted(made_with().items()))).encode()).hexdigest()[:16]
    home = folder / task.key
    return [_Chunk(home / f"{digest}-{at}.npz", tiles[at : at + size]) for at in range(0, len(tiles), size)]


def _kept(chunk: _Chunk, task: Task, spread: Spread) -> Iterator[Part]:
    """Parts from disk; where they are gone since they were looked at, they are made again."""
    parts = _read(chunk)
    yield from _made(chunk, spread(task, chunk.tiles)) if parts is None else parts


def _made(chunk: _Chunk, fresh: Iterator[Part]) -> Iterator[Part]:
    parts: list[Part] = []
    for _ in chunk.tiles:
        parts.append(next(fresh))
        yield parts[-1]
    _write(parts, chunk.file)


def _read(chunk: _Chunk) -> list[Part] | None:
    """Parts as they were written, whole or not at all: the format has a checksum."""
    try:
        with chunk.file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
            ends = np.cumsum(kept["polygons"])
            columns = [np.split(kept[name], ends[:-1], axis=-1) for name in COLUMNS]
            found = [Part(*each) for each in zip(*columns, kept["total"], strict=True)]
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return found if len(found) == len(chunk.tiles) else None


def _write(parts: Sequence[Part], file: Path) -> None:
    partial = file.with_name(f".{file.stem}-{os.getpid()}.npz")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in COLUMNS
    }
    polygons = np.array([len(part.polygon) for part in parts])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(partial, polygons=polygons, total=np.array([part.total for part in parts]), **columns)
        partial.replace(file)
    except OSError as cause:
        raise OutputError(
            f"the folder to resume from must be writable; {file.parent} is not ({cause.strerror}): name another"
        ) from cause
