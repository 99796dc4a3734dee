"""Part "conditions": how often the right person comes first, by what a photo is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from benchmarks.choices.drawing import Guise
from benchmarks.choices.guises import GUISES, HIDING, blur, draw, shrink
from benchmarks.choices.portraits import (
    Portrait,
    as_photo,
    find,
    list_seconds,
    load_cast,
    load_engine,
)
from benchmarks.choices.search import (
    Guised,
    load_gallery,
    look_at_guises,
    rank_vectors,
    score,
)
from benchmarks.choices.statistics import find_ranks, resample_people
from benchmarks.choices.template import HARD
from benchmarks.figures import Figures
from lookalike.faces.people import Portraits
from lookalike.faces.sitters import ZOOMS
from lookalike.faces.types import Vectors

WIDTHS = (28, 34, 42, 60, 90)
"""Pixels of a face's box."""

BLURS = (0.0, 0.04, 0.06, 0.08, 0.1, 0.15)
"""Gaussian radius, as a share of the length from the eyes to the mouth."""


def bench_conditions() -> Figures:
    return {
        "guises": measure_guises(),
        "widths": measure_drawn({str(width): shrink(width, width) for width in WIDTHS}),
        "blurs": measure_drawn({str(radius): blur(radius, radius) for radius in BLURS}),
        "portraits": measure_cast(),
        "sex": measure_groups(lambda portrait: portrait.sex),
        "born": measure_groups(lambda portrait: portrait.born),
    }


@lru_cache(maxsize=1)
def list_good() -> Guised:
    """Faces in guises that hide nothing."""
    found = look_at_guises()
    good = np.array([one.guise in GUISES for one in found.seen])
    seen = [one for one in found.seen if one.guise in GUISES]
    return Guised(seen, found.vectors[good], found.agreement[good])


def measure_guises() -> dict[str, Figures]:
    """Of faces that were found: rank-1, rank-6, and how many are called weak."""
    found = look_at_guises()
    ranks = rank_vectors(found.vectors, [one.portrait.person for one in found.seen])
    weak = found.is_weak
    rows = {}
    for guise in (*GUISES, *HIDING):
        mine = np.array([one.guise == guise for one in found.seen])
        rows[guise] = {
            "no face": len(list_seconds()) - int(mine.sum()),
            "rank-1": round(float(np.mean(ranks[mine] < 1)), 3),
            "rank-6": round(float(np.mean(ranks[mine] < 6)), 3),
            "called weak": round(float(weak[mine].mean()), 3),
        }
    return rows


def measure_drawn(guises: Mapping[str, Guise]) -> dict[str, Figures]:
    """The second portraits in each guise: how many find their person, and have no face."""
    engine, rows = load_engine(), {}
    for name, guise in guises.items():
        people, vectors, weak = [], [], []
        for portrait in list_seconds():
            photo, faces = find(engine, as_photo(draw(portrait, guise, name)))
            for face in engine.encode_faces(photo, faces[:1]):
                people.append(portrait.person)
                vectors.append(face.vector)
                weak.append(face.is_weak)
        first = rank_vectors(np.array(vectors), people) < 1 if people else np.zeros(0)
        rows[name] = {
            "rank-1": round(float(first.sum() / len(list_seconds())), 3),
            "no face": len(list_seconds()) - len(people),
            "called weak": round(float(np.mean(weak)), 3) if weak else 0.0,
        }
    return rows


def measure_groups(group_of: Callable[[Portrait], str]) -> dict[str, Figures]:
    """Rank-1 of good faces by group, for groups of ten people or more."""
    found = list_good()
    people = np.array([one.portrait.person for one in found.seen])
    groups = np.array([group_of(one.portrait) for one in found.seen])
    first = (rank_vectors(found.vectors, people.tolist()) < 1).astype(np.float64)
    rows = {}
    for group in sorted(set(groups.tolist()) - {""}):
        mine = groups == group
        count = len(np.unique(people[mine]))
        if count >= 10:
            low, high = resample_people(first[mine], people[mine].tolist())
            rows[group] = {
                "people": count,
                "photos": int(mine.sum()),
                "rank-1": round(float(first[mine].mean()), 3),
                "95 %": f"{low:.3f} to {high:.3f}",
                "called weak": round(float(found.is_weak[mine].mean()), 3),
            }
    return rows


def measure_cast() -> dict[str, Figures]:
    """Rank-1 with one and with two portraits of a person. Measured on the fictional cast, 48 people
    with three pictures each, searched among everybody."""
    engine, cast = load_engine(), load_cast()
    names = sorted({portrait.person for portrait in cast})
    asked, right = [], []
    for portrait in (each for each in cast if each.file[-5] == "3"):
        for guise in HARD:
            photo, faces = find(engine, as_photo(draw(portrait, GUISES[guise], guise)))
            asked += [face.vector for face in engine.encode_faces(photo, faces[:1])]
            right += [portrait.person] * len(faces[:1])
    rows = {}
    for count in (1, 2):
        shown = [portrait for portrait in cast if portrait.file[-5] in "12"[:count]]
        gallery, first_column = join(shown, names)
        columns = first_column + np.array([names.index(person) for person in right])
        first = (find_ranks(score(gallery, np.array(asked)), columns) < 1).astype(np.float64)
        low, high = resample_people(first, right)
        rows[str(count)] = {
            "photos": len(asked),
            "rank-1": round(float(first.mean()), 3),
            "95 %": f"{low:.3f} to {high:.3f}",
        }
    return rows


def join(shown: list[Portrait], names: list[str]) -> tuple[Portraits, int]:
    """Everybody's first portraits with these behind them, and the first new person's column."""
    gallery = load_gallery()
    start = len(gallery)
    vectors = encode_gallery(shown)
    people = np.array([start + names.index(portrait.person) for portrait in shown])
    return (
        Portraits(
            np.concatenate([gallery.vectors, vectors]),
            np.arange(start + len(shown)),
            np.concatenate([gallery.people, people]),
        ),
        start,
    )


def encode_gallery(shown: list[Portrait]) -> Vectors:
    engine = load_engine()
    found = [find(engine, as_photo(portrait.pixels)) for portrait in shown]
    faces = engine.encode_many([(photo, faces[0]) for photo, faces in found], zooms=ZOOMS)
    return np.array([face.vector for face in faces], np.float32)
