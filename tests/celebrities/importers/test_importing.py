"""From a source to the gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from celebrities.gallery import BATCH, delete_celebrities
from celebrities.importers.importing import import_plan
from celebrities.importers.layout import plan_import
from celebrities.importers.opening import open_source
from celebrities.importers.people import Options
from celebrities.importers.report import Kind, Report
from celebrities.models import Celebrity, Portrait
from celebrities.names import make_search_key
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    SLUGS,
    cast_photo,
    make_celebrity,
    make_photo,
    pack,
    put_side_by_side,
    write_files,
)


def take(path: Path, same: tuple[str, ...] = (), **options: object) -> Report:
    source = open_source(path)
    plan = plan_import(source, same)
    return import_plan(source, plan, Options(**options))  # type: ignore[arg-type]


def lines(report: Report, kind: Kind) -> list[str]:
    return list(map(str, report.of(kind)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "people",
        {
            "ada_1.jpg": make_photo(1),
            "ada_2.jpg": make_photo(2),
            "bob_1.jpg": make_photo(3),
            "bad_1.jpg": b"no picture",
            "manifest.csv": (
                "file,name,other_names,gender,birth_year,occupations,author,licence\n"
                "ada_1.jpg,Ada Lovelace,Ада Лавлейс | Countess,female,1815,"
                '"mathematician, poet",A. E. Chalon,public domain\n'
                "ada_2.jpg,Ada Lovelace,,,,,,\n"
                "bob_1.jpg,Bob,,male,,juggler,,\n"
            ),
        },
    )


@pytest.mark.django_db
def test_it_works(folder: Path, fake_engine: FaceEngine) -> None:
    report = take(folder)

    assert (report.imported, report.people) == (3, 2)
    assert [problem.where for problem in report.failed] == ["bad_1.jpg"]
    ada = Celebrity.objects.get(name="Ada Lovelace")
    assert ada.other_names == "Ада Лавлейс\nCountess"
    assert (ada.gender, ada.birth_year, ada.slug) == ("female", 1815, "ada-lovelace")
    assert [each.slug for each in ada.categories.all()] == ["scientist", "writer"]
    assert ada.published
    portraits = list(ada.portraits.order_by("pk"))
    assert [portrait.author for portrait in portraits] == ["A. E. Chalon", ""]
    assert {portrait.status for portrait in portraits} == {Portrait.Status.READY}
    juggler = Celebrity.objects.get(name="Bob").categories.get()
    assert (juggler.slug, juggler.local_name) == ("juggler", "juggler")


@pytest.mark.django_db
def test_a_second_import_changes_nothing(folder: Path, fake_engine: FaceEngine) -> None:
    take(folder)
    before = list(Portrait.objects.values_list("pk", "image", "embedded_at"))
    report = take(folder)

    assert (report.imported, report.people, len(report.skipped)) == (0, 0, 3)
    assert list(Portrait.objects.values_list("pk", "image", "embedded_at")) == before


@pytest.mark.django_db
def test_a_better_manifest_fills_gaps_and_overwrites_nothing(
    folder: Path, fake_engine: FaceEngine
) -> None:
    take(folder)
    Celebrity.objects.filter(name="Bob").update(gender="other")
    write_files(
        folder,
        {
            "manifest.csv": "file,name,gender,birth_year,author\n"
            "bob_1.jpg,Bob,male,1970,Somebody\n"
            "ada_1.jpg,Ada Lovelace,female,1815,Somebody\n"
        },
    )
    take(folder)

    bob = Celebrity.objects.get(name="Bob")
    assert (bob.gender, bob.birth_year) == ("other", 1970)
    assert bob.portraits.get().author == "Somebody"
    ada = Celebrity.objects.get(name="Ada Lovelace").portraits.order_by("pk").first()
    assert ada is not None
    assert ada.author == "A. E. Chalon"


@pytest.mark.django_db
def test_a_photo_that_cannot_be_used_makes_no_person(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    report = take(write_files(tmp_path / "x", {"ada_1.jpg": b"no picture"}))

    assert report.imported == 0
    assert not Celebrity.objects.exists()


@pytest.mark.django_db
def test_two_people_of_one_name_are_told_apart_by_year(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(
        tmp_path / "x",
        {
            "smith-a_1.jpg": make_photo(1),
            "smith-b_1.jpg": make_photo(2),
            "manifest.csv": "file,name,born\nsmith-a_1.jpg,Jo Smith,1950\n"
            "smith-b_1.jpg,Jo Smith,1980\n",
        },
    )
    take(folder)

    people = Celebrity.objects.order_by("birth_year")
    assert [(each.birth_year, each.slug) for each in people] == [
        (1950, "jo-smith"),
        (1980, "jo-smith-2"),
    ]
    assert take(folder).imported == 0


@pytest.mark.django_db
def test_options_are_those_of_everybody_new(folder: Path, fake_engine: FaceEngine) -> None:
    known = make_celebrity("Bob")
    take(folder, category="singer", published=False)

    ada = Celebrity.objects.get(name="Ada Lovelace")
    assert not ada.published
    assert {each.slug for each in ada.categories.all()} == {"musician", "scientist", "writer"}
    known.refresh_from_db()
    assert known.published
    assert known.portraits.count() == 1


@pytest.mark.django_db
def test_real_people_never_get_a_fictional_ones_portraits(
    folder: Path, fake_engine: FaceEngine
) -> None:
    make_celebrity("Bob", is_fictional=True)
    take(folder)

    assert Celebrity.objects.filter(name="Bob", is_fictional=False).count() == 1
    assert not Portrait.objects.filter(celebrity__is_fictional=True).exists()


@pytest.mark.django_db
def test_an_archive_imports_like_its_folder(
    folder: Path, tmp_path: Path, fake_engine: FaceEngine
) -> None:
    files: dict[str, bytes | str] = {
        f"people/{path.name}": path.read_bytes() for path in folder.iterdir()
    }
    take(pack(tmp_path / "people.zip", files))

    assert Portrait.objects.count() == 3
    assert take(folder).imported == 0


@pytest.mark.django_db
def test_a_wikidata_id_that_somebody_else_has_fails_that_file_only(
    folder: Path, fake_engine: FaceEngine
) -> None:
    take(folder)
    make_celebrity("Robert", is_fictional=True, wikidata_id="Q42")
    lines = [
        "file,name,wikidata",
        "bob_1.jpg,Bob,Q42",
        "ada_1.jpg,Ada Lovelace",
        "ada_2.jpg,Ada Lovelace",
    ]
    write_files(folder, {"manifest.csv": "\n".join(lines)})

    report = take(folder)

    assert "bob_1.jpg" in [problem.where for problem in report.failed]
    assert len(report.skipped) == 2
    assert Celebrity.objects.get(name="Bob").wikidata_id == ""


def take_while(path: Path, curate: Callable[[], object]) -> Report:
    """Import a source of two batches, with something done at the desk between them."""
    source = open_source(path)
    done: list[int] = []

    def progress(count: int) -> None:
        if not done:
            curate()
        done.append(count)

    return import_plan(source, plan_import(source), Options(), progress)


@pytest.fixture
def two_batches(tmp_path: Path) -> Path:
    """One person's portraits, more than are read together, with a year only in the second."""
    files: dict[str, bytes | str] = {
        f"Ada/{number:02d}.jpg": make_photo(number) for number in range(BATCH + 2)
    }
    lines = ["file,name,born,author", *(f"{name},Ada,1815,Somebody" for name in files)]
    return write_files(tmp_path / "ada", {**files, "manifest.csv": "\n".join(lines)})


@pytest.mark.django_db
def test_26_who_is_hidden_during_an_import_stays_hidden(
    two_batches: Path, fake_engine: FaceEngine
) -> None:
    take_while(two_batches, lambda: Celebrity.objects.all().unpublish())

    assert not Celebrity.objects.get().published


@pytest.mark.django_db
def test_26_what_a_curator_changes_during_an_import_stays(
    two_batches: Path, fake_engine: FaceEngine
) -> None:
    def curate() -> None:
        Celebrity.objects.update(name="Ada Lovelace", birth_year=1816, death_year=1852)
        Portrait.objects.update(author="A better name", seen=3)

    take_while(two_batches, curate)

    ada = Celebrity.objects.get()
    assert (ada.name, ada.birth_year, ada.death_year) == ("Ada Lovelace", 1816, 1852)
    authors = list(Portrait.objects.order_by("pk").values_list("author", flat=True))
    assert authors == ["A better name"] * BATCH + ["Somebody"] * 2


@pytest.mark.django_db
def test_26_who_is_deleted_during_an_import_stays_away(
    two_batches: Path, fake_engine: FaceEngine
) -> None:
    report = take_while(two_batches, lambda: delete_celebrities(Celebrity.objects.all()))

    assert not Celebrity.objects.exists()
    assert {problem.reason for problem in report.failed} == {
        "this person was deleted during the import"
    }


# Who is one person


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jose Alvarez", "José Álvarez"),
        ("Anna Strauss", "Anna Strauß"),
        ("Иван Черный", "Иван Чёрный"),
        ("みつき", "みづき"),
    ],
)
def test_names_that_differ_in_marks_are_two_people_and_a_question(
    tmp_path: Path, fake_engine: FaceEngine, one: str, other: str
) -> None:
    folder = write_files(
        tmp_path / "x", {f"{one}/1.jpg": make_photo(1), f"{other}/1.jpg": make_photo(2)}
    )
    report = take(folder)

    assert {person.name for person in Celebrity.objects.all()} == {one, other}
    slugs = {person.slug for person in Celebrity.objects.all()}
    assert len(slugs) == 2
    assert all(any(sign.isalpha() for sign in slug) for slug in slugs)
    (question,) = report.of(Kind.QUESTION)
    assert {question.where, question.what.partition(" (")[0]} in (
        {one, f"may be {other}"},
        {other, f"may be {one}"},
    )
    assert take(folder).imported == 0


@pytest.mark.django_db
def test_namesakes_from_two_folders_are_two_people_with_two_addresses(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    files: dict[str, bytes | str] = {
        "actors/John Smith/1.jpg": make_photo(1),
        "politicians/John Smith/1.jpg": make_photo(2),
    }
    folder = write_files(tmp_path / "x", files)

    report = take(folder)

    assert {person.slug for person in Celebrity.objects.all()} == {"john-smith", "john-smith-2"}
    assert len(report.of(Kind.QUESTION)) == 1
    assert (take(folder).imported, Celebrity.objects.count()) == (0, 2)


@pytest.mark.django_db
def test_people_that_the_operator_calls_the_same_are_one(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(
        tmp_path / "x",
        {"Jose Alvarez/1.jpg": make_photo(1), "José Álvarez/2.jpg": make_photo(2)},
    )
    report = take(folder, same=("José Álvarez",))

    assert Celebrity.objects.get().portraits.count() == 2
    assert report.of(Kind.QUESTION) == []


@pytest.mark.django_db
def test_a_person_renamed_at_the_desk_is_found_again(folder: Path, fake_engine: FaceEngine) -> None:
    take(folder)
    Celebrity.objects.filter(name="Bob").update(name="Robert", sort_key="robert")
    write_files(folder, {"bob_2.jpg": make_photo(9)})

    report = take(folder)

    assert (report.imported, report.people) == (1, 0)
    assert Celebrity.objects.get(name="Robert").portraits.count() == 2
    assert lines(report, Kind.DIFFERS) == ["Robert: name Bob, in the gallery Robert"]


@pytest.mark.django_db
def test_a_corrected_name_makes_no_second_person(folder: Path, fake_engine: FaceEngine) -> None:
    take(folder)
    rows = "bob_1.jpg,Bobby Roe\nada_1.jpg,Ada Lovelace\nada_2.jpg,Ada Lovelace"
    write_files(folder, {"manifest.csv": f"file,name\n{rows}\n"})

    report = take(folder)

    assert report.people == 0
    assert lines(report, Kind.DIFFERS) == ["Bob: name Bobby Roe, in the gallery Bob"]
    assert lines(take(folder, update=True), Kind.UPDATED) == [
        "Bob: name Bobby Roe, in the gallery Bob"
    ]
    bobby = Celebrity.objects.get(name="Bobby Roe")
    assert (bobby.sort_key, bobby.portraits.count()) == ("bobby roe", 1)
    again = take(folder)
    assert (again.people, again.of(Kind.DIFFERS)) == (0, [])


@pytest.mark.django_db
def test_another_persons_picture_is_asked_about(tmp_path: Path, fake_engine: FaceEngine) -> None:
    take(write_files(tmp_path / "x", {"Ada Roe/1.jpg": make_photo(1)}))

    report = take(write_files(tmp_path / "y", {"Bob Roe/7.jpg": make_photo(1)}))

    assert lines(report, Kind.QUESTION) == [
        "Bob Roe/7.jpg: the same picture is a portrait of Ada Roe"
    ]


# Corrections


@pytest.fixture
def corrected(folder: Path, fake_engine: FaceEngine) -> Path:
    """The folder after an import, with a manifest that says more and other things."""
    take(folder)
    write_files(
        folder,
        {
            "manifest.csv": "file,name,other_names,birth_year,author,licence\n"
            "bob_1.jpg,Bob,,1970,Somebody,CC0\n"
            "ada_1.jpg,Ada Lovelace,Countess|Enchantress,1816,Another,public domain\n"
            "ada_2.jpg,Ada Lovelace,,,,\n"
        },
    )
    return folder


@pytest.mark.django_db
def test_what_is_filled_in_and_what_differs_is_said(corrected: Path) -> None:
    report = take(corrected)

    assert set(lines(report, Kind.FILLED)) == {
        "bob_1.jpg: author Somebody",
        "bob_1.jpg: licence CC0",
        "Bob: birth year 1970",
    }
    assert set(lines(report, Kind.DIFFERS)) == {
        "Ada Lovelace: other names Countess, Enchantress, in the gallery Ада Лавлейс, Countess",
        "Ada Lovelace: birth year 1816, in the gallery 1815",
        "ada_1.jpg: author Another, in the gallery A. E. Chalon",
    }
    ada = Celebrity.objects.get(name="Ada Lovelace")
    assert (ada.birth_year, ada.other_names) == (1815, "Ада Лавлейс\nCountess")


@pytest.mark.django_db
def test_update_takes_what_differs(corrected: Path) -> None:
    report = take(corrected, update=True)

    assert len(report.of(Kind.UPDATED)) == 3
    assert report.of(Kind.DIFFERS) == []
    ada = Celebrity.objects.get(name="Ada Lovelace")
    assert (ada.birth_year, ada.other_names) == (1816, "Ада Лавлейс\nCountess\nEnchantress")
    assert ada.search_key == make_search_key(f"{ada.name}\n{ada.other_names}")
    assert "Another" in {portrait.author for portrait in ada.portraits.all()}
    again = take(corrected)
    assert (again.of(Kind.DIFFERS), again.of(Kind.FILLED)) == ([], [])


@pytest.mark.django_db
def test_a_file_replaced_under_its_name_is_named(folder: Path, fake_engine: FaceEngine) -> None:
    take(folder)
    before = Celebrity.objects.get(name="Bob").portraits.get()
    write_files(folder, {"bob_1.jpg": make_photo(8)})

    report = take(folder)

    assert lines(report, Kind.DIFFERS) == [
        "bob_1.jpg: the file has changed since it was imported; --update replaces the portrait"
    ]
    assert Celebrity.objects.get(name="Bob").portraits.get().image_hash == before.image_hash

    report = take(folder, update=True)

    assert lines(report, Kind.REPLACED) == ["bob_1.jpg"]
    after = Celebrity.objects.get(name="Bob").portraits.get()
    assert after.pk == before.pk
    assert after.vector != before.vector
    assert after.image.storage.exists(str(after.image.name))
    assert not before.image.storage.exists(str(before.image.name))
    assert take(folder).of(Kind.DIFFERS) == []


# A dry run


@pytest.mark.django_db
def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    folder: Path, data_dir: Path, fake_engine: FaceEngine
) -> None:
    would = take(folder, dry_run=True)

    assert not Celebrity.objects.exists()
    assert not list((data_dir / "gallery").rglob("*"))
    assert would.lines == take(folder).lines


@pytest.mark.django_db
@pytest.mark.parametrize("update", [False, True])
def test_a_dry_run_of_corrections_writes_nothing(corrected: Path, update: bool) -> None:
    write_files(corrected, {"bob_1.jpg": make_photo(8), "new-one_1.jpg": make_photo(9)})
    rows = list(Celebrity.objects.values()), list(Portrait.objects.values())

    would = take(corrected, dry_run=True, update=update)

    assert (list(Celebrity.objects.values()), list(Portrait.objects.values())) == rows
    assert would.lines == take(corrected, update=update).lines


# What cannot be used


@pytest.mark.django_db
def test_files_that_cannot_be_used_are_told_and_the_rest_goes_on(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(
        tmp_path / "x",
        {
            "Ada Roe/1.jpg": make_photo(1),
            "Ada Roe/empty.jpg": b"",
            "IMG_0001.jpg": make_photo(2),
            f"{'я' * 120}_1.jpg": make_photo(3),
        },
    )
    (folder / "Ada Roe" / "gone.jpg").symlink_to(folder / "nowhere")

    report = take(folder)

    assert report.imported == 2
    reasons = {problem.where: problem.reason for problem in report.failed}
    assert reasons["Ada Roe/empty.jpg"] == "the file is empty"
    assert reasons["IMG_0001.jpg"].startswith("the name is not a person's, so who is it?")
    assert reasons["Ada Roe/gone.jpg"].startswith("a link to a folder, to nothing")
    assert len(reasons) == 3


@pytest.mark.django_db
def test_a_file_twice_in_a_source_is_one_portrait(tmp_path: Path, fake_engine: FaceEngine) -> None:
    files: dict[str, bytes | str] = {
        f"Ada Roe/{number}.jpg": make_photo(1) for number in range(BATCH + 2)
    }
    report = take(write_files(tmp_path / "x", files))

    assert (report.imported, len(report.skipped)) == (1, BATCH + 1)


@pytest.mark.django_db
def test_a_photo_of_two_comes_last_and_the_others_decide(
    tmp_path: Path, real_engine: FaceEngine
) -> None:
    ada, both = cast_photo(SLUGS[9], 2), put_side_by_side(*map(cast_photo, (SLUGS[0], SLUGS[9])))
    files = {"ada_1.jpg": both, "ada_2.jpg": ada, "bob_1.jpg": both + b" "}
    report = take(write_files(tmp_path / "people", {**files}))

    assert report.imported == 2
    assert lines(report, Kind.FAILED) == ["bob_1.jpg: more than one face (2 faces)"]
    assert Portrait.objects.filter(celebrity__name="Ada").count() == 2
