"""What is left of a visitor on a real site: nothing of the face's vector, ever; nothing of the
rest after deletion or expiry."""

from __future__ import annotations

import base64
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from celebrities.photos import open_to_keep
from lookalike import engine
from lookalike.faces.types import Vector
from tests.live import Site, wait_for
from tests.visitor import Visitor, hidden

BASE64 = re.compile(rb"[A-Za-z0-9+/=_-]{64,}")
VECTORS = "SELECT vector FROM celebrities_portrait WHERE vector IS NOT NULL LIMIT 1"
XMP = b"<x:xmpmeta>where it was taken</x:xmpmeta>"


@pytest.fixture
def photo(cast: dict[str, list[Path]], tmp_path: Path) -> Path:
    """A photo that carries all that a phone writes into one."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "the maker", "the model"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "photo.jpg"
    with Image.open(cast["kenji-morishige"][2]) as image:
        image.save(path, exif=exif, icc_profile=profile, comment=b"a remark", xmp=XMP)
    return path


@pytest.fixture
def vector(photo: Path) -> Iterator[Vector]:
    """The vector that the worker computes from the photo."""
    engine.reset()
    faces = engine.get_engine()
    found = faces.find_faces(open_to_keep(photo))
    yield faces.encode_faces(*found)[0].vector
    engine.reset()


def everything_of(site: Site) -> dict[str, bytes]:
    """Every file of the site: database, queue with its whole history, storage, index, logs.
    What is written in base64 is added as what it stands for."""
    found = {}
    for path in site.data_dir.rglob("*"):
        if path.is_file() and "static" not in path.parts:
            content = path.read_bytes()
            decoded = [_decode(run) for run in BASE64.findall(content)]
            found[str(path.relative_to(site.data_dir))] = b"\n".join([content, *decoded])
    return found


def _decode(run: bytes) -> bytes:
    run = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(run[: len(run) // 4 * 4])


def traces_of(vector: Vector) -> list[re.Pattern[bytes]]:
    """Ways to write a part of the vector: floats of either size, their base64, numbers in
    text, in full or rounded."""
    patterns = []
    for start in range(0, len(vector) - 4, 4):
        part = vector[start : start + 4]
        patterns += [re.escape(part.tobytes()), re.escape(part.astype("<f8").tobytes())]
        patterns += [re.escape(part.astype(">f4").tobytes())]
        for digits in (3, 4, 6):
            numbers = [re.escape(f"{value:.{digits}f}"[:-1].encode()) for value in part[:3]]
            patterns.append(rb"\d*[\s,;\]\[]{1,4}".join(numbers))
    return [re.compile(pattern) for pattern in patterns]


def files_with(vector: Vector, files: dict[str, bytes]) -> list[str]:
    traces = traces_of(vector)
    return [name for name, content in files.items() if any(t.search(content) for t in traces)]


def read_rows(site: Site, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(site.data_dir / "lookalike.sqlite3")) as base:
        return base.execute(question).fetchall()


def test_the_vector_is_nowhere(live_site: Site, photo: Path, vector: Vector) -> None:
    with Visitor(live_site.url) as visitor:
        page = visitor.give(photo)
        visitor.wait_for_result(page)
        files = everything_of(live_site)
        visitor.session.get(f"{page}faces/0/share.png", timeout=30)

    assert any(name.startswith("media/uploads") for name in files)
    assert any("appendonly" in name for name in files)
    assert any("match_upload_task" in text.decode(errors="ignore") for text in files.values())
    assert "worker.log" in files
    assert files_with(vector, files) == []


def test_the_search_for_it_would_find_it(live_site: Site) -> None:
    """The same search finds a portrait's vector where it lies, and in any spelling."""
    [(stored,)] = read_rows(live_site, VECTORS)
    portrait = np.frombuffer(stored, "<f4")

    assert "lookalike.sqlite3" in files_with(portrait, everything_of(live_site))
    spellings = [
        portrait.tobytes(),
        str(portrait.tolist()).encode(),
        ", ".join(f"{value:.4f}" for value in portrait).encode(),
        portrait.astype("<f8").tobytes(),
    ]
    for spelling in spellings:
        assert files_with(portrait, {"": b"before" + spelling}) == [""]


def segments_of(jpeg: bytes) -> set[int]:
    """The markers of a JPEG up to its image data."""
    found, at = set(), 2
    while jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


def test_no_picture_carries_metadata(live_site: Site, photo: Path) -> None:
    assert {0xE1, 0xE2, 0xFE} <= segments_of(photo.read_bytes())
    with Visitor(live_site.url) as visitor:
        page = visitor.give(photo)
        visitor.wait_for_result(page)
        served = [
            visitor.session.get(f"{page}{name}", timeout=30).content
            for name in ("photo.jpg", "faces/0/crop.jpg", "faces/0/chip.jpg")
        ]
        share = visitor.session.get(f"{page}faces/0/share.png", timeout=30).content
    stored = [path.read_bytes() for path in live_site.data_dir.glob("media/uploads/*/*")]

    assert len(stored) >= 3
    for picture in (*served, *stored):
        assert segments_of(picture) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4}
        assert b"the maker" not in picture
    with Image.open(io.BytesIO(share)) as image:
        assert not image.info


def give_and_see(visitor: Visitor, photo: Path) -> str:
    page = visitor.give(photo)
    visitor.wait_for_result(page)
    visitor.session.get(f"{page}faces/0/share.png", timeout=30)
    return page


def assert_nothing_is_left(site: Site, page: str) -> None:
    upload = page.rstrip("/").rpartition("/")[2]
    spellings = (upload.encode(), upload.replace("-", "").encode())
    assert not (site.data_dir / "media" / "uploads" / upload).exists()
    for table in ("upload", "uploadedface", "match"):
        assert read_rows(site, f"SELECT * FROM uploads_{table}") == []  # noqa: S608
    read_rows(site, "PRAGMA wal_checkpoint(TRUNCATE)")
    database = (site.data_dir / "lookalike.sqlite3").read_bytes()
    assert not any(spelling in database for spelling in spellings)

    def is_forgotten() -> bool:
        with site.broker() as broker:
            kept = b"".join(broker.dump(key) or b"" for key in broker.scan_iter())
        kept += b"".join(map(_decode, BASE64.findall(kept)))
        return not any(spelling in kept for spelling in spellings)

    wait_for(is_forgotten, "the queue and the cache to forget the upload")


@pytest.fixture
def empty_site(live_site: Site) -> Site:
    live_site.manage("purge_uploads", "--all")
    return live_site


def test_nothing_is_left_after_deletion(empty_site: Site, photo: Path) -> None:
    with Visitor(empty_site.url) as visitor:
        page = give_and_see(visitor, photo)
        form = visitor.session.get(f"{page}delete/", timeout=30).text
        token = {"csrfmiddlewaretoken": hidden(form, "csrfmiddlewaretoken")}
        answer = visitor.session.post(f"{page}delete/", data=token, timeout=30)

        assert answer.status_code == 200
        assert visitor.session.get(page, timeout=30).status_code == 404
    assert_nothing_is_left(empty_site, page)


def test_nothing_is_left_after_expiry(empty_site: Site, photo: Path) -> None:
    with Visitor(empty_site.url) as visitor:
        page = give_and_see(visitor, photo)
    empty_site.run_python(
        "from django.utils import timezone; from uploads.models import Upload; "
        "from uploads.tasks import purge_expired_task; "
        "Upload.objects.update(expires_at=timezone.now()); purge_expired_task.delay()"
    )
    wait_for(
        lambda: read_rows(empty_site, "SELECT count(*) FROM uploads_upload") == [(0,)],
        "the worker to purge",
    )
    wait_for(
        lambda: not any(empty_site.data_dir.glob("media/uploads/*")), "the files to be deleted"
    )
    assert_nothing_is_left(empty_site, page)
