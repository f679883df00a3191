"""Colours that colour-blind readers can tell apart, and where they come from.

Fills are cool, so that no outline, warm or black, is ever taken for a class: this rules out the orange, red and brown
halves of the usual diverging palettes. Those of amounts can be ordered by lightness alone. All are measured under
simulated colour blindness in ``tests/maps/test_palette.py``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """An ordered set of colours.

    Parameters
    ----------
    name : str
        Name that the source gives it.
    source : str
        Who made it and tested it for colour blindness.
    colours : tuple of str
        ``#rrggbb``, from low to high.
    """

    name: str
    source: str
    colours: tuple[str, ...]

    def spread(self, classes: int) -> tuple[str, ...]:
        """Pick colours for a number of classes, evenly from the whole range.

        Parameters
        ----------
        classes : int
            At least 1 and at most as many as there are colours.

        Returns
        -------
        tuple of str
            ``#rrggbb``, from low to high; the darkest is always the last.
        """
        last = len(self.colours) - 1
        if classes == 1:
            return (self.colours[-1],)
        return tuple(self.colours[round(i * last / (classes - 1))] for i in range(classes))


COLORBREWER = "ColorBrewer 2.0, Cynthia Brewer (Apache 2.0), listed there as colour-blind safe"
OKABE_ITO = "Okabe and Ito, Color Universal Design (2008)"

SCORE = Palette("BuPu", COLORBREWER, ("#bfd3e6", "#9ebcda", "#8c96c6", "#88419d", "#4d004b"))
COCA = Palette("YlGnBu", COLORBREWER, ("#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494"))
ERADICATION = Palette("PuBuGn", COLORBREWER, ("#a6bddb", "#3690c0", "#02818a", "#016c59", "#014636"))
VIOLENCE = Palette("Purples", COLORBREWER, ("#bcbddc", "#9e9ac8", "#807dba", "#6a51a3", "#3f007d"))
PRESENCE = Palette("Blues", COLORBREWER, ("#c6dbef", "#6baed6", "#2171b5", "#08519c", "#08306b"))
RISE = Palette("purple half of PuOr", COLORBREWER, ("#b2abd2", "#8073ac", "#542788"))
FALL = Palette("greens of PRGn and BuGn", COLORBREWER, ("#a6dba0", "#41ae76", "#00441b"))
# Purples have coca, greens had it: permanent, intermittent, in blue what expands, abandoned, past, never.
PERMANENCE = Palette(
    "BuPu, PuOr, YlGnBu, Okabe-Ito, PRGn",
    f"{COLORBREWER}; {OKABE_ITO}",
    ("#4d004b", "#b2abd2", "#225ea8", "#009e73", "#a6dba0", "#f4f3f0"),
)
SPOTS = Palette("BuPu, YlGnBu", COLORBREWER, ("#88419d", "#41b6c4", "#f4f3f0"))  # hot, cold, neither
DIMENSIONS = Palette("Okabe-Ito", OKABE_ITO, ("#0072b2", "#e69f00", "#cc79a7", "#009e73", "#56b4e9", "#d55e00"))

LINES = {"vacated": "#d1480a", "zones": "#1b1b1b", "zone_band": "#ffcf33", "departments": "#5d6a72"}
POINTS = {"station": "#12303f", "substation": "#12303f", "cai": "#12303f", "etcr": "#f0b400"}
GROUND = {"absent": "#f4f3f0", "zero": "#f4f3f0", "missing": "#8a9299"}
