"""How wide must a search of the graph in PostgreSQL be on this gallery, and does it pay?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

import numpy as np

from celebrities.index.pgvector import LEAST, WIDEST, PgvectorIndex, PgvectorTuning
from lookalike.faces.index.rows import IndexRows
from lookalike.faces.index.tuning import (
    AS_FAST,
    MARGIN,
    NEIGHBOURS,
    QUERIES,
    TIMED,
    UNNOTICED_MS,
    mix_queries,
    true_neighbours,
)
from lookalike.faces.types import Vectors

WIDTHS: Final = (LEAST, 72, 100, 150, 220, 330, 500, 700, WIDEST)
"""Candidates of a search, tried from the least on."""


def tune_table(index: PgvectorIndex, rows: IndexRows, recall: float) -> PgvectorTuning:
    """The least width that finds enough of the true neighbours of faces that are not in the
    gallery, and whether comparing with all is as fast. Leaves the index with that width."""
    started = time.monotonic()
    queries = mix_queries(rows.vectors, rows.celebrity_ids, min(QUERIES, 50 + len(rows) // 10))
    truth = rows.portrait_ids[true_neighbours(rows.vectors, queries)]
    wanted = 1.0 - (1.0 - recall) * (1.0 - MARGIN)
    for width in WIDTHS:
        tuning = replace(index.manifest.tuning, recall_wanted=recall, ef_search=width)
        index.manifest = replace(index.manifest, tuning=tuning)
        found = _recall(index, queries, truth)
        if found >= wanted:
            break
    exact_ms, approximate_ms = _time_both(index, queries)
    as_fast = exact_ms <= max(AS_FAST * approximate_ms, UNNOTICED_MS)
    return replace(
        tuning,
        method="exact" if recall == 1.0 or found < recall or as_fast else "approximate",
        recall=round(found, 4),
        exact_ms=exact_ms,
        approximate_ms=approximate_ms,
        queries=len(queries),
        seconds=round(time.monotonic() - started, 3),
    )


def _recall(index: PgvectorIndex, queries: Vectors, truth: Any) -> float:
    hits = 0
    for query, wanted in zip(queries, truth, strict=True):
        found, _ = index.nearest_portraits(query, 4 * NEIGHBOURS, exact=False)
        nearest = found.portraits[np.argsort(found.distances, kind="stable")[:NEIGHBOURS]]
        hits += len(np.intersect1d(nearest, wanted))
    return hits / int(truth.size)


def _time_both(index: PgvectorIndex, queries: Vectors) -> tuple[float, float]:
    """The median milliseconds of exact and approximate searches, taken in turns so that
    whatever else the machines do weighs on both."""
    times = np.empty((TIMED, 2))
    for turn in range(TIMED):
        for way, exact in enumerate((True, False)):
            started = time.perf_counter()
            index.search(queries[turn % len(queries)], NEIGHBOURS, exact=exact)
            times[turn, way] = time.perf_counter() - started
    exact_ms, approximate_ms = (np.median(times[1:], axis=0) * 1000).round(4).tolist()
    return exact_ms, approximate_ms
