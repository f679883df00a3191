"""Where special rights apply: shares drawn by hand, and those of the raw files found in several ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import CodeError, PresenciaError, SchemaError
from layers import territories
from layers.boundaries import Boundaries
from layers.build import AREAS, SHARE_DECIMALS, special_areas
from layers.report import Kind
from layers.sources import sources
from layers.territories import COUNCILS_SOURCE, PARKS_SOURCE, RESERVES_SOURCE, SHARES, load_special_areas
from tests.layers.small import grid, square

Write = Callable[[str], Path]
METRIC = "EPSG:9377"
NEARLY = 2e-5  # scale grows to the west of 73° W: the western half of a square is a little more than half of it
HEADINGS = "code,reserve_share,council_share,park_share\n"


def half(shape: shapely.Geometry) -> shapely.Polygon:
    """Its western half."""
    west, south, east, north = shapely.bounds(shape)
    western: shapely.Polygon = shapely.box(west, south, (west + east) / 2, north)
    return western


# By construction


def areas(tmp_path: Path, shapes: Mapping[str, Sequence[shapely.Geometry]]) -> dict[str, gpd.GeoDataFrame]:
    """Polygons of each source, written as the publisher does and read by its loader."""
    read = {}
    for source, load in AREAS.items():
        drawn = list(shapes.get(source, [square(50, 50)]))
        path = tmp_path / f"{source}.geojson"
        gpd.GeoDataFrame({"name": [f"n{i}" for i in range(len(drawn))]}, geometry=drawn, crs=4326).to_file(path)
        read[source] = load(path).frame
    return read


def test_shares_of_squares_are_those_by_which_they_were_drawn(tmp_path: Path):
    towns = grid(["05001", "05002", "15001", "52835"], columns=2).frame
    first, second, third, _ = towns.geometry.to_numpy()
    drawn = {
        RESERVES_SOURCE: [half(first), half(first), second],
        COUNCILS_SOURCE: [half(half(second))],
        PARKS_SOURCE: [third],
    }
    shares = special_areas(towns, areas(tmp_path, drawn))
    assert shares.index.name == "code"
    assert list(shares.columns) == list(SHARES.values())
    expected = np.array([[0.5, 0, 0], [1, 0.25, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(shares, expected, atol=NEARLY)
    assert (shares.to_numpy()[expected == 0] < 1e-9).all()


def test_kinds_do_not_count_for_each_other_and_overlaps_of_one_kind_count_once(tmp_path: Path):
    towns = grid(["05001"], columns=1).frame
    (whole,) = towns.geometry.to_numpy()
    over = half(half(whole))
    drawn = {RESERVES_SOURCE: [half(whole), over, over], PARKS_SOURCE: [half(whole)]}
    shares = special_areas(towns, areas(tmp_path, drawn))
    np.testing.assert_allclose(shares.loc["05001"], [0.5, 0, 0.5], atol=NEARLY)


def test_rings_that_cross_themselves_are_repaired_and_counted_whole(tmp_path: Path):
    """A bow tie of two triangles, each a quarter of the square, and a ring that runs round twice."""
    towns = grid(["05001", "05002"], columns=2).frame
    first, second = towns.geometry.to_numpy()
    west, south, east, north = shapely.bounds(first)
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    round_twice = shapely.Polygon([*half(second).exterior.coords] * 2)
    path = tmp_path / "own.geojson"
    gpd.GeoDataFrame({"name": ["bow", "twice"]}, geometry=[bow, round_twice], crs=4326).to_file(path)
    loaded = territories.load_reserves(path)
    assert [finding.kind for finding in loaded.report.findings] == [Kind.REPAIRED]
    shares = special_areas(towns, areas(tmp_path, {}) | {RESERVES_SOURCE: loaded.frame})
    np.testing.assert_allclose(shares["reserve_share"], [0.5, 0.5], atol=NEARLY)


# The reader


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_a_table_of_ones_own_is_read_and_a_blank_is_no_zero(write: Write):
    loaded = load_special_areas(write(HEADINGS + "52835,0.25,,1\n5031,0,0.000001,0.5\n"))
    assert loaded.frame.index.tolist() == ["05031", "52835"]
    np.testing.assert_array_equal(loaded.frame, [[0, 0.000001, 0.5], [0.25, np.nan, 1]])
    assert loaded.report.read == loaded.report.kept == 2
    assert "05031" in str(loaded.report.findings[0])


@pytest.mark.parametrize(
    ("text", "error", "names"),
    [
        (HEADINGS + "52835,0,0,0\n52835,0,0,0\n", CodeError, "52835"),
        (HEADINGS + "52835,0,1.5,0\n", SchemaError, "1.5"),
        (HEADINGS + "52835,-0.1,0,0\n", SchemaError, "-0.1"),
        (HEADINGS + "52835,0,much,0\n", SchemaError, "much"),
        (HEADINGS + "tumaco,0,0,0\n", CodeError, "tumaco"),
        ("code,reserve_share,council_share\n52835,0,0\n", SchemaError, "park_share"),
    ],
)
def test_what_is_no_share_is_refused_by_name(write: Write, text: str, error: type[PresenciaError], names: str):
    with pytest.raises(error) as refused:
        load_special_areas(write(text))
    assert names in str(refused.value)
    assert "\n" not in str(refused.value)


# The bundled table


@pytest.fixture(scope="module")
def shares() -> pd.DataFrame:
    return load_special_areas().frame


def test_the_bundled_table_is_read_as_any_other_file_would_be(shares: pd.DataFrame):
    checked = load_special_areas(territories.SPECIAL_TABLE)
    pd.testing.assert_frame_equal(shares, checked.frame)
    assert checked.report.as_dict() == load_special_areas().report.as_dict()


def test_every_municipality_was_measured(shares: pd.DataFrame, bounds: Boundaries):
    assert shares.index.equals(bounds.frame.index)
    assert shares.notna().all(axis=None)
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)
    assert (shares > 0).sum().to_dict() == {"reserve_share": 256, "council_share": 71, "park_share": 222}


def test_known_places_are_what_they_are_known_for(shares: pd.DataFrame):
    reserve, council, park = (shares[name] for name in SHARES.values())
    assert reserve[["44847", "97001"]].min() > 0.95  # Uribia in the Guajira, Mitú in the Gran Resguardo del Vaupés
    assert reserve[["94001", "19743", "47001"]].min() > 0.4  # Inírida, Silvia, Santa Marta
    assert council[["52835", "19418", "76109"]].between(0.45, 0.6).all()  # Tumaco, López de Micay, Buenaventura
    assert council[["27006", "27001", "52520"]].min() > 0.2  # Acandí, Quibdó, Francisco Pizarro
    assert park[["50350", "91001", "47189"]].min() > 0.2  # La Macarena, Leticia, Ciénaga
    assert max(reserve[["05001", "08001", "11001"]].max(), council[["05001", "08001", "11001"]].max()) < 0.01
    assert set(council[council > 0.01].index.str[:2]) == {"05", "19", "27", "52", "66", "76"}  # the Pacific and beside


# The raw files, and other ways to the same shares


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> dict[str, gpd.GeoDataFrame]:
    return {source: load(shared_data / sources()[source].file).frame for source, load in AREAS.items()}


@pytest.fixture(scope="module")
def metric(raw: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoSeries]:
    return {source: frame.geometry.to_crs(METRIC) for source, frame in raw.items()}


@pytest.fixture(scope="module")
def towns(bounds: Boundaries) -> gpd.GeoSeries:
    return bounds.frame.geometry.to_crs(METRIC)


def test_the_bundled_table_is_measured_from_the_raw_files(
    raw: dict[str, gpd.GeoDataFrame], shares: pd.DataFrame, bounds: Boundaries
):
    again = special_areas(bounds.frame, raw)
    pd.testing.assert_frame_equal(again.round(SHARE_DECIMALS), shares, check_exact=True, check_index_type=False)


@pytest.mark.parametrize("source", SHARES)
def test_shares_are_those_of_every_pair_laid_over_each_other(
    source: str, metric: dict[str, gpd.GeoSeries], towns: gpd.GeoSeries, shares: pd.DataFrame
):
    """Pair by pair through GeoPandas, what an earlier area has taken left out: no tree and no union of ours."""
    pairs = gpd.overlay(
        gpd.GeoDataFrame({"code": towns.index}, geometry=towns.array),
        gpd.GeoDataFrame({"area": range(len(metric[source]))}, geometry=metric[source].array),
        how="intersection",
        keep_geom_type=True,
    )
    taken: dict[str, shapely.Geometry] = {}
    for code, part in zip(pairs["code"], pairs.geometry.to_numpy(), strict=True):
        before = taken.get(code, shapely.Polygon())
        taken[code] = shapely.union(before, shapely.difference(part, before))
    common = np.array([shapely.area(taken[code]) if code in taken else 0.0 for code in towns.index])
    np.testing.assert_allclose(shares[SHARES[source]], common / towns.area.to_numpy(), atol=1e-6)


@pytest.mark.parametrize("source", SHARES)
def test_no_hectare_is_lost_between_municipalities(
    source: str, metric: dict[str, gpd.GeoSeries], towns: gpd.GeoSeries, shares: pd.DataFrame
):
    """The other way round: the country under all areas at once."""
    inside = metric[source].union_all().intersection(towns.union_all()).area
    assert (shares[SHARES[source]] * towns.area).sum() == pytest.approx(inside, rel=1e-6)


@pytest.mark.parametrize("source", SHARES)
def test_shares_are_those_that_points_on_a_grid_count(
    source: str, metric: dict[str, gpd.GeoSeries], towns: gpd.GeoSeries, shares: pd.DataFrame
):
    """Points every 1.5 km: of n points in a municipality a share p may be off by a few sqrt(p (1 - p) / n)."""
    west, south, east, north = towns.total_bounds
    x, y = np.meshgrid(np.arange(west, east, 1_500), np.arange(south, north, 1_500))
    points = shapely.points(x.ravel(), y.ravel())
    point, town = shapely.STRtree(towns.to_numpy()).query(points, predicate="intersects")
    under = np.zeros(len(points), dtype=bool)
    under[shapely.STRtree(metric[source].to_numpy()).query(points, predicate="intersects")[0]] = True
    counted = pd.DataFrame({"town": towns.index[town], "under": under[point]}).groupby("town")["under"]
    count, found = counted.size(), counted.mean()
    share = shares.loc[count.index, SHARES[source]]
    assert (found * count).sum() / count.sum() == pytest.approx(np.average(share, weights=count), abs=2e-3)
    off = (found - share).abs() / np.sqrt((share * (1 - share)).clip(lower=0.01) / count)
    assert off.max() < 4


def test_shares_are_nearly_those_on_dane_s_boundaries(
    raw: dict[str, gpd.GeoDataFrame], shares: pd.DataFrame, shared_data: Path
):
    """What simplified borders move, as sources.toml says it."""
    mgn = gpd.read_file(shared_data / "boundaries" / "mgn_2018.topojson", layer="MGN_MPIO_POLITICO")
    mgn = mgn.set_crs("EPSG:4326", allow_override=True).set_index("MPIO_CCNCT").sort_index()
    theirs = special_areas(mgn, raw)
    off = (theirs - shares).abs()
    for source, name in SHARES.items():
        (said,) = [remark for remark in sources()[source].corrected if "MGN 2018" in remark]
        assert off[name].max() <= float(said.rsplit(" ", 1)[1])
    assert (off[shares > 0].stack().median()) < 0.001
    touched = ((theirs > 0.001) ^ (shares > 0.001)).to_numpy()
    assert (touched.sum(axis=0) <= 4).all()
    assert off.to_numpy()[touched].max() < 0.003


def test_reserves_have_the_areas_that_their_publisher_states(shared_data: Path):
    """EPSG:9377 shrinks areas by 0.16 % along its central meridian."""
    table = gpd.read_file(shared_data / sources()[RESERVES_SOURCE].file)
    stated, measured = pd.to_numeric(table["Area"]), table.to_crs(METRIC).area / 1e6
    assert measured.sum() == pytest.approx(stated.sum(), rel=0.005)
    large = stated >= 20  # whole square kilometres are stated
    assert (measured / stated)[large].between(0.975, 1.025).all()
    assert (measured / stated)[large].median() == pytest.approx(0.9984, abs=0.001)


def test_what_is_said_of_the_sources_holds(
    raw: dict[str, gpd.GeoDataFrame], metric: dict[str, gpd.GeoSeries], shares: pd.DataFrame
):
    for source, rows in {RESERVES_SOURCE: 653, COUNCILS_SOURCE: 158, PARKS_SOURCE: 56}.items():
        assert len(raw[source]) == rows
        assert any(remark.startswith(f"{rows} polygons") for remark in sources()[source].corrected)
    hectares = {source: shapes.union_all().area / 1e4 for source, shapes in metric.items()}
    assert hectares[RESERVES_SOURCE] == pytest.approx(30_825_436, rel=1e-3)
    assert hectares[COUNCILS_SOURCE] == pytest.approx(5_169_275, rel=1e-3)
    # Páez is made of 15 reserves, Toribío of three, of colonial origin; so their shares are far too low, as is said.
    assert shares.loc["19517", "reserve_share"] == pytest.approx(0.004, abs=0.0005)
    assert shares.loc["19821", "reserve_share"] == pytest.approx(0.0002, abs=0.00005)
    named = raw[PARKS_SOURCE]["name"].str.contains("chiribiquete", case=False)
    assert metric[PARKS_SOURCE].area[named].tolist() == pytest.approx([1.30e10], rel=0.005)
