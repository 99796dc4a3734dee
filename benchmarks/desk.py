"""Part "desk": pages and jobs of the curators' desk with 20,000 people, and how long SQLite stays
locked meanwhile."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.build import fill, start_django
from benchmarks.figures import Figures
from benchmarks.index import draw_vectors, find_vectors
from benchmarks.paths import WORK
from benchmarks.timing import amount, percentile

PEOPLE = amount(20_000, quick=600)
GONE = PEOPLE // 8
"""As many are hidden, and as many others deleted."""

LEFT = PEOPLE - GONE
NEW = amount(2_000, quick=100)
QUERIES = amount(100, quick=20)
VISITS = amount(7, quick=2)
ADMIN = "/admin/celebrities"
PAGES = {
    "morning page": "/admin/",
    "people": f"{ADMIN}/celebrity/",
    "people, last page": f"{ADMIN}/celebrity/?p={-(-LEFT // 50)}",
    "people, search": f"{ADMIN}/celebrity/?q=person+77",
    "people without a usable portrait": f"{ADMIN}/celebrity/?portraits=none",
    "a person": f"{ADMIN}/celebrity/50/change/",
    "a person's history": f"{ADMIN}/celebrity/50/history/",
    "portraits": f"{ADMIN}/portrait/",
    "portraits, last page": f"{ADMIN}/portrait/?p={LEFT * 5 // 2 // 50}",
    "portraits without a licence": f"{ADMIN}/portrait/?missing=licence",
    "portraits, search": f"{ADMIN}/portrait/?q=person+77",
    "queue: odd one out": f"{ADMIN}/portrait/queue/odd/",
    "queue: same picture": f"{ADMIN}/portrait/queue/picture/",
    "queue: same person": f"{ADMIN}/portrait/queue/person/",
    "queue: licence missing": f"{ADMIN}/portrait/queue/licence/",
    "jobs": f"{ADMIN}/job/",
    "index": f"{ADMIN}/indexbuild/",
}


def bench_desk() -> Figures:
    """Queries and milliseconds of pages; seconds and the longest lock of long work; the median
    search before and after removals."""
    folder = WORK / "desk"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start_django(folder)
    _collect_static()
    known = find_vectors()
    fill(known, 0, PEOPLE)
    _complete()
    figures: Figures = {"people": PEOPLE, "gone": 2 * GONE, "long": []}
    database = _database()
    for what, work in _long_work().items():
        if what == "hide people":
            figures["search_ms"] = _time_searches(known)
        figures["long"].append({"what": what, **_watch(database, work)})
        print(figures["long"][-1], flush=True)
    figures["search_after_ms"] = _time_searches(known)
    figures["slower"] = round(figures["search_after_ms"] / figures["search_ms"], 2)
    figures["pages"] = [{"page": name, **_visit(address)} for name, address in PAGES.items()]
    shutil.rmtree(folder)
    return figures


def _complete() -> None:
    """And mark all portraits but the last few as compared, as before an import of these."""
    from django.db.models.functions import Lower
    from django.utils import timezone

    from celebrities.models import Celebrity, Portrait

    Celebrity.objects.update(search_key=Lower("name"), sort_key=Lower("name"))
    first = Portrait.objects.order_by("-pk").values_list("pk", flat=True)[NEW]
    Portrait.objects.filter(pk__lte=first).update(compared_at=timezone.now())


def _collect_static() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def _database() -> Path:
    from django.conf import settings

    return Path(settings.DATABASES["default"]["NAME"])


def _long_work() -> dict[str, Callable[[], object]]:
    """In the order in which it is done."""
    from celebrities.index.measuring import measure_gallery
    from celebrities.index.pairs import compare_portraits
    from celebrities.index.rebuild import rebuild_index
    from celebrities.index.resemblances import store_resemblances
    from celebrities.models import IndexBuild

    def current() -> IndexBuild:
        build = IndexBuild.objects.current()
        assert build is not None
        return build

    return {
        "build the index": rebuild_index,
        "compare people": lambda: store_resemblances(current()),
        "hide people": lambda: _do("hide", 1, GONE),
        "delete people": lambda: _do("delete", GONE + 1, 2 * GONE),
        "set credits": _do_credits,
        "measure the gallery": lambda: measure_gallery(current()),
        f"compare {NEW:,} new portraits": lambda: compare_portraits(current()),
    }


def _do(kind: str, first: int, last: int) -> None:
    """By a job, as a worker does it."""
    from celebrities.desk.jobs import KINDS, work_on
    from celebrities.models import Job

    ids = list(range(first, last + 1))
    job = Job.objects.create(kind=kind, ids=ids, total=len(ids))
    _finish(job.pk, work_on, KINDS[kind].chunk)


def _do_credits() -> None:
    from celebrities.desk.jobs import KINDS, work_on
    from celebrities.models import Job, Portrait

    rows = Portrait.objects.filter(celebrity__gt=2 * GONE).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[: 2 * GONE])
    job = Job.objects.create(
        kind="credits", ids=ids, total=len(ids), options={"values": {"licence": "CC BY 4.0"}}
    )
    _finish(job.pk, work_on, KINDS["credits"].chunk)


def _finish(pk: int, work_on: Callable[[Any], None], chunk: int) -> None:
    from celebrities.models import Job

    while (job := Job.objects.get(pk=pk)).status != Job.Status.DONE:
        work_on(job)
    assert not job.failed, job.problem


def _time_searches(known: Any) -> float:
    """Median milliseconds of a search for one face, corrections and portraits included."""
    from celebrities.index.search import find_lookalikes

    queries = draw_vectors(known, QUERIES + 5, known.shape[1], seed=3)
    times = []
    for query in queries:
        started = time.perf_counter()
        find_lookalikes(query[None], k=6)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times[5:]), 1)


def _visit(address: str) -> dict[str, float]:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    users = get_user_model().objects
    user = users.filter(username="curator").first() or users.create_superuser("curator")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    times = []
    for _ in range(VISITS):
        started = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        times.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, (address, response.status_code)
    return {
        "queries": len(queries),
        "ms": round(statistics.median(times)),
        "KB": round(len(response.content) / 1000),
    }


def _watch(database: Path, work: Callable[[], object]) -> dict[str, float]:
    """Seconds of the work, and how long a writer in another process had to wait at most."""
    with _writing_beside(database) as waits:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    return {
        "seconds": round(seconds, 1),
        "longest lock, s": round(max(waits), 2),
        "p99 lock, s": round(percentile(waits, 0.99), 3),
    }


@contextmanager
def _writing_beside(database: Path) -> Iterator[list[float]]:
    waits: list[float] = []
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    writer = spawn.Process(target=write_until_told, args=(database, theirs), daemon=True)
    writer.start()
    ours.recv()
    try:
        yield waits
    finally:
        ours.send("stop")
        waits += ours.recv()
        writer.join()


def write_until_told(database: Path, pipe: Connection) -> None:
    """Take the write lock every 0.1 s, and send the seconds that each took at the end."""
    connection = sqlite3.connect(database, timeout=60, isolation_level=None)
    waits = []
    pipe.send("ready")
    while not pipe.poll(0.1):
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        waits.append(time.perf_counter() - started)
    pipe.send(waits or [0.0])
