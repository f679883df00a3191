"""Shapes as they stand in their file: opened by what the file is, never by what it might refer to."""

from __future__ import annotations

import lzma
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

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
# MGN at full detail is 300 MB unpacked.
LARGEST = 1024**3
BOMB_RATIO, BOMB_BYTES = 60, 64 * 1024**2
MALFORMED = (
    OSError, ValueError, RuntimeError, TypeError, AttributeError, LookupError, MemoryError, OverflowError,
    EOFError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
    pyarrow.ArrowException, shapely.errors.ShapelyError, pyproj.exceptions.ProjError,
)  # fmt: skip


def read_shapes(path: Path, *, wanted: Callable[[pd.DataFrame], bool] = lambda _: True) -> gpd.GeoDataFrame:
    """Read a file's shapes and their attributes.

    Parameters
    ----------
    path : Path
        GeoPackage, shapefile, GeoJSON, TopoJSON, GeoParquet, FlatGeobuf or a file geodatabase; also one of them zipped.
        GeoJSON and TopoJSON that state no CRS are in EPSG:4326, as their standards say.
    wanted : callable, optional
        Told the attributes of each layer of a file that has several; the first is read for which it answers yes, or
        the first of all.

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
        with _plain(path) as plain, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on files that are then read, or refused by us
            _refuse_disguise(plain)
            frame = _read(plain, wanted)
    except SourceError:
        raise
    except MALFORMED as cause:
        said = " ".join(str(cause).split())[:200] or type(cause).__name__
        raise SourceError(f"{path} must be a readable vector file: {said}; export it again") from cause
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(f"{path} must hold shapes and holds a plain table; give the file with the polygons")
    return frame.set_geometry(gpd.GeoSeries(shapely.force_2d(frame.geometry.to_numpy()), frame.index, crs=frame.crs))


def _read(path: Path, wanted: Callable[[pd.DataFrame], bool]) -> gpd.GeoDataFrame:
    if path.suffix.lower() in PARQUET:
        return gpd.read_parquet(path)
    frame = gpd.read_file(path, layer=_layer(path, wanted))
    if frame.crs is None and path.suffix.lower() in JSON and TOPOLOGY in _head(path, 4096).decode("utf-8", "replace"):
        return frame.set_crs(STORAGE)
    return frame


def _layer(path: Path, wanted: Callable[[pd.DataFrame], bool]) -> str:
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if not names:
        raise SourceError(f"{path} must hold shapes and holds no layer; give another file")
    if len(names) == 1:
        return names[0]
    tables = ((name, pyogrio.read_dataframe(path, layer=name, read_geometry=False)) for name in names)
    return next((name for name, table in tables if wanted(table)), names[0])


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


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


@contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """The file itself, or what an archive holds, in a folder that goes away again."""
    if path.suffix.lower() != ARCHIVE:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        _refuse_trap(archive, path)
        archive.extractall(folder)
        yield _only_one(Path(folder), path)


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


def _only_one(folder: Path, path: Path) -> Path:
    inside = sorted(file for file in folder.rglob("*") if file.suffix.lower() in {*BEGINNINGS, DATABASE})
    if len(inside) != 1:
        names = listed([file.relative_to(folder) for file in inside]) or "none"
        raise SourceError(f"{path} must hold one vector file; it holds {names}: unpack it and give the one you mean")
    return inside[0]
