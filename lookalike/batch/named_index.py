"""A folder with an index that has a row for each photo, and the photos' names."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lookalike.faces.calibration import built_in_scale
from lookalike.faces.errors import IndexDamaged, IndexMissing, IndexStale
from lookalike.faces.index import (
    MANIFEST,
    AnnoyIndex,
    BuildFacts,
    IndexRows,
    Method,
    Query,
    build_index,
    checksum,
    open_index,
)
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId, Vector, Vectors

INDEX: Final = "photos"
NAMES: Final = "names.json"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class NamedIndex:
    index: AnnoyIndex
    names: list[str]

    def search(
        self, vector: Vector, k: int, *, exact: bool | None = None
    ) -> tuple[list[str], list[float]]:
        """The ``k`` nearest photos' names, nearest first, and their distances (0 to 2).

        ``exact`` None takes the method that the build chose.
        """
        method = {None: None, True: Method.EXACT, False: Method.APPROXIMATE}[exact]
        [found] = self.index.search(Query(vector[None], k, method)).found
        distances = np.linalg.norm(self.index.rows.rows[found.ids] - vector, axis=1)
        return [self.names[row] for row in found.ids.tolist()], distances.tolist()


def build_named_index(
    folder: Path, names: Sequence[str], vectors: Vectors, *, encoder: str, recall: float
) -> BuildFacts:
    """Build the index of (n, d) ``vectors`` as ``folder``, replacing the one there.

    ``encoder`` is "name/version", or empty if it is not known. Raises FileExistsError if
    something else has that name, and what `lookalike.faces.index.build_index` raises.
    """
    is_ours = folder.is_dir() and all(
        path.name.startswith((INDEX, NAMES)) for path in folder.iterdir()
    )
    if folder.exists() and not is_ours:
        raise FileExistsError(
            f"{folder} is there already and is no index of photos. Move it, or name another."
        )
    numbers = np.arange(len(names), dtype=np.int64)
    made_by = EncoderId.parse(encoder or UNKNOWN)
    rows = IndexRows.of_vectors(vectors, numbers)
    calibration = Calibration(built_in_scale(made_by.name))
    facts = build_index(folder, INDEX, rows, made_by, calibration, recall=recall)
    text = json.dumps({"index": _index_mark(folder), "names": list(names)}, ensure_ascii=False)
    temporary = folder / f"{NAMES}.{os.getpid()}"
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(folder / NAMES)
    return facts


def open_named_index(folder: Path, *, encoder: str = "") -> NamedIndex:
    """Check an index and open it. ``encoder`` is that of the vectors to search with, "" for
    any. Raises IndexMissing, IndexDamaged, or IndexStale for another encoder's index."""
    if not folder.is_dir():
        raise IndexMissing(f"There is no index {folder}. Build it first: build_index().")
    index = open_index(folder / INDEX)
    if encoder and index.encoder.name != UNKNOWN and str(index.encoder) != encoder:
        raise IndexStale(
            f"The index was built by {index.encoder}, and {encoder} is in use. Build it again."
        )
    try:
        facts = json.loads((folder / NAMES).read_text(encoding="utf-8"))
        names, mark = list(map(str, facts["names"])), facts["index"]
    except (OSError, ValueError, TypeError, LookupError) as problem:
        raise IndexDamaged(f"{folder} has no usable names. Build it again.") from problem
    if mark != _index_mark(folder) or len(names) != len(index):
        raise IndexDamaged(f"The names in {folder} are another build's. Build it again.")
    return NamedIndex(index, names)


def _index_mark(folder: Path) -> str:
    """The SHA-256 of the manifest, which no two builds share."""
    return checksum(folder / INDEX / MANIFEST)
