"""Files in gallery storage without a portrait."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from celebrities import sweeping
from celebrities.gallery import embed_portraits
from celebrities.models import Portrait
from celebrities.sweeping import storing, sweep_files
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_portrait

pytestmark = pytest.mark.django_db

ORPHAN = "portraits/ab/" + "ab" * 16


def save_orphans() -> None:
    for end in (".jpg", "-chip.jpg", "-160.webp"):
        storages["gallery"].save(f"{ORPHAN}{end}", ContentFile(b"left"))


def test_it_works(fake_engine: FaceEngine) -> None:
    portrait = make_portrait()
    embed_portraits([portrait])
    waiting = make_portrait()
    save_orphans()
    for name in ("portraits/ab/notes.txt", "portraits/other/x.jpg"):
        storages["gallery"].save(name, ContentFile(b"of somebody else"))

    assert sweep_files() == 3
    assert sweep_files() == 0
    portrait.refresh_from_db()
    assert len(portrait.file_names) > 3
    for name in (*portrait.file_names, *waiting.file_names, "portraits/ab/notes.txt"):
        assert storages["gallery"].exists(name)


def test_handles_a_gallery_without_files() -> None:
    assert sweep_files() == 0


def test_waits_while_files_are_stored_before_their_row() -> None:
    swept = threading.Event()
    begun = threading.Event()

    def sweep() -> None:
        begun.set()
        with sweeping._lock(fcntl.LOCK_EX):
            swept.set()

    with storing(), storing():
        thread = threading.Thread(target=sweep)
        thread.start()
        begun.wait(10)
        assert not swept.wait(0.2)
    assert swept.wait(10)
    thread.join()


def test_a_killed_process_keeps_nobody_waiting(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'a'); "
        "fcntl.flock(file, fcntl.LOCK_SH); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "storing.lock"], stdout=subprocess.PIPE
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.communicate()
    save_orphans()

    assert sweep_files() == 3


def test_in_a_shared_storage_only_old_files_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """No FileSystemStorage: other machines may write to it."""

    monkeypatch.setattr(sweeping, "FileSystemStorage", Other)
    save_orphans()

    assert sweep_files() == 0
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert sweep_files() == 3
    assert not Portrait.objects.exists()


def test_keeps_everything_under_a_database_that_knows_little_of_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sweeping, "MANY", 2)
    save_orphans()

    assert sweep_files() == 0
    assert "3 files of the gallery's storage belong to no portrait" in caplog.text
    assert storages["gallery"].exists(f"{ORPHAN}.jpg")
