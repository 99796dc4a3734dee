"""Parts 5 and 6: how cost and memory grow as there is more to do."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.engine import analyse_file, make_engine
from benchmarks.index import draw_vectors, find_vectors
from benchmarks.peers import ROOT, WORK
from benchmarks.photos import find_portraits
from benchmarks.timing import time_beside

GALLERIES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
SIDES = (500, 1_000, 2_000, 3_000, 4_000)
FACES = (1, 2, 4, 6, 8)
MIXED_PHOTOS = 2_000


def bench_growth() -> dict[str, dict[str, float]]:
    """{what grows: {its amount: milliseconds}}."""
    return {
        "portraits in the gallery": _grow_gallery(),
        "faces in the photo": _grow_faces(),
        "megapixels of the photo": _grow_photo(),
    }


def _grow_gallery() -> dict[str, float]:
    from lookalike.faces.index import IndexRows, build_index, open_index

    known = find_vectors()
    times = {}
    for count in GALLERIES:
        numbers = np.arange(count, dtype=np.int64)
        rows = IndexRows(draw_vectors(known, count, 128, seed=1), numbers, numbers)
        build_index(WORK / "growth", "one", rows, encoder_name="dlib", encoder_version="1")
        index = open_index(WORK / "growth" / "one")
        queries = draw_vectors(known, 20, 128, seed=2)
        found = time_beside({"search": lambda i=index, q=queries: [i.search(v, 6) for v in q]})
        times[str(count)] = round(found["search"] / len(queries), 4)
    return times


def _grow_faces() -> dict[str, float]:
    engine = make_engine()
    faces = [Image.open(path).convert("RGB").resize((400, 489)) for path in find_portraits(8)]
    times = {}
    for count in FACES:
        wall = Image.new("RGB", (1600, 1000), (118, 122, 126))
        for place, face in enumerate(faces[:count]):
            wall.paste(face, (place % 4 * 400, place // 4 * 500))
        path = WORK / "faces.jpg"
        wall.save(path, quality=92)
        assert analyse_file(engine, path) == count
        found = time_beside({"photo": partial(analyse_file, engine, path)})
        times[str(count)] = round(found["photo"], 2)
    return times


def _grow_photo() -> dict[str, float]:
    engine = make_engine()
    face = Image.open(find_portraits(1)[0]).convert("RGB")
    times = {}
    for side in SIDES:
        path = WORK / "photo.jpg"
        face.resize((side * 3 // 4, side), Image.Resampling.BICUBIC).save(path, quality=92)
        found = time_beside({"photo": partial(analyse_file, engine, path)})
        times[f"{side * side * 3 / 4 / 1e6:.2f}"] = round(found["photo"], 2)
    return times


def bench_memory() -> dict[str, float]:
    """Megabytes of a process that holds the engine, after 50 and after 2,000 mixed photos."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, last = map(float, done.stdout.split())
    return {
        "photos": MIXED_PHOTOS,
        "after_50_mb": round(first, 1),
        "after_all_mb": round(last, 1),
        "grown": round(last / first - 1, 4),
    }


def _resident_mb() -> float:
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) / 1024


def _run_mixed_photos() -> None:
    """Photos of many sizes, some of several faces, some of none."""
    rng = random.Random(1)
    engine = make_engine()
    paths = []
    faces = [Image.open(path).convert("RGB") for path in find_portraits(12)]
    for number in range(40):
        side = rng.choice((300, 600, 900, 1600, 3000))
        canvas = Image.new("RGB", (side, side), (rng.randrange(256), 90, 90))
        for _ in range(rng.randrange(4)):
            part = rng.randrange(side // 4, side // 2)
            face = rng.choice(faces).resize((part, part * 11 // 9))
            canvas.paste(face, (rng.randrange(side - part), rng.randrange(side - part)))
        path = WORK / f"mixed-{number}.jpg"
        canvas.save(path, quality=90)
        paths.append(path)
    from lookalike.faces.errors import FaceTooSmall

    first = 0.0
    for number in range(MIXED_PHOTOS):
        try:
            analyse_file(engine, rng.choice(paths))
        except FaceTooSmall:
            continue
        if number == 50:
            first = _resident_mb()
    sys.stdout.write(f"{first} {_resident_mb()}\n")


if __name__ == "__main__":
    _run_mixed_photos()
