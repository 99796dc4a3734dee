"""The commands that fill the gallery."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from celebrities.importers.importing import import_plan
from celebrities.importers.layout import plan_import
from celebrities.importers.people import Options
from celebrities.importers.sources import FolderSource
from celebrities.management.commands import load_demo
from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, unit
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
    make_people([unit(1), unit(0, 1)])

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


@pytest.fixture
def small_demo(
    cast: dict[str, list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A demo gallery of four people. `prepare` is tested with all of them."""
    folder = tmp_path_factory.mktemp("demo")
    for slug in list(cast)[:4]:
        for path in cast[slug]:
            shutil.copy(path, folder)
    monkeypatch.setattr(load_demo, "DEMO", folder)


def test_load_demo_works_twice_and_leaves_nothing_when_removed(
    small_demo: None,
    real_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    assert "Imported 8 portraits (4 new people)" in run("load_demo")
    assert Celebrity.objects.filter(is_fictional=True, published=True).count() == 4
    assert Portrait.objects.ready().count() == 8
    build = IndexBuild.objects.current()
    assert build is not None
    assert (build.items, build.people) == (8, 4)
    assert Resemblance.objects.count() == 4 * 3
    assert "skipped 8" in run("load_demo")
    assert IndexBuild.objects.current() == build

    with django_capture_on_commit_callbacks(execute=True):
        run("load_demo", "--remove")
    assert not Celebrity.objects.exists()
    assert not Portrait.objects.exists()
    assert not Resemblance.objects.exists()
    assert IndexBuild.objects.current() is None
    left = [path for path in data_dir.rglob("*") if path.is_file()]
    assert left == []


def test_load_demo_does_nothing_if_the_gallery_has_people(fake_engine: FaceEngine) -> None:
    make_people([unit(1)])

    assert run("load_demo", "--if-empty") == ""
    assert Celebrity.objects.count() == 1


def test_load_demo_removes_the_cast_alone(
    small_demo: None,
    fake_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (person,) = make_people([unit(1)])
    run("load_demo")
    with django_capture_on_commit_callbacks(execute=True):
        run("load_demo", "--remove")

    assert list(Celebrity.objects.all()) == [person]
    build = IndexBuild.objects.current()
    assert build is not None
    assert build.items == 1
    assert [path.name for path in (data_dir / "index").iterdir()] == [build.name]


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
