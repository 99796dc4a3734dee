"""The gallery's people as rows of an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from celebrities.models import PortraitQuerySet
from lookalike.faces.index import Ids, Progress, unit_vectors
from lookalike.faces.people import MOST_PORTRAITS, People, Portraits, average

CHUNK = 2000
"""People read at once."""


def list_people(portraits: PortraitQuerySet) -> list[int]:
    """The ids of everybody with one of the portraits, rising."""
    people = portraits.order_by("celebrity_id").values_list("celebrity_id", flat=True)
    return list(people.distinct())


def read_portraits(
    portraits: PortraitQuerySet, people: Sequence[int] | Ids, dimensions: int
) -> Portraits:
    """The portraits of these people, in one statement, ordered by person and id.

    Those whose vector has another length are left out. Raises BadVector for a zero or
    non-finite vector.
    """
    chosen = portraits.filter(celebrity_id__in=list(people)).order_by("celebrity_id", "pk")
    vector = "vector_read" if "vector_read" in chosen.query.annotations else "vector"
    rows: Iterable[Any] = chosen.values_list("pk", "celebrity_id", vector)
    whole = [
        (pk, person, bytes(read))
        for pk, person, read in rows
        if read is not None and len(read) == 4 * dimensions
    ]
    joined = np.frombuffer(b"".join(row[2] for row in whole), "<f4").reshape(-1, dimensions)
    table = np.array([row[:2] for row in whole], np.int64).reshape(-1, 2).T
    return Portraits(unit_vectors(joined), table[0], table[1])


def read_sample(portraits: PortraitQuerySet, dimensions: int) -> Portraits:
    """The portraits of as many people as a cohort may have, the same ones every time. Fictional
    people never stand for what people look like."""
    people = list_people(portraits.filter(celebrity__is_fictional=False))
    if len(people) > MOST_PORTRAITS:
        chosen = np.random.default_rng(0).choice(len(people), MOST_PORTRAITS, replace=False)
        people = np.sort(np.array(people)[chosen]).tolist()
    return read_portraits(portraits, people, dimensions)


def read_people(
    portraits: PortraitQuerySet,
    dimensions: int,
    progress: Progress = lambda step, share: None,
) -> People:
    """Everybody with one of the portraits, read in chunks with a statement for each."""
    ids = list_people(portraits)
    parts = [average(Portraits.none(dimensions))]
    for start in range(0, len(ids), CHUNK):
        progress("reading vectors", start / len(ids))
        parts.append(average(read_portraits(portraits, ids[start : start + CHUNK], dimensions)))
    return People.join(parts)
