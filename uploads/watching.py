"""What is told of visitors' photos: metrics, and a line in the log for each. Nothing names one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from lookalike import metrics
from lookalike.faces.errors import Reason
from lookalike.faces.types import Photo
from lookalike.metrics import Figure, add_source
from uploads.models import Upload

logger = logging.getLogger(__name__)

STAGES = ("read", "find", "store", "encode", "search", "save")
LOST = "attempts-lost"


class Stopwatch:
    """Takes the time of each stage of one photo."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.kind = ""
        self._since = time.perf_counter()

    def passed(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._since
        self._since = now

    def see(self, photo: Photo) -> None:
        self.kind = f"{photo.format}, {photo.full_width * photo.full_height / 1e6:.0f} MP"

    def tell(self, end: str) -> None:
        """``end`` is "done" or a reason."""
        metrics.count_all({f"uploads:{end}": 1, **metrics.stage_counts(self.seconds)})
        parts = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in self.seconds.items())
        total = sum(self.seconds.values())
        logger.info("photo %s in %.2f s (%s) %s", end, total, parts, self.kind)


@add_source
def read_uploads() -> Iterable[Figure]:
    now = timezone.now()
    waiting = Upload.objects.waiting()
    oldest = waiting.aggregate(oldest=Min("created_at"))["oldest"]
    yield Figure("uploads_waiting", waiting.count())
    yield Figure("oldest_waiting_seconds", (now - oldest).total_seconds() if oldest else 0)
    running = Upload.objects.filter(status=Upload.Status.RUNNING)
    yield Figure("uploads_running", running.count())
    yield Figure("uploads_expired_but_present", Upload.objects.expired().count())


@add_source
def read_ends() -> Iterable[Figure]:
    ends = ["done", *(str(reason) for reason in Reason)]
    counted = metrics.read_counts([*(f"uploads:{end}" for end in ends), LOST])
    for end in ends:
        value = counted.get(f"uploads:{end}", 0)
        yield Figure("uploads_total", value, {"end": end}, "counter")
    yield Figure("attempts_lost_total", counted.get(LOST, 0), {}, "counter")
    yield from metrics.histogram(STAGES)


@add_source
def read_connections() -> Iterable[Figure]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        yield Figure("database_connections", cursor.fetchone()[0])
