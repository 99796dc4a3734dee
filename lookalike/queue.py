"""The queue's one door: tasks are sent by name, after the transaction commits.

Nobody else imports kombu or redis for it. Sending by name keeps callers free of the task
modules, which import the work itself.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

CACHE_FAILURES = (RedisError, OSError)
"""What Django's cache raises while Valkey is away."""


class QueueAway(Exception):
    """The broker does not take tasks at the moment."""


def send(task: str, *args: Any) -> None:
    """Queue a task by its name, such as "uploads.tasks.match_upload_task", once the
    transaction in progress has committed; at once where there is none.

    Raises QueueAway within seconds when the broker is away. Inside a transaction that is
    raised by the commit, so wrap the ``atomic`` block.
    """
    transaction.on_commit(lambda: _send_now(task, args))


def _send_now(task: str, args: tuple[Any, ...]) -> None:
    from lookalike.celery import app

    try:
        app.send_task(task, args)
    except (OperationalError, OSError) as error:
        raise QueueAway from error
