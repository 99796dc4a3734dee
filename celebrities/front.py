"""What the first page and the form show of the gallery, read once for each of its revisions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

from celebrities.filters import EVERYBODY
from celebrities.models import Category, Celebrity, IndexBuild
from celebrities.revision import read_revision
from celebrities.samples import choose_pair, choose_samples

KEEP_SECONDS = 60
"""A change that the cache missed is seen after this long."""


@dataclass(frozen=True, slots=True)
class Front:
    """``revision`` is None if none of it may be kept. ``people`` counts whom a search compares
    with, ``coming`` whose first portrait is still to be read. ``pair`` are two who look alike, or
    nobody."""

    revision: str | None
    people: int
    coming: int
    categories: list[Category]
    genders: frozenset[str]
    is_approximate: bool
    samples: list[Celebrity]
    pair: list[Celebrity]


def read_front() -> Front:
    revision = read_revision()
    return _keep(revision, time.monotonic() // KEEP_SECONDS) if revision else _read(None)


@lru_cache(maxsize=2)
def _keep(revision: str, minute: float) -> Front:
    return _read(f"{revision} {minute}")


def _read(revision: str | None) -> Front:
    build, samples = IndexBuild.objects.current(), choose_samples()
    people = Celebrity.objects.searchable().order_by()
    return Front(
        revision=revision,
        people=EVERYBODY.count(),
        coming=Celebrity.objects.coming().count(),
        categories=list(Category.objects.offered()),
        genders=frozenset(people.values_list("gender", flat=True).distinct()),
        is_approximate=build is not None and build.method == "approximate",
        samples=samples,
        pair=choose_pair(samples),
    )
