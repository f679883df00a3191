"""What a planner sees who runs ``scripts/fetch.py``."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from layers.fetch import fetched
from maps import progress
from tests.layers.server import Answer, Server, first, serving
from tests.scripts.calling import ROOT, Done, call, process, refused

ROWS = [
    {":id": f"row-{code}", "codmpio": code, "_2024": figure} for code, figure in (("52835", "120"), ("54810", "190"))
]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache: an empty folder."""
    monkeypatch.setenv("PRESENCIA_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def script(*arguments: object) -> Done:
    return call("fetch.py", *arguments, cwd=ROOT)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(rows={"acs4-3wgp": [dict(row) for row in ROWS]})) as running:
        yield running


def test_fetching_says_what_was_done_and_what_changed(server: Server, tmp_path: Path):
    done = script("coca", "--mirror", server.address)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    path = fetched("coca", tmp_path)
    assert done.stdout.startswith("coca: downloaded (fetched ")
    assert "2 rows" in done.stdout
    assert str(path) in done.stdout
    before = path.read_bytes()
    server.rows["acs4-3wgp"][0]["_2024"], server.updated = "150", server.updated + 1
    changed = script("coca", "--mirror", server.address)
    assert changed.returncode == 0, changed.stderr
    assert "old one kept; --update replaces it" in changed.stdout
    assert "  totals: 2024: 340 ha (was 310)\n" in changed.stdout
    assert path.read_bytes() == before
    updated = script("coca", "--update", "--mirror", server.address)
    assert "coca: replaced" in updated.stdout
    assert b'"150"' in path.read_bytes()


def test_without_names_it_lists_what_there_is(tmp_path: Path):
    done = script()
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
    refused(script(*arguments), words)


def test_a_server_that_refuses_is_one_line_and_exit_2(server: Server, tmp_path: Path):
    server.rules = [first(9, lambda *_: Answer(b"<html>", headers={"Content-Type": "text/html"}), page=0)]
    refused(process("fetch.py", "coca", "--mirror", server.address, cwd=ROOT), "answers HTML")


def test_help_states_units_and_defaults_and_imports_nothing_heavy(tmp_path: Path):
    done = process("fetch.py", "--help", cwd=ROOT)
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
