"""`manage.py load_demo`: the galleries that come with the project."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from celebrities import demo
from celebrities.demo import CONGRESS
from celebrities.models import Celebrity, DoNotImport, IndexBuild, Portrait, Resemblance
from celebrities.tasks import tend_gallery_task
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, make_photo, make_portrait, unit

pytestmark = pytest.mark.django_db

GALLERIES = demo.GALLERIES
SOME = ("al-green_1.webp", "nancy-pelosi_1.webp", "andre-carson_1.webp")


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("load_demo", *words, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def small_galleries(
    cast: dict[str, list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three members of the Congress, and four of the cast."""
    folder = tmp_path_factory.mktemp("galleries")
    congress, fictional = folder / "congress", folder / "fictional"
    congress.mkdir()
    fictional.mkdir()
    lines = (GALLERIES / "congress" / "manifest.csv").read_text().splitlines()
    listed = [line for line in lines if line.startswith(("file,", *SOME))]
    (congress / "manifest.csv").write_text("\n".join(listed))
    for name in (*SOME, "README.md"):
        shutil.copy(GALLERIES / "congress" / name, congress)
    for slug in list(cast)[:4]:
        for path in cast[slug]:
            shutil.copy(path, fictional)
    monkeypatch.setattr(demo, "GALLERIES", folder)


def test_it_works_twice_and_leaves_nothing_when_removed(
    real_engine: FaceEngine,
    data_dir: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    said = run()
    assert "Imported 3 portraits (3 new people), skipped 0, failed 0." in said
    build = IndexBuild.objects.current()
    assert build is not None
    assert (build.items, build.people) == (3, 3)
    assert Resemblance.objects.count() == 3 * 2
    assert "skipped 3" in run()
    assert IndexBuild.objects.current() == build

    with django_capture_on_commit_callbacks(execute=True):
        assert "Removed 3 people of the gallery congress." in run("--remove")
    for model in (Celebrity, Portrait, Resemblance):
        assert not model.objects.exists()
    assert IndexBuild.objects.current() is None
    # Who was deleted is remembered, should an older database be put back.
    left = {path.parent.name for path in data_dir.rglob("*") if path.is_file()}
    assert left == {"deleted"}


def test_it_knows_who_they_are(fake_engine: FaceEngine) -> None:
    run()
    person = Celebrity.objects.get(name="André Carson")

    assert (person.gender, person.birth_year, person.wikidata_id) == ("male", 1974, "Q517649")
    assert [str(category) for category in person.categories.all()] == ["politician"]
    assert not person.is_fictional
    portrait = person.portraits.get()
    assert portrait.author == "US Government Publishing Office"
    assert portrait.licence == "Public domain"
    assert portrait.source_page == "https://bioguide.congress.gov/search/bio/C001072"


def test_the_whole_gallery_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "GALLERIES", GALLERIES)
    plan = CONGRESS.plan()

    assert len(plan.portraits) == 261
    assert all(photo.entry.licence and photo.entry.gender for photo in plan.portraits)
    assert (plan.bad_lines, plan.skipped, plan.failed, plan.remarks) == ([], [], [], [])


def test_it_loads_the_cast_when_asked(fake_engine: FaceEngine) -> None:
    run("--fictional")

    assert Celebrity.objects.filter(is_fictional=True, published=True).count() == 4
    assert Portrait.objects.ready().count() == 8


def test_it_removes_its_own_portraits_alone(fake_engine: FaceEngine, data_dir: Path) -> None:
    (other,) = make_people([unit(1)])
    run()
    run("--fictional")
    green = Celebrity.objects.get(name="Al Green")
    mine = make_portrait(green, make_photo(7))
    run("--remove")

    assert set(Celebrity.objects.all()) == {other, green}
    assert list(green.portraits.all()) == [mine]
    build = IndexBuild.objects.current()
    assert build is not None
    assert build.people == 2
    assert [path.name for path in (data_dir / "index").iterdir()] == [build.name]


def test_it_removes_the_cast_alone_when_asked(fake_engine: FaceEngine) -> None:
    run()
    run("--fictional")
    run("--fictional", "--remove")

    assert Celebrity.objects.count() == 3
    assert not Celebrity.objects.filter(is_fictional=True).exists()


@pytest.mark.parametrize(("words", "fictional"), [((), False), (("--fictional",), True)])
def test_it_switches(fake_engine: FaceEngine, words: tuple[str, ...], fictional: bool) -> None:
    run(*() if fictional else ("--fictional",))
    run("--switch", *words)

    assert {person.is_fictional for person in Celebrity.objects.all()} == {fictional}
    build = IndexBuild.objects.current()
    assert build is not None
    assert build.people == Celebrity.objects.count()


def test_it_does_nothing_if_the_gallery_has_people(fake_engine: FaceEngine) -> None:
    make_people([unit(1)])

    assert run("--if-empty") == ""
    assert Celebrity.objects.count() == 1


def test_it_tells_how_to_change_from_the_cast(fake_engine: FaceEngine) -> None:
    run("--fictional")

    assert "manage.py load_demo --switch" in run("--if-empty")
    assert "manage.py load_demo --switch" in run("--hint")
    assert run("--if-empty", "--fictional") == ""
    assert Celebrity.objects.count() == 4


def test_it_leaves_the_reading_to_the_gallery_worker(fake_engine: FaceEngine, valkey: str) -> None:
    run("--background")
    assert Celebrity.objects.coming().count() == 3
    assert not Celebrity.objects.searchable().exists()
    assert not IndexBuild.objects.exists()
    assert "skipped 3" in run("--background")

    tend_gallery_task()
    assert Celebrity.objects.coming().count() == 0
    assert Celebrity.objects.searchable().count() == 3
    build = IndexBuild.objects.current()
    assert build is not None
    assert build.people == 3


@pytest.mark.parametrize("words", [(), ("--background",)])
def test_who_asked_to_leave_stays_out(fake_engine: FaceEngine, words: tuple[str, ...]) -> None:
    DoNotImport.objects.create(wikidata_id="Q517649", names=["andre carson"])
    run(*words)

    assert not Celebrity.objects.filter(name="André Carson").exists()
    assert Celebrity.objects.count() == 2
