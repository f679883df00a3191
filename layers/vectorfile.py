"""Shapes as they stand in their file: opened by what the file is, never by what it might refer to."""

from __future__ import annotations

import json
import lzma
import mmap
import re
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PurePosixPath

import geopandas as gpd
import pandas as pd
import pyarrow
import pyogrio
import pyproj.exceptions
import shapely

from geo.crs import STORAGE
from geo.errors import SourceError, listed

# Each suffix and how such a file begins. GDAL goes by content, and a virtual file in disguise could name any address.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\0\0\x27\x0a",),
    ".fgb": (b"fgb",),
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".topojson": (b"{",),
    ".parquet": (b"PAR1",),
    ".geoparquet": (b"PAR1",),
}
JSON = frozenset({".geojson", ".json", ".topojson"})
PARQUET = frozenset({".parquet", ".geoparquet"})
BOM = b"\xef\xbb\xbf"
ARCHIVE, DATABASE = ".zip", ".gdb"
TOPOLOGY = '"Topology"'
POLYGON = "Polygon"
# An old "crs" member, spelt with or without escapes; GDAL would ask the address that a linked one names.
CRS_MEMBER = re.compile(rb'"(?:[cC]|\\u00[46]3)(?:[rR]|\\u00[57]2)(?:[sS]|\\u00[57]3)"\s*:\s*(?=\{)')
LONGEST_CRS = 10_000  # bytes
CLUTTER = re.compile(r"^(?:__MACOSX$|\.)")  # folders and files that a Mac puts into archives
# MGN at full detail is 300 MB unpacked.
LARGEST = 1024**3
BOMB_RATIO, BOMB_BYTES = 60, 64 * 1024**2
MALFORMED = (
    OSError, ValueError, RuntimeError, TypeError, AttributeError, LookupError, MemoryError, OverflowError,
    EOFError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
    pyarrow.ArrowException, shapely.errors.ShapelyError, pyproj.exceptions.ProjError,
)  # fmt: skip


def read_shapes(
    path: Path, *, wanted: Callable[[pd.DataFrame], bool] = lambda _: True, kind: str = ""
) -> gpd.GeoDataFrame:
    """Read a file's shapes and their attributes.

    Parameters
    ----------
    path : Path
        GeoPackage, shapefile, GeoJSON, TopoJSON, GeoParquet, FlatGeobuf or a file geodatabase; also one of them zipped.
        GeoJSON and TopoJSON that state no CRS are in EPSG:4326, as their standards say.
    wanted : callable, optional
        Told the attributes of each layer of a file that has several, or of each file of an archive; the first layer is
        read for which it answers yes, or the first of all.
    kind : str, optional
        What a layer's geometry type must contain, such as ``Polygon``, to be looked at before the others.

    Returns
    -------
    GeoDataFrame
        All rows, in the CRS that the file states, if it states one; coordinates in two dimensions.

    Raises
    ------
    SourceError
        If the file is missing, of another format, unreadable, without shapes, or a trap.
    """
    if not path.exists():
        raise SourceError(f"{path} must be a vector file and is not there; check the path")
    try:
        with _plain(path, wanted) as plain, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on files that are then read, or refused by us
            _refuse_disguise(plain)
            frame = _read(plain, wanted, kind)
    except SourceError:
        raise
    except MALFORMED as cause:
        said = " ".join(str(cause).split())[:200] or type(cause).__name__
        raise SourceError(f"{path} must be a readable vector file: {said}; export it again") from cause
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(f"{path} must hold shapes and holds a plain table; give the file with the polygons")
    return frame.set_geometry(gpd.GeoSeries(shapely.force_2d(frame.geometry.to_numpy()), frame.index, crs=frame.crs))


def _read(path: Path, wanted: Callable[[pd.DataFrame], bool], kind: str) -> pd.DataFrame:
    if path.suffix.lower() in PARQUET:
        return gpd.read_parquet(path)
    source = _source(path)
    frame: pd.DataFrame = pyogrio.read_dataframe(source, layer=_layer(source, path, wanted, kind))
    if isinstance(frame, gpd.GeoDataFrame) and frame.crs is None and source.startswith("TopoJSON:"):
        return frame.set_crs(STORAGE)
    return frame


def _source(path: Path) -> str:
    """What GDAL is told to open: JSON by one driver, for others would run the commands that a file may hold."""
    if path.suffix.lower() not in JSON:
        return str(path)
    driver = "TopoJSON" if TOPOLOGY in _head(path, 4096).decode("utf-8", "replace") else "GeoJSON"
    return f"{driver}:{path}"


def _layer(source: str, path: Path, wanted: Callable[[pd.DataFrame], bool], kind: str) -> str:
    layers = [(str(name), str(of)) for name, of in pyogrio.list_layers(source)]
    names = [name for name, of in sorted(layers, key=lambda layer: kind not in layer[1])]
    if not names:
        raise SourceError(f"{path} must hold shapes and holds no layer; give another file")
    if len(names) == 1:
        return names[0]
    return next((name for name in names if wanted(_attributes(source, name))), names[0])


def _attributes(source: str, layer: str | None = None) -> pd.DataFrame:
    table: pd.DataFrame = pyogrio.read_dataframe(source, layer=layer, read_geometry=False)
    return table


def _refuse_disguise(path: Path) -> None:
    """Refuse formats that are not named, and files that do not begin as theirs does."""
    if path.is_dir() and path.suffix.lower() == DATABASE:
        return
    beginnings = BEGINNINGS.get(path.suffix.lower())
    if path.is_dir() or beginnings is None:
        what = "a folder" if path.is_dir() else f"a file {path.suffix or 'without suffix'}"
        raise SourceError(
            f"{path} must be one of {', '.join(sorted(BEGINNINGS))}, {DATABASE} or {ARCHIVE} "
            f"and is {what}; export it as one"
        )
    head = _head(path, 64).removeprefix(BOM)
    head = head.lstrip() if path.suffix.lower() in JSON else head
    if not head.startswith(beginnings):
        raise SourceError(f"{path} does not begin as a file {path.suffix.lower()} does; export it again")
    if path.suffix.lower() in JSON:
        _refuse_linked_crs(path)


def _refuse_linked_crs(path: Path) -> None:
    """Refuse JSON whose CRS is only an address, which a reader would have to ask."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        linked = _links(text)
    if linked:
        raise SourceError(f"{path} must state its CRS itself and names an address for it; export it again")


def _links(text: mmap.mmap) -> bool:
    at = 0
    while found := CRS_MEMBER.search(text, at):
        at = found.end()
        if _is_linked(text[at : at + LONGEST_CRS].decode("utf-8", "replace")):
            return True
    return False


def _is_linked(member: str) -> bool:
    try:
        pairs, _ = json.JSONDecoder(object_pairs_hook=list).raw_decode(member)
    except (ValueError, RecursionError):
        return True
    return re.search("link|url|href", json.dumps(pairs), re.IGNORECASE) is not None


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


@contextmanager
def _plain(path: Path, wanted: Callable[[pd.DataFrame], bool]) -> Iterator[Path]:
    """The file itself, or what an archive holds, in a folder that goes away again."""
    if path.suffix.lower() != ARCHIVE:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        _refuse_trap(archive, path)
        archive.extractall(folder)
        yield _only_one(Path(folder), path, wanted)


def _refuse_trap(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what would unpack to too much, or outside the folder it is unpacked to."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LARGEST or size > max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size):
        raise SourceError(
            f"{path} would unpack from {path.stat().st_size:,} to {size:,} bytes; unpack it and look first"
        )
    climbing = [member.filename for member in members if _climbs(member.filename)]
    if climbing:
        raise SourceError(
            f"{path} must unpack into one folder; these would climb out of it: "
            f"{listed(map(repr, climbing))}; do not use it"
        )


def _climbs(name: str) -> bool:
    place = PurePosixPath(name.replace("\\", "/"))
    return place.is_absolute() or ".." in place.parts or ":" in name


def _only_one(folder: Path, path: Path, wanted: Callable[[pd.DataFrame], bool]) -> Path:
    """The vector file of an archive: of several the one that is wanted, and no JSON that may only describe it."""
    inside = sorted(file for file in folder.rglob("*") if _is_vector(file.relative_to(folder)))
    inside = [file for file in inside if file.suffix.lower() != ".json"] or inside
    chosen = inside if len(inside) == 1 else [file for file in inside if _holds(file, wanted)]
    if len(chosen) != 1:
        names = listed([file.relative_to(folder) for file in inside]) or "none"
        raise SourceError(f"{path} must hold one vector file; it holds {names}: unpack it and give the one you mean")
    return chosen[0]


def _is_vector(file: PurePath) -> bool:
    return file.suffix.lower() in {*BEGINNINGS, DATABASE} and not any(CLUTTER.match(part) for part in file.parts)


def _holds(file: Path, wanted: Callable[[pd.DataFrame], bool]) -> bool:
    """Whether a layer of a file is wanted; what cannot be read is not."""
    try:
        _refuse_disguise(file)
        if file.suffix.lower() in PARQUET:
            return wanted(pd.DataFrame(gpd.read_parquet(file)))
        source = _source(file)
        return any(wanted(_attributes(source, str(name))) for name, _ in pyogrio.list_layers(source))
    except (SourceError, *MALFORMED):
        return False
