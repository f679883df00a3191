"""The public variant: what it holds follows from distances in whole steps, and nothing in it places a post."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import openpyxl
import pandas as pd
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConfigError, SourceError
from layers.police import SILENT
from maps import bundle, exportable, exporting, pack, publicly, replay
from maps.formats.registry import FORMATS
from maps.opened import Opened
from maps.publicly import PublicRun
from maps.report import page
from tests.maps import southwest

Floats = npt.NDArray[np.float64]
Pairs = set[tuple[int, int]]

LOW, HIGH = -82.0, 14.0  # of a number that may be a coordinate of Colombia
NUMBER = re.compile(r"-?\d{1,2}(?:\.\d+|,\d{3,})")
TEXTS = {".csv", ".geojson", ".json", ".kml", ".html", ".md", ".qml", ".qmd", ".csvt", ""}


@pytest.fixture(scope="module")
def internal(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return southwest.opened(tmp_path_factory.mktemp("internal"), draws=20)


@pytest.fixture(scope="module")
def public(internal: Opened) -> Iterator[PublicRun]:
    with publicly.opened(internal) as shown:
        yield shown


@pytest.fixture(scope="module")
def unzipped(public: PublicRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public bundle, unzipped; of the report one language and one zone alone, to save time."""
    folder: Path = tmp_path_factory.mktemp("public")
    names = [name for name in exportable.names(public) if name not in publicly.LEFT_OUT]
    found = publicly.datasets(exportable.read(public, names))
    build, zones = page.build, public.folder.zones.head(1)
    brief = replace(public, folder=replace(public.folder, zones=zones))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            page, "build", lambda _, *, lang, public: build(brief, lang=lang, public=public) if lang == "es" else ""
        )
        written = bundle.write(public, folder / "out", found, lang="es", public=True)
    with zipfile.ZipFile(written) as archive:
        archive.extractall(folder / "all")
    return folder / "all"


def test_it_cannot_be_repeated_as_if_it_were_the_run(public: PublicRun):
    with pytest.raises(SourceError, match=r"is of a public variant, .* name the run it was made of"):
        replay.settings_of(public.folder.folder)


@given(st.floats(0.0, 3000.0))
def test_a_distance_rounded_up_is_the_least_multiple_that_is_no_less(km: float):
    found = publicly.rounded_up(pd.Series([km])).iloc[0]
    assert found % publicly.STEP_KM == 0
    assert found >= km
    assert found - publicly.STEP_KM < km or found == publicly.STEP_KM


def test_steps_hold_their_upper_end_and_the_first_holds_zero():
    found = publicly.rounded_up(pd.Series([0.0, 0.2, 5.0, 5.000001, 10.0, np.nan], name="station_km"))
    assert found.tolist()[:5] == [5.0, 5.0, 5.0, 10.0, 10.0]
    assert np.isnan(found.iloc[5])
    assert found.name == "station_km"


def test_distances_are_the_runs_own_rounded_up_and_nothing_else_of_the_figures_moves(
    internal: Opened, public: PublicRun
):
    exact, told = internal.folder.table, public.folder.table.loc[internal.folder.table.index]
    pd.testing.assert_series_equal(told["station_km"], publicly.rounded_up(exact["station_km"]))
    assert exact["station_km"].nunique() > 3 * told["station_km"].nunique()
    of_posts = {"station_km", "score", "rank", "rank_low", "rank_high", "top_share", "zone"}
    same = [name for name in exact if name not in of_posts and not str(name).startswith("contribution_")]
    assert {"coca_ha", "people_beyond", "coverage", "etcr", "vacated"} <= set(same)
    pd.testing.assert_frame_equal(told[same], exact[same])


def test_other_posts_with_the_same_rounded_distances_give_the_same_bytes(internal: Opened, public: PublicRun):
    moved = Opened(internal.folder)
    km, rng = internal.panel.places["station_km"], np.random.default_rng(7)
    within = publicly.rounded_up(km) - rng.uniform(0.0, publicly.STEP_KM - 0.001, len(km))
    elsewhere = internal.inputs.posts.frame.assign(name="OTRO")
    elsewhere = elsewhere.set_geometry(elsewhere.geometry.translate(0.7, -0.4))
    inputs = replace(internal.inputs, posts=replace(internal.inputs.posts, frame=elsewhere))
    inputs.__dict__["unreported"] = internal.inputs.unreported
    moved.__dict__["inputs"] = inputs
    moved.__dict__["panel"] = replace(internal.panel, places=internal.panel.places.assign(station_km=within))
    assert (within - km).abs().max() > 1
    with publicly.opened(moved) as other:
        names = sorted(file.name for file in other.folder.folder.iterdir())
        assert names == sorted(file.name for file in public.folder.folder.iterdir())
        for name in names:
            assert (other.folder.folder / name).read_bytes() == (public.folder.folder / name).read_bytes(), name


def test_a_public_run_has_no_posts_and_knows_where_they_are_unknown(internal: Opened, public: PublicRun):
    assert len(public.inputs.posts.frame) == len(public.inputs.sites.frame) == 0
    assert public.inputs.unreported == internal.inputs.unreported
    assert publicly.is_public(public)
    assert not publicly.is_public(internal)


def test_the_map_has_no_posts_and_distances_in_steps_and_says_so(public: PublicRun):
    page = (public.folder.folder / "map.html").read_text(encoding="utf-8")
    found = [json.loads(text) for text in re.findall(r"<script[^>]*application/json[^>]*>(.*?)</script>", page, re.S)]
    (told,) = (each for each in found if "posts" in each)
    assert told["posts"]["count"] == told["etcr"]["count"] == 0
    order = public.folder.table["station_km"].loc[told["codes"]]
    assert told["facts"]["station_km"] == pack.numbers(order)
    for text in publicly.words("title") + publicly.words("caveat"):
        assert any(text in source["title"] + source["publisher"] for source in told["sources"])
    label = next(each["label"] for each in told["scoring"]["criteria"] if each["name"] == "station_km")
    assert label["es"].endswith("múltiplos de 5")


def test_run_json_names_files_without_folders(internal: Opened, public: PublicRun):
    assert southwest.OWN in json.dumps(internal.folder.summary)
    text = (public.folder.folder / "run.json").read_text(encoding="utf-8")
    assert southwest.OWN not in text
    assert str(Path.home()) not in text
    assert json.loads(text)["inputs"]["boundaries"]["file"] == "limites.geojson"


def test_a_summary_keeps_no_example_from_files_of_places(internal: Opened):
    recorded = json.loads(json.dumps(internal.folder.summary))
    left_out = {"kind": "left out", "what": "rows without coordinates", "count": 1, "examples": ["CAI BALBOA"]}
    silent = {"kind": "noted", "what": SILENT, "count": 1, "examples": ["Chocó (4 of 30)"]}
    recorded["inputs"]["police"]["report"]["findings"] = [left_out, silent]
    told = publicly.summary(recorded)
    assert told["inputs"]["police"]["report"]["findings"] == [left_out | {"examples": []}, silent]
    assert recorded["inputs"]["police"]["report"]["findings"][0]["examples"] == ["CAI BALBOA"]
    assert told["public"]["step_km"] == publicly.STEP_KM


def test_datasets_say_that_they_are_public(public: PublicRun):
    found = publicly.datasets(exportable.read(public, ["municipalities", "zones", "panel", "enclaves"]))
    for data in found.values():
        assert (data.about.caveats_es[0], data.about.caveats_en[0]) == publicly.words("caveat")
    distance = next(field for field in found["municipalities"].fields if field.name == "station_km")
    assert distance.alias("en") == "Distance to the police post, rounded up to multiples of 5 (km)"
    assert found["enclaves"].table["station_km"].tolist() == [20.0]


def test_enclaves_of_cells_finer_than_1_km_are_left_out(internal: Opened):
    density = internal.folder.folder / "density.json"
    before = density.read_text(encoding="utf-8")
    try:
        density.write_text(before.replace('"finer": false', '"finer": true'), encoding="utf-8")
        told = exportable.read(internal, ["enclaves"])["enclaves"].about
        assert told.caveats_en[-1].endswith("Do not pass them on.")
        with publicly.opened(internal) as shown:
            assert "enclaves" not in exportable.names(shown)
        asked = exporting.Request(run=internal.folder.folder, what=("enclaves",), public=True)
        with pytest.raises(ConfigError, match="--public leaves out enclaves of cells of less than 1 km"):
            exporting.export(asked)
    finally:
        density.write_text(before, encoding="utf-8")


def test_what_a_run_lacks_is_told_of_its_own_folder(internal: Opened, tmp_path: Path):
    bare = shutil.copytree(internal.folder.folder, tmp_path / "bare", ignore=shutil.ignore_patterns("enclaves.*"))
    with pytest.raises(SourceError, match=f"^{re.escape(str(bare))}.enclaves.geojson must be there"):
        exporting.export(exporting.Request(run=bare, what=("enclaves",), public=True))


def test_a_file_whose_path_begins_with_anothers_is_named_without_its_folder():
    files = {"/a/coca": "coca", "/a/coca.csv": "coca.csv", "/a": "a"}
    assert publicly._without({"x": ["/a/coca.csv (2)", "/a/coca"]}, files) == {"x": ["coca.csv (2)", "coca"]}


def test_sites_are_left_out_and_exact_distances_refused(internal: Opened):
    found = exportable.read(internal, ["zones", "sites"])
    assert list(publicly.datasets(found)) == ["zones"]
    with pytest.raises(ConfigError, match=r"municipalities holds station_km"):
        publicly.datasets(exportable.read(internal, ["municipalities"]))


def test_no_file_of_the_public_bundle_holds_a_coordinate_of_a_post_or_site(internal: Opened, unzipped: Path):
    for decimals in (4, 3):
        every = _grid(_places(internal), decimals)
        # A border may pass within metres of a post; what the boundaries tell, they tell without it.
        wanted = every - _grid(internal.folder.shapes.get_coordinates().to_numpy(), decimals)
        assert len(wanted) > 0.95 * len(every) > 1000
        for file in sorted(path for path in unzipped.rglob("*") if path.is_file()):
            assert not _pairs(file, decimals) & wanted, file


def test_no_file_of_the_public_bundle_names_a_post(internal: Opened, unzipped: Path):
    names = {name for name in internal.inputs.posts.frame["name"] if len(name) > 12}
    assert len(names) > 1000
    for file in sorted(path for path in unzipped.rglob("*") if path.suffix in TEXTS and path.is_file()):
        text = file.read_text(encoding="utf-8")
        assert not [name for name in names if name in text], file


@pytest.mark.parametrize("name", ["csv", "geojson", "kml", "parquet", "fgb", "gpkg", "xlsx"])
def test_the_search_for_coordinates_finds_them_where_they_are(internal: Opened, tmp_path: Path, name: str):
    sites = exportable.read(internal, ["sites"])["sites"]
    few = replace(sites, frame=sites.frame[sites.frame["code"].notna()].head(20).reset_index(drop=True))
    file = tmp_path / f"sites.{name}"
    FORMATS[name].write([few], file, lang="es")
    for decimals in (4, 3):
        assert _pairs(file, decimals) >= _grid(few.frame[["lon", "lat"]].to_numpy(), decimals)


def test_the_search_reads_every_way_to_write_a_coordinate(tmp_path: Path):
    for text in ("[-77.2496, 2.2561]", "2.2561,-77.2496", "lat 2,2561 lon -77,2496", "-77.24960,2.25610,0"):
        (tmp_path / "a.md").write_text(text, encoding="utf-8")
        assert (-772496, 22561) in _pairs(tmp_path / "a.md", 4), text


def _places(internal: Opened) -> Floats:
    """Posts and sites, longitude first."""
    read = internal.inputs
    return pd.concat([frame.geometry.get_coordinates() for frame in (read.posts.frame, read.sites.frame)]).to_numpy()


def _grid(places: Floats, decimals: int) -> Pairs:
    """Places as whole numbers of the last decimal."""
    known = places[~np.isnan(places).any(axis=1)]
    return {(int(lon), int(lat)) for lon, lat in np.rint(known * 10.0**decimals)}


def _pairs(file: Path, decimals: int) -> Pairs:
    """Every pair of numbers that follow each other in a file and may be a place."""
    if file.suffix in TEXTS:
        text = file.read_text(encoding="utf-8")
        return _following([float(each.replace(",", ".")) for each in NUMBER.findall(text)], decimals)
    if file.suffix == ".xlsx":
        book = openpyxl.load_workbook(file, read_only=True)
        cells = [[cell for cell in row if isinstance(cell, float | int)] for each in book for row in each.values]
        return set().union(*(_following(row, decimals) for row in cells))
    if file.suffix == ".parquet":
        return _of_frame(_parquet(file), decimals)
    layers = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
    return set().union(*(_of_frame(pyogrio.read_dataframe(file, layer=layer), decimals) for layer in layers))


def _parquet(file: Path) -> pd.DataFrame:
    try:
        return gpd.read_parquet(file)
    except ValueError:
        return pd.read_parquet(file)


def _of_frame(frame: pd.DataFrame, decimals: int) -> Pairs:
    placed = isinstance(frame, gpd.GeoDataFrame)
    shapes = frame.geometry.get_coordinates().to_numpy() if placed else np.empty((0, 2))
    figures = frame.select_dtypes("number").astype(float)
    beside = [figures[list(couple)].to_numpy() for couple in pairwise(figures)]
    return set().union(*(_grid(np.sort(each, axis=1), decimals) for each in (shapes, *beside)))


def _following(numbers: list[float], decimals: int) -> Pairs:
    likely = [each if LOW < each < HIGH else np.nan for each in numbers]
    return _grid(np.sort(np.array([*pairwise(likely)]).reshape(-1, 2), axis=1), decimals)
