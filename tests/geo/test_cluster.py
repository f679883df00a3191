"""Tiles spread over a Dask cluster: the same bits as in one process, whatever happens to workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dask
import pytest
from distributed import get_client
from hypothesis import given
from hypothesis import strategies as st

from geo import cluster, rasters
from geo.errors import ConfigError, SourceError
from geo.rasters import Tile
from geo.zonal import threads
from tests.geo import spreading
from tests.geo.spreading import Watch, alive, assert_same_bits, summed, until

SIDE = 160
SHAPES = spreading.polygons(SIDE)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """25 tiles in 5 strips."""
    monkeypatch.setattr(rasters, "TILE_CELLS", 32 * 32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return spreading.raster(tmp_path_factory.mktemp("rasters") / "three.tif", side=SIDE, bands=3)


@pytest.fixture
def watch(tmp_path):
    folder = tmp_path / "begun"
    folder.mkdir()
    return Watch(folder)


@pytest.fixture(scope="module")
def two():
    with cluster.dask(workers=2) as spread:
        yield spread


def pids():
    """Of the workers of the cluster in use."""
    return set(get_client().run(os.getpid).values())


@dataclass
class Elsewhere:
    """A cluster as one starts it by hand, without anybody who would start its processes again."""

    address: str
    scheduler: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes] | None


@contextmanager
def elsewhere(*, workers: bool = True):
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        known = Path(folder) / "scheduler.json"
        scheduler = stack.enter_context(_dask("scheduler", "--port", "0", "--scheduler-file", known))
        until(lambda: known.exists() and known.read_text().rstrip().endswith("}"), "a scheduler")
        address = json.loads(known.read_text())["address"]
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
        worker = stack.enter_context(_dask("worker", address, *options)) if workers else None
        yield Elsewhere(address, scheduler, worker)


@contextmanager
def _dask(what, *options):
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", "--no-dashboard"]
    running = subprocess.Popen(
        [*map(str, [*command, *options])], stderr=subprocess.DEVNULL, env=spreading.environment()
    )
    with running:
        try:
            yield running
        finally:
            running.kill()


# --- Groups -----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 600), st.integers(1, 100), st.data())
def test_groups_are_neighbours_of_a_strip_and_hold_every_tile_once(strips, columns, bands, thread_count, data):
    tiles = [Tile(row, col, 1, 1) for row in range(strips) for col in range(columns)]
    tiles = tiles[data.draw(st.integers(0, len(tiles) - 1)) :]  # a run that goes on begins within a strip
    grouped = cluster.groups(tiles, bands=bands, threads=thread_count)
    assert [tile for group in grouped for tile in group] == tiles
    assert all(len({tile.strip for tile in group}) == 1 for group in grouped)
    assert all(len(group) * bands <= cluster.TILE_BANDS or len(group) == 1 for group in grouped)
    assert len(grouped) >= min(cluster.TASKS_TO_A_THREAD * thread_count, len({tile.strip for tile in tiles}))


def test_strips_are_whole_where_they_are_many_and_divided_where_they_are_few():
    tiles = [Tile(row, col, 1, 1) for row in range(8) for col in range(12)]
    assert [len(group) for group in cluster.groups(tiles, bands=1, threads=2)] == [12] * 8
    assert [len(group) for group in cluster.groups(tiles, bands=1, threads=8)] == [3] * 32
    assert [len(group) for group in cluster.groups(tiles, bands=128, threads=1)] == [4] * 24
    assert cluster.groups([], bands=1, threads=1) == []


# --- The same bits ----------------------------------------------------------------------------------------------------


def test_two_processes_give_the_same_bits_as_one(two, path, watch):
    found = summed(SHAPES, path, watch.over(two))
    assert_same_bits(found, summed(SHAPES, path, threads(1)))
    begun = watch.begun()
    assert len(begun) == 25
    assert len({pid for *_, pid in begun}) == 2  # both took part, and neither is this one
    assert os.getpid() not in {pid for *_, pid in begun}


def test_another_order_would_show(path):
    def backwards(task, tiles):
        yield from list(threads(1)(task, tiles))[::-1]

    with pytest.raises(AssertionError):
        assert_same_bits(summed(SHAPES, path, backwards), summed(SHAPES, path, threads(1)))


def test_files_on_several_grids_and_polygons_that_overlap(two, path, tmp_path):
    other = spreading.raster(tmp_path / "other.tif", side=70, seed=2)
    shapes = SHAPES.assign(geometry=SHAPES.buffer(500))
    assert_same_bits(summed(shapes, [path, other], two), summed(shapes, [path, other], threads(1)))


def test_workers_keep_their_cache_small(two, path):
    def frugal(task, tiles):
        return two(spreading.Frugal(task.reader, task.covers, task.wanted), tiles)

    summed(SHAPES, path, frugal)


def test_a_scheduler_that_runs_already_can_be_named(path, watch):
    with elsewhere() as there, cluster.dask(scheduler=there.address) as spread:
        assert_same_bits(summed(SHAPES, path, watch.over(spread)), summed(SHAPES, path, threads(1)))
        assert {pid for *_, pid in watch.begun()} == {there.worker.pid}


def test_paths_and_caches_may_be_relative(two, path, tmp_path, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert_same_bits(summed(SHAPES, type(path)(path.name), two), summed(SHAPES, path, threads(1)))


# --- Workers lost -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 1], ids=["one of two", "the only one, and the polygons with it"])
def test_a_worker_killed_in_mid_run_changes_nothing(workers, path, watch):
    killed = 0

    def first_part_then_kill(spread):
        def killing(task, tiles):
            nonlocal killed
            parts = spread(task, tiles)
            yield next(parts)
            # Those after the first ten wait for the gate: whoever has begun one is in the midst of it.
            gated = {(tile.row, tile.col) for tile in tiles[10:]}
            until(lambda: gated & {begun[:2] for begun in watch.begun()}, "a worker at a gate")
            killed = next(pid for row, col, pid in watch.begun() if (row, col) in gated)
            assert killed in pids()
            os.kill(killed, signal.SIGKILL)
            until(lambda: not alive(killed), "the end of the worker")
            watch.open()
            yield from parts

        return killing

    with cluster.dask(workers=workers) as spread:
        watched = watch.over(spread, gated=lambda tiles: tiles[10:])
        assert_same_bits(summed(SHAPES, path, first_part_then_kill(watched)), summed(SHAPES, path, threads(1)))
        left = pids()
    assert killed
    assert killed not in left
    times = Counter(begun[:2] for begun in watch.begun())
    assert len(times) == 25
    at_work = {begun[:2] for begun in watch.begun() if begun[2] == killed}
    assert any(times[tile] > 1 for tile in at_work)  # what it was about was done again by another
    until(lambda: not any(map(alive, left)), "the end of all workers")


def test_tiles_that_no_worker_outlives_are_an_error(path, watch):
    def deadly(task, tiles):
        return spread(spreading.Deadly(task.reader, task.covers, task.wanted), tiles)

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        cluster.dask(workers=1) as spread,
        pytest.raises(SourceError, match="a worker must outlive its work; 2 died"),
    ):
        summed(SHAPES, path, deadly)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("worker", r"must have workers; it has had none for 0 s: start some"),
        ("scheduler", r"scheduler must stay within reach; it was lost in mid-run.*--resume"),
    ],
)
def test_a_cluster_that_loses_what_nobody_starts_again_is_an_error(lost, said, path, watch, monkeypatch):
    monkeypatch.setattr(cluster, "WITHOUT_WORKERS_S", 0.2)
    monkeypatch.setattr(cluster, "LOOK_S", 0.1)
    monkeypatch.setattr(cluster, "BRING_S", 0.5)
    monkeypatch.setattr(cluster, "CONNECT_S", 5)

    def killing(task, tiles):
        parts = watch.over(spread, gated=lambda tiles: tiles[10:])(task, tiles)
        yield next(parts)
        getattr(there, lost).kill()
        yield from parts

    with (
        elsewhere() as there,
        cluster.dask(scheduler=there.address) as spread,
        pytest.raises(SourceError, match=said),
    ):
        summed(SHAPES, path, killing)


def test_what_died_with_its_worker_is_done_again_or_missed_but_not_waited_for(path, watch, monkeypatch):
    """A result that is done, and is lost on its way."""
    monkeypatch.setattr(cluster, "WITHOUT_WORKERS_S", 0.2)
    monkeypatch.setattr(cluster, "LOOK_S", 0.1)
    monkeypatch.setattr(cluster, "BRING_S", 0.5)
    await_ = cluster._await

    with elsewhere() as there, cluster.dask(scheduler=there.address) as spread:

        def losing(client, future):
            await_(client, future)
            if there.worker.poll() is None and future.status == "finished":
                there.worker.kill()
                there.worker.wait()

        monkeypatch.setattr(cluster, "_await", losing)
        with pytest.raises(SourceError, match=r"must have workers; it has had none for 0 s: start some"):
            summed(SHAPES, path, spread)


# --- Errors -----------------------------------------------------------------------------------------------------------


def test_an_error_of_a_tile_is_that_of_one_process_and_the_cluster_goes_on(two, path, tmp_path):
    broken = tmp_path / "broken.tif"
    whole = path.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError) as alone:
        summed(SHAPES, broken, threads(1))
    with pytest.raises(SourceError) as spread:
        summed(SHAPES, broken, two)
    assert str(broken) in str(spread.value)
    assert str(spread.value).split(":")[0] == str(alone.value).split(":")[0]
    assert_same_bits(summed(SHAPES, path, two), summed(SHAPES, path, threads(1)))


def test_an_iteration_that_is_left_leaves_no_work_behind(two, path, watch):
    def first_only(task, tiles):
        parts = watch.over(two, gated=lambda tiles: tiles[10:])(task, tiles)
        yield next(parts)
        parts.close()
        watch.open()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        summed(SHAPES, path, first_only)
    until(lambda: not any(get_client().processing().values()), "the end of all tasks")
    until(lambda: not any(get_client().has_what().values()), "nothing kept")
    assert len(watch.begun()) < 25


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give one of the two"),
        ({"scheduler": "tcp://127.0.0.1:8786", "workers": 2}, "give one of the two"),
        ({"workers": 0}, "1 or more; found 0"),
        ({"scheduler": "10.0.0.5"}, "must look like tcp://"),
        ({"scheduler": "http://10.0.0.5:8786"}, "must look like tcp://"),
    ],
)
def test_settings_that_make_no_cluster(settings, said):
    with pytest.raises(ConfigError, match=said), cluster.dask(**settings):
        raise AssertionError


def test_a_scheduler_that_cannot_be_reached(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with pytest.raises(ConfigError, match=r"tcp://127\.0\.0\.1:1 does not answer"):  # nobody may listen there
        cluster.dask(scheduler="tcp://127.0.0.1:1").__enter__()


def test_a_scheduler_without_workers(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with elsewhere(workers=False) as there, pytest.raises(ConfigError, match=r"has none: start some \(dask worker tcp"):
        cluster.dask(scheduler=there.address).__enter__()


def test_dask_may_not_be_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'presencia\[cluster\]'"):
        cluster.dask(workers=1).__enter__()


def test_workers_with_other_versions_are_refused(two, monkeypatch):
    made, client = cluster._made(), get_client()
    assert client.scheduler
    monkeypatch.setattr(cluster, "_made", lambda: made | {"numpy": "1.0"})
    with pytest.raises(ConfigError, match=r"tcp://.* has numpy .* in place of 1\.0"):
        cluster.dask(scheduler=client.scheduler.address).__enter__()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda path, size, time: (f"{path}.gone", size, time), r"gone cannot be read \(No such file"),
        (lambda path, size, time: (path, size + 1, time), "bytes, not"),
        (lambda path, size, time: (path, size, time + 3 * 10**9), "is of another time"),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["before it begins", "by a worker that joins late"])
def test_workers_that_see_other_files_are_refused(two, path, monkeypatch, other, said, late):
    plain, asked = cluster._work, cluster._asked
    monkeypatch.setattr(
        cluster, "_work", lambda task: replace(plain(task), files=tuple(other(*file) for file in plain(task).files))
    )
    if late:
        monkeypatch.setattr(cluster, "_asked", lambda *_: "")
    with pytest.raises(SourceError, match=f"same rasters under the same paths.*{said}.*mount at one path"):
        summed(SHAPES, path, two)
    monkeypatch.setattr(cluster, "_asked", asked)


def test_an_interrupted_script_leaves_no_process_and_no_noise(path, tmp_path):
    """As a terminal does it, the signal goes to the workers, too."""
    script = tmp_path / "long.py"
    script.write_text(f"""
import os
from pathlib import Path
from distributed import get_client
from geo import cluster, rasters
from tests.geo import spreading

rasters.TILE_CELLS = 32 * 32
watch = spreading.Watch(Path({str(tmp_path)!r}))

if __name__ == "__main__":
    try:
        with cluster.dask(workers=2) as spread:
            print(*get_client().run(os.getpid).values(), flush=True)
            watched = watch.over(spread, gated=lambda tiles: tiles[10:])
            spreading.summed(spreading.polygons({SIDE}), Path({str(path)!r}), watched)
    except KeyboardInterrupt:
        print("interrupted")
""")
    running = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=spreading.environment(),
        start_new_session=True,
    )  # fmt: skip
    with running:
        assert running.stdout is not None
        workers = [int(pid) for pid in running.stdout.readline().split()]
        until(lambda: len(Watch(tmp_path).begun()) > 10, "a worker at a gate")
        os.killpg(running.pid, signal.SIGINT)
        Watch(tmp_path).open()
        said, noise = running.communicate(timeout=spreading.PATIENCE_S)
    assert (running.returncode, said.strip(), noise) == (0, "interrupted", "")
    assert len(workers) == 2
    until(lambda: not any(map(alive, workers)), "the end of all workers")


def test_the_module_is_imported_without_dask():
    """So that --help answers at once."""
    code = "import sys, geo.cluster, geo.journal; print([name for name in sys.modules if name.startswith('dist')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "distributed" not in done.stdout
