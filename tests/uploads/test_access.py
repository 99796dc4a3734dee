"""Who gets what: every address, role and method. A new address without a row here fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from celebrities.models import Celebrity, RemovalRequest
from tests.uploads.factories import as_owner, body_of, make_result
from uploads.models import Upload, UploadedFace

PUBLIC, OWNER, POST_BY_OWNER, ELSEWHERE, HEALTH, STAFF, CURATOR, SUPERUSER, LOGIN = range(9)
"""Who may GET it. OWNER: to others it is missing. POST_BY_OWNER, ELSEWHERE: GET leads away."""

ROWS = {
    "": PUBLIC,
    "share/": ELSEWHERE,
    "u/<uuid:upload_id>/": OWNER,
    "u/<uuid:upload_id>/status/": OWNER,
    "u/<uuid:upload_id>/photo.jpg": OWNER,
    "u/<uuid:upload_id>/faces/<int:number>/crop.jpg": OWNER,
    "u/<uuid:upload_id>/faces/<int:number>/chip.jpg": OWNER,
    "u/<uuid:upload_id>/faces/<int:number>/share.png": OWNER,
    "u/<uuid:upload_id>/faces/<int:number>/link/": POST_BY_OWNER,
    "u/<uuid:upload_id>/why/<int:match_id>/": OWNER,
    "u/<uuid:upload_id>/vote/": POST_BY_OWNER,
    "u/<uuid:upload_id>/rotate/": POST_BY_OWNER,
    "u/<uuid:upload_id>/delete/": OWNER,
    "results/delete/": PUBLIC,  # Of nobody's results but the session's own.
    "s/<str:token>/": PUBLIC,
    "s/<str:token>/chip.jpg": PUBLIC,
    "s/<str:token>/share.png": PUBLIC,
    "how-it-works/": PUBLIC,
    "people/": PUBLIC,
    "people/<str:slug>/": PUBLIC,
    "credits/": PUBLIC,
    "removal/": PUBLIC,
    "media/gallery/<path:name>": PUBLIC,
    "privacy/": PUBLIC,
    "site.webmanifest": PUBLIC,
    "service-worker.js": PUBLIC,
    "robots.txt": PUBLIC,
    "sitemap.xml": PUBLIC,
    "sitemap-<section>.xml": PUBLIC,
    "favicon.ico": ELSEWHERE,
    "apple-touch-icon.png": ELSEWHERE,
    "apple-touch-icon-precomposed.png": ELSEWHERE,
    "healthz": HEALTH,
    "healthz/live": HEALTH,
    "healthz/ready": HEALTH,
    "metrics": HEALTH,
    "i18n/setlang/": ELSEWHERE,
    "admin/": STAFF,
    "admin/login/": LOGIN,
    "admin/logout/": ELSEWHERE,
    "admin/password_change/": STAFF,
    "admin/password_change/done/": STAFF,
    "admin/autocomplete/": STAFF,
    "admin/jsi18n/": STAFF,
    "admin/r/<path:content_type_id>/<path:object_id>/": STAFF,
    "admin/celebrities/indexbuild/rebuild/": STAFF,
    "admin/celebrities/indexbuild/stop/": STAFF,
    "admin/celebrities/indexbuild/former/": STAFF,
    "admin/celebrities/galleryimport/begin/": STAFF,
    "admin/celebrities/galleryimport/wikidata/": STAFF,
    "admin/celebrities/galleryimport/<int:pk>/part/": STAFF,
    "admin/celebrities/galleryimport/<int:pk>/decide/": STAFF,
    "admin/celebrities/galleryimport/<int:pk>/report/": STAFF,
    "admin/celebrities/celebrity/<int:pk>/merge/": STAFF,
    "admin/celebrities/celebrity/take-back/": STAFF,
    "admin/celebrities/celebrity/table/": STAFF,
    "admin/celebrities/portrait/table/": STAFF,
    "admin/celebrities/job/<int:pk>/stop/": STAFF,
    "admin/celebrities/portrait/queue/<slug:slug>/": STAFF,
    "admin/celebrities/portrait/tools/": STAFF,
    "admin/auth/user/<id>/password/": SUPERUSER,
    "admin/^(?P<app_label>uploads|celebrities|auth)/$": STAFF,
    "admin/(?P<url>.*)$": STAFF,
}
MODELS = {
    "uploads/upload": SUPERUSER,
    "uploads/consent": SUPERUSER,
    "celebrities/indexbuild": CURATOR,
    "celebrities/donotimport": CURATOR,
    "celebrities/portrait": CURATOR,
    "celebrities/category": CURATOR,
    "celebrities/celebrity": CURATOR,
    "celebrities/galleryimport": CURATOR,
    "celebrities/job": CURATOR,
    "celebrities/threshold": CURATOR,
    "celebrities/removalrequest": CURATOR,
    "auth/group": SUPERUSER,
    "auth/user": SUPERUSER,
}
for model, who in MODELS.items():
    ROWS[f"admin/{model}/"] = ROWS[f"admin/{model}/add/"] = who
    for page in ("", "history/", "delete/", "change/"):
        ROWS[f"admin/{model}/<path:object_id>/{page}"] = who

ROLES = ("stranger", "owner", "other", "curator", "superuser")
SAFE = ("GET", "HEAD", "OPTIONS")

Ask = Callable[[str, str, str], int]


def list_patterns(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from list_patterns(pattern.url_patterns, address)
        else:
            yield address


@pytest.fixture
def upload(gallery: list[Celebrity]) -> Upload:
    made = make_result(gallery)
    made.faces.update(share_token="a-token")
    return made


@pytest.fixture
def clients(upload: Upload, valkey: str) -> dict[str, Client]:
    """A client of each role, whose forms need their tokens."""
    found = {role: Client(enforce_csrf_checks=True) for role in ROLES}
    as_owner(found["owner"], upload.owner)
    as_owner(found["other"], uuid4())
    curator = User.objects.create_user("curator", is_staff=True)
    curator.user_permissions.set(Permission.objects.filter(content_type__app_label="celebrities"))
    found["curator"].force_login(curator)
    found["superuser"].force_login(User.objects.create_superuser("admin"))
    return found


@pytest.fixture
def fill(upload: Upload, gallery: list[Celebrity]) -> Callable[[str], str]:
    """Makes an address of a pattern, of things that exist."""
    wish = RemovalRequest.objects.create(person="x", message="y")
    face = upload.faces.get()
    match = face.matches.first()
    assert match
    ids = {
        "uploads/upload": upload.pk,
        "uploads/consent": upload.consent_id,
        "celebrities/removalrequest": wish.pk,
        "celebrities/celebrity": gallery[0].pk,
        "celebrities/portrait": match.portrait_id,
    }
    values = {
        "upload_id": upload.pk,
        "number": 0,
        "match_id": match.pk,
        "token": "a-token",
        "slug": gallery[0].slug,
        "section": "pages",
        "name": match.portrait.image.name,
        "content_type_id": 1,
        "id": 1,
        "pk": gallery[0].pk,
        "url": "nowhere",
        "app_label": "celebrities",
    }

    def make(pattern: str) -> str:
        of_model = re.match(r"admin/(\w+/\w+)/<", pattern)
        known = {**values, "object_id": ids.get(of_model[1], 1) if of_model else 1}
        pattern = re.sub(r"\^?\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("$", "")
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known[found[1]]), pattern)

    return make


@pytest.fixture
def ask(clients: dict[str, Client], fill: Callable[[str], str]) -> Ask:
    def ask(role: str, method: str, pattern: str) -> int:
        answer = clients[role].generic(method, fill(pattern))
        if answer.streaming:
            body_of(answer)
        return answer.status_code

    return ask


def expected(pattern: str, role: str) -> set[int]:
    """The statuses that a GET may have."""
    match ROWS[pattern]:
        case 0 if pattern == "results/delete/":
            return {200, 302, 404, 405}
        case 0:
            return {200}
        case 1:
            return {200, 302} if role == "owner" else {404}
        case 2:
            return {405}
        case 3:
            return {302, 405}
        case 4:
            return {200, 403, 404, 503}
        case 8:
            return {200, 302}
    if role in {"stranger", "owner", "other"}:
        return {302}
    if ROWS[pattern] == SUPERUSER and role == "curator":
        return {302, 403}
    return {200, 302, 403, 404, 405}


def count_everything() -> dict[str, int]:
    ignored = {"sessions.session", "admin.logentry"}
    models = [model for model in apps.get_models() if model._meta.label_lower not in ignored]
    return {model._meta.label: model._base_manager.count() for model in models}


def describe_state() -> list[Any]:
    faces = UploadedFace.objects.values_list("share_token", flat=True)
    return [count_everything(), list(faces), list(Upload.objects.values_list("status", flat=True))]


def test_22_every_address_has_a_row() -> None:
    assert set(list_patterns()) == set(ROWS)


def test_22_each_role_sees_what_it_may(ask: Ask) -> None:
    before = describe_state()
    wrong = [
        (pattern, role, status)
        for pattern in ROWS
        for role in ROLES
        if (status := ask(role, "GET", pattern)) not in expected(pattern, role)
    ]
    assert wrong == []
    assert describe_state() == before


def test_11_head_is_answered_like_get(ask: Ask) -> None:
    pages = [pattern for pattern, who in ROWS.items() if who in {PUBLIC, OWNER, HEALTH, LOGIN}]
    assert [p for p in pages if ask("owner", "HEAD", p) != ask("owner", "GET", p)] == []


@pytest.mark.strangers
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"])
def test_22_nothing_changes_without_a_token(ask: Ask, method: str) -> None:
    before = describe_state()
    for role in ROLES:
        answers = {pattern: ask(role, method, pattern) for pattern in ROWS}
        # This site has no worker, which readiness says with 503.
        faults = {p: status for p, status in answers.items() if status >= 500}
        assert {p for p in faults if (ROWS[p], faults[p]) != (HEALTH, 503)} == set()
        foreign = {p: answers[p] for p, who in ROWS.items() if who in {OWNER, POST_BY_OWNER}}
        if role != "owner":
            assert {p: status for p, status in foreign.items() if status < 400} == {}
        assert describe_state() == before, role


@pytest.mark.strangers
@pytest.mark.parametrize("role", ["curator", "superuser"])
def test_23_empty_posts_of_curators_are_no_fault(
    clients: dict[str, Client], fill: Callable[[str], str], role: str
) -> None:
    """With a token, by who may; `delete` asks first, so it deletes nothing."""
    client = clients[role]
    client.handler.enforce_csrf_checks = False
    for pattern in (one for one in ROWS if one.startswith("admin/") and "logout" not in one):
        for sent in ({}, {"action": "delete_selected", "_selected_action": "\x00"}):
            answer = client.post(fill(pattern), sent)
            assert answer.status_code < 500, pattern
            assert role == "superuser" or ROWS[pattern] != SUPERUSER or answer.status_code >= 302
