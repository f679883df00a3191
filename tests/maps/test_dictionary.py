"""The data dictionary names every column of a run, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from layers import criteria
from layers.sources import sources
from maps import dictionary
from maps.export import CONTRIBUTION
from maps.inputs import Settings, read
from maps.run import Run, run

ROOT = Path(__file__).resolve().parents[2]
EVERY = [*dictionary.municipalities(), *dictionary.zones(), *dictionary.places(), *dictionary.years()]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(Settings(year=2020, draws=0, out=tmp_path_factory.mktemp("run")))


def names(columns: list[dictionary.Column]) -> list[str]:
    return [column.name for column in columns]


def properties(file: Path) -> list[str]:
    return list(json.loads(file.read_text(encoding="utf-8"))["features"][0]["properties"])


def test_municipalities_are_documented_column_by_column(done: Run):
    written = properties(done.folder / "municipalities.geojson")
    plain = [name for name in written if not name.startswith(CONTRIBUTION)]
    assert names(dictionary.municipalities()) == [*plain, f"{CONTRIBUTION}NAME"]
    assert len(written) - len(plain) == 10


def test_zones_are_documented_column_by_column(done: Run):
    assert names(dictionary.zones()) == [*properties(done.folder / "zones.geojson"), "geometry"]


def test_the_panel_is_documented_column_by_column():
    joined = read(Settings()).join()
    assert set(names(dictionary.places())) == {"code", *joined.places.columns}
    assert set(names(dictionary.years())) == {*joined.years.index.names, *joined.years.columns}


@pytest.mark.parametrize("column", EVERY, ids=lambda column: column.name)
def test_each_column_says_what_it_is(column: dictionary.Column):
    assert column.meaning
    assert column.unit
    assert column.missing
    assert set(column.sources) <= set(sources())
    assert "|" not in f"{column.meaning}{column.unit}{column.missing}"


@pytest.mark.parametrize(("ending", "unit"), [("_ha", "ha"), ("_km2", "km²"), ("_km", "km"), ("_per_km2", "ha/km²")])
def test_units_in_names_are_those_that_are_stated(ending: str, unit: str):
    having = [c for c in EVERY if c.name.endswith(ending) and (ending == "_per_km2" or "_per_" not in c.name)]
    assert having
    assert {column.unit for column in having} == {unit}


def test_the_file_in_docs_is_what_the_code_says():
    assert (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == dictionary.markdown()


def test_the_script_tells_when_it_is_not(tmp_path: Path):
    command = [sys.executable, str(ROOT / "scripts" / "data_dictionary.py"), "--check"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_defaults_are_those_of_a_run_without_settings():
    stated = re.findall(r"`(\w+)\.(\w+) = ([^`]+)`", dictionary.markdown())
    defaults = criteria.load()
    assert {"high_share", "minimum_coca_ha", "farc_first", "top"} <= {name for _, name, _ in stated}
    assert all(getattr(getattr(defaults, section), name) == json.loads(value) for section, name, value in stated)
