"""Why a unit ranks where it does: the smallest change of weights that moves it, and what it would need by itself.

Bare arrays: n units by m measures in 0..1, NaN where missing, and weights that sum to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geo import score
from geo.score import Floats

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

LEAD = 1e-6  # by so much of the score a unit must be ahead of one that comes first at equal scores
PRECISION = 1e-9  # below it two shares of the weight are the same
DUST = 1e-12  # of the weight, which the arithmetic leaves where all is taken
SLACK = 2e-7  # by which the solver may miss a lead
NEARLY = 1e-6  # by which its mixed-integer programmes may miss a share of the weight
SCALE = 1e3  # of their objective: they stop at 1e-6 of it
PRICE = 100.0  # in weight, of a lead that a programme misses by 1
PROGRAMMES = 100  # beyond so many linear ones a mixed-integer programme takes over
ROUNDS = 20  # in which ties are told apart, or sets refused
GUESSES = 8  # of a set that can be passed
AGREEING = 9  # rounds, in which the level of missing measures follows the score
PATIENCE = 400  # linear programmes, after which it no longer does
SETTLED = 1e-5  # below it a level and a score agree
LEVELS = 9  # that are tried where none agrees


@dataclass(frozen=True)
class WeightChange:
    """The smallest change of weights that brings a unit into the first, or out of them.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        After the change, summing to 1.
    distance : float
        The share of all weight that moves from some measures to others: half the sum of the absolute changes, 0 to 1.
    way : {"in", "out"}
        Which way the unit goes.
    """

    weights: Floats
    distance: float
    way: Literal["in", "out"]


@dataclass(frozen=True)
class _Race:
    """Others of whom enough must be passed: their leads are linear in the weights.

    Attributes
    ----------
    leads : ndarray, shape (c, m)
        By how much each measure favours passing each of the others.
    least : ndarray, shape (c,)
        What the weighted lead must be for that other to count as passed.
    needed : int
        How many must be passed.
    held : ndarray, shape (m,)
        What must weigh 0.
    """

    leads: Floats
    least: Floats
    needed: int
    held: Floats

    def gaps(self, weights: Floats) -> Floats:
        """How far beyond what is needed each lead is, shape (c,); below 0 where the other is not passed."""
        return np.asarray(self.leads @ weights - self.least)


def weight_change(unit: Floats, weights: Floats, place: int, *, top: int) -> WeightChange | None:
    """Find the smallest change of weights that brings a unit into the first, or out of them if it is there.

    Scores are weighted means, and equal scores rank in the order of rows, as in :mod:`geo.score`. Whom to pass is a
    choice: branch and bound makes it over linear programmes, and where branches are many, a mixed-integer one. Where
    nothing is missing, no smaller change does it, up to ``LEAD``: that is by how much of the score a unit must be ahead
    of one whose row comes first. Where measures are missing, a score is a ratio of weights, and who is ahead is not
    linear in them. Missing measures are then taken to stand at one level, which follows the unit's own score after the
    change, since at that level every comparison with it is exact. Such a change is verified to work under the true
    rule; it is the smallest for its level, and another level may give a smaller one.

    Parameters
    ----------
    unit : ndarray, shape (n, m)
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,)
        Not negative, summing to 1.
    place : int
        Row of the unit.
    top : int
        Up to which rank a unit counts as among the first.

    Returns
    -------
    WeightChange or None
        None where no weights bring it there; with missing measures, where none were found.
    """
    contest = _Contest(unit, weights, place, top)
    contest.settle()
    if contest.best is None:
        return None
    return WeightChange(contest.best, contest.distance, "out" if contest.inside else "in")


def needed(unit: Floats, weights: Floats, place: int, *, threshold: float) -> Floats:
    """For each measure, the value that by itself would bring the unit's score to a threshold.

    Parameters
    ----------
    unit : ndarray, shape (n, m)
        Measures in 0..1; NaN where missing.
    weights : ndarray, shape (m,)
        Not negative, summing to 1.
    place : int
        Row of the unit.
    threshold : float
        The score to reach, or for a unit above it, to fall to.

    Returns
    -------
    ndarray, shape (m,)
        0 to 1, the other measures as they are: at least so much for a unit below the threshold, so low for one above.
        Of a missing measure, what it would have to be once measured. NaN where no value from 0 to 1 is enough, and
        where the measure has no weight.
    """
    own = unit[place]
    known = np.where(np.isnan(own), 0.0, weights)
    total, points = known.sum(), np.nansum(known * own)
    # With a measure at x: (points of the others + w x) / (their weight + w) = threshold.
    rest = points - known * np.nan_to_num(own)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (threshold * (total - known + weights) - rest) / weights
    reached = (value >= -PRECISION) & (value <= 1 + PRECISION)
    return np.where(reached, np.clip(value, 0.0, 1.0), np.nan)


def _distance(after: Floats, before: Floats) -> float:
    return float(np.abs(after - before).sum() / 2)


def _scores(unit: Floats, weights: Floats) -> Floats:
    return score.weighted_mean(unit, weights)[0]


class _Contest:
    """A unit, and the others that it must pass to come in, or that must pass it to send it out."""

    def __init__(self, unit: Floats, weights: Floats, place: int, top: int) -> None:
        self.unit, self.weights, self.place = unit, weights, place
        self.others = np.flatnonzero(np.arange(len(unit)) != place)
        self.inside = bool(score.ranks(_scores(unit, weights))[place] <= top)
        self.needed = top if self.inside else len(unit) - top
        helped = self.others < place if self.inside else self.others > place
        self.least = np.where(helped, 0.0, LEAD)
        self.best: Floats | None = None
        self.distance = 1.0 + LEAD
        self.solved = 0

    def settle(self) -> None:
        """Find the closest weights, and where measures are missing, the level at which they stand."""
        own = self.unit[self.place]
        if self.needed > len(self.others) or np.isnan(own).all():
            return
        if not np.isnan(self.unit).any():
            self._offer(self._closest(0.0, hold=False))
            return
        self._agree()
        if self.best is None:
            for level in np.linspace(np.nanmin(own), np.nanmax(own), LEVELS):
                self._offer(self._closest(float(level), hold=True))

    def _agree(self) -> None:
        """Let the level of missing measures follow the score that the weights give, until they agree; then hold it."""
        levels = [self._level(self.weights, 0.0)]
        while len(levels) <= AGREEING and self.solved <= PATIENCE:
            found = self._closest(levels[-1], hold=False)
            if found is None:
                break
            does = self._offer(found)
            levels.append(self._level(found, levels[-1]))
            if does and abs(levels[-1] - levels[-2]) < SETTLED:
                return
            if len(levels) % 3 == 0:
                levels[-1] = _extrapolated(*levels[-3:])
        for level in (levels[-1], float(np.mean(levels[-2:]))):
            self._offer(self._closest(level, hold=True))

    def _offer(self, after: Floats | None) -> bool:
        """Keep weights that do it under the true rule, if they are closer; whether they do it."""
        if after is None or self._passed(after).sum() < self.needed:
            return False
        if _distance(after, self.weights) < self.distance:
            self.best, self.distance = after, _distance(after, self.weights)
        return True

    def _closest(self, level: float, *, hold: bool) -> Floats | None:
        """The closest weights with missing measures at a level, at which the unit's own score may be held."""
        within = self.distance if hold else 1.0 + LEAD
        for _ in range(ROUNDS):
            race = _Race(self._leads(level), self.least, self.needed, self._held(level if hold else np.nan))
            search = _Search(race, self.weights, within)
            after = search.run(self.weights if self.best is None else self.best)
            self.solved += search.solved
            if after is None:
                return None
            # Equal in the programme, and not in the arithmetic of scores: from now on it must be ahead.
            unsure = (race.gaps(after) >= -SLACK) & ~self._passed(after) & (self.least < LEAD)
            if not unsure.any():
                return after
            self.least = np.where(unsure, LEAD, self.least)
        return None

    def _level(self, weights: Floats, otherwise: float) -> float:
        own = float(_scores(self.unit[[self.place]], weights)[0])
        return otherwise if np.isnan(own) else own

    def _leads(self, level: float) -> Floats:
        """Leads with missing measures at a level, by which none favours anybody at that score."""
        filled = np.where(np.isnan(self.unit), level, self.unit)
        ahead = filled[self.place] - filled[self.others]
        return np.asarray(-ahead if self.inside else ahead)

    def _held(self, level: float) -> Floats:
        """The row whose weighted sum is 0 where the unit's score is at a level; all 0 without one."""
        return np.asarray(np.nan_to_num(self.unit[self.place] - level))

    def _passed(self, weights: Floats) -> Mask:
        """Which of the others are passed under the true rule."""
        rank = score.ranks(_scores(self.unit, weights))
        behind = rank[self.others] > rank[self.place]
        return np.asarray(~behind if self.inside else behind)


class _Search:
    """Branch and bound: demand the other that is farthest from being passed, or give it up."""

    def __init__(self, race: _Race, weights: Floats, within: float) -> None:
        self.race, self.weights = race, weights
        self.best: Floats | None = None
        self.solved = 0
        self._reach(within)

    def run(self, start: Floats) -> Floats | None:
        """The closest weights at which enough are passed; those that weights nearby pass are tried first."""
        nobody = np.zeros(len(self.race.leads), dtype=bool)
        after = self._closest(nobody)
        if after is None or not self._closer(after):
            return None
        self._guess(nobody, start)
        self._visit(nobody, nobody, after)
        if self.solved > PROGRAMMES:
            self._programme()
        return self.best

    def _guess(self, nobody: Mask, start: Floats) -> None:
        """Weights that will do, where there is a set that is easily found."""
        for _ in range(GUESSES):
            first = np.argsort(-self.race.gaps(start), kind="stable")[: self.race.needed]
            after, missed = _solve(self.race, first[None], self.weights, price=PRICE)
            if missed[0] <= SLACK:
                self._offer(self._closest(_with(nobody, first)))
                return
            start = after[0]

    def _visit(self, demanded: Mask, given_up: Mask, after: Floats) -> None:
        """Look for closer weights that pass those demanded, whose closest are known."""
        gaps = self.race.gaps(after)
        if (gaps >= -SLACK).sum() >= self.race.needed:
            self._offer(self._closest(demanded))
            return
        while self.solved <= PROGRAMMES and not (demanded & self.hopeless).any():
            left, spare = self._left(demanded, given_up), self._spare(demanded, given_up)
            if spare <= 0:
                if spare == 0:
                    self._offer(self._closest(demanded | left))
                return
            # Whoever is farthest behind costs most: demanding it soon costs too much, and giving it up leaves few.
            farthest = np.flatnonzero(left)[np.argsort(gaps[left], kind="stable")]
            given_up = self._branch(demanded, given_up, farthest[: 2 * spare])

    def _branch(self, demanded: Mask, given_up: Mask, left: Places) -> Mask:
        """Demand one after the other, and give it up after that."""
        each = dict(zip(left.tolist(), self._closest_with_each(demanded, left), strict=True))
        given_up = _with(given_up, np.array([one for one, after in each.items() if after is None], dtype=np.intp))
        for one, after in each.items():
            if self._spare(demanded, given_up) <= 0:
                break
            if after is None or self.hopeless[one] or self.sure[one]:  # since closer weights were found
                continue
            if self._closer(after):
                self._visit(_with(demanded, one), given_up, after)
            given_up = _with(given_up, one)
        return given_up

    def _left(self, demanded: Mask, given_up: Mask) -> Mask:
        return np.asarray(~(demanded | given_up | self.sure | self.hopeless))

    def _spare(self, demanded: Mask, given_up: Mask) -> int:
        """How many more may be given up."""
        return int((demanded | self.sure | self._left(demanded, given_up)).sum()) - self.race.needed

    def _programme(self) -> None:
        """The same as a mixed-integer programme, which takes longer to begin with and is safer where branches are many.

        Its solver takes what is nearly whole and nearly passed: the set that it chooses is solved by itself, and taken
        out of the programme where that is not what was promised.
        """
        left, lowest = ~(self.sure | self.hopeless), self.lowest
        refused: list[Mask] = []
        for _ in range(ROUNDS):
            promised, passed = _choose(self.race, self.weights, left, lowest, self.distance, refused)
            if promised >= self.distance - PRECISION:
                return
            after = self._closest(passed)
            self._offer(after)
            if after is not None and _distance(after, self.weights) <= promised + NEARLY:
                return
            refused.append(passed)

    def _closer(self, after: Floats) -> bool:
        return _distance(after, self.weights) < self.distance - PRECISION

    def _closest(self, demanded: Mask) -> Floats | None:
        self.solved += 1
        after, missed = _solve(self.race, np.flatnonzero(demanded)[None], self.weights, price=None)
        return None if missed[0] > SLACK else after[0]

    def _closest_with_each(self, demanded: Mask, others: Places) -> list[Floats | None]:
        """The closest weights that pass those demanded and one more, for each of some others, in one programme.

        None where they are no closer than the best known: a demand may be missed there at a price, so that the other
        programmes have a solution; with the price, distances are then too small rather than too large.
        """
        self.solved += 1
        rows = np.array([np.append(np.flatnonzero(demanded), other) for other in others])
        after, missed = _solve(self.race, rows, self.weights, price=PRICE)
        bound = np.abs(after - self.weights).sum(axis=1) / 2 + PRICE * missed
        hopeless = bound >= self.distance - PRECISION
        return [
            None if out else each if short <= SLACK else self._closest(_with(demanded, other))
            for other, each, out, short in zip(others, after, hopeless, missed, strict=True)
        ]

    def _offer(self, after: Floats | None) -> None:
        if after is not None and self._closer(after):
            self.best = after
            self._reach(_distance(after, self.weights))

    def _reach(self, distance: float) -> None:
        """Who is passed by all weights within a distance, and who by none."""
        leads, least = self.race.leads, self.race.least
        self.distance, self.lowest = distance, -_most(-leads, self.weights, distance)
        self.sure = self.lowest >= least
        self.hopeless = _most(leads, self.weights, distance) < least - SLACK


def _most(leads: Floats, weights: Floats, distance: float) -> Floats:
    """The largest weighted leads within a distance: weight moves from the measures of least lead to that of most."""
    order = np.argsort(leads, axis=1)
    ordered, held = np.take_along_axis(leads, order, axis=1), weights[order]
    taken = np.clip(distance - (np.cumsum(held, axis=1) - held), 0.0, held)
    return np.asarray(leads @ weights + (taken * (ordered[:, -1:] - ordered)).sum(axis=1))


def _extrapolated(first: float, second: float, third: float) -> float:
    """Where levels that approach each other evenly will meet (Aitken); between the two among which they alternate."""
    bend = third - 2 * second + first
    if abs(bend) < PRECISION:
        return third
    return float(np.clip(first - (second - first) ** 2 / bend, 0.0, 1.0))


def _solve(race: _Race, rows: Places, weights: Floats, *, price: float | None) -> tuple[Floats, Floats]:
    """The closest weights that pass some of the others: k linear programmes beside each other, one a row of places.

    Returns the weights, shape (k, m), and by how much leads are missed, shape (k,): at a price, or without one never
    in part, then infinity says that there are no such weights.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    k, r, m = len(rows), rows.shape[1], len(weights)
    # Columns: what is added to each weight, what is taken away, and what is missed. Two last rows: the sum stays 1, and
    # what is held.
    block = np.zeros((k, r + 2, 2 * m + 1))
    block[:, :r, :m], block[:, :r, m:-1], block[:, :r, -1] = race.leads[rows], -race.leads[rows], 1.0
    block[:, r, :m], block[:, r, m:-1] = 1.0, -1.0
    block[:, r + 1, :m], block[:, r + 1, m:-1] = race.held, -race.held
    row, column = np.arange(k * (r + 2)).reshape(k, r + 2, 1), np.arange(k * (2 * m + 1)).reshape(k, 1, 2 * m + 1)
    places = tuple(np.broadcast_to(each, block.shape).ravel() for each in (row, column))
    low, high = np.zeros((2, k, r + 2))
    low[:, :r], high[:, :r] = race.least[rows] - race.leads[rows] @ weights, np.inf
    low[:, -1] = high[:, -1] = -race.held @ weights
    cost = np.concatenate([np.ones(m), np.zeros(m), [price or 0.0]])
    most = np.concatenate([1 - weights, weights, [0.0 if price is None else np.inf]])
    done = milp(
        np.tile(cost, k),
        bounds=Bounds(0.0, np.tile(most, k)),
        constraints=LinearConstraint(coo_array((block.ravel(), places)).tocsc(), low.ravel(), high.ravel()),
    )
    if done.x is None:
        return np.tile(weights, (k, 1)), np.full(k, np.inf)
    x = done.x.reshape(k, 2 * m + 1)
    after = weights + x[:, :m] - x[:, m:-1]
    after = np.where(after < DUST, 0.0, after)
    return after / after.sum(axis=1, keepdims=True), x[:, -1]


def _choose(
    race: _Race, weights: Floats, left: Mask, lowest: Floats, within: float, refused: list[Mask]
) -> tuple[float, Mask]:
    """Whom to pass among those left, so that the change is smallest: its size, infinite for none, and whom."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    c, m = int(left.sum()), len(weights)
    leads, least = race.leads[left], race.least[left]
    free = least - lowest[left]  # what a lead may lack where its other is not passed
    ones, none = np.ones(m), np.zeros(m)
    sums = np.stack(
        [
            np.concatenate([ones, -ones, np.zeros(c)]),
            np.concatenate([race.held, -race.held, np.zeros(c)]),
            np.concatenate([ones, none, np.zeros(c)]),
            np.concatenate([none, none, np.ones(c)]),
            *(np.concatenate([none, none, passed[left]]) for passed in refused),
        ]
    )
    shut = float(-race.held @ weights)
    most = [0.0, shut, within, np.inf, *(passed[left].sum() - 1 for passed in refused)]
    few = race.needed - int((lowest >= race.least).sum())
    done = milp(
        np.concatenate([np.full(m, SCALE), np.zeros(m + c)]),
        integrality=np.concatenate([none, none, np.ones(c)]),
        bounds=Bounds(0.0, np.concatenate([1 - weights, weights, np.ones(c)])),
        constraints=[
            LinearConstraint(np.hstack([leads, -leads, -np.diag(free)]), lowest[left] - leads @ weights, np.inf),
            LinearConstraint(sums, [0.0, shut, 0.0, few, *np.zeros(len(refused))], most),
        ],
        options={"mip_rel_gap": 0.0},
    )
    passed = np.zeros_like(left)
    if done.x is None:
        return np.inf, passed
    passed[left] = done.x[2 * m :] > 0.5
    return float(done.fun) / SCALE, passed


def _with(some: Mask, more: Places | int) -> Mask:
    wider = some.copy()
    wider[more] = True
    return wider
