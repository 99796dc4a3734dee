"""How much a visitor may send and how busy the site is."""

from __future__ import annotations

import logging
import statistics
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from uploads.models import Upload

logger = logging.getLogger(__name__)

RATE_WINDOW = 60 * 60
ADDRESS_FACTOR = 5
"""An address may stand for a household or a school, so it may send this many times more."""


def is_over_rate(request: HttpRequest, owner: UUID) -> bool:
    """Count this upload; True when the session or its address has sent too many this hour.

    Counts live in the cache alone, under keyed hashes. A cache that is down blocks nobody.
    """
    limit = settings.RATE_LIMIT
    if not limit:
        return False
    try:
        session = _count(f"session {owner}")
        address = _count(f"address {client_address(request)}")
    except (RedisError, OSError) as error:
        logger.warning("uploads are not counted: the cache fails with %s", type(error).__name__)
        return False
    return session > limit or address > limit * ADDRESS_FACTOR


def client_address(request: HttpRequest) -> str:
    """The visitor's address; behind a trusted proxy, the one that the proxy saw."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.TRUST_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


def is_queue_full() -> bool:
    return Upload.objects.waiting().count() >= settings.MAX_QUEUE


def estimate_minutes() -> int | None:
    """Whole minutes that a photo sent now would wait, or None when it is under one."""
    minutes = round(Upload.objects.waiting().count() * _seconds_between_results() / 60)
    return minutes or None


def _count(what: str) -> int:
    key = "rate:" + salted_hmac("uploads.rate", what, algorithm="sha256").hexdigest()
    cache.add(key, 0, RATE_WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:
        # The count ran out between the two calls.
        return 1


def _seconds_between_results() -> float:
    """The pace of the last twenty results: the median of what each took, shared by the
    workers. One second for each while nothing is known."""
    recent = list(
        Upload.objects.filter(
            status=Upload.Status.DONE, finished_at__gte=timezone.now() - timedelta(hours=1)
        )
        .order_by("-finished_at")
        .values_list("claimed_at", "finished_at")[:20]
    )
    took = [(end - start).total_seconds() for start, end in recent if start and end]
    return (statistics.median(took) if took else 1.0) / settings.WORKERS
