"""Coverages made by hand or at random, whose neighbours are known before any code of ours looks at them."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import Voronoi

METRIC = "EPSG:9377"
EAST, NORTH, SIDE = 4_800_000.0, 2_000_000.0, 1_000.0
SEEDS = st.integers(0, 2**32 - 1)

Pairs = set[tuple[str, str]]
Labels = npt.NDArray[np.int64]


def coded(shapes: Iterable[shapely.Geometry | None], *, crs: str | None = METRIC) -> gpd.GeoDataFrame:
    """Shapes as a frame with the index 00000, 00001 and so on; without a CRS they do not say where they are."""
    column = np.array(list(shapes), dtype=object)
    index = pd.Index([f"{place:05d}" for place in range(len(column))], name="code", dtype=object)
    return gpd.GeoDataFrame(geometry=column, index=index, crs=crs)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle in kilometres from an origin on the mainland, in EPSG:9377."""
    return shapely.box(EAST + west * SIDE, NORTH + south * SIDE, EAST + east * SIDE, NORTH + north * SIDE)


def pixel(column: int, row: int) -> shapely.Polygon:
    return box(column, row, column + 1, row + 1)


def grid(columns: int, rows: int) -> gpd.GeoDataFrame:
    """Squares of 1 km, filled row by row from the south-west."""
    return coded(pixel(column, row) for row in range(rows) for column in range(columns))


def unsaid(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The same shapes, which no longer say where they are."""
    return coded(frame.geometry, crs=None)


def mosaic(labels: Labels) -> gpd.GeoDataFrame:
    """One shape for each label of an array of pixels: concave, with holes, or in several parts."""
    cells: dict[int, list[shapely.Polygon]] = {}
    for (row, column), label in np.ndenumerate(labels):
        cells.setdefault(int(label), []).append(pixel(column, row))
    return coded(shapely.coverage_union_all(cells[label]) for label in sorted(cells))


def mosaic_pairs(labels: Labels) -> Pairs:
    """Which labels of an array stand side by side, one above the other, by their places in :func:`mosaic`."""
    dense = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    beside = [*zip(dense[:, :-1].flat, dense[:, 1:].flat, strict=True)]
    above = [*zip(dense[:-1].flat, dense[1:].flat, strict=True)]
    return {(f"{min(a, b):05d}", f"{max(a, b):05d}") for a, b in beside + above if a != b}


def label_arrays(most: int = 4, *, size: int = 6) -> st.SearchStrategy[Labels]:
    """Arrays of pixels, each with one of a few labels."""
    sides = st.tuples(st.integers(1, size), st.integers(1, size))
    return arrays(np.int64, sides, elements=st.integers(0, most - 1))


def voronoi(seed: int, count: int = 20) -> tuple[gpd.GeoDataFrame, Pairs]:
    """Voronoi cells that fill one square degree, and which of them are neighbours by construction.

    The sites are mirrored in the four sides, so that every cell is bounded and those that touch share their vertices.
    """
    sites = np.random.default_rng(seed).uniform(0.02, 0.98, size=(count, 2))
    mirrored = [np.column_stack([2 * edge - sites[:, 0], sites[:, 1]]) for edge in (0, 1)]
    mirrored += [np.column_stack([sites[:, 0], 2 * edge - sites[:, 1]]) for edge in (0, 1)]
    diagram = Voronoi(np.vstack([sites, *mirrored]))
    cells = [_cell(diagram, place) for place in range(count)]
    ridges = np.sort(diagram.ridge_points, axis=1)
    pairs = {(f"{left:05d}", f"{right:05d}") for left, right in ridges[ridges[:, 1] < count]}
    return coded(cells, crs="EPSG:4326"), pairs


def _cell(diagram: Voronoi, place: int) -> shapely.Polygon:
    corners = diagram.vertices[diagram.regions[diagram.point_region[place]]]
    around = corners - diagram.points[place]
    turn = np.argsort(np.arctan2(around[:, 1], around[:, 0]))
    return shapely.Polygon(corners[turn] + (-75.0, 2.0))


def as_pairs(frame: pd.DataFrame) -> Pairs:
    return set(zip(frame["left"], frame["right"], strict=True))


def shuffled(frame: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    """The same rows in another order."""
    return frame.iloc[np.random.default_rng(seed).permutation(len(frame))]
