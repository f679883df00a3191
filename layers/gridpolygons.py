"""The portal's grid of coca density: polygons of 1 km cells with a field of hectares a year, made a grid again.

The data set v3rx-q7t3 of datos.gov.co holds 119,154 cells in longitude and latitude, and names its fields by no one
rule: ``areacoca_2001``, ``areacoca2004``, ``coca2022_``, ``areacoca2024``. It writes 0 where a survey found none, and
leaves a field out where it gives no figure: a blank is not measured.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo import cellular
from geo.crs import STORAGE, require_crs
from geo.errors import ConfigError, ConservationError, SchemaError, SourceError, listed
from layers.gridding import (
    MOST_OF_CELL,
    MOST_SHARE,
    Floats,
    Gridded,
    Unit,
    blanks,
    blocks_per_side,
    refuse_impossible,
    summed,
)
from layers.numbers import decimal_sign, parse_numbers
from layers.report import Kind, Report, found
from layers.text import fold
from layers.vectorfile import LARGEST, MALFORMED, read_shapes

# Where the grid may have been drawn: the national origin, Bogotá's, UTM 18N, other zones, Bogotá's old datum, degrees.
SYSTEMS = (
    "EPSG:9377", "EPSG:3116", "EPSG:32618", "EPSG:3115", "EPSG:3117", "EPSG:3114", "EPSG:3118", "EPSG:21897",
    "EPSG:4686",
)  # fmt: skip
SHAPES = ("the geom", "multipolygon", "geom", "geometry", "wkt", "shape")
YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
# What a shapefile leaves of areacoca_2001 and areacoca2004 is areacoca_2 and areacoca20.
CUT = re.compile(r"^area ?c\w* ?\d{0,3}$")
SHAPEFILES = frozenset({".shp", ".zip"})
BARE = re.compile(r"^(?:[a-z]{0,2} ?)(?:19|20)\d\d(?: ha)?$")
BETWEEN = re.compile(r"[\s,]*")
OVERLAP = 1.0 + cellular.TOLERANCE


def read(path: Path, *, years: Sequence[int], unit: Unit, finer: bool) -> Gridded:
    """Read grid polygons; see :func:`layers.density.load`.

    Parameters
    ----------
    path : Path
        A vector file, the portal's JSON, or CSV with a column of WKT.
    years : sequence of int
        The year of the one field of hectares that names none; where fields name their years, the same ones, or none.
    unit : {"ha", "share"}
        What the fields hold.
    finer : bool
        Whether cells of less than 1 km are kept.

    Returns
    -------
    Gridded
        Cells of 1 km or more, or the file's own.
    """
    raw = require_crs(_read(path), path.name)
    table = raw.drop(columns=raw.geometry.name)
    fields = year_fields(table, path, year=years[0] if len(years) == 1 else None)
    _refuse_contradicted(fields, years, path)
    figures = pd.DataFrame({y: _figures(raw[name], f"field {name!r} of {path.name}") for y, name in fields.items()})
    absent = _without_shape(raw, figures, path)
    kept, figures = raw[~absent], figures[~absent.to_numpy()].reset_index(drop=True)
    cells = cellular.lattice(kept.geometry, SYSTEMS, f"the polygons of {path.name}")
    hectares = _hectares(figures, cells, unit, path)
    _refuse_repeated(cells, hectares, path)
    totals = {year: math.fsum(hectares[year].dropna()) for year in fields if hectares[year].notna().any()}
    grid, row, col, by_cell = summed(
        cells.grid, cells.row, cells.col, hectares, blocks_per_side(cells.grid, finer=finer)
    )
    findings = (
        *found(Kind.LEFT_OUT, "rows without a shape and without coca", absent.index[absent] + 1),
        *found(Kind.NOTED, "polygons that are a piece of a cell", kept.index[~cells.whole] + 1),
        *blanks(by_cell),
    )
    report = Report(len(raw), len(kept), findings, totals)
    return Gridded(grid, row, col, by_cell, report, largest=float(figures.max().max()))


def year_fields(table: pd.DataFrame, file: Path, *, year: int | None = None) -> dict[int, str]:
    """Find the fields of hectares by the year that their names tell.

    Parameters
    ----------
    table : DataFrame
        Attributes of the cells.
    file : Path
        Where they came from, for messages.
    year : int, optional
        The year of a field of hectares that names none.

    Returns
    -------
    dict of int to str
        Fields by year, the earliest first: those that name coca, or else those whose name is little more than a year.

    Raises
    ------
    SchemaError
        If there is none, if none tells a year, if two tell one, or if a shapefile has cut the years off.
    """
    names = {str(column): fold(str(column)) for column in table}
    coca = {column: name for column, name in names.items() if "coca" in name or CUT.match(name)}
    cut = [column for column, name in coca.items() if CUT.match(name) and not _years(name)]
    if year is not None and len(coca) == 1 and not _years(*coca.values()):
        return {year: next(iter(coca))}
    if cut:
        _refuse_untold(cut, list(coca), file)
    told = coca or {column: name for column, name in names.items() if BARE.match(name)}
    fields: dict[int, str] = {}
    for column, name in told.items():
        for each in _years(name):
            if fields.setdefault(each, column) != column:
                raise SchemaError(
                    f"{file.name} must have one field for {each}; found {fields[each]!r} and {column!r}: remove one"
                )
    if not fields and coca:
        _refuse_untold(list(coca), list(coca), file)
    if not fields:
        raise SchemaError(
            f"{file.name} must have fields of hectares by year (such as areacoca_2020); its fields are "
            f"{listed(names, most=12)}: rename those that hold them"
        )
    return dict(sorted(fields.items()))


def _refuse_untold(names: Sequence[str], coca: Sequence[str], file: Path) -> None:
    """Refuse fields of coca that tell no year; of a file with one such field it may be stated."""
    if file.suffix.lower() in SHAPEFILES:
        raise SchemaError(
            f"{file.name} must name the year of each field of hectares; these names are cut off: {listed(names)}: "
            "shapefiles keep 10 letters, so export it as GeoJSON or GeoPackage"
        )
    mend = (
        "state it with --years 2020 (scripts/density.py) or --density-years 2020 (scripts/zone.py)"
        if len(coca) == 1
        else "give each a name with its year, such as areacoca_2020"
    )
    raise SchemaError(
        f"{file.name} must name the year of each field of hectares; no field tells its year ({listed(names)}): {mend}"
    )


def _refuse_contradicted(fields: dict[int, str], years: Sequence[int], file: Path) -> None:
    """Refuse years that are given for fields that name others."""
    if years and sorted(years) != list(fields):
        raise ConfigError(
            f"the years given must be those that the fields of {file.name} name; {listed(years)} were given, and the "
            f"fields name {listed(fields)}: leave the years out, or name the fields by theirs"
        )


def _years(*names: str) -> list[int]:
    """The one year that a folded name tells; names with several tell none."""
    # Letters stick to digits (areacoca2004) and fold() keeps them so.
    return [int(years[0]) for name in names if len(years := YEAR.findall(name)) == 1]


def _read(path: Path) -> gpd.GeoDataFrame:
    """Shapes and attributes, of whatever form."""
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".json"}:
        return read_shapes(path, wanted=_promising, kind="Polygon")
    if not path.is_file():
        raise SourceError(f"{path} must be a file of grid polygons and is not there; check the path")
    if path.stat().st_size > LARGEST:
        raise SourceError(f"{path} must be smaller than {LARGEST:,} bytes; give the grid as the portal publishes it")
    try:
        if suffix == ".csv":
            return _from_text(path)
        with path.open("rb") as file:
            opening = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return _from_rows(path) if opening == b"[" else read_shapes(path, wanted=_promising, kind="Polygon")
    except MALFORMED as cause:
        said = " ".join(str(cause).split())[:200] or type(cause).__name__
        raise SourceError(f"{path} must be a readable file of grid polygons: {said}; export it again") from cause


def _promising(attributes: pd.DataFrame) -> bool:
    return any(_years(fold(str(column))) for column in attributes)


def _from_text(path: Path) -> gpd.GeoDataFrame:
    """CSV, whose shapes are well-known text in longitude and latitude."""
    with path.open(encoding="utf-8-sig") as file:
        heading = file.readline()
    separator = max(",;\t", key=heading.count)
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    column = _shape_column(list(map(str, table)), path)
    shapes = shapely.from_wkt(table[column].str.strip().replace("", None).to_numpy())
    return gpd.GeoDataFrame(table.drop(columns=column), geometry=shapely.force_2d(shapes), crs=STORAGE)


def _from_rows(path: Path) -> gpd.GeoDataFrame:
    """The portal's JSON: a list of rows, each with its shape as GeoJSON."""
    attributes: list[dict[str, Any]] = []
    shapes: list[Any] = []
    column = ""
    for row in _rows(path.read_text(encoding="utf-8-sig")):
        column = column or _shape_column(row, path)
        shapes.append(_coordinates(row.pop(column, None)))
        attributes.append(row)
    if not attributes:
        raise SourceError(f"{path} must be a list of rows, each with a shape, and is empty; download it again")
    return gpd.GeoDataFrame(pd.DataFrame(attributes), geometry=_polygons(shapes), crs=STORAGE)


def _rows(text: str) -> Iterator[dict[str, Any]]:
    """One row after the other: all of them at once would take ten times the file's memory."""
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    while True:
        at = BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at all, too
        if text.startswith("]", at):
            return
        row, at = decoder.raw_decode(text, at)
        if not isinstance(row, dict):
            raise ValueError(f"a row must be an object and is {str(row)[:40]!r}")
        yield row


def _coordinates(shape: Any) -> Floats | shapely.Geometry | None:
    """The corners of a polygon of one ring, in two dimensions; any other shape as it is."""
    if not isinstance(shape, dict):
        return None
    rings = shape.get("coordinates")
    while isinstance(rings, list) and len(rings) == 1:
        rings = rings[0]
    if shape.get("type") in ("Polygon", "MultiPolygon") and rings and isinstance(rings[0][0], (int, float)):
        return np.array([point[:2] for point in rings], dtype=float)
    return shapely.force_2d(shapely.from_geojson(json.dumps(shape)))


def _polygons(shapes: list[Any]) -> npt.NDArray[np.object_]:
    """Shapes from their corners, all at once."""
    made = np.array([None if isinstance(shape, np.ndarray) else shape for shape in shapes], dtype=object)
    rings = {place: shape for place, shape in enumerate(shapes) if isinstance(shape, np.ndarray)}
    if rings:
        of = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings.values()])
        made[list(rings)] = shapely.polygons(shapely.linearrings(np.concatenate(list(rings.values())), indices=of))
    return made


def _shape_column(columns: Iterable[str], path: Path) -> str:
    names = {fold(str(column)): str(column) for column in columns}
    column = next((names[name] for name in SHAPES if name in names), None)
    if column is None:
        raise SchemaError(
            f"{path.name} must have a column of shapes (such as the_geom); its columns are "
            f"{listed(columns, most=12)}: rename the one that holds them"
        )
    return column


def _figures(cells: pd.Series, what: str) -> Floats:
    """A field as numbers; a figure that could be read both ways is decimal, since no cell holds a thousand hectares."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=float)
    quick = pd.to_numeric(cells, errors="coerce")
    if (quick.notna() | cells.isna() | cells.eq("")).all():
        return quick.to_numpy(dtype=float)
    place, different = pd.factorize(cells.astype(object))
    texts = pd.Series(different, dtype=object)
    if decimal_sign(texts, what) is None:
        sign = "," if texts.astype(str).str.contains(",", regex=False).any() else "."
        texts = pd.concat([texts, pd.Series([f"0{sign}5"])], ignore_index=True)
    values = parse_numbers(texts, what).to_numpy(dtype=float)[: len(different)]
    return np.append(values, np.nan)[place]


def _without_shape(raw: gpd.GeoDataFrame, figures: pd.DataFrame, path: Path) -> pd.Series:
    """Rows without a shape; none of them may hold any coca."""
    absent = raw.geometry.isna() | raw.geometry.is_empty
    held = absent & (figures.sum(axis=1) > 0).to_numpy()
    if held.any():
        raise ConservationError(
            f"{path.name} must have a polygon for every row with coca; rows {listed(held.index[held] + 1)} hold "
            f"{figures[held.to_numpy()].sum().sum():,.2f} ha over the years and have none: add or remove them"
        )
    return absent


def _hectares(figures: pd.DataFrame, cells: cellular.Lattice, unit: Unit, path: Path) -> pd.DataFrame:
    """Figures as hectares; those that a cell cannot hold are refused."""
    rows, place = np.unique(cells.row, return_inverse=True)
    area = (cells.grid.area_ha(rows.tolist())[place] * (cells.covered if unit == "share" else 1.0))[:, None]
    most = MOST_SHARE if unit == "share" else area * MOST_OF_CELL
    values = figures.to_numpy()
    wrong = (values < 0) | (values > most) | np.isinf(values)
    if wrong.any():
        places = np.argwhere(wrong)
        shown = [f"{values[r, c]:g} in {figures.columns[c]} (row {r + 1})" for r, c in places[:8]]
        refuse_impossible(shown, len(places), path.name, unit)
    return figures * area if unit == "share" else figures


def _refuse_repeated(cells: cellular.Lattice, hectares: pd.DataFrame, path: Path) -> None:
    """Refuse cells that come twice, unless they are pieces of one cell with figures of their own."""
    key = pd.Series(cells.row * cells.grid.width + cells.col)
    again = key.duplicated(keep=False)
    if not again.any():
        return
    covered = pd.Series(cells.covered).groupby(key).transform("sum")
    whole = again & (covered > OVERLAP)
    same = again & hectares.fillna(-1).assign(key=key).duplicated(keep=False) & (hectares.sum(axis=1) > 0)
    if whole.any() or same.any():
        why = "come more than once" if whole.any() else "are in pieces that all have the same figures"
        wrong = whole if whole.any() else same
        raise ConservationError(
            f"{path.name} must give each cell's hectares once; {_cell_count(key, wrong):,} cells {why} "
            f"(rows {listed(wrong.index[wrong] + 1)}): their hectares would be counted twice; remove the repeated rows"
        )


def _cell_count(key: pd.Series, wrong: pd.Series) -> int:
    return int(key[wrong].nunique())
