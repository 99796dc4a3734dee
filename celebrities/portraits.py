"""A portrait's file -> what the gallery keeps of it: picture, thumbnails, chip, face.

Pure of the database: bytes in, bytes out, so that the importer, the worker and the tests
share one way. Heavy modules are imported by the engine that the caller hands in.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from celebrities.models import THUMBNAIL_WIDTHS, Portrait
from celebrities.photos import open_to_keep
from lookalike.faces.display import cut_display_chip
from lookalike.faces.errors import (
    FaceTooSmall,
    PhotoError,
    PhotoTooLarge,
    PhotoTooSmall,
    TooManyPixels,
    UnreadablePhoto,
    UnsupportedFormat,
)
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Box, Detection, Face, Photo, Pixels

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine

MAX_FILE_BYTES = 50_000_000
"""Curators may bring larger files than visitors; what is kept of them is no larger."""

RIVAL_SHARE = 0.6
"""A second face at least this share of the largest one's width makes it unclear whose
portrait it is."""

# The face's width takes up at least this share of a thumbnail's, so that a full-length
# picture still shows who it is.
_FACE_SHARE = 0.4
_FACE_HEIGHT = 0.42
_ASPECT = 5 / 4
# A thumbnail may be enlarged by this much before the next smaller one is better.
_ENLARGE = 1.5

Reason = Portrait.Reason


@dataclass(slots=True, eq=False)
class Reading:
    """What was read from a file. ``reason`` is empty when it is a usable portrait; without
    a readable picture, ``picture`` is empty as well. ``face`` is in pixels of the picture."""

    reason: Reason = Reason.NONE
    detail: str = ""
    picture: bytes = b""
    width: int = 0
    height: int = 0
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    chip: bytes = b""
    face: Face | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A file looked at: its picture as the face stands upright, and the face. Without a
    usable face there is a reason, and perhaps no picture."""

    photo: Photo | None
    face: Detection | None = None
    reason: Reason = Reason.NONE
    detail: str = ""
    turned: bool = False


def look_at(engine: FaceEngine, data: bytes) -> Sight:
    """Open a portrait's file and find the one face in it."""
    try:
        photo = open_to_keep(data, max_bytes=MAX_FILE_BYTES)
    except PhotoError as error:
        return Sight(None, None, reason_of(error), str(error))
    try:
        upright, faces = engine.find_faces(photo, max_faces=2, min_share=RIVAL_SHARE)
    except FaceTooSmall as error:
        return Sight(photo, None, Reason.FACE_TOO_SMALL, str(error))
    turned = upright is not photo
    if not faces:
        return Sight(upright, None, Reason.NO_FACE)
    if len(faces) > 1:
        return Sight(upright, faces[0], Reason.SEVERAL_FACES, turned=turned)
    return Sight(upright, faces[0], turned=turned)


def read_portraits(
    engine: FaceEngine, files: Sequence[bytes], *, keep_pictures: bool = False
) -> list[Reading]:
    """A reading of each file, in order; faces are encoded in one batch.

    ``keep_pictures`` says that the files are pictures made here before, whose bytes are kept
    as they are.
    """
    sights = [look_at(engine, data) for data in files]
    usable = [sight for sight in sights if not sight.reason]
    found = [(sight.photo, sight.face) for sight in usable if sight.photo and sight.face]
    faces = iter(engine.encode_many(found))
    readings = []
    for sight, data in zip(sights, files, strict=True):
        reading = Reading(sight.reason, sight.detail)
        if sight.photo is not None:
            kept = data if keep_pictures and not sight.turned else b""
            _draw(reading, sight.photo, sight.face, kept)
        if not sight.reason:
            reading.face = next(faces)
        readings.append(reading)
    return readings


def _draw(reading: Reading, photo: Photo, face: Detection | None, kept: bytes) -> None:
    """What people will see of the portrait."""
    reading.height, reading.width = photo.pixels.shape[:2]
    reading.picture = kept or encode_jpeg(photo.pixels, 92)
    reading.thumbnails = make_thumbnails(photo.pixels, face.box if face else None)
    if face is not None and not reading.reason:
        reading.chip = encode_jpeg(cut_display_chip(photo.pixels, face.landmarks), 90)


def reason_of(error: PhotoError) -> Reason:
    """Why a photo is no portrait, as the row says it."""
    match error:
        case UnsupportedFormat():
            return Reason.UNSUPPORTED
        case PhotoTooLarge() | TooManyPixels():
            return Reason.TOO_LARGE
        case PhotoTooSmall():
            return Reason.TOO_SMALL
        case FaceTooSmall():
            return Reason.FACE_TOO_SMALL
        case UnreadablePhoto():
            return Reason.UNREADABLE
    return Reason.UNREADABLE


def make_thumbnails(pixels: Pixels, box: Box | None) -> dict[int, bytes]:
    """WebP files by width, 4:5, about the face or, without one, the upper middle; the
    smallest always, the larger ones as far as the picture has the pixels for them."""
    left, top, right, bottom = thumbnail_area(pixels.shape[1], pixels.shape[0], box)
    crop = Image.fromarray(pixels[top:bottom, left:right])
    thumbnails = {}
    for width in THUMBNAIL_WIDTHS:
        if width == THUMBNAIL_WIDTHS[0] or width <= _ENLARGE * crop.width:
            size = (width, round(width * _ASPECT))
            thumbnails[width] = _encode_webp(crop.resize(size, Image.Resampling.LANCZOS))
    return thumbnails


def thumbnail_area(width: int, height: int, box: Box | None) -> tuple[int, int, int, int]:
    """The part of a picture that its thumbnails show, 4:5: (left, top, right, bottom)."""
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


def _encode_webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Slower methods save a twentieth of the bytes and take three times as long.
    image.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()
