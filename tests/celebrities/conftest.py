"""Engines for the gallery's tests: one without networks, and the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from celebrities.models import Portrait
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.fakes import FakeDetector, FakeEncoder


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Places of their own for gallery and builds, so that a test may look at all of them."""
    settings.INDEX_DIR = tmp_path / "index"
    # A field holds on to its storage, also after a test with other STORAGES had all storages
    # made anew: so each is moved rather than replaced, the field's own as well.
    field = Portrait._meta.get_field("image").storage
    for place, storage in [
        ("gallery", storages["gallery"]),
        ("gallery", field),
        ("builds", storages["builds"]),
    ]:
        monkeypatch.setitem(vars(storage), "location", str(tmp_path / place))
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
