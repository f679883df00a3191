"""Coca by cell against the municipal table: what each has, where they differ, and that no hectare is lost between."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from geo import cellular
from geo.errors import ConfigError, ConservationError, listed
from geo.grid import Grid
from layers import published
from layers.density import Density
from layers.gridding import Booleans, Floats, whereabouts

# Relative; sums over some hundred thousand cells in double precision stay far below.
ROUNDING = 1e-9
COLUMNS = ["code", "year", "density_ha", "table_ha", "difference_ha", "ratio", "flagged", "measured_share"]
# Borders of two sources differ by a little, and so do the sea and a coast.
WHOLLY = 0.99
# What cells on a department's border leave in it, of its coca by the table, is no survey of it.
BORDER = 0.01
# A share of a cell of 1 km, taken for hectares, is a hundredth of the truth.
FAR_TOO_LITTLE = 0.05


@dataclass(frozen=True)
class Reconciliation:
    """A density layer and the municipal table side by side.

    Attributes
    ----------
    table : DataFrame
        A row a municipality and year of both, sorted by them: ``code``, ``year``, ``density_ha``, ``table_ha``,
        ``difference_ha`` (layer less table), ``ratio`` (layer over table; missing where the table has 0),
        ``flagged`` (nullable boolean; missing where a figure is, and false where a part only was measured) and
        ``measured_share`` (0..1 of the municipality in that year). A figure that either lacks leaves difference, ratio
        and flag missing. Rows are left out where both have 0, or neither has a figure.
    totals : DataFrame
        Index ``year``, those of the layer: ``inside_ha`` (in municipalities), ``outside_ha`` (in none), ``layer_ha``,
        ``table_ha`` and ``published_ha`` (missing where not known). The layer's are missing where it measured nothing.
    tolerance, minimum_ha : float
        A difference is flagged beyond both this share of the table's figure and this many hectares.
    sentences : tuple of str
        The result in words, for the terminal.
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    tolerance: float
    minimum_ha: float
    sentences: tuple[str, ...]

    @property
    def flagged(self) -> pd.DataFrame:
        """The rows that are flagged, the largest differences first."""
        rows = self.table[self.table["flagged"].fillna(False)]
        return rows.sort_values("difference_ha", key=lambda ha: -ha.abs(), kind="stable")


def hectares_by_municipality(density: Density, municipalities: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Sum a density layer by municipality; a cell on a border is shared by area, as if its coca were spread evenly.

    Parameters
    ----------
    density : Density
        The layer.
    municipalities : GeoDataFrame
        A coverage with index ``code``.

    Returns
    -------
    inside : DataFrame
        Hectares, codes by years. Missing where no cell of a municipality was measured in a year; where some were not,
        the sum of those that were.
    outside : Series
        Hectares by year in no municipality; missing where nothing was measured in that year.

    Raises
    ------
    ConservationError
        If municipalities overlap, so that hectares would count twice.
    """
    shares = cellular.shares(density.grid, density.row, density.col, municipalities)
    known = density.hectares.notna().to_numpy()
    hectares = density.hectares.fillna(0.0).to_numpy()
    rest = 1.0 - np.asarray(shares.sum(axis=1))
    inside = shares.T @ hectares
    outside = np.where(rest > ROUNDING, rest, 0.0) @ hectares
    seen, blind = _looked_at(density, municipalities, shares, known)
    lacking = seen <= ROUNDING
    if density.unmeasured is None:
        lacking &= blind > 0
    totals = density.totals()
    by_code = pd.DataFrame(np.where(lacking, np.nan, inside), index=municipalities.index, columns=density.years)
    by_year = pd.Series(outside, index=density.years, name="outside_ha").rename_axis("year").mask(totals.isna())
    _refuse_lost(by_code, by_year, totals)
    return by_code, by_year


def measured_share(density: Density, municipalities: gpd.GeoDataFrame) -> pd.DataFrame:
    """How much of each municipality a layer measured in each of its years.

    Parameters
    ----------
    density : Density
        The layer.
    municipalities : GeoDataFrame
        Index ``code``.

    Returns
    -------
    DataFrame
        0..1, codes by years. Of rasters the share of a municipality's area with a figure in that year. A layer that
        lists cells says by that that others have none: of it, the share of a municipality's listed cells that are not
        blank in that year, and 1 where it lists none.
    """
    shares = cellular.shares(density.grid, density.row, density.col, municipalities)
    seen, blind = _looked_at(density, municipalities, shares, density.hectares.notna().to_numpy())
    if density.unmeasured is None:
        share = 1.0 - np.divide(blind, seen + blind, out=np.zeros_like(blind), where=blind > 0)
    else:
        share = seen / shapely.area(density.grid.place(municipalities))[:, None]
    # What is left of a difference of sums is rounding.
    share = np.where(share <= ROUNDING, 0.0, np.minimum(share, 1.0))
    return pd.DataFrame(share, index=municipalities.index, columns=density.years)


@dataclass(frozen=True)
class Sums:
    """A layer summed by municipality, and what a comparison must know of it beside.

    Attributes
    ----------
    inside : DataFrame
        Hectares, codes by years.
    outside, total : Series
        Hectares by year: in no municipality, and in all cells; missing where the layer measured nothing.
    measured : DataFrame, optional
        Share of each municipality that was measured, codes by years: :func:`measured_share`; all if not given.
    listed : bool
        Whether the layer lists cells, and says by that that others have none (``density.unmeasured`` is None).
    suspicious : bool
        Whether what was read as hectares may be shares: ``density.maybe_shares``.
    grid : Grid, optional
        The layer's, to say where it lies if that is elsewhere.
    """

    inside: pd.DataFrame
    outside: pd.Series
    total: pd.Series
    measured: pd.DataFrame | None = None
    listed: bool = False
    suspicious: bool = False
    grid: Grid | None = None

    @property
    def seen(self) -> pd.DataFrame:
        """Share of each municipality that was measured, codes by years."""
        return self.measured if self.measured is not None else self.inside.notna().astype(float)


def reconcile(
    sums: Sums,
    table: pd.DataFrame,
    *,
    tolerance: float = 0.05,
    minimum_ha: float = 10.0,
    year: int | None = None,
    departments: pd.Series | None = None,
) -> Reconciliation:
    """Compare a density layer with the municipal table.

    Parameters
    ----------
    sums : Sums
        The layer. What it measured in part (below 0.99 of a municipality) is compared and not flagged.
    table : DataFrame
        Hectares of the municipal table, codes by years, such as ``panel.wide("coca_ha")``.
    tolerance : float, default 0.05
        Share of the table's figure beyond which a difference is flagged, if it is
    minimum_ha : float, default 10
        more than this many hectares, too. Cells on a border are shared by area, which moves a few hectares.
    year : int, optional
        The year that is said in words; the last that both have if not given.
    departments : Series of str, optional
        Names of departments by code of municipality; those without a cell of a layer that lists cells are named then.

    Returns
    -------
    Reconciliation
        By municipality and year, and totals.

    Raises
    ------
    ConservationError
        If what is inside and outside municipalities does not sum to the layer's total, to 1e-9 of it.
    ConfigError
        If tolerance or minimum are negative, the two have no year in common, or no cell lies in any municipality.
    """
    _refuse_settings(tolerance, minimum_ha)
    _refuse_lost(sums.inside, sums.outside, sums.total)
    _refuse_elsewhere(sums.inside, sums.total, sums.grid)
    common = _common_years(sums.inside, table)
    layer, known = sums.inside[common], table[common]
    rows = _flagged(_side_by_side(layer, known, sums.measured), tolerance, minimum_ha)
    totals = _totals(sums.inside, sums.outside, sums.total, table)
    said = year if year in common else common[-1]
    of_year = rows[rows["year"] == said]
    sentences = [
        _total(said, pd.Series(totals.loc[said])),
        *_unmeasured(said, layer[said], known[said], of_year),
        *(_without_cells(said, layer, known, departments) if sums.listed and departments is not None else ()),
        *(_too_little(said, of_year) if sums.suspicious else ()),
        *_compared(rows, tolerance, minimum_ha),
    ]
    return Reconciliation(rows[COLUMNS], totals, tolerance, minimum_ha, tuple(sentences))


def _looked_at(
    density: Density, municipalities: gpd.GeoDataFrame, shares: csr_array, known: Booleans
) -> tuple[Floats, Floats]:
    """Cells of each municipality with and without a figure, codes by years; where cells are listed, of these alone."""
    blind = np.asarray(shares.T @ (~known).astype(float))
    if density.unmeasured is None:
        return np.asarray(shares.T @ known.astype(float)), blind
    ever = cellular.cells_under(density.grid, ~density.unmeasured, municipalities)
    return ever[:, None] - blind, blind


def _common_years(layer: pd.DataFrame, table: pd.DataFrame) -> list[int]:
    common = [int(year) for year in layer.columns if year in table.columns]
    if not common:
        raise ConfigError(
            f"the layer and the municipal table must have a year in common; the layer has {listed(layer.columns)}, the "
            f"table {listed(table.columns, most=3)}: state the layer's years (--years)"
        )
    return common


def _refuse_settings(tolerance: float, minimum_ha: float) -> None:
    if not (tolerance >= 0 and minimum_ha >= 0):
        raise ConfigError(f"tolerance and minimum_ha must not be negative; they are {tolerance} and {minimum_ha}")


def _refuse_lost(inside: pd.DataFrame, outside: pd.Series, total: pd.Series) -> None:
    """Inside and outside must be all there is."""
    # A year in which nothing was measured has no total, and must have nothing inside and outside.
    both, all_of_it = inside.sum() + outside.fillna(0.0), total.fillna(0.0)
    wrong = [
        f"{year}: {both[year]:,.6f} of {total[year]:,.6f}"
        for year in total.index
        if not math.isclose(both[year], all_of_it[year], rel_tol=ROUNDING, abs_tol=ROUNDING)
    ]
    if wrong:
        raise ConservationError(
            f"hectares inside and outside the municipalities must sum to the layer's total; they do not "
            f"({listed(wrong)}); boundaries that overlap count cells twice: repair them"
        )


def _refuse_elsewhere(inside: pd.DataFrame, total: pd.Series, grid: Grid | None) -> None:
    """Refuse a layer that does not lie where the municipalities do."""
    held, unseen = total.sum(), inside.isna().all(axis=None) and total.notna().any()
    if not unseen and (held == 0 or (inside > 0).any(axis=None)):
        return
    where = "" if grid is None else f" It lies at {whereabouts(grid)}."
    raise ConfigError(
        f"the layer must lie where the municipalities do; of its {held:,.0f} ha of all years 0 lie in one.{where} "
        "Check its coordinate reference system"
    )


def _side_by_side(layer: pd.DataFrame, table: pd.DataFrame, measured: pd.DataFrame | None) -> pd.DataFrame:
    codes = layer.index.union(table.index)
    pairs = {"density_ha": layer, "table_ha": table}
    columns = {
        name: frame.reindex(codes).rename_axis(index="code", columns="year").stack().dropna()
        for name, frame in pairs.items()
    }
    rows = pd.DataFrame(columns).sort_index().reset_index()
    nothing = (rows["density_ha"] == 0) & (rows["table_ha"] == 0)
    rows = rows[~nothing].reset_index(drop=True)
    rows["difference_ha"] = rows["density_ha"] - rows["table_ha"]
    rows["ratio"] = (rows["density_ha"] / rows["table_ha"]).where(rows["table_ha"] > 0)
    rows["measured_share"] = 1.0
    if measured is not None:
        by_row = measured.stack().reindex(pd.MultiIndex.from_frame(rows[["code", "year"]]))
        rows["measured_share"] = by_row.to_numpy(dtype=float)
    return rows


def _flagged(rows: pd.DataFrame, tolerance: float, minimum_ha: float) -> pd.DataFrame:
    """Rows with their flag: missing where a figure is, and none where a part only was measured."""
    off = rows["difference_ha"].abs()
    beyond = (off > tolerance * rows["table_ha"]) & (off > minimum_ha) & ~_in_part(rows)
    return rows.assign(flagged=beyond.astype("boolean").mask(off.isna()))


def _in_part(rows: pd.DataFrame) -> pd.Series:
    return rows["density_ha"].notna() & (rows["measured_share"] < WHOLLY)


def _totals(inside: pd.DataFrame, outside: pd.Series, total: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    years = [int(year) for year in inside.columns]
    known = {year: published.national("coca_ha", year) for year in years}
    columns = {
        "inside_ha": inside.sum().mask(total.isna()),
        "outside_ha": outside.mask(total.isna()),
        "layer_ha": total,
        "table_ha": table.reindex(columns=years).sum(min_count=1),
        "published_ha": pd.Series(known, dtype=float),
    }
    return pd.DataFrame(columns).reindex(years).rename_axis("year")


def _total(year: int, totals: pd.Series) -> str:
    """A year's totals in words."""
    layer = "not measured"
    if not pd.isna(totals["layer_ha"]):
        layer = (
            f"{totals['layer_ha']:,.0f} ha, of which {totals['inside_ha']:,.0f} lie in a municipality and "
            f"{totals['outside_ha']:,.0f} in none"
        )
    table = "no figure" if pd.isna(totals["table_ha"]) else f"{totals['table_ha']:,.0f} ha"
    published = "" if pd.isna(totals["published_ha"]) else f"; published: {totals['published_ha']:,.0f}"
    return f"Coca by cell in {year}: {layer}. The municipal table has {table}{published}."


def _unmeasured(year: int, layer: pd.Series, table: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    """What of a year was not measured, or in part."""
    never = layer.index[layer.isna()]
    if len(never):
        were = "municipality was" if len(never) == 1 else "municipalities were"
        yield (
            f"{len(never):,} {were} not measured in {year}; the table has {table.reindex(never).sum():,.0f} ha there."
        )
    partly = rows[_in_part(rows)]
    if len(partly):
        were = "municipality was" if len(partly) == 1 else "municipalities were"
        yield (
            f"{len(partly):,} {were} measured in part in {year} and not held against the table: "
            f"{partly['density_ha'].sum():,.0f} ha by cell, {partly['table_ha'].sum():,.0f} by the table."
        )


def _without_cells(year: int, layer: pd.DataFrame, table: pd.DataFrame, departments: pd.Series) -> Iterator[str]:
    """Departments for which the table has coca, and of which a file of listed cells lists none but on their border."""
    of = departments.reindex(layer.index)
    blank = layer.isna().all(axis=1).groupby(of).any()
    cells, known = (frame.reindex(layer.index).sum(axis=1).groupby(of).sum() for frame in (layer, table))
    held = table[year].reindex(layer.index).groupby(of).sum()
    without = held[(held > 0) & (cells <= BORDER * known) & ~blank].sort_values(ascending=False, kind="stable")
    if len(without):
        have = "department" if len(without) == 1 else "departments"
        has = "has" if len(without) == 1 else "have"
        yield (
            f"{len(without)} {have} with {without.sum():,.0f} ha by the table in {year} {has} no cell in this file "
            f"({listed(without.index)}): if it covers a part of the country only, they were not measured, and 0 is not "
            "known there."
        )


def _too_little(year: int, rows: pd.DataFrame) -> Iterator[str]:
    """A hint where hectares are far below the table's, as shares would be."""
    both = rows[rows["difference_ha"].notna() & ~_in_part(rows)]
    layer, table = both["density_ha"].sum(), both["table_ha"].sum()
    if layer < FAR_TOO_LITTLE * table:
        yield (
            f"The layer has {layer:,.1f} ha in {year} where the table has {table:,.0f}, and all values are at most 1: "
            "are they shares? Then say --unit share."
        )


def _compared(rows: pd.DataFrame, tolerance: float, minimum_ha: float) -> Iterator[str]:
    """What of all years is flagged, and what only the layer has."""
    compared = rows["difference_ha"].notna() & ~_in_part(rows)
    flagged = rows[rows["flagged"].fillna(False)].sort_values("difference_ha", key=lambda ha: -ha.abs(), kind="stable")
    largest = [
        f"{row.code} in {row.year} ({row.density_ha:,.0f} ha against {row.table_ha:,.0f})"
        for row in flagged.itertuples()
    ]
    yield (
        f"{len(flagged):,} of {int(compared.sum()):,} figures by municipality and year differ by more than "
        f"{tolerance:.0%} and {minimum_ha:g} ha" + (f": {listed(largest, most=3)}." if largest else ".")
    )
    alone = rows[rows["table_ha"].isna() & (rows["density_ha"] > 0)]
    if len(alone):
        lie = "municipality" if alone["code"].nunique() == 1 else "municipalities"
        yield (
            f"{alone['density_ha'].sum():,.0f} ha of all years lie in {alone['code'].nunique():,} {lie} for which the "
            "table has no figure that year."
        )
