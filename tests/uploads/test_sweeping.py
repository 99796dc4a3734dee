"""Uploads that the queue has forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from tests.uploads.factories import make_upload
from uploads.models import Upload
from uploads.sweeping import sweep_uploads

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(seconds=90)


def queued_messages(socket: str) -> list[bytes]:
    with redis.Redis(unix_socket_path=socket) as server:
        found = server.lrange("match", 0, -1)
    assert isinstance(found, list)
    return found


def test_it_works(valkey: str) -> None:
    upload = make_upload(queued_at=timezone.now() - LONG_AGO)

    assert sweep_uploads() == 1
    assert len(queued_messages(valkey)) == 1
    upload.refresh_from_db()
    assert timezone.now() - upload.queued_at < LONG_AGO


def test_it_queues_again_what_its_worker_lost(valkey: str) -> None:
    upload = make_upload(
        status=Upload.Status.RUNNING, attempts=1, claimed_at=timezone.now() - LONG_AGO
    )

    assert sweep_uploads() == 1
    upload.refresh_from_db()
    assert (upload.status, upload.attempts, upload.claim) == ("queued", 1, None)
    assert len(queued_messages(valkey)) == 1


def test_it_fails_what_was_lost_three_times(valkey: str) -> None:
    upload = make_upload(
        status=Upload.Status.RUNNING, attempts=3, claimed_at=timezone.now() - LONG_AGO
    )

    assert sweep_uploads() == 0
    upload.refresh_from_db()
    assert (upload.status, upload.failure) == ("failed", "internal")
    assert queued_messages(valkey) == []


def test_it_leaves_alone_what_is_on_its_way(valkey: str) -> None:
    make_upload()
    make_upload(status=Upload.Status.RUNNING, attempts=1, claimed_at=timezone.now())
    make_upload(status=Upload.Status.DONE, queued_at=timezone.now() - LONG_AGO)

    assert sweep_uploads() == 0
    assert queued_messages(valkey) == []


def test_it_handles_a_queue_that_is_away(valkey_away: None) -> None:
    make_upload(queued_at=timezone.now() - LONG_AGO)

    assert sweep_uploads() == 0
    assert Upload.objects.get().status == Upload.Status.QUEUED
