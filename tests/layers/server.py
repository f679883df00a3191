"""A local server that speaks as datos.gov.co and DANE's FeatureServer do, and misbehaves as told.

A rule is asked before each answer, in turn; the first that returns something decides. A rule may count, so that it
misbehaves once, twice or for ever.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Row = dict[str, Any]
LAYER = "/mparcgis/rest/services/MGN2025/Serv_CapasMGN_2025/FeatureServer/317"


@dataclass
class Request:
    """What was asked: the path, the query, and how many requests came before."""

    path: str
    query: dict[str, str]
    number: int

    @property
    def offset(self) -> int | None:
        """Where the page begins that is asked for; nothing where it is no page."""
        text = self.query.get("$offset", self.query.get("resultOffset"))
        return None if text is None else int(text)


@dataclass
class Answer:
    """What to send, and how badly."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # stated; the true one if not given
    drip_s: float = 0.0  # wait before each byte
    hold_s: float = 0.0  # wait before anything


Rule = Callable[["Server", Request], Answer | None]


@dataclass
class Server:
    """The published data, and the rules of misbehaviour; both may be changed while it runs."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    features: list[Row] = field(default_factory=list)
    updated: int = 1_700_000_000
    page_limit: int = 2000
    announced: int | None = None
    rules: list[Rule] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    address: str = ""

    @property
    def pages(self) -> list[int]:
        """Offsets of the pages asked for so far, in order."""
        return [offset for request in self.asked if (offset := request.offset) is not None]

    def answer(self, request: Request) -> Answer:
        """What a rule says, or else the truth."""
        for rule in self.rules:
            if (answer := rule(self, request)) is not None:
                return answer
        try:
            return self.truth(request)
        except (KeyError, AssertionError) as wrong:
            return Answer(json.dumps({"message": repr(wrong)}).encode(), 400)

    def truth(self, request: Request) -> Answer:
        """What an honest server says."""
        if request.path.startswith("/api/views/"):
            return said({"id": request.path.split("/")[-1][:9], "rowsUpdatedAt": self.updated})
        if request.path.startswith("/resource/"):
            return self._portal(self.rows[request.path.removeprefix("/resource/").removesuffix(".json")], request.query)
        if request.path == LAYER:
            return said({"maxRecordCount": self.page_limit, "editingInfo": {"dataLastEditDate": self.updated}})
        if request.path == f"{LAYER}/query":
            return self._features(request.query)
        return Answer(b'{"message":"not found"}', 404)

    def _portal(self, rows: list[Row], query: dict[str, str]) -> Answer:
        if query["$select"] == "count(*)":
            return said([{"count": str(len(rows) if self.announced is None else self.announced)}])
        assert query["$select"] == ":*,*", "the portal refuses other forms"
        assert query["$order"] == ":id"
        start = int(query["$offset"])
        system = {":created_at": "2020-01-01T00:00:00.000Z", ":version": "rv-1"}
        return said([system | row for row in rows[start : start + int(query["$limit"])]])

    def _features(self, query: dict[str, str]) -> Answer:
        assert query["where"] == "1=1"
        if query.get("returnCountOnly") == "true":
            return said({"count": len(self.features) if self.announced is None else self.announced})
        assert (query["f"], query["outSR"], query["orderByFields"]) == ("geojson", "4326", "OBJECTID")
        start, most = int(query["resultOffset"]), min(int(query["resultRecordCount"]), self.page_limit)
        return said({"type": "FeatureCollection", "features": self.features[start : start + most]})


def said(data: object) -> Answer:
    """An honest answer in JSON, gzipped as a portal does."""
    packed = gzip.compress(json.dumps(data).encode())
    return Answer(packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


def first(times: int, answer: Callable[[Server, Request], Answer], *, page: int | None = None) -> Rule:
    """Misbehave the first few times that a page is asked for, of this offset or of any."""
    left = [times]

    def rule(server: Server, request: Request) -> Answer | None:
        asked = request.offset is not None if page is None else request.offset == page
        if not asked or left[0] <= 0:
            return None
        left[0] -= 1
        return answer(server, request)

    return rule


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits 40 ms for an acknowledgement
    state: Server
    closing: threading.Event

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        request = Request(parts.path, dict(parse_qsl(parts.query)), len(self.state.asked))
        self.state.asked.append(request)
        try:
            self._send(self.state.answer(request))
        except OSError:
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self.closing.wait(answer.hold_s)
        length = len(answer.body) if answer.length is None else answer.length
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(length), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not answer.drip_s:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.drip_s else b"":
            if self.closing.is_set():
                break
            time.sleep(answer.drip_s)
            self.wfile.write(bytes([byte]))
        self.close_connection = length != len(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: some are killed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(state: Server) -> Iterator[Server]:
    """Serve on a free port of this machine."""
    closing = threading.Event()
    handler = type("Handler", (_Handler,), {"state": state, "closing": closing})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
