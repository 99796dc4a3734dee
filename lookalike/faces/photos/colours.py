"""Any of Pillow's modes -> RGB with the right values."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lookalike.faces.photos.pillow import convert_image
from lookalike.faces.photos.png import MAX_PROFILE
from lookalike.faces.photos.spaces import convert_space, find_space

BACKGROUND = (238, 238, 238)
"""Shows through transparent parts: plain and light, as behind a portrait."""

Bytes = NDArray[np.uint8]

_PLAIN = ("L", "LA", "RGB", "RGBA", "CMYK")
_STRIP_PIXELS = 1_000_000


def flatten_to_rgb(
    image: Image.Image, shrink: int = 1, low: Image.Image | None = None
) -> Image.Image:
    """``image`` as sRGB on a plain light background, ``shrink`` times smaller.

    ``low`` has the low bytes of 16-bit values whose high bytes ``image`` has. Values over 8 bits
    are scaled to their range. Shrinking averages blocks of pixels. The file's colour profile or
    stated colour space is applied unless it is broken or doesn't fit; high dynamic range is
    tone-mapped. Raises UnreadablePhoto when palette or transparency don't fit
    the pixels.
    """
    plain = _shrink(image, shrink, low)
    alpha = plain.getchannel("A") if plain.mode in ("LA", "RGBA") else None
    if alpha:
        plain = plain.convert(plain.mode[:-1])
        alpha = None if alpha.getextrema()[0] == 255 else alpha
    colours = _apply_colours(plain, image.info)
    if alpha is None:
        return colours
    canvas = Image.new("RGB", colours.size, BACKGROUND)
    canvas.paste(colours, mask=alpha)
    return canvas


def _shrink(image: Image.Image, shrink: int, low: Image.Image | None) -> Image.Image:
    """Any mode -> L, RGB, CMYK, LA or RGBA, ``shrink`` times smaller by averages of blocks.

    Goes in strips, so that a large picture is never there twice in a larger mode.
    """
    if low is None and image.mode in _PLAIN and "transparency" not in image.info:
        if shrink == 1:
            return image
        if image.mode not in ("LA", "RGBA"):  # Pillow copies these to multiply them by alpha.
            return image.reduce(shrink)
    table = _make_table(image, low)
    rows = shrink * max(1, _STRIP_PIXELS // (image.width * shrink))
    strips = []
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        strip = _to_plain(image.crop(box), low.crop(box) if low else None, table)
        strips.append(strip.reduce(shrink) if shrink > 1 else strip)
    return _stack(strips)


def _stack(strips: list[Image.Image]) -> Image.Image:
    """The strips below each other."""
    if len(strips) == 1:
        return strips[0]
    size = strips[0].width, sum(strip.height for strip in strips)
    whole = Image.new(strips[0].mode, size)
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def _to_plain(image: Image.Image, low: Image.Image | None, table: Bytes | None) -> Image.Image:
    """Any mode -> L, RGB, CMYK, LA or RGBA."""
    if table is not None and low:
        return _widen(image, low, table)
    if table is not None:
        return Image.fromarray(table[np.clip(np.asarray(image), 0, 65535)])
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image), nan=0.0, posinf=0.0, neginf=0.0)
        return Image.fromarray(_to_uint8(values * (255.0 if values.max() <= 1.0 else 1.0)))
    if image.mode == "La":
        return convert_image(image, "LA")
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return convert_image(image, "RGBA")
    if image.mode in _PLAIN:
        return image
    return convert_image(image, "L" if image.mode == "1" else "RGB")


def _widen(high: Image.Image, low: Image.Image, table: Bytes) -> Image.Image:
    """Bytes from the high and the low bytes of 16-bit values; alpha is ``high``'s."""
    values = np.asarray(high.convert("RGB")).astype(np.uint16) << 8
    values |= np.asarray(low.convert("RGB"))
    wide = Image.fromarray(table[values])
    if high.mode == "RGBA":
        wide.putalpha(high.getchannel("A"))
    return wide


def _make_table(image: Image.Image, low: Image.Image | None) -> Bytes | None:
    """The byte of each 16-bit value: they span ``significant_bits``, or what the largest value
    says of 8, 10, 12 and 16 bits. None if the image has other values."""
    if low is None and not image.mode.startswith("I"):
        return None
    bits = image.info.get("significant_bits")
    # The largest high byte tells, since each of the spans is whole in it.
    extrema = cast(Any, image.getextrema())
    top = max(high for _, high in extrema[:3]) << 8 if low else int(extrema[1])
    wanted = (bits,) if bits else (8, 10, 12)
    span = next((2**bits - 1 for bits in wanted if top < 2**bits), 65535)
    return _to_uint8(np.arange(65536) * 255.0 / span)


def _to_uint8(values: NDArray[Any]) -> Bytes:
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
