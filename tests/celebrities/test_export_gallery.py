"""manage.py export_gallery, and its archives back through import_celebrities."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import models

from celebrities.do_not_import import add_people
from celebrities.gallery import delete_celebrities, embed_portraits
from celebrities.models import Category, Celebrity, Decision, DoNotImport, Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_photo, make_portrait

pytestmark = pytest.mark.django_db


def run(*args: object, **options: Any) -> str:
    out = StringIO()
    call_command(*map(str, args), stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def gallery(fake_engine: FaceEngine) -> None:
    """People of every kind: known, hidden, fictional, with a waiting portrait and a failed one."""
    ada = make_celebrity(
        "Ada Example",
        other_names="=cmd|' /C calc'!A0\nАда",
        gender="female",
        birth_year=-44,
        wikidata_id="Q42",
        categories=["actor", "musician"],
        import_key="ada example\n\n",
        source_values={"files": {"birth_year": -45}, "name": "Ada", "pictures": ["0" * 40]},
    )
    hidden = make_celebrity("'@Bob", published=False)
    make_celebrity("Cast", is_fictional=True)
    portraits = [
        make_portrait(
            ada,
            make_photo(1),
            author="+Someone, Else",
            licence="CC0",
            seen=3,
            source_sha1="0" * 40,
            source_values={"is_main": True, "title": 'File:"Ada", =1+1.jpg'},
            flag=Portrait.Flag.CONFIRMED,
        ),
        make_portrait(ada, make_photo(2), notes='"quoted"\ttab', import_file="ada/2.jpg"),
        make_portrait(hidden, make_photo(3), source_page="https://example.org/?a=1&b=2"),
        make_portrait(hidden, b"no picture"),
    ]
    embed_portraits(portraits)
    make_portrait(hidden, make_photo(4))
    add_people(Celebrity.objects.filter(pk=make_celebrity("Gone Person").pk), "asked")
    Celebrity.objects.filter(name="Gone Person").delete()


def list_rows(model: type[models.Model]) -> list[dict[str, Any]]:
    """Every field, with the keys of rows replaced by what they name."""
    rows = []
    for row in model._default_manager.order_by("pk"):
        values = {
            field.name: getattr(row, field.name)
            for field in row._meta.concrete_fields
            # An import is a matter of each site's own.
            if not field.primary_key and field.name != "imported_in"
        }
        if isinstance(row, Portrait):
            values["celebrity"] = row.celebrity.slug
            values["vector"] = row.vector and bytes(row.vector)
        if isinstance(row, Celebrity):
            values["categories"] = sorted(each.slug for each in row.categories.all())
        rows.append({name: str(value) for name, value in values.items()})
    return rows


def list_gallery() -> dict[str, list[dict[str, Any]]]:
    kinds = (Category, Celebrity, Portrait, DoNotImport)
    return {kind.__name__: list_rows(kind) for kind in kinds}


def list_files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def empty_gallery(capture: Callable[..., Any]) -> None:
    with capture(execute=True):
        delete_celebrities(Celebrity.objects.all())
    Category.objects.all().delete()
    DoNotImport.objects.all().delete()


def test_43_and_44_it_works(
    gallery: None,
    tmp_path: Path,
    data_dir: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    """The same gallery comes back: every field, every file, and the same archive again."""
    said = run("export_gallery", tmp_path / "one.zip")
    assert said == f"5 portraits written to {tmp_path / 'one.zip'}.\n"
    rows, files = list_gallery(), list_files(data_dir / "gallery")
    assert len(files) > 5

    empty_gallery(django_capture_on_commit_callbacks)
    assert not list_files(data_dir / "gallery")
    said = run("import_celebrities", tmp_path / "one.zip", no_rebuild=True)

    assert "Imported 5 portraits (3 new people), skipped 0, failed 0." in said
    assert list_gallery() == rows
    assert list_files(data_dir / "gallery") == files
    run("export_gallery", tmp_path / "two.zip")
    assert (tmp_path / "two.zip").read_bytes() == (tmp_path / "one.zip").read_bytes()


def test_44_a_second_import_changes_nothing(gallery: None, tmp_path: Path) -> None:
    run("export_gallery", tmp_path / "a.zip")
    rows = list_gallery()

    said = run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    assert "Imported 0 portraits (0 new people), skipped 5, failed 0." in said
    assert list_gallery() == rows


def test_44_what_the_gallery_has_stays(
    gallery: None, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run("export_gallery", tmp_path / "a.zip")
    empty_gallery(django_capture_on_commit_callbacks)
    make_celebrity("Ada Curated", wikidata_id="Q42", birth_year=1900)
    make_celebrity("Another", slug="bob")

    run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    ada = Celebrity.objects.get(wikidata_id="Q42")
    assert (ada.name, ada.birth_year, ada.portraits.count()) == ("Ada Curated", 1900, 2)
    assert Celebrity.objects.get(name="'@Bob").slug == "bob-2"
    assert not Celebrity.objects.get(name="Another").portraits.exists()


def test_cells_that_a_spreadsheet_would_run_are_escaped(gallery: None, tmp_path: Path) -> None:
    run("export_gallery", tmp_path / "a.zip")

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        people = archive.read("people.csv").decode()
        portraits = archive.read("portraits.csv").decode()
    assert ",\"'=cmd|' /C calc'!A0\nАда\"," in people
    assert ",''@Bob," in people
    assert ",-44," in people
    assert ',"\'+Someone, Else",' in portraits


def test_43_covers_and_decisions_come_back_and_what_was_merged_away_does_not(
    gallery: None, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = Celebrity.objects.get(name="Ada Example")
    cover = ada.portraits.order_by("-pk")[0]
    Celebrity.objects.filter(pk=ada.pk).update(chosen_cover=cover)
    gone = make_celebrity("Ada Twice", published=False)
    Celebrity.objects.filter(pk=gone.pk).update(merged_into=ada)
    Decision.objects.create(queue="licence", key=cover.image_hash, choice="fine")
    Decision.objects.create(queue="person", key="1-2", choice="two")
    run("export_gallery", tmp_path / "a.zip")
    empty_gallery(django_capture_on_commit_callbacks)
    Decision.objects.all().delete()
    for _again in range(2):
        run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    ada = Celebrity.objects.get(name="Ada Example")
    assert ada.chosen_cover is not None
    assert ada.chosen_cover.image_hash == cover.image_hash
    assert not Celebrity.objects.filter(name="Ada Twice").exists()
    decided = Decision.objects.values_list("queue", "key", "choice")
    assert list(decided) == [("licence", cover.image_hash, "fine")]


def test_24_who_is_on_either_list_is_left_out(
    gallery: None, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run("export_gallery", tmp_path / "a.zip")
    empty_gallery(django_capture_on_commit_callbacks)
    run("do_not_import", "add", "Q42")

    said = run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    assert "refused: Ada Example: on the do-not-import list since" in said
    assert not Celebrity.objects.filter(name="Ada Example").exists()
    assert Portrait.objects.count() == 3
    assert {entry.wikidata_id for entry in DoNotImport.objects.all()} == {"", "Q42"}
    assert [entry.names for entry in DoNotImport.objects.exclude(names=[])] == [["gone person"]]


def test_a_dry_run_writes_nothing(
    gallery: None,
    tmp_path: Path,
    data_dir: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    run("export_gallery", tmp_path / "a.zip")
    empty_gallery(django_capture_on_commit_callbacks)

    said = run("import_celebrities", tmp_path / "a.zip", dry_run=True)

    assert "Would import 5 portraits (3 new people), skipped 0, failed 0." in said
    assert set(map(len, list_gallery().values())) == {0}
    assert list_files(data_dir / "gallery") == {}


def change(path: Path, name: str, old: str, new: str) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    assert old.encode() in files[name]
    files[name] = files[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in files.items():
            archive.writestr(each, data)


@pytest.mark.parametrize(
    ("table", "old", "new", "reason"),
    [
        ("people.csv", ",-44,", ",long ago,", "must be an integer"),
        ("portraits.csv", "https://example.org", "javascript:", "valid URL"),
        ("gallery.json", "1", "2", "newer version"),
    ],
)
def test_rejects_an_archive_with_values_that_fields_cannot_have(
    gallery: None,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
    table: str,
    old: str,
    new: str,
    reason: str,
) -> None:
    run("export_gallery", tmp_path / "a.zip")
    empty_gallery(django_capture_on_commit_callbacks)
    change(tmp_path / "a.zip", table, old, new)

    with pytest.raises(CommandError, match=reason):
        run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    assert not Celebrity.objects.exists()


def test_rejects_an_archive_that_would_fill_the_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gallery.json", '{"version": 1}')
        archive.writestr("people.csv", bytes(20_000_000))

    with pytest.raises(CommandError, match=r"people\.csv unpacks to 20,000,000 bytes"):
        run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)


def test_rejects_files_under_other_names_than_the_gallery_gives(
    gallery: None,
    tmp_path: Path,
    data_dir: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    run("export_gallery", tmp_path / "a.zip")
    image = str(Portrait.objects.order_by("pk")[0].image.name)
    empty_gallery(django_capture_on_commit_callbacks)
    change(tmp_path / "a.zip", "portraits.csv", image, "../" + image)

    with pytest.raises(CommandError, match="1 could not be imported"):
        run("import_celebrities", tmp_path / "a.zip", no_rebuild=True)

    assert Portrait.objects.count() == 4
    assert not list(data_dir.rglob(Path(image).name))


def test_a_missing_picture_leaves_no_half_archive(gallery: None, tmp_path: Path) -> None:
    storages["gallery"].delete(str(Portrait.objects.order_by("pk")[0].image.name))

    with pytest.raises(CommandError, match="could not be exported"):
        run("export_gallery", tmp_path / "a.zip")

    assert list(tmp_path.glob("a.zip*")) == []
