"""Read an operator's labelled photos for measuring accuracy. Uses no database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from django.utils.text import slugify

from celebrities.importers.layout import ListedPhoto, plan_import
from celebrities.importers.sources import Source
from celebrities.portraits import Sitter, find_faces, find_sitters
from lookalike.chunks import batched
from lookalike.faces.errors import SeveralFaces
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Vector, Vectors

BATCH = 16
"""Photos encoded together."""


@dataclass(slots=True)
class Labelled:
    """Photos with their people.

    ``faces[i]`` shows ``people[i]``. ``missed`` has person and reason of each photo without a
    usable face, ``turned`` the person of each that was rotated, ``labels`` what a manifest
    says, by question and person.
    """

    faces: list[Vector] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=lambda: {"gender": {}, "born": {}})

    @property
    def photos(self) -> int:
        return len(self.people) + len(self.missed)

    def vectors(self, dimensions: int) -> Vectors:
        """(n, dimensions)"""
        return np.array(self.faces, np.float32).reshape(-1, dimensions)

    def find_vectors(self, person: str) -> Vectors:
        """Those read so far of a person, (n, d)."""
        mine = zip(self.faces, self.people, strict=True)
        return np.array([vector for vector, owner in mine if owner == person])

    def add(self, photo: ListedPhoto, sitter: Sitter) -> None:
        person = person_of(photo.entry.file)
        if photo.entry.gender:
            self.labels["gender"][person] = photo.entry.gender
        if photo.entry.birth_year is not None:
            self.labels["born"][person] = f"{photo.entry.birth_year // 10 * 10}s"
        if sitter.rotated:
            self.turned.append(person)
        if sitter.face is not None:
            self.faces.append(sitter.face.vector)
            self.people.append(person)
        elif sitter.error is not None:
            self.missed.append((person, sitter.error.reason))


def read_gallery(engine: FaceEngine, source: Source, progress: Callable[[int], None]) -> Labelled:
    """Read all photos as an import does: those of several faces last.

    ``progress`` gets the number of photos read since its last call.
    """
    read, unclear = Labelled(), []
    for batch in batched(plan_import(source).portraits, BATCH):
        for photo, sitter in zip(batch, _find_sitters(engine, source, batch, read), strict=True):
            if isinstance(sitter.error, SeveralFaces):
                unclear.append(photo)
            else:
                read.add(photo, sitter)
        progress(len(batch))
    for photo in unclear:
        read.add(photo, *_find_sitters(engine, source, [photo], read))
    return read


def read_queries(engine: FaceEngine, source: Source, progress: Callable[[int], None]) -> Labelled:
    """Read all photos as a visitor's: the largest face of each counts."""
    read = Labelled()
    for batch in batched(plan_import(source).portraits, BATCH):
        visitors = [_find_visitor(engine, _read_file(source, photo)) for photo in batch]
        for photo, visitor in zip(batch, visitors, strict=True):
            read.add(photo, visitor)
        progress(len(batch))
    return read


def _find_sitters(
    engine: FaceEngine, source: Source, batch: Sequence[ListedPhoto], read: Labelled
) -> list[Sitter]:
    def find_others(position: int) -> Vectors:
        return read.find_vectors(person_of(batch[position].entry.file))

    return find_sitters(engine, [_read_file(source, photo) for photo in batch], find_others)


def _find_visitor(engine: FaceEngine, data: bytes) -> Sitter:
    photo, found, error, rotated = find_faces(engine, data)
    face = engine.encode_faces(photo, found[:1])[0] if photo and found else None
    return Sitter(photo, face, error, rotated)


def _read_file(source: Source, photo: ListedPhoto) -> bytes:
    """The file's bytes; none if it cannot be read, which counts as unreadable."""
    try:
        return source.read(photo.file)
    except OSError:
        return b""


def person_of(file: str) -> str:
    """The person of a photo: the folder's name, or the file name up to its last "_", in one
    spelling: the folder "Jane Doe" and the file "jane-doe_1.jpg" agree."""
    path = PurePosixPath(file)
    word = path.parent.name or path.stem.rpartition("_")[0] or path.stem
    return slugify(word.replace("_", "-"), allow_unicode=True) or word
