"""What is set wrongly is said by `manage.py check`, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django.fixtures import Settings

from lookalike.checks import LIMITS
from lookalike.faces.weights import FACENET
from lookalike.storage import Bucket

AS_ROOT = {"lookalike.I001"}
"""What a test that runs as root is told besides."""


def our_messages(*, deploy: bool = False) -> list[CheckMessage]:
    found = run_checks(include_deployment_checks=deploy)
    return [message for message in found if str(message.id).startswith("lookalike.")]


def ids(*, deploy: bool = False) -> list[str | None]:
    return [message.id for message in our_messages(deploy=deploy)]


def test_it_works() -> None:
    assert our_messages() == []


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("beyond", [-1, 1])
def test_it_rejects_a_number_out_of_range(settings: Settings, name: str, beyond: int) -> None:
    setattr(settings, name, LIMITS[name][beyond > 0] + beyond)
    [message] = our_messages()
    assert message.id == "lookalike.E001"
    assert f"LOOKALIKE_{name}" in message.msg


@pytest.mark.parametrize("name", LIMITS)
def test_it_accepts_the_least_and_the_most(settings: Settings, name: str) -> None:
    for value in LIMITS[name]:
        setattr(settings, name, value)
        assert our_messages() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ENCODER": "resnet"}, "lookalike.E002"),
        ({"DEVICE": "gpu"}, "lookalike.E003"),
        ({"STORAGE": "ftp"}, "lookalike.E004"),
        ({"STORAGE": "s3"}, "lookalike.E005"),
        ({"STORAGE": "s3", "S3": Bucket(name="b", access_key="k")}, "lookalike.E006"),
        ({"STORAGE": "s3", "S3": Bucket(name="b", endpoint="s3.example")}, "lookalike.E007"),
        ({"STORAGE": "s3", "S3": Bucket(name="b", public_url="cdn")}, "lookalike.E007"),
        ({"INDEX_BACKEND": "faiss"}, "lookalike.E008"),
        ({"INDEX_BACKEND": "pgvector"}, "lookalike.E009"),
        ({"HOST": "0.0.0.0", "ALLOWED_HOSTS": ["localhost"]}, "lookalike.W002"),
    ],
)
def test_it_rejects(settings: Settings, values: dict[str, Any], expected: str) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    [message] = our_messages()
    assert message.id == expected
    assert message.hint


def test_it_requires_the_weights_of_facenet(settings: Settings, tmp_path: Path) -> None:
    settings.ENCODER, settings.WEIGHTS_DIR = "facenet", tmp_path
    assert ids() == ["lookalike.W001"]
    (tmp_path / FACENET.file_name).touch()
    assert ids() == []


def test_it_handles_a_bucket_with_everything(settings: Settings) -> None:
    settings.STORAGE = "s3"
    settings.S3 = Bucket("faces", "https://s3.example.org", access_key="key", secret_key="key")
    assert ids() == []


def test_deployment_is_warned_of_what_is_unsafe_in_public(settings: Settings) -> None:
    settings.HTTPS, settings.ALLOWED_HOSTS, settings.CONTACT = False, ["*"], ""
    found = {"lookalike.W003", "lookalike.W004", "lookalike.W006"}
    assert set(ids(deploy=True)) - AS_ROOT == found


def test_deployment_requires_a_name_for_the_site(settings: Settings) -> None:
    settings.HTTPS, settings.CONTACT = True, "us@lookalike.example"
    settings.TRUST_PROXY = True
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    assert set(ids(deploy=True)) - AS_ROOT == {"lookalike.W005"}
    settings.ALLOWED_HOSTS = ["lookalike.example"]
    assert set(ids(deploy=True)) - AS_ROOT == set()


@pytest.mark.parametrize("url", ["unix:///run/valkey.sock", "valkey://host", "redis+socket:///x"])
def test_34_rejects_a_broker_that_the_queue_does_not_know(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    assert ids() == ["lookalike.E010"]


@pytest.mark.parametrize("url", ["", "redis://host:6379/0", "rediss://:secret@host"])
def test_34_takes_redis_with_and_without_tls(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    assert ids() == []


def test_46_deployment_is_warned_of_the_machine(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_HOSTS, settings.CONTACT = ["lookalike.example"], "us@lookalike.example"
    settings.HTTPS, settings.TRUST_PROXY = True, False
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.access", lambda *given: False)
    settings.DATA_DIR = tmp_path
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "lookalike.postgres")

    wanted = {f"lookalike.{each}" for each in ("I001", "W011", "W012", "W013")}
    assert wanted <= set(ids(deploy=True))


@pytest.mark.parametrize(("folder", "database"), [(0o750, 0o600), (0o700, 0o644)])
def test_26_deployment_is_warned_of_data_that_others_may_read(
    settings: Settings, tmp_path: Path, folder: int, database: int
) -> None:
    settings.ALLOWED_HOSTS, settings.CONTACT = ["lookalike.example"], "us@lookalike.example"
    settings.HTTPS, settings.TRUST_PROXY, settings.DATA_DIR = True, True, tmp_path
    (tmp_path / "lookalike.sqlite3").touch()
    for mode in ((0o700, 0o600), (folder, database)):
        tmp_path.chmod(mode[0])
        (tmp_path / "lookalike.sqlite3").chmod(mode[1])
        expected = set() if mode == (0o700, 0o600) else {"lookalike.W014"}
        assert set(ids(deploy=True)) - AS_ROOT == expected


def test_26_deployment_is_told_that_the_site_runs_as_root(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    [told] = [each for each in our_messages(deploy=True) if each.id == "lookalike.I001"]

    assert told.hint is not None
    assert "a user of its own" in told.hint


def test_46_hsts_speaks_for_this_name_only(settings: Settings) -> None:
    assert not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not settings.SECURE_HSTS_PRELOAD
