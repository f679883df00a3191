"""A GeoPackage that opens as a finished map: data, styles, names and meanings of fields, and metadata in one file.

After OGC 12-128r18 (GeoPackage 1.3), with its extensions *Schema* (``gpkg_data_columns``) and *Metadata*; styles stand
in ``layer_styles``, where QGIS and GDAL look for them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyogrio

from geo.errors import OutputError, listed
from maps.formats import geojson, qgis, style
from maps.formats.dataset import Dataset, Field, Lang

VERSION = "1.3"  # GDAL 3.6 and QGIS 3.22 know no later one
GEOMETRY, FID = "geom", "fid"
GEOMETRIES = {"point": "Point", "polygon": "MultiPolygon", "other": "Unknown"}
MOST_NAME = 30  # letters of a style's name in QGIS's own table
FIELDS = {"es": "Nombres de los campos", "en": "Names of the fields"}
QGIS_METADATA = "http://mrcc.com/qgis.dtd"  # by which QGIS finds its own
OWN_METADATA = "urn:presencia:dataset"
SCHEMA = "http://www.geopackage.org/spec131/#extension_schema"
METADATA = "http://www.geopackage.org/spec131/#extension_metadata"
TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
  md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL,
  md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id));
CREATE TABLE IF NOT EXISTS layer_styles (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "f_table_catalog" TEXT(256), "f_table_schema" TEXT(256),
  "f_table_name" TEXT(256), "f_geometry_column" TEXT(256), "styleName" TEXT(30), "styleQML" TEXT, "styleSLD" TEXT,
  "useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30),
  "update_time" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
"""


def write(datasets: Sequence[Dataset], path: Path, *, lang: Lang = "es", styles: bool = True) -> None:
    """Write datasets as layers of one GeoPackage, the same inputs to the same bytes.

    Parameters
    ----------
    datasets : sequence of Dataset
        At least one, each of another name; one without shapes becomes a table of attributes.
    path : Path
        The file; one that is there is replaced.
    lang : {"es", "en"}, default "es"
        Language of titles, aliases, legends and caveats.
    styles : bool, default True
        Whether to add the styles of :func:`maps.formats.style.of`, the first of which QGIS applies by itself; a
        dataset without one has a style that only names its fields.

    Raises
    ------
    OutputError
        If there is no dataset, two have one name, two columns differ in capitals alone, or the file cannot be written.

    Notes
    -----
    Polygons are stored as multipolygons of one part, as a layer has one type. Dates that the format demands are
    31 December of the reference year.
    """
    _check(datasets, path)
    path.unlink(missing_ok=True)
    try:
        for data in datasets:
            with _dated(_date(data)):
                _layer(data, path)
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(TABLES)
            _register(database, datasets, styles=styles)
            for data in datasets:
                _describe(database, data, lang)
                if styles:
                    _add_styles(database, data, lang)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, sqlite3.Error, OSError) as cause:
        raise OutputError(f"{path} could not be written as a GeoPackage ({cause}): choose another folder") from cause


def _check(datasets: Sequence[Dataset], path: Path) -> None:
    names = [data.name.lower() for data in datasets]
    if not names:
        raise OutputError(f"{path} needs at least one dataset; found none: name one")
    if len(set(names)) < len(names):
        raise OutputError(f"layers of {path} need a name each; found {listed(names)}: name each once")
    for data in datasets:
        columns = [field.name for field in data.fields]
        alike = [name for name in columns if sum(name.lower() == other.lower() for other in columns) > 1]
        if alike:
            raise OutputError(
                f"a GeoPackage does not tell capitals apart in names of columns; {data.name} has {listed(alike)}: "
                "rename one, or choose another format"
            )


def _date(data: Dataset) -> str:
    return f"{data.about.year:04d}-12-31T00:00:00.000Z"


@contextmanager
def _dated(date: str) -> Iterator[None]:
    """GDAL's clock stands still."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": date})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _layer(data: Dataset, path: Path) -> None:
    shapes = data.shapes
    options: dict[str, Any] = {"FID": _free(FID, data)}
    if shapes is not None:
        geometry = GEOMETRIES[style.drawn(data)]
        options |= {"GEOMETRY_NAME": _free(GEOMETRY, data)}
    pyogrio.write_dataframe(
        data.table if shapes is None else shapes,
        path,
        driver="GPKG",
        layer=data.name,
        append=path.exists(),
        dataset_options={} if path.exists() else {"VERSION": VERSION},
        layer_options=options,
        **({} if shapes is None else {"geometry_type": geometry, "promote_to_multi": geometry == "MultiPolygon"}),
    )


def _free(name: str, data: Dataset) -> str:
    """A name that no column has."""
    taken = {field.name.lower() for field in data.fields}
    while name in taken:
        name += "_"
    return name


def _register(database: sqlite3.Connection, datasets: Sequence[Dataset], *, styles: bool) -> None:
    """Say which extensions the file uses, and that the table of styles is there."""
    parts = {"gpkg_data_columns": SCHEMA, "gpkg_data_column_constraints": SCHEMA}
    parts |= {"gpkg_metadata": METADATA, "gpkg_metadata_reference": METADATA}
    names = {SCHEMA: "gpkg_schema", METADATA: "gpkg_metadata"}
    rows = [(table, None, names[where], where, "read-write") for table, where in parts.items()]
    database.executemany("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", rows)
    if not styles:
        database.execute("DROP TABLE layer_styles")
        return
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
        [max(_date(data) for data in datasets)],
    )


def _describe(database: sqlite3.Connection, data: Dataset, lang: Lang) -> None:
    """The layer's title and caveats, its fields' names and meanings, and where it all comes from."""
    others = {str(row[0]) for row in database.execute("SELECT identifier FROM gpkg_contents")}
    title = data.about.title(lang)
    database.execute(
        "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
        [f"{title} ({data.name})" if title in others else title, "\n".join(data.about.caveats(lang)), data.name],
    )
    database.executemany(
        "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, description) VALUES (?, ?, ?, ?, ?)",
        [(data.name, field.name, name, field.alias(lang), _meaning(field)) for field, name in _names(data, lang)],
    )
    add = "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) VALUES ('dataset', ?, ?, ?)"
    for row in (
        (OWN_METADATA, "application/json", json.dumps(geojson.about(data, lang), ensure_ascii=False, indent=1)),
        (QGIS_METADATA, "text/xml", qgis.qmd(data, lang=lang)),
    ):
        made = database.execute(add, row).lastrowid
        database.execute(
            "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id)"
            " VALUES ('table', ?, ?, ?)",
            [data.name, _date(data), made],
        )


def _names(data: Dataset, lang: Lang) -> Iterator[tuple[Field, str]]:
    """Each field's alias; where two share one, the column's own name is added, as the format wants them apart."""
    aliases = [field.alias(lang) for field in data.fields]
    for field, alias in zip(data.fields, aliases, strict=True):
        yield field, alias if aliases.count(alias) == 1 else f"{alias} [{field.name}]"


def _meaning(field: Field) -> str:
    parts = (field.meaning, f"unit: {field.unit}" if field.unit else "", field.missing and f"missing: {field.missing}")
    return "; ".join(part for part in parts if part)


def _add_styles(database: sqlite3.Connection, data: Dataset, lang: Lang) -> None:
    spatial = data.shapes is not None
    looks = [(shown.name(lang), qgis.qml(data, shown, lang=lang)) for shown in style.of(data)]
    for place, (name, text) in enumerate(looks or [(FIELDS[lang], qgis.fields_qml(data, lang=lang))]):
        row = {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": data.name,
            "f_geometry_column": _free(GEOMETRY, data) if spatial else "",
            "styleName": name[:MOST_NAME],
            "styleQML": text,
            "styleSLD": "",
            "useAsDefault": int(place == 0),
            "description": f"{data.about.title(lang)}: {name}",
            "owner": "",
            "update_time": _date(data),
        }
        columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
        database.execute(f"INSERT INTO layer_styles ({columns}) VALUES ({places})", row)
