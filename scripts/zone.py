"""Score municipalities, group zones, and write the map, GeoJSON and figures of a run."""

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


class Unit(StrEnum):
    """What values of a density layer are."""

    ha = "ha"
    share = "share"


class Data(StrEnum):
    """Where data come from."""

    bundled = "bundled"
    official = "official"


def main(
    context: typer.Context,
    year: Annotated[int | None, typer.Option(help="Reference year. Default: the last year with coca data.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML) over those of layers/zoning.toml.")] = None,
    boundaries: Annotated[
        Path | None, typer.Option(help="Municipal polygons with DIVIPOLA codes. Default: bundled.")
    ] = None,
    coca: Annotated[Path | None, typer.Option(help="Coca by municipality and year (ha). Default: bundled.")] = None,
    eradication: Annotated[
        Path | None, typer.Option(help="Eradication events or table (ha). Default: bundled.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: out/YEAR.")] = None,
    draws: Annotated[int, typer.Option(min=0, max=100_000, help="Draws for the rank spread; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws: the same seed gives the same bytes.")] = 1,
    lang: Annotated[Lang, typer.Option(help="Language of the map: es or en.")] = Lang.es,
    drop_unmatched: Annotated[
        bool, typer.Option("--drop-unmatched", help="Go on without hectares whose code no boundary has.")
    ] = False,
    data: Annotated[
        Data, typer.Option(help="What no file is named for: bundled, or official as scripts/fetch.py fetched it.")
    ] = Data.bundled,
    weight_changes: Annotated[
        int,
        typer.Option(
            min=0,
            help="For how many on either side of the first 20 to seek the smallest change of weights; 10 take seconds.",
        ),
    ] = 0,
    density: Annotated[
        Path | None,
        typer.Option(help="Coca by cell (GeoTIFF or grid polygons): distances to posts are then the coca's own."),
    ] = None,
    density_unit: Annotated[Unit, typer.Option(help="Its values: ha in a cell, or share of the cell.")] = Unit.ha,
    density_years: Annotated[
        str, typer.Option(help="Years of its bands, 2020 or 2001-2023. Default: as bands or the file tell.")
    ] = "",
    replay: Annotated[
        Path | None,
        typer.Option(help="A run.json: run the same again and compare the bytes. Only --out goes with it."),
    ] = None,
    explain_config: Annotated[
        bool, typer.Option("--explain-config", help="Say in words what the settings will do, and stop.")
    ] = False,
) -> None:
    """Score municipalities, group zones, and write the map, GeoJSON and figures of a run.

    Without options it uses what is bundled and needs no network.
    """
    from maps import terminal

    try:
        if explain_config:
            terminal.explain(config)
            return
        from maps import replay as again
        from maps.inputs import DensityFiles, Settings, years_of
        from maps.run import run

        settings = Settings(
            year,
            config,
            boundaries,
            coca,
            eradication,
            out,
            draws,
            seed,
            lang.value,
            drop_unmatched,
            data.value,
            weight_changes,
            None if density is None else DensityFiles((density,), density_unit.value, years_of(density_years)),
        )
        if replay is not None:
            settings = again.settings_of(replay, out, also=terminal.given(context))
        with terminal.steps() as step:
            done = run(settings, step=step)
        terminal.report(done)
        if replay is not None:
            terminal.tell(again.differences(replay, done.folder))
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
