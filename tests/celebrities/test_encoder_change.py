"""A change of the encoder: what it reads waits beside the vectors in use until its build is
published, and nothing is lost when the storage is away (lines 37 to 39 of docs/operations.md)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from celebrities.errors import FilesMissing
from celebrities.gallery import embed_portraits
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import gallery_changed, rebuild_index
from celebrities.index.search import find_lookalikes, open_current
from celebrities.models import Celebrity, IndexBuild, Portrait
from celebrities.tasks import tend_gallery_task
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_photo, make_portrait
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.django_db


class Newer(FakeEncoder):
    """Another version whose vectors have another length."""

    version = "2"

    def __init__(self) -> None:
        super().__init__(dimensions=24)


def take(encoder: FakeEncoder) -> None:
    """Begin a process with this encoder."""
    engine.reset(FaceEngine(FakeDetector(), encoder))


def vector_of(portrait: Portrait, encoder: FakeEncoder) -> list[float]:
    take(encoder)
    embed_portraits([portrait])
    row = Portrait.objects.get(pk=portrait.pk)
    return list(bytes(row.vector or b""))


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    """Four people with a portrait each, read and in the index."""
    made = [make_celebrity(f"Person {number}") for number in range(4)]
    for number, person in enumerate(made):
        make_portrait(person, make_photo(number))
    embed_portraits(Portrait.objects.all())
    rebuild_index()
    return made


def find_first(person: Celebrity) -> int:
    """Who is found first with the person's own photo, as a worker searches."""
    from celebrities.gallery import read_file
    from celebrities.index.search import encoder_of
    from celebrities.photos import open_to_keep

    photo = open_to_keep(read_file(person.portraits.get()))
    opened = open_current()
    faces = engine.get_engine(encoder_of(opened[0]))
    [face] = faces.encode_faces(photo, faces.find_faces(photo)[1])
    found = find_lookalikes([face.vector], k=4, opened=opened)
    assert len(found.neighbours[0]) == 4
    return found.neighbours[0][0].celebrity_id


def test_39_processes_of_both_encoders_search_while_the_site_changes(
    people: list[Celebrity],
) -> None:
    before = IndexBuild.objects.get()
    take(Newer())
    assert gallery_changed()
    embed_portraits(Portrait.objects.all())
    assert Portrait.objects.searchable("fake/1").count() == 4, "nobody left the build in use"
    take(FakeEncoder())
    assert find_first(people[1]) == people[1].pk

    take(Newer())
    build = rebuild_index()
    assert (build.encoder, build.items) == ("fake/2", 4)
    assert find_first(people[2]) == people[2].pk
    assert open_current()[0] == build
    assert not gallery_changed()

    take(FakeEncoder())
    assert open_current()[0] == before, "a process that knows the old encoder goes on with it"
    assert find_first(people[3]) == people[3].pk


def test_39_the_old_vectors_go_when_nobody_needs_them(people: list[Celebrity]) -> None:
    take(Newer())
    build = rebuild_index()
    remove_old_builds()
    assert set(Portrait.objects.values_list("encoder", flat=True)) == {"fake/1"}

    IndexBuild.objects.filter(pk=build.pk).update(finished_at=timezone.now() - timedelta(hours=2))
    remove_old_builds()
    assert set(Portrait.objects.values_list("encoder", "next_encoder")) == {("fake/2", "")}
    assert not Portrait.objects.exclude(next_vector=None).exists()
    assert {len(bytes(row.vector or b"")) for row in Portrait.objects.all()} == {24 * 4}
    assert not gallery_changed()
    assert find_first(people[0]) == people[0].pk


def test_39_what_the_next_encoder_cannot_use_fails_only_then(people: list[Celebrity]) -> None:
    class Blind(FakeDetector):
        def detect(self, pixels):  # type: ignore[no-untyped-def]
            return []

    engine.reset(FaceEngine(Blind(), Newer()))
    embed_portraits(people[0].portraits.all())
    portrait = people[0].portraits.get()
    assert (portrait.status, portrait.next_reason) == ("ready", "no_face")
    take(Newer())
    build = rebuild_index()
    assert build.items == 3

    remove_old_builds(at_once=True)
    portrait.refresh_from_db()
    assert (portrait.status, portrait.reason, portrait.vector) == ("failed", "no_face", None)


def test_37_a_missing_storage_costs_no_vector_and_no_index(
    people: list[Celebrity], data_dir: Path
) -> None:
    before = list(Portrait.objects.order_by("pk").values_list("vector", "status", "encoder"))
    build = IndexBuild.objects.get()
    (data_dir / "gallery").rename(data_dir / "away")
    take(Newer())
    with pytest.raises(FilesMissing, match=r"4 of 4 portraits .* The index in use stays"):
        rebuild_index()

    assert (
        list(Portrait.objects.order_by("pk").values_list("vector", "status", "encoder")) == before
    )
    assert IndexBuild.objects.current() == build
    take(FakeEncoder())
    assert open_current()[0] == build

    (data_dir / "away").rename(data_dir / "gallery")
    take(Newer())
    assert rebuild_index().items == 4


def test_37_a_long_gallery_is_not_read_to_its_end_without_a_storage(
    people: list[Celebrity], data_dir: Path
) -> None:
    for number in range(40):
        make_portrait(people[0], make_photo(100 + number))
    take(FakeEncoder())
    rebuild_index()
    (data_dir / "gallery").rename(data_dir / "away")
    take(Newer())
    with pytest.raises(FilesMissing):
        rebuild_index()

    assert Portrait.objects.filter(problem="the file is missing").count() == 16


def test_37_the_only_portrait_may_not_be_lost_either(
    fake_engine: FaceEngine, data_dir: Path
) -> None:
    make_portrait()
    embed_portraits(Portrait.objects.all())
    build = rebuild_index()
    (data_dir / "gallery").rename(data_dir / "away")
    take(Newer())
    with pytest.raises(FilesMissing):
        rebuild_index()

    assert IndexBuild.objects.current() == build


def test_37_one_lost_file_does_not_stop_a_build(people: list[Celebrity], data_dir: Path) -> None:
    (data_dir / "gallery" / str(people[0].portraits.get().image.name)).unlink()
    take(Newer())
    build = rebuild_index()

    assert build.items == 3
    assert Portrait.objects.filter(status="ready", problem="the file is missing").count() == 1


def test_38_an_index_that_cannot_be_opened_is_built_anew_by_itself(
    people: list[Celebrity], data_dir: Path, caplog: pytest.LogCaptureFixture, valkey: str
) -> None:
    build = IndexBuild.objects.get()
    rows = data_dir / "index" / build.name / "rows.f32"
    rows.write_bytes(rows.read_bytes()[:-8])
    Portrait.objects.update(embedded_at=timezone.now() - timedelta(days=1))
    take(FakeEncoder())
    for _ in range(3):
        with pytest.raises(Exception, match=r"rows\.f32"):
            open_current()
    said = [record for record in caplog.records if "cannot be opened" in record.getMessage()]
    assert [record.levelname for record in said] == ["ERROR"]

    tend_gallery_task()
    assert open_current()[0] != build
    assert not gallery_changed()
