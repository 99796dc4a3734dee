"""A build in use that some process could not open: said once in the log, and noted in the cache, so
that health tells it and the gallery's worker builds anew."""

from __future__ import annotations

import contextlib
import logging

from django.core.cache import cache

from celebrities.models import IndexBuild
from lookalike.faces.errors import IndexProblem, IndexStale
from lookalike.outages import CACHE_FAILURES

logger = logging.getLogger(__name__)

KEY = "unopenable-build"
SECONDS = 600

_told: set[str] = set()
"""What this process has logged."""


def report_unopenable(build: IndexBuild, problem: IndexProblem) -> None:
    """An encoder that this process does not know is no fault of the build's files."""
    if str(problem) not in _told:
        _told.add(str(problem))
        logger.error("The index in use cannot be opened: %s", problem)
    if not isinstance(problem, IndexStale):
        with contextlib.suppress(*CACHE_FAILURES):
            cache.set(KEY, build.name, SECONDS)


def forget_unopenable(build: IndexBuild) -> None:
    _told.clear()
    try:
        if cache.get(KEY) == build.name:
            cache.delete(KEY)
    except CACHE_FAILURES:
        pass


def is_reported(build: IndexBuild) -> bool:
    try:
        return bool(cache.get(KEY) == build.name)
    except CACHE_FAILURES:
        return False
