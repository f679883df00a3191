"""Into a real PostGIS, and read back by psql."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import shapely

from geo.errors import ConfigError, OutputError
from maps.formats import postgis, qgis, style
from maps.formats.dataset import Dataset, Field, dataset
from tests import postgres
from tests.maps import readback, samples
from tests.postgres import Server

SECRET, QUOTED = "p@ss/w:rd", "p%40ss%2Fw%3Ard"
POINT = [shapely.Point(-74.1, 4.6)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.running() as started:
        yield started


@pytest.fixture
def clean(server: Server) -> Iterator[Server]:
    """The server; what a test left in it is dropped."""
    yield server
    server.psql("DROP SCHEMA IF EXISTS other CASCADE")
    server.psql("DROP TABLE IF EXISTS public.samples, public.zones, public.layer_styles CASCADE")


def one(name: str, text: str = "a", *, shapes: Any = POINT) -> Dataset:
    columns: dict[str, list[Any]] = {"name": [text], "people": [1], "coca_ha": [1.0], "vacated": [True]}
    return samples.made(columns, shapes, name)


def coloured() -> Dataset:
    """Zones, which have a style."""
    frame = samples.awkward().frame.assign(score=0.5)
    field = Field("score", "number", "", "Puntaje", "Score")
    return dataset("zones", frame, [*samples.FIELDS, field], key=["code"], about=samples.ABOUT)


@pytest.mark.parametrize(
    "data",
    [
        samples.awkward(),
        samples.awkward(samples.POINTS),
        samples.awkward(None),
        samples.empty(),
        samples.empty(shapes=False),
        samples.unknown(),
    ],
    ids=["polygons", "points", "no shapes", "no rows", "no rows and shapes", "nothing known"],
)
def test_every_figure_comes_back(data: Dataset, clean: Server):
    assert postgis.write([data], clean.url()) == ["public.samples"]
    assert not readback.differences(data, readback.postgis(clean, data))


def test_a_difference_would_be_told(clean: Server):
    postgis.write([samples.awkward()], clean.url())
    clean.psql("UPDATE samples SET coca_ha = 0.2 WHERE code = '00002'")
    assert len(readback.differences(samples.awkward(), readback.postgis(clean, samples.awkward()))) == 1


def test_tables_have_key_index_and_comments(clean: Server):
    postgis.write([samples.awkward()], clean.url(), lang="en")
    indices = clean.psql("SELECT indexdef FROM pg_indexes WHERE tablename = 'samples' ORDER BY 1").splitlines()
    assert [line.partition(" USING ")[2] for line in indices] == ["gist (geometry)", "btree (code)"]
    columns = "SELECT type, srid FROM geometry_columns WHERE f_table_name = 'samples'"
    assert clean.psql(columns) == "MULTIPOLYGON|4326\n"
    comment = clean.psql("SELECT col_description('samples'::regclass, 2), col_description('samples'::regclass, 4)")
    assert comment == "Name\n100 % of <names> & 'signs'|Coca (ha)\ncoca standing\nMissing: not measured\n"
    told = clean.psql("SELECT obj_description('samples'::regclass)")
    assert told.startswith(f"{samples.ABOUT.title_en}\n2020-12-31\nA score is no order.\n")
    assert told.endswith(f"\nCultivos de coca, UNODC & SIMCI, CC BY 4.0\nPresencia, run {'ab' * 32}\n")


def test_a_second_export_replaces_the_first(clean: Server):
    for data in (samples.awkward(), one("samples", "b", shapes=None)):
        postgis.write([data], clean.url())
        assert not readback.differences(data, readback.postgis(clean, data))


def test_a_failure_at_the_last_table_leaves_the_old_ones_whole(clean: Server):
    first = [samples.awkward(), one("zones")]
    postgis.write(first, clean.url())
    twice = replace(one("zones", "b"), key=("name",))
    twice = replace(twice, frame=twice.frame.loc[[0, 0]].reset_index(drop=True))
    with pytest.raises(OutputError, match=r"refused \(duplicate key .*zones_pkey.*Key \(name\)=\(b\) already exists"):
        postgis.write([one("samples", "b"), twice], clean.url())
    for data in first:
        assert not readback.differences(data, readback.postgis(clean, data))


def test_a_schema_is_made_where_it_is_named(clean: Server):
    assert postgis.write([one("samples")], clean.url(query="&schema=other")) == ["other.samples"]
    assert postgis.write([one("samples", "b")], clean.url(query="&schema=public"), schema="other") == ["other.samples"]
    assert not readback.differences(one("samples", "b"), readback.postgis(clean, one("samples"), "other"))
    assert clean.psql("SELECT to_regclass('public.samples') IS NULL") == "t\n"


def test_styles_stand_where_qgis_looks(clean: Server):
    assert postgis.write([coloured()], clean.url(), lang="en") == ["public.zones", "public.layer_styles"]
    postgis.write([coloured()], clean.url(), lang="es")
    (shown,) = style.of(coloured())
    row = clean.psql(
        "SELECT json_build_array(f_table_catalog, f_table_schema, f_table_name, f_geometry_column, stylename, "
        "useasdefault, styleqml::text, type) FROM public.layer_styles"
    )
    *where, qml, kind = json.loads(row)
    assert where == ["postgres", "public", "zones", "geometry", shown.name_es, True]
    assert kind is None
    assert ET.canonicalize(qml) == ET.canonicalize(qgis.qml(coloured(), shown, lang="es"))


def test_a_style_that_somebody_saved_is_kept(clean: Server):
    postgis.write([coloured()], clean.url())
    clean.psql("UPDATE layer_styles SET useasdefault = false")
    clean.psql(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, stylename, "
        "useasdefault, description) VALUES ('postgres', 'public', 'zones', 'geometry', 'mine', true, 'by hand')"
    )
    postgis.write([coloured()], clean.url())
    rows = clean.psql("SELECT useasdefault, description LIKE 'Presencia: %' FROM layer_styles ORDER BY 1")
    assert rows == "f|t\nt|f\n"


def test_what_may_not_be_styled_is_still_written(clean: Server):
    clean.psql("CREATE ROLE planner LOGIN; CREATE SCHEMA other; GRANT ALL ON SCHEMA other TO planner")
    found = postgis.write([coloured()], clean.url(user="planner", query="&schema=other"))
    assert found == ["other.zones"]
    with pytest.raises(OutputError, match=r"permission denied for schema public.*ask for the right"):
        postgis.write([coloured()], clean.url(user="planner"))


def test_a_table_that_somebody_else_made_is_refused(clean: Server):
    clean.psql("CREATE TABLE zones AS SELECT 1 AS mine")
    with pytest.raises(
        OutputError, match=r"public\.zones must be free, or of an earlier export; somebody else made it"
    ):
        postgis.write([one("samples"), one("zones")], clean.url())
    assert clean.psql("SELECT mine, to_regclass('public.samples') IS NULL FROM zones") == "1|t\n"
    clean.psql("DROP TABLE zones; CREATE VIEW zones AS SELECT 1")
    with pytest.raises(OutputError, match=r"public\.zones must be free"):
        postgis.write([one("zones")], clean.url())
    clean.psql("DROP VIEW zones")


def test_a_view_upon_a_table_keeps_it(clean: Server):
    postgis.write([one("samples")], clean.url())
    clean.psql("CREATE VIEW seen AS SELECT code FROM samples")
    with pytest.raises(
        OutputError, match=r"view seen depends on table samples\), and keeps.*: drop what depends on it"
    ):
        postgis.write([one("samples", "b")], clean.url())
    assert clean.psql("SELECT name FROM samples") == "a\n"


def test_a_table_in_use_is_not_waited_for_without_end(clean: Server, monkeypatch):
    import psycopg

    monkeypatch.setattr(postgis, "LOCK_S", "0.1")
    postgis.write([one("samples")], clean.url())
    with psycopg.connect(clean.url()) as other:
        other.execute("SELECT * FROM samples")
        with pytest.raises(OutputError, match=r"lock timeout.*: close what uses the table, and write it again"):
            postgis.write([one("samples", "b")], clean.url())


def test_a_database_without_postgis_is_told(clean: Server):
    clean.database("plain", postgis=False)
    with pytest.raises(OutputError, match="plain has not: run CREATE EXTENSION postgis in it"):
        postgis.write([one("samples")], clean.url("plain"))
    data = one("samples", shapes=None)
    assert postgis.write([data], clean.url("plain")) == ["public.samples"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"postgresql://ana:{QUOTED}@127.0.0.1:1/db", "Connection refused.*: check host, port, database, user and"),
        (f"postgresql://ana@127.0.0.1:1/db?password={QUOTED}", "Connection refused"),
        (f"postgresql://ana:{QUOTED}@127.0.0.1:1/db?nonsense={QUOTED}", "invalid connection option"),
    ],
)
def test_a_server_out_of_reach_is_told_in_one_line(address: str, told: str):
    with pytest.raises(OutputError, match=told) as error:
        postgis.write([one("samples")], address)
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)
    assert QUOTED not in str(error.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"mysql://ana:{QUOTED}@host/db", "found mysql://: write it as postgresql://"),
        ("out/2020", "what was given is none"),
        (f"postgresql://ana:{QUOTED}@host:port/db", "what was given is none"),
    ],
)
def test_an_address_of_something_else_is_refused(address: str, told: str):
    with pytest.raises(ConfigError, match=told) as error:
        postgis.write([one("samples")], address)
    assert QUOTED not in str(error.value)


def test_a_password_in_a_message_of_the_server_is_struck_out(server: Server):
    address, _ = postgis._address(f"postgresql://ana:{QUOTED}@host/db")
    assert postgis._without_password(f"{SECRET} and {QUOTED}", address) == "*** and ***"


def test_a_wrong_password_is_told(server: Server):
    server.psql(f"CREATE ROLE ana LOGIN PASSWORD '{SECRET}'")
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all ana scram-sha-256\n{before}")
    try:
        server.psql("SELECT pg_reload_conf()")
        address = server.url(user="ana").replace("ana@", "ana:guess-7@")
        with pytest.raises(OutputError, match=r'password authentication failed for user "ana".*~/.pgpass') as error:
            postgis.write([one("samples")], address)
        assert "guess-7" not in str(error.value)
    finally:
        rules.write_text(before)
        server.psql("SELECT pg_reload_conf()")


def test_absent_packages_are_named(monkeypatch):
    bring = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "psycopg":
            raise ImportError("No module named 'psycopg'", name=name)
        return bring(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OutputError, match=r"No module named 'psycopg'\): run pip install -e \"\.\[postgis\]\" first"):
        postgis.write([one("samples")], "postgresql://host/db")
