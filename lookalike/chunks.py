"""Lists of a bounded length out of any iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one shorter. Replace by itertools.batched in 3.12."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
