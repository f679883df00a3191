"""Write docs/findings.md, or check that it is what the figures say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maps.findings import markdown

TARGET = Path(__file__).resolve().parents[1] / "docs" / "findings.md"


def main() -> int:
    """Write the file, or with ``--check`` say whether it would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file would change")
    check = parser.parse_args().check
    text = markdown()
    if not check:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is not what the figures say; run 'make findings'", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
