"""Any of Pillow's modes -> RGB with the right values."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from lookalike.faces.photos.pillow import convert_image

BACKGROUND = (238, 238, 238)
"""Shows through transparent parts: plain and light, as behind a portrait."""


def flatten_to_rgb(image: Image.Image, shrink: int = 1) -> Image.Image:
    """``image`` as sRGB on a plain light background, ``shrink`` times smaller.

    16-bit values are scaled, not clipped. Shrinking averages blocks of pixels. The file's
    colour profile is applied unless it is broken or doesn't fit. Raises UnreadablePhoto when
    palette or transparency don't fit the pixels.
    """
    profile = image.info.get("icc_profile")
    plain = _to_bytes_per_channel(image)
    if plain.mode not in ("RGB", "L", "CMYK"):
        plain = _lay_on_background(plain)
    if shrink > 1:
        plain = plain.reduce(shrink)
    plain = _apply_profile(plain, profile) or plain
    # Converting RGB to RGB copies every pixel.
    return plain if plain.mode == "RGB" else plain.convert("RGB")


def _to_bytes_per_channel(image: Image.Image) -> Image.Image:
    """Any mode -> L, RGB, CMYK, LA or RGBA."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        return Image.fromarray(_scale_to_byte(np.asarray(image)))
    if image.mode == "La":
        return convert_image(image, "LA")
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return convert_image(image, "RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return convert_image(image, "L" if image.mode == "1" else "RGB")


def _scale_to_byte(values: np.ndarray) -> np.ndarray:
    """Integers span 8 or 16 bits, floats 0 to 1 or 0 to 255; the largest value decides."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(finite.max(initial=0.0))
    if values.dtype.kind == "f" and top <= 1.0:
        finite = finite * 255.0
    elif top > 255.0:
        finite = finite / 257.0
    return np.clip(np.rint(finite), 0, 255).astype(np.uint8)


def _lay_on_background(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return rgba.convert("RGB")
    canvas = Image.new("RGB", rgba.size, BACKGROUND)
    canvas.paste(rgba.convert("RGB"), mask=alpha)
    return canvas


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """``image`` in sRGB, or None if there is no usable profile."""
    # Profiles for print have up to about 3 MB.
    if not profile or len(profile) > 4_000_000:
        return None
    try:
        transform = _make_transform(profile, image.mode)
        return ImageCms.applyTransform(image, transform) if transform else None
    except (ImageCms.PyCMSError, ValueError, OSError):
        return None


@lru_cache(maxsize=8)
def _make_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Cached, since it takes milliseconds and most photos carry one of a few profiles."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
