"""Part "site": through gunicorn, Valkey, PostgreSQL and two worker processes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

import psutil
import psycopg
import redis

from benchmarks.figures import Figures, load_records
from benchmarks.paths import BESIDE, FIGURES, ROOT, WORK
from benchmarks.portraits import make_photos
from benchmarks.timing import RUNS, amount, percentile
from benchmarks.visits import time_visit
from benchmarks.waiting import watch_pages
from tests.live import Site
from tests.services import run_postgres, run_valkey_on_tcp
from tests.visitor import Visitor

UPLOADS = amount(120, quick=16)
RATES = amount(5, quick=1)
VISITS = amount(60, quick=8)
WATCHERS = (0, 100, 250, 500)[:: amount(1, quick=3)]

PROCESSES = {
    "gunicorn": "web",
    "celery": "workers",
    "postgres": "database",
    "valkey-server": "queue",
}
"""Kinds of process, by a word in their command line."""


def bench_site() -> Figures:
    """With ``before``, the rows of another checkout, if one is to be measured beside this one."""
    beside = os.environ.get(BESIDE)
    return {**_measure_site(), **({"before": _measure_other(Path(beside))} if beside else {})}


def _measure_other(checkout: Path) -> Figures:
    """By that checkout's own benchmark, which leaves its figures in its own folder."""
    run = partial(subprocess.run, cwd=checkout, check=True, capture_output=True, text=True)
    environment = {name: value for name, value in os.environ.items() if name != BESIDE}
    run([sys.executable, "-m", "benchmarks", "run", "site"], env=environment)
    figures = load_records(checkout / FIGURES.relative_to(ROOT))["site"]["figures"]
    commit = run(["git", "rev-parse", "--short=10", "HEAD"]).stdout.strip()
    return {"commit": commit, "rows": figures["rows"], "waiting": figures["waiting"]}


def _measure_site() -> Figures:
    large, portrait, _ = make_photos().values()
    with run_site() as site:
        return {
            "rows": [
                {"photo": "12 megapixels", **_measure_photo(site, large)},
                {"photo": "portrait", **_measure_photo(site, portrait)},
            ],
            "web": _run_worker(site, f"profile_web({str(portrait)!r})", "web"),
            **_measure_watched(site, portrait),
        }


@contextmanager
def run_site() -> Iterator[Site]:
    """A site with the fictional cast on real services, in a new data folder."""
    folder = WORK / "site"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = {
        "LOOKALIKE_HTTPS": "0",
        "LOOKALIKE_WORKERS": "2",
        "LOOKALIKE_RATE_LIMIT": "0",
        "LOOKALIKE_MAX_QUEUE": "100000",
        "LOOKALIKE_REQUEUE_AFTER": "3600",
    }
    with run_postgres() as database, run_valkey_on_tcp() as broker:
        site = Site(folder, {"DATABASE_URL": database, "REDIS_URL": broker, **settings})
        site.manage("prepare")
        site.manage("load_demo", "--fictional")
        site.start("web", "worker")
        try:
            yield site
        finally:
            site.stop()


def _measure_photo(site: Site, photo: Path) -> Figures:
    _send_many(site, photo, 8)  # To warm up.
    # The median of several: a machine that others share is a tenth slower at times.
    rates, spent = zip(*(_measure_rate(site, photo) for _ in range(RATES)), strict=True)
    rate = statistics.median(rates)
    before = _read_traffic(site)
    waits = _measure_waits(site, photo, rate / 2, VISITS)
    after = _read_traffic(site)
    for _ in range(RUNS):
        _send_many(site, photo, 1)
        _wait_for_all(site)
    return {
        "photos_per_second": round(rate, 1),
        "least_and_most": [round(min(rates), 1), round(max(rates), 1)],
        "cpu_ms": {kind: statistics.median(each[kind] for each in spent) for kind in spent[0]},
        "p50_s": round(percentile(waits, 0.5), 3),
        "p95_s": round(percentile(waits, 0.95), 3),
        "visit": {what: round((after[what] - before[what]) / VISITS, 1) for what in after},
        "sent_kb": round(photo.stat().st_size / 1000),
        **_run_worker(site, f"measure_steps({str(photo)!r})"),
        "profile": _run_worker(site, f"profile_worker({str(photo)!r})"),
    }


def _measure_rate(site: Site, photo: Path) -> tuple[float, dict[str, float]]:
    """Photos per second from the first click to the last result, all sent at once, and the
    CPU milliseconds per photo of each kind of process."""
    database = unquote(site.environment["DATABASE_URL"])
    before, started = _read_cpu_seconds(database), time.perf_counter()
    _send_many(site, photo, UPLOADS)
    _wait_for_all(site)
    seconds, after = time.perf_counter() - started, _read_cpu_seconds(database)
    spent = {kind: round((after[kind] - before[kind]) / UPLOADS * 1000, 1) for kind in after}
    return UPLOADS / seconds, spent


def _read_cpu_seconds(database: str) -> dict[str, float]:
    """Of each kind of process of this site; the visitors are this process."""
    spent = dict.fromkeys([*PROCESSES.values(), "visitors"], 0.0)
    children = psutil.Process().children(recursive=True)
    for process in [psutil.Process(), *children, *_find_servers(database)]:
        try:
            command, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue  # It has just ended.
        kinds = [kind for word, kind in PROCESSES.items() if word in command]
        if process.pid == os.getpid():
            kinds = ["visitors"]
        if kinds:
            spent[kinds[0]] += times.user + times.system
    return spent


def _find_servers(database: str) -> list[psutil.Process]:
    """The processes of PostgreSQL, which are nobody's children. They work in its data folder,
    which the address of the database names."""
    servers = [
        one for one in psutil.process_iter(["name", "cwd"]) if one.info["name"] == "postgres"
    ]
    return [one for one in servers if one.info["cwd"] and one.info["cwd"] in database]


def _read_traffic(site: Site) -> dict[str, float]:
    """Sums since the services began: Valkey's commands, the database's transactions and the
    kilobytes of its log, and the kilobytes of visitors' files."""
    question = "SELECT sum(xact_commit), pg_current_wal_lsn() - '0/0' FROM pg_stat_database"
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as database:
        transactions, log = database.execute(question).fetchone() or (0, 0)
    with redis.Redis.from_url(site.environment["REDIS_URL"]) as valkey:
        commands = valkey.info("stats")["total_commands_processed"]
    files = sum(file.stat().st_size for file in (site.data_dir / "media").rglob("*.jpg"))
    return {
        "valkey_commands": float(commands),
        "transactions": float(transactions),
        "log_kb": float(log) / 1000,
        "kept_kb": files / 1000,
    }


def _send_many(site: Site, photo: Path, count: int) -> None:
    def send(_: int) -> None:
        with Visitor(site.url) as visitor:
            visitor.give(photo)

    with ThreadPoolExecutor(8) as pool:
        assert len([*pool.map(send, range(count))]) == count


def _wait_for_all(site: Site) -> None:
    unfinished = "SELECT count(*) FROM uploads_upload WHERE status IN ('queued', 'running')"
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as database:
        while database.execute(unfinished).fetchone() != (0,):
            time.sleep(0.02)


def _measure_waits(site: Site, photo: Path, rate: float, count: int) -> list[float]:
    """Seconds from click to result of ``count`` visitors, ``rate`` per second."""
    waits: list[float] = []
    visits = [
        threading.Thread(target=lambda: waits.append(time_visit(site.url, photo)))
        for _ in range(count)
    ]
    for visit in visits:
        visit.start()
        time.sleep(1 / rate)
    for visit in visits:
        visit.join()
    assert len(waits) == count
    return waits


def _run_worker(site: Site, call: str, module: str = "worker") -> Any:
    """Runs a function of `benchmarks.worker`, or of another, with the site's environment."""
    printed = site.run_python(
        f"import json\nfrom benchmarks.{module} import *\nprint(json.dumps({call}))"
    )
    return json.loads(printed.splitlines()[-1])


def _measure_watched(site: Site, photo: Path) -> Figures:
    """p95 seconds of four uploads per second, by the number of visitors who wait meanwhile,
    and the requests per second of the most of them."""
    waits, rates = {}, {}
    with Visitor(site.url) as visitor:
        upload = visitor.give(photo).rstrip("/").rpartition("/")[2]
        _wait_for_all(site)
        for count in WATCHERS:
            keys = _run_worker(site, f"make_waiting({upload!r}, {count})")["uploads"]
            pages = [f"{site.url}/u/{key}/" for key in keys]
            with watch_pages(visitor.session.cookies.get_dict(), pages) as read_rate:
                found = _measure_waits(site, photo, 4, 2 * VISITS)
                rates[count] = read_rate()
            waits[str(count)] = round(percentile(found, 0.95), 3)
    return {"waiting": waits, "requests_per_second": round(max(rates.values()))}
