"""`manage.py prepare`: from nothing to a site that can start, without any service."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.management.commands.prepare import can_reach, describe_encoder
from tests.conftest import MakeSite
from tests.live import Site, free_port

COUNT = """
from celebrities.models import Celebrity, IndexBuild
from django.contrib.auth.models import User
print(Celebrity.objects.count(), IndexBuild.objects.current().people, User.objects.count())
"""


@pytest.fixture
def prepared(make_site: MakeSite) -> Site:
    return make_site(demo=True)


def test_it_works(prepared: Site) -> None:
    assert prepared.run_python(COUNT) == "48 48 1"
    assert (prepared.data_dir / "static" / "staticfiles.json").is_file()


def test_the_second_time_it_only_looks(prepared: Site) -> None:
    said = prepared.manage("prepare").stdout
    assert "Collecting" not in said
    assert "Admin login" not in said
    assert "48 people" in said
    assert prepared.run_python(COUNT) == "48 48 1"


def test_it_shows_a_generated_password_once(make_site: MakeSite, demo_data: Path) -> None:
    site = make_site(demo=True, LOOKALIKE_ADMIN_PASSWORD="")
    site.run_python("from django.contrib.auth.models import User; User.objects.all().delete()")
    [line] = [line for line in site.manage("prepare").stdout.splitlines() if "Admin" in line]
    password = line.split("password: ")[1].split(" ")[0]
    assert len(password) >= 16
    check = "from django.contrib.auth import authenticate as a; "
    assert site.run_python(f"{check}print(a(username='admin', password={password!r}))") == "admin"


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
