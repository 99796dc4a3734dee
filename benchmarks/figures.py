"""The figures of each part, kept as one JSON file with date, machine and load."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

Figures = dict[str, Any]


class Machine(TypedDict):
    processor: str
    cores: int
    instructions: str
    memory_gb: int
    python: str
    load: float
    """One-minute load average before the part began."""


class Record(TypedDict):
    date: str
    seconds: int
    machine: Machine
    figures: Figures


def describe_machine() -> Machine:
    text = Path("/proc/cpuinfo").read_text()
    names = [line.split(":")[1] for line in text.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].strip() if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": "AVX-512" if "avx512f" in text else "AVX2 or less",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def record_part(measure: Callable[[], Figures]) -> Record:
    machine, started = describe_machine(), time.monotonic()
    figures = measure()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.monotonic() - started),
        "machine": machine,
        "figures": figures,
    }


def save_record(folder: Path, part: str, record: Record) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / f"{part}.json").write_text(f"{text}\n", encoding="utf-8")


def load_records(folder: Path) -> dict[str, Record]:
    """By the part's name. Parts that were never measured are missing."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }
