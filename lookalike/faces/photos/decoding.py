"""A stranger's bytes -> an upright RGB array of bounded size, or the reason why not.

Only Pillow's decoders of the accepted formats ever see the bytes, and only after the
header has been found within the limits. Nothing here imports torch or ONNX Runtime, so the
web process may check headers with it.
"""

from __future__ import annotations

import io
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

import numpy as np
from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from lookalike.faces.errors import (
    PhotoError,
    PhotoTooLarge,
    PhotoTooSmall,
    TooManyPixels,
    UnreadablePhoto,
    UnsupportedFormat,
)
from lookalike.faces.photos.colours import flatten_to_rgb
from lookalike.faces.photos.formats import ACCEPTED_FORMATS, HEAD_BYTES, name_format
from lookalike.faces.types import Photo, Pixels

__all__ = ["ACCEPTED_FORMATS", "check_header", "encode_jpeg", "open_photo", "turn_photo"]

# A thumbnail inside the file may show another picture than the photo itself.
register_heif_opener(thumbnails=False)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)

# Damaged files reach deep into the decoders, which raise whatever they stumble on. Named one
# by one, so that what stops a worker from outside, such as a time limit, goes through.
_DECODER_FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
    EOFError,
    BufferError,
    MemoryError,
    RuntimeError,
    Warning,
    struct.error,
    zlib.error,
)

_WARNINGS_LOCK = threading.Lock()


def check_header(
    file: bytes | Path | IO[bytes], *, max_bytes: int, max_pixels: int, min_side: int
) -> tuple[str, int, int]:
    """Find what ``file`` is from its header, without decoding a pixel.

    Returns Pillow's name of the format and the width and height as stored, which the
    orientation in the file may yet exchange. A file object is left at its beginning.
    Raises UnsupportedFormat, UnreadablePhoto, PhotoTooLarge, TooManyPixels or PhotoTooSmall;
    a header that passes doesn't promise that the rest can be decoded. An OSError of the disk
    itself goes through.
    """
    if isinstance(file, (bytes, Path)):
        file = io.BytesIO(_read_bounded(file, max_bytes))
    elif (size := file.seek(0, io.SEEK_END)) > max_bytes:
        raise PhotoTooLarge(size, max_bytes)
    try:
        with _named_failures(max_pixels):
            image = _open_header(file)
            _check_size(image.size, max_pixels, min_side)
            return str(image.format), image.width, image.height
    finally:
        file.seek(0)


def open_photo(
    data: bytes | Path,
    *,
    max_bytes: int,
    max_pixels: int,
    min_side: int,
    target_side: int | None = None,
) -> Photo:
    """Decode a stranger's photo: upright, RGB, the first picture of the file alone.

    ``max_bytes`` bounds the file, ``max_pixels`` its width times height, ``min_side`` its
    shorter side in pixels; all are checked before anything is decoded. With ``target_side``
    the photo may be decoded smaller, for speed, but never with its longer side under
    ``target_side``; ``Photo.scale`` tells by how much.

    Raises UnsupportedFormat, UnreadablePhoto (also when the file stops early: never half a
    photo), PhotoTooLarge, TooManyPixels or PhotoTooSmall. An OSError of the disk itself goes
    through.
    """
    content = _read_bounded(data, max_bytes)
    with _named_failures(max_pixels):
        image = _open_header(io.BytesIO(content))
        full_size = image.size
        _check_size(full_size, max_pixels, min_side)
        shrink = _draft(image, target_side)
        image.load()
        # A decoder may find another size than the header's; that one counts as well.
        if shrink == 1 and image.size != full_size:
            full_size = image.size
            _check_size(full_size, max_pixels, min_side)
        orientation = read_orientation(image.info.get("exif") or b"")
        further = _whole_shrink(image.size, target_side)
        upright = flatten_to_rgb(image, further)
        if orientation in _UPRIGHT:
            upright = upright.transpose(_UPRIGHT[orientation])
        width, height = full_size[::-1] if orientation in _SIDEWAYS else full_size
        pixels = np.asarray(upright)
    return Photo(pixels, 1 / (shrink * further), width, height, str(image.format))


def turn_photo(photo: Photo, quarter_turns: int) -> Photo:
    """``photo`` turned clockwise by ``quarter_turns`` times 90 degrees (any whole number)."""
    pixels = np.ascontiguousarray(np.rot90(photo.pixels, -quarter_turns))
    width, height = photo.full_width, photo.full_height
    if quarter_turns % 2:
        width, height = height, width
    return Photo(pixels, photo.scale, width, height, photo.format)


def encode_jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """A JPEG file of ``pixels`` and nothing else: no EXIF, no profile, no comment."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def read_orientation(exif: bytes) -> int:
    """The orientation (1 to 8) that EXIF bytes state in their first directory; 1 when they
    state none. Pillow's own reader parses all of the EXIF, and warns about much of it."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == _ORIENTATION_TAG:
                (value,) = struct.unpack_from(order + ("I" if kind == 4 else "H"), tiff, entry + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _read_bounded(data: bytes | Path, max_bytes: int) -> bytes:
    if isinstance(data, bytes):
        size, content = len(data), data
    else:
        with data.open("rb") as file:
            content = file.read(max_bytes + 1)
        size = max(data.stat().st_size, len(content))
    if size > max_bytes:
        raise PhotoTooLarge(size, max_bytes)
    return content


def _open_header(file: IO[bytes]) -> ImageFile.ImageFile:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise UnreadablePhoto("the file is empty")
    found = name_format(head)
    if found not in ACCEPTED_FORMATS:
        raise UnsupportedFormat(found)
    file.seek(0)
    # Pillow warns of odd metadata that doesn't concern the pixels. The filters belong to
    # the process, so that one thread at a time may set them aside.
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=["JPEG", "MPO"] if found == "JPEG" else [found])
    image.format = found
    return image


def _check_size(size: tuple[int, int], max_pixels: int, min_side: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise TooManyPixels(width * height, max_pixels)
    if min(size) < min_side:
        raise PhotoTooSmall(min(size), min_side)


def _whole_shrink(size: tuple[int, int], target_side: int | None) -> int:
    return max(1, max(size) // target_side) if target_side else 1


def _draft(image: ImageFile.ImageFile, target_side: int | None) -> int:
    """Let a JPEG be decoded 2, 4 or 8 times smaller; returns how many times."""
    if image.format != "JPEG":
        return 1
    times = _whole_shrink(image.size, target_side)
    wanted = (max(1, image.width // times), max(1, image.height // times))
    width = image.width
    drafted = image.draft(None, wanted)
    return round(width / drafted[1][2]) if drafted else 1


@contextmanager
def _named_failures(max_pixels: int) -> Iterator[None]:
    """Every way in which Pillow and its decoders fail -> a PhotoError."""
    try:
        yield
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        _raise_too_many(error, max_pixels)
    except _DECODER_FAILURES as error:
        raise UnreadablePhoto(f"{type(error).__name__}: {error}") from error


def _raise_too_many(error: Exception, max_pixels: int) -> NoReturn:
    stated = re.search(r"\((\d+) pixels\)", str(error))
    raise TooManyPixels(int(stated[1]) if stated else max_pixels + 1, max_pixels) from error
