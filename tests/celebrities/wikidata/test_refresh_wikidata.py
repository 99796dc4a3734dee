"""manage.py refresh_wikidata: as Wikidata has it now, but for what was changed by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from celebrities.models import Celebrity, IndexBuild, Portrait
from celebrities.wikidata import refreshing
from celebrities.wikidata.entities import Person, fetch_people
from tests.celebrities.factories import make_celebrity, make_photo
from tests.wikimedia import Wikimedia, make_time

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]


def run(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out, stderr=out)
    return out.getvalue()


def refresh(*words: str) -> str:
    return run("refresh_wikidata", "--no-rebuild", "-v", "2", *words)


@pytest.fixture
def ada(site: Wikimedia) -> Celebrity:
    """Someone who was imported before things changed."""
    site.add_person("Q1", "Ada", portrait=make_photo(1), aliases={"en": ["A."]})
    run("import_wikidata", "--qid", "Q1", "--no-rebuild")
    return Celebrity.objects.get()


def test_it_works(site: Wikimedia, ada: Celebrity) -> None:
    site.add_person(
        "Q1",
        "Ada",
        portrait=make_photo(1),
        labels={"en": "Ada Lovely"},
        born="+1961-01-01",
        claims={"P570": [make_time("+2026-01-01")], "P106": ["Q177220"]},
        credit={"License": "cc-by-2.0", "Artist": "Someone Else"},
    )
    said = run("refresh_wikidata")

    ada.refresh_from_db()
    assert (ada.name, ada.other_names, ada.birth_year, ada.death_year) == (
        "Ada Lovely",
        "",
        1961,
        2026,
    )
    assert list(Celebrity.objects.named("lovely")) == [ada]
    assert [each.slug for each in ada.categories.all()] == ["musician"]
    portrait = ada.portraits.get()
    assert (portrait.author, portrait.licence) == ("Someone Else", "CC BY 2.0")
    assert "Index" in said


def test_changes_nothing_where_nothing_changed(site: Wikimedia, ada: Celebrity) -> None:
    before = rows()
    said = run("refresh_wikidata")

    assert rows() == before
    assert "Index" not in said
    assert not IndexBuild.objects.exists()


def rows() -> list[object]:
    return [*Celebrity.objects.order_by("pk").values(), *Portrait.objects.order_by("pk").values()]


def change(site: Wikimedia) -> None:
    """Everything about Ada is different on Wikidata now."""
    site.add_person(
        "Q1",
        "Ada",
        portrait=make_photo(1),
        labels={"en": "New Name"},
        born="+1950-01-01",
        claims={"P21": ["Q6581097"], "P106": ["Q177220"]},
        credit={"License": "cc0", "Artist": "New Author"},
    )


def test_never_changes_what_a_curator_changed_in_the_admin(site: Wikimedia, ada: Celebrity) -> None:
    User.objects.create_superuser("admin", password="x")
    admin = Client()
    admin.login(username="admin", password="x")
    page = f"/admin/celebrities/celebrity/{ada.pk}/change/"
    portrait = ada.portraits.get()
    form = {
        "name": "Ada by Hand",
        "other_names": ada.other_names,
        "slug": ada.slug,
        "published": "on",
        "gender": ada.gender,
        "birth_year": "1955",
        "categories": [],
        "wikidata_id": "Q1",
        "source_page": ada.source_page,
        "portraits-TOTAL_FORMS": "1",
        "portraits-INITIAL_FORMS": "1",
        "portraits-0-id": portrait.pk,
        "portraits-0-celebrity": ada.pk,
        "portraits-0-author": "Author by Hand",
        "portraits-0-licence": portrait.licence,
        "portraits-0-licence_url": portrait.licence_url,
        "portraits-0-source_page": portrait.source_page,
    }
    assert admin.post(page, form).status_code == 302
    change(site)
    said = refresh()

    ada.refresh_from_db()
    portrait.refresh_from_db()
    assert (ada.name, ada.birth_year, ada.gender) == ("Ada by Hand", 1955, "male")
    assert (portrait.author, portrait.licence) == ("Author by Hand", "CC0")
    # The curator took "actor" away; what is new comes in.
    assert [each.slug for each in ada.categories.all()] == ["musician"]
    assert "changed by hand: name, birth_year" in said
    assert "changed by hand: author" in said


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "By Hand"), ("birth_year", 1901), ("birth_year", None), ("other_names", "")],
)
def test_keeps_a_field_changed_in_any_way_in_every_later_refresh(
    site: Wikimedia, ada: Celebrity, field: str, value: Any
) -> None:
    Celebrity.objects.update(**{field: value})
    for _ in range(2):
        change(site)
        refresh()
    ada.refresh_from_db()

    assert getattr(ada, field) == value
    assert ada.gender == "male"


def test_keeps_a_category_that_a_curator_added(site: Wikimedia, ada: Celebrity) -> None:
    ada.categories.create(slug="hero", name="hero", plural="heroes")
    change(site)
    refresh()

    assert [each.slug for each in ada.categories.all()] == ["hero", "musician"]


def test_a_change_by_hand_meanwhile_wins(
    site: Wikimedia, ada: Celebrity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_and_fetch(*args: Any) -> dict[str, Person]:
        Celebrity.objects.filter(pk=ada.pk).update(name="By Hand")
        return fetch_people(*args)

    monkeypatch.setattr(refreshing, "fetch_people", change_and_fetch)
    change(site)
    said = refresh()
    ada.refresh_from_db()

    assert ada.name == "By Hand"
    assert "someone is changing this person" in said


@pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (lambda files: files.clear(), "it is gone from Commons"),
        (
            lambda files: files["File:Ada.jpg"].update(
                extmetadata={"License": {"value": "cc-by-nc-2.0"}}
            ),
            "commercial use",
        ),
        (
            lambda files: files["File:Ada.jpg"]["extmetadata"].update(
                DeletionReason={"value": "copyright"}
            ),
            "nominated for deletion",
        ),
    ],
)
def test_takes_a_file_out_of_sight_that_is_gone_or_not_free_any_more(
    site: Wikimedia, ada: Celebrity, lose: Callable[[Any], None], reason: str
) -> None:
    lose(site.files)
    said = refresh()
    ada.refresh_from_db()

    assert not ada.published
    assert not Celebrity.objects.searchable().exists()
    portrait = ada.portraits.get()
    assert portrait.status == Portrait.Status.FAILED
    assert reason in portrait.problem
    assert f"unpublished: Q1 Ada File:Ada.jpg: {portrait.problem}" in said
    assert "unpublished: Q1 Ada : no portrait is left" in said
    assert "File:Ada.jpg" not in refresh()


def test_someone_with_another_portrait_stays(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", claims={"P18": ["A.jpg", "B.jpg"]})
    site.add_file("A.jpg", make_photo(1))
    site.add_file("B.jpg", make_photo(2))
    run("import_wikidata", "--qid", "Q1", "--no-rebuild", "--portraits", "2")
    del site.files["File:A.jpg"]
    refresh()

    assert Celebrity.objects.get().published
    assert [each.status for each in Portrait.objects.order_by("pk")] == ["failed", "ready"]


def test_a_busy_server_takes_nothing_out_of_sight(site: Wikimedia, ada: Celebrity) -> None:
    site.moods += ["html", "maxlag 0", "", "empty", "html", "503 0"]
    refresh()

    assert Celebrity.objects.get().published


def test_takes_the_picture_that_wikidata_shows_now(site: Wikimedia, ada: Celebrity) -> None:
    site.add_person("Q1", "Ada", claims={"P18": ["New.jpg"]})
    site.add_file("New.jpg", make_photo(2))
    refresh()

    assert ada.portraits.get().source_page.endswith("New.jpg")


def test_takes_the_new_version_of_a_file(site: Wikimedia, ada: Celebrity) -> None:
    before = ada.portraits.get().image_hash
    site.add_file("Ada.jpg", make_photo(2))
    refresh()

    assert ada.portraits.get().image_hash != before


def test_keeps_the_picture_where_the_new_one_will_not_do(site: Wikimedia, ada: Celebrity) -> None:
    site.add_person("Q1", "Ada", claims={"P18": ["New.jpg"]})
    site.add_file("New.jpg", make_photo(2), {"License": "gfdl"})
    refresh()

    assert ada.portraits.get().source_page.endswith("Ada.jpg")


def test_keeps_the_picture_where_wikidata_shows_none_now(site: Wikimedia, ada: Celebrity) -> None:
    portrait = ada.portraits.get()
    site.add_person("Q1", "Ada")
    site.add_file("Ada.jpg", make_photo(1))
    refresh()

    assert ada.portraits.get() == portrait


def test_follows_an_id_that_was_merged(site: Wikimedia, ada: Celebrity) -> None:
    site.add_person("Q2", "Ada", portrait=make_photo(1))
    site.merged["Q1"] = "Q2"
    refresh()

    assert Celebrity.objects.get().wikidata_id == "Q2"


def test_lists_two_who_were_merged_and_someone_who_is_gone(site: Wikimedia, ada: Celebrity) -> None:
    site.add_person("Q2", "Bob", portrait=make_photo(2))
    run("import_wikidata", "--qid", "Q2", "--no-rebuild")
    site.merged["Q1"] = "Q2"
    assert "listed: Q1 Ada : the same as Q2, whom the gallery has too" in refresh()

    site.merged.clear()
    del site.entities["Q1"]
    assert "listed: Q1 Ada : gone from Wikidata" in refresh()
    assert Celebrity.objects.get(wikidata_id="Q1").published


def test_someone_who_turns_out_to_be_a_child_is_taken_out_of_sight(
    site: Wikimedia, ada: Celebrity
) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1), born="+2015-01-01")

    assert "unpublished: Q1 Ada : may be younger than 18" in refresh()
    assert not Celebrity.objects.get().published


def test_leaves_people_alone_who_came_from_elsewhere(site: Wikimedia) -> None:
    make_celebrity("Ada by Hand", wikidata_id="Q1")
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    before = rows()
    refresh()

    assert rows() == before
    assert site.seen == []


def test_asks_nothing_twice_that_it_asked_before_it_was_stopped(
    site: Wikimedia, ada: Celebrity
) -> None:
    asked = len(site.seen)
    site.moods += ["", *["html"] * 8]
    with pytest.raises(CommandError, match="goes on"):
        refresh()
    assert [seen.query["action"] for seen in site.seen[asked:]] == ["wbgetentities", *["query"] * 8]

    asked = len(site.seen)
    refresh()
    assert [seen.query["action"] for seen in site.seen[asked:]] == ["query"]
    asked = len(site.seen)
    refresh()
    assert len(site.seen) == asked + 2


def test_requires_a_contact(site: Wikimedia, settings: Any) -> None:
    settings.CONTACT = ""
    with pytest.raises(CommandError, match="LOOKALIKE_CONTACT"):
        refresh()
