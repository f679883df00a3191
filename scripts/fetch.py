"""Fetch official data sets into the cache: whole, verified, and recorded in a lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Such as: boundaries coca. Without any, list them.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Replace files that publishers changed. Default: tell, keep the old ones.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look only in the cache; an error if it is not there. Default: ask.")
    ] = False,
    mirror: Annotated[
        str, typer.Option(help="Address with the same paths, instead of the publishers' hosts. Default: theirs.")
    ] = "",
    cache: Annotated[
        Path | None, typer.Option(help="Folder of the files. Default: $PRESENCIA_DATA, else the user's data folder.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time limit for each data set (minutes).")] = 60.0,
) -> None:
    """Fetch official data sets into the cache: whole, verified, and recorded in a lock.

    A download that breaks off goes on where it was when it is run again.
    """
    from layers.fetch import Settings, cache_folder, fetch, read_lock
    from layers.sources import downloads, sources
    from layers.web import Limits
    from maps import progress, terminal

    try:
        if not names:
            folder = cache_folder(cache)
            progress.tell_all(downloads(), sources(), read_lock(folder), folder)
        settings = Settings(cache, mirror, offline, update, Limits(total_s=60 * minutes))
        for name in dict.fromkeys(names or ()):
            with progress.bar() as told:
                outcome = fetch(name, settings, told)
            progress.tell(outcome)
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
