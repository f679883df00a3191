"""Names, codes and numbers: every form that official tables are known to use, and round trips of made-up ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import CodeError, SchemaError
from layers.codes import clean_codes
from layers.numbers import parse_numbers
from layers.text import fold, title_es


def texts(*cells: str) -> pd.Series:
    return pd.Series(list(cells), dtype=object)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Bojayá (Bellavista)", "bojaya"),
        ("BOGOTÁ, D.C.", "bogota d c"),
        ("PIENDAMÓ - TUNÍA", "piendamo tunia"),
        ("EL ENCANTO (Cor. Departamental)", "el encanto"),
        ("Papunaua(cor. Departamental)", "papunaua"),
        ("unclosed (remark", "unclosed"),
        ("Peñol", "penol"),
        ("Güicán", "guican"),
        ("MPIO_CCNCT", "mpio ccnct"),
        ("  Tipo   Cultivo ", "tipo cultivo"),
        ("COD-MUNI.", "cod muni"),
        ("Año", "ano"),
        ("", ""),
    ],
)
def test_fold_keeps_what_survives_spelling(name: str, folded: str):
    assert fold(name) == folded


@given(st.text())
def test_fold_is_stable_and_plain(text: str):
    once = fold(text)
    assert fold(once) == once
    assert set(once) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")
    assert once == once.strip()


@pytest.mark.parametrize(
    ("official", "printed"),
    [
        ("SAN ANDRÉS DE TUMACO", "San Andrés de Tumaco"),
        ("BOGOTÁ, D.C.", "Bogotá, D.C."),
        ("LA VEGA", "La Vega"),
        ("EL CARMEN DE VIBORAL", "El Carmen de Viboral"),
        ("CARMEN DE LAS FLORES Y DEL RÍO E ISLAS", "Carmen de las Flores y del Río e Islas"),
        ("PIENDAMÓ - TUNÍA", "Piendamó - Tunía"),
        ("san  josé   del guaviare", "San José del Guaviare"),
        ("ÁBREGO", "Ábrego"),
        ("ÑORA", "Ñora"),
        ("", ""),
    ],
)
def test_title_prints_names_as_spanish_does(official: str, printed: str):
    assert title_es(official) == printed
    assert title_es(printed) == printed


@pytest.mark.parametrize("written", ["05001", "5001", " 5001 ", "5,001", '"5,001"', "'05001'", "5001.0", "05001.00"])
def test_codes_come_out_with_five_digits(written: str):
    codes = clean_codes(texts(written), "codes")
    assert codes.tolist() == ["05001"]


def test_codes_of_departments_have_two_digits_and_the_index_is_kept():
    written = pd.Series(["5", "91", "08"], index=[7, 3, 5])
    codes = clean_codes(written, "departments", digits=2)
    assert codes.tolist() == ["05", "91", "08"]
    assert codes.index.tolist() == [7, 3, 5]


@pytest.mark.parametrize("wrong", ["01-51", "6040101", "", "501", "5e3", "CO05001", "05 001", "-5001", "5.001"])
def test_malformed_codes_are_refused_with_their_row(wrong: str):
    with pytest.raises(CodeError, match="5 digits") as refused:
        clean_codes(texts("05001", wrong, "05002"), "column 'COD' of infra.xlsx")
    message = str(refused.value)
    assert f"{wrong!r} in row 3" in message
    assert "column 'COD' of infra.xlsx" in message
    assert "row 2" not in message
    assert "row 4" not in message
    assert "\n" not in message


def test_a_missing_code_is_refused():
    with pytest.raises(CodeError, match="row 2"):
        clean_codes(pd.Series([None], dtype=object), "codes")


@given(
    st.integers(min_value=5000, max_value=99_999), st.sampled_from(["{}", "{:05d}", "{:,}", '"{:,}"', "{}.0", " {} "])
)
def test_every_writing_of_a_code_is_the_same_code(number: int, form: str):
    assert clean_codes(texts(form.format(number)), "codes").tolist() == [f"{number:05d}"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (["1,088.9"], [1088.9]),
        (["1.088,9"], [1088.9]),
        (["155,7"], [155.7]),
        (["155.7"], [155.7]),
        (["1.088", "155,7"], [1088.0, 155.7]),
        (["1,088", "155.7"], [1088.0, 155.7]),
        (["1.088.900"], [1_088_900.0]),
        (["1,088,900"], [1_088_900.0]),
        (["1.088.900", "88,125"], [1_088_900.0, 88.125]),
        (["0,125", "1.088"], [0.125, 1088.0]),
        (["0.125", "1,088"], [0.125, 1088.0]),
        (["1088.125"], [1088.125]),
        (["1088,125", "2.500"], [1088.125, 2500.0]),
        (["- 0", "-", "0", "-0"], [0.0, 0.0, 0.0, 0.0]),
        (["- 0", "1.088,9"], [0.0, 1088.9]),
        (["- 0,0", "12"], [0.0, 12.0]),
        ([" 12 ", "7"], [12.0, 7.0]),
        (["1 088,9"], [1088.9]),
        (["1 088 900", "2"], [1_088_900.0, 2.0]),
        (["-5", "- 5"], [-5.0, -5.0]),
        (["-1.088,5"], [-1088.5]),
        (["1000000"], [1e6]),
        ([".5", "5."], [0.5, 5.0]),
    ],
)
def test_numbers_are_read_by_what_the_column_proves(column: list[str], values: list[float]):
    read = parse_numbers(texts(*column), "2020")
    assert read.tolist() == values
    assert read.dtype == np.float64


@pytest.mark.parametrize("blank", ["", "   ", "nan", "NaN", "None", "null", "NA", "n/a"])
def test_a_blank_is_missing_and_not_zero(blank: str):
    read = parse_numbers(texts(blank, "- 0", "3"), "2020")
    assert read.isna().tolist() == [True, False, False]
    assert read.tolist()[1:] == [0.0, 3.0]


def test_the_index_is_kept():
    read = parse_numbers(pd.Series(["1", "2"], index=[9, 4]), "2020")
    assert read.to_dict() == {9: 1.0, 4: 2.0}


def test_a_column_that_proves_nothing_is_refused():
    with pytest.raises(SchemaError, match="both ways") as refused:
        parse_numbers(texts("12", "1,088", "0"), "column '2020' of coca.csv")
    assert "'1,088'" in str(refused.value)
    assert "column '2020' of coca.csv" in str(refused.value)


def test_a_column_that_contradicts_itself_is_refused():
    with pytest.raises(SchemaError, match="one decimal sign") as refused:
        parse_numbers(texts("1,088.9", "3", "155,7"), "column '2020' of coca.csv")
    assert "'1,088.9'" in str(refused.value)
    assert "'155,7'" in str(refused.value)


@pytest.mark.parametrize("wrong", ["ND", "12 ha", "x", "1.088,900.5", "inf", "Infinity", "--", "0x10", "1_000", "True"])
def test_what_is_no_number_is_refused_and_shown(wrong: str):
    with pytest.raises(SchemaError) as refused:
        parse_numbers(texts("3", wrong), "column '2020' of coca.csv")
    assert repr(wrong) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", ["1.088.9", "1,088,9", "12.03.2020", "1,08.9", "1,,088.5", "1.0888,5", "12,34.5"])
def test_groups_of_other_than_three_digits_are_refused(wrong: str):
    with pytest.raises(SchemaError) as refused:
        parse_numbers(texts("3", wrong), "column '2020' of coca.csv")
    assert repr(wrong) in str(refused.value)


def written(value: float, decimals: int, *, european: bool, grouped: bool) -> str:
    text = f"{value:,.{decimals}f}" if grouped else f"{value:.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if european else text


NUMBERS = st.lists(
    st.tuples(st.floats(min_value=-9e7, max_value=9e7, allow_nan=False), st.integers(min_value=0, max_value=5)),
    max_size=12,
)


@given(NUMBERS, st.booleans(), st.booleans(), st.floats(min_value=0, max_value=9e7), st.sampled_from([1, 2, 4]))
def test_numbers_written_in_either_style_come_back(
    drawn: list[tuple[float, int]], european: bool, grouped: bool, proving: float, decimals: int
):
    every = [*drawn, (proving, decimals)]
    column = texts(*(written(value, places, european=european, grouped=grouped) for value, places in every))
    expected = [round(value, places) for value, places in every]
    np.testing.assert_allclose(parse_numbers(column, "x").to_numpy(), expected, rtol=1e-12, atol=1e-12)


@given(st.lists(st.integers(min_value=1000, max_value=999_999), min_size=1), st.booleans(), st.integers(0, 999))
def test_thousands_that_nothing_proves_are_refused(values: list[int], european: bool, small: int):
    column = texts(str(small), *(written(v, 0, european=european, grouped=True) for v in values))
    with pytest.raises(SchemaError, match="both ways"):
        parse_numbers(column, "x")


@given(
    st.lists(st.floats(min_value=0, max_value=9e5), min_size=1),
    st.lists(st.floats(min_value=0, max_value=9e5), min_size=1),
)
def test_a_column_in_two_styles_is_never_read(left: list[float], right: list[float]):
    point = [written(v, 2, european=False, grouped=True) for v in left]
    comma = [written(v, 2, european=True, grouped=True) for v in right]
    assume(point and comma)
    with pytest.raises(SchemaError, match="one decimal sign"):
        parse_numbers(texts(*point, *comma), "x")
