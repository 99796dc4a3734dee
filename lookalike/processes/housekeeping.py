"""What happens by the clock, in threads of the gallery's worker.

Not messages of a queue: a purge must wait neither behind photos, nor behind a build of hours, nor
for Valkey. The threads end only with their process, which its supervisor starts again within
seconds. Running them twice, on two machines, does no harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import bootsteps
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from lookalike.outages import CACHE_FAILURES
from lookalike.processes.heartbeat import EVERY_SECONDS, beat, serves_visitors

logger = logging.getLogger(__name__)

SCHEDULER_KEY = "scheduler-heartbeat"
SCHEDULER_GONE_AFTER = 60


@dataclass(frozen=True, slots=True)
class Job:
    """A task by its name, every so many seconds: done by the thread, or queued as work for a
    worker of the queue `gallery`."""

    task: str
    seconds: float
    queued: bool = False

    @property
    def key(self) -> str:
        """The key of the cache with the time, in seconds since 1970, of the last good run."""
        return f"ran:{self.task}"


JOBS = (
    Job("uploads.tasks.purge_expired_task", 300),
    Job("uploads.tasks.sweep_task", settings.SWEEP_EVERY),
    Job("celebrities.tasks.tend_gallery_task", 30, queued=True),
    Job("celebrities.tasks.remove_old_builds_task", 3600, queued=True),
    Job("celebrities.tasks.sweep_files_task", 3600, queued=True),
    Job("celebrities.tasks.forget_requests_task", 3600, queued=True),
)


def run_job(app: Any, job: Job) -> None:
    """Run or queue it once. Whatever fails is logged, and tried again at the next time."""
    try:
        if job.queued:
            # A message that no worker took in time is dropped.
            app.send_task(job.task, expires=max(job.seconds, 30))
        else:
            app.tasks[job.task].run()
        cache.set(job.key, time.time(), timeout=None)
    except Exception as error:  # noqa: BLE001 - the next round may go well.
        logger.error("%s failed and will be tried again: %s", job.task, type(error).__name__)
    finally:
        connection.close()


def repeat(seconds: float, work: Callable[[], None]) -> None:
    """Do the work for ever, every so many seconds, in a thread of its own."""

    def go() -> None:
        while True:
            started = time.monotonic()
            work()
            time.sleep(max(seconds - (time.monotonic() - started), 0.2))

    threading.Thread(target=go, daemon=True).start()


def scheduler_is_away() -> bool:
    """Whether nothing was heard of these threads for a minute, or Valkey is away."""
    try:
        return cache.get(SCHEDULER_KEY) is None
    except CACHE_FAILURES:
        return True


class HousekeepingStep(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        if serves_visitors(parent.app):
            return
        repeat(EVERY_SECONDS, lambda: beat(SCHEDULER_KEY, SCHEDULER_GONE_AFTER))
        for job in JOBS:
            repeat(job.seconds, lambda job=job: run_job(parent.app, job))  # type: ignore[misc]
