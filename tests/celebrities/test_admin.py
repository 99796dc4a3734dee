"""The curators' pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import modelform_factory
from django.test import Client
from pytest_django import (
    DjangoAssertNumQueries,
    DjangoCaptureOnCommitCallbacks,
)

from celebrities.admin.forms import CelebrityForm
from celebrities.gallery import embed_portraits
from celebrities.index.rebuild import rebuild_index
from celebrities.models import Category, Celebrity, IndexBuild, Portrait, RemovalRequest
from celebrities.names import make_search_key
from lookalike.celery import app
from lookalike.faces.pipeline import FaceEngine
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

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/celebrities/celebrity/"
PORTRAITS = "/admin/celebrities/portrait/"
BUILDS = "/admin/celebrities/indexbuild/"
WISHES = "/admin/celebrities/removalrequest/"

Commit = DjangoCaptureOnCommitCallbacks


def text(client: Client, address: str, **data: Any) -> str:
    response = client.get(address, data)
    assert response.status_code == 200
    return response.content.decode()


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def act(client: Client, address: str, action: str, *chosen: Any, **data: Any) -> Any:
    fields = {"action": action, "_selected_action": [each.pk for each in chosen], **data}
    return client.post(address, fields, follow=True)


def person_form(person: Celebrity | None = None, *photos: bytes, **changes: Any) -> dict[str, Any]:
    """A person's page as the browser sends it, with new portraits."""
    there = list(person.portraits.order_by("pk")) if person else []
    fields: dict[str, Any] = {
        "name": person.name if person else "Ada Lovelace",
        "other_names": "Ада Лавлейс",
        "slug": person.slug if person else "",
        "gender": "female",
        "published": "on",
        "portraits-TOTAL_FORMS": len(there) + len(photos),
        "portraits-INITIAL_FORMS": len(there),
    }
    for number, portrait in enumerate(there):
        fields[f"portraits-{number}-id"] = portrait.pk
        fields[f"portraits-{number}-celebrity"] = portrait.celebrity_id
    for number, data in enumerate(photos, len(there)):
        fields[f"portraits-{number}-image"] = SimpleUploadedFile("photo.jpg", data)
        fields[f"portraits-{number}-author"] = "A. Photographer"
    return {**fields, **changes}


@pytest.fixture
def queue(valkey: str) -> Callable[[], int]:
    """How many tasks wait for the gallery's worker, in the real broker."""

    def count() -> int:
        with app.connection_for_read() as connection:
            return int(connection.default_channel.client.llen("gallery"))

    return count


# People


def test_adding_a_person_works(
    admin_client: Client,
    queue: Callable[[], int],
    fake_engine: FaceEngine,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(
            f"{PEOPLE}add/", person_form(None, make_photo(1), make_photo(2)), follow=True
        )

    assert response.status_code == 200
    person = Celebrity.objects.get()
    assert (person.slug, person.search_key) == (
        "ada-lovelace",
        make_search_key("Ada Lovelace\nАда Лавлейс"),
    )
    portraits = list(person.portraits.all())
    assert [each.status for each in portraits] == ["pending", "pending"]
    assert [each.author for each in portraits] == ["A. Photographer"] * 2
    assert len({each.image_hash for each in portraits}) == 2
    assert queue() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_the_broker_is_down(admin_client: Client, valkey_away: None) -> None:
    response = admin_client.post(f"{PEOPLE}add/", person_form(None, make_photo(1)), follow=True)

    assert Portrait.objects.get().status == Portrait.Status.PENDING
    warnings = [message for message in said(response) if "queue cannot be reached" in message]
    assert len(warnings) == 1
    assert "rebuild_index" in warnings[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no picture", "not a supported format"),
        (encode(make_picture(), "BMP"), "not a supported format"),
        (encode(make_picture(20, 20)), "too small"),
        (b"\xff\xd8\xff", "cannot be read"),
    ],
)
def test_rejects_a_file_by_its_header(admin_client: Client, data: bytes, reason: str) -> None:
    response = admin_client.post(f"{PEOPLE}add/", person_form(None, data))

    assert reason in response.content.decode()
    assert not Celebrity.objects.exists()


def test_rejects_a_file_chosen_twice_or_there_already(admin_client: Client) -> None:
    response = admin_client.post(f"{PEOPLE}add/", person_form(None, make_photo(1), make_photo(1)))
    assert "chosen twice" in response.content.decode()

    person = make_celebrity()
    make_portrait(person, make_photo(1))
    response = admin_client.post(f"{PEOPLE}{person.pk}/change/", person_form(person, make_photo(1)))
    assert "already" in response.content.decode()
    assert Portrait.objects.count() == 1


def test_a_person_of_many_portraits_can_be_saved(admin_client: Client) -> None:
    person = make_celebrity()
    for number in range(30):
        make_portrait(person, b"photo %d" % number)
    form = person_form(person, name="Grace Hopper")
    blank = ("author", "licence", "licence_url", "source_page", "notes")
    form |= {f"portraits-{number}-{name}": "" for number in range(30) for name in blank}

    response = admin_client.post(f"{PEOPLE}{person.pk}/change/", form)

    assert response.status_code == 302
    assert Celebrity.objects.get().name == "Grace Hopper"


def test_removing_a_portrait_takes_its_files(
    admin_client: Client,
    fake_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    person = make_celebrity()
    make_portrait(person, make_photo(1))
    make_portrait(person, make_photo(2))
    embed_portraits(Portrait.objects.all())
    kept = person.portraits.order_by("pk")[1]
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(
            f"{PEOPLE}{person.pk}/change/", person_form(person, **{"portraits-0-DELETE": "on"})
        )

    assert response.status_code == 302
    assert person.portraits.get() == kept
    files = {path.name for path in (data_dir / "gallery").rglob("*") if path.is_file()}
    assert files == {Path(name).name for name in kept.file_names}


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleting_people_takes_their_files(
    admin_client: Client,
    fake_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: Commit,
    way: str,
) -> None:
    person = make_portrait().celebrity
    embed_portraits(Portrait.objects.all())
    with django_capture_on_commit_callbacks(execute=True):
        if way == "page":
            admin_client.post(f"{PEOPLE}{person.pk}/delete/", {"post": "yes"})
        else:
            act(admin_client, PEOPLE, "delete_selected", person, post="yes")

    assert not Celebrity.objects.exists()
    assert not [path for path in (data_dir / "gallery").rglob("*") if path.is_file()]


def test_the_list_shows_faces_states_and_votes(admin_client: Client) -> None:
    person = make_celebrity()
    make_ready(person, unit(1), seen=3, not_seen=1)
    make_ready(person, unit(0, 1), seen=2)
    make_portrait(person, make_photo(3))
    html = text(admin_client, PEOPLE)

    assert "none-160.webp" in html
    assert "2 ready, 1 waiting" in html
    assert "5 / 1" in html


@pytest.mark.parametrize("query", ["zellweger RENEE", "зелл", "齊薇格"])
def test_people_are_searched_in_any_script(admin_client: Client, query: str) -> None:
    make_celebrity("Renée Zellweger", other_names="Рене Зеллвегер\n蕾妮·齊薇格")
    make_celebrity("Someone Else")
    html = text(admin_client, PEOPLE, q=query)

    assert "Renée Zellweger" in html
    assert "Someone Else" not in html


@pytest.mark.parametrize(
    ("state", "names"),
    [("none", ["Bare", "Failed", "Waiting"]), ("pending", ["Waiting"]), ("failed", ["Failed"])],
)
def test_people_are_filtered_by_their_portraits(
    admin_client: Client, state: str, names: list[str]
) -> None:
    make_celebrity("Bare")
    make_portrait(make_celebrity("Waiting"))
    make_portrait(make_celebrity("Failed"), status=Portrait.Status.FAILED)
    make_ready(make_celebrity("Ready"), unit(1))
    response = admin_client.get(PEOPLE, {"portraits": state})

    assert sorted(person.name for person in response.context["cl"].result_list) == names


def test_people_are_published_and_unpublished(admin_client: Client) -> None:
    people = make_people([unit(1), unit(2, 1)], published=False)

    assert said(act(admin_client, PEOPLE, "publish", *people)) == ["2 people are published now."]
    assert Celebrity.objects.published().count() == 2
    assert said(act(admin_client, PEOPLE, "unpublish", people[0])) == ["1 person is hidden now."]
    assert list(Celebrity.objects.published()) == people[1:]


def test_recomputing_asks_the_worker_and_keeps_what_is_in_use(
    admin_client: Client,
    queue: Callable[[], int],
    django_capture_on_commit_callbacks: Commit,
) -> None:
    person = make_celebrity()
    ready = make_ready(person, unit(1))
    failed = make_ready(person, unit(2, 1), status=Portrait.Status.FAILED, reason="no_face")
    with django_capture_on_commit_callbacks(execute=True):
        act(admin_client, PEOPLE, "recompute", person)

    assert queue() == 1
    assert list(Portrait.objects.ready()) == [ready]
    failed.refresh_from_db()
    assert (failed.status, failed.reason) == ("pending", "")


def test_the_list_shows_what_could_not_be_read_again(admin_client: Client) -> None:
    person = make_celebrity()
    make_ready(person, unit(1), problem="the file is missing")
    make_ready(person, unit(2, 1), status=Portrait.Status.FAILED, reason="too_many_pixels")

    page = text(admin_client, PORTRAITS)
    assert "ready (could not be read again: the file is missing)" in page
    assert "failed: the picture has too many pixels" in page


@pytest.mark.parametrize("address", [PEOPLE, PORTRAITS])
def test_lists_take_few_queries_however_long_they_are(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    for person in make_people([unit(1, number) for number in range(60)], categories=["actor"]):
        make_ready(person, unit(1, 0, person.pk))

    with django_assert_max_num_queries(12):
        text(admin_client, address)
    with django_assert_max_num_queries(12):
        text(admin_client, address, q="person")


def test_a_persons_page_takes_few_queries_and_loads_no_vector(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    person = make_celebrity()
    for number in range(20):
        make_ready(person, unit(1, number))

    with django_assert_max_num_queries(15) as captured:
        text(admin_client, f"{PEOPLE}{person.pk}/change/")
    assert not any('"vector"' in query["sql"] for query in captured.captured_queries)


# Portraits


def test_a_portrait_has_a_page_of_its_own(
    admin_client: Client,
    queue: Callable[[], int],
    django_capture_on_commit_callbacks: Commit,
) -> None:
    person = make_celebrity()
    fields = {"celebrity": person.pk, "image": SimpleUploadedFile("a.jpg", make_photo(1))}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin_client.post(f"{PORTRAITS}add/", fields).status_code == 302
    portrait = Portrait.objects.get()

    assert queue() == 1
    assert "waiting" in text(admin_client, f"{PORTRAITS}{portrait.pk}/change/")
    response = admin_client.post(
        f"{PORTRAITS}{portrait.pk}/change/", {"celebrity": person.pk, "author": "Somebody"}
    )
    assert response.status_code == 302
    portrait.refresh_from_db()
    assert portrait.author == "Somebody"
    assert portrait.image
    with django_capture_on_commit_callbacks(execute=True):
        act(admin_client, PORTRAITS, "delete_selected", portrait, post="yes")
    assert not Portrait.objects.exists()


# Index builds


def test_the_builds_page_says_what_was_measured(
    admin_client: Client, fake_engine: FaceEngine
) -> None:
    make_people([unit(1), unit(2, 1)])
    build = rebuild_index()
    html = text(admin_client, BUILDS)

    assert build.name in html
    assert "fake/1" in html
    assert "exact" in html
    page = text(admin_client, f"{BUILDS}{build.pk}/change/")
    assert build.facts is not None
    assert build.facts.why in page
    assert build.facts.files["index.ann"] in page
    assert 'name="_save"' not in page


@pytest.mark.django_db(transaction=True)
def test_the_button_hands_the_rebuild_to_a_worker(
    admin_client: Client, queue: Callable[[], int]
) -> None:
    assert "Rebuild index" in text(admin_client, BUILDS)
    response = admin_client.post(f"{BUILDS}rebuild/", follow=True)

    assert "The index is being rebuilt" in said(response)[0]
    assert queue() == 1
    admin_client.get(f"{BUILDS}rebuild/")
    assert queue() == 1


@pytest.mark.django_db(transaction=True)
def test_the_button_says_what_to_do_when_the_broker_is_down(
    admin_client: Client, valkey_away: None
) -> None:
    response = admin_client.post(f"{BUILDS}rebuild/", follow=True)

    assert "manage.py rebuild_index" in said(response)[0]


def test_builds_cannot_be_edited(admin_client: Client) -> None:
    build = IndexBuild.objects.create(name="one", status=IndexBuild.Status.FAILED)

    assert admin_client.get(f"{BUILDS}add/").status_code == 403
    assert admin_client.post(f"{BUILDS}{build.pk}/delete/", {"post": "yes"}).status_code == 403
    assert text(admin_client, f"{BUILDS}{build.pk}/change/")


@pytest.mark.django_db(transaction=True)
def test_requires_permission_to_rebuild(
    client: Client, django_user_model: Any, queue: Callable[[], int]
) -> None:
    user = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(user)
    client.post(f"{BUILDS}rebuild/")

    assert queue() == 0


# Requests and categories


def test_a_request_is_done_by_taking_the_person_out(
    admin_client: Client,
    fake_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    person = make_portrait().celebrity
    embed_portraits(Portrait.objects.all())
    wish = RemovalRequest.objects.create(person=person.name, message="x", celebrity=person)
    other = RemovalRequest.objects.create(person="Unknown", message="x")
    assert person.name in text(admin_client, WISHES)
    with django_capture_on_commit_callbacks(execute=True):
        response = act(admin_client, WISHES, "take_out", wish, other)

    assert said(response) == [
        "1 person is taken out.",
        "1 request has no person yet: open it and choose one.",
    ]
    assert not Celebrity.objects.exists()
    assert not [path for path in (data_dir / "gallery").rglob("*") if path.is_file()]
    wish.refresh_from_db()
    other.refresh_from_db()
    assert (wish.status, other.status) == ("done", "open")
    assert "admin" in wish.curator_note


def test_a_request_can_hide_the_person_first_or_be_declined(admin_client: Client) -> None:
    (person,) = make_people([unit(1)])
    wish = RemovalRequest.objects.create(person="x", message="x", celebrity=person)
    act(admin_client, WISHES, "hide_people", wish)
    assert not Celebrity.objects.published().exists()
    act(admin_client, WISHES, "decline", wish)

    wish.refresh_from_db()
    assert wish.status == "declined"
    page = text(admin_client, f"{WISHES}{wish.pk}/change/")
    assert "curator_note" in page


def test_categories_are_listed_with_their_people(admin_client: Client) -> None:
    make_people([unit(1), unit(2, 1)], categories=["actor"])

    html = text(admin_client, "/admin/celebrities/category/")
    assert "actors" in html
    assert "field-people" in html
    assert Category.objects.count() == 1


def test_a_person_whose_picture_is_gone_from_the_storage_can_be_saved(
    admin_client: Client, fake_engine: FaceEngine
) -> None:
    portrait = make_portrait()
    embed_portraits([portrait])
    portrait.refresh_from_db()
    portrait.image.storage.delete(str(portrait.image.name))
    form = person_form(portrait.celebrity, name="Ada King")
    response = admin_client.post(f"{PEOPLE}{portrait.celebrity_id}/change/", form)

    assert response.status_code == 302
    assert Celebrity.objects.get().name == "Ada King"


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen in the database after a form was read, before it is saved."""
    usual = ModelAdmin.save_form

    def happens(action: Callable[[], object]) -> None:
        def save_form(*given: Any, **named: Any) -> Any:
            found = usual(*given, **named)
            action()
            return found

        monkeypatch.setattr(ModelAdmin, "save_form", save_form)

    return happens


def test_what_a_worker_stores_while_a_portrait_is_edited_stays(
    admin_client: Client, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    portrait = make_portrait(make_celebrity(), make_photo(1))
    meanwhile(lambda: Portrait.objects.update(status="ready", encoder="fake/1", seen=2))
    form = {"celebrity": portrait.celebrity_id, "author": "Somebody"}

    admin_client.post(f"{PORTRAITS}{portrait.pk}/change/", form)

    portrait.refresh_from_db()
    assert (portrait.author, portrait.status, portrait.encoder, portrait.seen) == (
        "Somebody",
        "ready",
        "fake/1",
        2,
    )


def test_what_changes_while_a_person_is_edited_stays(
    admin_client: Client, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    person = make_celebrity("Ada Lovelace", published=True)
    portrait = make_portrait(person, make_photo(1))

    def others() -> None:
        Celebrity.objects.update(birth_year=1815)
        Portrait.objects.update(status="ready", seen=2)

    meanwhile(others)
    form = person_form(person, other_names="Countess", **{"portraits-0-author": "Somebody"})

    admin_client.post(f"{PEOPLE}{person.pk}/change/", form)

    person.refresh_from_db()
    portrait.refresh_from_db()
    assert (person.birth_year, person.other_names) == (1815, "Countess")
    assert person.search_key == make_search_key("Ada Lovelace\nCountess")
    assert (portrait.author, portrait.status, portrait.seen) == ("Somebody", "ready", 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [("birth_year", "99999999"), ("death_year", "-99999"), ("wikidata_id", 'Q1"><script>')],
)
def test_impossible_facts_are_refused(field: str, value: str) -> None:
    form = modelform_factory(Celebrity, CelebrityForm, fields=[field])({field: value})

    assert field in form.errors
