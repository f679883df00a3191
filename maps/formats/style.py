"""How a dataset looks: the web map's classes and colours, for every format that can hold a style."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from maps import legend, palette
from maps.formats.dataset import Dataset, Field, Lang
from maps.legend import Amount, Scale

Marker = Literal["circle", "square", "triangle", "diamond"]
Drawn = Literal["point", "polygon", "other"]

SCORE_DECIMALS = 2
LEFT_BY_FARC = ("high_cultivation", "vacated")
COLOURED: Mapping[str, tuple[str, ...]] = {
    "municipalities": ("score", "coca_ha"),
    "zones": ("score",),
    "enclaves": ("coca_ha",),
    "changes": ("score_change",),
    "sites": ("kind",),
}
AMOUNTS: Mapping[str, Amount] = {
    "coca_ha": Amount("coca_ha", "cultivation", "ha", palette.COCA),
    "score_change": Amount("score_change", "score", "score", palette.RISE, palette.FALL),
}
# Of each kind of site: colour, marker, and its name in Spanish and English.
KINDS: Mapping[str, tuple[str, Marker, str, str]] = {
    "station": (palette.POINTS["station"], "circle", "Estación de policía", "Police station"),
    "substation": (palette.POINTS["substation"], "square", "Subestación de policía", "Police substation"),
    "cai": (palette.POINTS["cai"], "triangle", "CAI", "Police post (CAI)"),
    "ETCR": (palette.POINTS["etcr"], "diamond", "Espacio de reincorporación (ETCR)", "Reincorporation site (ETCR)"),
    "ZVTN": (palette.DIMENSIONS.colours[2], "diamond", "Zona veredal (ZVTN)", "Transitional zone (ZVTN)"),
    "PTN": (palette.DIMENSIONS.colours[4], "diamond", "Punto transitorio (PTN)", "Transitional point (PTN)"),
}
OTHER_MARKER: Marker = "circle"
POINTS = frozenset({"sites"})  # datasets whose rows are points, which an empty one does not show
NO_DATA = ("Sin dato", "No data")
# A candidate without a single known measure has no score either.
NO_SCORE = ("Sin puntaje: no es candidato, o sin dato", "No score: not a candidate, or no data")
NOT_IN_BOTH = ("No es candidato en las dos corridas", "Not a candidate in both runs")
# Missing where it does not apply, rather than where nothing was measured.
UNSCORED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("municipalities", "score"): NO_SCORE,
    ("changes", "score_change"): NOT_IN_BOTH,
}
NO_CHANGE = ("Sin cambio", "No change")
ANY = ("Con dato", "With data")


@dataclass(frozen=True)
class Class:
    """One line of the legend.

    Attributes
    ----------
    colour : str
        ``#rrggbb``.
    label_es, label_en : str
        What it holds, in words, without the unit.
    low, high : float, optional
        It holds ``low <= value < high``; None is open. Where both are the same, it holds just that value, and no
        other class of the style does.
    value : str, optional
        The category that it holds.
    null : bool
        Whether it holds the rows where the field is missing.
    marker : {"circle", "square", "triangle", "diamond"}
        How a point of the class is drawn, as some classes share a colour.
    """

    colour: str
    label_es: str
    label_en: str
    low: float | None = None
    high: float | None = None
    value: str | None = None
    null: bool = False
    marker: Marker = "circle"

    @property
    def exact(self) -> bool:
        """Whether it holds a single number, such as zero."""
        return self.low is not None and self.low == self.high

    @property
    def hatched(self) -> bool:
        """Whether it is drawn as lines: nothing was measured there."""
        return self.null and self.colour == palette.GROUND["missing"]

    def label(self, lang: Lang) -> str:
        """What it holds, in a language.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        str
            Such as ``0,2 – 0,4``.
        """
        return {"es": self.label_es, "en": self.label_en}[lang]

    def holds(self, values: pd.Series) -> pd.Series:
        """Which values fall into it.

        Parameters
        ----------
        values : Series
            Of the style's field.

        Returns
        -------
        Series of bool
            On the same index; the single number of another class counts as well.
        """
        if self.null:
            return values.isna()
        if self.value is not None:
            return (values == self.value) & values.notna()
        if self.exact:
            return values == self.low
        known = values.notna()
        above = known if self.low is None else known & (values >= self.low)
        return above if self.high is None else above & (values < self.high)


@dataclass(frozen=True)
class Style:
    """Classes of one field, each with a colour.

    Attributes
    ----------
    name_es, name_en : str
        What is shown, with its unit.
    field : str
        The column that decides the class.
    classes : tuple of Class
        Every row falls into one and only one of them.
    outlined : tuple of str
        Flags; where all are true, the shape has a warm outline, ``palette.LINES["vacated"]``.
    """

    name_es: str
    name_en: str
    field: str
    classes: tuple[Class, ...]
    outlined: tuple[str, ...] = ()

    def name(self, lang: Lang) -> str:
        """What is shown, in a language.

        Parameters
        ----------
        lang : {"es", "en"}
            Language.

        Returns
        -------
        str
            Such as ``Coca (ha)``.
        """
        return {"es": self.name_es, "en": self.name_en}[lang]

    def read(self) -> tuple[Class, ...]:
        """The classes as a legend lists them.

        Returns
        -------
        tuple of Class
            From high to low, categories in their order; what is missing last.
        """
        known = [each for each in self.classes if not each.null]
        ordered = known if any(each.value is not None for each in known) else known[::-1]
        return (*ordered, *(each for each in self.classes if each.null))

    def classed(self, frame: pd.DataFrame) -> pd.Series:
        """The class of each row.

        Parameters
        ----------
        frame : DataFrame
            Has the style's field.

        Returns
        -------
        Series of int
            Place in ``classes``, on the same index; -1 where no class holds it.
        """
        found = pd.Series(-1, index=frame.index)
        # A single number comes last, as the class around it holds it as well.
        for place in sorted(range(len(self.classes)), key=lambda place: self.classes[place].exact):
            found[self.classes[place].holds(frame[self.field])] = place
        return found

    def outlines(self, frame: pd.DataFrame) -> pd.Series:
        """Which rows have the warm outline.

        Parameters
        ----------
        frame : DataFrame
            Has the flags of ``outlined``.

        Returns
        -------
        Series of bool
            On the same index; a missing flag is not true.
        """
        if not self.outlined:
            return pd.Series(False, index=frame.index)
        return frame[list(self.outlined)].fillna(False).astype(bool).all(axis="columns")


def of(data: Dataset) -> tuple[Style, ...]:
    """Styles of a dataset, the default first.

    Parameters
    ----------
    data : Dataset
        Any.

    Returns
    -------
    tuple of Style
        Of municipalities the score and the coca, of other datasets one; none where it has no shapes, or lacks what is
        coloured. Limits are fitted to the rows at hand, or to those from which they were chosen.
    """
    if data.shapes is None:
        return ()
    fields = {field.name: field for field in data.fields}
    flags = tuple(name for name in LEFT_BY_FARC if name in fields)
    outlined = flags if data.name == "municipalities" and flags == LEFT_BY_FARC else ()
    return tuple(
        Style(field.alias("es"), field.alias("en"), field.name, _classes(data, field), outlined)
        for field in (fields[name] for name in COLOURED.get(data.name, ()) if name in fields)
    )


def drawn(data: Dataset) -> Drawn:
    """What the shapes of a dataset are.

    Parameters
    ----------
    data : Dataset
        Has shapes.

    Returns
    -------
    {"point", "polygon", "other"}
        ``other`` where they are lines or of several kinds; of an empty dataset what it would hold.
    """
    kinds = set() if data.shapes is None else set(data.shapes.geom_type.dropna())
    if not kinds:
        return "point" if data.name in POINTS else "polygon"
    if kinds == {"Point"}:
        return "point"
    return "polygon" if kinds <= {"Polygon", "MultiPolygon"} else "other"


def _classes(data: Dataset, field: Field) -> tuple[Class, ...]:
    values = (data.frame if data.whole is None else data.whole)[field.name]
    if field.kind == "text":
        return (*_categories(values), _missing(palette.GROUND["missing"], NO_DATA))
    if field.name == "score":
        scale = legend.score(values.astype(float).clip(0, 1))  # limits stand at steps of a score's own range
    else:
        scale = legend.fitted(AMOUNTS[field.name], values.to_frame().astype(float))
    label = UNSCORED.get((data.name, field.name))
    missing = _missing(palette.GROUND["absent"], label) if label else _missing(palette.GROUND["missing"], NO_DATA)
    return (*_of_scale(scale), missing)


def _missing(colour: str, label: tuple[str, str]) -> Class:
    return Class(colour, *label, null=True)


def _categories(values: pd.Series) -> Iterator[Class]:
    """Known kinds in their order, whether or not a row has them; then the rest by name."""
    for kind, (colour, marker, spanish, english) in KINDS.items():
        yield Class(colour, spanish, english, value=kind, marker=marker)
    others = sorted(set(values.dropna()) - set(KINDS))
    for kind, colour in zip(others, itertools.cycle(palette.DIMENSIONS.colours), strict=False):
        yield Class(colour, kind, kind, value=kind, marker=OTHER_MARKER)


def _of_scale(scale: Scale) -> Iterator[Class]:
    """From low to high, with a zero of its own before the first amount, or between falls and rises."""
    edges = (None, *scale.breaks, None)
    zero_at = scale.breaks.index(0.0) + 1 if scale.kind == "diverging" else 0
    for place, (colour, (low, high)) in enumerate(zip(scale.colours, itertools.pairwise(edges), strict=True)):
        if place == zero_at and scale.zero:
            label = NO_CHANGE if scale.kind == "diverging" else ("0", "0")
            yield Class(scale.zero, *label, low=0.0, high=0.0)
        yield Class(colour, _range(scale, low, high, "es"), _range(scale, low, high, "en"), low=low, high=high)


def _range(scale: Scale, low: float | None, high: float | None, lang: Lang) -> str:
    """As the web map's legend says it."""
    if low is None and high is None:
        return ANY[lang == "en"]
    if low is None:
        return f"< {_limit(scale, high, lang)}"
    if high is None:
        sign = "≥" if low else ">"
        return f"{sign} {_limit(scale, low, lang)}"
    between = {"es": "a", "en": "to"}[lang] if scale.kind == "diverging" else "–"
    return f"{_limit(scale, low, lang)} {between} {_limit(scale, high, lang)}"


def _limit(scale: Scale, value: float | None, lang: Lang) -> str:
    number = 0.0 if value is None else value
    if not number and scale.kind == "diverging":
        return "0"
    decimals = SCORE_DECIMALS if scale.unit == "score" and scale.kind == "classes" else scale.decimals
    text = f"{number:{'+' if scale.kind == 'diverging' and number else ''},.{decimals}f}".replace("-", "−")
    return text.translate(str.maketrans(",.", ".,")) if lang == "es" else text
