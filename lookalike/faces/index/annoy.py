"""The Annoy index: trees over the rows' directions name candidates, which are then scored.

The trees compare few coordinates: a direction less the mean direction, on the first
principal components. Candidates are scored with their whole rows, so scores and the order of
what is found are exact.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.exact import ExactIndex
from lookalike.faces.index.facts import BuildFacts
from lookalike.faces.index.folder import (
    BIAS,
    FILES,
    IDS,
    PROJECTION,
    ROWS,
    TREES,
    checksum,
    publish,
    read_facts,
    write_facts,
)
from lookalike.faces.index.protocol import (
    BLOCK,
    Found,
    IndexRows,
    Progress,
    Query,
    unit_vectors,
)
from lookalike.faces.index.tuning import tune
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId, Vector

COMPONENTS: Final = 48
TREE_COUNT: Final = 48
NODES_PER_CANDIDATE: Final = 15
"""Chosen at 100,000 and a million rows a person, of 128 and 512 numbers: 32 components or
16 trees need a wider search for a recall of 0.99, 64 of either only take longer."""

WIDTHS: Final = (500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 7000, 8000, 10_000)
"""Candidates of a search. Annoy inspects 15 times as many nodes."""

SAMPLE: Final = 20_000
"""Rows that mean and principal components are computed from."""


class AnnoyIndex(ExactIndex):
    """A checked folder, mapped read-only and shared between processes."""

    widths: Sequence[int] = WIDTHS

    def __init__(self, folder: Path, facts: BuildFacts) -> None:
        n, d = facts.items, facts.dimensions
        ids, checksums = _map(folder / IDS, np.int64, (2, n))
        rows = _map(folder / ROWS, np.float32, (n, d))
        bias = _map(folder / BIAS, np.float32, (n,))
        super().__init__(IndexRows(rows, bias, ids, checksums), EncoderId.parse(facts.encoder))
        self.facts = facts
        self.method = facts.method
        projection = np.fromfile(folder / PROJECTION, dtype=np.float32).reshape(-1, d)
        self._mean, self._components = projection[0], projection[1:]
        self._trees = _load_trees(folder / TREES, len(self._components)) if n else None

    def _find_candidates(
        self, vector: Vector, query: Query, allowed: NDArray[np.bool_] | None
    ) -> Found | None:
        if self._trees is None:
            return None
        width = max(query.width or self.facts.width, 4 * query.k)
        point = self._components @ (vector - self._mean)
        named = self._trees.get_nns_by_vector(point, width, search_k=width * NODES_PER_CANDIDATE)
        at = np.sort(np.array(named, dtype=np.int64))
        if allowed is not None:
            at = at[allowed[at]]
        return self._find_among(vector, query.k, at) if len(at) >= query.k else None


def open_index(folder: Path) -> AnnoyIndex:
    """Check the index ``folder`` and map it. Reads every file once for its checksum.

    Raises IndexMissing or IndexDamaged.
    """
    return AnnoyIndex(folder, read_facts(folder))


def build_index(
    folder: Path,
    name: str,
    rows: IndexRows,
    encoder: EncoderId,
    calibration: Calibration,
    *,
    recall: float = 0.99,
    progress: Progress = lambda step, share: None,
) -> BuildFacts:
    """Build an index of the rows and publish it as ``folder/name``.

    ``recall`` is the share of the 12 best rows that searches must find. A build that
    fails or is killed changes nothing. Raises BadVector for rows that are zero or not
    finite, and ValueError for an id that occurs twice, a name that is a path, or a recall
    outside 0 to 1.
    """
    if not 0.0 < recall <= 1.0:
        raise ValueError(f"recall is a share between 0 and 1, not {recall}")
    rows.check()
    started = time.monotonic()
    with publish(folder, name) as temporary:
        progress("writing", 0.02)
        _write_rows(temporary, rows)
        _write_trees(temporary, rows, progress)
        progress("measuring", 0.8)
        facts = BuildFacts(
            encoder=str(encoder),
            dimensions=rows.dimensions,
            items=len(rows),
            calibration=calibration,
            files={name: checksum(temporary / name) for name in FILES},
        )
        if len(rows):
            tuning = tune(AnnoyIndex(temporary, facts), rows, recall)
            facts = replace(facts, **asdict(tuning))
        facts = replace(facts, seconds=round(time.monotonic() - started, 3))
        write_facts(temporary, facts)
        progress("publishing", 0.98)
    progress("done", 1.0)
    return facts


def _write_rows(folder: Path, rows: IndexRows) -> None:
    order = rows.order()
    with (folder / ROWS).open("wb") as file:
        for start in range(0, len(order), BLOCK):
            file.write(rows.rows[order[start : start + BLOCK]].tobytes())
    (folder / BIAS).write_bytes(rows.bias[order].tobytes())
    (folder / IDS).write_bytes(np.stack([rows.ids[order], rows.checksums[order]]).tobytes())


def _write_trees(folder: Path, rows: IndexRows, progress: Progress) -> None:
    """Projection and trees. An index without rows has no trees, and a mean of zeros."""
    if not len(rows):
        (folder / PROJECTION).write_bytes(np.zeros(rows.dimensions, np.float32).tobytes())
        (folder / TREES).touch()
        return
    from annoy import AnnoyIndex as Trees

    order = rows.order()
    mean, components = _find_components(rows, order)
    (folder / PROJECTION).write_bytes(np.vstack([mean, components]).tobytes())
    trees = Trees(len(components), "euclidean")
    trees.set_seed(1)
    for start in range(0, len(rows), BLOCK):
        directions = unit_vectors(rows.rows[order[start : start + BLOCK]])
        for number, point in enumerate((directions - mean) @ components.T, start):
            trees.add_item(number, point)
    # One thread: the same rows then always give the same trees.
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(trees.build, TREE_COUNT, n_jobs=1)
        while not wait([build], timeout=1).done:
            progress("growing trees", 0.1)
        build.result()
    trees.save(str(folder / TREES))


def _find_components(rows: IndexRows, order: NDArray[np.int64]) -> tuple[Vector, Any]:
    """Mean direction (d,) and principal components (at most COMPONENTS, d)."""
    directions = unit_vectors(rows.rows[order[:: max(1, len(rows) // SAMPLE)]])
    mean = directions.mean(axis=0)
    centred = directions - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return mean, np.ascontiguousarray(vectors.T[::-1][:COMPONENTS])


def _map(path: Path, kind: type[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if 0 in shape:
        return np.empty(shape, dtype=kind)
    # A plain array over the mapping: numpy's memmap class slows down every slice.
    return np.asarray(np.memmap(path, dtype=kind, mode="r", shape=shape))


def _load_trees(path: Path, components: int) -> Any:
    from annoy import AnnoyIndex as Trees

    trees = Trees(components, "euclidean")
    trees.load(str(path))
    return trees
