"""The error tree: one base, a docstring that draws it, and lists short enough for one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import errors
from geo.errors import PresenciaError, listed

KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    key=lambda kind: kind.__name__,
)


def test_the_tree_has_the_seven_kinds_and_their_base():
    assert {kind.__name__ for kind in KINDS} == {
        *("PresenciaError", "SourceError", "SchemaError", "CodeError"),
        *("GeometryError", "ConservationError", "ConfigError", "OutputError"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_caught_as_a_presencia_error_and_keeps_its_message(kind: type[PresenciaError]):
    with pytest.raises(PresenciaError, match=r"^expected this, found that$"):
        raise kind("expected this, found that")


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_passes_for_a_builtin_one(kind: type[PresenciaError]):
    assert not issubclass(kind, OSError | ValueError | LookupError | TypeError)
    assert [base for base in kind.__mro__ if base in KINDS] == (
        [PresenciaError] if kind is PresenciaError else [kind, PresenciaError]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_docstring_of_the_module_draws_every_error(kind: type[PresenciaError]):
    assert kind.__name__ in str(errors.__doc__)
    assert kind.__doc__


@pytest.mark.parametrize(
    ("items", "most", "text"),
    [
        ([], 8, ""),
        (["05001"], 8, "05001"),
        (["05001", "05002"], 2, "05001, 05002"),
        (["05001", "05002", "05004"], 2, "05001, 05002 and 1 more"),
        (range(1, 9), 8, "1, 2, 3, 4, 5, 6, 7, 8"),
        (range(1, 12), 8, "1, 2, 3, 4, 5, 6, 7, 8 and 3 more"),
    ],
)
def test_a_list_spells_out_the_first_few_and_counts_the_rest(items, most, text):
    assert listed(items, most=most) == text


def test_eight_are_spelt_out_by_default():
    assert listed(range(8)).count(",") == 7
    assert listed(range(9)).endswith("7 and 1 more")


def test_a_list_takes_what_can_be_read_only_once_and_keeps_its_order():
    assert listed(code for code in ("b", "a", "c")) == "b, a, c"


@given(st.lists(st.integers(), max_size=30), st.integers(1, 12))
def test_a_list_accounts_for_every_item(items: list[int], most: int):
    text = listed(items, most=most)
    shown, _, rest = text.partition(" and ")
    named = shown.split(", ") if shown else []
    assert named == [str(item) for item in items[:most]]
    assert len(named) + int(rest.removesuffix(" more") or 0) == len(items)
