"""From a valid form to a row, a file and a task; or to none of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

from celebrities.filters import Filters
from uploads.consent import record_consent
from uploads.deletion import delete_upload
from uploads.models import Upload
from uploads.storage import delete_folder, store_file
from uploads.tasks import queue_upload


class QueueUnreachable(Exception):
    """The broker does not take tasks; nothing of the upload was kept."""


def accept_upload(cleaned: dict[str, Any], owner: uuid.UUID, language: str) -> Upload:
    """Store what a valid UploadForm holds and queue it for a worker.

    Raises QueueUnreachable, with file and row removed again, when the broker is away.
    """
    upload = Upload(owner=owner, language=language)
    for choice in ("k", "category", "gender", "living_only", "exhaustive"):
        setattr(upload, choice, cleaned[choice])
    filters = Filters(upload.category, upload.gender, upload.living_only)
    upload.compared_with = filters.count()
    upload.received.name = store_file(upload.pk, cleaned["photo"])
    try:
        with transaction.atomic():
            upload.consent = record_consent(cleaned["consent_language"])
            upload.save(force_insert=True)
    except BaseException:
        delete_folder(upload.pk)
        raise
    try:
        queue_upload(upload.pk)
    except (OperationalError, OSError) as error:
        delete_upload(upload)
        raise QueueUnreachable from error
    return upload
