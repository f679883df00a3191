"""What figures are made with: where that differs, the last bits of a sum may differ too."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import rasterio


@cache
def made_with() -> dict[str, str]:
    """Tell what the figures of a raster depend on, apart from the raster.

    Returns
    -------
    dict of str to str
        The processor's kind, versions of NumPy, rasterio and GDAL, and a digest of this package's code.
    """
    return {
        "processor": platform.machine(),
        "numpy": version("numpy"),
        "rasterio": version("rasterio"),
        "GDAL": rasterio.__gdal_version__,
        "Presencia's code": _code(),
    }


def _code() -> str:
    digest = sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]
