"""Thousands of odd files, sent through the form of a running site."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import MakeSite
from tests.faces.photos import mutate
from tests.live import Site, wait_for
from tests.visitor import agree

pytestmark = [pytest.mark.strangers, pytest.mark.timeout(1800)]

MUTATIONS = 5_000
SENDERS = 4
NAMES = ("photo.jpg", "x" * 300 + ".png", "../../etc/passwd", "\u202egpj.exe", "a\0b.jpg", "")
KINDS = ("image/jpeg", "text/html", "image/svg+xml; charset=rot13", "", "x" * 200)


class Sender:
    """One session that sends files without pause. ``slowest`` is in seconds."""

    def __init__(self, site: Site) -> None:
        self.url = site.url
        self.answers: Counter[int] = Counter()
        self.slowest = 0.0
        self.session = requests.Session()
        form = self.session.get(self.url, timeout=30).text
        self.values = agree(form)

    def send_all(self, files: list[tuple[bytes, str, str]]) -> None:
        for content, name, kind in files:
            self.send(content, name, kind)

    def send(self, content: bytes, name: str, kind: str) -> None:
        started = time.monotonic()
        answer = self.session.post(
            self.url,
            data=self.values,
            files={"photo": (name, content, kind)},
            timeout=30,
            allow_redirects=False,
        )
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.answers[answer.status_code] += 1


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    site = make_site(demo=True, LOOKALIKE_RATE_LIMIT="0", LOOKALIKE_MAX_QUEUE="100000")
    site.start("valkey", "web", "worker", "gallery")
    return site


def test_25_five_thousand_mutations(site: Site, seeds: list[bytes]) -> None:
    chance = random.Random(2016)
    sent = [
        (mutate(chance.choice(seeds), chance), chance.choice(NAMES), chance.choice(KINDS))
        for _ in range(MUTATIONS)
    ]
    senders = [Sender(site) for _ in range(SENDERS)]
    main, child, *_ = site.children("worker")

    with ThreadPoolExecutor(SENDERS) as pool:
        shares = [sent[number::SENDERS] for number in range(SENDERS)]
        list(pool.map(Sender.send_all, senders, shares))

    answers = sum((sender.answers for sender in senders), Counter[int]())
    assert answers.total() == MUTATIONS
    assert {*answers} <= {302, 400, 422}, answers
    assert answers[302] > MUTATIONS / 10, answers
    assert max(sender.slowest for sender in senders) < 1
    wait_for(lambda: count(site, "waiting()") == 0, "the last upload", 900)
    assert count(site, "filter(attempts__gt=1)") == 0
    assert [main, child] == site.children("worker")[:2]
    for name in ("web", "worker"):
        assert "Traceback" not in site.log(name)


def count(site: Site, which: str) -> int:
    code = f"from uploads.models import Upload; print(Upload.objects.{which}.count())"
    return int(site.run_python(code))
