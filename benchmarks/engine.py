"""The site's engine with its default encoder, for the parts that need one."""

from __future__ import annotations

from pathlib import Path

from benchmarks.paths import WORK
from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.pipeline import FaceEngine, load_engine
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Photo, Vector

STORED_SIDE = 1600
"""Pixels; the site's default, to which larger photos are decoded."""


def make_engine(threads: int = 1) -> FaceEngine:
    return load_engine("dlib", WORK, Runtime(threads))


def open_file(path: Path) -> Photo:
    """Opens a photo as the site does, without the site's limits."""
    return open_photo(path, max_bytes=10**8, max_pixels=10**8, min_side=1, target_side=STORED_SIDE)


def analyse_file(engine: FaceEngine, path: Path) -> int:
    """From the file's bytes to a vector for each face. Returns the number of faces."""
    turned, found = engine.find_faces(open_file(path))
    return len(engine.encode_faces(turned, found))


def encode_largest(engine: FaceEngine, path: Path) -> Vector | None:
    turned, found = engine.find_faces(open_file(path))
    return engine.encode_faces(turned, found[:1])[0].vector if found else None
