"""Columns as short text: written, read again by the simplest reader there is, and never another number."""

from __future__ import annotations

import base64
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from maps import pack

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
GAP = float("nan")
counts = st.integers(0, 2**45)
figures = st.one_of(st.just(GAP), st.floats(-1e9, 1e9), st.integers(-10_000, 10_000).map(lambda n: n / 100))


def read_varints(text: str) -> list[int]:
    found, value, shift = [], 0, 0
    for letter in text:
        digit = LETTERS.index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            found.append(value)
            value = shift = 0
    assert shift == 0
    return found


def unzigzag(n: int) -> int:
    return n // 2 if n % 2 == 0 else -(n + 1) // 2


def read_numbers(packed: dict[str, Any], length: int) -> list[float]:
    if "floats" in packed:
        return [float(value) for value in np.frombuffer(base64.b64decode(packed["floats"]), dtype="<f8")]
    found, value = [], 0
    for at, step in enumerate(read_varints(packed["whole"])):
        value = 0 if at % length == 0 else value
        if step:
            value += unzigzag(step - 1)
        found.append(value / packed["per"] if step else GAP)
    return found


def read_series(packed: dict[str, Any], rows: int) -> np.ndarray:
    years = packed["years"]
    table = np.zeros((rows, len(years)))
    told = np.cumsum(read_varints(packed["rows"]), dtype=int)
    table[told] = np.reshape(read_numbers(packed, len(years)), (len(told), len(years)))
    table[np.cumsum(read_varints(packed["missing"]), dtype=int)] = GAP
    return table


def test_known_numbers_have_known_letters():
    assert pack.varints(np.array([0, 1, 31, 32, 1024])) == "ABfgBggB"
    assert pack.signed(np.array([0, -1, 1, -16])) == "ABCf"
    assert pack.places([3, 4, 40]) == "DBkB"
    assert pack.varints(np.array([], dtype=np.int64)) == ""


@given(st.lists(counts))
def test_unsigned_numbers_come_back(values: list[int]):
    assert read_varints(pack.varints(np.array(values, dtype=np.int64))) == values


@given(st.lists(st.integers(-(2**44), 2**44)))
def test_signed_numbers_come_back(values: list[int]):
    assert [unzigzag(n) for n in read_varints(pack.signed(np.array(values, dtype=np.int64)))] == values


@given(st.lists(figures, max_size=30))
def test_every_figure_comes_back_to_its_last_bit(values: list[float]):
    np.testing.assert_array_equal(read_numbers(pack.numbers(values), max(len(values), 1)), values)


def test_decimals_that_end_are_whole_numbers_and_others_are_doubles():
    assert pack.numbers([1.5, GAP, -2.0]) == {"whole": "fAmC", "per": 10}
    assert list(pack.numbers([1 / 3])) == ["floats"]
    assert list(pack.numbers([float("inf"), 1.0])) == ["floats"]
    assert pack.numbers([1e15 + 0.5])["floats"]


@given(st.lists(st.lists(figures, min_size=3, max_size=3), max_size=8))
def test_a_series_comes_back_with_its_gaps_and_its_zeros(rows: list[list[float]]):
    frame = pd.DataFrame(rows, columns=[2001, 2002, 2004], dtype=float)
    packed = pack.series(frame)
    known = frame.dropna(axis="columns", how="all")
    assert packed["years"] == list(known.columns)
    np.testing.assert_array_equal(read_series(packed, len(frame)), known.to_numpy())


def test_texts_stand_once():
    packed = pack.texts(pd.Series(["Norte", None, "Sur", "Norte"], dtype=object))
    assert packed == {"texts": ["Norte", "Sur"], "places": "BACB"}


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
def test_a_topology_keeps_its_rings_and_its_arcs(kind: str):
    rings = [[0, -2], [1]]
    geometry = {"type": kind, "id": "05001", "arcs": rings if kind == "Polygon" else [rings]}
    boundaries = {
        "transform": {"scale": [0.1, 0.1], "translate": [-75.0, 4.0]},
        "objects": {"municipalities": {"geometries": [geometry]}},
        "arcs": [[[0, 0], [5, -3]], [[1, 1], [2, 2], [-9, 4]]],
    }
    packed = pack.topology(boundaries)
    assert packed["ids"] == ["05001"]
    assert read_varints(packed["lengths"]) == [2, 3]
    assert [unzigzag(n) for n in read_varints(packed["steps"])] == [0, 0, 5, -3, 1, 1, 2, 2, -9, 4]
    assert read_varints(packed["rings"]) == [1, 2, 2, 0, 3, 1, 2]
