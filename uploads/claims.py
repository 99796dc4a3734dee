"""Only the worker with the latest claim (a conditional UPDATE) may change an upload. There is no
lock to release: the next worker replaces the claim of one that was killed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from lookalike.faces.errors import Reason
from uploads.models import Upload, UploadQuerySet
from uploads.storage import delete_files, list_files

Status = Upload.Status


class ClaimLost(Exception):
    """The upload was deleted or finished, or another worker claimed it."""


def claim_upload(upload_id: uuid.UUID, *, redelivered: bool = False) -> Upload | None:
    """Claim the upload for one attempt. Returns None if there is nothing to do.

    Claims a running upload only if its worker is lost. Fails it if all attempts are used.
    """
    waiting = Q(status=Status.QUEUED) | Q(status=Status.RUNNING) & lost_workers(redelivered)
    claimable = Upload.objects.filter(waiting, pk=upload_id)
    claim = uuid.uuid4()
    claimed = claimable.filter(attempts__lt=settings.MAX_ATTEMPTS).update(
        status=Status.RUNNING,
        stage=Upload.Stage.FINDING,
        attempts=F("attempts") + 1,
        claim=claim,
        claimed_at=timezone.now(),
    )
    if not claimed:
        fail_exhausted(claimable)
        return None
    return Upload.objects.filter(pk=upload_id, claim=claim).first()


def update_claimed(upload: Upload, **changes: Any) -> None:
    """Change the row and the object. Raises ClaimLost."""
    if not _claimed(upload).update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        setattr(upload, name, value)


def fail_claimed(upload: Upload, reason: Reason, detail: str) -> None:
    """Raises ClaimLost."""
    if not _fail(_claimed(upload), upload.pk, reason, detail):
        raise ClaimLost


def give_back(upload: Upload) -> None:
    """End this attempt: the sweeper queues the upload again. Raises ClaimLost."""
    if not _claimed(upload).update(
        status=Status.QUEUED, stage=Upload.Stage.NONE, claim=None, queued_at=timezone.now()
    ):
        raise ClaimLost


def lost_workers(redelivered: bool = False) -> Q:
    """Running uploads whose worker is lost: the broker redelivered the task, or the upload has been
    running longer than any task may."""
    if redelivered:
        return Q()
    return Q(claimed_at__lt=timezone.now() - timedelta(seconds=settings.LOST_AFTER))


def fail_exhausted(uploads: UploadQuerySet) -> int:
    """Fail those uploads that have used all their attempts; returns how many."""
    spent = uploads.filter(attempts__gte=settings.MAX_ATTEMPTS)
    return sum(_fail(spent, pk, Reason.INTERNAL) for pk in list(spent.values_list("pk", flat=True)))


def _claimed(upload: Upload) -> UploadQuerySet:
    return Upload.objects.filter(pk=upload.pk, claim=upload.claim, status=Status.RUNNING)


def _fail(uploads: UploadQuerySet, pk: uuid.UUID, reason: Reason, detail: str = "") -> bool:
    """Fail the upload if it is among ``uploads``. Only the stored photo is kept, for the page."""
    photo = uploads.filter(pk=pk).values_list("photo", flat=True).first()
    rest = [name for name in list_files(pk) if name != photo]
    failed = uploads.filter(pk=pk).update(
        status=Status.FAILED,
        stage=Upload.Stage.NONE,
        failure=reason.value,
        detail=detail[:40],
        received="",
        sender="",
        claim=None,
        finished_at=timezone.now(),
    )
    if failed:
        delete_files(rest)
    return bool(failed)
