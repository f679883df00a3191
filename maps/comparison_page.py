"""The map of changes between two runs: who moved, who entered and left, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import pandas as pd

from geo import coverage, topology
from geo.files import sha256
from layers import boundaries
from layers.comparison import ENTERED, GONE, LEFT, MOVED, NEW, OUTSIDE, SAME, STATUSES, STAYED
from maps import comparison_words, pack, palette
from maps.payload import views
from maps.standalone import DataLayer, OfflineMap, template

if TYPE_CHECKING:
    from maps.comparison import Compared
    from maps.runfolder import RunFolder

SCRIPTS = ("dom.js", "codec.js", "topology.js", "points.js", "layers.js", "compare.js")
STYLES = ("page.css", "card.css", "compare.css")
STEPS = (1, 6, 20)  # places from which a rise or fall is of the next class
MOVED_SHOWN = 12
CAUSES_SHOWN = 8
LEAST_SHOWN = 0.0005  # of a score, or of all changes; less is 0.000
# Its two ends can be told apart by every kind of eye, and both from grey.
RANKS = palette.Palette("PuOr", palette.COLORBREWER, ("#542788", "#8073ac", "#b2abd2", "#fdb863", "#e08214", "#b35806"))
COLOURS = {
    "down": RANKS.colours[2::-1],
    "up": RANKS.colours[3:],
    "same": "#d9d9d9",
    "outside": palette.GROUND["absent"],
    "departments": palette.LINES["departments"],
}
MAP_VERTICES = 40_000
CREDIT = ("title", "publisher", "vintage", "licence")


class ChangesLayer(DataLayer):
    """The changes, their legend, lists and card, as one element of a folium map."""

    _template = template("compare.html.j2")
    kind, styles, scripts = "Changes", STYLES, SCRIPTS


def build(done: Compared) -> folium.Map:
    """Build the map of changes.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.

    Returns
    -------
    folium.Map
        For :func:`maps.standalone.page`.
    """
    texts = done.texts
    map_ = OfflineMap(title=texts.say("title"), lang=texts.lang, prefer_canvas=True, zoom_control=False)
    map_.add_child(ChangesLayer(payload(done), pack.topology(_boundaries(done))))
    return map_


def payload(done: Compared) -> dict[str, Any]:
    """Everything but the boundaries, as the page reads it.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.

    Returns
    -------
    dict
        JSON-ready.
    """
    texts, top = done.texts, done.found.top
    runs = [run_name(run, texts) for run in (done.before, done.after)]
    return {
        "texts": dict(texts.known),
        "terms": {"top": top, "before": runs[0], "after": runs[1]},
        "finding": finding(done),
        "totals": totals(done),
        "towns": _towns(done),
        "lists": _lists(done),
        "steps": list(STEPS),
        "colours": COLOURS,
        "settings": comparison_words.differences(done.before, done.after, texts) or [texts.say("settings_same")],
        "shares": share_lines(done),
        "notes": _notes(done),
        "sources": _sources(done.before, done.after),
        "views": views(done.changes),
        "attribution": _attribution(done.after),
    }


def run_name(run: RunFolder, texts: comparison_words.Texts) -> str:
    """How a run is called: its year and its folder.

    Parameters
    ----------
    run : RunFolder
        The run.
    texts : Texts
        The language.

    Returns
    -------
    str
        ``2020 (folder)``, or the year where that is the folder's name.
    """
    year, folder = str(run.summary["year"]), run.folder.resolve().name
    return year if folder == year else texts.say("run_name", year=year, folder=folder)


def finding(done: Compared) -> str:
    """The answer in one sentence.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.

    Returns
    -------
    str
        How many entered the first and left them.
    """
    counts = done.changes["status"].value_counts()
    entered, left = int(counts.get(ENTERED, 0)), int(counts.get(LEFT, 0))
    key = "finding" if entered or left else "finding_none"
    return done.texts.say(key, entered=entered, left=left, top=done.found.top)


def share_lines(done: Compared) -> list[str]:
    """What made the scores change over all, as a sentence and a line each.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.

    Returns
    -------
    list of str
        Empty where nothing changed.
    """
    found, texts = comparison_words.shares(done.found), done.texts
    lines = [
        f"{texts.say(f'share_{cause}')}: {texts.percent(round(share, 3))}"
        for cause, share in found[found >= LEAST_SHOWN].items()
    ]
    return [texts.say("share_title", count=len(done.found.causes)), *lines] if lines else []


def totals(done: Compared) -> str:
    """Candidates and hectares of both runs.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.

    Returns
    -------
    str
        A sentence each.
    """
    texts, figures = done.texts, [run.summary["totals"] for run in (done.before, done.after)]
    pairs = {
        key: texts.say("from_to", before=texts.number(figures[0][name], 0), after=texts.number(figures[1][name], 0))
        for key, name in (("candidates", "candidates"), ("coca", "coca_ha"))
    }
    return texts.say("totals", **pairs)


def most_moved(done: Compared, most: int) -> pd.DataFrame:
    """Those candidates in both runs that moved most, without those that entered the first or left them.

    Parameters
    ----------
    done : Compared
        Two runs and what changed.
    most : int
        How many at most.

    Returns
    -------
    DataFrame
        Rows of the changes, the largest move first.
    """
    rows = done.changes[done.changes["status"].isin([STAYED, MOVED])]
    rows = rows[rows["rank_change"] != 0]
    order = rows["rank_change"].abs().astype(float).sort_values(ascending=False, kind="stable").index
    return pd.DataFrame(rows.loc[order[:most]])


def _towns(done: Compared) -> list[dict[str, Any]]:
    words = {str(code): _shortened(rows, done.texts) for code, rows in done.events.groupby("code", sort=False)}
    return [_town(str(code), row, words.get(str(code), []), done) for code, row in done.changes.iterrows()]


def _shortened(events: pd.DataFrame, texts: comparison_words.Texts) -> list[str]:
    """The largest causes, and one sum of the others."""
    large = events[events["amount"].abs() >= LEAST_SHOWN].head(CAUSES_SHOWN)
    shown = large if len(large) else events.head(1)
    rest = float(events["amount"].sum() - shown["amount"].sum())
    if abs(rest) < LEAST_SHOWN:
        return list(shown["words"])
    return [*shown["words"], texts.say("with_amount", cause=texts.say("causes_smaller"), amount=texts.signed(rest))]


def _town(code: str, row: pd.Series, words: Sequence[str], done: Compared) -> dict[str, Any]:
    plain = {
        "code": code,
        "name": row["name"],
        "department": row["department"],
        "department_code": row["department_code"],
    }
    if row["status"] == OUTSIDE:
        return plain | {"status": OUTSIDE, "class": "outside"}
    texts = done.texts
    return plain | {
        "status": row["status"],
        "class": _class(row),
        "rank": [texts.number(row[f"rank_{when}"], 0) for when in ("before", "after")],
        "score": [texts.number(row[f"score_{when}"], 3) for when in ("before", "after")],
        "moved": "" if pd.isna(row["rank_change"]) else texts.signed(int(row["rank_change"]), 0),
        "change": "" if pd.isna(row["score_change"]) else texts.signed(float(row["score_change"])),
        "main": "" if pd.isna(row["main_cause"]) else row["main_cause"],
        "causes": list(words),
    }


def _class(row: pd.Series) -> str:
    """Of the legend: ``up2`` is a rise by as much as the third step or more."""
    if pd.isna(row["rank_change"]):
        return "new" if pd.isna(row["rank_before"]) else "gone"
    moved = int(row["rank_change"])
    size = sum(abs(moved) >= step for step in STEPS) - 1
    return "same" if size < 0 else f"{'up' if moved > 0 else 'down'}{size}"


def _lists(done: Compared) -> dict[str, list[str]]:
    by_status = {status: list(done.changes.index[done.changes["status"] == status]) for status in STATUSES}
    gone = done.changes.loc[[*by_status[LEFT]], "rank_before"].sort_values().index
    return {
        "entered": by_status[ENTERED],
        "left": list(gone),
        "moved": list(most_moved(done, MOVED_SHOWN).index),
        "new": by_status[NEW],
        "gone": by_status[GONE],
        "same": by_status[SAME],
    }


def _notes(done: Compared) -> list[str]:
    split = "change" not in done.found.causes.columns.get_level_values("cause")
    keys = ["note_value" if split else "note_method", "note_rank", "note_proof"]
    return [done.texts.say(key) for key in keys]


def _sources(before: RunFolder, after: RunFolder) -> list[str]:
    """Every source of either run, once where both have the same."""
    entries = [*before.summary["inputs"].values(), *after.summary["inputs"].values()]
    lines = [" · ".join(str(entry[key]) for key in CREDIT if entry.get(key)) or str(entry["file"]) for entry in entries]
    return list(dict.fromkeys(lines))


def _attribution(after: RunFolder) -> str:
    entry = after.summary["inputs"]["boundaries"]
    return "© geoBoundaries (CC BY 4.0)" if entry["bundled"] else str(entry["file"])


def _boundaries(done: Compared) -> dict[str, Any]:
    """Of the later run; those that are still the bundled ones stand in the atlas as the page reads them."""
    entry = done.after.summary["inputs"]["boundaries"]
    if entry["bundled"] and entry["sha256"] == sha256(boundaries.TABLE):
        return topology.read_raw(boundaries.TABLE)
    frame = gpd.GeoDataFrame(geometry=done.after.shapes, crs=done.after.shapes.crs)
    return topology.encode(coverage.simplify_to(frame, vertices=MAP_VERTICES))
