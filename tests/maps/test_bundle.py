"""The bundle: whole, listed, checkable, the same bytes each time, and readable on any machine by tools not ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib import util
from pathlib import Path

import pandas as pd
import pytest

from geo.errors import ConfigError, OutputError, SourceError
from maps import bundle, datapackage, exportable, exporting
from maps.datapackage import Member
from maps.formats import tables
from maps.formats.dataset import About, Dataset, Field, dataset
from maps.opened import Opened, open_run
from maps.report import page
from tests.maps import southwest

# What Windows refuses as a file's name, whatever its ending.
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
PLAIN = re.compile(r"[A-Za-z0-9._-]+")
# Read both packages with frictionless, and the rows of one, in a process of its own: it warns of its own libraries.
FRICTIONLESS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from frictionless import Package, validate
reports = [validate(path, type="package") for path in sys.argv[1:]]
errors = [error.message for report in reports for task in report.tasks for error in task.errors]
errors += [error.message for report in reports for error in report.errors]
rows = [row.to_dict() for row in Package(sys.argv[2]).get_resource("towns").read_rows()]
told = {"valid": [report.valid for report in reports], "errors": errors, "rows": rows}
tables = [[task.name for task in report.tasks if task.type == "table"] for report in reports]
print(json.dumps(told | {"tables": tables}, default=str))
"""
HOSTILE = ["=cmd()", "'=1", "'tis", 'say "so"', "a,b", "two\nlines", "Ñandú 🌿", None, "-5", "@x", " ", "true"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return southwest.opened(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def found(opened: Opened) -> dict[str, Dataset]:
    codes = opened.folder.table.index
    return {
        name: exporting.narrowed(data, codes)
        for name, data in exportable.read(opened, exportable.names(opened)).items()
    }


@pytest.fixture(scope="module", autouse=True)
def _brief():
    """The report has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "build", lambda run, *, lang, public: f'<html lang="{lang}">{run.year} {public}</html>')
        yield


@pytest.fixture(scope="module")
def written(opened: Opened, found: dict[str, Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle.write(opened, tmp_path_factory.mktemp("out"), found, lang="es")


@pytest.fixture(scope="module")
def unzipped(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("unzipped")
    with zipfile.ZipFile(written) as archive:
        archive.extractall(folder)
    return folder


def package(folder: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return told


def test_it_holds_all_that_is_promised(written: Path):
    with zipfile.ZipFile(written) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
    assert written.name == "presencia-2020.zip"
    for name in ("municipalities", "zones", "panel", "sites", "enclaves"):
        assert {f"data/{name}.csv", f"data/{name}.parquet"} <= names
    for name in ("municipalities", "zones", "sites", "enclaves"):
        assert {f"data/{name}.{suffix}" for suffix in ("geojson", "fgb", "kml", "qml")} <= names
    assert not names & {"data/panel.geojson", "data/panel.fgb", "data/panel.kml"}
    assert {"data/presencia-2020.gpkg", "data/presencia-2020.xlsx", *bundle.RECORDS, *bundle.PAPERS} <= names
    assert {"README.md", "LEAME.md", "report-es.html", "report-en.html", "data-dictionary.md"} <= names
    assert {"datapackage.json", "SHA256SUMS"} <= names


def test_names_are_good_on_every_system(written: Path):
    with zipfile.ZipFile(written) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert len({name.lower() for name in names}) == len(names)
    for entry in entries:
        parts = entry.filename.split("/")
        assert all(PLAIN.fullmatch(part) and not RESERVED.fullmatch(part) for part in parts), entry.filename
        assert not any(part.endswith(".") for part in parts)
        assert len(entry.filename) < 60
        assert entry.date_time == (2020, 12, 31, 0, 0, 0)
        assert (entry.external_attr >> 16, entry.compress_type) == (0o100644, zipfile.ZIP_DEFLATED)


def test_the_same_run_gives_the_same_bytes_at_another_time(
    opened: Opened, found: dict[str, Dataset], written: Path, tmp_path: Path
):
    first = int(written.stat().st_mtime)
    while int(time.time()) <= first:
        time.sleep(0.05)
    again = open_run(opened.folder.folder)
    assert bundle.write(again, tmp_path, found, lang="es").read_bytes() == written.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == [written.name]


def test_checksums_are_those_of_every_other_file(unzipped: Path):
    lines = (unzipped / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    files = {path.relative_to(unzipped).as_posix(): path for path in unzipped.rglob("*") if path.is_file()}
    assert set(listed) == set(files) - {"SHA256SUMS"}
    assert listed == {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in listed}
    if tool := shutil.which("sha256sum"):
        checked = subprocess.run([tool, "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=unzipped, check=False)
        assert checked.returncode == 0


def test_every_file_is_a_resource_and_every_resource_a_file(unzipped: Path):
    resources = {each["path"]: each for each in package(unzipped)["resources"]}  # type: ignore[attr-defined]
    files = {path.relative_to(unzipped).as_posix(): path for path in unzipped.rglob("*") if path.is_file()}
    assert set(resources) == set(files) - {"datapackage.json", "SHA256SUMS"}
    assert len({each["name"] for each in resources.values()}) == len(resources)
    for name, each in resources.items():
        assert each["bytes"] == files[name].stat().st_size
        assert each["hash"] == "sha256:" + hashlib.sha256(files[name].read_bytes()).hexdigest()
        assert all(each["titles"].values())
        assert name.endswith(".csv") == ("schema" in each)


def test_columns_are_described_as_the_data_are(unzipped: Path, found: dict[str, Dataset]):
    resources = {each["name"]: each for each in package(unzipped)["resources"]}  # type: ignore[attr-defined]
    towns = {each["name"]: each for each in resources["municipalities"]["schema"]["fields"]}
    assert [*towns] == [field.name for field in found["municipalities"].fields]
    assert towns["code"]["constraints"] == {"required": True, "unique": True, "pattern": r"^\d{5}$"}
    assert towns["hot_spot"]["constraints"]["enum"] == ["hot", "cold", "neither"]
    assert towns["coca_ha"] | {"type": "number", "unit": "ha"} == towns["coca_ha"]
    assert (towns["vacated"]["type"], towns["vacated"]["trueValues"]) == ("boolean", ["true"])
    assert "required" not in towns["station_km"].get("constraints", {})
    assert "the department's police data are missing" in towns["station_km"]["missing"]
    panel = resources["panel"]["schema"]
    assert panel["primaryKey"] == ["code", "year"]
    assert panel["foreignKeys"] == [
        {"fields": ["code"], "reference": {"resource": "municipalities", "fields": ["code"]}}
    ]
    scores = {each["name"]: each for each in resources["scores.csv"]["schema"]["fields"]}
    assert scores["code"]["type"] == "string"
    assert scores["coca_ha"]["description"] == towns["coca_ha"]["description"]


def test_figures_are_those_of_the_run(unzipped: Path):
    texts = [(unzipped / name).read_text(encoding="utf-8-sig") for name in ("scores.csv", "data/municipalities.csv")]
    scores, exported = ({row["code"]: row for row in csv.DictReader(io.StringIO(text))} for text in texts)
    assert len(scores) == len(exported) > 100
    for code, row in scores.items():
        for name, value in row.items():
            other = exported[code][name]
            assert value == other or float(value) == float(other), (code, name)


def test_readmes_tell_of_every_file_and_every_caveat(unzipped: Path, found: dict[str, Dataset]):
    files = [path.relative_to(unzipped).as_posix() for path in unzipped.rglob("*") if path.is_file()]
    about = found["municipalities"].about
    for name, caveats in (("README.md", about.caveats_en), ("LEAME.md", about.caveats_es)):
        text = (unzipped / name).read_text(encoding="utf-8")
        for file in files:
            assert f"`{file}`" in text or f"`data/*.{file.rpartition('.')[2]}`" in text or file.endswith(".csvt")
        assert all(caveat in text for caveat in caveats)
        assert about.run in text
        assert "{" not in text


def test_both_languages_have_the_same_texts():
    spanish, english = bundle.texts("es"), bundle.texts("en")
    assert list(spanish) == list(english)
    assert [len(row) for row in spanish["public_rows"]] == [len(row) for row in english["public_rows"]]
    for key, text in spanish.items():
        assert sorted(re.findall(r"\{\w+\}", str(text))) == sorted(re.findall(r"\{\w+\}", str(english[key]))), key


def test_frictionless_finds_nothing_wrong(written: Path, tmp_path: Path):
    if util.find_spec("frictionless") is None:
        pytest.skip("needs frictionless: pip install frictionless")
    hostile = _hostile(tmp_path)
    arguments = [sys.executable, "-c", FRICTIONLESS, str(written), str(hostile)]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    assert told["errors"] == []
    assert told["valid"] == [True, True]
    csvs = {"municipalities", "zones", "panel", "sites", "enclaves", "scores.csv", "methods.csv", "goal.csv"}
    assert set(told["tables"][0]) == csvs
    assert [tables.unguarded(row["text"]) if row["text"] else None for row in told["rows"]] == HOSTILE
    assert told["rows"][0]["code"] == "00001"
    assert [float(row["figure"]) for row in told["rows"][:3]] == [1e-07, 1234567.891, -0.5]
    assert told["rows"][3]["figure"] is None
    assert {row["flag"] for row in told["rows"]} == {True, False, None}
    assert {row["count"] for row in told["rows"]} == {2**53, None}


def _hostile(folder: Path) -> Path:
    """A package of one table that holds what readers trip over."""
    count = len(HOSTILE)
    frame = pd.DataFrame(
        {
            "code": [f"{number:05d}" for number in range(1, count + 1)],
            "text": HOSTILE,
            "figure": [1e-07, 1234567.891, -0.5, *[None] * (count - 3)],
            "flag": [True, False, None] * (count // 3),
            "count": [2**53, None] * (count // 2),
        }
    )
    kinds = {"code": "text", "text": "text", "figure": "number", "flag": "flag", "count": "whole"}
    fields = [Field(name, kind) for name, kind in kinds.items()]  # type: ignore[arg-type]
    about = About(
        "Prueba", "Test", 2020, "0" * 64, ({"id": "a", "title": "A", "licence": "CC BY 4.0"},), ("ñ",), ("n",)
    )
    data = dataset("towns", frame, fields, key=["code"], about=about)
    tables.write_csv(data, folder / "towns.csv")
    member = Member("towns.csv", folder / "towns.csv", ("Prueba", "Test"), data)
    told = datapackage.descriptor([member], about, lang="en")
    assert told["licenses"][1] == {
        "name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/", "title": "CC BY 4.0: A",
    }  # fmt: skip
    (folder / "datapackage.json").write_text(json.dumps(told), encoding="utf-8")
    return folder / "datapackage.json"


def _edit(folder: Path) -> None:
    (folder / "scores.csv").write_text((folder / "scores.csv").read_text(encoding="utf-8") + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_edit, "changed since: scores.csv"), (lambda folder: (folder / "map.html").unlink(), "missing: map.html")],
    ids=["edited", "missing"],
)
def test_a_run_that_is_no_longer_as_it_was_is_refused(
    opened: Opened, found: dict[str, Dataset], tmp_path: Path, spoil: Callable[[Path], None], said: str
):
    copied = shutil.copytree(opened.folder.folder, tmp_path / "run")
    spoil(copied)
    with pytest.raises(SourceError, match=said):
        bundle.write(open_run(copied), tmp_path / "out", found, lang="es")
    assert not (tmp_path / "out").exists()


def test_a_public_bundle_of_a_run_that_is_none_is_refused(opened: Opened, found: dict[str, Dataset], tmp_path: Path):
    with pytest.raises(ConfigError, match=r"publicly\.opened"):
        bundle.write(opened, tmp_path, found, lang="es", public=True)
    with pytest.raises(ConfigError, match="--what"):
        bundle.write(opened, tmp_path, {}, lang="es")
    assert not list(tmp_path.iterdir())


def test_a_failed_bundle_leaves_the_last_good_one(opened: Opened, found: dict[str, Dataset], tmp_path: Path):
    (tmp_path / "presencia-2020.zip").write_bytes(b"good")
    broken = replace(found["zones"], fields=(Field("absent", "text"),))
    with pytest.raises(KeyError):
        bundle.write(opened, tmp_path, {"zones": broken}, lang="es")
    assert [file.name for file in tmp_path.iterdir()] == ["presencia-2020.zip"]
    assert (tmp_path / "presencia-2020.zip").read_bytes() == b"good"


@pytest.mark.parametrize("name", bundle.PAPERS)
def test_papers_are_found_beside_the_source_and_in_what_is_installed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = bundle.paper(name)
    assert source.parent == Path(bundle.__file__).parents[1]
    monkeypatch.setattr(bundle, "__file__", str(tmp_path / "site-packages" / "maps" / "bundle.py"))
    installed = bundle.paper(name)
    assert installed != source
    assert installed.name == name
    monkeypatch.setattr("importlib.metadata.files", lambda package: [])
    with pytest.raises(OutputError, match=f"holds {name}"):
        bundle.paper(name)
