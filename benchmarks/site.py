"""Part 3: through the whole site, with gunicorn, Valkey, PostgreSQL and two worker processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.engine import SESSIONS
from benchmarks.peers import WORK
from benchmarks.photos import make_photos
from benchmarks.timing import percentile
from tests.live import Site
from tests.services import run_postgres, run_valkey_on_tcp
from tests.visitor import Visitor, hidden

PHOTOS = {"12 megapixels": 25, "portrait": 40}
"""Kinds of photo, and the photos a second that are the goal on two cores."""

PROCESSES = {
    "gunicorn": "web",
    "celery": "workers",
    "postgres": "database",
    "valkey-server": "queue",
}
"""What a kind of process is called, by a word in its command line."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

UPLOADS = 120
CONNECTIONS = 20
WATCHERS = (0, 100, 250, 500)
SPREAD = 12
"""Seconds within which those who wait ask for the first time: they came one after another."""
EVERY = re.compile(r'hx-trigger="every (\d+)ms"')
HTMX = {"HX-Request": "true"}


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
                "LOOKALIKE_REQUEUE_AFTER": "3600",
                "LOOKALIKE_SESSIONS_DIR": str(SESSIONS),
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
            rate, spent = _measure_rate(site, photo)
            table[kind] = {
                "photos_per_second": round(rate, 1),
                "cpu_ms": spent,
                "goal": PHOTOS[kind],
                "at_half_rate": _measure_waits(site, photo, rate / 2),
                "steps": _measure_steps(site, photo),
                "profile": _profile_worker(site, photo),
            }
        table["watched"] = _measure_watched(site, portrait)
    return table


def _measure_rate(site: Site, photo: Path) -> tuple[float, dict[str, float]]:
    """Photos a second from the first click to the last stored result, all sent at once, and
    the milliseconds of a core that each kind of process spent on one photo meanwhile."""
    before, started = _find_spent(), time.perf_counter()
    pages = _send_many(site, photo, UPLOADS)
    _wait_for_all(site)
    seconds = time.perf_counter() - started
    after = _find_spent()
    assert len(pages) == UPLOADS
    spent = {kind: round((after[kind] - before[kind]) / UPLOADS * 1000, 1) for kind in after}
    return UPLOADS / seconds, spent


def _find_spent() -> dict[str, float]:
    """Seconds of a core that the processes of each kind have spent so far."""
    import psutil

    spent = dict.fromkeys([*PROCESSES.values(), "visitors"], 0.0)
    for process in psutil.process_iter(["cmdline", "cpu_times"]):
        words = " ".join(process.info["cmdline"] or [])
        kind = next((kind for word, kind in PROCESSES.items() if word in words), None)
        if process.pid == os.getpid():
            kind = "visitors"
        if kind:
            times = process.info["cpu_times"]
            spent[kind] += times.user + times.system
    return spent


def _send_many(site: Site, photo: Path, count: int) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: _send(site, photo), range(count)))


def _send(site: Site, photo: Path) -> str:
    with Visitor(site.url) as visitor:
        return visitor.give(photo)


def _wait_for_all(site: Site) -> None:
    """Asks the database until nobody waits any more."""
    import psycopg

    unfinished = "SELECT count(*) FROM uploads_upload WHERE status IN ('queued', 'running')"
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as database:
        while database.execute(unfinished).fetchone() != (0,):
            time.sleep(0.02)


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
        text = answer.text
        while pause := _read_pause(text):
            time.sleep(pause)
            text = visitor.session.get(f"{answer.url}status/", headers=HTMX, timeout=60).text
        return time.perf_counter() - started


def _read_pause(text: str) -> float:
    """Seconds until the page asks again; 0 when it shows the result."""
    pause = EVERY.search(text)
    return int(pause[1]) / 1000 if pause else 0.0


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
        "from lookalike.faces.photos.decoding import open_photo\n"
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


def _profile_worker(site: Site, photo: Path) -> dict[str, float]:
    code = (
        "from pathlib import Path\n"
        "from benchmarks.worker import print_profile\n"
        f"print_profile(Path({str(photo)!r}))"
    )
    profile: dict[str, float] = json.loads(site.run_python(code).splitlines()[-1])
    return profile


def _measure_watched(site: Site, photo: Path) -> dict[str, Any]:
    """Uploads beside ever more visitors who wait: p95 seconds from click to result by the
    number of them, and how many questions a second the most of them asked."""
    waits, rate = {}, 0.0
    processes = multiprocessing.get_context("spawn")
    with Visitor(site.url) as visitor:
        upload = visitor.give(photo).rstrip("/").rpartition("/")[2]
        _wait_for_all(site)
        for visitors in WATCHERS:
            pages = _make_waiting(site, upload, visitors)
            asked = processes.Value("i", 0)
            # A process of their own: in this one they would delay the clicks that are timed.
            watching = processes.Process(
                target=_watch_all, args=(dict(visitor.session.cookies), pages, asked), daemon=True
            )
            watching.start()
            time.sleep(SPREAD)
            before, started = asked.value, time.perf_counter()
            waits[str(visitors)] = _measure_waits(site, photo, 4, count=120)
            rate = (asked.value - before) / (time.perf_counter() - started)
            watching.kill()
            watching.join()
    return {"waits": waits, "questions_per_second": round(rate)}


def _watch_all(cookies: dict[str, str], pages: list[str], asked: Any) -> None:
    threads = [
        threading.Thread(target=_watch, args=(cookies, pages[start::CONNECTIONS], asked))
        for start in range(min(CONNECTIONS, len(pages)))
    ]
    for thread in threads:
        thread.start()


def _make_waiting(site: Site, upload: str, count: int) -> list[str]:
    """The pages of ``count`` uploads that wait, of the same visitor as ``upload``. No task
    is queued for them, so that they wait for as long as they are watched; dated ahead, so
    that nobody else's place in the queue is behind them."""
    printed = site.run_python(
        "import datetime, uuid\n"
        "from django.db.models import F\n"
        "from uploads.models import Upload\n"
        "Upload.objects.filter(status='queued').delete()\n"
        f"one = Upload.objects.get(pk={upload!r})\n"
        f"for _ in range({count}):\n"
        "    one.pk, one.status, one._state.adding = uuid.uuid4(), 'queued', True\n"
        "    one.save(force_insert=True)\n"
        "    print(one.pk)\n"
        "ahead = F('created_at') + datetime.timedelta(hours=1)\n"
        "Upload.objects.filter(status='queued').update(created_at=ahead)\n"
    )
    return [f"{site.url}/u/{pk}/" for pk in printed.split()]


def _watch(cookies: dict[str, str], pages: list[str], asked: Any) -> None:
    """One connection that asks for several waiting pages, each as often as it tells."""
    with requests.Session() as session:
        session.cookies.update(cookies)
        session.headers.update(HTMX)
        due = {page: time.perf_counter() + random.random() * SPREAD for page in pages}
        while True:
            page = min(due, key=lambda page: due[page])
            time.sleep(max(due[page] - time.perf_counter(), 0))
            text = session.get(f"{page}status/", timeout=30).text
            pause = _read_pause(text)
            assert pause, f"{page} waits no more"
            due[page] = time.perf_counter() + pause
            with asked.get_lock():
                asked.value += 1
