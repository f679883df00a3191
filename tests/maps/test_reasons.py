"""explanations.json: who is explained, in which languages, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geo import score
from layers import criteria
from layers.criteria import Zoning
from layers.panel import Panel
from layers.priority import Priorities, prioritise
from maps import reasons
from maps.inputs import Settings, read


@pytest.fixture(scope="module")
def joined() -> Panel:
    return read(Settings()).join()


@pytest.fixture(scope="module")
def zoning() -> Zoning:
    return criteria.load()


@pytest.fixture(scope="module")
def run2020(joined: Panel, zoning: Zoning) -> Priorities:
    return prioritise(joined, zoning, year=2020, draws=20, seed=1)


def test_the_first_say_why_and_twice_as_many_what_is_at_their_limit(joined: Panel, zoning: Zoning, run2020: Priorities):
    records = reasons.gather(run2020, zoning, joined.places["name"])
    assert [record["rank"] for record in records] == list(range(1, 173))
    assert records[0]["name"] == "Argelia"
    for record in records:
        assert ("why_es" in record) == ("why_en" in record) == (record["rank"] <= 20)
        assert ("limit_es" in record) == ("limit_en" in record) == (record["rank"] <= 40)
        assert "weights" not in record
    assert "ocupa el puesto 1 entre 172 municipios" in records[0]["why_es"]
    assert "ranks 1 of 172 municipalities" in records[0]["why_en"]


def test_changes_of_weights_do_what_they_say(joined: Panel, zoning: Zoning, run2020: Priorities):
    """Scored anew with the weights that are stated, the last of the first is out and the next one is in."""
    records = reasons.gather(run2020, zoning, joined.places["name"], changes=1)
    sought = {record["rank"]: record for record in records if "weights" in record}
    assert set(sought) == {20, 21}
    for rank, record in sought.items():
        weights = np.array(list(record["weights"].values()))
        assert weights.sum() == pytest.approx(1)
        points, _ = score.weighted_mean(run2020.unit.to_numpy(), weights)
        place = list(run2020.unit.index).index(record["code"])
        assert (score.ranks(points)[place] > 20) == (rank == 20)
        moved = np.abs(weights - run2020.weighting.weights).sum() / 2
        assert record["distance"] == pytest.approx(moved)
        assert "%" in record["weights_en"]


def test_under_another_method_only_the_reasons_are_given(joined: Panel, zoning: Zoning):
    other = replace(zoning, scoring=replace(zoning.scoring, method="topsis"))
    done = prioritise(joined, other, year=2020, draws=0, seed=1)
    records = reasons.gather(done, other, joined.places["name"], changes=3)
    assert {key for record in records for key in record} == {"code", "name", "rank", "why_es", "why_en"}
