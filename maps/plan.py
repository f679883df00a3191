"""What a run will do, in words: the settings as ``--explain-config`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geo.score import Rescale
from layers.criteria import STATED, Criterion, Zoning
from layers.divipola import municipalities

METHODS = {
    "weighted-mean": "a weighted mean",
    "geometric-mean": "a weighted geometric mean, in which much of one measure makes up less for little of another",
    "topsis": "TOPSIS, the closeness to the best and the distance from the worst of every measure",
    "vikor": "VIKOR, a compromise between the sum of a municipality's regrets and the largest of them",
    "promethee": "PROMETHEE II, the weight by which a municipality outranks others less that by which they outrank it",
}
WEIGHTINGS = {
    "given": "as given",
    "equal": "equal: each dimension alike, and in it each measure alike",
    "ahp": "from the judgements in pairs (AHP) between dimensions, and within them as given",
    "entropy": "from the data by entropy: the more unevenly a measure is spread, the more it counts",
    "critic": "from the data by CRITIC: the more a measure varies and the less it repeats others, the more it counts",
}
RESCALINGS = {
    Rescale.LINEAR.value: "between its lowest and highest value (winsorised min-max)",
    Rescale.RANK.value: "by rank",
    Rescale.ZSCORE.value: "by z-score, three standard deviations to either side",
    Rescale.GOALPOSTS.value: "between fixed goalposts",
    STATED: "as each measure states",
}


def explain(zoning: Zoning) -> str:
    """Say in words what a run with these settings will do.

    Parameters
    ----------
    zoning : Zoning
        The settings.

    Returns
    -------
    str
        Paragraphs, a blank line between them.
    """
    parts = (_who(zoning), _score(zoning), _measures(zoning), _doubt(zoning), _zones(zoning), _beside(zoning))
    return "\n\n".join("\n".join(part) for part in parts)


def _who(zoning: Zoning) -> Iterator[str]:
    chosen, windows = zoning.candidates, zoning.windows
    year = zoning.years.reference or "the last year with coca data"
    yield f"WHO IS SCORED. The reference year is {year}, unless --year names another."
    yield (
        f"A municipality is a candidate with at least {chosen.minimum_coca_ha:g} ha of coca. High cultivation: the "
        f"fewest municipalities that together hold {chosen.high_share:.0%} of the hectares. Vacated by the FARC: "
        f"{windows.vacated_events} or more events in {windows.farc_first}-{windows.farc_last}."
    )


def _score(zoning: Zoning) -> Iterator[str]:
    scoring = zoning.scoring
    yield f"HOW. The score is {METHODS[scoring.method]}."
    yield f"Weights are {WEIGHTINGS[scoring.weighting]}."
    if scoring.weighting == "ahp":
        forced = "taken all the same" if scoring.force_judgements else "refused"
        yield from (
            f"  {more} counts {times:g} times as much as {less}"
            for more, entry in zoning.judgements.items()
            for less, times in entry.items()
        )
        yield f"  Judgements with a consistency ratio above 0.1 are {forced}."
    yield f"Measures are brought to 0..1 {RESCALINGS[scoring.rescale]}" + (
        f"; {scoring.winsor:.0%} of the candidates at either end are drawn in first." if scoring.winsor else "."
    )
    yield "A measure that is missing leaves the average, and lowers the coverage that is stated beside the score."


def _measures(zoning: Zoning) -> Iterator[str]:
    shown = zoning.scoring.weighting in {"given", "ahp"}
    yield "WHAT COUNTS." if shown else "WHAT COUNTS. The weights shown are those given; this run finds its own."
    for dimension in zoning.dimensions:
        members = [criterion for criterion in zoning.criteria if criterion.dimension == dimension.name]
        if members:
            yield f"  {dimension.label_en} ({sum(c.weight for c in members):.1%}): {dimension.reason}"
            yield from (f"    {_measure(criterion, zoning)}" for criterion in members)


def _measure(criterion: Criterion, zoning: Zoning) -> str:
    rescale = criterion.rescale.value if zoning.scoring.rescale == STATED else zoning.scoring.rescale
    low, high = criterion.goalposts
    how = RESCALINGS[rescale] + (f" {low:g} and {high:g}" if rescale == Rescale.GOALPOSTS.value else "")
    log = ", of its logarithm" if criterion.log and rescale != Rescale.RANK.value else ""
    less = "less counts more" if criterion.descending else "more counts more"
    return (
        f"{criterion.weight:.1%} {criterion.name} ({criterion.unit_en}): {less}; {how}{log}. {criterion.reason} "
        f"Source: {criterion.source}."
    )


def _doubt(zoning: Zoning) -> Iterator[str]:
    chance = zoning.uncertainty
    yield (
        f"HOW SURE. Each draw takes weights around those above (Dirichlet, concentration "
        f"{chance.weight_concentration:g}) and coca with an error of {chance.coca_error:.0%} in each municipality and "
        f"year (lognormal). {chance.coca_error_source}"
    )
    yield (
        f"Draws are shared out evenly over {len(chance.methods) * len(chance.rescalings)} ways to score: "
        f"{', '.join(chance.methods)}; rescaled {', '.join(chance.rescalings)}."
    )
    yield f"Stated are the central 90 % of a rank, and the share of draws in which it is among the first {chance.top}."


def _zones(zoning: Zoning) -> Iterator[str]:
    yield (
        f"ZONES. The first {zoning.candidates.priority_share:.0%} of the candidates, grouped where they share borders."
    )
    limits = {
        "municipalities": zoning.zones.max_members,
        "km²": zoning.zones.max_area_km2,
        "people": zoning.zones.max_population,
    }
    set_ = [f"{limit:,.0f} {what}" for what, limit in limits.items() if limit]
    yield f"A zone of more than {' or '.join(set_)} is divided." if set_ else "Zones may be of any size."
    yield from _locked("Always in a zone, beside those", zoning.locked_in)
    yield from _locked("Never in a zone, its place going to the next", zoning.locked_out)


def _locked(what: str, codes: Mapping[str, str]) -> Iterator[str]:
    names = municipalities()["name"]
    yield from (f"{what}: {names.get(code, 'unknown')} ({code}). {reason}" for code, reason in codes.items())


def _beside(zoning: Zoning) -> Iterator[str]:
    windows, goal, band = zoning.windows, zoning.goal, zoning.replanting
    yield (
        f"BESIDE THE SCORE. Permanence classes over {windows.permanence_years} years: coca first seen in the last "
        f"{windows.recent_years} expands, coca not seen in them is abandoned. Hot and cold spots with at most "
        f"{zoning.hotspots.false_discovery:.0%} false discoveries."
    )
    yield (
        f"Eradication over {windows.eradication_years} years is also stated net of replanting, as a band between "
        f"{band.low:.1%} and {band.high:.1%} planted again."
    )
    yield (f"The goal: {goal.share:.0%} less coca than in {zoning.years.baseline} by the end of {goal.target_year}.")
