"""Scripts called as a planner calls them, in this process or in one of their own, and what a refusal must look like."""

from __future__ import annotations

import hashlib
import io
import os
import runpy
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]


def process(script: str, *arguments: object, cwd: Path, seed: str = "0") -> Done:
    """Run a script in an interpreter of its own, which takes seconds to start: where just that is tested.

    Parameters
    ----------
    script : str
        Its file's name in ``scripts``.
    *arguments : object
        Written as they are on a command line.
    cwd : Path
        Where it is called.
    seed : str, default "0"
        Of the interpreter's hashes, on which no result may depend.

    Returns
    -------
    CompletedProcess
        The exit code, and what was written.
    """
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
    )


def call(script: str, *arguments: object, cwd: Path) -> Done:
    """Run a script in this process, where everything has been imported already.

    Parameters
    ----------
    script : str
        Its file's name in ``scripts``.
    *arguments : object
        Written as they are on a command line.
    cwd : Path
        Where it is called.

    Returns
    -------
    CompletedProcess
        The exit code, and what was written; an exception that the script lets pass is raised here.
    """
    words = [str(ROOT / "scripts" / script), *map(str, arguments)]
    said, complained = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with patch("sys.argv", words), chdir(cwd), redirect_stdout(said), redirect_stderr(complained):
        try:
            runpy.run_path(words[0], run_name="__main__")
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
    return Done(words, code, written(said), written(complained))


def written(stream: io.TextIOWrapper) -> str:
    """What went into a stream.

    Parameters
    ----------
    stream : TextIOWrapper
        Over a buffer in memory.

    Returns
    -------
    str
        All of it.
    """
    stream.seek(0)
    return stream.read()


def refused(done: Done, *words: str) -> None:
    """Hold a call to have said in one line on stderr what is wrong, and nothing else.

    Parameters
    ----------
    done : CompletedProcess
        Of :func:`call` or :func:`process`.
    *words : str
        What the line must hold.
    """
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def digests(folder: Path) -> dict[str, str]:
    """Name every file of a folder with its SHA-256.

    Parameters
    ----------
    folder : Path
        The folder; files of folders in it count too.

    Returns
    -------
    dict
        Digest by path within the folder.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
