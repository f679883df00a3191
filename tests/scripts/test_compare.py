"""scripts/compare.py as a planner runs it: 2019 against 2020, two weightings of 2020, and every kind of bad input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.scripts.calling import ROOT, Done, call, digests, process, refused

FILES = {"changes.csv", "changes.geojson", "changes.html"}
WEIGHTS = "[dimensions.cultivation]\nweight = 0.15\n\n[dimensions.void]\nweight = 0.45\n"
SPLIT = ("value", "scale", "weight", "known")


@pytest.fixture(scope="module")
def runs(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of 2019 and 2020, and one of 2020 with other weights."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(made, folder / "2020")
    (folder / "w.toml").write_text(WEIGHTS, encoding="utf-8")
    for name, arguments in {"2019": ["--year", 2019], "weights": ["--year", 2020, "--config", "w.toml"]}.items():
        done = call("zone.py", *arguments, "--draws", 0, "--out", name, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def years(runs: Path) -> Done:
    done = call("compare.py", "2019", "2020", "--lang", "en", cwd=runs)
    assert done.returncode == 0, done.stderr
    return done


def changes(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "changes.csv", dtype={"code": str, "department_code": str}).set_index("code")


def test_2019_against_2020_says_who_entered_and_left_and_why(runs: Path, years: Done):
    folder = runs / "out" / "compare-2019-2020"
    assert {path.name for path in folder.iterdir()} == FILES
    table = changes(folder)
    assert len(table) == 1122
    first = {
        name: set(
            pd.read_csv(runs / name / "scores.csv", dtype={"code": str}).set_index("code")["rank"].nsmallest(20).index
        )
        for name in ("2019", "2020")
    }
    assert set(table.index[table["status"] == "entered"]) == first["2020"] - first["2019"]
    assert set(table.index[table["status"] == "left"]) == first["2019"] - first["2020"]
    for code in first["2019"] ^ first["2020"]:
        assert table.loc[code, "name"] in years.stdout
        assert table.loc[code, "main_cause"]
    assert "Reference year: 2019 → 2020" in years.stdout
    assert "Candidates: 176 → 172. Coca in all: 154,477 → 142,785 ha." in years.stdout


@pytest.mark.parametrize(("before", "after"), [("2019", "2020"), ("2020", "weights"), ("2019", "weights")])
def test_causes_add_up_to_the_change_of_every_score(before: str, after: str, runs: Path, tmp_path: Path):
    done = call("compare.py", runs / before, runs / after, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = changes(tmp_path / "out")
    table = table[table["score_change"].notna()]
    assert len(table) > 150
    parts = table[[name for name in table if str(name).startswith("cause_")]]
    np.testing.assert_allclose(parts.sum(axis=1), table["score_change"], atol=1e-9)
    one, other = (
        pd.read_csv(runs / name / "scores.csv", dtype={"code": str}).set_index("code").reindex(table.index)
        for name in (before, after)
    )
    np.testing.assert_allclose(other["score"] - one["score"], table["score_change"], atol=1e-9)
    for name in (str(each).removeprefix("contribution_") for each in one if str(each).startswith("contribution_")):
        change = other[f"contribution_{name}"].fillna(0) - one[f"contribution_{name}"].fillna(0)
        found = table[[f"cause_{name}_{cause}" for cause in SPLIT]].sum(axis=1)
        np.testing.assert_allclose(found, change, atol=1e-9, err_msg=name)


def test_two_weightings_differ_by_their_weights_alone(runs: Path, tmp_path: Path):
    done = call("compare.py", runs / "2020", runs / "weights", "--out", tmp_path, "--lang", "en", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = changes(tmp_path)
    both = table["score_change"].notna().to_numpy()
    parts = table[[name for name in table if str(name).startswith("cause_")]]
    other = parts[[name for name in parts if not str(name).endswith("_weight")]]
    assert other.abs().to_numpy()[both].max() < 1e-9
    assert parts["cause_farc_events_per_10k_weight"].max() > 0.05
    entered = table[table["status"] == "entered"]
    assert len(entered) == 4
    assert entered["main_cause"].str.contains("FARC events (15% → 27%)", regex=False).all()
    assert "Weight of FARC events: 15% → 27%" in done.stdout
    assert "the weights: 100%" in done.stdout


def test_the_answer_is_in_spanish_unless_asked_otherwise_and_plain_in_a_pipe(runs: Path, tmp_path: Path):
    done = call("compare.py", runs / "2019", runs / "2020", "--out", tmp_path, cwd=tmp_path)
    assert "Entraron en los 20 primeros" in done.stdout
    assert "Resiembra bajó de 1,00 a 0,69" in done.stdout
    assert "\x1b" not in done.stdout
    assert str(tmp_path / "changes.html") in done.stdout


def test_the_same_runs_give_the_same_bytes(runs: Path, years: Done, tmp_path: Path):
    done = process(
        "compare.py", runs / "2019", runs / "2020", "--lang", "en", "--out", tmp_path, cwd=tmp_path, seed="99"
    )
    assert done.returncode == 0, years.stderr
    assert digests(tmp_path) == digests(runs / "out" / "compare-2019-2020")


def test_the_map_is_one_small_file_and_the_geojson_is_plain(runs: Path, years: Done):
    assert years.returncode == 0
    folder = runs / "out" / "compare-2019-2020"
    page = (folder / "changes.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 1_100_000
    assert "Content-Security-Policy" in page
    collection = json.loads((folder / "changes.geojson").read_text(encoding="utf-8"))
    assert "crs" not in collection
    assert len(collection["features"]) == 1122
    table = changes(folder)
    for feature in collection["features"]:
        properties = feature["properties"]
        assert list(properties) == ["code", *table.columns]
        assert properties["status"] == table["status"][properties["code"]]


def test_bad_folders_are_refused_in_one_line_and_leave_the_last_output(runs: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "changes.csv").write_text("the last good one", encoding="utf-8")
    for bad, word in (("nowhere", "no such folder"), ("empty", "lacks scores.csv")):
        for pair in ((bad, runs / "2020"), (runs / "2020", bad)):
            refused(call("compare.py", *pair, "--out", out, cwd=tmp_path), word)
    refused(process("compare.py", "nowhere", runs / "2020", "--out", out, cwd=tmp_path), "no such folder")
    assert (out / "changes.csv").read_text(encoding="utf-8") == "the last good one"
    assert {path.name for path in out.iterdir()} == {"changes.csv"}


def test_help_answers_at_once_and_states_defaults():
    code = "import sys; sys.argv = ['compare.py', '--help']\nimport scripts.compare\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"geopandas", "pandas", "numpy", "folium"} & set(loaded.stdout.split())
    done = process("compare.py", "--help", cwd=ROOT)
    said = " ".join(done.stdout.split())
    for words in ("--out", "--lang", "Default: out/compare-A-B", "[default: es]"):
        assert words in said
