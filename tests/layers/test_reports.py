"""Each official file as published: it loads, adds up to what is published, and its report names what is wrong in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layers import armed, boundaries, coca, eradication, laboratories, people, police, published, territories
from layers.report import EXAMPLES, Finding, Kind, Report, found
from layers.tables import Layer


def finding(report: Report, *words: str) -> Finding:
    """The one finding whose text has all of these words."""
    having = [f for f in report.findings if all(word in str(f) for word in words)]
    assert len(having) == 1, report.short
    return having[0]


@pytest.fixture(scope="module")
def coca_file(shared_data: Path) -> Layer:
    return coca.load(shared_data / "coca" / "deteccion_de_cultivos_de_coca_2001_2023.csv")


def test_coca_names_the_one_column_with_a_decimal_comma(coca_file: Layer):
    report = coca_file.report
    assert (report.read, report.kept) == (319, 319)
    comma = [f for f in report.findings if "decimal comma" in f.what]
    assert [f.what for f in comma] == ["cells of column '2020' read with a decimal comma"]
    assert comma[0].kind is Kind.REPAIRED
    assert comma[0].count == 153
    assert "'1.088,9'" in comma[0].examples
    assert finding(report, "measured zero").count == 2798


@pytest.mark.parametrize("year", [2016, 2017, 2018, 2019, 2020, 2021, 2023])
def test_coca_adds_up_to_what_is_published(coca_file: Layer, year: int):
    assert coca_file.report.totals[year] == pytest.approx(published.national("coca_ha", year), abs=3)


def test_coca_adds_up_to_the_known_gaps(coca_file: Layer):
    totals = coca_file.report.totals
    assert [round(totals[year]) for year in (2001, 2009, 2022)] == [136_919, 68_027, 230_029]
    assert coca_file.frame.query("year == 2022 and coca_ha > 0").shape[0] == 185


def test_coca_of_2024(shared_data: Path):
    report = coca.load(shared_data / "coca" / "coca_2024.csv").report
    assert report.read == 180
    assert round(report.totals[2024]) == 261_386


def test_eradication_names_null_quantities_and_other_crops(shared_data: Path):
    layer = eradication.load(shared_data / "eradication" / "erradicacion_eventos_2007_2024.csv.gz")
    report = layer.report
    assert report.read == 144_016
    others = finding(report, "TIPO CULTIVO")
    assert others.kind is Kind.LEFT_OUT
    assert set(others.examples) == {"AMAPOLA", "MARIHUANA"}
    assert finding(report, "without a figure").count == 8
    assert report.kept == report.read - others.count - 8
    printed = {2018: 59_978, 2019: 94_606, 2020: 130_136, 2021: 103_257, 2022: 68_893, 2023: 20_307, 2024: 9_403}
    assert {year: round(report.totals[year]) for year in printed} == printed


def test_spraying_names_the_codes_with_a_leading_zero(shared_data: Path):
    layer = eradication.load_spraying(shared_data / "eradication" / "aspersion_2003_2015.xlsx")
    padded = finding(layer.report, "leading zero")
    assert padded.count == 915
    assert all(code.startswith("05") for code in padded.examples)
    assert (layer.report.read, layer.report.kept) == (9_889, 9_889)
    assert layer.years == tuple(range(2003, 2016))


def test_laboratories_name_the_codes_that_are_no_municipality(shared_data: Path):
    report = laboratories.load(shared_data / "eradication" / "infraestructura_destruida_2010_2024.xlsx").report
    stray = finding(report, "no municipality's")
    assert stray.kind is Kind.LEFT_OUT
    assert stray.count == 13
    assert {"'01-51'", "'01-58'", "'6040101'"} <= set(stray.examples)
    assert report.kept == report.read - 13 == 33_757


def test_farc_events(shared_data: Path):
    layer = armed.load(shared_data / "armed" / "eventos_farc_cnmh.csv")
    assert layer.report.read == layer.report.kept == 40_464
    assert layer.report.findings == ()
    assert sum(layer.report.totals[year] for year in range(2011, 2015)) == 5_977
    rows = layer.frame[layer.frame["year"].between(2011, 2014)].groupby("code")["farc_events"].sum()
    assert (len(rows), int((rows >= 3).sum())) == (370, 228)


def test_homicides_name_the_duplicate_keys(shared_data: Path):
    report = people.load_homicides(shared_data / "people" / "homicidios_2003_2024.csv").report
    moved = finding(report, "duplicate key")
    assert moved.count == 3
    assert moved.examples == ("BRICEÑO (BOYACÁ) from 05107 to 15106",)
    assert (report.read, report.kept) == (18_300, 18_300)


def test_population(shared_data: Path):
    report = people.load_population(shared_data / "people" / "poblacion_2012_2024.csv").report
    assert report.kept == 14_586 == 1_122 * 13
    assert report.findings == ()


def test_police_names_quadrants_without_coordinates_and_departments_without_data(shared_data: Path):
    loaded = police.load(shared_data / "police" / "cuadrantes_policia.json")
    assert loaded.report.read == 3_777
    assert finding(loaded.report, "without coordinates").count == 100
    silent = finding(loaded.report, "police data are missing")
    assert {"Boyacá (17 of 123)", "Córdoba (7 of 30)", "Cundinamarca (0 of 116)"} <= set(silent.examples)
    codes = police.not_reporting(loaded.frame, boundaries.load().frame).index
    assert list(codes) == ["15", "23", "25", "27", "44", "94"]


@pytest.mark.parametrize(
    ("load", "file", "rows"),
    [
        (territories.load_pdet, "pdet_170.csv", 170),
        (territories.load_sites, "etcr_2017_2018.csv", 27),
        (territories.load_sites, "zvtn.geojson", 20),
        (territories.load_sites, "zvtn_veredas.geojson", 27),
        (territories.load_reserves, "resguardos_indigenas.geojson", 653),
        (territories.load_councils, "consejos_comunitarios.geojson", 158),
        (territories.load_parks, "parques_nacionales.geojson", 56),
    ],
)
def test_territories_are_read_whole(shared_data: Path, load, file: str, rows: int):
    loaded = load(shared_data / "territories" / file)
    assert loaded.report.read == loaded.report.kept == len(loaded.frame) == rows
    assert loaded.path.name == file


def test_zones_lie_where_their_geometry_does(shared_data: Path):
    """The attribute Latitud of the source repeats the longitude."""
    sites = territories.load_sites(shared_data / "territories" / "zvtn.geojson").frame
    assert sites["lat"].between(0, 12).all()
    assert sites["lon"].between(-79, -69).all()


def test_a_report_survives_json():
    report = Report(9, 7, found(Kind.REPAIRED, "codes", ["5001 -> 05001"] * 3), {2020: 1.5})
    assert Report.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_a_finding_counts_all_and_shows_the_first_different_ones():
    (one,) = found(Kind.NOTED, "cells", [*"aab", *map(str, range(20))])
    assert one.count == 23
    assert one.examples == tuple("ab012345")[:EXAMPLES]
    assert str(one) == "23 cells: a, b, 0, 1, 2, 3, 4, 5 ..."
    assert found(Kind.NOTED, "cells", []) == ()
