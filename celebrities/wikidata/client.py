"""Requests to Wikimedia that follow its rules for programs.

Uses requests for pooling, TLS, proxies and gzip, but not urllib3's Retry. Half of Wikimedia's
reasons to wait are in the body of an answer with status 200, which Retry doesn't read, and Retry's
first repetition comes without a pause. One loop here makes every attempt and keeps the pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode, urljoin

import requests
from urllib3.exceptions import HTTPError

from celebrities.wikidata.addresses import Addresses, host_of
from celebrities.wikidata.answers import (
    Answer,
    TryAgain,
    check_picture,
    read_json,
    read_retry_after,
)
from celebrities.wikidata.cache import Cache
from celebrities.wikidata.errors import (
    BadPicture,
    ForbiddenAddress,
    NoContact,
    Refused,
    Unavailable,
)
from lookalike import __version__

REDIRECTS = {301, 302, 303, 307, 308}
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 200_000_000
MAX_PICTURE_BYTES = 50_000_000
MAX_SILENT_PICTURES = 3
"""After this many pictures in a row without an answer, the picture server counts as down."""
QUIET = "quiet until"


@dataclass(frozen=True, slots=True)
class Manners:
    """Pace, pauses and time limits, in seconds."""

    distance: float = 0.35
    """Minimum time from an answer's first byte to the next request. Measured there, the server
    never sees more than 3 requests a second, whatever the network's delays."""
    first_pause: float = 1.0
    longest_pause: float = 60.0
    """Pauses double from the first to the longest."""
    longest_wait: float = 900.0
    """A longer Retry-After ends the run. The next run still respects it."""
    tries: int = 8
    picture_tries: int = 5
    """For a picture that doesn't come, though its server isn't busy."""
    timeout: tuple[float, float] = (10.0, 65.0)
    """To connect, and to wait for more data. A query may take 60 s."""
    longest_answer: float = 180.0


class Client:
    """Sends one request at a time and caches answers for a day.

    ``endpoints`` are the addresses of the services, Commons' last. ``on_wait`` is called with a
    sentence before each pause. Raises NoContact and ForbiddenAddress.
    """

    def __init__(
        self,
        cache: Cache,
        contact: str,
        endpoints: tuple[str, ...] = (),
        manners: Manners | None = None,
        on_wait: Callable[[str], None] = lambda words: None,
    ) -> None:
        self.cache = cache
        self.endpoints = endpoints
        self.manners = manners or Manners()
        self.on_wait = on_wait
        self._addresses = Addresses(endpoints)
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": make_user_agent(contact), "Accept-Encoding": "gzip"}
        )
        self._next = 0.0
        self._silent_pictures = 0

    def get_json(
        self,
        endpoint: str,
        params: dict[str, str],
        key: str,
        *,
        accept: str = "application/json",
        keep: bool = True,
    ) -> dict[str, Any]:
        """An API's answer, which must have ``key``. Raises Unavailable, Refused and TooSlow.

        ``keep=False`` bypasses the cache, for callers that cache parts of the answer.
        """
        address = f"{endpoint}?{urlencode(params)}"

        def check(answer: Answer) -> None:
            read_json(answer, key)

        body = self._get(address, check, self.manners.tries, MAX_ANSWER_BYTES, accept, keep)
        return read_json(Answer(200, {}, body), key)

    def get_picture(self, address: str, sha1: str = "") -> bytes:
        """Download a picture, and decode it once to be sure that it is complete.

        ``sha1`` is the file's checksum if it is known. Raises BadPicture if there is something
        wrong with this picture, and Unavailable if the server is down or busy.
        """

        def check(answer: Answer) -> None:
            check_picture(answer, sha1)

        try:
            body = self._get(address, check, self.manners.picture_tries, MAX_PICTURE_BYTES, "*/*")
        except (Refused, ForbiddenAddress) as error:
            raise BadPicture(str(error)) from error
        except Unavailable as error:
            if not self._is_own_fault(error):
                raise
            raise BadPicture(str(error.__cause__)) from error
        self._silent_pictures = 0
        return body

    def _is_own_fault(self, error: Unavailable) -> bool:
        """True if the next picture may well succeed."""
        cause = error.__cause__
        if isinstance(cause, TryAgain) and cause.own_fault:
            return True
        self._silent_pictures += 1
        is_silent = isinstance(cause, TryAgain) and cause.__cause__ is not None
        return is_silent and self._silent_pictures < MAX_SILENT_PICTURES and self._is_alive()

    def _is_alive(self) -> bool:
        """True if Commons gives any answer at all."""
        try:
            self._request(f"{self.endpoints[-1]}?action=query&format=json", "*/*", 1_000_000)
        except TryAgain:
            return False
        return True

    def _get(
        self,
        address: str,
        check: Callable[[Answer], None],
        tries: int,
        max_bytes: int,
        accept: str,
        keep: bool = True,
    ) -> bytes:
        """The cached body, or that of the first answer that passes ``check``."""
        known = self.cache.get(address) if keep else None
        if known is not None:
            return known
        pause = self.manners.first_pause
        for tried in count(1):
            try:
                answer = self._follow(address, accept, max_bytes)
                check(answer)
            except TryAgain as again:
                wait = max(pause, again.after or 0.0)
                self._keep_quiet(again.after)
                last = max(tries, self.manners.tries) if again.is_busy else tries
                if tried == last or wait > self.manners.longest_wait:
                    raise Unavailable(_describe(address, again)) from again
                self.on_wait(f"{host_of(address)}: {again}. Asking again in {wait:.0f} s.")
                self._next = max(self._next, time.monotonic() + wait)
                pause = min(2 * pause, self.manners.longest_pause)
            else:
                if keep:
                    self.cache.put(address, answer.body)
                return answer.body
        raise AssertionError("the last try raises")

    def _follow(self, address: str, accept: str, max_bytes: int) -> Answer:
        """Request an address and follow its redirects."""
        self._addresses.check(address)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._request(address, accept, max_bytes)
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not target:
                return answer
            try:
                address = urljoin(address, target)
                self._addresses.check(address)
            except (ForbiddenAddress, ValueError) as error:
                raise TryAgain(f"a redirect, but {error}", own_fault=True) from None
        raise TryAgain("redirects in a circle", own_fault=True)

    def _request(self, address: str, accept: str, max_bytes: int) -> Answer:
        self._wait_for_turn()
        try:
            with self._session.get(
                address,
                headers={"Accept": accept},
                stream=True,
                allow_redirects=False,
                timeout=self.manners.timeout,
            ) as response:
                self._next = time.monotonic() + self.manners.distance
                body = self._read(response, max_bytes)
                answer = Answer(response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError, ValueError) as error:
            # requests raises ValueError for a redirect to something that is no URL.
            self._next = time.monotonic() + self.manners.distance
            raise TryAgain(f"no answer ({type(error).__name__})") from error
        if answer.status >= 400:
            self._keep_quiet(read_retry_after(answer))
        return answer

    def _keep_quiet(self, seconds: float | None) -> None:
        """Ask nothing for so long. Stored, so that a run started meanwhile waits as well."""
        until = time.time() + (seconds or 0.0)
        if until > self.cache.get_time(QUIET):
            self.cache.set_time(QUIET, until)

    def _wait_for_turn(self) -> None:
        while True:
            quiet = self.cache.get_time(QUIET) - time.time()
            if quiet > self.manners.longest_wait:
                raise Unavailable(
                    f"Wikimedia asked for a pause that lasts {quiet / 60:.0f} more minutes. "
                    "Run the same command again after that: it goes on where it stopped."
                )
            wait = max(self._next - time.monotonic(), quiet)
            if wait <= 0:
                return
            time.sleep(wait)

    def _read(self, response: requests.Response, max_bytes: int) -> bytes:
        deadline = time.monotonic() + self.manners.longest_answer
        body = bytearray()
        # Unlike iter_content, read1 returns what has arrived, so that a body that drips in
        # is given up in time.
        while part := response.raw.read1(1 << 16, decode_content=True):
            body += part
            if len(body) > max_bytes:
                raise Refused(f"{host_of(response.url)} sent more than {max_bytes:,} bytes.")
            if time.monotonic() > deadline:
                raise requests.Timeout("The answer takes too long.")
        return bytes(body)


def make_user_agent(contact: str) -> str:
    """Program, contact and library, as Wikimedia's User-Agent policy asks. Raises NoContact."""
    plain = " ".join(contact.encode("ascii", "ignore").decode().split())
    if not plain:
        raise NoContact(
            "Set LOOKALIKE_CONTACT to an e-mail address or a web page of yours first. Wikimedia "
            "asks every program to say who runs it, and blocks those that do not."
        )
    return f"Lookalike/{__version__} ({plain}) requests/{requests.__version__}"


def _describe(address: str, again: TryAgain) -> str:
    minutes = (again.after or 0.0) / 60
    when = f"in {minutes:.0f} minutes" if minutes > 1 else "later"
    return (
        f"{host_of(address)} gave no usable answer ({again}). "
        f"Run the same command again {when}: it goes on where it stopped."
    )
