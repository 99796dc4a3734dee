"""Pictures as files of many kinds, and the engine's reading of them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.photos.header import check_header
from lookalike.faces.types import Photo, Pixels

MAX_BYTES = 5_000_000
MAX_PIXELS = 20_000_000
MIN_SIDE = 32


def open_it(data: bytes | Path, target_side: int | None = None) -> Photo:
    return open_photo(
        data,
        max_bytes=MAX_BYTES,
        max_pixels=MAX_PIXELS,
        min_side=MIN_SIDE,
        target_side=target_side,
    )


def check_it(data: bytes | Path | io.BytesIO) -> tuple[str, int, int]:
    header = check_header(data, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS, min_side=MIN_SIDE)
    return header.format, header.width, header.height


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """A smooth picture whose quarters are red, green, blue and grey, from the top left."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (200, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 180, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 200)
    pixels[height // 2 :, width // 2 :] = (120, 120, 120)
    return Image.fromarray(pixels)


def noise(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values).convert(mode)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def corner(pixels: Pixels, vertical: str, horizontal: str) -> list[int]:
    height, width = pixels.shape[:2]
    y = height // 4 if vertical == "top" else 3 * height // 4
    x = width // 4 if horizontal == "left" else 3 * width // 4
    return [int(value) for value in pixels[y, x]]


def close(found: object, wanted: object, within: int = 6) -> bool:
    return bool(np.abs(np.asarray(found, int) - np.asarray(wanted, int)).max() <= within)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_file(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def exif_with(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def profile_with_red_and_green_exchanged() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[:] = profile.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def mutate(data: bytes, chance: random.Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(chance.choice([1, 3, 20])):
        # Headers hold most of what a decoder trusts, so they get half of the changes.
        reach = len(mutated) if chance.random() < 0.5 else min(200, len(mutated))
        at = chance.randrange(reach)
        kind = chance.randrange(4)
        if kind == 0:
            mutated[at] = chance.choice([0, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        elif kind == 1:
            del mutated[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            mutated[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            mutated[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.getrandbits(32))
    return bytes(mutated)
