"""Who in the gallery looks most like whom, after a build."""

from __future__ import annotations

import numpy as np
import pytest

from celebrities.index import resemblances
from celebrities.index.rebuild import rebuild_index
from celebrities.index.resemblances import store_resemblances
from celebrities.index.search import find_lookalikes
from celebrities.models import Celebrity, Resemblance
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, make_ready, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    return make_people([unit(1), unit(1, 0.2), unit(0, 1), unit(0, 0.3, 1)])


def test_it_works(people: list[Celebrity]) -> None:
    make_ready(people[1], unit(1, 0.01))
    build = rebuild_index()
    store_resemblances(build)
    first = list(people[0].resemblances.all())

    assert [each.rank for each in first] == [1, 2, 3]
    assert first[0].other == people[1]
    numbers = [each.similarity for each in first]
    assert numbers == sorted(numbers, reverse=True)
    assert Resemblance.objects.count() == 4 * 3


def test_the_number_is_the_mean_of_the_portraits_numbers(people: list[Celebrity]) -> None:
    """As if each portrait of the person had been searched."""
    vectors = [unit(1), unit(1, 0.3)]
    make_ready(people[0], vectors[1])
    build = rebuild_index()
    store_resemblances(build)
    (first, second) = find_lookalikes(vectors, k=4).neighbours
    number = people[0].resemblances.get(other=people[2]).similarity
    numbers = [
        next(near.similarity for near in one if near.celebrity_id == people[2].pk)
        for one in (first, second)
    ]

    assert number == pytest.approx(np.mean(numbers), abs=1e-3)
    assert 0 < number < 100


def test_ten_are_kept_of_each_person(fake_engine: FaceEngine) -> None:
    make_people([unit(1, number / 10) for number in range(15)])
    store_resemblances(rebuild_index())

    assert Resemblance.objects.count() == 15 * 10


def test_a_gallery_in_parts_gives_the_same(
    fake_engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    for person in make_people([unit(*rng.normal(size=16)) for _ in range(30)]):
        make_ready(person, unit(*rng.normal(size=16)))
    fields = ("celebrity", "rank", "other")
    store_resemblances(rebuild_index())
    whole = [*Resemblance.objects.order_by("celebrity", "rank").values_list(*fields)]
    monkeypatch.setattr(resemblances, "SCORES", 400)
    store_resemblances(rebuild_index())

    assert [*Resemblance.objects.order_by("celebrity", "rank").values_list(*fields)] == whole
    assert len(whole) == 300


def test_the_next_build_replaces_them(people: list[Celebrity]) -> None:
    store_resemblances(rebuild_index())
    people[3].delete()
    store_resemblances(rebuild_index())

    assert Resemblance.objects.count() == 3 * 2


def test_a_person_deleted_meanwhile_is_left_out(
    people: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = rebuild_index()
    find = resemblances.find_resemblances

    def delete_first(*args):  # type: ignore[no-untyped-def]
        Celebrity.objects.filter(pk=people[0].pk).delete()
        yield from find(*args)

    monkeypatch.setattr(resemblances, "find_resemblances", delete_first)
    store_resemblances(build)
    assert Resemblance.objects.count() == 3 * 2


def test_those_of_a_superseded_build_are_not_stored(people: list[Celebrity]) -> None:
    old = rebuild_index()
    rebuild_index()
    store_resemblances(old)

    assert not Resemblance.objects.exists()
