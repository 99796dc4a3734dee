"""The portraits that choices are made on, and the engine that looks at them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.engine import make_engine, open_file
from benchmarks.paths import CAST, PORTRAITS, ROOT
from benchmarks.timing import amount
from lookalike.faces.alignment import Points
from lookalike.faces.errors import FaceTooSmall
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Detector, Photo, Pixels, Vector

FOLDERS = (PORTRAITS, ROOT.parent / "shared" / "congress")
"""Folders with a manifest.csv: file, person or name, sex or gender, born or birth_year."""

SAME_PICTURE = 0.992
"""From this cosine two portraits are one picture saved twice, whatever they are called: such pairs
have 0.998 and more, two photos of one person at most 0.985."""

ONE_IN = amount(1, quick=5)
"""Share of the people who are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A portrait, and landmarks (5, 2), box width in pixels and vector of its largest face.

    ``sex`` and ``born`` (a decade) are empty if unknown.
    """

    file: str
    person: str
    sex: str
    born: str
    pixels: Pixels
    landmarks: Points
    width: float
    vector: Vector

    @property
    def unit(self) -> float:
        """Pixels from the eyes' middle to the mouth's, which a head turned to the side changes
        least."""
        down = self.landmarks[3:].mean(axis=0) - self.landmarks[:2].mean(axis=0)
        return float(np.hypot(*down))


class Remembering:
    """A detector that looks at no picture twice, so that a constant's values are compared for
    little more than the price of one."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._found: dict[bytes, list[Detection]] = {}

    def detect(self, pixels: Pixels) -> list[Detection]:
        content = np.ascontiguousarray(pixels)
        key = hashlib.blake2b(content.data, person=str(content.shape[:2]).encode()).digest()
        if key not in self._found:
            self._found[key] = self._detector.detect(content)
        return self._found[key]


@lru_cache(maxsize=1)
def load_engine() -> FaceEngine:
    """The site's engine with the embedded encoder."""
    engine = make_engine(threads=2)
    return replace(engine, detector=Remembering(engine.detector))


def as_photo(pixels: Pixels) -> Photo:
    return Photo(pixels, 1.0, pixels.shape[1], pixels.shape[0], "PNG")


def find(engine: FaceEngine, photo: Photo) -> tuple[Photo, list[Detection]]:
    """As `FaceEngine.find_faces`, but without faces where all are too small."""
    try:
        return engine.find_faces(photo)
    except FaceTooSmall:
        return photo, []


@lru_cache(maxsize=1)
def load_portraits() -> list[Portrait]:
    """Every shared portrait with a face, each picture once, in the order of the manifests."""
    rows, found = list(_read_manifests()), list[Portrait]()
    people = set(sorted({person for _, person, _, _ in rows})[::ONE_IN])
    for row in rows:
        portrait = _read(*row) if row[1] in people else None
        if portrait and not any(portrait.vector @ other.vector > SAME_PICTURE for other in found):
            found.append(portrait)
    return found


@lru_cache(maxsize=1)
def load_cast() -> list[Portrait]:
    """The three pictures of each of 48 people who do not exist, in order."""
    paths = sorted(CAST.glob("*_?.jpg"))
    found = [_read(path, path.stem[:-2]) for path in paths]
    return [portrait for portrait in found if portrait]


def _read(path: Path, person: str, sex: str = "", born: str = "") -> Portrait | None:
    """None without a face."""
    engine = load_engine()
    photo, faces = find(engine, open_file(path))
    for face in engine.encode_faces(photo, faces[:1]):
        known = path.name, person, sex, born, photo.pixels
        return Portrait(*known, face.landmarks, face.box.width, face.vector)
    return None


def _read_manifests() -> Iterator[tuple[Path, str, str, str]]:
    for folder in FOLDERS:
        with (folder / "manifest.csv").open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                person = row.get("person") or row["name"]
                sex = (row.get("sex") or row.get("gender") or "")[:1].upper()
                year = row.get("born") or row.get("birth_year")
                born = f"{int(year) // 10 * 10}s" if year else ""
                yield folder / row["file"], person, sex, born


def list_firsts() -> list[Portrait]:
    """The first portrait of everybody."""
    firsts = {portrait.person: portrait for portrait in reversed(load_portraits())}
    return list(reversed(firsts.values()))


def list_seconds() -> list[Portrait]:
    """The second portrait of each person who has two."""
    seen, firsts = set[str](), set(list_firsts())
    seconds = []
    for portrait in load_portraits():
        if portrait not in firsts and portrait.person not in seen:
            seen.add(portrait.person)
            seconds.append(portrait)
    return seconds


def choose_people(step: int) -> list[Portrait]:
    """The portraits of one person in ``step``."""
    chosen = set(sorted({portrait.person for portrait in load_portraits()})[::step])
    return [portrait for portrait in load_portraits() if portrait.person in chosen]
