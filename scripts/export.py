"""Hand over what a run found: GIS layers, workbooks, a database, or a bundle that explains itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


class Lang(StrEnum):
    """Languages of aliases and notes."""

    es = "es"
    en = "en"


def main(
    run: Annotated[Path, typer.Option(help="Run folder of scripts/zone.py.")],
    what: Annotated[
        list[str] | None,
        typer.Option(
            help="municipalities, zones, panel, sites, enclaves, changes, or all; repeat it or part names by commas. "
            "Default: municipalities,zones, and changes with --changes; with --bundle all."
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="gpkg, geojson, geojsonl, parquet, fgb, csv, xlsx or kml; likewise. Default: gpkg."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to. Default: export in the run folder, export-public with --public."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Only municipalities that meet this, and the zones, sites and rows that have them: department=Nariño, "
            "zone=any, rank<=20, vacated, !pdet; repeat it for conditions that are all met. Default: all."
        ),
    ] = None,
    simplify: Annotated[
        float, typer.Option(min=0.0, max=50_000.0, help="Tolerance (m) of simpler borders, still shared; 0 for none.")
    ] = 0.0,
    changes: Annotated[
        Path | None, typer.Option(help="Folder of scripts/compare.py that led to this run. Default: none.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="PostGIS instead of files: postgresql://user@host/database, with ?schema=NAME if wanted."),
    ] = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="One zip with all data, report, map, dictionary and sources.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Leave out police posts and sites, and all that could locate one.")
    ] = False,
    lang: Annotated[Lang | None, typer.Option(help="Language of aliases and notes. Default: the run's.")] = None,
) -> None:
    """Hand over what a run found: GIS layers, workbooks, a database, or a bundle that explains itself.

    Every format carries the same figures; what was not measured is missing, never 0.
    """
    from maps import terminal

    try:
        from maps import exporting

        request = exporting.Request(
            run=run,
            what=exporting.parted(what or ()),
            formats=exporting.parted(formats or ()),
            out=out,
            lang=None if lang is None else lang.value,
            select=tuple(select or ()),
            simplify_m=simplify,
            changes=changes,
            public=public,
            to=to,
            bundle=bundle,
        )
        with terminal.steps(exporting.STEPS) as step:
            told = exporting.export(request, step=step)
        terminal.tell(told)
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
