"""Requests that no browser sends are told so, and are never our own fault."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.test import Client, RequestFactory
from pytest_django import Settings

from celebrities.forms import MOST_FROM_AN_ADDRESS
from celebrities.models import RemovalRequest
from lookalike.management.commands.prepare import Command
from lookalike.wsgi import application
from tests.uploads.factories import fill_form

pytestmark = pytest.mark.django_db

WISH = {"person": "Someone", "message": "Please take me out."}


def test_03_refused_files_count(client: Client, valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 12
    for _ in range(60):
        refused = Client().post("/", fill_form(b"no photo"))
        assert refused.status_code == 422

    assert Client().post("/", fill_form()).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.9").post("/", fill_form()).status_code == 302


def test_03_one_session_is_counted_from_its_first_photo(
    client: Client, valkey: str, settings: Settings
) -> None:
    settings.RATE_LIMIT = 3

    answers = [client.post("/", fill_form()).status_code for _ in range(6)]
    assert answers == [302] * 3 + [429] * 3


def test_who_sends_is_counted_before_the_token_is_looked_for(
    valkey: str, settings: Settings
) -> None:
    settings.RATE_LIMIT = 1
    strict = Client(enforce_csrf_checks=True)

    answers = [strict.post("/", fill_form()).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


def test_another_sites_page_uses_up_nobodys_limit(valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 1
    foreign = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert [foreign.post("/", fill_form()).status_code for _ in range(6)] == [403] * 6

    assert Client().post("/", fill_form()).status_code == 302


def answer(method: str, kind: str) -> str:
    """The status of the WSGI application's answer to a body of this content type."""
    made = RequestFactory().generic(method, "/privacy/?q=1", b"--B--")
    environ = {**made.environ, "CONTENT_TYPE": kind}
    statuses: list[str] = []
    application(environ, lambda status, headers, info=None: statuses.append(status))
    return statuses[0]


@pytest.mark.parametrize("charset", ["rot13", "zlib_codec", "idna", "hex", "base64", '"utf-16"'])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=B", "text/html"])
def test_09_odd_charsets_are_refused(valkey: str, charset: str, kind: str) -> None:
    for method in ("GET", "POST"):
        assert answer(method, f"{kind}; charset={charset}") == "400 Bad Request"


@pytest.mark.parametrize("kind", ["a/b; x*=rot13''y", "a/b; x*=none''y", "a; Charset = ascii; c=1"])
def test_09_other_codecs_are_refused(valkey: str, kind: str) -> None:
    assert answer("GET", kind) == "400 Bad Request"


@pytest.mark.parametrize("charset", ["utf-8", "UTF8 ", '"utf-8"; a=b'])
def test_09_utf_8_is_taken(valkey: str, charset: str) -> None:
    assert answer("GET", f"text/html; charset={charset}") == "200 OK"
    assert answer("POST", f"multipart/form-data; boundary=B; charset={charset}").startswith("4")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/media/gallery/portraits/%00.jpg", 404), ("/people/%0a/", 404), ("/people/?q=%00", 400)],
)
def test_10_control_characters_are_refused(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_10_control_characters_in_cookies_are_refused(client: Client) -> None:
    client.cookies["sessionid"] = "\x00" * 32

    assert client.get("/").status_code == 400


def test_14_one_address_silences_nobody(valkey: str) -> None:
    for _ in range(70):
        Client().post("/removal/", WISH)
    assert RemovalRequest.objects.count() == MOST_FROM_AN_ADDRESS

    assert Client(REMOTE_ADDR="192.0.2.9").post("/removal/", WISH).status_code == 302


@pytest.mark.parametrize("password", ["a", "password123", "12345678901", "administrator"])
def test_16_a_weak_password_from_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("LOOKALIKE_ADMIN_PASSWORD", password)

    with pytest.raises(CommandError, match=r"LOOKALIKE_ADMIN_PASSWORD is too weak\."):
        Command().make_admin()
    assert not get_user_model()._default_manager.exists()


def test_a_wrong_host_is_not_told_of_an_upload() -> None:
    refused = Client(raise_request_exception=False).get("/", headers={"Host": "elsewhere.example"})
    assert refused.status_code == 400
    page = refused.content.decode()
    assert "We couldn’t understand this request" in page
    assert "upload" not in page
