"""How well and how fast an index answers, measured through the protocol."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from lookalike.faces.index.people import starts_of
from lookalike.faces.index.protocol import Index, IndexRows, Method, Query, unit_vectors
from lookalike.faces.types import Vectors

NEIGHBOURS: Final = 12
"""People per query that count for recall: the most that a visitor may ask for."""

QUERIES: Final = 200
TIMED: Final = 31

MIXED: Final = 4
"""People whose rows one query is mixed from."""

AS_FAST: Final = 1.2
"""Exact search is preferred if it takes at most 1.2 times as long: its recall is 1."""

NEGLIGIBLE_MS: Final = 1.0
"""An exact search under 1 ms is always preferred. Encoding one face takes longer."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The method to use and why; the fields are those of `BuildFacts`."""

    method: Method
    why: str
    recall: float
    width: int
    exact_ms: float
    approximate_ms: float


def tune(index: Index, queries: Vectors, recall: float) -> Tuning:
    """Choose between exact and approximate search for queries such as these.

    Takes the smallest of ``index.widths`` that finds ``recall`` (0 to 1) of the nearest
    people. The index is left as it is.
    """
    truth = _people(index, queries, Method.EXACT)
    width, found = 0, 0.0
    for width in index.widths:
        found = _recall(truth, _people(index, queries, Method.APPROXIMATE, width))
        if found >= recall:
            break
    exact_ms, approximate_ms = _time_both(index, queries, width)
    times = f"{exact_ms:.2g} ms, approximate search {approximate_ms:.2g} ms"
    if not index.widths or exact_ms < NEGLIGIBLE_MS:
        why = f"Exact search takes {exact_ms:.2g} ms, too little to be worth shortening."
    elif recall == 1.0 or found < recall:
        why = f"Approximate search finds {found:.4g} of the nearest people, less than {recall:.4g}."
    elif exact_ms <= AS_FAST * approximate_ms:
        why = f"Exact search is about as fast: it takes {times}."
    else:
        why = f"Exact search takes {times} with a recall of {found:.4g}."
        return Tuning(Method.APPROXIMATE, why, found, width, exact_ms, approximate_ms)
    return Tuning(Method.EXACT, why, 1.0, width, exact_ms, approximate_ms)


def mix_queries(rows: IndexRows, count: int = QUERIES) -> Vectors:
    """(count, d) synthetic query vectors of unit length, none of them in the index.

    Each mixes the directions of a few people's rows, scaled to the rows' own spread around
    their mean. For an approximate search they are slightly harder than real faces. ``rows``
    must be in the order of people, and not empty. The same rows give the same queries.
    """
    rng = np.random.default_rng(0)
    first = starts_of(rows.people)
    mixed = min(MIXED, len(first))
    picked = first[[rng.choice(len(first), mixed, replace=False) for _ in range(count)]]
    weights = rng.dirichlet(np.ones(mixed), count).astype(np.float32)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    mean = unit_vectors(rows.rows[:: max(1, len(rows) // 10_000)]).mean(axis=0)
    directions = unit_vectors(rows.rows[picked.ravel()]).reshape(*picked.shape, -1)
    return unit_vectors(np.einsum("qm,qmd->qd", weights, directions - mean) + mean)


def _people(index: Index, queries: Vectors, method: Method, width: int = 0) -> list[set[int]]:
    answer = index.search(Query(queries, NEIGHBOURS, method, width=width))
    return [{near.celebrity_id for near in one} for one in answer.neighbours]


def _recall(truth: list[set[int]], found: list[set[int]]) -> float:
    hits = sum(len(true & there) for true, there in zip(truth, found, strict=True))
    return round(hits / sum(map(len, truth)), 4)


def _time_both(index: Index, queries: Vectors, width: int) -> tuple[float, float]:
    """Median milliseconds of exact and approximate search, measured in turns so that other
    load on the machine affects both."""
    times = np.empty((TIMED + 1, 2))
    for turn in range(TIMED + 1):
        vector = queries[[turn % len(queries)]]
        for column, method in enumerate(Method):
            started = time.perf_counter()
            index.search(Query(vector, NEIGHBOURS, method, width=width))
            times[turn, column] = time.perf_counter() - started
    exact_ms, approximate_ms = (np.median(times[1:], axis=0) * 1000).round(3).tolist()
    return exact_ms, approximate_ms
