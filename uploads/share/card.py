"""What the picture to share shows, and the process that draws it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass

from lookalike.environ import BASE_DIR

SECONDS = 20
"""For one picture, and for the wait until it is its turn."""

MOST_ASKED_FOR = 4
"""Pictures at once of one web process: one is drawn, the others wait. Further ones are refused, so
that half of the threads stay free for other pages."""

_asked_for = threading.BoundedSemaphore(MOST_ASKED_FOR)
_drawing = threading.Lock()

# Width and height in pixels: to post, for stories, and the preview of a link.
SIZES = {"square": (1080, 1080), "story": (1080, 1920), "wide": (1200, 630)}


@dataclass(frozen=True, slots=True)
class Card:
    """``shape`` is a key of SIZES. ``faces`` are JPEG files: the visitor's and the portrait's, or
    the portrait's alone. Of ``names`` the first that can be drawn is. ``address`` is the first
    page's, as a QR code and without its scheme in letters."""

    shape: str
    faces: tuple[bytes, ...]
    intro: str
    names: list[str]
    said: str
    likeness: str
    question: str
    site: str
    address: str
    credit: str

    def to_json(self) -> bytes:
        faces = [base64.b64encode(face).decode() for face in self.faces]
        return json.dumps({**asdict(self), "faces": faces}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Card:
        values = json.loads(text)
        return cls(faces=tuple(map(base64.b64decode, values.pop("faces"))), **values)


class TooManyPictures(Exception):
    """Others are being drawn, or the machine starts no process just now."""


def draw_apart(card: Card) -> bytes:
    """The PNG, drawn by a process of its own: the web process, which strangers reach, has no image
    library. One is drawn at a time, as each takes 50 MB and a processor.

    Raises TooManyPictures or subprocess.SubprocessError.
    """
    if not _asked_for.acquire(blocking=False):
        raise TooManyPictures
    try:
        if not _drawing.acquire(timeout=SECONDS):
            raise TooManyPictures
        try:
            return _draw(card.to_json())
        finally:
            _drawing.release()
    finally:
        _asked_for.release()


def _draw(card: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "uploads.share.drawing"],
            input=card,
            capture_output=True,
            timeout=SECONDS,
            check=True,
            cwd=BASE_DIR,
        )
    except OSError as error:
        raise TooManyPictures from error
    return done.stdout
