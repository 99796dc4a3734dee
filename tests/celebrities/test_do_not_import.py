"""The do-not-import list: what is on it, and who obeys it."""

from __future__ import annotations

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from celebrities.do_not_import import MAX_DISTANCE, add_people, hash_picture, is_listed
from celebrities.gallery import embed_portraits
from celebrities.models import Celebrity, DoNotImport, Portrait, RemovalRequest
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    cast_photo,
    encode,
    make_celebrity,
    make_photo,
    make_portrait,
    write_files,
)

pytestmark = pytest.mark.django_db


def run(*args: object, **options: Any) -> str:
    out = StringIO()
    call_command(*map(str, args), stdout=out, stderr=out, **options)
    return out.getvalue()


def take_out(person: Celebrity) -> DoNotImport:
    add_people(Celebrity.objects.filter(pk=person.pk), "asked")
    person.delete()
    return DoNotImport.objects.get()


@pytest.fixture
def ada(fake_engine: FaceEngine) -> Celebrity:
    person = make_celebrity("José Álvarez", other_names="Pepe", wikidata_id="Q42")
    embed_portraits([make_portrait(person, make_photo(1))])
    return person


def test_it_works(ada: Celebrity, tmp_path: Path) -> None:
    """Who was taken out does not come back with the next import."""
    folder = write_files(
        tmp_path / "people", {"José Álvarez/1.jpg": make_photo(2), "Bob Roe/1.jpg": cast_photo()}
    )
    entry = take_out(ada)

    said = run("import_celebrities", folder, no_rebuild=True)

    assert f"refused: José Álvarez/1.jpg: {entry.sentence}\n" in said
    assert "Imported 1 portraits (1 new people), skipped 0, failed 0, refused 1." in said
    assert [person.name for person in Celebrity.objects.all()] == ["Bob Roe"]


def test_it_holds_ids_names_and_hashes_alone(ada: Celebrity) -> None:
    digest = ada.portraits.get().image_hash
    entry = take_out(ada)

    assert (entry.wikidata_id, entry.reason) == ("Q42", "asked")
    assert entry.names == ["jose alvarez", "pepe"]
    assert entry.sha256 == [digest]
    assert [len(each) for each in entry.phashes] == [64]
    fields = {field.name for field in DoNotImport._meta.concrete_fields}
    kept = {"id", "wikidata_id", "names", "sha256", "phashes", "reason", "created_at"}
    assert fields == kept


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({"wikidata_id": "Q42"}, True),
        ({"names": ["Somebody", "JOSE ALVAREZ"]}, True),
        ({"names": ["Pepe"], "wikidata_id": "Q43"}, False),
        ({"names": ["Pepe"], "wikidata_id": ""}, True),
        ({"names": ["Pep", ""]}, False),
        ({"sha256": "0" * 64}, False),
        ({}, False),
    ],
)
def test_who_is_listed(ada: Celebrity, asked: dict[str, Any], listed: bool) -> None:
    entry = take_out(ada)

    assert is_listed(**asked) == (entry.sentence if listed else "")
    assert entry.sentence == f"on the do-not-import list since {entry.created_at:%Y-%m-%d}"


def test_a_picture_is_known_by_its_bytes_and_by_its_looks() -> None:
    data = cast_photo()
    image = Image.open(BytesIO(data))
    smaller = image.resize((image.width // 2, image.height // 2))
    edge = image.width // 100
    cut = image.crop((edge, edge, image.width - edge, image.height - edge))
    DoNotImport.objects.create(sha256=["ab"], phashes=[f"{hash_picture(data):064x}"])

    assert is_listed(sha256="ab")
    for copy in (smaller, image.convert("L"), cut):
        assert is_listed(phash=hash_picture(encode(copy, quality=60)))
    assert not is_listed(phash=hash_picture(cast_photo(number=2)))
    assert not is_listed(phash=hash_picture(data) ^ (2 ** (MAX_DISTANCE + 1) - 1))


def test_24_a_picture_like_a_listed_one_is_not_imported(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    image = Image.open(BytesIO(make_photo(1)))
    folder = write_files(tmp_path / "people", {"Other Name/1.jpg": encode(image, "PNG")})
    DoNotImport.objects.create(phashes=[f"{hash_picture(make_photo(1)):064x}"])

    said = run("import_celebrities", folder, no_rebuild=True)

    assert "refused: Other Name/1.jpg: a picture like it is on the do-not-import list" in said
    assert not Celebrity.objects.exists()


def test_24_load_demo_obeys(fake_engine: FaceEngine) -> None:
    DoNotImport.objects.create(names=["adaeze nwokoma"])

    run("load_demo", fictional=True, no_rebuild=True)

    assert Celebrity.objects.count() == 47
    assert not Celebrity.objects.filter(name="Adaeze Nwokoma").exists()


def test_a_missing_picture_keeps_nobody_off_the_list(ada: Celebrity) -> None:
    Portrait.objects.update(image="portraits/00/none.jpg")

    entry = take_out(ada)

    assert (len(entry.sha256), entry.phashes) == (1, [])


# The command


def test_the_command_adds_lists_and_removes(ada: Celebrity, tmp_path: Path) -> None:
    photo = write_files(tmp_path, {"p.jpg": make_photo(7)}) / "p.jpg"
    assert run("do_not_import", "list") == "The list is empty.\n"

    said = run("do_not_import", "add", "Q42", "Q7", photo, "Zoë Test", reason="a letter")

    first = "José Álvarez (/people/jos%C3%A9-%C3%A1lvarez/): on the list, and still in the gallery"
    assert said.startswith(first)
    entries = list(DoNotImport.objects.all())
    assert [entry.wikidata_id for entry in entries] == ["Q42", "Q7", "", ""]
    assert entries[2].phashes == [f"{hash_picture(make_photo(7)):064x}"]
    assert entries[3].names == ["zoe test"]
    shown = run("do_not_import", "list").splitlines()
    assert shown[0].endswith("Q42; jose alvarez, pepe; 1 pictures (a letter)")
    assert shown[3].endswith("zoe test (a letter)")
    assert run("do_not_import", "remove", entries[0].pk, entries[3].pk) == "2 taken off the list.\n"
    assert [entry.wikidata_id for entry in DoNotImport.objects.all()] == ["Q7", ""]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("add", "..."), "neither a Wikidata id, nor a picture, nor a name"),
        (("add", __file__), "cannot be read as a picture"),
        (("remove", "99"), "There is no number 99 on the list"),
    ],
)
def test_rejects_what_it_cannot_use(args: tuple[str, ...], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run("do_not_import", *args)


# The admin


def test_23_taking_somebody_out_puts_them_on_the_list(ada: Celebrity, admin_client: Client) -> None:
    wish = RemovalRequest.objects.create(person="José", message="please", celebrity=ada)

    admin_client.post(
        reverse("admin:celebrities_removalrequest_changelist"),
        {"action": "take_out", "_selected_action": [wish.pk]},
    )

    assert not Celebrity.objects.exists()
    entry = DoNotImport.objects.get()
    assert (entry.wikidata_id, len(entry.sha256), len(entry.phashes)) == ("Q42", 1, 1)


@pytest.mark.parametrize("kind", ["celebrity", "portrait"])
def test_23_people_and_portraits_can_be_taken_out_from_their_lists(
    ada: Celebrity, admin_client: Client, kind: str
) -> None:
    """Their pictures do not come back under another name; portraits alone keep the person."""
    portrait = ada.portraits.get()

    admin_client.post(
        reverse(f"admin:celebrities_{kind}_changelist"),
        {
            "action": "take_out",
            "post": "yes",
            "_selected_action": [ada.pk if kind == "celebrity" else portrait.pk],
        },
    )

    assert not Portrait.objects.exists()
    assert Celebrity.objects.exists() == (kind == "portrait")
    assert is_listed(sha256=portrait.image_hash)
    assert bool(is_listed(wikidata_id="Q42")) == (kind == "celebrity")


def portrait_rows(**files: object) -> dict[str, object]:
    form = {"portraits-TOTAL_FORMS": len(files), "portraits-INITIAL_FORMS": 0}
    return {**form, **files}


def test_24_the_admin_refuses_a_listed_person_with_a_sentence(
    ada: Celebrity, admin_client: Client
) -> None:
    take_out(ada)

    page = admin_client.post(
        reverse("admin:celebrities_celebrity_add"),
        {"name": "Jose Alvarez", **portrait_rows()},
    )

    assert "This person is on the do-not-import list since" in page.content.decode()
    assert not Celebrity.objects.exists()


def test_the_admin_still_saves_a_person_who_has_since_been_listed(
    ada: Celebrity, admin_client: Client
) -> None:
    run("do_not_import", "add", "Q42")

    admin_client.post(
        reverse("admin:celebrities_celebrity_change", args=[ada.pk]),
        {
            "name": ada.name,
            "other_names": ada.other_names,
            "slug": ada.slug,
            "wikidata_id": "Q42",
            "birth_year": 1950,
            **portrait_rows(),
        },
    )

    ada.refresh_from_db()
    assert (ada.birth_year, ada.published) == (1950, False)


def test_24_the_admin_refuses_a_listed_picture_with_a_sentence(
    ada: Celebrity, admin_client: Client
) -> None:
    take_out(ada)
    bob = make_celebrity("Bob")
    file = BytesIO(make_photo(1))
    file.name = "bob.jpg"

    page = admin_client.post(
        reverse("admin:celebrities_portrait_add"), {"celebrity": bob.pk, "image": file}
    )

    assert "This picture is on the do-not-import list since" in page.content.decode()
    assert not Portrait.objects.exists()


def test_24_the_admin_takes_an_entry_off_the_list(ada: Celebrity, admin_client: Client) -> None:
    entry = take_out(ada)
    pages = reverse("admin:celebrities_donotimport_changelist")

    assert "jose alvarez, pepe" in admin_client.get(pages).content.decode()
    admin_client.post(
        reverse("admin:celebrities_donotimport_delete", args=[entry.pk]), {"post": "yes"}
    )

    assert not DoNotImport.objects.exists()
