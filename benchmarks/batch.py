"""Batches against one photo at a time, and Annoy against an exhaustive scan.

    python -m benchmarks.batch [--photos 500] [--write]

With --write the table goes into docs/batch.md, between its marks.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from batchflow import B, Dataset, FilesIndex, Pipeline
from PIL import Image, ImageEnhance

from lookalike.batch import CelebrityBatch, EncoderModel, get_engine
from lookalike.batch.steps import open_file
from lookalike.faces.index import Index, IndexRows, build_index, open_index
from lookalike.faces.types import Vectors

ROOT = Path(__file__).resolve().parent.parent
CAST = ROOT / "celebrities" / "demo"
PAGE = ROOT / "docs" / "batch.md"
MARKS = ("<!-- figures -->", "<!-- end of figures -->")

BATCH_SIZE = 64
RUNS = 3
SIZES = (10_000, 100_000)
QUERIES = 200
NEAREST = 7
"""The ancestor of this project searched for seven neighbours and told how many were right."""


def make_photos(folder: Path, count: int) -> None:
    """``count`` photos of the cast: each another cut, size and brightness of one of them."""
    rng = np.random.default_rng(1)
    cast = sorted(CAST.glob("*_[123].jpg"))
    for number in range(count):
        with Image.open(cast[number % len(cast)]) as image:
            left, top, right, bottom = rng.integers(0, 30, 4).tolist()
            cut = image.crop((left, top, image.width - right, image.height - bottom))
            larger = cut.resize([round(side * rng.uniform(1.0, 2.0)) for side in cut.size])
            lit = ImageEnhance.Brightness(larger).enhance(rng.uniform(0.8, 1.2))
            lit.save(folder / f"{number:04}.jpg", quality=90)


def encode_one_by_one(folder: Path) -> dict[str, np.ndarray]:
    engine = get_engine()
    vectors = {}
    for path in sorted(folder.glob("*.jpg")):
        photo, found = engine.find_faces(open_file(path), max_faces=1)
        if found:
            vectors[path.name] = engine.encode_faces(photo, found)[0].vector
    return vectors


def encode_in_batches(folder: Path) -> dict[str, np.ndarray]:
    data = Dataset(FilesIndex(path=f"{folder}/*.jpg", sort=True), CelebrityBatch)
    pipeline = Pipeline().init_model("faces", EncoderModel, "static")
    pipeline = pipeline.load_cv().detect_face().crop_from_bbox()
    pipeline = pipeline.predict_model("faces", B.images, save_to=B.embedding) << data
    vectors: dict[str, np.ndarray] = {}
    for batch in pipeline.gen_batch(min(BATCH_SIZE, len(data)), n_epochs=1):
        vectors.update(zip(*batch.stack("embedding"), strict=True))
    return vectors


def bench_batches(count: int) -> list[str]:
    """Both ways in turn, several times; rows of the table."""
    ways = {"one by one": encode_one_by_one, "in batches": encode_in_batches}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder, count)
        found = {}
        for run in range(RUNS):
            for way in list(ways)[:: -1 if run % 2 else 1]:
                started = time.perf_counter()
                found[way] = ways[way](folder)
                seconds[way].append(time.perf_counter() - started)
    alone, together = found.values()
    assert alone.keys() == together.keys()
    apart = max(float(np.abs(alone[name] - together[name]).max()) for name in alone)
    same = f"vectors that differ by {apart:.0e} at most" if apart else "the same vectors"
    rates = {way: count / statistics.median(times) for way, times in seconds.items()}
    times_faster = rates["in batches"] / rates["one by one"]
    return [
        f"| Photos to vectors, {count} photos of the cast | photos a second |",
        "|---|---|",
        f"| one by one | {rates['one by one']:.1f} |",
        f"| in batches of {BATCH_SIZE} | {rates['in batches']:.1f} ({times_faster:.1f} times) |",
        "",
        f"Both ways found {len(alone)} faces and {same}.",
    ]


def make_vectors(count: int) -> Vectors:
    """Unit vectors that are spread as those of the cast are."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in CAST.glob("*_[123].jpg"):
            (folder / path.name).symlink_to(path)
        known = np.stack(list(encode_in_batches(folder).values()))
    rng = np.random.default_rng(2)
    # Normal numbers mixed by the centred vectors have the vectors' own covariance; a little
    # noise keeps directions that 144 photos leave empty from being empty altogether.
    mix = (known - known.mean(axis=0)) / np.sqrt(len(known))
    made = known.mean(axis=0) + rng.standard_normal((count, len(known))) @ mix
    made += rng.normal(0, 0.01, made.shape)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def time_search(search: Callable[[np.ndarray], list[int]], queries: Vectors) -> tuple[float, list]:
    """Median milliseconds a query, and what was found."""
    times, found = [], []
    for query in queries:
        started = time.perf_counter()
        found.append(search(query))
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), found


def scan_all(vectors: Vectors) -> Callable[[np.ndarray], list[int]]:
    def search(query: np.ndarray) -> list[int]:
        products = vectors @ query
        nearest = np.argpartition(products, -NEAREST)[-NEAREST:]
        return nearest[np.argsort(-products[nearest])].tolist()

    return search


def ask_annoy(vectors: Vectors, trees: int) -> Callable[[np.ndarray], list[int]]:
    """Annoy with its defaults, as the ancestor used it."""
    index = AnnoyIndex(vectors.shape[1], "euclidean")
    index.set_seed(1)
    for number, vector in enumerate(vectors):
        index.add_item(number, vector)
    index.build(trees, n_jobs=1)
    return lambda query: index.get_nns_by_vector(query, NEAREST)


def open_built(vectors: Vectors, folder: Path) -> Index:
    numbers = np.arange(len(vectors))
    rows = IndexRows(vectors, numbers, numbers)
    build_index(folder, "bench", rows, encoder_name="dlib", encoder_version="1")
    return open_index(folder / "bench")


def bench_search(size: int) -> list[str]:
    made = make_vectors(size + QUERIES)
    vectors, queries = made[:size], made[size:]
    with tempfile.TemporaryDirectory() as folder:
        index = open_built(vectors, Path(folder))
        ways = {
            "exhaustive scan": scan_all(vectors),
            "Annoy, 10 trees, its defaults": ask_annoy(vectors, 10),
            "this index, approximate": lambda query: [
                line.portrait_id for line in index.search(query, NEAREST, exact=False)
            ],
            "this index, exact": lambda query: [
                line.portrait_id for line in index.search(query, NEAREST, exact=True)
            ],
        }
        measured = {name: time_search(search, queries) for name, search in ways.items()}
    slow, right = measured["exhaustive scan"]
    rows = []
    for name, (ms, found) in measured.items():
        kept = statistics.mean(len(set(a) & set(b)) for a, b in zip(found, right, strict=True))
        rows.append(f"| {size:,} | {name} | {kept:.2f} of {NEAREST} | {ms:.2f} | {slow / ms:.1f} |")
    return rows


def describe_machine(load: float) -> str:
    """``load`` is the machine's average before the run: beside other work, batches have no
    free core to gain by, and every figure is worse."""
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    return (
        f"Measured on {cores} cores ({platform.machine()}), Python {python}, with a load of "
        f"{load:.1f} before."
    )


def write_page(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/batch.md")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    lines = bench_batches(options.photos)
    lines += [
        "",
        f"| Photos in the index | Search for {NEAREST} | right | ms | times as fast as the scan |",
        "|---|---|---|---|---|",
    ]
    for size in SIZES:
        lines += bench_search(size)
    text = "\n".join([*lines, "", describe_machine(load)])
    print(text)
    if options.write:
        write_page(text)


if __name__ == "__main__":
    main()
