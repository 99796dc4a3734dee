"""The addresses that search engines should know, each once for every language."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from celebrities.models import Celebrity

PAGES = (
    "uploads:new",
    "celebrities:list",
    "celebrities:how",
    "celebrities:credits",
    "celebrities:removal",
    "privacy",
)


class Pages(Sitemap[tuple[str, str]]):
    def items(self) -> list[tuple[str, str]]:
        return [(page, code) for code, _name in settings.LANGUAGES for page in PAGES]

    def location(self, item: tuple[str, str]) -> str:
        page, code = item
        return f"{reverse(page)}?lang={code}"


class People(Sitemap[Celebrity]):
    """In one language a file."""

    limit = 10_000

    def __init__(self, language: str) -> None:
        self.language = language

    def items(self) -> QuerySet[Celebrity]:
        return Celebrity.objects.searchable().only("slug", "updated_at").order_by("pk")

    def location(self, item: Celebrity) -> str:
        return f"{item.get_absolute_url()}?lang={self.language}"

    def lastmod(self, item: Celebrity) -> datetime:
        return item.updated_at


def list_sitemaps() -> dict[str, Pages | People]:
    people = {f"people-{code}": People(code) for code, _name in settings.LANGUAGES}
    return {"pages": Pages(), **people}
