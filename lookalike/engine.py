"""The face engine as the settings describe it, made once per process.

Nothing heavy is imported before the first call, so the web process may import this
module; only workers and commands may call it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from lookalike.faces.index import Index
    from lookalike.faces.pipeline import FaceEngine
    from lookalike.faces.runtime import Runtime

_lock = threading.RLock()
_engine: FaceEngine | None = None
_index: Index | None = None
_index_name = ""


def get_engine() -> FaceEngine:
    """The process's engine. Raises WeightsMissing or DeviceMissing with what to do."""
    global _engine
    with _lock:
        if _engine is None:
            from lookalike.faces.pipeline import load_engine

            _engine = load_engine(settings.ENCODER, settings.WEIGHTS_DIR, make_runtime())
        return _engine


def make_runtime() -> Runtime:
    """Where the settings say that networks run."""
    from lookalike.faces.runtime import Runtime

    return Runtime(settings.SESSIONS_DIR, settings.THREADS, settings.DEVICE)


def get_index(name: str) -> Index:
    """The named build, opened and checked; the one before stays until the new one stands.

    Raises IndexMissing, IndexDamaged, or IndexStale when another encoder built it.
    """
    global _index, _index_name
    with _lock:
        if _index is None or _index_name != name:
            from lookalike.faces.index import open_index

            encoder = get_engine().encoder
            _index = open_index(
                settings.INDEX_DIR / name,
                encoder_name=encoder.name,
                encoder_version=encoder.version,
            )
            _index_name = name
        return _index


def reset(engine: FaceEngine | None = None) -> None:
    """Forget the engine and the index; tests may put an engine of their own in place."""
    global _engine, _index
    with _lock:
        _engine, _index = engine, None
