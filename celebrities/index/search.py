"""Searching the gallery: the index in use, corrected by what has changed since its build."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.conf import settings

from celebrities.errors import EmptyGallery, NoIndex
from celebrities.filters import EVERYBODY, Filters
from celebrities.index.backends import get_backend
from celebrities.index.builds import current_build
from celebrities.index.changes import Changes, find_gone, hide, read_changes
from celebrities.models import Celebrity, IndexBuild
from lookalike import engine
from lookalike.faces.errors import IndexProblem, IndexStale
from lookalike.faces.index import Answer, Index, Method, Query
from lookalike.faces.types import EncoderId, Neighbour, Vector, Vectors


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search did and found.

    ``build`` is the build that was searched, ``method`` how, ``ms`` the milliseconds that
    the index took for all vectors, ``compared_with`` the number of people in question.
    ``neighbours`` has one list a vector, nearest first, each person once.
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
) -> SearchResult:
    """The ``k`` nearest people of each vector.

    ``method`` None takes the one that the build chose. Portraits added since the build are
    searched beside it; removed and unpublished ones are skipped without shortening the
    result. Raises EmptyGallery, NoIndex, or BadVector.
    """
    try:
        build, index = open_current()
        changes = read_changes(build, index)
        query, compared_with = Query(np.asarray(vectors), k, method), changes.people
        if filters:
            people = filters.apply(Celebrity.objects.searchable()).order_by()
            ids = np.unique(np.array(people.values_list("pk", flat=True), np.int64))
            query, compared_with = replace(query, people=ids), len(ids)
        answer, ms = _search(build, index, query, changes)
    except IndexProblem as problem:
        raise _explain(problem) from problem
    if not filters and not any(answer.neighbours):
        raise EmptyGallery("Nobody in the gallery is published.")
    return SearchResult(build, answer.method, ms, compared_with, answer.neighbours)


def _search(
    build: IndexBuild, index: Index, query: Query, changes: Changes
) -> tuple[Answer, float]:
    """The answer without portraits that are gone, and the milliseconds of the index.

    Portraits deleted since the build leave no trace in the database: they are noticed when
    a search finds them, which is then repeated without them, for more people each time.
    """
    ms, asked = 0.0, query.k
    while True:
        started = time.perf_counter()
        answer = index.search(replace(query, k=asked, hidden=changes.hidden, added=changes.added))
        ms += (time.perf_counter() - started) * 1000
        gone = find_gone(build, answer)
        if not len(gone):
            return replace(answer, neighbours=[one[: query.k] for one in answer.neighbours]), ms
        hide(changes, gone)
        asked *= 4


def open_current() -> tuple[IndexBuild, Index]:
    """The build in use and its index, opened once a process.

    Raises EmptyGallery, or NoIndex if there is none that this site's encoder can search.
    """
    build = current_build()
    try:
        return build, _open(build)
    except IndexProblem as problem:
        # A newer build may have been published since, and the files of this one removed.
        newer = current_build()
        if newer.pk == build.pk:
            raise _explain(problem) from problem
    try:
        return newer, _open(newer)
    except IndexProblem as problem:
        raise _explain(problem) from problem


def _open(build: IndexBuild) -> Index:
    """Raises IndexMissing, IndexDamaged, or IndexStale if it does not fit the settings."""
    if build.backend != settings.INDEX_BACKEND:
        raise IndexStale(
            f"The index {build.name} was built by an earlier version or for another "
            "LOOKALIKE_INDEX."
        )
    encoder = str(EncoderId.of(engine.get_engine().encoder))
    if build.encoder != encoder:
        raise IndexStale(f"The index was built by {build.encoder}, and {encoder} is in use.")
    return engine.keep("index", build.pk, lambda: get_backend().open(build))


def _explain(problem: IndexProblem) -> NoIndex:
    return NoIndex(f"{problem} Rebuild the index: manage.py rebuild_index.")
