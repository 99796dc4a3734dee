"""`manage.py fetch_weights`: what is not the published file is refused, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from lookalike.faces.weights import FACENET


@pytest.fixture(autouse=True)
def weights_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.WEIGHTS_DIR = tmp_path / "weights"
    return tmp_path / "weights"


def test_it_rejects_a_file_that_is_another(tmp_path: Path, weights_dir: Path) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(b"not the weights")
    with pytest.raises(CommandError, match="SHA-256"):
        call_command("fetch_weights", "facenet", "--from", str(other))
    assert not (weights_dir / FACENET.file_name).exists()


def test_it_rejects_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("fetch_weights", "facenet", "--from", str(tmp_path / "nothing.pt"))


def test_it_rejects_an_encoder_that_needs_no_weights() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("fetch_weights", "dlib")
