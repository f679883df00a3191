"""Coca by cell as an image layer of the page: warped to the map's projection, a picture a year, enclaves on top."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import STORAGE
from geo.errors import ConfigError, GeometryError
from geo.grid import Grid
from layers.density import Density
from layers.enclaves import EnclaveTerms, known_years
from maps import legend, palette

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Classes = npt.NDArray[np.uint8]
Bounds = tuple[float, float, float, float]
Frame = tuple[float, float, float, int, int]  # west, north, step, height, width

LEAST_KM = 0.99
WEB_MERCATOR = "EPSG:3857"
SHARP, PLAIN = 4, 2  # pixels to a side of a cell
MOST_PIXELS = 12_000_000  # of one picture: 1 km cells of the whole country at two pixels each are 8 million
MOST_BYTES = 2_000_000  # of all pictures together
OVERVIEW = 2  # times that the page's smaller picture halves the full one
PAD = 0.05  # of a cell: a straight edge of the grid is a little bent in the map's projection
CENTIMETRES = 100.0
RING_DECIMALS = 5  # degrees: about a metre
STRAIGHT_DEG = 1e-6
TINT, FAINT = "#5c5c5c", 96  # what was not measured; no class is grey, and municipalities are seen through it
UNMEASURED = 1  # below all classes of coca, so that halving a picture hides none
EDGE_POINTS = 24  # a side of the grid is a little bent on the map
MOST_MASK_PIXELS, MOST_MASK_BYTES = 6_000_000, 400_000
AT_ONCE = 1_000_000
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

AMOUNT = legend.Amount("density", "cultivation", "ha_per_km2", palette.COCA)
NUMBERS = (
    "coca_ha",
    "national_share",
    "area_km2",
    "cells",
    "years_with_coca",
    "station_km",
    "reserve_share",
    "council_share",
    "park_share",
)


@dataclass(frozen=True)
class DensityContent:
    """What the map shows of coca by cell.

    Parameters
    ----------
    density : Density
        Hectares by cell and year.
    enclaves : GeoDataFrame
        Contiguous dense cells that last, in EPSG:4326, as :func:`layers.enclaves.find` gives them.
    terms : EnclaveTerms
        What made them enclaves.
    credit : str
        Who measured the cells, in words.
    year : int, optional
        The year that the enclaves' figures are of; the last of the density if not given.
    """

    density: Density
    enclaves: gpd.GeoDataFrame
    terms: EnclaveTerms
    credit: str
    year: int | None = None


@dataclass(frozen=True)
class Warp:
    """Which cell lies at each pixel of a picture in web Mercator (EPSG:3857).

    Attributes
    ----------
    west, north : float
        Corner of the picture, in metres of the projection.
    step : float
        Side of a pixel, in metres of the projection.
    height, width : int
        Pixels.
    pixel : ndarray of int64, shape (m,)
        Pixels on which a cell lies, counted row by row.
    cell : ndarray of int64, shape (m,)
        The place of that cell among those that were warped.
    """

    west: float
    north: float
    step: float
    height: int
    width: int
    pixel: Whole
    cell: Whole

    def size(self, halvings: int) -> tuple[int, int]:
        """Height and width once halved so often; the last pixels may reach beyond those of the full picture."""
        return -(-self.height >> halvings), -(-self.width >> halvings)

    def picture(self, classes: Classes, halvings: int = 0) -> Classes:
        """Paint the cells.

        Parameters
        ----------
        classes : ndarray of uint8, shape (cells,)
            Class of each cell; 0 is no colour.
        halvings : int
            How often to halve the sides. A pixel then shows the highest class of those it stands for, so that no cell
            is lost between two pixels.

        Returns
        -------
        ndarray of uint8, shape (height, width) halved so often, rounded up
            Class at each pixel, 0 where there is none.
        """
        height, width = self.size(halvings)
        row, col = (at >> halvings for at in np.divmod(self.pixel, max(self.width, 1)))
        flat = np.zeros(height * width, dtype=np.uint8)
        np.maximum.at(flat, row * width + col, classes[self.cell])
        return flat.reshape(height, width)


def layer(content: DensityContent, *, within: BaseGeometry | None = None) -> dict[str, Any]:
    """Give the page what it draws of coca by cell.

    Parameters
    ----------
    content : DensityContent
        What to show.
    within : geometry, optional
        What the page shows, in degrees, or its hull: what was not measured is drawn within its bounds, and the layer's
        edge where it lies within.

    Returns
    -------
    dict
        JSON-ready. ``images`` has, for each year in which some cell has coca or is blank, ``full`` and ``overview``:
        palette PNGs in base64, transparent where a cell has 0 ha, and of ``tint`` where that year did not measure it.
        The pixels of full ones are ``step`` metres long, from ``west`` and ``north`` on in EPSG:3857; those of
        overviews ``overview`` times as long. ``pixels_a_cell`` says how many pixels the shorter side of a cell has at
        least: 4; 2 where that would take more than 12 million pixels a year; fewer where even so it would, or all years
        together would take over 2 MB. ``years`` are those with measurements, ``blank`` those of them that did not
        measure all cells. ``never`` is a picture like the others of what no year measured (None where there is no such
        cell), and ``edge`` the grid's outline in degrees, beyond which nothing was measured (None where the file lists
        cells, and all others have none, or where nothing that is shown lies beyond). ``known`` are the years that tell
        whether coca lasted.

    Raises
    ------
    ConfigError
        If the cells are finer than 1 km and nobody asked for that.
    """
    density, finer = content.density, _finer(content.density)
    return {
        "side_km": round(density.grid.side_km, 3),
        "finer": finer,
        **_pictures(density),
        "never": _never(density, None if within is None else within.bounds),
        "edge": _edge(density, within),
        "tint": {"colour": TINT, "alpha": FAINT},
        "enclaves": _enclaves(content),
        "terms": asdict(content.terms),
        "year": _year(content),
        "known": _known(content),
        "credit": content.credit,
        "modelled": density.modelled,
    }


def warp(grid: Grid, row: npt.ArrayLike, col: npt.ArrayLike, *, pixels_a_cell: int = PLAIN) -> Warp:
    """Find the cell at the centre of each pixel of a picture in web Mercator that covers some cells.

    The centre of a pixel is transformed into the grid, exactly, and belongs to the cell in which it falls. The picture
    reaches one cell beyond the outermost.

    Parameters
    ----------
    grid : Grid
        Where the cells lie.
    row, col : array_like of int, shape (n,)
        The cells, in any order, each once.
    pixels_a_cell : int
        How many pixels the shortest side of any cell has at least.

    Returns
    -------
    Warp
        Without cells it has no pixels.

    Raises
    ------
    GeometryError
        If a cell lies where web Mercator is not defined.
    """
    rows, cols = np.asarray(row, dtype=np.int64), np.asarray(col, dtype=np.int64)
    if not len(rows):
        return Warp(0.0, 0.0, 1.0, 0, 0, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    corners = _corners(grid, rows, cols)
    frame = _frame(corners, pixels_a_cell)
    pixels = _near(corners, frame)
    cell = _cell_at(pixels, frame, grid, rows * grid.width + cols)
    return Warp(*frame, pixels[cell >= 0], cell[cell >= 0])


def png(classes: Classes, colours: tuple[str, ...], alpha: int = 255) -> bytes:
    """Write classes as a PNG with a palette (ISO 15948, colour type 3, eight bits).

    Parameters
    ----------
    classes : ndarray of uint8, shape (height, width)
        0 is transparent, 1 the first colour.
    colours : tuple of str
        ``#rrggbb``.
    alpha : int
        How opaque the first of them is, 0..255.

    Returns
    -------
    bytes
        The file; the same classes give the same bytes.
    """
    height, width = classes.shape
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # a line begins with its filter: 0, none
    lines[:, 1:] = classes
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes.fromhex("ffffff" + "".join(colour[1:] for colour in colours))),
        (b"tRNS", bytes([0, alpha])),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _pictures(density: Density) -> dict[str, Any]:
    """The picture of each year, where they lie, and their classes."""
    values = density.density()
    scale = legend.fitted(AMOUNT, pd.DataFrame(values))
    measured = np.asarray(~np.isnan(values).all(axis=0))
    gap = np.asarray(np.isnan(values) & measured)
    drawn = np.flatnonzero(((values > 0) | gap).any(axis=1))
    warped, pixels_a_cell = _sharpest(density.grid, density.row[drawn], density.col[drawn])
    years = {year: at for at, year in enumerate(density.years) if measured[at]}
    classes = {year: _classes(values[drawn, at], scale.breaks) for year, at in years.items()}
    colours = (TINT, *scale.colours)
    halvings, images = _within_bounds(warped, {y: c for y, c in classes.items() if c.any()}, colours)
    return {
        "west": warped.west,
        "north": warped.north,
        "step": warped.step * 2**halvings,
        "pixels_a_cell": pixels_a_cell / 2**halvings,
        "overview": 2**OVERVIEW,
        "images": images,
        "years": list(years),
        "blank": [year for year, at in years.items() if gap[:, at].any()],
        "scale": scale.to_dict(),
    }


def _sharpest(grid: Grid, row: Whole, col: Whole) -> tuple[Warp, int]:
    """The finer warp where its pictures are not too large, and the pixels that a side of a cell has in it."""
    plain = warp(grid, row, col, pixels_a_cell=PLAIN)
    if math.prod(plain.size(0)) * (SHARP // PLAIN) ** 2 > MOST_PIXELS:
        return plain, PLAIN
    return warp(grid, row, col, pixels_a_cell=SHARP), SHARP


def _finer(density: Density) -> bool:
    """Whether cells are finer than 1 km, which somebody must have asked for."""
    side_km = density.grid.side_km
    if side_km < LEAST_KM and not density.finer:
        raise ConfigError(
            f"a map shows coca by cells of 1 km or more; found cells of {side_km:.3g} km. Finer cells show single "
            "fields, which is what persons own and do; permanent presence is planned by cell of 1 km: gather the cells "
            "into coarser ones, or ask for finer cells expressly, and keep the page to those who may see it"
        )
    return side_km < LEAST_KM


def _year(content: DensityContent) -> int | None:
    years = content.density.years
    return content.year or (years[-1] if years else None)


def _known(content: DensityContent) -> list[int]:
    year = _year(content)
    return [] if year is None else known_years(content.density, content.terms, year=year)


def _classes(values: Floats, breaks: tuple[float, ...]) -> Classes:
    """0 for what is 0, then what was not measured, and from there on the classes as the page's scales have them."""
    found = np.searchsorted(np.asarray(breaks, dtype=float), np.nan_to_num(values), side="right") + 1 + UNMEASURED
    return np.where(np.isnan(values), UNMEASURED, np.where(values > 0, found, 0)).astype(np.uint8)


def _edge(density: Density, within: BaseGeometry | None) -> list[list[float]] | None:
    """Outline of a raster's grid, longitude first; None where all that is shown lies within."""
    if density.unmeasured is None:
        return None
    grid = density.grid
    box = shapely.segmentize(shapely.box(0, 0, grid.width, grid.height), max(grid.width, grid.height) / EDGE_POINTS)
    x, y = grid.located(shapely.get_coordinates(box)).T
    lng, lat = pyproj.Transformer.from_crs(grid.crs, STORAGE, always_xy=True).transform(x, y)
    ring = np.column_stack([lng, lat])
    known = np.round(ring[np.isfinite(ring).all(axis=1)], RING_DECIMALS)
    if within is not None and len(known) > 3 and shapely.covers(shapely.Polygon(known), within):
        return None
    return [[float(x), float(y)] for x, y in known]


def _never(density: Density, within: Bounds | None) -> dict[str, Any] | None:
    """The picture of what no year measured, of two pixels a side of a cell or, where these are too many, fewer."""
    mask = density.unmeasured
    frame = None if mask is None or not mask.any() else _mask_frame(density.grid, mask, within)
    if mask is None or frame is None:
        return None
    while True:
        west, north, step, height, width = frame
        image = b"" if height * width > MOST_MASK_PIXELS else png(_mask(density.grid, mask, frame), (TINT,), FAINT)
        if image and (len(image) <= MOST_MASK_BYTES or max(height, width) == 1):
            return {"west": west, "north": north, "step": step, "image": base64.b64encode(image).decode("ascii")}
        frame = west, north, 2 * step, -(-height // 2), -(-width // 2)


def _mask_frame(grid: Grid, mask: npt.NDArray[np.bool_], within: Bounds | None) -> Frame | None:
    """A frame around the cells of a mask, as far as they lie within some bounds; None where none does."""
    corners = _projected(grid, *_rim(mask))
    there = corners[np.isfinite(corners).all(axis=(1, 2))]
    if not len(there):
        return None
    west, north, step, height, width = _frame(there, PLAIN)
    if within is None:
        return west, north, step, height, width
    inside = pyproj.Transformer.from_crs(STORAGE, WEB_MERCATOR, always_xy=True).transform_bounds(*within)
    east, south = min(west + width * step, inside[2]), max(north - height * step, inside[1])
    west, north = max(west, math.floor(inside[0])), min(north, math.ceil(inside[3]))
    if east <= west or north <= south:
        return None
    return west, north, step, math.ceil((north - south) / step), math.ceil((east - west) / step)


def _rim(mask: npt.NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """First and last cell of each row and column of a mask: no other lies farther out."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    of_rows = [mask[rows].argmax(axis=1), width - 1 - mask[rows, ::-1].argmax(axis=1)]
    of_cols = [mask[:, cols].argmax(axis=0), height - 1 - mask[::-1, cols].argmax(axis=0)]
    return np.concatenate([rows, rows, *of_cols]), np.concatenate([*of_rows, cols, cols])


def _mask(grid: Grid, mask: npt.NDArray[np.bool_], frame: Frame) -> Classes:
    """What no year measured, at each pixel's centre."""
    flat = np.zeros(frame[3] * frame[4], dtype=np.uint8)
    for first in range(0, len(flat), AT_ONCE):
        pixels = np.arange(first, min(first + AT_ONCE, len(flat)))
        cell = _cell_under(pixels, frame, grid)
        flat[pixels] = (cell >= 0) & mask.ravel()[cell]
    return flat.reshape(frame[3], frame[4])


def _corners(grid: Grid, row: Whole, col: Whole) -> Floats:
    """Corners of cells in web Mercator, the first again as the last: shape (n, 5, 2)."""
    corners = _projected(grid, row, col)
    lost = ~np.isfinite(corners).all(axis=(1, 2))
    if lost.any():
        raise GeometryError(
            f"cells must lie between the poles, where the map's projection is defined; {lost.sum()} do not, the first "
            f"in row {row[lost][0]} and column {col[lost][0]}: look at the raster's transform and CRS"
        )
    return corners


def _projected(grid: Grid, row: Whole, col: Whole) -> Floats:
    polygons = grid.cells(row, col).to_crs(WEB_MERCATOR)
    return np.asarray(shapely.get_coordinates(polygons.to_numpy()).reshape(len(row), 5, 2))


def _frame(corners: Floats, pixels_a_cell: int) -> Frame:
    """West, north, step, height and width of the picture."""
    sides = np.hypot(*np.moveaxis(np.diff(corners, axis=1), 2, 0))
    (west, south), (east, north) = corners.min(axis=(0, 1)) - sides.max(), corners.max(axis=(0, 1)) + sides.max()
    step = math.floor(sides.min() / pixels_a_cell * CENTIMETRES) / CENTIMETRES
    west, north = math.floor(west), math.ceil(north)
    return float(west), float(north), step, math.ceil((north - south) / step), math.ceil((east - west) / step)


def _near(corners: Floats, frame: Frame) -> Whole:
    """Pixels whose centre may lie in a cell: those in the box around each, ascending, each once."""
    west, north, step, _, width = frame
    low, high = corners.min(axis=1), corners.max(axis=1)
    pad = PAD * (high - low)
    low, high = low - pad, high + pad
    first = np.ceil(np.column_stack([low[:, 0] - west, north - high[:, 1]]) / step - 0.5).astype(np.int64)
    last = np.floor(np.column_stack([high[:, 0] - west, north - low[:, 1]]) / step - 0.5).astype(np.int64)
    across, down = (last - first + 1).T
    owner = np.repeat(np.arange(len(corners)), across * down)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(across * down) - across * down, across * down)
    col, row = first[owner, 0] + number % across[owner], first[owner, 1] + number // across[owner]
    return np.unique(row * width + col)


def _cell_at(pixels: Whole, frame: Frame, grid: Grid, listed: Whole) -> Whole:
    """Place among the listed cells of the one at each pixel's centre, -1 where there is none."""
    wanted = _cell_under(pixels, frame, grid)
    order = np.argsort(listed, kind="stable")
    at = np.searchsorted(listed[order], wanted).clip(max=len(listed) - 1)
    return np.where(listed[order][at] == wanted, order[at], -1)


def _cell_under(pixels: Whole, frame: Frame, grid: Grid) -> Whole:
    """The cell of the grid at each pixel's centre, counted row by row; -1 beyond the grid."""
    west, north, step, _, width = frame
    x, y = west + (pixels % width + 0.5) * step, north - (pixels // width + 0.5) * step
    x, y = pyproj.Transformer.from_crs(WEB_MERCATOR, grid.crs, always_xy=True).transform(x, y)
    back = ~grid.transform
    with np.errstate(invalid="ignore"):  # where the grid's projection is not defined, which is beyond the grid
        col, row = np.floor(back.a * x + back.b * y + back.c), np.floor(back.d * x + back.e * y + back.f)
    inside = (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    return np.where(inside, row * grid.width + col, -1).astype(np.int64)


def _within_bounds(
    warped: Warp, classes: Mapping[int, Classes], colours: tuple[str, ...]
) -> tuple[int, dict[str, dict[str, str]]]:
    """Halve the pictures until none is too large, nor all of them together."""
    halvings = 0
    while math.prod(warped.size(halvings)) > MOST_PIXELS:
        halvings += 1
    while (images := _images(warped, classes, colours, halvings)) is None:
        halvings += 1
    return halvings, images


def _images(
    warped: Warp, classes: Mapping[int, Classes], colours: tuple[str, ...], halvings: int
) -> dict[str, dict[str, str]] | None:
    """The pictures of every year in base64; None as soon as they are too many bytes, unless they cannot be smaller."""
    images: dict[str, dict[str, str]] = {}
    size, smallest = 0, max(warped.size(halvings)) == 1
    for year, values in classes.items():
        times = {"full": halvings, "overview": halvings + OVERVIEW}
        pair = {name: png(warped.picture(values, often), colours, FAINT) for name, often in times.items()}
        size += sum(map(len, pair.values()))
        if size > MOST_BYTES and not smallest:
            return None
        images[str(year)] = {name: base64.b64encode(image).decode("ascii") for name, image in pair.items()}
    return images


def _enclaves(content: DensityContent) -> list[dict[str, Any]]:
    enclaves, density = content.enclaves, content.density
    if enclaves.empty:
        return []
    inside = shapely.STRtree(density.centres().to_crs(STORAGE).to_numpy())
    hectares = density.hectares.to_numpy(dtype=float)
    return [
        _enclave(str(name), row)
        | {"by_year": _by_year(density.years, hectares[np.sort(inside.query(row["geometry"], "contains"))])}
        for name, row in zip(enclaves.index, enclaves.to_dict("records"), strict=True)
    ]


def _enclave(name: str, row: Mapping[Any, Any]) -> dict[str, Any]:
    figures = {key: None if pd.isna(row[key]) else float(row[key]) for key in NUMBERS}
    texts = {key: None if pd.isna(row[key]) else str(row[key]) for key in ("name", "department")}
    members = [str(code) for code in row["municipalities"]]
    return {"id": name, **texts, "municipalities": members, **figures, "rings": _rings(row)}


def _by_year(years: list[int], hectares: Floats) -> dict[str, float | None]:
    """Hectares of all cells by year; None where none of them was measured."""
    table = pd.DataFrame(hectares, columns=years)
    totals = table.sum(min_count=1)
    return {str(year): None if pd.isna(total) else round(float(total), 2) for year, total in totals.items()}


def _rings(row: Mapping[Any, Any]) -> list[list[list[list[float]]]]:
    """Rings of each polygon, longitude first, without corners on straight edges."""
    shape = row["geometry"].simplify(STRAIGHT_DEG)
    return [list(_round(polygon)) for polygon in shapely.get_parts(shape)]


def _round(polygon: shapely.Polygon) -> Iterator[list[list[float]]]:
    for ring in (polygon.exterior, *polygon.interiors):
        yield np.round(shapely.get_coordinates(ring), RING_DECIMALS).tolist()
