"""What a run has to hand over: its municipalities, zones, panel, sites, enclaves and changes, as datasets."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo import overlay
from geo.errors import ConfigError, SourceError, listed
from geo.files import sha256
from layers import criteria
from maps import dictionary, export
from maps.dictionary import Column
from maps.formats.dataset import About, Dataset, Field, Kind, dataset
from maps.opened import Opened

TABLE = Path(__file__).parent / "labels.toml"
CREDIT = ("title", "publisher", "url", "licence", "vintage")
COUNTED = frozenset({"rank", "year", "people", "events", "homicides", "cells"})
WHOLE = export.WHOLE | {"years_known"}
FLAG = "true or false"
UNTOLD = COUNTED | {"text", "list of text", FLAG}  # the label says what is counted
CAUSE = "cause"
GEOMETRY = "geometry"
NONE = {"locked_in": "none is locked in", "over_limit": "it exceeds none"}  # a run has an empty list or text there
ENCLAVES, DENSITY = "enclaves.geojson", "density.json"  # as scripts/density.py leaves them
SITE_KEYS = ["kind", "name", "lon", "lat"]


def names(run: Opened) -> list[str]:
    """The datasets that a run has.

    Parameters
    ----------
    run : Opened
        The run.

    Returns
    -------
    list of str
        Of :data:`DATASETS`, in its order; ``enclaves`` only where ``scripts/density.py`` has written them for this
        run, ``changes`` only where a comparison is at hand.
    """
    there = {"enclaves": not _amiss(run), "changes": run.changes is not None}
    return [name for name in DATASETS if there.get(name, True)]


def read(run: Opened, wanted: Sequence[str]) -> dict[str, Dataset]:
    """Read datasets of a run.

    Parameters
    ----------
    run : Opened
        The run.
    wanted : sequence of str
        Of :data:`DATASETS`.

    Returns
    -------
    dict of str to Dataset
        By name, in the order wanted.

    Raises
    ------
    ConfigError
        If a name is unknown, or ``changes`` are wanted and no comparison that led to this run is at hand.
    SourceError
        If a file of the run is missing or cannot be read, or an input has changed since.
    """
    unknown = [name for name in wanted if name not in DATASETS]
    if unknown:
        raise ConfigError(f"what is exported must be of {listed(list(DATASETS))}; found {listed(unknown)}: name these")
    return {name: DATASETS[name](run) for name in wanted}


def _municipalities(run: Opened) -> Dataset:
    table = run.folder.table
    places = gpd.GeoDataFrame(table, geometry=run.folder.shapes.reindex(table.index), crs=run.folder.shapes.crs)
    columns = {column.name: column for column in (*dictionary.municipalities(), *dictionary.by_cell("added"))}
    return _made(run, "municipalities", places.reset_index(), columns, key=["code"])


def _zones(run: Opened) -> Dataset:
    columns = {column.name: column for column in (*dictionary.zones(), *dictionary.exported())}
    zones, names = run.folder.zones.reset_index(), run.folder.table["name"]
    named = zones["members"].map(lambda members: [names.get(code, code) for code in members])
    zones.insert(list(zones).index("members") + 1, "member_names", named)
    return _made(run, "zones", zones, columns, key=["zone"])


def _panel(run: Opened) -> Dataset:
    columns = {column.name: column for column in dictionary.years()}
    return _made(run, "panel", run.panel.years.reset_index(), columns, key=["code", "year"])


def _sites(run: Opened) -> Dataset:
    """Police posts and sites of the accord; a number within each kind tells them apart, as names do not."""
    read, places = run.inputs, run.panel.places
    every = pd.concat([read.posts.frame, read.sites.frame]).sort_values(SITE_KEYS, kind="stable").reset_index(drop=True)
    code = overlay.locate(gpd.GeoSeries(every[GEOMETRY], crs=places.crs), places)
    number = every.groupby("kind").cumcount() + 1
    sites = gpd.GeoDataFrame(every.drop(columns="municipality"), crs=places.crs).assign(
        site=every["kind"].str.upper() + "-" + number.astype(str).str.zfill(4),
        code=code,
        municipality=code.map(places["name"]),
        department=code.map(places["department"]),
    )
    columns = {column.name: column for column in dictionary.sites()}
    return _made(run, "sites", sites[[*columns, GEOMETRY]], columns, key=["site"])


def _enclaves(run: Opened) -> Dataset:
    path, amiss = run.folder.folder / ENCLAVES, _amiss(run)
    if amiss:
        raise SourceError(
            f"{path} must be there, and be of this run, to export enclaves; {amiss}: run scripts/density.py with --run "
            f"{run.folder.folder} first"
        )
    columns = {column.name: column for column in dictionary.by_cell("enclaves")}
    made = _made(run, "enclaves", _features(path), columns, key=["enclave"])
    return noted(made, caveat("finer")) if finer(run) else made


def _amiss(run: Opened) -> str:
    """What is wrong with the enclaves of a run folder; nothing if they are there and of this run."""
    folder = run.folder.folder
    if not (folder / ENCLAVES).is_file():
        return "it is not there"
    of_this = _density(run).get("run") == sha256(folder / "run.json")
    return "" if of_this else "it was made before the run was"


def _density(run: Opened) -> dict[str, Any]:
    path = run.folder.folder / DENSITY
    try:
        told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as cause:
        raise SourceError(f"{path} must be JSON as scripts/density.py writes it; {cause}: run it again") from cause
    return told if isinstance(told, dict) else {}


def _changes(run: Opened) -> Dataset:
    if run.changes is None:
        raise ConfigError("changes are those between two runs; no folder of scripts/compare.py is named: add --changes")
    path = run.changes / "changes.geojson"
    if not path.is_file():
        raise SourceError(f"{path} must be there to export changes; it is not: name a folder of scripts/compare.py")
    columns = {column.name: column for column in dictionary.changes()}
    frame = _features(path)
    _check_later(run, frame, path)
    return _made(run, "changes", frame, columns, key=["code"])


def _check_later(run: Opened, changes: gpd.GeoDataFrame, path: Path) -> None:
    """Refuse changes that led to another run: year, sources and caveats would be none of theirs."""
    found = pd.to_numeric(changes.set_index("code")["score_after"])
    told = run.folder.table["score"]
    if not np.allclose(found.reindex(told.index), told, rtol=0, atol=1e-9, equal_nan=True):
        raise ConfigError(
            f"--changes must be the folder of a comparison whose later run is {run.folder.folder}; the scores of "
            f"{path} are not of it: run scripts/compare.py with it as the second run"
        )


DATASETS: Mapping[str, Callable[[Opened], Dataset]] = {
    "municipalities": _municipalities,
    "zones": _zones,
    "panel": _panel,
    "sites": _sites,
    "enclaves": _enclaves,
    "changes": _changes,
}


def _features(path: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.GeoDataFrame(pyogrio.read_dataframe(path))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as cause:
        raise SourceError(f"{path} must be GeoJSON as our scripts write it; {cause}: run the script again") from cause


def _made(
    run: Opened, name: str, frame: gpd.GeoDataFrame | pd.DataFrame, columns: Mapping[str, Column], *, key: Sequence[str]
) -> Dataset:
    fields = [_field(str(column), columns, run.year) for column in frame if column != GEOMETRY]
    return dataset(name, frame, fields, key=key, about=_about(run, name))


def _field(name: str, columns: Mapping[str, Column], year: int) -> Field:
    """A column's field: what the dictionary says of it, with its label."""
    part, measure = _part(name)
    column = columns[_FAMILY[part]] if part else columns[name]
    labels = _label(part, measure) if part else _words()["columns"].get(name, ("", ""))
    unit = "" if column.unit in UNTOLD else column.unit
    return Field(
        name=name,
        kind=_kind(name, column.unit),
        unit=unit,
        label_es=labels[0],
        label_en=labels[1],
        meaning=column.meaning,
        missing=NONE.get(name, column.missing),
        sources=column.sources,
        unit_es=_words()["units"].get(unit, unit),
    )


_FAMILY = {"contribution": f"{export.CONTRIBUTION}NAME"} | {
    part: f"{CAUSE}_NAME_{part}" for part in ("value", "scale", "weight", "known")
}


def _part(name: str) -> tuple[str, str]:
    """Of a column that there is for every measure, which family it is of and for which measure."""
    if name.startswith(export.CONTRIBUTION):
        return "contribution", name.removeprefix(export.CONTRIBUTION)
    if name.startswith(f"{CAUSE}_"):
        measure, _, part = name.removeprefix(f"{CAUSE}_").rpartition("_")
        return part, measure
    return "", ""


def _label(part: str, measure: str) -> tuple[str, str]:
    known = criteria.MEASURES[measure]
    spanish, english = _words()["parts"][part]
    return spanish.format(measure=known.label_es), english.format(measure=known.label_en)


def _kind(name: str, unit: str) -> Kind:
    if unit == FLAG:
        return "flag"
    if unit in ("text", "list of text"):
        return "text"
    return "whole" if unit in COUNTED or name in WHOLE else "number"


def _about(run: Opened, name: str) -> About:
    spanish, english = (title.format(year=run.year) for title in _words()["datasets"][name])
    caveats = [*_standing(), *_of_run(run)]
    return About(
        title_es=spanish,
        title_en=english,
        year=run.year,
        run=sha256(run.folder.folder / "run.json"),
        sources=tuple(
            _credit(source, entry) for source, entry in run.folder.summary["inputs"].items() if source != "config"
        ),
        caveats_es=tuple(pair[0] for pair in caveats),
        caveats_en=tuple(pair[1] for pair in caveats),
    )


def finer(run: Opened) -> bool:
    """Whether the enclaves of a run are drawn from cells of less than 1 km.

    Parameters
    ----------
    run : Opened
        The run.

    Returns
    -------
    bool
        As ``density.json`` has it: such shapes show single fields, and are not to be passed on.
    """
    return bool(_density(run).get("finer"))


def noted(data: Dataset, note: tuple[str, str]) -> Dataset:
    """Add a caveat to a dataset.

    Parameters
    ----------
    data : Dataset
        Any.
    note : tuple of str
        As :func:`caveat` gives it.

    Returns
    -------
    Dataset
        The same, with the caveat as its last.
    """
    spanish, english = note
    about = data.about
    caveats_es, caveats_en = (*about.caveats_es, spanish), (*about.caveats_en, english)
    return replace(data, about=replace(about, caveats_es=caveats_es, caveats_en=caveats_en))


def caveat(name: str, **values: object) -> tuple[str, str]:
    """A sentence to keep in mind, in Spanish and in English.

    Parameters
    ----------
    name : str
        As ``labels.toml`` has it.
    **values
        What it speaks of.

    Returns
    -------
    tuple of str
        Spanish and English.
    """
    spanish, english = _words()["caveats"][name]
    return spanish.format(**values), english.format(**values)


def _standing() -> list[tuple[str, str]]:
    return [caveat(name) for name in ("score", "missing", "posts", "rights", "limits")]


def _of_run(run: Opened) -> list[tuple[str, str]]:
    """What holds for this run: how many are scored on part of the measures, and what was edited since."""
    scored = run.folder.table[run.folder.table["score"].notna()]
    partial, unknown = int((scored["coverage"] < 1).sum()), int(scored["station_km"].isna().sum())
    edited = run.folder.edited
    return [
        *([caveat("partial", count=partial)] if partial else []),
        *([caveat("unknown", count=unknown)] if unknown else []),
        *([caveat("edited", files=", ".join(edited))] if edited else []),
    ]


def _credit(source: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """What to name of an input; of a planner's own file its name, without the folder."""
    file = PurePath(str(entry["file"])).name
    stated = {key: str(entry.get(key, "")) for key in CREDIT}
    return {"id": source, **stated, "title": stated["title"] or file, "file": file, "sha256": str(entry["sha256"])}


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
