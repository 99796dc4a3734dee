"""Building an index: lay the rows out, write them beside, measure, publish."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.clustering import (
    Basis,
    average_cells,
    count_cells,
    find_basis,
    find_cells,
)
from lookalike.faces.index.codes import Coding, encode_heads, find_coding, find_terms
from lookalike.faces.index.folder import (
    BASIS,
    CELLS,
    CODES,
    FILES,
    MANIFEST,
    PORTRAITS,
    TERMS,
    TREES,
    VECTORS,
    mark_file,
    publish,
)
from lookalike.faces.index.manifest import FORMAT, METRIC, Manifest
from lookalike.faces.index.rows import IndexRows, unit_vectors
from lookalike.faces.index.search import Index
from lookalike.faces.index.tuning import UNTUNED, tune_index
from lookalike.faces.similarity import calibrate

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of the whole that is done, 0 to 1."""

Rows = NDArray[np.int64]

BLOCK: Final = 65_536
TREE_COUNT: Final = 16
"""More trees hardly help on vectors of faces; the number of nodes inspected does."""


def build_index(
    folder: Path,
    name: str,
    rows: IndexRows,
    *,
    encoder_name: str,
    encoder_version: str,
    recall: float = 0.99,
    progress: Progress | None = None,
) -> Manifest:
    """Build an index of the rows and publish it as ``folder/name``.

    ``recall`` is the share of the true 12 nearest portraits that the approximate search
    must find. Until the last moment nothing is visible under the name, and a build that
    fails or is killed changes nothing. Raises BadVector for zero and non-finite vectors,
    and ValueError for a portrait named twice, a name with a path in it, or a recall
    outside 0 to 1.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"not a name for an index: {name!r}")
    if not 0.0 < recall <= 1.0:
        raise ValueError(f"recall is a share between 0 and 1, not {recall}")
    rows.check()
    tell = progress or _tell_nobody
    started = time.monotonic()
    with publish(folder, name) as beside:
        manifest = _write_rows(beside, rows, encoder_name, encoder_version, tell)
        tell("measuring", 0.8)
        tuning = tune_index(Index(beside, manifest), recall, TREE_COUNT)
        manifest = replace(manifest, tuning=tuning, seconds=round(time.monotonic() - started, 3))
        (beside / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        tell("publishing", 0.98)
    tell("done", 1.0)
    return manifest


def _tell_nobody(step: str, share: float) -> None:
    """The progress of a build that nobody watches."""


def _write_rows(
    beside: Path, rows: IndexRows, encoder_name: str, encoder_version: str, tell: Progress
) -> Manifest:
    """Everything but the tuning: the files, and a manifest that describes them."""
    tell("grouping", 0.02)
    vectors = unit_vectors(rows.vectors)
    basis = find_basis(vectors)
    points = vectors if basis is None else _find_heads(vectors, basis)
    count = count_cells(len(rows))
    cells = find_cells(points, count)
    tell("writing", 0.6)
    order = np.argsort(cells, kind="stable")
    starts = np.searchsorted(cells[order], np.arange(count + 1))
    with (beside / VECTORS).open("wb") as file:
        for start in range(0, len(order), BLOCK):
            file.write(vectors[order[start : start + BLOCK]].tobytes())
    _write_codes(beside, vectors, points, basis, order, starts)
    _write_array(
        beside / PORTRAITS, np.stack([rows.portrait_ids[order], rows.celebrity_ids[order]])
    )
    _write_array(beside / CELLS, starts)
    _write_trees(beside / TREES, average_cells(points, cells, count)[0] if count else points)
    tell("calibrating", 0.75)
    return Manifest(
        format=FORMAT,
        encoder_name=encoder_name,
        encoder_version=encoder_version,
        dimensions=rows.vectors.shape[1],
        metric=METRIC,
        items=len(rows),
        people=len(np.unique(rows.celebrity_ids)),
        cells=count,
        head=0 if basis is None else points.shape[1],
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        calibration=calibrate(vectors, rows.celebrity_ids, encoder_name),
        tuning=UNTUNED,
        files={file: mark_file(beside / file) for file in FILES},
    )


def _find_heads(vectors: NDArray[np.float32], basis: Basis) -> NDArray[np.float32]:
    heads = np.empty((len(vectors), basis.directions.shape[1]), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        heads[start : start + BLOCK] = basis.heads(vectors[start : start + BLOCK])
    return heads


def _write_codes(
    beside: Path,
    vectors: NDArray[np.float32],
    heads: NDArray[np.float32],
    basis: Basis | None,
    order: Rows,
    starts: Rows,
) -> None:
    """A cell's codes lie coordinate by coordinate, (h, its rows), as products want them."""
    if basis is None:
        for name in (BASIS, CODES, TERMS):
            (beside / name).touch()
        return
    coding = find_coding(heads)
    terms = np.empty((3, len(order)), dtype=np.float32)
    with (beside / CODES).open("wb") as file:
        for start, stop in pairwise(starts.tolist()):
            rows = order[start:stop]
            codes = encode_heads(heads[rows], coding.step)
            terms[:, start:stop] = find_terms(vectors[rows], heads[rows], codes, basis)
            file.write(codes.T.tobytes())
    _write_array(beside / TERMS, terms)
    _write_array(beside / BASIS, _basis_table(basis, coding))


def _basis_table(basis: Basis, coding: Coding) -> NDArray[np.float64]:
    """The coding's three numbers, the origin, and the directions, in a row."""
    numbers = [coding.step, coding.error, coding.longest]
    return np.concatenate([numbers, basis.origin, basis.directions.T.ravel()])


def _write_array(path: Path, values: NDArray[Any]) -> None:
    path.write_bytes(values.tobytes())


def _write_trees(path: Path, centres: NDArray[np.float32]) -> None:
    """Annoy's index of the centres, the same one for the same centres."""
    if not len(centres):
        path.touch()
        return
    from annoy import AnnoyIndex

    trees = AnnoyIndex(centres.shape[1], METRIC)
    trees.set_seed(1)
    for number, centre in enumerate(centres):
        trees.add_item(number, centre)
    # With one thread a build gives the same trees each time.
    trees.build(TREE_COUNT, n_jobs=1)
    trees.save(str(path))
