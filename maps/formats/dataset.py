r"""A dataset made ready to travel: typed columns, portable text, one geometry, and what it is, whence and as of when.

Every format writes the same dataset, so what one format cannot hold is settled here once: infinities, empty
texts and empty shapes are missing, figures have the 15 significant digits that a workbook holds, zero has no sign, line
breaks are ``\n``, characters that XML 1.0 forbids are left out, lists are text joined by semicolons, coordinates have
six decimals and exterior rings run counter-clockwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import to_storage
from geo.errors import SchemaError, listed
from maps.export import COORDINATE_DECIMALS

Kind = Literal["text", "whole", "number", "flag"]
Lang = Literal["es", "en"]

SEPARATOR = ";"
# XML 1.0, section 2.2: all that is no Char; lone surrogates cannot be written as UTF-8 at all.
FORBIDDEN = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BREAKS = re.compile("\r\n?")
TYPES: dict[Kind, str] = {"text": "object", "whole": "Int64", "number": "float64", "flag": "boolean"}
DIGITS = 15  # what a workbook's writers and readers agree on; a double has up to 17
LARGEST = 1.79769313486231e308  # with 15 digits; the next is no double
MOST_WHOLE = 2**53  # spreadsheets, JSON readers and QGIS hold whole numbers as doubles


@dataclass(frozen=True)
class Field:
    """A column.

    Attributes
    ----------
    name : str
        As every format has it.
    kind : {"text", "whole", "number", "flag"}
        What it holds; anything can be missing.
    unit : str
        Such as ``ha/km²``; empty where there is none.
    label_es, label_en : str
        The name that a person reads, without the unit.
    meaning : str
        In words, in English.
    missing : str
        When a value is missing, in words, in English.
    sources : tuple of str
        Ids of the sources that it rests on.
    unit_es : str
        The unit in Spanish, where it is another word.
    """

    name: str
    kind: Kind
    unit: str = ""
    label_es: str = ""
    label_en: str = ""
    meaning: str = ""
    missing: str = ""
    sources: tuple[str, ...] = ()
    unit_es: str = ""

    def alias(self, lang: Lang) -> str:
        """The name that a person reads, with the unit.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        str
            Such as ``Densidad de coca (ha/km²)``; the column's own name where no label is known.
        """
        label = {"es": self.label_es, "en": self.label_en}[lang] or self.name
        unit = self.unit_in(lang)
        return f"{label} ({unit})" if unit else label

    def unit_in(self, lang: Lang) -> str:
        """The unit in a language.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        str
            Empty where there is none.
        """
        return self.unit_es if lang == "es" and self.unit_es else self.unit


@dataclass(frozen=True)
class About:
    """What a dataset is, whence, as of when, and what to keep in mind.

    Attributes
    ----------
    title_es, title_en : str
        In one line.
    year : int
        The reference year; a stock is as of 31 December.
    run : str
        SHA-256 of the ``run.json`` that it comes from, 64 hexadecimal digits.
    sources : tuple of mapping of str to str
        Of each ``id``, ``title``, ``publisher``, ``url``, ``licence`` and ``vintage``.
    caveats_es, caveats_en : tuple of str
        Sentences that go wherever the figures go.
    """

    title_es: str
    title_en: str
    year: int
    run: str
    sources: tuple[Mapping[str, str], ...]
    caveats_es: tuple[str, ...]
    caveats_en: tuple[str, ...]

    def title(self, lang: Lang) -> str:
        """The title in a language.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        str
            In one line.
        """
        return {"es": self.title_es, "en": self.title_en}[lang]

    def caveats(self, lang: Lang) -> tuple[str, ...]:
        """What to keep in mind, in a language.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        tuple of str
            Sentences.
        """
        return {"es": self.caveats_es, "en": self.caveats_en}[lang]


@dataclass(frozen=True)
class Dataset:
    """Rows, typed and portable; :func:`dataset` makes one.

    Attributes
    ----------
    name : str
        Of the layer, table or sheet: lower-case ASCII.
    frame : GeoDataFrame or DataFrame
        A range index; the columns of ``fields`` in their order, text as ``str`` or None, whole numbers as ``Int64``,
        numbers as ``float64`` (finite or NaN), flags as ``boolean``; where it has shapes, ``geometry`` last, in
        EPSG:4326.
    fields : tuple of Field
        The columns beside the geometry.
    key : tuple of str
        Columns that tell rows apart.
    about : About
        What it is.
    whole : DataFrame, optional
        The rows that these were chosen from, to which limits of a legend are fitted: maps of two departments then share
        their colours with each other and with the map of all. None where nothing was chosen.
    """

    name: str
    frame: gpd.GeoDataFrame | pd.DataFrame
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    about: About
    whole: pd.DataFrame | None = None

    @property
    def shapes(self) -> gpd.GeoDataFrame | None:
        """The frame where it has shapes, else None."""
        return self.frame if isinstance(self.frame, gpd.GeoDataFrame) else None

    @property
    def table(self) -> pd.DataFrame:
        """The rows without shapes."""
        return pd.DataFrame(self.frame[[field.name for field in self.fields]])


def dataset(
    name: str,
    frame: gpd.GeoDataFrame | pd.DataFrame,
    fields: Iterable[Field],
    *,
    key: Iterable[str],
    about: About,
) -> Dataset:
    """Make a dataset: columns typed and put in order, text portable, shapes in EPSG:4326.

    Parameters
    ----------
    name : str
        Of the layer, table or sheet.
    frame : GeoDataFrame or DataFrame
        Any index, which is dropped; a column for each field, with lists, numbers, flags, text or nothing in it.
    fields : iterable of Field
        The columns, in order; other columns are left out.
    key : iterable of str
        Columns that tell rows apart.
    about : About
        What it is.

    Returns
    -------
    Dataset
        Ready for every format.

    Raises
    ------
    SchemaError
        If a column is absent, or holds what its kind cannot.
    """
    columns = tuple(fields)
    absent = [field.name for field in columns if field.name not in frame]
    if absent:
        raise SchemaError(f"{name} must have the columns that are to be written; it lacks {listed(absent)}: add them")
    table = pd.DataFrame({field.name: _typed(frame[field.name], field, name) for field in columns})
    table = table.reset_index(drop=True)
    if isinstance(frame, gpd.GeoDataFrame):
        placed = to_storage(frame)
        table = gpd.GeoDataFrame(table, geometry=_shapes(placed.geometry.to_numpy()), crs=placed.crs)
    return Dataset(name, table, columns, tuple(key), about)


def portable(text: str) -> str:
    r"""Text as every format can hold it.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        With line breaks as ``\n``, and without characters that XML 1.0 forbids.
    """
    return FORBIDDEN.sub("", BREAKS.sub("\n", text))


def _typed(column: pd.Series, field: Field, name: str) -> pd.Series:
    if field.kind == "text":
        return pd.Series([_text(value) for value in column], index=column.index, dtype=object)
    try:
        if field.kind == "flag":
            return column.astype("boolean")
        numbers = pd.to_numeric(column).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        finite = pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), index=column.index)
        return _whole(finite) if field.kind == "whole" else _digits(finite)
    except (TypeError, ValueError) as cause:
        raise SchemaError(
            f"column {field.name!r} of {name} must hold {field.kind}s or nothing; {cause}: mend it, or run it again"
        ) from cause


def _whole(numbers: pd.Series) -> pd.Series:
    large = numbers.index[numbers.abs() > MOST_WHOLE]
    if len(large):
        raise ValueError(f"rows {listed(large)} hold numbers beyond 2^53")
    return numbers.astype("Int64")


def _digits(numbers: pd.Series) -> pd.Series:
    clipped = numbers.clip(-LARGEST, LARGEST)
    return pd.Series([float(f"{number:.{DIGITS}g}") + 0.0 for number in clipped], index=numbers.index, dtype="float64")


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return portable(value) or None
    if isinstance(value, Iterable):
        return SEPARATOR.join(portable(str(item)) for item in value) or None
    return None if pd.isna(value) else portable(str(value))


def _shapes(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    rounded = shapely.transform(shapes, lambda points: np.round(points, COORDINATE_DECIMALS) + 0.0)
    turned: npt.NDArray[np.object_] = shapely.orient_polygons(rounded)
    turned[shapely.is_empty(turned)] = None
    return turned
