"""What the coca is doing: permanence classes, hot spots, what happens next door, and eradication net of replanting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo import hotspots
from layers import measures
from layers.criteria import Zoning
from layers.panel import Panel

PERMANENT, INTERMITTENT, EXPANSION = "permanent", "intermittent", "expansion"
ABANDONED, PAST, NEVER = "abandoned", "past", "never"
GROUPS = ["eradicated", "next door", "elsewhere"]


@dataclass(frozen=True)
class Spillover:
    """What happened next to municipalities where coca was eradicated.

    Attributes
    ----------
    table : DataFrame
        Index the municipalities where enough was eradicated: ``eradicated_ha`` over the window; ``own_change_ha`` and
        ``neighbours_change_ha``, coca now less coca before the window; ``displacement_ha`` and ``diffusion_ha``.
    national_growth : float
        Growth of the nation's coca in the window, against which the neighbours' is to be read: 0.1 is 10 %.
    """

    table: pd.DataFrame
    national_growth: float


def describe(panel: Panel, zoning: Zoning, pairs: pd.DataFrame, *, year: int) -> pd.DataFrame:
    """All that this module tells of every municipality.

    Parameters
    ----------
    panel : Panel
        The joined panel.
    zoning : Zoning
        The settings.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    year : int
        Reference year.

    Returns
    -------
    DataFrame
        Index ``code``: ``permanence_class``, ``hot_spot``, ``net_eradicated_low_ha``, ``net_eradicated_high_ha`` (over
        the eradication window), ``neighbours_change_ha`` (of all municipalities, over the same), ``displacement_ha``
        and ``diffusion_ha`` (where enough was eradicated).
    """
    windows, band = zoning.windows, zoning.replanting
    coca, eradicated = panel.wide("coca_ha"), panel.wide("eradicated_ha")
    surveyed = coca.dropna(axis="columns", how="all")
    removed = measures.eradicated_ha(eradicated, year=year, years=windows.eradication_years)
    density = measures.coca_ha_per_km2(coca, panel.places["area_km2"], year=year)
    beside = spillover(
        coca, eradicated, pairs, year=year, years=windows.eradication_years, minimum_ha=windows.minimum_eradicated_ha
    ).table
    return pd.DataFrame(
        {
            "permanence_class": permanence_class(
                surveyed, year=year, window_years=windows.permanence_years, recent_years=windows.recent_years
            ),
            "hot_spot": hot_spot(density, pairs, false_discovery=zoning.hotspots.false_discovery),
            **net_of_replanting(removed, low=band.low, high=band.high),
            "neighbours_change_ha": neighbours_change_ha(coca, pairs, year=year, years=windows.eradication_years),
            **beside[["displacement_ha", "diffusion_ha"]],
        },
        index=panel.places.index,
    )


def permanence_class(coca: pd.DataFrame, *, year: int, window_years: int, recent_years: int) -> pd.Series:
    """Permanence class of coca, after SIMCI: how long it has been there, and whether it still is.

    In this order: ``never`` (none in any year on record), ``expansion`` (in the recent years, and none in any year on
    record before them), ``past`` (none in the window), ``abandoned`` (none in the recent years, some in the window
    before), ``permanent`` (some in every year of the window), ``intermittent`` (all others).

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    year : int
        Reference year.
    window_years, recent_years : int
        Length of the window and of its end that counts as recent, the reference year included.

    Returns
    -------
    Series of str
        Named ``permanence_class``. A year is on record if any unit was measured in it. Missing where a year of the
        window was not measured; where an earlier year on record was not, those classes are missing that deny coca in
        it (``never``, ``expansion`` and ``past``), since missing is not zero.
    """
    years = [int(each) for each in coca.columns[coca.notna().any()] if int(each) <= year]
    record = coca[years].to_numpy(dtype=float)
    window = coca.reindex(columns=range(year - window_years + 1, year + 1)).to_numpy(dtype=float)
    grown = record > 0
    before = grown[:, np.array(years) <= year - recent_years].any(axis=1)
    recent = (window[:, -recent_years:] > 0).any(axis=1)
    lasting = (window > 0).any(axis=1)
    rules = [~grown.any(axis=1), recent & ~before, ~lasting, ~recent, (window > 0).all(axis=1)]
    names = [NEVER, EXPANSION, PAST, ABANDONED, PERMANENT]
    found = pd.Series(np.select(rules, names, INTERMITTENT), index=coca.index, dtype=object)
    unsure = np.isnan(record).any(axis=1) & found.isin([NEVER, EXPANSION, PAST])
    return found.mask(np.isnan(window).any(axis=1) | unsure).rename("permanence_class")


def hot_spot(coca_ha_per_km2: pd.Series, pairs: pd.DataFrame, *, false_discovery: float) -> pd.Series:
    """Hot and cold spots of coca: Gi* of the logarithm of its density.

    Density is so skewed that a few municipalities would make hot spots of their neighbours and no p-value would hold:
    it is brought to ``log1p(x / median of the positive)`` first, as for the score. All municipalities count, also those
    without coca: a hot spot stands out from the country, not from the coca regions.

    Parameters
    ----------
    coca_ha_per_km2 : Series
        Hectares per square kilometre.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    false_discovery : float
        Share of the spots that may be chance.

    Returns
    -------
    Series of str
        ``hot``, ``cold`` or ``neither``, named ``hot_spot``; see :func:`geo.hotspots.getis_ord`.
    """
    middle = float(coca_ha_per_km2[coca_ha_per_km2 > 0].median())
    moved = np.log1p(coca_ha_per_km2 / (middle if middle > 0 else 1.0))
    return hotspots.getis_ord(moved, pairs, false_discovery=false_discovery)["spot"].rename("hot_spot")


def hot_spots(panel: Panel, zoning: Zoning, pairs: pd.DataFrame) -> pd.DataFrame:
    """Hot and cold spots of every year with coca data.

    Parameters
    ----------
    panel : Panel
        The joined panel.
    zoning : Zoning
        The settings.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.

    Returns
    -------
    DataFrame of str
        Codes by years; see :func:`hot_spot`.
    """
    coca, area = panel.wide("coca_ha").dropna(axis="columns", how="all"), panel.places["area_km2"]
    rate = zoning.hotspots.false_discovery
    density = {year: measures.coca_ha_per_km2(coca, area, year=int(year)) for year in coca.columns}
    return pd.DataFrame({year: hot_spot(values, pairs, false_discovery=rate) for year, values in density.items()})


def net_of_replanting(eradicated_ha: pd.Series, *, low: float, high: float) -> pd.DataFrame:
    """Eradication net of replanting: a band between stated rates, never one number.

    The register does not tell forced from agreed eradication, and these are planted again at very different rates.

    Parameters
    ----------
    eradicated_ha : Series
        Hectares eradicated.
    low, high : float
        Shares that are planted again, at the least and at the most.

    Returns
    -------
    DataFrame
        ``net_eradicated_low_ha``, ``E (1 - high)``, and ``net_eradicated_high_ha``, ``E (1 - low)``.
    """
    return pd.DataFrame(
        {"net_eradicated_low_ha": eradicated_ha * (1 - high), "net_eradicated_high_ha": eradicated_ha * (1 - low)}
    )


def neighbours_change_ha(coca: pd.DataFrame, pairs: pd.DataFrame, *, year: int, years: int) -> pd.Series:
    """Change of coca in all neighbours together over the last years.

    Parameters
    ----------
    coca : DataFrame
        Hectares.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    year, years : int
        Reference year and length of the window.

    Returns
    -------
    Series
        Hectares now less hectares before the window; 0 without neighbours, missing where one was not measured.
    """
    beside = hotspots.neighbours_sum(_stock(coca, year, years), pairs)
    return (beside["now"] - beside["before"]).rename("neighbours_change_ha")


def spillover(
    coca: pd.DataFrame, eradicated: pd.DataFrame, pairs: pd.DataFrame, *, year: int, years: int, minimum_ha: float
) -> Spillover:
    """What happened next to municipalities where coca was eradicated, as displacement and as diffusion side by side.

    Where a municipality's own coca fell and its neighbours' rose, the rise, up to what it lost, is consistent with
    *displacement* (Rincón-Ruiz and Kallis 2013); where the neighbours' fell too, that is consistent with *diffusion* of
    the benefit (Dávalos and Morales 2023). Neither proves a cause: neighbours are eradicated themselves, prices and
    armed groups cross borders too, and a neighbour of several such municipalities is counted for each.

    Parameters
    ----------
    coca, eradicated : DataFrame
        Hectares standing and hectares eradicated a year.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    year, years : int
        Reference year and length of the window.
    minimum_ha : float
        Hectares eradicated in the window from which a municipality is looked at.

    Returns
    -------
    Spillover
        ``displacement_ha`` and ``diffusion_ha`` of the table are 0 where the other is not, and missing where the
        municipality's own coca did not fall or a figure is.

    References
    ----------
    Rincón-Ruiz, A. and Kallis, G. (2013). Caught in the middle, Colombia's war on drugs and its effects on forest and
    people. Geoforum 46, 60-78. Dávalos, E. and Morales, L. F. (2023). Diffusion of crime control benefits: forced
    eradication and coca crops in Colombia. Spatial Economic Analysis 18(3), 292-317. Both study spraying from the air;
    eradication here is by hand.
    """
    stock = _stock(coca, year, years)
    removed = measures.eradicated_ha(eradicated, year=year, years=years)
    own = stock["now"] - stock["before"]
    neighbours = neighbours_change_ha(coca, pairs, year=year, years=years)
    fell = own < 0
    table = pd.DataFrame(
        {
            "eradicated_ha": removed,
            "own_change_ha": own,
            "neighbours_change_ha": neighbours,
            "displacement_ha": neighbours.clip(lower=0).clip(upper=-own).where(fell),
            "diffusion_ha": (-neighbours).clip(lower=0).where(fell),
        }
    )
    return Spillover(table[removed >= minimum_ha].sort_index(), _growth(stock))


def by_nearness(
    coca: pd.DataFrame, eradicated: pd.DataFrame, pairs: pd.DataFrame, *, year: int, years: int, minimum_ha: float
) -> pd.DataFrame:
    """Change of coca where it was eradicated, next door to that, and elsewhere: each municipality counts once.

    The columns of :func:`spillover` must not be added up, since most neighbours of a municipality are neighbours of
    others too, or were eradicated themselves. Here *next door* is only who was not: if coca moved, it should have grown
    more there than *elsewhere*, and if the benefit spread, less. *Elsewhere* has little coca to begin with.

    Parameters
    ----------
    coca, eradicated : DataFrame
        Hectares standing and hectares eradicated a year.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.
    year, years : int
        Reference year and length of the window.
    minimum_ha : float
        Hectares eradicated in the window from which a municipality counts as eradicated.

    Returns
    -------
    DataFrame
        Index ``eradicated``, ``next door``, ``elsewhere``: ``municipalities``, ``before_ha``, ``now_ha``, ``change_ha``
        (each sums to the nation's), and ``growth`` (0.1 is 10 %; missing without coca before). Hectares are missing
        where one of the municipalities was not measured.
    """
    there = measures.eradicated_ha(eradicated, year=year, years=years) >= minimum_ha
    near = hotspots.neighbours_sum(there.astype(float).to_frame(), pairs).iloc[:, 0] > 0
    group = pd.Series(np.select([there, near], GROUPS[:2], GROUPS[2]), index=coca.index)
    stock = _stock(coca, year, years).add_suffix("_ha")
    table = stock.groupby(group).sum().mask(stock.isna().groupby(group).any()).reindex(GROUPS, fill_value=0.0)
    table.insert(0, "municipalities", group.value_counts().reindex(GROUPS, fill_value=0))
    table["change_ha"] = table["now_ha"] - table["before_ha"]
    return table.assign(growth=(table["change_ha"] / table["before_ha"]).where(table["before_ha"] > 0))


def _stock(coca: pd.DataFrame, year: int, years: int) -> pd.DataFrame:
    return coca.reindex(columns=[year - years, year]).astype(float).set_axis(["before", "now"], axis=1)


def _growth(stock: pd.DataFrame) -> float:
    known = stock.dropna()
    before = float(known["before"].sum())
    return float(known["now"].sum()) / before - 1 if before > 0 else float("nan")
