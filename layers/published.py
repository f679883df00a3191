"""Totals that the publishers print, against which every run states its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from layers.tables import Layer

TABLE = Path(__file__).parent / "published.csv"
SOURCE = "published"
NATION = "CO"
TOLERANCE = 0.001


@cache
def published() -> pd.Series:
    """Printed figures.

    Returns
    -------
    Series
        Index ``measure``, ``place`` (``CO``, a department's or a municipality's code) and ``year``; hectares.
    """
    table = pd.read_csv(TABLE, dtype={"place": str})
    return table.set_index(["measure", "place", "year"])["value"].astype(float)


def national(measure: str, year: int) -> float | None:
    """The printed national total of a year.

    Parameters
    ----------
    measure : str
        ``coca_ha`` or ``eradicated_ha``.
    year : int
        A year.

    Returns
    -------
    float or None
        Hectares; None where none is on record here.
    """
    value = published().get((measure, NATION, year))
    return None if value is None else float(value)


def difference(layer: Layer, year: int) -> str:
    """Say by how much a layer's sum misses the printed total, where it misses it.

    Parameters
    ----------
    layer : Layer
        Coca or eradication.
    year : int
        A year.

    Returns
    -------
    str
        A sentence, empty where the two agree to 0.1 % or no total is on record.
    """
    printed, own = national(layer.spec.value, year), layer.total(year)
    if printed is None or abs(own - printed) <= TOLERANCE * printed:
        return ""
    return f"{layer.spec.value} of {year} sums to {own:,.0f} in {layer.path.name}; published: {printed:,.0f}"
