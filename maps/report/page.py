"""The report: one HTML file in Spanish or English that is read on a screen and printed to A4, without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from geo.files import replacing
from maps import publicly, runfolder
from maps.opened import Opened
from maps.report.facts import Facts
from maps.report.numbers import Language, Ledger
from maps.report.pictures import Pictures
from maps.report.wording import Name, Texts
from maps.report.zonepage import Teller
from maps.standalone import asset

STEPS = ("reading the inputs", "writing the report")


def write(
    run: Opened,
    *,
    lang: Language | None = None,
    out: Path | None = None,
    public: bool = False,
    step: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    run : Opened
        The run; its inputs must be what they were.
    lang : {"es", "en"}, optional
        Its language; that of the run if not given.
    out : Path, optional
        The file; ``report-LANG.html`` in the run folder, ``report-public-LANG.html`` of a public one, if not given.
    public : bool, default False
        As in :func:`build`.
    step : callable, optional
        Told each of :data:`STEPS` as it begins, for a progress bar.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    PresenciaError
        If an input has changed, or the file cannot be written or would stand in the place of a file of the run.
    """
    step(STEPS[0])
    spoken = lang or run.settings.lang
    target = out or run.folder.folder / f"report-{'public-' if public else ''}{spoken}.html"
    runfolder.refuse_own(run.folder.folder, target)
    step(STEPS[1])
    text = build(run, lang=spoken, public=public)
    with replacing(target.parent) as partial:
        (partial / target.name).write_text(text, encoding="utf-8", newline="\n")
    return target


def build(run: Opened, *, lang: Language, public: bool = False) -> str:
    """Build the report of a run.

    Parameters
    ----------
    run : Opened
        The run; its inputs must be what they were.
    lang : {"es", "en"}
        Its language.
    public : bool, default False
        Whether it is of the public variant of the run, which is made where the run is not one: see
        :mod:`maps.publicly`.

    Returns
    -------
    str
        The HTML document. Each figure in it is a ``data`` element that has the unrounded value, and names the place in
        the run that it comes from: see :mod:`maps.report.numbers`.

    Raises
    ------
    PresenciaError
        If an input has changed or a file of the run cannot be read.
    """
    if public and not publicly.is_public(run):
        with publicly.opened(run) as variant:
            return build(variant, lang=lang)
    style = asset("report.css")
    return _template().render(style=style, policy=_hash(style), **_content(run, lang)) + "\n"


def _content(run: Opened, lang: Language) -> dict[str, Any]:
    ledger, texts = Ledger(run, lang), Texts(lang)
    facts, teller = Facts(ledger, texts), Teller(ledger, texts)
    pictures = Pictures(ledger, texts, teller)
    pages = [teller.zone(str(zone)) for zone in run.folder.zones.index]
    return {
        "lang": lang,
        "t": texts.known,
        "public": (Name(ledger.at(f"/{publicly.KEY}/{lang}")),) if publicly.is_public(run) else (),
        "cover": facts.cover(),
        "country": pictures.country(),
        "zones": [(page, pictures.zone(page), pictures.contributions(page), pictures.history(page)) for page in pages],
        "goal": facts.goal(),
        "goal_chart": pictures.goal(),
        "methods": facts.methods(),
        "sources": facts.sources(),
        "missing": facts.missing(),
        "identity": facts.identity(),
    }


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") + "'"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2")
