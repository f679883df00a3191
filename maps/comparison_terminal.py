"""What scripts/compare.py says on a terminal: who entered, who left, who moved most, and why."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from layers.comparison import ENTERED, GONE, LEFT, NEW
from maps import comparison_page, comparison_words
from maps.comparison import Compared
from maps.terminal import OPENERS, answering

MOST = 10
COLUMNS = ("name", "department", "rank", "score", "cause")
LISTS = (("entered", ENTERED), ("left", LEFT), ("new", NEW), ("gone", GONE))


def report(done: Compared) -> None:
    """Print the answer: who entered, left and moved most, the causes, what differs, and how to open the map.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.
    """
    console = answering()
    for line in _answer(done):
        console.print(Text(line), soft_wrap=True)
    for title, rows in _tables(done):
        console.print(_table(title, rows, done))
    for line in (*_why(done), *_map(done)):
        console.print(Text(line), soft_wrap=True)


def _answer(done: Compared) -> Iterator[str]:
    names = [comparison_page.run_name(run, done.texts) for run in (done.before, done.after)]
    yield done.texts.say("table_title", top=done.found.top, before=names[0], after=names[1])
    yield f"{comparison_page.finding(done)} {comparison_page.totals(done)}"


def _tables(done: Compared) -> Iterator[tuple[str, pd.DataFrame]]:
    changes, texts = done.changes, done.texts
    for key, status in LISTS:
        rows = changes[changes["status"] == status]
        if len(rows) or status in (ENTERED, LEFT):
            yield texts.say(f"{key}_title", top=done.found.top, count=len(rows)), pd.DataFrame(rows)
    moved = comparison_page.most_moved(done, MOST)
    if len(moved):
        yield texts.say("moved_title"), moved


def _table(title: str, rows: pd.DataFrame, done: Compared) -> Table:
    texts = done.texts
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        right = column in ("rank", "score")
        table.add_column(texts.say(f"column_{column}"), justify="right" if right else "left", no_wrap=right)
    for row in rows.to_dict("records"):
        table.add_row(*map(Text, _cells(row, texts)))
    if rows.empty:
        table.add_row(Text(texts.say("none")))
    return table


def _cells(row: Mapping[Hashable, Any], texts: comparison_words.Texts) -> tuple[str, ...]:
    ranks = [_figure(row[f"rank_{when}"], texts) for when in ("before", "after")]
    change = "–" if pd.isna(row["score_change"]) else texts.signed(row["score_change"])
    cause = "" if pd.isna(row["main_cause"]) else str(row["main_cause"])
    return str(row["name"]), str(row["department"]), f"{ranks[0]} → {ranks[1]}", change, cause


def _figure(rank: Any, texts: comparison_words.Texts) -> str:
    return "–" if pd.isna(rank) else texts.number(rank, 0)


def _why(done: Compared) -> Iterator[str]:
    lines = comparison_page.share_lines(done)
    if lines:
        yield f"{lines[0]} {'; '.join(lines[1:])}."
    differing = comparison_words.differences(done.before, done.after, done.texts)
    yield done.texts.say("settings_title") + ":"
    yield from (f"  {line}" for line in differing or [done.texts.say("settings_same")])


def _map(done: Compared) -> Iterator[str]:
    path = (done.folder / "changes.html").resolve()
    opener = OPENERS.get(sys.platform, "xdg-open")
    yield done.texts.say("written", path=path)
    yield done.texts.say("open", command=f"{opener} {shlex.quote(str(path))}")
