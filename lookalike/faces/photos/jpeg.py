from __future__ import annotations

import io

from PIL import Image

from lookalike.faces.types import Pixels


def encode_jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """A JPEG file without EXIF, profile or comment."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
