"""Zonal statistics: what rasters hold in each polygon, cells on a border by their exact share.

The statistics are those of exactextract (Daniel Baston, https://github.com/isciences/exactextract), whose shares of
cells are in single precision. Ours, in :mod:`geo.cells`, are in double, so that neighbours share a cell out to the last
digit, and what lies inside and outside sums to what there is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import rasters
from geo.covers import Covers
from geo.errors import ConfigError, ConservationError, SourceError, listed
from geo.rasters import Raster, Reader, Tile
from geo.tally import ADDED, Layout, Part, Wanted

Floats = npt.NDArray[np.float64]

STATISTICS = ("sum", "mean", "count", "min", "max", "integral", "area_ha", "area_above_ha")
SUMS = ("sum", "integral")
ON_THE_GROUND = frozenset({"integral", "area_ha", "area_above_ha"})
# Of the sum of all magnitudes; beyond it something was lost, and not by rounding.
CONSERVED = 1e-9


@dataclass(frozen=True)
class Zonal:
    """Statistics of every polygon and band.

    Attributes
    ----------
    tables : dict of str to DataFrame
        By statistic, the polygons' index by bands.

        - ``sum``: values, each times the share of its cell that lies inside
        - ``count``: cells with a value, parts as parts
        - ``mean``: of the values, weighted by share and, on a grid in degrees, by the cell's area
        - ``min``, ``max``: of all cells of which more than a thousand-millionth lies inside
        - ``integral``: values times hectares of ground: hectares, where values are shares of a cell
        - ``area_ha``: ground with a value
        - ``area_above_ha``: ground with a value above the threshold

        Missing where no cell with a value lies inside; ``count`` and areas are 0 then.
    outside : dict of str to Series
        By statistic, what lies in no polygon, by band; sums are 0 where nothing does.
    total : DataFrame
        All that the rasters hold: ``sum`` and ``count`` by band, added up apart from the polygons.
    measured : DataFrame
        The polygons' index by bands: the share of each polygon that lies on the raster and has values, by cells.
    """

    tables: dict[str, pd.DataFrame]
    outside: dict[str, pd.Series]
    total: pd.DataFrame
    measured: pd.DataFrame

    def __getitem__(self, statistic: str) -> pd.DataFrame:
        """The table of one statistic."""
        return self.tables[statistic]


@dataclass(frozen=True)
class Task:
    """How a tile becomes a part of the result; it can travel to another process.

    Attributes
    ----------
    reader : Reader
        The rasters.
    covers : Covers
        The cells by polygon.
    wanted : Wanted
        What is asked for.
    """

    reader: Reader
    covers: Covers
    wanted: Wanted

    def __call__(self, tile: Tile) -> Part:
        """Sum a tile up.

        Parameters
        ----------
        tile : Tile
            Which.

        Returns
        -------
        Part
            What it holds.
        """
        cover = self.covers.strip(tile.strip).columns(tile.col, tile.col + tile.width)
        layout = Layout.of(cover, tile, self._area_ha(tile))
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite sum is refused with the file's name
            return layout.part(self.reader.bands(tile), self.wanted)

    @cached_property
    def key(self) -> str:
        """A digest of all that the parts depend on: grid, polygons, files and what is asked for."""
        files = [raster.identity for raster in self.reader.rasters]
        return sha256(repr((self.covers.key, files, self.wanted)).encode()).hexdigest()[:32]

    def _area_ha(self, tile: Tile) -> Floats:
        if not self.wanted.area:
            return np.full(tile.height, np.nan)
        return self.covers.grid.area_ha(range(*tile.strip))


# From a task and its tiles to the parts, in the tiles' order whoever does the work: sums then have the same bits.
Spread = Callable[[Task, Sequence[Tile]], Iterator[Part]]


def threads(number: int | None = None) -> Spread:
    """Spread tiles over threads of this process.

    Parameters
    ----------
    number : int, optional
        How many; as many as there are processors, four at most, if not given.

    Returns
    -------
    Spread
        For :func:`zonal`.

    Raises
    ------
    ConfigError
        If the number is not above 0.
    """
    count = min(os.cpu_count() or 1, 4) if number is None else number
    if count < 1:
        raise ConfigError(f"threads must be 1 or more; found {number}: give another number")

    def spread(task: Task, tiles: Sequence[Tile]) -> Iterator[Part]:
        waiting: deque[Future[Part]] = deque()
        ahead = iter(list(dict.fromkeys(tile.strip for tile in tiles))[1:])
        with ThreadPoolExecutor(count) as pool:
            # No more than a few parts wait, so that memory does not grow with the raster.
            for tile in tiles:
                if tile.col == 0:
                    pool.submit(task.covers.strip, next(ahead, tile.strip))
                waiting.append(pool.submit(task, tile))
                if len(waiting) > 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    return spread


def zonal(
    polygons: gpd.GeoDataFrame,
    paths: Path | Sequence[Path],
    *,
    statistics: Iterable[str] = ("sum", "mean", "count"),
    above: float | None = None,
    cache: Path | None = None,
    spread: Spread | None = None,
) -> Zonal:
    """Work out statistics of polygons over every band of rasters.

    Parameters
    ----------
    polygons : GeoDataFrame
        n valid polygons in any stated CRS; they may overlap, lie off the raster, or be smaller than a cell.
    paths : Path or sequence of Path
        GeoTIFFs; those on one grid are read together.
    statistics : iterable of str
        Of :data:`STATISTICS`.
    above : float, optional
        The threshold of ``area_above_ha``, in the rasters' unit.
    cache : Path, optional
        Folder in which the cells under the polygons are kept for later runs.
    spread : Spread, optional
        Who does the work; threads of this process if not given.

    Returns
    -------
    Zonal
        Bands are named after their descriptions or numbers, and where files are several also after these.

    Raises
    ------
    SourceError
        If a raster cannot be read.
    GeometryError
        If a CRS is missing, or a shape is no valid polygon.
    ConfigError
        If a statistic is unknown or lacks its threshold.
    ConservationError
        If what lies inside and outside does not sum to what there is.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    asked = _checked(statistics, above, files)
    described = [rasters.describe(path) for path in files]
    names = _names(described)
    groups = [
        [raster for raster in described if raster.grid == grid] for grid in dict.fromkeys(r.grid for r in described)
    ]
    found = [_on_one_grid(polygons, group, names, asked, above, cache, spread or threads()) for group in groups]
    return _in_order(found, [name for raster in described for name in names[raster.path]])


def _checked(statistics: Iterable[str], above: float | None, files: Sequence[Path]) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(statistics))
    unknown = [name for name in asked if name not in STATISTICS]
    if unknown or not asked:
        raise ConfigError(
            f"statistics must be of {listed(STATISTICS)}; found {listed(unknown) or 'none'}: choose of these"
        )
    if "area_above_ha" in asked and (above is None or not np.isfinite(above)):
        raise ConfigError(f"area_above_ha needs a threshold; found {above}: give one as above")
    if not files or len(set(files)) < len(files):
        raise ConfigError(f"rasters must be one or more, each once; found {listed(files) or 'none'}: name them")
    return asked


def _names(described: Sequence[Raster]) -> dict[Path, list[str]]:
    """Names of bands, each once."""
    plain = {raster.path: list(raster.names) for raster in described}
    every = [name for names in plain.values() for name in names]
    if len(set(every)) == len(every):
        return plain
    stems = [raster.path.stem for raster in described]
    files = stems if len(set(stems)) == len(stems) else [str(raster.path) for raster in described]
    return {
        raster.path: [f"{file}:{n}" for n in range(1, len(raster.names) + 1)]
        for raster, file in zip(described, files, strict=True)
    }


def _on_one_grid(
    polygons: gpd.GeoDataFrame,
    group: Sequence[Raster],
    names: dict[Path, list[str]],
    asked: tuple[str, ...],
    above: float | None,
    cache: Path | None,
    spread: Spread,
) -> Zonal:
    grid = group[0].grid
    shapes = grid.place(polygons, "polygons")
    areal = ON_THE_GROUND | ({"mean"} if grid.is_geographic else set())
    wanted = Wanted(
        low="min" in asked,
        high="max" in asked,
        area=not areal.isdisjoint(asked),
        above=above if "area_above_ha" in asked else None,
    )
    task = Task(Reader(group), Covers.of(shapes, grid, cache=cache), wanted)
    columns = [name for raster in group for name in names[raster.path]]
    with rasters.small_cache():
        summed = _summed(spread(task, task.reader.tiles()), len(columns), len(shapes))
    _refuse_loss(summed, columns, disjoint=task.covers.union is None)
    in_cells = np.array([0.0 if shape is None else shape.area for shape in shapes])
    return _told(summed, polygons.index, columns, asked, in_cells)


def _summed(parts: Iterable[Part], bands: int, count: int) -> Part:
    """Add parts up in their order; number ``count`` is what lies outside."""
    shape = (bands, count + 1)
    whole = Part(
        np.arange(count + 1), np.zeros((bands, len(ADDED), count + 1)), np.full(shape, np.inf), np.full(shape, -np.inf),
        np.zeros((bands, 2)),
    )  # fmt: skip
    for part in parts:
        whole.added[:, :, part.polygon] += part.added
        whole.low[:, part.polygon] = np.minimum(whole.low[:, part.polygon], part.low)
        whole.high[:, part.polygon] = np.maximum(whole.high[:, part.polygon], part.high)
        whole.total[:] += part.total
    return whole


def _refuse_loss(summed: Part, columns: Sequence[str], *, disjoint: bool) -> None:
    """Compare the counts of cells, which are exact, where every cell belongs to one polygon or none."""
    endless = [name for name, total in zip(columns, summed.total[:, 0], strict=True) if not np.isfinite(total)]
    if endless:
        raise SourceError(f"values must be small enough to be summed; those of {listed(endless)} are not: mend them")
    if not disjoint:
        return
    held, there = summed.added[:, 1].sum(axis=1), summed.total[:, 1]
    lost = np.flatnonzero(np.abs(held - there) > CONSERVED * np.maximum(there, 1.0))
    if len(lost):
        said = listed(f"{columns[int(band)]}: {held[band]:,.6f} of {there[band]:,.0f}" for band in lost)
        raise ConservationError(f"every cell must lie inside or outside; found {said}: check the polygons' borders")


def _told(summed: Part, index: pd.Index, columns: Sequence[str], asked: Sequence[str], in_cells: Floats) -> Zonal:
    figures: dict[str, Floats] = dict(zip(ADDED, summed.added.transpose(1, 0, 2), strict=True))
    figures |= {"min": summed.low, "max": summed.high}
    weights = ("integral", "area_ha") if np.any(figures["area_ha"]) else ("sum", "count")
    known = figures["count"] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        figures["mean"] = figures[weights[0]] / figures[weights[1]]
        measured = np.minimum(figures["count"][:, :-1] / in_cells, 1.0)
    rest = {name: figures[name][:, -1].copy() for name in SUMS}
    for name in ("sum", "mean", "min", "max", "integral"):
        figures[name] = np.where(known & np.isfinite(figures[name]), figures[name], np.nan)
    bands = pd.Index(columns)
    return Zonal(
        {name: pd.DataFrame(figures[name][:, :-1].T, index, bands) for name in asked},
        {name: pd.Series(rest.get(name, figures[name][:, -1]), bands, name=name) for name in asked},
        pd.DataFrame(summed.total, bands, pd.Index(["sum", "count"])),
        pd.DataFrame(measured.T, index, bands),
    )


def _in_order(found: Sequence[Zonal], columns: Sequence[str]) -> Zonal:
    """Results of several grids as one, bands in the order in which the files were given."""
    if len(found) == 1:
        return found[0]
    asked = list(found[0].tables)
    return Zonal(
        {name: pd.concat([part.tables[name] for part in found], axis=1)[list(columns)] for name in asked},
        {name: pd.concat([part.outside[name] for part in found])[list(columns)] for name in asked},
        pd.concat([part.total for part in found]).loc[list(columns)],
        pd.concat([part.measured for part in found], axis=1)[list(columns)],
    )
