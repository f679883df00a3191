"""Contiguous groups of polygons, divided where they are too large, and how compact they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.crs import to_metric

if TYPE_CHECKING:
    from libpysal.weights import W  # takes a second to import, as spopt does, and most runs have nothing to divide

ROUNDING = 1e-9  # relative; three times 0.1 is above 0.3 in floating point, and keeps a limit of 0.3
PLANE = ["x", "y"]

Halves: TypeAlias = "Callable[[pd.DataFrame, W], npt.NDArray[np.int64]]"


def contiguous_groups(members: pd.Index, pairs: pd.DataFrame) -> pd.Series:
    """Group units that hang together over shared borders.

    Parameters
    ----------
    members : Index
        Labels of the n units to group, unique.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once. Pairs with a label that is no member are
        passed over, so that a group is connected through members alone.

    Returns
    -------
    Series
        A group number for each member, in the members' order, named ``group``. Numbers follow the smallest label
        of each group, so they do not depend on the order of rows.
    """
    ordered = members.sort_values()
    left, right = (ordered.get_indexer(pd.Index(pairs[side])) for side in ("left", "right"))
    inside = (left >= 0) & (right >= 0)
    links = coo_array((np.ones(inside.sum()), (left[inside], right[inside])), shape=(len(ordered), len(ordered)))
    _, labels = connected_components(links, directed=False)
    # pandas numbers values by first appearance, and the labels stand in sorted order here.
    numbered, _ = pd.factorize(labels)
    return pd.Series(numbered, index=ordered, name="group").reindex(members)


def over(totals: pd.DataFrame, limits: Mapping[str, float]) -> pd.DataFrame:
    """Which totals are above their limits.

    Parameters
    ----------
    totals : DataFrame
        A column for each limit, among others.
    limits : mapping of str to float
        The most of each quantity; infinity is no limit.

    Returns
    -------
    DataFrame of bool
        A column for each limit, on the totals' index. A missing total is above none.
    """
    most = pd.Series(dict(limits), dtype=float)
    return totals[list(limits)] > most + most.abs() * ROUNDING


def split(units: pd.DataFrame, pairs: pd.DataFrame, *, limits: Mapping[str, float]) -> pd.Series:
    """Divide units into contiguous, compact parts that keep limits, few rather than many.

    A unit that exceeds a limit by itself is a part of its own. The others are grouped where they hang together, and a
    group beyond a limit is divided in two, and again, until all parts keep the limits; then neighbouring parts that
    could be one are joined, the nearest first. To ask at once for 2, 3, 4 parts until all keep them would divide parts
    that are small enough.

    Two methods of spopt divide, and the fewer parts are taken, then those nearer to their centres: Ward's under
    contiguity, whose parts are rounder, and Skater, which finds even cuts of a chain that Ward's joins in pairs. AZP,
    max-p, k-means and the spectral method start from random draws.

    Parameters
    ----------
    units : DataFrame
        n rows with a unique index: ``x`` and ``y`` in metres, and a column for each limit, none negative. What is
        missing counts as nothing.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once; pairs with a label that is no unit are passed over.
    limits : mapping of str to float
        The most that a part's sum of each quantity may be; infinity is no limit.

    Returns
    -------
    Series
        A part number for each unit, in the units' order, named ``part``. Numbers follow the smallest label of each
        part, and neither they nor the parts depend on the order of rows or on any random state.

    Notes
    -----
    Ward, J. H. (1963). Hierarchical grouping to optimize an objective function. Journal of the American Statistical
    Association 58(301), 236-244. Assunção, R. M., Neves, M. C., Câmara, G. and Da Costa Freitas, C. (2006). Efficient
    regionalization techniques for socio-economic geographical units using minimum spanning trees. International
    Journal of Geographical Information Science 20(7), 797-811.

    The fewest parts that there could be are not promised: to find them takes integer programming.
    """
    ordered = units.sort_index()
    alone = over(ordered, limits).any(axis=1)
    groups = contiguous_groups(ordered.index[~alone], pairs)
    labels = pd.Series(ordered.index, index=ordered.index)
    for members in groups.groupby(groups).groups.values():
        labels.loc[members] = _divided(ordered.loc[members], pairs, limits)
    numbered, _ = pd.factorize(labels)
    return pd.Series(numbered, index=ordered.index, name="part").reindex(units.index)


def compactness(shapes: gpd.GeoSeries) -> pd.Series:
    """Polsby-Popper compactness: how much of the circle with its perimeter a shape fills.

    ``4 * pi * area / perimeter ** 2``, in EPSG:9377. The perimeter is that of all parts and holes, and grows with the
    detail of the borders: compare figures of one set of boundaries only.

    Parameters
    ----------
    shapes : GeoSeries
        Polygons in any stated CRS.

    Returns
    -------
    Series of float
        0 to 1 on the same index, named ``compactness``: 1 is a circle, pi / 4 a square.

    Raises
    ------
    GeometryError
        If the CRS is missing.

    Notes
    -----
    Polsby, D. D. and Popper, R. D. (1991). The third criterion: compactness as a procedural safeguard against partisan
    gerrymandering. Yale Law & Policy Review 9(2), 301-353.
    """
    metric = to_metric(shapes, "the shapes to measure")
    return (4.0 * math.pi * metric.area / metric.length**2).rename("compactness")


def _divided(units: pd.DataFrame, pairs: pd.DataFrame, limits: Mapping[str, float]) -> pd.Series:
    """Contiguous units in parts that keep the limits, each labelled by its first unit."""
    if not _beyond(units, limits):
        return pd.Series(units.index[0], index=units.index)
    found = [_joined(_bisected(units, pairs, limits, halves), units, pairs, limits) for halves in (_ward, _skater)]
    return min(found, key=lambda labels: (labels.nunique(), _spread(units, labels)))


def _beyond(units: pd.DataFrame, limits: Mapping[str, float]) -> bool:
    return bool(over(units[list(limits)].sum().to_frame().T, limits).to_numpy().any())


def _spread(units: pd.DataFrame, labels: pd.Series) -> float:
    """Sum of the squared distances from the parts' centres, in square metres."""
    plane = units[PLANE]
    return float(((plane - plane.groupby(labels).transform("mean")) ** 2).to_numpy().sum())


def _bisected(units: pd.DataFrame, pairs: pd.DataFrame, limits: Mapping[str, float], halves: Halves) -> pd.Series:
    """Divide in two what is beyond a limit, until nothing is; parts are labelled by their first unit."""
    labels = pd.Series(units.index, index=units.index)
    waiting = [units]
    while waiting:
        part = waiting.pop()
        if _beyond(part, limits):
            side = halves(part, _weights(part.index, pairs))
            waiting += [part[side == label] for label in (0, 1)]
        else:
            labels.loc[part.index] = part.index[0]
    return labels


def _weights(labels: pd.Index, pairs: pd.DataFrame) -> W:
    """The neighbours among these units, in the form that spopt takes."""
    from libpysal.weights import W

    beside: dict[object, list[object]] = {label: [] for label in labels}
    inside = pairs["left"].isin(labels) & pairs["right"].isin(labels)
    for left, right in sorted(zip(pairs["left"][inside], pairs["right"][inside], strict=True)):
        beside[left].append(right)
        beside[right].append(left)
    return W(beside, id_order=list(labels))


def _ward(units: pd.DataFrame, weights: W) -> npt.NDArray[np.int64]:
    """The last two parts that Ward's method would join."""
    from spopt.region import WardSpatial

    model = WardSpatial(units, weights, PLANE, n_clusters=2)
    model.solve()
    return np.asarray(model.labels_)


def _skater(units: pd.DataFrame, weights: W) -> npt.NDArray[np.int64]:
    """The two parts that cutting the shortest spanning tree once leaves nearest to their centres."""
    from spopt.region import Skater

    model = Skater(units, weights, PLANE, n_clusters=2, spanning_forest_kwds={"dissimilarity": _apart})
    model.solve()
    return np.asarray(model.labels_)


def _apart(points: npt.NDArray[np.float64], others: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """Square metres, and one more: Skater takes two units in one place to be no neighbours."""
    to = points if others is None else others
    return np.asarray(((points[:, None] - to[None]) ** 2).sum(axis=-1) + 1.0)


def _joined(labels: pd.Series, units: pd.DataFrame, pairs: pd.DataFrame, limits: Mapping[str, float]) -> pd.Series:
    """Join neighbouring parts, each labelled by its first unit, as long as two of them could be one."""
    while True:
        fitting = _fitting(labels, units, pairs, limits)
        if fitting.empty:
            return labels
        first, second = fitting.sort_values(["cost", "first", "second"])[["first", "second"]].iloc[0]
        labels = labels.mask(labels == second, first)


def _fitting(labels: pd.Series, units: pd.DataFrame, pairs: pd.DataFrame, limits: Mapping[str, float]) -> pd.DataFrame:
    """Pairs of neighbouring parts that keep the limits together, and by how much Ward's sum of squares would grow."""
    sides = np.column_stack([labels.reindex(pairs[side]).to_numpy(dtype=object) for side in ("left", "right")])
    known = sides[~pd.isna(sides).any(axis=1)]
    found = pd.DataFrame(np.sort(known[known[:, 0] != known[:, 1]], axis=1), columns=["first", "second"])
    found = found.drop_duplicates(ignore_index=True)
    parts = units.groupby(labels)
    totals, centres, count = parts[list(limits)].sum(), parts[PLANE].mean(), parts.size()
    one, other = found["first"], found["second"]
    both = totals.loc[one].reset_index(drop=True) + totals.loc[other].reset_index(drop=True)
    weight = 1.0 / (1.0 / count.loc[one].to_numpy() + 1.0 / count.loc[other].to_numpy())
    apart = ((centres.loc[one].to_numpy() - centres.loc[other].to_numpy()) ** 2).sum(axis=1)
    return found.assign(cost=weight * apart)[~over(both, limits).any(axis=1)]
