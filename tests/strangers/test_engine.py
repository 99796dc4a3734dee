"""What the engine does with files that nobody made on purpose."""

from __future__ import annotations

import random
import time
from collections import Counter

import psutil
import pytest
from pytest_django.fixtures import Settings

from celebrities.photos import open_strangers
from lookalike.engine import get_decoder
from lookalike.faces.errors import PhotoError
from lookalike.faces.pipeline import FaceEngine
from tests.faces.photos import mutate
from tests.hostile import FULL, GENERATORS

pytestmark = [pytest.mark.strangers, pytest.mark.django_db]

MUTATIONS = 20_000
SECONDS = 1.0
MEGABYTES = 512
GROWTH = 64
"""Megabytes that this process may keep of all files: it is the tests' own, and large."""


def try_one(data: bytes, engine: FaceEngine) -> tuple[str, float]:
    """How it ended, and the CPU seconds of both processes."""
    decoder = get_decoder()
    decoder.seconds = 0.0
    started = time.process_time()
    try:
        photo, faces = engine.find_faces(open_strangers(data))
        outcome = f"{len(engine.encode_faces(photo, faces))} faces"
    except PhotoError as error:
        outcome = type(error).__name__
    return outcome, time.process_time() - started + decoder.seconds


@pytest.mark.timeout(1800)
def test_25_twenty_thousand_mutations(
    seeds: list[bytes], real_engine: FaceEngine, settings: Settings
) -> None:
    settings.MIN_SIDE = 16  # So that small files, too, are decoded.
    chance = random.Random(25)
    outcomes: Counter[str] = Counter()
    slowest, before = 0.0, 0
    for number in range(MUTATIONS):
        data = mutate(chance.choice(seeds), chance)
        outcome, seconds = try_one(data, real_engine)
        outcomes[outcome] += 1
        slowest = max(slowest, seconds)
        assert seconds < SECONDS, (number, outcome)
        before = before if number != MUTATIONS // 10 else psutil.Process().memory_info().rss

    assert psutil.Process().memory_info().rss < before + GROWTH * 1e6
    assert outcomes["1 faces"] > 500
    assert outcomes["UnreadablePhoto"] > 5_000
    assert "DecoderFailed" not in outcomes


@pytest.mark.parametrize("name", GENERATORS)
def test_17_whatever_it_is_made_of(name: str, real_engine: FaceEngine) -> None:
    data = GENERATORS[name](FULL)
    outcome, seconds = try_one(data, real_engine)

    process = get_decoder().start()
    assert seconds < SECONDS, outcome
    assert psutil.Process(process.pid).memory_info().rss < MEGABYTES * 1e6
