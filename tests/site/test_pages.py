"""The site's own pages, and its answers when something is wrong."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from celebrities.models import IndexBuild
from tests.conftest import LANGUAGES


def test_how_it_works_names_what_is_in_use(client: Client, db: None) -> None:
    IndexBuild.objects.create(
        name="b",
        encoder="dlib/1",
        items=96,
        people=48,
        status=IndexBuild.Status.PUBLISHED,
        manifest={"scale": {"stranger": 0.6, "same": 0.3}},
    )
    page = client.get("/how-it-works/").content.decode()

    for fact in ("dlib/1", "96", "48"):
        assert fact in page


def test_how_it_works_handles_a_site_without_an_index(client: Client, db: None) -> None:
    response = client.get("/how-it-works/")

    assert response.status_code == 200
    assert "The gallery isn’t ready yet" in response.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_it_works_lists_the_phrases_from_0_to_100(
    client: Client, db: None, language: str
) -> None:
    response = client.get("/how-it-works/", headers={"Accept-Language": language})
    bands = response.context["bands"]

    assert len({band["phrase"] for band in bands}) == 5
    covered = sorted(n for band in bands for n in range(band["low"], band["high"] + 1))
    assert covered == list(range(101))


def test_privacy_tells_the_settings_in_force(client: Client, db: None, settings: Settings) -> None:
    settings.KEEP_HOURS, settings.MIN_AGE = 7, 18
    settings.CONTACT, settings.REGION_NOTICE = "privacy@example.org", "A notice for a region."
    page = client.get("/privacy/").content.decode()

    for said in ("7 hours", "18 years", "privacy@example.org", "A notice for a region."):
        assert said in page


def test_the_web_manifest_is_one(client: Client, db: None, settings: Settings) -> None:
    settings.SITE_NAME = 'Look "alike" </script>'
    response = client.get("/site.webmanifest")

    assert response["Content-Type"] == "application/manifest+json"
    manifest = json.loads(response.content)
    assert manifest["name"] == 'Look "alike" </script>'
    target = manifest["share_target"]
    assert target["params"]["files"][0]["name"] == "photo"
    assert f'"{target["action"]}"' in client.get("/service-worker.js").content.decode()


def test_the_language_can_be_switched(client: Client, db: None) -> None:
    response = client.post("/i18n/setlang/", {"language": "ru", "next": "/privacy/"})

    assert response["Location"] == "/privacy/"
    assert '<html lang="ru"' in client.get("/privacy/").content.decode()


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "javascript:x"])
def test_the_language_switch_leads_nowhere_else(client: Client, db: None, elsewhere: str) -> None:
    response = client.post("/i18n/setlang/", {"language": "ru", "next": elsewhere})

    assert response["Location"] == "/"


@pytest.mark.parametrize(
    "path", ["/", "/privacy/", "/how-it-works/", "/nowhere/", "/u/x/", f"/u/{uuid.UUID(int=1)}/"]
)
def test_every_answer_carries_the_security_policy(client: Client, db: None, path: str) -> None:
    response = client.get(path)

    policy = response["Content-Security-Policy"].split("; ")
    assert {*policy} - {rule for rule in policy if "'nonce-" in rule} | {"style-src 'self'"} == {
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    }
    assert response["Permissions-Policy"] == "camera=(self), microphone=(), geolocation=()"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/privacy/", "/how-it-works/", "/people/", "/credits/"])
def test_no_page_fetches_anything_from_elsewhere(client: Client, db: None, path: str) -> None:
    page = client.get(path).content.decode()

    assert not re.search(
        r'(?:src|srcset|href)="(?:https?:)?//[^"]+\.(?:js|css|png|jpg|woff2?)', page
    )


@pytest.mark.parametrize("path", ["/nowhere/", "/u/", "/people/nobody-of-that-name/", "/%00"])
def test_a_missing_page_says_so(client: Client, db: None, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert "<h1>" in response.content.decode()


def test_a_missing_page_needs_no_database(
    client: Client, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.block():
        response = client.get("/nowhere/")

    assert response.status_code == 404


def test_our_own_failure_is_said_without_the_database(
    settings: Settings, django_db_blocker: DjangoDbBlocker
) -> None:
    client = Client(raise_request_exception=False)
    with django_db_blocker.block():
        response = client.get("/how-it-works/", headers={"Accept-Language": "en"})

    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()


def test_a_form_open_for_too_long_loses_nothing(client: Client, db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/", {"consent": "on"})

    assert response.status_code == 403
    assert "open too long" in response.content.decode()


def test_the_pages_reject_posts(client: Client, db: None) -> None:
    for path in ("/privacy/", "/how-it-works/", "/site.webmanifest", "/healthz"):
        assert client.post(path).status_code == 405
