"""scripts/report.py as a planner runs it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ONE = "[candidates]\npriority_share = 0.005\n"  # one zone


def call(script: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line on stderr that says so, and nothing else."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one zone, which tests leave as it is."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "one.toml").write_text(ONE, encoding="utf-8")
    made = call("zone.py", "--year", 2020, "--draws", 0, "--config", folder / "one.toml", "--out", "2020", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder / "2020"


def test_the_report_is_written_where_it_is_asked_for_and_the_run_stays_as_it_was(run: Path, tmp_path: Path):
    before = digests(run)
    out = tmp_path / "new" / "informe.html"
    done = call("report.py", "--run", run, "--lang", "en", "--out", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Report: {out}\n"
    assert done.stderr == ""
    assert [path.name for path in out.parent.iterdir()] == ["informe.html"]
    assert '<html lang="en">' in out.read_text(encoding="utf-8")
    assert digests(run) == before


def test_what_is_no_run_is_refused(tmp_path: Path):
    refused(call("report.py", "--run", tmp_path / "nowhere", cwd=tmp_path), "nowhere", "scripts/zone.py")
