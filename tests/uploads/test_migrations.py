"""Rows of the first version survive the migrations."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from celebrities.filters import Filters
from uploads.models import Match, Upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def first_version() -> Iterator[object]:
    """The models of uploads 0001 among those of today, and a database for them."""
    executor = MigrationExecutor(connection)
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "uploads"]
    target = [("uploads", "0001_initial"), *others]
    executor.migrate(target)
    yield executor.loader.project_state(target).apps
    call_command("migrate", verbosity=0)


def test_it_works(first_version: object) -> None:
    model = first_version.get_model  # type: ignore[attr-defined]
    consent = model("uploads", "Consent").objects.create(digest="0", language="en", text="words")
    upload = model("uploads", "Upload").objects.create(
        owner=uuid.uuid4(),
        consent=consent,
        language="en",
        status="done",
        category="actors",
        gender="female",
        living_only=True,
        exhaustive=True,
        approximate_ms=1.5,
        exact_ms=2.5,
        share_token="secret",
    )
    failed = model("uploads", "Upload").objects.create(
        owner=uuid.uuid4(), consent=consent, language="ru", status="failed", failure="no_face"
    )
    face = model("uploads", "UploadedFace").objects.create(
        upload=upload, number=0, box=[0, 0, 1, 1], confidence=1
    )
    person = model("celebrities", "Celebrity").objects.create(name="Ada", slug="ada")
    portrait = model("celebrities", "Portrait").objects.create(celebrity=person, image_hash="0")
    for search in ("approximate", "exact"):
        model("uploads", "Match").objects.create(
            face=face,
            search=search,
            rank=1,
            celebrity=person,
            portrait=portrait,
            distance=0.5,
            similarity=70,
        )

    call_command("migrate", verbosity=0)

    row = Upload.objects.get(pk=upload.pk)
    assert Filters.from_json(row.filters) == Filters("actors", "female", living_only=True)
    assert (row.exhaustive, row.method, row.search_ms, row.exact_ms) == (True, "", 1.5, 2.5)
    assert row.faces.get().share_token == "secret"
    other = Upload.objects.get(pk=failed.pk)
    assert (other.failure, Filters.from_json(other.filters)) == ("no_face", Filters())
    matches = Match.objects.filter(face__upload=row).order_by("exhaustive")
    assert [(match.exhaustive, match.rank) for match in matches] == [(False, 1), (True, 1)]
