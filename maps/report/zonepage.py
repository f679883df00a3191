"""What the page of a zone tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maps import publicly
from maps.export import CONTRIBUTION
from maps.report.checks import OF_POSTS, RIGHTS, Checks
from maps.report.numbers import FREE, YEAR, Ledger
from maps.report.wording import Head, Name, Said, Table, Texts

MEMBER_COLUMNS = (
    "score", "coca_ha", "coca_ha_per_km2", "coca_trend_ha_per_year", "resurgence", "farc_events", "homicide_rate",
)  # fmt: skip
FEW, SOME = 4, 6  # members
RADIUS = "/config/windows/station_radius_km"
ZONE_SUMS = ("coca_ha", "eradicated_ha", "area_km2", "population")


@dataclass(frozen=True)
class ZonePage:
    """What the page of a zone tells.

    Attributes
    ----------
    zone : str
        Its id.
    title, lead : tuple
        Its place and name, and the sentence below.
    members : tuple of str
        Codes.
    figures : tuple of pair
        What is counted, and the figure.
    table, access, history, parts : Table
        Members; their access and special rights; coca and eradication by year; what each dimension adds to the score.
    coca_said, parts_said : tuple
        What the charts show, in words.
    rights, checks : tuple of tuple
        What follows from special rights, and what to verify on the ground.
    access_said : tuple
        How many people live beyond the radius.
    """

    zone: str
    title: Said
    lead: Said
    members: tuple[str, ...]
    figures: tuple[tuple[Said, Said], ...]
    table: Table
    access: Table
    history: Table
    parts: Table
    coca_said: Said
    parts_said: Said
    rights: tuple[Said, ...]
    checks: tuple[Said, ...]
    access_said: Said

    @property
    def size(self) -> str:
        """How many members it has: ``few``, ``some`` or ``many``."""
        count = len(self.members)
        return "few" if count <= FEW else "some" if count <= SOME else "many"


class Teller:
    """Tells of the zones of a run.

    Parameters
    ----------
    ledger : Ledger
        Its figures.
    texts : Texts
        The language.
    """

    def __init__(self, ledger: Ledger, texts: Texts) -> None:
        self.ledger, self.texts = ledger, texts
        self.run = ledger.run
        self.table = self.run.folder.table
        self.config = self.run.folder.summary["config"]
        self.checks = Checks(ledger, texts)

    def zone(self, zone: str) -> ZonePage:
        """Tell of a zone.

        Parameters
        ----------
        zone : str
            Its id.

        Returns
        -------
        ZonePage
            What its page tells.
        """
        row = self.run.folder.zones.loc[zone]
        members = tuple(row["members"])
        say, figure = self.texts.say, self.ledger.zone
        return ZonePage(
            zone=zone,
            title=say("zone_title", place=figure(zone, "#"), name=Name(str(row["name"]))),
            lead=self._lead(zone, members),
            members=members,
            figures=tuple(self._figures(zone)),
            table=self._members(members),
            access=self._access(members),
            history=self._history(members),
            parts=self._parts(members),
            coca_said=self._coca_said(members),
            parts_said=self._parts_said(members),
            rights=tuple(self.checks.rights(members)),
            checks=tuple(self.checks.checks(zone, members)),
            access_said=self._access_said(zone, members),
        )

    def years(self) -> list[int]:
        """Years with coca data up to the reference year.

        Returns
        -------
        list of int
            Ascending.
        """
        known = self.ledger.wide("coca_ha").dropna(axis="columns", how="all")
        return [year for year in map(int, known.columns) if year <= self.run.year]

    def dimensions(self) -> dict[str, list[str]]:
        """The columns of ``scores.csv`` that each dimension adds to the score.

        Returns
        -------
        dict of str to list of str
            By the dimension's name; those with a measure only.
        """
        names = [entry["name"] for entry in self.config["dimensions"]]
        columns: dict[str, list[str]] = {name: [] for name in names}
        for criterion in self.config["criteria"]:
            columns[criterion["dimension"]].append(CONTRIBUTION + criterion["name"])
        return {name: found for name, found in columns.items() if found}

    def label(self, dimension: str) -> str:
        """What a dimension is called.

        Parameters
        ----------
        dimension : str
            Its name.

        Returns
        -------
        str
            Its label.
        """
        return next(
            str(entry[f"label_{self.texts.lang}"]) for entry in self.config["dimensions"] if entry["name"] == dimension
        )

    def _name(self, code: str) -> Said:
        return (Name(self._text(code)),)

    def _text(self, code: str, column: str = "name") -> str:
        return str(self.table.at[code, column])

    def _known(self, code: str, column: str) -> bool:
        return bool(self.table[column].notna()[code])

    def _rank(self, code: str) -> Said:
        low, high = self.ledger.cell(code, "rank_low"), self.ledger.cell(code, "rank_high")
        rank = self.ledger.cell(code, "rank")
        key = "rank_range" if low.value is not None and high.value is not None else "rank_alone"
        return self.texts.say(key, rank=rank, low=low, high=high)

    def _lead(self, zone: str, members: Sequence[str]) -> Said:
        lead = members[0]
        key = "zone_lead" if self._known(lead, "rank") else "zone_lead_unscored"
        return self.texts.counted(
            key,
            self.ledger.zone(zone, "members#"),
            name=Name(self._text(lead)),
            rank=self._rank(lead),
            candidates=self.ledger.told("/totals/candidates"),
            share=self.ledger.share(self.ledger.zone(zone, "coca_ha"), self.ledger.told("/totals/coca_ha")),
        )

    def _figures(self, zone: str) -> Iterable[tuple[Said, Said]]:
        say, told = self.texts.say, self.ledger.told
        years = told("/config/windows/eradication_years")
        yield say("figure_score"), (self.ledger.zone(zone, "score"),)
        for column in ZONE_SUMS:
            label = say(f"figure_{column}", years=years, year=told("/year", YEAR))
            yield label, say(f"value_{column}", value=self.ledger.zone(zone, column))
        for flag in ("high_cultivation", "vacated"):
            count = self.ledger.count(f"zone={zone}", f"{flag}=true")
            yield say(f"figure_{flag}"), say("of", part=count, whole=self.ledger.zone(zone, "members#"))

    def _members(self, members: Sequence[str]) -> Table:
        told, say = self.ledger.told, self.texts.say
        first, last = told("/config/windows/farc_first", YEAR), told("/config/windows/farc_last", YEAR)
        heads = [Head(say("head_municipality"), number=False), Head(say("head_rank"))]
        heads += [Head(say(f"head_{column}", first=first, last=last)) for column in MEMBER_COLUMNS]
        rows = [
            (self._name(code), self._rank(code), *((self.ledger.cell(code, column),) for column in MEMBER_COLUMNS))
            for code in members
        ]
        return Table("members", say("caption_members"), tuple(heads), tuple(rows))

    def _access(self, members: Sequence[str]) -> Table:
        say, radius = self.texts.say, self.ledger.told(RADIUS, FREE)
        names = (*OF_POSTS, *RIGHTS, "pdet", "etcr")
        heads = [Head(say("head_municipality"), number=False)]
        most = "_public" if publicly.is_public(self.run) else ""
        keys = {name: f"head_{name}{most if name == 'station_km' else ''}" for name in names}
        heads += [Head(say(key, radius=radius), number=name not in ("pdet", "etcr")) for name, key in keys.items()]
        rows = [
            (
                self._name(code),
                (self.ledger.cell(code, "station_km", form=FREE if most else None),),
                *((self.ledger.cell(code, column),) for column in ("people_beyond", *RIGHTS)),
                *(say("yes" if self.table.at[code, flag] else "no") for flag in ("pdet", "etcr")),
            )
            for code in members
        ]
        return Table("access", say("caption_access"), tuple(heads), tuple(rows))

    def _history(self, members: Sequence[str]) -> Table:
        years, say = self.years(), self.texts.say
        coca, eradicated = (self.ledger.yearly(members, name, years) for name in ("coca_ha", "eradicated_ha"))
        rows = [
            ((Name(str(year)),), (grown,), (pulled,))
            for year, grown, pulled in zip(years, coca, eradicated, strict=True)
        ]
        heads = (Head(say("head_year"), number=False), Head(say("head_coca_ha")), Head(say("head_eradicated_ha")))
        return Table("years", say("caption_history"), heads, tuple(rows))

    def _parts(self, members: Sequence[str]) -> Table:
        say, dimensions = self.texts.say, self.dimensions()
        heads = [Head(say("head_municipality"), number=False)]
        heads += [Head((Name(self.label(name)),)) for name in dimensions] + [Head(say("head_score"))]
        rows = [
            (
                self._name(code),
                *((self.ledger.cell(code, *columns),) for columns in dimensions.values()),
                (self.ledger.cell(code, "score"),),
            )
            for code in members
        ]
        return Table("parts", say("caption_parts"), tuple(heads), tuple(rows))

    def _coca_said(self, members: Sequence[str]) -> Said:
        years = self.years()
        coca = self.ledger.yearly(members, "coca_ha", years)
        known = [(year, figure) for year, figure in zip(years, coca, strict=True) if figure.value is not None]
        if not known:
            return self.texts.say("history_none")
        peak = max(known, key=lambda pair: pair[1].value or 0.0)
        dated = {"first": known[0], "last": known[-1], "peak": peak}
        return self.texts.say(
            "history_said",
            **{f"{name}_year": self.ledger.year(*pair) for name, pair in dated.items()},
            **{name: pair[1] for name, pair in dated.items()},
        )

    def _parts_said(self, members: Sequence[str]) -> Said:
        """Which dimension adds most to the leading member's score."""
        lead = members[0]
        sums = {name: self.ledger.cell(lead, *columns) for name, columns in self.dimensions().items()}
        known = {name: figure for name, figure in sums.items() if figure.value is not None}
        if not known:
            return self.texts.say("parts_none")
        most = max(known, key=lambda name: known[name].value or 0.0)
        return self.texts.say(
            "parts_said",
            name=Name(self._text(lead)),
            dimension=Name(self.label(most)),
            part=known[most],
            score=self.ledger.cell(lead, "score"),
        )

    def _access_said(self, zone: str, members: Sequence[str]) -> Said:
        if self.table.loc[list(members), "station_km"].isna().any():
            return ()  # said among what to verify
        beyond = self.ledger.total("people_beyond", f"zone={zone}")
        key = "access_seat" if "station_km_from" in self.table else "access_said"
        return self.texts.counted(key, beyond, radius=self.ledger.told(RADIUS, FREE))
