"""No sentence is left untranslated, and what is compiled is what is written, in each language of
the settings but English."""

from __future__ import annotations

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.utils import translation

from celebrities.categories import KNOWN
from celebrities.occupations import WORDS
from tests.conftest import CHECKOUT

CODES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z%]")

pytestmark = pytest.mark.parametrize("code", CODES)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that holds sentences, in which they have been collected anew."""
    if shutil.which("xgettext") is None:
        pytest.skip("gettext is not installed")
    place = tmp_path_factory.mktemp("sources")
    for folder in ("lookalike", "celebrities", "uploads", "templates", "locale"):
        leave = shutil.ignore_patterns("galleries", "__pycache__", "*.mo")
        shutil.copytree(CHECKOUT / folder, place / folder, ignore=leave)
    shutil.copy(CHECKOUT / "manage.py", place)
    words = [word for code in CODES for word in ("--locale", code)]
    run(sys.executable, "manage.py", "makemessages", *words, cwd=place)
    return place


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def catalogue_of(code: str) -> Path:
    return Path("locale", code, "LC_MESSAGES", "django.po")


def read(compiled: Path) -> gettext.GNUTranslations:
    with compiled.open("rb") as file:
        return gettext.GNUTranslations(file)


def list_sentences(catalogue: gettext.GNUTranslations) -> dict[str | tuple[str, int], str]:
    """Translations by the English sentence, or by it and the number of the plural form."""
    found: dict[str | tuple[str, int], str] = catalogue._catalog  # type: ignore[attr-defined]
    return {english: said for english, said in found.items() if english}


@pytest.fixture
def kept(code: str) -> gettext.GNUTranslations:
    return read((CHECKOUT / catalogue_of(code)).with_suffix(".mo"))


@pytest.mark.parametrize("lacking", ["--untranslated", "--only-fuzzy", "--only-obsolete"])
def test_every_sentence_is_translated(sources: Path, code: str, lacking: str) -> None:
    assert run("msgattrib", lacking, str(catalogue_of(code)), cwd=sources) == ""


def test_compiled_catalogue_is_up_to_date(
    sources: Path, code: str, kept: gettext.GNUTranslations
) -> None:
    fresh = sources / f"{code}.mo"
    run("msgfmt", "--check", "-o", str(fresh), str(catalogue_of(code)), cwd=sources)
    assert list_sentences(read(fresh)) == list_sentences(kept)


def test_placeholders_agree(kept: gettext.GNUTranslations) -> None:
    """A form for one may leave its number out, so all forms together have what English has."""
    sentences = list_sentences(kept)
    for key, said in sentences.items():
        english = key if isinstance(key, str) else key[0]
        wanted, found = set(PLACEHOLDER.findall(english)), set(PLACEHOLDER.findall(said))
        assert wanted <= found, key
        assert found == wanted or not isinstance(key, str), key


def test_plural_forms_read_right(code: str, kept: gettext.GNUTranslations) -> None:
    """For 1, 2, 5, 21 and on, the form is the one that Django's own translators chose."""
    folder = Path(django.__file__).parent / "conf/locale"
    django_own = read(folder / code / "LC_MESSAGES/django.mo")
    for number in (0, 1, 2, 5, 11, 12, 21, 22, 25, 101, 111, 121):
        assert kept.plural(number) == django_own.plural(number), number  # type: ignore[attr-defined]


def test_each_plural_form_is_there(code: str, kept: gettext.GNUTranslations) -> None:
    forms = {kept.plural(number) for number in range(201)}  # type: ignore[attr-defined]
    sentences = list_sentences(kept)
    counted = {key[0] for key in sentences if not isinstance(key, str)}
    assert len(counted) > 50
    for english in counted:
        assert all(sentences[english, form].strip() for form in forms), english


def test_known_occupations_are_translated(code: str) -> None:
    assert set(WORDS) == {
        word for each in KNOWN.values() for word in (each["name"], each["plural"])
    }
    with translation.override(code):
        assert all(str(said) for said in WORDS.values())
        assert str(WORDS["writers"]) != "writers"
