"""Names, keys, and the words of the QuerySets."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from celebrities.models import Category, Celebrity, Portrait
from celebrities.names import fold
from tests.celebrities.factories import make_celebrity, make_portrait, make_ready, unit

pytestmark = pytest.mark.django_db


def names(people: object) -> list[str]:
    return [person.name for person in people]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Renée Zellweger", "renee zellweger"),
        ("  Antonín   DVOŘÁK ", "antonin dvorak"),
        ("Алёна Йохансен", "алена иохансен"),
        ("Mads Mikkelsen-Søren", "mads mikkelsen soren"),
        ("Łukasz Æthelred", "lukasz aethelred"),
        ("Sinéad O’Connor", "sinead oconnor"),
        ("فَيروز", "فيروز"),
        ("宮崎・駿", "宮崎 駿"),
        ("Straße", "strasse"),
    ],
)
def test_fold_drops_accents_case_and_punctuation_in_any_script(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_name_is_found_by_any_of_its_words_in_any_order() -> None:
    make_celebrity("Renée Zellweger", other_names="Рене Зеллвегер\n蕾妮·齊薇格")
    make_celebrity("Someone Else")

    for words in ("zell", "RENEE", "zellweger renee", "зеллвегер", "齊薇格", "rené zell"):
        assert names(Celebrity.objects.named(words)) == ["Renée Zellweger"], words
    assert names(Celebrity.objects.named("renee else")) == []
    assert len(Celebrity.objects.named("")) == 2


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Айко", "Aiko Tsukimori"),
        ("アイコ", "Aiko Tsukimori"),
        ("Шварценеггер", "Arnold Schwarzenegger"),
        ("Джон Маккейн", "John McCain"),
        ("Нэнси Пелоси", "Nancy Pelosi"),
        ("Уоррен", "Elizabeth Warren"),
        ("Бланшетт", "Cate Blanchett"),
        ("Анджелина", "Angelina Jolie"),
        ("Μαρία Κάλλας", "Maria Callas"),
        ("トム・クルーズ", "Tom Cruise"),
        ("봉준호", "Bong Joon-ho"),
        ("Tchaikovsky", "Пётр Чайковский"),
        ("Chaikovski", "Пётр Чайковский"),
        ("Zelensky", "Володимир Зеленський"),
        ("Пелос", "Nancy Pelosi"),
    ],
)
def test_a_name_is_found_typed_in_another_script(typed: str, name: str) -> None:
    make_celebrity(name)
    make_celebrity("Someone Else")
    assert names(Celebrity.objects.named(typed)) == [name]


@pytest.mark.parametrize("typed", ["|ps", "~", "|nns.", ".", "nns", "Pelasi"])
def test_typing_in_latin_finds_no_latin_name_by_its_sound(typed: str) -> None:
    make_celebrity("Nancy Pelosi")
    found = names(Celebrity.objects.named(typed))
    assert found == ([] if typed != "." else ["Nancy Pelosi"])  # A dot is no word: all are listed.


def test_names_stored_before_are_found_by_other_scripts() -> None:
    make_celebrity("Nancy Pelosi")
    Celebrity.objects.update(search_key="nancy pelosi")
    import_module("celebrities.migrations.0017_search_keys").find_by_other_scripts(apps, None)
    assert names(Celebrity.objects.named("Пелоси")) == ["Nancy Pelosi"]


def test_people_are_ordered_as_readers_expect() -> None:
    for name in ("Zoe", "Émile", "eva", "Ada"):
        make_celebrity(name)

    assert names(Celebrity.objects.all()) == ["Ada", "Émile", "eva", "Zoe"]


def test_slugs_are_made_once_and_never_twice_the_same() -> None:
    slugs = [make_celebrity(name).slug for name in ("Ada Example", "Ada Example", "Ада", "???")]

    assert slugs == ["ada-example", "ada-example-2", "ада", "person"]


def test_rejects_a_wikidata_id_that_another_person_has() -> None:
    make_celebrity("One", wikidata_id="Q1")
    make_celebrity("Two")
    make_celebrity("Three")

    with pytest.raises(ValidationError):
        make_celebrity("Four", wikidata_id="Q1")


def test_searchable_people_are_published_and_have_a_ready_portrait() -> None:
    ready, hidden = make_celebrity("Ready"), make_celebrity("Hidden", published=False)
    make_ready(ready, unit(1))
    make_ready(ready, unit(2, 1))
    make_ready(hidden, unit(1))
    make_portrait(make_celebrity("Waiting"))

    assert names(Celebrity.objects.searchable()) == ["Ready"]


def test_publishing_is_counted_and_leaves_its_time() -> None:
    person = make_celebrity(published=False)
    before = person.updated_at

    assert Celebrity.objects.all().publish() == 1
    assert Celebrity.objects.all().publish() == 0
    person.refresh_from_db()
    assert person.published
    assert person.updated_at > before
    assert Celebrity.objects.all().unpublish() == 1


def test_a_category_is_offered_when_somebody_in_it_can_be_found() -> None:
    person = make_celebrity(categories=["actor"])
    make_celebrity("Other", categories=["chef"])
    make_ready(person, unit(1))

    assert [category.slug for category in Category.objects.offered()] == ["actor"]


def test_thumbnails_are_named_by_width_without_a_look_at_the_storage() -> None:
    portrait = Portrait(image="portraits/ab/key.jpg", chip="portraits/ab/key-chip.jpg")
    assert portrait.src == ""
    assert portrait.srcset == ""

    portrait.thumbnail_width = 320
    assert portrait.thumbnail_url(100) == "/media/gallery/portraits/ab/key-160.webp"
    assert portrait.thumbnail_url(161) == "/media/gallery/portraits/ab/key-320.webp"
    assert portrait.thumbnail_url(640) == "/media/gallery/portraits/ab/key-320.webp"
    assert portrait.srcset == (
        "/media/gallery/portraits/ab/key-160.webp 160w, "
        "/media/gallery/portraits/ab/key-320.webp 320w"
    )
    assert len(portrait.file_names) == 4
