"""What a planner asks for, and the layers that are read for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from layers import armed, boundaries, coca, eradication, fetch, panel, people, police, territories
from layers.boundaries import Boundaries
from layers.panel import Panel
from layers.report import Loaded
from layers.tables import Layer


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
    """

    boundaries: Boundaries
    layers: tuple[Layer, ...]
    posts: Loaded[gpd.GeoDataFrame]
    sites: Loaded[gpd.GeoDataFrame]
    pdet: Loaded[pd.Series]
    special: Loaded[pd.DataFrame]

    def join(self, *, drop_unmatched: bool = False) -> Panel:
        """Join everything that was read.

        Parameters
        ----------
        drop_unmatched : bool, default False
            Whether to go on without hectares whose code no boundary has.

        Returns
        -------
        Panel
            See :func:`layers.panel.join`.
        """
        posts = self.posts.frame
        return panel.join(
            self.boundaries,
            self.layers,
            posts=posts,
            sites=self.sites.frame,
            pdet=self.pdet.frame,
            special=self.special.frame,
            unreported=police.not_reporting(posts, self.boundaries.frame).index,
            drop_unmatched=drop_unmatched,
        )


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
    return Inputs(bounds, layers, posts, *facts)
