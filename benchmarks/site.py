"""Part 3: through the whole site, with gunicorn, Valkey, PostgreSQL and two worker processes."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.peers import WORK
from benchmarks.photos import make_photos
from benchmarks.timing import percentile
from tests.live import Site
from tests.services import run_postgres, run_valkey_on_tcp
from tests.visitor import Visitor, hidden

PHOTOS = {"12 megapixels": 25, "portrait": 40}
"""Kinds of photo, and the photos a second that are the goal on two cores."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

UPLOADS = 120
WATCHERS = (0, 100, 250, 500)
EACH_ASKS_FOR = 10
"""One connection asks as often as so many waiting pages do."""

WATCH_EVERY = 1.0
"""Seconds between two questions of one waiting page, as the page asks them."""


@contextmanager
def run_site() -> Iterator[Site]:
    """A site with the demo gallery on real services, in a data folder of its own."""
    folder = WORK / "site"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with run_postgres() as database, run_valkey_on_tcp() as broker:
        site = Site(
            folder,
            {
                "DATABASE_URL": database,
                "REDIS_URL": broker,
                "LOOKALIKE_HTTPS": "0",
                "LOOKALIKE_WORKERS": "2",
                "LOOKALIKE_RATE_LIMIT": "0",
                "LOOKALIKE_MAX_QUEUE": "100000",
                "LOOKALIKE_SESSIONS_DIR": str(WORK / "sessions"),
            },
        )
        site.manage("prepare")
        site.start("web", "worker")
        try:
            yield site
        finally:
            site.stop()


def bench_site() -> dict[str, Any]:
    large, portrait, _ = make_photos().values()
    table: dict[str, Any] = {}
    with run_site() as site:
        for kind, photo in zip(PHOTOS, (large, portrait), strict=True):
            _send_many(site, photo, 8)  # To warm up.
            rate = _measure_rate(site, photo)
            table[kind] = {
                "photos_per_second": round(rate, 1),
                "goal": PHOTOS[kind],
                "at_half_rate": _measure_waits(site, photo, rate / 2),
                "steps": _measure_steps(site, photo),
            }
        table["watched"] = _measure_watched(site, portrait)
    return table


def _measure_rate(site: Site, photo: Path) -> float:
    """Photos a second from the first click to the last stored result, all sent at once."""
    started = time.perf_counter()
    pages = _send_many(site, photo, UPLOADS)
    _wait_for_all(site)
    assert len(pages) == UPLOADS
    return UPLOADS / (time.perf_counter() - started)


def _send_many(site: Site, photo: Path, count: int) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: _send(site, photo), range(count)))


def _send(site: Site, photo: Path) -> str:
    with Visitor(site.url) as visitor:
        return visitor.give(photo)


def _wait_for_all(site: Site) -> None:
    """Asks the database, in one process of its own, until nobody waits any more."""
    site.run_python(
        "import time\n"
        "from uploads.models import Upload\n"
        "while Upload.objects.unfinished().exists(): time.sleep(0.02)\n"
    )


def _measure_waits(site: Site, photo: Path, rate: float, count: int = 60) -> dict[str, float]:
    """Seconds from the click to the result, clicks coming evenly at ``rate`` a second."""
    waits: list[float] = []
    threads = []
    for _ in range(count):
        thread = threading.Thread(target=lambda: waits.append(_time_visit(site, photo)))
        thread.start()
        threads.append(thread)
        time.sleep(1 / rate)
    for thread in threads:
        thread.join()
    return {"p50_s": round(percentile(waits, 0.5), 3), "p95_s": round(percentile(waits, 0.95), 3)}


def _time_visit(site: Site, photo: Path) -> float:
    with Visitor(site.url) as visitor:
        form = visitor.session.get(site.url, timeout=60).text
        values = {
            "csrfmiddlewaretoken": hidden(form, "csrfmiddlewaretoken"),
            "consent_version": hidden(form, "consent_version"),
            "consent": "on",
        }
        started = time.perf_counter()
        with photo.open("rb") as file:
            answer = visitor.session.post(site.url, data=values, files={"photo": file}, timeout=60)
        while visitor.is_waiting(answer.url):
            time.sleep(0.05)
        return time.perf_counter() - started


def _measure_steps(site: Site, photo: Path) -> dict[str, float]:
    """Medians in milliseconds, one photo at a time: in the queue, in the worker, and the
    engine's own time for the same photo in a process beside."""
    for _ in range(12):
        _send(site, photo)
        _wait_for_all(site)
    code = (
        "import statistics, time\n"
        "from pathlib import Path\n"
        "from django.conf import settings\n"
        "from lookalike.engine import get_engine\n"
        "from lookalike.faces.photos import open_photo\n"
        "from uploads.models import Upload\n"
        "rows = list(Upload.objects.order_by('-created_at')[:12])\n"
        "queue = [(u.claimed_at - u.queued_at).total_seconds() for u in rows]\n"
        "work = [(u.finished_at - u.claimed_at).total_seconds() for u in rows]\n"
        "engine, times = get_engine(), []\n"
        "for _ in range(12):\n"
        "    start = time.perf_counter()\n"
        f"    photo = open_photo(Path({str(photo)!r}), max_bytes=settings.MAX_BYTES,"
        " max_pixels=settings.MAX_PIXELS, min_side=1, target_side=settings.STORED_SIDE)\n"
        "    turned, found = engine.find_faces(photo)\n"
        "    engine.encode_faces(turned, found)\n"
        "    times.append(time.perf_counter() - start)\n"
        "print(*(round(statistics.median(t) * 1000, 1) for t in (queue, work, times)))\n"
    )
    queue, work, engine = map(float, site.run_python(code).split()[-3:])
    return {
        "queue_ms": queue,
        "worker_ms": work,
        "engine_ms": engine,
        "added_ms": round(queue + work - engine, 1),
    }


def _measure_watched(site: Site, photo: Path) -> dict[str, Any]:
    """Uploads beside ever more pages that wait: p95 seconds from click to result by the
    number of waiting visitors, and how many questions a second the most of them asked."""
    page = _send(site, photo)
    waits, rate = {}, 0.0
    for visitors in WATCHERS:
        stop = threading.Event()
        asked: list[int] = []
        watchers = [
            threading.Thread(target=_watch, args=(page, stop, asked))
            for _ in range(visitors // EACH_ASKS_FOR)
        ]
        for watcher in watchers:
            watcher.start()
        started = time.perf_counter()
        try:
            waits[str(visitors)] = _measure_waits(site, photo, 4, count=40)
            rate = len(asked) / (time.perf_counter() - started)
        finally:
            stop.set()
            for watcher in watchers:
                watcher.join()
    return {"waits": waits, "questions_per_second": round(rate)}


def _watch(page: str, stop: threading.Event, asked: list[int]) -> None:
    pause = WATCH_EVERY / EACH_ASKS_FOR
    with requests.Session() as session:
        while not stop.is_set():
            started = time.perf_counter()
            session.get(f"{page}status/", timeout=30)
            asked.append(1)
            stop.wait(max(pause - (time.perf_counter() - started), 0))
