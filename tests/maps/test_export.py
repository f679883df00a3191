"""GeoJSON and CSV, read by code that shares nothing with maps/export.py, and by GDAL."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import GeometryError
from layers import boundaries
from maps import export, inputs, run
from tests.maps import example

AWKWARD = [
    'say "no"',
    "comma, semicolon; tab\t",
    "line\nbreak",
    "carriage\rreturn",
    "Ñandú, Peñón de Güicán",
    "back\\slash \\u0041",
    "</script>",
    "\u2028 \u202e 🌱",
    "  spaces around  ",
    "NULL",
    "05001",
]
HOLED = shapely.Polygon(
    [(-75, 3), (-75, 7), (-71, 7), (-71, 3)],
    [[(-74, 4), (-73, 4), (-73, 5), (-74, 5)], [(-72.5, 4), (-72.5, 5), (-72, 5), (-72, 4)]],
)


class Found(NamedTuple):
    """A GeoJSON text, and what was found in it."""

    text: str
    collection: dict[str, Any]

    @property
    def properties(self) -> list[dict[str, Any]]:
        return [feature["properties"] for feature in self.collection["features"]]


def frame(columns: dict[str, Any], shapes: list[Any] | None = None, crs: str | int = 4326) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    placed = shapes or [shapely.box(-75 + i, 4, -74.5 + i, 5) for i in range(count)]
    codes = pd.Index([f"05{i:03d}" for i in range(count)], name="code")
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=codes), geometry=placed, crs=crs)


def written(shapes: gpd.GeoDataFrame, folder: Path) -> Found:
    export.write_geojson(shapes, folder / "written.geojson")
    text = (folder / "written.geojson").read_bytes().decode("utf-8")
    return Found(text, json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")))


def csv_rows(table: pd.DataFrame, folder: Path) -> list[list[str]]:
    export.write_csv(table, folder / "written.csv")
    with (folder / "written.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def polygons(geometry: dict[str, Any]) -> list[list[list[list[float]]]]:
    return [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]


def twice_signed_area(ring: list[list[float]]) -> float:
    """Positive where the ring runs counter-clockwise."""
    return sum(ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1] for i in range(len(ring) - 1))


def check_rfc_7946(found: Found) -> None:
    assert found.collection["type"] == "FeatureCollection"
    assert set(found.collection) <= {"type", "bbox", "features"}
    places = []
    for feature in found.collection["features"]:
        assert feature["type"] == "Feature"
        assert {"properties", "geometry"} <= set(feature)
        for exterior, *holes in polygons(feature["geometry"]):
            assert twice_signed_area(exterior) > 0
            assert all(twice_signed_area(hole) < 0 for hole in holes)
            for ring in (exterior, *holes):
                assert len(ring) >= 4
                assert ring[0] == ring[-1]
                assert all(len(position) == 2 for position in ring)
                places += ring
    lngs, lats = zip(*places, strict=True)
    assert -180 <= min(lngs) <= max(lngs) <= 180
    assert -90 <= min(lats) <= max(lats) <= 90
    assert found.collection["bbox"] == [min(lngs), min(lats), max(lngs), max(lats)]


def figures(found: Found, name: str) -> list[Any]:
    return [properties[name] for properties in found.properties]


@pytest.mark.parametrize("clockwise", [False, True])
def test_rings_turn_as_rfc_7946_wants_whichever_way_they_came(clockwise: bool, tmp_path: Path):
    turned = shapely.orient_polygons(np.array([HOLED]), exterior_cw=clockwise)[0]
    island = shapely.box(-70, 3, -69, 4).reverse() if clockwise else shapely.box(-70, 3, -69, 4)
    found = written(frame({"n": [1, 2]}, [turned, shapely.MultiPolygon([turned, island])]), tmp_path)
    check_rfc_7946(found)
    assert [len(rings) for rings in polygons(found.collection["features"][1]["geometry"])] == [3, 1]


def test_the_example_country_follows_rfc_7946(tmp_path: Path):
    found = written(example.municipalities(), tmp_path)
    check_rfc_7946(found)
    assert found.collection["bbox"] == [-81.8, 0.0, -71.0, 13.4]


@pytest.mark.parametrize("crs", [4686, 9377, 3116, 3857])
def test_shapes_in_any_reference_system_arrive_in_degrees_longitude_first(crs: int, tmp_path: Path):
    truth = shapely.Polygon([(-74.5, 4.25), (-74, 4.25), (-74, 5.5)])
    found = written(frame({"n": [1]}, [truth]).to_crs(crs), tmp_path)
    check_rfc_7946(found)
    [[ring]] = polygons(found.collection["features"][0]["geometry"])
    assert {tuple(np.round(position, 5)) for position in ring} == {(-74.5, 4.25), (-74.0, 4.25), (-74.0, 5.5)}


def test_shapes_that_do_not_say_where_they_are_are_refused(tmp_path: Path):
    nowhere = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(-75, 4, -74, 5)])
    with pytest.raises(GeometryError, match="reference system"):
        export.write_geojson(nowhere, tmp_path / "no.geojson")
    assert not (tmp_path / "no.geojson").exists()


def test_no_coordinate_is_written_with_more_than_six_decimals(tmp_path: Path):
    rng = np.random.default_rng(7)
    corners = rng.uniform([-79, -4], [-67, 12], (500, 2))
    sizes = rng.uniform(0.05, 0.5, 500)
    shapes = [shapely.box(x, y, x + size, y + size) for (x, y), size in zip(corners, sizes, strict=True)]
    found = written(frame({"n": range(500)}, shapes), tmp_path)
    text = "".join(re.findall(r'"(?:coordinates|bbox)":(\[[^a-z]*\])', found.text))
    long = [number for number in re.findall(r"-?\d+\.\d+", text) if len(number.split(".")[1]) > 6]
    assert text.count("[") > 500
    assert long == []


def test_coordinates_move_by_no_more_than_their_rounding(tmp_path: Path):
    shape = shapely.Polygon([(-74.123456789, 4.987654321), (-74.0000004, 4.0000006), (-73.5, 5.5)])
    found = written(frame({"n": [1]}, [shape]), tmp_path)
    [[ring]] = polygons(found.collection["features"][0]["geometry"])
    assert shapely.hausdorff_distance(shapely.Polygon(ring).exterior, shape.exterior) <= math.hypot(5e-7, 5e-7)


def test_heights_are_left_out(tmp_path: Path):
    raised = shapely.force_3d(shapely.box(-75, 4, -74, 5), 2600.0)
    check_rfc_7946(written(frame({"n": [1]}, [raised]), tmp_path))


def test_a_frame_without_rows_is_an_empty_collection_without_a_bbox(tmp_path: Path):
    found = written(frame({"n": [1]}).iloc[:0], tmp_path)
    assert found.collection == {"type": "FeatureCollection", "features": []}


def test_a_missing_shape_is_a_null_geometry(tmp_path: Path):
    found = written(frame({"n": [1, 2]}, [None, shapely.box(-75, 4, -74, 5)]), tmp_path)
    assert [feature["geometry"] is None for feature in found.collection["features"]] == [True, False]
    assert found.collection["bbox"] == [-75, 4, -74, 5]


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(pd.Series([math.nan, 0.0]), id="NaN"),
        pytest.param(pd.Series([math.inf, 0.0]), id="inf"),
        pytest.param(pd.Series([-math.inf, 0.0]), id="-inf"),
        pytest.param(pd.Series([None, 0], dtype=object), id="None"),
        pytest.param(pd.array([None, 0], dtype="Int64"), id="NA of whole numbers"),
        pytest.param(pd.array([None, 0.0], dtype="Float64"), id="NA of numbers"),
        pytest.param(pd.Series([np.float32(math.nan), np.float32(0)]), id="NaN of 32 bits"),
    ],
)
def test_missing_is_null_and_a_measured_zero_is_zero(gone: Any, tmp_path: Path):
    values = frame({"a": np.array(gone, dtype=object) if isinstance(gone, pd.Series) else gone})
    missing, measured = figures(written(values, tmp_path), "a")
    assert missing is None
    assert measured == 0
    assert measured is not False


@pytest.mark.parametrize(
    "column",
    [[pd.NaT, pd.NaT], pd.array([None, None], dtype="boolean"), pd.array([None, None], dtype="string"), [None, None]],
    ids=["NaT", "boolean", "string", "None"],
)
def test_a_column_of_gaps_is_a_column_of_nulls(column: Any, tmp_path: Path):
    assert figures(written(frame({"a": column}), tmp_path), "a") == [None, None]


def test_a_gap_in_a_list_is_null_too(tmp_path: Path):
    found = written(frame({"a": [[1.5, math.nan, None, pd.NA], []]}), tmp_path)
    assert figures(found, "a") == [[1.5, None, None, None], []]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ([True, False], "true"),
        (pd.array([True, None], dtype="boolean"), "true"),
        (pd.Series([True, None], dtype=object).to_numpy(), "true"),
        (np.array([35, 0]), "35"),
        (np.array([35, 0], dtype=np.int16), "35"),
        (pd.array([35, None], dtype="Int64"), "35"),
        ([35.5, math.nan], "35.5"),
        (["05001", "5001"], '"05001"'),
        ([["05001", "05002"], []], '["05001","05002"]'),
        ([("05001", "05002"), ()], '["05001","05002"]'),
    ],
)
def test_each_kind_of_value_is_written_as_itself(column: Any, text: str, tmp_path: Path):
    first = written(frame({"a": column}), tmp_path).text.splitlines()[1]
    assert f'"properties":{{"code":"05000","a":{text}}}' in first


def test_codes_stay_text_with_their_leading_zero(tmp_path: Path):
    found = written(frame({"department_code": ["05", "08"]}), tmp_path)
    assert figures(found, "code") == ["05000", "05001"]
    read = pyogrio.read_dataframe(tmp_path / "written.geojson")
    assert read["code"].tolist() == ["05000", "05001"]
    assert read["department_code"].tolist() == ["05", "08"]


@pytest.mark.parametrize("text", AWKWARD)
def test_texts_survive_both_formats(text: str, tmp_path: Path):
    table = frame({"name": [text, "Alfa"]})
    assert figures(written(table, tmp_path), "name") == [text, "Alfa"]
    assert pyogrio.read_dataframe(tmp_path / "written.geojson")["name"].tolist() == [text, "Alfa"]
    rows = csv_rows(pd.DataFrame(table.drop(columns="geometry")), tmp_path)
    assert rows == [["code", "name"], ["05000", text], ["05001", "Alfa"]]


def test_one_feature_stands_on_one_line(tmp_path: Path):
    found = written(frame({"name": AWKWARD}), tmp_path)
    lines = found.text.split("\n")
    assert [json.loads(line.rstrip(","))["properties"]["name"] for line in lines[1 : 1 + len(AWKWARD)]] == AWKWARD
    assert "\r" not in found.text


def test_gdal_reads_the_same_figures_and_shapes(tmp_path: Path):
    towns = example.municipalities()
    export.write_geojson(towns, tmp_path / "towns.geojson")
    read = gpd.read_file(tmp_path / "towns.geojson").set_index("code")
    assert read.crs == "EPSG:4326"
    assert list(read.index) == list(towns.index)
    assert read.geometry.geom_equals(towns.geometry).all()
    for name in towns.columns.drop("geometry"):
        left, right = read[name], towns[name]
        if pd.api.types.is_numeric_dtype(right):
            np.testing.assert_array_equal(left.to_numpy(dtype=float), right.to_numpy(dtype=float), err_msg=name)
        else:
            assert left.fillna("").tolist() == right.fillna("").tolist(), name


def test_gdal_reads_members_as_a_list(tmp_path: Path):
    export.write_geojson(example.zones_frame(), tmp_path / "zones.geojson")
    read = pyogrio.read_dataframe(tmp_path / "zones.geojson")
    members = read["members"].iloc[0]
    found = json.loads(members) if isinstance(members, str) else list(members)
    assert found == ["01001", "01002", "01003"]


def test_an_index_without_a_name_is_no_property(tmp_path: Path):
    found = written(frame({"a": [1]}).rename_axis(None), tmp_path)
    assert found.properties == [{"a": 1}]


def test_the_column_of_shapes_may_have_any_name(tmp_path: Path):
    found = written(frame({"a": [1]}).rename_geometry("shape"), tmp_path)
    assert found.properties == [{"code": "05000", "a": 1}]
    check_rfc_7946(found)


def test_rows_keep_the_order_they_are_given_in_and_the_rest_does_not_depend_on_it(tmp_path: Path):
    towns = example.municipalities()
    forth, back = written(towns, tmp_path), written(towns[::-1], tmp_path)
    assert back.collection["features"] == forth.collection["features"][::-1]
    assert back.collection["bbox"] == forth.collection["bbox"]


def test_the_same_frame_gives_the_same_bytes_and_is_left_alone(tmp_path: Path):
    towns = example.municipalities()
    before = towns.copy(deep=True)
    assert written(towns, tmp_path).text == written(towns, tmp_path).text
    csv_rows(pd.DataFrame(towns.drop(columns="geometry")), tmp_path)
    pd.testing.assert_frame_equal(pd.DataFrame(towns), pd.DataFrame(before))


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False),
    st.floats(0, 1e6).map(lambda x: round(x, 6)),
    st.sampled_from([0.0, 1.0, 0.1 + 0.2, 1e-12, 1e15]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, st.none() | st.integers(-(2**53), 2**53), st.text(max_size=20)), min_size=1))
def test_figures_come_back_as_they_went(tmp_path: Path, rows: list[tuple[float, int | None, str]]):
    floats, whole, texts = (list(column) for column in zip(*rows, strict=True))
    table = frame({"f": floats, "i": pd.array(whole, dtype="Int64"), "t": texts})
    found = written(table, tmp_path)
    np.testing.assert_array_equal(
        np.array([math.nan if x is None else x for x in figures(found, "f")], dtype=float), np.array(floats)
    )
    assert figures(found, "i") == whole
    assert all(type(value) in {int, type(None)} for value in figures(found, "i"))
    assert figures(found, "t") == texts
    cells = csv_rows(pd.DataFrame(table[["f", "i"]]), tmp_path)[1:]
    np.testing.assert_array_equal(np.array([float(f or "nan") for _, f, _ in cells]), np.array(floats))
    assert [int(i) if i else None for _, _, i in cells] == whole
    assert [code for code, _, _ in cells] == list(table.index)


def test_csv_leaves_what_is_missing_blank_and_writes_zeros(tmp_path: Path):
    table = pd.DataFrame(
        {
            "f": [math.nan, 0.0],
            "i": pd.array([None, 0], dtype="Int64"),
            "t": [None, "x"],
            "b": [False, True],
            "maybe": pd.array([None, False], dtype="boolean"),
            "d": [pd.NaT, pd.NaT],
        },
        index=pd.Index(["05001", "05002"], name="code"),
    )
    assert csv_rows(table, tmp_path) == [
        ["code", "f", "i", "t", "b", "maybe", "d"],
        ["05001", "", "", "", "false", "", ""],
        ["05002", "0.0", "0", "x", "true", "false", ""],
    ]


def test_what_is_null_in_geojson_is_blank_in_csv(tmp_path: Path):
    table = frame({"a": [math.nan, math.inf, -math.inf, 0.0]})
    blank = [row[1] == "" for row in csv_rows(pd.DataFrame(table[["a"]]), tmp_path)[1:]]
    assert blank == [value is None for value in figures(written(table, tmp_path), "a")]
    assert blank == [True, True, True, False]


def test_csv_is_utf8_with_one_kind_of_line_end(tmp_path: Path):
    csv_rows(pd.DataFrame({"name": ["Peñón", "Güicán"]}, index=pd.Index(["1", "2"], name="code")), tmp_path)
    assert (tmp_path / "written.csv").read_bytes() == "code,name\n1,Peñón\n2,Güicán\n".encode()


@pytest.fixture
def columns() -> pd.DataFrame:
    towns = pd.DataFrame(example.municipalities().drop(columns="geometry"))
    return towns.assign(regrown_ha=0.123456789, farc_events_per_10k=math.nan, people_beyond=1000.0)


def test_attributes_have_counts_as_whole_numbers_and_gaps_as_gaps(columns: pd.DataFrame):
    table = export.attributes(columns, example.contributions())
    for name in ("population", "farc_events", "people_beyond", "rank", "rank_low", "rank_high"):
        assert table[name].dtype == "Int64", name
    for name in export.COLUMNS:
        assert table[name].isna().tolist() == columns[name].isna().tolist(), name
    assert list(table.columns) == [*export.COLUMNS, *(f"contribution_{c}" for c in example.contributions())]


def test_attributes_round_figures_to_six_decimals_and_keep_what_scores_are_made_of(columns: pd.DataFrame):
    contributions = example.contributions()
    table = export.attributes(columns, contributions)
    assert table["regrown_ha"].iloc[0] == 0.123457
    parts = table.filter(like="contribution_")
    candidates = table["score"].notna()
    np.testing.assert_allclose(parts[candidates].sum(axis=1), table.loc[candidates, "score"], atol=1e-11)
    assert parts[~candidates].isna().all(axis=None)
    assert parts["contribution_station_km"].isna()["02001"]


def test_attributes_do_not_depend_on_the_order_of_the_contributions(columns: pd.DataFrame):
    contributions = example.contributions()
    pd.testing.assert_frame_equal(
        export.attributes(columns, contributions), export.attributes(columns, contributions[::-1])
    )


def test_csv_and_geojson_of_a_run_have_the_same_columns_and_figures(columns: pd.DataFrame, tmp_path: Path):
    table = export.attributes(columns, example.contributions())
    shapes = gpd.GeoDataFrame(table, geometry=example.municipalities().geometry)
    header, *rows = csv_rows(table, tmp_path)
    for row, properties in zip(rows, written(shapes, tmp_path).properties, strict=True):
        assert header == list(properties)
        for name, cell in zip(header, row, strict=True):
            value = properties[name]
            if value is None:
                assert cell == "", name
            elif isinstance(value, bool):
                assert cell == str(value).lower(), name
            elif isinstance(value, str):
                assert cell == value, name
            else:
                assert type(value)(cell) == value, name


def test_json_has_null_for_what_is_no_number_and_plain_numbers_for_numpys(tmp_path: Path):
    value = {
        "whole": np.int64(3),
        "flag": np.bool_(True),
        "gap": np.float64("nan"),
        "over": math.inf,
        "list": (pd.NA, pd.NaT, None, np.float64(0.5)),
        "deep": {2020: {"gap": math.nan}},
        "array": np.array([1.0, math.nan]),
        "text": "Peñón",
    }
    export.write_json(value, tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) == {
        "whole": 3,
        "flag": True,
        "gap": None,
        "over": None,
        "list": [None, None, None, 0.5],
        "deep": {"2020": {"gap": None}},
        "array": [1.0, None],
        "text": "Peñón",
    }
    assert "Peñón" in text
    assert text.endswith("}\n")


@pytest.fixture(scope="module")
def shuffled_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs on the south-west, whose file has its rows in one order and in another."""
    folder = tmp_path_factory.mktemp("shuffled")
    shapes = boundaries.load().frame[["geometry"]].reset_index()
    shapes = shapes[shapes["code"].str[:2].isin(["19", "52", "86"])]
    outs = []
    for seed in (1, 2):
        file = folder / str(seed) / "boundaries.gpkg"
        file.parent.mkdir()
        shapes.sample(frac=1, random_state=seed).to_file(file)
        outs.append(folder / f"out{seed}")
        run.run(inputs.Settings(year=2020, draws=0, boundaries=file, out=outs[-1], drop_unmatched=True))
    return outs


@pytest.mark.parametrize("name", ["scores.csv", "zones.geojson", "municipalities.geojson"])
def test_a_run_writes_the_same_whatever_the_order_of_rows_in_its_files(name: str, shuffled_runs: list[Path]):
    one, other = ((out / name).read_bytes() for out in shuffled_runs)
    assert one == other


def test_scores_stand_by_rank_and_then_by_code(shuffled_runs: list[Path]):
    with (shuffled_runs[0] / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ranks = [int(row["rank"]) for row in rows if row["rank"]]
    rest = [row["code"] for row in rows if not row["rank"]]
    assert ranks == sorted(ranks)
    assert [row["rank"] for row in rows] == [*map(str, ranks), *[""] * len(rest)]
    assert rest == sorted(rest)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("municipalities.geojson", ("population", "farc_events", "people_beyond", "rank")),
        ("zones.geojson", ("population",)),
    ],
)
def test_people_and_events_are_whole_numbers(name: str, counts: tuple[str, ...], shuffled_runs: list[Path]):
    collection = json.loads((shuffled_runs[0] / name).read_text(encoding="utf-8"))
    found = {count: {type(feature["properties"][count]) for feature in collection["features"]} for count in counts}
    assert found == {count: kinds & {int, type(None)} for count, kinds in found.items()}


def test_zones_follow_rfc_7946(shuffled_runs: list[Path]):
    text = (shuffled_runs[0] / "zones.geojson").read_text(encoding="utf-8")
    check_rfc_7946(Found(text, json.loads(text)))


def test_truth_values_among_missing_ones_are_written_as_json_writes_them(tmp_path: Path):
    codes = pd.Index(list("abc"), name="code")
    table = pd.DataFrame({"flag": pd.Series([True, None, False], index=codes, dtype=object)})
    assert csv_rows(table, tmp_path) == [["code", "flag"], ["a", "true"], ["b", ""], ["c", "false"]]


def test_shapes_without_columns_and_without_points(tmp_path: Path):
    bare = gpd.GeoDataFrame(geometry=[shapely.box(-75, 4, -74, 5), shapely.Polygon()], crs=4326)
    found = written(bare, tmp_path)
    assert found.properties == [{}, {}]
    empty = written(gpd.GeoDataFrame(geometry=[shapely.Polygon()], crs=4326), tmp_path)
    assert "bbox" not in empty.collection
