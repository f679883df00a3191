"""The run of 2020 that tests of several scripts begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.calling import call


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of 2020 in Spanish without draws, which tests copy or leave as it is."""
    folder = tmp_path_factory.mktemp("run")
    done = call("zone.py", "--year", 2020, "--draws", 0, "--out", folder / "2020", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "2020"
