"""The worker's side: from received bytes to a result, or a reason."""

from __future__ import annotations

import io

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages
from PIL import Image

from celebrities.models import Celebrity
from lookalike import engine
from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Detection, Pixels
from tests.fakes import FakeDetector, FakeEncoder
from tests.uploads.factories import cast_photo, encode, make_picture, make_upload
from uploads.matching import match_upload
from uploads.models import Match, Upload
from uploads.storage import delete_files, list_files, read_file, store_file

pytestmark = pytest.mark.django_db


def finish(upload: Upload) -> Upload:
    match_upload(upload.pk)
    upload.refresh_from_db()
    return upload


def test_it_works(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload(cast_photo(number=1), k=3))

    assert upload.status == Upload.Status.DONE
    assert upload.stage == Upload.Stage.NONE
    assert upload.attempts == 1
    assert upload.finished_at is not None
    assert upload.compared_with == 4
    assert upload.encoder == "fake/1"
    assert upload.build_name
    face = upload.faces.get()
    matches = list(face.matches.all())
    assert [match.rank for match in matches] == [1, 2, 3]
    assert matches[0].celebrity == gallery[0]
    assert matches[0].similarity > matches[1].similarity >= matches[2].similarity
    assert upload.approximate_ms is not None
    assert upload.exact_ms is None


def test_it_searches_exhaustively_too_when_asked(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload(exhaustive=True, k=4))

    searches = Match.objects.filter(face__upload=upload).values_list("search", flat=True)
    assert sorted(searches) == ["approximate"] * 4 + ["exact"] * 4
    assert upload.exact_ms is not None


def test_it_keeps_a_clean_photo_in_place_of_the_bytes_received(gallery: list[Celebrity]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0)}
    upload = make_upload(encode(make_picture(2400, 1200), exif=exif, comment=b"remark"))
    received = upload.received.name
    finish(upload)

    assert not upload.received
    assert not storages["uploads"].exists(str(received))
    assert sorted(list_files(upload.pk)) == sorted(
        [upload.photo.name, *upload.faces.values_list("crop", "chip").get()]
    )
    for name in list_files(upload.pk):
        with Image.open(io.BytesIO(read_file(name))) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    with Image.open(io.BytesIO(read_file(upload.photo.name))) as image:
        assert image.size == (1600, 800) == (upload.width, upload.height)


def test_it_stands_the_photo_upright(gallery: list[Celebrity]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upload = finish(make_upload(encode(make_picture(300, 200), exif=exif)))

    assert (upload.width, upload.height) == (200, 300)


def test_it_stores_boxes_in_pixels_of_the_stored_photo(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload(encode(make_picture(3200, 2400))))

    assert (upload.width, upload.height) == (1600, 1200)
    assert upload.faces.get().box == [400, 300, 1200, 900]


@pytest.mark.parametrize(
    ("photo", "failure"),
    [
        (encode(Image.new("RGB", (300, 300), "grey")), "no_face"),
        (encode(make_picture(63, 300)), "too_small"),
        (encode(make_picture())[:-600], "unreadable"),
        (b"%PDF-1.7", "unsupported"),
    ],
)
def test_it_names_what_is_wrong_with_a_photo(
    gallery: list[Celebrity], photo: bytes, failure: str
) -> None:
    upload = make_upload(photo)
    received = upload.received.name
    finish(upload)

    assert (upload.status, upload.failure) == ("failed", failure)
    assert upload.finished_at is not None
    assert not upload.received
    assert not storages["uploads"].exists(str(received))
    assert list_files(upload.pk) == ([upload.photo.name] if upload.photo else [])


def test_it_says_when_the_face_is_too_small(gallery: list[Celebrity]) -> None:
    engine.reset(FaceEngine(FakeDetector([Box(10, 10, 30, 30)]), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture())))

    assert (upload.failure, upload.detail) == ("face_too_small", "20")


def test_it_analyses_eight_faces_at_most_and_no_bystanders(gallery: list[Celebrity]) -> None:
    faces = [Box(100 * n, 10, 100 * n + 90, 100) for n in range(10)]
    bystander = Box(10, 300, 30, 320)
    engine.reset(FaceEngine(FakeDetector([bystander, *faces]), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture(1100, 400))))

    assert list(upload.faces.values_list("number", flat=True)) == list(range(8))
    assert {face.matches.count() for face in upload.faces.all()} == {4}


def test_it_turns_the_stored_photo_as_the_engine_did(gallery: list[Celebrity]) -> None:
    class Upright(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return super().detect(pixels) if pixels.shape[0] > pixels.shape[1] else []

    engine.reset(FaceEngine(Upright(), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture(400, 300))))

    assert (upload.width, upload.height) == (300, 400)
    with Image.open(io.BytesIO(read_file(upload.photo.name))) as image:
        assert image.size == (300, 400)
    assert len(list_files(upload.pk)) == 3


def test_it_says_when_it_took_too_long(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit may strike inside a decoder, which takes it for damage."""

    def strike(*args: object, **options: object) -> None:
        try:
            raise SoftTimeLimitExceeded
        except SoftTimeLimitExceeded as error:
            raise UnreadablePhoto("SoftTimeLimitExceeded()") from error

    monkeypatch.setattr("uploads.matching.open_to_keep", strike)
    upload = finish(make_upload())

    assert (upload.status, upload.failure) == ("failed", "took_too_long")
    assert list_files(upload.pk) == []


def test_it_logs_the_unexpected_without_a_word_about_the_visitor(
    gallery: list[Celebrity], caplog: pytest.LogCaptureFixture
) -> None:
    upload = make_upload()
    delete_files([upload.received.name])
    finish(upload)

    assert (upload.status, upload.failure) == ("failed", "internal")
    assert "FileNotFoundError" in caplog.text
    assert str(upload.pk) not in caplog.text
    assert str(upload.owner) not in caplog.text


def test_a_second_attempt_goes_on_from_the_stored_photo(gallery: list[Celebrity]) -> None:
    upload = make_upload()
    delete_files([upload.received.name])
    upload.received.name = ""
    upload.photo.name = store_file(upload.pk, cast_photo(number=1), ".jpg")
    upload.attempts, upload.width, upload.height = 1, 480, 600
    upload.save()
    stray = store_file(upload.pk, b"left by the first attempt")
    finish(upload)

    assert upload.status == Upload.Status.DONE
    assert upload.attempts == 2
    assert not storages["uploads"].exists(stray)


def test_it_says_when_the_gallery_is_empty(fake_engine: object) -> None:
    assert finish(make_upload()).failure == "empty_gallery"


def test_it_says_when_nobody_is_as_asked_for(gallery: list[Celebrity]) -> None:
    assert finish(make_upload(gender="male")).failure == "empty_gallery"


def test_it_does_nothing_for_an_upload_that_is_gone(gallery: list[Celebrity]) -> None:
    upload = make_upload()
    pk = upload.pk
    upload.delete()

    match_upload(pk)

    assert not Upload.objects.exists()


def test_it_does_nothing_for_an_upload_that_is_done(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload())
    before = upload.finished_at

    assert finish(upload).finished_at == before
    assert upload.attempts == 1
