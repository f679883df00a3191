"""What a run leaves behind: GeoJSON after RFC 7946, and CSV."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import mapping

from geo.crs import to_storage

Table = TypeVar("Table", bound=pd.DataFrame)

COORDINATE_DECIMALS = 6
FIGURE_DECIMALS = 6
SCORE_DECIMALS = 12
CONTRIBUTION = "contribution_"
COLUMNS = (
    "name", "department_code", "department", "population", "area_km2", "coca_ha", "coca_ha_per_km2",
    "coca_trend_ha_per_year", "permanence", "permanence_class", "hot_spot", "eradicated_ha", "net_eradicated_low_ha",
    "net_eradicated_high_ha", "resurgence", "regrown_ha", "neighbours_change_ha", "displacement_ha", "diffusion_ha",
    "farc_events", "farc_events_per_10k", "homicide_rate", "station_km", "people_beyond", "score", "coverage", "rank",
    "rank_low", "rank_high", "top_share", "high_cultivation", "vacated", "pdet", "etcr", "reserve_share",
    "council_share", "park_share", "zone",
)  # fmt: skip
# Only where a density layer was given.
CELL_COLUMNS = ("station_km_from", "coca_within_5km", "coca_within_10km", "coca_within_20km")
WHOLE = frozenset({"population", "farc_events", "people_beyond", "rank", "rank_low", "rank_high"})


def attributes(municipalities: pd.DataFrame, contributions: pd.DataFrame) -> pd.DataFrame:
    """The columns that ``municipalities.geojson`` and ``scores.csv`` share.

    Parameters
    ----------
    municipalities : DataFrame
        Index ``code``; all of ``COLUMNS``.
    contributions : DataFrame
        Candidates by criteria.

    Returns
    -------
    DataFrame
        ``COLUMNS``, those of ``CELL_COLUMNS`` that there are, and a column ``contribution_NAME`` a criterion; whole
        numbers as such, missing values as missing.
    """
    parts = contributions.add_prefix(CONTRIBUTION).reindex(municipalities.index).round(SCORE_DECIMALS)
    names = [*COLUMNS, *(name for name in CELL_COLUMNS if name in municipalities)]
    table = municipalities[names].round(dict.fromkeys(names, FIGURE_DECIMALS))
    table["score"] = municipalities["score"].round(SCORE_DECIMALS)
    return table.astype(dict.fromkeys(WHOLE, "Int64")).join(parts)


def rounded(table: Table) -> Table:
    """A table with its figures as files have them: 6912.05, not 6912.049999999999.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        Any columns.

    Returns
    -------
    DataFrame or GeoDataFrame
        The same columns, to six decimals; ``score`` to twelve.
    """
    decimals = {
        str(name): SCORE_DECIMALS if name == "score" else FIGURE_DECIMALS for name in table.select_dtypes("float")
    }
    return table.assign(**{name: table[name].round(places) for name, places in decimals.items()})


def features(frame: gpd.GeoDataFrame) -> Iterator[str]:
    """Write rows as GeoJSON features, in EPSG:4326 to six decimals, exterior rings counter-clockwise.

    Parameters
    ----------
    frame : GeoDataFrame
        In any stated CRS; a named index becomes the first property. Missing values become null.

    Yields
    ------
    str
        A feature, without line breaks.
    """
    return _features(*_portable(frame))


def write_geojson(frame: gpd.GeoDataFrame, path: Path, *, foreign: Mapping[str, Any] | None = None) -> None:
    """Write features after RFC 7946: longitude first, exterior rings counter-clockwise, no CRS member, a bbox.

    Parameters
    ----------
    frame : GeoDataFrame
        In any stated CRS; a named index becomes the first property. Missing values become null.
    path : Path
        The file to write; one feature a line.
    foreign : mapping of str to any, optional
        Members of the collection beyond the standard's, each on a line before the features.
    """
    shapes, table = _portable(frame)
    edges = [float(edge) for edge in shapely.total_bounds(shapes)] if len(shapes) else [math.nan]
    bbox = [round(edge, COORDINATE_DECIMALS) for edge in edges] if all(map(math.isfinite, edges)) else None
    members = [f"{_json(name)}:{_json(_plain(value))},\n" for name, value in (foreign or {}).items()]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection",' + (f'"bbox":{_json(bbox)},' if bbox else ""))
        file.write("".join(["\n", *members]) if members else "")
        file.write('"features":[\n')
        file.write(",\n".join(_features(shapes, table)))
        file.write("\n]}\n")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8, comma separated, missing values blank.

    Parameters
    ----------
    table : DataFrame
        The index becomes the first column.
    path : Path
        The file to write.
    """
    written = table.replace([np.inf, -np.inf], np.nan)
    types = pd.api.types
    others = [name for name in table if types.is_bool_dtype(table[name]) or not types.is_numeric_dtype(table[name])]
    for name in others:
        written[name] = [str(value).lower() if isinstance(value, bool | np.bool_) else value for value in table[name]]
    # A carriage return ends a row for most readers; the csv module quotes it only where it quotes all text.
    broken = any("\r" in value for name in others for value in table[name] if isinstance(value, str))
    written.to_csv(path, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL)


def write_json(value: Mapping[str, Any] | Sequence[Any], path: Path) -> None:
    """Write a mapping or a list as indented JSON, missing numbers as null.

    Parameters
    ----------
    value : mapping or sequence
        What JSON can hold.
    path : Path
        The file to write.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _portable(frame: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.object_], pd.DataFrame]:
    """Shapes in EPSG:4326, rounded, with rings as RFC 7946 has them; and properties, whole numbers as such."""
    placed = to_storage(frame)
    shapes = shapely.transform(placed.geometry.to_numpy(), lambda points: np.round(points, COORDINATE_DECIMALS))
    columns = placed.drop(columns=placed.geometry.name)
    counted = columns.astype({name: "Int64" for name in columns if name in WHOLE and _countable(columns[name])})
    return shapely.orient_polygons(shapes), counted.reset_index() if placed.index.name is not None else counted


def _features(shapes: npt.NDArray[np.object_], table: pd.DataFrame) -> Iterator[str]:
    return (_feature(shape, record) for shape, record in zip(shapes, _records(table), strict=True))


def _feature(shape: shapely.Geometry | None, record: Mapping[str, Any]) -> str:
    drawn = None if shape is None else mapping(cast("Any", shape))
    return f'{{"type":"Feature","properties":{_json(record)},"geometry":{_json(drawn)}}}'


def _countable(figures: pd.Series) -> bool:
    """Whether figures are whole numbers or missing."""
    return pd.api.types.is_numeric_dtype(figures) and bool((figures.dropna() % 1 == 0).all())


def _records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = [[_plain(value) for value in table[name]] for name in table]
    rows = zip(*columns, strict=True) if columns else ((),) * len(table)
    return (dict(zip(table.columns, row, strict=True)) for row in rows)


def _plain(value: Any) -> Any:
    """A value as JSON holds it: numpy's and pandas' missing values and infinities are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    if value is pd.NA or value is pd.NaT:
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
