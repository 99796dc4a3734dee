"""The web process knows whether a worker is there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lookalike.processes.heartbeat import beat, worker_is_away
from tests.live import Site, wait_for


def test_it_works(worker: Site) -> None:
    assert not worker_is_away()


def test_it_reports_no_worker(valkey: str) -> None:
    assert worker_is_away()


def test_it_notices_within_half_a_minute_that_the_worker_was_killed(worker: Site) -> None:
    keeper = worker.processes["worker"].pid
    os.kill(keeper, signal.SIGSTOP)
    os.kill(worker.children("worker")[0], signal.SIGKILL)
    try:
        wait_for(worker_is_away, "the heartbeat to end", seconds=30)
    finally:
        os.kill(keeper, signal.SIGCONT)


def test_it_says_once_that_valkey_is_away(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, valkey: str
) -> None:
    there = settings.CACHES
    nowhere = f"unix://{tmp_path / 'nobody-listens.sock'}"
    worker_is_away()
    for _ in range(2):
        settings.CACHES = {"default": {**there["default"], "LOCATION": nowhere}}
        assert worker_is_away()
        assert worker_is_away()
        settings.CACHES = there
        worker_is_away()

    assert len(caplog.records) == 2


def test_it_handles_a_valkey_that_is_away(settings: Settings, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path / 'nobody-listens.sock'}"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}
    beat()
    assert worker_is_away()
