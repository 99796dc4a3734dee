"""Showing a result to others: the picture, and the link that can be switched off."""

from __future__ import annotations

import io
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import psutil
import pytest
import segno
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone, translation
from PIL import Image, features

from celebrities.models import Celebrity, Portrait
from tests.conftest import LANGUAGES
from tests.live import wait_for
from tests.uploads.factories import body_of, make_face, make_result, make_upload
from uploads.models import Match, Upload
from uploads.share import card
from uploads.share.card import SIZES, Card, TooManyPictures, draw_apart
from uploads.share.drawing import LAYOUTS, draw
from uploads.share.lettering import BUNDLED_FONT, choose_name, list_fonts
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
        assert (image.format, image.size) == ("PNG", (1080, 1080))
        assert not image.info


def test_it_is_also_made_for_stories(client: Client, result: Upload) -> None:
    response = client.get(f"/u/{result.pk}/faces/0/share.png?format=story")

    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (1080, 1920)


def test_an_unknown_format_is_the_usual_one(client: Client, result: Upload) -> None:
    response = client.get(f"/u/{result.pk}/faces/0/share.png?format=poster")

    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (1080, 1080)


def test_it_asks_to_come_again_if_drawing_takes_too_long(
    client: Client, result: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "SECONDS", 0.001)
    response = client.get(f"/u/{result.pk}/faces/0/share.png")

    assert (response.status_code, response["Retry-After"]) == (503, "10")


def test_one_is_drawn_at_a_time_and_not_too_many_wait(result: Upload) -> None:
    drawing, ends, most = describe(result), Counter[str](), 0
    before = {*psutil.Process().children()}

    def ask() -> None:
        try:
            ends[draw_apart(drawing)[1:4].decode()] += 1
        except TooManyPictures:
            ends["refused"] += 1

    threads = [threading.Thread(target=ask) for _ in range(16)]
    with card._drawing:
        for thread in threads:
            thread.start()
        wait_for(lambda: ends["refused"] == 16 - card.MOST_ASKED_FOR, "the others to be refused")
    while any(thread.is_alive() for thread in threads):
        most = max(most, len({*psutil.Process().children()} - before))
        time.sleep(0.01)

    assert most == 1
    assert ends["PNG"] == card.MOST_ASKED_FOR


def test_it_asks_to_come_again_where_no_process_starts(
    client: Client, result: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "BASE_DIR", "/nowhere")
    response = client.get(f"/u/{result.pk}/faces/0/share.png")

    assert (response.status_code, response["Retry-After"]) == (503, "10")


@pytest.mark.parametrize("number", ["1", "99999999999999999999"])
def test_it_rejects_a_face_that_is_not_there(client: Client, result: Upload, number: str) -> None:
    assert client.get(f"/u/{result.pk}/faces/{number}/share.png").status_code == 404


def test_it_rejects_an_upload_without_a_result(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)

    assert client.get(f"/u/{upload.pk}/faces/0/share.png").status_code == 404


def describe(result: Upload, shape: str = "square") -> Card:
    match = Match.objects.select_related("celebrity", "portrait")[0]
    return describe_share(match.face, match, shape=shape, address="https://a.example/")


def pixels(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
@pytest.mark.parametrize("shape", sorted(SIZES))
@pytest.mark.parametrize(
    "name",
    ["Maren Fjellstad", "Мария Безымянная", "山田 花子", "ليلى", "N" * 200, "🙂"],
)
def test_it_draws_any_name(result: Upload, name: str, shape: str, language: str) -> None:
    with translation.override(language):
        drawing = describe(result, shape)
    drawn = pixels(draw(replace(drawing, names=[name])))
    empty = pixels(draw(replace(drawing, names=[])))
    words = LAYOUTS[shape]

    assert drawn.shape == empty.shape
    assert (drawn != empty).any()
    margin = drawn[words.words[1] :, words.words[0] + words.width :]
    assert (margin == margin[-1, -1]).all(), "nothing may reach into the margin"


@pytest.mark.parametrize(
    "name",
    ["Ελένη", "Łucja Ængström", "ليلى", "אביגדור", "अमिताभ", "ทักษิณ", "გიორგი"],
)
def test_it_draws_these_scripts_with_the_fonts_that_are_packages(name: str) -> None:
    drawn, font = choose_name([name])

    assert drawn == name
    assert font in list_fonts()[:2]


@pytest.mark.parametrize(
    ("names", "drawn"),
    [
        (["Pelé ⚽"], "Pelé"),
        (["\U0010fffd", "Дарья"], "Дарья"),
        (["ꀀꀁ"], "itix"),
        (["🙂"], "slight smile"),
        (["", " "], ""),
    ],
)
def test_a_sign_is_left_out_but_never_a_name(names: list[str], drawn: str) -> None:
    assert choose_name(names)[0] == drawn


def test_letters_are_not_left_unjoined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _name: False)

    assert choose_name(["ليلى مراد"]) == ("lyla mrd", BUNDLED_FONT)


@pytest.mark.parametrize("shape", sorted(SIZES))
def test_it_leads_to_the_first_page(result: Upload, shape: str) -> None:
    code = [list(row) for row in segno.make("https://a.example/", error="m").matrix_iter(border=2)]
    (left, top), side = LAYOUTS[shape].foot, LAYOUTS[shape].code
    step = side // len(code)
    drawn = pixels(draw(describe(result, shape)))
    middles = np.arange(len(code)) * step + step // 2
    read = drawn[top + middles][:, left + middles].max(axis=2) < 128

    assert (read == np.array(code, dtype=bool)).all()


def test_it_says_what_is_pleasant_and_who_made_the_portrait(result: Upload) -> None:
    Match.objects.update(percentile=74.0)
    Portrait.objects.update(author="Jane Roe", licence="CC BY 4.0")
    drawing = describe(result)

    assert drawing.said == "Closer than the best match of 7 in 10 people"
    assert drawing.likeness.endswith("of 100 · a fictional person")
    assert drawing.credit == "Portrait: Jane Roe · CC BY 4.0"


def preview(client: Client, result: Upload, **more: str) -> Any:
    address = f"/u/{result.pk}/faces/0/link/"
    client.post(address, {"link": "off"})
    client.post(address, {"link": "on", **more})
    shared = Client().get(f"/s/{result.faces.get().share_token}/share.png")
    return pixels(shared.content)


def test_the_preview_shows_the_face_only_if_the_visitor_says_so(
    client: Client, result: Upload
) -> None:
    portrait_only = preview(client, result)
    both = preview(client, result, preview="on")

    assert portrait_only.shape == both.shape == (630, 1200, 3)
    Image.new("RGB", (320, 320), "red").save(face := io.BytesIO(), "JPEG")
    with storages["uploads"].open(str(result.faces.get().chip.name), "wb") as chip:
        chip.write(face.getvalue())
    assert (preview(client, result) == portrait_only).all(), "another face changes nothing"
    assert (preview(client, result, preview="on") != both).any()


def test_a_link_says_beforehand_what_it_shows(client: Client, result: Upload) -> None:
    page = client.get(f"/u/{result.pk}/").content.decode()
    best = result.faces.get().matches.get(rank=1).celebrity

    assert f"a preview of it with the portrait of {best.name}" in page
    assert 'type="checkbox" name="preview"' in page


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


def test_after_deletion_nothing_is_left_of_link_and_pictures(
    client: Client, result: Upload
) -> None:
    address, own = share(client, result), f"/u/{result.pk}/faces/0/share.png"
    client.post(f"/u/{result.pk}/delete/")

    for path in ("", "chip.jpg", "share.png"):
        assert Client().get(address + path).status_code == 404
    for path in (own, f"{own}?format=story"):
        assert client.get(path).status_code == 404


def test_the_page_of_a_link_speaks_to_the_one_who_opens_it(client: Client, result: Upload) -> None:
    page = Client().get(share(client, result)).content.decode()

    assert "Your closest match" not in page
    for tag in ("og:description", "og:image:alt", "og:locale"):
        assert f'property="{tag}"' in page


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
