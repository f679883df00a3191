"""README.md does what it says: its code runs, its options exist, its sample is what a run prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from layers import criteria
from layers.sources import downloads
from maps import export, inputs, run, terminal

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.S | re.M)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def table(heading: str) -> list[list[str]]:
    """Rows of the table whose first heading is given."""
    [body] = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.M)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )


@cache
def options(script: str) -> dict[str, str]:
    """Each option of a script as ``--help`` names it, with what it says of it."""
    done = python(str(ROOT / script), "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("\nOptions:\n")[1]
    parts = re.split(r"^  (--[\w-]+)", said, flags=re.M)[1:]
    return {name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def commands() -> list[list[str]]:
    """Every command of the README that runs a script, in shell words; what make passes on is the zones' script's."""
    lines = [
        line.split("#")[0] for language in ("sh", "bat") for block in blocks(language) for line in block.split("\n")
    ]
    lines += [text for text in quoted(PROSE) if "scripts/" in text]
    passed = [f"scripts/zone.py {text}" for line in lines for text in re.findall(r'make zones ARGS="([^"]*)"', line)]
    spelled = [shlex.split(line.replace("\\", "/")) for line in [*lines, *passed]]
    starts = ((words, next((i for i, w in enumerate(words) if w.startswith("scripts/")), None)) for words in spelled)
    return [words[start:] for words, start in starts if start is not None]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> run.Run:
    """The run that the README shows."""
    return run.run(inputs.Settings(year=2020, out=tmp_path_factory.mktemp("readme") / "2020"))


def test_every_python_block_runs_and_says_something_from_any_folder(tmp_path: Path, sample: run.Run):
    code = blocks("python")
    assert code
    said = []
    for number, block in enumerate(code):
        (tmp_path / f"block{number}.py").write_text(block, encoding="utf-8")
        done = python(f"block{number}.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        assert done.stderr == ""
        said.append(done.stdout)
    first = sample.municipalities.dropna(subset=["rank"]).sort_values("rank").head(10)
    assert re.findall(r"^(\d{5})\b", said[0], re.M) == list(first.index)
    assert "characters in one file" in said[1]
    assert "code='19548', confidence=0.95" in said[2]
    assert [path.suffix for path in tmp_path.iterdir()] == [".py"] * len(code)


def test_the_readme_runs_scripts_that_exist():
    scripts = {words[0] for words in commands()}
    assert {"scripts/zone.py", "scripts/fetch.py"} <= scripts
    assert {script for script in scripts if not (ROOT / script).is_file()} == set()


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_option_of_a_command_exists(words: list[str]):
    used = {word.split("=")[0] for word in words[1:] if word.startswith("--")}
    assert used - set(options(words[0])) == set()


def test_every_data_set_that_is_fetched_can_be_fetched():
    asked = {word for words in commands() if words[0] == "scripts/fetch.py" for word in words[1:] if word[0] != "-"}
    assert asked
    assert asked - set(downloads()) == set()


def test_the_table_of_options_is_the_list_of_the_scripts_help():
    told = [option for row in table("option") for option in quoted(row[0])]
    assert len(told) == len(set(told))
    assert set(told) == set(options("scripts/zone.py")) - {"--help"}


def test_the_table_of_options_states_the_defaults():
    defaults = {option: row[2] for row in table("option") for option in quoted(row[0])}
    settings = inputs.Settings()
    assert defaults["--draws"] == defaults["--seed"] == f"{settings.draws}, {settings.seed}"
    assert quoted(defaults["--lang"]) == [settings.lang]
    assert quoted(defaults["--data"]) == ["bundled"]
    assert quoted(defaults["--out"]) == ["out/YEAR"]
    assert defaults["--drop-unmatched"] == "off"
    assert settings.drop_unmatched is False
    for option in ("--draws", "--seed", "--lang", "--data"):
        stated = re.search(r"default: ([\w.]+)", options("scripts/zone.py")[option])
        assert stated, option
        assert stated[1] in defaults[option], option


def test_a_run_gives_the_files_that_the_readme_lists(sample: run.Run):
    assert {path.name for path in sample.folder.iterdir()} == {quoted(row[0])[0] for row in table("file")}


def test_the_sample_is_what_a_run_prints(sample: run.Run, capsys: pytest.CaptureFixture[str]):
    terminal.report(sample)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    shown = [line.rstrip() for line in blocks("text")[0].splitlines()]
    kept = [line for line in shown if line and line.strip() != "..."]
    assert len(kept) > 5
    assert [line for line in printed if line in kept] == kept


def test_the_readme_counts_the_municipalities(sample: run.Run):
    [count] = re.findall(r"all ([\d,]+) municipalities with figures", README)
    assert int(count.replace(",", "")) == len(sample.municipalities)


def test_the_table_of_columns_explains_every_column_that_is_not_plain():
    told = [column for row in table("column") for column in quoted(row[0])]
    assert set(told) - set(export.COLUMNS) == {"contribution_…"}
    plain = {"name", "department_code", "department", "population", "area_km2"}
    assert set(export.COLUMNS) - set(told) == plain


def test_the_weights_are_those_of_the_settings():
    zoning = criteria.load()
    told = {row[0]: row[1] for row in table("dimension")}
    assert told == {dimension.label_en: f"{dimension.weight * 100:.0f} %" for dimension in zoning.dimensions}
    numbers = {"Ten": 10, "four": 4}
    [(measures, dimensions)] = re.findall(r"(\w+) measures in (\w+) dimensions", README)
    assert numbers.get(measures) == len(zoning.criteria)
    assert numbers.get(dimensions) == len(zoning.dimensions)


@pytest.mark.parametrize(
    ("pattern", "section", "name"),
    [
        (r"where it has at least (\d+) ha of coca", "candidates", "minimum_coca_ha"),
        (r"together hold (\d+) % of the year", "candidates", "high_share"),
        (r"slope over (\d+) years", "windows", "trend_years"),
        (r"share of (\d+) years with coca", "windows", "permanence_years"),
        (r"missing below (\d+) ha", "windows", "minimum_eradicated_ha"),
        (r"people beyond (\d+) km", "windows", "station_radius_km"),
        (r"FARC events in (\d{4})–2014", "windows", "farc_first"),
        (r"FARC events in 2011–(\d{4})", "windows", "farc_last"),
        (r"how often among the first (\d+)\)", "uncertainty", "top"),
        (r"survey's error \(lognormal, (\d+) %\)", "uncertainty", "coca_error"),
    ],
)
def test_numbers_of_the_text_are_those_of_the_settings(pattern: str, section: str, name: str):
    value = float(getattr(getattr(criteria.load(), section), name))
    found = re.findall(pattern, " ".join(README.split()))
    assert found
    percent = "%" in pattern
    assert {float(number) for number in found} == {round(100 * value, 9) if percent else value}


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_target_of_make_exists():
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join([*blocks("sh"), *quoted(PROSE)])))
    assert {"zones", "test", "atlas"} <= told
    assert {target for target in told if not re.search(rf"^{target}:", made, re.M)} == set()


def test_the_size_of_the_atlas_is_stated():
    [size] = re.findall(r"police posts: ([\d.]+) MB", " ".join(README.split()))
    bundled = sum(path.stat().st_size for path in (ROOT / "layers" / "atlas").iterdir() if path.is_file())
    assert float(size) == round(bundled / 1e6, 1)
