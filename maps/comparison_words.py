"""What changed between two runs, in words: the causes of each change, and what differs in settings and data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.errors import ConfigError, listed
from geo.score import Rescale
from layers import comparison
from layers.comparison import CHANGE, METHOD, NOTHING, SCALE, VALUE, WEIGHT, Comparison
from maps.runfolder import RunFolder
from maps.standalone import asset

SHORT = 8  # characters of a digest
MOST_DECIMALS = 6
RUN_KEYS = ("data", "draws", "seed", "lang", "drop_unmatched")


@dataclass(frozen=True)
class Texts:
    """The words and numbers of a language.

    Attributes
    ----------
    lang : str
        ``es`` or ``en``.
    known : mapping of str to str
        Text by key, with ``{names}`` to be filled in.
    """

    lang: str
    known: Mapping[str, str]

    @classmethod
    def of(cls, lang: str) -> Texts:
        """Read the words of a language.

        Parameters
        ----------
        lang : str
            ``es`` or ``en``.

        Returns
        -------
        Texts
            The words.

        Raises
        ------
        ConfigError
            If there are none in that language.
        """
        every: dict[str, dict[str, str]] = json.loads(asset("compare.json"))
        if lang not in every:
            raise ConfigError(f"a comparison speaks {listed(every)}; found {lang!r}: choose one of them with --lang")
        return cls(lang, every[lang])

    def say(self, key: str, **values: object) -> str:
        """Fill in a text.

        Parameters
        ----------
        key : str
            Which.
        **values : object
            What stands for its names.

        Returns
        -------
        str
            The text, without spaces at its end.
        """
        return self.known[key].format(**values).rstrip()

    def number(self, value: float, decimals: int) -> str:
        """Write a number as the language does, missing ones as such.

        Parameters
        ----------
        value : float
            The number.
        decimals : int
            How many.

        Returns
        -------
        str
            Such as ``1.234,5``.
        """
        if pd.isna(value):
            return self.known["no_value"]
        signs = str.maketrans({",": self.known["thousands"], ".": self.known["decimal"], "-": "−"})
        return f"{value:,.{decimals}f}".translate(signs)

    def signed(self, value: float, decimals: int = 3) -> str:
        """Write a change with its sign; one that is nothing to these decimals has none.

        Parameters
        ----------
        value : float
            The change.
        decimals : int, default 3
            How many.

        Returns
        -------
        str
            Such as ``+0,021``.
        """
        rounded = round(value, decimals) + 0.0
        return ("+" if rounded > 0 else "") + self.number(rounded, decimals)

    def pair(self, before: float, after: float) -> tuple[str, str]:
        """Write two figures with as few decimals as tell them apart.

        Parameters
        ----------
        before, after : float
            The figures.

        Returns
        -------
        tuple of str
            Both, with the same decimals.
        """
        largest = max((abs(value) for value in (before, after) if not math.isnan(value)), default=0.0)
        fewest = 0 if largest >= 100 else 1 if largest >= 10 else 2
        for decimals in range(fewest, MOST_DECIMALS):
            told = self.number(before, decimals), self.number(after, decimals)
            if told[0] != told[1]:
                return self._trimmed(*told)
        return self._trimmed(self.number(before, fewest), self.number(after, fewest))

    def _trimmed(self, before: str, after: str) -> tuple[str, str]:
        """Without the zeros at the end that both have: 2.50 and 0.00 are 2.5 and 0.0."""
        figures = [each for each in (before, after) if self.known["decimal"] in each]
        if not figures or not all(each.endswith(("0", self.known["decimal"])) for each in figures):
            return before, after
        one, other = (each[:-1] if each in figures else each for each in (before, after))
        return self._trimmed(one, other)

    def percents(self, before: float, after: float) -> tuple[str, str]:
        """Write two shares as percentages.

        Parameters
        ----------
        before, after : float
            0 to 1.

        Returns
        -------
        tuple of str
            Both.
        """
        gap = "\u00a0%" if self.lang == "es" else "%"
        one, other = self._trimmed(self.number(100 * before, 2), self.number(100 * after, 2))
        return one + gap, other + gap

    def percent(self, share: float) -> str:
        """Write a share as a percentage.

        Parameters
        ----------
        share : float
            0 to 1.

        Returns
        -------
        str
            Such as ``12.25%``.
        """
        return self.percents(share, share)[0]


def told(before: RunFolder, after: RunFolder, found: Comparison, texts: Texts) -> pd.DataFrame:
    """Every cause in words.

    Parameters
    ----------
    before, after : RunFolder
        The runs.
    found : Comparison
        What changed.
    texts : Texts
        The language.

    Returns
    -------
    DataFrame
        Columns ``code``, ``cause``, ``measure``, ``amount`` and ``words``, the largest of a municipality first.
    """
    narrator = _Narrator(before, after, found, texts)
    rows = comparison.events(found.causes)
    words = [narrator.tell(*row) for row in rows.itertuples(index=False, name=None)]
    return rows.assign(words=pd.Series(words, index=rows.index, dtype=str))


def main_causes(
    before: RunFolder, after: RunFolder, found: Comparison, events: pd.DataFrame, texts: Texts
) -> pd.Series:
    """The main cause of each change, in words.

    Parameters
    ----------
    before, after : RunFolder
        The runs.
    found : Comparison
        What changed.
    events : DataFrame
        As :func:`told` gives them.
    texts : Texts
        The language.

    Returns
    -------
    Series of str
        By code; missing where nothing changed. Of a municipality that moved against its own score, that others moved
        more is said first.
    """
    by_code = dict(iter(events.groupby("code", sort=False)))
    causes = {
        code: _main(row, by_code.get(code), texts)
        if code in found.causes.index
        else _candidacy(code, before, after, texts)
        for code, row in zip(found.table.index, found.table.to_dict("records"), strict=True)
        if row["status"] != comparison.OUTSIDE
    }
    return pd.Series(causes, index=found.table.index, dtype=str, name="main_cause")


def differences(before: RunFolder, after: RunFolder, texts: Texts) -> list[str]:
    """What differs between the runs' settings, data and versions, a sentence each.

    Parameters
    ----------
    before, after : RunFolder
        The runs.
    texts : Texts
        The language.

    Returns
    -------
    list of str
        What a reader needs first comes first; empty where nothing differs.
    """
    one, other = before.summary, after.summary
    scoring = one["scoring"], other["scoring"]
    facts: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
        ("year", {"": one["year"]}, {"": other["year"]}),
        ("method", {"": scoring[0]["method"]}, {"": scoring[1]["method"]}),
        ("weighting", {"": scoring[0].get("weighting")}, {"": scoring[1].get("weighting")}),
        ("weight", _weights(before, texts), _weights(after, texts)),
        ("setting", *_settings(one["config"], other["config"])),
        ("run", {key: one[key] for key in RUN_KEYS}, {key: other[key] for key in RUN_KEYS}),
        ("input", _of_inputs(one, "sha256"), _of_inputs(other, "sha256")),
        ("vintage", _of_inputs(one, "vintage"), _of_inputs(other, "vintage")),
        ("version", one["versions"], other["versions"]),
    ]
    edited = [texts.say("difference_edited", name=run.folder / name) for run in (before, after) for name in run.edited]
    return [*(line for kind, was, now in facts for line in _unequal(kind, was, now, texts)), *edited]


def shares(found: Comparison) -> pd.Series:
    """How much of all changes of scores each kind of cause makes.

    Parameters
    ----------
    found : Comparison
        What changed.

    Returns
    -------
    Series
        By cause, the largest first, of the sum of all amounts without their signs; empty where nothing changed.
    """
    sizes = comparison.events(found.causes).assign(amount=lambda rows: rows["amount"].abs())
    totals = sizes.groupby("cause")["amount"].sum().sort_values(ascending=False, kind="stable")
    return totals / totals.sum() if totals.sum() > 0 else totals.iloc[:0]


def labels(run: RunFolder, lang: str) -> dict[str, tuple[str, str]]:
    """Label and unit of each measure.

    Parameters
    ----------
    run : RunFolder
        Whose settings.
    lang : str
        Of the labels.

    Returns
    -------
    dict of str to (str, str)
        By measure; a measure without dimension has no unit.
    """
    entries = run.summary["config"]["criteria"]
    unnamed = {name: (name, "") for name in run.summary["scoring"]["weights"]}
    return unnamed | {entry["name"]: (entry[f"label_{lang}"], _unit(entry[f"unit_{lang}"])) for entry in entries}


def capital(sentence: str) -> str:
    """A sentence that begins with a capital.

    Parameters
    ----------
    sentence : str
        Not empty.

    Returns
    -------
    str
        The same, its first letter large.
    """
    return sentence[:1].upper() + sentence[1:]


def _unit(unit: str) -> str:
    return "" if unit in ("0–1", "0-1") else unit


class _Narrator:
    """Knows what the sentences of causes are about."""

    def __init__(self, before: RunFolder, after: RunFolder, found: Comparison, texts: Texts) -> None:
        self._sides = before.side, after.side
        self._found = found
        self._texts = texts
        self._labels = labels(before, texts.lang) | labels(after, texts.lang)
        self._became = comparison.became(before.side, after.side, found.causes.index)
        self._rescaled = _rescaled_otherwise(before, after)
        self._measured = [
            {name: side.table[name].to_dict() for name in self._labels if name in side.table} for side in self._sides
        ]

    def tell(self, code: str, cause: str, measure: str, amount: float) -> str:
        ways = {VALUE: self._value, CHANGE: self._change, SCALE: self._scale}
        words = ways[cause](code, measure, amount) if measure else self._joint(code, cause, amount)
        return capital(self._texts.say("with_amount", cause=words, amount=self._texts.signed(amount)))

    def _joint(self, code: str, cause: str, amount: float) -> str:
        if cause == METHOD:
            one, other = (side.method.value for side in self._sides)
            return self._texts.say("cause_method", before=one, after=other)
        return self._weight(code, amount) if cause == WEIGHT else self._knowledge(code)

    def _figures(self, code: str, measure: str) -> tuple[float, float]:
        one, other = (float(figures.get(measure, {}).get(code, math.nan)) for figures in self._measured)
        return one, other

    def _value(self, code: str, measure: str, _: float) -> str:
        one, other = self._figures(code, measure)
        return self._said("cause_rose" if other > one else "cause_fell", measure, one, other)

    def _change(self, code: str, measure: str, _: float) -> str:
        return self._said("cause_change", measure, *self._figures(code, measure))

    def _scale(self, code: str, measure: str, amount: float) -> str:
        why = "rescaled" if measure in self._rescaled else "others"
        way = "more" if amount > 0 else "less"
        return self._said(f"cause_{why}_{way}", measure, *self._figures(code, measure))

    def _said(self, key: str, measure: str, before: float, after: float) -> str:
        label, unit = self._labels[measure]
        one, other = self._texts.pair(before, after)
        return self._texts.say(key, measure=label, unit=unit, before=one, after=other).replace("  ", " ")

    def _weight(self, code: str, amount: float) -> str:
        parts = self._found.causes.xs(WEIGHT, axis=1, level="cause").loc[code]
        measure = str(parts.idxmax() if amount > 0 else parts.idxmin())
        one, other = self._texts.percents(*(side.weights.get(measure, 0.0) for side in self._sides))
        return self._texts.say("cause_weight", measure=self._labels[measure][0], before=one, after=other)

    def _knowledge(self, code: str) -> str:
        known, unknown = ([name for name in which if which[name][code]] for which in self._became)
        gained = [self._with_figure(code, str(name), 1) for name in known]
        lost = [self._with_figure(code, str(name), 0) for name in unknown]
        said = [("cause_known", gained), ("cause_unknown", lost)]
        return "; ".join(self._texts.say(key, measures=", ".join(names)) for key, names in said if names)

    def _with_figure(self, code: str, measure: str, which: int) -> str:
        label, unit = self._labels[measure]
        figure = self._figures(code, measure)[which]
        return f"{label} ({self._texts.pair(figure, math.nan)[0]} {unit}".rstrip() + ")"


def _rescaled_otherwise(before: RunFolder, after: RunFolder) -> set[str]:
    """Measures that the settings, and not only other candidates, rescale otherwise."""
    one, other = before.side.scales, after.side.scales
    both = {name for name in one if name in other}
    if before.summary["config"].get("scoring", {}).get("winsor") != after.summary["config"].get("scoring", {}).get(
        "winsor"
    ):
        return both
    ways = ({name: (s.kind, s.log, s.descending) for name, s in scales.items()} for scales in (one, other))
    was, now = ways
    return {name for name in both if was[name] != now[name] or was[name][0] is Rescale.GOALPOSTS}


def _main(row: Mapping[Any, Any], events: pd.DataFrame | None, texts: Texts) -> str | None:
    change, moved = row["score_change"], row["rank_change"]
    against = moved != 0 and moved * change < 0
    way = "up" if moved > 0 else "down"
    alike = (
        []
        if events is None
        else [w for w, amount in zip(events["words"], events["amount"], strict=True) if amount * change > 0]
    )
    if not alike or abs(change) <= NOTHING:
        return capital(texts.say(f"cause_others_only_{way}")) if moved != 0 else None
    return capital(texts.say(f"cause_others_{way}", cause=alike[0])) if against else str(alike[0])


def _candidacy(code: str, before: RunFolder, after: RunFolder, texts: Texts) -> str:
    """Why a municipality is a candidate in one run only."""
    if not (code in before.table.index and code in after.table.index):
        return capital(texts.say("cause_only"))
    coca = [float(run.table["coca_ha"][code]) for run in (before, after)]
    minimum = [float(run.summary["config"]["candidates"]["minimum_coca_ha"]) for run in (before, after)]
    if coca[0] == coca[1] and minimum[0] != minimum[1]:
        one, other = texts.pair(*minimum)
        return capital(texts.say("cause_minimum", before=one, after=other))
    one, other = texts.pair(*coca)
    key = "cause_gone" if math.isnan(after.table["score"][code]) else "cause_new"
    return capital(texts.say(key, before=one, after=other, minimum=texts.pair(minimum[1], math.nan)[0]))


def _unequal(kind: str, before: Mapping[str, Any], after: Mapping[str, Any], texts: Texts) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one != other:
            said = [texts.say("absent") if value is None else str(value) for value in (one, other)]
            yield texts.say(f"difference_{kind}", name=name, before=said[0], after=said[1])


def _weights(run: RunFolder, texts: Texts) -> dict[str, str]:
    names = labels(run, texts.lang)
    return {names[name][0]: texts.percent(weight) for name, weight in run.summary["scoring"]["weights"].items()}


def _settings(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings by their path; of a measure that only one run uses, its weight says so."""
    both = {entry["name"] for entry in before["criteria"]} & {entry["name"] for entry in after["criteria"]}
    one, other = (
        _flat({**config, "criteria": [entry for entry in config["criteria"] if entry["name"] in both]})
        for config in (before, after)
    )
    return one, other


def _flat(config: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Settings by their path; weights and method are told elsewhere, labels are no settings."""
    if isinstance(config, dict):
        parts = [
            _flat(value, (*path, name)) for name, value in config.items() if not name.startswith(("label_", "unit_"))
        ]
        return {name: value for part in parts for name, value in part.items()}
    if isinstance(config, list) and config and all(isinstance(entry, dict) and "name" in entry for entry in config):
        return _flat({entry["name"]: {k: v for k, v in entry.items() if k != "name"} for entry in config}, path)
    name = ".".join(path)
    told_elsewhere = name in ("scoring.method", "scoring.weighting") or (path[0] == "criteria" and path[-1] == "weight")
    return {} if told_elsewhere else {name: config}


def _of_inputs(summary: Mapping[str, Any], key: str) -> dict[str, str]:
    """One fact of each input; of the file of settings nothing, for its settings are told one by one."""
    found = {name: entry.get(key) for name, entry in summary["inputs"].items() if name != "config"}
    return {name: value[:SHORT] if key == "sha256" else value for name, value in found.items() if value}
