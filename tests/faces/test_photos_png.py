from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.png import MAX_PROFILE
from tests.faces.photos import (
    check_it,
    close,
    corner,
    exif_with,
    noise,
    open_it,
    picture,
    png_chunk,
    png_file,
    profile_with_red_and_green_exchanged,
    saved,
)


def with_chunk(data: bytes, kind: bytes, content: bytes, *, before: bytes = b"IDAT") -> bytes:
    return insert(data, png_chunk(kind, content), before)


def insert(data: bytes, chunk: bytes, before: bytes = b"IDAT") -> bytes:
    place = data.index(before) - 4
    return data[:place] + chunk + data[place:]


def with_profile(profile: bytes) -> bytes:
    return with_chunk(saved(picture(), "PNG"), b"iCCP", b"x\0\0" + zlib.compress(profile))


def padded(profile: bytes, size: int) -> bytes:
    """The profile with a size of its own, as profiles for print have."""
    return struct.pack(">I", size) + profile[4:] + bytes(size - len(profile))


LONG = b"x" * 3_000_000


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"tEXt", b"Comment\0" + LONG),
        (b"zTXt", b"Comment\0\0" + zlib.compress(LONG)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LONG),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG)),
    ],
    ids=["text", "compressed text", "XMP", "compressed international text"],
)
def test_handles_long_texts(kind: bytes, content: bytes, place: bytes) -> None:
    data = with_chunk(saved(noise(), "PNG"), kind, content, before=place)

    assert check_it(data) == ("PNG", 160, 120)
    assert close(open_it(data).pixels, np.asarray(noise()), 0)


def test_never_inflates_texts() -> None:
    bomb = png_chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(50_000_000)))

    started = time.monotonic()
    photo = open_it(insert(saved(picture(), "PNG"), bomb * 50))

    assert corner(photo.pixels, "top", "left") == [200, 40, 40]
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("size", [1_500_000, MAX_PROFILE])
def test_applies_a_large_profile(size: int) -> None:
    red, green, _ = corner(
        open_it(with_profile(padded(profile_with_red_and_green_exchanged(), size))).pixels,
        "top",
        "left",
    )

    assert green > red > 0


@pytest.mark.parametrize(
    "content",
    [
        b"x\0\0" + zlib.compress(profile_with_red_and_green_exchanged() + bytes(MAX_PROFILE)),
        b"x\0\0" + zlib.compress(bytes(200_000_000), 9),
        b"x\0\0nonsense",
        b"x\0\0" + zlib.compress(b""),
        b"x",
        b"",
    ],
    ids=["over the limit", "bomb", "not compressed", "empty", "name only", "nothing"],
)
def test_leaves_out_a_profile_that_is_damaged_or_too_large(content: bytes) -> None:
    data = with_chunk(saved(picture(), "PNG"), b"iCCP", content)

    assert close(open_it(data).pixels, np.asarray(picture()), 0)


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
@pytest.mark.parametrize(
    "name",
    [
        "tEXt",
        "zTXt",
        "iTXt",
        "pHYs",
        "gAMA",
        "cHRM",
        "sRGB",
        "iCCP",
        "eXIf",
        "tIME",
        "sBIT",
        "cICP",
        "bKGD",
        "hIST",
        "tRNS",
        "acTL",
        "fcTL",
    ],
)
def test_handles_ancillary_chunks_that_are_short_long_or_damaged(name: str, place: bytes) -> None:
    kind = name.encode()
    data = saved(picture(), "PNG")

    for length in (0, 1, 3, 5, 40):
        wrong = with_chunk(data, kind, b"\x07" * length, before=place)
        assert close(open_it(wrong).pixels, np.asarray(picture()), 0), length
        assert check_it(wrong) == ("PNG", 96, 64)
    for length in (1, 4, 6, 8, 9, 26, 32):
        damaged = png_chunk(kind, b"\x01" * length)[:-1] + b"?"
        found = open_it(insert(data, damaged, place)).pixels
        assert close(found, np.asarray(picture()), 0), length


def test_handles_a_palettes_transparency_of_a_wrong_length() -> None:
    data = png_file(64, 64, 8, 3, (b"\0" + b"\x05" * 64) * 64)
    data = with_chunk(data, b"PLTE", bytes([10, 20, 30] * 8))

    assert close(open_it(with_chunk(data, b"tRNS", bytes(300))).pixels, [10, 20, 30], 0)


@pytest.mark.parametrize("kind", [b"acTL", b"fcTL"])
def test_handles_a_damaged_animation_as_a_still_picture(kind: bytes) -> None:
    data = bytearray(saved(picture(), "PNG", save_all=True, append_images=[noise(96, 64)]))
    data[data.index(kind) + 4] ^= 1

    assert close(open_it(bytes(data)).pixels, np.asarray(picture()), 0)


def test_keeps_orientation_and_transparency() -> None:
    image = picture().quantize(8)
    green = image.getpixel((90, 5))
    data = saved(image, "PNG", transparency=green, exif=exif_with(6))

    pixels = open_it(data).pixels

    assert pixels.shape == (96, 64, 3)
    assert corner(pixels, "bottom", "right") == [238, 238, 238]


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_rejects_a_damaged_critical_chunk(kind: bytes) -> None:
    data = bytearray(saved(picture().quantize(8), "PNG"))
    data[data.index(kind) + 5] ^= 1

    with pytest.raises(UnreadablePhoto):
        open_it(bytes(data))


def test_rejects_a_photo_cut_anywhere_in_its_pixels() -> None:
    data = with_chunk(saved(noise(40, 40), "PNG"), b"pHYs", b"abc")
    for cut in range(len(data) - 24, 8, -97):
        with pytest.raises(UnreadablePhoto):
            open_it(data[:cut])


def test_rejects_too_many_chunks_soon() -> None:
    data = insert(saved(picture(), "PNG"), png_chunk(b"tEXt", b"") * 300_000)

    started = time.monotonic()
    with pytest.raises(UnreadablePhoto, match="too many"):
        open_it(data)
    assert time.monotonic() - started < 1


def ramp(top: int, channels: int) -> np.ndarray:
    """(64, 96, channels) uint16 with smooth values from 0 to ``top``."""
    y, x, c = np.mgrid[0:64, 0:96, 0:channels]
    return np.asarray((x * (c + 2) + y) % 200 * top // 199, np.uint16)


def png_of(values: np.ndarray, significant: int | None = None) -> bytes:
    height, width, channels = values.shape
    colour = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    data = png_file(width, height, 16, colour, rows)
    return with_chunk(data, b"sBIT", bytes([significant] * channels)) if significant else data


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("top", "significant", "span"),
    [
        (65535, None, 65535),
        (4095, None, 4095),
        (1023, None, 1023),
        (16383, 14, 16383),
        (4000, 14, 16383),
        (4095, 16, 65535),
        (65535, 12, 65535),
        (20000, None, 65535),
    ],
)
def test_significant_bits_or_else_the_largest_value_decide_the_range(
    top: int, significant: int | None, span: int, channels: int
) -> None:
    values = ramp(top, channels)

    pixels = open_it(png_of(values, significant)).pixels

    assert close(pixels, values * 255.0 / span, 1)


def test_transparency_of_16_bits_is_not_scaled_with_the_colours() -> None:
    values = ramp(4095, 4)
    values[..., 3] = 65535
    values[:32, :, 3] = 0

    pixels = open_it(png_of(values)).pixels

    assert close(pixels[:32], 238, 0)
    assert close(pixels[32:], values[32:, :, :3] * 255.0 / 4095, 1)


def test_handles_16_bits_decoded_small() -> None:
    values = np.repeat(np.repeat(ramp(4095, 3), 4, 0), 4, 1)

    pixels = open_it(png_of(values), target_side=96).pixels

    assert close(pixels, ramp(4095, 3) * 255.0 / 4095, 1)


def test_the_profile_of_a_header_is_not_needed_to_check_it() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert check_it(io.BytesIO(with_profile(padded(profile, 2_000_000)))) == ("PNG", 96, 64)


def test_handles_interlaced_and_split_pixels() -> None:
    data = saved(Image.fromarray(np.asarray(noise(64, 64))), "PNG")
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    parts = b"".join(png_chunk(b"IDAT", bytes([b])) for b in data[start : start + length])

    split = data[: start - 8] + parts + data[start + length + 4 :]

    assert close(open_it(split).pixels, np.asarray(noise(64, 64)), 0)
