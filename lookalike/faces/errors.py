"""What can go wrong in the engine, each named for the fact."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Why a photo has no result or a portrait no vector, as a code for rows, logs, reports and
    the names of templates."""

    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    EMPTY_GALLERY = "empty_gallery"
    NO_INDEX = "no_index"
    TOOK_TOO_LONG = "took_too_long"
    INTERNAL = "internal"


class FacesError(Exception):
    """The base of all errors that the engine raises. Messages name files and settings, never
    anything about a visitor, so they may be logged."""


class PhotoError(FacesError):
    """A photo that cannot be used. ``detail`` is the fact that the sentence for a person needs,
    as text; mostly empty."""

    reason: ClassVar[Reason]
    detail: str = ""


class UnsupportedFormat(PhotoError):
    """Not an accepted format. ``detail`` names the format, if it is known."""

    reason = Reason.UNSUPPORTED

    def __init__(self, found: str = "") -> None:
        super().__init__(found or "unknown format")
        self.detail = found


class UnreadablePhoto(PhotoError):
    """Damaged, truncated, or not a picture."""

    reason = Reason.UNREADABLE


class PhotoTooLarge(PhotoError):
    """More bytes than the limit."""

    reason = Reason.TOO_LARGE

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes, the limit is {limit}")


class TooManyPixels(PhotoError):
    """Width times height is above the limit. ``detail`` is megapixels, rounded."""

    reason = Reason.TOO_MANY_PIXELS

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, the limit is {limit}")
        self.detail = f"{pixels / 1e6:.0f}"


class PhotoTooSmall(PhotoError):
    """The shorter side is below the limit, in pixels. ``detail`` is that side."""

    reason = Reason.TOO_SMALL

    def __init__(self, side: int, limit: int) -> None:
        super().__init__(f"{side} pixels, at least {limit} are needed")
        self.detail = str(side)


class NoFace(PhotoError):
    """No face in any rotation. Raised by callers that need one."""

    reason = Reason.NO_FACE


class SeveralFaces(PhotoError):
    """More than one face where a portrait needs exactly one. ``detail`` counts them."""

    reason = Reason.SEVERAL_FACES

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} faces")
        self.detail = str(count)


class FaceTooSmall(PhotoError):
    """Faces were found, but the largest is below the limit. ``detail`` is its width in pixels."""

    reason = Reason.FACE_TOO_SMALL

    def __init__(self, side: float, limit: int) -> None:
        super().__init__(f"{side:.0f} pixels, at least {limit} are needed")
        self.detail = f"{side:.0f}"


class WeightsMissing(FacesError):
    """A network's weights are not where they should be; the sentence says what to do."""


class WeightsAltered(FacesError):
    """A weights file whose size or SHA-256 is not the published one."""


class DeviceMissing(FacesError):
    """The chosen device is not on this machine; the sentence says what to do."""


class BadVector(FacesError):
    """A vector that is zero, not finite, or of another length than the index holds."""


class IndexProblem(FacesError):
    """The index cannot be used."""


class IndexMissing(IndexProblem):
    """There is no index of that name."""


class IndexDamaged(IndexProblem):
    """A file of the index is truncated, altered, absent or foreign."""


class IndexStale(IndexProblem):
    """The index was built by another encoder or version than the one in use."""
