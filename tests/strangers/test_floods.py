"""One sender floods the site with the costliest files it takes; somebody else uses it meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image

from tests.conftest import MakeSite
from tests.faces.photos import saved
from tests.hostile import FULL, GENERATORS
from tests.live import Site
from tests.visitor import Visitor, agree

pytestmark = pytest.mark.strangers

SECONDS, A_SECOND = 30, 20
CONNECTIONS = 40
LATER = 3.0
MEGABYTES = 512
SIDE = 7744


def make_webp() -> bytes:
    return saved(Image.new("RGB", (SIDE, SIDE)), "WEBP", lossless=True)


def make_png() -> bytes:
    return saved(Image.new("P", (SIDE, SIDE)), "PNG", transparency=bytes(range(256)))


KINDS: dict[str, Callable[[], bytes]] = {
    name: partial(GENERATORS[name], FULL)
    for name in (
        "jpeg_empty_segments",
        "jpeg_exif_that_grows",
        "jpeg_fill_bytes",
        "jpeg_scans",
        "png_empty_chunks",
        "png_profiles",
        "gif_comments",
    )
} | {"webp of one colour": make_webp, "png with a palette": make_png}


class Flood:
    """Sends one file again and again from one address, and counts the answers."""

    def __init__(self, site: Site, content: bytes) -> None:
        self.site = site
        self.content = content
        self.answers: Counter[str] = Counter()
        self._ends = time.monotonic() + SECONDS
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._thread.join()

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self._ends

    def _run(self) -> None:
        form = requests.get(self.site.url, headers=address("203.0.113.7"), timeout=30)
        body, headers = self._make_body(form)
        busy = threading.BoundedSemaphore(CONNECTIONS)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            while self.is_on:
                if busy.acquire(blocking=False):
                    done = pool.submit(self._send, body, headers)
                    done.add_done_callback(lambda _: busy.release())
                time.sleep(1 / A_SECOND)

    def _make_body(self, form: requests.Response) -> tuple[bytes, dict[str, str]]:
        request = requests.Request(
            "POST", self.site.url, data=agree(form.text), files={"photo": ("photo", self.content)}
        ).prepare()
        assert isinstance(request.body, bytes)
        cookies = "; ".join(f"{name}={value}" for name, value in form.cookies.items())
        kind = str(request.headers["Content-Type"])
        return request.body, {"Content-Type": kind, "Cookie": cookies, **address("203.0.113.7")}

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        connection = HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        try:
            connection.request("POST", "/", body, headers)
            self.answers[str(connection.getresponse().status)] += 1
        except (OSError, HTTPException) as error:
            self.answers[type(error).__name__] += 1
        finally:
            connection.close()


def address(sender: str) -> dict[str, str]:
    return {"X-Forwarded-For": sender}


@pytest.fixture
def site(make_site: MakeSite) -> Iterator[Site]:
    site = make_site(demo=True, LOOKALIKE_TRUST_PROXY="1")
    site.start("valkey", "web", "worker", "gallery")
    yield site
    site.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_02_an_honest_visitor_notices_nothing(
    kind: str, site: Site, cast: dict[str, list[Path]]
) -> None:
    photo = cast["kenji-morishige"][2]
    with Visitor(site.url) as visitor:
        visitor.session.headers.update(address("198.51.100.9"))
        usual = [time_visit(visitor, photo) for _ in range(3)]
        main, child, *_ = site.children("worker")
        taken, probes, most = [], [], 0.0
        with Flood(site, KINDS[kind]()) as flood:
            while flood.is_on:
                taken.append(time_visit(visitor, photo))
                probes.append(time_health(site))
                most = max(most, largest_process(site))
                time.sleep(1)  # Sixty photos an hour are a visitor's limit.

    assert sum(flood.answers.values()) > 100, flood.answers
    assert not {"500", "502"} & {*flood.answers}, flood.answers
    assert len(taken) > 2
    assert max(taken) < sorted(usual)[1] + LATER, (taken, usual)
    assert max(probes) < 1, probes
    assert most < MEGABYTES
    assert [main, child] == site.children("worker")[:2], site.log("worker")
    assert not re.search("Traceback|ERROR", site.log("web") + site.log("worker"))


def time_visit(visitor: Visitor, photo: Path) -> float:
    started = time.monotonic()
    visitor.wait_for_result(visitor.give(photo))
    return time.monotonic() - started


def time_health(site: Site) -> float:
    started = time.monotonic()
    assert requests.get(f"{site.url}/healthz", timeout=10).status_code == 200
    return time.monotonic() - started


def largest_process(site: Site) -> float:
    """Megabytes of memory of the site's largest process."""
    found = 0
    for name, process in site.processes.items():
        for pid in (process.pid, *site.children(name)):
            try:
                found = max(found, psutil.Process(pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue
    return found / 1e6
