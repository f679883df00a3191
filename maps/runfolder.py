"""A run folder as scripts/zone.py leaves it, read back from its files alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo.errors import OutputError, SchemaError, SourceError, listed
from geo.files import sha256
from geo.score import Method
from layers.comparison import Side, scale_of
from maps import export, replay

FILES = ("scores.csv", "municipalities.geojson", "zones.geojson", "run.json")
NAMES = ("name", "department_code", "department", "zone")
FIGURES = ("coca_ha", "score", "rank")
KEYS = (
    "year", "seed", "draws", "lang", "drop_unmatched", "data", "config", "scoring", "robustness", "inputs", "totals",
    "versions",
)  # fmt: skip
LABELS = ("name", "label_en", "label_es", "unit_en", "unit_es")
APART = 1e-6  # of a score; files have scores and contributions to twelve decimals
HINT = "name the folder of a run of scripts/zone.py"


@dataclass(frozen=True)
class RunFolder:
    """A run as its folder has it.

    Attributes
    ----------
    folder : Path
        Where it stands.
    summary : dict
        What ``run.json`` holds.
    table : DataFrame
        ``scores.csv``, index ``code``.
    shapes : GeoSeries
        The municipalities, by code.
    zones : GeoDataFrame
        ``zones.geojson``, index ``zone``.
    """

    folder: Path
    summary: dict[str, Any]
    table: pd.DataFrame
    shapes: gpd.GeoSeries
    zones: gpd.GeoDataFrame

    @cached_property
    def side(self) -> Side:
        """The run as :mod:`layers.comparison` takes it."""
        scoring = self.summary["scoring"]
        names = list(scoring["weights"])
        parts = self.table[[export.CONTRIBUTION + name for name in names]].set_axis(names, axis=1)
        scales = {name: scale_of(scoring["scales"][name]) for name in names}
        return Side(self.table, parts, scoring["weights"], scales, Method(scoring["method"]))

    @property
    def edited(self) -> list[str]:
        """Files that are no longer as the run left them."""
        digests: dict[str, str] = self.summary.get("outputs", {})
        return [name for name in FILES if name in digests and sha256(self.folder / name) != digests[name]]


def read(folder: Path) -> RunFolder:
    """Read a run folder, after a check that it is one.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    RunFolder
        What it holds.

    Raises
    ------
    SourceError
        If it is no run folder, or a file of it cannot be read.
    SchemaError
        If its files contradict each other.
    """
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        found = f"it lacks {listed(absent)}" if folder.is_dir() else "there is no such folder"
        raise SourceError(f"{folder} must be a run folder; {found}: {HINT}")
    summary = _summary(folder)
    table = _scores(folder / "scores.csv", list(summary["scoring"]["weights"]))
    shapes = _features(folder / "municipalities.geojson", "code").geometry
    if set(shapes.index) != set(table.index):
        apart = sorted({*shapes.index} ^ {*table.index})
        raise SchemaError(
            f"{folder}: scores.csv and municipalities.geojson must have the same codes; only one of them has "
            f"{listed(apart)}: run zone.py again"
        )
    zones = _features(folder / "zones.geojson", "zone")
    return RunFolder(folder, summary, table, shapes, zones)


def refuse_own(folder: Path, target: Path) -> None:
    """Refuse to write over what the run wrote: its ``run.json`` would no longer be true.

    Parameters
    ----------
    folder : Path
        The run folder.
    target : Path
        The file to be written.

    Raises
    ------
    OutputError
        If it is a file of the run.
    """
    own = {"run.json", *replay.read(folder).get("outputs", {})}
    if target.name in own and target.resolve().parent == folder.resolve():
        raise OutputError(f"{target} is a file of the run itself, which stays as it is: choose another with --out")


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _check(summary)
    except OSError as cause:
        raise SourceError(
            f"{path} must be the run.json of a run and cannot be read ({cause.strerror}); {HINT}"
        ) from cause
    except (LookupError, TypeError, ValueError, AttributeError) as cause:
        found = f"it lacks {cause.args[0]}" if isinstance(cause, KeyError) else str(cause)
        raise SourceError(f"{path} must be a run.json as zone.py writes it; {found}: {HINT}") from cause
    return summary


def _check(summary: dict[str, Any]) -> None:
    """Touch all that is read later, so that what is absent is missed at once."""
    absent = [key for key in KEYS if key not in summary]
    if absent:
        raise KeyError(listed(absent))
    scoring, config = summary["scoring"], summary["config"]
    Method(scoring["method"])
    for name, weight in scoring["weights"].items():
        scale_of(scoring["scales"][name])
        float(weight)
    int(summary["robustness"]["top"])
    [float(summary["totals"][name]) for name in ("candidates", "coca_ha")]
    float(config["candidates"]["minimum_coca_ha"])
    [entry[key] for entry in config["criteria"] for key in LABELS]
    [entry[key] for entry in (summary["inputs"]["boundaries"],) for key in ("file", "bundled", "sha256")]


def _scores(path: Path, measures: list[str]) -> pd.DataFrame:
    texts = dict.fromkeys(("code", *NAMES), str)
    try:
        table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as cause:
        raise SourceError(f"{path} must be the scores of a run: {cause}; {HINT}") from cause
    parts = [export.CONTRIBUTION + name for name in measures]
    needed = ["code", *NAMES, *FIGURES, *measures, *parts]
    absent = [name for name in dict.fromkeys(needed) if name not in table]
    if absent:
        raise SchemaError(f"{path} must have the columns that run.json tells of; it lacks {listed(absent)}; {HINT}")
    wrong = [n for n in (*FIGURES, *measures, *parts) if not pd.api.types.is_numeric_dtype(table[n])]
    if wrong:
        raise SchemaError(f"{path} must hold numbers in {listed(wrong)}; found text: run zone.py again")
    if table["code"].duplicated().any() or table["code"].isna().any():
        raise SchemaError(f"{path} must have every code once: run zone.py again")
    return _adding_up(table.set_index("code"), parts, path)


def _adding_up(table: pd.DataFrame, parts: list[str], path: Path) -> pd.DataFrame:
    scored = table[table["score"].notna()]
    apart = scored.index[np.abs(scored[parts].sum(axis=1) - scored["score"]) > APART]
    if len(apart):
        raise SchemaError(
            f"{path} must have contributions that sum to the score; those of {listed(apart)} do not: run zone.py again"
        )
    return table


def _features(path: Path, key: str) -> gpd.GeoDataFrame:
    try:
        frame = pyogrio.read_dataframe(path)
        return gpd.GeoDataFrame(frame).set_index(key)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, LookupError, ValueError) as cause:
        raise SourceError(f"{path} must be GeoJSON with the property {key!r}: {cause}; {HINT}") from cause
