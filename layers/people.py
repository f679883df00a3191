"""Population (DANE) and homicides (Policía Nacional), counts by municipality and year."""

from __future__ import annotations

from pathlib import Path

from layers.tables import Absent, Layer, Spec, load_yearly

POPULATION = Spec(
    name="population",
    value="population",
    meaning="people, DANE's projection for 30 June",
    source="population",
    absent=Absent.MISSING,
    headings=("poblacion", "population"),
    decimals=0,
)
HOMICIDES = Spec(
    name="homicides",
    value="homicides",
    meaning="homicides in the year",
    source="homicides",
    absent=Absent.ZERO_IF_LISTED,
    headings=("total homicides", "homicidios"),
    decimals=0,
)


def load_population(path: Path | None = None) -> Layer:
    """Read the population by municipality and year.

    Parameters
    ----------
    path : Path, optional
        A table of code, year and population, long or wide; the bundled table if not given.

    Returns
    -------
    Layer
        People.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(POPULATION, path)


def load_homicides(path: Path | None = None) -> Layer:
    """Read homicides by municipality and year.

    Parameters
    ----------
    path : Path, optional
        A table of code, year and homicides, long or wide; the bundled table if not given.

    Returns
    -------
    Layer
        Counts. A municipality of the source without a row in a year had none on record; one that never occurs in it
        was not measured.

    Raises
    ------
    PresenciaError
        As :func:`layers.tables.load_yearly` does.
    """
    return load_yearly(HOMICIDES, path)
