"""How near police posts are to the coca itself, by cell, not to the municipality's seat."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import cellular, overlay
from geo.errors import ConfigError, listed
from layers.density import Density
from layers.gridding import whereabouts

RADII_KM = (5.0, 10.0, 20.0)


def within_post(
    density: Density,
    municipalities: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame,
    *,
    year: int,
    radii_km: Sequence[float] = RADII_KM,
    unreported: Collection[str] = (),
) -> pd.DataFrame:
    """Share of each municipality's coca that lies near a police post.

    A cell's coca is taken to lie at its centre: distances of cells of 1 km are off by at most 0.71 km, half their
    diagonal, and distances are straight lines in EPSG:9377. A cell on a border counts for each of its municipalities by
    the share of its area. A post of any municipality counts.

    Parameters
    ----------
    density : Density
        The layer.
    municipalities : GeoDataFrame
        A coverage with index ``code`` and the column ``department_code``.
    posts : GeoDataFrame
        Police posts.
    year : int
        A year of the layer.
    radii_km : sequence of float, default (5, 10, 20)
        The radii.
    unreported : collection of str
        Codes of departments whose police data are missing, see :func:`layers.police.not_reporting`.

    Returns
    -------
    DataFrame
        Index ``code``: a column a radius (``coca_within_5km`` ..., 0..1 of the municipality's coca) and ``station_km``,
        the mean distance of its coca to the nearest post, weighted by hectares. Missing where there is no coca, where
        police data are missing, or where there are no posts at all.

    Raises
    ------
    ConfigError
        If the layer lacks the year or measured nothing in it, if none of its coca lies in a municipality, or if a
        radius is not above 0.
    """
    density.require_measured(year)
    if not all(radius > 0 for radius in radii_km):
        raise ConfigError(f"radii must be above 0 km; found {listed(radii_km)}: state larger ones")
    hectares = density.hectares[year].fillna(0.0).to_numpy()
    coca = np.flatnonzero(hectares > 0)
    row, col, hectares = density.row[coca], density.col[coca], hectares[coca]
    km = overlay.nearest_km(density.grid.centres(row, col), posts.geometry).to_numpy()
    shares = cellular.shares(density.grid, row, col, municipalities)
    if len(coca) and not shares.nnz:
        raise ConfigError(
            f"the layer must lie where the municipalities do; none of its {hectares.sum():,.0f} ha of {year} lies in "
            f"one: it lies at {whereabouts(density.grid)}: check its coordinate reference system"
        )
    near = {name: np.where(np.isnan(km), np.nan, km <= radius) for name, radius in _columns(radii_km).items()}
    sums = {name: shares.T @ (hectares * values) for name, values in {**near, "station_km": km}.items()}
    total = shares.T @ hectares
    frame = pd.DataFrame(sums, index=municipalities.index).div(np.where(total > 0, total, np.nan), axis=0)
    return frame.mask(municipalities["department_code"].isin(unreported))


def _columns(radii_km: Sequence[float]) -> dict[str, float]:
    """Names of the columns by radius."""
    return {f"coca_within_{radius:g}km": radius for radius in radii_km}
