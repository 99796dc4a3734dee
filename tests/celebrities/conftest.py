"""Folders of their own for the gallery's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from celebrities.models import Portrait


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
        ("records", storages["records"]),
    ]:
        monkeypatch.setitem(vars(storage), "location", str(tmp_path / place))
    return tmp_path
