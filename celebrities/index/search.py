"""Searching the gallery: the index in use, corrected by what has changed since its build."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from celebrities.errors import EmptyGallery, NoIndex
from celebrities.filters import EVERYBODY, Filters
from celebrities.index.backends import BACKENDS
from celebrities.index.builds import current_build, names_in_use
from celebrities.index.changes import Changes, read_changes
from celebrities.index.rows import read_portraits
from celebrities.index.unopenable import forget_unopenable, is_reported, report_unopenable
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.errors import IndexProblem, IndexStale
from lookalike.faces.index import (
    NO_IDS,
    Answer,
    Found,
    Ids,
    Index,
    Method,
    Query,
    unit_vectors,
)
from lookalike.faces.people import Portraits, average
from lookalike.faces.types import EncoderId, Neighbour, Scale, Vector, Vectors

Opened = tuple[IndexBuild, Index]

Status = IndexBuild.Status


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search did and found.

    ``build`` is the build that was searched, ``method`` how, ``ms`` the milliseconds that
    the index took for all vectors, ``compared_with`` the number of people in question.
    ``neighbours`` has one list a vector, the most alike first, each person once.
    """

    build: IndexBuild
    method: Method
    ms: float
    compared_with: int
    neighbours: list[list[Neighbour]]


def find_lookalikes(
    vectors: Vectors | Sequence[Vector],
    *,
    k: int,
    filters: Filters = EVERYBODY,
    method: Method | None = None,
    opened: Opened | None = None,
) -> SearchResult:
    """The ``k`` people most like each vector.

    ``method`` None takes the one that the build chose, ``opened`` the index to search; its
    encoder must have made the vectors. People whose portraits changed since the
    build are searched with new rows beside it; removed and unpublished ones are skipped without
    shortening the result. Raises EmptyGallery, NoIndex, or BadVector.
    """
    try:
        build, index = opened or open_current()
        changes = read_changes(build, index)
        query, compared_with = Query(np.asarray(vectors), k, method), changes.people
        if filters:
            people = filters.apply(Celebrity.objects.searchable()).order_by()
            ids = np.unique(np.array(people.values_list("pk", flat=True), np.int64))
            query, compared_with = replace(query, among=ids), len(ids)
        answer, portraits, ms = _search(build, index, query, changes)
    except IndexProblem as problem:
        raise _explain(problem) from problem
    if not filters and not any(map(len, answer.found)):
        raise EmptyGallery("Nobody in the gallery is published.")
    neighbours = [
        _introduce(found, vector, portraits, changes.scale)
        for found, vector in zip(answer.found, unit_vectors(query.vectors), strict=True)
    ]
    return SearchResult(build, answer.method, ms, compared_with, neighbours)


def _search(
    build: IndexBuild, index: Index, query: Query, changes: Changes
) -> tuple[Answer, Portraits, float]:
    """The answer, the portraits of the people in it, and the milliseconds of the index.

    A portrait that was deleted or moved may leave no trace in the database. So the portraits of
    everybody found are compared with those that the row was made of, and the search is repeated
    with corrected rows, for more people each time.
    """
    searchable, ms, asked = Portrait.objects.searchable(build.encoder), 0.0, query.k
    while True:
        started = time.perf_counter()
        answer = index.search(replace(query, k=asked, hidden=changes.hidden, added=changes.added))
        ms += (time.perf_counter() - started) * 1000
        people = np.unique(np.concatenate([NO_IDS, *(found.ids for found in answer.found)]))
        portraits = read_portraits(searchable, people, changes.added.dimensions)
        stale = _find_stale(answer, portraits)
        if not len(stale):
            found = [each.best(query.k) for each in answer.found]
            return replace(answer, found=found), portraits, ms
        changes.correct(stale, portraits)
        asked *= 4


def _find_stale(answer: Answer, portraits: Portraits) -> Ids:
    """People whose row was made of other portraits than they have now."""
    now = average(portraits)
    sums = dict(zip(now.ids.tolist(), now.checksums.tolist(), strict=True))
    rows = {
        row
        for found in answer.found
        for row in zip(found.ids.tolist(), found.checksums.tolist(), strict=True)
    }
    stale = {person for person, made_of in rows if sums.get(person) != made_of}
    return np.array(sorted(stale), np.int64)


def _introduce(found: Found, vector: Vector, portraits: Portraits, scale: Scale) -> list[Neighbour]:
    """Each person found with their portrait most similar to the face."""
    neighbours = []
    for person, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        own = portraits.take(portraits.people == person)
        distances = np.linalg.norm(own.vectors - vector, axis=1)
        nearest = int(distances.argmin())
        neighbours.append(
            Neighbour(person, int(own.ids[nearest]), float(distances[nearest]), scale.number(score))
        )
    return neighbours


def open_current() -> Opened:
    """The build to search and its index, opened once a process: the one in use, or else the one
    before, which is kept for a while, if only that can be opened here or has an encoder that this
    process knows.

    Raises EmptyGallery, or NoIndex if there is none.
    """
    first = current_build()
    try:
        return first, _open(first)
    except IndexProblem as problem:
        failure = problem
        report_unopenable(first, problem)
    # A newer build may have been published since, and the files of this one removed.
    kept = IndexBuild.objects.filter(name__in=names_in_use()).exclude(status=Status.BUILDING)
    for build in kept.order_by("-finished_at"):
        try:
            return build, _open(build)
        except IndexProblem as problem:
            failure = problem if build.pk != first.pk else failure
    raise _explain(failure) from failure


def encoder_of(build: IndexBuild) -> EncoderId:
    return EncoderId.parse(build.encoder)


def _open(build: IndexBuild) -> Index:
    """Raises IndexMissing, IndexDamaged, or IndexStale if its encoder is not here."""
    if not engine.can_encode(encoder_of(build)):
        wanted = engine.configured_encoder()
        raise IndexStale(f"The index was built by {build.encoder}, and {wanted} is in use.")
    return engine.keep("index", build.pk, lambda: _open_anew(build))


def _open_anew(build: IndexBuild) -> Index:
    if build.facts is None or build.backend not in BACKENDS:
        raise IndexStale(f"The index {build.name} was built by an earlier version.")
    index = BACKENDS[build.backend].open(build)
    forget_unopenable(build)
    return index


def is_whole(build: IndexBuild) -> bool:
    """Whether the build's files are there, as far as a quick look tells, and no worker has
    failed to open them. For the web process too: opens nothing."""
    there = build.facts is not None and build.backend in BACKENDS
    return there and BACKENDS[build.backend].has(build) and not is_reported(build)


def _explain(problem: IndexProblem) -> NoIndex:
    return NoIndex(f"{problem} Rebuild the index: manage.py rebuild_index.")
