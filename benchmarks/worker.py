"""Measurements that run in a site's own environment, with its settings and database."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import F

from benchmarks.profiling import profile_parts
from benchmarks.timing import RUNS, time_beside
from lookalike.engine import get_engine
from lookalike.faces.photos.decoding import open_photo, shrink_photo
from lookalike.faces.pipeline import FaceEngine
from uploads import crops, matching
from uploads.models import Upload
from uploads.storage import store_file

PARTS: dict[str, Callable[..., Any]] = {
    "read and decode": open_photo,
    "shrink to keep": shrink_photo,
    "find faces": FaceEngine.find_faces,
    "encode": FaceEngine.encode_faces,
    "search": matching._search,
    "cut and write JPEG": crops.cut_faces,
    "store the photo": matching._store_photo,
    "write the result": matching._save,
}


def measure_steps(photo: str) -> dict[str, float]:
    """Median milliseconds in the queue and in the worker of the latest uploads, which were sent
    one at a time; of the engine alone for the same photo; and what the site adds to it."""
    latest = Upload.objects.order_by("-created_at")[:RUNS]
    times = {
        "queue_ms": _median_ms(row.claimed_at - row.queued_at for row in latest if row.claimed_at),
        "worker_ms": _median_ms(
            row.finished_at - row.claimed_at for row in latest if row.finished_at and row.claimed_at
        ),
        "engine_ms": round(time_beside({"engine": lambda: _analyse(photo)})["engine"], 1),
    }
    added = times["queue_ms"] + times["worker_ms"] - times["engine_ms"]
    return {**times, "added_ms": round(added, 1)}


def _median_ms(spans: Iterable[timedelta]) -> float:
    return round(statistics.median(span.total_seconds() * 1000 for span in spans), 1)


def _analyse(photo: str) -> None:
    opened = open_photo(
        Path(photo),
        max_bytes=settings.MAX_BYTES,
        max_pixels=settings.MAX_PIXELS,
        min_side=1,
        target_side=settings.STORED_SIDE,
    )
    engine = get_engine()
    engine.encode_faces(*engine.find_faces(opened))


def profile_worker(photo: str) -> dict[str, float]:
    """Milliseconds per part of the worker's way with a photo."""
    uploads = _receive(photo, RUNS + 1)
    waiting = iter(uploads)
    profile = profile_parts(lambda: matching.match_upload(next(waiting).pk), PARTS)
    done = Upload.objects.filter(pk__in=[upload.pk for upload in uploads], status="done")
    assert done.count() == len(uploads)
    return profile


def _receive(photo: str, count: int) -> list[Upload]:
    """Uploads like the latest one, as the web process would leave them; no task is queued."""
    latest, content = Upload.objects.latest("created_at"), Path(photo).read_bytes()
    uploads = [Upload(owner=uuid4(), consent=latest.consent, k=latest.k) for _ in range(count)]
    for upload in uploads:
        upload.received.name = store_file(upload.pk, content)
        upload.save(force_insert=True)
    return uploads


def make_waiting(upload: str, count: int) -> dict[str, list[str]]:
    """Replaces the uploads that wait by ``count`` copies of ``upload``. They wait forever, since
    no task is queued for them, and are dated ahead, so that nobody is behind them."""
    waiting = Upload.objects.filter(status="queued")
    waiting.delete()
    original = Upload.objects.get(pk=upload)
    copies = [_copy(original) for _ in range(count)]
    waiting.update(created_at=F("created_at") + timedelta(hours=1))
    return {"uploads": [str(key) for key in copies]}


def _copy(upload: Upload) -> UUID:
    upload.pk, upload.status, upload._state.adding = uuid4(), Upload.Status.QUEUED, True
    upload.save(force_insert=True)
    return upload.pk
