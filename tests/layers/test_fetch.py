"""Downloads from a server that misbehaves: what lasts is refused, what passes is mended, and no run reads a half."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import geopandas as gpd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConfigError, OutputError, PresenciaError, SchemaError, SourceError
from layers import coca, fetch, pages
from layers.fetch import Action, Cached, Settings, cache_folder, decide, fetched
from layers.sources import downloads, sources
from layers.web import Limits
from tests.layers.server import LAYER, Answer, Request, Row, Rule, Server, first, said, serving
from tests.layers.small import square

ROOT = Path(__file__).resolve().parents[2]
COCA = {"52835": (100, 120), "54810": (200, 190), "86568": (30, 0), "19050": (5, 6), "05250": (7, 8), "18150": (9, 1),
        "94001": (2, 3)}  # fmt: skip
# Seven rows in pages of three: three pages, the last of one row.
QUICK = Limits(tries=3, connect_s=5.0, silence_s=5.0, request_s=10.0, total_s=20.0, page_rows=3)
IMPATIENT = replace(QUICK, silence_s=0.2, request_s=0.4)


def coca_rows(figures: dict[str, tuple[int, int]] = COCA) -> list[Row]:
    return [
        {":id": f"row-{place:04}", "coddepto": code[:2], "codmpio": code, "_2023": str(old), "_2024": str(new)}
        for place, (code, (old, new)) in enumerate(figures.items())
    ]


def shapes(codes: tuple[str, ...] = tuple(COCA)) -> list[Row]:
    return [
        {
            "type": "Feature",
            "id": place + 1,
            "properties": {"OBJECTID": place + 1, "mpio_cdpmp": code},
            "geometry": json.loads(json.dumps(square(place, 0).__geo_interface__)),
        }
        for place, code in enumerate(codes)
    ]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(fetch.FOLDER_VARIABLE, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(rows={"acs4-3wgp": coca_rows()}, features=shapes())) as running:
        yield running


class Fetcher:
    """Fetches from the server into a cache, does not really wait, and checks that nothing half-written is read."""

    def __init__(self, server: Server, cache: Path) -> None:
        self.server, self.cache = server, cache
        self.waits: list[float] = []
        self.told: list[tuple[str, int, int]] = []

    def __call__(self, name: str = "coca", *, limits: Limits = QUICK, **settings: bool) -> fetch.Outcome:
        asked = Settings(
            self.cache, self.server.address, limits=limits, sleep=self.waits.append, chance=lambda: 1.0, **settings
        )
        try:
            return fetch.fetch(name, asked, lambda *told: self.told.append(told))
        finally:
            self.check()

    def check(self) -> None:
        """Whatever happened, each file where a run would read is the one that the lock records, and whole."""
        lock = fetch.read_lock(self.cache)
        files = {path.name for path in self.cache.iterdir()} if self.cache.exists() else set()
        assert files <= {fetch.LOCK, fetch.UNFINISHED, *(entry.file for entry in lock.values())}
        for name, entry in lock.items():
            body = (self.cache / entry.file).read_bytes()
            assert (len(body), hashlib.sha256(body).hexdigest()) == (entry.bytes, entry.sha256)
            assert len(list(pages.read_rows(fetched(name, self.cache)))) == entry.rows

    def refused(self, name: str = "coca", kind: type[PresenciaError] = SourceError, *, limits: Limits = QUICK) -> str:
        """The one-line message of a fetch that must fail, and leave nothing where a run would read."""
        with pytest.raises(kind) as error:
            self(name, limits=limits)
        message = str(error.value)
        assert "\n" not in message
        assert len(message) < 600
        with pytest.raises(SourceError):
            fetched(name, self.cache)
        return message


@pytest.fixture
def fetcher(server: Server, tmp_path: Path) -> Fetcher:
    return Fetcher(server, tmp_path / "cache")


def codes_of(path: Path) -> list[str]:
    return [row["codmpio"] for row in pages.read_rows(path)]


# What is decided


@pytest.mark.parametrize(
    ("cached", "versions", "flags", "action"),
    [
        (Cached.ABSENT, "same", "", Action.DOWNLOAD),
        (Cached.ABSENT, "other", "update", Action.DOWNLOAD),
        (Cached.DAMAGED, "same", "", Action.DOWNLOAD),
        (Cached.DAMAGED, "other", "", Action.DOWNLOAD),
        (Cached.INTACT, "same", "", Action.KEEP),
        (Cached.INTACT, "same", "update", Action.KEEP),
        (Cached.INTACT, "other", "", Action.COMPARE),
        (Cached.INTACT, "other", "update", Action.REPLACE),
        (Cached.INTACT, "other", "offline", Action.KEEP),
        (Cached.INTACT, "other", "offline update", Action.KEEP),
        (Cached.ABSENT, "same", "offline", Action.REFUSE),
        (Cached.DAMAGED, "same", "offline", Action.REFUSE),
    ],
)
def test_what_to_do_follows_from_cache_versions_and_flags(cached: Cached, versions: str, flags: str, action: Action):
    remote = "1" if versions == "same" else "2"
    asked = {flag: flag in flags.split() for flag in ("offline", "update")}
    assert decide(cached, locked="1", remote=remote, **asked) is action


@given(st.sampled_from(Cached), st.text(), st.text(), st.booleans(), st.booleans())
def test_an_intact_file_is_replaced_only_on_request(
    cached: Cached, locked: str, remote: str, offline: bool, update: bool
):
    action = decide(cached, locked=locked, remote=remote, offline=offline, update=update)
    if cached is Cached.INTACT and not update:
        assert action in {Action.KEEP, Action.COMPARE}
    if offline:
        assert action in {Action.KEEP, Action.REFUSE}


# What is offered


def test_the_official_data_sets_are_offered_by_name():
    offered = {name: offer.portal for name, offer in downloads().items()}
    assert offered == {
        "coca": "acs4-3wgp",
        "coca_grid": "v3rx-q7t3",
        "eradication": "p72f-qcvk",
        "pnis": "v4pt-rnn9",
        "divipola": "gdxc-w37w",
        "police": "jwvi-unqh",
        "boundaries": "",
    }
    mgn = downloads()["boundaries"]
    assert mgn.layer == f"https://geoportal.dane.gov.co{LAYER}"
    assert (mgn.source, sources()["mgn"].bundled, sources()["mgn"].publisher) == ("mgn", False, "DANE")
    assert all(bool(offer.portal) != bool(offer.layer) for offer in downloads().values())


def test_an_unknown_name_is_refused_with_the_likely_one(fetcher: Fetcher):
    with pytest.raises(ConfigError, match="did you mean 'coca'"):
        fetcher("koca")
    with pytest.raises(ConfigError, match=r"there are .*police.*boundaries"):
        fetched("xyzzy", fetcher.cache)


# An honest server


def test_a_table_arrives_page_by_page_and_the_loader_reads_it(server: Server, fetcher: Fetcher):
    outcome = fetcher()
    assert server.pages == [0, 3, 6]
    assert outcome.action is Action.DOWNLOAD
    assert outcome.path == fetched("coca", fetcher.cache) == fetcher.cache / "coca.json"
    text = outcome.path.read_text(encoding="utf-8")
    assert text.count("\n") == len(COCA) + 2  # a row a line, between two brackets
    first_row = {key: cell for key, cell in coca_rows()[0].items() if key != ":id"}
    assert json.loads(text)[0] == first_row
    layer = coca.load(outcome.path)
    assert (layer.total(2023), layer.total(2024)) == (353, 328)
    assert fetcher.told == [("coca", 3, 7), ("coca", 6, 7), ("coca", 7, 7)]
    assert fetcher.waits == []
    assert not list((fetcher.cache / fetch.UNFINISHED).iterdir())


def test_boundaries_arrive_page_by_page_within_what_the_server_allows(server: Server, fetcher: Fetcher):
    server.page_limit = 2
    outcome = fetcher("boundaries")
    assert server.pages == [0, 2, 4, 6]
    assert outcome.path == fetcher.cache / "boundaries.geojson"
    frame = gpd.read_file(outcome.path)
    assert list(frame["mpio_cdpmp"]) == list(COCA)
    assert frame.geometry.geom_equals(gpd.GeoSeries([square(n, 0) for n in range(7)], crs="EPSG:4326")).all()


def test_the_lock_records_address_date_size_rows_and_digest(server: Server, fetcher: Fetcher):
    outcome = fetcher()
    lock = json.loads((fetcher.cache / "fetched.lock.json").read_text(encoding="utf-8"))
    body = outcome.path.read_bytes()
    entry = lock.pop("coca")
    assert not lock
    fetched_at = datetime.fromisoformat(entry.pop("fetched"))
    assert timedelta(0) <= datetime.now(UTC) - fetched_at < timedelta(minutes=1)
    assert entry == {
        "file": "coca.json",
        "url": f"{server.address}/resource/acs4-3wgp.json",
        "version": "1700000000, 7 rows",
        "bytes": len(body),
        "rows": 7,
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def test_the_lock_keeps_what_was_fetched_before(fetcher: Fetcher):
    fetcher("coca")
    fetcher("boundaries")
    assert list(fetch.read_lock(fetcher.cache)) == ["boundaries", "coca"]


def test_what_is_there_already_is_not_downloaded_again(server: Server, fetcher: Fetcher):
    fetcher()
    server.asked.clear()
    assert fetcher().action is Action.KEEP
    assert fetcher(update=True).action is Action.KEEP
    assert server.pages == []


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6])
def test_any_number_of_rows_arrives_whole(server: Server, fetcher: Fetcher, rows: int):
    server.rows["acs4-3wgp"] = coca_rows()[:rows]
    assert codes_of(fetcher().path) == list(COCA)[:rows]


def test_the_same_rows_give_the_same_bytes_whatever_the_order_of_the_pages(server: Server, fetcher: Fetcher):
    digest = fetcher().entry.sha256
    server.rows["acs4-3wgp"].reverse()
    server.updated += 1
    outcome = fetcher()
    assert outcome.entry.sha256 == digest
    assert (outcome.action, outcome.changes) == (Action.KEEP, ())
    assert outcome.entry.version == "1700000001, 7 rows"


def test_a_table_without_municipality_codes_is_refused(server: Server, fetcher: Fetcher):
    server.rows["acs4-3wgp"] = [{":id": f"row-{n}", "vereda": f"V{n}", "_2024": "1"} for n in range(4)]
    assert "DIVIPOLA" in fetcher.refused(kind=SchemaError)


# Offline and damaged


def test_offline_gives_what_is_in_the_cache_and_asks_nobody(server: Server, fetcher: Fetcher):
    fetcher()
    server.updated += 1
    server.asked.clear()
    assert fetcher(offline=True).action is Action.KEEP
    assert server.asked == []


def test_offline_without_a_file_is_refused(server: Server, fetcher: Fetcher):
    with pytest.raises(SourceError, match=r"it is not there; run 'python scripts/fetch.py coca'"):
        fetcher(offline=True)
    assert server.asked == []
    assert not fetcher.cache.exists()


def test_a_damaged_file_is_not_given_and_is_downloaded_again(fetcher: Fetcher):
    path = fetcher().path
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"120"', b'"121"'))
    with pytest.raises(SourceError, match="sha256"):
        fetched("coca", fetcher.cache)
    with pytest.raises(SourceError, match="sha256"):
        fetch.fetch("coca", Settings(fetcher.cache, offline=True))
    assert fetcher().action is Action.DOWNLOAD
    assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "{", "[]", '{"coca": 1}', '{"coca": {"file": "coca.json"}}'])
def test_a_damaged_lock_is_refused(fetcher: Fetcher, text: str):
    fetcher()
    (fetcher.cache / fetch.LOCK).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="readable lock"):
        fetched("coca", fetcher.cache)


def test_no_network_points_to_the_cache(server: Server, fetcher: Fetcher):
    fetcher()
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        server.address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SourceError, match=r"in the cache: --offline uses it"):
            fetcher()
    assert codes_of(fetched("coca", fetcher.cache)) == list(COCA)


# What passes


def html(server: Server, request: Request) -> Answer:
    return Answer(b"<!DOCTYPE html><title>Sign in</title>", headers={"Content-Type": "text/html; charset=utf-8"})


def unlabelled_html(server: Server, request: Request) -> Answer:
    return Answer(b"<html><body>Under maintenance</body></html>", headers={"Content-Type": "application/json"})


def broken(server: Server, request: Request) -> Answer:
    return Answer(b"<h1>Internal Server Error</h1>", 500, {"Content-Type": "text/html"})


def silent(server: Server, request: Request) -> Answer:
    return Answer(b"[]", hold_s=5)


def cut(server: Server, request: Request) -> Answer:
    body = server.truth(request)
    return Answer(body.body[: len(body.body) // 2], headers=body.headers, length=len(body.body))


def cut_plain(server: Server, request: Request) -> Answer:
    body = gzip.decompress(server.truth(request).body)
    return Answer(body[: len(body) // 2], headers={"Content-Type": "application/json"})


def cut_gzip(server: Server, request: Request) -> Answer:
    body = server.truth(request)
    return Answer(body.body[:-12], headers=body.headers)


def slow(server: Server, request: Request) -> Answer:
    return Answer(b"[" + b" " * 200 + b"]", drip_s=0.05)


def short(server: Server, request: Request) -> Answer:
    return said(json.loads(gzip.decompress(server.truth(request).body))[:-1])


def empty(server: Server, request: Request) -> Answer:
    return said([])


def first_page(server: Server, request: Request) -> Answer:
    return server.truth(Request(request.path, {**request.query, "$offset": "0"}, request.number))


PASSES = {
    "a server's own error": (broken, "HTTP 500"),
    "a time-out": (silent, "timed out"),
    "a connection cut half-way": (cut, "no whole answer"),
    "an answer that ends too soon": (cut_plain, "no whole JSON"),
    "a gzip that ends too soon": (cut_gzip, "gzip"),
    "a body that drips": (slow, "within"),
    "a short page": (short, "a page of 2 rows where 3 were announced"),
    "a missing page": (empty, "a page of 0 rows where 3 were announced"),
    "a page that was sent before": (first_page, "came before"),
    "rows that are none": (lambda *_: said([1, 2, 3]), "without :id"),
    "an object instead of rows": (lambda *_: said({"rows": []}), "no list of rows"),
    "no JSON": (lambda *_: Answer(b"[{:]"), "no whole JSON"),
    "NaN": (lambda *_: Answer(b'[{":id": NaN}]'), "NaN"),
    "nesting without end": (lambda *_: Answer(b"[" * 100_000), "no whole JSON"),
    "nesting with an end": (lambda *_: Answer(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"), "no "),
}


def limits_for(misbehave: Callable[[Server, Request], Answer]) -> Limits:
    return IMPATIENT if misbehave in {silent, slow} else QUICK


@pytest.mark.parametrize("case", PASSES)
def test_what_passes_is_tried_again(server: Server, fetcher: Fetcher, case: str):
    misbehave, _ = PASSES[case]
    server.rules = [first(2, misbehave, page=3)]
    outcome = fetcher(limits=limits_for(misbehave))
    assert codes_of(outcome.path) == list(COCA)
    assert server.pages == [0, 3, 3, 3, 6]
    assert fetcher.waits == [1.0, 2.0]


@pytest.mark.parametrize("case", PASSES)
def test_what_does_not_pass_is_refused_and_finished_pages_are_kept(server: Server, fetcher: Fetcher, case: str):
    misbehave, words = PASSES[case]
    server.rules = [first(10**6, misbehave, page=3)]
    message = fetcher.refused(limits=limits_for(misbehave))
    repeats = case == "a page that was sent before"
    assert ("hold still" if repeats else words) in message
    server.rules.clear()
    server.asked.clear()
    assert codes_of(fetcher().path) == list(COCA)
    # Which of two equal pages was the wrong one cannot be told, so that both are fetched again.
    assert server.pages == ([0, 3, 6] if repeats else [3, 6])


def test_waits_double_are_spread_by_chance_and_have_an_end(server: Server, fetcher: Fetcher):
    server.rules = [first(6, broken, page=0)]
    fetcher(limits=Limits(tries=7, total_s=1000, page_rows=3, longest_wait_s=10.0))
    assert fetcher.waits == [1, 2, 4, 8, 10, 10]
    server.rules, server.updated = [first(1, broken, page=0)], server.updated + 1
    settings = Settings(fetcher.cache, server.address, limits=QUICK, sleep=fetcher.waits.append, chance=lambda: 0.0)
    fetch.fetch("coca", settings)
    assert fetcher.waits[-1] == 0.5


def retry_after(text: str) -> Rule:
    return first(1, lambda *_: Answer(b"slow down", 429, {"Retry-After": text}), page=0)


def test_a_server_that_asks_to_be_left_alone_is(server: Server, fetcher: Fetcher):
    server.rules = [retry_after("7")]
    assert fetcher().action is Action.DOWNLOAD
    assert fetcher.waits == [7.0]


def test_it_may_say_so_with_a_date(server: Server, fetcher: Fetcher):
    server.rules = [retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True))]
    fetcher()
    assert 7 < fetcher.waits[0] <= 10


@pytest.mark.parametrize("text", ["soon", "", "-3", "Fri, 99 Foo 2020 00:00:00 GMT", "٣"])
def test_a_date_that_is_none_is_not_waited_for(server: Server, fetcher: Fetcher, text: str):
    server.rules = [first(1, lambda *_: Answer(b"", 503, {"Retry-After": text.encode().decode("latin-1")}), page=0)]
    fetcher()
    assert fetcher.waits == [1.0]


def test_a_wait_beyond_the_time_limit_is_not_begun(server: Server, fetcher: Fetcher):
    server.rules = [retry_after("3600")]
    message = fetcher.refused()
    assert "3,600 s" in message
    assert "20 s in all" in message
    assert fetcher.waits == []


def test_the_time_limit_holds_for_all_pages_together(server: Server, fetcher: Fetcher):
    server.rules = [first(10**6, lambda s, r: Answer(s.truth(r).body, 200, s.truth(r).headers, hold_s=0.25))]
    began = time.monotonic()
    message = fetcher.refused(limits=Limits(total_s=0.6, page_rows=1, silence_s=1.0))
    assert "0.6" in message or "1 s" in message
    assert time.monotonic() - began < 3
    assert len(server.pages) < 6


# What does not pass


def redirected(to: str) -> Callable[[Server, Request], Answer]:
    return lambda server, request: Answer(b"", 302, {"Location": to.format(server=server.address)})


def bomb(server: Server, request: Request) -> Answer:
    packed = gzip.compress(b" " * 50_000_000, 9)
    return Answer(packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


def altered_cell(server: Server, request: Request, cell: object) -> Answer:
    """The truth with another figure; what JSON cannot say is written as its nearest."""
    rows = json.loads(gzip.decompress(server.truth(request).body))
    rows[1]["_2024"] = cell
    return Answer(json.dumps(rows).replace("Infinity", "1e999").encode())


REFUSED = {
    "HTML": (html, "answers HTML"),
    "HTML that says it is JSON": (unlabelled_html, "answers HTML"),
    "a redirect to another protocol": (redirected("https://127.0.0.1/x"), "protocol"),
    "a redirect to a file": (redirected("file:///etc/passwd"), "protocol"),
    "a redirect to no address": (redirected("http://["), "redirects to 'http://['"),
    "half a character": (lambda s, r: altered_cell(s, r, "\ud800"), "surrogates not allowed"),
    "a number beyond all numbers": (lambda s, r: altered_cell(s, r, 1e999), "Out of range float"),
    "a length beyond all numbers": (lambda *_: Answer(b"[]", headers={"Content-Length": "9" * 5000}), "at most"),
    "a page that is gone": (lambda *_: Answer(b"{}", 404), "404"),
    "a forbidden page": (lambda *_: Answer(b"{}", 403), "403"),
    "a packed bomb": (bomb, "at most 1,000,000 bytes"),
    "an answer too long": (lambda *_: Answer(b" " * 1_500_000), "at most 1,000,000 bytes"),
    "an encoding that was not asked for": (
        lambda *_: Answer(b"[]", headers={"Content-Encoding": "br"}), "plain or in gzip"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_will_not_pass_is_refused_at_once(server: Server, fetcher: Fetcher, case: str):
    misbehave, words = REFUSED[case]
    server.rules = [first(10**6, misbehave, page=3)]
    limits = Limits(tries=3, silence_s=1.0, total_s=20.0, page_rows=3, answer_bytes=1_000_000)
    assert words in fetcher.refused(limits=limits)
    assert fetcher.waits == []


def test_redirects_in_a_circle_are_refused(server: Server, fetcher: Fetcher):
    server.rules = [lambda s, r: Answer(b"", 302, {"Location": "/b" if r.path == "/a" else "/a"})]
    assert "in a circle" in fetcher.refused()
    assert [request.path for request in server.asked] == ["/api/views/acs4-3wgp.json", "/a", "/b"]
    assert fetcher.waits == []


def test_redirects_without_end_are_refused(server: Server, fetcher: Fetcher):
    server.rules = [lambda s, r: Answer(b"", 301, {"Location": f"{s.address}/hop/{r.number}"})]
    assert "without end" in fetcher.refused()
    assert len(server.asked) == QUICK.redirects + 1


def test_the_body_of_a_redirect_is_not_read(server: Server, fetcher: Fetcher):
    def endless(server: Server, request: Request) -> Answer | None:
        if request.path != "/api/views/acs4-3wgp.json":
            return None
        return Answer(b" " * 300, 302, {"Location": "/api/views/acs4-3wgp-2.json"}, drip_s=0.05)

    server.rules = [endless]
    began = time.monotonic()
    assert fetcher().action is Action.DOWNLOAD
    assert time.monotonic() - began < 10


def test_a_redirect_to_a_moved_page_is_followed(server: Server, fetcher: Fetcher):
    def moved(server: Server, request: Request) -> Answer | None:
        if request.path == "/api/views/acs4-3wgp.json":
            return Answer(b"", 301, {"Location": "/api/views/acs4-3wgp-2.json"})
        return None

    server.rules = [moved]
    assert fetcher().action is Action.DOWNLOAD


def test_a_file_too_large_is_refused(fetcher: Fetcher):
    limits = Limits(tries=3, page_rows=3, file_bytes=400)
    assert "at most 400 bytes" in fetcher.refused(limits=limits)


@pytest.mark.parametrize(("announced", "words"), [(8, "2 were announced"), (6, "0 were announced"), (0, "announces 0")])
@pytest.mark.parametrize("name", ["coca", "boundaries"])
def test_a_wrong_count_is_refused(server: Server, fetcher: Fetcher, name: str, announced: int, words: str):
    server.announced = announced
    assert words in fetcher.refused(name)


@pytest.mark.parametrize("answer", [[], [{}], [{"count": "many"}], {"error": True}, "7", None])
def test_a_count_that_is_none_is_refused(server: Server, fetcher: Fetcher, answer: object):
    server.rules = [lambda s, r: said(answer) if r.query.get("$select") == "count(*)" else None]
    assert "no count" in fetcher.refused()


@pytest.mark.parametrize("answer", [[], {}, {"rowsUpdatedAt": None}, {"error": True, "message": "gone"}, "x"])
def test_a_data_set_that_does_not_say_when_it_changed_is_refused(server: Server, fetcher: Fetcher, answer: object):
    server.rules = [lambda s, r: said(answer) if r.path.startswith("/api/views") else None]
    assert "rowsUpdatedAt" in fetcher.refused()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ({"geometry": None}, "without a polygon"),
        ({"geometry": {"type": "Point", "coordinates": [0, 0]}}, "without a polygon"),
        ({"properties": None}, "without properties"),
        ({"id": None, "properties": {"mpio_cdpmp": "52835"}}, "without OBJECTID"),
        ({"id": 1}, "came before"),
    ],
)
def test_shapes_that_are_none_are_refused(server: Server, fetcher: Fetcher, harm: Row, words: str):
    server.features[4] |= harm
    message = fetcher.refused("boundaries")
    assert words in message or "hold still" in message


@pytest.mark.parametrize(("code", "tries"), [(400, 1), (499, 1), (500, 3), (504, 3)])
def test_an_error_that_comes_with_status_200_is_an_error(server: Server, fetcher: Fetcher, code: int, tries: int):
    error = {"error": {"code": code, "message": "Cannot perform query"}}
    server.rules = [first(10**6, lambda *_: said(error), page=0)]
    assert "Cannot perform query" in fetcher.refused("boundaries")
    assert len(server.pages) == tries


@pytest.mark.parametrize("mirror", ["ftp://example.org", "example.org", "file:///tmp", "http://", "http://["])
def test_a_mirror_that_is_no_address_is_refused(tmp_path: Path, mirror: str):
    with pytest.raises(ConfigError, match="--mirror"):
        fetch.fetch("coca", Settings(tmp_path, mirror))


def test_a_cache_that_cannot_be_written_is_refused(server: Server, tmp_path: Path):
    in_the_way = tmp_path / "taken"
    in_the_way.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="--cache"):
        fetch.fetch("coca", Settings(in_the_way, server.address, limits=QUICK))
    assert in_the_way.read_text(encoding="utf-8") == "mine"


# What changes


def altered() -> list[Row]:
    """Tumaco has more, Puerto Asís is gone, San José del Guaviare is new."""
    figures = {**COCA, "52835": (100, 150), "95001": (11, 12)}
    del figures["86568"]
    return [{**row, "_2025": "1"} for row in coca_rows(figures)]


def test_what_the_publisher_changed_is_told_and_the_old_file_kept(server: Server, fetcher: Fetcher):
    before = fetcher()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    outcome = fetcher()
    assert outcome.action is Action.COMPARE
    assert outcome.entry == before.entry
    assert coca.load(outcome.path).years == (2023, 2024)
    assert outcome.changes == (
        "rows: 7 before, 7 now (7 new or altered, 7 gone or altered)",
        "municipalities with rows now: 95001",
        "municipalities without rows now: 86568",
        "years new: 2025",
        "totals: 2024: 370 ha (was 328), 2023: 334 ha (was 353)",
    )


def test_on_request_the_old_file_is_replaced_and_no_page_fetched_twice(server: Server, fetcher: Fetcher):
    fetcher()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    told = fetcher().changes
    server.asked.clear()
    outcome = fetcher(update=True)
    assert server.pages == []
    assert (outcome.action, outcome.changes) == (Action.REPLACE, told)
    assert coca.load(fetched("coca", fetcher.cache)).years == (2023, 2024, 2025)
    assert fetcher().action is Action.KEEP


def test_boundaries_tell_which_municipalities_came_and_went(server: Server, fetcher: Fetcher):
    fetcher("boundaries")
    server.features = shapes(("27493", *list(COCA)[1:]))
    server.updated += 1
    assert fetcher("boundaries").changes == (
        "rows: 7 before, 7 now (1 new or altered, 1 gone or altered)",
        "municipalities with rows now: 27493",
        "municipalities without rows now: 52835",
    )


def test_a_new_file_that_the_loader_refuses_is_told(server: Server, fetcher: Fetcher):
    fetcher()
    server.rows["acs4-3wgp"][0]["_2024"], server.updated = "many", server.updated + 1
    assert any("cannot be read as coca" in line and "many" in line for line in fetcher().changes)


def test_a_failed_update_leaves_the_old_file(server: Server, fetcher: Fetcher):
    before = fetcher()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    server.rules = [first(10**6, broken, page=6)]
    with pytest.raises(SourceError):
        fetcher(update=True)
    assert fetched("coca", fetcher.cache).read_bytes().count(b'"120"') == 1
    assert fetch.read_lock(fetcher.cache)["coca"] == before.entry


def test_a_change_while_pages_arrive_starts_again(server: Server, fetcher: Fetcher):
    def change(server: Server, request: Request) -> Answer:
        server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
        return server.truth(request)

    server.rules = [first(1, change, page=3)]
    assert sorted(codes_of(fetcher().path)) == sorted(row["codmpio"] for row in altered())
    assert server.pages == [0, 3, 6, 0, 3, 6]


def test_a_change_between_two_tries_discards_the_finished_pages(server: Server, fetcher: Fetcher):
    server.rules = [first(10**6, broken, page=6)]
    fetcher.refused()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    server.rules.clear()
    server.asked.clear()
    assert coca.load(fetcher().path).total(2024) == 370
    assert server.pages == [0, 3, 6]


def test_rows_that_went_while_pages_arrive_are_no_short_page(server: Server, fetcher: Fetcher):
    def shrink(server: Server, request: Request) -> Answer:
        server.rows["acs4-3wgp"], server.updated = coca_rows()[:5], server.updated + 1
        return server.truth(request)

    server.rules = [first(1, shrink, page=3)]
    assert codes_of(fetcher().path) == list(COCA)[:5]


def test_a_data_set_that_never_holds_still_is_refused(server: Server, fetcher: Fetcher):
    def change(server: Server, request: Request) -> Answer:
        server.updated += 1
        return server.truth(request)

    server.rules = [first(10**6, change, page=6)]
    assert "hold still" in fetcher.refused()
    assert server.pages == [0, 3, 6] * 3


def test_pages_that_come_in_the_wrong_order_are_all_there_and_sorted(server: Server, fetcher: Fetcher):
    def swap(server: Server, request: Request) -> Answer | None:
        if request.offset not in {0, 3}:
            return None
        return server.truth(Request(request.path, {**request.query, "$offset": str(3 - request.offset)}, 0))

    server.rules = [swap]
    assert codes_of(fetcher().path) == list(COCA)


def test_a_finished_page_that_was_damaged_since_is_fetched_again(server: Server, fetcher: Fetcher):
    server.rules = [first(10**6, broken, page=6)]
    fetcher.refused()
    page = fetcher.cache / fetch.UNFINISHED / "coca" / "000000003.json"
    page.write_bytes(page.read_bytes()[:-5])
    server.rules.clear()
    server.asked.clear()
    assert codes_of(fetcher().path) == list(COCA)
    assert server.pages == [3, 6]


# Killed


def killed(server: Server, cache: Path, until: Callable[[], bool]) -> None:
    """Run the script as a planner does, and kill it when a condition holds."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom layers import fetch\nfrom layers.web import Limits\n"
        "fetch.fetch('coca', fetch.Settings(Path(sys.argv[1]), sys.argv[2], update=True, limits=Limits(page_rows=3)))"
    )
    command = [sys.executable, "-c", code, str(cache), server.address]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "NO_PROXY": "127.0.0.1"}) as process:
        end = time.monotonic() + 20
        while not until() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_process_killed_half_way_leaves_the_old_file_and_is_resumed(server: Server, fetcher: Fetcher):
    fetcher()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    server.asked.clear()
    server.rules = [first(1, lambda s, r: Answer(s.truth(r).body, 200, s.truth(r).headers, hold_s=30), page=6)]
    killed(server, fetcher.cache, lambda: 6 in server.pages)
    fetcher.check()
    assert coca.load(fetched("coca", fetcher.cache)).years == (2023, 2024)
    server.asked.clear()
    assert fetcher(update=True).action is Action.REPLACE
    assert server.pages == [6]
    assert coca.load(fetched("coca", fetcher.cache)).years == (2023, 2024, 2025)


def die_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the process stop where it would put a file of this name in place."""
    move = os.replace

    def moved(source: Path, target: Path) -> None:
        if Path(target).name == name and fetch.UNFINISHED not in Path(target).parts:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", moved)


@pytest.mark.parametrize("name", ["coca.json", fetch.LOCK])
def test_dying_between_file_and_lock_is_noticed_and_mended(
    server: Server, fetcher: Fetcher, name: str, monkeypatch: pytest.MonkeyPatch
):
    fetcher()
    server.rows["acs4-3wgp"], server.updated = altered(), server.updated + 1
    with monkeypatch.context() as patched:
        die_at(patched, name)
        with pytest.raises(KeyboardInterrupt):
            fetch.fetch("coca", Settings(fetcher.cache, server.address, update=True, limits=QUICK))
    if name == "coca.json":
        assert coca.load(fetched("coca", fetcher.cache)).years == (2023, 2024)
    else:
        with pytest.raises(SourceError, match="sha256"):
            fetched("coca", fetcher.cache)
    server.asked.clear()
    assert fetcher(update=True).action is (Action.REPLACE if name == "coca.json" else Action.DOWNLOAD)
    assert server.pages == []
    assert coca.load(fetched("coca", fetcher.cache)).years == (2023, 2024, 2025)


# Where


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(fetch.FOLDER_VARIABLE, str(tmp_path / "named"))
    assert cache_folder(tmp_path / "given") == tmp_path / "given"
    assert cache_folder() == tmp_path / "named"
    monkeypatch.delenv(fetch.FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert cache_folder().name == "presencia"
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "xdg" / "presencia"
