"""Delete now, and what is left after it: nothing."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.storage import storages
from django.test import Client

from celebrities.models import Celebrity
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Photo
from tests.uploads.factories import make_result, make_upload
from uploads.deletion import delete_upload
from uploads.matching import match_upload
from uploads.models import Match, Upload, UploadedFace
from uploads.storage import list_files

pytestmark = pytest.mark.django_db


def test_it_works(client: Client, owner: uuid.UUID, gallery: list[Celebrity]) -> None:
    upload = make_result(gallery, owner=owner)
    response = client.post(f"/u/{upload.pk}/delete/")

    assert response.status_code == 200
    assert "your photo" in response.content.decode()
    deleted = response.context["deleted"]
    assert (deleted.files, deleted.faces, deleted.matches) == (3, 1, 4)
    assert not Upload.objects.exists()
    assert not UploadedFace.objects.exists()
    assert not Match.objects.exists()
    assert list_files(upload.pk) == []
    assert not storages["uploads"].exists(str(upload.pk))
    assert client.get(f"/u/{upload.pk}/").status_code == 404


def test_it_asks_first(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)
    response = client.get(f"/u/{upload.pk}/delete/")

    assert '<form class="actions" method="post">' in response.content.decode()
    assert Upload.objects.exists()


def test_it_handles_being_sent_twice(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)
    client.post(f"/u/{upload.pk}/delete/")

    assert client.post(f"/u/{upload.pk}/delete/").status_code == 404


def test_it_requires_a_csrf_token(owner: uuid.UUID, client: Client) -> None:
    upload = make_upload(owner=owner)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    response = strict.post(f"/u/{upload.pk}/delete/")

    assert response.status_code == 403
    assert "open too long" in response.content.decode()
    assert Upload.objects.exists()


def test_it_rejects_everybody_else(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)

    assert Client().post(f"/u/{upload.pk}/delete/").status_code == 404
    assert Upload.objects.exists()


@pytest.mark.parametrize("step", ["find_faces", "encode_faces"])
def test_a_running_task_ends_quietly(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    upload = make_upload()
    real = getattr(FaceEngine, step)

    def delete_midway(self: FaceEngine, *args: Photo | list[Detection], **options: int) -> object:
        delete_upload(upload)
        return real(self, *args, **options)

    pk = upload.pk
    monkeypatch.setattr(FaceEngine, step, delete_midway)
    match_upload(pk)

    assert not Upload.objects.exists()
    assert not UploadedFace.objects.exists()
    assert list_files(pk) == []
    assert not storages["uploads"].exists(str(pk))
