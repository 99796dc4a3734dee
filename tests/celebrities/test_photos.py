"""Large photos of strangers are opened one after the other on a small server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PIL import Image
from pytest_django.fixtures import Settings

from celebrities import photos
from celebrities.photos import LARGE, open_strangers, take_turn
from lookalike.faces.types import Photo
from tests.faces.photos import saved

SIDE = round((LARGE / 4) ** 0.5) + 100


@pytest.fixture(autouse=True)
def small_server(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    monkeypatch.setattr(photos, "memory_bytes", lambda: 2**30)
    settings.DATA_DIR = tmp_path


def test_13_a_large_photo_waits_for_another(tmp_path: Path) -> None:
    large = saved(Image.new("RGB", (SIDE, SIDE)), "PNG")
    small = saved(Image.new("RGB", (200, 200)), "PNG")
    opened: list[Photo] = []
    waiting = threading.Thread(target=lambda: opened.append(open_strangers(large)))
    with take_turn():
        waiting.start()
        assert open_strangers(small).full_width == 200
        waiting.join(0.5)
        assert opened == []
    waiting.join(60)

    assert [photo.full_width for photo in opened] == [SIDE]


def test_13_a_larger_server_opens_several_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    process = iter(range(9))
    monkeypatch.setattr(photos, "memory_bytes", lambda: 2 * 2**30)
    monkeypatch.setattr("os.getpid", lambda: next(process))
    with take_turn(), take_turn():
        pass
