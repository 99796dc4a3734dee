"""Whether a worker is there to take visitors' photos.

Every worker of the queue `match` leaves a note in the cache every few seconds. The note is
written by the worker's main process, which only hands out tasks, so a worker whose children
are all busy is still there; one that lost its broker, or was killed, is not.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps
from django.core.cache import cache

logger = logging.getLogger(__name__)

KEY = "worker-heartbeat"
EVERY_SECONDS = 5
GONE_AFTER_SECONDS = 15

_unreadable = False
"""Whether the heartbeat could not be read the last time."""


def beat() -> None:
    """Say that a worker is there. Says nothing when the cache is away."""
    try:
        cache.set(KEY, 1, timeout=GONE_AFTER_SECONDS)
    except Exception as problem:
        logger.warning("The heartbeat could not be written: %s", problem)


def worker_is_away() -> bool:
    """Whether no worker has been heard of for 15 s.

    Also true when Valkey is away: nothing can be handed to a worker then. Never raises.
    """
    global _unreadable
    try:
        away = cache.get(KEY) is None
    except Exception as problem:
        # Every page asks. A line for each would bury the one that says why.
        if not _unreadable:
            logger.warning("The worker's heartbeat could not be read: %s", problem)
        _unreadable = True
        return True
    _unreadable = False
    return away


class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Beats from the timer of the worker's main process, if it serves the queue `match`."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        if "match" in parent.app.amqp.queues.consume_from:
            beat()
            self.timer = parent.timer.call_repeatedly(EVERY_SECONDS, beat)

    def stop(self, parent: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
