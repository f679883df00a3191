"""What ``scripts/density.py`` says on a terminal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from layers.report import Report
from maps import terminal
from maps.densityrun import Enriched

FIRST = 10
COLUMNS = ("enclave", "municipality", "department", "coca ha", "of the nation", "km2", "years", "km to post")


def report(found: Enriched) -> None:
    """Print the answer: the first enclaves, how the layer fits the table, and where the map is.

    Parameters
    ----------
    found : Enriched
        What was found.
    """
    console = terminal.answering()
    if len(found.enclaves):
        console.print(_first(found))
    console.print(Text(found.summary["enclaves"]["in_words"]), soft_wrap=True)
    console.print(Text(_totals(found)), soft_wrap=True)
    for line in Report.from_dict(found.summary["report"]).short:
        console.print(Text(f"  {line}"), soft_wrap=True)
    for sentence in found.reconciliation.sentences:
        console.print(Text(sentence), soft_wrap=True)
    if found.summary["finer"]:
        console.print(Text(FINER, style="yellow"), soft_wrap=True)
    console.print(Text(f"Map: {(found.folder / 'map-density.html').resolve()}"), soft_wrap=True)


FINER = (
    "Note: cells of less than 1 km are shown and exported. They show single fields, and so the families who live by "
    "them: keep these files to those who may know."
)


def _first(found: Enriched) -> Table:
    title = f"Enclaves of {found.year}: dense coca that lasts"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place < 3 else "right")
    rows = found.enclaves.drop(columns="geometry").head(FIRST).reset_index()
    for row in rows.to_dict("records"):
        table.add_row(*map(Text, _cells(row)))
    return table


def _cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    km = "–" if pd.isna(row["station_km"]) else f"{row['station_km']:,.1f}"
    return (
        row["enclave"], row["name"] or "–", row["department"] or "–", f"{row['coca_ha']:,.0f}",
        f"{row['national_share']:.1%}", f"{row['area_km2']:,.0f}", f"{row['years_with_coca']:.1f}", km,
    )  # fmt: skip


def _totals(found: Enriched) -> str:
    counts = found.summary["found"]
    layer_ha = found.reconciliation.totals["layer_ha"][found.year]
    holds = "enclave holds" if counts["enclaves"] == 1 else "enclaves hold"
    return (
        f"{counts['enclaves']} {holds} {counts['enclaves_ha']:,.0f} of the layer's {layer_ha:,.0f} ha of coca of "
        f"{found.year}."
    )
