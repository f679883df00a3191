"""Zonal statistics by brute force: every cell cut by every polygon with shapely, in a loop that one can check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from affine import Affine
from hypothesis import strategies as st
from shapely.affinity import scale

Floats = npt.NDArray[np.float64]
# On the map, coordinates of millions of metres are rounded by so much of a cell: a smaller share may be there or not.
ROUNDED = 1e-9


@dataclass(frozen=True)
class Asked:
    """What brute force needs to know: cells' values (NaN where missing), hectares by row, and a threshold."""

    values: Floats
    area_ha: Floats
    above: float
    by_area: bool = False


def shares(shapes: Sequence[shapely.Geometry | None], height: int, width: int) -> Floats:
    """The share of every cell that every shape covers, shape (shapes, height, width); in columns and rows."""
    row, col = np.indices((height, width))
    cells = shapely.box(col, row, col + 1, row + 1)
    found = np.zeros((len(shapes), height, width))
    for place, shape in enumerate(shapes):
        if shape is not None and not shapely.is_empty(shape):
            found[place] = shapely.area(shapely.intersection(cells, shape))
    return found


def shares_on_the_map(shapes: Sequence[shapely.Geometry], transform: Affine, height: int, width: int) -> Floats:
    """The same of shapes that lie on the map, whose cells lie there too."""
    row, col = np.indices((height, width))
    corners = [(col, row), (col + 1, row), (col + 1, row + 1), (col, row + 1), (col, row)]
    t = transform
    ring = np.stack([np.stack([t.a * c + t.b * r + t.c, t.d * c + t.e * r + t.f], axis=-1) for c, r in corners], axis=2)
    cells = shapely.polygons(ring)
    found = [shapely.area(shapely.intersection(cells, shape)) for shape in shapes]
    return np.asarray(found) / abs(t.determinant)


def statistics(share: Floats, asked: Asked) -> pd.DataFrame:
    """All statistics of one band, a row a shape."""
    return pd.DataFrame([_one(each, asked) for each in share])


def in_doubt(shapes: Sequence[shapely.Geometry], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Which shapes touch cells of which they hold nothing, or next to nothing: there, extremes hang on rounding."""
    row, col = np.indices((height, width))
    cells = shapely.box(col, row, col + 1, row + 1)
    share = shares(shapes, height, width)
    return np.array(
        [
            np.any((share[place] <= ROUNDED) & (shapely.distance(cells, shape) < ROUNDED))
            for place, shape in enumerate(shapes)
        ],
        dtype=bool,
    )


def _one(share: Floats, asked: Asked) -> dict[str, float]:
    known = ~np.isnan(asked.values) & (share > ROUNDED)
    value, part = asked.values[known], share[known]
    ground = (share * asked.area_ha[:, None])[known]
    weight = ground if asked.by_area else part
    none = not known.any()
    return {
        "sum": np.nan if none else (value * part).sum(),
        "mean": np.nan if none else (value * weight).sum() / weight.sum(),
        "count": part.sum(),
        "min": np.nan if none else value.min(),
        "max": np.nan if none else value.max(),
        "integral": np.nan if none else (value * ground).sum(),
        "area_ha": ground.sum(),
        "area_above_ha": ground[value > asked.above].sum(),
    }


# Polygons at random, in columns and rows of a grid of up to about 12 by 12, some of them beyond it.


@st.composite
def stars(draw: st.DrawFn) -> shapely.Geometry:
    """A polygon around a centre, of any size, its corners at times on the lines of the grid, at times with a hole."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    size = draw(st.sampled_from([0.05, 0.4, 2.0, 8.0, 40.0]))
    centre = rng.uniform(-3, 15, 2)
    angle = np.sort(rng.uniform(0, 2 * np.pi, draw(st.integers(3, 12))))
    ring = centre + (size * rng.uniform(0.3, 1.0, len(angle)) * [np.cos(angle), np.sin(angle)]).T
    step = draw(st.sampled_from([0.0, 0.25, 1.0]))
    shape = mended(shapely.Polygon(ring if step == 0 else np.round(ring / step) * step))
    if draw(st.booleans()):
        shape = mended(shapely.difference(shape, scale(shape, 0.5, 0.4)))
    return shape


def mended(shape: shapely.Geometry) -> shapely.Geometry:
    """A valid polygon or multipolygon, or an empty one where no area is left."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    flat = shapely.get_parts(parts)
    return shapely.union_all(flat[shapely.get_dimensions(flat) == 2])


def mosaics(seed: int, count: int, size: float = 12.0) -> list[shapely.Polygon]:
    """Voronoi cells that fill a square of the grid: neighbours share all their corners."""
    rng = np.random.default_rng(seed)
    sites = shapely.MultiPoint(rng.uniform(-1, size + 1, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=shapely.box(-3, -3, size + 3, size + 3)))
    return list(cells)
