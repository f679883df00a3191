"""TopoJSON: a coverage whose shared borders are stored once, on a grid of exact decimal degrees.

The arcs are found by the package ``topojson``. The grid is laid here, since its step is a round number of
degrees: decoded coordinates are exact to their last digit, in every reader and in GeoJSON alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import STORAGE, to_storage
from geo.errors import SourceError

STEP_DEG = 1e-4


def on_grid(frame: gpd.GeoDataFrame, *, step: float = STEP_DEG) -> gpd.GeoDataFrame:
    """Move every vertex to the nearest point of a grid, the same for all that share it.

    Parameters
    ----------
    frame : GeoDataFrame
        Any shapes, in any CRS.
    step : float, default 0.0001
        Grid step in degrees; 0.0001 is 11 m.

    Returns
    -------
    GeoDataFrame
        The shapes in EPSG:4326 without repeated vertices.
    """
    placed = to_storage(frame)
    decimals = decimals_of(step)
    shapes = shapely.transform(
        placed.geometry.to_numpy(), lambda points: np.round(np.round(points / step) * step, decimals)
    )
    shapes = shapely.remove_repeated_points(shapes)
    return placed.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=STORAGE))


def encode(
    frame: gpd.GeoDataFrame,
    *,
    name: str = "municipalities",
    step: float = STEP_DEG,
    groups: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Encode a coverage as TopoJSON, with unions of its polygons as further objects over the same arcs.

    Parameters
    ----------
    frame : GeoDataFrame
        A valid coverage; the index becomes each geometry's ``id``.
    name : str, default "municipalities"
        Name of the object.
    step : float, default 0.0001
        Grid step in degrees.
    groups : mapping of str to str, optional
        Object name to the column whose equal values are dissolved into one geometry each.

    Returns
    -------
    dict
        A TopoJSON topology with a transform and delta-encoded integer arcs.
    """
    from topojson import Topology

    placed = on_grid(frame, step=step)
    layers = {name: placed[[placed.geometry.name]]}
    for group, column in (groups or {}).items():
        layers[group] = _dissolve(placed, column)
    raw = Topology(list(layers.values()), object_name=list(layers), prequantize=False, shared_coords=True).to_dict()
    west, south = (round(float(edge), decimals_of(step)) for edge in placed.total_bounds[:2])
    return {
        "type": "Topology",
        "transform": {"scale": [step, step], "translate": [west, south]},
        "objects": {group: _collection(raw["objects"][group], layers[group].index) for group in layers},
        "arcs": [_delta(arc, (west, south), step) for arc in raw["arcs"]],
    }


def read(path: Path, name: str = "municipalities") -> gpd.GeoDataFrame:
    """Read one object of a TopoJSON file that :func:`encode` wrote.

    Parameters
    ----------
    path : Path
        The file.
    name : str, default "municipalities"
        Name of the object.

    Returns
    -------
    GeoDataFrame
        Geometry in EPSG:4326, indexed by the geometries' ``id``.

    Raises
    ------
    SourceError
        If the file cannot be read as TopoJSON or lacks the object.
    """
    try:
        topology = read_raw(path)
        return decode(topology, topology["objects"][name]["geometries"])
    except (OSError, ValueError, LookupError, TypeError, shapely.errors.ShapelyError) as cause:
        raise SourceError(f"{path} must be TopoJSON with an object {name!r}: {cause}; fetch it again") from cause


def read_raw(path: Path) -> dict[str, Any]:
    """Read a TopoJSON file as it is.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        The topology.
    """
    topology: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return topology


def decode(topology: Mapping[str, Any], geometries: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Decode geometries of a topology.

    Parameters
    ----------
    topology : mapping
        A TopoJSON topology with a transform.
    geometries : sequence of mappings
        Polygons and multipolygons of it, each with an ``id``.

    Returns
    -------
    GeoDataFrame
        Geometry in EPSG:4326, indexed by ``id``.
    """
    scale, translate = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    decimals = decimals_of(float(scale[0]))
    arcs = [np.round(np.cumsum(np.array(arc), axis=0) * scale + translate, decimals) for arc in topology["arcs"]]
    shapes = [_shape(geometry, arcs) for geometry in geometries]
    return gpd.GeoDataFrame(geometry=shapes, index=[geometry["id"] for geometry in geometries], crs=STORAGE)


def decimals_of(step: float) -> int:
    """Decimals that a multiple of a step of degrees needs: 4 for 0.0001, 5 for 0.00025.

    Parameters
    ----------
    step : float
        Grid step in degrees.

    Returns
    -------
    int
        The number of decimals.
    """
    return len(f"{step:.10f}".rstrip("0").split(".")[1])


def _dissolve(placed: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    unions = {
        label: shapely.coverage_union_all(members.geometry.to_numpy())
        for label, members in placed.groupby(column, sort=True)
    }
    return gpd.GeoDataFrame(geometry=list(unions.values()), index=list(unions), crs=placed.crs)


def _collection(raw: Mapping[str, Any], index: Any) -> dict[str, Any]:
    geometries = [
        {"type": geometry["type"], "id": label, "arcs": geometry["arcs"]}
        for label, geometry in zip(index, raw["geometries"], strict=True)
    ]
    return {"type": "GeometryCollection", "geometries": geometries}


def _delta(arc: Sequence[Sequence[float]], origin: tuple[float, float], step: float) -> list[list[int]]:
    places = np.rint((np.array(arc) - origin) / step).astype(int)
    steps: list[list[int]] = np.diff(places, axis=0, prepend=[[0, 0]]).tolist()
    return steps


def _shape(geometry: Mapping[str, Any], arcs: Sequence[Any]) -> shapely.Geometry:
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    shapes = [shapely.Polygon(rings[0], rings[1:]) for rings in ([_ring(r, arcs) for r in p] for p in polygons)]
    return shapes[0] if geometry["type"] == "Polygon" else shapely.MultiPolygon(shapes)


def _ring(references: Sequence[int], arcs: Sequence[Any]) -> Any:
    parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in references]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
