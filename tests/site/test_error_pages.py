"""Error pages are whole when everything else is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import LANGUAGES, MakeSite

ASK = """
import json
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.test import Client, override_settings
from django.urls import path
from lookalike import urls

def refuse(request):
    raise PermissionDenied

def fail(request):
    raise ValueError

def limit(request):
    return render(request, "429.html", {"minutes": 12}, status=429)

@override_settings(MAX_BYTES=1)
def send_too_much():
    return client.post("/", b"12345", "image/jpeg")

urls.urlpatterns += [path("refuse/", refuse), path("limit/", limit), path("broken/", fail)]
client = Client(raise_request_exception=False, headers={"Accept-Language": "%s"})
strict = Client(enforce_csrf_checks=True, headers={"Accept-Language": "%s"})
client.cookies["sessionid"] = strict.cookies["sessionid"] = "a" * 32
answers = {
    "400": client.post("/", b"--x", "multipart/form-data; boundary=" + "x" * 300),
    "403": client.get("/refuse/"),
    "403_csrf": strict.post("/", {"consent": "on"}),
    "404": client.get("/nowhere/"),
    "413": send_too_much(),
    "429": client.get("/limit/"),
    "500": client.get("/broken/"),
    "503": client.get("/people/"),
}
print(json.dumps({
    name: [answer.status_code, answer["Content-Security-Policy"], answer.content.decode()]
    for name, answer in answers.items()
}))
"""
"""Asks for each of the pages, also as a visitor whose session would have to be looked up."""

HEADINGS = {
    "400": "The upload was cut off",
    "403": "Not allowed",
    "403_csrf": "Please send it again",
    "404": "Nobody here looks like this page",
    "413": "The file is too large",
    "429": "One moment, please",
    "500": "Something went wrong on our side",
    "503": "One moment, please",
}


class Answer(NamedTuple):
    status: int
    policy: str
    page: str


def ask(make_site: MakeSite, tmp_path: Path, language: str) -> dict[str, Answer]:
    """The answers of a site without static files, database and Valkey."""
    nothing = f"sqlite:///{tmp_path}/no/such/folder/database.sqlite3"
    site = make_site(
        DATABASE_URL=nothing,
        REDIS_URL="redis://127.0.0.1:1/0",
        LOOKALIKE_ALLOWED_HOSTS="testserver",
    )
    assert not (site.data_dir / "static").exists()
    said = json.loads(site.run_python(ASK.replace("%s", language)).splitlines()[-1])
    return {name: Answer(*answer) for name, answer in said.items()}


@pytest.fixture(scope="module")
def pages() -> dict[str, dict[str, Answer]]:
    return {}


@pytest.fixture
def answers(
    pages: dict[str, dict[str, Answer]], make_site: MakeSite, tmp_path: Path
) -> dict[str, Answer]:
    if "en" not in pages:
        pages["en"] = ask(make_site, tmp_path, "en")
    return pages["en"]


@pytest.mark.parametrize("name", HEADINGS)
def test_it_works(answers: dict[str, Answer], name: str) -> None:
    answer = answers[name]
    assert answer.status == int(name[:3])
    assert f"<h1>{HEADINGS[name]}</h1>" in answer.page
    assert "Lookalike" in answer.page


@pytest.mark.parametrize("name", HEADINGS)
def test_it_needs_no_other_file(answers: dict[str, Answer], name: str) -> None:
    page = answers[name].page
    assert "/static/" not in page
    assert "src=" not in page


@pytest.mark.parametrize("name", HEADINGS)
def test_the_policy_allows_its_style_and_no_other(answers: dict[str, Answer], name: str) -> None:
    answer = answers[name]
    nonce = answer.page.split('<style nonce="')[1].split('"')[0]
    assert len(nonce) >= 20
    assert f"style-src 'self' 'nonce-{nonce}';" in f"{answer.policy};"
    assert len({other.policy for other in answers.values()}) == len(answers)


def test_it_handles_another_language(make_site: MakeSite, tmp_path: Path) -> None:
    for answer in ask(make_site, tmp_path, LANGUAGES[-1]).values():
        assert f'<html lang="{LANGUAGES[-1]}"' in answer.page
        assert not any(f"<h1>{heading}" in answer.page for heading in HEADINGS.values())
