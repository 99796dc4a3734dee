"""Embedding portraits, keeping their files, taking them away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from pytest_django import DjangoCaptureOnCommitCallbacks

from celebrities.gallery import (
    delete_celebrities,
    delete_portraits,
    embed_outdated,
    embed_portraits,
)
from celebrities.models import Celebrity, Portrait, gallery_storage
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    cast_photo,
    encode,
    make_celebrity,
    make_photo,
    make_picture,
    make_portrait,
    read_stored,
)

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
    assert portrait.reason == Portrait.Reason.NO_FACE
    assert portrait.vector is None
    assert portrait.src
    assert list_files(data_dir) == sorted(portrait.file_names)


@pytest.mark.parametrize("data", [b"no picture", make_photo()[:3000]])
def test_a_file_that_cannot_be_read_fails_with_its_reason(
    fake_engine: FaceEngine, data: bytes
) -> None:
    portrait = embed(make_portrait(data=data))

    assert portrait.status == Portrait.Status.FAILED
    assert portrait.reason in {Portrait.Reason.UNREADABLE, Portrait.Reason.UNSUPPORTED}


def test_a_file_that_is_gone_fails_as_unreadable(fake_engine: FaceEngine) -> None:
    portrait = make_portrait()
    gallery_storage().delete(portrait.image.name or "")

    assert embed(portrait).reason == Portrait.Reason.UNREADABLE


def test_many_portraits_are_read_in_batches(fake_engine: FaceEngine) -> None:
    person = make_celebrity()
    for number in range(20):
        make_portrait(person, make_photo(number))
    embed_portraits(Portrait.objects.all())

    assert Portrait.objects.ready().count() == 20
    assert fake_engine.encoder.encoded == [16, 0, 4, 0]  # type: ignore[attr-defined]


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


def test_outdated_portraits_are_those_that_wait_or_another_encoder_read(
    fake_engine: FaceEngine,
) -> None:
    waiting, old, ready = (make_portrait(data=make_photo(number)) for number in range(3))
    embed_portraits([old, ready])
    Portrait.objects.filter(pk=old.pk).update(encoder="older/1", vector=b"old")
    untouched = Portrait.objects.get(pk=ready.pk).embedded_at
    shares: list[float] = []
    embed_outdated("fake/1", lambda what, share: shares.append(share))

    assert Portrait.objects.searchable("fake/1").count() == 3
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
