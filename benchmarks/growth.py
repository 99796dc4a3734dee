"""Part "growth": milliseconds as gallery, faces and photo grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.engine import analyse_file, make_engine
from benchmarks.figures import Figures
from benchmarks.index import build_and_open, draw_vectors, find_vectors
from benchmarks.paths import WORK
from benchmarks.portraits import find_portraits
from benchmarks.timing import amount, time_beside
from lookalike.faces.index import IndexRows, Query

GALLERIES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)[: amount(6, quick=2)]
SIDES = (500, 1_000, 2_000, 3_000, 4_000)
FACES = (1, 2, 4, 6, 8)
QUERIES = 20


def bench_growth() -> Figures:
    """{what grows: {its amount: milliseconds}}."""
    return {
        "portraits in the gallery": _measure(GALLERIES, _prepare_gallery, QUERIES),
        "faces in the photo": _measure(FACES, _prepare_faces),
        "megapixels of the photo": {
            f"{side * side * 0.75 / 1e6:.2f}": ms
            for side, ms in zip(SIDES, _measure(SIDES, _prepare_photo).values(), strict=True)
        },
    }


def _measure(
    amounts: Iterable[int], prepare: Callable[[int], Callable[[], Any]], parts: int = 1
) -> dict[str, float]:
    """Milliseconds by amount; the prepared work is done ``parts`` times in one call."""
    times = {}
    for number in amounts:
        ms = time_beside({"work": prepare(number)})["work"]
        times[str(number)] = round(ms / parts, 4)
    return times


def _prepare_gallery(count: int) -> Callable[[], Any]:
    known, numbers = find_vectors(), np.arange(count, dtype=np.int64)
    rows = IndexRows.of_vectors(draw_vectors(known, count, 128, seed=1), numbers)
    index = build_and_open(WORK / "growth", rows)
    queries = draw_vectors(known, QUERIES, 128, seed=2)
    return lambda: [index.search(Query(query[None], 6)) for query in queries]


def _prepare_faces(count: int) -> Callable[[], Any]:
    """A photo of up to eight faces in two rows."""
    wall = Image.new("RGB", (1600, 1000), (118, 122, 126))
    for place, path in enumerate(find_portraits(count)):
        face = Image.open(path).convert("RGB").resize((400, 489))
        wall.paste(face, (place % 4 * 400, place // 4 * 500))
    work = _prepare_file(wall)
    assert work() == count
    return work


def _prepare_photo(side: int) -> Callable[[], Any]:
    face = Image.open(find_portraits(1)[0]).convert("RGB")
    return _prepare_file(face.resize((side * 3 // 4, side), Image.Resampling.BICUBIC))


def _prepare_file(image: Image.Image) -> Callable[[], int]:
    path = WORK / "growth.jpg"
    image.save(path, quality=92)
    return partial(analyse_file, make_engine(), path)
