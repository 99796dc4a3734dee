"""One process of the site is kept running, and stopped without leaving anything behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import CHECKOUT, is_running, list_children, wait_for

Keep = Callable[..., "subprocess.Popen[bytes]"]

SLEEP = "import time; time.sleep(600)"
NOTE_AND_SLEEP = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
NOTE_THE_END = """
import pathlib, signal, sys, time
def note(*about):
    pathlib.Path(sys.argv[1]).write_text("asked")
    sys.exit()
signal.signal(signal.SIGTERM, note)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
REFUSE_TO_END = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
while True:
    time.sleep(1)
"""
FORK_AND_END = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
sys.stdin.close()
"""

SUPERVISE = """
import json, sys
from lookalike.processes.supervise import supervise
sys.exit(supervise(json.loads(sys.argv[1])))
"""


@pytest.fixture
def keep() -> Iterator[Keep]:
    """Starts a supervisor of a piece of Python, or of several by name; kills it at the end."""
    keepers = []

    def start(code: str, *words: str, **others: str) -> subprocess.Popen[bytes]:
        commands = {
            name: [sys.executable, "-c", each, *words]
            for name, each in {"it": code, **others}.items()
        }
        keeper = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, json.dumps(commands)],
            cwd=CHECKOUT,
            stderr=subprocess.DEVNULL,
        )
        keepers.append(keeper)
        return keeper

    yield start
    for keeper in keepers:
        keeper.kill()
        keeper.wait()


def child_of(keeper: subprocess.Popen[bytes]) -> int:
    wait_for(lambda: bool(list_children(keeper.pid)), "the command to start")
    return list_children(keeper.pid)[0]


def test_it_works(keep: Keep, tmp_path: Path) -> None:
    keeper = keep(NOTE_THE_END, str(tmp_path / "note"))
    wait_for((tmp_path / "note").exists, "the command to start")
    keeper.terminate()
    assert keeper.wait(10) == 0
    assert (tmp_path / "note").read_text() == "asked"


def test_it_starts_a_killed_command_again(keep: Keep) -> None:
    keeper = keep(SLEEP)
    first = child_of(keeper)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: list_children(keeper.pid) not in ([], [first]), "a new process")


def test_it_gives_up_on_a_command_that_keeps_failing(keep: Keep) -> None:
    assert keep("raise SystemExit(7)").wait(30) == 7


def test_it_kills_what_does_not_end(keep: Keep, tmp_path: Path) -> None:
    keeper = keep(REFUSE_TO_END, str(tmp_path / "note"))
    wait_for((tmp_path / "note").exists, "the command to start")
    child = child_of(keeper)
    keeper.terminate()
    assert keeper.wait(10) == 0
    assert not is_running(child)


def test_it_leaves_no_grandchild_behind(keep: Keep, tmp_path: Path) -> None:
    keep(FORK_AND_END, str(tmp_path / "note"))
    wait_for(lambda: (tmp_path / "note").exists() and bool((tmp_path / "note").read_text()), "it")
    grandchild = int((tmp_path / "note").read_text())
    wait_for(lambda: not is_running(grandchild), "the grandchild to be killed")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_the_command_ends_when_the_keeper_is_killed(keep: Keep, tmp_path: Path) -> None:
    keeper = keep(NOTE_AND_SLEEP, str(tmp_path / "note"))
    wait_for((tmp_path / "note").exists, "the command to start")
    child = child_of(keeper)
    keeper.kill()
    wait_for(lambda: not is_running(child), "the command to end")


def test_one_that_keeps_failing_stops_the_others(keep: Keep) -> None:
    keeper = keep("raise SystemExit(7)", other=SLEEP)
    wait_for(lambda: len(list_children(keeper.pid)) >= 1, "the other to start")
    assert keeper.wait(30) == 7
    assert list_children(keeper.pid) == []


def test_valkey_ends_after_the_others(keep: Keep, tmp_path: Path) -> None:
    """So that a worker can hand back its task."""
    note = str(tmp_path / "note")
    slow = NOTE_THE_END.replace("def note(*about):", "def note(*about):\n    time.sleep(1)")
    valkey = NOTE_THE_END.replace('write_text("asked")', 'open("a").write(" valkey")')
    keeper = keep(slow, note, valkey=valkey)
    wait_for(lambda: len(list_children(keeper.pid)) == 2, "both to start")
    wait_for((tmp_path / "note").exists, "both to be ready")
    time.sleep(1)
    keeper.terminate()
    keeper.wait(15)
    assert (tmp_path / "note").read_text() == "asked valkey"
