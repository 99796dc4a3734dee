"""How much a visitor may send, and how many photos may wait."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from lookalike.senders import count, seconds_left
from uploads.models import Upload, sent_by

ADDRESS_FACTOR = 5
"""A household or a school may share an address, so an address may send this many times more."""

SENDERS = 4
"""One sender may fill this part of the queue."""

KEEP_SECONDS = 5
"""How long a process keeps what a photo usually takes."""


class QueueFull(Exception):
    """MAX_QUEUE photos are waiting."""


class TooManyUploads(Exception):
    """This visitor, or their network, has sent too many photos in the last hour, or has too many
    in the queue. ``seconds``: when to try again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def check_queue(owner: UUID, sender: str) -> int:
    """How many photos of this sender are not finished. Raises QueueFull, or TooManyUploads if they
    fill their share of the queue."""
    waiting, theirs = Q(status=Upload.Status.QUEUED), sent_by(owner, sender)
    counts = Upload.objects.unfinished().aggregate(
        waiting=Count("pk", filter=waiting),
        share=Count("pk", filter=waiting & theirs),
        theirs=Count("pk", filter=theirs),
    )
    if counts["waiting"] >= settings.MAX_QUEUE:
        raise QueueFull
    if counts["share"] >= max(settings.MAX_QUEUE // SENDERS, 1):
        raise TooManyUploads(estimate_seconds(counts["waiting"]))
    return int(counts["theirs"])


def check_network(network: str, amount: int = 1) -> None:
    """Count as many uploads. Raises TooManyUploads if the network is over the limit. Nobody is
    blocked while the cache is away."""
    _check(f"upload from {network}", amount, settings.RATE_LIMIT * ADDRESS_FACTOR)


def check_owner(owner: UUID) -> None:
    """Count an upload. Raises TooManyUploads if the visitor is over the limit."""
    _check(f"upload by {owner}", 1, settings.RATE_LIMIT)


def _check(what: str, amount: int, limit: int) -> None:
    if limit and count(what, amount=amount) > limit:
        raise TooManyUploads(seconds_left(what))


def estimate_minutes() -> int | None:
    """Whole minutes that a photo sent now would wait, or None if less than one. It waits for those
    that are in turn, not for further ones of one sender."""
    ahead = Upload.objects.waiting().filter(turn=0).count()
    return round(estimate_seconds(ahead) / 60) or None if ahead else None


def estimate_seconds(ahead: int) -> float:
    """How long until the workers have done ``ahead`` photos."""
    moment = time.monotonic() // KEEP_SECONDS
    return ahead * _usual_seconds(moment) / settings.WORKERS


@lru_cache(maxsize=1)
def _usual_seconds(moment: float) -> float:
    """Seconds that a worker needs for a photo: the median of the last twenty results, or one
    second if there are none. Read once a ``moment``, since everybody who waits asks for it."""
    done = Upload.objects.filter(
        status=Upload.Status.DONE, finished_at__gte=timezone.now() - timedelta(hours=1)
    )
    recent = done.order_by("-finished_at").values_list("claimed_at", "finished_at")[:20]
    took = [(end - start).total_seconds() for start, end in recent if start and end]
    return statistics.median(took or [1.0])
