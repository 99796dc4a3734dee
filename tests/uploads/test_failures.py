"""What a visitor reads if there is no result, in either language."""

from __future__ import annotations

import pytest
from django.template import TemplateDoesNotExist
from django.utils import translation
from pytest_django import Settings

from lookalike.faces.errors import Reason
from tests.conftest import LANGUAGES
from uploads.failures import describe_failure

FAILURES = [reason.value for reason in Reason if reason != Reason.SEVERAL_FACES]
"""Several faces are a portrait's failure; a visitor gets a result for each face."""


def test_it_works() -> None:
    words = describe_failure("no_face")

    assert words.title == "No face found"
    assert words.sentence == "We couldn’t find a face in your photo, even after turning it."
    assert words.tips.count("<li>") == words.tips.count("</li>") == 5


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
@pytest.mark.parametrize("reason", FAILURES)
def test_it_has_words_for_every_reason_in_each_language(reason: str, language: str) -> None:
    english = describe_failure(reason)
    with translation.override(language):
        translated = describe_failure(reason)

    for words in (english, translated):
        assert words.title
        assert not words.title.endswith(".")
        assert words.sentence.endswith(".")
        assert "<li>" in words.tips
    assert english.title != translated.title
    assert english.sentence != translated.sentence
    assert english.tips != translated.tips


def test_each_reason_has_words_of_its_own() -> None:
    assert len({describe_failure(reason).sentence for reason in FAILURES}) == len(FAILURES) == 12


def test_it_gives_the_detail_and_the_limits(settings: Settings) -> None:
    settings.MIN_SIDE, settings.MAX_BYTES, settings.MAX_PIXELS = 70, 2_500_000, 50_000_000

    assert describe_failure("unsupported", "<PDF>").sentence == (
        "This is a &lt;PDF&gt; file, which we can’t use."
    )
    assert "recognise this file" in describe_failure("unsupported").sentence
    assert "at least 70 pixels" in describe_failure("too_small").sentence
    assert "limit is 2.5 MB" in describe_failure("too_large").sentence
    assert "limit is 50 megapixels" in describe_failure("too_many_pixels").sentence


def test_a_dark_photo_is_told_to_find_light_first() -> None:
    assert "very dark" in describe_failure("no_face", "dark").sentence
    first = describe_failure("no_face", "dark").tips.partition("</li>")[0]
    assert "more light" in first
    assert "help.svg#light" in first


def test_it_rejects_what_is_no_reason() -> None:
    with pytest.raises(TemplateDoesNotExist):
        describe_failure("bad_luck")
