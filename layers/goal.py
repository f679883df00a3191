"""The goal of the High Level Dialogue of March 2018: half of the coca of 2017 by the end of 2023."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from layers.criteria import Zoning
from layers.panel import Panel
from layers.published import NATION, published

TABLE, PRINTED = "municipal table", "printed total"
COUNTRY = "Colombia"
KEYS = ("series", "place", "name")


@dataclass(frozen=True)
class Aim:
    """What is to be reached.

    Attributes
    ----------
    baseline, target : int
        The year on which the goal builds, and that by whose end it is to be reached.
    share : float
        Share of the baseline's coca that should be gone.
    """

    baseline: int
    target: int
    share: float


def aim_of(zoning: Zoning) -> Aim:
    """The goal of the settings.

    Parameters
    ----------
    zoning : Zoning
        The settings.

    Returns
    -------
    Aim
        The goal.
    """
    return Aim(zoning.years.baseline, zoning.goal.target_year, zoning.goal.share)


def progress(coca_ha: pd.DataFrame, aim: Aim, *, year: int) -> pd.DataFrame:
    """How far each place is on its way from the baseline to the goal.

    Parameters
    ----------
    coca_ha : DataFrame
        Hectares, a row a place and a column a year.
    aim : Aim
        The goal.
    year : int
        The year that is asked for.

    Returns
    -------
    DataFrame
        On the same index, hectares: ``baseline_ha``; ``goal_ha``, what may be left; ``path_ha``, what may be left in
        that year on a straight way there, the goal from the target year on; ``coca_ha``; ``change_ha`` since baseline.
        ``progress``: 1 where the goal is reached, 0 at the baseline, below 0 where there is more, missing without coca
        in the baseline year. ``on_path``: whether there is no more than on the way.
    """
    known = coca_ha.reindex(columns=[aim.baseline, year])
    baseline, now = known.iloc[:, 0], known.iloc[:, 1]
    goal = baseline * (1 - aim.share)
    # A target in the baseline year itself leaves no way: it is due from that year on.
    gone = min(max((year - aim.baseline) / max(aim.target - aim.baseline, 1), 0.0), 1.0)
    path = baseline + (goal - baseline) * gone
    table = {
        "baseline_ha": baseline,
        "goal_ha": goal,
        "path_ha": path,
        "coca_ha": now,
        "change_ha": now - baseline,
        "progress": ((baseline - now) / (baseline - goal)).where(baseline > 0),
        "on_path": (now <= path).astype("boolean").mask(baseline.isna() | now.isna()),
    }
    return pd.DataFrame(table)


def by_series(coca_ha: pd.DataFrame, departments: pd.Series, aim: Aim, *, year: int) -> pd.DataFrame:
    """Progress of the nation and the departments, under each series that has the baseline year.

    Parameters
    ----------
    coca_ha : DataFrame
        Hectares by ``code``, a column a year.
    departments : Series of str
        Two digits by ``code``.
    aim : Aim
        The goal.
    year : int
        The year that is asked for.

    Returns
    -------
    DataFrame
        Index ``series`` and ``place``, which is ``CO`` or a department; the columns of :func:`progress`. Series: the
        ``municipal table`` added up, and the ``printed total`` where the publisher's of both years is on record.
    """
    nation = coca_ha.sum(skipna=False).rename(NATION).to_frame().T
    # A gap in one municipality is one in its department: as zero it would pass for a fall.
    where = departments.reindex(coca_ha.index)
    summed = pd.concat([nation, coca_ha.groupby(where).sum().mask(coca_ha.isna().groupby(where).any())])
    printed = published().loc["coca_ha"].unstack("year")
    printed = printed[printed.index.str.len() == len(NATION)]
    parts = {TABLE: progress(summed, aim, year=year), PRINTED: progress(printed, aim, year=year)}
    table = pd.concat(parts, names=["series", "place"])
    return table[table["baseline_ha"].notna() & table["coca_ha"].notna()]


def table(panel: Panel, aim: Aim, *, year: int) -> pd.DataFrame:
    """The goal on every level: nation, departments and municipalities.

    Parameters
    ----------
    panel : Panel
        The joined panel.
    aim : Aim
        The goal.
    year : int
        The year that is asked for.

    Returns
    -------
    DataFrame
        ``series``, ``place`` (``CO``, a department or a municipality), ``name``, the columns of :func:`progress`, and
        ``share_of_change`` of municipalities. The largest reductions of each level come first.
    """
    coca_ha = panel.wide("coca_ha")
    departments = panel.places[["department_code", "department"]].drop_duplicates("department_code")
    names = pd.concat([panel.places["name"], departments.set_index("department_code")["department"]])
    above = by_series(coca_ha, panel.places["department_code"], aim, year=year).reset_index()
    below = made_and_undid(coca_ha, aim, year=year).rename_axis("place").reset_index().assign(series=TABLE)
    every = pd.concat([above.sort_values("change_ha", kind="stable"), below], ignore_index=True)
    every = every.assign(name=every["place"].map(names).fillna(COUNTRY))
    return every[["series", "place", "name", *(column for column in every if column not in KEYS)]]


def made_and_undid(coca_ha: pd.DataFrame, aim: Aim, *, year: int) -> pd.DataFrame:
    """Which municipalities made the nation's change since the baseline, and which undid it.

    Parameters
    ----------
    coca_ha : DataFrame
        Hectares by ``code``, a column a year.
    aim : Aim
        The goal.
    year : int
        The year that is asked for.

    Returns
    -------
    DataFrame
        The columns of :func:`progress`, and ``share_of_change``: the municipality's part of the nation's change, which
        sums to 1; missing where the nation's coca did not change or is not known. The largest reductions come first.
    """
    table = progress(coca_ha, aim, year=year)
    total = table["change_ha"].sum(skipna=False)
    share = table["change_ha"] / total if total else table["change_ha"] * float("nan")
    return table.assign(share_of_change=share).sort_values(["change_ha", "baseline_ha"], kind="stable")
