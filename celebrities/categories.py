"""What people are known for: the common occupations, in both languages.

Importers look occupations up here, by slug, name or another word for the same; what they
don't find becomes a category of its own, to be translated in the admin.
"""

from __future__ import annotations

from typing import NamedTuple

from django.utils.text import slugify

from celebrities.models import Category


class Known(NamedTuple):
    """A category's words, and others that mean it."""

    name: str
    plural: str
    name_ru: str
    plural_ru: str
    also: tuple[str, ...] = ()


KNOWN = (
    Known(
        "actor",
        "actors",
        "актёр",
        "актёры",
        (
            "actress",
            "film actor",
            "film actress",
            "television actor",
            "television actress",
            "stage actor",
            "voice actor",
            "child actor",
        ),
    ),
    Known("architect", "architects", "архитектор", "архитекторы"),
    Known("artist", "artists", "художник", "художники", ("painter", "sculptor", "visual artist")),
    Known("astronaut", "astronauts", "космонавт", "космонавты", ("cosmonaut",)),
    Known(
        "athlete",
        "athletes",
        "спортсмен",
        "спортсмены",
        (
            "sportsperson",
            "sportsman",
            "sportswoman",
            "association football player",
            "footballer",
            "american football player",
            "basketball player",
            "baseball player",
            "tennis player",
            "swimmer",
            "ice hockey player",
            "boxer",
            "gymnast",
            "figure skater",
            "racing driver",
            "chess player",
            "athletics competitor",
        ),
    ),
    Known(
        "business person",
        "business people",
        "предприниматель",
        "предприниматели",
        ("businessperson", "businessman", "businesswoman", "entrepreneur", "business executive"),
    ),
    Known("chef", "chefs", "повар", "повара", ("cook",)),
    Known("comedian", "comedians", "комик", "комики", ("stand-up comedian", "humorist")),
    Known("dancer", "dancers", "танцор", "танцоры", ("ballet dancer", "choreographer")),
    Known(
        "film director",
        "film directors",
        "кинорежиссёр",
        "кинорежиссёры",
        ("director", "filmmaker", "television director"),
    ),
    Known(
        "journalist",
        "journalists",
        "журналист",
        "журналисты",
        ("reporter", "news presenter", "television presenter", "presenter", "broadcaster"),
    ),
    Known("lawyer", "lawyers", "юрист", "юристы", ("judge", "jurist", "barrister")),
    Known("model", "models", "модель", "модели", ("fashion model", "supermodel")),
    Known("military officer", "military officers", "военный", "военные", ("soldier", "general")),
    Known("monarch", "monarchs", "монарх", "монархи", ("king", "queen", "aristocrat", "royal")),
    Known(
        "musician",
        "musicians",
        "музыкант",
        "музыканты",
        (
            "singer",
            "singer-songwriter",
            "songwriter",
            "rapper",
            "composer",
            "pianist",
            "guitarist",
            "violinist",
            "conductor",
            "dj",
            "opera singer",
            "recording artist",
        ),
    ),
    Known("philosopher", "philosophers", "философ", "философы"),
    Known("photographer", "photographers", "фотограф", "фотографы"),
    Known("physician", "physicians", "врач", "врачи", ("doctor", "surgeon")),
    Known(
        "politician",
        "politicians",
        "политик",
        "политики",
        ("statesman", "stateswoman", "diplomat", "head of state", "member of parliament"),
    ),
    Known(
        "religious leader", "religious leaders", "духовный лидер", "духовные лидеры", ("priest",)
    ),
    Known(
        "scientist",
        "scientists",
        "учёный",
        "учёные",
        (
            "physicist",
            "chemist",
            "mathematician",
            "biologist",
            "astronomer",
            "computer scientist",
            "economist",
            "historian",
            "engineer",
            "inventor",
            "researcher",
        ),
    ),
    Known(
        "writer", "writers", "писатель", "писатели", ("author", "novelist", "poet", "playwright")
    ),
)

_BY_WORD = {word: known for known in KNOWN for word in (known.name, *known.also)}
_BY_SLUG = {slugify(word): known for word, known in _BY_WORD.items()}


def find_category(occupation: str, in_russian: str = "") -> Category | None:
    """The category of an occupation, made if it does not exist. ``in_russian`` is the word for
    one that `KNOWN` lacks. Returns None for a word that leaves no slug."""
    word = " ".join(occupation.split())
    known = _BY_SLUG.get(slugify(word)) or Known(word, word, in_russian, in_russian)
    slug = slugify(known.name) or slugify(known.name, allow_unicode=True)
    if not slug:
        return None
    words = {name: value[:80] for name, value in known._asdict().items() if name != "also"}
    return Category.objects.get_or_create(slug=slug[:50], defaults=words)[0]
