"""The worker that gunicorn serves the site with (`worker_class` in gunicorn.conf.py).

waitress reads requests in one loop and gives a thread only to those that have arrived whole, so
slow connections hold no thread. What it leaves open is closed here: how long a request may take to
arrive, how many connections one address may hold, and threads of their own for probes.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections import Counter
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import FixedStreamReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import Error

from lookalike.middleware import BODY_FACTOR

HEALTH_PATHS = ("/healthz", "/metrics")
HEALTH_THREADS = 4

GRACE_SECONDS = 10
"""A request's header must have arrived by then, and its body be under way."""
LEAST_RATE = 1000
"""Bytes a second of a body after that, from its beginning on."""
LONGEST_SECONDS = 600
"""No request may take longer to arrive."""
IDLE_SECONDS = 30
"""How long a connection may be silent, between requests or while an answer is sent."""

MOST_CONNECTIONS = 400
"""Of one process: with a temporary file each they stay below the usual limit of 1,024 files."""

DRAIN_BYTES = 500_000_000
"""The most that is read, and thrown away, of a body that is too large."""


class LengthRequired(Error):  # type: ignore[misc]
    code = 411
    reason = "Length Required"


class Nowhere:
    """Takes the bytes of a body that nobody will read."""

    def append(self, data: bytes) -> None:
        pass

    def getfile(self) -> io.BytesIO:
        return io.BytesIO()

    def close(self) -> None:
        pass


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses bodies of unstated length, and keeps nothing of one that is too large.

    Browsers show no answer until they have sent the request, so a body up to DRAIN_BYTES is still
    read. The application learns of it from the stated length, and answers 413.
    """

    content_length: int

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.chunked:
            self.error = LengthRequired("Send the length of the body (Content-Length).")
            self.body_rcv = None
        elif self.content_length > BODY_FACTOR * settings.MAX_BYTES:
            self.headers["CONNECTION"] = "close"
            wanted = self.content_length <= DRAIN_BYTES
            self.body_rcv = FixedStreamReceiver(self.content_length, Nowhere()) if wanted else None
            self.content_length = 0


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows when its present request began to arrive."""

    parser_class = Parser
    began = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began = time.time()
        return bool(super().received(data))

    @property
    def waiting_since(self) -> float:
        return self.began if self.request else float(self.last_activity)

    def is_overdue(self, now: float) -> bool:
        if self.total_outbufs_len or not (self.requests or self.request):
            return bool(now - self.last_activity > IDLE_SECONDS)
        if self.request is None:
            return False  # The site is at work on it.
        took = now - self.began
        if not self.request.headers_finished:
            return took > GRACE_SECONDS
        due = (took - GRACE_SECONDS) * LEAST_RATE
        return took > LONGEST_SECONDS or self.request.body_bytes_received < due


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Closes what is overdue. Where connections are too many, the address that holds most of them
    loses the one that has been waited for longest."""

    channel_class = Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.health_dispatcher = ThreadedTaskDispatcher()
        self.health_dispatcher.set_thread_count(HEALTH_THREADS)

    def add_task(self, task: Channel) -> None:
        is_health = getattr(task.requests[0], "path", "").startswith(HEALTH_PATHS)
        (self.health_dispatcher if is_health else self.task_dispatcher).add_task(task)

    def maintenance(self, now: float) -> None:
        for channel in self.active_channels.values():
            if channel.is_overdue(now):
                channel.will_close = True

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > MOST_CONNECTIONS:
            self.make_room()

    def make_room(self) -> None:
        held = Counter(channel.addr[0] for channel in self.active_channels.values())
        waiting = [one for one in self.active_channels.values() if not one.requests]
        if waiting:
            order = sorted(waiting, key=lambda one: (-held[one.addr[0]], one.waiting_since))
            order[0].handle_close()


class WaitressWorker(Worker):  # type: ignore[misc]
    def run(self) -> None:
        adjustments = Adjustments(
            threads=self.cfg.threads,
            ident=None,
            asyncore_use_poll=True,
            cleanup_interval=1,
            connection_limit=2 * MOST_CONNECTIONS,
            max_request_header_size=32_768,
            recv_bytes=65_536,
            log_socket_errors=False,
            # Whether a proxy is believed is the site's own setting, LOOKALIKE_TRUST_PROXY.
            clear_untrusted_proxy_headers=False,
        )
        # Large bodies go to files without a name in the site's own folder.
        settings.TEMP_DIR.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = str(settings.TEMP_DIR)
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        channels: dict[int, Any] = {}
        servers = [
            Server(
                self.wsgi,
                channels,
                _sock=listener.sock,
                dispatcher=dispatcher,
                adj=adjustments,
                sockinfo=(listener.sock.family, listener.sock.type, 0, listener.sock.getsockname()),
                bind_socket=False,
            )
            for listener in self.sockets
        ]
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            wasyncore.loop(timeout=0.5, use_poll=True, map=channels, count=1)
        self.finish(servers, channels)

    def finish(self, servers: list[Server], channels: dict[int, Any]) -> None:
        """Take no new connection, and answer the requests that have arrived."""
        for server in servers:
            server.del_channel()
            server.socket.close()
        deadline = time.time() + self.cfg.graceful_timeout
        while time.time() < deadline and any(
            channel.requests or channel.total_outbufs_len
            for server in servers
            for channel in server.active_channels.values()
        ):
            self.notify()
            wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
