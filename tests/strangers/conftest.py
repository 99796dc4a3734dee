"""What both the engine and the form are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.faces.photos import saved
from tests.faces.test_headers import make_files


@pytest.fixture(scope="session")
def seeds(cast: dict[str, list[Path]]) -> list[bytes]:
    """Files of every kind, half of them photos with a face, to be damaged."""
    found = [data for _, data in make_files().values()]
    with Image.open(cast["kenji-morishige"][2]) as photo:
        face = photo.convert("RGB").resize((160, 160))
    names = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
    faces = [saved(face, name) for name in names] + [saved(face, "JPEG", progressive=True)]
    return found + faces * (len(found) // len(faces))
