"""The six people whom the first page shows to visitors without a photo."""

from __future__ import annotations

import pytest

from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from celebrities.samples import choose_pair, choose_samples
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    """Sixteen men and four women. Each pair of two are each other's best look-alikes, the
    later ones the more alike."""
    people = make_people([unit(1, number) for number in range(20)])
    for number, person in enumerate(people):
        Celebrity.objects.filter(pk=person.pk).update(gender="male" if number >= 4 else "female")
    IndexBuild.objects.create(name="fake-1", status=IndexBuild.Status.PUBLISHED)
    for number, person in enumerate(people):
        Resemblance.objects.create(
            celebrity=person,
            other=people[number ^ 1],
            rank=1,
            similarity=40 + number // 2,
        )
    return people


def test_it_works(people: list[Celebrity]) -> None:
    """As many women as there are, and of the men those with the best look-alikes; of two who
    look like each other only one."""
    found = [people.index(person) for person in choose_samples()]

    assert found == [18, 16, 14, 2, 0, 12]


def test_they_have_pictures(people: list[Celebrity]) -> None:
    assert all(person.cover for person in choose_samples())


def test_it_handles_who_is_unpublished_meanwhile(people: list[Celebrity]) -> None:
    choose_samples()
    Celebrity.objects.filter(pk=people[18].pk).update(published=False)

    assert people[18] not in choose_samples()
    assert len(choose_samples()) == 5


def test_it_chooses_once_the_look_alikes_are_known(people: list[Celebrity]) -> None:
    IndexBuild.objects.update(status=IndexBuild.Status.SUPERSEDED)
    assert choose_samples() == []

    build = IndexBuild.objects.create(name="fake-2", status=IndexBuild.Status.PUBLISHED)
    kept = list(Resemblance.objects.all())
    Resemblance.objects.all().delete()
    assert choose_samples() == []

    Resemblance.objects.bulk_create(kept)
    assert len(choose_samples()) == 6
    assert IndexBuild.objects.current() == build


def test_it_chooses_anew_while_look_alikes_become_known(people: list[Celebrity]) -> None:
    kept = list(Resemblance.objects.exclude(celebrity__in=people[:2]))
    Resemblance.objects.exclude(celebrity__in=people[:2]).delete()
    assert len(choose_samples()) == 1

    Resemblance.objects.bulk_create(kept)
    assert len(choose_samples()) == 6


def test_the_pair_is_a_sample_and_its_look_alike(people: list[Celebrity]) -> None:
    assert choose_pair(choose_samples()) == []
    Portrait.objects.update(chip="chip.jpg")
    assert choose_pair(choose_samples()) == [people[18], people[19]]


def test_the_pair_needs_chips_of_both(people: list[Celebrity]) -> None:
    Portrait.objects.exclude(celebrity=people[19]).update(chip="chip.jpg")
    assert choose_pair(choose_samples()) == [people[16], people[17]]

    Celebrity.objects.filter(pk=people[17].pk).update(published=False)
    assert choose_pair(choose_samples())[0] == people[14]
    assert choose_pair([]) == []
