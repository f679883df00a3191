"""Draw the map of a run again: in another language, or over a background that is fetched while it is open."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


class Lang(StrEnum):
    """Languages of the map."""

    es = "es"
    en = "en"


def main(
    run: Annotated[Path, typer.Option(help="Run folder of scripts/zone.py; its inputs must be what they were.")],
    tiles: Annotated[
        str | None,
        typer.Option(help="Background: osm, or an https address with {z}, {x} and {y}. Default: none, no network."),
    ] = None,
    credit: Annotated[str, typer.Option(help="Credit that goes with an address given as --tiles.")] = "",
    lang: Annotated[Lang | None, typer.Option(help="Language in which it opens: es or en. Default: the run's.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The page. Default: map-LANG.html in the run folder, with tiles map-LANG-online.html."),
    ] = None,
) -> None:
    """Draw the map of a run again: in another language, or over a background that is fetched while it is open.

    Without --tiles the page needs no network; with them it may fetch images from that one host.
    """
    from maps import terminal

    try:
        from maps.redraw import redraw
        from maps.standalone import tiles_of

        online = None if tiles is None else tiles_of(tiles, credit)
        with terminal.steps() as step:
            page = redraw(run, lang=None if lang is None else lang.value, online=online, out=out, step=step)
        terminal.tell([f"Map: {page}"])
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
