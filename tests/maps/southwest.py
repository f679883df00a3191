"""A small run: Cauca and Nariño from a planner's own boundaries, with an enclave, in two seconds."""

from __future__ import annotations

import json
from pathlib import Path

from geo.files import sha256
from layers import boundaries
from maps import export, run
from maps.inputs import Settings
from maps.opened import Opened, open_run

DEPARTMENTS = ("19", "52")
OWN = "carpeta-del-comandante"  # the folder of the planner's file
ENCLAVE = {
    "enclave": "E001",
    "name": "Argelia",
    "department": "Cauca",
    "municipalities": ["19050"],
    "coca_ha": 900.5,
    "national_share": 0.006,
    "area_km2": 90.0,
    "cells": 90,
    "years_with_coca": 8.5,
    "years_known": 10,
    "station_km": 17.318274,
    "reserve_share": None,
    "council_share": 0.25,
    "park_share": 0.0,
}
CORNERS = [[-77.2, 2.2], [-77.1, 2.2], [-77.1, 2.3], [-77.2, 2.2]]


def opened(folder: Path, *, draws: int = 0) -> Opened:
    """Make the run and open it.

    Parameters
    ----------
    folder : Path
        An empty folder, in which the run folder is ``run``.
    draws : int, default 0
        Of the rank spread.

    Returns
    -------
    Opened
        The run of 2020.
    """
    towns = boundaries.load().frame
    own = towns[towns["department_code"].isin(DEPARTMENTS)].reset_index()[["code", "name", "department", "geometry"]]
    file = folder / OWN / "limites.geojson"
    file.parent.mkdir()
    own.to_file(file, driver="GeoJSON")
    run.run(Settings(year=2020, draws=draws, boundaries=file, drop_unmatched=True, out=folder / "run"))
    feature = {"type": "Feature", "properties": ENCLAVE, "geometry": {"type": "Polygon", "coordinates": [CORNERS]}}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (folder / "run" / "enclaves.geojson").write_text(text, encoding="utf-8")
    export.write_json({"run": sha256(folder / "run" / "run.json"), "finer": False}, folder / "run" / "density.json")
    return open_run(folder / "run")
