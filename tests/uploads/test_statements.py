"""How many SQL statements a visit takes: page, sending, one look at the waiting page, worker,
result."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from celebrities.models import Celebrity
from tests.uploads.factories import fill_form
from uploads.matching import match_upload

MOST = 20


@pytest.mark.django_db(transaction=True)
def test_a_visit_takes_twenty_statements(
    client: Client, valkey: str, gallery: list[Celebrity]
) -> None:
    visit(client)
    # That one noted whom a visitor has seen, which is a change of the gallery.
    visit(Client())

    with CaptureQueriesContext(connection) as captured:
        visit(Client())

    statements = [query["sql"] for query in captured.captured_queries]
    assert 0 < len(statements) <= MOST, "\n".join(statements)


def visit(client: Client) -> None:
    client.get("/")
    page = client.post("/", fill_form())["Location"]
    client.get(page)
    match_upload(UUID(page.split("/")[2]))
    assert b"result" in client.get(page).content
