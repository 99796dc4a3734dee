"""How much a visitor may send, and how many photos may wait."""

from __future__ import annotations

import logging
import statistics
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lookalike.queue import CACHE_FAILURES
from uploads.models import Upload

logger = logging.getLogger(__name__)

ADDRESS_FACTOR = 5
"""A household or a school may share an address, so an address may send this many times more."""


class QueueFull(Exception):
    """MAX_QUEUE photos are waiting."""


class TooManyUploads(Exception):
    """This visitor, or their address, has sent too many photos in the last hour."""


def check_queue() -> None:
    """Raises QueueFull."""
    if Upload.objects.waiting().count() >= settings.MAX_QUEUE:
        raise QueueFull


def check_rate(owner: UUID, address: str) -> None:
    """Count this upload. Raises TooManyUploads if the visitor or the address is over the limit.

    Counts live only in the cache, under keyed hashes. If the cache is away nobody is blocked.
    """
    if not (limit := settings.RATE_LIMIT):
        return
    try:
        by_owner = _count(f"session {owner}")
        by_address = _count(f"address {address}")
    except CACHE_FAILURES as error:
        logger.warning("uploads are not counted: the cache fails with %s", type(error).__name__)
        return
    if by_owner > limit or by_address > limit * ADDRESS_FACTOR:
        raise TooManyUploads


def estimate_minutes() -> int | None:
    """Whole minutes that a photo sent now would wait, or None if less than one.

    Each worker is taken to need the median time of the last twenty results, or else one second.
    """
    done = Upload.objects.filter(
        status=Upload.Status.DONE, finished_at__gte=timezone.now() - timedelta(hours=1)
    )
    recent = done.order_by("-finished_at").values_list("claimed_at", "finished_at")[:20]
    took = [(end - start).total_seconds() for start, end in recent if start and end]
    seconds = statistics.median(took or [1.0]) / settings.WORKERS
    return round(Upload.objects.waiting().count() * seconds / 60) or None


def _count(what: str) -> int:
    key = "rate:" + salted_hmac("uploads.rate", what, algorithm="sha256").hexdigest()
    cache.add(key, 0, 60 * 60)
    try:
        return int(cache.incr(key))
    except ValueError:
        # The key expired between the two calls.
        return 1
