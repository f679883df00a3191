"""Outputs that are either whole or not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geo.errors import OutputError, listed

PARTIAL = ".partial-"
PIECE = 2**20  # bytes: a raster can be larger than the memory


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Write files to a hidden folder inside the target, and move them into place only when all are written.

    Parameters
    ----------
    folder : Path
        Where the files shall stand; made if needed. Files in it with other names are left alone.

    Yields
    ------
    Path
        An empty folder on the same file system to write to.

    Raises
    ------
    OutputError
        If the folder cannot be made or written.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{PARTIAL}*"):
            shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))
    except OSError as cause:
        raise OutputError(
            f"the output folder must be writable; {folder} is not ({cause.strerror}): choose another with --out"
        ) from cause
    try:
        yield partial
        ready = sorted(partial.iterdir())
        _refuse_folders(folder / written.name for written in ready)
        for written in ready:
            os.replace(written, folder / written.name)
    except OSError as cause:
        raise OutputError(f"{folder} could not be written ({cause}); the last good files are still there") from cause
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_folders(targets: Iterable[Path]) -> None:
    """Refuse before the first file has moved what would stop at a later one."""
    in_the_way = [target for target in targets if target.is_dir()]
    if in_the_way:
        raise IsADirectoryError(f"folders stand where files shall go: {listed(in_the_way)}")


def sha256(path: Path) -> str:
    """Digest of a file's bytes, or of a folder's files in name order (a file geodatabase is a folder).

    Parameters
    ----------
    path : Path
        A file or folder.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as opened:
                while part := opened.read(PIECE):
                    digest.update(part)
    return digest.hexdigest()
