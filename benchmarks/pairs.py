"""People with two photos, the first as gallery, the second as query: who is found?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.photos import CAST, PORTRAITS


def find_photos() -> list[Path]:
    """The shared portraits where they are, else the cast, sorted."""
    return sorted((PORTRAITS if PORTRAITS.is_dir() else CAST).glob("*.jpg"))


def find_pairs(paths: Iterable[Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """The gallery's and the queries' photo of each person who has two."""
    by_person = defaultdict(list)
    for path in paths:
        by_person[path.stem.rpartition("_")[0]].append(path)
    pairs = {name: found[:2] for name, found in by_person.items() if len(found) > 1}
    return (
        {name: first for name, (first, _) in pairs.items()},
        {name: second for name, (_, second) in pairs.items()},
    )


def measure_pairs(
    encode: Callable[[Path], Any], gallery: Mapping[str, Path], queries: Mapping[str, Path]
) -> dict[str, Any]:
    """``encode`` gives a photo's unit vector, or None when it finds no face."""
    from lookalike.faces.evaluation import measure_accuracy

    shown = {name: encode(path) for name, path in gallery.items()}
    asked = {name: encode(path) for name, path in queries.items()}
    known = {name: vector for name, vector in shown.items() if vector is not None}
    seen = {name: vector for name, vector in asked.items() if vector is not None}
    accuracy = measure_accuracy(
        np.stack([*known.values()]),
        [*known],
        np.stack([*seen.values()]),
        [*seen],
        missed_people=[name for name, vector in asked.items() if vector is None],
    )
    return {
        "people": len(gallery),
        "without_face": len(gallery) - len(known) + len(asked) - len(seen),
        "rank1": accuracy.rank1,
        "rank6": accuracy.rank6,
        "verification": accuracy.verification,
    }
