"""manage.py check_services: lines 33 and 34 of docs/operations.md."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import redis
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from tests.conftest import MakeSite

pytestmark = pytest.mark.django_db


def run() -> str:
    said = io.StringIO()
    call_command("check_services", stdout=said)
    return said.getvalue()


def test_33_it_works(valkey: str) -> None:
    said = run()
    assert [line.split()[0] for line in said.splitlines()] == [
        *("database", "cache", "queue", "uploads", "gallery", "builds", "records"),
    ]
    assert all(line.split()[1].startswith("well") for line in said.splitlines())
    assert not [name for name in storages["uploads"].listdir("")[1] if name.startswith("trial")]


def test_34_it_says_that_valkey_may_forget(valkey: str) -> None:
    with redis.Redis(unix_socket_path=valkey) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        try:
            assert "may evict the queue" in run()
            assert "forgets everything when it restarts" in run()
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("appendonly", "yes")


def test_it_names_what_is_away(valkey_away: None) -> None:
    said = io.StringIO()
    with pytest.raises(CommandError, match="2 of 7 are not well"):
        call_command("check_services", stdout=said)
    assert "cache     NOT WELL" in said.getvalue()
    assert "database  well" in said.getvalue()


def test_it_names_a_storage_that_cannot_be_written(
    valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setitem(vars(storages["uploads"]), "location", str(blocked / "uploads"))
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of 7"):
        call_command("check_services", stdout=said)
    assert "uploads   NOT WELL" in said.getvalue()


@pytest.mark.services
def test_33_a_bucket(make_site: MakeSite, s3: dict[str, str], valkey: str) -> None:
    site = make_site(**s3)
    site.manage("migrate")
    site.start("valkey")
    done = site.manage("check_services", fails=True)
    assert "uploads   well" in done.stdout, done.stdout + done.stderr
    assert "gallery   well" in done.stdout
