"""Another library's index on the same vectors: `python index_peers.py LIBRARY FOLDER THREADS`.

Runs in the peers' environment. Reads vectors.npy, queries.npy and truth.npy from the
folder, builds, widens its search until it finds 0.99 of the rows with the highest inner
products, and prints one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

NEIGHBOURS = 12
RECALL = 0.99
Search = Callable[[np.ndarray], np.ndarray]
"""The numbers of the rows found for a query, (d,)."""


def build_hnswlib(vectors: np.ndarray, threads: int) -> Iterable[tuple[str, Search]]:
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=16, ef_construction=100)
    index.set_num_threads(threads)
    index.add_items(vectors)
    index.set_num_threads(1)
    yield from _widen(
        "ef", index.set_ef, lambda query: index.knn_query(query[None], NEIGHBOURS)[0][0]
    )


def build_faiss(vectors: np.ndarray, threads: int) -> Iterable[tuple[str, Search]]:
    import faiss

    faiss.omp_set_num_threads(threads)
    cells = int(4 * len(vectors) ** 0.5)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = 8
    index.train(vectors[: 40 * cells])
    index.add(vectors)
    faiss.omp_set_num_threads(1)

    def set_width(width: int) -> None:
        index.nprobe = min(width, cells)

    yield from _widen(
        "nprobe", set_width, lambda query: index.search(query[None], NEIGHBOURS)[1][0]
    )


def _widen(
    name: str, set_width: Callable[[int], None], search: Search
) -> Iterable[tuple[str, Search]]:
    for width in (16, 32, 64, 128, 256, 512, 1024, 2048):
        set_width(width)
        yield f"{name} {width}", search


LIBRARIES = {"hnswlib": build_hnswlib, "faiss": build_faiss}


def measure(search: Search, queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Recall of the true neighbours, and milliseconds of single queries on one core: the
    thread's processor time, whatever else the machine does."""
    times, found = [], 0
    for query, true in zip(queries, truth, strict=True):
        started = time.thread_time()
        rows = search(query)
        times.append((time.thread_time() - started) * 1000)
        found += len(np.intersect1d(rows, true))
    times.sort()
    return {
        "recall": round(found / truth.size, 4),
        "p50_ms": round(statistics.median(times), 3),
        "p95_ms": round(times[int(0.95 * len(times))], 3),
    }


def main() -> None:
    library, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    vectors, queries, truth = (
        np.load(folder / f"{name}.npy") for name in ("vectors", "queries", "truth")
    )
    started = time.perf_counter()
    ways = LIBRARIES[library](vectors, threads)
    seconds, answer = 0.0, {}
    for setting, search in ways:
        seconds = seconds or time.perf_counter() - started
        answer = {**measure(search, queries, truth), "setting": setting}
        if answer["recall"] >= RECALL:
            break
    sys.stdout.write(json.dumps({**answer, "build_s": round(seconds, 1)}) + "\n")


if __name__ == "__main__":
    main()
