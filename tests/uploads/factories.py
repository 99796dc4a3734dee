"""Uploads, photos and a small gallery for tests."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import FileResponse, HttpResponse
from django.test import Client
from PIL import Image

from celebrities.models import Celebrity, IndexBuild, Portrait
from uploads.consent import current_digest, record_consent
from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_files, store_file
from uploads.visitors import remember_owner

DEMO = Path(__file__).resolve().parents[2] / "celebrities" / "galleries" / "fictional"
PEOPLE = ("amara-dioulasse", "kenji-morishige", "saoirse-quillane", "sipho-ndlangamanza")


def cast_photo(slug: str = PEOPLE[0], number: int = 3) -> bytes:
    return (DEMO / f"{slug}_{number}.jpg").read_bytes()


CAST_PHOTO = cast_photo()


def make_picture(width: int = 320, height: int = 240, mode: str = "RGB") -> Image.Image:
    """A picture of many colours, in which a fake detector finds a face."""
    image = Image.linear_gradient("L").resize((width, height))
    turned = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (image, turned, image)).convert(mode)


def encode(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def fill_form(photo: bytes | None = CAST_PHOTO, **changes: Any) -> dict[str, Any]:
    """What the first page sends when its form is filled as it should be; None leaves out."""
    fields: dict[str, Any] = {
        "consent": "on",
        "consent_version": current_digest("en"),
        "k": "6",
        "photo": photo if photo is None else SimpleUploadedFile("photo.jpg", photo),
        **changes,
    }
    return {field: value for field, value in fields.items() if value is not None}


def body_of(response: object) -> bytes:
    """What a streaming answer sends; it is closed by being read to its end."""
    return b"".join(cast(Iterable[bytes], cast(FileResponse, response).streaming_content))


def as_owner(client: Client, owner: uuid.UUID) -> None:
    """Make the client's browser that of this owner."""
    response = HttpResponse()
    remember_owner(response, owner)
    client.cookies.update(response.cookies)


def make_upload(photo: bytes | None = None, **fields: Any) -> Upload:
    """An upload as the form leaves it: queued, with the bytes received."""
    upload = Upload(owner=uuid.uuid4(), language="en", consent=record_consent("en"))
    upload.received.name = store_file(upload.pk, photo if photo is not None else cast_photo())
    for name, value in fields.items():
        setattr(upload, name, value)
    upload.save(force_insert=True)
    return upload


def make_result(celebrities: Iterable[Celebrity], **fields: Any) -> Upload:
    """A finished upload with one face whose look-alikes are these people's first portraits."""
    picture = make_picture(300, 400)
    upload = make_upload(status=Upload.Status.DONE, width=300, height=400, **fields)
    delete_files([upload.received.name])
    upload.received.name = ""
    upload.photo.name = store_file(upload.pk, encode(picture), ".jpg")
    upload.save()
    make_face(upload, 0, celebrities)
    return upload


def make_face(upload: Upload, number: int, matches: Iterable[Celebrity]) -> UploadedFace:
    """A face of the upload whose look-alikes are these people's first portraits."""
    picture = make_picture(300 + number, 400)
    face = UploadedFace.objects.create(
        upload=upload,
        number=number,
        box=[75, 100, 225, 300],
        confidence=0.99,
        crop=store_file(upload.pk, encode(picture.resize((200, 200))), ".jpg"),
        chip=store_file(upload.pk, encode(picture.resize((320, 320))), ".jpg"),
    )
    for rank, celebrity in enumerate(matches, 1):
        make_match(face, celebrity, rank)
    return face


def make_match(
    face: UploadedFace, celebrity: Celebrity, rank: int, *, exhaustive: bool = False
) -> Match:
    return Match.objects.create(
        face=face,
        exhaustive=exhaustive,
        rank=rank,
        celebrity=celebrity,
        portrait=celebrity.portraits.get(),
        distance=0.3 + rank / 10,
        similarity=max(95.0 - 20 * rank, 0),
    )


def make_approximate(build: IndexBuild) -> None:
    """Let the row say that the build searches approximately, as one of a large gallery does."""
    build.manifest = {**build.manifest, "method": "approximate"}
    build.save()


def make_person(slug: str = PEOPLE[0], number: int = 1, **fields: Any) -> Celebrity:
    """A member of the cast with one portrait, not embedded yet."""
    values = {"name": slug.replace("-", " ").title(), "slug": slug, "is_fictional": True}
    person = Celebrity(**{**values, **fields})
    person.full_clean()
    person.save()
    data = cast_photo(slug, number)
    portrait = Portrait(celebrity=person, image_hash=hashlib.sha256(data).hexdigest())
    portrait.author, portrait.licence = "Lookalike project (rendered)", "CC0-1.0"
    portrait.image.save(f"{slug}.jpg", ContentFile(data), save=False)
    portrait.save()
    return person
