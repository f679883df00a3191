"""scripts/zone.py as a planner runs it: the 2020 run on real figures, and every kind of bad input."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import Polygon, box

from layers import boundaries
from tests.scripts.calling import ROOT, Done, call, digests, process, refused

FILES = {
    "municipalities.geojson", "zones.geojson", "scores.csv", "methods.csv", "goal.csv", "explanations.json", "map.html",
    "run.json",
}  # fmt: skip
SHARED_NAMES = {
    "code", "name", "department_code", "department", "population", "area_km2", "coca_ha", "coca_ha_per_km2",
    "coca_trend_ha_per_year", "permanence", "eradicated_ha", "resurgence", "farc_events", "homicide_rate", "station_km",
    "score", "coverage", "rank", "rank_low", "rank_high", "top_share", "high_cultivation", "vacated", "pdet", "etcr",
    "reserve_share", "council_share", "park_share", "zone",
}  # fmt: skip


def zone(*arguments: object, cwd: Path) -> Done:
    return call("zone.py", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def run2020(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = process("zone.py", "--year", 2020, "--out", folder / "2020", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout, encoding="utf-8")
    return folder / "2020"


@pytest.fixture(scope="module")
def municipalities(run2020: Path) -> dict[str, dict[str, object]]:
    collection = json.loads((run2020 / "municipalities.geojson").read_text(encoding="utf-8"))
    return {feature["properties"]["code"]: feature["properties"] for feature in collection["features"]}


def test_writes_the_run_folder_and_answers_on_the_terminal(run2020: Path):
    assert {path.name for path in run2020.iterdir()} == FILES
    said = (run2020.parent / "stdout.txt").read_text(encoding="utf-8")
    first = pd.read_csv(run2020 / "scores.csv", dtype={"code": str}).sort_values("rank").head(10)
    for name in first["name"]:
        assert name in said
    assert "35 municipalities hold 80% of the coca; the FARC left 34 of them" in said
    assert str(run2020 / "map.html") in said


def test_the_2020_run_reproduces_the_published_truths(run2020: Path, municipalities: dict[str, dict[str, object]]):
    totals = json.loads((run2020 / "run.json").read_text(encoding="utf-8"))["totals"]
    assert totals["coca_ha"] == pytest.approx(142_783, abs=2)
    assert totals["coca_ha_published"] == 142_783
    assert totals["eradicated_ha_in_year"] == pytest.approx(130_136, abs=1)
    assert (totals["high_cultivation"], totals["high_cultivation_vacated"]) == (35, 34)
    assert municipalities["54810"]["coca_ha"] == pytest.approx(19_334, abs=1)
    assert municipalities["52835"]["resurgence"] == pytest.approx(0.80, abs=0.005)


def test_run_json_says_what_went_in(run2020: Path):
    summary = json.loads((run2020 / "run.json").read_text(encoding="utf-8"))
    assert {"year", "seed", "draws", "config", "inputs", "totals", "warnings", "versions"} <= set(summary)
    for name, entry in summary["inputs"].items():
        assert len(entry["sha256"]) == 64, name
    bundled = [entry for name, entry in summary["inputs"].items() if name != "config"]
    assert all({"title", "publisher", "licence", "vintage"} <= set(entry) for entry in bundled)
    weights = [criterion["weight"] for criterion in summary["config"]["criteria"]]
    assert sum(weights) == pytest.approx(1)
    assert summary["scoring"]["weights"] == {c["name"]: c["weight"] for c in summary["config"]["criteria"]}
    written = {name: digest for name, digest in digests(run2020).items() if name != "run.json"}
    assert summary["outputs"] == written


def test_every_score_follows_from_run_json_and_the_measures(run2020: Path):
    """A reader with scores.csv and run.json alone can recompute every score."""
    scoring = json.loads((run2020 / "run.json").read_text(encoding="utf-8"))["scoring"]
    table = pd.read_csv(run2020 / "scores.csv").dropna(subset=["score"])
    weights, unit = {}, {}
    for name, scale in scoring["scales"].items():
        values = np.log1p(table[name].clip(lower=0) / scale["unit"]) if scale["log"] else table[name]
        unit[name] = ((values - scale["low"]) / (scale["high"] - scale["low"])).clip(0, 1)
        weights[name] = scoring["weights"][name] * table[name].notna()
    total = sum(weights.values())
    scores = sum(weights[name] * unit[name].fillna(0) for name in unit) / total
    np.testing.assert_allclose(scores, table["score"], atol=1e-5)


def test_the_goal_is_told_by_series_and_place(run2020: Path):
    summary = json.loads((run2020 / "run.json").read_text(encoding="utf-8"))["goal"]
    assert (summary["baseline"], summary["target"], summary["share"]) == (2017, 2023, 0.5)
    printed = summary["series"]["printed total"]
    assert (printed["baseline_ha"], printed["goal_ha"], printed["coca_ha"]) == (171_495, 85_747.5, 142_783)
    table = pd.read_csv(run2020 / "goal.csv", dtype={"place": str})
    assert table["place"].str.len().value_counts().to_dict() == {5: 1122, 2: 35}
    towns = table[table["place"].str.len() == 5]
    assert towns["change_ha"].sum() == pytest.approx(142_784.7 - 171_496.0, abs=0.1)
    assert towns["share_of_change"].sum() == pytest.approx(1, abs=1e-3)
    assert table.loc[table["place"] == "52", "name"].tolist() == ["Nariño"]


def test_ranks_under_every_method_stand_beside_each_other(run2020: Path):
    table = pd.read_csv(run2020 / "methods.csv", dtype={"code": str}).set_index("code")
    ranks = table.drop(columns=["name", "department", "reversals"])
    assert ranks.shape == (172, 15)
    for column in ranks:
        assert sorted(ranks[column]) == list(range(1, 173))
    scores = pd.read_csv(run2020 / "scores.csv", dtype={"code": str}).set_index("code")
    assert (ranks["weighted-mean, stated"] == scores["rank"].dropna().reindex(ranks.index)).all()


def test_geojson_follows_rfc_7946(run2020: Path):
    text = (run2020 / "municipalities.geojson").read_text(encoding="utf-8")
    collection = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert "crs" not in collection
    assert len(collection["features"]) == 1122
    west, south, east, north = collection["bbox"]
    assert -82 < west < east < -66  # longitude first
    assert -5 < south < north < 14
    for feature in collection["features"]:
        polygons = feature["geometry"]["coordinates"]
        for rings in [polygons] if feature["geometry"]["type"] == "Polygon" else polygons:
            assert shapely.LinearRing(rings[0]).is_ccw
            assert not any(shapely.LinearRing(hole).is_ccw for hole in rings[1:])
            points = np.array(rings[0])
            assert np.array_equal(points, np.round(points, 6))
        assert isinstance(feature["properties"]["code"], str)


def test_missing_values_are_null_and_zeros_are_zero(municipalities: dict[str, dict[str, object]]):
    medellin, tunja, argelia = municipalities["05001"], municipalities["15001"], municipalities["19050"]
    assert medellin["coca_ha"] == 0
    assert medellin["score"] is None
    assert medellin["resurgence"] is None
    assert tunja["station_km"] is None
    assert argelia["score"] is not None
    assert argelia["resurgence"] is None


def test_geojson_and_csv_agree_when_another_reader_opens_them(run2020: Path):
    table = pd.read_csv(run2020 / "scores.csv", dtype={"code": str, "department_code": str}).set_index("code")
    shapes = pyogrio.read_dataframe(run2020 / "municipalities.geojson").set_index("code")
    assert {*table.columns, "code"} >= SHARED_NAMES
    assert set(table.columns) == set(shapes.columns) - {"geometry"}
    assert len(table) == len(shapes) == 1122
    for column in table.columns:
        left, right = table[column], shapes[column].reindex(table.index)
        if column in {"name", "department", "department_code", "zone", "permanence_class", "hot_spot"}:
            assert left.fillna("").tolist() == right.fillna("").tolist(), column
        else:
            np.testing.assert_array_equal(left.to_numpy(dtype=float), right.to_numpy(dtype=float), err_msg=column)


def test_contributions_sum_to_the_score(run2020: Path):
    table = pd.read_csv(run2020 / "scores.csv", dtype={"code": str}).dropna(subset=["score"])
    parts = table[[column for column in table.columns if str(column).startswith("contribution_")]]
    assert np.abs(parts.sum(axis=1) - table["score"]).max() < 1e-9


def test_zones_hold_each_priority_municipality_once_and_hang_together(run2020: Path):
    zones = pyogrio.read_dataframe(run2020 / "zones.geojson")
    shapes = pyogrio.read_dataframe(run2020 / "municipalities.geojson").set_index("code")
    collection = json.loads((run2020 / "zones.geojson").read_text(encoding="utf-8"))
    members = {f["properties"]["zone"]: f["properties"]["members"] for f in collection["features"]}
    every = [code for codes in members.values() for code in codes]
    ranked = shapes.dropna(subset=["rank"]).sort_values("rank")
    assert sorted(every) == sorted(ranked.index[: -(-len(ranked) // 4)])
    for label, codes in members.items():
        assert set(shapes.index[shapes["zone"] == label]) == set(codes)
        reached, waiting = {codes[0]}, [codes[0]]
        while waiting:
            here = shapes.geometry[waiting.pop()]
            for code in set(codes) - reached:
                if here.boundary.intersection(shapes.geometry[code].boundary).length > 0:
                    reached.add(code)
                    waiting.append(code)
        assert reached == set(codes), label
    sums = shapes[shapes["zone"].notna()].groupby("zone")[["coca_ha", "population", "area_km2", "eradicated_ha"]].sum()
    for column in sums:
        expected = zones.set_index("zone")[column]
        np.testing.assert_allclose(sums[column].reindex(expected.index), expected, rtol=1e-9, atol=1e-4)


def test_one_seed_gives_the_same_bytes(run2020: Path, tmp_path: Path):
    again = process("zone.py", "--year", 2020, "--out", tmp_path / "again", cwd=tmp_path, seed="4711")
    assert again.returncode == 0, again.stderr
    assert digests(tmp_path / "again") == digests(run2020)


def test_the_map_is_one_small_file(run2020: Path):
    assert (run2020 / "map.html").stat().st_size <= 1_000_000


def test_runs_on_official_boundaries(run2020: Path, shared_data: Path, tmp_path: Path):
    raw = gpd.read_file(shared_data / "boundaries" / "mgn_2018.topojson", layer="MGN_MPIO_POLITICO").set_crs(4326)
    raw[["MPIO_CCNCT", "MPIO_CNMBR", "geometry"]].to_crs(3116).to_file(tmp_path / "mgn.gpkg")
    done = zone(
        "--year", 2020, "--draws", 0, "--boundaries", tmp_path / "mgn.gpkg",
        "--coca", shared_data / "coca" / "deteccion_de_cultivos_de_coca_2001_2023.csv",
        "--eradication", shared_data / "eradication" / "erradicacion_eventos_2007_2024.csv.gz",
        "--out", tmp_path / "out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bundled = pd.read_csv(run2020 / "scores.csv", dtype={"code": str}).set_index("code")
    official = pd.read_csv(tmp_path / "out" / "scores.csv", dtype={"code": str}).set_index("code")
    np.testing.assert_allclose(official["coca_ha"].reindex(bundled.index), bundled["coca_ha"])
    np.testing.assert_allclose(official["eradicated_ha"].reindex(bundled.index), bundled["eradicated_ha"], atol=1e-3)
    assert (tmp_path / "out" / "map.html").stat().st_size <= 1_000_000


# A run once more


def test_a_replay_gives_the_same_bytes_and_says_so(run2020: Path, tmp_path: Path):
    done = zone("--replay", run2020 / "run.json", "--out", tmp_path / "again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(f"The same bytes in all {len(FILES)} files.")
    assert digests(tmp_path / "again") == digests(run2020)


def test_a_replay_takes_the_planners_own_files_and_settings(tmp_path: Path):
    config = write(tmp_path / "my.toml", "[measures.coca_ha]\nweight = 2\n")
    coca = write(tmp_path / "coca.csv", COCA)
    run = ["--year", 2020, "--coca", coca, "--config", config, "--draws", 7, "--seed", 3, "--lang", "en"]
    assert zone(*run, "--out", tmp_path / "mine", cwd=tmp_path).returncode == 0
    done = zone("--replay", tmp_path / "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "mine-replay") == digests(tmp_path / "mine")
    write(coca, COCA.replace("8833", "8834"))
    config.unlink()
    refused = zone("--replay", tmp_path / "mine", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"coca ({coca}: sha256 " in refused.stderr
    assert f"config ({config} is missing)" in refused.stderr
    assert "boundaries" not in refused.stderr


def test_a_replay_that_gives_other_bytes_says_in_which_file_and_why(run2020: Path, tmp_path: Path):
    edited = shutil.copytree(run2020, tmp_path / "edited")
    summary = json.loads((edited / "run.json").read_text(encoding="utf-8"))
    summary["versions"]["numpy"] = "1.0"
    write(edited / "run.json", json.dumps(summary))
    write(edited / "scores.csv", "code\n")
    done = zone("--replay", edited, "--out", tmp_path / "again", cwd=tmp_path)
    assert done.returncode == 0
    said = "Other bytes in run.json, scores.csv; since then: versions: numpy 1.0, now "
    assert f"{said}{np.__version__}; no longer as the run left them: scores.csv." in done.stdout


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"year": 2020}'])
def test_what_is_no_run_cannot_be_replayed(text: str, tmp_path: Path):
    refused(zone("--replay", write(tmp_path / "run.json", text), cwd=tmp_path), "must be the run.json of a run")


def test_a_replay_takes_no_other_settings(run2020: Path, tmp_path: Path):
    done = zone("--replay", run2020, "--year", 2019, "--seed", 1, cwd=tmp_path)
    refused(done, "found seed, year beside it")


# The settings in words


def test_explain_config_says_what_will_be_done_and_does_nothing(tmp_path: Path):
    config = write(
        tmp_path / "my.toml",
        "[scoring]\nmethod = 'topsis'\nweighting = 'ahp'\n[locked_in]\n52835 = 'A base is funded.'\n"
        "[zones]\nmax_members = 6\n[years]\nreference = 2021\n",
    )
    done = zone("--config", config, "--explain-config", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in (
        "The reference year is 2021",
        "The score is TOPSIS",
        "cultivation counts 2 times as much as resurgence",
        "Always in a zone, beside those: San Andrés de Tumaco (52835). A base is funded.",
        "A zone of more than 6 municipalities or 30,000 km² or 400,000 people is divided.",
        "coca_ha (ha): more counts more; between its lowest and highest value (winsorised min-max), of its logarithm",
    ):
        assert words in done.stdout, words
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]


def test_the_reference_year_of_the_settings_is_the_runs(tmp_path: Path):
    config = write(tmp_path / "my.toml", "[years]\nreference = 2019\n")
    done = zone("--config", config, "--draws", 0, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "2019" / "run.json").read_text(encoding="utf-8"))["year"] == 2019


COCA = "code,year,coca_ha\n54810,2020,19334\n52835,2020,8833\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def fetched(cache: Path, shared: Path) -> None:
    """A cache as scripts/fetch.py leaves it, with the official files in the forms that publishers' interfaces give."""
    coca = pd.read_csv(shared / "coca" / "deteccion_de_cultivos_de_coca_2001_2023.csv", dtype=str)
    coca.columns = [f"_{name}" if name.isdigit() else name.lower() for name in map(str, coca)]
    events = pd.read_csv(shared / "eradication" / "erradicacion_eventos_2007_2024.csv.gz", dtype=str)
    events = events[events["FECHA HECHO"].str[:4].astype(int).between(2015, 2020)]  # what a run of 2020 looks at
    events.columns = [name.lower().replace(" ", "_") for name in map(str, events)]
    events = events.rename(columns={"tipo_cultivo": "tipo_de_cultivo"})
    mgn = gpd.read_file(shared / "boundaries" / "mgn_2018_municipalities_simplified.geojson")
    column = next(name for name in mgn if mgn[name].astype(str).str.fullmatch(r"\d{5}").all())
    mgn[[column, "geometry"]].rename(columns={column: "mpio_cdpmp"}).to_file(cache / "boundaries.geojson")
    coca.to_json(cache / "coca.json", orient="records")
    events.to_json(cache / "eradication.json", orient="records")
    shutil.copy(shared / "police" / "cuadrantes_policia.json", cache / "police.json")
    lock = {
        file.stem: {
            "file": file.name, "url": f"https://example.org/{file.stem}", "version": "7", "fetched": "2026-11-24",
            "bytes": file.stat().st_size, "rows": 1, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in sorted(cache.iterdir())
    }  # fmt: skip
    write(cache / "fetched.lock.json", json.dumps(lock))


def test_official_data_are_those_that_were_fetched(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("PRESENCIA_DATA", str(cache))
    refused = zone("--data", "official", "--out", tmp_path / "out", cwd=tmp_path)
    assert refused.returncode == 2
    assert "scripts/fetch.py" in refused.stderr
    fetched(cache, shared_data)
    done = zone("--data", "official", "--year", 2020, "--draws", 0, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert summary["totals"]["coca_ha"] == pytest.approx(142_784.7, abs=0.1)
    assert summary["totals"]["eradicated_ha_in_year"] == pytest.approx(130_136.4, abs=0.1)
    assert summary["totals"]["high_cultivation_vacated"] == 34
    for name in ("boundaries", "coca", "eradication", "police"):
        assert summary["inputs"][name]["url"] == f"https://example.org/{name}"
        assert not summary["inputs"][name]["bundled"]
    assert "'1.088,9'" in done.stdout
    assert f"Read {cache / 'police.json'}: 3,777 rows" in done.stdout


def squares(codes: list[str]) -> gpd.GeoDataFrame:
    shapes = [box(-74 + i, 4, -73 + i, 5) for i in range(len(codes))]
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=4326)


def no_code_column(folder: Path) -> list[object]:
    return ["--coca", write(folder / "coca.csv", "municipio,2020\nTibú,19334\n")]


def unknown_codes(folder: Path) -> list[object]:
    return ["--coca", write(folder / "coca.csv", COCA + "99997,2020,5\n99998,2020,7\n")]


def negative(folder: Path) -> list[object]:
    return ["--coca", write(folder / "coca.csv", COCA.replace("8833", "-8833"))]


def not_a_number(folder: Path) -> list[object]:
    return ["--coca", write(folder / "coca.csv", COCA.replace("8833", "many"))]


def no_crs(folder: Path) -> list[object]:
    squares(["54810", "52835"]).to_file(folder / "shapes.shp")
    (folder / "shapes.prj").unlink()
    return ["--boundaries", folder / "shapes.shp"]


def invalid(folder: Path) -> list[object]:
    frame = squares(["54810", "52835"])
    frame = frame.set_geometry([frame.geometry.iloc[0], Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])])
    frame.to_file(folder / "shapes.gpkg")
    return ["--boundaries", folder / "shapes.gpkg"]


def repeated(folder: Path) -> list[object]:
    squares(["54810", "52835", "54810"]).to_file(folder / "shapes.gpkg")
    return ["--boundaries", folder / "shapes.gpkg"]


def unknown_measure(folder: Path) -> list[object]:
    return ["--config", write(folder / "my.toml", "[measures.coca_density]\nweight = 1.0\n")]


def no_weight(folder: Path) -> list[object]:
    dimensions = ("cultivation", "resurgence", "void", "presence")
    return [
        "--config",
        write(folder / "my.toml", "\n".join(f"[dimensions.{d}]\nweight = 0" for d in dimensions)),
    ]


BAD = {
    "a year without data": (lambda _: ["--year", 1999], "1999", "2001-2024"),
    "a missing file": (lambda folder: ["--coca", folder / "nowhere.csv"], "nowhere.csv", "not there"),
    "no code column": (no_code_column, "DIVIPOLA", "municipio"),
    "codes that no boundary has": (unknown_codes, "99997", "99998"),
    "negative hectares": (negative, "52835", "-8833"),
    "a word for a number": (not_a_number, "many", "coca_ha"),
    "boundaries without a CRS": (no_crs, "shapes.shp", "coordinate reference system"),
    "invalid polygons": (invalid, "52835", "Self-intersection"),
    "repeated codes": (repeated, "54810", "once"),
    "an unknown measure": (unknown_measure, "coca_density", "did you mean"),
    "weights that are all zero": (no_weight, "weight", "0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_exit_2_and_leaves_the_last_good_output(case: str, tmp_path: Path):
    arguments, *words = BAD[case]
    out = tmp_path / "out"
    out.mkdir()
    write(out / "run.json", "the last good one")
    before = digests(out)
    year = [] if case == "a year without data" else ["--year", 2020]
    done = zone(*year, "--draws", 0, "--out", out, *arguments(tmp_path), cwd=tmp_path)
    refused(done, *words)
    assert digests(out) == before


@pytest.mark.parametrize("where", ["file", "below-file"])
def test_a_folder_that_cannot_be_written(where: str, tmp_path: Path):
    in_the_way = write(tmp_path / "taken", "mine")
    out = in_the_way if where == "file" else in_the_way / "run"
    refused(zone("--year", 2020, "--draws", 0, "--out", out, cwd=tmp_path), "writable")
    assert in_the_way.read_text(encoding="utf-8") == "mine"


def test_bad_input_makes_no_folder(tmp_path: Path):
    codes = unknown_codes(tmp_path)
    refused(process("zone.py", "--year", 2020, "--out", tmp_path / "new", *codes, cwd=tmp_path), "99997", "99998")
    assert not (tmp_path / "new").exists()


KILLED = """
import os, signal
from pathlib import Path
from maps import export, inputs, run
export.write_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run.run(inputs.Settings(year=2019, draws=0, out=Path("out")))
"""


def test_a_run_killed_half_way_leaves_the_last_good_output(run2020: Path, tmp_path: Path):
    before = digests(shutil.copytree(run2020, tmp_path / "out"))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    after = digests(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    again = zone("--year", 2019, "--draws", 0, "--out", tmp_path / "out", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_unmatched_hectares_can_be_left_out_on_request(tmp_path: Path):
    done = zone(
        "--year",
        2020,
        "--draws",
        0,
        "--out",
        tmp_path / "out",
        "--drop-unmatched",
        *unknown_codes(tmp_path),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert any("99997" in warning and "left out" in warning for warning in summary["warnings"])


def test_help_states_units_and_defaults(tmp_path: Path):
    done = process("zone.py", "--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in (
        "--year",
        "--config",
        "--boundaries",
        "--coca",
        "--eradication",
        "--out",
        "--draws",
        "--seed",
        "--lang",
    ):
        assert option in done.stdout
    said = " ".join(done.stdout.split())
    assert "(ha)" in said
    assert "default: 1000" in said


def test_help_imports_nothing_heavy():
    code = "import sys; sys.argv = ['zone.py', '--help']\nimport scripts.zone\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"geopandas", "pandas", "numpy", "folium"} & set(loaded.stdout.split())


def test_the_bundled_boundaries_are_those_of_the_output(run2020: Path):
    written = pyogrio.read_dataframe(run2020 / "municipalities.geojson").set_index("code")
    bundled = boundaries.load().frame
    assert written.geometry.geom_equals(bundled.geometry.reindex(written.index)).all()
