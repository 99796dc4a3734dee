"""Imports as rows, sent to the desk and taken back (lines 34, 39 to 42 of the specification)."""

from __future__ import annotations

import csv
import gc
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from celebrities.desk.jobs import work_on_jobs
from celebrities.gallery import BATCH, embed_portraits
from celebrities.importers import importing
from celebrities.importers.importing import import_plan
from celebrities.importers.layout import plan_import
from celebrities.importers.opening import open_source
from celebrities.importers.people import Options
from celebrities.incoming import files, work
from celebrities.incoming.files import forget_files, has_lost_worker
from celebrities.incoming.work import work_on_imports
from celebrities.models import Celebrity, GalleryImport, Portrait
from lookalike import engine
from tests.celebrities.factories import make_celebrity, make_photo, make_portrait, write_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

IMPORTS = "/admin/celebrities/galleryimport/"
Status = GalleryImport.Status


def run(*words: object) -> str:
    out = io.StringIO()
    call_command("import_celebrities", *map(str, words), "--no-rebuild", stdout=out, stderr=out)
    return out.getvalue()


def pack(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def send(
    admin_client: Client, valkey: str, data_dir: Path, settings: Settings
) -> Callable[..., GalleryImport]:
    """Sends a file as the page does, in parts of 10,000 bytes."""
    settings.DATA_DIR = data_dir

    def send(data: bytes, name: str = "people.zip", **options: str) -> GalleryImport:
        begun = admin_client.post(f"{IMPORTS}begin/", {"name": name, "size": len(data), **options})
        assert begun.status_code == 200, begun.content
        address, at = begun.json()["address"], begun.json()["received"]
        while at < len(data):
            at = send_part(admin_client, address, at, data[at : at + 10_000]).json()["received"]
        return GalleryImport.objects.latest("pk")

    return send


def send_part(client: Client, address: str, at: int, data: bytes) -> Any:
    return client.post(f"{address}?at={at}", data, content_type="application/octet-stream")


def finish() -> None:
    while work_on_imports():
        pass


@pytest.fixture
def archive() -> bytes:
    """Ada with two portraits and Bob with one, told of by a manifest."""
    people = "Ada/1.jpg,Ada Example,Jo\nAda/2.jpg,Ada Example,Jo\nbob.jpg,Bob Sample,Al\n"
    manifest = f"file,name,author\n{people}"
    return pack(
        {
            "manifest.csv": manifest.encode(),
            "Ada/1.jpg": make_photo(1),
            "Ada/2.jpg": make_photo(2),
            "bob.jpg": make_photo(3),
        }
    )


def test_34_people_with_a_guessed_name_are_kept_out_of_sight(tmp_path: Path) -> None:
    source = write_files(
        tmp_path / "p",
        {
            "jane-roe_1.jpg": make_photo(1),
            "john-smith/1.jpg": make_photo(2),
            "Ann Other/1.jpg": make_photo(3),
            "x.jpg": make_photo(4),
            "manifest.csv": "file,name\nx.jpg,Listed Name\n",
        },
    )
    said = run(source)

    shown = dict(Celebrity.objects.values_list("name", "published"))
    assert shown == {
        "Jane Roe": False,
        "John Smith": False,
        "Ann Other": True,
        "Listed Name": True,
    }
    assert "kept out of sight: Jane Roe: the name is made out of a file's" in said
    assert "kept out of sight 2" in said


def test_34_publish_shows_them_all_the_same(tmp_path: Path) -> None:
    said = run(write_files(tmp_path / "p", {"jane-roe_1.jpg": make_photo(1)}), "--publish")

    assert Celebrity.objects.get().published
    assert "out of sight" not in said
    with pytest.raises(CommandError, match="not allowed with"):
        run(tmp_path / "p", "--publish", "--unpublished")


def test_39_each_import_is_a_row(tmp_path: Path, admin_client: Client) -> None:
    source = write_files(
        tmp_path / "p", {"Ann Other/1.jpg": make_photo(1), "bob.jpg": make_photo(2)}
    )
    run(source, "--category", "actor")
    run(source)
    run(source, "--dry-run")

    second, first = GalleryImport.objects.all()
    assert (first.source, first.status, first.options) == ("p", "done", {"category": "actor"})
    assert first.counts["new portrait"] == 2
    assert second.counts == {"skipped": 2}
    assert len(first.digest) == 64
    assert first.digest == second.digest
    assert first.finished_at
    assert Portrait.objects.filter(imported_in=first).count() == 2
    table = admin_client.get(f"{IMPORTS}{first.pk}/report/").content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(table)))
    assert lines[0] == ["kind", "where", "what"]
    assert ["new person", "Ann Other", ""] in lines
    page = admin_client.get(f"{IMPORTS}{first.pk}/change/").content.decode()
    assert "Ann Other" in page
    assert "new people: <strong>2</strong>" in page
    assert admin_client.get(IMPORTS).status_code == 200


def test_39_one_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_files(tmp_path / "p", {"Ann Other/1.jpg": make_photo(1)})
    monkeypatch.setattr("celebrities.management.importing.import_plan", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(source)
    record = GalleryImport.objects.get()
    assert (record.status, record.problem) == ("failed", "division by zero")


def test_39_an_import_is_taken_back_but_for_what_was_changed_since(
    tmp_path: Path, admin_client: Client, valkey: str
) -> None:
    make_portrait(old := make_celebrity("Old Friend"), make_photo(9))
    changed = make_celebrity("Cher", birth_year=None)
    source = write_files(
        tmp_path / "p",
        {
            "a.jpg": make_photo(1),
            "b.jpg": make_photo(2),
            "c.jpg": make_photo(3),
            "manifest.csv": "file,name,born\na.jpg,New One,1950\nb.jpg,Old Friend,1960\n"
            "c.jpg,Cher,1946\n",
        },
    )
    run(source)
    make_portrait(kept := Celebrity.objects.get(name="New One"), make_photo(7))
    Celebrity.objects.filter(pk=changed.pk).update(birth_year=1947)
    record = GalleryImport.objects.get()
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "back"})
    while work_on_jobs():
        pass

    record.refresh_from_db()
    assert record.status == Status.TAKEN_BACK
    assert not Portrait.objects.filter(imported_in=record).exists()
    years = dict(Celebrity.objects.values_list("name", "birth_year"))
    assert years == {"Old Friend": None, "Cher": 1947, "New One": 1950}
    assert kept.portraits.count() == old.portraits.count() == 1


def test_39_whom_an_import_alone_brought_is_gone_again(
    tmp_path: Path, admin_client: Client, valkey: str
) -> None:
    run(write_files(tmp_path / "p", {"Ann Other/1.jpg": make_photo(1)}))
    record = GalleryImport.objects.get()
    GalleryImport.objects.update(created_at=timezone.now() - timedelta(days=31))
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "back"})
    assert Celebrity.objects.exists(), "after thirty days it is too late"

    GalleryImport.objects.update(created_at=timezone.now())
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "back"})
    while work_on_jobs():
        pass
    assert not Celebrity.objects.exists()
    run(tmp_path / "p")
    assert Celebrity.objects.exists(), "it may be imported again"


def test_40_a_file_is_sent_in_parts_looked_at_and_imported(
    send: Callable[..., GalleryImport], archive: bytes, admin_client: Client, data_dir: Path
) -> None:
    record = send(archive, category="actor")
    assert record.status == Status.LOOKING
    finish()
    record.refresh_from_db()
    assert (record.status, record.total) == (Status.LOOKED, 3)
    assert record.counts == {"new person": 2, "new portrait": 3}
    assert not Celebrity.objects.exists(), "nothing is written before it is confirmed"
    page = admin_client.get(f"{IMPORTS}{record.pk}/change/").content.decode()
    assert "This is what it would do" in page
    assert "Ada Example" in page

    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "import"})
    finish()
    record.refresh_from_db()
    assert (record.status, record.at, record.user) == (Status.DONE, 3, User.objects.get())
    assert record.counts == {"new person": 2, "new portrait": 3}
    ada = Celebrity.objects.get(name="Ada Example")
    assert [each.author for each in ada.portraits.all()] == ["Jo", "Jo"]
    assert ada.categories.get().slug == "actor"
    embed_portraits(Portrait.objects.pending())
    assert Portrait.objects.ready().count() == 3
    assert not list((data_dir / "records").rglob("imports/*/*"))
    assert not list((data_dir / "imports").glob("*"))


def test_40_sending_goes_on_where_it_stopped(
    send: Callable[..., GalleryImport], archive: bytes, admin_client: Client
) -> None:
    begun = admin_client.post(f"{IMPORTS}begin/", {"name": "people.zip", "size": len(archive)})
    address = begun.json()["address"]
    send_part(admin_client, address, 0, archive[:10_000])
    assert send_part(admin_client, address, 0, archive[:10_000]).status_code == 409
    assert send_part(admin_client, address, 20_000, b"x").json() == {"received": 10_000}

    record = send(archive)
    assert GalleryImport.objects.count() == 1
    again = send_part(admin_client, address, len(archive), b"")
    assert again.json()["page"], "an answer that was lost is given again"
    finish()
    record.refresh_from_db()
    assert record.counts["new portrait"] == 3


def test_40_a_gallerys_own_archive_is_restored(
    send: Callable[..., GalleryImport], admin_client: Client, tmp_path: Path
) -> None:
    make_portrait(make_celebrity("Ann Other"))
    embed_portraits(Portrait.objects.all())
    call_command("export_gallery", str(tmp_path / "g.zip"), stdout=io.StringIO())
    Celebrity.objects.all().delete()
    record = send((tmp_path / "g.zip").read_bytes())
    finish()
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "import"})
    finish()

    assert Portrait.objects.ready().get().imported_in == record


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"PK\x03\x04 no archive", "a.zip", "ZIP archive whose end is missing"),
        (b"no table", "a.csv", "cannot be used"),
        (pack({"readme.txt": b"x"}), "a.zip", "There is no portrait in it."),
    ],
)
def test_40_what_cannot_be_used_is_said(
    send: Callable[..., GalleryImport], admin_client: Client, data: bytes, name: str, words: str
) -> None:
    record = send(data, name)
    finish()
    page = admin_client.get(f"{IMPORTS}{record.pk}/change/").content.decode()
    assert words in page
    assert "/imports/" not in page.partition("<main")[2].replace("/galleryimport/", "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "a.exe", "size": "5"}, "A ZIP or tar archive"),
        ({"name": "a.zip", "size": "2000000001"}, "less than or equal"),
        ({"name": "a.zip", "size": "0"}, "greater than or equal"),
        ({"size": "5"}, "required"),
    ],
)
def test_40_rejects_other_files(admin_client: Client, fields: dict[str, str], words: str) -> None:
    answer = admin_client.post(f"{IMPORTS}begin/", fields)
    assert answer.status_code == 400
    assert words in answer.json()["problem"]


def test_40_another_curator_sends_no_parts_of_it(
    send: Callable[..., GalleryImport], admin_client: Client, client: Client
) -> None:
    address = admin_client.post(f"{IMPORTS}begin/", {"name": "a.zip", "size": 9}).json()["address"]
    client.force_login(User.objects.create_superuser("another"))
    assert send_part(client, address, 0, b"x").status_code == 404
    assert send_part(admin_client, address, 0, b"0123456789").status_code == 409, "too much"


def test_40_an_import_is_done_in_parts_and_stopped(
    send: Callable[..., GalleryImport],
    archive: bytes,
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "AT_ONCE", 1)
    monkeypatch.setattr(work, "SLICE_SECONDS", 0)
    record = send(archive)
    finish()
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "import"})
    monkeypatch.setattr(work, "SLICE_SECONDS", 0.001)
    assert work_on_imports(), "there is more to do"
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "discard"})
    finish()

    record.refresh_from_db()
    assert (record.status, record.problem) == (Status.FAILED, "Stopped.")
    assert Portrait.objects.count() < 3
    assert record.can_be_taken_back


def test_40_forgotten_files_go_and_lost_workers_are_noticed(
    send: Callable[..., GalleryImport], archive: bytes, data_dir: Path
) -> None:
    send(archive)
    assert not has_lost_worker()
    GalleryImport.objects.update(heartbeat_at=timezone.now() - timedelta(days=4))
    assert has_lost_worker()
    finish()
    GalleryImport.objects.update(heartbeat_at=timezone.now() - timedelta(days=4))
    forget_files()
    assert not GalleryImport.objects.exists()
    assert not list((data_dir / "records").rglob("imports/*/*"))


def test_40_discarding_leaves_nothing(
    send: Callable[..., GalleryImport], archive: bytes, admin_client: Client
) -> None:
    record = send(archive)
    finish()
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "discard"})
    assert not GalleryImport.objects.exists()
    assert not storages["records"].exists(files.part_name(record, 0))


def test_42_a_second_import_reads_no_picture_and_asks_little(tmp_path: Path) -> None:
    """As often for 32 files as for 16: three statements a batch, whatever is in it."""
    source = write_files(
        tmp_path / "p", {f"Person {n:02d}/1.jpg": make_photo(n) for n in range(32)}
    )
    plan = plan_import(opened := open_source(source))
    import_plan(opened, plan, Options())
    engine.reset()

    counts = []
    for part in (slice(0, 16), slice(0, 32)):
        with CaptureQueriesContext(connection) as queries:
            report = import_plan(opened, plan, Options(), part=part)
        assert len(report.skipped) == part.stop
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 4
    assert not engine.is_loaded()


def test_42_no_picture_is_kept_in_memory(tmp_path: Path) -> None:
    """While a batch is read the one before is stored: never more than two batches of bytes."""
    source = write_files(
        tmp_path / "p", {f"Person {n:02d}/1.jpg": make_photo(n) for n in range(64)}
    )
    held: list[int] = []

    def look(count: int) -> None:
        known = (each for each in gc.get_objects() if type(each) is importing._File)
        held.append(sum(bool(each.data) for each in known))

    plan = plan_import(opened := open_source(source))
    import_plan(opened, plan, Options(), look)
    assert len(held) == 4
    assert max(held) <= 2 * BATCH
