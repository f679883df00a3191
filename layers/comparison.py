"""Two runs held against each other: who entered the first, who left, and which measure or weight made it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo import score
from geo.score import Floats, Method, Rescale, Scale

Bools: TypeAlias = npt.NDArray[np.bool_]

VALUE, SCALE, WEIGHT, KNOWN = "value", "scale", "weight", "known"
CHANGE, METHOD = "change", "method"
SPLIT, WHOLE = (VALUE, SCALE, WEIGHT, KNOWN), (CHANGE, METHOD)
ENTERED, LEFT, STAYED = "entered", "left", "stayed"
NEW, GONE, MOVED, SAME, OUTSIDE = "new candidate", "no longer candidate", "moved", "same rank", "outside"
STATUSES = (ENTERED, LEFT, STAYED, NEW, GONE, MOVED, SAME, OUTSIDE)
LEAST_SHARE = 1e-9  # of the weight; by less a contribution cannot be divided
NOTHING = 1e-9  # of a score; files have contributions to twelve decimals, and below this a change is their rounding


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes
    ----------
    table : DataFrame
        Index ``code``, all municipalities: ``score`` and ``rank``, missing for those that are no candidates, and every
        measure in its unit.
    contributions : DataFrame
        Index ``code``, a column a measure; missing where the score or the measure is.
    weights : mapping of str to float
        By measure, summing to 1.
    scales : mapping of str to Scale
        By measure: how it was rescaled.
    method : Method
        How the measures became a score.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame
    weights: Mapping[str, float]
    scales: Mapping[str, Scale]
    method: Method


@dataclass(frozen=True)
class Comparison:
    """What changed from one run to the other.

    Attributes
    ----------
    table : DataFrame
        Index ``code``, every municipality of either run by its later rank: ``status``, ``score_before``,
        ``score_after``, ``score_change``, ``rank_before``, ``rank_after``, ``rank_change`` (above 0: further up).
        Status is the first of these that holds: ``entered``, ``left`` or ``stayed`` among the first; ``new candidate``,
        ``no longer candidate``; ``moved`` or ``same rank``, a candidate in both; ``outside``, in neither.
    causes : DataFrame
        Index ``code``, those that are candidates in both runs; columns of two levels, measure and cause. A row sums to
        the change of the score, and the columns of a measure to that of its contribution.
    top : int
        Up to which rank a municipality is among the first.
    """

    table: pd.DataFrame
    causes: pd.DataFrame
    top: int


def scale_of(plain: Mapping[str, Any]) -> Scale:
    """A scale as ``run.json`` writes it.

    Parameters
    ----------
    plain : mapping
        ``kind``, ``log``, ``unit``, ``low``, ``high``, ``descending`` and ``reference``.

    Returns
    -------
    Scale
        As it was fitted.
    """
    return Scale(
        kind=Rescale(plain["kind"]),
        unit=float(plain["unit"]),
        low=float(plain["low"]),
        high=float(plain["high"]),
        descending=bool(plain["descending"]),
        log=bool(plain["log"]),
        reference=np.array(plain["reference"], dtype=float),
    )


def compare(before: Side, after: Side, *, top: int) -> Comparison:
    """Hold one run against another.

    Parameters
    ----------
    before, after : Side
        The runs.
    top : int
        Up to which rank a municipality is among the first.

    Returns
    -------
    Comparison
        What changed, and what made it so.
    """
    table = _changes(before.table, after.table, top)
    both = table.index[table["score_before"].notna() & table["score_after"].notna()]
    return Comparison(table, causes(before, after, both), top)


def causes(before: Side, after: Side, codes: pd.Index) -> pd.DataFrame:
    """What changed each score, by measure and cause.

    Where both runs take the weighted mean, a contribution is a share of the weight times a rescaled measure. Its change
    is shared out between the two at their middle, and each part once more, over both orders (Shapley values): of the
    measure's, ``value`` comes of the measure itself and ``scale`` of the other candidates, by whom it is rescaled; of
    the share's, ``weight`` comes of the settings and ``known`` of measures that became known or are so no longer, for
    the weights of a municipality are brought to a sum of 1 over what is known of it. So the other way round every
    part has the other sign. A measure that only one of the runs uses has no weight in the other.

    With another method contributions are no products. If the methods differ, ``method`` is what comes of that, over
    both orders, and ``change`` the rest; if not, all is ``change``.

    Parameters
    ----------
    before, after : Side
        The runs.
    codes : Index
        Candidates in both.

    Returns
    -------
    DataFrame
        Codes by measure and cause; the parts of a measure sum to the change of its contribution.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games 2, 307-317.
    """
    names = list(dict.fromkeys([*after.weights, *before.weights]))
    if before.method is after.method is Method.WEIGHTED_MEAN:
        parts = _split(before, after, codes, names)
    else:
        parts = _by_method(before, after, codes, names)
    columns = {(name, cause): part[:, j] for j, name in enumerate(names) for cause, part in parts.items()}
    return pd.DataFrame(columns, index=codes).rename_axis(columns=["measure", "cause"])


def events(found: pd.DataFrame) -> pd.DataFrame:
    """Causes as one would tell them: weights and knowledge, which touch every measure at once, as one cause each.

    Parameters
    ----------
    found : DataFrame
        As :func:`causes` gives them.

    Returns
    -------
    DataFrame
        Columns ``code``, ``cause``, ``measure`` (empty for ``weight``, ``known`` and ``method``) and ``amount``, the
        largest of a municipality first; amounts sum to the change of its score.
    """
    joint = found.columns.get_level_values("cause").isin([WEIGHT, KNOWN, METHOD])
    single, together = found.loc[:, ~joint], found.loc[:, joint].T.groupby(level="cause").sum().T
    together.columns = pd.MultiIndex.from_product([[""], together.columns], names=["measure", "cause"])
    told = pd.concat([single, together], axis=1).rename_axis(index="code")
    told.columns = told.columns.set_names(["measure", "cause"])
    rows = pd.DataFrame({"amount": told.stack(["measure", "cause"])}).reset_index()
    rows["size"] = rows["amount"].abs()
    rows = rows[rows["size"] > NOTHING].sort_values(
        ["code", "size", "cause", "measure"], ascending=[True, False, True, True]
    )
    return rows[["code", "cause", "measure", "amount"]].reset_index(drop=True)


def became(before: Side, after: Side, codes: pd.Index) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which measures became known, and which are so no longer; only those that both runs use.

    Parameters
    ----------
    before, after : Side
        The runs.
    codes : Index
        Candidates in both.

    Returns
    -------
    tuple of DataFrame of bool
        Codes by measures: became known, no longer known.
    """
    names = [name for name in after.weights if name in before.weights]
    one, other = (side.contributions[names].reindex(codes).notna() for side in (before, after))
    return other & ~one, one & ~other


def _changes(before: pd.DataFrame, after: pd.DataFrame, top: int) -> pd.DataFrame:
    codes = before.index.union(after.index).rename("code")
    table = pd.DataFrame(
        {
            f"{name}_{when}": side[name].reindex(codes).astype(float)
            for name in ("score", "rank")
            for when, side in (("before", before), ("after", after))
        }
    )
    table["score_change"] = table["score_after"] - table["score_before"]
    table["rank_change"] = table["rank_before"] - table["rank_after"]
    table["status"] = _status(table, top)
    order = ["status", *(f"{name}_{when}" for name in ("score", "rank") for when in ("before", "after", "change"))]
    return table[order].sort_values(["rank_after", "rank_before"], kind="stable")


def _status(table: pd.DataFrame, top: int) -> Any:
    was, is_ = table["rank_before"].notna(), table["rank_after"].notna()
    first, now_first = table["rank_before"] <= top, table["rank_after"] <= top
    rules = [first & now_first, now_first, first, is_ & ~was, was & ~is_, ~is_, table["rank_change"] != 0]
    return np.select(rules, [STAYED, ENTERED, LEFT, NEW, GONE, OUTSIDE, MOVED], SAME)


def _split(before: Side, after: Side, codes: pd.Index, names: list[str]) -> dict[str, Floats]:
    """The four parts of a weighted mean, each of shape (codes, measures)."""
    weights = [np.array([side.weights.get(name, 0.0) for name in names]) for side in (before, after)]
    known = _known(before, after, codes, names)
    shares = [[_share(weight, which) for which in known] for weight in weights]
    rescaled = [_rescaled(before, after, codes, name) for name in names]
    once = known[0] ^ known[1]
    # Of a measure that is known in one run only, the other has no value to differ by.
    units = [[np.stack([unit[i][j] for unit in rescaled], axis=-1) for j in (0, 1)] for i in (0, 1)]
    only = np.where(known[0], units[0][0], units[1][1])
    units = [[np.where(once, only, np.nan_to_num(units[i][j])) for j in (0, 1)] for i in (0, 1)]
    share, unit = (shares[0][0] + shares[1][1]) / 2, (units[0][0] + units[1][1]) / 2
    value, scale = _in_both_orders(units)
    weight, knowledge = _in_both_orders(shares)
    return {VALUE: share * value, SCALE: share * scale, WEIGHT: unit * weight, KNOWN: unit * knowledge}


def _in_both_orders(of: list[list[Floats]]) -> tuple[Floats, Floats]:
    """What each of two factors adds, on average of going first and last; ``of[i][j]`` has them at i and j."""
    first = ((of[1][0] - of[0][0]) + (of[1][1] - of[0][1])) / 2
    return first, of[1][1] - of[0][0] - first


def _known(before: Side, after: Side, codes: pd.Index, names: list[str]) -> tuple[Bools, Bools]:
    """Which measures have a figure in each run; one that a run does not use is as the other has it."""
    found = [side.contributions.reindex(index=codes, columns=names).notna().to_numpy() for side in (before, after)]
    used = [np.array([name in side.weights for name in names]) for side in (before, after)]
    return np.where(used[0], found[0], found[1]), np.where(used[1], found[1], found[0])


def _share(weights: Floats, known: Bools) -> Floats:
    """Weights brought to a sum of 1 over what each municipality has; all 0 where that has none."""
    spread = weights * known
    total = spread.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(spread, total, out=np.zeros(spread.shape), where=total > 0))


def _rescaled(before: Side, after: Side, codes: pd.Index, name: str) -> list[list[Floats]]:
    """A measure in 0..1: ``[i][j]`` has the figures of run i on the scale of run j."""
    sides = (before, after)
    if not all(name in side.weights for side in sides):
        one = next(_unit(side, codes, name) for side in sides if name in side.weights)
        return [[one, one], [one, one]]
    raw = [side.table[name].reindex(codes).to_numpy(dtype=float) for side in sides]
    own = [_unit(side, codes, name) for side in sides]
    # The same figure has the same place among ranks, though files have it with fewer decimals than the scale.
    same = raw[0] == raw[1]
    crossed = [np.where(same, own[1], after.scales[name](raw[0])), np.where(same, own[0], before.scales[name](raw[1]))]
    return [[own[0], crossed[0]], [crossed[1], own[1]]]


def _unit(side: Side, codes: pd.Index, name: str) -> Floats:
    """A measure in 0..1 as the run had it: from its contribution, which files have with more decimals."""
    names = list(side.weights)
    known = side.contributions[names].reindex(codes).notna().to_numpy()
    share = _share(np.array([side.weights[each] for each in names]), known)[:, names.index(name)]
    part = side.contributions[name].reindex(codes).to_numpy(dtype=float)
    rebuilt = side.scales[name](side.table[name].reindex(codes).to_numpy(dtype=float))
    return np.asarray(np.divide(part, share, out=rebuilt, where=share > LEAST_SHARE))


def _by_method(before: Side, after: Side, codes: pd.Index, names: list[str]) -> dict[str, Floats]:
    sides = (before, after)
    parts = [side.contributions.reindex(index=codes, columns=names).fillna(0.0).to_numpy() for side in sides]
    whole, method = parts[1] - parts[0], np.zeros(parts[0].shape)
    if before.method is not after.method:
        again = [[_again(side, under.method, codes, names) for under in sides] for side in sides]
        method = (again[0][1] - again[0][0] + again[1][1] - again[1][0]) / 2
    return {CHANGE: whole - method, METHOD: method}


def _again(side: Side, method: Method, codes: pd.Index, names: list[str]) -> Floats:
    """Contributions of a run's own measures and weights under a method."""
    scored = side.table.index[side.table["score"].notna()]
    unit = np.stack(
        [side.scales[name](side.table.loc[scored, name].to_numpy(dtype=float)) for name in side.weights], -1
    )
    parts = score.contributions(unit, np.array(list(side.weights.values())), method)
    frame = pd.DataFrame(parts, index=scored, columns=list(side.weights))
    return frame.reindex(index=codes, columns=names).fillna(0.0).to_numpy()
