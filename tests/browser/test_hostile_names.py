"""Texts of strangers and of sources are shown as text, wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage
from tests.live import ADMIN_PASSWORD, Site
from tests.visitor import Visitor

pytestmark = pytest.mark.browser

EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
SLUG = "kenji-morishige"
SPOIL = f"""
from celebrities.models import Celebrity, Category, Portrait, RemovalRequest
evil = {EVIL!r}
person = Celebrity.objects.get(slug="{SLUG}")
Celebrity.objects.filter(pk=person.pk).update(name=evil, other_names=evil)
person.portraits.update(author=evil, licence=evil[:60], notes=evil, import_file=evil[:90])
person.categories.add(Category.objects.create(name=evil[:90], slug="evil"))
RemovalRequest.objects.create(person=evil[:90], message=evil, contact=evil[:90])
print(person.pk)
"""
MEND = f"""
from celebrities.models import Celebrity, Category, RemovalRequest
person = Celebrity.objects.get(slug="{SLUG}")
Celebrity.objects.filter(pk=person.pk).update(name="Kenji Morishige", other_names="")
person.portraits.update(author="", licence="", notes="", import_file="")
Category.objects.filter(slug="evil").delete()
RemovalRequest.objects.all().delete()
"""
ADMIN = "/admin/celebrities"


@pytest.fixture
def person(live_site: Site) -> Iterator[str]:
    yield live_site.run_python(SPOIL)
    live_site.run_python(MEND)


def test_28_no_text_is_run(
    live_site: Site, person: str, open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    with Visitor(live_site.url) as visitor:
        result = visitor.give(cast[SLUG][2])
        visitor.wait_for_result(result)
        [owner] = [each for each in visitor.session.cookies if each.name == "owner"]
    page = open_page("/people/")
    page.context.add_cookies([{"name": "owner", "value": str(owner.value), "url": live_site.url}])
    page.on("dialog", lambda dialog: pytest.fail(f"{page.url} ran a script: {dialog.message}"))
    for path in ("/people/?order=newest", f"/people/{SLUG}/", "/credits/", "/", result):
        page.goto(path if path.startswith("http") else live_site.url + path)
        if path not in ("/", "/credits/"):
            assert "onerror=alert(2)" in page.inner_text("body"), path
        assert page.locator("img[src=x]").count() == 0, path

    page.goto(f"{live_site.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", ADMIN_PASSWORD)
    page.click("[type=submit]")
    own = [f"/celebrity/{person}/{name}/" for name in ("change", "history", "delete", "merge")]
    for path in ("/celebrity/", *own, "/category/", "/portrait/?q=onerror", "/removalrequest/"):
        page.goto(live_site.url + ADMIN + path)
        assert "onerror=alert" in page.content(), path
        assert page.locator("img[src=x]").count() == 0, path
