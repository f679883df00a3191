"""Manual eradication of coca and aerial spraying, hectares a year, from the Ministerio de Defensa.

The register of eradication has no column for modality: it does not tell forced from agreed eradication.
"""

from __future__ import annotations

from pathlib import Path

from layers.tables import Absent, Layer, Spec, load_yearly

SPEC = Spec(
    name="eradication",
    value="eradicated_ha",
    meaning="hectares of coca eradicated by hand in the year",
    source="eradication",
    absent=Absent.ZERO,
    conserved=True,
    headings=("cantidad", "hectareas", "hectares"),
    register=True,
    kept=(("tipo cultivo", "tipo de cultivo", "cultivo"), "coca"),
)
SPRAYING = Spec(
    name="spraying",
    value="sprayed_ha",
    meaning="hectares sprayed from the air in the year, until the programme ended in 2015",
    source="spraying",
    absent=Absent.ZERO,
    conserved=True,
    headings=("cantidad", "hectareas", "hectares"),
    register=True,
)


def load(path: Path | None = None) -> Layer:
    """Read manual eradication of coca by municipality and year.

    Parameters
    ----------
    path : Path, optional
        The ministry's register of events, or a table (code, year, ``eradicated_ha``); the bundled table if not given.

    Returns
    -------
    Layer
        Hectares; other crops of the register are left out.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(SPEC, path)


def load_spraying(path: Path | None = None) -> Layer:
    """Read aerial spraying by municipality and year.

    Parameters
    ----------
    path : Path, optional
        The ministry's register of events, or a table (code, year, ``sprayed_ha``); the bundled table if not given.

    Returns
    -------
    Layer
        Hectares.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(SPRAYING, path)
