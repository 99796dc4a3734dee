"""What can go wrong in the engine, each named for the fact."""

from __future__ import annotations


class FacesError(Exception):
    """The root of everything the engine raises on purpose."""


class PhotoError(FacesError):
    """A photo that cannot be used, whatever the reason."""


class UnsupportedFormat(PhotoError):
    """Not one of the accepted formats. ``found`` names what it is, where that is known."""

    def __init__(self, found: str = "") -> None:
        super().__init__(found or "unknown format")
        self.found = found


class UnreadablePhoto(PhotoError):
    """Damaged, truncated, or no picture at all."""


class PhotoTooLarge(PhotoError):
    """More bytes than the limit. ``size`` and ``limit`` are in bytes."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes, the limit is {limit}")
        self.size = size
        self.limit = limit


class TooManyPixels(PhotoError):
    """More pixels than the limit. ``pixels`` and ``limit`` count width times height."""

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, the limit is {limit}")
        self.pixels = pixels
        self.limit = limit


class PhotoTooSmall(PhotoError):
    """A side under the least that a face can be read from. ``side`` and ``limit`` are pixels."""

    def __init__(self, side: int, limit: int) -> None:
        super().__init__(f"{side} pixels, at least {limit} are needed")
        self.side = side
        self.limit = limit


class FaceTooSmall(PhotoError):
    """Faces were found, but the largest is under ``limit`` pixels wide."""

    def __init__(self, side: float, limit: int) -> None:
        super().__init__(f"{side:.0f} pixels, at least {limit} are needed")
        self.side = side
        self.limit = limit


class WeightsMissing(FacesError):
    """A network's weights are not where they should be; the sentence says what to do."""


class WeightsAltered(FacesError):
    """A weights file whose size or SHA-256 is not the published one."""


class DeviceMissing(FacesError):
    """The chosen device is not on this machine; the sentence says what to do."""


class BadVector(FacesError):
    """A vector that is zero, not finite, or of another length than the index holds."""


class IndexProblem(FacesError):
    """The index cannot be used, whatever the reason."""


class IndexMissing(IndexProblem):
    """There is no index of that name."""


class IndexDamaged(IndexProblem):
    """A file of the index is truncated, altered, absent or foreign."""


class IndexStale(IndexProblem):
    """The index was built by another encoder or version than the one in use."""
