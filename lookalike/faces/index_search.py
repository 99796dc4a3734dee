"""Searching an opened index.

Every search works the same way: choose the rows to scan (all of them, the cells that
Annoy names, or those of a filter), bound their distances from their heads in one matrix
product, and compare in full those that the bounds leave, so that within the scanned rows
the result is exact. Rows are then regrouped to people, each by their best portrait.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.faces.clustering import Basis
from lookalike.faces.index_files import (
    BASIS,
    CELLS,
    HEADS,
    PORTRAITS,
    TREES,
    VECTORS,
    check_encoder,
    check_files,
    read_manifest,
)
from lookalike.faces.index_manifest import METRIC, Manifest
from lookalike.faces.index_rows import IndexRows, unit_vector
from lookalike.faces.index_scan import (
    NOTHING,
    Found,
    Rows,
    Scan,
    Span,
    measure_rows,
    rows_with,
    sorted_ids,
)
from lookalike.faces.similarity import Scale
from lookalike.faces.types import Neighbour, Vector, Vectors

Ids = Collection[int] | NDArray[np.int64]


def open_index(
    folder: Path, *, encoder_name: str | None = None, encoder_version: str | None = None
) -> Index:
    """Check an index and map its files. ``folder`` is the published one, its name included.

    Raises IndexMissing, IndexDamaged, or IndexStale when it is another encoder's than the
    one named. The first opening reads every file for its hash; later ones in the same
    process do not.
    """
    manifest = read_manifest(folder)
    check_encoder(manifest, encoder_name, encoder_version)
    check_files(folder, manifest)
    return Index(folder, manifest)


class Index:
    """An index whose files were checked. Read-only, and shared between processes."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        items, dimensions = manifest.items, manifest.dimensions
        self.manifest = manifest
        self.vectors: Vectors = _map(folder / VECTORS, np.float32, (items, dimensions))
        table = _map(folder / PORTRAITS, np.int64, (2, items))
        self.portrait_ids: Rows = table[0]
        self.celebrity_ids: Rows = table[1]
        self._cells: list[int] = np.fromfile(folder / CELLS, dtype=np.int64).tolist()
        self._basis: Basis | None = None
        self._heads = self.vectors
        if manifest.head:
            directions = np.fromfile(folder / BASIS, dtype=np.float32)
            directions = directions.reshape(-1, dimensions)
            self._basis = Basis(directions[0], np.ascontiguousarray(directions[1:].T))
            self._heads = _map(folder / HEADS, np.float32, (items, manifest.head))
        self._trees = _load_trees(folder, manifest)

    @property
    def scale(self) -> Scale:
        """What turns a distance into a number in this gallery."""
        return self.manifest.scale

    def __len__(self) -> int:
        return self.manifest.items

    def search(
        self,
        vector: ArrayLike,
        k: int,
        *,
        exact: bool | None = None,
        allowed: Ids | None = None,
        without_portraits: Collection[int] = (),
        extra: IndexRows | None = None,
    ) -> list[Neighbour]:
        """The ``k`` nearest people, nearest first, each once with their best portrait.

        ``exact`` True compares everyone, False uses Annoy, None whichever the build found
        faster at the recall asked for. ``allowed`` are the celebrity ids to search among,
        exactly. ``without_portraits`` are removed since the build, ``extra`` were added
        (searched exactly; a portrait in both the index and ``extra`` counts as in the
        latter). Fewer than ``k`` come only when there are fewer people. Raises BadVector
        for a vector that is zero, not finite or of another length.
        """
        query = unit_vector(vector, self.manifest.dimensions)
        newer = NOTHING
        if extra is not None and len(extra):
            newer = measure_rows(query, extra, without_portraits, allowed)
        removed = self._removed_rows(without_portraits, extra)
        if exact is None:
            exact = self.manifest.tuning.method == "exact"
        if allowed is not None:
            scan = self._scan_rows(query, self._rows_of_people(allowed))
        elif exact or not self._trees:
            scan = self._scan_all(query)
        else:
            return self._search_cells(query, k, removed, newer).neighbours(self.scale)
        return self._nearest(query, scan, k, removed, newer).neighbours(self.scale)

    def holds(self, portrait_ids: Sequence[int]) -> list[bool]:
        """Of each portrait, whether the index has it."""
        known: list[bool] = np.isin(portrait_ids, self.portrait_ids).tolist()
        return known

    # --- Choosing the rows to scan ---

    def _scan_all(self, query: Vector) -> Scan:
        head, squared = self._head_of(query)
        return Scan(self._heads @ head, squared)

    def _scan_rows(self, query: Vector, rows: Rows) -> Scan:
        head, squared = self._head_of(query)
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), 16_384):
            part = slice(start, start + 16_384)
            np.dot(self._heads[rows[part]], head, out=scores[part])
        return Scan(scores, squared, rows)

    def _scan_cells(self, query: Vector, probes: int, search_k: int) -> Scan:
        head, squared = self._head_of(query)
        spans = self._spans(self._name_cells(head, probes, search_k))
        scores = np.empty(sum(stop - start for start, stop in spans), dtype=np.float32)
        at = 0
        for start, stop in spans:
            end = at + stop - start
            np.dot(self._heads[start:stop], head, out=scores[at:end])
            at = end
        return Scan(scores, squared, spans)

    def name_cells(self, query: Vector, probes: int, search_k: int) -> list[int]:
        """The cells nearest to a query by Annoy, nearest first: at most ``probes``, and
        fewer when ``search_k`` nodes hold fewer."""
        return self._name_cells(self._head_of(query)[0], probes, search_k)

    def cells_of(self, rows: Rows) -> Rows:
        """Which cell each row lies in, in the same shape."""
        return np.asarray(np.searchsorted(self._cells, rows, side="right") - 1)

    def _name_cells(self, head: NDArray[np.float32], probes: int, search_k: int) -> list[int]:
        point = head if self._basis is None else head[:-2]
        named: list[int] = self._trees.get_nns_by_vector(point, probes, search_k=search_k)
        return named

    def _head_of(self, query: Vector) -> tuple[NDArray[np.float32], float]:
        # Without heads a row's score is its product with the query, both of unit length.
        return (query, 2.0) if self._basis is None else self._basis.query(query)

    def _spans(self, cells: list[int]) -> list[Span]:
        """The cells' rows as (start, stop), cells that lie side by side as one."""
        spans: list[Span] = []
        for cell in sorted(cells):
            start, stop = self._cells[cell], self._cells[cell + 1]
            if spans and spans[-1][1] == start:
                start = spans.pop()[0]
            spans.append((start, stop))
        return spans

    # --- Comparing in full and regrouping ---

    def _search_cells(self, query: Vector, k: int, removed: Rows, newer: Found) -> Found:
        tuning = self.manifest.tuning
        probes, search_k = max(tuning.probes, 2 * k), tuning.search_k
        while probes < self.manifest.cells:
            scan = self._scan_cells(query, probes, search_k)
            found = self._nearest(query, scan, k, removed, newer)
            if len(found) >= k:
                return found
            probes, search_k = probes * 8, search_k * 8
        return self._nearest(query, self._scan_all(query), k, removed, newer)

    def _nearest(self, query: Vector, scan: Scan, k: int, removed: Rows, newer: Found) -> Found:
        """The ``k`` nearest people among scanned and newer portraits, fewer if need be."""
        count = max(64, 4 * k)
        found = self._measure(query, scan.best(count), removed, newer)
        while len(found) < k and count < len(scan.scores):
            count *= 8
            found = self._measure(query, scan.best(count), removed, newer)
        if len(found) >= k > 0:
            rows = scan.within(float(found.distances[k - 1]))
            found = self._measure(query, rows, removed, newer)
        return found.take(slice(k))

    def _measure(self, query: Vector, rows: Rows, removed: Rows, newer: Found) -> Found:
        if len(removed):
            rows = rows[~np.isin(rows, removed)]
        distances = np.linalg.norm(self.vectors[rows] - query, axis=1)
        found = Found(distances, self.portrait_ids[rows], self.celebrity_ids[rows])
        return found.joined(newer).best_of_people()

    # --- From ids to rows ---

    def _removed_rows(self, without: Collection[int], extra: IndexRows | None) -> Rows:
        ids = sorted_ids(without)
        if extra is not None:
            ids = np.concatenate([ids, extra.portrait_ids])
        if not len(ids):
            return ids
        order, portraits = self._by_portrait
        return rows_with(order, portraits, ids)

    def _rows_of_people(self, allowed: Ids) -> Rows:
        order, people = self._by_person
        return np.sort(rows_with(order, people, sorted_ids(allowed)))

    @cached_property
    def _by_portrait(self) -> tuple[Rows, Rows]:
        order = np.argsort(self.portrait_ids, kind="stable")
        return order, self.portrait_ids[order]

    @cached_property
    def _by_person(self) -> tuple[Rows, Rows]:
        order = np.argsort(self.celebrity_ids, kind="stable")
        return order, self.celebrity_ids[order]


def _map(path: Path, kind: type[Any], shape: tuple[int, int]) -> NDArray[Any]:
    if 0 in shape:
        return np.empty(shape, dtype=kind)
    # A plain array over the mapping: numpy's memmap class slows down every slice.
    return np.asarray(np.memmap(path, dtype=kind, mode="r", shape=shape))


def _load_trees(folder: Path, manifest: Manifest) -> Any:
    """Annoy's index of the cells' centres; None for an index without rows."""
    if not manifest.items:
        return None
    from annoy import AnnoyIndex

    width = manifest.head - 2 if manifest.head else manifest.dimensions
    trees = AnnoyIndex(width, METRIC)
    trees.load(str(folder / TREES))
    return trees
