"""The commands that fill the gallery."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from celebrities.gallery import embed_portraits
from celebrities.importers.importing import import_plan
from celebrities.importers.layout import plan_import
from celebrities.importers.people import Options
from celebrities.importers.sources import FolderSource
from celebrities.models import IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    make_celebrity,
    make_people,
    make_photo,
    make_portrait,
    unit,
)
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def test_rebuild_index_works(fake_engine: FaceEngine) -> None:
    make_people([unit(1), unit(0, 1)])

    assert "2 portraits of 2 people" in run("rebuild_index")


def test_rebuild_index_builds_only_if_needed(fake_engine: FaceEngine) -> None:
    for number in range(2):
        make_portrait(make_celebrity(f"Person {number}"), make_photo(number))
    embed_portraits(Portrait.objects.all())

    assert "There is no index yet." in run("rebuild_index", "--if-needed")
    build = IndexBuild.objects.current()
    assert build is not None
    assert run("rebuild_index", "--if-needed") == f"Index {build.name}: 2 people.\n"
    assert IndexBuild.objects.current() == build

    newer = FakeEncoder()
    newer.version = "2"
    engine.reset(FaceEngine(FakeDetector(), newer))
    assert "Rebuild the index" in run("rebuild_index", "--if-needed")
    assert IndexBuild.objects.current() != build


def test_rebuild_index_says_that_the_gallery_is_empty(fake_engine: FaceEngine) -> None:
    assert "empty" in run("rebuild_index")


@pytest.mark.portraits
def test_the_shared_portraits_import_without_trouble(
    portraits_dir: Path, real_engine: FaceEngine
) -> None:
    source = FolderSource(portraits_dir)
    plan = plan_import(source)
    assert (len(plan.portraits), plan.skipped, plan.failed) == (339, [], [])

    plan.portraits = plan.portraits[::8]
    summary = import_plan(source, plan, Options())
    assert (summary.imported, summary.skipped, summary.failed) == (43, [], [])
