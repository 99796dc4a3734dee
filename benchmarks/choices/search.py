"""A gallery of everybody's first portraits, searched as the site searches, and the second portraits
in every guise to search for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.choices.guises import GUISES, HIDING, draw_guise
from benchmarks.choices.portraits import (
    Portrait,
    as_photo,
    find,
    list_firsts,
    list_seconds,
    load_engine,
    load_portraits,
)
from benchmarks.choices.statistics import Columns, Scores, find_ranks
from lookalike.faces.calibration import built_in_tail
from lookalike.faces.people import Portraits, average, choose_cohort, make_rows
from lookalike.faces.pipeline import is_weak
from lookalike.faces.sitters import ZOOMS
from lookalike.faces.types import Box, Detection, Floats, Photo, Pixels, Vectors

ENCODER = "dlib"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The largest face of a portrait in a guise, in the photo as the engine shows it."""

    portrait: Portrait
    guise: str
    photo: Photo
    face: Detection
    chip: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Guised:
    """Faces that were found, their (n, d) vectors, and the agreement (n,) with their mirror
    images'."""

    seen: list[Seen]
    vectors: Vectors
    agreement: Floats

    @property
    def is_weak(self) -> NDArray[np.bool_]:
        """(n,) as the engine says."""
        each = zip(self.seen, self.agreement.tolist(), strict=True)
        return np.array([is_weak(one.face, one.chip, agreement) for one, agreement in each])


@lru_cache(maxsize=1)
def look_at_guises() -> Guised:
    """The second portraits in every guise that has a face."""
    engine, seen = load_engine(), list[Seen]()
    for portrait in list_seconds():
        for guise in (*GUISES, *HIDING):
            photo, faces = find(engine, as_photo(draw_guise(portrait, guise)))
            if faces:
                chip = engine.encoder.align(photo.pixels, faces[0])
                seen.append(Seen(portrait, guise, photo, faces[0], chip))
    vectors, agreement = engine.encoder.encode_with_agreement([one.chip for one in seen])
    return Guised(seen, vectors, agreement)


@lru_cache(maxsize=1)
def load_everybody() -> tuple[Portraits, list[str]]:
    """All portraits, encoded as a gallery's are, and the people's names; a person's id is the
    place of the name."""
    portraits = load_portraits()
    names = sorted({portrait.person for portrait in portraits})
    people = np.array([names.index(portrait.person) for portrait in portraits], np.int64)
    order = np.argsort(people, kind="stable")
    found = [(as_photo(portraits[at].pixels), as_detection(portraits[at])) for at in order]
    faces = load_engine().encode_many(found, zooms=ZOOMS)
    vectors = np.array([face.vector for face in faces], np.float32)
    return Portraits(vectors, order.astype(np.int64), people[order]), names


def as_detection(portrait: Portrait) -> Detection:
    return Detection(Box(0, 0, portrait.width, portrait.width), portrait.landmarks, 1.0)


@lru_cache(maxsize=1)
def load_gallery() -> Portraits:
    """First portraits alone; people are numbered as in `load_everybody`."""
    everybody, _ = load_everybody()
    firsts = {portrait.file for portrait in list_firsts()}
    chosen = [load_portraits()[at].file in firsts for at in everybody.ids]
    return everybody.take(np.array(chosen))


def as_portraits(vectors: Vectors) -> Portraits:
    """One vector of each person, in the order of `list_firsts`, as a gallery."""
    people = find_columns([portrait.person for portrait in list_firsts()])
    order = np.argsort(people)
    return Portraits(vectors[order], order.astype(np.int64), people[order])


def find_columns(people: Sequence[str]) -> Columns:
    """Each person's column in `score`."""
    _, names = load_everybody()
    return np.array([names.index(person) for person in people], np.intp)


def score(gallery: Portraits, vectors: Vectors) -> Scores:
    """(n, people): as the site scores."""
    rows = make_rows(average(gallery), choose_cohort(gallery, built_in_tail(ENCODER)))
    scores: Scores = vectors @ rows.rows.T + rows.bias
    return scores


def rank_vectors(vectors: Vectors, people: Sequence[str]) -> Columns:
    """How many people come before the right one, among everybody's first portraits."""
    return find_ranks(score(load_gallery(), vectors), find_columns(people))
