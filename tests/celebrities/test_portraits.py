"""What is read from a portrait's file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from celebrities.models import MAX_FILE_BYTES
from celebrities.portraits import make_thumbnails, read_portraits, thumbnail_area
from celebrities.reasons import LABELS, describe_reason
from lookalike.faces.errors import FaceTooSmall, PhotoError, Reason, SeveralFaces
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Detection, Pixels
from tests.celebrities.factories import cast_photo, encode, make_photo, make_picture
from tests.fakes import FakeDetector, FakeEncoder


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_it_works(real_engine: FaceEngine) -> None:
    (reading,) = read_portraits(real_engine, [cast_photo()])

    assert reading.error is None
    assert reading.face is not None
    assert np.linalg.norm(reading.face.vector) == pytest.approx(1, abs=1e-5)
    assert (reading.width, reading.height) == opened(reading.picture).size == (480, 600)
    assert opened(reading.chip).size == (320, 320)
    sizes = {width: opened(data).size for width, data in reading.thumbnails.items()}
    assert sizes == {160: (160, 200), 320: (320, 400), 640: (640, 800)}
    assert {opened(data).format for data in reading.thumbnails.values()} == {"WEBP"}


def test_many_files_are_encoded_together_and_come_back_in_order(fake_engine: FaceEngine) -> None:
    files = [make_photo(1), b"no picture", make_photo(2), make_photo(3)]
    readings = read_portraits(fake_engine, files)

    assert [reading.error is None for reading in readings] == [True, False, True, True]
    encoder = fake_engine.encoder
    assert isinstance(encoder, FakeEncoder)
    assert encoder.encoded == [9]  # Each at three sizes.
    for data, reading in zip(files, readings, strict=True):
        (alone,) = read_portraits(fake_engine, [data])
        if alone.face is not None and reading.face is not None:
            assert np.allclose(alone.face.vector, reading.face.vector)


def test_the_picture_kept_is_upright_and_bears_no_metadata(fake_engine: FaceEngine) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    data = encode(make_picture(2400, 1800), exif=exif, comment=b"remark")
    (reading,) = read_portraits(fake_engine, [data])

    picture = opened(reading.picture)
    assert picture.size == (1200, 1600)
    assert not picture.getexif()
    assert b"description" not in reading.picture
    assert b"remark" not in reading.picture
    assert picture.format == "JPEG"


def test_a_picture_made_before_is_kept_to_the_byte(fake_engine: FaceEngine) -> None:
    (first,) = read_portraits(fake_engine, [encode(make_picture(), "PNG")])
    (again,) = read_portraits(fake_engine, [first.picture], keep_pictures=True)

    assert again.picture == first.picture


def test_a_stored_picture_is_read_again_whatever_the_limits_are_now(
    fake_engine: FaceEngine, settings: Settings
) -> None:
    (first,) = read_portraits(fake_engine, [encode(make_picture(300, 400))])
    settings.MIN_SIDE, settings.MAX_PIXELS = 500, 1000
    (again,) = read_portraits(fake_engine, [first.picture], keep_pictures=True)
    (new,) = read_portraits(fake_engine, [first.picture])

    assert again.face is not None
    assert isinstance(new.error, PhotoError)


def test_handles_a_photo_on_its_side(real_engine: FaceEngine) -> None:
    lying = opened(cast_photo()).transpose(Image.Transpose.ROTATE_90)
    (reading,) = read_portraits(real_engine, [encode(lying, quality=95)])

    assert reading.error is None
    assert (reading.width, reading.height) == (480, 600)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode(Image.new("RGB", (300, 300), "grey")), Reason.NO_FACE),
        (b"", Reason.UNREADABLE),
        (make_photo()[:4000], Reason.UNREADABLE),
        (encode(make_picture(), "BMP"), Reason.UNSUPPORTED),
        (encode(make_picture(40, 50)), Reason.TOO_SMALL),
        (bytes(MAX_FILE_BYTES + 1), Reason.TOO_LARGE),
        (encode(Image.new("1", (9000, 9000)), "PNG"), Reason.TOO_MANY_PIXELS),
    ],
)
def test_every_way_to_fail_has_its_reason(
    fake_engine: FaceEngine, data: bytes, reason: Reason
) -> None:
    (reading,) = read_portraits(fake_engine, [data])

    assert reading.error is not None
    assert reading.error.reason == reason
    assert reading.face is None
    assert reading.chip == b""


def test_a_second_face_as_large_makes_it_nobodys_portrait() -> None:
    large, small = Box(10, 10, 130, 150), Box(180, 40, 230, 100)
    rival = Box(150, 10, 260, 150)

    def read(*boxes: Box) -> PhotoError | None:
        engine = FaceEngine(FakeDetector(boxes), FakeEncoder())
        (reading,) = read_portraits(engine, [encode(make_picture())])
        return reading.error

    assert read(large, small) is None
    error = read(large, rival, rival)
    assert isinstance(error, SeveralFaces)
    assert describe_reason(error) == "more than one face (3 faces)"


def test_others_are_asked_for_by_position(fake_engine: FaceEngine) -> None:
    class TwoInDark(FakeDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            boxes = [Box(10, 10, 130, 150), Box(150, 10, 270, 150)]
            return FakeDetector(boxes if pixels.mean() < 60 else None).detect(pixels)

    engine = FaceEngine(TwoInDark(), FakeEncoder())
    asked: list[int] = []
    files = [encode(make_picture(colour=(light, light, light))) for light in (200, 90, 200, 90)]
    read_portraits(engine, files, find_others=asked.append)
    assert asked == [1, 3]


def test_a_face_too_small_is_told_from_no_face() -> None:
    engine = FaceEngine(FakeDetector([Box(10, 10, 25, 30)]), FakeEncoder())
    (reading,) = read_portraits(engine, [encode(make_picture())])

    assert isinstance(reading.error, FaceTooSmall)
    assert reading.picture


def test_every_reason_of_a_photo_has_a_label() -> None:
    assert {error.reason for error in PhotoError.__subclasses__()} == set(LABELS)


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (480, 600, Box(150, 150, 350, 400)),
        (4000, 1000, Box(3900, 10, 3990, 120)),
        (200, 1600, Box(-20, 1500, 150, 1650)),
        (64, 64, None),
        (1600, 400, None),
    ],
)
def test_thumbnails_lie_within_the_picture_and_show_the_face(
    width: int, height: int, box: Box | None
) -> None:
    left, top, right, bottom = thumbnail_area(width, height, box)

    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (bottom - top) / (right - left) == pytest.approx(5 / 4, abs=0.03)
    if box is not None:
        middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        assert left <= min(max(middle[0], 0), width - 1) <= right
        assert top <= min(max(middle[1], 0), height - 1) <= bottom


def test_a_small_picture_gets_no_large_thumbnails() -> None:
    pixels = np.asarray(make_picture(150, 200))

    assert sorted(make_thumbnails(pixels, None)) == [160]
