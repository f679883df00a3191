"""Where high and low values stand together, and what happens next door: Gi* and the neighbours' change."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.fft import irfft, next_fast_len, rfft
from scipy.sparse import csr_array, eye_array

HOT, COLD, NEITHER = "hot", "cold", "neither"
LEVELS = 5040  # steps from the lowest to the highest value in which p-values are counted; divides evenly by 1 to 10


def getis_ord(values: pd.Series, pairs: pd.DataFrame, *, false_discovery: float = 0.05) -> pd.DataFrame:
    """Hot and cold spots: Getis and Ord's Gi*, with the false discoveries among them controlled.

    A unit and its neighbours count alike (binary contiguity). ``z`` is the published standard score. ``p`` is not taken
    from the normal distribution, which does not hold for a handful of skewed values and would find hot spots where
    chance put them: it is the share of all ways to draw as many values from the units, with replacement, whose sum is
    at least (at most) as large, twice the smaller of the two. It is counted, not simulated, and then adjusted after
    Benjamini and Hochberg. Where most values are the lowest one there can be no cold spot.

    Parameters
    ----------
    values : Series
        One value a unit, none negative and not all 0; NaN where missing.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once. Pairs with one that has no value are passed over.
    false_discovery : float, default 0.05
        Share of the spots that may be chance.

    Returns
    -------
    DataFrame
        On the index of the values: ``z``, ``p``, ``q`` (adjusted) and ``spot``: ``hot``, ``cold`` or ``neither``,
        missing where the value is. Without any difference between the values nothing is a spot.

    References
    ----------
    Ord, J. K. and Getis, A. (1995). Local spatial autocorrelation statistics: distributional issues and an application.
    Geographical Analysis 27, 286-306. Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate.
    Journal of the Royal Statistical Society B 57, 289-300.
    """
    from scipy.stats import false_discovery_control

    known = values.dropna().sort_index()
    linked = _links(known.index, pairs) + csr_array(eye_array(len(known)))
    z = _z(known, linked)
    p = _p(known, linked)
    q = pd.Series(false_discovery_control(p.to_numpy()) if len(p) else [], index=known.index, dtype=float)
    spot = np.where(q > false_discovery, NEITHER, np.where(z > 0, HOT, COLD)).astype(object)
    return pd.DataFrame({"z": z, "p": p, "q": q, "spot": spot}).reindex(values.index)


def neighbours_sum(values: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """What each unit's neighbours have together.

    Parameters
    ----------
    values : DataFrame of float
        A row a unit.
    pairs : DataFrame
        Columns ``left`` and ``right``: neighbours, each pair once.

    Returns
    -------
    DataFrame of float
        The same shape: 0 for a unit without neighbours, missing where a neighbour's value is.
    """
    linked = _links(values.index, pairs)
    summed = linked @ values.fillna(0.0).to_numpy(dtype=float)
    gaps = linked @ values.isna().to_numpy(dtype=float)
    return pd.DataFrame(np.where(gaps > 0, np.nan, summed), index=values.index, columns=values.columns)


def _z(known: pd.Series, linked: csr_array) -> pd.Series:
    """Standard scores by esda; 0 where no value differs from another."""
    if known.nunique() < 2:
        return pd.Series(0.0, index=known.index)
    from esda.getisord import G_Local
    from libpysal.weights import WSP

    weights = WSP(linked, id_order=list(known.index)).to_W(silence_warnings=True)
    # Where all others are neighbours of one, its variance is 0, and it is no spot.
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = G_Local(known.to_numpy(dtype=float), weights, transform="B", permutations=0, star=True).Zs
    return pd.Series(np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0), index=known.index)


def _p(known: pd.Series, linked: csr_array) -> pd.Series:
    """Two-sided p-values from the exact distribution of a sum of values drawn at random; 1 where none differs."""
    found = pd.Series(1.0, index=known.index)
    if known.nunique() < 2:
        return found
    steps = np.rint((known - known.min()) / (known.max() - known.min()) * LEVELS).to_numpy(dtype=np.int64)
    sizes = linked.sum(axis=1).astype(np.int64)
    sums = np.rint(linked @ steps).astype(np.int64)
    drawn = np.bincount(steps) / len(steps)
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        length = next_fast_len(LEVELS * int(size) + 1, real=True)
        # The transform leaves rounding errors of 1e-17 where the chance is 0.
        chance = irfft(rfft(drawn, n=length) ** size, n=length).clip(min=0.0)
        low, high = chance.cumsum()[sums[alike]], chance[::-1].cumsum()[::-1][sums[alike]]
        found.iloc[alike] = np.minimum(2 * np.minimum(low, high), 1.0)
    return found


def _links(index: pd.Index, pairs: pd.DataFrame) -> csr_array:
    """1 where two units are neighbours, both ways."""
    left, right = (index.get_indexer(pd.Index(pairs[side])) for side in ("left", "right"))
    inside = (left >= 0) & (right >= 0)
    rows, columns = np.r_[left[inside], right[inside]], np.r_[right[inside], left[inside]]
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(index), len(index)))
