"""Part "photos": photo to vectors, one photo at a time, beside the peers."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.engine import analyse_file, make_engine
from benchmarks.figures import Figures
from benchmarks.peers import Answer, Contestant, take_turns
from benchmarks.portraits import make_photos
from benchmarks.profiling import profile_parts
from benchmarks.timing import RUNS
from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.pipeline import FaceEngine

NAMES = ("lookalike", "facenet-pytorch", "face_recognition", "deepface")
PARTS: dict[str, Callable[..., Any]] = {
    "decode": open_photo,
    "find faces": FaceEngine.find_faces,
    "encode": FaceEngine.encode_faces,
}


def bench_photos(threads: int = 1) -> Figures:
    photos = make_photos()
    with ExitStack() as stack:
        contestants = {name: stack.enter_context(Contestant(name, threads)) for name in NAMES}
        rows = [
            row
            for kind, path in photos.items()
            for row in make_rows(kind, take_turns(path, contestants, RUNS))
        ]
    return {
        "threads": threads,
        "rows": rows,
        "absent": {name: one.error for name, one in contestants.items() if one.error},
        "profile": {kind: _profile_photo(path) for kind, path in photos.items()},
    }


def make_rows(kind: str, answers: dict[str, list[Answer]]) -> list[dict[str, Any]]:
    """One row for each contestant that answered. Raises KeyError when ours did not."""
    times = {
        name: statistics.median(answer["seconds"] for answer in found) * 1000
        for name, found in answers.items()
        if found
    }
    return [
        {
            "photo": kind,
            "who": name,
            "ms": round(ms, 2),
            "faces": answers[name][-1]["faces"],
            "runs": len(answers[name]),
            "times_ours": round(ms / times["lookalike"], 2),
        }
        for name, ms in times.items()
    ]


def _profile_photo(path: Path) -> dict[str, float]:
    return profile_parts(partial(analyse_file, make_engine(), path), PARTS)
