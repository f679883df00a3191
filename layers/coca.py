"""Coca cultivation: hectares standing on 31 December, from the national census of SIMCI (UNODC)."""

from __future__ import annotations

from pathlib import Path

from layers.tables import Absent, Layer, Spec, load_yearly

SPEC = Spec(
    name="coca",
    value="coca_ha",
    meaning="hectares of coca standing on 31 December",
    source="coca",
    absent=Absent.ZERO,
    conserved=True,
    headings=("hectares", "hectareas", "area coca", "coca"),
    decimals=2,
)


def load(path: Path | None = None) -> Layer:
    """Read coca by municipality and year.

    Parameters
    ----------
    path : Path, optional
        A wide table (a column a year, as SIMCI publishes it) or a long one (code, year, ``coca_ha``); the bundled
        table if not given.

    Returns
    -------
    Layer
        Hectares; a municipality without a row had none, since the census covers the whole country.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(SPEC, path)
