"""Drug laboratories destroyed by the public force, from the Ministerio de Defensa."""

from __future__ import annotations

from pathlib import Path

from layers.tables import Absent, Layer, Spec, load_yearly

SPEC = Spec(
    name="laboratories",
    value="laboratories",
    meaning="laboratories destroyed in the year",
    source="laboratories",
    absent=Absent.ZERO,
    headings=("cantidad", "laboratorios"),
    register=True,
    strays=True,
    decimals=0,
)


def load(path: Path) -> Layer:
    """Read laboratories destroyed by municipality and year.

    Parameters
    ----------
    path : Path
        The ministry's register of events, or a table (code, year, ``laboratories``). None is bundled.

    Returns
    -------
    Layer
        Counts; a municipality without a row had none destroyed. Events whose code is no municipality's, such as those
        at sea, are left out and reported.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(SPEC, path)
