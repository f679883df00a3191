"""TopoJSON: what is written is read back to the last digit, by us and by GDAL, with every border stored once."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as limits

from geo import coverage, topology
from geo.errors import GeometryError, SourceError
from tests.geo.made import (
    EAST,
    NORTH,
    SEEDS,
    SIDE,
    Labels,
    as_pairs,
    coded,
    label_arrays,
    mosaic,
    mosaic_pairs,
    shuffled,
    unsaid,
    voronoi,
)

ENCLAVE = shapely.box(-74.6, 2.4, -74.4, 2.6)
AROUND = shapely.box(-75, 2, -74, 3).difference(ENCLAVE)
ISLANDS = shapely.MultiPolygon([shapely.box(-73, 2, -72, 3), shapely.box(-74, 2, -73.5, 3)])


def departments(seed: int, count: int = 20) -> gpd.GeoDataFrame:
    frame, _ = voronoi(seed, count)
    return frame.assign(department=[f"{place % 3:02d}" for place in range(count)])


def degrees(labels: Labels) -> gpd.GeoDataFrame:
    """A mosaic of pixels of 0.1 degrees."""

    def place(points: Any) -> Any:
        return np.round((points - (EAST, NORTH)) / SIDE) * 0.1 + (-75, 2)

    frame = mosaic(labels)
    return coded(shapely.transform(frame.geometry.to_numpy(), place), crs="EPSG:4326")


def decoded(topo: dict[str, Any], name: str = "municipalities") -> gpd.GeoDataFrame:
    return topology.decode(topo, topo["objects"][name]["geometries"])


def assert_same_shapes(found: gpd.GeoDataFrame, expected: gpd.GeoDataFrame) -> None:
    """Vertex by vertex, but for where a ring begins and which way it turns."""
    assert list(found.index) == list(expected.index)
    ours, theirs = (shapely.normalize(frame.geometry.to_numpy()) for frame in (found, expected))
    assert shapely.equals_identical(ours, theirs).all()


def segments(topo: dict[str, Any]) -> list[frozenset[tuple[int, int]]]:
    """Every segment of every arc, in steps of the grid."""
    return [
        frozenset(pair)
        for arc in topo["arcs"]
        for pair in pairwise(map(tuple, np.cumsum(np.array(arc), axis=0).tolist()))
    ]


# The grid


@pytest.mark.parametrize(("step", "decimals"), [(1, 0), (0.5, 1), (1e-4, 4), (0.00025, 5), (1e-5, 5), (1e-6, 6)])
def test_a_step_needs_so_many_decimals(step: float, decimals: int):
    assert topology.decimals_of(step) == decimals


@given(SEEDS)
@limits(max_examples=30)
def test_every_vertex_moves_to_the_nearest_point_of_the_grid(seed: int):
    frame, _ = voronoi(seed, 8)
    for step in (1e-4, 0.00025):
        placed = shapely.get_coordinates(topology.on_grid(frame, step=step).geometry.to_numpy())
        before = shapely.get_coordinates(frame.geometry.to_numpy())
        places = placed / step
        np.testing.assert_allclose(places, np.rint(places), atol=1e-6)
        if len(placed) == len(before):
            assert np.abs(placed - before).max() <= step / 2 + 1e-12


def test_places_on_the_grid_are_short_decimals_to_the_last_digit():
    placed = topology.on_grid(coded([shapely.box(-74.12344999, 0.1 + 0.2, -74, 1)], crs="EPSG:4326"))
    assert {repr(float(x)) for x in shapely.get_coordinates(placed.geometry.to_numpy()).flat} == {
        *("-74.1234", "0.3", "-74.0", "1.0"),
    }


def test_vertices_that_fall_together_are_given_once():
    crowded = shapely.Polygon([(0, 0), (1, 0), (1.00001, 0.00002), (1, 1), (0, 1)])
    placed = topology.on_grid(coded([crowded], crs="EPSG:4326"))
    assert placed.geometry.iloc[0].equals_exact(shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)]), 0)


def test_shapes_in_metres_are_placed_in_degrees_and_those_that_do_not_say_are_refused():
    frame, _ = voronoi(0, 5)
    assert topology.on_grid(frame.to_crs(9377)).crs == "EPSG:4326"
    assert_same_shapes(topology.on_grid(frame.to_crs(9377)), topology.on_grid(frame))
    with pytest.raises(GeometryError):
        topology.encode(unsaid(frame))


# There and back


@given(SEEDS)
@limits(max_examples=40)
def test_voronoi_cells_come_back_as_they_stand_on_the_grid(seed: int):
    frame, links = voronoi(seed)
    back = decoded(topology.encode(frame))
    assert_same_shapes(back, topology.on_grid(frame))
    assert coverage.is_coverage(back)
    assert as_pairs(coverage.neighbours(back)) <= links  # a border shorter than a step may become a corner


@given(label_arrays())
@limits(max_examples=60)
def test_shapes_with_holes_enclaves_and_parts_come_back(labels: Labels):
    """Vertices in the middle of a straight border may go; those where a third shape begins stay."""
    frame = degrees(labels)
    topo = topology.encode(frame)
    back = decoded(topo)
    assert list(back.index) == list(frame.index)
    assert shapely.equals(back.geometry.to_numpy(), topology.on_grid(frame).geometry.to_numpy()).all()
    assert coverage.is_coverage(back)
    assert as_pairs(coverage.neighbours(back)) == mosaic_pairs(labels)
    assert len(set(segments(topo))) == len(segments(topo))


@pytest.mark.parametrize("step", [1e-3, 1e-4, 0.00025, 1e-6])
def test_any_step_comes_back_to_its_last_digit(step: float):
    frame, _ = voronoi(3)
    assert_same_shapes(decoded(topology.encode(frame, step=step)), topology.on_grid(frame, step=step))


def test_an_enclave_and_islands_come_back():
    frame = coded([AROUND, ENCLAVE, ISLANDS], crs="EPSG:4326")
    back = decoded(topology.encode(frame))
    assert back.geom_type.tolist() == ["Polygon", "Polygon", "MultiPolygon"]
    assert_same_shapes(back, frame)


@given(SEEDS)
@limits(max_examples=30)
def test_every_border_is_stored_once_for_both_sides_and_all_objects(seed: int):
    topo = topology.encode(departments(seed), groups={"departments": "department"})
    stored = segments(topo)
    assert len(set(stored)) == len(stored)
    used = {frozenset(pair) for pair in _rings(topology.on_grid(departments(seed)), topo["transform"])}
    assert set(stored) == used


def _rings(placed: gpd.GeoDataFrame, transform: dict[str, Any]) -> list[tuple[tuple[int, int], ...]]:
    rings = shapely.get_rings(placed.geometry.to_numpy())
    steps = [np.rint((shapely.get_coordinates(r) - transform["translate"]) / transform["scale"]) for r in rings]
    return [pair for ring in steps for pair in pairwise(map(tuple, ring.astype(int).tolist()))]


# Groups


@given(SEEDS)
@limits(max_examples=30)
def test_a_group_is_the_union_of_its_members_over_the_same_arcs(seed: int):
    frame = departments(seed)
    topo = topology.encode(frame, groups={"departments": "department"})
    assert list(topo["objects"]) == ["municipalities", "departments"]
    found = decoded(topo, "departments")
    placed = topology.on_grid(frame)
    assert list(found.index) == ["00", "01", "02"]
    for label, shape in found.geometry.items():
        assert shape.equals(shapely.union_all(placed[frame["department"] == label].geometry.to_numpy()))
    assert_same_shapes(decoded(topo), placed)


def test_several_groups_stand_beside_each_other():
    frame = departments(1).assign(country="CO")
    topo = topology.encode(frame, name="places", groups={"departments": "department", "country": "country"})
    assert list(topo["objects"]) == ["places", "departments", "country"]
    whole = decoded(topo, "country").geometry["CO"]
    assert whole.equals(shapely.box(-75, 2, -74, 3))


# The form


def test_it_is_topojson_with_integer_steps():
    frame, _ = voronoi(2)
    topo = json.loads(json.dumps(topology.encode(frame)))
    assert topo["type"] == "Topology"
    assert topo["transform"] == {"scale": [1e-4, 1e-4], "translate": [-75.0, 2.0]}
    collection = topo["objects"]["municipalities"]
    assert collection["type"] == "GeometryCollection"
    assert [geometry["id"] for geometry in collection["geometries"]] == list(frame.index)
    assert all(isinstance(step, int) for arc in topo["arcs"] for place in arc for step in place)
    assert all(len(arc) >= 2 for arc in topo["arcs"])


def test_gdal_reads_the_same_shapes(tmp_path: Path):
    path = tmp_path / "places.topojson"
    frame = coded([*departments(5).geometry, ISLANDS], crs="EPSG:4326")
    frame["department"] = [f"{place % 3:02d}" for place in range(len(frame))]
    path.write_text(json.dumps(topology.encode(frame, groups={"departments": "department"})), encoding="utf-8")
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["municipalities", "departments"]
    for layer, count in (("municipalities", len(frame)), ("departments", 3)):
        theirs = pyogrio.read_dataframe(path, layer=layer).set_index("id")
        ours = topology.read(path, layer)
        assert len(theirs) == count
        assert list(theirs.index) == list(ours.index)
        read, held = (shapely.normalize(each.geometry.to_numpy()) for each in (theirs, ours))
        assert shapely.equals_exact(read, held, tolerance=1e-9).all()


def test_the_same_frame_gives_the_same_bytes():
    first, second = (json.dumps(topology.encode(departments(7), groups={"d": "department"})) for _ in range(2))
    assert first == second


@given(SEEDS)
@limits(max_examples=20)
def test_the_shapes_do_not_depend_on_the_order_of_rows(seed: int):
    frame = departments(seed)
    other = topology.encode(shuffled(frame, seed), groups={"departments": "department"})
    assert_same_shapes(decoded(other).loc[frame.index], topology.on_grid(frame))
    assert list(decoded(other, "departments").index) == ["00", "01", "02"]
    assert set(segments(other)) == set(segments(topology.encode(frame)))


# Reading


def test_a_file_is_read_back_by_name(tmp_path: Path):
    path = tmp_path / "places.topojson"
    frame = departments(4)
    path.write_text(json.dumps(topology.encode(frame, groups={"departments": "department"})), encoding="utf-8")
    back = topology.read(path)
    assert back.crs == "EPSG:4326"
    assert_same_shapes(back, topology.on_grid(frame))
    assert list(topology.read(path, "departments").index) == ["00", "01", "02"]


GOOD_TRANSFORM = '"transform":{"scale":[1,1],"translate":[0,0]}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "null",
        "[]",
        "{}",
        '{"type":"FeatureCollection","features":[]}',
        '{"type":"Topology","objects":{"departments":{"geometries":[]}},"arcs":[]}',
        '{"type":"Topology","objects":{"municipalities":{"geometries":[]}},"arcs":[]}',
        f'{{"type":"Topology",{GOOD_TRANSFORM},"objects":{{"municipalities":{{"geometries":[]}}}}}}',
        f'{{"type":"Topology",{GOOD_TRANSFORM},"arcs":[],"objects":{{"municipalities":{{"geometries":'
        '[{"type":"Polygon","id":"05001","arcs":[[0]]}]}}}',
    ],
    ids=[
        *("empty", "text", "null", "list", "object", "GeoJSON", "other object"),
        *("no transform", "no arcs", "an arc that is not there"),
    ],
)
def test_a_file_that_is_not_such_topojson_is_refused_by_name(tmp_path: Path, text: str):
    path = tmp_path / "places.topojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"places\.topojson must be TopoJSON with an object 'municipalities'"):
        topology.read(path)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path: Path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes", "absent"):
        with pytest.raises(SourceError, match=f"{name} must be TopoJSON"):
            topology.read(tmp_path / name)
