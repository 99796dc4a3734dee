"""docs/batch.md: its code runs from top to bottom as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.vectors_csv import read_vectors
from tests.conftest import CHECKOUT

PAGE = CHECKOUT / "docs" / "batch.md"


@pytest.fixture
def project(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some of the cast where the project keeps it."""
    shutil.copytree(photos, tmp_path / "celebrities" / "galleries" / "fictional")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_works(engine: FaceEngine, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    code = "\n".join(blocks)

    exec(compile(code, str(PAGE), "exec"), {"__name__": "page"})  # noqa: S102

    assert len(read_vectors(project / "embeddings.csv").names) == 18
    assert (project / "my_index.ann" / "photos" / "index.ann").is_file()
    assert "2/2" in "".join(capfd.readouterr())


def test_has_the_benchmarks_figures() -> None:
    figures = PAGE.read_text().split("<!-- figures -->")[1].split("<!-- end of figures -->")[0]

    assert "photos a second" in figures
    assert "Annoy" in figures
