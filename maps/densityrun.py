"""A density layer brought into a run folder: hectares by municipality, enclaves, cells, and how it fits the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo import cluster, journal, rasters, zonal
from geo.crs import to_storage
from geo.files import replacing, sha256
from layers import access, criteria, densityraster, enclaves, reconcile, territories
from layers import density as layer
from layers.density import RASTERS, Density
from layers.enclaves import EnclaveTerms
from layers.reconcile import Reconciliation, Sums
from maps import bycell, export, record, replay, standalone, webmap
from maps.density import DensityContent
from maps.inputs import SEEN, DensityFiles, read
from maps.run import Work, content_of, find

STEPS = (
    "reading the run",
    "reading the density layer",
    "summing by municipality",
    "finding enclaves",
    "drawing",
    "writing",
)
TABLES = ("density.csv", "reconciliation.csv")


@dataclass(frozen=True)
class Cluster:
    """Who sums large rasters up.

    Attributes
    ----------
    scheduler : str, optional
        Address of a Dask scheduler.
    workers : int, optional
        Processes to start on this machine.
    resume : Path, optional
        Folder in which finished parts are kept.
    cache : Path, optional
        Folder in which the cells under municipalities are kept for later runs.
    """

    scheduler: str | None = None
    workers: int | None = None
    resume: Path | None = None
    cache: Path | None = None

    @contextmanager
    def spread(self) -> Iterator[zonal.Spread]:
        """Start what is asked for.

        Yields
        ------
        Spread
            Threads of this process, or a cluster; resuming where a folder is given.
        """
        if self.scheduler is None and self.workers is None:
            yield self._resuming(zonal.threads())
            return
        with cluster.dask(scheduler=self.scheduler, workers=self.workers) as spread:
            yield self._resuming(spread)

    def _resuming(self, spread: zonal.Spread) -> zonal.Spread:
        return spread if self.resume is None else journal.resuming(spread, self.resume)


@dataclass(frozen=True)
class Asked:
    """What a planner asks of a density layer.

    Attributes
    ----------
    run : Path
        The run folder.
    files : DensityFiles
        The layer.
    terms : EnclaveTerms
        What makes an enclave.
    shorten : bool
        Whether coca of a layer with fewer years than ``terms.lasting_years`` lasts that is there in all of them.
    areas : dict of str to Path
        Files of ``reserves``, ``councils`` and ``parks``, as far as they are at hand.
    tolerance : float
        Share of the table's figure beyond which a difference is flagged.
    cluster : Cluster
        Who sums rasters up.
    """

    run: Path
    files: DensityFiles
    terms: EnclaveTerms
    shorten: bool
    areas: dict[str, Path]
    tolerance: float
    cluster: Cluster


@dataclass(frozen=True)
class Enriched:
    """What was found.

    Attributes
    ----------
    folder : Path
        The run folder.
    year : int
        Its reference year.
    municipalities : DataFrame
        What ``density.csv`` holds.
    enclaves : GeoDataFrame
        What ``enclaves.geojson`` holds.
    reconciliation : Reconciliation
        Layer and table side by side.
    summary : dict
        What ``density.json`` holds.
    """

    folder: Path
    year: int
    municipalities: pd.DataFrame
    enclaves: gpd.GeoDataFrame
    reconciliation: Reconciliation
    summary: dict[str, Any]


def enrich(asked: Asked, *, step: Callable[[str], None] = lambda _: None) -> Enriched:
    """Bring a density layer into a run folder; the run's own files stay as they are.

    Parameters
    ----------
    asked : Asked
        What is asked for.
    step : callable, optional
        Told each of ``STEPS`` as it begins, for a progress bar.

    Returns
    -------
    Enriched
        What was found; the folder then also holds ``density.csv``, ``reconciliation.csv``, ``enclaves.geojson``,
        ``cells.geojson``, ``map-density.html`` and ``density.json``.

    Raises
    ------
    PresenciaError
        If the run or a file is bad, or the folder cannot be written.
    """
    step(STEPS[0])
    settings = replay.settings_of(asked.run)
    zoning = criteria.load(settings.config)
    work = find(settings, zoning, read(settings))
    year, inputs = work.priorities.year, work.inputs
    step(STEPS[1])
    density = asked.files.load()
    terms = enclaves.shortened(density, asked.terms, year=year) if asked.shorten else asked.terms
    areas = {kind: LOADERS[kind](path).frame for kind, path in asked.areas.items()}
    step(STEPS[2])
    sums = _sums(density, work, asked)
    fits = reconcile.reconcile(
        sums,
        work.panel.wide("coca_ha"),
        tolerance=asked.tolerance,
        year=year,
        departments=inputs.boundaries.frame["department"],
    )
    towns = _municipalities(density, work, sums, fits)
    step(STEPS[3])
    found = bycell.enclaves_of(inputs, work.panel, density, year=year, terms=terms, areas=areas)
    cells = _cells(density, work)
    step(STEPS[4])
    shown = DensityContent(density, found, terms, bycell.credit_of(density), year=year)
    page = standalone.page(webmap.build(content_of(work, cells=shown), lang=settings.lang))
    step(STEPS[5])
    folder = asked.run if asked.run.is_dir() else asked.run.parent
    summary = _summary(asked, density, work, shown, fits)
    with replacing(folder) as partial:
        export.write_csv(export.rounded(towns), partial / TABLES[0])
        export.write_csv(export.rounded(fits.table).set_index("code"), partial / TABLES[1])
        export.write_geojson(export.rounded(found), partial / "enclaves.geojson")
        export.write_geojson(export.rounded(cells), partial / "cells.geojson")
        (partial / "map-density.html").write_text(page, encoding="utf-8", newline="\n")
        outputs = {file.name: sha256(file) for file in sorted(partial.iterdir())}
        export.write_json(summary | {"outputs": outputs}, partial / "density.json")
    if asked.cluster.resume is not None:
        journal.clear(asked.cluster.resume)
    return Enriched(folder, year, towns, found, fits, summary)


LOADERS = {
    "reserves": territories.load_reserves,
    "councils": territories.load_councils,
    "parks": territories.load_parks,
}


def _sums(density: Density, work: Work, asked: Asked) -> Sums:
    """Hectares by municipality: of rasters from their own cells, of polygons from the gridded ones."""
    places = work.inputs.boundaries.frame
    if asked.files.paths[0].suffix.lower() in RASTERS:
        inside, outside, measured = _by_zonal_statistics(density, work, asked)
    else:
        inside, outside = reconcile.hectares_by_municipality(density, places)
        measured = reconcile.measured_share(density, places)
    return Sums(
        inside,
        outside,
        density.totals(),
        measured,
        listed=density.unmeasured is None,
        suspicious=density.maybe_shares,
        grid=density.grid,
    )


def _by_zonal_statistics(density: Density, work: Work, asked: Asked) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    paths, places = asked.files.paths, work.inputs.boundaries.frame
    statistic = "sum" if asked.files.unit == "ha" else "integral"
    with asked.cluster.spread() as spread:
        found = zonal.zonal(places, paths, statistics=[statistic], cache=asked.cluster.cache, spread=spread)
    headers = [rasters.describe(path) for path in paths]
    years = pd.Index(densityraster.band_years(headers, year=None, years=asked.files.years or None), name="year")
    inside, measured = (table.set_axis(years, axis=1)[density.years] for table in (found[statistic], found.measured))
    # What lies in no municipality is 0 where nothing does, and unknown where nothing was measured at all.
    outside = found.outside[statistic].set_axis(years)[density.years].where(density.totals().notna())
    return inside, outside.rename("outside_ha"), measured


def _municipalities(density: Density, work: Work, sums: Sums, fits: Reconciliation) -> pd.DataFrame:
    """The reference year by municipality: layer, table, and how near posts are to the coca itself."""
    year, inputs = work.priorities.year, work.inputs
    places = inputs.boundaries.frame
    of_year = fits.table[fits.table["year"] == year].set_index("code")
    near = access.within_post(density, places, inputs.posts.frame, year=year, unreported=inputs.unreported)
    near = near.where(sums.seen[year] >= SEEN).rename(columns={"station_km": "coca_station_km"})
    named = places[["name", "department"]].assign(
        density_ha=sums.inside[year], table_ha=work.panel.wide("coca_ha")[year]
    )
    beside = of_year[["difference_ha", "ratio", "flagged"]]
    return named.join(beside).assign(measured_share=sums.seen[year]).join(near)


def _cells(density: Density, work: Work) -> gpd.GeoDataFrame:
    """The cells that had coca in any year up to the reference year, with their permanence class."""
    year, windows = work.priorities.year, work.zoning.windows
    classes = layer.permanence(
        density, year=year, window_years=windows.permanence_years, recent_years=windows.recent_years
    )
    past = [each for each in density.years if each <= year]
    frame = gpd.GeoDataFrame(
        {
            "row": density.row,
            "col": density.col,
            "coca_ha": density.hectares[year],
            "coca_ha_per_km2": density.density()[:, density.years.index(year)],
            "permanence_class": classes,
        },
        geometry=density.grid.cells(density.row, density.col).to_numpy(),
        crs=density.grid.crs,
    )
    return to_storage(frame[(density.hectares[past] > 0).any(axis=1)])


def _summary(asked: Asked, density: Density, work: Work, shown: DensityContent, fits: Reconciliation) -> dict[str, Any]:
    year = work.priorities.year
    known = enclaves.known_years(density, shown.terms, year=year)
    files = {f"layer_{number}": path for number, path in enumerate(asked.files.paths, 1)} | asked.areas
    return {
        "year": year,
        "unit": asked.files.unit,
        "years": density.years,
        "years_stated": list(asked.files.years),
        "finer": asked.files.finer,
        "modelled": density.modelled,
        "cell_km": round(density.grid.side_km, 6),
        "enclaves": {**asdict(shown.terms), "in_words": enclaves.in_words(shown.terms, known)},
        "tolerance": fits.tolerance,
        "minimum_ha": fits.minimum_ha,
        "run": sha256((asked.run if asked.run.is_dir() else asked.run.parent) / "run.json"),
        "inputs": {name: {"file": str(path), "sha256": sha256(path)} for name, path in files.items()},
        "report": density.report.as_dict(),
        "totals": fits.totals.round(record.DECIMALS).to_dict("index"),
        "found": {
            "enclaves": len(shown.enclaves),
            "enclaves_ha": round(float(shown.enclaves["coca_ha"].sum()), record.DECIMALS),
            "flagged": len(fits.flagged),
        },
        "sentences": list(fits.sentences),
        "versions": record.versions(),
    }
