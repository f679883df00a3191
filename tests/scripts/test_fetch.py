"""What a planner sees who runs ``scripts/fetch.py``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from layers.fetch import fetched
from maps import progress
from tests.layers.server import Answer, Server, first, serving

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    {":id": f"row-{code}", "codmpio": code, "_2024": figure} for code, figure in (("52835", "120"), ("54810", "190"))
]


def script(*arguments: object, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PRESENCIA_DATA": str(data), "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "scripts" / "fetch.py"), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(rows={"acs4-3wgp": [dict(row) for row in ROWS]})) as running:
        yield running


def test_fetching_says_what_was_done_and_what_changed(server: Server, tmp_path: Path):
    done = script("coca", "--mirror", server.address, data=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    path = fetched("coca", tmp_path)
    assert done.stdout.startswith("coca: downloaded (fetched ")
    assert "2 rows" in done.stdout
    assert str(path) in done.stdout
    before = path.read_bytes()
    server.rows["acs4-3wgp"][0]["_2024"], server.updated = "150", server.updated + 1
    changed = script("coca", "--mirror", server.address, data=tmp_path)
    assert changed.returncode == 0, changed.stderr
    assert "old one kept; --update replaces it" in changed.stdout
    assert "  totals: 2024: 340 ha (was 310)\n" in changed.stdout
    assert path.read_bytes() == before
    updated = script("coca", "--update", "--mirror", server.address, data=tmp_path)
    assert "coca: replaced" in updated.stdout
    assert b'"150"' in path.read_bytes()


def test_without_names_it_lists_what_there_is(tmp_path: Path):
    done = script(data=tmp_path)
    assert done.returncode == 0
    for word in ("coca_grid", "boundaries", "Marco Geoestadístico Nacional (MGN) 2025", "not fetched", str(tmp_path)):
        assert word in done.stdout
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("koca",), "did you mean 'coca'"),
        (("coca", "--offline"), "it is not there"),
        (("coca", "--mirror", "example.org"), "--mirror must be an address"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: tuple[str, ...], words: str, tmp_path: Path):
    done = script(*arguments, data=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr


def test_a_server_that_refuses_is_one_line_and_exit_2(server: Server, tmp_path: Path):
    server.rules = [first(9, lambda *_: Answer(b"<html>", headers={"Content-Type": "text/html"}), page=0)]
    done = script("coca", "--mirror", server.address, data=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "answers HTML" in done.stderr


def test_help_states_units_and_defaults_and_imports_nothing_heavy(tmp_path: Path):
    done = script("--help", data=tmp_path)
    said = " ".join(done.stdout.split())
    for word in ("--update", "--offline", "--mirror", "--cache", "(minutes)", "default: 60.0", "PRESENCIA_DATA"):
        assert word in said
    code = "import sys; sys.argv = ['fetch.py', '--help']\nimport scripts.fetch\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"geopandas", "pandas", "numpy", "requests"} & set(loaded.stdout.split())


def test_a_terminal_shows_a_bar_and_a_pipe_nothing():
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
        with progress.bar(console) as told:
            told("coca", 5000, 144_016)
        assert isinstance(console.file, io.StringIO)
        shown = console.file.getvalue()
        assert ("5000/144016" in shown and "coca" in shown) is terminal
        assert terminal or not shown.strip()
