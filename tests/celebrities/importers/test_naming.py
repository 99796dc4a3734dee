"""Folder and file names as names of people."""

from __future__ import annotations

import pytest

from celebrities.importers.naming import (
    is_full_name,
    is_name,
    may_be_person,
    name_person,
    strip_copy,
    strip_number,
)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("jane-doe", "Jane Doe"),
        ("Jane Doe", "Jane Doe"),
        ("jane_doe", "Jane Doe"),
        ("Jean-Paul", "Jean-Paul"),
        ("алла-пугачёва", "Алла Пугачёва"),
        ("---", "---"),
        ("john roe", "John Roe"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("zoe\u0308", "Zoë"),
    ],
)
def test_words_become_names(word: str, name: str) -> None:
    assert name_person(word) == name


@pytest.mark.parametrize(
    "word",
    [
        "Jane Doe (2)",
        "Jane Doe - Copy",
        "Jane Doe - Copy (3)",
        "Jane Doe copy",
        "Jane Doe copy 2",
        "Jane Doe – Kopie",
        "Jane Doe — копия",
        "Jane Doe(1)",
        "Jane Doe_edited",
        "Jane Doe-cropped (2)",
        "Jane Doe @2x",
        "Jane Doe-1024x768",
        "Copy of Jane Doe",
        "Kopie von Jane Doe",
        "001 Jane Doe",
        "12. Jane Doe",
        "07_Jane Doe",
    ],
)
def test_copies_keep_the_name(word: str) -> None:
    assert strip_copy(word) == "Jane Doe"
    assert strip_number(word) == "Jane Doe"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("jane-doe_1", "jane-doe"),
        ("john roe 1", "john roe"),
        ("Jane Doe_12 (2)", "Jane Doe"),
        ("Jane Doe", "Jane Doe"),
        ("1", "1"),
    ],
)
def test_numbers_of_pictures_are_no_part_of_a_name(stem: str, name: str) -> None:
    assert strip_number(stem) == name


@pytest.mark.parametrize(
    "word",
    [
        *("IMG_0001", "IMG", "DSC_0003", "DSC00123", "PXL_20240102_123456789.PORTRAIT", "P1010001"),
        *("IMG-20240101-WA0001", "WhatsApp Image 2024-01-01 at 10.00.00 PM", "SAM_0012"),
        *("Screenshot 2024-01-01 at 10.00.00", "Screenshot_20240101-100000_Chrome"),
        *("Снимок экрана 2024-01-01", "Фото 12", "photo", "Untitled", "New folder (2)"),
        *("_MG_1234", "Bild 1", "Bildschirmfoto 2024-01-01 um 10.00.00", "Capture d'écran 2024"),
        *("New Doc 2024", "cropped", "Profile", "صورة", "画像1", "스크린샷", "屏幕截图 2024"),
        *("20240101_120000", "2019", "1", "8f14e45fceea167a5a36dedd4bea2543", "_", "X"),
    ],
)
def test_what_cameras_and_programs_write_is_no_name(word: str) -> None:
    assert not is_name(word)


@pytest.mark.parametrize(
    "word",
    [
        "Jane Doe",
        "Madonna",
        "Sam",
        "Scan Johnson",
        "Photo Finish",
        "Ai",
        "みつき",
        "ハル",
        "50 Cent",
        "2Pac",
        "Profile Jones",
    ],
)
def test_what_only_begins_like_it_is_a_name(word: str) -> None:
    assert is_name(word)


@pytest.mark.parametrize("folder", ["2019", "edited", "Red Carpet", "red-carpet", "Old", "Day 2"])
def test_parts_of_a_collection_are_no_people(folder: str) -> None:
    assert not may_be_person(folder)


@pytest.mark.parametrize(
    ("folder", "full"),
    [("John Smith", True), ("john-smith", True), ("Ada", False), ("Ludwig van Beethoven", True)],
)
def test_a_full_name_has_two_words(folder: str, full: bool) -> None:
    assert may_be_person(folder)
    assert is_full_name(folder) == full


@pytest.mark.parametrize("word", ["John Small", "Mia Large", "anna-min", "50 Cent", "2Pac"])
def test_a_name_that_looks_like_a_copys_stays(word: str) -> None:
    assert strip_copy(word) == word


def test_marks_that_nobody_sees_are_no_part_of_a_name() -> None:
    assert name_person("Ad\u200ba \u202eExam\u00adple\ufeff") == "Ada Example"
    assert name_person("علی\u200cرضا") == "علی\u200cرضا"
