"""/media/gallery/...: pictures of the gallery, and nothing else."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from celebrities.gallery import embed_portraits
from celebrities.models import Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_portrait, read_stored

pytestmark = pytest.mark.django_db


def fetch(client: Client, address: str) -> tuple[int, bytes]:
    response = client.get(address)
    body = response.getvalue()
    return response.status_code, body


def test_it_works(client: Client, fake_engine: FaceEngine) -> None:
    make_portrait()
    embed_portraits(Portrait.objects.all())
    portrait = Portrait.objects.get()

    for address, kind in (
        (portrait.image.url, "image/jpeg"),
        (portrait.chip.url, "image/jpeg"),
        (portrait.thumbnail_url(160), "image/webp"),
    ):
        response = client.get(address)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == kind
        assert "immutable" in response.headers["Cache-Control"]
        assert response.getvalue() == read_stored(
            "gallery", address.removeprefix("/media/gallery/")
        )


@pytest.mark.parametrize(
    "name",
    [
        "portraits/ab/missing.jpg",
        "portraits/../../secret.jpg",
        "portraits/ab/notes.txt",
        "portraits/",
        "received/1234",
        "../uploads/photo.jpg",
        "secret.jpg",
    ],
)
def test_rejects_everything_else(client: Client, name: str) -> None:
    for place in ("secret.jpg", "portraits/ab/notes.txt", "received/1234"):
        storages["gallery"].save(place, ContentFile(b"secret"))

    assert fetch(client, f"/media/gallery/{name}")[0] == 404


def test_what_a_curator_sent_is_not_public_before_it_is_read(
    client: Client, fake_engine: FaceEngine
) -> None:
    portrait = make_portrait()

    assert fetch(client, portrait.image.url)[0] == 404
