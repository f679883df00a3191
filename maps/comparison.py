"""Two run folders held against each other: what changed, as a table, as GeoJSON and as a map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.files import replacing
from layers import comparison
from layers.comparison import Comparison
from maps import comparison_page, comparison_words, export, runfolder, standalone
from maps.comparison_words import Texts
from maps.runfolder import RunFolder

PLACE = ["name", "department_code", "department"]
WHOLE = ("rank_before", "rank_after", "rank_change")
COLUMNS = [
    *PLACE, "status", "score_before", "score_after", "score_change", "rank_before", "rank_after", "rank_change",
    "zone_before", "zone_after", "main_cause",
]  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Two runs and what changed between them.

    Attributes
    ----------
    before, after : RunFolder
        The runs.
    found : Comparison
        What changed.
    changes : DataFrame
        What ``changes.csv`` holds, index ``code``.
    events : DataFrame
        Every cause in words, as :func:`maps.comparison_words.told` gives them.
    texts : Texts
        The words of the chosen language.
    folder : Path
        Where the files stand.
    """

    before: RunFolder
    after: RunFolder
    found: Comparison
    changes: gpd.GeoDataFrame
    events: pd.DataFrame
    texts: Texts
    folder: Path


def compare(before: Path, after: Path, *, out: Path | None = None, lang: str = "es") -> Compared:
    """Compare two run folders, and write a table, GeoJSON and a map of the changes.

    Parameters
    ----------
    before, after : Path
        The run folders.
    out : Path, optional
        Where to write; ``out/compare-BEFORE-AFTER`` if not given.
    lang : {"es", "en"}, default "es"
        Language of the map and the causes.

    Returns
    -------
    Compared
        What was found; the folder holds ``changes.csv``, ``changes.geojson`` and ``changes.html``.

    Raises
    ------
    PresenciaError
        If a folder is no run's, or the output cannot be written; what an earlier comparison left is untouched then.
    """
    texts = Texts.of(lang)
    one, other = runfolder.read(before), runfolder.read(after)
    found = comparison.compare(one.side, other.side, top=int(other.summary["robustness"]["top"]))
    events = comparison_words.told(one, other, found, texts)
    changes = _changes(one, other, found, comparison_words.main_causes(one, other, found, events, texts))
    folder = out or Path("out") / f"compare-{before.resolve().name}-{after.resolve().name}"
    done = Compared(one, other, found, changes, events, texts, folder)
    page = standalone.page(comparison_page.build(done))
    with replacing(folder) as partial:
        export.write_csv(pd.DataFrame(changes.drop(columns="geometry")), partial / "changes.csv")
        export.write_geojson(changes, partial / "changes.geojson")
        (partial / "changes.html").write_text(page, encoding="utf-8", newline="\n")
    return done


def _changes(before: RunFolder, after: RunFolder, found: Comparison, main_cause: pd.Series) -> gpd.GeoDataFrame:
    """The later run's names and shapes, and the earlier one's where that alone has a municipality."""
    names = after.table[PLACE].combine_first(before.table[PLACE])
    zones = pd.DataFrame({"zone_before": before.table["zone"], "zone_after": after.table["zone"]})
    table = found.table.join(names).join(zones).assign(main_cause=main_cause)[COLUMNS]
    parts = found.causes.set_axis(["_".join(("cause", *pair)) for pair in found.causes.columns], axis=1)
    figures = table.astype(dict.fromkeys(WHOLE, "Int64")).join(parts + 0.0).round(export.SCORE_DECIMALS)
    earlier = before.shapes[~before.shapes.index.isin(after.shapes.index)]
    shapes = gpd.GeoSeries(pd.concat([after.shapes, earlier]), crs=after.shapes.crs)
    return gpd.GeoDataFrame(figures, geometry=shapes.reindex(figures.index), crs=shapes.crs)
