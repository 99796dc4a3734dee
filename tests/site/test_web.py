"""The server in front of the pages: slow connections hold no thread, and are closed."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from pytest_django import Settings

from lookalike.middleware import BODY_FACTOR
from lookalike.processes import web
from tests.live import wait_for

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Says how much of a body arrived, and how much was promised. `/wait` waits for `release`,
    `/large` answers 30 MB, `/proxy` says what a proxy said."""
    if environ["PATH_INFO"] == "/wait":
        release.wait(20)
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/large":
        return [bytes(30_000_000)]
    if environ["PATH_INFO"] == "/proxy":
        names = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")
        return [" ".join(environ.get(name, "-") for name in names).encode()]
    return [b"%d of %s" % (len(body), environ.get("CONTENT_LENGTH", "0").encode())]


release = threading.Event()


class Served:
    """A worker's loop in a thread of this process, with two threads for requests."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        cfg = SimpleNamespace(threads=2, graceful_timeout=3)
        self.worker = web.WaitressWorker.__new__(web.WaitressWorker)
        self.worker.cfg, self.worker.wsgi, self.worker.alive = cfg, echo, True
        self.worker.sockets = [SimpleNamespace(sock=self.listener)]
        self.worker.notify = lambda: None
        self.worker.ppid = os.getppid()
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()

    def connect(self, sent: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(sent)
        return client

    def stop(self) -> None:
        self.worker.alive = False
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    release.clear()
    made = Served()
    yield made
    release.set()
    made.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "GRACE_SECONDS", 0.5)


def read_answer(client: socket.socket, end: bytes) -> bytes:
    """What the server sends until it has sent ``end``, or closes."""
    found = b""
    while not found.endswith(end) and (part := client.recv(10_000)):
        found += part
    return found


def is_closed(client: socket.socket) -> bool:
    client.settimeout(0.01)
    try:
        return client.recv(100_000) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_it_works(served: Served) -> None:
    assert requests.get(served.url, timeout=20).text == "0 of 0"
    sent = requests.post(served.url, data=b"x" * 3_000_000, timeout=20)
    assert sent.text == "3000000 of 3000000"
    assert "Server" not in sent.headers


def test_what_a_proxy_says_reaches_the_site(served: Served) -> None:
    said = {"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https"}

    answer = requests.get(f"{served.url}/proxy", headers=said, timeout=20)

    assert answer.text == "198.51.100.9 https"


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nX: ", POST % 100_000 + b"some"])
def test_06_and_08_slow_connections_hold_no_thread_and_are_closed(
    served: Served, impatient: None, begun: bytes
) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(served.connect(begun)) for _ in range(16)]
        assert requests.get(served.url, timeout=20).ok

        def all_are_closed() -> bool:
            for client in slow:
                try:
                    client.send(b"x")
                except OSError:
                    continue
            return all(is_closed(client) for client in slow)

        wait_for(all_are_closed, "the slow connections to be closed", 20)
    assert requests.get(served.url, timeout=20).ok


def test_a_body_that_keeps_the_least_rate_is_waited_for(served: Served, impatient: None) -> None:
    with served.connect(POST % 80_000) as client:
        for _ in range(16):
            time.sleep(0.1)
            client.sendall(b"x" * 5000)
        assert read_answer(client, b"80000 of 80000").endswith(b"80000 of 80000")


def test_a_silent_connection_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "IDLE_SECONDS", 0.5)
    with served.connect(b"") as silent, served.connect(b"GET / HTTP/1.1\r\n\r\n") as kept:
        assert b"200 OK" in read_answer(kept, b"0 of 0")
        wait_for(lambda: is_closed(silent) and is_closed(kept), "both to be closed", 20)


def test_an_answer_that_nobody_reads_is_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "IDLE_SECONDS", 0.5)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(served.connect(b"GET /large HTTP/1.1\r\n\r\n"))
        assert requests.get(served.url, timeout=20).ok


def test_07_a_terabyte_is_not_waited_for(served: Served) -> None:
    with served.connect(POST % 10**12) as client:
        answer = read_answer(client, b"0 of 1000000000000")
        assert answer.endswith(b"0 of 1000000000000")
        assert b"Connection: close" in answer


def test_a_body_that_is_too_large_is_read_and_thrown_away(
    served: Served, settings: Settings
) -> None:
    size = BODY_FACTOR * settings.MAX_BYTES + 1
    assert requests.post(served.url, data=bytes(size), timeout=60).text == f"0 of {size}"


def test_health_has_threads_of_its_own(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(served.connect(b"GET /wait HTTP/1.1\r\n\r\n"))
        assert requests.get(f"{served.url}/healthz", timeout=20).ok
        release.set()


def test_new_connections_push_out_those_of_whoever_holds_most(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST_CONNECTIONS", 10)
    with ExitStack() as stack:
        honest = stack.enter_context(
            socket.create_connection(("127.0.0.1", served.port), source_address=("127.0.0.2", 0))
        )
        honest.sendall(POST % 4)
        flood = [stack.enter_context(served.connect(POST % 4)) for _ in range(30)]
        wait_for(lambda: sum(map(is_closed, flood)) >= 20, "the flood to be cut", 20)
        honest.sendall(b"body")
        assert read_answer(honest, b"4 of 4").endswith(b"4 of 4")


def test_a_stop_lets_requests_end(served: Served) -> None:
    with served.connect(b"GET /wait HTTP/1.1\r\n\r\n") as client:
        time.sleep(0.3)
        served.worker.alive = False
        time.sleep(0.7)
        release.set()
        assert read_answer(client, b"0 of 0").endswith(b"0 of 0")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_rejects_what_is_no_request(served: Served, sent: bytes, status: bytes) -> None:
    with served.connect(sent) as client:
        assert client.recv(1000).split()[1] == status
