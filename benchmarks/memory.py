"""Part "memory": does a process that holds the engine grow with the photos it has seen?"""

from __future__ import annotations

import random
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.engine import analyse_file, make_engine
from benchmarks.figures import Figures
from benchmarks.paths import WORK
from benchmarks.portraits import find_portraits
from benchmarks.timing import amount
from lookalike.faces.errors import FaceTooSmall

FIRST = 50
PHOTOS = amount(2_000, quick=100)


def bench_memory() -> Figures:
    """Resident megabytes after 50 and after all photos, and the growth as a share."""
    rng = random.Random(1)
    engine, paths = make_engine(), make_mixed_photos(rng)
    sizes = []
    for number in range(PHOTOS):
        if number == FIRST:
            sizes.append(_resident_mb())
        try:
            analyse_file(engine, rng.choice(paths))
        except FaceTooSmall:
            continue
    first, last = sizes[0], _resident_mb()
    return {
        "photos": PHOTOS,
        "first_mb": round(first, 1),
        "last_mb": round(last, 1),
        "grown": round(last / first - 1, 4),
    }


def make_mixed_photos(rng: random.Random) -> list[Path]:
    """Forty photos of different sizes, with up to three faces."""
    faces = [Image.open(path).convert("RGB") for path in find_portraits(12)]
    paths = []
    for number in range(40):
        side = rng.choice((300, 600, 900, 1600, 3000))
        canvas = Image.new("RGB", (side, side), (rng.randrange(256), 90, 90))
        for _ in range(rng.randrange(4)):
            width = rng.randrange(side // 4, side // 2)
            face = rng.choice(faces).resize((width, width * 11 // 9))
            canvas.paste(face, (rng.randrange(side - width), rng.randrange(side - width)))
        paths.append(WORK / f"mixed-{number}.jpg")
        canvas.save(paths[-1], quality=90)
    return paths


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
