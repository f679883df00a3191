"""Pictures of a run's map and report for the guides, taken by a chromium that is given no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from geo.errors import ConfigError, OutputError
from geo.files import replacing
from layers.criteria import Zoning
from maps import run as running
from maps.formats.dataset import Lang
from maps.inputs import Settings
from maps.opened import Opened, open_run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 60
YEAR = 2020  # of the guides
COLOURS = 128  # of a picture: half the bytes of what the browser writes, and the eye sees no difference
DESKTOP = (1320, 820)
TALL = (1080, 1000)
SHEET = (840, 1320)  # the first page of the report as a screen shows it
TRIED = {"presence": 3.0}  # what the picture of the weights multiplies, by dimension


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes
    ----------
    name : str
        Of the file, before the language.
    page : str
        The page that is opened.
    state : str
        What stands in its address after ``#``; ``{first}`` is the code of the first municipality,
        ``{weights}`` are weights other than the run's.
    size : tuple of int
        Width and height of the window in pixels.
    """

    name: str
    page: str
    state: str = ""
    size: tuple[int, int] = DESKTOP


SHOTS = (
    Shot("map", "map.html"),
    Shot("card", "map.html", "chosen={first}", TALL),
    Shot("table", "map.html", "table=true&rows=left", (1320, 900)),
    Shot("weights", "map.html", "tab=weights&weights={weights}", TALL),
    Shot("report", "report.html", size=SHEET),
)


def take(
    run: Path | None,
    out: Path,
    *,
    langs: Iterable[Lang] = get_args(Lang),
    step: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Take every picture, in both languages if not told otherwise.

    Parameters
    ----------
    run : Path or None
        A run folder; None makes one of the guides' year.
    out : Path
        Where the PNG files go: ``NAME-LANG.png``.
    langs : iterable of {"es", "en"}, optional
        The languages.
    step : callable, optional
        Told the name of each picture as it begins.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    PresenciaError
        If there is no chromium, the folder is no run folder, or chromium takes no picture.
    """
    browser = find_browser()
    with replacing(out) as folder, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        opened = open_run(run or _made(Path(scratch) / "run"))
        told = {"first": _first(opened), "weights": _weights(opened.zoning)}
        for lang in langs:
            pages = _pages(opened, Path(scratch), lang)
            for shot in SHOTS:
                step(shot.name)
                address = f"{pages[shot.page].resolve().as_uri()}#lang={lang}&{shot.state.format(**told)}"
                _reduce(_shoot(browser, address, shot.size, Path(scratch)), folder / f"{shot.name}-{lang}.png")
        return [out / file.name for file in sorted(folder.iterdir())]


def find_browser() -> str:
    """Find a chromium.

    Returns
    -------
    str
        Its path.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise ConfigError("pictures of pages need chromium; none was found: apt-get install chromium")
    return found


def _made(folder: Path) -> Path:
    return running.run(Settings(year=YEAR, out=folder)).folder


def _first(run: Opened) -> str:
    ranks = run.folder.table["rank"].dropna()
    if ranks.empty:
        folder = run.folder.folder
        raise ConfigError(f"pictures show the first municipality; {folder} has no candidate: name another run")
    return str(ranks.idxmin())


def _weights(zoning: Zoning) -> str:
    """Weights that a planner may try, as the page's address writes them."""
    return ",".join(f"{100.0 * each.weight * TRIED.get(each.dimension, 1.0):.6g}" for each in zoning.criteria)


def _pages(run: Opened, scratch: Path, lang: Lang) -> dict[str, Path]:
    """The pages: the run's own map, which opens in either language, and a report in the language."""
    from maps.report import page

    told = page.write(run, lang=lang, out=scratch / f"report-{lang}.html")
    return {"map.html": run.folder.folder / "map.html", "report.html": told}


def _shoot(browser: str, address: str, size: tuple[int, int], scratch: Path) -> Path:
    """Open a page in a profile of its own and take a picture of the window."""
    picture = scratch / "picture.png"
    picture.unlink(missing_ok=True)
    command = [browser, *_switches(), f"--window-size={size[0]},{size[1]}", f"--user-data-dir={scratch / 'profile'}"]
    try:
        done = subprocess.run(
            [*command, f"--screenshot={picture}", address], capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as cause:
        raise OutputError(f"{browser} must take a picture within {SECONDS} s; it did not: try again") from cause
    if not picture.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise OutputError(
            f"{browser} must take a picture; it took none ({(said or ['no message'])[-1]}): open {address} yourself"
        )
    return picture


def _switches() -> Iterator[str]:
    yield from ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
    yield "--host-resolver-rules=MAP * ~NOTFOUND"
    yield "--force-device-scale-factor=1"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield "--no-sandbox"  # which chromium refuses to start as root without


def _reduce(picture: Path, target: Path) -> None:
    """Bring a picture to few colours, without dither, which would cost more bytes than it saves."""
    from PIL import Image

    with Image.open(picture) as opened:
        few = opened.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
        few.save(target, optimize=True)
