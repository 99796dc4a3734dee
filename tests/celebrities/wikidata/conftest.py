"""The local server, and a client that does not wait for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from celebrities.wikidata.cache import Cache
from celebrities.wikidata.client import Client, Manners
from tests.wikimedia import Wikimedia

QUICK = Manners(
    distance=0.0,
    first_pause=0.01,
    longest_pause=0.02,
    longest_wait=3.0,
    timeout=(2.0, 0.5),
    longest_answer=1.0,
)

MakeClient = Callable[..., Client]


@pytest.fixture
def server() -> Iterator[Wikimedia]:
    with Wikimedia() as running:
        yield running


@pytest.fixture
def make_client(server: Wikimedia, tmp_path: Path) -> Iterator[MakeClient]:
    """Makes clients that share one cache file, as runs after each other do."""
    caches: list[Cache] = []

    def make(manners: Manners = QUICK, contact: str = "me@example.org") -> Client:
        caches.append(Cache(tmp_path / "cache.sqlite3"))
        endpoints = (server.sparql, server.wikidata, server.commons)
        return Client(caches[-1], contact, endpoints, manners)

    yield make
    for cache in caches:
        cache.close()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()


@pytest.fixture
def site(
    server: Wikimedia, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Wikimedia:
    """This process's settings point at the server, with a data folder of its own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.CONTACT = "operator@example.org"
    settings.WIKIDATA_SPARQL = server.sparql
    settings.WIKIDATA_API = server.wikidata
    settings.COMMONS_API = server.commons
    # The pace is tested with the client; here it would only take time.
    monkeypatch.setattr("celebrities.wikidata.client.Manners", lambda: QUICK)
    return server
