"""A portrait's file -> what the gallery keeps of it: picture, thumbnails, chip, face.
Uses no database, and imports no heavy module: the caller hands in the engine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from PIL import Image

from celebrities.models import MAX_FILE_BYTES, THUMBNAIL_WIDTHS
from celebrities.photos import open_to_keep
from lookalike.faces.calibration import built_in_scale
from lookalike.faces.display import cut_display_chip
from lookalike.faces.errors import NoFace, PhotoError, SeveralFaces
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.sitters import ZOOMS, choose_face
from lookalike.faces.types import Box, Detection, Face, Photo, Pixels, Vectors

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine

FindChoice = Callable[[int], Sequence[float] | None]
"""From a file's position to the face that a curator chose, if any: [left, top, right, bottom] as
shares of the picture's width and height."""

FindOthers = Callable[[int], Vectors | None]
"""From a file's position to the vectors, (n, d), of other portraits of that person, if any."""

_FACE_SHARE = 0.4  # A face's least share of a thumbnail's width: shows who it is.
_FACE_HEIGHT = 0.42  # The height of a face's centre, as a share from the top.
_ASPECT = 5 / 4
_ENLARGE = 1.5  # Thumbnails may be this many times wider than the cut part of the picture.


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """The upright photo and the face whose portrait it is, or ``error``: why there is none.

    ``photo`` is None if the file could not be decoded. ``rivals`` are the faces among which it
    is not clear whose portrait it is.
    """

    photo: Photo | None = None
    face: Face | None = None
    error: PhotoError | None = None
    rotated: bool = False
    rivals: Sequence[Box] = ()


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
    rivals: Sequence[Box] = ()


def read_portraits(
    engine: FaceEngine,
    files: Sequence[bytes],
    *,
    find_others: FindOthers = lambda position: None,
    find_choice: FindChoice = lambda position: None,
    keep_pictures: bool = False,
    each: Callable[..., Iterable[Any]] = map,
) -> list[Reading]:
    """A reading of each file, in order (see `find_sitters`).

    With ``keep_pictures``, for files stored before, bytes are kept unless the face is rotated.
    ``each`` may be an executor's map, to read several files at once.
    """
    sitters = find_sitters(
        engine, files, find_others, find_choice=find_choice, are_ours=keep_pictures, each=each
    )
    kept = [
        data if keep_pictures and not sitter.rotated else b""
        for sitter, data in zip(sitters, files, strict=True)
    ]
    return list(each(_make_reading, sitters, kept))


def find_sitters(
    engine: FaceEngine,
    files: Sequence[bytes],
    find_others: FindOthers,
    *,
    find_choice: FindChoice = lambda position: None,
    are_ours: bool = False,
    each: Callable[..., Iterable[Any]] = map,
) -> list[Sitter]:
    """Whose portrait each file is; all faces are encoded in one batch.

    ``find_others`` is asked about photos of several faces. ``are_ours``: see `open_to_keep`.
    """
    find = partial(find_faces, engine, max_bytes=MAX_FILE_BYTES, is_ours=are_ours)
    opened = list(each(find, files))
    usable = [(photo, face) for photo, faces, _, _ in opened if photo for face in faces]
    encoded = iter(engine.encode_many(usable, zooms=ZOOMS))
    scale = built_in_scale(engine.encoder.name)
    sitters = []
    for position, (photo, found, error, rotated) in enumerate(opened):
        faces = list(islice(encoded, len(found)))
        face = None
        if photo and faces:
            face = take_chosen(faces, photo, find_choice(position))
            if face is None:
                others = find_others(position) if len(faces) > 1 else None
                face = choose_face(faces, photo.pixels.shape[1], others, scale)
            error = None if face else SeveralFaces(len(faces))
        rivals = () if face else tuple(each.box for each in faces)
        sitters.append(Sitter(photo, face, error, rotated, rivals))
    return sitters


def take_chosen(faces: Sequence[Face], photo: Photo, chosen: Sequence[float] | None) -> Face | None:
    """The face whose centre is nearest to the chosen one's, if it lies within that; else None."""
    if chosen is None:
        return None
    height, width = photo.pixels.shape[:2]
    left, right = chosen[0] * width, chosen[2] * width
    top, bottom = chosen[1] * height, chosen[3] * height

    def off(face: Face) -> float:
        across = float(face.box.left + face.box.right) - left - right
        down = float(face.box.top + face.box.bottom) - top - bottom
        shares = abs(across) / max(right - left, 1), abs(down) / max(bottom - top, 1)
        return float(max(shares)) / 2

    best = min(faces, key=off, default=None)
    return best if best is not None and off(best) < 0.5 else None


def find_faces(
    engine: FaceEngine, data: bytes, *, max_bytes: int | None = None, is_ours: bool = False
) -> tuple[Photo | None, list[Detection], PhotoError | None, bool]:
    """The upright photo, its faces, why there are none, and whether it was rotated. The limits are
    those of `open_to_keep`."""
    photo: Photo | None = None
    try:
        photo = open_to_keep(data, max_bytes=max_bytes, is_ours=is_ours)
        upright, faces = engine.find_faces(photo)
    except PhotoError as error:
        return photo, [], error, False
    return upright, faces, None if faces else NoFace(), upright is not photo


def _make_reading(sitter: Sitter, kept: bytes) -> Reading:
    if sitter.photo is None:
        return Reading(sitter.error)
    pixels, face = sitter.photo.pixels, sitter.face
    return Reading(
        sitter.error,
        picture=kept or encode_jpeg(pixels, 92),
        width=pixels.shape[1],
        height=pixels.shape[0],
        thumbnails=make_thumbnails(pixels, face.box if face else None),
        chip=encode_jpeg(cut_display_chip(pixels, face.landmarks), 90) if face else b"",
        face=face,
        rivals=sitter.rivals,
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
