"""A density layer brought into a run: hectares, enclaves, cells, the map, and the run's own files left alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from affine import Affine

from geo.errors import ConfigError, SourceError
from geo.files import sha256
from geo.grid import Grid
from layers import police
from layers.density import Density
from layers.enclaves import EnclaveTerms
from maps import densityrun, dictionary, replay
from maps.densityrun import Asked, Cluster, Enriched
from maps.inputs import DensityFiles, Inputs, Settings, read, years_of
from maps.run import Run, run
from tests.layers.modelled import modelled

YEAR = 2020
OWN = ("density.csv", "reconciliation.csv", "enclaves.geojson", "cells.geojson", "map-density.html")


def written(layer: Density, path: Path, *, split: int = 1, share: bool = False) -> Path:
    """The layer as a GeoTIFF with a band a year, each cell divided evenly into split x split if asked."""
    grid = layer.grid
    a = grid.transform
    transform = a.__class__(a.a / split, a.b, a.c, a.d, a.e / split, a.f)
    size = {"height": grid.height * split, "width": grid.width * split}
    with rasterio.open(
        path, "w", driver="GTiff", count=len(layer.years), dtype="float64", crs=grid.crs, transform=transform,
        compress="deflate", tiled=True, blockxsize=512, blockysize=512, **size,
    ) as data:  # fmt: skip
        for band, year in enumerate(layer.years, 1):
            cells = np.zeros((grid.height, grid.width))
            cells[layer.row, layer.col] = layer.hectares[year] / (100.0 if share else split**2)
            data.write(np.kron(cells, np.ones((split, split))) if split > 1 else cells, band)
            data.set_band_description(band, str(year))
    return path


def narino(layer: Density, inputs: Inputs) -> Density:
    """The cells about Nariño, on a grid of these alone."""
    places, t = inputs.boundaries.frame, layer.grid.transform
    left, _, right, _ = bounds = places[places["department_code"] == "52"].to_crs(layer.grid.crs).total_bounds
    first, last = int((left - t.c) / t.a), int((right - t.c) / t.a) + 1
    top, bottom = int((bounds[3] - t.f) / t.e), int((bounds[1] - t.f) / t.e) + 1
    inside = (layer.row >= top) & (layer.row < bottom) & (layer.col >= first) & (layer.col < last)
    corner = Affine(t.a, 0.0, t.c + first * t.a, 0.0, t.e, t.f + top * t.e)
    grid = Grid(layer.grid.crs, corner, bottom - top, last - first)
    hectares = layer.hectares[inside].reset_index(drop=True)
    return replace(layer, grid=grid, row=layer.row[inside] - top, col=layer.col[inside] - first, hectares=hectares)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read(Settings())


@pytest.fixture(scope="module")
def layer(inputs: Inputs) -> Density:
    table = inputs.join().wide("coca_ha").dropna(axis=1, how="all")
    return modelled(inputs.boundaries.frame, table[[year for year in table if YEAR - 9 <= int(str(year)) <= YEAR + 1]])


@pytest.fixture(scope="module")
def part(layer: Density, inputs: Inputs) -> Density:
    """The layer's cells about Nariño, where the whole country shows no more."""
    return narino(layer, inputs)


@pytest.fixture(scope="module")
def raster(layer: Density, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(layer, tmp_path_factory.mktemp("layer") / "modelled.tif")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(Settings(year=YEAR, draws=0, out=tmp_path_factory.mktemp("run"))).folder


def asked(folder: Path, *paths: Path, **how: object) -> Asked:
    files = DensityFiles(paths)
    return replace(Asked(folder, files, EnclaveTerms(), True, {}, 0.05, Cluster()), **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(made: Path, raster: Path) -> Enriched:
    return densityrun.enrich(asked(made, raster))


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def test_the_layer_and_the_table_agree_to_the_published_figures(found: Enriched):
    table = pd.read_csv(found.folder / "density.csv", dtype={"code": str}).set_index("code")
    assert len(table) == 1122
    known = table["table_ha"].notna()
    assert np.abs(table["density_ha"] - table["table_ha"])[known].max() < 1e-6
    assert table.loc["54810", "density_ha"] == pytest.approx(19_334, abs=0.5)  # Tibú, as published
    assert table["density_ha"].sum() == pytest.approx(142_783, abs=5)
    assert not table["flagged"].dropna().astype(bool).any()
    assert (table["measured_share"] > 0.999).all()


def test_every_year_is_reconciled(found: Enriched, layer: Density):
    rows = pd.read_csv(found.folder / "reconciliation.csv", dtype={"code": str})
    assert set(rows["year"]) == set(layer.years)
    assert np.abs(rows["ratio"] - 1).max() < 1e-9
    totals = found.reconciliation.totals
    assert np.abs(totals["inside_ha"] + totals["outside_ha"] - totals["layer_ha"]).max() < 1e-6


def test_coca_within_reach_of_a_post_grows_with_the_radius(found: Enriched, inputs: Inputs):
    table = found.municipalities
    near = [table[f"coca_within_{km}km"] for km in (5, 10, 20)]
    known = near[0].notna()
    assert known.sum() > 100
    assert (near[0][known] <= near[1][known]).all()
    assert (near[1][known] <= near[2][known]).all()
    silent = inputs.boundaries.frame["department_code"].isin(
        police.not_reporting(inputs.posts.frame, inputs.boundaries.frame).index
    )
    assert not known[silent].any()


@pytest.mark.parametrize("name", ["density", "enclaves", "cells"])
def test_every_column_is_in_the_dictionary(found: Enriched, name: str):
    file = found.folder / f"{name}.{'csv' if name == 'density' else 'geojson'}"
    if file.suffix == ".csv":
        columns = list(pd.read_csv(file))
    else:
        columns = list(json.loads(text(found.folder, file.name))["features"][0]["properties"])
    assert columns == [column.name for column in dictionary.by_cell(name)]


def test_cells_hold_the_layer_and_its_permanence(found: Enriched, layer: Density):
    cells = gpd.GeoDataFrame(pyogrio.read_dataframe(found.folder / "cells.geojson"))
    assert cells["coca_ha"].sum() == pytest.approx(layer.total_ha(YEAR), abs=1e-3)
    assert cells.is_valid.all()
    assert set(cells["permanence_class"]) <= {"permanent", "intermittent", "expansion", "abandoned", "past"}
    hectares = layer.hectares.set_index(pd.MultiIndex.from_arrays([layer.row, layer.col]))
    always = hectares.gt(0).all(axis=1)
    classes = cells.set_index(["row", "col"])["permanence_class"]
    assert (classes[always[always].index] == "permanent").all()


def test_enclaves_are_dense_lasting_and_large(found: Enriched, layer: Density):
    enclaves = gpd.GeoDataFrame(pyogrio.read_dataframe(found.folder / "enclaves.geojson"))
    assert len(enclaves) > 10
    assert enclaves["coca_ha"].is_monotonic_decreasing
    assert (enclaves["area_km2"] >= 3 * 0.99).all()
    assert (enclaves["coca_ha"] >= 8 * enclaves["area_km2"]).all()
    assert enclaves["reserve_share"].isna().all(), "no polygons were given: not measured, not 0"
    assert enclaves["national_share"].sum() == pytest.approx(enclaves["coca_ha"].sum() / 142_783, abs=1e-4)
    metric = enclaves.to_crs("EPSG:9377")
    assert np.abs(metric.area / 1e6 / enclaves["area_km2"] - 1).max() < 1e-4


def test_the_settings_are_printed_with_the_result(found: Enriched):
    said = json.loads(text(found.folder, "density.json"))
    assert "at least 8 ha of coca per km2" in said["enclaves"]["in_words"]
    assert said["enclaves"]["lasting_years"] == 5
    assert said["inputs"]["layer_1"]["sha256"] == sha256(Path(said["inputs"]["layer_1"]["file"]))
    assert said["outputs"] == {name: sha256(found.folder / name) for name in sorted(OWN)}


def test_the_runs_own_files_stay_as_they_are(found: Enriched):
    recorded = replay.read(found.folder)["outputs"]
    assert recorded
    assert {name: sha256(found.folder / name) for name in recorded} == recorded


@pytest.fixture(scope="module")
def regional(part: Density, made: Path, tmp_path_factory: pytest.TempPathFactory) -> Enriched:
    folder = tmp_path_factory.mktemp("regional")
    shutil.copytree(made, folder / "run")
    return densityrun.enrich(asked(folder / "run", written(part, folder / "narino.tif")))


@pytest.fixture
def other(made: Path, tmp_path: Path) -> Path:
    """A run folder of its own."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def test_the_same_layer_gives_the_same_bytes(regional: Enriched, other: Path):
    densityrun.enrich(asked(other, regional.folder.parent / "narino.tif"))
    for name in (*OWN, "density.json"):
        assert sha256(other / name) == sha256(regional.folder / name), name


def assert_same_hectares(one: Enriched, other: Enriched) -> None:
    """By municipality, and missing in the same ones."""
    found, expected = (each.municipalities["density_ha"] for each in (one, other))
    pd.testing.assert_series_equal(found, expected, rtol=0, atol=1e-6)


def test_a_finer_raster_gives_the_same_hectares_and_no_finer_cells(
    found: Enriched, layer: Density, other: Path, tmp_path: Path
):
    one = replace(layer, hectares=layer.hectares[[YEAR]])
    fine = written(one, tmp_path / "fine.tif", split=4)
    again = densityrun.enrich(asked(other, fine))
    assert "at least 1 of the 1 year measured (2020)" in again.summary["enclaves"]["in_words"]
    assert_same_hectares(again, found)
    assert again.summary["cell_km"] == found.summary["cell_km"]
    cells = pyogrio.read_dataframe(other / "cells.geojson")
    assert cells["coca_ha"].sum() == pytest.approx(layer.total_ha(YEAR), abs=1e-3)


def test_shares_of_cells_become_hectares(regional: Enriched, part: Density, other: Path, tmp_path: Path):
    one = replace(part, hectares=part.hectares[[YEAR]])
    raster = written(one, tmp_path / "share.tif", share=True)
    files = DensityFiles((raster,), unit="share", years=(YEAR,))
    again = densityrun.enrich(asked(other, files=files))
    assert_same_hectares(again, regional)


def test_a_layer_of_one_department_says_nothing_of_the_others(regional: Enriched):
    again = regional
    table = again.municipalities
    assert table.loc["52835", "density_ha"] == pytest.approx(8_833, abs=0.5)  # Tumaco, as published
    assert np.isnan(table["density_ha"]["54810"])  # Tibú was not looked at: not 0
    assert table["measured_share"]["54810"] == 0
    assert table["flagged"].isna()["54810"]
    assert not again.municipalities["flagged"].fillna(False).astype(bool).any()
    assert any("not measured" in sentence for sentence in again.reconciliation.sentences)


def test_values_by_municipality_are_missing_for_the_stated_reasons_and_no_other(regional: Enriched, inputs: Inputs):
    table = regional.municipalities
    silent = inputs.boundaries.frame["department_code"].isin(inputs.unreported)
    reasons = {
        "cells_not_measured": table["measured_share"] == 0,
        "coca_not_measured": inputs.join().wide("coca_ha")[YEAR].isna(),
        "lacks_a_figure": table[["density_ha", "table_ha"]].isna().any(axis=1)
        | (table[["density_ha", "table_ha"]] == 0).all(axis=1),
        "table_has_none": table["table_ha"] == 0,
        "no_coca_by_cell": ~(table["density_ha"] > 0),
        "looked_at_in_part": table["measured_share"] < 0.95,
        "not_reporting": silent,
    }
    for column in dictionary.by_cell("density")[1:]:
        wanted = np.logical_or.reduce([reasons[reason] for reason in column.reasons] or [silent & False])
        differ = table.index[table[column.name].isna() != wanted]
        assert list(differ) == [], column.name


@pytest.fixture(scope="module")
def mixed(part: Density, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("mixed")
    files = DensityFiles((written(part, folder / "narino.tif"),))
    return run(Settings(year=YEAR, draws=0, density=files, out=folder / "run"))


def test_a_run_mixes_no_distances_unseen(mixed: Run):
    source = mixed.municipalities["station_km_from"]
    assert source["52835"] == "coca"
    assert source["54810"] == "seat"
    assert any("ranks mix them" in said for said in mixed.summary["warnings"])


def test_a_layer_without_the_year_is_refused(part: Density, made: Path, tmp_path: Path):
    before = sorted(path.name for path in made.iterdir())
    other = replace(part, hectares=part.hectares[[YEAR - 1]])
    with pytest.raises(ConfigError, match="2020"):
        densityrun.enrich(asked(made, written(other, tmp_path / "old.tif")))
    assert sorted(path.name for path in made.iterdir()) == before


def test_years_that_a_planner_asks_for_are_not_shortened(part: Density, made: Path, tmp_path: Path):
    one = replace(part, hectares=part.hectares[[YEAR]])
    with pytest.raises(ConfigError, match="--lasting-years"):
        densityrun.enrich(asked(made, written(one, tmp_path / "one.tif"), shorten=False))


def test_an_edited_input_of_the_run_is_refused(tmp_path: Path, raster: Path):
    with pytest.raises(SourceError, match=r"run\.json"):
        densityrun.enrich(asked(tmp_path, raster))


@pytest.fixture(scope="module")
def by_cell(raster: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    files = DensityFiles((raster,))
    return run(Settings(year=YEAR, draws=0, density=files, out=tmp_path_factory.mktemp("by-cell")))


def test_a_run_with_a_layer_measures_from_the_coca_itself(by_cell: Run, found: Enriched, made: Path):
    table = by_cell.municipalities
    own = found.municipalities["coca_station_km"]
    has = own.notna()
    assert np.abs(table["station_km"] - own)[has].max() < 1e-5
    before = pd.read_csv(made / "scores.csv", dtype={"code": str}).set_index("code").reindex(table.index)
    seat = before["station_km"]
    pd.testing.assert_series_equal(table["station_km"][~has], seat[~has], check_names=False)
    source = table["station_km_from"]
    assert (source[has] == "coca").all()
    assert (source[~has & seat.notna()] == "seat").all()
    assert source[seat.isna()].isna().all()
    # People live about the seat, wherever the coca lies.
    people = table["people_beyond"].astype(float)
    pd.testing.assert_series_equal(people, before["people_beyond"].astype(float), check_names=False)
    assert any("measured from their coca by cell" in said for said in by_cell.summary["warnings"])
    added = [column.name for column in dictionary.by_cell("added")]
    assert [name for name in table if name in added] == added
    shares = table[added[1:]]
    assert shares.notna().all(axis=1).equals(has)


def test_a_run_with_a_layer_can_be_repeated(mixed: Run, tmp_path: Path):
    settings = replay.settings_of(mixed.folder, tmp_path / "again")
    run(settings)
    assert replay.differences(mixed.folder, tmp_path / "again") == ["The same bytes in all 8 files."]


def test_a_run_without_one_has_none_of_its_columns(made: Path):
    assert not [name for name in pd.read_csv(made / "scores.csv") if str(name).startswith("coca_within")]


@pytest.mark.parametrize(
    ("text", "years"),
    [("", ()), ("2020", (2020,)), ("2001-2003", (2001, 2002, 2003)), ("2019, 2021", (2019, 2021))],
)
def test_years_are_read_as_they_are_written(text: str, years: tuple[int, ...]):
    assert years_of(text) == years


@pytest.mark.parametrize("text", ["20", "2020-", "2020-2021-2022", "2020-2019", "year 2020", "20201"])
def test_what_is_no_list_of_years_is_refused(text: str):
    with pytest.raises(ConfigError, match="written as 2020"):
        years_of(text)
