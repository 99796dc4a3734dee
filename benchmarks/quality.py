"""Part "quality": who is found, beside dlib's pipeline and facenet-pytorch's detector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import dlib
import numpy as np
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from PIL import Image

from benchmarks.engine import encode_largest, make_engine
from benchmarks.figures import Figures
from benchmarks.paths import PORTRAITS
from benchmarks.portraits import find_photos
from lookalike.faces.encoders.dlib import find_weights
from lookalike.faces.evaluation import measure_accuracy
from lookalike.faces.types import Vector

SAME_FACE = 0.6
"""IoU above which two boxes show the same face."""

MIN_WIDTH = 40
"""Pixels. No face this wide that the reference detector finds may be lost."""

Encode = Callable[[Path], Vector | None]
"""Returns the unit vector of a photo's largest face; None without a face."""


def bench_quality() -> Figures:
    paths = find_photos()
    gallery, queries = find_pairs(paths)
    encoders: dict[str, Encode] = {
        "lookalike": partial(encode_largest, make_engine()),
        "dlib": _make_dlib(),
    }
    return {
        "photos": len(paths),
        "real": PORTRAITS.is_dir(),
        "rows": [
            {"who": name, **measure_pairs(encode, gallery, queries)}
            for name, encode in encoders.items()
        ],
        "detector": _compare_detectors(paths),
    }


def find_pairs(paths: Iterable[Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """The first and the second photo of each person who has two, for gallery and query."""
    by_person = defaultdict(list)
    for path in paths:
        by_person[path.stem.rpartition("_")[0]].append(path)
    pairs = {name: found for name, found in by_person.items() if len(found) > 1}
    return (
        {name: found[0] for name, found in pairs.items()},
        {name: found[1] for name, found in pairs.items()},
    )


def measure_pairs(
    encode: Encode, gallery: Mapping[str, Path], queries: Mapping[str, Path]
) -> Figures:
    """Ranks and verification; a query without a face counts as not found."""
    known, asked = _encode_all(encode, gallery), _encode_all(encode, queries)
    accuracy = measure_accuracy(
        np.stack([*known.values()]),
        [*known],
        np.stack([*asked.values()]),
        [*asked],
        encoder="dlib",
        missed_people=[*(queries.keys() - asked.keys())],
    )
    return {
        "people": len(gallery),
        "without_face": len(gallery) - len(known) + len(queries) - len(asked),
        "rank1": accuracy.rank1,
        "rank6": accuracy.rank6,
        "verification": accuracy.verification,
    }


def _encode_all(encode: Encode, photos: Mapping[str, Path]) -> dict[str, Vector]:
    vectors = {name: encode(path) for name, path in photos.items()}
    return {name: vector for name, vector in vectors.items() if vector is not None}


def _make_dlib() -> Encode:
    """dlib's HOG detector, five landmarks and descriptor, as face_recognition uses them."""
    weights = find_weights()
    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(weights.parent / "shape_predictor_5_face_landmarks.dat"))
    encoder = dlib.face_recognition_model_v1(str(weights))

    def encode(path: Path) -> Vector | None:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        found = detector(pixels, 1)
        if not found:
            return None
        box = max(found, key=lambda face: face.area())
        vector = np.array(encoder.compute_face_descriptor(pixels, landmarks(pixels, box)))
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    return encode


def _compare_detectors(paths: list[Path]) -> Figures:
    """The largest face of each photo by facenet-pytorch's MTCNN: do we find it too?"""
    reference, ours = MTCNN(keep_all=True), make_engine().detector
    compared = agreed = lost = 0
    for path in paths:
        image = Image.open(path).convert("RGB")
        boxes, _ = reference.detect(image)
        if boxes is None:
            continue
        largest = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        same = [
            measure_iou(np.array(face.box), largest) > SAME_FACE
            for face in ours.detect(np.asarray(image))
        ]
        compared += 1
        agreed += same[:1] == [True]
        lost += not any(same) and largest[2] - largest[0] >= MIN_WIDTH
    return {"compared": compared, "agreed": round(agreed / compared, 4), "lost": int(lost)}


def measure_iou(box: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Intersection over union of two (left, top, right, bottom) boxes."""
    start, end = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    shared = float(np.prod(np.maximum(end - start, 0)))
    areas = sum(float(np.prod(each[2:] - each[:2])) for each in (box, other))
    return shared / (areas - shared)
