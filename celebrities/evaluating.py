"""Read an operator's labelled photos for measuring accuracy. Uses no database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from django.utils.text import slugify

from celebrities.importers.layout import plan_import
from celebrities.importers.manifest import Entry
from celebrities.importers.sources import Source
from celebrities.photos import open_to_keep
from celebrities.portraits import detect_portrait
from lookalike.chunks import batched
from lookalike.faces.errors import PhotoError
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Photo, Vectors

BATCH = 16
"""Photos encoded together."""


@dataclass(slots=True)
class Labelled:
    """Row i of ``vectors``, (n, d), shows ``people[i]``. ``missed`` has the person of each photo
    without a usable face, ``labels`` what a manifest says, by question and person."""

    vectors: Vectors
    people: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=lambda: {"gender": {}, "born": {}})

    @property
    def photos(self) -> int:
        return len(self.people) + len(self.missed)

    def note_labels(self, person: str, entry: Entry) -> None:
        if entry.gender:
            self.labels["gender"][person] = entry.gender
        if entry.birth_year is not None:
            self.labels["born"][person] = f"{entry.birth_year // 10 * 10}s"


def find_portrait(engine: FaceEngine, data: bytes) -> tuple[Photo, Detection] | None:
    """As in a gallery's portrait: exactly one face."""
    found = detect_portrait(engine, data)
    if found.photo is None or found.face is None or found.error:
        return None
    return found.photo, found.face


def find_largest(engine: FaceEngine, data: bytes) -> tuple[Photo, Detection] | None:
    """As in a visitor's photo: the largest face."""
    try:
        upright, faces = engine.find_faces(open_to_keep(data))
    except PhotoError:
        return None
    return (upright, faces[0]) if faces else None


def read_photos(
    engine: FaceEngine,
    source: Source,
    find: Callable[[FaceEngine, bytes], tuple[Photo, Detection] | None],
    progress: Callable[[int], None],
) -> Labelled:
    """Read all photos. ``progress`` gets the number of photos read since its last call."""
    vectors = [np.empty((0, engine.encoder.dimensions), np.float32)]
    read = Labelled(vectors[0])
    for batch in batched(plan_import(source).portraits, BATCH):
        faces = []
        for photo in batch:
            person = person_of(photo.entry.file)
            read.note_labels(person, photo.entry)
            data = b""
            with suppress(OSError):  # An unreadable file counts as a photo without a face.
                data = source.read(photo.file)
            face = find(engine, data)
            if face is None:
                read.missed.append(person)
            else:
                read.people.append(person)
                faces.append(face)
        vectors += [face.vector[None] for face in engine.encode_many(faces)]
        progress(len(batch))
    read.vectors = np.concatenate(vectors)
    return read


def person_of(file: str) -> str:
    """The person of a photo: the folder's name, or the file name up to its last "_", in one
    spelling: the folder "Jane Doe" and the file "jane-doe_1.jpg" agree."""
    path = PurePosixPath(file)
    word = path.parent.name or path.stem.rpartition("_")[0] or path.stem
    return slugify(word.replace("_", "-"), allow_unicode=True) or word
