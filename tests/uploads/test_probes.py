"""Health for probes: lines 1 to 4 of docs/operations.md, with each part failing for real."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from celebrities.models import Celebrity, IndexBuild
from celebrities.watching import mark_storage
from lookalike import __version__, health
from lookalike.health import DEADLINE_SECONDS, PARTS, add_part
from lookalike.processes.heartbeat import beat
from lookalike.processes.housekeeping import SCHEDULER_GONE_AFTER, SCHEDULER_KEY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def well(gallery: list[Celebrity], valkey: str) -> None:
    """A site of which every part does its work."""
    cache.clear()
    beat()
    beat(SCHEDULER_KEY, SCHEDULER_GONE_AFTER)
    assert mark_storage()


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0)


def ask(path: str = "/healthz/ready", **headers: str) -> tuple[int, dict[str, object]]:
    response = Client(headers=headers).get(path)
    return response.status_code, json.loads(response.content)


def false_parts() -> list[str]:
    status, answer = ask()
    assert (status, answer["well"]) == (503, False)
    return [name for name in PARTS if answer[name] is False]


def test_02_it_is_ready_when_every_part_is(well: None) -> None:
    status, answer = ask()

    assert answer == {"well": True, "version": __version__, "problems": {}, **answer}
    assert status == 200
    assert list(PARTS) == [
        *("database", "migrations", "queue", "worker", "scheduler"),
        *("storage", "static", "disk", "index", "gallery"),
    ]
    assert all(answer[name] is True for name in PARTS)


def test_43_the_version_is_shown_by_readiness_and_by_status(well: None) -> None:
    said = io.StringIO()
    call_command("status", stdout=said)

    assert ask()[1]["version"] == __version__
    assert said.getvalue().splitlines()[0] == f"Lookalike {__version__}"


def test_03_a_worker_that_is_not_heard(well: None) -> None:
    cache.delete("worker-heartbeat")
    assert false_parts() == ["worker"]


def test_03_a_scheduler_that_is_not_heard(well: None) -> None:
    cache.delete(SCHEDULER_KEY)
    assert false_parts() == ["scheduler"]


def test_03_a_valkey_that_only_reads(well: None, valkey: str) -> None:
    import redis

    with redis.Redis(unix_socket_path=valkey) as client:
        client.replicaof("127.0.0.1", "1")
        try:
            assert false_parts() == ["queue"]
        finally:
            client.execute_command("REPLICAOF NO ONE")


def test_03_another_or_an_empty_storage(well: None) -> None:
    root = django_settings.MEDIA_ROOT / "gallery"
    root.rename(root.with_name("away"))
    try:
        assert false_parts() == ["storage"]
        assert not mark_storage(), "the wrong storage is not marked as the right one"
    finally:
        shutil.rmtree(root, ignore_errors=True)
        root.with_name("away").rename(root)


def test_03_an_index_without_its_files(well: None) -> None:
    build = IndexBuild.objects.get()
    folder = django_settings.INDEX_DIR / build.name
    folder.rename(folder.with_name("away"))
    try:
        assert false_parts() == ["index"]
    finally:
        folder.with_name("away").rename(folder)


def test_03_an_index_of_an_encoder_that_is_not_here(well: None) -> None:
    IndexBuild.objects.update(encoder="fake/9")
    assert false_parts() == ["index"]
    assert "fake/9" in str(ask()[1]["problems"])


def test_27_a_machine_where_prepare_did_not_run(
    well: None, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = tmp_path
    PARTS["static"].told = False
    assert false_parts() == ["static"]
    assert false_parts() == ["static"]
    said = [record.getMessage() for record in caplog.records if "tatic" in record.getMessage()]
    assert said == [
        "Not ready: static. There are no static files. Run manage.py prepare on this machine."
    ]


def test_03_a_full_disk(well: None, settings: Settings) -> None:
    settings.MIN_FREE = 10**15
    assert false_parts() == ["disk"]


def test_03_a_database_behind_this_version(well: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.executor import MigrationExecutor

    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *given: ["0099"])
    assert false_parts() == ["migrations"]


@pytest.fixture
def hanging_part() -> Iterator[threading.Event]:
    """A further part that does not answer until the event is set."""
    release = threading.Event()

    def hang() -> None:
        release.wait(60)

    add_part("hanging", hang)
    yield release
    release.set()
    del PARTS["hanging"]


def test_02_it_answers_in_time_whatever_hangs(well: None, hanging_part: threading.Event) -> None:
    assert false_parts() == ["hanging"]
    first = PARTS["hanging"].thread
    time.sleep(DEADLINE_SECONDS)
    assert false_parts() == ["hanging"]
    assert PARTS["hanging"].thread is first, "a hanging part is not asked twice"
    hanging_part.set()
    assert first is not None
    first.join()
    assert ask()[0] == 200


def test_01_live_asks_nothing(valkey_away: None, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = Client().get("/healthz/live")
    assert (response.status_code, response.content) == (200, b"alive\n")


@pytest.mark.parametrize("path", ["/healthz", "/healthz/ready", "/healthz/live", "/metrics"])
def test_04_probes_answer_by_http_under_any_name(well: None, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["lookalike.example"]
    response = Client(headers={"Host": "10.1.2.3:8000"}).get(path)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize(
    "stranger", [{"REMOTE_ADDR": "203.0.113.7"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}]
)
def test_04_strangers_learn_no_details(
    well: None, settings: Settings, stranger: dict[str, str]
) -> None:
    settings.HEALTH_TOKEN = "a token of forty letters or so"
    client = Client(**stranger)  # type: ignore[arg-type]
    assert client.get("/healthz/ready").json() == {"well": True}
    assert client.get("/metrics").status_code == 404
    wrong = client.get("/healthz/ready", headers={"Authorization": "Bearer another"})
    assert "database" not in wrong.json()

    token = {"Authorization": f"Bearer {settings.HEALTH_TOKEN}"}
    assert client.get("/healthz/ready", headers=token).json()["database"] is True
    assert client.get("/metrics", headers=token).status_code == 200


def test_an_empty_token_is_no_token(well: None) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7", headers={"Authorization": "Bearer "})
    assert client.get("/healthz/ready").json() == {"well": True}
