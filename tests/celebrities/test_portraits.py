"""What is read from a portrait's file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from celebrities.portraits import (
    MAX_FILE_BYTES,
    choose_face,
    make_thumbnails,
    read_portraits,
    thumbnail_area,
)
from celebrities.reasons import LABELS, describe_reason
from lookalike.faces.errors import FaceTooSmall, PhotoError, Reason, SeveralFaces
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Detection, Face, Pixels, Scale, Vectors
from tests.celebrities.factories import cast_photo, encode, make_photo, make_picture
from tests.fakes import FakeDetector, FakeEncoder, make_detection

SCALE = Scale(stranger=0.83, same=0.98)


def make_vectors(*degrees: float) -> Vectors:
    """Unit vectors at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def make_face(box: Box, degrees: float) -> Face:
    [vector] = make_vectors(degrees)
    found = make_detection(box)
    return Face(box, found.landmarks, 1.0, np.zeros((8, 8, 3), np.uint8), vector, False)


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


def test_the_face_that_agrees_with_the_others_is_the_persons() -> None:
    """Similarities to the others: 0.995 and less. Halfway is 0.905 with this scale."""
    large, small = make_face(Box(0, 0, 200, 240), 40), make_face(Box(300, 0, 380, 90), 5)
    others = make_vectors(0, 4)
    assert choose_face([large, small], 400, others, SCALE) is small
    assert choose_face([large, small], 400, None, SCALE) is large
    assert choose_face([large, small], 400, others[:0], SCALE) is large


def test_two_faces_that_agree_decide_nothing() -> None:
    one, two = make_face(Box(0, 0, 100, 120), 10), make_face(Box(200, 0, 300, 120), -10)
    assert choose_face([one, two], 300, make_vectors(0), SCALE) is None


def test_none_that_agrees_decides_nothing() -> None:
    one, two = make_face(Box(0, 0, 100, 120), 30), make_face(Box(200, 0, 300, 120), -30)
    assert choose_face([one, two], 300, make_vectors(0), SCALE) is None
    assert choose_face([one], 300, make_vectors(0), SCALE) is one


@pytest.mark.parametrize(
    ("width", "left", "is_main"),
    [
        (74, 300, True),  # 100 / 74 is 1.351.
        (75, 300, False),
        (74, 193, True),  # 30 pixels from the middle, as the largest one.
        (74, 192, False),
        (59, 170, True),  # Behind, wherever it is.
    ],
)
def test_without_others_the_largest_must_be_clearly_so_and_nearest_the_middle(
    width: int, left: int, is_main: bool
) -> None:
    largest = make_face(Box(120, 0, 220, 120), 0)
    second = make_face(Box(left, 0, left + width, 90), 0)
    assert (choose_face([largest, second], 400, None, SCALE) is largest) == is_main


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
