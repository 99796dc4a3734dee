from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from PIL import Image

from lookalike.faces.detection.boxes import find_overlaps
from lookalike.faces.detection.mtcnn import MtcnnDetector
from lookalike.faces.detection.networks import load_network
from lookalike.faces.errors import DeviceMissing
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Box, Detection, Pixels

DEMO = Path(__file__).parents[2] / "celebrities" / "galleries" / "fictional"
CAST = sorted(DEMO.glob("*_[123].jpg"))


@pytest.fixture(scope="module")
def detector() -> MtcnnDetector:
    return MtcnnDetector(Runtime())


@pytest.fixture(scope="module")
def reference() -> Any:
    return MTCNN(keep_all=True)


def read(path: Path, height: int | None = None) -> Pixels:
    with Image.open(path) as image:
        photo = image.convert("RGB")
    if height:
        photo = photo.resize((round(photo.width * height / photo.height), height))
    return np.asarray(photo)


def side_by_side(*photos: Pixels) -> Pixels:
    tallest = max(len(photo) for photo in photos)
    canvas = np.full((tallest, sum(photo.shape[1] for photo in photos), 3), 200, np.uint8)
    left = 0
    for photo in photos:
        canvas[: len(photo), left : left + photo.shape[1]] = photo
        left += photo.shape[1]
    return canvas


def overlap(box: Box, other: Any) -> float:
    boxes = np.asarray([box, other], np.float32)
    return float(find_overlaps(boxes[:1], boxes[1:])[0, 0])


def find_reference_faces(reference: Any, pixels: Pixels) -> tuple[Any, Any]:
    """Boxes and landmarks of facenet-pytorch's own detector, the largest box first."""
    boxes, _, landmarks = reference.detect(Image.fromarray(pixels), landmarks=True)
    if boxes is None:
        return np.empty((0, 4)), np.empty((0, 5, 2))
    boxes, landmarks = boxes.astype(np.float32), landmarks.astype(np.float32)
    order = np.argsort(-(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    return boxes[order], landmarks[order]


def landmark_error(face: Detection, landmarks: Any) -> float:
    """The mean distance, as a share of the box's mean side."""
    distances = np.linalg.norm(face.landmarks - landmarks, axis=1)
    return float(distances.mean() / (face.box.width * face.box.height) ** 0.5)


def test_it_works(detector: MtcnnDetector) -> None:
    pixels = read(CAST[0])

    (face,) = detector.detect(pixels)

    height, width = pixels.shape[:2]
    assert 0 < face.box.left < face.box.right < width
    assert 0 < face.box.top < face.box.bottom < height
    assert 0.8 <= face.confidence <= 1
    assert face.landmarks.shape == (5, 2)
    assert face.landmarks.dtype == np.float32
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_finds_exactly_one_face_in_each_photo_of_the_cast(detector: MtcnnDetector) -> None:
    assert len(CAST) == 144
    assert {path.name: len(detector.detect(read(path))) for path in CAST} == {
        path.name: 1 for path in CAST
    }


@pytest.mark.parametrize("path", CAST[::12], ids=lambda path: path.stem)
def test_agrees_with_facenet_pytorch(detector: MtcnnDetector, reference: Any, path: Path) -> None:
    pixels = read(path)
    boxes, landmarks = find_reference_faces(reference, pixels)

    face = detector.detect(pixels)[0]

    assert overlap(face.box, boxes[0]) > 0.8
    # The two differ most on half-turned heads, where the reference is the less stable one.
    assert landmark_error(face, landmarks[0]) < 0.08


@pytest.mark.portraits
@pytest.mark.timeout(1200)
def test_agrees_with_facenet_pytorch_on_portraits(
    detector: MtcnnDetector, reference: Any, portraits_dir: Path
) -> None:
    paths = sorted(portraits_dir.glob("*.jpg"))
    agreed, errors, lost = 0, [], []
    for path in paths:
        pixels = read(path)
        boxes, landmarks = find_reference_faces(reference, pixels)
        faces = detector.detect(pixels)
        if not faces:
            lost.append(path.name)
        elif overlap(faces[0].box, boxes[0]) > 0.6:
            agreed += 1
            errors.append(landmark_error(faces[0], landmarks[0]))

    assert len(paths) > 300
    assert not lost
    assert agreed >= 0.995 * len(paths)
    assert np.mean(errors) < 0.02


@pytest.mark.parametrize(
    ("name", "module", "shape"),
    [
        ("pnet", PNet, (1, 41, 60, 3)),
        ("rnet", RNet, (5, 24, 24, 3)),
        ("onet", ONet, (3, 48, 48, 3)),
    ],
)
def test_the_rearranged_networks_give_the_same_numbers(
    name: str, module: Any, shape: tuple[int, ...]
) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    normal = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.5) / 128
    with torch.no_grad():
        corrections, *landmarks, chances = module()(normal)

    (found,) = load_network(name, Runtime())(pixels)

    wanted = torch.cat([torch.logit(chances[:, 1:].double()), corrections, *landmarks], dim=1)
    assert np.allclose(found, wanted.numpy(), atol=2e-4)


def test_finds_everybody_in_a_group_largest_first(detector: MtcnnDetector) -> None:
    heights = (500, 350, 450, 300, 400)
    photos = [read(path, height) for path, height in zip(CAST[::3], heights, strict=False)]

    faces = detector.detect(side_by_side(*photos))

    sizes = [face.box.width * face.box.height for face in faces]
    assert sizes == sorted(sizes, reverse=True)
    starts = np.cumsum([0, *(photo.shape[1] for photo in photos)])
    places = [int(np.searchsorted(starts, (face.box.left + face.box.right) / 2)) for face in faces]
    assert sorted(places) == [1, 2, 3, 4, 5]


def test_does_not_look_for_passers_by(detector: MtcnnDetector) -> None:
    visitor, passer_by = read(CAST[0], 1000), read(CAST[3], 110)

    together = detector.detect(side_by_side(visitor, passer_by))
    alone = detector.detect(side_by_side(np.full_like(visitor, 200), passer_by))

    assert len(together) == 1
    assert together[0].box.right < visitor.shape[1]
    assert len(alone) == 1
    assert alone[0].box.left > visitor.shape[1]


@pytest.mark.parametrize("path", CAST[::24], ids=lambda path: path.stem)
def test_boxes_are_in_pixels_of_the_picture(detector: MtcnnDetector, path: Path) -> None:
    pixels = read(path)
    (face,) = detector.detect(pixels)
    (doubled,) = detector.detect(np.asarray(Image.fromarray(pixels).resize((960, 1200))))
    (moved,) = detector.detect(np.pad(pixels, ((60, 0), (100, 0), (0, 0)), "edge"))

    assert overlap(face.box.scaled(2), doubled.box) > 0.85
    assert landmark_error(doubled, face.landmarks * 2) < 0.03
    assert landmark_error(moved, face.landmarks + np.array([100, 60])) < 0.03


@pytest.mark.parametrize("path", CAST[::24], ids=lambda path: path.stem)
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_finds_a_face_that_fills_the_frame(
    detector: MtcnnDetector, path: Path, share: float
) -> None:
    pixels = read(path)
    box = detector.detect(pixels)[0].box
    left, top = round(box.left + share * box.width), round(box.top + share * box.height)
    right, bottom = round(box.right - share * box.width), round(box.bottom - share * box.height)

    (face,) = detector.detect(pixels[top:bottom, left:right])

    moved = [face.box.left + left, face.box.top + top, face.box.right + left]
    assert overlap(box, [*moved, face.box.bottom + top]) > 0.6


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_finds_a_face_cut_by_the_edge(detector: MtcnnDetector, side: str) -> None:
    pixels = read(CAST[6])
    box = detector.detect(pixels)[0].box
    left, top = round(box.left + 0.2 * box.width), round(box.top + 0.2 * box.height)
    right, bottom = round(box.right - 0.2 * box.width), round(box.bottom - 0.2 * box.height)
    cuts = {
        "left": pixels[:, left:],
        "right": pixels[:, :right],
        "top": pixels[top:],
        "bottom": pixels[:bottom],
    }

    assert len(detector.detect(cuts[side])) == 1


@pytest.mark.parametrize("height", [600, 200, 100, 70])
def test_finds_small_faces(detector: MtcnnDetector, height: int) -> None:
    found = [len(detector.detect(read(path, height))) for path in CAST[::12]]

    assert found == [1] * 12


def test_handles_grey_dark_and_read_only_pictures(detector: MtcnnDetector) -> None:
    pixels = read(CAST[9])
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    frozen = pixels.copy()
    frozen.flags.writeable = False

    for picture in (grey, (pixels * 0.3).astype(np.uint8), frozen, pixels[:, ::-1]):
        assert len(detector.detect(picture)) == 1


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 900), (900, 1), (5, 11), (11, 11), (12, 12), (13, 600), (19, 19), (64, 64)],
)
def test_handles_pictures_of_any_shape(detector: MtcnnDetector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(8).integers(0, 256, (*shape, 3), np.uint8)

    assert detector.detect(noise) == []


def test_finds_a_face_in_a_panorama(detector: MtcnnDetector) -> None:
    photo = read(CAST[12], 300)
    beach = np.full((300, 1500, 3), 190, np.uint8)

    assert len(detector.detect(side_by_side(beach, photo, beach))) == 1
    assert len(detector.detect(np.ascontiguousarray(photo[:, 40:200]))) == 1


def test_finds_nobody_where_nobody_is(detector: MtcnnDetector) -> None:
    rng = np.random.default_rng(11)
    ramp = np.linspace(0, 255, 400, dtype=np.uint8)
    pictures = [np.full((400, 400, 3), shade, np.uint8) for shade in (0, 127, 255)]
    pictures.append(np.stack([np.tile(ramp, (400, 1))] * 3, axis=2))
    for grain in (4, 9, 20, 50, 400):
        small = Image.fromarray(rng.integers(0, 256, (grain, grain, 3), np.uint8))
        pictures.append(np.asarray(small.resize((400, 400), Image.Resampling.BICUBIC)))

    assert [len(detector.detect(picture)) for picture in pictures] == [0] * len(pictures)


def test_a_higher_floor_of_confidence_lets_less_through() -> None:
    strict = MtcnnDetector(Runtime(), min_confidence=0.999999)

    found = sum(len(strict.detect(read(path))) for path in CAST[::12])

    assert found < 12


def test_min_face_is_a_floor_of_size() -> None:
    only_large = MtcnnDetector(Runtime(), min_face=150)

    assert len(only_large.detect(read(CAST[0], 600))) == 1
    assert only_large.detect(read(CAST[0], 200)) == []


def test_a_worker_with_exports_at_hand_imports_no_torch(detector: MtcnnDetector) -> None:
    script = (
        "import sys, pathlib, numpy\n"
        "from lookalike.faces.detection.mtcnn import MtcnnDetector\n"
        "from lookalike.faces.runtime import Runtime\n"
        "found = MtcnnDetector(Runtime())\n"
        "found.detect(numpy.zeros((80, 80, 3), numpy.uint8))\n"
        "assert 'onnxruntime' in sys.modules\n"
        "assert 'torch' not in sys.modules and 'facenet_pytorch' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]

    result = subprocess.run([sys.executable, "-c", script], cwd=root, check=False)

    assert result.returncode == 0


def test_requires_a_device_that_is_there() -> None:
    with pytest.raises(DeviceMissing):
        MtcnnDetector(Runtime(device="cuda:99"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_gpu_finds_the_same(detector: MtcnnDetector) -> None:
    on_gpu = MtcnnDetector(Runtime(device="cuda"))

    for path in CAST[::12]:
        (face,), (same,) = detector.detect(read(path)), on_gpu.detect(read(path))
        assert overlap(face.box, same.box) > 0.98
        assert landmark_error(same, face.landmarks) < 0.005
