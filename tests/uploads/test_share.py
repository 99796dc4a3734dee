"""Showing a result to others: the picture, and the link that can be switched off."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone, translation
from PIL import Image

from celebrities.models import Celebrity
from tests.uploads.factories import body_of, make_result, make_upload
from uploads.models import Match, Upload
from uploads.share.lettering import choose_font, choose_name
from uploads.share.picture import draw_share_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(owner: uuid.UUID, gallery: list[Celebrity]) -> Upload:
    return make_result(gallery, owner=owner)


def share(client: Client, upload: Upload) -> str:
    client.post(f"/u/{upload.pk}/link/", {"link": "on"})
    upload.refresh_from_db()
    assert upload.share_token
    return f"/s/{upload.share_token}/"


def test_it_works(client: Client, result: Upload) -> None:
    response = client.get(f"/u/{result.pk}/faces/0/share.png")

    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert "no-store" in response["Cache-Control"]
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))
        assert not image.info


@pytest.mark.parametrize("number", ["1", "99999999999999999999"])
def test_it_rejects_a_face_that_is_not_there(client: Client, result: Upload, number: str) -> None:
    assert client.get(f"/u/{result.pk}/faces/{number}/share.png").status_code == 404


def test_it_rejects_an_upload_without_a_result(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)

    assert client.get(f"/u/{upload.pk}/faces/0/share.png").status_code == 404


def lower_part(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)[480:]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    "name",
    ["Maren Fjellstad", "Мария Безымянная", "Łucja Ængström", "山田 花子", "ليلى", "N" * 200, "🙂"],
)
def test_it_draws_any_name(result: Upload, name: str, language: str) -> None:
    match = Match.objects.select_related("celebrity", "portrait")[0]
    match.celebrity.name = name
    with translation.override(language):
        drawn = lower_part(draw_share_picture(match.face, match))
        match.celebrity.name = ""
        empty = lower_part(draw_share_picture(match.face, match))

    assert drawn.shape == empty.shape
    assert (drawn != empty).any() == (choose_font(name) is not None)
    assert (drawn[:, 1140:] == drawn[0, -1]).all(), "nothing may reach into the margin"


def test_a_name_without_letters_gives_way_to_another() -> None:
    assert choose_name(["\U0010fffd", "Дарья"])[0] == "Дарья"
    assert choose_name(["\U0010fffd"])[0] == ""


def test_the_link_shows_faces_without_the_photo(client: Client, result: Upload) -> None:
    address = share(client, result)
    visitor = Client()
    response = visitor.get(address)

    assert response.status_code == 200
    page = response.content.decode()
    assert result.faces.get().matches.get(rank=1).celebrity.name in page
    assert f"/u/{result.pk}" not in page
    assert "noindex" in response["X-Robots-Tag"]
    assert 'property="og:image" content="http://testserver/s/' in page
    chip = visitor.get(f"{address}faces/0/chip.jpg")
    assert chip.status_code == 200
    assert body_of(chip)[:3] == b"\xff\xd8\xff"
    assert visitor.get(f"{address}faces/0/share.png").status_code == 200
    assert visitor.get(f"{address}photo.jpg").status_code == 404
    assert "sessionid" not in visitor.cookies


def test_the_link_can_be_switched_off(client: Client, result: Upload) -> None:
    address = share(client, result)
    client.post(f"/u/{result.pk}/link/", {"link": "off"})

    for path in ("", "faces/0/chip.jpg", "faces/0/share.png"):
        assert Client().get(address + path).status_code == 404


def test_the_link_made_anew_is_another(client: Client, result: Upload) -> None:
    address = share(client, result)
    assert share(client, result) == address
    client.post(f"/u/{result.pk}/link/", {"link": "off"})

    assert share(client, result) != address


def test_the_link_ends_with_the_result(client: Client, result: Upload) -> None:
    address = share(client, result)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(address).status_code == 404
    Upload.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    client.post(f"/u/{result.pk}/delete/")

    assert Client().get(address).status_code == 404


def test_only_the_owner_makes_a_link(result: Upload) -> None:
    assert Client().post(f"/u/{result.pk}/link/", {"link": "on"}).status_code == 404
    result.refresh_from_db()
    assert result.share_token is None


@pytest.mark.parametrize("token", ["None", "x", "%00", "a" * 500])
def test_it_rejects_a_token_that_is_none(client: Client, result: Upload, token: str) -> None:
    assert client.get(f"/s/{token}/").status_code == 404


def test_making_a_link_requires_post(client: Client, result: Upload) -> None:
    assert client.get(f"/u/{result.pk}/link/").status_code == 405
