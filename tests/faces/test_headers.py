"""What a header says, beside what Pillow finds when it opens the same file."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress
from functools import cache

import psutil
import pytest
from PIL import Image

from lookalike.faces.errors import PhotoError, TooCostly, UnreadablePhoto
from lookalike.faces.photos.costs import MAX_SCANS, check_cost, estimate_seconds
from lookalike.faces.photos.formats import ACCEPTED_FORMATS
from lookalike.faces.photos.header import check_header
from lookalike.faces.photos.headers import Header, Source, read_header
from lookalike.faces.photos.headers.exif import read_orientation
from lookalike.faces.photos.headers.source import MAX_STEPS, TooLong
from lookalike.faces.photos.png import clean_png
from tests.conftest import PORTRAITS
from tests.faces.photos import exif_with, mutate, noise, saved
from tests.hostile import FULL, GENERATORS, make_scans

Answer = tuple[str, int, int, int]
"""Format, width, height and orientation."""


def read(data: bytes) -> Header:
    return read_header(Source(io.BytesIO(data)))


def answer(data: bytes) -> Answer:
    """Raises PhotoError."""
    found = read(data)
    return found.format, found.width, found.height, found.orientation


def open_with_pillow(data: bytes, name: str) -> Image.Image:
    if name == "PNG":
        data, _ = clean_png(data)
    return Image.open(io.BytesIO(data), formats=[name])


def answer_of_pillow(data: bytes, name: str) -> Answer | None:
    """None if Pillow cannot open it."""
    try:
        with open_with_pillow(data, name) as image:
            return name, *image.size, read_orientation(image.info.get("exif") or b"")
    except Exception:  # noqa: BLE001 - whatever it raises for damaged files.
        return None


@cache
def make_files() -> dict[str, tuple[str, bytes]]:
    """By label: format and file, of each kind that the site takes."""
    frames = {"save_all": True, "append_images": [noise(48, 40), noise(48, 40)]}
    files = {
        f"{name} {turn}": (name, saved(noise(48, 40), name, exif=exif_with(turn)))
        for name in ACCEPTED_FORMATS
        for turn in range(1, 9)
    }
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        image = Image.new("I;16", (40, 40), 5) if mode == "I;16" else noise(40, 40).convert(mode)
        files[f"PNG {mode}"] = "PNG", saved(image, "PNG")
    for mode in ("L", "LA", "RGBA"):
        for name in ("WEBP", "AVIF", "HEIF"):
            files[f"{name} {mode}"] = name, saved(noise(40, 48).convert(mode), name)
    for name in ("GIF", "PNG", "WEBP", "AVIF", "HEIF"):
        files[f"{name} frames"] = name, saved(noise(48, 40), name, **frames)
    palette = noise(40, 48).quantize(20)
    return files | {
        "MPO": ("JPEG", saved(noise(48, 40), "MPO", **frames)),
        "progressive": ("JPEG", saved(noise(40, 48), "JPEG", progressive=True)),
        "CMYK": ("JPEG", saved(noise(40, 48, "CMYK"), "JPEG")),
        "lossless": ("WEBP", saved(noise(40, 48), "WEBP", lossless=True)),
        "comment": ("GIF", saved(palette, "GIF", comment=b"x" * 600, transparency=3)),
    }


def test_it_works() -> None:
    header = read(saved(noise(160, 120), "JPEG", progressive=True, exif=exif_with(6)))

    assert (header.format, header.size, header.orientation) == ("JPEG", (160, 120), 6)
    assert (header.mode, header.depth, header.samples) == ("RGB", 8, 1.5)
    assert (header.frames, header.scans, header.tiles) == (1, 10, 1)


@pytest.mark.parametrize("label", make_files())
def test_it_says_what_pillow_says(label: str) -> None:
    name, data = make_files()[label]

    found = read(data)

    assert answer(data) == answer_of_pillow(data, name)
    with open_with_pillow(data, name) as image:
        if name in ("JPEG", "PNG"):
            assert found.mode == image.mode
        if name != "HEIF":
            assert found.frames == (getattr(image, "n_frames", 1) if label != "MPO" else 1)


@pytest.mark.portraits
def test_it_says_what_pillow_says_of_real_portraits() -> None:
    files = sorted(PORTRAITS.rglob("*.jpg"))
    if not files:
        pytest.skip("the portraits are not beside the checkout")

    for path in files:
        data = path.read_bytes()
        assert answer(data) == answer_of_pillow(data, "JPEG"), path.name


def test_it_says_nothing_else_of_mutated_files() -> None:
    chance = random.Random(16)
    files = [*make_files().values()]
    outcomes = {"refused": 0, "same": 0, "refused by Pillow": 0}
    for _ in range(1500):
        name, original = chance.choice(files)
        data = mutate(original, chance)
        try:
            ours = answer(data)
        except PhotoError:
            outcomes["refused"] += 1
            continue
        theirs = answer_of_pillow(data, ours[0])
        assert theirs in (None, ours), (name, ours)
        outcomes["same" if theirs else "refused by Pillow"] += 1

    assert min(outcomes.values()) > 100, outcomes


def test_01_it_takes_no_time_whatever_the_bytes() -> None:
    """Every generator at full size."""
    for name, generate in GENERATORS.items():
        file = io.BytesIO(generate(FULL))
        before, started = psutil.Process().memory_info().rss, time.process_time()
        with suppress(PhotoError):
            check_header(file, max_bytes=20_000_000, max_pixels=60_000_000, min_side=64)
        assert time.process_time() - started < 0.2, name
        assert psutil.Process().memory_info().rss - before < 50e6, name
        assert file.tell() == 0


def test_it_looks_at_a_bounded_part_of_the_file() -> None:
    marker = b"\xff\xe5\0\2"
    plain = saved(noise(), "JPEG")

    assert read(plain[:2] + marker * (MAX_STEPS - 20) + plain[2:]).size == (160, 120)
    with pytest.raises(TooLong):
        read(plain[:2] + marker * MAX_STEPS + plain[2:])


def test_it_sees_beyond_large_metadata() -> None:
    plain = saved(noise(), "JPEG")
    segment = b"\xff\xe1\xff\xff" + bytes(65_533)

    assert read(plain[:2] + segment * 200 + plain[2:]).size == (160, 120)


@pytest.mark.parametrize("name", ACCEPTED_FORMATS)
def test_it_rejects_what_stops_early(name: str) -> None:
    data = saved(noise(), name)
    for cut in (12, 16, 20, 24):
        with pytest.raises(UnreadablePhoto):
            read(data[:cut])


def test_04_costs_know_an_ordinary_progressive_photo() -> None:
    header = read(saved(noise(400, 300), "JPEG", progressive=True))

    check_cost(header)
    assert header.scans == 10
    assert 0 < estimate_seconds(header) < 0.01


@pytest.mark.parametrize("marker", [0xC2, 0xCA], ids=["Huffman", "arithmetic"])
def test_04_costs_reject_a_hundred_and_one_scans(marker: int) -> None:
    check_cost(read(make_scans(80, MAX_SCANS, marker)))
    with pytest.raises(TooCostly, match="101 scans"):
        check_cost(read(make_scans(80, MAX_SCANS + 1, marker)))


def test_costs_reject_many_scans_of_a_large_photo() -> None:
    with pytest.raises(TooCostly, match="20 scans"):
        check_cost(read(make_scans(7744, 20)))


def test_costs_depend_on_format_and_mode() -> None:
    sizes = {"JPEG": 60, "PNG": 60, "GIF": 60, "HEIF": 32, "AVIF": 25, "WEBP": 16}
    for name, megapixels in sizes.items():
        check_cost(Header(name, 1000, 1000 * megapixels))
        with pytest.raises(TooCostly):
            check_cost(Header(name, 1000, 1000 * megapixels), decode_mb=megapixels // 2)
    with pytest.raises(TooCostly):
        check_cost(Header("PNG", 1000, 60_000, mode="RGBA", depth=16))
    with pytest.raises(TooCostly):
        check_cost(Header("HEIF", 1000, 1000, tiles=5_000))
