"""Right as well as fast: who is found, beside dlib's pipeline and facenet-pytorch's detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.engine import make_engine, open_file
from benchmarks.pairs import find_pairs, find_photos, measure_pairs
from benchmarks.photos import PORTRAITS

SAME_FACE = 0.6
"""Intersection over union from which two boxes are of the same face."""

FOUND_FROM = 40
"""Pixels across from which no face that the reference finds may be lost."""


def bench_quality() -> dict[str, Any]:
    paths = find_photos()
    return {
        "photos": len(paths),
        "real": PORTRAITS.is_dir(),
        "people": _compare_accuracy(paths),
        "faces": _compare_detectors(paths),
    }


def _compare_accuracy(paths: list[Path]) -> dict[str, Any]:
    gallery, queries = find_pairs(paths)
    return {
        name: measure_pairs(encode, gallery, queries)
        for name, encode in (("lookalike", _encode_ours()), ("dlib", _encode_dlib()))
    }


def _encode_ours() -> Any:
    engine = make_engine()

    def encode(path: Path) -> Any:
        turned, found = engine.find_faces(open_file(path))
        return engine.encode_faces(turned, found[:1])[0].vector if found else None

    return encode


def _encode_dlib() -> Any:
    """dlib's HOG detector, five-point landmarks and descriptor, as face_recognition uses them."""
    import dlib

    from lookalike.faces.encoders.dlib import find_weights

    weights = find_weights()
    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(weights.parent / "shape_predictor_5_face_landmarks.dat"))
    encoder = dlib.face_recognition_model_v1(str(weights))

    def encode(path: Path) -> Any:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        found = detector(pixels, 1)
        if not found:
            return None
        box = max(found, key=lambda one: one.area())
        vector = np.array(encoder.compute_face_descriptor(pixels, landmarks(pixels, box)))
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    return encode


def _compare_detectors(paths: list[Path]) -> dict[str, Any]:
    """The largest face of each photo, by facenet-pytorch's MTCNN and by ours."""
    from facenet_pytorch import MTCNN

    reference, ours = MTCNN(keep_all=True), make_engine().detector
    agreed = lost = compared = 0
    for path in paths:
        image = Image.open(path).convert("RGB")
        boxes, _ = reference.detect(image)
        if boxes is None:
            continue
        compared += 1
        found = [np.array(face.box) for face in ours.detect(np.asarray(image))]
        largest = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        agreed += bool(found) and _overlap(found[0], largest) > SAME_FACE
        if largest[2] - largest[0] >= FOUND_FROM:
            lost += not any(_overlap(box, largest) > SAME_FACE for box in found)
    return {"compared": compared, "agreed": round(agreed / compared, 4), "lost": lost}


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    start, end = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(end - start, 0)))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (one, other)]
    return shared / (sum(areas) - shared)
