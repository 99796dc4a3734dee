"""Any of Pillow's modes -> RGB with the right values."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lookalike.faces.photos.pillow import convert_image
from lookalike.faces.photos.png import MAX_PROFILE
from lookalike.faces.photos.spaces import convert_space, find_space

BACKGROUND = (238, 238, 238)
"""Shows through transparent parts: plain and light, as behind a portrait."""


def flatten_to_rgb(image: Image.Image, shrink: int = 1) -> Image.Image:
    """``image`` as sRGB on a plain light background, ``shrink`` times smaller.

    Values over 8 bits are scaled to their range. Shrinking averages blocks of pixels. The file's
    colour profile or stated colour space is applied unless it is broken or doesn't fit; high
    dynamic range is tone-mapped. Raises UnreadablePhoto when palette or transparency don't fit
    the pixels.
    """
    plain = _to_bytes_per_channel(image)
    alpha = plain.getchannel("A") if plain.mode in ("LA", "RGBA") else None
    if alpha and alpha.getextrema()[0] == 255:
        plain, alpha = plain.convert(plain.mode[:-1]), None
    if shrink > 1:
        plain = plain.reduce(shrink)
        alpha = plain.getchannel("A") if alpha else None
    colours = _apply_colours(plain.convert(plain.mode[:-1]) if alpha else plain, image.info)
    if alpha is None:
        return colours
    canvas = Image.new("RGB", colours.size, BACKGROUND)
    canvas.paste(colours, mask=alpha)
    return canvas


def widen(high: Image.Image, low: Image.Image) -> Image.Image:
    """Bytes per channel from the high and the low bytes of 16-bit values; alpha is ``high``'s."""
    values = np.asarray(high.convert("RGB")).astype(np.int32) << 8
    values |= np.asarray(low.convert("RGB"))
    wide = Image.fromarray(_scale_to_byte(values, high.info.get("significant_bits")))
    if high.mode == "RGBA":
        wide.putalpha(high.getchannel("A"))
    wide.info = high.info
    return wide


def _to_bytes_per_channel(image: Image.Image) -> Image.Image:
    """Any mode -> L, RGB, CMYK, LA or RGBA."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        bits = image.info.get("significant_bits")
        return Image.fromarray(_scale_to_byte(np.asarray(image), bits))
    if image.mode == "La":
        return convert_image(image, "LA")
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return convert_image(image, "RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return convert_image(image, "L" if image.mode == "1" else "RGB")


def _scale_to_byte(values: NDArray[Any], bits: int | None) -> NDArray[np.uint8]:
    """Integers span ``bits``, floats 0 to 1 or 0 to 255. Without ``bits`` the largest value
    decides between 8, 10, 12 and 16."""
    if values.dtype.kind == "f":
        finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        factor = 255.0 if finite.max(initial=0.0) <= 1.0 else 1.0
        return _to_uint8(finite * factor)
    if values.dtype != np.uint16:
        values = np.clip(values, 0, 65535).astype(np.uint16)
    top = int(values.max(initial=0))
    wanted = (bits,) if bits else (8, 10, 12)
    span = next((2**bits - 1 for bits in wanted if top < 2**bits), 65535)
    table = _to_uint8(np.arange(65536) * 255.0 / span)
    return np.asarray(table[values])


def _to_uint8(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _apply_colours(image: Image.Image, info: dict[str | tuple[int, int], Any]) -> Image.Image:
    """An L, RGB or CMYK image as sRGB."""
    profile = info.get("icc_profile")
    if profile and len(profile) <= MAX_PROFILE:
        if image.mode == "L" and profile[16:20] == b"RGB ":
            image = image.convert("RGB")
        image = _apply_profile(image, profile) or image
    elif image.mode != "CMYK" and (space := find_space(info)):
        image = convert_space(image, space)
    # Converting RGB to RGB copies every pixel.
    return image if image.mode == "RGB" else image.convert("RGB")


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """``image`` in sRGB, or None if the profile is unusable or changes nothing to speak of."""
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
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "CMYK":
            return transform
        # Names don't tell: profiles of linear light are called sRGB too.
        probe = _PROBE.convert(mode)
        shown = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int)
        return transform if np.abs(shown - np.asarray(probe.convert("RGB"))).max() > 2 else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


_PROBE = Image.fromarray(
    np.mgrid[0:256:17, 0:256:17, 0:256:17].T.astype(np.uint8).reshape(64, 64, 3)
)
"""16 steps of each of red, green and blue."""
