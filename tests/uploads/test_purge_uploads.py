"""manage.py purge_uploads, and the task that does the same."""

from __future__ import annotations

import io
import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from celebrities.models import Celebrity
from lookalike.reserve import SIZE, keep_reserve, released_reserve
from tests.uploads.factories import make_result, make_upload
from uploads import deletion
from uploads.models import Match, Upload
from uploads.storage import delete_folder, list_files, store_file
from uploads.tasks import purge_expired_task

pytestmark = pytest.mark.django_db


def purge(*options: str) -> str:
    said = io.StringIO()
    call_command("purge_uploads", *options, stdout=said)
    return said.getvalue().strip()


def make_expired(gallery: list[Celebrity]) -> Upload:
    return make_result(gallery, expires_at=timezone.now() - timedelta(seconds=1))


def test_it_works(gallery: list[Celebrity]) -> None:
    expired, kept = make_expired(gallery), make_result(gallery)

    assert purge() == "Deleted 1 upload."
    assert list(Upload.objects.all()) == [kept]
    assert Match.objects.count() == 4
    assert list_files(expired.pk) == []
    assert len(list_files(kept.pk)) == 3


def test_the_task_does_the_same(gallery: list[Celebrity]) -> None:
    make_expired(gallery)
    purge_expired_task()

    assert not Upload.objects.exists()


def test_the_task_forgets_whose_session_has_ended() -> None:
    for age in (-1, 60):
        session = SessionStore()
        session["owner"] = str(uuid.uuid4())
        session.set_expiry(age)
        session.save()
    purge_expired_task()

    assert Session.objects.count() == 1


def test_it_deletes_failed_and_abandoned_ones_too() -> None:
    past = timezone.now() - timedelta(hours=1)
    uploads = [make_upload(status=status, expires_at=past) for status in Upload.Status.values]

    assert purge() == "Deleted 4 uploads."
    assert not any(list_files(upload.pk) for upload in uploads)


def test_09_one_that_cannot_be_deleted_keeps_no_other(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    uploads = [make_expired(gallery) for _ in range(3)]
    stuck = uploads[1]
    real = delete_folder

    def refuse_one(upload_id: uuid.UUID | str) -> int:
        if str(upload_id) == str(stuck.pk):
            raise PermissionError(13, "Permission denied")
        return real(upload_id)

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "delete_folder", refuse_one)
        with pytest.raises(CommandError, match="1 could not be deleted"):
            purge()
    assert not Upload.objects.exists()
    assert [bool(list_files(upload.pk)) for upload in uploads] == [False, True, False]
    assert "1 deletions failed with PermissionError" in caplog.text
    assert str(stuck.pk) not in caplog.text

    for name in list_files(stuck.pk):
        os.utime(storages["uploads"].path(name), (0, 0))
    purge()
    assert list_files(stuck.pk) == []


def test_41_files_go_first_where_rows_cannot_be_written(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = make_expired(gallery)
    real = deletion.delete_upload

    def refuse_on_a_full_disk(upload: Upload) -> deletion.Deleted:
        if list_files(upload.pk):
            raise OperationalError("database or disk is full")
        return real(upload)

    monkeypatch.setattr(deletion, "delete_upload", refuse_on_a_full_disk)
    assert purge() == "Deleted 1 upload."
    assert not Upload.objects.filter(pk=upload.pk).exists()


def test_all_means_all() -> None:
    make_upload()

    assert purge("--all") == "Deleted 1 upload."
    assert not Upload.objects.exists()


def test_a_dry_run_deletes_nothing(gallery: list[Celebrity]) -> None:
    make_expired(gallery)

    assert purge("--dry-run") == "Would delete 1 upload."
    assert Upload.objects.exists()


def test_it_takes_files_that_a_killed_process_left() -> None:
    fresh, old, foreign = str(uuid.uuid4()), str(uuid.uuid4()), "lost+found"
    for folder in (fresh, old):
        store_file(uuid.UUID(folder), b"bytes")
    storages["uploads"].save(f"{foreign}/file", io.BytesIO(b"bytes"))
    long_ago = time.time() - 7200
    root = Path(storages["uploads"].path(""))
    for folder in (old, foreign):
        for path in (root / folder).iterdir():
            os.utime(path, (long_ago, long_ago))
    purge()

    assert len(list_files(fresh)) == 1
    assert not (root / old).exists()
    assert len(list_files(foreign)) == 1


def test_41_it_gives_up_the_reserve_and_takes_it_again(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    keep_reserve()
    with released_reserve():
        assert not [*tmp_path.iterdir()]
    call_command("purge_uploads")
    assert (tmp_path / "reserve").stat().st_size == SIZE
    assert (tmp_path / "reserve").stat().st_mode & 0o777 == 0o600
