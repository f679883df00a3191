"""Which measures count, how much and why: the registry of measures and the settings in ``zoning.toml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import ConfigError
from geo.score import Method, Rescale
from layers import measures, settings
from layers.settings import Text

DEFAULTS = Path(__file__).parent / "zoning.toml"
CODE = re.compile(r"\d{5}")
LATEST = "latest"
STATED = "stated"
WEIGHTINGS = ("given", "equal", "ahp", "entropy", "critic")
METHODS = tuple(method.value for method in Method)
RESCALINGS = (STATED, *(kind.value for kind in Rescale))
LONGEST = 50  # years; longer than any series of the subject
DIRECTIONS = {"more": False, "less": True}


@dataclass(frozen=True)
class Evidence:
    """What measures are computed from: wide frames and facts on one index of units.

    Attributes
    ----------
    coca, eradicated, farc_events, homicides, population : DataFrame
        A row a unit, a column a year.
    area_km2, station_km, seat_station_km : Series
        Facts of the unit: distances to the nearest post, ``station_km`` from its coca where cells tell where it is, and
        ``seat_station_km`` from its seat, where its people are taken to live.
    """

    coca: pd.DataFrame
    eradicated: pd.DataFrame
    farc_events: pd.DataFrame
    homicides: pd.DataFrame
    population: pd.DataFrame
    area_km2: pd.Series
    station_km: pd.Series
    seat_station_km: pd.Series


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
    recent_years: int
    eradication_years: int
    minimum_eradicated_ha: float
    farc_first: int
    farc_last: int
    vacated_events: int
    homicide_years: int
    station_radius_km: float


@dataclass(frozen=True)
class Years:
    """Section ``years``: the reference year, None for the last one with coca data, and the goal's baseline."""

    reference: int | None
    baseline: int


@dataclass(frozen=True)
class Scoring:
    """Section ``scoring``: how measures become a score, and where their weights come from."""

    method: str
    weighting: str
    rescale: str
    winsor: float
    force_judgements: bool


@dataclass(frozen=True)
class Uncertainty:
    """Section ``uncertainty``: how far weights and figures may be off, and which choices others might make."""

    weight_concentration: float
    coca_error: float
    coca_error_source: str
    methods: tuple[str, ...]
    rescalings: tuple[str, ...]
    top: int


@dataclass(frozen=True)
class Goal:
    """Section ``goal``: the share of the baseline's coca that should be gone, and by the end of which year."""

    target_year: int
    share: float


@dataclass(frozen=True)
class Hotspots:
    """Section ``hotspots``: the share of the spots that may be chance."""

    false_discovery: float


@dataclass(frozen=True)
class Replanting:
    """Section ``replanting``: the shares of what is eradicated that are planted again, at the least and the most."""

    low: float
    high: float


@dataclass(frozen=True)
class Sizes:
    """Section ``zones``: what a zone may have at most; 0 is no limit."""

    max_members: int
    max_area_km2: float
    max_population: float


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
    log : bool
        Whether its logarithm is, since it is skewed.
    goalposts : (float, float)
        What becomes 0 and 1 where it is rescaled between goalposts.
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
    log: bool
    goalposts: tuple[float, float]
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
    years, candidates, windows, scoring, uncertainty, goal, hotspots, replanting, zones
        The sections of those names.
    locked_in, locked_out : mapping of str to str
        Code to the reason why it is in a zone, or in none, whatever its score.
    judgements : mapping of str to mapping of str to float
        Dimension to how many times as much as others it counts.
    dimensions : tuple of Dimension
        In the order of the file.
    criteria : tuple of Criterion
        Those with weight, in the order of the file.
    """

    years: Years
    candidates: Candidates
    windows: Windows
    scoring: Scoring
    uncertainty: Uncertainty
    goal: Goal
    hotspots: Hotspots
    replanting: Replanting
    zones: Sizes
    locked_in: Mapping[str, str]
    locked_out: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, float]]
    dimensions: tuple[Dimension, ...]
    criteria: tuple[Criterion, ...]

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weights as given, effective: they sum to 1."""
        return np.array([criterion.weight for criterion in self.criteria])

    @property
    def method(self) -> Method:
        """How measures become a score."""
        return Method(self.scoring.method)


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
        lambda e, w, year: measures.people_beyond(
            e.population, e.seat_station_km, year=year, radius_km=w.station_radius_km
        ),
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
    table, text = settings.read(DEFAULTS)
    if path is not None:
        change, text = settings.read(path)
        table = settings.overlay(table, change, text)
    dimensions = tuple(_dimension(name, entry, text) for name, entry in table["dimensions"].items())
    zoning = Zoning(
        years=_years(table["years"], text),
        candidates=settings.section(Candidates, table["candidates"], text, "candidates"),
        windows=settings.section(Windows, table["windows"], text, "windows"),
        scoring=_scoring(table["scoring"], text),
        uncertainty=_uncertainty(table["uncertainty"], text),
        goal=settings.section(Goal, table["goal"], text, "goal"),
        hotspots=settings.section(Hotspots, table["hotspots"], text, "hotspots"),
        replanting=settings.section(Replanting, table["replanting"], text, "replanting"),
        zones=settings.section(Sizes, table["zones"], text, "zones"),
        locked_in=_locked(table["locked_in"], text, "locked_in"),
        locked_out=_locked(table["locked_out"], text, "locked_out"),
        judgements=_judgements(table["judgements"], dimensions, text),
        dimensions=dimensions,
        criteria=_criteria(table["measures"], dimensions, text),
    )
    _check_ranges(zoning, text)
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


def _years(entry: Mapping[str, Any], text: Text) -> Years:
    reference = entry["reference"]
    if isinstance(reference, str):
        settings.choice(reference, (LATEST,), text, "years", "reference")
        reference = None
    else:
        reference = int(settings.number(reference, text, "years", "reference", whole=True))
    return Years(reference, int(settings.number(entry["baseline"], text, "years", "baseline", whole=True)))


def _scoring(entry: Mapping[str, Any], text: Text) -> Scoring:
    known = {"method": METHODS, "weighting": WEIGHTINGS, "rescale": RESCALINGS}
    for name, choices in known.items():
        settings.choice(entry[name], choices, text, "scoring", name)
    return settings.section(Scoring, entry, text, "scoring")


def _uncertainty(entry: Mapping[str, Any], text: Text) -> Uncertainty:
    known = {"methods": METHODS, "rescalings": RESCALINGS}
    for name, choices in known.items():
        if not entry[name]:
            raise ConfigError(f"{text.at('uncertainty', name)}: {name} must name at least one of {', '.join(choices)}")
        for given in entry[name]:
            settings.choice(given, choices, text, "uncertainty", name)
    return settings.section(Uncertainty, entry, text, "uncertainty")


def _locked(entry: Mapping[str, Any], text: Text, name: str) -> dict[str, str]:
    """Codes and reasons; a code is text of five digits, a reason a text that says something."""
    for code, reason in entry.items():
        if not CODE.fullmatch(code):
            raise ConfigError(f"{text.at(name, code)}: {code!r} is no code of five digits, such as 52835")
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f'{text.at(name, code)}: give the reason as a text: {code} = "why"')
    return dict(entry)


def _judgements(table: Mapping[str, Any], dimensions: tuple[Dimension, ...], text: Text) -> dict[str, dict[str, float]]:
    """Pairs of dimensions; whether there is one of each is asked where they are used."""
    known = [dimension.name for dimension in dimensions]
    judged: dict[str, dict[str, float]] = {}
    for more, entry in table.items():
        settings.choice(more, known, text, "judgements", more)
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{text.at('judgements', more)}: {more} must be a table: [judgements.{more}]")
        for less, times in entry.items():
            settings.choice(less, known, text, "judgements", more, less)
            judged.setdefault(more, {})[less] = settings.number(times, text, "judgements", more, less)
            if not judged[more][less] > 0:
                raise ConfigError(f"{text.at('judgements', more, less)}: how many times must be above 0; found {times}")
    return judged


def _dimension(name: str, entry: dict[str, Any], text: Text) -> Dimension:
    weight = settings.number(entry["weight"], text, "dimensions", name, "weight")
    return Dimension(name, weight, entry["label_en"], entry["label_es"], entry["reason"])


def _criteria(table: dict[str, Any], dimensions: tuple[Dimension, ...], text: Text) -> tuple[Criterion, ...]:
    """The criteria with weight; a dimension's weight is divided among its measures in proportion to theirs."""
    raw = {name: settings.number(entry["weight"], text, "measures", name, "weight") for name, entry in table.items()}
    shares = {dimension.name: dimension.weight for dimension in dimensions}
    for name, entry in table.items():
        settings.choice(entry["dimension"], list(shares), text, "measures", name, "dimension")
    sums = {name: sum(raw[m] for m in table if table[m]["dimension"] == name) for name in shares}
    total = sum(share for name, share in shares.items() if sums[name] > 0)
    if not total > 0:
        raise ConfigError(f"{text.name} must give some measure and its dimension a weight above 0; all weights are 0")
    effective = {m: shares[d] / total * raw[m] / sums[d] for m in table if sums[d := table[m]["dimension"]] > 0}
    return tuple(_criterion(name, table[name], weight, text) for name, weight in effective.items() if weight > 0)


def _criterion(name: str, entry: dict[str, Any], weight: float, text: Text) -> Criterion:
    settings.choice(entry["rescale"], [kind.value for kind in Rescale], text, "measures", name, "rescale")
    settings.choice(entry["direction"], list(DIRECTIONS), text, "measures", name, "direction")
    measure = MEASURES[name]
    return Criterion(
        name, entry["dimension"], weight, Rescale(entry["rescale"]), entry["log"],
        _goalposts(entry["goalposts"], text, name), DIRECTIONS[entry["direction"]],
        entry["reason"], entry["source"], measure.label_en, measure.label_es, measure.unit_en, measure.unit_es,
    )  # fmt: skip


def _goalposts(given: list[Any], text: Text, name: str) -> tuple[float, float]:
    numbers = [float(item) for item in given if isinstance(item, (int, float)) and not isinstance(item, bool)]
    if len(given) != 2 or len(numbers) != 2 or not -settings.LARGEST <= numbers[0] < numbers[1] <= settings.LARGEST:
        where = text.at("measures", name, "goalposts")
        raise ConfigError(f"{where}: goalposts must be [LOW, HIGH], two numbers with LOW below HIGH; found {given}")
    return numbers[0], numbers[1]


def _check_ranges(zoning: Zoning, text: Text) -> None:
    """Values that are numbers and still make no sense."""
    shares = {
        ("candidates", "high_share"): zoning.candidates.high_share,
        ("candidates", "priority_share"): zoning.candidates.priority_share,
        ("goal", "share"): zoning.goal.share,
        ("hotspots", "false_discovery"): zoning.hotspots.false_discovery,
    }
    for keys, share in shares.items():
        if not 0 < share <= 1:
            raise ConfigError(f"{text.at(*keys)}: {keys[-1]} must be above 0 and at most 1; found {share:g}")
    _check_windows(zoning.windows, text)
    _check_pairs(zoning, text)
    uncertainty = zoning.uncertainty
    if zoning.scoring.winsor >= 0.5:
        raise ConfigError(f"{text.at('scoring', 'winsor')}: winsor must be below 0.5; found {zoning.scoring.winsor:g}")
    if uncertainty.weight_concentration <= 0:
        raise ConfigError(f"{text.at('uncertainty', 'weight_concentration')}: weight_concentration must be above 0")
    if uncertainty.top < 1:
        raise ConfigError(f"{text.at('uncertainty', 'top')}: top must be at least 1")


def _check_windows(windows: Windows, text: Text) -> None:
    shortest = {
        "trend_years": 2, "permanence_years": 1, "recent_years": 1, "eradication_years": 1, "homicide_years": 1,
    }  # fmt: skip
    for name, least in shortest.items():
        if not least <= getattr(windows, name) <= LONGEST:
            raise ConfigError(
                f"{text.at('windows', name)}: {name} must be at least {least} and at most {LONGEST} years; "
                f"found {getattr(windows, name)}"
            )


def _check_pairs(zoning: Zoning, text: Text) -> None:
    """Settings of which one must not come before the other, and codes that are locked both ways."""
    ordered = {
        ("windows", "farc_first", "farc_last"): (zoning.windows.farc_first, zoning.windows.farc_last),
        ("windows", "recent_years", "permanence_years"): (zoning.windows.recent_years, zoning.windows.permanence_years),
        ("years", "baseline", "target_year"): (zoning.years.baseline, zoning.goal.target_year),
        ("replanting", "low", "high"): (zoning.replanting.low, zoning.replanting.high),
        ("replanting", "high", "1"): (zoning.replanting.high, 1),
    }
    for (table, first, last), (one, other) in ordered.items():
        if one > other:
            raise ConfigError(f"{text.at(table, first)}: {first} must not be above {last}; found {one} and {other}")
    both = sorted(set(zoning.locked_in) & set(zoning.locked_out))
    if both:
        raise ConfigError(f"{text.at('locked_out', both[0])}: {both[0]} is locked in as well; keep one of the two")
