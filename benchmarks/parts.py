"""The parts of `make benchmark`, and how one is run."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module

from benchmarks.figures import Record, record_part

PARTS = (
    "photos",
    "encoders",
    "start",
    "site",
    "scaling",
    "pages",
    "index",
    "build",
    "desk",
    "growth",
    "memory",
    "quality",
    "batch",
)
"""Each is a module with a function `bench_<part>`, which returns its figures."""


def run_part(part: str) -> Record:
    """In a process of its own, so that no part inherits another's memory or threads."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_measure, part).result()


def _measure(part: str) -> Record:
    module = import_module(f"benchmarks.{part}")
    return record_part(getattr(module, f"bench_{part}"))
