"""The calls into Pillow that read a stranger's bytes, and the guard around them.

Only they stand inside the guard, so that a bug of ours is never reported as a damaged photo.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import traceback
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from lookalike.faces.errors import TooManyPixels, UnreadablePhoto
from lookalike.faces.photos.formats import META_BYTES, read_nclx
from lookalike.faces.photos.headers import Header
from lookalike.faces.photos.headers.jpeg import keep_pixels
from lookalike.faces.photos.png import clean_png

logger = logging.getLogger(__name__)

# A thumbnail inside the file may show another picture than the photo itself.
register_heif_opener(thumbnails=False)

# All that 95,000 mutations of accepted files made Pillow raise. RuntimeError comes
# from the AVIF decoder and EOFError from the HEIF decoder; both could also be a bug, so they
# are logged. MemoryError is never the photo's fault, and a time limit must pass.
_EXPECTED = (OSError, SyntaxError, ValueError, struct.error, zlib.error)
_LOGGED = (EOFError, RuntimeError)

EIGHT_THIRDS = 8 / 3

# Pillow warns of odd metadata that doesn't concern the pixels.
warnings.filterwarnings("ignore", module="PIL")


def open_image(content: bytes, header: Header, max_pixels: int) -> ImageFile.ImageFile:
    """Raises UnreadablePhoto, also when Pillow finds another size than ``header`` says."""
    info: dict[str, Any] = {}
    if header.format == "PNG":
        content, info = clean_png(content)
    elif header.format == "JPEG":
        content = keep_pixels(content)
    elif header.format == "AVIF":
        info = read_nclx(content[:META_BYTES])
    with _guard(max_pixels):
        image = Image.open(io.BytesIO(content), formats=[header.format])
    if image.size != header.size:
        raise UnreadablePhoto(f"{header.size} by its header, {image.size} to the decoder")
    image.info.update(info)
    return image


def draft_image(image: ImageFile.ImageFile, times: float, max_pixels: int) -> float:
    """Have a JPEG decoded 2, 8/3, 4 or 8 times smaller, but not more than ``times``; returns the
    factor."""
    whole = max(1, int(times))
    width, height = image.size
    size = (max(1, width // whole), max(1, height // whole))
    with _guard(max_pixels):
        drafted = image.draft(None, size) if image.format == "JPEG" else None
    if not drafted:
        return 1
    factor = round(width / drafted[1][2])
    if factor == 2 and times >= EIGHT_THIRDS:
        _decode_three_eighths(image, width, height)
        return EIGHT_THIRDS
    return factor


def _decode_three_eighths(image: ImageFile.ImageFile, width: int, height: int) -> None:
    """Pillow asks libjpeg for a half or a quarter alone, though it can do all eighths: a third is
    three of them to it."""
    size = (-(-width * 3 // 8), -(-height * 3 // 8))
    image._size = size
    image.tile = [tile._replace(extents=(0, 0, *size)) for tile in image.tile]
    image.decoderconfig = (3, 0)


def load_image(image: ImageFile.ImageFile, max_pixels: int) -> None:
    """Decode the pixels. Raises UnreadablePhoto, also when the file stops early."""
    with _guard(max_pixels):
        image.load()
    if image.im.mode != image.mode:
        raise UnreadablePhoto(f"{image.mode} by its header, {image.im.mode} by its pixels")


def load_next_frame(image: ImageFile.ImageFile, max_pixels: int) -> bool:
    """Decode the next picture of an animation; False at its end."""
    with _guard(max_pixels):
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return False
    load_image(image, max_pixels)
    return True


def load_low_bytes(content: bytes, header: Header, max_pixels: int) -> Image.Image:
    """The low bytes of a 16-bit RGB or RGBA PNG, of which Pillow decodes the high bytes.

    Values in the other byte order have their low byte where the high one is looked for.
    """
    image = open_image(content, header, max_pixels)
    image.tile = [tile._replace(args=f"{image.mode};16L") for tile in image.tile]
    load_image(image, max_pixels)
    return image


def convert_image(image: Image.Image, mode: str) -> Image.Image:
    """``image`` in another mode. Raises UnreadablePhoto: the palette or the transparency of a
    damaged file may not fit its pixels."""
    try:
        return image.convert(mode)
    except (TypeError, ValueError) as error:
        raise UnreadablePhoto(f"{type(error).__name__}: {error}") from error


@contextmanager
def _guard(max_pixels: int) -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as error:
        stated = re.search(r"\((\d+) pixels\)", str(error))
        pixels = int(stated[1]) if stated else max_pixels + 1
        raise TooManyPixels(pixels, max_pixels) from error
    except (*_EXPECTED, *_LOGGED) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # The disk failed, not the decoder: Pillow's own have no number.
        if isinstance(error, _LOGGED):
            # The text may hold bytes of the photo, so only the place is logged.
            place = traceback.extract_tb(error.__traceback__)[-1]
            what, file = type(error).__name__, Path(place.filename).name
            logger.warning("Pillow failed with %s in %s, line %s", what, file, place.lineno)
        raise UnreadablePhoto(f"{type(error).__name__}: {error}") from error
