"""The embedded Valkey: private, persistent, and found wherever it is installed."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
import redis
from pytest_django.fixtures import Settings

from lookalike import environ
from lookalike.processes import valkey
from tests.conftest import MakeSite
from tests.live import wait_for


def test_it_works(make_site: MakeSite) -> None:
    site = make_site()
    site.start("valkey")
    mode = (site.data_dir / "valkey.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_it_keeps_the_queue_when_it_is_killed(make_site: MakeSite) -> None:
    site = make_site()
    site.start("valkey")
    with redis.Redis(unix_socket_path=str(site.data_dir / "valkey.sock")) as client:
        client.lpush("match", "a task")
        client.config_set("appendfsync", "always")
        client.lpush("match", "another task")
    [killed] = site.children("valkey")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: killed not in site.children("valkey"), "Valkey to be gone")
    wait_for(site.has_broker, "Valkey to come back")
    with redis.Redis(unix_socket_path=str(site.data_dir / "valkey.sock")) as client:
        assert client.llen("match") == 2


def test_it_listens_on_no_port(valkey: str) -> None:
    with redis.Redis(unix_socket_path=valkey) as client:
        assert client.config_get("port") == {"port": "0"}


def test_it_handles_a_folder_with_a_long_name(tmp_path: Path, make_site: MakeSite) -> None:
    far = tmp_path / ("long" * 30)
    site = make_site(LOOKALIKE_DATA_DIR=str(far))
    place = Path(site.run_python("from django.conf import settings; print(settings.VALKEY_SOCKET)"))
    site.socket = place
    site.start("valkey")
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert (
        site.run_python(
            "from django.core.cache import cache; cache.set('a', 1); print(cache.get('a'))"
        )
        == "1"
    )
    site.stop()
    place.parent.rmdir()


def test_it_rejects_a_socket_folder_that_others_may_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_DATA_DIR", str(tmp_path / ("long" * 30)))
    shared = environ.socket_path().parent
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(valkey.UnsafeFolder, match="not a private folder"):
        valkey.make_folders()
    shared.rmdir()


def test_it_takes_a_server_from_the_path_where_the_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(valkey.ValkeyMissing, match="Install Valkey or Redis"):
        valkey.find_server()
    server = tmp_path / "redis-server"
    server.touch(mode=0o755)
    assert valkey.find_server() == str(server)


def test_nothing_is_evicted(valkey: str, settings: Settings) -> None:
    assert str(settings.VALKEY_SOCKET) == valkey
    with redis.Redis(unix_socket_path=valkey) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
