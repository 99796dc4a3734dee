"""How well and how fast an index answers, measured through the protocol."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from lookalike.faces.index.protocol import Index, IndexRows, Method, Query, unit_vectors
from lookalike.faces.types import Vectors

NEIGHBOURS: Final = 12
"""Rows per query that count for recall: the most people that a visitor may ask for."""

QUERIES: Final = 200
TIMED: Final = 31

RESERVE: Final = 0.1
"""Share of the allowed misses held in reserve, because the queries are few."""

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


def tune(index: Index, rows: IndexRows, recall: float) -> Tuning:
    """Choose between exact and approximate search of an index that was built of ``rows``.

    Takes the smallest of ``index.widths`` that finds ``recall`` (0 to 1) of the nearest other
    people of some rows, which must not be none. The index is left as it is.
    """
    chosen = np.random.default_rng(0).permutation(len(rows))[:QUERIES]
    queries, own = unit_vectors(rows.rows[chosen]), rows.ids[chosen].tolist()
    truth = _find_others(index, queries, own, Method.EXACT)
    width, found = 0, 0.0
    for width in index.widths:
        found = _recall(truth, _find_others(index, queries, own, Method.APPROXIMATE, width))
        if found >= recall + RESERVE * (1.0 - recall):
            break
    return choose(recall, found, width, *_time_both(index, queries, width))


def choose(
    recall: float, found: float, width: int, exact_ms: float, approximate_ms: float
) -> Tuning:
    """``found`` is the recall of an approximate search of this width."""
    times = f"{exact_ms:.2g} ms, approximate search {approximate_ms:.2g} ms"
    if exact_ms < NEGLIGIBLE_MS:
        why = f"Exact search takes {exact_ms:.2g} ms, too little to be worth shortening."
    elif recall == 1.0:
        why = "A recall of 1 is asked for, which only exact search guarantees."
    elif found < recall:
        why = f"Approximate search finds {found:.4g} of the nearest people, less than {recall:.4g}."
    elif exact_ms <= AS_FAST * approximate_ms:
        why = f"Exact search is about as fast: it takes {times}."
    else:
        why = f"Exact search takes {times} with a recall of {found:.4g}."
        return Tuning(Method.APPROXIMATE, why, found, width, exact_ms, approximate_ms)
    return Tuning(Method.EXACT, why, 1.0, width, exact_ms, approximate_ms)


def _find_others(
    index: Index, queries: Vectors, own: list[int], method: Method, width: int = 0
) -> list[set[int]]:
    answer = index.search(Query(queries, NEIGHBOURS + 1, method, width=width))
    return [{*found.ids.tolist()} - {row} for found, row in zip(answer.found, own, strict=True)]


def _recall(truth: list[set[int]], found: list[set[int]]) -> float:
    hits = sum(len(true & there) for true, there in zip(truth, found, strict=True))
    return round(hits / max(sum(map(len, truth)), 1), 4)


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
