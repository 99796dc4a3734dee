"""What `apart` and its decoder say to each other: a line of JSON, with bytes after it."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">II")

MAX_WORDS = 100_000
"""Bytes of JSON."""


def write_frame(file: IO[bytes], words: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Raises BrokenPipeError if the other side is gone."""
    text = json.dumps(words).encode()
    file.write(_LENGTHS.pack(len(text), len(body)) + text)
    file.write(body)
    file.flush()


def read_frame(file: IO[bytes], max_body: int) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError if the other side is gone, or says more than it may."""
    length, body_length = _LENGTHS.unpack(_read(file, _LENGTHS.size))
    if length > MAX_WORDS or body_length > max_body:
        raise EOFError
    return json.loads(_read(file, length)), _read(file, body_length)


def _read(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data
