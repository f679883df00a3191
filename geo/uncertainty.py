"""How sure a rank is: draws of weights and of measurement errors, and how far methods and reduced sets agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]


def draw_weights(weights: Floats, *, concentration: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draw weights from a Dirichlet distribution whose mean is the given ones.

    Parameters
    ----------
    weights : ndarray, shape (m,)
        Not negative, summing to 1; a weight of 0 stays 0.
    concentration : float
        The higher, the closer to the given weights: the variance is ``w (1 - w) / (concentration + 1)``. With infinity
        every draw is the given weights.
    draws : int
        How many.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws, m)
        Each row sums to 1.
    """
    if np.isinf(concentration):
        return np.tile(weights, (draws, 1))
    used = weights > 0
    drawn = np.zeros((draws, len(weights)))
    drawn[:, used] = rng.dirichlet(concentration * weights[used], size=draws)
    return drawn


def draw_errors(shape: tuple[int, ...], *, sigma: float, rng: np.random.Generator) -> Floats:
    """Draw multiplicative measurement errors: lognormal with mean 1.

    Parameters
    ----------
    shape : tuple of int
        Shape of the draws.
    sigma : float
        Standard deviation of the logarithm; 0.10 is about 10 %.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray
        Factors.
    """
    factors = rng.standard_normal(shape)
    factors *= sigma
    factors -= sigma**2 / 2
    return np.exp(factors, out=factors)


def rank_spread(drawn: Ranks, *, top: int, level: float = 0.9) -> tuple[Floats, Floats, Floats]:
    """How far a rank may move, and how often it is among the first.

    Parameters
    ----------
    drawn : ndarray of int, shape (draws, n)
        Ranks in each draw.
    top : int
        Up to which rank counts as among the first.
    level : float, default 0.9
        Share of the draws between the low and the high rank.

    Returns
    -------
    low, high : ndarray, shape (n,)
        Ranks that occur, at the two ends of the central share of draws.
    share : ndarray, shape (n,)
        Share of the draws with a rank of at most ``top``.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return low, high, (drawn <= top).mean(axis=0)


def agreement(ranked: Ranks) -> Floats:
    """Correlation between rankings without ties: Kendall's tau of each pair.

    Parameters
    ----------
    ranked : ndarray of int, shape (k, n)
        k rankings of the same n units, each 1 to n.

    Returns
    -------
    ndarray, shape (k, k)
        -1 to 1: the share of pairs of units on which two rankings agree less the share on which they do not. 1 where
        there is no pair.

    References
    ----------
    Kendall, M. G. (1938). A new measure of rank correlation. Biometrika 30, 81-93.
    """
    k, n = ranked.shape
    if n < 2:
        return np.ones((k, k))
    order = np.sign(ranked[:, :, None] - ranked[:, None, :]).reshape(k, n * n).astype(float)
    return np.asarray(order @ order.T / (n * (n - 1)))


def reversals(ranked: Callable[[npt.NDArray[np.intp]], Ranks], n: int) -> npt.NDArray[np.int64]:
    """Rank reversals: drop one unit, and count the pairs of the others whose order does not hold.

    Parameters
    ----------
    ranked : callable
        Places of some of the units, ascending, to their ranks among themselves.
    n : int
        How many units there are.

    Returns
    -------
    ndarray of int, shape (n,)
        For each dropped unit, the pairs of others that changed order; 0 where dropping it changes nothing.

    References
    ----------
    Belton, V. and Gear, T. (1983). On a short-coming of Saaty's method of analytic hierarchies. Omega 11, 228-230.
    """
    every = np.arange(n)
    whole = ranked(every)
    counts = np.zeros(n, dtype=np.int64)
    for place in every:
        rest = np.delete(every, place)
        counts[place] = _swapped(whole[rest], ranked(rest)) if n > 1 else 0
    return counts


def _swapped(before: Ranks, after: Ranks) -> int:
    """Pairs whose order differs between two rankings without ties: the inversions of one in the order of the other."""
    ordered = after[np.argsort(before)]
    if not (np.diff(ordered) < 0).any():
        return 0
    return int(np.triu(ordered[:, None] > ordered[None, :], k=1).sum())
