"""Coca near posts: cells and posts whose distances are known."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo import overlay
from geo.crs import to_metric
from geo.errors import ConfigError
from layers import access, police
from layers.boundaries import Boundaries
from layers.density import Density
from layers.panel import Panel
from tests.layers.modelled import modelled
from tests.layers.test_enclaves import drawn, post, towns

PICTURE = """
3 . . . . . 2 . . .
. . . . . . . . . 5
"""


def near(
    density: Density | None = None, municipalities: gpd.GeoDataFrame | None = None, **settings: Any
) -> pd.DataFrame:
    kept: dict[str, Any] = {"year": 2020, "radii_km": (1, 5, 7), **settings}
    posts = kept.pop("posts", post(0.5, 0.5))
    places = towns(0, 8, 10, 12) if municipalities is None else municipalities
    return access.within_post(density or drawn(PICTURE), places, posts, **kept)


def test_shares_and_mean_distance_by_hand():
    found = near()
    assert list(found.columns) == ["coca_within_1km", "coca_within_5km", "coca_within_7km", "station_km"]
    assert list(found.loc["05001"]) == pytest.approx([0.6, 0.6, 1.0, (0 * 30 + 6 * 20) / 50], abs=1e-5)
    assert list(found.loc["05002"]) == pytest.approx([0.0, 0.0, 0.0, np.hypot(9, 1)], abs=1e-5)


def test_no_coca_is_missing_not_zero():
    assert near().loc["05003"].isna().all()


def test_a_cell_on_a_border_counts_for_both_by_its_area():
    found = near(municipalities=towns(0, 6.25, 12))
    assert found.at["05001", "coca_within_1km"] == pytest.approx(30 / 35, abs=1e-5)
    assert found.at["05002", "coca_within_7km"] == pytest.approx(15 / 65, abs=1e-5)


def test_missing_police_data_leave_all_missing():
    assert near(unreported=["05"]).isna().all(axis=None)
    assert near(posts=post(0, 0).iloc[:0]).isna().all(axis=None)


def test_cells_without_a_figure_do_not_weigh():
    density = drawn(PICTURE)
    density.hectares.loc[density.col == 6, 2020] = np.nan
    assert near(density).at["05001", "coca_within_1km"] == 1.0


@pytest.mark.parametrize("wrong", [{"year": 1999}, {"radii_km": (0,)}, {"radii_km": (5, float("nan"))}])
def test_settings_that_mean_nothing(wrong: dict[str, Any]):
    with pytest.raises(ConfigError):
        near(**wrong)


def test_a_year_that_measured_nothing_is_refused():
    density = drawn(PICTURE)
    density.hectares[2020] = np.nan
    with pytest.raises(ConfigError, match="measured nothing in 2020"):
        near(density)


def test_a_layer_that_lies_elsewhere_is_refused():
    with pytest.raises(ConfigError, match=r"none of its 100 ha of 2020 lies in one: it lies at longitude -74\.80 to"):
        near(municipalities=towns(10, 12))


def test_the_modelled_country_cell_by_cell(joined: Panel, bounds: Boundaries):
    density = modelled(bounds.frame, joined.wide("coca_ha").loc[["54810", "52835", "86568", "23466"]])
    posts = police.load().frame
    silent = police.not_reporting(posts, bounds.frame).index
    found = access.within_post(density, bounds.frame, posts, year=2020, unreported=silent)
    assert found.dropna().index.tolist() == ["52835", "54810", "86568"]  # Córdoba (23) did not report
    centres, targets = to_metric(density.centres()), to_metric(posts).geometry
    km = np.array([targets.distance(point).min() / 1000 for point in centres])
    where = overlay.locate(density.centres(), bounds.frame).to_numpy()
    hectares = density.hectares[2020].to_numpy()
    for code in ("52835", "54810", "86568"):
        own = where == code
        assert found.at[code, "station_km"] == pytest.approx(np.average(km[own], weights=hectares[own]))
        assert found.at[code, "coca_within_10km"] == pytest.approx(
            hectares[own & (km <= 10)].sum() / hectares[own].sum()
        )
