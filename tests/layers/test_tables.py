"""The one reader of yearly tables: every form, separator and encoding it promises, and what it refuses."""

from __future__ import annotations

import dataclasses
import gzip
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import CodeError, PresenciaError, SchemaError, SourceError
from layers import armed, coca, divipola, eradication, people, territories
from layers.rawtable import find_column, need_column, read_table
from layers.tables import ATLAS, Absent, Layer, Spec, load_yearly

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str, name: str = "table.csv", encoding: str = "utf-8") -> Path:
        raw = text.encode(encoding)
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return to_file


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[[Iterable[Iterable[object]]], Path]:
    def to_file(rows: Iterable[Iterable[object]]) -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(list(row))
        path = tmp_path / "table.xlsx"
        book.save(path)
        return path

    return to_file


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


# Forms


def test_wide(write: Write):
    layer = coca.load(write("CODMPIO,MUNICIPIO_X,2019,2020\n5001,A,10.5,- 0\n05002,B,-,2\n"))
    assert figures(layer) == {("05001", 2019): 10.5, ("05001", 2020): 0, ("05002", 2019): 0, ("05002", 2020): 2}
    assert layer.years == (2019, 2020)
    assert list(layer.frame.columns) == ["code", "year", "coca_ha"]
    assert layer.spec is coca.SPEC


def test_wide_years_may_have_a_prefix(write: Write):
    layer = coca.load(write("code,hectares_2023,Año 2024\n05001,1,2\n"))
    assert figures(layer) == {("05001", 2023): 1, ("05001", 2024): 2}


def test_each_column_of_a_wide_table_is_read_in_its_own_style(write: Write):
    layer = coca.load(write('code;2019;2020\n05001;"1,088.9";"1.088,9"\n05002;155.7;155,7\n'))
    assert figures(layer) == {
        ("05001", 2019): 1088.9,
        ("05001", 2020): 1088.9,
        ("05002", 2019): 155.7,
        ("05002", 2020): 155.7,
    }


def test_long(write: Write):
    layer = coca.load(write("código,Año,Hectáreas\n5001,2019,1\n5001,2021,2\n5002,2019,0\n"))
    assert figures(layer) == {("05001", 2019): 1, ("05001", 2021): 2, ("05002", 2019): 0}
    assert layer.years == (2019, 2021)


def test_the_figures_own_name_comes_before_other_headings(write: Write):
    layer = coca.load(write("code,year,hectares,coca_ha\n05001,2019,99,1\n"))
    assert figures(layer) == {("05001", 2019): 1}


def test_register_is_added_up(write: Write):
    text = (
        "FECHA HECHO,COD_MUNI,TIPO CULTIVO,CANTIDAD\n"
        "2018-01-01,5001,COCA,1.5\n2018-12-31,5001,Coca,2\n2018-05-01,5001,AMAPOLA,99\n2020-02-01,5002,coca,4\n"
    )
    layer = eradication.load(write(text))
    assert figures(layer) == {("05001", 2018): 3.5, ("05002", 2020): 4}
    assert layer.years == (2018, 2019, 2020)  # a register: nothing happened in 2019
    assert layer.report.short == (
        "1 rows of another TIPO CULTIVO: AMAPOLA",
        "3 codes that had lost their leading zero: 5001 -> 05001, 5002 -> 05002",
    )
    assert (layer.report.read, layer.report.kept) == (4, 3)
    assert layer.report.totals == {2018: 3.5, 2020: 4}
    assert layer.total(2018) == 3.5
    assert layer.total(2019) == 0
    assert pd.isna(layer.total(2017))


def test_events_without_a_figure_are_counted(write: Write):
    layer = armed.load(write("code,year,month,kind\n05001,2011,1,a\n05001,2011,2,b\n05002,2013,1,a\n"))
    assert figures(layer) == {("05001", 2011): 2, ("05002", 2013): 1}
    assert layer.years == (2011, 2012, 2013)


@pytest.mark.parametrize("date", ["2018-03-04", "04/03/2018", "2018-03-04 00:00:00", "2018", "20 de mayo de 2018"])
def test_a_year_is_found_in_a_date(write: Write, date: str):
    assert figures(eradication.load(write(f"fecha,code,cantidad\n{date},05001,1\n"))) == {("05001", 2018): 1}


def test_rows_without_a_figure_are_left_out_and_noted(write: Write):
    layer = eradication.load(write("fecha,code,cantidad\n2018-01-01,05001,\n2018-01-01,05002,3\n"))
    assert figures(layer) == {("05002", 2018): 3}
    assert layer.report.short == ("1 events without a figure: 05001 in 2018",)


def test_rows_come_out_sorted_whatever_their_order(write: Write):
    layer = coca.load(write("code,year,coca_ha\n91001,2020,1\n05001,2021,2\n05001,2020,3\n"))
    assert list(figures(layer)) == [("05001", 2020), ("05001", 2021), ("91001", 2020)]


# Files


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(write: Write, separator: str):
    text = "code,year,coca_ha\n05001,2020,7\n".replace(",", separator)
    assert figures(coca.load(write(text))) == {("05001", 2020): 7}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("name", ["table.csv", "table.txt", "table.csv.gz"])
def test_encodings(write: Write, encoding: str, name: str):
    path = write("código,año,coca_ha,nota\n05001,2020,7,Peñón\n", name, encoding)
    assert read_table(path)["nota"].tolist() == ["Peñón"]
    assert figures(coca.load(path)) == {("05001", 2020): 7}


def test_windows_line_ends(write: Write):
    assert figures(coca.load(write("code,year,coca_ha\r\n05001,2020,7\r\n"))) == {("05001", 2020): 7}


def test_text_stays_text(write: Write):
    table = read_table(write("code,a,b\n05001,,NA\n"))
    assert table.to_dict("records") == [{"code": "05001", "a": "", "b": "NA"}]


def test_workbook_with_codes_as_numbers(workbook: Callable[[Iterable[Iterable[object]]], Path]):
    path = workbook(
        [["COD_MUNI", "FECHA HECHO", "CANTIDAD"], [5001, pd.Timestamp("2018-01-01"), 2.25], [91001, "2019-01-02", 3]]
    )
    assert figures(eradication.load_spraying(path)) == {("05001", 2018): 2.25, ("91001", 2019): 3}


def test_workbook_with_years_as_text_headings(workbook: Callable[[Iterable[Iterable[object]]], Path]):
    path = workbook([["code", "2019", "2020"], [5001, 1.5, "1.088,9"], ["05002", 2, "- 0"]])
    assert figures(coca.load(path)) == {
        ("05001", 2019): 1.5,
        ("05001", 2020): 1088.9,
        ("05002", 2019): 2,
        ("05002", 2020): 0,
    }


def test_workbook_with_years_as_number_headings(workbook: Callable[[Iterable[Iterable[object]]], Path]):
    layer = coca.load(workbook([["code", 2019, 2020], [5001, 1.5, 2]]))
    assert figures(layer) == {("05001", 2019): 1.5, ("05001", 2020): 2}


def test_number_cells_of_a_workbook_are_numbers(workbook: Callable[[Iterable[Iterable[object]]], Path]):
    layer = coca.load(workbook([["code", "year", "coca_ha"], [5001, 2020, 88.125], [5002, 2020, 3]]))
    assert figures(layer) == {("05001", 2020): 88.125, ("05002", 2020): 3}


def test_a_missing_file(tmp_path: Path):
    message = refusal(SourceError, lambda: coca.load(tmp_path / "nowhere.csv"))
    assert "nowhere.csv" in message
    assert "not there" in message


def test_a_folder(tmp_path: Path):
    assert "a folder" in refusal(SourceError, lambda: coca.load(tmp_path))


@pytest.mark.parametrize("name", ["broken.xlsx", "broken.csv.gz"])
def test_files_that_are_not_what_their_name_says(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"neither one nor the other")
    assert name in refusal(SourceError, lambda: coca.load(tmp_path / name))


def test_a_gzip_that_was_cut_short(tmp_path: Path):
    whole = gzip.compress(b"code,year,coca_ha\n" + b"05001,2020,7\n" * 500)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "cut.csv.gz" in refusal(SourceError, lambda: coca.load(tmp_path / "cut.csv.gz"))


def test_an_empty_file(write: Write):
    assert "table.csv" in refusal(SourceError, lambda: coca.load(write("")))


def test_a_table_of_headings_only(write: Write):
    assert "at least one figure" in refusal(SchemaError, lambda: coca.load(write("code,year,coca_ha\n")))


@pytest.mark.parametrize("name", ["book.xls", "book.csv", "book.xlsx"])
def test_an_old_workbook_is_named_as_such(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    message = refusal(SourceError, lambda: coca.load(tmp_path / name))
    assert "Excel 97-2003" in message
    assert message.isprintable()


def test_a_binary_file_is_no_text(tmp_path: Path):
    (tmp_path / "shapes.csv").write_bytes(b"code,year" + bytes(40))
    assert "no text" in refusal(SourceError, lambda: coca.load(tmp_path / "shapes.csv"))


# What a table must hold


def test_a_missing_code_column_is_named_with_those_there_are(write: Write):
    message = refusal(SchemaError, lambda: coca.load(write("town,2019\nA,1\n")))
    assert "DIVIPOLA code" in message
    assert "town, 2019" in message


def test_a_missing_figure(write: Write):
    message = refusal(SchemaError, lambda: coca.load(write("code,year,tons\n05001,2020,1\n")))
    assert "coca ha" in message
    assert "tons" in message


def test_a_missing_year(write: Write):
    assert "the year or the date" in refusal(SchemaError, lambda: coca.load(write("code,coca_ha\n05001,1\n")))


@pytest.mark.parametrize("date", ["01/02/18", "", "43101", "sin dato"])
def test_a_date_without_a_year(write: Write, date: str):
    message = refusal(SchemaError, lambda: eradication.load(write(f"fecha,code,cantidad\n{date},05001,1\n")))
    assert repr(date) in message
    assert "'fecha'" in message


def test_negative_hectares_are_listed(write: Write):
    message = refusal(SchemaError, lambda: coca.load(write("code,2019,2020\n05001,1,-2.5\n05002,-3,1\n")))
    assert "05001 in 2020: -2.5" in message
    assert "05002 in 2019: -3" in message


def test_a_negative_event_does_not_hide_in_a_sum(write: Write):
    text = "fecha,code,cantidad\n2018-01-01,05001,10\n2018-01-02,05001,-4\n"
    assert "05001 in 2018: -4" in refusal(SchemaError, lambda: eradication.load(write(text)))


def test_a_municipality_and_year_that_stand_twice(write: Write):
    message = refusal(
        SchemaError, lambda: coca.load(write("code,year,coca_ha\n05001,2020,1\n5001,2020,1\n05002,2020,1\n"))
    )
    assert "05001 in 2020" in message
    assert "05002" not in message


def test_malformed_codes_are_shown_with_their_rows(write: Write):
    text = "code,year,coca_ha\n05001,2020,1\n01-51,2020,1\n05002,2020,1\n,2020,1\n"
    message = refusal(CodeError, lambda: coca.load(write(text)))
    assert "'01-51' in row 3" in message
    assert "'' in row 5" in message


def test_rows_are_those_of_the_file_also_where_other_crops_were_left_out(write: Write):
    text = (
        "fecha,code,tipo cultivo,cantidad\n2018-01-01,05001,AMAPOLA,1\n2018-01-01,05001,COCA,1\n2018-01-01,x,COCA,1\n"
    )
    assert "'x' in row 4" in refusal(CodeError, lambda: eradication.load(write(text)))


def test_a_cell_that_is_no_number_is_shown_with_its_column(write: Write):
    message = refusal(SchemaError, lambda: coca.load(write("code,2019,2020\n05001,1,ND\n")))
    assert "column '2020' of table.csv" in message
    assert "'ND'" in message


def test_two_columns_for_one_year_are_refused(write: Write):
    message = refusal(SchemaError, lambda: coca.load(write("code,coca_2020,eradicated_2020\n05001,1,2\n")))
    assert "coca_2020" in message
    assert "eradicated_2020" in message


def test_a_heading_that_repeats_is_refused(write: Write):
    assert "2020" in refusal(SchemaError, lambda: coca.load(write("code,2020,2020\n05001,1,2\n")))


@pytest.mark.parametrize("heading", ["2021*", "2021 (ha)", "2021p"])
def test_a_year_with_a_remark_is_read_or_refused_and_never_lost(write: Write, heading: str):
    try:
        read = figures(coca.load(write(f"code,2020,{heading}\n05001,1,2\n")))
    except SchemaError:
        return
    assert read == {("05001", 2020): 1, ("05001", 2021): 2}


def test_a_table_of_two_years_does_not_measure_the_year_between(write: Write):
    layer = eradication.load(write("code,2018,2020\n05001,3,4\n"))
    assert layer.years == (2018, 2020)


def test_a_table_of_a_register_that_repeats_itself_is_refused(write: Write):
    text = "code,year,eradicated_ha\n05001,2020,3\n05001,2020,3\n"
    assert "05001 in 2020" in refusal(SchemaError, lambda: eradication.load(write(text)))


@pytest.mark.parametrize("text", ["code,year,coca_ha\n05001,2020,1,\n", "nota,code,2019\nA,05001,5002,7.5\n"])
def test_rows_longer_than_the_headings_do_not_shift(write: Write, text: str):
    message = refusal(SourceError, lambda: coca.load(write(text)))
    assert "table.csv" in message


def test_columns_are_found_by_folded_heading_best_first():
    table = pd.DataFrame(columns=["CÓDIGO  DANE", "Code", "code"])
    assert find_column(table, ("codigo dane", "code")) == "CÓDIGO  DANE"
    assert find_column(table, ("code", "codigo dane")) == "Code"
    assert find_column(table, ("divipola",)) is None
    with pytest.raises(SchemaError, match="DIVIPOLA"):
        need_column(table, ("divipola",), "the DIVIPOLA", Path("t.csv"))


# Namesakes


def test_rows_of_a_namesake_go_to_the_department_they_name(write: Write):
    text = (
        "departamento,municipio,code,year,homicidios\n"
        "BOYACÁ,BRICEÑO,05107,2010,1\nANTIOQUIA,BRICEÑO,05107,2010,2\nCHOCÓ,NO SUCH PLACE,05001,2010,4\n"
    )
    layer = people.load_homicides(write(text))
    assert figures(layer) == {("15106", 2010): 1, ("05107", 2010): 2, ("05001", 2010): 4}
    assert "BRICEÑO (BOYACÁ) from 05107 to 15106" in layer.report.short[-1]
    assert layer.report.findings[-1].count == 1


def test_namesakes_are_only_filed_where_both_names_are_given(write: Write):
    layer = people.load_homicides(write("municipio,code,year,homicidios\nBRICEÑO,05107,2010,1\n"))
    assert figures(layer) == {("05107", 2010): 1}
    assert layer.report.findings == ()


def test_refile_leaves_codes_that_their_names_do_not_prove_wrong():
    codes = pd.Series(["05107", "05107", "05107", "27493"], index=[3, 1, 2, 0])
    names = pd.Series(["Briceño", "Medellín", "Briceño", "Nuevo Belén de Bajirá"], index=codes.index)
    departments = pd.Series(["Boyacá", "Antioquia", "Nowhere", "Chocó"], index=codes.index)
    right = divipola.refile(codes, names, departments)
    # Medellín agrees with the department of 05107: the name is another municipality's, the department is not wrong.
    assert right.to_dict() == {3: "15106", 1: "05107", 2: "05107", 0: "27493"}


# Round trips


ROWS = st.dictionaries(
    st.tuples(st.sampled_from(["05001", "05002", "91001", "52835"]), st.integers(2001, 2024)),
    st.floats(min_value=0, max_value=1e5).map(lambda value: round(value, 2)),
    min_size=1,
    max_size=20,
)


@given(ROWS)
def test_wide_and_long_hold_the_same(tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[str, int], float]):
    folder = tmp_path_factory.mktemp("forms")
    table = pd.DataFrame([(*key, value) for key, value in rows.items()], columns=["code", "year", "coca_ha"])
    table.to_csv(folder / "long.csv", index=False, float_format="%.2f")
    wide = table.pivot(index="code", columns="year", values="coca_ha")
    wide.to_csv(folder / "wide.csv", float_format="%.2f")
    long = figures(coca.load(folder / "long.csv"))
    assert long == dict(sorted(rows.items()))
    measured = {key: value for key, value in figures(coca.load(folder / "wide.csv")).items() if not math.isnan(value)}
    assert measured == long


def test_what_a_missing_row_means_is_declared():
    declared = {spec.name: spec.absent for spec in (coca.SPEC, eradication.SPEC, eradication.SPRAYING, armed.SPEC)}
    assert set(declared.values()) == {Absent.ZERO}
    assert people.HOMICIDES.absent is Absent.ZERO_IF_LISTED
    assert people.POPULATION.absent is Absent.MISSING
    conserved = [spec.name for spec in (coca.SPEC, eradication.SPEC, eradication.SPRAYING) if spec.conserved]
    assert conserved == ["coca", "eradication", "spraying"]


def test_any_layer_can_be_declared(write: Write):
    spec = Spec("mines", "mined_ha", "hectares mined", "mines", Absent.MISSING, headings=("mina",))
    layer = load_yearly(spec, write("divipola,vigencia,MINA\n05001,2020,3\n"))
    assert figures(layer) == {("05001", 2020): 3}
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.path = Path()  # type: ignore[misc]


# Territories


def test_pdet_must_list_each_code_once(write: Write):
    assert territories.load_pdet(write("divipola,region_pdet\n52835,Pacífico\n5031,Bajo Cauca\n")).frame.to_dict() == {
        "05031": "Bajo Cauca",
        "52835": "Pacífico",
    }
    message = refusal(CodeError, lambda: territories.load_pdet(write("code,region\n52835,a\n52835,b\n")))
    assert "52835" in message


@pytest.mark.parametrize(
    "spec", [coca.SPEC, eradication.SPEC, eradication.SPRAYING, armed.SPEC, people.POPULATION, people.HOMICIDES],
    ids=lambda spec: spec.name,
)  # fmt: skip
def test_the_bundled_table_is_read_as_any_other_file_would_be(spec: Spec):
    bundled, checked = load_yearly(spec), load_yearly(spec, ATLAS / f"{spec.name}.csv")
    pd.testing.assert_frame_equal(bundled.frame, checked.frame)
    assert bundled.report.as_dict() == checked.report.as_dict()
    assert set(checked.years) <= set(bundled.years)
