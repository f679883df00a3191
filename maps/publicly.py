"""The public variant of a run: made again from distances in whole steps, so that nothing in it locates a post.

Scores, contributions and ranks are functions of the exact distance to a police post, and most else that they are made
of is published: the distance could be worked back from them, however they were rounded. So the distance is rounded up
first, and the run made again from it. Whatever is then drawn, told or exported follows from the rounded distance and
holds no more than it does; two sets of posts with the same rounded distances give the same bytes. What remains is a
ring of :data:`STEP_KM` about each seat or enclave, in which the nearest post lies, and where rings with the
same post cross, less than a ring.

=============================  ============================================================================
in a run                       in its public variant
=============================  ============================================================================
posts and sites of the accord  left out, from data, map and report alike: they are the coordinates themselves
``station_km``                 rounded up to :data:`STEP_KM`, of municipalities and enclaves alike: exact distances
                               from three known seats place a post
``people_beyond``              follows from the rounded distance: the same where the radius is a multiple of the step
scores, ranks, zones           worked out anew, with every share and contribution: see above
``coca_within_5km`` ...        left out: shares of mapped cells within circles about the posts trace the circles
coca by cell                   left out of the map, and with it enclaves of cells of less than 1 km: single cells are
                               nearer to a family than to a plan
``changes``                    left out: causes of a change are parts of exact scores
``etcr``                       as it is: which municipality has one is public by decree, and no point
reports of ``run.json``        without examples from the files of posts and sites; files by name, without folders
=============================  ============================================================================
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd

from geo.errors import ConfigError, listed
from geo.files import sha256
from layers import police, territories
from layers.criteria import Zoning
from layers.panel import Panel
from layers.report import Loaded
from layers.sources import Source
from maps import export, exportable, replay, runfolder, standalone
from maps import run as running
from maps.formats.dataset import Dataset, Field
from maps.inputs import Inputs, Settings
from maps.opened import Opened
from maps.payload import MapContent
from maps.run import Work

STEP_KM = 5.0
LEFT_OUT = ("sites", "changes")
DISTANCES = ("station_km", "seat_station_km")
TRACED = "coca_within_"
PLACING = (police.SOURCE, territories.ETCR_SOURCE)  # inputs whose rows are places
KEY = replay.PUBLIC


@dataclass(frozen=True, kw_only=True)
class PublicInputs(Inputs):
    """Layers without posts and sites, and what was joined from them while they were there.

    Attributes
    ----------
    joined : Panel
        The panel, distances rounded up.
    silent : tuple of str
        Codes of departments whose police data are missing.
    """

    joined: Panel
    silent: tuple[str, ...]

    @cached_property
    def unreported(self) -> list[str]:
        """Codes of departments whose police data are missing."""
        return list(self.silent)

    def join(self, *, year: int | None = None, drop_unmatched: bool = False) -> Panel:
        """Give what was joined.

        Parameters
        ----------
        year, drop_unmatched
            As they were when it was joined; not heeded here.

        Returns
        -------
        Panel
            With distances rounded up.
        """
        return self.joined


@dataclass(frozen=True, kw_only=True)
class PublicRun(Opened):
    """The public variant of a run, opened.

    Attributes
    ----------
    asked : Settings
        Of the run.
    work : Work
        What was found from distances rounded up.
    """

    asked: Settings
    work: Work

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.asked

    @cached_property
    def zoning(self) -> Zoning:
        """The settings' file of the run; labels of distances say that they are rounded."""
        return self.work.zoning

    @cached_property
    def inputs(self) -> Inputs:
        """The layers, without posts, sites and cells."""
        return replace(self.work.inputs, density=None)

    @cached_property
    def panel(self) -> Panel:
        """The panel, distances rounded up."""
        return self.work.panel


@contextmanager
def opened(run: Opened, *, step: Callable[[str], None] = lambda _: None) -> Iterator[PublicRun]:
    """Make the public variant of a run, in a folder that lasts as long as the block.

    Parameters
    ----------
    run : Opened
        The run; its inputs must be what they were.
    step : callable, optional
        Told each of :data:`maps.run.STEPS` that is done here as it begins, for a progress bar.

    Yields
    ------
    PublicRun
        Like a run of ``scripts/zone.py``; its ``run.json`` has a key ``public``.

    Raises
    ------
    PresenciaError
        If an input has changed since, or cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="presencia-") as name:
        folder = Path(name)
        inputs = withheld(run.inputs, run.panel)
        work = running.find(run.settings, labelled(run.zoning), inputs, step=step)
        running.write(work, run.settings, folder, shown=content(work), tell=summary, step=step)
        if "enclaves" in exportable.names(run) and not exportable.finer(run):
            _write_enclaves(run.folder.folder / exportable.ENCLAVES, folder)
        yield PublicRun(runfolder.read(folder), asked=run.settings, work=work)


def is_public(run: Opened) -> bool:
    """Whether a run is a public variant.

    Parameters
    ----------
    run : Opened
        Any run.

    Returns
    -------
    bool
        As its ``run.json`` tells.
    """
    return KEY in run.folder.summary


def rounded_up(km: pd.Series) -> pd.Series:
    """Distances rounded up to whole steps, the first of which holds 0: what is told is true, "at most so far".

    Parameters
    ----------
    km : Series of float
        Kilometres.

    Returns
    -------
    Series of float
        Multiples of :data:`STEP_KM`, missing where the distance is.
    """
    steps = np.ceil(km.to_numpy(dtype=float) / STEP_KM)
    return pd.Series(np.maximum(steps, 1.0) * STEP_KM, index=km.index, name=km.name)


def withheld(inputs: Inputs, joined: Panel) -> PublicInputs:
    """Layers without what is withheld.

    Parameters
    ----------
    inputs : Inputs
        What the run has read.
    joined : Panel
        Its panel.

    Returns
    -------
    PublicInputs
        Posts and sites are empty; the panel's distances are rounded up, and shares about posts left out.
    """
    places = joined.places
    told = {name: rounded_up(places[name]) for name in DISTANCES if name in places}
    traced = [name for name in places if str(name).startswith(TRACED)]
    known = {field.name: getattr(inputs, field.name) for field in fields(Inputs)}
    return PublicInputs(
        **known | {"posts": _emptied(inputs.posts), "sites": _emptied(inputs.sites)},
        joined=replace(joined, places=places.drop(columns=traced).assign(**told)),
        silent=tuple(inputs.unreported),
    )


def labelled(zoning: Zoning) -> Zoning:
    """Settings whose measure of distance says that it is rounded up.

    Parameters
    ----------
    zoning : Zoning
        Of the run.

    Returns
    -------
    Zoning
        The same, but for that label.
    """
    spanish, english = words("label")
    criteria = tuple(
        replace(each, label_es=f"{each.label_es}{spanish}", label_en=f"{each.label_en}{english}")
        if each.name in DISTANCES
        else each
        for each in zoning.criteria
    )
    return replace(zoning, criteria=criteria)


def content(work: Work) -> MapContent:
    """What the map of a public variant shows: no posts, no sites, no cells, and in its credits that it is so.

    Parameters
    ----------
    work : Work
        What was found from distances rounded up.

    Returns
    -------
    MapContent
        For :func:`maps.webmap.build`.
    """
    shown = running.content_of(replace(work, inputs=replace(work.inputs, density=None)))
    title, told = words("title"), words("caveat")
    note = Source("public", " · ".join(title), " · ".join(told), "", "", "")
    return replace(shown, sources=(note, *shown.sources), attribution=f"{shown.attribution} · {' · '.join(title)}")


def summary(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What ``run.json`` holds, without folders and without examples from the files of posts and sites.

    Parameters
    ----------
    recorded : mapping
        As :func:`maps.record.summary` gives it.

    Returns
    -------
    dict
        JSON-ready, with the key ``public``.
    """
    given = [entry["file"] for entry in recorded["inputs"].values() if not entry["bundled"]]
    plain = _without(dict(recorded), {file: PurePath(file).name for file in given})
    for name in PLACING:
        for finding in plain["inputs"][name]["report"]["findings"]:
            if finding["what"] != police.SILENT:
                finding["examples"] = []
    spanish, english = words("caveat")
    return {KEY: {"step_km": STEP_KM, "left_out": list(LEFT_OUT), "es": spanish, "en": english}, **plain}


def datasets(found: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Datasets of a public variant, which say that they are.

    Parameters
    ----------
    found : mapping of str to Dataset
        As :func:`maps.exportable.read` gives them of a :class:`PublicRun`.

    Returns
    -------
    dict of str to Dataset
        Without :data:`LEFT_OUT`; labels, meanings and caveats say what was rounded.

    Raises
    ------
    ConfigError
        If a distance is not rounded up: then they are of the run itself.
    """
    return {name: _public(data) for name, data in found.items() if name not in LEFT_OUT}


@cache
def words(name: str) -> tuple[str, str]:
    """A text of the public variant.

    Parameters
    ----------
    name : str
        Its key in ``bundle.json``, without ``public_``.

    Returns
    -------
    tuple of str
        Spanish and English.
    """
    texts = json.loads(standalone.asset("bundle.json"))
    spanish, english = (str(texts[lang][f"public_{name}"]).format(step_km=f"{STEP_KM:g}") for lang in ("es", "en"))
    return spanish, english


def _public(data: Dataset) -> Dataset:
    exact = [field.name for field in data.fields if field.name in DISTANCES and not _in_steps(data.table[field.name])]
    traced = [field.name for field in data.fields if field.name.startswith(TRACED)]
    if exact or traced:
        raise ConfigError(
            f"public datasets must come of a run opened by publicly.opened; {data.name} holds {listed(exact + traced)} "
            "as the run itself does: read it from there"
        )
    spanish, english = words("caveat")
    about = data.about
    return replace(
        data,
        fields=tuple(_told(field) for field in data.fields),
        about=replace(about, caveats_es=(spanish, *about.caveats_es), caveats_en=(english, *about.caveats_en)),
    )


def _told(field: Field) -> Field:
    if field.name not in DISTANCES:
        return field
    spanish, english = words("label")
    return replace(
        field,
        label_es=f"{field.label_es}{spanish}",
        label_en=f"{field.label_en}{english}",
        meaning=f"{field.meaning}; {words('meaning')[1]}",
    )


def _in_steps(km: Iterable[float]) -> bool:
    return all(math.isnan(each) or (each >= STEP_KM and each % STEP_KM == 0) for each in km)


def _emptied(layer: Loaded[Any]) -> Loaded[Any]:
    return replace(layer, frame=layer.frame.iloc[:0])


def _without(value: Any, files: Mapping[str, str]) -> Any:
    """A value with every file that it names, at any depth, under its name alone."""
    if isinstance(value, Mapping):
        return {key: _without(item, files) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, files) for item in value]
    if isinstance(value, str):
        for path in sorted(files, key=len, reverse=True):  # a path may begin another
            value = value.replace(path, files[path])
    return value


def _write_enclaves(source: Path, folder: Path) -> None:
    """The enclaves that ``scripts/density.py`` found, distances rounded up, as those of the run in a folder."""
    collection = json.loads(source.read_text(encoding="utf-8"))
    for feature in collection["features"]:
        facts = feature["properties"]
        km = pd.Series([facts["station_km"]], dtype=float)
        facts["station_km"] = rounded_up(km).iloc[0]
    export.write_json(collection, folder / exportable.ENCLAVES)
    export.write_json({"run": sha256(folder / "run.json"), "finer": False}, folder / exportable.DENSITY)
