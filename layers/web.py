"""Ask a publisher's server for JSON: with patience, within limits of time and size, and without trust.

What may pass (no answer, a cut line, a server's own error, half an answer) is tried again after a wait that doubles;
what will not (a page that is not there, HTML, a redirect elsewhere, an answer without end) is refused at once.
"""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from urllib3 import exceptions as urllib3_exceptions

from geo.errors import SourceError

Found = TypeVar("Found")

CHUNK = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
AGENT = {"User-Agent": "presencia", "Accept": "application/json", "Accept-Encoding": "gzip"}
RESUME = "run it again: finished pages are kept"
# What requests raises for an address that can never be asked, whatever the network does.
BAD_ADDRESS = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema)


class Passing(Exception):  # noqa: N818  not an error until it has lasted
    """Something that the next try may find mended; never leaves this package.

    Parameters
    ----------
    what : str
        What was found, in words that follow "the last try found".
    wait_s : float, default 0
        How long the server asks to be left alone.
    """

    def __init__(self, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Limits:
    """How long and how much.

    Attributes
    ----------
    tries : int
        How often one page is asked for.
    backoff_s, longest_wait_s : float
        The first wait between two tries, which doubles with each, and the longest.
    connect_s, silence_s, request_s, total_s : float
        Seconds for a connection, between two pieces of an answer, for one answer and for one source.
    redirects : int
        How many in a row.
    page_rows : int
        The most rows that are asked for at once.
    answer_bytes, file_bytes : int
        The largest answer, unpacked, and the largest file. MGN 2025 was seen to take 256 MB in 1,122 shapes.
    """

    tries: int = 5
    backoff_s: float = 1.0
    longest_wait_s: float = 60.0
    connect_s: float = 10.0
    silence_s: float = 60.0
    request_s: float = 300.0
    total_s: float = 3600.0
    redirects: int = 5
    page_rows: int = 5000
    answer_bytes: int = 128 * 1024**2
    file_bytes: int = 1024**3


class _Session(requests.Session):
    """A session that leaves redirects alone: requests would read their bodies to the end, however long, beforehand."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Client:
    """One conversation with a server, whose time begins to run when it is made.

    Parameters
    ----------
    limits : Limits
        How long and how much.
    sleep, chance, clock : callable
        To be replaced in tests: waits some seconds, draws from 0 to 1, and tells the seconds.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._sleep, self._chance, self._clock = sleep, chance, clock
        self._until = clock() + limits.total_s
        self._session = _Session()
        self._session.headers.update(AGENT)
        # Public data need no one's password: without this, requests would look for one in ~/.netrc.
        self._session.auth = lambda request: request

    def ask(self, url: str, params: Mapping[str, str | int], read: Callable[[Any], Found]) -> Found:
        """Ask until the answer can be read, or patience ends.

        Parameters
        ----------
        url : str
            The address.
        params : mapping
            The query.
        read : callable
            Takes the parsed JSON and returns what is wanted of it; raises Passing where the answer is not whole.

        Returns
        -------
        object
            What ``read`` returned.

        Raises
        ------
        SourceError
            If the server refuses, answers something else, or does not answer in time.
        """
        for attempt in range(1, self.limits.tries + 1):
            try:
                return _read_with(read, self._parsed(url, params))
            except Passing as cause:
                if attempt == self.limits.tries:
                    raise SourceError(
                        f"{url} must answer and did not in {attempt} tries; the last found {cause}: {RESUME}"
                    ) from cause
                self._wait(attempt, cause, url)
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait(self, attempt: int, cause: Passing, url: str) -> None:
        """Wait twice as long as last time, spread by chance so that many clients do not return at once."""
        backoff = min(self.limits.backoff_s * 2 ** (attempt - 1), self.limits.longest_wait_s)
        seconds = max(cause.wait_s, backoff * (0.5 + self._chance() / 2))
        if self._clock() + seconds > self._until:
            raise SourceError(
                f"{url} must answer within {self.limits.total_s:,.0f} s in all; the last try found {cause}, and the "
                f"next is due in {seconds:,.0f} s: run it again later, finished pages are kept"
            ) from cause
        self._sleep(seconds)

    def _parsed(self, url: str, params: Mapping[str, str | int]) -> Any:
        body = self._followed(url, params)
        try:
            return json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as cause:
            if body.lstrip()[:1] == b"<":
                raise SourceError(_html(url)) from cause
            raise Passing(f"no whole JSON ({len(body):,} bytes: {cause})") from cause

    def _followed(self, url: str, params: Mapping[str, str | int]) -> bytes:
        """The body at the end of a short chain of redirects that stays with one protocol."""
        address = _address(url, params)
        seen = [address]
        until = min(self._clock() + self.limits.request_s, self._until)
        while isinstance(answer := self._answer(address, until), str):
            address, scheme = _joined(address, answer)
            if address in seen or len(seen) > self.limits.redirects:
                raise SourceError(f"{url} must lead to data and redirects in a circle or without end ({address})")
            if scheme != urlsplit(url).scheme:
                raise SourceError(
                    f"{url} must stay with its protocol and redirects to {address}; if you trust that address, give it "
                    "with --mirror"
                )
            seen.append(address)
        return answer

    def _answer(self, address: str, until: float) -> bytes | str:
        """The body of an answer, or where it says to look instead."""
        left = self._left(until)
        timeout = (min(self.limits.connect_s, left), min(self.limits.silence_s, left))
        try:
            with self._session.get(address, timeout=timeout, allow_redirects=False, stream=True) as response:
                if response.status_code in REDIRECTS and "Location" in response.headers:
                    return response.headers["Location"]
                _check_head(response, address, self.limits.answer_bytes)
                return self._body(response, address, until)
        except BAD_ADDRESS as cause:
            raise SourceError(
                f"{address} must be an address of the web and is not ({cause}); check --mirror"
            ) from cause
        except requests.exceptions.SSLError as cause:
            raise SourceError(
                f"{address} must prove who it is and does not ({_short(cause)}); do not use it"
            ) from cause
        except (requests.RequestException, urllib3_exceptions.HTTPError, OSError) as cause:
            raise Passing(f"no whole answer ({_short(cause)})") from cause

    def _left(self, until: float) -> float:
        left = until - self._clock()
        if self._clock() >= self._until:
            raise SourceError(
                f"the source must arrive within {self.limits.total_s:,.0f} s in all and did not; {RESUME}"
            )
        if left <= 0:
            raise Passing(f"no whole answer within {self.limits.request_s:,.0f} s")
        return left

    def _body(self, response: requests.Response, address: str, until: float) -> bytes:
        """The unpacked body, read piece by piece, so that neither a slow server nor a packed bomb goes on for ever."""
        unpack = _unpacker(response, address)
        body = bytearray()
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            body += unpack.take(chunk, self.limits.answer_bytes + 1 - len(body))
            if len(body) > self.limits.answer_bytes:
                _too_large(address, self.limits.answer_bytes)
            self._left(until)
        unpack.finish()
        return bytes(body)


class _Plain:
    """A body as it is."""

    def take(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]

    def finish(self) -> None:
        return


class _Gzip:
    """A gzipped body, unpacked no further than asked."""

    def __init__(self) -> None:
        self._unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def take(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._unzip.decompress(chunk, most)
        except zlib.error as cause:
            raise Passing(f"no whole gzip ({cause})") from cause

    def finish(self) -> None:
        if not self._unzip.eof:
            raise Passing("a gzip that ends too soon")


def _unpacker(response: requests.Response, address: str) -> _Plain | _Gzip:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        return _Gzip()
    if encoding in {"identity", ""}:
        return _Plain()
    raise SourceError(f"{address} must answer plain or in gzip, as asked, and answers in {encoding!r}")


def _check_head(response: requests.Response, address: str, most: int) -> None:
    """Refuse by status, type and length before a byte of the body is read."""
    status = response.status_code
    if status in PASSING or status >= 500:
        raise Passing(f"HTTP {status} {response.reason}", _retry_after(response.headers.get("Retry-After", "")))
    if status != 200:
        raise SourceError(
            f"{address} must answer 200 and answers {status} {response.reason}; "
            "the publisher may have moved it: see docs/downloads.md"
        )
    if "html" in response.headers.get("Content-Type", "").lower():
        raise SourceError(_html(address))
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
        _too_large(address, most)


def _read_with(read: Callable[[Any], Found], parsed: Any) -> Found:
    try:
        return read(parsed)
    except RecursionError as cause:
        raise Passing("lists within lists without end") from cause


def _joined(address: str, location: str) -> tuple[str, str]:
    """Where a redirect leads, and by which protocol."""
    try:
        target = urljoin(address, location)
        return target, urlsplit(target).scheme
    except ValueError as cause:
        raise SourceError(f"{address} must redirect to an address and redirects to {location!r:.80}") from cause


def _retry_after(text: str) -> float:
    """Seconds from now, from a number of seconds or a date; 0 for what is neither."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())


def _address(url: str, params: Mapping[str, str | int]) -> str:
    try:
        return requests.Request("GET", url, params=dict(params)).prepare().url or url
    except BAD_ADDRESS as cause:
        raise SourceError(_no_address(url, cause)) from cause


def _no_address(address: str, cause: Exception) -> str:
    return f"{address} must be an address of the web and is not ({_short(cause)}); check --mirror"


def _html(address: str) -> str:
    return (
        f"{address} must answer JSON and answers HTML: a sign-in page of your network, or maintenance; "
        "open the address in a browser"
    )


def _too_large(address: str, most: int) -> NoReturn:
    raise SourceError(f"{address} must answer at most {most:,} bytes, unpacked, and answers more; it is refused")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _short(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:160] or type(cause).__name__
