"""Conditions as planners write them, on a table small enough to see through."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo.errors import ConfigError
from maps import selection

TABLE = pd.DataFrame(
    {
        "name": ["Tibú", "Tumaco", "Ipiales", "El Tarra"],
        "department_code": ["54", "52", "52", "54"],
        "department": ["Norte de Santander", "Nariño", "Nariño", "Norte de Santander"],
        "rank": [1.0, 2.0, np.nan, 3.0],
        "vacated": [True, True, False, False],
        "zone": ["Z54810", "Z52835", None, "Z54810"],
    },
    index=pd.Index(["54810", "52835", "52356", "54250"], name="code"),
)


def chosen(*texts: str) -> list[str]:
    return list(selection.chosen(TABLE, [selection.parse(text) for text in texts]))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("department=Nariño", ["52835", "52356"]),
        ("department=narino", ["52835", "52356"]),
        ("department=52", ["52835", "52356"]),
        ("department = 54, Nariño", ["54810", "52835", "52356", "54250"]),
        ("department!=52", ["54810", "54250"]),
        ("zone=any", ["54810", "52835", "54250"]),
        ("zone!=any", ["52356"]),
        ("zone=z54810", ["54810", "54250"]),
        ("zone!=Z54810", ["52835"]),  # who is in no zone is in no other zone
        ("rank<=2", ["54810", "52835"]),
        ("rank>1", ["52835", "54250"]),
        ("rank!=1", ["52835", "54250"]),  # what has no rank has no other rank
        ("rank=1,3", ["54810", "54250"]),
        ("vacated", ["54810", "52835"]),
        ("!vacated", ["52356", "54250"]),
        ("not vacated", ["52356", "54250"]),
        ("vacated=no", ["52356", "54250"]),
        ("vacated!=true", ["52356", "54250"]),
        ("code=52356,54250", ["52356", "54250"]),
        ("name=el tarra", ["54250"]),
        ("zone=Any", ["54810", "52835", "54250"]),
    ],
)
def test_a_condition_chooses_those_that_meet_it(text: str, codes: list[str]):
    assert chosen(text) == codes


def test_a_name_with_a_comma_of_its_own_is_one_name():
    named = ["Nariño", "Bogotá, D.C.", "Archipiélago de San Andrés, Providencia y Santa Catalina"]
    table = pd.DataFrame(
        {"department_code": ["52", "11", "88"], "department": named}, index=["52835", "11001", "88001"]
    )

    def codes(text: str) -> list[str]:
        return list(selection.chosen(table, [selection.parse(text)]))

    assert [codes(f"department={name}") for name in named] == [["52835"], ["11001"], ["88001"]]
    assert codes("department=Nariño, bogota d.c.") == codes("department=52,Bogotá, D.C.") == ["52835", "11001"]
    assert codes(f"department={named[2]},Nariño") == ["52835", "88001"]
    with pytest.raises(ConfigError, match=r"no municipality has department Bogotá: did you mean Bogotá, D\.C\."):
        codes("department=Bogotá,Nariño")


def test_all_conditions_are_met_together_and_none_leaves_all():
    assert chosen("department=54", "rank<3") == ["54810"]
    assert chosen() == list(TABLE.index)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "condition on municipalities; found ''"),
        ("=3", "condition on municipalities; found '=3'"),
        ("!rank=3", "condition on municipalities"),
        ("ranc<3", "did you mean rank"),
        ("rank", "rank is no flag"),
        ("rank<=x", "rank holds numbers"),
        ("rank<=1,2", "<= takes one number: write it with a decimal point"),
        ("vacated<1", "vacated is a flag"),
        ("vacated=maybe", "write vacated, or vacated=false"),
        ("department=Narinio", "did you mean Nariño"),
        ("name=Tarra", "did you mean El Tarra"),
        ("code=2835", "did you mean 52835"),
        ("department<5", "department holds text"),
        ("zone=Z1", "no municipality has zone Z1"),
    ],
)
def test_what_is_no_condition_is_told_and_what_would_be(text: str, said: str):
    with pytest.raises(ConfigError, match=said):
        chosen(text)


def test_a_selection_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="none meets rank=1, vacated=false together: loosen"):
        chosen("rank=1", "vacated=false")
