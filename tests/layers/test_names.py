"""Names to codes: every name of the official tables, every kind of slip, and no choice between two."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import CodeError
from layers.codes import read_codes
from layers.divipola import municipalities, refile
from layers.names import BOUNDARY_ALIASES, match, match_all
from layers.rawtable import read_table
from layers.text import fold

KNOWN = municipalities()
EDITS_EACH = 20


@pytest.mark.parametrize(
    ("name", "department", "code", "confidence"),
    [
        ("Medellín", "Antioquia", "05001", 1.0),
        ("MEDELLIN", "ANTIOQUIA", "05001", 1.0),
        ("EL ENCANTO (Cor. Departamental)", "AMAZONAS", "91263", 1.0),
        ("La Chorrera (CD)", "Amazonas", "91405", 1.0),
        ("CALI (CT)", "VALLE", "76001", 1.0),
        ("La Pedrera ANM", "Amazonas", "91407", 1.0),
        ("Tumaco", "Nariño", "52835", 0.95),
        ("BOGOTÁ D.C. (CT)", "CUNDINAMARCA", "11001", 0.95),
        ("CARMEN DE VIBORAL", "ANTIOQUIA", "05148", 0.9),
        ("Vista Hermosa", "Meta", "50711", 0.9),
        ("Montanita", "Caquetá", "18410", 0.95),
        ("Medelín", "Antioquia", "05001", 0.7),
        ("Mdeellín", "Antoquia", "05001", 0.7),
    ],
)
def test_what_is_forgiven_and_how_sure_it_is(name: str, department: str, code: str, confidence: float):
    found = match(name, department)
    assert (found.code, found.confidence) == (code, confidence)


@pytest.mark.parametrize(
    ("name", "department", "words"),
    [
        ("Cmbita", "Boyacá", ("several may be meant", "15204 Cómbita", "15842 Úmbita")),
        ("Atlantis", "Boyacá", ("none is called so",)),
        ("Medellín", "Venezuela", ("department is unknown",)),
        ("Medellín", "Cauca", ("none is called so",)),
        ("", "Cauca", ("none is called so",)),
    ],
)
def test_what_is_refused_says_why(name: str, department: str, words: tuple[str, ...]):
    with pytest.raises(CodeError) as refused:
        match(name, department)
    assert all(word in str(refused.value) for word in words)


def test_namesakes_stay_in_their_department():
    assert match("Briceño", "Boyacá").code == "15106"
    assert match("Briceño", "Antioquia").code == "05107"


def test_every_name_of_divipola_is_its_own():
    found = match_all(KNOWN["name"], KNOWN["department"])
    assert (found["code"] == found.index).all()
    assert (found["confidence"] == 1).all()


TABLES = [
    ("coca/deteccion_de_cultivos_de_coca_2001_2023.csv", "DEPARTAMENTO", "MUNICIPIO", "CODMPIO", 319),
    ("eradication/erradicacion_eventos_2007_2024.csv.gz", "DEPARTAMENTO", "MUNICIPIO", "COD_MUNI", 462),
    ("eradication/aspersion_2003_2015.xlsx", "DEPARTAMENTO", "MUNICIPIO", "COD_MUNI", 260),
    ("people/homicidios_2003_2024.csv", "departamento", "municipio", "municipio_code", 1_000),
    ("territories/pdet_170.csv", "departamento", "municipio", "divipola", 170),
]


@pytest.mark.parametrize(("file", "department", "name", "code", "least"), TABLES)
def test_every_name_of_an_official_table_resolves(
    shared_data: Path, file: str, department: str, name: str, code: str, least: int
):
    rows = read_table(shared_data / file).drop_duplicates([department, name])
    right = refile(read_codes(rows[code]), rows[name], rows[department])
    found = match_all(rows[name], rows[department])
    assert len(rows) >= least
    assert found["code"].tolist() == right.tolist()


def test_every_name_of_geoboundaries_resolves():
    """Names equal to DIVIPOLA's are tested above; those that are not stand in the reviewed table."""
    aliases = pd.read_csv(BOUNDARY_ALIASES, dtype=str, keep_default_na=False)
    ours = aliases[(aliases["code"] != "") & (aliases["country"] == "Colombia")]
    found = match_all(ours["name"], ours["department"])
    assert len(ours) >= 45
    assert found["code"].tolist() == ours["code"].tolist()
    others = aliases[(aliases["code"] == "") & (aliases["country"] == "Colombia")]
    assert match_all(others["name"], others["department"])["code"].isna().all()


def slip(name: str, chance: random.Random) -> str:
    """The name with one letter lost, wrong, too many, or in the wrong place."""
    at, letter = chance.randrange(len(name)), chance.choice(string.ascii_lowercase)
    return chance.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at + 1 :],
            name[:at] + letter + name[at:],
            name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        ]
    )


def test_one_wrong_letter_is_forgiven_and_never_taken_for_another():
    chance = random.Random(20_260)
    rows = KNOWN.loc[KNOWN.index.repeat(EDITS_EACH)].reset_index()
    rows["written"] = [slip(name, chance) for name in rows["name"]]
    found = match_all(rows["written"], rows["department"])
    right = found["code"] == rows["code"]
    own = set(zip(KNOWN["department"], KNOWN["name"].map(fold), strict=True))
    other = pd.Series(list(zip(rows["department"], rows["written"].map(fold), strict=True))).isin(own) & ~right
    assert len(rows) == 22_440
    assert right.mean() >= 0.99
    assert (right | found["code"].isna() | other).all()
    assert other.sum() <= 20  # Toca and Tota, Gachetá and Gachalá's like


MARKS = st.sampled_from(["{}", "{} ", "  {}", "{} (Cor. Departamental)"])


@given(st.sampled_from(list(KNOWN.index)), st.booleans(), st.booleans(), MARKS)
def test_case_accents_spaces_and_remarks_change_nothing(code: str, upper: bool, bare: bool, mark: str):
    name, department = str(KNOWN.at[code, "name"]), str(KNOWN.at[code, "department"])
    written = fold(name) if bare else name
    assert match(mark.format(written.upper() if upper else written), department.upper()).code == code


@given(st.text(max_size=30), st.text(max_size=20))
def test_whatever_is_written_is_matched_or_refused(name: str, department: str):
    one = match_all(pd.Series([name], dtype=object), pd.Series([department], dtype=object)).iloc[0]
    if one["code"]:
        assert match(name, department).code == one["code"]
    else:
        with pytest.raises(CodeError):
            match(name, department)
