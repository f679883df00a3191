"""The datasets of real runs, against the files of these runs, read by code that shares nothing with ours."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from geo import coverage
from geo.crs import METRIC
from geo.errors import ConfigError, SourceError
from geo.files import sha256
from maps import comparison, dictionary, exportable, exporting, selection
from maps.formats import style
from maps.formats.dataset import Dataset
from maps.formats.registry import FORMATS
from maps.inputs import Settings
from maps.opened import Opened, open_run
from maps.run import run
from tests.maps import readback


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A run of 2020, with what changed since 2019."""
    folder = tmp_path_factory.mktemp("runs")
    for year in (2019, 2020):
        run(Settings(year=year, draws=0, out=folder / str(year), lang="en"))
    comparison.compare(folder / "2019", folder / "2020", out=folder / "changes", lang="en")
    return open_run(folder / "2020", changes=folder / "changes")


@pytest.fixture(scope="module")
def found(opened: Opened) -> dict[str, Dataset]:
    return exportable.read(opened, exportable.names(opened))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def as_csv(value: Any) -> str:
    """A value as a run's own CSV has it."""
    if value is None or pd.isna(value):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def properties(path: Path) -> Iterator[dict[str, object]]:
    return (feature["properties"] for feature in json.loads(path.read_text(encoding="utf-8"))["features"])


def test_municipalities_are_those_of_the_scores(opened: Opened, found: dict[str, Dataset]):
    written = {row["code"]: row for row in rows(opened.folder.folder / "scores.csv")}
    data = found["municipalities"]
    assert [field.name for field in data.fields] == list(next(iter(written.values())))
    assert len(data.table) == len(written) == 1122
    for row in data.table.to_dict("records"):
        text = {str(name): as_csv(value) for name, value in row.items()}
        other = written[text["code"]]
        same = {name for name, value in text.items() if value == other[name] or float(value) == float(other[name])}
        assert same == set(text)


def test_zones_are_those_of_their_file(opened: Opened, found: dict[str, Dataset]):
    data = found["zones"]
    names = {row["code"]: row["name"] for row in rows(opened.folder.folder / "scores.csv")}
    for row, given in zip(
        data.table.to_dict("records"), properties(opened.folder.folder / "zones.geojson"), strict=True
    ):
        assert row["members"].split(";") == given["members"]
        assert row["member_names"].split(";") == [names[code] for code in row["members"].split(";")]
        assert {name: row[name] for name in ("zone", "name", "coca_ha", "population", "score")} == {
            name: given[name] for name in ("zone", "name", "coca_ha", "population", "score")
        }
        assert row["over_limit"] is None  # an empty text
    assert float(data.table["coca_ha"].sum()) == pytest.approx(float(opened.folder.zones["coca_ha"].sum()), abs=1e-9)


def test_the_panel_has_every_year_and_sums_to_the_published_total(found: dict[str, Dataset]):
    table = found["panel"].table
    assert len(table) == 1122 * table["year"].nunique()
    of_2020 = table[table["year"] == 2020]
    assert of_2020["coca_ha"].sum() == pytest.approx(142_783, abs=3)
    assert of_2020["sprayed_ha"].isna().all()  # spraying ended in 2015: not measured, not 0


def test_sites_lie_where_they_say(opened: Opened, found: dict[str, Dataset]):
    sites = found["sites"].shapes
    assert sites is not None
    counted = len(opened.inputs.posts.frame) + len(opened.inputs.sites.frame)
    assert sites["site"].nunique() == len(sites) == counted
    assert list(sites.geometry.x) == sites["lon"].tolist()
    places = opened.panel.places
    inside = sites.dropna(subset=["code"])
    assert gpd.GeoSeries(places.geometry.reindex(inside["code"])).intersects(inside.geometry, align=False).all()
    outside = sites[sites["code"].isna()].geometry
    assert not outside.intersects(places.union_all()).any()
    assert sites["municipality"].isna().equals(sites["code"].isna())


def test_changes_are_missing_for_the_stated_reasons_and_no_other(opened: Opened, found: dict[str, Dataset]):
    assert opened.changes is not None
    before, after = (open_run(opened.changes.parent / year).folder.table for year in ("2019", "2020"))
    table = found["changes"].table.set_index("code")
    never = pd.Series(False, index=table.index)
    earlier, later = (each["score"].reindex(table.index).isna() for each in (before, after))
    held = {
        "no_candidate_before": earlier,
        "no_candidate_after": later,
        "no_candidate_in_both": earlier | later,
        "candidate_in_neither": earlier & later,
        "nothing_moved": (table["score_change"].abs() < 1e-12) & (table["rank_change"] == 0).fillna(False).astype(bool),
    }
    zones = {"zone_before": before["zone"], "zone_after": after["zone"]}
    columns = {column.name: column for column in dictionary.changes()}
    for name in map(str, table):
        family = name if name in columns else f"cause_NAME_{name.rpartition('_')[2]}"
        stated = columns[family].reasons
        reasons = held | {"in_no_zone": zones[name].reindex(table.index).isna()} if name in zones else held
        expected = pd.concat([reasons[reason] for reason in stated], axis=1).any(axis=1) if stated else never
        assert table[name].isna().equals(expected), name


@pytest.mark.parametrize("format_", FORMATS)
def test_changes_come_back_from_every_format(found: dict[str, Dataset], format_: str, tmp_path: Path):
    assert readback.trip(found["changes"], format_, tmp_path) == []


def test_every_field_has_a_label_in_both_languages_and_a_meaning(found: dict[str, Dataset]):
    for data in found.values():
        for field in data.fields:
            assert field.label_es, field.name
            assert field.label_en, field.name
            assert field.meaning, field.name
            assert field.alias("es") != field.name
        assert set(data.key) <= {field.name for field in data.fields}
        assert not data.table.duplicated(list(data.key)).any()


def test_all_say_what_they_are_whence_and_what_to_keep_in_mind(opened: Opened, found: dict[str, Dataset]):
    inputs = opened.folder.summary["inputs"]
    for data in found.values():
        about = data.about
        assert about.year == 2020
        assert {source["id"] for source in about.sources} == set(inputs) - {"config"}
        assert len(about.caveats_es) == len(about.caveats_en) >= 5
        assert not any("{" in text for text in (about.title_es, about.title_en, *about.caveats_es, *about.caveats_en))
    scored = opened.folder.table["score"].notna()
    partial = int((opened.folder.table["coverage"][scored] < 1).sum())
    assert any(text.startswith(f"{partial} candidates") for text in found["zones"].about.caveats_en)


def test_what_was_edited_since_the_run_is_said(opened: Opened):
    folder = replace(opened.folder, summary=opened.folder.summary | {"outputs": {"scores.csv": "0" * 64}})
    about = exportable.read(replace(opened, folder=folder), ["zones"])["zones"].about
    assert "Changed since the run: scores.csv." in about.caveats_en


def test_what_is_not_there_is_told(opened: Opened):
    with pytest.raises(ConfigError, match="found zoness: name these"):
        exportable.read(opened, ["zoness"])
    with pytest.raises(SourceError, match=r"run scripts/density.py"):
        exportable.read(opened, ["enclaves"])
    with pytest.raises(ConfigError, match="add --changes"):
        exportable.read(replace(opened, changes=None), ["changes"])
    assert exportable.names(replace(opened, changes=None)) == ["municipalities", "zones", "panel", "sites"]


def test_a_selection_keeps_the_rows_of_its_municipalities(opened: Opened, found: dict[str, Dataset]):
    codes = selection.chosen(opened.folder.table, [selection.parse("department=Cauca")])
    kept = {name: exporting.narrowed(data, codes) for name, data in found.items()}
    assert set(kept["municipalities"].table["code"]) == set(codes)
    assert set(kept["panel"].table["code"]) == set(codes)
    assert set(kept["sites"].table["department"]) == {"Cauca"}
    members = kept["zones"].table["members"].str.split(";")
    assert all(any(code in set(codes) for code in each) for each in members)
    whole = found["zones"].table.set_index("zone")
    left = whole[~whole.index.isin(kept["zones"].table["zone"])]
    assert not any(code in set(codes) for each in left["members"] for code in each.split(";"))
    assert list(kept["zones"].frame.index) == list(range(len(members)))


@pytest.mark.parametrize("name", ["municipalities", "zones"])
def test_a_choice_keeps_the_colours_of_the_whole(opened: Opened, found: dict[str, Dataset], name: str):
    table = opened.folder.table
    few = exporting.narrowed(found[name], table.index[table["rank"] == 1])
    assert len(few.frame) == 1
    simple = exporting.redrawn(few, exporting.simplified(opened, 2000), 2000)
    assert style.of(simple) == style.of(few) == style.of(found[name])
    assert len(style.of(replace(few, whole=None))[0].classes) < len(style.of(few)[0].classes)


def test_notes_lie_beside_files_alone(opened: Opened, tmp_path: Path):
    run = opened.folder.folder
    exporting.export(exporting.Request(run=run, what=("all",), formats=("fgb",), out=tmp_path / "out"))
    stems = {file.stem for file in (tmp_path / "out").iterdir()}
    assert stems == {file.stem for file in (tmp_path / "out").glob("*.fgb")} == {"municipalities", "zones", "sites"}


def test_enclaves_of_an_earlier_run_in_the_same_folder_are_not_this_runs(opened: Opened, tmp_path: Path):
    again = open_run(shutil.copytree(opened.folder.folder, tmp_path / "again"))
    assert "enclaves" not in exportable.names(again)
    (again.folder.folder / "enclaves.geojson").write_text("{}", encoding="utf-8")
    density = again.folder.folder / "density.json"
    density.write_text(json.dumps({"run": sha256(again.folder.folder / "run.json")}), encoding="utf-8")
    assert "enclaves" in exportable.names(again)
    density.write_text(json.dumps({"run": "0" * 64}), encoding="utf-8")
    assert "enclaves" not in exportable.names(again)
    with pytest.raises(SourceError, match=r"it was made before the run was: run scripts/density.py with --run"):
        exportable.read(again, ["enclaves"])


def test_changes_that_led_to_another_run_are_refused(opened: Opened):
    earlier = open_run(opened.folder.folder.parent / "2019", changes=opened.changes)
    with pytest.raises(ConfigError, match=r"whose later run is .*2019; the scores of .*changes\.geojson are not of it"):
        exportable.read(earlier, ["changes"])


def test_changes_come_along_where_they_are_at_hand(opened: Opened):
    asked = exporting.Request(run=opened.folder.folder, changes=opened.changes)
    assert list(exporting.prepare(opened, asked).found) == ["municipalities", "zones", "changes"]
    named = exporting.Request(run=opened.folder.folder, changes=opened.changes, what=("zones",))
    assert list(exporting.prepare(opened, named).found) == ["zones"]


def test_a_public_export_lies_apart_from_what_names_posts():
    asked = exporting.Request(run=Path("run"))
    assert asked.folder == Path("run/export")
    assert replace(asked, public=True).folder == Path("run/export-public")
    assert replace(asked, public=True, out=Path("here")).folder == Path("here")


def test_simpler_borders_are_still_shared_and_zones_are_made_of_them(opened: Opened, found: dict[str, Dataset]):
    towns = exporting.simplified(opened, 2000)
    drawn = {name: exporting.redrawn(found[name], towns, 2000) for name in ("municipalities", "zones", "sites")}
    places = gpd.GeoDataFrame(drawn["municipalities"].frame).set_index("code")
    assert coverage.is_coverage(places)
    before = coverage.count_vertices(gpd.GeoDataFrame(found["municipalities"].frame))
    assert coverage.count_vertices(places) < 0.6 * before
    exact = gpd.GeoDataFrame(found["municipalities"].frame).set_index("code").to_crs(METRIC).area
    assert (places.to_crs(METRIC).area / exact).between(0.5, 1.5).all()  # still where they were, in degrees
    zones = gpd.GeoDataFrame(drawn["zones"].frame)
    for members, shape in zip(zones["members"], zones.geometry, strict=True):
        union = gpd.GeoSeries(places.geometry.reindex(members.split(";"))).union_all()
        assert union.symmetric_difference(shape).area < 1e-9
    assert drawn["sites"] is found["sites"]
    assert drawn["municipalities"].table.equals(found["municipalities"].table)
