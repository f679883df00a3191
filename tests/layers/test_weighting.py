"""Where weights come from, by hand and on the candidates of 2020."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geo import weights as ways
from geo.errors import ConfigError
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from layers.weighting import weigh


def asked(zoning: Zoning, weighting: str, *, force: bool = False) -> Zoning:
    return replace(zoning, scoring=replace(zoning.scoring, weighting=weighting, force_judgements=force))


def by_dimension(zoning: Zoning, weights: np.ndarray) -> dict[str, float]:
    sums: dict[str, float] = {}
    for criterion, weight in zip(zoning.criteria, weights, strict=True):
        sums[criterion.dimension] = sums.get(criterion.dimension, 0.0) + weight
    return sums


@pytest.mark.parametrize("weighting", ["given", "equal", "ahp", "entropy", "critic"])
def test_weights_are_one_each_and_sum_to_1(zoning: Zoning, scored: Priorities, weighting: str):
    found = weigh(asked(zoning, weighting), scored.unit.to_numpy())
    assert len(found.weights) == len(zoning.criteria)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights >= 0).all()
    assert (found.ratio is not None) == (weighting == "ahp")


def test_given_weights_are_those_of_the_file(zoning: Zoning, scored: Priorities):
    np.testing.assert_array_equal(weigh(zoning, scored.unit.to_numpy()).weights, zoning.weights)


def test_equal_is_equal_by_dimension_and_in_each(zoning: Zoning, scored: Priorities):
    found = weigh(asked(zoning, "equal"), scored.unit.to_numpy()).weights
    assert by_dimension(zoning, found) == pytest.approx(dict.fromkeys(by_dimension(zoning, found), 0.25))
    assert found[[c.dimension == "cultivation" for c in zoning.criteria]] == pytest.approx(1 / 16)


def test_judgements_weigh_dimensions_and_leave_what_is_within(zoning: Zoning, scored: Priorities):
    """Judgements that agree with each other give back the weights that they were made of."""
    shares = {"cultivation": 0.4, "resurgence": 0.2, "void": 0.2, "presence": 0.2}
    names = list(shares)
    judged = {
        more: {less: shares[more] / shares[less] for less in names[place + 1 :]}
        for place, more in enumerate(names[:-1])
    }
    found = weigh(replace(asked(zoning, "ahp"), judgements=judged), scored.unit.to_numpy())
    assert by_dimension(zoning, found.weights) == pytest.approx(shares)
    assert found.ratio == pytest.approx(0, abs=1e-9)
    within = [c.weight for c in zoning.criteria if c.dimension == "void"]
    own = [w for c, w in zip(zoning.criteria, found.weights, strict=True) if c.dimension == "void"]
    assert own[0] / own[1] == pytest.approx(within[0] / within[1])


def test_the_judgements_of_the_file_are_consistent(zoning: Zoning, scored: Priorities):
    found = weigh(asked(zoning, "ahp"), scored.unit.to_numpy())
    assert found.ratio is not None
    assert found.ratio < 0.05


def test_judgements_that_contradict_each_other_are_refused_unless_forced(zoning: Zoning, scored: Priorities):
    circle = {
        "cultivation": {"resurgence": 5.0, "void": 1 / 5, "presence": 1.0},
        "resurgence": {"void": 5.0, "presence": 1.0},
        "void": {"presence": 1.0},
    }
    with pytest.raises(ConfigError, match=r"consistency ratio of at most 0.1, found .* least fits"):
        weigh(replace(asked(zoning, "ahp"), judgements=circle), scored.unit.to_numpy())
    forced = weigh(replace(asked(zoning, "ahp", force=True), judgements=circle), scored.unit.to_numpy())
    assert forced.ratio is not None
    assert forced.ratio > 0.1


def test_a_pair_that_nobody_judged_is_named(zoning: Zoning, scored: Priorities):
    some = {more: entry for more, entry in zoning.judgements.items() if more != "void"}
    with pytest.raises(ConfigError, match="void and presence"):
        weigh(replace(asked(zoning, "ahp"), judgements=some), scored.unit.to_numpy())


def test_a_dimension_without_weight_needs_no_judgement(zoning: Zoning, scored: Priorities):
    without = tuple(c for c in zoning.criteria if c.dimension != "void")
    columns = [place for place, c in enumerate(zoning.criteria) if c.dimension != "void"]
    found = weigh(replace(asked(zoning, "ahp"), criteria=without), scored.unit.to_numpy()[:, columns])
    assert set(by_dimension(replace(zoning, criteria=without), found.weights)) == {
        "cultivation",
        "resurgence",
        "presence",
    }


@pytest.mark.parametrize("weighting", ["entropy", "critic"])
def test_weights_from_the_data_are_those_of_the_candidates(zoning: Zoning, scored: Priorities, weighting: str):
    unit = scored.unit.to_numpy()
    expected = getattr(ways, weighting)(unit)
    np.testing.assert_array_equal(weigh(asked(zoning, weighting), unit).weights, expected)


def test_the_weights_of_a_run_are_those_that_its_score_uses(joined: Panel, zoning: Zoning):
    done = prioritise(joined, asked(zoning, "critic"), year=2020, draws=0, seed=1)
    expected = ways.critic(done.unit.to_numpy())
    np.testing.assert_allclose(done.weighting.weights, expected)
    whole = done.unit.dropna()
    np.testing.assert_allclose(done.table.loc[whole.index, "score"], whole.to_numpy() @ expected, atol=1e-12)
