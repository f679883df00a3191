"""Density files written by hand, in the forms in which they occur: the portal's grid polygons, and rasters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from affine import Affine

from geo.grid import Grid

NATIONAL = Grid("EPSG:9377", Affine(1000.0, 0.0, 4_700_000.0, 0.0, -1000.0, 1_900_000.0), 400, 300)
BOGOTA = Grid("EPSG:3116", Affine(1000.0, 0.0, 700_250.0, 0.0, -1000.0, 800_750.0), 400, 300)
# As the portal names them.
FIELDS = {2003: "areacoca_2003", 2004: "areacoca2004", 2021: "areacoca_2021", 2022: "coca2022_", 2024: "areacoca2024"}


def scattered(grid: Grid, count: int, *, seed: int = 7) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Some cells of a grid, in row-major order; the first and the last are among them."""
    chance = np.random.default_rng(seed)
    inner = chance.choice(np.arange(1, grid.height * grid.width - 1), count - 2, replace=False)
    key = np.sort(np.concatenate([[0, grid.height * grid.width - 1], inner]))
    return key // grid.width, key % grid.width


def squares(grid: Grid, row: npt.ArrayLike, col: npt.ArrayLike, *, decimals: int | None = None) -> gpd.GeoSeries:
    """Cells in longitude and latitude, slightly turned quadrilaterals there."""
    shapes = grid.cells(row, col).to_crs("EPSG:4326").to_numpy()
    if decimals is not None:
        shapes = shapely.transform(shapes, lambda xy: np.round(xy, decimals))
    return gpd.GeoSeries(shapes, crs="EPSG:4326")


def portal_rows(shapes: gpd.GeoSeries | pd.Series, hectares: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as the portal writes them: numbers as text, a blank as no key, shapes as multipolygons."""
    years = [int(str(year)) for year in hectares]
    return [
        {
            "the_geom": json.loads(str(shapely.to_geojson(shapely.multipolygons([shape])))),
            "grilla1": f"G{number}",
            **{FIELDS[year]: str(ha) for year, ha in zip(years, figures, strict=True) if not np.isnan(ha)},
        }
        for number, (shape, figures) in enumerate(zip(shapes, hectares.to_numpy(), strict=True))
    ]


def write_portal(path: Path, shapes: gpd.GeoSeries | pd.Series, hectares: pd.DataFrame) -> Path:
    """The portal's JSON, GeoJSON or CSV, or another vector file, by the suffix."""
    rows = portal_rows(shapes, hectares)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".geojson":
        features = [
            {
                "type": "Feature",
                "properties": {k: v for k, v in row.items() if k != "the_geom"},
                "geometry": row["the_geom"],
            }
            for row in rows
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    elif path.suffix == ".csv":
        wkt = [str(shapely.to_wkt(shapely.multipolygons([shape]), rounding_precision=-1)) for shape in shapes]
        pd.DataFrame(rows).assign(the_geom=wkt).to_csv(path, index=False)
    else:
        named = hectares.rename(columns=FIELDS)
        gpd.GeoDataFrame(named, geometry=shapes.to_numpy(), crs="EPSG:4326").to_file(path)
    return path


def write_raster(
    path: Path,
    bands: npt.NDArray[Any],
    transform: Affine,
    *,
    crs: str = "EPSG:9377",
    names: Sequence[str] = (),
    **profile: Any,
) -> Path:
    """A GeoTIFF of these bands (bands x rows x columns)."""
    count, height, width = bands.shape
    shape: Mapping[str, Any] = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **shape, **profile) as file:
        file.write(bands)
        for number, name in enumerate(names, 1):
            file.set_band_description(number, name)
    return path
