"""Throw malformed tables, archives, shapes and pages at the loaders: whatever comes, they answer or refuse in words.

``make fuzz`` runs it for ten minutes. An exception that is no PresenciaError, a file that takes more than 25 s, or more
than 1 GB of memory ends it with the bytes that did it.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["geo", "layers"]):
    from geo.errors import PresenciaError
    from layers import armed, boundaries, coca, density, eradication, laboratories, people, police, territories
    from layers.featureserver import FeatureLayer
    from layers.pages import download
    from layers.portal import Portal
    from layers.publisher import Publisher
    from layers.web import Client, Limits

import geopandas as gpd
import numpy as np
import openpyxl
import rasterio
import shapely
from shapely.geometry import mapping

LEAF = b"\n\0\n"  # between the bodies of one conversation


class Conversation(Client):
    """A publisher that answers with made-up bodies, one after the other."""

    def __init__(self, bodies: list[bytes]) -> None:
        super().__init__(Limits(tries=2, page_rows=3), sleep=lambda seconds: None)
        self._bodies = itertools.cycle(bodies)

    def _followed(self, url: str, params: Mapping[str, str | int]) -> bytes:
        return next(self._bodies)


def fetch_from(publisher: Publisher) -> Callable[[Path], object]:
    """Download what a conversation holds, pages and all, into a folder that goes away again."""

    def load(path: Path) -> object:
        client = Conversation(path.read_bytes().split(LEAF))
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            remote = publisher.remote(client)
            return download(publisher, client, remote, Path(folder), coded=True, progress=lambda done, of: None)

    return load


WORK = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
# The first byte of an input chooses one of these: how the file is called, and who reads it.
TARGETS: list[tuple[str, Callable[[Path], object]]] = [
    ("table.csv", coca.load),
    ("table.csv", eradication.load),
    ("table.csv", armed.load),
    ("table.csv", people.load_homicides),
    ("table.csv", laboratories.load),
    ("table.csv", territories.load_pdet),
    ("table.csv", territories.load_sites),
    ("table.csv", territories.load_special_areas),
    ("table.json", coca.load),
    ("table.json", police.load),
    ("table.csv.gz", coca.load),
    ("table.xlsx", eradication.load_spraying),
    ("shapes.geojson", boundaries.load),
    ("shapes.topojson", boundaries.load),
    ("shapes.gpkg", boundaries.load),
    ("shapes.fgb", boundaries.load),
    ("shapes.parquet", boundaries.load),
    ("shapes.zip", boundaries.load),
    ("shapes.geojson", territories.load_reserves),
    ("shapes.geojson", territories.load_sites),
    ("grid.geojson", density.load),
    ("grid.json", density.load),
    ("raster.tif", partial(density.load, year=2020)),
    ("portal.pages", fetch_from(Portal("acs4-3wgp"))),
    ("layer.pages", fetch_from(FeatureLayer("https://example.org/FeatureServer/317"))),
]
LIMITS = ("-max_total_time=600", "-timeout=25", "-rss_limit_mb=1024", "-max_len=60000")
WIDE = 'CODMPIO;2019;2020\n5001;"1,088.9";"1.088,9"\n05002;- 0;-\n'
EVENTS = "FECHA HECHO,COD_MUNI,TIPO CULTIVO,CANTIDAD\n2018-01-01,5001,COCA,1.5\n2018-12-31,5001,Coca,\n"
QUADRANTS = [{"cuadrante": "DEANTMNVCCD01E03000000001", "nombre_cai": "CAI X CUAD. 001", "lat": 6.2, "lng": -75.5}]


def shapes() -> gpd.GeoDataFrame:
    squares = [shapely.box(-75 + n / 10, 2, -74.9 + n / 10, 2.1) for n in range(3)]
    columns = {"MPIO_CDPMP": ["05001", "05002", "05004"], "nom_ri": ["a", "b", "c"]}
    return gpd.GeoDataFrame(columns, geometry=squares, crs="EPSG:4326")


def cells() -> gpd.GeoDataFrame:
    squares = [shapely.box(5e6 + 1e3 * n, 2e6, 5e6 + 1e3 * (n + 1), 2.001e6) for n in range(3)]
    columns = {"areacoca_2019": [1.5, None, 0.0], "areacoca2020": ["2,5", "3", "0"]}
    return gpd.GeoDataFrame(columns, geometry=squares, crs="EPSG:9377").to_crs("EPSG:4326")


def write_raster(path: Path) -> None:
    place = rasterio.transform.from_origin(5e6, 2e6, 1000, 1000)
    profile = {"driver": "GTiff", "height": 4, "width": 3, "count": 1, "dtype": "float32", "nodata": -1}
    with rasterio.open(path, "w", crs="EPSG:9377", transform=place, **profile) as data:
        data.write(np.arange(12, dtype="float32").reshape(1, 4, 3))


def written(name: str) -> bytes:
    """A small good file of a name's format."""
    path = WORK / f"seed-{name}"
    if name == "grid.geojson":
        cells().to_file(path)
    elif name == "raster.tif":
        write_raster(path)
    elif name.endswith(".parquet"):
        shapes().to_parquet(path)
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("own.geojson", shapes().to_json())
    elif name.endswith(".xlsx"):
        book = openpyxl.Workbook()
        for row in (["FECHA", "COD_MUNI", "CANTIDAD"], ["2018-01-01", 5001, 2.5]):
            book.worksheets[0].append(row)
        book.save(path)
    elif name.endswith(".topojson"):
        ring = {"type": "Polygon", "arcs": [[0]], "properties": {"MPIO_CCNCT": "05001"}}
        arcs = [[[0, 0], [0, 10], [10, 0], [0, -10], [-10, 0]]]
        transform = {"scale": [0.01, 0.01], "translate": [-75, 2]}
        objects = {"m": {"type": "GeometryCollection", "geometries": [ring]}}
        path.write_text(json.dumps({"type": "Topology", "transform": transform, "arcs": arcs, "objects": objects}))
    else:
        shapes().to_file(path)
    return path.read_bytes()


def seeds() -> dict[int, list[bytes]]:
    """Good files for each target."""
    square = {"type": "Polygon", "coordinates": [[[-75, 2], [-74, 2], [-74, 3], [-75, 2]]]}
    one_shape = {"type": "Feature", "id": 1, "properties": {"mpio_cdpmp": "05001"}, "geometry": square}
    feature = json.dumps({"type": "FeatureCollection", "features": [one_shape]}).encode()
    portal = json.dumps([{"codmpio": "05001", "_2019": "1.088,9"}, {"codmpio": "5002", "_2020": "3"}]).encode()
    texts: dict[str, list[bytes]] = {
        "table.csv": [
            WIDE.encode(), EVENTS.encode(), "code,year,coca_ha\n05001,2020,7\n".encode("utf-16"),
            b"departamento,municipio,code,year,homicidios\nBOYAC\xc1,BRICE\xd1O,05107,2010,1\n",
            b"divipola,region_pdet\n52835,x\n", b'coordenadas,vereda,ubicacion\n"7.08, -75.2",La Plancha,"Anori, A"\n',
        ],
        "table.json": [portal, json.dumps(QUADRANTS).encode()],
        "table.csv.gz": [gzip.compress(WIDE.encode())],
        "grid.json": [
            json.dumps(
                [{"multipolygon": mapping(shape), "areacoca_2020": "2.5"} for shape in cells().geometry]
            ).encode()
        ],
        "portal.pages": [
            LEAF.join([b'{"rowsUpdatedAt": 7}', b'[{"count": "1"}]', b'[{":id": "row-1", "codmpio": "05001"}]'])
        ],
        "layer.pages": [LEAF.join([b'{"editingInfo": {"dataLastEditDate": 7}}', b'{"count": 1}', feature])],
    }  # fmt: skip
    return {n: texts.get(name) or [written(name)] for n, (name, _) in enumerate(TARGETS)}


def one(data: bytes) -> None:
    """Read one made-up file; only a refusal in our own words may come out of it, or libFuzzer stops and keeps it."""
    if not data:
        return
    name, load = TARGETS[data[0] % len(TARGETS)]
    path = WORK / name
    path.write_bytes(data[1:])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(path)
    except PresenciaError:
        return


def main() -> None:
    corpus = WORK / "corpus"
    corpus.mkdir()
    for target, files in seeds().items():
        for n, file in enumerate(files):
            (corpus / f"{target}-{n}").write_bytes(bytes([target]) + file)
            one(bytes([target]) + file)
    atheris.Setup([sys.argv[0], str(corpus), *LIMITS, *sys.argv[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
