"""Into PostGIS: all tables of an export in one transaction, with keys, comments and QGIS's styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import shapely

from geo.errors import ConfigError, OutputError
from maps.formats import qgis, style
from maps.formats.columnar import GEOMETRY, alike
from maps.formats.dataset import Dataset, Field, Lang
from maps.formats.geojson import as_of
from maps.formats.tables import values

if TYPE_CHECKING:
    from psycopg import Error
    from sqlalchemy import URL, Column, Connection, MetaData, Table

DRIVER = "postgresql+psycopg"
DIALECTS = frozenset({"postgres", "postgresql", DRIVER})
EXAMPLE = "postgresql://user@host/database"
SCHEMA = "public"
SRID = 4326
CONNECT_S, LOCK_S = 10, 30  # seconds to wait for an answer, and for someone who holds a table
MARK = "Presencia, run "  # in a table's comment: without it the table is not ours to replace
CREDIT = ("title", "publisher", "licence")
STYLES = "layer_styles"
OURS = "Presencia: "  # begins the description of our styles
# As QGIS makes it where there is none (QgsPostgresProviderMetadata::saveStyle); newer versions ask for type as well.
MAKE_STYLES = f"""
CREATE TABLE public.{STYLES} (
    id SERIAL PRIMARY KEY, f_table_catalog varchar, f_table_schema varchar, f_table_name varchar,
    f_geometry_column varchar, stylename text, styleqml xml, stylesld xml, useasdefault boolean, description text,
    owner varchar(63) DEFAULT CURRENT_USER, ui xml, update_time timestamp DEFAULT CURRENT_TIMESTAMP, type varchar
)"""
OF_TABLE = """
f_table_catalog = current_database() AND f_table_schema = :schema AND f_table_name = :name
AND f_geometry_column = :geometry"""
DROP_STYLES = f"DELETE FROM public.{STYLES} WHERE {OF_TABLE} AND starts_with(description, :ours)"
HAS_DEFAULT = f"SELECT EXISTS (SELECT 1 FROM public.{STYLES} WHERE {OF_TABLE} AND useasdefault)"
ADD_STYLE = f"""
INSERT INTO public.{STYLES} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, stylename, styleqml,
    useasdefault, description, owner)
VALUES (current_database(), :schema, :name, :geometry, :style, XMLPARSE(DOCUMENT :qml), :first, :description,
    current_user)"""
MAY_STYLE = """
SELECT CASE WHEN to_regclass(:styles) IS NULL THEN has_schema_privilege('public', 'CREATE')
    ELSE has_table_privilege(to_regclass(:styles), 'SELECT, INSERT, DELETE') END, to_regclass(:styles) IS NULL"""
STANDING = """
SELECT relkind IN ('r', 'p'), coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = :schema AND relname = :name"""
# What to do about an error of the server, by its SQLSTATE.
ADVICE = {
    "2BP01": "drop what depends on it, or choose another schema with ?schema=NAME",
    "42501": "ask for the right, or choose a schema of your own with ?schema=NAME",
    "55P03": "close what uses the table, and write it again",
    "42704": "put the schema in which PostGIS lies on the user's search_path",
    "23505": "write it again with rows that their key tells apart",
}


def write(datasets: Sequence[Dataset], url: str, *, lang: Lang = "es", schema: str | None = None) -> list[str]:
    """Write each dataset to a table of its name: all of them or, if one fails, none.

    A table that an earlier export made is replaced; one that somebody else made is refused. Tables have a primary key,
    comments on themselves and on their columns, and in EPSG:4326 a geometry with a GiST index. Styles go to
    ``public.layer_styles``, where QGIS looks for them; those that people have saved there are kept.

    Parameters
    ----------
    datasets : sequence of Dataset
        Each of another name.
    url : str
        ``postgresql://user@host/database``, with ``?schema=NAME`` if wanted. A password may stand in it, in
        ``PGPASSWORD`` or in ``~/.pgpass``.
    lang : {"es", "en"}, default "es"
        Language of comments and styles.
    schema : str, optional
        Takes precedence over that of the address; ``public`` if neither is given. Made if it is not there.

    Returns
    -------
    list of str
        Tables as ``schema.name``; ``public.layer_styles`` last, where the user may write it.

    Raises
    ------
    ConfigError
        If the address is none of PostgreSQL's.
    OutputError
        If the packages are not installed, the server cannot be reached or refuses, or PostGIS is not there.
    """
    _need()
    from sqlalchemy import create_engine

    address, named = _address(url)
    patience = {} if "connect_timeout" in address.query else {"connect_timeout": CONNECT_S}
    engine = create_engine(address, connect_args=patience)
    try:
        with _said(address), engine.begin() as connection:
            return _write(connection, datasets, schema or named or SCHEMA, lang)
    finally:
        engine.dispose()


def _need() -> None:
    try:
        import geoalchemy2
        import psycopg
        import sqlalchemy
    except ImportError as cause:
        raise OutputError(
            f"writing to PostGIS needs packages that are not installed ({_line(cause)}): "
            'run pip install -e ".[postgis]" first'
        ) from cause
    del geoalchemy2, psycopg, sqlalchemy


def _address(url: str) -> tuple[URL, str | None]:
    """The address with its driver, and the schema that it names; as it may hold a password, no message has it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as cause:
        raise ConfigError(f"--to must be an address such as {EXAMPLE}; what was given is none: mend it") from cause
    if address.drivername not in DIALECTS:
        raise ConfigError(f"--to must begin with postgresql://; found {address.drivername}://: write it as {EXAMPLE}")
    schema = address.query.get("schema")
    found = schema[0] if isinstance(schema, tuple) else schema
    return address.set(drivername=DRIVER).difference_update_query(["schema"]), found


@contextmanager
def _said(address: URL) -> Iterator[None]:
    """Errors of driver and server in one line, without the password."""
    import psycopg
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except (psycopg.Error, SQLAlchemyError) as cause:
        error = cause.orig if isinstance(cause, DBAPIError) else cause
        told = _server(error) if isinstance(error, psycopg.Error) else f"the database refused ({_line(error)})"
        raise OutputError(_without_password(told, address)) from cause


def _server(error: Error) -> str:
    if error.sqlstate is None:
        return (
            f"the database must be reachable; it is not ({_line(error)}): check host, port, database, user and "
            "password (in the address, PGPASSWORD or ~/.pgpass)"
        )
    told = ". ".join(_line(part) for part in (error.diag.message_primary, error.diag.message_detail) if part)
    return (
        f"the database refused ({told}), and keeps what it had: {ADVICE.get(error.sqlstate, 'mend it, and try again')}"
    )


def _line(error: object) -> str:
    """The first line that says something."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _without_password(text: str, address: URL) -> str:
    for secret in filter(None, (address.password, address.query.get("password"))):
        for form in (quote_plus(str(secret)), quote(str(secret), safe=""), str(secret)):
            text = text.replace(form, "***")
    return text


def _write(connection: Connection, datasets: Sequence[Dataset], schema: str, lang: Lang) -> list[str]:
    from sqlalchemy import MetaData, text

    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
    if any(data.shapes is not None for data in datasets):
        _need_postgis(connection)
    _need_schema(connection, schema)
    tables = MetaData(schema=schema)
    for data in datasets:
        _clear(connection, schema, data.name)
        table = _table(tables, data, lang)
        table.create(connection)
        _copy(connection, table, data)
    styled = _style(connection, datasets, schema, lang)
    return [*(f"{schema}.{data.name}" for data in datasets), *([f"public.{STYLES}"] if styled else [])]


def _need_postgis(connection: Connection) -> None:
    from sqlalchemy import text

    if connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")):
        return
    database = connection.scalar(text("SELECT current_database()"))
    raise OutputError(
        f"the database must have PostGIS; {database} has not: run CREATE EXTENSION postgis in it as its owner first"
    )


def _need_schema(connection: Connection, schema: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.schema import CreateSchema

    if not connection.scalar(text("SELECT count(*) FROM pg_namespace WHERE nspname = :schema"), {"schema": schema}):
        connection.execute(CreateSchema(schema))


def _clear(connection: Connection, schema: str, name: str) -> None:
    """Drop what an earlier export left under a name, and nothing else."""
    from sqlalchemy import MetaData, Table, text

    found = connection.execute(text(STANDING), {"schema": schema, "name": name}).one_or_none()
    if found is None:
        return
    table, comment = found
    if not table or MARK not in comment:
        raise OutputError(
            f"{schema}.{name} must be free, or of an earlier export; somebody else made it: rename it, or choose "
            "another schema with ?schema=NAME"
        )
    Table(name, MetaData(schema=schema)).drop(connection)


def _table(tables: MetaData, data: Dataset, lang: Lang) -> Table:
    from geoalchemy2 import Geometry
    from sqlalchemy import Column, Table

    columns: list[Column[Any]] = [_column(data, field, lang) for field in data.fields]
    if data.shapes is not None:
        kind, _ = alike(data.shapes.geometry.to_numpy())
        named = "GEOMETRY" if kind == "Unknown" else kind.upper()
        columns.append(Column(GEOMETRY, Geometry(named, srid=SRID, spatial_index=True)))
    return Table(data.name, tables, *columns, comment=_about(data, lang))


def _column(data: Dataset, field: Field, lang: Lang) -> Column[Any]:
    from sqlalchemy import BigInteger, Boolean, Column, Double, Text

    kinds = {"text": Text, "whole": BigInteger, "number": Double, "flag": Boolean}
    missing = f"Missing: {field.missing}" if field.missing else ""
    said = "\n".join(part for part in (field.alias(lang), field.meaning, missing) if part)
    # autoincrement: a lone whole number as key would otherwise become a sequence.
    return Column(field.name, kinds[field.kind], primary_key=field.name in data.key, autoincrement=False, comment=said)


def _about(data: Dataset, lang: Lang) -> str:
    about = data.about
    credits_ = [", ".join(part for key in CREDIT if (part := source.get(key))) for source in about.sources]
    return "\n".join([about.title(lang), as_of(data), *about.caveats(lang), *credits_, f"{MARK}{about.run}"])


def _copy(connection: Connection, table: Table, data: Dataset) -> None:
    """Stream the rows in; psycopg writes each value as PostgreSQL reads it, and missing as NULL."""
    from psycopg import sql

    columns = [values(data.table[field.name]) for field in data.fields]
    if data.shapes is not None:
        _, shapes = alike(data.shapes.geometry.to_numpy())
        columns.append(shapely.to_wkb(shapely.set_srid(shapes, SRID), hex=True, include_srid=True).tolist())
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(str(table.schema), table.name), names)
    driver = connection.connection.driver_connection
    if driver is None:
        raise OutputError("the connection to the database was lost, which keeps what it had: try again")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in zip(*columns, strict=True):
            copy.write_row(row)


def _style(connection: Connection, datasets: Sequence[Dataset], schema: str, lang: Lang) -> bool:
    """Give QGIS the styles; False where there are none, or the user has no right to leave them."""
    from sqlalchemy import text

    looks = [(data, shown) for data in datasets for shown in style.of(data)]
    may, absent = connection.execute(text(MAY_STYLE), {"styles": f"public.{STYLES}"}).one()
    if not looks or not may:
        return False
    if absent:
        connection.execute(text(MAKE_STYLES))
    for data in datasets:
        where = {"schema": schema, "name": data.name, "geometry": GEOMETRY}
        connection.execute(text(DROP_STYLES), {**where, "ours": OURS})
        chosen = connection.scalar(text(HAS_DEFAULT), where)
        for place, shown in enumerate(style.of(data)):
            row = {
                "style": shown.name(lang),
                "qml": qgis.qml(data, shown, lang=lang),
                "first": place == 0 and not chosen,
                "description": f"{OURS}{data.about.title(lang)}",
            }
            connection.execute(text(ADD_STYLE), {**where, **row})
    return True
