"""What a planner asks for, and the layers that are read for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from geo.errors import ConfigError
from layers import (
    access,
    armed,
    boundaries,
    coca,
    density,
    eradication,
    fetch,
    panel,
    people,
    police,
    reconcile,
    territories,
)
from layers.boundaries import Boundaries
from layers.density import Density
from layers.gridding import Unit
from layers.panel import Panel
from layers.report import Loaded
from layers.tables import Layer

# The share of a municipality that a density layer must have looked at before distances are taken from its coca: that
# of a corner says nothing of the rest.
SEEN = 0.95
YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class DensityFiles:
    """A density layer as a planner names it.

    Attributes
    ----------
    paths : tuple of Path
        Rasters on one grid, or one file of grid polygons.
    unit : {"ha", "share"}
        Hectares in a cell, or the share of the cell that is coca.
    years : tuple of int
        The years of all bands, where neither descriptions nor file names tell; empty where they do.
    finer : bool
        Whether cells of less than 1 km may be shown and exported.
    """

    paths: tuple[Path, ...]
    unit: Unit = "ha"
    years: tuple[int, ...] = ()
    finer: bool = False

    def load(self) -> Density:
        """Read the layer.

        Returns
        -------
        Density
            See :func:`layers.density.load`.

        Raises
        ------
        PresenciaError
            If a file is bad.
        """
        one = self.years[0] if len(self.years) == 1 else None
        several = list(self.years) if len(self.years) > 1 else None
        return density.load(list(self.paths), unit=self.unit, year=one, years=several, finer=self.finer)


@dataclass(frozen=True)
class Settings:
    """What a planner asks for.

    Attributes
    ----------
    year : int, optional
        Reference year; the last one with coca data if not given.
    config, boundaries, coca, eradication : Path, optional
        Files that take the place of what is bundled.
    out : Path, optional
        The run folder; ``out/YEAR`` if not given.
    draws, seed : int
        Of the rank spread.
    lang : {"es", "en"}
        Language of the map.
    drop_unmatched : bool
        Whether to go on without hectares whose code no boundary has.
    weight_changes : int
        For how many municipalities on either side of the limit of the first the smallest change of weights is sought.
    data : {"bundled", "official"}
        Where what no file is named for comes from: the atlas, or what ``scripts/fetch.py`` has fetched of boundaries,
        coca, eradication and police posts.
    density : DensityFiles, optional
        Coca by cell, from which distances to posts are measured then.
    """

    year: int | None = None
    config: Path | None = None
    boundaries: Path | None = None
    coca: Path | None = None
    eradication: Path | None = None
    out: Path | None = None
    draws: int = 1000
    seed: int = 1
    lang: Literal["es", "en"] = "es"
    drop_unmatched: bool = False
    data: Literal["bundled", "official"] = "bundled"
    weight_changes: int = 0
    density: DensityFiles | None = None

    def file(self, name: str) -> Path | None:
        """The file of a layer.

        Parameters
        ----------
        name : str
            ``boundaries``, ``coca``, ``eradication`` or ``police``.

        Returns
        -------
        Path or None
            The file that was named, or else fetched; None for the bundled table.

        Raises
        ------
        SourceError
            If it should be fetched and was not.
        """
        named: Path | None = getattr(self, name, None)
        return fetch.fetched(name) if named is None and self.data == "official" else named


@dataclass(frozen=True)
class Inputs:
    """What a run has read.

    Attributes
    ----------
    boundaries : Boundaries
        The municipalities.
    layers : tuple of Layer
        The yearly layers, coca first and eradication second.
    posts, sites : Loaded of GeoDataFrame
        Police posts; sites of the accord.
    pdet : Loaded of Series of str
        PDET region by code.
    special : Loaded of DataFrame
        Shares in areas of special rights by code.
    density : Density, optional
        Coca by cell.
    """

    boundaries: Boundaries
    layers: tuple[Layer, ...]
    posts: Loaded[gpd.GeoDataFrame]
    sites: Loaded[gpd.GeoDataFrame]
    pdet: Loaded[pd.Series]
    special: Loaded[pd.DataFrame]
    density: Density | None = None

    @cached_property
    def unreported(self) -> list[str]:
        """Codes of departments whose police data are missing."""
        return list(police.not_reporting(self.posts.frame, self.boundaries.frame).index)

    def join(self, *, year: int | None = None, drop_unmatched: bool = False) -> Panel:
        """Join everything that was read.

        Parameters
        ----------
        year : int, optional
            Where there is a density layer, the year whose cells distances to posts are measured from; its last if not
            given.
        drop_unmatched : bool, default False
            Whether to go on without hectares whose code no boundary has.

        Returns
        -------
        Panel
            See :func:`layers.panel.join`.
        """
        posts, unreported = self.posts.frame, self.unreported
        joined = panel.join(
            self.boundaries,
            self.layers,
            posts=posts,
            sites=self.sites.frame,
            pdet=self.pdet.frame,
            special=self.special.frame,
            unreported=unreported,
            drop_unmatched=drop_unmatched,
        )
        if self.density is None:
            return joined
        of = year or self.density.years[-1]
        places = self.boundaries.frame
        near = access.within_post(self.density, places, posts, year=of, unreported=unreported)
        seen = reconcile.measured_share(self.density, places)[of] >= SEEN
        return panel.measured_from_coca(joined, near.where(seen))


def years_of(text: str) -> tuple[int, ...]:
    """The years that a planner writes: ``2020``, ``2001-2023``, ``2019,2021`` or both together.

    Parameters
    ----------
    text : str
        As it was written; empty for none.

    Returns
    -------
    tuple of int
        In the order written.

    Raises
    ------
    ConfigError
        If it is no list of years.
    """
    if not text.strip():
        return ()
    spans = [part.strip().split("-") for part in text.split(",")]
    wrong = [span for span in spans if len(span) > 2 or not all(YEAR.fullmatch(year.strip()) for year in span)]
    if wrong or any(int(span[0]) > int(span[-1]) for span in spans):
        raise ConfigError(f"years must be written as 2020, 2001-2023 or 2019,2021; found {text!r}: write them so")
    return tuple(year for span in spans for year in range(int(span[0]), int(span[-1]) + 1))


def read(settings: Settings) -> Inputs:
    """Read every layer, bundled where the settings name no file.

    Parameters
    ----------
    settings : Settings
        What is asked for.

    Returns
    -------
    Inputs
        The checked layers.

    Raises
    ------
    PresenciaError
        If a file is bad.
    """
    layers = (
        coca.load(settings.file("coca")),
        eradication.load(settings.file("eradication")),
        eradication.load_spraying(),
        armed.load(),
        people.load_population(),
        people.load_homicides(),
    )
    bounds = boundaries.load(settings.file("boundaries"))
    posts = police.load(settings.file("police"))
    facts = territories.load_sites(), territories.load_pdet(), territories.load_special_areas()
    cells = None if settings.density is None else settings.density.load()
    return Inputs(bounds, layers, posts, *facts, cells)
