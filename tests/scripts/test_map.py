"""scripts/map.py as a planner runs it: a run's map once more, in another language or over tiles, and bad input."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.calling import ROOT, call, digests, process, refused

COCA = "code,year,coca_ha\n54810,2020,19334\n52835,2020,8833\n52835,2019,7000\n19256,2020,6000\n"


def policy(page: Path) -> str:
    [said] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page.read_text("utf-8"))
    return str(said)


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "2020"))


def test_the_runs_own_map_comes_out_again_byte_for_byte(run: Path, made: Path, tmp_path: Path):
    done = process("map.py", "--run", run, cwd=tmp_path, seed="7")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Map: {run / 'map-es.html'}\n"
    assert (run / "map-es.html").read_bytes() == (run / "map.html").read_bytes()
    assert {name: digest for name, digest in digests(run).items() if name != "map-es.html"} == digests(made)


def test_maps_beside_a_run_change_nothing_of_it_and_a_replay_still_says_the_same(run: Path, made: Path, tmp_path: Path):
    for arguments in (["--lang", "en"], ["--tiles", "osm"]):
        assert call("map.py", "--run", run / "run.json", *arguments, cwd=tmp_path).returncode == 0
    added = {"map-en.html", "map-es-online.html"}
    assert {name: digest for name, digest in digests(run).items() if name not in added} == digests(made)
    assert added <= set(digests(run))
    done = call("zone.py", "--replay", run, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(f"The same bytes in all {len(digests(made))} files.")
    english, spanish = ((run / name).read_text("utf-8") for name in ("map-en.html", "map.html"))
    assert '<html lang="en">' in english
    assert '<html lang="es">' in spanish
    assert english != spanish


def test_tiles_widen_the_policy_by_their_host_and_name_their_publisher(run: Path, tmp_path: Path):
    out = tmp_path / "maps" / "over.html"
    address = "https://tiles.example:8443/{z}/{x}/{y}.png"
    arguments = ["--tiles", address, "--credit", "© </script><b>Casa</b>", "--out", out]
    done = call("map.py", "--run", run, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Map: {out}\n"
    assert {path.name for path in out.parent.iterdir()} == {"over.html"}
    assert policy(out).replace(" https://tiles.example:8443", "").startswith("default-src 'none'; script-src 'sha256-")
    assert re.findall(r"https?:[^;' ]*", policy(out)) == ["https://tiles.example:8443"]
    assert re.findall(r"https?:", policy(run / "map.html")) == []
    assert "</script><b>Casa" not in out.read_text("utf-8")
    assert "map-es-online.html" not in digests(run)


@pytest.mark.parametrize(
    "given",
    [
        "google", "http://tiles.example/{z}/{x}/{y}.png", "https://tiles.example/{z}/{x}.png", "", "{z}{x}{y}",
        "https://tiles.example; script-src */{z}/{x}/{y}", "https://tiles.example/{z}/{x}/{y}/{key}",
    ],
)  # fmt: skip
def test_bad_tiles_are_refused_before_anything_is_read(given: str, tmp_path: Path):
    done = call("map.py", "--run", tmp_path / "nowhere", "--tiles", given, cwd=tmp_path)
    refused(done, "--tiles", "osm", "{z}, {x} and {y}")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_is_refused(run: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    refused(process("map.py", "--run", tmp_path / "nowhere", cwd=tmp_path), "nowhere", "must be the run.json of a run")
    refused(call("map.py", "--run", tmp_path / "empty", cwd=tmp_path), "must be the run.json of a run")
    refused(call("map.py", "--run", run / "scores.csv", cwd=tmp_path), "must be the run.json of a run")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_changed_input_is_named_and_the_last_good_map_stays(tmp_path: Path):
    coca = tmp_path / "coca.csv"
    coca.write_text(COCA, encoding="utf-8")
    run = ["--year", 2020, "--coca", coca, "--draws", 0, "--lang", "en", "--out", tmp_path / "mine"]
    assert call("zone.py", *run, cwd=tmp_path).returncode == 0
    assert call("map.py", "--run", tmp_path / "mine", cwd=tmp_path).returncode == 0
    assert (tmp_path / "mine" / "map-en.html").read_bytes() == (tmp_path / "mine" / "map.html").read_bytes()
    before = digests(tmp_path / "mine")
    coca.write_text(COCA.replace("8833", "8834"), encoding="utf-8")
    refused(call("map.py", "--run", tmp_path / "mine", cwd=tmp_path), f"coca ({coca}: sha256 ", "run scripts/zone.py")
    coca.unlink()
    refused(call("map.py", "--run", tmp_path / "mine", cwd=tmp_path), f"coca ({coca} is missing)")
    assert digests(tmp_path / "mine") == before


def test_a_page_that_cannot_be_written_is_told_and_leaves_nothing_behind(run: Path, made: Path, tmp_path: Path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder.html").mkdir()
    for out in (tmp_path / "file" / "map.html", tmp_path / "folder.html"):
        refused(call("map.py", "--run", run, "--out", out, cwd=tmp_path), str(out.parent))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2020", "file", "folder.html"]
    assert list((tmp_path / "folder.html").iterdir()) == []
    assert digests(run) == digests(made)


@pytest.mark.parametrize("name", ["map.html", "run.json", "scores.csv"])
def test_no_file_of_the_run_is_written_over(run: Path, made: Path, name: str, tmp_path: Path):
    refused(call("map.py", "--run", run, "--out", f"2020/{name}", cwd=tmp_path), "a file of the run itself", "--out")
    assert digests(run) == digests(made)


def test_a_run_that_fails_while_it_writes_leaves_the_last_page(run: Path, tmp_path: Path):
    good = tmp_path / "page.html"
    good.write_text("the last good one", encoding="utf-8")
    summary = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**summary, "year": 1950}), encoding="utf-8")
    refused(call("map.py", "--run", run, "--out", good, cwd=tmp_path), "1950")
    assert good.read_text(encoding="utf-8") == "the last good one"


def test_help_answers_at_once_and_states_defaults():
    code = "import sys; sys.argv = ['map.py', '--help']\nimport scripts.map\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"geopandas", "pandas", "numpy", "folium"} & set(loaded.stdout.split())
    said = " ".join(process("map.py", "--help", cwd=ROOT).stdout.split())
    for words in (
        "--run",
        "Default: none, no network",
        "Default: the run's",
        "Default: map-LANG.html in the run folder",
    ):
        assert words in said
