"""Work on rasters spread over processes and machines with Dask; the sums have the same bits as those of one process.

A group of tiles is a task, and each tile's part comes back by itself, in order, since sums of sums would be rounded in
other places. What all tasks need, above all the polygons, is a task of its own: a worker keeps it and copies it from
others, and where the last copy is lost with a worker, Dask makes it again.
"""

from __future__ import annotations

import ctypes
import logging
import pickle
import platform
import re
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import ConfigError, PresenciaError, SourceError, listed
from geo.rasters import Reader, Tile, small_cache
from geo.tally import Part
from geo.versions import made_with
from geo.zonal import Spread, Task

if TYPE_CHECKING:
    from distributed import Client, Future

# Tiles of a strip go together, since each worker that has one works out the strip's cover; a task of so many tiles and
# bands (some seconds) is yet no great loss with a worker.
TILE_BANDS = 512
# Strips are divided where there would be fewer tasks to a thread: the last ones would wait for each other.
TASKS_TO_A_THREAD = 4
IN_FLIGHT = 3  # tasks to a thread; more would only fill memory
CONNECT_S = 10
WITHOUT_WORKERS_S = 60.0
LOOK_S = 2.0
BRING_S = 60.0
CLOCK_NS = 2 * 10**9  # file systems keep times to two seconds at worst
ADDRESS = re.compile(r"(tcp|tls)://[^/\s]+:\d{1,5}")

# The GNU C library's names (malloc.h), and the most that it allows for the first.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, LARGEST_ARRAY = -1, -3, 2**25

# A terminal's Ctrl-C reaches all processes; we end the workers, and they need not complain.
IGNORE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"

File = tuple[str, int, int]


@contextmanager
def dask(*, scheduler: str | None = None, workers: int | None = None) -> Iterator[Spread]:
    """Spread tiles over a Dask cluster.

    Parameters
    ----------
    scheduler : str, optional
        Address of a scheduler that runs, such as ``tcp://10.0.0.5:8786``. Its workers need this version of Presencia,
        and the rasters under the same path.
    workers : int, optional
        How many processes to start on this machine instead, for as long as the context lasts.

    Yields
    ------
    Spread
        For :func:`geo.zonal.zonal`. A worker that is lost costs the time that its tasks take again, no more.

    Raises
    ------
    ConfigError
        If not exactly one of the two is given, Dask is not installed, the scheduler cannot be reached, or versions
        differ.
    SourceError
        While it runs, if workers do not see the rasters, or all workers or the scheduler are lost.
    """
    _refuse_settings(scheduler, workers)
    _refuse_without_dask()
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        client = stack.enter_context(_connected(scheduler) if scheduler else _started(workers or 1))
        _refuse_unlike(client)
        yield partial(_spread, client)


def groups(tiles: Iterable[Tile], *, bands: int, threads: int) -> list[list[Tile]]:
    """Group tiles that shall go to one worker together.

    Parameters
    ----------
    tiles : iterable of Tile
        In the order in which their parts are wanted.
    bands : int
        Of all rasters together.
    threads : int
        Of all workers together.

    Returns
    -------
    list of list of Tile
        Neighbours of one strip, in order. A strip is divided where it holds more than :data:`TILE_BANDS`, or where
        strips are too few for the threads.
    """
    strips = [list(strip) for _, strip in groupby(tiles, key=lambda tile: tile.strip)]
    least = -(-TASKS_TO_A_THREAD * threads // max(len(strips), 1))
    most = max(TILE_BANDS // bands, 1)
    return [part for strip in strips for part in _divided(strip, min(max(least, -(-len(strip) // most)), len(strip)))]


def _divided(strip: list[Tile], pieces: int) -> list[list[Tile]]:
    """Cut into pieces of about equal size."""
    ends = [len(strip) * piece // pieces for piece in range(pieces + 1)]
    return [strip[begin:end] for begin, end in pairwise(ends)]


@dataclass(frozen=True)
class _Work:
    """What a worker keeps: the task, and what it must look up once before it begins."""

    task: Task
    files: tuple[File, ...]
    made: dict[str, str]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the mark of having been checked elsewhere."""
        return _Work, (self.task, self.files, self.made)

    @cached_property
    def checked(self) -> Task:
        """The task, where this worker may do it: it may have joined when the run had begun."""
        if other := _other_versions(self.made):
            raise ConfigError(_SAME_VERSIONS.format(f"a worker has {other}"))
        if other := _other_files(self.files):
            raise SourceError(_SAME_FILES.format(f"on a worker {other}"))
        _hold_memory()
        return self.task


def _hold_memory() -> None:
    """Let this worker use its memory again tile by tile.

    Dask has workers hand freed memory back at once (MALLOC_TRIM_THRESHOLD_), and each array is then mapped anew: six
    million page faults on the country in 24 bands, and more time for these than for the sums.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_ARRAY)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * LARGEST_ARRAY)


def _parts(work: _Work, tiles: Sequence[Tile]) -> bytes:
    """Parts of tiles, as one piece: Dask would send every array by itself, which costs us more than adding it up."""
    try:
        with small_cache():
            return pickle.dumps([work.checked(tile) for tile in tiles], pickle.HIGHEST_PROTOCOL)
    except PresenciaError as error:
        told = type(error)(*error.args)
    raise told  # without what caused it: GDAL's own errors cannot travel, and would take ours with them


def _spread(client: Client, task: Task, tiles: Sequence[Tile]) -> Iterator[Part]:
    work = _work(task)
    threads = _refuse_blind(client, work.files)
    bands = sum(len(raster.names) for raster in work.task.reader.rasters)
    waiting: deque[Future[bytes]] = deque()
    held = client.submit(pickle.loads, pickle.dumps(work, pickle.HIGHEST_PROTOCOL), pure=False, priority=1)
    try:
        for number, group in enumerate(groups(tiles, bands=bands, threads=threads)):
            # Dask would take tasks that were given within a tenth of a second in any order; we wait for the first.
            waiting.append(client.submit(_parts, held, group, pure=False, priority=-number))
            if len(waiting) > IN_FLIGHT * threads:
                yield from pickle.loads(_result(client, waiting.popleft()))
        while waiting:
            yield from pickle.loads(_result(client, waiting.popleft()))
    finally:
        if client.status == "running":
            client.cancel([held, *waiting])


def _work(task: Task) -> _Work:
    """The task as it can be done elsewhere, where another folder is the current one."""
    reader = Reader([replace(raster, path=raster.path.absolute()) for raster in task.reader.rasters])
    cache = task.covers.cache
    covers = replace(task.covers, cache=None if cache is None else cache.absolute())
    files = [(str(raster.path), raster.path.stat()) for raster in reader.rasters]
    known = tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in files)
    return _Work(replace(task, reader=reader, covers=covers), known, _made())


def _result(client: Client, future: Future[bytes]) -> bytes:
    """What a task brings, or the error that it ended with."""
    from distributed import KilledWorker

    patience = BRING_S
    with _within_reach():
        _await(client, future)
        while future.status != "error":
            with suppress(TimeoutError, KilledWorker):
                return future.result(timeout=patience)
            # The worker died with what it had done, which others do again if there are any; or it is slow to bring it.
            patience *= 2
            _await(client, future)
    try:
        return future.result()
    except KilledWorker as cause:
        raise SourceError(
            f"a worker must outlive its work; {cause.allowed_failures + 1} died one after the other on the same tiles: "
            "give them more memory (see docs/scale.md), or look for a damaged block with --workers 1"
        ) from cause


def _await(client: Client, future: Future[bytes]) -> None:
    """Wait for a task, for as long as there is anybody to do it."""
    from distributed import wait

    served = time.monotonic()
    while not future.done():
        try:
            wait([future], timeout=LOOK_S)
        except TimeoutError:
            if client.nthreads():
                served = time.monotonic()
            elif time.monotonic() - served > WITHOUT_WORKERS_S:
                raise SourceError(
                    f"the cluster must have workers; it has had none for {WITHOUT_WORKERS_S:,.0f} s: start some "
                    "(dask worker ADDRESS) and run again with the same --resume folder"
                ) from None


@contextmanager
def _within_reach() -> Iterator[None]:
    """A scheduler that is lost as an error of ours."""
    from distributed import CancelledError

    try:
        yield
    except (CancelledError, OSError) as cause:
        raise SourceError(
            "the scheduler must stay within reach; it was lost in mid-run, or someone cancelled the work "
            f"({_short(cause)}): start it again, and run again with the same --resume folder"
        ) from cause


# --- The cluster ------------------------------------------------------------------------------------------------------


def _refuse_settings(scheduler: str | None, workers: int | None) -> None:
    if (scheduler is None) == (workers is None):
        raise ConfigError(
            f"a scheduler's address or a number of workers is wanted; found scheduler {scheduler} and workers {workers}"
            ": give one of the two"
        )
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be 1 or more; found {workers}: try as many as there are processors")
    if scheduler is not None and not ADDRESS.fullmatch(scheduler):
        raise ConfigError(
            f"a scheduler's address must look like tcp://10.0.0.5:8786; found {scheduler!r}: "
            "`dask scheduler` prints it when it starts"
        )


def _refuse_without_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as cause:
        raise ConfigError(
            f"work on a cluster needs Dask, which cannot be imported ({cause}): pip install 'presencia[cluster]'"
        ) from cause


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Dask say nothing that our errors say better."""
    from dask import config
    from distributed.versions import VersionMismatchWarning

    logger = logging.getLogger("distributed")
    before = logger.level
    settings = {
        "distributed.comm.timeouts.connect": CONNECT_S,
        # The polygons are a task of their own on purpose; Dask would advise to scatter them, and lose them.
        "distributed.admin.large-graph-warning-threshold": "1TB",
    }
    with config.set(settings), warnings.catch_warnings():
        # Versions that differ are refused by us, and only where they matter.
        warnings.simplefilter("ignore", VersionMismatchWarning)
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(before)


@contextmanager
def _started(workers: int) -> Iterator[Client]:
    """Processes on this machine, within reach of this machine alone."""
    from distributed import Client, LocalCluster
    from distributed.system import MEMORY_LIMIT

    with (
        tempfile.TemporaryDirectory(prefix="presencia-", ignore_cleanup_errors=True) as own,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # or it would claim port 8787
            memory_limit=int(MEMORY_LIMIT) // workers,
            local_directory=own,
            preload=[IGNORE_INTERRUPTS],
            silence_logs=logging.CRITICAL + 1,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as cause:
        raise ConfigError(
            f"the scheduler must be within reach; {scheduler} does not answer in {CONNECT_S} s ({_short(cause)}): "
            "start it there (dask scheduler), or check the address and the firewall"
        ) from cause
    with client:
        _await_workers(client, scheduler)
        yield client


def _await_workers(client: Client, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as cause:
        raise ConfigError(
            f"the scheduler must have workers; {scheduler} has none: start some (dask worker {scheduler})"
        ) from cause


# --- What workers must share with us ----------------------------------------------------------------------------------

_SAME_VERSIONS = "workers must have what runs here, or figures could differ; {}: install the same on all machines"
_SAME_FILES = (
    "workers must see the same rasters under the same paths; {}: put them on storage that all machines mount at one "
    "path, or copy them with their times kept (rsync -a)"
)


def _made() -> dict[str, str]:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"Python": python, **{name: version(name) for name in ("dask", "distributed")}, **made_with()}


def _other_versions(made: dict[str, str]) -> str:
    here = _made()
    return listed(f"{name} {here[name]} in place of {made[name]}" for name in made if here[name] != made[name])


def _other_files(files: Iterable[File]) -> str:
    return listed(found for found in (_other_file(*file) for file in files) if found)


def _other_file(path: str, size: int, changed: int) -> str:
    try:
        stat = Path(path).stat()
        with Path(path).open("rb"):
            pass
    except OSError as cause:
        return f"{path} cannot be read ({cause.strerror})"
    if stat.st_size != size:
        return f"{path} has {stat.st_size:,} bytes, not {size:,}"
    return "" if abs(stat.st_mtime_ns - changed) <= CLOCK_NS else f"{path} is of another time"


def _refuse_unlike(client: Client) -> None:
    if found := _asked(client, _other_versions, _made()):
        raise ConfigError(_SAME_VERSIONS.format(found))


def _refuse_blind(client: Client, files: tuple[File, ...]) -> int:
    """Refuse workers that see other files; the number of threads there is else."""
    with _within_reach():
        if found := _asked(client, _other_files, files):
            raise SourceError(_SAME_FILES.format(found))
        threads: dict[str, int] = client.nthreads()
        return max(sum(threads.values()), 1)


def _asked(client: Client, question: Any, about: Any) -> str:
    """What workers answer that is worth telling. Those that are lost in between are Dask's business."""
    answers = client.run(question, about, on_error="return")
    told = {worker: _answer(answer) for worker, answer in answers.items() if not isinstance(answer, OSError)}
    return listed((f"{worker} has {answer}" for worker, answer in sorted(told.items()) if answer), most=3)


def _answer(answer: str | Exception) -> str:
    if isinstance(answer, ImportError):
        return f"no Presencia of this kind ({_short(answer)})"
    if isinstance(answer, Exception):
        return f"an error ({_short(answer)})"
    return answer


def _short(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:200] or type(cause).__name__
