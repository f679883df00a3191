"""What the report tells beside its zones: the answer, the goal, the methods, the sources and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd

from geo.files import sha256
from layers.goal import PRINTED, TABLE
from layers.published import NATION
from maps.report.numbers import FREE, ONE, PERCENT, PERCENT_ONE, TWO, YEAR, Figure, Ledger
from maps.report.wording import Head, Name, Said, Table, Texts

FIRST_NAMED = 3  # zones in the answer
FIRST_SHOWN = 12  # rows of the table on the first page: as many as it has room for
DIGEST = 12  # digits of a digest that tell it from others
STATED = "stated"
# The sentences of maps/record.py; the texts have those of the same name.
FROM_CELLS = r"station_km of (?P<coca>\d+) candidates is measured from their coca by cell"
SUMS = r"of (?P<year>\d+) sums to (?P<own>[\d,]+) in .+; published: (?P<printed>[\d,]+)"
WARNINGS = {
    "warning_partial": r"(?P<count>\d+) candidates are scored on part of the measures; see coverage",
    "warning_unknown": r"(?P<count>\d+) candidates lie in departments whose police data are missing; .*",
    "warning_townless": r"(?P<count>\d+) candidates have no known town; station_km is measured from a point inside",
    "warning_from_coca": FROM_CELLS,
    "warning_from_both": rf"{FROM_CELLS}, and of (?P<seat>\d+) from the seat.*",
    "warning_coca": rf"coca_ha {SUMS}",
    "warning_eradicated": rf"eradicated_ha {SUMS}",
}


@dataclass(frozen=True)
class Cover:
    """What the first page tells."""

    date: Said
    answer: Said
    left: Said
    sure: tuple[Said, ...]
    totals: tuple[tuple[Said, Said], ...]
    table: Table
    more: Said


class Facts:
    """Tells of a run what concerns the country.

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
        self.table, self.summary = self.run.folder.table, self.run.folder.summary

    # ---- The first page ----

    def cover(self) -> Cover:
        """The question and the answer.

        Returns
        -------
        Cover
            What the first page tells.
        """
        zones, told = self.run.folder.zones, self.ledger.told
        return Cover(
            date=self.texts.say("date", year=told("/year", YEAR)),
            answer=self._answer(),
            left=self.texts.say(
                "left",
                both=told("/totals/high_cultivation_vacated"),
                high=told("/totals/high_cultivation"),
                share=told("/config/candidates/high_share", PERCENT),
                year=told("/year", YEAR),
            ),
            sure=tuple(self._sure()),
            totals=tuple(self._totals()),
            table=self._first_zones(),
            more=self.texts.say("more") if len(zones) > FIRST_SHOWN else (),
        )

    def _answer(self) -> Said:
        zones, sums = self.run.folder.zones, self.ledger.zones
        if not len(zones):
            return self.texts.say("answer_none")
        leads = [members[0] for members in zones["members"].iloc[:FIRST_NAMED]]
        rows = self.table.loc[leads, ["name", "department"]]
        named = [f"{name} ({department})" for name, department in rows.itertuples(index=False)]
        return self.texts.counted(
            "answer",
            self.ledger.told("/totals/zones"),
            first=self.texts.named(named),
            members=sums("members#"),
            population=sums("population"),
            coca_ha=sums("coca_ha"),
            share=self.ledger.share(sums("coca_ha"), self.ledger.told("/totals/coca_ha")),
        )

    def _sure(self) -> Iterable[Said]:
        told, say = self.ledger.told, self.texts.say
        top = told("/robustness/top")
        ways = self.ledger.over("count", "/robustness/ways")
        yield say("sure_methods", shared=told("/robustness/shared_top"), top=top, ways=ways)
        width = told("/robustness/median_rank_width/all", ONE)
        if width.value is None:
            yield say("sure_no_draws")
        else:
            level = self.ledger.constant("LEVEL", PERCENT)
            yield say("sure_width", top=top, width=width, level=level, draws=told("/draws"))
            yield say("sure_top", count=self._often(), top=top)
        yield say("sure_least")

    def _often(self) -> Figure:
        """How many of the zones' members are among the first in fewer than half of the draws."""
        return self.ledger.count("zone", "top_share<0.5")

    def _totals(self) -> Iterable[tuple[Said, Said]]:
        told, say = self.ledger.told, self.texts.say
        year = told("/year", YEAR)
        for name in ("coca_ha", "eradicated_ha_in_year"):
            yield say(f"total_{name}", year=year), say("value_coca_ha", value=told(f"/totals/{name}"))
            published = told(f"/totals/{name}_published")
            if published.value is not None:
                yield say("total_published", year=year), say("value_coca_ha", value=published)
        minimum = told("/config/candidates/minimum_coca_ha", FREE)
        for name in ("candidates", "zones"):
            yield say(f"total_{name}", minimum=minimum), (told(f"/totals/{name}"),)

    def _first_zones(self) -> Table:
        say, zone, frame = self.texts.say, self.ledger.zone, self.run.folder.zones
        heads = [Head(say("head_place")), Head(say("head_zone"), number=False)]
        columns = ("score", "range", "members", "coca_ha", "population")
        heads += [Head(say(f"head_zone_{column}")) for column in columns]
        rows = [
            (
                (zone(label, "#"),),
                (Name(str(frame["name"][label])),),
                (zone(label, "score"),),
                self._range(frame["members"][label][0]),
                (zone(label, "members#"),),
                (zone(label, "coca_ha"),),
                (zone(label, "population"),),
            )
            for label in map(str, frame.index[:FIRST_SHOWN])
        ]
        return Table("zones", say("caption_zones"), tuple(heads), tuple(rows))

    def _range(self, code: str) -> Said:
        low, high = self.ledger.cell(code, "rank_low"), self.ledger.cell(code, "rank_high")
        return self.texts.say("range", low=low, high=high) if low.value is not None else (low,)

    # ---- The goal ----

    def goal(self) -> dict[str, Any]:
        """How far the goal of 2018 is.

        Returns
        -------
        dict
            ``said``: sentences; ``table``: nation and departments, None where the goal's baseline is not known.
        """
        told, say = self.ledger.told, self.texts.say
        terms = {"share": told("/goal/share", PERCENT)} | {
            name: told(f"/goal/{name}", YEAR) for name in ("baseline", "target")
        }
        if self.run.year < int(self.summary["goal"]["baseline"]):
            return {"said": [say("goal_terms", **terms), say("goal_before", year=told("/year", YEAR))], "table": None}
        series = [name for name in (TABLE, PRINTED) if (name, NATION) in self.ledger.goals.index]
        sentences = [say("goal_terms", **terms), *(self._nation(name) for name in series)]
        if not series:
            return {"said": [say("goal_terms", **terms), say("goal_none", **terms)], "table": None}
        return {"said": [*sentences, say("goal_path", **terms)], "table": self._departments(series)}

    def _nation(self, series: str) -> Said:
        said = {name: self.ledger.goal(series, NATION, name) for name in ("baseline_ha", "coca_ha", "goal_ha")}
        on = bool(self.ledger.goals.at[(series, NATION), "on_path"])
        return self.texts.say(
            "goal_on" if on else "goal_off",
            series=self.texts.of("series", series),
            year=self.ledger.told("/year", YEAR),
            baseline=self.ledger.told("/goal/baseline", YEAR),
            progress=self.ledger.goal(series, NATION, "progress"),
            path_ha=self.ledger.goal(series, NATION, "path_ha"),
            **said,
        )

    def _departments(self, series: list[str]) -> Table:
        told, say = self.ledger.told, self.texts.say
        goals = self.ledger.goals
        places = [(name, NATION) for name in series]
        below = goals[goals.index.get_level_values("place").str.len() == len(NATION)].drop(places)
        below = below[(below["baseline_ha"] > 0) | (below["coca_ha"] > 0)]
        columns = ("baseline_ha", "coca_ha", "change_ha", "goal_ha", "progress")
        terms = {
            "year": told("/year", YEAR),
            "baseline": told("/goal/baseline", YEAR),
            "target": told("/goal/target", YEAR),
        }
        heads = [Head(say("head_department"), number=False), *(Head(say(f"head_goal_{c}", **terms)) for c in columns)]
        heads.append(Head(say("head_goal_on_path"), number=False))
        rows = [
            (
                self._place(name, place),
                *((self.ledger.goal(name, place, column),) for column in columns),
                self._flag(goals.at[(name, place), "on_path"]),
            )
            for name, place in [*places, *below.index]
        ]
        return Table("goal", say("caption_goal"), tuple(heads), tuple(rows))

    def _place(self, series: str, place: str) -> Said:
        name = Name(str(self.ledger.goals.at[(series, place), "name"]))
        return (name, f" ({self.texts.of('series', series)})") if place == NATION else (name,)

    def _flag(self, value: Any) -> Said:
        return (Figure(None, "", ""),) if pd.isna(value) else self.texts.say("yes" if value else "no")

    # ---- Methods ----

    def methods(self) -> dict[str, Any]:
        """How the score is made.

        Returns
        -------
        dict
            ``said``: sentences; ``table``: measures and weights; ``doubt``: how sure ranks are.
        """
        told, scoring, year = self.ledger.told, self.summary["scoring"], self.ledger.told("/year", YEAR)
        config = self.summary["config"]
        rescale = config["scoring"]["rescale"]
        say, of = self.texts.say, self.texts.of
        sentences = [
            say("method_candidates", minimum=told("/config/candidates/minimum_coca_ha", FREE), year=year),
            say(
                "method_score",
                method=of("methods", scoring["method"]),
                weighting=of("weightings", scoring["weighting"]),
            ),
            say("method_rescale" if rescale == STATED else "method_rescale_all", rescale=of("rescalings", rescale)),
            say("method_missing"),
            say(
                "method_zones",
                share=told("/config/candidates/priority_share", PERCENT),
                **{limit: told(f"/config/zones/max_{limit}") for limit in ("members", "area_km2", "population")},
            ),
            say(
                "method_left",
                high=told("/config/candidates/high_share", PERCENT),
                events=told("/config/windows/vacated_events"),
                first=told("/config/windows/farc_first", YEAR),
                last=told("/config/windows/farc_last", YEAR),
            ),
        ]
        return {"said": sentences, "table": self._weights(), "doubt": list(self._doubt())}

    def _weights(self) -> Table:
        say, told, lang = self.texts.say, self.ledger.told, self.texts.lang
        config = self.summary["config"]
        labels = {entry["name"]: entry[f"label_{lang}"] for entry in config["dimensions"]}
        windows = {
            name: told(f"/config/windows/{name}", YEAR if name.startswith("farc") else FREE)
            for name in config["windows"]
        }
        rows = [
            (
                (Name(entry[f"label_{lang}"]),),
                (Name(labels.get(entry["dimension"], entry["dimension"])),),
                (told(f"/scoring/weights/{entry['name']}", PERCENT_ONE),),
                say(f"measure_{entry['name']}", **windows) if f"measure_{entry['name']}" in self.texts.known else (),
                (Name(entry[f"unit_{lang}"]),),
            )
            for entry in config["criteria"]
        ]
        heads = [
            Head(say(f"head_method_{name}"), number=name == "weight")
            for name in ("measure", "dimension", "weight", "what", "unit")
        ]
        return Table("weights", say("caption_weights"), tuple(heads), tuple(rows))

    def _doubt(self) -> Iterable[Said]:
        told, say, of = self.ledger.told, self.texts.say, self.texts.of
        doubt = self.summary["config"]["uncertainty"]
        names = {
            table: self.texts.named([of(table, name) for name in doubt[table]]) for table in ("methods", "rescalings")
        }
        yield say(
            "doubt_draws",
            draws=told("/draws"),
            error=told("/config/uncertainty/coca_error", PERCENT),
            concentration=told("/config/uncertainty/weight_concentration", FREE),
            **names,
        )
        widths = {name: told(f"/robustness/median_rank_width/{name}", ONE) for name in ("weights", "survey", "method")}
        if widths["method"].value is not None:
            yield say("doubt_widths", top=told("/robustness/top"), **widths)
        yield say("doubt_kendall", least=self.ledger.over("min", "/robustness/kendall", TWO))
        yield say("doubt_reversed", pairs=told("/robustness/reversed_pairs"))
        yield say("doubt_error")

    # ---- Sources, and what is missing ----

    def sources(self) -> Table:
        """Every input with its credit.

        Returns
        -------
        Table
            A row an input.
        """
        say = self.texts.say
        names = ("source", "publisher", "vintage", "licence", "file", "digest")
        heads = [Head(say(f"head_{name}"), number=False) for name in names]
        rows = [self._source(name, entry) for name, entry in self.summary["inputs"].items()]
        return Table("sources", say("caption_sources"), tuple(heads), tuple(rows))

    def _source(self, name: str, entry: Mapping[str, Any]) -> tuple[Said, ...]:
        file = PurePath(str(entry["file"]).replace("\\", "/")).name
        title = entry.get("title") or self.texts.of("inputs", name)
        credit = [self.texts.of("credits", str(entry.get(key) or "")) for key in ("publisher", "vintage", "licence")]
        whose = "file_bundled" if entry["bundled"] else "file_own"
        return (
            (Name(str(title)),),
            *(((Name(text),) if text else (Figure(None, "", ""),)) for text in credit),
            self.texts.say(whose, file=Name(file)),
            (Name(str(entry["sha256"])[:DIGEST]),),
        )

    def missing(self) -> dict[str, Any]:
        """What the run does not know.

        Returns
        -------
        dict
            ``table``: how many candidates lack each measure; ``said``: sentences; ``quoted``: warnings of the run for
            which there is no sentence in this language, in English.
        """
        told = [self._warning(number, text) for number, text in enumerate(self.summary["warnings"])]
        sentences = [said for said in told if said is not None]
        untold = [text for text, said in zip(self.summary["warnings"], told, strict=True) if said is None]
        return {
            "table": self._lacking(),
            "said": [*self._unreported(), *sentences, *self._edited(), self.texts.say("missing_standing")],
            "quoted": [(Name(text),) for text in untold],
        }

    def _lacking(self) -> Table:
        say, lang = self.texts.say, self.texts.lang
        entries = self.summary["config"]["criteria"]
        candidates = self.ledger.told("/totals/candidates")
        rows = [
            (
                (Name(entry[f"label_{lang}"]),),
                (missing := self.ledger.count("score", f"!{entry['name']}"),),
                (self.ledger.share(missing, candidates),),
            )
            for entry in entries
        ]
        heads = (Head(say("head_measure"), number=False), Head(say("head_lacking")), Head(say("head_lacking_share")))
        return Table("lacking", say("caption_lacking", candidates=candidates), heads, tuple(rows))

    def _unreported(self) -> Iterable[Said]:
        places = self.run.panel.places
        codes = self.run.inputs.unreported
        if not codes:
            return
        names = places.drop_duplicates("department_code").set_index("department_code")["department"]
        yield self.texts.say("missing_police", names=self.texts.named([str(names[code]) for code in codes]))

    def _warning(self, number: int, text: str) -> Said | None:
        """A warning of the run in this language, its figures as they stand in it."""
        for key, pattern in WARNINGS.items():
            found = re.fullmatch(pattern, text)
            if found:
                of = f"run.json#/warnings/{number}"
                values = {
                    name: self.ledger.figure(float(value.replace(",", "")), of, YEAR if name == "year" else FREE)
                    for name, value in found.groupdict().items()
                }
                return self.texts.say(key, **values)
        return None

    def _edited(self) -> Iterable[Said]:
        edited = self.run.folder.edited
        if edited:
            yield self.texts.say("missing_edited", files=self.texts.named(edited))

    # ---- Proper use, and which run it is ----

    def identity(self) -> dict[str, Any]:
        """Which run it is.

        Returns
        -------
        dict
            ``run``: the digest of ``run.json``; ``versions``: names and versions.
        """
        return {
            "run": Name(sha256(self.run.folder.folder / "run.json")),
            "versions": Name(", ".join(f"{name} {version}" for name, version in self.summary["versions"].items())),
        }
