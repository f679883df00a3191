"""Names as official tables write them."""

from __future__ import annotations

import re
import unicodedata

PARTICLES = frozenset({"de", "del", "la", "las", "los", "el", "y", "e"})


def fold(text: str) -> str:
    """Reduce a name to what survives accents, case, punctuation and remarks in parentheses.

    Parameters
    ----------
    text : str
        A name or a column heading.

    Returns
    -------
    str
        Lower-case ASCII words with single spaces.

    Examples
    --------
    >>> fold("Bojayá (Bellavista)")
    'bojaya'
    """
    bare = re.sub(r"\([^)]*\)?", " ", text)
    ascii_only = unicodedata.normalize("NFD", bare).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", ascii_only.lower()))


def title_es(text: str) -> str:
    """Write a capitalised official name as Spanish prints it.

    Parameters
    ----------
    text : str
        Such as ``SAN ANDRÉS DE TUMACO``.

    Returns
    -------
    str
        Such as ``San Andrés de Tumaco``; the first word keeps its capital.

    Examples
    --------
    >>> title_es("BOGOTÁ, D.C.")
    'Bogotá, D.C.'
    """
    capitalised = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), " ".join(text.split()))
    words = capitalised.split(" ")
    return " ".join([words[0], *(w.lower() if w.lower() in PARTICLES else w for w in words[1:])])
