"""Part "batch": batches against one photo at a time, and Annoy against an exhaustive scan."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from batchflow import B, Dataset, FilesIndex, Pipeline
from PIL import Image, ImageEnhance

from benchmarks.figures import Figures
from benchmarks.index import build_and_open, draw_vectors, find_vectors
from benchmarks.paths import CAST
from benchmarks.timing import alternate, amount, time_once
from lookalike.batch import CelebrityBatch, EncoderModel, get_engine
from lookalike.batch.steps import open_file
from lookalike.faces.index import IndexRows, Query
from lookalike.faces.types import Vector, Vectors

PHOTOS = amount(500, quick=40)
BATCH_SIZE = 64
RUNS = amount(3, quick=1)
SIZES = (10_000, 100_000)[: amount(2, quick=1)]
QUERIES = 200
NEAREST = 7
"""The ancestor of this project searched for seven neighbours."""

Search = Callable[[Vector], list[int]]


def bench_batch() -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        make_photos(Path(folder), PHOTOS)
        rates, vectors = _measure_rates(Path(folder))
    alone, together = vectors.values()
    assert alone.keys() == together.keys()
    return {
        "photos": PHOTOS,
        "batch_size": BATCH_SIZE,
        **rates,
        "faces": len(alone),
        "largest_difference": max(float(np.abs(alone[n] - together[n]).max()) for n in alone),
        "nearest": NEAREST,
        "searches": [row for size in SIZES for row in _measure_searches(size)],
    }


def make_photos(folder: Path, count: int) -> None:
    """Photos of the cast, each with its own cut, size and brightness."""
    rng = np.random.default_rng(1)
    cast = sorted(CAST.glob("*_[123].jpg"))
    for number in range(count):
        with Image.open(cast[number % len(cast)]) as image:
            left, top, right, bottom = rng.integers(0, 30, 4).tolist()
            cut = image.crop((left, top, image.width - right, image.height - bottom))
            larger = cut.resize([round(side * rng.uniform(1.0, 2.0)) for side in cut.size])
            lit = ImageEnhance.Brightness(larger).enhance(rng.uniform(0.8, 1.2))
            lit.save(folder / f"{number:04}.jpg", quality=90)


def _measure_rates(folder: Path) -> tuple[dict[str, float], dict[str, dict[str, Vector]]]:
    """Photos per second of both ways, and the vectors that they find by file name."""
    ways = {"one_by_one": encode_one_by_one, "in_batches": encode_in_batches}
    times: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, dict[str, Vector]] = {}
    for _, names in zip(range(RUNS), alternate([*ways]), strict=False):
        for name in names:
            started = time.perf_counter()
            vectors[name] = ways[name](folder)
            times[name].append(time.perf_counter() - started)
    rates = {name: PHOTOS / statistics.median(found) for name, found in times.items()}
    return {name: round(rate, 1) for name, rate in rates.items()}, vectors


def encode_one_by_one(folder: Path) -> dict[str, Vector]:
    engine = get_engine()
    vectors = {}
    for path in sorted(folder.glob("*.jpg")):
        photo, found = engine.find_faces(open_file(path), max_faces=1)
        if found:
            vectors[path.name] = engine.encode_faces(photo, found)[0].vector
    return vectors


def encode_in_batches(folder: Path) -> dict[str, Vector]:
    data = Dataset(FilesIndex(path=f"{folder}/*.jpg", sort=True), CelebrityBatch)
    pipeline = Pipeline().init_model("faces", EncoderModel, "static")
    pipeline = pipeline.load_cv().detect_face().crop_from_bbox()
    pipeline = pipeline.predict_model("faces", B.images, save_to=B.embedding) << data
    vectors: dict[str, Vector] = {}
    for batch in pipeline.gen_batch(min(BATCH_SIZE, len(data)), n_epochs=1):
        vectors.update(zip(*batch.stack("embedding"), strict=True))
    return vectors


def _measure_searches(size: int) -> list[Figures]:
    made = draw_vectors(find_vectors(), size + QUERIES, 128, seed=2)
    vectors, queries = made[:size], made[size:]
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "exhaustive scan": scan_all(vectors),
            "Annoy, 10 trees, its defaults": _ask_annoy(vectors, 10),
            "this index": _ask_ours(vectors, Path(folder)),
        }
        found = {name: [search(query) for query in queries] for name, search in ways.items()}
        times = {
            name: statistics.median(time_once(search, query) for query in queries)
            for name, search in ways.items()
        }
    right, slow = found["exhaustive scan"], times["exhaustive scan"]
    return [
        {
            "photos": size,
            "way": name,
            "right": round(count_right(found[name], right), 2),
            "ms": round(ms, 3),
            "times": round(slow / ms, 1),
        }
        for name, ms in times.items()
    ]


def count_right(found: list[list[int]], right: list[list[int]]) -> float:
    """Mean number of true neighbours found per query."""
    return statistics.mean(len({*a} & {*b}) for a, b in zip(found, right, strict=True))


def scan_all(vectors: Vectors) -> Search:
    def search(query: Vector) -> list[int]:
        products = vectors @ query
        nearest = np.argpartition(products, -NEAREST)[-NEAREST:]
        return [int(row) for row in nearest[np.argsort(-products[nearest])]]

    return search


def _ask_annoy(vectors: Vectors, trees: int) -> Search:
    """Annoy with its defaults, as the ancestor used it."""
    index = AnnoyIndex(vectors.shape[1], "euclidean")
    index.set_seed(1)
    for number, vector in enumerate(vectors):
        index.add_item(number, vector)
    index.build(trees, n_jobs=1)

    def search(query: Vector) -> list[int]:
        rows: list[int] = index.get_nns_by_vector(query, NEAREST)
        return rows

    return search


def _ask_ours(vectors: Vectors, folder: Path) -> Search:
    numbers = np.arange(len(vectors))
    index = build_and_open(folder, IndexRows.of_vectors(vectors, numbers))
    return lambda query: index.search(Query(query[None], NEAREST)).found[0].ids.tolist()
