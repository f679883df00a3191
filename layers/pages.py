"""Download a data set page by page into a folder of its own, keep what is finished, and join it when all is there.

No run reads from that folder. A page is whole or not there, and is kept for the next try as long as the publisher's
version, the number of rows and the address stay what they were.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from geo.errors import OutputError, SourceError, listed
from layers.publisher import Publisher, Remote, Row
from layers.rawtable import code_column
from layers.web import Client, Passing

STATE = "state.json"
WHOLE = "whole"
ROUNDS = 3  # how often a data set may change under our hands before we give up
Progress = Callable[[int, int], None]
Key = str | int


class Misfit(Passing):
    """A page that does not fit what was announced or what came before.

    Parameters
    ----------
    what : str
        What was found.
    repeated : bool
        Whether it holds rows that came before.
    """

    def __init__(self, what: str, *, repeated: bool) -> None:
        super().__init__(what)
        self.repeated = repeated


def download(
    publisher: Publisher, client: Client, remote: Remote, folder: Path, *, coded: bool, progress: Progress
) -> tuple[Path, Remote]:
    """Download all pages and join them into one file, which is verified.

    Parameters
    ----------
    publisher : Publisher
        The data set.
    client : Client
        The connection.
    remote : Remote
        What the publisher just said of it.
    folder : Path
        Where finished pages of an earlier try may lie.
    coded : bool
        Whether rows must have municipality codes.
    progress : callable
        Told the rows that have arrived, and all.

    Returns
    -------
    tuple of Path and Remote
        The joined file in ``folder``, a row a line and sorted by the publisher's key, and what it is a copy of.

    Raises
    ------
    SourceError
        If pages do not arrive, do not fit together, or are no rows with codes.
    OutputError
        If the folder cannot be written.
    """
    try:
        remote = _collect(publisher, client, remote, folder, progress)
        whole = _join(publisher, remote, folder)
    except OSError as cause:
        raise OutputError(
            f"{folder} must be writable and is not ({cause}); choose another cache with --cache"
        ) from cause
    _verify(publisher, remote, whole, coded=coded)
    return whole, remote


def discard(folder: Path) -> None:
    """Remove the pages of a data set.

    Parameters
    ----------
    folder : Path
        Their folder; may be absent.
    """
    shutil.rmtree(folder, ignore_errors=True)


def _collect(publisher: Publisher, client: Client, remote: Remote, folder: Path, progress: Progress) -> Remote:
    """All pages of one version, though the publisher may change the data while they arrive."""
    for _ in range(ROUNDS):
        _resume(publisher, remote, folder)
        misfit = _try_pages(publisher, client, remote, folder, progress)
        now = publisher.remote(client)
        if misfit is None and now == remote:
            return remote
        if misfit is not None and now == remote and not _repeats(misfit):
            raise misfit
        discard(folder)
        remote = now
    raise SourceError(
        f"{publisher.url} must hold still and did not: in {ROUNDS} rounds it changed, or sent rows twice, while its "
        "pages arrived; run it again later"
    ) from misfit


def _try_pages(
    publisher: Publisher, client: Client, remote: Remote, folder: Path, progress: Progress
) -> SourceError | None:
    """Fetch the pages; what is returned is why they do not fit what was announced."""
    try:
        _fetch_pages(publisher, client, remote, folder, progress)
    except SourceError as error:
        if isinstance(error.__cause__, Misfit):
            return error
        raise
    return None


def _repeats(misfit: SourceError) -> bool:
    """Whether a page came twice: which of the two was the wrong one cannot be told, so neither may be kept."""
    return isinstance(misfit.__cause__, Misfit) and misfit.__cause__.repeated


def _resume(publisher: Publisher, remote: Remote, folder: Path) -> None:
    """Keep the pages of the same version, and no others."""
    if remote.rows <= 0:
        raise SourceError(f"{publisher.url} must hold rows and announces {remote.rows}; look at the publisher's page")
    state = {"url": publisher.url, "version": remote.version, "rows": remote.rows, "step": remote.step}
    file = folder / STATE
    if _read(file) == state:
        return
    discard(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write(file, json.dumps(state))


def _fetch_pages(publisher: Publisher, client: Client, remote: Remote, folder: Path, progress: Progress) -> None:
    """Every page, and one look past the last row: a page there would mean that fewer rows were announced than are."""
    seen: set[Key] = set()
    held = 0
    for offset in range(0, remote.rows + 1, remote.step):
        expected = min(remote.step, remote.rows - offset)
        file = folder / f"{offset:09}.json"
        rows = _kept(publisher, file, expected, seen)
        if rows is None:
            rows = _ask_page(publisher, client, offset, remote.step, expected, seen)
            _write(file, _text(rows))
        seen.update(map(publisher.identity, rows))
        held += file.stat().st_size
        if held > client.limits.file_bytes:
            raise SourceError(f"{publisher.url} must hold at most {client.limits.file_bytes:,} bytes and holds more")
        progress(offset + expected, remote.rows)


def _ask_page(publisher: Publisher, client: Client, offset: int, step: int, expected: int, seen: set[Key]) -> list[Row]:
    def fitting(answer: Any) -> list[Row]:
        rows = publisher.rows(answer)
        _check_fit(publisher, rows, expected, seen)
        return rows

    return client.ask(*publisher.query(offset, step), fitting)


def _check_fit(publisher: Publisher, rows: list[Row], expected: int, seen: set[Key]) -> None:
    """Refuse a page that is not as long as announced, or holds rows that came before: it may be another page."""
    if len(rows) != expected:
        raise Misfit(f"a page of {len(rows):,} rows where {expected:,} were announced", repeated=False)
    counts = Counter(map(publisher.identity, rows))
    repeated = [key for key, count in counts.items() if count > 1 or key in seen]
    if repeated:
        raise Misfit(f"rows that came before ({listed(repeated, most=3)})", repeated=True)


def _kept(publisher: Publisher, file: Path, expected: int, seen: set[Key]) -> list[Row] | None:
    """A finished page of an earlier try, if it fits."""
    rows: list[Row] | None = _read(file)
    if rows is None:
        return None
    try:
        _check_fit(publisher, rows, expected, seen)
    except Misfit:
        return None
    return rows


def _join(publisher: Publisher, remote: Remote, folder: Path) -> Path:
    """One file, a row a line, sorted by the publisher's key whatever the order in which pages came."""
    lines: list[tuple[Key, str]] = []
    for offset in range(0, remote.rows, remote.step):
        rows = _read(folder / f"{offset:09}.json") or []
        lines += ((publisher.identity(row), _text(publisher.published(row))) for row in rows)
    lines.sort(key=lambda keyed: (isinstance(keyed[0], str), keyed[0]))
    whole = folder / f"{WHOLE}{publisher.suffix}"
    joined = ",\n".join(line for _, line in lines)
    _write(whole, f"{publisher.opening}\n{joined}\n{publisher.closing}\n")
    return whole


def _text(rows: Row | list[Row]) -> str:
    try:
        text = json.dumps(rows, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError) as cause:  # half a character, a number beyond all numbers, nesting without end
        raise SourceError(f"rows must be such that a file can hold them and are not ({cause})") from cause
    return text


def read_rows(file: Path) -> Iterator[Row]:
    """Read a joined file row by row.

    Parameters
    ----------
    file : Path
        A file as this module writes it.

    Yields
    ------
    dict
        A row of the portal, or a feature.

    Raises
    ------
    SourceError
        If a line is no row.
    """
    with file.open(encoding="utf-8") as text:
        next(text, "")
        for number, line in enumerate(text, start=2):
            if line in {"]\n", "]}\n"}:
                return
            try:
                yield json.loads(line.removesuffix("\n").removesuffix(","))
            except ValueError as cause:
                raise SourceError(f"{file} must hold a row a line; line {number} is none: fetch it again") from cause
    raise SourceError(f"{file} must end with a closing line and breaks off; fetch it again")


def _verify(publisher: Publisher, remote: Remote, whole: Path, *, coded: bool) -> None:
    """Read back what was written: as many rows as announced, with municipality codes where there must be."""
    columns = [publisher.attributes(row) for row in read_rows(whole)]
    if len(columns) != remote.rows:
        raise SourceError(f"{publisher.url} must hold {remote.rows:,} rows, as announced, and held {len(columns):,}")
    if coded:
        code_column(pd.DataFrame(columns).fillna(""), whole)


def _read(file: Path) -> Any:
    """What a file of ours holds; nothing where it is absent or damaged."""
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _write(file: Path, text: str) -> None:
    """Write a file that is whole or not there."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, file)
