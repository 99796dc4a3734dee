"""Index builds: one at a time, beside the one in use, and fetched whole or not at all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from celebrities.errors import BuildRunning, EmptyGallery, NoIndex
from celebrities.gallery import rebuild_index
from celebrities.index import builds
from celebrities.index.builds import claim_build, current_build, gallery_changed, open_current
from celebrities.index.files import remove_old_builds
from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from lookalike import engine
from lookalike.faces.errors import BadVector
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, make_ready, read_stored, unit
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
    assert build.manifest["encoder_name"] == "fake"
    assert build.manifest["tuning"]["method"] in {"exact", "approximate"}
    assert current_build() == build
    assert folders(data_dir) == [build.name]
    assert "comparing people" in said
    found, index = open_current()
    assert found == build
    assert len(index) == 5


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
    with claim_build(FakeEncoder()):
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
    monkeypatch.setattr(builds, "HEARTBEAT_SECONDS", 0.0)
    build = rebuild_index()

    assert build.heartbeat_at < IndexBuild.objects.get(pk=build.pk).heartbeat_at


def test_files_of_the_build_before_stay_for_searches_that_began_on_it(
    people: list[Celebrity], data_dir: Path
) -> None:
    first, second, third = (rebuild_index() for _ in range(3))

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

    assert IndexBuild.objects.count() == 21
    assert not IndexBuild.objects.filter(name="old-29").exists()


def test_an_emptied_gallery_has_no_build_left(people: list[Celebrity], data_dir: Path) -> None:
    rebuild_index()
    Celebrity.objects.all().delete()
    with pytest.raises(EmptyGallery):
        rebuild_index()

    assert IndexBuild.objects.current() is None
    assert folders(data_dir) == []
    assert not Resemblance.objects.exists()


def test_resemblances_are_the_nearest_others_each_once(people: list[Celebrity]) -> None:
    make_ready(people[1], unit(1, 0.01))
    build = rebuild_index()
    first = list(people[0].resemblances.all())

    assert [each.rank for each in first] == [1, 2, 3]
    assert first[0].other == people[1]
    assert first[0].distance == pytest.approx(0.01, abs=1e-3)
    assert first[0].similarity >= first[1].similarity >= first[2].similarity
    assert Resemblance.objects.filter(build=build).count() == 4 * 3

    rebuild_index()
    assert Resemblance.objects.count() == 4 * 3


def test_ten_resemblances_are_kept_of_each_person(fake_engine: FaceEngine) -> None:
    make_people([unit(1, number / 10) for number in range(15)])
    rebuild_index()

    assert Resemblance.objects.count() == 15 * 10


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
    engine.reset(FaceEngine(FakeDetector(), _Newer()))

    with pytest.raises(NoIndex, match="rebuild_index"):
        open_current()


class _Newer(FakeEncoder):
    version = "2"


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


@pytest.mark.parametrize("name", ["vectors.f32", "index.ann", "manifest.json"])
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
