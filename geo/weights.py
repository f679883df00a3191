"""Weights that nobody gave: equal ones, from judgements in pairs (AHP), or from the data (entropy, CRITIC).

Bare arrays. NaN is a value that is missing; a column is weighed by what is known of it. A column that does not differ
tells no unit from another and has no weight; where no column does, or fewer than two units are known, all weights are
equal, since any would give the same order.

pymcdm has all four and is what the tests compare with. It is not called here: its import brings matplotlib (a second),
it takes no missing values, its entropy no zeros, and its AHP only Saaty's whole numbers and another random index.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from geo.errors import ConfigError, listed
from geo.score import Floats

# Saaty (1980): the mean consistency index of random judgements about 1, 2, 3, ... things.
RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
MOST_INCONSISTENT = 0.1  # Saaty's rule: up to a tenth of what random judgements show
SAY_SOMETHING = 3  # units below which a correlation says nothing
NOTHING = 1e-12  # what rounding leaves of a difference that is none

Judgement = tuple[str, str, float]


@dataclass(frozen=True)
class Ahp:
    """What judgements in pairs amount to.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        The principal eigenvector, summing to 1.
    ratio : float
        Saaty's consistency ratio: 0 where no judgement contradicts others, 1 where they might be random.
    eigenvalue : float
        The principal eigenvalue: m where no judgement contradicts others, else more.
    """

    weights: Floats
    ratio: float
    eigenvalue: float


def equal(m: int) -> Floats:
    """Equal weights.

    Parameters
    ----------
    m : int
        How many measures; at least 1.

    Returns
    -------
    ndarray, shape (m,)
        ``1 / m`` each.

    Raises
    ------
    ConfigError
        If there is no measure.
    """
    if m < 1:
        raise ConfigError(f"weights need 1 measure or more, found {m}; name the measures to weigh")
    return np.full(m, 1 / m)


def build_judgements(names: Sequence[str], pairs: Iterable[Judgement]) -> Floats:
    """Arrange judgements in pairs as a reciprocal matrix.

    Parameters
    ----------
    names : sequence of str
        What is judged, each once.
    pairs : iterable of (str, str, float)
        ``(more, less, times)``: the first counts so many times as much as the second. Each pair once, in either order;
        Saaty's scale goes from 1 (as much) to 9, and 1/3 says the same of the pair turned round as 3 does.

    Returns
    -------
    ndarray, shape (m, m)
        ``[i, j]``: how many times as much the i-th counts as the j-th; ``[j, i]`` is its reciprocal.

    Raises
    ------
    ConfigError
        If a pair is missing, judged twice or about something that is not named, or is not a positive number of times.
    """
    places = {name: place for place, name in enumerate(names)}
    if len(places) < len(names):
        repeated = sorted({name for name in names if list(names).count(name) > 1})
        raise ConfigError(f"each thing to judge must be named once, found again {listed(repeated)}; name each once")
    judged: dict[tuple[int, int], float] = {}
    for pair in pairs:
        _judge(judged, pair, places)
    wanted = itertools.combinations(range(len(places)), 2)
    missing = [f"{names[i]} and {names[j]}" for i, j in wanted if (i, j) not in judged]
    if missing:
        raise ConfigError(
            f"judgements need every pair once, found none of {listed(missing)}; say how many times as much"
        )
    matrix = np.eye(len(places))
    for (i, j), times in judged.items():
        matrix[i, j], matrix[j, i] = times, 1 / times
    return matrix


def _judge(judged: dict[tuple[int, int], float], pair: Judgement, places: Mapping[str, int]) -> None:
    """Enter one judgement as that of the earlier name over the later one."""
    more, less, times = pair
    unknown = [name for name in (more, less) if name not in places]
    if unknown:
        raise ConfigError(f"judgements must be about {listed(places)}; found {listed(unknown)}: correct the name")
    if more == less:
        raise ConfigError(f"judgements must be about two different things, found {more} and {less}; take it away")
    if not 0 < times < np.inf:
        raise ConfigError(
            f"{more} over {less} must be a positive number of times (1 to 9, or 1/9 to 1), found {times:g}"
        )
    i, j = places[more], places[less]
    key, value = ((i, j), times) if i < j else ((j, i), 1 / times)
    if key in judged:
        raise ConfigError(f"judgements need every pair once, found {more} and {less} twice; keep one of the two")
    judged[key] = value


def ahp(judgements: Floats, *, names: Sequence[str] | None = None, force: bool = False) -> Ahp:
    """Analytic hierarchy process: weights from judgements in pairs, and how far these contradict each other.

    The consistency ratio is ``(lambda - m) / (m - 1)`` over the mean of the same for random judgements, lambda being
    the principal eigenvalue.

    Parameters
    ----------
    judgements : ndarray, shape (m, m)
        ``[i, j]``: how many times as much the i-th counts as the j-th; positive and reciprocal. Up to 15 things.
    names : sequence of str, optional
        What is judged, for the messages; rows and columns are numbered from 1 without it.
    force : bool, default False
        Whether judgements are taken however much they contradict each other.

    Returns
    -------
    Ahp
        Weights and consistency ratio.

    Raises
    ------
    ConfigError
        If the matrix is not square, positive and reciprocal, or the ratio is above 0.1 and not forced. The message
        names the judgement that fits the others least.

    References
    ----------
    Saaty, T. L. (1980). The Analytic Hierarchy Process. New York: McGraw-Hill.
    """
    pair = _speaker(names)
    _check_judgements(judgements, pair)
    eigenvalue, weights = _principal(judgements)
    m = len(judgements)
    # Of two things the only judgement cannot contradict another; rounding may leave the eigenvalue below m.
    ratio = max(eigenvalue - m, 0.0) / (m - 1) / RANDOM_INDEX[m - 1] if m > 2 else 0.0
    if ratio > MOST_INCONSISTENT and not force:
        _refuse(judgements, weights, ratio, pair)
    return Ahp(weights, ratio, eigenvalue)


def _speaker(names: Sequence[str] | None) -> Callable[[int, int], str]:
    """How a message speaks of a judgement."""
    if names is None:
        return lambda i, j: f"row {i + 1}, column {j + 1}"
    return lambda i, j: f"{names[i]} over {names[j]}"


def _check_judgements(judgements: Floats, pair: Callable[[int, int], str]) -> None:
    if judgements.ndim != 2 or judgements.shape[0] != judgements.shape[1] or not len(judgements):
        shape = " x ".join(map(str, judgements.shape))
        raise ConfigError(f"judgements must be a square matrix, found {shape}; give a row and a column to each thing")
    if len(judgements) > len(RANDOM_INDEX):
        most = len(RANDOM_INDEX)
        raise ConfigError(f"judgements can be about {most} things at most, found {len(judgements)}; group them first")
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere(~((judgements > 0) & (judgements < np.inf)))
    if len(wrong):
        found = [f"{pair(i, j)}: {judgements[i, j]:g}" for i, j in wrong]
        raise ConfigError(f"judgements must be positive numbers; found {listed(found)}; say how many times as much")
    turned = np.argwhere(np.triu(~np.isclose(judgements * judgements.T, 1.0, rtol=0, atol=1e-6)))
    if len(turned):
        found = [f"{pair(i, j)}: {judgements[i, j]:g}, turned round {judgements[j, i]:g}" for i, j in turned]
        raise ConfigError(f"a judgement turned round must be 1 over it; found {listed(found)}; correct one of each two")


def _principal(judgements: Floats) -> tuple[float, Floats]:
    """The largest eigenvalue of a positive matrix, which is real, and its eigenvector, summing to 1."""
    values, vectors = np.linalg.eig(judgements)
    largest = int(values.real.argmax())
    vector = np.abs(vectors[:, largest].real)
    return float(values[largest].real), vector / vector.sum()


def _refuse(judgements: Floats, weights: Floats, ratio: float, pair: Callable[[int, int], str]) -> NoReturn:
    """Say which judgement differs most from what all of them together amount to."""
    implied = weights[:, None] / weights
    i, j = map(int, np.unravel_index(np.abs(np.log(judgements / implied)).argmax(), judgements.shape))
    i, j = (i, j) if judgements[i, j] >= 1 else (j, i)
    raise ConfigError(
        f"judgements must have a consistency ratio of at most {MOST_INCONSISTENT:g}, found {ratio:.3f}; "
        f"least fits {pair(i, j)}: {judgements[i, j]:.3g} times, where the weights make it "
        f"{implied[i, j]:.3g}: judge it again, or force the judgements"
    )


def entropy(values: Floats) -> Floats:
    """Entropy weights: the more unevenly a measure is spread over the units, the more it counts.

    ``w`` is ``1 - E``, summing to 1; ``E = -sum of p ln p / ln n``, p being a unit's share of the column and n the
    units that are known. A unit with nothing adds nothing, since ``p ln p`` goes to 0 with p.

    Parameters
    ----------
    values : ndarray, shape (n, m)
        Not negative; NaN where missing. What a column is multiplied by does not matter, but where its zero stands does.

    Returns
    -------
    ndarray, shape (m,)
        Summing to 1; 0 for a column that does not differ or has fewer than two known values, and all equal where every
        column is of that kind.

    Raises
    ------
    ConfigError
        If there is no column, or a value is negative or infinite.

    References
    ----------
    Hwang, C. L. and Yoon, K. (1981). Multiple Attribute Decision Making. Berlin: Springer, section 3.2.
    Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical Journal 27, 379-423.
    """
    _check_table(values, "entropy weights", least=0.0)
    return _summing_to_1(np.array([_unevenness(column[~np.isnan(column)]) for column in values.T]))


def _unevenness(known: Floats) -> float:
    """One less the entropy of a column, which is 1 where all is at one unit and 0 where all have the same."""
    positive = known[known > 0]
    if len(known) < 2 or not len(positive) or np.ptp(known) == 0:
        return 0.0
    share = positive / positive.max()
    share /= share.sum()
    return max(1.0 + float(np.sum(share * np.log(share))) / float(np.log(len(known))), 0.0)


def critic(unit: Floats) -> Floats:
    """CRITIC weights: the more a measure differs, and the less it says what others say, the more it counts.

    ``w`` is ``s * sum of (1 - r)``, summing to 1: s is a column's standard deviation, r its correlations with the other
    columns. Both are of the values as they are given: bring them to 0..1 first, as the paper does and a score does.

    Parameters
    ----------
    unit : ndarray, shape (n, m)
        Rescaled measures; NaN where missing. A correlation is of the units for which both columns are known, and 0
        where these are fewer than three (two always agree or disagree in full) or do not differ.

    Returns
    -------
    ndarray, shape (m,)
        Summing to 1; 0 for a column that does not differ or has fewer than two known values, which does not change the
        proportions of the others either; all equal where no column has anything of its own.

    Raises
    ------
    ConfigError
        If there is no column, or a value is infinite.

    References
    ----------
    Diakoulaki, D., Mavrotas, G. and Papayannakis, L. (1995). Determining objective weights in multiple criteria
    problems: the CRITIC method. Computers & Operations Research 22, 763-770.
    """
    _check_table(unit, "CRITIC weights", least=-np.inf)
    spread = np.array([_spread(column[~np.isnan(column)]) for column in unit.T])
    differing = np.flatnonzero(spread > 0)
    own = np.zeros(len(spread))
    if len(differing) == 1:
        own[differing] = 1.0
    elif len(differing):
        conflict = 1.0 - _correlations(unit[:, differing])
        own[differing] = spread[differing] * conflict.sum(axis=1)
    return _summing_to_1(own)


def _spread(known: Floats) -> float:
    """Standard deviation of a column; exactly 0 where it does not differ."""
    return float(known.std(ddof=1)) if len(known) > 1 and np.ptp(known) > 0 else 0.0


def _correlations(unit: Floats) -> Floats:
    """Pearson's, of the units for which both columns are known."""
    import pandas as pd

    found: Floats = pd.DataFrame(unit).corr(min_periods=SAY_SOMETHING).to_numpy(copy=True)
    found[np.isnan(found)] = 0.0
    np.fill_diagonal(found, 1.0)
    return found


def _check_table(values: Floats, what: str, *, least: float) -> None:
    if values.ndim != 2 or not values.shape[1]:
        shape = " x ".join(map(str, values.shape))
        raise ConfigError(f"{what} need units by measures, found {shape}; give at least one measure")
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere((values < least) | np.isinf(values))
    if len(wrong):
        found = [f"row {i + 1}, column {j + 1}: {values[i, j]:g}" for i, j in wrong]
        rule = "finite values" if np.isinf(least) else "finite values of 0 or more"
        raise ConfigError(f"{what} need {rule}, found {listed(found)}; correct or rescale them")


def _summing_to_1(own: Floats) -> Floats:
    total = own.sum()
    return own / total if total > NOTHING else equal(len(own))
