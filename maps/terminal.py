"""What a script says on a terminal: progress, the answer in one table, errors in one line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from geo.errors import PresenciaError
from geo.files import sha256
from layers import criteria
from layers.report import Report
from maps import plan
from maps.run import STEPS, Run

PIPE_WIDTH = 118
FIRST = 10
COLUMNS = (
    "rank",
    "municipality",
    "department",
    "score",
    "rank 90%",
    "coca ha",
    "resurgence",
    "FARC events",
    "km to post",
)
OPENERS = {"darwin": "open", "win32": 'start ""'}


@contextmanager
def steps(names: Sequence[str] = STEPS) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on a terminal, and nothing in a pipe.

    Parameters
    ----------
    names : sequence of str
        The steps, in order; those of a run if not given.

    Yields
    ------
    callable
        To be told the name of each step as it begins.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(names))

        def begin(name: str) -> None:
            progress.update(task, description=name, completed=names.index(name))

        yield begin


def answering() -> Console:
    """Where answers are printed: a terminal at its width, or a pipe.

    Returns
    -------
    Console
        On standard output.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a pipe in Latin-1 loses a dash, not the answer
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def report(run: Run) -> None:
    """Print the answer: the first municipalities, the totals, the warnings, and how to open the map.

    Parameters
    ----------
    run : Run
        What was found.
    """
    console = answering()
    console.print(_first(run))
    console.print(Text(_totals(run)), soft_wrap=True)
    for text in _read(run):
        console.print(Text(text), soft_wrap=True)
    for text in run.summary["warnings"]:
        console.print(Text(f"Note: {text}", style="yellow"), soft_wrap=True)
    for text in _left_behind(run.folder):
        console.print(Text(f"Note: {text}", style="yellow"), soft_wrap=True)
    path = (run.folder / "map.html").resolve()
    opener = OPENERS.get(sys.platform, "xdg-open")
    console.print(Text(f'Map: {path}\nOpen it in any browser: double-click it, or {opener} "{path}"'), soft_wrap=True)


def explain(config: Path | None) -> None:
    """Print what a run with these settings will do, in words.

    Parameters
    ----------
    config : Path, optional
        A planner's file; the defaults if not given.

    Raises
    ------
    PresenciaError
        If the file is bad.
    """
    print(plan.explain(criteria.load(config)))


def tell(lines: Iterable[str]) -> None:
    """Print sentences, a line each.

    Parameters
    ----------
    lines : iterable of str
        What to say.
    """
    for line in lines:
        print(line)


def given(context: typer.Context) -> list[str]:
    """The options that were written on the command line.

    Parameters
    ----------
    context : Context
        Of the command.

    Returns
    -------
    list of str
        Their names.
    """
    return [name for name in context.params if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"]


def fail(error: PresenciaError) -> int:
    """Print an error in one line.

    Parameters
    ----------
    error : PresenciaError
        What went wrong.

    Returns
    -------
    int
        2, the exit code for bad input.
    """
    print("error:", " ".join(str(error).split()), file=sys.stderr)
    return 2


def _first(run: Run) -> Table:
    """The first municipalities, a line each; what was not measured is a dash, not a zero."""
    title = f"Where permanent presence comes first, {run.summary['year']}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place in (1, 2) else "right")
    ranked = run.municipalities.dropna(subset=["rank"]).sort_values("rank").head(FIRST)
    for row in ranked.to_dict("records"):
        table.add_row(*map(Text, _cells(row)))
    return table


def _read(run: Run) -> Iterator[str]:
    """What the loaders of the planner's own files did, a line each."""
    for entry in run.summary["inputs"].values():
        if entry["bundled"] or "report" not in entry:
            continue
        report = entry["report"]
        yield f"Read {entry['file']}: {report['rows_read']:,} rows, {report['rows_kept']:,} kept."
        yield from (f"  {line}" for line in Report.from_dict(report).short)


def _left_behind(folder: Path) -> Iterator[str]:
    """What scripts/density.py has written for an earlier run in this folder."""
    file = folder / "density.json"
    if file.is_file() and sha256(folder / "run.json") not in file.read_text(encoding="utf-8", errors="replace"):
        yield "density.json and what was written with it are of an earlier run: run scripts/density.py again"


def _cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    spread = "–" if pd.isna(row["rank_low"]) else f"{row['rank_low']}–{row['rank_high']}"
    return (
        str(row["rank"]), row["name"], row["department"], _number(row["score"], 3), spread, _number(row["coca_ha"], 0),
        _number(row["resurgence"], 2), _number(row["farc_events"], 0), _number(row["station_km"], 1),
    )  # fmt: skip


def _totals(run: Run) -> str:
    totals, candidates = run.summary["totals"], run.summary["config"]["candidates"]
    printed = totals["coca_ha_published"]
    return (
        f"{totals['candidates']} candidates with at least {candidates['minimum_coca_ha']:g} ha. "
        f"{totals['high_cultivation']} municipalities hold {candidates['high_share']:.0%} of the coca; "
        f"the FARC left {totals['high_cultivation_vacated']} of them. {totals['zones']} zones.\n"
        f"Coca in all: {totals['coca_ha']:,.0f} ha "
        f"(published: {'none on record' if printed is None else f'{printed:,.0f} ha'})."
    )


def _number(value: Any, decimals: int) -> str:
    return "–" if pd.isna(value) else f"{value:,.{decimals}f}"
