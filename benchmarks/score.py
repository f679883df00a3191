"""Ranks over draws, beside a loop over pymcdm: the same matrix, weights and errors, in one run, and the same ranks.

    python benchmarks/score.py [--draws 10000] [--seed 1]

180 candidates by 10 measures, without gaps, since pymcdm takes none. Two cases: only the weights are drawn; or five of
the measures, too, as the coca survey's error makes them vary. Times are seconds of one processor for scores and ranks,
without the drawing, which both share; the last lines time the drawing and the spread of ranks.

pymcdm is timed as one calls it, which checks each matrix, and unchecked, which is what a loop should do that knows its
matrices. What is slow there is timed on the first draws and scaled up: all that is checked on 300, PROMETHEE II on 500.
Ranks are compared in every draw that was timed unchecked; ends with 1 if any differs.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

import numpy as np
from pymcdm.methods import PROMETHEE_II, TOPSIS, VIKOR, WPM, WSM
from pymcdm.methods.mcda_method import MCDA_method

from geo import score, uncertainty
from geo.score import Floats, Method
from geo.uncertainty import Ranks

UNITS, MEASURES, SURVEYED = 180, 10, 5
CONCENTRATION, ERROR = 60.0, 0.10
BATCH = 250  # as layers/draws.py has it
CHECKED_MOST, UNCHECKED_MOST = 300, {Method.PROMETHEE: 500}


def as_it_is(column: Floats, cost: bool = False) -> Floats:
    return column


# A PROMETHEE_II object must be made anew for each call: its preference functions are a generator.
PEERS: dict[Method, Callable[[], MCDA_method]] = {
    Method.WEIGHTED_MEAN: lambda: WSM(as_it_is),
    Method.GEOMETRIC_MEAN: lambda: WPM(as_it_is),
    Method.TOPSIS: lambda: TOPSIS(as_it_is),
    Method.VIKOR: VIKOR,
    Method.PROMETHEE: lambda: PROMETHEE_II("usual"),
}


@dataclass(frozen=True)
class Draws:
    """A matrix of measures, and what is drawn: weights (draws, m) and some columns (draws, n)."""

    unit: Floats
    weights: Floats
    surveyed: Floats | None

    def columns(self, part: slice) -> list[Floats]:
        drawn = [] if self.surveyed is None else list(self.surveyed[:, part])
        return drawn + list(self.unit.T[len(drawn) :])

    def matrix(self, draw: int) -> Floats:
        if self.surveyed is None:
            return self.unit
        return np.column_stack([self.surveyed[:, draw].T, self.unit[:, SURVEYED:]])


@dataclass(frozen=True)
class Result:
    """Seconds for all draws, and in how many of the draws that were compared a rank differs."""

    ours: float
    checked: float
    unchecked: float
    compared: int
    differing: int


def make(draws: int, seed: int, *, survey: bool) -> Draws:
    """From 0.01 upwards, which is where a geometric mean's floor lies."""
    rng = np.random.default_rng(seed)
    unit = rng.uniform(0.01, 1.0, (UNITS, MEASURES))
    given = rng.dirichlet(np.full(MEASURES, 5.0))
    weights = uncertainty.draw_weights(given, concentration=CONCENTRATION, draws=draws, rng=rng)
    if not survey:
        return Draws(unit, weights, None)
    errors = uncertainty.draw_errors((SURVEYED, draws, UNITS), sigma=ERROR, rng=rng)
    return Draws(unit, weights, np.clip(errors * unit.T[:SURVEYED, None, :], 0.01, 1.0))


def batches(draws: int) -> Iterator[slice]:
    return (slice(start, min(start + BATCH, draws)) for start in range(0, draws, BATCH))


def ours(drawn: Draws, method: Method) -> Ranks:
    parts = [
        score.ranks(score.aggregate(drawn.columns(part), drawn.weights[part], method))
        for part in batches(len(drawn.weights))
    ]
    return np.concatenate(parts)


def peers(drawn: Draws, method: Method, draws: int, *, check: bool) -> Ranks:
    types = np.ones(MEASURES)
    ranks = np.empty((draws, UNITS))
    for draw in range(draws):
        body = PEERS[method]()
        ranks[draw] = body.rank(body(drawn.matrix(draw), drawn.weights[draw], types, validation=check))
    return ranks.astype(np.int64)


def compare(drawn: Draws, method: Method) -> Result:
    draws = len(drawn.weights)
    few, many = min(draws, CHECKED_MOST), min(draws, UNCHECKED_MOST.get(method, draws))
    ours(drawn, method)  # the first call pays for pages of memory that later ones find
    here, ranks = clock(lambda: ours(drawn, method))
    checked, _ = clock(lambda: peers(drawn, method, few, check=True))
    unchecked, others = clock(lambda: peers(drawn, method, many, check=False))
    differing = int((ranks[:many] != others).any(axis=1).sum())
    return Result(here, checked * draws / few, unchecked * draws / many, many, differing)


def clock(work: Callable[[], Ranks]) -> tuple[float, Ranks]:
    start = time.process_time()
    done = work()
    return time.process_time() - start, done


def report(title: str, results: dict[str, Result]) -> None:
    print(f"\n{title}")
    print(f"{'':<16}{'here':>8}{'pymcdm':>9}{'ratio':>7}{'unchecked':>11}{'ratio':>7}{'ranks differ in':>19}")
    for name, each in results.items():
        print(f"{name:<16}{each.ours:>6.3f} s{each.checked:>7.1f} s{each.checked / each.ours:>7.0f}", end="")
        print(f"{each.unchecked:>9.1f} s{each.unchecked / each.ours:>7.0f}", end="")
        print(f"{each.differing:>9} of {each.compared}")


def together(results: dict[str, Result]) -> Result:
    columns = zip(*(astuple(each) for each in results.values()), strict=True)
    return Result(*map(sum, columns))


def time_drawing(draws: int, seed: int) -> None:
    """What a run does beside scoring: draw, and look at the spread of the ranks."""
    seconds, drawn = clock(lambda: ours(make(draws, seed, survey=True), Method.WEIGHTED_MEAN))
    spread = clock(lambda: uncertainty.rank_spread(drawn, top=20)[0].astype(np.int64))[0]
    print(f"\nweights and survey drawn, scored by the weighted mean and ranked: {seconds:.2f} s")
    print(f"rank_low, rank_high and top_share of these ranks: {spread:.2f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10_000, help="how many draws (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="where they begin (default: 1)")
    args = parser.parse_args()
    print(f"{args.draws} draws of {UNITS} candidates by {MEASURES} measures")
    warnings.filterwarnings("ignore", module="pymcdm")  # about candidates that others dominate
    differing = 0
    for survey, title in ((False, "Weights drawn"), (True, f"Weights and {SURVEYED} measures drawn")):
        drawn = make(args.draws, args.seed, survey=survey)
        results = {method.value: compare(drawn, method) for method in Method}
        results["in all"] = together(results)
        report(title, results)
        differing += results["in all"].differing
    time_drawing(args.draws, args.seed)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
