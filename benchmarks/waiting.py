"""Visitors on the waiting page, who ask as often as the page tells them to."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

import requests

from benchmarks.visits import HTMX, read_pause

CONNECTIONS = 20
SPREAD = 12
"""Seconds over which the visitors arrive."""


@contextmanager
def watch_pages(cookies: dict[str, str], pages: Sequence[str]) -> Iterator[Callable[[], float]]:
    """Polls ``pages`` meanwhile. Yields a function that returns the requests per second.

    In a process of its own, which doesn't delay the caller's clocks.
    """
    spawn = multiprocessing.get_context("spawn")
    asked: Synchronized[int] = spawn.Value("i", 0)
    process = spawn.Process(target=_watch_all, args=(cookies, pages, asked), daemon=True)
    process.start()
    time.sleep(SPREAD)
    before, started = asked.value, time.perf_counter()
    try:
        yield lambda: (asked.value - before) / (time.perf_counter() - started)
    finally:
        process.kill()
        process.join()


def _watch_all(cookies: dict[str, str], pages: Sequence[str], asked: Synchronized[int]) -> None:
    for start in range(min(CONNECTIONS, len(pages))):
        share = pages[start::CONNECTIONS]
        threading.Thread(target=_watch, args=(cookies, share, asked)).start()


def _watch(cookies: dict[str, str], pages: Sequence[str], asked: Synchronized[int]) -> None:
    """Polls several pages over one connection."""
    with requests.Session() as session:
        session.cookies.update(cookies)
        session.headers.update(HTMX)
        due = {page: time.perf_counter() + random.random() * SPREAD for page in pages}
        while True:
            page = min(due, key=lambda page: due[page])
            time.sleep(max(due[page] - time.perf_counter(), 0))
            pause = read_pause(session.get(f"{page}status/", timeout=30).text)
            assert pause, f"{page} shows a result"
            due[page] = time.perf_counter() + pause
            with asked.get_lock():
                asked.value += 1
