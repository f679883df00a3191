"""A throwaway PostgreSQL with PostGIS, which only this machine's socket reaches.

Debian: ``apt-get install postgresql-15-postgis-3``. Without it the tests are skipped and say so, except under CI, where
they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

DEBIAN = "/usr/lib/postgresql/*/bin"
USER = "postgres"
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c autovacuum=off"


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes
    ----------
    programs : Path
        Folder of its programs.
    folder : Path
        Of its socket and data.
    """

    programs: Path
    folder: Path

    def url(self, database: str = USER, user: str = USER, query: str = "") -> str:
        """Address of a database, by the socket."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}{query}"

    def psql(self, statement: str, database: str = USER) -> str:
        """What psql prints of a statement, without decoration."""
        command = [
            str(self.programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", str(self.folder), "-U", USER, "-d", database, "-c", statement,
        ]  # fmt: skip
        return subprocess.run(command, check=True, capture_output=True, text=True, env=_english()).stdout

    def database(self, name: str, *, postgis: bool = True) -> str:
        """Make a database, and give its name."""
        self.psql(f'CREATE DATABASE "{name}"')
        if postgis:
            self.psql("CREATE EXTENSION postgis", name)
        return name


def find_server() -> Path:
    """Find the server's programs, or skip the test (fail it under CI).

    Returns
    -------
    Path
        Their folder.
    """
    folders = [Path(found).parent for name in ("initdb", "psql") if (found := shutil.which(name))]
    folders += sorted(Path("/").glob(f"{DEBIAN.removeprefix('/')}"), reverse=True)
    for folder in folders:
        real = folder.resolve()
        if all((real / program).exists() for program in ("initdb", "pg_ctl", "psql")) and _has_postgis(real):
            return real
    reason = "needs PostgreSQL with PostGIS (Debian: apt-get install postgresql postgis)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running() -> Iterator[Server]:
    """Start a server with an empty data folder; it is stopped, and its files are removed, afterwards.

    Yields
    ------
    Server
        In which database ``postgres`` has PostGIS.
    """
    programs = find_server()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, as a socket's path has at most 107 bytes
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        _run([programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        options = f"{FAST} -c listen_addresses='' -c unix_socket_directories='{folder}'"
        _run([programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"])
        server = Server(programs, folder)
        server.psql("CREATE EXTENSION postgis")
        yield server
    finally:
        if (data / "postmaster.pid").exists():
            _run([programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _has_postgis(programs: Path) -> bool:
    config = programs / "pg_config"
    if not config.exists():
        return bool(list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")))
    share = subprocess.run([str(config), "--sharedir"], check=True, capture_output=True, text=True).stdout.strip()
    return (Path(share) / "extension" / "postgis.control").exists()


def _run(command: list[str | Path]) -> None:
    """Run a program of the server, which refuses to be root."""
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_user, *map(str, command)], cwd="/", capture_output=True, text=True, env=_english(), check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _english() -> dict[str, str]:
    """The environment without settings of libpq, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}
