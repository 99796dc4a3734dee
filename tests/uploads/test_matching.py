"""The worker's side: from received bytes to a result, or a reason."""

from __future__ import annotations

import io
import resource
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from PIL import Image

from celebrities.errors import BuildRunning, EmptyGallery, NoIndex
from celebrities.index.rebuild import rebuild_index
from celebrities.index.search import SearchResult, find_lookalikes
from celebrities.models import Celebrity, IndexBuild
from lookalike import engine
from lookalike.faces.errors import (
    DeviceMissing,
    IndexDamaged,
    NoFace,
    UnreadablePhoto,
    WeightsMissing,
)
from lookalike.faces.index import Method
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Detection, Pixels
from tests.fakes import FakeDetector, FakeEncoder
from tests.uploads.factories import cast_photo, encode, make_picture, make_upload
from uploads.crops import store_jpeg
from uploads.matching import match_upload
from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_files, list_files, read_file, store_file

pytestmark = pytest.mark.django_db


def finish(upload: Upload) -> Upload:
    match_upload(upload.pk)
    upload.refresh_from_db()
    return upload


class Searches:
    """Hears what `find_lookalikes` is asked and answers. ``method`` is the build's own: tests
    have no gallery so large that a build would choose the approximate one."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.asked: list[Method | None] = []
        self.answers: list[SearchResult] = []

    def __call__(
        self, vectors: Any, *, method: Method | None = None, **options: Any
    ) -> SearchResult:
        found = find_lookalikes(vectors, method=method, **options)
        self.asked.append(method)
        if method == "exact":
            neighbours = [list(reversed(near)) for near in found.neighbours]
        else:
            neighbours = found.neighbours
        done = method or self.method
        self.answers.append(replace(found, method=done, neighbours=neighbours))
        return self.answers[-1]


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Searches:
    """Approximate searches; the exact one finds the same people in reverse order."""
    heard = Searches(Method.APPROXIMATE)
    monkeypatch.setattr("uploads.matching.find_lookalikes", heard)
    return heard


def test_it_works(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload(cast_photo(number=1), k=3))

    assert upload.status == Upload.Status.DONE
    assert upload.stage == Upload.Stage.NONE
    assert upload.attempts == 1
    assert upload.finished_at is not None
    face = upload.faces.get()
    matches = list(face.matches.all())
    assert [match.rank for match in matches] == [1, 2, 3]
    assert matches[0].celebrity == gallery[0]
    assert matches[0].similarity > matches[1].similarity >= matches[2].similarity


@pytest.mark.parametrize("confidence", [0.9, 0.999])
def test_it_stores_whether_a_face_says_little(gallery: list[Celebrity], confidence: float) -> None:
    class Unsure(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return [replace(face, confidence=confidence) for face in super().detect(pixels)]

    engine.reset(FaceEngine(Unsure(), FakeEncoder()))
    upload = finish(make_upload())

    assert upload.status == Upload.Status.DONE
    assert upload.faces.get().is_weak == (confidence == 0.9)


@pytest.mark.parametrize(("filters", "stored"), [({}, True), ({"living_only": True}, False)])
def test_it_stores_how_unusual_the_best_match_is(
    gallery: list[Celebrity], filters: dict[str, bool], stored: bool
) -> None:
    """As measured by the build that was searched; a narrower search cannot be compared."""
    build = IndexBuild.objects.get()
    build.manifest["calibration"]["best"] = [0.0] * 4 + [50.0] + [1e9] * 4
    build.save()
    upload = finish(make_upload(cast_photo(number=1), filters=filters))

    best, *others = upload.faces.get().matches.all()
    assert upload.usual_best == 50.0
    assert best.percentile == pytest.approx(50, abs=1) if stored else best.percentile is None
    assert [match.percentile for match in others] == [None] * 3


@pytest.mark.parametrize(("people", "stored"), [(4, True), (3, False)])
def test_it_does_not_compare_with_a_much_smaller_gallery(
    gallery: list[Celebrity], people: int, stored: bool
) -> None:
    """Four people are searched; the first build of a new site is made of a few of them."""
    build = IndexBuild.objects.get()
    build.manifest["calibration"]["best"] = [0.0] * 4 + [50.0] + [1e9] * 4
    build.people = people
    build.save()
    upload = finish(make_upload(cast_photo(number=1)))

    assert upload.usual_best == (50.0 if stored else None)
    best = upload.faces.get().matches.all()[0]
    assert (best.percentile is not None) == stored


def test_it_stores_what_the_search_says_it_did(
    gallery: list[Celebrity], searches: Searches
) -> None:
    upload = finish(make_upload())

    [answer] = searches.answers
    assert upload.build_name == answer.build.name == IndexBuild.objects.get().name
    assert upload.encoder == answer.build.encoder == "fake/1"
    assert upload.compared_with == answer.compared_with == 4
    assert upload.method == answer.method == "approximate"
    assert upload.search_ms == answer.ms > 0
    assert upload.exact_ms is None


def test_it_stores_the_build_that_was_searched(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another build may be published while the search goes on."""

    def publish_midway(*args: Any, **options: Any) -> SearchResult:
        found = find_lookalikes(*args, **options)
        rebuild_index()
        return found

    before = IndexBuild.objects.get().name
    monkeypatch.setattr("uploads.matching.find_lookalikes", publish_midway)
    upload = finish(make_upload())

    current = IndexBuild.objects.current()
    assert current is not None
    assert upload.build_name == before != current.name


def test_it_searches_exhaustively_too_when_asked(
    gallery: list[Celebrity], searches: Searches
) -> None:
    upload = finish(make_upload(exhaustive=True, k=4))

    assert searches.asked == [None, "exact"]
    assert found_by(upload, exhaustive=False) == ids(searches.answers[0])
    assert found_by(upload, exhaustive=True) == ids(searches.answers[1])
    assert (upload.method, upload.search_ms) == ("approximate", searches.answers[0].ms)
    assert upload.exact_ms == searches.answers[1].ms


def test_it_searches_once_where_the_first_search_was_exhaustive(gallery: list[Celebrity]) -> None:
    upload = finish(make_upload(exhaustive=True))

    assert upload.exhaustive
    assert upload.method == "exact"
    assert upload.exact_ms is None
    assert len(found_by(upload, exhaustive=False)) == 4
    assert found_by(upload, exhaustive=True) == []


def found_by(upload: Upload, *, exhaustive: bool) -> list[int]:
    matches = Match.objects.filter(face__upload=upload, exhaustive=exhaustive)
    return list(matches.order_by("rank").values_list("celebrity_id", flat=True))


def ids(result: SearchResult) -> list[int]:
    [neighbours] = result.neighbours
    return [near.celebrity_id for near in neighbours]


def test_it_takes_few_statements(gallery: list[Celebrity]) -> None:
    finish(make_upload())
    upload = make_upload(encode(make_picture(1100, 400)))
    with CaptureQueriesContext(connection) as captured:
        match_upload(upload.pk)

    own = [query["sql"] for query in captured]
    assert len(own) <= 12, own


@pytest.mark.parametrize("fails", [UploadedFace, Match])
def test_a_result_is_saved_whole_or_not_at_all(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch, fails: type[Model]
) -> None:
    def fail(self: object, rows: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(fails._default_manager), "bulk_create", fail)
    upload = finish(make_upload())

    assert (upload.status, upload.failure) == ("failed", "internal")
    assert upload.build_name == ""
    assert not UploadedFace.objects.exists()
    assert not Match.objects.exists()
    assert list_files(upload.pk) == [upload.photo.name]


@pytest.mark.django_db(transaction=True)
def test_it_leaves_out_a_portrait_that_was_deleted_after_the_search(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_midway(*args: Any, **options: Any) -> SearchResult:
        found = find_lookalikes(*args, **options)
        gallery[0].delete()
        return found

    monkeypatch.setattr("uploads.matching.find_lookalikes", delete_midway)
    upload = finish(make_upload(cast_photo(number=1)))

    assert upload.status == "done"
    matches = Match.objects.filter(face__upload=upload)
    assert sorted(matches.values_list("rank", flat=True)) == [1, 2, 3]


def test_it_notes_whom_a_visitor_has_seen(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uploads.matching._shown", set())
    finish(make_upload(k=2))
    assert Celebrity.objects.filter(was_shown=True).count() == 2

    with CaptureQueriesContext(connection) as captured:
        finish(make_upload(k=2))
    assert not any('SET "was_shown"' in query["sql"] for query in captured.captured_queries)


def test_it_shows_each_stage(gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch) -> None:
    upload = make_upload()
    seen = []

    def look(place: str, name: str) -> None:
        real = getattr(import_module(place), name)

        def step(*args: Any, **options: Any) -> Any:
            stage, photo = Upload.objects.values_list("stage", "photo").get(pk=upload.pk)
            seen.append((name, stage, bool(photo)))
            return real(*args, **options)

        monkeypatch.setattr(f"{place}.{name}", step)

    look("uploads.matching", "open_strangers")
    look("uploads.matching", "get_finder")
    look("uploads.matching", "find_lookalikes")
    finish(upload)

    assert seen == [
        ("open_strangers", "finding", False),
        ("get_finder", "finding", False),
        ("find_lookalikes", "comparing", True),
    ]


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


@pytest.mark.parametrize(("grey", "detail"), [(200, ""), (20, "dark")])
def test_it_says_when_a_photo_without_a_face_is_dark(
    gallery: list[Celebrity], grey: int, detail: str
) -> None:
    upload = finish(make_upload(encode(Image.new("RGB", (300, 300), (grey, grey, grey)))))

    assert (upload.failure, upload.detail) == ("no_face", detail)


def test_it_says_when_the_face_is_too_small(gallery: list[Celebrity]) -> None:
    engine.reset(FaceEngine(FakeDetector([Box(10, 10, 30, 30)]), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture())))

    assert (upload.failure, upload.detail) == ("face_too_small", "20")
    assert list_files(upload.pk) == [upload.photo.name]


def test_it_analyses_eight_faces_at_most_and_no_bystanders(gallery: list[Celebrity]) -> None:
    faces = [Box(100 * n, 10, 100 * n + 90, 100) for n in range(10)]
    bystander = Box(10, 300, 30, 320)
    engine.reset(FaceEngine(FakeDetector([bystander, *faces]), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture(1100, 400))))

    assert list(upload.faces.values_list("number", flat=True)) == list(range(8))
    assert {face.matches.count() for face in upload.faces.all()} == {4}


def test_it_turns_the_stored_photo_as_the_engine_did(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = []

    def store(upload: Upload, pixels: Pixels) -> str:
        stored.append(pixels.shape[:2])
        return store_jpeg(upload, pixels)

    monkeypatch.setattr("uploads.matching.store_jpeg", store)

    class Upright(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return super().detect(pixels) if pixels.shape[0] > pixels.shape[1] else []

    engine.reset(FaceEngine(Upright(), FakeEncoder()))
    upload = finish(make_upload(encode(make_picture(400, 300))))

    assert stored == [(400, 300)], "encoded once"
    assert (upload.width, upload.height) == (300, 400)
    with Image.open(io.BytesIO(read_file(upload.photo.name))) as image:
        assert image.size == (300, 400)
    assert len(list_files(upload.pk)) == 3


def test_a_photo_that_ends_its_decoder_fails_once(gallery: list[Celebrity]) -> None:
    """Draft test 18: the worker lives, and the next photo has its result."""
    decoder = engine.get_decoder()
    process = decoder.start().pid
    used = int(Path(f"/proc/{process}/statm").read_text().split()[0]) * resource.getpagesize()
    hard = resource.prlimit(process, resource.RLIMIT_AS)[1]
    resource.prlimit(process, resource.RLIMIT_AS, (used, hard))
    costly = Image.new("RGB", (4000, 4000))

    upload = finish(make_upload(encode(costly, "PNG")))

    assert (upload.status, upload.failure) == ("failed", "too_costly")
    assert (upload.attempts, upload.received.name) == (1, "")
    decoder.close()
    assert finish(make_upload(encode(make_picture(), "PNG"))).status == "done"


def test_a_plain_jpeg_needs_no_decoder(gallery: list[Celebrity]) -> None:
    engine.get_decoder().close()

    assert finish(make_upload(encode(make_picture()))).status == "done"

    assert not engine.get_decoder().is_running


def test_it_says_when_it_took_too_long(
    gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit may strike inside a decoder, which takes it for damage."""

    def strike(*args: object, **options: object) -> None:
        try:
            raise SoftTimeLimitExceeded
        except SoftTimeLimitExceeded as error:
            raise UnreadablePhoto("SoftTimeLimitExceeded()") from error

    monkeypatch.setattr("uploads.matching.open_strangers", strike)
    upload = finish(make_upload())

    assert (upload.status, upload.failure) == ("failed", "took_too_long")
    assert list_files(upload.pk) == []


@pytest.mark.parametrize(
    ("error", "failure", "logged"),
    [
        (WeightsMissing("Run manage.py fetch_weights facenet."), "internal", "Run manage.py"),
        (DeviceMissing("Install a driver."), "internal", "Install a driver."),
        (NoIndex("Rebuild it."), "no_index", "Rebuild it."),
        (IndexDamaged("vectors.npy is cut."), "no_index", "vectors.npy is cut."),
        (BuildRunning("Wait."), "internal", "Wait."),
        (EmptyGallery("Import people."), "empty_gallery", ""),
        (NoFace(), "no_face", ""),
        (SoftTimeLimitExceeded(), "took_too_long", ""),
        (MemoryError("SECRET"), "internal", "MemoryError"),
        (ValueError("SECRET"), "internal", "ValueError"),
    ],
)
def test_it_names_and_logs_what_went_wrong(
    gallery: list[Celebrity],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    failure: str,
    logged: str,
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("uploads.matching.get_finder", fail)
    upload = finish(make_upload())

    assert (upload.status, upload.failure) == ("failed", failure)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged in caplog.text
    assert len(errors) == bool(logged)
    assert "SECRET" not in caplog.text
    if logged.endswith("Error"):
        assert "in fail\n    raise error" in caplog.text


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
    assert finish(make_upload(filters={"gender": "male"})).failure == "empty_gallery"


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
