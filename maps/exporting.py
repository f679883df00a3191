"""One export: which datasets of a run, which rows, how fine, in which formats, and where to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo import coverage
from geo.crs import to_storage
from geo.errors import ConfigError, listed
from geo.files import replacing
from maps import bundle, exportable, publicly, runfolder, selection
from maps.formats import qgis
from maps.formats.dataset import SEPARATOR, Dataset, Lang, dataset
from maps.formats.registry import FORMATS, Format
from maps.opened import Opened, open_run

DEFAULT_WHAT, DEFAULT_FORMATS = ("municipalities", "zones"), ("gpkg",)
EVERYTHING = "all"
STEPS = ("reading the run", "choosing", "writing")
UNSTYLED = frozenset({"geojson", "geojsonl", "parquet", "fgb"})  # QGIS reads their style from a file beside them
UNTOLD = UNSTYLED | {"csv"}  # and so what they are, and what to keep in mind
MEMBERS = ("members", "municipalities")  # columns that list codes


@dataclass(frozen=True)
class Request:
    """What a planner asks for.

    Attributes
    ----------
    run : Path
        The run folder.
    what : tuple of str
        Datasets; ``all`` is all that the run has. If empty, municipalities and zones, and changes where they are at
        hand; in a bundle all.
    formats : tuple of str
        Of :data:`maps.formats.registry.FORMATS`; a GeoPackage if empty.
    out : Path, optional
        The folder to write to; ``export`` in the run folder if not given, ``export-public`` of the public variant, so
        that no police post lies among what may be published.
    lang : {"es", "en"}, optional
        Language of aliases and notes; that of the run if not given.
    select : tuple of str
        Conditions on municipalities, all of which are met.
    simplify_m : float
        Tolerance of simplification in metres; 0 leaves borders as they are.
    changes : Path, optional
        A folder of ``scripts/compare.py``.
    public : bool
        Whether to leave out what locates police posts and sites.
    to : str, optional
        A PostGIS database that takes the place of files.
    bundle : bool
        Whether to write one zip with everything.
    """

    run: Path
    what: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    out: Path | None = None
    lang: Lang | None = None
    select: tuple[str, ...] = ()
    simplify_m: float = 0.0
    changes: Path | None = None
    public: bool = False
    to: str | None = None
    bundle: bool = False

    @property
    def folder(self) -> Path:
        """The folder to write to."""
        return self.out or self.run / ("export-public" if self.public else "export")


@dataclass(frozen=True)
class Prepared:
    """A run opened, and the datasets that were asked of it.

    Attributes
    ----------
    run : Opened
        The run.
    found : dict of str to Dataset
        By name: chosen rows, simplified, public where that was asked.
    lang : {"es", "en"}
        Language of aliases and notes.
    """

    run: Opened
    found: dict[str, Dataset]
    lang: Lang


def parted(names: Iterable[str]) -> tuple[str, ...]:
    """Names as a planner writes them, several parted by commas.

    Parameters
    ----------
    names : iterable of str
        Such as ``zones,panel``.

    Returns
    -------
    tuple of str
        Each once.
    """
    return tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))


def export(request: Request, *, step: Callable[[str], None] = lambda _: None) -> list[str]:
    """Write datasets of a run: to files, a database, or a bundle.

    Parameters
    ----------
    request : Request
        What is asked for.
    step : callable, optional
        Told each of :data:`STEPS` as it begins, for a progress bar.

    Returns
    -------
    list of str
        What was written, a line each.

    Raises
    ------
    PresenciaError
        If options contradict each other, the run cannot be read, a name or condition is unknown, a format cannot hold
        a dataset, or the output cannot be written; what an earlier export left is untouched then.
    """
    _check(request)
    formats = [_format(name) for name in request.formats or DEFAULT_FORMATS]
    step("reading the run")
    run = open_run(request.run, changes=request.changes)
    if request.public:
        _check_shareable(run, request)
    with publicly.opened(run) if request.public else nullcontext(run) as shown:
        prepared = prepare(shown, request, step=step)
        step("writing")
        return _deliver(prepared, request, formats)


def prepare(run: Opened, request: Request, *, step: Callable[[str], None] = lambda _: None) -> Prepared:
    """Read, choose and simplify what is asked of a run.

    Parameters
    ----------
    run : Opened
        The run, or its public variant.
    request : Request
        What is asked for.
    step : callable, optional
        Told ``choosing`` as that begins.

    Returns
    -------
    Prepared
        Ready to be written.

    Raises
    ------
    PresenciaError
        If a name or condition is unknown, or a file of the run cannot be read.
    """
    terms = [selection.parse(text) for text in request.select]
    lang: Lang = request.lang or ("en" if run.folder.summary["lang"] == "en" else "es")
    found = exportable.read(run, _wanted(run, request))
    step("choosing")
    if terms:
        codes = selection.chosen(run.folder.table, terms)
        note = exportable.caveat("selected", terms=", ".join(request.select))
        found = {name: exportable.noted(narrowed(data, codes), note) for name, data in found.items()}
    if request.simplify_m:
        towns = simplified(run, request.simplify_m)
        note = exportable.caveat("simplified", metres=f"{request.simplify_m:g}")
        found = {name: exportable.noted(redrawn(data, towns, request.simplify_m), note) for name, data in found.items()}
    return Prepared(run, publicly.datasets(found) if request.public else found, lang)


def narrowed(data: Dataset, codes: pd.Index) -> Dataset:
    """A dataset with the rows of some municipalities alone.

    Parameters
    ----------
    data : Dataset
        Any.
    codes : Index
        Municipalities.

    Returns
    -------
    Dataset
        Rows with such a ``code``; zones and enclaves whole where any of their municipalities is among them.
    """
    frame, known = data.frame, set(codes)
    lists = next((name for name in MEMBERS if name in frame), None)
    if lists:
        kept = [not known.isdisjoint((text or "").split(SEPARATOR)) for text in frame[lists]]
    else:
        kept = frame["code"].isin(codes).tolist()
    return replace(data, frame=frame[kept].reset_index(drop=True), whole=data.table)


def simplified(run: Opened, tolerance_m: float) -> gpd.GeoSeries:
    """The municipalities with simpler borders, which neighbours still share.

    Parameters
    ----------
    run : Opened
        The run.
    tolerance_m : float
        As :func:`geo.coverage.simplify` takes it.

    Returns
    -------
    GeoSeries
        By code, in EPSG:4326.
    """
    return _simpler(gpd.GeoDataFrame(geometry=run.folder.shapes), tolerance_m)


def redrawn(data: Dataset, towns: gpd.GeoSeries, tolerance_m: float) -> Dataset:
    """A dataset with simpler borders.

    Parameters
    ----------
    data : Dataset
        Any.
    towns : GeoSeries
        Simplified municipalities by code, from which municipalities and zones are drawn, so that their borders match.
    tolerance_m : float
        For polygons that are no municipalities.

    Returns
    -------
    Dataset
        Points, and rows without shapes, as they were.
    """
    shapes = data.shapes
    if shapes is None or not set(shapes.geom_type) <= {"Polygon", "MultiPolygon"}:
        return data
    if "members" in shapes:
        drawn = shapes["members"].map(lambda text: shapely.coverage_union_all(towns[text.split(SEPARATOR)].to_numpy()))
    elif data.key == ("code",):
        drawn = shapes["code"].map(towns).where(shapes["code"].isin(towns.index), shapes.geometry)
    else:
        drawn = _simpler(shapes, tolerance_m)
    frame = gpd.GeoDataFrame(data.table, geometry=list(drawn), crs=shapes.crs)
    made = dataset(data.name, frame, data.fields, key=data.key, about=data.about)
    return replace(made, whole=data.whole)


def _simpler(shapes: gpd.GeoDataFrame, tolerance_m: float) -> gpd.GeoSeries:
    return to_storage(coverage.simplify(shapes, tolerance_m=tolerance_m).geometry)


def _check(request: Request) -> None:
    """Refuse options that take each other's meaning."""
    given = {"--to": request.to is not None, "--bundle": request.bundle, "--format": bool(request.formats)}
    several = [name for name, here in given.items() if here]
    if len(several) > 1:
        raise ConfigError(f"an export goes to files, a database or a bundle; found {listed(several)}: leave one")
    private = [name for name in request.what if name in publicly.LEFT_OUT]
    if request.public and private:
        raise ConfigError(f"--public leaves out {listed(private)}, which would locate posts: do not name them with it")


def _check_shareable(run: Opened, request: Request) -> None:
    """Ask the run itself for what it lacks, so that no message names the folder of its public variant."""
    exportable.read(run, [name for name in request.what if name not in (EVERYTHING, *exportable.names(run))])
    if "enclaves" in request.what and exportable.finer(run):
        raise ConfigError(
            "--public leaves out enclaves of cells of less than 1 km, which show single fields: do not name them with "
            "it, or run scripts/density.py without --finer-than-1-km"
        )


def _wanted(run: Opened, request: Request) -> list[str]:
    compared = () if request.changes is None else ("changes",)
    what = request.what or ((EVERYTHING,) if request.bundle else (*DEFAULT_WHAT, *compared))
    every = exportable.names(run) if EVERYTHING in what else []
    named = dict.fromkeys([*every, *(name for name in what if name != EVERYTHING)])
    return [name for name in named if not (request.public and name in publicly.LEFT_OUT)]


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ConfigError(
            f"--format must be one of {listed(list(FORMATS), most=len(FORMATS))}; found {name!r}: name one of these"
        )
    return FORMATS[name]


def _deliver(prepared: Prepared, request: Request, formats: Sequence[Format]) -> list[str]:
    if request.to is not None:
        return _to_database(prepared, request.to)
    if request.bundle:
        return [
            _told(bundle.write(prepared.run, request.folder, prepared.found, lang=prepared.lang, public=request.public))
        ]
    return [_told(file) for file in _to_files(prepared, request, formats)]


def _to_database(prepared: Prepared, url: str) -> list[str]:
    from maps.formats import postgis

    return [f"Table: {table}" for table in postgis.write(list(prepared.found.values()), url, lang=prepared.lang)]


def _to_files(prepared: Prepared, request: Request, formats: Sequence[Format]) -> list[Path]:
    out = request.folder
    with replacing(out) as folder:
        for each in formats:
            _write(prepared, each, folder, fitting=EVERYTHING in request.what)
        _write_beside(prepared, {each.name for each in formats}, folder)
        written = [out / file.name for file in sorted(folder.iterdir())]
        for target in written:
            runfolder.refuse_own(request.run, target)
    return written


def _told(file: Path) -> str:
    return f"File: {file} ({max(file.stat().st_size / 1e3, 1):,.0f} kB)"


def _write(prepared: Prepared, each: Format, folder: Path, *, fitting: bool) -> None:
    """Write every dataset in a format; who asks for all gets those that it can hold."""
    found = [data for data in prepared.found.values() if not (fitting and each.shapes and data.shapes is None)]
    if each.many:
        name = found[0].name if len(found) == 1 else f"presencia-{prepared.run.year}"
        each.write(found, folder / f"{name}{each.suffix}", lang=prepared.lang)
        return
    for data in found:
        each.write([data], folder / f"{data.name}{each.suffix}", lang=prepared.lang)


def _write_beside(prepared: Prepared, formats: Set[str], folder: Path) -> None:
    stems = {file.stem for file in folder.iterdir()}
    for data in prepared.found.values():
        if data.name not in stems:  # no format that was asked for holds it
            continue
        if formats & UNSTYLED:
            qgis.write_qml(data, folder / data.name, lang=prepared.lang)
        if formats & UNTOLD:
            qgis.write_qmd(data, folder / data.name, lang=prepared.lang)
