"""The only way to the queue: tasks are sent by name, so that callers do not import the work."""

from __future__ import annotations

import contextlib
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lookalike.celery import LEVELS, app


class QueueAway(Exception):
    """The broker does not accept tasks."""


def read_broker() -> dict[str, Any]:
    """What the broker says of itself: ``maxmemory_policy`` and whether it is ``persistent``.
    Raises what the client does, such as OperationalError."""
    with app.connection_for_write() as connection:
        client = connection.default_channel.client
        memory, persistence = client.info("memory"), client.info("persistence")
        saves = client.config_get("save") if not persistence.get("aof_enabled") else {}
    return {
        "maxmemory_policy": memory.get("maxmemory_policy", ""),
        "persistent": bool(persistence.get("aof_enabled")) or bool(saves.get("save")),
    }


LAST_TURN = len(LEVELS) - 1


def send(task: str, *args: Any, level: int = 0) -> None:
    """Queue a task by name, such as "uploads.tasks.match_upload_task", after the transaction.
    Workers take those of level 0 first, and of one level in order.

    Raises QueueAway within seconds if the broker is away: at once outside a transaction, else
    from the commit, so catch it around the ``atomic`` block.
    """

    def send_now() -> None:
        try:
            app.send_task(task, args, priority=level)
        except (OperationalError, OSError) as error:
            raise QueueAway from error

    transaction.on_commit(send_now)


def forget_history() -> None:
    """Have the embedded Valkey write its file anew, without the ids of what is done and deleted."""
    if settings.REDIS_URL:
        return  # The operator's own; many let nobody do so.
    path = str(settings.VALKEY_SOCKET)
    with (
        redis.Redis(unix_socket_path=path, socket_timeout=2) as client,
        contextlib.suppress(RedisError),
    ):
        client.bgrewriteaof()
