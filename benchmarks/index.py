"""Part "index": one row a person with a bias, from 10 thousand to a million people."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.engine import make_engine, open_file
from benchmarks.figures import Figures
from benchmarks.index_peers import LIBRARIES, NEIGHBOURS, measure
from benchmarks.paths import ROOT, WORK
from benchmarks.peers import make_environment
from benchmarks.portraits import find_photos
from benchmarks.timing import amount
from lookalike.faces import index as package
from lookalike.faces.index import (
    AnnoyIndex,
    ExactIndex,
    Index,
    IndexRows,
    Method,
    Query,
    build_index,
    open_index,
)
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId, Scale

SIZES = [(people, width) for width in (128, 512) for people in (10_000, 100_000, 1_000_000)]
QUERIES = 100
REFERENCE = 1000
"""Other people's portraits that a person's scores are normalised by."""

PEER_SECONDS = 240
"""A library that needs longer for one gallery is stopped."""

MODULES: Final = {
    "exact": ("protocol", "found", "exact"),
    "Annoy": ("protocol", "found", "exact", "annoy", "tuning"),
}
"""The modules that a way of searching consists of, for the column of lines."""

ABOUT = """Rows are drawn with the mean and covariance of the shared portraits' vectors, one row \
a person, each normalised by the mean and spread of its scores' upper tail, so that \
score = row . query + bias; 512 numbers continue the spectrum of the 128. Recall of the true 12 \
people, single queries of faces that are not in the gallery, one thread. "Annoy" is the site's \
index searching approximately, with the width that its build chose; the build takes whichever of \
the two is faster. The ways marked "before" were measured once and deleted: they score portraits \
by distance, without a bias. Other libraries search for the highest inner product, and widen \
until they find 0.99."""

BEFORE: Final = ROOT / "benchmarks" / "index-before.json"
"""Rows of the table for the ways that were deleted."""


def find_vectors() -> np.ndarray:
    """(n, 128) vectors of the shared portraits if they are at hand, else of the cast."""
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

    For more dimensions than ``known`` has, its spectrum is continued by a falling tail, and
    the whole is rotated at random.
    """
    rng = np.random.default_rng(seed)
    mean = known.mean(axis=0)
    spectrum, directions = np.linalg.eigh(np.cov((known - mean).T))
    spectrum = np.sqrt(np.maximum(spectrum, 0))
    extra = dimensions - known.shape[1]
    if extra:
        tail = spectrum.min() * np.exp(-np.arange(extra) / known.shape[1])
        turn = np.random.default_rng(7).standard_normal((dimensions, dimensions))
        rotation = np.linalg.qr(turn)[0]
        directions = rotation @ np.pad(directions, (0, extra)) + 0
        directions[:, known.shape[1] :] = rotation[:, known.shape[1] :]
        mean, spectrum = rotation @ np.pad(mean, (0, extra)), np.append(spectrum, tail)
    drawn = np.empty((count, dimensions), dtype=np.float32)
    spread = (directions * spectrum).T.astype(np.float32)
    for start in range(0, count, 50_000):
        stop = min(start + 50_000, count)
        block = rng.standard_normal((stop - start, dimensions), dtype=np.float32) @ spread
        block += mean.astype(np.float32)
        drawn[start:stop] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return drawn


def make_people(known: np.ndarray, count: int, dimensions: int) -> IndexRows:
    """A row and a bias for each person: scores have mean 0 and deviation 1 over the most
    similar tenth of other people."""
    rows = draw_vectors(known, count, dimensions, seed=1)
    others = draw_vectors(known, REFERENCE, dimensions, seed=3)
    bias, top = np.empty(count, np.float32), REFERENCE // 10
    for start in range(0, count, 20_000):
        part = slice(start, start + 20_000)
        upper = np.partition(rows[part] @ others.T, -top, axis=1)[:, -top:]
        deviation = upper.std(axis=1)
        bias[part] = -upper.mean(axis=1) / deviation
        rows[part] /= deviation[:, None]
    numbers = np.arange(count, dtype=np.int64)
    return IndexRows(rows, bias, numbers, numbers)


def build_and_open(folder: Path, rows: IndexRows) -> AnnoyIndex:
    calibration = Calibration(Scale(0.0, 1.0))
    build_index(folder, "bench", rows, EncoderId("dlib", "1"), calibration)
    return open_index(folder / "bench")


def bench_index() -> Figures:
    known = find_vectors()
    sizes = SIZES[: amount(len(SIZES), quick=1)]
    rows = [row for size in sizes for row in _bench_size(known, *size)]
    before = json.loads(BEFORE.read_text()) if BEFORE.exists() else []
    galleries = list(dict.fromkeys(row["people"] for row in rows))
    rows += [row for row in before if row["people"] in galleries]
    return {"about": ABOUT, "rows": sorted(rows, key=lambda row: galleries.index(row["people"]))}


def _bench_size(known: np.ndarray, count: int, dimensions: int) -> list[Figures]:
    folder = WORK / "index"
    shutil.rmtree(folder, ignore_errors=True)
    people = make_people(known, count, dimensions)
    queries = draw_vectors(known, QUERIES, dimensions, seed=2)
    exact = ExactIndex(people, EncoderId("dlib", "1"))
    truth = np.array([_ask(exact, Method.EXACT)(query) for query in queries])
    started = time.perf_counter()
    index = build_and_open(folder, people)
    seconds = time.perf_counter() - started
    name, chosen = f"{count:,} x {dimensions}", index.facts
    annoy = {
        "setting": f"{chosen.width} candidates; the build takes {chosen.method} search",
        "build_s": round(seconds, 1),
        "bytes": sum(path.stat().st_size for path in (folder / "bench").iterdir()),
        **measure(_ask(index, Method.APPROXIMATE), queries, truth),
    }
    size = people.rows.nbytes + people.bias.nbytes + 2 * people.ids.nbytes
    table = [
        _row(name, "exact", {"bytes": size, **measure(_ask(exact, Method.EXACT), queries, truth)}),
        _row(name, "Annoy", annoy),
    ]
    np.save(folder / "vectors.npy", np.column_stack([people.rows, people.bias]))
    np.save(folder / "queries.npy", np.column_stack([queries, np.ones(QUERIES, np.float32)]))
    np.save(folder / "truth.npy", truth)
    for library in LIBRARIES:
        # A graph of a million long vectors takes a quarter of an hour to build on two cores.
        if library == "faiss" or count * dimensions <= 2e8:
            table.append(_row(name, library, _bench_peer(library, folder)))
    shutil.rmtree(folder)
    return table


def _row(people: str, way: str, measured: dict[str, Any]) -> Figures:
    return {
        "people": people,
        "way": way,
        "setting": str(measured.get("setting", measured.get("absent", ""))),
        "recall": str(measured.get("recall", "")),
        "p50 ms": str(measured.get("p50_ms", "")),
        "p95 ms": str(measured.get("p95_ms", "")),
        "build s": str(measured.get("build_s", "")),
        "MB": f"{measured['bytes'] / 1e6:.0f}" if "bytes" in measured else "",
        "lines": str(count_lines(MODULES[way])) if way in MODULES else "",
    }


def count_lines(modules: tuple[str, ...]) -> int:
    folder = Path(str(package.__file__)).parent
    return sum(len((folder / f"{name}.py").read_text().splitlines()) for name in modules)


def _ask(index: Index, method: Method) -> Callable[[np.ndarray], np.ndarray]:
    def search(query: np.ndarray) -> np.ndarray:
        return index.search(Query(query[None], NEIGHBOURS, method)).found[0].ids

    return search


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
