"""Rasters on disk: what their header says, checked, and their values by blocks."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
from rasterio.enums import Interleaving, MaskFlags
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geo.errors import GeometryError, SourceError
from geo.grid import Grid

Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

# GDAL goes by content: a virtual raster in disguise could name any file or address.
BEGINNINGS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"EHFA_HEADER_TAG": "HFA",
    b"ncols": "AAIGrid",
}
KINDS = "GeoTIFF or COG, Erdas Imagine, ASCII grid"
# The Andes at 10 m are 70 thousand million cells (docs/scale.md); a header that tells of far more is broken or a trap.
MOST_CELLS = 10**11
TILE_CELLS = 2**19
TOGETHER = 8  # bands of a tile that are read at once without making it smaller
# GDAL's own cache: tiles follow a raster's blocks, so that it serves bands that are interleaved, and little else.
CACHE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Tile:
    """A window of a grid.

    Attributes
    ----------
    row, col, height, width : int
        Its first row and column, and its size.
    """

    row: int
    col: int
    height: int
    width: int

    @property
    def strip(self) -> tuple[int, int]:
        """Its rows: the first, and the one after the last."""
        return self.row, self.row + self.height


@dataclass(frozen=True)
class Band:
    """The values of one band in a tile.

    Attributes
    ----------
    stored : ndarray, shape (height, width)
        As they stand in the file.
    missing : ndarray of bool, shape (height, width), or None
        Where they are missing; None where nowhere.
    scale, offset : float
        What is meant is ``stored * scale + offset``.
    """

    stored: Values
    missing: Mask | None
    scale: float
    offset: float

    def unpack(self, values: npt.NDArray[np.float64]) -> None:
        """Write what is meant into an array.

        Parameters
        ----------
        values : ndarray, shape (height * width,)
            Where to; row by row.
        """
        np.copyto(values, self.stored.ravel())
        if (self.scale, self.offset) != (1.0, 0.0):
            values *= self.scale
            values += self.offset


@dataclass(frozen=True)
class Raster:
    """What a raster's header says.

    Attributes
    ----------
    path : Path
        The file.
    grid : Grid
        Its cells at full resolution; overviews are not used.
    names : tuple of str
        A description a band, or ``1``, ``2`` ... where it has none.
    dtype : str
        Of the values as stored.
    nodata, scales, offsets : tuple
        A value a band; a value is ``stored * scale + offset``, and missing where ``stored`` equals ``nodata``.
    masked : bool
        Whether the file carries a mask of its own beside the values.
    block : tuple of int
        Rows and columns of the blocks in which the file is stored.
    interleaved : bool
        Whether a block holds all bands, which are then read together.
    tags : mapping of str to str
        What else the file says of itself.
    """

    path: Path
    grid: Grid
    names: tuple[str, ...]
    dtype: str
    nodata: tuple[float | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    masked: bool
    block: tuple[int, int]
    interleaved: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def identity(self) -> tuple[str, int, int]:
        """Path, size and time of change: enough to tell whether a file is still the same."""
        known = self.path.stat()
        return str(self.path.resolve()), known.st_size, known.st_mtime_ns


def describe(path: Path) -> Raster:
    """Read a raster's header, and refuse what could not be read rightly.

    Parameters
    ----------
    path : Path
        GeoTIFF (also a COG), Erdas Imagine or ASCII grid.

    Returns
    -------
    Raster
        The header.

    Raises
    ------
    SourceError
        If the file is missing, unreadable, of another format, without cells, or tells of absurdly many.
    GeometryError
        If it does not say where it lies.
    """
    with _opened(path) as data:
        cells = data.width * data.height
        if not 0 < cells * data.count <= MOST_CELLS:
            raise SourceError(
                f"{path} must have from 1 to {MOST_CELLS:,} cells; its header tells of {data.height:,} x "
                f"{data.width:,} in {data.count:,} bands: export it again, in parts if it is truly as large"
            )
        if any(dtype.startswith("complex") for dtype in data.dtypes):
            raise SourceError(f"{path} must hold real numbers; its bands are {', '.join(data.dtypes)}: export it again")
        return Raster(
            path=path,
            grid=Grid(_crs(path, data), data.transform, data.height, data.width),
            names=tuple(text or str(band) for band, text in enumerate(data.descriptions, 1)),
            dtype=data.dtypes[0],
            nodata=tuple(data.nodatavals),
            scales=tuple(data.scales),
            offsets=tuple(data.offsets),
            masked=any(MaskFlags.per_dataset in flags for flags in data.mask_flag_enums),
            block=data.block_shapes[0],
            interleaved=data.count > 1 and data.interleaving is Interleaving.pixel,
            tags={str(name): str(text) for name, text in data.tags().items()},
        )


def tiles(grid: Grid, block: tuple[int, int], *, together: int = 1) -> list[Tile]:
    """Divide a grid into windows that follow the blocks of its file, of about half a million cells.

    Parameters
    ----------
    grid : Grid
        The grid.
    block : tuple of int
        Rows and columns of a block.
    together : int, default 1
        Bands that are read together: of more than eight the windows are smaller.

    Returns
    -------
    list of Tile
        From the top down, and in each strip from the left; the same for every number of workers.
    """
    # Blocks as wide as the raster, GDAL's default, are read whole: each reading takes all of a block apart.
    most = TILE_CELLS * TOGETHER // max(together, TOGETHER)
    wanted = most if block[1] >= grid.width else math.isqrt(most)
    width = _multiple(block[1], wanted, grid.width)
    height = _multiple(block[0], max(most // width, 1), grid.height)
    return [
        Tile(row, col, min(height, grid.height - row), min(width, grid.width - col))
        for row in range(0, grid.height, height)
        for col in range(0, grid.width, width)
    ]


@contextmanager
def small_cache() -> Iterator[None]:
    """Keep GDAL's cache small while rasters are read tile by tile; else it takes a twentieth of the memory.

    Yields
    ------
    None
        The setting is that of the whole process.
    """
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
        yield


class Reader:
    """The values of several rasters on one grid, tile by tile; each thread has files of its own open.

    Parameters
    ----------
    rasters : sequence of Raster
        All on one grid.
    """

    def __init__(self, rasters: Sequence[Raster]) -> None:
        self.rasters = tuple(rasters)
        self._own = threading.local()

    def __reduce__(self) -> tuple[type[Reader], tuple[tuple[Raster, ...]]]:
        """Travel to another process as headers alone."""
        return Reader, (self.rasters,)

    @property
    def together(self) -> int:
        """How many bands are read at once: the most that any file holds in a block."""
        return max(len(raster.names) if raster.interleaved else 1 for raster in self.rasters)

    def tiles(self) -> list[Tile]:
        """Divide the grid by the blocks of the first file; see :func:`tiles`."""
        return tiles(self.rasters[0].grid, self.rasters[0].block, together=self.together)

    def bands(self, tile: Tile) -> Iterator[Band]:
        """Read a tile.

        Parameters
        ----------
        tile : Tile
            Which.

        Yields
        ------
        Band
            Every band of every raster.

        Raises
        ------
        SourceError
            If a block cannot be read, is not there, or holds infinite values.
        """
        window = Window(tile.col, tile.row, tile.width, tile.height)
        for place, raster in enumerate(self.rasters):
            with _told(raster.path):
                data = self._data(place)
            _refuse_absent(raster, data, tile)
            for band, (stored, hidden) in enumerate(_read(data, raster, window)):
                missing = _missing(stored, raster.nodata[band], raster.path)
                if hidden is not None:
                    missing = hidden if missing is None else missing | hidden
                yield Band(stored, missing, raster.scales[band], raster.offsets[band])

    def _data(self, place: int) -> Any:
        """The open file of this thread."""
        data = self._own.__dict__.setdefault("data", {})
        if place not in data:
            data[place] = _open(self.rasters[place].path)
        return data[place]


def _read(data: Any, raster: Raster, window: Window) -> Iterator[tuple[Values, Mask | None]]:
    """Bands and what their own mask hides: one by one, so that little is held; all at once where blocks hold all."""
    every = list(range(1, len(raster.names) + 1))
    for bands in [every] if raster.interleaved else [[band] for band in every]:
        with _told(raster.path):
            stored = data.read(bands, window=window)
            hidden = data.read_masks(bands, window=window) == 0 if raster.masked else [None] * len(bands)
        yield from zip(stored, hidden, strict=True)


def _missing(values: Values, nodata: float | None, path: Path) -> Mask | None:
    """Where values are missing; None where nowhere. Most tiles are told from their extremes, which is quick."""
    low, high = values.min(), values.max()
    if np.isinf(low) or np.isinf(high) or np.isnan(low):
        nodata_is_infinite = nodata is not None and np.isinf(nodata)
        infinite = np.isinf(values) & (values != nodata if nodata_is_infinite else True)
        if infinite.any():
            raise SourceError(f"{path} must hold finite values; a tile has {infinite.sum():,} infinite ones: mend them")
    if np.isnan(low):
        absent = np.isnan(values)
        return absent if nodata is None or np.isnan(nodata) else absent | (values == values.dtype.type(nodata))
    if nodata is None or np.isnan(nodata) or not _fits(nodata, values.dtype):
        return None
    stored = values.dtype.type(nodata)
    return None if stored < low or stored > high else values == stored


def _fits(nodata: float, dtype: np.dtype[Any]) -> bool:
    """Whether a band can hold its value for missing at all: bytes may state -9999, and then none is missing."""
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return bool(limits.min <= nodata <= limits.max and float(nodata).is_integer())


def _refuse_absent(raster: Raster, data: Any, tile: Tile) -> None:
    """Refuse blocks that the file does not have, where they would be read as zeros."""
    if data.driver != "GTiff":
        return
    height, width = raster.block
    rows = range(tile.row // height, (tile.row + tile.height - 1) // height + 1)
    cols = range(tile.col // width, (tile.col + tile.width - 1) // width + 1)
    for band, nodata in enumerate(raster.nodata, 1):
        if nodata is not None:
            continue
        for row in rows:
            for col in cols:
                if data.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band) is None:
                    raise SourceError(
                        f"{raster.path} must hold all of its blocks; band {band} lacks that of row {row * height:,} "
                        f"and column {col * width:,}, and no value is declared as missing: export it again"
                    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise SourceError(f"{path} must be a raster and is not there; check the path")
    with _told(path), warnings.catch_warnings():
        # A file without a place is refused by us, in other words.
        warnings.simplefilter("ignore")
        with _open(path) as data:
            yield data


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """GDAL's errors as ours."""
    try:
        with rasterio.Env(CPL_DEBUG=False):  # else, in threads, GDAL prints what it is about to raise
            yield
    except (RasterioError, OSError, ValueError, MemoryError) as cause:
        said = " ".join(str(cause).split())[:200] or type(cause).__name__
        raise SourceError(f"{path} must be a whole raster ({KINDS}): {said}; export it again") from cause


def _open(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(16)
    driver = next((driver for start, driver in BEGINNINGS.items() if head.lower().startswith(start.lower())), None)
    if driver is None:
        raise SourceError(f"{path} must be a raster ({KINDS}) and does not begin as one does; export it as one")
    return rasterio.open(path, driver=driver)


def _crs(path: Path, data: Any) -> str:
    if data.crs is None or not data.crs.to_wkt():
        raise GeometryError(
            f"{path} must state its coordinate reference system and states none; assign it (gdal_edit.py)"
        )
    text = str(data.crs.to_wkt())
    stated = pyproj.CRS(text)
    if not (stated.is_geographic or stated.is_projected):
        raise GeometryError(f"{path} must be in a geographic or projected CRS; {stated.name!r} is neither: warp it")
    usable = math.isfinite(sum(data.transform)) and not data.transform.is_degenerate
    if data.transform.is_identity or not usable:
        raise GeometryError(f"{path} must say where its cells lie and does not (no geotransform); warp it first")
    return text


def _multiple(block: int, wanted: int, size: int) -> int:
    """The largest multiple of a block's side up to what is wanted; blocks far larger than that are read in parts."""
    side = max(wanted, 1)
    return min(side if block > 4 * side else max(side // block, 1) * block, size)
