"""manage.py audit: each fault, planted, is found and repaired (line 36 of docs/operations.md)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core import serializers
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from celebrities.gallery import delete_celebrities, embed_portraits
from celebrities.index.rebuild import rebuild_index
from celebrities.models import Celebrity, IndexBuild, Portrait, gallery_storage
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_photo, make_portrait
from tests.uploads.factories import make_upload
from uploads.models import Upload
from uploads.storage import store_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site(fake_engine: FaceEngine, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve people with a portrait each, and an index; no file of another test."""
    monkeypatch.setitem(vars(storages["uploads"]), "location", str(data_dir / "uploads"))
    for number in range(12):
        make_portrait(make_celebrity(f"Person {number}"), make_photo(number))
    embed_portraits(Portrait.objects.all())
    rebuild_index()
    return data_dir


def count() -> dict[str, int]:
    """What is wrong, without what is well."""
    said = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command("audit", "--json", stdout=said)
    return {name: number for name, number in json.loads(said.getvalue()).items() if number}


def repair(*options: str) -> str:
    said = io.StringIO()
    call_command("audit", "--repair", *options, stdout=said, stderr=said)
    return said.getvalue()


def test_36_and_52_a_site_that_is_whole() -> None:
    assert count() == {}
    said = io.StringIO()
    call_command("audit", stdout=said)
    assert said.getvalue() == "Database and storage agree.\n"


def test_36_a_lost_picture() -> None:
    portrait = Portrait.objects.all()[0]
    gallery_storage().delete(str(portrait.image.name))
    assert count()["portraits_without_picture"] == 1
    assert "portraits without a picture: 1" in repair()
    assert not Portrait.objects.filter(pk=portrait.pk).exists()
    assert count() == {}


def test_36_and_53_a_wrong_storage_is_left_alone(site: Path) -> None:
    (site / "gallery").rename(site / "away")
    with pytest.raises(CommandError, match="Something is wrong"):
        repair()
    assert Portrait.objects.count() == 12
    (site / "away").rename(site / "gallery")
    assert count() == {}


def test_36_lost_thumbnails() -> None:
    portrait = Portrait.objects.all()[0]
    gallery_storage().delete(portrait.thumbnail_names[160])
    assert count() == {"pictures_incomplete": 1}
    with pytest.raises(CommandError):
        repair()
    embed_portraits(Portrait.objects.due())
    assert count() == {}


def test_36_files_without_a_portrait(site: Path) -> None:
    image = str(Portrait.objects.all()[0].image.name)
    for number in range(300):
        path = site / "gallery" / "portraits" / "00" / f"{number:032x}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left over")
    assert count() == {"files_without_portrait": 300}
    repair()
    assert count() == {}
    assert gallery_storage().exists(image)


def test_36_an_index_without_its_files(site: Path) -> None:
    shutil.rmtree(site / "index" / IndexBuild.objects.get().name)
    from lookalike import engine
    from tests.fakes import FakeDetector, FakeEncoder

    engine.reset(FaceEngine(FakeDetector(), FakeEncoder()))
    assert count() == {"index_unopenable": 1}
    repair()
    assert count() == {}


def test_36_vectors_of_another_encoder() -> None:
    Portrait.objects.filter(pk=Portrait.objects.all()[0].pk).update(encoder="older/1")
    assert count() == {"vectors_missing": 1}
    repair()
    assert count() == {}


def test_36_a_portrait_refused_for_a_file_that_is_there() -> None:
    portrait = Portrait.objects.all()[0]
    Portrait.objects.filter(pk=portrait.pk).update(
        status=Portrait.Status.FAILED, vector=None, problem="the file is missing"
    )
    assert count() == {"refused_without_file": 1}
    repair()
    embed_portraits(Portrait.objects.due())
    assert Portrait.objects.ready().filter(pk=portrait.pk).exists()


def test_36_a_build_whose_process_is_gone() -> None:
    silent = timezone.now() - timedelta(minutes=5)
    IndexBuild.objects.create(name="stuck", builder="elsewhere:1", heartbeat_at=silent)
    assert count() == {"builds_stuck": 1}
    repair()
    assert count() == {}


def test_36_uploads_and_sessions(site: Path) -> None:
    kept, lost = make_upload(), make_upload()
    storages["uploads"].delete(str(lost.received.name))
    make_upload(expires_at=timezone.now() - timedelta(seconds=1))
    stray = str(uuid.uuid4())
    store_file(uuid.UUID(stray), b"bytes")
    for path in [site / "uploads" / stray, *(site / "uploads" / stray).iterdir()]:
        os.utime(path, (0, 0))
    session = SessionStore()
    session.set_expiry(-1)
    session.save()
    assert count() == {
        "uploads_without_files": 1,
        "folders_without_upload": 1,
        "uploads_expired": 1,
        "sessions_ended": 1,
    }
    said = repair()
    assert str(lost.pk) not in said
    assert stray not in said
    assert count() == {}
    assert list(Upload.objects.all()) == [kept]


def test_40_people_deleted_since_a_copy_was_made_are_named() -> None:
    person = Celebrity.objects.get(name="Person 3")
    copy = serializers.serialize("json", [person])
    delete_celebrities(Celebrity.objects.filter(pk=person.pk))
    rebuild_index()
    assert count() == {}
    for row in serializers.deserialize("json", copy):
        row.save()

    assert count() == {"people_deleted": 1}
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("audit", "--repair", stdout=said, stderr=said)
    assert f"{person.pk} Person 3" in said.getvalue()
    assert Celebrity.objects.filter(name="Person 3").exists(), "deleting stays a person's decision"
    call_command("audit", "--delete-again", stdout=said)
    assert not Celebrity.objects.filter(name="Person 3").exists()


def test_40_another_person_with_a_deleted_ones_id_is_not_named() -> None:
    person = Celebrity.objects.get(name="Person 3")
    key = person.pk
    delete_celebrities(Celebrity.objects.filter(pk=key))
    Celebrity(pk=key, name="Somebody Else", slug="somebody-else").save(force_insert=True)

    assert "people_deleted" not in count()
