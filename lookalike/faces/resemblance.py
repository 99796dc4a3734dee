"""Who in a gallery looks most like whom in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index_search import Index

BLOCK_SCORES: Final = 16_000_000
"""Products held at a time: 64 MB."""


class Resemblances(NamedTuple):
    """Four arrays of one length: a person, another, their best portraits' distance (0 to 2)
    and its number (0 to 100). Sorted by person, then nearest first."""

    celebrity_ids: NDArray[np.int64]
    other_ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    similarities: NDArray[np.float32]


def nearest_people(
    index: Index, k: int = 10, *, progress: Callable[[float], None] | None = None
) -> Resemblances:
    """The ``k`` nearest others of each person in the index, by the nearest pair of their
    portraits, exactly. Each person is in it with fewer only where there are fewer people.

    Compares everyone with everyone in matrix products: some seconds for 10,000 portraits,
    a hundred times as many for 100,000. ``progress`` is told the share done, 0 to 1.
    """
    order = np.argsort(index.celebrity_ids, kind="stable")
    vectors, people = index.vectors[order], index.celebrity_ids[order]
    ids, starts = np.unique(people, return_index=True)
    found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    for first, last in _blocks(starts, len(people)):
        stop = starts[last] if last < len(starts) else len(people)
        products = vectors[starts[first] : stop] @ vectors.T
        # A person's product with a portrait is that of their own nearest portrait.
        own = np.maximum.reduceat(products, starts[first:last] - starts[first], axis=0)
        pairs = np.maximum.reduceat(own, starts, axis=1)
        pairs[np.arange(last - first), np.arange(first, last)] = -np.inf
        found += [_nearest(row, k) for row in pairs]
        if progress is not None:
            progress(last / len(ids))
    return _resemblances(index, ids, found)


def _blocks(starts: NDArray[np.int64], total: int) -> Iterator[tuple[int, int]]:
    """People (first, after the last) whose products fit in memory together."""
    rows = max(1, BLOCK_SCORES // max(total, 1))
    first = 0
    while first < len(starts):
        last = int(np.searchsorted(starts, starts[first] + rows))
        yield first, max(last, first + 1)
        first = max(last, first + 1)


def _nearest(
    products: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places of the ``k`` largest finite products, largest first, and the products."""
    k = min(k, len(products) - 1)
    if k < 1:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    places = np.flatnonzero(products >= np.partition(products, -k)[-k])
    places = places[np.argsort(-products[places], kind="stable")][:k]
    return places, products[places]


def _resemblances(
    index: Index,
    ids: NDArray[np.int64],
    found: list[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> Resemblances:
    counts = [len(places) for places, _ in found]
    if not sum(counts):
        none = np.empty(0, dtype=np.int64)
        return Resemblances(none, none, none.astype(np.float32), none.astype(np.float32))
    products = np.concatenate([products for _, products in found])
    distances = np.sqrt(np.maximum(2.0 - 2.0 * products, 0.0))
    others = ids[np.concatenate([places for places, _ in found])]
    return Resemblances(np.repeat(ids, counts), others, distances, index.scale.numbers(distances))
