from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Why a photo has no result or a portrait no vector, in rows, reports and template names."""

    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_COSTLY = "too_costly"
    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    EMPTY_GALLERY = "empty_gallery"
    NO_INDEX = "no_index"
    TOOK_TOO_LONG = "took_too_long"
    INTERNAL = "internal"


class FacesError(Exception):
    """Messages name files and settings, never anything about a visitor: they may be logged."""


class PhotoError(FacesError):
    """A photo that cannot be used. ``detail`` is a fact for the sentence that a person reads."""

    reason: ClassVar[Reason]
    detail: str = ""


class UnsupportedFormat(PhotoError):
    """``detail`` names the format, if it is known."""

    reason = Reason.UNSUPPORTED

    def __init__(self, found: str = "") -> None:
        super().__init__(found or "unknown format")
        self.detail = found


class UnreadablePhoto(PhotoError):
    reason = Reason.UNREADABLE


class PhotoTooLarge(PhotoError):
    reason = Reason.TOO_LARGE

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes, the limit is {limit}")


class TooManyPixels(PhotoError):
    """``detail`` is megapixels, rounded."""

    reason = Reason.TOO_MANY_PIXELS

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, the limit is {limit}")
        self.detail = f"{pixels / 1e6:.0f}"


class PhotoTooSmall(PhotoError):
    """``detail`` is the shorter side in pixels."""

    reason = Reason.TOO_SMALL

    def __init__(self, side: int, limit: int) -> None:
        super().__init__(f"{side} pixels, at least {limit} are needed")
        self.detail = str(side)


class TooCostly(PhotoError):
    """Opening the photo would take more time or memory than one photo may."""

    reason = Reason.TOO_COSTLY


class NoFace(PhotoError):
    """``detail`` is "dark" if the photo is so dark that this may be why."""

    reason = Reason.NO_FACE

    def __init__(self, detail: str = "") -> None:
        super().__init__()
        self.detail = detail


class SeveralFaces(PhotoError):
    """``detail`` is the number of faces."""

    reason = Reason.SEVERAL_FACES

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} faces")
        self.detail = str(count)


class FaceTooSmall(PhotoError):
    """``detail`` is the largest face's width in pixels."""

    reason = Reason.FACE_TOO_SMALL

    def __init__(self, side: float, limit: int) -> None:
        super().__init__(f"{side:.0f} pixels, at least {limit} are needed")
        self.detail = f"{side:.0f}"


class DecoderFailed(FacesError):
    """The process that opens strangers' photos doesn't start, or has a bug."""


class WeightsMissing(FacesError):
    """A network's weights are not where they should be; the sentence says what to do."""


class WeightsAltered(FacesError):
    """A weights file whose size or SHA-256 is not the published one."""


class DeviceMissing(FacesError):
    """The chosen device is not on this machine; the sentence says what to do."""


class BadVector(FacesError):
    """A vector that is zero, not finite, or of another length than the index holds."""


class IndexProblem(FacesError):
    """The index cannot be used: the base of the three below."""


class IndexMissing(IndexProblem):
    """There is no index of that name."""


class IndexDamaged(IndexProblem):
    """A file of the index is truncated, altered, absent or foreign."""


class IndexStale(IndexProblem):
    """The index was built by another encoder or version than the one in use."""
