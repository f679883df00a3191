"""The documents do what they say: links lead somewhere, options exist, blocks run, figures are those of a run."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shlex
import shutil
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import typer.main

from geo.errors import ConfigError
from layers import criteria
from maps import bundle, exportable, exporting, publicly, run, screenshots, selection
from maps.formats.dataset import Lang
from maps.formats.registry import FORMATS
from tests.browser import find_chromium

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# Written by scripts from the code, and held to it by tests of their own.
MADE = {"data-dictionary.md", "findings.md"}
WRITTEN = [page for page in PAGES if page.name not in MADE]
GUIDES = {"es": DOCS / "guia.md", "en": DOCS / "guide.md"}
EXAMPLE = DOCS / "example.md"
OUTPUTS = DOCS / "outputs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:)([^)\s]+)\)")
MOST_IMAGE, MOST_IMAGES = 250_000, 1_200_000  # bytes


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[str]:
    return [code for language, code in FENCE.findall(text_of(page)) if language in languages]


def prose(page: Path) -> str:
    """What is read, on one line, without blocks of code."""
    return " ".join(FENCE.sub("", text_of(page)).split())


def slugs(page: Path) -> set[str]:
    """What the headings are called in an address."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def commands(page: Path) -> list[list[str]]:
    """Every command of a page that runs a script, in shell words from the script on."""
    lines = [line for block in blocks(page, "sh", "bat") for line in block.splitlines()]
    lines += [f"scripts/zone.py {rest}" for line in lines for rest in re.findall(r'make zones ARGS="([^"]*)"', line)]
    lines += re.findall(r"`((?:python )?scripts/[^`]+)`", FENCE.sub("", text_of(page)))
    spelled = [shlex.split(line.replace("scripts\\", "scripts/").split(" #")[0]) for line in lines]
    starts = (
        (words, next((i for i, word in enumerate(words) if word.startswith("scripts/")), None)) for words in spelled
    )
    return [words[start:] for words, start in starts if start is not None]


@cache
def options(script: str) -> frozenset[str]:
    """The options that a script takes."""
    app = typer.Typer()
    app.command()(import_module(script.removesuffix(".py").replace("/", ".")).main)
    return frozenset(option for each in typer.main.get_command(app).params for option in each.opts)


def values(words: list[str], option: str) -> list[str]:
    return [value for name, value in itertools.pairwise(words) if name == option]


def every(option: str) -> list[str]:
    """Every value that a page gives an option of the exports."""
    asked = [words for page in WRITTEN for words in commands(page) if words[0] == "scripts/export.py"]
    return [value for words in asked for value in values(words, option)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(page: Path):
    for _, _, link in LINK.findall(text_of(page)):
        file, _, heading = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), link
        assert not heading or heading in slugs(target), link


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for _, _, link in LINK.findall(text_of(page))]
    assert set(PAGES) - reached == set()


def test_images_are_shown_small_described_and_of_their_stated_size():
    from PIL import Image

    shown = {
        (page.parent / link).resolve(): said
        for page in PAGES
        for mark, said, link in LINK.findall(text_of(page))
        if mark
    }
    files = sorted((DOCS / "images").iterdir())
    assert set(files) == {file for file in shown if file.parent == DOCS / "images"}
    assert [file for file in files if not shown[file]] == []
    assert [file for file in files if file.stat().st_size > MOST_IMAGE] == []
    assert sum(file.stat().st_size for file in files) <= MOST_IMAGES
    sizes = {f"{shot.name}-{lang}.png": shot.size for shot in screenshots.SHOTS for lang in get_args(Lang)}
    for file in files:
        with Image.open(file) as image:
            assert image.size == sizes.pop(file.name)
    assert sizes == {}


@pytest.mark.parametrize(
    ("page", "words"),
    [pytest.param(page, words, id=f"{named(page)}: {' '.join(words)}") for page in WRITTEN for words in commands(page)],
)
def test_every_option_of_a_command_exists(page: Path, words: list[str]):
    assert (ROOT / words[0]).is_file()
    used = {word.split("=")[0] for word in words[1:] if word.startswith("--")}
    assert used - options(words[0]) == set()


def test_every_target_of_make_exists():
    made = text_of(ROOT / "Makefile")
    told = {target for page in WRITTEN for target in re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks(page, "sh")))}
    assert "zones" in told
    assert [target for target in told if not re.search(rf"^{target}:", made, re.M)] == []


def test_what_is_exported_exists():
    assert set(exporting.parted(every("--what"))) == {*exportable.DATASETS, exporting.EVERYTHING}
    assert set(exporting.parted(every("--format"))) <= set(FORMATS)
    assert {"gpkg", "xlsx", "kml"} <= set(exporting.parted(every("--format")))


# ---- The guides ----


def shape(page: Path) -> dict[str, Any]:
    """What two translations share."""
    text = text_of(page)
    lang = next(lang for lang, guide in GUIDES.items() if guide == page)
    return {
        "headings": [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", text), re.M)],
        "images": [link.replace(f"-{lang}.png", "") for mark, _, link in LINK.findall(text) if mark],
        "points": re.findall(r"^(?:- (?:\[ \] )?|\d\. )(?:\*\*)?", text, re.M),
        "rows": [line.count("|") for line in text.splitlines() if line.startswith("|")],
        "blocks": [(language, len(code.splitlines())) for language, code in FENCE.findall(text)],
        "options": [sorted({word for word in words if word.startswith("--")} - {"--lang"}) for words in commands(page)],
    }


def test_both_guides_say_the_same_in_the_same_order():
    spanish, english = shape(GUIDES["es"]), shape(GUIDES["en"])
    assert len(spanish["headings"]) > 12
    for part, found in spanish.items():
        assert found == english[part], part


@pytest.mark.parametrize("lang", GUIDES)
def test_a_guide_asks_for_its_own_language(lang: str):
    told = {value for words in commands(GUIDES[lang]) for value in values(words, "--lang")}
    assert told == {lang}


@pytest.mark.parametrize("lang", GUIDES)
def test_the_settings_of_a_guide_are_read(lang: str, tmp_path: Path):
    [block] = blocks(GUIDES[lang], "toml")
    file = tmp_path / "my.toml"
    file.write_text(block, encoding="utf-8")
    found, usual = criteria.load(file), criteria.load()
    before, after = ({each.name: each.weight for each in zoning.dimensions} for zoning in (usual, found))
    assert after["presence"] > before["presence"]
    assert found.locked_in == tomllib.loads(block)["locked_in"]


# ---- The example, and what a run says of the figures ----


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[tuple[str, str]], Path]:
    """The example's names after its last block, what each block should print and what it did, and its folder."""
    folder = tmp_path_factory.mktemp("example")
    pairs = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", text_of(EXAMPLE), re.S | re.M)
    scope: dict[str, Any] = {"__name__": "example"}
    with contextlib.chdir(folder):
        said = [(expected, _printed(code, scope)) for code, expected in pairs]
    return scope, said, folder


def _printed(code: str, scope: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(EXAMPLE), "exec"), scope)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.fixture(scope="module")
def done(example: tuple[dict[str, Any], list[tuple[str, str]], Path]) -> run.Run:
    """The run that the example makes: that of the guides, with all settings as they are by default."""
    scope, _, folder = example
    summary = scope["summary"]
    assert (summary["year"], summary["draws"], summary["seed"]) == (2020, 1000, 1)
    return run.Run(folder / "out" / "2020", scope["towns"], scope["work"].zones, summary)


def test_every_block_of_the_example_prints_what_stands_below_it(example):
    _, said, _ = example
    assert len(said) > 5
    for expected, printed in said:
        assert expected
        assert printed == expected


def test_the_conditions_of_the_documents_leave_some_municipality(done: run.Run):
    table = done.municipalities
    asked = every("--select")
    assert len(asked) > 5
    for text in asked:
        assert 0 < len(selection.chosen(table, [selection.parse(text)])) < len(table), text


# The same figures in both languages: how the sentence goes, and where the run says it.
FIGURES = [
    (r"hubo (\d+) municipios candidatos", r"there were (\d+) candidates", ("candidates",)),
    (r"De ellos, (\d+) suman el (\d+) %", r"Of these, (\d+) hold (\d+)%", ("high_cultivation", "high_share")),
    (r"de las ([\d.]+) hectáreas del país", r"the country's ([\d,]+) hectares", ("coca_ha",)),
    (r"y (\d+) de esos (\d+) son", r"and (\d+) of the (\d+) are", ("high_cultivation_vacated", "high_cultivation")),
    (r"se tocan forman (\d+) zonas", r"touch each other form (\d+) zones", ("zones",)),
    (r"al menos (\d+) ha de coca", r"at least (\d+) ha of coca", ("minimum_coca_ha",)),
    (r"entre los (\d+) primeros", r"among the first (\d+)\.", ("top",)),
    (
        r"(\d+) de los candidatos están calificados con parte",
        r"(\d+) of the candidates are scored on part",
        ("partial",),
    ),
    (r"vacía \((\d+) candidatos en 2020\)", r"blank there \((\d+) candidates in 2020\)", ("unknown",)),
    (r"son de (\d+) a (\d+) y no dicen", r"are of (\d+) to (\d+) and do not", ("farc_first", "farc_last")),
]


def figures(done: run.Run) -> dict[str, int]:
    zoning, scored = criteria.load(), done.municipalities[done.municipalities["score"].notna()]
    return {name: round(value) for name, value in done.summary["totals"].items()} | {
        "high_share": round(100 * zoning.candidates.high_share),
        "minimum_coca_ha": round(zoning.candidates.minimum_coca_ha),
        "top": zoning.uncertainty.top,
        "partial": int((scored["coverage"] < 1).sum()),
        "unknown": int(scored["station_km"].isna().sum()),
        "farc_first": zoning.windows.farc_first,
        "farc_last": zoning.windows.farc_last,
    }


@pytest.mark.parametrize(("spanish", "english", "names"), FIGURES, ids=[" ".join(names) for *_, names in FIGURES])
def test_figures_of_the_guides_are_those_of_a_run(spanish: str, english: str, names: tuple[str, ...], done: run.Run):
    wanted = tuple(figures(done)[name] for name in names)
    for lang, pattern in (("es", spanish), ("en", english)):
        found = re.findall(pattern, prose(GUIDES[lang]))
        assert found, lang
        for figure in found:
            parts = (figure,) if isinstance(figure, str) else figure
            assert tuple(int(re.sub(r"[.,]", "", part)) for part in parts) == wanted, lang


@pytest.mark.parametrize("lang", GUIDES)
def test_ranks_and_ranges_of_the_guides_are_those_of_a_run(lang: str, done: run.Run):
    rows = re.findall(r"^\| ([^|,]+), ([^|]+) \| (\d+) \| (\d+)–(\d+) \|", text_of(GUIDES[lang]), re.M)
    assert len(rows) == 3
    table = done.municipalities
    for name, department, *ranks in rows:
        [found] = table[(table["name"] == name) & (table["department"] == department)].to_dict("records")
        assert [int(rank) for rank in ranks] == [found[each] for each in ("rank", "rank_low", "rank_high")], name


@pytest.mark.parametrize("lang", GUIDES)
def test_departments_without_police_data_are_named(lang: str, done: run.Run):
    place = done.municipalities
    unknown = place[place["station_km"].isna()]["department"].unique()
    told = re.search(r"(?:puestos en|posts are missing in) ([^.]+)\.", prose(GUIDES[lang]))
    assert told
    assert set(re.split(r", | y | and ", told[1])) == set(unknown)


def test_the_files_of_the_guides_are_written(done: run.Run):
    for lang, guide in GUIDES.items():
        told = set(re.findall(r"^\| `out/2020/([^`]+)` \|", text_of(guide), re.M))
        assert len(told) == 3
        missing = {file for file in told if not (done.folder / file).is_file()}
        assert missing == {f"report-{lang}.html"}  # the example writes all but the report


# ---- The page of each output ----


def test_every_dataset_has_a_page_that_is_listed():
    pages = {page.stem for page in OUTPUTS.glob("*.md")} - {"README"}
    assert {*exportable.DATASETS, "map", "report", "bundle"} == pages
    listed = re.findall(r"^\| \[\w+\]\((\w+)\.md\) \|", text_of(OUTPUTS / "README.md"), re.M)
    assert len(listed) == len(set(listed))
    assert set(listed) == pages


@pytest.mark.parametrize("name", exportable.DATASETS)
def test_the_page_of_a_dataset_tells_its_key_and_columns_that_exist(name: str):
    text = text_of(OUTPUTS / f"{name}.md")
    [keyed] = re.findall(r"Keys?: ([^.]+?)(?:, which|\.)", " ".join(text.split()))
    keys = re.findall(r"`(\w+)`", keyed)
    assert keys == KEYS[name]
    told = {column for row in re.findall(r"^\| (`[^|]+) \|", text, re.M) for column in re.findall(r"`([a-z]\w+)`", row)}
    dictionary = text_of(DOCS / "data-dictionary.md")
    assert [column for column in (*keys, *told) if f"| `{column}` |" not in dictionary] == []


KEYS = {
    "municipalities": ["code"],
    "zones": ["zone"],
    "panel": ["code", "year"],
    "sites": ["site"],
    "enclaves": ["enclave"],
    "changes": ["code"],
}


def test_the_table_of_formats_is_that_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| (one[^|]+) \| [^|]+ \| ([^|]+) \|", text_of(OUTPUTS / "README.md"), re.M)
    assert [name for name, *_ in rows] == sorted(FORMATS, key=[name for name, *_ in rows].index)
    for name, many, told in rows:
        assert (many == "one for all datasets") == FORMATS[name].many, name
        assert ("only datasets with shapes" in told) == FORMATS[name].shapes, name


def test_the_bundle_is_told_as_it_is():
    told = prose(OUTPUTS / "bundle.md")
    files = {
        name for row in re.findall(r"^\| (`[^|]+) \|", text_of(OUTPUTS / "bundle.md"), re.M) for name in quoted(row)
    }
    held = {*bundle.READMES.values(), *bundle.RECORDS, *bundle.PAPERS, bundle.PACKAGE, bundle.SUMS, f"{bundle.DATA}/"}
    assert held - files <= set(bundle.RECORDS)  # not each of the run's records is told by itself
    assert files - held == {"report-es.html", "report-en.html", "data-dictionary.md"}
    assert set(FORMATS) - set(bundle.FORMATTED) == {"geojsonl"}
    assert f"rounded up to the next {publicly.STEP_KM:g} km" in told
    assert set(publicly.LEFT_OUT) == {"sites", "changes"}


def test_the_query_of_the_panel_gives_the_totals_of_a_run(done: run.Run, tmp_path: Path, monkeypatch):
    duckdb = pytest.importorskip("duckdb", reason="needs DuckDB, which the tests' requirements bring")
    exporting.export(exporting.Request(run=done.folder, what=("panel",), formats=("parquet",), out=tmp_path))
    monkeypatch.chdir(tmp_path)
    [query] = blocks(OUTPUTS / "panel.md", "sql")
    totals = dict(duckdb.sql(query).fetchall())
    assert totals[2020] == pytest.approx(done.summary["totals"]["coca_ha"])


# ---- Pictures ----


@pytest.mark.browser
def test_a_picture_shows_the_page_in_its_window(done: run.Run, tmp_path: Path, monkeypatch):
    from PIL import Image

    find_chromium()
    small = screenshots.Shot("card", "map.html", "chosen={first}", (900, 700))
    monkeypatch.setattr(screenshots, "SHOTS", (small,))
    monkeypatch.setattr(screenshots, "_pages", lambda run, *_: {"map.html": run.folder.folder / "map.html"})
    [taken] = screenshots.take(done.folder, tmp_path / "images", langs=["en"])
    assert taken.name == "card-en.png"
    with Image.open(taken) as image:
        assert image.size == small.size
        assert len(image.getcolors() or ()) > 50


def test_without_chromium_it_is_said_what_to_install(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ConfigError, match=r"apt-get install chromium"):
        screenshots.take(tmp_path, tmp_path / "images")
