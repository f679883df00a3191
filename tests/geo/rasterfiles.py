"""GeoTIFFs and polygons made for tests, both in columns and rows, so that every sum is known beforehand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

STORAGE, METRIC = "EPSG:4326", "EPSG:9377"
EAST, NORTH, SIDE = 4_800_000.0, 2_000_000.0, 250.0
CELL_HA = 6.25
NORTH_UP = Affine(SIDE, 0, EAST, 0, -SIDE, NORTH)
SOUTH_UP = Affine(SIDE, 0, EAST, 0, SIDE, NORTH)
MIRRORED = Affine(-SIDE, 0, EAST, 0, -SIDE, NORTH)
TURNED = Affine(216.5, 125.0, EAST, 125.0, -216.5, NORTH)
SHEARED = Affine(SIDE, 60.0, EAST, -35.0, -180.0, NORTH)
TRANSPOSED = Affine(0, SIDE, EAST, -SIDE, 0, NORTH)
PLACED = {
    "north up": NORTH_UP, "south up": SOUTH_UP, "mirrored": MIRRORED, "turned": TURNED, "sheared": SHEARED,
    "transposed": TRANSPOSED,
}  # fmt: skip
DEGREES = Affine(0.01, 0, -74.0, 0, -0.0125, 3.0)

Array = npt.NDArray[Any]
Write = Callable[..., Path]


def write(
    path: Path,
    values: npt.ArrayLike,
    *,
    transform: Affine | None = NORTH_UP,
    crs: str | None = METRIC,
    mask: npt.ArrayLike | None = None,
    names: Sequence[str] = (),
    scales: Sequence[float] = (),
    offsets: Sequence[float] = (),
    **profile: Any,
) -> Path:
    """Write bands (or one band alone) as a GeoTIFF, or whatever the profile says."""
    bands = np.asarray(values)
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    given = {"driver": "GTiff", "dtype": bands.dtype.name, "crs": crs, "transform": transform} | profile
    size = {"height": height, "width": width, "count": count}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # GDAL would look at what it writes over
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **size, **given) as file:
            file.write(bands)
            if mask is not None:
                file.write_mask(np.asarray(mask, dtype=bool))
            for place, name in enumerate(names, 1):
                file.set_band_description(place, name)
            if scales or offsets:
                file.scales, file.offsets = scales or [1.0] * count, offsets or [0.0] * count
    return path


def frame(
    shapes: Iterable[shapely.Geometry | None], transform: Affine = NORTH_UP, crs: str = METRIC
) -> gpd.GeoDataFrame:
    """Polygons, given in columns and rows, where a raster of that transform lies; index ``code``."""
    column = np.array(list(shapes), dtype=object)
    t = transform
    turn = np.array([[t.a, t.b], [t.d, t.e]])
    placed = shapely.transform(column, lambda xy: xy @ turn.T + (t.c, t.f))
    index = pd.Index([f"{place:05d}" for place in range(len(column))], name="code", dtype=object)
    return gpd.GeoDataFrame(geometry=placed, index=index, crs=crs)


def ramp(height: int, width: int) -> npt.NDArray[np.float64]:
    """0, 1, 2 and so on, row by row."""
    return np.arange(height * width, dtype=float).reshape(height, width)


def checkerboard(height: int, width: int) -> npt.NDArray[np.float64]:
    """0 and 1 in turn, beginning with 0."""
    row, col = np.indices((height, width))
    return ((row + col) % 2).astype(float)


def hot_cell(height: int, width: int, at: tuple[int, int], value: float = 100.0) -> npt.NDArray[np.float64]:
    """One cell with a value among zeros."""
    values = np.zeros((height, width))
    values[at] = value
    return values
