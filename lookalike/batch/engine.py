"""The face engine of batches, from the site's environment variables, without Django."""

from __future__ import annotations

import threading
from pathlib import Path

from lookalike import environ
from lookalike.faces.pipeline import FaceEngine, load_engine
from lookalike.faces.runtime import Runtime

_lock = threading.Lock()
_engine: FaceEngine | None = None


def open_engine(
    *,
    encoder: str | None = None,
    weights_dir: Path | None = None,
    threads: int = 1,
    device: str | None = None,
) -> FaceEngine:
    """A detector and an encoder, loaded.

    ``encoder`` is "auto", "facenet" or "dlib", ``device`` "cpu", "cuda" or "cuda:N"; what
    is left out comes from LOOKALIKE_ENCODER, LOOKALIKE_DEVICE and the data folder. One thread
    for a network's run is best, since batches keep the cores busy with several photos.

    Raises ValueError, WeightsMissing, WeightsAltered or DeviceMissing.
    """
    wanted = encoder or environ.read_text("LOOKALIKE_ENCODER", "auto")
    device = device or environ.read_text("LOOKALIKE_DEVICE", "cpu")
    runtime = Runtime(threads, device)
    return load_engine(wanted, weights_dir or environ.weights_dir(), runtime)


def get_engine() -> FaceEngine:
    """The engine that batches of this process use, opened at the first call."""
    global _engine
    with _lock:
        if _engine is None:
            _engine = open_engine()
        return _engine


def use_engine(engine: FaceEngine | None) -> None:
    """Let batches of this process use ``engine`` from now on; None: the default again."""
    global _engine
    with _lock:
        _engine = engine
