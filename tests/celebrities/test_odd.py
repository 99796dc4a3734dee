"""Portraits of somebody else among a person's: found by a build, decided by a curator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from celebrities.index.odd import flag_odd
from celebrities.index.rebuild import gallery_changed, rebuild_index
from celebrities.models import Celebrity, Portrait
from lookalike.faces.people import Cohort
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Scale, Tail
from tests.celebrities.factories import make_celebrity, make_ready, unit

pytestmark = pytest.mark.django_db

PORTRAITS = "/admin/celebrities/portrait/"
Flag = Portrait.Flag


@pytest.fixture
def wrong(fake_engine: FaceEngine) -> Portrait:
    """Twenty people with three portraits each; one of the first's is somebody else's."""
    for number in range(20):
        make_person(axis(number))
    portrait = Portrait.objects.order_by("pk")[2]
    other = Portrait.objects.order_by("-pk")[0]
    Portrait.objects.filter(pk=portrait.pk).update(vector=other.vector)
    return portrait


def axis(number: int) -> list[float]:
    return [float(each) for each in np.random.default_rng(number).standard_normal(16)]


def make_person(middle: list[float]) -> Celebrity:
    person = make_celebrity(f"Person {Celebrity.objects.count():02d}")
    for number in range(3):
        step = np.random.default_rng(number).standard_normal(16) * 0.1
        make_ready(person, unit(*(np.array(middle) + step)))
    return person


def flagged() -> list[int]:
    return [*Portrait.objects.filter(flag=Flag.ODD).values_list("pk", flat=True)]


def test_it_works(wrong: Portrait) -> None:
    build = rebuild_index()

    assert flagged() == [wrong.pk]
    assert (build.items, build.people) == (59, 20)
    assert not gallery_changed()


def test_a_flag_is_decided_once(wrong: Portrait) -> None:
    rebuild_index()
    Portrait.objects.filter(pk=wrong.pk).update(flag=Flag.CONFIRMED)
    assert gallery_changed()
    assert rebuild_index().items == 60
    assert Portrait.objects.get(pk=wrong.pk).flag == Flag.CONFIRMED


def test_requires_three_portraits(wrong: Portrait) -> None:
    Portrait.objects.filter(celebrity=wrong.celebrity).exclude(pk=wrong.pk).first().delete()  # type: ignore[union-attr]
    rebuild_index()

    assert flagged() == []


def test_many_people_are_judged_in_parts(wrong: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celebrities.index.odd.CHUNK", 3)
    monkeypatch.setattr("celebrities.index.rows.CHUNK", 3)
    rebuild_index()

    assert flagged() == [wrong.pk]


def test_it_tells_its_progress(wrong: Portrait) -> None:
    told: list[float] = []
    cohort = Cohort(np.empty((0, 16), np.float32), np.empty(0, np.int64), Tail(0.0, 1.0))
    searchable = Portrait.objects.searchable("fake/1")
    flag_odd(searchable, 16, cohort, Scale(0.0, 1.0), lambda step, share: told.append(share))

    assert told == [0.0]


@pytest.fixture
def curator(wrong: Portrait) -> Callable[[str], str]:
    """Takes an action on the flagged portrait and its neighbour, and gives what is said."""
    rebuild_index()
    client = Client()
    client.force_login(User.objects.create_superuser("curator"))

    def act(action: str) -> str:
        chosen = {"action": action, "_selected_action": [wrong.pk, wrong.pk - 1]}
        return client.post(PORTRAITS, chosen, follow=True).content.decode()

    return act


def test_curators_see_what_is_flagged(curator: Callable[[str], str], admin_client: Client) -> None:
    shown = admin_client.get(PORTRAITS, {"flag__exact": "odd"}).content.decode()

    assert "1 portrait" in shown
    assert "seems to be somebody else" in shown


def test_it_is_this_person(wrong: Portrait, curator: Callable[[str], str]) -> None:
    assert "2 portraits are confirmed." in curator("confirm")
    assert rebuild_index().items == 60
    assert flagged() == []


def test_taking_out_deletes_only_what_is_flagged(
    wrong: Portrait, curator: Callable[[str], str]
) -> None:
    assert "1 portrait is taken out." in curator("take_out")
    assert not Portrait.objects.filter(pk=wrong.pk).exists()
    assert Portrait.objects.count() == 59
    rebuild_index()
    assert flagged() == []
