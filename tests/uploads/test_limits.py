"""How much a visitor may send, counted in the cache alone, and how many photos may wait."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import redis
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from tests.uploads.factories import fill_form, make_upload
from uploads.limits import (
    QueueFull,
    TooManyUploads,
    check_network,
    check_owner,
    check_queue,
    estimate_seconds,
)
from uploads.models import Upload


def is_over(owner: UUID, address: str = "192.0.2.1") -> bool:
    try:
        check_network(address)
        check_owner(owner)
    except TooManyUploads:
        return True
    return False


def test_it_works(valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 2
    owner = uuid4()

    assert [is_over(owner) for _ in range(3)] == [False, False, True]


def test_it_counts_an_address_whose_cookies_are_dropped(valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 2

    assert [is_over(uuid4()) for _ in range(11)] == [False] * 10 + [True]
    assert not is_over(uuid4(), "192.0.2.2")


def test_it_blocks_nobody_while_the_cache_is_away(valkey_away: None, settings: Settings) -> None:
    settings.RATE_LIMIT = 1
    owner = uuid4()

    assert [is_over(owner) for _ in range(3)] == [False] * 3


def test_no_limit_is_zero(valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 0
    owner = uuid4()

    assert [is_over(owner) for _ in range(3)] == [False] * 3


def test_it_keeps_addresses_hashed_and_for_an_hour(valkey: str) -> None:
    owner = uuid4()
    check_network("192.0.2.77")
    check_owner(owner)
    with redis.Redis(unix_socket_path=valkey) as server:
        keys = server.keys("*count:*")
        assert len(keys) == 2
        for key in keys:
            assert b"192.0.2.77" not in key
            assert str(owner).encode() not in key
            assert 0 < server.ttl(key) <= 3600


@pytest.mark.django_db
def test_the_queue_has_a_limit(settings: Settings) -> None:
    settings.MAX_QUEUE = 2
    make_upload()
    make_upload(status=Upload.Status.DONE)
    check_queue(uuid4(), "")
    make_upload()

    with pytest.raises(QueueFull):
        check_queue(uuid4(), "")


@pytest.mark.django_db
def test_the_page_says_that_it_is_enough(client: Client, valkey: str, settings: Settings) -> None:
    settings.RATE_LIMIT = 1
    client.post("/", fill_form())
    response = client.post("/", fill_form())

    assert response.status_code == 429
    assert 3500 < int(response["Retry-After"]) <= 3600
    assert "Please try again in about 60 minutes." in response.content.decode()
    assert Upload.objects.count() == 1


@pytest.mark.django_db
def test_what_a_photo_takes_is_read_once_for_all_who_wait(
    django_assert_num_queries: DjangoAssertNumQueries, settings: Settings
) -> None:
    settings.WORKERS = 2
    now = timezone.now()
    make_upload(status=Upload.Status.DONE, claimed_at=now - timedelta(seconds=3), finished_at=now)
    with django_assert_num_queries(1):
        assert [estimate_seconds(10), estimate_seconds(2)] == [15, 3]
