"""From the name of an official data set to a verified file in the user's cache.

What to do is decided in one pure function and done in others. A file in the cache is whole, of the size and digest
that ``fetched.lock.json`` records; everything unfinished lies in a folder that no run reads.
"""

from __future__ import annotations

import difflib
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from geo.errors import ConfigError, OutputError, SourceError, listed
from geo.files import replacing, sha256
from layers.featureserver import FeatureLayer
from layers.pages import discard, download
from layers.portal import ADDRESS, Portal
from layers.publisher import Publisher, Remote
from layers.sources import Download, downloads
from layers.web import Client, Limits

LOCK = "fetched.lock.json"
UNFINISHED = "unfinished"
FOLDER_VARIABLE = "PRESENCIA_DATA"
Progress = Callable[[str, int, int], None]


class Cached(Enum):
    """What of a data set lies in the cache."""

    ABSENT = "absent"
    INTACT = "intact"
    DAMAGED = "damaged"


class Action(Enum):
    """What to do."""

    KEEP = "kept"  # the cached file is the publisher's, or may not be compared
    DOWNLOAD = "downloaded"  # there is none, or it is damaged
    COMPARE = "changed at the publisher, old one kept"
    REPLACE = "replaced"
    REFUSE = "refused"  # nothing to give, and the network may not be used


@dataclass(frozen=True)
class Entry:
    """What the lock records of a file in the cache.

    Attributes
    ----------
    file : str
        Its name in the cache.
    url, version : str
        Where it came from, and what the publisher called its state.
    fetched : str
        When, in UTC.
    bytes, rows : int
        Size and number of rows.
    sha256 : str
        Digest.
    """

    file: str
    url: str
    version: str
    fetched: str
    bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True)
class Settings:
    """How to fetch.

    Attributes
    ----------
    cache : Path, optional
        Folder of the files; see :func:`cache_folder`.
    mirror : str
        Address that stands in for scheme and host of every publisher; theirs if empty.
    offline : bool
        Use the cache and nothing else.
    update : bool
        Replace a file that the publisher changed.
    limits : Limits
        How long and how much.
    sleep, chance : callable
        To be replaced in tests: waits some seconds, and draws from 0 to 1.
    """

    cache: Path | None = None
    mirror: str = ""
    offline: bool = False
    update: bool = False
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Outcome:
    """What was done.

    Attributes
    ----------
    name : str
        Of the data set.
    action : Action
        What was decided.
    path : Path
        The file to use.
    entry : Entry
        What the lock records of it.
    changes : tuple of str
        What the publisher changed since, a line each.
    """

    name: str
    action: Action
    path: Path
    entry: Entry
    changes: tuple[str, ...] = ()


def decide(cached: Cached, *, locked: str, remote: str, offline: bool, update: bool) -> Action:
    """Decide what to do; nothing is read, written or asked.

    Parameters
    ----------
    cached : Cached
        What the cache holds.
    locked, remote : str
        The publisher's version that the lock records, and today's; the latter is not looked at where offline.
    offline, update : bool
        As in :class:`Settings`.

    Returns
    -------
    Action
        What to do.
    """
    if offline:
        return Action.KEEP if cached is Cached.INTACT else Action.REFUSE
    if cached is not Cached.INTACT:
        return Action.DOWNLOAD
    if locked == remote:
        return Action.KEEP
    return Action.REPLACE if update else Action.COMPARE


def cache_folder(given: Path | None = None) -> Path:
    """Find the folder of fetched files.

    Parameters
    ----------
    given : Path, optional
        What the user asked for.

    Returns
    -------
    Path
        That; else what the environment variable PRESENCIA_DATA names; else ``presencia`` in the user's data folder, as
        the platform has it.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    if given or named:
        return Path(os.path.expanduser(given or named))
    import platformdirs

    return platformdirs.user_data_path("presencia", appauthor=False)


def read_lock(cache: Path) -> dict[str, Entry]:
    """Read what was fetched.

    Parameters
    ----------
    cache : Path
        Folder of the files.

    Returns
    -------
    dict of str to Entry
        By name; empty where nothing was fetched.

    Raises
    ------
    SourceError
        If the lock is not as this module writes it.
    """
    file = cache / LOCK
    try:
        return {name: Entry(**entry) for name, entry in json.loads(file.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as cause:
        raise SourceError(f"{file} must be a readable lock and is not ({cause}); remove it and fetch again") from cause


def fetched(name: str, cache: Path | None = None) -> Path:
    """Look up a fetched file and make sure that it is still what was fetched; asks no server.

    Parameters
    ----------
    name : str
        Name of the data set, such as ``coca``.
    cache : Path, optional
        Folder of the files; see :func:`cache_folder`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        If there is no such data set.
    SourceError
        If it was not fetched, or its digest is not the one that the lock records.
    """
    _known(name)
    folder = cache_folder(cache)
    entry = read_lock(folder).get(name)
    state = _cached(folder, entry)
    if entry is None or state is not Cached.INTACT:
        raise SourceError(_not_there(name, folder, state))
    return folder / entry.file


def fetch(name: str, settings: Settings | None = None, progress: Progress | None = None) -> Outcome:
    """Make sure that a data set lies in the cache as its publisher has it, or tell how it changed.

    Parameters
    ----------
    name : str
        Name of the data set, such as ``coca``.
    settings : Settings, optional
        How to fetch.
    progress : callable, optional
        Told the name, the rows that have arrived, and all.

    Returns
    -------
    Outcome
        What was done.

    Raises
    ------
    ConfigError
        If there is no such data set, or the mirror is no address.
    SourceError
        If the publisher does not deliver, or delivers what it must not.
    OutputError
        If the cache cannot be written.
    """
    settings = settings or Settings()
    offer = _known(name)
    cache = cache_folder(settings.cache)
    entry = read_lock(cache).get(name)
    state = _cached(cache, entry)
    if settings.offline:
        return _from_cache(name, cache, entry, state, settings)
    publisher = _publisher(offer, settings.mirror)
    client = Client(settings.limits, sleep=settings.sleep, chance=settings.chance)
    remote = _asked(publisher, client, name, entry, state)
    version = entry.version if entry else ""
    action = decide(state, locked=version, remote=remote.version, offline=False, update=settings.update)
    if action is Action.KEEP and entry:
        return Outcome(name, action, cache / entry.file, entry)
    unfinished = cache / UNFINISHED / name
    told = partial(progress or _quiet, name)
    whole, remote = download(publisher, client, remote, unfinished, coded=offer.coded, progress=told)
    return _settle(offer, action, cache, entry, whole, _entry(offer, publisher, remote, whole))


def _settle(offer: Download, action: Action, cache: Path, old: Entry | None, whole: Path, new: Entry) -> Outcome:
    """Put the new file in place, unless the old one is to be kept."""
    changed = _changes(offer, cache, old, whole, new) if old and action is not Action.DOWNLOAD else ()
    if old and action is not Action.DOWNLOAD and old.sha256 == new.sha256:
        action = Action.KEEP
    if old and action is Action.COMPARE:
        return Outcome(offer.name, action, cache / old.file, old, changed)
    _place(offer.name, cache, whole, new)
    return Outcome(offer.name, action, cache / new.file, new, changed)


def _changes(offer: Download, cache: Path, old: Entry, whole: Path, new: Entry) -> tuple[str, ...]:
    from layers.changes import changes

    return () if old.sha256 == new.sha256 else changes(offer.name, cache / old.file, whole, coded=offer.coded)


def _place(name: str, cache: Path, whole: Path, entry: Entry) -> None:
    """Move the file, then the lock. Killed in between, the file is not the lock's and no run reads it."""
    try:
        os.replace(whole, cache / entry.file)
    except OSError as cause:
        raise OutputError(
            f"{cache} must be writable and is not ({cause}); choose another cache with --cache"
        ) from cause
    entries = {key: asdict(value) for key, value in (read_lock(cache) | {name: entry}).items()}
    with replacing(cache) as folder:
        text = json.dumps(dict(sorted(entries.items())), indent=2, ensure_ascii=False) + "\n"
        (folder / LOCK).write_text(text, encoding="utf-8", newline="\n")
    discard(whole.parent)


def _entry(offer: Download, publisher: Publisher, remote: Remote, whole: Path) -> Entry:
    return Entry(
        file=f"{offer.name}{publisher.suffix}",
        url=publisher.url,
        version=remote.version,
        fetched=datetime.now(UTC).isoformat(timespec="seconds"),
        bytes=whole.stat().st_size,
        rows=remote.rows,
        sha256=sha256(whole),
    )


def _from_cache(name: str, cache: Path, entry: Entry | None, state: Cached, settings: Settings) -> Outcome:
    action = decide(state, locked="", remote="", offline=True, update=settings.update)
    if entry is None or action is Action.REFUSE:
        raise SourceError(_not_there(name, cache, state))
    return Outcome(name, action, cache / entry.file, entry)


def _asked(publisher: Publisher, client: Client, name: str, entry: Entry | None, state: Cached) -> Remote:
    """What the publisher offers today; an error says so if there is a file to go on with."""
    try:
        return publisher.remote(client)
    except SourceError as error:
        if entry is None or state is not Cached.INTACT:
            raise
        raise SourceError(f"{error}. The {name} of {entry.fetched[:10]} is in the cache: --offline uses it") from error


def _cached(cache: Path, entry: Entry | None) -> Cached:
    if entry is None:
        return Cached.ABSENT
    try:
        if not (cache / entry.file).is_file():
            return Cached.ABSENT
        return Cached.INTACT if sha256(cache / entry.file) == entry.sha256 else Cached.DAMAGED
    except OSError:  # a file that may not be read is as good as damaged
        return Cached.DAMAGED


def _not_there(name: str, cache: Path, state: Cached) -> str:
    found = (
        "it is not there" if state is Cached.ABSENT else "what is there differs from what was fetched (by its sha256)"
    )
    return f"{name} must lie in {cache} and {found}; run 'python scripts/fetch.py {name}' where there is a network"


def _known(name: str) -> Download:
    offers = downloads()
    if name in offers:
        return offers[name]
    close = difflib.get_close_matches(name, offers, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {listed(offers, most=len(offers))}"
    raise ConfigError(f"{name!r} must be a data set that can be fetched and is not; {hint}")


def _publisher(offer: Download, mirror: str) -> Publisher:
    """The interface of a data set, at the mirror if there is one."""
    base = mirror.rstrip("/")
    if base and not _is_address(base):
        raise ConfigError(f"--mirror must be an address such as https://mirror.example.org and is {mirror!r}")
    if offer.portal:
        return Portal(offer.portal, base or ADDRESS)
    layer = FeatureLayer(offer.layer)
    return replace(layer, url=base + urlsplit(offer.layer).path) if base else layer


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _quiet(name: str, done: int, of: int) -> None:
    """Tell nobody."""
