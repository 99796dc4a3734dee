"""What happens by the clock, in the gallery worker's own process."""

from __future__ import annotations

import logging
import os
import signal
import time
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from lookalike.processes import housekeeping
from lookalike.processes.housekeeping import Job, run_job, scheduler_is_away
from tests.conftest import MakeSite
from tests.live import Site, wait_for

MAKE_EXPIRED = """
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from uploads.consent import record_consent
from uploads.models import Upload
from uploads.storage import store_file
upload = Upload(owner=uuid4(), consent=record_consent("en"), language="en")
upload.expires_at = timezone.now() - timedelta(seconds=1)
upload.received.name = store_file(upload.pk, b"bytes")
upload.save(force_insert=True)
"""


def uploads_left(site: Site) -> tuple[int, int]:
    """Rows and folders of uploads."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(site.data_dir / "lookalike.sqlite3", timeout=10)) as base:
        [(rows,)] = base.execute("SELECT count(*) FROM uploads_upload").fetchall()
    return rows, len([*site.data_dir.glob("media/uploads/*")])


def has_scheduler(site: Site) -> bool:
    with site.broker() as client:
        return bool(client.exists(cache.make_key(housekeeping.SCHEDULER_KEY)))


def test_08_an_expired_photo_goes_behind_200_photos_that_no_worker_takes(
    make_site: MakeSite,
) -> None:
    site = make_site()
    site.manage("migrate")
    site.run_python(MAKE_EXPIRED)
    assert uploads_left(site) == (1, 1)
    site.start("valkey")
    with site.broker() as client:
        client.rpush("match", *["{}"] * 200)
        site.start("gallery")
        wait_for(lambda: uploads_left(site) == (0, 0), f"the purge; {site.log('gallery')}")
        assert client.llen("match") == 200

    wait_for(lambda: has_scheduler(site), "the scheduler to be heard")


@pytest.mark.faults
def test_07_the_scheduler_killed_is_back_and_the_purge_needs_no_valkey(
    make_site: MakeSite,
) -> None:
    site = make_site()
    site.manage("migrate")
    site.start("valkey", "gallery")
    wait_for(lambda: has_scheduler(site), "the scheduler to be heard")
    [main, *_children] = site.children("gallery")
    site.stop("valkey")
    site.run_python(MAKE_EXPIRED)
    os.kill(main, signal.SIGKILL)

    wait_for(lambda: uploads_left(site) == (0, 0), f"the purge; {site.log('gallery')}")
    assert main not in site.children("gallery")


def test_a_job_that_fails_is_logged_and_the_next_is_run(
    valkey: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("SECRET")

    runs: list[float] = []
    tasks = {
        "bad": SimpleNamespace(run=fail),
        "good": SimpleNamespace(run=lambda: runs.append(time.time())),
    }
    app = SimpleNamespace(tasks=tasks)
    run_job(app, Job("bad", 5))
    run_job(app, Job("good", 5))

    assert len(runs) == 1
    assert cache.get(Job("bad", 5).key) is None
    assert cache.get(Job("good", 5).key) == pytest.approx(runs[0], abs=60)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "SECRET" not in caplog.text


def test_the_scheduler_is_away_until_it_is_heard(valkey: str) -> None:
    assert scheduler_is_away()
    cache.set(housekeeping.SCHEDULER_KEY, 1, timeout=60)
    assert not scheduler_is_away()


def test_the_scheduler_is_away_with_valkey(valkey_away: None) -> None:
    assert scheduler_is_away()
