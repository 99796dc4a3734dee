"""Real processes killed in the middle of ten uploads: each ends, with a result or a reason,
and none twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.live import Site, wait_for, words_of
from tests.visitor import Visitor

pytestmark = pytest.mark.services

UPLOADS = 10
MATCHES = """
SELECT u.id, count(DISTINCT f.id), count(m.id) FROM uploads_upload u
JOIN uploads_uploadedface f ON f.upload_id = u.id
JOIN uploads_match m ON m.face_id = f.id GROUP BY u.id
"""


class Rows:
    """The site's uploads, read beside its processes."""

    def __init__(self, site: Site) -> None:
        self.path = site.data_dir / "lookalike.sqlite3"

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as base:
            return base.execute(question).fetchall()

    def count(self) -> Counter[str]:
        return Counter(status for (status,) in self.ask("SELECT status FROM uploads_upload"))

    def ends(self) -> dict[str, tuple[str, ...]]:
        """When and how each finished upload finished, and by which claim."""
        finished = "SELECT id, status, failure, finished_at, attempts FROM uploads_upload"
        return {row[0]: row[1:] for row in self.ask(f"{finished} WHERE finished_at NOT NULL")}


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A whole site that takes work for lost sooner than it would in earnest."""
    made = Site(
        tmp_path_factory.mktemp("faults"),
        {
            "LOOKALIKE_LOST_AFTER": "10",
            "LOOKALIKE_REQUEUE_AFTER": "10",
            "LOOKALIKE_SWEEP_EVERY": "2",
            "LOOKALIKE_WORKERS": "2",
        },
    )
    made.manage("prepare")
    made.manage("load_demo", "--fictional")
    made.start("valkey", "web", "worker", "gallery")
    yield made
    made.stop()


def count_workers(site: Site) -> int:
    """The worker's main process and its children, without the processes that open photos."""
    return sum("celery" in words_of(pid) for pid in site.children("worker"))


@pytest.fixture
def site(running_site: Site) -> Site:
    """The site without an upload, its worker whole again."""
    running_site.manage("purge_uploads", "--all")
    wait_for(running_site.has_worker, "the worker")
    wait_for(lambda: count_workers(running_site) == 3, "the worker's two children")
    return running_site


@pytest.fixture(scope="module")
def slow_photos(
    cast: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Visitors' photos of 15 megapixels, which keep a worker busy for a third of a second:
    long enough to be seen at work whatever else the machine does."""
    folder = tmp_path_factory.mktemp("slow")
    photos = [folder / f"{slug}.webp" for slug in list(cast)[:UPLOADS]]
    for path in photos:
        with Image.open(cast[path.stem][2]) as photo:
            large = photo.resize((3000, 5000), Image.Resampling.NEAREST)
        large.save(path, method=0, quality=60)
    return photos


@contextmanager
def in_the_middle(site: Site, photos: list[Path]) -> Iterator[Rows]:
    """Ten photos were sent, one is done, both of the worker's children are at work on others
    and stand still for the time of the block, so that what is killed is killed in mid-work."""
    rows = Rows(site)
    children = site.children("worker")[1:3]
    send(signal.SIGSTOP, children)
    with Visitor(site.url) as visitor:
        for photo in photos:
            visitor.give(photo)
    stop_children_when(site, lambda: rows.count()["running"] == 2 and len(rows.ends()) >= 1)
    yield rows
    send(signal.SIGCONT, children)


def stop_children_when(site: Site, happened: Callable[[], bool]) -> None:
    """Let the worker's children go on a step at a time, until something is so."""

    def step() -> bool:
        children = site.children("worker")[1:3]
        send(signal.SIGCONT, children)
        time.sleep(0.02)
        send(signal.SIGSTOP, children)
        try:
            return happened()
        except sqlite3.OperationalError:
            # One of them stands still with the database locked.
            return False

    wait_for(step, "the worker to get so far", seconds=90)


def send(number: int, processes: list[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def test_a_killed_child_loses_nothing(site: Site, slow_photos: list[Path]) -> None:
    with in_the_middle(site, slow_photos) as rows:
        early = rows.ends()
        os.kill(site.children("worker")[1], signal.SIGKILL)

    assert_each_ends_once(rows, early, site)
    assert max(int(end[3]) for end in rows.ends().values()) == 2


def test_a_killed_worker_loses_nothing(site: Site, slow_photos: list[Path]) -> None:
    with in_the_middle(site, slow_photos) as rows:
        early = rows.ends()
        send(signal.SIGKILL, site.children("worker"))

    assert_each_ends_once(rows, early, site)
    assert sum(int(end[3]) == 2 for end in rows.ends().values()) == 2


def test_a_killed_broker_loses_nothing(site: Site, slow_photos: list[Path]) -> None:
    with in_the_middle(site, slow_photos) as rows:
        early = rows.ends()
        send(signal.SIGKILL, site.children("valkey"))

    assert_each_ends_once(rows, early, site)


def test_a_broker_that_forgets_everything_loses_nothing(
    site: Site, slow_photos: list[Path]
) -> None:
    with in_the_middle(site, slow_photos) as rows:
        early = rows.ends()
        with site.broker() as broker:
            broker.flushall()

    assert_each_ends_once(rows, early, site)


def test_a_photo_that_kills_whoever_takes_it_is_given_up(
    site: Site, cast: dict[str, list[Path]], slow_photos: list[Path]
) -> None:
    rows = Rows(site)
    attempts = "SELECT attempts FROM uploads_upload WHERE status = 'running'"
    with Visitor(site.url) as visitor:
        page = visitor.give(slow_photos[0])
        for attempt in (1, 2, 3):
            stop_children_when(site, lambda: rows.ask(attempts) == [(attempt,)])  # noqa: B023
            send(signal.SIGKILL, site.children("worker")[1:3])
        text = visitor.wait_for_result(page, seconds=90)
        assert "Something went wrong on our side" in text
        assert visitor.find_people(cast["kenji-morishige"][2])[0] == "kenji-morishige"


def assert_each_ends_once(rows: Rows, early: dict[str, tuple[str, ...]], site: Site) -> None:
    wait_for(
        lambda: len(rows.ends()) == UPLOADS,
        f"ten ends, not {rows.count()}; {site.log('worker')[-3000:]}",
        seconds=120,
    )
    ends = rows.ends()
    assert early.items() <= ends.items(), "what had ended before was not touched again"
    for status, failure, _finished, attempts in ends.values():
        assert (status, failure) in {("done", ""), ("failed", "internal")}
        assert int(attempts) <= 3
    assert Counter(end[0] for end in ends.values())["done"] >= UPLOADS - 1
    found = {row[0]: row[1:] for row in rows.ask(MATCHES)}
    assert set(found) == {upload for upload, end in ends.items() if end[0] == "done"}
    assert set(found.values()) == {(1, 6)}
    assert rows.ends() == ends
