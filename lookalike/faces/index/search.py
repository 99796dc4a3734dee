"""Searching an opened index.

Every search works the same way: choose the rows to scan (all of them, or the cells that
Annoy names), bound their distances from their codes, and compare in full those that the
bounds leave, so that within the scanned rows the result is exact. Rows are then regrouped
to people, each by their best portrait.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.faces.index.clustering import Basis
from lookalike.faces.index.codes import CodedQuery, Codes, Coding, Terms, code_query
from lookalike.faces.index.folder import (
    BASIS,
    CELLS,
    CODES,
    PORTRAITS,
    TERMS,
    TREES,
    VECTORS,
    check_encoder,
    check_files,
    read_manifest,
)
from lookalike.faces.index.manifest import METRIC, Manifest
from lookalike.faces.index.rows import IndexRows, unit_vector
from lookalike.faces.index.scan import (
    NOTHING,
    Found,
    Rows,
    Scan,
    Span,
    measure_rows,
    rows_with,
    sorted_ids,
)
from lookalike.faces.types import Neighbour, Scale, Vector, Vectors

Ids = Collection[int] | NDArray[np.int64]

FEW: Final = 32
"""Where fewer than one row in so many passes a filter, these are read and compared in full
sooner than the codes of all."""


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
        self._codes: Codes = _map(folder / CODES, np.int8, (items, manifest.head)).ravel()
        self._terms: Terms = _map(folder / TERMS, np.float32, (3, items * bool(manifest.head)))
        self._coding = _read_coding(folder / BASIS, manifest) if manifest.head else None
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
        if self._coding is None:
            return Scan(self.vectors @ query, 2.0)
        return self._scan_spans(code_query(query, *self._coding), list(pairwise(self._cells)))

    def _scan_rows(self, query: Vector, rows: Rows) -> Scan:
        if self._coding is None or len(rows) * FEW < len(self):
            return Scan(self.vectors[rows] @ query, 2.0, rows)
        return self._scan_all(query).among(rows)

    def _scan_cells(self, query: Vector, probes: int, search_k: int) -> Scan:
        cells = self.name_cells(query, probes, search_k)
        if self._coding is None:
            rows = np.sort(cells)  # A cell a row.
            return Scan(self.vectors[rows] @ query, 2.0, rows)
        spans = [(self._cells[cell], self._cells[cell + 1]) for cell in sorted(cells)]
        return self._scan_spans(code_query(query, *self._coding), spans)

    def _scan_spans(self, coded: CodedQuery, spans: list[Span]) -> Scan:
        """Each span the rows of one cell, from the first to before the last."""
        width = self.manifest.head
        count = sum(stop - start for start, stop in spans)
        products, scores = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.float32)
        at = 0
        for start, stop in spans:
            if start == stop:
                continue
            end = at + stop - start
            codes = self._codes[start * width : stop * width].reshape(width, -1)
            products[at:end] = coded.multiply(codes)
            np.dot(coded.weights, self._terms[:, start:stop], out=scores[at:end])
            at = end
        coded.score(products, scores)
        return Scan(scores, coded.squared, spans)

    def name_cells(self, query: Vector, probes: int, search_k: int) -> list[int]:
        """The cells nearest to a query by Annoy, nearest first: at most ``probes``, and
        fewer when ``search_k`` nodes hold fewer."""
        point = query if self._coding is None else self._coding[0].heads(query)
        named: list[int] = self._trees.get_nns_by_vector(point, probes, search_k=search_k)
        return named

    def cells_of(self, rows: Rows) -> Rows:
        """Which cell each row lies in, in the same shape."""
        return np.asarray(np.searchsorted(self._cells, rows, side="right") - 1)

    # --- Comparing in full and regrouping ---

    def _search_cells(self, query: Vector, k: int, removed: Rows, newer: Found) -> Found:
        tuning = self.manifest.tuning
        probes, search_k = tuning.probes, tuning.search_k
        while probes < self.manifest.cells:
            scan = self._scan_cells(query, probes, search_k)
            found = self._nearest(query, scan, k, removed, newer)
            # Hardly more rows than people asked for would be any rows, not the nearest.
            if len(found) >= k and len(scan.scores) >= 2 * k:
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


def _read_coding(path: Path, manifest: Manifest) -> tuple[Basis, Coding]:
    numbers = np.fromfile(path, dtype=np.float64)
    table = numbers[3:].astype(np.float32).reshape(-1, manifest.dimensions)
    basis = Basis(table[0], np.ascontiguousarray(table[1:].T))
    return basis, Coding(*numbers[:3].tolist())


def _load_trees(folder: Path, manifest: Manifest) -> Any:
    """Annoy's index of the cells' centres; None for an index without rows."""
    if not manifest.items:
        return None
    from annoy import AnnoyIndex

    width = manifest.head or manifest.dimensions
    trees = AnnoyIndex(width, METRIC)
    trees.load(str(folder / TREES))
    return trees
