"""An index that tunes itself: how wide must a search be on this gallery, and does it pay?

Queries that are not in the gallery are searched exactly; then the narrowest approximate
search that finds enough of the true neighbours is looked for, and both ways are timed.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.clustering import LEAST_ROWS
from lookalike.faces.index.manifest import Tuning
from lookalike.faces.index.rows import unit_vectors
from lookalike.faces.index.search import Index
from lookalike.faces.types import Vectors

NEIGHBOURS: Final = 12
"""Portraits per query whose finding counts."""

QUERIES: Final = 400
BLOCK: Final = 32_768
TIMED: Final = 31
MOST_SECONDS: Final = 15.0
"""When to stop trying less wide searches: the best found so far then stands."""

MIXED: Final = 4
"""Portraits that a query is mixed of."""

MARGIN: Final = 0.2
"""The share of the allowed misses that is kept in reserve, since the queries are few."""

AS_FAST: Final = 1.2
"""How many times the approximate search's time exact may take and still be preferred: a
perfect result is worth that."""

UNNOTICED_MS: Final = 1.0
"""An exact search under a millisecond is nothing beside finding and encoding a face."""

SEARCH_SHARES: Final = (16.0, 4.0, 2.0, 1.0, 0.5)
"""Nodes that Annoy inspects, as multiples of the number of cells. The first is all, so that
it reaches any recall; the others are tried because they may take less time. Where rows are
so few that exact is used anyway, the first alone is."""

UNTUNED: Final = Tuning(
    method="exact",
    recall_wanted=1.0,
    recall=1.0,
    trees=0,
    search_k=1,
    probes=1,
    exact_ms=0.0,
    approximate_ms=0.0,
    queries=0,
    seconds=0.0,
)
"""Of an index that has no rows, or that was not measured yet."""

Rows = NDArray[np.int64]


def tune_index(index: Index, recall: float, trees: int) -> Tuning:
    """Measure an index that was just written. ``recall`` is the share wanted, 0 to 1, and
    ``trees`` how many Annoy built. The index is left with the tuning that is returned."""
    if not len(index):
        return replace(UNTUNED, recall_wanted=recall)
    started = time.monotonic()
    few = len(index) < LEAST_ROWS
    queries = mix_queries(index.vectors, index.celebrity_ids, QUERIES // 4 if few else QUERIES)
    cells = index.cells_of(true_neighbours(index.vectors, queries))
    tried: list[Tuning] = []
    for share in SEARCH_SHARES[:1] if few else SEARCH_SHARES:
        search_k = max(1, round(share * index.manifest.cells))
        probes, found = _least_probes(index, queries, cells, search_k, recall)
        tuning = Tuning(
            "approximate", recall, found, trees, search_k, probes, 0.0, 0.0, len(queries), 0.0
        )
        index.manifest = replace(index.manifest, tuning=tuning)
        exact_ms, approximate_ms = _time_both(index, queries)
        tried.append(replace(tuning, exact_ms=exact_ms, approximate_ms=approximate_ms))
        if time.monotonic() - started > MOST_SECONDS:
            break
    best = _choose(tried, recall)
    best = replace(best, seconds=round(time.monotonic() - started, 3))
    index.manifest = replace(index.manifest, tuning=best)
    return best


def _choose(tried: list[Tuning], recall: float) -> Tuning:
    """The fastest that finds enough; exact where none does, or where exact is as fast."""
    enough = [tuning for tuning in tried if tuning.recall >= recall]
    best = min(enough or tried, key=lambda tuning: tuning.approximate_ms)
    as_fast = best.exact_ms <= AS_FAST * best.approximate_ms
    if not enough or recall == 1.0 or as_fast or best.exact_ms < UNNOTICED_MS:
        return replace(best, method="exact")
    return best


def mix_queries(vectors: Vectors, celebrity_ids: Rows, count: int) -> Vectors:
    """(count, d) faces that could be but are not in the gallery: each a mixture of a few
    different people's portraits, as far from the gallery's mean as portraits are."""
    rng = np.random.default_rng(0)
    _, rows = np.unique(celebrity_ids, return_index=True)
    mixed = min(MIXED, len(rows))
    picked = rows[[rng.choice(len(rows), mixed, replace=False) for _ in range(count)]]
    weights = rng.dirichlet(np.ones(mixed), count).astype(np.float32)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    mean = vectors[:: max(1, len(vectors) // 10_000)].mean(axis=0)
    return unit_vectors(np.einsum("qm,qmd->qd", weights, vectors[picked] - mean) + mean)


def true_neighbours(vectors: Vectors, queries: Vectors) -> Rows:
    """(q, 12) rows nearest to each query, fewer where there are fewer rows, in no order."""
    scores = np.empty((len(queries), 0), dtype=np.float32)
    rows = np.empty((len(queries), 0), dtype=np.int64)
    for start in range(0, len(vectors), BLOCK):
        products = queries @ vectors[start : start + BLOCK].T
        kept = _largest(products)
        scores = np.hstack([scores, np.take_along_axis(products, kept, axis=1)])
        rows = np.hstack([rows, kept + start])
    return np.take_along_axis(rows, _largest(scores), axis=1)


def _largest(scores: NDArray[np.float32]) -> Rows:
    """(q, 12) places of the largest scores of each of (q, n), fewer where n is less."""
    if scores.shape[1] <= NEIGHBOURS:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(scores, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]


def _least_probes(
    index: Index, queries: Vectors, cells: Rows, search_k: int, recall: float
) -> tuple[int, float]:
    """How many of the cells that Annoy names must be scanned, and the share of the true
    neighbours that lie in them. A search is exact within its cells, so where each true
    neighbour's cell stands in Annoy's order tells the recall of every width at once."""
    total = index.manifest.cells
    places = np.empty_like(cells)
    for number, query in enumerate(queries):
        place = np.full(total, total)
        named = index.name_cells(query, total, search_k)
        place[named] = np.arange(len(named))
        places[number] = place[cells[number]]
    wanted = 1.0 - (1.0 - recall) * (1.0 - MARGIN)
    needed = np.sort(places, axis=None)[math.ceil(wanted * places.size) - 1]
    if needed == total:  # Annoy did not name enough of them at this width.
        needed = places[places < total].max(initial=0)
    probes = int(needed) + 1
    return probes, round(float((places < probes).mean()), 4)


def _time_both(index: Index, queries: Vectors) -> tuple[float, float]:
    """The median milliseconds of exact and approximate searches, taken in turns so that
    whatever else the machine does weighs on both."""
    times = np.empty((TIMED + 1, 2))
    for turn, query in enumerate(queries[: TIMED + 1]):
        for way, exact in enumerate((True, False)):
            started = time.perf_counter()
            index.search(query, NEIGHBOURS, exact=exact)
            times[turn, way] = time.perf_counter() - started
    exact_ms, approximate_ms = (np.median(times[1:], axis=0) * 1000).round(4).tolist()
    return exact_ms, approximate_ms
