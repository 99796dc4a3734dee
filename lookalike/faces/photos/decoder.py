"""The process that opens photos for `apart`: ``python -m lookalike.faces.photos.decoder`` with the
megabytes of memory and the CPU seconds that a photo may take.

It answers one request after another until its standard input is closed. The system kills it when a
photo takes more seconds, and gives it no more memory beside what the file and the answer take.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from lookalike.faces.errors import PhotoError, TooCostly
from lookalike.faces.photos.decoding import open_photo, shrink_photo
from lookalike.faces.photos.frames import read_frame, write_frame

MAX_CONTENT = 1_000_000_000
"""Bytes of a file: the site's own limit is lower."""

_SLACK = 192_000_000
"""Bytes of address space for the file, cleaned copies of it, threads' stacks and the answer."""


class _Notes(logging.Handler):
    """Keeps what is logged, to be logged by the worker."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage()[:2000])


def main(decode_mb: int, cpu_seconds: float) -> None:
    # It ends with its worker, which may first finish this photo.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    notes = _Notes()
    logging.basicConfig(handlers=[notes])
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Nothing else may write among the answers.
    _limit_memory(decode_mb)
    write_frame(answers, {"ready": True})
    while True:
        try:
            limits, content = read_frame(requests, MAX_CONTENT)
        except (EOFError, MemoryError):
            return
        notes.lines.clear()
        words, pixels = _open(content, limits, cpu_seconds)
        write_frame(answers, {**words, "notes": notes.lines}, pixels)


def _open(
    content: bytes, limits: dict[str, Any], cpu_seconds: float
) -> tuple[dict[str, Any], bytes | memoryview]:
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    pixels: bytes | memoryview = b""
    try:
        photo = shrink_photo(open_photo(content, **limits), limits["target_side"])
        pixels = photo.pixels.tobytes()
        words: dict[str, Any] = {
            "shape": photo.pixels.shape,
            "scale": photo.scale,
            "full": [photo.full_width, photo.full_height],
            "format": photo.format,
        }
    except PhotoError as error:
        words = {"reason": error.reason, "detail": error.detail, "said": str(error)}
    except MemoryError:
        words = {"reason": TooCostly.reason, "detail": "", "said": "more memory than it may"}
    except Exception as error:  # noqa: BLE001 - a bug of ours is told to the worker.
        # The error's words may hold bytes of the photo, so only the place is told.
        place = "".join(traceback.format_tb(error.__traceback__))
        words = {"bug": f"{type(error).__name__}\n{place}"[:5000]}
    signal.setitimer(signal.ITIMER_PROF, 0)
    return {**words, "seconds": time.process_time() - started}, pixels


def _limit_memory(decode_mb: int) -> None:
    """As far as the system has address space limits that count."""
    status = Path("/proc/self/statm")
    if status.exists():
        used = int(status.read_text().split()[0]) * resource.getpagesize()
        limit = used + decode_mb * 1_000_000 + _SLACK
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
