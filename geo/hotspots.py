"""Where high and low values stand together, and what happens next door: Gi* and the neighbours' change."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

HOT, COLD, NEITHER = "hot", "cold", "neither"


def getis_ord(values: pd.Series, pairs: pd.DataFrame, *, false_discovery: float = 0.05) -> pd.DataFrame:
    """Hot and cold spots: Getis and Ord's Gi*, with the false discoveries among them controlled.

    A unit and its neighbours count alike (binary contiguity). The p-values are two-sided, of the normal approximation,
    and adjusted after Benjamini and Hochberg; they are the better, the less skewed the values are.

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
    from scipy.stats import false_discovery_control, norm

    known = values.dropna().sort_index()
    z = _z(known, pairs)
    p = pd.Series(2 * norm.sf(z.abs()), index=known.index)
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


def _z(known: pd.Series, pairs: pd.DataFrame) -> pd.Series:
    """Standard scores by esda; 0 where no value differs from another."""
    if known.nunique() < 2:
        return pd.Series(0.0, index=known.index)
    from esda.getisord import G_Local
    from libpysal.weights import WSP

    linked = _links(known.index, pairs) + csr_array(np.eye(len(known)))
    weights = WSP(linked, id_order=list(known.index)).to_W(silence_warnings=True)
    # Where all others are neighbours of one, its variance is 0, and it is no spot.
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = G_Local(known.to_numpy(dtype=float), weights, transform="B", permutations=0, star=True).Zs
    return pd.Series(np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0), index=known.index)


def _links(index: pd.Index, pairs: pd.DataFrame) -> csr_array:
    """1 where two units are neighbours, both ways."""
    left, right = (index.get_indexer(pd.Index(pairs[side])) for side in ("left", "right"))
    inside = (left >= 0) & (right >= 0)
    rows, columns = np.r_[left[inside], right[inside]], np.r_[right[inside], left[inside]]
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(index), len(index)))
