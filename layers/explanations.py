"""Why a municipality ranks where it does, in plain Spanish and English; the words are in ``sentences.toml``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo import explain
from geo.errors import CodeError, ConfigError, listed
from geo.explain import WeightChange
from geo.score import Floats, Method
from layers.criteria import Criterion, Zoning
from layers.priority import Priorities

WORDS = Path(__file__).parent / "sentences.toml"
SHARE_UNIT = "0–1"  # of measures that are shares, which sentences state in percent
NAMED = 3  # measures that a sentence names at most
WORTH_NAMING = 0.5  # of what the one before adds: below it the third measure is not named
LEAST_SHARE = 0.0005  # of the weight: a smaller part of a change is not named
SCORE_DECIMALS = 3
# How the next word sounds in Spanish: "e" stands before i, "u" before o, also where it is written 8 or 11.
SOUNDS = {
    "and": ("and_before_i", re.compile(r"h?[ií](?![aeo])", re.I)),
    "or": ("or_before_o", re.compile(r"h?[oó]|8|11(?!\d)", re.I)),
}


@dataclass(frozen=True)
class Words:
    """A language: its templates, its phrases for measures, and how it writes figures.

    Attributes
    ----------
    lang : str
        ``es`` or ``en``.
    templates : mapping
        A table of ``sentences.toml``.
    """

    lang: str
    templates: Mapping[str, Any]

    def say(self, template: str, **values: object) -> str:
        """Fill in a template.

        Parameters
        ----------
        template : str
            Its name.
        **values : object
            What the template names.

        Returns
        -------
        str
            The text.
        """
        return str(self.templates[template]).format(**values)

    def number(self, value: float, decimals: int | None = None) -> str:
        """Write a number: ``1.234,5`` in Spanish, ``1,234.5`` in English.

        Parameters
        ----------
        value : float
            The number.
        decimals : int, optional
            How many; by default as many as leave three figures, at most two, and none where the number is whole. A one
            that was measured stays 1.00: it may stand before a plural.

        Returns
        -------
        str
            With a true minus sign.
        """
        places = _decimals(value) if decimals is None else decimals
        text = f"{value:,.{places}f}"
        text = text.removeprefix("-") if not float(text.replace(",", "")) else text
        signs = {",": self.templates["thousands"], ".": self.templates["decimal"], "-": "−"}
        return "".join(signs.get(sign, sign) for sign in text)

    def percent(self, share: float, decimals: int = 0) -> str:
        """Write a share as percent.

        Parameters
        ----------
        share : float
            0 to 1.
        decimals : int, default 0
            How many.

        Returns
        -------
        str
            ``80 %`` in Spanish, ``80%`` in English.
        """
        return self.say("percent", value=self.number(100 * share, decimals))

    def series(self, items: Sequence[str], word: str = "and") -> str:
        """Join items as a sentence does: commas, and a word before the last.

        Parameters
        ----------
        items : sequence of str
            At least one.
        word : {"and", "or"}
            The word; Spanish says "e" before the sound of i, and "u" before that of o.

        Returns
        -------
        str
            ``a, b and c``.
        """
        *first, last = items
        if not first:
            return last
        before, sound = SOUNDS[word]
        joining = self.templates[before if sound.match(last) else word]
        return f"{', '.join(first)} {joining} {last}"


def words(lang: str) -> Words:
    """The words of a language.

    Parameters
    ----------
    lang : str
        ``es`` or ``en``.

    Returns
    -------
    Words
        Templates and signs.

    Raises
    ------
    ConfigError
        If there are none.
    """
    languages = _languages()
    if lang not in languages:
        raise ConfigError(f"the language must be one of {listed(languages)}; found {lang!r}: choose one of them")
    return Words(lang, languages[lang])


def sentences(priorities: Priorities, zoning: Zoning, names: pd.Series, *, lang: str) -> pd.Series:
    """Say of each of the first municipalities why it is there.

    Named are its rank and spread, whether the FARC left it, what is not measured, and the measures that set it apart:
    those whose contribution is most above the median contribution of the candidates that have the measure. Two, and a
    third if it adds at least half as much as the second; none that adds no more than the median.

    Parameters
    ----------
    priorities : Priorities
        A run.
    zoning : Zoning
        Its settings; ``uncertainty.top`` says how many are the first.
    names : Series
        Names by code, as they shall be read.
    lang : str
        ``es`` or ``en``.

    Returns
    -------
    Series of str
        By code, in the order of ranks, named ``sentence``.

    Raises
    ------
    ConfigError
        If the language is unknown.
    """
    speech = _Speech(priorities, zoning, names, words(lang))
    first = speech.order[: zoning.uncertainty.top]
    return pd.Series([speech.why(code) for code in first], index=first, name="sentence", dtype=object)


def why_not(priorities: Priorities, zoning: Zoning, names: pd.Series, code: str, *, lang: str) -> str:
    """Say what a municipality would need to be among the first, each measure by itself; of one that is, what ends it.

    The rescaling stays as it was fitted: a municipality that changed would move it a little.

    Parameters
    ----------
    priorities : Priorities
        A run scored by weighted means.
    zoning : Zoning
        Its settings; ``uncertainty.top`` says how many are the first.
    names : Series
        Names by code, as they shall be read.
    code : str
        The municipality.
    lang : str
        ``es`` or ``en``.

    Returns
    -------
    str
        One or two sentences.

    Raises
    ------
    CodeError
        If the run has no such code.
    ConfigError
        If the language is unknown, or scores are no weighted means.
    """
    _check(priorities, zoning, [code])
    speech = _Speech(priorities, zoning, names, words(lang))
    return speech.why_not(code) if code in priorities.unit.index else speech.not_scored(code)


def limits(priorities: Priorities, zoning: Zoning, names: pd.Series, codes: Iterable[str], *, lang: str) -> pd.Series:
    """Say of several candidates what :func:`why_not` says of one.

    Parameters
    ----------
    priorities : Priorities
        A run scored by weighted means.
    zoning : Zoning
        Its settings.
    names : Series
        Names by code, as they shall be read.
    codes : iterable of str
        Candidates.
    lang : str
        ``es`` or ``en``.

    Returns
    -------
    Series of str
        By code, in the order given, named ``sentence``.

    Raises
    ------
    CodeError
        If the run has no such code.
    ConfigError
        If the language is unknown, or scores are no weighted means.
    """
    wanted = list(codes)
    _check(priorities, zoning, wanted)
    speech = _Speech(priorities, zoning, names, words(lang))
    said = [speech.why_not(code) for code in wanted]
    return pd.Series(said, index=pd.Index(wanted, name="code", dtype=object), name="sentence", dtype=object)


def weight_changes(priorities: Priorities, zoning: Zoning, codes: Iterable[str]) -> dict[str, WeightChange | None]:
    """Find the smallest change of weights that brings each municipality into the first, or out of them.

    Parameters
    ----------
    priorities : Priorities
        A run scored by weighted means.
    zoning : Zoning
        Its settings; ``uncertainty.top`` says how many are the first.
    codes : iterable of str
        Candidates.

    Returns
    -------
    dict of str to WeightChange or None
        By code, as :func:`geo.explain.weight_change` finds it; None where no weights do it.

    Raises
    ------
    CodeError
        If one is no candidate of the run.
    ConfigError
        If scores are no weighted means.
    """
    wanted = list(codes)
    _check(priorities, zoning, wanted)
    strange = [code for code in wanted if code not in priorities.unit.index]
    if strange:
        raise CodeError(
            f"weights move candidates only; found {listed(strange)}, not scored in {priorities.year}: leave them out"
        )
    unit, weights = priorities.unit.to_numpy(), priorities.weighting.weights
    top = zoning.uncertainty.top
    return {code: explain.weight_change(unit, weights, _place(priorities, code), top=top) for code in wanted}


def weight_sentences(
    priorities: Priorities,
    zoning: Zoning,
    names: pd.Series,
    changes: Mapping[str, WeightChange | None],
    *,
    lang: str,
) -> pd.Series:
    """Say which change of weights would bring municipalities into the first, or out of them.

    Parameters
    ----------
    priorities : Priorities
        A run.
    zoning : Zoning
        Its settings.
    names : Series
        Names by code, as they shall be read.
    changes : mapping of str to WeightChange or None
        From :func:`weight_changes`.
    lang : str
        ``es`` or ``en``.

    Returns
    -------
    Series of str
        By code, in the order given, named ``sentence``.

    Raises
    ------
    ConfigError
        If the language is unknown.
    """
    speech = _Speech(priorities, zoning, names, words(lang))
    said = [speech.change(code, change) for code, change in changes.items()]
    return pd.Series(said, index=pd.Index(list(changes), name="code", dtype=object), name="sentence", dtype=object)


@functools.cache
def _languages() -> dict[str, dict[str, Any]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def _check(priorities: Priorities, zoning: Zoning, codes: Sequence[str]) -> None:
    if zoning.method is not Method.WEIGHTED_MEAN:
        raise ConfigError(
            f"what a municipality needs is known of weighted means; found method = '{zoning.method.value}': "
            "run with method = 'weighted-mean'"
        )
    unknown = [code for code in codes if code not in priorities.table.index]
    if unknown:
        raise CodeError(f"codes must be municipalities of the run; found {listed(unknown)}: check them")


def _decimals(value: float) -> int:
    size = abs(value)
    if size != 1 and float(value).is_integer():
        return 0
    return 0 if size >= 99.95 else 1 if size >= 9.995 else 2


class _Speech:
    """A run, told in a language."""

    def __init__(self, priorities: Priorities, zoning: Zoning, names: pd.Series, said: Words) -> None:
        self.run, self.zoning, self.names, self.words = priorities, zoning, names, said
        self.top = zoning.uncertainty.top
        self.order = priorities.table["rank"].dropna().sort_values().index
        parts = priorities.contributions
        self.beyond = parts - parts.median()
        self.typical = priorities.raw.median()

    def why(self, code: str) -> str:
        """Rank, reasons, the FARC, and what is not measured."""
        parts = (self._ranked(code), self._vacated(code), self._missing(code))
        return " ".join(part for part in parts if part)

    def why_not(self, code: str) -> str:
        """What each measure would have to be by itself."""
        say, inside = self.words.say, self._inside(code)
        if len(self.order) <= self.top:
            return say("all_in", name=self.names[code], top=self.top, count=len(self.order))
        threshold = self._fact(self.order[self.top if inside else self.top - 1], "score")
        needs = self._needs(code, threshold)
        head = say(
            "ahead" if inside else "short",
            name=self.names[code],
            rank=self.words.number(self._fact(code, "rank"), 0),
            count=self.words.number(len(self.order), 0),
            score=self.words.number(self._fact(code, "score"), SCORE_DECIMALS),
            top=self.top,
            threshold=self.words.number(threshold, SCORE_DECIMALS),
        )
        if not needs:
            return f"{head} {say('stays' if inside else 'not_enough')}"
        form = "one" if len(needs) == 1 else "many"
        tail = say(f"{'drops' if inside else 'enough'}_{form}", measures=self.words.series(needs, "or"))
        return f"{head} {tail}"

    def not_scored(self, code: str) -> str:
        """Why a municipality is no candidate."""
        coca = self._fact(code, "coca_ha")
        values = {"name": self.names[code], "year": self.run.year}
        if np.isnan(coca):
            return self.words.say("not_surveyed", **values)
        least = self.words.number(self.zoning.candidates.minimum_coca_ha, 1).removesuffix(
            f"{self.words.templates['decimal']}0"
        )
        return self.words.say("not_scored", value=self.words.number(coca), least=least, **values)

    def change(self, code: str, change: WeightChange | None) -> str:
        """Which weight would have to move."""
        values = {"name": self.names[code], "top": self.top}
        if change is None:
            return self.words.say("never_out" if self._inside(code) else "never_in", **values)
        moved = change.weights - self.run.weighting.weights
        return self.words.say(
            f"change_{change.way}",
            share=self.words.percent(change.distance, 1),
            taken=self._moved(-moved),
            given=self._moved(moved),
            **values,
        )

    def _fact(self, code: str, column: str) -> float:
        return _figure(self.run.table, code, column)

    def _inside(self, code: str) -> bool:
        return self._fact(code, "rank") <= self.top

    def _ranked(self, code: str) -> str:
        named = [self._compared(criterion, code) for criterion in self._reasons(code)]
        return self.words.say(
            "rank",
            name=self.names[code],
            rank=self.words.number(self._fact(code, "rank"), 0),
            count=self.words.number(len(self.order), 0),
            spread=self._spread(self._fact(code, "rank_low"), self._fact(code, "rank_high")),
            because=self.words.say("because", measures=self.words.series(named)) if named else "",
        )

    def _spread(self, low: float, high: float) -> str:
        if np.isnan(low):
            return ""
        values = {"low": self.words.number(low, 0), "high": self.words.number(high, 0)}
        return self.words.say("steady" if low == high else "spread", **values)

    def _reasons(self, code: str) -> list[Criterion]:
        """The measures that set it apart, the one that adds most first."""
        beyond = {criterion: _figure(self.beyond, code, criterion.name) for criterion in self.zoning.criteria}
        most = sorted((c for c in beyond if beyond[c] > 0), key=lambda c: -beyond[c])[:NAMED]
        if len(most) == NAMED and beyond[most[-1]] < WORTH_NAMING * beyond[most[-2]]:
            return most[:-1]
        return most

    def _compared(self, criterion: Criterion, code: str) -> str:
        phrase = self._phrase(criterion, _figure(self.run.raw, code, criterion.name))
        typical = self._value(criterion, float(self.typical[criterion.name]))
        return self.words.say("measure", phrase=phrase, typical=typical)

    def _phrase(self, criterion: Criterion, value: float) -> str:
        text, windows = self._value(criterion, value), self.zoning.windows
        phrase = self.words.templates["measures"].get(criterion.name)
        if phrase is None:
            unit = criterion.unit_es if self.words.lang == "es" else criterion.unit_en
            return self.words.say("labelled", label=_lowered(self._label(criterion)), value=text, unit=unit)
        radius = self.words.number(windows.station_radius_km)
        return str(phrase).format(value=text, permanence_years=windows.permanence_years, station_radius_km=radius)

    def _value(self, criterion: Criterion, value: float) -> str:
        return self.words.percent(value) if criterion.unit_en == SHARE_UNIT else self.words.number(value)

    def _label(self, criterion: Criterion) -> str:
        return criterion.label_es if self.words.lang == "es" else criterion.label_en

    def _vacated(self, code: str) -> str:
        """Whether the FARC left it; nothing where that is not known."""
        events, windows = self._fact(code, "farc_events"), self.zoning.windows
        if np.isnan(events):
            return ""
        form = "events_none" if events == 0 else "events_one" if events == 1 else "events_many"
        return self.words.say(
            "vacated" if self._fact(code, "vacated") else "not_vacated",
            events=self.words.say(form, value=self.words.number(events, 0)),
            first=windows.farc_first,
            last=windows.farc_last,
        )

    def _missing(self, code: str) -> str:
        absent = [c for c in self.zoning.criteria if np.isnan(_figure(self.run.raw, code, c.name))]
        labels = [_lowered(self._label(criterion)) for criterion in absent]
        if not labels:
            return ""
        coverage = self.words.percent(self._fact(code, "coverage"))
        return self.words.say("missing", labels=self.words.series(labels), coverage=coverage)

    def _needs(self, code: str, threshold: float) -> list[str]:
        """What each measure would have to be by itself, beside what it is."""
        unit, weights = self.run.unit.to_numpy(), self.run.weighting.weights
        wanted = explain.needed(unit, weights, _place(self.run, code), threshold=threshold)
        needs = []
        for criterion, scale, share in zip(self.zoning.criteria, self.run.scales, wanted, strict=True):
            value = float(scale.inverse(np.array(share)))
            if not np.isnan(value):
                needs.append(self._instead(criterion, value, _figure(self.run.raw, code, criterion.name)))
        return needs

    def _instead(self, criterion: Criterion, wanted: float, today: float) -> str:
        phrase = self._phrase(criterion, wanted)
        if np.isnan(today):
            return self.words.say("unmeasured", phrase=phrase)
        return self.words.say("today", phrase=phrase, value=self._value(criterion, today))

    def _moved(self, amounts: Floats) -> str:
        """The measures that lose or gain weight, most first, each with its part unless it is the only one."""
        order = [j for j in np.argsort(-amounts, kind="stable") if amounts[j] >= min(LEAST_SHARE, amounts.max())]
        labels = {j: self._label(self.zoning.criteria[j]) for j in order}
        if len(order) == 1:
            return self.words.say("moved_alone", label=labels[order[0]])
        parts = [
            self.words.say("moved", label=label, share=self.words.percent(float(amounts[j]), 1))
            for j, label in labels.items()
        ]
        return self.words.series(parts)


def _figure(frame: pd.DataFrame, code: str, column: str) -> float:
    # A hundred times as quick as a list of one label, and asked for a thousand figures.
    value: Any = frame.at[code, column]
    return float(value)


def _place(run: Priorities, code: str) -> int:
    return list(run.unit.index).index(code)


def _lowered(label: str) -> str:
    """A label within a sentence: without its capital, unless it is an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
