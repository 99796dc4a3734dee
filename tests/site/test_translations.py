"""The compiled translations are those of their sources."""

from __future__ import annotations

import gettext
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live import CHECKOUT

SOURCES = sorted((CHECKOUT / "locale").glob("*/LC_MESSAGES/*.po"))


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="needs gettext's msgfmt")
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parts[-3])
def test_the_compiled_file_is_up_to_date(source: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "fresh.mo"
    subprocess.run(["msgfmt", "--check", "-o", str(compiled), str(source)], check=True)
    assert read_messages(source.with_suffix(".mo")) == read_messages(compiled)


def read_messages(path: Path) -> dict[object, str]:
    with path.open("rb") as file:
        catalog: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in catalog.items() if key}


def test_there_is_a_translation_to_check() -> None:
    assert "ru" in {source.parts[-3] for source in SOURCES}
