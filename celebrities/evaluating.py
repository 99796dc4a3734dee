"""Read an operator's labelled photos for measuring accuracy. Uses no database."""

from __future__ import annotations

from collections.abc import Callable
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

Look = tuple[Photo, Detection]
Progress = Callable[[int], None]
"""Called with the number of photos read since the last call."""

BATCH = 16
"""Photos encoded together."""


@dataclass(slots=True)
class Labelled:
    """Row i of ``vectors``, (n, d), shows ``people[i]``. ``missed`` has the person of each photo
    without a usable face, ``labels`` what a manifest says, by question and person."""

    vectors: Vectors
    people: list[str]
    missed: list[str]
    labels: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def photos(self) -> int:
        return len(self.people) + len(self.missed)


def read_gallery(engine: FaceEngine, source: Source, progress: Progress) -> Labelled:
    """Read photos as the gallery does: exactly one face each."""
    return _read(engine, source, _look_at_portrait, progress)


def read_queries(engine: FaceEngine, source: Source, progress: Progress) -> Labelled:
    """Read photos as visitors' photos are read: the largest face of each."""
    return _read(engine, source, _look_at_visitor, progress)


def _look_at_portrait(engine: FaceEngine, data: bytes) -> Look | None:
    found = detect_portrait(engine, data)
    if found.photo is None or found.face is None or found.error:
        return None
    return found.photo, found.face


def _look_at_visitor(engine: FaceEngine, data: bytes) -> Look | None:
    try:
        upright, faces = engine.find_faces(open_to_keep(data))
    except PhotoError:
        return None
    return (upright, faces[0]) if faces else None


def _read(
    engine: FaceEngine,
    source: Source,
    look: Callable[[FaceEngine, bytes], Look | None],
    progress: Progress,
) -> Labelled:
    people: list[str] = []
    missed: list[str] = []
    labels: dict[str, dict[str, str]] = {"gender": {}, "born": {}}
    vectors = [np.empty((0, engine.encoder.dimensions), np.float32)]
    for batch in batched(plan_import(source).portraits, BATCH):
        seen: list[Look] = []
        for found in batch:
            person = person_of(found.entry.file)
            _note_labels(labels, person, found.entry)
            sight = look(engine, _read_file(source, found.file))
            if sight is None:
                missed.append(person)
            else:
                people.append(person)
                seen.append(sight)
        vectors += [face.vector[None] for face in engine.encode_many(seen)]
        progress(len(batch))
    return Labelled(np.concatenate(vectors), people, missed, labels)


def person_of(file: str) -> str:
    """The person of a photo: the folder's name, or the file name up to its last "_".

    Spelling is unified: the folder "Jane Doe" and the file "jane-doe_1.jpg" agree.
    """
    path = PurePosixPath(file)
    word = path.parent.name or path.stem.rpartition("_")[0] or path.stem
    return slugify(word.replace("_", "-"), allow_unicode=True) or word


def _read_file(source: Source, name: str) -> bytes:
    """The file's bytes; empty if it cannot be read, which counts as a photo without a face."""
    try:
        return source.read(name)
    except OSError:
        return b""


def _note_labels(labels: dict[str, dict[str, str]], person: str, entry: Entry) -> None:
    if entry.gender:
        labels["gender"][person] = entry.gender
    if entry.birth_year is not None:
        labels["born"][person] = f"{entry.birth_year // 10 * 10}s"
