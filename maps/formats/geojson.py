"""GeoJSON after RFC 7946: a collection that says what it is, or one feature a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geo.crs import STORAGE
from maps import export
from maps.formats.dataset import Dataset, Field, Lang


def write(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    """Write a dataset as one collection, a feature a line, with a bbox and a foreign member ``about``.

    RFC 7946, section 6.1, lets a collection carry members of its own, which readers that know none pass over.

    Parameters
    ----------
    data : Dataset
        Rows without a shape, or without shapes at all, have a null geometry.
    path : Path
        The file to write.
    lang : {"es", "en"}, default "es"
        Language of title, caveats and aliases.
    """
    export.write_geojson(_drawn(data), path, foreign={"about": about(data, lang)})


def write_sequence(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    """Write a dataset newline-delimited: each line is a feature, and the file is nothing else.

    Parameters
    ----------
    data : Dataset
        Rows without a shape, or without shapes at all, have a null geometry.
    path : Path
        The file to write; one of no rows is empty.
    lang : {"es", "en"}, default "es"
        Without effect: what the dataset is has no place in such a file.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{feature}\n" for feature in export.features(_drawn(data)))


def about(data: Dataset, lang: Lang) -> dict[str, Any]:
    """Say what a dataset is, in what JSON can hold; GeoParquet carries the same.

    Parameters
    ----------
    data : Dataset
        Any.
    lang : {"es", "en"}
        Language of title, caveats and aliases.

    Returns
    -------
    dict
        ``name``, ``title``, ``year``, ``as_of``, ``run``, ``key``, ``caveats``, ``sources`` and ``fields``.
    """
    told = data.about
    return {
        "name": data.name,
        "title": told.title(lang),
        "year": told.year,
        "as_of": as_of(data),
        "run": told.run,
        "key": list(data.key),
        "caveats": list(told.caveats(lang)),
        "sources": [dict(source) for source in told.sources],
        "fields": [_told(field, lang) for field in data.fields],
    }


def as_of(data: Dataset) -> str:
    """The day that stocks of the reference year stand for.

    Parameters
    ----------
    data : Dataset
        Any.

    Returns
    -------
    str
        ``YEAR-12-31``.
    """
    return f"{data.about.year}-12-31"


def _told(field: Field, lang: Lang) -> dict[str, Any]:
    return {
        "name": field.name,
        "alias": field.alias(lang),
        "unit": field.unit_in(lang),
        "kind": field.kind,
        "meaning": field.meaning,
        "missing": field.missing,
        "sources": list(field.sources),
    }


def _drawn(data: Dataset) -> gpd.GeoDataFrame:
    if data.shapes is not None:
        return data.shapes
    return gpd.GeoDataFrame(data.table, geometry=np.full(len(data.table), None), crs=STORAGE)
