"""Zonal statistics of any raster and any polygons, beside cells that shapely cuts one by one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo.grid import Grid
from geo.zonal import STATISTICS, Zonal, threads, zonal
from tests.geo import cutting
from tests.geo.cutting import Asked
from tests.geo.made import SEEDS
from tests.geo.rasterfiles import DEGREES, METRIC, PLACED, STORAGE, frame, write

Floats = npt.NDArray[np.float64]
ABOVE = 50.5
ADDITIVE = ("sum", "count", "integral", "area_ha", "area_above_ha")


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """A raster with holes on any grid, and polygons on and beside it, overlapping or not."""
    height, width, bands = draw(st.integers(1, 9)), draw(st.integers(1, 11)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(SEEDS))
    dtype = draw(st.sampled_from(["uint8", "int16", "float32", "float64"]))
    values = rng.integers(0, 200, (bands, height, width)).astype(dtype)
    if dtype.startswith("float"):
        values *= rng.choice([0.01, 1, 1e6])
    nodata = draw(st.sampled_from([None, 7, 255 if dtype == "uint8" else -1]))
    if nodata is not None:
        values[rng.random(values.shape) < rng.choice([0, 0.3, 0.95])] = nodata
    place = draw(st.sampled_from([*PLACED, "degrees"]))
    transform, crs = PLACED.get(place, DEGREES), METRIC if place in PLACED else STORAGE
    shapes = draw(
        st.one_of(st.lists(cutting.stars(), max_size=4), st.builds(cutting.mosaics, SEEDS, st.integers(1, 12)))
    )
    # Millions of metres away, corners that all but touch may come to touch.
    assume(frame(shapes, transform, crs).is_valid.all())
    return {
        "values": values, "nodata": nodata, "shapes": shapes, "transform": transform, "crs": crs,
        "block": draw(st.integers(1, 9)), "cells": draw(st.sampled_from([4, 30, 2**19])),
    }  # fmt: skip


def area_ha(scene: dict[str, Any]) -> Floats:
    height, width = scene["values"].shape[1:]
    return Grid(scene["crs"], scene["transform"], height, width).area_ha()


def run(scene: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Zonal, list[Floats]]:
    """Ours, and the values as they are meant."""
    monkeypatch.setattr("geo.rasters.TILE_CELLS", scene["cells"])
    with TemporaryDirectory() as folder:
        path = write(
            Path(folder) / "scene.tif", scene["values"], transform=scene["transform"], crs=scene["crs"],
            nodata=scene["nodata"], blockysize=scene["block"],
        )  # fmt: skip
        shapes = frame(scene["shapes"], scene["transform"], scene["crs"])
        found = zonal(shapes, path, statistics=STATISTICS, above=ABOVE, spread=threads(1))
    nodata = scene["nodata"]
    return found, [np.where(band == nodata, np.nan, band.astype(float)) for band in scene["values"]]


several = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)


@several
@given(scene=scenes())
def test_all_statistics_are_those_of_cells_cut_by_shapely(scene: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    found, bands = run(scene, monkeypatch)
    height, width = bands[0].shape
    share, sure = cutting.shares(scene["shapes"], height, width), ~cutting.in_doubt(scene["shapes"], height, width)
    for place, values in enumerate(bands):
        asked = Asked(values, area_ha(scene), ABOVE, by_area=scene["crs"] == STORAGE)
        expected = cutting.statistics(share, asked)
        scale = np.nanmax(np.abs(values), initial=1.0) * max(asked.area_ha.max(), 1.0)
        for name in map(str, expected):
            ours, theirs = found[name].iloc[:, place].to_numpy(), expected[name].to_numpy()
            if name in ADDITIVE:
                assert np.nan_to_num(ours) == pytest.approx(np.nan_to_num(theirs), rel=1e-9, abs=1e-9 * scale), name
            assert ours[sure] == pytest.approx(theirs[sure], rel=1e-9, abs=1e-9 * scale, nan_ok=True), name


@several
@given(scene=scenes())
def test_inside_and_outside_sum_to_what_there_is(scene: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    found, bands = run(scene, monkeypatch)
    height, width = bands[0].shape
    union = shapely.union_all(scene["shapes"])
    rest = 1 - cutting.shares([union], height, width)
    disjoint = sum(shape.area for shape in scene["shapes"]) <= union.area * (1 + 1e-12)
    for place, values in enumerate(bands):
        ground = area_ha(scene)
        expected = cutting.statistics(rest, Asked(values, ground, ABOVE)).iloc[0].fillna(0)
        scale = 1e-9 * (np.nansum(np.abs(values)) + 1) * max(ground.max(), 1.0)
        total = found.total.iloc[place]
        assert total.tolist() == pytest.approx([np.nansum(values), np.count_nonzero(~np.isnan(values))], rel=1e-12)
        for name in ADDITIVE:
            left = found.outside[name].iloc[place]
            assert left == pytest.approx(expected[name], abs=scale), name
            if disjoint and name in total:
                assert found[name].iloc[:, place].sum() + left == pytest.approx(total[name], abs=scale), name


@several
@given(scene=scenes())
def test_statistics_keep_within_their_bounds(scene: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    found, bands = run(scene, monkeypatch)
    for place, values in enumerate(bands):
        t = pd.DataFrame({name: found[name].iloc[:, place] for name in STATISTICS})
        known = t["count"] > 0
        assert t.loc[~known, ["sum", "mean", "min", "max", "integral"]].isna().all(axis=None)
        slack = 1e-9 * (np.nanmax(np.abs(values), initial=1.0) + 1)
        assert not (t["min"] > t["mean"] + slack).any()
        assert not (t["mean"] > t["max"] + slack).any()
        assert (t["area_above_ha"] <= t["area_ha"] * (1 + 1e-12)).all()
        assert (t["count"] <= np.count_nonzero(~np.isnan(values)) * (1 + 1e-12)).all()
        assert found.measured.iloc[:, place].dropna().between(0, 1).all()


@settings(several, max_examples=30)
@given(scene=scenes(), seed=SEEDS)
def test_the_order_of_polygons_does_not_matter(scene: dict[str, Any], seed: int, monkeypatch: pytest.MonkeyPatch):
    first, _ = run(scene, monkeypatch)
    order = np.random.default_rng(seed).permutation(len(scene["shapes"]))
    second, _ = run(scene | {"shapes": [scene["shapes"][place] for place in order]}, monkeypatch)
    for name in ADDITIVE:
        close = pytest.approx(first[name].to_numpy()[order], rel=1e-12, abs=1e-12, nan_ok=True)
        assert second[name].to_numpy() == close
