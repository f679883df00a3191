"""The panel: one row a municipality and year, joined from boundaries and layers without losing a hectare."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import overlay
from geo.crs import STORAGE
from geo.errors import ConservationError, listed
from layers.boundaries import Boundaries
from layers.tables import Absent, Layer

FIRST_YEAR = 2001
COCA, SEAT = "coca", "seat"


@dataclass(frozen=True)
class Panel:
    """Municipalities, what is known of each, and its figures by year.

    Attributes
    ----------
    places : GeoDataFrame
        Index ``code``; the columns of :class:`layers.boundaries.Boundaries` and ``pdet_region``, ``pdet`` (bool),
        ``etcr`` (bool: whether a reincorporation site lies inside), ``reserve_share``, ``council_share`` and
        ``park_share`` (0..1 of the area; missing where the table of special areas lacks the code), and ``station_km``
        (km from the municipality's point to the nearest police post; missing where police data are). With a density
        layer there are also the columns that :func:`measured_from_coca` adds.
    years : DataFrame
        Index ``code`` and ``year``, every municipality in every year; a column a layer, NaN where it was not measured.
    notes : tuple of str
        What did not match, in words.
    """

    places: gpd.GeoDataFrame
    years: pd.DataFrame
    notes: tuple[str, ...]

    def wide(self, column: str) -> pd.DataFrame:
        """One figure with a row a municipality and a column a year.

        Parameters
        ----------
        column : str
            A column of ``years``.

        Returns
        -------
        DataFrame
            Index ``code``, columns the years.
        """
        return self.years[column].unstack("year")


def join(
    boundaries: Boundaries,
    layers: Sequence[Layer],
    *,
    posts: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    pdet: pd.Series,
    special: pd.DataFrame,
    unreported: Collection[str] = (),
    drop_unmatched: bool = False,
) -> Panel:
    """Join layers to boundaries.

    Parameters
    ----------
    boundaries : Boundaries
        The municipalities.
    layers : sequence of Layer
        Yearly layers, each with a figure of its own.
    posts, sites : GeoDataFrame
        Police posts; sites of the accord, of which those of the kind ``ETCR`` count.
    pdet : Series of str
        PDET region by code.
    special : DataFrame
        Shares in areas of special rights by code, see :func:`layers.territories.load_special_areas`.
    unreported : collection of str
        Codes of departments whose police data are missing, see :func:`layers.police.not_reporting`.
    drop_unmatched : bool, default False
        Whether to go on without hectares whose code no boundary has, and only note them.

    Returns
    -------
    Panel
        From 2001, or the first year of a conserved layer if that is earlier, to the last year of any layer.

    Raises
    ------
    ConservationError
        If hectares stand under codes that no boundary has; the message lists codes and hectares.
    """
    codes = boundaries.frame.index
    notes = [note for layer in layers if (note := _unmatched(layer, codes, drop_unmatched=drop_unmatched))]
    first = min([FIRST_YEAR, *(layer.years[0] for layer in layers if layer.spec.conserved)])
    span = range(first, max(layer.years[-1] for layer in layers) + 1)
    index = pd.MultiIndex.from_product([codes, span], names=["code", "year"])
    columns = {layer.spec.value: _spread(layer, codes, span).to_numpy().ravel() for layer in layers}
    places = _places(boundaries, posts, sites, unreported)
    region = pdet.reindex(codes)
    facts = places.assign(pdet_region=region, pdet=region.notna()).join(special)
    return Panel(facts, pd.DataFrame(columns, index=index), tuple(notes))


def measured_from_coca(panel: Panel, access: pd.DataFrame) -> Panel:
    """Take distances to posts from the coca itself where cells tell where it is, and from the seat elsewhere.

    Parameters
    ----------
    panel : Panel
        The panel.
    access : DataFrame
        Index ``code``: ``station_km`` and shares, see :func:`layers.access.within_post`; missing where the cells do
        not tell.

    Returns
    -------
    Panel
        The same with these in ``places``; there ``station_km_from`` says whether a distance is from the ``coca`` or the
        ``seat``, and ``seat_station_km`` keeps the seat's.
    """
    near = access.reindex(panel.places.index)
    seat = panel.places["station_km"]
    station_km = near["station_km"].fillna(seat)
    source = pd.Series(np.where(near["station_km"].notna(), COCA, SEAT), index=seat.index).where(station_km.notna())
    places = panel.places.assign(station_km=station_km, station_km_from=source, seat_station_km=seat)
    return replace(panel, places=places.join(near.drop(columns="station_km")))


def _places(
    boundaries: Boundaries, posts: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, unreported: Collection[str]
) -> gpd.GeoDataFrame:
    """What is known by where a municipality lies."""
    frame = boundaries.frame
    points = gpd.GeoSeries(gpd.points_from_xy(frame["lon"], frame["lat"]), index=frame.index, crs=STORAGE)
    unknown = frame["department_code"].isin(unreported)
    etcr = overlay.locate(sites[sites["kind"] == "ETCR"].geometry, frame)
    return frame.assign(
        etcr=frame.index.isin(etcr.dropna()),
        station_km=overlay.nearest_km(points, posts.geometry).mask(unknown),
    )


def _spread(layer: Layer, codes: pd.Index, span: range) -> pd.DataFrame:
    """The figure for every municipality and year, with what an absent row means."""
    wide = layer.frame.pivot(index="code", columns="year", values=layer.spec.value)
    full = wide.reindex(index=codes, columns=list(span)).astype(float)
    if layer.spec.absent is Absent.MISSING:
        return full
    listed_pairs = layer.frame.assign(there=True).pivot(index="code", columns="year", values="there")
    blank = listed_pairs.reindex(index=codes, columns=list(span)).eq(True) & full.isna()
    none = full.isna() & ~blank & full.columns.isin(layer.years)
    if layer.spec.absent is Absent.ZERO_IF_LISTED:
        none = none.mul(codes.isin(wide.index), axis="index")
    return full.mask(none, 0.0)


def _unmatched(layer: Layer, codes: pd.Index, *, drop_unmatched: bool) -> str:
    """What stands under codes that no boundary has: a note, or an error if it is conserved."""
    value = layer.spec.value
    sums = layer.frame.loc[~layer.frame["code"].isin(codes)].groupby("code")[value].sum()
    if sums.empty:
        return ""
    codes_lost = listed(f"{code} ({lost:,.1f})" for code, lost in sums.items())
    what = f"{layer.path.name}: {len(sums)} codes that no boundary has: {codes_lost}"
    if layer.spec.conserved and sums.sum() > 0 and not drop_unmatched:
        raise ConservationError(
            f"{what}; their {sums.sum():,.1f} ha of {value} would be lost: correct the codes, give boundaries "
            "of the same vintage, or go on without them with --drop-unmatched"
        )
    return f"{what}; left out"
