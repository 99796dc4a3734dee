"""A photo's faces: who counts, which way up, and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.faces.errors import FaceTooSmall
from lookalike.faces.evaluation import Accuracy, measure_accuracy
from lookalike.faces.patches import rotate_face
from lookalike.faces.photos.decoding import open_photo, rotate_photo
from lookalike.faces.pipeline import FaceEngine, load_engine
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Box, Detection, Floats, Photo, Pixels, Vectors
from tests.fakes import FakeDetector, FakeEncoder, make_detection

DEMO = Path(__file__).parents[2] / "celebrities" / "galleries" / "fictional"


def make_photo(seed: int = 1, scale: float = 1.0, side: int = 200) -> Photo:
    """Noise with a bright top, so that it has an upright."""
    pixels = np.random.default_rng(seed).integers(0, 200, (side, side + 40, 3), np.uint8)
    pixels[:40] += 55
    full = (round((side + 40) / scale), round(side / scale))
    return Photo(pixels, scale, *full, "JPEG")


def make_engine(*boxes: Box, **options: int) -> FaceEngine:
    return FaceEngine(FakeDetector(boxes or None), FakeEncoder(), **options)


class UprightDetector(FakeDetector):
    """Finds faces only where the bright side is up, as real detectors do."""

    def __init__(self, boxes: list[Box] | None = None) -> None:
        super().__init__(boxes)
        self.tried = 0

    def detect(self, pixels: Pixels) -> list[Detection]:
        self.tried += 1
        top, rest = pixels[:20].mean(), pixels[60:].mean()
        return super().detect(pixels) if top > rest + 30 else []


def test_it_works() -> None:
    engine = make_engine()
    photo = make_photo()
    found_in, detections = engine.find_faces(photo)
    [face] = engine.encode_faces(found_in, detections)
    assert found_in is photo
    assert face.box == (60, 50, 180, 150)
    assert face.confidence == detections[0].confidence
    assert face.landmarks is detections[0].landmarks
    assert face.chip.shape == (32, 32, 3)
    assert face.vector.shape == (16,)
    assert np.linalg.norm(face.vector) == pytest.approx(1)


def test_it_handles_no_face() -> None:
    photo = Photo(np.zeros((100, 100, 3), np.uint8), 1.0, 100, 100, "PNG")
    found_in, detections = make_engine().find_faces(photo)
    assert found_in is photo
    assert detections == []
    assert make_engine().encode_faces(photo, []) == []


def test_it_gives_the_largest_first_and_no_more_than_asked() -> None:
    boxes = [Box(3 * side, 0, 4 * side, side) for side in (20, 45, 30, 60)]
    _, detections = make_engine(*boxes).find_faces(make_photo(), max_faces=3)
    assert [detection.box.width for detection in detections] == [60, 45, 30]


def test_it_leaves_bystanders_out() -> None:
    engine = make_engine(Box(0, 0, 160, 160), Box(160, 0, 200, 40), Box(160, 50, 199, 90))
    photo = make_photo()
    assert [face.box.width for face in engine.find_faces(photo)[1]] == [160, 40]
    assert len(engine.find_faces(photo, min_share=0.5)[1]) == 1
    assert len(engine.find_faces(photo, min_share=0)[1]) == 3


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_it_turns_a_photo_that_lies_on_its_side(turns: int) -> None:
    upright = make_photo()
    detector = UprightDetector()
    engine = FaceEngine(detector, FakeEncoder())
    found_in, detections = engine.find_faces(rotate_photo(upright, turns))
    np.testing.assert_array_equal(found_in.pixels, upright.pixels)
    assert (found_in.full_width, found_in.full_height) == (240, 200)
    assert len(detections) == 1
    assert (detector.tried == 1) == (turns == 0)


def test_it_returns_the_photo_as_it_came_when_no_turn_helps() -> None:
    photo = replace(make_photo(), pixels=make_photo().pixels[60:].copy())
    detector = UprightDetector()
    found_in, detections = FaceEngine(detector, FakeEncoder()).find_faces(photo)
    assert found_in is photo
    assert detections == []
    assert detector.tried == 4


def test_it_rejects_faces_that_are_too_small() -> None:
    engine = make_engine(Box(0, 0, 27, 35), Box(0, 0, 20, 20))
    with pytest.raises(FaceTooSmall) as caught:
        engine.find_faces(make_photo())
    assert str(caught.value) == "27 pixels, at least 28 are needed"


def test_it_measures_faces_in_the_full_photo() -> None:
    engine = make_engine(Box(0, 0, 20, 24), min_face_side=80)
    assert len(engine.find_faces(make_photo(scale=0.25))[1]) == 1
    with pytest.raises(FaceTooSmall) as caught:
        engine.find_faces(make_photo(scale=0.5))
    assert str(caught.value) == "40 pixels, at least 80 are needed"


def test_a_speck_does_not_hide_the_face_of_a_photo_on_its_side() -> None:
    class Specks(UprightDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return super().detect(pixels) or FakeDetector([Box(0, 0, 12, 12)]).detect(pixels)

    found_in, [detection] = FaceEngine(Specks(), FakeEncoder()).find_faces(
        rotate_photo(make_photo(), 1)
    )
    assert found_in.pixels.shape == (200, 240, 3)
    assert detection.box.width > 40


class Group(UprightDetector):
    """A large face that is doubtful when upright and surer on its side, where it is alone, and
    a sure small one."""

    def detect(self, pixels: Pixels) -> list[Detection]:
        large = make_detection(Box(10, 60, 110, 190), 0.95)
        small = make_detection(Box(150, 60, 210, 140), 0.9999)
        if pixels.shape[1] == pixels.shape[0]:  # A patch.
            return []
        return [large, small] if pixels.shape[1] > pixels.shape[0] else [large]


def test_no_face_is_lost_when_the_photo_is_judged_from_all_sides() -> None:
    found_in, faces = FaceEngine(Group(), FakeEncoder()).find_faces(make_photo())
    assert found_in.pixels.shape == (200, 240, 3)
    assert [face.box.width for face in faces] == [100, 60]


def test_all_faces_of_a_group_on_its_side_are_found() -> None:
    class Sideways(Group):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return UprightDetector.detect(self, pixels) and super().detect(pixels)

    lying = rotate_photo(make_photo(), 1)
    found_in, faces = FaceEngine(Sideways(), FakeEncoder()).find_faces(lying)
    assert found_in.pixels.shape == (200, 240, 3)
    assert [face.box.width for face in faces] == [100, 60]


def test_the_largest_face_decides_not_the_surest() -> None:
    """The largest is on its side in the photo as received; the surest, a badge, is not."""

    class Badge(FakeDetector):
        patches = 0

        def detect(self, pixels: Pixels) -> list[Detection]:
            if pixels.shape[0] == pixels.shape[1]:
                # A patch: the first seven are rotated by the face's own landmarks.
                self.patches += 1
                face = make_detection(Box(35, 35, 93, 93), 0.999)
                return [face] if self.patches <= 7 else []
            badge = make_detection(Box(190, 10, 230, 60), 0.9999)
            return [rotate_face(make_detection(Box(60, 20, 180, 130)), 200, 240, 1), badge]

    found_in, _ = FaceEngine(Badge(), FakeEncoder()).find_faces(make_photo())
    assert found_in.pixels.shape == (240, 200, 3)


def test_it_encodes_faces_of_many_photos_in_one_batch() -> None:
    engine = make_engine(Box(0, 0, 90, 90), Box(90, 0, 170, 80))
    photos = [make_photo(seed) for seed in range(3)]
    found = [(photo, face) for photo in photos for face in engine.find_faces(photo)[1]]
    faces = engine.encode_many(found)
    assert isinstance(engine.encoder, FakeEncoder)
    assert engine.encoder.encoded == [6]
    for (photo, detection), face in zip(found, faces, strict=True):
        [alone] = engine.encode_faces(photo, [detection])
        np.testing.assert_array_equal(face.vector, alone.vector)
        np.testing.assert_array_equal(face.chip, engine.encoder.align(photo.pixels, detection))


def test_it_handles_no_photos() -> None:
    assert make_engine().encode_many([]) == []
    assert make_engine().encode_many([], zooms=(1.0, 1.1)) == []


def test_a_vector_is_the_mean_over_zooms() -> None:
    class Zooming(FakeEncoder):
        def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
            return np.full((32, 32, 3), 100 * zoom, np.uint8)

    encoder, zooms = Zooming(), (1.0, 0.5, 2.0)
    engine, photo = FaceEngine(FakeDetector(), encoder), make_photo()
    found = [(photo, make_detection(Box(0, 0, 90, 90)))] * 2
    views = encoder.encode([np.full((32, 32, 3), 100 * zoom, np.uint8) for zoom in zooms])
    for face in engine.encode_many(found, zooms=zooms):
        mean = views.mean(axis=0)
        np.testing.assert_allclose(face.vector, mean / np.linalg.norm(mean), atol=1e-6)
        assert (face.chip == 100).all()


@pytest.mark.parametrize(
    ("agreement", "confidence", "is_weak"),
    [(0.986, 0.983, False), (0.984, 0.983, True), (0.986, 0.981, True)],
)
def test_a_face_is_weak_by_its_mirror_image_or_its_confidence(
    agreement: float, confidence: float, is_weak: bool
) -> None:
    class Mirroring(FakeEncoder):
        def encode_with_agreement(self, chips: Sequence[Pixels]) -> tuple[Vectors, Floats]:
            return self.encode(chips), np.full(len(chips), agreement, np.float32)

    engine = FaceEngine(FakeDetector(), Mirroring())
    face = make_detection(Box(0, 0, 90, 90), confidence)
    assert engine.encode_faces(make_photo(), [face])[0].is_weak is is_weak


def test_the_fakes_keep_a_picture_near_itself() -> None:
    """What tests of the site lean on: one picture, even saved again, is one vector."""
    engine = make_engine()
    vectors = []
    for path in sorted(DEMO.glob("*_1.jpg"))[:6]:
        for quality in (95, 70):
            picture = Image.open(path).convert("RGB")
            picture.save(again := BytesIO(), "JPEG", quality=quality)
            pixels = np.asarray(Image.open(again))
            photo = Photo(pixels, 1.0, pixels.shape[1], pixels.shape[0], "JPEG")
            [face] = engine.encode_faces(photo, engine.find_faces(photo)[1])
            vectors.append(face.vector)
    distances = np.linalg.norm(np.array(vectors)[:, None] - np.array(vectors)[None], axis=2)
    np.fill_diagonal(distances, 9)
    assert distances.argmin(axis=1).tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]


def make_real_engine() -> FaceEngine:
    return load_engine("dlib", Path(), Runtime())


def read_photo(path: Path) -> Photo:
    return open_photo(path, max_bytes=10**7, max_pixels=10**8, min_side=40)


def measure_pairs(pairs: dict[str, list[Path]]) -> Accuracy:
    """The first photo of each person as gallery, the second as query."""
    engine = make_real_engine()
    people = sorted(pairs)
    vectors = []
    for place in (0, 1):
        photos = [read_photo(pairs[person][place]) for person in people]
        found = [engine.find_faces(photo) for photo in photos]
        faces = engine.encode_many([(photo, detections[0]) for photo, detections in found])
        vectors.append(np.array([face.vector for face in faces]))
    return measure_accuracy(vectors[0], people, vectors[1], people)


def test_the_real_parts_know_the_cast(cast: dict[str, list[Path]]) -> None:
    accuracy = measure_pairs({person: cast[person] for person in sorted(cast)[::4]})
    assert accuracy.rank1 == 1


def test_the_real_parts_know_which_way_is_up(cast: dict[str, list[Path]]) -> None:
    engine = make_real_engine()
    upright = [read_photo(cast[person][2]) for person in sorted(cast)[::4]]
    righted = 0
    for photo in upright:
        assert engine.find_faces(photo)[0] is photo
        for turns in (1, 2, 3):
            found_in, _ = engine.find_faces(rotate_photo(photo, turns))
            righted += np.array_equal(found_in.pixels, photo.pixels)
    assert righted >= 0.9 * 3 * len(upright)


@pytest.mark.portraits
def test_the_real_parts_know_real_people(portraits_dir: Path) -> None:
    people = [path.stem[:-2] for path in portraits_dir.glob("*_2.jpg")]
    accuracy = measure_pairs(
        {person: [portraits_dir / f"{person}_{place}.jpg" for place in (1, 2)] for person in people}
    )
    assert len(people) == 84
    assert (accuracy.rank1 or 0) >= 0.98
    assert accuracy.rank6 == 1
    assert (accuracy.verification or 0) > 0.995
