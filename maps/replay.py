"""A run once more, from its ``run.json``: the same bytes, or what has changed since."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from geo.errors import ConfigError, SourceError, listed
from geo.files import sha256
from layers import criteria
from layers.tables import ATLAS
from maps import record
from maps.inputs import DensityFiles, Settings

PUBLIC = "public"  # in a run.json that maps/publicly.py has written
KEYS = ("year", "seed", "draws", "lang", "drop_unmatched", "data", "weight_changes", "inputs", "versions")


def settings_of(path: Path, out: Path | None = None, *, also: Collection[str] = ()) -> Settings:
    """The settings with which a run was made, after a check that its inputs are still what they were.

    Parameters
    ----------
    path : Path
        A ``run.json``, or its run folder.
    out : Path, optional
        Where to write; beside the run folder, with ``-replay`` after its name, if not given.
    also : collection of str
        Names of options that were given beside it; only ``out`` can be.

    Returns
    -------
    Settings
        Of the run.

    Raises
    ------
    SourceError
        If it is no ``run.json`` or a public variant's, or an input is missing or has changed; the message names every
        such input.
    ConfigError
        If another option was given, which would make it another run.
    """
    others = sorted(set(also) - {"replay", "out"})
    if others:
        raise ConfigError(f"--replay takes all settings from {path}; found {listed(others)} beside it: leave them out")
    recorded = read(path)
    if PUBLIC in recorded:
        raise SourceError(f"{path} is of a public variant, made from distances rounded up: name the run it was made of")
    changed = [said for name, entry in recorded["inputs"].items() if (said := _changed(name, entry))]
    if changed:
        raise SourceError(
            f"a run can be repeated or redrawn from the inputs of then; changed since: {listed(changed)}: "
            "put them back, or run scripts/zone.py anew"
        )
    folder = _file(path).resolve().parent
    return replace(_settings(recorded), out=out or folder.with_name(f"{folder.name}-replay"))


def read(path: Path) -> dict[str, Any]:
    """Read a ``run.json``.

    Parameters
    ----------
    path : Path
        The file, or its run folder.

    Returns
    -------
    dict
        What it holds.

    Raises
    ------
    SourceError
        If it cannot be read or lacks what a run records.
    """
    file = _file(path)
    try:
        recorded = json.loads(file.read_text(encoding="utf-8"))
    except OSError as cause:
        raise SourceError(f"{file} must be the run.json of a run: {cause.strerror}; name another") from cause
    except ValueError as cause:
        raise SourceError(f"{file} must be the run.json of a run: {cause}; name another") from cause
    absent = [key for key in KEYS if not isinstance(recorded, dict) or key not in recorded]
    if absent:
        raise SourceError(f"{file} must be the run.json of a run; it lacks {listed(absent)}: name another")
    return dict(recorded)


def differences(before: Path, after: Path) -> list[str]:
    """Say of every file of two run folders whether it has the same bytes.

    Parameters
    ----------
    before, after : Path
        The ``run.json`` or folder of a run, and the folder of its replay.

    Returns
    -------
    list of str
        A sentence; where bytes differ, which files, and which versions of what computes here.
    """
    folder = _file(before).parent
    names = sorted(file.name for file in after.iterdir() if file.is_file())
    other = [name for name in names if not (folder / name).is_file() or sha256(folder / name) != sha256(after / name)]
    if not other:
        return [f"The same bytes in all {len(names)} files."]
    moved = list(_moved(read(before)["versions"], record.versions()))
    edited = [
        name
        for name, digest in read(before).get("outputs", {}).items()
        if name in other and _is_not(folder / name, digest)
    ]
    reasons = [
        *([f"versions: {listed(moved)}"] if moved else []),
        *([f"no longer as the run left them: {listed(edited)}"] if edited else []),
    ]
    return [f"Other bytes in {listed(other)}; since then: {'; '.join(reasons) or 'nothing that is on record'}."]


def _is_not(file: Path, digest: str) -> bool:
    return not file.is_file() or sha256(file) != digest


def _file(path: Path) -> Path:
    return path / "run.json" if path.is_dir() else path


def _settings(recorded: Mapping[str, Any]) -> Settings:
    inputs = {name: _named(entry) for name, entry in recorded["inputs"].items()}
    return Settings(
        year=recorded["year"],
        config=inputs["config"],
        boundaries=inputs["boundaries"],
        coca=inputs["coca"],
        eradication=inputs["eradication"],
        draws=recorded["draws"],
        seed=recorded["seed"],
        lang=recorded["lang"],
        drop_unmatched=recorded["drop_unmatched"],
        data=recorded["data"],
        weight_changes=recorded["weight_changes"],
        density=_density(recorded["inputs"]),
    )


def _density(inputs: Mapping[str, Any]) -> DensityFiles | None:
    """The density layer, whose further files stand under names of their own."""
    if "density" not in inputs:
        return None
    first = inputs["density"]
    paths = tuple(Path(entry["file"]) for name, entry in inputs.items() if re.fullmatch(r"density(_\d+)?", name))
    return DensityFiles(paths, unit=first["unit"], years=tuple(first["years"]), finer=first.get("finer", False))


def _named(entry: Mapping[str, Any]) -> Path | None:
    """The file that a planner named; None where it was bundled, or fetched by the toolkit itself."""
    return None if entry["bundled"] or "fetched" in entry else Path(entry["file"])


def _changed(name: str, entry: Mapping[str, Any]) -> str:
    """What is no longer as it was, empty where all is."""
    path = _path(name, entry)
    if not path.exists():
        return f"{name} ({path} is missing)"
    now = sha256(path)
    return "" if now == entry["sha256"] else f"{name} ({path}: sha256 {entry['sha256'][:12]} then, {now[:12]} now)"


def _path(name: str, entry: Mapping[str, Any]) -> Path:
    if not entry["bundled"]:
        return Path(entry["file"])
    return criteria.DEFAULTS if name == "config" else ATLAS / entry["file"]


def _moved(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} {then.get(name, 'absent')}, now {now[name]}" for name in now if then.get(name) != now[name])
