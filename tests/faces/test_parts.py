"""Which parts make two faces alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.faces.display import cut_display_chip
from lookalike.faces.encoders import dlib
from lookalike.faces.parts import (
    cover_parts,
    explain,
    label_cover,
    measure_losses,
    place_covers,
)
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Floats, Part, Photo, Pixels, UsualParts, Vectors

NOTHING_USUAL = UsualParts((0.0,) * 25, 0.001)


class BrightnessEncoder:
    """The mean brightness of each third of the picture, as a unit vector."""

    name, version, dimensions, chip_size = "thirds", "1", 3, 96

    def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
        return pixels

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        thirds = np.stack(
            [np.float32(chip).mean(axis=(1, 2)).reshape(3, -1).mean(axis=1) for chip in chips]
        )
        return np.asarray(thirds / np.linalg.norm(thirds, axis=1, keepdims=True), np.float32)

    def encode_with_agreement(self, chips: Sequence[Pixels]) -> tuple[Vectors, Floats]:
        return self.encode(chips), np.ones(len(chips), np.float32)


def make_chip(mouth: int) -> Pixels:
    """Dark, with a stripe of this brightness in the middle of the mouth's rows."""
    chip = np.full((96, 96, 3), 40, np.uint8)
    chip[68:76, 40:56] = mouth
    return chip


def cut(engine: FaceEngine, path: Path) -> Pixels:
    pixels = np.asarray(Image.open(path).convert("RGB"))
    height, width = pixels.shape[:2]
    upright, [face, *_] = engine.find_faces(Photo(pixels, 1.0, width, height, "JPEG"))
    return cut_display_chip(upright.pixels, face.landmarks)


def test_it_works() -> None:
    """Only the mouths are alike, so covering one takes most off."""
    usual = UsualParts((0.0,) * 25, 0.0001)
    found = explain(BrightnessEncoder(), usual, make_chip(250), make_chip(250))
    assert found is not None
    assert found.most == [Part.MOUTH]
    assert found.least is not Part.MOUTH
    strongest = max(found.spots, key=lambda spot: spot.strength)
    assert (strongest.x, strongest.strength) == (0.5, 1.0)
    assert 0.68 < strongest.y < 0.76


def test_it_says_nothing_of_faces_without_a_reason() -> None:
    plain = make_chip(40)
    assert explain(BrightnessEncoder(), NOTHING_USUAL, plain, plain) is None


def test_what_all_pairs_share_is_no_reason() -> None:
    chip = make_chip(250)
    losses = measure_losses(BrightnessEncoder(), chip, chip)
    usual = UsualParts(tuple(losses.tolist()), 1e-6)
    assert explain(BrightnessEncoder(), usual, chip, chip) is None


def test_spots_are_places_above_the_usual() -> None:
    usual = UsualParts((1.0,) * 24 + (-1.0,), 0.0001)
    found = explain(BrightnessEncoder(), usual, make_chip(250), make_chip(250))
    assert found is not None
    [spot] = found.spots
    assert (round(spot.x, 2), round(spot.y, 2), spot.strength) == (0.72, 0.81, 1.0)
    assert found.most == [Part.CHIN]


def test_covers_name_the_parts_of_a_face() -> None:
    rows = np.array([label_cover(x, y) for x, y in place_covers()]).reshape(5, 5)
    assert rows[0].tolist() == [Part.BROWS] * 5
    assert rows[1].tolist() == [Part.EYES, Part.EYES, Part.NOSE, Part.EYES, Part.EYES]
    assert rows[2].tolist() == [Part.CHEEKS, Part.CHEEKS, Part.NOSE, Part.CHEEKS, Part.CHEEKS]
    assert rows[3].tolist() == [Part.MOUTH] * 5
    assert rows[4].tolist() == [Part.CHIN] * 5


def test_a_cover_changes_its_own_place_only() -> None:
    chip = np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    first = cover_parts(chip)[0]
    changed = np.abs(first.astype(int) - chip).max(axis=2)
    assert changed[35, 27] > 20
    assert changed[70:].max() == 0


def test_two_photos_of_a_person_tell_the_same(
    loaded_engine: FaceEngine, cast: dict[str, list[Path]]
) -> None:
    """With the real network: the losses agree between a person's two photos."""
    people = sorted(cast)[:4]
    usual = np.array(dlib.SPEC.parts.losses) if dlib.SPEC.parts else np.zeros(25)
    agreement = []
    for person, other in pairwise(people):
        theirs = cut(loaded_engine, cast[other][0])
        maps = [
            measure_losses(loaded_engine.encoder, cut(loaded_engine, path), theirs) - usual
            for path in cast[person][:2]
        ]
        agreement.append(np.corrcoef(maps)[0, 1])
    assert np.median(agreement) > 0.5
