"""The queues of the curators' desk (lines 9 to 15 of the specification)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from celebrities.desk.queues import QUEUES
from celebrities.gallery import embed_portraits
from celebrities.index.measuring import measure_gallery
from celebrities.index.pairs import compare_portraits, find_doubled_people
from celebrities.index.rebuild import rebuild_index
from celebrities.index.resemblances import store_resemblances
from celebrities.index.thresholds import thresholds
from celebrities.models import (
    Celebrity,
    Change,
    Decision,
    IndexBuild,
    Pair,
    Portrait,
    Threshold,
)
from celebrities.portraits import take_chosen
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Vector
from tests.celebrities.factories import (
    encode,
    make_celebrity,
    make_people,
    make_photo,
    make_picture,
    make_portrait,
    make_ready,
    unit,
)
from tests.celebrities.test_admin import PEOPLE, PORTRAITS, said, text

pytestmark = pytest.mark.django_db


def page_of(queue: str) -> str:
    return f"{PORTRAITS}queue/{queue}/"


def decide(client: Client, queue: str, choice: str, **fields: Any) -> Any:
    """Press a button of the case that is shown."""
    case = client.get(page_of(queue)).context["case"]["case"]
    return client.post(page_of(queue), {"case": case.key, "choice": choice, **fields}, follow=True)


def take_back(client: Client) -> list[str]:
    fields = {"group": Decision.objects.all()[0].group, "next": page_of("odd")}
    return said(client.post(f"{PEOPLE}take-back/", fields, follow=True))


def near(vector: Vector, far: float, seed: int) -> Vector:
    """A unit vector about that far from another."""
    noise = np.random.default_rng(seed).normal(size=len(vector))
    noise -= noise @ vector * vector
    noise *= far / np.linalg.norm(noise)
    return unit(*(vector + noise))


@pytest.fixture
def odd_one(fake_engine: FaceEngine) -> Portrait:
    """A portrait of Ada that is like Eve's, flagged by a build."""
    ada, eve = make_celebrity("Ada"), make_celebrity("Eve")
    for number in range(3):
        make_ready(ada, near(unit(1), 0.1, number))
        make_ready(eve, near(unit(0, 1), 0.1, 10 + number))
    odd = make_ready(ada, near(unit(0, 1), 0.12, 20), image_hash="0dd")
    build = rebuild_index()
    compare_portraits(build)
    odd.refresh_from_db()
    return odd


def test_10_a_portrait_far_from_the_persons_others_waits(
    admin_client: Client, odd_one: Portrait
) -> None:
    assert odd_one.apart is not None
    assert odd_one.apart > thresholds().odd
    assert odd_one.nearest is not None
    assert odd_one.nearest.celebrity.name == "Eve"
    html = text(admin_client, page_of("odd"))
    assert "1 case waits" in html
    assert "(Eve)" in html
    assert "Odd one out" in text(admin_client, "/admin/")


def test_10_it_is_moved_and_the_move_is_taken_back(admin_client: Client, odd_one: Portrait) -> None:
    decide(admin_client, "odd", "move")
    odd_one.refresh_from_db()
    assert odd_one.celebrity.name == "Eve"
    assert "Nothing waits here" in text(admin_client, page_of("odd"))

    assert take_back(admin_client) == ["Taken back."]
    odd_one.refresh_from_db()
    assert (odd_one.celebrity.name, odd_one.flag) == ("Ada", Portrait.Flag.ODD)
    assert "1 case waits" in text(admin_client, page_of("odd"))


def test_10_what_was_kept_is_not_asked_again(admin_client: Client, odd_one: Portrait) -> None:
    decide(admin_client, "odd", "keep")
    odd_one.refresh_from_db()
    assert odd_one.flag == Portrait.Flag.CONFIRMED
    compare_portraits(rebuild_index())

    assert QUEUES["odd"].rows.count() == 0


def test_10_a_rejected_one_is_out_of_searches(admin_client: Client, odd_one: Portrait) -> None:
    decide(admin_client, "odd", "reject")
    odd_one.refresh_from_db()

    assert odd_one.status == Portrait.Status.REJECTED
    assert Change.objects.get().way == Change.Way.QUEUE


def test_10_of_two_portraits_both_are_asked_about(fake_engine: FaceEngine) -> None:
    ada = make_celebrity("Ada")
    make_ready(ada, unit(1))
    make_ready(ada, unit(0, 1))
    compare_portraits(rebuild_index())

    assert QUEUES["odd"].rows.count() == 2


def test_11_the_same_picture_twice(admin_client: Client, fake_engine: FaceEngine) -> None:
    ada, eve, bob = (make_celebrity(name) for name in ("Ada", "Eve", "Bob"))
    one = make_ready(ada, unit(1), image_hash="aa")
    make_ready(eve, near(unit(1), 0.02, 1), image_hash="bb")
    make_ready(bob, unit(0, 1), image_hash="cc")
    compare_portraits(rebuild_index())
    pair = Pair.objects.get()
    assert {pair.one.celebrity, pair.other.celebrity} == {ada, eve}

    decide(admin_client, "picture", "first")
    assert list(eve.portraits.values_list("status", flat=True)) == ["rejected"]
    one.refresh_from_db()
    assert one.status == "ready"
    take_back(admin_client)
    decide(admin_client, "picture", "both")
    Portrait.objects.update(compared_at=None)
    compare_portraits(rebuild_index())
    assert QUEUES["picture"].rows.count() == 0


def test_11_the_same_picture_saved_again_is_known_by_its_looks(fake_engine: FaceEngine) -> None:
    picture = make_picture()
    make_portrait(make_celebrity("Ada"), encode(picture, quality=92))
    make_portrait(make_celebrity("Eve"), encode(picture.resize((150, 200)), "PNG"))
    make_portrait(make_celebrity("Bob"), make_photo(5))
    embed_portraits(Portrait.objects.all())
    vectors = (unit(1), near(unit(1), 0.2, 1), unit(0, 1))
    for portrait, vector in zip(Portrait.objects.order_by("pk"), vectors, strict=True):
        Portrait.objects.filter(pk=portrait.pk).update(vector=vector.tobytes())
    compare_portraits(rebuild_index())

    pair = Pair.objects.get()
    assert pair.why == "looks"
    assert QUEUES["picture"].rows.count() == 1


def test_12_two_people_of_one_name_wait(admin_client: Client, fake_engine: FaceEngine) -> None:
    ada = make_celebrity("Ada Lovelace")
    king = make_celebrity("Ada King", other_names="Ada Lovelace", birth_year=1815)
    other = make_celebrity("Ada Lovelace", birth_year=1990)
    for number, person in enumerate((ada, king, other)):
        make_ready(person, unit(*np.eye(16)[number]))
    rebuild_index()
    find_doubled_people()
    keys = set(Pair.objects.filter(kind="person").values_list("key", flat=True))
    assert keys == {f"{ada.pk}-{king.pk}", f"{ada.pk}-{other.pk}"}

    decide(admin_client, "person", "two")
    decide(admin_client, "person", "first")
    find_doubled_people()
    assert QUEUES["person"].rows.count() == 0
    assert Celebrity.objects.exclude(merged_into=None).count() == 1
    take_back(admin_client)
    assert QUEUES["person"].rows.count() == 1


def test_12_two_people_who_look_like_one_wait(fake_engine: FaceEngine) -> None:
    make_people([near(unit(*np.eye(16)[n % 8]), 0.3, n) for n in range(8)])
    double = make_celebrity("Double")
    first = Portrait.objects.order_by("pk")[0]
    make_ready(double, near(np.frombuffer(bytes(first.vector or b""), "<f4"), 0.01, 99))
    build = rebuild_index()
    store_resemblances(build)
    find_doubled_people()

    pairs = list(Pair.objects.filter(kind="person"))
    assert {double, first.celebrity} in [{p.one.celebrity, p.other.celebrity} for p in pairs]


def test_09_a_face_is_chosen_and_stays_chosen(
    admin_client: Client, fake_engine: FaceEngine
) -> None:
    boxes = [[10, 10, 60, 70], [150, 10, 210, 80]]
    portrait = make_ready(
        None, unit(1), status="failed", reason="several_faces", faces=boxes, image_hash="two"
    )
    html = text(admin_client, page_of("faces"))
    assert html.count("<rect") >= 2
    assert 'data-key="2"' in html
    decide(admin_client, "faces", "face.2")

    portrait.refresh_from_db()
    assert portrait.status == Portrait.Status.PENDING
    assert portrait.chosen_face == [0.5, 0.025, 0.7, 0.2]


def test_09_the_worker_takes_the_face_that_was_chosen() -> None:
    class Found:
        def __init__(self, *box: float) -> None:
            self.box = Box(*box)

    class Upright:
        pixels = np.zeros((400, 300, 3), np.uint8)

    faces: Any = [Found(10, 10, 60, 70), Found(150, 10, 210, 80)]
    upright: Any = Upright()
    assert take_chosen(faces, upright, [0.5, 0.03, 0.72, 0.2]) is faces[1]
    assert take_chosen(faces, upright, [0.8, 0.8, 0.9, 0.9]) is None
    assert take_chosen(faces, upright, None) is None


def test_09_a_face_that_is_not_there_cannot_be_chosen(admin_client: Client) -> None:
    make_ready(None, unit(1), status="failed", reason="several_faces", faces=[[1, 1, 9, 9]])
    response = decide(admin_client, "faces", "face.7")

    assert "decided meanwhile" in said(response)[0]


def test_13_missing_licences_are_filled_in(admin_client: Client) -> None:
    first = make_ready(make_celebrity("Ada"), unit(1))
    make_ready(make_celebrity("Eve"), unit(0, 1))
    assert "2 cases wait" in text(admin_client, page_of("licence"))
    decide(admin_client, "licence", "set", licence="CC0", author="Somebody")

    first.refresh_from_db()
    assert (first.licence, first.author) == ("CC0", "Somebody")
    response = decide(admin_client, "licence", "set", licence_url="nothing")
    assert "https://" in said(response)[0]
    decide(admin_client, "licence", "hide")
    assert not Celebrity.objects.get(name="Eve").published
    assert QUEUES["licence"].rows.count() == 0
    assert QUEUES["author"].rows.count() == 0


def test_13_pictures_that_cannot_be_used_and_those_visitors_do_not_see(
    admin_client: Client,
) -> None:
    failed = make_ready(None, unit(1), status="failed", reason="no_face")
    make_ready(make_celebrity("Eve"), unit(0, 1), not_seen=5, seen=1)
    assert "no face found" in text(admin_client, page_of("unusable"))
    decide(admin_client, "unusable", "again")
    failed.refresh_from_db()
    assert failed.status == Portrait.Status.PENDING
    decide(admin_client, "votes", "keep")
    assert QUEUES["votes"].rows.count() == 0


def test_14_a_decision_is_a_row_and_a_case_is_decided_once(
    admin_client: Client, admin_user: Any
) -> None:
    make_ready(None, unit(1), author="x")
    key = admin_client.get(page_of("licence")).context["case"]["case"].key
    fields = {"case": key, "choice": "fine"}
    admin_client.post(page_of("licence"), fields)
    response = admin_client.post(page_of("licence"), fields, follow=True)

    decision = Decision.objects.get()
    assert (decision.queue, decision.choice, decision.user) == ("licence", "fine", admin_user)
    assert "decided meanwhile" in said(response)[0]
    assert take_back(admin_client) == ["Taken back."]
    assert not Decision.objects.exists()


def test_15_a_case_takes_few_queries(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    person = make_celebrity()
    for number in range(50):
        make_ready(person, unit(1, number))
    with django_assert_max_num_queries(14):
        text(admin_client, page_of("licence"))
    with django_assert_max_num_queries(40):
        text(admin_client, "/admin/")


@pytest.mark.parametrize("queue", [*QUEUES])
def test_every_queue_has_a_page(admin_client: Client, queue: str) -> None:
    assert "Nothing waits here" in text(admin_client, page_of(queue))


def test_requires_a_queue_and_a_choice_that_exist(admin_client: Client) -> None:
    make_ready(None, unit(1))
    assert admin_client.get(page_of("nothing")).status_code == 404
    key = admin_client.get(page_of("licence")).context["case"]["case"].key
    fields = {"case": key, "choice": "nothing"}
    assert admin_client.post(page_of("licence"), fields).status_code == 404


def test_requires_the_right_to_decide(client: Client, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(user)

    assert client.get(page_of("odd")).status_code == 403


def test_limits_are_measured_and_can_be_set_by_hand(fake_engine: FaceEngine) -> None:
    for number in range(40):
        person = make_celebrity(f"P{number}", gender="female", birth_year=1950 + number)
        middle = unit(*np.random.default_rng(number).normal(size=16))
        for other in range(2):
            make_ready(person, near(middle, 0.2, 100 * number + other))
    build = rebuild_index()
    assert thresholds().odd == 0.36
    measure_gallery(build)

    build = IndexBuild.objects.get(pk=build.pk)
    everybody = next(each for each in build.measured["accuracy"] if each["kind"] == "all")
    assert everybody["people"] == 40
    assert everybody["rank1"] > 0.9
    assert {each["kind"] for each in build.measured["accuracy"]} == {"all", "gender", "born"}
    errors = build.measured["errors"]
    assert errors["odd_found"] >= 0.95
    assert errors["odd_blamed"] < 0.2
    assert thresholds().odd == build.measured["thresholds"]["odd"] != 0.36
    Threshold.objects.create(name="odd", value=0.4)
    assert thresholds().odd == 0.4
