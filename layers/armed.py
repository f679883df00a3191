"""Events of the armed conflict attributed to the FARC, from the Centro Nacional de Memoria Histórica (SIEVCAC)."""

from __future__ import annotations

from pathlib import Path

from layers.tables import Absent, Layer, Spec, load_yearly

SPEC = Spec(
    name="farc_events",
    value="farc_events",
    meaning="events attributed to the FARC in the year",
    source="farc_events",
    absent=Absent.ZERO,
    register=True,
    counted=True,
    decimals=0,
)


def load(path: Path | None = None) -> Layer:
    """Read the number of events attributed to the FARC by municipality and year.

    Parameters
    ----------
    path : Path, optional
        A register of events (code and year or date), or a table (code, year, ``farc_events``); the bundled table if
        not given.

    Returns
    -------
    Layer
        Counts; a municipality without a row had none on record.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(SPEC, path)
