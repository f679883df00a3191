"""Formats of GIS that hold types exactly: GeoParquet, and FlatGeobuf with its spatial index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from geo.crs import STORAGE
from geo.errors import OutputError
from maps.formats import geojson
from maps.formats.dataset import Dataset, Field, Kind, Lang

if TYPE_CHECKING:
    import pyarrow as pa

GEOMETRY, BBOX = "geometry", "bbox"
EDGES = ("xmin", "ymin", "xmax", "ymax")
GEOPARQUET = "1.1.0"
OWN = "presencia"  # key of our own metadata
# By these names GDAL hands a column's alias and meaning from Arrow to a format that has room for them.
ALIAS, COMMENT = "GDAL:OGR:alternative_name", "GDAL:OGR:comment"
WKB = {"ARROW:extension:name": "geoarrow.wkb"}
SHAPELESS = "geojson, csv, xlsx, parquet and gpkg"


def write_parquet(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    """Write GeoParquet 1.1 (geoparquet.org/releases/v1.1.0): WKB, zstd, and a column of boxes to find rows by.

    What the dataset is stands in the file's metadata under ``presencia``, in JSON; a column's alias and meaning in
    those of the column.

    Parameters
    ----------
    data : Dataset
        One without shapes becomes plain Parquet.
    path : Path
        The file to write.
    lang : {"es", "en"}, default "es"
        Language of title, caveats and aliases.
    """
    import pyarrow.parquet as pq

    table, stated = _arrow(data, lang), {OWN: _json(geojson.about(data, lang))}
    if data.shapes is not None:
        shapes = data.shapes.geometry.to_numpy()
        table = table.append_column(GEOMETRY, _wkb(shapes)).append_column(BBOX, _boxes(shapes))
        stated["geo"] = _json(_geo(data.shapes))
    pq.write_table(table.replace_schema_metadata(stated), path, compression="zstd")


def write_flatgeobuf(data: Dataset, path: Path, *, lang: Lang = "es") -> None:
    """Write FlatGeobuf with title, caveats and a spatial index, by whose order the rows stand.

    Parameters
    ----------
    data : Dataset
        With shapes; polygons become multipolygons where there are both. A row without a shape costs the index.
    path : Path
        The file to write.
    lang : {"es", "en"}, default "es"
        Language of title, caveats and aliases.

    Raises
    ------
    OutputError
        If the dataset has no shapes.
    """
    import pyarrow as pa
    import pyogrio

    if data.shapes is None:
        raise OutputError(f"FlatGeobuf holds shapes, and {data.name} has none: write it as {SHAPELESS}")
    kind, shapes = alike(data.shapes.geometry.to_numpy())
    table, about = _arrow(data, lang), geojson.about(data, lang)
    pyogrio.write_arrow(
        table.append_column(pa.field(GEOMETRY, pa.binary(), metadata=WKB), _wkb(shapes)),
        path,
        driver="FlatGeobuf",
        layer=data.name,
        geometry_name=GEOMETRY,
        geometry_type=kind,
        crs=STORAGE,
        layer_metadata={key: str(about[key]) for key in ("year", "as_of", "run")},
        layer_options={
            "TITLE": about["title"],
            "DESCRIPTION": " ".join(about["caveats"]),
            "SPATIAL_INDEX": "NO" if shapely.is_missing(shapes).any() else "YES",
        },
    )


def alike(shapes: npt.NDArray[np.object_]) -> tuple[str, npt.NDArray[np.object_]]:
    """Shapes of one type, for formats whose layers have one.

    Parameters
    ----------
    shapes : array of Geometry
        With None where there is none.

    Returns
    -------
    str
        ``Point``, ``Polygon``, ``MultiPolygon`` or the like; ``Unknown`` where there are none, or of several kinds.
    array of Geometry
        The same shapes; polygons as multipolygons where there are both.
    """
    kinds = set(gpd.GeoSeries(shapes).geom_type.dropna())
    if kinds == {"Polygon", "MultiPolygon"}:
        single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        promoted = shapes.copy()
        promoted[single] = [shapely.MultiPolygon([shape]) for shape in shapes[single]]
        return "MultiPolygon", promoted
    return (kinds.pop() if len(kinds) == 1 else "Unknown"), shapes


def _arrow(data: Dataset, lang: Lang) -> pa.Table:
    """The columns beside the geometry, each of its kind's type even where nothing is known."""
    import pyarrow as pa

    types: Mapping[Kind, pa.DataType] = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
    }
    table = data.table
    columns = [pa.array(table[field.name], type=types[field.kind], from_pandas=True) for field in data.fields]
    fields = [pa.field(field.name, types[field.kind], metadata=_told(field, lang)) for field in data.fields]
    return pa.table(columns, schema=pa.schema(fields))


def _told(field: Field, lang: Lang) -> dict[str, str]:
    said = {
        ALIAS: field.alias(lang),
        COMMENT: field.meaning,
        "unit": field.unit_in(lang),
        "missing": field.missing,
    }
    return {key: text for key, text in said.items() if text}


def _wkb(shapes: npt.NDArray[np.object_]) -> pa.Array:
    import pyarrow as pa

    return pa.array(shapely.to_wkb(shapes, byte_order=1), type=pa.binary())


def _boxes(shapes: npt.NDArray[np.object_]) -> pa.Array:
    """The box of each shape, null where there is none."""
    import pyarrow as pa

    edges = [pa.array(edge, type=pa.float64()) for edge in shapely.bounds(shapes).reshape(-1, len(EDGES)).T]
    return pa.StructArray.from_arrays(edges, names=list(EDGES), mask=pa.array(shapely.is_missing(shapes), pa.bool_()))


def _geo(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """The metadata that make it GeoParquet."""
    edges = frame.total_bounds.tolist()
    known = {BBOX: edges} if np.isfinite(edges).all() else {}
    column = {
        "encoding": "WKB",
        "geometry_types": sorted(set(frame.geom_type.dropna())),
        "crs": CRS.from_user_input(STORAGE).to_json_dict(),
        "edges": "planar",
        "orientation": "counterclockwise",
        **known,
        "covering": {BBOX: {edge: [BBOX, edge] for edge in EDGES}},
    }
    return {"version": GEOPARQUET, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
