"""A stranger's bytes -> an upright RGB array of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageStat

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.colours import flatten_to_rgb
from lookalike.faces.photos.costs import DECODE_MB, affords_frames, check_cost
from lookalike.faces.photos.header import check_size, read_bounded
from lookalike.faces.photos.headers import open_whole, read_header
from lookalike.faces.photos.jpeg import END, make_filler
from lookalike.faces.photos.orientation import SIDEWAYS, TRANSPOSE
from lookalike.faces.photos.pillow import (
    draft_image,
    load_image,
    load_low_bytes,
    load_next_frame,
    open_image,
)
from lookalike.faces.types import Photo

ENOUGH = 1.1
"""A JPEG may be decoded up to a tenth smaller than ``target_side``: its decoder does eighths for
nothing, and shrinking the rest of the way would take longer than decoding. Most phones' photos,
4,000 pixels wide, become 1,500."""
MAX_FRAMES = 32
"""Frames that are looked at, after the first; fewer if these have more than `max_pixels`."""


def open_photo(
    data: bytes | Path,
    *,
    max_bytes: int,
    max_pixels: int,
    min_side: int,
    target_side: int | None = None,
    decode_mb: int = DECODE_MB,
) -> Photo:
    """Decode a photo: upright, sRGB, only the first picture of the file.

    If an animation begins blank, its first frame that isn't. A JPEG without an end marker is
    taken if all of its rows are there.

    ``max_pixels`` limits width times height, ``min_side`` the shorter side; all limits are
    checked before decoding, as is whether decoding takes about ``decode_mb`` megabytes and a few
    CPU seconds at most. With ``target_side`` the photo may be decoded smaller, but its
    longer side is never below ``target_side``.

    Raises UnsupportedFormat, UnreadablePhoto (also when the file stops early: never half a
    photo), PhotoTooLarge, TooManyPixels, PhotoTooSmall or TooCostly. An OSError of the disk passes.
    """
    content = read_bounded(data, max_bytes)
    limits = (max_pixels, min_side, target_side, decode_mb)
    try:
        return _decode(content, *limits)
    except UnreadablePhoto:
        filler = make_filler(content) if content.startswith(b"\xff\xd8") else None
        if filler is None:
            raise
    content = content.rstrip(b"\xff")
    photo = _decode(content + END, *limits)
    if not np.array_equal(photo.pixels, _decode(content + filler + END, *limits).pixels):
        raise UnreadablePhoto("the file stops before its last row")
    return photo


def _decode(
    content: bytes, max_pixels: int, min_side: int, target_side: int | None, decode_mb: int
) -> Photo:
    header = read_header(open_whole(content))
    full_size = header.size
    check_size(full_size, max_pixels, min_side)
    check_cost(header, decode_mb)
    image = open_image(content, header, max_pixels)
    times = max(full_size) / target_side * ENOUGH if target_side else 1.0
    shrink = draft_image(image, times, max_pixels)
    load_image(image, max_pixels)
    # A decoder may find another size than the header's.
    if shrink == 1 and image.size != full_size:
        full_size = image.size
        check_size(full_size, max_pixels, min_side)
    further = _whole_shrink(image.size, target_side)
    if image.format == "PNG" and _is_dim_16_bit(image):
        low = load_low_bytes(content, header, max_pixels)
        upright = flatten_to_rgb(image, further, low)
    else:
        frames = header.frames - 1 if affords_frames(header, decode_mb) else 0
        upright = _flatten_first_picture(image, further, max_pixels, frames)
    if header.orientation in TRANSPOSE:
        upright = upright.transpose(TRANSPOSE[header.orientation])
    width, height = full_size[::-1] if header.orientation in SIDEWAYS else full_size
    return Photo(np.asarray(upright), 1 / (shrink * further), width, height, header.format)


def _flatten_first_picture(
    image: ImageFile.ImageFile, shrink: int, max_pixels: int, frames_after: int
) -> Image.Image:
    """The first frame of an animation that isn't blank, among the first few; else the first."""
    frames = _flatten_frames(image, shrink, max_pixels)
    first = next(frames)
    if not frames_after or not getattr(image, "is_animated", False):
        return first
    first = first.copy()  # It may be the image itself, whose pixels the next frame replaces.
    further = min(MAX_FRAMES, frames_after, max(1, max_pixels // (image.width * image.height)))
    candidates = chain([first], islice(frames, further))
    return next((frame for frame in candidates if not _is_blank(frame)), first)


def _flatten_frames(
    image: ImageFile.ImageFile, shrink: int, max_pixels: int
) -> Iterator[Image.Image]:
    yield flatten_to_rgb(image, shrink)
    size = image.size
    while load_next_frame(image, max_pixels) and image.size == size:
        yield flatten_to_rgb(image, shrink)


def _is_blank(picture: Image.Image) -> bool:
    """Whether each channel's standard deviation is under 8 of 255; photos have 30 and more."""
    return max(ImageStat.Stat(picture).stddev) < 8


def _is_dim_16_bit(image: Image.Image) -> bool:
    """Whether a 16-bit PNG in colour uses so little of its range that the high bytes, all that
    Pillow decodes, are too coarse."""
    bits = image.info.get("significant_bits", 12)
    if image.info.get("bit_depth") != 16 or image.mode not in ("RGB", "RGBA") or bits == 16:
        return False
    return bool(np.max(image.getextrema()[:3]) < 2 ** (bits - 8))


def shrink_photo(photo: Photo, side: int) -> Photo:
    """The photo with its longer side at most ``side`` pixels."""
    height, width = photo.pixels.shape[:2]
    if max(height, width) <= side:
        return photo
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    # Three times as fast as LANCZOS, which took half of the time for a 12-megapixel photo.
    pixels = np.asarray(Image.fromarray(photo.pixels).resize(size, Image.Resampling.BILINEAR))
    scale = photo.scale * factor
    return Photo(pixels, scale, photo.full_width, photo.full_height, photo.format)


def rotate_photo(photo: Photo, quarter_turns: int) -> Photo:
    """``photo`` turned clockwise by ``quarter_turns`` times 90 degrees (any whole number)."""
    if quarter_turns % 4 == 0:
        return photo
    pixels = np.ascontiguousarray(np.rot90(photo.pixels, -quarter_turns))
    size = (photo.full_width, photo.full_height)
    width, height = size[::-1] if quarter_turns % 2 else size
    return Photo(pixels, photo.scale, width, height, photo.format)


def _whole_shrink(size: tuple[int, int], target_side: int | None) -> int:
    return max(1, max(size) // target_side) if target_side else 1
