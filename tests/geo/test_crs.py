"""The two coordinate systems: known points land where they should, and shapes that do not say where they are do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point

from geo import crs
from geo.crs import METRIC, STORAGE, require_crs, to_metric, to_storage
from geo.errors import GeometryError

UNSAID = gpd.GeoSeries([Point(-74, 4)])
GUARDS: list[Callable[[gpd.GeoSeries, str], gpd.GeoSeries]] = [require_crs, to_metric, to_storage]


def test_data_are_stored_in_4326_and_measured_in_9377():
    assert (STORAGE, METRIC) == ("EPSG:4326", "EPSG:9377")


def test_the_origin_of_the_national_system_is_where_its_resolution_puts_it():
    """IGAC, resolution 471 of 2020: 73° W 4° N has the false easting 5,000,000 and northing 2,000,000."""
    origin = to_metric(gpd.GeoSeries([Point(-73, 4)], crs=STORAGE))
    assert origin.crs == METRIC
    np.testing.assert_allclose(shapely.get_coordinates(origin.to_numpy()), [[5_000_000, 2_000_000]], atol=1e-3)


def test_stored_shapes_have_the_longitude_first():
    stored = to_storage(gpd.GeoSeries([Point(5_000_000, 2_000_000)], crs=METRIC))
    assert stored.crs == STORAGE
    np.testing.assert_allclose(shapely.get_coordinates(stored.to_numpy()), [[-73, 4]], atol=1e-9)


@given(st.floats(-79, -67), st.floats(-4, 12.5))
def test_there_and_back_is_the_same_place(lon: float, lat: float):
    there = to_metric(gpd.GeoSeries([Point(lon, lat)], crs=STORAGE))
    np.testing.assert_allclose(shapely.get_coordinates(to_storage(there).to_numpy()), [[lon, lat]], atol=1e-9)


@given(st.floats(-79, -67), st.floats(-4, 12.5), st.floats(0, 360))
def test_a_kilometre_on_the_mainland_errs_by_at_most_half_a_percent(lon: float, lat: float, azimuth: float):
    east, north, _ = Geod(ellps="GRS80").fwd(lon, lat, azimuth, 1_000)
    ends = to_metric(gpd.GeoSeries([Point(lon, lat), Point(east, north)], crs=STORAGE))
    assert ends.iloc[0].distance(ends.iloc[1]) == pytest.approx(1_000, rel=0.005)


def test_a_stated_system_passes_untouched_and_what_is_there_already_stays():
    frame = gpd.GeoDataFrame({"coca_ha": [7.0]}, geometry=[Point(-74, 4)], index=["05001"], crs="EPSG:4686")
    assert require_crs(frame, "the boundaries") is frame
    for moved, system in ((to_metric(frame), METRIC), (to_storage(frame), STORAGE)):
        assert moved.crs == system
        assert list(moved.index) == ["05001"]
        assert moved["coca_ha"].tolist() == [7.0]
    assert frame.crs == "EPSG:4686"


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("shapes", [UNSAID, gpd.GeoDataFrame(geometry=UNSAID)], ids=["series", "frame"])
def test_shapes_without_a_system_are_refused_by_name(guard, shapes):
    with pytest.raises(GeometryError, match=r"^the boundaries of my\.gpkg must state a coordinate reference"):
        guard(shapes, "the boundaries of my.gpkg")


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("srs_id", [-1, 0])
def test_the_undefined_system_of_a_geopackage_is_none(guard, srs_id: int):
    """GeoPackage 1.3, requirement 11: -1 is undefined Cartesian, 0 undefined geographic."""
    kind, axes = ("ENGCRS", "Cartesian,2") if srs_id else ("GEOGCRS", "ellipsoidal,2")
    shapes = gpd.GeoSeries([Point(-74, 4)], crs=_undefined(kind, axes))
    with pytest.raises(GeometryError, match=r"^file\.gpkg must state a coordinate reference system"):
        guard(shapes, "file.gpkg")


def _undefined(kind: str, axes: str) -> str:
    if kind == "ENGCRS":
        unit, datum = 'LENGTHUNIT["metre",1]', 'EDATUM["Unknown engineering datum"]'
        names = ('"x",east', '"y",north')
        title = "Undefined Cartesian SRS"
    else:
        unit, datum = (
            'ANGLEUNIT["degree",0.0174532925199433]',
            'DATUM["unknown",ELLIPSOID["unknown",6378137,298.257223563]]',
        )
        names = ('"latitude",north', '"longitude",east')
        title = "Undefined geographic SRS"
    return f'{kind}["{title}",{datum},CS[{axes}],AXIS[{names[0]}],AXIS[{names[1]}],{unit}]'


def test_a_geopackage_without_a_system_is_refused_once_it_is_read(tmp_path: Path):
    path = tmp_path / "unsaid.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame({"code": ["05001"]}, geometry=UNSAID).to_file(path)
    with pytest.raises(GeometryError, match="states none"):
        require_crs(gpd.read_file(path), path.name)


def test_the_message_says_what_to_do_in_one_line():
    with pytest.raises(GeometryError) as refused:
        require_crs(UNSAID, "the file")
    assert "assign it in the file" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_module_offers_guards_and_two_names():
    assert {"METRIC", "STORAGE", "require_crs", "to_metric", "to_storage"} <= set(vars(crs))
