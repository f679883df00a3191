"""What changed between two downloads of one data set: rows, years and totals a year, municipalities."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from geo.errors import PresenciaError, listed
from layers import coca, eradication
from layers.codes import read_codes
from layers.pages import read_rows
from layers.publisher import Row
from layers.rawtable import code_column
from layers.tables import Layer

YEARLY: Mapping[str, Callable[[Path], Layer]] = {"coca": coca.load, "eradication": eradication.load}
MOST_YEARS = 6


def changes(name: str, old: Path, new: Path, *, coded: bool) -> tuple[str, ...]:
    """Tell what changed.

    Parameters
    ----------
    name : str
        Name of the data set in ``sources.toml``.
    old, new : Path
        Two files as :mod:`layers.pages` writes them.
    coded : bool
        Whether rows have municipality codes.

    Returns
    -------
    tuple of str
        A line for rows, for municipalities, for years and for totals, as far as they changed.
    """
    said = (_rows(old, new), *(_municipalities(old, new) if coded else ()), *_yearly(name, old, new))
    return tuple(line for line in said if line)


def _rows(old: Path, new: Path) -> str:
    """Rows that only one of the two files has; a row whose cells changed counts in both."""
    before, after = (Counter(json.dumps(row, sort_keys=True) for row in read_rows(file)) for file in (old, new))
    added, removed = (after - before).total(), (before - after).total()
    counts = f"{before.total():,} before, {after.total():,} now"
    return f"rows: {counts} ({added:,} new or altered, {removed:,} gone or altered)"


def _municipalities(old: Path, new: Path) -> tuple[str, ...]:
    before, after = _codes(old), _codes(new)
    told = (("with rows now", after - before), ("without rows now", before - after))
    return tuple(f"municipalities {what}: {listed(sorted(codes))}" for what, codes in told if codes)


def _codes(file: Path) -> set[str]:
    table = pd.DataFrame(_columns(row) for row in read_rows(file)).fillna("")
    return set(read_codes(table[code_column(table, file)]).dropna())


def _columns(row: Row) -> Row:
    """The cells of a row of the portal, or the properties of a feature."""
    properties: Row = row["properties"] if row.get("type") == "Feature" else row
    return properties


def _yearly(name: str, old: Path, new: Path) -> tuple[str, ...]:
    """Years and totals as the layer's own loader reads them, or why it cannot read the new file."""
    if name not in YEARLY:
        return ()
    try:
        before, after = (_totals(YEARLY[name](file)) for file in (old, new))
    except PresenciaError as error:
        return (f"the new file cannot be read as {name}: {error}",)
    return (*_years(before, after), *_sums(before, after))


def _totals(layer: Layer) -> dict[int, float]:
    return {year: layer.total(year) for year in layer.years}


def _years(before: dict[int, float], after: dict[int, float]) -> tuple[str, ...]:
    told = (("new", after.keys() - before.keys()), ("gone", before.keys() - after.keys()))
    return tuple(f"years {what}: {listed(sorted(years))}" for what, years in told if years)


def _sums(before: dict[int, float], after: dict[int, float]) -> tuple[str, ...]:
    years = sorted(year for year in before.keys() & after.keys() if abs(before[year] - after[year]) >= 0.5)
    changed = [f"{year}: {after[year]:,.0f} ha (was {before[year]:,.0f})" for year in reversed(years)]
    return (f"totals: {listed(changed, most=MOST_YEARS)}",) if changed else ()
