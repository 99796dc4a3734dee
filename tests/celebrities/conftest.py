"""Engines for the gallery's tests: one without networks, and the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.fakes import FakeDetector, FakeEncoder


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Places of their own for gallery and builds, so that a test may look at all of them."""
    settings.INDEX_DIR = tmp_path / "index"
    for place in ("gallery", "builds"):
        # The models' fields hold on to their storage, so it is moved rather than replaced.
        monkeypatch.setitem(vars(storages[place]), "location", str(tmp_path / place))
    return tmp_path


@pytest.fixture
def fake_engine() -> Iterator[FaceEngine]:
    """The process's engine, with a fake detector and a fake encoder."""
    fake = FaceEngine(FakeDetector(), FakeEncoder())
    engine.reset(fake)
    yield fake
    engine.reset()


@pytest.fixture(scope="session")
def loaded_engine() -> FaceEngine:
    engine.reset()
    loaded = engine.get_engine()
    engine.reset()
    return loaded


@pytest.fixture
def real_engine(loaded_engine: FaceEngine) -> Iterator[FaceEngine]:
    """The process's engine as the site runs it, loaded once a session."""
    engine.reset(loaded_engine)
    yield loaded_engine
    engine.reset()
