"""Index builds: one at a time, beside the one in use, and fetched whole or not at all."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from celebrities.errors import BuildRunning, EmptyGallery, NoIndex
from celebrities.index import builds
from celebrities.index.builds import claim_build, current_build
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import gallery_changed, rebuild_index
from celebrities.index.resemblances import store_resemblances
from celebrities.index.search import open_current
from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from lookalike import engine
from lookalike.faces.errors import BadVector
from lookalike.faces.index import BuildFacts
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId
from tests.celebrities.factories import (
    make_people,
    make_photo,
    make_portrait,
    make_ready,
    read_stored,
    unit,
)
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.django_db

Status = IndexBuild.Status


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    return make_people([unit(1), unit(1, 0.2), unit(0, 1), unit(0, 0.3, 1)])


def folders(data_dir: Path) -> list[str]:
    index = data_dir / "index"
    return sorted(path.name for path in index.iterdir() if path.is_dir()) if index.exists() else []


def test_it_works(people: list[Celebrity], data_dir: Path) -> None:
    make_ready(people[0], unit(0.9, 0, 0, 1))
    said: list[str] = []
    build = rebuild_index(lambda what, share: said.append(what))

    assert (build.items, build.people) == (5, 4)
    assert build.status == Status.PUBLISHED
    assert build.encoder == "fake/1"
    assert build.backend == "annoy"
    assert build.facts == BuildFacts.from_json(IndexBuild.objects.get().manifest)
    assert (build.facts.items, build.facts.encoder) == (4, "fake/1")
    assert (build.method, build.facts.recall) == ("exact", 1.0)
    assert "too little" in build.facts.why
    assert current_build() == build
    assert folders(data_dir) == [build.name]
    assert [step for step in said if step not in {"growing trees", "publishing"}] == [
        "reading vectors",
        "writing",
        "measuring",
        "done",
    ]
    found, index = open_current()
    assert found == build
    assert len(index) == 4


def test_people_out_of_sight_and_portraits_without_a_vector_are_left_out(
    people: list[Celebrity],
) -> None:
    Celebrity.objects.filter(pk=people[0].pk).unpublish()
    Portrait.objects.filter(celebrity=people[1]).update(status=Portrait.Status.FAILED, vector=None)
    Portrait.objects.filter(celebrity=people[2]).update(vector=b"too short")

    assert rebuild_index().items == 1


def test_searching_without_people_and_without_an_index_are_told_apart(
    fake_engine: FaceEngine,
) -> None:
    with pytest.raises(EmptyGallery):
        current_build()
    make_people([unit(1)])
    with pytest.raises(NoIndex, match="rebuild_index"):
        current_build()


def test_requires_that_no_other_build_runs(people: list[Celebrity]) -> None:
    with claim_build(EncoderId("fake", "1")):
        with pytest.raises(BuildRunning):
            rebuild_index()
        assert IndexBuild.objects.count() == 1


def test_a_failed_build_says_why_and_leaves_the_one_in_use(
    people: list[Celebrity], data_dir: Path
) -> None:
    before = rebuild_index()
    make_ready(None, unit(1) * 0)
    with pytest.raises(BadVector):
        rebuild_index()

    assert current_build() == before
    failed = IndexBuild.objects.get(status=Status.FAILED)
    assert "zero" in failed.error
    assert failed.finished_at is not None
    assert folders(data_dir) == [before.name]


def test_a_build_whose_process_is_gone_is_taken_over_at_once(people: list[Celebrity]) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    IndexBuild.objects.create(name="dead", builder=f"{socket.gethostname()}:{gone.stdout.strip()}")
    build = rebuild_index()

    assert current_build() == build
    assert IndexBuild.objects.get(name="dead").status == Status.FAILED


def test_another_machines_build_is_taken_over_when_it_falls_silent(
    people: list[Celebrity],
) -> None:
    other = IndexBuild.objects.create(name="other", builder=f"elsewhere:{os.getpid()}")
    with pytest.raises(BuildRunning):
        rebuild_index()
    IndexBuild.objects.filter(pk=other.pk).update(
        heartbeat_at=timezone.now() - builds.DEAD_AFTER - timedelta(seconds=1)
    )

    assert rebuild_index().status == Status.PUBLISHED


def test_a_build_taken_over_never_comes_into_use(people: list[Celebrity], data_dir: Path) -> None:
    before = rebuild_index()

    def take_over(what: str, share: float) -> None:
        mine = IndexBuild.objects.filter(status=Status.BUILDING)
        mine.update(status=Status.FAILED, error="taken over")

    with pytest.raises(BuildRunning):
        rebuild_index(take_over)
    assert current_build() == before
    assert folders(data_dir) == [before.name]


def test_a_long_build_tells_that_it_lives(
    people: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "STEP_SECONDS", 0.0)
    build = rebuild_index()

    assert build.heartbeat_at < IndexBuild.objects.get(pk=build.pk).heartbeat_at


def test_files_of_the_build_before_stay_for_searches_that_began_on_it(
    people: list[Celebrity], data_dir: Path
) -> None:
    first, second, third = (rebuild_index() for _ in range(3))
    remove_old_builds()

    assert folders(data_dir) == sorted([second.name, third.name])
    first.refresh_from_db()
    assert first.status == Status.SUPERSEDED

    IndexBuild.objects.filter(pk=third.pk).update(finished_at=timezone.now() - timedelta(hours=2))
    remove_old_builds()
    assert folders(data_dir) == [third.name]


def test_only_the_latest_rows_stay_as_a_record(people: list[Celebrity]) -> None:
    for number in range(30):
        IndexBuild.objects.create(
            name=f"old-{number}",
            status=Status.FAILED,
            started_at=timezone.now() - timedelta(days=number + 1),
        )
    rebuild_index()
    remove_old_builds()

    assert IndexBuild.objects.count() == 21
    assert not IndexBuild.objects.filter(name="old-29").exists()


def test_an_emptied_gallery_has_no_build_left(people: list[Celebrity], data_dir: Path) -> None:
    store_resemblances(rebuild_index())
    Celebrity.objects.all().delete()
    with pytest.raises(EmptyGallery):
        rebuild_index()

    assert set(IndexBuild.objects.values_list("status", flat=True)) == {Status.SUPERSEDED}
    assert folders(data_dir) == []
    assert not Resemblance.objects.exists()


def test_a_change_of_the_gallery_is_noticed(people: list[Celebrity]) -> None:
    assert gallery_changed()
    rebuild_index()
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    assert not gallery_changed()

    Celebrity.objects.filter(pk=people[0].pk).unpublish()
    assert gallery_changed()
    Celebrity.objects.all().publish()
    assert not gallery_changed()
    make_ready(people[0], unit(0, 0, 1))
    assert gallery_changed()


def test_an_index_of_another_encoder_is_refused_with_what_to_do(people: list[Celebrity]) -> None:
    rebuild_index()
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    engine.reset(FaceEngine(FakeDetector(), _Newer()))

    with pytest.raises(NoIndex, match=r"fake/1, and fake/2 is in use.*rebuild_index") as error:
        open_current()
    assert str(error.value).lower().count("rebuild the index") == 1
    assert gallery_changed()


class _Newer(FakeEncoder):
    version = "2"


def test_an_index_of_an_earlier_version_is_refused_and_rebuilt(people: list[Celebrity]) -> None:
    rebuild_index()
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    IndexBuild.objects.update(manifest={"format": "lookalike-index-2"})

    with pytest.raises(NoIndex, match=r"an earlier version.*rebuild_index"):
        open_current()
    assert gallery_changed()
    rebuild_index()
    assert len(open_current()[1]) == 4


def test_an_index_whose_files_are_gone_is_rebuilt(people: list[Celebrity], data_dir: Path) -> None:
    rebuild_index()
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    assert not gallery_changed()
    shutil.rmtree(data_dir / "index")

    assert gallery_changed()


def test_a_second_rebuild_embeds_nothing_while_one_runs(fake_engine: FaceEngine) -> None:
    make_portrait()
    with claim_build(EncoderId("fake", "1")), pytest.raises(BuildRunning):
        rebuild_index()

    assert Portrait.objects.get().status == Portrait.Status.PENDING


def test_only_one_build_can_be_in_use(people: list[Celebrity]) -> None:
    rebuild_index()
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexBuild.objects.create(name="another", status=Status.PUBLISHED)


def test_a_build_that_starts_while_old_ones_are_removed_keeps_its_folder(
    people: list[Celebrity], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild_index()
    ask = builds.names_in_use

    def ask_late(**options: bool) -> set[str]:
        """Another process starts to write after the names were read."""
        names = ask(**options)
        (data_dir / "index" / "new.tmp-1").mkdir(exist_ok=True)
        return names

    monkeypatch.setattr("celebrities.index.cleaning.names_in_use", ask_late)
    remove_old_builds()
    assert "new.tmp-1" in folders(data_dir)


# Builds that travel by storage. The storage is a folder, which serves as well as S3.


@pytest.fixture
def sent(people: list[Celebrity], settings: Settings, data_dir: Path) -> IndexBuild:
    """A build made on another machine: its files are in storage alone."""
    settings.STORAGE = "s3"
    build = rebuild_index()
    (data_dir / "index").rename(data_dir / "elsewhere")
    engine.reset(FaceEngine(FakeDetector(), FakeEncoder()))
    return build


def test_a_build_is_fetched_once_to_each_machine(sent: IndexBuild, data_dir: Path) -> None:
    (data_dir / "index" / "stale-build").mkdir(parents=True)
    _, index = open_current()

    assert len(index) == 4
    assert folders(data_dir) == [sent.name]
    made = (data_dir / "index" / sent.name).stat().st_ino
    engine.reset(FaceEngine(FakeDetector(), FakeEncoder()))
    open_current()
    assert (data_dir / "index" / sent.name).stat().st_ino == made


@pytest.mark.parametrize("name", ["rows.f32", "index.ann", "manifest.json"])
def test_rejects_a_fetched_file_that_was_altered(
    sent: IndexBuild, data_dir: Path, name: str
) -> None:
    path = f"{sent.name}/{name}"
    data = bytearray(read_stored("builds", path))
    data[len(data) // 2] ^= 1
    storages["builds"].delete(path)
    storages["builds"].save(path, ContentFile(bytes(data)))

    with pytest.raises(NoIndex):
        open_current()
    assert folders(data_dir) == []


def test_rejects_a_whole_index_that_is_not_the_one_that_was_built(
    sent: IndexBuild, data_dir: Path
) -> None:
    Portrait.objects.filter(celebrity__name="Person 00").update(vector=unit(0, 0, 0, 1).tobytes())
    other = rebuild_index()
    IndexBuild.objects.filter(pk=other.pk).update(manifest=sent.manifest)
    IndexBuild.objects.filter(pk=sent.pk).delete()
    engine.reset(FaceEngine(FakeDetector(), FakeEncoder()))
    for path in (data_dir / "index").iterdir():
        if path.is_dir():
            path.rename(data_dir / f"gone-{path.name}")

    with pytest.raises(NoIndex, match="not the one"):
        open_current()


def test_a_build_that_is_missing_in_storage_is_said(sent: IndexBuild, data_dir: Path) -> None:
    storages["builds"].delete(f"{sent.name}/index.ann")

    with pytest.raises(NoIndex, match=r"index\.ann"):
        open_current()
    assert folders(data_dir) == []


def test_superseded_builds_leave_the_storage_too(sent: IndexBuild, data_dir: Path) -> None:
    rebuild_index()
    newest = rebuild_index()
    remove_old_builds(at_once=True)

    builds_ = data_dir / "builds"
    assert [path.name for path in builds_.iterdir() if any(path.iterdir())] == [newest.name]


def test_it_embeds_nothing_while_another_process_builds(people: list[Celebrity]) -> None:
    portrait = make_portrait(people[0], make_photo(1))
    with claim_build(EncoderId("fake", "1")), pytest.raises(BuildRunning):
        rebuild_index()

    portrait.refresh_from_db()
    assert portrait.status == Portrait.Status.PENDING
    IndexBuild.objects.all().delete()
    rebuild_index()
    portrait.refresh_from_db()
    assert portrait.status == Portrait.Status.READY


def test_fictional_people_never_set_the_scale(fake_engine: FaceEngine) -> None:
    turned = np.random.default_rng(3).normal(size=(40, 8))
    fictional = make_people([unit(*row) for row in turned.tolist()], is_fictional=True)
    alone = find_calibration()
    assert (alone.strangers, alone.same) == (0, 0)

    make_people([unit(1, number) for number in range(10)])
    both = find_calibration()
    Celebrity.objects.filter(pk__in=[person.pk for person in fictional]).delete()
    assert find_calibration().scale == both.scale
    assert both.strangers == 10


def find_calibration() -> Calibration:
    facts = rebuild_index().facts
    assert facts is not None
    return facts.calibration
