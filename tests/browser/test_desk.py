"""A whole morning at the curators' desk (lines 2, 15, 62 and 63 of the specification)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.conftest import DEMO
from tests.live import ADMIN_PASSWORD, Site
from tests.mixed_gallery import make_mixed_gallery

pytestmark = pytest.mark.browser

QUEUE = "/admin/celebrities/portrait/queue"
PEOPLE = "/admin/celebrities/celebrity/"
FOLLOW = """
from celebrities.desk.following import follow_build
from celebrities.models import IndexBuild
follow_build(IndexBuild.objects.current())
"""
WORK = """
from celebrities.desk.jobs import work_on_jobs
from celebrities.gallery import embed_portraits
from celebrities.models import Portrait
while work_on_jobs():
    pass
embed_portraits(Portrait.objects.pending())
"""
CROWD = """
from celebrities.models import Celebrity
Celebrity.objects.bulk_create(
    Celebrity(name=f"Extra {n:03d}", slug=f"extra-{n:03d}", sort_key=f"extra {n:03d}",
              search_key=f"extra {n:03d}")
    for n in range(250)
)
"""
STATE = """
import json
from celebrities.models import Celebrity
people = Celebrity.objects.exclude(name__startswith="Extra").filter(merged_into=None)
print(json.dumps({
    person.name: [person.published, person.other_names, sorted(
        (each.import_file.rpartition("/")[2], each.status, each.flag)
        for each in person.portraits.all()
    ), person.chosen_cover and person.chosen_cover.import_file.rpartition("/")[2]]
    for person in people
}))
"""


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_mixed_gallery(tmp_path / "gallery", DEMO)


@pytest.fixture
def desk_site(make_site: Callable[..., Site], gallery: Path) -> Site:
    site = make_site(LOOKALIKE_DEMO="0")
    site.manage("prepare")
    site.manage("import_celebrities", str(gallery), fails=True)
    site.run_python(FOLLOW)
    site.run_python(CROWD)
    site.start("valkey", "web")
    return site


@pytest.fixture
def desk(desk_site: Site, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=desk_site.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()


def press(desk: Page, key: str) -> None:
    with desk.expect_navigation():
        desk.keyboard.press(key)


def open_person(desk: Page, name: str) -> None:
    desk.goto(f"{PEOPLE}?q={name}")
    desk.get_by_role("link", name=name, exact=True).last.click()


def test_62_a_whole_morning(desk: Page, desk_site: Site, gallery: Path) -> None:
    morning = desk.locator(".desk-morning")
    for title in ("Odd one out", "Choose a face", "The same picture twice", "Perhaps the same"):
        expect(morning.get_by_role("link", name=title)).to_be_visible()

    desk.goto(f"{QUEUE}/odd/")
    expect(desk.locator("#desk-case")).to_contain_text("(Saoirse Quillane)")
    press(desk, "m")
    expect(desk.locator(".desk-empty")).to_be_visible()

    desk.goto(f"{QUEUE}/faces/")
    assert desk.locator(".desk-side rect").count() >= 3
    press(desk, "1")
    expect(desk.locator(".desk-empty")).to_be_visible()

    desk.goto(f"{QUEUE}/picture/")
    press(desk, "1")
    expect(desk.locator(".desk-empty")).to_be_visible()

    desk.goto(f"{QUEUE}/person/")
    expect(desk.locator(".desk-sides")).to_contain_text("Amara Dioulasse")
    press(desk, "1")
    press(desk, "u")
    expect(desk.locator(".messagelist")).to_contain_text("Taken back")
    press(desk, "1")
    expect(desk.locator(".desk-empty")).to_be_visible()

    open_person(desk, "Kenji Morishige")
    expect(desk.locator(".desk-seen")).to_contain_text("Visitors see this person")
    cards = desk.locator(".inline-related.has_original")
    cards.nth(1).get_by_role("button", name="Make it the cover").click()
    expect(desk.locator(".messagelist")).to_contain_text("Done")

    desk.goto(f"{PEOPLE}?q=Extra")
    desk.locator("#action-toggle").check()
    desk.locator(".actions .question a").click()
    desk.locator("select[name=action]").select_option("unpublish")
    desk.get_by_role("button", name="Go").click()
    desk.get_by_role("link", name="See how far it is").click()
    expect(desk.locator("#content")).to_contain_text("0 of 250")
    desk_site.run_python(WORK)
    desk.reload()
    expect(desk.locator("#content")).to_contain_text("250 of 250")

    desk.goto(f"{PEOPLE}?q=Saoirse")
    desk.locator("#result_list input[name=_selected_action]").first.check()
    desk.locator("select[name=action]").select_option("take_out")
    desk.get_by_role("button", name="Go").click()
    desk.locator("input[type=submit]").click()
    expect(desk.locator(".messagelist")).to_contain_text("1 person is taken out")

    desk_site.manage("rebuild_index")
    said = desk_site.manage("import_celebrities", str(gallery), fails=True).stdout
    assert "Imported 0 portraits" in said
    state = json.loads(desk_site.run_python(STATE).splitlines()[-1])
    assert sorted(state) == ["Amara Dioulasse", "Kenji Morishige", "Somebody Else"]
    published, _names, portraits, cover = state["Kenji Morishige"]
    assert published
    assert [name for name, _status, _flag in portraits] == [
        "kenji1.jpg",
        "kenji2.jpg",
        "kenji3.jpg",
    ]
    assert cover == "kenji2.jpg"
    _published, _names, portraits, _cover = state["Amara Dioulasse"]
    assert sorted(status for _name, status, _flag in portraits) == ["ready", "ready", "rejected"]
    [[name, status, _flag]] = state["Somebody Else"][2]
    assert (name, status) == ("group.jpg", "ready")
    assert not json.loads(desk_site.run_python(EXTRAS))


EXTRAS = """
import json
from celebrities.models import Celebrity
print(json.dumps(Celebrity.objects.filter(name__startswith="Extra", published=True).count()))
"""


def test_02_and_63_pages_fit_the_window_and_anybody_can_use_them(
    desk: Page, desk_site: Site
) -> None:
    """No page is wider than the window, and axe finds nothing, light and dark."""
    open_person(desk, "Kenji Morishige")
    person = desk.url
    desk.goto(f"{PEOPLE}?q=Extra")
    pages = [
        *("/admin/", person, f"{person.removesuffix('change/')}history/"),
        *(f"{QUEUE}/odd/", f"{QUEUE}/faces/", f"{QUEUE}/picture/", f"{QUEUE}/person/"),
        *(f"{QUEUE}/licence/", "/admin/celebrities/indexbuild/", "/admin/celebrities/job/"),
        *(f"/admin/celebrities/galleryimport/{page}" for page in ("", "add/", "1/change/")),
    ]
    for width, scheme in ((1280, "light"), (768, "dark")):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in pages:
            desk.goto(path)
            assert desk.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            found = Axe().run(desk, context="#content")
            ours = [each for each in found.response["violations"] if _is_ours(each)]
            assert ours == [], (path, scheme, json.dumps(ours)[:2000])


def _is_ours(violation: dict[str, object]) -> bool:
    """Leaves out what Django's own admin has: we do not change its templates."""
    return "desk-" in json.dumps(violation["nodes"])


def test_15_and_40_cases_take_one_key_each_and_a_file_is_sent(
    desk: Page, desk_site: Site, gallery: Path, tmp_path: Path
) -> None:
    desk.goto(f"{QUEUE}/licence/")
    count = desk_site.run_python(BARE)
    for _case in range(int(count)):
        press(desk, "f")
    expect(desk.locator(".desk-empty")).to_be_visible()
    # Typing into a field stays typing.
    press(desk, "u")
    desk.locator("#id_licence").fill("f")
    expect(desk.locator("#desk-case")).to_be_visible()

    # Its own import once more, sent in parts.
    packed = shutil.make_archive(str(tmp_path / "again"), "zip", gallery)
    desk.goto("/admin/celebrities/galleryimport/add/")
    desk.locator("#desk-import").evaluate("form => { form.dataset.part = 100000 }")
    desk.locator("#desk-file").set_input_files(packed)
    desk.get_by_role("button", name="Send").click()
    expect(desk.locator("#content")).to_contain_text("A worker looks at the file")
    desk_site.run_python(LOOK)
    desk.reload()
    expect(desk.locator("#content")).to_contain_text("This is what it would do")
    expect(desk.locator(".desk-counts")).to_contain_text("already in the gallery: 10")


LOOK = """
from celebrities.incoming.work import work_on_imports
work_on_imports()
"""
BARE = """
from celebrities.desk.queues import QUEUES
print(QUEUES["licence"].rows.count())
"""
