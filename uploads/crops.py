"""What is cut from a photo: for each face a crop to look at, and a chip to lay over others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lookalike.faces.display import cut_display_chip
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Box, Face, Pixels
from uploads.models import Upload, UploadedFace
from uploads.storage import store_file

CROP_MARGIN = 0.35
"""Of the face's larger side, added all round, so that a crop shows hair and chin."""
CROP_SIDE = 480
DISPLAY_SIDE = 320


def cut_faces(upload: Upload, pixels: Pixels, faces: Sequence[Face]) -> list[UploadedFace]:
    """Unsaved rows, with their crops and chips stored."""
    return [
        UploadedFace(
            upload=upload,
            number=number,
            box=[round(side, 1) for side in face.box],
            confidence=face.confidence,
            crop=store_file(upload.pk, encode_jpeg(cut_crop(pixels, face.box), 88), ".jpg"),
            chip=store_file(
                upload.pk,
                encode_jpeg(cut_display_chip(pixels, face.landmarks, side=DISPLAY_SIDE), 88),
                ".jpg",
            ),
        )
        for number, face in enumerate(faces)
    ]


def cut_crop(pixels: Pixels, box: Box) -> Pixels:
    """The face with a margin, square where the photo allows, at most CROP_SIDE pixels."""
    height, width = pixels.shape[:2]
    reach = max(box.width, box.height) * (0.5 + CROP_MARGIN)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, top = max(int(x - reach), 0), max(int(y - reach), 0)
    right, bottom = min(int(x + reach) + 1, width), min(int(y + reach) + 1, height)
    crop = Image.fromarray(pixels[top : max(bottom, top + 1), left : max(right, left + 1)])
    crop.thumbnail((CROP_SIDE, CROP_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(crop)
