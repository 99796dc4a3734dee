"""Sources, layouts, and the import itself."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from celebrities.errors import BadSource
from celebrities.gallery import BATCH, delete_celebrities
from celebrities.importers.importing import Options, Summary, import_plan
from celebrities.importers.layout import name_person, plan_import
from celebrities.importers.sources import MAX_MANIFEST_BYTES, FolderSource, ZipSource, open_source
from celebrities.models import Celebrity, Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_photo, write_files


def pack(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def take(path: Path, **options: object) -> Summary:
    source = open_source(path)
    return import_plan(source, plan_import(source), Options(**options))  # type: ignore[arg-type]


# Sources


def test_a_folder_and_an_archive_of_it_read_alike(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"Ada/1.jpg": b"one", "Ada/2.jpg": b"two", ".DS_Store": b""}
    folder = FolderSource(write_files(tmp_path / "folder", files))
    archive = ZipSource(pack(tmp_path / "a.zip", {**files, "__MACOSX/Ada/._1.jpg": b"junk"}))

    for source in (folder, archive):
        assert source.names() == ["Ada/1.jpg", "Ada/2.jpg"]
        assert source.read("Ada/2.jpg") == b"two"
        assert source.read("Ada/2.jpg", limit=1) == b"tw"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(make_photo())
    folder = write_files(tmp_path / "folder", {"ada_1.jpg": b"x"})
    (folder / "link_1.jpg").symlink_to(secret)
    source = FolderSource(folder)

    with pytest.raises(OSError, match="out of the folder"):
        source.read("link_1.jpg")


def test_an_archive_bomb_is_never_inflated_beyond_the_limit(tmp_path: Path) -> None:
    source = ZipSource(pack(tmp_path / "bomb.zip", {"bomb_1.jpg": bytes(200_000_000)}))

    assert len(source.read("bomb_1.jpg", limit=1_000_000)) == 1_000_001


def test_names_that_climb_out_of_an_archive_lead_nowhere(tmp_path: Path) -> None:
    path = pack(tmp_path / "evil.zip", {"../../evil_1.jpg": b"x", "/etc/passwd_1.jpg": b"y"})
    before = sorted(tmp_path.rglob("*"))
    source = ZipSource(path)
    for name in source.names():
        source.read(name)

    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_member_is_an_error_of_that_file_alone(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"ada_1.jpg": make_photo(1), "bob_1.jpg": b"fine"})
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    source = ZipSource(path)

    with pytest.raises(OSError, match="unpacked"):
        source.read("ada_1.jpg")
    assert source.read("bob_1.jpg") == b"fine"


def test_rejects_what_is_neither_folder_nor_archive(tmp_path: Path) -> None:
    write_files(tmp_path, {"notes.txt": "text", "broken.zip": b"PK\x03\x04broken"})

    for name in ("missing", "notes.txt", "broken.zip"):
        with pytest.raises(BadSource, match=name):
            open_source(tmp_path / name)


# Layouts


def test_files_are_given_to_people_by_folder_and_by_name(tmp_path: Path) -> None:
    folder = write_files(
        tmp_path,
        {
            "Ada Lovelace/any name.jpg": b"",
            "grace_hopper/1.png": b"",
            "jean-paul-example_1.jpg": b"",
            "jean-paul-example_2.jpg": b"",
            "Solo.webp": b"",
            "README.txt": "notes",
        },
    )
    plan = plan_import(FolderSource(folder))

    names = {found.entry.file: found.entry.name for found in plan.portraits}
    assert names == {
        "Ada Lovelace/any name.jpg": "Ada Lovelace",
        "grace_hopper/1.png": "Grace Hopper",
        "jean-paul-example_1.jpg": "Jean Paul Example",
        "jean-paul-example_2.jpg": "Jean Paul Example",
        "Solo.webp": "Solo",
    }
    assert [problem.where for problem in plan.skipped] == ["README.txt"]
    assert plan.failed == []


@pytest.mark.parametrize("wrapper", ["", "gallery/"])
def test_a_folder_round_everything_is_no_person(tmp_path: Path, wrapper: str) -> None:
    files: dict[str, bytes | str] = {
        f"{wrapper}manifest.csv": "file,name\nada_1.jpg,Ada Lovelace\n",
        f"{wrapper}ada_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    assert [found.entry.name for found in plan.portraits] == ["Ada Lovelace"]
    assert plan.failed == []


def test_a_single_persons_folder_in_an_archive_is_that_person(tmp_path: Path) -> None:
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", {"Ada Lovelace/1.jpg": b""})))

    assert [found.entry.name for found in plan.portraits] == ["Ada Lovelace"]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("jane-doe", "Jane Doe"),
        ("Jane Doe", "Jane Doe"),
        ("jane_doe", "Jane Doe"),
        ("Jean-Paul", "Jean-Paul"),
        ("алла-пугачёва", "Алла Пугачёва"),
        ("---", "---"),
        ("zoe\u0308", "Zoë"),
    ],
)
def test_words_become_names(word: str, name: str) -> None:
    assert name_person(word) == name


# Manifests in a source


@pytest.mark.parametrize(
    ("file", "listed"),
    [
        ("Ada_1.JPG", "ada_1.jpg"),
        (unicodedata.normalize("NFD", "zoë_1.jpg"), "zoë_1.jpg"),
        ("zoë_1.jpg", unicodedata.normalize("NFD", "ZOË_1.jpg")),
        ("people/Ada.jpg", ".\\people\\ada.jpg"),
    ],
)
def test_listed_names_may_differ_in_case_and_unicode_form(
    tmp_path: Path, file: str, listed: str
) -> None:
    folder = write_files(
        tmp_path,
        {
            file: b"",
            "other/x.jpg": b"",
            "Manifest.CSV": f"file,name,author\n{listed},Zoë,Me\n",
        },
    )
    plan = plan_import(FolderSource(folder))

    (found,) = [photo for photo in plan.portraits if photo.file == file]
    assert (found.entry.name, found.entry.author) == ("Zoë", "Me")
    assert plan.failed == []


def test_an_exact_name_comes_before_one_in_another_case(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "manifest.csv": "file,name\nada_1.jpg,Ada\nADA_1.jpg,Bob\n",
        "ada_1.jpg": b"",
        "ADA_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    names = {photo.file: photo.entry.name for photo in plan.portraits}
    assert names == {"ada_1.jpg": "Ada", "ADA_1.jpg": "Bob"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("Ada_1.jpg,Ada", "Ada_1.jpg fits 2 files"),
        ("ada_1.jpg,Ada,extra", "3 fields, the heading 2"),
        ("Ada,ada_1.jpg,extra", "3 fields, the heading 2"),
        (".\\ada_1.jpg,Ada\nada_1.jpg,Bob", "named a second time"),
    ],
)
def test_a_file_whose_row_is_refused_is_not_imported(
    tmp_path: Path, rows: str, reason: str
) -> None:
    """It would be published without its name and credit."""
    files: dict[str, bytes | str] = {
        "manifest.csv": f"file,name\n{rows}\n",
        "ada_1.jpg": b"",
        "ADA_1.jpg": b"",
        "bob_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    assert "ada_1.jpg" not in {photo.file for photo in plan.portraits}
    assert reason in plan.failed[0].reason


def test_two_rows_for_one_file_refuse_it(tmp_path: Path) -> None:
    files = write_files(
        tmp_path, {"manifest.csv": "file,name\nADA_1.jpg,Ada\nAda_1.jpg,Bob\n", "ada_1.jpg": b""}
    )
    plan = plan_import(FolderSource(files))

    assert plan.portraits == []
    assert [(p.where, p.reason) for p in plan.failed] == [
        ("manifest.csv, line 3", "Ada_1.jpg is named a second time")
    ]


def test_a_line_without_its_file_is_said(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"manifest.csv": "file,name\nada_1.jpg,Ada\n"})
    plan = plan_import(FolderSource(folder))

    assert [(p.where, p.reason) for p in plan.failed] == [
        ("manifest.csv, line 2", "there is no ada_1.jpg")
    ]


def test_a_manifest_inside_a_persons_folder_is_named(tmp_path: Path) -> None:
    folder = write_files(
        tmp_path, {"Ada/1.jpg": b"", "Ada/manifest.csv": "file\n1.jpg", "Bob/1.jpg": b""}
    )
    plan = plan_import(FolderSource(folder))

    assert plan.remarks == ["Ada/manifest.csv was not read: only the outermost manifest.csv is"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name,gender\nAda,female\n", 'Line 1: it has no column "file"'),
        ("", 'Line 1: it has no column "file"'),
        ('file,name\nada_1.jpg,"Ada\n', "Line 2: the quotes or separators are broken"),
        ("file,name\nada_1.jpg,Иван".encode("cp866"), "Line 1: the encoding of the text"),
        (bytes(MAX_MANIFEST_BYTES + 1), "larger than 100,000,000 bytes"),
    ],
)
def test_rejects_a_source_whose_manifest_cannot_be_understood(
    tmp_path: Path, content: bytes | str, reason: str
) -> None:
    source = ZipSource(pack(tmp_path / "a.zip", {"manifest.csv": content, "ada_1.jpg": b""}))

    with pytest.raises(BadSource, match=r"manifest\.csv cannot be used") as caught:
        plan_import(source)

    assert reason in str(caught.value)
    assert str(caught.value).endswith("Nothing was imported.")


@pytest.mark.django_db
def test_nothing_is_imported_beside_a_manifest_that_cannot_be_understood(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(tmp_path, {"ada_1.jpg": make_photo(1), "manifest.csv": "name\nAda\n"})

    with pytest.raises(CommandError, match=r"manifest\.csv cannot be used"):
        call_command("import_celebrities", folder)

    assert not Portrait.objects.exists()


@pytest.mark.django_db
def test_unknown_columns_are_reported(tmp_path: Path, fake_engine: FaceEngine) -> None:
    folder = write_files(
        tmp_path, {"ada_1.jpg": make_photo(1), "manifest.csv": "file,Rights\nada_1.jpg,CC0\n"}
    )
    errors = StringIO()

    call_command("import_celebrities", folder, no_rebuild=True, stderr=errors, stdout=StringIO())

    assert errors.getvalue() == "manifest.csv: the column 'Rights' is unknown and was not used.\n"


# The import


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
    summary = take(folder)

    assert (summary.imported, summary.people) == (3, 2)
    assert [problem.where for problem in summary.failed] == ["bad_1.jpg"]
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
    summary = take(folder)

    assert (summary.imported, summary.people, len(summary.skipped)) == (0, 0, 3)
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
    summary = take(write_files(tmp_path / "x", {"ada_1.jpg": b"no picture"}))

    assert summary.imported == 0
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

    summary = take(folder)

    assert "bob_1.jpg" in [problem.where for problem in summary.failed]
    assert len(summary.skipped) == 2
    assert Celebrity.objects.get(name="Bob").wikidata_id == ""


def take_while(path: Path, curate: Callable[[], object]) -> Summary:
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
def test_who_is_hidden_during_an_import_stays_hidden(
    two_batches: Path, fake_engine: FaceEngine
) -> None:
    take_while(two_batches, lambda: Celebrity.objects.all().unpublish())

    assert not Celebrity.objects.get().published


@pytest.mark.django_db
def test_what_a_curator_changes_during_an_import_stays(
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
def test_who_is_deleted_during_an_import_stays_away(
    two_batches: Path, fake_engine: FaceEngine
) -> None:
    summary = take_while(two_batches, lambda: delete_celebrities(Celebrity.objects.all()))

    assert not Celebrity.objects.exists()
    assert {problem.reason for problem in summary.failed} == {
        "this person was deleted during the import"
    }
