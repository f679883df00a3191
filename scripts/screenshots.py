"""Take the pictures of the guides: map, card, table, weights and report, in Spanish and in English."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


def main(
    run: Annotated[
        Path | None, typer.Option(help="Run folder of scripts/zone.py. Default: a run of 2020, made for this.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write the PNG files to.")] = Path("docs/images"),
) -> None:
    """Take the pictures of the guides, in Spanish and in English. Needs chromium; no network.

    Sizes are in pixels at 96 dots per inch.
    """
    from maps import terminal

    try:
        from maps import screenshots

        with terminal.steps([shot.name for shot in screenshots.SHOTS]) as step:
            taken = screenshots.take(run, out, step=step)
        terminal.tell(f"File: {path} ({path.stat().st_size / 1e3:,.0f} kB)" for path in taken)
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
