"""Tables as they stand in their files: the portal's JSON, columns found by what they hold, and traps."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from geo.errors import PresenciaError, SchemaError, SourceError
from layers import coca, eradication
from layers.rawtable import MOST_CELLS, code_column, read_table
from layers.tables import Layer


def figures(layer: Layer) -> dict[tuple[str, int], float]:
    keys = zip(layer.frame["code"], layer.frame["year"].map(int), strict=True)
    return dict(zip(keys, layer.frame[layer.spec.value].map(float), strict=True))


def refusal(kind: type[PresenciaError], load: Callable[[], object]) -> str:
    with pytest.raises(kind) as refused:
        load()
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


# The portal's JSON


def test_records_of_the_portal(tmp_path: Path):
    rows = [
        {"coddepto": "91", "departamento": "AMAZONAS", "codmpio": "91263", "municipio": "EL ENCANTO", "_2019": "2.5"},
        {"coddepto": "05", "departamento": "ANTIOQUIA", "codmpio": "05031", "municipio": "AMALFI", "_2020": "1.088,9"},
    ]
    path = tmp_path / "coca.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    layer = coca.load(path)
    assert figures(layer)["05031", 2020] == 1088.9
    assert figures(layer)["91263", 2019] == 2.5
    assert layer.report.read == 2


def test_a_register_of_the_portal(tmp_path: Path):
    rows = [
        {"fecha_hecho": "2018-03-04T00:00:00.000", "cod_muni": "05031", "tipo_cultivo": "COCA", "cantidad": "1.5"},
        {"fecha_hecho": "2018-03-05T00:00:00.000", "cod_muni": "05031", "tipo_cultivo": "Coca", "cantidad": 2},
    ]
    path = tmp_path / "events.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    assert figures(eradication.load(path)) == {("05031", 2018): 3.5}


def test_the_bulk_form_of_the_portal(tmp_path: Path):
    columns = [{"fieldName": ":id"}, {"fieldName": "codmpio"}, {"fieldName": "_2020"}]
    whole = {"meta": {"view": {"columns": columns}}, "data": [["row-1", "5031", "7"], ["row-2", "91263", None]]}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    table = read_table(path)
    assert table.to_dict("list") == {":id": ["row-1", "row-2"], "codmpio": ["5031", "91263"], "_2020": ["7", ""]}


NO_TABLES = ["[1, 2]", "{}", '{"meta": 1}', "[", '[{"a": 1}, 2]', '{"error": true}', "[" * 100_000]


@pytest.mark.parametrize("text", NO_TABLES)
def test_json_that_is_no_table(tmp_path: Path, text: str):
    path = tmp_path / "rows.json"
    path.write_text(text, encoding="utf-8")
    assert "rows.json" in refusal(SourceError, lambda: read_table(path))


def test_html_in_place_of_a_table(tmp_path: Path):
    path = tmp_path / "coca.json"
    path.write_text("<!DOCTYPE html><html><body>503 Service Unavailable</body></html>", encoding="utf-8")
    assert "coca.json" in refusal(SchemaError, lambda: coca.load(path))


# Columns by what they hold


def test_codes_are_found_under_a_heading_nobody_knows(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text("lugar,total,2019\n5031,12345,1\n91263,19334,2\n", encoding="utf-8")
    assert code_column(read_table(path), path) == "lugar"
    assert figures(coca.load(path)) == {("05031", 2019): 1, ("91263", 2019): 2}


def test_two_columns_that_could_be_codes_are_not_chosen_between(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text("from,to,2019\n05031,05001,1\n91263,91001,2\n", encoding="utf-8")
    assert "DIVIPOLA" in refusal(SchemaError, lambda: coca.load(path))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("5-001", "05001"), ("05-001", "05001"), ("05001000", "05001"), ("5001000", "05001"), ("91263001", "91263"),
        ("5001.0", "05001"), ('"5,001"', "05001"), (5001, "05001"), (5001.0, "05001"),
    ],
)  # fmt: skip
def test_codes_in_every_form_that_occurs(tmp_path: Path, written: object, code: str):
    path = tmp_path / "coca.json"
    path.write_text(json.dumps([{"code": written, "_2019": 1}]), encoding="utf-8")
    layer = coca.load(path)
    assert figures(layer) == {(code, 2019): 1}
    assert any(f"{written} -> {code}" in line for line in layer.report.short)


@pytest.mark.parametrize("written", ["6040101", "01-58", "00001000", "5 001", "050010000"])
def test_what_is_no_municipality_is_no_code(tmp_path: Path, written: str):
    path = tmp_path / "coca.csv"
    path.write_text(f"code,2019\n{written},1\n", encoding="utf-8")
    assert repr(written) in refusal(PresenciaError, lambda: coca.load(path))


# A column that proves nothing, and its neighbours


def test_a_column_is_read_as_its_neighbours_bear_out(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text(
        'code;2018;2019;2020\n05031;"950,5";"1.088";"1.100,5"\n05001;"2.100,5";"2.050";"1.990,5"\n', encoding="utf-8"
    )
    layer = coca.load(path)
    assert [figures(layer)[code, 2019] for code in ("05031", "05001")] == [1088, 2050]
    assert any("column '2019' that prove no decimal sign" in line for line in layer.report.short)


def test_small_figures_are_read_as_small_where_their_neighbours_are(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text("code,2018,2019\n05031,1.1,1.088\n05001,2.25,2.050\n", encoding="utf-8")
    assert figures(coca.load(path))["05031", 2019] == 1.088


@pytest.mark.parametrize("beside", ["35", "0", ""])
def test_a_column_whose_neighbours_tell_nothing_is_refused(tmp_path: Path, beside: str):
    """35 lies as far from 1.088 as from 1,088."""
    path = tmp_path / "coca.csv"
    path.write_text(f"code,2018,2019\n05031,{beside},1.088\n", encoding="utf-8")
    assert "both ways" in refusal(SchemaError, lambda: coca.load(path))


# Traps


def test_a_gzip_bomb_is_refused(tmp_path: Path):
    path = tmp_path / "coca.csv.gz"
    with gzip.open(path, "wb") as packed:
        for _ in range(100):
            packed.write(bytes(1024**2))
    assert path.stat().st_size < 200_000
    assert "unpacks to more than" in refusal(SourceError, lambda: coca.load(path))


def workbook(parts: dict[str, bytes]) -> bytes:
    """A small workbook with some of its parts replaced."""
    whole = io.BytesIO()
    book = openpyxl.Workbook()
    book.worksheets[0].append(["code", "2019"])
    book.save(whole)
    changed = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
        for name in parts.keys() - set(old.namelist()):
            new.writestr(name, parts[name])
    return changed.getvalue()


def test_a_zip_bomb_in_a_workbook_is_refused(tmp_path: Path):
    path = tmp_path / "coca.xlsx"
    path.write_bytes(workbook({"xl/media/zeros.bin": bytes(50 * 1024**2)}))
    assert "would unpack" in refusal(SourceError, lambda: coca.load(path))


def test_an_xml_bomb_in_a_workbook_is_refused(tmp_path: Path):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row></sheetData></worksheet>'
    )
    path = tmp_path / "coca.xlsx"
    path.write_bytes(workbook({"xl/worksheets/sheet1.xml": sheet.encode()}))
    assert "coca.xlsx" in refusal(SourceError, lambda: coca.load(path))


def test_a_member_that_climbs_out_of_a_workbook_writes_nothing(tmp_path: Path):
    folder = tmp_path / "inside"
    folder.mkdir()
    path = folder / "coca.xlsx"
    path.write_bytes(workbook({"../climbed.txt": b"out"}))
    assert "coca.xlsx" in refusal(PresenciaError, lambda: coca.load(path))
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["coca.xlsx", "inside"]


def test_a_table_of_nothing_but_separators_is_refused(tmp_path: Path):
    path = tmp_path / "coca.csv"
    path.write_text("," * 2_000_000, encoding="utf-8")
    assert "more than" in refusal(SourceError, lambda: coca.load(path))
    path.write_text(("," * 100_000 + "\n") * (MOST_CELLS // 100_000 + 1), encoding="utf-8")
    assert "more than" in refusal(SourceError, lambda: coca.load(path))
