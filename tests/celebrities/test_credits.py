"""/credits/: every portrait's author, licence and source."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from celebrities.models import Portrait
from tests.celebrities.factories import make_celebrity, make_people, make_ready, unit

pytestmark = pytest.mark.django_db


def test_it_works(client: Client) -> None:
    make_people([unit(1)])
    Portrait.objects.update(author="A. Photographer", licence="CC0-1.0")
    make_ready(make_celebrity("Hidden", published=False), unit(1))
    html = client.get("/credits/").content.decode()

    assert "Person 00" in html
    assert "A. Photographer" in html
    assert "CC0-1.0" in html
    assert "Hidden" not in html


def test_pages_are_short_and_take_few_queries(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_people([unit(1, number) for number in range(103)])

    with django_assert_max_num_queries(3):
        first = client.get("/credits/").content.decode()
    assert first.count("credits-name") == 100
    assert client.get("/credits/?page=2").content.decode().count("credits-name") == 3
