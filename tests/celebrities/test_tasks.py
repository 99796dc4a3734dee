"""The gallery's background work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from celebrities import tasks
from celebrities.index.builds import claim_build
from celebrities.models import IndexBuild, Portrait, Resemblance, gallery_storage
from celebrities.tasks import (
    embed_portraits_task,
    follow_build_task,
    rebuild_index_task,
    remove_old_builds_task,
    tend_gallery_task,
)
from lookalike import engine
from lookalike.celery import app
from lookalike.faces.encoders import ENCODERS
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import EncoderId
from lookalike.processes.housekeeping import JOBS
from tests.celebrities.factories import make_celebrity, make_people, make_photo, make_portrait, unit
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.django_db


def test_embedding_works(fake_engine: FaceEngine) -> None:
    portrait = make_portrait()
    embed_portraits_task([portrait.pk, 999_999])

    assert Portrait.objects.get().status == Portrait.Status.READY


def test_a_rebuild_is_done_once_for_all_who_asked_before_it(fake_engine: FaceEngine) -> None:
    make_people([unit(1)])
    asked = timezone.now().isoformat()
    rebuild_index_task(asked)
    rebuild_index_task(asked)
    assert IndexBuild.objects.count() == 1

    rebuild_index_task(timezone.now().isoformat())
    assert IndexBuild.objects.count() == 2


def test_a_rebuild_beside_another_ends_quietly(fake_engine: FaceEngine) -> None:
    make_people([unit(1)])
    with claim_build(EncoderId("fake", "1")):
        rebuild_index_task(timezone.now().isoformat())

    assert IndexBuild.objects.current() is None


def test_a_rebuild_of_an_empty_gallery_ends_quietly(fake_engine: FaceEngine) -> None:
    rebuild_index_task(timezone.now().isoformat())

    assert IndexBuild.objects.current() is None


def test_tending_embeds_what_waits_then_rebuilds(fake_engine: FaceEngine, valkey: str) -> None:
    person = make_celebrity()
    for number in range(3):
        make_portrait(person, make_photo(number))
    tend_gallery_task()
    build = IndexBuild.objects.current()
    assert build is not None
    assert build.items == 3


def test_the_first_index_does_not_wait_for_every_portrait(
    fake_engine: FaceEngine, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "A_TASK", 2)
    for number in range(5):
        make_portrait(data=make_photo(number))
    for _ in range(3):
        tend_gallery_task()

    assert IndexBuild.objects.get().items == 2
    assert Portrait.objects.ready().count() == 5


def test_tending_goes_on_beside_a_portrait_that_cannot_be_read(
    fake_engine: FaceEngine, valkey: str
) -> None:
    gone, _ = make_portrait(data=make_photo(1)), make_portrait(data=make_photo(2))
    gallery_storage().delete(gone.image.name or "")
    tend_gallery_task()
    Portrait.objects.ready().update(embedded_at=timezone.now() - timedelta(minutes=1))
    tend_gallery_task()

    assert Portrait.objects.get(pk=gone.pk).status == Portrait.Status.PENDING
    assert IndexBuild.objects.get().items == 1


class FakeDlib(FakeEncoder):
    """An encoder of the name and version that the site would load."""

    name = "dlib"
    version = ENCODERS["dlib"].version


def test_tending_is_cheap_when_there_is_nothing_to_do(
    fake_engine: FaceEngine, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.ENCODER = "dlib"
    engine.reset(FaceEngine(FakeDetector(), FakeDlib()))
    make_people([unit(1)])
    Portrait.objects.update(encoder=f"dlib/{FakeDlib.version}")
    tend_gallery_task()
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    engine.reset()

    with django_assert_num_queries(7):
        tend_gallery_task()
    # No engine was loaded for it.
    assert not engine.is_loaded()
    assert IndexBuild.objects.count() == 1


def test_the_index_waits_for_portraits_to_stop_coming_but_not_for_ever(
    fake_engine: FaceEngine,
) -> None:
    make_people([unit(1)])
    tend_gallery_task()
    make_people([unit(0, 1)])
    tend_gallery_task()
    assert IndexBuild.objects.count() == 1

    IndexBuild.objects.update(started_at=timezone.now() - timedelta(minutes=11))
    tend_gallery_task()
    assert IndexBuild.objects.count() == 2


def test_what_follows_a_build_is_a_task_of_its_own(
    fake_engine: FaceEngine, valkey: str, django_capture_on_commit_callbacks: Any
) -> None:
    make_people([unit(1), unit(0, 1)])
    with django_capture_on_commit_callbacks() as queued:
        tend_gallery_task()
    build = IndexBuild.objects.current()
    assert build is not None
    assert len(queued) == 1
    assert not Resemblance.objects.exists()

    follow_build_task(str(build.pk))
    assert Resemblance.objects.count() == 2


def test_following_a_build_that_is_gone_only_cleans_up(fake_engine: FaceEngine) -> None:
    follow_build_task(str(uuid4()))

    assert not Resemblance.objects.exists()


def test_old_builds_go(fake_engine: FaceEngine) -> None:
    make_people([unit(1)])
    for _ in range(2):
        rebuild_index_task(timezone.now().isoformat())
    IndexBuild.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    remove_old_builds_task()

    assert IndexBuild.objects.current() is not None


def test_all_go_to_the_queue_that_visitors_do_not_wait_for() -> None:
    names = [name for name in app.tasks if name.startswith("celebrities.")]

    assert len(names) == 9
    for name in names:
        assert app.amqp.router.route({}, name)["queue"].name == "gallery"


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {job.task for job in JOBS}

    assert {"celebrities.tasks.tend_gallery_task"} <= scheduled
    assert scheduled <= set(app.tasks)
