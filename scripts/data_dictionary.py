"""Write docs/data-dictionary.md, or check that it is what the code says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maps.dictionary import markdown

TARGET = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"


def main() -> int:
    """Write the file, or with ``--check`` say whether it would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file would change")
    text = markdown()
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is not what the code says; run 'make dictionary'", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
