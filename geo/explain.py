"""Why a unit ranks where it does: the smallest change of weights that moves it, and what it would need by itself.

Bare arrays: n units by m measures in 0..1, NaN where missing, and weights that sum to 1.
"""

from __future__ import annotations

import heapq
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
SLACK = 2e-7  # by which the solver may miss a lead
SETTLED = 1e-7  # a range of scores so narrow is one
TOLERANCE = 1e-4  # of the weight: where measures are missing, a change that is smaller by less is not sought
BATCH = 64  # programmes that are solved beside each other
PRICE = 100.0  # in weight, of a lead that a programme misses by 1
ROUNDS = 20  # in which ties are told apart
GUESSES = 8  # of a set that can be passed


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
    held : ndarray, shape (2, m)
        Rows that keep the unit's own score between two levels: their weighted sums must not be below 0.
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
    choice, which branch and bound makes over linear programmes. Where nothing is missing, no smaller change does it, up
    to ``LEAD``: that is by how much of the score a unit must be ahead of one whose row comes first. Where measures are
    missing, a score is a ratio of weights: they are taken to stand at the score that the unit has after the change, by
    which every comparison with it is exact. The change is then verified to work, and is the smallest under that rule
    only.

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
        None where no weights bring it there.
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
        self.gappy = bool(np.isnan(unit).any())
        self.best: Floats | None = None
        self.distance = 1.0 + LEAD
        self.looks = 0

    def settle(self) -> None:
        """Find the closest weights, by halving the range of the unit's own score until missing measures are certain."""
        own = self.unit[self.place]
        if self.needed > len(self.others) or np.isnan(own).all():
            return
        ranges: list[tuple[float, int, float, float, Floats]] = []
        self._look(ranges, float(np.nanmin(own)), float(np.nanmax(own)))
        while ranges:
            bound, _, low, high, after = heapq.heappop(ranges)
            if bound >= self.distance - TOLERANCE or self._offer(after):
                return
            level = self._level(after, (low + high) / 2)
            self._offer(self._closest(level, level, self.distance))
            if high - low > SETTLED:
                middle = level if 0.1 < (level - low) / (high - low) < 0.9 else (low + high) / 2
                self._look(ranges, low, middle)
                self._look(ranges, middle, high)

    def _look(self, ranges: list[tuple[float, int, float, float, Floats]], low: float, high: float) -> None:
        """Note the closest weights, should missing measures favour the move as far as a range of levels allows."""
        after = self._closest(low, high, self.distance - TOLERANCE)
        if after is not None:
            self.looks += 1
            heapq.heappush(ranges, (_distance(after, self.weights), self.looks, low, high, after))

    def _offer(self, after: Floats | None) -> bool:
        """Keep weights that do it under the true rule, if they are closer; whether they do it."""
        if after is None or self._passed(after).sum() < self.needed:
            return False
        if _distance(after, self.weights) < self.distance:
            self.best, self.distance = after, _distance(after, self.weights)
        return True

    def _closest(self, low: float, high: float, within: float) -> Floats | None:
        for _ in range(ROUNDS):
            race = _Race(self._leads(low, high), self.least, self.needed, self._held(low, high))
            after = _Search(race, self.weights, within).run(self.best if self.best is not None else self.weights)
            if after is None or (high > low and self.gappy):
                return after
            # Equal in the programme, and not in the arithmetic of scores: from now on it must be ahead.
            unsure = (race.gaps(after) >= -SLACK) & ~self._passed(after) & (self.least < LEAD)
            if not unsure.any():
                return after
            self.least = np.where(unsure, LEAD, self.least)
        return None

    def _level(self, weights: Floats, otherwise: float) -> float:
        own = float(_scores(self.unit[[self.place]], weights)[0])
        return otherwise if np.isnan(own) else own

    def _leads(self, low: float, high: float) -> Floats:
        """Leads with missing measures at that end of a range which favours the move."""
        ours, theirs = (low, high) if self.inside else (high, low)
        own, others = self.unit[self.place], self.unit[self.others]
        ahead = np.where(np.isnan(own), ours, own) - np.where(np.isnan(others), theirs, others)
        # Where both are missing a measure, it favours neither.
        ahead = np.where(np.isnan(own) & np.isnan(others), 0.0, ahead)
        return -ahead if self.inside else ahead

    def _held(self, low: float, high: float) -> Floats:
        own = self.unit[self.place]
        return np.nan_to_num(np.stack([own - low, high - own])) if self.gappy else np.zeros((2, len(own)))

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
        self._reach(within)

    def run(self, start: Floats) -> Floats | None:
        """The closest weights at which enough are passed; those that weights nearby pass are tried first."""
        nobody = np.zeros(len(self.race.leads), dtype=bool)
        after = self._closest(nobody)
        if after is None or not self._closer(after):
            return None
        self._guess(nobody, start)
        self._visit(nobody, nobody, after)
        return self.best

    def _guess(self, nobody: Mask, start: Floats) -> None:
        """Weights that will do, where there is a set that is easily found."""
        for _ in range(GUESSES):
            first = np.argsort(-self.race.gaps(start), kind="stable")[: self.race.needed]
            after, missed = _solve(self.race, first[None], self.weights, price=PRICE)
            if missed[0] <= SLACK:
                self._offer(after[0])
                return
            start = after[0]

    def _visit(self, demanded: Mask, given_up: Mask, after: Floats) -> None:
        """Look for closer weights that pass those demanded, whose closest are known."""
        gaps = self.race.gaps(after)
        if (gaps >= -SLACK).sum() >= self.race.needed:
            self._offer(after)
            return
        while not (demanded & self.hopeless).any():
            left = ~(demanded | given_up | self.sure | self.hopeless)
            spare = int((demanded | self.sure | left).sum()) - self.race.needed
            if spare <= 0:
                if spare == 0:
                    self._offer(self._closest(demanded | left))
                return
            given_up = self._branch(demanded, given_up, np.flatnonzero(left)[np.argsort(gaps[left], kind="stable")][: 2 * spare])

    def _branch(self, demanded: Mask, given_up: Mask, left: Places) -> Mask:
        """Demand one after the other, and give it up after that."""
        each = dict(zip(left.tolist(), self._closest_with_each(demanded, left), strict=True))
        too_far = [one for one, after in each.items() if after is None]
        if too_far:
            given_up = _with(given_up, np.array(too_far))
            spare = self._spare(demanded, given_up)
            if spare <= 0:
                return given_up
        for one in left[:BATCH]:
            after = each[int(one)]
            if after is None or self.hopeless[one] or self.sure[one]:
                continue
            if self._spare(demanded, given_up) <= 0:
                break
            if self._closer(after):
                self._visit(_with(demanded, one), given_up, after)
            given_up = _with(given_up, one)
        return given_up

    def _spare(self, demanded: Mask, given_up: Mask) -> int:
        left = ~(demanded | given_up | self.sure | self.hopeless)
        return int((demanded | self.sure | left).sum()) - self.race.needed

    def _closer(self, after: Floats) -> bool:
        return _distance(after, self.weights) < self.distance - PRECISION

    def _closest(self, demanded: Mask) -> Floats | None:
        after, missed = _solve(self.race, np.flatnonzero(demanded)[None], self.weights, price=None)
        return None if missed[0] > SLACK else after[0]

    def _closest_with_each(self, demanded: Mask, others: Places) -> list[Floats | None]:
        """The closest weights that pass those demanded and one more, for each of some others, in one programme.

        None where they are no closer than the best known: a demand may be missed there at a price, so that the other
        programmes have a solution; with the price, distances are then too small rather than too large.
        """
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
        self.distance = distance
        self.sure = -_most(-leads, self.weights, distance) >= least
        self.hopeless = _most(leads, self.weights, distance) < least - SLACK


def _most(leads: Floats, weights: Floats, distance: float) -> Floats:
    """The largest weighted leads within a distance: weight moves from the measures of least lead to that of most."""
    order = np.argsort(leads, axis=1)
    ordered, held = np.take_along_axis(leads, order, axis=1), weights[order]
    taken = np.clip(distance - (np.cumsum(held, axis=1) - held), 0.0, held)
    return np.asarray(leads @ weights + (taken * (ordered[:, -1:] - ordered)).sum(axis=1))


def _solve(race: _Race, rows: Places, weights: Floats, *, price: float | None) -> tuple[Floats, Floats]:
    """The closest weights that pass some of the others: k linear programmes beside each other, one a row of places.

    Returns the weights, shape (k, m), and by how much leads are missed, shape (k,): at a price, or without one never
    in part, then infinity says that there are no such weights.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    k, m = len(rows), len(weights)
    leads = np.concatenate([race.leads[rows], np.broadcast_to(race.held, (k, *race.held.shape))], axis=1)
    least = np.concatenate([race.least[rows], np.zeros((k, len(race.held)))], axis=1)
    r = leads.shape[1]
    # Columns: what is added to each weight, what is taken away, and what is missed. The last row keeps the sum at 1.
    block = np.zeros((k, r + 1, 2 * m + 1))
    block[:, :r, :m], block[:, :r, m:-1], block[:, :r, -1] = leads, -leads, 1.0
    block[:, r, :m], block[:, r, m:-1] = 1.0, -1.0
    row, column = np.arange(k * (r + 1)).reshape(k, r + 1, 1), np.arange(k * (2 * m + 1)).reshape(k, 1, 2 * m + 1)
    places = tuple(np.broadcast_to(each, block.shape).ravel() for each in (row, column))
    low, high = np.zeros((2, k, r + 1))
    low[:, :r], high[:, :r] = least - leads @ weights, np.inf
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
    after = np.clip(weights + x[:, :m] - x[:, m:-1], 0.0, 1.0)
    return after / after.sum(axis=1, keepdims=True), x[:, -1]


def _with(some: Mask, more: Places | np.intp) -> Mask:
    wider = some.copy()
    wider[more] = True
    return wider
