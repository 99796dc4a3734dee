"""Files of every accepted and every refused kind, from the form to the worker's end: each
ends as it should, none as an error of ours."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import pillow_heif
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageCms

from celebrities.models import Celebrity
from tests.uploads.factories import body_of, cast_photo, encode, fill_form, make_picture
from uploads.matching import match_upload
from uploads.models import Upload

pytestmark = pytest.mark.django_db

Make = Callable[[], bytes]
RGB = make_picture()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(RGB, exif=exif)


def with_broken_exif() -> bytes:
    jpeg = encode(RGB)
    broken = b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(range(60))
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(broken) + 2) + broken + jpeg[2:]


def heif(quality: int = 80, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(RGB).save(buffer, quality=quality, **options)
    return buffer.getvalue()


def sixteen_bit(mode: str = "I;16") -> bytes:
    values = (np.asarray(RGB.convert("L")).astype(np.uint16) * 257).astype("<u2")
    return encode(Image.frombytes(mode, RGB.size, values.tobytes()), "PNG")


def animated(format: str) -> bytes:
    frames = [RGB.rotate(angle) for angle in (0, 90, 180)]
    return encode(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def with_alpha(mode: str = "RGBA") -> Image.Image:
    image = RGB.convert(mode)
    image.putalpha(Image.radial_gradient("L").resize(RGB.size))
    return image


ACCEPTED: dict[str, Make] = {
    "jpeg": lambda: encode(RGB),
    "jpeg of the cast": cast_photo,
    "jpeg, progressive": lambda: encode(RGB, progressive=True),
    "jpeg, optimised": lambda: encode(RGB, optimize=True),
    "jpeg, no subsampling": lambda: encode(RGB, subsampling=0),
    "jpeg, lowest quality": lambda: encode(RGB, quality=1),
    "jpeg, grey": lambda: encode(RGB.convert("L")),
    "jpeg, CMYK": lambda: encode(RGB.convert("CMYK")),
    "jpeg, restart markers": lambda: encode(RGB, restart_marker_rows=1),
    "jpeg with a profile": lambda: encode(RGB, icc_profile=SRGB),
    "jpeg with a comment": lambda: encode(RGB, comment=b"x" * 60000),
    "jpeg with broken EXIF": with_broken_exif,
    "jpeg with bytes after its end": lambda: encode(RGB) + b"\0" * 5000,
    "jpeg of 12 megapixels": lambda: encode(make_picture(4000, 3000)),
    "jpeg, very wide": lambda: encode(make_picture(6000, 80)),
    "jpeg, very tall": lambda: encode(make_picture(80, 6000)),
    "jpeg of odd sides": lambda: encode(make_picture(301, 203)),
    "jpeg of the least size": lambda: encode(make_picture(64, 64)),
    **{f"jpeg turned {turn}": partial(with_exif, turn) for turn in range(1, 10)},
    "mpo": lambda: encode(RGB, "MPO", save_all=True, append_images=[RGB.rotate(180)]),
    "png": lambda: encode(RGB, "PNG"),
    "png, grey": lambda: encode(RGB.convert("L"), "PNG"),
    "png, black and white": lambda: encode(RGB.convert("1"), "PNG"),
    "png, palette": lambda: encode(RGB.convert("P"), "PNG"),
    "png, 4 bits": lambda: encode(RGB.quantize(16), "PNG", bits=4),
    "png, palette with a clear colour": lambda: encode(RGB.quantize(16), "PNG", transparency=3),
    "png with a clear colour": lambda: encode(RGB, "PNG", transparency=(1, 2, 3)),
    "png, alpha": lambda: encode(with_alpha(), "PNG"),
    "png, grey and alpha": lambda: encode(with_alpha("LA"), "PNG"),
    "png, 16 bits": sixteen_bit,
    "png, 16 bits, other order": lambda: sixteen_bit("I;16B"),
    "png, animated": lambda: animated("PNG"),
    "webp": lambda: encode(RGB, "WEBP"),
    "webp, lossless": lambda: encode(RGB, "WEBP", lossless=True),
    "webp, alpha": lambda: encode(with_alpha(), "WEBP"),
    "webp, animated": lambda: animated("WEBP"),
    "gif": lambda: encode(RGB, "GIF"),
    "gif, animated": lambda: animated("GIF"),
    "gif with a clear colour": lambda: encode(RGB.quantize(16), "GIF", transparency=3),
    "gif, interlaced": lambda: encode(RGB.convert("P"), "GIF", interlace=1),
    "avif": lambda: encode(RGB, "AVIF"),
    "avif, alpha": lambda: encode(with_alpha(), "AVIF"),
    "avif, animated": lambda: animated("AVIF"),
    "heic": heif,
    "heic, lossless": lambda: heif(quality=-1),
    "heic, no subsampling": lambda: heif(chroma=444),
}


def png_chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_of(width: int, height: int) -> bytes:
    """A PNG that states a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000)
    chunks = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header states another size than its data has."""
    jpeg = encode(RGB)
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def gif_of(width: int, height: int) -> bytes:
    gif = encode(RGB, "GIF")
    return gif[:6] + struct.pack("<HH", width, height) + gif[10:]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("photo.jpg", cast_photo())
    return buffer.getvalue()


def noise(size: int = 20_000) -> bytes:
    return random.Random(7).randbytes(size)


def tiff() -> bytes:
    return encode(RGB, "TIFF")


def cut(data: bytes, share: float = 0.6) -> bytes:
    return data[: int(len(data) * share)]


REFUSED: dict[str, tuple[Make, str]] = {
    "nothing": (lambda: b"", "damaged"),
    "one byte": (lambda: b"\xff", "This is a text file"),
    "only a JPEG's beginning": (lambda: b"\xff\xd8\xff", "damaged"),
    "only a PNG's beginning": (lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    "only a GIF's beginning": (lambda: b"GIF89a", "damaged"),
    "only a WebP's beginning": (lambda: b"RIFF\0\0\0\0WEBP", "damaged"),
    "only a HEIC's beginning": (lambda: heif()[:24], "damaged"),
    "only an AVIF's beginning": (lambda: encode(RGB, "AVIF")[:24], "damaged"),
    "webp, cut": (lambda: cut(encode(RGB, "WEBP")), "damaged"),
    "text": (lambda: b"Hello, this is a letter.\n" * 50, "text"),
    "zeros": (lambda: bytes(5000), "recognise this file as a photo"),
    "noise": (noise, "recognise this file as a photo"),
    "pdf": (lambda: encode(RGB, "PDF"), "PDF"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "SVG"),
    "svg after a declaration": (lambda: b'<?xml version="1.0"?><svg></svg>', "SVG"),
    "html": (lambda: b"<!DOCTYPE html><script>alert(1)</script>", "HTML"),
    "tiff": (tiff, "TIFF"),
    "bmp": (lambda: encode(RGB, "BMP"), "BMP"),
    "icon": (lambda: encode(RGB, "ICO"), "icon"),
    "jpeg 2000": (lambda: encode(RGB, "JPEG2000"), "JPEG 2000"),
    "targa": (lambda: encode(RGB, "TGA"), "recognise this file as a photo"),
    "ppm": (lambda: encode(RGB, "PPM"), "recognise this file as a photo"),
    "eps": (lambda: encode(RGB, "EPS"), "text"),
    "zip": (archive, "ZIP"),
    "gzip": (lambda: b"\x1f\x8b\x08" + noise(500), "recognise this file as a photo"),
    "program": (lambda: b"\x7fELF" + noise(500), "recognise this file as a photo"),
    "video": (lambda: b"\0\0\0\x18ftypmp42\0\0\0\0" + noise(500), "video"),
    "png of 10 billion pixels": (lambda: png_of(100_000, 100_000), "too many pixels"),
    "png of the largest sides": (lambda: png_of(2**31 - 1, 2**31 - 1), "too many pixels"),
    "png without a side": (lambda: png_of(0, 100), "damaged"),
    "jpeg of 4 billion pixels": (lambda: jpeg_of(65_500, 65_500), "too many pixels"),
    "gif of 4 billion pixels": (lambda: gif_of(65_535, 65_535), "too many pixels"),
    "jpeg, tiny": (lambda: encode(make_picture(1, 1)), "too small"),
    "jpeg, a line": (lambda: encode(make_picture(3000, 1)), "too small"),
    "png, just too small": (lambda: encode(make_picture(63, 400), "PNG"), "too small"),
}


def scratched(data: bytes) -> bytes:
    """Bytes in the middle replaced by noise."""
    middle = len(data) // 2
    return data[:middle] + noise(len(data) // 5) + data[middle + len(data) // 5 :]


FAILING: dict[str, tuple[Make, set[str]]] = {
    "jpeg, cut": (lambda: cut(encode(RGB)), {"unreadable"}),
    "jpeg, cut at its end": (lambda: encode(RGB)[:-40], {"unreadable"}),
    "jpeg, progressive, cut": (lambda: cut(encode(RGB, progressive=True)), {"unreadable"}),
    "png, cut": (lambda: cut(encode(RGB, "PNG")), {"unreadable"}),
    "png, scratched": (lambda: scratched(encode(RGB, "PNG")), {"unreadable"}),
    "png with less than it states": (lambda: png_of(300, 300), {"unreadable"}),
    "gif, cut": (lambda: cut(encode(RGB, "GIF")), {"unreadable"}),
    "avif, cut": (lambda: cut(encode(RGB, "AVIF"), 0.9), {"unreadable"}),
    "heic, cut": (lambda: cut(heif(), 0.9), {"unreadable"}),
    "jpeg of one colour": (lambda: encode(Image.new("RGB", (300, 300), "red")), {"no_face"}),
    "png, all clear": (lambda: encode(Image.new("RGBA", (300, 300)), "PNG"), {"no_face"}),
}


def give(client: Client, data: bytes, name: str = "photo.jpg") -> Upload | str:
    """What the worker made of it, or the page that refused it."""
    form = fill_form(photo=None)
    response = client.post("/", {**form, "photo": SimpleUploadedFile(name, data)})
    if response.status_code != 302:
        assert response.status_code == 422
        assert not Upload.objects.exists()
        return response.content.decode()
    upload = Upload.objects.get()
    match_upload(upload.pk)
    upload.refresh_from_db()
    return upload


@pytest.fixture(autouse=True)
def prepared(gallery: list[Celebrity], valkey: str) -> None:
    """People to compare with, and a queue."""


@pytest.mark.parametrize("kind", ACCEPTED)
def test_it_accepts(client: Client, kind: str) -> None:
    upload = give(client, ACCEPTED[kind]())

    assert isinstance(upload, Upload), upload
    assert (upload.status, upload.failure) == ("done", "")
    response = client.get(f"/u/{upload.pk}/photo.jpg")
    with Image.open(io.BytesIO(body_of(response))) as image:
        image.load()
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert image.size == (upload.width, upload.height)
        assert max(image.size) <= 1600
        assert np.asarray(image).std() > 10


@pytest.mark.parametrize("kind", REFUSED)
def test_it_refuses(client: Client, kind: str) -> None:
    make, sentence = REFUSED[kind]
    page = give(client, make())

    assert isinstance(page, str), page
    assert sentence in page


@pytest.mark.parametrize("kind", FAILING)
def test_it_fails(client: Client, kind: str) -> None:
    make, failures = FAILING[kind]
    upload = give(client, make())

    assert isinstance(upload, Upload), upload
    assert upload.status == "failed"
    assert upload.failure in failures
    page = client.get(f"/u/{upload.pk}/")
    assert page.status_code == 200
    assert page.context["failure"].sentence in page.content.decode()


@pytest.mark.parametrize(
    ("name", "data"),
    [("photo.png", encode(RGB)), ("photo.txt", encode(RGB, "PNG")), ("photo", heif())],
)
def test_it_believes_no_file_name(client: Client, name: str, data: bytes) -> None:
    upload = give(client, data, name)

    assert isinstance(upload, Upload)
    assert upload.status == "done"


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_it_believes_no_file_name_of_what_is_none(client: Client, name: str) -> None:
    page = give(client, archive(), name)

    assert isinstance(page, str)
    assert "ZIP" in page


@pytest.mark.parametrize("seed", range(40))
def test_it_survives_damage_anywhere(client: Client, seed: int) -> None:
    """A few bytes of a good file changed at random: a result or a reason, never our failure."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(list(ACCEPTED.values()))())
    for _ in range(chance.choice([1, 5, 50])):
        data[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
    outcome = give(client, bytes(data))

    if isinstance(outcome, Upload):
        assert outcome.status in {"done", "failed"}
        assert outcome.failure != "internal"
