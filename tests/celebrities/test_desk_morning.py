"""The desk's first page: what waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from celebrities.models import Portrait, RemovalRequest
from tests.celebrities.factories import make_celebrity, make_portrait, make_ready, unit

pytestmark = pytest.mark.django_db


def test_it_works(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Every queue with its count and the oldest case, in few statements."""
    make_ready(make_celebrity("Ann"), unit(1), author="Jo Doe")
    make_portrait(make_celebrity("Bob"), status=Portrait.Status.FAILED, reason="no_face")
    Portrait.objects.update(created_at=timezone.now() - timedelta(days=3))
    RemovalRequest.objects.create(person="Ann", message="x")
    with django_assert_max_num_queries(12):
        page = admin_client.get("/admin/").content.decode()

    rows = {
        title: page.partition(f">{title}</a>")[2].partition("</tr>")[0]
        for title in ("Licence missing", "Pictures that cannot be used", "Requests for removal")
    }
    assert all("<td>1</td>" in row for row in rows.values())
    assert "3 days" in rows["Licence missing"]
    assert "today" in rows["Requests for removal"]
    assert "Author missing" in page.partition("Nothing waits in:")[2]
