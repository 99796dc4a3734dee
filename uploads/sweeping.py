"""Uploads that the queue has forgotten: queued again, or failed with a reason."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from uploads.claims import fail_exhausted, lost_workers
from uploads.models import Upload
from uploads.tasks import queue_upload

logger = logging.getLogger(__name__)


def sweep_uploads() -> int:
    """Queue again what waits or runs for too long; returns how many were.

    A task that is queued twice does no harm: the second finds the upload claimed.
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
        for pk in list(forgotten.order_by("created_at").values_list("pk", flat=True)):
            if forgotten.filter(pk=pk).update(
                status=Upload.Status.QUEUED, claim=None, queued_at=timezone.now()
            ):
                queue_upload(pk)
                queued += 1
    except (OperationalError, OSError) as error:
        logger.warning("the queue is away, sweeping ends: %s", type(error).__name__)
    if failed or queued:
        logger.info("swept uploads: %d queued again, %d failed", queued, failed)
    return queued
