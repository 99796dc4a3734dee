"""GET and POST /: giving a photo."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.test import Client
from pytest_django import Settings

from celebrities.filters import Filters
from celebrities.models import Celebrity, IndexBuild, Resemblance
from tests.uploads.factories import (
    cast_photo,
    fill_form,
    make_approximate,
    make_person,
    make_upload,
)
from tests.visitor import hidden
from uploads.consent import current_digest
from uploads.models import Consent, Upload
from uploads.storage import list_files, read_file
from uploads.views.upload import TOKEN
from uploads.visitors import owner_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_media")]


def nothing_is_stored() -> bool:
    folders, files = storages["uploads"].listdir("") if has_folder() else ([], [])
    return not Upload.objects.exists() and not files and not any(map(list_files, folders))


def has_folder() -> bool:
    return (settings.MEDIA_ROOT / "uploads").exists()


def test_it_works(client: Client, valkey: str, gallery: list[Celebrity]) -> None:
    photo = cast_photo()
    response = client.post("/", fill_form(photo, k="9", living_only="on"))

    upload = Upload.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/u/{upload.pk}/"
    assert upload.status == Upload.Status.QUEUED
    assert (upload.k, upload.exhaustive) == (9, False)
    assert Filters.from_json(upload.filters) == Filters(living_only=True)
    assert upload.compared_with == 4
    assert read_file(upload.received.name) == photo
    assert upload.consent.digest == current_digest("en")
    assert owner_of(response.wsgi_request) is None
    assert response.cookies["owner"]["httponly"]
    assert response.cookies["owner"]["samesite"] == "Lax"
    assert client.get(response["Location"]).context["upload"] == upload
    assert "photo" not in str(upload.received)


def test_the_page_offers_the_form(client: Client) -> None:
    make_person()
    response = client.get("/")

    assert response.status_code == 200
    page = response.content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert current_digest("en") in page
    assert not {"sessionid", "owner"} & set(response.cookies)


def test_the_page_links_to_people_and_their_look_alikes(
    client: Client, gallery: list[Celebrity]
) -> None:
    Resemblance.objects.create(celebrity=gallery[1], other=gallery[0], rank=1, similarity=70)
    page = client.get("/").content.decode()

    assert f'href="{gallery[1].get_absolute_url()}#look-alikes"' in page
    assert f'href="{gallery[0].get_absolute_url()}#look-alikes"' not in page


def test_the_page_of_an_empty_gallery_links_to_nobody(client: Client) -> None:
    page = client.get("/").content.decode()

    assert 'class="samples"' not in page
    assert "so far" not in page


def test_the_page_says_how_far_the_gallery_is_read(
    client: Client, gallery: list[Celebrity]
) -> None:
    make_person("aiko-tsukimori")
    page = client.get("/").content.decode()

    assert "We’re still reading the gallery: 4 of 5 people so far." in page


def test_it_offers_only_whom_the_gallery_has(client: Client, gallery: list[Celebrity]) -> None:
    Celebrity.objects.filter(pk=gallery[0].pk).update(gender="female")
    page = client.get("/").content.decode()

    assert '<option value="female">' in page
    assert '<option value="male">' not in page


def test_it_offers_the_exhaustive_search_where_the_build_is_approximate(
    client: Client, valkey: str, gallery: list[Celebrity]
) -> None:
    assert 'name="exhaustive"' not in client.get("/").content.decode()
    client.post("/", fill_form(exhaustive="on"))
    make_approximate(IndexBuild.objects.get())
    assert 'name="exhaustive"' in client.get("/").content.decode()
    client.post("/", fill_form(exhaustive="on"))

    asked = Upload.objects.order_by("created_at").values_list("exhaustive", flat=True)
    assert list(asked) == [False, True]


def test_a_second_photo_has_the_same_owner(client: Client, valkey: str) -> None:
    client.post("/", fill_form())
    client.post("/", fill_form())

    assert len(set(Upload.objects.values_list("owner", flat=True))) == 1


def test_it_handles_consent_in_the_other_language(client: Client, valkey: str) -> None:
    client.post("/", fill_form(consent_version=current_digest("ru")))

    assert Upload.objects.get().consent.language == "ru"


def test_it_keeps_each_consent_text_once(client: Client, valkey: str) -> None:
    client.post("/", fill_form())
    client.post("/", fill_form())

    consent = Consent.objects.get()
    assert "24 hours" in consent.text
    assert "16 years" in consent.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"consent": None}, "tick the box"),
        ({"consent_version": "0" * 64}, "has changed since you opened this page"),
        ({"consent_version": None}, "has changed since you opened this page"),
        ({"photo": None}, "Please choose a photo first"),
        ({"k": "16"}, "Select a valid choice"),
        ({"k": "0"}, "Select a valid choice"),
        ({"category": "dragons"}, "Select a valid choice"),
        ({"gender": "female"}, "Select a valid choice"),
        ({"gender": "\x00"}, "Select a valid choice"),
    ],
)
def test_it_rejects(
    client: Client, valkey: str, changes: dict[str, str | None], sentence: str
) -> None:
    form: dict[str, Any] = {**fill_form(), **changes}
    sent = {field: value for field, value in form.items() if value is not None}
    response = client.post("/", sent)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert nothing_is_stored()
    assert not Consent.objects.exists()
    assert not {"sessionid", "owner"} & set(response.cookies)


def test_it_asks_again_after_the_consent_text_changed(
    client: Client, valkey: str, settings: Settings
) -> None:
    form = fill_form()
    settings.KEEP_HOURS = 48
    page = client.post("/", form).content.decode()

    assert current_digest("en") in page
    assert 'name="consent" id="id_consent" required checked' not in " ".join(page.split())
    assert nothing_is_stored()


def test_it_rejects_several_photos(client: Client, valkey: str) -> None:
    form = fill_form()
    form["photo"] = [form["photo"], fill_form()["photo"]]
    response = client.post("/", form)

    assert response.status_code == 422
    assert "one at a time" in response.content.decode()
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "x" * 600 + ".jpg",
        "фото.jpg",
        "a\x00b.jpg",
        "con.jpg",
        ".jpg",
        'quote".jpg',
        "\u202egpj.exe",
    ],
)
def test_it_handles_odd_file_names(client: Client, valkey: str, name: str) -> None:
    body = b"".join(
        [
            *(
                b'--edge\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                % (field.encode(), value.encode())
                for field, value in fill_form(photo=None).items()
                if isinstance(value, str)
            ),
            b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="%s"\r\n'
            % name.encode(),
            b"Content-Type: image/jpeg\r\n\r\n" + cast_photo() + b"\r\n--edge--\r\n",
        ]
    )
    response = client.generic("POST", "/", body, content_type="multipart/form-data; boundary=edge")

    assert response.status_code in {302, 422}
    for upload in Upload.objects.all():
        assert str(upload.received).startswith(f"{upload.pk}/")
        assert len(str(upload.received)) == 61


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"rubbish", "multipart/form-data; boundary="),
        (b"rubbish", "multipart/form-data; boundary=edge"),
        (
            b'--edge\r\nContent-Disposition: form-data; name="photo"; fil',
            "multipart/form-data; boundary=edge",
        ),
        (b"\x00\xff\xfe", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"photo=1&consent=on", "application/x-www-form-urlencoded"),
    ],
)
def test_it_handles_broken_bodies(client: Client, body: bytes, content_type: str) -> None:
    response = client.generic("POST", "/", body, content_type=content_type)

    assert response.status_code in {400, 422}
    assert "<h1" in response.content.decode()
    assert nothing_is_stored()


def test_it_refuses_a_body_beyond_any_photo(
    client: Client, valkey: str, settings: Settings
) -> None:
    settings.MAX_BYTES = 5_000
    response = client.post("/", fill_form(cast_photo()))

    assert response.status_code == 413
    assert "too large" in response.content.decode()
    assert nothing_is_stored()


def test_it_says_how_large_a_file_may_be(client: Client, valkey: str, settings: Settings) -> None:
    settings.MAX_BYTES = 50_000
    response = client.post("/", fill_form(cast_photo() + b"\0" * 50_000))

    assert response.status_code == 422
    assert "limit is 0.05 MB" in response.content.decode()
    assert nothing_is_stored()


@pytest.mark.django_db(transaction=True)
def test_it_says_that_it_is_busy_when_the_queue_is_away(client: Client, valkey_away: None) -> None:
    response = client.post("/", fill_form())

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "try again" in response.content.decode()
    assert nothing_is_stored()


@pytest.mark.django_db(transaction=True)
def test_it_says_that_it_is_busy_when_the_queue_hangs(client: Client, valkey: str) -> None:
    import redis

    with redis.Redis(unix_socket_path=valkey) as server:
        pid = server.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        response = client.post("/", fill_form())
    finally:
        os.kill(pid, signal.SIGCONT)

    assert response.status_code == 503
    assert nothing_is_stored()


def test_it_says_that_it_is_busy_when_the_queue_is_full(
    client: Client, valkey: str, settings: Settings
) -> None:
    settings.MAX_QUEUE = 2
    for _ in range(2):
        make_upload()
    response = client.post("/", fill_form())

    assert response.status_code == 503
    assert "We’re busy" in response.content.decode()
    assert not {"sessionid", "owner"} & set(response.cookies)
    assert Upload.objects.count() == 2


def test_the_page_says_how_long_a_photo_would_wait(client: Client, settings: Settings) -> None:
    settings.WORKERS = 1
    Upload.objects.bulk_create(
        Upload(owner=one.owner, language="en", consent=one.consent)
        for one in [make_upload()]
        for _ in range(120)
    )

    assert client.get("/").context["busy_minutes"] == 2


def test_the_page_says_that_the_worker_is_away(client: Client, valkey: str) -> None:
    assert client.get("/").context["worker_away"] is True


def test_it_rejects_other_methods(client: Client) -> None:
    assert client.put("/").status_code == 405
    assert client.delete("/").status_code == 405


def test_search_engines_may_list_the_empty_form(client: Client, valkey: str) -> None:
    response = client.get("/")

    assert "no-store" in response["Cache-Control"]
    assert "X-Robots-Tag" not in response


def test_its_answers_to_a_photo_are_kept_by_nobody(client: Client, valkey: str) -> None:
    for response in (client.post("/", fill_form()), client.post("/", fill_form(consent=None))):
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]


def test_a_shared_photo_without_a_service_worker_is_not_stored(client: Client) -> None:
    """The share sheet knows no token, and nobody has agreed to anything."""
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/share/", {"photo": fill_form()["photo"]})

    assert response["Location"] == "/?shared"
    assert nothing_is_stored()


@pytest.mark.django_db(transaction=True)
def test_the_kept_page_holds_nothing_of_a_visitor(
    client: Client, valkey: str, gallery: list[Celebrity]
) -> None:
    first, second = client.get("/"), Client().get("/", headers={"Accept-Language": "ru"})
    again = Client().get("/")

    tokens = [response.cookies["csrftoken"].value for response in (first, second, again)]
    assert len(set(tokens)) == 3
    assert TOKEN not in first.content.decode()
    assert without_token(first) == without_token(again) != without_token(second)
    assert again["Cache-Control"] == "no-store, private"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = again.cookies
    token = find_token(again)
    assert strict.post("/", fill_form(csrfmiddlewaretoken=token)).status_code == 302
    assert strict.post("/", fill_form(csrfmiddlewaretoken=find_token(first))).status_code == 403
    assert b'class="mine"' in strict.get("/").content
    assert b'class="mine"' not in Client().get("/").content


@pytest.mark.django_db(transaction=True)
def test_the_kept_page_follows_the_gallery(
    client: Client, valkey: str, gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celebrities.revision._away_until", 0.0)
    assert "4 people" in client.get("/").content.decode().replace("\xa0", " ")
    Celebrity.objects.filter(pk=gallery[0].pk).unpublish()

    assert "3 people" in client.get("/").content.decode().replace("\xa0", " ")


def find_token(response: Any) -> str:
    return hidden(response.content.decode(), "csrfmiddlewaretoken")


def without_token(response: Any) -> str:
    return str(response.content.decode().replace(find_token(response), ""))
