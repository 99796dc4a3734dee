"""The log names no visitor's upload."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from django.utils.module_loading import import_string
from pytest_django.fixtures import Settings

from lookalike.logs import REQUEST_ID, JsonFormatter, LineFormatter, ShortOutages, make_config
from tests.conftest import MakeSite
from tests.visitor import Visitor

UPLOAD = "0d6c6f7e-4c5e-4f0e-9d1b-5f3a2b1c0d9e"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the site's own handler writes."""
    [handler] = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and isinstance(each.formatter, LineFormatter)
    ]
    text = io.StringIO()
    before = handler.setStream(text)
    yield text
    handler.setStream(before)


def test_it_works(db: None, written: io.StringIO) -> None:
    answer = Client(enforce_csrf_checks=True).post(f"/u/{UPLOAD}/delete/")
    assert answer.status_code == 403
    [line] = written.getvalue().splitlines()
    assert "WARNING django.security.csrf: Forbidden" in line
    assert line.endswith("/u/.../delete/")


def test_it_leaves_a_shared_link_out_of_a_traceback() -> None:
    try:
        raise Http404("nothing at /s/dGhlIHRva2Vu/faces/0/chip.jpg")
    except Http404:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    text = LineFormatter().format(record)
    assert "nothing at /s/.../faces/0/chip.jpg" in text
    assert "dGhlIHRva2Vu" not in text


def test_it_leaves_all_else_as_it_is() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "Index %s: /people/ada/", ("one",), None)
    assert LineFormatter().format(record) == "Index one: /people/ada/"


# Line 44 of docs/operations.md


def make_record(message: str, **fields: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "site", "levelname": "ERROR", "msg": message, **fields})


def failed_record() -> logging.LogRecord:
    try:
        raise ValueError("in /u/0123/")
    except ValueError:
        return make_record("it failed", exc_info=sys.exc_info())


@pytest.mark.parametrize("form", ["line", "json"])
def test_44_one_event_is_one_line(form: str) -> None:
    config = make_config("INFO", form)["formatters"]["chosen"]
    formatter = import_string(config["class"])(config["format"])
    token = REQUEST_ID.set("abc-1")
    try:
        line = formatter.format(failed_record())
    finally:
        REQUEST_ID.reset(token)

    assert "\n" not in line
    assert "ValueError" in line
    assert "abc-1" in line
    assert "0123" not in line


def test_44_json_has_its_fields() -> None:
    event = json.loads(JsonFormatter().format(failed_record()))
    assert (event["level"], event["logger"], event["message"]) == ("ERROR", "site", "it failed")
    assert event["traceback"].endswith("ValueError: in /u/.../")
    assert "request" not in event


def test_44_every_process_writes_json(make_site: MakeSite, cast: dict[str, list[Path]]) -> None:
    site = make_site(demo=True, LOOKALIKE_LOG_FORMAT="json")
    site.start("valkey", "web", "worker")
    with Visitor(site.url) as visitor:
        visitor.find_people(cast["kenji-morishige"][2])
    site.stop("worker", "web")
    lines = site.log("worker").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    [photo] = [event["message"] for event in events if event["logger"] == "uploads.watching"]
    assert re.fullmatch(
        r"photo done in [0-9.]+ s \(read [0-9.]+, find [0-9.]+, store [0-9.]+, encode [0-9.]+, "
        r"search [0-9.]+, save [0-9.]+\) JPEG, [0-9]+ MP",
        photo,
    )
    assert "SecurityWarning" not in site.log("worker")
    assert "superuser" not in site.log("worker")
    assert "Traceback" not in site.log("worker")


def test_44_the_proxys_request_id_is_kept(client: Client) -> None:
    assert client.get("/privacy/", headers={"X-Request-ID": "proxy-7"})["X-Request-ID"] == "proxy-7"
    made = client.get("/privacy/", headers={"X-Request-ID": "a\nb"})["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_45_scanners_for_other_hosts_leave_no_line(
    client: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ALLOWED_HOSTS = ["lookalike.example"]
    assert client.get("/privacy/", headers={"Host": "scanner.example"}).status_code == 400
    assert capsys.readouterr().err == ""


def test_an_outage_is_said_without_a_traceback() -> None:
    try:
        raise OperationalError("the server is gone")
    except OperationalError:
        record = make_record("Service Unavailable: /", exc_info=sys.exc_info())
    assert ShortOutages().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "Service Unavailable: /: OperationalError: the server is gone"
