"""The bundled layers, joined once, and the run of 2020 on which much is known."""

from __future__ import annotations

import pytest

from layers import armed, boundaries, coca, criteria, eradication, panel, people, police, territories
from layers.boundaries import Boundaries
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.tables import Layer


@pytest.fixture(scope="session")
def bundled() -> dict[str, Layer]:
    """Every bundled yearly layer by its name."""
    every = (
        coca.load(),
        eradication.load(),
        eradication.load_spraying(),
        armed.load(),
        people.load_population(),
        people.load_homicides(),
    )
    return {layer.spec.name: layer for layer in every}


@pytest.fixture(scope="session")
def bounds() -> Boundaries:
    return boundaries.load()


@pytest.fixture(scope="session")
def joined(bundled: dict[str, Layer], bounds: Boundaries) -> Panel:
    posts, pdet = police.load().frame, territories.load_pdet().frame
    unreported = police.not_reporting(posts, bounds.frame).index
    sites, special = territories.load_sites().frame, territories.load_special_areas().frame
    layers = tuple(bundled.values())
    return panel.join(bounds, layers, posts=posts, sites=sites, pdet=pdet, special=special, unreported=unreported)


@pytest.fixture(scope="session")
def zoning() -> Zoning:
    return criteria.load()


@pytest.fixture(scope="session")
def scored(joined: Panel, zoning: Zoning) -> Priorities:
    """The run of 2020 with the default settings."""
    return prioritise(joined, zoning, year=2020, draws=200, seed=1)
