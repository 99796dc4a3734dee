"""The heartbeat of the queue `match`: whether a worker is running that takes visitors' photos.

A worker's main process records it in the cache. That process only hands out tasks, so a busy
worker still has a heartbeat; one that was killed or lost its broker has none.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps
from django.core.cache import cache

from lookalike.outages import CACHE_FAILURES

logger = logging.getLogger(__name__)

KEY = "worker-heartbeat"
EVERY_SECONDS = 5
GONE_AFTER_SECONDS = 15

_unreadable = False
"""Whether the last read failed: every page reads, and only the first failure is logged."""


def beat(key: str = KEY, gone_after: int = GONE_AFTER_SECONDS) -> None:
    """Record a heartbeat. Never raises: the worker goes on without a cache."""
    try:
        cache.set(key, 1, timeout=gone_after)
    except CACHE_FAILURES as problem:
        logger.warning("The heartbeat could not be written: %s", problem)


def worker_is_away() -> bool:
    """Whether there was no heartbeat for 15 s, or Valkey is away: then no task reaches a worker."""
    global _unreadable
    try:
        away = cache.get(KEY) is None
    except CACHE_FAILURES as problem:
        if not _unreadable:
            logger.warning("The worker's heartbeat could not be read: %s", problem)
        _unreadable = True
        return True
    _unreadable = False
    return away


def serves_visitors(app: Any) -> bool:
    """Whether this worker takes tasks of the queue `match`."""
    return "match" in app.amqp.queues.consume_from


class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        if serves_visitors(parent.app):
            beat()
            self.timer = parent.timer.call_repeatedly(EVERY_SECONDS, beat)

    def stop(self, parent: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
