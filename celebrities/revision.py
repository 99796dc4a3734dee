"""The gallery's revision: it changes with every write to what the public pages show of the gallery,
whoever writes and however, so that what was read once can be kept until then."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from lookalike.outages import CACHE_FAILURES

KEY = "gallery-revision"
WRITES = re.compile(
    r'(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM) "celebrities_'
    r'(?:category|celebrity|celebrity_categories|portrait|resemblance|indexbuild)"'
    r'(?! SET "(?:seen|not_seen|was_shown|heartbeat_at|step)")'
)
"""Votes, whom a visitor has seen, and how far a build is are no page's that is kept."""
PAUSE_SECONDS = 5.0

_away_until = 0.0


def read_revision() -> str | None:
    """A word that changes with the gallery, or None if it can't be told: the cache is away, or this
    transaction may have written itself."""
    if transaction.get_connection().in_atomic_block:
        return None
    try:
        return cache.get_or_set(KEY, lambda: uuid.uuid4().hex, timeout=None)
    except CACHE_FAILURES:
        return None


@receiver(connection_created)
def watch(connection: BaseDatabaseWrapper, **given: Any) -> None:
    if watch_writes not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch_writes)


def watch_writes(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Goes round each statement of a connection."""
    result = execute(sql, params, many, context)
    if isinstance(sql, str) and WRITES.match(sql):
        connection = context["connection"]
        if not any(function is change_revision for _, function, _ in connection.run_on_commit[-1:]):
            transaction.on_commit(change_revision, using=connection.alias)
    return result


def change_revision() -> None:
    """Never raises. While the cache is away nothing kept can be read either."""
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        cache.set(KEY, uuid.uuid4().hex, timeout=None)
    except CACHE_FAILURES:
        # An import writes thousands of times, and a frozen cache takes seconds to say no.
        _away_until = time.monotonic() + PAUSE_SECONDS
