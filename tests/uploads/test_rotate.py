"""POST /u/<id>/rotate/: another try with the photo turned by a quarter."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from pytest_django import Settings

from celebrities.models import Celebrity
from tests.uploads.factories import encode as encode_photo
from tests.uploads.factories import make_picture, make_result, make_upload
from uploads.matching import match_upload
from uploads.models import Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_media")]


@pytest.fixture
def result(gallery: list[Celebrity], owner: uuid.UUID) -> Upload:
    return make_result(gallery, owner=owner)


def rotate(client: Client, upload: Upload) -> Upload:
    response = client.post(f"/u/{upload.pk}/rotate/")
    assert response["Location"] == upload.get_absolute_url()
    upload.refresh_from_db()
    return upload


def test_it_works(client: Client, valkey: str, result: Upload) -> None:
    upload = rotate(client, result)

    assert (upload.status, upload.rotation) == (Upload.Status.QUEUED, 1)
    assert not upload.faces.exists()

    match_upload(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.rotation) == (Upload.Status.DONE, 0)
    assert (upload.width, upload.height) == (400, 300)
    assert upload.faces.get().box == [100, 75, 300, 225]


def test_it_turns_on_each_time(client: Client, valkey: str, result: Upload) -> None:
    for size in ((400, 300), (300, 400)):
        upload = rotate(client, result)
        match_upload(upload.pk)
        upload.refresh_from_db()
        assert (upload.width, upload.height) == size


def test_it_helps_where_no_face_was_found(
    client: Client, owner: uuid.UUID, valkey: str, gallery: list[Celebrity]
) -> None:
    failed = make_upload(encode_photo(make_picture().convert("L")), owner=owner)
    Upload.objects.filter(pk=failed.pk).update(
        status="failed", failure="no_face", photo=failed.received.name, received=""
    )
    assert f"/u/{failed.pk}/rotate/" in client.get(failed.get_absolute_url()).content.decode()

    assert rotate(client, failed).failure == ""


def test_it_is_offered_only_in_doubt(client: Client, result: Upload) -> None:
    address = f"/u/{result.pk}/rotate/"
    assert address not in client.get(result.get_absolute_url()).content.decode()

    Upload.objects.update(is_turned=True)
    assert address in client.get(result.get_absolute_url()).content.decode()


def test_it_leaves_a_waiting_photo_alone(client: Client, owner: uuid.UUID, valkey: str) -> None:
    assert rotate(client, make_upload(owner=owner)).rotation is None


def test_it_rejects_others_and_too_many(
    client: Client, valkey: str, result: Upload, settings: Settings
) -> None:
    assert Client().post(f"/u/{result.pk}/rotate/").status_code == 404
    assert client.get(f"/u/{result.pk}/rotate/").status_code == 405
    settings.RATE_LIMIT = 1
    rotate(client, result)
    refused = client.post(f"/u/{result.pk}/rotate/")
    assert refused.status_code == 429
    assert "Please try again in about 60 minutes." in refused.content.decode()


def test_it_says_when_the_queue_is_full(
    client: Client, valkey: str, result: Upload, settings: Settings
) -> None:
    settings.MAX_QUEUE = 0
    rotate(client, result)

    assert "We’re busy." in client.get(result.get_absolute_url()).content.decode()
    result.refresh_from_db()
    assert result.status == Upload.Status.DONE
