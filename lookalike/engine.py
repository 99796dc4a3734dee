"""Per-process state: the face engine, the open index, and the changes since its build.

One holder with one `reset`. Nothing heavy is imported before the first
call of `get_engine`, so the web process may import this module; only workers and commands
may call it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

if TYPE_CHECKING:
    from lookalike.faces.photos.apart import Decoder
    from lookalike.faces.pipeline import FaceEngine
    from lookalike.faces.runtime import Runtime
    from lookalike.faces.types import EncoderId

T = TypeVar("T")

_lock = threading.RLock()
_kept: dict[str, tuple[Hashable, Any]] = {}
"""By kind: the key that the value was made for, and the value."""

_given: FaceEngine | None = None
"""A test's own engine."""


def keep(kind: str, key: Hashable, make: Callable[[], T]) -> T:
    """The process's value of this kind; made anew when the key changes.

    If ``make`` raises, the old value stays.
    """
    with _lock:
        if kind not in _kept or _kept[kind][0] != key:
            _kept[kind] = key, make()
        value: T = _kept[kind][1]
        return value


def get_engine(encoder: EncoderId | None = None) -> FaceEngine:
    """The engine with this encoder, by default the one that the settings name. A process keeps
    one engine; for another encoder only the encoder is loaded.

    Raises WeightsMissing or DeviceMissing with what to do, and IndexStale for an encoder that
    this process cannot load.
    """
    encoder = encoder or configured_encoder()
    if not can_encode(encoder):
        from lookalike.faces.errors import IndexStale

        raise IndexStale(f"This version of the site has no encoder {encoder}.")
    return keep("engine", encoder, lambda: _load_engine(encoder.name))


def get_finder() -> FaceEngine:
    """An engine to find faces with: the one at hand, whatever its encoder."""
    with _lock:
        found: FaceEngine = _kept["engine"][1] if is_loaded() else get_engine()
        return found


def _load_engine(name: str) -> FaceEngine:
    from lookalike.faces.encoders import load_encoder
    from lookalike.faces.pipeline import load_engine

    if is_loaded():
        encoder = load_encoder(name, settings.WEIGHTS_DIR, make_runtime())
        return replace(get_finder(), encoder=encoder)
    return load_engine(name, settings.WEIGHTS_DIR, make_runtime())


def get_decoder() -> Decoder:
    """The process that opens strangers' photos for this one, and never for a fork of it."""
    from lookalike.faces.photos.apart import Decoder

    key = settings.DECODE_MB, os.getpid()
    return keep("decoder", key, lambda: Decoder(settings.DECODE_MB))


def make_runtime() -> Runtime:
    """Where the settings say that networks run."""
    from lookalike.faces.runtime import Runtime

    return Runtime(settings.THREADS, settings.DEVICE)


def is_loaded() -> bool:
    return "engine" in _kept


def configured_encoder() -> EncoderId:
    """The encoder that the next build is made with, as the settings name it now; loads nothing.
    Searches use the one of the build that they search."""
    from lookalike.faces.encoders import ENCODERS, resolve_name
    from lookalike.faces.types import EncoderId

    if _given is not None:
        return EncoderId.of(_given.encoder)
    name = resolve_name(settings.ENCODER, settings.WEIGHTS_DIR)
    return EncoderId(name, ENCODERS[name].version)


def can_encode(encoder: EncoderId) -> bool:
    """Whether this process can make vectors of this encoder; loads nothing."""
    from lookalike.faces.encoders import find_spec

    if encoder == configured_encoder():
        return True
    spec = find_spec(encoder) if _given is None else None
    return spec is not None and spec.is_available(settings.WEIGHTS_DIR)


def release() -> None:
    """Free what is kept, which the next call loads again: 90 MB in a process that is idle."""
    with _lock:
        if _given is None:
            _kept.clear()
    give_memory_back()


def give_memory_back() -> None:
    """Have the C library return what a build took: freed arrays leave holes, which it keeps."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def reset(engine: FaceEngine | None = None) -> None:
    """Forget everything kept but the decoder, which knows no engine. Tests may put an engine of
    their own in place."""
    global _given
    with _lock:
        decoder = _kept.get("decoder")
        _kept.clear()
        if decoder is not None:
            _kept["decoder"] = decoder
        _given = engine
        if engine is not None:
            _kept["engine"] = configured_encoder(), engine
