"""The report's drawings as images that stand in the page itself, each with its facts in words."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from layers import goal, published
from layers.published import NATION
from maps import legend, publicly
from maps.report import charts, drawings
from maps.report.numbers import Ledger
from maps.report.wording import Said, Texts

if TYPE_CHECKING:
    from maps.report.ground import Ground
    from maps.report.zonepage import Teller, ZonePage


# As report.css has them on paper, so that letters keep their size; of local maps less where tables are longer.
SIZES_MM = {"few": (112.0, 86.0), "some": (96.0, 78.0), "many": (86.0, 71.0)}
CHART_MM, GOAL_MM = (89.5, 46.0), (184.0, 66.0)


@dataclass(frozen=True)
class Picture:
    """A drawing in the page.

    Attributes
    ----------
    address : str
        ``data:`` address of an SVG document.
    alt : str
        What it shows, in words.
    """

    address: str
    alt: str


class Pictures:
    """Draws what the report shows.

    Parameters
    ----------
    ledger : Ledger
        Figures of the run.
    texts : Texts
        The language.
    teller : Teller
        What the zones' pages tell.
    """

    def __init__(self, ledger: Ledger, texts: Texts, teller: Teller) -> None:
        self.ledger, self.texts, self.teller = ledger, texts, teller
        self.run, self.lang = ledger.run, ledger.lang
        self.table = self.run.folder.table
        self.scale = legend.score(self.table["score"])
        self.unmeasured = self.table.index[self.table["coca_ha"].isna()]
        self.scored = set(self.table["score"].dropna().index)

    @cached_property
    def ground(self) -> Ground:
        """What drawings are made of."""
        return drawings.ground(self.run.panel.places)

    def country(self) -> Picture:
        """The country with the first zones.

        Returns
        -------
        Picture
            By municipality and score.
        """
        zones = self.run.folder.zones
        left = self.table.index[self.table["high_cultivation"] & self.table["vacated"]]
        unmeasured = self.table.index[self.table["coca_ha"].isna()]
        drawn = drawings.country(
            self.ground,
            self.table["score"],
            self.scale,
            outlined=left,
            zones=zones,
            unmeasured=unmeasured,
            lang=self.lang,
        )
        listed = "; ".join(f"{number} {name}" for number, name in enumerate(zones["name"], start=1))
        return self._picture(drawn, self.texts.plain(self.texts.say("map_alt", zones=listed)))

    def zone(self, page: ZonePage) -> Picture:
        """A zone and its neighbours.

        Parameters
        ----------
        page : ZonePage
            The zone.

        Returns
        -------
        Picture
            With the police posts, unless the run is public.
        """
        posts = None if publicly.is_public(self.run) else self.run.inputs.posts.frame
        size = SIZES_MM[page.size]
        drawn = drawings.zone(
            self.ground,
            self.table["score"],
            self.scale,
            members=list(page.members),
            posts=posts,
            lang=self.lang,
            size_mm=size,
            unmeasured=self.unmeasured,
        )
        name = str(self.run.folder.zones["name"][page.zone])
        members = ", ".join(self.table.loc[list(page.members), "name"])
        return self._picture(drawn, self.texts.plain(self.texts.say("zone_map_alt", name=name, members=members)))

    def history(self, page: ZonePage) -> Picture:
        """Coca and eradication of a zone by year.

        Parameters
        ----------
        page : ZonePage
            The zone.

        Returns
        -------
        Picture
            Up to the reference year.
        """
        years = self.teller.years()
        coca, eradicated = (
            self.ledger.wide(name).loc[list(page.members), years].sum(skipna=False)
            for name in ("coca_ha", "eradicated_ha")
        )
        return self._told(
            charts.history(coca, eradicated, lang=self.lang, size_mm=CHART_MM), "history_alt", page.coca_said
        )

    def contributions(self, page: ZonePage) -> Picture | None:
        """What each dimension adds to the members' scores.

        Parameters
        ----------
        page : ZonePage
            The zone.

        Returns
        -------
        Picture or None
            None where no member has a score.
        """
        dimensions = self.teller.dimensions()
        scored = [code for code in page.members if code in self.scored]
        if not scored:
            return None
        sums = {name: self.table.loc[scored, columns].sum(axis=1, min_count=1) for name, columns in dimensions.items()}
        labels = {name: self.teller.label(name) for name in dimensions}
        drawn = charts.contributions(
            pd.DataFrame(sums),
            {code: str(self.table["name"][code]) for code in scored},
            labels,
            lang=self.lang,
            width_mm=CHART_MM[0],
        )
        return self._told(drawn, "parts_alt", page.parts_said)

    def goal(self) -> Picture:
        """The country's coca and the goal.

        Returns
        -------
        Picture
            All years there are.
        """
        coca = self.ledger.wide("coca_ha").dropna(axis="columns", how="all").sum(skipna=False)
        printed = published.published().loc["coca_ha"].xs(NATION, level="place")
        drawn = charts.goal(coca, printed, goal.aim_of(self.run.zoning), lang=self.lang, size_mm=GOAL_MM)
        return self._picture(drawn, self.texts["goal_alt"])

    def _told(self, drawn: str, key: str, said: Said) -> Picture:
        return self._picture(drawn, f"{self.texts[key]} {self.texts.plain(said)}")

    def _picture(self, drawn: str, alt: str) -> Picture:
        return Picture("data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode("ascii"), alt)
