"""docs/findings.md is what the figures say, and says what was found."""

from __future__ import annotations

import re

import pytest

from layers import criteria
from layers.priority import prioritise
from maps.inputs import Settings, read
from tests.scripts.calling import ROOT, call

TEXT = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in part(title).splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_file_is_what_the_figures_say():
    done = call("findings.py", "--check", cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("year", ["2017", "2020", "2023"])
def test_each_year_has_its_first_twenty_with_ranks_under_every_method(year: str):
    table = rows(year)
    assert [row[0] for row in table] == [str(rank) for rank in range(1, 21)]
    for row in table:
        assert row[4] == row[0]  # the weighted mean ranks
        low, high = map(int, row[9].split("–"))
        assert low <= high


@pytest.mark.parametrize("year", ["2017", "2020", "2023"])
def test_what_is_said_of_a_year_is_what_its_table_shows(year: str):
    said = " ".join(part(year).split())
    agreed = [row for row in rows(year) if all(int(rank) <= 20 for rank in row[4:9])]
    assert f"All five methods agree on {len(agreed)} of the first 20 ({len(agreed) / 20:.0%})" in said
    vacated = sum(row[11] == "yes" for row in rows(year))
    both = sum(row[11] == "yes" for row in agreed)
    assert f"The FARC left {vacated} of the first 20, and {both} of the {len(agreed)}." in said


def test_2020_is_the_run_of_2020():
    scored = prioritise(read(Settings()).join(), criteria.load(), year=2020, draws=0, seed=1)
    ranked = scored.table.sort_values("rank").head(20)
    assert [row[3] for row in rows("2020")] == [f"{score:.3f}" for score in ranked["score"]]
    for place, column in enumerate(("weighted-mean", "geometric-mean", "topsis", "vikor", "promethee"), start=4):
        ranks = scored.robustness.ranks[f"{column}, stated"].loc[ranked.index]
        assert [row[place] for row in rows("2020")] == [str(rank) for rank in ranks]


def test_the_goal_is_as_published():
    """171,495 ha in 2017, half of it 85,748, and 252,572 ha in 2023."""
    said = part("The goal")
    assert "| 2017 | printed total | 171,495 | 85,748 | 171,495 | 0.000 | yes |" in said
    assert "| 2023 | printed total | 252,572 | 85,748 | 85,748 | -0.946 | no |" in said
    assert "| 2023 | municipal table | 252,573 | 85,748 | 85,748 | -0.946 | no |" in said
