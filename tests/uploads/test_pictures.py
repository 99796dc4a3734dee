"""The visitor's own pictures."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from celebrities.models import Celebrity
from tests.uploads.factories import body_of, make_result, make_upload
from uploads.storage import delete_files, read_file

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["photo.jpg", "faces/0/crop.jpg", "faces/0/chip.jpg"])
def test_it_works(client: Client, owner: uuid.UUID, gallery: list[Celebrity], path: str) -> None:
    upload = make_result(gallery, owner=owner)
    face = upload.faces.get()
    names = {
        "photo.jpg": upload.photo.name,
        "faces/0/crop.jpg": face.crop.name,
        "faces/0/chip.jpg": face.chip.name,
    }
    response = client.get(f"/u/{upload.pk}/{path}")

    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert body_of(response) == read_file(names[path])


@pytest.mark.parametrize(
    "path", ["faces/1/crop.jpg", "faces/99999999999999999999/chip.jpg", "received.jpg"]
)
def test_it_rejects_what_is_not_there(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity], path: str
) -> None:
    upload = make_result(gallery, owner=owner)

    assert client.get(f"/u/{upload.pk}/{path}").status_code == 404


def test_it_never_serves_the_bytes_received(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)

    assert client.get(f"/u/{upload.pk}/photo.jpg").status_code == 404
    assert client.get(f"/media/uploads/{upload.received.name}").status_code == 404


def test_it_handles_a_file_that_is_lost(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(gallery, owner=owner)
    delete_files([upload.photo.name])

    assert client.get(f"/u/{upload.pk}/photo.jpg").status_code == 404
