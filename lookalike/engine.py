"""Per-process state: the face engine, the open index, and the changes since its build.

One holder with one `reset`. Nothing heavy is imported before the first
call of `get_engine`, so the web process may import this module; only workers and commands
may call it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine
    from lookalike.faces.runtime import Runtime
    from lookalike.faces.types import EncoderId

T = TypeVar("T")

_lock = threading.RLock()
_kept: dict[str, tuple[Hashable, Any]] = {}
"""By kind: the key that the value was made for, and the value."""


def keep(kind: str, key: Hashable, make: Callable[[], T]) -> T:
    """The process's value of this kind; made anew when the key changes.

    If ``make`` raises, the old value stays.
    """
    with _lock:
        if kind not in _kept or _kept[kind][0] != key:
            _kept[kind] = key, make()
        value: T = _kept[kind][1]
        return value


def get_engine() -> FaceEngine:
    """The process's engine. Raises WeightsMissing or DeviceMissing with what to do."""
    return keep("engine", "", _load_engine)


def _load_engine() -> FaceEngine:
    from lookalike.faces.pipeline import load_engine

    return load_engine(settings.ENCODER, settings.WEIGHTS_DIR, make_runtime())


def make_runtime() -> Runtime:
    """Where the settings say that networks run."""
    from lookalike.faces.runtime import Runtime

    return Runtime(settings.SESSIONS_DIR, settings.THREADS, settings.DEVICE)


def is_loaded() -> bool:
    return "engine" in _kept


def encoder_in_use() -> EncoderId:
    """The encoder of the process's engine, or the one it would load; loads nothing."""
    from lookalike.faces.encoders import ENCODERS, resolve_name
    from lookalike.faces.types import EncoderId

    if is_loaded():
        return EncoderId.of(get_engine().encoder)
    name = resolve_name(settings.ENCODER, settings.WEIGHTS_DIR)
    return EncoderId(name, ENCODERS[name].version)


def reset(engine: FaceEngine | None = None) -> None:
    """Forget everything kept. Tests may put an engine of their own in place."""
    with _lock:
        _kept.clear()
        if engine is not None:
            _kept["engine"] = "", engine
