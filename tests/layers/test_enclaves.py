"""Enclaves drawn by hand, and on random layers those of joining every pair of cells that touch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import METRIC, to_metric
from geo.errors import ConfigError
from geo.grid import Grid
from layers import enclaves, police
from layers.boundaries import Boundaries
from layers.density import Density
from layers.enclaves import EnclaveTerms
from layers.panel import Panel
from layers.report import Report
from tests.layers.modelled import modelled

GRID = Grid(METRIC, Affine(1000.0, 0.0, 4_800_000.0, 0.0, -1000.0, 2_000_000.0), 12, 12)
YEARS = list(range(2011, 2021))
ONE_YEAR = EnclaveTerms(minimum_ha_per_km2=10, lasting_years=1, of_last_years=1, minimum_km2=2)


def drawn(picture: str, *, years: list[int] | None = None, absent: dict[tuple[int, int], int] | None = None) -> Density:
    """A layer of a picture: a digit is that many tens of hectares in a cell, a point is none, in all years.

    ``absent`` says in how many of the first years a cell had no coca yet.
    """
    lines = [line.split() for line in picture.strip().splitlines()]
    tens = np.array([[0 if each == "." else int(each) for each in line] for line in lines])
    row, col = np.nonzero(tens)
    years = years or YEARS
    hectares = np.repeat(tens[row, col][:, None] * 10.0, len(years), axis=1)
    for (r, c), count in (absent or {}).items():
        hectares[np.flatnonzero((row == r) & (col == c)), :count] = 0.0
    frame = pd.DataFrame(hectares, columns=years)
    return Density(GRID, row, col, frame, Path("made.tif"), Report(), modelled=True)


def towns(*cuts: float) -> gpd.GeoDataFrame:
    """Towns 05001, 05002 ... between these columns of the grid."""
    edges = list(itertools.pairwise(cuts))
    shapes = [shapely.box(4.8e6 + 1000 * a, 2e6 - 12_000, 4.8e6 + 1000 * b, 2e6) for a, b in edges]
    codes = [f"0500{n}" for n in range(1, len(shapes) + 1)]
    facts = {"name": [f"Town {c}" for c in codes], "department": "Antioquia", "department_code": "05"}
    return gpd.GeoDataFrame(facts, geometry=shapes, index=pd.Index(codes, name="code"), crs=METRIC).to_crs(4326)


def post(col: float, row: float) -> gpd.GeoDataFrame:
    point = shapely.Point(4.8e6 + 1000 * col, 2e6 - 1000 * row)
    return gpd.GeoDataFrame({"kind": ["station"]}, geometry=[point], crs=METRIC).to_crs(4326)


def find(density: Density, **changes: Any) -> gpd.GeoDataFrame:
    given_terms: dict[str, Any] = {
        "municipalities": towns(0, 6, 12), "posts": post(0, 0), "year": 2020, "terms": ONE_YEAR, **changes,
    }  # fmt: skip
    return enclaves.find(density, given_terms.pop("municipalities"), **given_terms)


PICTURE = """
. . . . . . . .
. 2 3 . . . . 1
. 1 . . 4 4 4 .
. . . . . 4 . .
. . . . . . . .
9 . . . . . . .
"""


class TestByHand:
    def test_groups_by_hectares_with_their_figures(self):
        found = find(drawn(PICTURE))
        assert found.index.tolist() == ["E01", "E02"]
        assert found["coca_ha"].tolist() == [170.0, 60.0]
        assert found["cells"].tolist() == [5, 3]  # the lone 90 ha are one cell; the corner joins the 1 to the 4s
        assert found["area_km2"].tolist() == [5.0, 3.0]
        assert found["national_share"].isna().all()  # the nation's hectares are not those of the layer
        assert found["municipalities"].tolist() == [["05001", "05002"], ["05001"]]
        assert found["name"].tolist() == ["Town 05001", "Town 05001"]
        assert found["years_with_coca"].tolist() == [10.0 / 10] * 2
        assert found["years_known"].tolist() == [1, 1]
        assert found.crs == "EPSG:4326"

    def test_the_municipality_with_most_of_it_comes_first(self):
        found = find(drawn(PICTURE), municipalities=towns(0, 4.5, 12))
        assert found["municipalities"].tolist() == [["05002", "05001"], ["05001"]]
        assert found["name"].tolist() == ["Town 05002", "Town 05001"]

    def test_sides_alone_part_what_a_corner_joins(self):
        terms = EnclaveTerms(minimum_ha_per_km2=10, lasting_years=1, of_last_years=1, minimum_km2=1, corners=False)
        assert find(drawn(PICTURE), terms=terms)["coca_ha"].tolist() == [160.0, 90.0, 60.0, 10.0]

    def test_shapes_are_the_cells(self):
        density = drawn(PICTURE)
        shape = to_metric(find(density)).geometry["E02"]
        expected = shapely.union_all(GRID.cells([1, 1, 2], [1, 2, 1]).to_numpy())
        assert shapely.hausdorff_distance(shape, expected) < 1e-3

    def test_density_is_of_the_year_and_the_limit_counts(self):
        terms = EnclaveTerms(minimum_ha_per_km2=20, lasting_years=1, of_last_years=1, minimum_km2=1)
        assert find(drawn(PICTURE), terms=terms)["cells"].tolist() == [4, 1, 2]

    def test_cells_that_do_not_last_are_left_out(self):
        terms = EnclaveTerms(minimum_ha_per_km2=10, lasting_years=5, of_last_years=10, minimum_km2=1)
        found = find(drawn(PICTURE, absent={(1, 2): 6, (2, 1): 5}), terms=terms)
        assert found["coca_ha"].tolist() == [170.0, 90.0, 30.0]
        assert found["years_with_coca"].tolist() == pytest.approx([10.0, 10.0, (20 * 10 + 10 * 5) / 30])

    def test_years_without_a_figure_do_not_count_as_coca(self):
        density = drawn(PICTURE)
        density.hectares.loc[density.row == 5, YEARS[:6]] = np.nan
        terms = EnclaveTerms(minimum_ha_per_km2=10, lasting_years=5, of_last_years=10, minimum_km2=1)
        assert 90.0 not in find(density, terms=terms)["coca_ha"].tolist()

    def test_distance_is_from_the_centre_of_its_coca(self):
        # Centres at columns 1.5 and 2.5 of row 1.5, and column 1.5 of row 2.5, with 20, 30 and 10 ha.
        x, y = (1.5 * 20 + 2.5 * 30 + 1.5 * 10) / 60, (1.5 * 50 + 2.5 * 10) / 60
        found = find(drawn(PICTURE), posts=pd.concat([post(0, 0), post(11, 11)]))
        assert found["station_km"]["E02"] == pytest.approx(np.hypot(x, y), abs=1e-5)

    def test_distances_are_missing_where_police_data_are(self):
        assert find(drawn(PICTURE), unreported=["05"])["station_km"].isna().all()
        assert find(drawn(PICTURE), posts=post(0, 0).iloc[:0])["station_km"].isna().all()

    def test_overlaps_are_shares_of_its_area_and_missing_without_polygons(self):
        reserve = gpd.GeoDataFrame(geometry=[shapely.box(4.8e6, 1.9e6, 4.802e6, 2e6)], crs=METRIC).to_crs(4326)
        found = find(drawn(PICTURE), areas={"reserves": reserve})
        assert found["reserve_share"].tolist() == pytest.approx([0.0, 2 / 3], abs=1e-5)
        assert found[["council_share", "park_share"]].isna().all(axis=None)

    def test_the_nations_hectares_may_be_told(self):
        assert find(drawn(PICTURE), national_ha=1000.0)["national_share"].tolist() == [0.17, 0.06]
        assert find(drawn(PICTURE), national_ha=float("nan"))["national_share"].isna().all()

    def test_beyond_all_municipalities_it_has_no_name(self):
        found = find(drawn(PICTURE), municipalities=towns(9, 12))
        assert found["municipalities"].tolist() == [[], []]
        assert found[["name", "department"]].isna().all(axis=None)

    def test_where_none_is_found_the_columns_are_there(self):
        terms = EnclaveTerms(minimum_ha_per_km2=99, lasting_years=1, of_last_years=1)
        found = find(drawn(PICTURE), terms=terms)
        assert (len(found), found.index.name) == (0, "enclave")
        assert found.crs == "EPSG:4326"
        assert list(found.columns) == list(find(drawn(PICTURE)).columns)
        assert list(found.dtypes[["cells", "years_known"]]) == [int, int]


class TestTerms:
    @pytest.mark.parametrize(
        "terms",
        [
            {"minimum_ha_per_km2": 0.0},
            {"minimum_km2": -1.0},
            {"lasting_years": 0},
            {"lasting_years": 6, "of_last_years": 5},
        ],
    )
    def test_terms_that_mean_nothing(self, terms: dict[str, Any]):
        with pytest.raises(ConfigError):
            EnclaveTerms(**terms)

    def test_a_layer_with_too_few_years(self):
        with pytest.raises(ConfigError, match=r"it has 2020: .* --lasting-years 1$"):
            find(drawn(PICTURE, years=[2020]), terms=EnclaveTerms())
        said = r"must have the year 2020; it has 2018, 2019: run scripts/zone\.py --year 2019 first, or give a layer"
        with pytest.raises(ConfigError, match=said):
            find(drawn(PICTURE, years=[2018, 2019]))

    def test_years_that_measured_nothing_are_no_years(self):
        density = drawn(PICTURE, years=[2017, 2018, 2019, 2020])
        density.hectares[2018] = np.nan
        assert enclaves.known_years(density, EnclaveTerms(), year=2020) == [2017, 2019, 2020]
        assert enclaves.known_years(density, EnclaveTerms(of_last_years=5), year=2019) == [2017, 2019]
        four = EnclaveTerms(minimum_ha_per_km2=10, lasting_years=4)
        with pytest.raises(ConfigError, match=r"it has 2017, 2019, 2020: .* --lasting-years 3$"):
            find(density, terms=four)
        short = enclaves.shortened(density, four, year=2020)
        assert short == EnclaveTerms(minimum_ha_per_km2=10, lasting_years=3)
        found = find(density, terms=short)
        assert found["years_known"].tolist() == [3] * len(found)
        assert enclaves.shortened(density, ONE_YEAR, year=2020) == ONE_YEAR
        density.hectares[2020] = np.nan
        with pytest.raises(ConfigError, match=r"measured nothing in 2020: .* it measured 2017, 2019: give"):
            find(density, terms=ONE_YEAR)
        density.hectares[:] = np.nan
        assert enclaves.shortened(density, four, year=2020) == four

    def test_terms_in_words(self):
        assert str(EnclaveTerms()) == (
            "Enclaves: cells of at least 8 ha of coca per km2 that had coca in at least 5 of the last 10 years, in "
            "groups that share a side or a corner, of at least 3 km2."
        )

    @pytest.mark.parametrize(
        ("known", "lasting", "said"),
        [
            (range(2011, 2021), 5, "had coca in at least 5 of the last 10 years, in groups"),
            (
                [2020],
                1,
                "had coca in at least 1 of the 1 year measured (2020), so that whether it lasts is not known, in",
            ),
            (range(2017, 2021), 4, "had coca in at least 4 of the 4 years measured (2017-2020) of the last 10, in"),
            ([2012, 2015, 2016, 2020], 4, "of the 4 years measured (2012, 2015-2016, 2020) of the last 10, in groups"),
        ],
    )
    def test_terms_say_of_which_years_they_are_known(self, known: Sequence[int], lasting: int, said: str):
        assert said in enclaves.in_words(EnclaveTerms(lasting_years=lasting), known)


def by_hand(density: Density, year: int, terms: EnclaveTerms) -> list[tuple[float, int]]:
    """Hectares and cells of each enclave, largest first, cell by cell from the definition."""
    window = [each for each in density.years if year - terms.of_last_years < each <= year]
    left = {
        (int(r), int(c)): float(ha[year])
        for r, c, (_, ha) in zip(density.row, density.col, density.hectares.iterrows(), strict=True)
        if ha[year] >= terms.minimum_ha_per_km2 and sum(ha[y] > 0 for y in window) >= terms.lasting_years
    }
    groups = []
    while left:
        reached, edge = {}, [next(iter(left))]
        while edge:
            r, c = edge.pop()
            if (r, c) in left:
                reached[r, c] = left.pop((r, c))
                edge += [(r + a, c + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        if len(reached) >= terms.minimum_km2:
            groups.append((sum(reached.values()), len(reached)))
    return sorted(groups, reverse=True)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), unique=True, min_size=1, max_size=60),
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from([0.5, 2.0, 4.0]),
)
def test_random_layers_have_the_enclaves_of_the_definition(
    cells: list[tuple[int, int]], seed: int, lasting: int, minimum_km2: float
):
    row, col = np.array(sorted(cells), dtype=np.int64).T
    chance = np.random.default_rng(seed)
    hectares = pd.DataFrame(
        chance.uniform(0, 30, (len(row), 4)) * (chance.random((len(row), 4)) < 0.8), columns=YEARS[-4:]
    )
    density = Density(GRID, row, col, hectares, Path("made.tif"), Report(), modelled=True)
    terms = EnclaveTerms(minimum_ha_per_km2=8, lasting_years=lasting, of_last_years=4, minimum_km2=minimum_km2)
    found = find(density, terms=terms)
    expected = by_hand(density, 2020, terms)
    assert found["coca_ha"].tolist() == pytest.approx([ha for ha, _ in expected])
    assert sorted(found["cells"]) == sorted(cells for _, cells in expected)
    told = find(density, terms=terms, national_ha=density.total_ha(2020) or None)
    assert told["national_share"].sum() <= 1 + 1e-12


def test_the_modelled_country(joined: Panel, bounds: Boundaries):
    density = modelled(bounds.frame, joined.wide("coca_ha"))
    posts = police.load().frame
    silent = police.not_reporting(posts, bounds.frame).index
    found = enclaves.find(density, bounds.frame, year=2020, posts=posts, unreported=silent)
    expected = by_hand(density, 2020, EnclaveTerms())
    assert found["coca_ha"].tolist() == pytest.approx([ha for ha, _ in expected])
    assert found.is_valid.all()
    assert found["area_km2"].to_numpy() == pytest.approx(to_metric(found).area.to_numpy() / 1e6, rel=1e-6)
    unknown = bounds.frame.loc[[codes[0] for codes in found["municipalities"]], "department_code"].isin(silent)
    assert (found["station_km"].isna().to_numpy() == unknown.to_numpy()).all()
    again = enclaves.find(density, bounds.frame, year=2020, posts=posts, unreported=silent)
    assert found.to_json() == again.to_json()
