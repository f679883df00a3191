"""The bundle: one zip with every format, report, map, dictionary, licences and checksums, which explains itself.

The same run gives the same bytes: names in order, one date (that of the figures), one way to compress, no clock.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.errors import ConfigError, OutputError, SourceError, listed
from geo.files import replacing, sha256
from maps import datapackage, dictionary, export, publicly
from maps.datapackage import Member
from maps.formats import qgis
from maps.formats.dataset import About, Dataset, Lang
from maps.formats.registry import FORMATS, Format
from maps.opened import Opened
from maps.standalone import asset

FORMATTED = ("gpkg", "geojson", "parquet", "fgb", "csv", "xlsx", "kml")
FLAT = frozenset({"gpkg", "parquet", "csv", "xlsx"})  # formats in which a dataset without shapes is worth a file
RECORDS = ("run.json", "scores.csv", "methods.csv", "goal.csv", "explanations.json", "map.html")
BESIDE: tuple[Callable[..., Path | None], ...] = (qgis.write_qml, qgis.write_qmd)
PAPERS = ("LICENSE", "ATTRIBUTION.md")
READMES: Mapping[Lang, str] = {"es": "LEAME.md", "en": "README.md"}
PACKAGE, SUMS = "datapackage.json", "SHA256SUMS"
DATA = "data"
MODE = 0o100644  # a plain file that all may read
UNIX = 3


@dataclass(frozen=True)
class Contents:
    """What a bundle is made of.

    Attributes
    ----------
    run : Opened
        The run.
    found : mapping of str to Dataset
        What is exported of it.
    about : About
        Title, sources and caveats of the whole.
    lang : {"es", "en"}
        Language of aliases and notes inside files.
    public : bool
        Whether it is the public variant.
    """

    run: Opened
    found: Mapping[str, Dataset]
    about: About
    lang: Lang
    public: bool


def write(run: Opened, out: Path, found: Mapping[str, Dataset], *, lang: Lang, public: bool = False) -> Path:
    """Write the bundle of a run.

    Parameters
    ----------
    run : Opened
        The run; for the public variant one that :func:`maps.publicly.opened` gives.
    out : Path
        The folder to write to.
    found : mapping of str to Dataset
        Datasets of that run, chosen and simplified as wanted.
    lang : {"es", "en"}
        Language of aliases and notes inside files; texts for people are there in both.
    public : bool, default False
        Whether it is the public variant.

    Returns
    -------
    Path
        The zip: ``presencia-YEAR.zip`` or ``presencia-YEAR-public.zip``.

    Raises
    ------
    SourceError
        If a file of the run was edited since, or is missing: a bundle vouches for its run.
    ConfigError
        If there is no dataset, or a public bundle is asked of a run that is none.
    OutputError
        If it cannot be written.
    """
    _check(run, found, public=public)
    contents = Contents(run, found, _about(run, found), lang, public)
    name = f"presencia-{run.year}{'-public' if public else ''}.zip"
    with replacing(out) as partial, tempfile.TemporaryDirectory(dir=partial) as staging:
        folder = Path(staging)
        members = [*_data(contents, folder), *_pages(contents, folder), *_papers(contents, folder)]
        members = [*members, *_describe(contents, members, folder)]
        _pack({member.path: member.file for member in members}, partial / name, year=run.year)
    return out / name


def paper(name: str) -> Path:
    """Find the licence or the attribution: beside the source, or in the metadata of the installed package.

    Parameters
    ----------
    name : str
        Of :data:`PAPERS`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it is in neither place.
    """
    root = Path(__file__).parents[1]
    if (root / "pyproject.toml").is_file() and (root / name).is_file():
        return root / name
    try:
        listing = metadata.files("presencia") or []
    except metadata.PackageNotFoundError:
        listing = []
    found = [Path(str(entry.locate())) for entry in listing if entry.name == name and "licenses" in entry.parts]
    if not found or not found[0].is_file():
        raise OutputError(f"a bundle holds {name}; neither the source nor the installed package does: install it again")
    return found[0]


def _check(run: Opened, found: Mapping[str, Dataset], *, public: bool) -> None:
    if not found:
        raise ConfigError("a bundle holds at least one dataset; found none: name one with --what")
    if public != publicly.is_public(run) or (public and not set(found).isdisjoint(publicly.LEFT_OUT)):
        raise ConfigError(
            "a public bundle must be made of what publicly.opened and publicly.datasets give, and no other of it; "
            f"found public={public} and {listed(found)}: open the run so"
        )
    folder = run.folder.folder
    digests: Mapping[str, str] = run.folder.summary.get("outputs", {})
    absent = [name for name in RECORDS if not (folder / name).is_file()]
    edited = [name for name, digest in digests.items() if name not in absent and not _is(folder / name, digest)]
    if absent or edited:
        raise SourceError(
            f"a bundle vouches for its run, whose files must be as the run left them; in {folder} "
            f"{'missing' if absent else 'changed since'}: {listed(absent or edited)}: put them back, or run "
            "scripts/zone.py again"
        )


def _is(file: Path, digest: str) -> bool:
    return file.is_file() and sha256(file) == digest


def _about(run: Opened, found: Mapping[str, Dataset]) -> About:
    """The whole's: a title of its own, and every caveat of its datasets once."""
    every = [data.about for data in found.values()]
    return replace(
        every[0],
        title_es=texts("es")["title"].format(year=run.year),
        title_en=texts("en")["title"].format(year=run.year),
        caveats_es=tuple(dict.fromkeys(text for about in every for text in about.caveats_es)),
        caveats_en=tuple(dict.fromkeys(text for about in every for text in about.caveats_en)),
    )


def _data(contents: Contents, folder: Path) -> Iterator[Member]:
    """Every dataset in every format that can hold it, and beside them what QGIS reads of styles and notes."""
    (folder / DATA).mkdir()
    for name in FORMATTED:
        each = FORMATS[name]
        holds = [data for data in contents.found.values() if data.shapes is not None or name in FLAT]
        if each.many and holds:
            yield from _files(contents, each, holds, f"presencia-{contents.run.year}", folder)
        elif not each.many:
            for data in holds:
                yield from _files(contents, each, [data], data.name, folder)
    for data in contents.found.values():
        beside = [put(data, folder / DATA / data.name, lang=contents.lang) for put in BESIDE]
        titles = data.about.title_es, data.about.title_en
        yield from (Member(f"{DATA}/{file.name}", file, titles) for file in beside if file is not None)


def _files(contents: Contents, each: Format, held: Sequence[Dataset], stem: str, folder: Path) -> Iterator[Member]:
    """A file of one format, and those that its writer puts beside it."""
    before = set((folder / DATA).iterdir())
    each.write(held, folder / DATA / f"{stem}{each.suffix}", lang=contents.lang)
    about = contents.about if each.many else held[0].about
    for file in sorted(set((folder / DATA).iterdir()) - before):
        data = held[0] if file.suffix == ".csv" else None
        yield Member(f"{DATA}/{file.name}", file, (about.title_es, about.title_en), data)


def _pages(contents: Contents, folder: Path) -> Iterator[Member]:
    """What the run left, as it is, and the report in both languages."""
    from maps.report import page

    known = contents.found.get("municipalities")
    for name in RECORDS:
        fields = known.fields if known and name == "scores.csv" else ()
        yield replace(_told(name, contents.run.folder.folder / name), fields=fields)
    for lang in READMES:
        name = f"report-{lang}.html"
        text = page.build(contents.run, lang=lang, public=contents.public)
        yield _told(name, _text(folder / name, text))


def _papers(contents: Contents, folder: Path) -> Iterator[Member]:
    note = publicly.words("caveat")[1]
    prefix = f"*{note}*\n\n" if contents.public else ""
    yield _told("data-dictionary.md", _text(folder / "data-dictionary.md", prefix + dictionary.markdown()))
    for name in PAPERS:
        yield _told(name, paper(name))


def _describe(contents: Contents, members: Sequence[Member], folder: Path) -> Iterator[Member]:
    """What tells of all other files: in words, for machines, and their digests."""
    names = [*(member.path for member in members), *READMES.values(), PACKAGE, SUMS]
    readmes = [_told(name, _text(folder / name, readme(contents, names, lang))) for lang, name in READMES.items()]
    described = sorted([*members, *readmes], key=lambda member: member.path)
    package = datapackage.descriptor(described, contents.about, bbox=_bounds(contents.found), lang=contents.lang)
    export.write_json(package, folder / PACKAGE)
    summed = {member.path: member.file for member in described} | {PACKAGE: folder / PACKAGE}
    lines = [f"{sha256(summed[path])}  {path}\n" for path in sorted(summed)]
    yield from readmes
    yield _told(PACKAGE, folder / PACKAGE)
    yield _told(SUMS, _text(folder / SUMS, "".join(lines)))


def _bounds(found: Mapping[str, Dataset]) -> list[float]:
    """West, south, east and north of all that has a shape; empty where nothing has."""
    shapes = [data.shapes for data in found.values() if data.shapes is not None and len(data.shapes)]
    boxes = [shown.total_bounds for shown in shapes if not shown.geometry.isna().all()]
    return [float(edge) for edge in shapely.total_bounds(shapely.box(*np.transpose(boxes)))] if boxes else []


def readme(contents: Contents, names: Iterable[str], lang: Lang) -> str:
    """What each file is, for which program, as of when, and what to keep in mind.

    Parameters
    ----------
    contents : Contents
        What the bundle is made of.
    names : iterable of str
        Every file of it.
    lang : {"es", "en"}
        Language.

    Returns
    -------
    str
        Markdown.
    """
    say, about, here = texts(lang), contents.about, sorted(names)
    terms = {"title": about.title(lang), "year": about.year, "run": about.run}
    others = [(f"`{name}`", say[f"file_{name}"]) for name in here if not name.startswith(f"{DATA}/")]
    parts = [
        say["heading"].format(**terms),
        say["other_language"],
        *([f"**{publicly.words('caveat')[0 if lang == 'es' else 1]}**"] if contents.public else []),
        say["lede"].format(**terms),
        say["first"].format(first_data=_first(say, here)),
        say["data"],
        _table(say["data_head"], _datasets(contents, lang)),
        say["formats"],
        _table(say["formats_head"], _formats(say, here)),
        say["others"],
        _table(say["others_head"], others),
        *(_withheld(say) if contents.public else []),
        say["caveats"],
        "\n".join(f"- {caveat}" for caveat in about.caveats(lang)),
        say["licences"],
        say["check"],
    ]
    return "\n\n".join(parts) + "\n"


@cache
def texts(lang: Lang) -> dict[str, Any]:
    """The bundle's own texts.

    Parameters
    ----------
    lang : {"es", "en"}
        Language.

    Returns
    -------
    dict
        Of ``bundle.json``.
    """
    found: dict[str, Any] = json.loads(asset("bundle.json"))[lang]
    return found


def _first(say: Mapping[str, Any], names: Iterable[str]) -> str:
    (file,) = (name for name in names if name.endswith(".gpkg"))
    return str(say["first_gpkg"]).format(file=file)


def _datasets(contents: Contents, lang: Lang) -> Iterator[tuple[str, ...]]:
    for name, data in contents.found.items():
        keys = ", ".join(f"`{column}`" for column in data.key)
        yield f"`{name}`", data.about.title(lang), str(len(data.frame)), keys


def _formats(say: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for each in FORMATTED:
        suffix = FORMATS[each].suffix
        files = [name for name in names if name.endswith(suffix)]
        if files:
            yield f"`{files[0]}`" if FORMATS[each].many else f"`{DATA}/*{suffix}`", say[f"format_{each}"]
    yield f"`{DATA}/*.qml`, `{DATA}/*.qmd`", say["format_qgis"]


def _withheld(say: Mapping[str, Any]) -> list[str]:
    rows = [[cell.format(step_km=f"{publicly.STEP_KM:g}") for cell in row] for row in say["public_rows"]]
    return [say["public"], _table(say["public_head"], rows)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _told(name: str, file: Path) -> Member:
    return Member(name, file, (texts("es")[f"file_{name}"], texts("en")[f"file_{name}"]))


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _pack(files: Mapping[str, Path], target: Path, *, year: int) -> None:
    """Zip files, each read piece by piece, so that no more than a piece is in memory."""
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(year, 12, 31, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, UNIX, MODE << 16
            entry.file_size = files[name].stat().st_size
            with files[name].open("rb") as source, archive.open(entry, "w") as into:
                shutil.copyfileobj(source, into)
