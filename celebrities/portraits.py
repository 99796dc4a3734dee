"""A portrait's file -> what the gallery keeps of it: picture, thumbnails, chip, face.
Uses no database, and imports no heavy module: the caller hands in the engine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image

from celebrities.models import THUMBNAIL_WIDTHS
from celebrities.photos import open_to_keep
from lookalike.faces.display import cut_display_chip
from lookalike.faces.errors import NoFace, PhotoError, SeveralFaces
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Box, Detection, Face, Photo, Pixels

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine

MAX_FILE_BYTES = 50_000_000
"""Curators may upload larger files than visitors; the stored picture is as small."""

RIVAL_SHARE = 0.6
"""A second face of this share of the largest one's width makes it unclear whose portrait it is."""

_FACE_SHARE = 0.4  # A face's least share of a thumbnail's width: shows who it is.
_FACE_HEIGHT = 0.42  # The height of a face's centre, as a share from the top.
_ASPECT = 5 / 4
_ENLARGE = 1.5  # Thumbnails may be this many times wider than the cut part of the picture.


@dataclass(frozen=True, slots=True, eq=False)
class PortraitDetection:
    """The upright photo, None if it could not be decoded, and the one face in it, or ``error``:
    why it is no portrait."""

    photo: Photo | None = None
    face: Detection | None = None
    error: PhotoError | None = None
    rotated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the gallery keeps of a file. A usable portrait has a ``face``, in pixels of
    ``picture``; otherwise ``error`` says why not, and there may be no ``picture``."""

    error: PhotoError | None = None
    picture: bytes = b""
    width: int = 0
    height: int = 0
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    chip: bytes = b""
    face: Face | None = None


def detect_portrait(engine: FaceEngine, data: bytes, *, is_ours: bool = False) -> PortraitDetection:
    """Open a portrait's file and find the one face in it. ``is_ours``: see `open_to_keep`."""
    photo = None
    try:
        photo = open_to_keep(data, max_bytes=MAX_FILE_BYTES, is_ours=is_ours)
        upright, faces = engine.find_faces(photo, min_share=RIVAL_SHARE)
    except PhotoError as error:
        return PortraitDetection(photo, error=error)
    if not faces:
        return PortraitDetection(upright, error=NoFace())
    rival = SeveralFaces(len(faces)) if len(faces) > 1 else None
    return PortraitDetection(upright, faces[0], rival, rotated=upright is not photo)


def read_portraits(
    engine: FaceEngine,
    files: Sequence[bytes],
    *,
    keep_pictures: bool = False,
    each: Callable[..., Iterable[Any]] = map,
) -> list[Reading]:
    """A reading of each file, in order; all faces are encoded in one batch.

    With ``keep_pictures``, for files stored before, bytes are kept unless the face is rotated.
    ``each`` may be an executor's map, to read several files at once.
    """
    found = list(each(partial(detect_portrait, engine, is_ours=keep_pictures), files))
    usable = [(one.photo, one.face) for one in found if one.photo and one.face and not one.error]
    encoded = iter(engine.encode_many(usable))
    faces = [None if one.error else next(encoded) for one in found]
    kept = [
        data if keep_pictures and not one.rotated else b""
        for one, data in zip(found, files, strict=True)
    ]
    return list(each(_make_reading, found, faces, kept))


def _make_reading(found: PortraitDetection, face: Face | None, kept: bytes) -> Reading:
    if found.photo is None:
        return Reading(found.error)
    pixels = found.photo.pixels
    return Reading(
        found.error,
        picture=kept or encode_jpeg(pixels, 92),
        width=pixels.shape[1],
        height=pixels.shape[0],
        thumbnails=make_thumbnails(pixels, found.face.box if found.face else None),
        chip=encode_jpeg(cut_display_chip(pixels, face.landmarks), 90) if face else b"",
        face=face,
    )


def make_thumbnails(pixels: Pixels, box: Box | None) -> dict[int, bytes]:
    """WebP files by width, 4:5, around the face or else the upper middle. The smallest is
    always made, larger ones only if the picture has enough pixels."""
    left, top, right, bottom = thumbnail_area(pixels.shape[1], pixels.shape[0], box)
    crop = Image.fromarray(pixels[top:bottom, left:right])
    smallest, *larger = THUMBNAIL_WIDTHS
    widths = [smallest, *(width for width in larger if width <= _ENLARGE * crop.width)]
    return {width: _make_webp(crop, width) for width in widths}


def thumbnail_area(width: int, height: int, box: Box | None) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the 4:5 part that the thumbnails show."""
    side = min(width, height / _ASPECT)
    if box is None:
        middle, above = width / 2, 0.0
    else:
        side = min(side, max(box.width / _FACE_SHARE, 1.0))
        middle = (box.left + box.right) / 2
        above = (box.top + box.bottom) / 2 - _FACE_HEIGHT * side * _ASPECT
    across, down = max(1, int(side)), max(1, int(side * _ASPECT))
    left = int(min(max(middle - across / 2, 0), width - across))
    top = int(min(max(above, 0), height - down))
    return left, top, left + across, top + down


def _make_webp(crop: Image.Image, width: int) -> bytes:
    image = crop.resize((width, round(width * _ASPECT)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    # Slower methods save a twentieth of the bytes and take three times as long.
    image.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()
