"""Figures as the report writes them: each keeps its unrounded value and the place in the run that it comes from.

Where a figure comes from is written so that anybody can look it up:

- ``run.json#/totals/coca_ha``: a JSON pointer; ``run.json#/warnings/0`` also for a number in that sentence;
- ``scores.csv#52835/coca_ha``: a row's column; ``52835/a+b`` the sum of two of its columns, blanks left out;
- ``scores.csv#count?score&!station_km``: how many rows have a score and no ``station_km``; conditions are ``column``,
  ``!column``, ``column=text`` and ``column<number``;
- ``scores.csv#sum/people_beyond?zone=Z52835``: a sum over such rows, missing where one of them is;
  ``min`` likewise the least that is known;
- ``zones.geojson#Z52835/coca_ha``; ``zones.geojson#Z52835/#`` its place in the order of scores, ``/members#`` how many
  members it has; ``zones.geojson#sum/coca_ha``;
- ``goal.csv#municipal table/52/progress``: series, place and column;
- ``panel#52835+52621/coca_ha/2019``: the sum over municipalities of a layer's figure of a year;
- ``year:`` before a figure of the panel, its year;
- ``min:``, ``max:`` and ``count:`` before a place that holds a list; ``share:`` before two places with `` ÷ `` between;
- ``code#module.NAME``: a constant of the toolkit.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from geo import uncertainty
from geo.errors import SourceError
from layers import explanations
from maps import export
from maps.opened import Opened

Language = Literal["es", "en"]
LEVEL: float = inspect.signature(uncertainty.rank_spread).parameters["level"].default  # of the range of ranks
CONDITION = re.compile(r"(!?)(\w+)(?:([=<])(.+))?")


@dataclass(frozen=True)
class Form:
    """How a figure is written.

    Attributes
    ----------
    decimals : int, optional
        After the decimal sign; as many as a number needs, at most two, if None.
    percent : bool
        A share, written in percent.
    plain : bool
        Without a sign between thousands, as years are.
    signed : bool
        With a plus sign above zero.
    """

    decimals: int | None = 0
    percent: bool = False
    plain: bool = False
    signed: bool = False


WHOLE, ONE, TWO, THREE = (Form(decimals) for decimals in range(4))
YEAR, FREE, CHANGE = Form(plain=True), Form(None), Form(signed=True)
PERCENT, PERCENT_ONE = Form(percent=True), Form(1, percent=True)
FORMS = {
    "coca_ha_per_km2": TWO,
    "coca_trend_ha_per_year": CHANGE,
    "resurgence": TWO,
    "homicide_rate": ONE,
    "station_km": ONE,
    "score": THREE,
    "coverage": PERCENT,
    "reserve_share": PERCENT_ONE,
    "council_share": PERCENT_ONE,
    "park_share": PERCENT_ONE,
    "change_ha": CHANGE,
    "progress": PERCENT,
}


@dataclass(frozen=True)
class Figure:
    """A figure in a text.

    Attributes
    ----------
    value : float, optional
        Unrounded; None where nothing was measured.
    of : str
        Where it comes from.
    text : str
        As it is written; empty where it is missing.
    """

    value: float | None
    of: str
    text: str
    kind: ClassVar[str] = "figure"

    @property
    def exact(self) -> str:
        """The value as a machine reads it; empty where it is missing."""
        if self.value is None:
            return ""
        return str(int(self.value)) if float(self.value).is_integer() else repr(float(self.value))


class Ledger:
    """Reads figures of a run.

    Parameters
    ----------
    run : Opened
        The run.
    lang : str
        ``es`` or ``en``.
    """

    def __init__(self, run: Opened, lang: Language) -> None:
        self.run, self.lang = run, lang
        self.words = explanations.words(lang)
        self._wide: dict[str, pd.DataFrame] = {}

    @cached_property
    def goals(self) -> pd.DataFrame:
        """``goal.csv``, index ``series`` and ``place``."""
        path = self.run.folder.folder / "goal.csv"
        try:
            table = pd.read_csv(path, dtype={"place": str})
            return table.set_index(["series", "place"])
        except (OSError, ValueError, LookupError) as cause:
            raise SourceError(f"{path} must be the goal.csv of a run; {cause}: run scripts/zone.py again") from cause

    def wide(self, column: str) -> pd.DataFrame:
        """A layer's figures, a row a municipality and a column a year.

        Parameters
        ----------
        column : str
            A column of the panel.

        Returns
        -------
        DataFrame
            Index ``code``.
        """
        if column not in self._wide:
            self._wide[column] = self.run.panel.wide(column)
        return self._wide[column]

    def figure(self, value: Any, of: str, form: Form = WHOLE) -> Figure:
        """A figure at hand.

        Parameters
        ----------
        value : float, optional
            Its value.
        of : str
            Where it comes from.
        form : Form
            How it is written.

        Returns
        -------
        Figure
            Missing where the value is.
        """
        known = None if value is None or pd.isna(value) else float(value)
        if known is None or not math.isfinite(known):
            return Figure(None, of, "")
        return Figure(known, of, self._written(known, form))

    def told(self, pointer: str, form: Form = WHOLE) -> Figure:
        """A figure of ``run.json``.

        Parameters
        ----------
        pointer : str
            JSON pointer.
        form : Form
            How it is written.

        Returns
        -------
        Figure
            Missing where there is none.
        """
        return self.figure(self.at(pointer), f"run.json#{pointer}", form)

    def over(self, how: str, pointer: str, form: Form = WHOLE) -> Figure:
        """The least, the most or the count of a list in ``run.json``.

        Parameters
        ----------
        how : {"min", "max", "count"}
            What is asked.
        pointer : str
            JSON pointer.
        form : Form
            How it is written.

        Returns
        -------
        Figure
            Missing where the list is empty, save for its count.
        """
        values = np.asarray(self.at(pointer) or [], dtype=object).ravel()
        choices: dict[str, Callable[[Any], Any]] = {"min": min, "max": max, "count": len}
        value = choices[how](values) if len(values) or how == "count" else None
        return self.figure(value, f"{how}:run.json#{pointer}", form)

    def at(self, pointer: str) -> Any:
        """What stands in ``run.json`` at a JSON pointer.

        Parameters
        ----------
        pointer : str
            The pointer.

        Returns
        -------
        object
            None where there is nothing.
        """
        found: Any = self.run.folder.summary
        for step in pointer.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else found.get(step)
            if found is None:
                return None
        return found

    def cell(self, code: str, *columns: str, form: Form | None = None) -> Figure:
        """A municipality's figure in ``scores.csv``, or the sum of several.

        Parameters
        ----------
        code : str
            The municipality.
        *columns : str
            Columns; what is missing among several is left out.
        form : Form, optional
            How it is written; as the column is wont if not given.

        Returns
        -------
        Figure
            Missing where the municipality's is.
        """
        known = pd.Series([self.run.folder.table[name].get(code) for name in columns], dtype=float)
        of = f"scores.csv#{code}/{'+'.join(columns)}"
        return self.figure(known.sum(min_count=1), of, form or _wont(columns[0]))

    def zone(self, zone: str, column: str) -> Figure:
        """A figure of a zone.

        Parameters
        ----------
        zone : str
            Its id.
        column : str
            A column of ``zones.geojson``; ``#`` for its place by score, ``members#`` for the number of members.

        Returns
        -------
        Figure
            The figure.
        """
        frame, of = self.run.folder.zones, f"zones.geojson#{zone}/{column}"
        counts = {"#": list(frame.index).index(zone) + 1, "members#": len(frame["members"][zone])}
        value = counts[column] if column in counts else frame.loc[zone, column]
        return self.figure(value, of, FORMS.get(column, WHOLE))

    def zones(self, column: str) -> Figure:
        """The sum over all zones.

        Parameters
        ----------
        column : str
            A column of ``zones.geojson``, or ``members#``.

        Returns
        -------
        Figure
            The figure.
        """
        frame = self.run.folder.zones
        values = frame["members"].map(len) if column == "members#" else frame[column]
        return self.figure(values.sum(skipna=False), f"zones.geojson#sum/{column}")

    def goal(self, series: str, place: str, column: str) -> Figure:
        """A figure of ``goal.csv``.

        Parameters
        ----------
        series, place, column : str
            Where it stands.

        Returns
        -------
        Figure
            The figure.
        """
        value = self.goals.at[(series, place), column]
        return self.figure(value, f"goal.csv#{series}/{place}/{column}", FORMS.get(column, WHOLE))

    def yearly(self, codes: Sequence[str], column: str, years: Sequence[int]) -> list[Figure]:
        """A layer's figures of some municipalities together.

        Parameters
        ----------
        codes : sequence of str
            The municipalities.
        column : str
            A column of the panel.
        years : sequence of int
            The years.

        Returns
        -------
        list of Figure
            A figure a year; missing where a municipality's is.
        """
        sums = self.wide(column).loc[list(codes)].sum(skipna=False)
        return [self.figure(sums.get(year), f"panel#{'+'.join(codes)}/{column}/{year}") for year in years]

    def year(self, year: int, figure: Figure) -> Figure:
        """The year that a yearly figure is of.

        Parameters
        ----------
        year : int
            The year.
        figure : Figure
            From :meth:`yearly`.

        Returns
        -------
        Figure
            The year.
        """
        return self.figure(year, f"year:{figure.of}", YEAR)

    def count(self, *conditions: str) -> Figure:
        """How many municipalities meet all conditions.

        Parameters
        ----------
        *conditions : str
            ``column``, ``!column``, ``column=text`` or ``column<number``.

        Returns
        -------
        Figure
            The count.
        """
        return self.figure(int(self._meeting(conditions).sum()), f"scores.csv#count?{'&'.join(conditions)}")

    def total(self, column: str, *conditions: str) -> Figure:
        """The sum over the municipalities that meet all conditions.

        Parameters
        ----------
        column : str
            A column of ``scores.csv``.
        *conditions : str
            As in :meth:`count`.

        Returns
        -------
        Figure
            Missing where one of theirs is.
        """
        values = self.run.folder.table.loc[self._meeting(conditions), column]
        return self.figure(values.sum(skipna=False), f"scores.csv#sum/{column}?{'&'.join(conditions)}")

    def least(self, column: str, *conditions: str) -> Figure:
        """The least among the municipalities that meet all conditions.

        Parameters
        ----------
        column : str
            A column of ``scores.csv``.
        *conditions : str
            As in :meth:`count`.

        Returns
        -------
        Figure
            Missing where there is none.
        """
        values = self.run.folder.table.loc[self._meeting(conditions), column]
        return self.figure(values.min(), f"scores.csv#min/{column}?{'&'.join(conditions)}", _wont(column))

    def share(self, part: Figure, whole: Figure) -> Figure:
        """One figure as a share of another.

        Parameters
        ----------
        part, whole : Figure
            The figures.

        Returns
        -------
        Figure
            In percent with one decimal; missing where either is, or the whole is 0.
        """
        known = part.value is not None and whole.value
        return self.figure(
            part.value / whole.value if known and part.value is not None and whole.value else None,
            f"share:{part.of} ÷ {whole.of}",
            PERCENT_ONE,
        )

    def constant(self, name: str, form: Form = WHOLE) -> Figure:
        """A constant of this module.

        Parameters
        ----------
        name : str
            Its name, such as ``LEVEL``.
        form : Form
            How it is written.

        Returns
        -------
        Figure
            The figure.
        """
        return self.figure(globals()[name], f"code#{__name__}.{name}", form)

    def _meeting(self, conditions: Sequence[str]) -> pd.Series:
        table = self.run.folder.table
        met = pd.Series(True, index=table.index)
        for condition in conditions:
            match = CONDITION.fullmatch(condition)
            if match is None:
                raise ValueError(f"{condition!r} is no condition")
            refused, column, sign, wanted = match.groups()
            values = table[column]
            texts = values.map(str).str.lower()  # a flag is true or false, as in the file
            one = values.notna() if sign is None else texts == wanted.lower() if sign == "=" else values < float(wanted)
            met &= ~one if refused else one
        return met

    def _written(self, value: float, form: Form) -> str:
        if form.plain:
            return f"{value:.0f}"
        # A whole number of the settings is 1, and not 1.00 as a measure is.
        decimals = 0 if form.decimals is None and value.is_integer() else form.decimals
        percent = self.words.percent(value, form.decimals or 0)
        text = percent if form.percent else self.words.number(value, decimals)
        return f"+{text}" if form.signed and value > 0 and any(sign in "123456789" for sign in text) else text


def _wont(column: str) -> Form:
    return THREE if column.startswith(export.CONTRIBUTION) else FORMS.get(column, WHOLE)
