"""Stores a valid upload: row, file and task, or none of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from celebrities.filters import EVERYBODY, Filters
from celebrities.front import read_front
from lookalike.health import describe_full_disk
from lookalike.outages import Outage
from lookalike.queue import LAST_TURN, send
from uploads.consent import record_consent
from uploads.deletion import delete_upload
from uploads.limits import check_queue
from uploads.models import Upload
from uploads.storage import store_file


@dataclass(frozen=True, slots=True)
class Choices:
    """``k`` look-alikes among those who pass the filters, and whether to show an exhaustive search
    beside an approximate one."""

    k: int = 6
    filters: Filters = EVERYBODY
    exhaustive: bool = False


def accept_upload(
    photo: File[bytes],
    choices: Choices,
    *,
    consent_language: str,
    owner: UUID,
    sender: str,
    seconds: float,
    language: str,
) -> Upload:
    """Store the photo and queue it for a worker.

    The visitor agreed to the current consent text in ``consent_language``. ``sender`` is
    `lookalike.senders.hash_sender`'s, ``seconds`` what reading the photo is estimated to cost.
    Raises QueueFull, TooManyUploads, QueueAway, or Outage if the disk is full; nothing is kept
    then. If the caller has a
    transaction open, its commit raises QueueAway instead, and sweeping queues the upload later.
    """
    if problem := describe_full_disk():
        raise Outage(problem)
    earlier = check_queue(owner, sender)
    upload = Upload(
        owner=owner,
        consent=record_consent(consent_language),
        sender=sender,
        turn=find_turn(earlier, seconds),
        language=language,
        k=choices.k,
        filters=choices.filters.to_json(),
        exhaustive=choices.exhaustive,
        compared_with=choices.filters.count() if choices.filters else read_front().people,
    )
    upload.received.name = store_file(upload.pk, photo)
    try:
        upload.save(force_insert=True)
        send_upload(upload)
    except BaseException:
        # The row is already committed if the queue is away.
        delete_upload(upload)
        raise
    return upload


def rotate_upload(upload: Upload) -> None:
    """Queue a finished upload again, its photo turned clockwise by a quarter, whatever the site
    thinks is up. Its result is deleted. Does nothing unless it is finished and has its photo.

    Raises QueueFull, TooManyUploads, or QueueAway on commit: sweeping queues it later then.
    """
    check_queue(upload.owner, upload.sender)
    finished = Upload.objects.filter(status__in=[Upload.Status.DONE, Upload.Status.FAILED])
    with transaction.atomic():
        if (
            finished.filter(pk=upload.pk)
            .exclude(photo="")
            .update(
                status=Upload.Status.QUEUED,
                failure="",
                detail="",
                attempts=0,
                claim=None,
                finished_at=None,
                queued_at=timezone.now(),
                rotation=Coalesce("rotation", 0) + 1,
            )
        ):
            upload.faces.all().delete()
            send_upload(upload)


def find_turn(earlier: int, seconds: float = 0) -> int:
    """A photo waits a level behind for each ``earlier`` one of its sender that is not finished, and
    for each whole second that reading it takes: the second photo of one sender comes after the
    first of everybody else, and an expensive one after the cheap ones."""
    return min(earlier + int(seconds), LAST_TURN)


def send_upload(upload: Upload) -> None:
    """Queue the upload for a worker on commit, which raises QueueAway."""
    send("uploads.tasks.match_upload_task", str(upload.pk), level=upload.turn)
