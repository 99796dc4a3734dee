"""Portraits of somebody else among a person's: found by a build, decided by a curator."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_curators_see_what_is_flagged(wrong: Portrait, admin_client: Client) -> None:
    rebuild_index()
    shown = admin_client.get(PORTRAITS, {"flag__exact": "odd"}).content.decode()

    assert "1 portrait" in shown
    assert "seems to be somebody else" in shown


def test_curators_confirm_that_it_is_this_person(wrong: Portrait, admin_client: Client) -> None:
    rebuild_index()
    chosen = {"action": "confirm", "_selected_action": [wrong.pk, wrong.pk - 1]}
    page = admin_client.post(PORTRAITS, chosen, follow=True).content.decode()

    assert "2 portraits are confirmed." in page
    assert rebuild_index().items == 60
    assert flagged() == []
