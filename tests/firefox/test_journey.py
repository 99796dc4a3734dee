"""The main journey in Firefox, with its protection from fingerprinting on and off: that protection
fills what a page reads from a canvas with noise, and photos are made smaller on a canvas."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.firefox.driving import Firefox
from tests.live import Site, wait_for

PERSON = "kenji-morishige"

pytestmark = pytest.mark.browsers


@pytest.fixture(params=[False, True], ids=["usual", "resisting"])
def firefox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Firefox]:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("firefox is not installed")
    browser = Firefox(program, tmp_path, **{"privacy.resistFingerprinting": request.param})
    yield browser
    browser.quit()


@pytest.fixture(params=["small", "large"])
def photo(request: pytest.FixtureRequest, tmp_path: Path, cast: dict[str, list[Path]]) -> Path:
    """As it is, or so large that the browser makes it smaller."""
    if request.param == "small":
        return cast[PERSON][2]
    path = tmp_path / "large.jpg"
    with Image.open(cast[PERSON][2]) as image:
        size = (4000, round(4000 * image.height / image.width))
        image.resize(size).save(path, quality=97, subsampling=0)
    return path


def test_it_works(firefox: Firefox, live_site: Site, photo: Path) -> None:
    """Choose, agree, send; the right person, a link, deletion."""
    firefox.open(live_site.url)
    firefox.choose_file("#id_photo", photo)
    firefox.find(".has-photo #preview")
    firefox.click("#id_consent")
    firefox.click("#send")

    firefox.find(".result")
    assert firefox.text("h1") == "Your look-alikes"
    link = firefox.run("return document.querySelector('.best-name a').getAttribute('href')")
    assert link == f"/people/{PERSON}/"
    result = firefox.run("return location.href")

    firefox.click(".link summary")
    firefox.click("button[name=link]")
    firefox.find(".link-address")
    shared = firefox.run("return document.querySelector('.link-address').value")
    firefox.open(shared)
    assert "Someone sent you their look-alike" in firefox.text("h1")

    firefox.open(result)
    firefox.click(".keeping .button-danger")
    firefox.click(".button-danger-main")
    assert firefox.text("h1") == "Deleted"
    firefox.open(shared)
    assert firefox.text("h1") == "This link no longer works"


def test_results_are_found_again(firefox: Firefox, live_site: Site, photo: Path) -> None:
    """Reload keeps the chosen photo, and the first page lists the result."""
    firefox.open(live_site.url)
    firefox.choose_file("#id_photo", photo)
    firefox.find(".has-photo #preview")
    wait_for(lambda: firefox.run("return sessionStorage.getItem('photo') !== null"), "the photo")
    firefox.ask("WebDriver:Refresh")
    firefox.find(".has-photo #preview")
    firefox.click("#id_consent")
    firefox.click("#send")
    firefox.find(".result")
    firefox.open(live_site.url)
    firefox.find(".mine")
