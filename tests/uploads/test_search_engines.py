"""What search engines and friends' apps are told: addresses, languages, descriptions, pictures."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.test import Client

from celebrities.models import Celebrity
from tests.conftest import LANGUAGES
from tests.uploads.factories import body_of

PAGES = ["/", "/people/", "/how-it-works/", "/credits/", "/removal/", "/privacy/"]
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"

pytestmark = pytest.mark.django_db


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def list_addresses(client: Client, path: str) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(read(client, path)).iter(LOC)]  # noqa: S314 - our own answer.


def find_description(text: str) -> str:
    found = re.search(r'<meta name="description"\s+content="([^"]+)"', text)
    assert found
    return found[1]


def test_it_works(client: Client, gallery: list[Celebrity]) -> None:
    """robots.txt names the sitemap, which names every page and person in every language."""
    text = read(client, "/robots.txt")
    assert "Disallow: /u/\nDisallow: /s/\nDisallow: /admin/\n" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text

    found = set()
    for address in list_addresses(client, "/sitemap.xml"):
        found |= {*list_addresses(client, address.removeprefix("http://testserver"))}
    people = [person.get_absolute_url() for person in gallery]
    assert found == {
        f"http://testserver{path}?lang={code}" for path in [*PAGES, *people] for code in LANGUAGES
    }


def test_unpublished_people_are_in_no_sitemap(client: Client, gallery: list[Celebrity]) -> None:
    Celebrity.objects.filter(pk=gallery[0].pk).update(published=False)
    assert gallery[0].slug not in read(client, "/sitemap-people-en.xml")
    assert gallery[1].slug in read(client, "/sitemap-people-en.xml")


def test_there_is_no_sitemap_of_another_name(client: Client) -> None:
    assert client.get("/sitemap-people-xx.xml").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_an_address_for_each_language(client: Client, path: str) -> None:
    text = " ".join(read(client, f"{path}?lang=ru").split())
    assert '<html lang="ru">' in text
    assert f'<link rel="canonical" href="http://testserver{path}?lang=ru">' in text
    for code in LANGUAGES:
        link = f'hreflang="{code}" href="http://testserver{path}?lang={code}"'
        assert link in text
    assert f'hreflang="x-default" href="http://testserver{path}"' in text


def test_the_browser_remembers_the_language_of_an_address(client: Client) -> None:
    read(client, "/how-it-works/?lang=ru")
    assert '<html lang="ru">' in read(client, "/privacy/")
    # And can leave it by the switch on that page.
    page = read(client, "/privacy/?lang=ru")
    assert 'value="/privacy/"' in page
    response = client.post("/i18n/setlang/", {"language": "en", "next": "/privacy/"}, follow=True)
    assert '<html lang="en">' in response.content.decode()


@pytest.mark.parametrize("value", ["xx", "", "ru\t", "../ru"])
def test_a_language_that_the_site_lacks_changes_nothing(client: Client, value: str) -> None:
    response = client.get("/privacy/", {"lang": value})
    assert response.status_code in {200, 400}
    assert "django_language" not in response.cookies


def test_each_page_has_a_description_of_its_own(client: Client, gallery: list[Celebrity]) -> None:
    paths = [*PAGES, *(person.get_absolute_url() for person in gallery)]
    assert len({find_description(read(client, path)) for path in paths}) == len(paths)


def test_a_persons_page_has_a_card_with_their_portrait(
    client: Client, gallery: list[Celebrity]
) -> None:
    text = read(client, gallery[0].get_absolute_url())
    assert f'<meta property="og:title" content="{gallery[0].name}">' in text
    found = re.search(r'<meta property="og:image" content="http://testserver([^"]+)"', text)
    assert found
    assert body_of(client.get(found[1]))


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("/favicon.ico", "favicon-32.png"),
        ("/apple-touch-icon.png", "icon-180.png"),
        ("/apple-touch-icon-precomposed.png", "icon-180.png"),
    ],
)
def test_browsers_find_an_icon_without_being_told(client: Client, path: str, picture: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].endswith(picture)


def test_private_pages_name_no_address(client: Client) -> None:
    page = client.get("/u/00000000-0000-0000-0000-000000000001/").content.decode()
    assert 'rel="canonical"' not in page
