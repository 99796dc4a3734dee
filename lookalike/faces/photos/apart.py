"""Opens photos in a process of its own, which may die without taking the networks along."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.faces.errors import DecoderFailed, PhotoError, TooCostly
from lookalike.faces.photos.costs import CPU_SECONDS, DECODE_MB
from lookalike.faces.photos.frames import read_frame, write_frame
from lookalike.faces.types import Photo

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
# One thread a library: memory is limited by address space, of which each thread takes a lot.
_QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_ERRORS = {error.reason: error for error in PhotoError.__subclasses__()}


class Decoder:
    """Starts the process at the first photo, and again after its death. For one thread at a time.

    ``seconds`` is the CPU time that the latest photo took. Answers are JSON and pixels, never
    pickles: a file may have taken the process over.
    """

    def __init__(self, decode_mb: int = DECODE_MB, cpu_seconds: float = CPU_SECONDS) -> None:
        self.seconds = 0.0
        self._decode_mb = decode_mb
        self._cpu_seconds = cpu_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, content: bytes, *, target_side: int, **limits: int) -> Photo:
        """The photo, its longer side at most ``target_side``; limits are those of `open_photo`.

        Raises what `open_photo` does, TooCostly also if the process died of the photo, and
        DecoderFailed.
        """
        process = self.start()
        limits |= {"target_side": target_side, "decode_mb": self._decode_mb}
        try:
            write_frame(process.stdin, limits, content)  # type: ignore[arg-type]
            words, body = read_frame(process.stdout, 3 * target_side**2)  # type: ignore[arg-type]
            self.seconds = float(words["seconds"])
            for note in words["notes"]:
                logger.warning("%s", note)
            return _read_answer(words, body)
        except (BrokenPipeError, EOFError) as error:
            self.close()
            self.seconds = self._cpu_seconds
            raise TooCostly(f"the decoder ended with {process.returncode}") from error
        except PhotoError:
            raise
        except BaseException:
            self.close()  # A time limit may have struck before all of the answer was read.
            raise

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> subprocess.Popen[bytes]:
        """The running process. Raises DecoderFailed if it doesn't start."""
        if self._process is None or not self.is_running:
            self.close()
            budget = [str(self._decode_mb), str(self._cpu_seconds)]
            self._process = subprocess.Popen(  # noqa: S603 - no word of it is a stranger's.
                [sys.executable, "-m", "lookalike.faces.photos.decoder", *budget],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
                env={**os.environ, **_QUIET},
            )
            # Also when this object goes, and when the program ends.
            self._end = weakref.finalize(self, _end, self._process)
            try:
                read_frame(self._process.stdout, 0)  # type: ignore[arg-type]
            except EOFError as error:
                self.close()
                raise DecoderFailed("the decoder doesn't start") from error
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._end()
            self._process = None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # What wasn't sent yet can't be.
            pipe.close()  # type: ignore[union-attr]


def _read_answer(words: dict[str, Any], body: bytes) -> Photo:
    """Raises PhotoError or DecoderFailed."""
    if "bug" in words:
        raise DecoderFailed(words["bug"])
    if "reason" in words:
        kind = _ERRORS[words["reason"]]
        error = kind.__new__(kind, words["said"])
        error.detail = words["detail"]
        raise error
    pixels = np.frombuffer(body, np.uint8).reshape(words["shape"])
    width, height = words["full"]
    return Photo(pixels, float(words["scale"]), int(width), int(height), str(words["format"]))
