"""Sample photos for visitors without one: six of the fictional cast, each a photo that is
not in the gallery."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from PIL import Image

SAMPLES = {
    "amara-dioulasse": "Amara Dioulasse",
    "kenji-morishige": "Kenji Morishige",
    "saoirse-quillane": "Saoirse Quillane",
    "sipho-ndlangamanza": "Sipho Ndlangamanza",
    "ananya-vellathurai": "Ananya Vellathurai",
    "matteo-lucanero": "Matteo Lucanero",
}
PREVIEW_SIZE = (320, 400)


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample photo as the first page offers it; ``url`` is its preview's."""

    key: str
    name: str
    url: str


def list_samples() -> list[Sample]:
    return [
        Sample(key, name, reverse("uploads:sample", args=[key])) for key, name in SAMPLES.items()
    ]


def sample_path(key: str) -> Path:
    """The sample's full photo. Raises KeyError for an unknown key."""
    if key not in SAMPLES:
        raise KeyError(key)
    return Path(settings.BASE_DIR) / "celebrities" / "demo" / f"{key}_3.jpg"


@cache
def make_preview(key: str) -> bytes:
    """The sample as a JPEG of PREVIEW_SIZE pixels. Raises KeyError for an unknown key."""
    buffer = io.BytesIO()
    with Image.open(sample_path(key)) as image:
        image.resize(PREVIEW_SIZE, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
