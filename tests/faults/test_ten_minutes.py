"""Ten minutes in a gigabyte: photos, hostile ones among them, while processes are killed and
services freeze. FAULT_SECONDS shortens it for a look."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.celebrities.postgres import make_database
from tests.conftest import MakeSite
from tests.faults.test_memory import MB, take_memory
from tests.groups import memory_group
from tests.live import Served, find_processes, signal_all, wait_for, words_of
from tests.visitor import Visitor

logger = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's"),
]

SECONDS = int(os.environ.get("FAULT_SECONDS", "600"))
EVERY = 0.5
COUNT = """
from uploads.models import Upload
from collections import Counter
statuses = Counter(Upload.objects.values_list("status", flat=True))
print(Upload.objects.count(), *sorted(statuses.items()))
"""


class Crowd:
    """Sends photos, each from a browser of its own, and keeps what came of each."""

    def __init__(self, url: str, photos: list[bytes], hostile: list[bytes], folder: Path) -> None:
        self.url, self.photos, self.hostile, self.folder = url, photos, hostile, folder
        self.pages: list[tuple[Visitor, str]] = []
        self.broken = 0
        self.answers: list[requests.Response] = []
        self.lock = threading.Lock()

    def send(self, number: int) -> None:
        kinds = self.hostile if number % 20 == 0 else self.photos
        path = self.folder / f"{number}.jpg"
        path.write_bytes(kinds[number % len(kinds)])
        visitor = Visitor(self.url)
        visitor.session.hooks["response"].append(lambda answer, **about: self.note(answer))
        try:
            page = visitor.give(path)
        except requests.RequestException:
            with self.lock:
                self.broken += 1
        except (AssertionError, ValueError):
            pass  # Refused: the answer is noted.
        else:
            with self.lock:
                self.pages.append((visitor, page))
        path.unlink()

    def note(self, answer: requests.Response) -> None:
        with self.lock:
            self.answers.append(answer)

    def dishonest(self) -> list[int]:
        """The status of each answer that a visitor must never see."""
        return [
            answer.status_code
            for answer in self.answers
            if answer.status_code >= 500
            and not (answer.status_code == 503 and answer.headers.get("Retry-After"))
        ]

    def waiting(self) -> int:
        left = 0
        for visitor, page in self.pages:
            try:
                left += visitor.is_waiting(page)
            except requests.RequestException:
                left += 1
        return left


def freeze(processes: list[int], seconds: float) -> None:
    signal_all(processes, signal.SIGSTOP)
    time.sleep(seconds)
    signal_all(processes, signal.SIGCONT)


def refuse_writes(served: Served) -> None:
    with served.site.broker() as client:
        client.replicaof("127.0.0.1", "1")
        time.sleep(8)
        client.execute_command("REPLICAOF NO ONE")


def test_it_loses_nothing(
    make_site: MakeSite, postgres: str, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    random.seed(17)
    photos = [path.read_bytes() for paths in cast.values() for path in paths]
    hostile = [b"", photos[0][:2000], b"GIF89a" + bytes(5000), random.randbytes(50_000)]
    database = make_database(postgres, "ten_minutes")
    site = make_site(DATABASE_URL=database, LOOKALIKE_RATE_LIMIT="0", LOOKALIKE_DEMO="fictional")
    site.manage("prepare")
    site.manage("rebuild_index")
    crowd = Crowd(site.url, photos, hostile, tmp_path)
    with memory_group(1024 * MB) as group:
        served = Served(site, group.join)
        try:
            served.wait_until_all_runs()
            early, late = trouble(served, crowd, find_processes(Path(postgres_folder(postgres))))
            wait_for(lambda: crowd.waiting() == 0, "every result", seconds=240)
            counted = site.run_python(COUNT)
            oom_kills = group.oom_kills()
        finally:
            served.process.terminate()
            served.process.wait(30)
            wait_for(lambda: not served.processes(), "all to end")
    statuses = [answer.status_code for answer in crowd.answers]
    tally = {status: statuses.count(status) for status in sorted({*statuses})}
    logger.info("%s; %d pages, %d broken; %s", counted, len(crowd.pages), crowd.broken, tally)
    logger.info("memory %.0f MB after a fifth, %.0f MB at the end", early, late)
    assert crowd.dishonest() == []
    assert len({page for _, page in crowd.pages}) == len(crowd.pages)
    rows = int(counted.split()[0])
    assert len(crowd.pages) <= rows <= len(crowd.pages) + crowd.broken
    assert oom_kills == 0
    assert late < 1.3 * early


def postgres_folder(url: str) -> str:
    return url.partition("host=")[2].partition("&")[0]


def trouble(served: Served, crowd: Crowd, database: list[int]) -> tuple[float, float]:
    """Send photos and make trouble for SECONDS. Returns MB taken after a fifth and at the end."""

    def valkey() -> list[int]:
        return [pid for pid in served.processes() if "valkey-server" in words_of(pid)]

    def kill_one() -> None:
        others = [pid for pid in served.processes() if pid != served.process.pid]
        with suppress(ProcessLookupError):
            os.kill(random.choice(others), signal.SIGKILL)

    def rebuild() -> None:
        served.site.manage("rebuild_index", fails=True)

    moments: list[tuple[float, Callable[[], None]]] = [
        *((share, kill_one) for share in [n / 20 for n in range(1, 20)]),
        (0.12, lambda: freeze(valkey(), 20)),
        (0.62, lambda: freeze(valkey(), 20)),
        (0.33, lambda: refuse_writes(served)),
        (0.42, rebuild),
        (0.77, lambda: freeze(database, 15)),
    ]
    early = 0.0
    begun = time.monotonic()
    threads: list[threading.Thread] = []
    waiting = sorted(moments, key=lambda moment: moment[0])
    number = 0
    while (passed := time.monotonic() - begun) < SECONDS:
        while waiting and passed > waiting[0][0] * SECONDS:
            threads.append(threading.Thread(target=waiting.pop(0)[1]))
            threads[-1].start()
        number += 1
        threads.append(threading.Thread(target=crowd.send, args=[number]))
        threads[-1].start()
        if not early and passed > 0.2 * SECONDS:
            early = sum(take_memory(served.site, served.processes()).values())
        time.sleep(EVERY)
    for thread in threads:
        thread.join(120)
    return early, sum(take_memory(served.site, served.processes()).values())
