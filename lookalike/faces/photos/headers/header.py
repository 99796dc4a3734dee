from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its first picture, and what decoding that depends on.

    ``format`` is one of ACCEPTED_FORMATS. ``width`` and ``height`` are pixels as stored,
    ``orientation`` (1 to 8, EXIF's) turns these upright. A HEIF's are as its decoder turns it,
    and its orientation is 1.

    ``mode`` is Pillow's name of how pixels are decoded, such as "RGB" or "I;16", ``depth`` is bits
    a sample. ``samples`` is samples a pixel: 1.5 for a JPEG in colour with its chroma halved both
    ways. ``frames`` are those of an animation that fit the first one's canvas. ``scans`` is how
    often a JPEG's decoder passes over the picture, 0 if it decodes one plain pass row by row;
    ``tiles`` are a HEIF's or AVIF's separately coded parts. A short look may find fewer frames
    and scans than there are.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    mode: str = "RGB"
    depth: int = 8
    samples: float = 3.0
    frames: int = 1
    scans: int = 0
    tiles: int = 1

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    @property
    def pixels(self) -> int:
        return self.width * self.height
