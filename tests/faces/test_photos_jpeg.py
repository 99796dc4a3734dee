from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.faces.errors import UnreadablePhoto
from tests.faces.photos import check_it, close, noise, open_it, picture, saved

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "full colour": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 3},
    "restarts by row": {"restart_marker_rows": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


def smooth(width: int = 96, height: int = 64) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([x * 2, y * 3, (x + y) % 256], -1).astype(np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_handles_a_missing_end_marker(kind: str, mode: str) -> None:
    data = saved(smooth().convert(mode), "JPEG", quality=90, **KINDS[kind])
    whole = open_it(data).pixels

    for cut in (data[:-2], data[:-1]):
        assert check_it(cut) == ("JPEG", 96, 64)
        assert close(open_it(cut).pixels, whole, 0)


@pytest.mark.parametrize("kind", ["baseline", "progressive"])
def test_handles_a_missing_end_marker_decoded_small_and_with_a_thumbnail(kind: str) -> None:
    thumbnail = b"Exif\0\0" + saved(picture(), "JPEG")
    data = saved(smooth(800, 600), "JPEG", exif=thumbnail, **KINDS[kind])

    photo = open_it(data[:-2], target_side=200)

    assert close(photo.pixels, open_it(data, target_side=200).pixels, 0)


@pytest.mark.parametrize(
    "image", [noise(96, 64), smooth(), picture()], ids=["noise", "smooth", "flat"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_rejects_missing_rows_wherever_the_file_is_cut(kind: str, image: Image.Image) -> None:
    data = saved(image, "JPEG", quality=85, **KINDS[kind])
    whole = open_it(data).pixels
    refused = 0
    for cut in [*range(len(data) - 2, len(data) - 60, -1), *range(len(data) - 60, 20, -53)]:
        try:
            found = open_it(data[:cut]).pixels
        except UnreadablePhoto:
            refused += 1
            continue
        assert close(found, whole, 3), cut
    assert refused > 40


def test_rejects_a_progressive_photo_without_its_last_scans() -> None:
    data = saved(smooth(), "JPEG", progressive=True)
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 3

    for scan in scans[1:]:
        # Tables for the scan may stand before it.
        tables = data.rfind(b"\xff\xc4", 0, scan)
        for cut in (scan, tables):
            with pytest.raises(UnreadablePhoto):
                open_it(data[:cut])
