"""/metrics and manage.py status: lines 5 and 6 of docs/operations.md."""

from __future__ import annotations

import io
import re

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from celebrities.models import Celebrity
from celebrities.watching import mark_storage
from lookalike import health, metrics
from lookalike.processes.heartbeat import beat
from lookalike.processes.housekeeping import SCHEDULER_GONE_AFTER, SCHEDULER_KEY
from tests.uploads.factories import encode, make_picture, make_upload
from uploads.matching import match_upload

pytestmark = pytest.mark.django_db(transaction=True)

LINE = re.compile(r'lookalike_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+')


def read() -> dict[str, float]:
    """Each line of /metrics."""
    text = Client().get("/metrics").content.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), lines
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_05_it_works(gallery: list[Celebrity], valkey: str) -> None:
    match_upload(make_upload(encode(make_picture())).pk)
    match_upload(make_upload(b"no photo").pk)
    make_upload()
    figures = read()

    assert figures['lookalike_uploads_total{end="done"}'] == 1
    assert figures['lookalike_uploads_total{end="unsupported"}'] == 1
    assert figures['lookalike_uploads_total{end="no_face"}'] == 0
    assert figures["lookalike_uploads_waiting"] == 1
    assert figures["lookalike_oldest_waiting_seconds"] >= 0
    assert figures["lookalike_index_people"] == 4
    assert figures["lookalike_disk_free_bytes"] > 0
    assert figures['lookalike_stage_seconds_count{stage="find"}'] == 1
    assert figures['lookalike_stage_seconds_bucket{stage="find",le="+Inf"}'] == 1
    assert figures["lookalike_scheduler_up"] == 0


def test_05_a_histogram_only_rises(valkey: str) -> None:
    for seconds in (0.01, 0.2, 0.3, 99):
        metrics.count_all(metrics.stage_counts({"find": seconds}))
    found = metrics.histogram(["find"])
    counts = [figure.value for figure in found if figure.name == "stage_seconds_bucket"]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 4)
    [total] = [figure.value for figure in found if figure.name == "stage_seconds_sum"]
    assert total == pytest.approx(99.51)


def test_05_without_valkey_the_rest_is_told(gallery: list[Celebrity], valkey_away: None) -> None:
    figures = read()
    assert "lookalike_uploads_waiting" in figures
    assert "lookalike_scheduler_up" not in figures


def test_05_no_label_names_a_visitor(gallery: list[Celebrity], valkey: str) -> None:
    upload = make_upload(encode(make_picture()))
    match_upload(upload.pk)
    text = Client().get("/metrics").content.decode()
    for secret in (upload.pk, upload.owner):
        assert str(secret) not in text


def test_06_status_says_the_same_and_its_exit_code_too(
    gallery: list[Celebrity], valkey: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0)
    cache.clear()
    beat()
    beat(SCHEDULER_KEY, SCHEDULER_GONE_AFTER)
    mark_storage()
    said = io.StringIO()
    call_command("status", stdout=said)
    assert "database    yes" in said.getvalue()
    assert re.search(r"^index_people +4$", said.getvalue(), re.MULTILINE)

    settings.MIN_FREE = 10**15
    said = io.StringIO()
    with pytest.raises(CommandError, match="not well"):
        call_command("status", stdout=said)
    assert "disk        NO  " in said.getvalue()
