"""What a script says: the first ten, gaps as dashes, errors in one line, and nothing but text in a pipe."""

from __future__ import annotations

import copy
import io
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo.errors import CodeError
from layers.report import Finding, Kind, Report
from maps import terminal
from maps.run import STEPS, Run

TITLE = "Where permanent presence comes first, 2020"
SUMMARY: dict[str, Any] = {
    "year": 2020,
    "inputs": {"coca": {"file": "coca.csv", "bundled": True}},
    "warnings": [],
    "config": {"candidates": {"minimum_coca_ha": 1.0, "high_share": 0.8}},
    "totals": {
        "candidates": 172,
        "high_cultivation": 35,
        "high_cultivation_vacated": 34,
        "zones": 10,
        "coca_ha": 142_785.26,
        "coca_ha_published": 142_783.0,
    },
}
ROW: dict[str, Any] = {
    "name": "Tibú", "department": "Norte de Santander", "score": 0.7456, "rank": 1, "rank_low": 1, "rank_high": 6,
    "coca_ha": 19_333.7, "resurgence": 0.996, "farc_events": 95, "station_km": 0.24,
}  # fmt: skip
WHOLE = ("rank", "rank_low", "rank_high", "farc_events")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a developer's shell may say about colours and widths."""
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERM"):
        monkeypatch.delenv(name, raising=False)


def run_of(*rows: dict[str, Any], folder: Path = Path("out/2020"), **changes: Any) -> Run:
    table = pd.DataFrame([ROW | row for row in rows], columns=list(ROW))
    table.index = pd.Index([f"{54000 + place}" for place in range(len(table))], name="code")
    table = table.astype(dict.fromkeys(WHOLE, "Int64"))
    towns = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy([0.0] * len(table), [0.0] * len(table)), crs=4326)
    summary = copy.deepcopy(SUMMARY)
    for name, value in changes.items():
        summary[name] = summary[name] | value if isinstance(value, dict) else value
    return Run(folder, towns, gpd.GeoDataFrame(geometry=[], crs=4326), summary)


def said(run: Run, capsys: pytest.CaptureFixture[str]) -> list[str]:
    terminal.report(run)
    out, err = capsys.readouterr()
    assert err == ""
    return [line.rstrip() for line in out.splitlines()]


def table(lines: list[str]) -> list[list[str]]:
    """The table's rows, cell by cell; cells stand two blanks apart."""
    assert lines[0] == TITLE
    head = next(place for place, line in enumerate(lines) if line.lstrip().startswith("rank"))
    assert set(lines[head + 1].strip()) == {"─"}
    ends = next(place for place in range(head + 2, len(lines)) if not lines[place])
    return [re.split(r"\s{2,}", line.strip()) for line in lines[head + 2 : ends]]


def test_a_municipality_is_one_row_with_its_figures_rounded(capsys):
    assert table(said(run_of(ROW), capsys)) == [
        ["1", "Tibú", "Norte de Santander", "0.746", "1–6", "19,334", "1.00", "95", "0.2"]
    ]


def test_headings_name_what_stands_below_them(capsys):
    lines = said(run_of(ROW), capsys)
    heads = next(line for line in lines if line.lstrip().startswith("rank"))
    assert re.split(r"\s{2,}", heads.strip()) == list(terminal.COLUMNS)


def test_the_first_ten_by_rank_are_shown_whatever_the_order_of_rows(capsys):
    ranks = np.random.default_rng(5).permutation(np.arange(1, 31)).tolist()
    rows = table(said(run_of(*({"name": f"Pueblo{rank}", "rank": rank} for rank in ranks)), capsys))
    assert [row[0] for row in rows] == [str(rank) for rank in range(1, 11)]
    assert [row[1] for row in rows] == [f"Pueblo{rank}" for rank in range(1, 11)]


def test_fewer_than_ten_candidates_are_all_shown_and_the_rest_left_out(capsys):
    rows = table(said(run_of({"rank": 2, "name": "B"}, {"rank": None, "name": "C"}, {"rank": 1, "name": "A"}), capsys))
    assert [row[1] for row in rows] == ["A", "B"]


def test_without_candidates_the_table_is_empty_and_the_rest_is_said(capsys):
    lines = said(run_of({"rank": None}, totals={"candidates": 0}), capsys)
    assert table(lines) == []
    assert any(line.startswith("0 candidates") for line in lines)


@pytest.mark.parametrize("gap", [float("nan"), None, pd.NA], ids=["NaN", "None", "NA"])
def test_what_was_not_measured_is_a_dash(gap, capsys):
    gaps = dict.fromkeys(("rank_low", "rank_high", "coca_ha", "resurgence", "farc_events", "station_km"), gap)
    gaps["farc_events"] = None
    lines = said(run_of(gaps), capsys)
    assert table(lines) == [["1", "Tibú", "Norte de Santander", "0.746", *"–" * 5]]
    assert not re.search(r"\b(?:nan|none|<na>|nat)\b", "\n".join(lines), re.I)


def test_a_measured_zero_is_a_zero(capsys):
    zeros = {"coca_ha": 0.0, "resurgence": 0.0, "farc_events": 0, "station_km": 0.0}
    assert table(said(run_of(zeros), capsys))[0][5:] == ["0", "0.00", "0", "0.0"]


def test_figures_stand_right_aligned_below_each_other(capsys):
    lines = said(run_of({"coca_ha": 5.0}, {"rank": 2, "coca_ha": 31_300.0}), capsys)
    rows = [line for line in lines if "Norte de Santander" in line]
    assert re.search(r" 5\b", rows[0]).end() == re.search(r"31,300", rows[1]).end()  # type: ignore[union-attr]


def answer(lines: list[str]) -> list[str]:
    return lines[: next(place for place, line in enumerate(lines) if "candidates with" in line)]


@pytest.mark.parametrize("name", ["W" * 300, "San José " * 12, "Ñandú " * 30])
def test_no_row_is_wider_than_the_pipe(name, capsys):
    lines = answer(said(run_of({"name": name}), capsys))
    assert max(map(len, lines)) <= terminal.PIPE_WIDTH


def test_the_longest_names_of_the_country_are_wrapped_and_not_cut(capsys):
    names = {"name": "San Sebastián de Buenavista del Magdalena",
             "department": "Archipiélago de San Andrés, Providencia y Santa Catalina"}  # fmt: skip
    found = Counter(" ".join(answer(said(run_of(names), capsys))).split())
    assert not Counter(" ".join(names.values()).split()) - found
    assert {"19,334", "1–6", "0.746"} <= set(found)


def test_names_are_text_and_not_markup(capsys):
    lines = said(run_of({"name": "[red]Alfa[/red] :smile:"}), capsys)
    assert table(lines)[0][1] == "[red]Alfa[/red] :smile:"


def test_totals_are_said_in_two_sentences(capsys):
    lines = said(run_of(ROW), capsys)
    expected = "172 candidates with at least 1 ha. 35 municipalities hold 80% of the coca; the FARC left 34 of them. "
    assert expected + "10 zones." in lines
    assert "Coca in all: 142,785 ha (published: 142,783 ha)." in lines


def test_a_total_that_nobody_published_is_no_zero(capsys):
    lines = said(run_of(ROW, totals={"coca_ha_published": None}), capsys)
    assert "Coca in all: 142,785 ha (published: none on record)." in lines


def test_a_threshold_below_one_hectare_is_said_as_it_is(capsys):
    lines = said(run_of(ROW, config={"candidates": {"minimum_coca_ha": 0.5, "high_share": 0.9}}), capsys)
    assert any("with at least 0.5 ha" in line and "90%" in line for line in lines)


def test_warnings_and_the_way_to_the_map_are_whole_lines_however_long(capsys, tmp_path):
    warning = "note " * 60 + "end"
    lines = said(run_of(ROW, folder=tmp_path / ("deep " * 20) / "[x]", warnings=[warning, "second"]), capsys)
    assert f"Note: {warning}" in lines
    assert "Note: second" in lines
    path = (tmp_path / ("deep " * 20) / "[x]" / "map.html").resolve()
    assert f"Map: {path}" in lines
    assert lines[-1].endswith(f'"{path}"')


@pytest.mark.parametrize(
    ("system", "command"), [("linux", 'xdg-open "'), ("darwin", 'open "'), ("win32", 'start "" "'), ("aix", "xdg-open")]
)
def test_the_map_is_opened_as_each_system_does(system, command, capsys, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    assert f"double-click it, or {command}" in said(run_of(ROW), capsys)[-1]


def test_what_was_done_to_the_planners_own_files_is_said_and_of_bundled_ones_nothing(capsys):
    report = Report(1319, 1300, (Finding(Kind.LEFT_OUT, "rows without a code left out", 19, ("x", "[b]")),), {})
    inputs = {
        "coca": {"file": "my.csv", "bundled": False, "report": report.as_dict()},
        "police": {"file": "police_posts.csv", "bundled": True, "report": report.as_dict()},
        "config": {"file": "my.toml", "bundled": False},
    }
    lines = said(run_of(ROW, inputs=inputs), capsys)
    assert "Read my.csv: 1,319 rows, 1,300 kept." in lines
    assert "  19 rows without a code left out: x, [b]" in lines
    assert not any("police_posts" in line or "my.toml" in line for line in lines)


def test_in_a_pipe_nothing_but_text_is_written(capsys):
    lines = said(run_of(ROW, warnings=["careful"]), capsys)
    assert "\x1b" not in "\n".join(lines)
    assert "\r" not in "\n".join(lines)


def test_on_a_terminal_a_note_stands_out(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal.report(run_of(ROW, warnings=["careful"]))
    assert re.search(r"\x1b\[[\d;]*mNote: careful\x1b\[0m", screen.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "latin-1"])
def test_a_pipe_in_another_encoding_loses_signs_and_not_the_answer(encoding, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    terminal.report(run_of(ROW))
    sys.stdout.flush()
    assert "19,334" in raw.getvalue().decode(encoding)


def test_a_progress_bar_is_shown_on_a_terminal_and_taken_away(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    with terminal.steps() as step:
        for name in STEPS:
            step(name)
    assert STEPS[-1] in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")


def test_in_a_pipe_there_is_no_progress_bar(capsys):
    with terminal.steps() as step:
        for name in STEPS:
            step(name)
    assert capsys.readouterr() == ("", "")


def test_the_bar_lets_errors_through(capsys):
    def stop() -> None:
        with terminal.steps() as step:
            step(STEPS[0])
            raise CodeError("no such code")

    with pytest.raises(CodeError, match="no such code"):
        stop()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("message", ["one line", "two\nlines", "a [red]file[/red].csv\r\n\twith  tabs"])
def test_an_error_is_one_line_on_stderr_and_exit_code_2(message, capsys):
    assert terminal.fail(CodeError(message)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {' '.join(message.split())}\n"
