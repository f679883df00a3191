"""The frame: what the wheel carries, what the contracts forbid, what no tracked file may say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"
FLOORS = ["geo", "layers", "maps", "scripts"]
INSTALLED = FLOORS[:3]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with `command` in `cwd` and keep what it says."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return table


def tracked() -> list[Path]:
    """Every file that git tracks, and those that it would."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it lies once installed."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files_under(root: Path, packages: list[str]) -> set[str]:
    """Paths from `root` of all files of `packages`, caches apart."""
    return {
        path.relative_to(root).as_posix()
        for package in packages
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_carries_each_package_whole(unpacked: Path):
    assert files_under(unpacked, INSTALLED) == files_under(ROOT, INSTALLED)


@pytest.mark.parametrize(
    "pattern", ["layers/atlas/*.csv", "layers/atlas/*.topojson", "layers/atlas/SOURCES.md", "layers/*.toml"]
)
def test_wheel_carries_the_atlas_and_its_tables(unpacked: Path, pattern: str):
    assert list(unpacked.glob(pattern))


@pytest.mark.parametrize("suffix", [".js", ".css"])
def test_wheel_carries_the_assets_of_the_map(unpacked: Path, suffix: str):
    assert [path for path in (unpacked / "maps" / "assets").rglob("*") if path.suffix == suffix]


def test_wheel_carries_nothing_else(unpacked: Path):
    assert {path.name for path in unpacked.iterdir()} == {*INSTALLED, "presencia-0.1.0.dist-info"}


def test_wheel_carries_licence_and_attribution(unpacked: Path):
    licences = unpacked / "presencia-0.1.0.dist-info" / "licenses"
    for name in ["LICENSE", "ATTRIBUTION.md"]:
        assert (licences / name).read_bytes() == (ROOT / name).read_bytes()


def test_unpacked_wheel_loads_its_atlas(unpacked: Path, tmp_path: Path):
    """Away from the checkout, with the wheel first on the path."""
    program = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "from layers import coca\n"
        "print(coca.__file__, coca.load().total(2020))"
    )
    result = run("-I", "-c", program, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    module, coca_ha = result.stdout.split()
    assert Path(module).is_relative_to(unpacked)
    assert float(coca_ha) == pytest.approx(142_783, abs=5)  # UNODC/SIMCI, 2020


def test_version_is_the_one_of_the_project():
    assert version("presencia") == project()["version"] == "0.1.0"


def pins() -> list[str]:
    """The lines of constraints.txt that are no comments."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def normal_name(requirement: str) -> str:
    """The name of a requirement as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", requirement)[0]).lower()


def test_constraints_are_exact_and_name_no_address():
    assert [pin for pin in pins() if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin)] == []


def test_constraints_cover_every_dependency():
    extras = project()["optional-dependencies"]
    needed = {normal_name(name) for group in [project()["dependencies"], *extras.values()] for name in group}
    assert needed - {normal_name(pin) for pin in pins()} == {"presencia"}


def test_no_file_says_where_packages_are_downloaded_from():
    """Put together here, so that this file does not say it either."""
    hosts = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("debian", "org")]
    options = [("index", "url"), ("find", "links")]
    marks = [".".join(parts) for parts in hosts] + ["-".join(parts) for parts in options]
    named = re.compile("|".join(re.escape(mark) for mark in marks).encode(), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tracked()
        for match in named.finditer(path.read_bytes())
    ]
    assert found == []


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold the code in `folder` against the contracts of its pyproject.toml."""
    program = "from importlinter.cli import lint_imports_command as main; main()"
    return run("-c", program, "--no-cache", cwd=folder)


def test_import_contracts_hold():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("floor", "statement", "broken"),
    [
        ("geo", "import layers", "Each floor"),
        ("layers", "import maps", "Each floor"),
        ("maps", "import scripts", "Each floor"),
        ("geo", "import folium", "geo/ draws nothing"),
        ("geo", "from urllib import request", "geo/ draws nothing"),
        ("layers", "import typer", "layers/ draws nothing"),
    ],
)
def test_import_contracts_bite(tmp_path: Path, floor: str, statement: str, broken: str):
    """The same contracts over four bare floors, one of which climbs."""
    shutil.copy(PYPROJECT, tmp_path)
    for name in FLOORS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(statement if name == floor else "", encoding="utf-8")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert re.search(rf"{re.escape(broken)}.* BROKEN", result.stdout)


def pytest_in(folder: Path, *, ci: str, **modules: str) -> str:
    """What pytest says of test modules under this project's conftest.py, where no raw data lie beside it."""
    tests = folder / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    for name, body in modules.items():
        (tests / f"test_{name}.py").write_text(f"import pytest\n{body}", encoding="utf-8")
    options = ["-p", "no:cacheprovider", "--continue-on-collection-errors", "-rsfE"]
    return run("-m", "pytest", *options, str(tests), cwd=tests, CI=ci).stdout


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("", "1 passed, 4 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 xfailed, 3 errors")],
)
def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path, ci: str, outcome: str):
    said = pytest_in(
        tmp_path,
        ci=ci,
        body="def test_one(): pytest.skip('no browser')",
        mark="@pytest.mark.skip(reason='no browser')\ndef test_one(): ...",
        raw="def test_one(shared_data): ...",
        module="pytest.skip('no browser', allow_module_level=True)",
        known="@pytest.mark.xfail(strict=True)\ndef test_one(): assert False",
        plain="def test_one(): ...",
    )
    assert outcome in said
    assert ("no test may skip in CI" in said) == bool(ci)
    assert "no browser" in said
    assert "the raw data are not at" in said
