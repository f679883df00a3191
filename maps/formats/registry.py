"""Every file format that a dataset can be written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from geo.errors import ConfigError, OutputError, listed
from maps.formats.dataset import Dataset, Lang


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : str
        As a planner names it.
    suffix : str
        Of its files, with the dot.
    many : bool
        Whether one file holds many datasets.
    shapes : bool
        Whether it holds datasets with shapes alone.
    module, function : str
        What writes it, imported when first used: some of them take a second to load.
    """

    name: str
    suffix: str
    many: bool
    shapes: bool
    module: str
    function: str

    @property
    def _writer(self) -> Callable[..., Any]:
        writer: Callable[..., Any] = getattr(import_module(f"maps.formats.{self.module}"), self.function)
        return writer

    def write(self, datasets: Sequence[Dataset], path: Path, *, lang: Lang = "es") -> None:
        """Write datasets to a file.

        Parameters
        ----------
        datasets : sequence of Dataset
            Just one, where a file holds no more.
        path : Path
            The file to write.
        lang : {"es", "en"}, default "es"
            Language of titles, caveats and aliases.

        Raises
        ------
        OutputError
            If the format cannot hold a dataset, or the file cannot be written.
        ConfigError
            If there are several datasets, and a file holds but one.
        """
        bare = [data.name for data in datasets if data.shapes is None]
        if self.shapes and bare:
            able = [each.name for each in FORMATS.values() if not each.shapes]
            raise OutputError(
                f"{self.name} holds datasets with shapes; {listed(bare)} has none: write it as {listed(able, most=9)}"
            )
        if self.many:
            self._writer(list(datasets), path, lang=lang)
            return
        if len(datasets) != 1:
            names = listed(data.name for data in datasets) or "none"
            raise ConfigError(f"a file of {self.name} holds one dataset; found {names}: write a file of each")
        self._writer(datasets[0], path, lang=lang)


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("geojson", ".geojson", many=False, shapes=False, module="geojson", function="write"),
        Format("geojsonl", ".geojsonl", many=False, shapes=False, module="geojson", function="write_sequence"),
        Format("gpkg", ".gpkg", many=True, shapes=False, module="geopackage", function="write"),
        Format("parquet", ".parquet", many=False, shapes=False, module="columnar", function="write_parquet"),
        Format("fgb", ".fgb", many=False, shapes=True, module="columnar", function="write_flatgeobuf"),
        Format("csv", ".csv", many=False, shapes=False, module="tables", function="write_csv"),
        Format("xlsx", ".xlsx", many=True, shapes=False, module="tables", function="write_xlsx"),
        Format("kml", ".kml", many=False, shapes=True, module="kml", function="write"),
    )
}
