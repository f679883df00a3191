"""Write the report of a run: one page of HTML in Spanish or English that is read on a screen and printed to A4."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


class Lang(StrEnum):
    """Languages of the report."""

    es = "es"
    en = "en"


def main(
    run: Annotated[Path, typer.Option(help="Run folder of scripts/zone.py; its inputs must be what they were.")],
    lang: Annotated[Lang | None, typer.Option(help="Language: es or en. Default: the run's.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The report. Default: report-LANG.html in the run folder."),
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Leave out police posts and sites, and round distances up."),
    ] = False,
) -> None:
    """Write the report of a run: the answer, a page for each zone, the goal, methods, sources and caveats.

    It needs no network, and prints to A4 from any browser. Every figure in it comes from the run.
    """
    from maps import terminal

    try:
        from maps.opened import open_run
        from maps.report.page import STEPS, write

        with terminal.steps(STEPS) as step:
            opened = open_run(run)
            page = write(opened, lang=None if lang is None else lang.value, out=out, public=public, step=step)
        terminal.tell([f"Report: {page}"])
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
