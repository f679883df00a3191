"""``explanations.json``: why each municipality ranks where it does, in Spanish and English."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geo.explain import WeightChange
from geo.score import Method
from layers import explanations
from layers.criteria import Zoning
from layers.priority import Priorities

LANGUAGES = ("es", "en")


def gather(priorities: Priorities, zoning: Zoning, names: pd.Series, *, changes: int = 0) -> list[dict[str, Any]]:
    """Gather what ``explanations.json`` holds.

    Parameters
    ----------
    priorities : Priorities
        A run.
    zoning : Zoning
        Its settings.
    names : Series
        Names by code.
    changes : int, default 0
        For how many municipalities on either side of the limit of the first the smallest change of weights is sought
        that brings them in or out. Up to ten take a few seconds, more take minutes.

    Returns
    -------
    list of dict
        A record a candidate, by rank: ``code``, ``name``, ``rank``; ``why_es`` and ``why_en`` of the first; of twice
        as many ``limit_es`` and ``limit_en``, what would bring it in or send it out, measure by measure; and where it
        was sought ``weights_es``, ``weights_en``, ``weights`` after the change and ``distance``, the share of all
        weight that moves. Limits and changes are those of weighted means, and left out under other methods.
    """
    ranked = priorities.table["rank"].dropna().sort_values()
    codes = [str(code) for code in ranked.index]
    records: dict[str, dict[str, Any]] = {
        code: {"code": code, "name": names[code], "rank": int(rank)} for code, rank in zip(codes, ranked, strict=True)
    }
    for lang in LANGUAGES:
        for code, text in explanations.sentences(priorities, zoning, names, lang=lang).items():
            records[str(code)][f"why_{lang}"] = text
    if zoning.method is Method.WEIGHTED_MEAN:
        _add_limits(records, priorities, zoning, names, codes[: 2 * zoning.uncertainty.top])
        _add_changes(records, priorities, zoning, names, _around(codes, zoning.uncertainty.top, changes))
    return list(records.values())


def _add_limits(
    records: dict[str, dict[str, Any]], priorities: Priorities, zoning: Zoning, names: pd.Series, codes: list[str]
) -> None:
    for lang in LANGUAGES:
        for code, text in explanations.limits(priorities, zoning, names, codes, lang=lang).items():
            records[str(code)][f"limit_{lang}"] = text


def _around(codes: list[str], top: int, changes: int) -> list[str]:
    return codes[max(top - changes, 0) : top + changes] if changes else []


def _add_changes(
    records: dict[str, dict[str, Any]], priorities: Priorities, zoning: Zoning, names: pd.Series, codes: list[str]
) -> None:
    found = explanations.weight_changes(priorities, zoning, codes) if codes else {}
    for lang in LANGUAGES if codes else ():
        for code, text in explanations.weight_sentences(priorities, zoning, names, found, lang=lang).items():
            records[str(code)][f"weights_{lang}"] = text
    for code, change in found.items():
        records[code] |= _moved(change, list(priorities.unit.columns))


def _moved(change: WeightChange | None, measures: list[str]) -> dict[str, Any]:
    if change is None:
        return {"weights": None, "distance": None}
    return {"weights": dict(zip(measures, change.weights.tolist(), strict=True)), "distance": change.distance}
