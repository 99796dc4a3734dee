"""The only way to the queue: tasks are sent by name, so that callers do not import the work."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lookalike.celery import app

CACHE_FAILURES = (RedisError, OSError)
"""What Django's cache raises while Valkey is away."""


class QueueAway(Exception):
    """The broker does not accept tasks."""


def send(task: str, *args: Any) -> None:
    """Queue a task by name, such as "uploads.tasks.match_upload_task", after the transaction.

    Raises QueueAway within seconds if the broker is away: at once outside a transaction, else
    from the commit, so catch it around the ``atomic`` block.
    """

    def send_now() -> None:
        try:
            app.send_task(task, args)
        except (OperationalError, OSError) as error:
            raise QueueAway from error

    transaction.on_commit(send_now)
