"""Photos opened by a process that may die of them."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from lookalike.faces.errors import (
    DecoderFailed,
    PhotoError,
    PhotoTooSmall,
    TooCostly,
    UnreadablePhoto,
    UnsupportedFormat,
)
from lookalike.faces.photos.apart import Decoder
from lookalike.faces.photos.formats import ACCEPTED_FORMATS
from lookalike.faces.types import Photo
from tests.faces.photos import MAX_PIXELS, MIN_SIDE, noise, open_it, picture, saved

LARGE = saved(picture(4000, 3000), "PNG", compress_level=1)
"""A file whose decoding takes some hundredths of a second and 48 MB."""


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def open_apart(decoder: Decoder, data: bytes, side: int = 400, **more: Any) -> Photo:
    limits = {"max_bytes": 50_000_000, "max_pixels": MAX_PIXELS, "min_side": MIN_SIDE}
    return decoder.open(data, target_side=side, **limits, **more)


@pytest.mark.parametrize("name", ACCEPTED_FORMATS)
def test_it_works(decoder: Decoder, name: str) -> None:
    data = saved(noise(300, 200), name)

    photo = open_apart(decoder, data)

    here = open_it(data, target_side=400)
    assert np.array_equal(photo.pixels, here.pixels)
    assert (photo.scale, photo.full_width, photo.full_height) == (1, 300, 200)
    assert photo.format == name
    assert 0 <= decoder.seconds < 5


def test_it_shrinks_to_the_side(decoder: Decoder) -> None:
    photo = open_apart(decoder, saved(noise(900, 600), "PNG"))

    assert photo.pixels.shape == (267, 400, 3)
    assert photo.scale == pytest.approx(400 / 900)


@pytest.mark.parametrize(
    ("data", "error", "detail"),
    [
        (b"%PDF-1.4", UnsupportedFormat, "PDF"),
        (b"", UnreadablePhoto, ""),
        (saved(noise(20, 80), "PNG"), PhotoTooSmall, "20"),
        (saved(noise(), "PNG")[:-3000], UnreadablePhoto, ""),
    ],
)
def test_it_says_why_a_photo_cannot_be_used(
    decoder: Decoder, data: bytes, error: type[PhotoError], detail: str
) -> None:
    process = decoder.start()
    with pytest.raises(error) as caught:
        open_apart(decoder, data)

    assert caught.value.detail == detail
    assert decoder.start() is process


def test_18_it_ends_a_photo_that_takes_too_many_seconds() -> None:
    """Draft test 18, with a budget that a small photo keeps ten times and this one exceeds."""
    costly = saved(noise(4000, 3000), "AVIF", speed=10, quality=90)
    decoder = Decoder(cpu_seconds=0.1)
    first = decoder.start()

    with pytest.raises(TooCostly, match=f"-{signal.SIGPROF}"):
        open_apart(decoder, costly)
    assert decoder.seconds == 0.1
    assert first.poll() == -signal.SIGPROF

    assert open_apart(decoder, saved(noise(64, 64), "PNG")).format == "PNG"
    decoder.close()


def test_18_it_ends_a_photo_that_takes_too_much_memory(decoder: Decoder) -> None:
    """Draft test 18: the system gives no more address space."""
    process = decoder.start()
    used, limit = read_address_space(process.pid), resource.prlimit(process.pid, resource.RLIMIT_AS)
    assert used < limit[1] < used + 500_000_000
    resource.prlimit(process.pid, resource.RLIMIT_AS, (used, limit[1]))

    with pytest.raises(TooCostly):
        open_apart(decoder, LARGE, side=2000)
    decoder.close()
    assert open_apart(decoder, LARGE).format == "PNG"


def read_address_space(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def test_it_starts_again_after_its_process_was_killed(decoder: Decoder) -> None:
    process = decoder.start()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert open_apart(decoder, saved(noise(), "PNG")).format == "PNG"


def test_it_finishes_a_photo_when_its_worker_is_told_to_stop(decoder: Decoder) -> None:
    process = decoder.start()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        os.kill(process.pid, number)

    assert open_apart(decoder, saved(noise(), "PNG")).format == "PNG"
    assert decoder.start() is process


def test_it_ends_with_its_worker() -> None:
    decoder = Decoder()
    process = decoder.start()
    assert process.stdin
    process.stdin.close()

    assert process.wait(30) == 0
    assert process.stdout
    process.stdout.close()


def test_a_time_limit_passes_and_the_next_photo_gets_its_own_answer(decoder: Decoder) -> None:
    def strike(*given: object) -> None:
        raise SoftTimeLimitExceeded

    os.kill(decoder.start().pid, signal.SIGSTOP)
    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(SoftTimeLimitExceeded):
            open_apart(decoder, saved(noise(300, 200), "PNG"))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert open_apart(decoder, saved(noise(64, 48), "PNG")).full_width == 64


def test_a_bug_of_ours_is_told_by_its_place(decoder: Decoder) -> None:
    with pytest.raises(DecoderFailed, match="TypeError"):
        open_apart(decoder, saved(noise(), "PNG"), unknown=1)


def test_it_says_that_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(DecoderFailed, match="start"):
        Decoder().start()
