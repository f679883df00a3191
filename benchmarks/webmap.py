"""The planner's page beside the maps that folium and geopandas make of the same boundaries and 24 coca years.

    python benchmarks/webmap.py [--run out/2020] [--opens 5] [--steps 30] [--markdown]

All pages are opened from the disk in one headless chromium each, without a network, at 1440 by 900:

- bytes: of the file, and as gzip packs it. build: seconds to make the page of what has been read, without reading,
  joining and scoring; ours is what a run spends on drawing its map.
- load: from navigation to the second frame after the load event, the last zoom and the first polygon drawn.
- step: to another year by the page's own switch, until the frame that shows it is drawn: what the switch does, what
  Leaflet puts off to the next animation frame, style, layout, paint, and the canvas, of which a pixel is read back to
  have it drawn. It ends at a message posted in that animation frame, which is answered when the frame is done. Before
  that, it is looked at how many frames pass until the map stands; so many are waited for. Words that a page puts off
  on purpose, such as a card's sentence or the table's rows, are not.
- key: the same by an arrow key, from the keyboard to the screen, as the browser's event timing has it, in steps of
  8 ms and not below 16. It holds what the other does not: SVG is drawn outside of the page's own thread.
- heap: of JavaScript after a collection of garbage. process: what the page's process holds for itself alone.

Times are medians. Nothing is asserted on them; ends with 1 only if a page asks for the network or complains.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import math
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from benchmarks import peers
from maps.inputs import Settings
from maps.run import run
from tests import browser

PAGES = Path("build/pages")
OURS = "Presencia"
YEAR = 2020
PRESSES = 12
READY_WITHIN_S = 60
DRAWING = "drawing the map"
MB = 1e6
NAN = math.nan

READY = """
window.bench = { keys: [] };
new PerformanceObserver((list) => bench.keys.push(...list.getEntries()
  .filter(({ name }) => ["keydown", "input", "click"].includes(name)).map(({ duration }) => duration)))
  .observe({ type: "event", durationThreshold: 16 });
bench.stands = () => !document.querySelector(".leaflet-zoom-anim")
  && document.querySelector(".leaflet-pane canvas, .leaflet-pane path") && PLUS;
bench.read = () => {
  for (const canvas of document.querySelectorAll(".leaflet-pane canvas"))
    if (canvas.width) canvas.getContext("2d").getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1);
  document.body.getBoundingClientRect();
};
bench.frame = () => new Promise((done) => requestAnimationFrame(() => {
  bench.read();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = done;
  port2.postMessage(0);
}));
addEventListener("load", async () => {
  while (!bench.stands()) await bench.frame();
  await bench.frame();
  await bench.frame();
  bench.load = performance.now();
});
"""
# Frames until nothing changes any more on canvas or in SVG, and then the time of so many for every step.
TIME = """
const [body, steps, done] = arguments;
const change = new Function("step", body);
const rest = () => new Promise((done) => setTimeout(done, 60 + 17 * Math.random()));
function picture() {
  const canvases = [...document.querySelectorAll(".leaflet-pane canvas")].filter(({ width }) => width).map((canvas) => {
    const dots = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0;
    for (let at = 0; at < dots.length; at += 41) sum = (31 * sum + dots[at]) | 0;
    return sum;
  });
  const paths = [...document.querySelectorAll(".leaflet-pane path")];
  return canvases + paths.map((path) => path.getAttribute("fill")).join();
}
async function frames(step) {
  let before = picture(), last = 1;
  change(step);
  for (let frame = 1; frame <= 8; frame++) {
    await bench.frame();
    const now = picture();
    if (now !== before) last = frame;
    before = now;
  }
  return last;
}
async function one(step, wait) {
  await rest();
  const start = performance.now();
  change(step);
  for (let frame = 0; frame < wait; frame++) await bench.frame();
  return performance.now() - start;
}
(async () => {
  let wait = 1;
  for (let step = 0; step < 6; step++) wait = Math.max(wait, await frames(step));
  const times = [];
  for (let step = 6; step < 6 + steps; step++) times.push(await one(step, wait));
  done([wait, times]);
})().catch((error) => done([0, [], String(error)]));
"""
YEAR_STEP = """const { store, engine } = presencia.app;
store.set({ measure: "MEASURE", year: engine.years[step % engine.years.length] });"""
CHANGES = {
    "a year step of coca": YEAR_STEP.replace("MEASURE", "coca_ha"),
    "a year step of the score": YEAR_STEP.replace("MEASURE", "score"),
    "a measure switch": """const { store, data } = presencia.app;
store.set({ measure: data.scales[step % data.scales.length].field });""",
    "a weight change": """const { store, data } = presencia.app;
const weights = data.scoring.criteria.map(({ weight }) => weight);
weights[step % weights.length] *= 1 + ((step % 7) + 1) / 3;
store.set({ measure: "score", weights });""",
}
OPENED = 'presencia.app.store.set({ table: true }); presencia.app.choose("52835");'


@dataclass(frozen=True)
class Page:
    """A page to be opened: ready when also ``plus`` holds, stepped by a script, and by arrow keys on an input."""

    name: str
    path: Path
    build_s: float
    step: str = ""
    keys: str = ""
    plus: str = "true"


@dataclass(frozen=True)
class Figures:
    """What was measured of a page, in the order of ``COLUMNS``; NaN where there is nothing to measure."""

    size: float
    packed: float
    build: float
    load: float
    step: float
    key: float
    heap: float
    process: float


@dataclass(frozen=True)
class Seen:
    """A page that was opened: its figures, frames until a step's map stands, and what it should not have done."""

    figures: Figures
    frames: int
    complaints: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class Times:
    """Milliseconds of a change; the least tells how much of the median is a busy machine's."""

    median: float
    least: float


# Heading, unit, decimals.
COLUMNS = (
    ("bytes", "MB", 2), ("gzip", "MB", 2), ("build", "s", 2), ("load", "ms", 0),
    ("step", "ms", 1), ("key", "ms", 0), ("heap", "MB", 0), ("process", "MB", 0),
)  # fmt: skip


class Visit:
    """A browser that opens one page again and again."""

    def __init__(self, driver: Chrome, page: Page) -> None:
        self.driver = driver
        self.page = page
        self.failures: list[str] = []
        driver.set_script_timeout(600)
        source = READY.replace("PLUS", page.plus)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})

    def load(self) -> float:
        """Milliseconds from navigation to the map that a person can use."""
        self.driver.get("about:blank")
        browser.open_file(self.driver, self.page.path)
        ends = time.monotonic() + READY_WITHIN_S
        while (found := self.driver.execute_script("return window.bench.load")) is None:
            if time.monotonic() > ends:
                said = "; ".join(self.complaints()) or "and says nothing"
                raise SystemExit(f"{self.page.path} shows no map after {READY_WITHIN_S} s: {said}")
            time.sleep(0.05)
        return float(found)

    def run(self, script: str) -> None:
        self.driver.execute_script(script)
        time.sleep(0.5)

    def time(self, change: str, steps: int) -> tuple[int, list[float]]:
        """Frames until the picture stands, and the milliseconds of every step."""
        frames, times, *error = self.driver.execute_async_script(TIME, change, steps)
        if error:
            self.failures.append(f"{error[0]} in: {change}")
        return frames, times or [NAN]

    def press(self) -> float:
        """Milliseconds from an arrow key to the screen, as the browser counts them."""
        found = self.driver.find_elements(By.CSS_SELECTOR, self.page.keys)
        if not found:
            self.failures.append(f"no {self.page.keys}")
            return NAN
        found[0].click()
        return statistics.median(self._pressed(place) for place in range(PRESSES))

    def _pressed(self, place: int) -> float:
        """Up and down by turns of three, since a slider ends; the browser does not report what takes below 16 ms."""
        self.run("bench.keys.length = 0")
        ActionChains(self.driver).send_keys(Keys.ARROW_LEFT if place // 3 % 2 else Keys.ARROW_RIGHT).perform()
        time.sleep(0.4)
        found: list[float] = self.driver.execute_script("return bench.keys")
        return max(found, default=16.0)

    def heap_mb(self) -> float:
        self.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        self.driver.execute_cdp_cmd("Performance.enable", {})
        metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "JSHeapUsedSize") / MB

    def complaints(self) -> tuple[str, ...]:
        """What failed, what the console says except of our reading canvases back, and requests that left the disk."""
        said = [each for each in browser.complaints(self.driver) if "willReadFrequently" not in each]
        return (*self.failures, *said, *browser.requests(self.driver))

    def process_mb(self) -> float:
        """The largest of the browser's page processes, without what it shares; NaN where there is no /proc."""
        started = _descendants(self.driver.service.process.pid)
        found = [_private_mb(each) for each in started if "--type=renderer" in _command(each)]
        return max(found, default=NAN)


def look(pages: Sequence[Page], opens: int, steps: int) -> dict[str, Seen]:
    """Open all by turns, so that a busy minute of the machine slows none alone; then step through one after another."""
    with ExitStack() as browsers:
        visits = [Visit(browsers.enter_context(browser.chromium()), page) for page in pages]
        loads = [[visit.load() for visit in visits] for _ in range(opens)]
        columns = zip(*loads, strict=True)
        return {
            v.page.name: _seen(v, statistics.median(column), steps) for v, column in zip(visits, columns, strict=True)
        }


def _seen(visit: Visit, load: float, steps: int) -> Seen:
    page = visit.page
    frames, times = visit.time(page.step, steps) if page.step else (0, [NAN])
    key = visit.press() if page.keys else NAN
    content = page.path.read_bytes()
    sizes = (len(content), len(gzip.compress(content)))
    memory = (visit.heap_mb() * MB, visit.process_mb() * MB)
    figures = Figures(*sizes, page.build_s, load, statistics.median(times), key, *memory)
    return Seen(figures, frames, visit.complaints(), str(visit.driver.capabilities["browserVersion"]))


def look_closer(page: Page, steps: int) -> dict[str, list[Times]]:
    """Our own changes, each with table and card closed and then with both open."""
    found: dict[str, list[Times]] = {change: [] for change in CHANGES}
    with browser.chromium() as driver:
        visit = Visit(driver, page)
        for state in ("", OPENED):
            visit.load()
            visit.run(state)
            for change, script in CHANGES.items():
                times = visit.time(script, steps)[1]
                found[change].append(Times(statistics.median(times), min(times)))
        for complaint in visit.complaints():
            print(f"\n{page.name}: {complaint}")
    return found


def _descendants(pid: int) -> Iterator[Path]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield Path("/proc", child)
            yield from _descendants(int(child))


def _command(process: Path) -> str:
    return (process / "cmdline").read_text()


def _private_mb(process: Path) -> float:
    kinds = [line.split() for line in (process / "status").read_text().splitlines()]
    return sum(int(kind[1]) for kind in kinds if kind[0] in {"RssAnon:", "RssShmem:"}) * 1024 / MB


def make_ours(folder: Path | None) -> tuple[Page, float]:
    """Our page, and the seconds of the whole run; NaN where the run was made before."""
    drawing, whole = NAN, NAN
    if folder is None:
        folder = PAGES / str(YEAR)
        drawing, whole = _run(folder)
    step, keys = CHANGES["a year step of coca"], "#pr-time input[type=range]"
    return Page(OURS, folder / "map.html", drawing, step, keys, "window.presencia?.map"), whole


def _run(folder: Path) -> tuple[float, float]:
    """Seconds of the step that draws the map, and of all."""
    moments: list[tuple[str, float]] = []
    start = time.perf_counter()
    run(Settings(year=YEAR, out=folder), step=lambda name: moments.append((name, time.perf_counter())))
    names = [name for name, _ in moments]
    begun = names.index(DRAWING)
    return moments[begun + 1][1] - moments[begun][1], time.perf_counter() - start


def make_peers() -> tuple[list[Page], set[str]]:
    """The peers' pages, and what of theirs is not to be had."""
    data, inliner = peers.read(), peers.Inliner()
    importlib.import_module("matplotlib.pyplot")  # which explore imports when it is first called
    pages = []
    for peer in peers.PEERS:
        start = time.perf_counter()
        text = peer.make(data).get_root().render()
        seconds = time.perf_counter() - start
        path = PAGES / (re.sub(r"\W+", "-", peer.name) + ".html")
        path.write_text(inliner.page(text), encoding="utf-8")
        pages.append(Page(peer.name, path, seconds, peer.step, peer.keys))
    return pages, inliner.absent


def cells(figures: Figures, ours: Figures) -> list[str]:
    """Each figure and, of a peer, how many times ours it is."""
    pairs = zip(vars(figures).values(), vars(ours).values(), COLUMNS, strict=True)
    return [_cell(value, value / own if figures is not ours else NAN, *column) for value, own, column in pairs]


def _cell(value: float, ratio: float, _: str, unit: str, decimals: int) -> str:
    if math.isnan(value):
        return "–"
    shown = f"{value / (MB if unit == 'MB' else 1):.{decimals}f} {unit}"
    return shown if math.isnan(ratio) else f"{shown} ({ratio:.{1 if ratio < 10 else 0}f}×)"


def limits(ours: Figures, changes: dict[str, list[Times]]) -> list[list[str]]:
    """Our page's figures beside what was asked of it."""
    return [
        ["bytes", f"{ours.size / MB:.2f} MB", "", "1.00 MB"],
        ["bytes, gzip", f"{ours.packed / MB:.3f} MB", "", "0.400 MB"],
        ["from navigation to interactive map", f"{ours.load:.0f} ms", "", "1000 ms"],
        *([name, *(f"{each.median:.1f} ms (least {each.least:.1f})" for each in both), "45 ms"]
          for name, both in changes.items()),
        ["memory of JavaScript", f"{ours.heap / MB:.0f} MB", "", "150 MB"],
        ["memory of the page's process", f"{ours.process / MB:.0f} MB", "", "150 MB"],
    ]  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    if markdown:
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in (head, *rows))


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]


def machine(version: str) -> str:
    listing = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", listing.read_text()) if listing.exists() else None
    processor = named[1] if named else platform.machine()
    busy = f", of which {os.getloadavg()[0]:.1f} busy" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores{busy} ({processor}), {platform.system()}, Chromium {version} without a GPU"


def report(seen: dict[str, Seen], absent: set[str], whole: float, *, markdown: bool) -> None:
    ours = seen[OURS].figures
    print(f"{machine(seen[OURS].version)}\n")
    rows = [[name, *cells(each.figures, ours)] for name, each in seen.items()]
    print(table(["", *(heading for heading, _, _ in COLUMNS)], rows, markdown=markdown))
    for name, each in seen.items():
        if each.frames > 1:
            print(f"\n{name}: a step's map stands after {each.frames} frames; its time is that of all of them")
        for complaint in each.complaints:
            print(f"\n{name}: {complaint}")
    if absent:
        print(f"\nleft out, since npm has them not and no page here shows them: {', '.join(sorted(absent))}")
    if not math.isnan(whole):
        print(f"\nour whole run, from reading to the last file: {whole:.1f} s")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help=f"a run folder; a run for {YEAR} is made if not given")
    parser.add_argument("--ours", action="store_true", help="only our page, without the peers")
    parser.add_argument("--opens", type=int, default=5, help="how often a page is opened (default: 5)")
    parser.add_argument("--steps", type=int, default=30, help="how many steps are timed (default: 30)")
    parser.add_argument("--markdown", action="store_true", help="tables as Markdown")
    return parser.parse_args()


def main() -> int:
    args = options()
    PAGES.mkdir(parents=True, exist_ok=True)
    page, whole = make_ours(args.run)
    others, absent = ([], set()) if args.ours else make_peers()
    seen = look([page, *others], args.opens, args.steps)
    report(seen, absent, whole, markdown=args.markdown)
    rows = limits(seen[OURS].figures, look_closer(page, args.steps))
    print("\n" + table([OURS, "measured", "with table and card", "at most"], rows, markdown=args.markdown))
    return 1 if any(each.complaints for each in seen.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
