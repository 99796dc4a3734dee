"""No sentence is left untranslated, and what is compiled is what is written."""

from __future__ import annotations

import gettext
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

CATALOGUE = Path("locale/ru/LC_MESSAGES")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of all that holds sentences, in which messages can be collected."""
    if shutil.which("xgettext") is None:
        pytest.skip("gettext is not installed")
    for folder in ("lookalike", "celebrities", "uploads", "templates", "locale"):
        leave = shutil.ignore_patterns("galleries", "__pycache__", "*.mo")
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=leave)
    shutil.copy(CHECKOUT / "manage.py", tmp_path)
    return tmp_path


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_sentence_is_translated(sources: Path) -> None:
    run(sys.executable, "manage.py", "makemessages", "--locale", "ru", cwd=sources)
    catalogue = sources / CATALOGUE / "django.po"
    assert run("msgattrib", "--untranslated", str(catalogue), cwd=sources) == ""
    assert run("msgattrib", "--only-fuzzy", str(catalogue), cwd=sources) == ""


def test_catalogue_holds_no_sentence_that_is_gone(sources: Path) -> None:
    run(sys.executable, "manage.py", "makemessages", "--locale", "ru", cwd=sources)
    catalogue = sources / CATALOGUE / "django.po"
    assert run("msgattrib", "--only-obsolete", str(catalogue), cwd=sources) == ""


def test_compiled_catalogue_is_up_to_date(sources: Path) -> None:
    fresh = sources / "fresh.mo"
    run("msgfmt", "--check-format", "-o", str(fresh), str(CATALOGUE / "django.po"), cwd=sources)
    with fresh.open("rb") as written, (CHECKOUT / CATALOGUE / "django.mo").open("rb") as kept:
        assert (
            gettext.GNUTranslations(written)._catalog  # type: ignore[attr-defined]
            == gettext.GNUTranslations(kept)._catalog  # type: ignore[attr-defined]
        )
