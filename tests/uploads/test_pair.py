"""Two people in a photo are also compared with each other."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from celebrities.models import Celebrity
from lookalike.faces.encoders import dlib
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, EncoderId, Face, Photo
from tests.fakes import make_detection
from tests.uploads.factories import make_face, make_result
from uploads.matching import compare_pair
from uploads.models import Upload

DLIB = EncoderId("dlib", dlib.DlibEncoder.version)


def make_faces(*degrees: float, is_weak: bool = False) -> list[Face]:
    """Faces whose vectors point at these angles."""
    found = make_detection(Box(0, 0, 100, 120))
    return [
        Face(
            found.box,
            found.landmarks,
            found.confidence,
            np.zeros((8, 8, 3), np.uint8),
            np.array([np.cos(angle), np.sin(angle)], np.float32),
            is_weak,
        )
        for angle in np.radians(degrees)
    ]


def test_it_works() -> None:
    """On the encoder's scale for two photos."""
    scale = dlib.SPEC.scale
    halfway = float(np.degrees(np.arccos((scale.stranger + scale.same) / 2)))
    assert compare_pair(make_faces(0, halfway), DLIB) == pytest.approx(50, abs=0.1)
    assert compare_pair(make_faces(0, 0), DLIB) == 100
    assert compare_pair(make_faces(0, 90), DLIB) == 0


@pytest.mark.parametrize("degrees", [(), (0,), (0, 10, 20)])
def test_only_two_are_a_pair(degrees: tuple[float, ...]) -> None:
    assert compare_pair(make_faces(*degrees), DLIB) is None


def test_nothing_is_said_of_faces_that_say_little() -> None:
    assert compare_pair(make_faces(0, 10, is_weak=True), DLIB) is None


def test_nothing_is_said_without_a_scale() -> None:
    assert compare_pair(make_faces(0, 10), EncoderId("fake", "1")) is None


def test_one_person_twice_is_more_alike_than_two(
    loaded_engine: FaceEngine, cast: dict[str, list[Path]]
) -> None:
    names = sorted(cast)
    first, second, other = *cast[names[0]][:2], cast[names[4]][0]

    def compare(left: Path, right: Path) -> float:
        pixels = np.hstack([np.asarray(Image.open(path).convert("RGB")) for path in (left, right)])
        height, width = pixels.shape[:2]
        found = loaded_engine.find_faces(Photo(pixels, 1.0, width, height, "JPEG"))
        number = compare_pair(loaded_engine.encode_faces(*found), DLIB)
        assert number is not None
        return number

    assert compare(first, second) > compare(first, other) + 30


@pytest.mark.django_db
def test_the_page_says_it(client: Client, owner: uuid.UUID, gallery: list[Celebrity]) -> None:
    upload = make_result(gallery, owner=owner, pair=63.4)
    make_face(upload, 1, gallery)
    text = " ".join(client.get(f"/u/{upload.pk}/").content.decode().split())
    assert "The two faces in this photo: <strong>63</strong> of 100 alike." in text
    assert "not kinship" in text

    Upload.objects.filter(pk=upload.pk).update(pair=None)
    assert "The two faces in this photo" not in client.get(f"/u/{upload.pk}/").content.decode()
