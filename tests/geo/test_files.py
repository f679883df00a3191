"""Outputs are whole or not there: after an error, an interrupt, or a kill the last good ones stand."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OutputError
from geo.files import PARTIAL, replacing, sha256

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"map.html": "good map", "scores.csv": "good scores", "notes.txt": "a planner's own"}

KILLED = """
import sys, time
from pathlib import Path
from geo.files import replacing
with replacing(Path(sys.argv[1])) as partial:
    (partial / "map.html").write_text("half a m")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with the last good outputs, and a file of the planner's own."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name, text in GOOD.items():
        (folder / name).write_text(text)
    return folder


def held(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, and what it holds."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write_two(folder: Path) -> None:
    with replacing(folder) as partial:
        (partial / "map.html").write_text("new map")
        (partial / "scores.csv").write_text("new scores")


def fail_with(error: BaseException) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        with replacing(folder) as partial:
            (partial / "map.html").write_text("half a m")
            raise error

    return write


# A good run


def test_all_files_appear_together_and_other_files_are_left_alone(out: Path):
    with replacing(out) as partial:
        (partial / "map.html").write_text("new map")
        (partial / "scores.csv").write_text("new scores")
        assert {name: text for name, text in held(out).items() if not name.startswith(PARTIAL)} == GOOD
    assert held(out) == {**GOOD, "map.html": "new map", "scores.csv": "new scores"}
    assert sorted(path.name for path in out.iterdir()) == sorted(GOOD)


def test_the_files_are_written_below_the_target_where_a_rename_is_enough(out: Path):
    with replacing(out) as partial:
        assert partial.parent == out
        assert partial.is_dir()
        assert not any(partial.iterdir())
        assert partial.name.startswith(".")


def test_the_folder_and_those_above_it_are_made(tmp_path: Path):
    folder = tmp_path / "runs" / "2020"
    with replacing(folder) as partial:
        (partial / "run.json").write_text("{}")
    assert held(tmp_path) == {"runs/2020/run.json": "{}"}


def test_a_run_that_writes_nothing_leaves_the_folder_as_it_was(out: Path, tmp_path: Path):
    with replacing(out):
        pass
    assert held(out) == GOOD
    with replacing(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()


# A run that dies


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(2), MemoryError()])
def test_the_last_good_files_stand_after_any_error(out: Path, error: BaseException):
    with pytest.raises(type(error)) as raised:
        fail_with(error)(out)
    assert raised.value is error
    assert held(out) == GOOD
    assert sorted(path.name for path in out.iterdir()) == sorted(GOOD)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_folder_made_for_a_run_that_died_is_gone_again(tmp_path: Path, error: BaseException):
    with pytest.raises((type(error), OutputError)):
        fail_with(error)(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_the_last_good_files_stand(out: Path):
    with pytest.raises(OutputError, match=r"No space left on device.*the last good files are still there"):
        fail_with(OSError(28, "No space left on device"))(out)
    assert held(out) == GOOD


def test_the_last_good_files_stand_after_a_kill_and_the_next_run_clears_up(out: Path):
    command = [sys.executable, "-c", KILLED, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "writing\n"
        run.kill()
    assert run.returncode == -signal.SIGKILL
    left = held(out)
    assert [text for name, text in left.items() if name.startswith(PARTIAL)] == ["half a m"]
    assert {name: text for name, text in left.items() if not name.startswith(PARTIAL)} == GOOD
    with replacing(out) as partial:
        (partial / "map.html").write_text("new map")
    assert held(out) == {**GOOD, "map.html": "new map"}


def test_a_file_that_cannot_be_moved_into_place_changes_none(out: Path):
    """A folder stands where the second file shall go: the first must not have replaced the good one by then."""
    (out / "scores.csv").unlink()
    (out / "scores.csv").mkdir()
    with pytest.raises(OutputError):
        write_two(out)
    assert (out / "map.html").read_text() == "good map"


# A folder that cannot be written


@pytest.mark.parametrize("below", ["file.txt", "file.txt/out", "file.txt/out/2020"])
def test_a_folder_below_a_file_is_refused_by_name_with_what_to_do(tmp_path: Path, below: str):
    (tmp_path / "file.txt").write_text("not a folder")
    folder = tmp_path / below
    with pytest.raises(OutputError) as refused, replacing(folder):
        pytest.fail("nothing may be written")
    message = str(refused.value)
    assert f"{folder} is not" in message
    assert "choose another with --out" in message
    assert "None" not in message
    assert "\n" not in message
    assert held(tmp_path) == {"file.txt": "not a folder"}


# Digests


def test_the_digest_of_nothing_is_the_published_one(tmp_path: Path):
    """FIPS 180-4, the digest of an empty message."""
    (tmp_path / "empty").touch()
    assert sha256(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.binary(max_size=4_000))
def test_the_digest_of_a_file_is_that_of_hashlib(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.mktemp("digest") / "file.bin"
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()


def test_the_digest_of_a_folder_is_that_of_its_files_in_name_order(tmp_path: Path):
    folder = tmp_path / "boundaries.gdb"
    (folder / "sub").mkdir(parents=True)
    for name, text in (("b", "2"), ("a", "1"), ("sub/c", "3")):
        (folder / name).write_text(text)
    before = sha256(folder)
    assert before == hashlib.sha256(b"123").hexdigest()
    (folder / "sub" / "c").write_text("4")
    assert sha256(folder) != before
