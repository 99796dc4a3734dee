"""The whole cast through the whole site: every visitor's photo finds its person first."""

from __future__ import annotations

from pathlib import Path

from tests.live import Site
from tests.visitor import Visitor


def test_it_works(live_site: Site, cast: dict[str, list[Path]]) -> None:
    found = {}
    for start in range(0, len(cast), 24):
        with Visitor(live_site.url) as visitor:
            for slug in list(cast)[start : start + 24]:
                found[slug] = visitor.find_people(cast[slug][2])

    assert len(found) == 48
    assert [slug for slug, people in found.items() if people[0] != slug] == []
    assert {len(people) for people in found.values()} == {6}
