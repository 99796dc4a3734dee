"""How many processes start: by what this process may use, not by what the machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike import machine
from lookalike.machine import MB

ASK = "from lookalike.machine import count_workers; print(count_workers())"


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree of control groups, this process being in `site.slice/worker`."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16_000 * MB // 4096}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    (tmp_path / "own").write_text(
        "4:memory:/site.slice/worker\n1:cpu,cpuacct:/site.slice/worker\n0::/site.slice/worker\n"
    )
    return tmp_path / "cgroup"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_it_works(groups: Path) -> None:
    assert (machine.count_processors(), machine.memory_bytes()) == (8, 16_000 * MB)
    assert (machine.count_workers(), machine.count_web_processes()) == (8, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_15_one_processor_means_one_worker() -> None:
    one = min(os.sched_getaffinity(0))
    found = subprocess.run(
        ["taskset", "-c", str(one), sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("text", "processors"), [("max 100000", 8), ("50000 100000", 1), ("250000 100000", 3)]
)
def test_15_it_reads_the_quota_of_version_2(groups: Path, text: str, processors: int) -> None:
    write(groups / "site.slice" / "cpu.max", text)
    assert machine.count_processors() == processors


@pytest.mark.parametrize(("quota", "processors"), [(-1, 8), (200_000, 2)])
def test_15_it_reads_the_quota_of_version_1(groups: Path, quota: int, processors: int) -> None:
    # Most systems link `cpu` to the folder of both controllers.
    write(groups / "cpu" / "site.slice" / "worker" / "cpu.cfs_quota_us", f"{quota}\n")
    write(groups / "cpu" / "site.slice" / "worker" / "cpu.cfs_period_us", "100000\n")
    assert machine.count_processors() == processors


@pytest.mark.parametrize(
    ("where", "text", "workers"),
    [
        ("memory.max", str(1024 * MB), 3),
        ("memory.max", str(200 * MB), 1),
        ("memory.max", "max", 8),
        ("memory/site.slice/memory.limit_in_bytes", str(700 * MB), 2),
        ("memory/memory.limit_in_bytes", str(2**63 - 4096), 8),
    ],
)
def test_15_it_reads_the_memory(groups: Path, where: str, text: str, workers: int) -> None:
    write(groups / where, f"{text}\n")
    assert machine.count_workers() == workers


def test_17_a_small_machine_gets_one_web_process(groups: Path) -> None:
    write(groups / "memory.max", str(1024 * MB))
    assert machine.count_web_processes() == 1


def test_it_handles_a_system_without_control_groups(groups: Path, tmp_path: Path) -> None:
    (tmp_path / "own").unlink()
    assert machine.count_processors() == 8
