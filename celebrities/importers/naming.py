"""Folder and file names as names of people."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from django.utils.text import slugify

from celebrities.categories import KNOWN
from celebrities.names import tidy

_NUMBERED = re.compile(r"(?P<person>.+?)[ _-]+[0-9]{1,6}")
_COPY = re.compile(
    r"""(?P<person>.+?)
        ( \s*\([0-9]{1,3}\)
        | [\s_–—-]+(copy|kopie|copie|copia|копия)([\s_]?\(?[0-9]+\)?)?
        | [\s_–—-]+(edited|edit|cropped|crop|resized|scaled|thumb)
        | [\s_–—-]*@[1-4]x
        | [\s_–—-]+[0-9]{2,5}\s?[x×]\s?[0-9]{2,5})""",
    re.IGNORECASE | re.VERBOSE,
)
_COPY_OF = re.compile(
    r"(copy of|kopie von|copie de|copia de|copia di|копия)\s+(?P<person>.+)", re.IGNORECASE
)
_LEADING_NUMBER = re.compile(r"(?:0[0-9]*[\s_.-]+|[0-9]+\s*[._-]\s*)(?P<person>[^\W\d].*)")
# What cameras, phones and programs call a file. A name may begin like one, as Scan Johnson
# does: after these words there must be no other word.
_DEVICES = """
    img imag image images dsc dscn dscf dcim pxl mvimg vid mov pict pic pics picture pictures
    photo photos foto scan cimg imgp hpim gopr dji wp burst fb_img received signal file files
    unnamed untitled download downloads avatar camera portrait portraits headshot whatsapp_image
    new_folder new_doc profile cropped thumb thumbnail selfie mg screencapture telegram
    bild bilder unbenannt imagen imágenes sin_título sans_titre immagine imagem zdjęcie
    снимок фото изображение без_имени
    صورة 画像 写真 スクリーンショット 照片 图片 截图 截屏 사진 스크린샷
"""
_DEVICE = re.compile(
    r"(?P<given>{})(?P<rest>(?:[\W\d_].*)?)".format(
        "|".join(
            word.replace("_", "[ _-]") for word in sorted(_DEVICES.split(), key=len, reverse=True)
        )
    ),
    re.IGNORECASE,
)
_SMALL_WORDS = "at am pm wa edited portrait mp raw cover night burst hdr top"
_SCREENSHOT = re.compile(
    r"(screen[ _-]?shot|bildschirmfoto|capture d.écran|captura de|schermata|снимок[ _-]экрана"
    r"|スクリーンショット|屏幕截图|sam[ _-]?[0-9]).*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_HEX = re.compile(r"[0-9a-f-]{16,}", re.IGNORECASE)

# Words for parts of one person's pictures.
_PARTS = """
    album albums archive award awards backup best black carpet color colour crop cropped day edit
    edited edits event events favourites favorites final finals hd high interview jpeg jpg misc
    new old older original originals other others photos pictures png portraits premiere press
    print raw red resolution scans second selected selection selfies set shoot shoots show small
    stage summer tour trip unsorted various web winter young the and of in at
"""
# Words for a folder of people.
_CONTAINERS = """
    all celebrities celebs dataset data faces gallery people persons photos pictures portraits
    images train test знаменитости люди портреты фото
"""


def compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def ignore_case(text: str) -> str:
    """Text for comparing names that may differ in case and in Unicode form, nothing else.
    Unlike `str.casefold`, it keeps Strauß and Strauss apart."""
    return compose(compose(text).lower())


def name_person(word: str) -> str:
    """A folder's or file's word as a name: "jane-doe" becomes Jane Doe, "Jane Doe" stays."""
    word = tidy(word)
    parts = [word]
    if " " in word:
        parts = word.split()
    elif word.islower() or "_" in word:
        parts = [part for part in re.split(r"[_\-.]+", word) if part] or [word]
    if word.islower() or " " not in word:
        parts = [part[:1].upper() + part[1:] for part in parts]
    return " ".join(parts)[:200]


def strip_copy(word: str) -> str:
    """The name without what systems and programs add to a copy, and without a list's number:
    "Jane Doe (2)", "Jane Doe - Copy", "Jane Doe_edited", "001 Jane Doe"."""
    while found := (
        _COPY.fullmatch(word) or _COPY_OF.fullmatch(word) or _LEADING_NUMBER.fullmatch(word)
    ):
        word = found["person"]
    return word


def strip_number(word: str) -> str:
    """A file's name without the picture's number: "jane-doe_1", "Jane Doe 1"."""
    word = strip_copy(word)
    found = _NUMBERED.fullmatch(word)
    return found["person"] if found else word


def is_name(word: str) -> bool:
    """False for what cameras, phones and programs call a file, and for digits alone."""
    if _HEX.fullmatch(word) or _SCREENSHOT.fullmatch(word):
        return False
    if not any(len(part) > 1 for part in _WORD.findall(word)):
        return False
    device = _DEVICE.fullmatch(word.lstrip("_"))
    if device is None:
        return True
    others = set(map(str.lower, _WORD.findall(device["rest"])))
    return not all(word in _SMALL_WORDS.split() or len(word) == 1 for word in others)


def may_be_person(folder: str) -> bool:
    """Whether a folder could be named for a person, not for a year or a kind of picture."""
    words = {part.lower() for part in _WORD.findall(compose(folder))}
    return (
        is_name(folder)
        and words.isdisjoint(_PARTS.split())
        and not re.search(r"\d", strip_copy(folder))
    )


def is_full_name(folder: str) -> bool:
    """Whether it reads as a first and a last name."""
    words = name_person(folder).split()
    return (
        may_be_person(folder)
        and len(words) > 1
        and all(not word[:1].islower() for word in (words[0], words[-1]))
    )


def is_container(folder: str) -> bool:
    """Whether a folder's name says that it is a collection: people, photos."""
    return ignore_case(folder) in _CONTAINERS.split()


def is_occupation(folder: str) -> bool:
    """Whether a folder is named for what people do, in English or Russian: actors."""
    word = slugify(compose(folder).replace("_", "-"), allow_unicode=True)
    return not {word, word.removesuffix("s")}.isdisjoint(_occupations())


@cache
def _occupations() -> frozenset[str]:
    words = set(KNOWN)
    for fields in KNOWN.values():
        words.update(slugify(word, allow_unicode=True) for word in fields.values())
    return frozenset(words - {""})
