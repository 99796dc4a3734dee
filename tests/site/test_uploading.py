"""Files that arrive have no name, and leave nothing behind."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.core.files.uploadhandler import StopFutureHandlers
from django.test import Client
from pytest_django import Settings

from lookalike.queue import forget_history
from lookalike.uploading import NamelessFileUploadHandler, sweep_temporary_files
from tests.live import wait_for
from tests.uploads.factories import cast_photo, fill_form
from uploads.models import Upload
from uploads.storage import read_file


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.TEMP_DIR = tmp_path / "tmp"
    return tmp_path / "tmp"


@pytest.mark.django_db
def test_it_works(client: Client, valkey: str, settings: Settings, folder: Path) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    assert client.post("/", fill_form()).status_code == 302

    assert read_file(Upload.objects.get().received.name) == cast_photo()
    assert list(folder.iterdir()) == []


def test_20_no_name_holds_the_visitors(folder: Path) -> None:
    handler = NamelessFileUploadHandler()
    with suppress(StopFutureHandlers):
        handler.new_file("photo", "x.MyHolidayName", "image/jpeg", None)
    handler.receive_data_chunk(b"a photo", 0)

    assert list(folder.iterdir()) == []
    opened = str(Path(f"/proc/self/fd/{handler.file.fileno()}").readlink())
    assert opened.startswith(f"{folder}/")
    assert opened.endswith(" (deleted)")
    assert "MyHolidayName" not in opened
    handler.upload_interrupted()
    assert handler.file.closed


def test_an_upload_that_breaks_off_before_its_file_leaves_nothing(folder: Path) -> None:
    NamelessFileUploadHandler().upload_interrupted()
    sweep_temporary_files()

    assert not folder.exists()


def test_what_is_left_behind_is_swept(folder: Path) -> None:
    folder.mkdir()
    for name, age in (("old", 2 * 3600), ("new", 60)):
        (folder / name).write_bytes(b"a photo")
        os.utime(folder / name, (time.time() - age,) * 2)
    sweep_temporary_files()

    assert [path.name for path in folder.iterdir()] == ["new"]


def test_24_ids_leave_valkeys_file(valkey: str, settings: Settings) -> None:
    upload = str(uuid4()).encode()
    files = Path(settings.VALKEY_SOCKET).parent / "valkey" / "appendonlydir"

    def is_kept() -> bool:
        with suppress(FileNotFoundError):
            return any(upload in one.read_bytes() for one in files.iterdir())
        return True

    with redis.Redis(unix_socket_path=valkey) as server:
        server.rpush("match", upload)
        server.lpop("match")
    wait_for(is_kept, "the file to be written")
    forget_history()
    wait_for(lambda: not is_kept(), "Valkey to write its file anew")


def test_a_server_of_the_operators_is_left_alone(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    forget_history()


def test_an_embedded_valkey_that_is_away_is_no_fault(settings: Settings, tmp_path: Path) -> None:
    settings.VALKEY_SOCKET = tmp_path / "nobody.sock"
    forget_history()
