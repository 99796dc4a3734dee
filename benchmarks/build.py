"""Part "build": the whole build of a large gallery from the database, statistics included."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import django
import numpy as np

from benchmarks.figures import Figures
from benchmarks.index import draw_vectors, find_vectors
from benchmarks.paths import WORK
from benchmarks.timing import amount

SIZES = (amount(100_000, quick=2_000), amount(1_000_000, quick=4_000))
"""People, with two or three portraits each by turns."""

SPREAD = 0.019
"""Deviation of each of 128 numbers between portraits of a person, who are then 0.955 similar."""

AT_ONCE = 10_000


def bench_build() -> Figures:
    """Seconds, and the most memory in megabytes that the process ever had, filling included."""
    folder = WORK / "build"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start_django(folder)
    from celebrities.index.rebuild import rebuild_index

    known, rows, filled = find_vectors(), {}, 0
    for people in SIZES:
        fill(known, filled, people)
        filled = people
        started = time.perf_counter()
        build = rebuild_index()
        rows[f"{people:,}"] = {
            "portraits": f"{build.items:,}",
            "seconds": round(time.perf_counter() - started, 1),
            "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "way": build.method,
        }
    shutil.rmtree(folder)
    return {"rows": rows}


def start_django(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "lookalike.settings",
        "LOOKALIKE_DATA_DIR": str(folder),
        "LOOKALIKE_HTTPS": "0",
        "DATABASE_URL": "",
    }
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(known: np.ndarray, start: int, stop: int) -> None:
    """The people from ``start`` to ``stop``, in parts."""
    from django.utils import timezone

    from celebrities.models import Celebrity, Portrait
    from lookalike.engine import configured_encoder

    encoder, now = str(configured_encoder()), timezone.now()
    for numbers, vectors in draw_people(known, start, stop):
        Celebrity.objects.bulk_create(
            Celebrity(pk=number + 1, name=f"Person {number}", slug=f"person-{number}")
            for number in dict.fromkeys(numbers)
        )
        Portrait.objects.bulk_create(
            Portrait(
                celebrity_id=number + 1,
                image=f"portraits/{number}-{place}.jpg",
                image_hash=f"{number}-{place}",
                vector=vector.tobytes(),
                status=Portrait.Status.READY,
                encoder=encoder,
                embedded_at=now,
            )
            for place, (number, vector) in enumerate(zip(numbers, vectors, strict=True))
        )


def draw_people(known: np.ndarray, start: int, stop: int) -> Iterator[tuple[list[int], np.ndarray]]:
    """The number of each portrait's person, and the portraits' unit vectors."""
    for first in range(start, stop, AT_ONCE):
        numbers = np.arange(first, min(first + AT_ONCE, stop))
        rng = np.random.default_rng(first)
        owners = numbers.repeat(2 + numbers % 2)
        centres = draw_vectors(known, len(numbers), known.shape[1], seed=first + 1)
        drawn = centres[owners - first] + rng.normal(0, SPREAD, (len(owners), known.shape[1]))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        yield owners.tolist(), drawn.astype("<f4")
