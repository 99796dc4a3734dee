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

from celebrities.models import THUMBNAIL_WIDTHS
from celebrities.photos import open_to_keep
from lookalike.faces.calibration import built_in_scale
from lookalike.faces.display import cut_display_chip
from lookalike.faces.errors import NoFace, PhotoError, SeveralFaces
from lookalike.faces.photos.jpeg import encode_jpeg
from lookalike.faces.types import Box, Detection, Face, Photo, Pixels, Scale, Vectors

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine

MAX_FILE_BYTES = 50_000_000
"""Curators may upload larger files than visitors; the stored picture is as small."""

ZOOMS = (1.0, 0.95, 1.05)
"""Portraits are encoded at three sizes, which costs a query nothing: rank-1 rises
by 0.006 (95 % interval 0.001 to 0.012). Table: "template" of `make choices`."""

BEHIND = 0.6
"""Faces narrower than this share of the largest one's width stand behind."""

CLEARLY_LARGER = 1.35
"""The largest face is the portrait's if it is this many times as wide as any beside it, and
nearer the middle. On 176 photos put together from two portraits it was never the wrong one, and
37 to 94 in 100 were decided where the second was 0.9 to 0.7 times as wide. Table: "several" of
`make choices`."""

FindOthers = Callable[[int], Vectors | None]
"""From a file's position to the vectors, (n, d), of other portraits of that person, if any."""

_FACE_SHARE = 0.4  # A face's least share of a thumbnail's width: shows who it is.
_FACE_HEIGHT = 0.42  # The height of a face's centre, as a share from the top.
_ASPECT = 5 / 4
_ENLARGE = 1.5  # Thumbnails may be this many times wider than the cut part of the picture.


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """The upright photo and the face whose portrait it is, or ``error``: why there is none.

    ``photo`` is None if the file could not be decoded.
    """

    photo: Photo | None = None
    face: Face | None = None
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


def read_portraits(
    engine: FaceEngine,
    files: Sequence[bytes],
    *,
    find_others: FindOthers = lambda position: None,
    keep_pictures: bool = False,
    each: Callable[..., Iterable[Any]] = map,
) -> list[Reading]:
    """A reading of each file, in order (see `find_sitters`).

    With ``keep_pictures``, for files stored before, bytes are kept unless the face is rotated.
    ``each`` may be an executor's map, to read several files at once.
    """
    sitters = find_sitters(engine, files, find_others, are_ours=keep_pictures, each=each)
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
    are_ours: bool = False,
    each: Callable[..., Iterable[Any]] = map,
) -> list[Sitter]:
    """Whose portrait each file is; all faces are encoded in one batch.

    ``find_others`` is asked about photos of several faces. ``are_ours``: see `open_to_keep`.
    """
    opened = list(each(partial(_find_faces, engine, is_ours=are_ours), files))
    usable = [(photo, face) for photo, faces, _, _ in opened if photo for face in faces]
    encoded = iter(engine.encode_many(usable, zooms=ZOOMS))
    scale = built_in_scale(engine.encoder.name)
    sitters = []
    for position, (photo, found, error, rotated) in enumerate(opened):
        faces = list(islice(encoded, len(found)))
        face = None
        if photo and faces:
            others = find_others(position) if len(faces) > 1 else None
            face = choose_face(faces, photo.pixels.shape[1], others, scale)
            error = None if face else SeveralFaces(len(faces))
        sitters.append(Sitter(photo, face, error, rotated))
    return sitters


def _find_faces(
    engine: FaceEngine, data: bytes, *, is_ours: bool
) -> tuple[Photo | None, list[Detection], PhotoError | None, bool]:
    """The upright photo, its faces, why there are none, and whether it was rotated."""
    photo: Photo | None = None
    try:
        photo = open_to_keep(data, max_bytes=MAX_FILE_BYTES, is_ours=is_ours)
        upright, faces = engine.find_faces(photo)
    except PhotoError as error:
        return photo, [], error, False
    return upright, faces, None if faces else NoFace(), upright is not photo


def choose_face(
    faces: Sequence[Face], width: int, others: Vectors | None, scale: Scale
) -> Face | None:
    """Whose portrait it is, of ``faces``, largest first, in a photo of that width.

    The only face; else the only one that agrees with ``others``, which is nearer to them than
    halfway from one person to strangers; else the largest, if it is clearly so and nearest
    the middle. None if nothing decides.
    """
    first, *rest = faces
    if rest and others is not None and len(others):
        halfway = (scale.same + scale.stranger) / 2
        mean = others.mean(axis=0)
        agreeing = [face for face in faces if face.vector @ mean > halfway]
        if len(agreeing) == 1:
            return agreeing[0]
    beside = [face for face in rest if face.box.width >= BEHIND * first.box.width]
    is_main = all(
        face.box.width * CLEARLY_LARGER <= first.box.width
        and _offset(face.box, width) >= _offset(first.box, width)
        for face in beside
    )
    return first if is_main else None


def _offset(box: Box, width: int) -> float:
    """Pixels across from the photo's middle."""
    return abs((box.left + box.right) / 2 - width / 2)


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
