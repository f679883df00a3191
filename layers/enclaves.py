"""Enclaves: contiguous cells of dense coca that lasts, the places inside municipalities that a station would serve.

The surveys of UNODC and SIMCI speak of productive enclaves where coca is dense, has lasted and is made into cocaine on
the spot, but print no thresholds that a computation could take over. Those here are a planner's, stated with every
result, and the making of cocaine is not looked at.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import cellular, overlay
from geo.crs import METRIC, STORAGE, to_metric, to_storage
from geo.errors import ConfigError, listed
from layers.density import HA_PER_KM2, Density
from layers.gridding import DISTORTION, Floats, Integers
from layers.territories import SHARES

COLUMNS = [
    "name", "department", "municipalities", "coca_ha", "national_share", "area_km2", "cells", "years_with_coca",
    "years_known", "station_km", *SHARES.values(),
]  # fmt: skip


@dataclass(frozen=True)
class EnclaveTerms:
    """What makes cells an enclave.

    Attributes
    ----------
    minimum_ha_per_km2 : float, default 8
        Density in the year asked for, from which a cell may belong to one: 8 % of the land, a field of 8 ha in every
        square kilometre or many small ones.
    lasting_years : int, default 5
        Years with coca, of the last ``of_last_years``, from which a cell lasts: half of them, so that one campaign of
        eradication, or one bad image, does not end an enclave.
    of_last_years : int, default 10
        Length of that window, the year asked for included: SIMCI's for its classes of permanence.
    minimum_km2 : float, default 3
        Area from which contiguous cells are an enclave: one or two cells may be one family's fields.
    corners : bool, default True
        Whether cells that share only a corner are contiguous. Where the lines of the grid run is chance, and coca
        along a slanting river would fall apart.
    """

    minimum_ha_per_km2: float = 8.0
    lasting_years: int = 5
    of_last_years: int = 10
    minimum_km2: float = 3.0
    corners: bool = True

    def __post_init__(self) -> None:
        """Refuse terms that mean nothing."""
        if not (self.minimum_ha_per_km2 > 0 and self.minimum_km2 >= 0):
            raise ConfigError(
                f"an enclave needs more than 0 ha per km2 and at least 0 km2; the terms are {self.minimum_ha_per_km2} "
                f"and {self.minimum_km2}: state larger ones"
            )
        if not 1 <= self.lasting_years <= self.of_last_years:
            raise ConfigError(
                f"an enclave lasts from 1 year to as many as the window has; the terms are {self.lasting_years} of the "
                f"last {self.of_last_years}: state other years"
            )

    def __str__(self) -> str:
        """The terms in one sentence, as of a layer that has all years; see :func:`in_words`."""
        return _sentence(self, f"of the last {self.of_last_years} years")


def shortened(density: Density, terms: EnclaveTerms, *, year: int) -> EnclaveTerms:
    """Terms for a layer of few years: coca lasts that is there in all of them.

    Parameters
    ----------
    density : Density
        The layer.
    terms : EnclaveTerms
        What makes an enclave.
    year : int
        Reference year.

    Returns
    -------
    EnclaveTerms
        With as many ``lasting_years`` as the layer has measured of the window, where these are fewer; else the same.
    """
    known = known_years(density, terms, year=year)
    if not 0 < len(known) < terms.lasting_years:
        return terms
    return dataclasses.replace(terms, lasting_years=len(known))


def known_years(density: Density, terms: EnclaveTerms, *, year: int) -> list[int]:
    """The years of the window in which a layer measured anything.

    Parameters
    ----------
    density : Density
        The layer.
    terms : EnclaveTerms
        The length of the window.
    year : int
        Reference year, the window's last.

    Returns
    -------
    list of int
        The earliest first.
    """
    window = (each for each in density.years if year - terms.of_last_years < each <= year)
    return [each for each in window if not math.isnan(density.total_ha(each))]


def in_words(terms: EnclaveTerms, known: Sequence[int]) -> str:
    """Say what made cells an enclave, and of which years that is known.

    Parameters
    ----------
    terms : EnclaveTerms
        What makes an enclave.
    known : sequence of int
        The years of the window in which the layer measured anything, the earliest first: :func:`known_years`.

    Returns
    -------
    str
        One sentence.
    """
    if len(known) >= terms.of_last_years:
        return str(terms)
    if len(known) == 1:
        return _sentence(terms, f"of the 1 year measured ({known[0]}), so that whether it lasts is not known")
    measured = f"of the {len(known)} years measured ({_spans(known)})" if known else "of no year measured"
    return _sentence(terms, f"{measured} of the last {terms.of_last_years}")


def find(
    density: Density,
    municipalities: gpd.GeoDataFrame,
    *,
    year: int,
    posts: gpd.GeoDataFrame,
    terms: EnclaveTerms | None = None,
    unreported: Collection[str] = (),
    areas: Mapping[str, gpd.GeoDataFrame] | None = None,
    national_ha: float | None = None,
) -> gpd.GeoDataFrame:
    """Find the enclaves of a density layer.

    Parameters
    ----------
    density : Density
        The layer.
    municipalities : GeoDataFrame
        A coverage with index ``code`` and the columns ``name``, ``department`` and ``department_code``.
    year : int
        The year of hectares and densities, and the last of the window.
    posts : GeoDataFrame
        Police posts.
    terms : EnclaveTerms, optional
        What makes an enclave; the defaults if not given.
    unreported : collection of str
        Codes of departments whose police data are missing, see :func:`layers.police.not_reporting`.
    areas : mapping of str to GeoDataFrame, optional
        Polygons of ``reserves``, ``councils`` and ``parks``, as far as they are at hand.
    national_ha : float, optional
        Hectares of the nation in the year.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, index ``enclave`` (``E01`` ... by hectares, the most first). Columns: ``name`` and ``department`` of
        the municipality with most of its coca (None where it lies in none); ``municipalities`` (list of codes, the most
        hectares first); ``coca_ha``; ``national_share`` (0..1; missing where the nation's hectares are); ``area_km2``;
        ``cells``; ``years_with_coca`` (of the window, the mean over its cells, weighted by their coca); ``years_known``
        (of the window, those in which the layer measured anything); ``station_km`` (from its coca-weighted centre to
        the nearest post; missing where that municipality's police data are); ``reserve_share``, ``council_share`` and
        ``park_share`` (0..1 of its area; missing where no polygons were given).

    Raises
    ------
    ConfigError
        If the layer lacks the year or measured nothing in it, or has measured fewer years of the window than an enclave
        must last.
    """
    terms = terms or EnclaveTerms()
    window = _window(density, year, terms)
    lasted = (window > 0).sum(axis=1).to_numpy()
    hectares = density.hectares[year].fillna(0.0).to_numpy()
    dense = hectares * HA_PER_KM2 >= terms.minimum_ha_per_km2 * density.cell_ha()
    chosen = np.flatnonzero(dense & (lasted >= terms.lasting_years))
    found = _grouped(density, chosen, hectares, terms)
    if found.empty:
        return _nothing()
    found["years"] = lasted[found["cell"]]
    frame = _measured(density, found).assign(years_known=window.shape[1])
    frame["national_share"] = frame["coca_ha"] / (np.nan if national_ha is None else national_ha)
    frame = frame.join(_places(density, found, municipalities))
    frame["station_km"] = _station_km(density, found, posts).mask(frame["department_code"].isin(unreported))
    for kind, column in SHARES.items():
        frame[column] = overlay.covered_share(frame, areas[kind]) if areas and kind in areas else np.nan
    frame.index = _names(len(frame))
    return frame[[*COLUMNS, "geometry"]]


def _sentence(terms: EnclaveTerms, window: str) -> str:
    touch = "a side or a corner" if terms.corners else "a side"
    return (
        f"Enclaves: cells of at least {terms.minimum_ha_per_km2:g} ha of coca per km2 that had coca in at least "
        f"{terms.lasting_years} {window}, in groups that share {touch}, of at least {terms.minimum_km2:g} km2."
    )


def _spans(years: Sequence[int]) -> str:
    """Years as ``2011, 2013-2020``."""
    of_span = np.cumsum(np.diff(years, prepend=years[0]) > 1)
    spans = [list(span) for _, span in pd.Series(years).groupby(of_span)]
    return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)


def _window(density: Density, year: int, terms: EnclaveTerms) -> pd.DataFrame:
    """The years of the window in which the layer measured anything."""
    density.require_measured(year)
    years = known_years(density, terms, year=year)
    if len(years) < terms.lasting_years:
        raise ConfigError(
            f"to tell whether coca lasted {terms.lasting_years} of the {terms.of_last_years} years up to {year}, the "
            f"layer must have measured as many of them; it has {listed(years, most=terms.of_last_years)}: give more "
            f"years, or ask for fewer with --lasting-years {len(years)}"
        )
    return density.hectares[years]


def _grouped(density: Density, chosen: Integers, hectares: Floats, terms: EnclaveTerms) -> pd.DataFrame:
    """The cells of groups that are large enough: ``cell``, ``coca_ha``, ``km2``, ``group`` (by hectares, from 0 on)."""
    row, col = density.row[chosen], density.col[chosen]
    group = cellular.touching(row, col, corners=terms.corners)
    km2 = density.cell_ha()[chosen] / HA_PER_KM2
    frame = pd.DataFrame({"cell": chosen, "coca_ha": hectares[chosen], "km2": km2, "group": group})
    area = frame.groupby("group")["km2"].transform("sum")
    # Cells of a 1 km grid may be a little less than 1 km2 on the ground, and three of them are three.
    large = frame[area >= terms.minimum_km2 * (1 - DISTORTION)]
    order = large.groupby("group")["coca_ha"].sum().sort_values(ascending=False, kind="stable").index
    number = pd.Series(range(len(order)), index=order)
    return large.assign(group=large["group"].map(number))


def _measured(density: Density, found: pd.DataFrame) -> gpd.GeoDataFrame:
    """Shape, hectares, area, cells and years of each enclave."""
    squares = density.grid.cells(density.row[found["cell"]], density.col[found["cell"]])
    by = found["group"].to_numpy()
    weighted = found["years"] * found["coca_ha"]
    sums = (
        found.assign(years=weighted)
        .groupby("group")
        .agg(coca_ha=("coca_ha", "sum"), area_km2=("km2", "sum"), cells=("cell", "size"), years=("years", "sum"))
    )
    shapes = [shapely.union_all(squares.to_numpy()[by == number]) for number in sums.index]
    frame = gpd.GeoDataFrame(sums.drop(columns="years"), geometry=shapes, crs=density.grid.crs)
    return to_storage(frame.assign(years_with_coca=sums["years"] / sums["coca_ha"]))


def _places(density: Density, found: pd.DataFrame, municipalities: gpd.GeoDataFrame) -> pd.DataFrame:
    """The municipalities of each enclave, the one with most of its coca first, and what that one is called."""
    cell = found["cell"].to_numpy()
    shares = cellular.shares(density.grid, density.row[cell], density.col[cell], municipalities).tocoo()
    group, code = found["group"].to_numpy()[shares.row], municipalities.index.to_numpy()[shares.col]
    held = pd.DataFrame({"group": group, "code": code, "ha": shares.data * found["coca_ha"].to_numpy()[shares.row]})
    by_code = held.groupby(["group", "code"])["ha"].sum().reset_index()
    order = by_code.sort_values(["group", "ha", "code"], ascending=[True, False, True])
    codes = order.groupby("group")["code"].agg(list).to_dict()
    members = [codes.get(number, []) for number in range(found["group"].max() + 1)]
    facts = municipalities[["name", "department", "department_code"]]
    main = facts.reindex([each[0] if each else None for each in members]).reset_index(drop=True)
    return main.astype(object).where(main.notna(), None).assign(municipalities=pd.Series(members))


def _station_km(density: Density, found: pd.DataFrame, posts: gpd.GeoDataFrame) -> pd.Series:
    """From the coca-weighted centre of each enclave to the nearest post."""
    cell = found["cell"].to_numpy()
    centres = to_metric(density.grid.centres(density.row[cell], density.col[cell]))
    moments = pd.DataFrame({"x": centres.x, "y": centres.y}).mul(found["coca_ha"].to_numpy(), axis=0)
    by = found["group"].to_numpy()
    middle = moments.groupby(by).sum().div(found.groupby("group")["coca_ha"].sum(), axis=0)
    points = gpd.GeoSeries(gpd.points_from_xy(middle["x"], middle["y"]), index=middle.index, crs=METRIC)
    return overlay.nearest_km(points, posts.geometry)


def _names(count: int) -> pd.Index:
    width = max(2, len(str(count)))
    return pd.Index([f"E{number:0{width}d}" for number in range(1, count + 1)], name="enclave", dtype=object)


def _nothing() -> gpd.GeoDataFrame:
    """No enclave, with the columns that some would have."""
    text = dict.fromkeys(["name", "department", "municipalities"], object)
    counts = dict.fromkeys(["cells", "years_known"], int)
    columns = {column: pd.Series(dtype={**text, **counts}.get(column, float)) for column in COLUMNS}
    return gpd.GeoDataFrame(columns, geometry=[], crs=STORAGE, index=_names(0))
