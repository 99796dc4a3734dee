"""Figures that are kept: one file per part, with date, machine and load."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.figures import Figures, load_records, record_part, save_record


def test_it_works(tmp_path: Path) -> None:
    record = record_part(lambda: {"ms": 1.5})

    save_record(tmp_path / "new", "photos", record)

    assert load_records(tmp_path / "new") == {"photos": record}
    assert record["figures"] == {"ms": 1.5}
    assert record["date"] == datetime.now(UTC).date().isoformat()
    assert record["seconds"] == 0
    assert record["machine"]["cores"] == len(os.sched_getaffinity(0))


def test_reads_the_load_before_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = [(1.26, 0.0, 0.0)]
    monkeypatch.setattr(os, "getloadavg", lambda: loads[-1])

    def measure() -> Figures:
        loads.append((9.0, 0.0, 0.0))
        return {}

    record = record_part(measure)

    assert record["machine"]["load"] == 1.3


def test_handles_no_figures(tmp_path: Path) -> None:
    assert load_records(tmp_path / "missing") == {}
