"""The engine that the site runs, for the parts that need one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import WORK

if TYPE_CHECKING:
    from lookalike.faces.types import Photo

SESSIONS = WORK / "sessions"


def make_engine() -> Any:
    from lookalike.faces.detection.mtcnn import MtcnnDetector
    from lookalike.faces.encoders import DlibEncoder
    from lookalike.faces.pipeline import FaceEngine

    return FaceEngine(MtcnnDetector(SESSIONS), DlibEncoder(SESSIONS))


def open_file(path: Path) -> Photo:
    """As the site opens a photo, without its limits."""
    from lookalike.faces.photos.decoding import open_photo

    return open_photo(path, max_bytes=10**8, max_pixels=10**8, min_side=1, target_side=1600)


def analyse_file(engine: Any, path: Path) -> int:
    """From the file's bytes to a vector for each face; how many there are."""
    turned, found = engine.find_faces(open_file(path))
    return len(engine.encode_faces(turned, found))
