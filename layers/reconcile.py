"""Coca by cell against the municipal table: what each has, where they differ, and that no hectare is lost between."""

from __future__ import annotations

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import cellular
from geo.errors import ConfigError, ConservationError, listed
from layers import published
from layers.density import Density

# Relative; sums over some hundred thousand cells in double precision stay far below.
ROUNDING = 1e-9
COLUMNS = ["code", "year", "density_ha", "table_ha", "difference_ha", "ratio", "flagged"]


@dataclass(frozen=True)
class Reconciliation:
    """A density layer and the municipal table side by side.

    Attributes
    ----------
    table : DataFrame
        A row a municipality and year of both, sorted by them: ``code``, ``year``, ``density_ha``, ``table_ha``,
        ``difference_ha`` (layer less table), ``ratio`` (layer over table; missing where the table has 0) and
        ``flagged`` (bool). A figure that either lacks leaves difference and ratio missing, and no flag. Rows are left
        out where both have 0, or neither has a figure.
    totals : DataFrame
        Index ``year``, those of the layer: ``inside_ha`` (in municipalities), ``outside_ha`` (in none), ``layer_ha``,
        ``table_ha`` and ``published_ha`` (missing where not known).
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
        rows = self.table[self.table["flagged"]]
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
        Hectares by year in no municipality.

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
    blind = shares.T @ (~known).astype(float)
    seen = (
        shares.T @ known.astype(float)
        if density.unmeasured is None
        else (_measured_cells(density, municipalities)[:, None] - blind)
    )
    lacking = seen <= ROUNDING
    if density.unmeasured is None:
        lacking &= blind > 0
    by_code = pd.DataFrame(np.where(lacking, np.nan, inside), index=municipalities.index, columns=density.years)
    by_year = pd.Series(outside, index=density.years, name="outside_ha").rename_axis("year")
    _refuse_lost(by_code, by_year, density.totals())
    return by_code, by_year


def measured_share(density: Density, municipalities: gpd.GeoDataFrame) -> pd.Series:
    """How much of each municipality a layer looked at, in any of its years.

    Parameters
    ----------
    density : Density
        The layer.
    municipalities : GeoDataFrame
        Index ``code``.

    Returns
    -------
    Series
        0..1, named ``measured_share``; 1 for a layer that lists cells, and says by that that others have none.
    """
    if density.unmeasured is None:
        return pd.Series(1.0, index=municipalities.index, name="measured_share")
    area = shapely.area(density.grid.place(municipalities))
    share = np.minimum(_measured_cells(density, municipalities) / area, 1.0)
    return pd.Series(share, index=municipalities.index, name="measured_share")


def reconcile(
    by_municipality: pd.DataFrame,
    outside: pd.Series,
    total: pd.Series,
    table: pd.DataFrame,
    *,
    tolerance: float = 0.05,
    minimum_ha: float = 10.0,
    year: int | None = None,
) -> Reconciliation:
    """Compare a density layer with the municipal table.

    Parameters
    ----------
    by_municipality : DataFrame
        Hectares of the layer, codes by years.
    outside, total : Series
        Hectares of the layer by year: in no municipality, and in all cells.
    table : DataFrame
        Hectares of the municipal table, codes by years, such as ``panel.wide("coca_ha")``.
    tolerance : float, default 0.05
        Share of the table's figure beyond which a difference is flagged, if it is
    minimum_ha : float, default 10
        more than this many hectares, too. Cells on a border are shared by area, which moves a few hectares.
    year : int, optional
        The year whose totals are said in words; the last that both have if not given.

    Returns
    -------
    Reconciliation
        By municipality and year, and totals.

    Raises
    ------
    ConservationError
        If what is inside and outside municipalities does not sum to the layer's total, to 1e-9 of it.
    ConfigError
        If tolerance or minimum are negative, or the two have no year in common.
    """
    _refuse_settings(tolerance, minimum_ha)
    _refuse_lost(by_municipality, outside, total)
    common = [int(year) for year in by_municipality.columns if year in table.columns]
    if not common:
        raise ConfigError(
            f"the layer and the municipal table must have a year in common; the layer has "
            f"{listed(by_municipality.columns)}, the table {listed(table.columns, most=3)}: state the layer's years"
        )
    rows = _side_by_side(by_municipality[common], table[common])
    off = rows["difference_ha"].abs()
    rows["flagged"] = (off > tolerance * rows["table_ha"]) & (off > minimum_ha)
    totals = _totals(by_municipality, outside, total, table)
    said = year if year in common else common[-1]
    sentences = (_total(said, pd.Series(totals.loc[said])), *_sentences(rows, tolerance, minimum_ha))
    return Reconciliation(rows[COLUMNS], totals, tolerance, minimum_ha, sentences)


def _measured_cells(density: Density, municipalities: gpd.GeoDataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    mask = np.ones((density.grid.height, density.grid.width), dtype=bool)
    if density.unmeasured is not None:
        mask &= ~density.unmeasured
    return cellular.cells_under(density.grid, mask, municipalities)


def _refuse_settings(tolerance: float, minimum_ha: float) -> None:
    if not (tolerance >= 0 and minimum_ha >= 0):
        raise ConfigError(f"tolerance and minimum_ha must not be negative; they are {tolerance} and {minimum_ha}")


def _refuse_lost(inside: pd.DataFrame, outside: pd.Series, total: pd.Series) -> None:
    """Inside and outside must be all there is."""
    both = inside.sum() + outside
    wrong = [
        f"{year}: {both[year]:,.6f} of {total[year]:,.6f}"
        for year in total.index
        if not math.isclose(both[year], total[year], rel_tol=ROUNDING, abs_tol=ROUNDING)
    ]
    if wrong:
        raise ConservationError(
            f"hectares inside and outside the municipalities must sum to the layer's total; they do not "
            f"({listed(wrong)}); boundaries that overlap count cells twice: repair them"
        )


def _side_by_side(layer: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
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
    return rows


def _totals(inside: pd.DataFrame, outside: pd.Series, total: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    years = [int(year) for year in inside.columns]
    known = {year: published.national("coca_ha", year) for year in years}
    columns = {
        "inside_ha": inside.sum(),
        "outside_ha": outside,
        "layer_ha": total,
        "table_ha": table.reindex(columns=years).sum(min_count=1),
        "published_ha": pd.Series(known, dtype=float),
    }
    return pd.DataFrame(columns).reindex(years).rename_axis("year")


def _total(year: int, totals: pd.Series) -> str:
    """A year's totals in words."""
    published = totals["published_ha"]
    return (
        f"Coca by cell in {year}: {totals['layer_ha']:,.0f} ha, of which {totals['inside_ha']:,.0f} lie in a "
        f"municipality and {totals['outside_ha']:,.0f} in none. The municipal table has {totals['table_ha']:,.0f}"
        + ("." if pd.isna(published) else f"; published: {published:,.0f}.")
    )


def _sentences(rows: pd.DataFrame, tolerance: float, minimum_ha: float) -> tuple[str, ...]:
    """The comparison in words: what is flagged, and what only one of the two has."""
    told: list[str] = []
    compared = rows["difference_ha"].notna()
    flagged = rows[rows["flagged"]].sort_values("difference_ha", key=lambda ha: -ha.abs(), kind="stable")
    largest = [
        f"{row.code} in {row.year} ({row.density_ha:,.0f} ha against {row.table_ha:,.0f})"
        for row in flagged.itertuples()
    ]
    told.append(
        f"{len(flagged):,} of {int(compared.sum()):,} figures by municipality and year differ by more than "
        f"{tolerance:.0%} and {minimum_ha:g} ha" + (f": {listed(largest, most=3)}." if largest else ".")
    )
    alone = rows[rows["table_ha"].isna() & (rows["density_ha"] > 0)]
    if len(alone):
        told.append(
            f"{alone['density_ha'].sum():,.0f} ha of all years lie in {alone['code'].nunique():,} municipalities for "
            "which the table has no figure that year."
        )
    blind = rows[rows["density_ha"].isna()]
    if len(blind):
        told.append(
            f"{blind['code'].nunique():,} municipalities were not measured by the layer in years for which the table "
            f"has {blind['table_ha'].sum():,.0f} ha for them."
        )
    return tuple(told)
