"""The log names no visitor's upload."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest
from django.http import Http404
from django.test import Client

from lookalike.logs import LineFormatter

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
