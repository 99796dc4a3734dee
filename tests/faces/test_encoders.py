"""The choice between encoders, and what a new one takes: a spec in the registry."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from lookalike import engine
from lookalike.checks import check_words
from lookalike.faces import encoders
from lookalike.faces.calibration import built_in_scale, built_in_tail
from lookalike.faces.encoders import ENCODERS, load_encoder, resolve_name
from lookalike.faces.encoders.base import EncoderSpec
from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Scale, Tail
from lookalike.faces.weights import FACENET, Weights
from tests.fakes import FakeEncoder

WEIGHTS = Weights("fake", "fake.bin", "http://127.0.0.1:9/fake.bin", "0" * 64)
FAKE = EncoderSpec(
    name="fake",
    version="1",
    scale=Scale(0.2, 0.9),
    tail=Tail(0.5, 0.1),
    load=lambda runtime, folder: FakeEncoder(),
    weights=WEIGHTS,
)


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> EncoderSpec:
    monkeypatch.setitem(ENCODERS, "fake", FAKE)
    return FAKE


def test_it_works(tmp_path: Path) -> None:
    assert load_encoder("dlib", tmp_path, Runtime()).name == "dlib"


def test_a_third_encoder_takes_one_line(
    third: EncoderSpec, settings: Settings, tmp_path: Path
) -> None:
    settings.ENCODER, settings.WEIGHTS_DIR = "fake", tmp_path

    [warning] = check_words()
    assert warning.msg == "LOOKALIKE_ENCODER is fake, but its weights are not there."
    assert "fetch_weights fake" in str(warning.hint)
    (tmp_path / "fake.bin").touch()
    assert list(check_words()) == []
    assert resolve_name("fake", tmp_path) == "fake"
    assert (built_in_scale("fake"), built_in_tail("fake")) == (FAKE.scale, FAKE.tail)
    engine.reset()
    try:
        assert isinstance(engine.get_engine().encoder, FakeEncoder)
    finally:
        engine.reset()


def test_a_third_encoders_weights_can_be_fetched(
    third: EncoderSpec, settings: Settings, tmp_path: Path
) -> None:
    settings.WEIGHTS_DIR = tmp_path
    file = tmp_path / "mine"
    file.touch()

    with pytest.raises(CommandError, match="not the published file"):
        call_command("fetch_weights", "fake", "--from", str(file), stdout=io.StringIO())
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:9/fake\.bin could not be downloaded"):
        call_command("fetch_weights", "fake", stdout=io.StringIO())


def test_the_first_available_encoder_is_preferred(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(encoders, "ENCODERS", {"fake": FAKE, **ENCODERS})

    assert resolve_name("auto", tmp_path) == "dlib"
    (tmp_path / FACENET.file_name).touch()
    assert resolve_name("auto", tmp_path) == "facenet"
    (tmp_path / "fake.bin").touch()
    assert resolve_name("auto", tmp_path) == "fake"


def test_an_unknown_encoder_is_scored_by_plain_similarity() -> None:
    assert built_in_scale("gone") == Scale(0.0, 0.75)
    assert built_in_tail("gone") == Tail(0.0, 1.0)


def test_the_choice_takes_dlib_when_facenets_weights_are_missing(tmp_path: Path) -> None:
    assert resolve_name("auto", tmp_path) == "dlib"
    assert load_encoder("auto", tmp_path, Runtime()).name == "dlib"


def test_the_choice_takes_facenet_when_its_weights_are_there(tmp_path: Path) -> None:
    (tmp_path / FACENET.file_name).write_bytes(b"not the published file")
    assert resolve_name("auto", tmp_path) == "facenet"
    with pytest.raises(WeightsAltered):
        load_encoder("auto", tmp_path, Runtime())


def test_the_choice_keeps_to_what_is_wanted(tmp_path: Path) -> None:
    (tmp_path / FACENET.file_name).touch()
    assert resolve_name("dlib", tmp_path) == "dlib"
    with pytest.raises(WeightsMissing, match="fetch_weights facenet"):
        load_encoder("facenet", tmp_path / "elsewhere", Runtime())


def test_the_choice_rejects_an_unknown_encoder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="auto, facenet, dlib"):
        load_encoder("arcface", tmp_path, Runtime())
