"""Bring a coca density layer into a run folder: hectares by municipality, enclaves, cells, a map and a check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import PresenciaError


class Unit(StrEnum):
    """What values of a layer are."""

    ha = "ha"
    share = "share"


def main(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="GeoTIFFs on one grid, or the portal's grid polygons (v3rx-q7t3)."),
    ],
    run: Annotated[Path, typer.Option(help="Run folder of scripts/zone.py; its inputs must be what they were.")],
    unit: Annotated[Unit, typer.Option(help="Values: ha in a cell, or the share of the cell (0 to 1).")] = Unit.ha,
    years: Annotated[
        str, typer.Option(help="Years of the bands, 2020 or 2001-2023 or 2019,2021. Default: as bands or files tell.")
    ] = "",
    minimum_density: Annotated[float, typer.Option(help="Of an enclave's cells, ha of coca per km2.")] = 8.0,
    lasting_years: Annotated[
        int | None,
        typer.Option(min=1, help="Years with coca that make a cell last. Default: 5, or all there are."),
    ] = None,
    of_last_years: Annotated[int, typer.Option(min=1, help="Years of which these are counted.")] = 10,
    minimum_area: Annotated[float, typer.Option(min=0, help="Of an enclave, km2.")] = 3.0,
    sides_only: Annotated[
        bool, typer.Option("--sides-only", help="Cells that share only a corner are not contiguous.")
    ] = False,
    reserves: Annotated[
        Path | None, typer.Option(help="Polygons of indigenous reserves. Default: not measured.")
    ] = None,
    councils: Annotated[
        Path | None, typer.Option(help="Polygons of community councils. Default: not measured.")
    ] = None,
    parks: Annotated[Path | None, typer.Option(help="Polygons of national parks. Default: not measured.")] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Share of the table's figure beyond which a difference is flagged.")
    ] = 0.05,
    finer: Annotated[
        bool,
        typer.Option(
            "--finer-than-1-km",
            help="Show and export cells of less than 1 km. They show single fields, and so the families who live by "
            "them: only for those who may know, and never to be passed on.",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes of Dask on this machine. Default: none.")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, tcp://HOST:8786. Default: none.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder for finished parts, to go on after a stop.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for cells under municipalities, for later runs.")] = None,
) -> None:
    """Bring a coca density layer into a run folder: hectares by municipality, enclaves, cells, a map and a check.

    Writes density.csv, reconciliation.csv, enclaves.geojson, cells.geojson, map-density.html and density.json beside
    the run's own files, which stay as they are.
    """
    from maps import terminal

    try:
        from layers.enclaves import EnclaveTerms
        from maps import density_terminal, densityrun
        from maps.inputs import DensityFiles, years_of

        named = {"reserves": reserves, "councils": councils, "parks": parks}
        asked = densityrun.Asked(
            run=run,
            files=DensityFiles(tuple(files), unit=unit.value, years=years_of(years), finer=finer),
            terms=EnclaveTerms(
                minimum_density, lasting_years or min(5, of_last_years), of_last_years, minimum_area, not sides_only
            ),
            shorten=lasting_years is None,
            areas={kind: path for kind, path in named.items() if path is not None},
            tolerance=tolerance,
            cluster=densityrun.Cluster(scheduler, workers, resume, cache),
        )
        with terminal.steps(densityrun.STEPS) as step:
            found = densityrun.enrich(asked, step=step)
        density_terminal.report(found)
    except PresenciaError as error:
        raise typer.Exit(terminal.fail(error)) from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(main)
    app()
