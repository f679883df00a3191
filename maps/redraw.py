"""The map of a run once more: in another language, or over tiles from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from geo.files import replacing
from layers import criteria
from maps import replay, runfolder, standalone, webmap
from maps.inputs import read
from maps.run import STEPS, content_of, find
from maps.standalone import Tiles


def redraw(
    run: Path,
    *,
    lang: Literal["es", "en"] | None = None,
    online: Tiles | None = None,
    out: Path | None = None,
    step: Callable[[str], None] = lambda _: None,
) -> Path:
    """Draw the map of a run folder again.

    Parameters
    ----------
    run : Path
        The run folder, or its ``run.json``; its inputs must be what they were.
    lang : {"es", "en"}, optional
        The language in which the page opens; that of the run if not given.
    online : Tiles, optional
        A background from elsewhere.
    out : Path, optional
        The page; ``map-LANG.html`` in the run folder, or ``map-LANG-online.html``, if not given.
    step : callable, optional
        Told each of :data:`maps.run.STEPS` that is done here as it begins, for a progress bar.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    PresenciaError
        If the run cannot be read, an input has changed, or the page cannot be written or would stand in the place of a
        file of the run.
    """
    settings = replay.settings_of(run)
    spoken = lang or settings.lang
    folder = run if run.is_dir() else run.parent
    target = out or folder / f"map-{spoken}{'-online' if online else ''}.html"
    runfolder.refuse_own(folder, target)
    step(STEPS[0])
    zoning = criteria.load(settings.config)
    work = find(settings, zoning, read(settings), step=step)
    step("drawing the map")
    text = standalone.page(webmap.build(content_of(work), lang=spoken, online=online))
    with replacing(target.parent) as partial:
        (partial / target.name).write_text(text, encoding="utf-8", newline="\n")
    return target
