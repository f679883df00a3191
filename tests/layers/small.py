"""Small things made by hand: squares in a row or a grid, and layers of a few rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from layers import territories
from layers.boundaries import Boundaries
from layers.tables import Layer, Spec

WEST, SOUTH, SIDE = -75.0, 2.0, 0.1


def square(column: int, row: int) -> shapely.Polygon:
    """A square of a grid of 0.1 degrees; those that touch share their border exactly."""
    xs = [round(WEST + SIDE * (column + step), 4) for step in (0, 1)]
    ys = [round(SOUTH + SIDE * (row + step), 4) for step in (0, 1)]
    return shapely.box(xs[0], ys[0], xs[1], ys[1])


def grid(codes: Sequence[str], *, columns: int) -> Boundaries:
    """Municipalities as squares, filled row by row from the south-west."""
    shapes = [square(place % columns, place // columns) for place in range(len(codes))]
    index = pd.Index(list(codes), name="code", dtype=object)
    centres = [shape.centroid for shape in shapes]
    facts = {
        "name": [f"Town {code}" for code in codes],
        "department_code": [code[:2] for code in codes],
        "department": [f"Department {code[:2]}" for code in codes],
        "area_km2": 100.0,
        "lon": [point.x for point in centres],
        "lat": [point.y for point in centres],
        "point": "inside",
    }
    frame = gpd.GeoDataFrame(facts, index=index, geometry=shapes, crs="EPSG:4326")
    return Boundaries(frame, Path("grid.gpkg"))


def layer(spec: Spec, figures: Mapping[tuple[str, int], float], *, years: Sequence[int] = ()) -> Layer:
    """A layer of these figures by code and year; it covers the years that occur, if none are given."""
    rows = [(code, year, float(figure)) for (code, year), figure in sorted(figures.items())]
    frame = pd.DataFrame(rows, columns=["code", "year", spec.value])
    covered = years or sorted({year for _, year in figures})
    return Layer(spec, frame, tuple(covered), Path(f"{spec.name}.csv"))


def posts(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    """Police stations at these longitudes and latitudes."""
    lon, lat = [place[0] for place in places], [place[1] for place in places]
    columns = {"kind": "station", "name": [f"ESTACION {n}" for n in range(len(places))], "lon": lon, "lat": lat}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def site(kind: str, lon: float, lat: float) -> gpd.GeoDataFrame:
    """A site of the accord."""
    return gpd.GeoDataFrame(
        {"kind": [kind], "name": "Site"}, geometry=gpd.points_from_xy([lon], [lat]), crs="EPSG:4326"
    )


def special(shares: Mapping[str, tuple[float, float, float]]) -> pd.DataFrame:
    """Shares in reserves, councils and parks by code."""
    index = pd.Index(list(shares), name="code", dtype=object)
    return pd.DataFrame(list(shares.values()), index, list(territories.SHARES.values()), dtype=float)


def no_facts() -> dict[str, Any]:
    """No municipality in any PDET region, none with a site of the accord, none measured for special rights."""
    index = pd.Index([], name="code", dtype=object)
    pdet = pd.Series([], index=index, name="pdet_region", dtype=object)
    return {"pdet": pdet, "sites": site("ETCR", 0, 0).iloc[:0], "special": special({})}
