"""What people are known for: the common occupations of categories.csv, in both languages."""

from __future__ import annotations

import csv
from pathlib import Path

from django.utils.text import slugify

from celebrities.models import Category


def _read_known() -> dict[str, dict[str, str]]:
    """The fields of a category by the slug of its name and of each synonym."""
    known = {}
    with Path(__file__).with_name("categories.csv").open(encoding="utf-8", newline="") as file:
        for fields in csv.DictReader(file):
            words = [fields["name"], *fields.pop("synonyms").split("; ")]
            known.update(dict.fromkeys(map(slugify, filter(None, words)), fields))
    return known


KNOWN = _read_known()


def find_category(occupation: str, in_russian: str = "") -> Category | None:
    """The category of an occupation, made if it does not exist. ``in_russian`` is the word for
    one that categories.csv lacks. Returns None for a word that leaves no slug."""
    word = " ".join(occupation.split())
    new = {"name": word, "plural": word, "name_ru": in_russian, "plural_ru": in_russian}
    known = KNOWN.get(slugify(word), new)
    slug = slugify(known["name"]) or slugify(known["name"], allow_unicode=True)
    if not slug:
        return None
    fields = {field: text[:80] for field, text in known.items()}
    return Category.objects.get_or_create(slug=slug[:50], defaults=fields)[0]
