"""Who works on an upload: claimed by a conditional UPDATE, and finished by the latest
claim alone. There is no lock to lose: a worker that was killed leaves a claim that the
next one replaces."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from uploads.models import Upload
from uploads.storage import delete_strays

Status = Upload.Status


class ClaimLost(Exception):
    """The upload was deleted, or another worker has claimed it since."""


def claim_upload(upload_id: uuid.UUID, *, redelivered: bool = False) -> Upload | None:
    """Claim the upload for one attempt, or None when there is nothing (more) to do.

    A running upload is taken over only when its worker is known to be lost: the broker
    delivered its task again, or it has been running for longer than any task may. The
    attempt after the last allowed one fails the upload instead.
    """
    mine = Q(status=Status.QUEUED) | Q(status=Status.RUNNING) & lost_workers(redelivered)
    claimable = Upload.objects.filter(mine, pk=upload_id)
    claim = uuid.uuid4()
    taken = claimable.filter(attempts__lt=settings.MAX_ATTEMPTS).update(
        status=Status.RUNNING,
        stage=Upload.Stage.READING,
        attempts=F("attempts") + 1,
        claim=claim,
        claimed_at=timezone.now(),
    )
    if not taken:
        fail_exhausted(claimable)
        return None
    return Upload.objects.filter(pk=upload_id, claim=claim).first()


def update_claimed(upload: Upload, **changes: Any) -> None:
    """Change the row if the claim still holds. Raises ClaimLost otherwise."""
    held = Upload.objects.filter(pk=upload.pk, claim=upload.claim, status=Status.RUNNING)
    if not held.update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        setattr(upload, name, value)


def lost_workers(redelivered: bool = False) -> Q:
    """Which running uploads have nobody at work on them."""
    if redelivered:
        return Q()
    return Q(claimed_at__lt=timezone.now() - timedelta(seconds=settings.LOST_AFTER))


def fail_exhausted(uploads: Any) -> int:
    """Fail those of the uploads that have used all their attempts; returns how many."""
    spent = uploads.filter(attempts__gte=settings.MAX_ATTEMPTS)
    names = list(spent.values_list("pk", "photo"))
    failed = 0
    for pk, photo in names:
        if spent.filter(pk=pk).update(
            status=Status.FAILED,
            failure=Upload.Failure.INTERNAL,
            stage=Upload.Stage.NONE,
            received="",
            claim=None,
            finished_at=timezone.now(),
        ):
            delete_strays(pk, {photo})
            failed += 1
    return failed
