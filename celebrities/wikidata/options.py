"""What an import is asked to do, and where the services are."""

from __future__ import annotations

from dataclasses import dataclass

from celebrities.models import GalleryImport
from celebrities.wikidata.sparql import Search

ANYBODY = Search(min_sitelinks=0)


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of the three services."""

    sparql: str
    wikidata: str
    commons: str


@dataclass(frozen=True, slots=True)
class Options:
    """Whom to import, and how. ``portraits`` is the number for each person. ``limit`` is how many
    people to end up with, including those already in the gallery; 0 means all. ``record`` is the
    import's row."""

    search: Search = ANYBODY
    languages: tuple[str, ...] = ("en", "ru")
    portraits: int = 1
    limit: int = 0
    least_age: int = 18
    published: bool = True
    dry_run: bool = False
    record: GalleryImport | None = None
