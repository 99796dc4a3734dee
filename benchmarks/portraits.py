"""Photos that the benchmarks work on: real portraits if they are at hand, else the cast."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks.paths import CAST, PORTRAITS, WORK

KINDS = ("12-megapixel portrait", "450x550 portrait", "group of 5")


def find_photos() -> list[Path]:
    return sorted((PORTRAITS if PORTRAITS.is_dir() else CAST).glob("*.jpg"))


def find_portraits(count: int) -> list[Path]:
    """450 x 550 photos of ``count`` different people."""
    first = [path for path in find_photos() if path.stem.endswith("_1")]
    if PORTRAITS.is_dir():
        first = [path for path in first if _read_size(path) == (450, 550)]
    return first[:count]


def _read_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def make_photos() -> dict[str, Path]:
    """JPEG files of the three KINDS."""
    WORK.mkdir(parents=True, exist_ok=True)
    faces = [Image.open(path).convert("RGB").resize((450, 550)) for path in find_portraits(5)]
    large = faces[0].resize((3000, 3667), Image.Resampling.BICUBIC).resize((3000, 4000))
    photos = {}
    for kind, image in zip(KINDS, (large, faces[0], _make_group(faces)), strict=True):
        photos[kind] = WORK / f"{kind.replace(' ', '-')}.jpg"
        image.save(photos[kind], quality=92)
    return photos


def _make_group(faces: list[Image.Image]) -> Image.Image:
    wall = Image.new("RGB", (5 * 320, 640), (118, 122, 126))
    for place, face in enumerate(faces):
        wall.paste(face.resize((320, 391)), (place * 320, 60 + 60 * (place % 2)))
    return wall
