"""scripts/export.py as planners call it: a real run in every format, read back by tools that are not ours."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from maps import exportable, publicly
from maps.formats.dataset import Dataset
from maps.formats.registry import FORMATS
from maps.opened import open_run
from tests import postgres
from tests.maps import readback
from tests.scripts.calling import call, digests, refused

MUNICIPALITIES = 1122
WHAT = ("municipalities", "zones", "panel", "sites")
PANEL = "gpkg,parquet,csv"


@pytest.fixture(scope="module")
def found(made: Path) -> dict[str, Dataset]:
    return exportable.read(open_run(made), WHAT)


@pytest.fixture(scope="module")
def everything(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What has shapes in every format, and of the panel, 26,928 rows, what GIS, Parquet and CSV make of it."""
    out = tmp_path_factory.mktemp("everything")
    told = []
    for what, formats in (("municipalities,zones,sites", ",".join(FORMATS)), ("panel", PANEL)):
        done = call("export.py", "--run", made, "--what", what, "--format", formats, "--out", out, cwd=out)
        assert done.returncode == 0, done.stderr
        told += [line.removeprefix("File: ").partition(" (")[0] for line in done.stdout.splitlines()]
    assert sorted(told) == sorted(map(str, out.iterdir()))
    return out


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as running:
        yield running


def file_of(folder: Path, name: str, format_: str) -> Path:
    each = FORMATS[format_]
    return folder / f"{'presencia-2020' if each.many and name != 'panel' else name}{each.suffix}"


@pytest.mark.parametrize(
    ("name", "format_"),
    [*product(("municipalities", "zones", "sites"), FORMATS), *(("panel", each) for each in PANEL.split(","))],
)
def test_every_figure_comes_back_from_every_format(
    everything: Path, found: dict[str, Dataset], name: str, format_: str
):
    read = readback.READERS[format_](file_of(everything, name, format_), found[name])
    assert readback.differences(found[name], read) == []
    if name == "municipalities":
        assert len(read.rows) == MUNICIPALITIES
        assert round(sum(row["coca_ha"] for row in read.rows), 1) == 142_784.7  # published: 142,783


def test_every_figure_comes_back_from_postgis(made: Path, found: dict[str, Dataset], server: postgres.Server):
    address = server.url(query="&schema=run2020")
    done = call("export.py", "--run", made, "--what", "all", "--to", address, cwd=made.parent)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "layer_styles" not in line] == [
        f"Table: run2020.{name}" for name in WHAT
    ]
    for data in found.values():
        assert readback.differences(data, readback.postgis(server, data, "run2020")) == []


def test_qgis_finds_style_and_notes_beside_files_that_hold_none(everything: Path):
    for name in ("municipalities", "zones", "sites"):
        assert "RuleRenderer" in (everything / f"{name}.qml").read_text(encoding="utf-8")
        assert (everything / f"{name}.qmd").is_file()


def test_a_choice_is_what_was_chosen_and_says_so(made: Path, tmp_path: Path):
    done = call(
        "export.py", "--run", made, "--what", "all", "--format", "geojson", "--select", "department=Cauca",
        "--select", "rank<=20", "--simplify", 500, "--lang", "en", "--out", tmp_path, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    read = {name: json.loads((tmp_path / f"{name}.geojson").read_text(encoding="utf-8")) for name in WHAT}
    rows = {name: [feature["properties"] for feature in each["features"]] for name, each in read.items()}
    codes = {row["code"] for row in rows["municipalities"]}
    assert codes
    assert all(row["rank"] <= 20 and row["department"] == "Cauca" for row in rows["municipalities"])
    assert {row["code"] for row in rows["panel"]} == codes
    assert {row["code"] for row in rows["sites"]} <= codes
    assert all(codes & set(row["members"].split(";")) for row in rows["zones"])
    for each in read.values():
        assert each["about"]["caveats"][-2:] == [
            "Selection: department=Cauca, rank<=20.",
            "Borders simplified with a tolerance of 500 m.",
        ]


def test_the_same_run_gives_the_same_bytes_and_stays_as_it_was(made: Path, tmp_path: Path):
    before = digests(made)
    for folder in ("one", "two"):
        arguments = ("--what", "zones", "--format", ",".join(FORMATS), "--out", tmp_path / folder)
        assert call("export.py", "--run", made, *arguments, cwd=tmp_path).returncode == 0
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(made) == before


def test_nothing_is_written_into_the_run_but_a_folder(made: Path, tmp_path: Path):
    done = call("export.py", "--run", made, "--format", "geojson", "--out", made, cwd=tmp_path)
    refused(done, "municipalities.geojson is a file of the run itself", "--out")


def test_a_public_export_has_no_sites_and_no_exact_distance(made: Path, tmp_path: Path):
    arguments = ("--what", "all", "--format", "csv", "--public", "--out", tmp_path)
    done = call("export.py", "--run", made, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sites.csv").exists()
    notes = (tmp_path / "municipalities.qmd").read_text(encoding="utf-8")  # a CSV holds none itself
    assert publicly.words("caveat")[0] in notes
    with (tmp_path / "municipalities.csv").open(encoding="utf-8-sig", newline="") as file:
        distances = {row["station_km"] for row in csv.DictReader(file)} - {""}
    assert distances
    assert all(float(km) % 5 == 0 for km in distances)


def test_who_asks_for_all_gets_what_a_format_can_hold(made: Path, tmp_path: Path):
    arguments = ("--what", "all", "--format", "fgb", "--select", "rank<=3", "--out", tmp_path)
    assert call("export.py", "--run", made, *arguments, cwd=tmp_path).returncode == 0
    assert {path.stem for path in tmp_path.iterdir()} == {"municipalities", "zones", "sites"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--what", "zone"], ["found zone", "zones"]),
        (["--what", "changes"], ["add --changes"]),
        (["--what", "enclaves"], ["scripts/density.py"]),
        (["--format", "shp"], ["'shp'", "gpkg"]),
        (["--what", "panel", "--format", "kml"], ["panel has none", "csv"]),
        (["--bundle", "--format", "csv"], ["--bundle, --format", "leave one"]),
        (["--to", "postgresql://h/d", "--bundle"], ["--to, --bundle"]),
        (["--to", "mysql://h/d"], ["mysql", "postgresql://"]),
        (["--select", "rang<=20"], ["did you mean rank"]),
        (["--public", "--what", "sites"], ["sites", "locate posts"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(made: Path, tmp_path: Path, arguments: list[str], words: list[str]):
    refused(call("export.py", "--run", made, *arguments, "--out", tmp_path / "out", cwd=tmp_path), *words)
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_is_refused(tmp_path: Path):
    refused(call("export.py", "--run", tmp_path, cwd=tmp_path), "must be a run folder")
