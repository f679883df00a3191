"""The same figures in every format: random rows, read back by tools that are not ours, nor wrote them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maps.formats.dataset import Dataset
from maps.formats.registry import FORMATS
from tests.maps import readback, samples

WEST, SOUTH = st.floats(-81.0, -67.0), st.floats(-4.0, 12.0)
COLUMNS = {
    "name": st.one_of(st.sampled_from(samples.AWKWARD), st.text(max_size=12), st.just(""), st.none()),
    "people": st.one_of(st.sampled_from(samples.WHOLES), st.integers(-(2**53), 2**53), st.none()),
    "coca_ha": st.one_of(st.sampled_from(samples.NUMBERS), st.floats(), st.none()),
    "vacated": st.sampled_from((True, False, None)),
}
# A start of its own program for each example makes this one slow.
OTHERS = tuple(name for name in FORMATS if name != "fgb")
PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]


def square(west: float, south: float, *, holed: bool) -> shapely.Polygon:
    hole = [(west + 0.2, south + 0.2), (west + 0.2, south + 0.7), (west + 0.5, south + 0.2)]
    return shapely.Polygon(shapely.box(west, south, west + 1, south + 1).exterior, [hole] if holed else [])


@st.composite
def polygons(draw: st.DrawFn) -> Any:
    """A square, or two that lie apart, with a hole or without."""
    west, south = draw(WEST), draw(SOUTH)
    holed = draw(st.lists(st.booleans(), min_size=1, max_size=2))
    parts = [square(west + 2 * number, south, holed=each) for number, each in enumerate(holed)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


SHAPES = {"polygons": polygons(), "points": st.builds(shapely.Point, WEST, SOUTH)}


@st.composite
def datasets(draw: st.DrawFn, kinds: Iterable[str] = (*SHAPES, "none")) -> Dataset:
    """Up to four rows, all of polygons, of points, or without shapes."""
    drawn = SHAPES.get(draw(st.sampled_from(sorted(kinds))))
    rows = draw(st.lists(st.tuples(*COLUMNS.values(), st.none() if drawn is None else drawn | st.none()), max_size=4))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
    return samples.made(columns, None if drawn is None else [row[-1] for row in rows])


def wrong(data: Dataset, names: Iterable[str]) -> dict[str, list[str]]:
    """Of each format what did not come back as it was."""
    held = [name for name in names if data.shapes is not None or not FORMATS[name].shapes]
    with tempfile.TemporaryDirectory() as folder:
        found = {name: readback.trip(data, name, Path(folder)) for name in held}
    return {name: told for name, told in found.items() if told}


@example(samples.awkward(samples.POLYGONS))
@example(samples.awkward(samples.POINTS))
@example(samples.awkward(None))
@example(samples.empty())
@example(samples.empty(shapes=False))
@settings(max_examples=25, suppress_health_check=PATIENT)
@given(datasets())
def test_every_format_holds_the_same(data: Dataset):
    assert not wrong(data, OTHERS)


@example(samples.awkward(samples.POLYGONS))
@example(samples.awkward(samples.POINTS))
@example(samples.empty())
@settings(max_examples=5, suppress_health_check=PATIENT)
@given(datasets(SHAPES))
def test_flatgeobuf_holds_the_same(data: Dataset):
    assert not wrong(data, ["fgb"])


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_difference_would_be_told(name: str, tmp_path: Path):
    data, path = samples.awkward(), tmp_path / f"samples{FORMATS[name].suffix}"
    FORMATS[name].write([data], path)
    found = readback.READERS[name](path, data)
    row = next(row for row in found.rows if row["code"] == "00002")
    changes = {"name": "'=cmd() ", "people": 0, "coca_ha": 0.1 + 2**-56, "vacated": 0}
    for column, value in changes.items():
        kept = row[column]
        row[column] = value
        assert readback.differences(data, found), f"{column}: {value!r} for {kept!r}"
        row[column] = kept
    assert not readback.differences(data, found)
