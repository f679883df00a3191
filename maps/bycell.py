"""Coca by cell in a run: its enclaves, and what the map shows of them."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd

from layers import enclaves, published
from layers.density import Density
from layers.enclaves import EnclaveTerms
from layers.panel import Panel
from maps.density import DensityContent
from maps.inputs import Inputs


def enclaves_of(
    inputs: Inputs,
    joined: Panel,
    density: Density,
    *,
    year: int,
    terms: EnclaveTerms,
    areas: Mapping[str, gpd.GeoDataFrame] | None = None,
) -> gpd.GeoDataFrame:
    """Find the enclaves of a layer among the posts and municipalities of a run.

    Parameters
    ----------
    inputs : Inputs
        What the run has read.
    joined : Panel
        The panel.
    density : Density
        The layer.
    year : int
        Reference year.
    terms : EnclaveTerms
        What makes an enclave.
    areas : mapping of str to GeoDataFrame, optional
        Polygons of ``reserves``, ``councils`` and ``parks``.

    Returns
    -------
    GeoDataFrame
        See :func:`layers.enclaves.find`; ``national_share`` is of the published total, or where none is known of the
        municipal table's.

    Raises
    ------
    ConfigError
        If the layer lacks the year, or has too few years to tell what lasts.
    """
    printed, table = published.national("coca_ha", year), joined.wide("coca_ha")
    return enclaves.find(
        density,
        inputs.boundaries.frame,
        year=year,
        posts=inputs.posts.frame,
        terms=terms,
        unreported=inputs.unreported,
        areas=areas,
        national_ha=table[year].sum(min_count=1) if printed is None and year in table else printed,
    )


def content_of(inputs: Inputs, joined: Panel, *, year: int) -> DensityContent | None:
    """What the map of a run shows of its density layer.

    Parameters
    ----------
    inputs : Inputs
        What the run has read.
    joined : Panel
        The panel.
    year : int
        Reference year.

    Returns
    -------
    DensityContent or None
        With enclaves on the default terms, shortened to the years that the layer has; None where it has no layer.
    """
    density = inputs.density
    if density is None:
        return None
    terms = enclaves.shortened(density, EnclaveTerms(), year=year)
    found = enclaves_of(inputs, joined, density, year=year, terms=terms)
    return DensityContent(density, found, terms, credit_of(density), year=year)


def credit_of(density: Density) -> str:
    """Who measured the cells, as far as the file tells.

    Parameters
    ----------
    density : Density
        The layer.

    Returns
    -------
    str
        Its file, and whether its figures are modelled.
    """
    return f"{density.path.name} (modelled)" if density.modelled else density.path.name
