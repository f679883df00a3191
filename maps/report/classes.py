"""Classes of a scale as a drawing shows them: which value is in which, and what each holds in words."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import cache

import numpy as np
import pandas as pd

from maps import palette, payload
from maps.comparison_words import Texts
from maps.legend import Scale
from maps.payload import Language
from maps.standalone import asset

ZERO, ABSENT, MISSING = -1, -2, -3  # what stands apart from the classes


@cache
def texts(lang: Language) -> Texts:
    """Read the words of drawings, which are those of the web map and a few of their own.

    Parameters
    ----------
    lang : {"es", "en"}
        The language.

    Returns
    -------
    Texts
        The words, and numbers as the language writes them.

    Raises
    ------
    ConfigError
        If there are none in that language.
    """
    numbers = Texts.of(lang).known
    own: dict[str, str] = json.loads(asset("drawings.json"))[lang]
    return Texts(lang, {**numbers, **payload.texts()[lang], **own})


def sorted_into(scale: Scale, values: pd.Series, codes: pd.Index, *, unmeasured: Collection[str] = ()) -> pd.Series:
    """Sort values into the classes of a scale.

    Parameters
    ----------
    scale : Scale
        Classes or changes, no categories.
    values : Series of float
        By code, NaN where there is none.
    codes : Index of str
        Municipalities that are drawn; one of which there is no value at all was not measured.
    unmeasured : collection of str, optional
        Codes whose missing value was never measured, where the scale says of others that it does not apply to them.

    Returns
    -------
    Series of int
        Of each code the class from 0, or :data:`ZERO`, :data:`ABSENT` or :data:`MISSING`.
    """
    shown = values.reindex(codes).astype(float)
    # As on the web map, a limit itself belongs to the class above it.
    classes = pd.Series(np.searchsorted(scale.breaks, shown.to_numpy(), side="right"), index=codes).astype(int)
    if scale.zero:
        classes[shown == 0] = ZERO
    never = codes.isin(list(unmeasured)) | ~codes.isin(values.index)
    classes[shown.isna()] = ABSENT if scale.absent else MISSING
    classes[shown.isna() & never] = MISSING
    return classes


def colour(scale: Scale, kind: int) -> str:
    """Fill of a class; of what is missing, the colour of its hatching.

    Parameters
    ----------
    scale : Scale
        The scale.
    kind : int
        As :func:`sorted_into` gives it.

    Returns
    -------
    str
        ``#rrggbb``.
    """
    apart = {ZERO: scale.zero, ABSENT: scale.absent, MISSING: scale.missing}
    return (apart[kind] if kind < 0 else scale.colours[kind]) or palette.GROUND["absent"]


def entries(scale: Scale, present: Collection[int], texts: Texts) -> Iterator[tuple[int, str]]:
    """List the classes for a legend, from high to low, then those that stand apart and occur.

    Parameters
    ----------
    scale : Scale
        The scale.
    present : collection of int
        Classes that occur in the drawing.
    texts : Texts
        The words.

    Yields
    ------
    tuple of int and str
        The class, and what it holds.
    """
    for kind in reversed(range(len(scale.colours))):
        yield kind, label(scale, kind, texts)
    named = {ZERO: "0", ABSENT: texts.say("scales_class_no_candidate"), MISSING: texts.say("scales_class_missing")}
    yield from ((kind, words) for kind, words in named.items() if kind in present)


def label(scale: Scale, kind: int, texts: Texts) -> str:
    """Say what a class holds.

    Parameters
    ----------
    scale : Scale
        The scale.
    kind : int
        A class from 0.
    texts : Texts
        The words.

    Returns
    -------
    str
        Such as ``0,20 – 0,40``.
    """
    limits = [texts.number(each, _decimals(scale, each)) for each in scale.breaks]
    if not limits:
        return texts.say("scales_class_any")
    if kind == 0:
        return texts.say("scales_class_below", high=limits[0])
    if kind == len(limits):
        return texts.say("scales_class_above" if scale.breaks[-1] else "scales_class_over", low=limits[-1])
    between = "scales_class_range" if scale.kind == "diverging" else "scales_class_between"
    return texts.say(between, low=limits[kind - 1], high=limits[kind])


def _decimals(scale: Scale, limit: float) -> int:
    """Those of a score are all alike; another limit has as few as it needs."""
    needed = (places for places in range(scale.decimals) if round(limit, places) == limit)
    return scale.decimals if scale.unit == "score" else next(needed, scale.decimals)
