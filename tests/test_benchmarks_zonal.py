"""The parts of benchmarks/zonal.py: rasters, measures and tables are what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from benchmarks import zonal, zonalwork
from benchmarks.zonal import Seen
from benchmarks.zonalwork import Job
from tests.geo.made import box, coded


@pytest.fixture
def polygons() -> gpd.GeoDataFrame:
    return coded([box(0, 0, 40, 30), box(40, 0, 60, 30)])


def seen(seconds: float, sums: list[list[float]], *, scaled: bool = False) -> Seen:
    return Seen(seconds, seconds * 2, 100.0, 250.0, np.array(sums), scaled)


def test_a_country_holds_values_inside_and_none_beyond(tmp_path: Path, polygons: gpd.GeoDataFrame):
    zonalwork.make_country(tmp_path / "a.tif", polygons, side=500.0, bands=2, seed=1)
    with rasterio.open(tmp_path / "a.tif") as file:
        values, beyond = file.read(), file.read_masks(1) == 0
        middle = [shapely.points(*file.xy(*at)) for at in np.argwhere(~beyond)]
        assert (file.count, file.dtypes[0], file.nodata, file.block_shapes[0]) == (2, "float32", -9999, (512, 512))
    assert polygons.union_all().covers(middle).all()
    assert (values[:, beyond] == -9999).all()
    assert values[:, ~beyond].min() == 0
    assert values[1].max() > 0


def test_a_department_is_cut_by_rows(tmp_path: Path, polygons: gpd.GeoDataFrame):
    sizes = [
        zonalwork.make_department(tmp_path / "a.tif", polygons, side=100.0, rows=rows, seed=1) for rows in (0.5, 1.0)
    ]
    assert [size[1] for size in sizes] == [605, 605]
    assert [size[0] for size in sizes] == [152, 305]


@pytest.mark.parametrize("contestant", ["ours", "exactextract", "exactextract_in_one_pass", "reading"])
def test_contestants_do_what_they_are_asked(tmp_path: Path, polygons: gpd.GeoDataFrame, contestant: str):
    zonalwork.make_country(tmp_path / "a.tif", polygons, side=500.0, bands=2, seed=1)
    polygons.to_parquet(tmp_path / "a.parquet")
    job = Job(contestant, str(tmp_path / "a.tif"), str(tmp_path / "a.parquet"), str(tmp_path / "sums.npy"), threads=2)
    figures = zonalwork.do(job)
    assert figures["seconds"] > 0
    assert 10 < figures["before_mb"] <= figures["peak_mb"]
    sums = np.load(job.sums)
    if contestant == "reading":
        assert sums.size == 0
        return
    zonalwork.do(replace(job, contestant="ours", sums=str(tmp_path / "ours.npy")))
    assert zonal.furthest(np.load(tmp_path / "ours.npy"), sums) < zonal.CLOSE


def test_sums_differ_relative_to_the_sum_and_those_of_less_than_a_hectare_by_hectares():
    ours = np.array([[100.0, 5.0], [np.nan, 0.5]])
    assert zonal.furthest(ours, np.array([[100.0, 5.0], [0.0, 0.5]])) == 0
    assert zonal.furthest(ours, np.array([[200.0, 5.0], [0.0, 0.5]])) == 0.5
    assert zonal.furthest(ours, np.array([[100.0], [0.25]])) == 0.25


def test_figures_stand_beside_ours_and_beside_what_was_asked():
    figures = {
        "reading, 2 threads": replace(seen(2, [[0.0]]), sums=np.zeros((0, 0))),
        "Presencia, 2 threads": seen(3, [[100.0]]),
        "Presencia, 2 threads, cached": seen(2.5, [[100.0]]),
        "exactextract": seen(12, [[100.00001]]),
        "exactextract, in one pass": seen(15, [[100.0]]),
        "rasterstats": seen(30, [[90.0]], scaled=True),
    }
    table = {row[0]: row[1:] for row in zonal.rows(figures, zonal.OURS)}
    assert table["Presencia, 2 threads"] == ["3.00 s", "1.00×", "6.00 s", "100 MB", "250 MB", "1.0×", "0.0e+00"]
    assert table["exactextract"][:3] == ["12.00 s", "4.00×", "24.00 s"]
    assert table["rasterstats"][:3] == ["~30.00 s", "~10.00×", "~60.00 s"]
    assert table["reading, 2 threads"][-1] == "–"
    assert [row[1] for row in zonal.limits(figures)] == ["0.25", "0.21", "1.50", "1.25", "250 MB", "1.0e-07"]
