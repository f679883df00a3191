"""Contiguous groups of polygons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


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
