"""Pictures of each face: a crop for the page, and an aligned chip to compare with others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.faces.display import cut_display_chip
from lookalike.faces.photos.images import as_image
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Box, Face, Pixels
from uploads.models import Upload, UploadedFace
from uploads.storage import store_file

CROP_MARGIN = 0.35
"""Margin on each side, as a share of the box's longer side, to include hair and chin."""
CROP_SIDE, CHIP_SIDE = 192, 320
"""Pixels: the longer side of a crop at least, if the photo has as many, and the side of a chip.
Pages show crops 64 wide and chips 320."""


def cut_faces(upload: Upload, pixels: Pixels, faces: Sequence[Face]) -> list[UploadedFace]:
    """Store crop and chip of each face; returns unsaved rows."""
    return [
        UploadedFace(
            upload=upload,
            number=number,
            box=[round(side, 1) for side in face.box],
            confidence=face.confidence,
            is_weak=face.is_weak,
            crop=store_jpeg(upload, cut_crop(pixels, face.box)),
            chip=store_jpeg(upload, cut_display_chip(pixels, face.landmarks, side=CHIP_SIDE)),
        )
        for number, face in enumerate(faces)
    ]


def store_jpeg(upload: Upload, pixels: Pixels) -> str:
    """Store the pixels as a JPEG without metadata; returns the file's name."""
    return store_file(upload.pk, encode_jpeg(pixels, 88), ".jpg")


def cut_crop(pixels: Pixels, box: Box) -> Pixels:
    """The face with its margin, square unless the photo ends. Shrunk by a whole number of times,
    which is all but free, to less than twice CROP_SIDE."""
    height, width = pixels.shape[:2]
    reach = max(box.width, box.height) * (0.5 + CROP_MARGIN)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, top = max(int(x - reach), 0), max(int(y - reach), 0)
    right, bottom = min(int(x + reach) + 1, width), min(int(y + reach) + 1, height)
    part = left, top, max(right, left + 1), max(bottom, top + 1)
    longer = max(part[2] - left, part[3] - top)
    return np.asarray(as_image(pixels).reduce(max(longer // CROP_SIDE, 1), part))
