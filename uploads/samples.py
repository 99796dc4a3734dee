"""Sample photos for visitors without one: six of the cast, each a photo not in the gallery."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from django.conf import settings
from PIL import Image

SAMPLES = {
    "amara-dioulasse": "Amara Dioulasse",
    "kenji-morishige": "Kenji Morishige",
    "saoirse-quillane": "Saoirse Quillane",
    "sipho-ndlangamanza": "Sipho Ndlangamanza",
    "ananya-vellathurai": "Ananya Vellathurai",
    "matteo-lucanero": "Matteo Lucanero",
}


def sample_path(key: str) -> Path:
    """The sample's full photo. Raises KeyError for an unknown key."""
    if key not in SAMPLES:
        raise KeyError(key)
    return Path(settings.BASE_DIR) / "celebrities" / "galleries" / "fictional" / f"{key}_3.jpg"


@cache
def make_preview(key: str) -> bytes:
    """The sample as a JPEG of 320 x 400 pixels. Raises KeyError for an unknown key."""
    buffer = io.BytesIO()
    with Image.open(sample_path(key)) as image:
        image.resize((320, 400), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
