"""Part 4: the index at 10 thousand to 1 million portraits, beside other libraries."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine import make_engine, open_file
from benchmarks.index_peers import LIBRARIES, NEIGHBOURS, measure
from benchmarks.paths import ROOT, WORK
from benchmarks.peers import make_environment
from benchmarks.portraits import find_photos

SIZES = ((10_000, 128), (100_000, 128), (1_000_000, 128))
SIZES_512 = ((10_000, 512), (100_000, 512), (1_000_000, 512))
QUERIES = 200
PEER_SECONDS = 240
"""A library that needs longer on one gallery is stopped, and said to have been."""


def find_vectors() -> np.ndarray:
    """(n, 128) vectors of the shared portraits where they are, else of the cast."""
    kept = WORK / "portrait-vectors.npy"
    if kept.exists():
        found: np.ndarray = np.load(kept)
        return found
    engine, vectors = make_engine(), []
    for path in find_photos():
        turned, faces = engine.find_faces(open_file(path))
        vectors += [face.vector for face in engine.encode_faces(turned, faces[:1])]
    np.save(kept, np.stack(vectors))
    return np.stack(vectors)


def draw_vectors(known: np.ndarray, count: int, dimensions: int, seed: int) -> np.ndarray:
    """(count, dimensions) unit vectors with the mean and covariance of ``known``.

    For more dimensions than ``known`` has, its spectrum is stretched: eigenvalue i of
    512 is what stands at the same share of the 128, so that the shape of the fall stays.
    """
    rng = np.random.default_rng(seed)
    mean = known.mean(axis=0)
    spectrum, directions = np.linalg.eigh(np.cov((known - mean).T))
    spectrum = np.sqrt(np.maximum(spectrum, 0))
    if dimensions != known.shape[1]:
        places = np.linspace(0, len(spectrum) - 1, dimensions)
        share = np.sqrt(known.shape[1] / dimensions)
        spectrum = np.interp(places, np.arange(len(spectrum)), spectrum) * share
        directions = np.eye(dimensions)
        mean = np.full(dimensions, np.linalg.norm(mean) / np.sqrt(dimensions))
    drawn = np.empty((count, dimensions), dtype=np.float32)
    turn = (directions * spectrum).T.astype(np.float32)
    for start in range(0, count, 50_000):
        stop = min(start + 50_000, count)
        block = rng.standard_normal((stop - start, dimensions), dtype=np.float32) @ turn
        block += mean.astype(np.float32)
        drawn[start:stop] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return drawn


def find_truth(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(q, 12) rows nearest to each query, by comparing with all; the nearest few dozen in
    double precision, since single is too coarse to tell the twelfth from the thirteenth."""
    best = []
    for query in queries:
        near = np.argpartition(-(vectors @ query), 3 * NEIGHBOURS)[: 3 * NEIGHBOURS]
        distances = np.linalg.norm(vectors[near].astype(np.float64) - query, axis=1)
        best.append(near[np.argsort(distances)[:NEIGHBOURS]])
    return np.array(best)


def bench_index(sizes: tuple[tuple[int, int], ...] = SIZES + SIZES_512) -> dict[str, Any]:
    known = find_vectors()
    return {"sizes": [_bench_size(known, count, dimensions) for count, dimensions in sizes]}


def _bench_size(known: np.ndarray, count: int, dimensions: int) -> dict[str, Any]:
    folder = WORK / "index"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vectors = draw_vectors(known, count, dimensions, seed=1)
    queries = draw_vectors(known, QUERIES, dimensions, seed=2)
    truth = find_truth(vectors, queries)
    row: dict[str, Any] = {"items": count, "dimensions": dimensions}
    row["lookalike"] = _bench_ours(folder, vectors, queries, truth)
    row["exact numpy"] = measure(partial(_scan, vectors), queries, truth)
    for name, values in (("vectors", vectors), ("queries", queries), ("truth", truth)):
        np.save(folder / f"{name}.npy", values)
    del vectors
    for library in LIBRARIES:
        # A graph of a million long vectors takes a quarter of an hour to build on two cores.
        if library != "faiss" and count * dimensions > 2e8:
            continue
        row[library] = _bench_peer(library, folder)
    shutil.rmtree(folder)
    return row


def _scan(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    distances = vectors @ query
    return np.argpartition(-distances, NEIGHBOURS)[:NEIGHBOURS]


def _bench_ours(
    folder: Path, vectors: np.ndarray, queries: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
    from lookalike.faces.index import IndexRows, build_index, open_index

    numbers = np.arange(len(vectors), dtype=np.int64)
    started = time.perf_counter()
    build_index(
        folder,
        "build",
        IndexRows(vectors, numbers, numbers),
        encoder_name="dlib",
        encoder_version="benchmark",
    )
    seconds = time.perf_counter() - started
    index = open_index(folder / "build")

    def search(query: np.ndarray, *, exact: bool | None = None) -> np.ndarray:
        return np.array([near.portrait_id for near in index.search(query, NEIGHBOURS, exact=exact)])

    tuning = index.manifest.tuning
    size = sum(path.stat().st_size for path in (folder / "build").iterdir())
    return {
        **measure(search, queries, truth),
        "method": tuning.method,
        "setting": f"{tuning.probes} of {index.manifest.cells} cells",
        "build_s": round(seconds, 1),
        "file_mb": round(size / 1e6, 1),
        "exact": measure(lambda query: search(query, exact=True), queries, truth),
        "approximate": measure(lambda query: search(query, exact=False), queries, truth),
        "added_by_process": _share_memory(folder / "build", queries, size),
    }


def _share_memory(build: Path, queries: np.ndarray, size: int) -> float:
    """The most that one of four processes holds for itself after searching, beyond what it
    held before it opened the index, as a share of the index's size."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        held = pool.starmap(_hold_privately, [(build, queries)] * 4, chunksize=1)
    return round(max(held) / size, 4)


def _hold_privately(build: Path, queries: np.ndarray) -> int:
    import annoy  # noqa: F401 - the libraries' code is not the index's memory
    import onnx.helper  # noqa: F401
    import onnxruntime  # noqa: F401

    from lookalike.faces.index import open_index

    before = _private_bytes()
    index = open_index(build)
    for query in queries[:50]:
        index.search(query, NEIGHBOURS)
    time.sleep(1)  # So that the other three are there at the same time.
    return max(_private_bytes() - before, 0)


def _private_bytes() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def _bench_peer(library: str, folder: Path) -> dict[str, Any]:
    command: list[str | Path] = [
        make_environment(),
        ROOT / "benchmarks" / "index_peers.py",
        library,
        folder,
        "2",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PEER_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        return {"absent": f"not built and searched within {PEER_SECONDS} s"}
    except subprocess.CalledProcessError as error:
        return {"absent": (error.stderr.strip().splitlines() or ["it failed"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
