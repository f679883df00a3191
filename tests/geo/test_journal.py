"""Runs that were cut short go on where they stood, and end with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo import cluster, journal, rasters
from geo.errors import OutputError, SourceError
from geo.journal import resuming
from geo.zonal import threads, zonal
from tests.geo import spreading
from tests.geo.spreading import Watch, assert_same_bits, summed, until

SIDE, TILES, CHUNK = 160, 25, 4
SHAPES = spreading.polygons(SIDE)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """25 tiles, four to a file."""
    monkeypatch.setattr(rasters, "TILE_CELLS", 32 * 32)
    monkeypatch.setattr(journal, "TILES", CHUNK)


@pytest.fixture
def path(tmp_path):
    return spreading.raster(tmp_path / "three.tif", side=SIDE, bands=3)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def watches(tmp_path):
    """Watches one after another."""

    def watch():
        number = len(list(tmp_path.glob("begun*")))
        (tmp_path / f"begun{number}").mkdir()
        return Watch(tmp_path / f"begun{number}")

    return watch


@pytest.fixture
def expected(path):
    return summed(SHAPES, path, threads(1))


def cut_short(spread, after, how=KeyboardInterrupt):
    """A spread that ends after some parts as a person ends it."""

    def shortened(task, tiles):
        parts = spread(task, tiles)
        for _ in range(after):
            yield next(parts)
        parts.close()
        raise how

    return shortened


def interrupt(path, folder, after, spread=None):
    with pytest.raises(KeyboardInterrupt):
        summed(SHAPES, path, cut_short(resuming(spread or threads(1), folder), after))


def redone(path, folder, watches, shapes=SHAPES, spread=None):
    """What a run over the folder gives, and how many tiles it has to do."""
    watch = watches()
    found = summed(shapes, path, resuming(watch.over(spread or threads(1)), folder))
    return found, len(watch.begun())


def files(folder):
    """Those that are whole; what a killed process has begun to write has a dot before its name."""
    return sorted(folder.rglob("[!.]*.npz"), key=lambda file: int(file.stem.split("-")[1]))


@pytest.mark.parametrize(("after", "kept"), [(0, 0), (1, 0), (4, 0), (5, 4), (17, 16), (24, 20), (25, 24)])
def test_a_run_that_was_cut_short_does_only_the_rest(after, kept, path, folder, watches, expected):
    """A file is written when the next part is asked for, so that the last part of all is not waited for."""
    interrupt(path, folder, after)
    assert len(files(folder)) * CHUNK == kept
    found, done = redone(path, folder, watches)
    assert_same_bits(found, expected)
    assert done == TILES - kept


def test_a_run_may_be_cut_short_again_and_again(path, folder, watches, expected):
    for after in (6, 11, 16):
        interrupt(path, folder, after)
    assert len(files(folder)) >= 3
    found, done = redone(path, folder, watches)
    assert_same_bits(found, expected)
    assert done <= TILES - 3 * CHUNK


def test_a_complete_run_is_kept_until_it_is_cleared(path, folder, watches, expected):
    assert_same_bits(summed(SHAPES, path, resuming(threads(2), folder)), expected)
    found, done = redone(path, folder, watches)
    assert_same_bits(found, expected)
    assert done == 0
    journal.clear(folder)
    assert not folder.exists()
    assert redone(path, folder, watches)[1] == TILES


def test_clearing_leaves_what_is_not_ours(path, folder):
    journal.clear(folder)  # is not there yet
    interrupt(path, folder, 9)
    home = files(folder)[0].parent
    (folder / "notes.txt").write_text("mine")
    (folder / "other").mkdir()
    (home / "notes.txt").write_text("mine")
    (home / f".{files(folder)[0].stem}-123.npz").write_text("left by a run that was killed")
    journal.clear(folder)
    assert sorted(found.name for found in folder.rglob("*")) == sorted([home.name, "notes.txt", "notes.txt", "other"])


def test_of_several_grids_those_that_are_done_are_kept(path, folder, tmp_path, watches):
    broken = spreading.raster(tmp_path / "other.tif", side=70, seed=2)
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError):
        summed(SHAPES, [path, broken], resuming(threads(1), folder))
    broken.write_bytes(whole)
    found, done = redone([path, broken], folder, watches)
    assert_same_bits(found, summed(SHAPES, [path, broken], threads(1)))
    assert done == 9  # of the small grid alone


# --- What a run depends on --------------------------------------------------------------------------------------------


def test_a_file_that_has_changed_is_done_anew(path, folder, watches):
    interrupt(path, folder, 20)
    spreading.raster(path, side=SIDE, bands=3, seed=2)
    os.utime(path, ns=(1, 1))  # at another time
    found, done = redone(path, folder, watches)
    assert_same_bits(found, summed(SHAPES, path, threads(1)))
    assert done == TILES


def test_other_polygons_are_done_anew(path, folder, watches):
    interrupt(path, folder, 20)
    moved = SHAPES.assign(geometry=SHAPES.translate(1e-3, 0))
    found, done = redone(path, folder, watches, moved)
    assert_same_bits(found, summed(moved, path, threads(1)))
    assert done == TILES


def test_another_threshold_is_done_anew(path, folder):
    interrupt(path, folder, 20)
    before = set(files(folder))
    zonal(SHAPES, path, statistics=["area_above_ha"], above=2.0, spread=resuming(threads(1), folder))
    assert before < set(files(folder))
    assert len({file.parent for file in files(folder)}) == 2


@pytest.mark.parametrize("what", ["tiles", "code"])
def test_another_division_or_other_code_is_done_anew(what, path, folder, watches, monkeypatch):
    interrupt(path, folder, 20)
    if what == "tiles":
        monkeypatch.setattr(rasters, "TILE_CELLS", 32 * 48)
    else:
        monkeypatch.setattr(journal, "made_with", lambda: {"numpy": "1.0"})
    found, done = redone(path, folder, watches)
    assert_same_bits(found, summed(SHAPES, path, threads(1)))
    assert done == len(rasters.tiles(rasters.describe(path).grid, (16, 16)))


# --- Damage -----------------------------------------------------------------------------------------------------------


def short(file):
    file.write_bytes(file.read_bytes()[:-200])


def empty(file):
    file.write_bytes(b"")


def foreign(file):
    file.write_bytes(b"PK\x03\x04 and nothing more")


def flipped(file):
    whole = bytearray(file.read_bytes())
    at = whole.index(b"\x93NUMPY", len(whole) // 3) + 150  # within the numbers of a column
    whole[at] ^= 1
    file.write_bytes(whole)


def of_another(file):
    file.write_bytes(files(file.parent)[-1].read_bytes())


def folder_in_its_place(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [short, empty, foreign, flipped, of_another, Path.unlink])
@pytest.mark.parametrize("number", [0, 2])
def test_a_damaged_file_is_done_again(damage, number, path, folder, watches, expected):
    summed(SHAPES, path, resuming(threads(1), folder))
    damage(files(folder)[number])
    found, done = redone(path, folder, watches)
    assert_same_bits(found, expected)
    assert done == CHUNK
    assert redone(path, folder, watches)[1] == 0  # and mended


def test_a_file_that_goes_while_a_run_goes_on_is_done_again(path, folder, watches, expected):
    summed(SHAPES, path, resuming(threads(1), folder))
    watch = watches()

    def going(task, tiles):
        parts = resuming(watch.over(threads(1)), folder)(task, tiles)
        yield next(parts)
        files(folder)[3].unlink()
        yield from parts

    assert_same_bits(summed(SHAPES, path, going), expected)
    assert len(watch.begun()) == CHUNK


@pytest.mark.parametrize("at", ["folder", "file"])
def test_a_folder_that_cannot_be_written_is_an_error(at, path, folder):
    if at == "folder":
        folder.write_text("in the way")
    else:
        summed(SHAPES, path, resuming(threads(1), folder))
        folder_in_its_place(files(folder)[1])
    with pytest.raises(OutputError, match="the folder to resume from must be writable"):
        summed(SHAPES, path, resuming(threads(1), folder))


def test_no_part_of_a_file_is_seen_under_its_name(path, folder, monkeypatch):
    """What is written stands under another name until it is whole."""
    seen: list[str] = []
    plain = np.savez

    def watched(file, **columns):
        seen.extend(found.name for found in files_or_none(folder) if not found.name.startswith("."))
        plain(file, **columns)
        assert file.name.startswith(".")

    def files_or_none(place):
        return list(place.rglob("*.npz")) if place.exists() else []

    monkeypatch.setattr(np, "savez", watched)
    summed(SHAPES, path, resuming(threads(1), folder))
    assert len(set(seen)) == 6
    assert len(files(folder)) == 7


# --- With processes ---------------------------------------------------------------------------------------------------


def test_a_killed_run_on_processes_goes_on_on_others_and_in_threads(path, folder, tmp_path, watches, expected):
    first = watches()
    script = tmp_path / "long.py"
    script.write_text(f"""
from pathlib import Path
from geo import cluster, journal, rasters
from tests.geo import spreading

rasters.TILE_CELLS, journal.TILES = 32 * 32, {CHUNK}

if __name__ == "__main__":
    with cluster.dask(workers=1) as spread:
        watched = spreading.Watch(Path({str(first.folder)!r})).over(spread, gated=lambda tiles: tiles[12:])
        resumed = journal.resuming(watched, Path({str(folder)!r}))
        spreading.summed(spreading.polygons({SIDE}), Path({str(path)!r}), resumed)
""")
    running = subprocess.Popen([sys.executable, script], start_new_session=True, env=spreading.environment())
    with running:
        until(lambda: folder.exists() and len(files(folder)) >= 2, "two files")
        os.killpg(running.pid, signal.SIGKILL)
    with cluster.dask(workers=1) as spread:
        interrupt(path, folder, 18, spread)
        between = len(files(folder))
        assert between >= 4
        found, done = redone(path, folder, watches, spread=spread)
    assert_same_bits(found, expected)
    assert done == TILES - between * CHUNK
    assert redone(path, folder, watches)[1] == 0


def test_the_rest_is_spread_in_order(path, folder):
    asked = []

    def noting(task, tiles):
        asked.append(list(tiles))
        return threads(1)(task, tiles)

    summed(SHAPES, path, resuming(noting, folder))
    for number in (5, 1):
        files(folder)[number].unlink()
    summed(SHAPES, path, resuming(noting, folder))
    assert asked[1] == asked[0][4:8] + asked[0][20:24]
    assert [replace(tile) for tile in asked[0]] == rasters.tiles(rasters.describe(path).grid, (16, 16))
