"""Embedding portraits, keeping their files, taking them away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from celebrities.gallery import (
    delete_celebrities,
    delete_portraits,
    embed_portraits,
)
from celebrities.index.rebuild import embed_outdated
from celebrities.models import Celebrity, Portrait, gallery_storage
from lookalike import engine
from lookalike.faces.errors import Reason
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Pixels
from tests.celebrities.factories import (
    SLUGS,
    cast_photo,
    encode,
    make_celebrity,
    make_photo,
    make_picture,
    make_portrait,
    put_side_by_side,
    read_stored,
)
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.django_db


def list_files(data_dir: Path) -> list[str]:
    root = data_dir / "gallery"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def embed(portrait: Portrait) -> Portrait:
    embed_portraits([portrait])
    return Portrait.objects.get(pk=portrait.pk)


def test_it_works(real_engine: FaceEngine, data_dir: Path) -> None:
    portrait = embed(make_portrait(data=cast_photo()))

    assert portrait.status == Portrait.Status.READY
    assert portrait.encoder == f"{real_engine.encoder.name}/{real_engine.encoder.version}"
    assert portrait.embedded_at is not None
    assert (portrait.width, portrait.height) == (480, 600)
    assert portrait.box is not None
    assert portrait.landmarks is not None
    assert portrait.box[0] < portrait.landmarks[0][0] < portrait.box[2]
    assert portrait.confidence is not None
    assert portrait.confidence > 0.9
    assert portrait.vector is not None
    vector = np.frombuffer(portrait.vector, "<f4")
    assert vector.shape == (real_engine.encoder.dimensions,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    # The file received is gone; what is kept is named by the row.
    assert list_files(data_dir) == sorted(portrait.file_names)
    assert len(portrait.file_names) == 5


def test_a_file_without_a_face_stays_to_be_looked_at(
    fake_engine: FaceEngine, data_dir: Path
) -> None:
    portrait = embed(make_portrait(data=encode(make_picture().resize((1, 1)).resize((300, 300)))))

    assert portrait.status == Portrait.Status.FAILED
    assert portrait.reason == Reason.NO_FACE
    assert portrait.vector is None
    assert portrait.src
    assert list_files(data_dir) == sorted(portrait.file_names)


@pytest.mark.parametrize("data", [b"no picture", make_photo()[:3000]])
def test_a_file_that_cannot_be_read_fails_with_its_reason(
    fake_engine: FaceEngine, data: bytes
) -> None:
    portrait = embed(make_portrait(data=data))

    assert portrait.status == Portrait.Status.FAILED
    assert portrait.reason in {Reason.UNREADABLE, Reason.UNSUPPORTED}


def assert_unchanged(portrait: Portrait, problem: str) -> None:
    """The row as it was, but for a note that says what went wrong and when to try again."""
    row = Portrait.objects.get(pk=portrait.pk)
    for name in ("status", "reason", "vector", "encoder", "embedded_at", "image", "box"):
        assert getattr(row, name) == getattr(portrait, name), name
    assert row.problem == problem
    assert row.retry_at is not None
    assert timedelta(minutes=9) < row.retry_at - timezone.now() < timedelta(minutes=11)
    assert sorted(row.file_names) == sorted(portrait.file_names)


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_missing_file_leaves_the_portrait_as_it_was(
    fake_engine: FaceEngine, is_ready: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gone, there = make_portrait(), make_portrait(data=make_photo(2))
    if is_ready:
        gone, there = embed(gone), embed(there)
    gallery_storage().delete(gone.image.name or "")
    embed_portraits([gone, there])

    assert_unchanged(gone, "the file is missing")
    assert f"Portrait {gone.pk} could not be read" in caplog.text
    assert Portrait.objects.ready().filter(pk=there.pk, problem="", retry_at=None).exists()
    assert set(Portrait.objects.due()) == set()


def test_an_empty_answer_of_the_storage_is_no_damaged_file(fake_engine: FaceEngine) -> None:
    portrait = embed(make_portrait())
    name = portrait.image.name or ""
    Path(gallery_storage().path(name)).write_bytes(b"")
    embed_portraits([portrait])

    assert_unchanged(portrait, f"OSError: the storage has no bytes of {name}")


def test_a_full_disk_leaves_the_portrait_as_it_was(
    fake_engine: FaceEngine, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise OSError(28, "No space left on device")

    portrait = embed(make_portrait())
    with monkeypatch.context() as patch:
        patch.setattr(type(gallery_storage()), "save", refuse)
        embed_portraits([portrait])

    assert_unchanged(portrait, "OSError: [Errno 28] No space left on device")
    assert list_files(data_dir) == sorted(portrait.file_names)


@pytest.mark.parametrize("kind", [MemoryError, AttributeError, ValueError, RuntimeError])
def test_a_failure_of_ours_costs_nobody_their_vector(
    fake_engine: FaceEngine, kind: type[Exception]
) -> None:
    class Failing(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            raise kind("ours")

    portraits = [embed(make_portrait(data=make_photo(number))) for number in range(4)]
    engine.reset(FaceEngine(Failing(), FakeEncoder()))
    embed_portraits(Portrait.objects.all())

    for portrait in portraits:
        assert_unchanged(portrait, f"{kind.__name__}: ours")
    assert Portrait.objects.searchable("fake/1").count() == 4


def test_one_portraits_failure_is_its_own(fake_engine: FaceEngine) -> None:
    class Choosy(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            if pixels.shape[0] < 400:
                raise MemoryError
            return super().detect(pixels)

    engine.reset(FaceEngine(Choosy(), FakeEncoder()))
    bad = make_portrait(data=encode(make_picture(300, 399)))
    good = [make_portrait(data=make_photo(number)) for number in range(3)]
    embed_portraits(Portrait.objects.all())

    assert_unchanged(bad, "MemoryError: ")
    assert set(Portrait.objects.ready()) == set(good)


def test_a_damaged_file_that_was_read_takes_the_vector(fake_engine: FaceEngine) -> None:
    portrait = embed(make_portrait())
    path = Path(gallery_storage().path(portrait.image.name or ""))
    path.write_bytes(path.read_bytes()[:3000])

    again = embed(portrait)
    assert (again.status, again.reason) == (Portrait.Status.FAILED, Reason.UNREADABLE)
    assert again.vector is None


def test_a_note_goes_when_the_file_is_read(fake_engine: FaceEngine) -> None:
    portrait = make_portrait(problem="the file is missing", retry_at=timezone.now())
    again = embed(portrait)

    assert (again.status, again.problem, again.retry_at) == ("ready", "", None)


def test_a_portrait_is_due_again_after_a_while(fake_engine: FaceEngine) -> None:
    now = timezone.now()
    make_portrait(data=make_photo(1), retry_at=now + timedelta(minutes=1))
    late = make_portrait(data=make_photo(2), retry_at=now - timedelta(seconds=1))
    fresh = make_portrait(data=make_photo(3))

    assert set(Portrait.objects.due()) == {late, fresh}


def test_the_time_limit_passes(fake_engine: FaceEngine) -> None:
    class SlowAtFirst(FakeDetector):
        calls = 0

        def detect(self, pixels: Pixels) -> list[Detection]:
            self.calls += 1
            if self.calls == 1:
                raise SoftTimeLimitExceeded
            return super().detect(pixels)

    portrait = make_portrait()
    engine.reset(FaceEngine(SlowAtFirst(), FakeEncoder()))
    with pytest.raises(SoftTimeLimitExceeded):
        embed_portraits([portrait])

    assert Portrait.objects.get(status="pending", problem="", retry_at=None) == portrait


@pytest.mark.parametrize("step", ["open", "save"])
def test_the_time_limit_passes_through_the_storage(
    fake_engine: FaceEngine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def stop(*given: object) -> None:
        raise SoftTimeLimitExceeded

    portrait = make_portrait()
    monkeypatch.setattr(type(gallery_storage()), step, stop)
    with pytest.raises(SoftTimeLimitExceeded):
        embed_portraits([portrait])

    assert Portrait.objects.get(status="pending", problem="", retry_at=None) == portrait


def test_a_problem_of_the_file_before_is_not_noted(fake_engine: FaceEngine) -> None:
    stale = make_portrait()
    Portrait.objects.get().image.save("other.jpg", ContentFile(make_photo(2)))
    gallery_storage().delete(stale.image.name or "")
    embed_portraits([stale])

    assert Portrait.objects.get().problem == ""


def test_many_portraits_are_read_in_batches(fake_engine: FaceEngine) -> None:
    person = make_celebrity()
    for number in range(20):
        make_portrait(person, make_photo(number))
    embed_portraits(Portrait.objects.all())

    assert Portrait.objects.ready().count() == 20
    assert fake_engine.encoder.encoded == [48, 0, 12, 0]  # type: ignore[attr-defined]


def test_another_portrait_decides_whose_a_photo_of_two_is(real_engine: FaceEngine) -> None:
    person = make_celebrity()
    both = make_portrait(person, put_side_by_side(cast_photo(SLUGS[0]), cast_photo(SLUGS[9])))
    embed_portraits([both])
    assert Portrait.objects.get().reason == Reason.SEVERAL_FACES

    embed_portraits([make_portrait(person, cast_photo(SLUGS[9], 2))])
    both.refresh_from_db()
    assert (both.status, both.reason) == ("ready", "")
    assert (both.box or [0])[0] > both.width / 2

    embed_portraits([both])
    assert Portrait.objects.ready().count() == 2


def test_recomputing_keeps_the_picture_to_the_byte(fake_engine: FaceEngine, data_dir: Path) -> None:
    portrait = embed(make_portrait(data=encode(make_picture(), "PNG")))
    before = read_stored("gallery", portrait.image.name or "")
    again = embed(portrait)

    assert read_stored("gallery", again.image.name or "") == before
    assert again.vector == portrait.vector
    assert list_files(data_dir) == sorted(again.file_names)


def test_a_portrait_deleted_meanwhile_leaves_nothing(
    fake_engine: FaceEngine, data_dir: Path
) -> None:
    portrait = make_portrait()
    Portrait.objects.all().delete()
    embed_portraits([portrait])

    assert not Portrait.objects.exists()
    # The received file is the deleter's to remove, and nothing was added to it.
    assert [name.partition("/")[0] for name in list_files(data_dir)] == ["received"]


def test_a_portrait_given_another_file_meanwhile_is_left_as_it_is(fake_engine: FaceEngine) -> None:
    stale = make_portrait()
    fresh = Portrait.objects.get()
    fresh.image.save("other.jpg", ContentFile(make_photo(2)))
    embed_portraits([stale])

    fresh.refresh_from_db()
    assert fresh.status == Portrait.Status.PENDING
    assert gallery_storage().exists(fresh.image.name or "")


def test_outdated_portraits_are_those_that_wait_or_another_encoder_read_or_refused(
    fake_engine: FaceEngine, caplog: pytest.LogCaptureFixture
) -> None:
    waiting, old, ready, refused = (make_portrait(data=make_photo(number)) for number in range(4))
    embed_portraits([old, ready, refused])
    Portrait.objects.filter(pk=old.pk).update(encoder="older/1", vector=b"old")
    Portrait.objects.filter(pk=refused.pk).update(
        encoder="older/1", vector=None, status="failed", reason="several_faces"
    )
    untouched = Portrait.objects.get(pk=ready.pk).embedded_at
    shares: list[float] = []
    with caplog.at_level("INFO"):
        embed_outdated("fake/1", lambda what, share: shares.append(share))

    assert "2 portraits were read by another encoder or version" in caplog.text
    assert Portrait.objects.searchable("fake/1").count() == 4
    assert Portrait.objects.get(pk=ready.pk).embedded_at == untouched
    assert Portrait.objects.get(pk=waiting.pk).status == Portrait.Status.READY
    assert shares == [0.0]


def test_deleting_takes_the_files_too(
    fake_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    one, two = make_celebrity("One"), make_celebrity("Two")
    for number, person in enumerate([one, one, two]):
        embed(make_portrait(person, make_photo(number)))
    make_portrait(two, make_photo(9))
    kept = [name for portrait in two.portraits.all() for name in portrait.file_names]

    with django_capture_on_commit_callbacks(execute=True):
        assert delete_celebrities(Celebrity.objects.filter(pk=one.pk)) == 1
    assert list_files(data_dir) == sorted(kept)
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_portraits(Portrait.objects.all()) == 2
    assert list_files(data_dir) == []
    assert list(Celebrity.objects.all()) == [two]


def test_files_stay_when_the_deletion_is_rolled_back(
    fake_engine: FaceEngine, data_dir: Path
) -> None:
    from django.db import transaction

    portrait = embed(make_portrait())
    with transaction.atomic():
        delete_portraits(Portrait.objects.all())
        transaction.set_rollback(True)

    assert list_files(data_dir) == sorted(portrait.file_names)
    assert Portrait.objects.exists()
