"""Contiguous groups, against a search written here, and scipy on the pairs of another library."""

from __future__ import annotations

from collections import deque

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import coverage
from geo.regions import contiguous_groups
from tests.geo.made import SEEDS, Pairs, as_pairs, grid, shuffled, voronoi

CODES = [f"{number:05d}" for number in range(12)]
SOME = st.lists(st.sampled_from(CODES), unique=True, min_size=1)
LINKS = st.sets(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)).filter(lambda pair: pair[0] < pair[1]))


def pairs_of(links: Pairs) -> pd.DataFrame:
    return pd.DataFrame(sorted(links), columns=["left", "right"], dtype=object)


def grouped(members: list[str], links: Pairs) -> pd.Series:
    return contiguous_groups(pd.Index(members, dtype=object), pairs_of(links))


def searched(members: list[str], links: Pairs) -> dict[str, int]:
    """Breadth first, from the smallest label that has no group yet."""
    group: dict[str, int] = {}
    both = links | {(right, left) for left, right in links}
    for start in sorted(members):
        number, queue = len(set(group.values())), deque([start] if start not in group else [])
        while queue:
            here = queue.popleft()
            group[here] = number
            queue += [right for left, right in both if left == here and right in members and right not in group]
    return group


def test_groups_known_by_hand():
    """Nine squares, the middle row missing but for one end: the ring is open, and hangs together around it."""
    pairs = coverage.neighbours(grid(3, 3))
    members = pd.Index(["00000", "00001", "00002", "00005", "00006", "00007", "00008"])
    assert contiguous_groups(members, pairs).tolist() == [0] * 7
    assert contiguous_groups(members.drop("00005"), pairs).tolist() == [0, 0, 0, 1, 1, 1]
    assert contiguous_groups(pd.Index(["00000", "00004", "00008"]), pairs).tolist() == [0, 1, 2]  # corners only


def test_a_chain_breaks_where_a_unit_is_no_member():
    assert grouped(["a", "c"], {("a", "b"), ("b", "c")}).tolist() == [0, 1]
    assert grouped(["a", "b", "c"], {("a", "b"), ("b", "c")}).tolist() == [0, 0, 0]


def test_a_unit_without_neighbours_is_a_group_of_its_own():
    assert grouped(["b", "a"], set()).to_dict() == {"a": 0, "b": 1}


def test_no_members_make_no_groups():
    assert grouped([], {("a", "b")}).empty


def test_the_groups_are_a_named_series_in_the_order_of_the_members():
    members = pd.Index(["c", "a", "b"], name="code")
    groups = contiguous_groups(members, pairs_of({("b", "c")}))
    assert groups.name == "group"
    assert groups.index.equals(members)
    assert groups.index.name == "code"
    assert groups.tolist() == [1, 0, 1]
    assert groups.dtype.kind == "i"


@given(SOME, LINKS)
def test_the_groups_are_those_of_a_breadth_first_search(members: list[str], links: Pairs):
    assert grouped(members, links).to_dict() == searched(members, links)


@given(SOME, LINKS, st.randoms(use_true_random=False))
def test_neither_the_order_of_members_nor_of_pairs_nor_their_sides_matter(members: list[str], links: Pairs, random):
    before = grouped(members, links).to_dict()
    other = random.sample(members, len(members))
    turned = [pair if random.random() < 0.5 else pair[::-1] for pair in sorted(links, key=lambda _: random.random())]
    again = contiguous_groups(pd.Index(other, dtype=object), pd.DataFrame(turned, columns=["left", "right"]))
    assert again.to_dict() == before


@given(SOME, LINKS)
def test_neighbours_who_are_members_share_a_group_and_numbers_have_no_gaps(members: list[str], links: Pairs):
    groups = grouped(members, links)
    assert sorted(set(groups)) == list(range(groups.nunique()))
    for left, right in links:
        if {left, right} <= set(members):
            assert groups[left] == groups[right]


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_polygons_do_not_depend_on_the_order_of_rows(seed: int):
    frame, links = voronoi(seed, 30)
    chosen = frame.index[::2]
    expected = searched(list(chosen), links)
    for held in (frame, shuffled(frame, seed)):
        groups = contiguous_groups(held.index[held.index.isin(chosen)], coverage.neighbours(held))
        assert groups.to_dict() == expected


@given(SEEDS)
def test_a_whole_coverage_is_one_group(seed: int):
    frame, links = voronoi(seed, 8)
    assert as_pairs(coverage.neighbours(frame)) == links
    assert set(contiguous_groups(frame.index, coverage.neighbours(frame))) == {0}
