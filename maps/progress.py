"""What fetching says on a terminal: a bar while pages arrive, then what was done, a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from layers.fetch import Action, Entry, Outcome
from layers.sources import Download, Source

REPLACE = "; --update replaces it"


@contextmanager
def bar(console: Console | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on a terminal, and nothing in a pipe.

    Parameters
    ----------
    console : Console, optional
        Where; the terminal behind standard error if not given.

    Yields
    ------
    callable
        To be told the name of a data set, the rows that have arrived, and all.
    """
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def told(name: str, done: int, of: int) -> None:
            progress.update(task, description=name, completed=done, total=of)

        yield told


def tell(outcome: Outcome) -> None:
    """Print what was done with a data set, and what its publisher changed.

    Parameters
    ----------
    outcome : Outcome
        What was done.
    """
    ending = REPLACE if outcome.action is Action.COMPARE else ""
    print(f"{outcome.name}: {outcome.action.value}{ending} ({_facts(outcome.entry)})\n  {outcome.path}")
    for line in outcome.changes:
        print(f"  {line}")


def tell_all(
    offers: Mapping[str, Download], sources: Mapping[str, Source], lock: Mapping[str, Entry], cache: Path
) -> None:
    """List what can be fetched, and what of it is in the cache.

    Parameters
    ----------
    offers : mapping of str to Download
        By name.
    sources : mapping of str to Source
        By id.
    lock : mapping of str to Entry
        What was fetched.
    cache : Path
        The folder of fetched files.
    """
    width = max(map(len, offers))
    for name, offer in offers.items():
        state = _facts(lock[name]) if name in lock else "not fetched"
        print(f"{name:<{width}}  {sources[offer.source].title}\n{'':<{width}}  {state}")
    print(f"Cache: {cache}")


def _facts(entry: Entry) -> str:
    return f"fetched {entry.fetched[:10]}, {entry.rows:,} rows, {entry.bytes:,} bytes, sha256 {entry.sha256[:12]}"
