"""Part 1: photo to vectors, one photo at a time, beside the peers."""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.engine import analyse_file, make_engine
from benchmarks.peers import ROOT, WORK, Contestant
from benchmarks.profiling import profile_parts

CAST = ROOT / "celebrities" / "demo"
PORTRAITS = ROOT.parent / "shared" / "faces" / "public_domain"
NAMES = ("lookalike", "facenet-pytorch", "face_recognition", "deepface")
RUNS = 9
MOST_MS = 60_000
"""Who has spent this long on one photo has shown enough; the table says how many runs."""

GOALS = {
    "12-megapixel portrait": {"facenet-pytorch": 40, "face_recognition": 60},
    "450x550 portrait": {"facenet-pytorch": 5, "face_recognition": 8},
    "group of 5": {"facenet-pytorch": 3, "face_recognition": 5},
}


def find_portraits(count: int) -> list[Path]:
    """Photos of ``count`` different people: real portraits where they are, else the cast."""
    if PORTRAITS.is_dir():
        found = sorted(
            path for path in PORTRAITS.glob("*_1.jpg") if Image.open(path).size == (450, 550)
        )
    else:
        found = sorted(CAST.glob("*_1.jpg"))
    return found[:count]


def make_photos() -> dict[str, Path]:
    """The three photos of this part, by the name that the tables give them."""
    WORK.mkdir(parents=True, exist_ok=True)
    paths = {name: WORK / f"{name.replace(' ', '-')}.jpg" for name in GOALS}
    large, portrait, group = paths.values()
    faces = [Image.open(path).convert("RGB").resize((450, 550)) for path in find_portraits(5)]
    faces[0].resize((3000, 3667), Image.Resampling.BICUBIC).resize((3000, 4000)).save(
        large, quality=92
    )
    faces[0].save(portrait, quality=92)
    wall = Image.new("RGB", (5 * 320, 640), (118, 122, 126))
    for place, face in enumerate(faces):
        wall.paste(face.resize((320, 391)), (place * 320, 60 + 60 * (place % 2)))
    wall.save(group, quality=92)
    return paths


def bench_photos(threads: int = 1) -> dict[str, Any]:
    """{photo: {contestant: {"ms": median, "faces", "runs"}}} and who took no part, and why."""
    photos = make_photos()
    running = {name: Contestant(name, threads) for name in NAMES}
    absent: dict[str, str] = {}
    times: dict[str, dict[str, list[float]]] = {}
    faces: dict[str, dict[str, int]] = {}
    try:
        for name, contestant in list(running.items()):
            contestant.__enter__()
            if contestant.error:
                absent[name] = contestant.error
                running.pop(name).__exit__(None, None, None)
        for photo, path in photos.items():
            times[photo], faces[photo] = {name: [] for name in running}, {}
            for run in range(RUNS + 2):  # Two to warm up.
                for name in list(running)[:: -1 if run % 2 else 1]:
                    if sum(times[photo][name]) > MOST_MS:
                        continue
                    answer = running[name].analyse(path)
                    if not answer:
                        absent[name] = f"it died of the {photo}"
                        running.pop(name).__exit__(None, None, None)
                        continue
                    faces[photo][name] = answer["faces"]
                    if run >= 2:
                        times[photo][name].append(answer["seconds"] * 1000)
    finally:
        for contestant in running.values():
            contestant.__exit__(None, None, None)
    table = {
        photo: {
            name: {
                "ms": round(statistics.median(found), 2),
                "faces": faces[photo][name],
                "runs": len(found),
            }
            for name, found in by_name.items()
            if found
        }
        for photo, by_name in times.items()
    }
    return {
        "threads": threads,
        "photos": table,
        "absent": absent,
        "profile": _profile_engine(photos),
    }


def _profile_engine(photos: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Milliseconds of our own time for each photo in its parts."""
    engine = make_engine()
    parts = {
        "decode": "faces/photos/decoding.py:open_photo",
        "find faces": "faces/pipeline.py:find_faces",
        "encode": "faces/pipeline.py:encode_faces",
    }
    return {
        photo: profile_parts(partial(analyse_file, engine, path), parts)
        for photo, path in photos.items()
    }
