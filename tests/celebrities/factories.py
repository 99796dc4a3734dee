"""People, portraits and folders of photos for tests."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image

from celebrities.models import Category, Celebrity, Portrait, cleaned
from lookalike.faces.types import Vector

DEMO = Path(__file__).resolve().parents[2] / "celebrities" / "galleries" / "fictional"
SLUGS = sorted({path.stem[:-2] for path in DEMO.glob("*_1.jpg")})


def cast_photo(slug: str = "", number: int = 1) -> bytes:
    return (DEMO / f"{slug or SLUGS[0]}_{number}.jpg").read_bytes()


def make_picture(
    width: int = 300, height: int = 400, colour: tuple[int, int, int] = (200, 120, 40)
) -> Image.Image:
    """A picture of many colours, in which the fake detector finds a face."""
    gradient = Image.linear_gradient("L").resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), colour), Image.new("RGB", (width, height)), gradient
    )


def encode(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def make_photo(number: int = 0) -> bytes:
    """A JPEG that differs from those of other numbers, in its bytes and its vector."""
    rng = np.random.default_rng(number)
    red, green, blue = rng.integers(40, 255, 3).tolist()
    image = make_picture(colour=(red, green, blue))
    spot = Image.new("RGB", (60, 80), (blue, red, green))
    image.paste(spot, (80 + 15 * (number % 5), 110 + 20 * (number % 7)))
    return encode(image, quality=95)


def put_side_by_side(*files: bytes) -> bytes:
    pictures = [Image.open(io.BytesIO(data)).resize((480, 600)) for data in files]
    wall = Image.new("RGB", (480 * len(pictures), 600))
    for place, picture in enumerate(pictures):
        wall.paste(picture, (480 * place, 0))
    return encode(wall, quality=95)


def make_celebrity(name: str = "Ada Example", **fields: Any) -> Celebrity:
    categories = fields.pop("categories", [])
    person = cleaned(Celebrity(name=name, **fields))
    person.save()
    for slug in categories:
        person.categories.add(make_category(slug))
    return person


def make_category(slug: str = "actor") -> Category:
    return Category.objects.get_or_create(slug=slug, defaults={"name": slug, "plural": f"{slug}s"})[
        0
    ]


def make_portrait(
    celebrity: Celebrity | None = None, data: bytes | None = None, **fields: Any
) -> Portrait:
    """A portrait as a curator leaves it: stored, waiting for a worker."""
    data = make_photo() if data is None else data
    portrait = Portrait(
        celebrity=celebrity or make_celebrity(),
        image_hash=hashlib.sha256(data).hexdigest(),
        **fields,
    )
    portrait.image.save("photo.jpg", ContentFile(data), save=False)
    portrait.save()
    return portrait


def unit(*numbers: float, dimensions: int = 16) -> Vector:
    """A vector of unit length that begins with these numbers."""
    vector = np.zeros(dimensions, np.float32)
    vector[: len(numbers)] = numbers
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def make_ready(
    celebrity: Celebrity | None, vector: Vector, encoder: str = "fake/1", **fields: Any
) -> Portrait:
    """A portrait as a worker leaves it, with a vector of your choosing and no files."""
    values: dict[str, Any] = {
        "status": Portrait.Status.READY,
        "encoder": encoder,
        "embedded_at": timezone.now(),
        "vector": vector.astype("<f4").tobytes(),
        "image": "portraits/00/none.jpg",
        "width": 300,
        "height": 400,
        "thumbnail_width": 320,
        "image_hash": hashlib.sha256(vector.tobytes()).hexdigest(),
    }
    return Portrait.objects.create(celebrity=celebrity or make_celebrity(), **{**values, **fields})


def make_people(vectors: Sequence[Vector], **fields: Any) -> list[Celebrity]:
    """A person with one ready portrait each."""
    people = [make_celebrity(f"Person {number:02d}", **fields) for number in range(len(vectors))]
    for person, vector in zip(people, vectors, strict=True):
        make_ready(person, vector)
    return people


def write_files(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def pack(path: Path, files: dict[str, bytes | str]) -> Path:
    """A ZIP archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def read_stored(place: str, name: str) -> bytes:
    with storages[place].open(name) as file:
        return bytes(file.read())
