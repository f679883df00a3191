"""scripts/density.py as a planner runs it: the answer, what stays, and bad input in one line."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.scripts.calling import call, process, refused

TIBU = (5_025_000, 2_520_000)  # a corner within Tibú, EPSG:9377
NEW = {"density.csv", "reconciliation.csv", "enclaves.geojson", "cells.geojson", "map-density.html", "density.json"}


def block(
    path: Path, *, crs: str | None = "EPSG:9377", ha: float = 30.0, years: range = range(2016, 2021), wide: int = 0
) -> Path:
    """Nine dense cells of 1 km, alike in every year, among so many on each side that have none."""
    with rasterio.open(
        path, "w", driver="GTiff", height=3 + 2 * wide, width=3 + 2 * wide, count=len(years), dtype="float32", crs=crs,
        transform=Affine(1000, 0, TIBU[0] - 1000 * wide, 0, -1000, TIBU[1] + 1000 * wide),
    ) as data:  # fmt: skip
        for band, year in enumerate(years, 1):
            data.write(np.pad(np.full((3, 3), ha, dtype="float32"), wide), band)
            data.set_band_description(band, f"coca {year}")
    return path


@pytest.fixture(scope="module")
def made(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run, since what a layer brings stays beside its files."""
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("beside") / "2020"))


def test_a_planner_reads_the_enclave_its_terms_and_how_it_fits_the_table(made: Path, tmp_path: Path):
    before = {path.name for path in made.iterdir()} - NEW
    done = call("density.py", block(tmp_path / "nine.tif"), "--run", made, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "E01" in done.stdout
    assert "Tibú" in done.stdout
    assert "at least 8 ha of coca per km2" in done.stdout
    assert "1 enclave holds 270 of the layer's 270 ha of coca of 2020." in done.stdout
    assert "Coca by cell in 2020: 270 ha, of which 270 lie in a municipality" in done.stdout
    assert "1 municipality was measured in part" in done.stdout
    assert {path.name for path in made.iterdir()} == before | NEW


def test_terms_are_the_planners(made: Path, tmp_path: Path):
    done = call(
        "density.py", block(tmp_path / "nine.tif"), "--run", made, "--minimum-density", 31, "--minimum-area", 1,
        "--lasting-years", 3, "--of-last-years", 4, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "at least 31 ha of coca per km2 that had coca in at least 3 of the last 4 years" in done.stdout
    assert "0 enclaves hold 0" in done.stdout
    assert json.loads((made / "enclaves.geojson").read_text(encoding="utf-8"))["features"] == []


def test_a_cluster_of_processes_gives_the_same_files(made: Path, tmp_path: Path):
    raster = block(tmp_path / "nine.tif")
    assert call("density.py", raster, "--run", made, cwd=tmp_path).returncode == 0
    alone = {name: (made / name).read_bytes() for name in NEW}
    resume = tmp_path / "parts"
    done = process("density.py", raster, "--run", made, "--workers", 2, "--resume", resume, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (made / name).read_bytes() for name in NEW} == alone
    assert not resume.exists(), "parts stay only until the results are written"


def test_help_says_what_finer_cells_would_show(tmp_path: Path):
    said = " ".join(process("density.py", "--help", cwd=tmp_path).stdout.split())
    assert "--finer-than-1-km" in said
    assert "families who live by them" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.tif", ["missing.tif", "is not there"]),
        ("text.tif", ["text.tif", "does not begin as one"]),
        ("nowhere.tif", ["nowhere.tif", "coordinate reference system"]),
        ("full.tif", ["full.tif"]),
        ("other.tif", ["2020"]),
    ],
)
def test_bad_layers_are_named_in_one_line(made: Path, tmp_path: Path, name: str, words: list[str]):
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    block(tmp_path / "nowhere.tif", crs=None)
    block(tmp_path / "full.tif", ha=300.0)  # three times what a cell can hold
    block(tmp_path / "other.tif", years=range(2011, 2016))
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    refused(call("density.py", tmp_path / name, "--run", made, cwd=tmp_path), *words)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    refused(process("density.py", block(tmp_path / "nine.tif"), "--run", tmp_path, cwd=tmp_path), "run.json")


def test_years_that_are_none_are_refused(made: Path, tmp_path: Path):
    done = call("density.py", block(tmp_path / "nine.tif"), "--run", made, "--years", "twenty", cwd=tmp_path)
    refused(done, "2001-2023", "twenty")


def test_a_run_takes_a_layer_and_measures_from_its_cells(tmp_path: Path):
    raster = block(tmp_path / "nine.tif", wide=60)
    done = call(
        "zone.py", "--year", 2020, "--draws", 0, "--density", raster, "--density-years", "2016-2020", "--out", "run",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with (tmp_path / "run" / "scores.csv").open(encoding="utf-8") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    assert float(rows["54810"]["station_km"]) == pytest.approx(6.5, abs=0.1)  # the enclave's own distance, above
    assert float(rows["54810"]["coca_within_20km"]) == 1.0
    assert rows["52835"]["coca_within_20km"] == ""
    recorded = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["inputs"]["density"]
    assert recorded["years"] == [2016, 2017, 2018, 2019, 2020]


def test_a_run_refuses_a_bad_layer(tmp_path: Path):
    done = call("zone.py", "--density", block(tmp_path / "nowhere.tif", crs=None), cwd=tmp_path)
    refused(done, "nowhere.tif", "coordinate reference system")
    assert not (tmp_path / "out").exists()
