"""What the methods do to the real figures: docs/findings.md, the first municipalities of some years, and the goal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

import pandas as pd

from geo.score import Method
from layers import criteria, goal
from layers.criteria import Zoning
from layers.draws import Choice
from layers.goal import Aim
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.published import NATION
from maps.inputs import Settings, read

YEARS = (2017, 2020, 2023)
DRAWS, SEED = 10_000, 1
MOVERS = 4
SHORT = {
    Method.WEIGHTED_MEAN: "mean",
    Method.GEOMETRIC_MEAN: "geometric",
    Method.TOPSIS: "TOPSIS",
    Method.VIKOR: "VIKOR",
    Method.PROMETHEE: "PROMETHEE",
}
INTRO = f"""# Findings

Written by `scripts/findings.py` from the bundled figures and the default settings: change it there. Ranks under each
method are those with every measure rescaled as stated. *90 %* is the central range of the rank over {DRAWS:,} draws of
weights, survey error, method and rescaling; *first 20* is the share of these draws in which the municipality is among
the first twenty. [methods.md](methods.md) has the formulas.
"""


def markdown() -> str:
    """The findings as Markdown.

    Returns
    -------
    str
        A part for each year, and one on the goal.
    """
    joined, zoning = read(Settings()).join(), criteria.load()
    runs = [prioritise(joined, zoning, year=year, draws=DRAWS, seed=SEED) for year in YEARS]
    return "\n".join([INTRO, *(_year(run, joined, zoning) for run in runs), _goal(joined, zoning)])


def _year(run: Priorities, joined: Panel, zoning: Zoning) -> str:
    top = zoning.uncertainty.top
    ranked = run.table.join(joined.places[["name", "department"]]).sort_values("rank")
    first = ranked.head(top)
    by_method = run.robustness.ranks[[Choice(method).name for method in Method]].set_axis(list(SHORT.values()), axis=1)
    heads = ["rank", "municipality", "department", "score", *SHORT.values(), "90 %", "first 20", "vacated"]
    places = by_method.loc[first.index].to_numpy().tolist()
    rows = (_row(row, ranks) for (_, row), ranks in zip(first.iterrows(), places, strict=True))
    return "\n".join([f"## {run.year}", "", *_table(heads, rows), "", _agreed(run, by_method, top), ""])


def _row(row: pd.Series, ranks: list[int]) -> list[str]:
    return [
        f"{row['rank']:.0f}", str(row["name"]), str(row["department"]), f"{row['score']:.3f}",
        *(f"{rank}" for rank in ranks), f"{row['rank_low']:.0f}–{row['rank_high']:.0f}", f"{row['top_share']:.0%}",
        "yes" if row["vacated"] else "no",
    ]  # fmt: skip


def _agreed(run: Priorities, by_method: pd.DataFrame, top: int) -> str:
    """How many of the first all methods, and all ways to score, agree on."""
    vacated = run.table["vacated"]
    every_method = by_method.index[(by_method <= top).all(axis=1)]
    found = run.robustness
    every_way = found.ranks.index[(found.ranks <= top).all(axis=1)]
    first = found.ranks.index[found.ranks.iloc[:, 0] <= top]
    widths = found.widths
    said = (
        f"All five methods agree on {len(every_method)} of the first {top} ({len(every_method) / top:.0%}), all "
        f"{found.ranks.shape[1]} ways to score on {len(every_way)}. The FARC left {vacated[first].sum()} of the first "
        f"{top}, and {vacated[every_method].sum()} of the {len(every_method)}. Kendall's tau with the weighted mean is "
        f"at the least {found.agreement.iloc[0].min():.2f}. The 90 % range of the first {top} is {widths['all']:g} "
        f"ranks wide in the median; from weights alone {widths['weights']:g}, from the survey alone "
        f"{widths['survey']:g}, from method and rescaling alone {widths['method']:g}."
    )
    return textwrap.fill(said, 120)


def _goal(joined: Panel, zoning: Zoning) -> str:
    """The nation's way to the goal in these years, and who made and undid it."""
    aim = goal.aim_of(zoning)
    heads = ["year", "series", "coca ha", "goal ha", "path ha", "progress", "on the path"]
    rows = [row for year in YEARS for row in _progress(joined, aim, year)]
    return "\n".join(["## The goal", "", *_table(heads, rows), "", _movers(joined, aim)])


def _progress(joined: Panel, aim: Aim, year: int) -> list[list[str]]:
    table = goal.by_series(joined.wide("coca_ha"), joined.places["department_code"], aim, year=year)
    nation = pd.DataFrame(table.xs(NATION, level="place")).to_dict("index")
    return [
        [
            str(year), str(series), f"{row['coca_ha']:,.0f}", f"{row['goal_ha']:,.0f}", f"{row['path_ha']:,.0f}",
            f"{row['progress']:.3f}", "yes" if row["on_path"] else "no",
        ]
        for series, row in nation.items()
    ]  # fmt: skip


def _movers(joined: Panel, aim: Aim) -> str:
    table = goal.made_and_undid(joined.wide("coca_ha"), aim, year=aim.target).join(
        joined.places[["name", "department"]]
    )
    fell, rose = table[table["change_ha"] < 0], table[table["change_ha"] > 0]
    made, undid = ("; ".join(_named(row) for _, row in each.head(MOVERS).iterrows()) for each in (fell, rose[::-1]))
    said = (
        f"From {aim.baseline} to {aim.target} coca fell in {len(fell)} municipalities, by "
        f"{-fell['change_ha'].sum():,.0f} ha, most in {made}. It rose in {len(rose)}, by "
        f"{rose['change_ha'].sum():,.0f} ha, most in {undid}."
    )
    return textwrap.fill(said, 120) + "\n"


def _named(row: pd.Series) -> str:
    return f"{row['name']}, {row['department']} ({row['change_ha']:+,.0f} ha)"


def _table(heads: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    yield from (f"| {' | '.join(row)} |" for row in rows)
