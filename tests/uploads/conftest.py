"""A small gallery, and an engine without networks that finds its way in it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import serializers
from django.test import Client
from pytest_django import Settings

from celebrities.gallery import embed_portraits
from celebrities.index.rebuild import rebuild_index
from celebrities.models import BuildCohort, Celebrity, IndexBuild, Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.uploads.factories import PEOPLE, as_owner, make_person
from uploads import limits


@pytest.fixture(autouse=True)
def forget_times() -> None:
    """A process keeps what a photo takes for some seconds."""
    limits._usual_seconds.cache_clear()


@pytest.fixture(scope="session")
def gallery_rows() -> dict[str, Any]:
    """The gallery's rows as they were when it was first made; its files stay."""
    return {}


@pytest.fixture
def gallery(db: None, fake_engine: FaceEngine, gallery_rows: dict[str, Any]) -> list[Celebrity]:
    """Four of the cast, embedded and indexed with the fake engine."""
    if gallery_rows and (settings.INDEX_DIR / gallery_rows["name"]).exists():
        for row in serializers.deserialize("json", gallery_rows["rows"]):
            row.save()
    else:
        for slug in PEOPLE:
            make_person(slug)
        embed_portraits(Portrait.objects.all())
        build = rebuild_index()
        rows = [*Celebrity.objects.all(), *Portrait.objects.all(), *IndexBuild.objects.all()]
        rows += BuildCohort.objects.all()
        gallery_rows |= {"name": build.name, "rows": serializers.serialize("json", rows)}
    return [Celebrity.objects.get(slug=slug) for slug in PEOPLE]


@pytest.fixture
def owner(client: Client, db: None) -> uuid.UUID:
    """The client's own number, as its session holds it."""
    number = uuid.uuid4()
    as_owner(client, number)
    return number


@pytest.fixture
def own_media(settings: Settings, tmp_path: Path) -> None:
    """An upload storage of the test's own, so that it can see that nothing was kept."""
    settings.MEDIA_ROOT = tmp_path / "media"
    storage = settings.STORAGES["uploads"]
    options = {**storage["OPTIONS"], "location": str(tmp_path / "media" / "uploads")}
    settings.STORAGES = {**settings.STORAGES, "uploads": {**storage, "OPTIONS": options}}
