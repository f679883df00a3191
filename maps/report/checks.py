"""What follows from special rights in a zone, and what to verify there on the ground: derived from the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maps.report.numbers import FREE, YEAR, Ledger
from maps.report.wording import Name, Part, Said, Texts

ARCHIPELAGO = "88"
INSIDE = "inside"  # of a municipality's point: no town of it is known
PEOPLES = ("reserve_share", "council_share")
RIGHTS = (*PEOPLES, "park_share")
OF_POSTS = ("station_km", "people_beyond")  # missing together, where police data are
OF_ERADICATION = ("resurgence", "regrown_ha")  # missing where little was eradicated, and where that is not known
MOST_NAMED = 3  # of more members only the number is told; the page's tables show which


class Checks:
    """Tells of a zone what its figures leave to be found out.

    Parameters
    ----------
    ledger : Ledger
        Figures of the run.
    texts : Texts
        The language.
    """

    def __init__(self, ledger: Ledger, texts: Texts) -> None:
        self.ledger, self.texts = ledger, texts
        self.run, self.table = ledger.run, ledger.run.folder.table
        self.config = self.run.folder.summary["config"]

    def rights(self, members: Sequence[str]) -> Iterable[Said]:
        """What special rights ask for before anything is built.

        Parameters
        ----------
        members : sequence of str
            The municipalities of a zone.

        Yields
        ------
        tuple
            Sentences; the last says what the shares do not prove.
        """
        touched = {column for column in RIGHTS if (self.table.loc[list(members), column] > 0).any()}
        peoples = touched & {*PEOPLES}
        if peoples:
            yield self.texts.say("rights_both" if len(peoples) == len(PEOPLES) else f"rights_{peoples.pop()}")
        if touched - {*PEOPLES}:
            yield self.texts.say("rights_park_share")
        if any(code.startswith(ARCHIPELAGO) for code in members):
            yield self.texts.say("rights_archipelago")
        if not touched:
            yield self.texts.say("rights_none")
        yield self.texts.say("rights_least")

    def checks(self, zone: str, members: Sequence[str]) -> Iterable[Said]:
        """What to verify on the ground.

        Parameters
        ----------
        zone : str
            Its id.
        members : sequence of str
            Its municipalities.

        Yields
        ------
        tuple
            Sentences.
        """
        yield from self._unreported(zone, members)
        yield from self._unmeasured(zone, members)
        yield from self._partial(zone, members)
        points = self.run.panel.places["point"]
        townless = [code for code in members if points.get(code) == INSIDE]
        if townless:
            yield self.texts.say("check_townless", names=self._names(townless))
        yield from self._measured_from(zone, members)
        for flag in ("etcr", "pdet"):
            flagged = [code for code in members if self.table.at[code, flag]]
            if flagged:
                yield self.texts.say(f"check_{flag}", names=self._some(flagged, members, zone, f"{flag}=true"))
        yield from self.settled(zone)
        yield self.texts.say("check_roads")
        yield self.texts.say("check_coca", year=self.ledger.told("/year", YEAR))

    def settled(self, zone: str) -> Iterable[Said]:
        """What the planner or the limits of size decided.

        Parameters
        ----------
        zone : str
            Its id.

        Yields
        ------
        tuple
            Sentences.
        """
        row = self.run.folder.zones.loc[zone]
        reasons: dict[str, list[str]] = {}
        for code in row["locked_in"]:
            reasons.setdefault(str(self.config["locked_in"].get(code, "")), []).append(code)
        for reason, codes in reasons.items():
            every = len(codes) == len(row["members"])
            names = self.texts.say("all_members") if every else self._names(codes)
            yield self.texts.say("check_locked", names=names, reason=Name(reason))
        for limit in [limit for limit in str(row["over_limit"] or "").split(", ") if limit]:
            yield self.texts.say(f"check_{limit}", most=self.ledger.told(f"/config/zones/{limit}"))

    def _unreported(self, zone: str, members: Sequence[str]) -> Iterable[Said]:
        unknown = self._without("station_km", members)
        if unknown:
            departments = dict.fromkeys(str(self.table.at[code, "department"]) for code in unknown)
            yield self.texts.say(
                "check_police",
                names=self._some(unknown, members, zone, "!station_km"),
                departments=self.texts.named(list(departments)),
            )

    def _unmeasured(self, zone: str, members: Sequence[str]) -> Iterable[Said]:
        """Other measures without a figure, together where the same members lack them for the same reason."""
        lacking: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for name in (entry["name"] for entry in self.config["criteria"]):
            codes = () if name in OF_POSTS else tuple(self._without(name, members))
            if codes:
                little = name in OF_ERADICATION and not self._without("eradicated_ha", codes)
                lacking.setdefault(("check_little" if little else "check_missing", codes), []).append(name)
        for (key, codes), names in lacking.items():
            yield self.texts.say(
                key,
                measures=self.texts.named([self._label(name) for name in names]),
                names=self._some(codes, members, zone, f"!{names[0]}"),
                minimum=self.ledger.told("/config/windows/minimum_eradicated_ha", FREE),
                years=self.ledger.told("/config/windows/eradication_years"),
            )

    def _partial(self, zone: str, members: Sequence[str]) -> Iterable[Said]:
        coverage = self.table.loc[list(members), "coverage"]
        partial = list(coverage.index[coverage < 1])
        condition = (f"zone={zone}", "coverage<1")
        if len(partial) > MOST_NAMED:
            least = self.ledger.least("coverage", *condition)
            yield self.texts.say("check_partial_many", count=self.ledger.count(*condition), least=least)
        elif partial:
            yield self.texts.say("check_partial", names=self._listed(partial, "coverage"))

    def _measured_from(self, zone: str, members: Sequence[str]) -> Iterable[Said]:
        """With a density layer distances are of two kinds."""
        if "station_km_from" not in self.table:
            return
        for kind in ("coca", "seat"):
            codes = [code for code in members if self.table.at[code, "station_km_from"] == kind]
            if codes:
                names = self._some(codes, members, zone, f"station_km_from={kind}")
                yield self.texts.say(f"check_from_{kind}", names=names)

    def _without(self, column: str, members: Sequence[str]) -> list[str]:
        values = self.table.loc[list(members), column]
        return list(values.index[values.isna()])

    def _some(self, codes: Sequence[str], members: Sequence[str], zone: str, condition: str) -> Said:
        """All members, or their names, or how many meet the condition."""
        if len(codes) == len(members) > 1:
            return self.texts.say("all_members")
        if len(codes) <= MOST_NAMED:
            return self._names(codes)
        return self.texts.say("some_members", count=self.ledger.count(f"zone={zone}", condition))

    def _names(self, codes: Iterable[str]) -> Said:
        return self.texts.named([str(self.table.at[code, "name"]) for code in codes])

    def _listed(self, codes: Sequence[str], column: str) -> Said:
        parts: list[Part] = []
        for code in codes:
            name, figure = Name(str(self.table.at[code, "name"])), self.ledger.cell(code, column)
            parts += [", "] if parts else []
            parts += self.texts.say("name_figure", name=name, figure=figure)
        return tuple(parts)

    def _label(self, name: str) -> str:
        [entry] = [entry for entry in self.config["criteria"] if entry["name"] == name]
        return str(entry[f"label_{self.texts.lang}"])
