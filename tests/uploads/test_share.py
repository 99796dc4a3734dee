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
from tests.uploads.factories import body_of, make_face, make_result, make_upload
from uploads.models import Match, Upload
from uploads.share.drawing import draw
from uploads.share.lettering import choose_font, choose_name
from uploads.share.picture import describe_share
from uploads.storage import list_files, read_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(owner: uuid.UUID, gallery: list[Celebrity]) -> Upload:
    return make_result(gallery, owner=owner)


def share(client: Client, upload: Upload, number: int = 0) -> str:
    response = client.post(f"/u/{upload.pk}/faces/{number}/link/", {"link": "on"})
    assert response["Location"] == f"/u/{upload.pk}/#link-{number}"
    token = upload.faces.get(number=number).share_token
    assert token
    return f"/s/{token}/"


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
        drawn = lower_part(draw(describe_share(match.face, match)))
        match.celebrity.name = ""
        empty = lower_part(draw(describe_share(match.face, match)))

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
    chip = visitor.get(f"{address}chip.jpg")
    assert chip.status_code == 200
    assert body_of(chip)[:3] == b"\xff\xd8\xff"
    assert visitor.get(f"{address}share.png").status_code == 200
    assert visitor.get(f"{address}photo.jpg").status_code == 404
    assert "sessionid" not in visitor.cookies


def test_a_link_shows_the_one_face_it_was_made_for(
    client: Client, result: Upload, gallery: list[Celebrity]
) -> None:
    friend = make_face(result, number=1, matches=gallery[::-1])
    mine, theirs = share(client, result, 0), share(client, result, 1)

    assert mine != theirs
    names = {face.matches.get(rank=1).celebrity.name: face for face in result.faces.all()}
    assert len(names) == 2
    for address, shown in ((mine, result.faces.get(number=0)), (theirs, friend)):
        page = Client().get(address).content.decode()
        assert page.count('class="best"') == 1
        assert shown.matches.get(rank=1).celebrity.name in page
        assert body_of(Client().get(f"{address}chip.jpg")) == read_file(shown.chip.name)
    client.post(f"/u/{result.pk}/faces/0/link/", {"link": "off"})
    assert Client().get(mine).status_code == 404
    assert Client().get(theirs).status_code == 200


def test_who_is_unpublished_leaves_the_link_at_once(client: Client, result: Upload) -> None:
    address = share(client, result)
    best = result.faces.get().matches.get(rank=1).celebrity
    before = Client().get(f"{address}share.png").content
    Celebrity.objects.filter(pk=best.pk).unpublish()

    assert best.name not in Client().get(address).content.decode()
    assert best.name not in client.get(f"/u/{result.pk}/").content.decode()
    assert Client().get(f"{address}share.png").content != before


def test_a_face_like_nobodys_is_not_shared(client: Client, result: Upload) -> None:
    address = share(client, result)
    Match.objects.update(similarity=12)
    face = f"/u/{result.pk}/faces/0"

    assert client.get(f"{face}/share.png").status_code == 404
    for path in ("", "chip.jpg", "share.png"):
        assert client.get(address + path).status_code == 404
    client.post(f"{face}/link/", {"link": "off"})
    client.post(f"{face}/link/", {"link": "on"})
    assert result.faces.get().share_token is None


def test_the_link_can_be_switched_off(client: Client, result: Upload) -> None:
    address = share(client, result)
    client.post(f"/u/{result.pk}/faces/0/link/", {"link": "off"})

    for path in ("", "chip.jpg", "share.png"):
        assert Client().get(address + path).status_code == 404


def test_the_link_made_anew_is_another(client: Client, result: Upload) -> None:
    address = share(client, result)
    assert share(client, result) == address
    client.post(f"/u/{result.pk}/faces/0/link/", {"link": "off"})

    assert share(client, result) != address


def test_the_link_ends_with_the_result(client: Client, result: Upload) -> None:
    address = share(client, result)
    client.post(f"/u/{result.pk}/delete/")

    assert Client().get(address).status_code == 404


def test_08_an_expired_link_is_gone_and_its_upload_deleted_when_it_is_asked_for(
    client: Client, result: Upload
) -> None:
    address = share(client, result)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get(address).status_code == 404
    assert not Upload.objects.exists()
    assert list_files(result.pk) == []


def test_only_the_owner_makes_a_link(result: Upload) -> None:
    assert Client().post(f"/u/{result.pk}/faces/0/link/", {"link": "on"}).status_code == 404
    assert result.faces.get().share_token is None


@pytest.mark.parametrize("token", ["None", "x", "%00", "a" * 500])
def test_it_rejects_a_token_that_is_none(client: Client, result: Upload, token: str) -> None:
    assert client.get(f"/s/{token}/").status_code == 404


def test_making_a_link_requires_post(client: Client, result: Upload) -> None:
    assert client.get(f"/u/{result.pk}/faces/0/link/").status_code == 405
