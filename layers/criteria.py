"""Which measures count, how much and why: the registry of measures and the settings in ``zoning.toml``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import ConfigError, SourceError
from geo.score import Rescale
from layers import measures

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEFAULTS = Path(__file__).parent / "zoning.toml"
SHARES = ("high_share", "priority_share")
LONGEST = 50  # years; longer than any series of the subject
LARGEST = 1e9
DIRECTIONS = {"more": False, "less": True}

Section = TypeVar("Section", bound="DataclassInstance")


@dataclass(frozen=True)
class Evidence:
    """What measures are computed from: wide frames and facts on one index of units.

    Attributes
    ----------
    coca, eradicated, farc_events, homicides, population : DataFrame
        A row a unit, a column a year.
    area_km2, station_km : Series
        Facts of the unit.
    """

    coca: pd.DataFrame
    eradicated: pd.DataFrame
    farc_events: pd.DataFrame
    homicides: pd.DataFrame
    population: pd.DataFrame
    area_km2: pd.Series
    station_km: pd.Series


@dataclass(frozen=True)
class Candidates:
    """Section ``candidates``: who is scored, and what counts as high cultivation and as priority."""

    minimum_coca_ha: float
    high_share: float
    priority_share: float


@dataclass(frozen=True)
class Windows:
    """Section ``windows``: spans of years and thresholds of the measures."""

    trend_years: int
    permanence_years: int
    eradication_years: int
    minimum_eradicated_ha: float
    farc_first: int
    farc_last: int
    vacated_events: int
    homicide_years: int
    station_radius_km: float


@dataclass(frozen=True)
class Uncertainty:
    """Section ``uncertainty``: how far weights and figures may be off."""

    weight_concentration: float
    coca_error: float
    top: int
    winsor: float


@dataclass(frozen=True)
class Dimension:
    """A table ``dimensions.NAME``: a group of measures, its share of the score and why."""

    name: str
    weight: float
    label_en: str
    label_es: str
    reason: str


@dataclass(frozen=True)
class Criterion:
    """A table ``measures.NAME``: a measure as it is used, with its share of the whole score.

    Attributes
    ----------
    name, dimension : str
        The measure and its dimension.
    weight : float
        Effective weight: all criteria sum to 1.
    rescale : Rescale
        How it is brought to 0..1.
    descending : bool
        Whether low values call for presence.
    reason, source : str
        Why it counts, and whose figures it uses.
    label_en, label_es, unit_en, unit_es : str
        For readers.
    """

    name: str
    dimension: str
    weight: float
    rescale: Rescale
    descending: bool
    reason: str
    source: str
    label_en: str
    label_es: str
    unit_en: str
    unit_es: str


@dataclass(frozen=True)
class Zoning:
    """All settings of a run.

    Attributes
    ----------
    candidates, windows, uncertainty : Candidates, Windows, Uncertainty
        The sections of those names.
    dimensions : tuple of Dimension
        In the order of the file.
    criteria : tuple of Criterion
        Those with weight, in the order of the file.
    """

    candidates: Candidates
    windows: Windows
    uncertainty: Uncertainty
    dimensions: tuple[Dimension, ...]
    criteria: tuple[Criterion, ...]

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Effective weights, summing to 1."""
        return np.array([criterion.weight for criterion in self.criteria])


@dataclass(frozen=True)
class Measure:
    """A measure of the registry.

    Attributes
    ----------
    compute : callable
        Evidence, windows and year to a Series.
    label_en, label_es, unit_en, unit_es : str
        For readers.
    surveyed : bool
        Whether it rests on the coca survey, whose error is drawn.
    """

    compute: Callable[[Evidence, Windows, int], pd.Series]
    label_en: str
    label_es: str
    unit_en: str
    unit_es: str
    surveyed: bool = False


MEASURES: Mapping[str, Measure] = {
    "coca_ha_per_km2": Measure(
        lambda e, w, year: measures.coca_ha_per_km2(e.coca, e.area_km2, year=year),
        "Coca density", "Densidad de coca", "ha/km²", "ha/km²", surveyed=True,
    ),
    "coca_ha": Measure(
        lambda e, w, year: measures.coca_ha(e.coca, year=year), "Coca", "Coca", "ha", "ha", surveyed=True,
    ),
    "coca_trend_ha_per_year": Measure(
        lambda e, w, year: measures.coca_trend_ha_per_year(e.coca, year=year, years=w.trend_years),
        "Coca trend", "Tendencia de la coca", "ha/year", "ha/año", surveyed=True,
    ),
    "permanence": Measure(
        lambda e, w, year: measures.permanence(e.coca, year=year, years=w.permanence_years),
        "Permanence of coca", "Permanencia de la coca", "0–1", "0–1",
    ),
    "resurgence": Measure(
        lambda e, w, year: measures.resurgence(
            e.coca, e.eradicated, year=year, years=w.eradication_years, minimum_ha=w.minimum_eradicated_ha
        ),
        "Resurgence", "Resiembra", "0–1", "0–1", surveyed=True,
    ),
    "regrown_ha": Measure(
        lambda e, w, year: measures.regrown_ha(
            e.coca, e.eradicated, year=year, years=w.eradication_years, minimum_ha=w.minimum_eradicated_ha
        ),
        "Regrown coca", "Coca resembrada", "ha", "ha", surveyed=True,
    ),
    "farc_events_per_10k": Measure(
        lambda e, w, year: measures.farc_events_per_10k(
            e.farc_events, e.population, first=w.farc_first, last=w.farc_last
        ),
        "FARC events", "Eventos de las FARC", "per 10,000 people and year", "por 10.000 hab. y año",
    ),
    "homicide_rate": Measure(
        lambda e, w, year: measures.homicide_rate(e.homicides, e.population, year=year, years=w.homicide_years),
        "Homicide rate", "Tasa de homicidios", "per 100,000 people", "por 100.000 hab.",
    ),
    "station_km": Measure(
        lambda e, w, year: e.station_km, "Distance to a police post", "Distancia a un puesto de policía", "km", "km",
    ),
    "people_beyond": Measure(
        lambda e, w, year: measures.people_beyond(e.population, e.station_km, year=year, radius_km=w.station_radius_km),
        "People beyond the radius", "Personas fuera del radio", "people", "personas",
    ),
}  # fmt: skip


def load(path: Path | None = None) -> Zoning:
    """Read the settings: the defaults, and over them what a planner's file changes.

    Parameters
    ----------
    path : Path, optional
        A TOML file with any part of ``zoning.toml``.

    Returns
    -------
    Zoning
        The checked settings.

    Raises
    ------
    SourceError
        If the file is missing or no TOML.
    ConfigError
        If it names something unknown, gives a value of the wrong kind, or leaves no weight.
    """
    table = _read(DEFAULTS)
    if path is not None:
        table = _overlay(table, _read(path), path.name)
    where = (path or DEFAULTS).name
    dimensions = tuple(_dimension(name, entry, where) for name, entry in table["dimensions"].items())
    zoning = Zoning(
        _section(Candidates, table["candidates"], f"{where} [candidates]"),
        _section(Windows, table["windows"], f"{where} [windows]"),
        _section(Uncertainty, table["uncertainty"], f"{where} [uncertainty]"),
        dimensions,
        _criteria(table["measures"], dimensions, where),
    )
    _check_ranges(zoning, where)
    return zoning


def compute(evidence: Evidence, zoning: Zoning, year: int, *, surveyed_only: bool = False) -> pd.DataFrame:
    """Compute every criterion's measure.

    Parameters
    ----------
    evidence : Evidence
        What is known of n units.
    zoning : Zoning
        The settings.
    year : int
        Reference year.
    surveyed_only : bool, default False
        Whether only measures that rest on the coca survey are wanted.

    Returns
    -------
    DataFrame
        n rows, a column a criterion; NaN where a measure is missing.
    """
    wanted = [c.name for c in zoning.criteria if MEASURES[c.name].surveyed or not surveyed_only]
    columns = {name: MEASURES[name].compute(evidence, zoning.windows, year) for name in wanted}
    return pd.DataFrame(columns, index=evidence.coca.index)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise SourceError(
            f"{path} must be a file of settings and cannot be read ({cause.strerror}); check --config"
        ) from cause
    except ValueError as cause:
        raise ConfigError(f"{path} must be TOML: {cause}; correct that line") from cause


def _overlay(base: dict[str, Any], change: dict[str, Any], where: str) -> dict[str, Any]:
    """The base with the values that the change gives; names the base lacks are refused."""
    merged = dict(base)
    for name, value in change.items():
        if name not in base:
            raise ConfigError(f"{where} has no {name!r}{_nearest(name, set(base))}")
        if _form(base[name]) != _form(value):
            raise ConfigError(f"{where}: {name} must be {_form(base[name])}; found {value!r}")
        merged[name] = _overlay(base[name], value, f"{where} [{name}]") if isinstance(value, dict) else value
    return merged


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    return "a text" if isinstance(value, str) else "a number"


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; it knows {', '.join(sorted(known))}"


def _section(kind: type[Section], entry: dict[str, Any], where: str) -> Section:
    """A section as its dataclass, each value a number of the declared kind."""
    values = {
        field.name: _number(entry[field.name], str(field.type), f"{where} {field.name}") for field in fields(kind)
    }
    return kind(**values)


def _number(value: Any, kind: str, where: str) -> float | int:
    whole = kind == "int"
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST
    if not right:
        raise ConfigError(
            f"{where} must be a {'whole ' if whole else ''}number from 0 to {LARGEST:g}; found {str(value)[:40]}"
        )
    return value if whole else float(value)


def _dimension(name: str, entry: dict[str, Any], where: str) -> Dimension:
    weight = _number(entry["weight"], "float", f"{where} [dimensions.{name}] weight")
    return Dimension(name, weight, entry["label_en"], entry["label_es"], entry["reason"])


def _criteria(table: dict[str, Any], dimensions: tuple[Dimension, ...], where: str) -> tuple[Criterion, ...]:
    """The criteria with weight; a dimension's weight is divided among its measures in proportion to theirs."""
    raw = {
        name: _number(entry["weight"], "float", f"{where} [measures.{name}] weight") for name, entry in table.items()
    }
    shares = {dimension.name: dimension.weight for dimension in dimensions}
    for name, entry in table.items():
        dimension = entry["dimension"]
        if dimension not in shares:
            raise ConfigError(f"{where} [measures.{name}] has no {dimension!r}{_nearest(dimension, set(shares))}")
    sums = {name: sum(raw[m] for m in table if table[m]["dimension"] == name) for name in shares}
    total = sum(share for name, share in shares.items() if sums[name] > 0)
    if not total > 0:
        raise ConfigError(f"{where} must give some measure and its dimension a weight above 0; all weights are 0")
    effective = {m: shares[d] / total * raw[m] / sums[d] for m in table if sums[d := table[m]["dimension"]] > 0}
    return tuple(_criterion(name, table[name], weight, where) for name, weight in effective.items() if weight > 0)


def _criterion(name: str, entry: dict[str, Any], weight: float, where: str) -> Criterion:
    choices = {kind.value for kind in Rescale}
    if entry["rescale"] not in choices:
        raise ConfigError(
            f"{where} [measures.{name}] rescale has no {entry['rescale']!r}{_nearest(str(entry['rescale']), choices)}"
        )
    if entry["direction"] not in DIRECTIONS:
        raise ConfigError(f"{where} [measures.{name}] direction must be 'more' or 'less'; found {entry['direction']!r}")
    measure = MEASURES[name]
    return Criterion(
        name, entry["dimension"], weight, Rescale(entry["rescale"]), DIRECTIONS[entry["direction"]],
        entry["reason"], entry["source"], measure.label_en, measure.label_es, measure.unit_en, measure.unit_es,
    )  # fmt: skip


def _check_ranges(zoning: Zoning, where: str) -> None:
    """Values that are numbers and still make no sense."""
    for name in SHARES:
        share = getattr(zoning.candidates, name)
        if not 0 < share <= 1:
            raise ConfigError(f"{where} [candidates] {name} must be above 0 and at most 1; found {share:g}")
    windows, uncertainty = zoning.windows, zoning.uncertainty
    first, last = windows.farc_first, windows.farc_last
    if first > last:
        raise ConfigError(f"{where} [windows] farc_first must not be after farc_last; found {first} and {last}")
    shortest = {"trend_years": 2, "permanence_years": 1, "eradication_years": 1, "homicide_years": 1}
    for name, least in shortest.items():
        if not least <= getattr(windows, name) <= LONGEST:
            raise ConfigError(
                f"{where} [windows] {name} must be at least {least} and at most {LONGEST} years; "
                f"found {getattr(windows, name)}"
            )
    if uncertainty.winsor >= 0.5 or uncertainty.weight_concentration <= 0 or uncertainty.top < 1:
        raise ConfigError(
            f"{where} [uncertainty] needs winsor below 0.5, weight_concentration above 0 and top of at least 1"
        )
