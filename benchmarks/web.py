"""Where the web process's time goes, page by page: runs in a site's own environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.backends.utils import CursorWrapper
from django.template.backends.django import Template
from django.test import Client

from benchmarks.profiling import NotCalled, profile_parts
from lookalike.celery import app
from lookalike.faces.photos.header import check_header
from tests.visitor import agree
from uploads.matching import match_upload
from uploads.storage import store_file

PARTS: dict[str, Callable[..., Any]] = {
    "statements": CursorWrapper.execute,
    "templates": Template.render,
    "read the header": check_header,
    "store the file": store_file,
    "send the task": app.send_task,
}


def profile_web(photo: str) -> list[dict[str, Any]]:
    """Milliseconds of each page of a visit, whole and in each part; nothing waits for a worker."""
    settings.ALLOWED_HOSTS, content = ["*"], Path(photo).read_bytes()
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    pages: list[str] = []

    def show_form() -> str:
        client.cookies.clear()
        return client.get("/").content.decode()

    def send() -> None:
        file = SimpleUploadedFile("photo.jpg", content)
        pages.append(client.post("/", {**filled, "photo": file})["Location"])

    filled = agree(show_form())
    rows = [_profile("form", show_form), _profile("sending", send)]
    rows += [_profile("waiting page", lambda: client.get(pages[-1]))]
    match_upload(UUID(pages[-1].split("/")[2]))
    rows += [_profile("result", lambda: client.get(pages[-1]))]
    return rows


def _profile(page: str, work: Callable[[], Any]) -> dict[str, Any]:
    parts = {name: part for name, part in PARTS.items() if _is_called(work, name, part)}
    found = profile_parts(work, parts)
    whole = round(sum(found.values()), 2)
    return {"page": page, "whole": whole, **dict.fromkeys(PARTS, 0.0), **found}


def _is_called(work: Callable[[], Any], name: str, part: Callable[..., Any]) -> bool:
    try:
        profile_parts(work, {name: part}, runs=1)
    except NotCalled:
        return False
    return True
