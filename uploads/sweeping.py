"""Uploads that the queue has lost: queued again, or failed after the last attempt."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from lookalike.queue import QueueAway
from uploads.claims import fail_exhausted, lost_workers
from uploads.intake import find_turn, send_upload
from uploads.models import Upload

logger = logging.getLogger(__name__)


def sweep_uploads() -> int:
    """Queue uploads again that have waited or run for too long; returns how many.

    Queueing a task twice is harmless: the second one finds the upload claimed.
    """
    waited = Q(
        status=Upload.Status.QUEUED,
        queued_at__lt=timezone.now() - timedelta(seconds=settings.REQUEUE_AFTER),
    )
    lost = Q(status=Upload.Status.RUNNING) & lost_workers()
    forgotten = Upload.objects.filter(waited | lost)
    failed = fail_exhausted(forgotten)
    queued = 0
    try:
        for upload in list(forgotten.order_by("created_at")):
            theirs = Upload.objects.unfinished().sent_by(upload.owner, upload.sender)
            upload.turn = find_turn(theirs.filter(created_at__lt=upload.created_at).count())
            if forgotten.filter(pk=upload.pk).update(
                status=Upload.Status.QUEUED,
                claim=None,
                turn=upload.turn,
                queued_at=timezone.now(),
            ):
                send_upload(upload)
                queued += 1
    except QueueAway:
        logger.warning("the queue is away, sweeping stops")
    if failed or queued:
        logger.info("swept uploads: %d queued again, %d failed", queued, failed)
    return queued
