"""`manage.py prepare`: from nothing to a site that can start, without any service."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lookalike.management.commands.prepare import Command, can_reach, describe_encoder
from tests.conftest import MakeSite
from tests.live import Site, free_port, wait_for

COUNT = """
from celebrities.models import Celebrity, IndexBuild
from django.contrib.auth.models import User
print(Celebrity.objects.count(), IndexBuild.objects.current().people, User.objects.count())
"""

PEOPLE = """
from celebrities.models import Celebrity as C
print(C.objects.count(), C.objects.searchable().count())
"""


@pytest.fixture
def prepared(make_site: MakeSite) -> Site:
    return make_site(demo=True)


def test_it_works(prepared: Site) -> None:
    assert prepared.run_python(COUNT) == "48 48 1"
    assert (prepared.data_dir / "static" / "staticfiles.json").is_file()


def test_26_nothing_is_readable_by_others_but_the_gallery_whatever_the_umask(
    prepared: Site,
) -> None:
    prepared.data_dir.chmod(0o755)
    for path in prepared.data_dir.glob("lookalike.sqlite3*"):
        path.unlink()
    (prepared.data_dir / "secret_key").chmod(0o644)
    (prepared.data_dir / "static.sha256").unlink()
    shutil.rmtree(prepared.data_dir / "static")
    usual = os.umask(0)
    prepared.manage("prepare")
    os.umask(usual)

    modes = [
        path.stat().st_mode & 0o777
        for path in (prepared.data_dir, prepared.data_dir / "lookalike.sqlite3")
    ]
    assert modes == [0o700, 0o600]

    found = [prepared.data_dir, *prepared.data_dir.rglob("*")]
    gallery = prepared.data_dir / "media" / "gallery"
    private = [path for path in found if not path.is_relative_to(gallery)]
    assert len(private) > 50
    assert [path for path in private if path.stat().st_mode & 0o077] == []


def test_it_loads_no_gallery_unasked(make_site: MakeSite) -> None:
    site = make_site()
    site.manage("prepare")
    assert site.run_python(PEOPLE) == "0 0"


def test_it_leaves_the_reading_of_a_gallery_to_the_running_site(make_site: MakeSite) -> None:
    site = make_site(LOOKALIKE_DEMO="fictional")
    assert "48 new people" in site.manage("prepare").stdout
    assert site.run_python(PEOPLE) == "48 0"
    said = site.manage("prepare").stdout
    assert "The gallery worker has the portraits of 48 people to read." in said
    assert site.run_python(PEOPLE) == "48 0"

    site.start("valkey", "gallery")
    wait_for(lambda: site.run_python(PEOPLE) == "48 48", "all to be read", seconds=120)
    assert site.run_python(
        "from celebrities.models import *; print(IndexBuild.objects.get().people)"
    )


def test_it_tells_how_to_change_from_the_cast(prepared: Site) -> None:
    assert "load_demo --switch" in prepared.manage("prepare").stdout
    prepared.environment["LOOKALIKE_DEMO"] = "1"
    assert "load_demo --switch" in prepared.manage("prepare").stdout
    prepared.environment["LOOKALIKE_DEMO"] = "fictional"
    assert "load_demo --switch" not in prepared.manage("prepare").stdout
    assert prepared.run_python(PEOPLE) == "48 48"


def test_the_second_time_it_only_looks(prepared: Site) -> None:
    said = prepared.manage("prepare").stdout
    assert "Collecting" not in said
    assert "Admin login" not in said
    assert "48 people" in said
    assert prepared.run_python(COUNT) == "48 48 1"


def test_21_static_files_of_an_image_are_taken_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "staticfiles.json").touch()
    monkeypatch.setattr("os.access", lambda *given: False)
    Command().collect_static_files()

    assert [path.name for path in settings.STATIC_ROOT.iterdir()] == ["staticfiles.json"]


def test_it_shows_a_generated_password_once(make_site: MakeSite, demo_data: Path) -> None:
    site = make_site(demo=True, LOOKALIKE_ADMIN_PASSWORD="")
    site.run_python("from django.contrib.auth.models import User; User.objects.all().delete()")
    [line] = [line for line in site.manage("prepare").stdout.splitlines() if "Admin" in line]
    password = line.split("password: ")[1].split(" ")[0]
    assert len(password) >= 16
    check = "from django.contrib.auth import authenticate as a; "
    assert site.run_python(f"{check}print(a(username='admin', password={password!r}))") == "admin"


def test_25_a_public_site_keeps_the_password_out_of_its_log(make_site: MakeSite) -> None:
    site = make_site(LOOKALIKE_ADMIN_PASSWORD="", LOOKALIKE_HTTPS="1")
    said = site.manage("prepare").stdout
    kept = site.data_dir / "admin_password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert str(kept) in said
    password = kept.read_text().strip()
    assert password not in said
    check = "from django.contrib.auth import authenticate as a; "
    assert site.run_python(f"{check}print(a(username='admin', password={password!r}))") == "admin"
    assert site.run_python(PEOPLE) == "0 0"


def test_it_builds_the_index_that_is_missing(prepared: Site) -> None:
    [build] = (prepared.data_dir / "index").glob("dlib-*")
    (build / "manifest.json").unlink()
    assert "Index" in prepared.manage("prepare").stdout
    assert prepared.run_python(COUNT) == "48 48 1"
    assert {*(prepared.data_dir / "index").glob("dlib-*/manifest.json")} != set()


def test_it_says_what_to_do_when_facenet_is_wanted_without_weights(prepared: Site) -> None:
    prepared.environment["LOOKALIKE_ENCODER"] = "facenet"
    failed = prepared.manage("prepare", fails=True)
    assert failed.returncode == 1
    assert "fetch_weights facenet" in failed.stderr


def test_it_says_what_to_do_when_there_is_no_gpu(prepared: Site) -> None:
    prepared.environment |= {"LOOKALIKE_DEVICE": "cuda", "CUDA_VISIBLE_DEVICES": ""}
    failed = prepared.manage("prepare", fails=True)
    assert failed.returncode == 1
    assert "LOOKALIKE_DEVICE=cpu" in failed.stderr


def test_it_says_how_to_get_the_other_encoder() -> None:
    assert "fetch_weights facenet" in describe_encoder("dlib")
    assert "LOOKALIKE_ENCODER=dlib" in describe_encoder("facenet")


def test_a_server_that_is_not_there_is_not_reached() -> None:
    assert not can_reach(f"http://127.0.0.1:{free_port()}/", seconds=1)
    assert not can_reach("http://nowhere.invalid/", seconds=1)
