"""Only the latest claim works on an upload, and only three times."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from lookalike.faces.errors import Reason
from tests.uploads.factories import make_upload
from uploads.claims import ClaimLost, claim_upload, fail_claimed, update_claimed
from uploads.models import Upload
from uploads.storage import list_files, store_file

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    upload = make_upload()
    claimed = claim_upload(upload.pk)

    assert claimed is not None
    assert claimed.status == Upload.Status.RUNNING
    assert claimed.stage == Upload.Stage.FINDING
    assert claimed.attempts == 1
    assert claimed.claim is not None


def test_a_second_task_finds_it_claimed() -> None:
    upload = make_upload()
    claim_upload(upload.pk)

    assert claim_upload(upload.pk) is None
    upload.refresh_from_db()
    assert (upload.status, upload.attempts) == (Upload.Status.RUNNING, 1)


def test_a_task_delivered_again_takes_over() -> None:
    upload = make_upload()
    first = claim_upload(upload.pk)
    second = claim_upload(upload.pk, redelivered=True)

    assert first is not None
    assert second is not None
    assert second.attempts == 2
    assert second.claim != first.claim


def test_a_worker_that_is_long_overdue_is_replaced() -> None:
    upload = make_upload()
    claim_upload(upload.pk)
    Upload.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))

    assert claim_upload(upload.pk) is not None


def test_only_the_latest_claim_may_write() -> None:
    upload = make_upload()
    first = claim_upload(upload.pk)
    second = claim_upload(upload.pk, redelivered=True)
    assert first is not None
    assert second is not None

    with pytest.raises(ClaimLost):
        update_claimed(first, stage=Upload.Stage.FINDING)
    update_claimed(second, stage=Upload.Stage.COMPARING)
    upload.refresh_from_db()
    assert upload.stage == Upload.Stage.COMPARING


def test_the_third_lost_attempt_is_the_last() -> None:
    upload = make_upload()
    store_file(upload.pk, b"left by a killed attempt")
    for _ in range(3):
        assert claim_upload(upload.pk, redelivered=True) is not None

    assert claim_upload(upload.pk, redelivered=True) is None
    upload.refresh_from_db()
    assert (upload.status, upload.failure) == ("failed", "internal")
    assert upload.finished_at is not None
    assert list_files(upload.pk) == []


@pytest.mark.parametrize("status", [Upload.Status.DONE, Upload.Status.FAILED])
def test_what_is_finished_stays_so(status: str) -> None:
    upload = make_upload(status=status)

    assert claim_upload(upload.pk, redelivered=True) is None
    upload.refresh_from_db()
    assert (upload.status, upload.attempts) == (status, 0)


def test_it_handles_an_upload_that_is_gone() -> None:
    assert claim_upload(uuid.uuid4()) is None


def test_a_lost_claim_deletes_no_file_of_the_next_one() -> None:
    upload = make_upload()
    first = claim_upload(upload.pk)
    claim_upload(upload.pk, redelivered=True)
    assert first is not None

    with pytest.raises(ClaimLost):
        fail_claimed(first, Reason.INTERNAL, "")
    assert list_files(upload.pk) == [upload.received.name]
    upload.refresh_from_db()
    assert (upload.status, upload.failure) == ("running", "")


def test_a_claim_ends_with_the_upload() -> None:
    claimed = claim_upload(make_upload().pk)
    assert claimed is not None
    update_claimed(claimed, status=Upload.Status.DONE)

    with pytest.raises(ClaimLost):
        fail_claimed(claimed, Reason.TOOK_TOO_LONG, "")


def test_a_failure_keeps_the_stored_photo_alone() -> None:
    claimed = claim_upload(make_upload().pk)
    assert claimed is not None
    update_claimed(claimed, photo=store_file(claimed.pk, b"photo", ".jpg"))
    store_file(claimed.pk, b"a crop")
    fail_claimed(claimed, Reason.UNSUPPORTED, "x" * 50)

    row = Upload.objects.get()
    assert list_files(row.pk) == [row.photo.name]
    assert (row.status, row.failure, row.detail) == ("failed", "unsupported", "x" * 40)
    assert (row.stage, row.received.name, row.claim) == ("", "", None)
    assert row.finished_at is not None
