"""The files of an upload, on a local disk and on S3 alike."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from uploads.deletion import is_orphan
from uploads.storage import (
    delete_files,
    delete_folder,
    is_untouched,
    list_files,
    list_folders,
    read_file,
    store_file,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.services)])
def storage(request: pytest.FixtureRequest, settings: Settings) -> None:
    """The private place, of either kind."""
    if request.param == "disk":
        return
    env: dict[str, str] = request.getfixturevalue("s3")
    options: dict[str, Any] = {
        "bucket_name": env["LOOKALIKE_S3_BUCKET"],
        "endpoint_url": env["LOOKALIKE_S3_ENDPOINT"],
        "access_key": env["LOOKALIKE_S3_ACCESS_KEY"],
        "secret_key": env["LOOKALIKE_S3_SECRET_KEY"],
        "region_name": env["LOOKALIKE_S3_REGION"],
        "addressing_style": env["LOOKALIKE_S3_ADDRESSING"],
        "location": "uploads",
    }
    place = {"BACKEND": "lookalike.s3.SharedS3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "uploads": place}


def test_it_works(storage: None) -> None:
    upload = uuid.uuid4()
    one, other = store_file(upload, b"one", ".jpg"), store_file(upload, b"other")

    assert sorted(list_files(upload)) == sorted([one, other])
    assert read_file(one) == b"one"
    assert one != store_file(upload, b"one", ".jpg")
    assert delete_folder(upload) == 3
    assert list_files(upload) == []


def test_it_handles_what_is_not_there(storage: None) -> None:
    upload = uuid.uuid4()

    assert list_files(upload) == []
    assert delete_folder(upload) == 0
    delete_files([f"{upload}/gone", "", None])
    for name in (f"{upload}/gone", "", None):
        with pytest.raises(FileNotFoundError):
            read_file(name)


def test_it_knows_how_long_a_folder_was_left_alone(storage: None) -> None:
    upload = str(uuid.uuid4())
    store_file(uuid.UUID(upload), b"of a form being stored")

    assert upload in list_folders()
    assert is_untouched(upload, timedelta(seconds=-60))
    assert not is_untouched(upload, timedelta(seconds=60))
    assert not is_orphan(upload)
