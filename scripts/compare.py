"""Compare two run folders: who entered the first, who left, who moved, and which measure or weight made it so."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


class Lang(StrEnum):
    """Languages of the answer."""

    es = "es"
    en = "en"


def main(
    before: Annotated[
        Path, typer.Argument(metavar="A", help="Run folder of scripts/zone.py: the earlier or usual one.")
    ],
    after: Annotated[Path, typer.Argument(metavar="B", help="Run folder to hold against it.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to. Default: out/compare-A-B.")] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the answer, the causes and the map: es or en.")] = Lang.es,
) -> None:
    """Compare two run folders: who entered the first, who left, who moved, and which measure or weight made it so.

    Writes changes.csv, changes.geojson and changes.html. Scores are from 0 to 1; causes sum to the change of the score.
    """
    from maps import terminal

    try:
        from maps import comparison, comparison_terminal

        comparison_terminal.report(comparison.compare(before, after, out=out, lang=lang.value))
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
