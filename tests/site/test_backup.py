"""manage.py backup and restore, beside newer storage (line 40 of docs/operations.md)."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import Site


def ask(site: Site, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(site.data_dir / "lookalike.sqlite3")) as base:
        return base.execute(question).fetchall()


MAKE_UPLOAD = """
from uuid import uuid4
from django.core.files.base import ContentFile
from uploads.consent import record_consent
from uploads.models import Upload
from uploads.storage import store_file
upload = Upload(owner=uuid4(), consent=record_consent("en"), language="en")
upload.received.name = store_file(upload.pk, b"a visitor's own")
upload.save(force_insert=True)
"""
LATER = """
from celebrities.gallery import delete_celebrities
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import rebuild_index
from celebrities.models import Celebrity
first = Celebrity.objects.order_by("pk").first()
delete_celebrities(Celebrity.objects.filter(pk=first.pk))
rebuild_index()
remove_old_builds(at_once=True)
"""


@pytest.mark.site
def test_40_yesterdays_backup_beside_todays_storage(
    make_site: MakeSite, tmp_path: Path, cast: dict[str, list[Path]]
) -> None:
    site = make_site(demo=True)
    site.run_python(MAKE_UPLOAD)
    backup = tmp_path / "backup.tar.gz"
    said = site.manage("backup", str(backup)).stdout
    assert "pictures written" in said
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    [(first, name)] = ask(site, "SELECT id, name FROM celebrities_celebrity ORDER BY id LIMIT 1")
    site.run_python(LATER)
    assert (first,) not in ask(site, "SELECT id FROM celebrities_celebrity")

    said = site.manage("restore", str(backup)).stdout
    assert "Now run manage.py audit --repair." in said
    assert "LOOKALIKE_ADMIN_PASSWORD" in said
    assert ask(site, "SELECT count(*) FROM uploads_upload") == [(0,)]
    audited = site.manage("audit", "--repair", fails=True)
    assert f"{first} {name}" in audited.stderr
    assert site.manage("audit", "--delete-again", "--repair").returncode == 0
    photo = cast["kenji-morishige"][2]
    assert "Kenji Morishige" in site.manage("match", str(photo)).stdout


@pytest.mark.site
def test_40_a_backup_makes_a_site_in_an_empty_folder(make_site: MakeSite, tmp_path: Path) -> None:
    old, new = make_site(demo=True), make_site()
    backup = tmp_path / "backup.tar.gz"
    old.manage("backup", str(backup))
    new.manage("restore", str(backup))

    new.manage("audit", "--repair")
    people = "SELECT slug FROM celebrities_celebrity ORDER BY slug"
    assert ask(new, people) == ask(old, people)


@pytest.mark.site
def test_40_a_backup_holds_no_visitor_and_no_secret(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site(LOOKALIKE_SECRET_KEY="a very secret key of this site")
    site.manage("migrate")
    site.run_python(MAKE_UPLOAD)
    backup = tmp_path / "backup.tar.gz"
    site.manage("backup", str(backup))
    with tarfile.open(backup) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert b"visitor's own" not in everything
    assert b"a very secret key" not in everything
    facts = json.loads((tmp_path / "out" / "backup.json").read_text())
    assert "LOOKALIKE_SECRET_KEY" in facts["settings"]
    with closing(sqlite3.connect(tmp_path / "out" / "lookalike.sqlite3")) as base:
        assert base.execute("SELECT count(*) FROM uploads_upload").fetchall() == [(0,)]


@pytest.mark.site
def test_40_rejects_what_is_no_whole_backup(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site()
    site.manage("migrate")
    before = (site.data_dir / "lookalike.sqlite3").read_bytes()
    backup = tmp_path / "backup.tar.gz"
    site.manage("backup", str(backup))
    whole = backup.read_bytes()
    bad = {
        "cut.tar.gz": whole[: len(whole) // 2],
        "text.tar.gz": b"no archive",
        "climbing.tar.gz": pack("../outside"),
        "other.tar.gz": pack("README"),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        done = site.manage("restore", str(tmp_path / name), fails=True)
        assert done.returncode == 1
        assert "is no whole backup" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert (site.data_dir / "lookalike.sqlite3").read_bytes() == before
    assert not (tmp_path / "outside").exists()
    assert not any(site.data_dir.glob("tmp*"))


def pack(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    return buffer.getvalue()


@pytest.mark.site
def test_40_rejects_a_server_and_a_full_folder(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = site.manage("backup", str(tmp_path / "x.tar.gz"), fails=True)
    assert "pg_dump" in done.stderr
    done = make_site().manage("backup", str(tmp_path / "no" / "folder.tar.gz"), fails=True)
    assert "No backup was written." in done.stderr
    assert not [*tmp_path.glob("*.tmp")]
