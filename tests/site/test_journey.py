"""A photo goes in, the people who look like it come out: on the embedded services, and on
PostgreSQL, Valkey over TCP and S3, by nothing but environment variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from tests.conftest import MakeSite
from tests.live import Site
from tests.services import BUCKET, is_public
from tests.visitor import Visitor

LIST_UPLOADED_FILES = """
from uploads.models import Upload
for upload in Upload.objects.all():
    print("uploads/" + upload.photo.name)
"""


def test_it_works(live_site: Site, cast: dict[str, list[Path]]) -> None:
    """Every visitor's photo of the cast finds its person first."""
    found = {}
    for start in range(0, len(cast), 24):
        with Visitor(live_site.url) as visitor:
            for slug in list(cast)[start : start + 24]:
                found[slug] = visitor.find_people(cast[slug][2])

    assert len(found) == 48
    assert [slug for slug, people in found.items() if people[0] != slug] == []
    assert {len(people) for people in found.values()} == {6}


@pytest.fixture(scope="module")
def served_by_real_services(
    postgres: str,
    redis_url: str,
    s3: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Site:
    site = Site(
        tmp_path_factory.mktemp("services"),
        {"DATABASE_URL": postgres, "REDIS_URL": redis_url, **s3},
    )
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    return site


@pytest.mark.services
def test_it_works_on_real_services(
    served_by_real_services: Site, cast: dict[str, list[Path]]
) -> None:
    site = served_by_real_services
    site.start("web", "worker", "gallery")
    try:
        with Visitor(site.url) as visitor:
            page = visitor.give(cast["kenji-morishige"][2])
            text = visitor.wait_for_result(page)
            assert re.findall(r'href="/people/([^/"]+)/"', text)[0] == "kenji-morishige"
            assert visitor.session.get(f"{page}photo.jpg", timeout=30).status_code == 200
        assert_only_the_gallery_is_public(site, text)
    finally:
        site.stop()
    assert not (site.data_dir / "lookalike.sqlite3").exists()
    assert not (site.data_dir / "valkey").exists()
    assert not (site.data_dir / "media").exists()


def assert_only_the_gallery_is_public(site: Site, text: str) -> None:
    bucket = site.environment["LOOKALIKE_S3_ENDPOINT"]
    pictures = re.findall(rf'src="({bucket}/{BUCKET}/[^"]+)"', text)
    assert pictures
    assert requests.get(pictures[0], timeout=30).status_code == 200
    keys = [picture.removeprefix(f"{bucket}/{BUCKET}/") for picture in pictures]
    assert all(key.startswith("gallery/") and is_public(bucket, key) for key in keys)
    uploaded = site.run_python(LIST_UPLOADED_FILES).splitlines()
    assert uploaded
    assert not any(is_public(bucket, key) for key in uploaded)


@pytest.mark.services
def test_a_second_machine_fetches_the_index(
    served_by_real_services: Site, make_site: MakeSite, cast: dict[str, list[Path]]
) -> None:
    first = served_by_real_services
    names = ("DATABASE_URL", "REDIS_URL", "LOOKALIKE_STORAGE", "LOOKALIKE_S3_BUCKET")
    shared = {
        name: value
        for name, value in first.environment.items()
        if name in names or name.startswith("LOOKALIKE_S3_")
    }
    second = make_site(**shared)
    done = second.manage("match", str(cast["kenji-morishige"][2]), "--k", "1")
    assert "Kenji Morishige" in done.stdout
    assert [*(second.data_dir / "index").iterdir()]
