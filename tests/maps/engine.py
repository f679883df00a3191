"""The engine of the page in a real browser, and the bundled country as Python and as the page are told of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from selenium import webdriver

from geo import coverage, score
from geo.score import Floats, Method
from layers import criteria, draws, dynamics, measures, zones
from layers.criteria import Criterion, Evidence, Zoning
from layers.panel import Panel
from layers.priority import Priorities, evidence, prioritise
from maps import pack, payload
from maps.inputs import Settings, read
from maps.standalone import asset
from tests import browser

YEAR = 2020
SPOT_YEARS = (2005, YEAR, 2024)
SCRIPTS = ("codec.js", "measures.js", "score.js", "zones.js", "engine.js")
# Numbers leave the page as the bytes of doubles: fast, and to the last bit.
HARNESS = """
const told = (values) => {
  const bytes = new Uint8Array(Float64Array.from(values).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
};
const flat = (arrays) => {
  const whole = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0));
  arrays.reduce((at, array) => { whole.set(array, at); return at + array.length; }, 0);
  return whole;
};
"""


@dataclass(frozen=True)
class Page:
    """A page that holds the engine and nothing else."""

    driver: webdriver.Chrome

    def run(self, script: str, *given: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(f"{HARNESS}\n{script}", *given)

    def floats(self, expression: str, *given: Any) -> Floats:
        """What an expression with arrays of numbers gives, one after another."""
        text = self.run(f"return told(flat({expression}))", *given)
        return np.frombuffer(base64.b64decode(text), dtype="<f8")

    def keep(self, name: str, data: Mapping[str, Any], pairs: Sequence[Sequence[int]]) -> None:
        """Make an engine that later scripts find under a name."""
        self.run("window[arguments[0]] = presencia.engine(arguments[1], arguments[2])", name, data, pairs)


@contextmanager
def opened() -> Iterator[Page]:
    """Open the page; afterwards its console must be silent."""
    source = "\n".join(['"use strict";', *(asset(name) for name in SCRIPTS)])
    with browser.chromium() as driver:
        driver.get("about:blank")
        driver.execute_script(source)
        yield Page(driver)
        assert browser.complaints(driver) == []
        assert browser.requests(driver) == []


@dataclass(frozen=True)
class Country:
    """The bundled run of a year: what Python has found, and what the page is told."""

    panel: Panel
    known: Evidence
    zoning: Zoning
    priorities: Priorities
    neighbours: pd.DataFrame
    zones: gpd.GeoDataFrame
    spots: pd.DataFrame
    data: dict[str, Any]

    @property
    def codes(self) -> pd.Index:
        """Codes in the order of places."""
        return self.panel.places.index

    @property
    def pairs(self) -> list[list[int]]:
        """Neighbours by place."""
        left, right = (self.codes.get_indexer(pd.Index(self.neighbours[side])).tolist() for side in ("left", "right"))
        return [[one, other] for one, other in zip(left, right, strict=True)]


def country() -> Country:
    """Read what is bundled, and run it without draws."""
    inputs, zoning = read(Settings()), criteria.load()
    panel = inputs.join()
    priorities = prioritise(panel, zoning, year=YEAR, draws=0, seed=1)
    pairs, known = coverage.neighbours(panel.places), evidence(panel)
    _, grouped = zones.build(
        panel, priorities, share=zoning.candidates.priority_share, limits=zoning.zones, neighbours=pairs
    )
    spots = pd.DataFrame({year: _spots(known, pairs, zoning, year) for year in SPOT_YEARS})
    sites = inputs.sites.frame
    content = payload.MapContent(
        panel, priorities, zoning, grouped, spots, inputs.posts.frame, sites[sites["kind"] == "ETCR"], ()
    )
    return Country(panel, known, zoning, priorities, pairs, grouped, spots, payload.payload(content))


def _spots(known: Evidence, pairs: pd.DataFrame, zoning: Zoning, year: int) -> pd.Series:
    density = measures.coca_ha_per_km2(known.coca, known.area_km2, year=year)
    return dynamics.hot_spot(density, pairs, false_discovery=zoning.hotspots.false_discovery)


@dataclass(frozen=True)
class State:
    """The part of the page's state that scores depend on, and the weights as Python takes them."""

    year: int
    method: Method
    weights: Floats | None = None
    minimum: float = 1.0
    only: str = ""
    locked_in: tuple[str, ...] = ()
    locked_out: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As the page has it."""
        return {
            "year": self.year,
            "method": self.method.value,
            "weights": None if self.weights is None else self.weights.tolist(),
            "minimum": self.minimum,
            "only": self.only,
            "lockedIn": list(self.locked_in),
            "lockedOut": list(self.locked_out),
        }


@dataclass(frozen=True)
class Scores:
    """What Python makes of a state: candidates' codes, and arrays by them."""

    chosen: pd.Index
    raw: Floats
    unit: Floats
    weights: Floats
    score: Floats
    coverage: Floats
    rank: npt.NDArray[np.int64]


def scores(raw: pd.DataFrame, zoning: Zoning, weights: Floats, method: Method) -> Scores:
    """Score candidates as :func:`layers.priority.prioritise` does."""
    unit = draws.rescaled(raw, draws.fit(raw, zoning, zoning.scoring.rescale))
    points = score.aggregate(unit, weights, method)
    _, covered = score.weighted_mean(unit, weights)
    return Scores(raw.index, raw.to_numpy(), unit, weights, points, covered, score.ranks(points))


def normalised(weights: Floats) -> Floats:
    """Weights that sum to 1, added up in their order as the page does."""
    return np.asarray(weights / sum(weights.tolist()))


def restated(data: Mapping[str, Any], zoning: Zoning) -> dict[str, Any]:
    """The payload of a run, told to reckon as other settings ask."""
    known = {entry["name"]: entry for entry in data["scoring"]["criteria"]}
    listed = [
        known[c.name]
        | {"weight": c.weight, "kind": c.rescale.value, "log": c.log, "descending": c.descending}
        | {"goalposts": list(c.goalposts)}
        for c in zoning.criteria
    ]
    changed = data["scoring"] | {"criteria": listed, "winsor": zoning.scoring.winsor, "method": zoning.scoring.method}
    return {**data, "scoring": changed, "terms": payload.terms(zoning)}


def invented(zoning: Zoning, facts: pd.DataFrame, series: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """A payload of numbers made up: ``area_km2`` and ``station_km`` by code, and yearly frames; others are missing."""
    none = pd.DataFrame(np.nan, index=facts.index, columns=[YEAR])
    words = pack.texts(pd.Series("A", index=facts.index))
    entries = [{"name": c.name, "goalposts": list(c.goalposts)} for c in zoning.criteria]
    data = {
        "year": YEAR,
        "codes": list(facts.index),
        "facts": {
            **dict.fromkeys(("name", "department", "pdet_region"), words),
            **{name: pack.numbers(facts.get(name, none[YEAR])) for name in ("area_km2", "station_km")},
            **({payload.SEAT_FACT: pack.numbers(facts[payload.SEAT_FACT])} if payload.SEAT_FACT in facts else {}),
        },
        "series": {name: pack.series(series.get(name, none)) for name in payload.SERIES},
        "spots": {},
        "scoring": {"criteria": entries, "locked_in": {}, "locked_out": {}},
        "run": {"zones": []},
    }
    return restated(data, zoning)


def of_one_year(zoning: Zoning, table: pd.DataFrame) -> dict[str, Any]:
    """A payload whose measures in ``YEAR`` are the columns of a table: yearly series and ``station_km``."""
    return invented(
        zoning, table, {name: table[[name]].set_axis([YEAR], axis=1) for name in table if name in payload.SERIES}
    )


def weighed(zoning: Zoning, listed: Sequence[Criterion], winsor: float) -> Zoning:
    """The same settings with other criteria, whose weights are brought to a sum of 1, and winsorised otherwise."""
    weights = normalised(np.array([criterion.weight for criterion in listed]))
    chosen = tuple(replace(c, weight=float(w)) for c, w in zip(listed, weights, strict=True))
    return replace(zoning, criteria=chosen, scoring=replace(zoning.scoring, winsor=winsor))
