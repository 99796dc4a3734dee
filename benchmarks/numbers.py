"""`python -m benchmarks.numbers [FOLDER]`: the figures that the phrases' bands are set by.

FOLDER holds portraits named ``<person>_<number>.jpg``; the shared ones by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.engine import encode_largest, make_engine
from benchmarks.paths import PORTRAITS
from lookalike.faces.calibration import (
    built_in_scale,
    built_in_tail,
    calibrate,
    measure_outsiders,
)
from lookalike.faces.people import Portraits, average, choose_cohort, make_rows
from lookalike.faces.similarity import PERCENTILES


def read_folder(folder: Path) -> Portraits:
    """Every photo with a face, by person."""
    engine = make_engine()
    found = [(path, encode_largest(engine, path)) for path in sorted(folder.glob("*.jpg"))]
    usable = [
        (path.stem.rpartition("_")[0], vector) for path, vector in found if vector is not None
    ]
    _, people = np.unique([person for person, _ in usable], return_inverse=True)
    order = np.argsort(people, kind="stable")
    vectors = np.stack([vector for _, vector in usable])[order]
    return Portraits(vectors, order.astype(np.int64), people[order].astype(np.int64))


def main() -> None:
    portraits = read_folder(Path(sys.argv[1]) if len(sys.argv) > 1 else PORTRAITS)
    cohort = choose_cohort(portraits, built_in_tail("dlib"))
    rows = make_rows(average(portraits), cohort)
    measured = calibrate(portraits, cohort, built_in_scale("dlib"))
    measured = measure_outsiders(rows, cohort, measured)
    print(f"{len(portraits)} portraits of {len(rows)} people, {measured.same} with two or more")
    print(f"0 is a score of {measured.scale.stranger:.2f}, 100 of {measured.scale.same:.2f}")
    for name, values in (
        ("percentile", PERCENTILES),
        ("best match of somebody else", measured.best),
        ("sixth match", measured.sixth),
    ):
        print(f"{name:28}", *(f"{value:6}" for value in values))


if __name__ == "__main__":
    main()
