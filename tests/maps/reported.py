"""Runs and reports for the tests of the report, each made once a process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from maps import inputs, run
from maps.opened import Opened, open_run
from maps.report import charts, drawings, page
from maps.report.numbers import Language

YEAR = 2020
# Few zones are drawn sooner: some of the first, one of eight members, which is the most, and one without police data.
EIGHT = ("54810", "54800", "54250", "54720", "54206", "54670", "54245", "54344")
UNKNOWN = ("23580", "23682")
LOCKED = dict.fromkeys(EIGHT, "plan 7 del mando") | dict.fromkeys(UNKNOWN, "piloto")
CONFIG = "[candidates]\npriority_share = 0.012\n[locked_in]\n" + "".join(
    f'{c} = "{why}"\n' for c, why in LOCKED.items()
)


@cache
def opened() -> Opened:
    """A run of the bundled data with few zones, in a folder that lasts as long as the process."""
    folder = Path(tempfile.mkdtemp(prefix="presencia-report-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "few.toml").write_text(CONFIG, encoding="utf-8")
    settings = inputs.Settings(year=YEAR, draws=20, config=folder / "few.toml", out=folder / "few")
    run.run(settings)
    return open_run(folder / "few")


@contextmanager
def undrawn() -> Iterator[list[dict[str, Any]]]:
    """Empty drawings, which take no time; what the zones' maps were asked for."""
    asked: list[dict[str, Any]] = []

    def draw(*_: Any, **settings: Any) -> str:
        asked.extend([settings] if "members" in settings else [])
        return "<svg/>"

    with (
        patch.multiple(drawings, ground=draw, country=draw, zone=draw),
        patch.multiple(charts, goal=draw, history=draw, contributions=draw),
    ):
        yield asked


@cache
def report(lang: Language) -> str:
    """The report of that run, undrawn."""
    with undrawn():
        return page.build(opened(), lang=lang)
