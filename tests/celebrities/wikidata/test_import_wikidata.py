"""manage.py import_wikidata, against a local server."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from filelock import FileLock
from PIL import Image
from pytest_django.fixtures import Settings
from rich.console import Console

from celebrities.categories import find_category
from celebrities.do_not_import import hash_picture
from celebrities.gallery import delete_portraits
from celebrities.management import progress
from celebrities.management.commands.import_wikidata import Command
from celebrities.models import Celebrity, DoNotImport, IndexBuild, Portrait
from celebrities.wikidata.occupations import CATEGORY_OF, OCCUPATIONS, find_item
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Photo
from tests.celebrities.factories import encode, make_celebrity, make_photo, make_picture
from tests.wikimedia import UNKNOWN_VALUE, Wikimedia

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("import_wikidata", *words, stdout=out, stderr=out)
    return out.getvalue()


def names() -> list[str]:
    return [person.name for person in Celebrity.objects.order_by("pk")]


def read_report(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def image_of_a_wall() -> bytes:
    """A picture in which nobody's face is found."""
    return encode(Image.new("RGB", (300, 400), "grey"))


def test_it_works(site: Wikimedia) -> None:
    site.add_person(
        "Q1",
        "Ada Example",
        portrait=make_photo(1),
        labels={"en": "Ada Example", "ru": "Ада Пример", "mul": "Ada Example"},
        aliases={"en": ["Ada E."], "ru": ["А. Пример"], "fr": ["Ada Exemple"]},
    )
    site.add_person("Q2", "Bob Sample", portrait=make_photo(2), sitelinks=70)
    said = run("--occupation", "actor", "-v", "2")

    assert "2 of these people are in the gallery. 2 pictures are new, 0 people" in said
    assert "Index" in said
    ada = Celebrity.objects.get(wikidata_id="Q1")
    assert (ada.name, ada.other_names) == ("Ada Example", "Ада Пример\nAda E.\nА. Пример")
    assert (ada.gender, ada.birth_year, ada.death_year) == ("female", 1960, None)
    assert ada.source_page == "https://www.wikidata.org/wiki/Q1"
    assert [each.plural_ru for each in ada.categories.all()] == ["актёры"]
    portrait = ada.portraits.get()
    assert portrait.status == Portrait.Status.READY
    assert (portrait.author, portrait.licence) == ("Jo Doe", "CC BY-SA 4.0")
    assert portrait.licence_url == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert portrait.source_page == "https://commons.wikimedia.org/wiki/File%3AAda_Example.jpg"
    assert portrait.source_sha1 == site.files["File:Ada Example.jpg"]["sha1"]


MOODS = [
    "429 0",
    "503 0",
    "maxlag 0",
    "ratelimited 0",
    "html",
    "empty",
    "no-object",
    "cut",
    "moved",
    "moved https://example.org/",
    "500",
    "slow 0.6",
    "dated 0",
]


def test_the_right_people_come_in_whatever_the_mood(site: Wikimedia) -> None:
    """Each of the first requests meets two moods before it is answered."""
    for number, mood in enumerate(MOODS):
        site.moods += [mood, MOODS[number - 3], ""]
    site.parts = 2
    for number in range(1, 8):
        site.add_person(f"Q{number}", f"P {number}", portrait=make_photo(number))
    site.add_person("Q8", "P 8", portrait=make_photo(8), credit={"License": "cc-by-nd-4.0"})
    site.add_person("Q9", "P 9", portrait=image_of_a_wall())
    site.add_person("Q10", "P 10", portrait=make_photo(10), born="+2015-01-01")
    said = run("--occupation", "actor", "--no-rebuild")

    assert names() == [f"P {number}" for number in range(1, 8)]
    assert "7 of these people are in the gallery. 7 pictures are new, 3 people" in said
    assert not site.moods


def test_shows_people_pictures_and_refusals_at_a_terminal(
    site: Wikimedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    monkeypatch.setattr(progress, "_console", console)
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    site.add_person("Q2", "Bob")
    site.moods.append("html")
    run("--occupation", "actor", "--no-rebuild")

    assert "1 people, 1 new pictures, 1 refused" in screen.getvalue()
    assert "an answer without data. Asking again in" in screen.getvalue()


def test_takes_the_best_known_up_to_the_limit(site: Wikimedia) -> None:
    for number in range(1, 6):
        site.add_person(
            f"Q{number}", f"P {number}", portrait=make_photo(number), sitelinks=100 + number
        )
    run("--occupation", "actor", "--limit", "3")
    assert set(names()) == {"P 5", "P 4", "P 3"}

    run("--occupation", "actor", "--limit", "4", "--no-rebuild")
    assert set(names()) == {"P 5", "P 4", "P 3", "P 2"}


def test_someone_refused_makes_room_for_the_next(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1), sitelinks=300, credit={"License": "gfdl"})
    site.add_person("Q2", "Bob", portrait=make_photo(2), sitelinks=200)
    run("--occupation", "actor", "--limit", "1", "--no-rebuild")

    assert names() == ["Bob"]


def test_imports_people_by_id_whoever_they_are(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1), sitelinks=2, claims={"P106": ["Q77"]})
    site.add_person("Q77", "", labels={"en": "juggler", "ru": "жонглёр"})
    run("--qid", "Q1,Q2", "--no-rebuild")

    assert names() == ["Ada"]
    assert "/sparql" not in site.paths()
    [category] = Celebrity.objects.get().categories.all()
    assert (category.slug, category.name_ru, category.plural_ru) == (
        "juggler",
        "жонглёр",
        "жонглёр",
    )


def test_asks_nothing_again_and_finds_nobody_twice(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    site.add_person("Q2", "Bob", portrait=image_of_a_wall())
    run("--occupation", "actor", "--no-rebuild")
    asked = len(site.seen)
    said = run("--occupation", "Q33999", "--no-rebuild")

    assert len(site.seen) == asked
    assert "1 of these people are in the gallery. 0 pictures are new" in said
    assert Portrait.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"claims": {"P31": ["Q95074"]}}, "not a person"),
        ({"labels": {"fr": "Ada"}}, "no name in en, ru"),
        ({"born": "+2015-01-01"}, "may be younger than 18"),
        ({"portrait": b""}, "no picture"),
        ({"claims": {"P18": ["Gone.jpg"]}}, "it is gone from Commons"),
        ({"credit": {"License": "cc-by-nc-4.0", "Artist": "Jo"}}, "commercial use (NC)"),
        ({"credit": {"License": "cc-by-nd-4.0", "Artist": "Jo"}}, "changes (ND)"),
        ({"credit": {"License": "cc-by-4.0", "NonFree": "1", "Artist": "Jo"}}, "NonFree"),
        ({"credit": {"License": "cc-by-4.0", "DeletionReason": "x"}}, "nominated for deletion"),
        ({"credit": {"License": "cc-by-4.0"}}, "asks for an author"),
        ({"credit": {}}, "no free licence"),
        ({"portrait": b"GIF89a no picture"}, "a broken picture"),
    ],
)
def test_refuses_with_a_reason(
    site: Wikimedia, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    site.add_person("Q1", "Ada", **{"portrait": make_photo(1), **change})
    run("--qid", "Q1", "--report", str(tmp_path / "report.csv"))

    assert not Celebrity.objects.exists()
    [line] = read_report(tmp_path / "report.csv")
    assert (line["outcome"], line["id"]) == ("refused", "Q1")
    assert reason in line["reason"]


def test_refuses_a_picture_without_a_usable_face(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=image_of_a_wall())

    assert "1 refused: no usable face: no face found" in run("--qid", "Q1")
    assert not Celebrity.objects.exists()


@pytest.mark.parametrize(
    ("words", "claims", "reason"),
    [
        (["--occupation", "певец"], {}, "another occupation"),
        (["--country", "Japan"], {}, "another country"),
        (["--min-sitelinks", "500"], {}, "too few sitelinks"),
        (["--born-after", "1960"], {}, "born at another time"),
        (["--born-before", "1960"], {}, "born at another time"),
        (["--born-before", "1960-05-17"], {}, "born at another time"),
        (["--born-before", "1970"], {"P569": [UNKNOWN_VALUE]}, "at an unknown one"),
    ],
)
def test_checks_what_was_asked_for_itself(
    site: Wikimedia, words: list[str], claims: dict[str, Any], reason: str
) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1), claims=claims)

    assert reason in run("--qid", "Q1", *words)


@pytest.mark.parametrize(
    "words",
    [
        ["--occupation", "актёр"],
        ["--occupation", "singer,actor", "--country", "США"],
        ["--born-after", "1959", "--born-before", "1961"],
        ["--born-after", "1960-05-16", "--born-before", "1960-05-18", "--min-sitelinks", "100"],
    ],
)
def test_takes_whom_the_conditions_fit(site: Wikimedia, words: list[str]) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    run("--qid", "Q1", "--no-rebuild", *words)

    assert names() == ["Ada"]


def test_least_age_is_a_setting(site: Wikimedia, settings: Settings) -> None:
    settings.LEAST_AGE = 90
    site.add_person("Q1", "Ada", portrait=make_photo(1))

    assert "may be younger than 90" in run("--qid", "Q1")


@pytest.mark.parametrize(
    "entry",
    [
        {"wikidata_id": "Q1"},
        {"names": ["ada"]},
        {"sha256": [hashlib.sha256(make_photo(1)).hexdigest()]},
        {"phashes": [f"{hash_picture(make_photo(1)):064x}"]},
    ],
)
def test_refuses_whoever_is_on_the_do_not_import_list(
    site: Wikimedia, entry: dict[str, Any]
) -> None:
    DoNotImport.objects.create(**entry)
    site.add_person("Q1", "Ada", portrait=make_photo(1))

    assert "1 refused: on the do-not-import list since" in run("--qid", "Q1")
    assert not Celebrity.objects.exists()


def test_takes_a_further_picture_where_the_first_will_not_do(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", claims={"P18": ["Wall.jpg", "Gone.jpg", "Good.jpg"]})
    site.add_file("Wall.jpg", image_of_a_wall())
    site.add_file("Good.jpg", make_photo(1))
    run("--qid", "Q1", "--no-rebuild")

    assert Portrait.objects.get().source_page.endswith("Good.jpg")


def test_takes_several_portraits_and_asks_for_the_category_only_then(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", claims={"P18": ["A.jpg"], "P373": ["Ada"]})
    for number, name in enumerate(["A.jpg", "B.jpg", "C.jpg", "D.jpg"]):
        site.add_file(name, make_photo(number))
    site.categories["Ada"] = ["A.jpg", "B.jpg", "C.jpg", "D.jpg"]
    run("--qid", "Q1", "--no-rebuild")
    assert Portrait.objects.count() == 1
    assert not any("list" in seen.query for seen in site.seen)

    run("--qid", "Q1", "--no-rebuild", "--portraits", "3")
    assert [each.source_page[-5:] for each in Portrait.objects.order_by("pk")] == [
        "A.jpg",
        "B.jpg",
        "C.jpg",
    ]


def test_a_picture_is_known_by_its_sha1(site: Wikimedia, tmp_path: Path) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    site.add_person("Q2", "Bob", portrait=make_photo(1))
    run("--qid", "Q1,Q2", "--no-rebuild", "--report", str(tmp_path / "r.csv"))

    assert names() == ["Ada"]
    assert "picture of Ada" in read_report(tmp_path / "r.csv")[1]["reason"]


def test_a_portrait_that_a_curator_took_out_stays_out(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    run("--qid", "Q1", "--no-rebuild")
    delete_portraits(Portrait.objects.all())

    assert "0 pictures are new" in run("--qid", "Q1", "--no-rebuild")
    assert not Portrait.objects.exists()


def test_someone_of_the_gallery_without_an_id_is_asked_about(site: Wikimedia) -> None:
    person = make_celebrity("Ada", birth_year=1960)
    site.add_person("Q1", "Áda", portrait=make_photo(1))

    assert f"perhaps the gallery's Ada (number {person.pk})" in run("--qid", "Q1")
    assert names() == ["Ada"]


def test_another_of_the_same_name_is_nobody_to_ask_about(site: Wikimedia) -> None:
    make_celebrity("Ada", birth_year=1901)
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    run("--qid", "Q1", "--no-rebuild")

    assert names() == ["Ada", "Ada"]


def test_fills_what_the_gallery_lacks_of_someone_and_keeps_the_rest(site: Wikimedia) -> None:
    make_celebrity("Ada Curated", wikidata_id="Q1", birth_year=1961)
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    run("--qid", "Q1", "--no-rebuild")

    person = Celebrity.objects.get()
    assert (person.name, person.birth_year, person.gender) == ("Ada Curated", 1961, "female")
    assert person.portraits.count() == 1


def test_a_dry_run_writes_nothing_and_loads_no_picture(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    site.add_person("Q2", "Bob", portrait=make_photo(1), credit={})
    said = run("--occupation", "actor", "--dry-run", "-v", "2")

    assert "would be imported: Q1 Ada Ada.jpg" in said
    assert "refused: Q2 Bob Bob.jpg: it has no free licence" in said
    assert not Celebrity.objects.exists()
    assert not any(path.startswith("/thumb") for path in site.paths())


def test_keeps_people_back_and_leaves_the_index(site: Wikimedia) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    run("--qid", "Q1", "--unpublished", "--no-rebuild")

    assert not Celebrity.objects.get().published
    assert not IndexBuild.objects.exists()


def test_the_report_runs_nothing_in_a_spreadsheet(site: Wikimedia, tmp_path: Path) -> None:
    site.add_person("Q1", "=HYPERLINK(1)", portrait=make_photo(1))
    run("--qid", "Q1", "--no-rebuild", "--report", str(tmp_path / "r.csv"))

    [line] = read_report(tmp_path / "r.csv")
    assert line["name"] == "'=HYPERLINK(1)"
    assert (line["outcome"], line["author"], line["licence"]) == (
        "imported",
        "Jo Doe",
        "CC BY-SA 4.0",
    )


def test_the_credit_is_right_on_the_persons_page(site: Wikimedia) -> None:
    artist = "<table><tr><td><a href='//x'>Jo &lt;b&gt;</a></td><td>Doe</td></tr></table>"
    site.add_person(
        "Q1", "Ada", portrait=make_photo(1), credit={"License": "cc-by-sa-3.0", "Artist": artist}
    )
    run("--qid", "Q1", "--no-rebuild")
    page = Client().get(Celebrity.objects.get().get_absolute_url()).content.decode()

    assert "Photo: Jo &lt;b&gt; Doe" in page
    assert 'href="https://creativecommons.org/licenses/by-sa/3.0/"' in page
    assert "CC BY-SA 3.0" in page
    assert 'href="https://commons.wikimedia.org/wiki/File%3AAda.jpg"' in page
    assert "cropped" in page


def test_says_why_it_waits_where_there_is_no_terminal(site: Wikimedia) -> None:
    site.moods.append("maxlag 0")
    host = site.url.removeprefix("http://")

    assert f"{host}: maxlag. Asking again in 0 s.\n" in run("--qid", "Q1")


def test_requires_a_contact(site: Wikimedia, settings: Settings) -> None:
    settings.CONTACT = ""
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"LOOKALIKE_CONTACT .* asks every program"):
        call_command("import_wikidata", "--qid", "Q1", stdout=out)
    assert not site.seen
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--occupation, --country or --qid"),
        (["--occupation", "wizard"], "wizard"),
        (["--country", "atlantis"], "atlantis"),
        (["--qid", "L5"], "L5"),
        (["--qid", "Q1", "--language", "en|ru"], "--language"),
        (["--qid", "Q1", "--born-after", "soon"], "soon"),
        (["--qid", "Q1", "--portraits", "4"], "--portraits"),
    ],
)
def test_rejects_words_that_stand_for_nothing(site: Wikimedia, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*words)
    assert not site.seen


def test_rejects_an_address_outside_wikimedia(site: Wikimedia, settings: Settings) -> None:
    settings.COMMONS_API = "https://commons.example.org/w/api.php"
    with pytest.raises(CommandError, match=r"commons\.example\.org is not asked"):
        run("--qid", "Q1")


def test_only_one_runs_at_a_time(site: Wikimedia, settings: Settings) -> None:
    folder = settings.DATA_DIR / "wikidata"
    folder.mkdir(parents=True)
    with FileLock(folder / "lock"), pytest.raises(CommandError, match="one at a time"):
        run("--qid", "Q1")


def test_says_how_to_go_on_when_wikimedia_is_away(site: Wikimedia, tmp_path: Path) -> None:
    site.add_person("Q1", "Ada", portrait=make_photo(1))
    site.moods += ["", "", "429 3000"]
    with pytest.raises(CommandError, match="again in 50 minutes: it goes on"):
        run("--qid", "Q1", "--report", str(tmp_path / "r.csv"))

    assert (tmp_path / "r.csv").exists()


def test_ends_at_once_where_a_request_is_refused(site: Wikimedia) -> None:
    site.moods.append("403")
    with pytest.raises(CommandError, match="refused a request: it answered HTTP 403"):
        run("--qid", "Q1")
    assert len(site.seen) == 1


def test_can_be_stopped_with_ctrl_c(site: Wikimedia, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    site.add_person("Q1", "Ada", portrait=make_photo(1))
    monkeypatch.setattr("celebrities.wikidata.files.load_picture", interrupt)
    with pytest.raises(CommandError, match="goes on where it stopped") as raised:
        run("--qid", "Q1")
    assert raised.value.returncode == 130


def test_one_picture_that_breaks_the_engine_does_not_end_the_run(
    site: Wikimedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_faces = FaceEngine.find_faces
    broken = make_picture(310, 400)

    def fail_for_one(self: FaceEngine, photo: Photo, **options: Any) -> Any:
        if photo.pixels.shape[1] == 310:
            raise RuntimeError("out of memory")
        return find_faces(self, photo, **options)

    monkeypatch.setattr(FaceEngine, "find_faces", fail_for_one)
    site.add_person("Q1", "Ada", portrait=encode(broken))
    site.add_person("Q2", "Bob", portrait=make_photo(2))

    assert "1 refused: it could not be read" in run("--occupation", "actor", "--no-rebuild")
    assert names() == ["Bob"]


def test_the_help_lists_words_in_both_languages() -> None:
    help = Command().create_parser("manage.py", "import_wikidata").format_help()

    assert "Q33999: actor, актёр\n" in help
    assert "Q30: united states, usa, сша\n" in help


@pytest.mark.parametrize(("id", "words"), OCCUPATIONS.items())
def test_every_listed_occupation_has_a_category_in_both_languages(
    id: str, words: tuple[str, str]
) -> None:
    category = find_category(CATEGORY_OF.get(words[0], words[0]))

    assert category is not None
    assert category.name_ru
    assert find_item(words[1].upper(), OCCUPATIONS) == id
