"""A person's page at the curators' desk (lines 3 to 8 and 16 to 21 of the specification)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from celebrities.desk.history import Author, CannotTakeBack, take_back
from celebrities.desk.merging import UNDO, forget_merged, merge
from celebrities.gallery import embed_portraits
from celebrities.models import Celebrity, Change, Portrait, RemovalRequest, cleaned
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    make_celebrity,
    make_people,
    make_photo,
    make_portrait,
    make_ready,
    unit,
)
from tests.celebrities.test_admin import PEOPLE, PORTRAITS, act, person_form, said, text
from tests.celebrities.test_picture import fetch

pytestmark = pytest.mark.django_db

FORM = Change.Way.FORM


def page_of(person: Celebrity) -> str:
    return f"{PEOPLE}{person.pk}/change/"


def opened(client: Client, person: Celebrity) -> dict[str, Any]:
    """The fields of the page as it is now, as the browser would send them back."""
    form = client.get(page_of(person)).context["adminform"].form
    fields = person_form(person, gender=person.gender, other_names=person.other_names)
    for name in form.fields:
        if form.fields[name].show_hidden_initial:
            shown = form.initial.get(name)
            fields[f"initial-{name}"] = "" if shown is None else str(shown)
            if name in ("birth_year", "death_year", "wikidata_id", "source_page"):
                fields[name] = fields[f"initial-{name}"]
    return fields


def use_tool(client: Client, tool: str, portrait: Portrait) -> Any:
    return client.post(f"{PORTRAITS}tools/", {"do": f"{tool}-{portrait.pk}"}, follow=True)


def test_03_portraits_are_cards_with_what_to_do(admin_client: Client) -> None:
    person = make_celebrity()
    make_ready(person, unit(1), box=[10, 20, 110, 140], seen=3, not_seen=1, apart=0.31)
    make_ready(person, unit(0, 1), status=Portrait.Status.FAILED, reason="no_face")
    html = text(admin_client, page_of(person))

    assert '<rect x="10.0" y="20.0" width="100.0" height="120.0"/>' in html
    assert "no face found" in html
    assert "0.31" in html
    assert "3 / 1" in html
    assert 'value="reject-' in html
    assert 'value="cover-' in html


def test_04_the_page_says_whether_visitors_see_the_person_and_why_not(
    admin_client: Client,
) -> None:
    person = make_celebrity(published=False)
    html = text(admin_client, page_of(person))
    assert "Visitors don&#x27;t see this person" in html or "Visitors don't see" in html
    assert "Not published" in html
    assert "There is no portrait" in html

    make_ready(person, unit(1))
    Celebrity.objects.update(published=True)
    html = text(admin_client, page_of(person))
    assert "Visitors see this person" in html
    assert "no licence" in html
    assert person.get_absolute_url() in html


@pytest.mark.parametrize(
    ("status", "words"),
    [("pending", "has been read yet"), ("failed", "can be used"), ("rejected", "rejected")],
)
def test_04_it_says_what_to_do_about_portraits(
    admin_client: Client, status: str, words: str
) -> None:
    person = make_celebrity()
    make_ready(person, unit(1), status=status)

    assert words in text(admin_client, page_of(person))


def test_05_a_new_name_may_bring_a_new_address(admin_client: Client, client: Client) -> None:
    (person,) = make_people([unit(1)])
    fields = opened(admin_client, person) | {"name": "Ada Byron", "new_address": "on"}
    admin_client.post(page_of(person), fields)

    person.refresh_from_db()
    assert person.slug == "ada-byron"
    response = client.get("/people/person-00/")
    assert (response.status_code, response["Location"]) == (301, "/people/ada-byron/")
    make_ready(make_celebrity("Person 00"), unit(0, 1))
    assert client.get("/people/person-00/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wikidata_id", "hello"),
        ("wikidata_id", "q42"),
        ("wikidata_id", "Q0"),
        ("wikidata_id", "Q42\n"),
        ("birth_year", 3000),
        ("birth_year", -3001),
        ("death_year", 1900),
    ],
)
def test_06_the_model_refuses_wrong_facts(admin_client: Client, field: str, value: Any) -> None:
    person = make_celebrity(birth_year=1969)
    with pytest.raises(ValidationError) as caught:
        cleaned(person, **{field: value})
    assert field in caught.value.message_dict

    person.refresh_from_db()
    if value != "Q42\n":
        response = admin_client.post(
            page_of(person), opened(admin_client, person) | {field: str(value)}
        )
        assert field in response.context["adminform"].form.errors


def test_07_a_form_never_overwrites_what_somebody_else_saved(admin_client: Client) -> None:
    person = make_celebrity(birth_year=1969)
    mine = opened(admin_client, person)
    theirs = opened(admin_client, person) | {"birth_year": "1970", "other_names": "Other"}
    assert admin_client.post(page_of(person), theirs).status_code == 302

    response = admin_client.post(page_of(person), mine | {"wikidata_id": "Q42"})
    assert response.status_code == 302
    person.refresh_from_db()
    assert (person.birth_year, person.other_names, person.wikidata_id) == (1970, "Other", "Q42")

    response = admin_client.post(page_of(person), mine | {"birth_year": "1971"})
    [error] = response.context["adminform"].form.errors["birth_year"]
    assert "1970" in error
    assert "1971" in error
    person.refresh_from_db()
    assert person.birth_year == 1970
    again = mine | {"birth_year": "1971", "initial-birth_year": "1970"}
    assert admin_client.post(page_of(person), again).status_code == 302
    person.refresh_from_db()
    assert (person.birth_year, person.other_names) == (1971, "Other")


def test_08_three_hundred_portraits_are_edited_fifty_a_page(admin_client: Client) -> None:
    person = make_celebrity()
    for number in range(300):
        make_ready(person, unit(1, number))
    last = person.portraits.order_by("pk")[299]
    page = f"{page_of(person)}?portraits=6"
    formset = admin_client.get(page).context["inline_admin_formsets"][0].formset
    assert len(formset.initial_forms) == 50

    fields = person_form()
    fields |= {"name": person.name, "slug": person.slug, "portraits-INITIAL_FORMS": 50}
    fields |= {"portraits-TOTAL_FORMS": 50, "portraits-49-author": "Somebody"}
    for number, form in enumerate(formset.initial_forms):
        fields[f"portraits-{number}-id"] = form.instance.pk
        fields[f"portraits-{number}-celebrity"] = person.pk
    assert admin_client.post(page, fields).status_code == 302
    last.refresh_from_db()
    assert last.author == "Somebody"


def test_16_merge_keeps_everything_and_can_be_taken_back(client: Client) -> None:
    kept = make_celebrity("Ada Lovelace", categories=["writer"], birth_year=1815)
    gone = make_celebrity(
        "Ada King", other_names="Countess", wikidata_id="Q7259", categories=["actor"]
    )
    make_ready(kept, unit(1))
    moved = make_ready(gone, unit(1, 1), seen=4, author="Somebody")
    wish = RemovalRequest.objects.create(person="Ada King", message="x", celebrity=gone)
    before = (vars(kept).copy(), vars(gone).copy())
    by = Author(FORM)
    merge(gone, kept, by)

    kept.refresh_from_db()
    assert kept.other_names == "Ada King\nCountess"
    assert (kept.wikidata_id, kept.birth_year) == ("Q7259", 1815)
    assert {each.slug for each in kept.categories.all()} == {"writer", "actor"}
    moved.refresh_from_db()
    assert (moved.celebrity, moved.seen, moved.author) == (kept, 4, "Somebody")
    wish.refresh_from_db()
    assert wish.celebrity == kept
    assert client.get("/people/ada-king/")["Location"] == "/people/ada-lovelace/"
    assert Celebrity.objects.named("Ada King").published().get() == kept

    take_back(Change.objects.filter(group=by.group), Author(FORM))
    for person, values in zip((kept, gone), before, strict=True):
        person.refresh_from_db()
        names = ("name", "other_names", "wikidata_id", "birth_year", "published", "search_key")
        assert {name: getattr(person, name) for name in names} == {
            name: values[name] for name in names
        }
    moved.refresh_from_db()
    assert moved.celebrity == gone
    assert client.get("/people/ada-king/").status_code == 200


def test_16_undo_is_refused_once_either_has_changed() -> None:
    kept, gone = make_celebrity("Ada"), make_celebrity("Eve")
    by = Author(FORM)
    merge(gone, kept, by)
    Celebrity.objects.filter(pk=kept.pk).update(other_names="Something else")

    with pytest.raises(CannotTakeBack, match="other names"):
        take_back(Change.objects.filter(group=by.group), Author(FORM))
    gone.refresh_from_db()
    assert gone.merged_into == kept


def test_16_after_thirty_days_the_merged_row_goes_and_its_address_stays(client: Client) -> None:
    kept, gone = make_celebrity("Ada"), make_celebrity("Eve")
    make_ready(kept, unit(1))
    merge(gone, kept, Author(FORM))
    forget_merged()
    assert Celebrity.objects.filter(pk=gone.pk).exists()
    Celebrity.objects.filter(pk=gone.pk).update(updated_at=timezone.now() - 2 * UNDO)
    forget_merged()

    assert not Celebrity.objects.filter(pk=gone.pk).exists()
    assert client.get("/people/eve/")["Location"] == "/people/ada/"


def test_16_people_are_merged_on_a_page(admin_client: Client) -> None:
    kept, gone = make_celebrity("Ada"), make_celebrity("Eve")
    page = f"{PEOPLE}{gone.pk}/merge/"
    assert "Eve" in text(admin_client, page)
    assert "This one stays" in text(admin_client, page, person=kept.pk)
    assert "another person" in text(admin_client, page, person=gone.pk)
    response = admin_client.post(page, {"person": kept.pk}, follow=True)

    assert "is one with" in said(response)[0]
    assert response.request["PATH_INFO"] == page_of(kept)
    gone.refresh_from_db()
    assert gone.merged_into == kept
    assert "Eve" not in {each.name for each in admin_client.get(PEOPLE).context["cl"].queryset}


def test_17_the_same_file_twice_becomes_one_portrait() -> None:
    kept, gone = make_celebrity("Ada"), make_celebrity("Eve")
    one = make_ready(kept, unit(1), seen=1)
    make_ready(gone, unit(1), seen=2, image_hash=one.image_hash)
    by = Author(FORM)
    merge(gone, kept, by)

    one.refresh_from_db()
    assert one.seen == 3
    assert list(kept.portraits.all()) == [one]
    Portrait.objects.filter(pk=one.pk).update(seen=5)
    take_back(Change.objects.filter(group=by.group), Author(FORM))
    one.refresh_from_db()
    assert one.seen == 3
    assert gone.portraits.count() == 1


def test_18_a_portrait_is_moved_with_credits_and_votes(admin_client: Client) -> None:
    ada, eve = make_celebrity("Ada"), make_celebrity("Eve")
    portrait = make_ready(ada, unit(1), seen=2, author="Somebody", flag=Portrait.Flag.ODD)
    admin_client.post(
        f"{PORTRAITS}{portrait.pk}/change/", {"celebrity": eve.pk, "author": "Somebody"}
    )

    portrait.refresh_from_db()
    assert (portrait.celebrity, portrait.seen, portrait.author) == (eve, 2, "Somebody")
    assert list(Celebrity.objects.searchable()) == [eve]


def test_19_a_cover_is_chosen_and_falls_back(admin_client: Client, client: Client) -> None:
    person = make_celebrity()
    first = make_ready(person, unit(1))
    second = make_ready(person, unit(0, 1), image="portraits/00/second.jpg")
    assert "Done" in said(use_tool(admin_client, "cover", second))[0]

    def cover() -> Portrait | None:
        return Celebrity.objects.with_portraits().get().cover

    assert cover() == second
    assert list(client.get(person.get_absolute_url()).context["portraits"]) == [second, first]
    use_tool(admin_client, "reject", second)
    assert cover() == first
    use_tool(admin_client, "accept", second)
    assert cover() == second
    second.delete()
    assert cover() == first


def test_20_a_rejected_portrait_is_shown_nowhere(
    admin_client: Client, client: Client, fake_engine: FaceEngine
) -> None:
    person = make_celebrity()
    make_portrait(person, make_photo(1))
    make_portrait(person, make_photo(2))
    embed_portraits(Portrait.objects.all())
    portrait, other = person.portraits.order_by("pk")
    use_tool(admin_client, "reject", portrait)

    assert fetch(client, portrait.image.url)[0] == 404
    assert fetch(client, portrait.chip.url)[0] == 404
    assert fetch(client, portrait.thumbnail_url(160))[0] == 404
    assert fetch(client, other.image.url)[0] == 200
    assert list(Portrait.objects.searchable("fake/1")) == [other]
    assert portrait.image.url not in client.get("/credits/").content.decode()
    # Not even reading it again brings it back.
    embed_portraits(Portrait.objects.all())
    act(admin_client, PORTRAITS, "recompute", portrait)
    portrait.refresh_from_db()
    assert portrait.status == Portrait.Status.REJECTED
    use_tool(admin_client, "accept", portrait)
    assert fetch(client, portrait.image.url)[0] == 200


def test_21_pictures_of_unpublished_people_are_for_curators_alone(
    admin_client: Client, client: Client, fake_engine: FaceEngine
) -> None:
    portrait = make_portrait()
    embed_portraits(Portrait.objects.all())
    portrait.refresh_from_db()
    Celebrity.objects.update(published=False)

    for address in (portrait.image.url, portrait.chip.url, portrait.thumbnail_url(160)):
        assert fetch(client, address)[0] == 404
        response = admin_client.get(address)
        assert response["Cache-Control"] == "private, no-store"
        assert response.getvalue()
    person = portrait.celebrity.get_absolute_url()
    assert client.get(person).status_code == 404
    assert admin_client.get(quote(person)).status_code == 200
